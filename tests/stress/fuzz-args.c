/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments for syscall-fuzz: valid, nearly valid, and wrong. */
#include "stress/fuzz.h"

#include <linux/futex.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "guest/guest.h"

#define DATA       ((char *)0x10000000)
#define DATA_PAGES 64ul
#define CONST_PAGE \
	(DATA + (DATA_PAGES + 1) * PAGE) /* read-only; the page before and after: nothing */
#define NONE_PAGE  (CONST_PAGE + 2 * PAGE)
#define PLAY       ((char *)0x20000000)
#define PLAY_PAGES 512ul
#define FDS        56u

static const char *const paths[] = {
	"a",
	"b",
	"c",
	"dir",
	"dir/a",
	"dir/sub",
	"dir/sub/b",
	"link",
	"loop",
	"elf",
	"script",
	"fifo",
	"sock",
	".",
	"..",
	"/",
	"",
	"/tmp",
	"/tmp/fuzz",
	"/proc/self/exe",
	"/proc/self/fd",
	"/proc/self/fd/3",
	"/proc/self/fd/7",
	"/proc/self/mem",
	"/proc/self/maps",
	"/proc/self/cwd",
	"/proc/self/root",
	"/proc/self/task",
	"/proc/self/comm",
	"/proc/self/oom_score_adj",
	"/proc/self/status",
	"/proc/self/cmdline",
	"/proc/self/environ",
	"/proc/meminfo",
	"/proc/stat",
	"/proc/mounts",
	"/proc/1/status",
	"/proc/99999",
	"/proc/sys/kernel/pid_max",
	"/dev/null",
	"/dev/zero",
	"/dev/full",
	"/dev/urandom",
	"/dev/tty",
	"/dev/ptmx",
	"/dev/shm",
	"/dev/fd/4",
	"/dev/stdin",
	"/etc/passwd",
	"/etc",
	"/usr/bin",
	"/bin/true",
	"/usr/lib",
	"/no/such",
	"a/b",
	"dir/../a",
	"dir//sub/./b",
	"/proc/self/fdinfo/3",
	"/proc/self/ns",
	"/proc/self/auxv",
};

static const uint64_t sizes[] = { 0,
				  1,
				  2,
				  7,
				  8,
				  16,
				  24,
				  64,
				  128,
				  511,
				  512,
				  4095,
				  4096,
				  4097,
				  8192,
				  65535,
				  65536,
				  65537,
				  1 << 20,
				  (1 << 20) + 1,
				  1u << 31,
				  0x7fffffff,
				  0x7ffff000,
				  0xffffffff,
				  1ul << 32,
				  1ul << 47,
				  1ul << 62,
				  INT64_MAX,
				  1ul << 63,
				  UINT64_MAX,
				  UINT64_MAX - 4095 };
static const uint64_t words[] = { 0,          1,          2,          3,         4,
				  5,          7,          8,          0x10,      0x20,
				  0x40,       0x80,       0x100,      0x200,     0x400,
				  0x800,      0x1000,     0x2000,     0x4000,    0x8000,
				  0x10000,    0x80000,    0x80800,    0x100000,  0x7fffffff,
				  0x80000000, 0xffffffff, UINT64_MAX, 1ul << 32, 1ul << 63 };

uint64_t pointer_choose(struct choices *c)
{
	uint64_t at = (uint64_t)DATA + choose_below(c, DATA_PAGES * PAGE);

	switch (choose_below(c, 24)) {
	case 0:
		return 0;
	case 1:
		return choose(c);
	case 2:
		return (uint64_t)DATA + DATA_PAGES * PAGE - choose_below(c, 64);
	case 3:
		return (uint64_t)CONST_PAGE + choose_below(c, PAGE);
	case 4:
		return (uint64_t)CONST_PAGE - choose_below(c, 64);
	case 5:
		return (uint64_t)NONE_PAGE + choose_below(c, PAGE);
	case 6:
		return 0x7e0000000000 - 16 + choose_below(c, 32);
	case 7:
		return 0x7e0000000000 + choose_below(c, 1ul << 32);
	case 8:
		return UINT64_MAX - choose_below(c, 8192);
	case 9:
		return 0x7ffffffff000 - choose_below(c, 2) * PAGE;
	case 10:
		return (uint64_t)paths & ~7ul; /* the program's own data */
	case 11:
	case 12:
	case 13:
		return (uint64_t)PLAY + choose_below(c, PLAY_PAGES * PAGE);
	case 14:
		return (1ul << 47) - 8 + choose_below(c, 16);
	case 15:
		return at & ~(PAGE - 1);
	default:
		return at & ~7ul;
	}
}

