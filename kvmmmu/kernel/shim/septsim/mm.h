/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Pages and allocations: linear memory is the simulated machine's, so that a physical address
 * is one. What a guest keeps in its pages does not exist (ksim_page_touch()).
 * include/linux/{mm,slab,gfp,highmem,pagemap,vmalloc}.h, arch/x86/include/asm/page.h
 */
#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define PTE_SHIFT 12
#define PMD_SHIFT 21
#define PMD_SIZE (1UL << PMD_SHIFT)
#define PUD_SHIFT 30
#define PUD_SIZE (1UL << PUD_SHIFT)
#define HPAGE_SHIFT PMD_SHIFT
#define HPAGE_SIZE PMD_SIZE
#define PAGE_OFFSET 0xffff888000000000UL
#define TASK_SIZE_MAX (1ul << 47)
enum pg_level {
	PG_LEVEL_NONE, PG_LEVEL_4K, PG_LEVEL_2M, PG_LEVEL_1G, PG_LEVEL_512G, PG_LEVEL_256T,
	PG_LEVEL_NUM
};
typedef unsigned long pgprotval_t, pteval_t;
typedef struct { unsigned long pgprot; } pgprot_t;
typedef struct { unsigned long pte; } pte_t;
typedef struct { unsigned long v; } pgd_t, p4d_t, pud_t, pmd_t;
typedef unsigned int vm_fault_t;
typedef struct { unsigned long bits[1]; } nodemask_t;
extern nodemask_t node_online_map;

struct address_space;
struct xarray;
struct page {
	struct page *next;	/* ours: of those that go back together */
	unsigned long flags;
	unsigned long private;
	struct address_space *mapping;
	unsigned long index;
	atomic_t refcount;
	u32 locked, wake;
} __attribute__((aligned(64)));		/* a line of its own, as in Linux */
/* One page: the names of a folio's members are those of its page */
struct folio {
	struct page *next;
	unsigned long flags, private;
	struct address_space *mapping;
	unsigned long index;
	atomic_t refcount;
	u32 locked, wake;
} __attribute__((aligned(64)));

#define pfn_to_page(pfn) ((struct page *)ksim_mem_map() + (pfn))
#define page_to_pfn(p) ((unsigned long)((p) - (struct page *)ksim_mem_map()))
/* What lies in the slab has no physical address that anybody looks behind: below 1 MiB */
static inline unsigned long ksim_pa(const void *x)
{
	long pa = (char *)x - ksim_phys;

	return pa >= 0 ? pa : 0x10000 + (pa & 0xffff);
}
#define __pa(x) ksim_pa((const void *)(x))
#define __va(x) ((void *)(ksim_phys + (unsigned long)(x)))
#define virt_to_page(x) pfn_to_page(__pa(x) >> PAGE_SHIFT)
#define virt_to_phys(x) __pa(x)
#define phys_to_virt(x) __va(x)
#define page_to_virt(p) __va(page_to_pfn(p) << PAGE_SHIFT)
#define page_address page_to_virt
#define page_to_phys(p) ((u64)page_to_pfn(p) << PAGE_SHIFT)
#define PFN_PHYS(x) ((u64)(x) << PAGE_SHIFT)
#define PHYS_PFN(x) ((unsigned long)((x) >> PAGE_SHIFT))
#define PFN_DOWN(x) ((x) >> PAGE_SHIFT)
#define PFN_UP(x) (((x) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define PAGE_ALIGNED(x) (!((unsigned long)(x) & ~PAGE_MASK))
#define PAGE_ALIGN(x) ALIGN(x, PAGE_SIZE)
#define offset_in_page(p) ((unsigned long)(p) & ~PAGE_MASK)
#define page_private(p) ((p)->private)
#define set_page_private(p, v) ((p)->private = (v))
#define pfn_valid(pfn) ((unsigned long)(pfn) < ksim_phys_size() >> PAGE_SHIFT)
#define page_count(p) atomic_read(&(p)->refcount)
#define is_zero_pfn(pfn) ((pfn) == 0)
#define my_zero_pfn(a) 0UL
#define zero_pfn(a) 0UL
#define ZERO_PAGE(x) pfn_to_page(0)
#define PageReserved(p) 0
#define PageTail(p) 0
#define is_zone_device_page(p) 0
#define compound_head(p) (p)
#define nth_page(p, n) ((p) + (n))
#define set_page_dirty_lock(p) do {} while (0)
#define SetPageDirty(p) do {} while (0)
#define SetPageAccessed(p) do {} while (0)
#define mark_page_accessed(p) do {} while (0)
#define set_page_dirty(p) do {} while (0)
#define kmap_local_page page_address
#define kunmap_local(p) do {} while (0)
#define kmap page_address
#define kunmap(p) do {} while (0)
#define memremap(a, n, f) __va(a)
#define memunmap(p) do {} while (0)
#define MEMREMAP_WB 1
#define clear_highpage(p) ksim_clear_at(page_to_phys(p))
#define clear_page(p) ksim_clear_at(__pa(p))
#define copy_page(d, s) ksim_clear_at(__pa(d))	/* at the price of the stores */
static inline void ksim_clear_at(unsigned long hpa)
{
	ksim_charge(KSIM_PAGE_CLEAR, 1);
	ksim_page_touch(hpa);
}
#define mod_lruvec_page_state(p, i, n) do {} while (0)
#define NR_SECONDARY_PAGETABLE 0

