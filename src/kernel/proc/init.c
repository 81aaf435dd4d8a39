/* SPDX-License-Identifier: Apache-2.0 */
/* The first processes: the reaper, which has no code of its own, and the sandboxed program. */
#include "abi/linux/capability.h"
#include "abi/linux/errno.h"
#include "abi/linux/fcntl.h"
#include "base/format.h"
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/core/host.h"
#include "kernel/core/internal.h"
#include "kernel/core/sched.h"
#include "kernel/fs/tty.h"
#include "kernel/fs/vfs.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/signal.h"

#define PATH_DEFAULT          "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define STATUS_NOT_FOUND      127
#define STATUS_CANNOT_EXECUTE 126
#define STATUS_SETUP          205
#define TIMER_SLACK_NS        50000
#define MESSAGE_MAX           512

static const char *error_text(int err)
{
	switch (err) {
	case ENOENT:
		return "No such file or directory";
	case EACCES:
		return "Permission denied";
	case ENOEXEC:
		return "Exec format error";
	case EISDIR:
		return "Is a directory";
	case ENOTDIR:
		return "Not a directory";
	case ELOOP:
		return "Too many levels of symbolic links";
	case ENOMEM:
		return "Cannot allocate memory";
	case E2BIG:
		return "Argument list too long";
	case EIO:
		return "Input/output error";
	case ENAMETOOLONG:
		return "File name too long";
	case ELIBBAD:
		return "Accessing a corrupted shared library";
	case EPERM:
		return "Operation not permitted";
	case ETXTBSY:
		return "Text file busy";
	default:
		return NULL;
	}
}

/* To the program's standard error, where a shell would have said it. */
static void complain(const char *what, int err)
{
	const char *text = error_text(err);
	struct file *f = fd_get(2);
	char msg[MESSAGE_MAX];
	struct uio u;
	int n;

	if (text)
		n = fmt_snprintf(msg, sizeof(msg), "ringfence: %s: %s\n", what, text);
	else
		n = fmt_snprintf(msg, sizeof(msg), "ringfence: %s: error %d\n", what, err);
	uio_kernel(&u, msg, MIN((size_t)n, sizeof(msg) - 1));
	if (!f || file_write(f, &u, &f->pos) < 0)
		klog(0, "%s: %s (%d)", what, text ? text : "error", err);
	if (f)
		file_unref(f);
}

/* ---- argument lists ---- */

/* `n` consecutive strings from offset `off` of the configuration, as a NULL-terminated array. */
static char **string_list(u32 off, u32 n)
{
	char **list = kcalloc((size_t)n + 1, sizeof(*list));
	const char *s = boot_string(off);

	if (!list)
		return NULL;
	for (u32 i = 0; i < n && s; i++) {
		list[i] = (char *)s;
		s += strlen(s) + 1;
	}
	return list;
}

static const char *env_value(char *const *envp, const char *name)
{
	size_t n = strlen(name);

	for (; *envp; envp++)
		if (str_starts_with(*envp, name) && (*envp)[n] == '=')
			return *envp + n + 1;
	return NULL;
}

/* As execvp(3), but a file of unknown format is not given to a shell. */
static int exec_search(const char *name, char *const *argv, char *const *envp)
{
	const char *dirs = env_value(envp, "PATH");
	int r, err = -ENOENT;

	if (strchr(name, '/') || !*name)
		return exec_load(AT_FDCWD, name, argv, envp, 0);
	for (dirs = dirs ? dirs : PATH_DEFAULT;; dirs++) {
		const char *end = strchrnul(dirs, ':');
		char *path =
			kasprintf("%.*s%s%s", (int)(end - dirs), dirs, end > dirs ? "/" : "", name);

		if (!path)
			return -ENOMEM;
		r = exec_load(AT_FDCWD, path, argv, envp, 0);
		kfree(path);
		if (r == 0 || (r != -ENOENT && r != -ENOTDIR && r != -EACCES))
			return r;
		if (r == -EACCES)
			err = r;
		dirs = end;
		if (!*dirs)
			return err;
	}
}

/* ---- the program ---- */

static struct cred *program_cred(const struct boot_config *b)
{
	struct cred *c = cred_copy(current->cred);

