// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an actor does: takes the operations that it has been given, one after the other,
 * and parks when there is none. Each operation is a call into KVM's face on the actor's
 * own stack. Rests on kvmmmu/kmmu.h.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "scenarios/play_priv.h"
#include "sim/engine/lockdep.h"
#include "sim/engine/check.h"
#include "sim/engine/clock.h"
#include "sim/engine/mem.h"
#include "sim/engine/task.h"
#include "sim/engine/undo.h"

void play_refuse(struct player *pl, const struct scn_loc *loc, const char *fmt, ...)
{
	va_list ap;
	char *what;

	if (pl->refused)
		return;
	va_start(ap, fmt);
	what = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	pl->refused = loc && loc->line ?
		g_strdup_printf("%s:%u:%u: error: %s", loc->file, loc->line, loc->col, what) :
		g_strdup_printf("%s: error: %s", pl->sc->path, what);
	g_free(what);
	if (pl->sim)
		sim_stop(pl->sim);
}

#define LAPS	64u	/* of a free actor, a round: races want company, not starts */
#define AWAKE	200000u

static gboolean vcpu_op(struct cast *a, const struct scn_op *op, struct kmmu_result *r)
{
	static const enum kmmu_memory_fault on_fault[] = {
		[SCN_MEMFAULT_STOP] = MEMORY_FAULT_STOP,
		[SCN_MEMFAULT_RETRY] = MEMORY_FAULT_RETRY,
		[SCN_MEMFAULT_CONVERT] = MEMORY_FAULT_CONVERT,
	};

	struct kvm_vcpu *vcpu = a->scn->vcpu < 0 ? NULL : kmmu_vcpu(a->kvm, (u16)a->scn->vcpu);

	switch (op->word->code) {
	case SCN_OP_RUN:
		*r = kmmu_run(vcpu, on_fault[op->on_fault], op->times);
		return TRUE;
	case SCN_OP_FAULT:
		*r = kmmu_fault(vcpu, op->range.start, op->kind == SCN_MEM_SHARED,
				op->level == SCN_LEVEL_2M ? 2 : 1);
		return TRUE;
	case SCN_OP_PREFAULT:
		*r = kmmu_prefault(vcpu, op->range.start, op->range.end);
		return TRUE;
	default:
		return FALSE;
	}
}

static void migrate(struct cast *a, const struct scn_op *op, struct kmmu_result *r)
{
	struct player *pl = a->pl;
	struct cast *of;

	if (op->actor.index < 0)
		return;
	of = &pl->cast[op->actor.index];
	if (of == a)
		*r = kmmu_migrate(a->kvm, (u16)op->lp);
	else if (!pl->free && of->actor->state == ACTOR_PARKED)
		actor_set_lp(of->actor, (u16)op->lp);
	else
		task_migrate(of->actor, (u16)op->lp);
}

/*
 * Operations that promise, at their return, that their gfns are not mapped by an older page: in
 * which trees (enum check_kinds), 0 for none
 */
static guint unmaps(const struct scn_op *op)
{
	switch (op->word->code) {
	case SCN_OP_ZAP:
	case SCN_OP_SLOT_DELETE:
	case SCN_OP_SLOT_MOVE:
		return CHECK_MIRROR | CHECK_DIRECT;
	case SCN_OP_PUNCH:
		return CHECK_MIRROR;
	case SCN_OP_CONVERT:
		return op->kind == SCN_MEM_SHARED ? CHECK_MIRROR : CHECK_DIRECT;
	default:
		return 0;
	}
}

