// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cases: each takes the file's sections, replaces those that it has itself, drops whom it
 * drops, and is then read on its own. Rests on docs/language.md, "Cases".
 */
#include <string.h>

#include "scenarios/parse.h"

/* One `actor NAME` or `guest vCPUn` of a case; vCPU[*] makes one for each. */
struct program_src {
	enum section_kind kind;
	const char *name;
	const struct section *sec;
	struct text head;		/* rest of its first line, expanded */
	int i;				/* $i in its lines */
};

struct merge {
	struct parse *p;
	GPtrArray *file;		/* struct section */
	GPtrArray *own;			/* of the case; empty without one */
	GPtrArray *programs;		/* struct program_src */
	gboolean once;			/* a name that comes again is an error */
	const struct section *sec;	/* the section being taken apart */
};

/* The case's sections of a kind if it has any, else the file's. */
static GPtrArray *merged(struct merge *m, enum section_kind kind)
{
	GPtrArray *found = pool_ptrs(m->p->pool);
	GPtrArray *levels[] = { m->own, m->file };
	unsigned int l, i;

	for (l = 0; l < G_N_ELEMENTS(levels) && !found->len; l++) {
		for (i = 0; i < levels[l]->len; i++) {
			struct section *sec = g_ptr_array_index(levels[l], i);

			if (sec->kind == kind)
				g_ptr_array_add(found, sec);
		}
	}
	return found;
}

/* The same for a section that stands once: a second one is an error. */
static const struct section *merged_one(struct merge *m, enum section_kind kind)
{
	GPtrArray *all = merged(m, kind);
	unsigned int i;

	for (i = 1; i < all->len; i++) {
		const struct section *sec = g_ptr_array_index(all, i);

		parse_error(m->p, &sec->word, NULL, "a second %s", section_name(kind));
	}
	return all->len ? g_ptr_array_index(all, 0) : NULL;
}

/* The file's params, then the case's over them. */
static void merge_params(struct merge *m)
{
	GPtrArray *levels[] = { m->file, m->own };
	GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	unsigned int l, i, k;

	for (l = 0; l < G_N_ELEMENTS(levels); l++) {
		g_hash_table_remove_all(seen);
		for (i = 0; i < levels[l]->len; i++) {
			struct section *sec = g_ptr_array_index(levels[l], i);
			GPtrArray *items;

			if (sec->kind != SEC_PARAM)
				continue;
			items = section_items(m->p, sec);
			for (k = 0; k < items->len; k++) {
				const struct text *item = g_ptr_array_index(items, k);
				const char *eq = memchr(item->s, '=', item->len);
				struct text name = text_trim(text_slice(item, 0, eq ?
						eq - item->s : item->len));

				param_add(m->p, item);
				if (!g_hash_table_add(seen, g_strndup(name.s, name.len)))
					parse_error(m->p, &name, NULL, "a second param %s",
						    text_str(m->p, &name));
			}
			if (!items->len)
				parse_error(m->p, &sec->word, "param NAME = VALUE",
					    "param says nothing");
		}
	}
	g_hash_table_destroy(seen);
	param_check_all(m->p);
}

/* One head of an actor or guest section, $i bound: put it in, over the file's if any. */
static void merge_head(struct parse *p, struct text *t, void *data)
{
	struct merge *m = data;
	struct program_src *src = pool_node(p->pool, struct program_src);
	struct text rest = *t, name;
	const char *dot;
	unsigned int i;

	if (!text_piece(&rest, &name))
		return;
	src->kind = m->sec->kind;
	src->sec = m->sec;
	src->head = *t;
	src->name = text_str(p, &name);
	dot = strchr(src->name, '.');
	src->i = numbered(dot ? dot + 1 : src->name, "vCPU");
	for (i = 0; i < m->programs->len; i++) {
		struct program_src *old = g_ptr_array_index(m->programs, i);

		if (old->kind != src->kind || strcmp(old->name, src->name))
			continue;
		if (m->once)
			parse_error(p, &name, NULL, "a second %s %s",
				    section_name(src->kind), src->name);
		m->programs->pdata[i] = src;
		return;
	}
	g_ptr_array_add(m->programs, src);
}

