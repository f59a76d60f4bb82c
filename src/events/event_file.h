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

extern void am_event_file_create(AmEventLog *log);
extern BufFile *am_event_file_open(AmSharedFile *shared);
extern void am_event_file_delete(AmSharedFile *shared);

/* A block of the file, in memory of the caller's */
extern AmBlock *am_event_file_read(BufFile *file, int64 number);

/* Called at the start of the module: the end of a transaction deletes what its workers left */
extern void am_event_file_init(void);

extern void am_partition_close_block(AmPartition *partition);
extern void am_partition_free_blocks(AmEventLog *log, AmPartition *partition);
extern void am_event_log_write_all(AmEventLog *log);

#endif							/* AM_EVENT_FILE_H */
