// SPDX-License-Identifier: GPL-2.0-only
/*
 * Races recorded from the real module: A is stopped just before an access, B runs as a
 * whole on another LP, A goes on. The model must give what was recorded: both results, the
 * entry at each point, all locks and the whole S-EPT. Where A makes that access in more
 * than one place (unoptimised code reads some fields twice), one of them must match.
 */
#include "tests/tdxmod/replay.h"

#include <stdlib.h>
#include <string.h>

/* An access of A: what the recording calls it */
struct access {
	const char *act;	/* read, write, rmw */
	char obj[48];
	char prim[48];
};

struct race {
	struct replay *p;
	GHashTable *setups;	/* name to GPtrArray of lines */
	GHashTable *line;	/* the case's words */
	struct record rec;
	GArray *steps;		/* of A: struct event */
	GArray *regions;	/* struct region of each: S-EPT pages come and go meanwhile */
	u32 stop;		/* B runs before A's step number @stop */
	bool in_b, b_done;
	struct replay b;
	u64 start, at_pause, after_b;
	char why[512];		/* what did not match */
};

static const char *word(struct race *r, const char *key)
{
	const char *v = g_hash_table_lookup(r->line, key);

	return v ? v : "";
}

static u64 number(struct race *r, const char *key)
{
	return g_ascii_strtoull(word(r, key), NULL, 0);
}

/* The words that begin with @prefix become the operation's */
static void operation(struct race *r, struct replay *p, const char *prefix)
{
	GHashTableIter it;
	gpointer k, v;

	g_hash_table_remove_all(p->f);
	g_hash_table_iter_init(&it, r->line);
	while (g_hash_table_iter_next(&it, &k, &v)) {
		if (g_str_has_prefix(k, prefix))
			g_hash_table_insert(p->f, g_strdup((char *)k + strlen(prefix)),
					    g_strdup(v));
	}
}

/* --- which of A's steps is meant ------------------------------------------------------ */

/* @large: a PAMT entry whose exclusive lock is taken by promotion */
static void lock_prim(const struct event *ev, bool hp, bool large, struct access *a)
{
	const char *kind = hp ? "sharex_lock_hp" : "sharex_lock";
	const char *try = large ? "promote" : "acquire";
	/* What asks for, or answers, HOST_PRIORITY belongs to the attempt before it */
	bool after = ev->op == MEM_OR || (ev->op == MEM_AND && ev[-1].op == MEM_XADD);
	const struct event *first = after ? ev - 1 : ev;

	if (first->op == MEM_XADD)
		g_snprintf(a->prim, sizeof(a->prim), "%s_%s_sh",
			   (first->value - first->old) & 0x8000 ? "release" : "acquire", kind);
	else if (first->op == MEM_CMPXCHG)
		g_snprintf(a->prim, sizeof(a->prim), "%s_%s%s", try, kind, large ? "" : "_ex");
	else
		g_snprintf(a->prim, sizeof(a->prim), "release_%s_ex", kind);
}

static void pamt_access(const struct event *ev, const struct region *reg, struct access *a)
{
	static const char *const sizes[] = { "4K", "2M", "1G" };
	u64 offset = (u64)ev->p & 15;
	const char *field = !offset ? "LOCK" : offset == 2 ? "PT" : offset == 4 ? "OWNER" : "BEPOCH";

	if (reg->level == 3)
		g_snprintf(a->obj, sizeof(a->obj), "PAMT_1G.%s", field);
	else
		g_snprintf(a->obj, sizeof(a->obj), "PAMT_%s[0x%llx].%s", sizes[reg->level - 1],
			   (unsigned long long)region_index(reg, ev->p), field);
	if (!offset)
		lock_prim(ev, true, reg->level > 1, a);
}

