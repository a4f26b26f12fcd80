// SPDX-License-Identifier: GPL-2.0-only
/*
 * The schedule: a table with a column for each actor and one non-empty cell a row. It is
 * read as tolerantly as a table from a mail needs: ragged, tabs, with or without rules
 * and outer bars. Rests on docs/language.md, "Schedule".
 */
#include <string.h>

#include "scenarios/parse.h"

/* A rule: ---- | ---- or ===== or +---+---+ */
static gboolean is_rule(const struct text *t)
{
	unsigned int i;
	gboolean line = FALSE;

	for (i = 0; i < t->len; i++) {
		if (!strchr("-=+|: \t", t->s[i]))
			return FALSE;
		line = line || t->s[i] == '-' || t->s[i] == '=';
	}
	return line;
}

/* STATUS|OPERAND is one condition: a bar between two words without blanks separates
 * nothing, except in the header, where nobody writes a status. */
static gboolean is_bar(const struct text *t, unsigned int at, gboolean header)
{
	gboolean left = at && (g_ascii_isalnum(t->s[at - 1]) || t->s[at - 1] == '_');
	gboolean right = at + 1 < t->len && g_ascii_isalnum(t->s[at + 1]);

	return t->s[at] == '|' && (header || !left || !right);
}

/* The pieces between bars, trimmed; empty ones too. */
static GPtrArray *split(struct parse *p, const struct text *t, gboolean header)
{
	GPtrArray *cells = pool_ptrs(p->pool);
	unsigned int at, from = 0;

	for (at = 0; at <= t->len; at++) {
		struct text *cell;

		if (at < t->len && !is_bar(t, at, header))
			continue;
		cell = pool_node(p->pool, struct text);
		*cell = text_trim(text_slice(t, from, at));
		g_ptr_array_add(cells, cell);
		from = at + 1;
	}
	return cells;
}

static const struct text *cell_text(GPtrArray *cells, unsigned int i)
{
	return g_ptr_array_index(cells, i);
}

/* The header's cells; *outer says whether the table has a bar at its left edge. */
static GPtrArray *header(struct parse *p, const struct section *sec, unsigned int *row,
			 gboolean *outer)
{
	GPtrArray *cells = NULL, *names = pool_ptrs(p->pool);
	unsigned int i, last;

	for (*row = 0; *row < sec->body->len; (*row)++) {
		const struct text *t = g_ptr_array_index(sec->body, *row);

		if (!is_rule(t)) {
			cells = split(p, t, TRUE);
			(*row)++;
			break;
		}
	}
	*outer = FALSE;
	if (!cells)
		return names;
	last = cells->len;
	*outer = cells->len > 1 && !cell_text(cells, 0)->len;
	if (last > 1 && !cell_text(cells, last - 1)->len)
		last--;
	for (i = *outer; i < last; i++)
		g_ptr_array_add(names, g_ptr_array_index(cells, i));
	return names;
}

GPtrArray *table_columns(struct parse *p, const struct section *sec)
{
	unsigned int row;
	gboolean outer;

	return header(p, sec, &row, &outer);
}

/* The column's actor; index -1 where the case drops it. */
static void add_column(struct parse *p, struct scn_schedule *s, const struct text *name)
{
	struct scn_actor_ref a = {
		.loc = text_loc(p, name), .name = text_str(p, name), .index = -1, .vcpu = -1,
	};
	const char *rest;
	unsigned int i;

	for (i = 0; i < s->columns->len; i++) {
		if (!strcmp(g_array_index(s->columns, struct scn_actor_ref, i).name, a.name))
			parse_error(p, name, NULL, "%s has two columns", a.name);
	}
	a.td = cast_td(p, a.name, &rest);
	a.vcpu = numbered(rest, "vCPU");
	a.index = cast_find(p, a.name);
	g_array_append_val(s->columns, a);
}

static void parse_row(struct parse *p, const struct text *t, struct scn_schedule *s,
		      gboolean outer)
{
	GPtrArray *cells = split(p, t, FALSE);
	const struct text *found = NULL;
	const struct scn_actor_ref *column = NULL;
	struct scn_cell *cell;
	struct text line;
	unsigned int i;

	for (i = 0; i < cells->len; i++) {
		const struct text *c = cell_text(cells, i);

		if (!c->len)
			continue;
		if (found) {
			parse_error(p, c, "give it a row of its own: rows are played in order",
				    "a second cell in one row");
			return;
		}
		found = c;
		if ((outer && !i) || i - outer >= s->columns->len) {
			parse_error(p, c, NULL, "no column above this cell");
			return;
		}
		column = &g_array_index(s->columns, struct scn_actor_ref, i - outer);
	}
	if (!found)
		return;
	if (text_writes_many(found)) {
		parse_error(p, found, "a row is one step of one actor",
			    "vCPU[...] cannot stand in a table");
		return;
	}
	if (!text_expand(p, found, &line) || column->index < 0)
		return;
	cell = parse_cell(p, &line, column->index);
	if (cell)
		g_ptr_array_add(s->rows, cell);
}

/* Columns of dropped actors are left out, and their rows with them. */
void parse_table(struct parse *p, const struct section *sec, struct scn_schedule *s)
{
	unsigned int row, i;
	gboolean outer;
	GPtrArray *names = header(p, sec, &row, &outer);

	s->loc = text_loc(p, &sec->word);
	s->loose = text_is(&sec->rest, "loose");
	if (sec->rest.len && !s->loose)
		parse_error(p, &sec->rest, "the table stands below, indented",
			    "only `loose` may follow schedule");
	if (!names->len) {
		parse_error(p, &sec->word, "first row: the actors, with | between them",
			    "the schedule is empty");
		return;
	}
	for (i = 0; i < names->len; i++)
		add_column(p, s, cell_text(names, i));
	for (; row < sec->body->len; row++) {
		const struct text *t = g_ptr_array_index(sec->body, row);

		if (!is_rule(t))
			parse_row(p, t, s, outer);
	}
	for (i = s->columns->len; i-- > 0;) {
		if (g_array_index(s->columns, struct scn_actor_ref, i).index < 0)
			g_array_remove_index(s->columns, i);
	}
}
