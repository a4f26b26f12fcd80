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

static inline u64 rng_rotl(u64 x, int k)
{
	return x << k | x >> (64 - k);
}

static inline u64 rng_next(struct rng *r)
{
	u64 *s = r->s, out = rng_rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rng_rotl(s[3], 45);
	return out;
}

u32 rng_below(struct rng *r, u32 n);	/* uniform below @n, without bias; n > 0 */
