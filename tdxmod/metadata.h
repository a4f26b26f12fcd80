/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Metadata: the fields of TDR, TDCS, TDVPS and VMCS by their ids, and who may read and write
 * which bits of them. A field id is a class (bits 61:56) and a code (23:0) in a context (54:52:
 * 1 TD, 2 vCPU); bits 33:32 are log2 of an element's bytes, bit 50: codes go by two.
 * Source: TDX_1.5.01, common/metadata_handlers/metadata_{generic,td,vp}.c.
 */
#include "tdxmod/td.h"

enum md_access { MD_HOST, MD_HOST_OF_DEBUG_TD, MD_GUEST, MD_SERVTD, MD_ACCESSES };

enum md_where {
	MD_NOWHERE,		/* the module has it, this model does not */
	MD_TDR,
	MD_TDCS,
	MD_TDVPS,
	MD_VMCS,		/* also in struct tdvps, but no step: the vCPU's own LP alone */
	MD_VIRTUAL,		/* computed when it is read */
};

enum md_kind { MD_PLAIN, MD_SHARED_HPA, MD_PRIVATE_GPA, MD_KEYED_HPA /* with HKID; here without */ };

struct md_field {
	const char *name;
	u64 id;			/* of the first element of the first field */
	u16 fields, elements;	/* so many fields of so many elements follow each other */
	u64 rd[MD_ACCESSES], wr[MD_ACCESSES];	/* bits that each may read and write */
	u8 in;			/* enum md_where */
	u16 offset;
	u8 size;		/* bytes here, which may be fewer than the module has */
	u8 kind;		/* enum md_kind */
};

struct md_table {
	const struct md_field *field;
	u32 n;
};

/* In the order in which a walk over all fields meets them; each ends with n = 0 */
extern const struct md_table md_td_tables[], md_vp_tables[];

struct md_context {
	struct tdr *tdr;
	struct tdcs *tdcs;
	struct tdvps *vp;	/* NULL: the TD's scope, else the vCPU's */
	enum md_access access;
	const char *leaf;	/* who is told where a field is not modelled */
};

#define MD_FIELD_NONE	(~0ull)

/* md_host - which kind of host the TD's attributes make of the VMM */
enum md_access md_host(const struct tdcs *tdcs);

/*
 * md_is_null - does @field ask for the first field? md_check_single - is it the number of one
 * element, not of a sequence? The context in @field does not matter here or below.
 * md_read, md_write - one element: the read is a step, the write a CMPXCHG (TD) or a store
 * (vCPU). Return TDX_SUCCESS, METADATA_FIELD_ID_INCORRECT, FIELD_NOT_READABLE,
 * FIELD_NOT_WRITABLE, FIELD_VALUE_NOT_VALID, WR_MASK_NOT_VALID, TD_VMCS_FIELD_NOT_INITIALIZED
 * or OPERAND_BUSY|METADATA_FIELD. A field that is not modelled is the violation
 * unsupported-leaf, and 0. @old: the value before a write, as the caller may read it
 * md_next - the element behind @field that may be read; MD_FIELD_NONE: there is none
 */
bool md_is_null(u64 field);
u64 md_check_single(u64 field);
u64 md_read(const struct md_context *c, u64 field, u64 *value);
u64 md_write(const struct md_context *c, u64 field, u64 value, u64 mask, u64 *old);
u64 md_next(const struct md_context *c, u64 field);

/*
 * md_rd_wr - what the RD and WR leaves do once their locks are held: RDX is the field, of a
 * write R8 the value and R9 the mask, as they were (@field, @value, @mask). R8 is then the value,
 * or the one before the write; of version 1 RDX the next field.
 */
struct md_request {
	u32 version;
	bool write;
	u64 field, value, mask;
};
struct tdx_regs;
/* md_write_request - field RDX, value R8, mask R9: what the guest's writing leaves take */
struct md_request md_write_request(const struct tdx_regs *g);
/*
 * md_request_of - what a host's RD or WR asks for, and its outputs as they are if it fails:
 * TDX_SUCCESS, or OPERAND_INVALID|RAX of a version that there is not
 */
u64 md_request_of(struct md_request *q, struct tdx_regs *r, u32 version, bool write);
u64 md_rd_wr(const struct md_context *c, const struct md_request *q, struct tdx_regs *r);
