// SPDX-License-Identifier: GPL-2.0-only
/*
 * Making a VM of a kernel tree with its TD and vCPUs at once: the root context, no steps.
 */
#include <string.h>

#include "kvmmmu/kernel/host.h"
#include "kvmmmu/kernel/ktree.h"
#include "kvmmmu/kernel/linux_priv.h"
#include "kvmmmu/regions.h"
#include "kvmmmu/vmx_guest.h"
#include "sim/engine/arena.h"
#include "sim/engine/lp.h"
#include "sim/engine/mem.h"
#include "sim/engine/region.h"
#include "sim/engine/sim.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"
#include "tdxmod/build.h"
#include "tdxmod/seamcall.h"

#define SEPT_PAGES	6

static bool is_td(const struct kvm *kvm)
{
	return kvm->type == KMMU_TDX;
}

struct kvm *linux_vm_of(const void *tree)
{
	struct kvm *k = khost()->vms;

	while (k && k->tree != tree)
		k = k->next;
	return k;
}

static struct khost *host_get(struct sim *sim, const struct kmmu_config *cfg, int *err)
{
	struct khost *h = sim_layer(sim, LAYER_KVM);

	if (h)
		return h;
	page_reserve(PAGE_SIZE);
	h = world_alloc(sizeof(*h));
	sim_set_layer(sim, LAYER_KVM, h);
	h->cpus = lp_count();
	h->names = world_carve(sizeof(*h->names) << KHOST_NAMES_BITS);
	h->page_vm = world_carve((world_phys_size() >> PAGE_SHIFT) * sizeof(*h->page_vm));
	/* raw: at set-up */
	h->online = world_alloc(h->cpus * sizeof(*h->online));
	for (u16 cpu = 0; cpu < h->cpus; cpu++) {
		h->online[cpu] = 1;	/* raw: likewise */
		region_add(&(struct region){
			.type = &kvm_region_types[KVM_REGION_ONLINE], .count = 1, .stride = 4,
			.base = &h->online[cpu],	/* raw: its address */
			.size = 4, .index = cpu, .step = 1 });
	}
	h->mem_map = world_carve((world_phys_size() >> PAGE_SHIFT) * ktree_page_size());
	khost_data_reset(h);
	khost_watch_faults(sim);
	*err = ktree_boot(!cfg->no_ad);
	return *err ? NULL : h;
}

static bool refuse(GError **err, int code, const char *text)
{
	g_set_error_literal(err, KMMU_ERROR, code, text);
	return false;
}

/* What is asked for by words is of own's; a tree is what it is. */
static bool words_possible(const struct kmmu_config *cfg, GError **err)
{
	const char *version = kmmu_tree()->version;

	for (const char *const *w = cfg->variant; w && *w; w++) {
		const char *v = g_str_has_prefix(*w, "kvm=") ? *w + strlen("kvm=") : NULL;

		if (v && !g_strcmp0(v, kmmu_tree_kvm()))
			continue;
		g_set_error(err, KMMU_ERROR, KMMU_ERROR_NOT_SUPPORTED,
			    v ? "'%s' is another version than the kernel tree's that is built in "
				"(%s): --kvm own has it" :
				"'%s' changes KVM's code, and that of the kernel tree that is built in "
				"(%s) is what it is: --kvm own has it", *w, version);
		return false;
	}
	if (cfg->policy && g_strcmp0(cfg->policy, kmmu_tree_kvm())) {
		g_set_error(err, KMMU_ERROR, KMMU_ERROR_NOT_SUPPORTED,
			    "policy %s is not the kernel tree's (%s), and it has no other: --kvm own "
			    "has it", cfg->policy, version);
		return false;
	}
	return true;
}

