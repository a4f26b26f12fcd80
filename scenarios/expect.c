// SPDX-License-Identifier: GPL-2.0-only
/*
 * The judge: what a case expects against what was seen. A violation, an unreachable row or
 * a stop that no expect speaks of is never as expected. Rests on docs/language.md,
 * "Expect".
 */
#include <string.h>

#include "scenarios/play_priv.h"
#include "sim/engine/region.h"

static const char *const cmp_words[] = {
	[SCN_CMP_EQ] = "==", [SCN_CMP_NE] = "!=", [SCN_CMP_LT] = "<",
	[SCN_CMP_LE] = "<=", [SCN_CMP_GT] = ">", [SCN_CMP_GE] = ">=",
};

static gboolean compare(guint64 a, enum scn_cmp_op op, guint64 b)
{
	switch (op) {
	case SCN_CMP_EQ: return a == b;
	case SCN_CMP_NE: return a != b;
	case SCN_CMP_LT: return a < b;
	case SCN_CMP_LE: return a <= b;
	case SCN_CMP_GT: return a > b;
	case SCN_CMP_GE: return a >= b;
	}
	return FALSE;
}

/* ---- events ---- */

void expect_prepare(struct player *pl)
{
	for (guint i = 0; i < pl->c->expects->len; i++) {
		const struct scn_expect *e = pl->c->expects->pdata[i];
		struct seen a = { .ev = &e->a, .first = G_MAXUINT64 };
		struct seen b = { .ev = &e->b, .first = G_MAXUINT64 };

		g_array_append_val(pl->seen, a);
		g_array_append_val(pl->seen, b);
	}
}

void expect_start(struct player *pl)
{
	for (guint i = 0; i < pl->seen->len; i++) {
		struct seen *s = &g_array_index(pl->seen, struct seen, i);

		if (!s->ev->cond)
			continue;
		s->started = watch_start(&s->watch, pl->sim, s->ev->cond, &s->why);
	}
}

static gboolean by_actor(struct player *pl, const struct seen *s, const struct event *ev)
{
	const struct scn_actor_ref *who = &s->ev->actor;

	if (!who->name)
		return TRUE;
	return who->index >= 0 && pl->cast[who->index].actor->id == ev->actor;
}

void expect_event(struct player *pl, const struct event *ev)
{
	for (guint i = 0; i < pl->seen->len; i++) {
		struct seen *s = &g_array_index(pl->seen, struct seen, i);

		if (s->ev->observation) {
			if (ev->type != EV_OBSERVE || strcmp(ev->name, s->ev->observation))
				continue;
		} else if (!s->started || !watch_event(&s->watch, ev)) {
			continue;
		}
		if (!by_actor(pl, s, ev))
			continue;
		s->count++;
		if (s->count == (s->ev->cond ? s->ev->cond->count : 1)) {
			s->first = ev->clock;
			s->first_seq = ev->seq;
		}
	}
}

/* ---- one expect ---- */

struct verdict {
	gboolean holds;
	gboolean not_judged;
	GString *saw;
};

static void seen_verdict(struct player *pl, guint i, const struct scn_expect *e, struct verdict *v)
{
	const struct seen *s = &g_array_index(pl->seen, struct seen, 2 * i);
	guint64 need = e->a.cond ? e->a.cond->count : 1;
	gboolean yes = e->counted ? compare(s->count, e->cmp, e->num) : s->count >= need;

	v->holds = e->kind == SCN_EXPECT_NEVER ? !yes : yes;
	g_string_printf(v->saw, "it was seen %" G_GUINT64_FORMAT " time%s%s%s%s", s->count,
			s->count == 1 ? "" : "s", s->why ? " (" : "", s->why ? s->why : "",
			s->why ? ")" : "");
}

static void before_verdict(struct player *pl, guint i, struct verdict *v)
{
	const struct seen *a = &g_array_index(pl->seen, struct seen, 2 * i);
	const struct seen *b = &g_array_index(pl->seen, struct seen, 2 * i + 1);

	v->holds = b->first != G_MAXUINT64 &&
		   (a->first < b->first ||
		    (a->first == b->first && a->first_seq < b->first_seq));
	if (a->first == G_MAXUINT64)
		g_string_assign(v->saw, "the first was never seen");
	else if (b->first == G_MAXUINT64)
		g_string_assign(v->saw, "the second was never seen");
	else
		g_string_assign(v->saw, "the second came first");
}

/* Stands @want in @text, or at least every word of it? */
static gboolean mentions(const char *text, const char *want)
{
	char **words;
	gboolean all = TRUE;

	if (!want || !*want)
		return TRUE;
	if (!text)
		return FALSE;
	all = strstr(text, want) != NULL;
	if (all || !strchr(want, ' '))
		return all;
	all = TRUE;
	words = g_strsplit(want, " ", -1);
	for (char **w = words; *w; w++)
		if (**w && !strstr(text, *w))
			all = FALSE;
	g_strfreev(words);
	return all;
}

