// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does it scale? Private faults of a busy TD with all metrics on, as `septsim bench` runs
 * them: 8 vCPUs, and 512 with 1 TiB, which wait for each other. Targets: docs/performance.md.
 */
#include "bench.h"
#include "scenarios/bench.h"
#include "scenarios/diag.h"
#include "scenarios/vocab.h"

#define HARDWARE_NS	8000.0		/* what a machine was measured to take for such a fault */

/* vCPUs accept so many pages each, every page a fault, and exit now and then. */
struct boot {
	const char *text;
	uint64_t pages;
	struct scenario *sc;
};

static uint64_t run_boot(void *arg, uint64_t n)
{
	static const struct play_options opt;	/* typical prices, the file's policy */
	struct boot *b = arg;
	uint64_t done = 0;

	while (done < n) {
		struct bench_result *r = bench_play(b->sc, b->sc->cases->pdata[0], &opt, 0);
		const struct metric *pages = measure_find(r->measure, "pages");

		if (r->end != BENCH_DONE || !pages || pages->hist.sum != b->pages) {
			fprintf(stderr, "bench: the TD did not boot: %s\n", bench_end_name(r->end));
			exit(3);
		}
		bench_result_free(r);
		done += b->pages;
	}
	return done;
}

static void boot_parse(struct boot *b)
{
	struct diag *d = diag_new();

	b->sc = scenario_parse_text("boot.scn", b->text, strlen(b->text), NULL,
				    scenario_vocab_model(), d);
	if (!b->sc) {
		diag_print(d, stderr);
		exit(3);
	}
	diag_free(d);
}

int main(void)
{
	static struct boot busy = {
		.text = "title t\ntd vcpus=8 memory=256M\n"
			"guest vCPU[*]\n accept ($i*8192)+8192\n", .pages = 65536,
	}, many = {
		.text = "title t\ntd vcpus=512 packages=4 memory=1T\n"
			"guest vCPU[*]\n accept ($i*512K)+64\n", .pages = 32768,
	};
	bool ok = true;

	boot_parse(&busy);
	boot_parse(&many);
	bench_heading();
	ok &= bench("private fault, 8 vCPUs, metrics on", "fault", HARDWARE_NS, run_boot, &busy);
	ok &= bench("... 512 vCPUs, 1 TiB, 4 packages", "fault", 25000, run_boot, &many);
	scenario_free(busy.sc);
	scenario_free(many.sc);
	return ok ? 0 : 1;
}
