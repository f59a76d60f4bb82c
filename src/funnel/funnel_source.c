/*
 * See funnel_source.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "funnel/funnel_source.h"

#include "catalog/pg_type_d.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "events/status.h"

typedef struct Filling
{
	const AmFunnelQuestion *question;
	AmFunnelState *state;
	AmFunnelSeen *seen;
	Oid			entity_type;
	bool		has_status;
	bool		has_since;
	bool		has_rows;
} Filling;

static void
take_event(void *arg, const Datum *values, const bool *nulls)
{
	Filling    *filling = arg;
	AmFunnelState *state = filling->state;
	TimestampTz at = nulls[AM_EVENT_AT] ? 0 : DatumGetTimestampTz(values[AM_EVENT_AT]);
	const void *kind;
	uint64		stamp;

	if (filling->has_status && !nulls[AM_EVENT_STATUS])
	{
		const void *status = DatumGetPointer(values[AM_EVENT_STATUS]);

		if (!am_status_is_done(VARDATA_ANY(status), VARSIZE_ANY_EXHDR(status)))
			return;
	}
	if (filling->has_since && !nulls[AM_EVENT_AT] && at < filling->question->since)
		return;
	if (unlikely(!filling->has_rows))
	{
		/* no rows, no objection: as the aggregate */
		filling->has_rows = true;
		if (state->has_as_of)
			am_funnel_check_time(state->plan, state->as_of, "as_of");
	}
	if (nulls[AM_EVENT_AT] || nulls[AM_EVENT_KIND])
		return;
	kind = DatumGetPointer(values[AM_EVENT_KIND]);
	if (!am_funnel_state_event(state, !nulls[AM_EVENT_ENTITY], at, VARDATA_ANY(kind), VARSIZE_ANY_EXHDR(kind), &stamp))
		return;

	switch (filling->entity_type)
	{
		case INT8OID:
			am_event_log_add_int64(state->log, DatumGetInt64(values[AM_EVENT_ENTITY]), stamp);
			break;
		case INT4OID:
			am_event_log_add_int64(state->log, DatumGetInt32(values[AM_EVENT_ENTITY]), stamp);
			break;
		case INT2OID:
			am_event_log_add_int64(state->log, DatumGetInt16(values[AM_EVENT_ENTITY]), stamp);
			break;
		case UUIDOID:
			am_event_log_add_bytes(state->log, (const char *) DatumGetUUIDP(values[AM_EVENT_ENTITY])->data, UUID_LEN, stamp);
			break;
		default:
			am_event_log_add_bytes(state->log, VARDATA_ANY(DatumGetPointer(values[AM_EVENT_ENTITY])),
								   VARSIZE_ANY_EXHDR(DatumGetPointer(values[AM_EVENT_ENTITY])), stamp);
	}
}

AmEntityType
am_funnel_entity_type(const AmFunnelQuestion *question)
{
	Oid			type = question->columns[AM_EVENT_ENTITY].type;

	return am_is_text_type(type) || type == UUIDOID ? AM_ENTITY_BYTES : AM_ENTITY_INT64;
}

AmFunnelState *
am_funnel_question_state(const AmFunnelQuestion *question, text *spec_text, AmEventLog *log)
{
	AmFunnelState *state = am_funnel_state_create(spec_text, log);

	state->has_as_of = question->has_as_of;
	state->as_of = question->as_of;
	state->entry_since = question->has_since ? question->since : DT_NOBEGIN;
	state->entry_until = question->entry_until;
	return state;
}

void
am_funnel_seen_init(AmFunnelSeen *seen, const AmFunnelSpec *spec)
{
	memset(seen, 0, sizeof(AmFunnelSeen));
	SpinLockInit(&seen->mutex);
	seen->n_absent = spec->n_kinds;
}

void
am_funnel_seen_exchange(AmFunnelSeen *seen, AmFunnelState *state)
{
	SpinLockAcquire(&seen->mutex);
	if (state->has_events && (!seen->has_events || state->latest > seen->latest))
	{
		seen->has_events = true;
		seen->latest = state->latest;
	}
	for (int i = 0; i < state->plan->spec->n_kinds; i++)
		if (state->news[i].events > 0 && !seen->is_present[i])
		{
			seen->is_present[i] = true;
			seen->n_absent--;
		}
	SpinLockRelease(&seen->mutex);
}

/*
 * Events of kinds that the specification does not name count in these ways:
 * the latest makes the data's end, and tells whether all entries can be seen;
 * their kinds are suggested for one that does not occur; and a time that
 * cannot be is an error.
 */
static bool
wants_others(void *arg, const AmTimeRange *times)
{
	Filling    *filling = arg;
	AmFunnelSeen *seen = filling->seen;
	const AmFunnelState *state = filling->state;
	bool		latest_counts = !state->has_as_of || state->as_of >= state->entry_until;
	bool		wanted;

	if (times->latest >= times->earliest &&
		(!am_funnel_plan_has_time(state->plan, times->earliest) || !am_funnel_plan_has_time(state->plan, times->latest)))
		return true;
	am_funnel_seen_exchange(seen, filling->state);
	SpinLockAcquire(&seen->mutex);
	wanted = seen->n_absent > 0 || (latest_counts && (!seen->has_events || times->latest > seen->latest));
	SpinLockRelease(&seen->mutex);
	return wanted;
}

static AmWantedKinds
wanted_kinds(const AmFunnelSpec *spec)
{
	AmWantedKinds wanted;

	wanted.n_kinds = spec->n_kinds;
	wanted.kinds = palloc(spec->n_kinds * sizeof(AmKindName));
	for (int i = 0; i < spec->n_kinds; i++)
		wanted.kinds[i] = (AmKindName) {spec->kinds[i].name, spec->kinds[i].length};
	wanted.kind = AM_EVENT_KIND;
	wanted.at = AM_EVENT_AT;
	wanted.wants_others = wants_others;
	return wanted;
}

void
am_funnel_fill(const AmFunnelQuestion *question, AmFunnelState *state, const AmFunnelSource *source)
{
	Filling		filling;

	filling.question = question;
	filling.state = state;
	filling.seen = source->seen;
	filling.entity_type = question->columns[AM_EVENT_ENTITY].type;
	filling.has_status = question->n_columns > AM_EVENT_STATUS;
	/* where a late start counts, what came before the entries has to be seen */
	filling.has_since = question->has_since && !(state->plan->spec->options & AM_FUNNEL_COUNT_SKIPPED);
	filling.has_rows = false;
	if (source->query)
	{
		AmWantedKinds wanted = wanted_kinds(state->plan->spec);

		am_query_scan_run(source->query, source->shared_query, &wanted, take_event, &filling);
	}
	else
		am_table_scan(source->relation, source->snapshot, source->shared_scan, question->columns, question->n_columns,
					  take_event, &filling);
}
