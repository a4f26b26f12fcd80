// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine of probes, and how a call is made on it. Rests on the model alone.
 */
#include "scenarios/probe_priv.h"

#include <string.h>

#include "sim/engine/arena.h"
#include "sim/engine/check.h"
#include "sim/engine/cost.h"
#include "sim/engine/lp.h"
#include "tdxmod/build.h"
#include "tdxmod/guest_run.h"
#include "tdxmod/flow.h"
#include "tdxmod/observe.h"
#include "tdxmod/peek.h"

#define FIRST_PAGE	0x10000000ull	/* of place 0; the next 64M on */
#define PLACE_SIZE	0x4000000ull

static const struct cost_table no_costs;

static void set_places(struct machine *m)
{
	for (guint i = 0; i < PLACES; i++) {
		u64 base = FIRST_PAGE + i * PLACE_SIZE;

		m->place[i] = (struct place){
			.gpa = (i + 1ull) << 30, .tables = base, .page = base + 0x200000,
			.page2m = base + 0x400000, .fresh = base + 0x100000, .pair = base + 0x110000,
			.build = base + 0x600000,
			.vcpu = i, .lp = (u16)i,
		};
	}
}

struct machine *probe_machine_new(const struct probe *p)
{
	static const char *const passed_by[] = {
		"module-fatal", "unsupported-leaf", "use-after-free", "stale-tlb", "guest-stuck",
	};
	struct sim_options so = {
		.phys = 1ull << 30, .lps = PROBE_LPS, .packages = 2, .logged = true,
		.costs = &no_costs,
	};
	struct tdx_module_config cfg = {
		.version = p->tdx, .dpamt = p->dpamt ? DPAMT_ALL : DPAMT_OFF,
	};
	struct td_build td = {
		.name = "TD", .levels = 4, .op_state = OP_STATE_RUNNABLE, .iommus = 1,
	};
	struct machine *m = g_new0(struct machine, 1);

	m->sim = sim_new(&so);
	if (!m->sim) {
		g_free(m);
		return NULL;
	}
	for (guint i = 0; i < G_N_ELEMENTS(passed_by); i++)
		check_tolerate(m->sim, passed_by[i]);
	page_reserve(1 << 20);
	m->dpamt = p->dpamt;
	tdx_module_new(m->sim, &cfg);
	m->tdr = td_build(m->sim, &td);
	for (guint i = 0; i < PROBE_LPS; i++)
		m->tdvpr[i] = vcpu_build(m->tdr, 0);
	td.name = "target";
	td.op_state = OP_STATE_INITIALIZED;
	m->target = td_build(m->sim, &td);
	set_places(m);
	return m;
}

void probe_machine_free(struct machine *m)
{
	sim_free(m->sim);
	g_free(m);
}

static u64 guest_call(struct tdx_regs *regs)
{
	struct tdx_regs g = *regs, out = { 0 };
	bool again = false;

	if (!lp_ctx_self()->non_root)
		return PROBE_NOTHING;
	if (vmexit_tdcall(lp_ctx_self(), &g, &again, &out))
		return PROBE_EXIT | out.rax;
	return again ? PROBE_AGAIN : g.rax;
}

u64 probe_call(struct machine *m, const struct recipe *recipe, const struct place *at,
	       struct tdx_regs *regs)
{
	u16 was = sim_self->lp;
	u64 status;

	sim_self->lp = at->lp;
	if (recipe->guest) {
		status = guest_call(regs);
	} else if (regs->rax == TDH_VP_ENTER) {
		lp_mask_all();
		status = vp_enter_seam(regs);
		if (status == EXIT_REASON_EPT_VIOLATION)
			status |= PROBE_EXIT;
		lp_unmask();
	} else {
		status = seamcall(regs);
	}
	sim_self->lp = was;
	return status;
}

void probe_regs(const struct machine *m, const struct recipe *recipe, const struct place *at,
		struct tdx_regs *r)
{
	*r = (struct tdx_regs){ .rax = recipe->leaf | (u64)recipe->version << 16,
				.r9 = NULL_PA, .r10 = NULL_PA, .r11 = NULL_PA };
	recipe->registers(m, at, r);
}

static const char *exit_word(u64 reason)
{
	switch (reason) {
	case EXIT_REASON_EPT_VIOLATION:
		return "EPT_VIOLATION";
	case EXIT_REASON_TDCALL:
		return "TDCALL";
	default:
		return "other";
	}
}

char *probe_word(u64 status)
{
	char buf[96];
	const char *name;

	if (status == PROBE_AGAIN)
		return g_strdup("(interrupted, or a #VE: executed again)");
	if ((status & PROBE_EXIT) && !STATUS_CLASS(status & ~PROBE_EXIT))
		return g_strdup_printf("(TD exit %s)", exit_word(status & 0xffff));
	if (status & PROBE_EXIT)	/* its low half is an exit reason */
		status &= ~0xffffffffull;
	name = status_name(status & ~PROBE_EXIT, buf, sizeof(buf));
	if (status & PROBE_EXIT)
		return g_strdup_printf("(TD exit %s)", name + strlen("TDX_"));
	return g_strdup(g_str_has_prefix(name, "TDX_") ? name + strlen("TDX_") : name);
}

u64 *probe_entry(const struct machine *m, const struct place *at, u8 level)
{
	u8 reached;
	u64 *slot = sept_peek_slot(m->tdr, at->gpa, level, &reached);

	return slot && reached == level ? slot : NULL;
}
