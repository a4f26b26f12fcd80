/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words of the scenario language as tables: operations, conditions, locks, counters,
 * attributes. A word for later is known here but not yet marked as supported: a
 * file that uses it gets a located "not supported yet". Rests on docs/language.md.
 */
#pragma once

#include <glib.h>

/* Levels as in KVM: the level of the entry. */
enum scn_page_level {
	SCN_LEVEL_NONE = 0,
	SCN_LEVEL_4K = 1,
	SCN_LEVEL_2M = 2,
	SCN_LEVEL_1G = 3,
	SCN_LEVEL_512G = 4,
	SCN_LEVEL_256T = 5,
};

enum scn_op_code {
	/* host */
	SCN_OP_RUN,
	SCN_OP_FAULT,
	SCN_OP_PREFAULT,
	SCN_OP_ZAP,
	SCN_OP_PUNCH,
	SCN_OP_CONVERT,		/* kind: to what */
	SCN_OP_SLOT_DELETE,
	SCN_OP_SLOT_MOVE,
	SCN_OP_SLOT_ADD,
	SCN_OP_NOTIFY,
	SCN_OP_RECOVER_NX,
	SCN_OP_COLLAPSE,
	SCN_OP_SPLIT,
	SCN_OP_SHADOW_PAGE,
	SCN_OP_AGE,
	SCN_OP_TEST_AGE,
	SCN_OP_LOG_DIRTY,
	SCN_OP_GET_DIRTY,
	SCN_OP_CLEAR_DIRTY,
	SCN_OP_REUSE_PAGE,
	SCN_OP_RCU_QUIESCE,
	SCN_OP_INIT_VM,
	SCN_OP_CREATE_VCPU,
	SCN_OP_INIT_VCPU,
	SCN_OP_FINALIZE,
	SCN_OP_BUILD,
	SCN_OP_MIGRATE,
	SCN_OP_CLOSE,
	SCN_OP_CPU_OFFLINE,
	SCN_OP_RELEASE_HKID,
	SCN_OP_TERMINATE,
	SCN_OP_DESTROY,
	SCN_OP_KICK,
	SCN_OP_TRACK,
	SCN_OP_SEAMCALL,
	SCN_OP_ACQUIRE,
	SCN_OP_RELEASE,
	SCN_OP_COMPUTE,		/* host and guest */
	SCN_OP_SIGNAL,
	SCN_OP_NEED_RESCHED,
	SCN_OP_INTERRUPT,
	SCN_OP_INJECT,
	SCN_OP_SET,
	/* guest */
	SCN_OP_ACCESS,
	SCN_OP_ACCEPT,
	SCN_OP_MAP_GPA,		/* kind: to what */
	SCN_OP_VMCALL,
	SCN_OP_TDCALL,
	SCN_OP_HALT,
	/* both */
	SCN_OP_REPEAT,
};

enum scn_op_side {
	SCN_SIDE_IS_HOST = 1,
	SCN_SIDE_IS_GUEST = 2,
	SCN_SIDE_IS_BOTH = 3,
};

/* One operation. Two-word operations ("slot delete") have the blank in name. */
struct scn_op_word {
	const char *name;
	enum scn_op_code code;
	enum scn_op_side side;
	gboolean supported;	/* the player can do it; else "not supported yet" */
	gboolean vcpu;		/* only a vCPU thread can */
	const char *usage;	/* its arguments, as docs/language.md writes them */
};

enum scn_mem_kind {
	SCN_MEM_DEFAULT,
	SCN_MEM_PRIVATE,
	SCN_MEM_SHARED,
};

enum scn_access_kind {
	SCN_ACCESS_READ,
	SCN_ACCESS_WRITE,
	SCN_ACCESS_EXEC,
};

enum scn_on_memory_fault {
	SCN_MEMFAULT_STOP,
	SCN_MEMFAULT_RETRY,
	SCN_MEMFAULT_CONVERT,
};

enum scn_on_ve {
	SCN_ON_VE_ACCEPT,
	SCN_ON_VE_DIE,
	SCN_ON_VE_COUNT,
};

enum scn_on_busy {
	SCN_ON_BUSY_RETRY,
	SCN_ON_BUSY_DIE,
	SCN_ON_BUSY_COUNT,
};

/* read and write are how the kernel's rwlocks are taken, shared and exclusive the
 * module's; a condition may leave the mode open. */
enum scn_lock_mode {
	SCN_LOCK_MODE_ANY,		/* a mutex, or a condition that does not say */
	SCN_LOCK_MODE_SHARED,
	SCN_LOCK_MODE_EXCLUSIVE,
};

enum scn_lock_side {
	SCN_LOCK_SIDE_ANY,		/* a condition that does not say */
	SCN_LOCK_SIDE_HOST,
	SCN_LOCK_SIDE_GUEST,
};

enum scn_lock_kind {
	SCN_LOCK_KIND_MUTEX,	/* no mode */
	SCN_LOCK_KIND_SHAREX,	/* shared or exclusive */
	SCN_LOCK_KIND_RWLOCK,	/* of the kernel: read or write (shared, exclusive) */
	SCN_LOCK_KIND_ENTRY,	/* in an S-EPT entry: no mode, two sides */
};

