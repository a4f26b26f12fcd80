// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a search stands, in a file: the states it has been in, what is left of the ways at
 * hand, and the counts. Written beside, made safe, and put in place of the one before, so that
 * there is a whole one at each moment. It holds for the binary, the case and the options that
 * made it, and says so when asked for something else.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/engine/crew.h"
#include "sim/engine/hash.h"

#define MAGIC	"septsim checkpoint 3\n"

/* Of bytes as they pass, whatever the pieces; words at a time. */
struct sum {
	u64 hash, bytes;
	u8 word[8];
};

struct out {
	FILE *f;
	struct sum sum;		/* becomes the last 8 bytes of the file */
};

static void sum_add(struct sum *s, const void *p, u64 n)
{
	const u8 *b = p;
	u64 v;

	while (n) {
		u64 at = s->bytes % 8, k = MIN(8 - at, n);

		memcpy(s->word + at, b, k);
		s->bytes += k;
		b += k;
		n -= k;
		if (s->bytes % 8)
			return;
		memcpy(&v, s->word, 8);
		s->hash = hash_fold(s->hash, 1, v);
	}
}

static u64 sum_end(const struct sum *s)
{
	u64 v = 0;

	memcpy(&v, s->word, s->bytes % 8);
	return hash_fold(s->hash, s->bytes, v);
}

static void put(struct out *o, const void *p, u64 n)
{
	sum_add(&o->sum, p, n);
	if (n)
		fwrite(p, 1, n, o->f);
}

/* The program itself: another build numbers its sites otherwise. */
static u64 binary(void)
{
	char *text = NULL;
	gsize n = 0;
	struct sum sum = { 0 };

	if (g_file_get_contents("/proc/self/exe", &text, &n, NULL))
		sum_add(&sum, text, n);
	g_free(text);
	return sum_end(&sum);
}

static void put_bytes(struct out *o, const GByteArray *b)
{
	u64 n = b->len;

	put(o, &n, sizeof(n));
	put(o, b->data, n);
}

static void put_table(struct out *o, const struct table *t)
{
	u64 n = 0;

	for (u64 i = 0; t && i <= t->mask; i++)
		n += t->area[t->now][i].lo != 0;
	put(o, &n, sizeof(n));
	for (u64 i = 0; t && i <= t->mask; i++)
		if (t->area[t->now][i].lo)
			put(o, &t->area[t->now][i], sizeof(struct table_slot));
}

static void put_edges(struct out *o, const struct edges *e)
{
	u64 n[2] = { e ? e->states : 0, e ? e->n : 0 };

	put(o, n, sizeof(n));
	if (!e)
		return;
	put(o, e->id, n[0] * sizeof(*e->id));
	put(o, e->edge, n[1] * sizeof(*e->edge));
}

/* Numbers, not pointers: of bounded_by only "depth" outlives a search that goes on. */
static GByteArray *numbers(const struct checkpoint *c)
{
	GByteArray *b = g_byte_array_new();
	u32 cut = !g_strcmp0(c->res.bounded_by, "depth");
	u32 n = c->res.found->len;

	crew_put(b, &c->res.executions, 8);
	crew_put(b, &c->res.transitions, 8);
	crew_put(b, &c->res.states, 8);
	crew_put(b, &c->res.depth, 4);
	crew_put(b, &cut, 4);
	crew_put(b, &c->res.blocked, 8);
	crew_put(b, &c->out, sizeof(c->out));
	crew_put(b, &c->alone, 4);
	crew_put(b, &c->next, 8);
	crew_put(b, &n, 4);
	for (u32 i = 0; i < n; i++)
		crew_put_found(b, c->res.found->pdata[i]);
	return b;
}

