/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Threads, processors, per-CPU data, interrupts, calls between CPUs: the engine's.
 * include/linux/{sched,smp,percpu-defs,cpumask,irqflags,preempt,cpu}.h
 */
struct mm_struct;
struct file;
struct page;
typedef struct { unsigned long sig[1]; } sigset_t;
struct task_struct {
	struct mm_struct *mm;
	unsigned long loop_at;	/* ours: ktree_loop_at() */
	u32 wake;		/* ours: what schedule() waits for */
	struct page *zapped;	/* ours: pages that go back, ksim_user_release() */
	struct file *released;	/* ours: files that nobody uses, ktree_task_work() */
	int pid;
	unsigned int flags;
	void *real_blocked_none;
	sigset_t real_blocked, blocked;
	struct { unsigned long gsbase, fsbase; } thread;
};
#define current ((struct task_struct *)ksim_current())
#define PF_VCPU 1
#define TASK_RUNNING 0
#define TASK_INTERRUPTIBLE 1
#define TASK_UNINTERRUPTIBLE 2
#define TASK_IDLE 0x402
#define set_current_state(s) do {} while (0)
#define __set_current_state(s) do {} while (0)
void ksim_schedule(void);
#define schedule() ksim_schedule()
#define signal_pending(t) ((void)(t), ksim_signal_pending())
#define need_resched() ksim_need_resched()
#define tif_need_resched() ksim_need_resched()
#define cond_resched() ksim_cond_resched()
#define cond_resched_rwlock_read(l) ({ read_unlock(l); ksim_cond_resched(); read_lock(l); 1; })
#define cond_resched_rwlock_write(l) ({ write_unlock(l); ksim_cond_resched(); write_lock(l); 1; })
#define smp_processor_id() ksim_cpu()
#define raw_smp_processor_id() ksim_cpu()
#define get_cpu() ksim_cpu()
#define put_cpu() do {} while (0)
#define preempt_disable() do {} while (0)
#define preempt_enable() do {} while (0)
#define preempt_disable_notrace() do {} while (0)
#define preempt_enable_notrace() do {} while (0)
#define local_irq_disable() ksim_irq_disable()
#define local_irq_enable() ksim_irq_enable()
#define local_irq_save(f) do { (f) = 0; ksim_irq_disable(); } while (0)
#define local_irq_restore(f) do { (void)(f); ksim_irq_enable(); } while (0)
#define irqs_disabled() ksim_irqs_disabled()
#define in_task() true
#define in_nmi() false
#define migrate_disable() do {} while (0)
#define migrate_enable() do {} while (0)
typedef u64 ktime_t_none;
struct preempt_notifier;
struct preempt_ops {
	void (*sched_in)(struct preempt_notifier *n, int cpu);
	void (*sched_out)(struct preempt_notifier *n, struct task_struct *next);
};
struct preempt_notifier { struct preempt_ops *ops; };
#define preempt_notifier_init(n, o) ((n)->ops = (o))
#define preempt_notifier_register(n) ksim_preempt_register(n)
#define preempt_notifier_unregister(n) ((void)(n), ksim_preempt_register(0))
#define preempt_notifier_inc() do {} while (0)
#define preempt_notifier_dec() do {} while (0)
#define task_is_runnable(t) true
#define get_task_pid(t, x) ((struct pid *)(t))
#define task_pid(t) ((struct pid *)(t))
#define task_pid_nr(t) ((t)->pid)
#define get_pid(p) (p)
#define put_pid(p) do {} while (0)
#define pid_task(p, t) ((struct task_struct *)(p))
#define get_pid_task(p, t) ((struct task_struct *)(p))
#define put_task_struct(t) do {} while (0)
enum pid_type { PIDTYPE_PID };
struct pid;
#define yield_to(t, p) 0
#define single_task_running() true
#define sigfillset(s) do {} while (0)
#define sigdelsetmask(s, m) do {} while (0)
#define sigprocmask(h, s, o) 0
#define SIG_SETMASK 2
#define sigset_from_compat(s, c) do {} while (0)
#define get_compat_sigset(s, c) 0
#define rseq_virt_userspace_exit() do {} while (0)
#define hung_task_none
#define profile_hit(a, b) do {} while (0)
#define KVM_PROFILING 3

