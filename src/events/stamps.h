/*
 * The stamps of one entity, ascending.  An entity too large for memory has
 * them in a file, and they are read through a window on it.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_STAMPS_H
#define AM_STAMPS_H

#include "common/compat.h"

#include "storage/buffile.h"

typedef struct AmStamps
{
	int64		n;
	const uint64 *values;		/* NULL: in a file, ask am_stamps_get */
	struct AmStampSpool *spool;
} AmStamps;

extern uint64 am_stamps_get(void *spool, int64 i);

/* Signed words, which the server sorts, in the order of the unsigned ones that stamps are */
#define AM_SIGN_BIT		(UINT64CONST(1) << 63)
#define am_word_datum(word)		Int64GetDatum((int64) ((uint64) (word) ^ AM_SIGN_BIT))
#define am_datum_word(datum)	((uint64) DatumGetInt64(datum) ^ AM_SIGN_BIT)

extern void am_sort_many_stamps(uint64 *stamps, Size n);

/* Few stamps, mostly in order already: that is what CRM tables hold */
static inline void
am_sort_stamps(uint64 *stamps, Size n)
{
	if (n > 24)
	{
		am_sort_many_stamps(stamps, n);
		return;
	}
	for (Size i = 1; i < n; i++)
	{
		uint64		stamp = stamps[i];
		Size		j = i;

		for (; j > 0 && stamps[j - 1] > stamp; j--)
			stamps[j] = stamps[j - 1];
		stamps[j] = stamp;
	}
}

/* Collects the stamps of one entity after the other */
typedef struct AmStampSpool
{
	uint64	   *values;
	Size		n;				/* in memory */
	Size		max;
	Size		limit;			/* of n; beyond it they go to the file */
	BufFile    *file;
	int64		on_file;		/* stamps */
	int64		window;			/* number of the block in memory, or -1 */
} AmStampSpool;

/* budget in bytes */
extern void am_stamp_spool_init(AmStampSpool *spool, Size budget);
extern void am_stamp_spool_clear(AmStampSpool *spool);
extern void am_stamp_spool_make_room(AmStampSpool *spool);

static inline void
am_stamp_spool_add(AmStampSpool *spool, uint64 stamp)
{
	if (unlikely(spool->n == spool->max))
		am_stamp_spool_make_room(spool);
	spool->values[spool->n++] = stamp;
}

/* What was collected since the last clear; valid until the next one */
extern AmStamps am_stamp_spool_read(AmStampSpool *spool);
extern void am_stamp_spool_end(AmStampSpool *spool);

#endif							/* AM_STAMPS_H */
