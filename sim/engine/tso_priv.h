/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What the door asks of the store buffers (tso.c).
 */
#include "sim/engine/priv.h"

/* tso_note - @me takes a step on @p: learn who shares what */
void tso_note(struct sim *sim, const struct actor *me, enum mem_op op, const void *p);
/* tso_store - a plain store goes into @me's buffer; false: it goes to memory */
bool tso_store(struct sim *sim, struct actor *me, const struct pending *step);
/* tso_forward - @me reads what its own buffer holds; false: memory has it */
bool tso_forward(struct sim *sim, struct actor *me, const struct pending *step, u64 *value);
/* tso_drain - @me's stores are in memory */
void tso_drain(struct sim *sim, struct actor *me);
/* tso_due - @me's stores have to be in memory before its next step: mem_drain() */
bool tso_due(const struct sim *sim, const struct actor *me);
/*
 * tso_put - what has been learned, as bytes; tso_get - add what another process learned;
 * tso_go_on - the same, of the search that was kept: what it buffered is buffered again
 */
void tso_put(const struct sim *sim, GByteArray *to);
void tso_get(struct sim *sim, const u8 *p, u64 n);
void tso_go_on(struct sim *sim, const u8 *p, u64 n);
void tso_fini(struct sim *sim);
