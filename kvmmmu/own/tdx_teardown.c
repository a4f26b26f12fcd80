// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a TD: its HKID is released once no LP and no cache knows it, then its pages
 * are reclaimed, the TDR's last. What fails leaks, as it does in the kernel. Rests on
 * arch/x86/kvm/vmx/tdx.c of v7.2.
 */
#include <inttypes.h>
#include <stdio.h>

#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/tdx.h"
#include "sim/engine/clock.h"
#include "sim/engine/lp.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"
#include "tdxmod/seamcall.h"

#define TDX_SEAMCALL_RETRIES	10000

/* --- HKIDs: arch/x86/virt/vmx/tdx/tdx.c ----------------------------------------------- */

/* An ida, under a spinlock of its own: nothing that others could come between. */
u16 tdx_guest_keyid_alloc(void)
{
	u64 *ids = &kvm_host_self()->guest_keyids;

	for (u16 hkid = FIRST_HKID; hkid < LAST_HKID; hkid++)
		if (!world_atomic(MEM_BTS, sizeof(*ids), ids, hkid, 0))
			return hkid;
	return 0;
}

void tdx_hkid_free(struct kvm *kvm)
{
	u64 *ids = &kvm_host_self()->guest_keyids;

	world_atomic(MEM_BTR, sizeof(*ids), ids, mem_peek16(&kvm->hkid), 0);
	mem_write16(&kvm->hkid, 0);
}

/* --- pages ---------------------------------------------------------------------------- */

static int __tdx_reclaim_page(struct kvm *kvm, u64 hpa)
{
	struct tdx_call call = { .leaf = TDH_PHYMEM_PAGE_RECLAIM, .rcx = hpa, .gfn = NO_GFN };
	u64 err = tdx_call(kvm, &call);

	/* TDX_BUG_ON(..., NULL): a warning alone. Nobody else has a use for the page. */
	if (!err)
		return 0;
	tdx_warn_on(err, &call);
	kvm_leak_page(kvm, hpa, "page that cannot be reclaimed");
	return -EIO;
}

int tdx_reclaim_page(struct kvm *kvm, u64 hpa)
{
	int r = __tdx_reclaim_page(kvm, hpa);

	if (!r)
		tdx_quirk_reset_paddr(kvm);
	return r;
}

void tdx_reclaim_control_page(struct kvm *kvm, u64 hpa)
{
	if (!tdx_reclaim_page(kvm, hpa))
		page_free(hpa);
}

/* --- the HKID ------------------------------------------------------------------------- */

/*
 * On one CPU of a package, interrupts off: again until it is through. Whoever was quicker
 * leaves no HKID to write back, which is as good.
 */
static void smp_func_do_phymem_cache_wb(void *unused)
{
	struct tdx_call call = { .leaf = TDH_PHYMEM_CACHE_WB, .gfn = NO_GFN };
	u64 err = 0;
	u32 i;

	for (i = 0; i < TDX_SEAMCALL_RETRIES; i++) {
		call.rcx = !!err;	/* resume */
		err = tdx_call(NULL, &call);
		if (err != TDX_INTERRUPTED_RESUMABLE)
			break;
	}
	if (err && err != TDX_NO_HKID_READY_TO_WBCACHE)
		tdx_warn_on(err, &call);	/* TDH.MNG.KEY.FREEID will fail */
}

static void cache_wb_on_each_package(struct kvm *kvm)
{
	struct lp_mask targets = { { 0 } };
	u16 cpu, cpus = lp_count();
	u64 packages = 0;

	for (cpu = 0; cpu < cpus; cpu++) {
		if (!cpu_online(cpu))
			continue;
		if (packages >> lp_package(cpu) & 1)
			continue;
		packages |= BIT_ULL(lp_package(cpu));
		lp_mask_set(&targets, cpu);
	}
	on_each_cpu_mask(&targets, smp_func_do_phymem_cache_wb, NULL, true);
}

/* tdx_lock held: the HKID goes back, or it leaks; TDX_FLUSHVP_NOT_DONE says nothing (C09) */
static u64 free_hkid(struct kvm *kvm)
{
	struct tdx_call call = { .leaf = TDH_MNG_VPFLUSHDONE, .rcx = kvm->tdr, .gfn = NO_GFN };
	bool zaps = kvm_switch(kvm, SW_TERMINATE_VM);	/* somebody may still zap (C08) */
	u64 err = tdx_call(kvm, &call);

	if (err == TDX_FLUSHVP_NOT_DONE || tdx_bug_on(kvm, err, &call))
		return err;
	if (zaps)
		write_lock(&kvm->mmu_lock);
	cache_wb_on_each_package(kvm);
	call.leaf = TDH_MNG_KEY_FREEID;
	err = tdx_call(kvm, &call);
	if (!tdx_bug_on(kvm, err, &call))
		tdx_hkid_free(kvm);
	if (zaps)
		write_unlock(&kvm->mmu_lock);
	return err;
}

