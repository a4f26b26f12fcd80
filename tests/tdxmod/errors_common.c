// SPDX-License-Identifier: GPL-2.0-only
/*
 * The situations that flows share, and how a row is checked.
 */
#include "tests/tdxmod/errors_common.h"

#include <stdlib.h>
#include <string.h>

#include "sim/engine/lp.h"

void errors_ok(u64 rax)
{
	char buf[80];

	if (rax)
		fail_msg("set-up: %s", status_name(rax, buf, sizeof(buf)));
}

void errors_begin(struct env *e)
{
	*e = (struct env){ .sim = test_sim() };
	test_td(e->sim, &(struct test_setup){ .pending_ve_disable = true }, &e->td);
	e->tdr = tdr_at(e->td.tdr);
	e->tdcs = td_tdcs(e->tdr);
	e->vp = tdvps_at(e->td.tdvpr[0]);
	for (u8 l = LVL_PML4; l > LVL_PT; l--)
		errors_ok(call(TDH_MEM_SEPT_ADD, l, e->td.tdr, 0x200000 + l * 0x1000, NULL));
	errors_ok(call(TDH_MEM_PAGE_AUG, 0, e->td.tdr, 0x400000, NULL));
}

void point_at(struct env *e, u64 gpa, u8 level)
{
	struct sept_walk w;

	sept_peek_walk(e->tdcs, gpa, level, &w);
	e->entry = w.entry;
	e->level = w.level;
	e->r.rcx = gpa | level;
}

void hold(struct env *e, const char *name, u64 index, u8 level, u32 how)
{
	assert_true(module_lock_find(e->lock_td ? e->lock_td : e->td.tdr, name, index, level,
				     &e->hold));
	e->how = how;
	errors_ok(module_lock_acquire(&e->hold, how));
}

void entry_is(struct env *e, enum sept_state s)
{
	world_set(*e->entry, (*e->entry & ~SEPT_STATE_MASK) | sept_state_bits(s));
}

/* --- situations ----------------------------------------------------------------------- */

void version_1(struct env *e, u32 v) { e->r.rax |= 1 << 16; }
void outside(struct env *e, u32 v) { *e->handle = 0x40000000; }
void not_that(struct env *e, u32 v) { *e->handle = 0x2000; }
void fatal(struct env *e, u32 v) { world_set(e->tdr->fatal, 1); }
void no_tdcs(struct env *e, u32 v) { world_set(e->tdr->num_tdcx, 5); }
void page_outside(struct env *e, u32 v) { e->r.r8 = 0x40000000; }
void tree_sh(struct env *e, u32 v) { hold(e, "SEPT_TREE", 0, 0, ACQUIRE_SHARED); }
void tree_ex(struct env *e, u32 v) { hold(e, "SEPT_TREE", 0, 0, ACQUIRE_EXCLUSIVE); }
void state_removed(struct env *e, u32 v) { entry_is(e, SEPT_REMOVED); }
void page_taken(struct env *e, u32 v) { e->r.r8 = 0x203000; }
void interrupted(struct env *e, u32 v) { lp_disturb(e->sim, lp_self(), IRQ_EXTERNAL); }

void bad_handle(struct env *e, u32 v)
{
	static const u64 bad[] = { BIT_ULL(45), 0x800, BIT_ULL(52) };

	*e->handle |= bad[e->flags ? 0 : v];
}

void walk_busy(struct env *e, u32 v)
{
	hold(e, "PAMT", *e->handle & GENMASK_ULL(47, 12), v == 0 ? 3 : v == 1 ? 2 : 1, ACQUIRE_EXCLUSIVE);
}

void covered(struct env *e, u32 v)
{
	world_set(module_self()->pamt_2m[0].pt, PT_REG);
}

void tdr_busy(struct env *e, u32 v)
{
	hold(e, "TDR", 0, 0, ACQUIRE_EXCLUSIVE);
}

void op_busy(struct env *e, u32 v)
{
	hold(e, "OP_STATE", 0, 0, ACQUIRE_EXCLUSIVE);
}

void op_state(struct env *e, u32 v)
{
	world_set(e->tdcs->op_state, OP_STATE_UNINITIALIZED);
}

void bad_info(struct env *e, u32 v)
{
	static const u64 bits[] = { 8, BIT_ULL(52), 7 };

	if (v < 3)
		e->r.rcx |= bits[v];
	else
		e->r.rcx |= e->level ? 0x1000 : BIT_ULL(11);
}

void bad_gpa(struct env *e, u32 v)
{
	e->r.rcx |= BIT_ULL(v ? 48 : 47);
}

void unmapped(struct env *e, u32 v)
{
	u8 level = e->r.rcx & 7;

	point_at(e, BIT_ULL(39), level);	/* ends at the root */
}

void entry_busy(struct env *e, u32 v)
{
	errors_ok(sept_lock_guest(e->entry));
	e->raw = *e->entry & ~SEPT_TDEL;	/* as the walk reports it */
}

void bad_page(struct env *e, u32 v)
{
	static const u64 bits[] = { 0x800, BIT_ULL(45), BIT_ULL(52) };

	e->r.r8 |= bits[v];
}

void page_busy(struct env *e, u32 v)
{
	hold(e, "PAMT", e->r.r8, v ? 1 : 2, ACQUIRE_EXCLUSIVE);
}

void page_covered(struct env *e, u32 v)
{
	world_set(pamt_entry_of(module_self(), e->r.r8, SIZE_2M)->pt, PT_REG);
}

void old_page_busy(struct env *e, u32 v)
{
	hold(e, "PAMT", e->old_page, 1, ACQUIRE_SHARED);
}

