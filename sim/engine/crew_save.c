// SPDX-License-Identifier: GPL-2.0-only
/*
 * A leader keeps checkpoints: workers are asked where they stand and rest until it is
 * written. Samples have numbers, and nobody has to rest.
 */
#include "sim/engine/crew_lead.h"
#include "sim/engine/meets.h"
#include "sim/engine/tso_priv.h"

#define SAVE_MS		4000	/* from one checkpoint to the next */

static void save(struct leader *l, GPtrArray *stretch)
{
	const struct explore_options *opt = l->x->opt;
	struct checkpoint c;

	if (leader_samples(l)) {
		c = (struct checkpoint){ .res = *l->x->res, .next = l->prefix };
	} else {
		leader_add_up(l, &c);
		c.res.found = l->x->res->found;
	}
	c.alone = l->base.alone;
	c.stretch = stretch;
	c.place = l->place;
	c.verified = l->verified;
	c.buffers = g_byte_array_new();
	tso_put(l->x->sim, c.buffers);
	c.meets = g_byte_array_new();
	if (opt->meets)
		meets_put(opt->meets, c.meets);
	crew_put(c.meets, l->saving_meets->data, l->saving_meets->len);
	checkpoint_write(opt->checkpoint, opt->identity, &c, l->crew->table, l->crew->edges);
	g_byte_array_unref(c.meets);
	g_byte_array_unref(c.buffers);
	l->saved_at = g_get_monotonic_time();
}

static bool is_due(const struct leader *l)
{
	const struct explore_options *opt = l->x->opt;
	gint64 every = opt->checkpoint_ms ? opt->checkpoint_ms : SAVE_MS;

	return opt->checkpoint && !(l->crew->want & (CREW_SAVE | CREW_STOP)) &&
	       g_get_monotonic_time() - l->saved_at >= every * 1000;
}

static void ask(struct leader *l)
{
	for (u32 i = 0; i < l->crew->workers; i++)
		l->member[i].saved = false;
	g_ptr_array_set_size(l->saving, 0);
	g_byte_array_set_size(l->saving_meets, 0);
	crew_lock(l->crew);
	l->crew->saves++;
	pthread_mutex_unlock(&l->crew->lock);
	leader_want(l, CREW_SAVE, 0);
}

/* Everybody rests and has said where they stand: write it down. */
static void finish(struct leader *l)
{
	struct crew *crew = l->crew;

	for (u32 i = 0; i < crew->workers; i++)
		if (!l->member[i].saved && !l->member[i].gone)
			return;
	for (u32 i = 0; i < crew->waiting; i++) {
		GByteArray *b = g_byte_array_new();

		crew_put(b, crew->stretch[i].data, crew->stretch[i].bytes);
		g_ptr_array_add(l->saving, b);
	}
	/* If all have ended instead, so has the search, and what they knew is gone with them. */
	if (!(crew->want & CREW_STOP) && l->running)
		save(l, l->saving);
	g_ptr_array_set_size(l->saving, 0);
	leader_want(l, 0, CREW_SAVE);
}

void save_turn(struct leader *l)
{
	if (is_due(l)) {
		if (leader_samples(l))
			save(l, l->saving);	/* of none */
		else
			ask(l);
	}
	if (l->crew->want & CREW_SAVE)
		finish(l);
}
