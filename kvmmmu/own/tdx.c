// SPDX-License-Identifier: GPL-2.0-only
/*
 * S-EPT hooks: what a change of a mirror entry asks of the module. Rests on
 * arch/x86/kvm/vmx/tdx.c of v6.16 and v7.2. Retries are the policy's (policy.h).
 */
#include "kvmmmu/own/tdx.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "kvmmmu/own/guest_memfd.h"
#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/policy.h"
#include "kvmmmu/own/tdp_mmu.h"
#include "sim/engine/check.h"
#include "sim/engine/clock.h"
#include "sim/engine/mem.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"
#include "tdxmod/seamcall.h"

u64 tdx_call(struct kvm *kvm, struct tdx_call *call)
{
	struct tdx_regs r = { .rax = call->leaf, .rcx = call->rcx, .rdx = call->rdx,
			      .r8 = call->r8, .r9 = call->r9 };

	/* tdx_clflush_page(): the host's lines of a page that becomes the TD's */
	switch (call->leaf & 0xffff) {
	case TDH_MNG_CREATE:
	case TDH_MNG_ADDCX:
	case TDH_VP_CREATE:
	case TDH_VP_ADDCX:
	case TDH_MEM_PAGE_ADD:
	case TDH_MEM_PAGE_AUG:
	case TDH_MEM_SEPT_ADD:
		sim_charge(COST_PAGE_CLFLUSH_4K, 1);
	}
	return seamcall(&r);
}

/* Of to_kvm_tdx(kvm) */
bool is_hkid_assigned(struct kvm *kvm)
{
	return mem_read16(&kvm->hkid);
}

bool tdx_bug_on(struct kvm *kvm, u64 err, const struct tdx_call *call)
{
	char text[80];

	if (!err)
		return false;
	snprintf(text, sizeof(text), "%s failed: 0x%" PRIx64, seamcall_name(call->leaf & 0xffff),
		 err);
	return kvm_bug_on(kvm, true, call->gfn, text);
}

void tdx_warn_on(u64 err, const struct tdx_call *call)
{
	char text[80];

	snprintf(text, sizeof(text), "%s failed: 0x%" PRIx64, seamcall_name(call->leaf & 0xffff),
		 err);
	kvm_warn_on(true, NO_GFN, text);
}

static struct tdx_call mem_call(const struct kvm *kvm, u64 leaf, u64 gfn, u8 level, u64 page)
{
	return (struct tdx_call){
		.leaf = leaf,
		.rcx = gfn << PAGE_SHIFT | (level - 1u),	/* the module counts from 0 */
		.rdx = kvm->tdr,
		.r8 = page,
		.gfn = gfn,
	};
}

/*
 * The promise: behind the kick, with the gate up and other zappers and faulters held off
 * by mmu_lock, nobody holds a lock of the module's. Where a mutation took one of these
 * away it is not made.
 */
u64 tdx_promised(struct kvm *kvm, const struct tdx_call *call, u64 err)
{
	char where[24];

	if (policy_operand_busy(err) && !(kvm->switches & KVM_GATE_MUTATIONS) &&
	    rwlock_is_held_write(&kvm->mmu_lock))
		check_fail("unsynchronized-seamcall", kvm_where(call->gfn, where, sizeof(where)),
			   "%s is busy (0x%" PRIx64 ") though all vCPUs are kicked out and kept out",
			   seamcall_name(call->leaf), err);
	return err;
}

/*
 * Gate before kick: a vCPU that publishes its mode too late to be kicked reads the gate
 * after that (F06). The barrier between is the cmpxchg of each vcpu->mode.
 */
void tdx_no_vcpus_enter_start(struct kvm *kvm)
{
	lockdep_assert_held_write(&kvm->mmu_lock);
	if (!kvm_switch(kvm, SW_KICK_BEFORE_GATE))
		mem_write32(&kvm->wait_for_sept_zap, 1);
	if (!kvm_switch(kvm, SW_NO_KICK))
		kvm_make_all_cpus_request(kvm, KVM_REQ_OUTSIDE_GUEST_MODE);
	if (kvm_switch(kvm, SW_KICK_BEFORE_GATE))
		mem_write32(&kvm->wait_for_sept_zap, 1);
}

