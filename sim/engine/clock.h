/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Virtual time, in cycles of the reference clock (3.0 GHz; the cost table's unit). There
 * is no way to read it: a model may charge for what it does, and may ask whether a
 * deadline has passed. In a search time does not exist and that question is a choice.
 */
#include "sim/engine/costs_table.h"	/* generated from costs.csv: enum cost_key */
#include "sim/engine/actor.h"

/* sim_charge - the running actor spends @n times the price of @key */
void sim_charge(enum cost_key key, u64 n);

/*
 * sim_charge_instead - once @key, of whose price @part was charged already and is a part; nothing
 * more where @part is the dearer one
 */
void sim_charge_instead(enum cost_key key, enum cost_key part);

/* sim_charged - how often @key was charged so far, by all actors; 0 where there is no time */
u64 sim_charged(const struct sim *sim, enum cost_key key);

/* sim_compute - the running actor spends @cycles. No step. */
void sim_compute(u64 cycles);

/* A deadline in the world. @answer makes a chosen "passed" stick. */
struct deadline {
	u64 when;	/* cycle; 0: not set */
	u64 answer;	/* 1: it has been said to have passed */
};

/* deadline_set - @d passes @cycles from the running actor's now */
void deadline_set(struct deadline *d, u64 cycles);
void deadline_clear(struct deadline *d);
bool deadline_is_set(const struct deadline *d);

/*
 * deadline_ahead - is @d set and still to come by the running actor's clock? For what goes on
 * anyway, unlike deadline_passed() below: no event, no choice, no order. False where there is no
 * time.
 */
bool deadline_ahead(const struct deadline *d);

/*
 * deadline_passed - has @d passed on the running actor's clock? False if it is not set.
 * @what: shown when it has, e.g. "HP_LOCK_TIMEOUT"; the event is EV_TIMEOUT
 *
 * The clock compares; a search chooses, and the answer sticks; a script may order it
 * (the condition `timeout`).
 */
bool deadline_passed(struct deadline *d, const char *what);