static void sept_access(struct race *r, u32 i, const struct region *reg, struct access *a)
{
	const struct event *ev = &g_array_index(r->steps, struct event, i);
	const struct event *next = i + 1 < r->steps->len ? ev + 1 : NULL;
	bool guest = !g_str_has_prefix(word(r, "A.op"), "TDH.");

	g_snprintf(a->obj, sizeof(a->obj), "SEPT_ENTRY_L%u[%u]", reg->level - 1,
		   (u32)(((u64)ev->p & 0xfff) / 8));
	/* BTS, read of TDHP and, if it is set, BTR again are all of the guest's acquire */
	if (guest && i && ev[-1].p == ev->p && ev->op == MEM_READ && ev[-1].op == MEM_BTS)
		strcpy(a->prim, "sept_lock_acquire_guest");
	else if (guest && i > 1 && ev[-2].p == ev->p && ev->op == MEM_BTR && ev[-2].op == MEM_BTS)
		strcpy(a->prim, "sept_lock_acquire_guest");
	else if (ev->op == MEM_BTS || (ev->op == MEM_BTR && (ev->old ^ ev->value) == SEPT_TDHP) ||
		 (ev->op == MEM_BTR && ev->old == ev->value))
		g_snprintf(a->prim, sizeof(a->prim), "sept_lock_acquire_%s",
			   guest ? "guest" : "host");
	else if (ev->op == MEM_BTR ||
		 (ev->op == MEM_READ && next && next->p == ev->p && next->op == MEM_BTR))
		strcpy(a->prim, "sept_lock_release");
}

static void field_access(struct race *r, const struct event *ev, const struct region *reg,
			 struct access *a)
{
	const char *name = reg->type->name;
	bool lock = true;

	if (!strcmp(name, "TDCS.SEPT_TREE"))
		strcpy(a->obj, "TDCS.SEPT_TREE_LOCK");
	else if (!strcmp(name, "KOT"))
		strcpy(a->obj, "KOT.LOCK");
	else
		g_strlcpy(a->obj, name, sizeof(a->obj));
	lock = g_str_has_suffix(a->obj, "_LOCK") || !strcmp(name, "KOT");
	if (lock)
		lock_prim(ev, !strcmp(name, "TDCS.OP_STATE_LOCK"), false, a);
}

static void name_step(struct race *r, u32 i, struct access *a)
{
	const struct event *ev = &g_array_index(r->steps, struct event, i);
	const struct region *reg = &g_array_index(r->regions, struct region, i);

	*a = (struct access){ .act = ev->op == MEM_READ ? "read" : ev->op == MEM_WRITE ? "write" :
			      "rmw" };
	if (!reg->type)
		strcpy(a->obj, ev->value ? "NEW_SEPT_PAGE" : "PAGE_CONTENT");
	else if (!strcmp(reg->type->name, "PAMT"))
		pamt_access(ev, reg, a);
	else if (!strcmp(reg->type->name, "sept"))
		sept_access(r, i, reg, a);
	else
		field_access(r, ev, reg, a);
}

/* Is A's step @i the recorded access, or part of what stands for it? */
static bool is_pause(struct race *r, u32 i)
{
	const char *act = word(r, "p.act"), *obj = word(r, "p.obj"), *prim = word(r, "p.prim");
	struct access a;

	name_step(r, i, &a);
	if (g_str_has_prefix(obj, "NEW_SEPT_PAGE"))
		return !strcmp(a.obj, "NEW_SEPT_PAGE");
	/* -O0 reads PT and OWNER to store one of them: the store stands for those reads */
	if (g_str_has_suffix(obj, ".PT") && !*prim && g_str_has_prefix(a.obj, "PAMT") &&
	    !strncmp(a.obj, obj, strlen(obj) - 2) && !strcmp(a.act, "write"))
		return g_str_has_suffix(a.obj, ".PT") || g_str_has_suffix(a.obj, ".OWNER");
	return !strcmp(a.act, act) && !strcmp(a.obj, obj) && !strcmp(a.prim, prim);
}

/* --- one run -------------------------------------------------------------------------- */

/* The entry that a walk ends at now: not always the same one */
static u64 entry_now(struct race *r)
{
	return *replay_slot(r->p, number(r, "e.gpa"), number(r, "e.level"));
}

static void run_b(struct race *r)
{
	struct replay *b = &r->b;
	u16 lp = sim_self->lp;

	r->in_b = r->b_done = true;
	r->at_pause = entry_now(r);
	*b = *r->p;
	b->f = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	operation(r, b, "B.");
	replay_op(b);
	g_hash_table_unref(b->f);
	r->after_b = entry_now(r);
	test_on_lp(lp);
	r->in_b = false;
}

