/*
 * funnel(entity, at, kind, spec [, as_of [, entry_until]]): SQL glue.
 *
 * The aggregate groups by entity itself (see event_log.h), so it needs no
 * GROUP BY.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "common/compat.h"

#include "fmgr.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "funnel/funnel_rows.h"
#include "funnel/funnel_state.h"

#define STATE_VERSION		2

static void
shut_down(Datum arg)
{
	am_event_log_close(((AmFunnelState *) DatumGetPointer(arg))->log);
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

static AmFunnelState *
first_row(FunctionCallInfo fcinfo, AmEntityType type)
{
	MemoryContext context;
	Aggref	   *aggref;
	AmFunnelState *state;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "funnel transition function called outside an aggregate");
	aggref = AggGetAggref(fcinfo);
	state = am_funnel_state_create(PG_GETARG_TEXT_PP(ARG_SPEC),
								   am_event_log_create(context, type, aggref && DO_AGGSPLIT_SERIALIZE(aggref->aggsplit)));
	state->constant = aggref && am_is_literal(aggref, ARG_SPEC);
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
	AmFunnelState *state;
	text	   *kind;
	uint64		stamp;

	if (PG_ARGISNULL(ARG_SPEC))
		am_funnel_refuse_null_spec();
	if (PG_ARGISNULL(0))
		state = first_row(fcinfo, type);
	else
	{
		state = (AmFunnelState *) PG_GETARG_POINTER(0);
		if (!state->constant && !am_same_text(PG_GETARG_TEXT_PP(ARG_SPEC), state->plan->text))
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
	kind = PG_GETARG_TEXT_PP(ARG_KIND);
	if (!am_funnel_state_event(state, !PG_ARGISNULL(ARG_ENTITY), PG_GETARG_TIMESTAMPTZ(ARG_AT),
							   VARDATA_ANY(kind), VARSIZE_ANY_EXHDR(kind), &stamp))
		PG_RETURN_POINTER(state);

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
	AmFunnelState *state;
	StringInfoData out;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "funnel serialisation function called outside an aggregate");
	state = (AmFunnelState *) PG_GETARG_POINTER(0);
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
		const AmKindNews *news = &state->news[i];

		pq_sendint64(&out, news->events);
		pq_sendint32(&out, news->distance >= 0 ? news->length : 0);
		pq_sendbytes(&out, news->candidate, news->distance >= 0 ? news->length : 0);
	}
	am_event_log_serialize(state->log, &out);
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

static void
refuse_damaged(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("cannot read a damaged funnel state")));
}

/* Adds a serialised state; *state may be NULL */
static void
absorb_bytes(FunctionCallInfo fcinfo, AmFunnelState **state, StringInfo in)
{
	MemoryContext context;
	int			version = pq_getmsgbyte(in);
	int			type;
	int			length;
	text	   *spec_text;
	const AmFunnelPlan *plan;
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
	type = pq_getmsgbyte(in);
	if ((type != AM_ENTITY_INT64 && type != AM_ENTITY_BYTES) || (!is_new && type != (int) (*state)->log->type))
		refuse_damaged();
	length = (int) pq_getmsgint(in, 4);
	spec_text = cstring_to_text_with_len(pq_getmsgbytes(in, length), length);
	/* names are compared by characters, which must be whole ones */
	if (!pg_verifymbstr(VARDATA(spec_text), length, true))
		refuse_damaged();
	has_as_of = pq_getmsgbyte(in) != 0;
	as_of = pq_getmsgint64(in);
	if (is_new)
	{
		if (!AggCheckCallContext(fcinfo, &context))
			elog(ERROR, "funnel combine function called outside an aggregate");
		*state = am_funnel_state_create(spec_text, am_event_log_create(context, type, false));
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
	am_funnel_state_add_latest(*state, has_events, pq_getmsgint64(in));
	plan = (*state)->plan;
	for (int i = 0; i < plan->spec->n_kinds; i++)
	{
		int64		events = pq_getmsgint64(in);
		int			n = (int) pq_getmsgint(in, 4);
		const char *candidate = pq_getmsgbytes(in, n);

		if (events < 0 || events > PG_INT64_MAX - (*state)->news[i].events ||
			n > AM_LONGEST_CANDIDATE || !pg_verifymbstr(candidate, n, true))
			refuse_damaged();
		am_funnel_state_add_news(*state, i, events, candidate, n);
	}
	am_event_log_absorb((*state)->log, in, plan->role_bits, plan->spec->n_roles);
	pq_getmsgend(in);
}

/* The other state is always one from am_state_deserial: partial plans serialise whatever they pass on */
PG_FUNCTION_INFO_V1(am_funnel_combine);
Datum
am_funnel_combine(PG_FUNCTION_ARGS)
{
	AmFunnelState *state = PG_ARGISNULL(0) ? NULL : (AmFunnelState *) PG_GETARG_POINTER(0);

	if (!PG_ARGISNULL(1))
		absorb_bytes(fcinfo, &state, (StringInfo) PG_GETARG_POINTER(1));
	if (!state)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(am_funnel_final);
Datum
am_funnel_final(PG_FUNCTION_ARGS)
{
	AmFunnelState *state;
	AmFunnelReading *reading;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "funnel final function called outside an aggregate");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (AmFunnelState *) PG_GETARG_POINTER(0);
	reading = palloc(sizeof(AmFunnelReading));
	am_funnel_start_reading(state, reading);
	am_event_log_read(state->log, am_funnel_match_entity, reading);
	am_funnel_match_free(reading->match);
	return am_funnel_rows(fcinfo, &reading->tally, am_funnel_absent_kinds, state);
}
