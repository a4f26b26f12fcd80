// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is known of what is shipped, and no failure of a storm.
 *
 * Three ways in which it goes round for ever are met here. F07: a prefault whose root another
 * memslot's deletion has made invalid (every kernel). F01, F02: up to v6.16, a fault or prefault
 * on the memslot that is being deleted. In these the deletion waits for SRCU, which the loop
 * holds, and a signal ends it. R3: a module without S3 refuses a vCPU that it takes for
 * zero-stepped as long as a page on its list is PENDING; a signal ends KVM_RUN, and user space
 * has to zap the page. They are told by what they are, not by where: is_endless(). Whatever else
 * does not come to rest is a failure.
 */
#include "tests/kvmmmu/storm.h"

#include <string.h>

#include "kvmmmu/own/tdp_mmu.h"
#include "sim/engine/mem.h"
#include "sim/engine/task.h"
#include "tdxmod/module.h"
#include "tdxmod/observe.h"
#include "tdxmod/td.h"

static bool changes_slots(const struct storm *s)
{
	for (u32 i = 0; i < STORM_THREADS; i++) {
		const struct storm_op *op = storm_under_way(&s->thread[i]);

		if (op && (op->what == STORM_SLOT_DELETE || op->what == STORM_SLOT_MOVE))
			return true;
	}
	return false;
}

static bool has_invalid_slot(const struct kvm *kvm)
{
	const struct kvm_memslots *set = &kvm->slots[mem_peek32(&kvm->memslots)];

	for (u32 i = 0; i < KVM_MEM_SLOTS; i++) {
		const struct kvm_memory_slot *s = (const struct kvm_memory_slot *)set->slot[i];

		if (s && mem_peek32(&s->flags) & KVM_MEMSLOT_INVALID)
			return true;
	}
	return false;
}

/* F07; F01 and F02 as in v6.16: round and round until a signal, while a memslot's change waits */
static bool keeps_srcu(const struct storm_thread *t, const struct kvm_vcpu *vcpu, u8 what)
{
	if (!changes_slots(t->s))
		return false;
	if (what == STORM_PREFAULT && vcpu->root && mem_peek32(&vcpu->root->invalid))
		return true;
	return (what == STORM_RUN || what == STORM_FAULT || what == STORM_PREFAULT) &&
	       kvm_switch(vcpu->kvm, SW_PREFAULT_RETRIES_INVALID) && has_invalid_slot(vcpu->kvm);
}

/* R3; 1 + the gfn */
static u64 refused_gfn(const struct kvm_vcpu *vcpu, u8 what)
{
	const struct tdvps *vp;
	struct sept_view v;

	if (what != STORM_RUN || !vcpu->tdvpr || module_switch(module_self(), S_PENDING_NO_FAULT))
		return 0;
	vp = tdvps_at(vcpu->tdvpr);
	for (u32 i = 0; i < mem_peek8(&vp->last_epf_gpa_list_idx); i++) {
		u64 gfn = mem_peek64(&vp->last_epf_gpa_list[i]) >> PAGE_SHIFT;

		sept_peek(vcpu->kvm->tdr, gfn, &v);
		if (v.state == SEPT_PENDING)
			return gfn + 1;
	}
	return 0;
}

/* Its descriptor may be closed by now: the call goes on. */
static const struct kvm_vcpu *vcpu_of(const struct storm_thread *t)
{
	const struct kvm *kvm = t->s->m.kvm;

	for (u32 i = 0; i < mem_peek32(&kvm->online_vcpus); i++)
		if (kvm->vcpus[i] && kvm->vcpus[i]->vcpu_id == t->n)
			return kvm->vcpus[i];
	return NULL;
}

static bool is_endless(struct storm_thread *t)
{
	const struct storm_op *op = storm_under_way(t);
	const struct kvm_vcpu *vcpu = storm_is_vcpu(t) ? vcpu_of(t) : NULL;

	if (!op || !vcpu)
		return false;
	if (keeps_srcu(t, vcpu, op->what))
		return true;
	t->refused = refused_gfn(vcpu, op->what);
	return t->refused;
}

bool storm_signal_endless(struct storm *s)
{
	bool any = false;

	for (u32 i = 0; i < STORM_THREADS; i++) {
		if (!is_endless(&s->thread[i]))
			continue;
		task_signal(s->thread[i].actor);
		s->counts->endless++;
		any = true;
	}
	return any;
}

/*
 * A deadline passes by choice here, so that a guest may have waited too long for the host, and
 * leave with TDX_HOST_PRIORITY_BUSY_TIMEOUT, which KVM does not know. And G16, of every kernel.
 */
bool storm_is_known(const struct violation *v)
{
	if (!strcmp(v->id, "unexpected-exit"))
		return strstr(v->text, "0x9000020500000000");
	return !strcmp(v->id, "kvm-warn") && strstr(v->text, "a fault that found no memslot is spurious");
}