void tdx_no_vcpus_enter_stop(struct kvm *kvm)
{
	mem_write32(&kvm->wait_for_sept_zap, 0);
}

u64 tdh_do_no_vcpus(struct kvm *kvm, struct tdx_call *call)
{
	u64 err;

	lockdep_assert_held_write(&kvm->mmu_lock);
	err = tdx_call(kvm, call);
	if (!policy_operand_busy(err))
		return err;
	count(COUNT_RETRIES, 1);
	tdx_no_vcpus_enter_start(kvm);
	err = tdx_promised(kvm, call, tdx_call(kvm, call));
	if (!err || !kvm_switch(kvm, SW_GATE_STAYS_ON_ERROR))
		tdx_no_vcpus_enter_stop(kvm);
	return err;
}

/* --- install -------------------------------------------------------------------------- */

static int install_error(struct kvm *kvm, const struct tdx_call *call, u64 err)
{
	if (!err)
		return 0;
	if (kvm->policy->busy(err))
		return -EBUSY;
	tdx_bug_on(kvm, err, call);
	return -EIO;
}

/* tdx_sept_map_nonleaf_spte(), tdx_sept_link_private_spt() of v6.16 */
static int tdx_sept_map_nonleaf_spte(struct kvm *kvm, u64 gfn, u64 new, u8 level)
{
	struct kvm_mmu_page *sp = spte_to_child_sp(new);
	struct tdx_call call;
	u64 err;

	if (kvm_bug_on(kvm, !sp->external_spt || sp->level + 1 != level || sp->gfn != gfn, gfn,
		       "S-EPT table does not fit its mirror page"))
		return -EIO;
	call = mem_call(kvm, TDH_MEM_SEPT_ADD, gfn, level, sp->external_spt);
	err = kvm->policy->install(kvm, &call);
	return install_error(kvm, &call, err);
}

/* tdx_mem_page_aug(), or tdx_mem_page_add() of what is not running yet */
static int tdx_sept_map_leaf_spte(struct kvm *kvm, u64 gfn, u64 new, u8 level)
{
	struct tdx_call call = mem_call(kvm, TDH_MEM_PAGE_AUG, gfn, level, spte_to_pa(new));
	bool pin = kvm_switch(kvm, SW_PIN_PAGES);
	u64 err;
	int ret;

	if (kvm_bug_on(kvm, level != PG_LEVEL_4K, gfn, "private leaf above 4K"))
		return -EIO;
	kvm_warn_on((new & SPTE_RWX) != SPTE_RWX, gfn, "private leaf without RWX");
	if (pin)	/* V8 */
		folio_get(pfn_to_folio(call.r8));
	/* smp_rmb(): pairs with finalize, which stores the state last */
	if (mem_read32(&kvm->td_state) != TD_STATE_RUNNABLE) {
		ret = tdx_mem_page_add(kvm, gfn, call.r8);
	} else {
		err = kvm->policy->install(kvm, &call);
		ret = install_error(kvm, &call, err);
	}
	if (ret && pin)
		folio_put(pfn_to_folio(call.r8));
	return ret;
}

/* --- remove --------------------------------------------------------------------------- */

/* One removing call. 0, -EAGAIN where the policy gives up without a bug, -EIO */
static int remove_step(struct kvm *kvm, struct tdx_call *call)
{
	u64 err = kvm->policy->remove(kvm, call);

	if (!err)
		return 0;
	if (kvm->policy->remove_may_fail && kvm->policy->busy(err))
		return -EAGAIN;
	tdx_bug_on(kvm, err, call);
	return -EIO;
}

