// SPDX-License-Identifier: GPL-2.0-only
/*
 * Playing a plan: a machine, its threads, round after round under a random schedule.
 *
 * Three ways in which what is shipped goes round for ever are known, and met here. F07: a
 * prefault whose root another memslot's deletion has made invalid (every kernel). F01, F02: up
 * to v6.16, a fault or prefault on the memslot that is being deleted. In these the deletion
 * waits for SRCU, which the loop holds, and a signal ends it. R3: a module without S3 refuses a
 * vCPU that it takes for zero-stepped as long as a page on its list is PENDING; a signal ends
 * KVM_RUN, and user space has to zap the page. They are told by what they are, not by where:
 * is_endless(). Whatever else does not come to rest is a failure.
 */
#include "tests/kvmmmu/storm.h"

#include <stdlib.h>
#include <string.h>

#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/tdp_mmu.h"
#include "sim/engine/lockdep.h"
#include "sim/engine/lp.h"
#include "sim/engine/mem.h"
#include "sim/engine/region.h"
#include "sim/engine/task.h"
#include "tdxmod/guest.h"
#include "tdxmod/module.h"
#include "tdxmod/observe.h"
#include "tdxmod/seamcall.h"
#include "tdxmod/td.h"

#define ROUND_STEPS	20000u		/* what a round takes: time to look */
#define ROUND_LOOKS	200u
#define EVERYBODY	STORM_THREADS

struct storm_thread {
	struct storm *s;
	struct actor *actor;
	u32 n;			/* thread_name() of storm_plan.c */
	const struct storm_op *op;	/* of this round */
	u32 nops, at;		/* at < nops: what is under way */
	u64 refused;		/* R3: 1 + the gfn for which the module does not let it in */
	struct guest_program program;
	struct guest_insn insn[STORM_INSNS];
};

static const struct {
	const char *word;
	enum { NONE, VM, VCPU } of;
} words[STORM_WHATS] = {
#define X(name, word, operands, of, td, vm) [STORM_##name] = { word, of },
	STORM_WORDS(X)
#undef X
};

void storm_fail(struct storm *s, const char *fmt, ...)
{
	va_list ap;

	if (s->why)
		return;
	va_start(ap, fmt);
	s->why = g_strdup_vprintf(fmt, ap);
	va_end(ap);
}

/* --- what a thread does ------------------------------------------------------------------- */

static bool is_vcpu(const struct storm_thread *t)
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
				   words[op->what].word);
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
		if (!is_vcpu(t) || !lp_is_free(s, op->n))
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
	u16 of = words[op->what].of == VCPU ? (u16)t->n : KMMU_VM;
	bool file = words[op->what].of != NONE;

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

static void thread_main(void *arg)
{
	struct storm_thread *t = arg;

	for (;;) {
		for (t->at = 0; t->at < t->nops; t->at++) {
			perform(t, &t->op[t->at]);
			lockdep_check_none_held(words[t->op[t->at].what].word);
		}
		actor_park("the round is over");
	}
}

/* --- guests ------------------------------------------------------------------------------- */

static void insn_of(const struct storm_op *op, struct guest_insn *in)
{
	static const u8 how[] = { GUEST_READ, GUEST_WRITE, GUEST_EXEC };

	*in = (struct guest_insn){
		.op = GUEST_ACCESS, .ngpa = 1, .gpa[0] = (u64)op->from << 12, .shared = op->how,
		.pages = op->to - op->from, .text = "insn",
	};
	switch (op->what) {
	case STORM_ACCEPT:
		in->op = GUEST_ACCEPT;
		break;
	case STORM_MAP_GPA:
		in->op = GUEST_MAP_GPA;
		break;
	case STORM_VMCALL:
		in->op = GUEST_VMCALL;
		break;
	case STORM_ATTR_RD:
		in->op = GUEST_TDCALL;
		in->leaf = TDG_MEM_PAGE_ATTR_RD;
		in->rcx = (u64)op->from << 12;
		break;
	case STORM_HALT:
		in->op = GUEST_HALT;
		break;
	default:
		in->access = (enum guest_access)how[op->what];
	}
}

static void give_guests(struct storm *s, const struct storm_round *r)
{
	for (u32 v = 0; v < s->plan->vcpus; v++) {
		struct storm_thread *t = &s->thread[v];

		for (u32 i = 0; i < r->ninsns[v]; i++)
			insn_of(&r->insn[v][i], &t->insn[i]);
		t->program = (struct guest_program){ .insn = t->insn, .n = r->ninsns[v] };
		if (r->ninsns[v] && !kmmu_destroyed(s->m.kvm))
			kmmu_set_guest(s->m.kvm, (u16)v, &t->program);
	}
}

