/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --strace. Arguments are formatted by their letter in syscalls.def, inputs before the call (execve replaces the memory they lie in),
 * outputs after it. The line is printed when the call returns; a call that never does (exit) when it begins.
 */
#include "kernel/sys/strace.h"

#include "abi/linux/fcntl.h"
#include "abi/linux/mman.h"
#include "abi/linux/syscall_nr.h"
#include "abi/linux/time.h"
#include "base/bitmap.h"
#include "base/format.h"
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/core/host.h"
#include "kernel/core/internal.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/task.h"

#define LINE_MAX   512u
#define STRING_MAX 32u /* bytes shown of a string or buffer, as strace does */
#define ARGV_MAX   8u

#define NR_EXIT       60u
#define NR_EXIT_GROUP 231u

struct line {
	size_t len;
	unsigned done; /* arguments formatted so far */
	char text[LINE_MAX];
};

bool strace_on;
static DECLARE_BITMAP(wanted, SYSCALL_MAX);

/* ---- the set ---- */

static void strace_want(const char *name, size_t len)
{
	for (unsigned i = 0; i < SYSCALL_MAX; i++) {
		const char *n = syscall_table[i].name;

		if (n && strlen(n) == len && !strncmp(n, name, len))
			bitmap_set(wanted, i);
	}
}

void strace_init(void)
{
	const char *set = boot_string(boot_config()->strace_set);

	strace_on = boot_config()->flags & BOOT_F_STRACE;
	if (!strace_on)
		return;
	if (!set || !*set) {
		bitmap_set_range(wanted, 0, SYSCALL_MAX);
		return;
	}
	while (*set) {
		const char *end = strchrnul(set, ',');

		strace_want(set, (size_t)(end - set));
		set = *end ? end + 1 : end;
	}
}

/* ---- pieces of a line ---- */

#define put(l, ...) fmt_append((l)->text, sizeof((l)->text), &(l)->len, __VA_ARGS__)

static void put_escaped(struct line *l, const u8 *s, size_t n)
{
	static const char escapes[] = "\a\b\t\n\v\f\r", letters[] = "abtnvfr";

	put(l, "\"");
	for (size_t i = 0; i < n; i++) {
		const char *e = s[i] ? strchr(escapes, s[i]) : NULL;

		if (e)
			put(l, "\\%c", letters[e - escapes]);
		else if (s[i] == '"' || s[i] == '\\')
			put(l, "\\%c", s[i]);
		else if (s[i] < 0x20 || s[i] >= 0x7f)
			/* Three digits when the next character would read as one more. */
			put(l, i + 1 < n && s[i + 1] >= '0' && s[i + 1] <= '9' ? "\\%03o" : "\\%o",
			    s[i]);
		else
			put(l, "%c", s[i]);
	}
	put(l, "\"");
}

static void put_buffer(struct line *l, uptr_t at, s64 n)
{
	u8 bytes[STRING_MAX];
	size_t want = n < 0 ? 0 : MIN((size_t)n, (size_t)STRING_MAX);

	if (!at) {
		put(l, "NULL");
	} else if (n < 0 || copy_from_user_partial(bytes, at, want) < want) {
		put(l, "0x%lx", at);
	} else {
		put_escaped(l, bytes, want);
		if ((size_t)n > want)
			put(l, "...");
	}
}

static void put_string(struct line *l, uptr_t at)
{
	u8 bytes[STRING_MAX + 1];
	size_t got, len;

	if (!at) {
		put(l, "NULL");
		return;
	}
	got = copy_from_user_partial(bytes, at, sizeof(bytes));
	len = strnlen((char *)bytes, got);
	if (!got || (len == got && got < sizeof(bytes))) {
		put(l, "0x%lx", at);
		return;
	}
	put_escaped(l, bytes, MIN(len, (size_t)STRING_MAX));
	if (len > STRING_MAX)
		put(l, "...");
}

static void put_argv(struct line *l, uptr_t at)
{
	u64 p;

	if (!at) {
		put(l, "NULL");
		return;
	}
	put(l, "[");
	for (unsigned i = 0; !get_user_u64(&p, at + i * 8) && p; i++) {
		if (i)
			put(l, ", ");
		if (i == ARGV_MAX) {
			put(l, "...");
			break;
		}
		put_string(l, p);
	}
	put(l, "]");
}

