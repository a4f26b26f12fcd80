/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What happened, as events. Steps make theirs in the door; layers add what a step cannot
 * say (a leaf called, a lock got, an operation ended). An event goes to the listeners,
 * then to the ring; both belong to the record: nothing in the world depends on them.
 * Names point to text that lives as long as the sim (literals or interned).
 */
#include "sim/engine/actor.h"

enum ev_type {
	EV_STEP,	/* a mem_* step: op, p, old, value */
	EV_CALL,	/* name = leaf or function, arg */
	EV_RETURN,	/* name, arg, status */
	EV_LOCK,	/* name = lock, detail = mode: read write shared exclusive host guest */
	EV_UNLOCK,
	EV_BUSY,	/* a try-lock failed: name = lock, detail = mode */
	EV_BLOCKED,	/* the actor waits: name = what for */
	EV_ENTER,	/* the guest runs: arg = vCPU number */
	EV_EXIT,	/* name = exit reason */
	EV_KICK,	/* name = requested, sent, acked; arg = vCPU number or LP */
	EV_INTERRUPT,	/* taken on this actor's LP; name = which */
	EV_TIMEOUT,	/* a deadline was taken as passed: name */
	EV_OP_BEGIN,	/* a host or guest operation: name = its text */
	EV_OP_END,
	EV_OWN,		/* a host operation owns gfns arg..arg2 of VM `name` */
	EV_DISOWN,	/* ... no longer: a quiescent point of those gfns */
	EV_FLUSH,	/* translations dropped: name = which TLB, arg = LP */
	EV_CHECK,	/* a violation: name = id, detail = text */
	EV_OBSERVE,	/* counted, never a violation by itself: hp-lost, zero-step-armed */
	EV_NOTE,	/* anything else that a reader wants: name = text */
	EV_TYPES,
};

struct event {
	u64 seq;		/* from 0, one a run */
	u64 clock;		/* of the actor, cycles */
	const char *name;
	const char *detail;
	const struct site *site;	/* EV_STEP */
	void *p;			/* EV_STEP */
	u64 arg, arg2;
	u64 old, value;		/* EV_STEP: before, and after it */
	u64 status;		/* EV_RETURN: rax; EV_STEP: what the step returned */
	u64 hpa;		/* EV_CALL, EV_RETURN: of the page that it gives, or is about; 0: none */
	u16 actor;
	u8 type;		/* enum ev_type */
	u8 op;			/* EV_STEP: enum mem_op */
	u8 size;		/* EV_STEP: bytes */
	u8 level;		/* EV_CALL, EV_RETURN: 1 is 4K; 0: none */
	bool has_arg;
};

/* trace_on - somebody listens or records: build an event only if so */
#define trace_on()	unlikely(sim_self->listened)

/* trace_event - complete @ev (seq, clock, actor) and hand it on. Use the helpers below. */
void trace_event(struct event *ev);

#define trace_(t, ...) do {						\
	if (trace_on())							\
		trace_event(&(struct event){ .type = (t), __VA_ARGS__ });	\
} while (0)

#define trace_call(leaf, a)	trace_(EV_CALL, .name = (leaf), .arg = (a), .has_arg = true)
#define trace_call0(leaf)	trace_(EV_CALL, .name = (leaf))
#define trace_return(leaf, a, st) \
	trace_(EV_RETURN, .name = (leaf), .arg = (a), .has_arg = true, .status = (st))
#define trace_return0(leaf, st)	trace_(EV_RETURN, .name = (leaf), .status = (st))
#define trace_lock(l, mode)	trace_(EV_LOCK, .name = (l), .detail = (mode))
#define trace_unlock(l)		trace_(EV_UNLOCK, .name = (l))
#define trace_busy(l, mode)	trace_(EV_BUSY, .name = (l), .detail = (mode))
#define trace_kick(what, who)	trace_(EV_KICK, .name = (what), .arg = (who), .has_arg = true)
#define trace_note(text)	trace_(EV_NOTE, .name = (text))
#define trace_observe(what, a)	trace_(EV_OBSERVE, .name = (what), .arg = (a), .has_arg = true)
#define trace_own(vm, from, to)	trace_(EV_OWN, .name = (vm), .arg = (from), .arg2 = (to))
#define trace_disown(vm, from, to) trace_(EV_DISOWN, .name = (vm), .arg = (from), .arg2 = (to))

typedef void (*trace_fn)(void *ctx, const struct event *ev);

/* trace_listen - @fn sees every event from now on, in the order of listening */
void trace_listen(struct sim *sim, trace_fn fn, void *ctx);
/*
 * trace_listen_calls - all events but steps: what measures listens so, and leaves the door
 * its fast path
 */
void trace_listen_calls(struct sim *sim, trace_fn fn, void *ctx);
void trace_unlisten(struct sim *sim, trace_fn fn, void *ctx);

/*
 * trace_ring - keep the last @n events (0: none). trace_count of them are there now;
 * trace_at(i) gives them oldest first. Rewound by length on a restore.
 */
void trace_ring(struct sim *sim, u32 n);
u32 trace_count(const struct sim *sim);
const struct event *trace_at(const struct sim *sim, u32 i);

/* trace_intern - @text kept for the life of the sim; equal texts give equal pointers */
const char *trace_intern(struct sim *sim, const char *text);

/* Counters: one line per metric; cheap enough to be always on. Record. */
enum counter {
	COUNT_SEAMCALLS, COUNT_BUSY, COUNT_KICKS, COUNT_IPIS, COUNT_RETRIES, COUNT_VP_ENTERS,
	COUNT_ZERO_STEP, COUNT_EPF, COUNT_GUEST_INSNS, COUNT_OPS, COUNTERS,
};

void count(enum counter c, u64 n);		/* for the running actor */
u64 count_of(const struct sim *sim, const struct actor *a, enum counter c);	/* a NULL: all */
const char *counter_name(enum counter c);	/* "busy", "kicks", ... */
