/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What replay_way.c and replay_rows.c share.
 */
#pragma once

#include <glib.h>
#include <stdarg.h>

struct actor;
struct sim;

/* replay_why_not - @a cannot take a step: what keeps it. To be freed */
char *replay_why_not(struct sim *sim, const struct actor *a);

/* replay_misfit - *@why becomes "@where: ...", unless it says something already. Frees @where */
void replay_misfit(char **why, char *where, const char *fmt, va_list ap) G_GNUC_PRINTF(3, 0);
