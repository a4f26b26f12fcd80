// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pause points. An access is known by its object, what it does to it, and the primitive or
 * helper that does it; where one flow makes the same access twice, by which of them it is.
 * Source lines: TDX_1.5.01, as the recording names them.
 */
#include "scenarios/conform_pause.h"

#include <string.h>

#include "sim/engine/lp.h"

/* Intel's primitives and the model's functions; the tree's lock in newer modules (S1) */
static const char *const prims[][3] = {
	{ "acquire_mutex_lock", "mutex8_acquire" },
	{ "release_mutex_lock", "mutex8_release" },
	{ "acquire_sharex_lock_sh", "sharex_acquire_sh", "sharex_hp_acquire_sh" },
	{ "acquire_sharex_lock_ex", "sharex_acquire_ex", "sharex_hp_acquire_ex" },
	{ "release_sharex_lock_sh", "sharex_release_sh", "sharex_hp_release_sh" },
	{ "release_sharex_lock_ex", "sharex_release_ex", "sharex_hp_release_ex" },
	{ "acquire_sharex_lock_hp_sh", "sharex_hp_acquire_sh" },
	{ "acquire_sharex_lock_hp_ex", "sharex_hp_acquire_ex" },
	{ "promote_sharex_lock_hp", "sharex_hp_promote" },
	{ "release_sharex_lock_hp_sh", "sharex_hp_release_sh" },
	{ "release_sharex_lock_hp_ex", "sharex_hp_release_ex" },
	{ "sept_lock_acquire_host", "sept_lock_host" },
	{ "sept_lock_acquire_guest", "sept_lock_guest" },
	{ "sept_lock_release", "sept_unlock" },
};

static const struct {
	const char *insn;
	enum mem_op op;
} insns[] = {
	{ "_lock_bts_", MEM_BTS },
	{ "_lock_btr_", MEM_BTR },
	{ "_lock_xadd_", MEM_XADD },
	{ "_lock_cmpxchg_", MEM_CMPXCHG },
	{ "_lock_read_128b", MEM_CMPXCHG },
	{ "_lock_and_", MEM_AND },
	{ "_lock_or_", MEM_OR },
	{ "_xchg_", MEM_XCHG },
};

/*
 * Lines of which the object and the act say too little. @line: the last of the chain.
 * @store: PT read there is part of an -O0 store of a bit field (PT or OWNER) of that word.
 */
