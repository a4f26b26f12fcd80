/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Looking into the module without disturbing it: for checks, conditions and reports. No
 * function here takes a step or changes anything.
 */
#include "sim/engine/types.h"

struct sim;

/* sept_peek - what the S-EPT of the TD at @tdr says of @gfn. */
struct sept_view {
	u64 raw;
	u64 hpa;		/* of the mapped page or table; ~0 if none */
	u8 level;		/* 1 = 4K, 2 = 2M ... where the walk ended */
	u8 state;		/* row of sept_states.csv, enum sept_state of sept.h */
	bool leaf, mapped;	/* mapped: any leaf state that holds a page (pending, blocked too) */
};
void sept_peek(u64 tdr, u64 gfn, struct sept_view *v);
/* the entry of @gfn at exactly @level, or false if there is no such table */
bool sept_peek_level(u64 tdr, u64 gfn, u8 level, struct sept_view *v);
const char *sept_state_name(u8 state);

/* td_in_teardown - its key is gone: nobody can use its S-EPT any more, whatever is in it */
bool td_in_teardown(u64 tdr);

/* Which gfn of which TD maps @hpa, walking everything: for free-while-mapped */
bool sept_maps_page(u64 hpa, u64 *tdr, u64 *gfn);

/* An LP with a translation of @gfn of the TD at @tdr; *@in_guest: it runs that TD now */
bool tlb_holds_gfn(u64 tdr, u64 gfn, u16 *lp, bool *in_guest);

bool vcpu_in_guest(u64 tdvpr);
u64 td_of_vcpu(u64 tdvpr);

/*
 * servtd_binding - what TDH.SERVTD.BIND tells the VMM: the handle of @slot of @target for the
 * service TD, and @target's UUID
 */
u64 servtd_binding(u64 service, u64 target, u64 slot, u64 uuid[4]);

/* status_name - "TDX_OPERAND_BUSY|RCX" into @buf; status_value - of such a text, false if unknown */
const char *status_name(u64 rax, char *buf, size_t n);
bool status_value(const char *text, u64 *value, bool *has_operand);

/* lock_word - a module lock by the scenario's name, to acquire, release or set */
struct module_lock {
	void *p;
	u8 kind;		/* enum tdx_lock_kind of lock.h */
	const char *name;
};
bool module_lock_find(u64 tdr, const char *name, u64 index, u8 level, struct module_lock *l);
/* Litmus operations `acquire` and `release` of the language: steps, by the running actor. */
enum { ACQUIRE_SHARED = 1, ACQUIRE_EXCLUSIVE = 2, ACQUIRE_HOST = 4, ACQUIRE_GUEST = 8 };
u64 module_lock_acquire(const struct module_lock *l, u32 how);
void module_lock_release(const struct module_lock *l, u32 how);