	if (!c)
		return NULL;
	c->uid = c->euid = c->suid = c->fsuid = b->uid;
	c->gid = c->egid = c->sgid = c->fsgid = b->gid;
	if (b->uid)
		c->cap_effective = c->cap_permitted = 0;
	if (!b->ngroups || !b->groups)
		return c;
	c->groups = kcalloc(b->ngroups, sizeof(u32));
	if (!c->groups) {
		cred_unref(c);
		return NULL;
	}
	memcpy(c->groups, (const u8 *)b + b->groups, b->ngroups * sizeof(u32));
	c->ngroups = b->ngroups;
	return c;
}

static bool has_terminal(const struct boot_config *b)
{
	for (unsigned i = 0; i < ARRAY_SIZE(b->stream); i++)
		if (b->stream[i].kind == BOOT_STREAM_TTY)
			return true;
	return false;
}

static __noreturn void setup_failed(const char *what, int err)
{
	klog(0, "setting up the sandbox: %s: error %d", what, err);
	sandbox_exit(STATUS_SETUP);
}

/* First code of the program's task: everything that needs a task to run in. Mounting is done with the reaper's rights. */
static void program_main(struct task *t)
{
	const struct boot_config *b = boot_config();
	char **argv = string_list(b->argv, b->argc), **envp = string_list(b->envp, b->envc);
	const char *name = boot_string(b->program);
	struct cred *c;
	int r = vfs_init();

	if (r < 0)
		setup_failed("file systems", -r);
	t->fs = init_fs;
	t->files = fdtable_new();
	c = program_cred(b);
	if (!t->files || !c || !argv || !envp || !name)
		setup_failed("memory", ENOMEM);
	cred_commit(c);
	t->dumpable_off = false;
	tty_init();
	t->proc->ctty = has_terminal(b);
	tty_set_foreground(t->proc->pid);
	r = stdio_install(t->files);
	if (r < 0)
		setup_failed("standard streams", -r);
	r = exec_search(name, argv, envp);
	if (r < 0 && !task_must_die(current)) { /* else a signal came first, and is the status */
		complain(name, -r);
		sandbox_exit(r == -ENOENT ? STATUS_NOT_FOUND : STATUS_CANNOT_EXECUTE);
	}
	kfree(argv);
	kfree(envp);
}

/* A process and its leader, both of root, with the parent's tables entered. */
static struct task *first_task(const char *comm, struct process *parent)
{
	struct task *t = task_alloc();
	int pid = pid_alloc();

	if (!t || pid < 0)
		return NULL;
	t->tid = pid;
	strlcpy(t->comm, comm, sizeof(t->comm));
	t->timer_slack_ns = TIMER_SLACK_NS;
	t->altstack.ss_flags = SS_DISABLE;
	t->exit_signal = SIGCHLD;
	t->cred = cred_new_root();
	t->sighand = sighand_new();
	t->proc = process_new(parent);
	if (!t->cred || !t->sighand || !t->proc || process_link(t->proc, pid, parent) < 0)
		return NULL;
	t->proc->leader = t;
	task_link(t);
	return t;
}

static void set_rlimits(struct process *p, const struct boot_config *b)
{
	for (unsigned i = 0; i < RLIM_NLIMITS; i++) {
		p->rlimit[i].rlim_cur = MIN(b->rlimits[i][0], b->rlimits[i][1]);
		p->rlimit[i].rlim_max = b->rlimits[i][1];
	}
}

void init_start(void)
{
	const struct boot_config *b = boot_config();
	struct task *reaper, *program;

	pid_init();
	futex_init();
	max_tasks = (unsigned)MIN(b->pids_max, (u64)PID_MAX);
	reaper = first_task("init", NULL);
	if (!reaper)
		panic("no memory for the first process");
	init_process = reaper->proc;
	set_rlimits(init_process, b);
	/* Never scheduled: zombies that become its children are released on the spot. */
	reaper->state = TASK_UNINTERRUPTIBLE;
	program = first_task("ringfence", init_process);
	if (!program)
		panic("no memory for the program's process");
	sched_start_fn(program, program_main);
	sched_idle();
}
