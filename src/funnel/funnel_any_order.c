/*
 * Steps in any order: the most different steps done within a window.
 *
 * Events that can be given different steps are independent (a transversal
 * matroid).  Of the events so far it keeps a largest independent set that is
 * as late as possible: a new event takes a free step, or the place of the
 * earliest event that it can stand in for.  Then the events of that set within
 * any window that ends now are as many as can be had there (the greedy
 * property of matroids), and the set has no more events than there are steps:
 * O(steps squared) an event at the worst.
 *
 * Read backward from the end of the chain shown, the same gives its earliest
 * events.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <string.h>

#include "funnel/funnel_engine.h"

/* One event, or with strict increase all events of one time */
typedef struct Unit
{
	int64_t		time;
	uint64_t	fills;
} Unit;

/* An independent set: the event that each step is given to */
typedef struct Basis
{
	uint64_t	steps;			/* that have one */
	Unit		units[AM_FUNNEL_MAX_STEPS];	/* by step */
} Basis;

struct AnyOrder
{
	uint64_t	required;		/* steps */
	bool		disjoint;		/* no unit can take several steps */
	Basis		all;
	Basis		necessary;		/* of the required steps alone, if there are others */
	int64_t		entry;			/* first time at which an attempt can start, or NO_TIME */
	int64_t		latest_entry;
	Group		group;
};

static bool
is_disjoint(const AmFunnelSpec *spec)
{
	if (spec->options & AM_FUNNEL_STRICT_INCREASE)
		return false;
	for (int role = 0; role < spec->n_roles; role++)
		if (COUNT(spec->roles[role].fills) > 1)
			return false;
	return true;
}

AnyOrder *
am_any_order_create(const AmFunnelSpec *spec)
{
	AnyOrder   *any_order = am_host_alloc(sizeof(AnyOrder));

	any_order->required = 0;
	any_order->disjoint = is_disjoint(spec);
	for (int step = 0; step < spec->n_steps; step++)
		if (!spec->steps[step].optional)
			any_order->required |= BIT(step);
	return any_order;
}

void
am_any_order_free(AnyOrder *any_order)
{
	am_host_free(any_order);
}

static void
start_attempt(AnyOrder *any_order)
{
	any_order->all.steps = 0;
	any_order->necessary.steps = 0;
	any_order->entry = any_order->latest_entry = NO_TIME;
}

void
am_any_order_begin(AmFunnelMatch *match)
{
	start_attempt(match->any_order);
}

/* Adds an event that is not earlier (backward: not later) than any before */
static void
insert_unit(Basis *basis, Unit unit, bool backward)
{
	uint8_t		came_from[AM_FUNNEL_MAX_STEPS]; /* the step whose event can move here; AM_FUNNEL_MAX_STEPS: the new one */
	uint8_t		queue[AM_FUNNEL_MAX_STEPS];
	int			head = 0;
	int			tail = 0;
	uint64_t	reached = unit.fills;
	int			target = -1;
	int64_t		worst = unit.time;

	for (uint64_t steps = unit.fills; steps; steps &= steps - 1)
	{
		came_from[LOWEST(steps)] = AM_FUNNEL_MAX_STEPS;
		queue[tail++] = (uint8_t) LOWEST(steps);
	}
	while (head < tail)
	{
		int			step = queue[head++];
		uint64_t	further;

		if (!(basis->steps & BIT(step)))
		{
			target = step;
			break;
		}
		if (backward ? basis->units[step].time > worst : basis->units[step].time < worst)
		{
			worst = basis->units[step].time;
			target = step;
		}
		further = basis->units[step].fills & ~reached;
		reached |= further;
		for (; further; further &= further - 1)
		{
			came_from[LOWEST(further)] = (uint8_t) step;
			queue[tail++] = (uint8_t) LOWEST(further);
		}
	}
	if (target < 0)
		return;
	basis->steps |= BIT(target);
	for (; came_from[target] != AM_FUNNEL_MAX_STEPS; target = came_from[target])
		basis->units[target] = basis->units[came_from[target]];
	basis->units[target] = unit;
}

static void
insert_group(const AmFunnelMatch *match, Basis *basis, const Group *group, uint64_t steps, bool backward)
{
	const AmFunnelSpec *spec = match->spec;
	Unit		unit;

	unit.time = group->time;
	if (spec->options & AM_FUNNEL_STRICT_INCREASE)
	{
		unit.fills = group->fills & steps;
		if (unit.fills)
			insert_unit(basis, unit, backward);
		return;
	}
	for (int r = 0; r < group->n_roles; r++)
	{
		unit.fills = spec->roles[group->roles[r]].fills & steps;
		for (int i = 0; unit.fills && i < group->counts[r]; i++)
			insert_unit(basis, unit, backward);
	}
}

