// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a TD allows in its states, the S-EPT tree's lock, and the names of the fields.
 * Source: TDX_1.5.01, auto_gen/op_state_lookup.c, helpers.c; versions.md S1 for the lock.
 */
#include "tdxmod/td.h"

#include "sim/engine/hash.h"
#include "sim/engine/region.h"
#include "tdxmod/module.h"
#include "tdxmod/status.h"

/* RUNNABLE, LIVE_EXPORT, LIVE_IMPORT */
bool op_state_tracks(u32 op_state)
{
	return op_state < 11 && (0x20cu >> op_state & 1);
}

bool op_state_any_initialized(u32 op_state)
{
	return op_state != OP_STATE_UNINITIALIZED;
}

u64 tree_acquire(const struct module *mod, struct tdcs *tdcs, enum lock_mode mode)
{
	if (module_switch(mod, S_TREE_HP))
		return sharex_hp_acquire(&tdcs->sept_lock, mode, SIDE_HOST, "SEPT_TREE");
	return mode == LOCK_EXCLUSIVE ? sharex_acquire_ex(&tdcs->sept_lock, "SEPT_TREE") :
					sharex_acquire_sh(&tdcs->sept_lock, "SEPT_TREE");
}

void tree_release(const struct module *mod, struct tdcs *tdcs, enum lock_mode mode)
{
	if (module_switch(mod, S_TREE_HP))
		sharex_hp_release(&tdcs->sept_lock, mode, "SEPT_TREE");
	else if (mode == LOCK_EXCLUSIVE)
		sharex_release_ex(&tdcs->sept_lock, "SEPT_TREE");
	else
		sharex_release_sh(&tdcs->sept_lock, "SEPT_TREE");
}

u64 tsc_multiplier(u16 freq)
{
	return ((u64)freq << 48) / (TSC_SECOND / TSC_FREQUENCY_UNIT);
}

u64 gpa_shared_bit(const struct tdcs *tdcs)
{
	return BIT_ULL(tdcs->gpaw ? 51 : 47);
}

bool gpa_is_private(const struct tdcs *tdcs, u64 gpa)
{
	if (gpa & gpa_shared_bit(tdcs))
		return false;
	return !(gpa >> (tdcs->gpaw ? 52 : 48));
}

void page_clear(u64 hpa)
{
	u64 *page = phys_to_ptr(hpa);

	sim_charge(COST_PAGE_CLEAR_4K, 1);
	mem_write64(page, 0);
	world_fill(page + 1, 0, PAGE_SIZE - sizeof(u64));
}

u64 tdcx_fill(u32 index)
{
	return index == TDCX_SEPT_ROOT ? SEPT_FREE_INIT : index == TDCX_MSR_BITMAPS ? ~0ull : 0;
}

void td_set_uuid(struct module *mod, struct tdr *tdr)
{
	world_set(mod->tds_made, mod->tds_made + 1);
	for (u32 i = 0; i < ARRAY_SIZE(tdr->uuid); i++)
		world_set(tdr->uuid[i], hash_fold(i, ptr_to_phys(tdr), mod->tds_made));
}

/* td_vmcs_init.c; the values of control words: vmcs_defs.h */
void vmcs_init(struct tdvps *vp, const struct tdr *tdr)
{
	world_set(vp->shared_eptp, tdr->tdcx_pa[TDCX_ZERO_PAGE]);	/* td_vmcs_init.c:171 */
	world_set(vp->vmcs.pi_descriptor, NULL_PA);
	world_set(vp->vmcs.pi_vector, PI_VECTOR_INIT);
	world_set(vp->vmcs.pin_based, 0x29);
	world_set(vp->vmcs.secondary, 0x133cb3fa);
}

static const char *const lifecycle_words[] = {
	"HKID_ASSIGNED", "KEYS_CONFIGURED", "BLOCKED", "TEARDOWN", NULL,
};

static const char *const op_state_words[] = {
	"UNINITIALIZED", "INITIALIZED", "RUNNABLE", "LIVE_EXPORT", "PAUSED_EXPORT",
	"POST_EXPORT", "MEMORY_IMPORT", "STATE_IMPORT", "POST_IMPORT", "LIVE_IMPORT",
	"FAILED_IMPORT", NULL,
};

static const char *lifecycle_class(u64 raw)
{
	return raw < ARRAY_SIZE(lifecycle_words) - 1 ? lifecycle_words[raw] : "INVALID";
}

static const char *op_state_class(u64 raw)
{
	return raw < ARRAY_SIZE(op_state_words) - 1 ? op_state_words[raw] : "INVALID";
}

static const char *binding_class(u64 raw)
{
	static const char *const words[] = { "NOT_BOUND", "PRE_BOUND", "BOUND" };

	return raw < ARRAY_SIZE(words) ? words[raw] : "INVALID";
}

