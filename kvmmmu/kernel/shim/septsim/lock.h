/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Locks, lockdep, RCU, SRCU, waits: the engine's. include/linux/{spinlock,rwlock,mutex,rwsem,
 * lockdep,rcupdate,srcu,swait,rcuwait,completion}.h
 */
typedef struct { unsigned char ksim[KSIM_LOCK_SIZE]; } __attribute__((aligned(64))) ksim_lock_t;
typedef struct spinlock { ksim_lock_t ksim; } spinlock_t;
typedef struct raw_spinlock { ksim_lock_t ksim; } raw_spinlock_t;
typedef struct { ksim_lock_t ksim; } rwlock_t;
struct mutex { ksim_lock_t ksim; };
struct rw_semaphore { ksim_lock_t ksim; };
struct srcu_struct { unsigned char ksim[KSIM_SRCU_SIZE]; } __attribute__((aligned(64)));
struct lockdep_map { int none; };
struct lock_class_key { int none; };
typedef struct { unsigned int seq; } seqcount_t;
typedef seqcount_t seqcount_raw_spinlock_t;
typedef seqcount_t seqcount_spinlock_t;
typedef seqcount_t seqcount_mutex_t;
#define seqcount_raw_spinlock_init(s, l) ((void)(l), (s)->seq = 0)
#define seqcount_init(s) ((s)->seq = 0)

#define spin_lock_init(l) ksim_lock_init(KSIM_SPIN, l, #l)
#define raw_spin_lock_init spin_lock_init
#define rwlock_init(l) ksim_lock_init(KSIM_WRITE, l, #l)
#define mutex_init(l) ksim_lock_init(KSIM_MUTEX, l, #l)
#define init_rwsem(l) ksim_lock_init(KSIM_DOWN_WRITE, l, #l)
#define mutex_destroy(l) do {} while (0)
#define spin_lock(l) ksim_lock(KSIM_SPIN, l)
#define spin_unlock(l) ksim_unlock(KSIM_SPIN, l)
#define spin_trylock(l) ksim_trylock(KSIM_SPIN, l)
#define raw_spin_lock spin_lock
#define raw_spin_unlock spin_unlock
#define spin_lock_irq(l) do { ksim_irq_disable(); spin_lock(l); } while (0)
#define spin_unlock_irq(l) do { spin_unlock(l); ksim_irq_enable(); } while (0)
#define raw_spin_lock_irq spin_lock_irq
#define raw_spin_unlock_irq spin_unlock_irq
/* local_irq_save() nests in the engine */
#define spin_lock_irqsave(l, f) do { (f) = 0; ksim_irq_disable(); spin_lock(l); } while (0)
#define spin_unlock_irqrestore(l, f) do { (void)(f); spin_unlock(l); ksim_irq_enable(); } while (0)
#define raw_spin_lock_irqsave spin_lock_irqsave
#define raw_spin_unlock_irqrestore spin_unlock_irqrestore
#define read_lock(l) ksim_lock(KSIM_READ, l)
#define read_unlock(l) ksim_unlock(KSIM_READ, l)
#define read_trylock(l) ksim_trylock(KSIM_READ, l)
#define write_lock(l) ksim_lock(KSIM_WRITE, l)
#define write_unlock(l) ksim_unlock(KSIM_WRITE, l)
#define write_trylock(l) ksim_trylock(KSIM_WRITE, l)
#define mutex_lock(l) ksim_lock(KSIM_MUTEX, l)
#define mutex_unlock(l) ksim_unlock(KSIM_MUTEX, l)
#define mutex_trylock(l) ksim_trylock(KSIM_MUTEX, l)
#define mutex_lock_killable(l) (ksim_lock(KSIM_MUTEX, l), 0)
#define mutex_lock_interruptible mutex_lock_killable
#define mutex_lock_nested(l, c) mutex_lock(l)
#define mutex_lock_nest_lock(l, n) ksim_lock_nested(l, n)
#define mutex_lock_killable_nested(l, c) mutex_lock_killable(l)
#define mutex_trylock_nest_lock(l, n) ksim_trylock(KSIM_MUTEX, l)
#define _mutex_lock_killable(l, c, n) (ksim_lock_nested(l, ksim_nest_of(n)), 0)
#define mutex_is_locked(l) ksim_mutex_is_locked(l)
#define mutex_lock_killable_nest_lock(l, n) (ksim_lock_nested(l, n), 0)
#define down_read(l) ksim_lock(KSIM_DOWN_READ, l)
#define up_read(l) ksim_unlock(KSIM_DOWN_READ, l)
#define down_write(l) ksim_lock(KSIM_DOWN_WRITE, l)
#define up_write(l) ksim_unlock(KSIM_DOWN_WRITE, l)
#define KSIM_DEFINE(type, n, k) type n;					\
	static const struct ksim_static_lock ksim_lock_of_##n		\
	__attribute__((section("ksim_locks"), used)) = { &n, #n, k }
#define DEFINE_MUTEX(n) KSIM_DEFINE(struct mutex, n, KSIM_MUTEX)
#define DEFINE_SPINLOCK(n) KSIM_DEFINE(spinlock_t, n, KSIM_SPIN)
#define DEFINE_RAW_SPINLOCK(n) KSIM_DEFINE(raw_spinlock_t, n, KSIM_SPIN)
#define DECLARE_RWSEM(n) KSIM_DEFINE(struct rw_semaphore, n, KSIM_DOWN_WRITE)

#define KSIM_ANY_OF(l) _Generic((l), rwlock_t *: KSIM_READ, struct mutex *: KSIM_MUTEX,	\
	struct rw_semaphore *: KSIM_DOWN_READ, default: KSIM_SPIN)
