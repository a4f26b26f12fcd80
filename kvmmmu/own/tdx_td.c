// SPDX-License-Identifier: GPL-2.0-only
/*
 * The making of a TD: KVM_TDX_INIT_VM, KVM_TDX_INIT_VCPU, KVM_TDX_INIT_MEM_REGION,
 * KVM_TDX_FINALIZE_VM, as SEAMCALLs in KVM's order, under its locks. Rests on
 * arch/x86/kvm/vmx/tdx.c of v7.2; SW_IOCTL_LOCKS_OWN and SW_PREMAP are v6.16 to v6.18 (V9,
 * V10 of docs/model.md).
 */
#include <errno.h>

#include "kvmmmu/own/guest_memfd.h"
#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/mmu.h"
#include "kvmmmu/own/policy.h"
#include "kvmmmu/own/tdx.h"
#include "kvmmmu/own/x86.h"
#include "sim/engine/clock.h"
#include "sim/engine/lp.h"
#include "sim/engine/task.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"
#include "tdxmod/seamcall.h"

/* Metadata as BUILD_TDX_FIELD() makes their ids: class in bits 63:56, field in 31:0 */
#define TDCS_EXEC(field)	(17ull << 56 | (field))
#define TD_TDCS_EXEC_TSC_OFFSET		10u
#define TD_TDCS_EXEC_TSC_MULTIPLIER	11u
#define TDVPS_VMCS(field)	((u64)(field))		/* class 0 */
#define POSTED_INTR_NV			0x0002u
#define POSTED_INTR_DESC_ADDR		0x2016u
#define PIN_BASED_VM_EXEC_CONTROL	0x4000u

#define TDX_VERSION_SHIFT		16
#define TDX_TD_ATTR_SEPT_VE_DISABLE	BIT_ULL(28)
#define TDX_CONFIG_FLAGS_MAX_GPAW	BIT_ULL(0)
#define VMX_EPTP_MT_WB			6u
#define VMX_EPTP_PWL_4			0x18u
#define VMX_EPTP_PWL_5			0x20u

static u64 call_tdr(struct kvm *kvm, u64 leaf, u64 rdx)
{
	struct tdx_call call = { .leaf = leaf, .rcx = kvm->tdr, .rdx = rdx, .gfn = NO_GFN };

	return tdx_call(kvm, &call);
}

static bool td_bug_on(struct kvm *kvm, u64 err, u64 leaf)
{
	struct tdx_call call = { .leaf = leaf, .gfn = NO_GFN };

	return tdx_bug_on(kvm, err, &call);
}

/* --- locks (V10) ---------------------------------------------------------------------- */

/*
 * tdx_acquire_vm_state_locks() - everything that could be in an ioctl of this VM is locked
 * out: vcpu->mutex is taken outside of slots_lock. -EBUSY: a vCPU is being made.
 */
static int tdx_acquire_vm_state_locks(struct kvm *kvm)
{
	u32 i, n;

	mutex_lock(&kvm->lock);
	if (kvm_switch(kvm, SW_IOCTL_LOCKS_OWN))
		return 0;
	n = kvm_online_vcpus(kvm);
	/* v7.3: kvm_lock_all_vcpus() only warns of it, since that lock is held over a creation */
	if (kvm->created_vcpus != n) {
		kvm_warn_on(kvm_switch(kvm, SW_CREATE_HOLDS_LOCK), NO_GFN,
			    "vCPUs are locked while one is being made");
		mutex_unlock(&kvm->lock);
		return -EBUSY;
	}
	for (i = 0; i < n; i++)		/* kvm_lock_all_vcpus() */
		mutex_lock_nest_lock(&kvm->vcpus[i]->mutex, &kvm->lock);
	mutex_lock(&kvm->slots_lock);
	return 0;
}

static void tdx_release_vm_state_locks(struct kvm *kvm)
{
	u32 i, n;

	if (!kvm_switch(kvm, SW_IOCTL_LOCKS_OWN)) {
		mutex_unlock(&kvm->slots_lock);
		n = kvm_online_vcpus(kvm);
		for (i = 0; i < n; i++)
			mutex_unlock(&kvm->vcpus[i]->mutex);
	}
	mutex_unlock(&kvm->lock);
}

/* --- KVM_TDX_INIT_VM ------------------------------------------------------------------ */

