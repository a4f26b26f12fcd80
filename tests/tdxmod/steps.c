// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shared accesses of each flow, in order and with lock modes, against those traced from
 * the real module (flow_steps.csv). Normalised on both sides, and only so:
 *  - an -O0 bit-field store of PAMT.PT or OWNER, traced as reads and writes of both, is one
 *    store; get_pamt_entry_owner()'s two reads are one of OWNER;
 *  - equal accesses in a row are one (loops over a page, a field read twice, the two steps
 *    of an S-EPT entry's acquire: those are atomic_steps.csv's);
 *  - the copied page's contents (PAGE.ADD) do not exist here.
 */
#include "tests/tdxmod/common.h"

#include <string.h>

#include "tdxmod/guest.h"
#include "tdxmod/status.h"
#include "tdxmod/stepping.h"

struct steps {
	struct sim *sim;
	struct test_td td;
	struct tdr *tdr;
	struct tdcs *tdcs;
	struct tdvps *vp;
	struct lp_ctx *lp;
	struct record rec;
	bool guest, children;
	GPtrArray *got;
};

static void token(GPtrArray *out, const char *action, const char *object, const char *mode)
{
	g_autofree char *t = g_strdup_printf("%s %s%s%s", action, object, *mode ? " " : "", mode);
	const char *last = out->len ? out->pdata[out->len - 1] : "";

	if (strcmp(last, t))
		g_ptr_array_add(out, g_steal_pointer(&t));
}

/* --- what was recorded in the real module ------------------------------------------- */

static bool ends(const char *s, const char *with)
{
	return g_str_has_suffix(s, with);
}

/* Rows [i, n) of one source line about PT and OWNER of one entry; returns how many */
static u32 bit_field(GPtrArray *rows, u32 i, GPtrArray *out)
{
	char **f = rows->pdata[i];
	char *dot = strrchr(f[3], '.');
	g_autofree char *object = dot ? g_strndup(f[3], dot - f[3]) : NULL;
	g_autoptr(GString) shape = g_string_new(NULL);
	g_autofree char *pt = NULL, *owner = NULL;
	u32 n;

	if (!object || !g_str_has_prefix(object, "PAMT") || (!ends(f[3], ".PT") &&
	    !ends(f[3], ".OWNER")))
		return 0;
	for (n = i; n < rows->len; n++) {
		char **g = rows->pdata[n];

		if (strcmp(g[0], f[0]) || strcmp(g[6], f[6]) ||
		    !g_str_has_prefix(g[3], object) || (!ends(g[3], ".PT") && !ends(g[3], ".OWNER")))
			break;
		g_string_append_printf(shape, "%c%c", g[2][0], ends(g[3], ".PT") ? 'P' : 'O');
	}
	pt = g_strconcat(object, ".PT", NULL);
	owner = g_strconcat(object, ".OWNER", NULL);
	if (!strcmp(shape->str, "rPrOwOwP"))
		token(out, "write", pt, "");
	else if (!strcmp(shape->str, "rPwOwP"))
		token(out, "write", owner, "");
	else if (!strcmp(shape->str, "rPrO"))
		token(out, "read", owner, "");
	else
		return 0;
	return n - i;
}

static GPtrArray *recorded(GPtrArray *rows, const char *flow)
{
	GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
	bool add = !strcmp(flow, "TDH.MEM.PAGE.ADD");

	for (u32 i = 1; i < rows->len; i++) {
		char **f = rows->pdata[i];
		u32 n;

		if (strcmp(f[0], flow))
			continue;
		if (add && (!strcmp(f[3], "SRC_PAGE") || !strcmp(f[3], "PAGE_CONTENT")))
			continue;
		n = bit_field(rows, i, out);
		if (n) {
			i += n - 1;
			continue;
		}
		if (!strcmp(f[2], "read") || !strcmp(f[2], "write") || !strcmp(f[2], "rmw") ||
		    !strcmp(f[4], "-"))
			token(out, f[2], f[3], "");
		else if (g_str_has_prefix(f[4], "promote"))
			token(out, f[2], f[3], "promote");
		else
			token(out, f[2], f[3], f[4]);
	}
	if (!out->len)
		fail_msg("no rows for %s", flow);
	return out;
}

/* --- what the model did -------------------------------------------------------------- */

