/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Doubly linked lists whose words other LPs may touch at once: each load and store that
 * Linux's list_add() and list_del() do is a step. The checks are CONFIG_DEBUG_LIST's (no
 * step): a list found wrong is list-corruption, and the call does nothing, as there.
 * Source: include/linux/list.h, lib/list_debug.c of v7.2.
 */
#include "sim/engine/types.h"

struct list_head {
	u64 next, prev;		/* [step] struct list_head *; of a node that was deleted: poison */
};

#define LIST_POISON1	0x122ull	/* LIST_POISON2 is stored likewise into prev */
#define LIST_POISON2	0x144ull

void list_init(struct list_head *head);			/* at set-up: no steps */
/* @what: where in a report */
void list_add(struct list_head *node, struct list_head *head, const char *what);
void list_del(struct list_head *node, const char *what);
struct list_head *list_next(struct list_head *node);	/* one step */
bool list_is_linked(const struct list_head *node);	/* no step */
