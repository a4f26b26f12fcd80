// SPDX-License-Identifier: GPL-2.0-only
/*
 * The line model's slow half: an access that is not the owner's. Prices are rows of the
 * cost table; what is modelled is who has the line, who waits for whom, and across what.
 * Assumptions M2 to M4 of docs/model.md.
 */
#include "sim/engine/line.h"
#include "sim/engine/lp.h"
#include "sim/engine/priv.h"

/*
 * Who shares a line. Up to 32 LPs have a bit each in line.sharers; with more of them it is 0
 * for nobody, LP + 1 for one, and else the number of a set of bits beside the world, which the
 * line then keeps: lines that several LPs read are few, and are read by several again.
 */
#define INLINE_LPS	32u
#define SET_FIRST	2048u		/* above any LP + 1 */
#define SETS_MAX	(1u << 24)

/* The first LP of package @n, or one past the last: lp_setup() deals LPs out in rows. */
static u16 package_start(const struct sim *sim, u32 n)
{
	return (u16)((n * sim->opt.lps + sim->opt.packages - 1) / sim->opt.packages);
}

void line_setup(struct sim *sim)
{
	u32 n = 0;

	sim->near = g_new0(struct lp_span, sim->opt.lps);
	for (u16 i = 0; i < sim->opt.lps; i++) {
		while (i >= package_start(sim, n + 1))
			n++;
		sim->near[i] = (struct lp_span){
			package_start(sim, n), package_start(sim, n + 1), (u16)n,
		};
	}
	if (!sim->opt.timed || sim->opt.lps <= INLINE_LPS)
		return;
	sim->set_words = (sim->opt.lps + 63u) / 64;
	sim->sets = world_carve((u64)SETS_MAX * sim->set_words * sizeof(u64));
}

/* --- sharers ------------------------------------------------------------------------------ */

static u64 *set_of(const struct sim *sim, const struct line *l)
{
	return sim->sets + (u64)(l->sharers - SET_FIRST) * sim->set_words;
}

static void set_add(struct sim *sim, u64 *set, u32 lp)
{
	undo_keep(&sim->undo, &set[lp / 64]);
	set[lp / 64] |= BIT_ULL(lp % 64);
}

static void set_new(struct sim *sim, struct line *l, u32 first)
{
	u64 *set;

	if (sim->nsets == SETS_MAX)
		sim_die("more than %u lines are shared by several LPs", SETS_MAX);
	l->sharers = SET_FIRST + sim->nsets;
	undo_keep(&sim->undo, &sim->nsets);
	sim->nsets++;
	set = set_of(sim, l);
	set_add(sim, set, first);
}

static bool line_shared_by(const struct sim *sim, const struct line *l, u32 lp)
{
	if (!sim->sets)
		return l->sharers >> lp & 1;
	if (l->sharers < SET_FIRST)
		return l->sharers == lp + 1;
	return set_of(sim, l)[lp / 64] >> (lp % 64) & 1;
}

/* The line's own words are logged already. */
static void line_share(struct sim *sim, struct line *l, u32 lp)
{
	if (!sim->sets) {
		l->sharers |= 1u << lp;
		return;
	}
	if (!l->sharers) {
		l->sharers = lp + 1;
		return;
	}
	if (l->sharers == lp + 1)
		return;
	if (l->sharers < SET_FIRST)
		set_new(sim, l, l->sharers - 1);
	set_add(sim, set_of(sim, l), lp);
}

static void line_unshare(struct sim *sim, struct line *l)
{
	u64 *set;

	if (l->sharers < SET_FIRST || !sim->sets) {
		l->sharers = 0;
		return;
	}
	set = set_of(sim, l);
	for (u32 i = 0; i < sim->set_words; i++) {
		undo_keep(&sim->undo, &set[i]);
		set[i] = 0;
	}
}

/* Does an LP of [@from, @to) share the line? But @except, which may be none of them. */
static bool shared_among(const struct sim *sim, const struct line *l, u32 from, u32 to, u32 except)
{
	const u64 *set;

	if (!sim->sets) {
		u64 bits = l->sharers & (BIT_ULL(to) - BIT_ULL(from));

		return bits & ~BIT_ULL(except);
	}
	if (l->sharers < SET_FIRST)
		return l->sharers > from && l->sharers <= to && l->sharers != except + 1;
	set = set_of(sim, l);
	for (u32 i = from / 64; i * 64 < to; i++) {
		u64 bits = set[i];

		if (i == from / 64)
			bits &= ~0ull << (from % 64);
		if (i == (to - 1) / 64)
			bits &= ~0ull >> (63 - (to - 1) % 64);
		if (i == except / 64)
			bits &= ~BIT_ULL(except % 64);
		if (bits)
			return true;
	}
	return false;
}

/* --- prices ------------------------------------------------------------------------------- */

static bool is_near(const struct actor *me, u32 lp)
{
	return lp >= me->near && lp < me->far;
}