/* --- rounds ------------------------------------------------------------------------------- */

static const struct storm_op *under_way(const struct storm_thread *t)
{
	return t->actor && t->at < t->nops ? &t->op[t->at] : NULL;
}

static bool changes_slots(const struct storm *s)
{
	for (u32 i = 0; i < STORM_THREADS; i++) {
		const struct storm_op *op = under_way(&s->thread[i]);

		if (op && (op->what == STORM_SLOT_DELETE || op->what == STORM_SLOT_MOVE))
			return true;
	}
	return false;
}

static bool has_invalid_slot(const struct kvm *kvm)
{
	const struct kvm_memslots *set = &kvm->slots[mem_peek32(&kvm->memslots)];

	for (u32 i = 0; i < KVM_MEM_SLOTS; i++) {
		const struct kvm_memory_slot *s = (const struct kvm_memory_slot *)set->slot[i];

		if (s && mem_peek32(&s->flags) & KVM_MEMSLOT_INVALID)
			return true;
	}
	return false;
}

/* F07; F01 and F02 as in v6.16: round and round until a signal, while a memslot's change waits */
static bool keeps_srcu(const struct storm_thread *t, const struct kvm_vcpu *vcpu, u8 what)
{
	if (!changes_slots(t->s))
		return false;
	if (what == STORM_PREFAULT && vcpu->root && mem_peek32(&vcpu->root->invalid))
		return true;
	return (what == STORM_RUN || what == STORM_FAULT || what == STORM_PREFAULT) &&
	       kvm_switch(vcpu->kvm, SW_PREFAULT_RETRIES_INVALID) && has_invalid_slot(vcpu->kvm);
}

/* R3; 1 + the gfn */
static u64 refused_gfn(const struct kvm_vcpu *vcpu, u8 what)
{
	const struct tdvps *vp;
	struct sept_view v;

	if (what != STORM_RUN || !vcpu->tdvpr || module_switch(module_self(), S_PENDING_NO_FAULT))
		return 0;
	vp = tdvps_at(vcpu->tdvpr);
	for (u32 i = 0; i < mem_peek8(&vp->last_epf_gpa_list_idx); i++) {
		u64 gfn = mem_peek64(&vp->last_epf_gpa_list[i]) >> PAGE_SHIFT;

		sept_peek(vcpu->kvm->tdr, gfn, &v);
		if (v.state == SEPT_PENDING)
			return gfn + 1;
	}
	return 0;
}

/* Its descriptor may be closed by now: the call goes on. */
static const struct kvm_vcpu *vcpu_of(const struct storm_thread *t)
{
	const struct kvm *kvm = t->s->m.kvm;

	for (u32 i = 0; i < mem_peek32(&kvm->online_vcpus); i++)
		if (kvm->vcpus[i] && kvm->vcpus[i]->vcpu_id == t->n)
			return kvm->vcpus[i];
	return NULL;
}

static bool is_endless(struct storm_thread *t)
{
	const struct storm_op *op = under_way(t);
	const struct kvm_vcpu *vcpu = is_vcpu(t) ? vcpu_of(t) : NULL;

	if (!op || !vcpu)
		return false;
	if (keeps_srcu(t, vcpu, op->what))
		return true;
	t->refused = refused_gfn(vcpu, op->what);
	return t->refused;
}

static bool signal_endless(struct storm *s)
{
	bool any = false;

	for (u32 i = 0; i < STORM_THREADS; i++) {
		if (!is_endless(&s->thread[i]))
			continue;
		task_signal(s->thread[i].actor);
		s->counts->endless++;
		any = true;
	}
	return any;
}

static void fail_by(struct storm *s, const char *what)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	sim_explain(s->m.sim, out);
	for (u32 i = 0; i < STORM_THREADS; i++) {
		const struct storm_op *op = under_way(&s->thread[i]);

		if (op)
			fprintf(out, "%s: %s 0x%x..0x%x\n", s->thread[i].actor->name,
				words[op->what].word, op->from, op->to);
	}
	fclose(out);
	storm_fail(s, "%s: %s", what, text);
	free(text);
}

