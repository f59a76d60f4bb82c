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
absorb_visited(void *arg, const AmRecord *record)
{
	am_event_log_add_record((AmEventLog *) arg, record);
}

static void
absorb_log(AmEventLog *log, AmEventLog *other)
{
	for (int i = 0; i < other->n_partitions; i++)
		am_event_log_each_record(other, &other->partitions[i], absorb_visited, log);
}

static void
absorb_file(AmEventLog *log, StringInfo in)
{
	AmSharedFile shared;
	AmEventLog	other;
	AmPartition *partitions;

	memcpy(&shared, pq_getmsgbytes(in, sizeof(AmSharedFile)), sizeof(AmSharedFile));
	memset(&other, 0, sizeof(other));
	other.type = log->type;
	other.context = CurrentMemoryContext;
	other.n_partitions = (int) pq_getmsgint(in, 4);
	partitions = other.partitions = am_palloc_array(AmPartition, other.n_partitions);
	for (int i = 0; i < other.n_partitions; i++)
	{
		memset(&partitions[i], 0, sizeof(AmPartition));
		partitions[i].last_on_file = pq_getmsgint64(in);
		partitions[i].records = pq_getmsgint64(in);
		partitions[i].bytes_on_file = pq_getmsgint64(in);
	}
	other.file = am_event_file_open(&shared);
	absorb_log(log, &other);
	am_event_log_close(&other);
	am_event_file_delete(&shared);
	pfree(partitions);
}

/* Adds what am_event_log_serialize wrote */
void
am_event_log_absorb(AmEventLog *log, StringInfo in)
{
	int			version = pq_getmsgbyte(in);
	int			type = pq_getmsgbyte(in);
	int			where = pq_getmsgbyte(in);

	if (version != STATE_VERSION || type != (int) log->type || (where != 'd' && where != 'f'))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("cannot read an event log of version %d, type %d", version, type)));
	if (where == 'f')
		absorb_file(log, in);
	else
	{
		int64		records = pq_getmsgint64(in);

		for (int64 i = 0; i < records; i++)
		{
			uint64		key = (uint64) pq_getmsgint64(in);
			uint64		stamp = (uint64) pq_getmsgint64(in);

			if ((i & 0xffff) == 0)
				CHECK_FOR_INTERRUPTS();
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
