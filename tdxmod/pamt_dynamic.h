/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Dynamic PAMT (S11): the entries of the 4K pages of a 2M region are in two pages that the VMM
 * gives and takes back; the region's own entry is then a node, PT_PAMT, which names them and
 * counts the 4K pages in use. A bitmap says which pages are in such pairs. All of it does
 * nothing, and makes no step, where S11 is off.
 *
 * Here the 4K entries stay where they are without it (docs/model.md, T16): what is in a pair is
 * the same words at another address.
 * Source: pamt_manager.[ch], helpers.c at 2.0.12 (intel/tdx-module a56a917).
 */
#include "tdxmod/pamt.h"

/* A node's second word: pages in use in bits 9:0, the second page of the pair from bit 28 */
#define PAMT_COUNT_MASK		0x3ffull
#define PAMT_PAIR1_SHIFT	28
#define PAMT_REMOVAL_HINT	BIT_ULL(62)	/* in an output register: the count is 0 now */

/* pamt_dynamic_new - the bitmap of memory [0, @end) */
void pamt_dynamic_new(struct module *mod, u64 end);

/* pamt_child - the entry of 4K page @hpa, found through its region's @node; steps if S11 */
struct pamt_entry *pamt_child(const struct module *mod, struct pamt_entry *node, u64 hpa);
/* pamt_implicit_child - likewise, for a page in use; sanity: the region is a node */
struct pamt_entry *pamt_implicit_child(const struct module *mod, u64 hpa);

/* pamt_pair_missing - a walk for a free 4K page has ended above it: for want of a pair? */
bool pamt_pair_missing(const struct module *mod, const struct pamt_walk *w, enum page_type pt);

/*
 * The bitmap: pamt_page_used - is page @hpa of a pair? pamt_page_take - make it so; false: it
 * was. pamt_range_used - is any page of the 2M region?
 */
bool pamt_page_used(const struct module *mod, u64 hpa);
bool pamt_page_take(const struct module *mod, u64 hpa);
void pamt_page_give(const struct module *mod, u64 hpa);
bool pamt_range_used(const struct module *mod, u64 hpa);

/*
 * pamt_count_up - one more 4K page of the region of @hpa is in use
 * pamt_count_down - one less; returns PAMT_REMOVAL_HINT when it was the last, else 0
 */
void pamt_count_up(const struct module *mod, u64 hpa);
u64 pamt_count_down(const struct module *mod, u64 hpa);

/* pamt_node_set - what a node says of its pair and count; pamt_node_pair - the pair. Steps. */
void pamt_node_set(struct pamt_entry *node, const u64 pair[2], u64 count);
void pamt_node_pair(struct pamt_entry *node, u64 pair[2]);

/*
 * pamt_check_pair - the two pages of a pair as operands: addresses, TDMR, each walked shared,
 * free, then taken in the bitmap. What lies in region @skip, which the caller has exclusive, is
 * not walked (PAMT.ADD); NULL_PA: both are (DEMOTE). The walks stay, for the caller to undo with
 * pamt_pair_unlock(), success or not.
 */
struct pamt_pair {
	u64 hpa[2];
	enum operand_id operand[2];
	u64 skip;
	struct pamt_walk walk[2];
	bool walked[2];
};
u64 pamt_pair_check(const struct module *mod, const struct pamt_pair *p);
u64 pamt_pair_take(const struct module *mod, struct pamt_pair *p);
void pamt_pair_unlock(const struct module *mod, struct pamt_pair *p);

/* pamt_pair_place - at build: the region of @hpa gets the pair @pair, no steps */
void pamt_pair_place(struct module *mod, u64 hpa, const u64 pair[2]);
