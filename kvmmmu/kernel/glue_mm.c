// SPDX-License-Identifier: GPL-2.0-only
/*
 * User space's memory under a kernel tree: what mm/gup.c, mm/memory.c and mm/huge_memory.c do as
 * far as KVM meets it, as kvmmmu/own/host_mm.c has it. One page of page tables is a struct
 * ksim_table: its pmd says whether the 512 pages are one huge page, and each has its own struct
 * page either way. docs/model.md, K18.
 */
#include <linux/kvm_host.h>
#include "kvmmmu/kernel/glue.h"
#include "kvmmmu/kernel/glue_mem.h"

#define TABLE_PAGES	512ul
#define AT_ONCE		64ul	/* a VM of up to 128 MiB has all tables from the start */
enum { PMD_NONE, PMD_TABLE = 1, PMD_HUGE = 0x81 };	/* as pmd_present(), pmd_leaf() read it */

struct ksim_table {
	pmd_t pmd;
	spinlock_t page_table_lock;
	struct page *pte[TABLE_PAGES];
};

/* Of one VM; pages are numbered as the gfns that they were set up for */
struct ksim_user {
	struct kvm *kvm;
	unsigned long pages;
	bool huge;
	struct ksim_table *table[];
};

static struct ksim_table *table_new(struct kvm *kvm, unsigned long first)
{
	struct ksim_table *t = ksim_alloc(sizeof(*t));

	spin_lock_init(&t->page_table_lock);
	if (kvm)
		ksim_region(kvm, KSIM_USER, t->pte, 8, TABLE_PAGES, first, 1, 0);
	return t;
}

int ksim_user_init(struct kvm *kvm, unsigned long pages, int huge)
{
	unsigned long n = (pages + TABLE_PAGES - 1) / TABLE_PAGES, i;
	struct mm_struct *mm = kvm->mm;
	struct ksim_user *u;

	if (ksim_vm_number(kvm) >= KSIM_USERS)
		return -ENOSPC;
	u = ksim_alloc(sizeof(*u) + n * sizeof(u->table[0]));
	SET(u->kvm, kvm);
	SET(u->pages, pages);
	SET(u->huge, !!huge);
	for (i = 0; n <= AT_ONCE && i < n; i++)
		SET(u->table[i], table_new(kvm, i * TABLE_PAGES));
	SET(mm->user[ksim_vm_number(kvm)], u);
	if (!mm->source)
		SET(mm->source, table_new(NULL, 0));
	return 0;
}

static struct ksim_user *user_of(unsigned long addr)
{
	return current->mm->user[(addr - KSIM_USER_BASE) / KSIM_USER_VM];
}

static unsigned long page_of(unsigned long addr)
{
	return (addr - KSIM_USER_BASE) % KSIM_USER_VM >> PAGE_SHIFT;
}

static struct ksim_table *table_at(struct ksim_user *u, unsigned long page)
{
	struct ksim_table **t = &u->table[page / TABLE_PAGES];

	if (GET(*t))
		return *t;
	ksim_world_lock();
	if (!*t)
		SET(*t, table_new(u->kvm, page & -TABLE_PAGES));
	ksim_world_unlock();
	return *t;
}

/* Above all users; one page, however much is asked for */
static bool is_source(unsigned long addr)
{
	return addr >= KSIM_SOURCE;
}

static struct ksim_table *table_of(unsigned long addr)
{
	return is_source(addr) ? current->mm->source : table_at(user_of(addr), page_of(addr));
}

static struct page **ptep_of(struct ksim_table *t, unsigned long addr)
{
	return &t->pte[is_source(addr) ? 0 : page_of(addr) % TABLE_PAGES];
}

/* --- who looks -------------------------------------------------------------------------------- */

static pgd_t top = { PMD_TABLE };
pgd_t *pgd_offset(struct mm_struct *mm, unsigned long a) { return &top; }
pmd_t *ksim_pmd_offset(unsigned long a) { return &table_of(a)->pmd; }

/* A reference to what the entry names, if it and the one above it still do */
static struct page *gup_fast(unsigned long addr)
{
	struct ksim_table *t = table_of(addr);
	struct page **pte = ptep_of(t, addr), *p;

	rcu_read_lock();	/* interrupts are off there: the page tables stay */
	for (;;) {
		unsigned long pmd = READ_ONCE(t->pmd.v);

		p = pmd ? READ_ONCE(*pte) : NULL;
		if (!p)
			break;
		if (!ksim_get_page_unless_zero(p))
			continue;
		if (READ_ONCE(t->pmd.v) == pmd && READ_ONCE(*pte) == p)
			break;
		ksim_put_page(p);
	}
	rcu_read_unlock();
	return p;
}

bool get_user_page_fast_only(unsigned long a, unsigned int flags, struct page **p)
{
	*p = gup_fast(a);
	return *p;
}

int get_user_pages_fast_only(unsigned long a, int n, unsigned int f, struct page **p)
{
	int i;

	for (i = 0; i < n && (p[i] = gup_fast(a + i * PAGE_SIZE)); i++)
		;
	return i;
}

/* --- faulting in -------------------------------------------------------------------------------- */

static struct page *page_new(unsigned long hpa)
{
	struct page *p = pfn_to_page(hpa >> PAGE_SHIFT);

