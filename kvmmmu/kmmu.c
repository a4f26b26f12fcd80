// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose KVM it is: each call of kmmu.h goes to the backend that the sim's first VM chose. An
 * operation is thousands of instructions, so that the way through here costs nothing.
 */
#include "kvmmmu/kmmu_ops.h"

#include <stdlib.h>
#include <string.h>

#include "sim/engine/sim.h"
#include "sim/engine/trace.h"

bool kmmu_backend_find(const char *name, enum kmmu_backend *b)
{
	if (strcmp(name, "own") && strcmp(name, "linux"))
		return false;
	*b = strcmp(name, "own") ? KMMU_LINUX : KMMU_OWN;
	return true;
}

void kmmu_trace_fault(const char *name, u64 gfn, s64 ret, u8 level, u64 hpa)
{
	static const char *const words[] = {
		[RET_PF_CONTINUE] = "RET_PF_CONTINUE", [RET_PF_RETRY] = "RET_PF_RETRY",
		[RET_PF_EMULATE] = "RET_PF_EMULATE",
		[RET_PF_WRITE_PROTECTED] = "RET_PF_WRITE_PROTECTED",
		[RET_PF_INVALID] = "RET_PF_INVALID", [RET_PF_FIXED] = "RET_PF_FIXED",
		[RET_PF_SPURIOUS] = "RET_PF_SPURIOUS",
	};
	const char *word = ret >= 0 && ret < (s64)ARRAY_SIZE(words) ? words[ret] : NULL;

	trace_(EV_RETURN, .name = name, .arg = gfn, .has_arg = true, .status = (u64)ret,
	       .detail = word, .level = level, .hpa = hpa);
}

/* "v7.2" or "7.2.13": major << 16 | minor; 0: no version */
static u32 version_of(const char *text)
{
	char *end;
	gulong major = strtoul(*text == 'v' ? text + 1 : text, &end, 10);

	return *end == '.' && g_ascii_isdigit(end[1]) ?
	       (u32)(major << 16 | strtoul(end + 1, NULL, 10)) : 0;
}

const char *kmmu_tree_kvm(void)
{
	const struct kmmu_tree *tree = kmmu_tree();
	const char *best = NULL;
	const struct kmmu_word *w;
	u32 n;

	w = kmmu_variants(&n);
	for (u32 i = 0; tree && i < n; i++)
		if (version_of(w[i].name) && version_of(w[i].name) <= version_of(tree->version) &&
		    (!best || version_of(w[i].name) > version_of(best)))
			best = w[i].name;
	return best;
}

static const struct kmmu_ops *ops(void)
{
	return sim_layer(sim_current(), LAYER_KVM_OPS);
}

struct kvm *kmmu_vm_new(struct sim *sim, const struct kmmu_config *cfg, GError **err)
{
	const struct kmmu_ops *o = cfg->backend == KMMU_LINUX ? linux_ops : &own_ops;
	const struct kmmu_ops *is = sim_layer(sim, LAYER_KVM_OPS);

	if (!o) {
		g_set_error_literal(err, KMMU_ERROR, KMMU_ERROR_NOT_SUPPORTED,
				    "this septsim has no kernel tree in it; configure one with "
				    "`meson setup BUILD -Dlinux_tree=PATH`");
		return NULL;
	}
	if (is && is != o) {
		g_set_error_literal(err, KMMU_ERROR, KMMU_ERROR_VALUE,
				    "all VMs of a machine have the same KVM");
		return NULL;
	}
	sim_set_layer(sim, LAYER_KVM_OPS, (void *)o);
	return o->vm_new(sim, cfg, err);
}

struct kvm_vcpu *kmmu_vcpu(struct kvm *kvm, u16 n)
{
	return ops()->vcpu(kvm, n);
}

void kmmu_set_guest(struct kvm *kvm, u16 n, const struct guest_program *p)
{
	ops()->set_guest(kvm, n, p);
}

const char *kmmu_name(const struct kvm *kvm)
{
	return ops()->name(kvm);
}

u64 kmmu_tdr(const struct kvm *kvm)
{
	return ops()->tdr(kvm);
}

u64 kmmu_tdvpr(const struct kvm *kvm, u16 n)
{
	return ops()->tdvpr(kvm, n);
}

bool kmmu_get(struct kvm *kvm, u16 n)
{
	return ops()->get(kvm, n);
}

void kmmu_put(struct kvm *kvm, u16 n)
{
	ops()->put(kvm, n);
}

struct kmmu_result kmmu_run(struct kvm_vcpu *vcpu, enum kmmu_memory_fault mf, u64 times)
{
	return ops()->run(vcpu, mf, times);
}

struct kmmu_result kmmu_fault(struct kvm_vcpu *vcpu, u64 gfn, bool shared, u8 level)
{
	return ops()->fault(vcpu, gfn, shared, level);
}

struct kmmu_result kmmu_prefault(struct kvm_vcpu *vcpu, u64 start, u64 end)
{
	return ops()->prefault(vcpu, start, end);
}

struct kmmu_result kmmu_migrate(struct kvm *kvm, u16 lp)
{
	return ops()->migrate(kvm, lp);
}

struct kmmu_result kmmu_zap(struct kvm *kvm, u64 start, u64 end)
{
	return ops()->zap(kvm, start, end);
}

