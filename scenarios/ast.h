/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A parsed scenario: what docs/language.md describes, as plain structs.
 * Nothing here is text to be parsed again: parameters are replaced, vCPU[*] is
 * written out, names are resolved, and each case stands alone, so that a player
 * needs no rule of inheritance. Every node knows where it was written. Comments leave
 * the prefix SCN_ of the enumerators out.
 */
#pragma once

#include <glib.h>

#include "scenarios/words.h"

struct diag;

#define SCN_MAX_TDS	8u	/* in one file */

/* Where something was written. Lines and columns count from 1, a tab is one column. */
struct scn_loc {
	const char *file;
	unsigned int line;
	unsigned int col;
	unsigned int end;		/* first column after it */
};

/* Half-open: gfn start is in, gfn end is not. Never empty. */
struct scn_gfn_range {
	struct scn_loc loc;
	guint64 start;
	guint64 end;
};

/* A number or a word; a vCPU is a word that carries its index in num. */
struct scn_value {
	struct scn_loc loc;
	const char *word;		/* NULL: it is the number num */
	guint64 num;
};

/* An actor of the same case: index into scenario_case.actors, or -1 for a vCPU of
 * the TD that has no thread in this case. vcpu is its vCPU number, or -1. */
struct scn_actor_ref {
	struct scn_loc loc;
	const char *name;
	int index;
	int vcpu;
	int td;				/* index into scenario_case.tds */
};

/*
 * A region of the engine: mirror[0x10], sept[0x200]@2M, TDVPS[vCPU0].state,
 * TDCS.epoch, mmu_lock. Also how a lock is named.
 */
struct scn_region_ref {
	struct scn_loc loc;
	const char *text;		/* as written, without blanks */
	const char *name;		/* before [, @ and . */
	gboolean indexed;
	struct scn_value index;		/* a vCPU as index: word "vCPU0", num 0 */
	int level;			/* LEVEL_NONE without @ */
	const char *field;		/* after the dot, or NULL */
	const char *owner;		/* the TD's name; NULL: there is one TD */
};

/* STATUS[|OPERAND], without the prefixes TDX_ and OPERAND_ID_. */
struct scn_status_ref {
	struct scn_loc loc;
	const char *status;		/* NULL: any status */
	const char *operand;		/* NULL: any operand */
};

/* k=v */
struct scn_keyval {
	struct scn_loc loc;
	const char *key;
	struct scn_value value;
};

struct scn_lock_ref {
	struct scn_loc loc;
	struct scn_region_ref region;
	const struct scn_lock_word *word;	/* its kind: which modes and sides make sense */
	enum scn_lock_mode mode;
	enum scn_lock_side side;		/* default: host */
};

/* An event. kind says which of the members count. */
struct scn_cond {
	struct scn_loc loc;
	enum scn_cond_kind kind;
	const char *text;		/* as written, single blanks */
	gboolean before;		/* `.. before C`: stop just short of it */
	unsigned int count;		/* xN, default 1: its N-th time */
	struct scn_region_ref region;	/* COND_VALUE COND_CHANGES COND_READS COND_WRITES */
	enum scn_cmp_op cmp;		/* COND_VALUE: CMP_EQ or CMP_NE */
	struct scn_value value;		/* COND_VALUE */
	const char *leaf;		/* COND_CALL COND_RETURN: a leaf or a seam function */
	gboolean has_arg;
	struct scn_value arg;		/* its (ARG): a gfn, or a vCPU */
	struct scn_status_ref status;	/* COND_RETURN */
	struct scn_lock_ref lock;	/* COND_LOCK COND_UNLOCK COND_BUSY */
	const char *reason;		/* COND_EXIT: exit reason */
};

/*
 * An operation of a host actor or of a guest. word says what it is and so which
 * members count; see words.c for each one's grammar.
 */
