// SPDX-License-Identifier: GPL-2.0-only
/*
 * Making a VM with its TD and vCPUs at once, looking at it without steps, and what must
 * hold when a run is over. Behind kmmu.h, as kmmu_own.c.
 */
#include <inttypes.h>
#include <stdio.h>

#include "kvmmmu/own/dirty_log.h"
#include "kvmmmu/own/guest_memfd.h"
#include "kvmmmu/own/kvm_main.h"
#include "kvmmmu/own/mmu.h"
#include "kvmmmu/own/own_ops.h"
#include "kvmmmu/own/policy.h"
#include "kvmmmu/own/regions.h"
#include "kvmmmu/own/tdx.h"
#include "kvmmmu/own/vt.h"
#include "sim/engine/check.h"
#include "sim/engine/ept.h"
#include "sim/engine/lp.h"
#include "sim/engine/mem.h"
#include "sim/engine/region.h"
#include "sim/engine/sim.h"
#include "sim/engine/trace.h"
#include "sim/engine/undo.h"
#include "tdxmod/build.h"

#define CHUNKS_AT_ONCE	64u		/* a VM of up to 128 MiB has all of them from the start */
#define BUILT_VCPUS	40	/* mutexes that one actor can hold, and some */
#define MAX_MEMORY	(1ull << 40)

/* tdx_hardware_setup(), __tdx_hardware_setup(): the lists; tdx_hardware_unsetup() is never */
static void cpus_init(struct kvm_host *host)
{
	u16 cpu, cpus = lp_count();

	world_set(host->cpu, (struct kvm_cpu *)world_alloc(cpus * sizeof(*host->cpu)));
	for (cpu = 0; cpu < cpus; cpu++) {
		list_init(&host->cpu[cpu].associated_tdvcpus);
		world_set(host->cpu[cpu].online, 1);
		kvm_cpu_region(&host->cpu[cpu], cpu);
	}
}

static struct kvm_host *host_get(struct sim *sim)
{
	struct kvm_host *host = sim_layer(sim, LAYER_KVM);

	if (host)
		return host;
	/* hpa 0 means "none" to many; firmware keeps it on real machines, too */
	page_reserve(PAGE_SIZE);
	host = world_alloc(sizeof(*host));
	world_set(host->private,
		  (u64 **)world_carve(((world_phys_size() >> 21) + 1) * sizeof(u64 *)));
	sim_set_layer(sim, LAYER_KVM, host);
	mutex_init(&host->tdx_lock, "tdx_lock");
	init_rwsem(&host->cpu_hotplug_lock, "cpu_hotplug_lock");
	cpus_init(host);
	return host;
}

static bool refuse(GError **err, int code, const char *text)
{
	g_set_error_literal(err, KMMU_ERROR, code, text);
	return false;
}

static bool config_possible(const struct kmmu_config *cfg, GError **err)
{
	if (!cfg->vcpus || cfg->vcpus > ACTORS_MAX)
		return refuse(err, KMMU_ERROR_VALUE, "a VM has 1 to 1024 vCPUs");
	if (cfg->type == KMMU_TDX && cfg->vcpus > lp_count())
		return refuse(err, KMMU_ERROR_VALUE,
			      "a TD has as many vCPUs as there are LPs at most (tdx_vm_init())");
	if (!cfg->memory || cfg->memory % PAGE_SIZE || cfg->memory > MAX_MEMORY)
		return refuse(err, KMMU_ERROR_VALUE,
			      "memory is a multiple of 4K, at most 1T");
	if (cfg->levels && cfg->levels != 4 && cfg->levels != 5)
		return refuse(err, KMMU_ERROR_VALUE, "an S-EPT has 4 or 5 levels");
	if (cfg->max_level > PG_LEVEL_2M)
		return refuse(err, KMMU_ERROR_VALUE, "pages are 4K or 2M");
	if (cfg->created_only && cfg->type != KMMU_TDX)
		return refuse(err, KMMU_ERROR_VALUE,
			      "state=none is of a TD: a VM without TDX is there at once");
	if (cfg->created_only && cfg->vcpus > BUILT_VCPUS)
		return refuse(err, KMMU_ERROR_NOT_SUPPORTED,
			      "a TD that is built by ioctls has 40 vCPUs at most: they lock the "
			      "vCPUs all at once");
	if (cfg->created_only && cfg->notify)
		return refuse(err, KMMU_ERROR_VALUE,
			      "notify=on is the guest's wish, and state=none has no guest yet");
	if (cfg->type == KMMU_TDX && (cfg->no_ad || cfg->manual_protect))
		return refuse(err, KMMU_ERROR_NOT_SUPPORTED,
			      "ad=off and manual-protect= are of a VM without TDX");
	if (cfg->dirty_log && cfg->type == KMMU_TDX)
		return refuse(err, KMMU_ERROR_NOT_SUPPORTED,
			      "dirty-log=on is not supported: KVM refuses it on guest_memfd "
			      "memslots");
	return true;
}

