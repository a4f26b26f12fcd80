// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any SEAMCALL with any registers from any LP, and any TDCALL from any guest, interleaved by
 * the bytes themselves: the module may refuse, and may find itself corrupted (module-fatal) by
 * a VMM that breaks its rules; it must not crash, hang, or answer what is no status of its.
 *
 * The input: a byte of options, the number of records, records of 8 bytes (a call or a guest's
 * instruction), then the answers to choose(). Most bytes pick from what is nearly right: bytes
 * that mean nothing would all end at the first check.
 */
#include "tests/fuzz/seamcall.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/engine/arena.h"
#include "sim/engine/check.h"
#include "sim/engine/choose.h"
#include "sim/engine/lp.h"
#include "sim/engine/rng.h"
#include "sim/engine/sim.h"
#include "sim/engine/trace.h"
#include "sim/engine/tlb.h"
#include "tdxmod/build.h"
#include "tdxmod/guest.h"
#include "tdxmod/leaf.h"
#include "tdxmod/metadata.h"
#include "tdxmod/module.h"
#include "tdxmod/observe.h"
#include "tdxmod/peek.h"
#include "tdxmod/seamcall.h"
#include "tdxmod/versions.h"

enum {
	ACTORS = 4, VCPUS = 3, RECORDS = 64, RECORD = 8, INSNS = 8,
	STEPS = 40000,		/* of a run */
	CALL_STEPS = 16000,	/* more than any call takes that runs no guest */
};

enum option {			/* bits of the first byte; 0..2: the module's version */
	OPT_TIMED = 1 << 3, OPT_LISTEN = 1 << 4, OPT_KEYED = 1 << 5, OPT_INITIALIZED = 1 << 6,
	OPT_LARGE = 1 << 7,	/* 1 GiB and 5 levels */
};

struct fuzz {
	struct sim *sim;
	u64 tdr[3], tdvpr[VCPUS + 1];	/* the last TD has no TDCS yet */
	const uint8_t *record, *choice, *end;
	u32 records;
	struct rng rng;			/* past the last byte */
	struct guest_insn insn[VCPUS][INSNS];
	struct guest_program program[VCPUS];
	u64 start[ACTORS];		/* steps before the call that the actor is in; ~0: none */
	struct who {
		struct fuzz *f;
		u32 id;
	} who[ACTORS];
};

/* The free page n is at FREE + n * 4K; the first 2M pages behind it are free as a whole */
#define FREE	0x200000ull
#define LARGE	0x400000ull
/* A TD and a vCPU that are not built to their end, and TD_PARAMS, four of them */
#define HALF_TD		0x180000ull
#define HALF_VCPU	0x190000ull
#define PARAMS		0x1f0000ull

static void __noreturn wrong(const char *what, u64 a, u64 b)
{
	fprintf(stderr, "fuzz-seamcall: %s: 0x%llx 0x%llx\n", what, (unsigned long long)a,
		(unsigned long long)b);
	abort();
}

static u64 gpa_of(u8 b)
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

