// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the events of a way to the rows of a schedule. A row is one actor alone; it ends where
 * the operation does, or at the event that had just happened when another went on. Rests on
 * docs/language.md, "Schedule" and "Conditions".
 */
#include "scenarios/found.h"

#include <string.h>

#include "sim/engine/region.h"
#include "sim/engine/sim.h"

enum what { BEGINS, ENDS, STEPS, HAPPENS };

struct entry {
	guint actor;		/* of the cast */
	enum what what;
	const char *text;	/* of the operation, or of the condition; NULL: it has no name */
};

struct found_log {
	struct player *pl;
	GArray *entries;
	GStringChunk *strings;
	const char **begun;	/* by actor: an operation that has no entry yet */
	gboolean *fresh;	/* by actor: at an operation's beginning, before its first step */
};

struct found_log *found_log_new(struct player *pl, const char *const *begun)
{
	struct found_log *log = g_new0(struct found_log, 1);

	log->pl = pl;
	log->begun = g_memdup2(begun, pl->ncast * sizeof(*begun));
	log->fresh = g_new0(gboolean, pl->ncast);
	log->entries = g_array_new(FALSE, FALSE, sizeof(struct entry));
	log->strings = g_string_chunk_new(4096);
	return log;
}

void found_log_free(struct found_log *log)
{
	if (!log)
		return;
	g_array_unref(log->entries);
	g_string_chunk_free(log->strings);
	g_free(log->begun);
	g_free(log->fresh);
	g_free(log);
}

/* ---- listening ---- */

static const char *keep(struct found_log *log, char *text)
{
	const char *kept = g_string_chunk_insert_const(log->strings, text);

	g_free(text);
	return kept;
}

static const char *step_text(struct found_log *log, const struct event *ev)
{
	char name[96];

	if (!ev->p || !region_at(ev->p))
		return NULL;
	region_name_of(ev->p, name, sizeof(name));
	return keep(log, g_strdup_printf("%s %s", event_stores(ev) ? "writes" : "reads", name));
}

static const char *event_text(struct found_log *log, const struct event *ev)
{
	static const char *const words[EV_TYPES] = {
		[EV_LOCK] = "lock", [EV_UNLOCK] = "unlock", [EV_BUSY] = "busy", [EV_CALL] = "call",
		[EV_RETURN] = "return",
	};

	switch (ev->type) {
	case EV_STEP:
		return step_text(log, ev);
	case EV_LOCK:
	case EV_UNLOCK:
	case EV_BUSY:
		if (!scn_lock_word_find(ev->name))
			return NULL;
		break;
	case EV_CALL:
	case EV_RETURN:
		if (!strchr(ev->name, '.'))
			return NULL;	/* leaves; of functions not all have a name to wait for */
		break;
	case EV_ENTER:
		return "enter";
	case EV_KICK:
		return keep(log, g_strdup_printf("kick %s", ev->name));
	default:
		return NULL;
	}
	return keep(log, g_strdup_printf("%s %s", words[ev->type], ev->name));
}

guint found_actor(const struct player *pl, const struct event *ev)
{
	guint i = 0;

	while (i < pl->ncast && pl->cast[i].actor->id != ev->actor)
		i++;
	return i;
}

void found_log_event(void *ctx, const struct event *ev)
{
	struct found_log *log = ctx;
	struct entry e = { .what = HAPPENS, .actor = found_actor(log->pl, ev) };

	if (e.actor == log->pl->ncast)
		return;		/* who runs in the background comes when somebody waits for it */
	if (log->begun[e.actor]) {
		struct entry begun = { e.actor, BEGINS, log->begun[e.actor] };

		g_array_append_val(log->entries, begun);
		log->begun[e.actor] = NULL;
		log->fresh[e.actor] = TRUE;
	}
	/* The step by which a search lets an operation begin is none of a run. */
	if (ev->type == EV_STEP && log->fresh[e.actor]) {
		log->fresh[e.actor] = FALSE;
		if (ev->op == MEM_FENCE)
			return;
	}
	switch (ev->type) {
	case EV_OP_BEGIN:
		e.what = BEGINS;
		log->fresh[e.actor] = TRUE;
		e.text = g_string_chunk_insert_const(log->strings, ev->name);
		break;
	case EV_OP_END:
		e.what = ENDS;
		break;
	case EV_STEP:
		e.what = STEPS;
		e.text = event_text(log, ev);
		break;
	default:
		e.text = event_text(log, ev);
		if (!e.text)
			return;
	}
	g_array_append_val(log->entries, e);
}

/* ---- rows ---- */

struct piece {
	guint actor;
	guint from, to;		/* entries */
	const char *begins;	/* an operation, or NULL: it goes on */
	gboolean ends;
	guint steps;
};

static const struct entry *at(const struct found_log *log, guint i)
{
	return &g_array_index(log->entries, struct entry, i);
}