static bool parse_words(const struct kmmu_config *cfg, u64 *switches,
			const struct retry_policy **policy, u64 args[POLICY_ARGS], GError **err)
{
	const char *name, *near;

	if (!kvm_variant_parse(cfg->variant, switches, &name, err))
		return false;
	if (cfg->policy)
		name = cfg->policy;
	*policy = policy_find(name);
	if (!*policy) {
		near = policy_nearest(name);
		g_set_error(err, KMMU_ERROR, KMMU_ERROR_UNKNOWN_POLICY, "unknown policy '%s'%s%s%s",
			    name, near ? "; did you mean '" : "", near ? near : "",
			    near ? "'?" : "");
		return false;
	}
	return policy_parse_args(*policy, cfg->policy_args, args, err);
}

/*
 * --- set-up: the root context, no steps ------------------------------------------------
 * kvm_create_vm(), kvm_mmu_init_vm(), init_kvm_tdp_mmu()
 */

static void locks_init(struct kvm *kvm)
{
	rwlock_init(&kvm->mmu_lock, "mmu_lock");
	spin_lock_init(&kvm->seamcall_lock, "seamcall_lock");
	spin_lock_init(&kvm->track_lock, "track_lock");
	init_rwsem(&kvm->tdr_rwsem, "tdr_rwsem");
	mutex_init(&kvm->lock, "kvm_lock");
	mutex_init(&kvm->slots_lock, "slots_lock");
	mutex_init(&kvm->slots_arch_lock, "slots_arch_lock");
	srcu_init(&kvm->srcu, "srcu");
	world_set(kvm->srcu.no_unlock_barrier, kvm_switch(kvm, SW_NO_SRCU_BARRIER));
	spin_lock_init(&kvm->tdp_mmu_pages_lock, "tdp_mmu_pages_lock");
	spin_lock_init(&kvm->mn_invalidate_lock, "mn_invalidate_lock");
	init_rwsem(&kvm->filemap_invalidate_lock, "filemap_invalidate_lock");
}

struct gfn_chunk *kvm_chunk_new(struct kvm *kvm, u64 n)
{
	struct gfn_chunk *c = world_alloc(sizeof(*c));

	if (is_td(kvm))
		world_fill(c->attributes, KVM_MEMORY_ATTRIBUTE_PRIVATE, sizeof(c->attributes));
	spin_lock_init(&c->page_table_lock, "page_table_lock");
	world_set(kvm->chunks[n], c);
	kvm_chunk_regions(kvm, c, n * CHUNK_GFNS);
	return c;
}

static void memory_init(struct kvm *kvm, bool dirty_log)
{
	u64 n = (kvm->gfns + CHUNK_GFNS - 1) / CHUNK_GFNS, i;

	world_set(kvm->chunks, (struct gfn_chunk **)world_alloc(n * sizeof(*kvm->chunks)));
	/* Of a large one most may never be touched; real threads cannot make them as they go */
	for (i = 0; i < n && (n <= CHUNKS_AT_ONCE || sim_options(sim_current())->sched ==
			      SCHED_FREE); i++)
		kvm_chunk_new(kvm, i);
	kvm_init_memslots(kvm, 0, kvm->gfns, dirty_log ? KVM_MEM_LOG_DIRTY_PAGES : 0);
}

/*
 * kvm_mmu_load() of a vCPU that has run before, but for the LP, whose TLB is empty (K9). The
 * root context acts at once.
 */
static void load_roots(struct kvm_vcpu *vcpu)
{
	mmu_topup_memory_caches(vcpu);
	if (is_td(vcpu->kvm))
		kvm_tdp_mmu_alloc_root(vcpu, true);
	kvm_tdp_mmu_alloc_root(vcpu, false);
	if (is_td(vcpu->kvm))
		vcpu_set_shared_ept(vcpu->tdvpr, vcpu->root->hpa);
	else
		vmx_load_mmu_pgd(vcpu);
}

