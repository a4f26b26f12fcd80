// SPDX-License-Identifier: GPL-2.0-only
/*
 * TD_PARAMS: read from the VMM's memory, which may change meanwhile, a field at a time; checked
 * and put into the TDCS field by field, so that a failure leaves those before it. Of CPUID and
 * MSRs there is the check of the input alone, for a CPU that has all that can be had.
 * Source: TDX_1.5.01, api_calls/tdh_mng_init.c, helpers.c, virt_msr_helpers.c,
 * auto_gen/cpuid_configurations.c.
 */
#include <stddef.h>

#include "tdxmod/flow.h"
#include "tdxmod/td_params.h"

#define ATTRIBUTES_ALLOWED	(ATTRIBUTES_DEBUG | ATTRIBUTES_SEPT_VE_DISABLE |	\
				 ATTRIBUTES_MIGRATABLE | ATTRIBUTES_PKS | ATTRIBUTES_PERFMON)
#define XFAM_ALLOWED		0x6dbe7ull
#define CONFIG_FLAGS_ALLOWED	7ull
#define EPTP_WB			6u
#define PLATFORM_FMS		0x806f8u	/* family, model, stepping of the simulated CPU */

#define CPUID_NO_SUBLEAF	0xffffffffu

/* Configurable leaves in their order in TD_PARAMS; bits that may be 1 (directly configured or allowed) */
static const struct {
	u32 leaf, subleaf;
	u32 allowed[4];
} cpuids[TD_PARAMS_CPUIDS] = {
	{ 0x1, CPUID_NO_SUBLEAF, { 0x0fff3fff, 0x00ff0000, 0x31044d88, 0xb8440000 } },
	{ 0x4, 0, { 0xffffc3ff, 0xfffff000, 0xffffffff, 0xfffffffb } },
	{ 0x4, 1, { 0xffffc3ff, 0xfffff000, 0xffffffff, 0xfffffffb } },
	{ 0x4, 2, { 0xffffc3ff, 0xfffff000, 0xffffffff, 0xfffffffb } },
	{ 0x4, 3, { 0xffffc3ff, 0xfffff000, 0xffffffff, 0x00000007 } },
	{ 0x7, 0, { 0, 0xdc2b9b18, 0x02417f65, 0x0005411c } },
	{ 0x7, 1, { 0x00001d30, 0, 0, 0 } },
	{ 0xa, CPUID_NO_SUBLEAF, { 0, 0, 0, 0 } },
	{ 0x1c, CPUID_NO_SUBLEAF, { 0x000000ff, 0, 0, 0 } },
	{ 0x80000008, CPUID_NO_SUBLEAF, { 0, 0x00000200, 0, 0 } },
	{ 0x7, 2, { 0, 0, 0, 0x00000028 } },
	{ 0x23, 0, { 0x0000000f, 0, 0, 0 } },
};

enum { CPUID_VERSION = 0, CPUID_FEATURES = 5 };	/* of these */

#define CPUID_HLE	BIT_ULL(4)
#define CPUID_RTM	BIT_ULL(11)

/* SSB_NO, RRSBA, BHI_NO, PBRSB_NO */
#define ARCH_CAPABILITIES_ALLOWED	(BIT_ULL(4) | BIT_ULL(19) | BIT_ULL(20) | BIT_ULL(24))

static u64 invalid(enum operand_id operand)
{
	return status_operand(TDX_OPERAND_INVALID, operand);
}

/* Where the machine has no memory, all bits are 1 */
static u64 read_param(const struct td_params *p, u32 offset, u32 size)
{
	char *at;

	if (!p)
		return ~0ull >> (64 - 8 * size);
	at = (char *)p + offset;
	switch (size) {
	case 1:
		return mem_read8(at);
	case 2:
		return mem_read16(at);
	case 4:
		return mem_read32(at);
	default:
		return mem_read64(at);
	}
}

