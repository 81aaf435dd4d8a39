/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay.c: run a fuzz target over files instead of under libFuzzer.
 *
 * usage: fuzz-TARGET [FILE | DIRECTORY]...
 *
 * The empty input is always tried first, so that a target without a corpus is still run once.
 */
#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { REPLAY_INPUT_MAX = 16 << 20 };

static int replay_file(const char *path)
{
	FILE *file = fopen(path, "re");
	uint8_t *data;
	size_t size;

	if (!file) {
		fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
		return -1;
	}
	/* Exactly as large as the input afterwards: ASan then sees a read one byte beyond it. */
	data = malloc(REPLAY_INPUT_MAX);
	if (!data)
		abort();
	size = fread(data, 1, REPLAY_INPUT_MAX, file);
	fclose(file);
	if (size) {
		uint8_t *exact = realloc(data, size);

		if (!exact)
			abort();
		data = exact;
		LLVMFuzzerTestOneInput(data, size);
	}
	free(data);
	return 0;
}

static int replay_directory(const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort);
	int err = 0;

	if (count < 0) {
		fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
		return -1;
	}
	for (int i = 0; i < count; i++) {
		char name[4096];

		snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.' && replay_file(name))
			err = -1;
		free(entries[i]);
	}
	free(entries);
	return err;
}

static int replay_path(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return errno == ENOENT ? 0 : -1;
	return S_ISDIR(st.st_mode) ? replay_directory(path) : replay_file(path);
}

int main(int argc, char **argv)
{
	static const uint8_t nothing;
	int status = EXIT_SUCCESS;

	LLVMFuzzerTestOneInput(&nothing, 0);
	for (int i = 1; i < argc; i++) {
		if (replay_path(argv[i]))
			status = EXIT_FAILURE;
	}
	return status;
}
