// SPDX-License-Identifier: GPL-2.0-only
/*
 * Columns: a word of `measure`, what it reads in a run, and how its numbers are written.
 * A metric's name with parts ("busy TDH.MEM.TRACK ...") answers for all below a shorter one.
 */
#include <string.h>

#include "scenarios/diag.h"
#include "sim/report/bench.h"

#define CYCLES_PER_US	3000u		/* the reference clock, 3 GHz */
#define CYCLES_PER_S	3000000000ull

enum { STAT_SUM, STAT_COUNT, STAT_MEAN, STAT_P50, STAT_P90, STAT_P99, STAT_P999, STAT_MAX };

static const struct {
	const char *suffix;
	guint permille;		/* of a percentile */
} stats[] = {
	[STAT_SUM] = { ".sum", 0 }, [STAT_COUNT] = { ".count", 0 }, [STAT_MEAN] = { ".mean", 0 },
	[STAT_P50] = { ".p50", 500 }, [STAT_P90] = { ".p90", 900 }, [STAT_P99] = { ".p99", 990 },
	[STAT_P999] = { ".p999", 999 }, [STAT_MAX] = { ".max", 1000 },
};

/* Of a run as a whole */
#define TIME	"time"
#define RATE	"pages/s"

static const char *const defaults[] = {
	RATE, TIME, "stall.p50", "stall.p99", "fault.p99", "fault-laps.max", "zap.p50", "zap.p99",
	"convert.p50", "convert.p99", "kick.p99", "count:kicks", "count:ipis", "busy",
	"count:retries", "entries-refused", "count:zero-step", "kicked-out.sum",
	"hold:mmu_lock:write.p99", "wait:mmu_lock.p99",
};

static const struct measure_word *word_of(const char *metric)
{
	const struct measure_word *w;
	gsize len = strcspn(metric, " ");
	guint n;

	w = measure_words(&n);
	for (guint i = 0; i < n; i++)
		if (strlen(w[i].word) == len && !strncmp(w[i].word, metric, len))
			return &w[i];
	return NULL;
}

static const char *near_word(const char *spec)
{
	const char *names[64] = { TIME, RATE };
	const struct measure_word *w;
	guint n;

	w = measure_words(&n);
	for (guint i = 0; i < n && i < G_N_ELEMENTS(names) - 3; i++)
		names[i + 2] = w[i].word;
	return diag_nearest(spec, names);
}

struct bench_column *bench_column_new(const char *spec, const char **hint)
{
	struct bench_column *c = g_new0(struct bench_column, 1);
	const struct measure_word *w;

	c->spec = g_strdup(spec);
	c->metric = g_strdelimit(g_strdup(spec), ":", ' ');
	c->stat = -1;
	for (guint i = 0; i < G_N_ELEMENTS(stats); i++) {
		if (!g_str_has_suffix(c->metric, stats[i].suffix))
			continue;
		c->metric[strlen(c->metric) - strlen(stats[i].suffix)] = '\0';
		c->stat = (int)i;
	}
	if (!strcmp(spec, TIME) || !strcmp(spec, RATE)) {
		c->cycles = !strcmp(spec, TIME);
		c->more_is_better = !c->cycles;
		return c;
	}
	w = word_of(c->metric);
	if (!w || (c->stat > STAT_COUNT && strcmp(w->unit, "cycles") &&
		   strcmp(w->word, "fault-laps"))) {
		*hint = w ? NULL : near_word(c->metric);
		bench_column_free(c);
		return NULL;
	}
	c->cycles = !strcmp(w->unit, "cycles") && c->stat != STAT_COUNT;
	if (c->stat < 0)
		c->stat = c->cycles ? STAT_P50 : STAT_SUM;
	c->more_is_better = !strcmp(w->word, "pages") || !strcmp(w->word, "entries");
	return c;
}

void bench_column_free(gpointer p)
{
	struct bench_column *c = p;

	g_free(c->spec);
	g_free(c->metric);
	g_free(c);
}

/* Does metric @name belong under @prefix: the same, or more words after it? */
static gboolean under(const char *name, const char *prefix)
{
	gsize n = strlen(prefix);

	return !strncmp(name, prefix, n) && (name[n] == '\0' || name[n] == ' ');
}

#define NOTHING		G_MAXUINT64	/* a time of what never happened */

