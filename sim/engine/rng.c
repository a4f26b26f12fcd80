// SPDX-License-Identifier: GPL-2.0-only
/*
 * xoshiro256** and splitmix64. Frozen: an old seed replays for ever.
 */
#include "sim/engine/rng.h"

static u64 splitmix(u64 *x)
{
	u64 z = *x += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

void rng_seed(struct rng *r, u64 seed)
{
	for (int i = 0; i < 4; i++)
		r->s[i] = splitmix(&seed);
}

u32 rng_below(struct rng *r, u32 n)
{
	u32 floor = -n % n, x;	/* 2^32 mod n: values below it would favour small numbers */

	do {
		x = (u32)(rng_next(r) >> 32);
	} while (x < floor);
	return x % n;
}
