/* SPDX-License-Identifier: Apache-2.0 */
/* Writes struct boot_config and its strings into the arena, and makes the handles it names. */
#pragma once

#include "abi/boot.h"
#include "monitor/monitor.h"

struct config_writer {
	struct monitor *m;
	struct boot_config *config;
	u32 used;
	bool full; /* something did not fit; config_finish() reports it */
};

void config_begin(struct config_writer *w, struct monitor *m);
/* Returns the string's offset; NULL gives 0 (absent). */
u32 config_string(struct config_writer *w, const char *s);
/* Consecutive strings, with their number; @list is NULL-terminated or NULL. */
u32 config_strings(struct config_writer *w, const char *const *list, u32 *ret_count);
u32 config_bytes(struct config_writer *w, const void *data, u32 size, u32 align);
/* A mount; @source (kinds with host files) is a path of the host. */
int config_mount(struct config_writer *w, enum boot_mount_kind kind, const char *source,
		 const char *target, struct rf_error *err) __must_check;
/* An empty directory (@mode, with S_IFDIR), or nothing (other types), instead of @target: BOOT_MOUNT_REPLACE. */
int config_replace(struct config_writer *w, const char *target, u32 mode, u32 uid, u32 gid,
		   struct rf_error *err) __must_check;
/* Standard stream @n from host descriptor @fd, which stays the caller's; -1: closed. */
int config_stream(struct config_writer *w, u32 n, int fd, struct rf_error *err) __must_check;
/* -E2BIG when something did not fit. */
int config_finish(struct config_writer *w, struct rf_error *err) __must_check;
