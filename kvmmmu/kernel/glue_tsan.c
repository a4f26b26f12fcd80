// SPDX-License-Identifier: GPL-2.0-only
/*
 * What -fsanitize=thread calls before each plain access of the tree's code: our own, no library
 * is linked. The names and arguments are the compilers' (gcc's tsan.def, LLVM's
 * ThreadSanitizer.cpp). Where a function begins and ends is told of files in seams.txt. Volatile accesses are the shim's own and have gone by the door.
 */
#include "kvmmmu/kernel/ksim.h"

#define WHERE	__builtin_return_address(0)

#define ACCESS(n)							\
	void __tsan_read##n(void *p) { ksim_plain_load(p, n, WHERE); }	\
	void __tsan_write##n(void *p) { ksim_plain_store(p, n, WHERE); }	\
	void __tsan_unaligned_read##n(void *p) { ksim_plain_load(p, n, WHERE); }	\
	void __tsan_unaligned_write##n(void *p) { ksim_plain_store(p, n, WHERE); }	\
	void __tsan_read_write##n(void *p) { ksim_plain_store(p, n, WHERE); }	\
	void __tsan_unaligned_read_write##n(void *p) { ksim_plain_store(p, n, WHERE); }	\
	void __tsan_volatile_read##n(void *p) { }			\
	void __tsan_volatile_write##n(void *p) { }			\
	void __tsan_unaligned_volatile_read##n(void *p) { }		\
	void __tsan_unaligned_volatile_write##n(void *p) { }
ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)

void __tsan_read_range(void *p, unsigned long n) { ksim_plain_load(p, n, WHERE); }
void __tsan_write_range(void *p, unsigned long n) { ksim_plain_store(p, n, WHERE); }

static void seam(const char *at, int ends)
{
	const struct ksim_seam *s;

	for (s = ksim_seams; s->name; s++)
		if ((unsigned long)(at - s->at) < s->size)
			ksim_seam_event(s->name, ends);
}

void __tsan_func_entry(void *pc) { seam(__builtin_return_address(0), 0); }
void __tsan_func_exit(void) { seam(__builtin_return_address(0), 1); }
void __tsan_init(void) { }
void *__tsan_memset(void *p, int c, unsigned long n) { return ksim_fill(p, c, n); }
void *__tsan_memcpy(void *d, const void *s, unsigned long n) { return ksim_copy(d, s, n); }
void *__tsan_memmove(void *d, const void *s, unsigned long n) { return ksim_copy(d, s, n); }
