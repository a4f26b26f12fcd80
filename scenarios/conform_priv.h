/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What running sequences and interleavings share: the comparison of a state with a record.
 */
#include "scenarios/conform.h"
#include "scenarios/conform_machine.h"
#include "sim/engine/undo.h"
#include "tdxmod/peek.h"

struct compare {
	struct conform_machine *m;
	const struct conform_sink *sink;
	s32 op;
	const char *flow, *source;
	bool agrees;			/* so far, of this operation */
	u64 cc;				/* CHLDCNT as recorded last */
	struct undo_mark seen;		/* what was written up to there is in these: */
	GArray *locks;			/* struct conform_lock: PAMT locks in use; the player's */
	bool digested;			/* @digest is the S-EPT's */
	u64 digest;
};

/*
 * A player keeps one machine and plays line after line on it; one that is played by script
 * rows is another one.
 */
struct conform_player {
	const char *tdx;
	struct conform_machine *m;
	bool script;			/* @m is */
	const struct conform_line *setup;	/* @m at @ready has been through */
	struct machine_mark *ready;
	GArray *locks;			/* of struct compare */
};

/* player_machine - of that kind, in any state */
struct conform_machine *player_machine(struct conform_player *p, bool script);

/* compare_begin - of a line; nothing has been compared since the player's machine was made */
void compare_begin(struct compare *c, struct conform_player *p, const struct conform_sink *sink);

/* want - the field is a number (a status) and must be as recorded */
void want(struct compare *c, const char *field, u64 got, u64 expected);
void want_status(struct compare *c, const char *field, u64 got, u64 expected);
void want_text(struct compare *c, const char *field, const char *got, const char *expected);

/*
 * compare_state - locks, epochs, counts and the tree; @final: of an interleaving, whose list
 * of locks leaves none out
 */
void compare_state(struct compare *c, const struct conform_record *r, bool final);

/* conform_result - what the totals call this result; @buf: at least 128 bytes */
const char *conform_result(const struct conform_record *op, const struct conform_record *res,
			   char *buf, size_t n);
/* conform_silent - RCX and RDX of this operation are not in the record */
bool conform_silent(const struct conform_record *op, u64 rax);
