// SPDX-License-Identifier: GPL-2.0-only
/*
 * What plays recorded lines: a machine that is made once and taken back for each of them.
 * Rests on docs/conform.md.
 */
#include "scenarios/conform_priv.h"
#include "sim/engine/rewind.h"

struct conform_player *conform_player_new(const char *tdx)
{
	struct conform_player *p = g_new0(struct conform_player, 1);

	p->tdx = tdx;
	p->locks = g_array_new(FALSE, FALSE, sizeof(struct conform_lock));
	return p;
}

static void machine_end(struct conform_player *p)
{
	machine_mark_free(p->ready);
	machine_free(p->m);
	p->ready = NULL;
	p->m = NULL;
}

struct conform_machine *player_machine(struct conform_player *p, bool script)
{
	if (p->m && (p->script != script || !rewind_possible()))
		machine_end(p);
	if (!p->m)
		p->m = machine_new(p->tdx, script);
	p->script = script;
	return p->m;
}

void conform_player_free(struct conform_player *p)
{
	machine_end(p);
	g_array_unref(p->locks);
	g_free(p);
}
