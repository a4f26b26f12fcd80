// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking at a VM of a kernel tree without steps, and what must hold when it goes and when a run
 * is over.
 */
#include "kvmmmu/kernel/host.h"
#include "kvmmmu/kernel/ktree.h"
#include "kvmmmu/kernel/linux_priv.h"
#include "sim/engine/arena.h"
#include "sim/engine/check.h"
#include "sim/engine/mem.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"

/* Who holds a vCPU's file finds it, though its descriptor may be closed meanwhile. */
struct kvm_vcpu *linux_vcpu(struct kvm *kvm, u16 n)
{
	return n < kvm->max_vcpus && world_read(&kvm->fds[n].tree) ? &kvm->fds[n] : NULL;
}

const char *linux_name(const struct kvm *kvm)
{
	return kvm->name;
}

/* Asked again behind the look: real threads destroy it meanwhile. */
u64 linux_tdr(const struct kvm *kvm)
{
	u64 tdr = linux_destroyed(kvm) ? 0 : PEEK(ktree_peek_tdr(kvm->tree));

	return linux_destroyed(kvm) ? 0 : tdr;
}

u64 linux_tdvpr(const struct kvm *kvm, u16 n)
{
	u64 tdvpr = kvm->type == KMMU_TDX && n < kvm->max_vcpus && world_read(&kvm->fds[n].open) ?
		    PEEK(ktree_peek_tdvpr(kvm->fds[n].tree)) : 0;

	return linux_destroyed(kvm) ? 0 : tdvpr;
}

bool linux_destroyed(const struct kvm *kvm)
{
	return world_read((bool *)&kvm->destroyed);
}

u64 linux_gfns(const struct kvm *kvm)
{
	return kvm->gfns;
}

bool linux_is_dead(const struct kvm *kvm)
{
	return !linux_destroyed(kvm) && PEEK(ktree_peek_dead(kvm->tree));
}

static void peek(const struct kvm *kvm, int mirror, u64 gfn, struct mirror_view *v)
{
	struct ktree_spte s = { .level = kvm->levels, .empty = 1, .pfn = ~0ul };

	if (!linux_destroyed(kvm))
		(void)PEEK((ktree_peek(kvm->tree, mirror, gfn, &s), 0));
	*v = (struct mirror_view){ .raw = s.raw, .pfn = s.pfn, .level = (u8)s.level };
	v->class = s.frozen ? MIRROR_FROZEN : s.empty ? MIRROR_NONPRESENT :
		   s.leaf ? MIRROR_LEAF : s.present ? MIRROR_TABLE :
		   s.mmio ? MIRROR_MMIO : MIRROR_OTHER;
}

void linux_mirror_peek(struct kvm *kvm, u64 gfn, struct mirror_view *v)
{
	peek(kvm, 1, gfn, v);
}

void linux_direct_peek(struct kvm *kvm, u64 gfn, struct mirror_view *v)
{
	peek(kvm, 0, gfn, v);
}

bool linux_zaps(const struct kvm *kvm)
{
	int kind;

	return ksim_lock_held(KSIM_WRITE, ktree_lock(kvm->tree, "mmu_lock", &kind));
}

/* --- at the end ----------------------------------------------------------------------------- */

void linux_check_end(struct kvm *kvm)
{
	khost_settle();
	if (linux_destroyed(kvm))
		return;
	if (kvm->nx_list)	/* what is looked at when all is over */
		world_set(kvm->nx_first, *kvm->nx_list == (u64)kvm->nx_list ? 0 : *kvm->nx_list);
	linux_dirty_check_end(kvm);
	ktree_check_end(kvm->tree);
}

unsigned long ksim_vm_number(void *tree)
{
	const struct kvm *kvm = linux_vm_of(tree);

	return kvm ? kvm->number : 0;
}

/* What is left is a leak; said here, since nobody will come back to it. */
static void check_leaks(struct kvm *kvm)
{
	bool bugged = PEEK(ktree_peek_bugged(kvm->tree));
	/* raw: the tree's own word, as real threads do not keep the other one up to date */
	u32 hkid = kvm->hkid_word && *kvm->hkid_word > 0 ? (u32)*kvm->hkid_word : 0;

	if (hkid && !bugged)
		check_fail("hkid-leak", kvm->name, "HKID %u is still assigned and its TD is gone",
			   hkid);
	if (kvm->pages && !bugged)
		check_fail("page-leak", kvm->name, "%u pages of the TD are never given back",
			   kvm->pages);
	else if (kvm->pages)
		trace_note("pages leak: a consequence of the KVM_BUG");
}

void ksim_vm_gone(void *tree)
{
	struct kvm *kvm = linux_vm_of(tree);

	khost_settle();
	if (!kvm)
		return;
	check_leaks(kvm);
	world_xchg(&kvm->destroyed, true);
}

void ksim_guest_page_free(unsigned long hpa)
{
	khost_settle();
	trace_(EV_NOTE, .name = "page-free", .arg = hpa, .has_arg = true);
	page_free(hpa);
}