	SET(p->locked, 0);
	SET(p->flags, 0);
	SET(p->private, 0);
	SET(p->mapping, NULL);
	SET(p->refcount.counter, 1);	/* last, as in new_folio() */
	return p;
}

/* do_anonymous_page(): somebody may be quicker */
static void fault_small(unsigned long addr)
{
	struct page *new = page_new(ksim_guest_page_alloc());
	struct ksim_table *t = table_of(addr);
	struct page **pte = ptep_of(t, addr);
	bool lost;

	ksim_charge(KSIM_PAGE_CLEAR, 1);
	spin_lock(&t->page_table_lock);
	if (READ_ONCE(t->pmd.v) == PMD_NONE)	/* pmd_install() */
		WRITE_ONCE(t->pmd.v, PMD_TABLE);
	lost = READ_ONCE(*pte);
	if (!lost)
		WRITE_ONCE(*pte, new);
	spin_unlock(&t->page_table_lock);
	if (lost)
		ksim_put_page(new);
}

/* do_huge_pmd_anonymous_page(): false if the range cannot be huge; somebody may be quicker */
static bool fault_huge(unsigned long addr)
{
	struct ksim_table *t = table_of(addr);
	unsigned long hpa, i;
	bool lost;

	if (is_source(addr) || !user_of(addr)->huge ||
	    (page_of(addr) & -TABLE_PAGES) + TABLE_PAGES > user_of(addr)->pages)
		return false;
	if (READ_ONCE(t->pmd.v) != PMD_NONE)
		return false;
	hpa = ksim_guest_2m_alloc();
	ksim_charge(KSIM_PAGE_CLEAR, TABLE_PAGES);
	spin_lock(&t->page_table_lock);
	lost = READ_ONCE(t->pmd.v) != PMD_NONE;
	if (!lost) {
		/* no words of their own in Linux: who looks at one has seen the pmd */
		for (i = 0; i < TABLE_PAGES; i++)
			SET(t->pte[i], page_new(hpa + i * PAGE_SIZE));
		WRITE_ONCE(t->pmd.v, PMD_HUGE);
	}
	spin_unlock(&t->page_table_lock);
	for (i = 0; lost && i < TABLE_PAGES; i++)
		ksim_guest_page_free(hpa + i * PAGE_SIZE);
	return true;
}

long get_user_pages_unlocked(unsigned long a, unsigned long n, struct page **p, unsigned int f)
{
	for (;;) {
		*p = gup_fast(a);
		if (*p)
			return 1;
		if (!fault_huge(a))
			fault_small(a);
	}
}

int get_user_pages_fast(unsigned long a, int n, unsigned int f, struct page **p)
{
	return get_user_pages_unlocked(a, 1, p, f);
}

/* --- giving back ---------------------------------------------------------------------------------- */

/* __split_huge_pmd(): the frames stay, but KVM must not think any more that they are one page */
static void split_huge_pmd(struct kvm *kvm, struct ksim_table *t, unsigned long page)
{
	unsigned long first = page & -TABLE_PAGES;

	ktree_notify_start(kvm, first, first + TABLE_PAGES);
	spin_lock(&t->page_table_lock);
	if (READ_ONCE(t->pmd.v) == PMD_HUGE)
		WRITE_ONCE(t->pmd.v, PMD_TABLE);
	spin_unlock(&t->page_table_lock);
	ktree_notify_end(kvm, first, first + TABLE_PAGES);
}

/* Entries first, all of them; the pages are freed behind the notifiers' end. */
static void clear_one(struct page **pte)
{
	struct page *p = xchg(pte, NULL);

	if (!p)
		return;
	SET(p->next, current->zapped);
	SET(current->zapped, p);
}

/*
 * zap_pmd_range() of [@page, @end) in one table: what is not there now is passed by, a huge page
 * that goes in part is split first. An emptied table goes, so that the range can be huge again.
 */
static void clear_table(struct kvm *kvm, struct ksim_table *t, unsigned long page,
			unsigned long end)
{
	bool whole = end - page == TABLE_PAGES;
	unsigned long pmd;

	while ((pmd = READ_ONCE(t->pmd.v)) != PMD_NONE) {
		if (pmd == PMD_HUGE && !whole) {
			split_huge_pmd(kvm, t, page);
			continue;
		}
		spin_lock(&t->page_table_lock);
		if (READ_ONCE(t->pmd.v) == pmd)
			break;
		spin_unlock(&t->page_table_lock);	/* somebody was quicker: look again */
	}
	if (pmd == PMD_NONE)
		return;
	if (whole)
		WRITE_ONCE(t->pmd.v, PMD_NONE);
	for (; page < end; page++)
		clear_one(&t->pte[page % TABLE_PAGES]);
	spin_unlock(&t->page_table_lock);
}

void ksim_user_clear(struct kvm *kvm, unsigned long start, unsigned long end)
{
	struct ksim_user *u = kvm->mm->user[ksim_vm_number(kvm)];
	unsigned long page, to;

	for (page = start; page < end; page = to) {
		to = min((page | (TABLE_PAGES - 1)) + 1, end);
		clear_table(kvm, table_at(u, page), page, to);
		cond_resched();
	}
}

void ksim_user_release(void)
{
	struct page *p;

	while ((p = current->zapped)) {
		SET(current->zapped, p->next);
		ksim_put_page(p);
	}
}
