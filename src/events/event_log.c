/*
 * Filling the event log: blocks, partitions, and the file they go to when the
 * budget is used up.
 *
 * Half of the budget is for blocks; reading needs the rest.  A small log is
 * one chain of growing blocks, so that a query with many groups costs little
 * for each; past PARTITION_ABOVE it is split into AM_PARTITIONS chains.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "events/event_log.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "common/memory.h"
#include "events/event_file.h"
#include "events/event_share.h"

#define FIRST_BLOCK			512
#define PARTITION_ABOVE		((Size) 1024 * 1024)
/* keeps large blocks out of the chunks that a context rounds up and holds on to */
#define UNSHARED			64
#define LARGEST_BLOCK		((Size) 32 * 1024)

static void
empty_partition(AmPartition *partition)
{
	memset(partition, 0, sizeof(*partition));
	partition->last_on_file = -1;
}

AmEventLog *
am_event_log_create(MemoryContext context, AmEntityType type, bool partial)
{
	AmEventLog *log = MemoryContextAllocZero(context, sizeof(AmEventLog));

	log->type = type;
	log->context = context;
	log->budget = am_budget();
	log->n_partitions = 1;
	log->partitions = &log->single;
	empty_partition(&log->single);
	if (partial)
		log->shared = MemoryContextAllocZero(context, sizeof(AmSharedFile));
	return log;
}

static void
make_partitions(AmEventLog *log)
{
	log->partitions = MemoryContextAlloc(log->context, AM_PARTITIONS * sizeof(AmPartition));
	log->n_partitions = AM_PARTITIONS;
	log->partition_mask = AM_PARTITIONS - 1;
	for (int i = 0; i < AM_PARTITIONS; i++)
		empty_partition(&log->partitions[i]);
}

AmEventLog *
am_event_log_create_shared(MemoryContext context, AmEntityType type, AmSharing *sharing, Size budget)
{
	AmEventLog *log = am_event_log_create(context, type, false);

	log->budget = budget;
	log->sharing = sharing;
	make_partitions(log);
	return log;
}

void
am_event_log_close(AmEventLog *log)
{
	if (log->file)
		BufFileClose(log->file);
	log->file = NULL;
}

static AmBlock *
new_block(AmEventLog *log, Size size)
{
	dsa_pointer shared = log->sharing ? am_share_allocate(log->sharing, size) : InvalidDsaPointer;
	AmBlock    *block = DsaPointerIsValid(shared) ? dsa_get_address(log->sharing->area, shared) :
		MemoryContextAllocHuge(log->context, size < BLCKSZ ? size : size + UNSHARED);

	block->shared = shared;
	block->next = NULL;
	block->previous = -1;
	block->size = (uint32) size;
	block->used = 0;
	log->allocated += size;
	return block;
}

static void
free_block(AmEventLog *log, AmBlock *block)
{
	log->allocated -= block->size;
	if (DsaPointerIsValid(block->shared))
		dsa_free(log->sharing->area, block->shared);
	else
		pfree(block);
}

/* Makes an empty block the one that records go to */
static void
open_block(AmPartition *partition, AmBlock *block)
{
	partition->next = block->data;
	partition->limit = (char *) block + block->size;
}

void
am_partition_close_block(AmPartition *partition)
{
	if (partition->blocks)
		partition->blocks->used = (uint32) (partition->next - partition->blocks->data);
}

void
am_partition_free_blocks(AmEventLog *log, AmPartition *partition)
{
	while (partition->blocks)
	{
		AmBlock    *block = partition->blocks;

		partition->blocks = block->next;
		free_block(log, block);
	}
	partition->next = partition->limit = NULL;
}

static Size
standard_block(const AmEventLog *log, const AmPartition *partition)
{
	Size		size;

	if (partition == &log->single)
	{
		size = partition->blocks ? (Size) partition->blocks->size * 4 : FIRST_BLOCK;
		return Min(size, LARGEST_BLOCK);
	}
	/* a quarter of the blocks' share in current blocks, powers of two from 8 kB */
	size = LARGEST_BLOCK;
	while (size > BLCKSZ && size * AM_PARTITIONS * 4 > log->budget / 2)
		size /= 2;
	return size;
}

static void
write_block(AmEventLog *log, AmPartition *partition, AmBlock *block)
{
	if (!log->file)
		am_event_file_create(log);
	block->previous = partition->last_on_file;
	partition->last_on_file = log->file_blocks;
	partition->bytes_on_file += block->used;
	BufFileWrite(log->file, block, block->size);
	log->file_blocks += block->size / BLCKSZ;
}

/* Writes a partition's blocks; one of the usual size stays to be filled again */
void
am_partition_write(AmEventLog *log, AmPartition *partition)
{
	Size		standard = standard_block(log, partition);
	AmBlock    *keep = NULL;

	am_partition_close_block(partition);
	while (partition->blocks)
	{
		AmBlock    *block = partition->blocks;

		partition->blocks = block->next;
		if (block->used > 0)
			write_block(log, partition, block);
		if (!keep && block->size == standard)
		{
			keep = block;
			keep->next = NULL;
			keep->used = 0;
		}
		else
			free_block(log, block);
	}
	partition->blocks = keep;
	if (keep)
		open_block(partition, keep);
	else
		partition->next = partition->limit = NULL;
}

