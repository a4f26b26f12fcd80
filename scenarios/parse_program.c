// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where operations stand: the programs of actors and guests with their loops, and the
 * cells of a schedule or of init. Rests on docs/language.md, "Actors" and "Schedule".
 */
#include "scenarios/parse.h"

static const struct scn_word_value on_ve_words[] = {
	{ "accept", SCN_ON_VE_ACCEPT, TRUE },
	{ "die", SCN_ON_VE_DIE, TRUE },
	{ "count", SCN_ON_VE_COUNT, TRUE },
	{ NULL }
};

static const struct scn_word_value on_busy_words[] = {
	{ "retry", SCN_ON_BUSY_RETRY, TRUE },
	{ "die", SCN_ON_BUSY_DIE, TRUE },
	{ "count", SCN_ON_BUSY_COUNT, TRUE },
	{ NULL }
};

/* Some operations are a thread's of a vCPU: KVM_RUN, and what happens inside it. */
static void check_thread(struct lex *lx, const struct scn_op *op, int actor)
{
	const struct scn_actor *a = g_ptr_array_index(lx->p->c->actors, actor);

	if (lx->failed || !op->word || !op->word->vcpu || a->vcpu >= 0)
		return;
	diag_error(lx->p->diag, &op->loc, "name the actor vCPU0, vCPU1, ...",
		   "only a vCPU thread can %s, and %s is none", op->word->name, a->name);
}

struct scn_cell *parse_cell(struct parse *p, const struct text *t, int actor)
{
	struct scn_cell *cell = pool_node(p->pool, struct scn_cell);
	struct lex lx;

	cell->actor = actor;
	lex_init(&lx, p, t);
	if (!lex_at_dots(&lx)) {
		if (lex_is_word(&lx, "repeat"))
			lex_error(&lx, "loops stand in actor and guest", "no loop here");
		cell->op = parse_op(&lx, SCN_SIDE_IS_HOST);
		check_thread(&lx, cell->op, actor);
	}
	if (lex_is(&lx, P_DOTS) && !lex_at_dots(&lx))
		lex_error(&lx, "operation .. condition", "` .. ` before a condition has blanks");
	if (lex_take(&lx, P_DOTS))
		cell->until = parse_cond(&lx);
	lex_end(&lx);
	cell->loc = text_loc(p, t);
	cell->text = text_tidy(p, t);
	return lx.failed ? NULL : cell;
}

/* A program in the making: the open repeats, the innermost last. */
struct program {
	enum scn_op_side side;
	int actor;
	GPtrArray *open;		/* struct scn_op */
	GPtrArray *ops;
	struct scn_guest *guest;
};

/* on-ve and on-busy of a guest. TRUE if the line was one of them. */
static gboolean guest_handler(struct lex *lx, struct scn_guest *guest)
{
	if (lex_take_word(lx, "on-ve"))
		guest->on_ve = lex_choice(lx, "what to do on #VE", on_ve_words);
	else if (lex_take_word(lx, "on-busy"))
		guest->on_busy = lex_choice(lx, "what to do on BUSY", on_busy_words);
	else
		return FALSE;
	lex_end(lx);
	return TRUE;
}

static void program_line(struct parse *p, struct text *t, void *data)
{
	struct program *prog = data;
	GPtrArray *ops = prog->ops;
	struct scn_op *op;
	struct lex lx;

	if (prog->open->len)
		ops = ((struct scn_op *)g_ptr_array_index(prog->open, prog->open->len - 1))->body;
	lex_init(&lx, p, t);
	if (prog->guest && guest_handler(&lx, prog->guest))
		return;
	if (lex_is_word(&lx, "end")) {
		if (!prog->open->len)
			lex_error(&lx, NULL, "end without repeat");
		else if (!ops->len)
			lex_error(&lx, NULL, "nothing to repeat");
		if (prog->open->len)
			g_ptr_array_set_size(prog->open, prog->open->len - 1);
		lex_next(&lx);
		lex_end(&lx);
		return;
	}
	op = parse_op(&lx, prog->side);
	if (lex_at_dots(&lx))
		lex_error(&lx, "conditions stand in schedule and init", "no condition here");
	lex_end(&lx);
	if (prog->actor >= 0)
		check_thread(&lx, op, prog->actor);
	if (op->body) {
		if (prog->open->len >= SCN_MAX_NESTING)
			lex_error(&lx, NULL, "repeats nest too deeply");
		g_ptr_array_add(prog->open, op);
	}
	if (op->word)
		g_ptr_array_add(ops, op);
}

void parse_program(struct parse *p, GPtrArray *lines, int actor, enum scn_op_side side,
		   GPtrArray *ops, struct scn_guest *guest)
{
	struct program prog = {
		.side = side, .actor = actor, .ops = ops, .guest = guest,
		.open = g_ptr_array_new(),
	};
	unsigned int i;

	for (i = 0; i < lines->len; i++)
		text_each(p, g_ptr_array_index(lines, i), program_line, &prog);
	for (i = 0; i < prog.open->len; i++) {
		struct scn_op *op = g_ptr_array_index(prog.open, i);

		diag_error(p->diag, &op->loc, "end", "repeat without end");
	}
	g_ptr_array_free(prog.open, TRUE);
}
