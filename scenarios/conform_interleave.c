// SPDX-License-Identifier: GPL-2.0-only
/*
 * A recorded interleaving: after its setup A runs up to the recorded access, B as a whole on
 * another LP, then A's rest; both results, the entry at each point, and the final state.
 * Rests on docs/conform.md.
 */
#include <stdio.h>
#include <string.h>

#include "scenarios/conform_pause.h"
#include "scenarios/conform_priv.h"
#include "sim/engine/script.h"

struct run {
	struct compare c;
	const struct conform_line *line;
	struct pause pause;
	struct conform_lp *a, *b;
	u64 start, at_pause, after_b;
};

/* The entry that a walk ends at now; its place is not always the same */
static u64 entry_now(struct run *r, u8 *level)
{
	const struct conform_record *e = &r->line->entry;
	u64 *slot = sept_peek_slot(CONFORM_TDR, conform_number(e, CF_GPA, 0),
				   (u8)conform_number(e, CF_LEVEL, 0), level);

	return slot ? *slot : 0;
}

static void begin_a(void *ctx)
{
	struct run *r = ctx;

	r->a = machine_give(r->c.m, &r->line->a);
}

static bool before(void *ctx, const struct pending *next)
{
	struct run *r = ctx;

	/* What A stood at when it began is what it did last, long ago */
	return r->a->started && pause_here(&r->pause, next);
}

static void begin_b(void *ctx)
{
	struct run *r = ctx;
	u8 level;

	r->at_pause = entry_now(r, &level);
	r->b = machine_give(r->c.m, &r->line->b);
}

static void begin_rest(void *ctx)
{
	struct run *r = ctx;
	u8 level;

	r->after_b = entry_now(r, &level);
}

/* The setup, which is compared as a line of its own. NULL, or why it could not be run */
static const char *set_up(struct conform_machine *m, const struct conform_line *setup)
{
	const char *why;
	bool missing;

	for (u32 i = 0; i < setup->ops->len; i++) {
		const struct conform_record *op = &g_array_index(setup->ops, struct conform_record,
								 i);
		u8 level;

		why = machine_refuses(m, op, &missing);
		if (!why)
			why = machine_hold(m, op, machine_slot(m, op, &level));
		if (why)
			return why;
		machine_give(m, op);
		script_set(m->sim, NULL, 0);
		if (!machine_run(m, &why, &missing))
			return why;
		machine_let_go(m);
	}
	return NULL;
}

/*
 * The machine with the setup behind it, which hundreds of lines in a row begin with; a setup
 * that cannot be run says so each time.
 */
static const char *begin(struct conform_player *p, const struct conform_line *setup)
{
	const char *why;

	if (p->ready && p->setup == setup) {
		machine_back(p->m, p->ready);
		return NULL;
	}
	machine_mark_free(p->ready);
	p->ready = NULL;
	machine_begin(p->m, &setup->init);
	why = set_up(p->m, setup);
	if (why)
		return why;
	p->ready = machine_mark(p->m);
	p->setup = setup;
	return NULL;
}

static const char *play(struct run *r, bool *missing)
{
	struct conform_machine *m = r->c.m;
	const struct conform_line *line = r->line;
	struct actor *a = m->lp[conform_number(&line->a, CF_LP, 0) % CONFORM_LPS].actor;
	struct actor *b = m->lp[conform_number(&line->b, CF_LP, 0) % CONFORM_LPS].actor;
	const struct script_row rows[] = {
		{ .actor = a, .begin = begin_a, .before = before, .ctx = r, .text = "the pause" },
		{ .actor = b, .begin = begin_b, .ctx = r, .text = "B" },
		{ .actor = a, .begin = begin_rest, .ctx = r, .text = "A's rest" },
	};
	const char *why = machine_refuses(m, &line->a, missing);
	u8 level;

	if (!why)
		why = machine_refuses(m, &line->b, missing);
	if (!why && a == b)
		why = "A and B are on one LP";
	if (!why)
		why = pause_find(&r->pause, m, &line->pause, &line->a,
				 conform_number(&line->entry, CF_GPA, 0));
	if (why)
		return why;
	r->start = entry_now(r, &level);
	script_set(m->sim, rows, ARRAY_SIZE(rows));
	return machine_run(m, &why, missing) ? NULL : why;
}

static void compare_result(struct run *r, const char *who, const struct conform_lp *l,
			   const struct conform_record *res)
{
	char field[16];

	snprintf(field, sizeof(field), "%s exit", who);
	want_text(&r->c, field, l->exit, res->t[CT_EXIT] ? res->t[CT_EXIT] : "vmm");
	snprintf(field, sizeof(field), "%s rax", who);
	want_status(&r->c, field, l->r.rax, conform_number(res, CF_RAX, 0));
	snprintf(field, sizeof(field), "%s rcx", who);
	if (conform_has(res, CF_RCX))
		want(&r->c, field, l->r.rcx, res->n[CF_RCX]);
	snprintf(field, sizeof(field), "%s rdx", who);
	if (conform_has(res, CF_RDX))
		want(&r->c, field, l->r.rdx, res->n[CF_RDX]);
}

static void compare_entries(struct run *r)
{
	const struct conform_record *e = &r->line->entry;
	u8 level = 0;
	u64 end = entry_now(r, &level);

	want(&r->c, "entry start", r->start, conform_number(e, CF_START, 0));
	want(&r->c, "entry at_pause", r->at_pause, conform_number(e, CF_AT_PAUSE, 0));
	want(&r->c, "entry after_B", r->after_b, conform_number(e, CF_AFTER_B, 0));
	want(&r->c, "entry final", end, conform_number(e, CF_FINAL, 0));
	if (conform_has(e, CF_WL))
		want(&r->c, "entry wl", level, e->n[CF_WL]);
}

static void compare_in_td(struct run *r)
{
	const struct conform_record *f = &r->line->final;

	if (!f->list_n[CL_IN_TD])
		return;
	for (u32 i = 0; i < CONFORM_LPS; i++) {
		const struct conform_lp *l = &r->c.m->lp[i];

		want(&r->c, "in_td", l->in_td ? l->vcpu : ~0ull, f->list[CL_IN_TD][i]);
	}
}

static void compare(struct run *r)
{
	compare_result(r, "A", r->a, &r->line->a_res);
	compare_result(r, "B", r->b, &r->line->b_res);
	compare_entries(r);
	compare_in_td(r);
	compare_state(&r->c, &r->line->final, true);
}

void conform_interleaving(struct conform_player *p, const struct conform_line *line,
			  const struct conform_line *setup, const struct conform_sink *sink)
{
	struct run r = { .line = line };
	char result[160], flow[96], total[64];
	bool missing = false;
	const char *why;

	player_machine(p, true);
	compare_begin(&r.c, p, sink);
	snprintf(flow, sizeof(flow), "%s || %s", line->a.t[CT_OP], line->b.t[CT_OP]);
	snprintf(total, sizeof(total), "%s || ...", line->a.t[CT_OP]);
	r.c.flow = flow;
	r.c.source = line->pause.t[CT_CODE];
	why = begin(p, setup);
	if (!why)
		why = play(&r, &missing);
	if (why) {
		if (!missing)
			want_text(&r.c, "runs", why, "it runs");
		sink->left_out(sink->ctx, flow, 1, missing, why);
	} else {
		compare(&r);
		sink->ran(sink->ctx, total,
			  conform_result(&line->a, &line->a_res, result, sizeof(result)),
			  r.c.agrees);
	}
}
