// SPDX-License-Identifier: GPL-2.0-only
/*
 * In place of the user's own kernel in a build without -Dlinux_tree=PATH.
 */
#include "kvmmmu/kmmu_ops.h"

const struct kmmu_ops *const linux_ops = NULL;

const struct kmmu_tree *kmmu_tree(void)
{
	return NULL;
}