static guint64 stat_of(int stat, const struct hist *h)
{
	switch (stat) {
	case STAT_SUM:
		return h->sum;
	case STAT_COUNT:
		return h->count;
	case STAT_MEAN:
		return hist_mean(h);
	default:
		return hist_at(h, stats[stat].permille);
	}
}

static guint64 value_of(const struct bench_column *c, const struct bench_result *r)
{
	const struct metric *one = measure_find(r->measure, c->metric);
	struct hist sum = { 0 };
	GPtrArray *all;
	guint64 v;

	if (c->stat < 0 && c->cycles)
		return r->cycles;
	if (c->stat < 0) {
		one = measure_find(r->measure, "pages");
		return one && r->cycles ? (guint64)((unsigned __int128)one->hist.sum *
						    CYCLES_PER_S / r->cycles) : 0;
	}
	if (one)
		return stat_of(c->stat, &one->hist);
	all = measure_all(r->measure);
	for (guint i = 0; i < all->len; i++) {
		const struct metric *x = all->pdata[i];

		if (!under(x->name, c->metric))
			continue;
		if (x->counted)
			sum.sum += x->hist.sum;
		else
			hist_merge(&sum, &x->hist);
	}
	v = c->cycles && !sum.count && c->stat >= STAT_MEAN ? NOTHING : stat_of(c->stat, &sum);
	hist_fini(&sum);
	g_ptr_array_unref(all);
	return v;
}

/* ---- what a report keeps ---- */

static void cell_free(gpointer p)
{
	struct bench_cell *cell = p;

	g_array_unref(cell->runs);
	measure_free(cell->all);
	g_free(cell);
}

void bench_report_init(struct bench_report *rep)
{
	const char *hint;

	rep->cells = g_ptr_array_new_with_free_func(cell_free);
	rep->columns = g_ptr_array_new_with_free_func(bench_column_free);
	rep->defaults = g_ptr_array_new_with_free_func(bench_column_free);
	for (guint i = 0; i < G_N_ELEMENTS(defaults); i++) {
		struct bench_column *c = bench_column_new(defaults[i], &hint);

		c->at = i;
		g_ptr_array_add(rep->defaults, c);
	}
}

void bench_report_fini(struct bench_report *rep)
{
	g_ptr_array_unref(rep->cells);
	g_ptr_array_unref(rep->columns);
	g_ptr_array_unref(rep->defaults);
	g_free(rep->backends);
	g_free(rep->tree);
	g_free(rep->tree_text);
}

void bench_report_add(struct bench_report *rep, struct bench_column *c)
{
	for (guint k = 0; k < rep->columns->len; k++)
		if (!strcmp(((struct bench_column *)rep->columns->pdata[k])->spec, c->spec)) {
			bench_column_free(c);
			return;
		}
	c->at = rep->defaults->len + rep->columns->len;
	g_ptr_array_add(rep->columns, c);
}

static void run_clear(gpointer p)
{
	struct bench_run *run = p;

	g_free(run->why);
	g_free(run->value);
}

struct bench_cell *bench_cell_new(void)
{
	struct bench_cell *cell = g_new0(struct bench_cell, 1);

	cell->runs = g_array_new(FALSE, TRUE, sizeof(struct bench_run));
	g_array_set_clear_func(cell->runs, run_clear);
	cell->all = measure_new();
	return cell;
}

static void values_of(const GPtrArray *columns, const struct bench_result *r, guint64 *value)
{
	for (guint k = 0; k < columns->len; k++) {
		const struct bench_column *c = columns->pdata[k];

		value[c->at] = value_of(c, r);
	}
}

void bench_take_run(const struct bench_report *rep, struct bench_cell *cell, guint i,
		    struct bench_result *r)
{
	struct bench_run *run = &g_array_index(cell->runs, struct bench_run, i);

	run->end = r->end;
	run->why = g_steal_pointer(&r->why);
	if (r->end == BENCH_DONE) {
		run->value = g_new0(guint64, rep->defaults->len + rep->columns->len);
		values_of(rep->defaults, r, run->value);
		values_of(rep->columns, r, run->value);
		measure_merge(cell->all, r->measure);
	}
	bench_result_free(r);
}

struct bench_stat bench_cell_stat(const struct bench_column *c, const struct bench_cell *cell)
{
	guint64 *v = g_new(guint64, cell->runs->len + 1);
	struct bench_stat s;
	guint n = 0;

