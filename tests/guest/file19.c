/* SPDX-License-Identifier: Apache-2.0 */
/* sendfile, copy_file_range, fallocate, fsync and friends. */
#include <sys/sendfile.h>

#include "guest/guest.h"

int main(void)
{
	char text[16] = "";
	off_t offset = 2;
	loff_t from_at = 0, to_at = 5;
	int in, out, ends[2];

	scratch();
	write_file("in", "0123456789");
	in = OK(open("in", O_RDWR));
	out = OK(open("out", O_RDWR | O_CREAT, 0644));
	say("%ld\n", (long)sendfile(out, in, NULL, 4));
	say("%ld %ld\n", (long)sendfile(out, in, &offset, 100), (long)offset);
	say("%s\n", read_file("out"));
	OK(pipe(ends));
	say("%ld\n", (long)sendfile(ends[1], in, &(off_t){ 0 }, 10));
	OK(read(ends[0], text, 16));
	say("%s\n", text);
	say("%ld\n", (long)copy_file_range(in, &from_at, out, &to_at, 3, 0));
	say("%s\n", read_file("out"));
	OK(fallocate(out, 0, 0, 100));
	say("%ld\n", size_of_file("out"));
	OK(fallocate(out, FALLOC_FL_KEEP_SIZE, 0, 1000));
	say("%ld\n", size_of_file("out"));
	FAILS(fallocate(out, 0, -1, 5), EINVAL);
	FAILS(fallocate(out, 0, 0, 0), EINVAL);
	OK(fsync(out));
	OK(fdatasync(out));
	sync();
	CHECK_EQ(posix_fadvise(out, 0, 0, POSIX_FADV_SEQUENTIAL), 0);
	FAILS(fsync(99), EBADF);
	FAILS(fsync(ends[0]), EINVAL);
	return 0;
}
