/*
 * What refresh() has to know of transactions: since when the oldest one that
 * is open has been, and whether its own may be committed.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "common/compat.h"

#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/backend_status.h"
#include "utils/timestamp.h"

/* numbered from 1, without gaps */
#if PG_VERSION_NUM >= 160000
#define local_entry(i) pgstat_get_local_beentry_by_index(i)
#else
#define local_entry(i) pgstat_fetch_stat_local_beentry(i)
#endif

PG_FUNCTION_INFO_V1(am_oldest_transaction_start);
PG_FUNCTION_INFO_V1(am_refresh_may_commit);

/*
 * Transactions count that have neither an xid nor a snapshot: they may write
 * later, and now() will be their start.  Ours counts for the same reason, and
 * because nothing of ours is older than what we read here.
 */
Datum
am_oldest_transaction_start(PG_FUNCTION_ARGS)
{
	TimestampTz oldest = GetCurrentTransactionStartTimestamp();
	int			n;

	/* the server keeps what it read first until the transaction ends */
	pgstat_clear_backend_activity_snapshot();
	n = pgstat_fetch_stat_numbackends();
	for (int i = 1; i <= n; i++)
	{
		const LocalPgBackendStatus *local = local_entry(i);
		const PgBackendStatus *backend;
		TimestampTz start;

		if (local == NULL)
			continue;
		backend = &local->backendStatus;
		/* autovacuum writes no rows */
		if (backend->st_databaseid != MyDatabaseId || backend->st_backendType == B_AUTOVAC_WORKER)
			continue;
		start = backend->st_xact_start_timestamp;
		if (start == 0)
		{
			/* with track_activities off nothing is told, not even that it is idle */
			if (backend->st_state != STATE_DISABLED
				&& !(backend->st_state == STATE_UNDEFINED && TransactionIdIsValid(local->backend_xid)))
				continue;
			start = backend->st_proc_start_timestamp;
		}
		if (start < oldest)
			oldest = start;
	}
	PG_RETURN_TIMESTAMPTZ(oldest);
}

/*
 * A procedure, since CALL tells those whether they may commit: not within a
 * transaction block, a function, or a procedure that was called by one.
 */
Datum
am_refresh_may_commit(PG_FUNCTION_ARGS)
{
	bool		atomic = true;

	if (fcinfo->context && IsA(fcinfo->context, CallContext))
		atomic = castNode(CallContext, fcinfo->context)->atomic;
	if (RecoveryInProgress() || XactReadOnly)
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("refresh writes and cannot run in a read-only transaction"),
				 errhint("%s", RecoveryInProgress() ?
						 "This server is a standby: refresh on the primary, the values come here." :
						 "SET default_transaction_read_only = off first; metric_values() reads without writing.")));
	if (atomic || IsSubTransaction())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("refresh commits after each metric and cannot run inside a transaction block, a function or a block with EXCEPTION"),
				 errhint("CALL it on its own, with autocommit on; or SELECT activity_metrics.refresh_in_transaction(...), which does the same in one transaction.")));
	PG_RETURN_VOID();
}