struct scn_op {
	struct scn_loc loc;
	const struct scn_op_word *word;
	const char *text;		/* as written, single blanks: what a table shows */
	struct scn_gfn_range range;	/* OP_ZAP ...; a single gfn G is [G, G+1) */
	GArray *gfns;			/* OP_ACCESS: guint64 gfns of one instruction */
	enum scn_mem_kind kind;		/* MEM_DEFAULT when not said */
	enum scn_access_kind access;	/* OP_ACCESS; default ACCESS_READ */
	int level;			/* LEVEL_NONE when not said */
	struct scn_actor_ref actor;	/* OP_SIGNAL OP_NEED_RESCHED OP_MIGRATE OP_CLOSE */
	unsigned int lp;		/* OP_MIGRATE OP_INTERRUPT OP_CPU_OFFLINE */
	guint64 cycles;			/* OP_COMPUTE; OP_SIGNAL: after so many, default 0 */
	guint64 to;			/* OP_SLOT_MOVE: first gfn of the new place */
	gboolean on;			/* OP_LOG_DIRTY */
	enum scn_on_memory_fault on_fault;	/* OP_RUN; default stop */
	guint64 times;			/* OP_RUN: returns to user space at most; 0: no limit */
	const char *leaf;		/* OP_SEAMCALL OP_TDCALL OP_INJECT */
	guint64 nth;			/* OP_INJECT: LEAF@N, N from 1 */
	struct scn_status_ref status;	/* OP_INJECT */
	GArray *args;			/* struct scn_keyval: OP_SEAMCALL OP_TDCALL */
	struct scn_lock_ref lock;	/* OP_ACQUIRE OP_RELEASE */
	guint64 retry;			/* OP_ACQUIRE: attempts in all, SCN_RETRY_INF; default 1 */
	struct scn_region_ref region;	/* OP_SET */
	struct scn_value value;		/* OP_SET */
	guint64 count;			/* OP_REPEAT: times round, SCN_RETRY_INF for `repeat inf` */
	GPtrArray *body;		/* OP_REPEAT: struct scn_op */
};

#define SCN_RETRY_INF G_MAXUINT64

/* One cell of a table or one init line: start op (if any), run its actor alone until
 * the condition has just happened (if any; else to the operation's end). At least one
 * of the two is there. */
struct scn_cell {
	struct scn_loc loc;
	int actor;			/* index into scenario_case.actors */
	struct scn_op *op;
	struct scn_cond *until;
	const char *text;		/* as written, single blanks */
};

struct scn_schedule {
	struct scn_loc loc;			/* loc.line 0: this case has no schedule */
	GArray *columns;		/* struct scn_actor_ref, left to right */
	GPtrArray *rows;		/* struct scn_cell, top to bottom; one cell a row */
	gboolean loose;			/* a row that cannot be followed is not the end */
};

struct scn_guest {
	struct scn_loc loc;
	enum scn_on_ve on_ve;
	enum scn_on_busy on_busy;
	GPtrArray *ops;			/* struct scn_op */
};

struct scn_actor {
	struct scn_loc loc;
	const char *name;
	int vcpu;			/* vCPUn: n; else -1 */
	int td;				/* NAME.vCPUn, NAME.x: of which TD; else the first */
	unsigned int lp;		/* where it starts, resolved */
	GPtrArray *ops;			/* struct scn_op of `actor NAME`; empty without one */
	struct scn_guest *guest;		/* vCPU threads only; NULL: an empty guest */
	gboolean runs_alone;		/* a guest but no `run`: does one after its ops */
};

struct scn_td {
	struct scn_loc loc;
	const char *name;		/* "" for the only, unnamed one */
	enum scn_td_type type;
	enum scn_td_state state;
	unsigned int vcpus;
	unsigned int lps;		/* as given, else as many as the actors need */
	unsigned int packages;
	guint64 memory;			/* bytes */
	unsigned int levels;		/* 4 or 5 */
	int max_level;			/* LEVEL_4K or LEVEL_2M */
	gboolean pve;			/* PENDING_VE_DISABLE: no #VE on pending pages */
	gboolean notify;
	unsigned int iommus;		/* that it is mapped in (TDX Connect) */
	gboolean nx_huge_pages;
	gboolean dirty_log;
	gboolean no_ad, no_pml;
	guint8 manual_protect;		/* bits of KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 */
};

struct scn_variant {
	struct scn_loc loc;
	const char *kvm;		/* NULL: the default */
	const char *tdx;		/* NULL: the default */
	GPtrArray *switches;		/* const char * */
	const char *text;		/* as written, single blanks; "" without one */
};

struct scn_policy_ref {
	struct scn_loc loc;
	const char *name;		/* NULL: that of variant kvm= */
	GArray *args;			/* struct scn_keyval */
};

struct scn_limit {
	struct scn_loc loc;
	guint64 steps;			/* 0: the default */
	guint64 cycles;			/* 0: the default */
	unsigned int progress;		/* PROGRESS_* bits; PROGRESS_ALL by default */
	gboolean tso;			/* a search buffers stores */
};

