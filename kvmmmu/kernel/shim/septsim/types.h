/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Types of other parts of Linux that KVM's structures contain and its files here do not use,
 * and numbers from all over.
 */
#include <linux/list.h>
#include <linux/rbtree_types.h>
typedef struct { unsigned int sig[2]; } compat_sigset_t_none;
typedef s64 ktime_t;
#define ktime_get() 0
#define ktime_get_boottime_ns() 0
#define ktime_to_ns(t) (t)
#define ktime_add_ns(a, b) ((a) + (b))
/* A delay is no step: any order is played without it. */
#define mdelay(ms) ((void)(ms))
#define udelay(us) ((void)(us))
#define ktime_sub(a, b) ((a) - (b))
#define ktime_before(a, b) ((a) < (b))
#define ktime_add_us_none
#define ktime_get_ns() 0ull
#define jiffies 0ul
#define HZ 1000
struct hrtimer { int none; };
struct ratelimit_state { int none; };
#define DEFINE_RATELIMIT_STATE(n, i, b) struct ratelimit_state n
#define RATELIMIT_MSG_ON_RELEASE 1
#define ratelimit_state_init(r, i, b) do {} while (0)
#define ratelimit_set_flags(r, f) do {} while (0)
#define __ratelimit(r) 1
struct notifier_block {
	int (*notifier_call)(struct notifier_block *nb, unsigned long a, void *d);
	int priority;
};
#define NOTIFY_OK 1
#define NOTIFY_DONE 0
#define NOTIFY_BAD 2
#define register_pm_notifier(n) 0
#define unregister_pm_notifier(n) do {} while (0)
#define register_reboot_notifier(n) 0
struct work_struct { void (*func)(struct work_struct *w); };
struct delayed_work { struct work_struct work; };
#define INIT_WORK(w, f) ((w)->func = (f))
#define INIT_DELAYED_WORK(w, f) ((w)->work.func = (f))
#define schedule_work(w) true
#define cancel_work_sync(w) false
#define flush_work(w) false
struct irq_work { int none; };
struct fpu_guest { u64 xfeatures, perm; void *fpstate; };
struct perf_event_attr { u64 config; };
struct msi_msg { u32 address_lo, address_hi, data; };
struct desc_ptr { u16 size; unsigned long address; };
struct mtrr_var_range { u32 none; };
struct device;
struct ida { int none; };
#define DEFINE_IDA(n) struct ida n
int ida_alloc_range(struct ida *i, unsigned int min, unsigned int max, gfp_t f);
void ida_free(struct ida *i, unsigned int id);
#define ida_is_empty(i) 0
struct vhost_task;
#define ENOTSUPP 524
#define ENOIOCTLCMD 515
#define INT_MAX 0x7fffffff
#define BUS_MCEERR_AR 4
#define send_sig_mceerr(a, b, c, d) 0
#define NUMA_NO_NODE (-1)
#define MAX_NUMNODES 1
#define E820_TYPE_RAM 1
#define ITOA_NONE 0
#define LOGLEVEL_NONE 0
#define ITOA_MAX_LEN 12
#define FMODE_READ 1
typedef int (*cmp_func_t)(const void *a, const void *b);
typedef void (*swap_func_t)(void *a, void *b, int n);
void sort(void *base, size_t n, size_t size, cmp_func_t cmp, swap_func_t sw);
struct kernel_param { void *arg; };
struct kernel_param_ops {
	unsigned int flags;
	int (*set)(const char *v, const struct kernel_param *kp);
	int (*get)(char *b, const struct kernel_param *kp);
};
int param_get_uint(char *b, const struct kernel_param *kp);
int param_get_bool(char *b, const struct kernel_param *kp);
int param_set_uint(const char *v, const struct kernel_param *kp);
#define sysfs_streq(a, b) (!strcmp(a, b))
int strcmp(const char *a, const char *b);
#define kstrtobool(s, p) (-EINVAL)
#define kstrtou32(s, b, p) (-EINVAL)
#define match_string(a, n, s) (-EINVAL)
#define capable(x) true
#define CAP_SYS_ADMIN 21
#define CAP_SYS_BOOT 22
#define CONFIG_KVM_ASYNC_PF_NONE
struct compat_none;
#define in_compat_syscall() false
#define compat_ptr(x) ((void *)(unsigned long)(x))
typedef u32 compat_uptr_t;
#define array_index_nospec(i, n) (i)
#define array_size(a, b) ((a) * (b))
#define list_next_none
#define lru_add_drain() do {} while (0)
#define vma_none
struct mce { u64 addr, status, misc; };
struct memory_notify { unsigned long start_pfn, nr_pages; };
#define MEM_GOING_ONLINE 1
#define register_memory_notifier(n) 0
#define for_each_mem_pfn_range(i, n, a, b, c) for ((i) = 0; (i) < 0; (i)++)
#define MEMBLOCK_NONE 0
