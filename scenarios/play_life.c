// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations on the life of a VM and its CPUs: who may do them, and on what. Rests on
 * kvmmmu/kmmu.h, "The VM's life".
 */
#include <errno.h>

#include "scenarios/play_priv.h"
#include "sim/engine/lp.h"
#include "sim/engine/mem.h"

/*
 * No vCPU's thread is on a CPU that goes down: Linux's scheduler has moved it away. Where threads
 * are real they come and go, and the operation may be refused as a CPU that is in use would be.
 */
static gboolean lp_is_free(struct cast *a, const struct scn_op *op, struct kmmu_result *r)
{
	struct player *pl = a->pl;

	for (guint i = 0; i < pl->ncast; i++) {
		struct cast *b = &pl->cast[i];

		if (b->scn->vcpu < 0 || mem_peek16(&b->actor->lp) != op->lp)
			continue;
		if (pl->free) {
			*r = (struct kmmu_result){ .ret = -EBUSY, .what = "EBUSY" };
			return FALSE;
		}
		play_refuse(pl, &op->loc, "%s is on lp%u: migrate it away first", b->scn->name,
			    op->lp);
		return FALSE;
	}
	return TRUE;
}

gboolean play_life_op(struct cast *a, const struct scn_op *op, struct kmmu_result *r)
{
	struct kvm *kvm = a->kvm;

	switch (op->word->code) {
	case SCN_OP_INIT_VM:
		*r = kmmu_init_vm(kvm);
		return TRUE;
	case SCN_OP_CREATE_VCPU:
		*r = kmmu_create_vcpu(kvm, (u16)a->scn->vcpu);
		return TRUE;
	case SCN_OP_INIT_VCPU:
		*r = kmmu_init_vcpu(kmmu_vcpu(kvm, (u16)a->scn->vcpu));
		return TRUE;
	case SCN_OP_BUILD:
		*r = kmmu_build(kmmu_vcpu(kvm, (u16)a->scn->vcpu), op->range.start,
				op->range.end);
		return TRUE;
	case SCN_OP_FINALIZE:
		*r = kmmu_finalize(kvm);
		return TRUE;
	case SCN_OP_CLOSE:
		*r = kmmu_close(a->pl->vms[op->actor.td], (u16)op->actor.vcpu);
		return TRUE;
	case SCN_OP_CPU_OFFLINE:
		if (lp_is_free(a, op, r))
			*r = kmmu_cpu_offline(kvm, (u16)op->lp);
		return TRUE;
	case SCN_OP_RELEASE_HKID:
		*r = kmmu_release_hkid(kvm);
		return TRUE;
	case SCN_OP_TERMINATE:
		*r = kmmu_terminate(kvm);
		return TRUE;
	case SCN_OP_DESTROY:
		*r = kmmu_destroy(kvm);
		return TRUE;
	default:
		return FALSE;
	}
}
