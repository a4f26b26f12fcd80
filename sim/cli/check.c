// SPDX-License-Identifier: GPL-2.0-only
/*
 * `septsim check FILE...`: every error of every file, in one go; the exit status is 2 if
 * there is one. Rests on docs/language.md, "Errors".
 */
#include "sim/cli/check.h"

#include "scenarios/diag.h"

#define EXIT_INPUT	2

static void put_string(FILE *out, const char *s)
{
	if (!s) {
		fputs("null", out);
		return;
	}
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if ((unsigned char)*s < 0x20)
			fprintf(out, "\\u%04x", *s);
		else
			fputc(*s, out);
	}
	fputc('"', out);
}

/* -D, read by GLib from the command line, may be no UTF-8: JSON must be. */
static void put_text(FILE *out, const char *s)
{
	char *valid = s ? g_utf8_make_valid(s, -1) : NULL;

	put_string(out, valid);
	g_free(valid);
}

static void put_error(FILE *out, const struct diag *d, unsigned int i)
{
	struct diag_entry e;

	diag_at(d, i, &e);
	fprintf(out, "%s\n        {\"line\": %u, \"column\": %u, \"end\": %u, \"text\": ",
		i ? "," : "", e.line, e.col, e.end);
	put_text(out, e.text);
	fputs(", \"hint\": ", out);
	put_text(out, e.hint);
	fputs("}", out);
}

static void put_file(FILE *out, const char *file, const struct scenario *sc,
		     const struct diag *d, gboolean first)
{
	unsigned int i;

	fprintf(out, "%s\n    {\"file\": ", first ? "" : ",");
	put_text(out, file);
	fputs(",\n      \"cases\": [", out);
	for (i = 0; sc && i < sc->cases->len; i++) {
		const struct scenario_case *c = g_ptr_array_index(sc->cases, i);

		fputs(i ? ", " : "", out);
		put_text(out, c->name);
	}
	fputs("],\n      \"errors\": [", out);
	for (i = 0; i < diag_count(d); i++)
		put_error(out, d, i);
	fputs("]}", out);
}

static gboolean check_one(const struct check_options *o, const char *file, gboolean first,
			  FILE *out, FILE *err)
{
	struct diag *d = diag_new();
	struct scenario *sc = scenario_parse_file(file, o->defines, o->vocab, d);
	gboolean right = sc != NULL;

	if (o->json)
		put_file(out, file, sc, d, first);
	else if (!right)
		diag_print(d, err);
	else if (!o->quiet)
		fprintf(out, "%s: %u case%s\n", file, sc->cases->len,
			sc->cases->len == 1 ? "" : "s");
	scenario_free(sc);
	diag_free(d);
	return right;
}

int check_files(const struct check_options *o, const char *const *files, unsigned int n,
		FILE *out, FILE *err)
{
	gboolean right = TRUE;
	unsigned int i;

	if (o->json)
		fputs("{\n  \"schema\": 1,\n  \"command\": \"check\",\n  \"files\": [", out);
	for (i = 0; i < n; i++)
		right &= check_one(o, files[i], !i, out, err);
	if (o->json)
		fprintf(out, "\n  ],\n  \"exit\": %d\n}\n", right ? 0 : EXIT_INPUT);
	return right ? 0 : EXIT_INPUT;
}