struct flag_name {
	u64 bits;
	const char *name;
};

static void put_flags(struct line *l, u64 v, const struct flag_name *names, size_t n, bool first)
{
	for (size_t i = 0; i < n; i++) {
		if ((v & names[i].bits) != names[i].bits)
			continue;
		put(l, first ? "%s" : "|%s", names[i].name);
		first = false;
		v &= ~names[i].bits;
	}
	if (v || first)
		put(l, first ? "%#lx" : "|%#lx", v);
}

#define FLAG(x)       \
	{             \
		x, #x \
	}

static void put_open_flags(struct line *l, u64 v)
{
	static const struct flag_name names[] = {
		FLAG(O_CREAT),   FLAG(O_EXCL),     FLAG(O_NOCTTY),  FLAG(O_TRUNC),
		FLAG(O_APPEND),  FLAG(O_NONBLOCK), FLAG(O_TMPFILE), FLAG(O_DIRECTORY),
		FLAG(O_CLOEXEC), FLAG(O_NOFOLLOW), FLAG(O_PATH),
	};
	static const char *const modes[] = { "O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE" };

	put(l, "%s", modes[v & 3]);
	if (v & ~3ull)
		put_flags(l, v & 0xfffffffcull, names, ARRAY_SIZE(names), false);
}

static void put_prot(struct line *l, u64 v)
{
	static const struct flag_name names[] = { FLAG(PROT_READ), FLAG(PROT_WRITE),
						  FLAG(PROT_EXEC) };

	if (!v)
		put(l, "PROT_NONE");
	else
		put_flags(l, v, names, ARRAY_SIZE(names), true);
}

static void put_map_flags(struct line *l, u64 v)
{
	static const struct flag_name names[] = {
		FLAG(MAP_SHARED), FLAG(MAP_PRIVATE),   FLAG(MAP_FIXED),    FLAG(MAP_ANONYMOUS),
		FLAG(MAP_STACK),  FLAG(MAP_NORESERVE), FLAG(MAP_POPULATE), FLAG(MAP_GROWSDOWN),
	};

	put_flags(l, v, names, ARRAY_SIZE(names), true);
}

static void put_signal(struct line *l, u64 v)
{
	static const char *const names[] = {
		"0",        "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",  "SIGTRAP",   "SIGABRT",
		"SIGBUS",   "SIGFPE",  "SIGKILL",   "SIGUSR1", "SIGSEGV", "SIGUSR2",   "SIGPIPE",
		"SIGALRM",  "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP",   "SIGTSTP",
		"SIGTTIN",  "SIGTTOU", "SIGURG",    "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF",
		"SIGWINCH", "SIGIO",   "SIGPWR",    "SIGSYS",
	};

	if (v < ARRAY_SIZE(names))
		put(l, "%s", names[v]);
	else if (v < 65)
		put(l, "SIGRT_%d", (int)v - 32);
	else
		put(l, "%d", (int)v);
}

static void put_timespec(struct line *l, uptr_t at)
{
	u64 s, ns;

	if (!at || get_user_u64(&s, at) || get_user_u64(&ns, at + 8))
		put(l, at ? "0x%lx" : "NULL", at);
	else
		put(l, "{tv_sec=%ld, tv_nsec=%ld}", (long)s, (long)ns);
}

static void put_wait_status(struct line *l, uptr_t at, sysret_t ret)
{
	u32 v;

	if (!at || ret <= 0 || get_user_u32(&v, at))
		put(l, at ? "0x%lx" : "NULL", at);
	else if ((v & 0x7f) == 0)
		put(l, "[{WIFEXITED(s) && WEXITSTATUS(s) == %u}]", v >> 8 & 0xff);
	else
		put(l, "[0x%x]", v);
}

static void put_pointer(struct line *l, u64 v)
{
	if (v)
		put(l, "0x%lx", v);
	else
		put(l, "NULL");
}

/* ---- arguments ---- */

static bool is_output(char letter)
{
	return letter == 'b' || letter == 'w' || letter == 'r';
}

