/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plays one case of a scenario on a simulation: init lines alone, the schedule's rows,
 * then virtual time; watches, judges, and leaves a result that needs no simulation any
 * more. `run` and `stress` are built on it, and so is what searches later.
 */
#pragma once

#include "kvmmmu/kmmu.h"
#include "kvmmmu/lines.h"
#include "scenarios/ast.h"
#include "scenarios/result.h"
#include "sim/engine/cost.h"
#include "sim/engine/sim.h"
#include "tdxmod/versions.h"

struct play_options {
	enum sim_carrier carrier;
	guint64 seed;
	const struct cost_table *costs;	/* NULL: built in */
	enum cost_level cost_level;
	enum kmmu_backend backend;
	/* Over what the file says; NULL: nothing. Words as in the file's variant line. */
	const char *kvm, *tdx;
	const char *const *switches;	/* added; NULL-terminated */
	const char *policy;		/* instead of the file's */
	const char *const *policy_args;	/* "k=v" */
	const struct user_leaves *leaves;	/* --leaves; NULL: none */
	struct lines *lines;		/* of a kernel tree: what of it runs; NULL: nobody asks */
	gboolean line_outcomes;		/* with which lock outcomes, too; not in searches */
	gboolean finals;		/* say at the end what is mapped, in both trees */
	gboolean steps;			/* record every step, not only those that tell */
};

#define DEFAULT_KVM	"v7.2"
#define DEFAULT_TDX	TDX_VERSION_DEFAULT

/*
 * scenario_play - play @c of @sc and judge its expects
 *
 * Never NULL; what the case asks for and cannot be done ends it as PLAY_REFUSED with a
 * located message. One at a time in a process (the world has one address).
 */
struct play_result *scenario_play(const struct scenario *sc, const struct scenario_case *c,
				  const struct play_options *opt);

/*
 * scenario_stress - the same actors as free threads on real atomics, again and again
 * @seconds: wall time; @rounds: how many times the case was played
 *
 * Init lines run one after the other before each round; the schedule is not followed.
 * Only what holds at the end of a round is checked; the first broken rule ends it, which is
 * as expected if the case expects that violation. Not deterministic.
 */
struct play_result *scenario_stress(const struct scenario *sc, const struct scenario_case *c,
				    const struct play_options *opt, double seconds,
				    guint64 *rounds);

/* player_backend - "own", or "linux 7.2.13" and what of that tree is imitated; g_free() */
char *player_backend(enum kmmu_backend backend);

/* scenario_play_stop - end the running play soon; async-signal-safe (Ctrl-C) */
void scenario_play_stop(void);
