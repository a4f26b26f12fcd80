/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The undo log: how the world changes outside a step, and how it is taken back.
 * A snapshot is a mark (a length of the log); with the log on, the world's hash is
 * kept in step with each write. Off (no search, no spin detection) a write is a write.
 */
#include "sim/engine/types.h"

/*
 * world_set - *@lhs = @v for world memory that only one actor or the engine owns
 *
 * No step: no scheduling point, no cost, no trace. Anything that two actors may touch
 * at once goes through mem.h instead.
 */
#define world_set(lhs, v) do {						\
	__typeof__(lhs) world_v = (v);					\
	world_store(&(lhs), &world_v, sizeof(lhs));			\
} while (0)

/* world_store - copy @n bytes to @p in the world, logged */
void world_store(void *p, const void *from, size_t n);
/* world_fill - set @n bytes at @p to @byte, logged */
void world_fill(void *p, u8 byte, size_t n);
/*
 * world_log - the caller is about to change @n bytes at @p itself (compiler hook of a
 * linked kernel tree; memcpy of its shim). Pair with world_logged() after the change.
 */
void world_log(const void *p, size_t n);
void world_logged(const void *p, size_t n);

/*
 * actor_set - the same for what the engine keeps of an actor (state, clock, mode): taken back
 * by an undo, but not in the world's hash. The actor itself writes these plainly, and so the
 * hash could not keep step; what of them decides enters search_key().
 */
#define actor_set(lhs, v) do {						\
	__typeof__(lhs) actor_v = (v);					\
	actor_store(&(lhs), &actor_v, sizeof(lhs));			\
} while (0)

void actor_store(void *p, const void *from, size_t n);

struct undo_mark {
	u64 length;
	u64 hash, hash_hi;
};

struct undo_mark undo_mark(void);
void undo_to(struct undo_mark mark);

/* One word of the log: what stood at @p before a write */
struct undo_entry {
	u64 *p;
	u64 old;
};

/* undo_since - the words written since @mark, oldest first, *@n of them; until the next write */
const struct undo_entry *undo_since(struct undo_mark mark, u64 *n);

/* undo_enable - start or stop logging; the log is emptied. Off at sim_new(). */
void undo_enable(bool on);
bool undo_enabled(void);
/* world_hash - incremental hash of every world word changed since undo_enable(true) */
u64 world_hash(void);
/* world_hash_hi - a second hash of the same words, for keys of more than 64 bits */
u64 world_hash_hi(void);