static void unmap_op(struct cast *a, const struct scn_op *op, struct kmmu_result *r)
{
	struct kvm *kvm = a->kvm;
	guint64 from = op->range.start, to = op->range.end;
	struct checks *k = a->checks;
	guint kinds = unmaps(op), zap = k ? checks_zap_begins(k, from, to, kinds) : 0;

	switch (op->word->code) {
	case SCN_OP_ZAP:
		*r = kmmu_zap(kvm, from, to);
		break;
	case SCN_OP_PUNCH:
		*r = kmmu_punch(kvm, from, to);
		break;
	case SCN_OP_CONVERT:
		*r = kmmu_convert(kvm, from, to, op->kind == SCN_MEM_SHARED);
		break;
	default:
		*r = kmmu_slot(kvm, op->word->code == SCN_OP_SLOT_MOVE ? SLOT_MOVE : SLOT_DELETE,
			       from, to, op->to);
	}
	if (k)
		checks_zap_ends(k, from, to, kinds, zap, r->ret >= 0);
}

static gboolean vm_op(struct cast *a, const struct scn_op *op, struct kmmu_result *r)
{
	struct kvm *kvm = a->kvm;
	guint64 from = op->range.start, to = op->range.end;

	switch (op->word->code) {
	case SCN_OP_SLOT_ADD:
		*r = kmmu_slot(kvm, SLOT_ADD, from, to, 0);
		return TRUE;
	case SCN_OP_REUSE_PAGE:
		*r = kmmu_reuse_page(kvm, from);
		return TRUE;
	case SCN_OP_NOTIFY:
		*r = kmmu_notify(kvm, from, to);
		return TRUE;
	case SCN_OP_AGE:
		*r = kmmu_age(kvm, from, to);
		return TRUE;
	case SCN_OP_TEST_AGE:
		*r = kmmu_test_age(kvm, from, to);
		return TRUE;
	case SCN_OP_GET_DIRTY:
		*r = kmmu_get_dirty(kvm, from);
		return TRUE;
	case SCN_OP_RECOVER_NX:
		*r = kmmu_recover_nx(kvm);
		return TRUE;
	case SCN_OP_COLLAPSE:
		*r = kmmu_collapse(kvm, from, to);
		return TRUE;
	case SCN_OP_SPLIT:
		*r = kmmu_split(kvm, from);
		return TRUE;
	case SCN_OP_SHADOW_PAGE:
		*r = kmmu_shadow_page(kvm, from);
		return TRUE;
	case SCN_OP_LOG_DIRTY:
		*r = kmmu_log_dirty(kvm, from, to, op->on);
		return TRUE;
	case SCN_OP_CLEAR_DIRTY:
		*r = kmmu_clear_dirty(kvm, from, to);
		return TRUE;
	case SCN_OP_RCU_QUIESCE:
		*r = kmmu_rcu_quiesce(kvm);
		return TRUE;
	case SCN_OP_KICK:
		*r = kmmu_kick(kvm);
		return TRUE;
	case SCN_OP_TRACK:
		*r = kmmu_track(kvm);
		return TRUE;
	case SCN_OP_MIGRATE:
		migrate(a, op, r);
		return TRUE;
	default:
		return FALSE;
	}
}

void play_compute(guint64 cycles)
{
	sim_compute(cycles);
	mem_fence();
}

/* Whose descriptor the operation needs: the vCPU's, the VM's, or none (-1) */
static int needs(const struct cast *a, const struct scn_op *op)
{
	if (op->word->code == SCN_OP_CREATE_VCPU)
		return KMMU_VM;
	if (op->word->vcpu)
		return a->scn->vcpu;
	switch (op->word->code) {
	case SCN_OP_REUSE_PAGE:		/* what the host does, with a VM or without */
	case SCN_OP_RCU_QUIESCE:
	case SCN_OP_MIGRATE:
	case SCN_OP_CLOSE:
	case SCN_OP_CPU_OFFLINE:
	case SCN_OP_SEAMCALL:
	case SCN_OP_ACQUIRE:
	case SCN_OP_RELEASE:
	case SCN_OP_SIGNAL:
	case SCN_OP_NEED_RESCHED:
	case SCN_OP_INTERRUPT:
	case SCN_OP_INJECT:
	case SCN_OP_SET:
		return -1;
	default:
		return KMMU_VM;
	}
}

