// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDH.SERVTD.BIND, TDH.SERVTD.PREBIND: which service TD may get at a TD. BIND is the host's
 * user of the RTMR lock: the service TD's, whose TDR and OP_STATE it holds shared behind those
 * of the target; the bindings of the target are exclusive meanwhile.
 * The recorded order of its accesses is in flow_steps_more.csv.
 * Source: TDX_1.5.01, migration_api_calls/tdh_servtd_bind.c, tdh_servtd_prebind.c,
 * helpers/service_td.h. A word stands for the hash (tdinfo.h).
 */
#include <string.h>

#include "tdxmod/flow.h"
#include "tdxmod/tdinfo.h"

#define INSTANCE_BINDING	BIT_ULL(0)
#define ATTR_ALLOWED		0x000007ff00000001ull
/* Of the service TD: RUNNABLE, LIVE_EXPORT, PAUSED_EXPORT, POST_EXPORT, POST_IMPORT, LIVE_IMPORT */
#define OTHER_TD_STATES		0x33c

struct binder {
	struct flow f;		/* the target TD */
	struct flow s;		/* BIND: the service TD */
	struct servtd_binding *b;
	bool locked;
	u64 type, attributes, hash;
};

static u64 check_operands(struct binder *x, u64 slot)
{
	if (slot >= SERVTDS_MAX)
		return status_operand(TDX_OPERAND_INVALID, OPERAND_R8);
	if (x->type)		/* the migration TD is the only type */
		return status_operand(TDX_OPERAND_INVALID, OPERAND_R9);
	if (x->attributes & ~ATTR_ALLOWED)
		return status_operand(TDX_OPERAND_INVALID, OPERAND_R10);
	x->b = &x->f.tdcs->servtd_binding[slot];
	return TDX_SUCCESS;
}

static u64 lock_bindings(struct binder *x)
{
	u64 err = sharex_hp_acquire_ex(&x->f.tdcs->servtd_bindings_lock, SIDE_HOST,
				       "SERVTD_BINDINGS");

	if (err)
		return status_operand(err, OPERAND_SERVTD_BINDINGS);
	x->locked = true;
	return TDX_SUCCESS;
}

static void unlock_bindings(struct binder *x)
{
	if (x->locked)
		sharex_hp_release_ex(&x->f.tdcs->servtd_bindings_lock, "SERVTD_BINDINGS");
}

static void count_binding(struct tdcs *tdcs)
{
	u16 n = mem_read16(&tdcs->servtd_num);

	mem_write16(&tdcs->servtd_num, n + 1);
}

static void describe(struct binder *x)
{
	mem_write16(&x->b->type, (u16)x->type);
	mem_write64(&x->b->attributes, x->attributes);
}

/* 32 bytes: one step for the first word */
static void write_uuid(struct binder *x)
{
	const u64 *uuid = x->s.tdr->uuid;

	mem_write64(&x->b->uuid[0], uuid[0]);
	for (u32 i = 1; i < ARRAY_SIZE(x->b->uuid); i++)
		world_set(x->b->uuid[i], uuid[i]);
}

static u64 first_binding(struct binder *x)
{
	u32 state = mem_read32(&x->f.tdcs->op_state);

	if (state != OP_STATE_UNINITIALIZED && state != OP_STATE_INITIALIZED)
		return TDX_OP_STATE_INCORRECT;
	describe(x);
	mem_write64(&x->b->info_hash, x->hash);
	write_uuid(x);
	count_binding(x->f.tdcs);
	return TDX_SUCCESS;
}

static u64 bind_again(struct binder *x, u8 state)
{
	u64 v = mem_read16(&x->b->type);

	if (v != x->type)
		return TDX_SERVTD_TYPE_MISMATCH;
	v = mem_read64(&x->b->attributes);
	if (v != x->attributes)
		return TDX_SERVTD_ATTR_MISMATCH;
	if (state == SERVTD_BOUND && (x->attributes & INSTANCE_BINDING)) {
		v = mem_read64(&x->b->uuid[0]);
		if (v != x->s.tdr->uuid[0] ||
		    memcmp(x->b->uuid, x->s.tdr->uuid, sizeof(x->b->uuid)))
			return TDX_SERVTD_UUID_MISMATCH;
		mem_write64(&x->b->info_hash, x->hash);
		return TDX_SUCCESS;
	}
	v = mem_read64(&x->b->info_hash);
	if (v != x->hash)
		return TDX_SERVTD_INFO_HASH_MISMATCH;
	write_uuid(x);
	return TDX_SUCCESS;
}

