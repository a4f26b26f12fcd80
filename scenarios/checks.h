/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules that join the layers: does KVM's mirror agree with the module's S-EPT, is what
 * was zapped gone, is a freed page unmapped. They listen and peek; they take no step.
 * Also the table of every id that any layer can report. Source: docs/language.md, "checks".
 */
#pragma once

#include <glib.h>

#include "sim/engine/trace.h"

struct kvm;
struct sim;

/* One rule or observation, for `septsim list checks` and the parser's vocabulary. */
struct check_word {
	const char *name;
	const char *text;	/* what holds */
	gboolean observation;	/* counted and shown, never a violation by itself */
	const char *where;	/* which layer looks */
};

const struct check_word *check_words(guint *n);

struct checks;

/*
 * checks_new - watch @kvm in @sim; listening starts at once
 * @gfns: of the VM, from 0
 */
struct checks *checks_new(struct sim *sim, struct kvm *kvm);
/* checks_more - another VM of the same run; lives and listens with @k, the first one's */
struct checks *checks_more(struct checks *k, struct kvm *kvm);
void checks_free(struct checks *k);

/* checks_event - every event of the run, in order; for the listener */
void checks_event(struct checks *k, const struct event *ev);

enum check_kinds { CHECK_MIRROR = 1, CHECK_DIRECT = 2 };	/* of trees that are unmapped */

/*
 * checks_zap_begins - an operation that is to unmap gfns [@from, @to) begins; its number
 * checks_zap_ends - it has returned: zap-lost if a page that was mapped before it began still
 * is, or comes to be. @done: false if it failed, and promises nothing
 */
guint checks_zap_begins(struct checks *k, guint64 from, guint64 to, guint kinds);
void checks_zap_ends(struct checks *k, guint64 from, guint64 to, guint kinds, guint zap,
		     gboolean done);

/* checks_end - all actors are done: every gfn is quiescent */
void checks_end(struct checks *k);

/* Rows of a schedule are played: one actor runs alone. */
void checks_alone(struct checks *k, gboolean alone);

/* What counts as getting somewhere (`limit progress=`), and how long without it is too long. */
void checks_progress(struct checks *k, guint progress, guint64 window);

/* The engine's own way to say which gfns disagree, for reports: TRUE and @text if they do. */
gboolean checks_disagree(struct kvm *kvm, guint64 gfn, char *text, gsize n);
