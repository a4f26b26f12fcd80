/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the two reports of campaigns share: one of a tree, and one of what a change made
 * different. Rests on campaign.h.
 */
#pragma once

#include "sim/report/campaign.h"

#define CAMPAIGN_TABLES	8u	/* of what broke; more are named only */

/* campaign_put - text, its lines indented by @first and @rest blanks */
void campaign_put(const struct report_look *look, GString *out, int first, int rest,
		  const char *fmt, ...) G_GNUC_PRINTF(5, 6);
/* campaign_item_name - "SCENARIO CASE"; the caller's */
char *campaign_item_name(const struct campaign_item *i);
/* campaign_put_broken - what broke there, with its table if @drawn */
void campaign_put_broken(const struct campaign_item *i, gboolean drawn,
			 const struct report_look *look, GString *out);
/* campaign_put_counts - clean or not, and how much of each phase went how */
void campaign_put_counts(const struct campaign *c, const struct report_look *look, GString *out);
