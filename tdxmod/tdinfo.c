// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hash over TDINFO. Of its fields only the RTMRs change while a TD may run; the rest is
 * read without a step. Two shared holders may both compute and store: the same words.
 * Source: TDX_1.5.01, helpers.c:1909 get_tdinfo_and_teeinfohash. SHA-384 has no row in the
 * cost table and no price here.
 */
#include "tdxmod/tdinfo.h"

#include "tdxmod/status.h"
#include "tdxmod/td.h"

static u64 fold(u64 h, u64 v)
{
	for (u32 i = 0; i < 64; i += 8)
		h = (h ^ (v >> i & 0xff)) * 0x100000001b3ull;
	return h;
}

static u64 compute(struct tdcs *tdcs, u16 ignore)
{
	u64 h = 0xcbf29ce484222325ull;

	h = fold(h, ignore & IGNORE_ATTRIBUTES ? 0 : tdcs->attributes);
	h = fold(h, ignore & IGNORE_MRTD ? 0 : tdcs->mrtd);
	for (u32 i = 0; i < RTMRS; i++) {
		u64 value = 0;

		if (!(ignore & IGNORE_RTMR0 << i))
			value = mem_read64(&tdcs->rtmr[i]);
		h = fold(h, value);
	}
	return fold(h, ignore & IGNORE_SERVTD_HASH ? 0 : tdcs->servtd_hash);
}

u64 td_info_hash(struct tdcs *tdcs, u16 ignore, enum lock_side side, u64 *hash)
{
	u64 err = sharex_hp_acquire_sh(&tdcs->rtmr_lock, side, "RTMR"), computed;
	u8 valid;

	if (err)
		return err;
	computed = compute(tdcs, ignore);
	valid = mem_read8(&tdcs->last_teeinfo_hash_valid);
	if (valid && !ignore) {
		*hash = mem_read64(&tdcs->last_teeinfo_hash);
	} else {
		*hash = computed;
		if (!ignore) {
			mem_write64(&tdcs->last_teeinfo_hash, computed);
			mem_write8(&tdcs->last_teeinfo_hash_valid, 1);
		}
	}
	sharex_hp_release_sh(&tdcs->rtmr_lock, "RTMR");
	return TDX_SUCCESS;
}
