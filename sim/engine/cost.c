// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost table: built-in rows, a CSV file put over them, single values put over both.
 * Rests on sim/engine/costs.csv, of which gen_costs.py makes the built-in table.
 * Everything is in integers: a decimal is read as thousandths.
 */
#include "sim/engine/cost.h"

#include <string.h>

#define COST_WANT_ROWS
#include "sim/engine/costs_table.h"

/* Not G_DEFINE_QUARK: that keeps a writable static, which the engine has none of. */
GQuark cost_error_quark(void)
{
	return g_quark_from_static_string("cost-error");
}

/* Cycles a nanosecond of the reference clock. */
#define CYCLES_PER_NS 3

enum column {
	COL_KEY,
	COL_UNIT,
	COL_LOW,
	COL_TYPICAL,
	COL_HIGH,
	COL_CHARGED, /* the only one that a file may leave out */
	COL_NR,
};

static const char *const column_name[COL_NR] = {
	[COL_KEY] = "key",
	[COL_UNIT] = "unit",
	[COL_LOW] = "value_low",
	[COL_TYPICAL] = "value_typical",
	[COL_HIGH] = "value_high",
	[COL_CHARGED] = "charged",
};

static const char *const level_name[COST_LEVELS] = { "low", "typical", "high" };

/* One line of a CSV file, split: text is owned, at is its column in the file from 1. */
struct field {
	char *text;
	unsigned int at;
};

/* What is being read: where it stands, for messages, and which field is which column. */
struct reader {
	const char *path;
	unsigned int line;
	int index[COL_NR]; /* -1: the file has no such column */
};

const struct cost_row *cost_row(enum cost_key key)
{
	return &cost_builtin[key];
}

const char *cost_confidence_name(enum cost_confidence c)
{
	static const char *const name[] = {
		[COST_MEASURED] = "measured, published", [COST_DERIVED] = "derived",
		[COST_ASSUMED] = "assumed",
	};

	return name[c];
}

bool cost_find(const char *name, enum cost_key *key)
{
	for (unsigned int i = 0; i < COST_NR; i++) {
		if (!strcmp(cost_builtin[i].key, name)) {
			*key = i;
			return true;
		}
	}
	return false;
}

bool cost_level_find(const char *name, enum cost_level *level)
{
	for (unsigned int i = 0; i < COST_LEVELS; i++) {
		if (!strcmp(level_name[i], name)) {
			*level = i;
			return true;
		}
	}
	return false;
}

/* Levenshtein distance; a name beyond 63 bytes is nobody's typing error. */
static unsigned int distance(const char *a, const char *b)
{
	size_t len = strlen(b);
	unsigned int row[64];

	if (len >= G_N_ELEMENTS(row))
		return G_MAXUINT;
	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		unsigned int diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			unsigned int swap = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = MIN(MIN(row[j], row[j - 1]) + 1, swap);
		}
	}
	return row[len];
}

const char *cost_nearest(const char *name)
{
	const char *best = cost_builtin[0].key;
	unsigned int least = G_MAXUINT;

	for (unsigned int i = 0; i < COST_NR; i++) {
		unsigned int d = distance(name, cost_builtin[i].key);

		if (d < least) {
			least = d;
			best = cost_builtin[i].key;
		}
	}
	return best;
}

void cost_init(struct cost_table *table)
{
	memset(table, 0, sizeof(*table));
	for (unsigned int i = 0; i < COST_NR; i++)
		memcpy(table->cycles[i], cost_builtin[i].cycles, sizeof(table->cycles[i]));
}

void cost_select(const struct cost_table *table, enum cost_level level, uint32_t out[COST_NR])
{
	for (unsigned int i = 0; i < COST_NR; i++)
		out[i] = table->cycles[i][level];
}

/*
 * "57", "8.1": digits with at most three decimals, times @factor, rounded half up.
 * False when it is not such a number or not 1..COST_MAX_CYCLES.
 */
