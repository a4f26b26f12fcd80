// SPDX-License-Identifier: GPL-2.0-only
/*
 * A recorded sequence: each operation on its LP, alone, one after the other, and all that the
 * record says of it compared. It ends early only where the model cannot go on.
 * Rests on docs/conform.md.
 */
#include "scenarios/conform_priv.h"

#include <stdio.h>
#include <string.h>

#include "sim/engine/arena.h"

struct running {
	struct compare c;
	const struct conform_record *op;
	u64 *slot, before, held;
	u8 level;
};

static void compare_registers(struct running *s, const struct conform_lp *l)
{
	const struct conform_record *op = s->op;
	bool guest = conform_of_guest(op), enter = op->call == TDH_VP_ENTER;
	u64 rax = conform_number(op, CF_RAX, 0);
	/* A SEAMCALL that returns has no "exit" here */
	const char *exit = !guest && !strcmp(l->exit, "vmm") ? "" : l->exit;

	want_text(&s->c, "exit", exit, op->t[CT_EXIT] ? op->t[CT_EXIT] : "");
	want_status(&s->c, "rax", l->r.rax, rax);
	if (conform_silent(op, rax))
		return;
	want(&s->c, "rcx", l->r.rcx, conform_number(op, CF_RCX, 0));
	want(&s->c, "rdx", l->r.rdx, conform_number(op, CF_RDX, 0));
	if (guest || enter || conform_has(op, CF_R8) ||
	    op->call == TDH_PHYMEM_PAGE_RECLAIM ||
	    (op->call == TDH_MEM_SEPT_ADD && conform_number(op, CF_VER, 0)))
		want(&s->c, "r8", l->r.r8, conform_number(op, CF_R8, 0));
}

static void compare_entry(struct running *s)
{
	const struct conform_record *op = s->op;
	const char *hold = op->t[CT_HOLD];

	if (conform_has(op, CF_ENTRY_BEFORE)) {
		if (!s->slot) {
			want_text(&s->c, "entry_before", "none", "an entry");
			return;
		}
		want(&s->c, "entry_before", s->before, op->n[CF_ENTRY_BEFORE]);
		want(&s->c, "entry_after", *s->slot, conform_number(op, CF_ENTRY_AFTER, 0));
		want(&s->c, "wl", s->level, conform_number(op, CF_WL, machine_level(op)));
		if (hold && (!strcmp(hold, "sept_host") || !strcmp(hold, "sept_guest")))
			want(&s->c, "entry_held", s->held,
			     conform_number(op, CF_ENTRY_HELD,
					    op->n[CF_ENTRY_BEFORE] | 1ull << 11));
	}
	if (conform_has(op, CF_CHILD_HELD)) {
		if (s->c.m->hold.p)
			want(&s->c, "child_held", *(u64 *)s->c.m->hold.p, op->n[CF_CHILD_HELD]);
		else
			want_text(&s->c, "child_held", "none", "an entry");
	}
}

static void compare_child(struct running *s)
{
	const struct conform_record *op = s->op;
	u64 page;

	if (!op->list_n[CL_CHILD])
		return;
	page = op->call == TDH_MEM_PAGE_DEMOTE ? conform_number(op, CF_HPA, 0) :
						 s->before & GENMASK_ULL(51, 12);
	if (page >= world_phys_size()) {
		want_text(&s->c, "child", "no page", "a page");
		return;
	}
	want(&s->c, "child[0]", ((u64 *)phys_to_ptr(page))[0], op->list[CL_CHILD][0]);
	want(&s->c, "child[511]", ((u64 *)phys_to_ptr(page))[511], op->list[CL_CHILD][1]);
}

static void compare_lists(struct running *s)
{
	const struct conform_record *op = s->op;
	const u64 *pamt = op->list[CL_PAMT], *v = op->list[CL_V];
	struct pamt_peek p;
	struct vcpu_peek vp;

	if (op->list_n[CL_PAMT] && pamt_peek(pamt[0], (u8)pamt[1], &p)) {
		want(&s->c, "pamt PT", p.pt, pamt[2]);
		want(&s->c, "pamt LOCK", p.lock, pamt[3]);
		want(&s->c, "pamt BEPOCH", p.bepoch, pamt[4]);
	} else if (op->list_n[CL_PAMT]) {
		want_text(&s->c, "pamt", "no such memory", "an entry");
	}
	if (!op->list_n[CL_V])
		return;
	vcpu_peek(s->c.m->tdvpr[conform_number(op, CF_VCPU, 0)], &vp);
	want(&s->c, "v STATE", vp.state, v[0]);
	want(&s->c, "v ASSOC_LPID", (u64)vp.assoc_lp, v[1]);
	want(&s->c, "v VCPU_EPOCH", vp.vcpu_epoch, v[2]);
	want(&s->c, "v POSSIBLY_EPF_STEPPING", vp.possibly_epf_stepping, v[3]);
	want(&s->c, "v LAST_EPF_GPA_LIST_IDX", vp.last_epf_gpa_list_idx, v[4]);
	want(&s->c, "v HP_LOCK_BUSY", vp.hp_lock_busy, v[5]);
}

/* The operation with its hold. NULL, or why it could not be run */
static const char *run(struct running *s, struct conform_lp **l, bool *missing)
{
	const char *why = machine_refuses(s->c.m, s->op, missing);

	if (why)
		return why;
	s->slot = machine_slot(s->c.m, s->op, &s->level);
	s->before = s->slot ? *s->slot : 0;
	why = machine_hold(s->c.m, s->op, s->slot);
	if (why)
		return why;
	s->held = s->slot ? *s->slot : 0;
	*l = machine_give(s->c.m, s->op);
	return machine_run(s->c.m, &why, missing) ? NULL : why;
}

static bool one(struct running *s, const char **why, bool *missing)
{
	const struct conform_record *op = s->op;
	struct conform_lp *l;
	char result[160];

	s->c.agrees = true;
	s->c.flow = op->t[CT_OP];
	*why = run(s, &l, missing);
	if (*why) {
		machine_let_go(s->c.m);
		return false;
	}
	compare_registers(s, l);
	compare_entry(s);
	compare_child(s);
	compare_lists(s);
	compare_state(&s->c, op, false);
	machine_let_go(s->c.m);
	s->c.sink->ran(s->c.sink->ctx, s->c.flow, conform_result(op, op, result, sizeof(result)),
		       s->c.agrees);
	return true;
}

void conform_sequence(struct conform_player *p, const struct conform_line *line,
		      const struct conform_sink *sink)
{
	struct conform_machine *m = player_machine(p, false);
	struct running s = { 0 };
	const char *why;
	bool missing;

	machine_begin(m, &line->init);
	compare_begin(&s.c, p, sink);
	for (u32 i = 0; i < line->ops->len; i++) {
		s.op = &g_array_index(line->ops, struct conform_record, i);
		s.c.op = (s32)i;
		if (one(&s, &why, &missing))
			continue;
		if (!missing)
			want_text(&s.c, "runs", why, "it runs");
		sink->left_out(sink->ctx, s.op->t[CT_OP], line->ops->len - i, missing, why);
		break;
	}
}
