/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The arena is typed: a layer registers each structure that it shares, and from that come
 * the trace's words, a schedule's conditions (mirror[0x10] = FROZEN), contention coverage
 * and reports, also for code that knows nothing of tracing. A region is the only way by
 * which an address reaches any output.
 */
#include "sim/engine/types.h"

struct sim;

struct region_field {
	const char *name;		/* "TDEL" */
	u8 shift, width;		/* bits of the element's word; width 0 ends the table */
	const char *const *words;	/* names of values 0..; NULL: a number */
};

struct region_type {
	const char *name;	/* "sept", "mirror", "PAMT", "TDCS.epoch", "mmu_lock" */
	/*
	 * The class of a value, one word ("FREE", "FROZEN"); NULL: values are numbers.
	 * `R[I] = V` and `R[I] changes` speak of the class where there is one.
	 */
	const char *(*class)(u64 raw);
	/* More than the class, e.g. "PENDING hpa 0x400000"; NULL: class, or hexadecimal */
	void (*describe)(u64 raw, char *buf, size_t n);
	const struct region_field *fields;	/* NULL: none */
	bool indexed;		/* written with [index]; false: one of its kind, e.g. in a TD */
};

/* One stretch of elements. In the world, so that a restore takes it back. */
struct region {
	const struct region_type *type;
	void *base;
	u64 count;		/* elements */
	u32 stride;		/* bytes from one element to the next */
	u8 size;		/* bytes of one element's word: 1, 2, 4, 8 or 16 */
	u8 level;		/* 0: none; 1: 4K, 2: 2M, 3: 1G, 4: 512G, 5: 256T */
	u64 index;		/* of the first element: gfn, hpa or vCPU number */
	u64 step;		/* index of the next element minus this one's */
	const char *owner;	/* TD or VM name if there may be several, else NULL */
	struct region *next_page, *next, *prev;	/* region.c's */
};

/*
 * region_add - register; @r is copied to the world. Returns the copy.
 * region_remove - at the end of the structure's life
 * Regions may not overlap, except that a smaller one inside a larger wins (a field).
 */
struct region *region_add(const struct region *r);
void region_remove(struct region *r);
/* region_remove_page - all that begin in the 4K page at @page and do not leave it */
void region_remove_page(const void *page);

/* region_at - the region of address @p, or NULL. */
struct region *region_at(const void *p);

/*
 * region_find - address of element @index at @level of the first region of type @name
 * @level: 0 means the lowest that exists
 * @owner: NULL matches any
 * Returns NULL when nothing is registered for it now (a table that does not exist).
 */
void *region_find(const char *name, const char *owner, u64 index, u8 level, struct region **r);

/* region_epoch - what region_find() said holds until this number moves; never 0 */
u64 region_epoch(void);

/* region_each - @fn for every region that is registered now, newest first */
void region_each(void (*fn)(const struct region *r, void *ctx), void *ctx);

/*
 * region_announce - regions of @type may come; a handful of types at most
 * region_type_by_name - of any region registered so far in this sim, or announced
 */
#define REGIONS_ANNOUNCED	8
void region_announce(const struct region_type *type);
const struct region_type *region_type_by_name(const char *name);
u64 region_index(const struct region *r, const void *p);	/* index of the element at @p */
const struct region_field *region_field_by_name(const struct region_type *t, const char *name);

/* region_name_of - "sept[0x10]@2M" of address @p into @buf; "?" if nothing is registered */
const char *region_name_of(const void *p, char *buf, size_t n);
/* region_value - @raw as @r's type writes it, into @buf */
const char *region_value(const struct region *r, u64 raw, char *buf, size_t n);
/* region_raw - the element's word now (not a step) */
u64 region_raw(const struct region *r, const void *p);

/* "4K" "2M" "1G" "512G" "256T" for 1..5; "" for 0 */
const char *level_name(u8 level);
