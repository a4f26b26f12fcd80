// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine of recorded vectors. Every price is 0: the clock is the TSC of the recording,
 * which stands still during an operation.
 * Rests on docs/conform.md (machine model of the vectors).
 */
#include "scenarios/conform_machine.h"

#include <string.h>

#include "sim/engine/arena.h"
#include "sim/engine/check.h"
#include "sim/engine/clock.h"
#include "sim/engine/cost.h"
#include "sim/engine/lp.h"
#include "sim/engine/rewind.h"
#include "sim/engine/script.h"
#include "sim/engine/undo.h"
#include "tdxmod/build.h"
#include "tdxmod/peek.h"
#include "tdxmod/status.h"
#include "tdxmod/versions.h"

#define NO_PAGE		(~0ull)
#define GPA_BITS	GENMASK_ULL(51, 12)
#define QUAL_WRITE_	0x2u	/* the exit qualification of the recorded violations */

static const struct cost_table no_costs;

/* Guests */

static void done(struct conform_lp *l, const char *exit, const struct tdx_regs *r)
{
	l->exit = exit;
	l->r = *r;
	l->op = NULL;
	l->started = false;
}

static void begin(struct conform_lp *l)
{
	u64 now = actor_self()->clock;

	if (now < l->tsc)
		sim_compute(l->tsc - now);
	l->started = true;
}

/* The guest could run: what it was asked for last is done; wait for the next */
static struct guest_exit *next_exit(void *ctx, bool ve)
{
	struct conform_machine *m = ctx;
	struct conform_lp *l = &m->lp[lp_self()];
	const struct conform_record *op;
	struct tdx_regs r = { .rax = l->in_td ? l->ge.rax : 0 };

	l->in_td = true;
	done(l, ve ? "td_ve" : "td", &r);
	while (!l->op)
		actor_park("the guest has nothing to do");
	begin(l);
	op = l->op;
	l->ge = (struct guest_exit){ .reason = EXIT_REASON_TDCALL };
	if (op->call == CALL_INTR_EXIT) {
		l->ge.reason = EXIT_REASON_EXTERNAL_INTERRUPT;
		l->ge.moves = 0x40;
	} else if (op->call == CALL_EPT_VIOLATION) {
		l->ge.reason = EXIT_REASON_EPT_VIOLATION;
		l->ge.moves = conform_number(op, CF_ADV, 0) ? 0x40 : 0;
		l->ge.gpa = conform_number(op, CF_GPA, 0);
		l->ge.qualification = QUAL_WRITE_;
	} else {
		l->ge.rax = TDG_MEM_PAGE_ACCEPT;
		l->ge.rcx = machine_rcx(op);
	}
	return &l->ge;
}

/* SEAMCALLs */

u64 machine_rcx(const struct conform_record *op)
{
	u64 rcx = conform_number(op, CF_GPA, 0) | conform_number(op, CF_LEVEL, 0);

	return conform_number(op, CF_RCX_IN, rcx);
}

static void registers(struct conform_lp *l, struct tdx_regs *r)
{
	const struct conform_record *op = l->op;
	u64 tdr = conform_number(op, CF_TDR, CONFORM_TDR) | conform_number(op, CF_FLAGS, 0);

	*r = (struct tdx_regs){
		.rax = l->leaf | conform_number(op, CF_VER, 0) << 16,
		.rcx = machine_rcx(op),
		.rdx = tdr,
		.r8 = conform_number(op, CF_HPA, 0),
		.r9 = NO_PAGE,
		.r10 = NO_PAGE,
		.r11 = NO_PAGE,
	};
	switch (l->leaf) {
	case TDH_MEM_PAGE_ADD:
		r->r9 = conform_number(op, CF_SRC, 0x50000000);
		break;
	case TDH_MEM_TRACK:
	case TDH_MR_FINALIZE:
	case TDH_MNG_VPFLUSHDONE:
	case TDH_MNG_KEY_FREEID:
		r->rcx = tdr;
		break;
	case TDH_VP_ENTER:
	case TDH_VP_FLUSH:
		r->rcx = conform_number(op, CF_RCX_IN, CONFORM_TDVPR +
					conform_number(op, CF_VCPU, 0) * CONFORM_TDVPR_STEP);
		break;
	case TDH_PHYMEM_PAGE_RECLAIM:
		r->rcx = r->r8;
		break;
	case TDH_PHYMEM_CACHE_WB:
		r->rcx = conform_number(op, CF_CMD, 0);
		break;
	default:
		break;
	}
}