/* What the service TD names the binding by; from the table's UUID, still locked */
static void bound(struct binder *x, u64 handle, struct tdx_regs *r)
{
	u64 uuid = mem_read64(&x->b->uuid[0]);

	r->rcx = handle + uuid;		/* create_servtd_binding_handle() */
	r->r10 = x->f.tdr->uuid[0];
	r->r11 = x->f.tdr->uuid[1];
	r->r12 = x->f.tdr->uuid[2];
	r->r13 = x->f.tdr->uuid[3];
}

static u64 bind_servtd(struct binder *x, u64 tdr, u64 servtd, u64 slot)
{
	u64 err;
	u8 state;

	if (tdr == servtd)
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RDX);
	if ((err = flow_lock_tdr(&x->f, tdr, OPERAND_RCX, LOCK_SHARED)) ||
	    (err = flow_lock_op_state(&x->f)) ||
	    (err = flow_lock_tdr(&x->s, servtd, OPERAND_RDX, LOCK_SHARED)) ||
	    (err = flow_lock_op_state(&x->s)) ||
	    (err = check_operands(x, slot)) ||
	    (err = lock_bindings(x)))
		return err;
	if (td_info_hash(x->s.tdcs, (u16)(x->attributes >> 32), SIDE_HOST, &x->hash))
		return status_operand(TDX_OPERAND_BUSY, OPERAND_RTMR);
	state = mem_read8(&x->b->state);
	err = state == SERVTD_NOT_BOUND ? first_binding(x) : bind_again(x, state);
	if (!err)
		mem_write8(&x->b->state, SERVTD_BOUND);
	return err;
}

u64 tdh_servtd_bind(struct tdx_regs *r, u32 version)
{
	struct binder x = { .type = r->r9, .attributes = r->r10 };
	u64 tdr = r->rcx, servtd = r->rdx, slot = r->r8, err;

	flow_begin(&x.f, TDH_SERVTD_BIND, r);
	flow_begin(&x.s, TDH_SERVTD_BIND, r);
	x.s.op_states = OTHER_TD_STATES;
	r->rcx = r->r10 = r->r11 = r->r12 = r->r13 = 0;
	err = bind_servtd(&x, tdr, servtd, slot);
	if (!err)
		bound(&x, tdr | slot, r);
	unlock_bindings(&x);
	flow_end(&x.s, err);
	return flow_end(&x.f, err);
}

/* The hash is the VMM's to give; what is no memory here reads as 0 */
static u64 prebind(struct binder *x, u64 tdr, u64 hash_pa, u64 slot)
{
	u64 err;
	u8 state;

	if ((err = flow_lock_tdr(&x->f, tdr, OPERAND_RCX, LOCK_SHARED)) ||
	    (err = flow_lock_op_state(&x->f)) ||
	    (err = flow_check_shared_hpa(hash_pa, 64, OPERAND_RDX)) ||
	    (err = check_operands(x, slot)) ||
	    (err = lock_bindings(x)))
		return err;
	state = mem_read8(&x->b->state);
	if (state == SERVTD_BOUND)
		return TDX_SERVTD_BOUND;
	if (state == SERVTD_NOT_BOUND)
		count_binding(x->f.tdcs);
	describe(x);
	if (module_phys(x->f.mod, hash_pa))
		x->hash = mem_read64(phys_to_ptr(hash_pa));
	mem_write64(&x->b->info_hash, x->hash);
	mem_write8(&x->b->state, SERVTD_PRE_BOUND);
	return TDX_SUCCESS;
}

u64 tdh_servtd_prebind(struct tdx_regs *r, u32 version)
{
	struct binder x = { .type = r->r9, .attributes = r->r10 };
	u64 err;

	flow_begin(&x.f, TDH_SERVTD_PREBIND, r);
	err = prebind(&x, r->rcx, r->rdx, r->r8);
	unlock_bindings(&x);
	return flow_end(&x.f, err);
}