	for (guint i = 0; i < cell->runs->len; i++) {
		const struct bench_run *run = &g_array_index(cell->runs, struct bench_run, i);

		if (run->value && run->value[c->at] != NOTHING)
			v[n++] = run->value[c->at];
	}
	s = bench_stat(v, n);
	g_free(v);
	return s;
}

const struct bench_run *bench_cell_broken(const struct bench_cell *cell)
{
	for (guint i = 0; i < cell->runs->len; i++) {
		const struct bench_run *run = &g_array_index(cell->runs, struct bench_run, i);

		if (run->end != BENCH_DONE)
			return run;
	}
	return NULL;
}

gboolean bench_cell_refused(const struct bench_cell *cell)
{
	const struct bench_run *r = bench_cell_broken(cell);

	return r && r->end == BENCH_REFUSED;
}

gboolean bench_cell_counts(const struct bench_column *c, const struct bench_cell *cell)
{
	for (guint i = 0; i < cell->runs->len; i++) {
		const struct bench_run *run = &g_array_index(cell->runs, struct bench_run, i);

		if (run->value && run->value[c->at] && run->value[c->at] != NOTHING)
			return TRUE;
	}
	return FALSE;
}

/* Does the file of one of these cells measure @c? One that measures nothing takes all. */
static gboolean asks(const struct bench_report *rep, guint from, guint to,
		     const struct bench_column *c)
{
	for (guint i = from; i < to; i++) {
		const GPtrArray *m = ((struct bench_cell *)rep->cells->pdata[i])->measures;

		if (!m->len)
			return TRUE;
		for (guint k = 0; k < m->len; k++)
			if (!strcmp(m->pdata[k], c->spec))
				return TRUE;
	}
	return FALSE;
}

static void in_order(const GPtrArray *columns, const GPtrArray *measures, GPtrArray *to)
{
	for (guint m = 0; m < measures->len; m++)
		for (guint k = 0; k < columns->len; k++)
			if (!strcmp(((struct bench_column *)columns->pdata[k])->spec,
				    measures->pdata[m]))
				g_ptr_array_add(to, columns->pdata[k]);
}

GPtrArray *bench_columns_of(const struct bench_report *rep, guint from, guint to)
{
	const GPtrArray *asked = rep->columns, *all = asked->len ? asked : rep->defaults;
	GPtrArray *some = g_ptr_array_new();

	if (from < to)		/* what the file measures first comes first */
		in_order(asked, ((struct bench_cell *)rep->cells->pdata[from])->measures, some);
	for (guint k = 0; k < all->len; k++)
		if ((!asked->len || asks(rep, from, to, all->pdata[k])) &&
		    !g_ptr_array_find(some, all->pdata[k], NULL))
			g_ptr_array_add(some, all->pdata[k]);
	for (guint k = some->len; k-- > 0;) {
		const struct bench_column *c = some->pdata[k];
		gboolean counts = asked->len && !c->cycles;

		for (guint i = from; i < to && !counts; i++)
			counts = bench_cell_counts(c, rep->cells->pdata[i]);
		if (!counts)
			g_ptr_array_remove_index(some, k);
	}
	return some;
}

/* Three digits that count: 1.23, 12.3, 123 */
static char *three_digits(guint64 v, guint64 unit, const char *name)
{
	guint64 hundredths = (guint64)(((unsigned __int128)v * 100 + unit / 2) / unit);

	if (hundredths < 1000)
		return g_strdup_printf("%u.%02u%s", (guint)(hundredths / 100),
				       (guint)(hundredths % 100), name);
	if (hundredths < 10000)
		return g_strdup_printf("%u.%u%s", (guint)(hundredths / 100),
				       (guint)(hundredths / 10 % 10), name);
	return g_strdup_printf("%" G_GUINT64_FORMAT "%s", hundredths / 100, name);
}

char *bench_number(const struct bench_column *c, guint64 v)
{
	if (c->cycles) {
		if (v < 1000ull * CYCLES_PER_US)
			return three_digits(v, CYCLES_PER_US, " us");
		if (v < 1000000ull * CYCLES_PER_US)
			return three_digits(v, 1000ull * CYCLES_PER_US, " ms");
		return three_digits(v, CYCLES_PER_S, " s");
	}
	if (v < 10000)
		return g_strdup_printf("%" G_GUINT64_FORMAT, v);
	if (v < 10000000)
		return three_digits(v, 1000, "k");
	return three_digits(v, 1000000, "M");
}