static const char *pamt_name(struct steps *s, u64 hpa, enum page_size size)
{
	if (size == SIZE_1G)
		return "PAMT_1G";
	if (size == SIZE_2M)
		return hpa ? "PAMT_2M(PAGE)" : "PAMT_2M(TDR/TDVPR region)";
	if (hpa == s->td.tdr)
		return "PAMT_4K(TDR)";
	if (hpa == s->td.tdvpr[0])
		return "PAMT_4K(TDVPR)";
	return s->children && hpa >= 0x400000 ? "PAMT_4K(CHILD)" : "PAMT_4K(PAGE)";
}

static const char *const rw[] = { [MEM_READ] = "read", [MEM_WRITE] = "write" };

static void lock_step(struct steps *s, const struct event *ev, const char *name)
{
	g_autofree char *lock = g_strconcat(name, ".LOCK", NULL);

	switch (ev->op) {
	case MEM_READ:
		token(s->got, "read", lock, "");
		break;
	case MEM_XADD:
		token(s->got, ((ev->value - ev->old) & 0x8000) == 0 ? "acquire" : "release", name,
		      "shared");
		break;
	case MEM_CMPXCHG:
		if (ev->size == 1) {	/* a mutex */
			token(s->got, ev->value ? "acquire" : "release", name, "exclusive");
			break;
		}
		token(s->got, "acquire", name, ev->old ? "promote" : "exclusive");
		break;
	default:
		token(s->got, "release", name, "exclusive");
		break;
	}
}

static bool pamt_step(struct steps *s, const struct event *ev)
{
	const struct module *mod = module_self();
	const struct region *r = region_at(ev->p);
	u64 offset = (u64)ev->p & 15, hpa;
	enum page_size size;
	const char *name;
	char field[64];

	if (!r || strcmp(r->type->name, "PAMT"))
		return false;
	size = r->level - 1;
	hpa = region_index(r, ev->p);
	name = pamt_name(s, hpa, size);
	assert_true(pamt_entry_of(mod, hpa, size) == (void *)((char *)ev->p - offset));
	if (!offset) {
		lock_step(s, ev, name);
		return true;
	}
	g_snprintf(field, sizeof(field), "%s.%s", name,
		   offset == 2 ? "PT" : offset == 4 ? "OWNER" : "BEPOCH");
	token(s->got, rw[ev->op], field, "");
	return true;
}

static bool sept_step(struct steps *s, const struct event *ev)
{
	const struct region *r = region_at(ev->p);
	char name[32];

	if (!r || strcmp(r->type->name, "sept"))
		return false;
	g_snprintf(name, sizeof(name), "SEPT_ENTRY_L%u", r->level - 1);
	if (ev->op == MEM_READ || ev->op == MEM_WRITE)
		token(s->got, rw[ev->op], name, "");
	else if (ev->op == MEM_BTR && (ev->old ^ ev->value) == SEPT_TDEL)
		token(s->got, "release", name, "");
	else
		token(s->got, "acquire", name, s->guest ? "guest" : "host");
	return true;
}

