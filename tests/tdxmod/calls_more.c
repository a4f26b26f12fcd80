// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls with any registers, right and wrong, as TDX_1.5.01 answered them (more_calls.csv): TDs and
 * vCPUs being built, their metadata, debug accesses, relocation, service TDs, TDCALLs. After
 * each the registers, both TDs, the keys and the PAMT of all pages that take part.
 */
#include "tests/tdxmod/common.h"

#include <stdlib.h>
#include <string.h>

#include "sim/engine/lp.h"
#include "tdxmod/guest.h"
#include "tdxmod/seamcall.h"
#include "tdxmod/status.h"
#include "tdxmod/tdcall.h"

enum { CASE, LP, KIND, IN, OUT = IN + 9, TD = OUT + 9, TD2, KOT, PAMT, COLUMNS };

#define TDR2		0x800000ull
#define BOUND		0xb1bd0000u	/* 0xb1bd000000000000 + n: what the last BIND returned, n-th */

struct calls {
	struct sim *sim;
	struct test_td td;
	u64 bound[5];
	char **row;
	u32 line, wrong;
	bool lost;		/* this case differs: on to the next */
};

static const char *const names[9] = { "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13" };

static u64 *reg(struct tdx_regs *r, u32 i)
{
	u64 *const regs[9] = { &r->rax, &r->rcx, &r->rdx, &r->r8, &r->r9, &r->r10, &r->r11, &r->r12,
			       &r->r13 };

	return regs[i];
}

static u64 column(const struct calls *c, u32 i)
{
	return g_ascii_strtoull(c->row[i], NULL, 16);
}

static struct tdx_regs input(const struct calls *c)
{
	struct tdx_regs r = { 0 };

	for (u32 i = 0; i < 9; i++) {
		u64 v = column(c, IN + i);

		*reg(&r, i) = v >> 32 == BOUND ? c->bound[v & 7] : v;
	}
	return r;
}

static void differs(struct calls *c, const char *what, const char *recorded, const char *model)
{
	g_autofree char *in = g_strjoinv(",", c->row);

	if (c->lost)
		return;
	print_error("row %u, %s: recorded %s, model %s\n\t%s\n", c->line, what, recorded, model, in);
	c->lost = true;
	c->wrong++;
}

#define FIELD_HP_LOCK_TIMEOUT	0x9110000300000011ull
#define FIELD_TD_UUID		0x8010000300000020ull

/* Not compared: what carries a random TD_UUID, times; a SEAMCALL that has no other outputs */
static bool skipped(const struct calls *c, u32 i)
{
	u64 leaf = column(c, IN), rdx = column(c, IN + 2);

	if (i == 3 && (rdx == FIELD_HP_LOCK_TIMEOUT || rdx == FIELD_TD_UUID))
		return true;
	if (strcmp(c->row[KIND], "seam"))
		return leaf == TDG_VP_VEINFO_GET && i == 5;	/* of the instruction: not modelled */
	return i && (leaf == TDH_VP_ENTER || leaf == TDH_SERVTD_BIND || leaf == TDH_VP_FLUSH);
}

static void registers(struct calls *c, struct tdx_regs *r)
{
	char got[40];

	for (u32 i = 0; i < 9; i++) {
		u64 want = column(c, OUT + i);

		if (skipped(c, i))
			continue;
		if (want >> 32 == BOUND)
			want = c->bound[want & 7];
		if (i && column(c, IN + i) >> 32 == BOUND && *reg(r, i) == c->bound[column(c, IN + i) & 7])
			continue;
		g_snprintf(got, sizeof(got), "0x%llx", (unsigned long long)*reg(r, i));
		if (*reg(r, i) != want)
			differs(c, names[i], c->row[OUT + i], got);
	}
}

static void td_text(u64 hpa, char *buf, size_t n)
{
	const struct module *mod = module_self();
	const struct tdr *t = tdr_at(hpa);
	const struct tdcs *s;
	int at;

	if (mem_peek8(&pamt_entry_of(mod, hpa, SIZE_4K)->pt) != PT_TDR) {
		g_strlcpy(buf, "-", n);
		return;
	}
	at = g_snprintf(buf, n, "%u/%u/%u/%llu", mem_peek8(&t->fatal), mem_peek8(&t->lifecycle),
			mem_peek8(&t->num_tdcx), (unsigned long long)mem_peek64(&t->chldcnt));
	if (!mem_peek8(&t->num_tdcx))
		return;
	s = td_tdcs(t);
	g_snprintf(buf + at, n - at, "/%u/%u/%u/%x", mem_peek32(&s->num_vcpus),
		   mem_peek32(&s->num_assoc_vcpus), mem_peek32(&s->op_state),
		   mem_peek16(&s->op_state_lock));
}

static u64 fnv(u64 h, u64 v)
{
	for (u32 i = 0; i < 64; i += 8)
		h = (h ^ (v >> i & 0xff)) * 0x100000001b3ull;
	return h;
}

