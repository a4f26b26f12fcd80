// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest access through EPT. Rests on the SDM as ept.h says, and on docs/model.md: what is
 * in the TLB is used, right or wrong (T3); a translation is used at the step that reads its
 * leaf, or that sets a bit in it (T4).
 */
#include "sim/engine/ept.h"

#include <stdio.h>

#include "sim/engine/arena.h"
#include "sim/engine/check.h"
#include "sim/engine/lp.h"
#include "sim/engine/mem.h"
#include "sim/engine/tlb.h"
#include "sim/engine/undo.h"

static u64 *entry_of(u64 table, u64 gpa, u8 level)
{
	return (u64 *)phys_to_ptr(table) + (gpa >> (12 + 9 * level) & 511);
}

static bool is_leaf(u64 entry, u8 level)
{
	return !level || (level <= 2 && (entry & EPT_LARGE));
}

/* Writable without readable, a reserved memory type or bit: SDM 29.3.3.1 */
bool ept_misconfigured(u64 entry, u8 level)
{
	u64 type = entry >> 3 & 7;

	if ((entry & (EPT_READ | EPT_WRITE)) == EPT_WRITE)
		return true;
	if (!(entry & EPT_RWX))
		return false;
	if (!is_leaf(entry, level))
		return entry & GENMASK_ULL(7, 3);
	if (entry & EPT_ADDRESS & (ept_level_size(level) - 1))
		return true;
	return type == 2 || type == 3 || type == 7;
}

/*
 * Bits are set by a LOCKed operation that does nothing if the entry has changed since it
 * was read: then the processor walks again.
 */
static bool set_bits(u64 *p, u64 *entry, u64 bits)
{
	u64 old;

	if ((*entry & bits) == bits)
		return true;
	old = mem_cmpxchg64(p, *entry, *entry | bits);
	if (old != *entry)
		return false;
	*entry |= bits;
	return true;
}

static bool in_memory(u64 hpa)
{
	if (hpa < world_phys_size())
		return true;
	check_fail("use-after-free", "", "an EPT entry points to 0x%llx, outside of memory",
		   (unsigned long long)hpa);
	return false;
}

/* A log that is full is an exit before any bit is set. */
static bool log_full(const struct ept *e, u64 entry, u64 bits)
{
	return e->pml && (entry & bits) != bits && e->pml->index >= PML_ENTRIES;
}

static void log_write(const struct ept *e, u64 gpa)
{
	struct ept_pml *pml = e->pml;
	u64 *at = (u64 *)phys_to_ptr(pml->log) + pml->index;

	world_set(*at, gpa & ~0xfffull);	/* raw: the log is read by the vCPU's own thread */
	world_set(pml->index, (u16)(pml->index - 1));
}

enum ept_result ept_walk(struct tlb *t, const struct ept *e, u64 gpa, u64 how, u64 table,
			 u8 level, struct ept_walk *w)
{
	u64 entry;

	w->rwx = EPT_RWX;
	for (;;) {
		u64 *p = entry_of(table, gpa, level), bits = e->ad ? EPT_ACCESSED : 0;
		bool clean;

		entry = mem_read64(p);
		w->entry = entry;
		w->level = level;
		w->rwx &= entry;
		if (ept_misconfigured(entry, level))
			return EPT_MISCONFIG;
		if (!(w->rwx & how))
			return EPT_VIOLATION;
		if (e->ad && how == EPT_WRITE && is_leaf(entry, level))
			bits |= EPT_DIRTY;
		if (log_full(e, entry, bits))
			return EPT_LOG_FULL;
		clean = bits & ~entry & EPT_DIRTY;
		if (!set_bits(p, &entry, bits)) {	/* from the root */
			table = e->root;
			level = e->level;
			w->rwx = EPT_RWX;
			continue;
		}
		if (clean && e->pml)
			log_write(e, gpa);
		if (is_leaf(entry, level))
			break;
		table = entry & EPT_ADDRESS;
		if (!in_memory(table))
			return EPT_VIOLATION;
		level--;
		psc_fill(t, e->tag, gpa, level, table);
	}
	w->entry = entry;
	w->hpa = (entry & EPT_ADDRESS & ~(ept_level_size(level) - 1)) |
		 (gpa & (ept_level_size(level) - 1));
	tlb_fill(t, e->tag, gpa >> 12, level, w->hpa, (u32)w->rwx |
		 (!e->ad || (entry & EPT_DIRTY) ? TLB_DIRTY : 0));
	return EPT_OK;
}

static void stale(const struct ept *e, u64 gpa, u64 hpa)
{
	char where[32];

	snprintf(where, sizeof(where), "0x%llx", (unsigned long long)(gpa >> 12));
	check_fail("stale-tlb", where,
		   "the guest on LP %u uses a cached translation of gfn 0x%llx to 0x%llx, "
		   "which was freed since", lp_self(), (unsigned long long)(gpa >> 12),
		   (unsigned long long)(hpa & ~0xfffull));
}

/* True: the TLB had it. It may forbid @how, or not know that the page is dirty. */
static bool cached(struct tlb *t, const struct ept *e, u64 gpa, u64 how, struct ept_walk *w,
		   enum ept_result *res)
{
	const struct tlb_entry *at = tlb_find(t, e->tag, gpa >> 12);

	if (!at)
		return false;
	w->hpa = tlb_hpa(at, gpa >> 12) | (gpa & 0xfff);
	w->rwx = at->flags & TLB_RWX;
	w->level = (u8)at->level;
	w->entry = EPT_SUPPRESS_VE;	/* what forbids is a present entry */
	*res = w->rwx & how ? EPT_OK : EPT_VIOLATION;
	if (*res == EPT_OK && how == EPT_WRITE && !(at->flags & TLB_DIRTY))
		return false;		/* walks, to set the bit */
	if (*res == EPT_OK && (at->flags & TLB_GONE)) {
		stale(e, gpa, w->hpa);
		tlb_drop(t, at);	/* tolerated: the next use is not about the same one */
	}
	return true;
}

enum ept_result ept_access(struct tlb *t, const struct ept *e, u64 gpa, u64 how,
			   struct ept_walk *w)
{
	enum ept_result res;
	u8 level = e->level;
	u64 table = e->root;

	if (!cached(t, e, gpa, how, w, &res)) {
		psc_find(t, e->tag, gpa, e->level, &level, &table);
		res = ept_walk(t, e, gpa, how, table, level, w);
	}
	if (res != EPT_OK)
		tlb_violated(t, e->tag, gpa);
	return res;
}