static void field_step(struct steps *s, const struct event *ev)
{
	const struct {
		const void *p;
		const char *name;
		bool lock;
	} fields[] = {
		{ &s->tdr->fatal, "TDR.FATAL" },
		{ &s->tdr->lifecycle, "TDR.LIFECYCLE_STATE" },
		{ &s->tdr->num_tdcx, "TDR.NUM_TDCX" },
		{ &s->tdr->chldcnt, "TDR.CHLDCNT" },
		{ &s->tdcs->op_state_lock, "OP_STATE", true },
		{ &s->tdcs->op_state, "TDCS.OP_STATE(value)" },
		{ &s->tdcs->num_vcpus, "TDCS.NUM_VCPUS" },
		{ &s->tdcs->num_assoc_vcpus, "TDCS.NUM_ASSOC_VCPUS" },
		{ &s->tdcs->sept_lock, "SEPT_TREE", true },
		{ &s->tdcs->notify_enables, "TDCS.NOTIFY_ENABLES" },
		{ &s->tdcs->epoch.lock, "TD_EPOCH", true },
		{ &s->tdcs->epoch.td_epoch, "TDCS.TD_EPOCH(value)" },
		{ &s->tdcs->epoch.refcount[0], "TDCS.REFCOUNT" },
		{ &s->tdcs->epoch.refcount[1], "TDCS.REFCOUNT" },
		{ &s->vp->state, "TDVPS.STATE" },
		{ &s->vp->last_td_exit, "TDVPS.LAST_TD_EXIT" },
		{ &s->vp->assoc_lpid, "TDVPS.ASSOC_LPID" },
		{ &s->vp->vcpu_epoch, "TDVPS.VCPU_EPOCH" },
		{ &s->vp->possibly_epf_stepping, "TDVPS.POSSIBLY_EPF_STEPPING" },
		{ &s->vp->last_epf_gpa_list_idx, "TDVPS.LAST_EPF_GPA_LIST_IDX" },
		{ &s->vp->last_epf_gpa_list[0], "TDVPS.LAST_EPF_GPA_LIST" },
		{ &s->vp->hp_lock_busy, "TDVPS.HP_LOCK_BUSY" },
		{ &module_self()->kot_lock, "KOT", true },
		{ &module_self()->wbt[0].lock, "WBT", true },
		{ &module_self()->wbt[0].intr_point, "WBT.INTR_POINT" },
		{ &module_self()->kot[33].state, "KOT.STATE" },
		{ &module_self()->kot[33].wbinvd_bitmap, "KOT.WBINVD_BITMAP" },
	};

	const struct module *mod = module_self();
	u64 key = ((u64)ev->p - (u64)mod->kot) / sizeof(mod->kot[0]);

	if (ev->size == 1 && key < HKIDS_MAX && ev->p == &mod->kot[key].state) {
		token(s->got, rw[ev->op], "KOT.STATE", "");
		return;
	}
	if ((u64)ev->p - (u64)mod->wbt[0].hkid_flushed < HKIDS_MAX) {
		token(s->got, rw[ev->op], "WBT.HKID_FLUSHED", "");
		return;
	}
	if (ev->size == 16) {
		token(s->got, "read", "TDCS.TD_EPOCH+REFCOUNT(16B)", "");
		return;
	}
	for (u32 i = 0; i < ARRAY_SIZE(fields); i++) {
		if (ev->p != fields[i].p)
			continue;
		if (fields[i].lock)
			lock_step(s, ev, fields[i].name);
		else
			token(s->got, ev->op <= MEM_WRITE ? rw[ev->op] : "rmw", fields[i].name, "");
		return;
	}
	assert_int_equal(ev->op, MEM_WRITE);
	token(s->got, "write", ev->value ? "NEW_SEPT_PAGE(512 entries)" : "PAGE_CONTENT", "");
}

static void see(struct record *rec, const struct event *ev)
{
	struct steps *s = rec->ctx;

	if (ev->type != EV_STEP)
		return;
	if (!pamt_step(s, ev) && !sept_step(s, ev))
		field_step(s, ev);
}

/* --- the machine and its situations -------------------------------------------------- */

static void begin(struct steps *s, u32 op_state)
{
	*s = (struct steps){ .sim = test_sim() };
	test_td(s->sim, &(struct test_setup){ .op_state = op_state, .pending_ve_disable = true },
		&s->td);
	s->tdr = tdr_at(s->td.tdr);
	s->tdcs = td_tdcs(s->tdr);
	s->vp = tdvps_at(s->td.tdvpr[0]);
	s->lp = lp_ctx_self();
	s->got = g_ptr_array_new_with_free_func(g_free);
}

static void ok(u64 rax)
{
	char buf[80];

	if (rax)
		fail_msg("set-up: %s", status_name(rax, buf, sizeof(buf)));
}

static void record(struct steps *s)
{
	s->rec = (struct record){ .hook = see, .ctx = s };
	record_start(s->sim, &s->rec);
}

/* Loops of more than one access: the same few again are gone */
static void fold(GPtrArray *t)
{
	for (u32 n = 2; n <= 5; n++) {
		for (u32 i = 0; i + 2 * n <= t->len;) {
			bool same = true;

			for (u32 k = 0; k < n && same; k++)
				same = !strcmp(t->pdata[i + k], t->pdata[i + n + k]);
			if (same)
				g_ptr_array_remove_range(t, i, n);
			else
				i++;
		}
	}
}

