// SPDX-License-Identifier: GPL-2.0-only
/*
 * arch/x86/kvm/vmx/tdx.c whole, and what needs its statics: what the ioctls that build a TD
 * leave, for TDs that are there from the start.
 */
#ifdef HAVE_MAP_PRIVATE
#define kvm_tdp_mmu_map_private_pfn ktree_seam_map_private
#else
#include <linux/kvm_host.h>
/* The only callback of kvm_gmem_populate(); ours, below, calls the tree's. */
#define kvm_gmem_populate(kvm, gfn, src, n, fn, arg) \
	kvm_gmem_populate(kvm, gfn, src, n, ktree_seam_populate, arg)
static int ktree_seam_populate(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn, void __user *src, int order,
			       void *arg);
#endif
#include "vmx/tdx.c"
#include "kvmmmu/kernel/glue.h"

#ifdef HAVE_MAP_PRIVATE
#undef kvm_tdp_mmu_map_private_pfn
__typeof__(ktree_seam_map_private) kvm_tdp_mmu_map_private_pfn;

int ktree_seam_map_private(struct kvm_vcpu *vcpu, gfn_t gfn, kvm_pfn_t pfn)
{
	ktree_loop_at(gfn);
	return kvm_tdp_mmu_map_private_pfn(vcpu, gfn, pfn);
}
#else
/*
 * Until v6.18 the mirror is mapped first, and the page added then: between the two the sides differ
 * by design, and nobody is quiescent at the gfn.
 */
static int ktree_seam_populate(struct kvm *kvm, gfn_t gfn, kvm_pfn_t pfn, void __user *src, int order,
			       void *arg)
{
	int r;

	ktree_loop_at(gfn);
	ksim_own(kvm, gfn, 1, 1);
	r = tdx_gmem_post_populate(kvm, gfn, pfn, src, order, arg);
	ksim_own(kvm, gfn, 1, 0);
	return r;
}
#endif

unsigned int ktree_tdx_vm_size(void) { return sizeof(struct kvm_tdx); }
unsigned int ktree_tdx_vcpu_size(void) { return sizeof(struct vcpu_tdx); }

extern struct kvm_x86_ops kvm_x86_ops;

/* The seam to the mirror: who calls it owns the gfns, until the mirror tells what came of it. */
#ifdef REMOVE_EXTERNAL_PFN
/* Until v6.19 a call for each thing that may happen to an entry; on removal it is stored before. */
static int set_external(struct kvm *kvm, gfn_t gfn, enum pg_level level, kvm_pfn_t pfn)
{
	int r;

	ksim_own(kvm, gfn, level, 1);
	r = tdx_sept_set_private_spte(kvm, gfn, level, pfn);
	ksim_own(kvm, gfn, level, 2);
	return r;
}

static int link_external(struct kvm *kvm, gfn_t gfn, enum pg_level level, void *external_spt)
{
	int r;

	ksim_own(kvm, gfn, level, 1);
	r = tdx_sept_link_private_spt(kvm, gfn, level, external_spt);
	ksim_own(kvm, gfn, level, 2);
	return r;
}

static int remove_external(struct kvm *kvm, gfn_t gfn, enum pg_level level, kvm_pfn_t pfn)
{
	int r;

	ksim_own(kvm, gfn, level, 1);
	ksim_call_event("tdx_sept_remove_private_spte", gfn);
	r = tdx_sept_remove_private_spte(kvm, gfn, level, pfn);
	if (!r)			/* K23, as below */
		ksim_charge(KSIM_ZAP_CODE, 1);
	ksim_return_event("tdx_sept_remove_private_spte", gfn, r);
	ksim_own(kvm, gfn, level, 0);
	return r;
}

static int free_external(struct kvm *kvm, gfn_t gfn, enum pg_level level, void *external_spt)
{
	int r;

	ksim_own(kvm, gfn, level + 1, 1);
	r = tdx_sept_free_private_spt(kvm, gfn, level, external_spt);
	ksim_own(kvm, gfn, level + 1, 0);
	return r;
}
#else
static int set_external(struct kvm *kvm, gfn_t gfn, u64 old_spte, u64 new_spte, enum pg_level level)
{
	int r;

	ksim_own(kvm, gfn, level, 1);
	if (is_shadow_present_pte(old_spte))
		ksim_call_event("tdx_sept_remove_leaf_spte", gfn);
	r = tdx_sept_set_private_spte(kvm, gfn, old_spte, new_spte, level);
	if (is_shadow_present_pte(old_spte)) {
		if (!r)		/* what the walk, the truncation and the free cost beyond their steps (K23) */
			ksim_charge(KSIM_ZAP_CODE, 1);
		ksim_return_event("tdx_sept_remove_leaf_spte", gfn, r);
	}
	if (!is_frozen_spte(new_spte))	/* else its table goes, and who takes it has it */
		ksim_own(kvm, gfn, level, is_shadow_present_pte(old_spte) ? 0 : 2);
	return r;
}

