/*
 * A funnel over a plain table or the branches of a query, by several processes.
 *
 * Each scans its share of them into its own event log; then they
 * exchange partitions (see event_share.h), and each counts the entities of
 * those it takes.  The leader works as the others do and adds their counts to
 * its own.  The plan of an aggregate could not do that: its workers have no
 * way to give one another what belongs together.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "funnel/funnel_parallel.h"

#ifndef WIN32
#include <dlfcn.h>
#endif

#include "access/parallel.h"
#include "access/relation.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/instrument.h"
#include "miscadmin.h"
#include "nodes/nodes.h"
#include "optimizer/cost.h"
#include "optimizer/paths.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "common/memory.h"
#include "events/event_share.h"
#include "funnel/funnel_rows.h"

enum
{
	KEY_WORK = 1, KEY_SPEC, KEY_SHARE, KEY_SCAN, KEY_PLAN, KEY_PLAN_TEXT, KEY_NEWS, KEY_TALLIES, KEY_QUERY, KEY_BUFFERS, KEY_WAL
};

typedef struct SharedWork
{
	AmFunnelQuestion question;
	AmFunnelSeen seen;
	/* flags by process follow: its news and its tally are there */
	bool		reported[FLEXIBLE_ARRAY_MEMBER];
} SharedWork;

/* What the processes share, as one of them sees it */
typedef struct Work
{
	SharedWork *shared;
	text	   *spec_text;
	AmSharing  *sharing;
	AmKindNews *news;			/* of all processes, by process and kind */
	char	   *tallies;		/* AmSharedTally, by process */
} Work;

/*
 * The file this module was loaded from.  Workers look the module up before
 * they know the session's settings, so a name relative to
 * dynamic_library_path would not do.
 */
static const char *
this_library(void)
{
#ifndef WIN32
	Dl_info		info;

	if (dladdr((void *) am_funnel_worker, &info) != 0 && info.dli_fname)
		return info.dli_fname;
#endif
	return "$libdir/activity_metrics";
}

static AmSharedTally *
tally_of(const Work *work, const AmFunnelSpec *spec, int process)
{
	return (AmSharedTally *) (work->tallies + process * am_funnel_shared_size(spec));
}

/* As many as the planner would take */
static int
workers_for(const AmFunnelSource *source)
{
	int			workers;

	if (!IsUnderPostmaster || IsParallelWorker() || IsInParallelMode())
		return 0;
	if (source->query)
		return source->plan.shareable ? am_query_workers(source->query) : 0;
	if (RelationUsesLocalBuffers(source->relation))
		return 0;
	workers = RelationGetParallelWorkers(source->relation, -1);
	return workers < 0 ? am_workers_for_pages(RelationGetNumberOfBlocks(source->relation)) :
		Min(workers, max_parallel_workers_per_gather);
}

/* What each process does, from its share of the table to its counts */
static AmFunnelState *
do_share(Work *work, const AmFunnelSource *source, AmFunnelReading *reading)
{
	SharedWork *shared = work->shared;
	AmSharing  *sharing = work->sharing;
	AmFunnelState *state =
		am_funnel_question_state(&shared->question, work->spec_text,
								 am_event_log_create_shared(CurrentMemoryContext, am_funnel_entity_type(&shared->question),
															sharing, sharing->shared->budget));

	if (!sharing->late)
	{
		am_funnel_fill(&shared->question, state, source);
		am_share_publish(sharing, state->log);
		am_funnel_seen_exchange(&shared->seen, state);
		am_share_wait(sharing);
	}
	/* nobody changes it any more */
	am_funnel_state_add_latest(state, shared->seen.has_events, shared->seen.latest);
	am_funnel_start_reading(state, reading);
	am_share_read(sharing, state->log, am_funnel_match_entity, reading);
	am_funnel_match_free(reading->match);
	return state;
}