static bool config_possible(const struct khost *h, const struct kmmu_config *cfg, GError **err)
{
	if (!cfg->vcpus || cfg->vcpus > ACTORS_MAX)
		return refuse(err, KMMU_ERROR_VALUE, "a VM has 1 to 1024 vCPUs");
	if (!cfg->memory || cfg->memory % PAGE_SIZE)
		return refuse(err, KMMU_ERROR_VALUE, "memory is a multiple of 4K");
	if (cfg->created_only && cfg->type != KMMU_TDX)
		return refuse(err, KMMU_ERROR_VALUE,
			      "state=none is of a TD: a VM without TDX is there at once");
	if (cfg->type == KMMU_TDX && (cfg->no_ad || cfg->manual_protect || cfg->dirty_log))
		return refuse(err, KMMU_ERROR_NOT_SUPPORTED,
			      "ad=off, manual-protect= and dirty-log=on are of a VM without TDX");
	if (h && h->vms && h->vms->ad == cfg->no_ad)
		return refuse(err, KMMU_ERROR_NOT_SUPPORTED,
			      "all VMs of a kernel have accessed and dirty bits in their EPT, or none");
	/* tdx_bringup() would refuse it; what a TD with vCPUs does is the same all the same (K22) */
	if (cfg->created_only && !(tdx_features0() & TDX_FEATURES0_TOPOLOGY_ENUM))
		return refuse(err, KMMU_ERROR_NOT_SUPPORTED,
			      "this kernel initialises vCPUs by TDH.VP.INIT of version 1, which this "
			      "module has not");
	return words_possible(cfg, err);
}

static void td_init(struct sim *sim, struct kvm *kvm, const struct kmmu_config *cfg)
{
	bool runnable = !cfg->initialized_only;
	u64 pages[SEPT_PAGES];
	struct ktree_built t = { .hkid = ktree_hkid_alloc(), .levels = kvm->levels,
				 .tdcs_nr = SEPT_PAGES };
	struct td_build b = {
		.name = kvm->name, .levels = kvm->levels,
		.op_state = runnable ? OP_STATE_RUNNABLE : OP_STATE_INITIALIZED,
		.pending_ve_disable = cfg->pending_ve_disable, .notify = cfg->notify,
		.iommus = cfg->iommus, .hkid = (u16)t.hkid, .max_vcpus = cfg->vcpus,
		.config_flags = 2,	/* TDX_CONFIG_FLAGS_NO_RBP_MOD */
	};

	t.tdr = td_build(sim, &b);
	td_build_pages(t.tdr, pages);
	khost_page_of(t.tdr, kvm);
	for (u32 i = 0; i < SEPT_PAGES; i++) {
		khost_page_of(pages[i], kvm);
		t.tdcs[i] = pages[i];
	}
	ktree_vm_built(kvm->tree, &t);
}

int linux_make_vcpu(struct kvm *kvm, u16 n)
{
	struct kvm_vcpu *vcpu = &kvm->fds[n];
	void *tree;
	int r, fd;

	r = ktree_vcpu_create(kvm->tree, n, &tree, &fd);
	if (r)
		return r;
	world_set(vcpu->kvm, kvm);
	world_set(vcpu->id, n);
	world_set(vcpu->fd, fd);
	world_xchg(&vcpu->tree, tree);
	world_xchg(&vcpu->open, true);	/* the rest is there for who sees it */
	ktree_vcpu_regions(tree);
	return 0;
}

void linux_give_guest(struct kvm_vcpu *vcpu)
{
	const struct guest_program *p = vcpu->kvm->guests[vcpu->id];
	u64 tdvpr;

	if (!world_read(&vcpu->open) || !p)
		return;
	if (!is_td(vcpu->kvm)) {
		vmx_guest_program(ktree_peek_guest(vcpu->tree), p);
		return;
	}
	tdvpr = ktree_peek_tdvpr(vcpu->tree);
	if (tdvpr)
		vcpu_set_guest(tdvpr, p);
}

void ksim_name_td(unsigned long tdr)
{
	tdx_td_name(tdr, khost()->op_vm[sim_self->id]->name);
}

/* What KVM_TDX_INIT_VCPU and a first run leave, but for the LP that it belongs to: none */
static int vcpu_init(struct kvm *kvm, u16 n, bool runnable)
{
	struct kvm_vcpu *vcpu = &kvm->fds[n];
	unsigned long shared_root, tdcx[5];
	u64 pages[5], tdvpr;
	int r = linux_make_vcpu(kvm, n);

	if (r)
		return r;
	ktree_vcpu_unload(vcpu->tree);
	tdvpr = vcpu_build(ktree_peek_tdr(kvm->tree), 0);
	vcpu_build_pages(tdvpr, pages);
	khost_page_of(tdvpr, kvm);
	for (u32 i = 0; i < ARRAY_SIZE(pages); i++) {
		khost_page_of(pages[i], kvm);
		tdcx[i] = pages[i];
	}
	vcpu_build_vmcs(tdvpr, (u16)ktree_pi_vector(), 0, 1u << 7);
	ktree_vcpu_built(vcpu->tree, tdvpr, tdcx, ARRAY_SIZE(tdcx));
	if (!runnable)
		return 0;
	r = ktree_vcpu_load_roots(vcpu->tree, &shared_root);
	vcpu_set_shared_ept(tdvpr, shared_root);
	return r;
}

