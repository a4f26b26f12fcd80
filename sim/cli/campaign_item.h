/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One item of a campaign, in a worker, and what all workers know. Rests on docs/your-kernel.md.
 */
#pragma once

#include <stdatomic.h>
#include <stdio.h>

#include "sim/cli/plan.h"
#include "sim/engine/farm.h"

/* What all workers share. */
struct common {
	volatile bool stop;	/* enough was found */
	_Atomic gint64 cpu;	/* us that workers have used */
};

struct campaigner {
	struct cli *cli;
	struct plan *plan;
	gint64 until;		/* 0: no limit */
	gint64 cpu;		/* us of processor time; 0: no limit */
	gboolean first;		/* the first thing that breaks is enough */
	struct common *common;
	guint at;		/* first task of this batch */
	struct lines *lines;	/* watched places; NULL: none */
};

/* campaign_work - a job of farm_run(): item @ctx->at + @n, and the lines that it reached, to @out */
int campaign_work(void *ctx, u32 n, FILE *out);

/* campaign_died - the item of @t, whose worker ended as @r says and told nothing */
struct campaign_item *campaign_died(const struct task *t, const struct farm_result *r);
/* campaign_is_enough - nothing need be begun any more */
gboolean campaign_is_enough(const struct campaigner *k, const struct campaign_item *i);
gboolean campaign_time_is_up(const struct campaigner *k);
