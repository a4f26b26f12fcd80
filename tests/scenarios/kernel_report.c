// SPDX-License-Identifier: GPL-2.0-only
/*
 * What `septsim kernel` says of a series, on hand-made campaigns: what a change made different,
 * and whether its lines ran.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scenarios/program.h"
#include "sim/cli/kernel_lines.h"

static const struct report_look wide = { .width = 400 };

/* ---- what a change made different ---- */

static struct campaign_item *item(struct campaign *c, const char *name, enum campaign_verdict v)
{
	struct campaign_item *i = campaign_item_new(CAMPAIGN_SEARCH, name, "case");

	i->verdict = v;
	if (v == CAMPAIGN_BAD || v == CAMPAIGN_KNOWN) {
		g_free(i->id);
		i->id = g_strdup("kvm-bug");
	}
	g_ptr_array_add(c->items, i);
	return i;
}

static guint change_of(enum campaign_verdict was, enum campaign_verdict is, char **text)
{
	struct campaign *before = campaign_new(), *now = campaign_new();
	GString *out = g_string_new(NULL);
	guint worse;

	item(before, "a01", was);
	item(now, "a01", is);
	worse = report_campaign_change(before, now, &wide, out);
	*text = g_string_free(out, FALSE);
	campaign_free(before);
	campaign_free(now);
	return worse;
}

static void assert_change(enum campaign_verdict was, enum campaign_verdict is, guint worse,
			  const char *want)
{
	char *text;

	assert_int_equal(change_of(was, is, &text), worse);
	assert_string_equal(text, want);
	g_free(text);
}

static void test_not_compared(void **state)
{
	assert_change(CAMPAIGN_GOOD, CAMPAIGN_GOOD, 0, "  no difference\n");
	assert_change(CAMPAIGN_GOOD, CAMPAIGN_LATE, 0,
		      "  no difference\n  1 not compared: the time was up\n");
	assert_change(CAMPAIGN_LATE, CAMPAIGN_GOOD, 0,
		      "  no difference\n  1 not compared: the time was up\n");
	assert_change(CAMPAIGN_GOOD, CAMPAIGN_SKIPPED, 0,
		      "  no difference\n  1 not compared: played before this change, and cannot be "
		      "now\n");
	assert_change(CAMPAIGN_SKIPPED, CAMPAIGN_GOOD, 0,
		      "  no difference\n  1 not compared: could not be played before this change\n");
	assert_change(CAMPAIGN_SKIPPED, CAMPAIGN_SKIPPED, 0, "  no difference\n");
}

static void test_compared(void **state)
{
	char *text;

	assert_change(CAMPAIGN_BAD, CAMPAIGN_GOOD, 0, "  mended: a01 case (was kvm-bug)\n");
	assert_change(CAMPAIGN_GOOD, CAMPAIGN_KNOWN, 0,
		      "  no difference\n  1 as expected before, and now as on the reference model, "
		      "which is not as expected: a01 case\n");
	assert_int_equal(change_of(CAMPAIGN_GOOD, CAMPAIGN_BAD, &text), 1);
	assert_non_null(strstr(text, "broken: a01 case"));
	g_free(text);
	/* What breaks is told, even where nobody knows how it was. */
	assert_int_equal(change_of(CAMPAIGN_LATE, CAMPAIGN_BAD, &text), 1);
	g_free(text);
}

static void test_another_version(void **state)
{
	struct campaign *before = campaign_new(), *now = campaign_new();
	GString *out = g_string_new(NULL);

	g_free(now->backend);
	now->backend = g_strdup("linux 7.3.4 (v7.3)");
	report_campaign_change(before, now, &wide, out);
	assert_string_equal(out->str, "  the tree is linux 7.3.4 (v7.3) from here on\n"
				      "  no difference\n");
	g_string_free(out, TRUE);
	campaign_free(before);
	campaign_free(now);
}

/* ---- whether its lines ran ---- */

/* Line @n is the block at @n, which ran @hits times. */
static void line(GPtrArray *added, struct campaign *c, const char *path, guint n, guint64 hits)
{
	struct added *a = g_new0(struct added, 1);
	guint64 place = n;

	a->path = g_strdup(path);
	a->line = n;
	a->places = g_array_new(FALSE, FALSE, sizeof(guint64));
	g_ptr_array_add(added, a);
	if (!hits)
		return;
	campaign_line_at(c, place)->hits = hits;
	g_array_append_val(a->places, place);
}