struct key_config {		/* in the world: another CPU writes into it */
	struct kvm *kvm;
	u64 err;
};

static void tdx_do_tdh_mng_key_config(void *arg)
{
	struct key_config *c = arg;

	world_set(c->err, call_tdr(c->kvm, TDH_MNG_KEY_CONFIG, 0));
}

/* One CPU of each package programs the memory controller; always the first that is online. */
static int key_config_on_each_package(struct kvm *kvm)
{
	struct key_config *c = world_alloc(sizeof(*c));
	u16 cpu, cpus = lp_count();
	u64 packages = 0;
	bool failed = false;

	world_set(c->kvm, kvm);
	for (cpu = 0; cpu < cpus && !failed; cpu++) {
		if (!cpu_online(cpu))
			continue;
		if (packages >> lp_package(cpu) & 1)
			continue;
		packages |= BIT_ULL(lp_package(cpu));
		kvm_call_on_cpu(cpu, tdx_do_tdh_mng_key_config, c);	/* smp_call_on_cpu() */
		failed = td_bug_on(kvm, c->err, TDH_MNG_KEY_CONFIG);
	}
	world_free(c, sizeof(*c));
	return failed ? -EIO : 0;
}

static bool all_packages_online(void)
{
	u16 cpu, cpus = lp_count();
	u64 all = 0, online = 0;

	for (cpu = 0; cpu < cpus; cpu++) {
		all |= BIT_ULL(lp_package(cpu));
		if (cpu_online(cpu))
			online |= BIT_ULL(lp_package(cpu));
	}
	return all == online;
}

static int mng_create(struct kvm *kvm)
{
	struct kvm_host *host = kvm_host_self();
	bool lock = !kvm_switch(kvm, SW_NO_TDX_LOCK);
	u64 err;

	if (lock)
		mutex_lock(&host->tdx_lock);
	err = call_tdr(kvm, TDH_MNG_CREATE, mem_peek16(&kvm->hkid));
	if (lock)
		mutex_unlock(&host->tdx_lock);
	return td_bug_on(kvm, err, TDH_MNG_CREATE) ? -EIO : 0;
}

/* Nothing belongs to the module yet */
static void free_pages(struct kvm *kvm, u64 tdcs[TDCS_NR_PAGES])
{
	for (u32 i = 0; i < TDCS_NR_PAGES; i++)
		page_free(tdcs[i]);
	page_free(kvm->tdr);
	world_set(kvm->tdr, 0);
}

static int add_tdcs(struct kvm *kvm, u64 tdcs[TDCS_NR_PAGES], u32 *i)
{
	struct tdx_call call = { .leaf = TDH_MNG_ADDCX, .rdx = kvm->tdr, .gfn = NO_GFN };
	u64 err;

	for (*i = 0; *i < TDCS_NR_PAGES; ++*i) {
		call.rcx = tdcs[*i];
		err = tdx_call(kvm, &call);
		if (tdx_bug_on(kvm, err, &call))
			return -EIO;
		world_set(kvm->tdcs_pages[*i], tdcs[*i]);
	}
	return 0;
}

/*
 * setup_tdparams_cpuids(), setup_tdparams_eptp_controls(): no CPUID but what the module gives by itself (no
 * td_init_cpuid_entry2() of user space's), x87 and SSE
 */
static void setup_tdparams(const struct kvm *kvm, struct td_params *p)
{
	bool five = kvm->levels == 5;

	*p = (struct td_params){
		.attributes = kvm->pending_ve_disable ? TDX_TD_ATTR_SEPT_VE_DISABLE : 0,
		.xfam = 3,
		.max_vcpus = kvm->max_vcpus,
		.eptp_controls = VMX_EPTP_MT_WB | (five ? VMX_EPTP_PWL_5 : VMX_EPTP_PWL_4),
		.config_flags = TDX_CONFIG_FLAGS_NO_RBP_MOD | (five ? TDX_CONFIG_FLAGS_MAX_GPAW : 0),
		.tsc_frequency = 120,	/* of 25 MHz: the reference clock's 3 GHz */
	};
}

static int mng_init(struct kvm *kvm)
{
	u64 page = page_alloc(), err;
	struct td_params p;

	setup_tdparams(kvm, &p);
	world_store(phys_to_ptr(page), &p, sizeof(p));
	err = call_tdr(kvm, TDH_MNG_INIT, page);
	page_free(page);
	if (err && (err & TDX_STATUS_MASK) == TDX_OPERAND_INVALID)
		return -EINVAL;		/* user space's operands */
	return td_bug_on(kvm, err, TDH_MNG_INIT) ? -EIO : 0;
}

