/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes into fifos of the host, beside the bind (read-only mounts do not forbid that on Linux), hidden ones, and in it.
 * Stopped by: our kernel's pipes know each other only.
 * Escape-Expect: stopped: ENXIO from the fifo beside
 * Escape-Expect: stopped: ENXIO from the fifo in the read-only bind
 * Escape-Expect: stopped: ENOENT from the fifo in the hidden directory
 * Escape-Expect: stopped: ENXIO from the fifo in the writable bind
 * Escape-Expect: stopped: nothing in the fifo beside
 */
#include "escape/escape.h"

void attempt(void)
{
	try_write("the fifo beside", base_path("fifo"), 0);
	try_write("the fifo in the read-only bind", base_path("shelf/fifo"), 0);
	try_write("the fifo in the hidden directory", base_path("secret/fifo"), 0);
	try_write("the fifo in the writable bind", base_path("box/fifo"), 0);
	try_read("the fifo beside", base_path("fifo"));
}