/* What `seen` and `never` look for. */
struct scn_event {
	struct scn_loc loc;
	struct scn_actor_ref actor;		/* ACTOR: in front; name NULL: anybody's */
	const char *observation;	/* hp-lost ...; NULL: it is cond */
	struct scn_cond *cond;
};

struct scn_expect {
	struct scn_loc loc;
	enum scn_expect_kind kind;
	const char *text;		/* the line as written, single blanks */
	const char *check;		/* EXPECT_VIOLATION: its id */
	const char *where;		/* rest of the line: [where] or [TEXT], or NULL */
	struct scn_event a, b;		/* SEEN NEVER: a; SEEN_BEFORE: both */
	gboolean counted;		/* OP N was given (SEEN, NEVER) */
	enum scn_cmp_op cmp;
	guint64 num;
	struct scn_region_ref region;	/* EXPECT_FINAL */
	struct scn_value value;		/* EXPECT_FINAL */
	const char *counter;		/* EXPECT_COUNTER */
	enum scn_of_kind of_kind;		/* EXPECT_COUNTER: [of X] */
	const char *of;			/* X: an actor, leaf or lock; NULL without */
	int of_actor;			/* OF_ACTOR: its index, else -1 */
	enum scn_explore_kind explore;	/* EXPECT_EXPLORE; EXPLORE_VIOLATION uses check, */
	guint64 within;			/* ... and this many executions; 0: no bound */
};

/* A named set of values to bench over; the values are texts for -D NAME=. */
struct scn_sweep {
	struct scn_loc loc;
	const char *name;
	GPtrArray *values;		/* const char * */
};

struct scenario_case {
	struct scn_loc loc;			/* of its `case` line, or line 1 */
	const char *name;		/* "" in a file without cases */
	const char *title;
	struct scn_limit limit;
	GPtrArray *tds;			/* struct scn_td, at least one */
	struct scn_variant variant;
	struct scn_policy_ref policy;
	GPtrArray *actors;		/* struct scn_actor: vCPUs by number, then as first named */
	GPtrArray *init;		/* struct scn_cell, in order */
	struct scn_schedule schedule;
	GPtrArray *expects;		/* struct scn_expect, at least one (`ok`) */
	GPtrArray *tolerate;		/* const char * check ids */
	GPtrArray *forbid;		/* const char * observations that break a rule here */
	GPtrArray *dropped;		/* const char * actor names */
};

struct scenario {
	const char *path;		/* as opened */
	const char *name;		/* file name without directory and .scn */
	const char *title;		/* "" without one */
	GPtrArray *sources;		/* const char * */
	GPtrArray *cases;		/* struct scenario_case, at least one */
	GPtrArray *sweeps;		/* struct scn_sweep */
	GPtrArray *measures;		/* const char * */
	guint64 measure_after;		/* cycles: bench measures from then on */
	struct scenario_pool *pool;	/* owns every node and string above */
};

/*
 * What the model knows, for checking names and for hints. list(kind, scope) gives a
 * NULL-terminated array, or NULL where any word will do; scope narrows it (SCN_VOCAB_FIELD:
 * the region; SCN_VOCAB_VALUE: the region or "region.field"; SCN_VOCAB_POLICY_KEY: the policy;
 * otherwise NULL). The arrays live as long as the process.
 */
struct scenario_vocab {
	const char *const *(*list)(enum scn_vocab_kind kind, const char *scope);
};

/*
 * Parse a file. defines: name -> text of each -D (may be NULL). vocab may be NULL: then
 * names of the model are not checked. All errors of the file go to diag, in order of
 * lines. Returns NULL if there was one; else free with scenario_free().
 */
struct scenario *scenario_parse_file(const char *path, GHashTable *defines,
				     const struct scenario_vocab *vocab, struct diag *diag);

/* The same from memory; path is only what messages call it. text needs no final \0. */
struct scenario *scenario_parse_text(const char *path, const char *text, gsize len,
				     GHashTable *defines, const struct scenario_vocab *vocab,
				     struct diag *diag);

/* Every case, each complete: inheritance, drop, parameters and vCPU[*] are done. */
static inline const GPtrArray *scenario_cases(const struct scenario *sc)
{
	return sc->cases;
}

/* The case's actor of that name, or NULL. */
struct scn_actor *scenario_actor(const struct scenario_case *c, const char *name);

void scenario_free(struct scenario *sc);
