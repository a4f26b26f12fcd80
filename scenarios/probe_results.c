// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a leaf can return, collected by running it: from the situation in which it succeeds, one
 * thing is made otherwise at a time (each register, each lock on its way, the TD's and the vCPU's
 * state, each entry on the walk, tracking, a pending interrupt), and what it answers is kept.
 * So the list has what one change leads to; results that want two at once may be missing.
 */
#include "scenarios/probe_priv.h"

#include <string.h>

#include "sim/engine/check.h"
#include "sim/engine/mem.h"
#include "sim/engine/undo.h"
#include "tdxmod/build.h"
#include "tdxmod/flow.h"

struct trial {
	struct probe_leaf *leaf;
	struct machine *m;
	const struct recipe *recipe;
	struct rewind *ready;
	const struct place *at;
	struct tdx_regs regs;	/* with which it succeeds */
	GArray *path;		/* struct taken */
};

static void keep(struct trial *t, u64 status)
{
	char *word;

	t->leaf->runs++;
	if (check_count(t->m->sim) || status == PROBE_NOTHING)
		return;		/* the module is dead, or would be: no answer */
	word = probe_word(status);
	t->leaf->digest = t->leaf->digest * 31 + g_str_hash(word) + t->leaf->runs;
	if (g_ptr_array_find_with_equal_func(t->leaf->results, word, g_str_equal, NULL))
		g_free(word);
	else
		g_ptr_array_add(t->leaf->results, word);
}

/* Run it as things are now, and take everything back */
static void run_with(struct trial *t, struct tdx_regs r)
{
	keep(t, probe_call(t->m, t->recipe, t->at, &r));
	rewind_to(t->ready);
	sim_self->lp = t->at->lp;
}

static void run(struct trial *t)
{
	run_with(t, t->regs);
}

/* --- registers --- */

static void other_values(struct trial *t, u64 *reg)
{
	const struct machine *m = t->m;
	u64 was = *reg, root = td_tdcs(tdr_at(m->tdr))->eptp;
	u64 values[] = {
		0, NULL_PA, was + 1, was + 2, was + 3, was + 4, was + 5, was | 8, was | BIT_ULL(41),
		was | BIT_ULL(47), was | BIT_ULL(51), was | BIT_ULL(52), was | BIT_ULL(53),
		was | BIT_ULL(63), 1ull << 38, was + PAGE_SIZE, was + 512 * PAGE_SIZE, was ^ (1ull << 30),
		was + (1ull << 39), m->tdr, m->tdvpr[0], m->tdvpr[2], root, t->at->page, t->at->fresh,
		t->at->page2m, SEAMRR_BASE,
	};

	for (guint i = 0; i < G_N_ELEMENTS(values); i++) {
		*reg = values[i];
		run(t);
	}
	*reg = was;
}

static void registers(struct trial *t)
{
	struct tdx_regs *r = &t->regs;

	for (u64 v = 1; v < 4 && !t->recipe->guest; v++) {
		r->rax += v << 16;
		run(t);
		r->r8 = NULL_PA;
		run(t);
		probe_regs(t->m, t->recipe, t->at, r);
	}
	other_values(t, &r->rcx);
	other_values(t, &r->rdx);
	other_values(t, &r->r8);
	other_values(t, &r->r9);
	other_values(t, &r->r12);
	other_values(t, &r->r13);
}

/* --- locks --- */

static gboolean is_sharex(const struct machine *m, const char *name)
{
	return !strcmp(name, "TD_EPOCH") || !strcmp(name, "KOT") ||
	       (!strcmp(name, "SEPT_TREE") && !module_switch(module_of(m->sim), S_TREE_HP));
}

/* Just before the call looks at a lock, somebody else has it (or a host wants it) */
struct theft {
	struct taken lock;
	u64 value;
};

static void steal(const struct theft *th)
{
	if (!strcmp(th->lock.lock.name, "sept"))
		world_set(*(u64 *)th->lock.p, *(u64 *)th->lock.p | th->value);
	else if (!strcmp(th->lock.lock.name, "WBT"))
		world_set(*(u8 *)th->lock.p, (u8)th->value);
	else
		world_set(*(u16 *)th->lock.p, (u16)th->value);
}

