/*
 * funnel(entity, at, kind, spec [, as_of [, entry_until]]): SQL glue.
 *
 * The aggregate groups by entity itself (see event_log.h), so it needs no
 * GROUP BY.  Kinds become roles of the specification on the way in; events of
 * other kinds are dropped, but their times count for the data's end.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "common/compat.h"

#include "common/hashfn.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"
#include "utils/varlena.h"

#include "events/event_log.h"
#include "funnel/funnel_match.h"
#include "funnel/funnel_plan.h"
#include "funnel/funnel_rows.h"
#include "funnel/funnel_tally.h"

#define STATE_VERSION		1
#define LONGEST_CANDIDATE	63	/* bytes of a kind that can be suggested */
#define STRANGERS			64	/* kinds outside the spec remembered to have been compared */

/* A kind of the spec: whether it occurs, and if not, the present kind most like it */
typedef struct KindNews
{
	int64		events;
	int			distance;		/* of the candidate; -1 = none yet */
	int			length;
	char		candidate[LONGEST_CANDIDATE];
} KindNews;

typedef struct FunnelState
{
	AmFunnelPlan *plan;
	bool		has_as_of;
	TimestampTz as_of;
	TimestampTz entry_since;	/* attempts start in [entry_since, entry_until) */
	TimestampTz entry_until;
	bool		has_events;
	TimestampTz latest;			/* time of any event, of any kind */
	KindNews   *news;			/* by kind */
	int			n_absent;		/* kinds of the spec without an event so far */
	uint64	   *strangers;		/* hashes of kinds outside the spec */
	AmEventLog *log;
} FunnelState;

static FunnelState *
create_state(MemoryContext context, const text *spec_text, AmEntityType type, bool partial)
{
	FunnelState *state = MemoryContextAllocZero(context, sizeof(FunnelState));
	int			n_kinds;

	state->plan = am_funnel_plan_create(context, spec_text);
	n_kinds = state->plan->spec->n_kinds;
	state->entry_since = DT_NOBEGIN;
	state->entry_until = DT_NOEND;
	state->news = MemoryContextAllocZero(context, n_kinds * sizeof(KindNews));
	for (int i = 0; i < n_kinds; i++)
		state->news[i].distance = -1;
	state->n_absent = n_kinds;
	state->log = am_event_log_create(context, type, partial);
	return state;
}

static void
shut_down(Datum arg)
{
	am_event_log_close(((FunnelState *) DatumGetPointer(arg))->log);
}

/* Lower case by bytes, so that Call is near to call */
static int
fold(const char *from, int length, char *to)
{
	for (int i = 0; i < length; i++)
		to[i] = (char) pg_tolower((unsigned char) from[i]);
	return length;
}

/* Takes a candidate for an absent kind if it is nearer, or as near and first in order of bytes */
static void
suggest(const AmFunnelKind *kind, KindNews *news, const char *name, int length)
{
	char		wanted[LONGEST_CANDIDATE];
	char		present[LONGEST_CANDIDATE];
	int			distance;

	if (kind->length > LONGEST_CANDIDATE || length > LONGEST_CANDIDATE)
		return;
	fold(kind->name, kind->length, wanted);
	fold(name, length, present);
	if (news->distance < 0)
		distance = varstr_levenshtein(wanted, kind->length, present, length, 1, 1, 1, true);
	else
	{
		int			order;

		/* cheap where it is not nearer than what there is */
		distance = varstr_levenshtein_less_equal(wanted, kind->length, present, length, 1, 1, 1,
												 news->distance, true);
		order = memcmp(name, news->candidate, Min(length, news->length));
		if (order == 0)
			order = length - news->length;
		if (distance > news->distance || (distance == news->distance && order >= 0))
			return;
	}
	news->distance = distance;
	news->length = length;
	memcpy(news->candidate, name, length);
}

/* A kind that the spec does not name: perhaps what was meant by one it names in vain */
static void
meet_stranger(FunnelState *state, const char *name, int length)
{
	uint64		hash = hash_bytes_extended((const unsigned char *) name, length, 0) | 1;
	uint64	   *known;

	if (!state->strangers)
		state->strangers = MemoryContextAllocZero(state->log->context, STRANGERS * sizeof(uint64));
	known = &state->strangers[(hash >> 32) % STRANGERS];
	if (*known == hash)
		return;
	*known = hash;
	for (int i = 0; i < state->plan->spec->n_kinds; i++)
		if (state->news[i].events == 0)
			suggest(&state->plan->spec->kinds[i], &state->news[i], name, length);
}