static uint64_t fd_choose(struct choices *c)
{
	switch (choose_below(c, 40)) {
	case 0:
		return (uint64_t)AT_FDCWD;
	case 1:
		return UINT64_MAX;
	case 2:
		return choose(c);
	case 3:
		return 255 + choose_below(c, 3);
	default:
		return choose_below(c, FDS);
	}
}

static uint64_t pid_choose(struct choices *c)
{
	/* Never -1, and never the supervisor: those are for it to kill. */
	switch (choose_below(c, 8)) {
	case 0:
		return (uint64_t)getpid();
	case 1:
		return (uint64_t)gettid();
	case 2:
		return (uint64_t)-getpid();
	case 3:
		return 99999;
	case 4:
		return (uint64_t)INT64_MIN;
	case 5:
		return (uint64_t)(getpid() + (long)choose_below(c, 4));
	default:
		return 0;
	}
}

/* Each fill_* leaves something like a structure at @at, where a page is writable. */
static void fill_iovec(struct choices *c, char *at)
{
	struct iovec *v = (struct iovec *)at;

	for (int i = 0; i < 8; i++)
		v[i] = (struct iovec){ (void *)pointer_choose(c), choose_below(c, 4)
									  ? choose_below(c, 5000)
									  : CHOOSE_OF(c, sizes) };
}

static void fill_time(struct choices *c, char *at)
{
	int64_t *t = (int64_t *)at;

	for (int i = 0; i < 4; i++)
		t[i] = choose_below(c, 5) ? (i & 1 ? (int64_t)choose_below(c, 2000000) : 0)
					  : (int64_t)CHOOSE_OF(c, words);
}

static void fill_sockaddr(struct choices *c, char *at)
{
	struct sockaddr_un *sun = (struct sockaddr_un *)at;

	sun->sun_family = choose_below(c, 5) ? AF_UNIX : choose_below(c, 20);
	strcpy(sun->sun_path, choose_below(c, 2) ? "sock" : CHOOSE_OF(c, paths));
	if (choose_below(c, 3) == 0)
		sun->sun_path[0] = 0;
}

static void fill_message(struct choices *c, char *at)
{
	struct msghdr *m = (struct msghdr *)at;
	struct cmsghdr *cm = (struct cmsghdr *)(at + 256);
	int *fd = (int *)CMSG_DATA(cm);

	*m = (struct msghdr){ .msg_iov = (struct iovec *)(at + 64),
			      .msg_iovlen = choose_below(c, 8),
			      .msg_control = cm,
			      .msg_controllen = 16 + 4 * choose_below(c, 6) };
	if (choose_below(c, 8) == 0)
		m->msg_iovlen = CHOOSE_OF(c, sizes);
	if (choose_below(c, 8) == 0)
		m->msg_controllen = CHOOSE_OF(c, sizes);
	if (choose_below(c, 4) == 0) {
		m->msg_name = (void *)pointer_choose(c);
		m->msg_namelen = (socklen_t)CHOOSE_OF(c, sizes);
	}
	fill_iovec(c, at + 64);
	cm->cmsg_level = choose_below(c, 5) ? SOL_SOCKET : (int)choose(c);
	cm->cmsg_type = (int)choose_below(c, 4);
	cm->cmsg_len = choose_below(c, 5) ? m->msg_controllen : CHOOSE_OF(c, sizes);
	for (int i = 0; i < 8; i++)
		fd[i] = (int)fd_choose(c);
}

static void fill_words(struct choices *c, char *at)
{
	uint64_t *v = (uint64_t *)at;

	for (int i = 0; i < 24; i++)
		v[i] = choose_below(c, 4) ? CHOOSE_OF(c, words) : pointer_choose(c);
}

static void fill_events(struct choices *c, char *at)
{
	struct epoll_event *e = (struct epoll_event *)at;

	e->events = choose_below(c, 2) ? EPOLLIN | EPOLLOUT : (uint32_t)choose(c);
	if (choose_below(c, 2))
		e->events |= EPOLLET;
	e->data.u64 = choose(c);
}

