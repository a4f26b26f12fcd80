// SPDX-License-Identifier: GPL-2.0-only
/*
 * `guest vCPUn` as the program that runs inside TDH.VP.ENTER: operations become
 * instructions, `repeat` a jump back. Rests on tdxmod/guest.h.
 */
#include <string.h>

#include "scenarios/play_priv.h"

#define PAGE	4096ull

static const struct guest_insn stop = { .op = GUEST_STOP, .text = "stop" };

static gboolean tdcall_find(const char *name, u64 *leaf)
{
	for (u64 i = 0; i < 64; i++) {
		const char *n = tdcall_name(i);

		if (n && !strcmp(n, name)) {
			*leaf = i;
			return TRUE;
		}
	}
	return FALSE;
}

static u64 *insn_register(struct guest_insn *in, const char *name)
{
	const struct {
		const char *name;
		u64 *at;
	} regs[] = {
		{ "rcx", &in->rcx }, { "rdx", &in->rdx }, { "r8", &in->r8 }, { "r9", &in->r9 },
		{ "r10", &in->r10 }, { "r11", &in->r11 }, { "r12", &in->r12 }, { "r13", &in->r13 },
	};

	for (guint i = 0; i < G_N_ELEMENTS(regs); i++)
		if (!strcmp(regs[i].name, name))
			return regs[i].at;
	return NULL;
}

/* The handle of a binding to TD @n, and that TD's UUID: what TDH.SERVTD.BIND tells the VMM */
static void servtd_args(struct player *pl, const struct scn_td *self, u64 n, u64 slot,
			const struct scn_loc *loc, struct guest_insn *in)
{
	u64 mine = 0, tdr = kmmu_tdr(pl->vms[n]), uuid[4];

	for (guint i = 0; i < pl->c->tds->len; i++) {
		if (pl->c->tds->pdata[i] == self)
			mine = kmmu_tdr(pl->vms[i]);
	}
	if (!mine || !tdr) {
		play_refuse(pl, loc, "td= names a TD that is there from the start");
		return;
	}
	in->rcx = servtd_binding(mine, tdr, slot, uuid);
	in->r10 = uuid[0];
	in->r11 = uuid[1];
	in->r12 = uuid[2];
	in->r13 = uuid[3];
}

static void tdcall_args(struct player *pl, const struct scn_td *td, const struct scn_op *op,
			struct guest_insn *in)
{
	const struct scn_keyval *servtd = NULL;
	u64 gpa = 0, level = 0, slot = 0;
	gboolean page = g_str_has_prefix(op->leaf, "TDG.MEM.PAGE.");

	for (guint i = 0; op->args && i < op->args->len; i++) {
		const struct scn_keyval *kv = &g_array_index(op->args, struct scn_keyval, i);
		u64 *reg = insn_register(in, play_operand_register(kv->key));

		if (!strcmp(kv->key, "gpa"))
			gpa = kv->value.num;
		else if (!strcmp(kv->key, "level"))
			level = play_operand_level(&kv->value);
		else if (!strcmp(kv->key, "slot"))
			slot = kv->value.num;
		else if (!strcmp(kv->key, "td"))
			servtd = kv;
		else if (reg)
			*reg = kv->value.num;
		else
			play_refuse(pl, &kv->loc, "a TDCALL takes no %s=", kv->key);
	}
	if (gpa || level)
		in->rcx = (page ? gpa & ~(PAGE - 1) : gpa) | level;
	if (servtd)
		servtd_args(pl, td, servtd->value.num, slot, &servtd->loc, in);
}

static void emit_access(const struct scn_op *op, struct guest_insn *in)
{
	static const enum guest_access how[] = {
		[SCN_ACCESS_READ] = GUEST_READ, [SCN_ACCESS_WRITE] = GUEST_WRITE,
		[SCN_ACCESS_EXEC] = GUEST_EXEC,
	};

	in->op = GUEST_ACCESS;
	in->access = how[op->access];
	in->shared = op->kind == SCN_MEM_SHARED;
	in->ngpa = (u8)op->gfns->len;
	for (guint i = 0; i < op->gfns->len; i++)
		in->gpa[i] = g_array_index(op->gfns, guint64, i) * PAGE;
}

static void emit_ops(struct player *pl, const struct scn_td *td, const GPtrArray *ops, GArray *out);