static u64 hpa_of(const struct fuzz *f, u8 b)
{
	const u64 fixed[] = {
		f->tdr[0], f->tdr[1], f->tdvpr[0], f->tdvpr[1], f->tdvpr[2], f->tdvpr[3], 0,
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

static u64 tdr_of(const struct fuzz *f, u8 b)
{
	return b < 0xc0 ? f->tdr[0] : b < 0xe0 ? f->tdr[1 + (b & 1)] : hpa_of(f, b << 3);
}

/* Of the leaves that build: more often the TD that is to be built */
static u64 new_tdr_of(const struct fuzz *f, u8 b)
{
	return b < 0x80 ? f->tdr[2] : tdr_of(f, b);
}

static u64 tdvpr_of(const struct fuzz *f, u8 b)
{
	return b < 0x40 ? HALF_VCPU : b < 0xe0 ? f->tdvpr[b & 3] : hpa_of(f, b << 3);
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
static void registers(const struct fuzz *f, const uint8_t *p, struct tdx_regs *r)
{
	u64 gpa = gpa_of(p[2]) | (p[3] < 0xe0 ? p[3] & 3 : p[3]);

	*r = (struct tdx_regs){
		.rax = leaf_number(p), .rdx = tdr_of(f, p[4]), .r8 = hpa_of(f, p[5]),
		.r9 = p[7] & 1 ? hpa_of(f, p[6]) : NULL_PA, .r10 = NULL_PA, .r11 = NULL_PA,
	};
	switch (r->rax & 0xffff) {
	case TDH_VP_ENTER:
	case TDH_VP_FLUSH:
		r->rcx = p[2] < 0xe0 ? f->tdvpr[p[2] & 3] : hpa_of(f, p[5]);
		r->rcx |= p[3] >= 0xe0 ? (u64)(p[3] & 15) << 51 : 0;
		break;
	case TDH_VP_INIT:
		r->rcx = tdvpr_of(f, p[2]);
		r->r8 = p[4] & 3;
		break;
	case TDH_VP_RD:
	case TDH_VP_WR:
		r->rcx = tdvpr_of(f, p[2]);
		field(p, r);
		break;
	case TDH_MNG_RD:
	case TDH_MNG_WR:
		r->rcx = tdr_of(f, p[2]);
		field(p, r);
		break;
	case TDH_MNG_CREATE:
		r->rcx = r->r8;
		r->rdx = p[2] < 0xf0 ? MODULE_HKID + p[2] % 8 : (u64)p[3] << p[2] % 16 * 4;
		break;
	case TDH_MNG_ADDCX:
	case TDH_VP_CREATE:
		r->rcx = r->r8;
		r->rdx = new_tdr_of(f, p[2]);
		break;
	case TDH_VP_ADDCX:
		r->rcx = r->r8;
		r->rdx = tdvpr_of(f, p[2]);
		break;
	case TDH_MNG_INIT:
		r->rcx = new_tdr_of(f, p[2]);
		r->rdx = p[3] < 0xf0 ? PARAMS + (p[3] & 3) * TD_PARAMS_SIZE : hpa_of(f, p[3]);
		break;
	case TDH_MR_EXTEND:
		r->rcx = gpa_of(p[2]) | (u64)(p[3] & 31) << 7;
		break;
	case TDH_MNG_VPFLUSHDONE:
	case TDH_MNG_KEY_CONFIG:
		r->rcx = new_tdr_of(f, p[2]);
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
		r->rcx = gpa_of(p[2]) | (p[3] & 0xe0 ? p[3] & 0x18 : p[3]);
		break;
	case TDH_SERVTD_BIND:
	case TDH_SERVTD_PREBIND:	/* the second TD for the first, mostly */
		r->rcx = r->rdx;
		r->rdx = p[2] < 0xc0 ? f->tdr[1] : hpa_of(f, p[5]);
		r->r8 = p[3] < 0xe0 ? 0 : p[3];
		r->r9 = p[6] < 0xe0 ? 0 : p[6];
		r->r10 = p[7] < 0xe0 ? (u64)(p[7] & 3) << 32 : p[7];
		break;
	default:
		r->rcx = gpa;
		break;
	}
}

/* What all runs have reached: each leaf with each status, operands apart */
static struct {
	const char *leaf;
	u64 status;
} reached[4096];
static u32 nreached;

static void note_reached(const char *leaf, u64 status)
{
	for (u32 i = 0; i < nreached; i++)
		if (reached[i].status == status && !strcmp(reached[i].leaf, leaf))
			return;
	if (nreached < ARRAY_SIZE(reached)) {
		reached[nreached].leaf = leaf;
		reached[nreached++].status = status;
	}
}

static u32 leaves_reached(const char *prefix, u32 *statuses)
{
	u32 n = 0;

	*statuses = 0;
	for (u32 i = 0; i < nreached; i++) {
		bool first = !strncmp(reached[i].leaf, prefix, strlen(prefix));

		*statuses += first;
		for (u32 k = 0; k < i && first; k++)
			first = strcmp(reached[k].leaf, reached[i].leaf);
		n += first;
	}
	return n;
}

void fuzz_seamcall_report(FILE *out)
{
	u32 host, guest, h = leaves_reached("TDH.", &host), g = leaves_reached("TDG.", &guest);

	fprintf(out, "reached: %u SEAMCALL leaves with %u results, %u TDCALL leaves with %u "
		"(of runs that listen)\n", h, host, g, guest);
}

u32 fuzz_seamcall_missed(FILE *out)
{
	u32 n = 0;

	for (u64 leaf = 0; leaf < 256; leaf++) {
		bool found = !leaf_of(leaf) || !leaf_of(leaf)->run;

		for (u32 i = 0; i < nreached && !found; i++)
			found = !strcmp(reached[i].leaf, seamcall_name(leaf));
		if (!found)
			fprintf(out, "no input calls %s\n", seamcall_name(leaf));
		n += !found;
	}
	return n;
}

/* A name, and of a success's low half an exit reason of this model, if it is a TD exit */
static void check_status(const char *who, u64 leaf, u64 rax)
{
	char name[96];

	status_name(rax, name, sizeof(name));
	if (!strncmp(name, "0x", 2))
		wrong(who, leaf, rax);
	if (rax && rax >> 32 == 0 && rax != EXIT_REASON_EXTERNAL_INTERRUPT &&
	    rax != EXIT_REASON_EPT_VIOLATION && rax != EXIT_REASON_EPT_MISCONFIG &&
	    rax != EXIT_REASON_TDCALL)
		wrong(who, leaf, rax);
}

/* The guest in TDH.VP.ENTER may run for ever; no other call may */
static void check_steps(const struct fuzz *f, u32 id)
{
	const struct actor *a = actor_by_id(f->sim, id);

	if (f->start[id] != ~0ull && a->steps - f->start[id] > CALL_STEPS)
		wrong("a call takes steps without end", id, a->steps - f->start[id]);
}

static void act(struct who *me, const uint8_t *p)
{
	struct fuzz *f = me->f;
	struct tdx_regs r;
	u64 leaf;

	if (p[0] & 0x20)
		lp_raise(p[7] % ACTORS, p[7] & 8 ? IRQ_EXTERNAL : IRQ_KICK);
	if ((p[0] & 0xc0) == 0x80)
		tlb_flush_all(tlb_of(lp_self()));
	registers(f, p, &r);
	leaf = r.rax;
	f->start[me->id] = (leaf & 0xffff) == TDH_VP_ENTER ? ~0ull : actor_self()->steps;
	if (seamcall(&r) != r.rax)
		wrong("seamcall() returned what is not in RAX", leaf, r.rax);
	check_steps(f, me->id);
	f->start[me->id] = ~0ull;
	check_status("no status of the module's", leaf, r.rax);
	if (seamcall_name(leaf & 0xffff))
		note_reached(seamcall_name(leaf & 0xffff), r.rax);
	if ((leaf & 0xffff) != TDH_VP_ENTER && r.rax && r.rax >> 32 == 0)
		wrong("a TD exit of another leaf", leaf, r.rax);
}

/* A record whose first byte has bit 4 is an instruction of a guest's, else a call of an actor's */
static bool is_insn(const uint8_t *p)
{
	return p[0] & 0x10;
}

static void run(void *arg)
{
	struct who *me = arg;
	struct fuzz *f = me->f;

	for (u32 i = 0; i < f->records; i++) {
		const uint8_t *p = f->record + i * RECORD;

		if (!is_insn(p) && p[0] % ACTORS == me->id)
			act(me, p);
	}
}

/* What those want that are about a field or about another TD */
static void tdcall_operands(const struct fuzz *f, const uint8_t *p, struct guest_insn *in)
{
	static const u64 fields[] = {
		0x9810000100000020, 0x9810000300000010, 0x9110000300000010, 0x1110000300000017,
		0x9010000200000001, 0x8010000300000020, 0x0024000300002010, NULL_PA,
	};
	u64 uuid[4];

	switch (in->leaf & 0xffff) {
	case TDG_SERVTD_RD:
	case TDG_SERVTD_WR:
		in->rcx = servtd_binding(f->tdr[0], f->tdr[!(p[3] & 1)],
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
		in->rcx = gpa_of(p[3]) | (p[7] < 0xe0 ? 0 : (u64)p[7] << 4);
		in->rdx = gpa_of(p[4]) | 0x400;
		in->r8 = p[5] >= 0xe0;
		break;
	case TDG_MR_RTMR_EXTEND:
		in->rcx = gpa_of(p[3]) | (p[7] < 0xe0 ? 0 : p[7]);
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

static void add_insn(struct fuzz *f, const uint8_t *p)
{
	struct guest_program *g = &f->program[p[0] % VCPUS];
	static const u8 leaves[] = {
		TDG_VP_VMCALL, TDG_VP_VEINFO_GET, TDG_MEM_PAGE_ACCEPT, TDG_MEM_PAGE_ATTR_RD,
		TDG_MEM_PAGE_ATTR_WR, TDG_MR_REPORT, TDG_MR_RTMR_EXTEND, TDG_VM_RD, TDG_VM_WR,
		TDG_VP_RD, TDG_VP_WR, TDG_SERVTD_RD, TDG_SERVTD_WR, TDG_VP_INFO, TDG_VP_ENTER,
	};
	struct guest_insn *in;

	if (g->n == INSNS)
		return;
	in = &f->insn[p[0] % VCPUS][g->n];
	*in = (struct guest_insn){
		.op = p[1] < 0x80 ? p[1] & 1 ? GUEST_TDCALL : GUEST_ACCESS :
		      p[1] % (GUEST_STOP + 1),
		.access = p[2] % 3, .ngpa = 1 + (p[2] >> 2) % 4, .level = p[2] >> 4 & 1,
		.shared = p[2] >= 0xf0,
		.gpa = { gpa_of(p[3]), gpa_of(p[4]), gpa_of(p[5]), gpa_of(p[6]) },
		.pages = p[7] < 0xf0 ? p[7] & 3 : 512 + (p[7] & 3),
		.leaf = p[6] < 0xc0 ? leaves[p[6] % ARRAY_SIZE(leaves)] :
			p[6] < 0xf0 ? p[5] & 31 : (u64)p[5] << (p[6] & 15) * 4,
		.rcx = gpa_of(p[3]) | (p[4] < 0xe0 ? p[4] & 3 : p[4]),
		.rdx = p[5], .r8 = gpa_of(p[4]),
		.cycles = (u64)p[3] << (p[4] & 15), .count = p[2] & 3,
		.target = p[3] % (g->n + 1u),
	};
	tdcall_operands(f, p, in);
	/* Nothing but itself for ever is no program: it never gets to the next instruction */
	if (in->op == GUEST_REPEAT && in->target == g->n)
		in->op = GUEST_COMPUTE;
	g->on_ve = p[4] >> 4 & 7;
	g->on_ve = g->on_ve > REACT_COUNT ? REACT_DEFAULT : g->on_ve;
	g->on_busy = p[5] >> 4 & 7;
	g->on_busy = g->on_busy > REACT_COUNT ? REACT_DEFAULT : g->on_busy;
	g->n++;
}

static u32 pick(struct sim *sim, void *ctx, u32 n, enum choose_why why)
{
	struct fuzz *f = ctx;

	return f->choice < f->end ? *f->choice++ % n : rng_below(&f->rng, n);
}

static void listen(void *ctx, const struct event *ev)
{
	if (ev->type != EV_RETURN)
		return;
	check_status(ev->name, ev->arg, ev->status);
	if (!strncmp(ev->name, "TDG.", 4))
		note_reached(ev->name, ev->status);
}

static void set_up(u64 leaf, u64 rcx, u64 rdx)
{
	struct tdx_regs r = { .rax = leaf, .rcx = rcx, .rdx = rdx };

	if (seamcall(&r))
		wrong("set-up", leaf, r.rax);
}

static void build_half(struct fuzz *f, u8 options)
{
	f->tdr[2] = HALF_TD;
	for (u64 i = 0; i < 4; i++) {
		struct td_params *p = phys_to_ptr(PARAMS + i * TD_PARAMS_SIZE);

		*p = (struct td_params){	/* three that will do, and one that does not */
			.attributes = i < 2 ? i : ATTRIBUTES_SEPT_VE_DISABLE, .xfam = i < 3 ? 3 : 0,
			.max_vcpus = 2, .eptp_controls = 6 | 3 << 3,
			.config_flags = i == 2 ? CONFIG_FLAGS_FLEXIBLE_PENDING_VE : 0,
			.tsc_frequency = 100,
		};
	}
	set_up(TDH_MNG_CREATE, f->tdr[2], MODULE_HKID + 7);
	if (options & 1) {	/* its keys are there; two pages of its TDCS are not */
		for (u16 lp = 0; lp < ACTORS; lp += ACTORS / module_self()->packages) {
			sim_self->lp = lp;
			set_up(TDH_MNG_KEY_CONFIG, f->tdr[2], 0);
		}
		sim_self->lp = 0;
		for (u64 i = 1; i < TDCX_PAGES - 1; i++)
			set_up(TDH_MNG_ADDCX, HALF_TD + i * PAGE_SIZE, f->tdr[2]);
	}
	if (!(options & OPT_INITIALIZED))
		return;
	set_up(TDH_VP_CREATE, HALF_VCPU, f->tdr[0]);
	for (u64 i = 1; i < TDVPS_PAGES; i++)
		set_up(TDH_VP_ADDCX, HALF_VCPU + i * PAGE_SIZE, HALF_VCPU);
}

static void build(struct fuzz *f, u8 options)
{
	const struct tdx_version *v;
	struct td_build b = {
		.levels = options & OPT_LARGE ? 5 : 4,
		.op_state = options & OPT_INITIALIZED ? OP_STATE_INITIALIZED : OP_STATE_RUNNABLE,
		.pending_ve_disable = options & 1, .notify = options & 2,
	};
	struct tdx_module_config cfg = { .hp_lock_timeout = 1000 };
	u32 n;

	v = tdx_version_table(&n);
	cfg.version = v[(options & 7) % n].name;
	if ((options & 7) >= n) {	/* what is left: dynamic PAMT of the newest lines */
		cfg.version = options & 1 ? v[n - 1].name : TDX_VERSION_DEFAULT;
		cfg.dpamt = DPAMT_BUILT;
	}
	if (!tdx_module_new(f->sim, &cfg))
		wrong("no such version", options, n);
	f->tdr[0] = td_build(f->sim, &b);
	if (options & 2)
		b.op_state = OP_STATE_INITIALIZED;
	f->tdr[1] = td_build(f->sim, &b);
	for (u32 i = 0; i <= VCPUS; i++)
		f->tdvpr[i] = vcpu_build(f->tdr[i / VCPUS], 0);
	for (u64 l = b.levels - 1; l; l--) {	/* the tables down to gpa 0's 4K entries */
		struct tdx_regs r = {
			.rax = TDH_MEM_SEPT_ADD, .rcx = l, .rdx = f->tdr[0],
			.r8 = 0x100000 + (l - 1) * 0x1000, .r9 = NULL_PA, .r10 = NULL_PA,
			.r11 = NULL_PA,
		};

		if (seamcall(&r))
			wrong("no S-EPT", l, r.rax);
	}
	if ((options & 2) && !(options & OPT_INITIALIZED))	/* the first TD is the service TD */
		set_up(TDH_SERVTD_BIND, f->tdr[1], f->tdr[0]);
	for (u32 i = 0; i < f->records; i++) {
		if (is_insn(f->record + i * RECORD))
			add_insn(f, f->record + i * RECORD);
	}
	for (u32 i = 0; i < VCPUS; i++)
		vcpu_set_guest(f->tdvpr[i], &f->program[i]);
	build_half(f, options);
}

/* Whatever there is now, reports and checks look at it */
static void look(struct fuzz *f)
{
	struct pamt_peek pamt;
	struct vcpu_peek vcpu;
	struct sept_view v;
	struct td_peek td;
	u64 tdr, gfn;
	u16 lp;

	for (u32 b = 0; b < 0xf0; b += 2)
		sept_peek(f->tdr[0], gpa_of(b) >> 12, &v);
	for (u32 b = 0; b < 0x100; b += 8) {
		u64 hpa = hpa_of(f, b);

		sept_maps_page(hpa, &tdr, &gfn);
		tlb_holds_page(hpa, &lp, &gfn);
		pamt_peek(hpa, b >> 3 & 1, &pamt);
	}
	for (u32 i = 0; i <= VCPUS; i++)
		vcpu_peek(f->tdvpr[i], &vcpu);
	td_peek(f->tdr[0], &td);
	sept_digest(f->tdr[0]);
}

static void check_run(struct fuzz *f, enum sim_end end)
{
	const struct violation *v = check_fatal(f->sim);

	if (v) {
		fprintf(stderr, "%s: %s\n", v->id, v->text);
		wrong("a violation", v->actor, v->seq);
	}
	for (u32 i = 0; i < ACTORS; i++)
		check_steps(f, i);
	if (end != SIM_DONE && end != SIM_LIMIT)
		wrong("did not end", end, sim_steps(f->sim));
}

void fuzz_seamcall(const uint8_t *data, size_t size)
{
	static struct fuzz fuzz;	/* guests' programs outlive the actors' stacks */
	struct fuzz *f = &fuzz;
	struct choose_driver driver = { pick, f };
	struct sim_options opt = {
		.sched = SCHED_RANDOM, .lps = ACTORS, .max_steps = STEPS,
	};

	if (size < 2 + RECORD)
		return;
	*f = (struct fuzz){ .record = data + 2, .end = data + size };
	f->records = data[1] % RECORDS + 1;
	if (f->records > (size - 2) / RECORD)
		f->records = (size - 2) / RECORD;
	f->choice = f->record + f->records * RECORD;
	rng_seed(&f->rng, size);
	opt.phys = data[0] & OPT_LARGE ? 1ull << 30 : 16ull << 20;
	opt.timed = data[0] & OPT_TIMED;
	opt.packages = opt.timed ? 2 : 1;
	opt.keyed = data[0] & OPT_KEYED;
	f->sim = sim_new(&opt);
	if (!f->sim)
		abort();
	check_tolerate(f->sim, "module-fatal");
	check_tolerate(f->sim, "unsupported-leaf");
	for (u32 i = 0; i < VCPUS; i++)
		f->program[i].insn = f->insn[i];
	build(f, data[0]);
	for (u32 i = 0; i < ACTORS; i++) {
		static const char *const names[ACTORS] = { "lp0", "lp1", "lp2", "lp3" };

		f->who[i] = (struct who){ f, i };
		f->start[i] = ~0ull;
		actor_new(f->sim, names[i], i, run, &f->who[i]);
	}
	if (data[0] & OPT_LISTEN)
		trace_listen(f->sim, listen, NULL);
	choose_drive(f->sim, &driver);
	check_run(f, sim_run(f->sim));
	look(f);
	sim_free(f->sim);
}