/* What KVM_CREATE_VCPU and KVM_TDX_INIT_VCPU leave, but for the LP that it belongs to: none */
static void vcpu_init(struct kvm *kvm, u16 n)
{
	struct kvm_vcpu *vcpu = kvm_vcpu_alloc(kvm, n);

	if (is_td(kvm)) {
		world_set(vcpu->tdvpr, vcpu_build(kvm->tdr, 0));
		vcpu_build_pages(vcpu->tdvpr, vcpu->tdcx_pages);
		vcpu_build_vmcs(vcpu->tdvpr, POSTED_INTR_VECTOR, vcpu_pi_desc(vcpu),
				PIN_BASED_POSTED_INTR);
		world_set(vcpu->tdx_state, (u32)VCPU_TD_STATE_INITIALIZED);
	} else {
		world_set(vcpu->vmx, vmx_vcpu_create(kvm));
	}
	kvm_vcpu_publish(kvm, vcpu);
	world_set(kvm->created_vcpus, kvm->created_vcpus + 1);
}

/*
 * A TD's part of KVM_CREATE_VM. Where the SHARED bit is KVM_TDX_INIT_VM says in Linux; here it is
 * known from the start. That kvm->max_vcpus is at most the number of CPUs: config_possible()
 */
static void tdx_vm_init(struct kvm *kvm)
{
	world_set(kvm->td_state, (u32)TD_STATE_UNINITIALIZED);
	world_set(kvm->gfn_direct_bits, BIT_ULL(kvm->levels == 5 ? 39 : 35));
}

/* What KVM_TDX_INIT_VM and, if it runs, KVM_TDX_FINALIZE_VM leave */
static void td_init(struct sim *sim, struct kvm *kvm, bool runnable)
{
	u16 hkid = tdx_guest_keyid_alloc();
	struct td_build b = {
		.name = kvm->name,
		.levels = kvm->levels,
		.op_state = runnable ? OP_STATE_RUNNABLE : OP_STATE_INITIALIZED,
		.pending_ve_disable = kvm->pending_ve_disable,
		.notify = kvm->notify,
		.iommus = kvm->iommus,
		.hkid = hkid,
		.max_vcpus = kvm->max_vcpus,
		.config_flags = TDX_CONFIG_FLAGS_NO_RBP_MOD,
	};

	world_set(kvm->hkid, hkid);
	world_set(kvm->tdr, td_build(sim, &b));
	td_build_pages(kvm->tdr, kvm->tdcs_pages);
	world_set(kvm->td_state, (u32)(runnable ? TD_STATE_RUNNABLE : TD_STATE_INITIALIZED));
	world_set(kvm->pre_fault_allowed, (u32)runnable);
}

static void vm_release(void *of)
{
	struct kvm *kvm = of;

	kvm_put_kvm(kvm);	/* kvm_vm_release() */
}

static void gmem_release(void *of)
{
	struct kvm *kvm = of;

	kvm_gmem_release(kvm);
}

/* The VM's descriptor and its guest_memfd's; each vCPU has one of its own. */
static void files_init(struct kvm *kvm)
{
	world_set(kvm->users_count.count, 2);
	kvm_file_init(&kvm->vm_file, vm_release, kvm);
	kvm_file_init(&kvm->gmem_file, gmem_release, kvm);
}

static void arrays_init(struct kvm *kvm)
{
	size_t n = kvm->max_vcpus;

	world_set(kvm->vcpus, (struct kvm_vcpu **)world_alloc(n * sizeof(*kvm->vcpus)));
	world_set(kvm->fds, (struct kvm_vcpu **)world_alloc(n * sizeof(*kvm->fds)));
	world_set(kvm->guests,
		  (const struct guest_program **)world_alloc(n * sizeof(*kvm->guests)));
}

struct kvm *own_vm_new(struct sim *sim, const struct kmmu_config *cfg, GError **err)
{
	const struct retry_policy *policy;
	u64 args[POLICY_ARGS] = { 0 };
	struct kvm_host *host;
	struct kvm *kvm;
	u64 switches;
	u16 i;

