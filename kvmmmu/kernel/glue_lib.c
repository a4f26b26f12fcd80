// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files, inodes, the page cache, XArrays, tasks: as much of Linux as stands under KVM, built of
 * the steps of ksim.h. mm/filemap.c, mm/truncate.c, fs/file.c, lib/xarray.c
 */
#include <linux/kvm_host.h>
#include "kvmmmu/kernel/glue.h"
#include "kvmmmu/kernel/glue_mem.h"

int ktree_boot(int ad)
{
	int r = ktree_boot_x86(ad);

	r = r ? r : ktree_boot_virt();
	r = r ? r : ktree_boot_tdx();
	r = r ? r : ktree_boot_main();
	return r;
}

unsigned long ktree_page_size(void) { return sizeof(struct page); }

/* --- tasks ------------------------------------------------------------------------------------- */

static struct mm_struct *the_mm;	/* user space is one process */

unsigned long ktree_task_size(void) { return sizeof(struct task_struct); }

void ktree_task_init(void *task)
{
	struct task_struct *t = task;

	if (!the_mm)		/* as the first VM is made */
		SET(the_mm, ksim_alloc(sizeof(*the_mm)));
	SET(t->mm, the_mm);
	SET(t->pid, 1);
}

void ksim_schedule(void)
{
	struct task_struct *me = current;

	ksim_await_one(&me->wake);
	WRITE_ONCE(me->wake, 0);
}

struct ksim_sleeper { struct rcuwait w; };

int ksim_rcuwait_wake(struct rcuwait *w)
{
	struct task_struct *t = READ_ONCE(w->task);

	if (!t)
		return 0;
	WRITE_ONCE(t->wake, 1);
	return 1;
}

struct rw_semaphore ksim_cpu_hotplug_lock;
static const struct ksim_static_lock ksim_lock_of_hotplug
__attribute__((section("ksim_locks"), used)) = {
	&ksim_cpu_hotplug_lock, "ksim_cpu_hotplug_lock", KSIM_DOWN_WRITE
};

struct on_cpu { int (*fn)(void *); void *arg; int ret; };
static void call_on_cpu(void *p)
{
	struct on_cpu *c = p;

	int r = c->fn(c->arg);

	SET(c->ret, r);
}
int ksim_call_on_cpu(int cpu, int (*fn)(void *), void *arg)
{
	struct on_cpu c = { fn, arg };

	ksim_call_one(cpu, call_on_cpu, &c, 1);
	return c.ret;
}

/* --- XArrays: 512 slots a node, two levels of tables above ------------------------------------------ */

#define FAN 512ul
struct xnode { void *slot[FAN]; };

/* The node of number @n, if it is there */
static struct xnode *node_find(struct xarray *x, unsigned long n)
{
	struct xnode **root = GET(x->root), **mid;

	mid = root ? (struct xnode **)GET(root[n / FAN]) : NULL;
	return mid ? GET(mid[n % FAN]) : NULL;
}

/* It is not there, and nobody else makes one */
static struct xnode *node_make(struct xarray *x, unsigned long n)
{
	struct xnode **root = x->root, **mid, *new;
	unsigned long k;

	if (!root) {
		root = ksim_alloc(FAN * sizeof(void *));
		SET(x->root, root);
	}
	mid = (struct xnode **)root[n / FAN];
	if (!mid) {
		mid = ksim_alloc(FAN * sizeof(void *));
		SET(root[n / FAN], (struct xnode *)mid);
	}
	new = ksim_alloc(sizeof(*new));
	for (k = 0; x->dflt && k < FAN; k++)
		SET(new->slot[k], x->dflt);
	SET(mid[n % FAN], new);
	if (x->region)
		ksim_region(x->owner, x->region, new->slot, 8, FAN, n * FAN, 1, 0);
	return new;
}

static struct xnode *node_of(struct xarray *x, unsigned long i, bool make)
{
	unsigned long n = i / FAN;
	struct xnode *node;

	if (n / FAN >= FAN)
		return NULL;
	node = node_find(x, n);
	if (node || !make)
		return node;
	ksim_world_lock();
	node = node_find(x, n);
	if (!node)
		node = node_make(x, n);
	ksim_world_unlock();
	return node;
}

/* Who changes ranges holds a lock (guest_memfd: invalidate_lock), who looks does not. */
static struct ksim_xrange *range_of(struct xarray *x, unsigned long i)
{
	for (int k = 0; GET(x->ranges) && k < KSIM_XRANGES; k++) {
		struct ksim_xrange *r = &x->range[k];

		if (GET(r->value) && i >= GET(r->first) && i <= GET(r->last))
			return r;
	}
	return NULL;
}

