/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The module's four lock kinds, bit for bit, each atomic operation a step of its own. All
 * are try-locks: nothing here waits. @name is what events call the lock.
 * Source: TDX_1.5.01, src/common/helpers/tdx_locks.h.
 *
 * Acquire and promote return TDX_SUCCESS, TDX_OPERAND_BUSY or (guest side only)
 * TDX_OPERAND_BUSY_HOST_PRIORITY, without operand. A broken sanity check is the violation
 * module-fatal; where that is tolerated they return TDX_OPERAND_BUSY.
 */
#include "sim/engine/types.h"

enum tdx_lock_kind {
	TDX_LOCK_MUTEX,		/* 8 bits: 0 free, 1 taken */
	TDX_LOCK_SHAREX,	/* 16 bits: EX bit 0, readers from bit 1 */
	TDX_LOCK_SHAREX_HP,	/* 16 bits: EX bit 0, HOST_PRIORITY bit 1, readers from bit 2 */
	TDX_LOCK_SEPT,		/* in an S-EPT entry: TDEL bit 11, TDHP bit 52 */
};

enum lock_side { SIDE_HOST, SIDE_GUEST };
enum lock_mode { LOCK_NONE, LOCK_SHARED, LOCK_EXCLUSIVE };

#define SHAREX_EX	0x0001u
#define SHAREX_ONE	0x0002u

#define SHAREX_HP_EX	0x0001u
#define SHAREX_HP_HP	0x0002u
#define SHAREX_HP_ONE	0x0004u

#define SEPT_TDEL_BIT	11
#define SEPT_TDHP_BIT	52
#define SEPT_TDEL	BIT_ULL(SEPT_TDEL_BIT)
#define SEPT_TDHP	BIT_ULL(SEPT_TDHP_BIT)

u64 mutex8_acquire(u8 *l, const char *name);
void mutex8_release(u8 *l, const char *name);

/* A failed shared acquire leaves its count behind, until the exclusive holder's release */
u64 sharex_acquire_sh(u16 *l, const char *name);
u64 sharex_acquire_ex(u16 *l, const char *name);
void sharex_release_sh(u16 *l, const char *name);
void sharex_release_ex(u16 *l, const char *name);
u64 sharex_promote(u16 *l, const char *name);	/* the only reader becomes the writer */
void sharex_demote(u16 *l, const char *name);

/* A host that fails leaves HOST_PRIORITY set; only a host clears it, by succeeding */
u64 sharex_hp_acquire_sh(u16 *l, enum lock_side side, const char *name);
u64 sharex_hp_acquire_ex(u16 *l, enum lock_side side, const char *name);
void sharex_hp_release_sh(u16 *l, const char *name);
void sharex_hp_release_ex(u16 *l, const char *name);
u64 sharex_hp_promote(u16 *l, const char *name);	/* host side only */

u64 sharex_hp_acquire(u16 *l, enum lock_mode mode, enum lock_side side, const char *name);
void sharex_hp_release(u16 *l, enum lock_mode mode, const char *name);

u64 sept_lock_host(u64 *entry);
u64 sept_lock_guest(u64 *entry);
void sept_unlock(u64 *entry);

/* module_fatal - a sanity check of the module failed: violation module-fatal */
void module_fatal(const char *where, const char *what);