static bool parse_cycles(const char *text, unsigned int factor, uint32_t *cycles)
{
	unsigned int decimals = 0, digits = 0;
	uint64_t milli = 0;
	bool point = false;

	for (const char *p = text; *p; p++) {
		if (*p == '.' && !point) {
			point = true;
			continue;
		}
		if (!g_ascii_isdigit(*p) || digits == 12 || decimals == 3)
			return false;
		milli = milli * 10 + (*p - '0');
		digits++;
		decimals += point;
	}
	if (!digits)
		return false;
	for (; decimals < 3; decimals++)
		milli *= 10;
	milli = (milli * factor + 500) / 1000;
	*cycles = milli;
	return milli >= 1 && milli <= COST_MAX_CYCLES;
}

static bool fail(const struct reader *r, unsigned int at, enum cost_error code, GError **error,
		 const char *format, ...) G_GNUC_PRINTF(5, 6);

static bool fail(const struct reader *r, unsigned int at, enum cost_error code, GError **error,
		 const char *format, ...)
{
	g_autofree char *what = NULL;
	va_list args;

	va_start(args, format);
	what = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, COST_ERROR, code, "%s:%u:%u: error: %s", r->path, r->line, at, what);
	return false;
}

static void field_clear(gpointer data)
{
	struct field *f = data;

	g_free(f->text);
}

/* A field from @p on into @text; returns where it stopped, NULL for a quote left open. */
static const char *split_field(const char *p, GString *text)
{
	if (*p != '"') {
		for (; *p && *p != ','; p++)
			g_string_append_c(text, *p);
		return p;
	}
	for (p++; *p; p++) {
		if (*p == '"' && *++p != '"')
			return p;
		g_string_append_c(text, *p);
	}
	return NULL;
}

/* Split @line (RFC 4180, without line breaks inside quotes) into @fields. */
static bool split_line(const struct reader *r, const char *line, GArray *fields, GError **error)
{
	const char *p = line;

	g_array_set_size(fields, 0);
	for (;;) {
		GString *text = g_string_new(NULL);
		const char *end = split_field(p, text);
		struct field f = { g_string_free(text, FALSE), p - line + 1 };

		g_array_append_val(fields, f);
		if (!end)
			return fail(r, f.at, COST_ERROR_PARSE, error, "a quote is not closed");
		if (!*end)
			return true;
		if (*end != ',')
			return fail(r, end - line + 1, COST_ERROR_PARSE, error,
				    "expected a comma after the closing quote");
		p = end + 1;
	}
}

static bool read_header(struct reader *r, const GArray *fields, GError **error)
{
	for (unsigned int c = 0; c < COL_NR; c++) {
		r->index[c] = -1;
		for (unsigned int i = 0; i < fields->len; i++) {
			if (!strcmp(g_array_index(fields, struct field, i).text, column_name[c]))
				r->index[c] = i;
		}
		if (r->index[c] < 0 && c != COL_CHARGED)
			return fail(r, 1, COST_ERROR_PARSE, error, "no column \"%s\"",
				    column_name[c]);
	}
	return true;
}

/* The field of column @c; a row that is too short gives an empty one. */
static struct field field_of(const struct reader *r, const GArray *fields, enum column c)
{
	int i = r->index[c];

	if (i < 0 || (unsigned int)i >= fields->len)
		return (struct field){ (char *)"", 1 };
	return g_array_index(fields, struct field, i);
}

