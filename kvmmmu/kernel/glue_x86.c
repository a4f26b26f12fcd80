// SPDX-License-Identifier: GPL-2.0-only
/*
 * In place of arch/x86/kvm/x86.c and vmx/main.c: the hooks of a TD, VMs, vCPUs and memslots, reduced
 * to what the MMU, TDX and the generic code see of them; the run loop is glue_run.c's. imitated.txt
 * names the functions of the tree that both stand for, with the checksums of those that they were
 * written from.
 */
#include "mmu.h"
#include "mmu/mmu_internal.h"
#include "mmu/tdp_mmu.h"
#include "mmu/spte.h"
#include "x86.h"
#include "irq.h"
#include "lapic.h"
#include "vmx/vmx.h"
#include "vmx/x86_ops.h"
#include "vmx/tdx.h"
#include "kvmmmu/kernel/glue.h"

struct kvm_x86_ops kvm_x86_ops;
struct kvm_x86_ops vt_x86_ops;
struct kvm_host_values kvm_host = { .maxphyaddr = 52 };
struct kvm_caps kvm_caps;
struct cpuinfo_x86 boot_cpu_data = {
	.x86_phys_bits = 40, .x86_cache_bits = 40, .extended_cpuid_level = 0x80000008,
};
bool enable_ept = true, enable_ept_ad_bits = true, enable_mbec, enable_unrestricted_guest = true;
bool enable_pml, enable_apicv = true, eager_page_split = true, itlb_multihit_dummy;
int itlb_multihit_kvm_mitigation;
DEFINE_PER_CPU(bool, cache_state_incoherent);

/* An operation that nobody gave is an end with its name; an optional one does nothing. */
#define KVM_X86_OP(func) \
	static void ksim_no_##func(void) { ksim_missing("kvm_x86_ops." #func); } \
	__typeof__(*((struct kvm_x86_ops *)0)->func) *ksim_sc_kvm_x86_##func = (void *)ksim_no_##func;
static long ksim_nothing(void) { return 0; }
#define KVM_X86_OP_OPTIONAL(func) \
	__typeof__(*((struct kvm_x86_ops *)0)->func) *ksim_sc_kvm_x86_##func = (void *)ksim_nothing;
#define KVM_X86_OP_OPTIONAL_RET0 KVM_X86_OP_OPTIONAL
#include <asm/kvm-x86-ops.h>

#define KVM_X86_NESTED_OP(func) \
	static void ksim_no_nested_##func(void) { ksim_missing("kvm_x86_nested_ops." #func); } \
	__typeof__(*((struct kvm_x86_nested_ops *)0)->func) *ksim_sc_kvm_x86_nested_##func = \
		(void *)ksim_no_nested_##func;
#define KVM_X86_NESTED_OP_OPTIONAL KVM_X86_NESTED_OP
#define KVM_X86_NESTED_OP_OPTIONAL_RET0 KVM_X86_NESTED_OP
#if __has_include(<asm/kvm-x86-nested-ops.h>)
#include <asm/kvm-x86-nested-ops.h>
#endif

/* Statistics: nobody reads them */
const struct kvm_stats_header kvm_vm_stats_header, kvm_vcpu_stats_header;
const __typeof__(kvm_vm_stats_desc[0]) kvm_vm_stats_desc[1];
const __typeof__(kvm_vcpu_stats_desc[0]) kvm_vcpu_stats_desc[1];
static void no_self_ipi(int vector) { ksim_missing("apic->send_IPI_self"); }
static struct apic the_apic = { .send_IPI_self = no_self_ipi };
struct apic *apic = &the_apic;
bool virt_rebooting;

/* --- hooks --------------------------------------------------------------------------------- */

