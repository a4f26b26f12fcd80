// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entry values, walks, and the names under which S-EPT pages appear.
 * Source: TDX_1.5.01, memory_handlers/sept_manager.[ch], helpers.c; docs/model.md for what
 * is left out (misconfigured entries, L2 aliases, migration).
 */
#include "tdxmod/sept.h"

#include <stdio.h>

#include "sim/engine/arena.h"
#include "sim/engine/clock.h"
#include "sim/engine/mem.h"
#include "sim/engine/region.h"
#include "sim/engine/undo.h"
#include "tdxmod/module.h"
#include "tdxmod/td.h"

/* The 7-bit encoding: D, then TDEX..TDP (bits 56:53), then IPAT and PS */
static u32 encoding(u64 raw)
{
	return (raw >> 9 & 1) | (raw >> 53 & 0xf) << 1 | (raw >> 6 & 3) << 5;
}

/* Encoding to state; 0 is NL_MAPPED itself, so the table holds state + 1 */
static const u8 by_encoding[128] = {
	[0x0e] = SEPT_FREE + 1,
	[0x0c] = SEPT_REMOVED + 1,
	[0x00] = SEPT_NL_MAPPED + 1,
	[0x08] = SEPT_NL_BLOCKED + 1,
	[0x60] = SEPT_MAPPED + 1,
	[0x68] = SEPT_BLOCKED + 1,
	[0x64] = SEPT_BLOCKEDW + 1,
	[0x66] = SEPT_EXPORTED_BLOCKEDW + 1,
	[0x63] = SEPT_EXPORTED_DIRTY + 1,
	[0x67] = SEPT_EXPORTED_DIRTY_BLOCKEDW + 1,
	[0x70] = SEPT_PENDING + 1,
	[0x78] = SEPT_PENDING_BLOCKED + 1,
	[0x74] = SEPT_PENDING_BLOCKEDW + 1,
	[0x76] = SEPT_PENDING_EXPORTED_BLOCKEDW + 1,
	[0x73] = SEPT_PENDING_EXPORTED_DIRTY + 1,
	[0x77] = SEPT_PENDING_EXPORTED_DIRTY_BLOCKEDW + 1,
};

enum sept_state sept_state_of(u64 raw)
{
	u8 s = by_encoding[encoding(raw)];

	return s ? s - 1 : SEPT_NO_STATE;
}

u64 sept_state_bits(enum sept_state s)
{
	u64 e = sept_states[s].encoding;

	return (e & 1) << 9 | (e >> 1 & 0xf) << 53 | (e >> 5 & 3) << 6;
}

bool sept_is(u64 raw, u32 flag)
{
	enum sept_state s = sept_state_of(raw);

	return s != SEPT_NO_STATE && (sept_states[s].flags & flag);
}

bool sept_allows(u64 raw, enum sept_op op)
{
	enum sept_state s = sept_state_of(raw);

	return s != SEPT_NO_STATE && (sept_states[s].allowed >> op & 1);
}

u8 sept_public_state(u64 raw)
{
	enum sept_state s = sept_state_of(raw);

	return s == SEPT_NO_STATE ? 0 : sept_states[s].public_state;
}

static u64 with_state(u64 raw, enum sept_state s)
{
	return (raw & ~SEPT_STATE_MASK) | sept_state_bits(s) | SEPT_SVE;
}

u64 sept_make_leaf(u64 rwx, u64 hpa, enum sept_state s)
{
	return rwx | SEPT_MT_WB | hpa | with_state(0, s);
}

u64 sept_make_table(u64 hpa)
{
	return SEPT_RWX | SEPT_TDEL | hpa | with_state(0, SEPT_NL_MAPPED);
}

u64 sept_clean_pending(u64 copy, u8 level)
{
	if (level == LVL_PD && sept_is(copy, SEPT_ACCEPTABLE))
		copy &= ~SEPT_ACCEPT_COUNTER;
	return copy;
}

