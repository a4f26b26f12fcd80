// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pieces of files go to workers, which write one record a line, its parts apart by tabs; the
 * parent reads them in order, so that the report does not depend on who was first.
 * Rests on docs/conform.md.
 */
#include "scenarios/conform_files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "scenarios/conform.h"
#include "sim/engine/farm.h"

enum { PIECES_PER_JOB = 8 };

struct line {
	const char *text;
	size_t len;
};

struct file {
	const char *path;
	char *content;
	GArray *lines;			/* struct line */
	u32 first;			/* that is run; of a table, the one behind its header */
	enum conform_table table;
	char *header;
	GHashTable *setups;		/* name: struct conform_line */
};

struct piece {
	struct file *file;
	u32 from, to;			/* lines */
};

struct progress {			/* shared by all workers */
	u64 done, total, shown;
};

struct done {				/* of a piece; in shared memory, so that no crash takes it along */
	u64 sequences, interleavings, rows;
};

struct job {
	GArray *pieces;
	struct done *done;		/* of each */
	struct progress *progress;	/* NULL: silent */
	const char *tdx;
};

/* Worker */

struct worker {
	FILE *out;
	struct conform_player *player;
	struct conform_line *read;
	struct done *done;
	u32 line;
	GHashTable *totals;		/* set of struct conform_total, by flow and result */
};

static void put(struct worker *w, char kind, const char *const *parts)
{
	fprintf(w->out, "%c\t%u", kind, w->line);
	for (; *parts; parts++) {
		char *safe = g_strescape(*parts, NULL);

		fprintf(w->out, "\t%s", safe);
		g_free(safe);
	}
	fputc('\n', w->out);
}

static guint total_hash(gconstpointer p)
{
	const struct conform_total *t = p;

	return g_str_hash(t->flow) * 31 + g_str_hash(t->result);
}

static gboolean total_equal(gconstpointer a, gconstpointer b)
{
	const struct conform_total *x = a, *y = b;

	return !strcmp(x->flow, y->flow) && !strcmp(x->result, y->result);
}

static void on_ran(void *ctx, const char *flow, const char *result, bool agrees)
{
	struct worker *w = ctx;
	struct conform_total key = { .flow = (char *)flow, .result = (char *)result }, *t;

	t = g_hash_table_lookup(w->totals, &key);
	if (!t) {
		t = g_new0(struct conform_total, 1);
		t->flow = g_strdup(flow);
		t->result = g_strdup(result);
		g_hash_table_add(w->totals, t);
	}
	t->ran++;
	t->agreed += agrees;
}

static void on_difference(void *ctx, const struct conform_difference *d)
{
	char op[16];
	const char *const parts[] = {
		op, d->flow, d->field, d->expected, d->got, d->source ? d->source : "", NULL,
	};

	snprintf(op, sizeof(op), "%d", d->op);
	put(ctx, 'D', parts);
}

static void on_left_out(void *ctx, const char *flow, u32 ops, bool missing, const char *why)
{
	char n[16];
	const char *const parts[] = { n, missing ? "1" : "0", flow, why, NULL };

	snprintf(n, sizeof(n), "%u", ops);
	put(ctx, 'L', parts);
}

static void on_error(struct worker *w, const char *text)
{
	const char *const parts[] = { text, NULL };

	put(w, 'E', parts);
}

static void run_vector(struct worker *w, const struct file *f, const struct conform_line *line,
		       const struct conform_sink *sink)
{
	const struct conform_line *setup;
	char *text;

	if (line->kind != CONFORM_INTERLEAVING) {
		conform_sequence(w->player, line, sink);
		w->done->sequences++;
		return;
	}
	setup = g_hash_table_lookup(f->setups, line->setup);
	if (!setup) {
		text = g_strdup_printf("no setup \"%s\" in this file", line->setup);
		on_error(w, text);
		g_free(text);
		return;
	}
	conform_interleaving(w->player, line, setup, sink);
	w->done->interleavings++;
}

static void run_line(struct worker *w, const struct file *f, const struct line *l)
{
	const struct conform_sink sink = { on_ran, on_difference, on_left_out, w };
	GError *error = NULL;
	char *row;

	if (f->table) {
		row = g_strndup(l->text, l->len);
		if (conform_csv_row(f->table, f->header, row, &sink, &error))
			w->done->rows++;
		g_free(row);
	} else if (conform_line_read(w->read, l->text, l->len, &error)) {
		run_vector(w, f, w->read, &sink);
	}
	if (error)
		on_error(w, error->message);
	g_clear_error(&error);
}

