// SPDX-License-Identifier: GPL-2.0-only
/*
 * The door for a kernel tree: marked accesses, memory, plain stores. See ksim.h.
 *
 * A word of the world (but for stacks) is shared: each marked access is a step. A static of
 * the kernel is none: what is shared of these are locks, per-CPU data (both copied to the
 * world, host_data.c) and words that are set while there is one thread.
 */
#include <string.h>

#include "kvmmmu/kernel/host.h"
#include "sim/engine/arena.h"
#include "sim/engine/check.h"
#include "sim/engine/mem.h"
#include "sim/engine/region.h"
#include "sim/engine/sim.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

#define HEAD	CACHE_LINE	/* before each allocation: its size */

char *const ksim_phys = world_phys;

static inline bool shared(const volatile void *p)	/* raw: an address */
{
	u64 off = (u64)p - (u64)world_base;

	return off < WORLD_STACKS || off - WORLD_FRAMES < WORLD_SPAN - WORLD_FRAMES;
}

/* What is not shared may be nowhere at all. */
static inline void local(const volatile void *p, const struct site *site)	/* raw: an address */
{
	if (unlikely(khost_nowhere((u64)p)))
		khost_oops((const void *)p, site);
}

/* --- memory that is filled and copied ------------------------------------------------------- */

void *ksim_fill(void *p, int byte, unsigned long n)
{
	ksim_plain_store(p, n, NULL);
	memset(p, byte, n);
	khost_settle();
	return p;
}

void *ksim_copy(void *to, const void *from, unsigned long n)
{
	ksim_plain_store(to, n, NULL);
	if (n)
		local(from, SITE_HERE);
	memmove(to, from, n);
	khost_settle();
	return to;
}

static inline void stored(void *w)
{
	if (unlikely((char *)w >= world_phys))
		world_set(khost()->stored[sim_self->id], w);
}

/* --- marked accesses --------------------------------------------------------------------- */

/* raw: the tree says volatile of what it passes */
unsigned long ksim_read(const volatile void *p, unsigned int size, const struct ksim_site *s)
{
	const struct site *site = (const struct site *)s;
	void *w = (void *)p;

	if (unlikely(!shared(p))) {
		local(p, site);
		return mem_atomic(MEM_READ, size, w, 0, 0);
	}
	khost_settle();
	switch (size) {
	case 1: return (u8)door(MEM_READ, 1, w, 0, 0, site);
	case 2: return (u16)door(MEM_READ, 2, w, 0, 0, site);
	case 4: return (u32)door(MEM_READ, 4, w, 0, 0, site);
	default: return door(MEM_READ, 8, w, 0, 0, site);
	}
}

/* raw: as above */
void ksim_write(volatile void *p, unsigned int size, unsigned long v, const struct ksim_site *s)
{
	const struct site *site = (const struct site *)s;
	struct khost *h;
	void *w = (void *)p;

	if (unlikely(!shared(p))) {
		local(p, site);
		ksim_plain_store(w, size, NULL);
		mem_atomic(MEM_WRITE, size, w, v, 0);
		return;
	}
	khost_settle();
	switch (size) {
	case 1: door(MEM_WRITE, 1, w, v, 0, site); break;
	case 2: door(MEM_WRITE, 2, w, v, 0, site); break;
	case 4: door(MEM_WRITE, 4, w, v, 0, site); break;
	default: door(MEM_WRITE, 8, w, v, 0, site); break;
	}
	mem_wake(w);
	stored(w);
	h = khost();
	if (unlikely(h->owns[sim_self->id].to))
		khost_disown(h);
}

#define RMW(op)								\
	(size == 4 ? (u32)door(op, 4, w, a, b, site) :			\
	 size == 8 ? door(op, 8, w, a, b, site) :			\
	 size == 2 ? (u16)door(op, 2, w, a, b, site) : (u8)door(op, 1, w, a, b, site))

