/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Marked accesses, barriers, atomics, bits: each is a step of the engine.
 * include/asm-generic/rwonce.h, include/linux/atomic/, include/asm-generic/bitops/
 *
 * smp_wmb() and smp_rmb() are compiler barriers on x86, a LOCKed operation is a full one.
 */
#undef READ_ONCE
#undef WRITE_ONCE
#undef __READ_ONCE
#undef __WRITE_ONCE
#define KSIM_AS(type, raw) ({						\
	union { unsigned long ksim_r; __typeof__(type) ksim_v; } ksim_u = { (raw) };	\
	ksim_u.ksim_v; })
#define KSIM_RAW(type, val) ({						\
	union { __typeof__(type) ksim_v; unsigned long ksim_r; } ksim_u = { .ksim_r = 0 };	\
	ksim_u.ksim_v = (val);						\
	ksim_u.ksim_r; })
#define READ_ONCE(x) ({							\
	_Static_assert(sizeof(x) <= 8, "READ_ONCE of a structure");	\
	(__typeof__(0, x))KSIM_AS(__unqual_scalar_typeof(x),		\
				  ksim_read(&(x), sizeof(x), KSIM_SITE)); })
#define WRITE_ONCE(x, val)						\
	ksim_write(&(x), sizeof(x), KSIM_RAW(__unqual_scalar_typeof(x), val), KSIM_SITE)
#define __READ_ONCE READ_ONCE
#define __WRITE_ONCE WRITE_ONCE
#undef data_race
#define data_race(expr) ({						\
	__auto_type ksim_racy = (ksim_data_race(1), (expr));		\
	ksim_data_race(0);						\
	ksim_racy; })

#undef barrier
#define barrier() asm volatile("" ::: "memory")
#define smp_mb() ksim_fence(KSIM_SITE)
#define mb smp_mb
#define __mb smp_mb
#define smp_rmb() barrier()
#define smp_wmb() barrier()
#define rmb barrier
#define wmb barrier
#define smp_mb__before_atomic() barrier()
#define smp_mb__after_atomic() barrier()
#define smp_mb__after_srcu_read_unlock() barrier()	/* the unlock has it */
#define smp_load_acquire(p) READ_ONCE(*(p))
#define smp_store_release(p, v) WRITE_ONCE(*(p), v)
#define smp_store_mb(v, x) do { WRITE_ONCE(v, x); smp_mb(); } while (0)
#define cpu_relax() ksim_relax()

#define xchg(p, v) KSIM_AS(*(p),						\
	ksim_rmw(KSIM_XCHG, (p), sizeof(*(p)), KSIM_RAW(*(p), v), 0, KSIM_SITE))
#define cmpxchg(p, o, n) KSIM_AS(*(p),					\
	ksim_rmw(KSIM_CMPXCHG, (p), sizeof(*(p)), KSIM_RAW(*(p), o), KSIM_RAW(*(p), n), KSIM_SITE))
#define cmpxchg64 cmpxchg
#define cmpxchg_release cmpxchg
#define try_cmpxchg(p, o, n) ({						\
	__typeof__(*(p)) ksim_e = *(o);					\
	__typeof__(*(p)) ksim_was = cmpxchg(p, ksim_e, n);		\
	bool ksim_ok = ksim_was == ksim_e;				\
	if (!ksim_ok)							\
		*(o) = ksim_was;					\
	ksim_ok; })
#define try_cmpxchg64 try_cmpxchg
#define try_cmpxchg_release try_cmpxchg

