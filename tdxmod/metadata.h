/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * TD-scope metadata: the fields of TDR and TDCS by their numbers, and who may read and write
 * which bits of them. The table has every field that a guest or a service TD can reach.
 * Source: TDX_1.5.01, metadata_handlers/metadata_generic.c, metadata_td.c,
 * auto_gen/tdr_tdcs_fields_lookup.c.
 */
#include "sim/engine/types.h"

struct tdcs;
struct tdr;

#define MD_FIELD_NONE	(~0ull)

enum md_access { MD_GUEST, MD_SERVTD };

/*
 * md_check_single - is @field the number of one element, not of a sequence?
 * md_read, md_write - one element: the read is a step, the write a CMPXCHG. Return TDX_SUCCESS,
 * METADATA_FIELD_ID_INCORRECT, FIELD_NOT_READABLE, FIELD_NOT_WRITABLE, FIELD_VALUE_NOT_VALID or
 * OPERAND_BUSY|METADATA_FIELD. A field that is not modelled is the violation unsupported-leaf
 * of @leaf.
 * md_next - the element behind @field that @access may read; MD_FIELD_NONE: there is none
 */
bool md_is_null(u64 field);
u64 md_check_single(u64 field);
u64 md_read(struct tdr *tdr, struct tdcs *tdcs, u64 field, enum md_access access,
	    const char *leaf, u64 *value);
u64 md_write(struct tdr *tdr, struct tdcs *tdcs, u64 field, enum md_access access,
	     const char *leaf, u64 value, u64 mask, u64 *old);
u64 md_next(u64 field, enum md_access access);
