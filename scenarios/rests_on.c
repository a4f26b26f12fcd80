// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a case uses decides what it rests on: each row names an assumption of
 * docs/model.md (M machine, T module, K kernel) and when a case meets it.
 */
#include "scenarios/rests_on.h"

#include <string.h>

#include "scenarios/ast.h"
#include "tdxmod/versions.h"

/* What a case has that an assumption is about. */
enum {
	USES_ALWAYS	= 0,
	USES_GUEST	= 1 << 0,
	USES_SHARED	= 1 << 1,	/* accesses to shared gpas */
	USES_ACCEPT	= 1 << 2,	/* guest pages that a #VE handler accepts */
	USES_VMCALL	= 1 << 3,
	USES_FATAL	= 1 << 4,	/* tolerates module-fatal */
	USES_NO_FREEZE	= 1 << 5,
	USES_MIDDLE	= 1 << 6,	/* kernels between v6.16 and v7.2 */
	USES_DPAMT	= 1 << 7,
	USES_IOMMUS	= 1 << 9,	/* TDX Connect */
	USES_NEWER	= 1 << 8,	/* a module of which not all was read */
};

static const struct {
	const char *name;
	unsigned int when;	/* any of these */
} table[] = {
	{ "M1", USES_ALWAYS },		/* sequential consistency */
	{ "M2", USES_ALWAYS },		/* prices that decide who is next */
	{ "M3", USES_ALWAYS },
	{ "M4", USES_ALWAYS },
	{ "K2", USES_MIDDLE },	/* order of v6.18 and v6.19 */
	{ "K3", USES_NO_FREEZE },	/* what the mutation does with errors */
	{ "K5", USES_VMCALL },	/* no virtual interrupts */
	{ "T1", USES_ALWAYS },	/* page contents */
	{ "T2", USES_ALWAYS },	/* double reads */
	{ "T3", USES_GUEST },		/* what a TLB keeps */
	{ "T4", USES_GUEST },		/* when a translation is used */
	{ "T5", USES_GUEST },		/* single-step defence */
	{ "T8", USES_ALWAYS },	/* TDs start as built */
	{ "T9", USES_FATAL },
	{ "T11", USES_SHARED },
	{ "T12", USES_ACCEPT },
	{ "T15", USES_ALWAYS },	/* the module's fixed costs */
	{ "T16", USES_DPAMT },	/* dynamic PAMT */
	{ "T17", USES_NEWER },	/* switches that are inferred */
	{ "T20", USES_IOMMUS },	/* IOMMUs without queues */
};

static unsigned int uses_ops(const GPtrArray *ops)
{
	unsigned int u = 0;

	for (guint i = 0; ops && i < ops->len; i++) {
		const struct scn_op *op = ops->pdata[i];

		if (op->word->code == SCN_OP_REPEAT)
			u |= uses_ops(op->body);
		else if (op->word->code == SCN_OP_ACCESS)
			u |= op->kind == SCN_MEM_SHARED ? USES_SHARED : USES_ACCEPT;
		else if (op->word->code == SCN_OP_VMCALL || op->word->code == SCN_OP_HALT)
			u |= USES_VMCALL;
	}
	return u;
}

static unsigned int uses(const struct scenario_case *c, const char *kvm, const char *tdx,
			 const char *switches)
{
	unsigned int u = 0;

	for (guint i = 0; i < c->actors->len; i++) {
		const struct scn_actor *a = c->actors->pdata[i];

		if (a->guest)
			u |= USES_GUEST | uses_ops(a->guest->ops);
	}
	for (guint i = 0; i < c->tolerate->len; i++)
		if (!strcmp(c->tolerate->pdata[i], "module-fatal"))
			u |= USES_FATAL;
	if (strstr(switches, "no-freeze"))
		u |= USES_NO_FREEZE;
	if (strstr(switches, TDX_OPTION_DPAMT))
		u |= USES_DPAMT;
	for (guint i = 0; i < c->tds->len; i++)
		if (((struct scn_td *)c->tds->pdata[i])->iommus)
			u |= USES_IOMMUS;
	if (strcmp(tdx, TDX_VERSION_RECORDED))
		u |= USES_NEWER;
	if (!strcmp(kvm, "v6.18") || !strcmp(kvm, "v6.19"))
		u |= USES_MIDDLE;
	return u;
}

char *rests_on(const struct scenario_case *c, const char *kvm, const char *tdx,
	       const char *switches)
{
	unsigned int u = uses(c, kvm, tdx, switches);
	GString *s = g_string_new(NULL);

	for (guint i = 0; i < G_N_ELEMENTS(table); i++)
		if (table[i].when == USES_ALWAYS || (table[i].when & u))
			g_string_append_printf(s, "%s%s", s->len ? ", " : "", table[i].name);
	return g_string_free(s, FALSE);
}