#define lockdep_assert_held(l) ksim_assert_held(KSIM_ANY_OF(l), (void *)(l), 1, KSIM_SITE)
#define lockdep_assert_held_read(l) ksim_assert_held(KSIM_READ, (void *)(l), 0, KSIM_SITE)
#define lockdep_assert_held_write(l) ksim_assert_held(KSIM_WRITE, (void *)(l), 0, KSIM_SITE)
#define lockdep_assert_not_held(l) do {} while (0)
#define lockdep_assert_once(c) ((void)WARN_ON(!(c)))
#define lockdep_assert(c) ((void)WARN_ON(!(c)))
#define lockdep_is_held(l) ksim_lock_held(KSIM_ANY_OF(l), (void *)(l))
#define lockdep_is_held_type(l, t) lockdep_is_held(l)
#define lockdep_assert_irqs_disabled() ((void)WARN_ON(!ksim_irqs_disabled()))
#define lockdep_assert_irqs_enabled() ((void)WARN_ON(ksim_irqs_disabled()))
#define lockdep_assert_preemption_disabled() do {} while (0)
#define lockdep_assert_cpus_held() do {} while (0)
#define lockdep_set_class(l, k) do {} while (0)
#define rwlock_needbreak(l) ksim_needbreak(l)
#define spin_needbreak(l) 0
#define rwlock_is_contended rwlock_needbreak
#define might_sleep() ksim_might_sleep(__func__)
#define might_lock(l) do {} while (0)
#define might_fault() might_sleep()

void rcu_read_lock(void);
#define rcu_read_lock() ksim_rcu_read_lock()
#define rcu_read_unlock() ksim_rcu_read_unlock()
#define rcu_read_lock_held() ksim_rcu_read_lock_held()
#define rcu_read_lock_any_held() ksim_rcu_read_lock_held()
#define call_rcu(h, f) ksim_call_rcu(h, (void (*)(void *))(f))
#define rcu_barrier() ksim_rcu_barrier()
#define synchronize_rcu() ksim_synchronize_rcu()
#define synchronize_rcu_expedited() ksim_synchronize_rcu()
#define kfree_rcu(p, m) ksim_call_rcu(p, (void (*)(void *))ksim_free)
#define init_srcu_struct(s) (ksim_srcu_init(s, #s), 0)
#define cleanup_srcu_struct(s) ksim_srcu_exit(s)
#define srcu_read_lock(s) ksim_srcu_read_lock(s)
#define srcu_read_unlock(s, i) ksim_srcu_read_unlock(s, i)
#define srcu_read_unlock_lite(s, i) ksim_srcu_read_unlock_lite(s, i)
#define srcu_read_lock_held(s) ksim_srcu_held(s)
#define synchronize_srcu(s) ksim_synchronize_srcu(s)
#define synchronize_srcu_expedited(s) ksim_synchronize_srcu(s)
#define call_srcu(s, h, f) ksim_call_rcu(h, (void (*)(void *))(f))
#define srcu_barrier(s) ksim_rcu_barrier()
#define rcu_dereference_raw(p) READ_ONCE(p)
/* tdp_iter and lists: READ_ONCE() of the pointer; a value that was read already is no step */
#define KSIM_DEREF(p) READ_ONCE(p)
#define rcu_dereference(p) ({ (__typeof__(*(p)) *)(p); })
#define rcu_dereference_check(p, c) ({ (void)(c); READ_ONCE(p); })
#define rcu_dereference_protected(p, c) (p)
#define srcu_dereference(p, s) READ_ONCE(p)
#define srcu_dereference_check(p, s, c) ({ (void)(c); READ_ONCE(p); })
#define rcu_assign_pointer(p, v) WRITE_ONCE(p, v)
#define RCU_INIT_POINTER(p, v) ((p) = (v))
#define rcu_access_pointer(p) READ_ONCE(p)
#define rcu_replace_pointer(p, v, c) ({ __typeof__(p) ksim_o = (p); WRITE_ONCE(p, v); ksim_o; })
#define rcu_pointer_handoff(p) (p)
#define RCU_LOCKDEP_WARN(c, s) ((void)WARN_ON(c))
#define rcu_check_sparse(p, s)
#define rcu_head_init(h) do {} while (0)

struct swait_queue_head { u64 none; };
typedef struct wait_queue_head { u64 none; } wait_queue_head_t;
typedef struct wait_queue_entry { u64 none; } wait_queue_entry_t;
typedef struct poll_table_struct { u64 none; } poll_table;
struct completion { u64 none; };
#define rcuwait_init(w) ((w)->task = NULL)
#define prepare_to_rcuwait(w) WRITE_ONCE((w)->task, current)
#define finish_rcuwait(w) WRITE_ONCE((w)->task, NULL)
#define rcuwait_active(w) 0
struct rcuwait;
int ksim_rcuwait_wake(struct rcuwait *w);
#define rcuwait_wake_up(w) ksim_rcuwait_wake(w)
#define rcuwait_wait_event(w, cond, state) ({ while (!(cond)) schedule(); 0; })
#define __SPIN_LOCK_UNLOCKED(x) { }
#define __mutex_init(l, n, k) ksim_lock_init(KSIM_MUTEX, l, n)
#define smp_mb__after_srcu_read_lock() barrier()
#define lockdep_hardirqs_on_prepare() do {} while (0)
#define lockdep_hardirqs_on(a) do {} while (0)
#define lockdep_hardirqs_off(a) do {} while (0)
#define trace_hardirqs_on_prepare() do {} while (0)
#define trace_hardirqs_off_finish() do {} while (0)
