/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The one door to memory that two actors may share. Each call is one step: a scheduling
 * point, then cost, effect, log, key, trace. Write at most one step per full expression
 * (compilers order arguments differently, and the order of steps is the result).
 *
 * mem_read{8,16,32,64}(p)                  plain load
 * mem_write{8,16,32,64}(p, v)              plain store
 * mem_clear64(p)                           plain store of 0; where 0 stands already the host
 *                                          need not have memory for it
 * mem_cmpxchg{8,16,32,64}(p, old, new)     LOCK CMPXCHG; returns what was there
 * mem_xadd, mem_xchg, mem_and, mem_or      LOCKed; return the old value
 * mem_bts{..}(p, bit), mem_btr{..}(p, bit) LOCKed; return the old bit
 * mem_set_bit64, mem_clear_bit64(p, bit)   LOCK BTS/BTR whose result nobody looks at: it does
 *                                          not enter the actor's key (see actor_forget)
 * mem_cmpxchg128(p, old, new)              LOCK CMPXCHG16B; returns what was there
 * mem_fence()                              MFENCE
 * mem_await{16,32,64}(p, mask, want)       blocks until (*p & mask) == want, then reads
 * mem_wake(p)                              after a release: re-examine who awaits @p
 * mem_peek{8,16,32,64}(p)                  not a step: for checks and reports only
 *
 * Not under any lock unless the caller's protocol says so. Values are zero-extended.
 */
#include "sim/engine/actor.h"
#include "sim/engine/line.h"
#include "sim/engine/site.h"

struct u128 {
	u64 lo, hi;
} __attribute__((aligned(16)));

u64 door_slow(enum mem_op op, unsigned int size, void *p, u64 a, u64 b, const struct site *site);
void door_log(struct actor *me, void *p);	/* the word at @p is about to change */
struct u128 door_cmpxchg128(struct u128 *p, struct u128 old, struct u128 new_,
			    const struct site *site);
void sched_switch(struct actor *me);
void mem_wake(const void *p);

/*
 * mem_effect - what one operation does to memory, and what it returns. The single place
 * where the semantics of a step are written: the fast path folds it to an instruction,
 * the slow path runs it as it stands.
 */
#define MEM_EFFECT(type) do {						\
	type *w = p;							\
	type o = *(volatile type *)w;					\
									\
	switch (op) {							\
	case MEM_WRITE:	if (!b || o != (type)a)				\
				*(volatile type *)w = (type)a;		\
			return 0;					\
	case MEM_CMPXCHG: if (o == (type)a) *(volatile type *)w = (type)b; break; \
	case MEM_XADD:	*(volatile type *)w = (type)(o + a); break;	\
	case MEM_XCHG:	*(volatile type *)w = (type)a; break;		\
	case MEM_AND:	*(volatile type *)w = (type)(o & a); break;	\
	case MEM_OR:	*(volatile type *)w = (type)(o | a); break;	\
	case MEM_BTS:	*(volatile type *)w = (type)(o | (type)1 << a);	\
			return o >> a & 1;				\
	case MEM_BTR:	*(volatile type *)w = (type)(o & ~((type)1 << a)); \
			return o >> a & 1;				\
	default:	break;						\
	}								\
	return o;							\
} while (0)

static __always_inline u64 mem_effect(enum mem_op op, unsigned int size, void *p, u64 a, u64 b)
{
	switch (size) {
	case 1: MEM_EFFECT(u8);
	case 2: MEM_EFFECT(u16);
	case 4: MEM_EFFECT(u32);
	case 8: MEM_EFFECT(u64);
	default: return 0;
	}
}
#undef MEM_EFFECT

/*
 * mem_atomic - the same on a real machine with real threads: loads acquire, stores
 * release, LOCKed operations sequentially consistent. Not seq_cst stores: they would
 * hide the store-buffering bugs that `stress` exists to find.
 */
#if defined(__SANITIZE_THREAD__)
#define DOOR_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define DOOR_TSAN 1
#endif
#endif
#ifdef DOOR_TSAN
/* A 16-bit lock released by a 64-bit cmpxchg of its word looks like a race: say it is not. */
void __tsan_acquire(void *p);
void __tsan_release(void *p);
#define door_tsan_enter(p) __tsan_release((void *)((u64)(p) & ~7ull))
#define door_tsan_leave(p) __tsan_acquire((void *)((u64)(p) & ~7ull))
/* TSan knows no fences (to it each door is one, above); the processor still needs its own. */
#if defined(__x86_64__)
#define door_fence() __asm__ volatile("mfence" ::: "memory")
#else
#define door_fence() __asm__ volatile("dmb ish" ::: "memory")
#endif
#else
#define door_tsan_enter(p) ((void)(p))
#define door_tsan_leave(p) ((void)(p))
#define door_fence() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif

#define MEM_ATOMIC(type) do {						\
	type *w = p, o = (type)a;					\
									\
	switch (op) {							\
	case MEM_READ:	return __atomic_load_n(w, __ATOMIC_ACQUIRE);	\
	case MEM_WRITE:	__atomic_store_n(w, (type)a, __ATOMIC_RELEASE);	\
			return 0;					\
	case MEM_CMPXCHG:						\
		__atomic_compare_exchange_n(w, &o, (type)b, 0,		\
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
		return o;						\
	case MEM_XADD:	return __atomic_fetch_add(w, (type)a, __ATOMIC_SEQ_CST); \
	case MEM_XCHG:	return __atomic_exchange_n(w, (type)a, __ATOMIC_SEQ_CST); \
	case MEM_AND:	return __atomic_fetch_and(w, (type)a, __ATOMIC_SEQ_CST); \
	case MEM_OR:	return __atomic_fetch_or(w, (type)a, __ATOMIC_SEQ_CST); \
	case MEM_BTS:	return __atomic_fetch_or(w, (type)((type)1 << a), \
						 __ATOMIC_SEQ_CST) >> a & 1; \
	case MEM_BTR:	return __atomic_fetch_and(w, (type)~((type)1 << a), \
						  __ATOMIC_SEQ_CST) >> a & 1; \
	case MEM_FENCE:	door_fence(); return 0;				\
	case MEM_AWAIT:	break;						\
	}								\
	return 0;							\
} while (0)

static __always_inline u64 mem_atomic(enum mem_op op, unsigned int size, void *p, u64 a, u64 b)
{
	switch (size) {
	case 1: MEM_ATOMIC(u8);
	case 2: MEM_ATOMIC(u16);
	case 4: MEM_ATOMIC(u32);
	case 8: MEM_ATOMIC(u64);
	default: return 0;
	}
}
#undef MEM_ATOMIC

/*
 * door - one step. Always inline down to the switch: a return through a call level after
 * a switch mispredicts and costs more than the step (measured, docs/architecture.md).
 */
static __always_inline u64 door(enum mem_op op, unsigned int size, void *p, u64 a, u64 b,
				const struct site *site)
{
	struct actor *me = sim_self;

	if (unlikely((me->clock << 10 | me->id) >= __atomic_load_n(&me->horizon, __ATOMIC_RELAXED)))
		sched_switch(me);
	if (unlikely(me->mode)) {
		if (likely(me->mode & MODE_FREE) && op != MEM_AWAIT) {
			u64 r;

			door_tsan_enter(p);
			r = mem_atomic(op, size, p, a, b);
			door_tsan_leave(p);
			return r;
		}
		if (me->mode != MODE_LOGGED)
			return door_slow(op, size, p, a, b, site);
		if (op != MEM_READ && op != MEM_FENCE && op != MEM_AWAIT)
			door_log(me, p);
	}
	if (op == MEM_AWAIT)
		return door_slow(op, size, p, a, b, site);
	me->steps++;
	line_touch(me, p, op, site);
	if (op == MEM_FENCE)
		return 0;
	return mem_effect(op, size, p, a, b);
}