static void code(GPtrArray *added, guint n)
{
	guint64 place = n;

	for (guint i = 0; i < added->len; i++) {
		struct added *a = added->pdata[i];

		if (a->line == n && !a->places->len)
			g_array_append_val(a->places, place);
	}
}

static void test_lines_of_one_fate(void **state)
{
	GPtrArray *added = kernel_lines_of("");		/* frees what is in it */
	struct campaign *c = campaign_new();
	GString *out = g_string_new(NULL);
	const guint dead[] = { 10, 11, 12, 20, 22, 23 };

	for (guint i = 0; i < G_N_ELEMENTS(dead); i++) {
		line(added, c, "arch/x86/kvm/mmu/mmu.c", dead[i], 0);
		code(added, dead[i]);
	}
	line(added, c, "arch/x86/kvm/mmu/mmu.c", 30, 7);
	line(added, c, "arch/x86/kvm/mmu/mmu.c", 31, 7);
	line(added, c, "arch/x86/kvm/vmx/tdx.c", 32, 7);
	line(added, c, "virt/kvm/pfncache.c", 40, 0);
	line(added, c, "lib/vsprintf.c", 41, 0);
	line(added, c, "lib/vsprintf.c", 42, 0);
	line(added, c, "lib/xz/xz.c", 43, 0);
	report_kernel_lines(added, c, &wide, out);
	assert_string_equal(out->str,
		"  arch/x86/kvm/mmu/mmu.c:10-12, 20, 22-23 never ran: clean is worth nothing here\n"
		"  arch/x86/kvm/mmu/mmu.c:30-31 ran 7 times, under 0 placements of the others\n"
		"  arch/x86/kvm/vmx/tdx.c:32 ran 7 times, under 0 placements of the others\n"
		"  changed, and nothing of that runs here, so nothing is said of it: "
		"virt/kvm/pfncache.c, and 2 files beside KVM and TDX\n"
		"  9 changed lines with code: 3 ran, 6 never ran\n");
	g_string_free(out, TRUE);
	g_ptr_array_unref(added);
	campaign_free(c);
}

static void test_more_than_is_shown(void **state)
{
	GPtrArray *added = kernel_lines_of("");
	struct report_look all = wide;
	struct campaign *c = campaign_new();
	GString *out = g_string_new(NULL);

	for (guint i = 1; i <= 43; i++)
		line(added, c, "arch/x86/kvm/mmu/mmu.c", 2 * i, i);
	line(added, c, "arch/x86/kvm/mmu/mmu.c", 88, 43);
	report_kernel_lines(added, c, &wide, out);
	assert_non_null(strstr(out->str, "mmu.c:80 ran"));
	assert_null(strstr(out->str, "mmu.c:82"));
	assert_non_null(strstr(out->str, "and 3 more places: --verbose has all\n"
					 "  44 changed lines with code: 44 ran, 0 never ran\n"));
	all.verbose = TRUE;
	report_kernel_lines(added, c, &all, out);
	assert_non_null(strstr(out->str, "mmu.c:86, 88 ran"));
	g_string_free(out, TRUE);
	g_ptr_array_unref(added);
	campaign_free(c);
}

/* ---- random programs ---- */

/* A tree plays nothing of another version, so a program that said none was skipped by all but one. */
static void test_program_of_a_version(void **state)
{
	GString *race = program_random(PROGRAM_RACE, 1, 0, "v7.3");
	GString *none = program_random(PROGRAM_RACE, 1, 0, NULL);

	assert_non_null(strstr(race->str, "\nvariant  kvm=v7.3\n"));
	assert_null(strstr(none->str, "variant"));
	g_string_free(race, TRUE);
	g_string_free(none, TRUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_compared),
		cmocka_unit_test(test_compared),
		cmocka_unit_test(test_another_version),
		cmocka_unit_test(test_lines_of_one_fate),
		cmocka_unit_test(test_more_than_is_shown),
		cmocka_unit_test(test_program_of_a_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
