/*
 * A bag of lengths of time or of stamps, as many as there are: bounded in memory,
 * spilled to a file, and read back in order.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_TIME_LOG_H
#define AM_TIME_LOG_H

#include "common/compat.h"

#include "storage/buffile.h"
#include "utils/tuplesort.h"

typedef struct AmTimeLog
{
	int64	   *values;			/* in the order of unsigned words */
	Size		n;				/* in memory */
	Size		max;
	Size		limit;			/* of n; then they go to the file */
	int64		total;
	BufFile    *file;
	Tuplesortstate *sort;		/* while a spilled bag is read */
	Size		next;			/* while one in memory is read */
} AmTimeLog;

/* budget in bytes, for filling or for reading */
extern void am_time_log_init(AmTimeLog *log, Size budget);
extern void am_time_log_make_room(AmTimeLog *log);

static inline void
am_time_log_add(AmTimeLog *log, int64 value)
{
	if (unlikely(log->n == log->max))
		am_time_log_make_room(log);
	log->values[log->n++] = value;
	log->total++;
}

/* Ascending: call start once, then next while it returns true, then end; end alone throws the bag away */
extern void am_time_log_start(AmTimeLog *log);
extern bool am_time_log_next(AmTimeLog *log, int64 *value);
extern void am_time_log_end(AmTimeLog *log);

#endif							/* AM_TIME_LOG_H */