struct scn_lock_word {
	const char *name;
	enum scn_lock_kind kind;
	gboolean module;	/* the TDX module's, else the kernel's */
	gboolean indexed;	/* wants [n] */
	gboolean level;		/* takes @size */
	gboolean guest;		/* a guest can take it too */
};

enum scn_cond_kind {
	SCN_COND_VALUE,		/* R[I] = V, R[I] != V */
	SCN_COND_CHANGES,
	SCN_COND_READS,
	SCN_COND_WRITES,
	SCN_COND_CALL,
	SCN_COND_RETURN,
	SCN_COND_LOCK,
	SCN_COND_UNLOCK,
	SCN_COND_BUSY,
	SCN_COND_BLOCKED,
	SCN_COND_ENTER,
	SCN_COND_EXIT,
	SCN_COND_KICK_REQUESTED,
	SCN_COND_KICK_SENT,
	SCN_COND_KICK_ACKED,
	SCN_COND_INTERRUPT,
	SCN_COND_TIMEOUT,
	SCN_COND_STEP,		/* any: what a search writes where nothing has a name */
	SCN_COND_END,
};

enum scn_cmp_op {
	SCN_CMP_EQ,
	SCN_CMP_NE,
	SCN_CMP_LT,
	SCN_CMP_LE,
	SCN_CMP_GT,
	SCN_CMP_GE,
};

enum scn_td_type {
	SCN_TD_TYPE_TDX,
	SCN_TD_TYPE_DEFAULT,
};

enum scn_td_state {
	SCN_TD_STATE_NONE,
	SCN_TD_STATE_INITIALIZED,
	SCN_TD_STATE_RUNNABLE,
};

/* limit progress=: what counts against livelock and starvation. */
#define SCN_PROGRESS_SEPT	1u	/* an S-EPT entry changed its class for good */
#define SCN_PROGRESS_GUEST	2u	/* a guest instruction retired */
#define SCN_PROGRESS_HOST	4u	/* a host operation ended */
#define SCN_PROGRESS_ALL	7u

enum scn_expect_kind {
	SCN_EXPECT_OK,
	SCN_EXPECT_VIOLATION,
	SCN_EXPECT_UNREACHABLE,
	SCN_EXPECT_DEADLOCK,
	SCN_EXPECT_LIVELOCK,
	SCN_EXPECT_STARVATION,
	SCN_EXPECT_SEEN,
	SCN_EXPECT_NEVER,
	SCN_EXPECT_SEEN_BEFORE,
	SCN_EXPECT_FINAL,
	SCN_EXPECT_COUNTER,
	SCN_EXPECT_EXPLORE,
};

enum scn_explore_kind {
	SCN_EXPLORE_PROVED,
	SCN_EXPLORE_BOUNDED,
	SCN_EXPLORE_SAMPLED,
	SCN_EXPLORE_VIOLATION,
};

enum scn_of_kind {
	SCN_OF_NOTHING,
	SCN_OF_ACTOR,
	SCN_OF_LEAF,
	SCN_OF_LOCK,
};

enum scn_vocab_kind {
	SCN_VOCAB_REGION,
	SCN_VOCAB_FIELD,		/* scope: the region */
	SCN_VOCAB_VALUE,		/* scope: the region, or "region.field" */
	SCN_VOCAB_LEAF,		/* TDH.* and TDG.* */
	SCN_VOCAB_SEAM,		/* seam functions that call and return may name */
	SCN_VOCAB_STATUS,		/* without TDX_ */
	SCN_VOCAB_OPERAND,		/* without OPERAND_ID_ */
	SCN_VOCAB_EXIT_REASON,
	SCN_VOCAB_KVM,		/* variant kvm= */
	SCN_VOCAB_TDX,		/* variant tdx= */
	SCN_VOCAB_SWITCH,		/* switches of variant */
	SCN_VOCAB_POLICY,
	SCN_VOCAB_POLICY_KEY,	/* scope: the policy */
	SCN_VOCAB_CHECK,		/* section 3: violations */
	SCN_VOCAB_OBSERVATION,
	SCN_VOCAB_METRIC,
};

/* An enumerated attribute value or keyword. */
struct scn_word_value {
	const char *name;
	int value;
	gboolean supported;
};

extern const struct scn_op_word scn_op_words[];		/* ends with name NULL */
extern const struct scn_lock_word scn_lock_words[];	/* ends with name NULL */
extern const char *const scn_counter_words[];	/* NULL-terminated */
extern const char *const scn_check_words[];	/* NULL-terminated */
extern const char *const scn_observation_words[];	/* NULL-terminated */
extern const char *const scn_section_words[];	/* NULL-terminated */

/* The operation named by word, or by word and next ("slot delete"); *two says which.
 * side: SCN_SIDE_IS_HOST or SCN_SIDE_IS_GUEST. NULL if there is none. */
const struct scn_op_word *scn_op_word_find(const char *word, const char *next,
					   enum scn_op_side side, gboolean *two);

const struct scn_lock_word *scn_lock_word_find(const char *name);

/* The level named "4K", "2M", "1G", "512G" or "256T", or SCN_LEVEL_NONE. */
int scn_level_find(const char *text);

/* The name of a level, "4K" ... */
const char *scn_level_name(int level);