static void free_external(struct kvm *kvm, struct kvm_mmu_page *sp)
{
	ksim_own(kvm, sp->gfn, sp->role.level + 1, 1);
	tdx_sept_free_private_spt(kvm, sp);
	ksim_own(kvm, sp->gfn, sp->role.level + 1, 0);
}
#endif

#define HOOK(op, fn) do {						\
	extern __typeof__(*((struct kvm_x86_ops *)0)->op) *ksim_sc_kvm_x86_##op;	\
									\
	ksim_sc_kvm_x86_##op = (fn);					\
} while (0)

int tdx_hooks(void);
int tdx_hooks(void)
{
	HOOK(set_external_spte, set_external);
	HOOK(free_external_spt, free_external);
#ifdef REMOVE_EXTERNAL_PFN
	HOOK(link_external_spt, link_external);
	HOOK(remove_external_spte, remove_external);
#endif
	return 0;
}

/* Without accessed and dirty bits the tree gives TDX up, and has other VMs. */
int ktree_boot_tdx(void)
{
	int r;

	enable_tdx = true;
#ifdef TDX_HARDWARE_SETUP
	r = tdx_hardware_setup();
#else
	r = tdx_bringup();
#endif
	return r ? r : enable_tdx || !enable_ept_ad_bits ? 0 : -ENODEV;
}

void ktree_vm_built(void *k, const struct ktree_built *b)
{
	struct kvm_tdx *t = to_kvm_tdx(k);
	unsigned int i;

	t->hkid = b->hkid;
	t->td.tdr_page = pfn_to_page(b->tdr >> PAGE_SHIFT);
	t->td.tdcs_nr_pages = b->tdcs_nr;
	t->td.tdcx_nr_pages = tdx_sysinfo->td_ctrl.tdvps_base_size / PAGE_SIZE - 1;
	t->td.tdcs_pages = kcalloc(b->tdcs_nr, sizeof(struct page *), 0);
	for (i = 0; i < b->tdcs_nr; i++)
		t->td.tdcs_pages[i] = pfn_to_page(b->tdcs[i] >> PAGE_SHIFT);
	t->kvm.arch.gfn_direct_bits = b->levels == 5 ? TDX_SHARED_BIT_PWL_5 : TDX_SHARED_BIT_PWL_4;
	t->state = TD_STATE_INITIALIZED;
	t->tsc_multiplier = 1ull << 48;
}

void ktree_vm_runnable(void *k)
{
	struct kvm_tdx *t = to_kvm_tdx(k);

	t->state = TD_STATE_RUNNABLE;
	t->kvm.arch.pre_fault_allowed = true;
}

void ktree_vcpu_built(void *v, unsigned long tdvpr, const unsigned long *tdcx, unsigned int n)
{
	struct vcpu_tdx *t = to_tdx(v);
	unsigned int i;

	t->vp.tdvpr_page = pfn_to_page(tdvpr >> PAGE_SHIFT);
#ifdef HAVE_TDVPR_PA
	t->vp.tdvpr_pa = tdvpr;
#endif
	t->vp.tdcx_pages = kcalloc(n, sizeof(struct page *), 0);
	for (i = 0; i < n; i++)
		t->vp.tdcx_pages[i] = pfn_to_page(tdcx[i] >> PAGE_SHIFT);
	t->state = VCPU_TD_STATE_INITIALIZED;
	t->vcpu.arch.mp_state = KVM_MP_STATE_RUNNABLE;
}

/* KVM_CREATE_VCPU loaded it, on the root's LP, and no SEAMCALL has been made: on none. */
void ktree_vcpu_unload(void *v)
{
	struct kvm_vcpu *vcpu = v;

	if (vcpu->cpu == -1)
		return;
	if (vcpu->kvm->arch.vm_type != KVM_X86_TDX_VM) {
		ktree_vmx_unload(vcpu);
		return;
	}
	list_del(&to_tdx(vcpu)->cpu_list);
	vcpu->cpu = -1;
}

/* The tracepoint at the head of tdx_handle_ept_violation() */
void ktrace_kvm_page_fault(struct kvm_vcpu *vcpu, u64 fault_address, u64 error_code)
{
	if (!vt_is_tdx_private_gpa(vcpu->kvm, fault_address))
		return;
	ksim_call_event("tdx_handle_ept_violation", fault_address >> PAGE_SHIFT);
	ksim_try_fault(vcpu->kvm);
	to_tdx(vcpu)->vt.emulation_required = true;	/* unused for a TD: a seam has begun */
}

bool ktree_in_seam(struct kvm_vcpu *vcpu)
{
	return to_tdx(vcpu)->vt.emulation_required;
}

void ktree_seam_end(struct kvm_vcpu *vcpu, int ret)
{
	struct vcpu_tdx *t = to_tdx(vcpu);

	if (!ktree_in_seam(vcpu))
		return;
	t->vt.emulation_required = false;
	ksim_return_event("tdx_handle_ept_violation", t->exit_gpa >> PAGE_SHIFT, ret);
}