	if (!config_possible(cfg, err) || !parse_words(cfg, &switches, &policy, args, err))
		return NULL;
	host = host_get(sim);
	kvm = world_alloc(sizeof(*kvm));
	world_set(kvm->name, trace_intern(sim, cfg->name ? cfg->name : "TD"));
	world_set(kvm->max_vcpus, cfg->vcpus);
	world_set(kvm->notify, cfg->notify);
	world_set(kvm->iommus, cfg->iommus);
	world_set(kvm->pending_ve_disable, cfg->pending_ve_disable);
	world_set(kvm->vm_type, (u8)(cfg->type == KMMU_TDX ? KVM_X86_TDX_VM : KVM_X86_DEFAULT_VM));
	world_set(kvm->levels, (u8)(cfg->levels ? cfg->levels : 4));
	world_set(kvm->max_level, (u8)(cfg->max_level ? cfg->max_level : PG_LEVEL_4K));
	world_set(kvm->nx_huge_pages, cfg->nx_huge_pages);
	world_set(kvm->ad_enabled, !cfg->no_ad);
	world_set(kvm->manual_dirty_log_protect, cfg->manual_protect);
	if (is_td(kvm))
		tdx_vm_init(kvm);
	else if (kvm->ad_enabled && !cfg->no_pml)	/* vmx_vm_init() */
		world_set(kvm->cpu_dirty_log_size, (u16)PML_ENTRIES);
	world_set(kvm->gfns, cfg->memory >> PAGE_SHIFT);
	world_set(kvm->switches, switches);
	world_set(kvm->spte, switches >> SW_OLD_SPTE_BITS & 1 ? &spte_layout_v6_16 :
								 &spte_layout_v7_2);
	world_set(kvm->policy, policy);
	world_store(kvm->policy_arg, args, sizeof(args));
	locks_init(kvm);
	region_announce(&direct_region);	/* tables come with the first root */
	if (is_td(kvm))
		region_announce(&mirror_region);
	kvm_vm_regions(kvm);
	files_init(kvm);
	arrays_init(kvm);
	if (is_td(kvm) && !cfg->created_only)
		td_init(sim, kvm, !cfg->initialized_only);
	if (!is_td(kvm))	/* kvm_arch_init_vm(): not of a TD, tdx_vm_init() */
		world_set(kvm->pre_fault_allowed, 1u);
	memory_init(kvm, cfg->dirty_log);
	for (i = 0; !cfg->created_only && i < cfg->vcpus; i++)
		vcpu_init(kvm, i);
	for (i = 0; !cfg->created_only && !cfg->initialized_only && i < cfg->vcpus; i++)
		load_roots(kvm->vcpus[i]);
	world_set(kvm->next, host->vms);
	world_set(host->vms, kvm);
	world_set(host->nr_vms, host->nr_vms + 1);
	return kvm;
}

/* --- looking -------------------------------------------------------------------------- */

static struct kvm_vcpu *vcpu_of_fd(const struct kvm *kvm, u16 n)
{
	return n < kvm->max_vcpus ? (struct kvm_vcpu *)world_read(&kvm->fds[n]) : NULL;
}

/* Who holds a vCPU's file finds it, though its descriptor may be closed meanwhile. */
struct kvm_vcpu *own_vcpu(struct kvm *kvm, u16 n)
{
	struct kvm_vcpu *vcpu = vcpu_of_fd(kvm, n);

	for (u32 i = 0; !vcpu && i < kvm->max_vcpus; i++) {
		vcpu = (struct kvm_vcpu *)world_read(&kvm->vcpus[i]);
		if (vcpu && vcpu->vcpu_id != n)
			vcpu = NULL;
	}
	return vcpu;
}

void kvm_name_td(const struct kvm *kvm)
{
	tdx_td_name(kvm->tdr, kvm->name);
}

void kvm_give_guest(const struct kvm_vcpu *vcpu)
{
	const struct guest_program *p = vcpu->kvm->guests[vcpu->vcpu_id];

	if (p)
		vcpu_set_guest(vcpu->tdvpr, p);
}

void own_set_guest(struct kvm *kvm, u16 n, const struct guest_program *p)
{
	struct kvm_vcpu *vcpu = kvm->fds[n];

	world_set(kvm->guests[n], p);
	if (!vcpu)
		return;
	if (!is_td(kvm))
		vmx_guest_program(vcpu->vmx, p);
	else if (vcpu->tdvpr)
		kvm_give_guest(vcpu);
}

const char *own_name(const struct kvm *kvm)
{
	return kvm->name;
}

u64 own_tdr(const struct kvm *kvm)
{
	return kvm->tdr;
}

u64 own_tdvpr(const struct kvm *kvm, u16 n)
{
	struct kvm_vcpu *vcpu = vcpu_of_fd(kvm, n);

	return vcpu ? vcpu->tdvpr : 0;
}

u64 own_gfns(const struct kvm *kvm)
{
	return kvm->gfns;
}