static void follow(struct record *rec, const struct event *ev)
{
	struct race *r = rec->ctx;
	const struct region *reg;

	if (r->in_b || ev->type != EV_STEP)
		return;
	reg = region_at(ev->p);
	g_array_append_val(r->steps, *ev);
	g_array_set_size(r->regions, r->steps->len);
	if (reg)
		g_array_index(r->regions, struct region, r->steps->len - 1) = *reg;
	if (r->steps->len == r->stop && !r->b_done)
		run_b(r);
}

static void set_up(struct race *r)
{
	GPtrArray *lines = g_hash_table_lookup(r->setups, word(r, "on"));
	struct replay *p = r->p;

	replay_parse(p, lines->pdata[0]);
	g_hash_table_insert(p->f, g_strdup("op_state"), g_strdup(replay_text(p, "init")));
	replay_begin(p);
	for (u32 i = 1; i < lines->len; i++) {
		replay_parse(p, lines->pdata[i]);
		replay_op(p);
		if (p->hold.p)
			module_lock_release(&p->hold, p->hold_how);
	}
	r->start = r->at_pause = r->after_b = entry_now(r);
	r->b_done = false;
}

/* A with B before its step @stop; UINT32_MAX: A alone, to see its steps */
static void run_a(struct race *r, u32 stop)
{
	set_up(r);
	g_array_set_size(r->steps, 0);
	g_array_set_size(r->regions, 0);
	r->stop = stop;
	operation(r, r->p, "A.");
	if (!stop)
		run_b(r);
	r->rec = (struct record){ .hook = follow, .ctx = r };
	record_start(r->p->sim, &r->rec);
	replay_op(r->p);
	record_stop(r->p->sim, &r->rec);
}

static bool same(struct race *r, const char *what, u64 got, u64 want)
{
	if (got == want)
		return true;
	if (!*r->why)
		g_snprintf(r->why, sizeof(r->why), "before step %u: %s is 0x%llx, recorded 0x%llx",
			   r->stop, what, (unsigned long long)got, (unsigned long long)want);
	return false;
}

static bool same_result(struct race *r, const struct replay *p, const char *prefix)
{
	static const char *const names[] = { "rax", "rcx", "rdx" };
	const u64 got[] = { p->r.rax, p->r.rcx, p->r.rdx };
	g_autofree char *exit = g_strconcat(prefix, "exit", NULL);
	bool td = g_str_has_prefix(word(r, exit), "td");

	if (!same(r, exit, g_str_has_prefix(p->exit, "td"), td))
		return false;
	for (u32 i = 0; i < 3; i++) {
		g_autofree char *key = g_strconcat(prefix, names[i], NULL);

		if (g_hash_table_contains(r->line, key) && !same(r, key, got[i], number(r, key)))
			return false;
	}
	return true;
}

static u64 nth(struct race *r, const char *key, u32 i)
{
	g_auto(GStrv) parts = g_strsplit(word(r, key), ",", -1);

	return g_ascii_strtoull(parts[i], NULL, 0);
}