static void compare(struct steps *s, const char *flow)
{
	g_autoptr(GPtrArray) rows = test_csv("flow_steps.csv");
	g_autoptr(GPtrArray) want = recorded(rows, flow);

	record_stop(s->sim, &s->rec);
	fold(s->got);
	for (u32 i = 0; i < want->len || i < s->got->len; i++) {
		const char *w = i < want->len ? want->pdata[i] : "(end)";
		const char *g = i < s->got->len ? s->got->pdata[i] : "(end)";

		if (strcmp(w, g))
			fail_msg("%s, access %u: recorded \"%s\", model \"%s\"", flow, i + 1, w, g);
	}
	assert_int_equal(check_count(s->sim), 0);
	g_ptr_array_unref(s->got);
	sim_free(s->sim);
}

/* Tables for gpa 0 down to @level's entries, from pages at 2 MiB */
static void tables(struct steps *s, u8 level)
{
	for (u8 l = LVL_PML4; l > level; l--)
		ok(call(TDH_MEM_SEPT_ADD, l, s->td.tdr, 0x200000 + l * 0x1000, NULL));
}

static void mapped(struct steps *s, u8 level)
{
	tables(s, level);
	ok(call(TDH_MEM_PAGE_AUG, level, s->td.tdr, 0x400000, NULL));
}

static void blocked(struct steps *s, u8 level)
{
	mapped(s, level);
	ok(call(TDH_MEM_RANGE_BLOCK, level, s->td.tdr, 0, NULL));
	ok(call(TDH_MEM_TRACK, s->td.tdr, 0, 0, NULL));
}

static void entered(struct steps *s)
{
	struct tdx_regs r = { .rcx = s->td.tdvpr[0] };

	ok(vp_enter_seam(&r));
}

static void test_host(void **state)
{
	static const struct {
		const char *flow;
		void (*setup)(struct steps *s, u8 level);
		u32 op_state;
		u8 level;		/* for the set-up */
		u64 leaf;
		u8 at;			/* level of the operand */
		u64 r8;
		bool tdr_in_rcx;
	} flows[] = {
		{ "TDH.MEM.SEPT.ADD", tables, 0, LVL_PDPT, TDH_MEM_SEPT_ADD, LVL_PDPT, 0x400000 },
		{ "TDH.MEM.PAGE.ADD", tables, OP_STATE_INITIALIZED, LVL_PT, TDH_MEM_PAGE_ADD,
		  LVL_PT, 0x400000 },
		{ "TDH.MEM.PAGE.AUG(4K)", tables, 0, LVL_PT, TDH_MEM_PAGE_AUG, LVL_PT, 0x400000 },
		{ "TDH.MEM.PAGE.AUG(2M)", tables, 0, LVL_PD, TDH_MEM_PAGE_AUG, LVL_PD, 0x400000 },
		{ "TDH.MEM.RANGE.BLOCK(4K PENDING)", mapped, 0, LVL_PT, TDH_MEM_RANGE_BLOCK, LVL_PT },
		{ "TDH.MEM.RANGE.BLOCK(NL)", tables, 0, LVL_PT, TDH_MEM_RANGE_BLOCK, LVL_PD },
		{ "TDH.MEM.TRACK", tables, 0, LVL_PT, TDH_MEM_TRACK, 0, 0, true },
		{ "TDH.MEM.RANGE.UNBLOCK(4K PENDING_BLOCKED)", blocked, 0, LVL_PT,
		  TDH_MEM_RANGE_UNBLOCK, LVL_PT },
		{ "TDH.MEM.SEPT.RD", mapped, 0, LVL_PT, TDH_MEM_SEPT_RD, LVL_PT },
		{ "TDH.MEM.PAGE.REMOVE(4K)", blocked, 0, LVL_PT, TDH_MEM_PAGE_REMOVE, LVL_PT },
		{ "TDH.MNG.VPFLUSHDONE", tables, 0, LVL_PT, TDH_MNG_VPFLUSHDONE, 0, 0, true },
		{ "TDH.MR.FINALIZE", tables, OP_STATE_INITIALIZED, LVL_PT, TDH_MR_FINALIZE, 0, 0,
		  true },
	};

	for (u32 i = 0; i < ARRAY_SIZE(flows); i++) {
		struct tdx_regs r = {
			.rax = flows[i].leaf, .rcx = flows[i].at, .r8 = flows[i].r8,
			.r9 = 0x50000000,
		};
		struct steps s;

		begin(&s, flows[i].op_state);
		flows[i].setup(&s, flows[i].level);
		if (flows[i].tdr_in_rcx)
			r.rcx = s.td.tdr;
		else
			r.rdx = s.td.tdr;
		s.children = flows[i].leaf == TDH_MEM_PAGE_AUG && flows[i].at == LVL_PD;
		record(&s);
		ok(seamcall(&r));
		compare(&s, flows[i].flow);
	}
}

