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
	USES_AT_ONCE	= 1 << 10,	/* a TD that is there from the start */
	USES_OFFLINE	= 1 << 11,	/* a CPU goes down */
	USES_FILES	= 1 << 12,	/* descriptors are closed */
	USES_INIT_VCPU	= 1 << 13,
	USES_INIT_V0	= 1 << 14,	/* the same on a module that KVM refuses */
	USES_DEFAULT	= 1 << 15,	/* a VM without TDX */
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
	{ "K6", USES_DEFAULT },	/* no PML; the shadow MMU */
	{ "K14", USES_OFFLINE },	/* who calls KVM when a CPU goes down */
	{ "K18", USES_FILES },	/* descriptors take no step */
	{ "K20", USES_DEFAULT | USES_SHARED },	/* user space's memory */
	{ "K21", USES_DEFAULT },	/* MMIO */
	{ "K22", USES_INIT_V0 },	/* TDH.VP.INIT of version 0 */
	{ "T1", USES_ALWAYS },	/* page contents */
	{ "T2", USES_ALWAYS },	/* double reads */
	{ "T3", USES_GUEST },		/* what a TLB keeps */
	{ "T4", USES_GUEST },		/* when a translation is used */
	{ "T5", USES_GUEST },		/* single-step defence */
	{ "T8", USES_AT_ONCE },	/* TDs start as built */
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

static unsigned int uses_op(const struct scn_op *op)
{
	unsigned int u = 0;

	if (!op)
		return 0;
	switch (op->word->code) {
	case SCN_OP_CPU_OFFLINE:
		return USES_OFFLINE;
	case SCN_OP_CLOSE:
	case SCN_OP_DESTROY:
		return USES_FILES;
	case SCN_OP_INIT_VCPU:
		return USES_INIT_VCPU;
	case SCN_OP_REPEAT:
		for (guint i = 0; i < op->body->len; i++)
			u |= uses_op(op->body->pdata[i]);
		return u;
	default:
		return 0;
	}
}

static unsigned int uses_cells(const GPtrArray *cells)
{
	unsigned int u = 0;

	for (guint i = 0; cells && i < cells->len; i++)
		u |= uses_op(((const struct scn_cell *)cells->pdata[i])->op);
	return u;
}

static unsigned int uses(const struct scenario_case *c, const char *kvm, const char *tdx,
			 const char *switches)
{
	unsigned int u = uses_cells(c->init) | uses_cells(c->schedule.rows);

	for (guint i = 0; i < c->actors->len; i++) {
		const struct scn_actor *a = c->actors->pdata[i];

		for (guint k = 0; k < a->ops->len; k++)
			u |= uses_op(a->ops->pdata[k]);
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
	for (guint i = 0; i < c->tds->len; i++) {
		const struct scn_td *td = c->tds->pdata[i];

		if (td->iommus)
			u |= USES_IOMMUS;
		if (td->type == SCN_TD_TYPE_TDX && td->state != SCN_TD_STATE_NONE)
			u |= USES_AT_ONCE;
		if (td->type == SCN_TD_TYPE_DEFAULT)
			u |= USES_DEFAULT;
	}
	if ((u & USES_INIT_VCPU) && !strcmp(tdx, "1.5.01"))
		u |= USES_INIT_V0;
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
