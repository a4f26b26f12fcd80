// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's locks. Every mem_* below is one atomic operation of the original, in its
 * order, also where that order looks odd: what is left behind is what races are made of.
 * Source: TDX_1.5.01, src/common/helpers/tdx_locks.h; tests: lock_vectors, atomic_steps.
 */
#include "tdxmod/lock.h"

#include "sim/engine/check.h"
#include "sim/engine/mem.h"
#include "sim/engine/trace.h"
#include "tdxmod/module.h"
#include "tdxmod/status.h"

void module_fatal(const char *where, const char *what)
{
	check_fail("module-fatal", where, "sanity check of the TDX module failed: %s", what);
}

/* The event of @l; one of several of its name has its number: TDVPR[n] by vCPU. */
static void say(enum ev_type type, const void *l, const char *name, const char *mode)
{
	struct event ev = { .type = type, .name = name, .detail = mode };

	if (!trace_on())
		return;
	ev.has_arg = lock_number(l, name, &ev.arg);
	trace_event(&ev);
}

static u64 got(void *l, enum lock_side side, const char *name, const char *mode)
{
	say(EV_LOCK, l, name, mode);
	if (trace_on())
		hp_watch_got(l, side);
	return TDX_SUCCESS;
}

/* @hp: a kind of lock on which a host that fails asks for priority */
static u64 busy(void *l, enum lock_side side, bool hp, const char *name, const char *mode)
{
	say(EV_BUSY, l, name, mode);
	if (trace_on() && hp && side == SIDE_HOST)
		hp_watch_host_busy(l);
	return TDX_OPERAND_BUSY;
}

static u64 host_first(const void *l, const char *name, const char *mode)
{
	say(EV_BUSY, l, name, mode);
	return TDX_OPERAND_BUSY_HOST_PRIORITY;
}

u64 mutex8_acquire(u8 *l, const char *name)
{
	u8 old = mem_cmpxchg8(l, 0, 1);

	if (old)
		return busy(l, SIDE_HOST, false, name, "exclusive");
	return got(l, SIDE_HOST, name, "exclusive");
}

void mutex8_release(u8 *l, const char *name)
{
	u8 old = mem_cmpxchg8(l, 1, 0);

	say(EV_UNLOCK, l, name, NULL);
	if (old != 1)
		module_fatal(name, "release of a mutex that is not held");
}

u64 sharex_acquire_sh(u16 *l, const char *name)
{
	u16 old = mem_xadd16(l, SHAREX_ONE);

	if (old & SHAREX_EX)
		return busy(l, SIDE_HOST, false, name, "shared"); /* the count stays */
	if (old >> 1 == 0x7fff) {
		module_fatal(name, "overflow of the readers of a sharex lock");
		return TDX_OPERAND_BUSY;
	}
	return got(l, SIDE_HOST, name, "shared");
}

u64 sharex_acquire_ex(u16 *l, const char *name)
{
	u16 old = mem_cmpxchg16(l, 0, SHAREX_EX);

	if (old)
		return busy(l, SIDE_HOST, false, name, "exclusive");
	return got(l, SIDE_HOST, name, "exclusive");
}

void sharex_release_sh(u16 *l, const char *name)
{
	u16 old = mem_xadd16(l, -SHAREX_ONE);

	say(EV_UNLOCK, l, name, NULL);
	if ((old & SHAREX_EX) || !(old >> 1))
		module_fatal(name, "shared release of a sharex lock that has no reader");
}

void sharex_release_ex(u16 *l, const char *name)
{
	u16 old = mem_xchg16(l, 0); /* wipes the counts that failed readers left */

	say(EV_UNLOCK, l, name, NULL);
	if (!(old & SHAREX_EX))
		module_fatal(name, "exclusive release of a sharex lock that is not held so");
}

u64 sharex_promote(u16 *l, const char *name)
{
	u16 old = mem_cmpxchg16(l, SHAREX_ONE, SHAREX_EX);

	if (old == SHAREX_ONE)
		return got(l, SIDE_HOST, name, "exclusive");
	if ((old & SHAREX_EX) || !old) {
		module_fatal(name, "promotion of a sharex lock that is not held shared");
		return TDX_OPERAND_BUSY;
	}
	return busy(l, SIDE_HOST, false, name, "exclusive");
}

void sharex_demote(u16 *l, const char *name)
{
	u16 old = mem_xchg16(l, SHAREX_ONE);

	say(EV_LOCK, l, name, "shared");
	if (!(old & SHAREX_EX))
		module_fatal(name, "demotion of a sharex lock that is not held exclusive");
}

static u64 hp_overflow(const char *name)
{
	module_fatal(name, "overflow of the readers of a host-priority lock");
	return TDX_OPERAND_BUSY;
}

