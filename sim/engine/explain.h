/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Why an actor does not get on, in a sentence: the words of `unreachable` and `deadlock`.
 */
#include "sim/engine/sim.h"
#include "sim/engine/site.h"

/* explain_actor - "vCPU0 waits for mmu_lock, write, held by zapper (read) since cycle 812" */
void explain_actor(struct sim *sim, const struct actor *a, char *buf, size_t n);
/* explain_spin - @a goes round the same states; what it polls, and its value */
void explain_spin(struct sim *sim, const struct actor *a, char *buf, size_t n);