static void show(struct progress *p)
{
	u64 done = __atomic_add_fetch(&p->done, 1, __ATOMIC_RELAXED);
	u64 percent = done * 100 / p->total;

	if (percent <= __atomic_load_n(&p->shown, __ATOMIC_RELAXED))
		return;
	__atomic_store_n(&p->shown, percent, __ATOMIC_RELAXED);
	fprintf(stderr, "\rconform: %llu of %llu lines", (unsigned long long)done,
		(unsigned long long)p->total);
}

static int run_piece(void *ctx, u32 i, FILE *out)
{
	const struct job *job = ctx;
	const struct piece *p = &g_array_index(job->pieces, struct piece, i);
	struct worker w = {
		.out = out,
		.done = &job->done[i],
		.player = conform_player_new(job->tdx),
		.read = conform_line_new(),
		.totals = g_hash_table_new_full(total_hash, total_equal,
						(GDestroyNotify)conform_total_free, NULL),
	};
	GHashTableIter it;
	gpointer key;

	for (u32 n = p->from; n < p->to; n++) {
		const struct line *l = &g_array_index(p->file->lines, struct line, n);

		w.line = n + 1;
		if (l->len)
			run_line(&w, p->file, l);
		fflush(out);		/* what ran before a crash is still reported */
		if (job->progress)
			show(job->progress);
	}
	g_hash_table_iter_init(&it, w.totals);
	while (g_hash_table_iter_next(&it, &key, NULL)) {
		const struct conform_total *t = key;

		fprintf(out, "T\t%llu\t%llu\t%s\t%s\n", (unsigned long long)t->ran,
			(unsigned long long)t->agreed, t->flow, t->result);
	}
	g_hash_table_unref(w.totals);
	conform_line_free(w.read);
	conform_player_free(w.player);
	return 0;
}

/* Reading */

static void split(struct file *f, size_t len)
{
	const char *at = f->content, *end = f->content + len;

	f->lines = g_array_new(FALSE, FALSE, sizeof(struct line));
	while (at < end) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		struct line l = { at, (size_t)((nl ? nl : end) - at) };

		if (l.len && at[l.len - 1] == '\r')
			l.len--;
		g_array_append_val(f->lines, l);
		at += (nl ? nl : end) - at + 1;
	}
}

/* Each worker may meet an interleaving first: all setups are read before */
static void read_setups(struct file *f)
{
	f->setups = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
					  (GDestroyNotify)conform_line_free);
	for (u32 i = 0; i < f->lines->len; i++) {
		const struct line *l = &g_array_index(f->lines, struct line, i);
		struct conform_line *line;

		if (!memmem(l->text, l->len, "\"setup\"", 7) ||
		    memmem(l->text, l->len, "\"pause\"", 7))
			continue;
		line = conform_line_new();
		if (conform_line_read(line, l->text, l->len, NULL) && line->kind == CONFORM_SETUP)
			g_hash_table_replace(f->setups, (char *)line->setup, line);
		else
			conform_line_free(line);
	}
}

/* By its header, before which there may be comments */
static enum conform_table find_table(struct file *f)
{
	const struct line *l = (const struct line *)f->lines->data;
	u32 i = 0;

	while (i + 1 < f->lines->len && l[i].len && *l[i].text == '#')
		i++;
	f->header = g_strndup(l[i].text, l[i].len);
	f->table = conform_csv(f->header);
	f->first = f->table ? i + 1 : 0;
	return f->table;
}

/* Lines of JSON, if any looks so; the others are errors then */
static bool has_object(const struct file *f)
{
	for (u32 i = 0; i < f->lines->len; i++) {
		const struct line *l = &g_array_index(f->lines, struct line, i);

		if (l->len && *l->text == '{')
			return true;
	}
	return false;
}

