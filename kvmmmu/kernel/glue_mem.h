/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Accesses that are no step, of files that are compiled without the compiler's hooks: stores are
 * announced by hand. Real threads (septsim stress) see by GET() what was stored before a SET() of
 * the same word; what is made when it is first asked for is made under ksim_world_lock().
 */
#include "kvmmmu/kernel/ksim.h"

#define GET(rhs) __atomic_load_n(&(rhs), __ATOMIC_ACQUIRE)
#define SET(lhs, v) do {						\
	__typeof__(lhs) set_v = (v);					\
	ksim_plain_store(&(lhs), sizeof(lhs), NULL);			\
	__atomic_store_n(&(lhs), set_v, __ATOMIC_RELEASE);		\
} while (0)
/* The old value; op: fetch_add, fetch_or, fetch_and, exchange_n */
#define WORLD_RMW(op, lhs, v) ({					\
	ksim_plain_store(&(lhs), sizeof(lhs), NULL);			\
	__atomic_##op(&(lhs), v, __ATOMIC_SEQ_CST); })
/* *@old -> @new; false: it is not *@old, which says now what it is */
#define WORLD_TRY(lhs, old, new) ({					\
	ksim_plain_store(&(lhs), sizeof(lhs), NULL);			\
	__atomic_compare_exchange_n(&(lhs), old, new, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); })