static bool read_row(struct reader *r, const GArray *fields, struct cost_table *table,
		     GError **error)
{
	struct field name = field_of(r, fields, COL_KEY);
	struct field unit = field_of(r, fields, COL_UNIT);
	struct field charged = field_of(r, fields, COL_CHARGED);
	uint32_t cycles[COST_LEVELS];
	unsigned int factor;
	enum cost_key key;

	if (!cost_find(name.text, &key))
		return fail(r, name.at, COST_ERROR_UNKNOWN_KEY, error,
			    "unknown cost \"%s\"; did you mean \"%s\"?", name.text,
			    cost_nearest(name.text));
	if (!strcmp(unit.text, "cycles"))
		factor = 1;
	else if (!strcmp(unit.text, "ns"))
		factor = CYCLES_PER_NS;
	else
		return fail(r, unit.at, COST_ERROR_PARSE, error,
			    "unit \"%s\" is neither cycles nor ns", unit.text);
	if (r->index[COL_CHARGED] >= 0 &&
	    strcmp(charged.text, cost_builtin[key].charged ? "yes" : "no"))
		return fail(r, charged.at, COST_ERROR_VALUE, error,
			    "charged is \"%s\", but what is charged is not for a file to say",
			    charged.text);
	for (unsigned int l = 0; l < COST_LEVELS; l++) {
		struct field value = field_of(r, fields, COL_LOW + l);

		if (!parse_cycles(value.text, factor, &cycles[l]))
			return fail(r, value.at, COST_ERROR_VALUE, error,
				    "%s \"%s\" is not a number of 1..%u cycles",
				    column_name[COL_LOW + l], value.text, COST_MAX_CYCLES);
		if (l && cycles[l] < cycles[l - 1])
			return fail(r, value.at, COST_ERROR_VALUE, error, "%s is below %s",
				    column_name[COL_LOW + l], column_name[COL_LOW + l - 1]);
	}
	memcpy(table->cycles[key], cycles, sizeof(cycles));
	table->changed[key] = true;
	return true;
}

static bool read_lines(struct reader *r, char **lines, struct cost_table *table, GError **error)
{
	g_autoptr(GArray) fields = g_array_new(FALSE, FALSE, sizeof(struct field));
	bool header = false;

	g_array_set_clear_func(fields, field_clear);
	for (; *lines; lines++) {
		r->line++;
		g_strchomp(*lines);
		if (!**lines || **lines == '#')
			continue;
		if (!split_line(r, *lines, fields, error))
			return false;
		if (!header && !read_header(r, fields, error))
			return false;
		if (header && !read_row(r, fields, table, error))
			return false;
		header = true;
	}
	r->line = MAX(r->line, 1);
	return header || fail(r, 1, COST_ERROR_PARSE, error, "no line names the columns");
}

bool cost_load_csv(struct cost_table *table, const char *path, GError **error)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	struct reader r = { .path = path };
	struct cost_table next = *table;

	if (!g_file_get_contents(path, &text, NULL, error))
		return false; /* the message names the file and the reason */
	lines = g_strsplit(text, "\n", -1);
	if (!read_lines(&r, lines, &next, error))
		return false;
	*table = next;
	return true;
}

bool cost_set(struct cost_table *table, const char *assignment, GError **error)
{
	const char *equal = strchr(assignment, '=');
	g_autofree char *name = equal ? g_strndup(assignment, equal - assignment) : NULL;
	g_autofree char *value = equal ? g_strdup(equal + 1) : NULL;
	unsigned int factor = 1;
	enum cost_level level;
	enum cost_key key;
	uint32_t cycles;

	if (!equal) {
		g_set_error(error, COST_ERROR, COST_ERROR_PARSE, "\"%s\" is not KEY=N", assignment);
		return false;
	}
	if (!cost_find(name, &key)) {
		g_set_error(error, COST_ERROR, COST_ERROR_UNKNOWN_KEY,
			    "unknown cost \"%s\"; did you mean \"%s\"?", name, cost_nearest(name));
		return false;
	}
	if (!cost_builtin[key].charged) {
		g_set_error(error, COST_ERROR, COST_ERROR_VALUE,
			    "cost \"%s\" is made of others and never charged", name);
		return false;
	}
	if (g_str_has_suffix(value, "ns")) {
		value[strlen(value) - 2] = '\0';
		factor = CYCLES_PER_NS;
	}
	if (cost_level_find(equal + 1, &level)) {
		cycles = table->cycles[key][level];
	} else if (!parse_cycles(value, factor, &cycles)) {
		g_set_error(error, COST_ERROR, COST_ERROR_VALUE,
			    "cost \"%s\": \"%s\" is neither low, typical, high nor 1..%u cycles",
			    name, equal + 1, COST_MAX_CYCLES);
		return false;
	}
	for (unsigned int l = 0; l < COST_LEVELS; l++)
		table->cycles[key][l] = cycles;
	table->changed[key] = true;
	return true;
}
