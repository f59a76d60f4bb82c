/*
 * Chains under all rules: limits on steps, exclusions, optional steps, strict
 * order, strict increase, first entry, totals.
 *
 * One pass.  For every level it keeps the chains that may still go on, without
 * those that another one outdoes: of two chains of a level the one with the
 * later last event meets every limit and every exclusion that the other one
 * meets, and if it starts no earlier it outlives it in the window as well.  So
 * a level's chains have descending starts and ascending last events.  Without
 * optional steps that is one chain; with them it is a few.
 *
 * An event is a step of a chain, or it takes steps away from chains: those
 * that an exclusion or strict order forbids after it.  What was taken last
 * tells why an attempt stopped.
 *
 * The chain shown is found afterwards, backward: see funnel_chain.c.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <string.h>

#include "funnel/funnel_engine.h"

typedef struct End
{
	int64_t		time;			/* NO_TIME: none */
	AmFunnelStop why;
	int			role;			/* of AM_STOP_EXCLUDED */
} End;

/* A chain as far as its future goes */
typedef struct Line
{
	int64_t		start;
	int64_t		last;
	uint64_t	next;			/* steps that may follow */
	uint64_t	open;			/* the same, less those that no longer count as open */
	End			end;			/* the last loss of an open step */
} Line;

typedef struct Front
{
	Line	   *lines;			/* starts descending, last events ascending */
	int			n;
	int			max;
	End			end;			/* the latest of the lines that are gone */
} Front;

struct Rules
{
	bool		strict_order;
	bool		strict_increase;
	bool		first_entry;
	bool		totals;
	bool		count_skipped;
	bool		count_reopened;
	uint64_t	after[AM_FUNNEL_MAX_STEPS];
	uint64_t	before[AM_FUNNEL_MAX_STEPS];
	Front		fronts[AM_FUNNEL_MAX_STEPS];	/* by the last step matched */
	uint64_t	fronts_in_use;

	int64_t		late_time;		/* with count skipped: of the entity's very first event, and the step it fills */
	int			late_step;
	int64_t		entry;			/* the attempt's first entry, or NO_TIME */
	int64_t		offers[AM_FUNNEL_MAX_STEPS];	/* of the group in work: latest start by step, or NO_TIME */
	uint64_t	offered;
	Group		group;
	Placing		placing;
	Placing		trial;
};

Rules *
am_rules_create(const AmFunnelSpec *spec)
{
	Rules	   *rules = am_host_alloc(sizeof(Rules));

	memset(rules, 0, sizeof(*rules));
	rules->strict_order = (spec->options & AM_FUNNEL_STRICT_ORDER) != 0;
	rules->strict_increase = (spec->options & AM_FUNNEL_STRICT_INCREASE) != 0;
	rules->first_entry = (spec->options & AM_FUNNEL_FIRST_ENTRY) != 0;
	rules->totals = (spec->options & AM_FUNNEL_TOTALS) != 0;
	rules->count_skipped = (spec->options & AM_FUNNEL_COUNT_SKIPPED) != 0;
	rules->count_reopened = (spec->options & AM_FUNNEL_COUNT_REOPENED) != 0;
	for (int step = 0; step < spec->n_steps; step++)
	{
		rules->after[step] = am_steps_after(spec, step);
		rules->before[step] = am_steps_before(spec, step);
		rules->fronts[step].max = 2;
		rules->fronts[step].lines = am_host_alloc(2 * sizeof(Line));
	}
	return rules;
}

void
am_rules_free(Rules *rules)
{
	for (int step = 0; step < AM_FUNNEL_MAX_STEPS; step++)
		if (rules->fronts[step].lines)
			am_host_free(rules->fronts[step].lines);
	am_host_free(rules);
}

