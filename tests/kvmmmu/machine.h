/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * A machine with the module and one VM for KVM's tests: actors are functions, what they
 * returned is in the test's memory. Rests on kvmmmu/kmmu.h alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "kvmmmu/kmmu.h"
#include "sim/engine/actor.h"
#include "sim/engine/check.h"
#include "sim/engine/sim.h"
#include "sim/engine/trace.h"

struct machine_options {
	enum sim_sched sched;	/* SCHED_CLOCK by default */
	u64 seed, max_steps;
	u16 vcpus, lps;		/* 0: 1 and 4 */
	u64 gfns;		/* 0: 1024 */
	enum kmmu_vm_type type;
	u8 max_level;		/* of user pages; 0: 1 */
	bool nx_huge_pages, dirty_log, no_ad, no_pml, created_only;
	u8 manual_protect;
	bool keyed;
	const char *variant[6];	/* "tdx=..." too; else the recorded version */
	const char *policy;
	const char *tolerate[4];
};

struct machine {
	struct sim *sim;
	struct kvm *kvm;
	u64 calls[64];		/* SEAMCALLs by leaf number that returned success */
	u64 busy[64];
	u64 kicks_sent, page_frees, freed_while_mapped;
	u64 global_flushes;	/* KVM's own INVEPTs */
	u64 pml_full;		/* exits of a VM without TDX */
	u64 refused;		/* entries that gate or BUSY turned away */
};

#define NO_VCPU 0xffff

/* One thread and what it does; results of its operations, in order. */
struct job {
	struct machine *m;
	void (*fn)(struct job *j);
	struct kvm_vcpu *vcpu;
	u64 a, b;
	struct kmmu_result res;	/* of the last operation */
	struct actor *actor;
	bool finished;
};

void machine_new(struct machine *m, const struct machine_options *opt);
void machine_free(struct machine *m);
/* job_start - an actor on @lp; @vcpu: NO_VCPU for a host thread */
void job_start(struct machine *m, struct job *j, const char *name, u16 lp, u16 vcpu,
	       void (*fn)(struct job *j), u64 a, u64 b);
/* machine_once - run @fn alone to its end, on LP @lp; returns its last result */
struct kmmu_result machine_once(struct machine *m, u16 lp, u16 vcpu, void (*fn)(struct job *j),
				u64 a, u64 b);

/* operations as job functions: fault(a), zap(a, b), ... */
void op_fault(struct job *j);
void op_zap(struct job *j);
void op_punch(struct job *j);
void op_run(struct job *j);	/* a: memory-fault mode, b: times */
void op_prefault(struct job *j);
void op_to_shared(struct job *j);
void op_to_private(struct job *j);
void op_slot_delete(struct job *j);
void op_slot_add(struct job *j);
void op_slot_move(struct job *j);
void op_reuse(struct job *j);
void op_track(struct job *j);
void op_quiesce(struct job *j);
void op_fault_shared(struct job *j);
void op_slot_move_to(struct job *j);	/* [0, 0x200) to a */
void op_notify(struct job *j);
void op_age(struct job *j);
void op_test_age(struct job *j);
void op_recover_nx(struct job *j);
void op_collapse(struct job *j);
void op_split(struct job *j);
void op_shadow_page(struct job *j);
void op_log_dirty(struct job *j);	/* of gfns [0, a); b: on */
void op_get_dirty(struct job *j);
void op_clear_dirty(struct job *j);
void op_migrate(struct job *j);	/* a: LP */

/* assert_agree - mirror and S-EPT say the same of every gfn, entry by entry */
void assert_agree(struct machine *m);
/* machine_disagrees - the same as a question: the first such gfn, or ~0 */
u64 machine_disagrees(struct machine *m);
bool has_violation(struct machine *m, const char *id);
void assert_silent(struct machine *m);	/* no violation, nobody left waiting */
