// SPDX-License-Identifier: GPL-2.0-only
/*
 * The typed arena: which structure an address belongs to. Small regions hang in a hash of
 * their page, those that span pages in a list of their own. All of it is world.
 */
#include <stdio.h>
#include <string.h>

#include "sim/engine/mem.h"
#include "sim/engine/priv.h"
#include "sim/engine/region.h"

static struct region **bucket_of(const void *p)
{
	u64 page = (u64)p >> PAGE_SHIFT;

	return &the_world->bucket[(page ^ page >> 12) % REGION_BUCKETS];
}

static u64 region_bytes(const struct region *r)
{
	return r->count * r->stride;
}

static struct region **region_list(const struct region *r)
{
	u64 last = (u64)r->base + region_bytes(r) - 1;

	if ((u64)r->base >> PAGE_SHIFT != last >> PAGE_SHIFT)
		return &the_world->large;
	return bucket_of(r->base);
}

struct region *region_add(const struct region *r)
{
	struct sim *sim = sim_current();
	struct region *mine = world_alloc(sizeof(*mine)), **list = region_list(r);

	world_store(mine, r, sizeof(*r));
	sim_free_lock(sim);
	world_set(mine->next_page, *list);
	world_set(*list, mine);
	world_set(mine->next, the_world->regions);
	world_set(mine->prev, NULL);
	if (mine->next)
		world_set(mine->next->prev, mine);
	world_set(the_world->regions, mine);
	sim->region_epoch++;
	sim_free_unlock(sim);
	return mine;
}

/* Under the lock of real threads */
static void region_unlink(struct sim *sim, struct region *r)
{
	struct region **p;

	for (p = region_list(r); *p != r; p = &(*p)->next_page)
		;
	world_set(*p, r->next_page);
	world_set(*(r->prev ? &r->prev->next : &the_world->regions), r->next);
	if (r->next)
		world_set(r->next->prev, r->prev);
	sim->region_epoch++;
}

void region_remove(struct region *r)
{
	struct sim *sim = sim_current();

	sim_free_lock(sim);
	region_unlink(sim, r);
	sim_free_unlock(sim);
	world_free(r, sizeof(*r));
}

void region_remove_page(const void *page)
{
	struct sim *sim = sim_current();
	struct region *r;

	do {
		sim_free_lock(sim);
		for (r = *bucket_of(page); r; r = r->next_page) {
			if ((u64)r->base >> PAGE_SHIFT == (u64)page >> PAGE_SHIFT)
				break;
		}
		if (r)
			region_unlink(sim, r);
		sim_free_unlock(sim);
		if (r)
			world_free(r, sizeof(*r));
	} while (r);
}

static struct region *list_at(struct region *list, const void *p)
{
	struct region *best = NULL;

	for (struct region *r = list; r; r = r->next_page) {
		if ((u64)p - (u64)r->base >= region_bytes(r))
			continue;
		if (!best || region_bytes(r) < region_bytes(best))
			best = r;
	}
	return best;
}

struct region *region_at(const void *p)
{
	struct sim *sim = sim_current();
	struct region *r;

	if (!world_has(p))
		return NULL;
	sim_free_lock(sim);
	r = list_at(*bucket_of(p), p);
	if (!r)
		r = list_at(the_world->large, p);
	sim_free_unlock(sim);
	return r;
}

static bool region_matches(const struct region *r, const char *name, const char *owner, u8 level)
{
	return !strcmp(r->type->name, name) && (!level || r->level == level) &&
	       (!owner || !r->owner || !strcmp(r->owner, owner));
}

void *region_find(const char *name, const char *owner, u64 index, u8 level, struct region **out)
{
	struct region *best = NULL;

	for (struct region *r = the_world->regions; r; r = r->next) {
		if (!region_matches(r, name, owner, level))
			continue;
		if (r->type->indexed && (index < r->index ||
					 index - r->index >= r->count * (r->step ? r->step : 1)))
			continue;
		if (!best || r->level < best->level)
			best = r;
	}
	if (!best)
		return NULL;
	if (out)
		*out = best;
	if (!best->type->indexed)
		return best->base;
	return (char *)best->base + (index - best->index) / (best->step ? best->step : 1) *
	       best->stride;
}

u64 region_epoch(void)
{
	return sim_current()->region_epoch + 1;
}

void region_each(void (*fn)(const struct region *r, void *ctx), void *ctx)
{
	for (const struct region *r = the_world->regions; r; r = r->next)
		fn(r, ctx);
}

void region_announce(const struct region_type *type)
{
	for (u32 i = 0; i < REGIONS_ANNOUNCED; i++) {
		if (the_world->announced[i] == type)
			return;
		if (!the_world->announced[i]) {
			world_set(the_world->announced[i], type);
			return;
		}
	}
	sim_die("more than %u types of regions are announced", REGIONS_ANNOUNCED);
}

const struct region_type *region_type_by_name(const char *name)
{
	for (struct region *r = the_world->regions; r; r = r->next)
		if (!strcmp(r->type->name, name))
			return r->type;
	for (u32 i = 0; i < REGIONS_ANNOUNCED && the_world->announced[i]; i++)
		if (!strcmp(the_world->announced[i]->name, name))
			return the_world->announced[i];
	return NULL;
}

u64 region_index(const struct region *r, const void *p)
{
	return r->index + ((u64)p - (u64)r->base) / r->stride * r->step;
}

const struct region_field *region_field_by_name(const struct region_type *t, const char *name)
{
	const struct region_field *f = t->fields;

	for (; f && f->width; f++)
		if (!strcmp(f->name, name))
			return f;
	return NULL;
}

const char *level_name(u8 level)
{
	static const char *const names[] = { "", "4K", "2M", "1G", "512G", "256T" };

	return level < ARRAY_SIZE(names) ? names[level] : "?";
}

const char *region_name_of(const void *p, char *buf, size_t n)
{
	struct region *r = region_at(p);
	int len;

	if (!r) {
		snprintf(buf, n, "?");
		return buf;
	}
	if (!r->type->indexed) {
		snprintf(buf, n, "%s", r->type->name);
		return buf;
	}
	len = snprintf(buf, n, "%s[0x%llx]", r->type->name,
		       (unsigned long long)region_index(r, p));
	if (r->level > 1 && len > 0 && (size_t)len < n)
		snprintf(buf + len, n - (size_t)len, "@%s", level_name(r->level));
	return buf;
}

const char *region_value(const struct region *r, u64 raw, char *buf, size_t n)
{
	if (r && r->type->describe)
		r->type->describe(raw, buf, n);
	else if (r && r->type->class)
		snprintf(buf, n, "%s", r->type->class(raw));
	else
		snprintf(buf, n, "0x%llx", (unsigned long long)raw);
	return buf;
}

u64 region_raw(const struct region *r, const void *p)
{
	u64 off = ((u64)p - (u64)r->base) / r->stride * r->stride;

	return word_at((const char *)r->base + off, r->size);
}