/* The later end; of equal ones excluded before broken before timed out */
static inline void
note_end(End *end, int64_t time, AmFunnelStop why, int role)
{
	static const int rank[] = {[AM_STOP_EXCLUDED] = 0, [AM_STOP_BROKEN] = 1, [AM_STOP_TIMED_OUT] = 2};

	if (time < end->time ||
		(time == end->time && (rank[why] > rank[end->why] || (why == end->why && role >= end->role))))
		return;
	end->time = time;
	end->why = why;
	end->role = role;
}

static inline void
merge_end(End *end, const End *other)
{
	if (other->time != NO_TIME)
		note_end(end, other->time, other->why, other->role);
}

/* The last time at which a step may follow; AM_NO_LIMIT = any */
static inline int64_t
deadline(const AmFunnelSpec *spec, const Line *line, int step)
{
	int64_t		of_window = am_time_after(line->start, spec->within);
	int64_t		of_step = am_time_after(line->last, spec->steps[step].limit);

	return of_window < of_step ? of_window : of_step;
}

static bool
can_go_on(const AmFunnelSpec *spec, const Line *line, int64_t time)
{
	for (uint64_t steps = line->open; steps; steps &= steps - 1)
		if (time <= deadline(spec, line, LOWEST(steps)))
			return true;
	return false;
}

static void
clear_fronts(Rules *rules)
{
	for (uint64_t fronts = rules->fronts_in_use; fronts; fronts &= fronts - 1)
	{
		rules->fronts[LOWEST(fronts)].n = 0;
		rules->fronts[LOWEST(fronts)].end.time = NO_TIME;
	}
	rules->fronts_in_use = 0;
	rules->entry = NO_TIME;
}

void
am_rules_begin(AmFunnelMatch *match)
{
	Rules	   *rules = match->rules;

	clear_fronts(rules);
	rules->late_time = NO_TIME;
	if (!rules->count_skipped)
		return;
	for (int64_t i = 0; i < match->events->n;)
	{
		am_read_group(match, i, 1, &rules->group);
		i = rules->group.next;
		if (!rules->group.fills)
			continue;
		if (!(rules->group.fills & 1))
		{
			rules->late_time = rules->group.time;
			rules->late_step = LOWEST(rules->group.fills);
		}
		break;
	}
}

/* The step at which a chain can start at the group's time, or -1 */
static inline int
starting_step(const AmFunnelMatch *match, const Group *group)
{
	if (!in_entry_range(match, group->time))
		return -1;
	if (group->fills & 1)
		return 0;
	return group->time == match->rules->late_time ? match->rules->late_step : -1;
}

static inline void
offer(Rules *rules, int step, int64_t start)
{
	if (!(rules->offered & BIT(step)) || rules->offers[step] < start)
		rules->offers[step] = start;
	rules->offered |= BIT(step);
}

/* A chain with its first event of this group at `first` goes on within the group as far as it gets */
static void
offer_run(const AmFunnelMatch *match, int first, int64_t start)
{
	const AmFunnelSpec *spec = match->spec;
	Rules	   *rules = match->rules;
	Placing    *placing = &rules->placing;

	am_placing_start(placing, &rules->group, spec);
	am_place_step(placing, spec, first);
	for (int step = first + 1; step < spec->n_steps; step++)
	{
		if (am_may_be_skipped(spec, step))
		{
			/* it may be the last one here, or be passed over: later steps do not lose its event */
			if (!(rules->group.fills & BIT(step)))
				continue;
			rules->trial = *placing;
			if (am_place_step(&rules->trial, spec, step))
				offer(rules, step, start);
		}
		else if (am_place_step(placing, spec, step))
			offer(rules, step, start);
		else
			break;
	}
}

