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

#include "access/htup_details.h"
#include "catalog/pg_type_d.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "nodes/primnodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"
#include "utils/uuid.h"
#include "utils/varlena.h"

#include "common/memory.h"
#include "common/rows.h"
#include "events/event_log.h"
#include "funnel/funnel_match.h"
#include "funnel/funnel_spec.h"
#include "funnel/funnel_tally.h"

StaticAssertDecl(AM_FUNNEL_ROLE_BITS == AM_STAMP_ROLE_BITS, "a stamp holds any role");

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
	AmFunnelSpec *spec;
	text	   *spec_text;
	bool		has_as_of;
	TimestampTz as_of;
	TimestampTz entry_until;	/* DT_NOEND = no bound */
	bool		has_events;
	TimestampTz latest;			/* time of any event, of any kind */
	int			n_slots;		/* of the table of kinds; a power of two */
	int16	   *slots;			/* index of a kind + 1, 0 = empty */
	KindNews   *news;			/* by kind */
	int			n_absent;		/* kinds of the spec without an event so far */
	uint64	   *strangers;		/* hashes of kinds outside the spec */
	AmEventLog *log;
} FunnelState;

static inline uint32
hash_kind(const char *name, int length)
{
	uint64		word = 0;

	memcpy(&word, name, Min(length, 8));
	return (uint32) (am_mix64(word + (uint64) length * UINT64CONST(0x9e3779b97f4a7c15)) >> 32);
}

static inline int
find_kind(const FunnelState *state, const char *name, int length)
{
	uint32		slot = hash_kind(name, length) & (state->n_slots - 1);

	while (state->slots[slot])
	{
		const AmFunnelKind *kind = &state->spec->kinds[state->slots[slot] - 1];

		if (kind->length == length && memcmp(kind->name, name, length) == 0)
			return state->slots[slot] - 1;
		slot = (slot + 1) & (state->n_slots - 1);
	}
	return -1;
}

/* Parses in the current memory context; a fault becomes an error that names its place */
static AmFunnelSpec *
parse_spec(text *spec_text)
{
	AmSpecFault fault;
	const char *string = VARDATA_ANY(spec_text);
	int			length = VARSIZE_ANY_EXHDR(spec_text);
	AmFunnelSpec *spec = am_funnel_spec_parse(string, length, &fault);

	if (!spec)
		ereport(ERROR,
				(errcode(fault.unsupported ? ERRCODE_FEATURE_NOT_SUPPORTED :
						 fault.too_large ? ERRCODE_PROGRAM_LIMIT_EXCEEDED :
						 ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid funnel specification at position %d: %s",
						pg_mbstrlen_with_len(string, (int) fault.offset) + 1, fault.message),
				 errdetail("The specification is \"%.*s\".",
						   pg_mbcliplen(string, length, 400), string),
				 fault.hint[0] ? errhint("%s", fault.hint) :
				 errhint("A specification looks like: call -> meeting -> (proposal | quote) -> won within 90 days")));
	return spec;
}

static FunnelState *
create_state(MemoryContext context, text *spec_text, AmEntityType type, bool partial)
{
	MemoryContext caller = MemoryContextSwitchTo(context);
	FunnelState *state = palloc0(sizeof(FunnelState));
	AmFunnelSpec *spec;

	state->spec_text = (text *) palloc(VARSIZE_ANY_EXHDR(spec_text) + VARHDRSZ);
	SET_VARSIZE(state->spec_text, VARSIZE_ANY_EXHDR(spec_text) + VARHDRSZ);
	memcpy(VARDATA(state->spec_text), VARDATA_ANY(spec_text), VARSIZE_ANY_EXHDR(spec_text));
	spec = state->spec = parse_spec(state->spec_text);

	state->entry_until = DT_NOEND;
	state->news = palloc0(spec->n_kinds * sizeof(KindNews));
	state->n_absent = spec->n_kinds;
	state->n_slots = 64;
	while (state->n_slots < 4 * spec->n_kinds)
		state->n_slots *= 2;
	state->slots = palloc0(state->n_slots * sizeof(int16));
	for (int i = 0; i < spec->n_kinds; i++)
	{
		uint32		slot = hash_kind(spec->kinds[i].name, spec->kinds[i].length) & (state->n_slots - 1);

		state->news[i].distance = -1;
		while (state->slots[slot])
			slot = (slot + 1) & (state->n_slots - 1);
		state->slots[slot] = (int16) (i + 1);
	}
	state->log = am_event_log_create(context, type, partial);
	MemoryContextSwitchTo(caller);
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
	for (int i = 0; i < state->spec->n_kinds; i++)
		if (state->news[i].events == 0)
			suggest(&state->spec->kinds[i], &state->news[i], name, length);
}