/* Arguments: state, entity, at, kind, spec [, as_of [, entry_since, entry_until]] */
#define ARG_ENTITY		1
#define ARG_AT			2
#define ARG_KIND		3
#define ARG_SPEC		4
#define ARG_AS_OF		5
#define ARG_ENTRY_SINCE 6
#define ARG_ENTRY_UNTIL 7

static TimestampTz
entry_bound(FunctionCallInfo fcinfo, int arg)
{
	if (!PG_ARGISNULL(arg))
		return PG_GETARG_TIMESTAMPTZ(arg);
	return arg == ARG_ENTRY_SINCE ? DT_NOBEGIN : DT_NOEND;
}

static FunnelState *
first_row(FunctionCallInfo fcinfo, AmEntityType type)
{
	MemoryContext context;
	Aggref	   *aggref;
	FunnelState *state;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "funnel transition function called outside an aggregate");
	aggref = AggGetAggref(fcinfo);
	state = create_state(context, PG_GETARG_TEXT_PP(ARG_SPEC), type,
						 aggref && DO_AGGSPLIT_SERIALIZE(aggref->aggsplit));
	if (PG_NARGS() > ARG_AS_OF && !PG_ARGISNULL(ARG_AS_OF))
	{
		state->has_as_of = true;
		state->as_of = PG_GETARG_TIMESTAMPTZ(ARG_AS_OF);
		am_funnel_check_time(state->plan, state->as_of, "as_of");
	}
	if (PG_NARGS() > ARG_ENTRY_UNTIL)
	{
		state->entry_since = entry_bound(fcinfo, ARG_ENTRY_SINCE);
		state->entry_until = entry_bound(fcinfo, ARG_ENTRY_UNTIL);
	}
	AggRegisterCallback(fcinfo, shut_down, PointerGetDatum(state));
	return state;
}

