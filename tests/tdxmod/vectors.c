// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replays sequences recorded from the real module, each operation on its LP, one after the
 * other, and compares status, registers, entries, locks, epochs, PAMT, vCPU and the digest
 * of the whole S-EPT. Locks held by others are taken and released as recorded.
 */
#include "tests/tdxmod/replay.h"

#include <stdlib.h>
#include <string.h>

static void check_registers(struct replay *p)
{
	const char *op = replay_text(p, "op");
	bool vp_enter = !strcmp(op, "TDH.VP.ENTER");
	bool silent = !strcmp(op, "TDH.MEM.TRACK") || !strcmp(op, "TDH.MR.FINALIZE") ||
		      !strcmp(op, "TDH.VP.FLUSH") || !strcmp(op, "TDH.MNG.VPFLUSHDONE") ||
		      !strcmp(op, "TDH.MNG.KEY.FREEID") || !strcmp(op, "TDH.PHYMEM.CACHE.WB") ||
		      (vp_enter && replay_num(p, "rax", 0) != EXIT_REASON_EPT_VIOLATION);

	if (strcmp(p->exit, replay_text(p, "exit")))
		fail_msg("exit is \"%s\"\n%s", p->exit, p->line);
	replay_want(p, "rax", p->r.rax, replay_num(p, "rax", 0));
	if (silent)
		return;
	replay_want(p, "rcx", p->r.rcx, replay_num(p, "rcx", 0));
	replay_want(p, "rdx", p->r.rdx, replay_num(p, "rdx", 0));
	if (!g_str_has_prefix(op, "TDH.MEM") ||
	    (!strcmp(op, "TDH.MEM.SEPT.ADD") && replay_num(p, "ver", 0)))
		replay_want(p, "r8", p->r.r8, replay_num(p, "r8", 0));
}

static void check_lists(struct replay *p)
{
	g_auto(GStrv) pamt = g_strsplit(replay_text(p, "pamt"), ",", -1);
	g_auto(GStrv) v = g_strsplit(replay_text(p, "v"), ",", -1);
	g_auto(GStrv) lc = g_strsplit(replay_text(p, "lc"), ",", -1);
	g_auto(GStrv) rc = g_strsplit(replay_text(p, "rc"), ",", -1);

	if (*pamt) {
		struct pamt_entry *e = pamt_entry_of(p->mod, strtoull(pamt[0], NULL, 0),
			!strcmp(pamt[1], "4k") ? SIZE_4K : !strcmp(pamt[1], "2m") ? SIZE_2M : SIZE_1G);

		replay_want(p, "PAMT.PT", e->pt, strtoull(pamt[2], NULL, 0));
		replay_want(p, "PAMT.LOCK", e->lock, strtoull(pamt[3], NULL, 0));
		replay_want(p, "PAMT.BEPOCH", e->bepoch, strtoull(pamt[4], NULL, 0));
	}
	if (*v) {
		struct tdvps *vp = tdvps_at(p->td.tdvpr[replay_num(p, "vcpu", 0)]);

		replay_want(p, "STATE", vp->state, strtoull(v[0], NULL, 0));
		replay_want(p, "ASSOC_LPID", vp->assoc_lpid, (u32)strtoll(v[1], NULL, 0));
		replay_want(p, "VCPU_EPOCH", vp->vcpu_epoch, strtoull(v[2], NULL, 0));
		replay_want(p, "POSSIBLY_EPF_STEPPING", vp->possibly_epf_stepping,
		     strtoull(v[3], NULL, 0));
		replay_want(p, "LAST_EPF_GPA_LIST_IDX", vp->last_epf_gpa_list_idx,
		     strtoull(v[4], NULL, 0));
		replay_want(p, "HP_LOCK_BUSY", vp->hp_lock_busy, strtoull(v[5], NULL, 0));
	}
	if (*lc) {
		replay_want(p, "LIFECYCLE_STATE", p->tdr->lifecycle, strtoull(lc[0], NULL, 0));
		replay_want(p, "KOT.STATE", p->mod->kot[33].state, strtoull(lc[1], NULL, 0));
		replay_want(p, "KOT.WBINVD_BITMAP", p->mod->kot[33].wbinvd_bitmap,
		     strtoull(lc[2], NULL, 0));
		replay_want(p, "NUM_ASSOC_VCPUS", p->tdcs->num_assoc_vcpus, strtoull(lc[3], NULL, 0));
	}
	replay_want(p, "TD_EPOCH", p->tdcs->epoch.td_epoch, replay_num(p, "td_epoch", 0));
	replay_want(p, "REFCOUNT[0]", p->tdcs->epoch.refcount[0], *rc ? strtoull(rc[0], NULL, 0) : 0);
	replay_want(p, "REFCOUNT[1]", p->tdcs->epoch.refcount[1], *rc ? strtoull(rc[1], NULL, 0) : 0);
}

static void check_op(struct replay *p)
{
	check_registers(p);
	if (p->slot) {
		replay_want(p, "the entry before", p->entry_before, replay_num(p, "entry_before", 0));
		replay_want(p, "the entry after", *p->slot, replay_num(p, "entry_after", 0));
		replay_want(p, "its level", p->entry_level, replay_num(p, "wl", replay_num(p, "rcx_in",
		     replay_num(p, "level", 0)) & 7));
	}
	replay_check_locks(p, "tree_after", replay_text(p, "pl"), false);
	check_lists(p);
	p->cc = replay_num(p, "cc", p->cc);
	replay_want(p, "CHLDCNT", p->tdr->chldcnt, p->cc);
	replay_want(p, "digest of the S-EPT", (u32)replay_digest(0x5000, 3),
	     strtoull(replay_text(p, "td"), NULL, 16));
	if (p->hold.p)
		module_lock_release(&p->hold, p->hold_how);
	if (check_count(p->sim))
		fail_msg("violation %s: %s\n%s", check_at(p->sim, 0)->id,
			 check_at(p->sim, 0)->text, p->line);
}

static void test_replay(void **state)
{
	const char *other = getenv("TDX_VECTORS");
	g_autofree char *all = NULL;
	struct replay p = {
		.f = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
	};
	u64 ops = 0;

	if (other)
		assert_true(g_file_get_contents(other, &all, NULL, NULL));
	else
		all = test_file("seamcall.txt");
	for (char *line = all, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		assert_non_null(end);
		*end = 0;
		if (*line == '#')
			continue;
		replay_parse(&p, line);
		if (g_hash_table_contains(p.f, "seq")) {
			replay_begin(&p);
			continue;
		}
		replay_op(&p);
		check_op(&p);
		ops++;
	}
	print_message("%llu operations\n", (unsigned long long)ops);
	assert_true(ops > 1000);
	sim_free(p.sim);
	g_hash_table_unref(p.f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