static void
check_finite(TimestampTz at, const char *what)
{
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("%s is infinite", what),
				 errhint("Leave such rows out: FILTER (WHERE isfinite(at)).")));
	if (at >= AM_STAMP_TIME_END)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("%s %s is out of range", what, timestamptz_to_str(at)),
				 errdetail("Times up to the year 13555 can be matched."),
				 errhint("Leave rows with such times out.")));
}

static void
refuse_change(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s changes within a group", what),
			 errhint("Pass the same value for all rows, or GROUP BY it.")));
}

static bool
same_text(const text *a, const text *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

/* Arguments: state, entity, at, kind, spec [, as_of [, entry_until]] */
#define ARG_ENTITY		1
#define ARG_AT			2
#define ARG_KIND		3
#define ARG_SPEC		4
#define ARG_AS_OF		5
#define ARG_ENTRY_UNTIL 6

static TimestampTz
entry_bound(FunctionCallInfo fcinfo)
{
	return PG_ARGISNULL(ARG_ENTRY_UNTIL) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(ARG_ENTRY_UNTIL);
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
		check_finite(state->as_of, "as_of");
	}
	if (PG_NARGS() > ARG_ENTRY_UNTIL)
		state->entry_until = entry_bound(fcinfo);
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
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("funnel specification is null"),
				 errhint("A specification looks like: call -> meeting -> won within 90 days")));
	if (PG_ARGISNULL(0))
		state = first_row(fcinfo, type);
	else
	{
		state = (FunnelState *) PG_GETARG_POINTER(0);
		spec_text = PG_GETARG_TEXT_PP(ARG_SPEC);
		if (!same_text(spec_text, state->spec_text))
			refuse_change("funnel specification");
		if (PG_NARGS() > ARG_AS_OF &&
			(PG_ARGISNULL(ARG_AS_OF) == state->has_as_of ||
			 (state->has_as_of && PG_GETARG_TIMESTAMPTZ(ARG_AS_OF) != state->as_of)))
			refuse_change("as_of");
		if (PG_NARGS() > ARG_ENTRY_UNTIL && entry_bound(fcinfo) != state->entry_until)
			refuse_change("entry_until");
	}

	if (PG_ARGISNULL(ARG_AT) || PG_ARGISNULL(ARG_KIND))
		PG_RETURN_POINTER(state);
	at = PG_GETARG_TIMESTAMPTZ(ARG_AT);
	if (unlikely(TIMESTAMP_NOT_FINITE(at) || at >= AM_STAMP_TIME_END))
		check_finite(at, "event time");
	if (state->has_as_of && at > state->as_of)
		PG_RETURN_POINTER(state);

	/* a kind that only occurs without an entity does occur; but such events do not make the data's end */
	kind = PG_GETARG_TEXT_PP(ARG_KIND);
	k = find_kind(state, VARDATA_ANY(kind), VARSIZE_ANY_EXHDR(kind));
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

	stamp = am_stamp(at, state->spec->kinds[k].role);
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
 * byte and int64 as_of, int64 entry_until, byte and int64 latest, per kind
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
	pq_sendint32(&out, VARSIZE_ANY_EXHDR(state->spec_text));
	pq_sendbytes(&out, VARDATA_ANY(state->spec_text), VARSIZE_ANY_EXHDR(state->spec_text));
	pq_sendbyte(&out, state->has_as_of);
	pq_sendint64(&out, state->as_of);
	pq_sendint64(&out, state->entry_until);
	pq_sendbyte(&out, state->has_events);
	pq_sendint64(&out, state->latest);
	for (int i = 0; i < state->spec->n_kinds; i++)
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
		suggest(&state->spec->kinds[i], news, candidate, length);
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
	else if (!same_text(spec_text, (*state)->spec_text))
		refuse_change("funnel specification");
	else if (has_as_of != (*state)->has_as_of || (has_as_of && as_of != (*state)->as_of))
		refuse_change("as_of");
	entry_until = pq_getmsgint64(in);
	if (is_new)
		(*state)->entry_until = entry_until;
	else if (entry_until != (*state)->entry_until)
		refuse_change("entry_until");
	has_events = pq_getmsgbyte(in) != 0;
	combine_latest(*state, has_events, pq_getmsgint64(in));
	for (int i = 0; i < (*state)->spec->n_kinds; i++)
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
	AmFunnelMatch match;
	AmFunnelTally tally;
} Reading;

