// SPDX-License-Identifier: GPL-2.0-only
/*
 * For each leaf a situation in which it succeeds, built with the module's own calls where they
 * get there and by setting state where others are not modelled. Preparing takes LP 2.
 */
#include "scenarios/probe_priv.h"

#include "sim/engine/mem.h"
#include "sim/engine/arena.h"
#include "sim/engine/undo.h"
#include "tdxmod/flow.h"
#include "tdxmod/guest.h"
#include "tdxmod/observe.h"

/* --- preparing --- */

static u64 call_at(u64 rax, u64 rcx, u64 rdx, u64 r8)
{
	struct tdx_regs r = {
		.rax = rax, .rcx = rcx, .rdx = rdx, .r8 = r8,
		.r9 = NULL_PA, .r10 = NULL_PA, .r11 = NULL_PA,
	};

	sim_self->lp = PROBE_LPS - 1;
	return seamcall(&r);
}

/* S-EPT pages down to the table whose entries are of @level; what is there already stays */
static void tables(struct machine *m, struct place *at, u8 level)
{
	at->level = level;
	for (u8 n = LVL_PML4; n > level; n--)
		call_at(TDH_MEM_SEPT_ADD, (at->gpa & ~(level_size(n) - 1)) | n, m->tdr,
			at->tables + n * PAGE_SIZE);
}

static void block(struct machine *m, const struct place *at)
{
	call_at(TDH_MEM_RANGE_BLOCK, at->gpa | at->level, m->tdr, 0);
}

static void track(struct machine *m)
{
	call_at(TDH_MEM_TRACK, m->tdr, 0, 0);
	call_at(TDH_IQ_INV_PROCESS, 0, m->tdr, 0);	/* the IOMMU's TLB too; S12 */
}

static void set_op_state(struct machine *m, u32 state)
{
	world_set(td_tdcs(tdr_at(m->tdr))->op_state, state);
}

static void to_table(struct machine *m, struct place *at)
{
	tables(m, at, LVL_PT);
}

static void to_directory(struct machine *m, struct place *at)
{
	tables(m, at, LVL_PD);
}

static void pending(struct machine *m, struct place *at)
{
	to_table(m, at);
	call_at(TDH_MEM_PAGE_AUG, at->gpa, m->tdr, at->page);
}

static void mapped(struct machine *m, struct place *at)
{
	u64 *entry;

	pending(m, at);
	entry = probe_entry(m, at, LVL_PT);
	if (entry)
		world_set(*entry, sept_make_leaf(SEPT_RWX, at->page, SEPT_MAPPED));
}

static void blocked(struct machine *m, struct place *at)
{
	mapped(m, at);
	block(m, at);
	track(m);
}

static void table_blocked(struct machine *m, struct place *at)
{
	to_table(m, at);
	at->level = LVL_PD;
	block(m, at);
	track(m);
}

static void large(struct machine *m, struct place *at)
{
	u64 *entry;

	to_directory(m, at);
	if (m->dpamt)
		call_at(TDH_PHYMEM_PAMT_REMOVE, at->page2m | LVL_PD, 0, 0);
	call_at(TDH_MEM_PAGE_AUG, at->gpa | LVL_PD, m->tdr, at->page2m);
	entry = probe_entry(m, at, LVL_PD);
	if (entry)
		world_set(*entry, sept_make_leaf(SEPT_RWX, at->page2m, SEPT_MAPPED));
}

static void large_blocked(struct machine *m, struct place *at)
{
	large(m, at);
	block(m, at);
	track(m);
}

static void split_blocked(struct machine *m, struct place *at)
{
	struct tdx_regs r = {
		.rax = TDH_MEM_PAGE_DEMOTE, .rdx = m->tdr, .r8 = at->fresh,
		.r12 = at->pair, .r13 = at->pair + PAGE_SIZE,
	};

	large_blocked(m, at);
	r.rcx = at->gpa | LVL_PD;
	seamcall(&r);
	block(m, at);
	track(m);
}

/* An epoch has begun, and the IOMMU has not been invalidated for it */
static void waiting_for_iommu(struct machine *m, struct place *at)
{
	at->level = LVL_PT;
	call_at(TDH_MEM_TRACK, m->tdr, 0, 0);
}

static void building(struct machine *m, struct place *at)
{
	to_table(m, at);
	set_op_state(m, OP_STATE_INITIALIZED);
}

