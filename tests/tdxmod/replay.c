// SPDX-License-Identifier: GPL-2.0-only
/*
 * Performs recorded operations: SEAMCALLs with their operands, what a guest does, locks
 * held by others. The harness that recorded them had no guest programs: a vCPU that has
 * been entered waits for the next operation of its LP.
 */
#include "tests/tdxmod/replay.h"

#include <stdlib.h>
#include <string.h>

#include "sim/engine/lp.h"
#include "tdxmod/guest.h"
#include "tdxmod/status.h"

u64 replay_num(struct replay *p, const char *key, u64 otherwise)
{
	const char *v = g_hash_table_lookup(p->f, key);

	return v ? g_ascii_strtoull(v, NULL, 0) : otherwise;
}

const char *replay_text(struct replay *p, const char *key)
{
	const char *v = g_hash_table_lookup(p->f, key);

	return v ? v : "";
}

void replay_want(struct replay *p, const char *what, u64 got, u64 expected)
{
	char a[80], b[80];

	if (got == expected)
		return;
	fail_msg("%s is 0x%llx (%s), recorded 0x%llx (%s)\n%s", what, (unsigned long long)got,
		 status_name(got, a, sizeof(a)), (unsigned long long)expected,
		 status_name(expected, b, sizeof(b)), p->line);
}

void replay_parse(struct replay *p, const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", -1);

	p->line = line;
	g_hash_table_remove_all(p->f);
	for (char **w = words; *w; w++) {
		char *eq = strchr(*w, '=');

		if (eq)
			g_hash_table_insert(p->f, g_strndup(*w, eq - *w), g_strdup(eq + 1));
	}
}

void replay_begin(struct replay *p)
{
	struct test_setup s = {
		.op_state = replay_num(p, "op_state", 2),
		.pending_ve_disable = replay_num(p, "pvd", 1),
		.notify = replay_num(p, "notify", 0),
		.hp_lock_timeout = TSC_STEP * 5 / 2,
	};

	if (p->sim)
		sim_free(p->sim);
	p->sim = test_sim();
	test_td(p->sim, &s, &p->td);
	p->mod = module_self();
	p->tdr = tdr_at(p->td.tdr);
	p->tdcs = td_tdcs(p->tdr);
	world_set(p->tdr->num_tdcx, replay_num(p, "num_tdcx", 6));
	world_set(p->tdr->fatal, replay_num(p, "fatal", 0));
	p->cc = 24;
	p->n = 0;
}

/* The recorded digest of the tree: FNV-1a over index and value, deep first */
static u64 fnv(u64 h, u64 v)
{
	for (u32 i = 0; i < 8; i++)
		h = (h ^ (v >> (8 * i) & 0xff)) * 0x100000001b3ull;
	return h;
}

u64 replay_digest(u64 page, u8 level)
{
	const u64 *e = phys_to_ptr(page);
	u64 h = 0xcbf29ce484222325ull;

	for (u32 i = 0; i < 512; i++) {
		if (e[i] == SEPT_FREE_INIT)
			continue;
		h = fnv(h, i);
		h = fnv(h, e[i]);
		if (level && !(e[i] & SEPT_PS) && !sept_is_state(e[i], SEPT_FREE))
			h = fnv(h, replay_digest(e[i] & GENMASK_ULL(47, 12), level - 1));
	}
	return h;
}

/* The slot at the deepest level that a walk to @level reaches now */
u64 *replay_slot(struct replay *p, u64 gpa, u8 level)
{
	u64 *table = phys_to_ptr(p->tdcs->eptp);
	u8 at = p->tdcs->pwl;

	for (;;) {
		u64 *e = &table[sept_index(gpa, at)];

		p->entry_level = at;
		if (at == level || !at || !(*e & SEPT_RWX) || sept_is_leaf(*e))
			return e;
		table = phys_to_ptr(*e & SEPT_HPA);
		at--;
	}
}

static void find_slot(struct replay *p)
{
	u64 rcx = replay_num(p, "rcx_in", replay_num(p, "gpa", 0) | replay_num(p, "level", 0));
	u8 level = rcx & 7;
	u64 gpa = rcx & GENMASK_ULL(51, 12);

	p->slot = NULL;
	if (!g_hash_table_contains(p->f, "entry_before"))
		return;
	p->slot = replay_slot(p, gpa, level > 3 ? 3 : level);
	p->entry_before = *p->slot;
}

