/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What watches over the locks: order, context, held at an end; and who holds what, for
 * reports. It looks and never decides: with it off (free scheduler) a run is the same.
 * Rests on kernel/locking/lockdep.c's rules, see lockdep.c for which.
 */
#include "sim/engine/actor.h"

struct sim;

/*
 * lock_explain - what the actor that is blocked on awaited address @p waits for, e.g.
 * "mmu_lock (write), held by zapper (read) since cycle 812"
 *
 * False if nobody who is blocked on @p waits for a lock; @buf is then untouched. Record
 * only: no step, may be called by anybody at any time.
 */
bool lock_explain(const void *p, char *buf, size_t n);

/* lock_wait_name - name of the lock that @a waits for, NULL if none */
const char *lock_wait_name(const struct actor *a);

/* lock_held_by - @a's held locks, "slots_lock, mmu_lock (write)"; "" if none. Returns @buf. */
const char *lock_held_by(const struct actor *a, char *buf, size_t n);

/* lockdep_check_none_held - lock-held if the running actor holds anything; @what ends */
void lockdep_check_none_held(const char *what);

/* engine: the record's life. lockdep_setup() is lp_setup()'s. */
void lockdep_teardown(struct sim *sim);