static void nothing(struct machine *m, struct place *at)
{
	at->level = LVL_PT;
}

static void zero_stepped(struct machine *m, struct place *at)
{
	struct tdvps *vp = tdvps_at(m->tdvpr[at->vcpu]);

	mapped(m, at);
	world_set(vp->last_epf_gpa_list[0], at->gpa);
	world_set(vp->last_epf_gpa_list_idx, 1);
}

static void associated(struct machine *m, struct place *at)
{
	struct tdcs *tdcs = td_tdcs(tdr_at(m->tdr));

	nothing(m, at);
	world_set(tdvps_at(m->tdvpr[at->vcpu])->assoc_lpid, at->lp);
	world_set(tdcs->num_assoc_vcpus, tdcs->num_assoc_vcpus + 1);
}

static void flushed(struct machine *m, struct place *at)
{
	nothing(m, at);
	call_at(TDH_MNG_VPFLUSHDONE, m->tdr, 0, 0);
}

static void written_back(struct machine *m, struct place *at)
{
	flushed(m, at);
	for (u16 lp = 0; lp < PROBE_LPS; lp += PROBE_LPS - 1) {
		struct tdx_regs r = { .rax = TDH_PHYMEM_CACHE_WB };

		sim_self->lp = lp;
		seamcall(&r);
	}
}

static void torn_down(struct machine *m, struct place *at)
{
	pending(m, at);
	world_set(tdr_at(m->tdr)->lifecycle, TD_TEARDOWN);
}

static void no_pair(struct machine *m, struct place *at)
{
	nothing(m, at);
	call_at(TDH_PHYMEM_PAMT_REMOVE, at->page2m | LVL_PD, 0, 0);
}

/* The vCPU of the place runs its guest on the place's LP */
static void enter(struct machine *m, struct place *at)
{
	struct tdx_regs r = { .rcx = m->tdvpr[at->vcpu] };

	sim_self->lp = at->lp;
	vp_enter_seam(&r);
	sim_self->lp = PROBE_LPS - 1;
}

static void pending_inside(struct machine *m, struct place *at)
{
	pending(m, at);
	enter(m, at);
}

static void mapped_inside(struct machine *m, struct place *at)
{
	mapped(m, at);
	enter(m, at);
}

static void debugged(struct machine *m, struct place *at)
{
	mapped(m, at);
	world_set(td_tdcs(tdr_at(m->tdr))->attributes, ATTRIBUTES_DEBUG);
}

static void bound(struct machine *m, struct place *at)
{
	nothing(m, at);
	m->binding = (struct tdx_regs){ .rax = TDH_SERVTD_BIND, .rcx = m->target, .rdx = m->tdr };
	sim_self->lp = PROBE_LPS - 1;
	seamcall(&m->binding);
	enter(m, at);
}

/* --- another TD, and another vCPU, half built --- */

static u64 new_td(const struct place *at)
{
	return at->build + PAGE_SIZE;
}

static u64 new_vcpu(const struct place *at)
{
	return at->build + 0x10000;
}

static u64 new_key(const struct place *at)
{
	return 40 + at->vcpu;
}

static void td_created(struct machine *m, struct place *at)
{
	nothing(m, at);
	call_at(TDH_MNG_CREATE, new_td(at), new_key(at), 0);
}

/* One LP of each package */
static void keys_configured(struct machine *m, struct place *at)
{
	td_created(m, at);
	for (u16 lp = 0; lp < PROBE_LPS; lp += PROBE_LPS - 1) {
		struct tdx_regs r = { .rax = TDH_MNG_KEY_CONFIG, .rcx = new_td(at) };

		sim_self->lp = lp;
		seamcall(&r);
	}
}

static void tdcs_added(struct machine *m, struct place *at)
{
	struct td_params params = {
		.xfam = XFAM_FIXED1, .max_vcpus = 8, .eptp_controls = 6 | 3 << 3,
		.tsc_frequency = 120,
	};

	keys_configured(m, at);
	for (u32 i = 0; i < TDCX_PAGES; i++)
		call_at(TDH_MNG_ADDCX, at->build + 0x2000 + i * PAGE_SIZE, new_td(at), 0);
	world_store(phys_to_ptr(at->build + 0x80000), &params, sizeof(params));
}

static void vcpu_created(struct machine *m, struct place *at)
{
	nothing(m, at);
	set_op_state(m, OP_STATE_INITIALIZED);
	call_at(TDH_VP_CREATE, new_vcpu(at), m->tdr, 0);
}

