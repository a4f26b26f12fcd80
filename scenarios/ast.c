// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of a parsed scenario: every node, string and array of it lives in one
 * pool, so that freeing cannot miss one. Rests on GLib alone.
 */
#include "scenarios/ast.h"

#include <string.h>

#include "scenarios/parse.h"

struct scenario_pool {
	GPtrArray *nodes;
	GPtrArray *ptrs;
	GPtrArray *arrays;
	GStringChunk *strings;
};

static void ptrs_unref(void *p)
{
	g_ptr_array_unref(p);
}

static void array_unref(void *p)
{
	g_array_unref(p);
}

struct scenario_pool *pool_new(void)
{
	struct scenario_pool *pool = g_new0(struct scenario_pool, 1);

	pool->nodes = g_ptr_array_new_with_free_func(g_free);
	pool->ptrs = g_ptr_array_new_with_free_func(ptrs_unref);
	pool->arrays = g_ptr_array_new_with_free_func(array_unref);
	pool->strings = g_string_chunk_new(4096);
	return pool;
}

void pool_free(struct scenario_pool *pool)
{
	g_ptr_array_free(pool->nodes, TRUE);
	g_ptr_array_free(pool->ptrs, TRUE);
	g_ptr_array_free(pool->arrays, TRUE);
	g_string_chunk_free(pool->strings);
	g_free(pool);
}

void *pool_alloc(struct scenario_pool *pool, gsize size)
{
	void *node = g_malloc0(size);

	g_ptr_array_add(pool->nodes, node);
	return node;
}

const char *pool_str(struct scenario_pool *pool, const char *s)
{
	return g_string_chunk_insert_const(pool->strings, s);
}

const char *pool_strn(struct scenario_pool *pool, const char *s, gsize len)
{
	return g_string_chunk_insert_len(pool->strings, s, len);
}

const char *pool_join(struct scenario_pool *pool, const char *a, const char *b, const char *c)
{
	char *s = g_strconcat(a, b, c, NULL);
	const char *joined = pool_str(pool, s);

	g_free(s);
	return joined;
}

GPtrArray *pool_ptrs(struct scenario_pool *pool)
{
	GPtrArray *a = g_ptr_array_new();

	g_ptr_array_add(pool->ptrs, a);
	return a;
}

GArray *pool_array(struct scenario_pool *pool, unsigned int element)
{
	GArray *a = g_array_new(FALSE, TRUE, element);

	g_ptr_array_add(pool->arrays, a);
	return a;
}

struct scn_actor *scenario_actor(const struct scenario_case *c, const char *name)
{
	unsigned int i;

	for (i = 0; i < c->actors->len; i++) {
		struct scn_actor *a = g_ptr_array_index(c->actors, i);

		if (!strcmp(a->name, name))
			return a;
	}
	return NULL;
}

void scenario_free(struct scenario *sc)
{
	if (sc)
		pool_free(sc->pool);	/* sc itself lives there */
}
