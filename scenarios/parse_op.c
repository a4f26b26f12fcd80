// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations of hosts and guests. The grammar of each is its usage in words.c. Rests on
 * docs/language.md, "Host operations", "Guest operations" and "Locks".
 */
#include <string.h>

#include "scenarios/parse.h"

static const struct scn_word_value kind_words[] = {
	{ "private", SCN_MEM_PRIVATE, TRUE },
	{ "shared", SCN_MEM_SHARED, TRUE },
	{ NULL }
};

static const struct scn_word_value access_words[] = {
	{ "read", SCN_ACCESS_READ, TRUE },
	{ "write", SCN_ACCESS_WRITE, TRUE },
	{ "exec", SCN_ACCESS_EXEC, TRUE },
	{ NULL }
};

static const struct scn_word_value memfault_words[] = {
	{ "stop", SCN_MEMFAULT_STOP, TRUE },
	{ "retry", SCN_MEMFAULT_RETRY, TRUE },
	{ "convert", SCN_MEMFAULT_CONVERT, TRUE },
	{ NULL }
};

static gboolean is_choice(const struct lex *lx, const struct scn_word_value *words)
{
	for (; words->name; words++) {
		if (lex_is_word(lx, words->name))
			return TRUE;
	}
	return FALSE;
}

static void single_gfn(struct lex *lx, struct scn_gfn_range *r)
{
	unsigned int from = lx->tok.from;

	r->start = lex_gfn(lx);
	r->end = r->start + 1;
	r->loc = lex_loc_from(lx, from);
}

/* A number that may not be 0; the error then says why. */
static guint64 positive(struct lex *lx, const char *what, const char *why)
{
	struct tok start = lx->tok;
	guint64 num = lex_number(lx, what);

	if (!lx->failed && !num) {
		lx->tok = start;
		lex_error(lx, NULL, "%s", why);
	}
	return num;
}

static void op_run(struct lex *lx, struct scn_op *op)
{
	while (!lx->failed) {
		if (lex_take_word(lx, "memory-fault")) {
			lex_want(lx, '=', "=");
			op->on_fault = lex_choice(lx, "what to do on a memory fault",
						  memfault_words);
		} else if (lex_take_word(lx, "times")) {
			lex_want(lx, '=', "=");
			op->times = positive(lx, "a number", "times=0 runs nothing");
		} else {
			return;
		}
	}
}

static void op_fault(struct lex *lx, struct scn_op *op)
{
	single_gfn(lx, &op->range);
	if (is_choice(lx, kind_words))
		op->kind = lex_choice(lx, "private or shared", kind_words);
	op->level = lex_level(lx);
}

static void op_range(struct lex *lx, struct scn_op *op)
{
	lex_range(lx, &op->range);
}

static void op_move(struct lex *lx, struct scn_op *op)
{
	lex_range(lx, &op->range);
	op->to = op->range.end;
	if (lex_take_word(lx, "to"))
		op->to = lex_gfn(lx);
}

static void op_log_dirty(struct lex *lx, struct scn_op *op)
{
	static const struct scn_word_value words[] = {
		{ "off", FALSE, TRUE },
		{ "on", TRUE, TRUE },
		{ NULL }
	};

	lex_range(lx, &op->range);
	op->on = lex_choice(lx, "on or off", words);
}

static void op_gfn(struct lex *lx, struct scn_op *op)
{
	single_gfn(lx, &op->range);
}

static void op_convert(struct lex *lx, struct scn_op *op)
{
	lex_range(lx, &op->range);
	op->kind = lex_choice(lx, "to what", kind_words);
}

static void op_accept(struct lex *lx, struct scn_op *op)
{
	lex_range(lx, &op->range);
	op->level = lex_level(lx);
}

