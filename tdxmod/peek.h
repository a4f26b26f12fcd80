/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Raw fields of the module's structures, as recorded vectors name them: for comparing them
 * bit by bit. No function here takes a step or changes anything.
 */
#include "sim/engine/types.h"

struct td_peek {
	u64 td_epoch;
	u16 refcount[2];
	u16 tree, op_state_lock, epoch_lock;	/* lock words */
	u64 chldcnt;
	u8 lifecycle;		/* enum td_lifecycle */
	u32 num_assoc_vcpus;
	u8 kot_state;		/* of the TD's key */
	u64 wbinvd_bitmap;
	u16 kot_lock;
	u64 root;		/* hpa of the S-EPT root */
	u8 root_level;		/* 3: 4-level */
};
void td_peek(u64 tdr, struct td_peek *out);

/* td_peek_lock - "SEPT_TREE", "TD_EPOCH" or "OP_STATE", also of a TD that has been taken back */
struct module_lock;
bool td_peek_lock(u64 tdr, const char *name, struct module_lock *l);

struct pamt_peek {
	u16 lock;
	u8 pt;
	u64 bepoch;
};
/* @size: 0 4K, 1 2M, 2 1G. False: no such memory */
bool pamt_peek(u64 hpa, u8 size, struct pamt_peek *out);

/*
 * peek_written - of the @n words of @e: calls @lock for each that holds a PAMT lock, with its
 * value now (@size: 0 4K, 1 2M, 2 1G). True if any lies in an S-EPT page: the root of the TD,
 * or any other
 */
struct undo_entry;
bool peek_written(u64 tdr, const struct undo_entry *e, u64 n,
		  void (*lock)(void *ctx, u8 size, u64 hpa, u16 raw), void *ctx);

struct vcpu_peek {
	u8 state;		/* 2 READY, 4 ACTIVE */
	s64 assoc_lp;		/* -1: none */
	u64 vcpu_epoch;
	u8 possibly_epf_stepping, last_epf_gpa_list_idx, hp_lock_busy;
};
void vcpu_peek(u64 tdvpr, struct vcpu_peek *out);

/*
 * sept_peek_slot - the entry at the deepest level that a walk to @level (0 = 4K) reaches now;
 * *@at: its level. NULL if @level or @gpa is outside of the tree.
 */
u64 *sept_peek_slot(u64 tdr, u64 gpa, u8 level, u8 *at);

/* sept_digest - FNV-1a over the whole tree: index and value of each entry in use, deep first */
u64 sept_digest(u64 tdr);

/*
 * td_start_from - before a run: how the TD stands; its TDR may say FATAL, or have fewer TDCX
 * pages than needed
 * (world_set; for the starting states of recorded vectors)
 */
struct td_start {
	u32 op_state;
	bool pending_ve_disable, notify, fatal;
	u8 num_tdcx;
};
void td_start_from(u64 tdr, const struct td_start *s);

/*
 * peek_words - where the object that recorded interleavings call @name lies: words of @size
 * bytes, @stride apart. "PAMT_2M[0x200000].LOCK", "TDCS.OP_STATE", "SEPT_ENTRY_L1[3]" (in the
 * table through which @gpa goes), "NEW_SEPT_PAGE[4]" (@page), ... False: there is no such
 */
struct peek_at {
	u64 tdr, tdvpr, gpa, page;
	u16 package;		/* WBT */
};
struct peek_words {
	char *base;
	u32 size, stride, count;
};
bool peek_words(const struct peek_at *at, const char *name, struct peek_words *out);
