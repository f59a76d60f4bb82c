/*
 * In memory the bag is sorted by radix; once it has spilled, by the server's
 * tuplesort.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "events/time_log.h"

#include "catalog/pg_type_d.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/typcache.h"

#include "common/memory.h"
#include "common/sort.h"

/* The order is that of unsigned words, the server's that of signed ones */
#define SIGN_BIT	(UINT64CONST(1) << 63)
#define ordered_datum(value)	Int64GetDatum((int64) ((uint64) (value) ^ SIGN_BIT))
#define ordered_value(datum)	((int64) ((uint64) DatumGetInt64(datum) ^ SIGN_BIT))

void
am_time_log_init(AmTimeLog *log, Size budget)
{
	memset(log, 0, sizeof(*log));
	/* as much again for the scratch of the sort */
	log->limit = Max(budget / (2 * sizeof(int64)), 1024);
}

void
am_time_log_make_room(AmTimeLog *log)
{
	if (log->n < log->limit)
	{
		Size		max = log->max ? Min(log->max * 2, log->limit) : 64;
		int64	   *grown = am_palloc_array(int64, max);

		if (log->values)
		{
			memcpy(grown, log->values, log->n * sizeof(int64));
			pfree(log->values);
		}
		log->values = grown;
		log->max = max;
		return;
	}
	if (!log->file)
		log->file = BufFileCreateTemp(false);
	BufFileWrite(log->file, log->values, log->n * sizeof(int64));
	log->n = 0;
}

void
am_time_log_start(AmTimeLog *log)
{
	int64		batch[1024];
	size_t		bytes;

	log->next = 0;
	if (!log->file)
	{
		if (log->n > 1)
		{
			uint64	   *scratch = am_palloc_array(uint64, log->n);

			am_radix_sort((uint64 *) log->values, scratch, log->n);
			pfree(scratch);
		}
		return;
	}

	log->sort = tuplesort_begin_datum(INT8OID, lookup_type_cache(INT8OID, TYPECACHE_LT_OPR)->lt_opr,
									  InvalidOid, false,
									  (int) Min(log->limit * 2 * sizeof(int64) / 1024, MAX_KILOBYTES),
									  NULL, TUPLESORT_NONE);
	for (Size i = 0; i < log->n; i++)
		tuplesort_putdatum(log->sort, ordered_datum(log->values[i]), false);
	pfree(log->values);
	log->values = NULL;
	log->n = log->max = 0;
	if (BufFileSeek(log->file, 0, 0, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not seek in the temporary file of a funnel's times")));
	while ((bytes = BufFileRead(log->file, batch, sizeof(batch))) > 0)
	{
		CHECK_FOR_INTERRUPTS();
		for (Size i = 0; i < bytes / sizeof(int64); i++)
			tuplesort_putdatum(log->sort, ordered_datum(batch[i]), false);
	}
	BufFileClose(log->file);
	log->file = NULL;
	tuplesort_performsort(log->sort);
}

bool
am_time_log_next(AmTimeLog *log, int64 *value)
{
	if (log->sort)
	{
		Datum		datum;
		bool		isnull;
		bool		found;

#if PG_VERSION_NUM >= 160000
		found = tuplesort_getdatum(log->sort, true, false, &datum, &isnull, NULL);
#else
		found = tuplesort_getdatum(log->sort, true, &datum, &isnull, NULL);
#endif
		if (found)
			*value = ordered_value(datum);
		return found;
	}
	if (log->next == log->n)
		return false;
	*value = log->values[log->next++];
	return true;
}

void
am_time_log_end(AmTimeLog *log)
{
	if (log->sort)
		tuplesort_end(log->sort);
	/* one that was not read still has its file */
	if (log->file)
		BufFileClose(log->file);
	if (log->values)
		pfree(log->values);
	memset(log, 0, sizeof(*log));
}