static void op_access(struct lex *lx, struct scn_op *op)
{
	guint64 gfn;

	do {
		if (op->gfns->len == SCN_MAX_ACCESS)
			lex_error(lx, NULL, "one instruction touches %u gfns at most",
				  SCN_MAX_ACCESS);
		gfn = lex_gfn(lx);
		g_array_append_val(op->gfns, gfn);
	} while (lex_take(lx, ','));
	op->range.start = g_array_index(op->gfns, guint64, 0);
	op->range.end = op->range.start + 1;
	while (!lx->failed) {
		if (is_choice(lx, access_words))
			op->access = lex_choice(lx, "an access", access_words);
		else if (is_choice(lx, kind_words))
			op->kind = lex_choice(lx, "private or shared", kind_words);
		else
			break;
	}
}

/* lpN or lp(EXPR), which the td must have; without lps= it has as many as named. */
static void parse_lp(struct lex *lx, unsigned int *lp)
{
	struct scn_td *td = g_ptr_array_index(lx->p->c->tds, 0);
	struct tok start = lx->tok;
	gboolean computed = start.kind == TOK_WORD && !strcmp(start.word, "lp");
	int word = start.kind == TOK_WORD && !computed ? numbered(start.word, "lp") : -1;
	guint64 n = (guint64)word;

	if (!computed && word < 0) {
		lex_error(lx, NULL, "lpN expected");
		return;
	}
	lex_next(lx);
	if (computed)
		n = lex_number(lx, "the number of an LP");
	if (n >= (lx->p->lps_given ? td->lps : SCN_MAX_LPS)) {
		lx->tok = start;
		lex_error(lx, NULL, "the td has lps=%u", td->lps);
		return;
	}
	*lp = (unsigned int)n;
	if (!lx->failed)
		td->lps = MAX(td->lps, *lp + 1);
}

static void op_lp(struct lex *lx, struct scn_op *op)
{
	parse_lp(lx, &op->lp);
}

static void op_vcpu(struct lex *lx, struct scn_op *op)
{
	struct tok start = lx->tok;

	parse_actor(lx, &op->actor);
	if (!lx->failed && op->actor.vcpu < 0) {
		lx->tok = start;
		lex_error(lx, NULL, "%s is no vCPU", op->actor.name);
	}
}

static void op_migrate(struct lex *lx, struct scn_op *op)
{
	op_vcpu(lx, op);
	parse_lp(lx, &op->lp);
}

/* An actor that is a thread here: a vCPU that nobody runs gets no signal. */
static void op_actor(struct lex *lx, struct scn_op *op)
{
	struct tok start = lx->tok;

	parse_actor(lx, &op->actor);
	if (!lx->failed && op->actor.index < 0) {
		lx->tok = start;
		lex_error(lx, NULL, "%s has no thread in this case", op->actor.name);
	}
}

static void op_signal(struct lex *lx, struct scn_op *op)
{
	op_actor(lx, op);
	if (lex_take_word(lx, "after"))
		op->cycles = lex_number(lx, "a number of cycles");
}

static void op_compute(struct lex *lx, struct scn_op *op)
{
	op->cycles = lex_number(lx, "a number of cycles");
}

/* vcpu=vCPU0 stands for that vCPU's TDVPR page. */
static void call_vcpu(struct lex *lx, struct scn_value *v)
{
	struct tok start = lx->tok;
	struct scn_actor_ref a;

	parse_actor(lx, &a);
	v->word = a.name;
	v->num = MAX(a.vcpu, 0);
	if (!lx->failed && a.vcpu < 0) {
		lx->tok = start;
		lex_error(lx, NULL, "%s is no vCPU", a.name);
	}
}

/* td=NAME: its number */
static void call_td(struct lex *lx, struct scn_value *v)
{
	const GPtrArray *tds = lx->p->c->tds;
	struct tok start = lx->tok;

	v->word = lex_word(lx, "a TD's name");
	for (guint i = 0; !lx->failed && i < tds->len; i++) {
		v->num = i;
		if (!strcmp(((struct scn_td *)tds->pdata[i])->name, v->word))
			return;
	}
	if (!lx->failed) {
		lx->tok = start;
		lex_error(lx, NULL, "%s is no TD", v->word);
	}
}