/* cpus_read_lock() held: no CPU goes down while the packages are programmed */
static int create_with_key(struct kvm *kvm, bool *created)
{
	int ret;

	*created = false;
	if (!all_packages_online())
		return -EIO;
	ret = mng_create(kvm);
	if (ret)
		return ret;
	*created = true;
	return key_config_on_each_package(kvm);
}

static int __tdx_td_init(struct kvm *kvm)
{
	u64 tdcs[TDCS_NR_PAGES];
	bool created;
	u16 hkid = tdx_guest_keyid_alloc();
	u32 i, n = 0;
	int ret;

	if (!hkid)
		return -ENOSPC;
	mem_write16(&kvm->hkid, hkid);
	world_set(kvm->tdr, page_alloc());
	kvm_name_td(kvm);
	for (i = 0; i < TDCS_NR_PAGES; i++)
		tdcs[i] = page_alloc();
	down_read(&kvm_host_self()->cpu_hotplug_lock);
	ret = create_with_key(kvm, &created);
	up_read(&kvm_host_self()->cpu_hotplug_lock);
	if (!created) {
		free_pages(kvm, tdcs);
		tdx_hkid_free(kvm);
		return ret;
	}
	if (!ret)
		ret = add_tdcs(kvm, tdcs, &n);
	if (!ret)
		ret = mng_init(kvm);
	if (!ret)
		return 0;
	/* Part of a TD: what destroys whole ones copes with it. */
	for (i = n; i < TDCS_NR_PAGES; i++)
		page_free(tdcs[i]);
	tdx_mmu_release_hkid(kvm);
	tdx_reclaim_td_control_pages(kvm);
	return ret;
}

static void td_tdcs_exec_read64(struct kvm *kvm, u32 field)
{
	u64 err = call_tdr(kvm, TDH_MNG_RD, TDCS_EXEC(field));

	td_bug_on(kvm, err, TDH_MNG_RD);
}

static int tdx_td_init(struct kvm *kvm)
{
	int ret;

	if (mem_read32(&kvm->td_state) != TD_STATE_UNINITIALIZED)
		return -EINVAL;
	if (kvm->created_vcpus)
		return -EBUSY;
	ret = __tdx_td_init(kvm);
	if (ret)
		return ret;
	td_tdcs_exec_read64(kvm, TD_TDCS_EXEC_TSC_OFFSET);
	td_tdcs_exec_read64(kvm, TD_TDCS_EXEC_TSC_MULTIPLIER);
	mem_write32(&kvm->td_state, TD_STATE_INITIALIZED);
	return 0;
}

/* tdx_vm_ioctl(), tdx_get_cmd(): each command is a function */
int tdx_vm_ioctl_init_vm(struct kvm *kvm)
{
	int ret = tdx_acquire_vm_state_locks(kvm);

	if (ret)
		return ret;
	ret = tdx_td_init(kvm);
	tdx_release_vm_state_locks(kvm);
	return ret;
}

/* --- KVM_TDX_FINALIZE_VM -------------------------------------------------------------- */

static int tdx_td_finalize(struct kvm *kvm)
{
	bool swapped = kvm_switch(kvm, SW_PREFAULT_BEFORE_RUNNABLE);
	u64 err;

	if (!is_hkid_assigned(kvm))
		return -EINVAL;
	if (mem_read32(&kvm->td_state) == TD_STATE_RUNNABLE)
		return -EINVAL;
	if (kvm_switch(kvm, SW_PREMAP)) {
		if (mem_read64(&kvm->nr_premapped))
			return -EINVAL;
	}
	err = call_tdr(kvm, TDH_MR_FINALIZE, 0);
	if (policy_operand_busy(err))
		return -EBUSY;
	if (td_bug_on(kvm, err, TDH_MR_FINALIZE))
		return -EIO;
	/* smp_wmb() between: who may prefault must see RUNNABLE (B07) */
	if (swapped)
		mem_write32(&kvm->pre_fault_allowed, 1);
	mem_write32(&kvm->td_state, TD_STATE_RUNNABLE);
	if (!swapped)
		mem_write32(&kvm->pre_fault_allowed, 1);
	return 0;
}

