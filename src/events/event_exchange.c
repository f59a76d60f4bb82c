/*
 * How an event log gets from a parallel worker to its leader.
 *
 * A small log travels inside the datum of the partial state.  A log over its
 * budget is in a file already, and the datum names that file.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "events/event_log.h"

#include "libpq/pqformat.h"
#include "miscadmin.h"

#include "common/memory.h"
#include "events/event_file.h"

#define STATE_VERSION	1

/* A larger log goes by file although it is in memory: a datum ends at 1 GB */
#define LARGEST_DATUM	((Size) 256 * 1024 * 1024)

bool		am_event_state_to_file = false;

static void
send_record(void *arg, const AmRecord *record)
{
	StringInfo	out = arg;

	pq_sendint64(out, record->key);
	pq_sendint64(out, record->stamp);
}

static void
send_wide_record(void *arg, const AmRecord *record)
{
	StringInfo	out = arg;
	const AmWideRecord *wide = (const AmWideRecord *) record;

	send_record(arg, record);
	pq_sendint32(out, wide->length);
	pq_sendbytes(out, wide->bytes, wide->length);
}

/*
 * Format, all integers in network order:
 *	 byte version, byte entity type, byte 'd' (data) or 'f' (file)
 *	 data: int64 records, then each: int64 key, int64 stamp [, int32 length, bytes]
 *	 file: the AmSharedFile, int32 partitions, then each: int64 last block, int64 records, int64 bytes
 */
void
am_event_log_serialize(AmEventLog *log, StringInfo out)
{
	int64		records = 0;

	pq_sendbyte(out, STATE_VERSION);
	pq_sendbyte(out, log->type);
	if (log->shared && !log->file && (am_event_state_to_file || log->allocated > LARGEST_DATUM))
		am_event_log_write_all(log);
	if (log->file && log->shared)
	{
		am_event_log_write_all(log);
		BufFileExportFileSet(log->file);
		am_event_log_close(log);
		pq_sendbyte(out, 'f');
		pq_sendbytes(out, (char *) log->shared, sizeof(AmSharedFile));
		pq_sendint32(out, log->n_partitions);
		for (int i = 0; i < log->n_partitions; i++)
		{
			pq_sendint64(out, log->partitions[i].last_on_file);
			pq_sendint64(out, log->partitions[i].records);
			pq_sendint64(out, log->partitions[i].bytes_on_file);
		}
		return;
	}

	pq_sendbyte(out, 'd');
	for (int i = 0; i < log->n_partitions; i++)
		records += log->partitions[i].records;
	pq_sendint64(out, records);
	for (int i = 0; i < log->n_partitions; i++)
		am_event_log_each_record(log, &log->partitions[i],
								 log->type == AM_ENTITY_INT64 ? send_record : send_wide_record, out);
}

static void
refuse_damaged(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("cannot read a damaged event log")));
}

typedef struct Absorbing
{
	AmEventLog *log;
	uint64		role_mask;		/* of a stamp */
	int			n_roles;
	int64		records;		/* absorbed */
} Absorbing;

/* the matcher looks roles up without asking whether they are there */
static inline void
check_stamp(const Absorbing *absorbing, uint64 stamp)
{
	if ((int) (stamp & absorbing->role_mask) >= absorbing->n_roles)
		refuse_damaged();
}

/* A block of another process's file; its records end where it ends */
static void
absorb_block(Absorbing *absorbing, const AmBlock *block)
{
	AmEventLog *log = absorbing->log;
	Size		least = log->type == AM_ENTITY_INT64 ? sizeof(AmRecord) : offsetof(AmWideRecord, bytes);
	const char *at = block->data;
	Size		left = block->used;

	CHECK_FOR_INTERRUPTS();
	if (left > block->size - offsetof(AmBlock, data))
		refuse_damaged();
	while (left > 0)
	{
		const AmRecord *record = (const AmRecord *) at;
		Size		size;

		if (left < least)
			refuse_damaged();
		size = am_record_size(log, record);
		if (left < size)
			refuse_damaged();
		check_stamp(absorbing, record->stamp);
		am_event_log_add_record(log, record);
		absorbing->records++;
		at += size;
		left -= size;
	}
}