static void fill_polls(struct choices *c, char *at)
{
	int *v = (int *)at;

	for (int i = 0; i < 32; i++) {
		v[2 * i] = (int)fd_choose(c);
		v[2 * i + 1] = (int)choose(c) & 0xffff;
	}
}

static void fill_ints(struct choices *c, char *at)
{
	int *v = (int *)at;

	for (int i = 0; i < 32; i++)
		v[i] = (int)fd_choose(c);
}

static void fill_clone(struct choices *c, char *at)
{
	uint64_t *v = (uint64_t *)at;

	fill_words(c, at);
	v[0] = argument_choose(c, 'c', 0);
	v[4] = choose_below(c, 3) ? SIGCHLD : choose_below(c, 70);
	v[8] = v[9] = v[10] = 0;
}

static void fill_noise(struct choices *c, char *at)
{
	uint64_t *v = (uint64_t *)at;

	for (int i = 0; i < 32; i++)
		v[i] = choose(c);
}

static void (*const fills[])(struct choices *c, char *at) = {
	fill_iovec, fill_iovec,  fill_time,  fill_time, fill_sockaddr, fill_message, fill_words,
	fill_words, fill_events, fill_polls, fill_ints, fill_clone,    fill_noise,
};

static char *slot_choose(struct choices *c)
{
	return DATA + choose_below(c, DATA_PAGES * PAGE / 512) * 512;
}

static uint64_t structure_choose(struct choices *c, void (*fill)(struct choices *c, char *at))
{
	char *at = slot_choose(c);

	if (choose_below(c, 6) == 0)
		return pointer_choose(c);
	fill(c, at);
	if (choose_below(c, 8) == 0)
		memmove(DATA + DATA_PAGES * PAGE - 40, at, 40), at = DATA + DATA_PAGES * PAGE - 40;
	return (uint64_t)at;
}

static uint64_t path_choose(struct choices *c)
{
	char *at = slot_choose(c);

	switch (choose_below(c, 20)) {
	case 0:
		return pointer_choose(c);
	case 1: /* runs into nothing */
		memset(DATA + DATA_PAGES * PAGE - 40, 'a', 40);
		return (uint64_t)(DATA + DATA_PAGES * PAGE - 40);
	case 2: /* too long */
		memset(DATA, 'x', 5000);
		return (uint64_t)DATA;
	default:
		return (uint64_t)strcpy(at, CHOOSE_OF(c, paths));
	}
}

static uint64_t vector_choose(struct choices *c)
{
	uint64_t *v = (uint64_t *)slot_choose(c);
	unsigned n = (unsigned)choose_below(c, 20);

	if (choose_below(c, 8) == 0)
		return pointer_choose(c);
	for (unsigned i = 0; i < n; i++)
		v[i] = choose_below(c, 6) ? path_choose(c) : pointer_choose(c);
	v[n] = 0;
	return (uint64_t)v;
}

static uint64_t clone_flags_choose(struct choices *c)
{
	static const uint64_t flags[] = {
		SIGCHLD,
		SIGCHLD | CLONE_VFORK,
		SIGCHLD | CLONE_VFORK | CLONE_VM,
		SIGCHLD | CLONE_FILES,
		SIGCHLD | CLONE_FS | CLONE_FILES,
		SIGCHLD | CLONE_PARENT,
		CLONE_VM | CLONE_SIGHAND | CLONE_THREAD,
		CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM,
		CLONE_VM | CLONE_SIGHAND,
		CLONE_VM | SIGCHLD | CLONE_SETTLS,
	};
	uint64_t f = CHOOSE_OF(c, flags);

	if (choose_below(c, 3) == 0)
		f |= 1ul << (8 + choose_below(c, 24));
	if (choose_below(c, 3) == 0)
		f |= CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
	return choose_below(c, 20) ? f : choose(c);
}