static void at_step(struct watch *w)
{
	const struct theft *th = w->ctx;

	if (w->steps + 1 == th->lock.step)
		steal(th);
}

static void try_theft(struct trial *t, const struct taken *lock, u64 value)
{
	struct theft th = { *lock, value };
	struct watch w = { .at_step = at_step, .ctx = &th };
	struct tdx_regs r = t->regs;

	if (lock->step <= 1)
		steal(&th);
	watch_begin(t->m, &w);
	keep(t, probe_call(t->m, t->recipe, t->at, &r));
	watch_end(t->m, &w);
	rewind_to(t->ready);
	sim_self->lp = t->at->lp;
}

static void locks(struct trial *t)
{
	for (guint i = 0; i < t->path->len; i++) {
		const struct taken *lock = &g_array_index(t->path, struct taken, i);

		if (probe_repeats(t->leaf->locks, i))
			continue;
		if (!strcmp(lock->lock.name, "sept")) {
			try_theft(t, lock, SEPT_TDEL);
			try_theft(t, lock, SEPT_TDHP);
		} else if (!strcmp(lock->lock.name, "WBT")) {
			try_theft(t, lock, 1);
		} else {
			try_theft(t, lock, SHAREX_EX);
			try_theft(t, lock, is_sharex(t->m, lock->lock.name) ? SHAREX_ONE :
				  SHAREX_HP_ONE);
			try_theft(t, lock, SHAREX_HP_HP);
		}
	}
}

/* --- state of the TD, the vCPU, keys --- */

static void td_states(struct trial *t)
{
	struct module *mod = module_of(t->m->sim);
	struct tdr *tdr = tdr_at(t->recipe->other ? t->at->build + PAGE_SIZE : t->m->tdr);
	struct tdcs *tdcs = td_tdcs(tdr);
	struct kot_entry *key = &mod->kot[tdr->hkid];

#define WITH(field, value) do { world_set(field, value); run(t); } while (0)
	for (u8 s = 0; s < 4; s++)
		WITH(tdr->lifecycle, s);
	WITH(key->state, HKID_FREE);
	WITH(key->state, HKID_FLUSHED);
	WITH(tdr->fatal, 1);
	WITH(tdr->num_tdcx, TDCX_PAGES - 1);
	WITH(tdr->chldcnt, 0ull);
	WITH(key->wbinvd_bitmap, 0ull);
	WITH(key->wbinvd_bitmap, 3ull);
	for (u32 i = 0; i < 2; i++)
		WITH(mod->wbt[i].intr_point, 1ull);
	if (!tdr->tdcx_pa[0])
		return;		/* no TDCS yet */
	for (u32 s = 0; s < 11; s++)
		WITH(tdcs->op_state, s);
	WITH(tdcs->num_assoc_vcpus, 1u);
	WITH(tdcs->num_vcpus, 0u);
	WITH(tdcs->epoch.refcount[0], (u16)1);
	WITH(tdcs->epoch.refcount[1], (u16)1);
	WITH(tdcs->epoch.td_epoch, 1ull);
	WITH(tdcs->epoch.td_epoch, 2ull);
	WITH(tdcs->pending_ve_disable, 1);
	WITH(tdcs->iotlb.prev, 1ull);
}

static void vcpu_states(struct trial *t)
{
	struct tdvps *vp = tdvps_at(t->m->tdvpr[t->at->vcpu]);

	for (u8 s = 0; s <= VCPU_DISABLED; s++)
		WITH(vp->state, s);
	for (u32 lp = 0; lp < PROBE_LPS; lp++)
		WITH(vp->assoc_lpid, lp);
	WITH(vp->assoc_lpid, VCPU_NO_LP);
	WITH(vp->num_pages, TDVPS_PAGES - 1);
	WITH(vp->last_td_exit, LAST_ASYNC_TRAP);
	WITH(vp->last_td_exit, LAST_TDVMCALL);
	for (u32 n = 1; n < 6; n++) {
		lp_interrupt_at_query(t->at->lp, n);
		run(t);
	}
	lp_interrupt_at_query(t->at->lp, 0);
}