static u8 op_get_mt_mask(struct kvm_vcpu *vcpu, gfn_t gfn, bool is_mmio)
{
	/* vmx_get_mt_mask() with no device that is not coherent: WB, and the guest's PAT ignored */
	return is_mmio ? 0 : 6 << 3 | VMX_EPT_IPAT_BIT;
}
static int op_vm_init(struct kvm *kvm) { return ktree_is_td(kvm) ? tdx_vm_init(kvm) : 0; }
static void op_vm_pre_destroy(struct kvm *kvm) { if (ktree_is_td(kvm)) tdx_mmu_release_hkid(kvm); }
static void op_vm_destroy(struct kvm *kvm) { if (ktree_is_td(kvm)) tdx_vm_destroy(kvm); }
static int op_vcpu_create(struct kvm_vcpu *v)
{
	return ktree_is_td(v->kvm) ? tdx_vcpu_create(v) : ktree_vmx_create(v);
}
static void op_vcpu_free(struct kvm_vcpu *v)
{
	if (ktree_is_td(v->kvm))
		tdx_vcpu_free(v);
	else
		ktree_vmx_free(v);
}
static void op_vcpu_load(struct kvm_vcpu *v, int cpu)
{
	bool comes = data_race(v->cpu) != cpu;	/* for the trace */

	if (!ktree_is_td(v->kvm)) {
		ktree_vmx_load(v, cpu);
		return;
	}
	if (comes)
		ksim_call_event("tdx_vcpu_load", v->vcpu_id);
	tdx_vcpu_load(v, cpu);
	if (comes)
		ksim_return_event("tdx_vcpu_load", v->vcpu_id, 0);
}
static void op_vcpu_put(struct kvm_vcpu *v) { if (ktree_is_td(v->kvm)) tdx_vcpu_put(v); }
static void op_prepare(struct kvm_vcpu *v) { if (ktree_is_td(v->kvm)) tdx_prepare_switch_to_guest(v); }
static void op_load_pgd(struct kvm_vcpu *v, hpa_t root, int level)
{
	if (ktree_is_td(v->kvm))
		tdx_load_mmu_pgd(v, root, level);
	else
		ktree_vmx_load_pgd(v, root);
}
static void op_flush_all(struct kvm_vcpu *v)
{
	if (ktree_is_td(v->kvm))
		tdx_flush_tlb_all(v);
	else
		ksim_ept_sync_global();
}
static void op_flush_current(struct kvm_vcpu *v)
{
	if (ktree_is_td(v->kvm))
		tdx_flush_tlb_current(v);
	else
		ktree_vmx_flush_current(v);
}
#ifdef HAVE_PRE_RUN
static int op_pre_run(struct kvm_vcpu *v) { return ktree_is_td(v->kvm) ? tdx_vcpu_pre_run(v) : 1; }
#else
static bool op_needs_init(struct kvm_vcpu *v)
{
	return ktree_is_td(v->kvm) && tdx_vcpu_needs_initialization(v);
}
#endif
static unsigned long op_get_rflags(struct kvm_vcpu *v) { return X86_EFLAGS_FIXED; }
static void op_cache_reg(struct kvm_vcpu *v, enum kvm_reg reg) { }

static fastpath_t op_vcpu_run(struct kvm_vcpu *v, u64 flags)
{
	fastpath_t r;

	if (!ktree_is_td(v->kvm)) {
		ktree_vmx_run(v);
		return EXIT_FASTPATH_NONE;
	}
	ksim_call_event("tdx_vcpu_run", v->vcpu_id);
	r = tdx_vcpu_run(v, flags);
	ksim_return_event("tdx_vcpu_run", v->vcpu_id, r);
	return r;
}

static int op_handle_exit(struct kvm_vcpu *v, fastpath_t fastpath)
{
	int r;

	if (!ktree_is_td(v->kvm))
		return ktree_vmx_handle_exit(v);
	r = tdx_handle_exit(v, fastpath);
#ifndef HAVE_UNEXPECTED_EXIT	/* until v6.18 the handler fills it in by itself */
	if (!r && v->run->exit_reason == KVM_EXIT_INTERNAL_ERROR &&
	    v->run->internal.suberror == KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON)
		ksim_unexpected_exit(v->vcpu_id, v->run->internal.data[0]);
#endif
	ktree_seam_end(v, r);
	return r;
}

#define SET(op, fn) (ksim_sc_kvm_x86_##op = (void *)(fn), kvm_x86_ops.op = (void *)(fn))

int tdx_hooks(void);

