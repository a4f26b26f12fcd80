/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The storm: anything at any time. A plan is what a machine's threads will do, round after
 * round, drawn from a seed; in a round all run under a random schedule, and when all have come
 * to rest everything must agree. Rooms: storm.c (which plans, how many), storm_plan.c (drawing
 * and writing them), storm_run.c (playing them: a machine, rounds), storm_thread.c (what a thread
 * does in one), storm_endless.c (what is known to go round for ever), storm_rest.c (what holds at
 * rest), storm_found.c (a plan that failed, made small and written as a scenario).
 */
#include "sim/engine/choose.h"
#include "tdxmod/guest.h"
#include "tests/kvmmmu/machine.h"

#define STORM_FIRST	0x1fcu	/* the gfns of the storm: the ends of two tables */
#define STORM_NR	8u
#define STORM_SLOT	0x200u	/* memslots, and what a huge page maps */
#define STORM_GFNS	0x600u	/* the last third is free: a slot may move there */

#define STORM_VCPUS	4
#define STORM_HOSTS	2	/* threads that are no vCPU's */
#define STORM_THREADS	(STORM_VCPUS + STORM_HOSTS)
#define STORM_LPS	8	/* two more than threads: to move to, or to go offline */
#define STORM_OPS	8	/* of a thread in a round */
#define STORM_INSNS	24	/* of a guest in a round */

/* X(NAME, scenario's word, operands, whose descriptor, weight in a TD, in a VM without TDX) */
#define STORM_WORDS(X)							\
	/* a vCPU's thread */						\
	X(RUN, "run", RUN, VCPU, 12, 12)				\
	X(FAULT, "fault", GFN_KIND, VCPU, 4, 4)				\
	X(PREFAULT, "prefault", RANGE, VCPU, 3, 3)			\
	X(MIGRATE, "migrate", LP_OF_SELF, NONE, 2, 2)			\
	/* any thread */						\
	X(ZAP, "zap", RANGE, VM, 2, 2)					\
	X(NOTIFY, "notify", RANGE, VM, 4, 4)				\
	X(AGE, "age", RANGE, VM, 2, 3)					\
	X(REUSE, "reuse-page", GFN, NONE, 3, 3)				\
	X(KICK, "kick", NOTHING, VM, 2, 2)				\
	X(RCU, "rcu-quiesce", NOTHING, NONE, 1, 1)			\
	X(PUNCH, "punch", RANGE, VM, 4, 0)				\
	X(TO_SHARED, "convert", RANGE_SHARED, VM, 4, 0)			\
	X(TO_PRIVATE, "convert", RANGE_PRIVATE, VM, 4, 0)		\
	X(TRACK, "track", NOTHING, VM, 2, 0)				\
	X(SLOT_DELETE, "slot delete", SLOT, VM, 2, 2)			\
	X(SLOT_ADD, "slot add", SLOT, VM, 4, 4)				\
	X(SLOT_MOVE, "slot move", MOVE, VM, 0, 1)			\
	X(LOG_DIRTY, "log-dirty", SLOT_ON, VM, 1, 2)			\
	X(GET_DIRTY, "get-dirty", SLOT_START, VM, 0, 2)			\
	X(CLEAR_DIRTY, "clear-dirty", RANGE, VM, 0, 2)			\
	X(RECOVER_NX, "recover-nx", NOTHING, VM, 1, 3)			\
	X(COLLAPSE, "collapse", SLOT, VM, 0, 2)				\
	X(SPLIT, "split", GFN, VM, 0, 2)				\
	X(SHADOW, "shadow-page", GFN, VM, 0, 1)				\
	X(INTERRUPT, "interrupt", LP, NONE, 2, 2)			\
	X(SIGNAL, "signal", THREAD, NONE, 1, 1)				\
	X(RESCHED, "need-resched", THREAD, NONE, 1, 1)			\
	X(OFFLINE, "cpu-offline", LP, NONE, 1, 1)			\
	/* a TD's life: drawn by what a round of it is about */		\
	X(INIT_VM, "init-vm", NOTHING, VM, 0, 0)			\
	X(CREATE_VCPU, "create-vcpu", NOTHING, VM, 0, 0)		\
	X(INIT_VCPU, "init-vcpu", NOTHING, VCPU, 0, 0)			\
	X(BUILD, "build", RANGE, VCPU, 0, 0)				\
	X(FINALIZE, "finalize", NOTHING, VM, 0, 0)			\
	X(CLOSE, "close", THREAD, NONE, 0, 0)				\
	X(DESTROY, "destroy", NOTHING, VM, 0, 0)

#define X(name, word, operands, of, td, vm) STORM_##name,
enum storm_what { STORM_WORDS(X) STORM_WHATS };
#undef X

