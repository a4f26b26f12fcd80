// SPDX-License-Identifier: GPL-2.0-only
/*
 * Anything at any time, 10^6 times: see storm.h.
 *
 *	test-kvmmmu-storm KERNEL		plans 0, 1, ... until STORM_OPERATIONS are done
 *	test-kvmmmu-storm KERNEL N [SWITCH]	plan N; with STORM_TRACE=EVENTS, how it ends
 *	test-kvmmmu-storm SWITCH		can it fail? some plan must find the mutation
 *
 * What fails is made small and written as a scenario, to storm-KERNEL-N.scn.
 */
#include "tests/kvmmmu/storm.h"

#include <stdlib.h>
#include <string.h>

#define OPERATIONS	20000u	/* what a mutation is to be found in: a tenth of what a kernel gets */

static u64 operations(const struct storm_counts *c)
{
	return c->host + c->vcpu + c->guest;
}

static u64 wanted(void)
{
	const char *more = getenv("STORM_OPERATIONS");

	return more ? strtoull(more, NULL, 10) : OPERATIONS;
}

static void say(const char *kernel, const struct storm_counts *c)
{
	printf("storm %s: %llu operations (%llu host's, %llu vCPUs', %llu guests'), %llu rounds, "
	       "%llu plans, %llu signals against F01, F02, F07, R3\n", kernel,
	       (long long)operations(c), (long long)c->host, (long long)c->vcpu,
	       (long long)c->guest, (long long)c->rounds, (long long)c->plans,
	       (long long)c->endless);
}

/* What the storm is said to do, it does: nothing is refused every time. Of a short one no word. */
static bool did_everything(const char *kernel, const struct storm_counts *c)
{
	bool all = true;

	if (operations(c) < 5 * OPERATIONS)
		return true;
	for (u32 i = 0; i < STORM_WHATS; i++) {
		if (c->by_what[i])
			continue;
		printf("storm %s: operation %u of STORM_WORDS was never done\n", kernel, i);
		all = false;
	}
	return all;
}

static void write_found(const struct storm_plan *p, const char *why, const char *kernel, u64 n)
{
	struct storm_plan *q = storm_shrink(p, why);
	char *name = g_strdup_printf("storm-%s-%llu.scn", kernel + strlen("kvm="), (long long)n);
	FILE *out = fopen(name, "w");

	if (out) {
		storm_plan_write(q, why, out);
		fclose(out);
		printf("made small: %s\n", name);
	}
	storm_plan_write(q, why, stdout);
	g_free(name);
	storm_plan_free(q);
}

/* NULL, or what did not hold; to be freed */
static char *play(const char *kernel, u64 n, const char *mutation, struct storm_counts *c,
		  bool small)
{
	struct storm_plan *p = storm_plan_draw(kernel, n);
	u32 round;
	char *why;

	p->mutation = mutation;
	why = storm_play(p, c, &round);
	if (why && small) {
		printf("storm %s %llu (%s, %s), round %u: %s\n", kernel, (long long)n, p->module,
		       p->life ? "life of TDs" : p->td ? "a TD" : "a VM without TDX", round, why);
		write_found(p, why, kernel, n);
	}
	storm_plan_free(p);
	return why;
}

static int one(const char *kernel, u64 n, const char *mutation)
{
	struct storm_counts c = { 0 };
	char *why = play(kernel, n, mutation, &c, !getenv("STORM_TRACE"));

	if (why)
		printf("%s\n", why);
	say(kernel, &c);
	g_free(why);
	return !!why;
}

static int storm(const char *kernel)
{
	struct storm_counts c = { 0 };
	char *why = NULL;

	for (u64 n = 0; operations(&c) < wanted() && !why; n++)
		why = play(kernel, n, NULL, &c, true);
	say(kernel, &c);
	g_free(why);
	return why || operations(&c) < wanted() || !did_everything(kernel, &c);
}

static int mutation(const char *name)
{
	struct storm_counts c = { 0 };
	char *why = NULL;
	u64 n;

	for (n = 0; operations(&c) < wanted() && !why; n++)
		why = play("kvm=v7.2", n, name, &c, false);
	printf("storm %s: %s after %llu operations (plan %llu)\n", name, why ? why : "NOT FOUND",
	       (long long)operations(&c), (long long)n - 1);
	g_free(why);
	return !why;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: %s kvm=VERSION [N [SWITCH]] | SWITCH\n", argv[0]);
		return 2;
	}
	if (!g_str_has_prefix(argv[1], "kvm="))
		return mutation(argv[1]);
	if (argc > 2)
		return one(argv[1], strtoull(argv[2], NULL, 10), argc > 3 ? argv[3] : NULL);
	return storm(argv[1]);
}