/* What KVM_CREATE_VCPU and a first run leave, but for the LP: its TLB is empty */
static int plain_vcpu_init(struct kvm *kvm, u16 n)
{
	unsigned long root;
	int r = linux_make_vcpu(kvm, n);

	if (r)
		return r;
	ktree_vcpu_unload(kvm->fds[n].tree);
	return ktree_vcpu_load_roots(kvm->fds[n].tree, &root);
}

int ksim_maxphyaddr(void *tree)
{
	const struct kvm *kvm = linux_vm_of(tree);

	return kvm && !is_td(kvm) && kvm->levels == 4 ? 48 : 52;
}

struct kvm *linux_vm_new(struct sim *sim, const struct kmmu_config *cfg, GError **err)
{
	struct ktree_vm_config wanted = {
		.tdx = cfg->type == KMMU_TDX, .max_vcpus = cfg->vcpus,
		.pml = !cfg->no_ad && !cfg->no_pml, .nx = cfg->nx_huge_pages,
		.manual_protect = cfg->manual_protect,
	};
	struct khost *h;
	struct kvm *kvm;
	int r = 0;

	if (!config_possible(sim_layer(sim, LAYER_KVM), cfg, err))
		return NULL;
	h = host_get(sim, cfg, &r);
	kvm = world_alloc(sizeof(*kvm));
	kvm->name = trace_intern(sim, cfg->name ? cfg->name : "TD");
	kvm->max_vcpus = cfg->vcpus;
	kvm->type = (u8)cfg->type;
	kvm->ad = !cfg->no_ad;
	kvm->pending_ve_disable = cfg->pending_ve_disable;
	kvm->levels = cfg->levels ? cfg->levels : 4;
	kvm->gfns = cfg->memory >> PAGE_SHIFT;
	kvm->fds = world_alloc(cfg->vcpus * sizeof(*kvm->fds));
	kvm->guests = world_alloc(cfg->vcpus * sizeof(*kvm->guests));
	if (h)
		h->op_vm[sim_self->id] = kvm;
	if (h)
		kvm->tree = ktree_vm_create(&wanted, &r);
	if (!kvm->tree) {
		g_set_error(err, KMMU_ERROR, KMMU_ERROR_NOT_SUPPORTED,
			    "the tree's KVM cannot be set up (error %d)", r);
		return NULL;
	}
	if (!is_td(kvm))
		linux_dirty_init(kvm);
	kvm->number = h->vms ? h->vms->number + 1 : 0;
	kvm->next = h->vms;
	h->vms = kvm;
	kvm->fd = ktree_vm_fd(kvm->tree);
	ktree_regions(kvm->tree);
	if (is_td(kvm) && !cfg->created_only)
		td_init(sim, kvm, cfg);
	r = ktree_memory(kvm->tree, kvm->gfns, is_td(kvm), cfg->dirty_log,
			 cfg->max_level > 1, &kvm->gmem_fd);
	for (u16 i = 0; !r && !cfg->created_only && i < cfg->vcpus; i++)
		r = is_td(kvm) ? vcpu_init(kvm, i, !cfg->initialized_only) : plain_vcpu_init(kvm, i);
	if (!r && is_td(kvm) && !cfg->initialized_only && !cfg->created_only)
		ktree_vm_runnable(kvm->tree);
	if (r)
		g_set_error(err, KMMU_ERROR, KMMU_ERROR_NOT_SUPPORTED,
			    "the tree's KVM cannot be set up (error %d)", r);
	return r ? NULL : kvm;
}

void linux_set_guest(struct kvm *kvm, u16 n, const struct guest_program *p)
{
	world_set(kvm->guests[n], p);
	if (world_read(&kvm->fds[n].open))
		linux_give_guest(&kvm->fds[n]);
}