int tdx_vm_ioctl_finalize(struct kvm *kvm)
{
	bool own = kvm_switch(kvm, SW_IOCTL_LOCKS_OWN);
	int ret = tdx_acquire_vm_state_locks(kvm);

	if (ret)
		return ret;
	policy_tdr_lock(kvm, true);
	if (own)
		mutex_lock(&kvm->slots_lock);
	ret = tdx_td_finalize(kvm);
	if (own)
		mutex_unlock(&kvm->slots_lock);
	policy_tdr_unlock(kvm, true);
	tdx_release_vm_state_locks(kvm);
	return ret;
}

/* --- KVM_TDX_TERMINATE_VM: <20250718181541.98146-1-seanjc@google.com> ------------------ */

static void unlock_vcpus(struct kvm *kvm, u32 n)
{
	while (n--)
		mutex_unlock(&kvm->vcpus[n]->mutex);
}

/* kvm_trylock_all_vcpus() */
static bool trylock_all_vcpus(struct kvm *kvm, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		if (mutex_trylock(&kvm->vcpus[i]->mutex))
			continue;
		unlock_vcpus(kvm, i);
		return false;
	}
	return true;
}

int tdx_vm_ioctl_terminate(struct kvm *kvm)
{
	int ret = -EBUSY;
	u32 n;

	mutex_lock(&kvm->lock);
	n = kvm_online_vcpus(kvm);
	if (trylock_all_vcpus(kvm, n)) {
		kvm_vm_dead(kvm);
		unlock_vcpus(kvm, n);
		tdx_mmu_release_hkid(kvm);
		ret = 0;
	}
	mutex_unlock(&kvm->lock);
	return ret;
}

/* --- KVM_TDX_INIT_VCPU ---------------------------------------------------------------- */

/* Version 1 has the x2APIC id, and takes TDR exclusive (S10, B03) */
static u64 tdh_vp_init(struct kvm_vcpu *vcpu)
{
	bool v1 = tdx_features0() & TDX_FEATURES0_TOPOLOGY_ENUM;
	struct tdx_call call = {
		.leaf = TDH_VP_INIT | (v1 ? 1ull << TDX_VERSION_SHIFT : 0),
		.rcx = vcpu->tdvpr, .r8 = vcpu->vcpu_id, .gfn = NO_GFN,
	};

	return tdx_call(vcpu->kvm, &call);
}

static void free_tdcx(struct kvm_vcpu *vcpu, u32 from)
{
	for (u32 i = from; i < TDCX_NR_PAGES; i++) {
		page_free(vcpu->tdcx_pages[i]);
		world_set(vcpu->tdcx_pages[i], 0);
	}
}

/* VP.CREATE and VP.ADDCX: 0, -EIO */
static int create_vp(struct kvm_vcpu *vcpu)
{
	struct kvm *kvm = vcpu->kvm;
	struct tdx_call call = { .leaf = TDH_VP_CREATE, .rdx = kvm->tdr, .gfn = NO_GFN };
	u64 err;
	u32 i;

	world_set(vcpu->tdvpr, page_alloc());
	for (i = 0; i < TDCX_NR_PAGES; i++)
		world_set(vcpu->tdcx_pages[i], page_alloc());
	call.rcx = vcpu->tdvpr;
	err = tdx_call(kvm, &call);
	if (tdx_bug_on(kvm, err, &call)) {
		free_tdcx(vcpu, 0);
		page_free(vcpu->tdvpr);
		world_set(vcpu->tdvpr, 0);
		return -EIO;
	}
	call.leaf = TDH_VP_ADDCX;
	call.rdx = vcpu->tdvpr;
	for (i = 0; i < TDCX_NR_PAGES; i++) {
		call.rcx = vcpu->tdcx_pages[i];
		err = tdx_call(kvm, &call);
		if (tdx_bug_on(kvm, err, &call)) {
			free_tdcx(vcpu, i);	/* the others are reclaimed with the vCPU */
			return -EIO;
		}
	}
	return 0;
}

