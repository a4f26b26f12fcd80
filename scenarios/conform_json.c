// SPDX-License-Identifier: GPL-2.0-only
/*
 * yajl's events fill a tree; an error names its column. Rests on yajl_parse.h.
 */
#include "scenarios/conform_json.h"

#include <string.h>
#include <yajl/yajl_parse.h>

GQuark conform_error_quark(void)
{
	return g_quark_from_static_string("septsim-conform");
}

enum { DEPTH_MAX = 16 };

static int wrong(struct json_tree *t, const char *what)
{
	if (!t->wrong)
		t->wrong = g_strdup(what);
	return 0;
}

static void node_free(gpointer p)
{
	struct node *n = p;

	if (n->in)
		g_ptr_array_unref(n->in);
	g_free(n);
}

static struct node *put(struct json_tree *t, enum node_type type)
{
	struct node *n = g_new0(struct node, 1), *up;

	n->type = type;
	n->key = t->key;
	t->key = NULL;
	g_ptr_array_add(t->nodes, n);
	if (t->open->len) {
		up = g_ptr_array_index(t->open, t->open->len - 1);
		g_ptr_array_add(up->in, n);
	} else {
		t->root = n;
	}
	return n;
}

static int on_null(void *ctx)
{
	return wrong(ctx, "a null where a number or text belongs");
}

static int on_boolean(void *ctx, int value)
{
	return wrong(ctx, "a truth value where a number or text belongs");
}

static int on_number(void *ctx, const char *s, size_t n)
{
	struct json_tree *t = ctx;

	put(t, NODE_NUMBER)->text = g_string_chunk_insert_len(t->text, s, (gssize)n);
	return 1;
}

static int on_string(void *ctx, const unsigned char *s, size_t n)
{
	struct json_tree *t = ctx;

	put(t, NODE_TEXT)->text = g_string_chunk_insert_len(t->text, (const char *)s, (gssize)n);
	return 1;
}

static int on_key(void *ctx, const unsigned char *s, size_t n)
{
	struct json_tree *t = ctx;

	t->key = g_string_chunk_insert_len(t->text, (const char *)s, (gssize)n);
	return 1;
}

static int on_open(struct json_tree *t, enum node_type type)
{
	struct node *n;

	if (t->open->len >= DEPTH_MAX)
		return wrong(t, "nested too deeply");
	n = put(t, type);
	n->in = g_ptr_array_new();
	g_ptr_array_add(t->open, n);
	return 1;
}

static int on_map(void *ctx)
{
	return on_open(ctx, NODE_MAP);
}

static int on_list(void *ctx)
{
	return on_open(ctx, NODE_LIST);
}

static int on_close(void *ctx)
{
	struct json_tree *t = ctx;

	g_ptr_array_set_size(t->open, (gint)t->open->len - 1);
	return 1;
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_map,
	.yajl_map_key = on_key,
	.yajl_end_map = on_close,
	.yajl_start_array = on_list,
	.yajl_end_array = on_close,
};

/* What yajl says, on one line and without its picture of the text */
static void yajl_says(yajl_handle y, const char *s, size_t n, GError **error)
{
	unsigned char *text = yajl_get_error(y, 0, (const unsigned char *)s, n);
	char *end = text ? strchr((char *)text, '\n') : NULL;

	if (end)
		*end = 0;
	g_set_error(error, conform_error_quark(), 0, "near column %zu: %s",
		    MAX(yajl_get_bytes_consumed(y), 1), text ? (char *)text : "not JSON");
	yajl_free_error(y, text);
}

bool json_tree_grow(struct json_tree *t, const char *s, size_t n, GError **error)
{
	yajl_handle y = yajl_alloc(&callbacks, NULL, t);
	yajl_status st = yajl_parse(y, (const unsigned char *)s, n);
	bool ok = st == yajl_status_ok;

	if (ok && yajl_complete_parse(y) != yajl_status_ok) {
		g_set_error(error, conform_error_quark(), 0, "column %zu: the line ends in the "
			    "middle of a value (a truncated file?)", n + 1);
		ok = false;
	} else if (!ok && t->wrong) {
		g_set_error(error, conform_error_quark(), 0, "near column %zu: %s",
			    MAX(yajl_get_bytes_consumed(y), 1), t->wrong);
	} else if (!ok) {
		yajl_says(y, s, n, error);
	}
	yajl_free(y);
	if (ok && (!t->root || t->root->type != NODE_MAP)) {
		g_set_error(error, conform_error_quark(), 0, "not a JSON object");
		ok = false;
	}
	return ok;
}

void json_tree_init(struct json_tree *t, GStringChunk *text)
{
	*t = (struct json_tree){
		.text = text,
		.nodes = g_ptr_array_new_with_free_func(node_free),
		.open = g_ptr_array_new(),
	};
}

void json_tree_fini(struct json_tree *t)
{
	g_ptr_array_unref(t->nodes);
	g_ptr_array_unref(t->open);
	g_free(t->wrong);
}