static void
match_entity(void *arg, const uint64 *stamps, Size n, bool begins, bool ends)
{
	Reading    *reading = arg;

	if (begins)
		am_funnel_match_begin(&reading->match);
	for (Size i = 0; i < n; i++)
		am_funnel_match_add(&reading->match, am_stamp_time(stamps[i]), am_stamp_role(stamps[i]));
	if (ends)
	{
		AmFunnelStop stop = am_funnel_match_finish(&reading->match);

		if (stop != AM_STOP_NOT_ENTERED)
			am_funnel_tally_add(&reading->tally, &reading->match, stop);
	}
}

/* Why a value is zero or missing, or NULL: kinds that never occur, or nobody to count */
static char *
step_note(FunnelState *state, const AmFunnelRow *rows, int step)
{
	StringInfoData note;

	initStringInfo(&note);
	for (int i = 0; i < state->spec->n_kinds; i++)
	{
		AmFunnelKind *kind = &state->spec->kinds[i];
		KindNews   *news = &state->news[i];

		if (news->events > 0 || !(state->spec->roles[kind->role].fills & (UINT32_C(1) << step)))
			continue;
		/* kinds of the spec that do occur are candidates as well */
		for (int other = 0; other < state->spec->n_kinds; other++)
			if (state->news[other].events > 0)
				suggest(kind, news, state->spec->kinds[other].name, state->spec->kinds[other].length);
		if (note.len > 0)
			appendStringInfoString(&note, "; ");
		appendStringInfo(&note, "no event of kind %.*s", kind->length, kind->name);
		if (news->distance >= 0)
			appendStringInfo(&note, ", nearest kind present: %.*s", news->length, news->candidate);
	}
	if (step == 0 && state->spec->within == AM_NO_LIMIT && rows[0].reached > 0 && state->spec->n_steps > 1)
		appendStringInfo(&note, "%sno within: whoever stopped counts as still open", note.len > 0 ? "; " : "");
	if (note.len == 0 && step == 0 && rows[0].reached == 0)
		appendStringInfoString(&note, "nobody entered: rates are not defined");
	else if (note.len == 0 && step > 0 && rows[step - 1].reached == 0)
		appendStringInfoString(&note, "nobody reached the step before: the rate is not defined");
	else if (note.len == 0 && step > 0 && rows[step].reached == 0)
		appendStringInfoString(&note, "nobody took this step in time after the one before");
	return note.len > 0 ? note.data : NULL;
}

