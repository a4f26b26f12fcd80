// SPDX-License-Identifier: GPL-2.0-only
/*
 * Livelock and starvation, as checks.c has the others: a scenario in which each fires, one in
 * which it is silent, and legal ones that a naive form of it would flag.
 */
#include "tests/scenarios/play.h"

static const char nobody_moves[] =
	"td vcpus=1 lps=3 memory=4M\n"
	"actor holder\n"
	"    acquire SEPT_TREE exclusive\n"
	"actor spinner\n"
	"    compute 5000\n"
	"    acquire SEPT_TREE exclusive retry=inf\n"
	"expect livelock spinner\n";

static const char soon_free[] =
	"td vcpus=1 lps=3 memory=4M\n"
	"actor holder\n"
	"    acquire SEPT_TREE exclusive\n"
	"    compute 50000\n"
	"    release SEPT_TREE\n"
	"actor spinner\n"
	"    compute 5000\n"
	"    acquire SEPT_TREE exclusive retry=inf\n"
	"    release SEPT_TREE\n"
	"expect ok\n";

/* No operation ends and no entry changes for longer than the window: the guest works. */
static const char guest_works[] =
	"td vcpus=1 lps=2 memory=4M\n"
	"guest vCPU0\n"
	"    accept 0x10\n"
	"    repeat 60000\n"
	"        access 0x10 write\n"
	"        compute 10\n"
	"    end\n"
	"schedule\n"
	"    vCPU0\n"
	"    run\n"
	"expect ok\n";

/* More steps than the window, all of them of one who waits for one who computes. */
static const char holder_computes[] =
	"td vcpus=1 lps=3 memory=4M\n"
	"actor holder\n"
	"    acquire SEPT_TREE exclusive\n"
	"    compute 20000000\n"
	"    release SEPT_TREE\n"
	"actor spinner\n"
	"    compute 5000\n"
	"    acquire SEPT_TREE exclusive retry=inf\n"
	"    release SEPT_TREE\n"
	"expect ok\n";

static void livelock_fires(void **state)
{
	assert_as_expected(play_text(nobody_moves));
}

static void livelock_silent(void **state)
{
	assert_as_expected(play_text(soon_free));
}

static void livelock_legal(void **state)
{
	struct play_result *r = play_text(holder_computes);

	assert_true(r->steps > 150000);
	assert_as_expected(r);
	assert_as_expected(play_text(guest_works));
}

static const char one_is_passed[] =
	"td vcpus=1 lps=4 memory=4M\n"
	"actor holder\n"
	"    acquire SEPT_TREE exclusive\n"
	"actor spinner\n"
	"    compute 5000\n"
	"    acquire SEPT_TREE exclusive retry=inf\n"
	"actor worker\n"
	"    repeat inf\n"
	"        compute 2000\n"
	"        acquire RTMR exclusive\n"
	"        release RTMR\n"
	"    end\n"
	"expect starvation spinner\n";

/* Passed over many times, and its turn comes. */
static const char its_turn_comes[] =
	"td vcpus=1 lps=4 memory=4M\n"
	"actor holder\n"
	"    repeat 200\n"
	"        acquire SEPT_TREE exclusive\n"
	"        compute 3000\n"
	"        release SEPT_TREE\n"
	"    end\n"
	"actor spinner\n"
	"    compute 100\n"
	"    acquire SEPT_TREE exclusive retry=inf\n"
	"    release SEPT_TREE\n"
	"expect ok\n";

/* Hundreds of operations of another go by while it waits, and it is no long wait. */
static const char others_are_quick[] =
	"td vcpus=1 lps=4 memory=4M\n"
	"actor holder\n"
	"    acquire SEPT_TREE exclusive\n"
	"    compute 1000000\n"
	"    release SEPT_TREE\n"
	"actor spinner\n"
	"    compute 5000\n"
	"    acquire SEPT_TREE exclusive retry=inf\n"
	"    release SEPT_TREE\n"
	"actor worker\n"
	"    repeat 200\n"
	"        compute 2000\n"
	"        acquire RTMR exclusive\n"
	"        release RTMR\n"
	"    end\n"
	"expect ok\n"
	"expect busy of SEPT_TREE >= 2000\n";

/* Two walks that yield to each other at each entry, and a fault that spins meanwhile. */
static const char slow_walks[] =
	"td vcpus=1 lps=3 memory=4M\n"
	"init\n"
	"    vCPU0: fault 0x11\n"
	"actor vCPU0\n"
	"    compute 3000\n"
	"    fault 0x10\n"
	"actor a\n"
	"    zap 0x0..0x400\n"
	"actor b\n"
	"    compute 100\n"
	"    zap 0x0..0x400\n"
	"expect ok\n";

/* One long zap: it is worth waiting for, however often the S-EPT changes meanwhile. */
static const char long_zap[] =
	"td vcpus=2 lps=3 memory=4M\n"
	"init\n"
	"    vCPU0: prefault 0x0..0x80\n"
	"actor vCPU1\n"
	"    compute 60000\n"
	"    fault 0xff\n"
	"actor puncher\n"
	"    punch 0x0..0x100\n"
	"expect ok\n";

/* The same, and another vCPU's guest runs on all the while. */
static const char long_zap_busy_guest[] =
	"td vcpus=3 lps=4 memory=4M\n"
	"init\n"
	"    vCPU0: prefault 0x0..0x80\n"
	"guest vCPU2\n"
	"    repeat 2000\n"
	"        compute 1000\n"
	"    end\n"
	"    halt\n"
	"actor vCPU1\n"
	"    compute 60000\n"
	"    fault 0xff\n"
	"actor puncher\n"
	"    punch 0x0..0x100\n"
	"expect ok\n";

static void slow_is_not_stuck(void **state)
{
	assert_as_expected(play_text(slow_walks));
	assert_as_expected(play_text(long_zap));
	assert_as_expected(play_text(long_zap_busy_guest));
}

static void starvation_fires(void **state)
{
	assert_as_expected(play_text(one_is_passed));
}

static void starvation_silent(void **state)
{
	assert_as_expected(play_text(soon_free));
}

static void starvation_legal(void **state)
{
	assert_as_expected(play_text(its_turn_comes));
	assert_as_expected(play_text(others_are_quick));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(livelock_fires),
		cmocka_unit_test(livelock_silent),
		cmocka_unit_test(livelock_legal),
		cmocka_unit_test(slow_is_not_stuck),
		cmocka_unit_test(starvation_fires),
		cmocka_unit_test(starvation_silent),
		cmocka_unit_test(starvation_legal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