static void lp_main(void *arg)
{
	struct conform_lp *l = arg;
	struct tdx_regs r;

	for (;;) {
		while (!l->op)
			actor_park("no operation");
		begin(l);
		registers(l, &r);
		l->vcpu = (u32)(((r.rcx & GPA_BITS) - CONFORM_TDVPR) / CONFORM_TDVPR_STEP);
		seamcall(&r);
		l->in_td = false;
		done(l, "vmm", &r);
	}
}

/* The machine */

static void build(struct conform_machine *m, const char *tdx)
{
	struct tdx_module_config cfg = {
		.version = tdx ? tdx : TDX_VERSION_RECORDED,
		.hp_lock_timeout = CONFORM_HP_TIMEOUT,
	};
	struct td_build td = {
		.name = "TD",
		.tdr = CONFORM_TDR,
		.tdcx = { 0x2000, 0x3000, 0x4000, 0x5000, 0x6000, 0x7000 },
		.levels = 4,
		.op_state = OP_STATE_RUNNABLE,
		.hkid = 33,
	};

	tdx_module_new(m->sim, &cfg);
	td_build(m->sim, &td);
	for (u32 v = 0; v < CONFORM_LPS; v++) {
		m->tdvpr[v] = vcpu_build(CONFORM_TDR, CONFORM_TDVPR + v * CONFORM_TDVPR_STEP);
		vcpu_set_guest(m->tdvpr[v], &m->guest);
	}
}

struct machine_mark {
	struct rewind *world;
	struct conform_lp lp[CONFORM_LPS];
	u64 ops;
};

struct machine_mark *machine_mark(struct conform_machine *m)
{
	struct machine_mark *mark = g_new(struct machine_mark, 1);

	mark->world = rewind_new(m->sim);
	mark->ops = m->ops;
	memcpy(mark->lp, m->lp, sizeof(m->lp));
	return mark;
}

void machine_back(struct conform_machine *m, const struct machine_mark *mark)
{
	rewind_to(mark->world);
	m->ops = mark->ops;
	memcpy(m->lp, mark->lp, sizeof(m->lp));
	m->hold.p = NULL;
}

struct undo_mark machine_made(const struct conform_machine *m)
{
	return rewind_mark(m->made->world);
}

void machine_mark_free(struct machine_mark *mark)
{
	if (!mark)
		return;
	rewind_free(mark->world);
	g_free(mark);
}

struct conform_machine *machine_new(const char *tdx, bool script)
{
	static const char *const names[] = { "LP0", "LP1", "LP2" };
	struct conform_machine *m = g_new0(struct conform_machine, 1);
	struct sim_options opt = {
		.sched = script ? SCHED_SCRIPT : SCHED_CLOCK,
		.phys = 1ull << 30,
		.lps = CONFORM_LPS,
		.packages = 2,
		.timed = true,
		.costs = &no_costs,
		.logged = true,
	};
	const char *why;
	bool missing;

	m->sim = sim_new(&opt);
	if (!m->sim)
		g_error("the world cannot be mapped");
	m->guest.next = next_exit;
	m->guest.ctx = m;
	build(m, tdx);
	for (u16 i = 0; i < CONFORM_LPS; i++) {
		struct conform_lp *l = &m->lp[i];

		l->m = m;
		l->lp = i;
		l->actor = actor_new(m->sim, names[i], i, lp_main, l);
	}
	machine_run(m, &why, &missing);
	m->made = machine_mark(m);
	return m;
}

void machine_begin(struct conform_machine *m, const struct conform_record *init)
{
	struct td_start s = {
		.op_state = (u32)conform_number(init, CF_OP_STATE, OP_STATE_RUNNABLE),
		.pending_ve_disable = conform_number(init, CF_PVD, 0),
		.notify = conform_number(init, CF_NOTIFY, 0),
		.fatal = conform_number(init, CF_FATAL, 0),
		.num_tdcx = (u8)conform_number(init, CF_NUM_TDCX, 6),
	};

	machine_back(m, m->made);
	td_start_from(CONFORM_TDR, &s);
}

void machine_free(struct conform_machine *m)
{
	if (!m)
		return;
	machine_mark_free(m->made);
	sim_free(m->sim);
	g_free(m);
}

const char *machine_refuses(struct conform_machine *m, const struct conform_record *op,
			    bool *missing)
{
	u64 lp = conform_number(op, CF_LP, 0);

	*missing = false;
	if (lp >= CONFORM_LPS)
		return "there is no such LP";
	if (conform_number(op, CF_VCPU, 0) >= CONFORM_LPS)
		return "there is no such vCPU";
	if (conform_of_guest(op)) {
		if (!m->lp[lp].in_td)
			return "no vCPU runs on this LP";
		if (conform_has(op, CF_VCPU) && op->n[CF_VCPU] != m->lp[lp].vcpu)
			return "another vCPU runs on this LP";
		return NULL;
	}
	if (op->call == CALL_UNKNOWN) {
		*missing = true;
		return "the model knows no such call";
	}
	if (m->lp[lp].in_td)
		return "a vCPU runs on this LP: it cannot make a SEAMCALL";
	return NULL;
}

