// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replays sequences recorded from the real module, each operation on its LP, one after the
 * other, and compares status, registers, entries, locks, epochs, PAMT, vCPU and the digest
 * of the whole S-EPT. Locks held by others are taken and released as recorded.
 */
#include "tests/tdxmod/common.h"

#include <stdlib.h>
#include <string.h>

#include "sim/engine/lp.h"
#include "tdxmod/guest.h"
#include "tdxmod/status.h"

#define TSC_STEP	1000000000ull	/* far more than any operation costs */

struct replay {
	struct sim *sim;
	struct test_td td;
	struct module *mod;
	struct tdr *tdr;
	struct tdcs *tdcs;
	GHashTable *f;		/* the line's key=value */
	const char *line;
	u64 n;			/* operations so far */
	u64 cc;
	/* of this operation */
	struct module_lock hold;
	u32 hold_how;
	u64 entry_before, entry_level;
	u64 *slot;
	u64 intr;		/* chunks until the interrupt; 0: none */
	struct tdx_regs r;
	const char *exit;
	bool ran;		/* VP.ENTER entered */
};

static u64 num(struct replay *p, const char *key, u64 otherwise)
{
	const char *v = g_hash_table_lookup(p->f, key);

	return v ? g_ascii_strtoull(v, NULL, 0) : otherwise;
}

static const char *text(struct replay *p, const char *key)
{
	const char *v = g_hash_table_lookup(p->f, key);

	return v ? v : "";
}

static void want(struct replay *p, const char *what, u64 got, u64 expected)
{
	char a[80], b[80];

	if (got == expected)
		return;
	fail_msg("%s is 0x%llx (%s), recorded 0x%llx (%s)\n%s", what, (unsigned long long)got,
		 status_name(got, a, sizeof(a)), (unsigned long long)expected,
		 status_name(expected, b, sizeof(b)), p->line);
}

static void parse(struct replay *p, const char *line)
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

static void begin_sequence(struct replay *p)
{
	struct test_setup s = {
		.op_state = num(p, "op_state", 2),
		.pending_ve_disable = num(p, "pvd", 1),
		.notify = num(p, "notify", 0),
		.hp_lock_timeout = TSC_STEP * 5 / 2,
	};

	if (p->sim)
		sim_free(p->sim);
	p->sim = test_sim();
	test_td(p->sim, &s, &p->td);
	p->mod = module_self();
	p->tdr = tdr_at(p->td.tdr);
	p->tdcs = td_tdcs(p->tdr);
	world_set(p->tdr->num_tdcx, num(p, "num_tdcx", 6));
	world_set(p->tdr->fatal, num(p, "fatal", 0));
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

static u64 digest(u64 page, u8 level)
{
	const u64 *e = phys_to_ptr(page);
	u64 h = 0xcbf29ce484222325ull;

	for (u32 i = 0; i < 512; i++) {
		if (e[i] == SEPT_FREE_INIT)
			continue;
		h = fnv(h, i);
		h = fnv(h, e[i]);
		if (level && !(e[i] & SEPT_PS) && !sept_is_state(e[i], SEPT_FREE))
			h = fnv(h, digest(e[i] & GENMASK_ULL(47, 12), level - 1));
	}
	return h;
}

/* The slot at the deepest level that a walk to @level reaches now */
static u64 *slot_of(struct replay *p, u64 gpa, u8 level)
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
	u64 rcx = num(p, "rcx_in", num(p, "gpa", 0) | num(p, "level", 0));
	u8 level = rcx & 7;
	u64 gpa = rcx & GENMASK_ULL(51, 12);

	p->slot = NULL;
	if (!g_hash_table_contains(p->f, "entry_before"))
		return;
	p->slot = slot_of(p, gpa, level > 3 ? 3 : level);
	p->entry_before = *p->slot;
}

