/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * A backend: the operations of kmmu.h, a pointer each, of which that file says what they do.
 * kmmu.c hands each call on to the backend of the running sim. For backends alone.
 */
#include "kvmmmu/kmmu.h"

struct kmmu_ops {
	struct kvm *(*vm_new)(struct sim *sim, const struct kmmu_config *cfg, GError **err);
	struct kvm_vcpu *(*vcpu)(struct kvm *kvm, u16 n);
	void (*set_guest)(struct kvm *kvm, u16 n, const struct guest_program *p);
	const char *(*name)(const struct kvm *kvm);
	u64 (*tdr)(const struct kvm *kvm);
	u64 (*tdvpr)(const struct kvm *kvm, u16 n);
	bool (*get)(struct kvm *kvm, u16 n);
	void (*put)(struct kvm *kvm, u16 n);
	struct kmmu_result (*run)(struct kvm_vcpu *vcpu, enum kmmu_memory_fault mf, u64 times);
	struct kmmu_result (*fault)(struct kvm_vcpu *vcpu, u64 gfn, bool shared, u8 level);
	struct kmmu_result (*prefault)(struct kvm_vcpu *vcpu, u64 start, u64 end);
	struct kmmu_result (*migrate)(struct kvm *kvm, u16 lp);
	struct kmmu_result (*zap)(struct kvm *kvm, u64 start, u64 end);
	struct kmmu_result (*punch)(struct kvm *kvm, u64 start, u64 end);
	struct kmmu_result (*convert)(struct kvm *kvm, u64 start, u64 end, bool to_shared);
	struct kmmu_result (*slot)(struct kvm *kvm, enum kmmu_slot_change what, u64 start, u64 end,
				   u64 to);
	struct kmmu_result (*kick)(struct kvm *kvm);
	struct kmmu_result (*track)(struct kvm *kvm);
	struct kmmu_result (*rcu_quiesce)(struct kvm *kvm);
	struct kmmu_result (*reuse_page)(struct kvm *kvm, u64 gfn);
	struct kmmu_result (*notify)(struct kvm *kvm, u64 start, u64 end);
	struct kmmu_result (*age)(struct kvm *kvm, u64 start, u64 end);
	struct kmmu_result (*test_age)(struct kvm *kvm, u64 start, u64 end);
	struct kmmu_result (*recover_nx)(struct kvm *kvm);
	struct kmmu_result (*shadow_page)(struct kvm *kvm, u64 gfn);
	struct kmmu_result (*collapse)(struct kvm *kvm, u64 start, u64 end);
	struct kmmu_result (*split)(struct kvm *kvm, u64 gfn);
	struct kmmu_result (*log_dirty)(struct kvm *kvm, u64 start, u64 end, bool on);
	struct kmmu_result (*get_dirty)(struct kvm *kvm, u64 start);
	struct kmmu_result (*clear_dirty)(struct kvm *kvm, u64 start, u64 end);
	struct kmmu_result (*init_vm)(struct kvm *kvm);
	struct kmmu_result (*create_vcpu)(struct kvm *kvm, u16 n);
	struct kmmu_result (*init_vcpu)(struct kvm_vcpu *vcpu);
	struct kmmu_result (*build)(struct kvm_vcpu *vcpu, u64 start, u64 end);
	struct kmmu_result (*finalize)(struct kvm *kvm);
	struct kmmu_result (*close)(struct kvm *kvm, u16 n);
	struct kmmu_result (*destroy)(struct kvm *kvm);
	struct kmmu_result (*release_hkid)(struct kvm *kvm);
	struct kmmu_result (*terminate)(struct kvm *kvm);
	struct kmmu_result (*cpu_offline)(struct kvm *kvm, u16 lp);
	bool (*destroyed)(const struct kvm *kvm);
	bool (*has_lock)(const char *name);
	void (*lock_acquire)(struct kvm *kvm, const char *name, bool shared);
	void (*lock_release)(struct kvm *kvm, const char *name, bool shared);
	void (*mirror_peek)(struct kvm *kvm, u64 gfn, struct mirror_view *v);
	void (*direct_peek)(struct kvm *kvm, u64 gfn, struct mirror_view *v);
	bool (*direct_maps)(const struct kvm *kvm, u64 hpa, u64 *gfn);
	bool (*is_dead)(const struct kvm *kvm);
	u64 (*gfns)(const struct kvm *kvm);
	void (*check_end)(struct kvm *kvm);
};

extern const struct kmmu_ops own_ops;
/* linux_ops - NULL in a build without a tree */
extern const struct kmmu_ops *const linux_ops;
