/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The player's inside: what its files share. The cast is record; what an actor may do
 * next is world, since a search has to take it back.
 */
#pragma once

#include "kvmmmu/kmmu.h"
#include "scenarios/checks.h"
#include "scenarios/condition.h"
#include "scenarios/player.h"
#include "tdxmod/guest.h"
#include "tdxmod/observe.h"

struct player;

#define HELD_MAX	16	/* locks that one actor's `acquire` can hold at a time */

/* World: how far an actor is. Operations of the schedule come before its own list. */
struct cast_state {
	guint32 given[2];	/* how many it may have started, of plan[] */
	guint32 taken[2];
	struct {
		void *p;
		guint64 how;
	} held[HELD_MAX];
	guint64 late;		/* bench: cycles before it begins with its list */
	guint64 kernel_held;	/* bit i: holds the i-th kernel lock of kernel_lock[] */
	struct {
		const char *name;
		guint64 shared;
	} kernel_lock[HELD_MAX];
};

enum { PLAN_CELLS, PLAN_LIST, PLANS };

/* One actor of the case. */
struct cast {
	struct player *pl;
	const struct scn_actor *scn;
	struct actor *actor;
	struct kvm *kvm;		/* its TD's VM */
	const struct scn_td *td;
	struct checks *checks;		/* of that VM; NULL: free */
	struct guest_program *guest;
	GPtrArray *plan[PLANS];		/* const struct scn_op */
	GArray *turn;			/* free: guint, when each of the first cells may start */
	struct cast_state *state;
	guint id;
};

/* Who got a lock last and has not given it back. */
struct holder {
	guint16 actor;
	guint64 clock;
	const char *mode;
};

/* An event of `expect seen|never`, counted as it happens. */
struct seen {
	struct watch watch;
	const struct scn_event *ev;
	gboolean started;
	const char *why;		/* why it can never be seen, or NULL */
	guint64 count;
	guint64 first;			/* clock of its xN-th time; ~0 before it */
	guint64 first_seq;		/* which of two at one clock */
};

struct player {
	const struct scenario *sc;
	const struct scenario_case *c;
	const struct play_options *opt;
	const struct scn_td *td;
	struct sim *sim;
	struct kvm *kvm;	/* of the first TD */
	struct kvm *vms[SCN_MAX_TDS];
	struct play_result *res;
	struct cast *cast;
	guint ncast;
	GPtrArray *watches;	/* struct watch of rows */
	GArray *seen;		/* struct seen; two an expect: a and b */
	GHashTable *named;	/* "mirror[0x10]", "mmu_lock": words of conditions */
	GHashTable *observed;	/* name -> count */
	GHashTable *tallies;	/* "busy LEAF" ... -> count */
	guint64 *called;	/* by actor: clock of its last leaf call */
	const char **calls_td;	/* by actor: of several TDs, whom its last leaf call was about */
	const void **touched;	/* by actor: where its last step was */
	GHashTable *tolerated;	/* searches: ids of rules that were broken and tolerated */
	GHashTable *holders;	/* lock's name -> struct holder */
	const char **refused_by;	/* by actor: the lock that it found busy last */
	struct checks *checks;
	guint64 base;		/* clock of cycle 0 */
	guint64 base_steps;
	guint64 base_count[COUNTERS];
	guint64 *base_count_of;		/* by actor x COUNTERS */
	gboolean started;	/* cycle 0 has been */
	gboolean free;		/* real threads: no events, no clock */
	gboolean measured;	/* a benchmark: the clock at full speed, no undo log, no events */
	guint turn, turns;	/* free: whose init line it is; all lines, and all actors */
	char *refused;		/* located message */
};

/* player.c */
void player_init(struct player *pl, const struct scenario *sc, const struct scenario_case *c,
		 const struct play_options *opt);
void player_unbuild(struct player *pl);
void player_stoppable(struct sim *sim);		/* what Ctrl-C stops; NULL: nothing */
void player_refused(struct player *pl);
void player_fini(struct player *pl);		/* all but the result */
/*
 * The parts of a play, in this order: build the machine with its checks; play the init lines
 * to cycle 0; then either the schedule's rows and what virtual time makes of the rest, or
 * player_open(): everybody may do all that is left, and who goes next is the caller's.
 */
