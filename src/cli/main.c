/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/exit_codes.h"

struct command {
	const char *name, *summary;
	int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
	{ "run", "run a program in a sandbox", command_run },
	{ "doctor", "check what this machine can do, and say what follows", command_doctor },
	{ "version", "print the version", command_version },
};

void message(const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr, "ringfence: %s\n", text);
}

static void usage(FILE *f)
{
	fprintf(f, "Usage: ringfence COMMAND [options]\n\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(f, "  %-8s  %s\n", commands[i].name, commands[i].summary);
	fprintf(f, "\n'ringfence COMMAND --help' says more about each.\n");
}

int command_version(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) {
		FILE *f = strcmp(argv[1], "--help") == 0 ? stdout : stderr;

		fprintf(f, "Usage: ringfence version\nPrints the version.\n");
		return f == stdout ? 0 : EXIT_CODE_USAGE;
	}
	printf("ringfence %s\n", RINGFENCE_VERSION);
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;

	if (!name) {
		usage(stderr);
		return EXIT_CODE_USAGE;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
		usage(stdout);
		return 0;
	}
	if (strcmp(name, "--version") == 0)
		name = "version";
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	message("unknown command '%s'; 'ringfence --help' lists them", name);
	return EXIT_CODE_USAGE;
}
