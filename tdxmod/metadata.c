// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading and writing one element of metadata: which it is, what the caller may do, one access
 * to it. Order of checks as in the module: the element is read before its masks are looked at.
 * Source: TDX_1.5.01, common/metadata_handlers/metadata_{generic,td,vp}.c.
 */
#include "tdxmod/metadata.h"

#include <stddef.h>

#include "sim/engine/check.h"
#include "tdxmod/flow.h"

#define ID_CONTEXT	GENMASK_ULL(54, 52)
#define ID_CODE		GENMASK_ULL(23, 0)
/* Reserved bits, LAST_ELEMENT_IN_FIELD, LAST_FIELD_IN_SEQUENCE */
#define ID_NOT_SINGLE	(GENMASK_ULL(31, 24) | GENMASK_ULL(49, 34) | BIT_ULL(55) | BIT_ULL(62))

#define CONTEXT_TD	1ull
#define CONTEXT_VP	2ull

enum md_class { CLASS_VMCS = 0x00, CLASS_CPUID = 0x14 };

#define CPUID_RESERVED	GENMASK_ULL(31, 17)
#define CPUID_FIRST	0x3feull	/* leaf 1, no subleaf, element 0 */
#define NUM_CPUIDS	64u

/* Fields of which a value or a write means more */
#define TD_HP_LOCK_TIMEOUT	0x9110000300000011ull
#define TD_NUM_CPUID_VALUES	0x911000010000000eull
#define TD_EPTP			0x1110000300000004ull
#define TD_TD_CTLS		0x1110000300000017ull
#define TD_MIG_DEC_KEY		0x9810000300000010ull
#define TD_MIG_VERSION		0x9810000100000020ull
#define VP_PI_VECTOR		0x0024000100000002ull
#define VP_PI_DESCRIPTOR	0x0024000300002016ull
#define VP_PIN_BASED		0x0024000200004000ull
#define VP_XFAM			0x202000030000000cull

#define HP_LOCK_TIMEOUT_MIN	10000ull	/* microseconds */
#define HP_LOCK_TIMEOUT_MAX	100000000ull
#define TICKS_PER_USEC		(TSC_SECOND / 1000000)

#define PIN_POSTED_INTERRUPTS	BIT_ULL(7)
#define PI_VECTOR_MAX		255u
#define PI_DESCRIPTOR_SIZE	64u

static u32 class_of(u64 id)
{
	return id >> 56 & 0x3f;
}

static u32 stride_of(u64 id)
{
	return 1 + (id >> 50 & 1);
}

static u64 size_mask(const struct md_field *m)
{
	return ~0ull >> (64 - (8u << (m->id >> 32 & 3)));
}

static const struct md_table *tables(const struct md_context *c)
{
	return c->vp ? md_vp_tables : md_td_tables;
}

enum md_access md_host(const struct tdcs *tdcs)
{
	return tdcs->attributes & ATTRIBUTES_DEBUG ? MD_HOST_OF_DEBUG_TD : MD_HOST;
}

bool md_is_null(u64 field)
{
	return (field | ID_CONTEXT) == MD_FIELD_NONE;
}

u64 md_check_single(u64 field)
{
	return field & ID_NOT_SINGLE ? TDX_METADATA_FIELD_ID_INCORRECT : TDX_SUCCESS;
}

static const struct md_field *find(const struct md_context *c, u64 id, const struct md_table **at)
{
	/* The code of a CPUID field holds leaf and subleaf; bit 0 is the element */
	u64 code = !c->vp && class_of(id) == CLASS_CPUID ? id & 1 : id & ID_CODE;

	for (const struct md_table *t = tables(c); t->n; t++) {
		for (const struct md_field *m = t->field; m < t->field + t->n; m++) {
			u64 first = m->id & ID_CODE;

			if (class_of(id) != class_of(m->id) || code < first ||
			    code >= first + m->fields * m->elements * stride_of(m->id))
				continue;
			*at = t;
			return m;
		}
	}
	return NULL;
}

static void unsupported(const struct md_context *c, const struct md_field *m)
{
	check_fail("unsupported-leaf", c->leaf, "%s of \"%s\" is not modelled", c->leaf, m->name);
}