static void write_all(struct out *o, const char *identity, const struct checkpoint *c,
		      const struct table *t, const struct edges *e)
{
	u64 bin = binary(), n = strlen(identity), sum;
	GByteArray *b = numbers(c);

	put(o, MAGIC, strlen(MAGIC));
	put(o, &bin, sizeof(bin));
	put(o, &n, sizeof(n));
	put(o, identity, n);
	put_bytes(o, b);
	g_byte_array_unref(b);
	put_bytes(o, c->meets);
	put_bytes(o, c->place);
	put_bytes(o, c->verified);
	put_bytes(o, c->buffers);
	put_table(o, t);
	put_edges(o, e);
	n = c->stretch->len;
	put(o, &n, sizeof(n));
	for (u32 i = 0; i < c->stretch->len; i++)
		put_bytes(o, c->stretch->pdata[i]);
	sum = sum_end(&o->sum);
	put(o, &sum, sizeof(sum));
}

static void sync_directory(const char *path)
{
	char *copy = g_strdup(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY);

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	g_free(copy);
}

bool checkpoint_write(const char *path, const char *identity, const struct checkpoint *c,
		      const struct table *t, const struct edges *e)
{
	char *beside = g_strdup_printf("%s.new", path);
	struct out o = { .f = fopen(beside, "wb") };
	bool ok = o.f != NULL;

	if (ok) {
		setvbuf(o.f, NULL, _IOFBF, 1 << 20);
		write_all(&o, identity ? identity : "", c, t, e);
		ok = !ferror(o.f) && !fflush(o.f) && !fsync(fileno(o.f));
		ok = !fclose(o.f) && ok;
	}
	if (ok && !rename(beside, path))
		sync_directory(path);
	else
		fprintf(stderr, "septsim: no checkpoint in %s: %s\n", path, strerror(errno));
	g_free(beside);
	return ok;
}

/* ---- and back ---- */

static bool refuse(const char *path, const char *why)
{
	fprintf(stderr, "septsim: %s: %s\n", path, why);
	return false;
}

static bool is_ours(const char *path, const char *identity, struct crew_reader *r)
{
	char magic[sizeof(MAGIC)] = "";
	struct sum whole = { 0 };
	u64 bin, n, sum;
	char *id;
	bool same;

	crew_get(r, magic, strlen(MAGIC));
	if (r->broken || strcmp(magic, MAGIC))
		return refuse(path, "this is no checkpoint of this version");
	memcpy(&sum, r->end - 8, 8);
	r->end -= 8;
	sum_add(&whole, MAGIC, strlen(MAGIC));
	sum_add(&whole, r->p, (u64)(r->end - r->p));
	if (sum_end(&whole) != sum)
		return refuse(path, "this checkpoint is damaged");
	crew_get(r, &bin, sizeof(bin));
	if (bin != binary())
		return refuse(path, "this checkpoint was made by another build of septsim, whose states "
			      "have other keys: resume with that one, or begin anew");
	crew_get(r, &n, sizeof(n));
	if ((u64)(r->end - r->p) < n)
		return refuse(path, "this checkpoint is damaged");
	id = g_strndup((const char *)r->p, n);
	r->p += n;
	same = !strcmp(id, identity ? identity : "");
	g_free(id);
	return same || refuse(path, "this checkpoint is of another file, case or search: resume with "
			      "what it was made with (only --jobs, --time, --memory-limit and what is "
			      "shown may differ)");
}

static void get_numbers(struct crew_reader *r, struct checkpoint *c)
{
	u64 bytes;
	u32 n, cut;

	crew_get(r, &bytes, sizeof(bytes));
	crew_get(r, &c->res.executions, 8);
	crew_get(r, &c->res.transitions, 8);
	crew_get(r, &c->res.states, 8);
	crew_get(r, &c->res.depth, 4);
	crew_get(r, &cut, 4);
	crew_get(r, &c->res.blocked, 8);
	crew_get(r, &c->out, sizeof(c->out));
	crew_get(r, &c->alone, 4);
	crew_get(r, &c->next, 8);
	crew_get(r, &n, 4);
	c->res.bounded_by = cut ? "depth" : NULL;
	for (u32 i = 0; i < n && !r->broken; i++)
		g_ptr_array_add(c->res.found, crew_get_found(r));
}

