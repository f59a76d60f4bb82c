/*
 * The event log's temporary file.
 *
 * The file of a partial state of a parallel plan is made in a set of files
 * that another backend can open; its reader, the leader, deletes it.  Where a
 * query ends before that, the end of the leader's transaction deletes what its
 * workers left: such sets carry the leader's process id in their name.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "events/event_file.h"

#include <dirent.h>

#include "access/parallel.h"
#include "access/xact.h"
#include "common/file_utils.h"
#include "common/relpath.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "storage/fileset.h"
#include "storage/proc.h"
#include "utils/memutils.h"

#include "events/event_share.h"

/* Names of sets that workers leave: pgsql_tmp<leader>.<tag>.fileset, tag from here up */
#define FIRST_TAG		(UINT32_C(1) << 31)

static int
leader_pid(void)
{
	if (IsParallelWorker() && MyProc->lockGroupLeader)
		return MyProc->lockGroupLeader->pid;
	return MyProcPid;
}

/* The one set of this process and transaction, for all its files that others read */
static bool set_made = false;

static FileSet *
shared_set(void)
{
	static FileSet set;

	if (!set_made)
	{
		FileSetInit(&set);
		set.creator_pid = leader_pid();
		set.number = FIRST_TAG | (uint32) MyProcPid;
		set_made = true;
	}
	return &set;
}

BufFile *
am_shared_file_create(AmSharedFile *shared)
{
	static uint32 made = 0;

	shared->set = *shared_set();
	snprintf(shared->name, sizeof(shared->name), "events.%u", made++);
	return BufFileCreateFileSet(&shared->set, shared->name);
}

void
am_event_file_create(AmEventLog *log)
{
	MemoryContext caller = MemoryContextSwitchTo(log->context);

	if (log->sharing)
		log->file = am_share_create_file(log->sharing);
	else
		log->file = log->shared ? am_shared_file_create(log->shared) : BufFileCreateTemp(false);
	MemoryContextSwitchTo(caller);
}

BufFile *
am_event_file_open(AmSharedFile *shared)
{
	return BufFileOpenFileSet(&shared->set, shared->name, O_RDONLY, false);
}

void
am_event_file_delete(AmSharedFile *shared)
{
	BufFileDeleteFileSet(&shared->set, shared->name, true);
}

static void
read_exactly(BufFile *file, void *into, size_t size)
{
	if (BufFileRead(file, into, size) != size)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read the temporary file of an event log")));
}

static AmBlock *
read_block(BufFile *file, int64 number)
{
	AmBlock		head;
	AmBlock    *block;

	if (BufFileSeekBlock(file, number) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not seek in the temporary file of an event log")));
	read_exactly(file, &head, offsetof(AmBlock, data));
	/* a damaged state may point to the middle of a block; blocks before it lie before it */
	if (head.size < BLCKSZ || head.size % BLCKSZ != 0 || head.size > MaxAllocSize ||
		head.used > head.size - offsetof(AmBlock, data) || head.previous < -1 || head.previous >= number)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("cannot read a damaged event log")));
	block = MemoryContextAllocHuge(CurrentMemoryContext, head.size);
	memcpy(block, &head, offsetof(AmBlock, data));
	read_exactly(file, block->data, head.size - offsetof(AmBlock, data));
	return block;
}

AmBlock *
am_partition_next_on_file(AmEventLog *log, AmPartition *partition, AmFilePlace *place)
{
	AmBlock    *block;

	while (place->number < 0)
	{
		place->process++;
		if (log->sharing && log->sharing->reading)
		{
			if (place->process == log->sharing->shared->n_processes)
				return NULL;
			place->number = log->sharing->last_on_file[place->process];
		}
		else
		{
			if (place->process > 0)
				return NULL;
			place->number = partition->last_on_file;
		}
	}
	block = read_block(log->sharing && log->sharing->reading ? am_share_file(log->sharing, place->process) : log->file,
					   place->number);
	place->number = block->previous;
	return block;
}

/* Deletes the sets of files in one directory that name this process as their leader */
static void
delete_left_files(const char *directory)
{
	char		prefix[64];
	DIR		   *dir = AllocateDir(directory);
	struct dirent *entry;

	if (!dir)
		return;
	snprintf(prefix, sizeof(prefix), "%s%d.", PG_TEMP_FILE_PREFIX, MyProcPid);
	while ((entry = ReadDirExtended(dir, directory, LOG)) != NULL)
	{
		char	   *end;
		unsigned long tag;
		char		path[MAXPGPATH * 2];

		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		tag = strtoul(entry->d_name + strlen(prefix), &end, 10);
		if (tag < FIRST_TAG || strcmp(end, ".fileset") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		PathNameDeleteTemporaryDir(path);
	}
	FreeDir(dir);
}

/*
 * Everywhere temporary files can be.  The catalogues cannot be asked at the
 * end of a transaction, so the tablespaces are those on disk.
 */
static void
delete_all_left_files(void)
{
	DIR		   *dir;
	struct dirent *entry;
	char		path[MAXPGPATH];

	if (IsParallelWorker())
		return;
	delete_left_files("base/" PG_TEMP_FILES_DIR);
	dir = AllocateDir("pg_tblspc");
	if (!dir)
		return;
	while ((entry = ReadDirExtended(dir, "pg_tblspc", LOG)) != NULL)
	{
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "pg_tblspc/%s/%s/%s", entry->d_name,
				 TABLESPACE_VERSION_DIRECTORY, PG_TEMP_FILES_DIR);
		delete_left_files(path);
	}
	FreeDir(dir);
}

/* No parallel plan outlives a transaction, nor can a subtransaction start under one */
static void
at_transaction_end(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	delete_all_left_files();
	set_made = false;
}

static void
at_subtransaction_end(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		delete_all_left_files();
}

void
am_event_file_init(void)
{
	RegisterXactCallback(at_transaction_end, NULL);
	RegisterSubXactCallback(at_subtransaction_end, NULL);
}
