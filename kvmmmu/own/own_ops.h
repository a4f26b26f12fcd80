/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * The operations of kmmu.h as the project's own KVM does them: what own_ops.c puts into its
 * table. What each does is said there.
 */
#include "kvmmmu/kmmu.h"

struct kvm *own_vm_new(struct sim *sim, const struct kmmu_config *cfg, GError **err);
struct kvm_vcpu *own_vcpu(struct kvm *kvm, u16 n);
void own_set_guest(struct kvm *kvm, u16 n, const struct guest_program *p);
const char *own_name(const struct kvm *kvm);
u64 own_tdr(const struct kvm *kvm);
u64 own_tdvpr(const struct kvm *kvm, u16 n);
bool own_get(struct kvm *kvm, u16 n);
void own_put(struct kvm *kvm, u16 n);
struct kmmu_result own_run(struct kvm_vcpu *vcpu, enum kmmu_memory_fault mf, u64 times);
struct kmmu_result own_fault(struct kvm_vcpu *vcpu, u64 gfn, bool shared, u8 level);
struct kmmu_result own_prefault(struct kvm_vcpu *vcpu, u64 start, u64 end);
struct kmmu_result own_migrate(struct kvm *kvm, u16 lp);
struct kmmu_result own_zap(struct kvm *kvm, u64 start, u64 end);
struct kmmu_result own_punch(struct kvm *kvm, u64 start, u64 end);
struct kmmu_result own_convert(struct kvm *kvm, u64 start, u64 end, bool to_shared);
struct kmmu_result own_slot(struct kvm *kvm, enum kmmu_slot_change what, u64 start, u64 end,
			    u64 to);
struct kmmu_result own_kick(struct kvm *kvm);
struct kmmu_result own_track(struct kvm *kvm);
struct kmmu_result own_rcu_quiesce(struct kvm *kvm);
struct kmmu_result own_reuse_page(struct kvm *kvm, u64 gfn);
struct kmmu_result own_notify(struct kvm *kvm, u64 start, u64 end);
struct kmmu_result own_age(struct kvm *kvm, u64 start, u64 end);
struct kmmu_result own_test_age(struct kvm *kvm, u64 start, u64 end);
struct kmmu_result own_get_dirty(struct kvm *kvm, u64 start);
struct kmmu_result own_recover_nx(struct kvm *kvm);
struct kmmu_result own_shadow_page(struct kvm *kvm, u64 gfn);
struct kmmu_result own_collapse(struct kvm *kvm, u64 start, u64 end);
struct kmmu_result own_split(struct kvm *kvm, u64 gfn);
struct kmmu_result own_log_dirty(struct kvm *kvm, u64 start, u64 end, bool on);
struct kmmu_result own_clear_dirty(struct kvm *kvm, u64 start, u64 end);
struct kmmu_result own_init_vm(struct kvm *kvm);
struct kmmu_result own_create_vcpu(struct kvm *kvm, u16 n);
struct kmmu_result own_init_vcpu(struct kvm_vcpu *vcpu);
struct kmmu_result own_build(struct kvm_vcpu *vcpu, u64 start, u64 end);
struct kmmu_result own_finalize(struct kvm *kvm);
struct kmmu_result own_close(struct kvm *kvm, u16 n);
struct kmmu_result own_destroy(struct kvm *kvm);
struct kmmu_result own_release_hkid(struct kvm *kvm);
struct kmmu_result own_terminate(struct kvm *kvm);
struct kmmu_result own_cpu_offline(struct kvm *kvm, u16 lp);
bool own_destroyed(const struct kvm *kvm);
bool own_has_lock(const char *name);
void own_lock_acquire(struct kvm *kvm, const char *name, bool shared);
void own_lock_release(struct kvm *kvm, const char *name, bool shared);
void own_mirror_peek(struct kvm *kvm, u64 gfn, struct mirror_view *v);
void own_direct_peek(struct kvm *kvm, u64 gfn, struct mirror_view *v);
bool own_direct_maps(const struct kvm *kvm, u64 hpa, u64 *gfn);
bool own_is_dead(const struct kvm *kvm);
u64 own_gfns(const struct kvm *kvm);
void own_check_end(struct kvm *kvm);
