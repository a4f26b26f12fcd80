/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Where a recorded pause lies in the model: which of A's steps is the access that Intel's
 * code was about to make. The mapping is described in docs/conform.md.
 */
#include "scenarios/conform_machine.h"
#include "tdxmod/peek.h"

struct pause {
	const struct conform_record *r;
	struct peek_words words;	/* the object */
	const char *func[2];		/* the model's function, or NULL: any */
	bool not_walk;			/* any but the S-EPT walk and the locks */
	bool store;			/* a read that belongs to an unoptimised store */
	s32 insn;			/* enum mem_op, or -1 */
	u32 nth;			/* of the steps that fit; 1: the first */
	u32 depth;			/* PAMT walks of this entry that are open; ~0: any */
	/* as A goes on */
	u32 seen, open;
};

/* pause_find - A is about to begin; @gpa: of the recorded entry. NULL, or what is not known */
const char *pause_find(struct pause *p, struct conform_machine *m,
		       const struct conform_record *pause, const struct conform_record *a, u64 gpa);

/* pause_here - A is about to take @next: is this it? Called once a step. */
bool pause_here(struct pause *p, const struct pending *next);