/* tdh_mem_range_block.c:block_sept_entry; TDEL and TDHP stay as in @copy */
u64 sept_make_blocked(u64 copy, u8 level)
{
	copy = sept_clean_pending(copy, level);
	switch (sept_state_of(copy)) {
	case SEPT_NL_MAPPED:
		return with_state(copy, SEPT_NL_BLOCKED) & ~SEPT_RWX;
	case SEPT_MAPPED:
	case SEPT_BLOCKEDW:
		return with_state(copy, SEPT_BLOCKED) & ~SEPT_RWX;
	case SEPT_PENDING:
	case SEPT_PENDING_BLOCKEDW:
		return with_state(copy, SEPT_PENDING_BLOCKED);
	default:
		module_fatal("sept", "an entry to block is in a state that cannot be blocked");
		return copy;
	}
}

/* sept_manager.h:sept_unblock, then sept_lock_release_local */
u64 sept_make_unblocked(u64 copy)
{
	switch (sept_state_of(copy)) {
	case SEPT_NL_BLOCKED:
		copy = (with_state(copy, SEPT_NL_MAPPED) | SEPT_RWX) & ~SEPT_MT;
		break;
	case SEPT_BLOCKED:
		copy = (with_state(copy, SEPT_MAPPED) & ~SEPT_MT) | SEPT_RWX | SEPT_MT_WB;
		break;
	case SEPT_PENDING_BLOCKED:
		copy = with_state(copy, SEPT_PENDING);
		break;
	default:
		break;
	}
	return copy & ~SEPT_TDEL;
}

u64 sept_leaf_hpa(u64 raw, u64 gpa, u8 level)
{
	u64 offset = level_size(level) - 1;

	return ((raw & SEPT_HPA & ~offset) | (gpa & offset)) & ~0xfffull;
}

void sept_arch(u64 raw, u8 level, u64 *rcx, u64 *rdx)
{
	if (sept_is_state(raw, SEPT_FREE))
		*rcx = SEPT_SVE;
	else if (sept_is_leaf(raw))
		*rcx = raw & (SEPT_RWX | SEPT_MT | SEPT_IPAT | SEPT_PS | SEPT_HPA | SEPT_SVE);
	else
		*rcx = raw & (SEPT_RWX | SEPT_PS);
	*rdx = level | (u64)sept_public_state(raw) << 8;
}

void sept_walk(const struct tdcs *tdcs, u64 gpa, u8 to, struct sept_walk *w)
{
	u64 *table = phys_to_ptr(tdcs->eptp);
	u8 level = tdcs->pwl;

	for (;;) {
		sim_charge(COST_KEYHOLE_HIT, 1);
		w->entry = &table[sept_index(gpa, level)];
		w->copy = mem_read64(w->entry);
		w->level = level;
		if (level == to || !(w->copy & SEPT_RWX) || sept_is_leaf(w->copy))
			return;
		if (!level || !module_phys(module_self(), w->copy & SEPT_HPA)) {
			module_fatal("sept", "an S-EPT entry points outside of memory");
			return;
		}
		table = phys_to_ptr(w->copy & SEPT_HPA);
		level--;
	}
}

/* versions.md S5: TDHP as it is now; while the entry is locked it can only rise */
static void write_keeping_tdhp(u64 *entry, u64 value)
{
	u64 old = mem_read64(entry);

	for (;;) {
		u64 want = (value & ~SEPT_TDHP) | (old & SEPT_TDHP);
		u64 seen = mem_cmpxchg64(entry, old, want);

		if (seen == old)
			return;
		if ((seen ^ old) & ~SEPT_TDHP) {
			module_fatal("sept", "a locked S-EPT entry has changed");
			return;
		}
		old = seen;
	}
}

