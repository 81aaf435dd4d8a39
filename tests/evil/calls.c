/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks through hostcalls: their numbers, arguments, buffers and order. */
#include "evil.h"

#include "abi/linux/errno.h"

#define HANDLES_KEPT 64u
#define ROOTS        8u

/*
 * What the arguments are: h handle, p path (the next is its length), b buffer, l length, o offset, f flags, v anything, a offset in the
 * arena, L whole pages, c CPU. Calls that end or stop the sandbox are not here.
 */
static const struct {
	u8 nr;
	char arg[HOSTCALL_ARGS + 1];
} signatures[] = {
	{ HC_LOG, "vbl" },          { HC_KICK, "c" },
	{ HC_CLOCK, "v" },          { HC_RANDOM, "bl" },
	{ HC_DISCARD, "aL" },       { HC_POPULATE, "aL" },
	{ HC_GUARD, "aL" },         { HC_YIELD, "" },
	{ HC_STAT, "hplb" },        { HC_OPEN, "hplffb" },
	{ HC_OPEN, "hplffb" },      { HC_READLINK, "hplbl" },
	{ HC_MKDIR, "hplf" },       { HC_UNLINK, "hplf" },
	{ HC_RENAME, "hplhplf" },   { HC_LINK, "hplhpl" },
	{ HC_SYMLINK, "hplpl" },    { HC_SETATTR, "hplb" },
	{ HC_STATFS, "hb" },        { HC_MKNOD, "hplf" },
	{ HC_CLOSE, "h" },          { HC_FSTAT, "hb" },
	{ HC_PREAD, "hblo" },       { HC_PWRITE, "hblo" },
	{ HC_TRUNCATE, "ho" },      { HC_FSYNC, "hv" },
	{ HC_FALLOCATE, "hfol" },   { HC_GETDENTS, "hbl" },
	{ HC_REWIND, "h" },         { HC_READ, "hbl" },
	{ HC_WRITE, "hbl" },        { HC_SEEK, "hof" },
	{ HC_POLL, "hf" },          { HC_WATCH, "hff" },
	{ HC_IOCTL, "hfbl" },       { HC_FSETATTR, "hb" },
	{ HC_PLAT_AS_NEW, "" },     { HC_PLAT_AS_MAP, "vvaLf" },
	{ HC_PLAT_SWITCH, "vvbb" }, { HC_PLAT_CTX_NEW, "" },
};

static const char *const paths[] = {
	"",
	".",
	"..",
	"../x",
	"file",
	"dir",
	"dir/file",
	"dir/../../sentinel",
	"/etc/passwd",
	"link-out",
	"link-out/passwd",
	"link-in",
	"new",
	"new/new",
	"dir/new",
	"./././file",
	"file/",
	"dir//file",
	"...",
	"..dir/x",
	"fifo",
	"\x1b]0;title\x07",
	"\xff\xfe\x80",
};

/* Handles of before boot, and such that opens returned. */
static u64 handles[ROOTS + HANDLES_KEPT];
static u32 handles_known;

static void learn_handles(void)
{
	const struct boot_config *b = evil_config();

	handles_known = 0;
	for (u32 i = 0; i < b->nmounts && handles_known < ROOTS - 3; i++)
		if (b->mounts[i].handle)
			handles[handles_known++] = b->mounts[i].handle;
	for (u32 i = 0; i < 3; i++)
		if (b->stream[i].handle)
			handles[handles_known++] = b->stream[i].handle;
}

static void keep_handle(struct evil_cpu *cpu, s64 h)
{
	if (h > 0)
		handles[ROOTS + evil_below(cpu, HANDLES_KEPT)] = (u64)h;
}

/* Numbers that make sums wrap, signs change and limits be just met or missed. */
static u64 odd_number(struct evil_cpu *cpu)
{
	static const u64 odd[] = {
		0,
		1,
		7,
		4095,
		4096,
		4097,
		0xffff,
		0x100000,
		0x100001,
		0x7fffffff,
		0x80000000,
		0xffffffff,
		0x100000000,
		0x7fffffffffffffff,
		0x8000000000000000,
		0xfffffffffffff000,
		0xffffffffffffffff,
		RF_ARENA_BASE,
		RF_ARENA_BASE - 1,
		RF_ARENA_GPA,
		0xffff800000000000,
		0x7ffffffff000,
	};

	return evil_below(cpu, 3) ? odd[evil_below(cpu, ARRAY_SIZE(odd))]
				  : evil_random(cpu) >> evil_below(cpu, 64);
}