static void emit_repeat(struct player *pl, const struct scn_td *td, const struct scn_op *op,
			GArray *out)
{
	struct guest_insn in = {
		.op = GUEST_REPEAT, .target = out->len, .text = op->text,
		.count = op->count == SCN_RETRY_INF ? 0 : op->count,
	};

	emit_ops(pl, td, op->body, out);
	g_array_append_val(out, in);
}

static void emit(struct player *pl, const struct scn_td *td, const struct scn_op *op, GArray *out)
{
	struct guest_insn in = { .text = op->text };

	switch (op->word->code) {
	case SCN_OP_REPEAT:
		emit_repeat(pl, td, op, out);
		return;
	case SCN_OP_ACCESS:
		if (op->gfns->len > G_N_ELEMENTS(in.gpa)) {
			play_refuse(pl, &op->loc, "one instruction touches at most %u pages",
				    (guint)G_N_ELEMENTS(in.gpa));
			return;
		}
		emit_access(op, &in);
		break;
	case SCN_OP_ACCEPT:
		in.op = GUEST_ACCEPT;
		in.gpa[0] = op->range.start * PAGE;
		in.ngpa = 1;
		in.pages = op->range.end - op->range.start;
		in.level = op->level == SCN_LEVEL_2M ? 1 : 0;
		break;
	case SCN_OP_MAP_GPA:
		in.op = GUEST_MAP_GPA;
		in.gpa[0] = op->range.start * PAGE;
		in.ngpa = 1;
		in.pages = op->range.end - op->range.start;
		in.shared = op->kind == SCN_MEM_SHARED;
		break;
	case SCN_OP_VMCALL:
		in.op = GUEST_VMCALL;
		break;
	case SCN_OP_TDCALL:
		in.op = GUEST_TDCALL;
		if (!tdcall_find(op->leaf, &in.leaf))
			play_refuse(pl, &op->loc, "%s is no TDCALL leaf", op->leaf);
		tdcall_args(pl, td, op, &in);
		break;
	case SCN_OP_COMPUTE:
		in.op = GUEST_COMPUTE;
		in.cycles = op->cycles;
		break;
	case SCN_OP_HALT:
		in.op = GUEST_HALT;
		break;
	default:
		play_refuse(pl, &op->loc, "`%s` is not supported in a guest yet", op->text);
		return;
	}
	g_array_append_val(out, in);
}

static void emit_ops(struct player *pl, const struct scn_td *td, const GPtrArray *ops, GArray *out)
{
	for (guint i = 0; ops && i < ops->len; i++)
		emit(pl, td, ops->pdata[i], out);
}

static gboolean possible(struct player *pl, const struct scn_td *td, const GPtrArray *ops)
{
	for (guint i = 0; ops && i < ops->len; i++) {
		const struct scn_op *op = ops->pdata[i];

		if (op->word->code == SCN_OP_REPEAT ? !possible(pl, td, op->body) :
						      play_lacks_td(pl, td, op))
			return FALSE;
	}
	return TRUE;
}

struct guest_program *play_guest_new(struct player *pl, const struct scn_td *td,
				     const struct scn_guest *g)
{
	static const enum guest_reaction on_ve[] = {
		[SCN_ON_VE_ACCEPT] = REACT_ACCEPT, [SCN_ON_VE_DIE] = REACT_DIE,
		[SCN_ON_VE_COUNT] = REACT_COUNT,
	};
	static const enum guest_reaction on_busy[] = {
		[SCN_ON_BUSY_RETRY] = REACT_RETRY, [SCN_ON_BUSY_DIE] = REACT_DIE,
		[SCN_ON_BUSY_COUNT] = REACT_COUNT,
	};
	struct guest_program *p = g_new0(struct guest_program, 1);
	GArray *insns = g_array_new(FALSE, TRUE, sizeof(struct guest_insn));

	p->on_ve = REACT_ACCEPT;
	p->on_busy = REACT_RETRY;
	if (g && possible(pl, td, g->ops)) {
		p->on_ve = on_ve[g->on_ve];
		p->on_busy = on_busy[g->on_busy];
		emit_ops(pl, td, g->ops, insns);
	}
	g_array_append_val(insns, stop);
	p->n = insns->len;
	p->insn = (struct guest_insn *)g_array_free(insns, FALSE);
	return p;
}

void play_guest_free(struct guest_program *p)
{
	if (!p)
		return;
	g_free((gpointer)p->insn);
	g_free(p);
}
