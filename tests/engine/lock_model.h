/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The S-EPT entry lock with HOST_PRIORITY as three small functions on bare mem_*: the
 * model whose interleavings and states have been counted by independent programs. A step
 * more or less anywhere destroys the counts: that is what they are for.
 * Source: TDX_1.5.01 tdx_locks.h (sept_lock_acquire_host, _guest, sept_lock_release).
 */
#include "sim/engine/sim.h"

struct lock_model {
	u64 entry;		/* bit 11 TDEL, bit 52 TDHP */
	u64 data;
	u32 tries;		/* of each actor */
	/*
	 * "After a host's BUSY no guest before a host", where a host acquires at its BTS of TDEL
	 * and has its BUSY once it has asked for priority. World, but not in its hash.
	 */
	u32 asked, bts_broken;
};

/* lock_model_sim - @hosts host actors, then @guests guest actors, each @tries attempts */
struct sim *lock_model_sim(const struct sim_options *opt, u32 hosts, u32 guests, u32 tries,
			   struct lock_model **m);
