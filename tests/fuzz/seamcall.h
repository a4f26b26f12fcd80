/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * A hostile VMM and a hostile guest out of bytes: what the fuzzer (seamcall-fuzz.c) and the
 * test that replays the corpus (seamcall-replay.c) share. The format: seamcall.c.
 */
#include <stddef.h>
#include <stdint.h>

/* fuzz_seamcall - one run; abort() with a line on stderr if the module misbehaves */
void fuzz_seamcall(const uint8_t *data, size_t size);
