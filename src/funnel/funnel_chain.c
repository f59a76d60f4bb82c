/*
 * The chain shown: given its level, its start and its end, the one with the
 * earliest steps between.
 *
 * One pass backward from the end to the start.  For every step it keeps the
 * best rest of a chain from that step on.  The one whose first event is
 * earliest meets every limit and every exclusion on the way there that any
 * other one meets, so one a step is exact.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <string.h>

#include "funnel/funnel_engine.h"

/* The rest of a chain, from its first step on */
typedef struct Rest
{
	uint64_t	taken;			/* 0: there is none */
	uint64_t	sources;		/* steps that it may follow */
	int64_t		head;			/* the time of its first step */
	int64_t		times[AM_FUNNEL_MAX_STEPS];
} Rest;

struct Finding
{
	const AmFunnelSpec *spec;
	int			last_step;
	int64_t		end_time;
	bool		strict_increase;
	bool		strict_order;
	bool		exclusions;
	uint64_t	before[AM_FUNNEL_MAX_STEPS];
	Rest		rests[AM_FUNNEL_MAX_STEPS];
	Rest		fresh[AM_FUNNEL_MAX_STEPS];	/* of the group in work */
	Group		group;
	Placing		placing;
	Placing		kept;
	Placing		trial;
};

Finding *
am_finding_create(const AmFunnelSpec *spec)
{
	Finding    *finding = am_host_alloc(sizeof(Finding));

	finding->spec = spec;
	finding->strict_increase = (spec->options & AM_FUNNEL_STRICT_INCREASE) != 0;
	finding->strict_order = (spec->options & AM_FUNNEL_STRICT_ORDER) != 0;
	finding->exclusions = !(spec->options & AM_FUNNEL_COUNT_REOPENED);
	for (int step = 0; step < spec->n_steps; step++)
		finding->before[step] = am_steps_before(spec, step);
	return finding;
}

/* May the rest from `step` follow `last`, matched in the group in work? */
static inline bool
links(const Finding *finding, int last, int step)
{
	const Rest *rest = &finding->rests[step];
	int64_t		limit = finding->spec->steps[step].limit;

	return rest->taken && (rest->sources & BIT(last)) &&
		(limit == AM_NO_LIMIT || rest->head - finding->group.time <= limit);
}

/* Is the chain complete with this step, or can it leave the group after it? */
static bool
leaves(const Finding *finding, int last)
{
	if (last == finding->last_step)
		return finding->group.time == finding->end_time;
	for (int step = last + 1; step <= finding->last_step; step++)
	{
		if (links(finding, last, step))
			return true;
		if (!am_may_be_skipped(finding->spec, step))
			break;
	}
	return false;
}

/* Can it be completed after `last`, with the events that `placing` leaves? Required steps alone take the fewest. */
static bool
completes(Finding *finding, const Placing *placing, int last)
{
	Placing    *trial = &finding->trial;
	Placing		required;

	if (leaves(finding, last))
		return true;
	required = *placing;
	for (int step = last + 1; step <= finding->last_step; step++)
	{
		if (am_may_be_skipped(finding->spec, step))
		{
			*trial = required;
			if (am_place_step(trial, finding->spec, step) && leaves(finding, step))
				return true;
		}
		else if (!am_place_step(&required, finding->spec, step))
			return false;
		else if (leaves(finding, step))
			return true;
	}
	return false;
}

/* The best rest that begins with this step in this group: earlier before later, taken before skipped */
static bool
choose(Finding *finding, int first, Rest *result)
{
	const AmFunnelSpec *spec = finding->spec;
	Placing    *placing = &finding->placing;
	int64_t		time = finding->group.time;
	int			last = first;

	am_placing_start(placing, &finding->group, spec);
	am_place_step(placing, spec, first);
	result->taken = BIT(first);
	result->sources = finding->before[first];
	result->head = time;
	result->times[first] = time;
	while (last != finding->last_step || time != finding->end_time)
	{
		bool		found = false;

		for (int step = last + 1; step <= finding->last_step && !found; step++)
		{
			if (!finding->strict_increase && (finding->group.fills & BIT(step)))
			{
				finding->kept = *placing;
				if (am_place_step(placing, spec, step) && completes(finding, placing, step))
				{
					result->taken |= BIT(step);
					result->times[step] = time;
					last = step;
					found = true;
					break;
				}
				*placing = finding->kept;
			}
			if (links(finding, last, step))
			{
				const Rest *rest = &finding->rests[step];

				result->taken |= rest->taken;
				memcpy(&result->times[step], &rest->times[step],
					   (finding->last_step + 1 - step) * sizeof(int64_t));
				return true;
			}
			if (!am_may_be_skipped(spec, step))
				break;
		}
		if (!found)
			return false;
	}
	return true;
}

/* What the group's events forbid to the rests that come after it */
static void
apply_prohibitions(Finding *finding)
{
	const Group *group = &finding->group;

	for (int step = 1; step <= finding->last_step && step < AM_FUNNEL_MAX_STEPS; step++)
	{
		Rest	   *rest = &finding->rests[step];

		if (!rest->taken || !rest->sources)
			continue;
		for (int r = 0; r < group->n_roles; r++)
		{
			const AmFunnelRole *role = &finding->spec->roles[group->roles[r]];
			uint64_t	gaps = finding->exclusions ? role->excludes & BITS_UP_TO(step - 1) : 0;

			/* sources before the last such gap */
			if (gaps)
				rest->sources &= ~BITS_UP_TO(HIGHEST(gaps));
			if (finding->strict_order && role->fills && !(role->fills & BIT(step)))
				rest->sources &= role->fills;
		}
	}
}

void
am_find_chain(const AmFunnelMatch *match, int64_t end, int64_t start_time, int64_t end_time, int level,
			  int first_step, AmFunnelAttempt *attempt)
{
	Finding    *finding = match->finding;
	Group	   *group = &finding->group;

	attempt->taken = BIT(first_step) | BIT(level - 1);
	attempt->times[first_step] = start_time;
	attempt->times[level - 1] = end_time;
	/* nothing lies between */
	if (level - 1 <= first_step + 1)
		return;

	finding->last_step = level - 1;
	finding->end_time = end_time;
	for (int step = 0; step < level; step++)
		finding->rests[step].taken = 0;
	for (int64_t i = end - 1, n = 1; i >= 0; i = group->next, n++)
	{
		uint64_t	fresh = 0;

		if ((n & 0xfff) == 0)
			AM_CHECK_INTERRUPTS();
		am_read_group(match, i, -1, group);
		for (uint64_t steps = group->fills & BITS_UP_TO(level - 1); steps; steps &= steps - 1)
			if (choose(finding, LOWEST(steps), &finding->fresh[LOWEST(steps)]))
				fresh |= BIT(LOWEST(steps));
		if (group->time == start_time)
			break;
		if (finding->strict_order || group->excludes)
			apply_prohibitions(finding);
		for (; fresh; fresh &= fresh - 1)
			memcpy(&finding->rests[LOWEST(fresh)], &finding->fresh[LOWEST(fresh)],
				   offsetof(Rest, times) + level * sizeof(int64_t));
	}
	attempt->taken = finding->fresh[first_step].taken;
	memcpy(attempt->times, finding->fresh[first_step].times, level * sizeof(int64_t));
}
