// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.SERVTD.RD, TDG.SERVTD.WR: a service TD gets at a field of the TD that it is bound to.
 * The only guest that locks what is another TD's: its TDR, OP_STATE and bindings, all shared
 * and on the guest's side. What is wrong there is not the guest's business: the VMM is told
 * by a CROSS_TD_TRAP. So it is, in 1.5.01, when a host comes first at TDR or OP_STATE (S10b).
 * The recorded order of its accesses is in flow_steps_more.csv.
 * Source: TDX_1.5.01, migration_api_calls/tdg_servtd_rd_wr.c, helpers/service_td.h.
 */
#include <string.h>

#include "tdxmod/flow.h"
#include "tdxmod/guest_run.h"
#include "tdxmod/metadata.h"
#include "tdxmod/tdcall.h"
#include "tdxmod/tdinfo.h"

struct servtd {
	struct tdcall *c;
	struct flow f;		/* of the target: TDR, OP_STATE */
	struct servtd_binding *b;
	bool bindings_locked;
	u64 field, value, mask;
	bool write;
	u64 trap;		/* not 0: for the VMM instead of the guest */
};

static u64 trap(struct servtd *s, u64 status)
{
	s->trap = status;
	return status;
}

static u64 lock_target(struct servtd *s, u64 tdr)
{
	u64 err;

	err = flow_lock_tdr(&s->f, tdr, OPERAND_TDR, LOCK_SHARED);
	if (status_is_busy(err))
		return err;
	if (STATUS_CLASS(err) == TDX_OPERAND_BUSY_HOST_PRIORITY && module_switch(s->c->mod, S_SERVTD_TDR_HP))
		return err;
	if (err)
		return trap(s, err);
	err = flow_lock_op_state(&s->f);
	if (!err || status_is_busy(err))
		return err;
	return trap(s, err);
}

static u64 check_uuid(struct servtd *s)
{
	const u64 named[] = { s->c->g->r10, s->c->g->r11, s->c->g->r12, s->c->g->r13 };
	const struct tdr *tdr = s->f.tdr;

	if (!memcmp(tdr->uuid, named, sizeof(named)))
		return TDX_SUCCESS;
	if (memcmp(s->f.tdcs->preimport_uuid, named, sizeof(named)))
		return TDX_TARGET_UUID_MISMATCH;
	s->c->g->r10 = tdr->uuid[0];
	s->c->g->r11 = tdr->uuid[1];
	s->c->g->r12 = tdr->uuid[2];
	s->c->g->r13 = tdr->uuid[3];
	return TDX_TARGET_UUID_UPDATED;
}

/* 32 bytes: one step for the first word */
static bool is_of(const struct servtd_binding *b, const struct tdr *tdr)
{
	u64 first = mem_read64(&b->uuid[0]);

	return first == tdr->uuid[0] && !memcmp(b->uuid, tdr->uuid, sizeof(b->uuid));
}

static u64 check_binding(struct servtd *s, u64 slot)
{
	struct tdcs *target = s->f.tdcs;
	u64 err, hash, bound;
	u8 state;

	err = sharex_hp_acquire_sh(&target->servtd_bindings_lock, SIDE_GUEST, "SERVTD_BINDINGS");
	if (err)
		return status_operand(err, OPERAND_SERVTD_BINDINGS);
	s->bindings_locked = true;
	s->b = &target->servtd_binding[slot];
	state = mem_read8(&s->b->state);
	if (state != SERVTD_BOUND)
		return trap(s, TDX_SERVTD_NOT_BOUND | slot);
	if (!is_of(s->b, s->c->lp->tdr))
		return trap(s, TDX_SERVTD_UUID_MISMATCH);
	bound = mem_read64(&s->b->attributes);
	err = td_info_hash(s->c->lp->tdcs, (u16)(bound >> 32), SIDE_GUEST, &hash);
	if (err)
		return status_operand(err, OPERAND_RTMR);
	bound = mem_read64(&s->b->info_hash);
	if (bound != hash)
		return trap(s, TDX_SERVTD_INFO_HASH_MISMATCH);
	mem_read16(&s->b->type);	/* there is one */
	return TDX_SUCCESS;
}

static u64 access_field(struct servtd *s)
{
	const struct md_context c = {
		s->f.tdr, s->f.tdcs, NULL, MD_SERVTD,
		s->write ? "TDG.SERVTD.WR" : "TDG.SERVTD.RD",
	};
	const struct md_request q = {
		.version = 1, .write = s->write, .field = s->field, .value = s->value,
		.mask = s->mask,
	};

	return md_rd_wr(&c, &q, s->c->g);
}

static u64 servtd(struct servtd *s, u64 handle)
{
	u64 slot = handle & 0xfff, tdr = handle & GENMASK_ULL(51, 12), err;

	if (slot >= SERVTDS_MAX)
		return status_operand(TDX_OPERAND_INVALID, OPERAND_RCX);
	if ((err = lock_target(s, tdr)) ||
	    (err = check_uuid(s)) ||
	    (err = check_binding(s, slot)))
		return err;
	return access_field(s);
}

static u64 rd_wr(struct tdcall *c, bool write)
{
	/* create_servtd_binding_handle(): TDR and slot, and the service TD's UUID added */
	u64 handle = c->g->rcx - c->lp->tdr->uuid[0], err;
	struct servtd s = {
		.c = c, .write = write, .field = c->g->rdx, .value = c->g->r8, .mask = c->g->r9,
	};

	if (!write)
		c->g->rdx = MD_FIELD_NONE;
	c->g->r8 = 0;
	flow_begin(&s.f, c->leaf, NULL);
	s.f.side = SIDE_GUEST;
	s.f.op_states = tdcall_leaf(c->leaf)->op_states;
	err = servtd(&s, handle);
	if (s.bindings_locked)
		sharex_hp_release_sh(&s.f.tdcs->servtd_bindings_lock, "SERVTD_BINDINGS");
	flow_end(&s.f, err);
	if (!s.trap)
		return err;
	c->end = TDCALL_EXITED;
	td_exit_cross_td(c->lp, s.trap, handle & GENMASK_ULL(51, 12), c->g, c->r);
	return err;
}

u64 tdg_servtd_rd(struct tdcall *c)
{
	return rd_wr(c, false);
}

u64 tdg_servtd_wr(struct tdcall *c)
{
	return rd_wr(c, true);
}