/* What one actor did of one operation in one go. */
static GArray *pieces_of(const struct found_log *log)
{
	GArray *all = g_array_new(FALSE, TRUE, sizeof(struct piece));
	struct piece *p = NULL;

	for (guint i = 0; i < log->entries->len; i++) {
		const struct entry *e = at(log, i);

		if (!p || p->actor != e->actor || p->ends || e->what == BEGINS) {
			struct piece fresh = { .actor = e->actor, .from = i };

			g_array_append_val(all, fresh);
			p = &g_array_index(all, struct piece, all->len - 1);
		}
		p->to = i + 1;
		if (e->what == BEGINS)
			p->begins = e->text;
		p->ends |= e->what == ENDS;
		p->steps += e->what == STEPS;
	}
	return all;
}

/*
 * An operation that was begun and took no step is begun by the row that steps; but for the last
 * one, which breaks the rule before its first step.
 */
static void join(GArray *pieces)
{
	for (guint i = 0; i < pieces->len; i++) {
		struct piece *p = &g_array_index(pieces, struct piece, i);

		if (p->steps || p->ends || (p->begins && i + 1 == pieces->len))
			continue;
		for (guint k = i + 1; p->begins && k < pieces->len; k++) {
			struct piece *q = &g_array_index(pieces, struct piece, k);

			if (q->actor != p->actor)
				continue;
			q->begins = p->begins;
			break;
		}
		g_array_remove_index(pieces, i--);
	}
}

/* The event that had just happened, by its name and number in the row. */
static char *last_event(const struct found_log *log, const struct piece *p)
{
	const char *name = NULL;
	guint n = 0;

	for (guint i = p->to; i-- > p->from && !(name && at(log, i)->what != STEPS);) {
		const struct entry *e = at(log, i);

		if (e->text && e->what != BEGINS)
			name = e->text;
		if (e->what == STEPS)
			break;
	}
	if (!name)
		return NULL;
	for (guint i = p->from; i < p->to; i++)
		n += at(log, i)->what != BEGINS && at(log, i)->text == name;
	return n > 1 ? g_strdup_printf("%s x%u", name, n) : g_strdup(name);
}

static char *cell_text(const struct found_log *log, const struct piece *p, gboolean last,
		       gboolean named)
{
	char *event, *text;

	if (p->ends || last)	/* what is broken is broken on the way to the end */
		return p->begins ? g_strdup(p->begins) : g_strdup(".. end");
	event = named ? last_event(log, p) : NULL;
	if (!event)
		event = g_strdup_printf("step x%u", p->steps);
	text = g_strdup_printf("%s%s.. %s", p->begins ? p->begins : "", p->begins ? " " : "", event);
	g_free(event);
	return text;
}

static void add_table(const struct found_log *log, gboolean named, GString *out)
{
	GArray *pieces = pieces_of(log);
	guint n = log->pl->ncast, *width = g_new0(guint, n);
	char **cell;

	join(pieces);
	cell = g_new0(char *, pieces->len + 1);
	for (guint i = 0; i < pieces->len; i++) {
		const struct piece *p = &g_array_index(pieces, struct piece, i);
		guint name = (guint)strlen(log->pl->cast[p->actor].scn->name);

		cell[i] = cell_text(log, p, i + 1 == pieces->len, named);
		width[p->actor] = MAX(width[p->actor], MAX(name, (guint)strlen(cell[i])));
	}
	g_string_append(out, "\nschedule\n");
	for (guint row = 0; row <= pieces->len; row++) {
		const struct piece *p = row ? &g_array_index(pieces, struct piece, row - 1) : NULL;
		const char *bar = "   ";

		for (guint a = 0; a < n; a++) {
			if (!width[a])
				continue;
			g_string_append_printf(out, "%s %-*s", bar, (int)width[a],
					       !p ? log->pl->cast[a].scn->name :
					       p->actor == a ? cell[row - 1] : "");
			bar = " |";
		}
		while (out->str[out->len - 1] == ' ')
			g_string_truncate(out, out->len - 1);
		g_string_append_c(out, '\n');
	}
	g_strfreev(cell);
	g_free(width);
	g_array_unref(pieces);
}

/* ---- what the rows stand in ---- */

static void add_td(const struct scn_td *td, guint lps, GString *out)
{
	static const char *const manual[] = { "off", "on", NULL, "initially-set" };

	g_string_append_printf(out, "td       %s%svcpus=%u lps=%u packages=%u memory=%" G_GUINT64_FORMAT
			       "K levels=%u max-level=%s pve=%s notify=%s nx-huge-pages=%s "
			       "dirty-log=%s%s\n", td->name, *td->name ? " " : "", td->vcpus, lps, MAX(td->packages, 1u),
			       td->memory >> 10, td->levels, scn_level_name(td->max_level),
			       td->pve ? "on" : "off", td->notify ? "on" : "off",
			       td->nx_huge_pages ? "on" : "off", td->dirty_log ? "on" : "off",
			       td->state == SCN_TD_STATE_INITIALIZED ? " state=initialized" :
			       td->state == SCN_TD_STATE_NONE ? " state=none" : "");
	if (td->type != SCN_TD_TYPE_DEFAULT)
		return;
	g_string_truncate(out, out->len - 1);
	g_string_append_printf(out, " type=default ad=%s pml=%s manual-protect=%s\n",
			       td->no_ad ? "off" : "on", td->no_pml ? "off" : "on",
			       manual[td->manual_protect]);
}