int ktree_td_fault(struct kvm_vcpu *vcpu, unsigned long gfn, int is_shared)
{
	struct vcpu_tdx *t = to_tdx(vcpu);
	int r;

	t->exit_gpa = gfn << PAGE_SHIFT;
	if (is_shared)
		t->exit_gpa |= gfn_to_gpa(vcpu->kvm->arch.gfn_direct_bits);
	t->ext_exit_qualification = 0;
	t->vt.exit_qualification = EPT_VIOLATION_ACC_WRITE;
	r = tdx_handle_ept_violation(vcpu);
	ktree_seam_end(vcpu, r);
	return r;
}

void ktree_track(void *kvm)
{
	write_lock(&((struct kvm *)kvm)->mmu_lock);
	tdx_track(kvm);
	write_unlock(&((struct kvm *)kvm)->mmu_lock);
}

void ktree_release_hkid(void *kvm) { tdx_mmu_release_hkid(kvm); }

unsigned long ktree_peek_tdr(void *k)
{
	struct kvm_tdx *t = to_kvm_tdx(k);

	return t->kvm.arch.vm_type == KVM_X86_TDX_VM && t->td.tdr_page ? page_to_phys(t->td.tdr_page) : 0;
}

int ktree_hkid_alloc(void) { return tdx_guest_keyid_alloc(); }
int ktree_pi_vector(void) { return POSTED_INTR_VECTOR; }

void ktree_td_check_end(struct kvm *kvm)
{
	if (to_kvm_tdx(kvm)->wait_for_sept_zap)
		ksim_warn("the entry gate was left up", __FILE__, __LINE__);
}

int ktree_peek_gate(void *kvm) { return to_kvm_tdx(kvm)->wait_for_sept_zap; }

void ktree_td_regions(struct kvm *kvm)
{
	struct kvm_tdx *t = to_kvm_tdx(kvm);

	ksim_region(kvm, KSIM_GATE, &t->wait_for_sept_zap, sizeof(t->wait_for_sept_zap), 1, 0, 1, 0);
	ksim_region(kvm, KSIM_TD_STATE, &t->state, sizeof(t->state), 1, 0, 1, 0);
	ksim_region(kvm, KSIM_HKID, &t->hkid, sizeof(t->hkid), 1, 0, 1, 0);
}

void ktree_td_vcpu_regions(struct kvm_vcpu *vcpu)
{
	struct vcpu_tdx *t = to_tdx(vcpu);

	ksim_region(vcpu->kvm, KSIM_CPU_LIST, &t->cpu_list.next, 8, 1, vcpu->vcpu_id, 1, 0);
	ksim_region(vcpu->kvm, KSIM_TDX_STATE, &t->state, 4, 1, vcpu->vcpu_id, 1, 0);
}

int ktree_vm_op(void *kvm, void *cmd);
int ktree_vcpu_op(void *vcpu, void *cmd);

int ktree_init_vm(void *kvm, int levels, int pending_ve_disable)
{
	struct {
		struct kvm_tdx_init_vm vm;
		struct kvm_cpuid_entry2 entry;
	} u = { 0 };
	struct kvm_tdx_cmd cmd = { .id = KVM_TDX_INIT_VM, .data = (unsigned long)&u };

	u.vm.xfam = 3;
	u.vm.attributes = pending_ve_disable ? TDX_TD_ATTR_SEPT_VE_DISABLE : 0;
	u.vm.cpuid.nent = 1;
	u.entry.function = 0x80000008;
	u.entry.eax = (levels == 5 ? 52 : 48) << 16;
	return ktree_vm_op(kvm, &cmd);
}

int ktree_finalize(void *kvm)
{
	struct kvm_tdx_cmd cmd = { .id = KVM_TDX_FINALIZE_VM };

	return ktree_vm_op(kvm, &cmd);
}

int ktree_init_vcpu(void *vcpu)
{
	struct kvm_tdx_cmd cmd = { .id = KVM_TDX_INIT_VCPU };

	return ktree_vcpu_op(vcpu, &cmd);
}

int ktree_build(void *vcpu, unsigned long start, unsigned long end)
{
	struct kvm_tdx_init_mem_region r = {
		.source_addr = KSIM_SOURCE, .gpa = start << PAGE_SHIFT, .nr_pages = end - start,
	};
	struct kvm_tdx_cmd cmd = { .id = KVM_TDX_INIT_MEM_REGION,
				   .flags = KVM_TDX_MEASURE_MEMORY_REGION, .data = (unsigned long)&r };

	return ktree_vcpu_op(vcpu, &cmd);
}

unsigned long ktree_peek_tdvpr(void *v)
{
#ifdef HAVE_TDVPR_PA
	return to_tdx(v)->vp.tdvpr_pa;
#else
	return to_tdx(v)->vp.tdvpr_page ? page_to_phys(to_tdx(v)->vp.tdvpr_page) : 0;
#endif
}