/* page_frag, folios: one page each */
void ksim_put_page(struct page *p);
#define get_page(p) atomic_inc(&(p)->refcount)
#define put_page(p) ksim_put_page(p)
#define page_folio(p) ((struct folio *)(p))
#define folio_page(f, n) ((struct page *)(f) + (n))
#define folio_file_page(f, i) ((struct page *)(f))
#define folio_pfn(f) page_to_pfn((struct page *)(f))
#define folio_nr_pages(f) 1L
#define folio_order(f) 0u
#define folio_size(f) PAGE_SIZE
#define folio_next_index(f) (((struct page *)(f))->index + 1)
#define folio_put(f) ksim_put_page((struct page *)(f))
#define folio_get(f) get_page((struct page *)(f))
#define folio_test_large(f) false
#define folio_test_hwpoison(f) false
#define folio_test_uptodate(f) (((struct page *)(f))->flags & 1)
#define folio_mark_uptodate(f) (((struct page *)(f))->flags |= 1)
#define folio_clear_uptodate(f) (((struct page *)(f))->flags &= ~1ul)
#define folio_set_unevictable(f) do {} while (0)
#define folio_mark_dirty(f) do {} while (0)
#define folio_test_private(f) false
void ksim_folio_lock(struct page *p);
void ksim_folio_unlock(struct page *p);
#define folio_lock(f) ksim_folio_lock((struct page *)(f))
#define folio_unlock(f) ksim_folio_unlock((struct page *)(f))
#define unlock_page(p) ksim_folio_unlock(p)

