// SPDX-License-Identifier: GPL-2.0-only
/*
 * One line of recorded vectors into structures: its tree is taken apart by the schema, and
 * what the schema does not know is an error.
 * Rests on docs/conform.md.
 */
#include "scenarios/conform_read.h"

#include <string.h>

#include "scenarios/conform_json.h"
#include "tdxmod/seamcall.h"

/* The schema */

enum context {
	IN_OP = 1 << 0,
	IN_RES = 1 << 1,
	IN_PAUSE = 1 << 2,
	IN_ENTRY = 1 << 3,
	IN_FINAL = 1 << 4,
	IN_INIT = 1 << 5,
};

static const char *const context_names[] = {
	"an operation", "a result", "a pause", "an entry", "a final state", "an initial state",
};

#define CONFORM_NAME(id, name) name,
static const char *const number_names[] = { CONFORM_NUMBERS(CONFORM_NAME) };
static const char *const text_names[] = { CONFORM_TEXTS(CONFORM_NAME) };
static const char *const list_names[] = { CONFORM_LISTS(CONFORM_NAME) };

/* Where each may stand; a number that is not listed here: in an operation */
static const u8 number_in[CF_NUMBERS] = {
	[CF_GPA] = IN_OP | IN_ENTRY,
	[CF_LEVEL] = IN_OP | IN_ENTRY,
	[CF_WL] = IN_OP | IN_ENTRY,
	[CF_RAX] = IN_OP | IN_RES,
	[CF_RCX] = IN_OP | IN_RES,
	[CF_RDX] = IN_OP | IN_RES,
	[CF_R8] = IN_OP | IN_RES,
	[CF_TD_EPOCH] = IN_OP | IN_FINAL,
	[CF_TREE] = IN_OP | IN_FINAL,	/* there as "tree" */
	[CF_OPL] = IN_OP | IN_FINAL,
	[CF_EPL] = IN_OP | IN_FINAL,
	[CF_TDRL] = IN_OP | IN_FINAL,
	[CF_P1GL] = IN_OP | IN_FINAL,
	[CF_P2ML_TDR] = IN_OP | IN_FINAL,
	[CF_KOTL] = IN_OP | IN_FINAL,
	[CF_CC] = IN_OP | IN_FINAL,
	[CF_TD] = IN_OP | IN_FINAL,
	[CF_ASSOC] = IN_FINAL,
	[CF_OP_STATE] = IN_INIT,
	[CF_PVD] = IN_INIT,
	[CF_NOTIFY] = IN_INIT,
	[CF_FATAL] = IN_INIT,
	[CF_NUM_TDCX] = IN_INIT,
	[CF_K] = IN_PAUSE,
	[CF_START] = IN_ENTRY,
	[CF_AT_PAUSE] = IN_ENTRY,
	[CF_AFTER_B] = IN_ENTRY,
	[CF_FINAL] = IN_ENTRY,
};

static const u8 text_in[CT_TEXTS] = {
	[CT_OP] = IN_OP,
	[CT_HOLD] = IN_OP,
	[CT_EXIT] = IN_OP | IN_RES,
	[CT_ACT] = IN_PAUSE,
	[CT_OBJ] = IN_PAUSE,
	[CT_CODE] = IN_PAUSE,
	[CT_PRIM] = IN_PAUSE,
	[CT_INSN] = IN_PAUSE,
};

static const struct {
	u8 in, min, max;
} list_in[CL_LISTS] = {
	[CL_RC] = { IN_OP | IN_FINAL, 2, 2 },
	[CL_PAMT] = { IN_OP, 5, 5 },
	[CL_CHILD] = { IN_OP, 2, 2 },
	[CL_V] = { IN_OP, 6, 6 },
	[CL_LC] = { IN_OP | IN_FINAL, 3, 4 },
	[CL_IN_TD] = { IN_FINAL, 3, 3 },
};

const char *conform_number_name(enum conform_number f)
{
	return number_names[f];
}

const char *conform_list_name(enum conform_list f)
{
	return list_names[f];
}

