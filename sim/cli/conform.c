// SPDX-License-Identifier: GPL-2.0-only
/*
 * septsim conform: recorded vectors against the model: totals, every difference, and loudly
 * what was not run. Rests on docs/conform.md.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scenarios/conform_files.h"
#include "sim/cli/cli.h"
#include "tdxmod/versions.h"

#define RECORDED	TDX_VERSION_RECORDED

static void put_difference(const struct conform_found *d, FILE *out)
{
	fprintf(out, "%s:%u: ", d->file, d->line);
	if (d->op >= 0)
		fprintf(out, "op %d ", d->op);
	fprintf(out, "%s: %s: expected %s, got %s\n", d->flow, d->field, d->expected, d->got);
	if (*d->source)
		fprintf(out, "    paused at %s\n", d->source);
}

static void put_left(const struct conform_left *l, FILE *out)
{
	fprintf(out, "%s:%u: %s %s: %u operation%s from it on not run (%s)\n", l->file, l->line,
		l->missing ? "NOT MODELLED:" : "cannot run", l->flow, l->ops,
		l->ops == 1 ? "" : "s", l->why);
}

static void put_elsewhere(const struct conform_elsewhere *e, FILE *out)
{
	fprintf(out, "%s: %u rows not run here: they take more than a row to check, which the unit "
		"tests do (./dev test --suite tdxmod)\n", e->file, e->rows);
}

static void put_totals(const struct conform_report *r, FILE *out)
{
	const char *flow = "";

	for (guint i = 0; i < r->totals->len; i++) {
		const struct conform_total *t = r->totals->pdata[i];

		if (strcmp(flow, t->flow))
			fprintf(out, "%s\n", t->flow);
		flow = t->flow;
		fprintf(out, "  %-52s %7llu", t->result, (unsigned long long)t->ran);
		if (t->ran != t->agreed)
			fprintf(out, "  %llu differ", (unsigned long long)(t->ran - t->agreed));
		fputc('\n', out);
	}
}

static u64 left_ops(const struct conform_report *r, bool missing)
{
	u64 n = 0;

	for (guint i = 0; i < r->left->len; i++) {
		const struct conform_left *l = r->left->pdata[i];

		n += l->missing == missing ? l->ops : 0;
	}
	return n;
}

static void put_report(const struct conform_report *r, const char *tdx, bool quiet, FILE *out)
{
	u64 missing = left_ops(r, true), left = left_ops(r, false);

	if (!quiet)
		put_totals(r, out);
	for (guint i = 0; i < r->found->len; i++)
		put_difference(r->found->pdata[i], out);
	for (guint i = 0; i < r->left->len; i++)
		put_left(r->left->pdata[i], out);
	for (guint i = 0; i < r->elsewhere->len; i++)
		put_elsewhere(r->elsewhere->pdata[i], out);
	fprintf(out, "%llu sequences, %llu interleavings, %llu rows: %llu results, %llu agree, "
		"%u differences\n", (unsigned long long)r->sequences,
		(unsigned long long)r->interleavings, (unsigned long long)r->rows,
		(unsigned long long)r->ran, (unsigned long long)r->agreed, r->found->len);
	if (missing)
		fprintf(out, "NOT MODELLED: %llu operations were not run because the model has no "
			"such flow\n", (unsigned long long)missing);
	if (left)
		fprintf(out, "%llu operations could not be run after a difference\n",
			(unsigned long long)left);
	if (tdx && strcmp(tdx, RECORDED))
		fprintf(out, "the model was TDX %s: differences are expected where it differs from "
			"%s\n", tdx, RECORDED);
	fprintf(out, "compared with TDX_%s source as recorded, with the stubs of the recording "
		"(docs/conform.md)\n", RECORDED);
}

static void put_errors(const struct conform_report *r, FILE *err)
{
	for (guint i = 0; i < r->errors->len; i++) {
		const struct conform_error *e = r->errors->pdata[i];

		if (e->line)
			fprintf(err, "%s:%u: error: %s\n", e->file, e->line, e->text);
		else
			fprintf(err, "%s: error: %s\n", e->file, e->text);
	}
}

/* JSON */

static void put_string(FILE *out, const char *key, const char *s)
{
	char *valid = g_utf8_make_valid(s, -1);

	fprintf(out, "\"%s\": \"", key);
	for (const unsigned char *c = (const unsigned char *)valid; *c; c++) {
		if (*c == '"' || *c == '\\')
			fprintf(out, "\\%c", *c);
		else if (*c < 0x20)
			fprintf(out, "\\u%04x", *c);
		else
			fputc(*c, out);
	}
	fputc('"', out);
	g_free(valid);
}

static void json_totals(const struct conform_report *r, FILE *out)
{
	fputs(",\n  \"totals\": [", out);
	for (guint i = 0; i < r->totals->len; i++) {
		const struct conform_total *t = r->totals->pdata[i];

		fprintf(out, "%s\n    {", i ? "," : "");
		put_string(out, "flow", t->flow);
		fputs(", ", out);
		put_string(out, "result", t->result);
		fprintf(out, ", \"ran\": %llu, \"agreed\": %llu}", (unsigned long long)t->ran,
			(unsigned long long)t->agreed);
	}
	fputs("\n  ]", out);
}