static const char *vcpu_class(u64 raw)
{
	switch (raw) {
	case VCPU_READY:
		return "READY";
	case VCPU_ACTIVE:
		return "ACTIVE";
	case VCPU_DISABLED:
		return "DISABLED";
	default:
		return "UNINITIALIZED";
	}
}

static const struct region_field sharex_fields[] = {
	{ "EX", 0, 1 }, { "readers", 1, 15 }, { NULL },
};

static const struct region_field hp_fields[] = {
	{ "EX", 0, 1 }, { "HP", 1, 1 }, { "readers", 2, 14 }, { NULL },
};

enum field {
	F_FATAL, F_LIFECYCLE, F_NUM_TDCX, F_CHLDCNT, F_PKG_CONFIG,
	F_NUM_VCPUS, F_NUM_ASSOC, F_OP_STATE, F_OP_STATE_LOCK, F_TREE, F_NOTIFY, F_PENDING_VE,
	F_EPOCH, F_REFCOUNT, F_EPOCH_LOCK, F_IOTLB_CURR, F_IOTLB_PREV, F_TDINV_LOCK,
	F_RTMR, F_RTMR_VALUE, F_HASH_VALID, F_HASH, F_BINDINGS, F_SERVTD_NUM, F_SERVTD_STATE,
	F_SERVTD_TYPE, F_SERVTD_ATTR, F_SERVTD_INFO_HASH, F_SERVTD_UUID,
	F_STATE, F_LAST_EXIT, F_EPF_COUNT, F_EPF_IDX, F_HP_BUSY, F_LPID, F_VCPU_EPOCH, F_EPF_LIST,
	F_FETCH,
};

static const struct region_type types[] = {
	[F_FATAL] = { .name = "TDR.FATAL" },
	[F_LIFECYCLE] = { .name = "TDR.LIFECYCLE_STATE", .class = lifecycle_class },
	[F_NUM_TDCX] = { .name = "TDR.NUM_TDCX" },
	[F_CHLDCNT] = { .name = "TDR.CHLDCNT" },
	[F_PKG_CONFIG] = { .name = "TDR.PKG_CONFIG_BITMAP" },
	[F_NUM_VCPUS] = { .name = "TDCS.NUM_VCPUS" },
	[F_NUM_ASSOC] = { .name = "TDCS.NUM_ASSOC_VCPUS" },
	[F_OP_STATE] = { .name = "TDCS.OP_STATE", .class = op_state_class },
	[F_OP_STATE_LOCK] = { .name = "TDCS.OP_STATE_LOCK", .fields = hp_fields },
	[F_TREE] = { .name = "TDCS.SEPT_TREE", .fields = sharex_fields },
	[F_NOTIFY] = { .name = "TDCS.NOTIFY_ENABLES" },
	[F_PENDING_VE] = { .name = "TDCS.PENDING_VE_DISABLE" },
	[F_EPOCH] = { .name = "TDCS.TD_EPOCH" },
	[F_REFCOUNT] = { .name = "TDCS.REFCOUNT", .indexed = true },
	[F_EPOCH_LOCK] = { .name = "TDCS.TD_EPOCH_LOCK", .fields = sharex_fields },
	[F_IOTLB_CURR] = { .name = "TDCS.CURR_IOTLB_CNT" },
	[F_IOTLB_PREV] = { .name = "TDCS.PREV_IOTLB_CNT" },
	[F_TDINV_LOCK] = { .name = "TDCS.TDINV_LOCK", .fields = hp_fields },
	[F_RTMR] = { .name = "TDCS.RTMR_LOCK", .fields = hp_fields },
	[F_RTMR_VALUE] = { .name = "TDCS.RTMR", .indexed = true },
	[F_HASH_VALID] = { .name = "TDCS.LAST_TEEINFO_HASH_VALID" },
	[F_HASH] = { .name = "TDCS.LAST_TEEINFO_HASH" },
	[F_BINDINGS] = { .name = "TDCS.SERVTD_BINDINGS_LOCK", .fields = hp_fields },
	[F_SERVTD_NUM] = { .name = "TDCS.SERVTD_NUM" },
	[F_SERVTD_STATE] = { .name = "TDCS.SERVTD_BINDING_STATE", .class = binding_class },
	[F_SERVTD_TYPE] = { .name = "TDCS.SERVTD_TYPE" },
	[F_SERVTD_ATTR] = { .name = "TDCS.SERVTD_ATTR" },
	[F_SERVTD_INFO_HASH] = { .name = "TDCS.SERVTD_INFO_HASH" },
	[F_SERVTD_UUID] = { .name = "TDCS.SERVTD_UUID" },
	[F_STATE] = { .name = "TDVPS.STATE", .class = vcpu_class, .indexed = true },
	[F_LAST_EXIT] = { .name = "TDVPS.LAST_TD_EXIT", .indexed = true },
	[F_EPF_COUNT] = { .name = "TDVPS.POSSIBLY_EPF_STEPPING", .indexed = true },
	[F_EPF_IDX] = { .name = "TDVPS.LAST_EPF_GPA_LIST_IDX", .indexed = true },
	[F_HP_BUSY] = { .name = "TDVPS.HP_LOCK_BUSY", .indexed = true },
	[F_LPID] = { .name = "TDVPS.ASSOC_LPID", .indexed = true },
	[F_VCPU_EPOCH] = { .name = "TDVPS.VCPU_EPOCH", .indexed = true },
	[F_EPF_LIST] = { .name = "TDVPS.LAST_EPF_GPA_LIST", .indexed = true },
	[F_FETCH] = { .name = "guest.fetch", .indexed = true },
};

