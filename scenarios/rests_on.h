/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which numbered assumptions of docs/model.md a case's verdict rests on.
 */
#pragma once

#include <glib.h>

struct scenario_case;

/*
 * rests_on - "1, 2, T3" for @c played as kernel @kvm with @switches ("no-freeze ...")
 *
 * Free with g_free(). Numbers come before names, each kind in its order.
 */
char *rests_on(const struct scenario_case *c, const char *kvm, const char *tdx,
	       const char *switches);
