// SPDX-License-Identifier: GPL-2.0-only
/*
 * What workers say and leaders read, byte by byte: through a pipe, or in a checkpoint.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sim/engine/crew.h"
#include "sim/engine/meets.h"
#include "sim/engine/tso_priv.h"

void *crew_shared(u64 bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		sim_die("no address space for the workers of a search");
	return p;
}

void crew_lock(struct crew *crew)
{
	if (pthread_mutex_lock(&crew->lock) == EOWNERDEAD)	/* it crashed: all will stop */
		pthread_mutex_consistent(&crew->lock);
}

/* ---- bytes ---- */

void crew_put(GByteArray *to, const void *p, u64 n)
{
	g_byte_array_append(to, p, (guint)n);
}

void crew_put_text(GByteArray *to, const char *s)
{
	u32 n = (u32)strlen(s);

	crew_put(to, &n, sizeof(n));
	crew_put(to, s, n);
}

void crew_get(struct crew_reader *r, void *to, u64 n)
{
	if (r->broken || (u64)(r->end - r->p) < n) {
		r->broken = true;
		memset(to, 0, n);
		return;
	}
	memcpy(to, r->p, n);
	r->p += n;
}

char *crew_get_text(struct crew_reader *r)
{
	u32 n;
	char *s;

	crew_get(r, &n, sizeof(n));
	if (r->broken || (u64)(r->end - r->p) < n) {
		r->broken = true;
		return g_strdup("");
	}
	s = g_strndup((const char *)r->p, n);
	r->p += n;
	return s;
}

void crew_put_found(GByteArray *to, const struct explore_found *f)
{
	crew_put_text(to, f->id);
	crew_put_text(to, f->where);
	crew_put_text(to, f->text);
	crew_put_text(to, f->site);
	crew_put(to, &f->executions, sizeof(f->executions));
	crew_put(to, &f->times, sizeof(f->times));
	crew_put(to, &f->preemptions, sizeof(f->preemptions));
	crew_put(to, &f->met, sizeof(f->met));
	crew_put(to, &f->crash, sizeof(f->crash));
	crew_put(to, &f->trail.n, sizeof(f->trail.n));
	crew_put(to, &f->trail.loop, sizeof(f->trail.loop));
	crew_put(to, f->trail.v, f->trail.n * sizeof(u16));
}

struct explore_found *crew_get_found(struct crew_reader *r)
{
	struct explore_found *f = g_new0(struct explore_found, 1);
	char *id = crew_get_text(r);

	f->id = g_intern_string(id);
	g_free(id);
	f->where = crew_get_text(r);
	f->text = crew_get_text(r);
	f->site = crew_get_text(r);
	crew_get(r, &f->executions, sizeof(f->executions));
	crew_get(r, &f->times, sizeof(f->times));
	crew_get(r, &f->preemptions, sizeof(f->preemptions));
	crew_get(r, &f->met, sizeof(f->met));
	crew_get(r, &f->crash, sizeof(f->crash));
	crew_get(r, &f->trail.n, sizeof(f->trail.n));
	crew_get(r, &f->trail.loop, sizeof(f->trail.loop));
	if (r->broken || (u64)(r->end - r->p) < f->trail.n * sizeof(u16)) {
		r->broken = true;
		f->trail.n = f->trail.loop = 0;
	}
	f->trail.v = g_new(u16, f->trail.n + 1);
	crew_get(r, f->trail.v, f->trail.n * sizeof(u16));
	return f;
}

/* ---- a worker speaks ---- */

