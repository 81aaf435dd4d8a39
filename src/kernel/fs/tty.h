/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal the sandbox was started on, if one of its standard streams is one: sessions and job control. Line discipline and
 * characters are the host terminal's business.
 */
#pragma once

#include "base/types.h"

struct file;
struct stream;

void tty_init(void);
/* The foreground process group, and with it the session the terminal controls. */
void tty_set_foreground(int pgrp);
int tty_foreground_pgrp(void); /* 0: none */
int tty_session(void);         /* 0: none */
/* Device number of the terminal (stat's tty_nr), 0: none. */
u64 tty_rdev(void);
/* A stream that is the terminal, for /dev/tty and the tests of job control. */
void tty_attach(struct stream *s, u64 rdev);
struct stream *tty_stream(void);             /* NULL: there is no terminal */
struct stream *tty_controlling_stream(void); /* NULL: current has no controlling terminal */
/* Job control: may current's process group read, write or change the terminal? -EIO, -ERESTARTSYS with the signal sent. */
int tty_check_read(void);
int tty_check_write(void);
int tty_check_change(void);
/* Requests about sessions and groups; -ENOIOCTLCMD: not one of these. */
s64 tty_ioctl(u32 cmd, u64 arg);
/* New terminal attributes were set or read: c_lflag. */
void tty_note_lflag(u32 lflag);

/* fs/stdio.c: open(2) of /dev/tty, -ENXIO without a controlling terminal, and of /dev/console, -ENXIO without any. */
int stdio_open_tty(struct file *f);
int stdio_open_console(struct file *f);
