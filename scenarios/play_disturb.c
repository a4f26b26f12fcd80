// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations below KVM: disturbances from outside the machine, raw SEAMCALLs, and the
 * litmus operations on single locks of the module. Rests on tdxmod/seamcall.h and the
 * lock table of the TDX module (TDX_1.5.01).
 */
#include <string.h>

#include "scenarios/play_priv.h"
#include "sim/engine/arena.h"
#include "sim/engine/check.h"
#include "sim/engine/lp.h"
#include "sim/engine/mem.h"
#include "sim/engine/region.h"
#include "sim/engine/task.h"
#include "sim/engine/undo.h"
#include "tdxmod/seamcall.h"

static gboolean leaf_find(const char *name, u64 *leaf)
{
	for (u64 i = 0; i < LEAF_LIMIT; i++) {
		const char *n = seamcall_name(i);

		if (n && !strcmp(n, name)) {
			*leaf = i;
			return TRUE;
		}
	}
	return FALSE;
}

/* ---- disturbances ---- */

static void set_region(struct cast *a, const struct scn_op *op)
{
	struct element e;
	const char *why;
	guint64 raw;

	if (!element_find(a->pl->sim, &op->region, &e, &why)) {
		play_refuse(a->pl, &op->region.loc, "%s", why);
		return;
	}
	if (!element_raw_of(&e, &op->value, &raw)) {
		play_refuse(a->pl, &op->value.loc, "%s cannot be set so: it is not there, or the "
			    "value has no raw form (a number has)", op->region.text);
		return;
	}
	if (play_is_searched(a->pl))
		mem_or8(e.p, 0);	/* a step on it, so that others may come before */
	world_store(e.p, &raw, e.region->size < 8 ? e.region->size : 8);
}

static void inject(struct cast *a, const struct scn_op *op)
{
	char text[128];
	u64 leaf = 0, status = 0;
	bool has_operand;

	g_snprintf(text, sizeof(text), "TDX_%s%s%s", op->status.status,
		   op->status.operand ? "|" : "", op->status.operand ? op->status.operand : "");
	if (!status_value(text, &status, &has_operand) || !leaf_find(op->leaf, &leaf))
		return;		/* play_module_possible() has refused it */
	seamcall_inject(a->pl->sim, leaf, op->nth, status);
}

gboolean play_disturb(struct cast *a, const struct scn_op *op)
{
	struct player *pl = a->pl;

	switch (op->word->code) {
	case SCN_OP_SIGNAL:
		if (op->cycles)
			play_compute(op->cycles);
		task_signal(pl->cast[op->actor.index].actor);
		return TRUE;
	case SCN_OP_NEED_RESCHED:
		task_need_resched(pl->cast[op->actor.index].actor);
		return TRUE;
	case SCN_OP_INTERRUPT:
		lp_disturb(pl->sim, (u16)op->lp, IRQ_EXTERNAL);
		return TRUE;
	case SCN_OP_INJECT:
		inject(a, op);
		return TRUE;
	case SCN_OP_SET:
		set_region(a, op);
		return TRUE;
	default:
		return FALSE;
	}
}

/* ---- raw SEAMCALLs ---- */

struct call_args {
	u64 gpa, level, hpa, vcpu, td, slot;
	gboolean has_hpa, has_vcpu;
};

