/*
 * A bag of pairs of numbers: small for a few, bounded in memory for many.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_PAIR_BAG_H
#define AM_PAIR_BAG_H

#include "common/compat.h"

#include "lib/stringinfo.h"
#include "storage/buffile.h"

#include "events/event_log.h"
#include "stats/kendall.h"

#define AM_PAIR_BAG_MAX		((int64) AM_KENDALL_MAX)

typedef struct AmPairBag
{
	int64		total;
	Size		n;				/* in memory */
	Size		max;
	AmPair	   *pairs;
	BufFile    *file;
	AmSharedFile *shared;		/* if the file is of a partial state */
} AmPairBag;

/* What is in memory is a third of the budget: reading needs a copy and scratch */
#define AM_PAIR_BAG_COPIES	3

extern AmPairBag *am_pair_bag_create(MemoryContext context);

/* Room for one more.  fcinfo is the aggregate's: it says who will read the file, and when it is closed. */
extern void am_pair_bag_make_room(FunctionCallInfo fcinfo, AmPairBag *bag);

static inline void
am_pair_bag_add(FunctionCallInfo fcinfo, AmPairBag *bag, double x, double y)
{
	if (unlikely(bag->n == bag->max))
		am_pair_bag_make_room(fcinfo, bag);
	bag->pairs[bag->n].x = x;
	bag->pairs[bag->n].y = y;
	bag->n++;
	bag->total++;
}

/* Writes what is in memory to the file, of which there is one, and gives the memory back */
extern void am_pair_bag_flush(AmPairBag *bag);

extern void am_pair_bag_serialize(AmPairBag *bag, StringInfo out);
extern void am_pair_bag_absorb(FunctionCallInfo fcinfo, AmPairBag *bag, StringInfo in);

#endif							/* AM_PAIR_BAG_H */
