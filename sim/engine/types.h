/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Fixed-width names and the few compiler words that every layer uses.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define BIT_ULL(n)	(1ull << (n))
#define GENMASK_ULL(h, l) ((~0ull << (l)) & (~0ull >> (63 - (h))))
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#undef __always_inline	/* glibc has one that says less */
#define __always_inline	inline __attribute__((always_inline))
#define __noinline	__attribute__((noinline))
#define __cold		__attribute__((cold))
#define __noreturn	__attribute__((noreturn))
#define __printf(f, a)	__attribute__((format(printf, f, a)))
#define __maybe_unused	__attribute__((unused))
