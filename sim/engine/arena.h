/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The world's memory: one reservation at a fixed address, PROT_NONE until used, so that
 * a pointer means the same in every process and a restore restores the allocator too.
 * Measured: design rule "arena address" in docs/architecture.md.
 *
 * Areas: slab (small objects, each on cache lines of its own), stacks (64 KiB apart,
 * coloured, one guard page each), phys (the simulated machine's memory, linear: hpa h
 * is at world_phys + h), frames (a line for each page of it, page_line()), state (one byte a
 * cache line: fresh, live, dead; all lines of a page of phys have that of its page_line()).
 */
#include "sim/engine/types.h"

struct sim;

#define CACHE_LINE	64u
#define WORLD_ALLOC_MAX	(64u << 20)
#define PAGE_SIZE	4096u
#define PAGE_SHIFT	12

#if defined(__SANITIZE_THREAD__)
#define WORLD_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WORLD_TSAN 1
#endif
#endif

/*
 * world_base - the fixed address. The shadow (line model) starts at world_base +
 * WORLD_SPAN and is not part of the world: it is the clock's, see line.h.
 *
 * TSan leaves one window of 341 GiB; everybody else has room for 8 TiB of simulated memory.
 * Offsets of the areas from the base; WORLD_SPAN is their end. Only what a sim of its size can
 * use of each is reserved, see arena.c.
 */
#if !defined(__x86_64__) && !defined(__aarch64__)
#error "no arena address is known for this architecture: add one here"
#endif
#define WORLD_SLAB	0ull
#ifdef WORLD_TSAN
#define world_base	((char *)0x550000000000ull)
#define WORLD_CARVE	(8ull << 30)
#define WORLD_STACKS	(16ull << 30)
#define WORLD_FRAMES	(20ull << 30)
#define WORLD_STATE	(24ull << 30)
#define WORLD_PHYS	(32ull << 30)
#define WORLD_PHYS_MAX	(192ull << 30)
#define WORLD_SPAN	(256ull << 30)
#else
#define world_base	((char *)0x200000000000ull)
#define WORLD_CARVE	(128ull << 30)
#define WORLD_STACKS	(512ull << 30)
#define WORLD_FRAMES	(520ull << 30)
#define WORLD_STATE	(704ull << 30)
#define WORLD_PHYS	(1ull << 40)
#define WORLD_PHYS_MAX	(8ull << 40)
#define WORLD_SPAN	(WORLD_PHYS + WORLD_PHYS_MAX)
#endif
#define WORLD_STACK_SIZE (64u << 10)
#define world_phys (world_base + WORLD_PHYS)

static inline bool world_has(const void *p)
{
	return (u64)p - (u64)world_base < WORLD_SPAN;
}

/*
 * world_alloc - zeroed memory of the world, starting on a cache line
 * world_free  - give it back: its lines are dead until handed out again, and a step on
 *               a dead line is the violation use-after-free
 * @size: bytes, 1 to 64 MiB; world_free wants the size that was asked for
 *
 * Logged: a restore takes both back. Never fails (the reservation is the limit; beyond
 * it the process ends with a message).
 */
void *world_alloc(size_t size);
void world_free(void *p, size_t size);

/*
 * page_alloc - a free 4 KiB page of the simulated memory, zeroed; returns its hpa
 * page_alloc_guest - one for a guest's contents. These lie together, in blocks of 2 MiB: among
 *	them each table would have a page of the line model for itself
 * page_alloc_at - the page at @hpa, which must be free
 * page_free - its lines are dead until handed out again; what was written is poisoned
 * A page that was freed last is handed out first, as the kernel's per-CPU lists do; pages
 * never used come in order of hpa. Page 0 is never handed out: an hpa of 0 can mean none.
 */
u64 page_alloc(void);
u64 page_alloc_guest(void);
u64 page_alloc_2m(void);	/* 512 of them in a row, 2 MiB aligned: the highest that are free */
void page_alloc_at(u64 hpa);
void page_free(u64 hpa);
bool page_is_free(u64 hpa);

/* page_reserve - pages below @hpa are never handed out by page_alloc (fixed layouts) */
void page_reserve(u64 hpa);

/*
 * world_carve - @bytes of address space for a flat table (page metadata): reads as zero,
 * uses no memory until touched, lives as long as the sim. Page aligned.
 */
void *world_carve(u64 bytes);

static inline void *phys_to_ptr(u64 hpa)
{
	return world_phys + hpa;
}

static inline u64 ptr_to_phys(const void *p)
{
	return (u64)((const char *)p - world_phys);
}

/*
 * page_line - the line that stands for what a guest keeps in its page at @hpa: contents do not
 * exist, but who touches them waits for whom, and not after they were freed. A guest's whole
 * page takes a line of memory that way.
 */
static inline u64 *page_line(u64 hpa)
{
	return (u64 *)(world_base + WORLD_FRAMES + (hpa >> PAGE_SHIFT) * CACHE_LINE);
}

u64 world_phys_size(void);	/* bytes */

enum line_state {
	LINE_FRESH,	/* never handed out: a fixed structure or untouched memory */
	LINE_LIVE,
	LINE_DEAD,	/* freed: a step here is use-after-free */
};

static inline enum line_state world_line_state(const void *p)
{
	u64 at = (u64)p - (u64)world_base;

	if (at >= WORLD_PHYS)
		at = (u64)page_line(at - WORLD_PHYS) - (u64)world_base;
	return *((const u8 *)world_base + WORLD_STATE + at / CACHE_LINE);
}
