// SPDX-License-Identifier: GPL-2.0-only
/*
 * See machine.h.
 */
#include "tests/kvmmmu/machine.h"

#include <stdio.h>
#include <string.h>

#include "sim/engine/tlb.h"
#include "tdxmod/build.h"
#include "tdxmod/observe.h"
#include "tdxmod/seamcall.h"
#include "tdxmod/versions.h"

static void listen(void *ctx, const struct event *ev)
{
	struct machine *m = ctx;
	u64 tdr, gfn;
	u16 lp;
	u32 i;

	switch (ev->type) {
	case EV_RETURN:
		if (!strcmp(ev->name, "tdx_vcpu_run")) {
			m->refused += ev->status == 2;
			break;
		}
		for (i = 0; g_str_has_prefix(ev->name, "TDH.") && i < ARRAY_SIZE(m->calls); i++) {
			if (seamcall_name(i) != ev->name)	/* one text each */
				continue;
			m->calls[i] += !ev->status;
			m->busy[i] += ev->status >> 32 == 0x80000200;
		}
		break;
	case EV_KICK:
		m->kicks_sent += !strcmp(ev->name, "sent");
		break;
	case EV_FLUSH:
		m->global_flushes += !strcmp(ev->name, "TLB");
		break;
	case EV_NOTE:
		if (strcmp(ev->name, "page-free"))
			break;
		m->page_frees++;
		if (sept_maps_page(ev->arg, &tdr, &gfn) ||
		    kmmu_direct_maps(m->kvm, ev->arg, &gfn) ||
		    tlb_in_guest_holds_page(ev->arg, &lp, &gfn))
			m->freed_while_mapped++;
		break;
	case EV_EXIT:
		m->pml_full += !strcmp(ev->name, "PML_FULL");
		break;
	default:
		break;
	}
}

void machine_new(struct machine *m, const struct machine_options *opt)
{
	struct sim_options so = {
		.sched = opt->sched, .seed = opt->seed, .phys = 64 << 20,
		.lps = opt->lps ? opt->lps : 4, .max_steps = opt->max_steps,
		.timed = opt->sched == SCHED_CLOCK, .keyed = opt->keyed,
	};
	struct tdx_module_config mc = { .version = TDX_VERSION_RECORDED };
	struct kmmu_config kc = {
		.name = "TD", .vcpus = opt->vcpus ? opt->vcpus : 1,
		.memory = (opt->gfns ? opt->gfns : 1024) << 12, .levels = 4,
		.type = opt->type, .max_level = opt->max_level ? opt->max_level : 1,
		.nx_huge_pages = opt->nx_huge_pages, .dirty_log = opt->dirty_log,
		.no_ad = opt->no_ad, .no_pml = opt->no_pml, .manual_protect = opt->manual_protect,
		.variant = opt->variant, .policy = opt->policy, .created_only = opt->created_only,
	};
	GError *err = NULL;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(opt->variant) && opt->variant[i]; i++)
		if (g_str_has_prefix(opt->variant[i], "tdx="))
			mc.version = opt->variant[i] + strlen("tdx=");
	memset(m, 0, sizeof(*m));
	m->sim = sim_new(&so);
	assert_non_null(m->sim);
	trace_listen_calls(m->sim, listen, m);
	assert_true(tdx_module_new(m->sim, &mc));
	m->kvm = kmmu_vm_new(m->sim, &kc, &err);
	if (err)
		fail_msg("%s", err->message);
	for (i = 0; i < ARRAY_SIZE(opt->tolerate) && opt->tolerate[i]; i++)
		check_tolerate(m->sim, opt->tolerate[i]);
}

void machine_free(struct machine *m)
{
	sim_free(m->sim);
}

static void job_main(void *arg)
{
	struct job *j = arg;

	j->fn(j);
	j->finished = true;
}

void job_start(struct machine *m, struct job *j, const char *name, u16 lp, u16 vcpu,
	       void (*fn)(struct job *j), u64 a, u64 b)
{
	*j = (struct job){ .m = m, .fn = fn, .a = a, .b = b };
	if (vcpu != NO_VCPU)
		j->vcpu = kmmu_vcpu(m->kvm, vcpu);
	j->actor = actor_new(m->sim, name, lp, job_main, j);
}

struct kmmu_result machine_once(struct machine *m, u16 lp, u16 vcpu, void (*fn)(struct job *j),
				u64 a, u64 b)
{
	struct job j;

	job_start(m, &j, "once", lp, vcpu, fn, a, b);
	sim_run(m->sim);
	if (!j.finished && !check_fatal(m->sim))
		sim_explain(m->sim, stderr);
	return j.res;
}

void op_fault(struct job *j)
{
	j->res = kmmu_fault(j->vcpu, j->a, false, 1);
}

void op_zap(struct job *j)
{
	j->res = kmmu_zap(j->m->kvm, j->a, j->b);
}

void op_punch(struct job *j)
{
	j->res = kmmu_punch(j->m->kvm, j->a, j->b);
}

