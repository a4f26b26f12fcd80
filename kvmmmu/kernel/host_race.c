// SPDX-License-Identifier: GPL-2.0-only
/*
 * Data races between accesses of the tree's code to words that have a name. Two threads race that
 * stand before accesses to the same word at the same time, where nothing keeps either back: one
 * of them plain, one of them a store. Locks, RCU, who waits for whom: whatever orders the two,
 * keeps one of them from standing there; so nothing is reported that cannot be. In one run that
 * takes the two coming together; a search brings it about if it can be.
 *
 * As KCSAN by default (Documentation/dev-tools/kcsan.rst, ASSUME_PLAIN_WRITES_ATOMIC), a plain
 * store and a marked load are no race: nobody reads half of it. data_race() is silent.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kvmmmu/kernel/host.h"
#include "sim/engine/arena.h"
#include "sim/engine/check.h"
#include "sim/engine/mem.h"
#include "sim/engine/region.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

void ksim_data_race(int on)
{
	world_set(khost()->racy[sim_self->id], (u8)on);
}

/* Of the table's sites: a plain access; *store: it stores */
static bool is_plain(const struct site *s, bool *store)
{
	const struct ksim_plain_table *t = &ksim_plain_table;

	if (s < t->sites || s >= t->sites + t->n)
		return false;
	*store = t->at[s - t->sites].store;
	return true;
}

/* A processor that walks the EPT sets A and D as it likes: the kernel has no say in it */
static bool is_hardware(const struct site *s)
{
	static const char walk[] = "sim/engine/ept.c";
	size_t n = strlen(s->file);

	return n >= sizeof(walk) - 1 && !strcmp(s->file + n - (sizeof(walk) - 1), walk);
}

/* What @a is about to do to @p; false: nothing, or it may race */
static bool about(const struct actor *a, const void *p, bool *plain, bool *store)
{
	const struct pending *n = &a->pending;

	if (n->p != p || !n->site || a->state != ACTOR_READY || khost()->racy[a->id])
		return false;
	if (is_hardware(n->site))
		return false;
	*plain = is_plain(n->site, store);
	if (!*plain)
		*store = n->op != MEM_READ && n->op != MEM_AWAIT;
	return true;
}

/* Races that are known of this version: kvmmmu/kernel/races.txt */
static const struct ksim_known_race *known(const struct site *a, const struct site *b)
{
	for (const struct ksim_known_race *k = ksim_known_races; k->one; k++)
		if ((!strcmp(k->one, a->func) && !strcmp(k->other, b->func)) ||
		    (!strcmp(k->one, b->func) && !strcmp(k->other, a->func)))
			return k;
	return NULL;
}

static void report(const void *p, const struct site *mine, bool store, const struct actor *other,
		   bool its_plain, bool its_store)
{
	const struct site *its = other->pending.site;
	char name[96];

	region_name_of(p, name, sizeof(name));
	if (known(mine, its)) {
		trace_observe("known-race", 0);
		return;
	}
	check_fail("data-race", name, "plain %s in %s() at %s:%u, %s%s in %s() of %s at %s:%u",
		   store ? "store" : "load", mine->func, khost_tree_file(mine->file), mine->line,
		   its_plain ? "plain " : "marked ", its_store ? "store" : "load", its->func,
		   other->name, khost_tree_file(its->file), its->line);
}

void khost_race(const void *p, const struct site *site)
{
	bool store, its_plain, its_store;

	if (khost()->racy[sim_self->id] || !is_plain(site, &store))
		return;
	for (u32 i = 0; i < actor_count(sim_current()); i++) {
		const struct actor *a = actor_by_id(sim_current(), (u16)i);

		if (a == sim_self || !about(a, p, &its_plain, &its_store))
			continue;
		if (its_plain ? store || its_store : !store && its_store) {
			report(p, site, store, a, its_plain, its_store);
			return;
		}
	}
}
