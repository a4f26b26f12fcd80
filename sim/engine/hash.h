/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Two frozen mixes: 64x64->128 multiply folded (the idea of wyhash, public domain).
 */
#include "sim/engine/types.h"

static __always_inline u64 hash_mix(u64 a, u64 b)
{
	unsigned __int128 r = (unsigned __int128)a * b;

	return (u64)r ^ (u64)(r >> 64);
}

/* hash_word - what word @v at @addr adds (by xor) to the world's hash */
static __always_inline u64 hash_word(u64 addr, u64 v)
{
	return hash_mix(addr * 0x9e3779b97f4a7c15ull ^ 0xa0761d6478bd642full,
			v ^ 0xe7037ed1a0b428dbull);
}

/* A state's key is wider than one word: 96 bits make a wrong merge unlikely in any search. */
struct hash_wide {
	u64 lo, hi;
};

/* hash_mix_wide - hash_mix(), and the half of the product that folding alone would lose */
static __always_inline struct hash_wide hash_mix_wide(u64 a, u64 b)
{
	unsigned __int128 r = (unsigned __int128)a * b;
	u64 hi = (u64)(r >> 64);

	return (struct hash_wide){ (u64)r ^ hi, hi };
}

/* hash_word_wide - the same with hash_word(), which is lo */
static __always_inline struct hash_wide hash_word_wide(u64 addr, u64 v)
{
	return hash_mix_wide(addr * 0x9e3779b97f4a7c15ull ^ 0xa0761d6478bd642full,
			     v ^ 0xe7037ed1a0b428dbull);
}

/* What hash_fold() folds besides steps, whose @what is a site's number (32 bits). */
enum key_part {
	KEY_FORGET	= 1,
	KEY_CHOICE	= 2,
	KEY_IRQ		= 3,
};
#define KEY_WHAT(part, n) ((u64)(part) << 32 | (n))

/* hash_fold - @h after one more (what, value). 0 is as good a @what as any. */
static __always_inline u64 hash_fold(u64 h, u64 what, u64 value)
{
	return hash_mix(h ^ value ^ 0x8ebc6af09c88c6e3ull,
			(what ^ 0xa0761d6478bd642full) * 0x9e3779b97f4a7c15ull | 1);
}