gboolean bench_same_point(const struct bench_cell *a, const struct bench_cell *b)
{
	return !strcmp(a->scenario, b->scenario) && !strcmp(a->case_name, b->case_name) &&
	       !strcmp(a->point, b->point) && !strcmp(a->tdx, b->tdx);
}

const char *bench_level_name(enum cost_level l)
{
	return (const char *[]){ "low", "typical", "high" }[l];
}

const struct bench_cell *bench_cell_at(const struct bench_report *rep,
				       const struct bench_cell *like, const char *policy,
				       enum cost_level level)
{
	for (guint i = like->from; i < like->to; i++) {
		const struct bench_cell *x = rep->cells->pdata[i];

		if (x->level == level && !strcmp(x->policy, policy) && bench_same_point(x, like))
			return x;
	}
	return NULL;
}

gboolean bench_several_levels(const struct bench_report *rep)
{
	const struct bench_cell *first = rep->cells->len ? rep->cells->pdata[0] : NULL;

	for (guint i = 1; i < rep->cells->len; i++)
		if (((struct bench_cell *)rep->cells->pdata[i])->level != first->level)
			return TRUE;
	return FALSE;
}

/*
 * A ranking holds where it is the same at each price level that was run; with one level it
 * is said for that level alone.
 */
char *bench_verdict(const struct bench_report *rep, const struct bench_column *c,
		    const struct bench_cell *cell)
{
	GString *at = g_string_new(NULL);
	gboolean sure = TRUE, small = FALSE;
	int which = 0, differs = 0;
	guint levels = 0;
	char *text;

	if (!strcmp(cell->policy, rep->baseline)) {
		g_string_free(at, TRUE);
		return NULL;
	}
	for (enum cost_level l = COST_LOW; l <= COST_HIGH; l++) {
		const struct bench_cell *mine = bench_cell_at(rep, cell, cell->policy, l);
		const struct bench_cell *base = bench_cell_at(rep, cell, rep->baseline, l);
		struct bench_stat a, b;
		int one;

		if (!mine || !base)
			continue;
		a = bench_cell_stat(c, mine);
		b = bench_cell_stat(c, base);
		if (bench_cell_broken(mine) || bench_cell_broken(base)) {
			g_string_free(at, TRUE);
			return g_strdup(bench_cell_refused(mine) || bench_cell_refused(base) ?
					"not ranked: refused" : "not ranked: broken");
		}
		if (!a.n || !b.n) {
			g_string_free(at, TRUE);
			return g_strdup("not ranked: it never happened");
		}
		one = bench_differ(&a, &b);
		small |= one && bench_negligible(&a, &b);
		sure &= a.sure && b.sure;
		g_string_append_printf(at, "%s%s", levels ? ", " : "", bench_level_name(l));
		if (!levels)
			which = one;
		differs |= one != which;
		levels++;
	}
	if (!levels)
		text = NULL;
	else if (differs)
		text = g_strdup("not decided: changes with the price level");
	else if (!which)
		text = g_strdup("not decided: the intervals touch");
	else if (small)
		text = g_strdup("not decided: they differ by less than 2 %");
	else if (!sure)
		text = g_strdup("not decided: fewer than 6 seeds");
	else
		text = g_strdup_printf("%s at %s", (which < 0) == !c->more_is_better ? "better" :
				       "worse", at->str);
	g_string_free(at, TRUE);
	return text;
}

char *bench_replay(const struct bench_report *rep, const struct bench_cell *cell,
		   const struct bench_run *run)
{
	GString *s = g_string_new("septsim bench ");
	char **words = g_strsplit(cell->point, " ", -1);
	guint seed = (guint)(run - &g_array_index(cell->runs, struct bench_run, 0));

	g_string_append(s, cell->path);
	for (char **w = words; *w; w++)
		if (**w)
			g_string_append_printf(s, " -D %s", *w);
	if (!g_strcmp0(cell->policy, rep->tree))
		g_string_append(s, " --kvm linux");
	else
		g_string_append_printf(s, " --policy %s", cell->policy);
	g_string_append_printf(s, " --cost-level %s --seeds 1 --max-seeds 1 --seed %"
			       G_GUINT64_FORMAT, bench_level_name(cell->level),
			       rep->first_seed + seed);
	if (rep->jitter != BENCH_JITTER)
		g_string_append_printf(s, " --jitter %" G_GUINT64_FORMAT, rep->jitter);
	g_strfreev(words);
	return g_string_free(s, FALSE);
}