#define KSIM_ATOMIC(pfx, T, I)						\
static inline I pfx##_read(const T *v) { return READ_ONCE(v->counter); }	\
static inline void pfx##_set(T *v, I i) { WRITE_ONCE(v->counter, i); }	\
static inline I pfx##_fetch_add(I i, T *v)				\
{ return ksim_rmw(KSIM_XADD, &v->counter, sizeof(I), i, 0, KSIM_SITE); }	\
static inline I pfx##_fetch_and(I i, T *v)				\
{ return ksim_rmw(KSIM_AND, &v->counter, sizeof(I), i, 0, KSIM_SITE); }	\
static inline I pfx##_fetch_or(I i, T *v)				\
{ return ksim_rmw(KSIM_OR, &v->counter, sizeof(I), i, 0, KSIM_SITE); }	\
static inline I pfx##_xchg(T *v, I i)					\
{ return ksim_rmw(KSIM_XCHG, &v->counter, sizeof(I), i, 0, KSIM_SITE); }	\
static inline I pfx##_cmpxchg(T *v, I o, I n)				\
{ return ksim_rmw(KSIM_CMPXCHG, &v->counter, sizeof(I), o, n, KSIM_SITE); }	\
static inline void pfx##_add(I i, T *v) { pfx##_fetch_add(i, v); }	\
static inline void pfx##_sub(I i, T *v) { pfx##_fetch_add(-i, v); }	\
static inline void pfx##_inc(T *v) { pfx##_fetch_add(1, v); }		\
static inline void pfx##_dec(T *v) { pfx##_fetch_add(-1, v); }		\
static inline I pfx##_add_return(I i, T *v) { return pfx##_fetch_add(i, v) + i; }	\
static inline I pfx##_inc_return(T *v) { return pfx##_fetch_add(1, v) + 1; }	\
static inline I pfx##_dec_return(T *v) { return pfx##_fetch_add(-1, v) - 1; }	\
static inline bool pfx##_dec_and_test(T *v) { return pfx##_fetch_add(-1, v) == 1; }
#define arch_xchg xchg
KSIM_ATOMIC(atomic, atomic_t, int)
KSIM_ATOMIC(atomic64, atomic64_t, s64)
typedef atomic64_t atomic_long_t;
#undef ATOMIC_INIT
#define ATOMIC_INIT(i) { (i) }
#define ATOMIC64_INIT(i) { (i) }
#define ATOMIC_LONG_INIT(i) { (i) }
#define atomic_read_acquire atomic_read
#define atomic_set_release atomic_set
#define atomic_long_read atomic64_read
#define atomic_long_inc atomic64_inc

/* Saturation apart; misuse (inc from 0, below 0) is use-after-free: glue says so */
typedef struct refcount_struct { atomic_t refs; } refcount_t;
#define REFCOUNT_INIT(n) { .refs = { (n) } }
static inline void refcount_set(refcount_t *r, int n) { atomic_set(&r->refs, n); }
static inline unsigned int refcount_read(const refcount_t *r) { return atomic_read(&r->refs); }
static inline bool refcount_inc_not_zero(refcount_t *r)
{
	int old = atomic_read(&r->refs);

	while (old && !try_cmpxchg(&r->refs.counter, &old, old + 1))
		;
	return old;
}
static inline void refcount_inc(refcount_t *r)
{
	if (atomic_fetch_add(1, &r->refs) <= 0)
		ksim_warn("refcount_t: increment from 0", __FILE__, __LINE__);
}
static inline bool refcount_dec_and_test(refcount_t *r)
{
	int old = atomic_fetch_add(-1, &r->refs);

	if (old <= 0)
		ksim_warn("refcount_t: decrement below 0", __FILE__, __LINE__);
	return old == 1;
}

#define BITS_TO_LONGS(n) (((n) + 63) / 64)
#define DECLARE_BITMAP(n, bits) unsigned long n[BITS_TO_LONGS(bits)]
static inline unsigned long __ffs(unsigned long w) { return __builtin_ctzl(w); }
static inline unsigned long __fls(unsigned long w) { return 63 - __builtin_clzl(w); }
static inline int ffs(int x) { return __builtin_ffs(x); }
static inline int fls(unsigned int x) { return x ? 32 - __builtin_clz(x) : 0; }
static inline int fls64(u64 x) { return x ? 64 - __builtin_clzll(x) : 0; }
static inline unsigned int hweight64(u64 w)
{
	unsigned int n = 0;

	for (; w; w &= w - 1)
		n++;
	return n;
}
#define hweight_long(w) hweight64(w)
#define hweight8(w) hweight64((u8)(w))
#define hweight32(w) hweight64((u32)(w))
static inline bool test_bit(long nr, const volatile unsigned long *a)
{
	return READ_ONCE(a[nr / 64]) >> (nr % 64) & 1;
}
static inline bool test_and_set_bit(long nr, volatile unsigned long *a)
{
	return ksim_rmw(KSIM_BTS, a + nr / 64, 8, nr % 64, 0, KSIM_SITE);
}
static inline bool test_and_clear_bit(long nr, volatile unsigned long *a)
{
	return ksim_rmw(KSIM_BTR, a + nr / 64, 8, nr % 64, 0, KSIM_SITE);
}
/* b = 1: nobody looks at the result */
static inline void set_bit(long nr, volatile unsigned long *a)
{
	ksim_rmw(KSIM_BTS, a + nr / 64, 8, nr % 64, 1, KSIM_SITE);
}
static inline void clear_bit(long nr, volatile unsigned long *a)
{
	ksim_rmw(KSIM_BTR, a + nr / 64, 8, nr % 64, 1, KSIM_SITE);
}
#define KSIM_BIT(nr, a) ((unsigned long *)(a))[(nr) / 64]
#define __set_bit(nr, a) (KSIM_BIT(nr, a) |= 1ul << ((nr) % 64))
#define __clear_bit(nr, a) (KSIM_BIT(nr, a) &= ~(1ul << ((nr) % 64)))
#define __test_and_set_bit(nr, a) ({ bool ksim_o = KSIM_BIT(nr, a) >> (nr) % 64 & 1;	\
	__set_bit(nr, a); ksim_o; })