/*
 * A deadline passes by choice here, so that a guest may have waited too long for the host, and
 * leave with TDX_HOST_PRIORITY_BUSY_TIMEOUT, which KVM does not know. And G16, of every kernel.
 */
static bool is_known(const struct violation *v)
{
	if (!strcmp(v->id, "unexpected-exit"))
		return strstr(v->text, "0x9000020500000000");
	return !strcmp(v->id, "kvm-warn") && strstr(v->text, "a fault that found no memslot is spurious");
}

static const struct violation *violation(struct storm *s)
{
	for (u32 i = 0; i < check_count(s->m.sim); i++) {
		const struct violation *v = check_at(s->m.sim, i);

		if (!is_known(v))
			return v;
	}
	return NULL;
}

/* All threads from here on, or thread @only, until they have parked again. */
static void run(struct storm *s, u32 only)
{
	const struct violation *v;
	enum sim_end end;
	u32 looks = 0;

	for (u32 i = 0; i < STORM_THREADS; i++)
		if (s->thread[i].actor && (only == EVERYBODY || only == i))
			actor_unpark(s->thread[i].actor);
	do {
		sim_limit_steps(s->m.sim, ROUND_STEPS);
		end = sim_run(s->m.sim);
		if (end == SIM_LIMIT && signal_endless(s))
			looks = 0;
	} while (end == SIM_LIMIT && ++looks < ROUND_LOOKS);
	v = violation(s);
	if (v)
		storm_fail(s, "%s: %s %s", v->id, v->where, v->text);
	else if (s->m.freed_while_mapped)
		storm_fail(s, "free-while-mapped: a page is freed that somebody maps");
	else if (end == SIM_LIMIT)
		fail_by(s, "livelock");
	else if (end != SIM_DONE)
		fail_by(s, "deadlock");
	for (u32 i = 0; i < STORM_THREADS; i++)
		if (under_way(&s->thread[i]) && (only == EVERYBODY || only == i))
			storm_fail(s, "stuck: %s is not through", words[under_way(&s->thread[i])->what].word);
}

static void play_round(struct storm *s, const struct storm_round *r, bool alone)
{
	for (u32 i = 0; i < STORM_THREADS; i++) {
		s->thread[i].op = r->op[i];
		s->thread[i].nops = r->nops[i];
		s->thread[i].at = 0;
	}
	for (u32 i = 0; alone && i < STORM_THREADS && !s->why; i++)
		run(s, i);
	if (!alone)
		run(s, EVERYBODY);
}

/* What is left of the VM goes, too. */
static void destroy(struct storm *s)
{
	struct storm_round end = {
		.nops[STORM_VCPUS] = 1, .op[STORM_VCPUS][0] = { .what = STORM_DESTROY },
	};

	for (u32 v = 0; v < s->plan->vcpus; v++) {
		end.op[STORM_VCPUS][end.nops[STORM_VCPUS]++] = (struct storm_op){
			.what = STORM_CLOSE, .n = (u16)v };
	}
	play_round(s, &end, false);
	if (!s->why)
		storm_left(s);
}

/* --- the machine -------------------------------------------------------------------------- */

static void listen(void *ctx, const struct event *ev)
{
	struct storm *s = ctx;

	if (ev->type == EV_NOTE && !strcmp(ev->name, "page-reuse"))
		g_hash_table_add(s->reused, (gpointer)ev->arg);
	if (ev->type == EV_RETURN && !ev->status && ev->arg < STORM_GFNS &&
	    ev->name == seamcall_name(TDH_MEM_PAGE_REMOVE))
		s->removals[ev->arg]++;
}

static void new_threads(struct storm *s)
{
	static const char *const names[STORM_THREADS] = {
		"vCPU0", "vCPU1", "vCPU2", "vCPU3", "host", "user",
	};

	for (u32 i = 0; i < STORM_THREADS; i++) {
		struct storm_thread *t = &s->thread[i];

		t->s = s;
		t->n = i;
		if (storm_has_thread(s->plan, i))
			t->actor = actor_new(s->m.sim, names[i], (u16)i, thread_main, t);
	}
}

static void new_vm(struct storm *s)
{
	const struct storm_plan *p = s->plan;
	const char *variant[] = { p->kernel, p->module, p->mutation, NULL };
	struct kmmu_config kc = {
		.name = "TD", .vcpus = p->vcpus, .memory = (u64)STORM_GFNS << 12, .levels = 4,
		.max_level = p->max_level, .nx_huge_pages = p->nx_huge_pages,
		.created_only = true, .variant = variant,
	};

	s->m.kvm = kmmu_vm_new(s->m.sim, &kc, NULL);
}

