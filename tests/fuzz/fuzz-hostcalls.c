/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hostcall server, asked by a kernel that has been taken over: sequences of calls through the mailbox of a monitor with a real
 * arena, while another thread changes mailbox, paths, structures and boot_info under them. The races are in arena memory only, on
 * purpose.
 *
 * Roots are two directories, one of them read-only; a third beside them holds what must never be touched. After every input:
 * nothing outside is read or changed (access and change times, and a secret that may not appear in the arena), no handle refers to
 * it, every descriptor is closed, and the boot area and the kernel's text are as they were. Memory outside of the arena is ASan's.
 *
 * Input: per call one byte for its number, then its arguments as call_args() reads them.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monitor/hostcalls.h"
#include "unit/test-hostcall-image.h"

#define CALLS_MAX   48u
#define SLOT_SIZE   8192u /* of arena memory, per argument */
#define WINDOW      (64u * SLOT_SIZE)
#define RESULTS     8u
#define SECRET_SIZE 32u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *at, *end;
};

/* Arguments of a call, a letter each: h handle, p path (takes two: address and length), b buffer, l length, f flags, o offset. */
static const char *const signatures[HC_NR] = {
	[HC_PANIC] = "blb",        [HC_LOG] = "fbl",        [HC_IDLE] = "t",
	[HC_KICK] = "f",           [HC_CLOCK] = "f",        [HC_RANDOM] = "bl",
	[HC_DISCARD] = "al",       [HC_POPULATE] = "al",    [HC_STAT] = "hpb",
	[HC_OPEN] = "hpffb",       [HC_READLINK] = "hpbl",  [HC_MKDIR] = "hpf",
	[HC_UNLINK] = "hpf",       [HC_RENAME] = "hphpf",   [HC_LINK] = "hphp",
	[HC_SYMLINK] = "hpp",      [HC_SETATTR] = "hpb",    [HC_STATFS] = "hb",
	[HC_MKNOD] = "hpf",        [HC_CLOSE] = "h",        [HC_FSTAT] = "hb",
	[HC_PREAD] = "hblo",       [HC_PWRITE] = "hblo",    [HC_TRUNCATE] = "ho",
	[HC_FSYNC] = "hf",         [HC_FALLOCATE] = "hfol", [HC_GETDENTS] = "hbl",
	[HC_REWIND] = "h",         [HC_READ] = "hbl",       [HC_WRITE] = "hbl",
	[HC_SEEK] = "hof",         [HC_POLL] = "hf",        [HC_WATCH] = "hff",
	[HC_IOCTL] = "hibl",       [HC_FSETATTR] = "hb",    [HC_PLAT_AS_MAP] = "ffalf",
	[HC_PLAT_SWITCH] = "ffbb",
};

static const char *const names[] = {
	"",    ".",    "f",    "d",           "d/g",   "..",      "../outside", "../outside/secret",
	"esc", "escd", "fifo", "escd/secret", "d/..",  "d/../..", "new",        "d/new",
	"ro",  "hard", "loop", "abs",         "d/e/h", "/",       "d//g",       "d/./g",
	"a",   "b",    "suid", "sock",        "d/",    "d/e",     "../ro/f",    "./f",
};

static const u32 requests[] = {
	0x5401, 0x5402, 0x5413, 0x541b, 0x5411, 0x540b, 0x5412, 0x802c542a
};

static struct monitor m;
static struct test_image elf;
static char base[64];
static u8 *window; /* WINDOW bytes of arena memory where buffers are */
static char secret[SECRET_SIZE + 1];
static struct stat outside_before[3];
static int base_fd, lowest_fd;
static u64 handles[8 + RESULTS];
static u32 results;
static atomic_uint racing; /* the second thread is to change things */

#define REQUIRE(condition)                                                                \
	do {                                                                              \
		if (!(condition)) {                                                       \
			fprintf(stderr, "%s:%d: %s does not hold (errno %d)\n", __FILE__, \
				__LINE__, #condition, errno);                             \
			abort();                                                          \
		}                                                                         \
	} while (0)

/* ---- the files ---- */

static void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = openat(base_fd, path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, mode);

	REQUIRE(fd >= 0);
	REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	fchmod(fd, mode);
	close(fd);
}