void *ksim_xa_load(struct xarray *x, unsigned long i)
{
	struct ksim_xrange *r = range_of(x, i);
	struct xnode *n;

	if (r)
		return READ_ONCE(r->value);
	n = node_of(x, i, x->region);
	return n ? READ_ONCE(n->slot[i % FAN]) : x->dflt;
}

void *ksim_xa_store(struct xarray *x, unsigned long i, void *v)
{
	struct xnode *n = node_of(x, i, true);
	void *old = GET(n->slot[i % FAN]);

	WRITE_ONCE(n->slot[i % FAN], v);
	return old;
}

void *ksim_xa_cmpxchg(struct xarray *x, unsigned long i, void *old, void *new)
{
	return cmpxchg(&node_of(x, i, true)->slot[i % FAN], old, new);
}

/* The first entry from *@i to @last; looking at what is empty is no step. */
void *ksim_xa_find(struct xarray *x, unsigned long *i, unsigned long last)
{
	struct ksim_xrange *best = NULL;
	unsigned long k;

	for (int r = 0; x->ranges && r < KSIM_XRANGES; r++) {
		struct ksim_xrange *c = &x->range[r];

		if (c->value && c->last >= *i && c->first <= last && (!best || c->first < best->first))
			best = c;
	}
	if (best) {
		if (best->first > *i)
			*i = best->first;
		return READ_ONCE(best->value);
	}
	for (k = *i; k <= last && k < FAN * FAN * FAN; ) {
		struct xnode *n = node_of(x, k, x->dflt);

		if (!n) {
			k = (k / FAN + 1) * FAN;
			continue;
		}
		if (GET(n->slot[k % FAN])) {
			*i = k;
			return READ_ONCE(n->slot[k % FAN]);
		}
		k++;
	}
	return NULL;
}

void *ksim_xa_find_after(struct xarray *x, unsigned long *i, unsigned long last)
{
	struct ksim_xrange *r = range_of(x, *i);

	*i = (r ? r->last : *i) + 1;
	return *i && *i <= last ? ksim_xa_find(x, i, last) : NULL;
}

void xa_store_range_(struct xarray *x, unsigned long first, unsigned long last, void *v)
{
	int k;

	for (k = 0; k < KSIM_XRANGES; k++) {
		struct ksim_xrange *r = &x->range[k];

		if (v ? !r->value : r->value && r->first == first && r->last == last) {
			SET(r->first, first);
			SET(r->last, last);
			SET(x->ranges, x->ranges + (v ? 1 : -1));
			WRITE_ONCE(r->value, v);
			return;
		}
	}
}

void xa_destroy(struct xarray *x)
{
	struct xnode **root = x->root;

	for (unsigned long a = 0; root && a < FAN; a++) {
		struct xnode **mid = (struct xnode **)root[a];

		for (unsigned long n = 0; mid && n < FAN; n++) {
			if (mid[n] && x->region)
				ksim_forget_region(mid[n]->slot);
			if (mid[n])
				ksim_free(mid[n]);
		}
		if (mid)
			ksim_free(mid);
	}
	if (root)
		ksim_free(root);
	memset(x, 0, sizeof(*x));
}

/* --- files ------------------------------------------------------------------------------------------- */

#define FDS 4096
static struct file *fds[FDS];
static int fds_nr;

int ksim_fd_new(void)
{
	int n = GET(fds_nr);

	do {
		if (n == FDS)
			return -EMFILE;
	} while (!WORLD_TRY(fds_nr, &n, n + 1));
	return n;
}
void ksim_fd_install(int fd, struct file *f) { SET(fds[fd], f); }
struct file *ksim_fd_file(int fd) { return fd >= 0 && fd < GET(fds_nr) ? GET(fds[fd]) : NULL; }

struct file *ksim_getfile(const char *name, const struct file_operations *fops, void *priv,
			  struct inode *inode)
{
	struct file *f = ksim_alloc(sizeof(*f));

	SET(f->f_op, fops);
	SET(f->private_data, priv);
	SET(f->f_inode, inode);
	SET(f->f_mapping, inode ? inode->i_mapping : NULL);
	SET(f->refs.counter, 1);
	return f;
}