int ktree_boot_x86(int ad)
{
	int r;

	enable_ept_ad_bits = ad;
	enable_pml = ad;

	kvm_x86_ops.vm_size = max_t(unsigned int, sizeof(struct kvm), ktree_tdx_vm_size());
	kvm_caps.supported_xcr0 = 3;
	kvm_caps.supported_vm_types = 1 << KVM_X86_DEFAULT_VM | 1 << KVM_X86_TDX_VM;
	SET(get_mt_mask, op_get_mt_mask);
	SET(vm_init, op_vm_init);
	SET(vm_pre_destroy, op_vm_pre_destroy);
	SET(vm_destroy, op_vm_destroy);
	SET(vcpu_create, op_vcpu_create);
	SET(vcpu_free, op_vcpu_free);
	SET(vcpu_load, op_vcpu_load);
	SET(vcpu_put, op_vcpu_put);
	SET(prepare_switch_to_guest, op_prepare);
	SET(load_mmu_pgd, op_load_pgd);
	SET(flush_tlb_all, op_flush_all);
	SET(flush_tlb_current, op_flush_current);
	SET(get_rflags, op_get_rflags);
	SET(cache_reg, op_cache_reg);
	SET(vcpu_run, op_vcpu_run);
	SET(handle_exit, op_handle_exit);
#ifdef HAVE_PRE_RUN
	SET(vcpu_pre_run, op_pre_run);
#else
	SET(vcpu_needs_initialization, op_needs_init);
#endif
	SET(update_cpu_dirty_logging, ktree_vmx_update_logging);
#ifdef PRIVATE_MAX_LEVEL
	SET(private_max_mapping_level, tdx_gmem_private_max_mapping_level);
#else
	SET(gmem_max_mapping_level, tdx_gmem_max_mapping_level);
#endif
	tdx_hooks();
	kvm_mmu_x86_module_init();
	r = kvm_mmu_vendor_module_init();
	ktree_boot_mmu();
#ifdef EPT_MASKS_2ARGS
	kvm_mmu_set_ept_masks(ad, true);
#else
	kvm_mmu_set_ept_masks(ad);
#endif
	kvm_configure_mmu(true, 0, 5, PG_LEVEL_2M);
	return r;
}

/* --- VMs, vCPUs, memslots -------------------------------------------------------------------- */

int kvm_arch_init_vm(struct kvm *kvm, unsigned long type)
{
	int r = 0;

	kvm->arch.vm_type = type;
	kvm->arch.pre_fault_allowed = type == KVM_X86_DEFAULT_VM;
	kvm->arch.irqchip_mode = KVM_IRQCHIP_SPLIT;	/* KVM_CAP_SPLIT_IRQCHIP */
	kvm->arch.default_tsc_khz = 2500000;
#ifdef MMU_INIT_VM_VOID
	kvm_mmu_init_vm(kvm);
#else
	r = kvm_mmu_init_vm(kvm);
#endif
	if (r)
		return r;
	r = kvm_x86_call(vm_init)(kvm);
	once_init(&kvm->arch.nx_once);
	return r;
}

void kvm_arch_pre_destroy_vm(struct kvm *kvm)
{
	kvm_x86_call(vm_pre_destroy)(kvm);
}

void kvm_arch_destroy_vm(struct kvm *kvm)
{
	kvm_destroy_vcpus(kvm);
	kvm_mmu_uninit_vm(kvm);
	kvm_x86_call(vm_destroy)(kvm);
}

void kvm_arch_free_vm(struct kvm *kvm)
{
	ksim_vm_gone(kvm);
	ksim_free(kvm);
}

int kvm_arch_vcpu_precreate(struct kvm *kvm, unsigned int id) { return 0; }

int kvm_arch_vcpu_create(struct kvm_vcpu *vcpu)
{
	int r;

	vcpu->arch.last_vmentry_cpu = -1;
	vcpu->arch.apic = kzalloc(sizeof(*vcpu->arch.apic), GFP_KERNEL);
	vcpu->arch.apic->vcpu = vcpu;
	vcpu->arch.mp_state = KVM_MP_STATE_RUNNABLE;
	vcpu->arch.maxphyaddr = ksim_maxphyaddr(vcpu->kvm);
	vcpu->arch.cr0 = X86_CR0_PE | X86_CR0_PG;
	vcpu->arch.cr4 = X86_CR4_PAE;
	vcpu->arch.efer = EFER_LME | EFER_LMA;
	r = kvm_mmu_create(vcpu);
	if (r)
		return r;
	r = kvm_x86_call(vcpu_create)(vcpu);
	if (r)
		return r;
	vcpu_load(vcpu);
	kvm_init_mmu(vcpu);
	vcpu_put(vcpu);
	return 0;
}

void kvm_arch_vcpu_postcreate(struct kvm_vcpu *vcpu) { }