enum storm_guest {	/* instructions */
	STORM_READ, STORM_WRITE, STORM_EXEC, STORM_ACCEPT, STORM_MAP_GPA, STORM_VMCALL,
	STORM_ATTR_RD, STORM_HALT,
};

struct storm_op {
	u8 what;		/* enum storm_what, of a guest enum storm_guest */
	u8 how;			/* shared, on, convert: by the operation */
	u16 n;			/* LP, thread, times; 2M */
	u16 from, to;		/* gfns */
	u16 where;		/* of a move */
};

struct storm_round {
	bool fresh;		/* with a VM of its own, just created */
	bool alone;		/* one thread at a time */
	u8 nops[STORM_THREADS], ninsns[STORM_VCPUS];
	struct storm_op op[STORM_THREADS][STORM_OPS];
	struct storm_op insn[STORM_VCPUS][STORM_INSNS];
};

struct storm_plan {
	bool td, life;		/* life: TDs are made, run and destroyed in it */
	u8 max_level;
	bool nx_huge_pages, no_ad, no_pml;
	u8 manual_protect;	/* kmmu_config's */
	u16 vcpus, hosts;
	const char *kernel, *module;	/* "kvm=v7.2", "tdx=1.5.34" */
	const char *mutation;	/* a switch of the variant, or NULL */
	bool history_alone;	/* in all rounds but the last, one thread at a time */
	u64 seed;		/* of the schedule */
	u32 burst;		/* steps that a thread takes in a row, about; 1: any order */
	u32 nrounds;
	struct storm_round *round;
};

struct storm_counts {		/* what was done, and not refused for want of a descriptor */
	u64 host, vcpu, guest;	/* operations */
	u64 rounds, plans, steps;
	u64 endless;		/* F01, F02 and F07 were met, and ended by a signal */
	u64 by_what[STORM_WHATS];
};

/* storm_plan_draw - plan number @n of @kernel; free with storm_plan_free() */
struct storm_plan *storm_plan_draw(const char *kernel, u64 n);
void storm_plan_free(struct storm_plan *p);
struct storm_plan *storm_plan_copy(const struct storm_plan *p);
bool storm_has_thread(const struct storm_plan *p, u32 t);
/* storm_word - the scenario's word of an operation, enum storm_what */
const char *storm_word(u8 what);
/* storm_plan_write - as a scenario, to @out. Exact if p->history_alone, but for the schedule */
void storm_plan_write(const struct storm_plan *p, const char *why, FILE *out);

/*
 * storm_play - in a machine of its own. NULL: everything held; else what did not, to be freed.
 * Adds what was done to @counts, and says in *@round how far it came.
 */
char *storm_play(const struct storm_plan *p, struct storm_counts *counts, u32 *round);

/*
 * storm_shrink - a part of @p, which fails, that fails as well, in the same words up to the first
 * colon, under some schedule: fewer rounds, threads, operations. To be freed.
 */
struct storm_plan *storm_shrink(const struct storm_plan *p, const char *why);

/* --- of a plan that is played --------------------------------------------------------------- */

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

struct storm {
	const struct storm_plan *plan;
	struct storm_counts *counts;
	struct machine m;
	struct storm_thread *thread;	/* [STORM_THREADS] */
	u64 pages, regions;	/* in use before there was a VM */
	u32 removals[STORM_GFNS];	/* TDH.MEM.PAGE.REMOVE that have succeeded, by gfn */
	struct choose_driver driver;
	u64 rng;		/* of the schedule */
	u32 last, last_n;	/* who was picked, of how many */
	u32 zapping, finalizing;	/* threads that are at it */
	u64 down;		/* LPs that go offline, or have */
	GHashTable *reused;	/* frames that the host has taken for itself, by hpa */
	char *why;
};

/* storm_fail - what does not hold; the first word of all counts */
void storm_fail(struct storm *s, const char *fmt, ...) __printf(2, 3);
/* storm_thread_main - of an actor: the operations of a struct storm_thread, then it parks */
void storm_thread_main(void *arg);
bool storm_is_vcpu(const struct storm_thread *t);
/* storm_under_way - the operation that @t is in, or NULL */
const struct storm_op *storm_under_way(const struct storm_thread *t);
/* storm_signal_endless - to whoever goes round for ever as is known; false: nobody does */
bool storm_signal_endless(struct storm *s);
/* storm_is_known - a violation of what is shipped, which is no failure */
bool storm_is_known(const struct violation *v);
/* storm_rest - all threads are at rest: does everything agree? @whole: look at all memory */
void storm_rest(struct storm *s, bool whole);
/* storm_left - the VM was destroyed: nothing of it is left */
void storm_left(struct storm *s);
u64 storm_pages_in_use(void);
u64 storm_regions(void);