static void test_sept_remove(void **state)
{
	struct steps s;

	begin(&s, 0);
	tables(&s, LVL_PT);
	ok(call(TDH_MEM_RANGE_BLOCK, LVL_PD, s.td.tdr, 0, NULL));
	ok(call(TDH_MEM_TRACK, s.td.tdr, 0, 0, NULL));
	record(&s);
	ok(call(TDH_MEM_SEPT_REMOVE, LVL_PD, s.td.tdr, 0, NULL));
	compare(&s, "TDH.MEM.SEPT.REMOVE");
}

/* A 2M page split, and its parts merged again */
static void test_split(void **state)
{
	struct steps s;

	begin(&s, 0);
	blocked(&s, LVL_PD);
	s.children = true;
	record(&s);
	ok(call(TDH_MEM_PAGE_DEMOTE, LVL_PD, s.td.tdr, 0x210000, NULL));
	compare(&s, "TDH.MEM.PAGE.DEMOTE(2M)");

	begin(&s, 0);
	blocked(&s, LVL_PD);
	ok(call(TDH_MEM_PAGE_DEMOTE, LVL_PD, s.td.tdr, 0x210000, NULL));
	ok(call(TDH_MEM_RANGE_BLOCK, LVL_PD, s.td.tdr, 0, NULL));
	ok(call(TDH_MEM_TRACK, s.td.tdr, 0, 0, NULL));
	s.children = true;
	record(&s);
	ok(call(TDH_MEM_PAGE_PROMOTE, LVL_PD, s.td.tdr, 0, NULL));
	compare(&s, "TDH.MEM.PAGE.PROMOTE(2M)");
}

/* The end of a TD's key: flushed, written back on both packages, freed */
static void test_key(void **state)
{
	struct steps s;

	begin(&s, 0);
	tables(&s, LVL_PT);
	ok(call(TDH_MNG_VPFLUSHDONE, s.td.tdr, 0, 0, NULL));
	record(&s);
	ok(call(TDH_PHYMEM_CACHE_WB, 0, 0, 0, NULL));
	compare(&s, "TDH.PHYMEM.CACHE.WB");

	begin(&s, 0);
	tables(&s, LVL_PT);
	ok(call(TDH_MNG_VPFLUSHDONE, s.td.tdr, 0, 0, NULL));
	ok(call(TDH_PHYMEM_CACHE_WB, 0, 0, 0, NULL));
	test_on_lp(2);
	ok(call(TDH_PHYMEM_CACHE_WB, 0, 0, 0, NULL));
	record(&s);
	ok(call(TDH_MNG_KEY_FREEID, s.td.tdr, 0, 0, NULL));
	compare(&s, "TDH.MNG.KEY.FREEID");
}

static void test_reclaim(void **state)
{
	static const struct {
		const char *flow;
		u64 hpa;
		u8 level;
	} rows[] = {
		{ "TDH.PHYMEM.PAGE.RECLAIM(4K REG)", 0x400000, LVL_PT },
		{ "TDH.PHYMEM.PAGE.RECLAIM(2M REG)", 0x400000, LVL_PD },
		{ "TDH.PHYMEM.PAGE.RECLAIM(TDR)", 0x1000, LVL_PT },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct steps s;

		begin(&s, 0);
		mapped(&s, rows[i].level);
		world_set(s.tdr->lifecycle, TD_TEARDOWN);
		if (rows[i].hpa == s.td.tdr)
			world_set(s.tdr->chldcnt, 0);
		record(&s);
		ok(call(TDH_PHYMEM_PAGE_RECLAIM, rows[i].hpa, 0, 0, NULL));
		compare(&s, rows[i].flow);
	}
}