#define PARAM(p, field)	read_param(p, offsetof(struct td_params, field), sizeof((p)->field))

static u64 check_reserved(const struct td_params *p, u32 offset, u32 end)
{
	while (offset < end) {
		u32 size = offset % 4 ? 2 : offset % 8 ? 4 : 8;
		u64 v = read_param(p, offset, size);

		if (v)
			return invalid(OPERAND_RDX);
		offset += size;
	}
	return TDX_SUCCESS;
}

#define CHECK_RESERVED(p, field)							\
	check_reserved(p, offsetof(struct td_params, field),				\
		       offsetof(struct td_params, field) + sizeof((p)->field))

static bool attributes_valid(u64 a)
{
	if (a & ~ATTRIBUTES_ALLOWED)
		return false;
	return !(a & ATTRIBUTES_MIGRATABLE) || !(a & (ATTRIBUTES_DEBUG | ATTRIBUTES_PERFMON));
}

static bool both_or_none(u64 v, u32 a, u32 b)
{
	return (v >> a & 1) == (v >> b & 1);
}

/* AVX 2; AVX-512 5 to 7; CET 11, 12; AMX 17, 18 */
static bool xfam_valid(u64 x)
{
	if ((x & ~XFAM_ALLOWED) || (x & XFAM_FIXED1) != XFAM_FIXED1)
		return false;
	return (!(x & BIT_ULL(5)) || (x & BIT_ULL(2))) && both_or_none(x, 5, 6) &&
	       both_or_none(x, 5, 7) && both_or_none(x, 11, 12) && both_or_none(x, 17, 18);
}

static bool set_eptp(struct flow *f, u64 eptp, bool gpaw)
{
	u8 pwl = eptp >> 3 & 7;

	if ((eptp & 7) != EPTP_WB || pwl < LVL_PML4 || pwl > LVL_PML5 || eptp >> 6 ||
	    (gpaw && pwl < LVL_PML5))
		return false;
	world_set(f->tdcs->gpaw, gpaw);
	world_set(f->tdcs->pwl, pwl);
	world_set(f->tdcs->eptp, f->tdr->tdcx_pa[TDCX_SEPT_ROOT]);
	return true;
}

static u64 set_limits(struct flow *f, const struct td_params *p)
{
	struct tdcs *tdcs = f->tdcs;
	u8 num_l2_vms, num_tdcx;
	u16 max_vcpus;
	u64 v;

	v = PARAM(p, attributes);
	if (!attributes_valid(v))
		return invalid(OPERAND_ATTRIBUTES);
	world_set(tdcs->attributes, v);
	world_set(tdcs->pending_ve_disable, !!(v & ATTRIBUTES_SEPT_VE_DISABLE));
	v = PARAM(p, xfam);
	if (!xfam_valid(v))
		return invalid(OPERAND_XFAM);
	world_set(tdcs->xfam, v);
	max_vcpus = PARAM(p, max_vcpus);
	if (!max_vcpus)
		return invalid(OPERAND_MAX_VCPUS);
	world_set(tdcs->max_vcpus, max_vcpus);
	num_l2_vms = PARAM(p, num_l2_vms);
	if (num_l2_vms > L2_VMS_MAX)
		return invalid(OPERAND_NUM_L2_VMS);
	num_tdcx = mem_read8(&f->tdr->num_tdcx);
	if (num_tdcx < TDCX_PAGES + num_l2_vms)
		return TDX_TDCS_NOT_ALLOCATED;
	world_set(tdcs->num_l2_vms, num_l2_vms);
	return CHECK_RESERVED(p, reserved0);
}