static void
visit_block(AmEventLog *log, const AmBlock *block, AmRecordVisitor visit, void *arg)
{
	const char *at = block->data;

	CHECK_FOR_INTERRUPTS();
	while (at < block->data + block->used)
	{
		const AmRecord *record = (const AmRecord *) at;

		visit(arg, record);
		at += am_record_size(log, record);
	}
}

void
am_event_log_each_record(AmEventLog *log, AmPartition *partition, AmRecordVisitor visit, void *arg)
{
	AmFilePlace place = AM_FILE_START;
	AmBlock    *from_file;

	am_partition_close_block(partition);
	for (AmBlock *block = partition->blocks; block; block = block->next)
		visit_block(log, block, visit, arg);
	while ((from_file = am_partition_next_on_file(log, partition, &place)) != NULL)
	{
		visit_block(log, from_file, visit, arg);
		pfree(from_file);
	}
}

static void
add_visited(void *arg, const AmRecord *record)
{
	am_event_log_add_record((AmEventLog *) arg, record);
}

static void
partition_log(AmEventLog *log)
{
	AmPartition single = log->single;

	am_partition_close_block(&single);
	empty_partition(&log->single);
	make_partitions(log);

	/* the old blocks are not the log's any more while they are read */
	for (AmBlock *block = single.blocks; block; block = block->next)
		log->allocated -= block->size;
	am_event_log_each_record(log, &single, add_visited, log);
	for (AmBlock *block = single.blocks; block; block = block->next)
		log->allocated += block->size;
	am_partition_free_blocks(log, &single);
}

void
am_event_log_write_all(AmEventLog *log)
{
	if (log->partitions == &log->single)
		partition_log(log);
	for (int i = 0; i < log->n_partitions; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (log->partitions[i].blocks)
			am_partition_write(log, &log->partitions[i]);
	}
}

static void
make_room(AmEventLog *log, AmPartition *partition, Size size)
{
	Size		standard;
	Size		wanted;
	AmBlock    *block;

	/* a partition's share must be small enough to be grouped in what is left for reading */
	if (partition == &log->single && log->allocated >= Min(PARTITION_ABOVE, log->budget / 16))
	{
		partition_log(log);
		return;
	}

	standard = standard_block(log, partition);
	wanted = standard;
	if (size > standard - offsetof(AmBlock, data))
		wanted = TYPEALIGN(BLCKSZ, size + offsetof(AmBlock, data));
	if (wanted > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("an entity of %zu bytes is too long", size)));

	am_partition_close_block(partition);
	if (partition != &log->single)
	{
		/* once there is a file, only records too long for the usual block can take more */
		if ((!log->file || wanted > standard) && log->allocated + wanted > log->budget / 2)
			am_event_log_write_all(log);
		else if (log->file)
			am_partition_write(log, partition);
		/* what was written left an empty block */
		if (log->file && partition->blocks && wanted == standard)
			return;
	}
	block = new_block(log, wanted);
	block->next = partition->blocks;
	partition->blocks = block;
	open_block(partition, block);
}

/* Finds the place of a record of this key and size */
static inline char *
reserve(AmEventLog *log, uint64 key, Size size)
{
	AmPartition *partition = &log->partitions[key & log->partition_mask];
	char	   *place;

	while (unlikely((Size) (partition->limit - partition->next) < size))
	{
		make_room(log, partition, size);
		/* the log may have been partitioned just now */
		partition = &log->partitions[key & log->partition_mask];
	}
	place = partition->next;
	partition->next += size;
	partition->records++;
	return place;
}

void
am_event_log_add_int64(AmEventLog *log, int64 entity, uint64 stamp)
{
	uint64		key = am_mix64((uint64) entity);
	AmRecord   *record = (AmRecord *) reserve(log, key, sizeof(AmRecord));

	record->key = key;
	record->stamp = stamp;
}

void
am_event_log_add_bytes(AmEventLog *log, const char *bytes, uint32 length, uint64 stamp)
{
	uint64		key = hash_bytes_extended((const unsigned char *) bytes, (int) length, 0);
	Size		size = AM_WIDE_SIZE(length);
	AmWideRecord *record = (AmWideRecord *) reserve(log, key, size);

	record->head.key = key;
	record->head.stamp = stamp;
	record->length = length;
	memcpy(record->bytes, bytes, length);
	/* blocks go to files whole: no stray bytes of memory with them */
	memset(record->bytes + length, 0, size - offsetof(AmWideRecord, bytes) - length);
}

void
am_event_log_add_record(AmEventLog *log, const AmRecord *record)
{
	Size		size = am_record_size(log, record);

	memcpy(reserve(log, record->key, size), record, size);
}
