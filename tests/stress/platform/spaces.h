/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address spaces that change and are replaced while others run in them. A frame is poisoned once it
 * is unmapped and flushed, and must still be so when it is used again: no CPU wrote to it meanwhile,
 * and no reader, who expects the upper half of SPACE_GOOD, saw the poison.
 */
#pragma once

#include <pthread.h>

#include "stress/platform/stress.h"

#define SPACE_CODE        UINT64_C(0x400000)
#define SPACE_CODE_OFFSET UINT64_C(0)
#define SPACE_WINDOW      UINT64_C(0x700000)
#define SPACE_PAGES       8u
#define SPACE_GOOD        UINT64_C(0x600d600d00000000)
#define SPACE_SLOTS       3u
#define SPACE_FRAMES      64u
#define SPACE_FRAMES_AT   UINT64_C(0x100000)
#define SPACE_RETIRED     32u

struct space {
	struct rf_address_space *as;
	_Atomic unsigned users;
	int frames[SPACE_PAGES]; /* of the changer only; -1: nothing mapped */
};

struct spaces {
	struct rf_machine *m;
	pthread_mutex_t lock;
	struct space *slots[SPACE_SLOTS]; /* guarded by lock */
	struct stress_rng rng;
	struct stress_progress progress;
	_Atomic bool stop;
	pthread_t changer;

	/* of the changer only */
	struct space *retired[SPACE_RETIRED];
	int free_frames[SPACE_FRAMES];
	unsigned free_count;
};

void spaces_init(struct spaces *s, struct rf_machine *m, uint64_t seed);
void spaces_start(struct spaces *s);
void spaces_done(struct spaces *s);
struct space *spaces_get(struct spaces *s, struct stress_rng *rng);
void space_put(struct space *s);
uint64_t space_random_page(const struct space *s, struct stress_rng *rng);
