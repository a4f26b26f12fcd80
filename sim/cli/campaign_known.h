/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Of a campaign: which of what breaks is known. Rests on docs/your-kernel.md.
 */
#pragma once

#include "scenarios/explorer.h"
#include "sim/cli/plan.h"

/* known_reference - as @opt, on the project's own KVM, no switch on */
struct play_options known_reference(const struct play_options *opt);

/* campaign_broken_by - the first violation that is not tolerated, or NULL */
const struct play_violation *campaign_broken_by(const struct play_result *r);

/* known_end - does @reference end by the same rule as @r, or as it does? */
gboolean known_end(const struct play_result *r, const struct play_result *reference);

/*
 * known_first_new - the first of @e, found by the search @q of task @t with @opt, that is not
 * known, or NULL. It may play and search, as long as @q is.
 */
const struct explored_violation *known_first_new(const struct play_options *opt,
						 const struct task *t,
						 const struct explore_request *q,
						 const struct explored *e);