static pg_attribute_always_inline Datum
transition(FunctionCallInfo fcinfo, AmEntityType type, bool uuid)
{
	FunnelState *state;
	text	   *spec_text;
	text	   *kind;
	int			k;
	TimestampTz at;
	uint64		stamp;

	if (PG_ARGISNULL(ARG_SPEC))
		am_funnel_refuse_null_spec();
	if (PG_ARGISNULL(0))
		state = first_row(fcinfo, type);
	else
	{
		state = (FunnelState *) PG_GETARG_POINTER(0);
		spec_text = PG_GETARG_TEXT_PP(ARG_SPEC);
		if (!am_same_text(spec_text, state->plan->text))
			am_funnel_refuse_change("funnel specification");
		if (PG_NARGS() > ARG_AS_OF &&
			(PG_ARGISNULL(ARG_AS_OF) == state->has_as_of ||
			 (state->has_as_of && PG_GETARG_TIMESTAMPTZ(ARG_AS_OF) != state->as_of)))
			am_funnel_refuse_change("as_of");
		if (PG_NARGS() > ARG_ENTRY_UNTIL && (entry_bound(fcinfo, ARG_ENTRY_SINCE) != state->entry_since ||
											 entry_bound(fcinfo, ARG_ENTRY_UNTIL) != state->entry_until))
			am_funnel_refuse_change("the range of entries");
	}

	if (PG_ARGISNULL(ARG_AT) || PG_ARGISNULL(ARG_KIND))
		PG_RETURN_POINTER(state);
	at = PG_GETARG_TIMESTAMPTZ(ARG_AT);
	if (unlikely(!am_funnel_plan_has_time(state->plan, at)))
		am_funnel_check_time(state->plan, at, "event time");
	if (state->has_as_of && at > state->as_of)
		PG_RETURN_POINTER(state);

	/* a kind that only occurs without an entity does occur; but such events do not make the data's end */
	kind = PG_GETARG_TEXT_PP(ARG_KIND);
	k = am_funnel_plan_kind(state->plan, VARDATA_ANY(kind), VARSIZE_ANY_EXHDR(kind));
	if (k >= 0 && state->news[k].events++ == 0)
		state->n_absent--;
	if (k < 0 && state->n_absent > 0)
		meet_stranger(state, VARDATA_ANY(kind), VARSIZE_ANY_EXHDR(kind));
	if (PG_ARGISNULL(ARG_ENTITY))
		PG_RETURN_POINTER(state);
	if (!state->has_events || at > state->latest)
	{
		state->has_events = true;
		state->latest = at;
	}
	if (k < 0)
		PG_RETURN_POINTER(state);

	stamp = am_stamp(state->plan, at, k);
	if (type == AM_ENTITY_INT64)
		am_event_log_add_int64(state->log, PG_GETARG_INT64(ARG_ENTITY), stamp);
	else if (uuid)
		am_event_log_add_bytes(state->log, (const char *) PG_GETARG_UUID_P(ARG_ENTITY)->data, UUID_LEN, stamp);
	else
	{
		text	   *entity = PG_GETARG_TEXT_PP(ARG_ENTITY);

		am_event_log_add_bytes(state->log, VARDATA_ANY(entity), VARSIZE_ANY_EXHDR(entity), stamp);
	}
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(am_funnel_int8_trans);
Datum
am_funnel_int8_trans(PG_FUNCTION_ARGS)
{
	return transition(fcinfo, AM_ENTITY_INT64, false);
}

PG_FUNCTION_INFO_V1(am_funnel_text_trans);
Datum
am_funnel_text_trans(PG_FUNCTION_ARGS)
{
	return transition(fcinfo, AM_ENTITY_BYTES, false);
}

PG_FUNCTION_INFO_V1(am_funnel_uuid_trans);
Datum
am_funnel_uuid_trans(PG_FUNCTION_ARGS)
{
	return transition(fcinfo, AM_ENTITY_BYTES, true);
}

/*
 * Format: byte version, byte entity type, int32 length and bytes of the spec,
 * byte and int64 as_of, int64 entry_since, int64 entry_until, byte and int64 latest, per kind
 * int64 events and int32 length and bytes of its candidate, the event log.
 */
PG_FUNCTION_INFO_V1(am_funnel_serial);
Datum
am_funnel_serial(PG_FUNCTION_ARGS)
{
	FunnelState *state;
	StringInfoData out;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "funnel serialisation function called outside an aggregate");
	state = (FunnelState *) PG_GETARG_POINTER(0);
	pq_begintypsend(&out);
	pq_sendbyte(&out, STATE_VERSION);
	pq_sendbyte(&out, state->log->type);
	pq_sendint32(&out, VARSIZE_ANY_EXHDR(state->plan->text));
	pq_sendbytes(&out, VARDATA_ANY(state->plan->text), VARSIZE_ANY_EXHDR(state->plan->text));
	pq_sendbyte(&out, state->has_as_of);
	pq_sendint64(&out, state->as_of);
	pq_sendint64(&out, state->entry_since);
	pq_sendint64(&out, state->entry_until);
	pq_sendbyte(&out, state->has_events);
	pq_sendint64(&out, state->latest);
	for (int i = 0; i < state->plan->spec->n_kinds; i++)
	{
		const KindNews *news = &state->news[i];

		pq_sendint64(&out, news->events);
		pq_sendint32(&out, news->distance >= 0 ? news->length : 0);
		pq_sendbytes(&out, news->candidate, news->distance >= 0 ? news->length : 0);
	}
	am_event_log_serialize(state->log, &out);
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

/* Brings two views of the kinds of one spec together */
static void
combine_news(FunnelState *state, int i, int64 events, const char *candidate, int length)
{
	KindNews   *news = &state->news[i];

	if (news->events == 0 && events > 0)
		state->n_absent--;
	news->events += events;
	if (length > 0)
		suggest(&state->plan->spec->kinds[i], news, candidate, length);
}

static void
combine_latest(FunnelState *state, bool has_events, TimestampTz latest)
{
	if (has_events && (!state->has_events || latest > state->latest))
	{
		state->has_events = true;
		state->latest = latest;
	}
}

/* Adds a serialised state; *state may be NULL */
static void
absorb_bytes(FunctionCallInfo fcinfo, FunnelState **state, StringInfo in)
{
	MemoryContext context;
	int			version = pq_getmsgbyte(in);
	int			type = pq_getmsgbyte(in);
	int			length = (int) pq_getmsgint(in, 4);
	text	   *spec_text = cstring_to_text_with_len(pq_getmsgbytes(in, length), length);
	bool		has_as_of;
	TimestampTz as_of;
	TimestampTz entry_since;
	TimestampTz entry_until;
	bool		has_events;
	bool		is_new = *state == NULL;

	if (version != STATE_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("cannot read a funnel state of version %d", version)));
	has_as_of = pq_getmsgbyte(in) != 0;
	as_of = pq_getmsgint64(in);
	if (is_new)
	{
		if (!AggCheckCallContext(fcinfo, &context))
			elog(ERROR, "funnel combine function called outside an aggregate");
		*state = create_state(context, spec_text, type, false);
		(*state)->has_as_of = has_as_of;
		(*state)->as_of = as_of;
		AggRegisterCallback(fcinfo, shut_down, PointerGetDatum(*state));
	}
	else if (!am_same_text(spec_text, (*state)->plan->text))
		am_funnel_refuse_change("funnel specification");
	else if (has_as_of != (*state)->has_as_of || (has_as_of && as_of != (*state)->as_of))
		am_funnel_refuse_change("as_of");
	entry_since = pq_getmsgint64(in);
	entry_until = pq_getmsgint64(in);
	if (is_new)
	{
		(*state)->entry_since = entry_since;
		(*state)->entry_until = entry_until;
	}
	else if (entry_since != (*state)->entry_since || entry_until != (*state)->entry_until)
		am_funnel_refuse_change("the range of entries");
	has_events = pq_getmsgbyte(in) != 0;
	combine_latest(*state, has_events, pq_getmsgint64(in));
	for (int i = 0; i < (*state)->plan->spec->n_kinds; i++)
	{
		int64		events = pq_getmsgint64(in);
		int			n = (int) pq_getmsgint(in, 4);

		combine_news(*state, i, events, pq_getmsgbytes(in, n), n);
	}
	am_event_log_absorb((*state)->log, in);
	pq_getmsgend(in);
}