static void tdvps_added(struct machine *m, struct place *at)
{
	vcpu_created(m, at);
	for (u32 i = 1; i < TDVPS_PAGES; i++)
		call_at(TDH_VP_ADDCX, new_vcpu(at) + i * PAGE_SIZE, new_vcpu(at), 0);
}

static void vcpu_to_create(struct machine *m, struct place *at)
{
	nothing(m, at);
	set_op_state(m, OP_STATE_INITIALIZED);
}

static void added(struct machine *m, struct place *at)
{
	mapped(m, at);
	set_op_state(m, OP_STATE_INITIALIZED);
}

static void inside(struct machine *m, struct place *at)
{
	nothing(m, at);
	enter(m, at);
}

/* --- registers --- */

static void at_entry(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	r->rcx = at->gpa | at->level;
	r->rdx = m->tdr;
}

static void with_page(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	at_entry(m, at, r);
	r->r8 = at->level ? at->page2m : at->page;
}

static void with_source(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	with_page(m, at, r);
	r->r9 = at->fresh;
}

static void with_table(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	at_entry(m, at, r);
	r->r8 = at->fresh;
	r->r12 = at->pair;
	r->r13 = at->pair + PAGE_SIZE;
}

static void the_td(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	r->rcx = m->tdr;
}

static void the_vcpu(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	r->rcx = m->tdvpr[at->vcpu];
}

static void none(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
}

static void a_page(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	r->rcx = at->page;
}

static void a_region(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	r->rcx = at->page2m | LVL_PD;
	r->rdx = at->pair;
	r->r8 = at->pair + PAGE_SIZE;
}

static void gpa_alone(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	r->rcx = at->gpa | at->level;
}

static void new_page(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	at_entry(m, at, r);
	r->r8 = at->fresh;
}

/* The root of the tree for shared gpas */
static void vcpu_field(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	r->rcx = m->tdvpr[at->vcpu];
	r->rdx = 0x203c;
	r->r8 = at->page;
	r->r9 = NULL_PA;
}

static void an_iommu(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	r->rdx = m->tdr;
}

static void td_and_key(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	r->rcx = new_td(at);
	r->rdx = new_key(at);
}

static void tdcx_page(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	r->rcx = at->build + 0x2000;
	r->rdx = new_td(at);
}

static void td_and_params(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	r->rcx = new_td(at);
	r->rdx = at->build + 0x80000;
}

static void vcpu_of_td(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	r->rcx = new_vcpu(at);
	r->rdx = m->tdr;
}

static void tdvps_page(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	r->rcx = new_vcpu(at) + PAGE_SIZE;
	r->rdx = new_vcpu(at);
}

static void vcpu_alone(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	r->rcx = new_vcpu(at);
	r->rdx = 0;
	r->r8 = 100 + at->vcpu;		/* an x2APIC id that nobody has */
}

static void gpa_of_td(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	r->rcx = at->gpa;
	r->rdx = m->tdr;
}

/* NUM_VCPUS, to the VMM */
static void vmm_field(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	r->rcx = m->tdr;
	r->rdx = 0x9010000200000001;
}

/* HP_LOCK_TIMEOUT, a second of it */
static void vmm_field_to(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	r->rcx = m->tdr;
	r->rdx = 0x9110000300000011;
	r->r8 = 1000000;
	r->r9 = NULL_PA;
}

static void servtd_bind(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	*r = (struct tdx_regs){ .rax = r->rax, .rcx = m->target, .rdx = m->tdr };
}

static void servtd_prebind(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	*r = (struct tdx_regs){ .rax = r->rax, .rcx = m->target, .rdx = at->fresh };
}

/* TD_UUID of the TD that it is bound to */
static void servtd_field(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	r->rcx = m->binding.rcx;
	r->rdx = r->rax == TDG_SERVTD_WR ? 0x9810000100000020 : 0x8010000300000020;
	r->r9 = 0xffff;
	r->r10 = m->binding.r10;
	r->r11 = m->binding.r11;
	r->r12 = m->binding.r12;
	r->r13 = m->binding.r13;
}

static void report(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	r->rcx = at->gpa;
	r->rdx = at->gpa + 0x400;
	r->r8 = 0;
}

static void extend(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	r->rcx = at->gpa + 0x40;
	r->rdx = 3;
}