static void field_add(enum field f, const char *owner, void *p, u8 size, u64 count, u64 index)
{
	region_add(&(struct region){
		.type = &types[f],
		.base = p,
		.count = count,
		.stride = size,
		.size = size,
		.index = index,
		.step = count > 1,
		.owner = owner,
	});
}

#define FIELD(f, lvalue, index) \
	field_add(f, name, &(lvalue), sizeof(lvalue), 1, index)

void tdr_regions(const char *name, struct tdr *tdr)
{
	FIELD(F_FATAL, tdr->fatal, 0);
	FIELD(F_LIFECYCLE, tdr->lifecycle, 0);
	FIELD(F_NUM_TDCX, tdr->num_tdcx, 0);
	FIELD(F_CHLDCNT, tdr->chldcnt, 0);
	FIELD(F_PKG_CONFIG, tdr->pkg_config_bitmap, 0);
}

void tdcs_regions(const char *name, struct tdcs *tdcs)
{
	FIELD(F_NUM_VCPUS, tdcs->num_vcpus, 0);
	FIELD(F_NUM_ASSOC, tdcs->num_assoc_vcpus, 0);
	FIELD(F_OP_STATE, tdcs->op_state, 0);
	FIELD(F_OP_STATE_LOCK, tdcs->op_state_lock, 0);
	FIELD(F_TREE, tdcs->sept_lock, 0);
	FIELD(F_NOTIFY, tdcs->notify_enables, 0);
	FIELD(F_PENDING_VE, tdcs->pending_ve_disable, 0);
	FIELD(F_EPOCH, tdcs->epoch.td_epoch, 0);
	FIELD(F_IOTLB_CURR, tdcs->iotlb.curr, 0);
	FIELD(F_IOTLB_PREV, tdcs->iotlb.prev, 0);
	FIELD(F_TDINV_LOCK, tdcs->iotlb.inv_lock, 0);
	field_add(F_REFCOUNT, name, tdcs->epoch.refcount, 2, 2, 0);
	FIELD(F_EPOCH_LOCK, tdcs->epoch.lock, 0);
	FIELD(F_RTMR, tdcs->rtmr_lock, 0);
	field_add(F_RTMR_VALUE, name, tdcs->rtmr, 8, RTMRS, 0);
	FIELD(F_HASH_VALID, tdcs->last_teeinfo_hash_valid, 0);
	FIELD(F_HASH, tdcs->last_teeinfo_hash, 0);
	FIELD(F_BINDINGS, tdcs->servtd_bindings_lock, 0);
	FIELD(F_SERVTD_NUM, tdcs->servtd_num, 0);
	FIELD(F_SERVTD_STATE, tdcs->servtd_binding[0].state, 0);
	FIELD(F_SERVTD_TYPE, tdcs->servtd_binding[0].type, 0);
	FIELD(F_SERVTD_ATTR, tdcs->servtd_binding[0].attributes, 0);
	FIELD(F_SERVTD_INFO_HASH, tdcs->servtd_binding[0].info_hash, 0);
	FIELD(F_SERVTD_UUID, tdcs->servtd_binding[0].uuid[0], 0);
}

void vcpu_regions(const char *name, struct tdvps *vp)
{
	u32 i = vp->index;

	FIELD(F_STATE, vp->state, i);
	FIELD(F_LAST_EXIT, vp->last_td_exit, i);
	FIELD(F_EPF_COUNT, vp->possibly_epf_stepping, i);
	FIELD(F_EPF_IDX, vp->last_epf_gpa_list_idx, i);
	FIELD(F_HP_BUSY, vp->hp_lock_busy, i);
	FIELD(F_LPID, vp->assoc_lpid, i);
	FIELD(F_VCPU_EPOCH, vp->vcpu_epoch, i);
	FIELD(F_FETCH, vp->fetch, i);
	/* All GPAs of a vCPU under its number */
	region_add(&(struct region){
		.type = &types[F_EPF_LIST],
		.base = vp->last_epf_gpa_list,
		.count = 1,
		.stride = 8 * EPF_LIST,
		.size = 8,
		.index = i,
		.owner = name,
	});
}
