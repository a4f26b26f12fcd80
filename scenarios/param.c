// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parameters and writing many: $NAME and $i are replaced in a line before it is read,
 * and a line with vCPU[A..B] or vCPU[*] is read once for each. Rests on parse.h.
 */
#include <string.h>

#include "scenarios/parse.h"

/* A parameter that holds text of others grows; a line longer than this is a mistake. */
#define EXPANDED_MAX 65536u

static gboolean name_char(char c)
{
	return g_ascii_isalnum(c) || c == '_';
}

/* The numeric value as text where it is an expression, so that "2 + 3" is one number
 * wherever it is used; in hex if it was written so. Other values stay as they are. */
static const char *param_evaluate(struct parse *p, const struct text *t)
{
	struct lex lx;
	guint64 num;
	char *s;
	const char *value;

	lex_init(&lx, p, t);
	lx.quiet = TRUE;
	num = lex_number(&lx, "a number");
	lex_end(&lx);
	if (lx.failed || !t->len)
		return text_str(p, t);
	s = g_strdup_printf(g_strstr_len(t->s, t->len, "0x") ? "0x%" G_GINT64_MODIFIER "x" :
			    "%" G_GUINT64_FORMAT, num);
	value = pool_str(p->pool, s);
	g_free(s);
	return value;
}

static const char *param_value(struct parse *p, struct param *param, const struct text *use,
			       const char *name)
{
	struct text expanded;

	if (param->done)
		return param->value;
	if (param->busy) {
		parse_error(p, use, NULL, "param %s is defined by itself", name);
		return NULL;
	}
	param->busy = TRUE;
	if (text_expand(p, &param->written, &expanded))
		param->value = param_evaluate(p, &expanded);
	param->busy = FALSE;
	param->done = TRUE;
	return param->value;
}

static const char *param_lookup(struct parse *p, const struct text *use, const char *name)
{
	struct param *param = g_hash_table_lookup(p->params, name);
	const char *hint;
	char index[16];

	if (!strcmp(name, "i")) {
		if (p->i < 0) {
			parse_error(p, use, "$i is the number of the vCPU in vCPU[A..B] or vCPU[*]",
				    "$i stands outside of vCPU[...]");
			return NULL;
		}
		g_snprintf(index, sizeof(index), "%d", p->i);
		return pool_str(p->pool, index);
	}
	if (param)
		return param_value(p, param, use, name);
	g_ptr_array_add(p->param_names, NULL);
	hint = hint_nearest(p, name, (const char *const *)p->param_names->pdata);
	g_ptr_array_set_size(p->param_names, p->param_names->len - 1);
	parse_error(p, use, hint ? hint : "define it: param NAME = VALUE", "no param %s", name);
	return NULL;
}

gboolean text_expand(struct parse *p, const struct text *in, struct text *out)
{
	GString *s;
	GArray *cols;
	unsigned int at, to;
	gboolean ok = TRUE;

	*out = *in;
	if (!memchr(in->s, '$', in->len))
		return TRUE;
	s = g_string_new(NULL);
	cols = pool_array(p->pool, sizeof(unsigned int));
	for (at = 0; at < in->len && ok; at = to) {
		const char *value = in->s + at;
		unsigned int n = 1;
		struct text use;

		to = at + 1;
		if (in->s[at] == '$') {
			while (to < in->len && name_char(in->s[to]))
				to++;
			use = text_slice(in, at, to);
			value = param_lookup(p, &use, pool_strn(p->pool, use.s + 1, use.len - 1));
			n = value ? strlen(value) : 0;
			ok = value && s->len + n <= EXPANDED_MAX;
			if (value && !ok)
				parse_error(p, &use, NULL, "the line grows too long");
		}
		if (ok)
			g_string_append_len(s, value, n);
		for (; n && ok; n--)
			g_array_append_val(cols, in->cols[at]);
	}
	g_array_append_val(cols, in->cols[in->len]);
	if (ok) {
		out->s = pool_strn(p->pool, s->str, s->len);
		out->len = s->len;
		out->cols = (const unsigned int *)(void *)cols->data;
	}
	g_string_free(s, TRUE);
	return ok;
}

