/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The statuses that KVM tells apart. Numbers: arch/x86/kvm/vmx/tdx_errno.h,
 * asm/shared/tdx_errno.h; Intel's auto_gen/tdx_error_codes_defs.h has the same.
 */
#define TDX_STATUS_MASK			0xffffffff00000000ull
#define TDX_ERROR_BIT			(1ull << 63)
#define TDX_NON_RECOVERABLE_BIT		(1ull << 62)

#ifndef TDX_OPERAND_BUSY
#define TDX_OPERAND_BUSY		0x8000020000000000ull
#define TDX_VCPU_ASSOCIATED		0x8000070100000000ull
#define TDX_VCPU_NOT_ASSOCIATED		0x8000070200000000ull
#define TDX_INTERRUPTED_RESUMABLE	0x8000000300000000ull
#define TDX_INTERRUPTED_RESTARTABLE	0x8000000400000000ull
#define TDX_OPERAND_INVALID		0xc000010000000000ull
#define TDX_EPT_ENTRY_STATE_INCORRECT	0xc0000b0d00000000ull
#define TDX_FLUSHVP_NOT_DONE		0x8000082400000000ull
#define TDX_NO_HKID_READY_TO_WBCACHE	0x0000082100000000ull
#endif

/* operand ids in bits 31:0 */
#define TDX_OPERAND_ID_RCX		1ull
#define TDX_OPERAND_ID_SEPT_TREE	146ull
#define TDX_OPERAND_ID_TD_EPOCH		169ull
