/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scenarios that nobody thought of: a TD, or a VM without TDX, whose threads do a handful of
 * random operations on a handful of gfns. What is written is an ordinary scenario file, so
 * what breaks in it can be kept, replayed and cut down by hand.
 */
#pragma once

#include <glib.h>

enum program_kind {
	PROGRAM_RACE,		/* actors without a schedule: to be searched or sampled */
	PROGRAM_SCRIPT,		/* a schedule that says every switch: the same on any backend */
};

/*
 * program_random - the text of a scenario; the same for the same @seed, on any machine
 * @ops: PROGRAM_SCRIPT: rows with an operation; PROGRAM_RACE: ignored
 * @kvm: version for its variant line; NULL: none
 */
GString *program_random(enum program_kind kind, guint64 seed, guint ops, const char *kvm);

/* program_is_td - is the program of @seed one of a TD, and not of a VM without TDX? */
gboolean program_is_td(guint64 seed);
