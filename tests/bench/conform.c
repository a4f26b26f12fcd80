// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recorded operations a second on one core, files read, machines made, results compared and
 * reported: what `septsim conform --jobs 1` does. Targets: docs/performance.md.
 */
#include "bench.h"
#include "scenarios/conform_files.h"

static uint64_t run_file(void *arg, uint64_t n)
{
	const char *files[] = { arg };
	uint64_t ran = 0;

	while (ran < n) {
		struct conform_report *r = conform_files(files, 1, NULL, 1, false, NULL);

		if (!r->ran || r->ran != r->agreed || r->errors->len) {
			fprintf(stderr, "bench: %s: not all agree\n", files[0]);
			exit(3);
		}
		ran += r->ran;
		conform_report_free(r);
	}
	return ran;
}

static char *vectors(const char *name)
{
	const char *root = getenv("TEST_SOURCE_ROOT");

	return g_build_filename(root ? root : ".", "tests", "vectors", name, NULL);
}

int main(void)
{
	char *sequences = vectors("seamcall_vectors.jsonl");
	char *interleavings = vectors("interleave_vectors.jsonl");
	bool ok = true;

	bench_heading();
	/* 200,000 operations a second */
	ok &= bench("conform: sequences", "operation", 5000, run_file, sequences);
	ok &= bench("conform: interleavings", "one", 0, run_file, interleavings);
	g_free(sequences);
	g_free(interleavings);
	return ok ? 0 : 1;
}