#define GFP_KERNEL 0
#define GFP_KERNEL_ACCOUNT 0
#define GFP_NOWAIT 0
#define GFP_ATOMIC 0
#define GFP_HIGHUSER 0
#define __GFP_ZERO 1u
#define __GFP_ACCOUNT 0
#define __GFP_NOWARN 0
#define __GFP_DMA32 0
#define SLAB_ACCOUNT 0
struct kmem_cache { unsigned int size; const char *name; };
struct kmem_cache_args { unsigned int align, useroffset, usersize; void (*ctor)(void *o); };
/* Caches are made once, before any sim: what they know is the size */
#define KSIM_CACHE(n) ({ static struct kmem_cache ksim_c; ksim_c.size = (n); &ksim_c; })
#define KMEM_CACHE(s, f) KSIM_CACHE(sizeof(struct s))
#define kmem_cache_create(n, size, ...) KSIM_CACHE(size)
#define kmem_cache_create_usercopy(n, size, a, f, o, s, c) KSIM_CACHE(size)
#define kmem_cache_destroy(c) do {} while (0)
#define kmem_cache_zalloc(c, f) ksim_alloc((c)->size)
#define kmem_cache_alloc(c, f) ksim_alloc((c)->size)
#define kmem_cache_free(c, p) ksim_free(p)
#define kmem_cache_size(c) ((c)->size)
#define alloc_inode_sb(sb, c, f) ksim_alloc((c)->size)
/* All are zeroed here; it costs where it was asked for */
static inline unsigned long ksim_page_get(unsigned int gfp)
{
	if (gfp & __GFP_ZERO)
		ksim_charge(KSIM_PAGE_CLEAR, 1);
	return ksim_page_alloc();
}
#define __get_free_page(f) ksim_page_get(f)
#define get_zeroed_page(f) ksim_page_get((f) | __GFP_ZERO)
#define free_page(a) ksim_free_page_at(a)
#define free_pages(a, o) ksim_free_page_at(a)
#define __get_free_pages(f, o) ksim_page_get(f)
#define alloc_page(f) virt_to_page(ksim_page_get(f))
#define alloc_pages(f, o) virt_to_page(ksim_page_get(f))
#define __free_page(p) ksim_page_free(page_to_phys(p))
static inline void ksim_free_page_at(unsigned long a)
{
	if (a)
		ksim_page_free(__pa(a));
}
#define kzalloc(n, f) ksim_alloc(n)
#define kmalloc(n, f) ksim_alloc(n)
#define kvzalloc(n, f) ksim_alloc(n)
#define kvmalloc(n, f) ksim_alloc(n)
#define vzalloc(n) ksim_alloc(n)
#define __vmalloc(n, f) ksim_alloc(n)
#define vmalloc(n) ksim_alloc(n)
#define kcalloc(n, s, f) ksim_alloc((n) * (s))
#define kvcalloc(n, s, f) ksim_alloc((n) * (s))
#define kvmalloc_array kvcalloc
#define kmalloc_array kvcalloc
#define __vcalloc kvcalloc
#define vcalloc(n, s) ksim_alloc((n) * (s))
#define kfree(p) ksim_free(p)
#define kvfree(p) ksim_free(p)
#define vfree(p) ksim_free(p)
#define kfree_const(p) do {} while (0)
#define kzalloc_obj(x, ...) ((__typeof__(x) *)ksim_alloc(sizeof(x)))
#define kmalloc_obj kzalloc_obj
#define kvzalloc_obj kzalloc_obj
#define kzalloc_flex(x, m, n, ...) ((__typeof__(x) *)ksim_alloc(sizeof(x) + sizeof((x).m[0]) * (n)))
#define kvzalloc_flex kzalloc_flex
#define kmalloc_flex kzalloc_flex
#define kzalloc_objs(x, n, ...) ((__typeof__(x) *)ksim_alloc(sizeof(x) * (n)))
#define kmalloc_objs kzalloc_objs
#define kvzalloc_objs kzalloc_objs
#define kvmalloc_objs kzalloc_objs
#define kstrdup(s, f) (s)
#define kstrdup_const(s, f) (s)
void *memdup_user(const void *p, size_t n);
void *vmemdup_user(const void *p, size_t n);
/* The "user's" buffer is memory of the caller's stack or of the world */
#define copy_from_user(d, s, n) (memcpy((void *)(d), (void *)(s), (n)), 0)
#define copy_to_user(d, s, n) (memcpy((void *)(d), (void *)(s), (n)), 0)
#define __copy_from_user copy_from_user
#define __copy_to_user copy_to_user
#define __copy_from_user_inatomic copy_from_user
#define clear_user(p, n) (memset((void *)(p), 0, (n)), 0)
#define get_user(x, p) ((x) = *(p), 0)
#define put_user(x, p) (*(p) = (x), 0)
#define __get_user get_user
#define __put_user put_user
#define u64_to_user_ptr(x) ((void *)(unsigned long)(x))
#define access_ok(p, n) true
#define untagged_addr(x) (x)
#define pagefault_disable() do {} while (0)
#define pagefault_enable() do {} while (0)

/* User memory: see kvmmmu/kernel/glue_mm.c */
struct vm_area_struct {
	unsigned long vm_start, vm_end, vm_flags, vm_pgoff;
	const struct vm_operations_struct *vm_ops;
	struct file *vm_file;
	pgprot_t vm_page_prot;
};
struct vm_fault { struct vm_area_struct *vma; unsigned long pgoff; struct page *page; };
struct mempolicy;
struct vm_operations_struct {
	vm_fault_t (*fault)(struct vm_fault *vmf);
	int (*set_policy)(struct vm_area_struct *vma, struct mempolicy *new);
	struct mempolicy *(*get_policy)(struct vm_area_struct *vma, unsigned long a, unsigned long *i);
};
#define KSIM_USERS 16
struct ksim_user;
struct ksim_table;
struct mm_struct {
	ksim_lock_t mmap_lock;
	/* ours: user memory of each VM, by its number; the page that images come from: glue_mm.c */
	struct ksim_user *user[KSIM_USERS];
	struct ksim_table *source;
};
#define mmgrab(m) do {} while (0)
#define mmdrop(m) do {} while (0)
#define mmap_read_lock(m) do {} while (0)
#define mmap_read_unlock(m) do {} while (0)
#define mmap_write_lock(m) do {} while (0)
#define mmap_write_unlock(m) do {} while (0)
#define VM_READ 1
#define VM_WRITE 2
#define VM_EXEC 4
#define VM_SHARED 8
#define VM_MAYSHARE 0x80
#define VM_IO 0x4000
#define VM_PFNMAP 0x400
#define VM_FAULT_SIGBUS 2
#define VM_FAULT_LOCKED 0x200
#define VM_FAULT_RETRY 0x400
#define FOLL_WRITE 1
#define FOLL_GET 2
#define FOLL_NOWAIT 0x20
#define FOLL_HWPOISON 0x100
#define FOLL_INTERRUPTIBLE 0x400
#define FOLL_LONGTERM 0x800
#define FOLL_HONOR_NUMA_FAULT 0x1000
#define FAULT_FLAG_WRITE 1
#define FAULT_FLAG_UNLOCKABLE 2
struct follow_pfnmap_args {
	struct vm_area_struct *vma;
	unsigned long address, pfn;
	pgprot_t pgprot;
	bool writable, special;
};
bool get_user_page_fast_only(unsigned long a, unsigned int flags, struct page **p);
long get_user_pages_unlocked(unsigned long a, unsigned long n, struct page **p, unsigned int f);
long pin_user_pages_unlocked(unsigned long a, unsigned long n, struct page **p, unsigned int f);
int pin_user_pages_fast(unsigned long a, int n, unsigned int f, struct page **p);
int get_user_pages_fast(unsigned long a, int n, unsigned int f, struct page **p);
int get_user_pages_fast_only(unsigned long a, int n, unsigned int f, struct page **p);
int check_user_page_hwpoison(unsigned long a);
void unpin_user_page(struct page *p);
struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long a);
struct vm_area_struct *vma_lookup(struct mm_struct *mm, unsigned long a);
int follow_pfnmap_start(struct follow_pfnmap_args *a);
void follow_pfnmap_end(struct follow_pfnmap_args *a);
int fixup_user_fault(struct mm_struct *mm, unsigned long a, unsigned int f, bool *unlocked);
int vmf_error(int err);
#define vma_pages(v) (((v)->vm_end - (v)->vm_start) >> PAGE_SHIFT)
#define vma_kernel_pagesize(v) PAGE_SIZE
#define folio_test_hugetlb(f) 0