void
am_funnel_worker(dsm_segment *segment, shm_toc *toc)
{
	int			process = ParallelWorkerNumber + 1;
	Work		work;
	AmFunnelSource source;
	AmFunnelReading *reading = palloc(sizeof(AmFunnelReading));
	AmFunnelState *state;
	BufferUsage *buffers = shm_toc_lookup(toc, KEY_BUFFERS, false);
	WalUsage   *wal = shm_toc_lookup(toc, KEY_WAL, false);

	debug_query_string = shm_toc_lookup(toc, KEY_QUERY, true);
	pgstat_report_activity(STATE_RUNNING, debug_query_string);

	work.shared = shm_toc_lookup(toc, KEY_WORK, false);
	work.spec_text = shm_toc_lookup(toc, KEY_SPEC, false);
	work.news = shm_toc_lookup(toc, KEY_NEWS, false);
	work.tallies = shm_toc_lookup(toc, KEY_TALLIES, false);
	work.sharing = am_share_attach(shm_toc_lookup(toc, KEY_SHARE, false), segment, process);

	InstrStartParallelQuery();
	memset(&source, 0, sizeof(source));
	source.seen = &work.shared->seen;
	if (OidIsValid(work.shared->question.table))
	{
		source.relation = relation_open(work.shared->question.table, AccessShareLock);
		source.shared_scan = shm_toc_lookup(toc, KEY_SCAN, false);
	}
	else
	{
		source.query_text = shm_toc_lookup(toc, KEY_PLAN_TEXT, false);
		source.plan.statement = stringToNode(shm_toc_lookup(toc, KEY_PLAN, false));
		source.query = am_query_scan_begin(source.plan.statement, source.query_text);
		source.shared_query = shm_toc_lookup(toc, KEY_SCAN, false);
	}
	state = do_share(&work, &source, reading);
	if (source.query)
		am_query_scan_end(source.query);
	else
		relation_close(source.relation, AccessShareLock);
	memcpy(&work.news[process * state->plan->spec->n_kinds], state->news, state->plan->spec->n_kinds * sizeof(AmKindNews));
	am_funnel_tally_share(&reading->tally, work.sharing, tally_of(&work, state->plan->spec, process));
	InstrEndParallelQuery(&buffers[ParallelWorkerNumber], &wal[ParallelWorkerNumber]);
	/* read by the leader after this process has ended */
	work.shared->reported[process] = true;
	am_share_leave(work.sharing);
}

/* Shared memory of a size, found under a key */
static void *
place_of(ParallelContext *context, int key, Size size)
{
	void	   *place = shm_toc_allocate(context->toc, size);

	shm_toc_insert(context->toc, key, place);
	return place;
}

static void
estimate(ParallelContext *context, Size size)
{
	shm_toc_estimate_chunk(&context->estimator, size);
	shm_toc_estimate_keys(&context->estimator, 1);
}

