// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plan that failed, made small: parts are left out as long as what is left fails in the same
 * way under one schedule of many. First the rounds before the last one are played by one thread
 * at a time, if they can be, since these are what a scenario calls init lines.
 */
#include "tests/kvmmmu/storm.h"

#include <string.h>

#define SCHEDULES	60u	/* of a part that fails seldom */
#define PLAYS		12000u	/* in all: some seconds */

struct shrink {
	struct storm_plan *p;	/* the smallest so far that fails */
	const char *why;
	u32 plays;
};

/* The same rule, whatever the gfn */
static bool same(const char *a, const char *b)
{
	size_t n = strcspn(a, ":");

	return !strncmp(a, b, n + 1);
}

static bool fails(struct shrink *h, struct storm_plan *q)
{
	struct storm_counts unused = { 0 };
	u64 seed = q->seed;

	for (u32 i = 0; i < SCHEDULES && h->plays < PLAYS; i++) {
		u32 round;
		char *why;
		bool yes;

		q->seed = seed + i;
		h->plays++;
		why = storm_play(q, &unused, &round);
		yes = why && same(h->why, why);
		if (yes)
			q->nrounds = MIN(round, q->nrounds);
		g_free(why);
		if (yes)
			return true;
	}
	q->seed = seed;
	return false;
}

/* @q is the new one if it fails, else it is freed */
static bool try(struct shrink *h, struct storm_plan *q)
{
	if (!fails(h, q)) {
		storm_plan_free(q);
		return false;
	}
	storm_plan_free(h->p);
	h->p = q;
	return true;
}

static struct storm_plan *without_rounds(const struct storm_plan *p, u32 from, u32 n)
{
	struct storm_plan *q = storm_plan_copy(p);

	q->nrounds -= n;
	memmove(&q->round[from], &q->round[from + n], (q->nrounds - from) * sizeof(*q->round));
	return q;
}

/* What came before the VM that it happened to; then fewer and fewer of the rounds */
static void shrink_rounds(struct shrink *h)
{
	u32 keep = !h->p->life, n, at;	/* the round that splits the memory */

	for (at = h->p->nrounds - 1; h->p->life && at && !h->p->round[at].fresh; at--)
		;
	if (h->p->life && at)
		try(h, without_rounds(h->p, 0, at));
	for (n = h->p->nrounds / 2; n; n /= 2) {
		for (at = keep; at + n < h->p->nrounds;) {
			if (h->p->round[at].fresh || !try(h, without_rounds(h->p, at, n)))
				at += n;
		}
	}
}

static void shrink_history(struct shrink *h)
{
	struct storm_plan *q = storm_plan_copy(h->p);

	q->history_alone = true;
	try(h, q);
	q = storm_plan_copy(h->p);
	for (u32 i = 0; i + 1 < q->nrounds; i++)
		memset(q->round[i].ninsns, 0, sizeof(q->round[i].ninsns));
	try(h, q);
}

static void drop(struct storm_op *op, u8 *n, u32 at)
{
	--*n;
	memmove(&op[at], &op[at + 1], (*n - at) * sizeof(*op));
}

static void shrink_ops(struct shrink *h, u32 round)
{
	struct storm_plan *q;

	for (u32 t = 0; t < STORM_THREADS; t++) {
		q = storm_plan_copy(h->p);
		q->round[round].nops[t] = 0;
		try(h, q);
		for (u32 i = h->p->round[round].nops[t]; i-- > 0;) {
			q = storm_plan_copy(h->p);
			drop(q->round[round].op[t], &q->round[round].nops[t], i);
			try(h, q);
		}
	}
	for (u32 v = 0; v < STORM_VCPUS; v++) {
		for (u32 n = h->p->round[round].ninsns[v] / 2; n; n /= 2) {
			q = storm_plan_copy(h->p);
			q->round[round].ninsns[v] -= (u8)n;
			try(h, q);
		}
		for (u32 i = h->p->round[round].ninsns[v]; i-- > 0;) {
			q = storm_plan_copy(h->p);
			drop(q->round[round].insn[v], &q->round[round].ninsns[v], i);
			try(h, q);
		}
	}
}

struct storm_plan *storm_shrink(const struct storm_plan *p, const char *why)
{
	struct shrink h = { .p = storm_plan_copy(p), .why = why };

	if (!try(&h, storm_plan_copy(p)))	/* also cuts it behind the round that fails */
		return h.p;
	shrink_rounds(&h);
	shrink_history(&h);
	for (u32 i = h.p->nrounds; i-- > 0;)
		shrink_ops(&h, i);
	shrink_rounds(&h);
	return h.p;
}