void op_run(struct job *j)
{
	j->res = kmmu_run(j->vcpu, j->a, j->b);
}

void op_prefault(struct job *j)
{
	j->res = kmmu_prefault(j->vcpu, j->a, j->b);
}

void op_to_shared(struct job *j)
{
	j->res = kmmu_convert(j->m->kvm, j->a, j->b, true);
}

void op_to_private(struct job *j)
{
	j->res = kmmu_convert(j->m->kvm, j->a, j->b, false);
}

void op_slot_delete(struct job *j)
{
	j->res = kmmu_slot(j->m->kvm, SLOT_DELETE, j->a, j->b, j->b);
}

void op_slot_add(struct job *j)
{
	j->res = kmmu_slot(j->m->kvm, SLOT_ADD, j->a, j->b, j->b);
}

void op_slot_move(struct job *j)
{
	j->res = kmmu_slot(j->m->kvm, SLOT_MOVE, j->a, j->b, j->b);
}

void op_reuse(struct job *j)
{
	j->res = kmmu_reuse_page(j->m->kvm, j->a);
}

void op_fault_shared(struct job *j)
{
	j->res = kmmu_fault(j->vcpu, j->a, true, 1);
}

void op_slot_move_to(struct job *j)
{
	j->res = kmmu_slot(j->m->kvm, SLOT_MOVE, 0, 0x200, j->a);
}

void op_notify(struct job *j)
{
	j->res = kmmu_notify(j->m->kvm, j->a, j->b);
}

void op_age(struct job *j)
{
	j->res = kmmu_age(j->m->kvm, j->a, j->b);
}

void op_recover_nx(struct job *j)
{
	j->res = kmmu_recover_nx(j->m->kvm);
}

void op_collapse(struct job *j)
{
	j->res = kmmu_collapse(j->m->kvm, j->a, j->b);
}

void op_split(struct job *j)
{
	j->res = kmmu_split(j->m->kvm, j->a);
}

void op_shadow_page(struct job *j)
{
	j->res = kmmu_shadow_page(j->m->kvm, j->a);
}

void op_test_age(struct job *j)
{
	j->res = kmmu_test_age(j->m->kvm, j->a, j->b);
}

void op_get_dirty(struct job *j)
{
	j->res = kmmu_get_dirty(j->m->kvm, j->a);
}

void op_log_dirty(struct job *j)
{
	j->res = kmmu_log_dirty(j->m->kvm, 0, j->a, j->b);
}

void op_clear_dirty(struct job *j)
{
	j->res = kmmu_clear_dirty(j->m->kvm, j->a, j->b);
}

void op_track(struct job *j)
{
	j->res = kmmu_track(j->m->kvm);
}

void op_quiesce(struct job *j)
{
	j->res = kmmu_rcu_quiesce(j->m->kvm);
}

void op_migrate(struct job *j)
{
	j->res = kmmu_migrate(j->m->kvm, j->a);
}

u64 machine_disagrees(struct machine *m)
{
	u64 gfn;

	for (gfn = 0; gfn < kmmu_gfns(m->kvm); gfn++) {
		struct mirror_view mv;
		struct sept_view sv;
		bool agree;

		kmmu_mirror_peek(m->kvm, gfn, &mv);
		sept_peek(kmmu_tdr(m->kvm), gfn, &sv);
		if (mv.class == MIRROR_LEAF)
			agree = sv.mapped && sv.hpa >> 12 == mv.pfn && sv.level == mv.level;
		else
			agree = mv.class == MIRROR_NONPRESENT && !sv.mapped &&
				sv.level == mv.level;
		if (!agree)
			return gfn;
	}
	return ~0ull;
}

void assert_agree(struct machine *m)
{
	u64 gfn = machine_disagrees(m);
	struct mirror_view mv;
	struct sept_view sv;

	if (gfn == ~0ull)
		return;
	kmmu_mirror_peek(m->kvm, gfn, &mv);
	sept_peek(kmmu_tdr(m->kvm), gfn, &sv);
	fail_msg("gfn 0x%llx: mirror class %d level %d pfn 0x%llx, S-EPT %s level %d hpa 0x%llx",
		 (unsigned long long)gfn, mv.class, mv.level, (unsigned long long)mv.pfn,
		 sept_state_name(sv.state), sv.level, (unsigned long long)sv.hpa);
}

bool has_violation(struct machine *m, const char *id)
{
	u32 i;

	for (i = 0; i < check_count(m->sim); i++) {
		if (!strcmp(check_at(m->sim, i)->id, id))
			return true;
	}
	return false;
}

void assert_silent(struct machine *m)
{
	kmmu_check_end(m->kvm);
	assert_int_equal(m->freed_while_mapped, 0);
	if (check_count(m->sim)) {
		const struct violation *v = check_at(m->sim, 0);

		fail_msg("%s %s: %s", v->id, v->where, v->text);
	}
}
