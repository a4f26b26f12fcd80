/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * Files, inodes and the page cache as guest_memfd and descriptors use them: glue_fs.c.
 * include/linux/{fs,file,anon_inodes,pagemap,pseudo_fs,mempolicy}.h
 */
struct file;
struct mnt_idmap;
struct iattr;
struct dentry;
struct inode;
struct vm_area_struct;
struct kiocb;
typedef struct { int none; } fl_owner_t_none;
enum migrate_mode { MIGRATE_ASYNC };
struct file_operations {
	struct module *owner;
	loff_t (*llseek)(struct file *f, loff_t o, int w);
	ssize_t (*read)(struct file *f, char *b, size_t n, loff_t *o);
	ssize_t (*write)(struct file *f, const char *b, size_t n, loff_t *o);
	int (*open)(struct inode *i, struct file *f);
	int (*release)(struct inode *i, struct file *f);
	int (*mmap)(struct file *f, struct vm_area_struct *v);
	long (*unlocked_ioctl)(struct file *f, unsigned int c, unsigned long a);
	long (*compat_ioctl)(struct file *f, unsigned int c, unsigned long a);
	long (*fallocate)(struct file *f, int mode, loff_t o, loff_t n);
};
#define KSIM_XRANGES 8
struct ksim_xrange { unsigned long first, last; void *value; };
struct xarray {
	void *root;		/* table of tables of nodes */
	void *dflt;		/* what is in a slot from the start */
	unsigned int region;	/* enum ksim_region of the slots; 0: none */
	void *owner;		/* struct kvm, of the region */
	int ranges;		/* that are used */
	struct ksim_xrange range[KSIM_XRANGES];
};
struct address_space_operations {
	bool (*dirty_folio)(struct address_space *m, struct folio *f);
	int (*migrate_folio)(struct address_space *m, struct folio *d, struct folio *s,
			     enum migrate_mode mode);
	int (*error_remove_folio)(struct address_space *m, struct folio *f);
	void (*free_folio)(struct folio *f);
};
struct address_space {
	struct inode *host;
	struct xarray i_pages;
	struct rw_semaphore invalidate_lock;
	const struct address_space_operations *a_ops;
	unsigned long nrpages;
	unsigned int flags;
	struct list_head i_private_list;
};
struct super_block;
struct kstat;
struct path;
struct inode_operations {
	int (*setattr)(struct mnt_idmap *i, struct dentry *d, struct iattr *a);
	int (*getattr)(struct mnt_idmap *i, const struct path *p, struct kstat *s, u32 mask,
		       unsigned int flags);
};
struct inode {
	struct address_space *i_mapping, i_data;
	const struct inode_operations *i_op;
	const struct file_operations *i_fop;
	void *i_private;
	struct super_block *i_sb;
	loff_t i_size;
	unsigned long i_ino;
	umode_t i_mode;
	unsigned int i_flags;
	atomic_t i_count;
	struct rcu_head i_rcu;
};
struct dentry { struct inode *d_inode; };
struct vfsmount { struct super_block *mnt_sb; int mnt_flags; };
struct path { struct vfsmount *mnt; struct dentry *dentry; };
struct file {
	const struct file_operations *f_op;
	struct inode *f_inode;
	struct address_space *f_mapping;
	void *private_data;
	unsigned int f_flags;
	atomic_t refs;
	bool closed;
	struct file *next;	/* ours: of those that go, ktree_task_work() */
};
struct fd { struct file *file; };
struct miscdevice { int minor; const char *name; const struct file_operations *fops; struct device *this_device; };
#define KVM_MINOR 232
#define misc_register(m) 0
#define misc_deregister(m) do {} while (0)
#define fd_file(f) ((f).file)
#define fd_empty(f) (!(f).file)
#define fdget(n) ((struct fd){ fget(n) })
#define fdput(f) fput((f).file)
#define noop_llseek NULL
#define generic_file_open NULL
#define noop_dirty_folio NULL
#define O_RDONLY 0
#define FMODE_PREAD 8
#define MF_DELAYED 2
#define MNT_NOEXEC 4
#define O_RDWR 2
#define O_CLOEXEC 02000000
#define O_LARGEFILE 0100000
#define S_IFREG 0100000
#define S_PRIVATE 512
#define S_IRUGO 0444
#define file_inode(f) ((f)->f_inode)
#define file_modified(f) do {} while (0)
#define i_size_read(i) ((i)->i_size)
#define i_size_write(i, n) ((i)->i_size = (n))
#define get_file(f) (atomic_inc(&(f)->refs), (f))
#define get_file_active(fp) ksim_get_file_active(fp)
#define fput(f) ksim_fput(f)
struct file *ksim_get_file_active(struct file **fp);
void ksim_fput(struct file *f);
struct file *fget(unsigned int fd);
struct file *ksim_fd_file(int fd);
int ksim_getfd(const char *name, const struct file_operations *fops, void *priv, int flags);
#define anon_inode_getfd(n, f, p, fl) ksim_getfd(n, f, p, fl)
struct file *ksim_getfile(const char *name, const struct file_operations *fops, void *priv,
			  struct inode *inode);
