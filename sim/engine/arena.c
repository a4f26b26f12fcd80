// SPDX-License-Identifier: GPL-2.0-only
/*
 * The world's memory. Rests on measurements: this address is free under plain, ASan, TSan
 * and MSan builds, under valgrind and under qemu-aarch64; the reservation is PROT_NONE and
 * opened as it is used, because a writable one costs valgrind seconds a GiB.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "sim/engine/line.h"
#include "sim/engine/priv.h"
#include "sim/engine/tlb.h"

#define SLAB_CHUNK	(1ull << 24)
#define SHADOW_SPAN	(WORLD_SPAN / CACHE_LINE * sizeof(struct line))
#define POISON		0xdb
#define GUEST_BLOCK	(2ull << 20)	/* pages of guests come from blocks of this size */

_Static_assert(sizeof(struct line) == 16, "the shadow is a quarter of the world");

static inline u8 *state_of(const void *p)
{
	u64 at = (u64)p - (u64)world_base;

	if (at >= WORLD_PHYS)
		at = (u64)page_line(at - WORLD_PHYS) - (u64)world_base;
	return (u8 *)world_base + WORLD_STATE + at / CACHE_LINE;
}

/*
 * Where small objects and tables end: what there is to keep about memory grows with it.
 * The most is what checks keep, about a twelfth.
 */
static u64 slab_end(u64 phys)
{
	u64 room = phys / 8;

	return room < (8ull << 30) ? 8ull << 30 : room < WORLD_CARVE ? room : WORLD_CARVE;
}

static u64 carve_end(u64 phys)
{
	u64 room = phys / 8 + (8ull << 30);

	return room < WORLD_STACKS - WORLD_CARVE ? WORLD_CARVE + room : WORLD_STACKS;
}

static void open_range(u64 from, u64 to)
{
	from &= ~(u64)(PAGE_SIZE - 1);
	to = (to + PAGE_SIZE - 1) & ~(u64)(PAGE_SIZE - 1);
	if (mprotect(world_base + from, to - from, PROT_READ | PROT_WRITE))
		sim_die("cannot open %llu bytes of the world: %s",
			(unsigned long long)(to - from), strerror(errno));
}

/* Make [@from, @to) of the world usable, with its state bytes and its shadow. */
static void area_open(u64 from, u64 to)
{
	u64 lines = CACHE_LINE;

	open_range(from, to);
	open_range(WORLD_STATE + from / lines, WORLD_STATE + (to + lines - 1) / lines);
	open_range(WORLD_SPAN + from / 4, WORLD_SPAN + (to + 3) / 4);
}

