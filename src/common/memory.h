/*
 * Memory of an aggregate: how much it may take, and arrays whose size cannot
 * overflow.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_MEMORY_H
#define AM_MEMORY_H

#include "common/compat.h"

#include "storage/shmem.h"

/* Bytes for an aggregate: work_mem * hash_mem_multiplier, at least the floor */
#define AM_BUDGET_FLOOR		((Size) 4 * 1024 * 1024)
extern Size am_budget(void);

/* The server's palloc_array resolves to a function that older minor releases lack */
#define am_palloc_array(type, count) \
	((type *) MemoryContextAllocHuge(CurrentMemoryContext, mul_size(sizeof(type), (count))))

#endif							/* AM_MEMORY_H */
