/*
 * Aggregates over the events of one entity, for GROUP BY entity:
 * funnel_level, funnel_times, funnel_attempts.
 *
 * The state is small, since there is one for each of perhaps a million
 * entities: the stamps of the events that matter, as they came.  They are
 * sorted at the end if they did not come in order.  A state that gets large
 * goes to a temporary file; where the call itself orders by time (funnel_level
 * (at, kind, spec ORDER BY at)) it is matched as it comes instead.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "common/compat.h"

#include "access/htup_details.h"
#include "catalog/pg_operator_d.h"
#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "common/memory.h"
#include "events/stamps.h"
#include "events/time_log.h"
#include "funnel/funnel_attempt.h"

#define STATE_VERSION	1
#define FIRST_SIZE		128		/* bytes of a state; it doubles */
#define STREAM_FROM		500		/* stamps of a state in order that are kept until they are matched */

/* What is the same for all rows of a group; a query has as many as it has specifications */
typedef struct Call
{
	struct Call *next;
	AmFunnelPlan *plan;
	TimestampTz as_of;			/* DT_NOEND: none */
	TimestampTz entry_since;
	TimestampTz entry_until;
	Size		largest;		/* stamps of a state in memory */
	bool		constant;		/* the specification cannot change within the query */
	AmFunnelMatch *streaming;	/* events come in order, says the executor: they are matched as they come */
} Call;

typedef struct EntityState
{
	Call	   *call;
	AmTimeLog  *spilled;		/* all stamps of a large state, */
	AmFunnelStream *stream;		/* or what is known of those that came before these */
	uint32		n;
	uint32		max : 31;
	uint32		unsorted : 1;
	uint64		stamps[FLEXIBLE_ARRAY_MEMBER];
} EntityState;

#define STATE_SIZE(max)		(offsetof(EntityState, stamps) + (Size) (max) * sizeof(uint64))
#define MAX_FOR_SIZE(size)	(((size) - offsetof(EntityState, stamps)) / sizeof(uint64))

/* Arguments: state, at, kind, spec [, as_of, entry_since, entry_until] */
#define ARG_AT			1
#define ARG_KIND		2
#define ARG_SPEC		3
#define ARG_AS_OF		4
#define ARG_ENTRY_SINCE 5
#define ARG_ENTRY_UNTIL 6

static TimestampTz
bound_argument(FunctionCallInfo fcinfo, int arg, TimestampTz otherwise)
{
	return PG_NARGS() <= arg || PG_ARGISNULL(arg) ? otherwise : PG_GETARG_TIMESTAMPTZ(arg);
}

static inline bool
same_call(const Call *call, const text *spec, TimestampTz as_of, TimestampTz entry_since, TimestampTz entry_until)
{
	return call->as_of == as_of && call->entry_since == entry_since && call->entry_until == entry_until &&
		(call->constant || am_same_text(call->plan->text, spec));
}

/* Does the aggregate call itself order its rows by time, ascending? */
static bool
is_ordered(const Aggref *aggref)
{
	SortGroupClause *first;

	if (aggref->aggorder == NIL)
		return false;
	first = linitial(aggref->aggorder);
	return first->tleSortGroupRef == ((TargetEntry *) list_nth(aggref->args, ARG_AT - 1))->ressortgroupref &&
		first->sortop == lookup_type_cache(TIMESTAMPTZOID, TYPECACHE_LT_OPR)->lt_opr;
}

static AmFunnelMatch *
make_matcher(const Call *call)
{
	return am_funnel_match_create(call->plan->spec, am_stamp_bound(call->plan, call->as_of),
								  am_stamp_bound(call->plan, call->entry_since),
								  am_stamp_bound(call->plan, call->entry_until));
}

static Call *
make_call(FunctionCallInfo fcinfo, MemoryContext context, const text *spec,
		  TimestampTz as_of, TimestampTz entry_since, TimestampTz entry_until)
{
	MemoryContext caller = MemoryContextSwitchTo(context);
	Call	   *call = palloc0(sizeof(Call));
	Aggref	   *aggref = AggGetAggref(fcinfo);

	call->plan = am_funnel_plan_create(context, spec);
	call->as_of = as_of;
	call->entry_since = entry_since;
	call->entry_until = entry_until;
	call->largest = am_budget() / 16 / sizeof(uint64);
	if (fcinfo->flinfo->fn_expr && aggref && !DO_AGGSPLIT_COMBINE(aggref->aggsplit))
	{
		call->constant = am_is_literal(aggref, ARG_SPEC);
		if (PG_NARGS() <= ARG_AS_OF && is_ordered(aggref))
			call->streaming = make_matcher(call);
	}
	MemoryContextSwitchTo(caller);
	return call;
}

