// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a search that is after bugs lets others come between: before steps on words that they
 * touch too (meets.h), and in a loop only so often. What one actor does up to there is one
 * transition. An interrupt lands there, or once at each line in between.
 */
#include "sim/engine/explore_dfs.h"
#include "sim/engine/meets.h"

#define NEWS		4u	/* visits after which a line is no news any more */
#define TOGETHER	4096u	/* steps of one actor that nobody else could tell apart */

/* Has @last gone round so often that others have to go on? */
bool dfs_is_tired(const struct dfs *d, u16 last)
{
	return d->bounded && last != NO_ACTOR && the_world->actor[last]->laps >= d->laps;
}

static u8 *often_here(struct actor *a)
{
	return &a->often[a->pending.site ? a->pending.site->line % ARRAY_SIZE(a->often) : 0];
}

/* Is it worth a switch that @a is about to take its step? */
static bool is_place(const struct dfs *d, struct actor *a)
{
	if (!meets_here(d->x->opt->meets, a))
		return false;
	if (!d->x->opt->often || *often_here(a) < d->x->opt->often)
		return true;
	d->x->out->seldom = true;
	return false;
}

/* Focus: an actor whose step here commutes with all that the others will do; or NO_ACTOR. */
u16 dfs_only_one(const struct dfs *d, u16 last)
{
	if (!d->focus || dfs_is_tired(d, last))
		return NO_ACTOR;
	if (d->bounded)
		return last == NO_ACTOR || is_place(d, the_world->actor[last]) ? NO_ACTOR : last;
	for (u32 i = 0; i < the_world->nactors; i++)
		if (actor_enabled(the_world->actor[i]) &&
		    !meets_here(d->x->opt->meets, the_world->actor[i]))
			return (u16)i;
	return NO_ACTOR;
}

/* Does the next step of @a belong to those just taken, as nobody could come between? */
static bool goes_on(const struct dfs *d, const struct frame *f, struct actor *a)
{
	return d->focus && f->h.steps < TOGETHER && !f->in.at && !d->sim->stopping &&
	       actor_enabled(a) && !dfs_is_tired(d, a->id) && !is_place(d, a);
}

static void count_up(struct sim *sim, u8 *n)
{
	if (*n == 255)
		return;
	undo_keep(&sim->undo, (void *)((u64)n & ~7ull));
	++*n;
}

/* A loop is left, or finds something: what it does then is as good as new. */
static void note_visit(const struct dfs *d, struct actor *a)
{
	u8 *often = often_here(a), *visits = &a->visits[often - a->often];

	if (*visits < NEWS)
		actor_clear(a, a->often, sizeof(a->often));
	count_up(d->sim, visits);
	count_up(d->sim, often);
}

/* How one step of @a is taken. */
struct step {
	u64 line;		/* as a bit */
	bool alone;		/* nobody else matters */
};

static struct step before_step(struct dfs *d, struct actor *a)
{
	const struct explore_options *opt = d->x->opt;
	struct step s = { .line = a->pending.site ? 1ull << (a->pending.site->line & 63) : 0 };

	s.alone = d->focus && !is_place(d, a);
	if (opt->meets)
		meets_note(opt->meets, a);
	if (opt->often)
		note_visit(d, a);
	return s;
}

/*
 * One step of @a. Where nobody else matters an interrupt may land once at each line, between
 * two places where somebody does: what it interrupts decides what comes of it, not how often
 * a loop has been round.
 */
static void one_step(struct dfs *d, struct frame *f, struct actor *a)
{
	struct step s = before_step(d, a);

	f->in.later = s.alone && a->offered & s.line;
	if (!s.alone)
		a->offered = 0;
	search_step(d->sim, a);
	if (s.alone && f->in.at)
		a->offered |= s.line;
	f->h.steps++;
}

void dfs_take_steps(struct dfs *d, struct frame *f, struct actor *a, u32 steps)
{
	const struct explore_options *opt = d->x->opt;

	f->h.steps = 0;
	one_step(d, f, a);
	while (steps ? f->h.steps < steps : goes_on(d, f, a)) {
		if (opt->step)
			opt->step(opt->ctx);
		one_step(d, f, a);
	}
	f->h.offered = a->offered;
	f->h.later = f->in.later;
	f->h.postponed = f->in.postponed;
}

/* By now more may be known of where actors meet than was then: nothing is decided anew. */
void dfs_follow_steps(struct dfs *d, struct frame *f, struct actor *a)
{
	for (u32 i = 1; i <= f->h.steps; i++) {
		before_step(d, a);
		f->in.later = i < f->h.steps || f->h.later;
		search_step(d->sim, a);
	}
	a->offered = f->h.offered;
	f->in.postponed = f->h.postponed;
}
