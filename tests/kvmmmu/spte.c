// SPDX-License-Identifier: GPL-2.0-only
/*
 * Encodings of mirror entries, both layouts; words of variants and policies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "kvmmmu/own/policy.h"
#include "kvmmmu/own/spte.h"
#include "kvmmmu/own/variant.h"

static const struct spte_how rwx = { .writable = true, .executable = true, .accessed = true };

static void values(void **state)
{
	/* docs/model.md "Encodings": bit 63 everywhere, bit 11 present, RWX, A, D; v7.2: bit 10 with X */
	assert_int_equal(SHADOW_NONPRESENT_VALUE, 1ull << 63);
	assert_int_equal(spte_layout_v7_2.frozen, 1ull << 63 | 0x1a0);
	assert_int_equal(spte_layout_v6_16.frozen, 1ull << 63 | 0x5a0);
	assert_int_equal(make_spte(&spte_layout_v7_2, 0x401000, 1, rwx),
			 1ull << 63 | 5ull << 53 | 0x401000 | 0xf77);
	assert_int_equal(make_spte(&spte_layout_v6_16, 0x401000, 1, rwx),
			 1ull << 63 | 3ull << 57 | 0x401000 | 0xb77);
	assert_int_equal(make_nonleaf_spte(&spte_layout_v7_2, 0x200000, false),
			 1ull << 63 | 0x200000 | 0xd07);
}

static void classes(void **state)
{
	const struct spte_layout *l = &spte_layout_v7_2;

	assert_int_equal(mirror_class_of(SHADOW_NONPRESENT_VALUE), MIRROR_NONPRESENT);
	assert_int_equal(mirror_class_of(spte_layout_v6_16.frozen), MIRROR_FROZEN);
	assert_int_equal(mirror_class_of(l->frozen), MIRROR_FROZEN);
	assert_int_equal(mirror_class_of(make_spte(l, 0x401000, 1, rwx)), MIRROR_LEAF);
	assert_int_equal(mirror_class_of(make_spte(l, 0x400000, 2, rwx)), MIRROR_LEAF);
	assert_int_equal(mirror_class_of(make_nonleaf_spte(l, 0x401000, false)), MIRROR_TABLE);
	assert_int_equal(mirror_class_of(1ull << 63 | 5), MIRROR_OTHER);
	assert_int_equal(mirror_class_of(make_mmio_spte(false, 0x10, 3)), MIRROR_MMIO);
	assert_int_equal(mirror_class_of(make_mmio_spte(true, 0x10, 3)), MIRROR_MMIO);
	assert_false(is_shadow_present_pte(l->frozen));
}

/* From v7.2 on MBEC's X of user mode goes with X, also where accesses are tracked. */
static void executable(void **state)
{
	const struct spte_layout *l = &spte_layout_v7_2, *old = &spte_layout_v6_16;
	struct spte_how how = { .ad_disabled = true, .executable = true, .accessed = true };
	u64 leaf = make_spte(l, 0x401000, 1, how), track = mark_spte_for_access_track(l, leaf);

	assert_true(leaf & SPTE_USER_EXECUTABLE);
	assert_true(make_nonleaf_spte(l, 0x401000, false) & SPTE_USER_EXECUTABLE);
	assert_true(is_access_track_spte(l, track));
	assert_false(track & SPTE_USER_EXECUTABLE);
	assert_true(restore_acc_track_spte(l, track) == (leaf & ~SPTE_ACCESSED));
	assert_false(make_spte(old, 0x401000, 1, how) & SPTE_USER_EXECUTABLE);
	how.executable = false;
	assert_false(make_spte(l, 0x401000, 1, how) & SPTE_USER_EXECUTABLE);
}

static void atomic_writes(void **state)
{
	const struct spte_layout *l = &spte_layout_v7_2;
	u64 leaf = make_spte(l, 0x401000, 1, rwx);

	assert_false(spte_needs_atomic_update(l, leaf, 1));
	assert_true(spte_needs_atomic_update(l, leaf & ~SPTE_DIRTY, 1));
	assert_true(spte_needs_atomic_update(l, leaf & ~SPTE_WRITABLE, 1));
	assert_true(spte_needs_atomic_update(l, leaf | 1ull << 60, 1));
	assert_false(spte_needs_atomic_update(l, make_nonleaf_spte(l, 0x401000, false), 2));
	assert_false(spte_needs_atomic_update(l, l->frozen, 1));
}

static void variants(void **state)
{
	const char *ok[] = { "kvm=v6.16", "no-freeze", "tdx=1.5.05", NULL };
	const char *typo[] = { "no-freze", NULL };
	const char *version[] = { "kvm=v6.17", NULL };
	const char *policy;
	GError *err = NULL;
	u64 bits;

	assert_true(kvm_variant_parse(NULL, &bits, &policy, &err));
	assert_string_equal(policy, "v7.2");
	assert_int_equal(bits, 0);
	assert_true(kvm_variant_parse(ok, &bits, &policy, &err));
	assert_string_equal(policy, "v6.16");
	assert_true(bits >> SW_NO_FREEZE & 1);
	assert_true(bits >> SW_PIN_PAGES & 1);
	assert_false(kvm_variant_parse(typo, &bits, &policy, &err));
	assert_string_equal(err->message, "unknown switch 'no-freze'; did you mean 'no-freeze'?");
	g_clear_error(&err);
	assert_false(kvm_variant_parse(version, &bits, &policy, &err));
	assert_non_null(strstr(err->message, "unknown kernel 'v6.17'; did you mean 'v6.1"));
	g_clear_error(&err);
}

static void policies(void **state)
{
	const char *good[] = { "retries=5", NULL }, *bad[] = { "retry=5", NULL };
	const char *big[] = { "retries=x", NULL };
	const struct kmmu_word *w;
	u64 args[POLICY_ARGS] = { 0 };
	GError *err = NULL;
	u32 n, i;

	w = kmmu_policies(&n);
	for (i = 0; i < n; i++)
		assert_non_null(policy_find(w[i].name));
	assert_null(w[n].name);
	assert_null(policy_find("v20"));
	assert_true(policy_parse_args(policy_find("v19"), NULL, args, &err));
	assert_int_equal(args[0], 16);
	assert_true(policy_parse_args(policy_find("v19"), good, args, &err));
	assert_int_equal(args[0], 5);
	assert_false(policy_parse_args(policy_find("v19"), bad, args, &err));
	g_clear_error(&err);
	assert_false(policy_parse_args(policy_find("v19"), big, args, &err));
	g_clear_error(&err);
	assert_false(policy_parse_args(policy_find("v7.2"), good, args, &err));
	g_clear_error(&err);
	/* P0's mistake: only the tree's operand id; the merged ones take any */
	assert_true(policy_find("v19")->busy(0x8000020000000092));
	assert_false(policy_find("v19")->busy(0x8000020000000001));
	assert_true(policy_find("v7.2")->busy(0x8000020000000001));
	assert_false(policy_find("v7.2")->busy(0x8000020100000000));
	assert_false(policy_find("v7.2")->busy(0x8000020400000001));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(classes),
		cmocka_unit_test(executable),
		cmocka_unit_test(atomic_writes),
		cmocka_unit_test(variants),
		cmocka_unit_test(policies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