u64 md_next(const struct md_context *c, u64 id)
{
	const struct md_table *t = tables(c);
	const struct md_field *m = md_is_null(id) ? NULL : find(c, id, &t);
	bool cpuid = m && !c->vp && class_of(id) == CLASS_CPUID;

	if (!m && !md_is_null(id))
		return MD_FIELD_NONE;
	id = (id & ~ID_CONTEXT) | (c->vp ? CONTEXT_VP : CONTEXT_TD) << 52;
	if (cpuid)
		unsupported(c, m);
	for (;;) {
		u64 more = m ? m->fields * m->elements * stride_of(m->id) : 0;

		if (m && !cpuid && (id & ID_CODE) - (m->id & ID_CODE) + stride_of(m->id) < more) {
			id += stride_of(m->id);
		} else {
			m = m ? m + 1 : t->field;
			if (m == t->field + t->n) {
				t++;
				if (!t->n)
					return MD_FIELD_NONE;
				m = t->field;
			}
			id = m->id;
			if (!c->vp && class_of(id) == CLASS_CPUID)
				id |= CPUID_FIRST;
		}
		if (m->rd[c->access])
			return id;
		cpuid = !c->vp && class_of(id) == CLASS_CPUID;
	}
}

static void *place(const struct md_context *c, const struct md_field *m, u64 id)
{
	char *base = m->in == MD_TDR ? (char *)c->tdr : m->in == MD_TDCS ? (char *)c->tdcs :
								   (char *)c->vp;

	return base + m->offset + ((id & ID_CODE) - (m->id & ID_CODE)) / stride_of(m->id) * m->size;
}

static u64 load(void *p, u8 size)
{
	switch (size) {
	case 1:
		return mem_read8(p);
	case 2:
		return mem_read16(p);
	case 4:
		return mem_read32(p);
	default:
		return mem_read64(p);
	}
}

static void store(void *p, u64 v, u8 size)
{
	switch (size) {
	case 1:
		mem_write8(p, v);
		break;
	case 2:
		mem_write16(p, v);
		break;
	case 4:
		mem_write32(p, v);
		break;
	default:
		mem_write64(p, v);
		break;
	}
}

static u64 compare_and_store(void *p, u64 old, u64 v, u8 size)
{
	switch (size) {
	case 1:
		return mem_cmpxchg8(p, old, v);
	case 2:
		return mem_cmpxchg16(p, old, v);
	case 4:
		return mem_cmpxchg32(p, old, v);
	default:
		return mem_cmpxchg64(p, old, v);
	}
}

static u64 vmcs_load(const struct md_context *c, const struct md_field *m)
{
	const struct tdvps *vp = c->vp;

	sim_charge(COST_VMREAD, 1);
	switch (m->offset) {
	case offsetof(struct tdvps, vmcs.pi_vector):
		return vp->vmcs.pi_vector;
	case offsetof(struct tdvps, vmcs.pi_descriptor):
		return vp->vmcs.pi_descriptor;
	case offsetof(struct tdvps, shared_eptp):
		/* The TD's page of zeroes has the TD's key until the VMM sets another root */
		return vp->shared_eptp == c->tdr->tdcx_pa[TDCX_ZERO_PAGE] ?
			vp->shared_eptp | (u64)c->tdr->hkid << HKID_SHIFT : vp->shared_eptp;
	case offsetof(struct tdvps, vmcs.pin_based):
		return vp->vmcs.pin_based;
	case offsetof(struct tdvps, vmcs.secondary):
		return vp->vmcs.secondary;
	default:
		return vp->vmcs.instruction_timeout;
	}
}

static u64 computed(const struct md_context *c, const struct md_field *m)
{
	switch (m->id) {
	case TD_NUM_CPUID_VALUES:
		return NUM_CPUIDS;
	case TD_EPTP:
		return c->tdcs->eptp | c->tdcs->pwl << 3 | 6;
	default:		/* VCPU_STATE_DETAILS: no virtual interrupt is ever pending */
		return 0;
	}
}

/* md_td_get_element(), md_vp_get_element(): the value, before any mask */
static u64 get(const struct md_context *c, const struct md_field *m, u64 id, u64 *value)
{
	if (!c->vp && class_of(id) == CLASS_CPUID && (id & CPUID_RESERVED))
		return TDX_METADATA_FIELD_ID_INCORRECT;
	if (c->vp && class_of(id) == CLASS_VMCS && (id & 1))	/* the high half of a field */
		return TDX_METADATA_FIELD_ID_INCORRECT;
	switch (m->in) {
	case MD_NOWHERE:
		*value = 0;
		break;
	case MD_VMCS:
		*value = vmcs_load(c, m);
		break;
	case MD_VIRTUAL:
		*value = computed(c, m);
		break;
	default:
		*value = load(place(c, m, id), m->size);
		break;
	}
	if (m->id == TD_HP_LOCK_TIMEOUT)
		*value /= TICKS_PER_USEC;
	if (m->kind == MD_KEYED_HPA && *value)
		*value |= (u64)c->tdr->hkid << HKID_SHIFT;
	return TDX_SUCCESS;
}