/* What the group offers to each step, from the chains as they were before it */
static void
collect_offers(const AmFunnelMatch *match)
{
	const AmFunnelSpec *spec = match->spec;
	Rules	   *rules = match->rules;
	const Group *group = &rules->group;
	int			start_step = starting_step(match, group);
	uint64_t	firsts;

	rules->offered = 0;
	if (start_step >= 0 && !(rules->first_entry && rules->entry != NO_TIME && rules->entry != group->time))
	{
		if (rules->entry == NO_TIME)
			rules->entry = group->time;
		offer(rules, start_step, group->time);
	}
	for (uint64_t steps = group->fills; steps; steps &= steps - 1)
	{
		int			step = LOWEST(steps);

		for (uint64_t sources = rules->before[step] & rules->fronts_in_use; sources; sources &= sources - 1)
		{
			const Front *front = &rules->fronts[LOWEST(sources)];

			/* the first that is in time starts latest */
			for (int i = 0; i < front->n; i++)
				if ((front->lines[i].next & BIT(step)) && group->time <= deadline(spec, &front->lines[i], step))
				{
					offer(rules, step, front->lines[i].start);
					break;
				}
		}
	}
	if (group->n_events == 1 || rules->strict_increase)
		return;
	firsts = rules->offered;
	for (int step = spec->n_steps - 1; step >= 0; step--)
		if (firsts & BIT(step))
			offer_run(match, step, rules->offers[step]);
}

/* Steps lost to an exclusion or to strict order; only those that were still to be had in time are a reason */
static void
take_away(const AmFunnelSpec *spec, Line *line, uint64_t lost, int64_t time, AmFunnelStop why, int role)
{
	for (uint64_t steps = lost & line->open; steps; steps &= steps - 1)
	{
		int64_t		until = deadline(spec, line, LOWEST(steps));

		if (time < until)
			note_end(&line->end, time, why, role);
		else
			note_end(&line->end, until, AM_STOP_TIMED_OUT, 0);
	}
	line->open &= ~lost;
}

/* What the group's events forbid to the chains that were there before it */
static void
apply_prohibitions(const AmFunnelMatch *match)
{
	const AmFunnelSpec *spec = match->spec;
	Rules	   *rules = match->rules;
	const Group *group = &rules->group;

	for (uint64_t fronts = rules->fronts_in_use; fronts; fronts &= fronts - 1)
	{
		int			last_step = LOWEST(fronts);
		Front	   *front = &rules->fronts[last_step];
		int			kept = 0;

		for (int i = 0; i < front->n; i++)
		{
			Line	   *line = &front->lines[i];

			for (int r = 0; r < group->n_roles && group->excludes; r++)
			{
				uint64_t	gaps = spec->roles[group->roles[r]].excludes & ~BITS_UP_TO(last_step - 1);
				uint64_t	lost;

				if (!gaps)
					continue;
				/* steps beyond the first such gap */
				lost = line->next & ~BITS_UP_TO(LOWEST(gaps));
				take_away(spec, line, lost, group->time, AM_STOP_EXCLUDED, group->roles[r]);
				if (!rules->count_reopened)
					line->next &= ~lost;
			}
			for (int r = 0; r < group->n_roles && rules->strict_order; r++)
			{
				uint64_t	fills = spec->roles[group->roles[r]].fills;

				if (!fills || (fills & BIT(last_step)))
					continue;
				take_away(spec, line, line->next & ~fills, group->time, AM_STOP_BROKEN, 0);
				line->next &= fills;
			}
			if (line->next == 0)
				merge_end(&front->end, &line->end);
			else
			{
				if (kept < i)
					front->lines[kept] = *line;
				kept++;
			}
		}
		front->n = kept;
	}
}

static void
push_line(Rules *rules, int step, int64_t start, int64_t last)
{
	Front	   *front = &rules->fronts[step];
	Line	   *line;

	if (!(rules->fronts_in_use & BIT(step)))
	{
		rules->fronts_in_use |= BIT(step);
		front->n = 0;
		front->end.time = NO_TIME;
	}
	/* a chain that is outdone also ends before the one that outdoes it, and for the same reason */
	while (front->n > 0 && front->lines[front->n - 1].start <= start)
		front->n--;
	if (front->n == front->max)
	{
		Line	   *grown = am_host_alloc(2 * front->max * sizeof(Line));

		memcpy(grown, front->lines, front->n * sizeof(Line));
		am_host_free(front->lines);
		front->lines = grown;
		front->max *= 2;
	}
	line = &front->lines[front->n++];
	line->start = start;
	line->last = last;
	line->next = line->open = rules->after[step];
	line->end.time = NO_TIME;
}

