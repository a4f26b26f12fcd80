// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers and names of sites; the linker gives the bounds of their section.
 */
#include <string.h>

#include "sim/engine/site.h"

u32 site_count(void)
{
	return (u32)(__stop_sim_sites - __start_sim_sites);
}

const char *site_file(const struct site *site)
{
	const char *f = site->file;

	while (!strncmp(f, "../", 3))
		f += 3;
	return f;
}
