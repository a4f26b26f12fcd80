/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Why an actor does not get on, in a sentence: the words of `unreachable` and `deadlock`.
 */
#include "sim/engine/sim.h"
#include "sim/engine/site.h"

/* explain_actor - "vCPU0 waits since cycle 900 for write_lock(mmu_lock), held by
 * zapper (read) since cycle 812" */
void explain_actor(struct sim *sim, const struct actor *a, char *buf, size_t n);
/*
 * explain_spin - @a goes round the same states in @func(); @polled, if known, is the word that it looks
 * at and that another changed last: its value, and who left it so. Then who waits meanwhile.
 */
void explain_spin(struct sim *sim, const struct actor *a, const char *func, const void *polled,
		  char *buf, size_t n);
