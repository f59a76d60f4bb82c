/*
 * Plain funnels, in one pass: steps and alternatives, perhaps a window.
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

#include "funnel/funnel_engine.h"

/* times[s] is the time of step s; a chain of level n has n steps */
typedef struct Chain
{
	bool		valid;
	int64_t		times[AM_FUNNEL_MAX_STEPS];
} Chain;

struct Plain
{
	Chain		latest[AM_FUNNEL_MAX_STEPS + 1];	/* by level: the latest start that got there */
	Chain		before[AM_FUNNEL_MAX_STEPS + 1];	/* the same before a group of equal times */
	Group		group;
};

Plain *
am_plain_create(void)
{
	return am_host_alloc(sizeof(Plain));
}

/* keeps a loop from becoming a call of memcpy */
#define AM_NO_IDIOM()	__asm__ volatile ("")

/* Times fit 59 bits and durations 57, so nothing here overflows */
static inline bool
in_window(const AmFunnelSpec *spec, const Chain *chain, int64_t time)
{
	return spec->within == AM_NO_LIMIT || time - chain->times[0] <= spec->within;
}

/*
 * Offers a chain for a level: `base` of level `from`, and steps from + 1 ..
 * level all at `time`.
 */
static inline void
offer(Chain *slot, const Chain *base, int from, int level, int64_t time)
{
	int64_t		start = from > 0 ? base->times[0] : time;

	if (slot->valid && slot->times[0] >= start)
		return;
	/* few: a call would cost more */
	for (int step = 0; step < from; step++)
	{
		slot->times[step] = base->times[step];
		AM_NO_IDIOM();
	}
	for (int step = from; step < level; step++)
		slot->times[step] = time;
	slot->valid = true;
}

/* With ties the level may rise by more than one at a time */
static inline void
note_furthest(AmFunnelAttempt *attempt, const Plain *plain, int level, int64_t time)
{
	if (level > attempt->level)
	{
		while (attempt->level < level)
			attempt->first_reached[++attempt->level] = time;
		memcpy(attempt->times, plain->latest[level].times, level * sizeof(int64_t));
	}
}

/* High steps first, so that the event fills one step of a chain */
static inline void
match_event(const AmFunnelMatch *match, int64_t within, Plain *plain, AmFunnelAttempt *attempt,
			int64_t time, uint64_t fills)
{
	while (fills)
	{
		int			step = HIGHEST(fills);
		Chain	   *base = &plain->latest[step];

		fills &= ~BIT(step);
		if (step == 0)
		{
			if (!in_entry_range(match, time))
				continue;
			base[1].times[0] = time;
			base[1].valid = true;
		}
		else
		{
			/* without a window nothing is ever too late */
			if (!base->valid || time - base->times[0] > within)
				continue;
			offer(base + 1, base, step, step + 1, time);
		}
		if (step >= attempt->level)
			note_furthest(attempt, plain, step + 1, time);
	}
}

/* How far a chain of this level gets with the events of one time */
static int
level_with_ties(const AmFunnelSpec *spec, const Group *group, int from)
{
	Placing		placing;
	int			level = from;

	am_placing_start(&placing, group, spec);
	while (level < spec->n_steps && am_place_step(&placing, spec, level))
		level++;
	return level;
}

static void
match_group(const AmFunnelMatch *match, Plain *plain, AmFunnelAttempt *attempt)
{
	const AmFunnelSpec *spec = match->spec;
	const Group *group = &plain->group;

	for (int level = 1; level < spec->n_steps; level++)
	{
		plain->before[level].valid = plain->latest[level].valid;
		if (plain->latest[level].valid)
			memcpy(plain->before[level].times, plain->latest[level].times, level * sizeof(int64_t));
	}

	/* from high to low: of two chains with one start the one with earlier steps comes first */
	for (int from = spec->n_steps - 1; from >= 0; from--)
	{
		int			to;

		if (!(group->fills & BIT(from)))
			continue;
		if (from == 0 ? !in_entry_range(match, group->time)
			: !plain->before[from].valid || !in_window(spec, &plain->before[from], group->time))
			continue;
		to = level_with_ties(spec, group, from);
		for (int level = from + 1; level <= to; level++)
			offer(&plain->latest[level], &plain->before[from], from, level, group->time);
	}
	for (int level = spec->n_steps; level > attempt->level; level--)
		if (plain->latest[level].valid)
		{
			note_furthest(attempt, plain, level, group->time);
			break;
		}
}

