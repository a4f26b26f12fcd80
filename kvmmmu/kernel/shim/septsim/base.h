/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Messages, warnings, modules; sections and attributes. include/linux/{bug,printk,module}.h
 */
#include "kvmmmu/kernel/ksim.h"

/* What a sanitizer must keep away from is announced here, too: a store unseen is not taken back */
#undef noinstr
#define noinstr noinline notrace
#undef __no_kcsan
#define __no_kcsan

#ifndef KBUILD_MODNAME
#define KBUILD_MODNAME "kvm"
#endif
#define THIS_MODULE NULL
struct module;
#define module_param_named(n, v, t, p)
#define module_param(n, t, p)
#define module_param_cb(n, o, a, p)
#define __MODULE_PARM_TYPE(a, b)
#define MODULE_PARM_DESC(a, b)
#define MODULE_AUTHOR(x)
#define MODULE_DESCRIPTION(x)
#define MODULE_LICENSE(x)
#define MODULE_INFO(a, b)
#define module_init(x)
#define module_exit(x)
#define try_module_get(m) true
#define module_put(m) do {} while (0)
#undef EXPORT_SYMBOL_GPL
#undef EXPORT_SYMBOL
#define EXPORT_SYMBOL_GPL(x)
#define EXPORT_SYMBOL(x)
#define EXPORT_SYMBOL_FOR_MODULES(x, m)
#define EXPORT_SYMBOL_FOR_KVM(x)
#define EXPORT_SYMBOL_FOR_KVM_INTERNAL(x)
#define EXPORT_SYMBOL_NS_GPL(x, n)
#define __ro_after_init
#define __read_mostly
#define __cacheline_aligned
#define ____cacheline_aligned_in_smp
#define ____cacheline_aligned
#define __page_aligned_data
#define noinline_for_stack noinline
#define asmlinkage
typedef void (cpu_emergency_virt_cb)(void);
#define RDRAND_RETRY_LOOPS 10
#define fallthrough __attribute__((__fallthrough__))
#define instrumentation_begin() do {} while (0)
#define instrumentation_end() do {} while (0)
#define VMX_DO_EVENT_IRQOFF

#define KERN_ERR ""
#define KERN_WARNING ""
#define KERN_INFO ""
#define KERN_CONT ""
#define KERN_DEFAULT ""
#define printk(fmt, ...) ksim_print(fmt, ##__VA_ARGS__)
#define pr_err(fmt, ...) ksim_print(fmt, ##__VA_ARGS__)
#define pr_warn pr_err
#define pr_info pr_err
#define pr_notice pr_err
#define pr_info_once pr_err
#define pr_warn_once pr_err
#define pr_debug(fmt, ...) do {} while (0)
#define pr_err_ratelimited pr_err
#define pr_warn_ratelimited pr_err
#define pr_info_ratelimited pr_err
#define pr_debug_ratelimited pr_debug
#define pr_err_once pr_err
#define printk_ratelimited printk

#define BUG() ksim_bug("BUG()", __FILE__, __LINE__)
#define BUG_ON(c) do { if (unlikely(c)) ksim_bug(#c, __FILE__, __LINE__); } while (0)
#define WARN_ON(c) ({ bool ksim_w = !!(c);				\
	if (unlikely(ksim_w))						\
		ksim_warn(#c, __FILE__, __LINE__);			\
	unlikely(ksim_w); })
#define WARN_ON_ONCE WARN_ON
#define WARN(c, f...) WARN_ON(c)
#define WARN_ONCE(c, f...) WARN_ON(c)
#define VM_BUG_ON BUG_ON
#define VM_WARN_ON WARN_ON
#define VM_WARN_ON_ONCE WARN_ON
#define dump_stack() do {} while (0)

#define BITS_PER_BYTE 8
#define upper_32_bits(n) ((u32)(((n) >> 16) >> 16))
#define lower_32_bits(n) ((u32)(n))
#ifndef DIV_ROUND_UP
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#endif
#define swap(a, b) do { __typeof__(a) ksim_t = (a); (a) = (b); (b) = ksim_t; } while (0)
#define IS_ALIGNED_PTR(p, a) IS_ALIGNED((unsigned long)(p), a)
#define sprintf(buf, ...) 0
#define snprintf(buf, n, ...) 0
#define scnprintf(buf, n, ...) 0

/* string.h: what is in the world is logged */
void *memset(void *p, int c, unsigned long n);
void *memcpy(void *d, const void *s, unsigned long n);
void *memmove(void *d, const void *s, unsigned long n);
int memcmp(const void *a, const void *b, unsigned long n);
unsigned long strlen(const char *s);
void *memchr_inv(const void *p, int c, unsigned long n);

/* A name in the shape "&kvm->mmu_lock" names a lock; static_assert() is C11's */
#define KSIM_NAME(x) #x
#define NOKPROBE_SYMBOL(f)
#define pr_cont pr_err

/*
 * KSIM_PICK(KSIM_IS_##first word, CALL, 0), in a macro that stands for a function: KSIM_CALL where
 * it is called, KSIM_DEFINITION where it is defined, as a definition's first word is "struct".
 */
#define KSIM_IS_struct ~, DEFINITION,
#define KSIM_PICK(...) KSIM_PICK_2(__VA_ARGS__)
#define KSIM_PICK_2(a, what, ...) KSIM_##what
