/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a campaign does, in which order: what finds most in least time comes first. Rests on
 * docs/your-kernel.md.
 */
#pragma once

#include "scenarios/ast.h"
#include "sim/cli/cli.h"
#include "sim/engine/explore.h"
#include "sim/report/campaign.h"

/* One item. Everything is the plan's own. */
struct task {
	enum campaign_phase phase;
	const char *name;		/* of the scenario, or of the search: "a01-zap-map-desync -p1" */
	const struct scenario *sc;	/* RANDOM: NULL, the seed makes it */
	const struct scenario_case *c;
	struct explore_options engine;	/* SEARCH, RANDOM */
	guint64 seed;			/* RANDOM */
	gboolean ported;		/* SCENARIO: written for another version than the tree's */
};

struct plan {
	GPtrArray *scenarios;		/* struct scenario */
	GPtrArray *cases;		/* struct scenario_case, copies without switches */
	GArray *tasks;			/* struct task */
	GStringChunk *names;
	const char *tree_kvm;		/* --kvm linux: `kvm=` that the tree is; else NULL */
	GPtrArray *samples;		/* struct play_result, a case of each file: for the closing line */
};

/* plays_broken_code - a switch of `variant`, or a policy: the code is not as it is */
gboolean plays_broken_code(const struct scenario_case *c);
/* plan_kvm - `kvm=` of @c, the default if it says none */
const char *plan_kvm(const struct scenario_case *c);
/* plan_phase - by its word; -1: there is none such */
int plan_phase(const char *word);

/*
 * plan_new - of all cases of @files, and of @programs random ones with @executions samples
 * @only: one phase, or -1
 * NULL after having said what is wrong with a file.
 */
struct plan *plan_new(const struct cli *cli, int n, char **files, guint programs,
		      guint64 executions, int only);
void plan_free(struct plan *p);
guint plan_tasks(const struct plan *p);
const struct task *plan_task(const struct plan *p, guint i);
