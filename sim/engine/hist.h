/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Log-linear histogram of cycles and counts: 64 buckets to a power of two, so that a value
 * is kept to one part in 64; count, sum, least and greatest are exact. Frozen: the buckets
 * are what workers send and files keep. Only the powers of two that were met have memory: a
 * report keeps 10^5 of these. Record; integers only.
 */
#include <stdio.h>

#include "sim/engine/types.h"

#define HIST_SUB	64u
#define HIST_BUCKETS	(HIST_SUB * 59)		/* up to 2^64 - 1 */

struct hist {
	u64 count, sum, least, greatest;
	u64 *bucket;		/* [@buckets], the first is number @from; NULL while empty */
	u32 from, buckets;	/* multiples of HIST_SUB */
};

void hist_add(struct hist *h, u64 value);
void hist_merge(struct hist *into, const struct hist *h);
void hist_fini(struct hist *h);

/*
 * hist_at - the least value that at least @permille of 1000 values do not exceed (500: the
 * median; 1000: the greatest), as the lower end of its bucket. 0 when empty.
 */
u64 hist_at(const struct hist *h, u32 permille);
u64 hist_floor(u32 bucket);		/* the least value of a bucket */
/* hist_bucket - how many values there are in bucket number @b, any number */
static inline u64 hist_bucket(const struct hist *h, u32 b)
{
	return b - h->from < h->buckets ? h->bucket[b - h->from] : 0;
}

u64 hist_mean(const struct hist *h);	/* rounded down; 0 when empty */

/* hist_write - "COUNT SUM LEAST GREATEST BUCKET:N ..."; hist_read is its inverse, false: torn */
void hist_write(const struct hist *h, FILE *out);
bool hist_read(struct hist *h, const char *text);
