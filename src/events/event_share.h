/*
 * The event logs of several processes, exchanged in shared memory.
 *
 * Each process fills a log of its own, with blocks of shared memory, and
 * publishes it.  When all have, they take the partitions one by one, and who
 * has taken one reads the records of all processes for it: an entity is read
 * once, by one process.  What does not fit in the budget goes to files that
 * all can open.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_EVENT_SHARE_H
#define AM_EVENT_SHARE_H

#include "events/event_log.h"

#include "port/atomics.h"
#include "storage/barrier.h"
#include "storage/dsm.h"
#include "storage/sharedfileset.h"

#include "events/event_file.h"

/* In shared memory: a partition as one process has filled it */
typedef struct AmSharedPartition
{
	dsa_pointer blocks;
	int64		last_on_file;
	int64		records;
	int64		bytes_on_file;
} AmSharedPartition;

typedef struct AmSharedLog
{
	bool		published;
	AmSharedPartition partitions[AM_PARTITIONS];
} AmSharedLog;

typedef struct AmEventShare
{
	int			n_processes;	/* at most */
	Size		budget;			/* of each */
	Barrier		filled;
	pg_atomic_uint32 next;		/* partition to be taken */
	SharedFileSet files;
	AmSharedLog logs[FLEXIBLE_ARRAY_MEMBER];	/* by process; behind them the area of blocks */
} AmEventShare;

/* One process's end of it */
typedef struct AmSharing
{
	AmEventShare *shared;
	int			process;		/* 0 = the leader */
	bool		late;			/* the others were done with filling when it came */
	dsa_area   *area;
	bool		reading;
	BufFile   **files;			/* by process, once opened */
	int64	   *last_on_file;	/* by process, of the partition being read */
} AmSharing;

/* The leader makes it, in memory of this size, and has part in it */
extern Size am_share_size(int n_processes);
extern AmSharing *am_share_create(AmEventShare *shared, dsm_segment *segment, int n_processes, Size budget);
extern AmSharing *am_share_attach(AmEventShare *shared, dsm_segment *segment, int process);

/* Every process: fill a log, unless late; publish it; wait; read; leave */
extern void am_share_publish(AmSharing *sharing, AmEventLog *log);
extern void am_share_wait(AmSharing *sharing);
extern void am_share_read(AmSharing *sharing, AmEventLog *log, AmEntityVisitor visit, void *arg);
extern void am_share_leave(AmSharing *sharing);

/* Of the log itself.  Invalid where there is no room. */
extern dsa_pointer am_share_allocate(AmSharing *sharing, Size size);
extern BufFile *am_share_create_file(AmSharing *sharing);
extern BufFile *am_share_file(AmSharing *sharing, int process);

#endif							/* AM_EVENT_SHARE_H */