void kvm_arch_vcpu_destroy(struct kvm_vcpu *vcpu)
{
	int idx;

	kvm_mmu_unload(vcpu);
	kvm_x86_call(vcpu_free)(vcpu);
	kfree(vcpu->arch.apic);
	idx = srcu_read_lock(&vcpu->kvm->srcu);
	kvm_mmu_destroy(vcpu);
	srcu_read_unlock(&vcpu->kvm->srcu, idx);
}

void kvm_arch_vcpu_load(struct kvm_vcpu *vcpu, int cpu)
{
	kvm_x86_call(vcpu_load)(vcpu, cpu);
	if (READ_ONCE(vcpu->cpu) != cpu)
		WRITE_ONCE(vcpu->cpu, cpu);
}

void kvm_arch_vcpu_put(struct kvm_vcpu *vcpu)
{
	WARN_ON(READ_ONCE(vcpu->mode) != OUTSIDE_GUEST_MODE);
	kvm_x86_call(vcpu_put)(vcpu);
}

static int alloc_metadata(struct kvm *kvm, struct kvm_memory_slot *slot)
{
	unsigned long npages = slot->npages, ugfn = slot->userspace_addr >> PAGE_SHIFT, pages, n, j;
	struct kvm_lpage_info *l;
	int i;

	memset(&slot->arch, 0, sizeof(slot->arch));
	for (i = 1; i < KVM_NR_PAGE_SIZES; i++) {
		pages = KVM_PAGES_PER_HPAGE(i + 1);
		n = gfn_to_index(slot->base_gfn + npages - 1, slot->base_gfn, i + 1) + 1;
		l = vcalloc(n, sizeof(*l));
		slot->arch.lpage_info[i - 1] = l;
		if (slot->base_gfn & (pages - 1))
			l[0].disallow_lpage = 1;
		if ((slot->base_gfn + npages) & (pages - 1))
			l[n - 1].disallow_lpage = 1;
		if ((slot->base_gfn ^ ugfn) & (pages - 1))
			for (j = 0; j < n; j++)
				l[j].disallow_lpage = 1;
	}
	kvm_mmu_init_memslot_memory_attributes(kvm, slot);
	return 0;
}

void kvm_arch_free_memslot(struct kvm *kvm, struct kvm_memory_slot *slot)
{
	int i;

	for (i = 1; i < KVM_NR_PAGE_SIZES; i++) {
		vfree(slot->arch.lpage_info[i - 1]);
		slot->arch.lpage_info[i - 1] = NULL;
	}
}

int kvm_arch_prepare_memory_region(struct kvm *kvm, const struct kvm_memory_slot *old,
				   struct kvm_memory_slot *new, enum kvm_mr_change change)
{
	if (change == KVM_MR_CREATE || change == KVM_MR_MOVE)
		return alloc_metadata(kvm, new);
	if (change == KVM_MR_FLAGS_ONLY)
		memcpy(&new->arch, &old->arch, sizeof(old->arch));
	return 0;
}

static void update_cpu_dirty_logging(struct kvm *kvm, bool enable)
{
	int nr;

	if (!kvm->arch.cpu_dirty_log_size)
		return;
	nr = atomic_read(&kvm->nr_memslots_dirty_logging);
	if ((enable && nr == 1) || !nr)
		kvm_make_all_cpus_request(kvm, KVM_REQ_UPDATE_CPU_DIRTY_LOGGING);
}

/* kvm_mmu_slot_apply_flags(), of a slot that stays where it is */
static void log_dirty(struct kvm *kvm, const struct kvm_memory_slot *new, bool on)
{
	if (!on) {
		kvm_mmu_recover_huge_pages(kvm, new);
		return;
	}
	if (kvm_dirty_log_manual_protect_and_init_set(kvm))
		return;
	if (READ_ONCE(eager_page_split))
		kvm_mmu_slot_try_split_huge_pages(kvm, new, PG_LEVEL_4K);
	if (kvm->arch.cpu_dirty_log_size) {
		kvm_mmu_slot_leaf_clear_dirty(kvm, new);
		kvm_mmu_slot_remove_write_access(kvm, new, PG_LEVEL_2M);
	} else {
		kvm_mmu_slot_remove_write_access(kvm, new, PG_LEVEL_4K);
	}
	kvm_flush_remote_tlbs_memslot(kvm, new);
}

