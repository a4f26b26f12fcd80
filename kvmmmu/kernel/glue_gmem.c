// SPDX-License-Identifier: GPL-2.0-only
/*
 * virt/kvm/guest_memfd.c whole, and what needs its statics.
 */
#include "guest_memfd.c"
#include "kvmmmu/kernel/glue.h"

int ktree_punch(void *kvm, int fd, unsigned long start, unsigned long end)
{
	struct file *f = ksim_fd_file(fd);
	int r;

	ksim_call_event("kvm_gmem_punch_hole", start);
	r = kvm_gmem_fallocate(f, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, start << PAGE_SHIFT,
			       (end - start) << PAGE_SHIFT);
	ksim_return_event("kvm_gmem_punch_hole", start, r);
	return r;
}
