// SPDX-License-Identifier: GPL-2.0-only
/*
 * Searches of cases: what a search proves, what it finds, that what it writes replays.
 */
#include "tests/scenarios/play.h"

#include "scenarios/explorer.h"

static struct explored *explore_with(const char *text, struct explore_request req)
{
	static const struct play_options opt = { .cost_level = COST_TYPICAL };
	struct diag *d = diag_new();
	struct scenario *sc = scenario_parse_text("test.scn", text, strlen(text), NULL,
						  scenario_vocab_model(), d);
	struct explored *e;

	if (!sc)
		diag_print(d, stderr);
	assert_non_null(sc);
	e = scenario_explore(sc, sc->cases->pdata[0], &opt, &req);
	if (!e->res->as_expected)
		for (guint i = 0; i < e->res->expects->len; i++)
			print_message("expect %s: %s\n",
				      g_array_index(e->res->expects, struct play_expect, i).text,
				      g_array_index(e->res->expects, struct play_expect, i).saw);
	scenario_free(sc);
	diag_free(d);
	return e;
}

static struct explored *explore_text(const char *text)
{
	return explore_with(text, (struct explore_request){
		.engine = { .preemptions = -1, .verify_key = 60 }, .shrink = TRUE,
	});
}

static void as_expected(const char *text)
{
	struct explored *e = explore_text(text);

	assert_true(e->res->as_expected);
	explored_free(e);
}

static void not_as_expected(const char *text)
{
	struct explored *e = explore_text(text);

	assert_false(e->res->as_expected);
	explored_free(e);
}

#define TD "td vcpus=1 lps=4 memory=4M\nvariant kvm=v7.2 tdx=1.5.01\n"

/* ---- exclusion ---- */

#define MUTEX(name) "actor " name "\n    acquire WBT[0] retry=2\n    release WBT[0]\n"
#define BREAKER "actor breaker\n    compute 1\n    set WBT[0] = 0\n"

static void exclusion_fires(void **state)
{
	struct explored *e = explore_text(TD MUTEX("a") MUTEX("b") BREAKER
					  "tolerate module-fatal\n"
					  "expect explore violation exclusion within 100 executions\n");
	struct explored_violation *v;

	assert_true(e->res->as_expected);
	assert_int_equal(e->violations->len, 1);
	v = e->violations->pdata[0];
	assert_string_equal(v->id, "exclusion");
	assert_int_equal(v->switches, 0);	/* who has got it need not give it back */
	assert_int_equal(v->operations, 3);
	assert_non_null(strstr(v->text, "has got WBT, which"));
	explored_free(e);
}

static void exclusion_silent(void **state)
{
	as_expected(TD MUTEX("a") MUTEX("b") MUTEX("c") "expect explore proved ok\n");
}

/* Readers together are no two that exclude each other. */
static void exclusion_legal(void **state)
{
	as_expected(TD "actor a\n    acquire KOT shared\n    release KOT\n"
		    "actor b\n    acquire KOT shared\n    release KOT\n"
		    "expect explore proved ok\n");
}

/* ---- words ---- */

static void test_words(void **state)
{
	static const char two[] = TD MUTEX("a") MUTEX("b");
	struct explore_request few = { .engine = { .preemptions = 0 } };
	struct explore_request cut = { .engine = { .preemptions = -1, .states = 5 } };
	struct explore_request random = { .engine = { .driver = EXPLORE_RANDOM, .seed = 1,
						      .executions = 50 } };
	struct explored *e = explore_with(two, few);

	assert_int_equal(e->engine->word, EXPLORE_BOUNDED);
	assert_string_equal(e->engine->bounded_by, "preemptions");
	explored_free(e);
	e = explore_with(two, cut);
	assert_int_equal(e->engine->word, EXPLORE_BOUNDED);
	assert_string_equal(e->engine->bounded_by, "states");
	explored_free(e);
	e = explore_with(two, random);
	assert_int_equal(e->engine->word, EXPLORE_SAMPLED);
	assert_int_equal(e->engine->executions, 50);
	explored_free(e);
	/* What is not found is not as expected, nor is what is found and not expected. */
	not_as_expected(TD MUTEX("a") "expect explore violation exclusion\n");
	not_as_expected(TD MUTEX("a") MUTEX("b") BREAKER);
	/* An expect of one run is not judged, and does not make it wrong. */
	e = explore_text(TD MUTEX("a") "expect seen lock WBT[0] == 7\nexpect explore proved ok\n");
	assert_true(e->res->as_expected);
	assert_int_equal(g_array_index(e->res->expects, struct play_expect, 0).judged,
			 PLAY_NOT_JUDGED);
	explored_free(e);
}