static bool fail(GError **error, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
static bool fail(GError **error, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	g_set_error_literal(error, conform_error_quark(), 0, text);
	g_free(text);
	return false;
}

/* Digits alone, as nearly all numbers are, and none that could be too many */
static bool plain_number(const char *s, u32 n, bool hex, u64 *out)
{
	u64 v = 0;

	if (!n || n > (hex ? 16u : 19u))
		return false;
	for (u32 i = 0; i < n; i++) {
		u32 digit = (u8)s[i] - '0', letter = ((u8)s[i] | 0x20) - 'a';

		if (digit > 9) {
			if (!hex || letter > 5)
				return false;
			digit = letter + 10;
		}
		v = v * (hex ? 16 : 10) + digit;
	}
	*out = v;
	return true;
}

/* 12, -1, "0x1000"; @hex: "e3dc68ca"; "4k", "2m", "1g" are page sizes */
static bool number_of(const struct node *n, bool hex, u64 *out)
{
	const char *s = n->text;
	char *end;

	if (n->type == NODE_LIST || n->type == NODE_MAP || !*s)
		return false;
	if (n->type == NODE_NUMBER || hex ?
	    plain_number(s, n->text_len, hex, out) :
	    s[0] == '0' && s[1] == 'x' && plain_number(s + 2, n->text_len - 2, true, out))
		return true;
	if (n->type == NODE_TEXT && s[1] && !s[2] && s[0] != '0' && strchr("kmg", s[1]) && !hex) {
		*out = s[1] == 'k' ? 0 : s[1] == 'm' ? 1 : 2;
		return !strcmp(s, "4k") || !strcmp(s, "2m") || !strcmp(s, "1g");
	}
	if (n->type == NODE_NUMBER && s[0] == '-')
		*out = (u64)g_ascii_strtoll(s, &end, 10);
	else if (n->type == NODE_NUMBER || hex)
		*out = g_ascii_strtoull(s, &end, hex ? 16 : 10);
	else if (s[0] == '0' && s[1] == 'x' && s[2])
		*out = g_ascii_strtoull(s, &end, 16);
	else
		return false;
	return !*end;
}

/* Fields by name */

enum { NAMES = CT_TEXTS + CL_LISTS + CF_NUMBERS, NAME_SLOTS = 256, CALL_SLOTS = 512 };

struct conform_memory {
	struct json_tree tree;
	GArray *locks;			/* struct conform_lock: all "pl" of the line */
	u8 name[NAME_SLOTS];		/* number of the name + 1; 0: none */
	u16 call[CALL_SLOTS];		/* enum conform_call + 1; 0: none */
};

static const char *name_of(u32 i)
{
	if (i < CT_TEXTS)
		return text_names[i];
	return i < CT_TEXTS + CL_LISTS ? list_names[i - CT_TEXTS] :
					 number_names[i - CT_TEXTS - CL_LISTS];
}

static u8 contexts_of(u32 i)
{
	if (i < CT_TEXTS)
		return text_in[i];
	if (i < CT_TEXTS + CL_LISTS)
		return list_in[i - CT_TEXTS].in;
	i = number_in[i - CT_TEXTS - CL_LISTS];
	return i ? (u8)i : IN_OP;
}

static u32 name_hash(const char *name)
{
	u32 h = 0;

	for (; *name; name++)
		h = h * 33 + (u8)*name;
	return h;
}

static const char *call_name(u32 call)
{
	static const char *const guest[] = {
		"TDG.MEM.PAGE.ACCEPT", "TD.EPT_VIOLATION", "TD.INTR_EXIT",
	};

	return call < CALL_GUEST ? seamcall_name(call) : guest[call - CALL_GUEST];
}

static void calls_fill(struct conform_memory *m)
{
	for (u32 call = 0; call < CALLS_END; call++) {
		const char *name = call_name(call);
		u32 slot = name ? name_hash(name) % CALL_SLOTS : 0;

		if (!name)
			continue;
		while (m->call[slot])
			slot = (slot + 1) % CALL_SLOTS;
		m->call[slot] = (u16)(call + 1);
	}
}

static s32 call_of(const struct conform_memory *m, const char *name)
{
	for (u32 slot = name_hash(name) % CALL_SLOTS; m->call[slot]; slot = (slot + 1) % CALL_SLOTS)
		if (!strcmp(call_name(m->call[slot] - 1u), name))
			return m->call[slot] - 1;
	return CALL_UNKNOWN;
}

static void names_fill(struct conform_memory *m)
{
	for (u32 i = 0; i < NAMES; i++) {
		u32 slot = name_hash(name_of(i)) % NAME_SLOTS;

		while (m->name[slot])
			slot = (slot + 1) % NAME_SLOTS;
		m->name[slot] = (u8)(i + 1);
	}
}

/* The field called @key there; a text, list or number may share its name with another */
static int find(const struct conform_memory *m, const char *key, u8 context)
{
	for (u32 slot = name_hash(key) % NAME_SLOTS; m->name[slot];
	     slot = (slot + 1) % NAME_SLOTS) {
		u32 i = m->name[slot] - 1u;

		if ((contexts_of(i) & context) && !strcmp(name_of(i), key))
			return (int)i;
	}
	return -1;
}

static bool take_list(const struct json_tree *t, const struct node *n, int f,
		      struct conform_record *r, GError **error)
{
	u32 i = 0;

	if (n->type != NODE_LIST || n->in < list_in[f].min || n->in > list_in[f].max)
		return fail(error, "\"%s\" is no list of %u numbers", n->key, list_in[f].max);
	json_each(e, t, n) {
		if (!number_of(e, false, &r->list[f][i++]))
			return fail(error, "element %u of \"%s\" is no number", i, n->key);
	}
	r->list_n[f] = (u8)n->in;
	r->has_list |= 1u << f;
	return true;
}

static bool take_lock(const struct json_tree *t, const struct node *n, struct conform_lock *lock)
{
	u64 v[3];
	u32 i = 0;

	if (n->type != NODE_LIST || n->in != 3)
		return false;
	json_each(e, t, n) {
		if (!number_of(e, false, &v[i++]))
			return false;
	}
	*lock = (struct conform_lock){ (u8)v[0], v[1], (u16)v[2] };
	return true;
}

static bool take_pl(struct conform_line *line, const struct node *n, struct conform_record *r,
		    GError **error)
{
	GArray *locks = line->memory->locks;
	u32 first = locks->len, i = 0;

	if (n->type != NODE_LIST)
		return fail(error, "\"pl\" is no list");
	g_array_set_size(locks, first + n->in);	/* there is room: nothing moves */
	r->has_pl = true;
	r->npl = n->in;
	r->pl = &g_array_index(locks, struct conform_lock, first);
	json_each(e, &line->memory->tree, n) {
		if (!take_lock(&line->memory->tree, e, &r->pl[i++]))
			return fail(error, "an element of \"pl\" is no [size, hpa, raw]");
	}
	return true;
}

static bool take_field(struct conform_line *line, const struct node *n, u8 context,
		       struct conform_record *r, GError **error)
{
	const char *key = n->key;
	int f;

	if (context == IN_FINAL && !strcmp(key, "tree"))
		key = "tree_after";
	if (!strcmp(key, "pl") && (context & (IN_OP | IN_FINAL)))
		return take_pl(line, n, r, error);
	f = find(line->memory, key, context);
	if (f < 0)
		return fail(error, "unknown field \"%s\" in %s", key,
			    context_names[__builtin_ctz(context)]);
	if (f < CT_TEXTS) {
		if (n->type != NODE_TEXT)
			return fail(error, "\"%s\" is no text", key);
		r->t[f] = n->text;
		return true;
	}
	f -= CT_TEXTS;
	if (f < CL_LISTS)
		return take_list(&line->memory->tree, n, f, r, error);
	f -= CL_LISTS;
	if (!number_of(n, f == CF_TD, &r->n[f]))
		return fail(error, "\"%s\" is no number", key);
	r->has |= 1ull << f;
	return true;
}

static bool take_record(struct conform_line *line, const struct node *n, u8 context,
			struct conform_record *r, GError **error)
{
	*r = (struct conform_record){ 0 };
	if (n->type != NODE_MAP)
		return fail(error, "\"%s\" is no object", n->key ? n->key : "ops");
	json_each(f, &line->memory->tree, n) {
		if (!take_field(line, f, context, r, error))
			return false;
	}
	if (context == IN_OP && !r->t[CT_OP])
		return fail(error, "an operation without \"op\"");
	if (context == IN_OP)
		r->call = call_of(line->memory, r->t[CT_OP]);
	return true;
}

static bool take_ops(struct conform_line *line, const struct node *n, GError **error)
{
	u32 i = 0;

	if (n->type != NODE_LIST)
		return fail(error, "\"ops\" is no list");
	g_array_set_size(line->ops, n->in);
	json_each(op, &line->memory->tree, n) {
		if (!take_record(line, op, IN_OP,
				 &g_array_index(line->ops, struct conform_record, i), error)) {
			g_prefix_error(error, "op %u: ", i);
			return false;
		}
		i++;
	}
	return true;
}

static const struct node *child(const struct conform_line *line, const char *key)
{
	const struct json_tree *t = &line->memory->tree;

	json_each(c, t, json_node(t, 1)) {
		if (!strcmp(c->key, key))
			return c;
	}
	return NULL;
}

static bool known_keys(const struct conform_line *line, const char *const *keys, GError **error)
{
	const struct json_tree *t = &line->memory->tree;

	json_each(c, t, json_node(t, 1)) {
		if (!g_strv_contains(keys, c->key))
			return fail(error, "unknown field \"%s\" of a line", c->key);
	}
	for (; *keys; keys++) {
		if (!child(line, *keys))
			return fail(error, "\"%s\" is missing", *keys);
	}
	return true;
}

static bool take_interleaving(struct conform_line *line, GError **error)
{
	static const char *const keys[] = {
		"id", "setup", "A", "B", "pause", "A_res", "B_res", "entry", "final", NULL,
	};
	const struct {
		const char *key;
		u8 context;
		struct conform_record *to;
	} parts[] = {
		{ "A", IN_OP, &line->a },
		{ "B", IN_OP, &line->b },
		{ "pause", IN_PAUSE, &line->pause },
		{ "A_res", IN_RES, &line->a_res },
		{ "B_res", IN_RES, &line->b_res },
		{ "entry", IN_ENTRY, &line->entry },
		{ "final", IN_FINAL, &line->final },
	};

	line->kind = CONFORM_INTERLEAVING;
	if (!known_keys(line, keys, error))
		return false;
	if (child(line, "setup")->type != NODE_TEXT)
		return fail(error, "\"setup\" is no text");
	line->setup = child(line, "setup")->text;
	for (u32 i = 0; i < G_N_ELEMENTS(parts); i++) {
		if (!take_record(line, child(line, parts[i].key), parts[i].context, parts[i].to,
				 error))
			return false;
	}
	if (!line->pause.t[CT_OBJ] || !line->pause.t[CT_ACT] || !line->pause.t[CT_CODE])
		return fail(error, "a pause without \"obj\", \"act\" or \"src\"");
	return number_of(child(line, "id"), false, &line->id) || fail(error, "\"id\" is no number");
}

static bool take_setup(struct conform_line *line, GError **error)
{
	static const char *const keys[] = { "setup", "ops", "op_state", NULL };

	line->kind = CONFORM_SETUP;
	if (!known_keys(line, keys, error))
		return false;
	if (child(line, "setup")->type != NODE_TEXT)
		return fail(error, "\"setup\" is no text");
	line->setup = child(line, "setup")->text;
	if (!number_of(child(line, "op_state"), false, &line->init.n[CF_OP_STATE]))
		return fail(error, "\"op_state\" is no number");
	line->init.n[CF_PVD] = 1;
	line->init.has = 1ull << CF_OP_STATE | 1ull << CF_PVD;
	return take_ops(line, child(line, "ops"), error);
}

static bool take_sequence(struct conform_line *line, GError **error)
{
	static const char *const keys[] = { "id", "init", "ops", NULL };

	line->kind = CONFORM_SEQUENCE;
	return known_keys(line, keys, error) &&
	       (number_of(child(line, "id"), false, &line->id) ||
		fail(error, "\"id\" is no number")) &&
	       take_record(line, child(line, "init"), IN_INIT, &line->init, error) &&
	       take_ops(line, child(line, "ops"), error);
}

static bool take_line(struct conform_line *line, GError **error)
{
	if (child(line, "pause"))
		return take_interleaving(line, error);
	if (child(line, "setup"))
		return take_setup(line, error);
	return take_sequence(line, error);
}

bool conform_line_read(struct conform_line *line, const char *text, size_t len, GError **error)
{
	struct conform_memory *m = line->memory;

	if (!json_tree_grow(&m->tree, text, len, error))
		return false;
	line->init = (struct conform_record){ 0 };
	line->setup = NULL;
	/* No more locks than nodes: what a record points to stays where it is */
	g_array_set_size(m->locks, m->tree.nodes->len);
	g_array_set_size(m->locks, 0);
	return take_line(line, error);
}

struct conform_line *conform_line_new(void)
{
	struct conform_line *line = g_new0(struct conform_line, 1);

	line->ops = g_array_new(FALSE, FALSE, sizeof(struct conform_record));
	line->memory = g_new0(struct conform_memory, 1);
	line->memory->locks = g_array_new(FALSE, FALSE, sizeof(struct conform_lock));
	json_tree_init(&line->memory->tree);
	names_fill(line->memory);
	calls_fill(line->memory);
	return line;
}

void conform_line_free(struct conform_line *line)
{
	if (!line)
		return;
	g_array_unref(line->ops);
	g_array_unref(line->memory->locks);
	json_tree_fini(&line->memory->tree);
	g_free(line->memory);
	g_free(line);
}
