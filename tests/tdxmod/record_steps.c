// SPDX-License-Identifier: GPL-2.0-only
/*
 * A listener that turns the steps of a flow into words. Normalised on both sides, and only so:
 *  - an -O0 bit-field store of PAMT.PT or OWNER, traced as reads and writes of both, is one
 *    store; get_pamt_entry_owner()'s two reads are one of OWNER;
 *  - equal accesses in a row are one (loops over a page, a field read twice, the two steps
 *    of an S-EPT entry's acquire: those are atomic_steps.csv's);
 *  - the copied page's contents (PAGE.ADD) do not exist here.
 */
#include "tests/tdxmod/record_steps.h"

#include <string.h>

#include "tdxmod/stepping.h"

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
	else if (!strcmp(shape->str, "rPwOwP") || !strcmp(shape->str, "rPwPwO"))
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
	if (s->target_hpa && hpa == s->target_hpa)
		return "PAMT_4K(TARGET TDR)";
	if (s->old && hpa == s->old)
		return "PAMT_4K(OLD)";
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

struct named_field {
	const void *p;
	const char *name;
	bool lock;
};

static const struct named_field *lookup(const struct named_field *f, u32 n, const void *p)
{
	for (u32 i = 0; i < n; i++) {
		if (f[i].p == p)
			return &f[i];
	}
	return NULL;
}

static void field_token(struct steps *s, const struct event *ev, const struct named_field *f,
			const char *of)
{
	g_autofree char *name = g_strconcat(of, f->name, NULL);

	if (f->lock)
		lock_step(s, ev, name);
	else
		token(s->got, ev->op <= MEM_WRITE ? rw[ev->op] : "rmw", name, "");
}

/* A field of the TD's own structures, or of those of the TD that the flow is about */
static bool td_step(struct steps *s, const struct event *ev, struct tdr *tdr, struct tdcs *tdcs,
		    const char *of)
{
	const struct servtd_binding *b = &tdcs->servtd_binding[0];
	const u64 rtmr = (u64)ev->p - (u64)tdcs->rtmr;
	const struct named_field fields[] = {
		{ &tdr->fatal, "TDR.FATAL" },
		{ &tdr->lifecycle, "TDR.LIFECYCLE_STATE" },
		{ &tdr->num_tdcx, "TDR.NUM_TDCX" },
		{ &tdr->chldcnt, "TDR.CHLDCNT" },
		{ &tdr->pkg_config_bitmap, "TDR.PKG_CONFIG_BITMAP" },
		{ &tdr->uuid[0], "TDR.TD_UUID" },
		{ &tdcs->op_state_lock, "OP_STATE", true },
		{ &tdcs->op_state, "TDCS.OP_STATE(value)" },
		{ &tdcs->num_vcpus, "TDCS.NUM_VCPUS" },
		{ &tdcs->num_assoc_vcpus, "TDCS.NUM_ASSOC_VCPUS" },
		{ &tdcs->sept_lock, "SEPT_TREE", true },
		{ &tdcs->notify_enables, "TDCS.NOTIFY_ENABLES" },
		{ &tdcs->epoch.lock, "TD_EPOCH", true },
		{ &tdcs->epoch.td_epoch, "TDCS.TD_EPOCH(value)" },
		{ &tdcs->epoch.refcount[0], "TDCS.REFCOUNT" },
		{ &tdcs->epoch.refcount[1], "TDCS.REFCOUNT" },
		{ &tdcs->rtmr_lock, "RTMR", true },
		{ &tdcs->last_teeinfo_hash_valid, "TDCS.LAST_TEEINFO_HASH_VALID" },
		{ &tdcs->last_teeinfo_hash, "TDCS.LAST_TEEINFO_HASH" },
		{ &tdcs->servtd_bindings_lock, "SERVTD_BINDINGS", true },
		{ &tdcs->servtd_num, "TDCS.SERVTD_NUM" },
		{ &b->state, "TDCS.SERVTD_BINDING.STATE" },
		{ &b->type, "TDCS.SERVTD_BINDING.TYPE" },
		{ &b->attributes, "TDCS.SERVTD_BINDING.ATTRIBUTES" },
		{ &b->info_hash, "TDCS.SERVTD_BINDING.INFO_HASH" },
		{ &b->uuid[0], "TDCS.SERVTD_BINDING.UUID" },
		{ &tdcs->mig_version, "TDCS.MIG_VERSION" },
		{ &tdcs->hp_lock_timeout, "TDCS.HP_LOCK_TIMEOUT" },
		{ &tdcs->vm_ctls[0], "TDCS.VM_CTLS" },
	};
	static const struct named_field any_rtmr = { NULL, "TDCS.RTMR" };
	const struct named_field *f = lookup(fields, ARRAY_SIZE(fields), ev->p);

	if (rtmr < sizeof(tdcs->rtmr))
		f = &any_rtmr;
	if (f)
		field_token(s, ev, f, of);
	return f;
}