struct conform_lp *machine_give(struct conform_machine *m, const struct conform_record *op)
{
	struct conform_lp *l = &m->lp[conform_number(op, CF_LP, 0)];

	l->leaf = (u64)op->call;
	l->op = op;
	l->tsc = CONFORM_TSC + CONFORM_TSC_STEP * ++m->ops;
	lp_interrupt_at_query(l->lp, (u32)conform_number(op, CF_INTR, 0));
	actor_unpark(l->actor);
	return l;
}

bool machine_run(struct conform_machine *m, const char **why, bool *missing)
{
	enum sim_end end = sim_run(m->sim);
	const struct violation *v;

	for (u16 i = 0; i < CONFORM_LPS; i++)
		lp_interrupt_at_query(i, 0);
	*missing = false;
	*why = NULL;
	if (check_count(m->sim)) {
		v = check_at(m->sim, 0);
		*missing = !strcmp(v->id, "unsupported-leaf");
		*why = v->text;
	} else if (end == SIM_UNREACHABLE) {
		*why = script_why(m->sim);
	} else if (end != SIM_DONE) {
		*why = "the simulation stopped";
	}
	return !*why;
}

u8 machine_level(const struct conform_record *op)
{
	/* A violation names an address, and the walk goes to its leaf */
	return op->call == CALL_EPT_VIOLATION ? 0 : machine_rcx(op) & 7;
}

u64 *machine_slot(struct conform_machine *m, const struct conform_record *op, u8 *level)
{
	if (!conform_of_guest(op) && strncmp(op->t[CT_OP], "TDH.MEM.", 8))
		return NULL;
	return sept_peek_slot(CONFORM_TDR, machine_rcx(op) & GPA_BITS, machine_level(op), level);
}

/* Locks of other agents */

static bool find_hold(struct conform_machine *m, const struct conform_record *op, u64 *slot)
{
	const char *h = op->t[CT_HOLD];
	u64 hpa = conform_number(op, CF_HOLD_PA, 0);
	u8 level = g_str_has_prefix(h, "pamt1g") ? 3 : g_str_has_prefix(h, "pamt2m") ? 2 : 1;

	if (g_str_has_prefix(h, "pamt"))
		return module_lock_find(CONFORM_TDR, "PAMT", hpa, level, &m->hold);
	if (g_str_has_prefix(h, "tree_"))
		return td_peek_lock(CONFORM_TDR, "SEPT_TREE", &m->hold);
	if (g_str_has_prefix(h, "epoch_"))
		return td_peek_lock(CONFORM_TDR, "TD_EPOCH", &m->hold);
	if (g_str_has_prefix(h, "opstate_"))
		return td_peek_lock(CONFORM_TDR, "OP_STATE", &m->hold);
	if (g_str_has_prefix(h, "kot_"))
		return module_lock_find(CONFORM_TDR, "KOT", 0, 0, &m->hold);
	if (!strcmp(h, "wbt"))
		return module_lock_find(CONFORM_TDR, "WBT",
					lp_package((u16)conform_number(op, CF_LP, 0)), 0,
					&m->hold);
	if (!slot)
		return false;
	m->hold = (struct module_lock){ slot, 3, "sept" };
	if (!strcmp(h, "sept_child_host")) {
		u64 table = *slot & GPA_BITS, i = conform_number(op, CF_HOLD_IDX, 0);

		m->hold.p = (u64 *)phys_to_ptr(table) + i;
		return i < 512 && table < world_phys_size();
	}
	return !strcmp(h, "sept_host") || !strcmp(h, "sept_guest");
}

const char *machine_hold(struct conform_machine *m, const struct conform_record *op, u64 *slot)
{
	const char *h = op->t[CT_HOLD];

	m->hold.p = NULL;
	if (!h)
		return NULL;
	if (!find_hold(m, op, slot)) {
		m->hold.p = NULL;
		return "the lock to hold is not there";
	}
	m->hold_how = g_str_has_suffix(h, "_sh") ? ACQUIRE_SHARED : ACQUIRE_EXCLUSIVE;
	if (!strcmp(h, "sept_guest"))
		m->hold_how = ACQUIRE_GUEST;
	if (module_lock_acquire(&m->hold, m->hold_how) == TDX_SUCCESS)
		return NULL;
	m->hold.p = NULL;
	return "the lock to hold is taken";
}

void machine_let_go(struct conform_machine *m)
{
	if (m->hold.p)
		module_lock_release(&m->hold, m->hold_how);
	m->hold.p = NULL;
}
