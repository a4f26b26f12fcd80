// SPDX-License-Identifier: GPL-2.0-only
/*
 * The histogram: values below 64 have a bucket each, the others 64 to a power of two.
 */
#include <glib.h>
#include <inttypes.h>
#include <stdlib.h>

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

static void note(struct hist *h, u64 least, u64 greatest)
{
	if (!h->count || least < h->least)
		h->least = least;
	if (!h->count || greatest > h->greatest)
		h->greatest = greatest;
	if (!h->bucket)
		h->bucket = g_new0(u64, HIST_BUCKETS);
}

void hist_add(struct hist *h, u64 value)
{
	note(h, value, value);
	h->count++;
	h->sum += value;
	h->bucket[bucket_of(value)]++;
}

void hist_merge(struct hist *into, const struct hist *h)
{
	if (!h->count)
		return;
	note(into, h->least, h->greatest);
	into->count += h->count;
	into->sum += h->sum;
	for (u32 i = 0; i < HIST_BUCKETS; i++)
		into->bucket[i] += h->bucket[i];
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
	for (u32 i = 0; i < HIST_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen >= want)
			return MAX(hist_floor(i), h->least);
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
	for (u32 i = 0; h->bucket && i < HIST_BUCKETS; i++)
		if (h->bucket[i])
			fprintf(out, " %" PRIu32 ":%" PRIu64, i, h->bucket[i]);
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
	if (h->count)
		h->bucket = g_new0(u64, HIST_BUCKETS);
	while (*text) {
		if (!number(&text, ':', &bucket) || !number(&text, ' ', &n) ||
		    bucket >= HIST_BUCKETS || !h->bucket)
			return false;
		h->bucket[bucket] += n;
		total += n;
	}
	return total == h->count;
}