void tdx_track(struct kvm *kvm)
{
	struct tdx_call call = { .leaf = TDH_MEM_TRACK, .rcx = kvm->tdr, .gfn = NO_GFN };
	u64 err;

	trace_call0("tdx_track");
	/* Before that no vCPU can have run. */
	if (mem_read32(&kvm->td_state) == TD_STATE_RUNNABLE) {
		lockdep_assert_held_write(&kvm->mmu_lock);
		if (kvm->policy->track_begin)
			kvm->policy->track_begin(kvm);
		err = kvm->policy->remove(kvm, &call);
		tdx_bug_on(kvm, err, &call);
		/* Always: who is in the guest may still use the epoch before (P3, P4). */
		kvm_make_all_cpus_request(kvm, KVM_REQ_OUTSIDE_GUEST_MODE);
		if (kvm->policy->track_end)
			kvm->policy->track_end(kvm);
	}
	trace_return0("tdx_track", 0);
}

/* TDH.PHYMEM.PAGE.WBINVD with the TD's HKID: nobody else has this page, so no retry */
static u64 wbinvd(struct kvm *kvm, u64 hpa, struct tdx_call *call)
{
	char where[24];
	u64 err;

	*call = (struct tdx_call){ .leaf = TDH_PHYMEM_PAGE_WBINVD,
				   .rcx = hpa | (u64)mem_peek16(&kvm->hkid) << HKID_SHIFT, .gfn = call->gfn };
	err = tdx_call(kvm, call);
	if (policy_operand_busy(err))
		check_fail("unsynchronized-seamcall", kvm_where(call->gfn, where, sizeof(where)),
			   "TDH.PHYMEM.PAGE.WBINVD of a removed page is busy");
	return err;
}

/* before v6.18 tdx_clear_page(), always (V17) */
void tdx_quirk_reset_paddr(struct kvm *kvm)
{
	if (kvm_switch(kvm, SW_CLEAR_PAGES))
		sim_charge(COST_PAGE_CLEAR_4K, 1);
}

/*
 * tdx_is_sept_zap_err_due_to_premap() of v6.16 to v6.18: BLOCK finds nothing where INIT_MEM_REGION
 * has mapped the mirror and not added the page (B04). 1: so it is; 0: blocked; -EIO
 */
static int block_premapped(struct kvm *kvm, struct tdx_call *call)
{
	u64 err = kvm->policy->remove(kvm, call), n;

	if (!err)
		return 0;
	if (err != (TDX_EPT_ENTRY_STATE_INCORRECT | TDX_OPERAND_ID_RCX)) {
		tdx_bug_on(kvm, err, call);
		return -EIO;
	}
	n = mem_read64(&kvm->nr_premapped);
	if (kvm_bug_on(kvm, !n, call->gfn, "no page is premapped"))
		return -EIO;
	mem_xadd64(&kvm->nr_premapped, -1);
	if (kvm_switch(kvm, SW_PIN_PAGES))
		folio_put(pfn_to_folio(call->r8));
	return 1;
}

/* KVM_TDX_TERMINATE_VM has released the HKID: nobody can reach the page through the S-EPT */
static int reclaim_leaf(struct kvm *kvm, u64 gfn, u64 old)
{
	int ret;

	kvm_bug_on(kvm, !mem_read32(&kvm->vm_dead), gfn, "the HKID is gone and the VM lives");
	ret = tdx_reclaim_page(kvm, spte_to_pa(old));
	sim_charge(COST_KVM_ZAP_CODE, 1);	/* (K23) */
	if (!ret && kvm_switch(kvm, SW_PIN_PAGES))
		folio_put(pfn_to_folio(spte_to_pa(old)));
	return ret;
}