/*
 * The call of this row.  The executor's own calls are made once a query;
 * whoever calls a transition function otherwise may do without a memory that
 * outlives the row, and then every state has a call of its own.
 */
static Call *
call_of(FunctionCallInfo fcinfo, MemoryContext context, EntityState *state,
		const text *spec, TimestampTz as_of, TimestampTz entry_since, TimestampTz entry_until)
{
	Call	   *calls = fcinfo->flinfo->fn_extra;
	Call	   *call;

	if (state && same_call(state->call, spec, as_of, entry_since, entry_until))
		return state->call;
	for (call = calls; call; call = call->next)
		if (same_call(call, spec, as_of, entry_since, entry_until))
			return call;
	if (!fcinfo->flinfo->fn_expr)
		return make_call(fcinfo, context, spec, as_of, entry_since, entry_until);
	call = make_call(fcinfo, fcinfo->flinfo->fn_mcxt, spec, as_of, entry_since, entry_until);
	call->next = calls;
	fcinfo->flinfo->fn_extra = call;
	return call;
}

static void
close_spilled(Datum arg)
{
	am_time_log_end((AmTimeLog *) DatumGetPointer(arg));
}

static void
add_spilled(FunctionCallInfo fcinfo, EntityState *state, uint64 stamp)
{
	MemoryContext context;
	MemoryContext caller;
	AmTimePool *pool;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "funnel transition function called outside an aggregate");
	caller = MemoryContextSwitchTo(context);
	if (!state->spilled)
	{
		state->spilled = palloc(sizeof(AmTimeLog));
		pool = palloc(sizeof(AmTimePool));
		pool->left = am_budget() / 4;
		am_time_log_init(state->spilled, pool);
		AggRegisterCallback(fcinfo, close_spilled, PointerGetDatum(state->spilled));
		for (uint32 i = 0; i < state->n; i++)
			am_time_log_add(state->spilled, (int64) state->stamps[i]);
		state->n = 0;
	}
	am_time_log_add(state->spilled, (int64) stamp);
	MemoryContextSwitchTo(caller);
}

/* Matches what came, but for the events of the last time, which may not be all; false if that gains no room */
static bool
stream_on(FunctionCallInfo fcinfo, EntityState *state)
{
	const AmFunnelPlan *plan = state->call->plan;
	uint32		n = state->n;
	AmStamps	stamps = {0};
	AmFunnelEvents events;

	if (state->unsorted)
		am_sort_stamps(state->stamps, state->n);
	state->unsorted = false;
	while (n > 0 && state->stamps[n - 1] >> plan->role_bits == state->stamps[state->n - 1] >> plan->role_bits)
		n--;
	if (n < state->n / 2)
		return false;
	if (!state->stream)
	{
		MemoryContext context;
		MemoryContext caller;

		if (!AggCheckCallContext(fcinfo, &context))
			elog(ERROR, "funnel transition function called outside an aggregate");
		caller = MemoryContextSwitchTo(context);
		state->stream = am_funnel_stream_create(state->call->streaming);
		MemoryContextSwitchTo(caller);
		if (!state->stream)
			return false;
	}
	stamps.n = n;
	stamps.values = state->stamps;
	events = am_funnel_events(plan, &stamps);
	am_funnel_stream_add(state->call->streaming, state->stream, &events);
	state->n -= n;
	memmove(state->stamps, state->stamps + n, state->n * sizeof(uint64));
	return true;
}