/* --- entries on the walk --- */

/* Leaves are no larger than 1G: nothing else would lie in memory */
static void entry_states(struct trial *t, u64 *entry, u8 level)
{
	u64 was = *entry;

	for (u8 s = 0; s < SEPT_STATES; s++) {
		u64 rwx;

		if ((sept_states[s].flags & SEPT_LEAF) && level > LVL_PDPT)
			continue;
		rwx = sept_states[s].flags & SEPT_ACCESSIBLE || s == SEPT_NL_MAPPED ? SEPT_RWX : 0;

		WITH(*entry, (was & (SEPT_HPA | SEPT_MT)) | rwx | sept_state_bits(s) | SEPT_SVE);
	}
	WITH(*entry, SEPT_FREE_INIT);
}

static void entries(struct trial *t)
{
	const struct place *at = t->at;
	u64 *entry;

	for (u8 level = LVL_PT; level <= LVL_PML4; level++) {
		entry = probe_entry(t->m, at, level);
		if (entry)
			entry_states(t, entry, level);
	}
	entry = probe_entry(t->m, at, at->level);
	if (entry && !sept_is_leaf(*entry) && !sept_is_state(*entry, SEPT_FREE))
		entry_states(t, phys_to_ptr(*entry & SEPT_HPA), at->level - 1);
}

/* The types of the pages that it names */
static void page_types(struct trial *t)
{
	static const u8 types[] = { PT_NDA, PT_RSVD, PT_REG, PT_TDR, PT_TDCX, PT_TDVPR, PT_EPT };
	struct module *mod = module_of(t->m->sim);
	u64 pages[] = { t->at->page, t->at->page2m, t->at->fresh, t->m->tdr, t->at->pair };

	for (guint i = 0; i < G_N_ELEMENTS(pages); i++) {
		for (guint k = 0; k < G_N_ELEMENTS(types); k++) {
			WITH(pamt_entry_of(mod, pages[i], SIZE_4K)->pt, types[k]);
			if (pages[i] != t->m->tdr)
				WITH(pamt_entry_of(mod, pages[i], SIZE_2M)->pt, types[k]);
		}
		WITH(pamt_entry_of(mod, pages[i], SIZE_1G)->pt, PT_REG);
	}
}

/* SUCCESS first, then by name */
static gint by_word(gconstpointer a, gconstpointer b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;

	if (!strcmp(x, "SUCCESS") || !strcmp(y, "SUCCESS"))
		return !strcmp(y, "SUCCESS") - !strcmp(x, "SUCCESS");
	return strcmp(x, y);
}

static void try_all(struct trial *t)
{
	struct tdx_regs r = t->regs;
	struct watch w = { 0 };

	watch_begin(t->m, &w);
	keep(t, probe_call(t->m, t->recipe, t->at, &r));
	t->path = g_array_ref(w.locks);
	watch_end(t->m, &w);
	rewind_to(t->ready);
	sim_self->lp = t->at->lp;
	registers(t);
	locks(t);
	td_states(t);
	vcpu_states(t);
	entries(t);
	page_types(t);
	g_array_unref(t->path);
}

void probe_results(struct probe *p, guint i)
{
	struct trial t = { .leaf = p->leaves->pdata[i], .recipe = probe_recipe_of(p, i) };

	if (!t.leaf->probed || t.leaf->runs || !(t.m = probe_machine_new(p)))
		return;
	probe_td_normal(t.m);
	t.recipe->prepare(t.m, &t.m->place[0]);
	t.at = &t.m->place[0];
	sim_self->lp = t.at->lp;
	probe_regs(t.m, t.recipe, t.at, &t.regs);
	t.ready = rewind_new(t.m->sim);
	try_all(&t);
	rewind_free(t.ready);
	probe_machine_free(t.m);
	g_ptr_array_sort(t.leaf->results, by_word);
}
