/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * x86-TSO in a search: an actor's plain stores go into a buffer of its own, are read back by
 * itself at once, and reach memory later, in order; when, is the search's choice: each buffer
 * has a background actor that stores its oldest entry. Locked operations, fences and
 * SEAMCALLs empty the buffer first.
 *
 * Only stores to words that another actor reads are buffered, as a store that nobody else
 * sees may as well be in memory at once. Which those are is learned from a search, and again
 * from the next, until there is no new one. Search only; wants at most 64 actors.
 * Source: Owens, Sarkar, Sewell: A better x86 memory model: x86-TSO (TPHOLs 2009).
 */
#include "sim/engine/actor.h"

struct sim;

/* tso_buffers - are stores buffered? tso_learns - are words being learned, or that? */
bool tso_buffers(const struct sim *sim);
bool tso_learns(const struct sim *sim);

/* tso_learn - from now on note who stores to and who reads which word */
void tso_learn(struct sim *sim);

/*
 * tso_buffer - buffer stores to the words that have been found shared so far; the first call
 * makes the buffers, so search_begin() is due. Returns how many words came anew.
 */
u32 tso_buffer(struct sim *sim);

/* tso_cut - stores that found their buffer full, and went on as if memory were faster */
u64 tso_cut(const struct sim *sim);

/* tso_words - each buffered word, in order of address */
void tso_words(const struct sim *sim, void (*fn)(void *ctx, const void *p), void *ctx);

/* mem_drain - the running actor's stores are in memory before its next step; no step itself */
void mem_drain(void);
