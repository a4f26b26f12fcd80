/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The shared accesses of a flow as words, "acquire PAMT_1G shared", and their comparison with
 * the rows of a CSV in the format of flow_steps.csv.
 */
#include "tests/tdxmod/common.h"

#include "tdxmod/guest.h"
#include "tdxmod/status.h"
#include "tdxmod/tdcall.h"

struct steps {
	struct sim *sim;
	struct test_td td;
	struct tdr *tdr;
	struct tdcs *tdcs;
	struct tdvps *vp;
	struct lp_ctx *lp;
	struct record rec;
	bool guest, children;
	bool contents;		/* pages have some: no page is a new S-EPT page */
	GPtrArray *got;
	u64 old;		/* a page that goes while another comes: PAMT_4K(OLD) */
	struct tdr *target;	/* another TD that the flow is about: names get "TARGET " */
	struct tdcs *target_tdcs;
	u64 target_hpa;
};


/* steps_begin - a TD of module 1.5.01 in @op_state (0: RUNNABLE); steps_record - from now on */
void steps_begin(struct steps *s, u32 op_state);
void steps_record(struct steps *s);
/* steps_compare - with the rows of @flow in @csv, then ends the sim */
void steps_compare(struct steps *s, const char *csv, const char *flow);

void steps_ok(u64 rax);
/* Tables for gpa 0 down to @level's entries, from pages at 2 MiB */
void steps_tables(struct steps *s, u8 level);
void steps_mapped(struct steps *s, u8 level);
void steps_blocked(struct steps *s, u8 level);
void steps_entered(struct steps *s);
