// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sequences of calls that build TDs and vCPUs, look at them and take them down, right ones and
 * wrong ones, with locks held by others, against what the real module's code returned
 * (build_calls.csv): every RAX, RCX, RDX and R8, and each lock word that a refused call left.
 */
#include "tests/tdxmod/common.h"

#include <stdlib.h>
#include <string.h>

#include "sim/engine/arena.h"
#include "sim/engine/mem.h"
#include "tdxmod/status.h"

enum column { SEQUENCE, WHAT, LP, IN_RAX, IN_RCX, IN_RDX, IN_R8, IN_R9, OUT_RAX, OUT_RCX, OUT_RDX,
	      OUT_R8 };

static u64 number(char **f, enum column c)
{
	return strtoull(f[c], NULL, 0);
}

static u16 *lock_word(char **f)
{
	static const char *const sizes[] = { "PAMT_4K", "PAMT_2M", "PAMT_1G" };
	struct module *mod = module_self();
	u64 hpa = number(f, IN_RCX);

	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (!strcmp(f[IN_RAX], sizes[i]))
			return &pamt_entry_of(mod, hpa, i)->lock;
	}
	if (!strcmp(f[IN_RAX], "KOT"))
		return &mod->kot_lock;
	return &td_tdcs(tdr_at(hpa))->op_state_lock;
}

static void check_call(u32 line, char **f)
{
	struct tdx_regs r = {
		.rax = number(f, IN_RAX), .rcx = number(f, IN_RCX), .rdx = number(f, IN_RDX),
		.r8 = number(f, IN_R8), .r9 = number(f, IN_R9),
	};
	const char *name = seamcall_name(r.rax & 0xffff);
	char got[80], want[80];

	test_on_lp(number(f, LP));
	seamcall(&r);
	if (r.rax != number(f, OUT_RAX))
		fail_msg("line %u, %s: %s, not %s", line, name, status_name(r.rax, got, sizeof(got)),
			 status_name(number(f, OUT_RAX), want, sizeof(want)));
	if (r.rcx != number(f, OUT_RCX) || r.rdx != number(f, OUT_RDX) ||
	    r.r8 != number(f, OUT_R8))
		fail_msg("line %u, %s: RCX 0x%llx, RDX 0x%llx, R8 0x%llx", line, name,
			 (unsigned long long)r.rcx, (unsigned long long)r.rdx,
			 (unsigned long long)r.r8);
}

static void play(u32 line, char **f)
{
	u16 *word;

	if (!strcmp(f[WHAT], "call")) {
		check_call(line, f);
	} else if (!strcmp(f[WHAT], "poke")) {
		world_set(((u64 *)phys_to_ptr(TEST_PARAMS))[number(f, IN_RAX) / 8],
			  number(f, IN_RCX));
	} else if (!strcmp(f[WHAT], "fatal")) {
		world_set(tdr_at(number(f, IN_RAX))->fatal, number(f, IN_RCX));
	} else {
		word = lock_word(f);
		if (!strcmp(f[WHAT], "unlock") && *word != number(f, IN_RDX))
			fail_msg("line %u: %s is 0x%x", line, f[IN_RAX], *word);
		world_set(*word, (u16)(strcmp(f[WHAT], "lock") ? 0 : number(f, IN_RDX)));
	}
}

static void test_calls(void **state)
{
	g_autoptr(GPtrArray) rows = test_csv("build_calls.csv");
	struct sim *sim = NULL;
	struct test_td td;
	u32 calls = 0;

	for (u32 i = 1; i < rows->len; i++) {
		char **f = rows->pdata[i], **before = rows->pdata[i - 1];

		if (i == 1 || strcmp(f[SEQUENCE], before[SEQUENCE])) {
			if (sim)
				sim_free(sim);
			sim = test_sim();
			test_td(sim, &(struct test_setup){ .pending_ve_disable = true }, &td);
			/* L2 VMs are said to be missing, and the TD goes on without */
			check_tolerate(sim, "unsupported-leaf");
		}
		play(i + 2, f);	/* a line of comment is before the rows */
		calls += !strcmp(f[WHAT], "call");
	}
	sim_free(sim);
	print_message("%u calls\n", calls);
	assert_true(calls > 9800);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