static void put_arg(struct line *l, char letter, const struct sysargs *a, unsigned i, sysret_t ret)
{
	u64 v = a->v[i], next = i < 5 ? a->v[i + 1] : 0;

	switch (letter) {
	case 'd':
	case 'f':
	case 'n':
		put(l, "%d", (int)v);
		break;
	case 'a':
		if ((int)v == AT_FDCWD)
			put(l, "AT_FDCWD");
		else
			put(l, "%d", (int)v);
		break;
	case 'u':
		put(l, "%u", (u32)v);
		break;
	case 'l':
		put(l, "%ld", (long)v);
		break;
	case 'z':
		put(l, "%lu", v);
		break;
	case 'o':
		put(l, "%#o", (u32)v);
		break;
	case 's':
		put_string(l, v);
		break;
	case 'b':
		put_buffer(l, v, ret < 0 ? -1 : MIN(ret, (sysret_t)next));
		break;
	case 'B':
		put_buffer(l, v, (s64)next < 0 ? -1 : (s64)next);
		break;
	case 'O':
		put_open_flags(l, v);
		break;
	case 'm':
		put_prot(l, v);
		break;
	case 'M':
		put_map_flags(l, v);
		break;
	case 'S':
		put_signal(l, v);
		break;
	case 't':
		put_timespec(l, v);
		break;
	case 'v':
		put_argv(l, v);
		break;
	case 'w':
		put_wait_status(l, v, ret);
		break;
	case 'x':
	case 'c':
	case 'i':
	case 'F':
	case 'I':
	case 'X':
		put(l, "%#lx", v);
		break;
	default:
		put_pointer(l, v);
		break;
	}
}

static void put_args(struct line *l, const char *format, const struct sysargs *a, sysret_t ret,
		     bool inputs_only)
{
	for (; l->done < 6 && format[l->done]; l->done++) {
		if (inputs_only && is_output(format[l->done]))
			return;
		if (l->done)
			put(l, ", ");
		put_arg(l, format[l->done], a, l->done, ret);
	}
}

/* ---- lines ---- */

static void line_print(struct line *l)
{
	hc(HC_LOG, 1, l->text, l->len);
	kfree(l);
}

void *strace_begin(struct task *t, const struct syscall_row *row, u64 nr, const struct sysargs *a)
{
	struct line *l;

	if (!bitmap_test(wanted, nr))
		return NULL;
	l = kmalloc(sizeof(*l));
	if (!l)
		return NULL;
	l->len = l->done = 0;
	l->text[0] = 0;
	put(l, "[pid %d] ", t->tid);
	if (row->name)
		put(l, "%s(", row->name);
	else
		put(l, "syscall_%#lx(", nr);
	put_args(l, row->format ? row->format : "xxxxxx", a, 0, true);
	if (nr != NR_EXIT && nr != NR_EXIT_GROUP)
		return l;
	put(l, ") = ?\n");
	line_print(l);
	return NULL;
}

static void put_result(struct line *l, const struct syscall_row *row, sysret_t ret)
{
	const char *name;

	/* Restarts inside the kernel: strace shows them in just this way. */
	if (ret <= -512 && ret >= -516) {
		put(l, "? ERESTART (To be restarted)");
		return;
	}
	if (ret >= 0 || ret < -4095) {
		bool address =
			row->name && (str_equal(row->name, "mmap") || str_equal(row->name, "brk") ||
				      str_equal(row->name, "mremap"));

		put(l, address ? "0x%lx" : "%ld", (long)ret);
		return;
	}
	name = errno_name((int)-ret);
	if (name)
		put(l, "-1 %s (%s)", name, errno_text((int)-ret));
	else
		put(l, "-1 errno %d", (int)-ret);
}

void strace_end(void *line, struct task *t, const struct syscall_row *row, const struct sysargs *a,
		sysret_t ret)
{
	struct line *l = line;

	put_args(l, row->format ? row->format : "xxxxxx", a, ret, false);
	put(l, ") = ");
	put_result(l, row, ret);
	/* The end of a line that was cut off must still end it. */
	if (!put(l, "\n"))
		l->text[l->len - 1] = '\n';
	line_print(l);
}
