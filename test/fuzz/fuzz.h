/*
 * What the fuzz targets share: memory as the server gives it, freed all at
 * once and counted, and a way to fail.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/am_host.h"

extern int	LLVMFuzzerInitialize(int *argc, char ***argv);
extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* the sanitiser shows where, the target what it was at */
#define REQUIRE(what) \
	do { \
		if (!(what)) \
		{ \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
			fuzz_show(); \
			abort(); \
		} \
	} while (0)

static void fuzz_show(void);

typedef struct FuzzChunk
{
	struct FuzzChunk *next;
	struct FuzzChunk *prev;
	size_t		size;
	size_t		unused;			/* keeps what follows aligned to 16 bytes */
} FuzzChunk;

static FuzzChunk fuzz_chunks = {&fuzz_chunks, &fuzz_chunks, 0, 0};
static size_t fuzz_allocated = 0;	/* in all since fuzz_forget */
static size_t fuzz_in_use = 0;

static void *
fuzz_alloc(size_t size)
{
	FuzzChunk  *chunk = malloc(sizeof(FuzzChunk) + size);

	if (!chunk)
		abort();
	chunk->size = size;
	chunk->next = fuzz_chunks.next;
	chunk->prev = &fuzz_chunks;
	chunk->next->prev = chunk->prev->next = chunk;
	fuzz_allocated += size;
	fuzz_in_use += size;
	/* as palloc leaves it: undefined, and now for certain not zero */
	memset(chunk + 1, 0xa5, size);
	return chunk + 1;
}

static void
fuzz_free(void *memory)
{
	FuzzChunk  *chunk = (FuzzChunk *) memory - 1;

	chunk->next->prev = chunk->prev;
	chunk->prev->next = chunk->next;
	fuzz_in_use -= chunk->size;
	free(chunk);
}

static void
fuzz_forget(void)
{
	while (fuzz_chunks.next != &fuzz_chunks)
		fuzz_free(fuzz_chunks.next + 1);
	fuzz_allocated = 0;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	am_host_alloc = fuzz_alloc;
	am_host_free = fuzz_free;
	return 0;
}

#endif							/* FUZZ_H */