static void pamt_text(char *buf, size_t n)
{
	static const struct {
		u64 from, to;
	} pages[] = {
		{ 0x1000, 0x8000 }, { 0x10000, 0x28000 }, { 0x200000, 0x210000 },
		{ 0x400000, 0x408000 }, { 0x800000, 0x808000 }, { 0x810000, 0x818000 },
	};
	static const u64 regions[] = { 0, 0x200000, 0x400000, 0x800000 };
	u64 h = 0xcbf29ce484222325ull;

	for (u32 i = 0; i < ARRAY_SIZE(pages); i++) {
		for (u64 hpa = pages[i].from; hpa < pages[i].to; hpa += 0x1000) {
			const struct pamt_entry *e = pamt_entry_of(module_self(), hpa, SIZE_4K);
			u8 pt = mem_peek8(&e->pt);

			h = fnv(h, pt | mem_peek16(&e->lock) << 8);
			h = fnv(h, pt == PT_NDA ? 0 : (u64)mem_peek32(&e->owner) << 12);
		}
	}
	for (u32 i = 0; i < ARRAY_SIZE(regions); i++) {
		const struct pamt_entry *e = pamt_entry_of(module_self(), regions[i], SIZE_2M);

		h = fnv(h, mem_peek8(&e->pt) | mem_peek16(&e->lock) << 8);
	}
	g_snprintf(buf, n, "%08x", (u32)h);
}

static void state(struct calls *c)
{
	struct module *mod = module_self();
	char text[120];

	td_text(c->td.tdr, text, sizeof(text));
	if (strcmp(text, c->row[TD]))
		differs(c, "TD", c->row[TD], text);
	td_text(TDR2, text, sizeof(text));
	if (strcmp(text, c->row[TD2]))
		differs(c, "second TD", c->row[TD2], text);
	g_snprintf(text, sizeof(text), "%u/%u", mem_peek8(&mod->kot[33].state),
		   mem_peek8(&mod->kot[34].state));
	if (strcmp(text, c->row[KOT]))
		differs(c, "KOT", c->row[KOT], text);
	pamt_text(text, sizeof(text));
	if (strcmp(text, c->row[PAMT]))
		differs(c, "PAMT", c->row[PAMT], text);
}

static void begin(struct calls *c)
{
	if (c->sim)
		sim_free(c->sim);
	c->sim = test_sim();
	test_td(c->sim, &(struct test_setup){ .op_state = (u32)column(c, IN + 1),
		.pending_ve_disable = true }, &c->td);
	memset(c->bound, 0, sizeof(c->bound));
}

static void seam(struct calls *c)
{
	struct tdx_regs r = input(c);
	u64 leaf = r.rax;

	if (leaf == TDH_VP_ENTER)
		r.rax = vp_enter_seam(&r);
	else
		seamcall(&r);
	registers(c, &r);
	if (leaf == TDH_SERVTD_BIND && !r.rax)
		memcpy(c->bound, (u64[]){ r.rcx, r.r10, r.r11, r.r12, r.r13 }, sizeof(c->bound));
}

static void tdcall_(struct calls *c, bool exits)
{
	struct tdx_regs g = input(c), r = { 0 };
	bool again, exited = vmexit_tdcall(lp_ctx_self(), &g, &again, &r);

	if (exited != exits)
		differs(c, "exit", exits ? "yes" : "no", exited ? "yes" : "no");
	registers(c, exits ? &r : &g);
}

static void one(struct calls *c)
{
	const char *kind = c->row[KIND];
	struct tdx_regs r = input(c);
	struct lp_ctx *lp;

	if (!strcmp(kind, "begin")) {
		begin(c);
		return;
	}
	test_on_lp((u16)atoi(c->row[LP]));
	lp = lp_ctx_self();
	if (!strcmp(kind, "poke")) {
		memcpy(phys_to_ptr(r.rcx), &r.rdx, r.r8);	/* little-endian */
	} else if (!strcmp(kind, "debug")) {
		world_set(td_tdcs(tdr_at(r.rcx))->attributes, r.rdx);
	} else if (!strcmp(kind, "intr")) {
		world_set(lp->vp->guest.rip, lp->vp->guest.rip + 0x40);
		if (!vmexit_interrupt(lp, &r))
			differs(c, "exit", "yes", "no");
	} else if (!strcmp(kind, "enter")) {
		if (vp_enter_seam(&r))
			differs(c, "rax", "the guest runs", "an error");
	} else if (!strcmp(kind, "seam")) {
		seam(c);
	} else {
		tdcall_(c, !strcmp(kind, "tdexit"));
	}
	state(c);
	if (check_count(c->sim))
		differs(c, "check", "none", check_at(c->sim, 0)->text);
}

static void test_calls(void **state)
{
	const char *file = getenv("TEST_CALLS");
	g_autoptr(GPtrArray) rows = test_csv(file ? file : "more_calls.csv");
	struct calls c = { 0 };

	for (c.line = 1; c.line < rows->len; c.line++) {
		c.row = rows->pdata[c.line];
		assert_int_equal(g_strv_length(c.row), COLUMNS);
		if (!strcmp(c.row[KIND], "begin"))
			c.lost = false;
		if (!c.lost)
			one(&c);
	}
	assert_int_equal(c.wrong, 0);
	sim_free(c.sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