/* NUM_VCPUS */
/* VCPU_INDEX */
static void own_field(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	r->rdx = 0xa020000200000002;
}

static void td_field(const struct machine *m, const struct place *at, struct tdx_regs *r)
{
	r->rdx = 0x9010000200000001;
}

#define ENTRY .entry = TRUE

static const struct recipe recipes[] = {
	{ "TDH.MEM.SEPT.ADD", TDH_MEM_SEPT_ADD, ENTRY, .prepare = to_directory,
	  .registers = with_table },
	{ "TDH.MEM.PAGE.ADD", TDH_MEM_PAGE_ADD, ENTRY, .prepare = building,
	  .registers = with_source },
	{ "TDH.MEM.PAGE.AUG", TDH_MEM_PAGE_AUG, ENTRY, .prepare = to_table,
	  .registers = with_page },
	{ "TDH.MEM.PAGE.REMOVE", TDH_MEM_PAGE_REMOVE, ENTRY, .prepare = blocked,
	  .registers = at_entry },
	{ "TDH.MEM.RANGE.BLOCK", TDH_MEM_RANGE_BLOCK, ENTRY, .prepare = mapped,
	  .registers = at_entry },
	{ "TDH.MEM.RANGE.UNBLOCK", TDH_MEM_RANGE_UNBLOCK, ENTRY, .prepare = blocked,
	  .registers = at_entry },
	{ "TDH.MEM.SEPT.REMOVE", TDH_MEM_SEPT_REMOVE, ENTRY, .prepare = table_blocked,
	  .registers = at_entry },
	{ "TDH.MEM.PAGE.DEMOTE", TDH_MEM_PAGE_DEMOTE, ENTRY, .prepare = large_blocked,
	  .registers = with_table },
	{ "TDH.MEM.PAGE.PROMOTE", TDH_MEM_PAGE_PROMOTE, ENTRY, .prepare = split_blocked,
	  .registers = at_entry },
	{ "TDH.MEM.SEPT.RD", TDH_MEM_SEPT_RD, ENTRY, .prepare = mapped, .registers = at_entry },
	{ "TDH.MEM.PAGE.RELOCATE", TDH_MEM_PAGE_RELOCATE, ENTRY, .prepare = blocked,
	  .registers = new_page },
	{ "TDH.MEM.RD", TDH_MEM_RD, ENTRY, .prepare = debugged, .registers = at_entry },
	{ "TDH.MEM.WR", TDH_MEM_WR, ENTRY, .prepare = debugged, .registers = at_entry },
	{ "TDH.MEM.TRACK", TDH_MEM_TRACK, .prepare = nothing, .registers = the_td },
	{ "TDH.MR.FINALIZE", TDH_MR_FINALIZE, .prepare = building, .registers = the_td },
	{ "TDH.VP.ENTER", TDH_VP_ENTER, .vcpu = TRUE, .stays = TRUE, .prepare = nothing,
	  .registers = the_vcpu },
	{ "TDH.VP.ENTER zero-step", TDH_VP_ENTER, .vcpu = TRUE, .stays = TRUE,
	  .prepare = zero_stepped, .registers = the_vcpu },
	{ "TDH.VP.FLUSH", TDH_VP_FLUSH, .vcpu = TRUE, .prepare = associated,
	  .registers = the_vcpu },
	{ "TDH.VP.WR", TDH_VP_WR, .vcpu = TRUE, .prepare = associated,
	  .registers = vcpu_field },
	{ "TDH.VP.RD", TDH_VP_RD, .vcpu = TRUE, .prepare = associated,
	  .registers = vcpu_field },
	{ "TDH.MNG.CREATE", TDH_MNG_CREATE, .other = TRUE, .prepare = nothing,
	  .registers = td_and_key },
	{ "TDH.MNG.KEY.CONFIG", TDH_MNG_KEY_CONFIG, .other = TRUE, .prepare = td_created,
	  .registers = td_and_key },
	{ "TDH.MNG.ADDCX", TDH_MNG_ADDCX, .other = TRUE, .prepare = keys_configured,
	  .registers = tdcx_page },
	{ "TDH.MNG.INIT", TDH_MNG_INIT, .other = TRUE, .prepare = tdcs_added,
	  .registers = td_and_params },
	{ "TDH.MNG.RD", TDH_MNG_RD, .prepare = nothing, .registers = vmm_field },
	{ "TDH.MNG.WR", TDH_MNG_WR, .prepare = nothing, .registers = vmm_field_to },
	{ "TDH.VP.CREATE", TDH_VP_CREATE, .prepare = vcpu_to_create, .registers = vcpu_of_td },
	{ "TDH.VP.ADDCX", TDH_VP_ADDCX, .prepare = vcpu_created, .registers = tdvps_page },
	{ "TDH.VP.INIT", TDH_VP_INIT, .prepare = tdvps_added, .registers = vcpu_alone },
	{ "TDH.VP.INIT v1", TDH_VP_INIT, .version = 1, .prepare = tdvps_added,
	  .registers = vcpu_alone },
	{ "TDH.MR.EXTEND", TDH_MR_EXTEND, .prepare = added, .registers = gpa_of_td },
	{ "TDH.MNG.KEY.RECLAIMID", TDH_MNG_KEY_RECLAIMID, .prepare = nothing,
	  .registers = the_td },
	{ "TDH.MNG.VPFLUSHDONE", TDH_MNG_VPFLUSHDONE, .prepare = nothing, .registers = the_td },
	{ "TDH.PHYMEM.CACHE.WB", TDH_PHYMEM_CACHE_WB, .prepare = flushed, .registers = none },
	{ "TDH.MNG.KEY.FREEID", TDH_MNG_KEY_FREEID, .prepare = written_back, .registers = the_td },
	{ "TDH.PHYMEM.PAGE.RECLAIM", TDH_PHYMEM_PAGE_RECLAIM, .prepare = torn_down,
	  .registers = a_page },
	{ "TDH.PHYMEM.PAGE.WBINVD", TDH_PHYMEM_PAGE_WBINVD, .prepare = nothing,
	  .registers = a_page },
	{ "TDH.PHYMEM.PAGE.RDMD", TDH_PHYMEM_PAGE_RDMD, .prepare = pending, .registers = a_page },
	{ "TDH.IQ.INV.PROCESS", TDH_IQ_INV_PROCESS, .prepare = waiting_for_iommu,
	  .registers = an_iommu },
	{ "TDH.SERVTD.BIND", TDH_SERVTD_BIND, .prepare = nothing, .registers = servtd_bind },
	{ "TDH.SERVTD.PREBIND", TDH_SERVTD_PREBIND, .prepare = nothing,
	  .registers = servtd_prebind },
	{ "TDH.PHYMEM.PAMT.ADD", TDH_PHYMEM_PAMT_ADD, .prepare = no_pair, .registers = a_region },
	{ "TDH.PHYMEM.PAMT.REMOVE", TDH_PHYMEM_PAMT_REMOVE, .prepare = nothing,
	  .registers = a_region },
	{ "TDG.MEM.PAGE.ACCEPT", TDG_MEM_PAGE_ACCEPT, ENTRY, .guest = TRUE,
	  .prepare = pending_inside, .registers = gpa_alone },
	{ "TDG.MEM.PAGE.ATTR.RD", TDG_MEM_PAGE_ATTR_RD, ENTRY, .guest = TRUE,
	  .prepare = mapped_inside, .registers = gpa_alone },
	{ "TDG.MEM.PAGE.ATTR.WR", TDG_MEM_PAGE_ATTR_WR, ENTRY, .guest = TRUE,
	  .prepare = mapped_inside, .registers = gpa_alone },
	{ "TDG.MR.REPORT", TDG_MR_REPORT, .guest = TRUE, .prepare = mapped_inside,
	  .registers = report },
	{ "TDG.MR.RTMR.EXTEND", TDG_MR_RTMR_EXTEND, .guest = TRUE, .prepare = mapped_inside,
	  .registers = extend },
	{ "TDG.SERVTD.RD", TDG_SERVTD_RD, .guest = TRUE, .prepare = bound,
	  .registers = servtd_field },
	{ "TDG.SERVTD.WR", TDG_SERVTD_WR, .guest = TRUE, .prepare = bound,
	  .registers = servtd_field },
	{ "TDG.VM.RD", TDG_VM_RD, .guest = TRUE, .prepare = inside, .registers = td_field },
	{ "TDG.VP.RD", TDG_VP_RD, .guest = TRUE, .prepare = inside, .registers = own_field },
	{ "TDG.VP.INFO", TDG_VP_INFO, .guest = TRUE, .prepare = inside, .registers = none },
};

const struct recipe *probe_recipes(guint *n)
{
	*n = G_N_ELEMENTS(recipes);
	return recipes;
}