static void
conclude(const AmFunnelMatch *match, AmFunnelAttempt *attempt)
{
	const AmFunnelSpec *spec = match->spec;
	const Front *front = &match->rules->fronts[attempt->level - 1];
	End			end = front->end;

	if (attempt->level == spec->n_steps)
	{
		attempt->stop = AM_STOP_CONVERTED;
		return;
	}
	for (int i = 0; i < front->n; i++)
	{
		const Line *line = &front->lines[i];

		merge_end(&end, &line->end);
		for (uint64_t steps = line->open; steps; steps &= steps - 1)
		{
			int64_t		until = deadline(spec, line, LOWEST(steps));

			if (match->as_of < until)
			{
				attempt->stop = AM_STOP_STILL_OPEN;
				return;
			}
			note_end(&end, until, AM_STOP_TIMED_OUT, 0);
		}
	}
	attempt->stop = end.why;
	attempt->ended = end.time;
	attempt->excluded_by = end.role;
}

/* With totals: a new entry starts a new attempt once nothing of the one before goes on */
static bool
is_over(const AmFunnelMatch *match, int level, int64_t time)
{
	const Rules *rules = match->rules;
	uint64_t	fronts = rules->fronts_in_use;

	/* of an attempt beyond its first step only what is beyond it counts: the new entry outdoes the old one */
	if (level > 1)
		fronts &= ~UINT64_C(1);
	for (; fronts; fronts &= fronts - 1)
	{
		const Front *front = &rules->fronts[LOWEST(fronts)];

		for (int i = 0; i < front->n; i++)
			if (can_go_on(match->spec, &front->lines[i], time))
				return false;
	}
	return true;
}

bool
am_rules_next(AmFunnelMatch *match, AmFunnelAttempt *attempt)
{
	const AmFunnelSpec *spec = match->spec;
	Rules	   *rules = match->rules;
	Group	   *group = &rules->group;
	int64_t		end = 0;		/* index after the group that reached the level */
	int64_t		start_time = 0;
	int64_t		end_time = 0;
	int64_t		groups = 0;

	attempt->level = 0;
	attempt->ended = NO_TIME;
	while (match->next < match->events->n && attempt->level < spec->n_steps)
	{
		am_read_group(match, match->next, 1, group);
		if ((++groups & 0xfff) == 0)
			AM_CHECK_INTERRUPTS();
		if (rules->totals && attempt->level > 0 && starting_step(match, group) >= 0 &&
			is_over(match, attempt->level, group->time))
			break;
		match->next = group->next;
		match->seen |= group->fills;
		collect_offers(match);
		if (rules->offered)
		{
			int			level = HIGHEST(rules->offered) + 1;

			if (level > attempt->level)
			{
				while (attempt->level < level)
					attempt->first_reached[++attempt->level] = group->time;
				start_time = rules->offers[level - 1];
				end_time = group->time;
				end = group->next;
			}
		}
		if (rules->fronts_in_use && (rules->strict_order || group->excludes))
			apply_prohibitions(match);
		for (uint64_t steps = rules->offered; steps; steps &= steps - 1)
			push_line(rules, LOWEST(steps), rules->offers[LOWEST(steps)], group->time);
	}
	if (attempt->level == 0)
		return false;

	conclude(match, attempt);
	am_find_chain(match, end, start_time, end_time, attempt->level,
				  start_time == rules->late_time ? rules->late_step : 0, attempt);
	if (rules->totals)
		clear_fronts(rules);
	else
		match->next = match->events->n;
	return true;
}