/* raw: as above */
unsigned long ksim_rmw(enum ksim_rmw op, volatile void *p, unsigned int size, unsigned long a,
		       unsigned long b, const struct ksim_site *s)
{
	static const u8 ops[] = {
		[KSIM_CMPXCHG] = MEM_CMPXCHG, [KSIM_XADD] = MEM_XADD, [KSIM_XCHG] = MEM_XCHG,
		[KSIM_AND] = MEM_AND, [KSIM_OR] = MEM_OR, [KSIM_BTS] = MEM_BTS, [KSIM_BTR] = MEM_BTR,
	};
	const struct site *site = (const struct site *)s;
	void *w = (void *)p;
	unsigned long old;

	if (unlikely(!shared(p))) {
		local(p, site);
		ksim_plain_store(w, size, NULL);
		return mem_atomic(ops[op], size, w, a, b);
	}
	khost_settle();
	switch (op) {
	case KSIM_CMPXCHG: old = RMW(MEM_CMPXCHG); break;
	case KSIM_XADD:	old = RMW(MEM_XADD); break;
	case KSIM_XCHG:	old = RMW(MEM_XCHG); break;
	case KSIM_AND:	old = RMW(MEM_AND); break;
	case KSIM_OR:	old = RMW(MEM_OR); break;
	case KSIM_BTS:	old = RMW(MEM_BTS); break;
	default:	old = RMW(MEM_BTR); break;
	}
	stored(w);
	return old;
}

void ksim_fence(const struct ksim_site *s)
{
	khost_settle();
	door(MEM_FENCE, 8, NULL, 0, 0, (const struct site *)s);
}

void ksim_await_zero(void *p, unsigned int size)
{
	khost_settle();
	if (size == 8)
		mem_await64(p, ~0ull, 0);
	else
		mem_await32(p, ~0u, 0);
}

void ksim_await_one(void *p)
{
	khost_settle();
	mem_await32(p, 1, 1);
}

void ksim_wake(void *p)
{
	mem_wake(p);
}

/* --- memory -------------------------------------------------------------------------------- */

void *ksim_alloc(unsigned long n)
{
	char *p;

	khost_settle();
	if (n == 1024)	/* TD_PARAMS: by its physical address, aligned */
		return phys_to_ptr(page_alloc());
	p = world_alloc(n + HEAD);
	world_set(*(u64 *)p, (u64)n);
	return p + HEAD;
}

void ksim_free(const void *q)
{
	char *p;

	khost_settle();
	if (!q)
		return;
	if ((const char *)q >= world_phys) {
		page_free(ptr_to_phys(q));
		return;
	}
	p = (char *)q - HEAD;
	world_free(p, *(u64 *)p + HEAD);
}

void khost_page_of(u64 hpa, struct kvm *kvm)
{
	world_set(khost()->page_vm[hpa >> PAGE_SHIFT], (u16)(kvm->number + 1));
	world_xadd(&kvm->pages, 1);
}

static void page_goes(u64 hpa)
{
	struct khost *h = khost();
	u16 n = h->page_vm[hpa >> PAGE_SHIFT];
	struct kvm *kvm = h->vms;

	while (kvm && kvm->number + 1 != n)
		kvm = kvm->next;
	if (!kvm)
		return;
	world_set(h->page_vm[hpa >> PAGE_SHIFT], (u16)0);
	world_xadd(&kvm->pages, -1);
}

unsigned long ksim_page_alloc(void)
{
	struct kvm *kvm = khost()->op_vm[sim_self->id];
	u64 hpa;

	khost_settle();
	hpa = page_alloc();
	if (kvm)
		khost_page_of(hpa, kvm);
	return (unsigned long)phys_to_ptr(hpa);
}

unsigned long ksim_guest_page_alloc(void)
{
	khost_settle();
	return page_alloc_guest();
}

unsigned long ksim_guest_2m_alloc(void)
{
	khost_settle();
	return page_alloc_2m();
}

void ksim_page_free(unsigned long hpa)
{
	khost_settle();
	region_remove_page(phys_to_ptr(hpa));
	page_goes(hpa);
	page_free(hpa);
}

void ksim_page_touch(unsigned long hpa)
{
	khost_settle();
	mem_write64(page_line(hpa), 0);
}

unsigned long ksim_phys_size(void)
{
	return world_phys_size();
}

void *ksim_mem_map(void)
{
	return khost()->mem_map;
}