/* A statement expression, so that a caller may leave the result alone without a warning. */
#define DOOR(op, bits, p, a, b) \
	({ (u##bits)door(op, bits / 8, (void *)(p), (u64)(a), (u64)(b), SITE_HERE); })

#define mem_read8(p)	DOOR(MEM_READ, 8, p, 0, 0)
#define mem_read16(p)	DOOR(MEM_READ, 16, p, 0, 0)
#define mem_read32(p)	DOOR(MEM_READ, 32, p, 0, 0)
#define mem_read64(p)	DOOR(MEM_READ, 64, p, 0, 0)

#define mem_write8(p, v)	((void)DOOR(MEM_WRITE, 8, p, v, 0))
#define mem_write16(p, v)	((void)DOOR(MEM_WRITE, 16, p, v, 0))
#define mem_write32(p, v)	((void)DOOR(MEM_WRITE, 32, p, v, 0))
#define mem_write64(p, v)	((void)DOOR(MEM_WRITE, 64, p, v, 0))

#define mem_clear64(p)		((void)DOOR(MEM_WRITE, 64, p, 0, 1))

#define mem_cmpxchg8(p, o, n)	DOOR(MEM_CMPXCHG, 8, p, o, n)
#define mem_cmpxchg16(p, o, n)	DOOR(MEM_CMPXCHG, 16, p, o, n)
#define mem_cmpxchg32(p, o, n)	DOOR(MEM_CMPXCHG, 32, p, o, n)
#define mem_cmpxchg64(p, o, n)	DOOR(MEM_CMPXCHG, 64, p, o, n)
#define mem_cmpxchg128(p, o, n)	door_cmpxchg128(p, o, n, SITE_HERE)

#define mem_xadd8(p, v)		DOOR(MEM_XADD, 8, p, v, 0)
#define mem_xadd16(p, v)	DOOR(MEM_XADD, 16, p, v, 0)
#define mem_xadd32(p, v)	DOOR(MEM_XADD, 32, p, v, 0)
#define mem_xadd64(p, v)	DOOR(MEM_XADD, 64, p, v, 0)

#define mem_xchg8(p, v)		DOOR(MEM_XCHG, 8, p, v, 0)
#define mem_xchg16(p, v)	DOOR(MEM_XCHG, 16, p, v, 0)
#define mem_xchg32(p, v)	DOOR(MEM_XCHG, 32, p, v, 0)
#define mem_xchg64(p, v)	DOOR(MEM_XCHG, 64, p, v, 0)

#define mem_and8(p, v)		DOOR(MEM_AND, 8, p, v, 0)
#define mem_and16(p, v)		DOOR(MEM_AND, 16, p, v, 0)
#define mem_and32(p, v)		DOOR(MEM_AND, 32, p, v, 0)
#define mem_and64(p, v)		DOOR(MEM_AND, 64, p, v, 0)

#define mem_or8(p, v)		DOOR(MEM_OR, 8, p, v, 0)
#define mem_or16(p, v)		DOOR(MEM_OR, 16, p, v, 0)
#define mem_or32(p, v)		DOOR(MEM_OR, 32, p, v, 0)
#define mem_or64(p, v)		DOOR(MEM_OR, 64, p, v, 0)

#define mem_bts8(p, bit)	({ (bool)DOOR(MEM_BTS, 8, p, bit, 0); })
#define mem_bts16(p, bit)	({ (bool)DOOR(MEM_BTS, 16, p, bit, 0); })
#define mem_bts32(p, bit)	({ (bool)DOOR(MEM_BTS, 32, p, bit, 0); })
#define mem_bts64(p, bit)	({ (bool)DOOR(MEM_BTS, 64, p, bit, 0); })

#define mem_btr8(p, bit)	({ (bool)DOOR(MEM_BTR, 8, p, bit, 0); })
#define mem_btr16(p, bit)	({ (bool)DOOR(MEM_BTR, 16, p, bit, 0); })
#define mem_btr32(p, bit)	({ (bool)DOOR(MEM_BTR, 32, p, bit, 0); })
#define mem_btr64(p, bit)	({ (bool)DOOR(MEM_BTR, 64, p, bit, 0); })

#define mem_set_bit64(p, bit)	((void)DOOR(MEM_BTS, 64, p, bit, 1))
#define mem_clear_bit64(p, bit)	((void)DOOR(MEM_BTR, 64, p, bit, 1))

#define mem_await8(p, mask, want)	DOOR(MEM_AWAIT, 8, p, mask, want)
#define mem_await16(p, mask, want)	DOOR(MEM_AWAIT, 16, p, mask, want)
#define mem_await32(p, mask, want)	DOOR(MEM_AWAIT, 32, p, mask, want)
#define mem_await64(p, mask, want)	DOOR(MEM_AWAIT, 64, p, mask, want)

/*
 * world_atomic - no step, as world_set(), but atomic where threads are real. For what the
 * machine or the kernel counts by means that no race is about (users of a file, calls until an
 * injected error): no schedule may come between. Returns what mem_effect() does.
 */
u64 world_atomic(enum mem_op op, unsigned int size, void *p, u64 a, u64 b);
#define world_read(p)		world_atomic(MEM_READ, sizeof(*(p)), p, 0, 0)
#define world_xchg(p, v)	world_atomic(MEM_XCHG, sizeof(*(p)), p, (u64)(v), 0)
#define world_xadd(p, v)	world_atomic(MEM_XADD, sizeof(*(p)), p, (u64)(v), 0)
#define world_cmpxchg(p, old, new_)	\
	world_atomic(MEM_CMPXCHG, sizeof(*(p)), p, (u64)(old), (u64)(new_))

#define mem_fence()	((void)door(MEM_FENCE, 8, NULL, 0, 0, SITE_HERE))

/* What the running actor would read; the set-up context, and whoever has no buffer: memory. */
u64 mem_peek_own(const void *p, unsigned int size);

#define MEM_PEEK(bits, p)						\
	(unlikely(sim_self->mode & MODE_TSO) ? (u##bits)mem_peek_own(p, bits / 8) : \
	 __atomic_load_n((const u##bits *)(p), __ATOMIC_RELAXED))

#define mem_peek8(p)	MEM_PEEK(8, p)
#define mem_peek16(p)	MEM_PEEK(16, p)
#define mem_peek32(p)	MEM_PEEK(32, p)
#define mem_peek64(p)	MEM_PEEK(64, p)
