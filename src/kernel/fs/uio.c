/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fs/internal.h"

#include "kernel/mm/uaccess.h"

__hot void uio_user(struct uio *u, uptr_t buf, size_t n)
{
	u->one = (struct linux_iovec){ .iov_base = buf, .iov_len = n };
	u->iov = &u->one;
	u->cnt = 1;
	u->off = 0;
	u->resid = n;
	u->kernel = false;
}

void uio_kernel(struct uio *u, void *buf, size_t n)
{
	uio_user(u, (uptr_t)buf, n);
	u->kernel = true;
}

/* The contiguous piece at the cursor, skipping finished and empty entries. */
static size_t uio_piece(struct uio *u, uptr_t *ret_addr)
{
	while (u->cnt && u->off >= u->iov->iov_len) {
		if (u->cnt == 1)
			return 0;
		u->iov++;
		u->cnt--;
		u->off = 0;
	}
	if (!u->cnt)
		return 0;
	*ret_addr = u->iov->iov_base + u->off;
	return MIN((size_t)u->iov->iov_len - u->off, u->resid);
}

__hot size_t uio_write(struct uio *u, const void *src, size_t n)
{
	size_t done = 0;

	while (done < n && u->resid) {
		uptr_t addr = 0;
		size_t want = MIN(uio_piece(u, &addr), n - done), got = want;

		if (!want)
			break;
		if (u->kernel)
			memcpy((void *)addr, (const u8 *)src + done, want);
		else
			got = copy_to_user_partial(addr, (const u8 *)src + done, want);
		u->off += got;
		u->resid -= got;
		done += got;
		if (got < want)
			break;
	}
	return done;
}

__hot size_t uio_read(struct uio *u, void *dst, size_t n)
{
	size_t done = 0;

	while (done < n && u->resid) {
		uptr_t addr = 0;
		size_t want = MIN(uio_piece(u, &addr), n - done), got = want;

		if (!want)
			break;
		if (u->kernel)
			memcpy((u8 *)dst + done, (const void *)addr, want);
		else
			got = copy_from_user_partial((u8 *)dst + done, addr, want);
		u->off += got;
		u->resid -= got;
		done += got;
		if (got < want)
			break;
	}
	return done;
}

size_t uio_zero(struct uio *u, size_t n)
{
	static const u8 zeros[1024];
	size_t done = 0;

	while (done < n) {
		size_t want = MIN(n - done, sizeof(zeros)), got = uio_write(u, zeros, want);

		done += got;
		if (got < want)
			break;
	}
	return done;
}

void uio_advance(struct uio *u, size_t n)
{
	while (n && u->resid) {
		uptr_t addr;
		size_t piece = MIN(uio_piece(u, &addr), n);

		if (!piece)
			break;
		u->off += piece;
		u->resid -= piece;
		n -= piece;
	}
}

/* The caller gives back what it took, so the entries before iov belong to the same vector. */
void uio_revert(struct uio *u, size_t n)
{
	u->resid += n;
	while (n > u->off) {
		n -= u->off;
		u->iov--;
		u->cnt++;
		u->off = u->iov->iov_len;
	}
	u->off -= n;
}

static int uio_check_vector(struct linux_iovec *v, u64 cnt, u64 *ret_total)
{
	u64 total = 0;

	for (u64 i = 0; i < cnt; i++) {
		if ((s64)v[i].iov_len < 0)
			return -EINVAL;
		if (!user_range_ok(v[i].iov_base, v[i].iov_len))
			return -EFAULT;
		/* read(2), NOTES: at most MAX_RW_COUNT bytes are transferred. */
		if (v[i].iov_len > MAX_RW_COUNT - total)
			v[i].iov_len = MAX_RW_COUNT - total;
		total += v[i].iov_len;
	}
	*ret_total = total;
	return 0;
}

int uio_import(struct uio *u, uptr_t iov, u64 cnt, struct linux_iovec fast[UIO_FAST],
	       struct linux_iovec **ret_alloc)
{
	struct linux_iovec *v = fast;
	u64 total = 0;
	int r;

	*ret_alloc = NULL;
	if (cnt > UIO_MAXIOV)
		return -EINVAL;
	if (cnt > UIO_FAST) {
		v = kmalloc(cnt * sizeof(*v));
		if (!v)
			return -ENOMEM;
	}
	r = cnt ? copy_from_user(v, iov, cnt * sizeof(*v)) : 0;
	if (r == 0)
		r = uio_check_vector(v, cnt, &total);
	if (r < 0) {
		if (v != fast)
			kfree(v);
		return r;
	}
	*u = (struct uio){ .iov = v, .cnt = (unsigned)cnt, .resid = total };
	*ret_alloc = v != fast ? v : NULL;
	return 0;
}
