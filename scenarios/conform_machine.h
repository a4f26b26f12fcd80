/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The machine on which recorded vectors are played: one TD with three vCPUs on three LPs, as
 * docs/conform.md describes it, an actor an LP. A guest makes the exits that the vectors
 * name, inside its TDH.VP.ENTER and through the module's dispatcher.
 */
#include "scenarios/conform_read.h"
#include "sim/engine/sim.h"
#include "tdxmod/guest.h"
#include "tdxmod/observe.h"
#include "tdxmod/seamcall.h"

enum {
	CONFORM_LPS = 3,
	CONFORM_TDR = 0x1000,
	CONFORM_TDVPR = 0x10000,	/* of vCPU 0 */
	CONFORM_TDVPR_STEP = 0x8000,
	CONFORM_TSC = 1000000,		/* before the first operation */
	CONFORM_TSC_STEP = 1000,	/* before each */
	CONFORM_HP_TIMEOUT = 3000,
};

struct conform_machine;

struct conform_lp {
	struct conform_machine *m;
	struct actor *actor;
	u16 lp;
	const struct conform_record *op;	/* given, not done yet */
	bool started;				/* its first step is still to come, or behind it */
	bool in_td;
	u32 vcpu;				/* the one in_td */
	u64 leaf;				/* of the SEAMCALL that goes on */
	u64 tsc;
	/* of the last operation */
	const char *exit;			/* "vmm", "td", "td_ve" */
	struct tdx_regs r;
	struct guest_exit ge;
};

struct conform_machine {
	struct sim *sim;
	struct conform_lp lp[CONFORM_LPS];
	struct guest_program guest;
	u64 ops;				/* given so far */
	u64 tdvpr[CONFORM_LPS];
	/* what another agent holds */
	struct module_lock hold;
	u32 hold_how;
	struct machine_mark *made;		/* as machine_new() has left it */
};

/*
 * machine_new - @tdx: a version that tdx_version_find() knows; @script: operations run by
 *	script rows. One lives at a time.
 * machine_begin - as it was made, whatever has been run on it, and a TD as @init says:
 *	"op_state", "pvd", ...
 */
struct conform_machine *machine_new(const char *tdx, bool script);
void machine_begin(struct conform_machine *m, const struct conform_record *init);
void machine_free(struct conform_machine *m);

struct undo_mark machine_made(const struct conform_machine *m);	/* where the log was then */

/* machine_mark - where it stands now; machine_back - there again, until the next begin */
struct machine_mark *machine_mark(struct conform_machine *m);
void machine_back(struct conform_machine *m, const struct machine_mark *mark);
void machine_mark_free(struct machine_mark *mark);

/* machine_refuses - why @op cannot be run now, or NULL. *@missing: no call of this module */
const char *machine_refuses(struct conform_machine *m, const struct conform_record *op,
			    bool *missing);

/*
 * machine_give - @op is what its LP does next; outside a run
 * machine_run - let it happen. False: *@why says what went wrong; *@missing: the model has no
 *	such flow yet
 */
struct conform_lp *machine_give(struct conform_machine *m, const struct conform_record *op);
bool machine_run(struct conform_machine *m, const char **why, bool *missing);

/*
 * machine_level - the level that @op asks for
 * machine_slot - the S-EPT entry that @op is about, as things are now; NULL: none
 */
u8 machine_level(const struct conform_record *op);
u64 *machine_slot(struct conform_machine *m, const struct conform_record *op, u8 *level);
/* machine_rcx - the operand RCX of a memory operation */
u64 machine_rcx(const struct conform_record *op);

/* machine_hold - take the lock that @op names for another agent. NULL, or why not */
const char *machine_hold(struct conform_machine *m, const struct conform_record *op, u64 *slot);
void machine_let_go(struct conform_machine *m);