static void take_hold(struct replay *p)
{
	const char *h = replay_text(p, "hold");
	u64 hpa = replay_num(p, "hold_pa", 0);
	u8 size = g_str_has_prefix(h, "pamt1g") ? 3 : g_str_has_prefix(h, "pamt2m") ? 2 : 1;

	p->hold.p = NULL;
	if (!*h)
		return;
	p->hold_how = g_str_has_suffix(h, "_ex") ? ACQUIRE_EXCLUSIVE : ACQUIRE_SHARED;
	if (g_str_has_prefix(h, "pamt"))
		module_lock_find(p->td.tdr, "PAMT", hpa, size, &p->hold);
	else if (g_str_has_prefix(h, "tree"))
		module_lock_find(p->td.tdr, "SEPT_TREE", 0, 0, &p->hold);
	else if (g_str_has_prefix(h, "epoch"))
		module_lock_find(p->td.tdr, "TD_EPOCH", 0, 0, &p->hold);
	else if (g_str_has_prefix(h, "opstate"))
		module_lock_find(p->td.tdr, "OP_STATE", 0, 0, &p->hold);
	else if (g_str_has_prefix(h, "kot"))
		module_lock_find(p->td.tdr, "KOT", 0, 0, &p->hold);
	else if (!strcmp(h, "wbt"))
		module_lock_find(p->td.tdr, "WBT", lp_package(lp_self()), 0, &p->hold);
	else if (!strcmp(h, "sept_host") || !strcmp(h, "sept_guest"))
		p->hold = (struct module_lock){ p->slot, TDX_LOCK_SEPT, "sept" };
	else if (!strcmp(h, "sept_child_host"))
		p->hold = (struct module_lock){
			(u64 *)phys_to_ptr(p->entry_before & SEPT_HPA) + replay_num(p, "hold_idx", 0),
			TDX_LOCK_SEPT, "sept" };
	if (!strcmp(h, "sept_guest"))
		p->hold_how = ACQUIRE_GUEST;
	assert_non_null(p->hold.p);
	replay_want(p, "the hold", module_lock_acquire(&p->hold, p->hold_how), TDX_SUCCESS);
}

static u64 leaf_of(const char *op)
{
	for (u64 i = 0; i < 100; i++) {
		if (seamcall_name(i) && !strcmp(seamcall_name(i), op))
			return i;
	}
	fail_msg("no leaf %s", op);
	return 0;
}

static void do_seamcall(struct replay *p, const char *op)
{
	u64 leaf = leaf_of(op), tdr = replay_num(p, "tdr", 0x1000) | replay_num(p, "flags", 0);
	struct tdx_regs r = {
		.rax = leaf | replay_num(p, "ver", 0) << 16,
		.rcx = replay_num(p, "rcx_in", replay_num(p, "gpa", 0) | replay_num(p, "level", 0)),
		.rdx = tdr,
		.r8 = replay_num(p, "hpa", 0),
		.r9 = leaf == TDH_MEM_PAGE_ADD ? replay_num(p, "src", 0x50000000) : NULL_PA,
		.r10 = NULL_PA,
		.r11 = NULL_PA,
	};

	switch (leaf) {
	case TDH_MEM_TRACK:
	case TDH_MR_FINALIZE:
	case TDH_MNG_VPFLUSHDONE:
	case TDH_MNG_KEY_FREEID:
		r.rcx = tdr;
		break;
	case TDH_PHYMEM_CACHE_WB:
		r.rcx = replay_num(p, "cmd", 0);
		if (p->intr == 1)
			lp_disturb(p->sim, lp_self(), IRQ_EXTERNAL);
		break;
	case TDH_VP_ENTER:
	case TDH_VP_FLUSH:
		r.rcx = replay_num(p, "rcx_in", p->td.tdvpr[replay_num(p, "vcpu", 0)]);
		break;
	case TDH_PHYMEM_PAGE_RECLAIM:
		r.rcx = r.r8;
		break;
	default:
		break;
	}
	p->exit = "";
	if (leaf != TDH_VP_ENTER || replay_num(p, "ver", 0)) {
		seamcall(&r);
	} else {
		/* only its SEAM part: the guest's own actions are operations of the file */
		r.rax = vp_enter_seam(&r);
		p->ran = !r.rax;
		if (p->ran)
			p->exit = "td";
	}
	p->r = r;
}

/* The harness reads VE_INFO at once, and its guest has no handler */
static void consume_ve(struct replay *p, struct tdvps *vp)
{
	if (!vp->ve.valid)
		return;
	p->exit = "td_ve";
	world_set(vp->ve.valid, 0);
	world_set(vp->guest.phase, vp->guest.ve_ret);
	world_set(vp->guest.rip, vp->guest.ve_rip);
}