/* Operands by name or by register; a level is its own kind of number. */
static void call_arg(struct lex *lx, struct scn_op *op)
{
	static const char *const host[] = {
		"gpa", "level", "hpa", "vcpu", "field", "value", "mask", "td", "slot", "type",
		"rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", NULL
	};
	static const char *const guest[] = {
		"gpa", "level", "attr", "data", "index", "field", "value", "mask", "td", "slot",
		"rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", NULL
	};
	const char *const *keys = op->word->code == SCN_OP_TDCALL ? guest : host;
	struct scn_keyval kv = { .key = lx->tok.word };
	unsigned int from = lx->tok.from;
	int level;

	if (lx->tok.kind != TOK_WORD || !g_strv_contains(keys, kv.key)) {
		lex_error(lx, lx->tok.kind == TOK_WORD ? hint_nearest(lx->p, kv.key, keys) : NULL,
			  "an operand (gpa= level= %s) or a register (rcx= rdx= r8= ... %s) expected",
			  keys == guest ? "attr= data= index= field= value= mask= td= slot=" :
			  "hpa= vcpu= field= value= mask= td= slot= type=",
			  keys == guest ? "r13=" : "r15=");
		return;
	}
	lex_next(lx);
	lex_want(lx, '=', "=");
	level = !strcmp(kv.key, "level") ? lex_level(lx) : SCN_LEVEL_NONE;
	if (level != SCN_LEVEL_NONE) {
		kv.value.num = level;
		kv.value.word = scn_level_name(level);
	} else if (!strcmp(kv.key, "vcpu")) {
		call_vcpu(lx, &kv.value);
	} else if (!strcmp(kv.key, "td")) {
		call_td(lx, &kv.value);
	} else if (!strcmp(kv.key, "level")) {
		lex_error(lx, "level=4K, 2M, 1G", "a level expected");
	} else {
		kv.value.num = lex_number(lx, "a number");
	}
	kv.loc = kv.value.loc = lex_loc_from(lx, from);
	g_array_append_val(op->args, kv);
}

static void op_call(struct lex *lx, struct scn_op *op)
{
	const char *prefix = op->word->code == SCN_OP_TDCALL ? "TDG" : "TDH";
	struct tok start = lx->tok;

	op->leaf = parse_leaf(lx, FALSE);
	if (!lx->failed && !g_str_has_prefix(op->leaf, prefix)) {
		lx->tok = start;
		lex_error(lx, NULL, "%s wants a leaf of %s", op->word->name, prefix);
	}
	while (!lx->failed && lx->tok.kind != TOK_END && !lex_is(lx, P_DOTS))
		call_arg(lx, op);
}

static void op_inject(struct lex *lx, struct scn_op *op)
{
	op->leaf = parse_leaf(lx, FALSE);
	lex_want(lx, '@', "@N (its N-th call)");
	op->nth = positive(lx, "a number", "the first call is @1");
	parse_status(lx, &op->status);
}

static void op_set(struct lex *lx, struct scn_op *op)
{
	parse_region(lx, &op->region);
	lex_want(lx, '=', "=");
	parse_value(lx, &op->region, &op->value);
}

/* The two words of a mode, as the kind's people say them; NULL where it has none. */
static const char *const *mode_words(const struct scn_lock_word *w)
{
	static const char *const module[] = { "shared", "exclusive", "acquire SEPT_TREE shared" };
	static const char *const kernel[] = { "read", "write", "acquire mmu_lock read" };

	if (w->kind == SCN_LOCK_KIND_SHAREX)
		return module;
	return w->module || w->kind != SCN_LOCK_KIND_RWLOCK ? NULL : kernel;
}

