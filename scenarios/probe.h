/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What the module's leaves do, found by running them on the model, never from a table: the locks
 * that each takes, what each can return, who is refused what while whom holds which lock, and
 * where each takes an S-EPT entry. For `septsim list`, and for the tests that hold these lists to
 * the recorded vectors.
 */
#include <glib.h>

#include "sim/engine/types.h"

struct probe_lock {
	const char *name;	/* "SEPT_TREE", "PAMT_4K", "sept" */
	const char *mode;	/* "shared", "exclusive", "host", "guest", "shared guest" */
};

struct probe_leaf {
	char *name;		/* of leaf.c or tdcall; "TDH.VP.ENTER zero-step" is one of its own */
	u64 leaf;
	gboolean guest;		/* a TDCALL */
	gboolean probed;	/* there is a situation in which it succeeds: the rest is filled in */
	gboolean modelled;	/* has a flow at all */
	GArray *locks;		/* struct probe_lock, in the order in which they are taken */
	GPtrArray *results;	/* char *, "OPERAND_BUSY|SEPT_TREE"; sorted, SUCCESS first */
	guint runs;		/* from which those come */
	guint digest;		/* of what each run gave: another one, and some answer differs */
};

/* What the caller is answered while the holder is stopped behind each lock that it has taken */
struct probe_conflict {
	guint caller, holder;	/* indexes into leaves */
	gboolean same;		/* on the same entry or vCPU; else on others of the TD */
	gboolean meets;		/* without the holder the caller would have succeeded */
	GPtrArray *busy;	/* char *, busy statuses with operand, each once, in order */
	GPtrArray *held;	/* char *, beside each: "SEPT_TREE exclusive", the lock it met */
};

struct probe_move {
	u8 from, to;		/* enum sept_state */
	gboolean building;	/* only while the TD is being built: nothing to track then */
	guint leaf;		/* index into leaves */
};

struct probe {
	const char *tdx;
	gboolean dpamt;
	GPtrArray *leaves;	/* struct probe_leaf * */
	GPtrArray *conflicts;	/* struct probe_conflict *; filled by probe_conflicts() */
	GArray *moves;		/* struct probe_move; by probe_states() */
};

/*
 * probe_new - locks of every leaf of module @tdx, a version that is known; @dpamt: with dynamic
 * PAMT, which that version has. Not while a simulation lives: it makes its own.
 */
struct probe *probe_new(const char *tdx, gboolean dpamt);
void probe_free(struct probe *p);

/* probe_results - what the leaf at @i can return; probe_all_results - each leaf */
void probe_results(struct probe *p, guint i);
void probe_conflicts(struct probe *p);
void probe_states(struct probe *p);
