// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a thread of the storm does: the operations of its plan one after another, each as a
 * system call, but for those that a user who knows KVM would not begin just now.
 */
#include "tests/kvmmmu/storm.h"

#include "kvmmmu/own/kvm_main.h"
#include "sim/engine/lockdep.h"
#include "sim/engine/lp.h"
#include "sim/engine/mem.h"
#include "sim/engine/task.h"
#include "tdxmod/observe.h"
#include "tdxmod/td.h"

static const enum { NONE, VM, VCPU } of_what[STORM_WHATS] = {
#define X(name, word, operands, of, td, vm) [STORM_##name] = of,
	STORM_WORDS(X)
#undef X
};

bool storm_is_vcpu(const struct storm_thread *t)
{
	return t->n < STORM_VCPUS;
}

/*
 * Nobody's LP: no thread of the plan is there, and as soon as it begins to go down Linux's
 * scheduler lets none go there. What was taken down stays so.
 */
static bool lp_is_free(struct storm *s, u16 lp)
{
	if (s->down & BIT_ULL(lp))
		return false;
	for (u32 i = 0; i < STORM_THREADS; i++)
		if (s->thread[i].actor && s->thread[i].actor->lp == lp)
			return false;
	return true;
}

/*
 * While a TD is built its TDR is locked exclusively now and then, TDH.VP.FLUSH is busy, and a CPU
 * that goes down does not look: the vCPU stays associated with it for ever (C09, every kernel).
 */
static bool cpu_offline(struct storm *s, u16 lp)
{
	if (is_td(s->m.kvm) && mem_peek32(&s->m.kvm->td_state) != TD_STATE_RUNNABLE)
		return false;
	if (!lp_is_free(s, lp))
		return false;
	s->down |= BIT_ULL(lp);
	kmmu_cpu_offline(s->m.kvm, lp);
	return true;
}

/* zap-lost: what was mapped when the operation began is there, and was never taken out */
struct promise {
	u64 hpa[STORM_GFNS];
	u32 removals[STORM_GFNS];
};

static void zap_begins(struct storm *s, const struct storm_op *op, struct promise *p)
{
	struct sept_view v;

	for (u32 gfn = op->from; gfn < op->to; gfn++) {
		sept_peek(kmmu_tdr(s->m.kvm), gfn, &v);
		p->hpa[gfn] = v.mapped ? v.hpa : 0;
		p->removals[gfn] = s->removals[gfn];
	}
}

static void zap_ends(struct storm *s, const struct storm_op *op, const struct promise *p)
{
	struct sept_view v;

	for (u32 gfn = op->from; gfn < op->to && kmmu_tdr(s->m.kvm); gfn++) {
		if (!p->hpa[gfn] || p->removals[gfn] != s->removals[gfn])
			continue;
		sept_peek(kmmu_tdr(s->m.kvm), gfn, &v);
		if (v.mapped)
			storm_fail(s, "zap-lost: 0x%x is mapped as before when %s has returned", gfn,
				   storm_word(op->what));
	}
}

/*
 * A zap of what is private finds the TDR locked exclusively while TDH.MR.FINALIZE runs, and that
 * is a KVM_BUG, in every kernel: b10-punch-vs-finalize.scn. So they do not meet here.
 */
static bool finalize(struct storm *s)
{
	if (s->zapping)
		return false;
	s->finalizing++;
	kmmu_finalize(s->m.kvm);
	s->finalizing--;
	return true;
}

static struct kmmu_result unmap(struct storm *s, const struct storm_op *op)
{
	struct kvm *kvm = s->m.kvm;
	struct kmmu_result r;
	struct promise *p = kmmu_tdr(kvm) ? g_new(struct promise, 1) : NULL;

	if (p)
		zap_begins(s, op, p);
	switch (op->what) {
	case STORM_ZAP:
		r = kmmu_zap(kvm, op->from, op->to);
		break;
	case STORM_PUNCH:
		r = kmmu_punch(kvm, op->from, op->to);
		break;
	case STORM_TO_SHARED:
		r = kmmu_convert(kvm, op->from, op->to, true);
		break;
	default:
		r = kmmu_slot(kvm, SLOT_DELETE, op->from, op->to, 0);
	}
	if (p && r.ret >= 0)
		zap_ends(s, op, p);
	g_free(p);
	return r;
}

static bool vcpu_op(struct storm_thread *t, const struct storm_op *op)
{
	struct kvm_vcpu *vcpu = kmmu_vcpu(t->s->m.kvm, (u16)t->n);

	switch (op->what) {
	case STORM_RUN:
		kmmu_run(vcpu, op->how ? MEMORY_FAULT_CONVERT : MEMORY_FAULT_STOP, op->n);
		return true;
	case STORM_FAULT:
		kmmu_fault(vcpu, op->from, op->how, op->n ? 2 : 1);
		return true;
	case STORM_PREFAULT:
		/* Else it is the end of the VM: b09-prefault-uninitialized-vcpu.scn */
		if (is_td(vcpu->kvm) &&
		    mem_peek32(&vcpu->tdx_state) != VCPU_TD_STATE_INITIALIZED)
			return false;
		kmmu_prefault(vcpu, op->from, op->to);
		return true;
	case STORM_INIT_VCPU:
		kmmu_init_vcpu(vcpu);
		return true;
	case STORM_BUILD:
		kmmu_build(vcpu, op->from, op->to);
		return true;
	default:
		return false;
	}
}