static void add_ops(const GPtrArray *ops, int indent, GString *out)
{
	for (guint i = 0; i < ops->len; i++) {
		const struct scn_op *op = ops->pdata[i];

		g_string_append_printf(out, "%*s%s\n", indent, "", op->text);
		if (op->word->code != SCN_OP_REPEAT)
			continue;
		add_ops(op->body, indent + 4, out);
		g_string_append_printf(out, "%*send\n", indent, "");
	}
}

static void add_guest(const struct scn_actor *a, GString *out)
{
	static const char *const ve[] = {
		[SCN_ON_VE_ACCEPT] = "accept", [SCN_ON_VE_DIE] = "die", [SCN_ON_VE_COUNT] = "count",
	};
	static const char *const busy[] = {
		[SCN_ON_BUSY_RETRY] = "retry", [SCN_ON_BUSY_DIE] = "die",
		[SCN_ON_BUSY_COUNT] = "count",
	};

	if (!a->guest)
		return;
	g_string_append_printf(out, "\nguest %s\n", a->name);
	if (a->guest->on_ve != SCN_ON_VE_ACCEPT)
		g_string_append_printf(out, "    on-ve %s\n", ve[a->guest->on_ve]);
	if (a->guest->on_busy != SCN_ON_BUSY_RETRY)
		g_string_append_printf(out, "    on-busy %s\n", busy[a->guest->on_busy]);
	add_ops(a->guest->ops, 4, out);
}

static void add_policy(const struct player *pl, GString *out)
{
	const struct scn_policy_ref *ref = &pl->c->policy;

	if (pl->opt->policy) {
		g_string_append_printf(out, "policy   %s", pl->opt->policy);
		for (const char *const *p = pl->opt->policy_args; p && *p; p++)
			g_string_append_printf(out, " %s", *p);
		g_string_append_c(out, '\n');
	}
	if (pl->opt->policy || !ref->name)
		return;
	g_string_append_printf(out, "policy   %s", ref->name);
	for (guint i = 0; ref->args && i < ref->args->len; i++) {
		const struct scn_keyval *kv = &g_array_index(ref->args, struct scn_keyval, i);

		if (kv->value.word)
			g_string_append_printf(out, " %s=%s", kv->key, kv->value.word);
		else
			g_string_append_printf(out, " %s=%" G_GUINT64_FORMAT, kv->key, kv->value.num);
	}
	g_string_append_c(out, '\n');
}

static void add_init(const struct player *pl, GString *out)
{
	if (pl->c->init->len)
		g_string_append(out, "\ninit\n");
	for (guint i = 0; i < pl->c->init->len; i++) {
		const struct scn_cell *cell = pl->c->init->pdata[i];

		g_string_append_printf(out, "    %s: %s\n", pl->cast[cell->actor].scn->name,
				       cell->text);
	}
}

char *found_text(const struct found_log *log, const char *check, const char *where,
		 gboolean named)
{
	const struct player *pl = log->pl;
	const struct play_result *r = pl->res;
	GString *out = g_string_new(NULL);
	gboolean no_rule = !strcmp(check, "deadlock");

	g_string_append_printf(out, "# Found by septsim %s explore in %s%s%s: %s%s%s\n",
			       SEPTSIM_VERSION, pl->sc->name, *pl->c->name ? ", case " : "",
			       pl->c->name, check, *where ? " " : "", where);
	if (*r->title)
		g_string_append_printf(out, "title    %s\n", r->title);
	for (guint i = 0; i < pl->sc->sources->len; i++)
		g_string_append_printf(out, "source   %s\n", (char *)pl->sc->sources->pdata[i]);
	for (guint i = 0; i < pl->c->tds->len; i++)
		add_td(pl->c->tds->pdata[i], sim_options(pl->sim)->lps, out);
	g_string_append_printf(out, "variant  kvm=%s tdx=%s%s%s\n", r->kvm, r->tdx,
			       *r->switches ? " " : "", r->switches);
	add_policy(pl, out);
	for (guint i = 0; i < pl->c->tolerate->len; i++)
		g_string_append_printf(out, "tolerate %s\n", (char *)pl->c->tolerate->pdata[i]);
	for (guint i = 0; i < pl->c->forbid->len; i++)
		g_string_append_printf(out, "forbid   %s\n", (char *)pl->c->forbid->pdata[i]);
	for (guint i = 0; i < pl->ncast; i++)
		add_guest(pl->cast[i].scn, out);
	add_init(pl, out);
	add_table(log, named, out);
	if (no_rule)
		g_string_append(out, "\nexpect   deadlock\n");
	else
		g_string_append_printf(out, "\nexpect   violation %s%s%s\n", check,
				       *where && !strchr(where, ' ') ? " " : "",
				       *where && !strchr(where, ' ') ? where : "");
	return g_string_free(out, FALSE);
}
