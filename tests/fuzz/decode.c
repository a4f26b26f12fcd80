// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the bytes of a record mean: most pick from what is nearly right, since registers that
 * mean nothing would all end at the first check.
 */
#include "tests/fuzz/decode.h"

#include "sim/engine/arena.h"
#include "tdxmod/build.h"
#include "tdxmod/leaf.h"
#include "tdxmod/metadata.h"
#include "tdxmod/module.h"
#include "tdxmod/observe.h"

u64 decode_gpa(u8 b)
{
	static const u64 near[] = {
		0, 0x1000, 0x2000, 0x1ff000, 0x200000, 0x201000, 0x40000000, 0x8000000000,
		0xffffffff000, 1ull << 47, 1ull << 51, 0x7ffffffff000,
	};

	if (b >= 0xf0)
		return 0x1111111111111111ull * (b & 15);
	/* Half of them in the first two pages, where actors meet */
	return b & 1 ? near[b >> 1 & 1] : near[(b >> 1) % ARRAY_SIZE(near)];
}

u64 decode_hpa(const struct fuzz_known *k, u8 b)
{
	const u64 fixed[] = {
		k->tdr[0], k->tdr[1], k->tdvpr[0], k->tdvpr[1], k->tdvpr[2], k->tdvpr[3], 0,
		0x2000, 0x5000, world_phys_size() - 0x1000, world_phys_size(),
		SEAMRR_BASE, SEAMRR_BASE - 0x1000, PA_LIMIT - 0x1000, PA_LIMIT, NULL_PA,
		FREE | 33ull << HKID_SHIFT, FREE | 3ull << HKID_SHIFT, FREE | 0x80, 1ull << 63,
		0x40000000, 0x3ffff000, 0x100000, 0x101000, 0x102000, 0x103000, HALF_TD,
		HALF_TD + 0x1000, HALF_VCPU, HALF_VCPU + 0x1000, PARAMS, PARAMS + TD_PARAMS_SIZE,
	};

	if (b < 0x60)
		return FREE + (u64)(b & 31) * 0x1000;
	if (b < 0x80)
		return LARGE + (u64)(b & 3) * 0x200000;
	if (b < 0x88)
		return LARGE + (u64)(b & 7) * 0x1000;
	return fixed[(b - 0x88) % ARRAY_SIZE(fixed)];
}

static u64 tdr_of(const struct fuzz_known *k, u8 b)
{
	return b < 0xc0 ? k->tdr[0] : b < 0xe0 ? k->tdr[1 + (b & 1)] : decode_hpa(k, b << 3);
}

/* Of the leaves that build: more often the TD that is to be built */
static u64 new_tdr_of(const struct fuzz_known *k, u8 b)
{
	return b < 0x80 ? k->tdr[2] : tdr_of(k, b);
}

static u64 tdvpr_of(const struct fuzz_known *k, u8 b)
{
	return b < 0x40 ? HALF_VCPU : b < 0xe0 ? k->tdvpr[b & 3] : decode_hpa(k, b << 3);
}

/* A field's id: of a class that there is, or nearly; of the TD or the vCPU */
static u64 field_of(u8 a, u8 b)
{
	static const u64 first[] = {
		0x8010000300000000, 0x8110000000000000, 0x9010000200000000, 0x9110000300000010,
		0x1110000300000000, 0x9810000000000000, 0x8910000300000000, 0x9410000300000000,
		0x1010000300000000, 0x1510000300000000, 0x0024000100000000, 0x0024000300002000,
		0x0024000200004000, 0x0024000300006000, 0x9120000300000100, 0xa020000300000000,
		0x2020000000000000, 0x1020000300000000, 0x1220000300000000, 0x1320000300000000,
	};

	if (a >= 0xf8)
		return a & 1 ? MD_FIELD_NONE : 0;
	return first[a % ARRAY_SIZE(first)] + b + ((u64)(a >= 0xe0) << (b & 63));
}

static u64 leaf_number(const uint8_t *p)
{
	static const u8 modelled[] = {
		TDH_VP_ENTER, TDH_MEM_PAGE_ADD, TDH_MEM_SEPT_ADD, TDH_MEM_PAGE_AUG,
		TDH_MEM_RANGE_BLOCK, TDH_MEM_PAGE_DEMOTE, TDH_MR_FINALIZE, TDH_VP_FLUSH,
		TDH_MNG_VPFLUSHDONE, TDH_MNG_KEY_FREEID, TDH_MEM_PAGE_PROMOTE, TDH_MEM_SEPT_RD,
		TDH_PHYMEM_PAGE_RECLAIM, TDH_MEM_PAGE_REMOVE, TDH_MEM_SEPT_REMOVE, TDH_MEM_TRACK,
		TDH_MEM_RANGE_UNBLOCK, TDH_PHYMEM_CACHE_WB, TDH_PHYMEM_PAGE_WBINVD,
		TDH_MEM_PAGE_RELOCATE, TDH_MEM_RD, TDH_MEM_WR, TDH_PHYMEM_PAGE_RDMD,
		TDH_SERVTD_BIND, TDH_SERVTD_PREBIND,
		TDH_MNG_CREATE, TDH_MNG_KEY_CONFIG, TDH_MNG_ADDCX, TDH_MNG_INIT, TDH_MNG_RD,
		TDH_MNG_WR, TDH_MNG_KEY_RECLAIMID, TDH_MR_EXTEND, TDH_VP_CREATE, TDH_VP_ADDCX,
		TDH_VP_INIT, TDH_VP_RD, TDH_VP_WR,
	};
	u64 version = p[6] & 0xf0 ? 0 : p[6] & 3;

	if (p[1] >= 0xf8)
		return (u64)p[2] << (p[1] & 7) * 8 | p[3];
	if (p[1] >= 0xe8)
		return p[2];
	return modelled[p[1] % ARRAY_SIZE(modelled)] | version << 16;
}

