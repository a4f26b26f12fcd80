// SPDX-License-Identifier: GPL-2.0-only
/*
 * septsim explore: each case of each file, in every order of its steps, or in samples of them.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/cli/explore.h"
#include "sim/engine/rewind.h"

/* What rows cannot say as choices: only a search can follow those. */
static void write_way(const struct explored *e, const struct explored_violation *v,
		      const char *path)
{
	const struct play_result *r = e->res;
	char *name = g_strdup_printf("%s.way", path), *text;
	GError *err = NULL;

	text = g_strdup_printf("# Found by septsim %s explore in %s%s%s: %s%s%s\n"
			       "# septsim explore --replay THIS%s%s %s.scn\n%s\n", SEPTSIM_VERSION,
			       r->scenario, *r->case_name ? ", case " : "", r->case_name, v->id,
			       *v->where ? " " : "", v->where, *r->case_name ? " --case " : "",
			       r->case_name, r->scenario, v->choices);
	if (g_file_set_contents(name, text, -1, &err))
		fprintf(stderr, "septsim: %s is not written, as no rows lead to this %s in virtual time; "
			"its choices are in %s, for `explore --replay`\n", path, v->id, name);
	else
		fprintf(stderr, "septsim: %s: %s\n", name, err->message);
	g_clear_error(&err);
	g_free(name);
	g_free(text);
}

/* The first violation of all as a scenario. */
static void write_found(const struct explored *e, const char *path)
{
	static gboolean written;
	const struct explored_violation *v = e->violations->len ? e->violations->pdata[0] : NULL;
	GError *err = NULL;

	if (!path || !v || written)
		return;
	written = TRUE;
	if (!v->scenario && (e->tso || v->crash || !v->choices))
		fprintf(stderr, "septsim: %s is not written: no rows and no --replay lead to this %s%s; "
			"`--json` has its choices\n", path, v->id, e->tso ? " of store buffers" : "");
	else if (!v->scenario)
		write_way(e, v, path);
	else if (!g_file_set_contents(path, v->scenario, -1, &err))
		fprintf(stderr, "septsim: %s: %s\n", path, err->message);
	g_clear_error(&err);
}

/* What all cases share. */
struct session {
	struct cli cli;
	struct explore_request q;
	struct explore_asked asked;
	struct gauge *gauge;
	GPtrArray *all;			/* struct explored */
};

static void say(const struct session *s, const struct explored *e, gboolean first)
{
	const struct report_look *look = &s->cli.look;
	GString *out = g_string_new(NULL);

	if (first)
		report_title(e->res, look, out);
	report_explored(e, look, isatty(STDOUT_FILENO) || look->verbose, out);
	if (e->engine && s->asked.coverage)
		report_coverage(e, look, out);
	if (e->engine && s->asked.suggest)
		report_suggest(e, look, out);
	fwrite(out->str, 1, out->len, stdout);
	g_string_free(out, TRUE);
}

static int explore_case(struct session *s, const struct scenario *sc,
			const struct scenario_case *c, gboolean first)
{
	struct explored *e;
	char *identity;

	fflush(stdout);
	gauge_begin(s->gauge, &s->q, sc->name, c->name);
	s->q.ctx = s->gauge;
	s->q.progress = s->gauge ? gauge_show : NULL;
	s->q.engine.identity = identity = explore_identity(&s->cli, sc->path, c->name);
	e = scenario_explore(sc, c, &s->cli.play, &s->q);
	g_free(identity);
	gauge_end(s->gauge);
	g_ptr_array_add(s->all, e);
	write_found(e, s->asked.found);
	if (e->res->end == PLAY_REFUSED)
		fprintf(stderr, "%s\n", e->res->why);
	else if (!s->cli.json)
		say(s, e, first);
	for (guint i = 0; i < e->violations->len; i++)
		if (((struct explored_violation *)e->violations->pdata[i])->crash)
			return EXIT_FAULT;
	return worse(EXIT_AS_EXPECTED, e->res);
}

