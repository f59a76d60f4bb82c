/*
 * What differs between PostgreSQL 15 and 18.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_COMPAT_H
#define AM_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "storage/shmem.h"

#ifndef PG_MODULE_MAGIC_EXT
#define PG_MODULE_MAGIC_EXT(...) PG_MODULE_MAGIC
#endif

/*
 * palloc of an array whose size cannot overflow.  The server's palloc_array
 * resolves to a function that older minor releases lack.
 */
#define am_palloc_array(type, count) \
	((type *) MemoryContextAllocHuge(CurrentMemoryContext, mul_size(sizeof(type), (count))))

#endif							/* AM_COMPAT_H */