static void json_place(FILE *out, guint i, const char *file, u32 line)
{
	fprintf(out, "%s\n    {", i ? "," : "");
	put_string(out, "file", file);
	fprintf(out, ", \"line\": %u, ", line);
}

static void json_differences(const struct conform_report *r, FILE *out)
{
	fputs(",\n  \"differences\": [", out);
	for (guint i = 0; i < r->found->len; i++) {
		const struct conform_found *d = r->found->pdata[i];

		json_place(out, i, d->file, d->line);
		if (d->op >= 0)
			fprintf(out, "\"op\": %d, ", d->op);
		put_string(out, "flow", d->flow);
		fputs(", ", out);
		put_string(out, "field", d->field);
		fputs(", ", out);
		put_string(out, "expected", d->expected);
		fputs(", ", out);
		put_string(out, "got", d->got);
		if (*d->source) {
			fputs(", ", out);
			put_string(out, "source", d->source);
		}
		fputc('}', out);
	}
	fputs("\n  ]", out);
}

static void json_left(const struct conform_report *r, FILE *out)
{
	fputs(",\n  \"not_run\": [", out);
	for (guint i = 0; i < r->left->len; i++) {
		const struct conform_left *l = r->left->pdata[i];

		json_place(out, i, l->file, l->line);
		fprintf(out, "\"ops\": %u, \"not_modelled\": %s, ", l->ops,
			l->missing ? "true" : "false");
		put_string(out, "flow", l->flow);
		fputs(", ", out);
		put_string(out, "why", l->why);
		fputc('}', out);
	}
	fputs("\n  ]", out);
}

static void json_elsewhere(const struct conform_report *r, FILE *out)
{
	fputs(",\n  \"elsewhere\": [", out);
	for (guint i = 0; i < r->elsewhere->len; i++) {
		const struct conform_elsewhere *e = r->elsewhere->pdata[i];

		fprintf(out, "%s\n    {", i ? "," : "");
		put_string(out, "file", e->file);
		fprintf(out, ", \"rows\": %u}", e->rows);
	}
	fputs("\n  ]", out);
}

static void json_errors(const struct conform_report *r, FILE *out)
{
	fputs(",\n  \"errors\": [", out);
	for (guint i = 0; i < r->errors->len; i++) {
		const struct conform_error *e = r->errors->pdata[i];

		json_place(out, i, e->file, e->line);
		put_string(out, "text", e->text);
		fputc('}', out);
	}
	fputs("\n  ]", out);
}

static void put_json(const struct conform_report *r, const char *tdx, int code, FILE *out)
{
	fprintf(out, "{\n  \"schema\": 1,\n  \"command\": \"conform\",\n  ");
	put_string(out, "tdx", tdx ? tdx : RECORDED);
	fprintf(out, ",\n  \"sequences\": %llu,\n"
		"  \"interleavings\": %llu,\n  \"rows\": %llu,\n  \"results\": %llu,\n"
		"  \"agreed\": %llu", (unsigned long long)r->sequences,
		(unsigned long long)r->interleavings, (unsigned long long)r->rows,
		(unsigned long long)r->ran, (unsigned long long)r->agreed);
	json_totals(r, out);
	json_differences(r, out);
	json_left(r, out);
	json_elsewhere(r, out);
	json_errors(r, out);
	fprintf(out, ",\n  \"exit\": %d\n}\n", code);
}

static int code_of(const struct conform_report *r)
{
	if (r->crashed)
		return EXIT_FAULT;
	if (r->errors->len)
		return EXIT_INPUT;
	if (r->found->len || r->left->len)
		return EXIT_NOT_EXPECTED;
	return EXIT_AS_EXPECTED;
}

int cmd_conform(int argc, char **argv)
{
	int jobs = 0, code;
	const GOptionEntry extra[] = {
		{ "jobs", 'j', 0, G_OPTION_ARG_INT, &jobs, "Processes (one a processor)", "N" },
		{ NULL }
	};
	struct conform_report *r;
	struct cli cli;

	if (!cli_parse(&cli, &argc, &argv, "FILE...",
		       "septsim conform tests/vectors/*_vectors.jsonl",
		       "Runs recorded vectors (JSON lines, truth tables) against the model of the "
		       "module.\nExit status: 0 all agree, 1 differences, 2 a file cannot be read "
		       "or a line not understood.", extra, &code))
		return code;
	if (argc < 2)
		return cli_fail("conform wants a FILE; `septsim conform --help`");
	if (jobs < 0)
		return cli_fail("--jobs is 1 or more");
	r = conform_files((const char *const *)argv + 1, (u32)argc - 1, cli.tdx, (u32)jobs,
			  isatty(STDERR_FILENO) && !cli.look.quiet, NULL);
	code = code_of(r);
	if (cli.json)
		put_json(r, cli.tdx, code, stdout);
	else
		put_report(r, cli.tdx, cli.look.quiet, stdout);
	fflush(stdout);
	put_errors(r, stderr);
	conform_report_free(r);
	cli_free(&cli);
	return code;
}