#define anon_inode_getfile(n, f, p, fl) ksim_getfile(n, f, p, NULL)
#define alloc_file_pseudo(i, m, n, fl, f) ksim_getfile(n, f, NULL, i)
#define anon_inode_make_secure_inode(sb, n, c) ksim_inode(sb)
struct inode *ksim_inode(struct super_block *sb);
struct inode *ksim_anon_inode(void);
#define anon_inode_create_getfile(n, f, p, fl, c) ksim_getfile(n, f, p, ksim_anon_inode())
#define generic_fillattr(i, m, n, s) do {} while (0)
#define fops_get(f) (f)
#define fops_put(f) do {} while (0)
#define get_unused_fd_flags(f) ksim_fd_new()
#define put_unused_fd(fd) do {} while (0)
#define fd_install(fd, f) ksim_fd_install(fd, f)
int ksim_fd_new(void);
void ksim_fd_install(int fd, struct file *f);
#define iput(i) do {} while (0)
#define inode_init_once(i) do {} while (0)
#define address_space_init_once(m) do {} while (0)
#define mapping_set_gfp_mask(m, g) do {} while (0)
#define mapping_gfp_mask(m) 0
#define mapping_set_inaccessible(m) do {} while (0)
#define mapping_set_unevictable(m) do {} while (0)
#define mapping_unevictable(m) true
#define filemap_invalidate_lock(m) down_write(&(m)->invalidate_lock)
#define filemap_invalidate_unlock(m) up_write(&(m)->invalidate_lock)
#define filemap_invalidate_lock_shared(m) down_read(&(m)->invalidate_lock)
#define filemap_invalidate_unlock_shared(m) up_read(&(m)->invalidate_lock)
#define FGP_LOCK 2
#define FGP_CREAT 4
struct folio *ksim_filemap_get(struct address_space *m, unsigned long index, int create);
#define filemap_lock_folio(m, i) ksim_filemap_get(m, i, 0)
#define filemap_grab_folio(m, i) ksim_filemap_get(m, i, 1)
#define __filemap_get_folio_mpol(m, i, f, g, p) ksim_filemap_get(m, i, 1)
#define __filemap_get_folio(m, i, f, g) ksim_filemap_get(m, i, (f) & FGP_CREAT)
#define __filemap_get_folio_none
void truncate_inode_pages_range(struct address_space *m, loff_t from, loff_t to);
#define truncate_inode_pages_final(m) truncate_inode_pages_range(m, 0, -1)
#define FALLOC_NONE 0
struct shared_policy { int none; };
#define mpol_shared_policy_init(p, m) do {} while (0)
#define mpol_shared_policy_lookup(p, i) NULL
#define mpol_set_shared_policy(p, v, m) 0
#define mpol_free_shared_policy(p) do {} while (0)
#define mpol_cond_put(p) do {} while (0)
#define get_mempolicy_none
struct fs_context { void *fs_private; };
struct pseudo_fs_context { const struct super_operations *ops; const struct xattr_handler *x; };
struct super_operations {
	struct inode *(*alloc_inode)(struct super_block *sb);
	void (*destroy_inode)(struct inode *i);
	void (*free_inode)(struct inode *i);
	int (*statfs)(struct dentry *d, void *k);
	void (*evict_inode)(struct inode *i);
	int (*drop_inode)(struct inode *i);
};
struct super_block { const struct super_operations *s_op; unsigned int s_iflags; };
struct file_system_type {
	const char *name;
	int (*init_fs_context)(struct fs_context *fc);
	void (*kill_sb)(struct super_block *sb);
};
struct pseudo_fs_context *ksim_init_pseudo(struct fs_context *fc);
#define init_pseudo(fc, m) ksim_init_pseudo(fc)
#define kill_anon_super NULL
#define simple_statfs NULL
#define inode_generic_drop NULL
#define inode_just_drop NULL
#define generic_delete_inode NULL
#define clear_inode(i) do {} while (0)
struct vfsmount *ksim_mount(struct file_system_type *t);
#define kern_mount(t) ksim_mount(t)
#define kern_unmount(m) do {} while (0)
#define SB_I_NOEXEC 2
#define SB_I_NODEV 4
#define default_set_policy_none

/* debugfs: nobody looks */
#define debugfs_initialized() false
#define debugfs_lookup(n, d) NULL
#define debugfs_create_dir(n, d) ((struct dentry *)ERR_PTR(-ENODEV))
#define debugfs_create_file(n, m, d, p, f) NULL
#define debugfs_remove_recursive(d) do {} while (0)
#define debugfs_remove(d) do {} while (0)
#define dput(d) do {} while (0)
#define DEFINE_SIMPLE_ATTRIBUTE(n, g, s, f) static const struct file_operations n
#define DEFINE_DEBUGFS_ATTRIBUTE DEFINE_SIMPLE_ATTRIBUTE
struct simple_attr_none { int none; };
int simple_attr_open(struct inode *i, struct file *f, int (*g)(void *, u64 *),
		     int (*s)(void *, u64), const char *fmt);
int simple_attr_release(struct inode *i, struct file *f);
ssize_t simple_attr_read(struct file *f, char *b, size_t n, loff_t *o);
ssize_t simple_attr_write(struct file *f, const char *b, size_t n, loff_t *o);
struct seq_file;
struct kobj_uevent_env { char *envp[4]; int envp_idx; };
#define add_uevent_var(...) 0
#define kobject_uevent_env(...) do {} while (0)
enum kobject_action { KOBJ_CHANGE };
#define file_count(f) 1
#define anon_inode_getfile_fmode(n, f, p, fl, m) ksim_getfile(n, f, p, NULL)
#define __simple_attr_check_format(f, v) do {} while (0)
#define dentry_path_raw(d, b, n) ((char *)NULL)
#define sysfs_emit(b, ...) 0
struct mnt_idmap;
struct iattr;
struct super_operations_none;
