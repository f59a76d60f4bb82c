/*
 * The event log: (entity, time, role) records of an aggregate, kept by entity
 * without a GROUP BY of the executor.
 *
 * Records go to partitions by a hash of the entity.  A partition fits the
 * processor's cache and is grouped there at the end.  Over its budget the log
 * writes its partitions to one temporary file.  Answers depend on the set of
 * records alone, never on their order.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_EVENT_LOG_H
#define AM_EVENT_LOG_H

#include "common/compat.h"

#include "fmgr.h"
#include "datatype/timestamp.h"
#include "lib/stringinfo.h"
#include "storage/buffile.h"
#include "storage/fileset.h"
#include "utils/dsa.h"

#include "common/mix.h"
#include "events/stamps.h"

/*
 * A stamp is the time and the role of an event in one word that sorts by time;
 * how many bits are the role's is for the funnel to say.
 */

typedef enum AmEntityType
{
	AM_ENTITY_INT64 = 1,		/* the key is the entity, mixed: exact */
	AM_ENTITY_BYTES = 2			/* the key is a hash, the bytes are kept and compared */
} AmEntityType;

/* narrow records; of wide ones this is the head, followed by the entity's bytes */
typedef struct AmRecord
{
	uint64		key;
	uint64		stamp;
} AmRecord;

typedef struct AmWideRecord
{
	AmRecord	head;
	uint32		length;
	char		bytes[FLEXIBLE_ARRAY_MEMBER];
} AmWideRecord;

#define AM_WIDE_SIZE(length)	MAXALIGN(offsetof(AmWideRecord, bytes) + (length))

typedef struct AmBlock
{
	struct AmBlock *next;		/* in memory */
	int64		previous;		/* on file: number of the partition's block before, or -1 */
	dsa_pointer shared;			/* of itself; published: of the next block; invalid = memory of this process */
	uint32		size;			/* of the whole block */
	uint32		used;			/* of the data */
	char		data[FLEXIBLE_ARRAY_MEMBER];
} AmBlock;

typedef struct AmPartition
{
	char	   *next;			/* where the next record goes */
	char	   *limit;
	AmBlock    *blocks;			/* newest first; the newest's `used` is next - data */
	int64		last_on_file;	/* number of the newest block there, or -1 */
	int64		records;		/* in memory and on file */
	int64		bytes_on_file;
} AmPartition;

/* A file that another backend can open */
typedef struct AmSharedFile
{
	FileSet		set;
	char		name[32];
} AmSharedFile;

typedef struct AmEventLog
{
	AmEntityType type;
	MemoryContext context;
	Size		budget;			/* bytes, for all that the log and its reading need */
	Size		allocated;		/* in blocks */
	uint32		partition_mask;
	int			n_partitions;
	AmPartition *partitions;
	AmPartition single;			/* before the log is large enough to be partitioned */
	BufFile    *file;
	int64		file_blocks;	/* server blocks written */
	AmSharedFile *shared;		/* of a partial state: the file goes to the leader */
	struct AmSharing *sharing;	/* of processes that exchange partitions; see event_share.h */
} AmEventLog;

/* partial: of a parallel plan, to be serialised */
extern AmEventLog *am_event_log_create(MemoryContext context, AmEntityType type, bool partial);

/* Of one of several processes that share memory: partitioned from the start */
extern AmEventLog *am_event_log_create_shared(MemoryContext context, AmEntityType type, struct AmSharing *sharing, Size budget);

/* Closes the file, if any; memory goes with the context */
extern void am_event_log_close(AmEventLog *log);

extern void am_event_log_add_int64(AmEventLog *log, int64 entity, uint64 stamp);
extern void am_event_log_add_bytes(AmEventLog *log, const char *bytes, uint32 length, uint64 stamp);
extern void am_event_log_add_record(AmEventLog *log, const AmRecord *record);

static inline Size
am_record_size(const AmEventLog *log, const AmRecord *record)
{
	if (log->type == AM_ENTITY_INT64)
		return sizeof(AmRecord);
	return AM_WIDE_SIZE(((const AmWideRecord *) record)->length);
}

/*
 * Reading: `visit` gets the stamps of one entity after the other, ascending.
 * The log is empty afterwards.
 */
typedef void (*AmEntityVisitor) (void *arg, const AmStamps *stamps);
extern void am_event_log_read(AmEventLog *log, AmEntityVisitor visit, void *arg);

/* the records of a partition as they lie in memory and on file, in no order */
typedef void (*AmRecordVisitor) (void *arg, const AmRecord *record);
extern void am_event_log_each_record(AmEventLog *log, AmPartition *partition, AmRecordVisitor visit, void *arg);

/* Exchange between the workers of a parallel plan; see event_exchange.c */
extern void am_event_log_serialize(AmEventLog *log, StringInfo out);
extern void am_event_log_absorb(AmEventLog *log, StringInfo in, int role_bits, int n_roles);
extern bool am_event_state_to_file;	/* setting: small states go by file too */

#endif							/* AM_EVENT_LOG_H */