#define NR_CPUS CONFIG_NR_CPUS
#define nr_cpu_ids ksim_cpus()
typedef struct cpumask { unsigned long bits[NR_CPUS / 64]; } cpumask_t;
typedef cpumask_t cpumask_var_t[1];
extern struct cpumask ksim_online_mask;
#define cpu_online_mask ((struct cpumask *)1)
#define cpu_possible_mask ((struct cpumask *)1)
#define cpu_online(c) ksim_cpu_online(c)
#define zalloc_cpumask_var(m, f) (memset(m, 0, sizeof(cpumask_t)), true)
#define zalloc_cpumask_var_node(m, f, n) (memset(m, 0, sizeof(cpumask_t)), true)
#define free_cpumask_var(m) do {} while (0)
#define cpumask_clear(m) memset(m, 0, sizeof(cpumask_t))
#define cpumask_bits(m) (((struct cpumask *)(m))->bits)
#define cpumask_test_and_set_cpu(c, m) ({				\
	bool ksim_o = KSIM_BIT(c, cpumask_bits(m)) >> (c) % 64 & 1;	\
	__set_bit(c, cpumask_bits(m)); ksim_o; })
#define cpumask_set_cpu(c, m) __set_bit(c, cpumask_bits(m))
#define __cpumask_set_cpu cpumask_set_cpu
#define cpumask_clear_cpu(c, m) __clear_bit(c, cpumask_bits(m))
#define cpumask_test_cpu(c, m) (KSIM_BIT(c, cpumask_bits(m)) >> (c) % 64 & 1)
#define cpumask_empty(m) bitmap_empty(cpumask_bits(m), NR_CPUS)
#define for_each_online_cpu(i) for ((i) = 0; (i) < ksim_cpus(); (i)++) if (!ksim_cpu_online(i)) {} else
#define for_each_possible_cpu(i) for ((i) = 0; (i) < ksim_cpus(); (i)++)
#define for_each_present_cpu for_each_possible_cpu
#define for_each_cpu(i, m) for ((i) = 0; (i) < ksim_cpus(); (i)++)	\
	if ((void *)(m) != (void *)cpu_online_mask && !cpumask_test_cpu(i, m)) {} else
#define for_each_cpu_and(i, a, b) for_each_online_cpu(i)
#define for_each_cpu_not(i, a) for_each_online_cpu(i)
#define num_present_cpus() ksim_cpus()
#define num_online_cpus() ksim_cpus()
#define num_possible_cpus() ksim_cpus()
#define cpu_to_node(c) 0
#define numa_node_id() 0
#define topology_physical_package_id(c) ksim_package(c)
#define topology_logical_package_id(c) ksim_package(c)
#define topology_max_packages() 1

/* Per-CPU data: the kernel's variable is where CPU 0 would be; host_data.c has the others */
#define __percpu
#define DECLARE_PER_CPU(t, n) extern __typeof__(t) n
#define DEFINE_PER_CPU(t, n) __typeof__(t) n __attribute__((section("ksim_cpudata")))
#define DEFINE_PER_CPU_READ_MOSTLY DEFINE_PER_CPU
#define DEFINE_PER_CPU_ALIGNED DEFINE_PER_CPU
#define DECLARE_PER_CPU_READ_MOSTLY DECLARE_PER_CPU
#define per_cpu_ptr(p, c) ((__typeof__(p))ksim_percpu((void *)(p), c))
#define per_cpu(v, c) (*per_cpu_ptr(&(v), c))
#define this_cpu_ptr(p) per_cpu_ptr(p, ksim_cpu())
#define raw_cpu_ptr this_cpu_ptr
#define this_cpu_read(v) (*this_cpu_ptr(&(v)))
#define this_cpu_write(v, x) (*this_cpu_ptr(&(v)) = (x))
#define __this_cpu_read this_cpu_read
#define __this_cpu_write this_cpu_write
#define this_cpu_cpumask_var_ptr(v) ((struct cpumask *)this_cpu_ptr(&(v)))
#define per_cpu_cpumask_none
#define this_cpu_xchg(v, n) ({ __typeof__(v) ksim_o = this_cpu_read(v); this_cpu_write(v, n); ksim_o; })
#define this_cpu_inc_return(v) (++*this_cpu_ptr(&(v)))
#define this_cpu_dec_return(v) (--*this_cpu_ptr(&(v)))
#define alloc_percpu(t) ((t *)NULL)
#define free_percpu(p) do {} while (0)