static bool range_op(struct storm_thread *t, const struct storm_op *op)
{
	struct kvm *kvm = t->s->m.kvm;

	switch (op->what) {
	case STORM_ZAP:
	case STORM_PUNCH:
	case STORM_TO_SHARED:
	case STORM_SLOT_DELETE:
		if (t->s->finalizing)
			return false;
		t->s->zapping++;
		unmap(t->s, op);
		t->s->zapping--;
		return true;
	case STORM_NOTIFY:
		kmmu_notify(kvm, op->from, op->to);
		return true;
	case STORM_AGE:
		kmmu_age(kvm, op->from, op->to);
		return true;
	case STORM_REUSE:
		kmmu_reuse_page(kvm, op->from);
		return true;
	case STORM_TO_PRIVATE:
		kmmu_convert(kvm, op->from, op->to, false);
		return true;
	case STORM_SLOT_ADD:
		kmmu_slot(kvm, SLOT_ADD, op->from, op->to, 0);
		return true;
	case STORM_SLOT_MOVE:
		kmmu_slot(kvm, SLOT_MOVE, op->from, op->to, op->where);
		return true;
	case STORM_LOG_DIRTY:
		kmmu_log_dirty(kvm, op->from, op->to, op->how);
		return true;
	case STORM_GET_DIRTY:
		kmmu_get_dirty(kvm, op->from);
		return true;
	case STORM_CLEAR_DIRTY:
		kmmu_clear_dirty(kvm, op->from, op->to);
		return true;
	case STORM_COLLAPSE:
		kmmu_collapse(kvm, op->from, op->to);
		return true;
	case STORM_SPLIT:
		kmmu_split(kvm, op->from);
		return true;
	case STORM_SHADOW:
		kmmu_shadow_page(kvm, op->from);
		return true;
	default:
		return false;
	}
}

/* Without one, TDH.MR.FINALIZE fails and that is a KVM_BUG: user space's own doing. */
static bool has_initialized_vcpu(const struct kvm *kvm)
{
	for (u32 i = 0; i < mem_peek32(&kvm->online_vcpus); i++)
		if (mem_peek32(&kvm->vcpus[i]->tdx_state) == VCPU_TD_STATE_INITIALIZED)
			return true;
	return false;
}

static bool vm_op(struct storm_thread *t, const struct storm_op *op)
{
	struct kvm *kvm = t->s->m.kvm;

	switch (op->what) {
	case STORM_KICK:
		kmmu_kick(kvm);
		return true;
	case STORM_RCU:
		kmmu_rcu_quiesce(kvm);
		return true;
	case STORM_TRACK:
		kmmu_track(kvm);
		return true;
	case STORM_RECOVER_NX:
		kmmu_recover_nx(kvm);
		return true;
	case STORM_INIT_VM:
		kmmu_init_vm(kvm);
		return true;
	case STORM_CREATE_VCPU:
		kmmu_create_vcpu(kvm, (u16)t->n);
		return true;
	case STORM_FINALIZE:
		if (!has_initialized_vcpu(kvm))
			return false;
		return finalize(t->s);
	case STORM_CLOSE:
		kmmu_close(kvm, op->n);
		return true;
	case STORM_DESTROY:
		kmmu_destroy(kvm);
		return true;
	default:
		return false;
	}
}

/* What comes from outside, of a CPU or a thread */
static bool host_op(struct storm_thread *t, const struct storm_op *op)
{
	struct storm *s = t->s;

	switch (op->what) {
	case STORM_MIGRATE:
		if (!storm_is_vcpu(t) || !lp_is_free(s, op->n))
			return false;
		kmmu_migrate(s->m.kvm, op->n);
		return true;
	case STORM_OFFLINE:
		return cpu_offline(s, op->n);
	case STORM_INTERRUPT:
		lp_disturb(s->m.sim, op->n, IRQ_EXTERNAL);
		return true;
	case STORM_SIGNAL:
		task_signal(s->thread[op->n].actor);
		return true;
	case STORM_RESCHED:
		task_need_resched(s->thread[op->n].actor);
		return true;
	default:
		return false;
	}
}

static void counted(struct storm *s, const struct storm_op *op)
{
	s->counts->by_what[op->what]++;
	if (op->what < STORM_MIGRATE)
		s->counts->vcpu++;
	else
		s->counts->host++;
}

/* As a system call: its descriptor is there from the beginning to the end. */
static void perform(struct storm_thread *t, const struct storm_op *op)
{
	struct kvm *kvm = t->s->m.kvm;
	u16 of = of_what[op->what] == VCPU ? (u16)t->n : KMMU_VM;
	bool file = of_what[op->what] != NONE;

	if (file && !kmmu_get(kvm, of))
		return;
	if (of != KMMU_VM && t->refused) {
		kmmu_zap(kvm, t->refused - 1, t->refused);
		t->refused = 0;
	}
	if (vcpu_op(t, op) || range_op(t, op) || vm_op(t, op) || host_op(t, op))
		counted(t->s, op);
	if (file)
		kmmu_put(kvm, of);
}

void storm_thread_main(void *arg)
{
	struct storm_thread *t = arg;

	for (;;) {
		for (t->at = 0; t->at < t->nops; t->at++) {
			perform(t, &t->op[t->at]);
			lockdep_check_none_held(storm_word(t->op[t->at].what));
		}
		actor_park("the round is over");
	}
}

const struct storm_op *storm_under_way(const struct storm_thread *t)
{
	return t->actor && t->at < t->nops ? &t->op[t->at] : NULL;
}