/* A case may replace the file's program of a name, but neither may give one twice. */
static void check_twice(struct merge *m, GPtrArray *level)
{
	struct merge alone = { .p = m->p, .once = TRUE, .programs = g_ptr_array_new() };
	unsigned int i;

	for (i = 0; i < level->len; i++) {
		alone.sec = g_ptr_array_index(level, i);
		if (alone.sec->kind == SEC_ACTOR || alone.sec->kind == SEC_GUEST)
			text_each(m->p, &alone.sec->rest, merge_head, &alone);
	}
	g_ptr_array_free(alone.programs, TRUE);
}

static void merge_programs(struct merge *m)
{
	GPtrArray *levels[] = { m->file, m->own };
	unsigned int l, i;

	for (l = 0; l < G_N_ELEMENTS(levels); l++) {
		check_twice(m, levels[l]);
		for (i = 0; i < levels[l]->len; i++) {
			m->sec = g_ptr_array_index(levels[l], i);
			if (m->sec->kind != SEC_ACTOR && m->sec->kind != SEC_GUEST)
				continue;
			if (!m->sec->rest.len)
				parse_error(m->p, &m->sec->word, NULL, "%s of whom?",
					    section_name(m->sec->kind));
			text_each(m->p, &m->sec->rest, merge_head, m);
		}
	}
}

/* Add the actors that sections name, with the lp that they ask for. */
static void program_actors(struct merge *m)
{
	struct parse *p = m->p;
	unsigned int i;

	for (i = 0; i < m->programs->len; i++) {
		struct program_src *src = g_ptr_array_index(m->programs, i);
		struct text rest = src->head, piece;
		struct scn_actor *a;

		text_piece(&rest, &piece);
		if (src->kind == SEC_GUEST && src->i < 0) {
			parse_error(p, &piece, "guest vCPU0", "%s is no vCPU", src->name);
			continue;
		}
		a = cast_add(p, &piece);
		if (a && src->kind == SEC_ACTOR && text_piece(&rest, &piece))
			cast_place(p, a, &piece);
		if (text_piece(&rest, &piece))
			parse_error(p, &piece, "operations stand below, indented",
				    "%s is too much here", text_str(p, &piece));
	}
}

static void program_bodies(struct merge *m)
{
	struct parse *p = m->p;
	unsigned int i;

	for (i = 0; i < m->programs->len; i++) {
		struct program_src *src = g_ptr_array_index(m->programs, i);
		int index = cast_find(p, src->name);
		struct scn_actor *a;

		if (index < 0)
			continue;
		a = g_ptr_array_index(p->c->actors, index);
		p->i = src->i;
		if (src->kind == SEC_ACTOR) {
			parse_program(p, src->sec->body, index, SCN_SIDE_IS_HOST, a->ops, NULL);
		} else {
			a->guest = pool_node(p->pool, struct scn_guest);
			a->guest->loc = text_loc(p, &src->sec->word);
			a->guest->ops = pool_ptrs(p->pool);
			parse_program(p, src->sec->body, -1, SCN_SIDE_IS_GUEST, a->guest->ops,
				      a->guest);
		}
		p->i = -1;
	}
}

/* Lines of all sections of a kind. */
static GPtrArray *merged_items(struct merge *m, enum section_kind kind)
{
	GPtrArray *sections = merged(m, kind), *items = pool_ptrs(m->p->pool);
	unsigned int i, k;

	for (i = 0; i < sections->len; i++) {
		GPtrArray *some = section_items(m->p, g_ptr_array_index(sections, i));

		for (k = 0; k < some->len; k++)
			g_ptr_array_add(items, g_ptr_array_index(some, k));
	}
	return items;
}

