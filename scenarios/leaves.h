/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file of `--leaves`: leaves of the module that a patch series calls and this model has
 * not. Lines; # starts a comment:
 *
 *	NUMBER NAME like LEAF
 *	NUMBER NAME [tdr=rcx|rdx] [LOCK shared|exclusive, ...] -> STATUS
 */
#pragma once

#include <glib.h>

#include "tdxmod/user_leaf.h"

/* leaves_load - NULL with @err ("FILE:LINE: error: ...") if it is wrong; free with leaves_free() */
struct user_leaves *leaves_load(const char *path, GError **err);
void leaves_free(struct user_leaves *l);
