/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * What the files behind kmmu.h share: numbers of operations, and their results in words.
 */
#include "kvmmmu/kmmu.h"

enum op {
	OP_RUN = 1, OP_FAULT, OP_PREFAULT, OP_MIGRATE, OP_ZAP, OP_PUNCH, OP_CONVERT, OP_SLOT,
	OP_KICK, OP_TRACK, OP_QUIESCE, OP_REUSE, OP_CLOSE, OP_DESTROY, OP_RELEASE_HKID,
	OP_CPU_OFFLINE, OP_INIT_VM, OP_CREATE_VCPU, OP_INIT_VCPU, OP_BUILD, OP_FINALIZE,
	OP_NOTIFY, OP_AGE, OP_TEST_AGE, OP_GET_DIRTY, OP_RECOVER_NX, OP_COLLAPSE, OP_SPLIT, OP_SHADOW_PAGE, OP_LOG_DIRTY,
	OP_CLEAR_DIRTY, OP_TERMINATE,
};

/* result - of a negative errno, 0, or a KVM exit reason */
struct kmmu_result result(s64 ret);
