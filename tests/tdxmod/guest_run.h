/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * A guest that runs: a vCPU thread enters it again and again and does what a VMM would;
 * another actor does the rest.
 */
#include "tests/tdxmod/common.h"

#include "tdxmod/guest.h"

#define GFN(n)	((u64)(n) << 12)

#define PROGRAM(name, ...)							\
	static const struct guest_insn name##_insn[] = { __VA_ARGS__ };		\
	static const struct guest_program name = { name##_insn, ARRAY_SIZE(name##_insn) }

struct vm {
	struct sim *sim;
	struct test_td td;
	u64 next_page;
	bool resolve;		/* EPT violations are answered with AUG */
	u32 exits[128];		/* by reason */
	u64 status;		/* of a TD exit that is no plain reason */
	struct tdx_regs last;
	u32 enters, limit;	/* limit 0: until the guest stops */
	bool kick_on_busy;
	struct record rec;
};

/* vm_begin - a machine, a TD and the guest @p; a record of what happens */
void vm_begin(struct vm *vm, const struct test_setup *s, const struct guest_program *p);
void vm_end(struct vm *vm);
/* vm_tables - the S-EPT pages for gpa 0, those that hold entries of level @to the last */
void vm_tables(struct vm *vm, u8 to);
/* vm_run - vCPU0 until it stops or vm->limit; @host, if not NULL, beside it on LP 1 */
void vm_run(struct vm *vm, void (*host)(void *));
/* vm_kicker - a host for vm_run: one kick of the guest's LP, a while on */
void vm_kicker(void *arg);
/* vm_stopped - the guest has no more instructions: the last TD exit said so */
bool vm_stopped(const struct tdx_regs *r);
/* vm_seen - how many events of @type, and of @name if not NULL */
u32 vm_seen(struct vm *vm, enum ev_type type, const char *name);
u8 vm_state(struct vm *vm, u64 gfn);
