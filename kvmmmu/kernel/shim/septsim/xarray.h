/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * XArrays: ours, glue_xarray.c: a slot is one word, read and written by a step.
 * include/linux/xarray.h
 */
#define XA_PRESENT 8u
#define XA_FLAGS_LOCK_IRQ 0
#define xa_init(x) memset(x, 0, sizeof(*(x)))
#define xa_init_flags(x, f) xa_init(x)
void *ksim_xa_load(struct xarray *x, unsigned long i);
void *ksim_xa_store(struct xarray *x, unsigned long i, void *v);
void *ksim_xa_find(struct xarray *x, unsigned long *i, unsigned long last);
void *ksim_xa_find_after(struct xarray *x, unsigned long *i, unsigned long last);
void *ksim_xa_cmpxchg(struct xarray *x, unsigned long i, void *old, void *new);
#define xa_load(x, i) ksim_xa_load(x, i)
#define xa_store(x, i, v, g) ksim_xa_store(x, i, (void *)(v))
#define xa_insert(x, i, v, g) (ksim_xa_store(x, i, v), 0)
#define xa_erase(x, i) ksim_xa_store(x, i, NULL)
#define xa_reserve(x, i, g) 0
#define xa_release(x, i) do {} while (0)
#define xa_err(p) ((void)(p), 0)
#define xa_is_err(p) false
#define xa_is_zero(p) false
#define xa_empty(x) (!(x)->root)
#define xa_find(x, ip, last, f) ksim_xa_find(x, ip, last)
#define xa_mk_value(v) ((void *)((v) << 1 | 1))
#define xa_to_value(p) ((unsigned long)(p) >> 1)
#define xa_is_value(p) ((unsigned long)(p) & 1)
void xa_destroy(struct xarray *x);
void xa_store_range_(struct xarray *x, unsigned long a, unsigned long b, void *v);
#define xa_store_range(x, a, b, v, g) (xa_store_range_(x, a, b, v), NULL)
#define xa_for_each_range(x, i, e, s, l)				\
	for ((i) = (s), (e) = ksim_xa_find(x, (unsigned long *)&(i), l); (e);	\
	     (e) = ksim_xa_find_after(x, (unsigned long *)&(i), l))
#define xa_for_each(x, i, e) xa_for_each_range(x, i, e, 0, ~0ul)
struct xa_state { struct xarray *xa; unsigned long xa_index; bool begun; };
#define XA_STATE(n, x, i) struct xa_state n = { x, i, false }
static inline void *xas_next(struct xa_state *s)
{
	if (s->begun)
		s->xa_index++;
	s->begun = true;
	return ksim_xa_load(s->xa, s->xa_index);
}
#define xas_retry(s, e) false
#define xas_find(s, m) ksim_xa_find((s)->xa, &(s)->xa_index, m)
#define xas_pause(s) do {} while (0)
#define xas_next_entry(s, m) ksim_xas_next_entry(s, m)
static inline void *ksim_xas_next_entry(struct xa_state *s, unsigned long max)
{
	if (s->begun)
		s->xa_index++;
	s->begun = true;
	return ksim_xa_find(s->xa, &s->xa_index, max);
}