/* shared|exclusive or read|write where the kind has them, else nothing. */
static void acquire_mode(struct lex *lx, struct scn_op *op)
{
	const struct scn_lock_word *w = op->lock.word;
	const char *const *words = mode_words(w);
	gboolean shared, exclusive;

	if (!words) {
		if (lex_is_word(lx, "shared") || lex_is_word(lx, "exclusive") ||
		    lex_is_word(lx, "read") || lex_is_word(lx, "write"))
			lex_error(lx, NULL, "%s is not shared or exclusive: no mode here", w->name);
		return;
	}
	shared = lex_is_word(lx, words[0]);
	exclusive = lex_is_word(lx, words[1]);
	if (!shared && !exclusive)
		lex_error(lx, words[2], "%s is taken %s or %s: say which", w->name, words[0],
			  words[1]);
	if (shared || exclusive) {
		op->lock.mode = shared ? SCN_LOCK_MODE_SHARED : SCN_LOCK_MODE_EXCLUSIVE;
		lex_next(lx);
	}
}

static void op_acquire(struct lex *lx, struct scn_op *op)
{
	op->retry = 1;
	parse_lock(lx, &op->lock);
	if (lx->failed)
		return;
	acquire_mode(lx, op);
	if (!op->lock.word->module)
		return;		/* the kernel's wait: no side, nothing to try again */
	op->lock.side = SCN_LOCK_SIDE_HOST;
	if (lex_is_word(lx, "guest") && !op->lock.word->guest)
		lex_error(lx, NULL, "no guest takes %s", op->lock.word->name);
	if (lex_take_word(lx, "guest"))
		op->lock.side = SCN_LOCK_SIDE_GUEST;
	else
		lex_take_word(lx, "host");
	if (!lex_take_word(lx, "retry"))
		return;
	lex_want(lx, '=', "=");
	if (lex_take_word(lx, "inf"))
		op->retry = SCN_RETRY_INF;
	else
		op->retry = positive(lx, "a number of attempts or inf",
				     "retry=1 tries once: 0 is none");
}

static void op_release(struct lex *lx, struct scn_op *op)
{
	parse_lock(lx, &op->lock);
}

static void op_repeat(struct lex *lx, struct scn_op *op)
{
	op->body = pool_ptrs(lx->p->pool);
	if (lex_take_word(lx, "inf"))
		op->count = SCN_RETRY_INF;
	else
		op->count = positive(lx, "a number of times or inf", "repeat 0 does nothing");
}

typedef void (*op_fn)(struct lex *lx, struct scn_op *op);

static const op_fn op_parsers[] = {
	[SCN_OP_RUN] = op_run,
	[SCN_OP_FAULT] = op_fault,
	[SCN_OP_PREFAULT] = op_range,
	[SCN_OP_ZAP] = op_range,
	[SCN_OP_PUNCH] = op_range,
	[SCN_OP_CONVERT] = op_convert,
	[SCN_OP_SLOT_DELETE] = op_range,
	[SCN_OP_SLOT_MOVE] = op_move,
	[SCN_OP_SLOT_ADD] = op_range,
	[SCN_OP_NOTIFY] = op_range,
	[SCN_OP_COLLAPSE] = op_range,
	[SCN_OP_AGE] = op_range,
	[SCN_OP_TEST_AGE] = op_range,
	[SCN_OP_GET_DIRTY] = op_gfn,
	[SCN_OP_LOG_DIRTY] = op_log_dirty,
	[SCN_OP_CLEAR_DIRTY] = op_range,
	[SCN_OP_SPLIT] = op_gfn,
	[SCN_OP_SHADOW_PAGE] = op_gfn,
	[SCN_OP_REUSE_PAGE] = op_gfn,
	[SCN_OP_BUILD] = op_range,
	[SCN_OP_MIGRATE] = op_migrate,
	[SCN_OP_CLOSE] = op_vcpu,
	[SCN_OP_CPU_OFFLINE] = op_lp,
	[SCN_OP_SEAMCALL] = op_call,
	[SCN_OP_ACQUIRE] = op_acquire,
	[SCN_OP_RELEASE] = op_release,
	[SCN_OP_COMPUTE] = op_compute,
	[SCN_OP_SIGNAL] = op_signal,
	[SCN_OP_NEED_RESCHED] = op_actor,
	[SCN_OP_INTERRUPT] = op_lp,
	[SCN_OP_INJECT] = op_inject,
	[SCN_OP_SET] = op_set,
	[SCN_OP_ACCESS] = op_access,
	[SCN_OP_ACCEPT] = op_accept,
	[SCN_OP_MAP_GPA] = op_convert,
	[SCN_OP_TDCALL] = op_call,
	[SCN_OP_REPEAT] = op_repeat,
};