#define __test_and_clear_bit(nr, a) ({ bool ksim_o = KSIM_BIT(nr, a) >> (nr) % 64 & 1;	\
	__clear_bit(nr, a); ksim_o; })
#define test_bit_acquire test_bit
#define set_bit_le set_bit
#define clear_bit_unlock clear_bit
static inline bool bitmap_empty(const unsigned long *b, unsigned int n)
{
	for (unsigned int i = 0; i < BITS_TO_LONGS(n); i++)
		if (b[i])
			return false;
	return true;
}
#define bitmap_zero(b, n) memset((b), 0, BITS_TO_LONGS(n) * 8)
#define for_each_set_bit(b, a, n) for ((b) = 0; (b) < (n); (b)++)	\
	if (!(KSIM_BIT(b, a) >> ((b) % 64) & 1)) {} else
static inline s32 sign_extend32(u32 v, int i) { u8 s = 31 - i; return (s32)(v << s) >> s; }
static inline s64 sign_extend64(u64 v, int i) { u8 s = 63 - i; return (s64)(v << s) >> s; }
#define assign_bit(nr, a, v) ((v) ? set_bit(nr, a) : clear_bit(nr, a))
#define __assign_bit(nr, a, v) do { if (v) __set_bit(nr, a); else __clear_bit(nr, a); } while (0)
#define fls_long(x) fls64(x)
#define ASSERT_EXCLUSIVE_ACCESS(x) do {} while (0)
#define ASSERT_EXCLUSIVE_WRITER(x) do {} while (0)
#define __try_cmpxchg_user(p, o, n, label) 1
#define arch___test_and_set_bit(nr, a) __test_and_set_bit(nr, a)
#define arch___test_and_clear_bit(nr, a) __test_and_clear_bit(nr, a)
#define atomic_long_set atomic64_set
#define atomic_long_set_release atomic64_set
#define atomic_long_fetch_andnot(i, v) atomic64_fetch_and(~(i), v)
#define atomic_long_fetch_or atomic64_fetch_or
static inline bool atomic_long_try_cmpxchg_acquire(atomic_long_t *v, long *o, long n)
{
	return try_cmpxchg(&v->counter, (s64 *)o, n);
}
static inline void bitmap_set(unsigned long *m, unsigned int start, unsigned int n)
{
	for (; n--; start++)
		__set_bit(start, m);
}
#define memset64(p, v, n) ksim_fill64(p, v, n)
static inline void *ksim_fill64(u64 *p, u64 v, unsigned long n)
{
	if (n == 512)	/* a page table: as __GFP_ZERO, with another value */
		ksim_charge(KSIM_PAGE_CLEAR, 1);
	for (unsigned long i = 0; i < n; i++)
		p[i] = v;
	return p;
}
#define div64_u64(a, b) ((u64)(a) / (u64)(b))
#define do_div(n, b) ({ u32 ksim_rem = (n) % (b); (n) /= (b); ksim_rem; })
#define REPEAT_BYTE(x) ((~0ul / 0xff) * (x))
