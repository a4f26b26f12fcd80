// SPDX-License-Identifier: GPL-2.0-only
#include "tests/tdxmod/guest_run.h"

#include <string.h>

#include "sim/engine/lp.h"
#include "tdxmod/status.h"

void vm_tables(struct vm *vm, u8 to)
{
	for (u8 l = LVL_PML4; l > to; l--)
		assert_int_equal(call(TDH_MEM_SEPT_ADD, l, vm->td.tdr, 0x200000 + l * 0x1000, NULL),
				 0);
}

void vm_begin(struct vm *vm, const struct test_setup *s, const struct guest_program *p)
{
	*vm = (struct vm){ .sim = test_sim(), .next_page = 0x400000, .resolve = true };
	test_td(vm->sim, s, &vm->td);
	vcpu_set_guest(vm->td.tdvpr[0], p);
	record_start(vm->sim, &vm->rec);
}

void vm_end(struct vm *vm)
{
	record_stop(vm->sim, &vm->rec);
	sim_free(vm->sim);
}

u32 vm_seen(struct vm *vm, enum ev_type type, const char *name)
{
	u32 n = 0;

	for (u32 i = 0; i < vm->rec.events->len; i++) {
		const struct event *ev = &g_array_index(vm->rec.events, struct event, i);

		n += ev->type == type && (!name || !strcmp(ev->name, name));
	}
	return n;
}

bool vm_stopped(const struct tdx_regs *r)
{
	return r->rax == EXIT_REASON_TDCALL && r->r11 == 12 && r->r12 == 1;
}

/* A vCPU thread: interrupts are on outside of the SEAMCALL, and taken there */
static void run_vcpu(void *arg)
{
	struct vm *vm = arg;

	for (;;) {
		struct tdx_regs r = { .rax = TDH_VP_ENTER, .rcx = vm->td.tdvpr[0] };

		vm->enters++;
		seamcall(&r);
		vm->last = r;
		if (r.rax >> 32)
			vm->status = r.rax;
		else
			vm->exits[r.rax & 127]++;
		if (r.rax == EXIT_REASON_EPT_VIOLATION && vm->resolve) {
			call(TDH_MEM_PAGE_AUG, r.r8, vm->td.tdr, vm->next_page, NULL);
			vm->next_page += 0x1000;
		}
		if (r.rax >> 32 == TDX_HOST_PRIORITY_BUSY_TIMEOUT >> 32 || vm_stopped(&r) ||
		    vm->enters == vm->limit || vm->enters > 10000)
			return;
	}
}

void vm_run(struct vm *vm, void (*host)(void *))
{
	actor_new(vm->sim, "vCPU0", 0, run_vcpu, vm);
	if (host)
		actor_new(vm->sim, "host", 1, host, vm);
	sim_run(vm->sim);
}

u8 vm_state(struct vm *vm, u64 gfn)
{
	struct sept_view v;

	sept_peek(vm->td.tdr, gfn, &v);
	return v.state;
}

void vm_kicker(void *arg)
{
	sim_compute(50000);
	lp_raise(0, IRQ_KICK);
}
