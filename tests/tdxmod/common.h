/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What the module's tests share: a sim with the machine model of the golden vectors, CSV
 * rows, and a record of the events that the root context causes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <glib.h>

#include "sim/engine/check.h"
#include "sim/engine/mem.h"
#include "sim/engine/region.h"
#include "sim/engine/sim.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"
#include "tdxmod/flow.h"
#include "tdxmod/guest_run.h"
#include "tdxmod/observe.h"

/* A timed sim of 1 GiB, 3 LPs (0 and 1 in package 0); the root context acts at once */
struct sim *test_sim(void);

struct test_td {
	u64 tdr;
	u64 tdvpr[3];
};

struct test_setup {
	const char *version;
	u32 op_state;		/* 0: RUNNABLE */
	bool pending_ve_disable, notify;
	u64 hp_lock_timeout;
	u8 levels;		/* 0: 4 */
	u8 dpamt;		/* enum tdx_dpamt */
	u8 iommus;
};

/* The module and TD of the golden vectors' machine model */
void test_td(struct sim *sim, const struct test_setup *s, struct test_td *td);

/*
 * A TD built by SEAMCALLs, as far as @to: pages as the machine model has them, moved by @base;
 * KEY.CONFIG on an LP of each package. Fails the test if one does not succeed.
 */
enum test_stage {
	MADE_TDR, MADE_KEYS, MADE_TDCX, MADE_TD,	/* CREATE, KEY.CONFIG, ADDCX, INIT */
	MADE_TDVPR, MADE_TDVPS, MADE_VCPU,		/* VP.CREATE, ADDCX, INIT, of vCPU 0 */
};

#define TEST_PARAMS	0x180000ull	/* TD_PARAMS */

void test_make(u64 base, u16 hkid, enum test_stage to, struct test_td *td);
u64 test_make_vcpu(u64 base, u32 vcpu, enum test_stage to);	/* TDVPR */
/* test_params - TD_PARAMS of @levels at TEST_PARAMS */
struct td_params *test_params(u8 levels, u64 attributes);
void test_ok(u64 rax);
void test_is(u64 rax, u64 want);

/* test_on_lp - the root context acts on @lp from now on */
void test_on_lp(u16 lp);

/* test_interrupt - an interrupt ends the guest's run, too late after its entry to be early */
void test_interrupt(struct tdx_regs *r);

/* rows of tests/vectors/NAME: array of string arrays, header first */
GPtrArray *test_csv(const char *name);
char *test_file(const char *name);

/* record: events copied as they come; region names are taken while they exist */
struct record {
	GArray *events;		/* struct event */
	void (*hook)(struct record *rec, const struct event *ev);
	void *ctx;
};
void record_start(struct sim *sim, struct record *rec);
void record_stop(struct sim *sim, struct record *rec);

u64 call(u64 leaf, u64 rcx, u64 rdx, u64 r8, struct tdx_regs *out);