static void take_hold(struct replay *p)
{
	const char *h = text(p, "hold");
	u64 hpa = num(p, "hold_pa", 0);
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
	else if (!strcmp(h, "sept_host") || !strcmp(h, "sept_guest"))
		p->hold = (struct module_lock){ p->slot, TDX_LOCK_SEPT, "sept" };
	else if (!strcmp(h, "sept_child_host"))
		p->hold = (struct module_lock){
			(u64 *)phys_to_ptr(p->entry_before & SEPT_HPA) + num(p, "hold_idx", 0),
			TDX_LOCK_SEPT, "sept" };
	if (!strcmp(h, "sept_guest"))
		p->hold_how = ACQUIRE_GUEST;
	assert_non_null(p->hold.p);
	want(p, "the hold", module_lock_acquire(&p->hold, p->hold_how), TDX_SUCCESS);
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
	u64 leaf = leaf_of(op), tdr = num(p, "tdr", 0x1000) | num(p, "flags", 0);
	struct tdx_regs r = {
		.rax = leaf | num(p, "ver", 0) << 16,
		.rcx = num(p, "rcx_in", num(p, "gpa", 0) | num(p, "level", 0)),
		.rdx = tdr,
		.r8 = num(p, "hpa", 0),
		.r9 = leaf == TDH_MEM_PAGE_ADD ? num(p, "src", 0x50000000) : NULL_PA,
		.r10 = NULL_PA,
		.r11 = NULL_PA,
	};

	switch (leaf) {
	case TDH_MEM_TRACK:
	case TDH_MR_FINALIZE:
	case TDH_MNG_VPFLUSHDONE:
		r.rcx = tdr;
		break;
	case TDH_VP_ENTER:
	case TDH_VP_FLUSH:
		r.rcx = num(p, "rcx_in", p->td.tdvpr[num(p, "vcpu", 0)]);
		break;
	case TDH_PHYMEM_PAGE_RECLAIM:
		r.rcx = r.r8;
		break;
	default:
		break;
	}
	p->exit = "";
	if (leaf != TDH_VP_ENTER || num(p, "ver", 0)) {
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
	struct tdvps *vp = tdvps_at(p->td.tdvpr[num(p, "vcpu", 0)]);
	struct tdx_regs g = {
		.rax = TDG_MEM_PAGE_ACCEPT,
		.rcx = num(p, "rcx_in", num(p, "gpa", 0) | num(p, "level", 0)),
	};
	bool exited, interrupted = false;

	assert_true(lp->tdvpr == vp->tdvpr);
	p->r = (struct tdx_regs){ 0 };
	if (!strcmp(op, "TDG.MEM.PAGE.ACCEPT")) {
		exited = vmexit_tdcall(lp, &g, &interrupted, &p->r);
	} else {
		if (num(p, "adv", 0) || !strcmp(op, "TD.INTR_EXIT"))
			world_set(vp->guest.rip, vp->guest.rip + 0x40);
		if (!strcmp(op, "TD.INTR_EXIT"))
			exited = vmexit_interrupt(lp, &p->r);
		else
			exited = vmexit_ept_violation(lp, num(p, "gpa", 0), QUAL_WRITE, &p->r);
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

static void do_op(struct replay *p)
{
	const char *op = text(p, "op");

	test_on_lp(num(p, "lp", 0));
	sim_self->clock = TSC_STEP * ++p->n;
	find_slot(p);
	p->intr = num(p, "intr", 0);
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
	if (g_hash_table_contains(p->f, "vcpu"))
		consume_ve(p, tdvps_at(p->td.tdvpr[num(p, "vcpu", 0)]));
}

static void check_registers(struct replay *p)
{
	const char *op = text(p, "op");
	bool vp_enter = !strcmp(op, "TDH.VP.ENTER");
	bool silent = !strcmp(op, "TDH.MEM.TRACK") || !strcmp(op, "TDH.MR.FINALIZE") ||
		      !strcmp(op, "TDH.VP.FLUSH") || !strcmp(op, "TDH.MNG.VPFLUSHDONE") ||
		      (vp_enter && num(p, "rax", 0) != EXIT_REASON_EPT_VIOLATION);

	if (strcmp(p->exit, text(p, "exit")))
		fail_msg("exit is \"%s\"\n%s", p->exit, p->line);
	want(p, "rax", p->r.rax, num(p, "rax", 0));
	if (silent)
		return;
	want(p, "rcx", p->r.rcx, num(p, "rcx", 0));
	want(p, "rdx", p->r.rdx, num(p, "rdx", 0));
	if (!g_str_has_prefix(op, "TDH.MEM") ||
	    (!strcmp(op, "TDH.MEM.SEPT.ADD") && num(p, "ver", 0)))
		want(p, "r8", p->r.r8, num(p, "r8", 0));
}

static void check_locks(struct replay *p)
{
	const char *pl = text(p, "pl");
	u32 listed = 0, found = 0;

	want(p, "SEPT_TREE", p->tdcs->sept_lock, num(p, "tree_after", 0));
	want(p, "OP_STATE", p->tdcs->op_state_lock, num(p, "opl", 0));
	want(p, "TD_EPOCH lock", p->tdcs->epoch.lock, num(p, "epl", 0));
	want(p, "KOT", p->mod->kot_lock, num(p, "kotl", 0));
	want(p, "PAMT_1G", p->mod->pamt_1g[0].lock, num(p, "p1gl", 0));
	want(p, "PAMT_2M of TDR", p->mod->pamt_2m[0].lock, num(p, "p2ml_tdr", 0));
	want(p, "TDR", p->mod->pamt_4k[1].lock, num(p, "tdrl", 0));

	if (*pl) {
		g_auto(GStrv) each = g_strsplit(pl, "/", -1);

		for (char **e = each; *e; e++) {
			g_auto(GStrv) part = g_strsplit(*e, ",", 3);
			enum page_size size = !strcmp(part[0], "4k") ? SIZE_4K :
					      !strcmp(part[0], "2m") ? SIZE_2M : SIZE_1G;

			want(p, *e, pamt_entry_of(p->mod, strtoull(part[1], NULL, 0), size)->lock,
			     strtoull(part[2], NULL, 0));
			listed++;
		}
	}
	for (u32 i = 0; i < 0x2000; i++) {
		struct pamt_entry *e = &p->mod->pamt_4k[i];

		if (i == 1 || !e->lock)
			continue;
		if (e->pt == PT_TDVPR && e->lock == 4 &&
		    tdvps_at((u64)i << 12)->state == VCPU_ACTIVE)
			continue;
		found++;
	}
	for (u32 i = 1; i < 512; i++)
		found += p->mod->pamt_2m[i].lock != 0;
	want(p, "number of other PAMT locks in use", found, listed);
}

static void check_lists(struct replay *p)
{
	g_auto(GStrv) pamt = g_strsplit(text(p, "pamt"), ",", -1);
	g_auto(GStrv) v = g_strsplit(text(p, "v"), ",", -1);
	g_auto(GStrv) lc = g_strsplit(text(p, "lc"), ",", -1);
	g_auto(GStrv) rc = g_strsplit(text(p, "rc"), ",", -1);

	if (*pamt) {
		struct pamt_entry *e = pamt_entry_of(p->mod, strtoull(pamt[0], NULL, 0),
			!strcmp(pamt[1], "4k") ? SIZE_4K : !strcmp(pamt[1], "2m") ? SIZE_2M : SIZE_1G);

		want(p, "PAMT.PT", e->pt, strtoull(pamt[2], NULL, 0));
		want(p, "PAMT.LOCK", e->lock, strtoull(pamt[3], NULL, 0));
		want(p, "PAMT.BEPOCH", e->bepoch, strtoull(pamt[4], NULL, 0));
	}
	if (*v) {
		struct tdvps *vp = tdvps_at(p->td.tdvpr[num(p, "vcpu", 0)]);

		want(p, "STATE", vp->state, strtoull(v[0], NULL, 0));
		want(p, "ASSOC_LPID", vp->assoc_lpid, (u32)strtoll(v[1], NULL, 0));
		want(p, "VCPU_EPOCH", vp->vcpu_epoch, strtoull(v[2], NULL, 0));
		want(p, "POSSIBLY_EPF_STEPPING", vp->possibly_epf_stepping,
		     strtoull(v[3], NULL, 0));
		want(p, "LAST_EPF_GPA_LIST_IDX", vp->last_epf_gpa_list_idx,
		     strtoull(v[4], NULL, 0));
		want(p, "HP_LOCK_BUSY", vp->hp_lock_busy, strtoull(v[5], NULL, 0));
	}
	if (*lc) {
		want(p, "LIFECYCLE_STATE", p->tdr->lifecycle, strtoull(lc[0], NULL, 0));
		want(p, "KOT.STATE", p->mod->kot[33].state, strtoull(lc[1], NULL, 0));
		want(p, "KOT.WBINVD_BITMAP", p->mod->kot[33].wbinvd_bitmap,
		     strtoull(lc[2], NULL, 0));
		want(p, "NUM_ASSOC_VCPUS", p->tdcs->num_assoc_vcpus, strtoull(lc[3], NULL, 0));
	}
	want(p, "TD_EPOCH", p->tdcs->epoch.td_epoch, num(p, "td_epoch", 0));
	want(p, "REFCOUNT[0]", p->tdcs->epoch.refcount[0], *rc ? strtoull(rc[0], NULL, 0) : 0);
	want(p, "REFCOUNT[1]", p->tdcs->epoch.refcount[1], *rc ? strtoull(rc[1], NULL, 0) : 0);
}

static void check_op(struct replay *p)
{
	check_registers(p);
	if (p->slot) {
		want(p, "the entry before", p->entry_before, num(p, "entry_before", 0));
		want(p, "the entry after", *p->slot, num(p, "entry_after", 0));
		want(p, "its level", p->entry_level, num(p, "wl", num(p, "rcx_in",
		     num(p, "level", 0)) & 7));
	}
	check_locks(p);
	check_lists(p);
	p->cc = num(p, "cc", p->cc);
	want(p, "CHLDCNT", p->tdr->chldcnt, p->cc);
	want(p, "digest of the S-EPT", (u32)digest(0x5000, 3),
	     strtoull(text(p, "td"), NULL, 16));
	if (p->hold.p)
		module_lock_release(&p->hold, p->hold_how);
	if (check_count(p->sim))
		fail_msg("violation %s: %s\n%s", check_at(p->sim, 0)->id,
			 check_at(p->sim, 0)->text, p->line);
}

static void test_replay(void **state)
{
	const char *other = getenv("TDX_VECTORS");
	g_autofree char *all = NULL;
	struct replay p = {
		.f = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
	};
	u64 ops = 0;

	if (other)
		assert_true(g_file_get_contents(other, &all, NULL, NULL));
	else
		all = test_file("seamcall.txt");
	for (char *line = all, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		assert_non_null(end);
		*end = 0;
		if (*line == '#')
			continue;
		parse(&p, line);
		if (g_hash_table_contains(p.f, "seq")) {
			begin_sequence(&p);
			continue;
		}
		do_op(&p);
		check_op(&p);
		ops++;
	}
	print_message("%llu operations\n", (unsigned long long)ops);
	assert_true(ops > 1000);
	sim_free(p.sim);
	g_hash_table_unref(p.f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