static void field(const uint8_t *p, struct tdx_regs *r)
{
	r->rdx = field_of(p[3], p[4]);
	r->r8 = p[5] < 0x80 ? p[5] & 1 : (u64)p[5] << (p[6] & 63);
	r->r9 = p[7] & 1 ? ~0ull : p[7] & 2 ? 1 : (u64)p[7] << (p[6] & 63);
}

/* Each register as its leaf reads it */
void decode_seamcall(const struct fuzz_known *k, const uint8_t *p, struct tdx_regs *r)
{
	u64 gpa = decode_gpa(p[2]) | (p[3] < 0xe0 ? p[3] & 3 : p[3]);

	*r = (struct tdx_regs){
		.rax = leaf_number(p), .rdx = tdr_of(k, p[4]), .r8 = decode_hpa(k, p[5]),
		.r9 = p[7] & 1 ? decode_hpa(k, p[6]) : NULL_PA, .r10 = NULL_PA, .r11 = NULL_PA,
	};
	switch (r->rax & 0xffff) {
	case TDH_VP_ENTER:
	case TDH_VP_FLUSH:
		r->rcx = p[2] < 0xe0 ? k->tdvpr[p[2] & 3] : decode_hpa(k, p[5]);
		r->rcx |= p[3] >= 0xe0 ? (u64)(p[3] & 15) << 51 : 0;
		break;
	case TDH_VP_INIT:
		r->rcx = tdvpr_of(k, p[2]);
		r->r8 = p[4] & 3;
		break;
	case TDH_VP_RD:
	case TDH_VP_WR:
		r->rcx = tdvpr_of(k, p[2]);
		field(p, r);
		break;
	case TDH_MNG_RD:
	case TDH_MNG_WR:
		r->rcx = tdr_of(k, p[2]);
		field(p, r);
		break;
	case TDH_MNG_CREATE:
		r->rcx = r->r8;
		r->rdx = p[2] < 0xf0 ? MODULE_HKID + p[2] % 8 : (u64)p[3] << p[2] % 16 * 4;
		break;
	case TDH_MNG_ADDCX:
	case TDH_VP_CREATE:
		r->rcx = r->r8;
		r->rdx = new_tdr_of(k, p[2]);
		break;
	case TDH_VP_ADDCX:
		r->rcx = r->r8;
		r->rdx = tdvpr_of(k, p[2]);
		break;
	case TDH_MNG_INIT:
		r->rcx = new_tdr_of(k, p[2]);
		r->rdx = p[3] < 0xf0 ? PARAMS + (p[3] & 3) * TD_PARAMS_SIZE : decode_hpa(k, p[3]);
		break;
	case TDH_MR_EXTEND:
		r->rcx = decode_gpa(p[2]) | (u64)(p[3] & 31) << 7;
		break;
	case TDH_MNG_VPFLUSHDONE:
	case TDH_MNG_KEY_CONFIG:
		r->rcx = new_tdr_of(k, p[2]);
		break;
	case TDH_MNG_KEY_FREEID:
	case TDH_MNG_KEY_RECLAIMID:
	case TDH_MEM_TRACK:
	case TDH_MR_FINALIZE:
		r->rcx = r->rdx;
		break;
	case TDH_PHYMEM_CACHE_WB:
		r->rcx = p[2] < 0xf0 ? p[2] & 1 : p[2];
		break;
	case TDH_PHYMEM_PAGE_RECLAIM:
	case TDH_PHYMEM_PAGE_WBINVD:
	case TDH_PHYMEM_PAGE_RDMD:
		r->rcx = r->r8;
		break;
	case TDH_MEM_RD:
	case TDH_MEM_WR:
		r->rcx = decode_gpa(p[2]) | (p[3] & 0xe0 ? p[3] & 0x18 : p[3]);
		break;
	case TDH_SERVTD_BIND:
	case TDH_SERVTD_PREBIND:	/* the second TD for the first, mostly */
		r->rcx = r->rdx;
		r->rdx = p[2] < 0xc0 ? k->tdr[1] : decode_hpa(k, p[5]);
		r->r8 = p[3] < 0xe0 ? 0 : p[3];
		r->r9 = p[6] < 0xe0 ? 0 : p[6];
		r->r10 = p[7] < 0xe0 ? (u64)(p[7] & 3) << 32 : p[7];
		break;
	default:
		r->rcx = gpa;
		break;
	}
}