void sept_write(const struct module *mod, u64 *entry, u64 value)
{
	if (module_switch(mod, S_ENTRY_CAS))
		write_keeping_tdhp(entry, value);
	else
		mem_write64(entry, value);
}

bool sept_peek_walk(const struct tdcs *tdcs, u64 gpa, u8 to, struct sept_walk *w)
{
	const struct module *mod = module_self();
	u64 hpa = tdcs ? tdcs->eptp : 0;
	u8 level = tdcs ? tdcs->pwl : 0;

	if (!hpa)
		return false;
	for (;;) {
		enum sept_state s;

		if (!module_phys(mod, hpa))
			return false;
		w->entry = (u64 *)phys_to_ptr(hpa) + sept_index(gpa, level);
		w->copy = mem_peek64(w->entry);
		w->level = level;
		s = sept_state_of(w->copy);
		if (level == to || !level || (s != SEPT_NL_MAPPED && s != SEPT_NL_BLOCKED))
			return true;
		hpa = w->copy & SEPT_HPA;
		level--;
	}
}

static const char *class_of(u64 raw)
{
	enum sept_state s = sept_state_of(raw);

	return s == SEPT_NO_STATE ? "INVALID" : sept_states[s].name;
}

static void describe(u64 raw, char *buf, size_t n)
{
	const char *locked = raw & SEPT_TDEL ? " TDEL" : "", *hp = raw & SEPT_TDHP ? " TDHP" : "";

	if (sept_is_leaf(raw) || sept_is(raw, SEPT_NEEDS_TRACKING))
		snprintf(buf, n, "%s hpa 0x%llx%s%s", class_of(raw),
			 (unsigned long long)(raw & SEPT_HPA), locked, hp);
	else
		snprintf(buf, n, "%s%s%s", class_of(raw), locked, hp);
}

static const struct region_field fields[] = {
	{ "R", 0, 1 },
	{ "W", 1, 1 },
	{ "X", 2, 1 },
	{ "MT", 3, 3 },
	{ "IPAT", 6, 1 },
	{ "PS", 7, 1 },
	{ "D", 9, 1 },
	{ "TDEL", 11, 1 },
	{ "pfn", 12, 40 },
	{ "TDHP", 52, 1 },
	{ "TDEX", 53, 1 },
	{ "TDBW", 54, 1 },
	{ "TDB", 55, 1 },
	{ "TDP", 56, 1 },
	{ "SVE", 63, 1 },
	{ NULL },
};

static const struct region_type sept_region = {
	.name = "sept",
	.class = class_of,
	.describe = describe,
	.fields = fields,
	.indexed = true,
};

static const u64 free_page[512] = { [0 ... 511] = SEPT_FREE_INIT };

/*
 * The module fills the page with 64 MOVDIR64B before anything points to it: one step for
 * the first, so that the page's line changes hands, the rest with it.
 */
void sept_page_fill(u64 hpa)
{
	u64 *page = phys_to_ptr(hpa);

	sim_charge(COST_PAGE_CLEAR_4K, 1);
	mem_write64(page, SEPT_FREE_INIT);
	world_store(page + 1, free_page, sizeof(free_page) - sizeof(u64));
}

void sept_page_init(u64 hpa, const char *owner, u64 gpa, u8 level)
{
	sept_page_fill(hpa);
	sept_page_regions(hpa, owner, gpa, level);
}

void sept_page_regions(u64 hpa, const char *owner, u64 gpa, u8 level)
{
	region_add(&(struct region){
		.type = &sept_region,
		.base = phys_to_ptr(hpa),
		.count = 512,
		.stride = 8,
		.size = 8,
		.level = level + 1,
		.index = (gpa & ~(level_size(level + 1) - 1)) >> 12,
		.step = level_size(level) >> 12,
		.owner = owner,
	});
}

void sept_page_gone(u64 hpa)
{
	struct region *r = region_at(phys_to_ptr(hpa));

	if (r && r->type == &sept_region)
		region_remove(r);
}
