/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What several tests of the explorer search, and how they compare what comes out.
 */
#include "sim/engine/explore.h"

/* lock_search - the lock model, by @opt */
struct explore_result *lock_search(u32 hosts, u32 guests, u32 tries, struct explore_options opt);

/*
 * pair_sim - one writes two words in turn, three times; another must not see them apart, and
 * does not mind if @strict is false and it sees anything but 2 and 1; a third writes elsewhere
 * @fault: signal to die of where they are 2 and 1; 0: that is a broken rule as well
 */
struct sim *pair_sim(bool strict, int fault);

/* Whatever was asked for, the same came out: words, counts, what was found and its ways. */
void same_result(const struct explore_result *a, const struct explore_result *b);