int ksim_getfd(const char *name, const struct file_operations *fops, void *priv, int flags)
{
	int fd = ksim_fd_new();

	if (fd >= 0)
		SET(fds[fd], ksim_getfile(name, fops, priv, NULL));
	return fd;
}

struct file *fget(unsigned int fd)
{
	struct file *f = ksim_fd_file(fd);

	if (!f || GET(f->closed))
		return NULL;
	if (ksim_real_threads())	/* it may be gone by now */
		return ksim_get_file_active(&f);
	atomic_inc(&f->refs);
	return f;
}

/* file_ref_get(), file_ref_put(): who meets a file that nobody uses and that is not dead yet has it */
#define FILE_REF_DEAD	(-(1 << 30))

struct file *ksim_get_file_active(struct file **fp)
{
	struct file *f = READ_ONCE(*fp);

	if (!f || atomic_fetch_add(1, &f->refs) < 0)
		return NULL;
	if (READ_ONCE(*fp) == f)
		return f;
	ksim_fput(f);
	return NULL;
}

/* Under locks, perhaps, one of which ->release() takes: it comes on the way back to user space. */
void ksim_fput(struct file *f)
{
	if (!atomic_dec_and_test(&f->refs))
		return;
	if (cmpxchg(&f->refs.counter, 0, FILE_REF_DEAD))
		return;
	SET(f->next, current->released);
	SET(current->released, f);
}

static void release(struct file *f)
{
	if (f->f_op->release)
		f->f_op->release(f->f_inode, f);
	if (f->f_inode) {
		truncate_inode_pages_range(f->f_inode->i_mapping, 0, -1);
		xa_destroy(&f->f_inode->i_mapping->i_pages);
	}
}

void ktree_task_work(void)
{
	struct file *f;

	while ((f = current->released)) {
		SET(current->released, f->next);
		release(f);
	}
}

/* As user space does around an ioctl, which is no step: a file that is open stays. */
int ktree_fget(int fd)
{
	struct file *f = ksim_fd_file(fd);

	return f && !GET(f->closed) && WORLD_RMW(fetch_add, f->refs.counter, 1) >= 0;
}

void ktree_fput(int fd)
{
	fput(ksim_fd_file(fd));
	ktree_task_work();
}

void ktree_close(int fd)
{
	struct file *f = ksim_fd_file(fd);

	if (!f || GET(f->closed) || WORLD_RMW(exchange_n, f->closed, true))
		return;
	fput(f);
	ktree_task_work();
}

static struct pseudo_fs_context fs_ctx;
struct pseudo_fs_context *ksim_init_pseudo(struct fs_context *fc)
{
	SET(fc->fs_private, (void *)&fs_ctx);
	return &fs_ctx;
}

struct vfsmount *ksim_mount(struct file_system_type *t)
{
	struct vfsmount *m = ksim_alloc(sizeof(*m));
	struct fs_context fc = { 0 };

	SET(m->mnt_sb, ksim_alloc(sizeof(*m->mnt_sb)));
	t->init_fs_context(&fc);
	SET(m->mnt_sb->s_op, fs_ctx.ops);
	return m;
}

static void set_mapping(struct inode *i)
{
	struct address_space *mapping = &i->i_data;

	SET(i->i_mapping, mapping);
	SET(mapping->host, i);
	init_rwsem(&mapping->invalidate_lock);
	SET(mapping->i_private_list.next, &mapping->i_private_list);
	SET(mapping->i_private_list.prev, &mapping->i_private_list);
	xa_init(&mapping->i_pages);
	SET(mapping->i_pages.region, KSIM_GMEM);
}

struct inode *ksim_inode(struct super_block *sb)
{
	struct inode *i = sb->s_op->alloc_inode(sb);

	SET(i->i_sb, sb);
	set_mapping(i);
	return i;
}

/* Of no file system: guest_memfd's until it got one */
struct inode *ksim_anon_inode(void)
{
	struct inode *i = ksim_alloc(sizeof(*i));

	set_mapping(i);
	return i;
}

/* --- the page cache ------------------------------------------------------------------------------------ */

void ksim_folio_lock(struct page *p)
{
	while (cmpxchg(&p->locked, 0, 1))
		ksim_await_zero(&p->locked, 4);
}

void ksim_folio_unlock(struct page *p)
{
	WRITE_ONCE(p->locked, 0);
}

void ksim_put_page(struct page *p)
{
	int n = atomic_fetch_add(-1, &p->refcount);

	if (n <= 0)
		ksim_warn("refcount_t: a page's below 0", __FILE__, __LINE__);
	if (n == 1)
		ksim_guest_page_free(page_to_phys(p));
}

