/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the socket calls share. */
#pragma once

#include "kernel/ipc/unix.h"

/* The socket of a descriptor: new reference to the file; -EBADF, -ENOTSOCK. */
int sock_get(int fd, struct file **ret);
int sock_name_from_user(struct linux_sockaddr_un *ret, uptr_t addr, u32 len);
/* As much as fits; the whole length is stored. */
int sock_name_to_user(const struct linux_sockaddr_un *name, u32 len, uptr_t addr, uptr_t len_addr);