static int tdx_td_vcpu_init(struct kvm_vcpu *vcpu)
{
	struct kvm *kvm = vcpu->kvm;
	bool lock = !kvm_switch(kvm, SW_VP_INIT_UNLOCKED);
	u64 err;
	int ret;

	policy_tdr_lock(kvm, false);
	ret = create_vp(vcpu);
	policy_tdr_unlock(kvm, false);
	if (ret)
		return ret;
	policy_tdr_lock(kvm, true);
	/* TDR exclusive in the module: keep out who may not find it busy (B05) */
	if (lock)
		write_lock(&kvm->mmu_lock);
	err = tdh_vp_init(vcpu);
	td_bug_on(kvm, err, TDH_VP_INIT);
	if (lock)
		write_unlock(&kvm->mmu_lock);
	policy_tdr_unlock(kvm, true);
	return err ? -EIO : 0;
}

static void td_vmcs_write(struct kvm_vcpu *vcpu, u32 field, u64 value, u64 mask)
{
	struct tdx_call call = {
		.leaf = TDH_VP_WR, .rcx = vcpu->tdvpr, .rdx = TDVPS_VMCS(field),
		.r8 = value, .r9 = mask, .gfn = NO_GFN,
	};
	u64 err = tdx_call(vcpu->kvm, &call);

	tdx_bug_on(vcpu->kvm, err, &call);	/* tdh_vp_wr_failed() */
}

static int tdx_vcpu_init(struct kvm_vcpu *vcpu)
{
	struct kvm *kvm = vcpu->kvm;
	int ret;

	if (mem_read32(&vcpu->tdx_state) != VCPU_TD_STATE_UNINITIALIZED)
		return -EINVAL;
	ret = tdx_td_vcpu_init(vcpu);
	if (ret)
		return ret;
	policy_tdr_lock(kvm, false);
	/* td_vmcs_write16(), _write64() , _setbit32() */
	td_vmcs_write(vcpu, POSTED_INTR_NV, POSTED_INTR_VECTOR, 0xffff);
	td_vmcs_write(vcpu, POSTED_INTR_DESC_ADDR, vcpu_pi_desc(vcpu), ~0ull);
	td_vmcs_write(vcpu, PIN_BASED_VM_EXEC_CONTROL, PIN_BASED_POSTED_INTR,
		      PIN_BASED_POSTED_INTR);
	policy_tdr_unlock(kvm, false);
	kvm_give_guest(vcpu);
	mem_write32(&vcpu->tdx_state, VCPU_TD_STATE_INITIALIZED);
	return 0;
}

/* --- vCPU ioctls ---------------------------------------------------------------------- */

/*
 * kvm_arch_vcpu_unlocked_ioctl(), tdx_vcpu_unlocked_ioctl() - under the locks of all; before v6.19 tdx_vcpu_ioctl(), under
 * this vCPU's alone (V10)
 */
static int vcpu_ioctl(struct kvm_vcpu *vcpu, int (*fn)(struct kvm_vcpu *vcpu, u64 a, u64 b),
		      u64 a, u64 b)
{
	struct kvm *kvm = vcpu->kvm;
	bool own = kvm_switch(kvm, SW_IOCTL_LOCKS_OWN);
	int ret = 0;

	if (own)
		mutex_lock(&vcpu->mutex);
	else
		ret = tdx_acquire_vm_state_locks(kvm);
	if (ret)
		return ret;
	if (own)
		vcpu_load(vcpu);
	if (!is_hkid_assigned(kvm))
		ret = -EINVAL;
	else if (mem_read32(&kvm->td_state) == TD_STATE_RUNNABLE)
		ret = -EINVAL;
	if (!ret) {
		if (!own)
			vcpu_load(vcpu);
		ret = fn(vcpu, a, b);
		if (!own)
			vcpu_put(vcpu);
	}
	if (own) {
		vcpu_put(vcpu);
		mutex_unlock(&vcpu->mutex);
	} else {
		tdx_release_vm_state_locks(kvm);
	}
	return ret;
}

static int init_vcpu(struct kvm_vcpu *vcpu, u64 a, u64 b)
{
	return tdx_vcpu_init(vcpu);
}

int tdx_vcpu_ioctl_init_vcpu(struct kvm_vcpu *vcpu)
{
	return vcpu_ioctl(vcpu, init_vcpu, 0, 0);
}

int tdx_vcpu_ioctl_init_mem_region(struct kvm_vcpu *vcpu, u64 start, u64 end)
{
	return vcpu_ioctl(vcpu, tdx_vcpu_init_mem_region, start, end);
}
