// SPDX-License-Identifier: GPL-2.0-only
/*
 * See property_program.h.
 */
#include "property_program.h"

#include <stdio.h>
#include <string.h>

#include "sim/engine/clock.h"
#include "sim/engine/lp.h"
#include "sim/engine/mem.h"
#include "sim/engine/priv.h"
#include "sim/engine/search.h"

#define SIZED(call, ptr, ...) (						\
	o->size == 1 ? call##8((u8 *)(ptr), ##__VA_ARGS__) :		\
	o->size == 2 ? call##16((u16 *)(ptr), ##__VA_ARGS__) :		\
	o->size == 4 ? call##32((u32 *)(ptr), ##__VA_ARGS__) :		\
		       call##64((u64 *)(ptr), ##__VA_ARGS__))

static u64 step(const struct op *o, void *p)
{
	switch (o->kind) {
	case K_READ:
		return SIZED(mem_read, p);
	case K_CMPXCHG:
		return SIZED(mem_cmpxchg, p, o->a, o->b);
	case K_XADD:
		return SIZED(mem_xadd, p, o->a);
	case K_XCHG:
		return SIZED(mem_xchg, p, o->a);
	case K_AND:
		return SIZED(mem_and, p, o->a);
	case K_OR:
		return SIZED(mem_or, p, o->a);
	case K_BTS:
		return SIZED(mem_bts, p, o->a % (o->size * 8u));
	case K_BTR:
		return SIZED(mem_btr, p, o->a % (o->size * 8u));
	default:
		SIZED(mem_write, p, o->a);
		return 0;
	}
}

static void unpark(u32 id)
{
	actor_unpark(actor_by_id(sim_current(), (u16)id));
}

static void play(void *arg)
{
	struct player *me = arg;
	u64 *slot[SLOTS] = { NULL }, sum = 0;
	u64 page[SLOTS];
	bool live[SLOTS] = { false };

	for (u32 i = 0; i < me->p->len[me->id]; i++) {
		const struct op *o = &me->p->op[me->id][i];

		switch (o->kind) {
		case K_FENCE:
			mem_fence();
			break;
		case K_COMPUTE:
			sim_compute(o->a);
			me->computed += o->a;
			break;
		case K_ALLOC:
			if (slot[o->at])
				break;
			slot[o->at] = world_alloc(o->a % 300 + 8);
			mem_write64(slot[o->at], o->a);
			break;
		case K_FREE:
			if (!slot[o->at])
				break;
			sum = sum * 31 + mem_read64(slot[o->at]);
			world_free(slot[o->at], *slot[o->at] % 300 + 8);
			slot[o->at] = NULL;
			break;
		case K_PAGE:
			if (live[o->at])
				break;
			page[o->at] = page_alloc();
			live[o->at] = true;
			mem_write64((u64 *)phys_to_ptr(page[o->at]), o->a);
			break;
		case K_PAGE_FREE:
			if (live[o->at])
				page_free(page[o->at]);
			live[o->at] = false;
			break;
		case K_CHOOSE:
			sum = sum * 31 + choose((u32)o->a, CHOOSE_MODEL);
			break;
		case K_RELEASE:
			mem_write64(&me->s->flag[o->at], 1);
			if (!o->a)
				mem_wake(&me->s->flag[o->at]);
			break;
		case K_AWAIT:
			mem_await64(&me->s->flag[o->at], ~0ull, 1);
			break;
		case K_PARK:
			actor_park("to be unparked");
			break;
		case K_UNPARK:
			unpark(o->at);
			break;
		default:
			sum = sum * 31 + step(o, me->s->words + o->at);
		}
	}
	world_set(me->s->sink[me->id], sum);
}

static struct op draw_op(struct rng *r, u32 kinds)
{
	struct op o = { .kind = (u8)rng_below(r, kinds), .size = (u8)(1u << rng_below(r, 4)) };

	o.a = rng_below(r, 4) ? rng_below(r, 5) : rng_next(r);
	o.b = rng_next(r);
	if (o.kind == K_COMPUTE)
		o.a = rng_below(r, 3) ? rng_below(r, 40) : rng_below(r, 3000);
	if (o.kind >= K_ALLOC)
		o.at = (u16)rng_below(r, SLOTS);
	else	/* few words: two a line, each part of one in its place */
		o.at = (u16)(rng_below(r, LINES) * CACHE_LINE + rng_below(r, 2) * 8 +
			     rng_below(r, 8u / o.size) * o.size);
	return o;
}

void program_append(struct program *p, u32 actor, struct op o)
{
	if (p->len[actor] < OPS)
		p->op[actor][p->len[actor]++] = o;
}

void program_draw(struct rng *r, struct program *p, u32 actors, u32 ops, u32 kinds, bool waits,
		  bool parks)
{
	u32 flag = 0;

	memset(p, 0, sizeof(*p));
	p->actors = actors;
	for (u32 i = 0; i < ops; i++) {
		u32 a = rng_below(r, actors), b = rng_below(r, actors);

		if (waits && flag < FLAGS && a != b && !rng_below(r, 4) &&
		    p->len[a] < OPS && p->len[b] < OPS) {
			program_append(p, a, (struct op){ .kind = K_RELEASE, .at = (u16)flag,
						   .a = !rng_below(r, 3) });	/* unannounced */
			program_append(p, b, (struct op){ .kind = K_AWAIT, .at = (u16)flag++ });
		} else if (parks && a != b && !rng_below(r, 6)) {
			program_append(p, a, (struct op){ .kind = K_PARK });
			program_append(p, b, (struct op){ .kind = K_UNPARK, .at = (u16)a });
		} else {
			program_append(p, a, draw_op(r, kinds));
		}
	}
}

struct sim *program_start(const struct sim_options *opt, const struct program *p,
			  struct player *players, struct shared **s)
{
	struct sim_options o = *opt;
	struct sim *sim;
	char name[16];

	o.lps = o.lps ? o.lps : 4;	/* four in use, fewer than actors: some share one */
	o.packages = 2;
	o.phys = 1 << 20;
	sim = sim_new(&o);
	if (!sim)
		sim_die("no sim for a random program");
	*s = world_alloc(sizeof(**s));
	for (u32 i = 0; i < p->actors; i++) {
		players[i] = (struct player){ p, *s, i, 0 };
		snprintf(name, sizeof(name), "a%u", i);
		actor_new(sim, name, (u16)(i % 4 * (o.lps / 4)), play, &players[i]);
	}
	return sim;
}
