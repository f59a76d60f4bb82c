/*
 * See event_share.h.
 *
 * Processes may come late or not at all: whoever is there when the last of
 * those present has published goes on to read.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "events/event_share.h"

#include <fcntl.h>

#include "miscadmin.h"
#include "storage/lwlock.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#include "common/memory.h"

static Size
area_place(int n_processes)
{
	return MAXALIGN(add_size(offsetof(AmEventShare, logs), mul_size(n_processes, sizeof(AmSharedLog))));
}

Size
am_share_size(int n_processes)
{
	return add_size(area_place(n_processes), dsa_minimum_size());
}

static AmSharing *
make_sharing(AmEventShare *shared, int process, dsa_area *area)
{
	AmSharing  *sharing = palloc0(sizeof(AmSharing));

	sharing->shared = shared;
	sharing->process = process;
	sharing->area = area;
	sharing->files = palloc0(shared->n_processes * sizeof(BufFile *));
	sharing->last_on_file = palloc(shared->n_processes * sizeof(int64));
	sharing->late = BarrierAttach(&shared->filled) > 0;
	return sharing;
}

AmSharing *
am_share_create(AmEventShare *shared, dsm_segment *segment, int n_processes, Size budget)
{
	dsa_area   *area = dsa_create_in_place((char *) shared + area_place(n_processes), dsa_minimum_size(),
										   LWTRANCHE_PARALLEL_QUERY_DSA, segment);

	shared->n_processes = n_processes;
	shared->budget = budget;
	BarrierInit(&shared->filled, 0);
	pg_atomic_init_u32(&shared->next, 0);
	SharedFileSetInit(&shared->files, segment);
	for (int process = 0; process < n_processes; process++)
	{
		AmSharedLog *log = &shared->logs[process];

		memset(log, 0, sizeof(*log));
		for (int i = 0; i < AM_PARTITIONS; i++)
			log->partitions[i].last_on_file = -1;
	}
	/* blocks are at most half of the budgets, and some room is lost between them */
	dsa_set_size_limit(area, add_size(mul_size(n_processes, budget / 2 + budget / 16), dsa_minimum_size()));
	return make_sharing(shared, 0, area);
}

AmSharing *
am_share_attach(AmEventShare *shared, dsm_segment *segment, int process)
{
	SharedFileSetAttach(&shared->files, segment);
	return make_sharing(shared, process,
						dsa_attach_in_place((char *) shared + area_place(shared->n_processes), segment));
}

dsa_pointer
am_share_allocate(AmSharing *sharing, Size size)
{
	if (am_event_state_to_file)
		return InvalidDsaPointer;
	return dsa_allocate_extended(sharing->area, size, DSA_ALLOC_HUGE | DSA_ALLOC_NO_OOM);
}

static void
file_name(char *name, size_t size, int process)
{
	snprintf(name, size, "events.%d", process);
}

BufFile *
am_share_create_file(AmSharing *sharing)
{
	char		name[32];

	file_name(name, sizeof(name), sharing->process);
	return BufFileCreateFileSet(&sharing->shared->files.fs, name);
}

BufFile *
am_share_file(AmSharing *sharing, int process)
{
	char		name[32];

	if (!sharing->files[process])
	{
		MemoryContext caller = MemoryContextSwitchTo(GetMemoryChunkContext(sharing));

		file_name(name, sizeof(name), process);
		sharing->files[process] = BufFileOpenFileSet(&sharing->shared->files.fs, name, O_RDONLY, false);
		MemoryContextSwitchTo(caller);
	}
	return sharing->files[process];
}

/* What lies in this process's own memory the others can only see on file */
static void
write_own_blocks(AmEventLog *log, AmPartition *partition)
{
	for (AmBlock *block = partition->blocks; block; block = block->next)
		if (!DsaPointerIsValid(block->shared))
		{
			am_partition_write(log, partition);
			am_partition_free_blocks(log, partition);
			return;
		}
}

void
am_share_publish(AmSharing *sharing, AmEventLog *log)
{
	AmSharedLog *published = &sharing->shared->logs[sharing->process];

	for (int i = 0; i < AM_PARTITIONS; i++)
	{
		AmPartition *partition = &log->partitions[i];
		AmBlock    *block;

		CHECK_FOR_INTERRUPTS();
		write_own_blocks(log, partition);
		am_partition_close_block(partition);
		block = partition->blocks;
		published->partitions[i].blocks = block ? block->shared : InvalidDsaPointer;
		published->partitions[i].last_on_file = partition->last_on_file;
		published->partitions[i].records = partition->records;
		published->partitions[i].bytes_on_file = partition->bytes_on_file;
		while (block)
		{
			AmBlock    *next = block->next;

			block->shared = next ? next->shared : InvalidDsaPointer;
			block = next;
		}
		partition->blocks = NULL;
		partition->next = partition->limit = NULL;
		partition->records = 0;
	}
	log->allocated = 0;
	if (log->file)
		BufFileExportFileSet(log->file);
	am_event_log_close(log);
	published->published = true;
}

void
am_share_wait(AmSharing *sharing)
{
	BarrierArriveAndWait(&sharing->shared->filled, PG_WAIT_EXTENSION);
}

/* Brings a partition's blocks and files of all processes together */
static void
gather_partition(AmSharing *sharing, AmEventLog *log, int i, AmPartition *partition)
{
	memset(partition, 0, sizeof(*partition));
	for (int process = 0; process < sharing->shared->n_processes; process++)
	{
		AmSharedPartition *published = &sharing->shared->logs[process].partitions[i];
		dsa_pointer pointer = published->blocks;

		while (DsaPointerIsValid(pointer))
		{
			AmBlock    *block = dsa_get_address(sharing->area, pointer);
			dsa_pointer next = block->shared;

			block->shared = pointer;
			block->next = partition->blocks;
			partition->blocks = block;
			log->allocated += block->size;
			pointer = next;
		}
		sharing->last_on_file[process] = published->last_on_file;
		partition->records += published->records;
		partition->bytes_on_file += published->bytes_on_file;
	}
	/* closed: the newest block's `used` follows from it */
	if (partition->blocks)
		partition->next = partition->blocks->data + partition->blocks->used;
}

void
am_share_read(AmSharing *sharing, AmEventLog *log, AmEntityVisitor visit, void *arg)
{
	uint32		i;

	sharing->reading = true;
	while ((i = pg_atomic_fetch_add_u32(&sharing->shared->next, 1)) < AM_PARTITIONS)
	{
		AmPartition partition;

		CHECK_FOR_INTERRUPTS();
		gather_partition(sharing, log, (int) i, &partition);
		am_partition_read(log, &partition, visit, arg);
	}
	for (int process = 0; process < sharing->shared->n_processes; process++)
		if (sharing->files[process])
		{
			BufFileClose(sharing->files[process]);
			sharing->files[process] = NULL;
		}
	sharing->reading = false;
}

void
am_share_leave(AmSharing *sharing)
{
	dsa_detach(sharing->area);
	sharing->area = NULL;
}