static void do_guest(struct replay *p, const char *op)
{
	struct lp_ctx *lp = lp_ctx_self();
	struct tdvps *vp = lp->vp;
	struct tdx_regs g = {
		.rax = TDG_MEM_PAGE_ACCEPT,
		.rcx = replay_num(p, "rcx_in", replay_num(p, "gpa", 0) | replay_num(p, "level", 0)),
	};
	bool exited, interrupted = false;

	assert_true(lp->tdvpr && lp->tdvpr == vp->tdvpr);
	p->r = (struct tdx_regs){ 0 };
	if (!strcmp(op, "TDG.MEM.PAGE.ACCEPT")) {
		exited = vmexit_tdcall(lp, &g, &interrupted, &p->r);
	} else {
		if (replay_num(p, "adv", 0) || !strcmp(op, "TD.INTR_EXIT"))
			world_set(vp->guest.rip, vp->guest.rip + 0x40);
		if (!strcmp(op, "TD.INTR_EXIT"))
			exited = vmexit_interrupt(lp, &p->r);
		else
			exited = vmexit_ept_violation(lp, replay_num(p, "gpa", 0), QUAL_WRITE, &p->r);
		g.rax = 0;
	}
	p->exit = exited ? "vmm" : "td";
	if (!exited)
		p->r = (struct tdx_regs){ .rax = g.rax };
}

/* Interrupts of a 2M ACCEPT: the n-th query says yes; each query follows a cleared page */
static void interrupt_later(void *ctx, const struct event *ev)
{
	struct replay *p = ctx;

	if (ev->type != EV_STEP || ev->op != MEM_WRITE || !p->intr || region_at(ev->p))
		return;
	if (ev->p >= phys_to_ptr(0x200000) && !--p->intr)
		lp_disturb(p->sim, lp_self(), IRQ_EXTERNAL);
}

void replay_op(struct replay *p)
{
	const char *op = replay_text(p, "op");

	test_on_lp(replay_num(p, "lp", 0));
	sim_self->clock = TSC_STEP * ++p->n;
	find_slot(p);
	p->intr = replay_num(p, "intr", 0);
	p->ran = false;
	take_hold(p);
	if (p->intr)
		trace_listen(p->sim, interrupt_later, p);
	if (g_str_has_prefix(op, "TDH."))
		do_seamcall(p, op);
	else
		do_guest(p, op);
	if (p->intr || g_hash_table_contains(p->f, "intr")) {
		trace_unlisten(p->sim, interrupt_later, p);
		if (lp_irq_pending() != IRQ_NONE)
			lp_take_interrupts(sim_self);
	}
	if (lp_ctx_self()->vp)
		consume_ve(p, lp_ctx_self()->vp);
}

void replay_check_locks(struct replay *p, const char *tree, const char *pl, bool all)
{
	u32 listed = 0, found = 0;

	replay_want(p, "SEPT_TREE", p->tdcs->sept_lock, replay_num(p, tree, 0));
	replay_want(p, "OP_STATE", p->tdcs->op_state_lock, replay_num(p, "opl", 0));
	replay_want(p, "TD_EPOCH lock", p->tdcs->epoch.lock, replay_num(p, "epl", 0));
	replay_want(p, "KOT", p->mod->kot_lock, replay_num(p, "kotl", 0));
	replay_want(p, "PAMT_1G", p->mod->pamt_1g[0].lock, replay_num(p, "p1gl", 0));
	replay_want(p, "PAMT_2M of TDR", p->mod->pamt_2m[0].lock, replay_num(p, "p2ml_tdr", 0));
	replay_want(p, "TDR", p->mod->pamt_4k[1].lock, replay_num(p, "tdrl", 0));

	if (*pl) {
		g_auto(GStrv) each = g_strsplit(pl, "/", -1);

		for (char **e = each; *e; e++) {
			g_auto(GStrv) part = g_strsplit(*e, ",", 3);
			enum page_size size = !strcmp(part[0], "4k") ? SIZE_4K :
					      !strcmp(part[0], "2m") ? SIZE_2M : SIZE_1G;

			replay_want(p, *e, pamt_entry_of(p->mod, strtoull(part[1], NULL, 0), size)->lock,
			     strtoull(part[2], NULL, 0));
			listed++;
		}
	}
	for (u32 i = 0; i < 0x2000; i++) {
		struct pamt_entry *e = &p->mod->pamt_4k[i];

		if (i == 1 || !e->lock)
			continue;
		if (!all && e->pt == PT_TDVPR && e->lock == 4 &&
		    tdvps_at((u64)i << 12)->state == VCPU_ACTIVE)
			continue;
		found++;
	}
	for (u32 i = 1; i < 512; i++)
		found += p->mod->pamt_2m[i].lock != 0;
	replay_want(p, "number of other PAMT locks in use", found, listed);
}