/* The other state is always one from am_state_deserial: partial plans serialise whatever they pass on */
PG_FUNCTION_INFO_V1(am_funnel_combine);
Datum
am_funnel_combine(PG_FUNCTION_ARGS)
{
	FunnelState *state = PG_ARGISNULL(0) ? NULL : (FunnelState *) PG_GETARG_POINTER(0);

	if (!PG_ARGISNULL(1))
		absorb_bytes(fcinfo, &state, (StringInfo) PG_GETARG_POINTER(1));
	if (!state)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

typedef struct Reading
{
	const AmFunnelPlan *plan;
	AmFunnelMatch *match;
	AmFunnelTally tally;
} Reading;

static void
match_entity(void *arg, const AmStamps *stamps)
{
	Reading    *reading = arg;
	AmFunnelEvents events = am_funnel_events(reading->plan, stamps);
	AmFunnelAttempt attempt;
	int			level = 0;

	am_funnel_match_begin(reading->match, &events);
	while (am_funnel_match_next(reading->match, &attempt))
	{
		am_funnel_tally_add(&reading->tally, &attempt);
		level = Max(level, attempt.level);
	}
	am_funnel_tally_entity(&reading->tally, level, level == 0 && am_funnel_match_came_late(reading->match));
}

/* Kinds of a step that never occur, each with the one that does and is most like it */
static void
write_absent_kinds(void *arg, int step, StringInfo note)
{
	FunnelState *state = arg;
	const AmFunnelSpec *spec = state->plan->spec;

	for (int i = 0; i < spec->n_kinds; i++)
	{
		AmFunnelKind *kind = &spec->kinds[i];
		KindNews   *news = &state->news[i];

		if (news->events > 0 || !(spec->roles[kind->role].fills & (UINT64CONST(1) << step)))
			continue;
		/* kinds of the spec that do occur are candidates as well */
		for (int other = 0; other < spec->n_kinds; other++)
			if (state->news[other].events > 0)
				suggest(kind, news, spec->kinds[other].name, spec->kinds[other].length);
		if (note->len > 0)
			appendStringInfoString(note, "; ");
		appendStringInfo(note, "no event of kind %.*s", kind->length, kind->name);
		if (news->distance >= 0)
			appendStringInfo(note, ", nearest kind present: %.*s", news->length, news->candidate);
	}
}

PG_FUNCTION_INFO_V1(am_funnel_final);
Datum
am_funnel_final(PG_FUNCTION_ARGS)
{
	FunnelState *state;
	const AmFunnelPlan *plan;
	Reading    *reading;
	int64		as_of;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "funnel final function called outside an aggregate");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (FunnelState *) PG_GETARG_POINTER(0);
	plan = state->plan;

	as_of = am_stamp_bound(plan, state->has_as_of ? state->as_of : state->has_events ? state->latest : plan->origin);
	reading = palloc(sizeof(Reading));
	reading->plan = plan;
	reading->match = am_funnel_match_create(plan->spec, as_of, am_stamp_bound(plan, state->entry_since),
											am_stamp_bound(plan, state->entry_until));
	am_funnel_tally_init(&reading->tally, plan->spec, as_of, state->log->budget / 4);
	am_event_log_read(state->log, match_entity, reading);
	am_funnel_match_free(reading->match);
	return am_funnel_rows(fcinfo, &reading->tally, write_absent_kinds, state);
}