static bool reserve(u64 from, u64 to)
{
	char *p = world_base + (from & ~(u64)(PAGE_SIZE - 1)), *q;
	u64 bytes = ((to + PAGE_SIZE - 1) & ~(u64)(PAGE_SIZE - 1)) - (u64)(p - world_base);

	q = mmap(p, bytes, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
	if (q == MAP_FAILED)
		return false;
	if (q != p) {	/* valgrind ignores NOREPLACE and moves */
		munmap(q, bytes);
		errno = EEXIST;
		return false;
	}
	return true;
}

/* With its state bytes and its shadow */
static bool area_reserve(u64 from, u64 to)
{
	return reserve(from, to) && reserve(WORLD_STATE + from / CACHE_LINE,
					    WORLD_STATE + to / CACHE_LINE) &&
	       reserve(WORLD_SPAN + from / 4, WORLD_SPAN + to / 4);
}

static bool areas_reserve(u64 phys)
{
	return area_reserve(WORLD_SLAB, slab_end(phys)) &&
	       area_reserve(WORLD_CARVE, carve_end(phys)) &&
	       reserve(WORLD_STACKS, WORLD_STACKS + (u64)ACTORS_MAX * WORLD_STACK_SIZE) &&
	       area_reserve(WORLD_FRAMES, WORLD_FRAMES + phys / PAGE_SIZE * CACHE_LINE) &&
	       reserve(WORLD_PHYS, WORLD_PHYS + phys) &&
	       reserve(WORLD_SPAN + WORLD_PHYS / 4, WORLD_SPAN + (WORLD_PHYS + phys) / 4);
}

void *world_map(u64 phys)
{
	if (phys > WORLD_PHYS_MAX) {
		errno = ERANGE;
		return NULL;
	}
	if (!areas_reserve(phys)) {
		int err = errno;

		world_release();
		errno = err;
		return NULL;
	}
	area_open(WORLD_SLAB, SLAB_CHUNK);
	area_open(WORLD_FRAMES, WORLD_FRAMES + phys / PAGE_SIZE * CACHE_LINE);
	open_range(WORLD_PHYS, WORLD_PHYS + phys);
	open_range(WORLD_SPAN + WORLD_PHYS / 4, WORLD_SPAN + (WORLD_PHYS + phys) / 4);
	return world_base;
}

void arena_setup(u64 phys)
{
	the_world->slab_next = (sizeof(struct world) + PAGE_SIZE - 1) & ~(u64)(PAGE_SIZE - 1);
	the_world->carve_next = WORLD_CARVE;
	the_world->page_next = PAGE_SIZE;	/* pfn 0 is nobody's: 0 can mean none */
	the_world->page_link = world_carve(phys / PAGE_SIZE * sizeof(u32));
}

void world_release(void)
{
	munmap(world_base, WORLD_SPAN + SHADOW_SPAN);
}

void *world_carve(u64 bytes)
{
	struct world *w = the_world;
	u64 at = w->carve_next;
	u64 end = (at + bytes + PAGE_SIZE - 1) & ~(u64)(PAGE_SIZE - 1);

	if (end > carve_end(world_phys_size()))
		sim_die("the world has no room for a table of %llu bytes", (unsigned long long)bytes);
	area_open(at, end);
	world_set(w->carve_next, end);
	return world_base + at;
}

/* Lines that an object of class @c takes. */
static u32 class_lines(u32 c)
{
	return c < 16 ? c + 1 : 16u << (c - 15);
}

static u32 slab_class(size_t size)
{
	u64 lines = (size + CACHE_LINE - 1) / CACHE_LINE;
	u32 c = lines <= 16 ? (u32)lines - 1 : 16;

	while (class_lines(c) < lines)
		c++;
	return c;
}

/* The fast path looks there, not at the state; a line never touched is looked at anyway. */
static void lines_freed(const void *p, u64 lines)
{
	struct line *l = line_of(p);

	for (u64 i = 0; i < lines; i++)
		if (l[i].home)
			line_forget(&l[i]);
}

static void lines_mark(void *p, u64 lines, enum line_state s)
{
	world_fill(state_of(p), s, lines);
	if (s == LINE_DEAD)
		lines_freed(p, lines);
}

static void page_mark(u64 hpa, enum line_state s)
{
	world_fill(state_of(page_line(hpa)), s, 1);
	if (s != LINE_DEAD)
		return;
	lines_freed(phys_to_ptr(hpa), PAGE_SIZE / CACHE_LINE);
	lines_freed(page_line(hpa), 1);
}

/* A page that nobody has written takes no memory, and none to be cleared or poisoned. */
static bool page_is_clean(u64 hpa)
{
	const u64 *w = phys_to_ptr(hpa);
	u64 any = 0;

	for (u32 i = 0; i < PAGE_SIZE / sizeof(u64) && !any; i += 8)
		any = w[i] | w[i + 1] | w[i + 2] | w[i + 3] | w[i + 4] | w[i + 5] | w[i + 6] |
		      w[i + 7];
	return !any;
}

void *world_alloc(size_t size)
{
	struct sim *sim = sim_current();
	struct world *w = the_world;
	u32 c, lines;
	char *p;

	if (!size || size > WORLD_ALLOC_MAX)
		sim_die("world_alloc of %zu bytes", size);
	c = slab_class(size);
	lines = class_lines(c);
	sim_free_lock(sim);
	if (w->slab_free[c]) {
		p = world_base + w->slab_free[c];
		world_set(w->slab_free[c], *(u64 *)p);
		world_fill(p, 0, (size_t)lines * CACHE_LINE);
	} else {
		u64 at = w->slab_next, end = at + (u64)lines * CACHE_LINE;

		if (end > slab_end(sim->opt.phys))
			sim_die("the world's slab area is full");
		if (end / SLAB_CHUNK != (at - 1) / SLAB_CHUNK)
			area_open(at, (end / SLAB_CHUNK + 1) * SLAB_CHUNK);
		world_set(w->slab_next, end);
		p = world_base + at;
	}
	lines_mark(p, lines, LINE_LIVE);
	sim_free_unlock(sim);
	return p;
}

void world_free(void *p, size_t size)
{
	struct sim *sim = sim_current();
	struct world *w = the_world;
	u32 c, lines;

	if (!p)
		return;
	c = slab_class(size);
	lines = class_lines(c);
	sim_free_lock(sim);
	if (*state_of(p) != LINE_LIVE) {
		sim_free_unlock(sim);
		check_fail("use-after-free", "", "freed twice");
		return;
	}
	world_fill(p, POISON, (size_t)lines * CACHE_LINE);
	world_set(*(u64 *)p, w->slab_free[c]);
	world_set(w->slab_free[c], (u64)((char *)p - world_base));
	lines_mark(p, lines, LINE_DEAD);
	sim_free_unlock(sim);
}

u64 world_phys_size(void)
{
	return sim_current()->opt.phys;
}

static u64 page_recycle(void)
{
	struct world *w = the_world;
	u64 pfn = w->page_free - 1;

	world_set(w->page_free, (u64)w->page_link[pfn]);
	return pfn << PAGE_SHIFT;
}

/* The next page of the guests' block that nobody has; 0: none */
static u64 block_take(void)
{
	struct world *w = the_world;

	while (w->block_next < w->block_end) {
		u64 hpa = w->block_next;

		world_set(w->block_next, hpa + PAGE_SIZE);
		if (*state_of(phys_to_ptr(hpa)) == LINE_FRESH)
			return hpa;
	}
	return 0;
}

/* Another block, behind all that is in use; false: there is no memory for a whole one */
static bool block_new(void)
{
	struct world *w = the_world;
	u64 from = w->page_next > w->block_end ? w->page_next : w->block_end;

	from = (from + GUEST_BLOCK - 1) & ~(GUEST_BLOCK - 1);
	if (from + GUEST_BLOCK > world_phys_size())
		return false;
	world_set(w->block_next, from);
	world_set(w->block_end, from + GUEST_BLOCK);
	return true;
}

static u64 page_take(void)
{
	struct world *w = the_world;
	u64 hpa;

	if (w->page_free)
		return page_recycle();
	for (;;) {
		hpa = w->page_next;
		if (hpa >= world_phys_size())
			break;
		if (hpa >= w->block_next && hpa < w->block_end)
			hpa = w->block_end - PAGE_SIZE;		/* not one of the guests' */
		world_set(w->page_next, hpa + PAGE_SIZE);
		if (hpa + PAGE_SIZE != w->block_end && *state_of(phys_to_ptr(hpa)) == LINE_FRESH)
			return hpa;
	}
	hpa = block_take();
	if (!hpa)
		sim_die("the simulated machine is out of memory (%llu bytes)",
			(unsigned long long)world_phys_size());
	return hpa;
}

static u64 page_take_guest(void)
{
	u64 hpa;

	if (the_world->page_free)
		return page_recycle();
	hpa = block_take();
	if (!hpa && block_new())
		hpa = block_take();
	return hpa ? hpa : page_take();
}

static void page_make_live(u64 hpa)
{
	void *p = phys_to_ptr(hpa);

	if (*state_of(p) == LINE_DEAD && !page_is_clean(hpa))
		world_fill(p, 0, PAGE_SIZE);
	page_mark(hpa, LINE_LIVE);
}

static u64 page_alloc_by(u64 (*take)(void))
{
	struct sim *sim = sim_current();
	u64 hpa;

	sim_free_lock(sim);
	hpa = take();
	page_make_live(hpa);
	sim_free_unlock(sim);
	return hpa;
}

u64 page_alloc(void)
{
	return page_alloc_by(page_take);
}

u64 page_alloc_guest(void)
{
	return page_alloc_by(page_take_guest);
}

static bool range_is_free(u64 hpa)
{
	for (u64 i = 0; i < 512; i++)
		if (!page_is_free(hpa + i * PAGE_SIZE))
			return false;
	return hpa >= the_world->page_next && hpa >= the_world->block_end;
}

/* Take a page that was freed out of the list: it may be freed again, and be there once. */
static void page_unlink(u64 pfn)
{
	struct world *w = the_world;
	u64 at = w->page_free;

	if (at == pfn + 1) {
		world_set(w->page_free, (u64)w->page_link[pfn]);
		return;
	}
	while (w->page_link[at - 1] != pfn + 1)
		at = w->page_link[at - 1];
	world_set(w->page_link[at - 1], w->page_link[pfn]);
}

static void page_take_at(u64 hpa)
{
	if (*state_of(phys_to_ptr(hpa)) == LINE_DEAD)
		page_unlink(hpa >> PAGE_SHIFT);
	page_make_live(hpa);
}

void page_alloc_at(u64 hpa)
{
	struct sim *sim = sim_current();

	sim_free_lock(sim);
	if (hpa % PAGE_SIZE || hpa >= world_phys_size() || !page_is_free(hpa))
		sim_die("page 0x%llx is not free", (unsigned long long)hpa);
	page_take_at(hpa);
	sim_free_unlock(sim);
}

u64 page_alloc_2m(void)
{
	struct sim *sim = sim_current();
	u64 size = 512 * PAGE_SIZE, hpa = world_phys_size() & ~(size - 1);

	sim_free_lock(sim);
	do {
		if (hpa < size)
			sim_die("the simulated machine has no free 2M page");
		hpa -= size;
	} while (!range_is_free(hpa));
	for (u64 i = 0; i < 512; i++)
		page_take_at(hpa + i * PAGE_SIZE);
	sim_free_unlock(sim);
	return hpa;
}

void page_free(u64 hpa)
{
	struct sim *sim = sim_current();
	struct world *w = the_world;
	void *p = phys_to_ptr(hpa);
	u64 pfn = hpa >> PAGE_SHIFT;

	sim_free_lock(sim);
	if (*state_of(p) != LINE_LIVE) {
		sim_free_unlock(sim);
		check_fail("use-after-free", "", "page 0x%llx freed twice", (unsigned long long)hpa);
		return;
	}
	if (!page_is_clean(hpa))
		world_fill(p, POISON, PAGE_SIZE);
	page_mark(hpa, LINE_DEAD);
	world_set(w->page_link[pfn], (u32)w->page_free);
	world_set(w->page_free, pfn + 1);
	sim_free_unlock(sim);
	if (!sim_is_free(sim))	/* else other LPs are at their caches */
		tlb_page_freed(hpa);
}

bool page_is_free(u64 hpa)
{
	return *state_of(phys_to_ptr(hpa)) != LINE_LIVE;
}

void page_reserve(u64 hpa)
{
	if (the_world->page_next < hpa)
		world_set(the_world->page_next, hpa);
}

void *arena_stack(u32 slot)
{
	u64 base = WORLD_STACKS + (u64)slot * WORLD_STACK_SIZE;
	/* Stacks a power of two apart would all compete for the same cache sets. */
	u64 colour = (u64)(slot * 7 % 61) * CACHE_LINE;

	open_range(base + PAGE_SIZE, base + WORLD_STACK_SIZE);	/* the first page guards */
	return world_base + base + WORLD_STACK_SIZE - colour;
}
