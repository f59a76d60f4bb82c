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
#include "utils/dsa.h"
#include "utils/tuplesort.h"

struct AmSharing;

/* Values in order, not this process's own */
typedef struct AmTimeRun
{
	const int64 *values;
	int64		n;
	int64		next;
	struct AmTimeRun *following;
} AmTimeRun;

/* The memory of several bags: each takes what it needs as long as there is some */
typedef struct AmTimePool
{
	Size		left;
} AmTimePool;

typedef struct AmTimeLog
{
	AmTimePool *pool;
	int64	   *values;			/* in the order of unsigned words */
	Size		n;				/* in memory */
	Size		max;
	int64		total;
	bool		sorted;			/* what is in memory */
	BufFile    *file;
	Tuplesortstate *sort;		/* while a spilled bag is read */
	Size		next;			/* while one in memory is read */
	AmTimeRun  *runs;			/* of other processes, read along with its own values */
	bool		has_own;		/* while runs are read: an own value is in hand */
	int64		own;
} AmTimeLog;

/* A bag given to another process: in shared memory, sorted, or in a file */
typedef struct AmSharedTimes
{
	int64		total;
	dsa_pointer values;			/* invalid = in the file, or none */
} AmSharedTimes;

extern void am_time_log_init(AmTimeLog *log, AmTimePool *pool);
extern void am_time_log_make_room(AmTimeLog *log);

static inline void
am_time_log_add(AmTimeLog *log, int64 value)
{
	if (unlikely(log->n == log->max))
		am_time_log_make_room(log);
	log->values[log->n++] = value;
	log->total++;
}

/* Ahead of time, for who has to wait anyhow */
extern void am_time_log_sort(AmTimeLog *log);

/* Ascending: call start once, then next while it returns true, then end; end alone throws the bag away */
extern void am_time_log_start(AmTimeLog *log);
extern bool am_time_log_next(AmTimeLog *log, int64 *value);
extern void am_time_log_end(AmTimeLog *log);

/*
 * From one process to another: share ends the bag, adopt adds what that
 * process has shared.  Of its bags each has a number of its own.
 */
extern void am_time_log_share(AmTimeLog *log, struct AmSharing *sharing, int bag, AmSharedTimes *shared);
extern void am_time_log_adopt(AmTimeLog *log, struct AmSharing *sharing, int process, int bag, const AmSharedTimes *shared);

#endif							/* AM_TIME_LOG_H */
