/*
 * See funnel_state.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "funnel/funnel_state.h"

#include "common/hashfn.h"
#include "utils/memutils.h"
#include "utils/varlena.h"

#define SMALL_BUDGET		((Size) 16 * 1024 * 1024)
#define STRANGERS			64	/* kinds outside the spec remembered to have been compared */

AmFunnelState *
am_funnel_state_create(const text *spec_text, AmEventLog *log)
{
	AmFunnelState *state = MemoryContextAllocZero(log->context, sizeof(AmFunnelState));
	int			n_kinds;

	state->log = log;
	state->plan = am_funnel_plan_create(log->context, spec_text);
	state->entry_since = DT_NOBEGIN;
	state->entry_until = DT_NOEND;
	n_kinds = state->plan->spec->n_kinds;
	state->news = MemoryContextAllocZero(log->context, n_kinds * sizeof(AmKindNews));
	state->n_absent = n_kinds;
	for (int i = 0; i < n_kinds; i++)
		state->news[i].distance = -1;
	return state;
}

/* Lower case by bytes, so that Call is near to call */
static int
fold(const char *from, int length, char *to)
{
	for (int i = 0; i < length; i++)
		to[i] = (char) pg_tolower((unsigned char) from[i]);
	return length;
}

/* Takes a candidate for an absent kind if it is nearer, or as near and first in order of bytes; nobody means the empty one */
static void
suggest(const AmFunnelKind *kind, AmKindNews *news, const char *name, int length)
{
	char		wanted[AM_LONGEST_CANDIDATE];
	char		present[AM_LONGEST_CANDIDATE];
	int			distance;

	if (length == 0 || kind->length > AM_LONGEST_CANDIDATE || length > AM_LONGEST_CANDIDATE)
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

void
am_funnel_meet_stranger(AmFunnelState *state, const char *name, int length)
{
	uint64		hash = hash_bytes_extended((const unsigned char *) name, length, 0) | 1;
	uint64	   *known;
	MemoryContext scratch;
	MemoryContext caller;

	if (!state->strangers)
		state->strangers = MemoryContextAllocZero(state->log->context, STRANGERS * sizeof(uint64));
	known = &state->strangers[(hash >> 32) % STRANGERS];
	if (*known == hash)
		return;
	*known = hash;
	/* comparing leaves memory behind */
	scratch = AllocSetContextCreate(CurrentMemoryContext, "kinds compared", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(scratch);
	for (int i = 0; i < state->plan->spec->n_kinds; i++)
		if (state->news[i].events == 0)
			suggest(&state->plan->spec->kinds[i], &state->news[i], name, length);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
}

void
am_funnel_state_add_news(AmFunnelState *state, int i, int64 events, const char *candidate, int length)
{
	AmKindNews   *news = &state->news[i];

	if (news->events == 0 && events > 0)
		state->n_absent--;
	news->events += events;
	if (length > 0)
		suggest(&state->plan->spec->kinds[i], news, candidate, length);
}

void
am_funnel_match_entity(void *arg, const AmStamps *stamps)
{
	AmFunnelReading *reading = arg;
	AmFunnelEvents events = am_funnel_events(reading->plan, stamps);
	AmFunnelAttempt attempt;
	int			level = 0;

	am_funnel_match_begin(reading->match, &events);
	while (am_funnel_match_next(reading->match, &attempt))
	{
		am_funnel_tally_add(&reading->tally, &attempt);
		level = Max(level, attempt.level);
	}
	am_funnel_tally_entity(&reading->tally, level, level == 0 && reading->whole &&
						   am_funnel_match_came_late(reading->match));
}

void
am_funnel_absent_kinds(void *arg, int step, StringInfo note)
{
	AmFunnelState *state = arg;
	const AmFunnelSpec *spec = state->plan->spec;

	for (int i = 0; i < spec->n_kinds; i++)
	{
		AmFunnelKind *kind = &spec->kinds[i];
		AmKindNews *news = &state->news[i];

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

void
am_funnel_start_reading(AmFunnelState *state, AmFunnelReading *reading)
{
	const AmFunnelPlan *plan = state->plan;
	int64		as_of = am_stamp_bound(plan, state->has_as_of ? state->as_of :
									   state->has_events ? state->latest : plan->origin);

	reading->plan = plan;
	reading->whole = state->entry_since == DT_NOBEGIN && (!state->has_events || state->latest < state->entry_until);
	reading->match = am_funnel_match_create(plan->spec, as_of, am_stamp_bound(plan, state->entry_since),
											am_stamp_bound(plan, state->entry_until));
	/* of a small budget the partitions being read take most */
	am_funnel_tally_init(&reading->tally, plan->spec, as_of,
						 state->log->budget / (state->log->budget < SMALL_BUDGET ? 16 : 8));
}