static u64 hostile_address(struct evil_cpu *cpu)
{
	const struct boot_info *info = evil_info();
	const u64 at[] = {
		0,
		RF_ARENA_BASE, /* the boot area */
		RF_ARENA_BASE + KERNEL_IMAGE_OFF - 8,
		RF_ARENA_BASE + KERNEL_IMAGE_OFF,    /* text */
		RF_ARENA_BASE + evil_arena_size - 8, /* the end */
		RF_ARENA_BASE + evil_arena_size,
		RF_ARENA_BASE + evil_arena_size + PAGE_SIZE,
		RF_ARENA_BASE + RF_ARENA_MAX - 8,
		0x400000, /* where a monitor's text may be */
		0x555555554000,
		0x7ffff7dd0000,
		0x7ffffffde000,
		0xffffffffff600000, /* vsyscall page */
		info->host_trap,
		~0ull - 8,
	};

	return evil_below(cpu, 4) ? at[evil_below(cpu, ARRAY_SIZE(at))] + evil_below(cpu, 16)
				  : odd_number(cpu);
}

static u64 buffer_address(struct evil_cpu *cpu)
{
	return (u64)evil_buffer(cpu->number) + evil_below(cpu, 512) * 8;
}

static void fill_buffer(struct evil_cpu *cpu)
{
	u64 *words = (u64 *)(void *)evil_buffer(cpu->number);

	for (u32 i = 0; i < 32; i++)
		words[evil_below(cpu, 600)] = odd_number(cpu);
}

/* A path in the CPU's buffer; its length in *ret_len. */
static u64 path_address(struct evil_cpu *cpu, u64 *ret_len)
{
	u8 *to = (u8 *)buffer_address(cpu);
	const char *path = paths[evil_below(cpu, ARRAY_SIZE(paths))];
	u64 n = 0;

	if (!evil_below(cpu, 16)) { /* long, of many components */
		n = 3000 + evil_below(cpu, 1200);
		for (u64 i = 0; i < n; i++)
			to[i] = i % 2 ? '/' : 'a';
	}
	for (; !n && path[n];)
		for (; path[n]; n++)
			to[n] = (u8)path[n];
	*ret_len = n;
	return (u64)to;
}

static u64 argument(struct evil_cpu *cpu, char kind)
{
	const struct boot_info *info = evil_info();

	if (!evil_below(cpu, 6))
		return evil_below(cpu, 2) ? odd_number(cpu) : hostile_address(cpu);
	switch (kind) {
	case 'h':
		return evil_below(cpu, 2) ? handles[evil_below(cpu, handles_known + 1)]
					  : handles[ROOTS + evil_below(cpu, HANDLES_KEPT)];
	case 'b':
		return buffer_address(cpu);
	case 'l':
		return evil_below(cpu, 9000);
	case 'o':
		return evil_below(cpu, 1 << 20);
	case 'f':
		return evil_below(cpu, 4) ? evil_below(cpu, 1024) : 1ull << evil_below(cpu, 32);
	case 'a':
		return ALIGN_DOWN(evil_free_start +
					  evil_below(cpu, evil_arena_size - evil_free_start),
				  PAGE_SIZE);
	case 'L':
		return (1 + evil_below(cpu, 64)) * PAGE_SIZE;
	case 'c':
		return evil_below(cpu, info->cpus + 1);
	default:
		return evil_below(cpu, 16);
	}
}

s64 evil_random_call(struct evil_cpu *cpu)
{
	u32 which = (u32)evil_below(cpu, ARRAY_SIZE(signatures));
	const char *kind = signatures[which].arg;
	u64 arg[HOSTCALL_ARGS] = { 0 }, path_len = 0;
	s64 ret;

	fill_buffer(cpu);
	for (u32 i = 0; i < HOSTCALL_ARGS && kind[i]; i++) {
		if (kind[i] == 'p' && evil_below(cpu, 8)) {
			arg[i] = path_address(cpu, &path_len);
			arg[++i] = path_len;
		} else {
			arg[i] = argument(cpu, kind[i]);
		}
	}
	ret = evil_call_all(cpu, signatures[which].nr, arg);
	if (signatures[which].nr == HC_OPEN)
		keep_handle(cpu, ret);
	return ret;
}