/* The latest start of a chain of so many steps, from the set's events at or after `from`; NO_TIME: not so many */
static int64_t
start_of(const Basis *basis, int n, int64_t from)
{
	int64_t		times[AM_FUNNEL_MAX_STEPS];
	int			found = 0;

	for (uint64_t steps = basis->steps; steps; steps &= steps - 1)
	{
		int64_t		time = basis->units[LOWEST(steps)].time;
		int			place = found;

		if (time < from)
			continue;
		found++;
		for (; place > 0 && times[place - 1] < time; place--)
			times[place] = times[place - 1];
		times[place] = time;
	}
	return found >= n ? times[n - 1] : NO_TIME;
}

static int
count_from(const Basis *basis, int64_t from)
{
	int			n = 0;

	for (uint64_t steps = basis->steps; steps; steps &= steps - 1)
		n += basis->units[LOWEST(steps)].time >= from;
	return n;
}

/* The events that the chain shown may be of: those of the times of its steps, earliest first */
typedef struct Candidates
{
	int64_t		times[AM_FUNNEL_MAX_STEPS]; /* of the steps taken, ascending */
	int			n_times;
	Unit	   *units;
	int			n_units;
} Candidates;

/*
 * The steps that each event may take, once `fixed` steps have their times and
 * only `steps` are to be had.
 */
static uint64_t
may_take(const Unit *unit, uint64_t steps, uint64_t fixed, const int64_t *times)
{
	uint64_t	may = unit->fills & steps;

	for (uint64_t left = may & fixed; left; left &= left - 1)
		if (times[LOWEST(left)] != unit->time)
			may &= ~BIT(LOWEST(left));
	return may;
}

/* Do the events then still give as many steps at the same times, with all of `needed` among them? */
static bool
is_possible(const Candidates *candidates, uint64_t steps, uint64_t needed, uint64_t fixed, const int64_t *times)
{
	Basis		all;
	Basis		of_needed;
	int			n = 0;

	all.steps = of_needed.steps = 0;
	for (int u = 0; u < candidates->n_units; u++)
	{
		Unit		unit = {0, may_take(&candidates->units[u], steps, fixed, times)};
		uint64_t	before = all.steps;

		/* all of one time as far as the set knows: no one takes another's place, so earlier ones go first */
		if (unit.fills)
			insert_unit(&all, unit, false);
		if (all.steps != before && (n == candidates->n_times || candidates->units[u].time != candidates->times[n++]))
			return false;
		unit.fills &= needed;
		if (unit.fills)
			insert_unit(&of_needed, unit, false);
	}
	/* where these events can have steps, and these steps events, both can be had at once (Mendelsohn and Dulmage) */
	return n == candidates->n_times && of_needed.steps == needed;
}

/* The time of each step: of step 1 the earliest that leaves the rest possible, and so on; skipped if there is none */
static void
assign_steps(const AmFunnelSpec *spec, const Candidates *candidates, uint64_t required, AmFunnelAttempt *attempt)
{
	uint64_t	steps = BITS_UP_TO(spec->n_steps - 1);

	attempt->taken = 0;
	for (int step = 0; step < spec->n_steps; step++)
	{
		uint64_t	taken = attempt->taken | BIT(step);
		bool		found = false;

		for (int i = 0; i < candidates->n_times && !found; i++)
		{
			if (i > 0 && candidates->times[i] == candidates->times[i - 1])
				continue;
			attempt->times[step] = candidates->times[i];
			found = is_possible(candidates, steps, taken | required, taken, attempt->times);
		}
		if (found)
			attempt->taken = taken;
		else
			steps &= ~BIT(step);
	}
}

/* All events of the times of the chain shown */
static void
collect_candidates(const AmFunnelMatch *match, int64_t end, Candidates *candidates)
{
	const AmFunnelSpec *spec = match->spec;
	Group	   *group = &match->any_order->group;
	bool		strict_increase = (spec->options & AM_FUNNEL_STRICT_INCREASE) != 0;
	int			wanted = candidates->n_times;

	candidates->n_units = 0;
	candidates->units = am_host_alloc((size_t) AM_FUNNEL_MAX_ROLES * wanted * sizeof(Unit));
	for (int64_t i = end - 1; i >= 0 && wanted > 0; i = group->next)
	{
		int			here = 0;

		am_read_group(match, i, -1, group);
		while (wanted > 0 && candidates->times[wanted - 1] == group->time)
		{
			wanted--;
			here++;
		}
		if (here == 0)
			continue;
		for (int r = 0; r < (strict_increase ? 1 : group->n_roles); r++)
		{
			Unit		unit = {group->time, strict_increase ? group->fills : spec->roles[group->roles[r]].fills};

			for (int copy = 0; unit.fills && copy < here && copy < group->counts[r]; copy++)
				candidates->units[candidates->n_units++] = unit;
		}
	}
	for (int i = 0, j = candidates->n_units - 1; i < j; i++, j--)
	{
		Unit		unit = candidates->units[i];

		candidates->units[i] = candidates->units[j];
		candidates->units[j] = unit;
	}
}

