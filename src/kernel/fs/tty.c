/* SPDX-License-Identifier: Apache-2.0 */
/* Job control of the sandbox's terminal: credentials(7), "Sessions and process groups"; ioctl_tty(2). */
#include "kernel/fs/tty.h"

#include "abi/linux/capability.h"
#include "abi/linux/errno.h"
#include "abi/linux/ioctl.h"
#include "abi/linux/signal.h"
#include "kernel/core/cpu.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/pgrp.h"
#include "kernel/proc/task.h"

struct tty {
	struct stream *stream; /* NULL: there is no terminal */
	u64 rdev;
	int sid;        /* session it controls, 0: none */
	int foreground; /* process group */
	bool tostop;
};
static struct tty tty;

void tty_init(void)
{
	/* The streams attach themselves when they are opened; nothing else is needed before. */
	tty.sid = tty.foreground = 0;
}

void tty_attach(struct stream *s, u64 rdev)
{
	if (tty.stream)
		return;
	tty.stream = s;
	tty.rdev = rdev;
}

void tty_set_foreground(int pgrp)
{
	struct process_group *g = pgrp_find(pgrp);

	tty.foreground = pgrp;
	if (g && !tty.sid)
		tty.sid = g->sid;
}

int tty_foreground_pgrp(void)
{
	return tty.foreground;
}

int tty_session(void)
{
	return tty.stream ? tty.sid : 0;
}

u64 tty_rdev(void)
{
	return tty.stream ? tty.rdev : 0;
}

void tty_note_lflag(u32 lflag)
{
	tty.tostop = lflag & TOSTOP;
}

struct stream *tty_stream(void)
{
	return tty.stream;
}

static bool tty_controls(const struct process *p)
{
	return tty.stream && tty.sid && p->sid == tty.sid;
}

struct stream *tty_controlling_stream(void)
{
	return tty_controls(current->proc) ? tty.stream : NULL;
}

static bool in_background(void)
{
	return tty_controls(current->proc) && tty.foreground &&
	       process_pgid(current->proc) != tty.foreground;
}

static bool signal_has_no_effect(int sig)
{
	return (current->blocked & SIGSET_BIT(sig)) ||
	       current->sighand->action[sig - 1].sa_handler == SIG_IGN;
}

/* POSIX, General Terminal Interface, 11.1.4 "Terminal Access Control". */
static int background_access(int sig, int ineffective)
{
	if (!in_background())
		return 0;
	if (signal_has_no_effect(sig))
		return ineffective;
	if (pgrp_is_orphaned(current->proc->pgrp))
		return -EIO;
	signal_send_pgrp(process_pgid(current->proc), sig, NULL);
	return -ERESTARTSYS;
}

int tty_check_read(void)
{
	return background_access(SIGTTIN, -EIO);
}

int tty_check_write(void)
{
	return tty.tostop ? background_access(SIGTTOU, 0) : 0;
}

int tty_check_change(void)
{
	return background_access(SIGTTOU, 0);
}

static int set_foreground(uptr_t arg)
{
	struct process_group *g;
	u32 pgrp;
	int r = tty_check_change();

	if (r < 0)
		return r;
	if (!tty_controls(current->proc))
		return -ENOTTY;
	r = get_user_u32(&pgrp, arg);
	if (r < 0)
		return r;
	if ((s32)pgrp < 0)
		return -EINVAL;
	g = pgrp_find((int)pgrp);
	if (!g)
		return -ESRCH;
	if (g->sid != tty.sid)
		return -EPERM;
	tty.foreground = (int)pgrp;
	return 0;
}

/* TIOCSCTTY: a session leader takes a terminal that no session has; with arg 1 the superuser steals it. */
static int become_controlling(u64 arg)
{
	const struct process *p = current->proc;

	if (p->sid == p->pid && tty.sid == p->sid)
		return 0;
	if (p->sid != p->pid)
		return -EPERM;
	if (tty.sid && session_exists(tty.sid) &&
	    !(arg == 1 && cred_capable(current->cred, CAP_SYS_ADMIN)))
		return -EPERM;
	tty.sid = p->sid;
	tty.foreground = process_pgid(p);
	return 0;
}

static int give_up(void)
{
	const struct process *p = current->proc;

	if (!tty_controls(p))
		return -ENOTTY;
	/* Only the leader's doing has an effect here: the session is the unit that has a terminal. */
	if (p->sid != p->pid)
		return 0;
	if (tty.foreground) {
		signal_send_pgrp(tty.foreground, SIGHUP, NULL);
		signal_send_pgrp(tty.foreground, SIGCONT, NULL);
	}
	tty.sid = tty.foreground = 0;
	return 0;
}

s64 tty_ioctl(u32 cmd, u64 arg)
{
	bool mine = tty_controls(current->proc);

	switch (cmd) {
	case TIOCGPGRP:
		return mine ? put_user_u32(arg, (u32)tty.foreground) : -ENOTTY;
	case TIOCSPGRP:
		return set_foreground(arg);
	case TIOCGSID:
		return mine ? put_user_u32(arg, (u32)tty.sid) : -ENOTTY;
	case TIOCSCTTY:
		return become_controlling(arg);
	case TIOCNOTTY:
		return give_up();
	default:
		return -ENOIOCTLCMD;
	}
}
