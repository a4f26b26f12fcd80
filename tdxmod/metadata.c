// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of TD-scope fields and the two accesses to an element. Order of checks as in the
 * module: the element is read before its masks are looked at.
 * Source: TDX_1.5.01, metadata_td.c: md_td_get_element, md_td_read_element,
 * md_td_write_element; auto_gen/tdr_tdcs_fields_lookup.c (numbers, masks, in its order).
 */
#include "tdxmod/metadata.h"

#include <stddef.h>
#include <stdio.h>

#include "sim/engine/check.h"
#include "tdxmod/status.h"
#include "tdxmod/td.h"

#define ALL		(~0ull)
#define FIELD_CODE	GENMASK_ULL(23, 0)
#define CLASS_CODE	GENMASK_ULL(61, 56)
#define CONTEXT_CODE	GENMASK_ULL(54, 52)
/* RESERVED_0..3, LAST_ELEMENT_IN_FIELD, LAST_FIELD_IN_SEQUENCE */
#define NOT_SINGLE	(GENMASK_ULL(31, 24) | GENMASK_ULL(49, 34) | BIT_ULL(55) | BIT_ULL(62))

enum where { NOT_MODELLED, IN_TDR, IN_TDCS };

struct md_row {
	u64 id;			/* bits 33:32: log2 of an element's bytes */
	u16 elements;		/* fields times elements */
	u8 where;
	u8 size;		/* bytes here, which may be fewer than the module has */
	u16 offset;
	u64 guest_rd, guest_wr, servtd_rd, servtd_wr;
};

#define HERE(of, member, elem)	.where = of, .size = sizeof(((struct member *)0)->elem), \
				.offset = (u16)offsetof(struct member, elem)

enum { NOTIFY_ENABLES = 9, TD_CTLS = 11, MIG_DEC_KEY = 20, MIG_VERSION = 24 };

static const struct md_row rows[] = {
	/* TD_UUID */
	{ 0x8010000300000020, 4, HERE(IN_TDR, tdr, uuid[0]), ALL, 0, ALL, 0 },
	/* NUM_VCPUS, NUM_L2_VMS */
	{ 0x9010000200000001, 1, HERE(IN_TDCS, tdcs, num_vcpus), 0xffffffff, 0, 0, 0 },
	{ 0x9010000100000005, 1, HERE(IN_TDCS, tdcs, num_l2_vms), 0xffff, 0, 0xffff, 0 },
	/* ATTRIBUTES, XFAM, MAX_VCPUS, GPAW, EPTP, TSC_FREQUENCY */
	{ 0x1110000300000000, 1, HERE(IN_TDCS, tdcs, attributes), ALL, 0, ALL, 0 },
	{ 0x1110000300000001, 1, .guest_rd = ALL, .servtd_rd = ALL },
	{ 0x1110000200000002, 1, HERE(IN_TDCS, tdcs, max_vcpus), 0xffffffff, 0, 0, 0 },
	{ 0x1110000000000003, 1, HERE(IN_TDCS, tdcs, gpaw), 0xff, 0, 0xff, 0 },
	{ 0x1110000300000004, 1, .servtd_rd = 0xfff0000000000fff },
	{ 0x111000010000000c, 1, .guest_rd = 0xffff },
	[NOTIFY_ENABLES] =
	{ 0x9110000300000010, 1, HERE(IN_TDCS, tdcs, notify_enables), 1, 1, 0, 0 },
	/* CONFIG_FLAGS */
	{ 0x1110000300000016, 1, .guest_rd = ALL, .servtd_rd = ALL },
	[TD_CTLS] =
	{ 0x1110000300000017, 1, HERE(IN_TDCS, tdcs, pending_ve_disable), ALL, 1, 0, 0 },
	/* MRTD, MRCONFIGID, MROWNER, MROWNERCONFIG, RTMR: a word stands for each */
	{ 0x1310000300000000, 6, .guest_rd = ALL },
	{ 0x1310000300000010, 6, .guest_rd = ALL },
	{ 0x1310000300000018, 6, .guest_rd = ALL },
	{ 0x1310000300000020, 6, .guest_rd = ALL },
	{ 0x1310000300000040, 24, .guest_rd = ALL },
	/* CPUID_VALUES, EXPORT_COUNT, IMPORT_COUNT */
	{ 0x9410000300000000, 160, .servtd_rd = ALL },
	{ 0x9810000200000002, 1, .servtd_rd = 0xffffffff },
	{ 0x9810000200000003, 1, .servtd_rd = 0xffffffff },
	[MIG_DEC_KEY] =
	{ 0x9810000300000010, 4, HERE(IN_TDCS, tdcs, mig_dec_key[0]), 0, 0, ALL, ALL },
	/* MIG_DEC_WORKING_KEY, MIG_ENC_KEY, MIG_ENC_WORKING_KEY */
	{ 0x9810000300000014, 4, .servtd_rd = ALL },
	{ 0x9810000300000018, 4, .servtd_rd = ALL },
	{ 0x981000030000001c, 4, .servtd_rd = ALL },
	[MIG_VERSION] =
	{ 0x9810000100000020, 1, HERE(IN_TDCS, tdcs, mig_version), 0, 0, 0xffff, 0xffff },
	/* MIG_WORKING_VERSION, PRE_IMPORT_UUID */
	{ 0x9810000100000021, 1, .servtd_rd = 0xffff },
	{ 0x9810000300000040, 4, HERE(IN_TDCS, tdcs, preimport_uuid[0]), ALL, 0, ALL, 0 },
	/* SERVTD_HASH, SERVTD_NUM, SERVTD_BINDINGS_TABLE */
	{ 0x9910000300000000, 6, .guest_rd = ALL, .servtd_rd = ALL },
	{ 0x9910000100000006, 1, HERE(IN_TDCS, tdcs, servtd_num), 0xffff, 0, 0xffff, 0 },
	{ 0x9910000300000080, 16, .guest_rd = ALL },
};

