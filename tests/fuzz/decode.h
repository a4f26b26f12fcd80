/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/* The bytes of a record as what the VMM or the guest does. */
#include <stdint.h>

#include "sim/engine/types.h"
#include "tdxmod/guest.h"
#include "tdxmod/seamcall.h"

enum { VCPUS = 3, INSNS = 8, RECORD = 8 /* bytes */ };

/* The free page n is at FREE + n * 4K; the first 2M pages behind it are free as a whole */
#define FREE	0x200000ull
#define LARGE	0x400000ull
/* A TD and a vCPU that are not built to their end, and TD_PARAMS, four of them */
#define HALF_TD		0x180000ull
#define HALF_VCPU	0x190000ull
#define PARAMS		0x1f0000ull

struct fuzz_known {		/* what was built, and records name more often than not */
	u64 tdr[3], tdvpr[VCPUS + 1];	/* the last TD has no TDCS yet */
};

u64 decode_gpa(u8 b);
u64 decode_hpa(const struct fuzz_known *k, u8 b);

/* decode_seamcall - each register as its leaf reads it */
void decode_seamcall(const struct fuzz_known *k, const uint8_t *p, struct tdx_regs *r);

/* decode_insn - one more instruction for the program @g, in @insn: room for INSNS */
void decode_insn(const struct fuzz_known *k, const uint8_t *p, struct guest_insn *insn,
		 struct guest_program *g);