void kvm_arch_commit_memory_region(struct kvm *kvm, struct kvm_memory_slot *old,
				   const struct kvm_memory_slot *new, enum kvm_mr_change change)
{
	u32 o = old ? old->flags : 0, n = new ? new->flags : 0;

	if ((o ^ n) & KVM_MEM_LOG_DIRTY_PAGES) {
		update_cpu_dirty_logging(kvm, n & KVM_MEM_LOG_DIRTY_PAGES);
		if (change == KVM_MR_FLAGS_ONLY)
			log_dirty(kvm, new, n & KVM_MEM_LOG_DIRTY_PAGES);
	}
	if (change == KVM_MR_MOVE)
		kvm_arch_free_memslot(kvm, old);
}

void kvm_arch_memslots_updated(struct kvm *kvm, u64 gen) { }

int ktree_vcpu_load_roots(void *v, unsigned long *shared_root)
{
	struct kvm_vcpu *vcpu = v;
	int r;

	/* as kvm_mmu_load(), but no LP has run it: nothing to tell the module or to flush */
	ksim_sc_kvm_x86_load_mmu_pgd = (void *)ksim_nothing;
	ksim_sc_kvm_x86_flush_tlb_current = (void *)ksim_nothing;
	r = kvm_mmu_load(vcpu);
	ksim_sc_kvm_x86_load_mmu_pgd = (void *)op_load_pgd;
	ksim_sc_kvm_x86_flush_tlb_current = (void *)op_flush_current;
	*shared_root = vcpu->arch.mmu->root.hpa;
	if (!ktree_is_td(vcpu->kvm))
		ktree_vmx_load_pgd(vcpu, vcpu->arch.mmu->root.hpa);
	return r;
}

/* --- what else the tree's files call of x86.c and its neighbours ---------------------------------- */

/*
 * Asked at each round of the local retry, after which cond_resched() may follow; and between two
 * parts of a MapGPA
 */
bool kvm_vcpu_has_events(struct kvm_vcpu *vcpu)
{
	if (ktree_is_td(vcpu->kvm) && ktree_in_seam(vcpu))
		ksim_may_retry(vcpu->kvm);
	return false;
}
int kvm_arch_vcpu_runnable(struct kvm_vcpu *vcpu) { return 1; }
bool kvm_arch_vcpu_in_kernel(struct kvm_vcpu *vcpu) { return true; }
int kvm_cpu_has_pending_timer(struct kvm_vcpu *vcpu) { return 0; }
bool kvm_gfn_is_write_tracked(struct kvm *kvm, const struct kvm_memory_slot *s, gfn_t gfn)
{
	return false;
}
bool kvm_page_track_write_tracking_enabled(struct kvm *kvm) { return false; }
void kvm_arch_sync_dirty_log(struct kvm *kvm, struct kvm_memory_slot *s)
{
	struct kvm_vcpu *vcpu;
	unsigned long i;

	if (!kvm->arch.cpu_dirty_log_size)
		return;
	kvm_for_each_vcpu(i, vcpu, kvm)
		kvm_vcpu_kick(vcpu);
}
bool guest_cpu_cap_has(struct kvm_vcpu *v, unsigned int f) { return false; }
bool guest_cpuid_is_amd_compatible(struct kvm_vcpu *v) { return false; }
int cpuid_maxphyaddr(struct kvm_vcpu *v) { return v->arch.maxphyaddr; }
int cpuid_query_maxguestphyaddr(struct kvm_vcpu *v) { return 0; }
unsigned int cpuid_eax(unsigned int op) { return 52; }
void vmx_vcpu_pi_load(struct kvm_vcpu *v, int cpu) { }
void vmx_vcpu_pi_put(struct kvm_vcpu *v) { }
int kvm_find_user_return_msr(u32 msr) { return 0; }
int kvm_set_user_return_msr(unsigned int slot, u64 v, u64 mask) { return 0; }
void kvm_user_return_msr_update_cache(unsigned int slot, u64 v);	/* until v6.18 */
void kvm_user_return_msr_update_cache(unsigned int slot, u64 v) { }
void kvm_eventfd_init(struct kvm *kvm) { }
bool kvm_vcpu_is_legal_gpa(struct kvm_vcpu *v, gpa_t gpa) { return true; }
bool kvm_vcpu_is_reset_bsp(struct kvm_vcpu *v) { return !v->vcpu_id; }
u32 kvm_lapic_get_reg(struct kvm_lapic *a, int r) { return 0; }
int kvm_async_pf_init(void) { return 0; }
void kvm_async_pf_deinit(void) { }
void kvm_async_pf_vcpu_init(struct kvm_vcpu *v) { }
bool kvm_can_do_async_pf(struct kvm_vcpu *v) { return false; }
int kvm_arch_vcpu_run_pid_change(struct kvm_vcpu *v) { return 0; }
bool e820__mapped_raw_any(u64 a, u64 b, int type) { return true; }

