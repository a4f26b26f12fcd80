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

static int wrong(struct json_tree *t, const char *what)
{
	if (!t->wrong)
		t->wrong = what;
	return 0;
}

/* There is room: no text is longer than it was with its quotes or comma */
static const char *keep(struct json_tree *t, const void *s, size_t n)
{
	char *mine = t->text + t->used;

	memcpy(mine, s, n);
	mine[n] = 0;
	t->used += n + 1;
	return mine;
}

static struct node *put(struct json_tree *t, enum node_type type)
{
	struct node n = { .type = type, .key = t->key }, *nodes;
	u32 i = t->nodes->len;

	g_array_append_val(t->nodes, n);
	nodes = (struct node *)t->nodes->data;
	t->key = NULL;
	if (t->depth) {
		u32 up = t->open[t->depth - 1].node, last = t->open[t->depth - 1].last;

		*(last ? &nodes[last].next : &nodes[up].first) = i;
		nodes[up].in++;
		t->open[t->depth - 1].last = i;
	}
	return &nodes[i];
}

static int on_null(void *ctx)
{
	return wrong(ctx, "a null where a number or text belongs");
}

static int on_boolean(void *ctx, int value)
{
	return wrong(ctx, "a truth value where a number or text belongs");
}

static void on_scalar(struct json_tree *t, enum node_type type, const void *s, size_t len)
{
	struct node *n = put(t, type);

	n->text = keep(t, s, len);
	n->text_len = (u32)len;
}

static int on_number(void *ctx, const char *s, size_t n)
{
	on_scalar(ctx, NODE_NUMBER, s, n);
	return 1;
}

static int on_string(void *ctx, const unsigned char *s, size_t n)
{
	on_scalar(ctx, NODE_TEXT, s, n);
	return 1;
}

static int on_key(void *ctx, const unsigned char *s, size_t n)
{
	struct json_tree *t = ctx;

	t->key = keep(t, s, n);
	return 1;
}

static int on_open(struct json_tree *t, enum node_type type)
{
	u32 i = t->nodes->len;

	if (t->depth >= JSON_DEPTH)
		return wrong(t, "nested too deeply");
	put(t, type);
	t->open[t->depth].node = i;
	t->open[t->depth].last = 0;
	t->depth++;
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

	t->depth--;
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

static void clear(struct json_tree *t, size_t n)
{
	if (t->room < n + 2) {
		t->room = n + n / 2 + 2;
		g_free(t->text);
		t->text = g_malloc(t->room);
	}
	t->used = t->depth = 0;
	t->key = t->wrong = NULL;
	g_array_set_size(t->nodes, 1);
}

bool json_tree_grow(struct json_tree *t, const char *s, size_t n, GError **error)
{
	yajl_handle y = yajl_alloc(&callbacks, NULL, t);
	yajl_status st;
	bool ok;

	clear(t, n);
	st = yajl_parse(y, (const unsigned char *)s, n);
	ok = st == yajl_status_ok;
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
	if (ok && (t->nodes->len < 2 || json_node(t, 1)->type != NODE_MAP)) {
		g_set_error(error, conform_error_quark(), 0, "not a JSON object");
		ok = false;
	}
	return ok;
}

void json_tree_init(struct json_tree *t)
{
	*t = (struct json_tree){ .nodes = g_array_new(FALSE, TRUE, sizeof(struct node)) };
	g_array_set_size(t->nodes, 1);
}

void json_tree_fini(struct json_tree *t)
{
	g_array_unref(t->nodes);
	g_free(t->text);
}
