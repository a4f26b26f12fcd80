/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The pictures of a benchmark report: figures with an inline SVG and a caption. Colours and
 * fonts are the page's (bench_html.c). Integers only: the same bytes everywhere.
 */
#include <glib.h>

#include "sim/engine/hist.h"

/* A bar from @from to @to with a thin line on to @end */
struct svg_span {
	const char *label;
	guint64 from, to, end;
};

/* @cycles: times, on a logarithmic axis */
void svg_spans(GString *out, const char *caption, const GArray *rows, gboolean cycles);

/* A piece of a row's bar; shown divided by @runs */
struct svg_part {
	const char *row, *part;		/* @part "": the whole row */
	guint64 value;
	guint runs;
	gboolean cycles;
};

void svg_stacks(GString *out, const char *caption, const GArray *parts);

/* When things happened: a row a policy, a colour @what */
struct svg_times {
	const char *label, *what;
	const struct hist *hist;
};

void svg_over_time(GString *out, const char *caption, const GArray *series);

/* A point of a line, with its interval */
struct svg_dot {
	const char *series, *at;
	guint64 value, low, high;
	gboolean cycles;
};

void svg_lines(GString *out, const char *caption, const GArray *dots);