static void
start_plain(const AmFunnelSpec *spec, Plain *plain, AmFunnelAttempt *attempt)
{
	for (int level = 0; level <= spec->n_steps; level++)
		plain->latest[level].valid = false;
	attempt->level = 0;
}

/* All events, or, as long as groups of one time stay together, the next ones */
static void
consume_plain(AmFunnelMatch *match, Plain *plain, AmFunnelAttempt *attempt)
{
	const AmFunnelSpec *spec = match->spec;
	const AmFunnelEvents *events = match->events;
	int			role_bits = events->role_bits;
	uint64_t	role_mask = BITS_UP_TO(role_bits - 1);
	int64_t		n = events->n;
	int64_t		within = spec->within;
	uint64_t	seen = match->seen;
	uint64_t	stamp = n > 0 ? stamp_at(events, 0) : 0;

	for (int64_t i = 0; i < n && attempt->level < spec->n_steps;)
	{
		uint64_t	next = i + 1 < n ? stamp_at(events, i + 1) : 0;
		uint64_t	fills;

		if (i + 1 < n && next >> role_bits == stamp >> role_bits)
		{
			am_read_group(match, i, 1, &plain->group);
			seen |= plain->group.fills;
			match_group(match, plain, attempt);
			i = plain->group.next;
			if (i < n)
				stamp = stamp_at(events, i);
			continue;
		}
		fills = spec->roles[stamp & role_mask].fills;
		seen |= fills;
		match_event(match, within, plain, attempt, (int64_t) (stamp >> role_bits), fills);
		stamp = next;
		if ((++i & 0xffff) == 0)
			AM_CHECK_INTERRUPTS();
	}
	match->seen = seen;
}

static bool
conclude_plain(const AmFunnelMatch *match, const Plain *plain, AmFunnelAttempt *attempt)
{
	const AmFunnelSpec *spec = match->spec;

	if (attempt->level == 0)
		return false;
	attempt->taken = BITS_UP_TO(attempt->level - 1);
	if (attempt->level == spec->n_steps)
		attempt->stop = AM_STOP_CONVERTED;
	else
	{
		/* the latest start at this level is the last to time out */
		int64_t		start = plain->latest[attempt->level].times[0];

		attempt->stop = spec->within == AM_NO_LIMIT || match->as_of - start < spec->within ?
			AM_STOP_STILL_OPEN : AM_STOP_TIMED_OUT;
		attempt->ended = am_time_after(start, spec->within);
	}
	return true;
}

bool
am_plain_next(AmFunnelMatch *match, AmFunnelAttempt *attempt)
{
	if (match->next >= match->events->n)
		return false;
	start_plain(match->spec, match->plain, attempt);
	consume_plain(match, match->plain, attempt);
	match->next = match->events->n;
	return conclude_plain(match, match->plain, attempt);
}

struct AmFunnelStream
{
	Plain		plain;
	AmFunnelAttempt attempt;
};

AmFunnelStream *
am_funnel_stream_create(const AmFunnelMatch *match)
{
	AmFunnelStream *stream;

	if (!match->plain)
		return NULL;
	stream = am_host_alloc(sizeof(AmFunnelStream));
	start_plain(match->spec, &stream->plain, &stream->attempt);
	return stream;
}

void
am_funnel_stream_add(AmFunnelMatch *match, AmFunnelStream *stream, const AmFunnelEvents *events)
{
	match->events = events;
	consume_plain(match, &stream->plain, &stream->attempt);
}

bool
am_funnel_stream_finish(AmFunnelMatch *match, AmFunnelStream *stream, AmFunnelAttempt *attempt)
{
	bool		found = conclude_plain(match, &stream->plain, &stream->attempt);

	*attempt = stream->attempt;
	attempt->passed_over = false;
	attempt->excluded_by = 0;
	return found;
}
