/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * x86 around KVM: CPU features, MSRs, the APIC, and of arch/x86/kvm's own headers what the
 * shim's names (headers.txt) stand for.
 */
#include <uapi/asm/processor-flags.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/irq_vectors.h>
#include <asm/trapnr.h>
#define X86_PMC_IDX_MAX 64
#ifndef NCAPINTS
#define NCAPINTS 32
#endif
#define APIC_DEST_LOGICAL 0x800
#define APIC_DEST_PHYSICAL 0
#define APIC_DM_FIXED 0
#define APIC_DM_LOWEST 0x100
#define APIC_BASE_MSR 0x800
#define BAD_APICID 0xffffu
#define L1_CACHE_SHIFT 6
#define L1_CACHE_BYTES 64
#define HV_SYNIC_SINT_COUNT 16
#define HV_SYNIC_STIMER_COUNT 4
#define HV_MAX_SPARSE_VCPU_BANKS 64
union hv_stimer_config { u64 as_uint64; };
struct hv_message { u64 none; };
struct hv_vp_assist_page { u64 none; };
#define ALTERNATIVE(a, b, f) a
struct cpuinfo_x86 { u8 x86, x86_phys_bits, x86_cache_bits; int extended_cpuid_level; u32 x86_vfm; };
extern struct cpuinfo_x86 boot_cpu_data;
#define cpu_feature_enabled(f) ksim_feature(f)
#define boot_cpu_has(f) ksim_feature(f)
#define static_cpu_has(f) ksim_feature(f)
#define boot_cpu_has_bug(f) 0
#define this_cpu_has(f) ksim_feature(f)
#define cpu_has(c, f) ksim_feature(f)
#define X86_FEATURE_KSIM_NONE 0
static inline bool ksim_feature(unsigned int f)
{
	/* what TDX's bring-up asks for */
	return f == X86_FEATURE_TDX_HOST_PLATFORM || f == X86_FEATURE_MOVDIR64B ||
	       f == X86_FEATURE_SELFSNOOP || f == X86_FEATURE_OSXSAVE;
}
unsigned int cpuid_eax(unsigned int op);
unsigned int cpuid_ebx(unsigned int op);
#define rdmsrl(m, v) ((v) = 0)
#define rdmsrq(m, v) ((v) = 0)
#define wrmsrl(m, v) do {} while (0)
#define wrmsrq(m, v) do {} while (0)
#define rdmsrq_safe(m, p) (*(p) = 0, 0)
#define rdmsrl_safe(m, p) (*(p) = 0, 0)
#define native_rdmsrq(m) 0ull
#define rdmsr_safe(m, l, h) (*(l) = 0, *(h) = 0, 0)
struct msr { union { struct { u32 l, h; }; u64 q; }; };
#define wbinvd() do {} while (0)
#define wbinvd_on_all_cpus() do {} while (0)
#define clflush_cache_range(p, n) ksim_charge(KSIM_PAGE_CLFLUSH, ((n) + 4095) / 4096)
static inline void movdir64b(void *d, const void *s)
{
	if (!((unsigned long)d & 4095))		/* for all 64 of a page */
		ksim_charge(KSIM_PAGE_CLEAR, 1);
}
#define native_halt() do {} while (0)
#define read_cr4_none
#define cr4_read_shadow() X86_CR4_VMXE
#define KVM_SANITY_CHECK_VM_STRUCT_SIZE(x)
#define is_64bit_mm(mm) 1
#define current_save_fsgs() do {} while (0)
#define X2APIC_MSR(r) (APIC_BASE_MSR + ((r) >> 4))
#define MTRRphysBase_MSR(reg) (0x200 + 2 * (reg))
#define XFEATURE_MASK_XTILE (3ull << 17)
#define XFEATURE_MASK_CET_USER_NONE
#define XCR_XFEATURE_ENABLED_MASK 0
#define xsetbv(i, v) do {} while (0)
#define MCG_LMCE_P (1ULL << 27)
#define MCG_CTL_P (1ULL << 8)
#define MCG_EXT_CTL_LMCE_EN 1
#define KVM_MAX_MCE_BANKS 32
#define X86_MEMTYPE_NONE 0
#define INTEL_SAPPHIRERAPIDS_X 1
#define INTEL_EMERALDRAPIDS_X 2
#define pat_pfn_immune_to_uc_mtrr(p) false
#define pat_enabled() true
bool e820__mapped_raw_any(u64 a, u64 b, int type);
#define set_memory_none
#define SVM_MISC_ENABLE_GMET 0
struct hv_vmcb_enlightenments { u64 none[4]; };
extern bool cache_state_incoherent;

/* arch/x86/kvm/{x86,cpuid,kvm_emulate,kvm_cache_regs,smm,irq,lapic}.h */
struct kvm_lapic_none;
struct x86_exception {
	u8 vector;
	bool error_code_valid;
	u16 error_code;
	bool nested_page_fault;
	u64 address;
	u8 async_page_fault;
	unsigned long exit_qualification;
};
struct x86_emulate_ctxt;
struct x86_emulate_ops {
	int (*pio_in_emulated)(struct x86_emulate_ctxt *c, int size, unsigned short port, void *v,
			       unsigned int n);
	int (*pio_out_emulated)(struct x86_emulate_ctxt *c, int size, unsigned short port,
				const void *v, unsigned int n);
};
struct x86_emulate_ctxt { const struct x86_emulate_ops *ops; };
struct xstate_none;
#define X86EMUL_F_INVLPG 8
#define X86EMUL_F_MSR 0x20
#define X86EMUL_F_DT_LOAD 0x40
#define XFEATURE_MASK_USER_DYNAMIC 0ull
#define XFEATURE_MASK_XTILE_DATA (1ull << 18)
#define XFEATURE_MASK_XTILE_CFG (1ull << 17)
#define XFEATURE_MASK_BNDREGS 8ull
#define XFEATURE_MASK_BNDCSR 16ull
#define xstate_get_guest_group_perm() 0ull
#define indirect_branch_prediction_barrier() do {} while (0)
#define __is_canonical_address(a, b) true
u64 pvclock_scale_delta(u64 d, u32 mul, int shift);
#define wrpkru(v) do {} while (0)
#define fpstate_set_confidential(f) do {} while (0)
#define set_memory_encrypted(a, n) 0
#define set_memory_decrypted(a, n) 0
#define cpu_mitigations_off() false
#define setup_force_cpu_bug(b) do {} while (0)
#define setup_force_cpu_cap(b) do {} while (0)
#define hibernation_available() false
#define mce_is_memory_error(m) false
#define mce_usable_address(m) false
#define __feature_bit(f) (1u << ((f) & 31))