static bool get_table(struct crew_reader *r, struct table *t)
{
	struct table_slot s;
	int had;
	u64 n;

	crew_get(r, &n, sizeof(n));
	while (n && t && table_is_full(t, n))
		if (!table_grow(t))
			return false;
	for (u64 i = 0; i < n && !r->broken; i++) {
		crew_get(r, &s, sizeof(s));
		if (!t)
			continue;
		table_claim(t, (struct search_id){ s.lo, (u32)s.rest }, (u32)(s.rest >> 32) - 1, &had);
	}
	if (t)
		t->used = n;
	return true;
}

static bool get_edges(struct crew_reader *r, struct edges *e)
{
	u64 n[2];

	crew_get(r, n, sizeof(n));
	if (n[0] > (u64)(r->end - r->p) / sizeof(struct search_id) ||
	    n[1] > (u64)(r->end - r->p) / sizeof(struct edge)) {
		r->broken = true;
	} else if (!e) {
		r->p += n[0] * sizeof(*e->id) + n[1] * sizeof(*e->edge);
	} else if (n[0] > e->states_room || n[1] > e->room) {
		return false;
	} else {
		e->states = (u32)n[0];
		e->n = n[1];
		crew_get(r, e->id, n[0] * sizeof(*e->id));
		crew_get(r, e->edge, n[1] * sizeof(*e->edge));
	}
	return true;
}

/* A length and so many bytes. */
static GByteArray *get_bytes(struct crew_reader *r)
{
	GByteArray *b = g_byte_array_new();
	u64 n;

	crew_get(r, &n, sizeof(n));
	if ((u64)(r->end - r->p) < n) {
		r->broken = true;
		n = 0;
	}
	crew_put(b, r->p, n);
	r->p += n;
	return b;
}

static void get_stretches(struct crew_reader *r, struct checkpoint *c)
{
	u64 n;

	crew_get(r, &n, sizeof(n));
	for (u64 i = 0; i < n && !r->broken; i++)
		g_ptr_array_add(c->stretch, get_bytes(r));
}

static bool read_all(const char *path, const char *identity, struct crew_reader *r,
		     struct checkpoint *c, struct table *t, struct edges *e)
{
	if (!is_ours(path, identity, r))
		return false;
	get_numbers(r, c);
	c->meets = get_bytes(r);
	c->place = get_bytes(r);
	c->verified = get_bytes(r);
	c->buffers = get_bytes(r);
	if (!get_table(r, t) || !get_edges(r, e))
		return refuse(path, "its states do not fit into --memory-limit");
	get_stretches(r, c);
	return !r->broken || refuse(path, "this checkpoint is damaged");
}

struct checkpoint *checkpoint_read(const char *path, const char *identity, struct table *t,
				   struct edges *e)
{
	struct checkpoint *c = g_new0(struct checkpoint, 1);
	GError *err = NULL;
	char *text;
	gsize n;

	c->res.found = g_ptr_array_new_with_free_func(explore_found_free);
	c->stretch = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
	if (g_file_get_contents(path, &text, &n, &err)) {
		struct crew_reader r = { (const u8 *)text, (const u8 *)text + n };
		bool ok = n > strlen(MAGIC) + 8 ? read_all(path, identity, &r, c, t, e) :
			  refuse(path, "this is no checkpoint of this version");

		g_free(text);
		if (ok)
			return c;
	} else {
		refuse(path, err->message);
		g_clear_error(&err);
	}
	checkpoint_free(c);
	return NULL;
}

void checkpoint_free(struct checkpoint *c)
{
	g_ptr_array_unref(c->res.found);
	g_ptr_array_unref(c->stretch);
	if (c->meets)
		g_byte_array_unref(c->meets);
	if (c->place)
		g_byte_array_unref(c->place);
	if (c->verified)
		g_byte_array_unref(c->verified);
	if (c->buffers)
		g_byte_array_unref(c->buffers);
	g_free(c);
}