static void make_tree(const char *top)
{
	char path[128];
	static const struct {
		const char *name, *target;
	} links[] = { { "esc", "../outside/secret" },
		      { "escd", "../outside" },
		      { "loop", "loop" },
		      { "abs", "/etc/passwd" } };

#define AT(name) (snprintf(path, sizeof(path), "%s/%s", top, name), path)
	REQUIRE(mkdirat(base_fd, top, 0755) == 0);
	REQUIRE(mkdirat(base_fd, AT("d"), 0755) == 0);
	REQUIRE(mkdirat(base_fd, AT("d/e"), 0755) == 0);
	write_file(AT("f"), "hello", 0644);
	write_file(AT("d/g"), "inside", 0644);
	write_file(AT("d/e/h"), "deep", 0644);
	write_file(AT("suid"), "#!", 04755);
	REQUIRE(mkfifoat(base_fd, AT("fifo"), 0600) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		REQUIRE(symlinkat(links[i].target, base_fd, AT(links[i].name)) == 0);
#undef AT
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	return type == FTW_DP || type == FTW_DNR ? rmdir(path) : unlink(path);
}

static int open_up(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	return type == FTW_D || type == FTW_DNR ? chmod(path, 0700) : 0;
}

static void remove_tree(const char *path)
{
	nftw(path, open_up, 16, FTW_PHYS);
	nftw(path, remove_one, 16, FTW_PHYS | FTW_DEPTH);
}

static void remove_base(void)
{
	remove_tree(base);
}

static void stat_outside(struct stat st[3])
{
	static const char *const watched[3] = { "outside", "outside/secret", "ro/f" };

	for (int i = 0; i < 3; i++)
		REQUIRE(fstatat(base_fd, watched[i], &st[i], AT_SYMLINK_NOFOLLOW) == 0);
}

/* Older than their own change: the first access updates them, whatever the mount says (relatime). */
static void age_access_times(void)
{
	static const char *const watched[2] = { "outside", "outside/secret" };
	const struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_nsec = UTIME_OMIT } };

	for (int i = 0; i < 2; i++)
		REQUIRE(utimensat(base_fd, watched[i], old, 0) == 0);
}