gboolean player_start(struct player *pl);	/* FALSE: refused */
gboolean player_init_lines(struct player *pl);	/* FALSE: they did not end; pl->res says why */
void player_rows(struct player *pl);
void player_open(struct player *pl);
struct play_result *player_end(struct player *pl);	/* frees all but what it returns */

/* play_build.c */
void player_describe(struct player *pl);
gboolean player_build(struct player *pl);	/* FALSE: refused */

/* play_result.c */
/*
 * player_reads - a text of the layers below in the reader's terms: the engine counts cycles from
 * its birth, a reader from cycle 0; KVM prints a SEAMCALL's status as a number. g_free() it.
 */
char *player_reads(const struct player *pl, const char *text);
void player_take(struct player *pl);		/* actors, violations, counters to the result */
void play_finals(struct player *pl);		/* what is mapped, to the result */
void player_why_unreachable(struct player *pl, const GPtrArray *cells, gboolean init);

/* play_ops.c */
void cast_main(void *cast);
void cast_give(struct cast *a, int plan, guint32 n);
/* play_lacks_td - refused: @op is about a TD, and the VM is none */
gboolean play_lacks_td(struct player *pl, const struct scn_td *td, const struct scn_op *op);
gboolean play_op_possible(struct player *pl, const struct cast *a, const struct scn_op *op);
/*
 * play_compute - the actor spends @cycles, and others who are due before it go first: what
 * it does next may be no step, and must not happen before its time
 */
void play_compute(guint64 cycles);
/* play_is_searched - there is no time: who goes next is chosen at each step */
gboolean play_is_searched(const struct player *pl);
/* play_refuse - "FILE:LINE:COL: error: ..."; the first one counts */
void play_refuse(struct player *pl, const struct scn_loc *loc, const char *fmt, ...)
	G_GNUC_PRINTF(3, 4);

/* play_life.c */
gboolean play_life_op(struct cast *a, const struct scn_op *op, struct kmmu_result *r);

/* play_disturb.c */
gboolean play_disturb(struct cast *a, const struct scn_op *op);
gboolean play_module_op(struct cast *a, const struct scn_op *op, struct kmmu_result *res);
gboolean play_module_possible(struct player *pl, const struct scn_op *op);

/*
 * play_operand_register - the register that an operand of a call has, whatever the leaf; the
 * key itself if it is none of these names. play_operand_level - as RCX says it
 */
const char *play_operand_register(const char *key);
u64 play_operand_level(const struct scn_value *v);

/* play_guest.c */
struct guest_program *play_guest_new(struct player *pl, const struct scn_td *td,
				     const struct scn_guest *g);
void play_guest_free(struct guest_program *p);

/* play_record.c */
void play_record_start(struct player *pl);
void play_record_stop(struct player *pl);
void play_note_names(struct player *pl);
/* play_forbidden - @ev breaks a rule if it is an observation that the case forbids */
void play_forbidden(struct player *pl, const struct event *ev);

/* expect.c */
void expect_prepare(struct player *pl);
void expect_start(struct player *pl);
void expect_event(struct player *pl, const struct event *ev);
void expect_judge(struct player *pl);
/* expect_violation_is - is what was broken (@is, @at, @text) what `violation ID [where]` names? */
gboolean expect_violation_is(const char *is, const char *at, const char *text, const char *id,
			     const char *where);
gboolean expect_foresees(struct player *pl, const struct play_violation *x);
void expect_add(struct player *pl, const char *text, guint line, enum play_judged judged,
		const char *saw);

/* explorer.c: enum progress_kind bits of a limit's */
guint play_progress_kinds(guint limit);

/* expect_explored.c */
struct explore_result;
gboolean expect_all_found(struct player *pl, const struct explore_result *r);
gboolean expect_wants_no_end(struct player *pl);
void expect_judge_explored(struct player *pl, const struct explore_result *r);