static bool same_state(struct race *r)
{
	struct replay *p = r->p;

	return same(r, "TD_EPOCH", p->tdcs->epoch.td_epoch, number(r, "f.td_epoch")) &&
	       same(r, "REFCOUNT[0]", p->tdcs->epoch.refcount[0], nth(r, "f.rc", 0)) &&
	       same(r, "REFCOUNT[1]", p->tdcs->epoch.refcount[1], nth(r, "f.rc", 1)) &&
	       same(r, "SEPT_TREE", p->tdcs->sept_lock, number(r, "f.tree")) &&
	       same(r, "OP_STATE", p->tdcs->op_state_lock, number(r, "f.opl")) &&
	       same(r, "TD_EPOCH lock", p->tdcs->epoch.lock, number(r, "f.epl")) &&
	       same(r, "KOT", p->mod->kot_lock, number(r, "f.kotl")) &&
	       same(r, "TDR", p->mod->pamt_4k[1].lock, number(r, "f.tdrl")) &&
	       same(r, "PAMT_1G", p->mod->pamt_1g[0].lock, number(r, "f.p1gl")) &&
	       same(r, "PAMT_2M", p->mod->pamt_2m[0].lock, number(r, "f.p2ml_tdr")) &&
	       same(r, "CHLDCNT", p->tdr->chldcnt, number(r, "f.cc")) &&
	       same(r, "NUM_ASSOC_VCPUS", p->tdcs->num_assoc_vcpus, number(r, "f.assoc")) &&
	       same(r, "LIFECYCLE_STATE", p->tdr->lifecycle, nth(r, "f.lc", 0)) &&
	       same(r, "KOT.STATE", p->mod->kot[33].state, nth(r, "f.lc", 1)) &&
	       same(r, "S-EPT", (u32)replay_digest(0x5000, 3),
		    strtoull(word(r, "f.td"), NULL, 16));
}

static bool as_recorded(struct race *r, u32 stop)
{
	run_a(r, stop);
	assert_true(r->b_done);
	if (!same(r, "the entry at the start", r->start, number(r, "e.start")) ||
	    !same(r, "the entry at the pause", r->at_pause, number(r, "e.at_pause")) ||
	    !same(r, "the entry after B", r->after_b, number(r, "e.after_B")) ||
	    !same(r, "the entry at the end", entry_now(r), number(r, "e.final")) ||
	    !same_result(r, &r->b, "br.") || !same_result(r, r->p, "ar.") || !same_state(r) ||
	    !same(r, "violations", check_count(r->p->sim), 0))
		return false;
	operation(r, r->p, "f.");
	r->p->line = word(r, "case");
	replay_check_locks(r->p, "tree", word(r, "f.pl"), true);
	return true;
}

/* Returns how many of A's steps could be meant */
static u32 play(struct race *r)
{
	g_autoptr(GArray) candidates = g_array_new(FALSE, FALSE, sizeof(u32));

	*r->why = 0;
	run_a(r, UINT32_MAX);
	for (u32 i = 0; i < r->steps->len; i++) {
		if (is_pause(r, i))
			g_array_append_val(candidates, i);
	}
	for (u32 i = 0; i < candidates->len; i++) {
		if (as_recorded(r, g_array_index(candidates, u32, i)))
			return candidates->len;
	}
	fail_msg("case %s: %s %s, %s before %s %s (%s): %s", word(r, "case"), word(r, "A.op"),
		 word(r, "on"), word(r, "B.op"), word(r, "p.act"), word(r, "p.obj"),
		 word(r, "p.prim"), *r->why ? r->why : "A has no such step");
	return 0;
}

static void test_races(void **state)
{
	const char *other = getenv("TDX_RACES");
	g_autofree char *all = NULL;
	struct replay p = {
		.f = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
	};
	struct race r = {
		.p = &p,
		.setups = g_hash_table_new(g_str_hash, g_str_equal),
		.steps = g_array_new(FALSE, FALSE, sizeof(struct event)),
		.regions = g_array_new(FALSE, TRUE, sizeof(struct region)),
	};
	GPtrArray *lines = NULL;
	u32 n = 0, exact = 0;

	if (other)
		assert_true(g_file_get_contents(other, &all, NULL, NULL));
	else
		all = test_file("races.txt");
	for (char *line = all, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		assert_non_null(end);
		*end = 0;
		if (*line == '#')
			continue;
		replay_parse(&p, line);
		if (g_hash_table_contains(p.f, "setup")) {
			lines = g_ptr_array_new();
			g_hash_table_insert(r.setups, g_strdup(replay_text(&p, "setup")), lines);
		}
		if (!g_hash_table_contains(p.f, "case")) {
			g_ptr_array_add(lines, line);
			continue;
		}
		r.line = p.f;
		p.f = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
		exact += play(&r) == 1;
		n++;
		g_hash_table_unref(r.line);
	}
	print_message("%u races, %u with one possible place\n", n, exact);
	assert_true(n > 100 && exact > n / 2);
	sim_free(p.sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_races),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
