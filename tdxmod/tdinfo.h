/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * TDINFO and its hash: what a report says of a TD, and what a binding knows a service TD by.
 * A word of FNV-1a stands for SHA-384: equal inputs, equal hash.
 * Source: TDX_1.5.01, helpers.c:get_tdinfo_and_teeinfohash.
 */
#include "tdxmod/lock.h"

struct tdcs;

enum {				/* SERVTD_ATTR.IGNORE_TDINFO */
	IGNORE_ATTRIBUTES = 1 << 0,
	IGNORE_MRTD = 1 << 2,
	IGNORE_RTMR0 = 1 << 6,	/* .. RTMR3 */
	IGNORE_SERVTD_HASH = 1 << 10,
};

/*
 * td_info_hash - RTMR locked shared meanwhile. Returns TDX_SUCCESS, TDX_OPERAND_BUSY or (guest
 * side) TDX_OPERAND_BUSY_HOST_PRIORITY, without operand. The hash of everything is kept in the
 * TDCS for the next time, until an RTMR is extended.
 */
u64 td_info_hash(struct tdcs *tdcs, u16 ignore, enum lock_side side, u64 *hash);
