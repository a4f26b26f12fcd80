// SPDX-License-Identifier: GPL-2.0-only
/*
 * Violations: recorded, shown as an event, and the run stopped unless tolerated.
 */
#include <stdarg.h>

#include "sim/engine/priv.h"
#include "sim/engine/undo.h"

static void violation_free(void *p)
{
	struct violation *v = p;

	g_free(v->where);
	g_free(v->text);
	g_free(v);
}

void check_setup(struct sim *sim)
{
	sim->violations = g_ptr_array_new_with_free_func(violation_free);
	sim->tolerated = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	sim->at_end = g_array_new(FALSE, TRUE, sizeof(struct at_end));
}

void check_fini(struct sim *sim)
{
	g_ptr_array_unref(sim->violations);
	g_hash_table_unref(sim->tolerated);
	g_array_unref(sim->at_end);
}

bool check_fail(const char *id, const char *where, const char *fmt, ...)
{
	struct actor *me = sim_self;
	struct sim *sim = me->sim;
	struct violation *v = g_new0(struct violation, 1);
	va_list ap;

	va_start(ap, fmt);
	v->text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	v->id = trace_intern(sim, id);
	v->where = g_strdup(where);
	v->clock = me->clock;
	v->seq = sim->seq;
	v->actor = me->id;
	v->tolerated = check_is_tolerated(sim, id);
	sim_free_lock(sim);
	g_ptr_array_add(sim->violations, v);
	sim_free_unlock(sim);
	trace_(EV_CHECK, .name = v->id, .detail = trace_intern(sim, v->text));
	if (v->tolerated)
		return true;
	/* raw: of the record; free threads poll it */
	__atomic_store_n(&sim->stopping, true, __ATOMIC_RELAXED);
	/* The fast path looks up at its next step; the set-up context has nobody to yield to. */
	if (sim_is_free(sim))
		free_look_up_all(sim);
	else if (!(me->mode & MODE_ROOT))
		me->horizon = 0;
	return false;
}

void check_tolerate(struct sim *sim, const char *id)
{
	g_hash_table_add(sim->tolerated, g_strdup(id));
}

bool check_is_tolerated(const struct sim *sim, const char *id)
{
	return g_hash_table_contains(sim->tolerated, id);
}

u32 check_count(const struct sim *sim)
{
	return sim->violations->len;
}

const struct violation *check_at(const struct sim *sim, u32 i)
{
	return g_ptr_array_index(sim->violations, i);
}

const struct violation *check_fatal(const struct sim *sim)
{
	for (u32 i = 0; i < sim->violations->len; i++)
		if (!check_at(sim, i)->tolerated)
			return check_at(sim, i);
	return NULL;
}

void check_at_end(struct sim *sim, void (*fn)(void *ctx), void *ctx)
{
	struct at_end e = { fn, ctx };

	g_array_append_val(sim->at_end, e);
}