static EntityState *
add_stamp(FunctionCallInfo fcinfo, EntityState *state, uint64 stamp)
{
	if (unlikely(state->n == state->max))
	{
		Size		size = 2 * STATE_SIZE(state->max);

		if (state->call->streaming && !state->spilled && state->max >= STREAM_FROM && stream_on(fcinfo, state))
			return add_stamp(fcinfo, state, stamp);
		if (state->spilled || MAX_FOR_SIZE(size) > state->call->largest || size > MaxAllocSize)
		{
			/* full for good: what comes from now on goes the same way */
			add_spilled(fcinfo, state, stamp);
			state->n = state->max;
			return state;
		}
		state = repalloc(state, size);
		state->max = (uint32) MAX_FOR_SIZE(size);
	}
	if (state->n > 0 && stamp < state->stamps[state->n - 1])
	{
		/* events of one time come in any order; what is matched already had all of its time */
		state->unsorted = true;
		if (unlikely(state->stream) &&
			stamp >> state->call->plan->role_bits < state->stamps[0] >> state->call->plan->role_bits)
			elog(ERROR, "rows of an ordered aggregate call came out of order");
	}
	state->stamps[state->n++] = stamp;
	return state;
}

static EntityState *
create_state(MemoryContext context, Call *call)
{
	EntityState *state = MemoryContextAlloc(context, FIRST_SIZE);

	state->call = call;
	state->spilled = NULL;
	state->stream = NULL;
	state->n = 0;
	state->max = (uint32) MAX_FOR_SIZE(FIRST_SIZE);
	state->unsorted = false;
	return state;
}

PG_FUNCTION_INFO_V1(am_funnel_entity_trans);
Datum
am_funnel_entity_trans(PG_FUNCTION_ARGS)
{
	EntityState *state = PG_ARGISNULL(0) ? NULL : (EntityState *) PG_GETARG_POINTER(0);
	TimestampTz as_of = DT_NOEND;
	TimestampTz entry_since = DT_NOBEGIN;
	TimestampTz entry_until = DT_NOEND;
	Call	   *call = fcinfo->flinfo->fn_extra;
	TimestampTz at;
	text	   *kind;
	int			k;

	if (PG_ARGISNULL(ARG_SPEC))
		am_funnel_refuse_null_spec();
	if (PG_NARGS() > ARG_AS_OF)
	{
		as_of = bound_argument(fcinfo, ARG_AS_OF, DT_NOEND);
		entry_since = bound_argument(fcinfo, ARG_ENTRY_SINCE, DT_NOBEGIN);
		entry_until = bound_argument(fcinfo, ARG_ENTRY_UNTIL, DT_NOEND);
	}
	/* with one call in the whole query so far, every state is of this one: no need to look into it */
	if (!state || !call || call->next ||
		!same_call(call, PG_GETARG_TEXT_PP(ARG_SPEC), as_of, entry_since, entry_until))
	{
		MemoryContext context;

		if (!AggCheckCallContext(fcinfo, &context))
			elog(ERROR, "funnel transition function called outside an aggregate");
		call = call_of(fcinfo, context, state, PG_GETARG_TEXT_PP(ARG_SPEC), as_of, entry_since, entry_until);
		if (!state)
			state = create_state(context, call);
		else if (state->call != call &&
				 !same_call(state->call, call->plan->text, as_of, entry_since, entry_until))
			am_funnel_refuse_change(am_same_text(state->call->plan->text, call->plan->text) ?
									"as_of or the range of entries" : "funnel specification");
	}

	if (PG_ARGISNULL(ARG_AT) || PG_ARGISNULL(ARG_KIND))
		PG_RETURN_POINTER(state);
	at = PG_GETARG_TIMESTAMPTZ(ARG_AT);
	if (unlikely(!am_funnel_plan_has_time(call->plan, at)))
		am_funnel_check_time(call->plan, at, "event time");
	if (at > as_of)
		PG_RETURN_POINTER(state);
	kind = PG_GETARG_TEXT_PP(ARG_KIND);
	k = am_funnel_plan_kind(call->plan, VARDATA_ANY(kind), VARSIZE_ANY_EXHDR(kind));
	if (k >= 0)
		state = add_stamp(fcinfo, state, am_stamp(call->plan, at, k));
	PG_RETURN_POINTER(state);
}

/*
 * Format: byte version, int32 length and bytes of the spec, int64 as_of,
 * entry_since, entry_until, int64 number of stamps, then each: int64.
 */