static void call(struct cast *a, const struct scn_op *op, struct kmmu_result *r)
{
	int of = needs(a, op);

	if (of >= 0 && !kmmu_get(a->kvm, (u16)of)) {
		r->what = "EBADF";	/* its descriptor is closed, or not there yet */
		r->ret = -EBADF;
		return;
	}
	if (unmaps(op))
		unmap_op(a, op, r);
	else if (!vcpu_op(a, op, r) && !vm_op(a, op, r) && !play_life_op(a, op, r) &&
	    !play_disturb(a, op))
		play_module_op(a, op, r);
	if (of >= 0)
		kmmu_put(a->kvm, (u16)of);
}

gboolean play_is_searched(const struct player *pl)
{
	return sim_options(pl->sim)->sched == SCHED_CHOOSE;
}

/* Is its first step all that others can see of its beginning? */
static gboolean begins_with_a_step(const struct scn_op *op)
{
	switch (op->word->code) {
	case SCN_OP_COMPUTE:
	case SCN_OP_ACQUIRE:
	case SCN_OP_RELEASE:
	case SCN_OP_SEAMCALL:
	case SCN_OP_SIGNAL:
	case SCN_OP_NEED_RESCHED:
	case SCN_OP_SET:
		return TRUE;
	default:
		return FALSE;
	}
}

static void perform(struct cast *a, const struct scn_op *op)
{
	struct kmmu_result r = { 0 };

	actor_forget((guint64)op->loc.line << 16 | op->loc.col);
	trace_(EV_OP_BEGIN, .name = op->text);
	/*
	 * A descriptor is closed, a flag is set, an interrupt is sent by no step: in a search that
	 * must not come at once, but when it is this actor's turn.
	 */
	if (play_is_searched(a->pl) && !begins_with_a_step(op))
		mem_fence();
	if (op->word->code == SCN_OP_COMPUTE)
		play_compute(op->cycles);
	else
		call(a, op, &r);
	count(COUNT_OPS, 1);
	if (!a->state->kernel_held)	/* by `acquire`; else user space holds none of the kernel's */
		lockdep_check_none_held(op->text);
	trace_(EV_OP_END, .name = op->text, .detail = r.what, .status = (u64)r.ret);
	actor_progress(PROGRESS_OP);
}

static void perform_all(struct cast *a, const struct scn_op *op)
{
	if (op->word->code != SCN_OP_REPEAT) {
		perform(a, op);
		return;
	}
	for (guint64 i = 0; op->count == SCN_RETRY_INF || i < op->count; i++)
		for (guint k = 0; k < op->body->len; k++)
			perform_all(a, op->body->pdata[k]);
}

/* Free threads have no script: init lines take turns by a number outside the world. */
static gboolean wait_turn(struct cast *a, guint at)
{
	struct timespec pause = { 0, 20000 };
	gboolean all = at >= a->turn->len;
	guint mine = all ? a->pl->turns : g_array_index(a->turn, guint, at);

	/* The start of all is awaited awake: whoever sleeps misses the race. */
	for (guint spin = 0; __atomic_load_n(&a->pl->turn, __ATOMIC_ACQUIRE) < mine; spin++) {
		if (sim_stopping(a->pl->sim))
			return FALSE;
		cpu_relax();	/* whose turn it is may want an answer of this LP's */
		if (!all || spin > AWAKE)
			nanosleep(&pause, NULL);
	}
	return TRUE;
}

static const struct scn_op *next_op(struct cast *a)
{
	struct cast_state *s = a->state;

	for (int plan = 0; plan < PLANS; plan++) {
		guint32 at = s->taken[plan];

		if (at >= s->given[plan])
			continue;
		world_set(s->taken[plan], at + 1);
		return a->plan[plan]->pdata[at];
	}
	return NULL;
}

