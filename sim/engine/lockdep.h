/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The engine's own view of its host locks. It observes through lock.h's calls and never
 * decides.
 */
#include "sim/engine/types.h"

/*
 * lock_explain - if @p is a word that a host lock's waiter polls, say which lock, how it is
 * wanted, who holds it and since when ("mmu_lock (write), held by zapper (read) since cycle
 * 812") into @buf; false if @p is no lock's
 */
bool lock_explain(const void *p, char *buf, size_t n);
