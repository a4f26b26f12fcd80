/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Invariants. A rule that finds itself broken calls check_fail() with its id (the table of
 * ids: docs/language.md); it stops the run at the next scheduling point, unless the
 * scenario tolerates that id. Checks look (mem_peek, region_raw); they never take a step.
 */
#include "sim/engine/actor.h"

struct violation {
	const char *id;		/* "mirror-desync" */
	char *where;		/* "0x10": what `expect violation ID [where]` matches; or "" */
	char *text;		/* one line: what, with names */
	u64 clock;		/* cycles */
	u64 seq;		/* of the event before it */
	u16 actor;
	bool tolerated;
};

/*
 * check_fail - rule @id is broken
 * @where: gfn, lock or leaf that it is about, "" if none
 *
 * Returns true if it is tolerated and the caller should go on. Otherwise the run will
 * stop at this actor's next scheduling point; the caller goes on until there, so it must
 * leave nothing that would crash (or call actor_exit()).
 */
bool check_fail(const char *id, const char *where, const char *fmt, ...) __printf(3, 4);

/* check_tolerate - from now on violations of @id are recorded and passed by */
void check_tolerate(struct sim *sim, const char *id);
bool check_is_tolerated(const struct sim *sim, const char *id);

u32 check_count(const struct sim *sim);		/* violations so far, tolerated ones included */
const struct violation *check_at(const struct sim *sim, u32 i);
const struct violation *check_fatal(const struct sim *sim);	/* first not tolerated, or NULL */

/* check_at_end - @fn runs when all actors are done (page-leak, lock-held); may fail ids */
void check_at_end(struct sim *sim, void (*fn)(void *ctx), void *ctx);
