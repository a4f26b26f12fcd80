/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/* What all runs have reached: of a corpus the proof that it calls everything. */
#include <stdio.h>

#include "sim/engine/types.h"

/* reached_note - @leaf, a name that lasts, has answered @status */
void reached_note(const char *leaf, u64 status);
/* reached_report - how many leaves and results, in one line; results: of refused leaves too */
void reached_report(FILE *out);
/* reached_missed - how many modelled SEAMCALL leaves no run has called; names them */
u32 reached_missed(FILE *out);
