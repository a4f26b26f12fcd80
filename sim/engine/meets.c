// SPDX-License-Identifier: GPL-2.0-only
/*
 * An open table from words of 8 bytes to who has read and who has written them. The idea, that
 * switches matter only at conflicting accesses, is that of Musuvathi and Qadeer (PLDI 2007)
 * and of partial-order reduction.
 */
#include "sim/engine/hash.h"
#include "sim/engine/meets.h"

#include <glib.h>
#include <string.h>

#define SLOTS_MIN	(1u << 12)
#define OTHERS		63u	/* actors from this number on are told apart from nobody */

struct slot {
	u64 word;		/* address; 0: free */
	u64 readers, writers;	/* by actor number */
};

struct meets {
	struct slot *slot;
	u64 mask, n, met;
};

struct meets *meets_new(void)
{
	struct meets *m = g_new0(struct meets, 1);

	m->mask = SLOTS_MIN - 1;
	m->slot = g_new0(struct slot, SLOTS_MIN);
	return m;
}

void meets_free(struct meets *m)
{
	if (!m)
		return;
	g_free(m->slot);
	g_free(m);
}

static struct slot *probe(const struct meets *m, u64 word)
{
	u64 i = (word >> 3) * 0x9e3779b97f4a7c15ull >> 20 & m->mask;

	while (m->slot[i].word && m->slot[i].word != word)
		i = (i + 1) & m->mask;
	return &m->slot[i];
}

static void grow(struct meets *m)
{
	struct slot *old = m->slot;
	u64 n = m->mask + 1;

	m->mask = 2 * n - 1;
	m->slot = g_new0(struct slot, 2 * n);
	for (u64 i = 0; i < n; i++)
		if (old[i].word)
			*probe(m, old[i].word) = old[i];
	g_free(old);
}

static bool is_met(const struct slot *s)
{
	u64 all = s->readers | s->writers;

	return s->writers && (all & (all - 1));
}

static u64 bits_of(const struct actor *a)
{
	return a->id < OTHERS - 1 ? 1ull << a->id : 3ull << (OTHERS - 1);
}

static void note(struct meets *m, u64 word, u64 who, bool writes)
{
	struct slot *s = probe(m, word);
	bool was;

	if (!s->word) {
		if (m->n >= m->mask - m->mask / 4) {
			grow(m);
			s = probe(m, word);
		}
		s->word = word;
		m->n++;
	}
	was = is_met(s);
	if (writes)
		s->writers |= who;
	else
		s->readers |= who;
	m->met += !was && is_met(s);
}

static bool writes(const struct pending *n)
{
	return n->op != MEM_READ && n->op != MEM_AWAIT;
}

void meets_note(struct meets *m, const struct actor *a)
{
	const struct pending *n = &a->pending;
	u64 word = (u64)n->p & ~7ull, who = bits_of(a);

	if (!n->site || !n->p || n->op == MEM_FENCE)
		return;
	note(m, word, who, writes(n));
	if (n->size > 8)
		note(m, word + 8, who, writes(n));
}

static bool met(const struct meets *m, u64 word, u64 who, bool writes)
{
	const struct slot *s = probe(m, word);

	if (!s->word)
		return false;
	return ((s->writers | (writes ? s->readers : 0)) & ~who) != 0;
}

bool meets_here(const struct meets *m, const struct actor *a)
{
	const struct pending *n = &a->pending;
	u64 word = (u64)n->p & ~7ull, who = bits_of(a);

	if (!n->site || !n->p || n->op == MEM_FENCE)
		return true;
	return met(m, word, who, writes(n)) ||
	       (n->size > 8 && met(m, word + 8, who, writes(n)));
}

void meets_put(const struct meets *m, GByteArray *to)
{
	for (u64 i = 0; i <= m->mask; i++)
		if (m->slot[i].word)
			g_byte_array_append(to, (const u8 *)&m->slot[i], sizeof(struct slot));
}

void meets_get(struct meets *m, const u8 *p, u64 n)
{
	struct slot s;

	for (; n >= sizeof(s); p += sizeof(s), n -= sizeof(s)) {
		memcpy(&s, p, sizeof(s));
		if (s.readers)
			note(m, s.word, s.readers, false);
		if (s.writers)
			note(m, s.word, s.writers, true);
	}
}

u64 meets_sum(const struct meets *m)
{
	u64 sum = 0;

	for (u64 i = 0; i <= m->mask; i++)
		if (m->slot[i].word)
			sum += hash_fold(m->slot[i].word, m->slot[i].readers, m->slot[i].writers);
	return sum;
}

u64 meets_words(const struct meets *m)
{
	return m->met;
}