/* ---- coverage ---- */

/* How "@a holds @lock, @b comes" went in a search of @text; NULL: they have no lock in common. */
static struct coverage_pair *met_in(const struct explored *e, const char *lock, const char *a,
				    const char *b)
{
	GArray *pairs = coverage_pairs(e->coverage);
	struct coverage_pair *found = NULL;

	for (guint i = 0; i < pairs->len; i++) {
		struct coverage_pair *p = &g_array_index(pairs, struct coverage_pair, i);

		if (!strcmp(p->a->lock, lock) && !strcmp(p->a->who, a) && !strcmp(p->b->who, b))
			found = g_memdup2(p, sizeof(*p));
	}
	g_array_unref(pairs);
	return found;
}

static void test_coverage(void **state)
{
	struct explored *e = explore_text(TD MUTEX("a") MUTEX("b") "expect explore proved ok\n");
	struct coverage_pair *p = met_in(e, "WBT", "acquire", "acquire");

	assert_non_null(p);
	assert_true(p->times[COVER_REFUSED] > 0);
	assert_int_equal(p->times[COVER_SHARED], 0);
	g_free(p);
	explored_free(e);

	/* Readers share; under a lock around them nobody meets. */
	e = explore_text(TD "actor a\n    acquire KOT shared\n    release KOT\n"
			 "actor b\n    acquire KOT shared\n    release KOT\n");
	p = met_in(e, "KOT", "acquire", "acquire");
	assert_true(p && p->times[COVER_SHARED] > 0 && !p->times[COVER_REFUSED]);
	g_free(p);
	explored_free(e);
	e = explore_text("variant kvm=v7.2 tdx=1.5.01\n"
			 "td vcpus=1 lps=2 memory=4M\ninit\n    vCPU0: fault 0x11\n"
			 "actor vCPU0\n    fault 0x10\nactor zapper\n    zap 0x10\n");
	p = met_in(e, "mmu_lock", "zap", "fault");
	assert_true(p && p->times[COVER_WAITED] > 0);
	g_free(p);
	p = met_in(e, "TDR", "TDH.MEM.TRACK", "TDH.MEM.PAGE.AUG");
	assert_true(p && !coverage_is_met(p));
	g_free(p);
	explored_free(e);
}

/* ---- KVM and the module ---- */

#define ZAP_RACE								\
	"td vcpus=1 lps=2 memory=4M\n"						\
	"init\n    vCPU0: fault 0x11\n"						\
	"actor vCPU0\n    fault 0x10\nactor zapper\n    zap 0x10\n"

static void test_proves(void **state)
{
	struct explored *e = explore_text("variant kvm=v7.2 tdx=1.5.01\n" ZAP_RACE
					  "expect explore proved ok\n");

	assert_true(e->res->as_expected);
	assert_true(e->engine->states > 5000);
	assert_true(e->engine->merges_verified > 100);
	explored_free(e);
}

/* The founding race from its operations alone, and its scenario leads there again. */
static void test_finds_and_replays(void **state)
{
	struct explored *e = explore_text("variant kvm=v7.2 tdx=1.5.01 no-freeze zap-under-read\n"
					  ZAP_RACE "tolerate kvm-bug lock-context\n"
					  "expect explore violation mirror-desync\n");
	struct explored_violation *v;

	assert_true(e->res->as_expected);
	v = e->violations->pdata[0];
	assert_string_equal(v->where, "0x10");
	assert_true(v->switches <= v->switches_found);
	assert_int_equal(v->switches, 1);
	assert_non_null(v->scenario);
	assert_ptr_equal(v->scenario, v->scn[0]);
	assert_as_expected(play_text(v->scenario));	/* the rows by events ... */
	assert_as_expected(play_text(v->scn[1]));	/* ... and by steps */
	assert_true(g_str_has_prefix(v->choices, "vCPU0*"));
	assert_true(v->drawn->events->len > 10);
	explored_free(e);
}