static void init_line(struct parse *p, struct text *t, void *data)
{
	struct text name, rest;
	struct scn_cell *cell;
	int actor;

	if (!init_split(t, &name, &rest))
		return;
	actor = cast_find(p, text_str(p, &name));
	if (actor < 0)
		return;		/* dropped, or an error already */
	cell = parse_cell(p, &rest, actor);
	if (cell)
		g_ptr_array_add(p->c->init, cell);
}

static gboolean has_run(const GPtrArray *ops)
{
	unsigned int i;

	for (i = 0; i < ops->len; i++) {
		const struct scn_op *op = g_ptr_array_index(ops, i);

		if (op->word->code == SCN_OP_RUN || (op->body && has_run(op->body)))
			return TRUE;
	}
	return FALSE;
}

/* A vCPU with a guest program that nobody tells to run it, runs it. */
static void mark_runners(struct parse *p)
{
	GPtrArray *lists[] = { p->c->init, p->c->schedule.rows };
	unsigned int i, l, k;

	for (i = 0; i < p->c->actors->len; i++) {
		struct scn_actor *a = g_ptr_array_index(p->c->actors, i);

		a->runs_alone = a->guest && !has_run(a->ops);
		for (l = 0; l < G_N_ELEMENTS(lists); l++) {
			for (k = 0; k < lists[l]->len; k++) {
				struct scn_cell *cell = g_ptr_array_index(lists[l], k);

				if (cell->actor == (int)i && cell->op &&
				    cell->op->word->code == SCN_OP_RUN)
					a->runs_alone = FALSE;
			}
		}
	}
}

static void expect_default(struct parse *p)
{
	struct scn_expect *e;

	if (p->c->expects->len)
		return;
	e = pool_node(p->pool, struct scn_expect);
	e->loc = p->c->loc;
	e->kind = SCN_EXPECT_OK;
	e->text = "ok (by default)";
	e->a.actor.index = e->b.actor.index = e->of_actor = -1;
	g_ptr_array_add(p->c->expects, e);
}

static struct scenario_case *case_new(struct parse *p, const struct section *sec)
{
	struct scenario_case *c = pool_node(p->pool, struct scenario_case);

	c->name = sec ? text_tidy(p, &sec->rest) : "";
	c->loc.file = p->file;
	c->loc.line = 1;
	c->loc.col = 1;
	c->loc.end = 2;
	if (sec)
		c->loc = text_loc(p, &sec->word);
	c->title = "";
	c->limit.progress = SCN_PROGRESS_ALL;
	c->tds = pool_ptrs(p->pool);
	c->variant.switches = pool_ptrs(p->pool);
	c->variant.text = "";
	c->policy.args = pool_array(p->pool, sizeof(struct scn_keyval));
	c->actors = pool_ptrs(p->pool);
	c->init = pool_ptrs(p->pool);
	c->schedule.columns = pool_array(p->pool, sizeof(struct scn_actor_ref));
	c->schedule.rows = pool_ptrs(p->pool);
	c->expects = pool_ptrs(p->pool);
	c->tolerate = pool_ptrs(p->pool);
	c->forbid = pool_ptrs(p->pool);
	c->dropped = pool_ptrs(p->pool);
	return c;
}

/* The lines that stand for themselves. */
static void case_attributes(struct merge *m)
{
	struct parse *p = m->p;
	GPtrArray *tds = merged(m, SEC_TD);
	const struct section *sec;
	unsigned int i;

	merge_params(m);
	for (i = 0; i < tds->len; i++)
		parse_td(p, g_ptr_array_index(tds, i));
	if (!tds->len)
		parse_td(p, NULL);
	if ((sec = merged_one(m, SEC_TITLE)) != NULL)
		p->c->title = text_tidy(p, &sec->rest);
	if ((sec = merged_one(m, SEC_VARIANT)) != NULL)
		parse_variant(p, sec);
	if ((sec = merged_one(m, SEC_POLICY)) != NULL)
		parse_policy(p, sec);
	if ((sec = merged_one(m, SEC_LIMIT)) != NULL)
		parse_limit(p, sec);
}