gboolean expect_violation_is(const char *is, const char *at, const char *text, const char *id,
			     const char *where)
{
	char **words;
	gboolean all = TRUE;

	if (strcmp(is, id))
		return FALSE;
	if (!where || !*where || !strcmp(at, where))
		return TRUE;
	/* "0x10" must not match "0x100": words are compared whole. */
	words = g_strsplit(where, " ", -1);
	for (char **w = words; *w; w++)
		if (**w && strcmp(at, *w) && !strstr(text, *w))
			all = FALSE;
	g_strfreev(words);
	return all;
}

static gboolean violation_is(const struct play_violation *v, const char *id, const char *where)
{
	return expect_violation_is(v->id, v->where, v->text, id, where);
}

static void list_violations(struct player *pl, GString *out)
{
	GArray *all = pl->res->violations;

	if (!all->len)
		g_string_assign(out, "no rule was broken");
	for (guint i = 0; i < all->len; i++) {
		const struct play_violation *x = &g_array_index(all, struct play_violation, i);

		g_string_append_printf(out, "%s%s%s%s", i ? ", " : "there was ", x->id,
				       *x->where ? " " : "", x->where);
	}
}

static void violation_verdict(struct player *pl, const struct scn_expect *e, struct verdict *v)
{
	for (guint i = 0; i < pl->res->violations->len; i++)
		if (violation_is(&g_array_index(pl->res->violations, struct play_violation, i),
				 e->check, e->where))
			v->holds = TRUE;
	list_violations(pl, v->saw);
}

static void end_text(struct player *pl, GString *out)
{
	const struct play_result *r = pl->res;

	if (r->end == PLAY_DONE)
		g_string_assign(out, "everything was played to its end");
	else
		g_string_printf(out, "it ended as %s%s%s", play_end_name(r->end),
				r->why ? ": " : "", r->why ? r->why : "");
}

/* deadlock is an end, and livelock and starvation are violations that the checks report. */
static void stuck_verdict(struct player *pl, const struct scn_expect *e, struct verdict *v)
{
	const char *id = e->kind == SCN_EXPECT_LIVELOCK ? "livelock" :
			 e->kind == SCN_EXPECT_STARVATION ? "starvation" : "deadlock";

	for (guint i = 0; i < pl->res->violations->len; i++) {
		const struct play_violation *x =
			&g_array_index(pl->res->violations, struct play_violation, i);

		if (!strcmp(x->id, id) && (mentions(x->text, e->where) ||
					   mentions(x->where, e->where)))
			v->holds = TRUE;
	}
	list_violations(pl, v->saw);
}

static void final_verdict(struct player *pl, const struct scn_expect *e, struct verdict *v)
{
	struct element_value val;
	struct element el;
	const char *why;
	char buf[96];

	if (!element_find(pl->sim, &e->region, &el, &why)) {
		g_string_assign(v->saw, why);
		return;
	}
	element_read(&el, &val);
	v->holds = element_is(&val, &e->value) == (e->cmp != SCN_CMP_NE);
	g_string_printf(v->saw, "it is %s", element_text(&val, buf, sizeof(buf)));
}

static gboolean counter_find(const char *name, enum counter *c)
{
	for (guint i = 0; i < COUNTERS; i++) {
		if (!strcmp(counter_name(i), name)) {
			*c = i;
			return TRUE;
		}
	}
	return FALSE;
}

static gboolean counter_value(struct player *pl, const struct scn_expect *e, guint64 *n)
{
	gboolean cycles = !strcmp(e->counter, "cycles");
	struct actor *who = e->of_kind == SCN_OF_ACTOR ? pl->cast[e->of_actor].actor : NULL;
	enum counter c;
	char *key;
	guint64 *v;

	if (e->of_kind == SCN_OF_LEAF || e->of_kind == SCN_OF_LOCK) {
		if (strcmp(e->counter, "busy") && !(cycles && e->of_kind == SCN_OF_LEAF))
			return FALSE;
		key = g_strdup_printf("%s %s", e->counter, e->of);
		v = g_hash_table_lookup(pl->tallies, key);
		*n = v ? *v : 0;
		g_free(key);
		return TRUE;
	}
	if (cycles) {
		*n = who ? (who->clock > pl->base ? who->clock - pl->base : 0) : pl->res->cycles;
		return TRUE;
	}
	if (!counter_find(e->counter, &c))
		return FALSE;
	*n = count_of(pl->sim, who, c) - (who ? pl->base_count_of[who->id * COUNTERS + c] :
					  pl->base_count[c]);
	return TRUE;
}

static void counter_verdict(struct player *pl, const struct scn_expect *e, struct verdict *v)
{
	guint64 n = 0;

	if (!pl->started) {
		g_string_assign(v->saw, "cycle 0 was never reached");
		return;
	}
	if (!counter_value(pl, e, &n)) {
		g_string_printf(v->saw, "`%s of %s` is not counted yet", e->counter,
				e->of ? e->of : "all");
		return;
	}
	v->holds = compare(n, e->cmp, e->num);
	g_string_printf(v->saw, "it is %" G_GUINT64_FORMAT " (wanted %s %" G_GUINT64_FORMAT ")", n,
			cmp_words[e->cmp], e->num);
}

