/* SPDX-License-Identifier: Apache-2.0 */
/* /dev: a memory file system with nodes for the devices we have, and those devices: null(4), random(4), full(4), tty(4). */
#include "abi/linux/capability.h"
#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "abi/linux/ioctl.h"
#include "abi/linux/kdev.h"
#include "abi/linux/poll.h"
#include "base/string.h"
#include "kernel/core/host.h"
#include "kernel/core/random.h"
#include "kernel/fs/internal.h"
#include "kernel/fs/tty.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"

#define RANDOM_CHUNK 256u

/* ---- null, zero, full ---- */

static s64 null_read(struct file *f, struct uio *u, u64 *pos)
{
	(void)f, (void)u, (void)pos;
	return 0;
}

static s64 null_write(struct file *f, struct uio *u, u64 *pos)
{
	s64 n = (s64)u->resid;

	(void)f, (void)pos;
	uio_advance(u, u->resid);
	return n;
}

static s64 null_llseek(struct file *f, s64 off, int whence)
{
	(void)off, (void)whence;
	f->pos = 0;
	return 0;
}

static s64 zero_read(struct file *f, struct uio *u, u64 *pos)
{
	size_t want = u->resid, done = 0;

	(void)f, (void)pos;
	/* In pieces, so that a signal ends a read of gigabytes. */
	while (done < want) {
		size_t n = MIN(want - done, (size_t)1 << 20), got = uio_zero(u, n);

		done += got;
		if (got < n || signal_pending(current))
			break;
	}
	return done || !want ? (s64)done : -EFAULT;
}

/* mmap(2) of /dev/zero: private mappings are anonymous memory; a shared one needs pages of its own. */
static int zero_mmap(struct file *f, struct vma *v)
{
	struct file *mem = NULL;
	int r = v->flags & VMA_F_SHARED
			? memfs_new_file("/dev/zero", v->end - v->start, O_RDWR, &mem)
			: 0;

	(void)f;
	if (r < 0)
		return r;
	file_unref(v->file);
	v->file = mem;
	v->pgoff = 0;
	return 0;
}

/* Never called: no mapping keeps the device's file. There for mmap(2) to see that it can be mapped. */
static int zero_fault_page(struct file *f, u64 index, bool write, struct page **ret)
{
	(void)f, (void)index, (void)write, (void)ret;
	return -EIO;
}

static s64 full_write(struct file *f, struct uio *u, u64 *pos)
{
	(void)f, (void)pos;
	return u->resid ? -ENOSPC : 0;
}

/* ---- random, urandom ---- */

static s64 random_read(struct file *f, struct uio *u, u64 *pos)
{
	u8 buf[RANDOM_CHUNK];
	size_t want = u->resid, done = 0;

	(void)f, (void)pos;
	while (done < want) {
		size_t n = MIN(want - done, sizeof(buf)), got;

		random_bytes(buf, n);
		got = uio_write(u, buf, n);
		done += got;
		if (got < n || (!(done % PAGE_SIZE) && signal_pending(current)))
			break;
	}
	memset(buf, 0, sizeof(buf));
	barrier();
	return done || !want ? (s64)done : -EFAULT;
}

static s64 random_ioctl(struct file *f, u32 cmd, u64 arg)
{
	(void)f;
	switch (cmd) {
	case 0x80045200: /* RNDGETENTCNT, random(4) */
		return put_user_u32(arg, 256);
	case 0x40045201: /* RNDADDTOENTCNT */
	case 0x40085203: /* RNDADDENTROPY */
	case 0x5204:     /* RNDZAPENTCNT */
	case 0x5206:     /* RNDCLEARPOOL */
	case 0x5207:     /* RNDRESEEDCRNG */
		return cred_capable(current->cred, CAP_SYS_ADMIN) ? 0 : -EPERM;
	default:
		return -ENOTTY;
	}
}

static u32 always_ready(struct file *f, struct poll_table *pt)
{
	(void)f, (void)pt;
	return POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM;
}

static const struct file_ops null_fops = { .read = null_read,
					   .write = null_write,
					   .llseek = null_llseek };