u64 sharex_hp_acquire_sh(u16 *l, enum lock_side side, const char *name)
{
	u16 old = mem_xadd16(l, SHAREX_HP_ONE);
	const char *mode = side == SIDE_GUEST ? "shared guest" : "shared";
	bool full = old >> 2 == 0x3fff;

	if (side == SIDE_GUEST) {
		if (old & SHAREX_HP_HP) {
			/* If a writer left in between, this takes the count below zero */
			mem_xadd16(l, -SHAREX_HP_ONE);
			return host_first(l, name, mode);
		}
		if (old & SHAREX_HP_EX)
			return busy(l, side, true, name, mode);
		return full ? hp_overflow(name) : got(l, side, name, mode);
	}
	if (old & SHAREX_HP_EX) {
		mem_or16(l, SHAREX_HP_HP); /* even if the holder has left meanwhile */
		return busy(l, side, true, name, mode);
	}
	if (old & SHAREX_HP_HP)
		mem_and16(l, (u16)~SHAREX_HP_HP);
	return full ? hp_overflow(name) : got(l, side, name, mode);
}

u64 sharex_hp_acquire_ex(u16 *l, enum lock_side side, const char *name)
{
	u16 old = mem_cmpxchg16(l, 0, SHAREX_HP_EX);
	const char *mode = side == SIDE_GUEST ? "exclusive guest" : "exclusive";

	if (!old)
		return got(l, side, name, mode);
	if (old == SHAREX_HP_HP) {
		if (side == SIDE_GUEST)
			return host_first(l, name, mode);
		old = mem_cmpxchg16(l, SHAREX_HP_HP, SHAREX_HP_EX);
		if (old == SHAREX_HP_HP)
			return got(l, side, name, mode);
		/* Lost a race: HOST_PRIORITY is not asked for again */
		return busy(l, side, false, name, mode);
	}
	if (side == SIDE_HOST)
		mem_or16(l, SHAREX_HP_HP);
	return busy(l, side, true, name, mode);
}

void sharex_hp_release_sh(u16 *l, const char *name)
{
	u16 old = mem_xadd16(l, -SHAREX_HP_ONE);

	say(EV_UNLOCK, l, name, NULL);
	if ((old & SHAREX_HP_EX) || !(old >> 2))
		module_fatal(name, "shared release of a host-priority lock that has no reader");
}

void sharex_hp_release_ex(u16 *l, const char *name)
{
	u16 old = mem_read16(l);

	if (!(old & SHAREX_HP_EX)) {
		module_fatal(name, "exclusive release of a host-priority lock that is not held so");
		return;
	}
	mem_and16(l, SHAREX_HP_HP); /* wipes the counts too */
	say(EV_UNLOCK, l, name, NULL);
}

u64 sharex_hp_promote(u16 *l, const char *name)
{
	u16 old = mem_cmpxchg16(l, SHAREX_HP_ONE, SHAREX_HP_EX);

	if (old == SHAREX_HP_ONE)
		return got(l, SIDE_HOST, name, "exclusive");
	if (old == (SHAREX_HP_ONE | SHAREX_HP_HP)) {
		old = mem_cmpxchg16(l, SHAREX_HP_ONE | SHAREX_HP_HP, SHAREX_HP_EX);
		if (old == (SHAREX_HP_ONE | SHAREX_HP_HP))
			return got(l, SIDE_HOST, name, "exclusive");
		if ((old & SHAREX_HP_EX) || !old)
			module_fatal(name, "promotion of a host-priority lock not held shared");
		return busy(l, SIDE_HOST, false, name, "exclusive");
	}
	if ((old & SHAREX_HP_EX) || !old) {
		module_fatal(name, "promotion of a host-priority lock not held shared");
		return TDX_OPERAND_BUSY;
	}
	mem_or16(l, SHAREX_HP_HP);
	return busy(l, SIDE_HOST, true, name, "exclusive");
}

u64 sharex_hp_acquire(u16 *l, enum lock_mode mode, enum lock_side side, const char *name)
{
	return mode == LOCK_EXCLUSIVE ? sharex_hp_acquire_ex(l, side, name) :
					sharex_hp_acquire_sh(l, side, name);
}

void sharex_hp_release(u16 *l, enum lock_mode mode, const char *name)
{
	if (mode == LOCK_EXCLUSIVE)
		sharex_hp_release_ex(l, name);
	else
		sharex_hp_release_sh(l, name);
}

u64 sept_lock_host(u64 *entry)
{
	if (mem_bts64(entry, SEPT_TDEL_BIT)) {
		mem_set_bit64(entry, SEPT_TDHP_BIT); /* even if TDEL is free again by now */
		return busy(entry, SIDE_HOST, true, "sept", "host");
	}
	mem_clear_bit64(entry, SEPT_TDHP_BIT);
	return got(entry, SIDE_HOST, "sept", "host");
}

u64 sept_lock_guest(u64 *entry)
{
	u64 v;

	if (mem_bts64(entry, SEPT_TDEL_BIT))
		return busy(entry, SIDE_GUEST, true, "sept", "guest");
	v = mem_read64(entry);
	if (v & SEPT_TDHP) {
		mem_clear_bit64(entry, SEPT_TDEL_BIT);
		return host_first(entry, "sept", "guest");
	}
	return got(entry, SIDE_GUEST, "sept", "guest");
}

void sept_unlock(u64 *entry)
{
	u64 v = mem_read64(entry);

	if (!(v & SEPT_TDEL)) {
		module_fatal("sept", "release of an S-EPT entry that is not locked");
		return;
	}
	mem_clear_bit64(entry, SEPT_TDEL_BIT); /* TDHP stays as it is */
	say(EV_UNLOCK, entry, "sept", NULL);
}
