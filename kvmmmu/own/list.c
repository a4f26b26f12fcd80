// SPDX-License-Identifier: GPL-2.0-only
/*
 * See list.h. The order of stores is __list_add()'s and __list_del_entry()'s.
 */
#include "kvmmmu/own/list.h"

#include "sim/engine/arena.h"
#include "sim/engine/check.h"
#include "sim/engine/mem.h"
#include "sim/engine/undo.h"

static struct list_head *at(u64 p)
{
	return (struct list_head *)p;
}

static u64 peek(u64 node, bool next)
{
	if (!world_has(at(node)))
		return 0;
	return next ? mem_peek64(&at(node)->next) : mem_peek64(&at(node)->prev);
}

static bool corrupted(const char *call, const char *what, const char *why)
{
	check_fail("list-corruption", what, "%s corruption: %s", call, why);
	return true;
}

static bool add_is_bad(u64 node, u64 prev, u64 next, const char *what)
{
	if (peek(next, false) != prev)
		return corrupted("list_add", what, "next->prev is not prev");
	if (peek(prev, true) != next)
		return corrupted("list_add", what, "prev->next is not next");
	if (node == prev || node == next)
		return corrupted("list_add", what, "added twice");
	return false;
}

static bool del_is_bad(u64 node, u64 prev, u64 next, const char *what)
{
	if (next == LIST_POISON1 || prev == LIST_POISON2)
		return corrupted("list_del", what, "deleted already");
	if (peek(prev, true) != node)
		return corrupted("list_del", what, "prev->next is not the entry");
	if (peek(next, false) != node)
		return corrupted("list_del", what, "next->prev is not the entry");
	return false;
}

void list_init(struct list_head *head)
{
	world_set(head->next, (u64)head);
	world_set(head->prev, (u64)head);
}

void list_add(struct list_head *node, struct list_head *head, const char *what)
{
	u64 next = mem_read64(&head->next);

	if (add_is_bad((u64)node, (u64)head, next, what))
		return;
	mem_write64(&at(next)->prev, (u64)node);
	mem_write64(&node->next, next);
	mem_write64(&node->prev, (u64)head);
	mem_write64(&head->next, (u64)node);
}

void list_del(struct list_head *node, const char *what)
{
	u64 prev = mem_read64(&node->prev), next;

	next = mem_read64(&node->next);
	if (del_is_bad((u64)node, prev, next, what))
		return;
	mem_write64(&at(next)->prev, prev);
	mem_write64(&at(prev)->next, next);
	mem_write64(&node->next, LIST_POISON1);
	mem_write64(&node->prev, LIST_POISON2);
}

struct list_head *list_next(struct list_head *node)
{
	u64 next = mem_read64(&node->next);

	return at(next);
}

bool list_is_linked(const struct list_head *node)
{
	u64 next = mem_peek64(&node->next);

	return next && next != LIST_POISON1;
}