/* What those want that are about a field or about another TD */
static void tdcall_operands(const struct fuzz_known *k, const uint8_t *p, struct guest_insn *in)
{
	static const u64 fields[] = {
		0x9810000100000020, 0x9810000300000010, 0x9110000300000010, 0x1110000300000017,
		0x9010000200000001, 0x8010000300000020, 0x0024000300002010, NULL_PA,
	};
	u64 uuid[4];

	switch (in->leaf & 0xffff) {
	case TDG_SERVTD_RD:
	case TDG_SERVTD_WR:
		in->rcx = servtd_binding(k->tdr[0], k->tdr[!(p[3] & 1)],
					 p[3] < 0xe0 ? 0 : p[3], uuid);
		in->r10 = uuid[0];
		in->r11 = uuid[1];
		in->r12 = uuid[2];
		in->r13 = uuid[3] ^ (p[3] & 0x10);
		__attribute__((fallthrough));
	case TDG_VM_RD:
	case TDG_VM_WR:
	case TDG_VP_RD:
	case TDG_VP_WR:
		if (in->leaf != TDG_SERVTD_RD && in->leaf != TDG_SERVTD_WR)
			in->rcx = p[3] >= 0xe0;
		in->rdx = fields[p[4] % ARRAY_SIZE(fields)] ^ (p[4] >= 0xe0 ? p[5] : 0);
		in->r8 = p[7];
		in->r9 = p[2] & 0x80 ? NULL_PA : p[2];
		break;
	case TDG_MR_REPORT:
		in->rcx = decode_gpa(p[3]) | (p[7] < 0xe0 ? 0 : (u64)p[7] << 4);
		in->rdx = decode_gpa(p[4]) | 0x400;
		in->r8 = p[5] >= 0xe0;
		break;
	case TDG_MR_RTMR_EXTEND:
		in->rcx = decode_gpa(p[3]) | (p[7] < 0xe0 ? 0 : p[7]);
		in->rdx = p[5] & 7;
		break;
	case TDG_MEM_PAGE_ATTR_WR:
		in->rdx = p[5] & 1 ? (u64)p[7] << 16 : p[7];
		in->r8 = p[2];
		break;
	default:
		break;
	}
}

void decode_insn(const struct fuzz_known *k, const uint8_t *p, struct guest_insn *insn,
		 struct guest_program *g)
{
	static const u8 leaves[] = {
		TDG_VP_VMCALL, TDG_VP_VEINFO_GET, TDG_MEM_PAGE_ACCEPT, TDG_MEM_PAGE_ATTR_RD,
		TDG_MEM_PAGE_ATTR_WR, TDG_MR_REPORT, TDG_MR_RTMR_EXTEND, TDG_VM_RD, TDG_VM_WR,
		TDG_VP_RD, TDG_VP_WR, TDG_SERVTD_RD, TDG_SERVTD_WR, TDG_VP_INFO, TDG_VP_ENTER,
	};
	struct guest_insn *in = &insn[g->n];

	*in = (struct guest_insn){
		.op = p[1] < 0x80 ? p[1] & 1 ? GUEST_TDCALL : GUEST_ACCESS :
		      p[1] % (GUEST_STOP + 1),
		.access = p[2] % 3, .ngpa = 1 + (p[2] >> 2) % 4, .level = p[2] >> 4 & 1,
		.shared = p[2] >= 0xf0,
		.gpa = { decode_gpa(p[3]), decode_gpa(p[4]), decode_gpa(p[5]), decode_gpa(p[6]) },
		.pages = p[7] < 0xf0 ? p[7] & 3 : 512 + (p[7] & 3),
		.leaf = p[6] < 0xc0 ? leaves[p[6] % ARRAY_SIZE(leaves)] :
			p[6] < 0xf0 ? p[5] & 31 : (u64)p[5] << (p[6] & 15) * 4,
		.rcx = decode_gpa(p[3]) | (p[4] < 0xe0 ? p[4] & 3 : p[4]),
		.rdx = p[5], .r8 = decode_gpa(p[4]),
		.cycles = (u64)p[3] << (p[4] & 15), .count = p[2] & 3,
		.target = p[3] % (g->n + 1u),
	};
	tdcall_operands(k, p, in);
	/* Nothing but itself for ever is no program: it never gets to the next instruction */
	if (in->op == GUEST_REPEAT && in->target == g->n)
		in->op = GUEST_COMPUTE;
	g->on_ve = p[4] >> 4 & 7;
	g->on_ve = g->on_ve > REACT_COUNT ? REACT_DEFAULT : g->on_ve;
	g->on_busy = p[5] >> 4 & 7;
	g->on_busy = g->on_busy > REACT_COUNT ? REACT_DEFAULT : g->on_busy;
	g->n++;
}