static int explore_file(struct session *s, const char *path)
{
	struct scenario *sc = cli_load(&s->cli, path);
	const char *only = s->asked.only;
	int code = EXIT_AS_EXPECTED;
	gboolean first = TRUE;

	if (!sc)
		return EXIT_INPUT;
	if ((s->q.engine.checkpoint || s->q.way) && !only && sc->cases->len > 1) {
		code = cli_fail("%s is of one case: give --case; %s has %u",
				s->q.way ? "a way" : "a checkpoint", path, sc->cases->len);
		scenario_free(sc);
		return code;
	}
	for (guint i = 0; i < sc->cases->len && !cli_interrupted(); i++) {
		const struct scenario_case *c = sc->cases->pdata[i];
		int one;

		if (only && strcmp(only, c->name))
			continue;
		one = explore_case(s, sc, c, first);
		code = MAX(code, one);
		first = FALSE;
	}
	if (first && !cli_interrupted())
		code = cli_fail("%s has no case \"%s\"", path, only);
	scenario_free(sc);
	return code;
}

static void finish(const struct session *s, gint64 since)
{
	GString *out = g_string_new(NULL);
	GPtrArray *results = g_ptr_array_new();

	for (guint i = 0; i < s->all->len; i++)
		g_ptr_array_add(results, ((struct explored *)s->all->pdata[i])->res);
	if (s->cli.json)
		report_explored_json(s->all, (g_get_monotonic_time() - since) * 1000, out);
	else if (s->all->len)
		report_summary(results, &s->cli.look, NULL, out);
	fwrite(out->str, 1, out->len, stdout);
	g_ptr_array_unref(results);
	g_string_free(out, TRUE);
}

/* Which files: those named; or a schedule to be replayed, which is a scenario of its own. */
static int check_files(const struct session *s, int argc)
{
	gboolean rows = s->q.replay && !s->q.way;

	if (rows && argc > 1)
		return cli_fail("--replay %s plays that scenario: give no other FILE (a file of choices, "
				"which has one, is not called *.scn)", s->asked.replay);
	if (!rows && argc < 2)
		return cli_fail("explore wants a FILE; `septsim explore --help`");
	if ((s->q.engine.checkpoint || s->q.way) && argc > 2)
		return cli_fail("%s is of one case: give one FILE", s->q.way ? "a way" : "a checkpoint");
	if (!rewind_possible())
		return cli_fail("this build has TSan in it, which does not follow a stack that is put "
				"back: explore wants another");
	/* Which merges are sampled hangs on keys; where they cannot be kept, so be it. */
	if ((s->q.engine.checkpoint || s->q.engine.verify_key) &&
	    !cli_keep_addresses(s->q.engine.checkpoint != NULL))
		return EXIT_INPUT;
	return EXIT_AS_EXPECTED;
}

static int explore_files(struct session *s, int argc, char **argv)
{
	gint64 since = g_get_monotonic_time();
	int code = check_files(s, argc), one;

	if (code)
		return code;
	cli_catch_interrupts();
	if (s->q.replay && !s->q.way)
		code = explore_file(s, s->asked.replay);
	for (int i = 1; i < argc && !cli_interrupted(); i++) {
		one = explore_file(s, argv[i]);
		code = MAX(code, one);
	}
	finish(s, since);
	return cli_interrupted() && code == EXIT_AS_EXPECTED ? EXIT_NOT_EXPECTED : code;
}

int cmd_explore(int argc, char **argv)
{
	struct session s = { .q = { .shrink = TRUE } };
	int code;

	if (!cli_parse(&s.cli, &argc, &argv, "FILE...",
		       "septsim explore --case freeze/read scenarios/races/a01-zap-map-desync.scn",
		       "Searches each case of each FILE: after its init lines its operations take\n"
		       "their steps in every order; the schedule is not followed. What breaks a rule is\n"
		       "made small and drawn.", explore_entries(), &code))
		return code;
	s.all = g_ptr_array_new_with_free_func((GDestroyNotify)explored_free);
	s.gauge = gauge_new();
	code = explore_take(&s.q, &s.asked, &s.cli) ? explore_files(&s, argc, argv) : EXIT_INPUT;
	gauge_free(s.gauge);
	way_free((struct way *)s.q.way);
	g_ptr_array_unref(s.all);
	cli_free(&s.cli);
	return code;
}