static u64 release_hkid_once(struct kvm *kvm)
{
	struct kvm_host *host = kvm_host_self();
	bool lock = !kvm_switch(kvm, SW_NO_TDX_LOCK);
	u32 i, n;
	u64 err;

	down_read(&host->cpu_hotplug_lock);
	n = kvm_online_vcpus(kvm);
	for (i = 0; i < n; i++)
		tdx_flush_vp_on_cpu(kvm->vcpus[i]);
	/* VPFLUSHDONE, CACHE.WB and FREEID take a lock of the whole module (C07). */
	if (lock)
		mutex_lock(&host->tdx_lock);
	err = free_hkid(kvm);
	if (lock)
		mutex_unlock(&host->tdx_lock);
	up_read(&host->cpu_hotplug_lock);
	return err;
}

void tdx_mmu_release_hkid(struct kvm *kvm)
{
	u64 err;

	if (!is_hkid_assigned(kvm))
		return;
	trace_call0("tdx_mmu_release_hkid");
	do {	/* once; the loop of v19 goes round again (C01) */
		err = release_hkid_once(kvm);
	} while (err == TDX_FLUSHVP_NOT_DONE && kvm_switch(kvm, SW_RELEASE_HKID_LOOPS));
	if (mem_peek16(&kvm->hkid) && !mem_peek32(&kvm->vm_bugged))
		world_set(kvm->leak_is_news, true);
	trace_return0("tdx_mmu_release_hkid", err);
}

/* --- the TD --------------------------------------------------------------------------- */

void tdx_reclaim_td_control_pages(struct kvm *kvm)
{
	struct tdx_call call = { .leaf = TDH_PHYMEM_PAGE_WBINVD, .gfn = NO_GFN };
	u64 err;
	u32 i;

	if (is_hkid_assigned(kvm)) {	/* said already, by tdx_mmu_release_hkid() */
		kvm_leak_pages(kvm, kvm->tdcs_pages, TDCS_NR_PAGES, "TDCS page");
		kvm_leak_page(kvm, kvm->tdr, "TDR");
		return;
	}
	for (i = 0; i < TDCS_NR_PAGES; i++) {
		if (!kvm->tdcs_pages[i])
			continue;
		tdx_reclaim_control_page(kvm, kvm->tdcs_pages[i]);
		world_set(kvm->tdcs_pages[i], 0);
	}
	if (!kvm->tdr || __tdx_reclaim_page(kvm, kvm->tdr))
		return;
	/* The module has touched the TDR meanwhile, with its own HKID. */
	call.rcx = kvm->tdr | (u64)TDX_GLOBAL_KEYID << HKID_SHIFT;
	err = tdx_call(kvm, &call);
	if (tdx_bug_on(kvm, err, &call)) {
		kvm_leak_page(kvm, kvm->tdr, "TDR");
		return;
	}
	tdx_quirk_reset_paddr(kvm);
	page_free(kvm->tdr);
	world_set(kvm->tdr, 0);
}

void tdx_vm_destroy(struct kvm *kvm)
{
	tdx_reclaim_td_control_pages(kvm);
	mem_write32(&kvm->td_state, TD_STATE_UNINITIALIZED);
}

/*
 * At 5.2 of the life cycle that KVM's comment draws: released, dissociated. A vCPU that is
 * still on a list failed to be made (3.3); before v6.19 it stayed there (B08).
 */
void tdx_vcpu_free(struct kvm_vcpu *vcpu)
{
	struct kvm *kvm = vcpu->kvm;
	u32 i, cpu;

	cpu = mem_read32(&vcpu->cpu);
	if (cpu != NO_CPU && !kvm_switch(kvm, SW_FREE_LEAVES_LISTED)) {
		kvm_bug_on(kvm, mem_peek32(&vcpu->tdx_state) == VCPU_TD_STATE_INITIALIZED, NO_GFN,
			   "an initialised vCPU is freed while it belongs to a CPU");
		tdx_flush_vp_on_cpu(vcpu);
		return;
	}
	if (is_hkid_assigned(kvm)) {
		kvm_leak_pages(kvm, vcpu->tdcx_pages, TDCX_NR_PAGES, "TDVPS page");
		kvm_leak_page(kvm, vcpu->tdvpr, "TDVPR");
		return;
	}
	for (i = 0; i < TDCX_NR_PAGES; i++) {
		if (!vcpu->tdcx_pages[i])
			continue;
		tdx_reclaim_control_page(kvm, vcpu->tdcx_pages[i]);
		world_set(vcpu->tdcx_pages[i], 0);
	}
	if (vcpu->tdvpr) {
		tdx_reclaim_control_page(kvm, vcpu->tdvpr);
		world_set(vcpu->tdvpr, 0);
	}
	mem_write32(&vcpu->tdx_state, VCPU_TD_STATE_UNINITIALIZED);
}
