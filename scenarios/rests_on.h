/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which numbered assumptions of docs/model.md a case's verdict rests on.
 */
#pragma once

#include <glib.h>

struct scenario_case;

/* rests_on - "1, 2, 7" for @c played with @switches ("no-freeze ..."); free with g_free() */
char *rests_on(const struct scenario_case *c, const char *switches);
