// SPDX-License-Identifier: GPL-2.0-only
/*
 * A leader listens to what its workers say.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "sim/engine/crew_lead.h"
#include "sim/engine/tso_priv.h"

#define LOOK_MS		50	/* between two looks at the clock */

/* ---- what is found ---- */

/* Add @f, which becomes ours; which of all it is. */
static u32 join(struct leader *l, struct explore_found *f)
{
	GPtrArray *found = l->x->res->found;

	for (u32 i = 0; i < found->len; i++) {
		struct explore_found *old = found->pdata[i];

		if (!explore_same(old, f))
			continue;
		if (leader_samples(l) && i >= l->older && f->executions < old->executions) {
			f->times = old->times;
			found->pdata[i] = f;	/* told later, but by an earlier execution */
			f = old;
		}
		explore_found_free(f);
		return i;
	}
	f->times = 0;
	g_ptr_array_add(found, f);
	return found->len - 1;
}

static void is_enough(struct leader *l)
{
	const struct explore_options *opt = l->x->opt;

	if (!opt->keep_going || (opt->enough && opt->enough(opt->ctx, l->x->res)))
		leader_bound(l, "violation");
}

static void heard_found(struct leader *l, struct member *m, struct crew_reader *r)
{
	u32 before = l->x->res->found->len;
	struct known k = { .found = join(l, crew_get_found(r)) };

	g_array_append_val(m->known, k);
	if (k.found == before && !leader_samples(l))
		is_enough(l);
}

static void heard_times(struct leader *l, struct member *m, struct crew_reader *r)
{
	for (u32 i = 0; i < m->known->len && !leader_samples(l); i++) {
		struct known *k = &g_array_index(m->known, struct known, i);
		struct explore_found *f = l->x->res->found->pdata[k->found];
		u64 times;

		crew_get(r, &times, sizeof(times));
		f->times += times - k->times;
		k->times = times;
	}
}

static void heard_grows(struct leader *l, struct crew_reader *r)
{
	struct explore_result *res = l->x->res;
	struct crew_grows g;

	crew_get(r, &g, sizeof(g));
	if (g.values <= res->grown)
		return;
	g_free(res->grows);
	res->grown = g.values;
	res->grows = crew_get_text(r);
}

/* Where a worker stands: everything of its work that is not done. */
static void heard_stretches(struct leader *l, struct member *m, struct crew_reader *r)
{
	while (r->p < r->end) {
		GByteArray *b = g_byte_array_new();
		u32 n;

		crew_get(r, &n, sizeof(n));
		crew_put(b, r->p, n);
		r->p += n;
		g_ptr_array_add(l->saving, b);
	}
	m->saved = true;
}

/* ---- words ---- */

static void hear(struct leader *l, struct member *m, u64 word, struct crew_reader r)
{
	u64 n = (u64)(r.end - r.p);

	switch (word) {
	case CREW_FOUND:
		heard_found(l, m, &r);
		break;
	case CREW_AGAIN:
		order_again(l, m, &r);
		break;
	case CREW_TIMES:
		heard_times(l, m, &r);
		break;
	case CREW_STRETCH:
		heard_stretches(l, m, &r);
		break;
	case CREW_PIECE:
		order_piece(l, &r);
		break;
	case CREW_VERIFIED:
		g_byte_array_set_size(l->verified, 0);
		crew_put(l->verified, r.p, n);
		break;
	case CREW_BUFFERS:
		tso_get(l->x->sim, r.p, n);
		break;
	case CREW_MEETS_SO_FAR:
		crew_put(l->saving_meets, r.p, n);
		break;
	case CREW_MEETS:
		crew_put(l->meets, r.p, n);
		break;
	case CREW_GIVEN:
		g_ptr_array_add(l->given, g_byte_array_append(g_byte_array_new(), r.p, (guint)n));
		break;
	case CREW_GROWS:
		heard_grows(l, &r);
		break;
	}
}

/* Take the whole words out of what was read. */
static void listen(struct leader *l, struct member *m)
{
	u64 head[2], at = 0;

	while (m->heard->len - at >= sizeof(head)) {
		const u8 *p = m->heard->data + at;

		memcpy(head, p, sizeof(head));
		if (m->heard->len - at - sizeof(head) < head[1])
			break;
		hear(l, m, head[0], (struct crew_reader){ p + sizeof(head),
							  p + sizeof(head) + head[1] });
		at += sizeof(head) + head[1];
	}
	if (at)
		g_byte_array_remove_range(m->heard, 0, (guint)at);
}

static void read_some(struct leader *l, u32 me)
{
	struct member *m = &l->member[me];
	u8 *buf = l->buf;
	ssize_t n;

	while ((n = read(m->fd, buf, sizeof(l->buf))) > 0)
		crew_put(m->heard, buf, (u64)n);
	listen(l, m);
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		leader_is_gone(l, me);
}

void leader_wait(struct leader *const *l, u32 n)
{
	struct pollfd p[CREW_MAX];
	struct leader *of[CREW_MAX];
	u32 who[CREW_MAX], all = 0;

	for (u32 k = 0; k < n; k++)
		for (u32 i = 0; i < l[k]->crew->workers && all < CREW_MAX; i++) {
			if (l[k]->member[i].gone)
				continue;
			p[all] = (struct pollfd){ l[k]->member[i].fd, POLLIN, 0 };
			of[all] = l[k];
			who[all++] = i;
		}
	if (poll(p, all, LOOK_MS) <= 0)
		return;
	for (u32 i = 0; i < all; i++)
		if (p[i].revents)
			read_some(of[i], who[i]);
}
