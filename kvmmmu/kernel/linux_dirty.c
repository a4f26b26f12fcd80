// SPDX-License-Identifier: GPL-2.0-only
/*
 * Beside a kernel tree's dirty log, not Linux's: which pages the guest has written that user space
 * has no copy of. It copies what the log reports, behind the return of the call that did. As
 * kvmmmu/own/dirty_log.c.
 */
#include <inttypes.h>
#include <stdio.h>

#include "kvmmmu/kernel/host.h"
#include "kvmmmu/kernel/ktree.h"
#include "kvmmmu/kernel/linux_priv.h"
#include "kvmmmu/vmx_guest.h"
#include "sim/engine/arena.h"
#include "sim/engine/check.h"
#include "sim/engine/mem.h"
#include "sim/engine/undo.h"

enum { NO_LOG, CLEAN, DIRTY };	/* ktree_peek_dirty() */

void linux_dirty_init(struct kvm *kvm)
{
	kvm->told = world_alloc((kvm->gfns / 64 + 2) * sizeof(u64));
	kvm->unsaved = world_alloc(kvm->gfns);
}

void linux_dirty_written(struct kvm *kvm, u64 gfn)
{
	/* Real threads would write it at once */
	if (sim_self->mode & MODE_FREE || gfn >= kvm->gfns)
		return;
	if (PEEK(ktree_peek_dirty(kvm->tree, gfn)) != NO_LOG)
		world_set(kvm->unsaved[gfn], 1);
}

void linux_dirty_forget(struct kvm *kvm, u64 start, u64 end)
{
	for (u64 gfn = start; kvm->unsaved && gfn < end; gfn++)
		if (kvm->unsaved[gfn])
			world_set(kvm->unsaved[gfn], 0);
}

/* A slot need not begin at a multiple of 64 */
static bool told(const struct kvm *kvm, u64 gfn)
{
	return gfn < kvm->gfns && world_read(&kvm->told[gfn / 64]) >> (gfn % 64) & 1;
}

void ksim_dirty_told(void *tree, unsigned long gfn, unsigned long bits)
{
	struct kvm *kvm = linux_vm_of(tree);

	khost_settle();
	for (u64 i = 0; i < 64 && gfn + i < kvm->gfns; i++) {
		u64 *w = &kvm->told[(gfn + i) / 64], bit = BIT_ULL((gfn + i) % 64);
		bool is = bits >> i & 1;

		if (told(kvm, gfn + i) != is)
			world_atomic(is ? MEM_OR : MEM_AND, 8, w, is ? bit : ~bit, 0);
	}
}

unsigned long ksim_dirty_was_told(void *tree, unsigned long gfn)
{
	const struct kvm *kvm = linux_vm_of(tree);
	u64 bits = 0;

	for (u64 i = 0; i < 64; i++)
		bits |= (u64)told(kvm, gfn + i) << i;
	return bits;
}

void ksim_dirty_copied(void *tree, unsigned long gfn, unsigned long bits)
{
	struct kvm *kvm = linux_vm_of(tree);

	khost_settle();
	for (; bits && !(sim_self->mode & MODE_FREE); bits &= bits - 1) {
		u64 i = gfn + (u64)__builtin_ctzl(bits);

		if (i < kvm->gfns && kvm->unsaved[i])
			world_set(kvm->unsaved[i], 0);
	}
}

static bool in_a_pml_buffer(const struct kvm *kvm, u64 gfn)
{
	for (u16 n = 0; n < kvm->max_vcpus; n++)
		if (kvm->fds[n].open &&
		    vmx_pml_holds(PEEK(ktree_peek_guest(kvm->fds[n].tree)), gfn))
			return true;
	return false;
}

void linux_dirty_check_end(struct kvm *kvm)
{
	for (u64 gfn = 0; kvm->unsaved && gfn < kvm->gfns; gfn++) {
		char where[24];

		if (!kvm->unsaved[gfn] || PEEK(ktree_peek_dirty(kvm->tree, gfn)) != CLEAN ||
		    in_a_pml_buffer(kvm, gfn))
			continue;
		snprintf(where, sizeof(where), "0x%" PRIx64, gfn);
		check_fail("dirty-lost", where, "gfn 0x%" PRIx64 " was written behind user space's "
			   "copy of it, and the dirty log does not say so", gfn);
		return;
	}
}