/* `NAME = VALUE` of the file or a case; -D wins over both. */
void param_add(struct parse *p, const struct text *item)
{
	struct text name, value;
	struct param *param;
	const char *eq = memchr(item->s, '=', item->len);
	const char *key, *define;
	unsigned int i, at;

	if (!eq) {
		parse_error(p, item, "param NAME = VALUE", "a param needs a value");
		return;
	}
	at = eq - item->s;
	name = text_trim(text_slice(item, 0, at));
	value = text_trim(text_slice(item, at + 1, item->len));
	for (i = 0; i < name.len && name_char(name.s[i]); i++)
		;
	if (!name.len || i < name.len || g_ascii_isdigit(name.s[0]) || text_is(&name, "i")) {
		parse_error(p, name.len ? &name : item,
			    "letters, digits and _, not a digit first; i is taken",
			    "not a name for a param");
		return;
	}
	key = text_str(p, &name);
	param = pool_node(p->pool, struct param);
	param->written = value;
	define = p->defines ? g_hash_table_lookup(p->defines, key) : NULL;
	if (define) {
		unsigned int n = strlen(define);
		unsigned int *cols = pool_alloc(p->pool, (n + 1) * sizeof(*cols));
		struct text given = { .s = pool_str(p->pool, define), .len = n, .cols = cols };

		param->value = param_evaluate(p, &given);
		param->done = TRUE;
		g_hash_table_add(p->defines_used, (void *)key);
	} else if (!value.len) {
		parse_error(p, item, "param NAME = VALUE", "a param needs a value");
		return;
	}
	if (!g_hash_table_insert(p->params, (void *)key, param))
		return;
	g_ptr_array_add(p->param_names, (void *)key);
}

/* A param that nobody uses may still be wrong: say so. */
void param_check_all(struct parse *p)
{
	unsigned int i;

	for (i = 0; i < p->param_names->len; i++) {
		const char *name = g_ptr_array_index(p->param_names, i);
		struct param *param = g_hash_table_lookup(p->params, name);

		param_value(p, param, &param->written, name);
	}
}

/* Finds vCPU[ in t; *from is its start, *to is just after the ]. */
static gboolean many_find(const struct text *t, unsigned int *from, unsigned int *to)
{
	unsigned int at;

	for (at = 0; at + 5 <= t->len; at++) {
		if (memcmp(t->s + at, "vCPU[", 5) || (at && name_char(t->s[at - 1])))
			continue;
		*from = at;
		for (at += 5; at < t->len && t->s[at] != ']'; at++)
			;
		*to = MIN(at + 1, t->len);
		return TRUE;
	}
	return FALSE;
}

gboolean text_writes_many(const struct text *t)
{
	unsigned int from, to;

	return many_find(t, &from, &to);
}

/* What stands in vCPU[...]: all of them, or a range of numbers below vcpus=. */
static gboolean many_set(struct parse *p, const struct text *many, unsigned int *a,
			 unsigned int *b)
{
	struct scn_td *td = g_ptr_array_index(p->c->tds, 0);
	struct scn_gfn_range range;
	struct text inner;
	struct lex lx;

	if (many->s[many->len - 1] != ']') {
		parse_error(p, many, "vCPU[A..B] or vCPU[*]", "no ] after vCPU[");
		return FALSE;
	}
	inner = text_trim(text_slice(many, 5, many->len - 1));
	*a = 0;
	*b = td->vcpus;
	if (text_is(&inner, "*"))
		return TRUE;
	if (!text_expand(p, &inner, &inner))
		return FALSE;
	lex_init(&lx, p, &inner);
	lex_range(&lx, &range);
	lex_end(&lx);
	if (lx.failed)
		return FALSE;
	if (range.end > td->vcpus) {
		parse_error(p, many, "the end of a range is not included",
			    "there are %u vCPUs (td vcpus=)", td->vcpus);
		return FALSE;
	}
	*a = range.start;
	*b = range.end;
	return TRUE;
}

/* t with vCPU[...] replaced by vCPUn */
static struct text many_one(struct parse *p, const struct text *t, unsigned int from,
			    unsigned int to, unsigned int n)
{
	GArray *cols = pool_array(p->pool, sizeof(unsigned int));
	GString *s = g_string_new_len(t->s, from);
	struct text one = *t;
	unsigned int i;

	g_string_append_printf(s, "vCPU%u", n);
	g_array_append_vals(cols, t->cols, from);
	for (i = from; i < s->len; i++)
		g_array_append_val(cols, t->cols[from]);
	g_string_append_len(s, t->s + to, t->len - to);
	g_array_append_vals(cols, t->cols + to, t->len - to + 1);
	one.s = pool_strn(p->pool, s->str, s->len);
	one.len = s->len;
	one.cols = (const unsigned int *)(void *)cols->data;
	g_string_free(s, TRUE);
	return one;
}

void text_each(struct parse *p, const struct text *t, text_fn fn, void *data)
{
	unsigned int from, to, a, b, n;
	struct text many, one;
	int saved = p->i;

	if (!many_find(t, &from, &to)) {
		if (text_expand(p, t, &one))
			fn(p, &one, data);
		return;
	}
	many = text_slice(t, from, to);
	if (!many_set(p, &many, &a, &b))
		return;
	for (n = a; n < b; n++) {
		struct text line = many_one(p, t, from, to, n);

		p->i = n;
		if (text_writes_many(&line)) {
			parse_error(p, &many, NULL, "a line has one vCPU[...] at most");
			break;
		}
		if (text_expand(p, &line, &one))
			fn(p, &one, data);
	}
	p->i = saved;
}
