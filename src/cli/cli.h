/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include <ringfence/ringfence.h>

#ifndef RINGFENCE_VERSION
#define RINGFENCE_VERSION "unknown"
#endif

/* Commands: argv[0] is the command's name. Return the exit status. */
int command_run(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_version(int argc, char **argv);

/* kernel_image.S */
extern const unsigned char kernel_image_start[], kernel_image_end[];

/* "ringfence: …" on standard error, once per failure. */
void message(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Options of `run`, filled in by run_options_parse(). */
struct run_options {
	struct rf_config config;
	struct rf_mount mounts[RF_MOUNTS_MAX];
	const char **env; /* NULL-terminated */
	size_t env_count, env_room;
	bool env_all;
	bool explicit_workdir;
	const char *strace_file, *log_file, *stats_file;
	bool strace, timing, stats;
};
/* Ends the process with EXIT_CODE_USAGE (or 0 after --help) unless everything is right. */
void run_options_parse(struct run_options *o, int argc, char **argv);
void run_options_free(struct run_options *o);

/*
 * Pure parts. Each returns false, with a message of at most @size bytes that says what is wrong and what would
 * be right.
 */
bool option_size(const char *text, uint64_t *ret, char *why, size_t size);
/* From @min to @max bytes. */
bool option_bytes(const char *text, uint64_t min, uint64_t max, uint64_t *ret, char *why,
		  size_t size);
/* SIZE[:INODES]; *ret_inodes stays without INODES. */
bool option_disk(const char *text, uint64_t *ret_bytes, uint64_t *ret_inodes, char *why,
		 size_t size);
/* Seconds, with a fraction and a unit if wanted; nanoseconds. */
bool option_duration(const char *text, uint64_t *ret_ns, char *why, size_t size);
bool option_count(const char *text, uint64_t min, uint64_t max, uint64_t *ret, char *why,
		  size_t size);
/* UID[:GID], numbers; without GID it is UID's number too. */
bool option_user(const char *text, uint32_t *ret_uid, uint32_t *ret_gid, char *why, size_t size);
/* nmi:N, mc:N, df:N or kick:N; sets that one. */
bool option_inject(const char *text, struct rf_injection *ret, char *why, size_t size);
/* Comma separated, each "-NAME"; *ret gets the RF_BOOT_F_* to do without. */
bool option_cpu_features(const char *text, uint32_t *ret, char *why, size_t size);
/* PATH[:TARGET]; cuts @text in place. */
bool option_bind(char *text, const char **ret_source, const char **ret_target, char *why,
		 size_t size);

/* The environment: what is passed on by default, --env NAME and NAME=VALUE. False: out of memory. */
bool env_passed_by_default(const char *entry);
bool env_add(struct run_options *o, const char *entry);
/* Sets or replaces NAME=VALUE. Takes nothing; @entry is borrowed. */
bool env_fill_default(struct run_options *o, char *const *environment);
