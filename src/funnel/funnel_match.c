/*
 * The one-pass matcher.
 *
 * For every level it keeps the one chain that starts latest: any extension
 * open to an earlier start is open to it as well, and it expires last.  So one
 * chain a level is exact, and an entity costs O(events x steps it can fill).
 * The chain shown is kept when a level is first reached: that is the earliest
 * possible last step, and the chain extended there is the latest start.  A
 * chain is replaced only by a later start, so its steps between are the
 * earliest.
 *
 * Events of one time are a set.  They may fill several steps in a row, each
 * event one step, whatever order they came in: a matching of steps to events.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <string.h>

#include "funnel/funnel_match.h"

void
am_funnel_match_init(AmFunnelMatch *match, const AmFunnelSpec *spec, int64_t as_of, int64_t entry_until)
{
	memset(match, 0, sizeof(*match));
	match->spec = spec;
	match->as_of = as_of;
	match->entry_until = entry_until;
}

void
am_funnel_match_begin(AmFunnelMatch *match)
{
	for (int level = 0; level <= match->spec->n_steps; level++)
		match->latest[level].valid = false;
	match->level = 0;
	match->tie_events = 0;
}

/* Times fit 59 bits and durations 57, so nothing here overflows */
static inline bool
in_window(const AmFunnelMatch *match, const AmFunnelChain *chain, int64_t time)
{
	return match->spec->within == AM_NO_LIMIT || time - chain->times[0] <= match->spec->within;
}

/*
 * Offers a chain for a level: `base` of level `from`, and steps from + 1 ..
 * level all at `time`.
 */
static inline void
offer(AmFunnelChain *slot, const AmFunnelChain *base, int from, int level, int64_t time)
{
	int64_t		start = from > 0 ? base->times[0] : time;

	if (slot->valid && slot->times[0] >= start)
		return;
	if (from > 0)
		memcpy(slot->times, base->times, from * sizeof(int64_t));
	for (int step = from; step < level; step++)
		slot->times[step] = time;
	slot->valid = true;
}

/* With ties the level may rise by more than one at a time */
static inline void
note_furthest(AmFunnelMatch *match, int level, int64_t time)
{
	if (level > match->level)
	{
		while (match->level < level)
			match->first_reached[++match->level] = time;
		memcpy(match->furthest.times, match->latest[level].times, level * sizeof(int64_t));
	}
}

/* High steps first, so that the event fills one step of a chain */
static void
apply_one(AmFunnelMatch *match, int64_t time, int role)
{
	uint32_t	fills = match->spec->roles[role].fills;

	while (fills)
	{
		int			step = 31 - __builtin_clz(fills);

		fills &= ~(UINT32_C(1) << step);
		if (step == 0)
		{
			if (time >= match->entry_until)
				continue;
			offer(&match->latest[1], NULL, 0, 1, time);
		}
		else
		{
			const AmFunnelChain *base = &match->latest[step];

			if (!base->valid || !in_window(match, base, time))
				continue;
			offer(&match->latest[step + 1], base, step, step + 1, time);
		}
		note_furthest(match, step + 1, time);
	}
}

/* One augmenting path (Kuhn): find an event for a step, moving others if need be */
static bool
place_step(const AmFunnelMatch *match, int step, int from, int to, int *role_of, int *used, uint32_t *tried)
{
	const AmFunnelSpec *spec = match->spec;

	for (int role = 0; role < spec->n_roles; role++)
	{
		if (!match->tie_counts[role] || !(spec->roles[role].fills & (UINT32_C(1) << step)) ||
			(*tried & (UINT32_C(1) << role)))
			continue;
		*tried |= UINT32_C(1) << role;
		if (used[role] < match->tie_counts[role])
		{
			used[role]++;
			role_of[step] = role;
			return true;
		}
		for (int other = from; other < to; other++)
			if (role_of[other] == role && place_step(match, other, from, to, role_of, used, tried))
			{
				/* the other step took an event elsewhere and leaves its own to us */
				role_of[step] = role;
				return true;
			}
	}
	return false;
}

/* How far a chain of this level gets with the events of one time */
static int
level_with_ties(const AmFunnelMatch *match, int from)
{
	int			role_of[AM_FUNNEL_MAX_STEPS];
	int			used[AM_FUNNEL_MAX_ROLES] = {0};
	int			level = from;

	while (level < match->spec->n_steps)
	{
		uint32_t	tried = 0;

		if (!place_step(match, level, from, level, role_of, used, &tried))
			break;
		level++;
	}
	return level;
}

static void
apply_ties(AmFunnelMatch *match, int64_t time)
{
	AmFunnelChain before[AM_FUNNEL_MAX_STEPS + 1];
	int			n_steps = match->spec->n_steps;

	memcpy(before, match->latest, (n_steps + 1) * sizeof(AmFunnelChain));

	/* from high to low: of two chains with one start the one with earlier steps comes first */
	for (int from = n_steps - 1; from >= 0; from--)
	{
		int			to;

		if (from == 0 ? time >= match->entry_until
			: !before[from].valid || !in_window(match, &before[from], time))
			continue;
		to = level_with_ties(match, from);
		for (int level = from + 1; level <= to; level++)
			offer(&match->latest[level], &before[from], from, level, time);
	}
	for (int level = n_steps; level > match->level; level--)
		if (match->latest[level].valid)
		{
			note_furthest(match, level, time);
			break;
		}
}

static void
flush_ties(AmFunnelMatch *match)
{
	if (match->tie_events == 1)
		apply_one(match, match->tie_time, match->tie_role);
	else if (match->tie_events > 1)
	{
		apply_ties(match, match->tie_time);
		memset(match->tie_counts, 0, sizeof(match->tie_counts));
	}
	match->tie_events = 0;
}

void
am_funnel_match_add(AmFunnelMatch *match, int64_t time, int role)
{
	if (match->tie_events == 0 || time != match->tie_time)
	{
		flush_ties(match);
		match->tie_time = time;
		match->tie_role = role;
		match->tie_events = 1;
		return;
	}
	if (match->tie_events == 1)
	{
		match->tie_counts[match->tie_role] = 1;
		match->tie_events = 2;
	}
	/* more events of a role than steps change nothing */
	if (match->tie_counts[role] < AM_FUNNEL_MAX_STEPS)
		match->tie_counts[role]++;
}

AmFunnelStop
am_funnel_match_finish(AmFunnelMatch *match)
{
	flush_ties(match);
	if (match->level == 0)
		return AM_STOP_NOT_ENTERED;
	if (match->level == match->spec->n_steps)
		return AM_STOP_CONVERTED;

	/* the latest start at this level is the last to time out */
	if (match->spec->within == AM_NO_LIMIT ||
		match->as_of - match->latest[match->level].times[0] < match->spec->within)
		return AM_STOP_STILL_OPEN;
	return AM_STOP_TIMED_OUT;
}
