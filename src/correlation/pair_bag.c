/*
 * See pair_bag.h.  A bag that is full is written to a temporary file and filled
 * again.  That of a partial state can be opened by the leader, which deletes it.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "correlation/pair_bag.h"

#include <math.h>

#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "utils/memutils.h"

#include "common/memory.h"
#include "events/event_file.h"

#define FIRST_PAIRS		8

/* a partial state that is larger goes by file although there is memory: a datum ends at 1 GB */
#define LARGEST_DATUM	((Size) 256 * 1024 * 1024)

static Size
largest_bag(bool partial)
{
	Size		limit = am_budget() / (AM_PAIR_BAG_COPIES * sizeof(AmPair));

	return Min(limit, partial ? LARGEST_DATUM / sizeof(AmPair) : (Size) AM_PAIR_BAG_MAX / 4);
}

AmPairBag *
am_pair_bag_create(MemoryContext context)
{
	return MemoryContextAllocZero(context, sizeof(AmPairBag));
}

static void
close_file(Datum arg)
{
	AmPairBag  *bag = (AmPairBag *) DatumGetPointer(arg);

	if (bag->file)
		BufFileClose(bag->file);
	bag->file = NULL;
}

/* Window functions cannot say when a state is dropped: its file would stay */
static void
open_file(FunctionCallInfo fcinfo, MemoryContext context, bool partial, AmPairBag *bag)
{
	MemoryContext caller;

	if (AggCheckCallContext(fcinfo, NULL) != AGG_CONTEXT_AGGREGATE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a window frame has more than %zu pairs", bag->n),
				 errdetail("In windows, ranks are kept in memory."),
				 errhint("Use GROUP BY, or more work_mem.")));
	caller = MemoryContextSwitchTo(context);
	AggRegisterCallback(fcinfo, close_file, PointerGetDatum(bag));
	if (partial)
	{
		bag->shared = palloc(sizeof(AmSharedFile));
		bag->file = am_shared_file_create(bag->shared);
	}
	else
		bag->file = BufFileCreateTemp(false);
	MemoryContextSwitchTo(caller);
}

static void
write_pairs(AmPairBag *bag)
{
	BufFileWrite(bag->file, bag->pairs, bag->n * sizeof(AmPair));
	bag->n = 0;
}

void
am_pair_bag_make_room(FunctionCallInfo fcinfo, AmPairBag *bag)
{
	Aggref	   *aggref = AggGetAggref(fcinfo);
	bool		partial = aggref && DO_AGGSPLIT_SERIALIZE(aggref->aggsplit);
	Size		limit = largest_bag(partial);
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "pairs collected outside an aggregate");
	if (bag->total > AM_PAIR_BAG_MAX - (int64) limit)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%lld pairs are too many to be ranked", (long long) bag->total),
				 errhint("Draw a sample; pearson() takes any number.")));
	if (bag->max >= limit)
	{
		if (!bag->file)
			open_file(fcinfo, context, partial, bag);
		write_pairs(bag);
		return;
	}
	if (partial && am_event_state_to_file && !bag->file)
		open_file(fcinfo, context, partial, bag);
	bag->max = bag->max ? Min(bag->max * 2, limit) : FIRST_PAIRS;
	if (bag->pairs)
		bag->pairs = repalloc_huge(bag->pairs, mul_size(bag->max, sizeof(AmPair)));
	else
		bag->pairs = MemoryContextAlloc(context, bag->max * sizeof(AmPair));
}

void
am_pair_bag_flush(AmPairBag *bag)
{
	write_pairs(bag);
	if (bag->pairs)
		pfree(bag->pairs);
	bag->pairs = NULL;
	bag->max = 0;
}

/*
 * Format: byte 'd' (data) or 'f' (file), int64 pairs; data: each two float8,
 * file: the AmSharedFile.
 */
void
am_pair_bag_serialize(AmPairBag *bag, StringInfo out)
{
	if (bag->file)
	{
		Assert(bag->shared);
		am_pair_bag_flush(bag);
		BufFileExportFileSet(bag->file);
		close_file(PointerGetDatum(bag));
		pq_sendbyte(out, 'f');
		pq_sendint64(out, bag->total);
		pq_sendbytes(out, (char *) bag->shared, sizeof(AmSharedFile));
		return;
	}
	pq_sendbyte(out, 'd');
	pq_sendint64(out, bag->total);
	enlargeStringInfo(out, (int) (bag->n * sizeof(AmPair)));
	for (Size i = 0; i < bag->n; i++)
	{
		pq_sendfloat8(out, bag->pairs[i].x);
		pq_sendfloat8(out, bag->pairs[i].y);
	}
}

pg_noreturn static void refuse(const char *detail);

static void
refuse(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("cannot read a bag of pairs"),
			 errdetail_internal("%s", detail)));
}

static void
absorb_file(FunctionCallInfo fcinfo, AmPairBag *bag, int64 total, StringInfo in)
{
	AmSharedFile shared;
	AmPair		block[BLCKSZ / sizeof(AmPair)];
	BufFile    *file;
	size_t		bytes;
	int64		read = 0;

	if (in->len - in->cursor != sizeof(AmSharedFile))
		refuse("It does not name a file.");
	memcpy(&shared, pq_getmsgbytes(in, sizeof(AmSharedFile)), sizeof(AmSharedFile));
	if (memchr(shared.name, '\0', sizeof(shared.name)) == NULL || strchr(shared.name, '/') != NULL)
		refuse("It does not name a file.");
	file = am_event_file_open(&shared);
	while ((bytes = BufFileRead(file, block, sizeof(block))) > 0)
	{
		CHECK_FOR_INTERRUPTS();
		for (size_t i = 0; i < bytes / sizeof(AmPair); i++)
			am_pair_bag_add(fcinfo, bag, block[i].x, block[i].y);
		read += bytes / sizeof(AmPair);
	}
	BufFileClose(file);
	am_event_file_delete(&shared);
	if (read != total)
		refuse("Its file has another number of pairs.");
}

void
am_pair_bag_absorb(FunctionCallInfo fcinfo, AmPairBag *bag, StringInfo in)
{
	int			where = in->len > in->cursor ? pq_getmsgbyte(in) : 0;
	int64		total = in->len - in->cursor >= (int) sizeof(int64) ? pq_getmsgint64(in) : -1;

	if (total < 0 || (where != 'd' && where != 'f'))
		refuse("Its header is damaged.");
	if (where == 'f')
	{
		absorb_file(fcinfo, bag, total, in);
		return;
	}
	if ((uint64) total != (uint64) (in->len - in->cursor) / sizeof(AmPair) ||
		(in->len - in->cursor) % sizeof(AmPair) != 0)
		refuse("Its length is not that of its pairs.");
	for (int64 i = 0; i < total; i++)
	{
		double		x = pq_getmsgfloat8(in);
		double		y = pq_getmsgfloat8(in);

		if (!isfinite(x) || !isfinite(y))
			refuse("It has a pair that is not finite.");
		if ((i & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		am_pair_bag_add(fcinfo, bag, x, y);
	}
}