static const struct place {
	const char *line, *obj, *func, *other;
	bool store;
	u32 nth;
	const char *act;	/* NULL: any */
} places[] = {
	/* the S-EPT walk; gpa_translate() of the zero-step filter */
	{ "sept_manager.c:371", "SEPT_ENTRY", "sept_walk" },
	{ "sept_manager.c:286", "SEPT_ENTRY", "epf_expected" },
	{ "sept_manager.c:453", "SEPT_ENTRY", "tdh_mem_page_add" },
	{ "sept_manager.h:188", "SEPT_ENTRY", "check_empty" },
	{ "tdh_mem_page_promote.c:70", "SEPT_ENTRY", "lock_children" },
	{ "tdh_mem_page_promote.c:440", "SEPT_ENTRY_L", "promote", NULL, false, 1, "read" },
	{ "tdh_mem_page_promote.c:468", "SEPT_ENTRY_L", "promote", NULL, false, 2, "read" },
	{ "helpers.c:565", "TDCS.OP_STATE", "flow_lock_op_state", "flow_check_op_state" },
	{ "sept_manager.h:623", "TDCS.OP_STATE", "remove_page" },
	{ "tdh_mem_page_remove.c:172", "TDCS.OP_STATE", "flow_tracking_required" },
	{ "tdh_mem_page_promote.c:318", "TDCS.OP_STATE", "flow_tracking_required" },
	{ "tdh_mem_page_demote.c:216", "TDCS.OP_STATE", "flow_tracking_required" },
	{ "tdh_mem_sept_remove.c:190", "TDCS.OP_STATE", "flow_tracking_required" },
	{ "tdh_mem_range_unblock.c:159", "TDCS.OP_STATE", "flow_tracking_required" },
	/* TLB epochs: enter, leave, TRACK's two reads */
	{ "helpers.c:2517", "TDCS.REFCOUNT", "epoch_enter" },
	{ "helpers.h:1247", "TDCS.REFCOUNT", "epoch_leave" },
	{ "td_exit.c:500", "TDCS.REFCOUNT", "epoch_leave" },
	{ "tdh_mem_track.c:95", "TDCS.TD_EPOCH", "epoch_track", NULL, false, 1, "read" },
	{ "tdh_mem_track.c:112", "TDCS.TD_EPOCH", "epoch_track", NULL, false, 2, "read" },
	{ "helpers.c:2522", "TDVPS.VCPU_EPOCH", "epoch_enter" },
	{ "td_exit_stepping.c:325", "TDVPS.LAST_EPF_GPA_LIST_IDX", "entry_filter", NULL, false, 1 },
	{ "td_exit_stepping.c:339", "TDVPS.LAST_EPF_GPA_LIST_IDX", "entry_filter", NULL, false, 2 },
	{ "td_exit_stepping.c:345", "TDCS.SEPT_TREE_LOCK", NULL, NULL, false, 1 },
	/* PAMT: walks and checks read PT; get_ and set_pamt_entry_owner() pass by it */
	{ "pamt_manager.c:217", ".PT", "pamt_walk_lock" },
	{ "pamt_manager.c:239", ".PT", "pamt_walk_lock" },
	{ "helpers.c:180", ".PT", "pamt_check_and_lock" },
	{ "pamt_manager.c:511", ".PT", "pamt_implicit" },
	{ "pamt_manager.c:557", ".PT", "range_is_free" },
	{ "pamt_manager.h:108", ".PT", "pamt_owner" },
	{ "pamt_manager.h:114", ".PT", "pamt_set_owner", NULL, true },
	/* pamt_promote() and pamt_demote() */
	{ "pamt_manager.c:354", ".PT", "merge_metadata", NULL, false, 1 },
	{ "pamt_manager.c:383", "PAMT_4K", "merge_metadata", NULL, false, 1 },
	{ "pamt_manager.c:383", "PAMT_2M", "merge_metadata", NULL, true },
	{ "pamt_manager.c:384", "PAMT_4K", "pamt_owner", NULL, false, 1 },
	{ "pamt_manager.c:384", "PAMT_2M", "pamt_set_owner", NULL, true },
	{ "pamt_manager.c:387", "PAMT_2M", "free_parts", NULL, false, 1 },
	{ "pamt_manager.c:387", "PAMT_4K", "free_parts", NULL, false, 1 },
	{ "pamt_manager.c:391", ".PT", "free_parts", NULL, true },
	{ "pamt_manager.c:435", ".PT", "split_metadata", NULL, false, 1 },
	{ "pamt_manager.c:461", "PAMT_2M", "fill_parts", NULL, false, 1 },
	{ "pamt_manager.c:461", "PAMT_4K", "fill_parts", NULL, true },
	{ "pamt_manager.c:462", "PAMT_2M", "pamt_owner", NULL, false, 1 },
	{ "pamt_manager.c:462", "PAMT_4K", "pamt_set_owner", NULL, true },
	{ "pamt_manager.c:470", ".PT", "split_metadata", NULL, true },
	/* RECLAIM looks at the type four times, at -O0, and stores it at line 177 */
	{ "tdh_phymem_page_reclaim.c:98", ".PT", "reclaim" },
	{ "tdh_phymem_page_reclaim.c:99", ".PT", "reclaim" },
	{ "tdh_phymem_page_reclaim.c:108", ".PT", "reclaim" },
	{ "tdh_phymem_page_reclaim.c:123", ".PT", "reclaim" },
	/* the two stores of CACHE.WB: begin, end */
	{ "tdh_phymem_cache_wb.c:93", "WBT.INTR_POINT", NULL, NULL, false, 1 },
	{ "tdh_phymem_cache_wb.c:171", "WBT.INTR_POINT", NULL, NULL, false, 2 },
	/* DEMOTE sets the owner of its new S-EPT page itself, before the type */
	{ "tdh_mem_page_demote.c:408", ".PT", "pamt_set_owner", NULL, true },
};