/* A vCPU that is emulated out of its guest for ever: a loop, not a long run. */
static void test_livelock(void **state)
{
	static const char text[] =
		"td vcpus=1 lps=2 memory=4M\nvariant kvm=v7.2 tdx=%s\n"
		"guest vCPU0\n    access 0x20\n"
		"init\n    vCPU0: fault 0x21\n    vCPU0: convert 0x20 shared\n"
		"    vCPU0: run memory-fault=retry times=7\n    vCPU0: convert 0x20 private\n"
		"actor vCPU0\n    run times=1\nexpect explore %s\n";
	char *bad = g_strdup_printf(text, "1.5.01", "violation livelock");
	char *good = g_strdup_printf(text, "1.5.34", "proved ok");
	struct explored *e = explore_text(bad);
	struct explored_violation *v = e->violations->pdata[0];

	assert_true(e->res->as_expected);
	assert_true(v->loops);
	assert_non_null(strchr(v->choices, '|'));
	assert_null(v->scenario);
	explored_free(e);
	as_expected(good);
	g_free(bad);
	g_free(good);
}

/* ---- smaller ---- */

static struct explored *explore_mix(const char *text)
{
	return explore_with(text, (struct explore_request){
		.engine = { .driver = EXPLORE_MIX, .preemptions = -1, .jobs = 1 }, .shrink = TRUE,
	});
}

/* What has no part in the race: two actors, a guest, and operations before and after. */
static void test_smaller(void **state)
{
	struct explored *e = explore_mix(
		"td vcpus=2 lps=5 memory=4M\n"
		"variant kvm=v7.2 tdx=1.5.01 no-freeze zap-under-read\n"
		"guest vCPU1\n    access 0x30\n    access 0x31\n"
		"init\n    vCPU0: fault 0x11\n"
		"actor vCPU0\n    compute 10\n    fault 0x10\n    fault 0x21\n"
		"actor zapper\n    kick\n    zap 0x10\n    kick\n"
		"actor bystander\n    kick\n"
		"actor other\n    acquire WBT[0]\n    release WBT[0]\n"
		"tolerate kvm-bug lock-context\nexpect violation mirror-desync 0x10\n");
	struct explored_violation *v = e->violations->pdata[0];

	assert_true(e->res->as_expected);
	assert_int_equal(v->actors_found, 5);
	assert_int_equal(v->operations_found, 12);
	assert_int_equal(v->actors, 2);
	assert_int_equal(v->operations, 2);
	assert_int_equal(v->switches, 1);
	assert_non_null(v->scenario);
	assert_non_null(strstr(v->scenario, "fault 0x10"));
	assert_null(strstr(v->scenario, "guest"));
	assert_null(strstr(v->scenario, "kick"));
	assert_null(strstr(v->scenario, "bystander"));
	assert_null(strstr(v->scenario, "0x21"));
	assert_as_expected(play_text(v->scenario));
	explored_free(e);
}

/* Each of these is wanted: an operation whose only part is what it leaves behind, too. */
static void test_no_smaller(void **state)
{
	struct explored *e = explore_mix(TD "actor a\n    acquire WBT[0]\n    compute 1\n"
					  "actor b\n    compute 1\n    set WBT[0] = 0\n"
					  "actor c\n    acquire WBT[0]\n"
					  "tolerate module-fatal\n"
					  "expect explore violation exclusion\n");
	struct explored_violation *v = e->violations->pdata[0];

	assert_true(e->res->as_expected);
	assert_int_equal(v->operations_found, 5);
	assert_int_equal(v->operations, 3);	/* but for what computes */
	assert_int_equal(v->actors, 3);
	assert_as_expected(play_text(v->scenario));
	explored_free(e);
}

/* ---- replayed ---- */

static struct explored *follow(const char *text, const char *choices)
{
	char *why = NULL;
	struct way *way = choices ? way_parse("test.way", choices, &why) : NULL;
	struct explored *e;

	assert_null(why);
	e = explore_with(text, (struct explore_request){
		.engine = { .preemptions = -1 }, .replay = TRUE, .way = way,
	});
	way_free(way);
	return e;
}

static void same_words(const struct explored_violation *a, const struct explored_violation *b)
{
	assert_string_equal(a->id, b->id);
	assert_string_equal(a->where, b->where);
	assert_string_equal(a->site, b->site);
	assert_string_equal(a->text, b->text);
	assert_int_equal(a->steps, b->steps);
	assert_int_equal(a->switches, b->switches);
	assert_string_equal(a->choices, b->choices);
}

