// SPDX-License-Identifier: GPL-2.0-only
/*
 * See lock_model.h. An actor stops after its first success; host: acquire, write, release;
 * guest: acquire, release.
 */
#include "lock_model.h"
#include "sim/engine/mem.h"
#include "sim/engine/undo.h"

enum { TDEL = 11, TDHP = 52 };

static bool acquire_host(struct lock_model *m)
{
	u64 *e = &m->entry;

	if (mem_bts64(e, TDEL)) {
		mem_set_bit64(e, TDHP);
		actor_set(m->asked, 1);
		return false;
	}
	actor_set(m->asked, 0);
	mem_clear_bit64(e, TDHP);
	return true;
}

static bool acquire_guest(struct lock_model *m)
{
	u64 *e = &m->entry, v;

	if (mem_bts64(e, TDEL))
		return false;
	v = mem_read64(e);
	if (!(v >> TDHP & 1)) {
		if (m->asked)
			actor_set(m->bts_broken, 1);
		return true;
	}
	mem_clear_bit64(e, TDEL);
	return false;
}

static void host(void *arg)
{
	struct lock_model *m = arg;

	for (u32 i = 0; i < m->tries; i++) {
		actor_forget(i);
		if (!acquire_host(m))
			continue;
		mem_write64(&m->data, 0);
		mem_clear_bit64(&m->entry, TDEL);
		return;
	}
}

static void guest(void *arg)
{
	struct lock_model *m = arg;

	for (u32 i = 0; i < m->tries; i++) {
		actor_forget(i);
		if (!acquire_guest(m))
			continue;
		mem_clear_bit64(&m->entry, TDEL);
		return;
	}
}

struct sim *lock_model_sim(const struct sim_options *opt, u32 hosts, u32 guests, u32 tries,
			   struct lock_model **out)
{
	struct sim_options o = *opt;
	struct lock_model *m;
	struct sim *sim;

	o.lps = (u16)(hosts + guests);
	o.phys = 1 << 20;
	sim = sim_new(&o);
	if (!sim)
		return NULL;
	m = world_alloc(sizeof(*m));
	world_set(m->tries, tries);
	for (u32 i = 0; i < hosts; i++)
		actor_new(sim, "host", (u16)i, host, m);
	for (u32 i = 0; i < guests; i++)
		actor_new(sim, "guest", (u16)(hosts + i), guest, m);
	*out = m;
	return sim;
}
