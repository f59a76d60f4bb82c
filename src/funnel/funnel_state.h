/*
 * What a funnel knows while events come in, and its result: shared by the
 * aggregate and by the direct scan of a table.
 *
 * Kinds become roles of the specification on the way in; events of other
 * kinds are dropped, but their times count for the data's end.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_FUNNEL_STATE_H
#define AM_FUNNEL_STATE_H

#include "common/compat.h"

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"

#include "events/event_log.h"
#include "funnel/funnel_plan.h"
#include "funnel/funnel_tally.h"

#define AM_LONGEST_CANDIDATE	63	/* bytes of a kind that can be suggested */

/* A kind of the spec: whether it occurs, and if not, the present kind most like it */
typedef struct AmKindNews
{
	int64		events;
	int			distance;		/* of the candidate; -1 = none yet */
	int			length;
	char		candidate[AM_LONGEST_CANDIDATE];
} AmKindNews;

typedef struct AmFunnelState
{
	AmFunnelPlan *plan;
	bool		constant;		/* the specification cannot change within the query */
	bool		has_as_of;
	TimestampTz as_of;
	TimestampTz entry_since;	/* attempts start in [entry_since, entry_until) */
	TimestampTz entry_until;
	bool		has_events;
	TimestampTz latest;			/* time of any event, of any kind */
	AmKindNews *news;			/* by kind */
	int			n_absent;		/* kinds of the spec without an event so far */
	uint64	   *strangers;		/* hashes of kinds outside the spec */
	AmEventLog *log;
} AmFunnelState;

/* In the log's context; the log becomes the state's */
extern AmFunnelState *am_funnel_state_create(const text *spec_text, AmEventLog *log);

/* A kind that the spec does not name: perhaps what was meant by one it names in vain */
extern void am_funnel_meet_stranger(AmFunnelState *state, const char *name, int length);

/* Brings two views of the kinds of one spec, or of the data's end, together */
extern void am_funnel_state_add_news(AmFunnelState *state, int kind, int64 events, const char *candidate, int length);

static inline void
am_funnel_state_add_latest(AmFunnelState *state, bool has_events, TimestampTz latest)
{
	if (has_events && (!state->has_events || latest > state->latest))
	{
		state->has_events = true;
		state->latest = latest;
	}
}

/* Reading of the log: am_funnel_match_entity visits entities, the tally counts them */
typedef struct AmFunnelReading
{
	const AmFunnelPlan *plan;
	AmFunnelMatch *match;
	bool		whole;			/* entries of any time count: who has none came late */
	AmFunnelTally tally;
} AmFunnelReading;

extern void am_funnel_start_reading(AmFunnelState *state, AmFunnelReading *reading);
extern void am_funnel_match_entity(void *arg, const AmStamps *stamps);

/* Which kinds of a step never occur; the AmAbsentKinds of a state */
extern void am_funnel_absent_kinds(void *state, int step, StringInfo note);

/*
 * Takes an event with a time and a kind.  True if the log has to have it,
 * under this stamp.
 */
static pg_attribute_always_inline bool
am_funnel_state_event(AmFunnelState *state, bool has_entity, TimestampTz at,
					  const char *kind, int kind_length, uint64 *stamp)
{
	int			k;

	if (unlikely(!am_funnel_plan_has_time(state->plan, at)))
		am_funnel_check_time(state->plan, at, "event time");
	if (state->has_as_of && at > state->as_of)
		return false;

	/* a kind that only occurs without an entity does occur; but such events do not make the data's end */
	k = am_funnel_plan_kind(state->plan, kind, kind_length);
	if (k >= 0 && state->news[k].events++ == 0)
		state->n_absent--;
	if (k < 0 && state->n_absent > 0)
		am_funnel_meet_stranger(state, kind, kind_length);
	if (!has_entity)
		return false;
	am_funnel_state_add_latest(state, true, at);
	if (k < 0)
		return false;
	*stamp = am_stamp(state->plan, at, k);
	return true;
}

#endif							/* AM_FUNNEL_STATE_H */