bool ksim_get_page_unless_zero(struct page *p)
{
	int n = atomic_read(&p->refcount);

	do {
		if (!n)
			return false;
	} while (!try_cmpxchg(&p->refcount.counter, &n, n + 1));
	return true;
}

static struct page *new_folio(struct address_space *m, unsigned long index)
{
	struct page *p = pfn_to_page(ksim_guest_page_alloc() >> PAGE_SHIFT);

	SET(p->locked, 1);
	SET(p->flags, 0);
	SET(p->private, 0);
	SET(p->mapping, m);
	SET(p->index, index);
	SET(p->refcount.counter, 2);	/* last: who found it here before it was freed looks on */
	return p;
}

struct folio *ksim_filemap_get(struct address_space *m, unsigned long index, int create)
{
	struct page *p;

	for (;;) {
		p = ksim_xa_load(&m->i_pages, index);
		if (!p) {
			if (!create)
				return ERR_PTR(-ENOENT);
			p = new_folio(m, index);
			if (!ksim_xa_cmpxchg(&m->i_pages, index, NULL, p))
				return (struct folio *)p;
			if (WORLD_RMW(fetch_add, p->refcount.counter, -2) == 2)
				ksim_guest_page_free(page_to_phys(p));
			continue;
		}
		if (!ksim_get_page_unless_zero(p))
			continue;
		ksim_folio_lock(p);
		if (READ_ONCE(p->mapping) == m && GET(p->index) == index)
			return (struct folio *)p;
		ksim_folio_unlock(p);
		ksim_put_page(p);
	}
}

void truncate_inode_pages_range(struct address_space *m, loff_t from, loff_t to)
{
	unsigned long i = from >> PAGE_SHIFT, last = to < 0 ? ~0ul : to >> PAGE_SHIFT;
	struct page *p;

	while ((p = ksim_xa_find(&m->i_pages, &i, last))) {
		if (!ksim_get_page_unless_zero(p))
			continue;
		ksim_folio_lock(p);
		if (READ_ONCE(p->mapping) == m) {
			WRITE_ONCE(p->mapping, NULL);
			ksim_xa_store(&m->i_pages, i, NULL);
			ksim_put_page(p);	/* the cache's */
		}
		ksim_folio_unlock(p);
		ksim_put_page(p);
		i++;
	}
}

/* --- odds and ends ---------------------------------------------------------------------------------------- */

void *memset(void *p, int c, unsigned long n) { return ksim_fill(p, c, n); }
void *memcpy(void *d, const void *s, unsigned long n) { return ksim_copy(d, s, n); }
void *memmove(void *d, const void *s, unsigned long n) { return ksim_copy(d, s, n); }
int memcmp(const void *a, const void *b, unsigned long n)
{
	const unsigned char *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}
unsigned long strlen(const char *s)
{
	unsigned long n = 0;

	while (s[n])
		n++;
	return n;
}
int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return (unsigned char)*a - (unsigned char)*b;
}
void *memchr_inv(const void *p, int c, unsigned long n)
{
	for (const char *s = p; n; s++, n--)
		if (*s != (char)c)
			return (void *)s;
	return NULL;
}
void *memdup_user(const void *p, size_t n)
{
	return memcpy(ksim_alloc(n), p, n);
}

static unsigned long ida_bits[16];
int ida_alloc_range(struct ida *ida, unsigned int min, unsigned int max, gfp_t f)
{
	for (; min <= max; min++) {
		unsigned long bit = 1ul << (min % 64);

		if (!(GET(ida_bits[min / 64]) & bit) &&
		    !(WORLD_RMW(fetch_or, ida_bits[min / 64], bit) & bit))
			return min;
	}
	return -ENOSPC;
}
void ida_free(struct ida *ida, unsigned int id)
{
	WORLD_RMW(fetch_and, ida_bits[id / 64], ~(1ul << (id % 64)));
}
int mmu_notifier_register(struct mmu_notifier *mn, struct mm_struct *mm) { return 0; }
/* Who goes before the process does is told all the same; nobody else is in a callback then. */
void mmu_notifier_unregister(struct mmu_notifier *mn, struct mm_struct *mm)
{
	mn->ops->release(mn, mm);
}
struct vhost_task *vhost_task_create(bool (*fn)(void *), void (*sigkill)(void *), void *arg,
				     const char *name)
{
	return (struct vhost_task *)the_mm;	/* the NX worker is an actor: recover-nx */
}