static uint64_t map_flags_choose(struct choices *c)
{
	uint64_t f = MAP_ANONYMOUS | (choose_below(c, 4) ? MAP_PRIVATE : MAP_SHARED);

	if (choose_below(c, 3) == 0)
		f &= ~(uint64_t)MAP_ANONYMOUS;
	if (choose_below(c, 3) == 0)
		f |= MAP_FIXED;
	if (choose_below(c, 8) == 0)
		f |= MAP_POPULATE;
	if (choose_below(c, 8) == 0)
		f |= 1ul << choose_below(c, 32);
	return f;
}

static uint64_t ioctl_choose(struct choices *c)
{
	static const uint64_t commands[] = { TCGETS,  TIOCGWINSZ, FIONREAD,  FIONBIO,    FIOASYNC,
					     FIOCLEX, TIOCGPGRP,  TIOCSPGRP, TIOCSCTTY,  TIOCNOTTY,
					     TCSETS,  TIOCSWINSZ, TIOCGPTN,  TIOCSPTLCK, TIOCGSID,
					     0x8912,  0x8933,     0x1268 };

	return choose_below(c, 6) ? CHOOSE_OF(c, commands) : choose(c);
}

static uint64_t futex_op_choose(struct choices *c)
{
	return choose_below(c, 14) | (choose_below(c, 2) ? FUTEX_PRIVATE_FLAG : 0) |
	       (choose_below(c, 8) ? 0 : FUTEX_CLOCK_REALTIME) |
	       (choose_below(c, 16) ? 0 : choose(c));
}

static uint64_t map_address_choose(struct choices *c)
{
	if (choose_below(c, 12) == 0)
		return pointer_choose(c) & ~(PAGE - 1);
	return (uint64_t)PLAY + choose_below(c, PLAY_PAGES) * PAGE;
}

static bool is_map_call(long nr)
{
	return nr == SYS_mmap || nr == SYS_munmap || nr == SYS_mprotect || nr == SYS_mremap ||
	       nr == SYS_madvise || nr == SYS_msync || nr == SYS_mincore || nr == SYS_mlock ||
	       nr == SYS_munlock || nr == SYS_pkey_mprotect;
}

static uint64_t size_choose(struct choices *c, long nr)
{
	if (is_map_call(nr) && choose_below(c, 10))
		return choose_below(c, 40) * PAGE;
	return choose_below(c, 3) ? choose_below(c, 300) : CHOOSE_OF(c, sizes);
}

static uint64_t any_choose(struct choices *c)
{
	switch (choose_below(c, 6)) {
	case 0:
		return choose(c);
	case 1:
		return pointer_choose(c);
	case 2:
		return fd_choose(c);
	case 3:
		return CHOOSE_OF(c, words) | CHOOSE_OF(c, words);
	default:
		return CHOOSE_OF(c, words);
	}
}

uint64_t argument_choose(struct choices *c, char format, long nr)
{
	if (format != 'n' && choose_below(c, 50) == 0)
		return any_choose(c);
	switch (format) {
	case 'd':
		return choose_below(c, 8) ? choose_below(c, 12) : CHOOSE_OF(c, words);
	case 'u':
		return choose_below(c, 4) ? choose_below(c, 64) : CHOOSE_OF(c, words);
	case 'o':
		return choose_below(c, 010000);
	case 'l':
		return choose_below(c, 4) ? choose_below(c, 100000) : CHOOSE_OF(c, sizes);
	case 'z':
		return size_choose(c, nr);
	case 'p':
	case 'g':
		if (is_map_call(nr))
			return map_address_choose(c);
		return choose_below(c, 3)   ? structure_choose(c, CHOOSE_OF(c, fills))
		       : choose_below(c, 2) ? 0
					    : pointer_choose(c);
	case 'b':
	case 'B':
	case 'r':
	case 'q':
		return choose_below(c, 8) ? pointer_choose(c) : structure_choose(c, fill_noise);
	case 's':
		return path_choose(c);
	case 'f':
		return fd_choose(c);
	case 'a':
		return choose_below(c, 3) ? (uint64_t)AT_FDCWD : fd_choose(c);
	case 'O':
		return choose_below(c, 3) | (choose(c) & choose(c) & 0x7fffc0);
	case 'm':
		return choose_below(c, 8) ? choose_below(c, 8) : CHOOSE_OF(c, words);
	case 'M':
		return map_flags_choose(c);
	case 'S':
		return choose_below(c, 66);
	case 'i':
		return choose_below(c, 14) - 2;
	case 't':
		return structure_choose(c, fill_time);
	case 'v':
		return vector_choose(c);
	case 'c':
		return clone_flags_choose(c);
	case 'e':
		return structure_choose(c, fill_events);
	case 'F':
		return choose_below(c, 4) ? choose_below(c, 18) : 1024 + choose_below(c, 16);
	case 'I':
		return ioctl_choose(c);
	case 'n':
		return pid_choose(c);
	case 'X':
		return futex_op_choose(c);
	case 'V':
		return structure_choose(c, fill_iovec);
	case 'P':
		return structure_choose(c, fill_polls);
	default:
		return any_choose(c);
	}
}

