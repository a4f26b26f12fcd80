// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer's door to seamcall.c: see there.
 */
#include <stdlib.h>

#include "tests/fuzz/reached.h"
#include "tests/fuzz/seamcall.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void report(void)
{
	reached_report(stderr);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	atexit(report);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_seamcall(data, size);
	return 0;
}