static int remove_leaf(struct kvm *kvm, u64 gfn, u8 level, u64 old)
{
	struct tdx_call call = mem_call(kvm, TDH_MEM_RANGE_BLOCK, gfn, level, spte_to_pa(old));
	bool assigned;
	int ret;

	lockdep_assert_held_write(&kvm->mmu_lock);
	assigned = is_hkid_assigned(kvm);
	if (!assigned && kvm_switch(kvm, SW_TERMINATE_VM))
		return reclaim_leaf(kvm, gfn, old);
	if (kvm_bug_on(kvm, !assigned, gfn, "zap after the HKID is gone"))
		return -EIO;
	if (kvm_bug_on(kvm, level != PG_LEVEL_4K, gfn, "private leaf above 4K"))
		return -EIO;
	if (kvm_switch(kvm, SW_PREMAP) && !kvm_switch(kvm, SW_PREMAP_IS_BUG) &&
	    mem_peek32(&kvm->td_state) != TD_STATE_RUNNABLE) {
		ret = block_premapped(kvm, &call);
		if (ret)	/* 1: it never was in the S-EPT */
			return ret < 0 ? ret : 0;
	} else {
		ret = remove_step(kvm, &call);
		if (ret)
			return ret;
	}
	tdx_track(kvm);
	call = mem_call(kvm, TDH_MEM_PAGE_REMOVE, gfn, level, 0);
	ret = remove_step(kvm, &call);
	if (ret)
		return ret;
	if (tdx_bug_on(kvm, wbinvd(kvm, spte_to_pa(old), &call), &call))
		return -EIO;
	tdx_quirk_reset_paddr(kvm);
	/* What the walk, the truncation and the free cost beyond their steps (K23) */
	sim_charge(COST_KVM_ZAP_CODE, 1);
	if (kvm_switch(kvm, SW_PIN_PAGES))
		folio_put(pfn_to_folio(spte_to_pa(old)));
	return 0;
}

/*
 * tdx_sept_remove_private_spte() of v6.16, with tdx_sept_zap_private_spte() and
 * tdx_sept_drop_private_spte(). No unblock on failure.
 */
static int tdx_sept_remove_leaf_spte(struct kvm *kvm, u64 gfn, u8 level, u64 old)
{
	int ret;

	trace_call("tdx_sept_remove_leaf_spte", gfn);
	if (kvm->policy->zap_begin)
		kvm->policy->zap_begin(kvm);
	ret = remove_leaf(kvm, gfn, level, old);
	if (kvm->policy->zap_end)
		kvm->policy->zap_end(kvm);
	trace_return("tdx_sept_remove_leaf_spte", gfn, (u64)(s64)ret);
	return ret;
}

int tdx_sept_set_private_spte(struct kvm *kvm, u64 gfn, u64 old, u64 new, u8 level)
{
	if (is_shadow_present_pte(old))
		return tdx_sept_remove_leaf_spte(kvm, gfn, level, old);
	if (kvm_bug_on(kvm, !is_shadow_present_pte(new), gfn, "S-EPT entry set to nonpresent"))
		return -EIO;
	if (!is_last_spte(new, level))
		return tdx_sept_map_nonleaf_spte(kvm, gfn, new, level);
	return tdx_sept_map_leaf_spte(kvm, gfn, new, level);
}

void remove_external_spte(struct kvm *kvm, u64 gfn, u64 old, u8 level)
{
	int ret;

	if (!is_shadow_present_pte(old) || !is_last_spte(old, level))
		return;
	lockdep_assert_held_write(&kvm->mmu_lock);
	ret = tdx_sept_remove_leaf_spte(kvm, gfn, level, old);
	kvm_bug_on(kvm, ret, gfn, "S-EPT update failed where it must not");
}

/* Only once the HKID is gone; on any failure the page leaks on purpose. (tdx_spte_to_sept_pt()) */
void tdx_sept_free_private_spt(struct kvm *kvm, struct kvm_mmu_page *sp)
{
	if (kvm_bug_on(kvm, is_hkid_assigned(kvm), sp->gfn,
		       "S-EPT page freed while the HKID is assigned"))
		kvm_leak_page(kvm, sp->external_spt, "S-EPT page");
	else if (!tdx_reclaim_page(kvm, sp->external_spt))
		page_free(sp->external_spt);	/* at once: nobody reads it any more */
	world_set(sp->external_spt, 0);
}