static void random_calls(struct evil_cpu *cpu)
{
	if (!cpu->number)
		learn_handles();
	for (u64 i = 0; i < evil_count && !evil_done; i++)
		evil_random_call(cpu);
}

/* Numbers and arguments without any sense. What would end the sandbox is left out. */
static void raw_calls(struct evil_cpu *cpu)
{
	u64 arg[HOSTCALL_ARGS], nr;

	for (u64 i = 0; i < evil_count && !evil_done; i++) {
		nr = evil_below(cpu, 3) ? evil_below(cpu, HC_NR + 16) : odd_number(cpu);
		if (nr == HC_EXIT || nr == HC_PANIC || nr == HC_CPU_EXIT || nr == HC_STOP ||
		    nr == HC_IDLE)
			continue;
		for (u32 k = 0; k < HOSTCALL_ARGS; k++)
			arg[k] = evil_below(cpu, 2) ? odd_number(cpu) : hostile_address(cpu);
		evil_call_all(cpu, nr, arg);
	}
}

/* ---- the mailbox and the buffers change while the call is served ---- */

static void flip_mailboxes(struct evil_cpu *cpu)
{
	while (!evil_done) {
		volatile struct mailbox *m = &evil_info()->cpu[0].mbox;
		volatile u64 *words = (volatile u64 *)(void *)evil_buffer(0);

		m->arg[evil_below(cpu, HOSTCALL_ARGS)] =
			evil_below(cpu, 2) ? hostile_address(cpu) : buffer_address(cpu);
		words[evil_below(cpu, 1024)] =
			evil_below(cpu, 2) ? 0x2f2e2e2f2e2e2f2eull : odd_number(cpu);
		m->ret = (s64)odd_number(cpu);
	}
}

/* ---- buffers where none may be ---- */

static const u8 buffer_calls[][2] = {
	{ HC_RANDOM, 0 }, { HC_STATFS, 1 },   { HC_FSTAT, 1 }, { HC_PREAD, 1 },
	{ HC_READ, 1 },   { HC_GETDENTS, 1 }, { HC_STAT, 3 },  { HC_IOCTL, 2 },
};

/* Each call that writes to a buffer, with one that starts or ends where it must not: never a success. */
static void foreign_buffers(struct evil_cpu *cpu)
{
	const struct boot_info *info = evil_info();
	u64 end = RF_ARENA_BASE + evil_arena_size;
	const u64 at[] = { 0,
			   8,
			   0x400000,
			   0x555555554000,
			   0x7ffff7dd0000,
			   0x7fffffffe000,
			   RF_ARENA_BASE,
			   RF_ARENA_BASE + BOOT_CONFIG_OFF,
			   RF_ARENA_BASE + KERNEL_IMAGE_OFF,
			   RF_ARENA_BASE + KERNEL_IMAGE_OFF - 8,
			   end,
			   end - 8,
			   end + PAGE_SIZE,
			   RF_ARENA_BASE - 8,
			   ~0ull - 7,
			   ~0ull - 4095,
			   0xffff888000000000,
			   info->host_trap & ~7ull };

	learn_handles();
	for (u32 i = 0; i < ARRAY_SIZE(buffer_calls); i++)
		for (u32 k = 0; k < ARRAY_SIZE(at); k++)
			for (u32 h = 0; h <= handles_known; h++) {
				u64 arg[HOSTCALL_ARGS] = { handles[h], 0, 64, 64 };
				s64 r;

				if (buffer_calls[i][0] == HC_RANDOM)
					arg[1] = 64;
				if (buffer_calls[i][0] == HC_STAT)
					arg[1] = arg[2] = 0;
				if (buffer_calls[i][0] == HC_IOCTL)
					arg[1] = 0x5401; /* TCGETS */
				if (buffer_calls[i][0] == HC_PREAD)
					arg[3] = 0;
				arg[buffer_calls[i][1]] = at[k];
				r = evil_call_all(cpu, buffer_calls[i][0], arg);
				if (r >= 0)
					evil_fail(cpu, "a foreign buffer was taken:",
						  at[k] | (u64)buffer_calls[i][0] << 56);
			}
}

