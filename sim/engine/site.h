/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * A site is the place in the source that takes a step. All sites of a program lie in
 * one linker section, so a site has a number without any registration; the number
 * enters an actor's key (it is never printed: output names file, line and function).
 */
#include "sim/engine/types.h"

struct site {
	const char *file;
	const char *func;
	u32 line;
	u32 zero;	/* pads to 24 bytes in every build, so that the section is an array */
};

/* The site of the statement that it stands in, as a `const struct site *`. */
#define SITE_HERE ({							\
	static const struct site site_here				\
	__attribute__((section("sim_sites"), used, aligned(8))) =	\
	{ __FILE__, __func__, __LINE__, 0 };				\
	&site_here; })

/* The bounds of the section, by the linker. */
extern const struct site __start_sim_sites[] __attribute__((weak));
extern const struct site __stop_sim_sites[] __attribute__((weak));

/* site_number - index of @site in this program's section, from 1; 0 for NULL */
static inline u32 site_number(const struct site *site)
{
	return site ? (u32)(site - __start_sim_sites) + 1 : 0;
}

/* site_count - how many sites this program has; no number is greater */
u32 site_count(void);

/* site_file - @site's file without leading "../", so that it reads the same in each build tree */
const char *site_file(const struct site *site);