/* A name that am_event_file_create gives, in a set that fits its type: no other file is opened, or deleted */
static bool
is_event_file(const AmSharedFile *shared)
{
	const char *number = shared->name + strlen("events.");

	return memchr(shared->name, '\0', sizeof(shared->name)) != NULL &&
		strncmp(shared->name, "events.", strlen("events.")) == 0 &&
		*number != '\0' && strspn(number, "0123456789") == strlen(number) &&
		shared->set.ntablespaces >= 0 && shared->set.ntablespaces <= (int) lengthof(shared->set.tablespaces);
}

static void
absorb_file(Absorbing *absorbing, StringInfo in)
{
	AmEventLog *log = absorbing->log;
	AmSharedFile shared;
	AmEventLog	other;
	AmPartition *partitions;
	int64		records = 0;

	memcpy(&shared, pq_getmsgbytes(in, sizeof(AmSharedFile)), sizeof(AmSharedFile));
	memset(&other, 0, sizeof(other));
	other.type = log->type;
	other.context = CurrentMemoryContext;
	other.n_partitions = (int) pq_getmsgint(in, 4);
	/* a log is partitioned before it is written */
	if (!is_event_file(&shared) || other.n_partitions != AM_PARTITIONS)
		refuse_damaged();
	partitions = other.partitions = am_palloc_array(AmPartition, other.n_partitions);
	for (int i = 0; i < other.n_partitions; i++)
	{
		memset(&partitions[i], 0, sizeof(AmPartition));
		partitions[i].last_on_file = pq_getmsgint64(in);
		partitions[i].records = pq_getmsgint64(in);
		partitions[i].bytes_on_file = pq_getmsgint64(in);
		if (partitions[i].last_on_file < -1 || partitions[i].records < 0 ||
			partitions[i].records > PG_INT64_MAX - records)
			refuse_damaged();
		records += partitions[i].records;
	}
	other.file = am_event_file_open(&shared);
	for (int i = 0; i < other.n_partitions; i++)
	{
		AmFilePlace place = AM_FILE_START;
		AmBlock    *block;

		while ((block = am_partition_next_on_file(&other, &partitions[i], &place)) != NULL)
		{
			absorb_block(absorbing, block);
			pfree(block);
		}
	}
	am_event_log_close(&other);
	/* not the file, or not the places, that the state was about */
	if (absorbing->records != records)
		refuse_damaged();
	am_event_file_delete(&shared);
	pfree(partitions);
}

/* Adds what am_event_log_serialize wrote; roles are numbered from 0 */
void
am_event_log_absorb(AmEventLog *log, StringInfo in, int role_bits, int n_roles)
{
	Absorbing	absorbing = {log, (UINT64CONST(1) << role_bits) - 1, n_roles, 0};
	int			version = pq_getmsgbyte(in);
	int			type = pq_getmsgbyte(in);
	int			where = pq_getmsgbyte(in);

	if (version != STATE_VERSION || type != (int) log->type || (where != 'd' && where != 'f'))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("cannot read an event log of version %d, type %d", version, type)));
	if (where == 'f')
		absorb_file(&absorbing, in);
	else
	{
		int64		records = pq_getmsgint64(in);

		if (records < 0 || records > (in->len - in->cursor) / (int) sizeof(AmRecord))
			refuse_damaged();
		for (int64 i = 0; i < records; i++)
		{
			uint64		key = (uint64) pq_getmsgint64(in);
			uint64		stamp = (uint64) pq_getmsgint64(in);

			if ((i & 0xffff) == 0)
				CHECK_FOR_INTERRUPTS();
			check_stamp(&absorbing, stamp);
			if (log->type == AM_ENTITY_INT64)
			{
				AmRecord	record = {key, stamp};

				am_event_log_add_record(log, &record);
			}
			else
			{
				uint32		length = pq_getmsgint(in, 4);

				am_event_log_add_bytes(log, pq_getmsgbytes(in, (int) length), length, stamp);
			}
		}
	}
}