static void make_files(void)
{
	/* In memory, where RLIMIT_FSIZE holds for fallocate(2) with FALLOC_FL_KEEP_SIZE too. */
	snprintf(base, sizeof(base), "%s/rf-fuzz-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	REQUIRE(mkdtemp(base));
	atexit(remove_base);
	base_fd = open(base, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	REQUIRE(base_fd >= 0 && mkdirat(base_fd, "outside", 0755) == 0);
	for (u32 i = 0; i < SECRET_SIZE; i++) {
		u8 byte = 0;

		REQUIRE(getrandom(&byte, 1, 0) == 1);
		secret[i] = (char)('A' + byte % 26);
	}
	write_file("outside/secret", secret, 0666);
	make_tree("ro");
	age_access_times();
	stat_outside(outside_before);
}

/* What stops this process. */
static bool call_left_out(u64 nr)
{
	return nr == HC_STOP;
}

/* ---- the other thread ---- */

static u64 noise(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* One change of what the server may be reading. */
__attribute__((no_sanitize("address", "undefined"))) static void disturb(u64 r)
{
	volatile u8 *slot = window + (r % (WINDOW / SLOT_SIZE)) * SLOT_SIZE;
	volatile struct mailbox *mbox = &m.info->cpu[r & 1].mbox;
	const char *name = names[(r >> 8) % ARRAY_SIZE(names)];

	switch (r >> 32 & 7) {
	case 0: /* another path */
	case 1:
		for (u32 i = 0; name[i]; i++)
			slot[i] = (u8)name[i];
		break;
	case 2: /* a bit of a structure */
		slot[r >> 16 & 127] ^= (u8)(r >> 40);
		break;
	case 3:
		mbox->arg[r >> 16 & 7] = r >> 48 & 1 ? r : mbox->arg[r >> 20 & 7];
		break;
	case 4: /* not to a call that would not come back */
		if (!call_left_out(r >> 16 & 127) && (r >> 16 & 127) != HC_IDLE)
			mbox->nr = r >> 16 & 127;
		break;
	case 5: /* the rest of what both share */
		m.info->time.shift = (u32)(r >> 8);
		m.info->time.mult = (u32)(r >> 16);
		m.info->time.seq = (u32)r;
		break;
	case 6:
		m.info->cpu[r & 1].kick = r >> 8 & 1;
		m.info->cpu[r & 1].in_user = r >> 9 & 1;
		m.info->cpu[r & 1].deadline_ns = r;
		break;
	default:
		m.info->free_start = r;
		m.info->watch_pending[r >> 8 & 15] = 0;
		break;
	}
}

static void *disturber_main(void *arg)
{
	u64 state = 1;

	(void)arg;
	for (;;) {
		if (atomic_load(&racing))
			for (int i = 0; i < 64; i++)
				disturb(noise(&state));
		else
			sched_yield();
	}
	return NULL;
}

/* ---- the monitor ---- */

static void make_monitor(void)
{
	struct monitor_options o = { .image = &elf,
				     .image_size = sizeof(elf),
				     .residency = RF_RESIDENCY_GUEST,
				     .cpus = 2,
				     .memory = 32 << 20,
				     .max_tasks = 16,
				     .log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC),
				     .strace_fd = -1 };
	struct rlimit files = { 4 << 20, 4 << 20 };
	struct rf_error err = { 0 };

	test_image_fill(&elf);
	REQUIRE(monitor_init(&m, &o, &err) == 0);
	REQUIRE(events_init(&m, &err) == 0);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	handle_table_done(&m.handles);
	window = m.arena.base + m.info->free_start;
	memset(m.arena.base + BOOT_CONFIG_OFF, 0x5a, KERNEL_IMAGE_OFF - BOOT_CONFIG_OFF);
	clock_publish(&m.clock, &m.info->time);
	/* After the arena was sized: no input fills the disk. */
	setrlimit(RLIMIT_FSIZE, &files);
	umask(0);
}

static void start(void)
{
	static bool done;
	pthread_t thread;

	if (done)
		return;
	done = true;
	make_files();
	make_monitor();
	REQUIRE(pthread_create(&thread, NULL, disturber_main, NULL) == 0);
}

static u64 add_handle(int fd, u32 kind, u32 flags, u32 stream)
{
	struct handle *h;
	u64 value = 0;

	REQUIRE(fd >= 0 && handle_install(&m.handles, fd, kind, flags, &value) == 0);
	h = handle_get(&m.handles, value, kind);
	REQUIRE(h);
	h->stream = stream;
	handle_put(&m.handles, h);
	return value;
}

static int open_base(const char *name, int flags)
{
	return openat(base_fd, name, flags | O_CLOEXEC);
}

/* The same beginning for every input. */
static void begin(int peers[2])
{
	int p[2], s[2];

	lowest_fd = dup(base_fd); /* a descriptor that is left would take this number */
	close(lowest_fd);
	REQUIRE(handle_table_init(&m.handles) == 0);
	make_tree("rw");
	REQUIRE(pipe2(p, O_CLOEXEC) == 0 &&
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) == 0);
	handles[0] = add_handle(open_base("rw", O_PATH), HANDLE_PATH, HANDLE_F_WRITABLE, 0);
	handles[1] = add_handle(open_base("ro", O_PATH), HANDLE_PATH, 0, 0);
	handles[2] = add_handle(open_base("rw/d", O_RDONLY), HANDLE_DIR, HANDLE_F_WRITABLE, 0);
	handles[3] = add_handle(open_base("rw/f", O_RDWR), HANDLE_STREAM, 0, BOOT_STREAM_FILE);
	handles[4] = add_handle(p[0], HANDLE_STREAM, 0, BOOT_STREAM_PIPE);
	handles[5] = add_handle(s[0], HANDLE_STREAM, 0, BOOT_STREAM_SOCKET);
	handles[6] = add_handle(open("/dev/null", O_RDWR | O_CLOEXEC), HANDLE_STREAM, 0,
				BOOT_STREAM_CHAR);
	handles[7] = add_handle(open_base("ro/f", O_RDONLY), HANDLE_FILE, 0, 0);
	peers[0] = p[1];
	peers[1] = s[1];
	results = 0;
	memset(m.rate, 0, sizeof(m.rate));
	atomic_store(&m.ended, 0);
	atomic_store(&m.panicked, 0);
	atomic_store(&m.log_bytes, 0);
}

/* ---- the oracles ---- */

/* A tree made anew between two inputs has new inodes, those outside never change. */
static void check_handle(const struct handle *h)
{
	struct stat st;

	REQUIRE(fstat(h->fd, &st) == 0);
	for (int i = 0; i < 2; i++)
		REQUIRE(st.st_ino != outside_before[i].st_ino ||
			st.st_dev != outside_before[i].st_dev);
	if (h->kind == HANDLE_FILE || h->kind == HANDLE_DIR)
		REQUIRE(h->kind == HANDLE_FILE ? S_ISREG(st.st_mode) : S_ISDIR(st.st_mode));
	/* What is below the read-only root can't be written through any handle. */
	if (h->kind == HANDLE_FILE && !(h->flags & HANDLE_F_WRITABLE))
		REQUIRE((fcntl(h->fd, F_GETFL) & O_ACCMODE) == O_RDONLY);
}

static void check_outside(void)
{
	struct stat now[3];

	stat_outside(now);
	for (int i = 0; i < 3; i++) {
		const struct stat *was = &outside_before[i];

		REQUIRE(now[i].st_ino == was->st_ino && now[i].st_mode == was->st_mode);
		REQUIRE(now[i].st_size == was->st_size && now[i].st_nlink == was->st_nlink);
		REQUIRE(now[i].st_uid == was->st_uid && now[i].st_gid == was->st_gid);
		REQUIRE(now[i].st_ctim.tv_sec == was->st_ctim.tv_sec &&
			now[i].st_ctim.tv_nsec == was->st_ctim.tv_nsec);
		REQUIRE(now[i].st_mtim.tv_sec == was->st_mtim.tv_sec);
		/* ro/f is there to be read. */
		REQUIRE(i == 2 || now[i].st_atim.tv_sec == was->st_atim.tv_sec);
	}
	REQUIRE(!memmem(window, WINDOW, secret, SECRET_SIZE));
}

static void check_arena(void)
{
	static const u8 filled[4096] = { [0 ... 4095] = 0x5a };

	for (u64 at = BOOT_CONFIG_OFF; at < KERNEL_IMAGE_OFF; at += sizeof(filled))
		REQUIRE(memcmp(m.arena.base + at, filled, sizeof(filled)) == 0);
	REQUIRE(memcmp(m.arena.base + KERNEL_IMAGE_OFF, &elf.header, sizeof(elf.header)) == 0);
}

static void finish(const int peers[2])
{
	char path[80];
	int fd;

	events_poll_once(&m);
	for (u32 i = 0; i < HC_HANDLES_MAX; i++)
		if (m.handles.slot[i].open)
			check_handle(&m.handles.slot[i]);
	for (u32 i = 0; i < HC_HANDLES_MAX; i++)
		if (m.handles.slot[i].open)
			REQUIRE(events_close(&m, m.handles.slot[i].generation << 12 | i) == 0);
	REQUIRE(m.handles.free_count == HC_HANDLES_MAX);
	handle_table_done(&m.handles);
	close(peers[0]);
	close(peers[1]);
	fd = dup(base_fd);
	REQUIRE(fd == lowest_fd);
	close(fd);
	check_outside();
	check_arena();
	snprintf(path, sizeof(path), "%s/rw", base);
	remove_tree(path);
}

/* ---- one call ---- */

static u8 next_byte(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

static u64 next_word(struct input *in, u32 bytes)
{
	u64 v = 0;

	for (u32 i = 0; i < bytes; i++)
		v |= (u64)next_byte(in) << 8 * i;
	return v;
}

/* A path of table names or raw bytes in the slot of argument @n; returns its length. */
static u64 make_path(struct input *in, u32 n, u64 *ret_addr)
{
	char *slot = (char *)window + n * SLOT_SIZE;
	u8 how = next_byte(in);
	const char *a = names[how % 32], *b = names[next_byte(in) % 32];

	*ret_addr = (u64)(uintptr_t)slot;
	if (how & 0x80) {
		u32 len = next_byte(in) % 32;

		for (u32 i = 0; i < len; i++)
			slot[i] = (char)next_byte(in);
		return len;
	}
	return (u64)snprintf(slot, SLOT_SIZE, how & 0x40 ? "%s/%s" : "%s", a, b);
}

static u64 make_address(struct input *in, u32 n)
{
	u8 how = next_byte(in);

	switch (how & 7) {
	case 5:
		return RF_ARENA_BASE + m.arena.size - (how >> 3);
	case 6:
		return RF_ARENA_BASE + KERNEL_IMAGE_OFF + ((u64)how >> 3) * 4 * 256;
	case 7:
		return next_word(in, 8);
	default: /* 8 bytes apart inside this argument's slot */
		return (u64)(uintptr_t)window + (how & 1 ? n : (u32)how >> 3) * SLOT_SIZE;
	}
}

static u64 make_value(struct input *in, char kind, u32 n)
{
	static const u64 odd[] = { 0, 1, 4096, 1 << 20, INT64_MAX, 1ull << 63, ~0ull, UINT32_MAX };
	u8 b = kind == 'b' ? 0 : next_byte(in);

	switch (kind) {
	case 'h':
		if (b >= 0xf0)
			return next_word(in, 4);
		return handles[b % (8 + MIN(results, RESULTS))];
	case 'b':
		return make_address(in, n);
	case 'l':
	case 'o':
		return b >= 0xf0 ? odd[b & 7] : b & 1 ? (u64)b << (b >> 5) : b;
	case 'a':
		return b >= 0xf0 ? odd[b & 7] : (u64)(window - m.arena.base) + (u64)(b & 31) * 4096;
	case 'i':
		return b & 0x80 ? next_word(in, 4) : requests[b % ARRAY_SIZE(requests)];
	case 't':
		return clock_now_ns(CLOCK_MONOTONIC) + b * 1000ull;
	default:
		return b == 0xff ? next_word(in, 8) : next_word(in, 2);
	}
}

static void call_args(struct input *in, u64 nr, u64 arg[HOSTCALL_ARGS])
{
	const char *s = nr < HC_NR && signatures[nr] ? signatures[nr] : "ff";
	u32 n = 0;

	for (; *s && n < HOSTCALL_ARGS; s++) {
		if (*s == 'p' && n + 1 < HOSTCALL_ARGS) {
			arg[n + 1] = make_path(in, n, &arg[n]);
			n += 2;
		} else {
			arg[n] = make_value(in, *s, n);
			n++;
		}
	}
}

static void one_call(struct input *in)
{
	u32 cpu = in->at < in->end ? *in->at >> 7 : 0;
	u64 nr = next_byte(in) & 0x7f;
	struct hostcall c = { .m = &m, .cpu = cpu };
	bool race = next_byte(in) & 1;
	s64 r;

	if (call_left_out(nr))
		return;
	call_args(in, nr, c.arg);
	if (race && nr != HC_IDLE) {
		/* Through the mailbox, which changes while it is read. */
		memcpy(m.info->cpu[cpu].mbox.arg, c.arg, sizeof(c.arg));
		m.info->cpu[cpu].mbox.nr = nr;
		atomic_store(&racing, 1);
		monitor_serve(&m, cpu);
		r = READ_ONCE(m.info->cpu[cpu].mbox.ret);
	} else {
		atomic_store(&racing, race);
		r = hostcall_run(&c, nr);
	}
	atomic_store(&racing, 0);
	if (nr == HC_OPEN && r > 0)
		handles[8 + results++ % RESULTS] = (u64)r;
	if (nr == HC_WATCH || nr == HC_CLOSE)
		events_poll_once(&m);
	m.clock.next_ns = 0;
	clock_refresh(&m.clock, &m.info->time, clock_now_ns(CLOCK_MONOTONIC));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	int peers[2];

	start();
	begin(peers);
	for (u32 i = 0; i < CALLS_MAX && in.at < in.end; i++)
		one_call(&in);
	finish(peers);
	return 0;
}