u64 md_read(const struct md_context *c, u64 id, u64 *value)
{
	const struct md_table *t;
	const struct md_field *m = find(c, id, &t);
	u64 found, err;

	if (!m)
		return TDX_METADATA_FIELD_ID_INCORRECT;
	err = get(c, m, id, &found);
	if (err)
		return err;
	if (!m->rd[c->access])
		return TDX_METADATA_FIELD_NOT_READABLE;
	if (m->in == MD_NOWHERE)
		unsupported(c, m);
	*value = found & m->rd[c->access];
	return TDX_SUCCESS;
}

/* In microseconds; kept in 32 bits of TSC ticks, what is above is lost: so it is there */
static u64 set_hp_lock_timeout(const struct md_context *c, const struct md_field *m, u64 usec,
			       u64 mask)
{
	if (mask != ~0ull)
		return TDX_METADATA_WR_MASK_NOT_VALID;
	if (usec > HP_LOCK_TIMEOUT_MAX || usec < HP_LOCK_TIMEOUT_MIN)
		return TDX_METADATA_FIELD_VALUE_NOT_VALID;
	store(place(c, m, m->id), (u32)(usec * TICKS_PER_USEC), m->size);
	return TDX_SUCCESS;
}

/* What a write of some fields needs or does beside */
static u64 special_td(const struct md_context *c, const struct md_field *m, u64 old, u64 value)
{
	switch (m->id) {
	case TD_TD_CTLS:	/* PENDING_VE_DISABLE is the guest's to change if the VMM lets it */
		if (c->access == MD_GUEST && ((value ^ old) & 1) &&
		    !(c->tdcs->config_flags & CONFIG_FLAGS_FLEXIBLE_PENDING_VE))
			return TDX_METADATA_FIELD_VALUE_NOT_VALID;
		return TDX_SUCCESS;
	case TD_MIG_VERSION:	/* the only version is 0 */
		return value ? TDX_METADATA_FIELD_VALUE_NOT_VALID : TDX_SUCCESS;
	case TD_MIG_DEC_KEY:
		mem_write8(&c->tdcs->mig_dec_key_set, 1);
		return TDX_SUCCESS;
	default:
		return TDX_SUCCESS;
	}
}

static u64 write_td(const struct md_context *c, const struct md_field *m, u64 id, u64 value,
		    u64 request, u64 *before)
{
	u64 old, seen, wr = m->wr[c->access], mask = wr & request, err = get(c, m, id, &old);

	if (err)
		return err;
	if (!mask)
		return TDX_METADATA_FIELD_NOT_WRITABLE;
	if ((old ^ value) & request & ~wr)
		return TDX_METADATA_FIELD_VALUE_NOT_VALID;
	value = (old & ~mask) | (value & mask);
	*before = old & m->rd[c->access];
	if (m->id == TD_HP_LOCK_TIMEOUT)
		return set_hp_lock_timeout(c, m, value, mask);
	err = special_td(c, m, old, value);
	if (err)
		return err;
	if (m->in == MD_NOWHERE) {
		unsupported(c, m);
		return TDX_SUCCESS;
	}
	seen = compare_and_store(place(c, m, id), old, value, m->size);
	return seen == old ? TDX_SUCCESS : status_operand(TDX_OPERAND_BUSY, OPERAND_METADATA_FIELD);
}

/* md_vp_element_vmcs_wr_handle() */
static u64 check_vmcs(const struct md_context *c, const struct md_field *m, u64 value)
{
	if (m->id == VP_PI_VECTOR && value > PI_VECTOR_MAX)
		return TDX_METADATA_FIELD_VALUE_NOT_VALID;
	if (m->id != VP_PIN_BASED || !(value & PIN_POSTED_INTERRUPTS))
		return TDX_SUCCESS;
	if (c->vp->vmcs.pi_vector == PI_VECTOR_INIT)
		return TDX_TD_VMCS_FIELD_NOT_INITIALIZED | (VP_PI_VECTOR & ID_CODE);
	if (c->vp->vmcs.pi_descriptor == NULL_PA)
		return TDX_TD_VMCS_FIELD_NOT_INITIALIZED | (VP_PI_DESCRIPTOR & ID_CODE);
	return TDX_SUCCESS;
}

