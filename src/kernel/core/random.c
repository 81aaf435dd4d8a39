/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random bytes: ChaCha20 (RFC 8439 §2.3 "The ChaCha20 Block Function") with fast key erasure: the first 32 bytes of every batch become
 * the next key, so that what was given out cannot be computed again from the state.
 */
#include "kernel/core/random.h"

#include "abi/boot.h"
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/core/host.h"
#include "kernel/core/internal.h"

#define BATCH_BLOCKS   8u
#define BATCH_BYTES    (BATCH_BLOCKS * 64u)
#define KEY_BYTES      32u
#define RESEED_BATCHES 4096u /* some 2 MiB */

static struct {
	u32 key[8];
	u8 batch[BATCH_BYTES];
	u32 used;    /* bytes of the batch that are gone */
	u32 batches; /* since the last reseed */
} rng;

static u32 rotl(u32 x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static void quarter_round(u32 *a, u32 *b, u32 *c, u32 *d)
{
	*a += *b;
	*d = rotl(*d ^ *a, 16);
	*c += *d;
	*b = rotl(*b ^ *c, 12);
	*a += *b;
	*d = rotl(*d ^ *a, 8);
	*c += *d;
	*b = rotl(*b ^ *c, 7);
}

static void chacha_block(const u32 key[8], u32 counter, u32 out[16])
{
	u32 in[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };

	memcpy(in + 4, key, KEY_BYTES);
	in[12] = counter;
	memcpy(out, in, sizeof(in));
	for (unsigned i = 0; i < 10; i++) {
		for (unsigned j = 0; j < 4; j++)
			quarter_round(&out[j], &out[4 + j], &out[8 + j], &out[12 + j]);
		for (unsigned j = 0; j < 4; j++)
			quarter_round(&out[j], &out[4 + (j + 1) % 4], &out[8 + (j + 2) % 4],
				      &out[12 + (j + 3) % 4]);
	}
	for (unsigned i = 0; i < 16; i++)
		out[i] += in[i];
}

static void reseed(void)
{
	static u32 fresh[8];

	rng.batches = 0;
	if (hc(HC_RANDOM, fresh, sizeof(fresh)) < 0)
		return; /* the stream goes on from its key */
	for (unsigned i = 0; i < 8; i++)
		rng.key[i] ^= fresh[i];
	memset(fresh, 0, sizeof(fresh));
}

static void refill(void)
{
	u32 block[16];

	if (++rng.batches > RESEED_BATCHES)
		reseed();
	for (u32 i = 0; i < BATCH_BLOCKS; i++) {
		chacha_block(rng.key, i, block);
		memcpy(rng.batch + i * sizeof(block), block, sizeof(block));
	}
	memcpy(rng.key, rng.batch, KEY_BYTES);
	memset(rng.batch, 0, KEY_BYTES);
	rng.used = KEY_BYTES;
}

void random_init(void)
{
	const u8 *seed = boot_info()->random;

	memcpy(rng.key, seed, KEY_BYTES);
	for (unsigned i = 0; i < KEY_BYTES; i++)
		((u8 *)rng.key)[i] ^= seed[KEY_BYTES + i];
	memset(boot_info()->random, 0, sizeof(boot_info()->random));
	rng.used = BATCH_BYTES;
}

void random_bytes(void *buf, size_t n)
{
	u8 *out = buf;

	while (n) {
		size_t part;

		if (rng.used == BATCH_BYTES)
			refill();
		part = MIN(n, (size_t)(BATCH_BYTES - rng.used));
		memcpy(out, rng.batch + rng.used, part);
		memset(rng.batch + rng.used, 0, part);
		rng.used += (u32)part;
		out += part;
		n -= part;
	}
}

u64 random_u64(void)
{
	u64 v;

	random_bytes(&v, sizeof(v));
	return v;
}