/* The monitor's own handles stay below their roots. */
static void escaping_paths(struct evil_cpu *cpu)
{
	static const char *const bad[] = { "..",          "../sentinel",
					   "/etc/passwd", "dir/../../sentinel",
					   "link-out",    "link-out/passwd",
					   "dir/../..",   "./..",
					   "//etc/passwd" };

	learn_handles();
	for (u32 h = 0; h < handles_known; h++)
		for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
			u64 len = 0;
			s64 r;

			while (bad[i][len])
				len++;
			r = evil_call_all(cpu, HC_OPEN,
					  (const u64[HOSTCALL_ARGS]){ handles[h], (u64)bad[i], len,
								      HC_O_READ });
			if (r >= 0)
				evil_fail(cpu, "a path led outside:", h << 8 | i);
		}
}

/* ---- things used up ---- */

static s64 open_file(struct evil_cpu *cpu, u32 root)
{
	static const char file[] = "file";

	return evil_call(cpu, HC_OPEN, handles[root], (u64)file, 4, HC_O_READ);
}

/* Handles to their end and back, several times; one that was closed names nothing. */
static void handle_exhaustion(struct evil_cpu *cpu)
{
	static s64 open[HC_HANDLES_MAX + 8];
	u32 n, root = 0;

	learn_handles();
	while (root < handles_known && open_file(cpu, root) < 0)
		root++;
	if (root == handles_known)
		evil_fail(cpu, "no root has the file", 0);
	for (u64 round = 0; round < evil_count; round++) {
		for (n = 0; n < ARRAY_SIZE(open); n++) {
			open[n] = open_file(cpu, root);
			if (open[n] < 0)
				break;
		}
		if (n == ARRAY_SIZE(open))
			evil_fail(cpu, "handles without end", n);
		for (u32 i = 0; i < n; i++)
			if (evil_call(cpu, HC_CLOSE, (u64)open[i], 0, 0, 0))
				evil_fail(cpu, "a handle was lost", i);
		for (u32 i = 0; i < n; i += 64)
			if (evil_call(cpu, HC_FSTAT, (u64)open[i], (u64)evil_buffer(0), 0, 0) !=
			    -EBADF)
				evil_fail(cpu, "a closed handle lives", i);
	}
}

/* Frames given back and asked for in overlapping ranges, while another CPU has files read into them. */
static void discard_ranges(struct evil_cpu *cpu)
{
	learn_handles();
	for (u64 i = 0; i < evil_count && !evil_done; i++) {
		u64 from = argument(cpu, 'a'), len = argument(cpu, 'L');

		if (cpu->number)
			evil_call(cpu, HC_PREAD, handles[evil_below(cpu, handles_known)],
				  RF_ARENA_BASE + from, evil_below(cpu, 1 << 20), 0);
		else
			evil_call(cpu, evil_below(cpu, 2) ? HC_DISCARD : HC_POPULATE, from, len, 0,
				  0);
	}
	if (cpu->number)
		return;
	for (u64 i = 0; i < 3; i++) /* nothing before the frames, nothing that wraps */
		if (!evil_call(cpu, HC_DISCARD, i * 0x200000, PAGE_SIZE, 0, 0) ||
		    !evil_call(cpu, HC_DISCARD, evil_arena_size - PAGE_SIZE, 2 * PAGE_SIZE, 0, 0) ||
		    !evil_call(cpu, HC_DISCARD, PAGE_SIZE, ~0ull << 12, 0, 0))
			evil_fail(cpu, "a range that is not ours was discarded", i);
}

/* Every slot of the watch table, on every handle, with every event; then gone again. */
static void watches(struct evil_cpu *cpu)
{
	learn_handles();
	for (u32 i = 0; i < WATCH_SLOTS + 8; i++)
		for (u32 h = 0; h <= handles_known; h++)
			evil_call(cpu, HC_WATCH, handles[h], evil_below(cpu, 1 << 17), i, 0);
}

/* ---- texts ---- */

static const char hostile_text[] = "\x1b[2J\x1b]0;owned\x07\x9b"
				   "31m\xc2\x9b"
				   "31m\x08\x7f\r\n"
				   "ringfence: forged line\n%s%n%x \xe2\x80\xae"
				   "gnirts";

static void hostile_log(struct evil_cpu *cpu)
{
	for (u64 channel = 0; channel < 2; channel++)
		evil_call(cpu, HC_LOG, channel, (u64)hostile_text, sizeof(hostile_text) - 1, 0);
	evil_call(cpu, HC_LOG, 0, (u64)evil_buffer(0), ~0ull, 0);
	evil_call(cpu, HC_LOG, 0, (u64)evil_buffer(0), BUFFER_BYTES, 0);
}