static void vmcs_store(const struct md_context *c, const struct md_field *m, u64 value)
{
	struct tdvps *vp = c->vp;

	sim_charge(COST_VMREAD, 1);
	switch (m->offset) {
	case offsetof(struct tdvps, vmcs.pi_vector):
		world_set(vp->vmcs.pi_vector, value);
		break;
	case offsetof(struct tdvps, vmcs.pi_descriptor):
		world_set(vp->vmcs.pi_descriptor, value);
		break;
	case offsetof(struct tdvps, shared_eptp):
		world_set(vp->shared_eptp, value);
		break;
	case offsetof(struct tdvps, vmcs.pin_based):
		world_set(vp->vmcs.pin_based, value);
		break;
	case offsetof(struct tdvps, vmcs.secondary):
		world_set(vp->vmcs.secondary, value);
		break;
	default:
		world_set(vp->vmcs.instruction_timeout, value);
		break;
	}
}

/* md_vp_write_element(), up to the store; *@value: asked for, then what is to be stored */
static u64 check_vp_value(const struct md_context *c, const struct md_field *m, u64 old,
			  u64 request, u64 *value)
{
	u64 wr = m->wr[c->access], mask = wr & request, before = mask == size_mask(m) ? 0 : old;

	if (!mask)
		return TDX_METADATA_FIELD_NOT_WRITABLE;
	/* NULL_PA, as no VMM can write it */
	if (m->kind != MD_PLAIN && before >> 63)
		before &= wr;
	if ((before ^ *value) & request & ~wr)
		return TDX_METADATA_FIELD_VALUE_NOT_VALID;
	*value = (before & ~mask) | (*value & mask);
	if (m->kind == MD_SHARED_HPA &&
	    !shared_hpa_valid(*value, m->id == VP_PI_DESCRIPTOR ? PI_DESCRIPTOR_SIZE : PAGE_SIZE))
		return TDX_METADATA_FIELD_VALUE_NOT_VALID;
	if (m->kind == MD_PRIVATE_GPA && !gpa_is_private(c->tdcs, *value))
		return TDX_METADATA_FIELD_VALUE_NOT_VALID;
	if (m->id == VP_XFAM)		/* 1.5.01 has it writable in a debug TD, and refuses */
		return TDX_METADATA_FIELD_NOT_WRITABLE;
	return class_of(m->id) == CLASS_VMCS ? check_vmcs(c, m, *value) : TDX_SUCCESS;
}

static u64 write_vp(const struct md_context *c, const struct md_field *m, u64 id, u64 value,
		    u64 request, u64 *before)
{
	u64 old, err = get(c, m, id, &old);

	if (err)
		return err;
	err = check_vp_value(c, m, old, request, &value);
	if (err)
		return err;
	if (m->in == MD_VMCS)
		vmcs_store(c, m, value);
	else if (m->in == MD_NOWHERE)
		unsupported(c, m);
	else
		store(place(c, m, id), value, m->size);
	*before = old & m->rd[c->access];
	return TDX_SUCCESS;
}

u64 md_write(const struct md_context *c, u64 id, u64 value, u64 mask, u64 *old)
{
	const struct md_table *t;
	const struct md_field *m = find(c, id, &t);

	if (!m)
		return TDX_METADATA_FIELD_ID_INCORRECT;
	return c->vp ? write_vp(c, m, id, value, mask, old) : write_td(c, m, id, value, mask, old);
}

struct md_request md_write_request(const struct tdx_regs *g)
{
	return (struct md_request){
		.write = true, .field = g->rdx, .value = g->r8, .mask = g->r9,
	};
}

u64 md_request_of(struct md_request *q, struct tdx_regs *r, u32 version, bool write)
{
	*q = (struct md_request){
		.version = version, .write = write,
		.field = r->rdx, .value = r->r8, .mask = r->r9,
	};
	if (!write && version)
		r->rdx = MD_FIELD_NONE;
	r->r8 = 0;
	return version > 1 ? status_operand(TDX_OPERAND_INVALID, OPERAND_RAX) : TDX_SUCCESS;
}

u64 md_rd_wr(const struct md_context *c, const struct md_request *q, struct tdx_regs *r)
{
	u64 value, err;

	if (!q->write && q->version && md_is_null(q->field)) {
		r->rdx = md_next(c, q->field);
		return TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT;
	}
	err = md_check_single(q->field);
	if (err)
		return err;
	if (q->write)
		err = md_write(c, q->field, q->value, q->mask, &value);
	else
		err = md_read(c, q->field, &value);
	if (err)
		return err;
	if (!q->write && q->version)
		r->rdx = md_next(c, q->field);
	r->r8 = value;
	return TDX_SUCCESS;
}
