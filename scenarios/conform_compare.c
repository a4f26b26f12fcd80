// SPDX-License-Identifier: GPL-2.0-only
/*
 * The model's state against a recorded one, field by field. A field that the record leaves
 * out has its default value there, and is compared with that.
 * Rests on docs/conform.md.
 */
#include "scenarios/conform_priv.h"

#include <stdio.h>
#include <string.h>

void compare_begin(struct compare *c, struct conform_machine *m, const struct conform_sink *sink)
{
	*c = (struct compare){ .m = m, .sink = sink, .op = -1, .agrees = true, .cc = 24 };
	c->window[0] = 1;
}

static void mark(struct compare *c, u64 hpa)
{
	if (hpa >> WINDOW_SHIFT < WINDOWS)
		c->window[hpa >> WINDOW_SHIFT] = 1;
}

void compare_operands(struct compare *c, const struct conform_record *op)
{
	static const enum conform_number hpas[] = { CF_HPA, CF_TDR, CF_RCX_IN, CF_HOLD_PA };

	for (u32 i = 0; i < G_N_ELEMENTS(hpas); i++) {
		if (conform_has(op, hpas[i]))
			mark(c, op->n[hpas[i]]);
	}
}

void want_text(struct compare *c, const char *field, const char *got, const char *expected)
{
	struct conform_difference d = {
		.op = c->op, .flow = c->flow, .field = field, .expected = expected, .got = got,
		.source = c->source,
	};

	if (!strcmp(got, expected))
		return;
	c->agrees = false;
	c->sink->differs(c->sink->ctx, &d);
}

void want(struct compare *c, const char *field, u64 got, u64 expected)
{
	char a[24], b[24];

	if (got == expected)
		return;
	snprintf(a, sizeof(a), "0x%llx", (unsigned long long)got);
	snprintf(b, sizeof(b), "0x%llx", (unsigned long long)expected);
	want_text(c, field, a, b);
}

static void status_text(u64 v, char *buf, size_t n)
{
	char name[100];

	snprintf(buf, n, "0x%llx (%s)", (unsigned long long)v, status_name(v, name, sizeof(name)));
}

void want_status(struct compare *c, const char *field, u64 got, u64 expected)
{
	char a[128], b[128];

	if (got == expected)
		return;
	status_text(got, a, sizeof(a));
	status_text(expected, b, sizeof(b));
	want_text(c, field, a, b);
}

/* PAMT locks in use that have no field of their own */

struct locks {
	const struct compare *c;
	bool final;
	GArray *found;
};

static bool is_running_vcpu(const struct locks *l, u8 size, u64 hpa, u16 raw)
{
	if (size || raw != 4)
		return false;
	for (u32 i = 0; i < CONFORM_LPS; i++) {
		const struct conform_lp *lp = &l->c->m->lp[i];

		if (lp->in_td && l->c->m->tdvpr[lp->vcpu] == hpa)
			return true;
	}
	return false;
}

static void found(void *ctx, u8 size, u64 hpa, u16 raw)
{
	struct locks *l = ctx;
	struct conform_lock one = { size, hpa, raw };

	if ((!size && hpa == CONFORM_TDR) || (size && !hpa))
		return;
	if (!l->final && is_running_vcpu(l, size, hpa, raw))
		return;
	g_array_append_val(l->found, one);
}

static char *lock_list(const struct conform_lock *l, u32 n)
{
	static const char *const sizes[] = { "4k", "2m", "1g" };
	GString *s = g_string_new("[");

	for (u32 i = 0; i < n; i++)
		g_string_append_printf(s, "%s%s 0x%llx 0x%x", i ? ", " : "", sizes[l[i].size],
				       (unsigned long long)l[i].hpa, l[i].raw);
	g_string_append_c(s, ']');
	return g_string_free(s, FALSE);
}

static int by_place(const void *a, const void *b)
{
	const struct conform_lock *x = a, *y = b;

	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return x->hpa < y->hpa ? -1 : x->hpa > y->hpa;
}

static void compare_pl(struct compare *c, const struct conform_record *r, bool final)
{
	struct locks l = {
		.c = c, .final = final,
		.found = g_array_new(FALSE, FALSE, sizeof(struct conform_lock)),
	};
	char *a, *b;

	for (u64 w = 0; w < WINDOWS; w++) {
		if (c->window[w])
			pamt_each_lock(w << WINDOW_SHIFT, (w + 1) << WINDOW_SHIFT, 0, found, &l);
	}
	pamt_each_lock(0, ~0ull, 1, found, &l);
	pamt_each_lock(0, ~0ull, 2, found, &l);
	if (l.found->len || r->npl) {
		if (r->npl)
			qsort(r->pl, r->npl, sizeof(*r->pl), by_place);
		a = lock_list((struct conform_lock *)l.found->data, l.found->len);
		b = lock_list(r->pl, r->npl);
		want_text(c, "pl", a, b);
		g_free(a);
		g_free(b);
	}
	g_array_unref(l.found);
}