/* Nobody has it who could give it away: out of this package's memory, or another's. */
static enum cost_key from_memory(const struct actor *me, const struct line *l)
{
	return l->home == me->sim->near[me->lp].package + 1 ? COST_L3_HIT : COST_DRAM_REMOTE;
}

static bool shared_near(const struct actor *me, const struct line *l)
{
	return l->sharers && shared_among(me->sim, l, me->near, me->far, me->lp);
}

static bool shared_far(const struct actor *me, const struct line *l)
{
	u16 lps = me->sim->opt.lps;

	return l->sharers && ((me->near && shared_among(me->sim, l, 0, me->near, me->lp)) ||
			      (me->far < lps && shared_among(me->sim, l, me->far, lps, me->lp)));
}

static enum cost_key read_price(const struct actor *me, const struct line *l)
{
	if (l->excl)
		return is_near(me, l->owner - 1u) ? COST_LINE_SAME_SOCKET : COST_LINE_CROSS_SOCKET;
	if ((l->owner && is_near(me, l->owner - 1u)) || shared_near(me, l))
		return COST_L3_HIT;
	return l->owner ? COST_DRAM_REMOTE : from_memory(me, l);
}

static enum cost_key write_price(const struct actor *me, const struct line *l)
{
	if ((l->owner && !is_near(me, l->owner - 1u)) || shared_far(me, l))
		return COST_LINE_CROSS_SOCKET;
	if ((l->owner && l->owner != me->lp + 1u) || shared_near(me, l))
		return COST_LINE_SAME_SOCKET;
	return from_memory(me, l);
}

static void charge(struct actor *me, struct line *l, enum cost_key key)
{
	struct sim *sim = me->sim;
	u64 start = me->clock > l->busy ? me->clock : l->busy;

	sim->charged[key]++;
	me->clock = start + sim->cost[key];
}

/* --- accesses ----------------------------------------------------------------------------- */

void line_forget(struct line *l)
{
	struct sim *sim = sim_current();

	undo_keep(&sim->undo, &l->busy);
	undo_keep(&sim->undo, &l->sharers);
	line_unshare(sim, l);
	l->busy = 0;
	l->owner = LINE_FREED;
	l->excl = 0;
	l->home = 0;
}

/* The door's slow path has asked already. */
static void look_alive(struct actor *me, const void *p, const struct site *site)
{
	if (world_line_state(p) == LINE_DEAD && !(me->mode & ~(u32)MODE_LOGGED))
		use_after_free(p, site);
}

/* It becomes memory of the package that touches it first. */
static void line_first(const struct actor *me, struct line *l)
{
	if (!l->home)
		l->home = (u8)(me->sim->near[me->lp].package + 1);
}

/* Freed since it was last touched: dead, or another object by now. */
static void line_freed(struct actor *me, struct line *l, const void *p, enum mem_op op,
		       const struct site *site)
{
	look_alive(me, p, site);
	undo_keep(&me->sim->undo, &l->sharers);
	l->owner &= (u16)~LINE_FREED;
	line_first(me, l);
	line_touch(me, p, op, site);
	if (world_line_state(p) == LINE_DEAD)
		l->owner |= LINE_FREED;
}

/*
 * A line that somebody wrote is handed over by its writer, one after the other. One that is
 * clean is in the package's L3, which serves any number of readers.
 */
static void line_read(struct actor *me, struct line *l)
{
	struct sim *sim = me->sim;

	charge(me, l, read_price(me, l));
	if (l->excl)
		l->busy = me->clock;
	l->excl = 0;
	if (l->owner != me->lp + 1u)
		line_share(sim, l, me->lp);
}

/* Nobody else has it, though this LP has not written it yet: it may without asking. */
static bool line_is_private(const struct sim *sim, const struct line *l, u32 lp)
{
	return !l->owner && l->sharers && line_shared_by(sim, l, lp) &&
	       !shared_among(sim, l, 0, sim->opt.lps, lp);
}

static void line_own(struct actor *me, struct line *l, enum mem_op op)
{
	struct sim *sim = me->sim;

	if (line_is_private(sim, l, me->lp)) {
		line_hit(me, op);
	} else {
		charge(me, l, write_price(me, l));
		l->busy = me->clock;
	}
	if (l->sharers)
		line_unshare(sim, l);
	l->owner = me->lp + 1u;
	l->excl = 1;
}

void line_miss(struct actor *me, struct line *l, const void *p, enum mem_op op,
	       const struct site *site)
{
	struct sim *sim = me->sim;

	if (unlikely(l->owner & LINE_FREED)) {
		line_freed(me, l, p, op, site);
		return;
	}
	if (op == MEM_READ && line_shared_by(sim, l, me->lp)) {
		me->clock += me->cost_read;
		return;
	}
	if (sim->undo.keep) {
		undo_keep(&sim->undo, &l->busy);
		undo_keep(&sim->undo, &l->sharers);
	}
	if (unlikely(!l->home))		/* the first to touch it: nobody could mark it freed */
		look_alive(me, p, site);
	line_first(me, l);
	if (op == MEM_READ)
		line_read(me, l);
	else
		line_own(me, l, op);
}