static bool module_step(struct steps *s, const struct event *ev)
{
	struct module *mod = module_self();
	const struct named_field fields[] = {
		{ &s->vp->state, "TDVPS.STATE" },
		{ &s->vp->last_td_exit, "TDVPS.LAST_TD_EXIT" },
		{ &s->vp->pend_nmi, "TDVPS.PEND_NMI" },
		{ &s->vp->assoc_lpid, "TDVPS.ASSOC_LPID" },
		{ &s->vp->vcpu_epoch, "TDVPS.VCPU_EPOCH" },
		{ &s->vp->possibly_epf_stepping, "TDVPS.POSSIBLY_EPF_STEPPING" },
		{ &s->vp->last_epf_gpa_list_idx, "TDVPS.LAST_EPF_GPA_LIST_IDX" },
		{ &s->vp->last_epf_gpa_list[0], "TDVPS.LAST_EPF_GPA_LIST" },
		{ &s->vp->hp_lock_busy, "TDVPS.HP_LOCK_BUSY" },
		{ &mod->kot_lock, "KOT", true },
		{ &mod->wbt[0].lock, "WBT", true },
		{ &mod->wbt[0].intr_point, "WBT.INTR_POINT" },
		{ &mod->kot[33].wbinvd_bitmap, "KOT.WBINVD_BITMAP" },
	};
	const struct named_field *f = lookup(fields, ARRAY_SIZE(fields), ev->p);
	u64 key = ((u64)ev->p - (u64)mod->kot) / sizeof(mod->kot[0]);

	if ((u64)ev->p - (u64)mod->ket < sizeof(mod->ket))
		return true;	/* PCONFIG's own lock is the CPU's: no access of the module */
	if (ev->size == 1 && key < HKIDS_MAX && ev->p == &mod->kot[key].state)
		token(s->got, rw[ev->op], "KOT.STATE", "");
	else if ((u64)ev->p - (u64)mod->wbt[0].hkid_flushed < HKIDS_MAX)
		token(s->got, rw[ev->op], "WBT.HKID_FLUSHED", "");
	else if (f)
		field_token(s, ev, f, "");
	else
		return false;
	return true;
}

static void field_step(struct steps *s, const struct event *ev)
{
	if (ev->size == 16) {
		token(s->got, "read", "TDCS.TD_EPOCH+REFCOUNT(16B)", "");
		return;
	}
	if ((u64)ev->p - (u64)phys_to_ptr(TEST_PARAMS) < TD_PARAMS_SIZE) {
		token(s->got, rw[ev->op], "TD_PARAMS", "");
		return;
	}
	/* A page that is cleared: its first word, whatever field of the new page that will be */
	if (s->contents && ev->op == MEM_WRITE && ev->size == 8 && !((u64)ev->p & 4095)) {
		token(s->got, "write", "PAGE_CONTENT", "");
		return;
	}
	if (td_step(s, ev, s->tdr, s->tdcs, "") || module_step(s, ev))
		return;
	if (s->target && td_step(s, ev, s->target, s->target_tdcs, "TARGET "))
		return;
	assert_true(ev->op == MEM_WRITE || ev->op == MEM_READ);
	token(s->got, rw[ev->op], ev->op == MEM_WRITE && ev->value && !s->contents ?
	      "NEW_SEPT_PAGE(512 entries)" : "PAGE_CONTENT", "");
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

void steps_begin(struct steps *s, u32 op_state)
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

void steps_ok(u64 rax)
{
	char buf[80];

	if (rax)
		fail_msg("set-up: %s", status_name(rax, buf, sizeof(buf)));
}

void steps_record(struct steps *s)
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

void steps_compare(struct steps *s, const char *csv, const char *flow)
{
	g_autoptr(GPtrArray) rows = test_csv(csv);
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

void steps_tables(struct steps *s, u8 level)
{
	for (u8 l = LVL_PML4; l > level; l--)
		steps_ok(call(TDH_MEM_SEPT_ADD, l, s->td.tdr, 0x200000 + l * 0x1000, NULL));
}

void steps_mapped(struct steps *s, u8 level)
{
	steps_tables(s, level);
	steps_ok(call(TDH_MEM_PAGE_AUG, level, s->td.tdr, 0x400000, NULL));
}

void steps_blocked(struct steps *s, u8 level)
{
	steps_mapped(s, level);
	steps_ok(call(TDH_MEM_RANGE_BLOCK, level, s->td.tdr, 0, NULL));
	steps_ok(call(TDH_MEM_TRACK, s->td.tdr, 0, 0, NULL));
}

void steps_entered(struct steps *s)
{
	struct tdx_regs r = { .rcx = s->td.tdvpr[0] };

	steps_ok(vp_enter_seam(&r));
}
