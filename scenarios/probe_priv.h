/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The machine that leaves are probed on, and the situations in which they succeed. One TD, three
 * vCPUs on LPs 0 to 2; LP 2 prepares. A call acts on one of two places: its own gpa, pages and
 * vCPU, so that two can go on at once and meet only where the TD makes them.
 */
#include "scenarios/probe.h"
#include "sim/engine/rewind.h"
#include "sim/engine/sim.h"
#include "tdxmod/seamcall.h"

struct event;
struct module;

enum { PROBE_LPS = 3, PLACES = 2 };

struct place {
	u64 gpa;		/* of 1G alignment */
	u64 page, page2m;	/* of the VMM's, to be the TD's */
	u64 tables, fresh;	/* S-EPT pages below gpa; one that is free */
	u64 pair;		/* two pages for a PAMT pair */
	u64 build;		/* 1M to build another TD, or a vCPU, in */
	u8 level;		/* of the entry that the call is about */
	u32 vcpu;
	u16 lp;
};

struct machine {
	struct sim *sim;
	u64 tdr, tdvpr[PROBE_LPS];
	struct place place[PLACES];
	u64 target;		/* TDR of a TD that is being built, to be bound to */
	struct tdx_regs binding;	/* what SERVTD.BIND gave */
	gboolean dpamt;
};

/* A situation: how to get there, and the call that succeeds in it */
struct recipe {
	const char *name;
	u64 leaf;
	gboolean guest;
	gboolean entry;		/* it is about an S-EPT entry */
	gboolean vcpu;		/* ... about a vCPU */
	gboolean other;		/* ... about another TD, that is being built */
	gboolean stays;		/* what it has locked stays locked when it is done: VP.ENTER */
	u32 version;
	void (*prepare)(struct machine *m, struct place *at);
	void (*registers)(const struct machine *m, const struct place *at, struct tdx_regs *r);
};

const struct recipe *probe_recipes(guint *n);

/* machine_new - without a TD's worth of preparation; NULL if the world cannot be had */
struct machine *probe_machine_new(const struct probe *p);
void probe_machine_free(struct machine *m);

/*
 * probe_call - @recipe on @at's LP with @regs; returns the status, PROBE_EXIT | RAX of the VMM
 * where the guest leaves for it, or another of these. Not a step of an actor: it happens at once.
 */
#define PROBE_EXIT	BIT_ULL(50)	/* no status has it */
#define PROBE_AGAIN	BIT_ULL(51)	/* the guest executes its TDCALL again */
#define PROBE_NOTHING	BIT_ULL(52)	/* the guest does not run: nothing to learn */
u64 probe_call(struct machine *m, const struct recipe *recipe, const struct place *at,
	       struct tdx_regs *regs);

/* A lock that a call has taken, and where: before step @step of the call its word @p was free */
struct taken {
	struct probe_lock lock;
	void *p;
	guint64 step;
};

/*
 * A call that is watched: @locks as it takes them; @at_lock behind each of them, @at_step behind
 * each step (numbered from 1). What they do to the machine is no step of the call.
 */
struct watch {
	GArray *locks;		/* struct taken */
	GArray *busy;		/* struct taken: those that it was refused */
	guint64 steps, since;	/* made so far; number of the first of those on `last` in a row */
	void *last;
	void (*at_lock)(struct watch *w, guint n);
	void (*at_step)(struct watch *w);
	void *ctx;
};
void watch_begin(struct machine *m, struct watch *w);
void watch_end(struct machine *m, struct watch *w);

/* probe_repeats - lock @n of @locks is one of a long row of the same name and mode */
gboolean probe_repeats(const GArray *locks, guint n);

/* probe_td_normal - RUNNABLE, keys configured; what a recipe before has left otherwise */
void probe_td_normal(struct machine *m);

/* probe_recipe_of - of the leaf at @i of @p */
const struct recipe *probe_recipe_of(const struct probe *p, guint i);

/* probe_regs - the registers with which @recipe succeeds at @at */
void probe_regs(const struct machine *m, const struct recipe *recipe, const struct place *at,
		struct tdx_regs *r);

/* probe_word - "OPERAND_BUSY|SEPT_TREE", "TD exit EPT_VIOLATION"; g_free() it */
char *probe_word(u64 status);

/* probe_entry - the S-EPT entry that a call at @at is about; NULL: there is no such table */
u64 *probe_entry(const struct machine *m, const struct place *at, u8 level);
