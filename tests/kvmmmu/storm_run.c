// SPDX-License-Identifier: GPL-2.0-only
/*
 * Playing a plan: a machine, its threads, round after round under a random schedule.
 */
#include "tests/kvmmmu/storm.h"

#include <stdlib.h>
#include <string.h>

#include "sim/engine/region.h"
#include "tdxmod/guest.h"
#include "tdxmod/seamcall.h"

#define ROUND_STEPS	20000u		/* what a round takes: time to look */
#define ROUND_LOOKS	200u
#define EVERYBODY	STORM_THREADS

void storm_fail(struct storm *s, const char *fmt, ...)
{
	va_list ap;

	if (s->why)
		return;
	va_start(ap, fmt);
	s->why = g_strdup_vprintf(fmt, ap);
	va_end(ap);
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

static void fail_by(struct storm *s, const char *what)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	sim_explain(s->m.sim, out);
	for (u32 i = 0; i < STORM_THREADS; i++) {
		const struct storm_op *op = storm_under_way(&s->thread[i]);

		if (op)
			fprintf(out, "%s: %s 0x%x..0x%x\n", s->thread[i].actor->name,
				storm_word(op->what), op->from, op->to);
	}
	fclose(out);
	storm_fail(s, "%s: %s", what, text);
	free(text);
}

static const struct violation *violation(struct storm *s)
{
	for (u32 i = 0; i < check_count(s->m.sim); i++) {
		const struct violation *v = check_at(s->m.sim, i);

		if (!storm_is_known(v))
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
		if (end == SIM_LIMIT && storm_signal_endless(s))
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
		if (storm_under_way(&s->thread[i]) && (only == EVERYBODY || only == i))
			storm_fail(s, "stuck: %s is not through",
				   storm_word(storm_under_way(&s->thread[i])->what));
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
			t->actor = actor_new(s->m.sim, names[i], (u16)i, storm_thread_main, t);
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