#define smp_call_function_single(c, f, a, w) (ksim_call_one(c, f, a, w), 0)
#define smp_call_function_many(m, f, a, w) ksim_call_many((unsigned long *)(m), f, a, w, 0)
#define on_each_cpu_mask(m, f, a, w) ksim_call_many((unsigned long *)(m), f, a, w, 1)
#define on_each_cpu(f, a, w) ksim_call_many(NULL, f, a, w, 1)
#define smp_send_reschedule(c) ksim_kick_cpu(c)
#define cpus_read_lock() ksim_lock(KSIM_DOWN_READ, &ksim_cpu_hotplug_lock)
#define cpus_read_unlock() ksim_unlock(KSIM_DOWN_READ, &ksim_cpu_hotplug_lock)
extern struct rw_semaphore ksim_cpu_hotplug_lock;
enum cpuhp_state { CPUHP_AP_KVM_ONLINE = 1, CPUHP_AP_ONLINE_DYN, CPUHP_ONLINE };
#define cpuhp_setup_state(s, n, up, down) ((s) == CPUHP_AP_ONLINE_DYN)
#define cpuhp_setup_state_cpuslocked cpuhp_setup_state
#define cpuhp_remove_state(s) do {} while (0)
#define cpuhp_remove_state_nocalls(s) do {} while (0)
#define cpuhp_remove_state_nocalls_cpuslocked(s) do {} while (0)
#define cpuhp_remove_state_cpuslocked(s) do {} while (0)
#ifdef SYSCORE_NO_DATA
struct syscore_ops { int (*suspend)(void); void (*resume)(void); void (*shutdown)(void); };
#else
struct syscore_ops { int (*suspend)(void *d); void (*resume)(void *d); void (*shutdown)(void *d); };
#endif
struct syscore { const struct syscore_ops *ops; };
#define register_syscore(s) do {} while (0)
#define unregister_syscore(s) do {} while (0)
#define register_syscore_ops(s) do {} while (0)
#define unregister_syscore_ops(s) do {} while (0)
enum system_states { SYSTEM_RUNNING, SYSTEM_HALT, SYSTEM_POWER_OFF, SYSTEM_RESTART };
#define system_state SYSTEM_RUNNING
#define vtime_account_guest_enter() do {} while (0)
#define vtime_account_guest_exit() do {} while (0)
#define context_tracking_guest_enter() true
#define context_tracking_guest_exit() true
#define rcu_virt_note_context_switch() do {} while (0)
#define task_tgid_nr(t) ((t)->pid)
#define pid_nr(p) 1
#define sigemptyset(s) do {} while (0)
#define smp_call_on_cpu(c, f, a, phys) ksim_call_on_cpu(c, f, a)
int ksim_call_on_cpu(int cpu, int (*fn)(void *), void *arg);
#define alloc_cpumask_var_node zalloc_cpumask_var_node
#define get_cpu_mask(c) NULL
#define __apic_send_IPI_mask(m, v) do {} while (0)
#define get_online_mems() do {} while (0)
#define put_online_mems() do {} while (0)
#define is_compat_task() false
#define msecs_to_jiffies(m) (m)
#define get_jiffies_64() 0ull
#define schedule_timeout(t) (t)
struct vhost_task *vhost_task_create(bool (*fn)(void *), void (*sigkill)(void *), void *arg,
				     const char *name);
#define vhost_task_start(t) do {} while (0)
#define vhost_task_stop(t) do {} while (0)
#define vhost_task_wake(t) do {} while (0)