#define MMU_NOTIFIER_RANGE_BLOCKABLE 1
struct mmu_notifier_range {
	struct mm_struct *mm;
	unsigned long start, end;
	unsigned int flags;
	int event;
};
#define mmu_notifier_range_blockable(r) true
struct mmu_notifier;
#ifdef YOUNG_IS_INT
typedef int ksim_young_t;
#else
typedef bool ksim_young_t;
#endif
struct mmu_notifier_ops {
	void (*release)(struct mmu_notifier *mn, struct mm_struct *mm);
	ksim_young_t (*clear_flush_young)(struct mmu_notifier *mn, struct mm_struct *mm,
					  unsigned long start, unsigned long end);
	ksim_young_t (*clear_young)(struct mmu_notifier *mn, struct mm_struct *mm,
				    unsigned long start, unsigned long end);
	ksim_young_t (*test_young)(struct mmu_notifier *mn, struct mm_struct *mm, unsigned long a);
	int (*invalidate_range_start)(struct mmu_notifier *mn, const struct mmu_notifier_range *r);
	void (*invalidate_range_end)(struct mmu_notifier *mn, const struct mmu_notifier_range *r);
};
struct mmu_notifier { const struct mmu_notifier_ops *ops; struct mm_struct *mm; };
int mmu_notifier_register(struct mmu_notifier *mn, struct mm_struct *mm);
void mmu_notifier_unregister(struct mmu_notifier *mn, struct mm_struct *mm);
pgd_t *pgd_offset(struct mm_struct *mm, unsigned long a);
p4d_t *p4d_offset_lockless(pgd_t *p, pgd_t v, unsigned long a);
pud_t *pud_offset_lockless(p4d_t *p, p4d_t v, unsigned long a);
pmd_t *pmd_offset_lockless(pud_t *p, pud_t v, unsigned long a);
pgd_t pgdp_get(pgd_t *p);
#define p4d_offset(p, a) ((p4d_t *)(p))
#define pud_offset(p, a) ((pud_t *)(p))
pmd_t *ksim_pmd_offset(unsigned long a);
#define pmd_offset(p, a) ((void)(p), ksim_pmd_offset(a))
#define pgd_none(x) (!(x).v)
#define p4d_none(x) (!(x).v)
#define p4d_present(x) (!!(x).v)
#define pud_none(x) (!(x).v)
#define pud_present(x) (!!(x).v)
#define pud_leaf(x) ((x).v >> 7 & 1)
#define pmd_none(x) (!(x).v)
#define pmd_present(x) (!!(x).v)
#define pmd_leaf(x) ((x).v >> 7 & 1)
#define alloc_pages_exact(n, f) ksim_alloc(n)
#define free_pages_exact(p, n) ksim_free(p)
#define alloc_contig_pages(n, f, nid, m) NULL
#define free_contig_range(pfn, n) do {} while (0)
#define get_order(n) 0
#define pte_flags(p) ((p).pte & 0xfff)
#define pte_flags_pkey(f) 0