/* Init lines in turn; then everything else that the file gives the actor, lap after lap. */
static void cast_main_free(struct cast *a)
{
	guint at;

	for (at = 0; at < a->turn->len; at++) {
		if (!wait_turn(a, at))
			return;
		perform_all(a, a->plan[PLAN_CELLS]->pdata[at]);
		__atomic_fetch_add(&a->pl->turn, 1, __ATOMIC_RELEASE);
	}
	/* The last turn is everybody's arrival at the start. */
	__atomic_fetch_add(&a->pl->turn, 1, __ATOMIC_RELEASE);
	if (!wait_turn(a, at))
		return;
	for (guint lap = 0; lap < LAPS && !sim_stopping(a->pl->sim); lap++) {
		for (guint i = at; i < a->plan[PLAN_CELLS]->len; i++)
			perform_all(a, a->plan[PLAN_CELLS]->pdata[i]);
		for (guint i = 0; i < a->plan[PLAN_LIST]->len; i++)
			perform_all(a, a->plan[PLAN_LIST]->pdata[i]);
	}
}

void cast_main(void *arg)
{
	struct cast *a = arg;

	if (a->pl->free) {
		cast_main_free(a);
		return;
	}
	for (;;) {
		const struct scn_op *op = next_op(a);

		if (op && a->state->late) {
			play_compute(a->state->late);
			world_set(a->state->late, 0);
		}
		if (op)
			perform_all(a, op);
		else
			actor_park("no operation left to do");
	}
}

/* Let @a start up to @n more operations of @plan. */
void cast_give(struct cast *a, int plan, guint32 n)
{
	guint32 all = a->plan[plan]->len, now = a->state->given[plan];

	n = n < all - now ? n : all - now;
	if (!n)
		return;
	world_set(a->state->given[plan], now + n);
	actor_unpark(a->actor);
}

/* Operations on the module or on private memory; module locks of a TD that is not there. */
static gboolean wants_td(const struct scn_op *op)
{
	switch (op->word->code) {
	case SCN_OP_PUNCH:
	case SCN_OP_CONVERT:
	case SCN_OP_TRACK:
	case SCN_OP_SEAMCALL:
	case SCN_OP_ACCEPT:
	case SCN_OP_MAP_GPA:
	case SCN_OP_TDCALL:
		return TRUE;
	case SCN_OP_ACQUIRE:
	case SCN_OP_RELEASE:
		return op->lock.word->module;
	default:
		return FALSE;
	}
}

gboolean play_lacks_td(struct player *pl, const struct scn_td *td, const struct scn_op *op)
{
	if (td->type != SCN_TD_TYPE_DEFAULT || (!wants_td(op) && op->kind == SCN_MEM_DEFAULT))
		return FALSE;
	play_refuse(pl, &op->loc, "`%s` wants a TD; this VM has type=default", op->text);
	return TRUE;
}

/* What the grammar allows but this case has no way to do: say so before anything runs. */
gboolean play_op_possible(struct player *pl, const struct cast *a, const struct scn_op *op)
{
	if (op->word->code == SCN_OP_REPEAT) {
		for (guint i = 0; i < op->body->len; i++)
			if (!play_op_possible(pl, a, op->body->pdata[i]))
				return FALSE;
		return TRUE;
	}
	if (!op->word->supported) {
		play_refuse(pl, &op->loc, "`%s` is not supported yet", op->word->name);
		return FALSE;
	}
	if (op->word->vcpu && a->scn->vcpu < 0) {
		play_refuse(pl, &op->loc, "`%s` wants a vCPU thread; %s is none", op->word->name,
			    a->scn->name);
		return FALSE;
	}
	if (play_lacks_td(pl, a->td, op))
		return FALSE;
	if (op->word->code == SCN_OP_FAULT && op->level == SCN_LEVEL_2M &&
	    a->td->max_level != SCN_LEVEL_2M) {
		play_refuse(pl, &op->loc, "a 2M fault wants `td max-level=2M`");
		return FALSE;
	}
	if (op->word->code == SCN_OP_MIGRATE && op->actor.index < 0) {
		play_refuse(pl, &op->loc, "%s has no thread in this case", op->actor.name);
		return FALSE;
	}
	return play_module_possible(pl, op);
}
