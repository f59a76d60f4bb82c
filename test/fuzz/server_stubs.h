/*
 * The server around a combine function, as far as one calls it: memory that is
 * counted, errors that can be caught, aggregate calls.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef SERVER_STUBS_H
#define SERVER_STUBS_H

#include "postgres.h"

#include "fmgr.h"

/* Memory of the aggregate, and of the row in hand */
extern MemoryContext stub_aggregate_context;
extern MemoryContext stub_row_context;
extern void stub_reset(MemoryContext context);

/* Bytes that may be in use at once; more than that is a finding */
extern size_t stub_memory_limit;

/* Runs something; false if it raised an error, which is then here */
extern bool stub_try(void (*what) (void *arg), void *arg);
extern int	stub_error_code;
extern char stub_error_message[1024];

/* What the aggregates registered to be called at their end */
extern void stub_run_callbacks(void);
extern void stub_drop_callbacks(void);

/* The fuzz target's: what it was at, for a finding */
extern void stub_show(void);

#define REQUIRE(what) \
	do { \
		if (!(what)) \
		{ \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
			stub_show(); \
			abort(); \
		} \
	} while (0)

#endif							/* SERVER_STUBS_H */