/* What a search found, by its choices and by its rows: the same in every word. */
static void test_replay(void **state)
{
	static const char text[] = "variant kvm=v7.2 tdx=1.5.01 no-freeze zap-under-read\n" ZAP_RACE
		"tolerate kvm-bug lock-context\nexpect explore violation mirror-desync\n";
	struct explored *e = explore_text(text), *again;
	struct explored_violation *v = e->violations->pdata[0];

	again = follow(text, v->choices);
	assert_true(again->res->as_expected);
	assert_int_equal(again->engine->word, EXPLORE_REPLAYED);
	assert_int_equal(again->violations->len, 1);
	same_words(v, again->violations->pdata[0]);
	explored_free(again);
	for (guint i = 0; i < 2; i++) {
		again = follow(v->scn[i], NULL);
		assert_true(again->res->as_expected);
		assert_int_equal(again->violations->len, 1);
		same_words(v, again->violations->pdata[0]);
		explored_free(again);
	}
	/* The code is mended: the same way breaks nothing any more, or it does not fit. */
	again = follow("variant kvm=v7.2 tdx=1.5.01\n" ZAP_RACE "expect explore proved ok\n",
		       v->choices);
	assert_int_equal(again->violations->len, 0);
	assert_true(!again->engine || again->engine->word == EXPLORE_REPLAYED);
	explored_free(again);
	explored_free(e);
}

static void test_replay_loop(void **state)
{
	static const char text[] =
		"td vcpus=1 lps=2 memory=4M\nvariant kvm=v7.2 tdx=1.5.01\n"
		"guest vCPU0\n    access 0x20\n"
		"init\n    vCPU0: fault 0x21\n    vCPU0: convert 0x20 shared\n"
		"    vCPU0: run memory-fault=retry times=7\n    vCPU0: convert 0x20 private\n"
		"actor vCPU0\n    run times=1\nexpect explore violation livelock\n";
	struct explored *e = explore_text(text), *again;
	struct explored_violation *v = e->violations->pdata[0];
	char *choices = g_strdup(v->choices);

	again = follow(text, choices);
	assert_true(again->res->as_expected);
	same_words(v, again->violations->pdata[0]);
	explored_free(again);
	*strchr(choices, '|') = ' ';		/* as a way without a loop it breaks nothing */
	again = follow(text, choices);
	assert_false(again->res->as_expected);
	assert_int_equal(again->violations->len, 0);
	explored_free(again);
	g_free(choices);
	explored_free(e);
}

