/*
 * See stamps.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "events/stamps.h"

#include "miscadmin.h"

#include "common/memory.h"

#define ST_SORT sort_words
#define ST_ELEMENT_TYPE uint64
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b) ? 1 : 0)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

#define BLOCK_STAMPS	((int64) (BLCKSZ / sizeof(uint64)))
#define SMALLEST		1024	/* stamps in memory: a block, and then some */

void
am_sort_many_stamps(uint64 *stamps, Size n)
{
	sort_words(stamps, n);
}

void
am_stamp_spool_init(AmStampSpool *spool, Size budget)
{
	memset(spool, 0, sizeof(*spool));
	spool->limit = Max(budget / sizeof(uint64), SMALLEST) / BLOCK_STAMPS * BLOCK_STAMPS;
	spool->limit = Max(spool->limit, BLOCK_STAMPS);
	spool->window = -1;
}

void
am_stamp_spool_clear(AmStampSpool *spool)
{
	spool->n = 0;
	spool->on_file = 0;
	spool->window = -1;
}

static void
seek(AmStampSpool *spool, int64 block)
{
	if (BufFileSeekBlock(spool->file, block) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not seek in the temporary file of an entity's events")));
}

static void
write_out(AmStampSpool *spool)
{
	if (!spool->file)
		spool->file = BufFileCreateTemp(false);
	seek(spool, spool->on_file / BLOCK_STAMPS);
	BufFileWrite(spool->file, spool->values, spool->n * sizeof(uint64));
	spool->on_file += spool->n;
	spool->n = 0;
}

void
am_stamp_spool_make_room(AmStampSpool *spool)
{
	Size		max;
	uint64	   *grown;

	if (spool->max == spool->limit)
	{
		write_out(spool);
		return;
	}
	max = spool->max ? Min(spool->max * 2, spool->limit) : Min(SMALLEST, spool->limit);
	grown = am_palloc_array(uint64, max);
	if (spool->values)
	{
		memcpy(grown, spool->values, spool->n * sizeof(uint64));
		pfree(spool->values);
	}
	spool->values = grown;
	spool->max = max;
}

AmStamps
am_stamp_spool_read(AmStampSpool *spool)
{
	AmStamps	stamps;

	if (spool->on_file > 0 && spool->n > 0)
		write_out(spool);
	stamps.n = spool->on_file > 0 ? spool->on_file : spool->n;
	stamps.values = spool->on_file > 0 ? NULL : spool->values;
	stamps.spool = spool;
	return stamps;
}

uint64
am_stamps_get(void *source, int64 i)
{
	AmStampSpool *spool = source;
	int64		block = i / BLOCK_STAMPS;

	if (block != spool->window)
	{
		Size		bytes = Min(BLOCK_STAMPS, spool->on_file - block * BLOCK_STAMPS) * sizeof(uint64);

		seek(spool, block);
		if (BufFileRead(spool->file, spool->values, bytes) != bytes)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not read the temporary file of an entity's events")));
		spool->window = block;
	}
	return spool->values[i % BLOCK_STAMPS];
}

void
am_stamp_spool_end(AmStampSpool *spool)
{
	if (spool->file)
		BufFileClose(spool->file);
	if (spool->values)
		pfree(spool->values);
	memset(spool, 0, sizeof(*spool));
}
