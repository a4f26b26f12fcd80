/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Recorded vectors, line by line: JSON objects of one sequence, setup or interleaving each
 * (docs/conform.md has the fields). Every field is known; anything else is an error of its
 * line, and reading goes on with the next one.
 */
#include <glib.h>

#include "sim/engine/types.h"

/* Numbers of a record, by the name in the file */
#define CONFORM_NUMBERS(X)						\
	X(ID, "id") X(LP, "lp") X(GPA, "gpa") X(LEVEL, "level")	\
	X(RCX_IN, "rcx_in") X(HPA, "hpa") X(SRC, "src") X(TDR, "tdr")	\
	X(FLAGS, "flags") X(VER, "ver") X(VCPU, "vcpu") X(CMD, "cmd")	\
	X(INTR, "intr") X(ADV, "adv") X(HOLD_PA, "hold_pa")		\
	X(HOLD_IDX, "hold_idx")						\
	X(RAX, "rax") X(RCX, "rcx") X(RDX, "rdx") X(R8, "r8")		\
	X(ENTRY_BEFORE, "entry_before") X(ENTRY_AFTER, "entry_after")	\
	X(ENTRY_HELD, "entry_held") X(WL, "wl")				\
	X(TD_EPOCH, "td_epoch") X(TREE, "tree_after") X(OPL, "opl")	\
	X(EPL, "epl") X(TDRL, "tdrl") X(P1GL, "p1gl")			\
	X(P2ML_TDR, "p2ml_tdr") X(KOTL, "kotl") X(CC, "cc")		\
	X(CHILD_HELD, "child_held") X(TD, "td") X(ASSOC, "assoc")	\
	X(OP_STATE, "op_state") X(PVD, "pvd") X(NOTIFY, "notify")	\
	X(FATAL, "fatal") X(NUM_TDCX, "num_tdcx") X(K, "k")		\
	X(START, "start") X(AT_PAUSE, "at_pause") X(AFTER_B, "after_B")	\
	X(FINAL, "final")

/* Texts */
#define CONFORM_TEXTS(X)						\
	X(OP, "op") X(HOLD, "hold") X(EXIT, "exit") X(ACT, "act")	\
	X(OBJ, "obj") X(CODE, "src") X(PRIM, "prim") X(INSN, "insn")

/* Lists of numbers */
#define CONFORM_LISTS(X)						\
	X(RC, "rc") X(PAMT, "pamt") X(CHILD, "child") X(V, "v")		\
	X(LC, "lc") X(IN_TD, "in_td")

#define CONFORM_ENUM(id, name) CF_##id,
enum conform_number { CONFORM_NUMBERS(CONFORM_ENUM) CF_NUMBERS };
#undef CONFORM_ENUM
#define CONFORM_ENUM(id, name) CT_##id,
enum conform_text { CONFORM_TEXTS(CONFORM_ENUM) CT_TEXTS };
#undef CONFORM_ENUM
#define CONFORM_ENUM(id, name) CL_##id,
enum conform_list { CONFORM_LISTS(CONFORM_ENUM) CL_LISTS };
#undef CONFORM_ENUM

enum { CONFORM_LIST_MAX = 6 };

struct conform_lock {		/* an element of "pl" */
	u8 size;		/* 0 4K, 1 2M, 2 1G */
	u64 hpa;
	u16 raw;
};

/* What an operation is: a SEAMCALL by its leaf number, or an exit of a guest */
enum conform_call {
	CALL_UNKNOWN = -1,
	CALL_GUEST = 256,
	CALL_ACCEPT = CALL_GUEST,	/* TDG.MEM.PAGE.ACCEPT */
	CALL_EPT_VIOLATION,
	CALL_INTR_EXIT,
	CALLS_END,
};

struct conform_record {
	s32 call;			/* of an operation: enum conform_call, seamcall_leaf */
	u64 has;			/* bit enum conform_number */
	u32 has_list;			/* bit enum conform_list */
	bool has_pl;
	u64 n[CF_NUMBERS];
	const char *t[CT_TEXTS];	/* NULL: not there */
	u64 list[CL_LISTS][CONFORM_LIST_MAX];
	u8 list_n[CL_LISTS];
	struct conform_lock *pl;
	u32 npl;
};

static inline bool conform_has(const struct conform_record *r, enum conform_number f)
{
	return r->has >> f & 1;
}

static inline u64 conform_number(const struct conform_record *r, enum conform_number f,
				 u64 otherwise)
{
	return conform_has(r, f) ? r->n[f] : otherwise;
}

static inline bool conform_of_guest(const struct conform_record *op)
{
	return op->call >= CALL_GUEST;
}

enum conform_kind { CONFORM_SEQUENCE, CONFORM_SETUP, CONFORM_INTERLEAVING };

struct conform_line {
	enum conform_kind kind;
	u64 id;
	const char *setup;			/* its name */
	struct conform_record init;		/* SETUP: op_state alone is used */
	GArray *ops;				/* struct conform_record */
	struct conform_record a, b, a_res, b_res, pause, entry, final;
	struct conform_memory *memory;
};

/*
 * conform_line_read - the @len bytes at @text into @line, in place of what it held; so that a
 * file of thousands of lines needs the memory of one. False: *@error says what is wrong
 */
struct conform_line *conform_line_new(void);
bool conform_line_read(struct conform_line *line, const char *text, size_t len, GError **error);
void conform_line_free(struct conform_line *line);

const char *conform_number_name(enum conform_number f);
const char *conform_list_name(enum conform_list f);