const char *play_operand_register(const char *key)
{
	static const struct {
		const char *key, *reg;
	} names[] = {
		{ "field", "rdx" }, { "value", "r8" }, { "mask", "r9" }, { "type", "r9" },
		{ "attr", "rdx" }, { "data", "rdx" }, { "index", "rdx" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(names); i++)
		if (!strcmp(names[i].key, key))
			return names[i].reg;
	return key;
}

u64 play_operand_level(const struct scn_value *v)
{
	return v->word ? (u64)scn_level_find(v->word) - 1 : v->num;
}

static u64 *reg_by_name(struct tdx_regs *r, const char *key)
{
	const char *name = play_operand_register(key);
	static const struct {
		const char *name;
		size_t at;
	} regs[] = {
		{ "rcx", offsetof(struct tdx_regs, rcx) }, { "rdx", offsetof(struct tdx_regs, rdx) },
		{ "r8", offsetof(struct tdx_regs, r8) }, { "r9", offsetof(struct tdx_regs, r9) },
		{ "r10", offsetof(struct tdx_regs, r10) }, { "r11", offsetof(struct tdx_regs, r11) },
		{ "r12", offsetof(struct tdx_regs, r12) }, { "r13", offsetof(struct tdx_regs, r13) },
		{ "r14", offsetof(struct tdx_regs, r14) }, { "r15", offsetof(struct tdx_regs, r15) },
	};

	for (guint i = 0; i < G_N_ELEMENTS(regs); i++)
		if (!strcmp(regs[i].name, name))
			return (u64 *)((char *)r + regs[i].at);
	return NULL;
}

static gboolean named_arg(const struct scn_keyval *kv, struct call_args *g)
{
	const struct scn_value *v = &kv->value;

	if (!strcmp(kv->key, "gpa")) {
		g->gpa = v->num;
	} else if (!strcmp(kv->key, "level")) {
		g->level = play_operand_level(v);
	} else if (!strcmp(kv->key, "hpa")) {
		g->hpa = v->num;
		g->has_hpa = TRUE;
	} else if (!strcmp(kv->key, "vcpu")) {
		g->vcpu = v->num;
		g->has_vcpu = TRUE;
	} else if (!strcmp(kv->key, "td")) {
		g->td = v->num;
	} else if (!strcmp(kv->key, "slot")) {
		g->slot = v->num;
	} else {
		return FALSE;
	}
	return TRUE;
}

static gboolean wants_page(u64 leaf)
{
	return leaf == TDH_MEM_PAGE_AUG || leaf == TDH_MEM_SEPT_ADD ||
	       leaf == TDH_MEM_PAGE_RELOCATE;
}

/* Registers as each family of leaves takes them (TDX_1.5.01, tdx_api_defs.h). */
static void registers(struct cast *a, u64 leaf, const struct call_args *g, struct tdx_regs *r)
{
	u64 tdr = kmmu_tdr(a->kvm);

	r->rax = leaf;
	switch (leaf) {
	case TDH_MEM_TRACK:
	case TDH_MR_FINALIZE:
	case TDH_MNG_VPFLUSHDONE:
	case TDH_MNG_KEY_CONFIG:
	case TDH_MNG_KEY_FREEID:
	case TDH_MNG_KEY_RECLAIMID:
	case TDH_MNG_INIT:
	case TDH_MNG_RD:
	case TDH_MNG_WR:
		r->rcx = tdr;
		return;
	case TDH_PHYMEM_CACHE_WB:
		return;			/* RCX 0: from the start */
	case TDH_PHYMEM_PAGE_RECLAIM:
	case TDH_PHYMEM_PAGE_WBINVD:
	case TDH_PHYMEM_PAGE_RDMD:
		r->rcx = g->hpa;
		return;
	case TDH_MEM_RD:
	case TDH_MEM_WR:
		r->rcx = g->gpa;
		r->rdx = tdr;
		return;
	case TDH_SERVTD_BIND:
	case TDH_SERVTD_PREBIND:	/* of these td= is the service TD */
		r->rcx = tdr;
		r->rdx = leaf == TDH_SERVTD_BIND ? kmmu_tdr(a->pl->vms[g->td]) : g->hpa;
		r->r8 = g->slot;
		return;
	case TDH_PHYMEM_PAMT_ADD:
	case TDH_PHYMEM_PAMT_REMOVE:
		r->rcx = (g->hpa & ~0xfffull) | 1;	/* a region is always one of 2M */
		return;
	case TDH_IQ_INV_PROCESS:
		r->rdx = tdr;		/* rcx=: the IOMMU, 0 if not told */
		return;
	case TDH_VP_ENTER:
	case TDH_VP_FLUSH:
	case TDH_VP_RD:
	case TDH_VP_WR:
		r->rcx = kmmu_tdvpr(a->kvm, g->has_vcpu ? (u16)g->vcpu :
				    (u16)(a->scn->vcpu >= 0 ? a->scn->vcpu : 0));
		return;
	default:
		r->rcx = (g->gpa & ~0xfffull) | g->level;
		r->rdx = tdr;
		r->r8 = g->has_hpa || !wants_page(leaf) ? g->hpa : page_alloc();
	}
}

static void raw_seamcall(struct cast *a, const struct scn_op *op, struct kmmu_result *res)
{
	struct call_args g = { 0 };
	const struct player *pl = a->pl;
	const char *policy = pl->opt->policy ? pl->opt->policy : pl->c->policy.name;
	struct tdx_regs r = { 0 }, in;
	char name[96];
	u64 leaf = 0;

	if (!leaf_find(op->leaf, &leaf))
		return;
	for (guint i = 0; op->args && i < op->args->len; i++)
		named_arg(&g_array_index(op->args, struct scn_keyval, i), &g);
	registers(a, leaf, &g, &r);
	for (guint i = 0; op->args && i < op->args->len; i++) {
		const struct scn_keyval *kv = &g_array_index(op->args, struct scn_keyval, i);
		u64 *reg = reg_by_name(&r, kv->key);

		if (reg)
			*reg = kv->value.num;
	}
	in = r;
	do {
		actor_forget(leaf);
		r = in;
		seamcall(&r);
	} while (kmmu_policy_repeats(policy, leaf, r.rax));
	res->ret = r.rax >> 63 ? -1 : 0;
	if (res->ret)
		res->what = trace_intern(a->pl->sim, status_name(r.rax, name, sizeof(name)));
}

/* ---- litmus ---- */

static u32 how_of(const struct scn_lock_ref *l)
{
	return (l->mode == SCN_LOCK_MODE_SHARED ? ACQUIRE_SHARED : ACQUIRE_EXCLUSIVE) |
	       (l->side == SCN_LOCK_SIDE_GUEST ? ACQUIRE_GUEST : ACQUIRE_HOST);
}

static gboolean lock_find(struct cast *a, const struct scn_lock_ref *l, struct module_lock *m)
{
	return module_lock_find(kmmu_tdr(a->kvm), l->region.name,
				l->region.indexed ? l->region.index.num : 0,
				(u8)(l->region.level ? l->region.level : SCN_LEVEL_4K), m);
}

/* Does another actor of the cast hold @m in a way that excludes @how? */
static void check_exclusion(struct cast *a, const struct module_lock *m, u32 how)
{
	for (guint i = 0; i < a->pl->ncast; i++) {
		const struct cast *other = &a->pl->cast[i];

		for (guint k = 0; other != a && k < HELD_MAX; k++) {
			if (other->state->held[k].p != m->p ||
			    !((how | other->state->held[k].how) & ACQUIRE_EXCLUSIVE))
				continue;
			check_fail("exclusion", m->name, "%s has got %s, which %s holds%s",
				   a->scn->name, m->name, other->scn->name,
				   how & ACQUIRE_EXCLUSIVE ? "" : " exclusively");
			return;
		}
	}
}

static void held_add(struct cast *a, const struct module_lock *m, u32 how)
{
	for (guint i = 0; i < HELD_MAX; i++) {
		if (a->state->held[i].p)
			continue;
		world_set(a->state->held[i].p, m->p);
		world_set(a->state->held[i].how, (guint64)how);
		return;
	}
}

/* The kernel's locks wait; what is held is remembered, to be given back in its mode. */
static void kernel_acquire(struct cast *a, const struct scn_lock_ref *l)
{
	struct cast_state *s = a->state;
	guint64 shared = l->mode == SCN_LOCK_MODE_SHARED;
	guint i = 0;

	while (i < HELD_MAX && s->kernel_held & BIT_ULL(i))
		i++;
	if (i == HELD_MAX) {
		play_refuse(a->pl, &l->loc, "one actor holds %d locks at the most", HELD_MAX);
		return;
	}
	kmmu_lock_acquire(a->kvm, l->word->name, shared);
	world_set(s->kernel_lock[i].name, l->word->name);
	world_set(s->kernel_lock[i].shared, shared);
	world_set(s->kernel_held, s->kernel_held | BIT_ULL(i));
}

static void kernel_release(struct cast *a, const struct scn_lock_ref *l)
{
	struct cast_state *s = a->state;

	for (guint i = HELD_MAX; i-- > 0;) {
		if (!(s->kernel_held & BIT_ULL(i)) || s->kernel_lock[i].name != l->word->name)
			continue;
		kmmu_lock_release(a->kvm, l->word->name, s->kernel_lock[i].shared);
		world_set(s->kernel_held, s->kernel_held & ~BIT_ULL(i));
		return;
	}
}

static void acquire(struct cast *a, const struct scn_op *op, struct kmmu_result *res)
{
	u32 how = how_of(&op->lock);
	struct module_lock m;
	char name[96];
	u64 status = 0;

	if (!op->lock.word->module) {
		kernel_acquire(a, &op->lock);
		return;
	}
	if (!lock_find(a, &op->lock, &m)) {
		play_refuse(a->pl, &op->lock.loc, "there is no %s in this run",
			    op->lock.region.text);
		return;
	}
	for (guint64 left = op->retry; left; left -= left != SCN_RETRY_INF) {
		actor_forget((guint64)op->loc.line << 32 | (left & G_MAXUINT32));
		status = module_lock_acquire(&m, how);
		if (!status) {
			check_exclusion(a, &m, how);
			held_add(a, &m, how);
			return;
		}
		count(COUNT_RETRIES, left != op->retry);
	}
	res->ret = -1;
	res->what = trace_intern(a->pl->sim, status_name(status, name, sizeof(name)));
}

static void release(struct cast *a, const struct scn_op *op)
{
	struct module_lock m;

	if (!op->lock.word->module) {
		kernel_release(a, &op->lock);
		return;
	}
	if (!lock_find(a, &op->lock, &m))
		return;
	for (guint i = 0; i < HELD_MAX; i++) {
		if (a->state->held[i].p != m.p)
			continue;
		module_lock_release(&m, (u32)a->state->held[i].how);
		world_set(a->state->held[i].p, NULL);	/* by its last step */
		return;
	}
}

gboolean play_module_op(struct cast *a, const struct scn_op *op, struct kmmu_result *res)
{
	switch (op->word->code) {
	case SCN_OP_SEAMCALL:
		raw_seamcall(a, op, res);
		return TRUE;
	case SCN_OP_ACQUIRE:
		acquire(a, op, res);
		return TRUE;
	case SCN_OP_RELEASE:
		release(a, op);
		return TRUE;
	default:
		return FALSE;
	}
}

static gboolean seamcall_possible(struct player *pl, const struct scn_op *op)
{
	struct call_args g;
	struct tdx_regs r;

	for (guint i = 0; op->args && i < op->args->len; i++) {
		const struct scn_keyval *kv = &g_array_index(op->args, struct scn_keyval, i);

		if (named_arg(kv, &g) || reg_by_name(&r, kv->key))
			continue;
		play_refuse(pl, &kv->loc, "a SEAMCALL takes no %s=", kv->key);
		return FALSE;
	}
	return TRUE;
}

static gboolean inject_possible(struct player *pl, const struct scn_op *op)
{
	char text[128];
	bool has_operand;
	u64 v;

	g_snprintf(text, sizeof(text), "TDX_%s%s%s", op->status.status ? op->status.status : "",
		   op->status.operand ? "|" : "", op->status.operand ? op->status.operand : "");
	if (status_value(text, &v, &has_operand))
		return TRUE;
	play_refuse(pl, &op->status.loc, "%s is no status of the module", text + 4);
	return FALSE;
}

gboolean play_module_possible(struct player *pl, const struct scn_op *op)
{
	u64 leaf;

	switch (op->word->code) {
	case SCN_OP_SEAMCALL:
	case SCN_OP_INJECT:
		if (!leaf_find(op->leaf, &leaf)) {
			play_refuse(pl, &op->loc, "%s is not supported yet", op->leaf);
			return FALSE;
		}
		return op->word->code == SCN_OP_SEAMCALL ? seamcall_possible(pl, op) :
							   inject_possible(pl, op);
	case SCN_OP_ACQUIRE:
	case SCN_OP_RELEASE:
		if (!op->lock.word->module && !kmmu_has_lock(op->lock.word->name)) {
			play_refuse(pl, &op->lock.loc, "%s is one of many: `acquire` of it is not supported yet",
				    op->lock.word->name);
			return FALSE;
		}
		return TRUE;
	case SCN_OP_SIGNAL:
	case SCN_OP_NEED_RESCHED:
		if (op->actor.index < 0) {
			play_refuse(pl, &op->actor.loc, "%s has no thread in this case",
				    op->actor.name);
			return FALSE;
		}
		return TRUE;
	default:
		return TRUE;
	}
}
