// SPDX-License-Identifier: GPL-2.0-only
/*
 * The model's state against a recorded one, field by field. A field that the record leaves
 * out has its default value there, and is compared with that.
 * Rests on docs/conform.md.
 */
#include "scenarios/conform_priv.h"

#include <stdio.h>
#include <string.h>

void compare_begin(struct compare *c, struct conform_player *p, const struct conform_sink *sink)
{
	*c = (struct compare){
		.m = p->m, .sink = sink, .op = -1, .agrees = true, .cc = 24,
		.seen = machine_made(p->m), .locks = p->locks,
	};
	g_array_set_size(c->locks, 0);
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

/*
 * What can have changed is what the log says was written since the last look: that is all that
 * is looked at, of thousands of PAMT entries and tables.
 */

static void lock_seen(void *ctx, u8 size, u64 hpa, u16 raw)
{
	struct compare *c = ctx;
	struct conform_lock *known = (struct conform_lock *)c->locks->data, l = { size, hpa, raw };
	u32 i = 0;

	while (i < c->locks->len && (known[i].size != size || known[i].hpa != hpa))
		i++;
	if (i < c->locks->len)
		known[i] = l;
	if (i < c->locks->len && !raw)
		g_array_remove_index_fast(c->locks, i);
	else if (i == c->locks->len && raw)
		g_array_append_val(c->locks, l);
}

static void look(struct compare *c)
{
	u64 n;
	const struct undo_entry *e = undo_since(c->seen, &n);

	if (peek_written(CONFORM_TDR, e, n, lock_seen, c))
		c->digested = false;
	c->seen = undo_mark();
}

static u64 digest_now(struct compare *c)
{
	if (!c->digested)
		c->digest = sept_digest(CONFORM_TDR);
	c->digested = true;
	return c->digest;
}

/* PAMT locks in use that have no field of their own */

static bool is_running_vcpu(const struct compare *c, const struct conform_lock *l)
{
	if (l->size || l->raw != 4)
		return false;
	for (u32 i = 0; i < CONFORM_LPS; i++) {
		const struct conform_lp *lp = &c->m->lp[i];

		if (lp->in_td && c->m->tdvpr[lp->vcpu] == l->hpa)
			return true;
	}
	return false;
}

static bool has_no_field(const struct compare *c, const struct conform_lock *l, bool final)
{
	if ((!l->size && l->hpa == CONFORM_TDR) || (l->size && !l->hpa))
		return false;
	return final || !is_running_vcpu(c, l);
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
	struct conform_lock *lock = (struct conform_lock *)c->locks->data, *found;
	u32 n = 0;
	char *a, *b;

	for (u32 i = 0; i < c->locks->len; i++)
		n += has_no_field(c, &lock[i], final);
	if (!n && !r->npl)
		return;
	found = g_new(struct conform_lock, n + 1);
	n = 0;
	for (u32 i = 0; i < c->locks->len; i++)
		if (has_no_field(c, &lock[i], final))
			found[n++] = lock[i];
	qsort(found, n, sizeof(*found), by_place);
	if (r->npl)
		qsort(r->pl, r->npl, sizeof(*r->pl), by_place);
	a = lock_list(found, n);
	b = lock_list(r->pl, r->npl);
	want_text(c, "pl", a, b);
	g_free(found);
	g_free(a);
	g_free(b);
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

	look(c);
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
		want(c, "td", (u32)digest_now(c), r->n[CF_TD]);
}

bool conform_silent(const struct conform_record *op, u64 rax)
{
	switch ((u32)op->call) {
	case TDH_VP_ENTER:
		return rax != EXIT_REASON_EPT_VIOLATION;
	case TDH_MEM_TRACK:
	case TDH_MR_FINALIZE:
	case TDH_VP_FLUSH:
	case TDH_MNG_VPFLUSHDONE:
	case TDH_PHYMEM_CACHE_WB:
	case TDH_MNG_KEY_FREEID:
		return true;
	default:
		return false;
	}
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
