/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Timing kit of the benchmarks: runs a workload until the median is steady, prints one
 * line for it, and holds it to its target. Clocks and floating point live here and
 * nowhere in what is measured.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define BENCH_SAMPLES_MIN	7
#define BENCH_SAMPLES_MAX	101
#define BENCH_SAMPLE_NS		20000000.0	/* one sample lasts at least this long */
#define BENCH_DEVIATION		0.01		/* steady: spread of 1 % of the median */
#define BENCH_SECONDS		8.0		/* give up on steadiness after that */

/*
 * A workload: do about @n units of work, return how many were really done (not 0). What it
 * sets up before the first unit is timed too, so @n has to dwarf it.
 */
typedef uint64_t (*bench_fn)(void *arg, uint64_t n);

/* Wall clock, for how long to go on. */
static inline double bench_wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* What is measured: processor time, also of workers that have ended; others share the machine. */
static inline double bench_now(void)
{
	struct timespec t;
	struct rusage r;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	getrusage(RUSAGE_CHILDREN, &r);
	return t.tv_sec * 1e9 + t.tv_nsec + (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e9 +
	       (r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1e3;
}

static inline int bench_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static inline double bench_median(const double *values, int count)
{
	double sorted[BENCH_SAMPLES_MAX];

	memcpy(sorted, values, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), bench_compare);
	return count & 1 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

/* Median distance from the median, as a part of it: one disturbed sample does not count. */
static inline double bench_deviation(const double *values, int count)
{
	double median = bench_median(values, count);
	double away[BENCH_SAMPLES_MAX];

	for (int i = 0; i < count; i++)
		away[i] = values[i] > median ? values[i] - median : median - values[i];
	return bench_median(away, count) / median;
}

/* One sample in ns a unit; *@n grows until a sample is long enough to be believed. */
static inline double bench_sample(double (*now)(void), bench_fn fn, void *arg, uint64_t *n)
{
	for (;;) {
		double start = now();
		uint64_t done = fn(arg, *n);
		double ns = now() - start;

		if (!done) {
			fprintf(stderr, "bench: a workload did nothing\n");
			exit(3);
		}
		if (ns >= BENCH_SAMPLE_NS)
			return ns / done;
		*n *= ns > BENCH_SAMPLE_NS / 16 ? 2 : 8;
	}
}

/*
 * bench_value - the median of a workload in ns of processor time a unit, nothing printed
 * bench_value_wall - the same by the clock on the wall, for what more processes make faster
 */
static inline double bench_value_by(double (*now)(void), bench_fn fn, void *arg, uint64_t *n)
{
	double values[BENCH_SAMPLES_MIN];

	bench_sample(now, fn, arg, n);
	for (int i = 0; i < BENCH_SAMPLES_MIN; i++)
		values[i] = bench_sample(now, fn, arg, n);
	return bench_median(values, BENCH_SAMPLES_MIN);
}

static inline double bench_value(bench_fn fn, void *arg, uint64_t *n)
{
	return bench_value_by(bench_now, fn, arg, n);
}

static inline double bench_value_wall(bench_fn fn, void *arg, uint64_t *n)
{
	return bench_value_by(bench_wall, fn, arg, n);
}

static inline void bench_heading(void)
{
	printf("%-36s %12s %9s %12s\n", "workload", "median", "deviation", "target");
}

/*
 * bench - measure a workload and print "NAME  MEDIAN ns/UNIT  DEVIATION  TARGET"
 * @name:   what it does, in a few words
 * @unit:   what the time is per ("step", "switch", "undo")
 * @target: ns a unit that it must not exceed; 0 for none
 *
 * False if the median is beyond the target: let main() end with 1 then.
 */
static inline bool bench(const char *name, const char *unit, double target, bench_fn fn, void *arg)
{
	double values[BENCH_SAMPLES_MAX], start = bench_wall(), median, deviation;
	uint64_t n = 1024;
	int count = 0;
	bool ok;

	bench_sample(bench_now, fn, arg, &n); /* warms caches and finds n */
	do {
		values[count++] = bench_sample(bench_now, fn, arg, &n);
		deviation = bench_deviation(values, count);
	} while (count < BENCH_SAMPLES_MIN ||
		 (deviation > BENCH_DEVIATION && count < BENCH_SAMPLES_MAX &&
		  bench_wall() - start < BENCH_SECONDS * 1e9));
	median = bench_median(values, count);
	ok = !target || median <= target;
	printf("%-36s %9.2f ns %8.1f%%", name, median, deviation * 100);
	if (target)
		printf(" <= %6.2f ns", target);
	printf(" /%s%s\n", unit, ok ? "" : "  MISSED");
	fflush(stdout);
	return ok;
}
