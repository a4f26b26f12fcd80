// SPDX-License-Identifier: GPL-2.0-only
/*
 * refcount_t: counts that saturate instead of wrapping, and complain when a reference is
 * taken to what has none left. Rests on include/linux/refcount.h and lib/refcount.c.
 */
#include "sim/engine/check.h"
#include "sim/engine/lock.h"
#include "sim/engine/mem.h"
#include "sim/engine/undo.h"

#define SATURATED	0xc0000000u	/* INT_MIN / 2 */

static void refcount_bad(struct refcount *r, const char *what)
{
	check_fail("use-after-free", "", "%s: %s", sim_self->name, what);
	mem_write32(&r->count, SATURATED);
}

void refcount_set(struct refcount *r, u32 n)
{
	mem_write32(&r->count, n);
}

u32 refcount_read(struct refcount *r)
{
	return mem_read32(&r->count);
}

void refcount_inc(struct refcount *r)
{
	s32 old = (s32)mem_xadd32(&r->count, 1);

	if (!old)
		refcount_bad(r, "a reference is taken to what has none left");
	else if (old < 0 || old == INT32_MAX)
		refcount_bad(r, "a reference count is saturated");
}

bool refcount_inc_not_zero(struct refcount *r)
{
	u32 old = mem_read32(&r->count), was;

	for (;;) {
		if (!old)
			return false;
		was = mem_cmpxchg32(&r->count, old, old + 1);
		if (was == old)
			break;
		old = was;
	}
	if ((s32)old < 0 || old == INT32_MAX)
		refcount_bad(r, "a reference count is saturated");
	return true;
}

bool refcount_dec_and_test(struct refcount *r)
{
	s32 old = (s32)mem_xadd32(&r->count, -1);

	if (old == 1)
		return true;
	if (old <= 0)
		refcount_bad(r, "a reference is dropped that nobody has");
	return false;
}