static void write_all(int fd, const void *p, u64 n)
{
	while (n) {
		ssize_t k = write(fd, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			_exit(3);	/* nobody listens any more */
		p = (const char *)p + k;
		n -= (u64)k;
	}
}

void crew_say(struct crew_self *c, enum crew_word word, const void *p, u64 n)
{
	u64 head[2] = { word, n };

	write_all(c->fd, head, sizeof(head));
	write_all(c->fd, p, n);
}

void crew_say_found(struct crew_self *c)
{
	const GPtrArray *found = c->x->res->found;

	for (; c->told < found->len; c->told++) {
		GByteArray *b = g_byte_array_new();

		crew_put_found(b, found->pdata[c->told]);
		crew_say(c, CREW_FOUND, b->data, b->len);
		g_byte_array_unref(b);
	}
}

static void say_times(struct crew_self *c)
{
	const GPtrArray *found = c->x->res->found;
	GByteArray *b = g_byte_array_new();

	for (u32 i = 0; i < found->len; i++)
		crew_put(b, &((struct explore_found *)found->pdata[i])->times, sizeof(u64));
	crew_say(c, CREW_TIMES, b->data, b->len);
	g_byte_array_unref(b);
}

void crew_say_end(struct crew_self *c)
{
	GByteArray *b = g_byte_array_new();

	crew_say_found(c);
	say_times(c);
	tso_put(c->x->sim, b);
	crew_say(c, CREW_BUFFERS, b->data, b->len);
	g_byte_array_set_size(b, 0);
	if (c->x->opt->meets)
		meets_put(c->x->opt->meets, b);
	crew_say(c, CREW_MEETS, b->data, b->len);
	g_byte_array_set_size(b, 0);
	if (c->x->opt->give)
		c->x->opt->give(c->x->opt->ctx, b);
	crew_say(c, CREW_GIVEN, b->data, b->len);
	g_byte_array_unref(b);
}

/* ---- and listens ---- */

/*
 * All rest; the last to come makes the table larger. The lock is held, but not while those that
 * wait for it see to its memory: each has to touch every page of it, and they share the first time.
 */
static void rest_to_grow(struct crew_self *c)
{
	struct crew *crew = c->crew;
	u32 grown = crew->grown;

	if (++crew->arrived < crew->workers) {
		struct table t = *crew->table;

		pthread_mutex_unlock(&crew->lock);
		table_make_room(&t, c->me, crew->workers);
		crew_lock(crew);
		while (crew->grown == grown && !(crew->want & CREW_STOP))
			pthread_cond_wait(&crew->changed, &crew->lock);
		return;
	}
	if (!table_grow(crew->table)) {
		if (!crew->bounded_by)
			crew->bounded_by = "memory";
		__atomic_or_fetch(&crew->want, CREW_STOP, __ATOMIC_RELAXED);
	}
	crew->arrived = 0;
	crew->grown++;
	__atomic_and_fetch(&crew->want, ~(u32)CREW_GROW, __ATOMIC_RELAXED);
	pthread_cond_broadcast(&crew->changed);
}

void crew_ask_to_grow(struct crew_self *c, u64 more)
{
	struct crew *crew = c->crew;

	crew_lock(crew);
	if (table_is_full(crew->table, more)) {
		__atomic_or_fetch(&crew->want, CREW_GROW, __ATOMIC_RELAXED);
		pthread_cond_broadcast(&crew->changed);	/* who waits for work has to rest, too */
	}
	pthread_mutex_unlock(&crew->lock);
}

static void put_stretch(GByteArray *to, const GByteArray *s)
{
	u32 n = s->len;

	crew_put(to, &n, sizeof(n));
	crew_put(to, s->data, n);
}

/* Everything of its work that is not done. */
static void say_where(struct crew_self *c)
{
	GByteArray *all = g_byte_array_new(), *one = g_byte_array_new();

	if (c->stand) {
		c->stand(c, one);
		put_stretch(all, one);
	}
	for (u32 i = 0; i < c->backlog->len; i++)
		put_stretch(all, c->backlog->pdata[i]);
	crew_say_found(c);
	say_times(c);
	g_byte_array_set_size(one, 0);
	if (c->x->opt->meets)
		meets_put(c->x->opt->meets, one);
	crew_say(c, CREW_MEETS_SO_FAR, one->data, one->len);
	g_byte_array_set_size(one, 0);
	tso_put(c->x->sim, one);
	crew_say(c, CREW_BUFFERS, one->data, one->len);
	g_byte_array_set_size(one, 0);
	if (c->verified_put)
		c->verified_put(c, one);
	crew_say(c, CREW_VERIFIED, one->data, one->len);
	crew_say(c, CREW_STRETCH, all->data, all->len);
	g_byte_array_unref(all);
	g_byte_array_unref(one);
}

static void give(struct crew_self *c)
{
	struct crew *crew = c->crew;
	GByteArray *s;

	if (crew->waiting >= MIN(crew->idle, CREW_STRETCHES) || !c->share)
		return;
	s = g_byte_array_new();
	if (c->share(c, s)) {
		struct stretch *to = &crew->stretch[crew->waiting++];

		to->bytes = s->len;
		memcpy(to->data, s->data, s->len);
		pthread_cond_broadcast(&crew->changed);
	}
	if (crew->waiting >= crew->idle)
		__atomic_and_fetch(&crew->want, ~(u32)CREW_HUNGRY, __ATOMIC_RELAXED);
	g_byte_array_unref(s);
}

/* What all have to rest for. The lock is held. */
static void rest(struct crew_self *c)
{
	struct crew *crew = c->crew;

	while (!(crew->want & CREW_STOP)) {
		if (crew->want & CREW_GROW) {
			rest_to_grow(c);
		} else if (!(crew->want & CREW_SAVE)) {
			return;
		} else if (crew->worker[c->me].saved != crew->saves) {
			crew->worker[c->me].saved = crew->saves;
			pthread_mutex_unlock(&crew->lock);
			say_where(c);
			crew_lock(crew);
		} else {
			pthread_cond_wait(&crew->changed, &crew->lock);
		}
	}
}

void crew_attend(struct crew_self *c)
{
	struct crew *crew = c->crew;

	crew_lock(crew);
	rest(c);
	if (crew->want & CREW_STOP)
		c->x->stop = true;
	else if (crew->want & CREW_HUNGRY)
		give(c);
	pthread_mutex_unlock(&crew->lock);
}

static void take_from(struct crew_self *c, const struct stretch *s)
{
	g_byte_array_set_size(c->stretch, 0);
	crew_put(c->stretch, s->data, s->bytes);
}

bool crew_take(struct crew_self *c)
{
	struct crew *crew = c->crew;
	bool idle = false;

	if (c->x->stop)
		return false;
	if (c->backlog->len) {
		GByteArray *b = c->backlog->pdata[c->backlog->len - 1];

		g_byte_array_set_size(c->stretch, 0);
		crew_put(c->stretch, b->data, b->len);
		g_ptr_array_set_size(c->backlog, (int)c->backlog->len - 1);
		return true;
	}
	crew_lock(crew);
	for (;;) {
		rest(c);
		if (crew->want & (CREW_STOP | CREW_DONE))
			break;
		if (crew->waiting) {
			take_from(c, &crew->stretch[--crew->waiting]);
			crew->idle -= idle;
			pthread_mutex_unlock(&crew->lock);
			return true;
		}
		crew->idle += !idle;
		idle = true;
		if (crew->idle == crew->workers) {
			__atomic_or_fetch(&crew->want, CREW_DONE, __ATOMIC_RELAXED);
			pthread_cond_broadcast(&crew->changed);
			break;
		}
		__atomic_or_fetch(&crew->want, CREW_HUNGRY, __ATOMIC_RELAXED);
		pthread_cond_wait(&crew->changed, &crew->lock);
	}
	if (crew->want & CREW_STOP)
		c->x->stop = true;
	pthread_mutex_unlock(&crew->lock);
	return false;
}

void crew_bound(struct crew_self *c, const char *by)
{
	struct crew *crew = c->crew;

	crew_lock(crew);
	if (!crew->bounded_by)
		crew->bounded_by = by;
	__atomic_or_fetch(&crew->want, CREW_STOP, __ATOMIC_RELAXED);
	pthread_cond_broadcast(&crew->changed);
	pthread_mutex_unlock(&crew->lock);
	c->x->stop = true;
}
