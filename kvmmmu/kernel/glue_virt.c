// SPDX-License-Identifier: GPL-2.0-only
/*
 * arch/x86/virt/vmx/tdx/tdx.c whole. The seam to the module is its own: __seamcall*(). What the
 * host's boot leaves is set here: bring-up (TDH.SYS.*) is not modelled.
 */
#include "tdx/tdx.c"
#include "kvmmmu/kernel/glue.h"

u64 __seamcall(u64 fn, struct tdx_module_args *args)
{
	struct tdx_module_args a = *args;

	return ksim_seamcall(fn, (unsigned long *)&a);
}

u64 __seamcall_ret(u64 fn, struct tdx_module_args *args)
{
	return ksim_seamcall(fn, (unsigned long *)args);
}

u64 __seamcall_saved_ret(u64 fn, struct tdx_module_args *args)
{
	return ksim_seamcall(fn, (unsigned long *)args);
}

#define FIRST_HKID	33	/* 32 is the module's own */
#define HKIDS		31

int ktree_boot_virt(void)
{
#ifdef TDX_MODULE_STATUS
	tdx_module_status = TDX_MODULE_INITIALIZED;
#else
	tdx_module_state.initialized = true;
	tdx_module_state.sysinit_done = true;
#endif
	tdx_global_keyid = FIRST_HKID - 1;
	tdx_guest_keyid_start = FIRST_HKID;
	tdx_nr_guest_keyids = HKIDS;
	tdx_sysinfo.features.tdx_features0 = 1ull << 20 | 1ull << 18;
	tdx_sysinfo.td_ctrl.tdr_base_size = PAGE_SIZE;
	tdx_sysinfo.td_ctrl.tdcs_base_size = 6 * PAGE_SIZE;
	tdx_sysinfo.td_ctrl.tdvps_base_size = 6 * PAGE_SIZE;
	tdx_sysinfo.td_conf.attributes_fixed0 = ~0ull;
	tdx_sysinfo.td_conf.xfam_fixed0 = ~0ull;
	tdx_sysinfo.td_conf.xfam_fixed1 = 3;
	tdx_sysinfo.td_conf.max_vcpus_per_td = 576;
	/* one leaf is configurable: that in which user space says how wide a gpa is */
	tdx_sysinfo.td_conf.num_cpuid_config = 1;
	tdx_sysinfo.td_conf.cpuid_config_leaves[0] = 0xffffffff80000008ull;
	return 0;
}