/* Registers that lead nowhere, or where nothing may be read. The parameter chooses. */
static void hostile_panic(struct evil_cpu *cpu)
{
	const u64 at[] = {
		0,
		~0ull,
		0x8000000000000000,
		RF_ARENA_BASE + evil_arena_size - 8,
		RF_ARENA_BASE + evil_stacks_start,
		RF_ARENA_BASE + evil_free_start + 4,
		RF_ARENA_BASE - 8,
		(u64)hostile_text,
		RF_ARENA_BASE,
		0x7ffff7dd0000,
	};
	struct rf_regs *r = (struct rf_regs *)(void *)evil_buffer(1);
	u64 *words = (u64 *)(void *)r;

	for (u32 i = 0; i < sizeof(*r) / 8; i++)
		words[i] = odd_number(cpu);
	r->rip = at[evil_parameter % ARRAY_SIZE(at)];
	r->rsp = at[evil_parameter / ARRAY_SIZE(at) % ARRAY_SIZE(at)];
	if (evil_parameter & 1)
		evil_call(cpu, HC_PANIC, (u64)hostile_text, sizeof(hostile_text) - 1, (u64)r, 0);
	else
		evil_call(cpu, HC_PANIC, (u64)evil_buffer(0), ~0ull,
			  at[evil_parameter % ARRAY_SIZE(at)], 0);
	evil_exit(cpu, 98);
}

/* ---- ends ---- */

static void exit_status(struct evil_cpu *cpu)
{
	evil_exit(cpu, evil_parameter);
}

static void calls_until_end(struct evil_cpu *cpu)
{
	for (;;)
		evil_random_call(cpu);
}

/* One CPU ends the sandbox while others are calling. */
static void exit_in_a_storm(struct evil_cpu *cpu)
{
	for (u32 i = 0; i < 200; i++)
		evil_call(cpu, HC_KICK, 1, 0, 0, 0);
	evil_exit(cpu, 7);
}

static void nothing(struct evil_cpu *cpu)
{
	(void)cpu;
}

static void all_cpus_exit(struct evil_cpu *cpu)
{
	for (;;)
		evil_call(cpu, HC_CPU_EXIT, 0, 0, 0, 0);
}

static void stop(struct evil_cpu *cpu)
{
	for (u64 i = 0; i < evil_count; i++)
		evil_call(cpu, HC_STOP, 0, 0, 0, 0);
	evil_exit(cpu, 5);
}

/* The same call for ever: 0 idle until a time long past, 1 idle without end, 2 kick each other, 3 yield, 4 log, 5 open, 6 stop. */
static void endless(struct evil_cpu *cpu)
{
	learn_handles();
	for (;;)
		switch (evil_parameter) {
		case 0:
			evil_call(cpu, HC_IDLE, 1, 0, 0, 0);
			break;
		case 1:
			evil_call(cpu, HC_IDLE, 0, 0, 0, 0);
			break;
		case 2:
			evil_call(cpu, HC_KICK, evil_below(cpu, evil_info()->cpus), 0, 0, 0);
			break;
		case 3:
			evil_call(cpu, HC_YIELD, 0, 0, 0, 0);
			break;
		case 4:
			evil_call(cpu, HC_LOG, 0, (u64)hostile_text, sizeof(hostile_text) - 1, 0);
			break;
		case 5:
			open_file(cpu, 0);
			break;
		default:
			evil_call(cpu, HC_STOP, 0, 0, 0, 0);
		}
}

static void storm(struct evil_cpu *cpu)
{
	while (!evil_done)
		evil_random_call(cpu);
	for (;;) /* after the end, too */
		evil_random_call(cpu);
}

const struct evil_case evil_calls[] = {
	{ "exit", exit_status, NULL },
	{ "random", random_calls, random_calls },
	{ "raw", raw_calls, raw_calls },
	{ "race", random_calls, flip_mailboxes },
	{ "foreign-buffers", foreign_buffers, NULL },
	{ "escaping-paths", escaping_paths, NULL },
	{ "handles", handle_exhaustion, NULL },
	{ "discard", discard_ranges, discard_ranges },
	{ "watches", watches, NULL },
	{ "log", hostile_log, NULL },
	{ "panic", hostile_panic, NULL },
	{ "forever", calls_until_end, storm },
	{ "exit-in-a-storm", exit_in_a_storm, storm },
	{ "all-cpus-exit", all_cpus_exit, nothing },
	{ "stop", stop, NULL },
	{ "endless", endless, endless },
	{ NULL, NULL, NULL },
};
