// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any SEAMCALL with any registers from any LP, and any TDCALL from any guest, interleaved by
 * the bytes themselves: the module may refuse, and may find itself corrupted (module-fatal) by
 * a VMM that breaks its rules; it must not crash, hang, or answer what is no status of its.
 *
 * The input: a byte of options, the number of records, records of 8 bytes (a call or a guest's
 * instruction: decode.h), then the answers to choose().
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
#include "tests/fuzz/decode.h"
#include "tests/fuzz/reached.h"

enum {
	ACTORS = 4, RECORDS = 64,
	STEPS = 40000,		/* of a run */
	CALL_STEPS = 16000,	/* more than any call takes that runs no guest */
};

enum option {			/* bits of the first byte; 0..2: the module's version */
	OPT_TIMED = 1 << 3, OPT_LISTEN = 1 << 4, OPT_KEYED = 1 << 5, OPT_INITIALIZED = 1 << 6,
	OPT_LARGE = 1 << 7,	/* 1 GiB and 5 levels */
};

struct fuzz {
	struct sim *sim;
	struct fuzz_known known;
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

static void __noreturn wrong(const char *what, u64 a, u64 b)
{
	fprintf(stderr, "fuzz-seamcall: %s: 0x%llx 0x%llx\n", what, (unsigned long long)a,
		(unsigned long long)b);
	abort();
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
	decode_seamcall(&f->known, p, &r);
	leaf = r.rax;
	f->start[me->id] = (leaf & 0xffff) == TDH_VP_ENTER ? ~0ull : actor_self()->steps;
	if (seamcall(&r) != r.rax)
		wrong("seamcall() returned what is not in RAX", leaf, r.rax);
	check_steps(f, me->id);
	f->start[me->id] = ~0ull;
	check_status("no status of the module's", leaf, r.rax);
	if (seamcall_name(leaf & 0xffff))
		reached_note(seamcall_name(leaf & 0xffff), r.rax);
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
		reached_note(ev->name, ev->status);
}

static void set_up(u64 leaf, u64 rcx, u64 rdx)
{
	struct tdx_regs r = { .rax = leaf, .rcx = rcx, .rdx = rdx };

	if (seamcall(&r))
		wrong("set-up", leaf, r.rax);
}

static void build_half(struct fuzz *f, u8 options)
{
	f->known.tdr[2] = HALF_TD;
	for (u64 i = 0; i < 4; i++) {
		struct td_params *p = phys_to_ptr(PARAMS + i * TD_PARAMS_SIZE);

		*p = (struct td_params){	/* three that will do, and one that does not */
			.attributes = i < 2 ? i : ATTRIBUTES_SEPT_VE_DISABLE, .xfam = i < 3 ? 3 : 0,
			.max_vcpus = 2, .eptp_controls = 6 | 3 << 3,
			.config_flags = i == 2 ? CONFIG_FLAGS_FLEXIBLE_PENDING_VE : 0,
			.tsc_frequency = 100,
		};
	}
	set_up(TDH_MNG_CREATE, f->known.tdr[2], MODULE_HKID + 7);
	if (options & 1) {	/* its keys are there; two pages of its TDCS are not */
		for (u16 lp = 0; lp < ACTORS; lp += ACTORS / module_self()->packages) {
			sim_self->lp = lp;
			set_up(TDH_MNG_KEY_CONFIG, f->known.tdr[2], 0);
		}
		sim_self->lp = 0;
		for (u64 i = 1; i < TDCX_PAGES - 1; i++)
			set_up(TDH_MNG_ADDCX, HALF_TD + i * PAGE_SIZE, f->known.tdr[2]);
	}
	if (!(options & OPT_INITIALIZED))
		return;
	set_up(TDH_VP_CREATE, HALF_VCPU, f->known.tdr[0]);
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
	f->known.tdr[0] = td_build(f->sim, &b);
	if (options & 2)
		b.op_state = OP_STATE_INITIALIZED;
	f->known.tdr[1] = td_build(f->sim, &b);
	for (u32 i = 0; i <= VCPUS; i++)
		f->known.tdvpr[i] = vcpu_build(f->known.tdr[i / VCPUS], 0);
	for (u64 l = b.levels - 1; l; l--) {	/* the tables down to gpa 0's 4K entries */
		struct tdx_regs r = {
			.rax = TDH_MEM_SEPT_ADD, .rcx = l, .rdx = f->known.tdr[0],
			.r8 = 0x100000 + (l - 1) * 0x1000, .r9 = NULL_PA, .r10 = NULL_PA,
			.r11 = NULL_PA,
		};

		if (seamcall(&r))
			wrong("no S-EPT", l, r.rax);
	}
	if ((options & 2) && !(options & OPT_INITIALIZED))	/* the first TD is the service TD */
		set_up(TDH_SERVTD_BIND, f->known.tdr[1], f->known.tdr[0]);
	for (u32 i = 0; i < f->records; i++) {
		const uint8_t *p = f->record + i * RECORD;
		u32 vcpu = p[0] % VCPUS;

		if (is_insn(p) && f->program[vcpu].n < INSNS)
			decode_insn(&f->known, p, f->insn[vcpu], &f->program[vcpu]);
	}
	for (u32 i = 0; i < VCPUS; i++)
		vcpu_set_guest(f->known.tdvpr[i], &f->program[i]);
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
		sept_peek(f->known.tdr[0], decode_gpa(b) >> 12, &v);
	for (u32 b = 0; b < 0x100; b += 8) {
		u64 hpa = decode_hpa(&f->known, b);

		sept_maps_page(hpa, &tdr, &gfn);
		tlb_holds_page(hpa, &lp, &gfn);
		pamt_peek(hpa, b >> 3 & 1, &pamt);
	}
	for (u32 i = 0; i <= VCPUS; i++)
		vcpu_peek(f->known.tdvpr[i], &vcpu);
	td_peek(f->known.tdr[0], &td);
	sept_digest(f->known.tdr[0]);
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