static u64 draw(u64 *x, u64 n)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return (*x >> 11) % n;
}

/*
 * Uniform at each step finds what needs many switches; a whole operation inside a narrow window
 * of another needs few. As long as nobody comes or goes the same number is the same thread.
 */
static u32 pick(struct sim *sim, void *ctx, u32 n, enum choose_why why)
{
	struct storm *s = ctx;

	if (why != CHOOSE_ACTOR)
		return (u32)draw(&s->rng, n);
	if (n != s->last_n || !draw(&s->rng, s->plan->burst)) {
		s->last = (u32)draw(&s->rng, n);
		s->last_n = n;
	}
	return s->last;
}

static void new_machine(struct storm *s)
{
	const struct storm_plan *p = s->plan;
	struct machine_options opt = {
		.sched = SCHED_RANDOM, .seed = p->seed, .vcpus = p->vcpus, .lps = STORM_LPS,
		.gfns = STORM_GFNS, .type = p->td ? KMMU_TDX : KMMU_DEFAULT,
		.max_level = p->max_level, .nx_huge_pages = p->nx_huge_pages,
		.no_ad = p->no_ad, .no_pml = p->no_pml, .manual_protect = p->manual_protect,
		.created_only = p->life, .variant = { p->kernel, p->module, p->mutation },
		.tolerate = { "unexpected-exit", "kvm-warn" },
	};

	machine_new(&s->m, &opt);
	s->rng = p->seed * 0x9e3779b97f4a7c15ull | 1;
	s->driver = (struct choose_driver){ pick, s };
	choose_drive(s->m.sim, &s->driver);
	trace_listen_calls(s->m.sim, listen, s);
	new_threads(s);
}

/* STORM_TRACE=N: the last N events of what failed */
static void print_trace(struct storm *s)
{
	static const char *const types[EV_TYPES] = {
		"step", "call", "return", "lock", "unlock", "busy", "blocked", "enter", "exit",
		"kick", "interrupt", "timeout", "begin", "end", "own", "disown", "flush", "check",
		"observe", "note",
	};
	char name[64];

	for (u32 i = 0; i < trace_count(s->m.sim); i++) {
		const struct event *ev = trace_at(s->m.sim, i);
		const struct actor *a = actor_by_id(s->m.sim, ev->actor);

		printf("%8llu %-10s %-9s ", (long long)ev->seq, a ? a->name : "-", types[ev->type]);
		if (ev->type == EV_STEP)
			printf("%s %s 0x%llx -> 0x%llx\n", ev->site->func,
			       region_name_of(ev->p, name, sizeof(name)), (long long)ev->old,
			       (long long)ev->value);
		else
			printf("%s 0x%llx 0x%llx %s 0x%llx\n", ev->name ? ev->name : "",
			       (long long)ev->arg, (long long)ev->arg2, ev->detail ? ev->detail : "",
			       (long long)ev->status);
	}
}

char *storm_play(const struct storm_plan *p, struct storm_counts *counts, u32 *round)
{
	struct storm *s = g_new0(struct storm, 1);
	char *why;

	*s = (struct storm){ .plan = p, .counts = counts,
			     .thread = g_new0(struct storm_thread, STORM_THREADS),
			     .reused = g_hash_table_new(NULL, NULL) };
	new_machine(s);
	if (getenv("STORM_TRACE"))
		trace_ring(s->m.sim, (u32)atoi(getenv("STORM_TRACE")));
	for (*round = 0; *round < p->nrounds && !s->why; ++*round) {
		const struct storm_round *r = &p->round[*round];

		if (r->fresh && *round) {
			destroy(s);
			new_vm(s);
		}
		give_guests(s, r);
		play_round(s, r, r->alone || (p->history_alone && *round + 1 < p->nrounds));
		if (!s->why)
			storm_rest(s, *round % 8 == 7 || *round + 1 == p->nrounds);
		counts->rounds++;
	}
	if (!s->why)
		destroy(s);
	counts->guest += count_of(s->m.sim, NULL, COUNT_GUEST_INSNS);
	counts->plans++;
	counts->steps += sim_steps(s->m.sim);
	why = s->why;
	if (why)
		print_trace(s);
	machine_free(&s->m);
	g_hash_table_unref(s->reused);
	g_free(s->thread);
	g_free(s);
	return why;
}
