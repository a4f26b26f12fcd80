/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Static calls, static keys, tracepoints. include/linux/{static_call,jump_label,tracepoint}.h
 */
#define DECLARE_STATIC_CALL(name, func) extern __typeof__(func) *ksim_sc_##name
#define DEFINE_STATIC_CALL_NULL(name, func) __typeof__(func) *ksim_sc_##name
#define DEFINE_STATIC_CALL_RET0(name, func) __typeof__(func) *ksim_sc_##name
#define static_call(name) (*ksim_sc_##name)
#define static_call_cond(name) (*ksim_sc_##name)
#define static_call_query(name) (ksim_sc_##name)
#define EXPORT_STATIC_CALL_GPL(n)
struct static_key { int n; };
struct static_key_false { int n; };
struct static_key_true { int n; };
struct static_key_false_deferred { int n; };
#define DEFINE_STATIC_KEY_FALSE(n) struct static_key_false n
#define DEFINE_STATIC_KEY_TRUE(n) struct static_key_true n = { 1 }
#define DECLARE_STATIC_KEY_FALSE(n) extern struct static_key_false n
#define DECLARE_STATIC_KEY_TRUE(n) extern struct static_key_true n
#define DECLARE_STATIC_KEY_FALSE_MAYBE(c, n) extern struct static_key_false n
#define DEFINE_STATIC_KEY_DEFERRED_FALSE(n, t) struct static_key_false_deferred n
#define static_branch_unlikely(p) ((p)->n)
#define static_branch_likely(p) ((p)->n)
#define static_branch_inc(p) ((p)->n++)
#define static_branch_dec(p) ((p)->n--)
#define static_branch_enable(p) ((p)->n = 1)

#define TP_PROTO(args...) args
#define TP_ARGS(args...) args
/* A tracepoint calls ktrace_NAME() if the glue has one. */
#define TRACE_EVENT(name, proto, args, ...)				\
	extern void ktrace_##name(proto) __attribute__((weak, visibility("hidden")));	\
	static inline void trace_##name(proto)				\
	{								\
		if (ktrace_##name)					\
			ktrace_##name(args);				\
	}								\
	static inline bool trace_##name##_enabled(void) { return false; }
#define TRACE_EVENT_CONDITION(name, proto, args, cond, ...) TRACE_EVENT(name, TP_PROTO(proto), args)
#define DECLARE_EVENT_CLASS(name, ...)
#define DEFINE_EVENT(cls, name, proto, args)				\
	static inline void trace_##name(proto) {}			\
	static inline bool trace_##name##_enabled(void) { return false; }
#define TRACE_DEFINE_ENUM(x)
#define EXPORT_TRACEPOINT_SYMBOL_GPL(x)
#define EM(a, b)
#define EMe(a, b)
#define CALLER_ADDR0 ((unsigned long)__builtin_return_address(0))
#define _RET_IP_ CALLER_ADDR0
#define trace_ipi_send_cpumask(...) do {} while (0)