static void compare_lc(struct compare *c, const struct conform_record *r,
		       const struct td_peek *td)
{
	const u64 *lc = r->list[CL_LC];

	if (!r->list_n[CL_LC])
		return;
	want(c, "lc LIFECYCLE_STATE", td->lifecycle, lc[0]);
	want(c, "lc KOT.STATE", td->kot_state, lc[1]);
	want(c, "lc WBINVD_BITMAP", td->wbinvd_bitmap, lc[2]);
	if (r->list_n[CL_LC] > 3)
		want(c, "lc NUM_ASSOC_VCPUS", td->num_assoc_vcpus, lc[3]);
}

void compare_state(struct compare *c, const struct conform_record *r, bool final)
{
	struct pamt_peek tdr, m2, g1;
	struct td_peek td;

	td_peek(CONFORM_TDR, &td);
	pamt_peek(CONFORM_TDR, 0, &tdr);
	pamt_peek(CONFORM_TDR, 1, &m2);
	pamt_peek(CONFORM_TDR, 2, &g1);
	want(c, "td_epoch", td.td_epoch, conform_number(r, CF_TD_EPOCH, 1));
	want(c, "rc[0]", td.refcount[0], r->list[CL_RC][0]);
	want(c, "rc[1]", td.refcount[1], r->list[CL_RC][1]);
	want(c, final ? "tree" : "tree_after", td.tree, conform_number(r, CF_TREE, 0));
	want(c, "opl", td.op_state_lock, conform_number(r, CF_OPL, 0));
	want(c, "epl", td.epoch_lock, conform_number(r, CF_EPL, 0));
	want(c, "tdrl", tdr.lock, conform_number(r, CF_TDRL, 0));
	want(c, "p1gl", g1.lock, conform_number(r, CF_P1GL, 0));
	want(c, "p2ml_tdr", m2.lock, conform_number(r, CF_P2ML_TDR, 0));
	want(c, "kotl", td.kot_lock, conform_number(r, CF_KOTL, 0));
	c->cc = conform_number(r, CF_CC, c->cc);
	want(c, "cc", td.chldcnt, c->cc);
	compare_pl(c, r, final);
	compare_lc(c, r, &td);
	if (conform_has(r, CF_ASSOC))
		want(c, "assoc", td.num_assoc_vcpus, r->n[CF_ASSOC]);
	if (conform_has(r, CF_TD))
		want(c, "td", (u32)sept_digest(CONFORM_TDR), r->n[CF_TD]);
}

bool conform_silent(const struct conform_record *op, u64 rax)
{
	static const char *const silent[] = {
		"TDH.MEM.TRACK", "TDH.MR.FINALIZE", "TDH.VP.FLUSH", "TDH.MNG.VPFLUSHDONE",
		"TDH.PHYMEM.CACHE.WB", "TDH.MNG.KEY.FREEID", NULL,
	};

	if (!strcmp(op->t[CT_OP], "TDH.VP.ENTER"))
		return rax != EXIT_REASON_EPT_VIOLATION;
	return g_strv_contains(silent, op->t[CT_OP]);
}

static const char *exit_name(u64 rax)
{
	switch (rax) {
	case EXIT_REASON_EPT_VIOLATION:
		return "EPT_VIOLATION";
	case EXIT_REASON_EXTERNAL_INTERRUPT:
		return "EXT_INTERRUPT";
	default:
		return NULL;
	}
}

const char *conform_result(const struct conform_record *op, const struct conform_record *res,
			   char *buf, size_t n)
{
	u64 rax = conform_number(res, CF_RAX, 0);
	const char *exit = res->t[CT_EXIT], *reason = exit_name(rax);
	bool in_td = exit && g_str_has_prefix(exit, "td");
	char name[100];

	if (in_td && rax == TDG_MEM_PAGE_ACCEPT)
		snprintf(buf, n, "interrupted [%s]", exit);
	else if (reason && !in_td)
		snprintf(buf, n, "%s", reason);
	else
		snprintf(buf, n, "%s%s%s%s", status_name(rax, name, sizeof(name)),
			 in_td ? " [" : "", in_td ? exit : "", in_td ? "]" : "");
	return buf;
}