/* The operations of a side, for hints. */
static const char *op_hint(struct parse *p, const char *word, enum scn_op_side side)
{
	GPtrArray *names = g_ptr_array_new();
	const struct scn_op_word *w;
	const char *hint;

	for (w = scn_op_words; w->name; w++) {
		if (w->side & side)
			g_ptr_array_add(names, (void *)w->name);
	}
	g_ptr_array_add(names, NULL);
	hint = hint_nearest(p, word, (const char *const *)names->pdata);
	g_ptr_array_free(names, TRUE);
	return hint;
}

/* No such operation: perhaps the other side's, perhaps mistyped. */
static void op_unknown(struct lex *lx, enum scn_op_side side)
{
	const char *word = lx->tok.word;
	gboolean two;

	if (lx->tok.kind != TOK_WORD)
		lex_error(lx, NULL, "an operation expected");
	else if (scn_op_word_find(word, NULL, SCN_SIDE_IS_BOTH & ~side, &two))
		lex_error(lx, NULL, "%s is an operation of a %s, not of a %s", word,
			  side == SCN_SIDE_IS_HOST ? "guest" : "host",
			  side == SCN_SIDE_IS_HOST ? "host" : "guest");
	else if (!strcmp(word, "slot"))
		lex_error(lx, NULL, "slot delete, slot move or slot add");
	else
		lex_error(lx, op_hint(lx->p, word, side), "no operation %s", word);
}

/* The word after the next one, for two-word operations. */
static const char *peek_word(const struct lex *lx)
{
	struct text rest = text_slice(&lx->t, lx->tok.to, lx->t.len), piece;

	text_piece(&rest, &piece);
	return text_str(lx->p, &piece);
}

/* A host operation on gfns that the VM does not have would only be refused by KVM, and a
 * mistyped gfn would look like a case that goes well. */
static void check_memory(struct lex *lx, const struct scn_op *op)
{
	guint64 gfns = 0;
	unsigned int i;

	/* Of several TDs the widest: whose operation it is only its actor says. */
	for (i = 0; i < lx->p->c->tds->len; i++)
		gfns = MAX(gfns, ((struct scn_td *)lx->p->c->tds->pdata[i])->memory / 4096);

	if (op->range.end > gfns)
		diag_error(lx->p->diag, &op->range.loc, "gfns are addresses / 4096",
			   "the TD has gfns below 0x%" G_GINT64_MODIFIER "x (td memory=)", gfns);
}

struct scn_op *parse_op(struct lex *lx, enum scn_op_side side)
{
	struct scn_op *op = pool_node(lx->p->pool, struct scn_op);
	unsigned int from = lx->tok.from;
	gboolean two = FALSE;

	op->gfns = pool_array(lx->p->pool, sizeof(guint64));
	op->args = pool_array(lx->p->pool, sizeof(struct scn_keyval));
	op->actor.index = op->actor.vcpu = -1;
	op->loc = lex_loc(lx);
	if (lx->tok.kind == TOK_WORD)
		op->word = scn_op_word_find(lx->tok.word, peek_word(lx), side, &two);
	if (!op->word) {
		op_unknown(lx, side);
		return op;
	}
	if (!op->word->supported) {
		lex_error(lx, NULL, "%s is not supported yet", op->word->name);
		return op;
	}
	lex_next(lx);
	if (two)
		lex_next(lx);
	if (op->word->code < G_N_ELEMENTS(op_parsers) && op_parsers[op->word->code])
		op_parsers[op->word->code](lx, op);
	if (!lx->failed) {
		op->loc = lex_loc_from(lx, from);
		op->text = lex_text_from(lx, from);
		if (side == SCN_SIDE_IS_HOST)
			check_memory(lx, op);
	}
	return op;
}