/* An executable like ours, with an accident in its headers. */
static void make_program(struct choices *c)
{
	static char text[65536];
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = open("elf", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	ssize_t n = from < 0 ? 0 : read(from, text, sizeof(text));

	for (uint64_t i = choose_below(c, 6); i > 0; i--) {
		size_t at = choose_below(c, 64 + 56 * 10) & ~7ul;
		uint64_t word = any_choose(c);

		memcpy(text + at, &word, 1u << choose_below(c, 4));
	}
	if (to >= 0 && n > 0 && write(to, text, (size_t)n) < 0)
		close(to);
	write_file("script", choose_below(c, 2) ? "#!./script\n" : "#! /bin/true  an argument \n");
	chmod("script", 0755);
	close(from);
	close(to);
}

static void make_files(struct choices *c)
{
	mkdir("/tmp/fuzz", 0777);
	if (chdir("/tmp/fuzz") < 0)
		return;
	mkdir("dir", 0777);
	mkdir("dir/sub", 0777);
	close(open("a", O_RDWR | O_CREAT, 0666));
	close(open("dir/a", O_RDWR | O_CREAT, 0666));
	if (symlink("dir/a", "link") == 0 && symlink("loop", "loop") == 0 &&
	    mkfifo("fifo", 0666) == 0)
		make_program(c);
}

static void open_descriptors(struct choices *c)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX, .sun_path = "sock" };
	struct epoll_event event = { .events = EPOLLIN };
	struct itimerspec soon = { { 0, 3000000 }, { 0, 1000000 } };
	sigset_t set = set_of(SIGUSR2);
	int pair[2], fd, epoll;

	if (pipe2(pair, choose_below(c, 2) ? O_NONBLOCK : 0) || pipe2(pair, O_NONBLOCK) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) ||
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair))
		return;
	unlink("sock");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0 && listen(fd, 4) == 0)
		connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&sun, sizeof(sun));
	epoll = epoll_create1(0);
	for (int i = 3; i < epoll; i += 2)
		epoll_ctl(epoll, EPOLL_CTL_ADD, i, &event);
	epoll_ctl(epoll_create1(0), EPOLL_CTL_ADD, epoll, &event);
	eventfd((unsigned)choose_below(c, 3), choose_below(c, 2) ? EFD_NONBLOCK : EFD_SEMAPHORE);
	fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	timerfd_settime(fd, 0, &soon, NULL);
	signalfd(-1, &set, SFD_NONBLOCK);
	fd = memfd_create("fuzz", MFD_ALLOW_SEALING);
	if (ftruncate(fd, 40000))
		return;
	open("a", O_RDWR | O_CREAT, 0666);
	open("a", O_RDWR | O_APPEND);
	open("dir", O_RDONLY | O_DIRECTORY);
	open(".", O_PATH);
	open("fifo", O_RDWR | O_NONBLOCK);
	while ((fd = open(CHOOSE_OF(c, paths), (int)choose_below(c, 3) | O_NONBLOCK)) <
	       (int)FDS - 8)
		if (fd < 0 && choose_below(c, 60) == 0)
			break;
}

static void map_at(char *at, size_t pages, int prot)
{
	if (mmap(at, pages * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != at)
		_exit(3);
}

void arguments_prepare(struct choices *c)
{
	map_at(DATA, DATA_PAGES, PROT_READ | PROT_WRITE);
	map_at(CONST_PAGE, 1, PROT_READ);
	map_at(NONE_PAGE, 1, PROT_NONE);
	map_at(PLAY, PLAY_PAGES, PROT_READ | PROT_WRITE);
	make_files(c);
	open_descriptors(c);
}