bool own_is_dead(const struct kvm *kvm)
{
	return mem_peek32(&kvm->vm_dead) || mem_peek32(&kvm->vm_bugged);
}

static const struct kvm_mmu_page *valid_root(const struct kvm *kvm, bool mirror)
{
	const struct kvm_mmu_page *root = (const struct kvm_mmu_page *)mem_peek64(&kvm->tdp_mmu_roots);

	while (root && (root->is_mirror != mirror || mem_peek32(&root->invalid)))
		root = (const struct kvm_mmu_page *)mem_peek64(&root->link);
	return root;
}

static void peek(const struct kvm *kvm, bool mirror, u64 gfn, struct mirror_view *v)
{
	const struct kvm_mmu_page *root = valid_root(kvm, mirror);
	u64 bits = mirror ? 0 : kvm->gfn_direct_bits;
	const u64 *pt;
	u8 level = kvm->levels;

	*v = (struct mirror_view){ .raw = SHADOW_NONPRESENT_VALUE, .pfn = ~0ull, .level = level };
	if (!root)
		return;
	for (pt = root->spt;; level--) {
		v->raw = mem_peek64(&pt[(gfn | bits) >> (9 * (level - 1)) & 511]);
		v->class = mirror_class_of(v->raw);
		v->level = level;
		if (v->class != MIRROR_TABLE || level == 1)
			break;
		pt = spte_to_child_pt(v->raw);
	}
	if (is_shadow_present_pte(v->raw))
		v->pfn = (spte_to_pa(v->raw) >> PAGE_SHIFT) +
			 (v->class == MIRROR_LEAF ? gfn & (kvm_pages_per_hpage(level) - 1) : 0);
}

void own_mirror_peek(struct kvm *kvm, u64 gfn, struct mirror_view *v)
{
	peek(kvm, true, gfn, v);
}

void own_direct_peek(struct kvm *kvm, u64 gfn, struct mirror_view *v)
{
	peek(kvm, false, gfn, v);
}

struct search {
	const struct kvm *kvm;
	u64 hpa, gfn;
	bool found;
};

static void search_table(const struct region *r, void *ctx)
{
	struct search *s = ctx;
	u64 size;
	u32 i;

	if (s->found || r->type != &direct_region || r->owner != s->kvm->name)
		return;
	size = kvm_pages_per_hpage(r->level) << PAGE_SHIFT;
	for (i = 0; i < 512; i++) {
		u64 spte = mem_peek64((const u64 *)r->base + i);

		if (mirror_class_of(spte) != MIRROR_LEAF || s->hpa - spte_to_pa(spte) >= size)
			continue;
		s->found = true;
		s->gfn = r->index + i * r->step + ((s->hpa - spte_to_pa(spte)) >> PAGE_SHIFT);
		return;
	}
}

bool own_direct_maps(const struct kvm *kvm, u64 hpa, u64 *gfn)
{
	struct search s = { .kvm = kvm, .hpa = hpa };

	region_each(search_table, &s);
	*gfn = s.gfn;
	return s.found;
}

/* --- at the end ----------------------------------------------------------------------- */

static void leak(struct kvm *kvm, u64 gfn, u64 hpa, const char *how)
{
	char where[24], text[120];

	snprintf(text, sizeof(text), "page 0x%" PRIx64 " of gfn 0x%" PRIx64 " %s", hpa, gfn, how);
	if (own_is_dead(kvm))	/* a consequence, not a rule broken by itself */
		trace_note(trace_intern(sim_current(), text));
	else
		check_fail("page-leak", kvm_where(gfn, where, sizeof(where)), "%s", text);
}

static void check_page(struct kvm *kvm, u64 gfn)
{
	const struct gfn_chunk *c = gfn_chunk_peek(kvm, gfn);
	struct mirror_view m;
	struct folio *f;
	u32 users = 1;
	u64 last;

	if (!c)
		return;
	f = (struct folio *)mem_peek64(&c->folio[gfn % CHUNK_GFNS]);
	last = mem_peek64(&c->last_hpa[gfn % CHUNK_GFNS]);
	if (f) {
		own_mirror_peek(kvm, gfn, &m);
		if (kvm_switch(kvm, SW_PIN_PAGES) && m.class == MIRROR_LEAF)
			users++;
		if (mem_peek32(&f->ref.count) != users)
			leak(kvm, gfn, f->hpa, "has a user that never let go");
	} else if (last & LAST_HPA_SET) {
		f = pfn_to_folio(last & LAST_HPA_FRAME);
		/* The frame may be user space's by now, for the same page of the VM. */
		if (f && f->gfn == gfn && f->kvm == kvm &&
		    f != (struct folio *)mem_peek64(&c->pte[gfn % CHUNK_GFNS]))
			leak(kvm, gfn, f->hpa, "is in no page cache and was never freed");
	}
}