struct kmmu_result kmmu_punch(struct kvm *kvm, u64 start, u64 end)
{
	return ops()->punch(kvm, start, end);
}

struct kmmu_result kmmu_convert(struct kvm *kvm, u64 start, u64 end, bool to_shared)
{
	return ops()->convert(kvm, start, end, to_shared);
}

struct kmmu_result kmmu_slot(struct kvm *kvm, enum kmmu_slot_change what, u64 start, u64 end,
			     u64 to)
{
	return ops()->slot(kvm, what, start, end, to);
}

struct kmmu_result kmmu_kick(struct kvm *kvm)
{
	return ops()->kick(kvm);
}

struct kmmu_result kmmu_track(struct kvm *kvm)
{
	return ops()->track(kvm);
}

struct kmmu_result kmmu_rcu_quiesce(struct kvm *kvm)
{
	return ops()->rcu_quiesce(kvm);
}

struct kmmu_result kmmu_reuse_page(struct kvm *kvm, u64 gfn)
{
	return ops()->reuse_page(kvm, gfn);
}

struct kmmu_result kmmu_notify(struct kvm *kvm, u64 start, u64 end)
{
	return ops()->notify(kvm, start, end);
}

struct kmmu_result kmmu_age(struct kvm *kvm, u64 start, u64 end)
{
	return ops()->age(kvm, start, end);
}

struct kmmu_result kmmu_recover_nx(struct kvm *kvm)
{
	return ops()->recover_nx(kvm);
}

struct kmmu_result kmmu_test_age(struct kvm *kvm, u64 start, u64 end)
{
	return ops()->test_age(kvm, start, end);
}

struct kmmu_result kmmu_shadow_page(struct kvm *kvm, u64 gfn)
{
	return ops()->shadow_page(kvm, gfn);
}

struct kmmu_result kmmu_collapse(struct kvm *kvm, u64 start, u64 end)
{
	return ops()->collapse(kvm, start, end);
}

struct kmmu_result kmmu_split(struct kvm *kvm, u64 gfn)
{
	return ops()->split(kvm, gfn);
}

struct kmmu_result kmmu_log_dirty(struct kvm *kvm, u64 start, u64 end, bool on)
{
	return ops()->log_dirty(kvm, start, end, on);
}

struct kmmu_result kmmu_get_dirty(struct kvm *kvm, u64 start)
{
	return ops()->get_dirty(kvm, start);
}

struct kmmu_result kmmu_clear_dirty(struct kvm *kvm, u64 start, u64 end)
{
	return ops()->clear_dirty(kvm, start, end);
}

struct kmmu_result kmmu_init_vm(struct kvm *kvm)
{
	return ops()->init_vm(kvm);
}

struct kmmu_result kmmu_create_vcpu(struct kvm *kvm, u16 n)
{
	return ops()->create_vcpu(kvm, n);
}

struct kmmu_result kmmu_init_vcpu(struct kvm_vcpu *vcpu)
{
	return ops()->init_vcpu(vcpu);
}

struct kmmu_result kmmu_build(struct kvm_vcpu *vcpu, u64 start, u64 end)
{
	return ops()->build(vcpu, start, end);
}

struct kmmu_result kmmu_finalize(struct kvm *kvm)
{
	return ops()->finalize(kvm);
}

struct kmmu_result kmmu_close(struct kvm *kvm, u16 n)
{
	return ops()->close(kvm, n);
}

struct kmmu_result kmmu_destroy(struct kvm *kvm)
{
	return ops()->destroy(kvm);
}

struct kmmu_result kmmu_release_hkid(struct kvm *kvm)
{
	return ops()->release_hkid(kvm);
}

struct kmmu_result kmmu_terminate(struct kvm *kvm)
{
	return ops()->terminate(kvm);
}

struct kmmu_result kmmu_cpu_offline(struct kvm *kvm, u16 lp)
{
	return ops()->cpu_offline(kvm, lp);
}

bool kmmu_destroyed(const struct kvm *kvm)
{
	return ops()->destroyed(kvm);
}

bool kmmu_has_lock(const char *name)
{
	return ops()->has_lock(name);
}

void kmmu_lock_acquire(struct kvm *kvm, const char *name, bool shared)
{
	ops()->lock_acquire(kvm, name, shared);
}

void kmmu_lock_release(struct kvm *kvm, const char *name, bool shared)
{
	ops()->lock_release(kvm, name, shared);
}

void kmmu_mirror_peek(struct kvm *kvm, u64 gfn, struct mirror_view *v)
{
	ops()->mirror_peek(kvm, gfn, v);
}

void kmmu_direct_peek(struct kvm *kvm, u64 gfn, struct mirror_view *v)
{
	ops()->direct_peek(kvm, gfn, v);
}

bool kmmu_direct_maps(const struct kvm *kvm, u64 hpa, u64 *gfn)
{
	return ops()->direct_maps(kvm, hpa, gfn);
}

bool kmmu_is_dead(const struct kvm *kvm)
{
	return ops()->is_dead(kvm);
}

u64 kmmu_gfns(const struct kvm *kvm)
{
	return ops()->gfns(kvm);
}

void kmmu_check_end(struct kvm *kvm)
{
	ops()->check_end(kvm);
}
