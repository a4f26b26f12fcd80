/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Which words actors meet at: touched by two of them, one of whom writes. A step on any other
 * word commutes with every step of everybody else, so a search that is after bugs need not
 * switch before it. What is known is what has been seen so far, in all searches that learned
 * into the same table: a later one may know more. Record, never world.
 */
#include <glib.h>

#include "sim/engine/actor.h"

struct meets;

struct meets *meets_new(void);
void meets_free(struct meets *m);

/* meets_note - @a is about to take the step that it stands at */
void meets_note(struct meets *m, const struct actor *a);

/*
 * meets_here - does anybody else touch what @a's next step touches? True as well of a fence,
 * and of an actor that stands before no step.
 */
bool meets_here(const struct meets *m, const struct actor *a);

/* meets_put - all that is known, as bytes; meets_get - add what another process has learned */
void meets_put(const struct meets *m, GByteArray *to);
void meets_get(struct meets *m, const u8 *p, u64 n);

u64 meets_sum(const struct meets *m);		/* of all that is known */
u64 meets_words(const struct meets *m);		/* words at which actors meet; it only grows */
