/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * xoshiro256** seeded by splitmix64 (Blackman, Vigna: public domain algorithms). Frozen:
 * the replay of an old seed must never change.
 */
#include "sim/engine/types.h"

struct rng {
	u64 s[4];
};

void rng_seed(struct rng *r, u64 seed);
u64 rng_next(struct rng *r);
u32 rng_below(struct rng *r, u32 n);	/* uniform below @n, without bias; n > 0 */