/* The chain shown: the earliest events between its start and its end */
static void
find_chain(const AmFunnelMatch *match, int64_t end, int64_t start_time, AmFunnelAttempt *attempt)
{
	AnyOrder   *any_order = match->any_order;
	Basis		basis;
	Candidates	candidates;
	Group	   *group = &any_order->group;

	basis.steps = 0;
	for (int64_t i = end - 1; i >= 0; i = group->next)
	{
		am_read_group(match, i, -1, group);
		if (group->time < start_time)
			break;
		insert_group(match, &basis, group, UINT64_MAX, true);
	}
	if (any_order->disjoint)
	{
		attempt->taken = basis.steps;
		for (uint64_t steps = basis.steps; steps; steps &= steps - 1)
			attempt->times[LOWEST(steps)] = basis.units[LOWEST(steps)].time;
		return;
	}

	candidates.n_times = 0;
	for (uint64_t steps = basis.steps; steps; steps &= steps - 1)
	{
		int64_t		time = basis.units[LOWEST(steps)].time;
		int			place = candidates.n_times++;

		for (; place > 0 && candidates.times[place - 1] > time; place--)
			candidates.times[place] = candidates.times[place - 1];
		candidates.times[place] = time;
	}
	collect_candidates(match, end, &candidates);
	assign_steps(match->spec, &candidates, attempt->level == match->spec->n_steps ? any_order->required : 0, attempt);
	am_host_free(candidates.units);
}

bool
am_any_order_next(AmFunnelMatch *match, AmFunnelAttempt *attempt)
{
	const AmFunnelSpec *spec = match->spec;
	AnyOrder   *any_order = match->any_order;
	Group	   *group = &any_order->group;
	uint64_t	every_step = BITS_UP_TO(spec->n_steps - 1);
	bool		first_entry = (spec->options & AM_FUNNEL_FIRST_ENTRY) != 0;
	bool		totals = (spec->options & AM_FUNNEL_TOTALS) != 0;
	int			n_required = COUNT(any_order->required);
	int64_t		end = 0;
	int64_t		start_time = 0;
	int64_t		latest_start = 0;	/* of any chain of the level */
	int64_t		groups = 0;

	start_attempt(any_order);
	attempt->level = 0;
	attempt->ended = NO_TIME;
	while (match->next < match->events->n && attempt->level < spec->n_steps)
	{
		int			level;
		int64_t		from;
		int64_t		start;

		am_read_group(match, match->next, 1, group);
		if ((++groups & 0xfff) == 0)
			AM_CHECK_INTERRUPTS();
		if (!group->fills || group->time < match->entry_since)
		{
			match->next = group->next;
			continue;
		}
		if (in_entry_range(match, group->time))
		{
			int64_t		last_entry = first_entry ? any_order->entry : any_order->latest_entry;

			if (totals && attempt->level > 0 && spec->within != AM_NO_LIMIT &&
				group->time - last_entry > spec->within)
				break;
			if (any_order->entry == NO_TIME)
				any_order->entry = group->time;
			any_order->latest_entry = group->time;
		}
		match->next = group->next;
		if (any_order->entry == NO_TIME)
			continue;
		from = spec->within == AM_NO_LIMIT ? any_order->entry : group->time - spec->within;
		if (first_entry)
		{
			if (any_order->entry < from)
				continue;
			from = any_order->entry;
		}
		/* an event before the end of the entry range can stand in for one of the set, wherever that one is */
		if (any_order->latest_entry < from)
			continue;

		insert_group(match, &any_order->all, group, UINT64_MAX, false);
		level = count_from(&any_order->all, from);
		if (any_order->required != every_step)
		{
			insert_group(match, &any_order->necessary, group, any_order->required, false);
			if (count_from(&any_order->necessary, from) == n_required)
				level = spec->n_steps;
		}
		if (level < attempt->level)
			continue;
		if (first_entry)
			start = any_order->entry;
		else
		{
			start = level == spec->n_steps && any_order->required != every_step ?
				start_of(&any_order->necessary, n_required, from) : start_of(&any_order->all, level, from);
			if (start > any_order->latest_entry)
				start = any_order->latest_entry;
		}
		if (level > attempt->level)
		{
			while (attempt->level < level)
				attempt->first_reached[++attempt->level] = group->time;
			end = group->next;
			start_time = start;
			latest_start = start;
		}
		else if (start > latest_start)
			latest_start = start;
	}
	if (attempt->level == 0)
		return false;

	if (attempt->level == spec->n_steps)
		attempt->stop = AM_STOP_CONVERTED;
	else if (spec->within == AM_NO_LIMIT || match->as_of - latest_start < spec->within)
		attempt->stop = AM_STOP_STILL_OPEN;
	else
	{
		attempt->stop = AM_STOP_TIMED_OUT;
		attempt->ended = am_time_after(latest_start, spec->within);
	}
	find_chain(match, end, start_time, attempt);
	if (!totals)
		match->next = match->events->n;
	return true;
}