PG_FUNCTION_INFO_V1(am_funnel_final);
Datum
am_funnel_final(PG_FUNCTION_ARGS)
{
	FunnelState *state;
	Reading    *reading;
	AmFunnelRow rows[AM_FUNNEL_MAX_STEPS];
	Datum		steps[AM_FUNNEL_MAX_STEPS];
	Oid			array_type = get_fn_expr_rettype(fcinfo->flinfo);
	Oid			row_type = get_element_type(array_type);
	TupleDesc	columns;
	TimestampTz as_of;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "funnel final function called outside an aggregate");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (!OidIsValid(row_type))
		elog(ERROR, "funnel final function does not know its result type");
	state = (FunnelState *) PG_GETARG_POINTER(0);

	as_of = state->has_as_of ? state->as_of : state->has_events ? state->latest : AM_STAMP_ORIGIN;
	reading = palloc(sizeof(Reading));
	am_funnel_match_init(&reading->match, state->spec, as_of - AM_STAMP_ORIGIN,
						 state->entry_until >= AM_STAMP_TIME_END ? PG_INT64_MAX :
						 state->entry_until == DT_NOBEGIN ? 0 : state->entry_until - AM_STAMP_ORIGIN);
	am_funnel_tally_init(&reading->tally, state->spec->n_steps, state->log->budget / 4);
	am_event_log_read(state->log, match_entity, reading);
	am_funnel_tally_finish(&reading->tally, rows);

	columns = lookup_rowtype_tupdesc(row_type, -1);
	for (int step = 0; step < state->spec->n_steps; step++)
	{
		Datum		values[18];
		bool		nulls[18] = {false};
		char	   *note = step_note(state, rows, step);
		const AmFunnelRow *row = &rows[step];

		Assert(columns->natts == lengthof(values));
		values[0] = Int32GetDatum(step + 1);
		values[1] = CStringGetTextDatum(state->spec->steps[step].label);
		values[2] = Int64GetDatum(row->reached);
		am_set_float(values, nulls, 3, row->step_rate);
		am_set_float(values, nulls, 4, row->step_rate_low);
		am_set_float(values, nulls, 5, row->step_rate_high);
		am_set_float(values, nulls, 6, row->overall_rate);
		am_set_float(values, nulls, 7, row->overall_rate_low);
		am_set_float(values, nulls, 8, row->overall_rate_high);
		values[9] = Int64GetDatum(row->still_open);
		values[10] = Int64GetDatum(row->timed_out);
		values[11] = Int64GetDatum(0);	/* excluded and broken: nothing of this version's */
		values[12] = Int64GetDatum(0);	/* language can exclude or break an attempt */
		am_set_float(values, nulls, 13, row->eventual_rate);
		am_set_float(values, nulls, 14, row->median_days);
		am_set_float(values, nulls, 15, row->p90_days);
		am_set_float(values, nulls, 16, row->median_days_from_start);
		nulls[17] = note == NULL;
		if (note)
			values[17] = CStringGetTextDatum(note);
		steps[step] = HeapTupleGetDatum(heap_form_tuple(columns, values, nulls));
	}
	ReleaseTupleDesc(columns);
	PG_RETURN_ARRAYTYPE_P(construct_array(steps, state->spec->n_steps, row_type, -1, false, TYPALIGN_DOUBLE));
}

/*
 * am_funnel_kinds(spec text, step integer) returns text[]: the kinds that fill
 * a step (from 1), or all kinds of the spec for step 0.
 */
PG_FUNCTION_INFO_V1(am_funnel_kinds);
Datum
am_funnel_kinds(PG_FUNCTION_ARGS)
{
	AmFunnelSpec *spec = parse_spec(PG_GETARG_TEXT_PP(0));
	int			step = PG_GETARG_INT32(1);
	Datum	   *names = am_palloc_array(Datum, spec->n_kinds);
	int			n = 0;

	if (step < 0 || step > spec->n_steps)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no step %d", step),
				 errdetail("The funnel has %d steps.", spec->n_steps)));
	for (int i = 0; i < spec->n_kinds; i++)
		if (step == 0 || (spec->roles[spec->kinds[i].role].fills & (UINT32_C(1) << (step - 1))))
			names[n++] = PointerGetDatum(cstring_to_text_with_len(spec->kinds[i].name, spec->kinds[i].length));
	PG_RETURN_ARRAYTYPE_P(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
}