static void judge_one(struct player *pl, guint i, const struct scn_expect *e, struct verdict *v)
{
	switch (e->kind) {
	case SCN_EXPECT_OK:
		v->holds = pl->res->end == PLAY_DONE;
		end_text(pl, v->saw);
		break;
	case SCN_EXPECT_VIOLATION:
		violation_verdict(pl, e, v);
		break;
	case SCN_EXPECT_UNREACHABLE:
		v->holds = pl->res->end == PLAY_UNREACHABLE && mentions(pl->res->why, e->where);
		end_text(pl, v->saw);
		break;
	case SCN_EXPECT_DEADLOCK:
	case SCN_EXPECT_LIVELOCK:
	case SCN_EXPECT_STARVATION:
		stuck_verdict(pl, e, v);
		break;
	case SCN_EXPECT_SEEN:
	case SCN_EXPECT_NEVER:
		seen_verdict(pl, i, e, v);
		break;
	case SCN_EXPECT_SEEN_BEFORE:
		before_verdict(pl, i, v);
		break;
	case SCN_EXPECT_FINAL:
		final_verdict(pl, e, v);
		break;
	case SCN_EXPECT_COUNTER:
		counter_verdict(pl, e, v);
		break;
	case SCN_EXPECT_EXPLORE:
		v->not_judged = TRUE;
		g_string_assign(v->saw, "`septsim explore` judges it");
		break;
	}
}

/* ---- the case ---- */

/* Does some expect speak of this violation? */
gboolean expect_foresees(struct player *pl, const struct play_violation *x)
{
	for (guint i = 0; i < pl->c->expects->len; i++) {
		const struct scn_expect *e = pl->c->expects->pdata[i];

		if (e->kind == SCN_EXPECT_VIOLATION && violation_is(x, e->check, e->where))
			return TRUE;
		if (e->kind == SCN_EXPECT_LIVELOCK && !strcmp(x->id, "livelock"))
			return TRUE;
		if (e->kind == SCN_EXPECT_STARVATION && !strcmp(x->id, "starvation"))
			return TRUE;
		if (e->kind == SCN_EXPECT_DEADLOCK && !strcmp(x->id, "deadlock"))
			return TRUE;
	}
	return FALSE;
}

static gboolean end_foreseen(struct player *pl)
{
	switch (pl->res->end) {
	case PLAY_UNREACHABLE:
		for (guint i = 0; i < pl->c->expects->len; i++) {
			const struct scn_expect *e = pl->c->expects->pdata[i];

			if (e->kind == SCN_EXPECT_UNREACHABLE)
				return TRUE;
		}
		return FALSE;
	case PLAY_DONE:
	case PLAY_VIOLATION:	/* judged one by one */
	case PLAY_DEADLOCK:
		return TRUE;
	default:
		return FALSE;
	}
}

/* `expect ...` is written into the reasons by the report; here is the rest of the line. */
static const char *rest_of(const char *text)
{
	return g_str_has_prefix(text, "expect ") ? text + 7 : text;
}

void expect_add(struct player *pl, const char *text, guint line, enum play_judged judged,
		       const char *saw)
{
	struct play_expect x = {
		.text = play_result_str(pl->res, rest_of(text)), .line = line, .judged = judged,
		.saw = play_result_str(pl->res, saw),
	};

	g_array_append_val(pl->res->expects, x);
	if (judged == PLAY_FAILS)
		pl->res->as_expected = FALSE;
}

void expect_judge(struct player *pl)
{
	guint line = pl->c->loc.line;

	pl->res->as_expected = TRUE;
	for (guint i = 0; i < pl->c->expects->len; i++) {
		const struct scn_expect *e = pl->c->expects->pdata[i];
		struct verdict v = { .saw = g_string_new(NULL) };

		judge_one(pl, i, e, &v);
		expect_add(pl, e->text, e->loc.line ? e->loc.line : line,
			   v.not_judged ? PLAY_NOT_JUDGED : v.holds ? PLAY_HOLDS : PLAY_FAILS,
			   v.holds && !v.not_judged ? NULL : v.saw->str);
		g_string_free(v.saw, TRUE);
	}
	for (guint i = 0; i < pl->res->violations->len; i++) {
		const struct play_violation *x =
			&g_array_index(pl->res->violations, struct play_violation, i);
		char *saw;

		/* A failed `expect ok` has said it already. */
		if (x->tolerated || expect_foresees(pl, x) || !pl->res->as_expected)
			continue;
		saw = g_strdup_printf("there was %s%s%s", x->id, *x->where ? " " : "", x->where);
		expect_add(pl, "no other violation", line, PLAY_FAILS, saw);
		g_free(saw);
		break;
	}
	if (!end_foreseen(pl) && pl->res->as_expected) {
		GString *s = g_string_new(NULL);

		end_text(pl, s);
		expect_add(pl, "an end", line, PLAY_FAILS, s->str);
		g_string_free(s, TRUE);
	}
}