/* Flows that walk the PAMT for a page after the TDR's: lines of that walk and its end */
static const struct {
	const char *walk, *unwalk;
} page_walks[] = {
	{ "tdh_mem_page_add.c:165", "tdh_mem_page_add.c:234" },
	{ "tdh_mem_page_aug.c:159", "tdh_mem_page_aug.c:191" },
	{ "tdh_mem_sept_add.c:427", "tdh_mem_sept_add.c:485" },
	{ "tdh_mem_page_demote.c:243", "tdh_mem_page_demote.c:446" },
};

static bool has_part(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

/* Is @line (file:number) the chain's first or last? */
static bool chain_begins(const char *chain, const char *line)
{
	size_t n = strlen(line);

	return !strncmp(chain, line, n) && (!chain[n] || chain[n] == ' ');
}

static const char *chain_end(const char *chain)
{
	const char *last = strrchr(chain, '>');

	return last ? last + 2 : chain;
}

static void by_place(struct pause *p, const char *obj, const char *last)
{
	for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
		const struct place *at = &places[i];

		if (strcmp(at->line, last) || !has_part(obj, at->obj) ||
		    (at->act && strcmp(at->act, p->r->t[CT_ACT])))
			continue;
		p->func[0] = at->func;
		p->func[1] = at->other;
		p->store = at->store;
		p->nth = at->nth ? at->nth : 1;
		return;
	}
	/* Not a helper's: the flow looks at an entry that it has walked to */
	if (!strncmp(obj, "SEPT_ENTRY", 10))
		p->not_walk = true;
	/* ... or stores a type */
	if (g_str_has_suffix(obj, ".PT"))
		p->store = true;
}

/* PAMT entries that both walks of a flow may go through */
static void by_depth(struct pause *p, const char *chain, bool of_tdr)
{
	bool acquires = p->r->t[CT_PRIM] ? !strncmp(p->r->t[CT_PRIM], "acquire", 7) : false;
	bool lock = p->r->t[CT_PRIM] != NULL;

	p->depth = lock && acquires ? 0 : 1;
	if (!of_tdr)
		return;		/* the page's walk is the first here */
	for (u32 i = 0; i < ARRAY_SIZE(page_walks); i++) {
		if (chain_begins(chain, page_walks[i].walk) ||
		    chain_begins(chain, page_walks[i].unwalk))
			p->depth++;
	}
}

static void by_primitive(struct pause *p)
{
	const char *prim = p->r->t[CT_PRIM], *insn = p->r->t[CT_INSN];

	p->insn = -1;
	for (u32 i = 0; prim && i < ARRAY_SIZE(prims); i++) {
		if (strcmp(prim, prims[i][0]))
			continue;
		p->func[0] = prims[i][1];
		p->func[1] = prims[i][2];
	}
	for (u32 i = 0; insn && i < ARRAY_SIZE(insns); i++) {
		if (!strncmp(insn, insns[i].insn, strlen(insns[i].insn)))
			p->insn = (s32)insns[i].op;
	}
}

/* The vCPU that A is about: its operand's, or the one that runs on its LP */
static u64 tdvpr_of(const struct conform_machine *m, const struct conform_record *a)
{
	const struct conform_lp *lp = &m->lp[conform_number(a, CF_LP, 0) % CONFORM_LPS];
	u64 vcpu = conform_number(a, CF_VCPU, lp->in_td ? lp->vcpu : 0) % CONFORM_LPS;

	for (u32 v = 0; v < CONFORM_LPS; v++) {
		if (conform_has(a, CF_RCX_IN) &&
		    (a->n[CF_RCX_IN] & GENMASK_ULL(51, 12)) == m->tdvpr[v])
			return m->tdvpr[v];
	}
	return m->tdvpr[vcpu];
}

