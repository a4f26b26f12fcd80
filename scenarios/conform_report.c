// SPDX-License-Identifier: GPL-2.0-only
/*
 * The report of recorded vectors: put together from the records that workers write, one a
 * line, its parts apart by tabs. Rests on docs/conform.md.
 */
#include "scenarios/conform_files.h"

#include <stdlib.h>
#include <string.h>

enum { PARTS = 8 };

void conform_report_error(struct conform_report *r, const char *path, u32 line, const char *text)
{
	struct conform_error *e = g_new0(struct conform_error, 1);

	e->file = g_strdup(path);
	e->line = line;
	e->text = g_strdup(text);
	g_ptr_array_add(r->errors, e);
}

void conform_report_elsewhere(struct conform_report *r, const char *path, u32 rows)
{
	struct conform_elsewhere *e = g_new0(struct conform_elsewhere, 1);

	e->file = g_strdup(path);
	e->rows = rows;
	g_ptr_array_add(r->elsewhere, e);
}

static void total_add(struct conform_report *r, char *const *part)
{
	struct conform_total *t = NULL;

	for (u32 i = 0; i < r->totals->len && !t; i++) {
		t = g_ptr_array_index(r->totals, i);
		if (strcmp(t->flow, part[3]) || strcmp(t->result, part[4]))
			t = NULL;
	}
	if (!t) {
		t = g_new0(struct conform_total, 1);
		t->flow = g_strdup(part[3]);
		t->result = g_strdup(part[4]);
		g_ptr_array_add(r->totals, t);
	}
	t->ran += g_ascii_strtoull(part[1], NULL, 10);
	t->agreed += g_ascii_strtoull(part[2], NULL, 10);
	r->ran += g_ascii_strtoull(part[1], NULL, 10);
	r->agreed += g_ascii_strtoull(part[2], NULL, 10);
}

static void difference_add(struct conform_report *r, const char *path, char *const *part)
{
	struct conform_found *d = g_new0(struct conform_found, 1);

	d->file = g_strdup(path);
	d->line = (u32)strtoul(part[1], NULL, 10);
	d->op = (s32)strtol(part[2], NULL, 10);
	d->flow = g_strcompress(part[3]);
	d->field = g_strcompress(part[4]);
	d->expected = g_strcompress(part[5]);
	d->got = g_strcompress(part[6]);
	d->source = g_strcompress(part[7]);
	g_ptr_array_add(r->found, d);
}

static void left_add(struct conform_report *r, const char *path, char *const *part)
{
	struct conform_left *l = g_new0(struct conform_left, 1);

	l->file = g_strdup(path);
	l->line = (u32)strtoul(part[1], NULL, 10);
	l->ops = (u32)strtoul(part[2], NULL, 10);
	l->missing = *part[3] == '1';
	l->flow = g_strcompress(part[4]);
	l->why = g_strcompress(part[5]);
	g_ptr_array_add(r->left, l);
}

void conform_report_take(struct conform_report *r, const char *path, const char *line)
{
	static const struct {
		char kind;
		u32 parts;
	} kinds[] = { { 'T', 5 }, { 'D', 8 }, { 'L', 6 }, { 'E', 3 } };
	char **part = g_strsplit(line, "\t", PARTS), *text;
	u32 n = g_strv_length(part);

	for (u32 i = 0; i < G_N_ELEMENTS(kinds); i++) {
		if (*part[0] != kinds[i].kind || n != kinds[i].parts)
			continue;
		switch (kinds[i].kind) {
		case 'T':
			total_add(r, part);
			break;
		case 'D':
			difference_add(r, path, part);
			break;
		case 'L':
			left_add(r, path, part);
			break;
		default:
			text = g_strcompress(part[2]);
			conform_report_error(r, path, (u32)strtoul(part[1], NULL, 10), text);
			g_free(text);
			break;
		}
	}
	g_strfreev(part);
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	const struct conform_total *x = *(struct conform_total *const *)a;
	const struct conform_total *y = *(struct conform_total *const *)b;
	int c = strcmp(x->flow, y->flow);

	return c ? c : strcmp(x->result, y->result);
}

static void found_free(gpointer p)
{
	struct conform_found *d = p;

	g_free(d->file);
	g_free(d->flow);
	g_free(d->field);
	g_free(d->expected);
	g_free(d->got);
	g_free(d->source);
	g_free(d);
}

void conform_total_free(struct conform_total *t)
{
	g_free(t->flow);
	g_free(t->result);
	g_free(t);
}

static void left_free(gpointer p)
{
	struct conform_left *l = p;

	g_free(l->file);
	g_free(l->flow);
	g_free(l->why);
	g_free(l);
}

static void elsewhere_free(gpointer p)
{
	struct conform_elsewhere *e = p;

	g_free(e->file);
	g_free(e);
}

static void error_free(gpointer p)
{
	struct conform_error *e = p;

	g_free(e->file);
	g_free(e->text);
	g_free(e);
}

struct conform_report *conform_report_new(void)
{
	struct conform_report *r = g_new0(struct conform_report, 1);

	r->totals = g_ptr_array_new_with_free_func((GDestroyNotify)conform_total_free);
	r->found = g_ptr_array_new_with_free_func(found_free);
	r->left = g_ptr_array_new_with_free_func(left_free);
	r->elsewhere = g_ptr_array_new_with_free_func(elsewhere_free);
	r->errors = g_ptr_array_new_with_free_func(error_free);
	return r;
}

void conform_report_sort(struct conform_report *r)
{
	g_ptr_array_sort(r->totals, by_name);
}

void conform_report_free(struct conform_report *r)
{
	g_ptr_array_unref(r->totals);
	g_ptr_array_unref(r->found);
	g_ptr_array_unref(r->left);
	g_ptr_array_unref(r->elsewhere);
	g_ptr_array_unref(r->errors);
	g_free(r);
}