static void test_vp(void **state)
{
	struct steps s;

	begin(&s, 0);
	record(&s);
	entered(&s);
	compare(&s, "TDH.VP.ENTER");

	begin(&s, 0);
	entered(&s);
	vmexit_interrupt(s.lp, &(struct tdx_regs){ 0 });
	record(&s);
	ok(call(TDH_VP_FLUSH, s.td.tdvpr[0], 0, 0, NULL));
	compare(&s, "TDH.VP.FLUSH");
}

/* A vCPU with one GPA on its list */
static void listed(struct steps *s)
{
	struct tdx_regs r;

	entered(s);
	vmexit_interrupt(s->lp, &r);
	world_set(s->vp->possibly_epf_stepping, STEPPING_EPF_THRESHOLD);
	world_set(s->vp->last_epf_gpa_list[0], 0);
	world_set(s->vp->last_epf_gpa_list_idx, 1);
}

static void accepted(struct steps *s)
{
	struct tdx_regs g = { .rax = TDG_MEM_PAGE_ACCEPT }, r;
	bool interrupted;

	mapped(s, LVL_PT);
	entered(s);
	vmexit_tdcall(s->lp, &g, &interrupted, &r);
	ok(g.rax);
	vmexit_interrupt(s->lp, &r);
}

static void test_filter(void **state)
{
	struct tdx_regs r;
	struct steps s;

	begin(&s, 0);
	mapped(&s, LVL_PT);
	listed(&s);
	r = (struct tdx_regs){ .rcx = s.td.tdvpr[0] };
	record(&s);
	assert_int_equal(vp_enter_seam(&r), EXIT_REASON_EPT_VIOLATION);
	compare(&s, "TDH.VP.ENTER(EPF list non-empty; fault still expected)");

	begin(&s, 0);
	accepted(&s);
	listed(&s);
	record(&s);
	entered(&s);
	compare(&s, "TDH.VP.ENTER(EPF list non-empty; fault resolved)");
}

static void test_guest(void **state)
{
	struct tdx_regs g = { .rax = TDG_MEM_PAGE_ACCEPT }, r;
	bool interrupted;
	struct steps s;

	begin(&s, 0);
	mapped(&s, LVL_PT);
	entered(&s);
	s.guest = true;
	record(&s);
	assert_false(vmexit_tdcall(s.lp, &g, &interrupted, &r));
	ok(g.rax);
	compare(&s, "TDG.MEM.PAGE.ACCEPT(4K)");

	begin(&s, 0);
	mapped(&s, LVL_PD);
	entered(&s);
	s.guest = true;
	world_set(s.vp->guest.rip, s.vp->guest.rip + 0x40);
	g = (struct tdx_regs){ .rax = TDG_MEM_PAGE_ACCEPT, .rcx = LVL_PD };
	record(&s);
	assert_false(vmexit_tdcall(s.lp, &g, &interrupted, &r));
	ok(g.rax);
	compare(&s, "TDG.MEM.PAGE.ACCEPT(2M)");
}

static void test_exits(void **state)
{
	struct tdx_regs r;
	struct steps s;

	begin(&s, 0);
	entered(&s);
	world_set(s.vp->guest.rip, s.vp->guest.rip + 0x40);
	record(&s);
	assert_true(vmexit_interrupt(s.lp, &r));
	compare(&s, "TD_EXIT(external interrupt)");

	begin(&s, 0);
	tables(&s, LVL_PT);
	entered(&s);
	s.guest = true;
	record(&s);
	assert_true(vmexit_ept_violation(s.lp, 0, QUAL_WRITE, &r));
	compare(&s, "EPT_VIOLATION_EXIT(private;not pending)");

	begin(&s, 0);
	tables(&s, LVL_PT);
	entered(&s);
	world_set(s.vp->possibly_epf_stepping, STEPPING_EPF_THRESHOLD);
	s.guest = true;
	record(&s);
	assert_true(vmexit_ept_violation(s.lp, 0, QUAL_WRITE, &r));
	compare(&s, "EPT_VIOLATION_EXIT(EPF GPA logged)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_sept_remove),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_reclaim),
		cmocka_unit_test(test_vp),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_guest),
		cmocka_unit_test(test_exits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
