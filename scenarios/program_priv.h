/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What program.c and program_script.c share: a program that is being written, and the
 * operations that both kinds draw from.
 */
#include "scenarios/program.h"
#include "sim/engine/rng.h"

#define PROGRAM_MEMORY	"4M"
#define PROGRAM_SLOT	"0..0x400"	/* all of it */

struct program {
	struct rng rng;
	GString *out;
	gboolean tdx;
	guint vcpus, hosts;
	gboolean built;		/* a script's TD, by ioctls */
};

guint program_below(struct program *p, guint n);
const char *program_gfn(struct program *p);
const char *program_range(struct program *p);
void program_host_op(struct program *p);	/* what any thread of the host may do */
void program_vcpu_op(struct program *p);	/* what a vCPU's thread does without a guest */

/* PROGRAM_SCRIPT: its td line, what `init` does before anything else, and its table */
void program_script_td(struct program *p);
void program_script_init(struct program *p);
void program_script(struct program *p, guint ops);