const char *pause_find(struct pause *p, struct conform_machine *m,
		       const struct conform_record *pause, const struct conform_record *a, u64 gpa)
{
	const char *obj = pause->t[CT_OBJ], *chain = pause->t[CT_CODE];
	const struct conform_lp *lp = &m->lp[conform_number(a, CF_LP, 0) % CONFORM_LPS];
	struct peek_at at = {
		.tdr = CONFORM_TDR,
		.tdvpr = tdvpr_of(m, a),
		.gpa = conform_has(a, CF_GPA) ? a->n[CF_GPA] : gpa,
		.page = conform_number(a, CF_HPA, 0),
		.package = lp_package(lp->lp),
	};

	*p = (struct pause){ .r = pause, .nth = 1, .depth = ~0u };
	if (!peek_words(&at, obj, &p->words))
		return "the model has no such object";
	by_primitive(p);
	if (pause->t[CT_PRIM] && !p->func[0])
		return "the model has no such primitive";
	if (!pause->t[CT_PRIM])
		by_place(p, obj, chain_end(chain));
	/* Of which key: KOT.STATE is read in the order of the keys, from the fourth access on */
	if (!strcmp(chain, "tdh_phymem_cache_wb.c:103") && conform_has(pause, CF_K) && pause->n[CF_K] > 3)
		p->nth = (u32)pause->n[CF_K] - 3;
	/* A TD exit ends the walk of a TDH.VP.ENTER long ago */
	if (!strncmp(a->t[CT_OP], "TDH.", 4) &&
	    (!strncmp(obj, "PAMT_1G", 7) || !strncmp(obj, "PAMT_2M", 7))) {
		if (pause->t[CT_PRIM] ? has_part(pause->t[CT_PRIM], "_hp_sh") :
		    p->func[0] && !strcmp(p->func[0], "pamt_walk_lock"))
			by_depth(p, chain, obj[5] == '1' || !strncmp(obj, "PAMT_2M[0x0]", 12));
	}
	return NULL;
}

static bool hits(const struct peek_words *w, const void *at, u32 size)
{
	u64 offset = (u64)at - (u64)w->base;

	if (size < w->size || (const char *)at < w->base)
		return false;
	if (!w->stride)
		return !offset;
	return !(offset % w->stride) && offset / w->stride < w->count;
}

/* Its word, or for OWNER's part of the work the word beside it */
static bool object_fits(const struct pause *p, const struct pending *next)
{
	struct peek_words w = p->words;
	const char *f = p->func[0];

	if (f && (!strcmp(f, "pamt_owner") || !strcmp(f, "pamt_set_owner"))) {
		w.base += 2;		/* struct pamt_entry: lock, PT, OWNER */
		w.size = 4;
	}
	return hits(&w, next->p, next->size);
}

static bool act_fits(const struct pause *p, u8 op)
{
	const char *act = p->r->t[CT_ACT];

	if (p->insn >= 0)
		return (s32)op == p->insn;
	if (!strcmp(act, "read") && !p->store)
		return op == MEM_READ;
	if (!strcmp(act, "rmw"))
		return op != MEM_READ && op != MEM_WRITE;
	return op == MEM_WRITE;
}

static bool place_fits(const struct pause *p, const char *func)
{
	if (p->func[0])
		return !strcmp(func, p->func[0]) || (p->func[1] && !strcmp(func, p->func[1]));
	if (p->not_walk)
		return strcmp(func, "sept_walk") && strcmp(func, "sept_lock_host") &&
		       strcmp(func, "sept_lock_guest") && strcmp(func, "sept_unlock");
	return true;
}

/* Walks through this entry that A has begun and not ended yet */
static void count_walks(struct pause *p, const struct pending *next)
{
	const char *func = next->site->func;

	if (p->depth == ~0u || next->op != MEM_XADD)
		return;
	/* A PT is beside its entry's lock */
	if ((u64)next->p != ((u64)p->words.base & ~15ull))
		return;
	if (!strcmp(func, "sharex_hp_acquire_sh"))
		p->open++;
	else if (!strcmp(func, "sharex_hp_release_sh"))
		p->open--;
}

bool pause_here(struct pause *p, const struct pending *next)
{
	bool here = object_fits(p, next) && act_fits(p, next->op) &&
		    place_fits(p, next->site->func) &&
		    (p->depth == ~0u || p->depth == p->open);

	count_walks(p, next);
	return here && ++p->seen == p->nth;
}