PG_FUNCTION_INFO_V1(am_funnel_entity_serial);
Datum
am_funnel_entity_serial(PG_FUNCTION_ARGS)
{
	EntityState *state;
	StringInfoData out;
	int64		stamp;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "funnel serialisation function called outside an aggregate");
	state = (EntityState *) PG_GETARG_POINTER(0);
	pq_begintypsend(&out);
	pq_sendbyte(&out, STATE_VERSION);
	pq_sendint32(&out, VARSIZE_ANY_EXHDR(state->call->plan->text));
	pq_sendbytes(&out, VARDATA_ANY(state->call->plan->text), VARSIZE_ANY_EXHDR(state->call->plan->text));
	pq_sendint64(&out, state->call->as_of);
	pq_sendint64(&out, state->call->entry_since);
	pq_sendint64(&out, state->call->entry_until);
	if (state->spilled)
	{
		if (state->spilled->total > (int64) (MaxAllocSize / 2 / sizeof(int64)))
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("an entity has too many events for a parallel plan"),
					 errdetail("It has " INT64_FORMAT ".", state->spilled->total),
					 errhint("SET max_parallel_workers_per_gather = 0.")));
		pq_sendint64(&out, state->spilled->total);
		am_time_log_start(state->spilled);
		while (am_time_log_next(state->spilled, &stamp))
			pq_sendint64(&out, stamp);
		am_time_log_end(state->spilled);
	}
	else
	{
		pq_sendint64(&out, state->n);
		for (uint32 i = 0; i < state->n; i++)
			pq_sendint64(&out, (int64) state->stamps[i]);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

static void
refuse_damaged(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("cannot read a damaged state of a funnel's entity")));
}

/* The other state is always one from am_state_deserial: partial plans serialise whatever they pass on */
PG_FUNCTION_INFO_V1(am_funnel_entity_combine);
Datum
am_funnel_entity_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	EntityState *state = PG_ARGISNULL(0) ? NULL : (EntityState *) PG_GETARG_POINTER(0);
	StringInfo	in;
	int			version;
	int			length;
	text	   *spec;
	TimestampTz as_of;
	TimestampTz entry_since;
	TimestampTz entry_until;
	int64		n;
	int			role_bits;
	Call	   *call;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "funnel combine function called outside an aggregate");
	if (PG_ARGISNULL(1))
	{
		if (!state)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	in = (StringInfo) PG_GETARG_POINTER(1);
	version = pq_getmsgbyte(in);
	if (version != STATE_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("cannot read a state of version %d of a funnel's entity", version)));
	length = (int) pq_getmsgint(in, 4);
	spec = cstring_to_text_with_len(pq_getmsgbytes(in, length), length);
	as_of = pq_getmsgint64(in);
	entry_since = pq_getmsgint64(in);
	entry_until = pq_getmsgint64(in);
	call = call_of(fcinfo, context, state, spec, as_of, entry_since, entry_until);
	if (!state)
		state = create_state(context, call);
	else if (!same_call(state->call, spec, as_of, entry_since, entry_until))
		am_funnel_refuse_change("funnel specification, as_of or the range of entries");
	n = pq_getmsgint64(in);
	if (n < 0 || n > (in->len - in->cursor) / (int) sizeof(int64))
		refuse_damaged();
	role_bits = call->plan->role_bits;
	for (int64 i = 0; i < n; i++)
	{
		uint64		stamp = (uint64) pq_getmsgint64(in);

		if ((int) (stamp & ((UINT64CONST(1) << role_bits) - 1)) >= call->plan->spec->n_roles)
			refuse_damaged();
		state = add_stamp(fcinfo, state, stamp);
	}
	pq_getmsgend(in);
	PG_RETURN_POINTER(state);
}

/* The events of a state, in order; `spool` is for those of a large one */
static AmFunnelEvents
events_of(EntityState *state, AmStampSpool *spool)
{
	AmStamps	stamps = {0};
	int64		stamp;

	if (state->spilled)
	{
		am_stamp_spool_init(spool, am_budget() / 4);
		am_time_log_start(state->spilled);
		while (am_time_log_next(state->spilled, &stamp))
			am_stamp_spool_add(spool, (uint64) stamp);
		am_time_log_end(state->spilled);
		stamps = am_stamp_spool_read(spool);
		return am_funnel_events(state->call->plan, &stamps);
	}
	if (state->unsorted)
		am_sort_stamps(state->stamps, state->n);
	state->unsorted = false;
	stamps.n = state->n;
	stamps.values = state->stamps;
	return am_funnel_events(state->call->plan, &stamps);
}

/* The matcher stays from group to group, as long as the call is the same */
typedef struct Matcher
{
	const Call *call;
	AmFunnelMatch *match;
} Matcher;

