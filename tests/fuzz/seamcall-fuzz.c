// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer's door to seamcall.c: see there.
 */
#include "tests/fuzz/seamcall.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_seamcall(data, size);
	return 0;
}
