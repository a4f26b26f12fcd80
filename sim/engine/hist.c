// SPDX-License-Identifier: GPL-2.0-only
/*
 * The histogram: values below 64 have a bucket each, the others 64 to a power of two.
 */
#include <glib.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/engine/hist.h"

static u32 bucket_of(u64 v)
{
	u32 shift;

	if (v < HIST_SUB)
		return (u32)v;
	shift = 63 - (u32)__builtin_clzll(v) - 6;	/* the seven leading bits remain */
	return shift * HIST_SUB + (u32)(v >> shift);
}

u64 hist_floor(u32 b)
{
	u32 shift;

	if (b < 2 * HIST_SUB)
		return b;
	shift = b / HIST_SUB - 1;
	return (u64)(b - shift * HIST_SUB) << shift;
}

/* Memory for buckets @least to @greatest */
static void make_room(struct hist *h, u32 least, u32 greatest)
{
	u32 from = least & ~(HIST_SUB - 1), to = (greatest | (HIST_SUB - 1)) + 1;
	u64 *bucket;

	if (h->buckets) {
		from = MIN(from, h->from);
		to = MAX(to, h->from + h->buckets);
	}
	if (to - from == h->buckets)
		return;
	bucket = g_new0(u64, to - from);
	if (h->buckets)
		memcpy(bucket + (h->from - from), h->bucket, h->buckets * sizeof(*bucket));
	g_free(h->bucket);
	h->bucket = bucket;
	h->from = from;
	h->buckets = to - from;
}

static void note(struct hist *h, u64 least, u64 greatest)
{
	if (!h->count || least < h->least)
		h->least = least;
	if (!h->count || greatest > h->greatest)
		h->greatest = greatest;
}

void hist_add(struct hist *h, u64 value)
{
	u32 b = bucket_of(value);

	note(h, value, value);
	if (b - h->from >= h->buckets)
		make_room(h, b, b);
	h->count++;
	h->sum += value;
	h->bucket[b - h->from]++;
}

void hist_merge(struct hist *into, const struct hist *h)
{
	if (!h->count)
		return;
	note(into, h->least, h->greatest);
	make_room(into, h->from, h->from + h->buckets - 1);
	into->count += h->count;
	into->sum += h->sum;
	for (u32 i = 0; i < h->buckets; i++)
		into->bucket[h->from - into->from + i] += h->bucket[i];
}

void hist_fini(struct hist *h)
{
	g_free(h->bucket);
	*h = (struct hist){ 0 };
}

u64 hist_at(const struct hist *h, u32 permille)
{
	u64 want = (h->count * permille + 999) / 1000, seen = 0;

	if (!h->count)
		return 0;
	if (permille >= 1000)
		return h->greatest;
	if (!want)
		return h->least;
	for (u32 i = 0; i < h->buckets; i++) {
		seen += h->bucket[i];
		if (seen >= want)
			return MAX(hist_floor(h->from + i), h->least);
	}
	return h->greatest;
}

u64 hist_mean(const struct hist *h)
{
	return h->count ? h->sum / h->count : 0;
}

void hist_write(const struct hist *h, FILE *out)
{
	fprintf(out, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, h->count, h->sum, h->least,
		h->greatest);
	for (u32 i = 0; i < h->buckets; i++)
		if (h->bucket[i])
			fprintf(out, " %" PRIu32 ":%" PRIu64, h->from + i, h->bucket[i]);
}

static bool number(const char **text, char end, u64 *v)
{
	char *stop;

	*v = strtoull(*text, &stop, 10);
	if (stop == *text || (*stop != end && *stop))
		return false;
	*text = *stop ? stop + 1 : stop;
	return true;
}

bool hist_read(struct hist *h, const char *text)
{
	u64 bucket, n, total = 0;

	*h = (struct hist){ 0 };
	if (!number(&text, ' ', &h->count) || !number(&text, ' ', &h->sum) ||
	    !number(&text, ' ', &h->least) || !number(&text, ' ', &h->greatest))
		return false;
	if (h->count && h->least <= h->greatest)
		make_room(h, bucket_of(h->least), bucket_of(h->greatest));
	while (*text) {
		if (!number(&text, ':', &bucket) || !number(&text, ' ', &n) ||
		    bucket - h->from >= h->buckets)
			return false;
		h->bucket[bucket - h->from] += n;
		total += n;
	}
	return total == h->count;
}