static u64 rd_mask(const struct md_row *row, enum md_access access)
{
	return access == MD_GUEST ? row->guest_rd : row->servtd_rd;
}

static u64 wr_mask(const struct md_row *row, enum md_access access)
{
	return access == MD_GUEST ? row->guest_wr : row->servtd_wr;
}

bool md_is_null(u64 field)
{
	return (field | CONTEXT_CODE) == MD_FIELD_NONE;
}

u64 md_check_single(u64 field)
{
	return field & NOT_SINGLE ? TDX_METADATA_FIELD_ID_INCORRECT : TDX_SUCCESS;
}

static const struct md_row *find(u64 field, u32 *element)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 first = rows[i].id & FIELD_CODE, code = field & FIELD_CODE;

		if (((rows[i].id ^ field) & CLASS_CODE) || code < first ||
		    code >= first + rows[i].elements)
			continue;
		*element = (u32)(code - first);
		return &rows[i];
	}
	return NULL;
}

/* Whether the module has the field cannot be told where the model does not know it */
static u64 unknown(u64 field, const char *leaf)
{
	char where[32];

	snprintf(where, sizeof(where), "0x%llx", (unsigned long long)field);
	check_fail("unsupported-leaf", where, "%s: metadata field 0x%llx is not modelled yet", leaf,
		   (unsigned long long)field);
	return TDX_METADATA_FIELD_ID_INCORRECT;
}

static void *element_at(struct tdr *tdr, struct tdcs *tdcs, const struct md_row *row, u32 element)
{
	char *base = row->where == IN_TDR ? (char *)tdr : (char *)tdcs;

	return base + row->offset + element * row->size;
}

static u64 read_step(const void *p, u8 size)
{
	switch (size) {
	case 1:
		return mem_read8((u8 *)p);
	case 2:
		return mem_read16((u16 *)p);
	case 4:
		return mem_read32((u32 *)p);
	default:
		return mem_read64((u64 *)p);
	}
}

u64 md_read(struct tdr *tdr, struct tdcs *tdcs, u64 field, enum md_access access,
	    const char *leaf, u64 *value)
{
	u32 element = 0;
	const struct md_row *row = find(field, &element);
	u64 found, mask;

	if (!row || !row->where)
		return unknown(field, leaf);
	found = read_step(element_at(tdr, tdcs, row, element), row->size);
	mask = rd_mask(row, access);
	if (!mask)
		return TDX_METADATA_FIELD_NOT_READABLE;
	*value = found & mask;
	return TDX_SUCCESS;
}

static bool cas_step(void *p, u8 size, u64 old, u64 new)
{
	u64 seen;

	switch (size) {
	case 1:
		seen = mem_cmpxchg8((u8 *)p, (u8)old, (u8)new);
		break;
	case 2:
		seen = mem_cmpxchg16((u16 *)p, (u16)old, (u16)new);
		break;
	case 4:
		seen = mem_cmpxchg32((u32 *)p, (u32)old, (u32)new);
		break;
	default:
		seen = mem_cmpxchg64((u64 *)p, old, new);
		break;
	}
	return seen == old;
}

/* Special write handling. CONFIG_FLAGS.FLEXIBLE_PENDING_VE is not modelled: it is 0 */
static u64 special(const struct md_row *row, struct tdcs *tdcs, u64 old, u64 value)
{
	if (row == &rows[TD_CTLS] && ((value ^ old) & 1))
		return TDX_METADATA_FIELD_VALUE_NOT_VALID;
	if (row == &rows[MIG_VERSION] && value)	/* the only version is 0 */
		return TDX_METADATA_FIELD_VALUE_NOT_VALID;
	if (row == &rows[MIG_DEC_KEY])
		mem_write8(&tdcs->mig_dec_key_set, 1);
	return TDX_SUCCESS;
}

u64 md_write(struct tdr *tdr, struct tdcs *tdcs, u64 field, enum md_access access,
	     const char *leaf, u64 value, u64 mask, u64 *old)
{
	u32 element = 0;
	const struct md_row *row = find(field, &element);
	u64 found, may, err;
	void *p;

	if (!row || !row->where)
		return unknown(field, leaf);
	p = element_at(tdr, tdcs, row, element);
	found = read_step(p, row->size);
	may = wr_mask(row, access);
	if (!(may & mask))
		return TDX_METADATA_FIELD_NOT_WRITABLE;
	if ((found ^ value) & mask & ~may)
		return TDX_METADATA_FIELD_VALUE_NOT_VALID;
	value = (found & ~(may & mask)) | (value & may & mask);
	err = special(row, tdcs, found, value);
	if (err)
		return err;
	if (!cas_step(p, row->size, found, value))
		return status_operand(TDX_OPERAND_BUSY, OPERAND_METADATA_FIELD);
	*old = found & rd_mask(row, access);
	return TDX_SUCCESS;
}

u64 md_next(u64 field, enum md_access access)
{
	const struct md_row *row = rows;
	u32 element = 0;

	if (!md_is_null(field)) {
		row = find(field, &element);
		if (!row)
			return MD_FIELD_NONE;
		if (element + 1 < row->elements)
			return field + 1;
		row++;
	}
	for (; row < rows + ARRAY_SIZE(rows); row++) {
		if (rd_mask(row, access))
			return row->id;
	}
	return MD_FIELD_NONE;
}
