/*
 * In memory the bag is sorted by radix; once it has spilled, by the server's
 * tuplesort.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "events/time_log.h"

#include <fcntl.h>

#include "catalog/pg_type_d.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/typcache.h"

#include "common/memory.h"
#include "common/sort.h"
#include "events/event_share.h"
#include "events/stamps.h"

/* A bag has room for so many values in any case */
#define FEWEST		1024

/* Of a value in memory, with the scratch of the sort */
#define VALUE_BYTES	(2 * sizeof(int64))

void
am_time_log_init(AmTimeLog *log, AmTimePool *pool)
{
	memset(log, 0, sizeof(*log));
	log->pool = pool;
}

void
am_time_log_make_room(AmTimeLog *log)
{
	Size		max = log->max ? log->max * 2 : 64;
	Size		more = (max - log->max) * VALUE_BYTES;

	if (max <= FEWEST || log->pool->left >= more)
	{
		int64	   *grown = am_palloc_array(int64, max);

		if (log->values)
		{
			memcpy(grown, log->values, log->n * sizeof(int64));
			pfree(log->values);
		}
		log->values = grown;
		log->max = max;
		log->pool->left -= Min(more, log->pool->left);
		return;
	}
	if (!log->file)
		log->file = BufFileCreateTemp(false);
	BufFileWrite(log->file, log->values, log->n * sizeof(int64));
	log->n = 0;
}

static void
rewind_file(BufFile *file)
{
	if (BufFileSeek(file, 0, 0, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not seek in the temporary file of a funnel's times")));
}

void
am_time_log_sort(AmTimeLog *log)
{
	uint64	   *scratch;

	if (log->file || log->sort || log->sorted)
		return;
	log->sorted = true;
	if (log->n < 2)
		return;
	scratch = am_palloc_array(uint64, log->n);
	am_radix_sort((uint64 *) log->values, scratch, log->n);
	pfree(scratch);
}

static void
sort_own(AmTimeLog *log)
{
	int64		batch[1024];
	size_t		bytes;

	log->next = 0;
	if (!log->file)
	{
		am_time_log_sort(log);
		return;
	}

	log->sort = tuplesort_begin_datum(INT8OID, lookup_type_cache(INT8OID, TYPECACHE_LT_OPR)->lt_opr,
									  InvalidOid, false,
									  (int) Min(log->max * VALUE_BYTES / 1024, MAX_KILOBYTES),
									  NULL, TUPLESORT_NONE);
	for (Size i = 0; i < log->n; i++)
		tuplesort_putdatum(log->sort, am_word_datum(log->values[i]), false);
	pfree(log->values);
	log->values = NULL;
	log->n = 0;
	rewind_file(log->file);
	while ((bytes = BufFileRead(log->file, batch, sizeof(batch))) > 0)
	{
		CHECK_FOR_INTERRUPTS();
		for (Size i = 0; i < bytes / sizeof(int64); i++)
			tuplesort_putdatum(log->sort, am_word_datum(batch[i]), false);
	}
	BufFileClose(log->file);
	log->file = NULL;
	tuplesort_performsort(log->sort);
}

static bool
next_own(AmTimeLog *log, int64 *value)
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
			*value = (int64) am_datum_word(datum);
		return found;
	}
	if (log->next == log->n)
		return false;
	*value = log->values[log->next++];
	return true;
}

void
am_time_log_start(AmTimeLog *log)
{
	sort_own(log);
	if (log->runs)
		log->has_own = next_own(log, &log->own);
}

bool
am_time_log_next(AmTimeLog *log, int64 *value)
{
	AmTimeRun  *least = NULL;

	if (!log->runs)
		return next_own(log, value);
	for (AmTimeRun *run = log->runs; run; run = run->following)
		if (run->next < run->n && (!least || run->values[run->next] < least->values[least->next]))
			least = run;
	if (log->has_own && (!least || log->own <= least->values[least->next]))
	{
		*value = log->own;
		log->has_own = next_own(log, &log->own);
		return true;
	}
	if (!least)
		return false;
	*value = least->values[least->next++];
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
	if (log->pool)
		log->pool->left += log->max * VALUE_BYTES;
	while (log->runs)
	{
		AmTimeRun  *run = log->runs;

		log->runs = run->following;
		pfree(run);
	}
	memset(log, 0, sizeof(*log));
}

static void
file_name(char *name, size_t size, int process, int bag)
{
	snprintf(name, size, "times.%d.%d", process, bag);
}

/* For a bag over its budget, or where shared memory is full */
static void
share_in_file(AmTimeLog *log, AmSharing *sharing, int bag)
{
	char		name[64];
	BufFile    *file;
	int64		batch[1024];
	size_t		bytes;

	file_name(name, sizeof(name), sharing->process, bag);
	file = BufFileCreateFileSet(&sharing->shared->files.fs, name);
	if (log->file)
	{
		rewind_file(log->file);
		while ((bytes = BufFileRead(log->file, batch, sizeof(batch))) > 0)
		{
			CHECK_FOR_INTERRUPTS();
			BufFileWrite(file, batch, bytes);
		}
	}
	BufFileWrite(file, log->values, log->n * sizeof(int64));
	BufFileExportFileSet(file);
	BufFileClose(file);
}

void
am_time_log_share(AmTimeLog *log, AmSharing *sharing, int bag, AmSharedTimes *shared)
{
	shared->total = log->total;
	shared->values = InvalidDsaPointer;
	if (log->total > 0)
	{
		if (!log->file)
			shared->values = am_share_allocate(sharing, log->n * sizeof(int64));
		if (DsaPointerIsValid(shared->values))
		{
			int64	   *values = dsa_get_address(sharing->area, shared->values);

			memcpy(values, log->values, log->n * sizeof(int64));
			am_radix_sort((uint64 *) values, (uint64 *) log->values, log->n);
		}
		else
			share_in_file(log, sharing, bag);
	}
	am_time_log_end(log);
}

void
am_time_log_adopt(AmTimeLog *log, AmSharing *sharing, int process, int bag, const AmSharedTimes *shared)
{
	if (shared->total == 0)
		return;
	if (DsaPointerIsValid(shared->values))
	{
		AmTimeRun  *run = palloc0(sizeof(AmTimeRun));

		run->values = dsa_get_address(sharing->area, shared->values);
		run->n = shared->total;
		run->following = log->runs;
		log->runs = run;
		log->total += shared->total;
	}
	else
	{
		char		name[64];
		BufFile    *file;
		int64		batch[1024];
		size_t		bytes;

		file_name(name, sizeof(name), process, bag);
		file = BufFileOpenFileSet(&sharing->shared->files.fs, name, O_RDONLY, false);
		log->sorted = false;
		while ((bytes = BufFileRead(file, batch, sizeof(batch))) > 0)
		{
			CHECK_FOR_INTERRUPTS();
			for (Size i = 0; i < bytes / sizeof(int64); i++)
				am_time_log_add(log, batch[i]);
		}
		BufFileClose(file);
	}
}