static AmFunnelMatch *
matcher(FunctionCallInfo fcinfo, const Call *call)
{
	Matcher    *kept = fcinfo->flinfo->fn_extra;

	if (!kept)
		kept = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(Matcher));
	if (kept->call != call)
	{
		MemoryContext caller;

		if (kept->match)
			am_funnel_match_free(kept->match);
		kept->match = NULL;
		caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
		kept->match = make_matcher(call);
		kept->call = call;
		MemoryContextSwitchTo(caller);
	}
	return kept->match;
}

static EntityState *
final_state(FunctionCallInfo fcinfo)
{
	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "funnel final function called outside an aggregate");
	return PG_ARGISNULL(0) ? NULL : (EntityState *) PG_GETARG_POINTER(0);
}

/* Of attempts, the furthest; of those the first */
static bool
best_attempt(FunctionCallInfo fcinfo, EntityState *state, AmFunnelAttempt *best)
{
	AmFunnelMatch *match = matcher(fcinfo, state->call);
	AmStampSpool spool = {0};
	AmFunnelEvents events = events_of(state, &spool);
	bool		totals = (state->call->plan->spec->options & AM_FUNNEL_TOTALS) != 0;
	bool		found;

	if (state->stream)
	{
		am_funnel_stream_add(match, state->stream, &events);
		return am_funnel_stream_finish(match, state->stream, best);
	}
	am_funnel_match_begin(match, &events);
	found = am_funnel_match_next(match, best);
	if (found && totals)
	{
		AmFunnelAttempt attempt;

		while (am_funnel_match_next(match, &attempt))
			if (attempt.level > best->level)
				*best = attempt;
	}
	am_stamp_spool_end(&spool);
	return found;
}

PG_FUNCTION_INFO_V1(am_funnel_level_final);
Datum
am_funnel_level_final(PG_FUNCTION_ARGS)
{
	EntityState *state = final_state(fcinfo);
	AmFunnelAttempt best;

	if (!state)
		PG_RETURN_NULL();
	PG_RETURN_INT32(best_attempt(fcinfo, state, &best) ? best.level : 0);
}

PG_FUNCTION_INFO_V1(am_funnel_times_final);
Datum
am_funnel_times_final(PG_FUNCTION_ARGS)
{
	EntityState *state = final_state(fcinfo);
	AmFunnelAttempt best;

	if (!state)
		PG_RETURN_NULL();
	if (!best_attempt(fcinfo, state, &best))
		best.taken = 0;
	PG_RETURN_ARRAYTYPE_P(am_funnel_times_array(state->call->plan, best.times, best.taken, state->call->plan->spec->n_steps));
}

PG_FUNCTION_INFO_V1(am_funnel_attempts_final);
Datum
am_funnel_attempts_final(PG_FUNCTION_ARGS)
{
	EntityState *state = final_state(fcinfo);
	Oid			row_type = get_element_type(get_fn_expr_rettype(fcinfo->flinfo));
	const AmFunnelPlan *plan;
	AmFunnelMatch *match;
	AmFunnelAttempt attempt;
	AmStampSpool spool = {0};
	AmFunnelEvents events;
	TupleDesc	columns;
	Datum	   *rows;
	int			n = 0;
	int			max = 4;

	if (!state)
		PG_RETURN_NULL();
	if (!OidIsValid(row_type))
		elog(ERROR, "funnel final function does not know its result type");
	plan = state->call->plan;
	match = matcher(fcinfo, state->call);
	events = events_of(state, &spool);
	columns = lookup_rowtype_tupdesc(row_type, -1);
	rows = palloc(max * sizeof(Datum));
	am_funnel_match_begin(match, &events);
	while (am_funnel_match_next(match, &attempt))
	{
		if (n == max)
		{
			if (n >= 1000000)
				ereport(ERROR,
						(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						 errmsg("an entity has more than %d attempts", n)));
			max *= 2;
			rows = repalloc(rows, max * sizeof(Datum));
		}
		rows[n++] = am_funnel_attempt_form(plan, &attempt, columns);
	}
	am_stamp_spool_end(&spool);
	ReleaseTupleDesc(columns);
	PG_RETURN_ARRAYTYPE_P(construct_array(rows, n, row_type, -1, false, TYPALIGN_DOUBLE));
}