int kvm_arch_vm_ioctl(struct file *f, unsigned int nr, unsigned long arg)
{
	struct kvm *kvm = f->private_data;

	return nr == KVM_MEMORY_ENCRYPT_OP && ktree_is_td(kvm) ? tdx_vm_ioctl(kvm, (void *)arg) : -ENOTTY;
}

#ifdef VCPU_UNLOCKED_IOCTL
long kvm_arch_vcpu_unlocked_ioctl(struct file *f, unsigned int nr, unsigned long arg)
{
	struct kvm_vcpu *vcpu = f->private_data;

	if (nr != KVM_MEMORY_ENCRYPT_OP || !ktree_is_td(vcpu->kvm))
		return -ENOIOCTLCMD;
	return tdx_vcpu_unlocked_ioctl(vcpu, (void *)arg);
}
#else
/* Until v6.18: under vcpu->mutex, the vCPU loaded */
long kvm_arch_vcpu_ioctl(struct file *f, unsigned int nr, unsigned long arg)
{
	struct kvm_vcpu *vcpu = f->private_data;
	int r = -ENOTTY;

	vcpu_load(vcpu);
	if (nr == KVM_MEMORY_ENCRYPT_OP && ktree_is_td(vcpu->kvm))
		r = tdx_vcpu_ioctl(vcpu, (void *)arg);
	vcpu_put(vcpu);
	return r;
}
#endif

struct kvm_cpuid_entry2 *kvm_find_cpuid_entry2(struct kvm_cpuid_entry2 *e, int n, u32 f, u64 i)
{
	for (; n > 0; n--, e++)
		if (e->function == f)
			return e;
	return NULL;
}

int kvm_apic_set_base(struct kvm_vcpu *v, u64 base, bool host) { return 0; }

int kvm_arch_enable_virtualization_cpu(void) { return 0; }
void kvm_arch_enable_virtualization(void) { }
void kvm_arch_disable_virtualization(void) { }
void kvm_arch_disable_virtualization_cpu(void) { tdx_disable_virtualization_cpu(); }
void vmx_handle_nmi(struct kvm_vcpu *v) { }

/* HLT goes to user space: no virtual interrupt could end the wait (K5 of docs/model.md). */
int kvm_emulate_halt_noskip(struct kvm_vcpu *vcpu)
{
	vcpu->run->exit_reason = KVM_EXIT_HLT;
	return 0;
}

void kvm_prepare_unexpected_reason_exit(struct kvm_vcpu *vcpu, u64 exit_reason)
{
	ksim_unexpected_exit(vcpu->vcpu_id, exit_reason);
	vcpu->run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	vcpu->run->internal.suberror = KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON;
	vcpu->run->internal.ndata = 2;
	vcpu->run->internal.data[0] = exit_reason;
	vcpu->run->internal.data[1] = vcpu->arch.last_vmentry_cpu;
}

/* KVM knows none of the hypercalls that a guest program makes. */
int ____kvm_emulate_hypercall(struct kvm_vcpu *vcpu, int cpl,
			      int (*complete_hypercall)(struct kvm_vcpu *))
{
	return 1;
}

/*
 * MMIO of a TD: the entry that lets the guest have #VE is there now, and the instruction is run
 * again (vt_check_emulate_instruction()).
 */
int x86_emulate_instruction(struct kvm_vcpu *vcpu, gpa_t cr2_or_gpa, int type, void *insn, int len)
{
	if (ktree_is_td(vcpu->kvm))
		return 1;
	vcpu->run->exit_reason = KVM_EXIT_MMIO;	/* user space emulates the access, all of it */
	vcpu->run->mmio.phys_addr = cr2_or_gpa;
	return 0;
}
