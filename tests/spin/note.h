/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A lock state as both sides write it: the word, then for each actor how often it was refused and
 * how it holds the lock (0 not, 1 shared, 2 exclusive). Each distinct one is written once, as a
 * line on stdout. Included by the model that spin makes a verifier of, and by states.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_SLOTS	(1u << 20)	/* a power of two; far more than any program here has */

static void note(unsigned int word, const unsigned char *tried, const unsigned char *held, int n)
{
	static unsigned long long *seen;
	static unsigned int used;
	unsigned long long state = word & 0xffff, slot;

	for (int i = 0; i < n; i++)
		state = state << 5 | (unsigned long long)(tried[i] << 2 | held[i]);
	state++;		/* 0 is a free slot */
	if (!seen)
		seen = calloc(NOTE_SLOTS, sizeof(*seen));
	slot = (state * 0x9e3779b97f4a7c15ull) >> 44;
	while (seen[slot] && seen[slot] != state)
		slot = (slot + 1) & (NOTE_SLOTS - 1);
	if (seen[slot])
		return;
	if (++used > NOTE_SLOTS / 2) {
		fprintf(stderr, "more than %u lock states\n", NOTE_SLOTS / 2);
		exit(2);
	}
	seen[slot] = state;
	printf("state %04x", word & 0xffff);
	for (int i = 0; i < n; i++)
		printf(" %u.%u", tried[i], held[i]);
	printf("\n");
}

/* A sanity check of the module failed on some way. */
static void note_fatal(void)
{
	static int said;

	if (!said++)
		printf("fatal\n");
}