/* Where it does not fit: which word, after how much, and why. */
static void test_replay_misfit(void **state)
{
	static const struct {
		const char *choices, *why;
	} bad[] = {
		{ "a*2 nobody", "test.way:1:5: the way does not fit at `nobody`, after 2 steps: there is no "
		  "actor nobody" },
		{ "# one\n\n  a*90", "test.way:3:3: the way does not fit at `a`, after 2 steps: a has "
		  "nothing left to do" },
		{ "a:1 b", "an answer to something that is not chosen any more" },
		{ "a | b*2", "its loop of 2 steps does not lead back" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		struct explored *e = follow(TD MUTEX("a") MUTEX("b"), bad[i].choices);

		assert_false(e->res->as_expected);
		assert_null(e->engine);
		if (!e->res->why || !strstr(e->res->why, bad[i].why))
			print_message("%s: %s\n", bad[i].choices, e->res->why);
		assert_non_null(strstr(e->res->why, bad[i].why));
		explored_free(e);
	}
}

static void test_replay_rows_misfit(void **state)
{
	static const struct {
		const char *rows, *why;
	} bad[] = {
		{ "    a | b\n    acquire mmu_lock write |\n      | acquire mmu_lock read .. end\n",
		  "row 2 (line 7) `acquire mmu_lock read .. end`: b waits" },
		{ "    a\n    acquire WBT[0] .. writes KOT\n", "a ended before" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		char *text = g_strconcat(TD "init\nschedule\n", bad[i].rows, NULL);
		struct explored *e = follow(text, NULL);

		assert_false(e->res->as_expected);
		if (!e->res->why || !strstr(e->res->why, bad[i].why))
			print_message("%s: %s\n", bad[i].rows, e->res->why);
		assert_non_null(e->res->why);
		assert_non_null(strstr(e->res->why, bad[i].why));
		explored_free(e);
		g_free(text);
	}
}

static void test_way_words(void **state)
{
	static const char *const bad[] = {
		"", "# nothing\n", "a*0", "a*", "a*x", "a*-1", "a:", "a:1:", "a*3*4", "a*999999999999",
		"*3", "a |", "| a", "a | | b", ":1", "a:99999999",
	};
	char *why = NULL;
	struct way *w = way_parse("x", "a*3:1:0 vCPU0's stores*2 # b\n| c", &why);
	struct way_word *word;

	assert_non_null(w);
	assert_int_equal(w->words->len, 3);
	word = w->words->pdata[0];
	assert_string_equal(word->name, "a");
	assert_int_equal(word->times, 3);
	assert_int_equal(word->answers->len, 2);
	word = w->words->pdata[1];
	assert_string_equal(word->name, "vCPU0's stores");
	assert_int_equal(word->times, 2);
	word = w->words->pdata[2];
	assert_true(word->loops);
	assert_int_equal(word->line, 2);
	assert_int_equal(word->column, 3);
	way_free(w);
	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		why = NULL;
		w = way_parse("x", bad[i], &why);
		if (w)
			print_message("\"%s\" is taken\n", bad[i]);
		assert_null(w);
		assert_non_null(strstr(why, "x:"));
		g_free(why);
	}
}

/* ---- several violations ---- */

/* By check, by place, by function: each once, however often it was met. */
static void test_keep_going(void **state)
{
	struct explored *e = explore_with(
		"td vcpus=1 lps=5 memory=4M\nvariant kvm=v7.2 tdx=1.5.01\n"
		"actor a\n    acquire WBT[0] retry=2\n    release WBT[0]\n"
		"actor b\n    acquire WBT[0] retry=2\n    release WBT[0]\n"
		"actor c\n    acquire kvm_lock\n    acquire kvm_lock\n"
		BREAKER, (struct explore_request){
			.engine = { .preemptions = -1, .keep_going = true }, .shrink = TRUE,
		});
	guint exclusion = 0, order = 0, fatal = 0;

	for (guint i = 0; i < e->violations->len; i++) {
		const struct explored_violation *v = e->violations->pdata[i];

		exclusion += !strcmp(v->id, "exclusion");
		order += !strcmp(v->id, "lock-order");
		fatal += !strcmp(v->id, "module-fatal");
		for (guint k = 0; k < i; k++) {
			const struct explored_violation *w = e->violations->pdata[k];

			assert_false(!strcmp(v->id, w->id) && !strcmp(v->where, w->where) &&
				     !strcmp(v->site, w->site));
		}
		assert_true(v->times > 0);
		assert_non_null(v->scenario);
		assert_as_expected(play_text(v->scenario));
	}
	assert_true(exclusion && order && fatal);
	explored_free(e);
}

/* An observation that the case forbids is a broken rule, in a search and in a run. */
static void test_forbid(void **state)
{
	static const char text[] = TD "init\n    vCPU0: fault 0x10\n"
		"actor a\n    kick\nforbid kick-idle\nexpect violation kick-idle\n";

	as_expected(text);
	assert_as_expected(play_text(text));
}

/* What one operation after another does wrong needs no race. */
static void test_order(void **state)
{
	struct explored *e = explore_text(TD "actor a\n    acquire kvm_lock\n    acquire kvm_lock\n"
					  "expect explore violation lock-order\n");

	assert_true(e->res->as_expected);
	explored_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exclusion_fires),
		cmocka_unit_test(exclusion_silent),
		cmocka_unit_test(exclusion_legal),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_coverage),
		cmocka_unit_test(test_proves),
		cmocka_unit_test(test_finds_and_replays),
		cmocka_unit_test(test_livelock),
		cmocka_unit_test(test_smaller),
		cmocka_unit_test(test_no_smaller),
		cmocka_unit_test(test_replay),
		cmocka_unit_test(test_replay_loop),
		cmocka_unit_test(test_replay_misfit),
		cmocka_unit_test(test_replay_rows_misfit),
		cmocka_unit_test(test_way_words),
		cmocka_unit_test(test_keep_going),
		cmocka_unit_test(test_forbid),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
