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
#include "catalog/pg_tablespace_d.h"
#include "common/file_perm.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "storage/fileset.h"
#include "storage/proc.h"

#define FILE_NAME		"am_events"

/* Names of sets that workers leave: pgsql_tmp<leader>.<tag>.fileset, tag from here up */
#define FIRST_TAG		(UINT32_C(1) << 31)

static bool leader_may_own_files = false;

static int
leader_pid(void)
{
	if (IsParallelWorker() && MyProc->lockGroupLeader)
		return MyProc->lockGroupLeader->pid;
	return MyProcPid;
}

void
am_event_file_create(AmEventLog *log)
{
	MemoryContext caller = MemoryContextSwitchTo(log->context);

	if (log->fileset)
	{
		static uint32 made = 0;

		FileSetInit(log->fileset);
		log->fileset->creator_pid = leader_pid();
		/* unique among the workers of a leader: by worker process and file of it */
		log->fileset->number = FIRST_TAG | ((uint32) MyProcPid & 0x3fffff) << 9 | (made++ & 0x1ff);
		log->file = BufFileCreateFileSet(log->fileset, FILE_NAME);
	}
	else
		log->file = BufFileCreateTemp(false);
	MemoryContextSwitchTo(caller);
}

static void
read_exactly(BufFile *file, void *into, size_t size)
{
	if (BufFileRead(file, into, size) != size)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read the temporary file of an event log")));
}

AmBlock *
am_event_file_read(BufFile *file, int64 number)
{
	AmBlock		head;
	AmBlock    *block;

	if (BufFileSeekBlock(file, number) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not seek in the temporary file of an event log")));
	read_exactly(file, &head, offsetof(AmBlock, data));
	block = MemoryContextAllocHuge(CurrentMemoryContext, head.size);
	memcpy(block, &head, offsetof(AmBlock, data));
	read_exactly(file, block->data, head.size - offsetof(AmBlock, data));
	return block;
}

void
am_event_file_expect(void)
{
	leader_may_own_files = true;
}

BufFile *
am_event_file_open(FileSet *fileset)
{
	return BufFileOpenFileSet(fileset, FILE_NAME, O_RDONLY, false);
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

static void
clean_up_exchange(XactEvent event, void *arg)
{
	Oid			tablespaces[8];
	int			n;
	char		path[MAXPGPATH];

	if (IsParallelWorker() ||
		(event != XACT_EVENT_ABORT && !(event == XACT_EVENT_COMMIT && leader_may_own_files)))
		return;
	leader_may_own_files = false;
	TempTablespacePath(path, DEFAULTTABLESPACE_OID);
	delete_left_files(path);
	n = TempTablespacesAreSet() ? GetTempTablespaces(tablespaces, lengthof(tablespaces)) : 0;
	for (int i = 0; i < n; i++)
		if (OidIsValid(tablespaces[i]))
		{
			TempTablespacePath(path, tablespaces[i]);
			delete_left_files(path);
		}
}

void
am_event_file_init(void)
{
	RegisterXactCallback(clean_up_exchange, NULL);
}