static void case_actions(struct merge *m)
{
	struct parse *p = m->p;
	const struct section *schedule = merged_one(m, SEC_SCHEDULE);
	GPtrArray *inits = merged_items(m, SEC_INIT), *sections;
	unsigned int i;

	merge_programs(m);
	program_actors(m);
	cast_collect(p, schedule, inits);
	cast_drop(p, merged_items(m, SEC_DROP));
	program_bodies(m);
	for (i = 0; i < inits->len; i++)
		text_each(p, g_ptr_array_index(inits, i), init_line, NULL);
	if (schedule)
		parse_table(p, schedule, &p->c->schedule);
	mark_runners(p);
	sections = merged(m, SEC_TOLERATE);
	for (i = 0; i < sections->len; i++)
		parse_tolerate(p, g_ptr_array_index(sections, i));
	sections = merged(m, SEC_FORBID);
	for (i = 0; i < sections->len; i++)
		parse_forbid(p, g_ptr_array_index(sections, i));
	sections = merged(m, SEC_EXPECT);
	for (i = 0; i < sections->len; i++)
		parse_expects(p, g_ptr_array_index(sections, i));
	expect_default(p);
	if (!p->c->actors->len && !diag_count(p->diag))
		diag_error(p->diag, &p->c->loc,
			   "a schedule, init lines, or an actor or guest section",
			   "nobody does anything here");
}

static void case_source(struct merge *m)
{
	unsigned int i;

	for (i = 0; i < m->own->len; i++) {
		const struct section *sec = g_ptr_array_index(m->own, i);

		if (sec->kind == SEC_SOURCE)
			g_ptr_array_add(m->p->sc->sources, (void *)text_tidy(m->p, &sec->rest));
	}
}

static void expand_case(struct parse *p, const struct section *sec)
{
	struct merge m = { .p = p, .file = p->sections };

	m.own = sec ? sec->subs : pool_ptrs(p->pool);
	m.programs = pool_ptrs(p->pool);
	p->c = case_new(p, sec);
	p->params = g_hash_table_new(g_str_hash, g_str_equal);
	p->param_names = g_ptr_array_new();
	p->dropped = g_hash_table_new(g_str_hash, g_str_equal);
	p->lps_given = FALSE;
	case_attributes(&m);
	case_actions(&m);
	case_source(&m);
	g_hash_table_destroy(p->params);
	g_ptr_array_free(p->param_names, TRUE);
	g_hash_table_destroy(p->dropped);
	g_ptr_array_add(p->sc->cases, p->c);
}

static void check_case_name(struct parse *p, const struct section *sec, GHashTable *names)
{
	if (!sec->rest.len)
		parse_error(p, &sec->word, "case NAME", "a case needs a name");
	else if (!g_hash_table_add(names, (void *)text_tidy(p, &sec->rest)))
		parse_error(p, &sec->rest, NULL, "a second case %s", text_tidy(p, &sec->rest));
}

void expand_cases(struct parse *p)
{
	GHashTable *names = g_hash_table_new(g_str_hash, g_str_equal);
	unsigned int i;

	for (i = 0; i < p->sections->len; i++) {
		struct section *sec = g_ptr_array_index(p->sections, i);

		if (sec->kind != SEC_CASE)
			continue;
		if (p->sc->cases->len == SCN_MAX_CASES) {
			parse_error(p, &sec->word, NULL, "more than %u cases", SCN_MAX_CASES);
			break;
		}
		check_case_name(p, sec, names);
		expand_case(p, sec);
	}
	if (!p->sc->cases->len)
		expand_case(p, NULL);
	for (i = 0; i < p->sections->len; i++) {
		struct section *sec = g_ptr_array_index(p->sections, i);

		if (sec->kind == SEC_TITLE && !*p->sc->title)
			p->sc->title = text_tidy(p, &sec->rest);
	}
	g_hash_table_destroy(names);
}