void not_blocked(struct env *e, u32 v)
{
	entry_is(e, sept_is_leaf(*e->entry) ? SEPT_PENDING : SEPT_NL_MAPPED);
}

void not_tracked(struct env *e, u32 v)
{
	bool leaf = sept_is_leaf(*e->entry);
	struct pamt_entry *page = pamt_entry_of(module_self(), *e->entry & SEPT_HPA,
						leaf ? e->level : SIZE_4K);

	world_set(page->bepoch, e->tdcs->epoch.td_epoch);
}

/* --- rows -------------------------------------------------------------------------------- */

static const struct situation *find(const struct error_rows *rows, char **f)
{
	for (u32 i = 0; i < rows->n; i++) {
		const struct situation *s = &rows->situation[i];

		if ((!s->flow || g_str_has_prefix(f[0], s->flow)) &&
		    g_str_has_prefix(f[2], s->check))
			return s;
	}
	return NULL;
}

/* "TDX_OPERAND_BUSY", "RCX(1)" or "-" or "0x3B" as a status */
static u64 status_of(char **f)
{
	g_auto(GStrv) name = g_strsplit_set(f[3], " (", 2);
	char *open = strchr(f[4], '(');
	bool with;
	u64 v;

	if (g_str_has_prefix(f[3], "RAX = 48"))
		return EXIT_REASON_EPT_VIOLATION;
	if (!status_value(name[0], &v, &with))
		fail_msg("no status %s", name[0]);
	return open ? v | strtoul(open + 1, NULL, 10) : v;
}

static void out(struct env *e, char **f, const struct error_rows *rows)
{
	const char *text = f[5];
	u64 rcx, rdx;

	if (strstr(text, "keep their INPUT values") || strstr(text, "unchanged;") ||
	    !strcmp(text, "unchanged") || strstr(text, "restored to inputs") ||
	    g_str_has_prefix(text, "rcx/rdx unchanged")) {
		assert_int_equal(e->r.rcx, e->in.rcx);
		assert_int_equal(e->r.rdx, e->in.rdx);
	} else if (g_str_has_prefix(text, "rcx=rdx=0") || g_str_has_prefix(text, "rcx=rdx=r8=0") ||
		   !strcmp(text, "0")) {
		assert_int_equal(e->r.rcx | e->r.rdx, 0);
	} else if (strstr(text, "arch entry")) {
		sept_arch(e->raw, e->level, &rcx, &rdx);
		assert_int_equal(e->r.rcx, rcx);
		assert_int_equal(e->r.rdx, rdx);
	} else if (rows->check_out) {
		rows->check_out(e, f);
	}
}

/* @later: a check that comes after, which fails too and must not be heard of; NULL: none */
static bool check_row(const struct error_rows *rows, char **f, const struct situation *s,
		      u32 variant, const struct situation *later)
{
	char a[80], b[80];
	struct env e;
	u64 want;

	errors_begin(&e);
	rows->operands(&e, f[0]);
	if (later) {
		later->make(&e, 0);
		if (e.hold.p) {		/* one lock at a time is held */
			sim_free(e.sim);
			return false;
		}
	}
	s->make(&e, variant);
	if (e.entry && !e.raw)
		e.raw = *e.entry;
	e.in = e.r;
	if (e.run)
		e.r.rax = e.run(&e);
	else
		seamcall(&e.r);
	want = status_of(f);
	if (e.r.rax != want)
		fail_msg("%s check %s (%s)%s%s, variant %u: %s, not %s", f[0], f[1], f[2],
			 later ? " before " : "", later ? later->check : "", variant,
			 status_name(e.r.rax, a, sizeof(a)), status_name(want, b, sizeof(b)));
	if (later) {
		sim_free(e.sim);
		return true;
	}
	out(&e, f, rows);
	/* Whatever was taken on the way has been given back, but for leaked counts */
	assert_int_equal(check_count(e.sim), 0);
	if (e.hold.p)
		module_lock_release(&e.hold, e.how);
	sim_free(e.sim);
	return true;
}

void errors_rows(const struct error_rows *rows, u32 *done, u32 *not)
{
	g_autoptr(GPtrArray) csv = test_csv(rows->csv);

	*done = *not = 0;
	for (u32 i = 1; i < csv->len; i++) {
		char **f = csv->pdata[i];
		const struct situation *s;

		if (!g_str_has_prefix(f[0], rows->prefix))
			continue;
		s = find(rows, f);
		if (!s)
			fail_msg("no situation for %s check %s: %s", f[0], f[1], f[2]);
		if (s->why) {
			(*not)++;
			continue;
		}
		for (u32 v = 0; v < (s->variants ? s->variants : 1); v++)
			check_row(rows, f, s, v, NULL);
		(*done)++;
	}
	print_message("%u rows checked, %u cannot be set up\n", *done, *not);
}

u32 errors_order(const struct error_rows *rows)
{
	g_autoptr(GPtrArray) csv = test_csv(rows->csv);
	u32 pairs = 0;

	for (u32 i = 1; i < csv->len; i++) {
		char **f = csv->pdata[i];
		const struct situation *s = g_str_has_prefix(f[0], rows->prefix) ? find(rows, f) : NULL;

		for (u32 k = i + 1; s && !s->why && k < csv->len; k++) {
			char **g = csv->pdata[k];
			const struct situation *later = strcmp(f[0], g[0]) ? NULL : find(rows, g);

			if (later && !later->why && !later->other && later != s)
				pairs += check_row(rows, f, s, 0, later);
		}
	}
	print_message("%u pairs of checks\n", pairs);
	return pairs;
}