static u64 set_controls(struct flow *f, const struct td_params *p)
{
	struct tdcs *tdcs = f->tdcs;
	u64 flags, eptp;
	u16 freq;

	flags = PARAM(p, config_flags);
	if (flags & ~CONFIG_FLAGS_ALLOWED)
		return invalid(OPERAND_EXEC_CONTROLS);
	eptp = PARAM(p, eptp_controls);
	if (!set_eptp(f, eptp, flags & CONFIG_FLAGS_GPAW))
		return invalid(OPERAND_EPTP_CONTROLS);
	world_set(tdcs->config_flags, flags);
	freq = PARAM(p, tsc_frequency);
	if (freq < 4 || freq > 400)
		return invalid(OPERAND_TSC_FREQUENCY);
	world_set(tdcs->tsc_frequency, freq);
	world_set(tdcs->tsc_multiplier, tsc_multiplier(freq));
	return CHECK_RESERVED(p, reserved1);
}

static u64 check_msr_config(const struct td_params *p)
{
	u8 ctls = PARAM(p, msr_config_ctls);

	if (ctls & ~1u)
		return invalid(OPERAND_RDX);
	return CHECK_RESERVED(p, reserved2);
}

/* @reg: the leaf's four; RCX tells which leaf it was, but for what only fits together */
static u64 check_cpuid(struct flow *f, u32 i, const u32 reg[4])
{
	for (u32 k = 0; k < 4; k++) {
		if (!(reg[k] & ~cpuids[i].allowed[k]))
			continue;
		f->r->rcx = cpuids[i].leaf | (u64)cpuids[i].subleaf << 32;
		return invalid(OPERAND_CPUID_CONFIG);
	}
	if (i == CPUID_VERSION && reg[0] && reg[0] != PLATFORM_FMS) {
		if (f->tdcs->attributes & ATTRIBUTES_MIGRATABLE)
			return TDX_SUCCESS;	/* older ones too; no migration here */
		f->r->rcx = cpuids[i].leaf | (u64)cpuids[i].subleaf << 32;
		return invalid(OPERAND_CPUID_CONFIG);
	}
	if (i == CPUID_FEATURES && !(reg[1] & CPUID_HLE) != !(reg[1] & CPUID_RTM))
		return invalid(OPERAND_CPUID_CONFIG);
	return TDX_SUCCESS;
}

static u64 check_cpuids(struct flow *f, const struct td_params *p)
{
	for (u32 i = 0; i < TD_PARAMS_CPUIDS; i++) {
		u32 at = offsetof(struct td_params, cpuid) + 16 * i, reg[4];
		u64 err, low, high;

		low = read_param(p, at, 8);
		high = read_param(p, at + 8, 8);
		reg[0] = (u32)low;
		reg[1] = (u32)(low >> 32);
		reg[2] = (u32)high;
		reg[3] = (u32)(high >> 32);
		err = check_cpuid(f, i, reg);
		if (err)
			return err;
	}
	return CHECK_RESERVED(p, reserved3);
}

static u64 check_arch_capabilities(const struct td_params *p)
{
	u8 ctls = PARAM(p, msr_config_ctls);
	u64 v = PARAM(p, arch_capabilities);

	if ((!(ctls & 1) && v) || (v & ~ARCH_CAPABILITIES_ALLOWED))
		return invalid(OPERAND_IA32_ARCH_CAPABILITIES_CONFIG);
	return TDX_SUCCESS;
}

u64 td_params_take(struct flow *f, u64 hpa)
{
	u64 pa = hpa & ~HKID_MASK, err;
	const struct td_params *p = module_phys(f->mod, pa) ? phys_to_ptr(pa) : NULL;

	if ((err = set_limits(f, p)) ||
	    (err = set_controls(f, p)) ||
	    (err = check_msr_config(p)) ||
	    (err = check_cpuids(f, p)) ||
	    (err = check_arch_capabilities(p)))
		return err;
	/* td_immutable_state_cross_check() */
	if ((f->tdcs->attributes & ATTRIBUTES_MIGRATABLE) && f->tdcs->num_l2_vms)
		return invalid(OPERAND_RDX);
	return TDX_SUCCESS;
}