void own_check_end(struct kvm *kvm)
{
	u64 gfn;

	if (kvm->destroyed)	/* said already */
		return;
	dirty_log_check_end(kvm);
	for_each_known_gfn(kvm, gfn, 0, kvm->gfns)
		check_page(kvm, gfn);
	kvm_warn_on(mem_peek32(&kvm->wait_for_sept_zap), NO_GFN, "the entry gate was left up");
	kvm_warn_on(mem_peek64(&kvm->mmu_invalidate_in_progress), NO_GFN,
		    "an invalidation window was left open");
}

/* Names of `call X` and `return X` on both backends. */
const struct kmmu_word *kmmu_seams(u32 *n)
{
#define MMU "arch/x86/kvm/mmu/"
	static const struct kmmu_word seams[] = {
		{ "kvm_mmu_do_page_fault", "one try of a fault (gfn)", "", MMU "mmu_internal.h" },
		{ "kvm_tdp_mmu_map", "map a gfn in the mirror (gfn)", "", MMU "tdp_mmu.c" },
		{ "tdp_mmu_set_spte_atomic", "the RO writer (gfn)", "", MMU "tdp_mmu.c" },
		{ "tdp_mmu_zap_leafs", "zap leaves of a range (first gfn)", "",
		  MMU "tdp_mmu.c" },
		{ "kvm_zap_gfn_range", "operation zap (first gfn)", "", MMU "mmu.c" },
		{ "tdx_sept_remove_leaf_spte", "block, track, remove a leaf (gfn)", "",
		  "arch/x86/kvm/vmx/tdx.c" },
		{ "handle_removed_pt", "a table that went (its first gfn)", "",
		  MMU "tdp_mmu.c" },
		{ "tdp_mmu_zap_root", "take a root down (0 direct, 1 mirror)", "",
		  MMU "tdp_mmu.c" },
		{ "kvm_tdp_mmu_zap_invalidated_roots", "take invalid roots down", "",
		  MMU "tdp_mmu.c" },
		{ "kvm_recover_nx_huge_pages", "operation recover-nx", "", MMU "mmu.c" },
		{ "host_zap_page_range", "operation notify (first page)", "", "mm/memory.c" },
		{ "kvm_mmu_notifier_invalidate_range_start", "user pages will go (first one)", "",
		  "virt/kvm/kvm_main.c" },
		{ "kvm_mmu_notifier_invalidate_range_end", "they are gone (first one)", "",
		  "virt/kvm/kvm_main.c" },
		{ "tdx_track", "TDH.MEM.TRACK and the kick after it", "",
		  "arch/x86/kvm/vmx/tdx.c" },
		{ "tdx_handle_ept_violation", "a private fault with its local retries (gfn)", "",
		  "arch/x86/kvm/vmx/tdx.c" },
		{ "tdx_vcpu_load", "a vCPU comes to another LP (vCPU)", "",
		  "arch/x86/kvm/vmx/tdx.c" },
		{ "tdx_vcpu_run", "gate and TDH.VP.ENTER (vCPU)", "", "arch/x86/kvm/vmx/tdx.c" },
		{ "kvm_make_all_cpus_request", "a request to every vCPU (request number)", "",
		  "virt/kvm/kvm_main.c" },
		{ "kvm_vm_set_mem_attributes", "operation convert (first gfn)", "",
		  "virt/kvm/kvm_main.c" },
		{ "kvm_delete_memslot", "operation slot delete (first gfn)", "",
		  "virt/kvm/kvm_main.c" },
		{ "kvm_move_memslot", "operation slot move (first gfn)", "",
		  "virt/kvm/kvm_main.c" },
		{ "kvm_update_flags_memslot", "operation log-dirty (first gfn)", "",
		  "virt/kvm/kvm_main.c" },
		{ "synchronize_srcu", "a memslot change waits for readers", "",
		  "virt/kvm/kvm_main.c" },
		{ "kvm_gmem_punch_hole", "operation punch (first gfn)", "",
		  "virt/kvm/guest_memfd.c" },
		{ NULL }
	};

	*n = ARRAY_SIZE(seams) - 1;
	return seams;
}
