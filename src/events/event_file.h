/*
 * The event log's temporary file, and the parts of the log that only the
 * files of this folder touch.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_EVENT_FILE_H
#define AM_EVENT_FILE_H

#include "events/event_log.h"

#define AM_PARTITIONS	256

extern void am_event_file_create(AmEventLog *log);

/* A file of a partial state, which its reader deletes; in memory of the caller's */
extern BufFile *am_shared_file_create(AmSharedFile *shared);
extern BufFile *am_event_file_open(AmSharedFile *shared);
extern void am_event_file_delete(AmSharedFile *shared);

/* A partition's blocks on file, each in memory of the caller's; NULL after the last */
typedef struct AmFilePlace
{
	int			process;		/* whose file */
	int64		number;			/* of the next block, or -1 */
} AmFilePlace;

#define AM_FILE_START	{-1, -1}
extern AmBlock *am_partition_next_on_file(AmEventLog *log, AmPartition *partition, AmFilePlace *place);

/* Called at the start of the module: the end of a transaction deletes what its workers left */
extern void am_event_file_init(void);

extern void am_partition_close_block(AmPartition *partition);
extern void am_partition_free_blocks(AmEventLog *log, AmPartition *partition);
extern void am_partition_read(AmEventLog *log, AmPartition *partition, AmEntityVisitor visit, void *arg);
extern void am_partition_write(AmEventLog *log, AmPartition *partition);
extern void am_event_log_write_all(AmEventLog *log);

#endif							/* AM_EVENT_FILE_H */