static const struct file_ops zero_fops = {
	.read = zero_read,
	.write = null_write,
	.llseek = null_llseek,
	.mmap = zero_mmap,
	.fault_page = zero_fault_page,
};
static const struct file_ops full_fops = { .read = zero_read,
					   .write = full_write,
					   .llseek = null_llseek };
/* What is written would be mixed into the pool; ours needs no help. */
static const struct file_ops random_fops = {
	.read = random_read,
	.write = null_write,
	.llseek = null_llseek,
	.poll = always_ready,
	.ioctl = random_ioctl,
};
static const struct file_ops tty_fops = { .open = stdio_open_tty };
static const struct file_ops console_fops = { .open = stdio_open_console };

/* ---- the tree ---- */

struct device {
	const char *name;
	u32 mode;
	u32 major, minor;
	const struct file_ops *fops;
};
static const struct device devices[] = {
	{ "null", 0666, MEM_MAJOR, DEV_NULL_MINOR, &null_fops },
	{ "zero", 0666, MEM_MAJOR, DEV_ZERO_MINOR, &zero_fops },
	{ "full", 0666, MEM_MAJOR, DEV_FULL_MINOR, &full_fops },
	{ "random", 0666, MEM_MAJOR, DEV_RANDOM_MINOR, &random_fops },
	{ "urandom", 0666, MEM_MAJOR, DEV_URANDOM_MINOR, &random_fops },
	{ "tty", 0666, TTYAUX_MAJOR, DEV_TTY_MINOR, &tty_fops },
	{ "console", 0620, TTYAUX_MAJOR, DEV_CONSOLE_MINOR, &console_fops },
};
static const struct {
	const char *name, *target;
} links[] = {
	{ "fd", "/proc/self/fd" },
	{ "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" },
};
static const struct {
	const char *name;
	u32 mode;
} dirs[] = {
	{ "shm", S_ISVTX | 0777 },
	{ "pts", 0755 },
	{ "mqueue", S_ISVTX | 0777 },
};

const struct file_ops *chrdev_lookup(u64 rdev)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		if (kdev_make(devices[i].major, devices[i].minor) == rdev)
			return devices[i].fops;
	return NULL;
}

enum entry_kind { ENTRY_DIR, ENTRY_DEVICE, ENTRY_LINK };

static int devfs_add(struct super *sb, enum entry_kind kind, const char *name, u32 mode, u64 rdev,
		     const char *target)
{
	struct inode *root = sb->root->inode, *i = NULL;
	struct dentry *d = dentry_new(sb->root, name, strlen(name));
	int r;

	if (!d)
		return -ENOMEM;
	switch (kind) {
	case ENTRY_DIR:
		r = root->ops->mkdir(root, d, S_IFDIR | mode, &i);
		break;
	case ENTRY_DEVICE:
		r = root->ops->create(root, d, S_IFCHR | mode, rdev, &i);
		break;
	default:
		r = root->ops->symlink(root, d, target, &i);
		break;
	}
	if (r == 0)
		dentry_attach(d, i);
	dentry_unref(d);
	return r;
}

static int devfs_fill(struct super *sb)
{
	int r = 0;

	for (size_t n = 0; r == 0 && n < ARRAY_SIZE(devices); n++)
		r = devfs_add(sb, ENTRY_DEVICE, devices[n].name, devices[n].mode,
			      kdev_make(devices[n].major, devices[n].minor), NULL);
	for (size_t n = 0; r == 0 && n < ARRAY_SIZE(dirs); n++)
		r = devfs_add(sb, ENTRY_DIR, dirs[n].name, dirs[n].mode, 0, NULL);
	for (size_t n = 0; r == 0 && n < ARRAY_SIZE(links); n++)
		r = devfs_add(sb, ENTRY_LINK, links[n].name, 0777, 0, links[n].target);
	return r;
}

int devfs_super_new(struct super **ret)
{
	struct super *sb;
	/* Half of memory, as tmpfs(5) has it: /dev/shm may be no mount of its own. */
	int r = memfs_super_new(0, boot_info()->memory_limit / 2, "devtmpfs", &sb);

	if (r < 0)
		return r;
	sb->root->inode->mode = S_IFDIR | 0755;
	r = devfs_fill(sb);
	if (r < 0) {
		klog(0, "cannot make /dev: error %d", -r);
		return r;
	}
	*ret = sb;
	return 0;
}