static bool open_file(struct file *f, const char *path, struct conform_report *r)
{
	GError *error = NULL;
	size_t len;

	f->path = path;
	if (!g_file_get_contents(path, &f->content, &len, &error)) {
		conform_report_error(r, path, 0, error->message);
		g_clear_error(&error);
		return false;
	}
	split(f, len);
	if (!f->lines->len) {
		conform_report_error(r, path, 0, "the file is empty");
		return false;
	}
	if (find_table(f) == CONFORM_ELSEWHERE) {
		conform_report_elsewhere(r, path, f->lines->len - f->first);
		return false;
	}
	if (!f->table && !has_object(f)) {
		conform_report_error(r, path, 1, "neither a JSON object nor the header of a table "
				     "that can be checked (lock_vectors.csv, sept_states.csv, "
				     "status_codes.csv)");
		return false;
	}
	read_setups(f);
	return true;
}

static void close_file(struct file *f)
{
	if (f->lines)
		g_array_unref(f->lines);
	if (f->setups)
		g_hash_table_unref(f->setups);
	g_free(f->header);
	g_free(f->content);
}

static void cut(struct file *f, u32 jobs, GArray *pieces)
{
	u32 n = f->lines->len - f->first;
	/* One worker has nothing to share out, and each piece costs a process and a machine */
	u32 parts = jobs > 1 ? jobs * PIECES_PER_JOB : 1, size = MAX((n + parts - 1) / parts, 1);

	for (u32 at = f->first; at < f->lines->len; at += size) {
		struct piece p = { f, at, MIN(at + size, f->lines->len) };

		g_array_append_val(pieces, p);
	}
}

/* Parent */

static void collect(struct conform_report *r, const struct piece *p, const struct done *done,
		    const struct farm_result *f)
{
	char **lines = g_strsplit(f->out->str, "\n", -1), *text;

	for (char **l = lines; *l; l++) {
		if (**l)
			conform_report_take(r, p->file->path, *l);
	}
	g_strfreev(lines);
	r->sequences += done->sequences;
	r->interleavings += done->interleavings;
	r->rows += done->rows;
	if (!f->done) {
		conform_report_error(r, p->file->path, p->from + 1, "stopped before its lines were run");
	} else if (f->status) {
		r->crashed++;
		text = g_strdup_printf("the simulator crashed (signal %d) in lines %u to %u; their "
				       "totals are lost", f->signal, p->from + 1, p->to);
		conform_report_error(r, p->file->path, p->from + 1, text);
		g_free(text);
	}
}

static void *shared_new(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		g_error("no memory that workers could share: %s", g_strerror(errno));
	return p;
}

static struct progress *progress_new(const GArray *pieces)
{
	struct progress *p = shared_new(sizeof(*p));

	for (u32 i = 0; i < pieces->len; i++) {
		const struct piece *one = &g_array_index(pieces, struct piece, i);

		p->total += one->to - one->from;
	}
	return p;
}

struct conform_report *conform_files(const char *const *files, u32 n, const char *tdx, u32 jobs,
				     bool progress, const volatile bool *stop)
{
	struct conform_report *r = conform_report_new();
	struct file *file = g_new0(struct file, n);
	struct job job = {
		.pieces = g_array_new(FALSE, FALSE, sizeof(struct piece)), .tdx = tdx,
	};
	struct farm_result *result;

	if (!jobs)
		jobs = MAX(g_get_num_processors(), 1);
	for (u32 i = 0; i < n; i++) {
		if (open_file(&file[i], files[i], r))
			cut(&file[i], jobs, job.pieces);
	}
	job.done = shared_new((job.pieces->len + 1) * sizeof(*job.done));
	if (progress)
		job.progress = progress_new(job.pieces);
	result = farm_run(&(struct farm_work){ .n = job.pieces->len, .jobs = jobs, .stint = 1,
					      .job = run_piece, .ctx = &job, .stop = stop });
	for (u32 i = 0; i < job.pieces->len; i++)
		collect(r, &g_array_index(job.pieces, struct piece, i), &job.done[i], &result[i]);
	farm_free(result, job.pieces->len);
	if (job.progress) {
		fprintf(stderr, "\r\033[K");
		munmap(job.progress, sizeof(*job.progress));
	}
	munmap(job.done, (job.pieces->len + 1) * sizeof(*job.done));
	conform_report_sort(r);
	for (u32 i = 0; i < n; i++)
		close_file(&file[i]);
	g_free(file);
	g_array_unref(job.pieces);
	return r;
}