bool
am_funnel_parallel(const AmFunnelQuestion *question, text *spec_text, AmFunnelSource *source,
				   TupleDesc columns, HeapTuple *steps, int *n_steps)
{
	int			workers = workers_for(source);
	int			processes = workers + 1;
	AmFunnelSpec *spec;
	int			n_kinds;
	Work		work;
	ParallelContext *context;
	BufferUsage *buffers;
	WalUsage   *wal;
	AmFunnelReading *reading;
	AmFunnelState *state;
	Size		work_size = add_size(offsetof(SharedWork, reported), mul_size(processes, sizeof(bool)));
	Size		spec_size = VARHDRSZ + VARSIZE_ANY_EXHDR(spec_text);
	char	   *plan_text = NULL;
	Size		scan_size;
	Size		news_size;
	Size		tallies_size;
	Size		query_size = debug_query_string ? strlen(debug_query_string) + 1 : 0;

	if (workers == 0)
		return false;
	/* a fault of the specification is to be found before there are workers */
	spec = am_funnel_parse(spec_text);
	n_kinds = spec->n_kinds;
	tallies_size = mul_size(processes, am_funnel_shared_size(spec));
	scan_size = source->query ? am_query_share_size(source->query, source->snapshot) :
		table_parallelscan_estimate(source->relation, source->snapshot);
	if (source->query)
		plan_text = nodeToString(source->plan.statement);
	news_size = mul_size(mul_size(processes, n_kinds), sizeof(AmKindNews));

	EnterParallelMode();
	context = CreateParallelContext(this_library(), "am_funnel_worker", workers);
	estimate(context, work_size);
	estimate(context, spec_size);
	estimate(context, am_share_size(processes));
	estimate(context, scan_size);
	estimate(context, news_size);
	estimate(context, tallies_size);
	estimate(context, mul_size(workers, sizeof(BufferUsage)));
	estimate(context, mul_size(workers, sizeof(WalUsage)));
	if (query_size > 0)
		estimate(context, query_size);
	if (plan_text)
	{
		estimate(context, strlen(plan_text) + 1);
		estimate(context, strlen(source->query_text) + 1);
	}
	InitializeParallelDSM(context);
	if (!context->seg)
	{
		DestroyParallelContext(context);
		ExitParallelMode();
		return false;
	}

	work.shared = place_of(context, KEY_WORK, work_size);
	memset(work.shared, 0, work_size);
	work.shared->question = *question;
	am_funnel_seen_init(&work.shared->seen, spec);
	source->seen = &work.shared->seen;
	work.spec_text = place_of(context, KEY_SPEC, spec_size);
	SET_VARSIZE(work.spec_text, spec_size);
	memcpy(VARDATA(work.spec_text), VARDATA_ANY(spec_text), VARSIZE_ANY_EXHDR(spec_text));
	/* all processes together stay within the budget of one, but for the least that each needs */
	work.sharing = am_share_create(place_of(context, KEY_SHARE, am_share_size(processes)), context->seg, processes,
								   Max(am_budget() / processes, AM_BUDGET_FLOOR));
	if (source->query)
	{
		source->shared_query = place_of(context, KEY_SCAN, scan_size);
		am_query_share_init(source->query, source->shared_query, source->snapshot);
		strcpy(place_of(context, KEY_PLAN, strlen(plan_text) + 1), plan_text);
		strcpy(place_of(context, KEY_PLAN_TEXT, strlen(source->query_text) + 1), source->query_text);
	}
	else
	{
		source->shared_scan = place_of(context, KEY_SCAN, scan_size);
		table_parallelscan_initialize(source->relation, source->shared_scan, source->snapshot);
	}
	work.news = place_of(context, KEY_NEWS, news_size);
	work.tallies = place_of(context, KEY_TALLIES, tallies_size);
	memset(work.tallies, 0, tallies_size);
	buffers = place_of(context, KEY_BUFFERS, mul_size(workers, sizeof(BufferUsage)));
	wal = place_of(context, KEY_WAL, mul_size(workers, sizeof(WalUsage)));
	if (query_size > 0)
		memcpy(place_of(context, KEY_QUERY, query_size), debug_query_string, query_size);

	LaunchParallelWorkers(context);
	reading = palloc(sizeof(AmFunnelReading));
	state = do_share(&work, source, reading);
	am_funnel_tally_prepare(&reading->tally);
	WaitForParallelWorkersToFinish(context);
	if (source->query)
		ereport(DEBUG1,
				(errmsg_internal("funnel of a query: %d workers and the leader", context->nworkers_launched)));
	else
		ereport(DEBUG1,
				(errmsg_internal("funnel of table \"%s\": %d workers and the leader",
								 RelationGetRelationName(source->relation), context->nworkers_launched)));

	for (int process = 1; process <= context->nworkers_launched; process++)
	{
		if (!work.shared->reported[process])
			elog(ERROR, "a worker of a funnel has ended without a result");
		for (int i = 0; i < n_kinds; i++)
		{
			const AmKindNews *news = &work.news[process * n_kinds + i];

			am_funnel_state_add_news(state, i, news->events, news->candidate, news->distance >= 0 ? news->length : 0);
		}
		am_funnel_tally_adopt(&reading->tally, work.sharing, tally_of(&work, spec, process));
		InstrAccumParallelQuery(&buffers[process - 1], &wal[process - 1]);
	}
	am_funnel_form_rows(&reading->tally, am_funnel_absent_kinds, state, columns, steps);
	*n_steps = spec->n_steps;
	am_share_leave(work.sharing);
	DestroyParallelContext(context);
	ExitParallelMode();
	return true;
}
