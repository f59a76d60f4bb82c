/*
 * The matcher against twins that try everything.
 *
 * The first twin is the text of docs/funnels.md, "Meaning", done the slow way:
 * it builds every chain there is, and takes from all of them what is asked
 * for.  The second one knows only the best chain for each start and end, which
 * is enough where an event cannot get in its own way, and so can do longer
 * histories.  The third one is for `any order`, by matching events to steps.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <inttypes.h>
#include <time.h>

#include "tap.h"

#include "funnel/funnel_match.h"

#define MAX_EVENTS	400
#define STEP(s)		(UINT64_C(1) << (s))

/* Roles are written as letters, in examples and in reports */
static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

typedef struct Event
{
	int64_t		time;
	int			role;
} Event;

/* Events in order of time and role */
typedef struct History
{
	int			n;
	Event		events[MAX_EVENTS];
	int64_t		as_of;
	int64_t		entry_since;
	int64_t		entry_until;
} History;

typedef struct Answer
{
	int			n;
	AmFunnelAttempt attempts[MAX_EVENTS + 1];
	bool		came_late;		/* where n is 0 */
} Answer;

static uint64_t random_state;

static void
seed(uint64_t from)
{
	from = (from + 1) * UINT64_C(0x9e3779b97f4a7c15);
	from = (from ^ from >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	from = (from ^ from >> 27) * UINT64_C(0x94d049bb133111eb);
	random_state = (from ^ from >> 31) | 1;
}

static uint32_t
draw(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t) ((random_state >> 32) * n >> 32);
}

/* What both twins know of single rules */

static bool
has(const AmFunnelSpec *spec, uint32_t option)
{
	return (spec->options & option) != 0;
}

static bool
is_entry(const History *history, int64_t time)
{
	return time >= history->entry_since && time < history->entry_until;
}

/* Rule 1: may a chain start with this event as that step? */
static bool
may_start_as(const AmFunnelSpec *spec, const History *history, const Event *event, int step)
{
	if (!(spec->roles[event->role].fills & STEP(step)) || !is_entry(history, event->time))
		return false;
	if (step == 0 || has(spec, AM_FUNNEL_ANY_ORDER))
		return true;
	if (!has(spec, AM_FUNNEL_COUNT_SKIPPED))
		return false;
	for (int i = 0; i < history->n; i++)
	{
		uint64_t	fills = spec->roles[history->events[i].role].fills;

		if (fills != 0 && history->events[i].time < event->time)
			return false;
		if ((fills & (STEP(step) - 1)) && history->events[i].time == event->time)
			return false;
	}
	return true;
}

static bool
can_start(const AmFunnelSpec *spec, const History *history, const Event *event)
{
	for (int step = 0; step < spec->n_steps; step++)
		if (may_start_as(spec, history, event, step))
			return true;
	return false;
}

static bool
may_skip_between(const AmFunnelSpec *spec, int from, int to)
{
	for (int step = from + 1; step < to; step++)
		if (!spec->steps[step].optional && !has(spec, AM_FUNNEL_COUNT_SKIPPED))
			return false;
	return true;
}

static bool
excludes(const AmFunnelSpec *spec, int role, int from, int to)
{
	for (int gap = from; gap < to; gap++)
		if (spec->roles[role].excludes & STEP(gap))
			return true;
	return false;
}

static bool
breaks(const AmFunnelSpec *spec, int role, int from, int to)
{
	uint64_t	fills = spec->roles[role].fills;

	return has(spec, AM_FUNNEL_STRICT_ORDER) && fills != 0 && !(fills & (STEP(from) | STEP(to)));
}

/* Rules 3, 4 and 6 to 8, on two steps that follow each other in a chain */
static bool
may_follow(const AmFunnelSpec *spec, const Event *events, int n, int from, int64_t from_time, int to, int64_t to_time)
{
	if (to <= from || to_time < from_time || (to_time == from_time && has(spec, AM_FUNNEL_STRICT_INCREASE)))
		return false;
	if (!may_skip_between(spec, from, to))
		return false;
	if (spec->steps[to].limit != AM_NO_LIMIT && to_time - from_time > spec->steps[to].limit)
		return false;
	for (int x = 0; x < n; x++)
	{
		if (events[x].time <= from_time || events[x].time >= to_time)
			continue;
		if (!has(spec, AM_FUNNEL_COUNT_REOPENED) && excludes(spec, events[x].role, from, to))
			return false;
		if (breaks(spec, events[x].role, from, to))
			return false;
	}
	return true;
}

/* All chains */

typedef struct Chain
{
	int			level;
	int64_t		start;
	int64_t		end;
	uint64_t	taken;
	int64_t		times[AM_FUNNEL_MAX_STEPS];
} Chain;

static Chain *chains;
static int	n_chains;
static int	max_chains;

static Chain *
add_chain(const Chain *chain, int n_steps)
{
	if (n_chains == max_chains)
	{
		max_chains = max_chains ? max_chains * 2 : 1024;
		chains = realloc(chains, max_chains * sizeof(Chain));
		if (!chains)
			abort();
	}
	memcpy(&chains[n_chains], chain, offsetof(Chain, times) + n_steps * sizeof(int64_t));
	return &chains[n_chains++];
}

typedef struct Search
{
	const AmFunnelSpec *spec;
	const History *history;
	const Event *events;		/* of the attempt */
	int			n;
	int64_t		first_entry;
	bool		used[MAX_EVENTS];
	Chain		chain;
} Search;

static int64_t
first_entry(const AmFunnelSpec *spec, const History *history, const Event *events, int n)
{
	for (int i = 0; i < n; i++)
		if (can_start(spec, history, &events[i]))
			return events[i].time;
	return -1;
}

static void
extend(Search *search)
{
	const AmFunnelSpec *spec = search->spec;
	Chain	   *chain = &search->chain;
	Chain		before = *chain;

	for (int i = 0; i < search->n; i++)
	{
		const Event *event = &search->events[i];

		if (search->used[i])
			continue;
		for (int step = 0; step < spec->n_steps; step++)
		{
			if (!(spec->roles[event->role].fills & STEP(step)))
				continue;
			if (before.taken == 0)
			{
				if (!may_start_as(spec, search->history, event, step))
					continue;
				if (has(spec, AM_FUNNEL_FIRST_ENTRY) && event->time != search->first_entry)
					continue;
				chain->start = event->time;
			}
			else if (!may_follow(spec, search->events, search->n, before.level - 1, before.end, step, event->time) ||
					 (spec->within != AM_NO_LIMIT && event->time - before.start > spec->within))
				continue;
			chain->taken |= STEP(step);
			chain->times[step] = event->time;
			chain->end = event->time;
			chain->level = step + 1;
			add_chain(chain, spec->n_steps);
			search->used[i] = true;
			extend(search);
			search->used[i] = false;
			*chain = before;
		}
	}
}

/* Each event to each step or to none; the rules are looked at when it is done */
static void
assign(Search *search, int step)
{
	const AmFunnelSpec *spec = search->spec;
	Chain	   *chain = &search->chain;
	int			n_taken = 0;
	bool		all = true;

	if (step < spec->n_steps)
	{
		assign(search, step + 1);
		for (int i = 0; i < search->n; i++)
		{
			if (search->used[i] || !(spec->roles[search->events[i].role].fills & STEP(step)))
				continue;
			search->used[i] = true;
			chain->taken |= STEP(step);
			chain->times[step] = search->events[i].time;
			assign(search, step + 1);
			chain->taken &= ~STEP(step);
			search->used[i] = false;
		}
		return;
	}
	if (chain->taken == 0)
		return;
	chain->start = INT64_MAX;
	chain->end = INT64_MIN;
	for (int s = 0; s < spec->n_steps; s++)
	{
		if (!(chain->taken & STEP(s)))
		{
			all = all && spec->steps[s].optional;
			continue;
		}
		n_taken++;
		if (chain->times[s] < chain->start)
			chain->start = chain->times[s];
		if (chain->times[s] > chain->end)
			chain->end = chain->times[s];
		for (int other = 0; other < s; other++)
			if ((chain->taken & STEP(other)) && chain->times[other] == chain->times[s] &&
				has(spec, AM_FUNNEL_STRICT_INCREASE))
				return;
	}
	if (!is_entry(search->history, chain->start) ||
		(spec->within != AM_NO_LIMIT && chain->end - chain->start > spec->within))
		return;
	if (has(spec, AM_FUNNEL_FIRST_ENTRY) && chain->start != search->first_entry)
		return;
	chain->level = all ? spec->n_steps : n_taken;
	add_chain(chain, spec->n_steps);
}

static void
find_chains(const AmFunnelSpec *spec, const History *history, int from, int n)
{
	Search		search;

	memset(&search, 0, sizeof(search));
	search.spec = spec;
	search.history = history;
	search.events = history->events + from;
	search.n = n;
	search.first_entry = first_entry(spec, history, search.events, n);
	n_chains = 0;
	if (has(spec, AM_FUNNEL_ANY_ORDER))
		assign(&search, 0);
	else
		extend(&search);
}

/* By steps: the earlier time first, and one that was skipped last */
static bool
steps_before(const Chain *a, const Chain *b, int n_steps)
{
	for (int step = 0; step < n_steps; step++)
	{
		int64_t		in_a = a->taken & STEP(step) ? a->times[step] : INT64_MAX;
		int64_t		in_b = b->taken & STEP(step) ? b->times[step] : INT64_MAX;

		if (in_a != in_b)
			return in_a < in_b;
	}
	return false;
}

/*
 * The best chain for each start, end and last step.  No good where an event
 * could be taken twice: see events_differ.
 */
static void
find_best_chains(const AmFunnelSpec *spec, const History *history, int from, int n)
{
	static int	best[AM_FUNNEL_MAX_STEPS][MAX_EVENTS];
	const Event *events = history->events + from;
	int64_t		entry = first_entry(spec, history, events, n);

	n_chains = 0;
	for (int first = 0; first < n; first++)
	{
		int			from_chain = n_chains;

		if (has(spec, AM_FUNNEL_FIRST_ENTRY) && events[first].time != entry)
			continue;
		memset(best, -1, sizeof(best));
		for (int step = 0; step < spec->n_steps; step++)
			if (may_start_as(spec, history, &events[first], step))
			{
				Chain		found = {.level = step + 1, .taken = STEP(step)};

				found.start = found.end = found.times[step] = events[first].time;
				add_chain(&found, spec->n_steps);
				best[step][first] = n_chains - 1;
			}
		if (n_chains == from_chain)
			continue;
		for (int step = 0; step < spec->n_steps; step++)
			for (int i = 0; i < n; i++)
			{
				if (!(spec->roles[events[i].role].fills & STEP(step)) || i == first ||
					events[i].time < events[first].time ||
					(spec->within != AM_NO_LIMIT && events[i].time - events[first].time > spec->within))
					continue;
				for (int before = 0; before < step; before++)
				{
					if (!may_skip_between(spec, before, step))
						continue;
					for (int j = 0; j < n; j++)
					{
						Chain		found;

						if (i == j || best[before][j] < 0 ||
							!may_follow(spec, events, n, before, events[j].time, step, events[i].time))
							continue;
						found = chains[best[before][j]];
						found.taken |= STEP(step);
						found.end = found.times[step] = events[i].time;
						found.level = step + 1;
						if (best[step][i] < 0)
						{
							add_chain(&found, spec->n_steps);
							best[step][i] = n_chains - 1;
						}
						else if (steps_before(&found, &chains[best[step][i]], spec->n_steps))
							chains[best[step][i]] = found;
					}
				}
			}
	}
}

/* One event cannot be two steps of a chain, whatever the chain */
static bool
events_differ(const AmFunnelSpec *spec, const History *history)
{
	bool		alone = true;
	bool		distinct = true;

	for (int role = 0; role < spec->n_roles; role++)
		if (spec->roles[role].fills & (spec->roles[role].fills - 1))
			alone = false;
	for (int i = 1; i < history->n; i++)
		if (history->events[i].time == history->events[i - 1].time)
			distinct = false;
	return alone || distinct || has(spec, AM_FUNNEL_STRICT_INCREASE);
}

/* What follows from all chains */

static int
compare_times(const void *a, const void *b)
{
	int64_t		one = *(const int64_t *) a;
	int64_t		other = *(const int64_t *) b;

	return one < other ? -1 : one > other;
}

/* Of two chains of one level, is a shown rather than b? */
static bool
shown_before(const AmFunnelSpec *spec, const Chain *a, const Chain *b)
{
	if (a->end != b->end)
		return a->end < b->end;
	if (a->start != b->start)
		return a->start > b->start;
	if (has(spec, AM_FUNNEL_ANY_ORDER))
	{
		int64_t		of_a[AM_FUNNEL_MAX_STEPS];
		int64_t		of_b[AM_FUNNEL_MAX_STEPS];
		int			n_a = 0;
		int			n_b = 0;

		for (int step = 0; step < spec->n_steps; step++)
		{
			if (a->taken & STEP(step))
				of_a[n_a++] = a->times[step];
			if (b->taken & STEP(step))
				of_b[n_b++] = b->times[step];
		}
		if (n_a != n_b)
			return n_a > n_b;
		qsort(of_a, n_a, sizeof(int64_t), compare_times);
		qsort(of_b, n_b, sizeof(int64_t), compare_times);
		for (int i = 0; i < n_a; i++)
			if (of_a[i] != of_b[i])
				return of_a[i] < of_b[i];
	}
	return steps_before(a, b, spec->n_steps);
}

/* INT64_MAX: none.  Of `any order` the target is no matter: -1 */
static int64_t
deadline_of(const AmFunnelSpec *spec, const Chain *chain, int target)
{
	int64_t		deadline = INT64_MAX;

	if (spec->within != AM_NO_LIMIT)
		deadline = chain->start + spec->within;
	if (target >= 0 && spec->steps[target].limit != AM_NO_LIMIT && chain->end + spec->steps[target].limit < deadline)
		deadline = chain->end + spec->steps[target].limit;
	return deadline;
}

typedef struct Ending
{
	AmFunnelStop stop;
	int64_t		at;
	int			by;
} Ending;

/* The first event that forbids the target; STILL_OPEN if there is none */
static Ending
killer_of(const AmFunnelSpec *spec, const Event *events, int n, const Chain *chain, int target)
{
	Ending		killer = {AM_STOP_STILL_OPEN, INT64_MAX, -1};

	for (int x = 0; x < n; x++)
	{
		Ending		found = {AM_STOP_STILL_OPEN, events[x].time, events[x].role};

		if (events[x].time <= chain->end)
			continue;
		if (excludes(spec, events[x].role, chain->level - 1, target))
			found.stop = AM_STOP_EXCLUDED;
		else if (breaks(spec, events[x].role, chain->level - 1, target))
			found.stop = AM_STOP_BROKEN;
		else
			continue;
		if (killer.stop == AM_STOP_STILL_OPEN || found.at < killer.at ||
			(found.at == killer.at && found.stop == AM_STOP_EXCLUDED &&
			 (killer.stop == AM_STOP_BROKEN || found.by < killer.by)))
			killer = found;
	}
	return killer;
}

static Ending
ending_of(const AmFunnelSpec *spec, const Event *events, int n, const Chain *chain, int target, int64_t as_of)
{
	int64_t		deadline = deadline_of(spec, chain, target);
	Ending		ending = {AM_STOP_STILL_OPEN, INT64_MAX, -1};

	if (target >= 0)
		ending = killer_of(spec, events, n, chain, target);
	if (ending.stop != AM_STOP_STILL_OPEN && ending.at < deadline)
		return ending;
	ending.stop = deadline == INT64_MAX || as_of < deadline ? AM_STOP_STILL_OPEN : AM_STOP_TIMED_OUT;
	ending.at = deadline;
	return ending;
}

/* Does the ending `a` decide, rather than `b`? */
static bool
decides(const Ending *a, const Ending *b)
{
	static const int rank[] = {[AM_STOP_EXCLUDED] = 0, [AM_STOP_BROKEN] = 1, [AM_STOP_TIMED_OUT] = 2};

	if (a->stop == AM_STOP_STILL_OPEN || b->stop == AM_STOP_STILL_OPEN)
		return a->stop == AM_STOP_STILL_OPEN;
	if (a->at != b->at)
		return a->at > b->at;
	if (a->stop != b->stop)
		return rank[a->stop] < rank[b->stop];
	return a->stop == AM_STOP_EXCLUDED && a->by < b->by;
}

static int
level_of_chains(void)
{
	int			level = 0;

	for (int i = 0; i < n_chains; i++)
		if (chains[i].level > level)
			level = chains[i].level;
	return level;
}

/* After the chain shown, did one of the steps beyond those that may follow come before any of these? */
static bool
passed_over(const AmFunnelSpec *spec, const Event *events, int n, const Chain *shown)
{
	int64_t		followed = INT64_MAX;
	int64_t		beyond = INT64_MAX;

	if (shown->level == spec->n_steps || has(spec, AM_FUNNEL_ANY_ORDER))
		return false;
	for (int i = n - 1; i >= 0 && events[i].time > shown->end; i--)
		for (int step = shown->level; step < spec->n_steps; step++)
			if (spec->roles[events[i].role].fills & STEP(step))
			{
				if (may_skip_between(spec, shown->level - 1, step))
					followed = events[i].time;
				else
					beyond = events[i].time;
			}
	return beyond < followed;
}

/* From the chains that were found; false if there are none */
static bool
conclude(const AmFunnelSpec *spec, const Event *events, int n, int64_t as_of, AmFunnelAttempt *attempt)
{
	const Chain *shown = NULL;
	Ending		ending = {AM_STOP_CONVERTED, 0, -1};
	bool		any = false;

	memset(attempt, 0, sizeof(*attempt));
	attempt->level = level_of_chains();
	if (attempt->level == 0)
		return false;
	for (int level = 1; level <= attempt->level; level++)
		attempt->first_reached[level] = INT64_MAX;
	for (int i = 0; i < n_chains; i++)
	{
		const Chain *chain = &chains[i];

		for (int level = 1; level <= chain->level; level++)
			if (chain->end < attempt->first_reached[level])
				attempt->first_reached[level] = chain->end;
		if (chain->level < attempt->level)
			continue;
		if (!shown || shown_before(spec, chain, shown))
			shown = chain;
		if (attempt->level == spec->n_steps)
			continue;
		for (int target = chain->level; target < spec->n_steps; target++)
		{
			Ending		found;

			if (!has(spec, AM_FUNNEL_ANY_ORDER) && !may_skip_between(spec, chain->level - 1, target))
				continue;
			found = ending_of(spec, events, n, chain, has(spec, AM_FUNNEL_ANY_ORDER) ? -1 : target, as_of);
			if (!any || decides(&found, &ending))
				ending = found;
			any = true;
		}
	}
	attempt->taken = shown->taken;
	memcpy(attempt->times, shown->times, spec->n_steps * sizeof(int64_t));
	attempt->stop = ending.stop;
	attempt->ended = ending.at;
	attempt->excluded_by = ending.by;
	attempt->passed_over = passed_over(spec, events, n, shown);
	return true;
}

/* Finds the chains of the n events from the one on */
typedef void (*Finder) (const AmFunnelSpec *spec, const History *history, int from, int n);

static bool
can_be_extended(const AmFunnelSpec *spec, const Event *events, int n, const Chain *chain, int64_t at)
{
	for (int target = chain->level; target < spec->n_steps; target++)
	{
		Ending		killer;

		if (!may_skip_between(spec, chain->level - 1, target))
			continue;
		killer = killer_of(spec, events, n, chain, target);
		if ((killer.stop == AM_STOP_STILL_OPEN || killer.at >= at) && at <= deadline_of(spec, chain, target))
			return true;
	}
	return false;
}

/* Is the attempt with these events, which has not converted, over before a start at that time? */
static bool
is_over(const AmFunnelSpec *spec, const Event *events, int n, int64_t at)
{
	int			level = level_of_chains();

	for (int i = 0; i < n_chains; i++)
	{
		if (has(spec, AM_FUNNEL_ANY_ORDER))
		{
			if (deadline_of(spec, &chains[i], -1) >= at)
				return false;
		}
		else if ((chains[i].level >= 2 || level == 1) && can_be_extended(spec, events, n, &chains[i], at))
			return false;
	}
	return true;
}

static void
ask_totals(const AmFunnelSpec *spec, const History *history, Finder find, Answer *answer)
{
	int			from = -1;		/* of the running attempt */
	int			next;

	for (int group = 0; group < history->n; group = next)
	{
		const Event *events = history->events;
		bool		starts = false;

		for (next = group; next < history->n && events[next].time == events[group].time; next++)
			starts = starts || can_start(spec, history, &events[next]);
		if (from >= 0 && starts)
		{
			find(spec, history, from, group - from);
			if (is_over(spec, events + from, group - from, events[group].time))
			{
				conclude(spec, events + from, group - from, history->as_of, &answer->attempts[answer->n++]);
				from = -1;
			}
		}
		if (from < 0 && starts)
			from = group;
		if (from < 0)
			continue;
		find(spec, history, from, next - from);
		if (level_of_chains() == spec->n_steps)
		{
			conclude(spec, events + from, next - from, history->as_of, &answer->attempts[answer->n++]);
			from = -1;
		}
	}
	if (from >= 0)
	{
		find(spec, history, from, history->n - from);
		conclude(spec, history->events + from, history->n - from, history->as_of, &answer->attempts[answer->n++]);
	}
}

static void
ask_twin(const AmFunnelSpec *spec, const History *history, Finder find, Answer *answer)
{
	answer->n = 0;
	if (has(spec, AM_FUNNEL_TOTALS))
		ask_totals(spec, history, find, answer);
	else
	{
		find(spec, history, 0, history->n);
		answer->n = conclude(spec, history->events, history->n, history->as_of, &answer->attempts[0]);
	}
	answer->came_late = false;
	for (int i = 0; i < history->n && answer->n == 0; i++)
		if (!has(spec, AM_FUNNEL_ANY_ORDER) && spec->roles[history->events[i].role].fills & ~STEP(0))
			answer->came_late = true;
}

/* The matcher */

typedef struct Delivery
{
	int			role_bits;
	bool		by_get;
} Delivery;

static uint64_t
get_stamp(void *source, int64_t i)
{
	return ((const uint64_t *) source)[i];
}

static int
least_role_bits(const AmFunnelSpec *spec)
{
	int			bits = 0;

	while (1 << bits < spec->n_roles)
		bits++;
	return bits;
}

static int
compare_stamps(const void *a, const void *b)
{
	uint64_t	one = *(const uint64_t *) a;
	uint64_t	other = *(const uint64_t *) b;

	return one < other ? -1 : one > other;
}

/* With any order no entity comes late: whatever comes first starts */
static void
collect(AmFunnelMatch *match, bool any_order, const History *history, Delivery delivery, Answer *answer)
{
	uint64_t	stamps[MAX_EVENTS + 1];
	AmFunnelEvents events = {.n = history->n, .role_bits = delivery.role_bits};

	for (int i = 0; i < history->n; i++)
		stamps[i] = (uint64_t) history->events[i].time << delivery.role_bits | (uint64_t) history->events[i].role;
	qsort(stamps, history->n, sizeof(uint64_t), compare_stamps);
	if (delivery.by_get)
	{
		events.get = get_stamp;
		events.source = stamps;
	}
	else
		events.stamps = stamps;
	am_funnel_match_begin(match, &events);
	for (answer->n = 0; answer->n <= history->n; answer->n++)
	{
		/* what is not of the answer is never to be looked at */
		memset(&answer->attempts[answer->n], 0x55, sizeof(AmFunnelAttempt));
		if (!am_funnel_match_next(match, &answer->attempts[answer->n]))
			break;
	}
	answer->came_late = !any_order && answer->n == 0 && am_funnel_match_came_late(match);
}

static void
ask_matcher(const AmFunnelSpec *spec, const History *history, Delivery delivery, Answer *answer)
{
	AmFunnelMatch *match = am_funnel_match_create(spec, history->as_of, history->entry_since, history->entry_until);

	collect(match, has(spec, AM_FUNNEL_ANY_ORDER), history, delivery, answer);
	am_funnel_match_free(match);
}

static bool
same_attempt(const AmFunnelAttempt *a, const AmFunnelAttempt *b, bool with_role)
{
	if (a->level != b->level || a->stop != b->stop || a->taken != b->taken || a->passed_over != b->passed_over)
		return false;
	for (int step = 0; step < AM_FUNNEL_MAX_STEPS; step++)
		if ((a->taken & STEP(step)) && a->times[step] != b->times[step])
			return false;
	if (memcmp(a->first_reached + 1, b->first_reached + 1, a->level * sizeof(int64_t)) != 0)
		return false;
	if (a->stop == AM_STOP_CONVERTED || a->stop == AM_STOP_STILL_OPEN)
		return true;
	return a->ended == b->ended && (!with_role || a->stop != AM_STOP_EXCLUDED || a->excluded_by == b->excluded_by);
}

static bool
same_answer(const Answer *a, const Answer *b)
{
	if (a->n != b->n || (a->n == 0 && a->came_late != b->came_late))
		return false;
	for (int i = 0; i < a->n; i++)
		if (!same_attempt(&a->attempts[i], &b->attempts[i], true))
			return false;
	return true;
}

/* In words */

static char text[65536];
static size_t text_length;

static void
say(const char *format,...)
{
	va_list		args;

	va_start(args, format);
	text_length += vsnprintf(text + text_length, sizeof(text) - text_length, format, args);
	va_end(args);
	if (text_length >= sizeof(text))
		text_length = sizeof(text) - 1;
}

/*
 * Attempts: the times of the steps, a skipped one as '-', and how it stopped;
 * in parentheses when each level was first reached, left out where it is as
 * the chain shown has it.
 */
static const char *
describe(const AmFunnelSpec *spec, const Answer *answer)
{
	text_length = 0;
	if (answer->n == 0)
		say(answer->came_late ? "came late" : "none");
	for (int i = 0; i < answer->n; i++)
	{
		const AmFunnelAttempt *attempt = &answer->attempts[i];
		int			last = 0;
		bool		as_shown = !has(spec, AM_FUNNEL_ANY_ORDER);

		say(i > 0 ? "; " : "");
		for (int step = 0; step < spec->n_steps; step++)
			if (attempt->taken & STEP(step))
				last = step;
		for (int step = 0; step <= last; step++)
			if (attempt->taken & STEP(step))
				say("%" PRId64 " ", attempt->times[step]);
			else
				say("- ");
		if (attempt->stop == AM_STOP_CONVERTED)
			say("converted");
		else if (attempt->stop == AM_STOP_STILL_OPEN)
			say("open");
		else if (attempt->stop == AM_STOP_TIMED_OUT)
			say("timed out %" PRId64, attempt->ended);
		else if (attempt->stop == AM_STOP_BROKEN)
			say("broken %" PRId64, attempt->ended);
		else if (attempt->stop == AM_STOP_EXCLUDED)
			say("excluded %" PRId64 " %c", attempt->ended, attempt->excluded_by >= 0 && attempt->excluded_by < 52 ?
				letters[attempt->excluded_by] : '#');
		else
			say("stop %d", (int) attempt->stop);
		if (attempt->passed_over)
			say(", passed over");

		if (attempt->level != last + 1)
			as_shown = false;
		for (int level = attempt->level, next = last; as_shown && level >= 1; level--)
		{
			if (attempt->taken & STEP(level - 1))
				next = level - 1;
			as_shown = attempt->first_reached[level] == attempt->times[next];
		}
		if (!as_shown)
		{
			for (int level = 1; level <= attempt->level && level <= spec->n_steps; level++)
				say("%s%" PRId64, level == 1 ? " (" : " ", attempt->first_reached[level]);
			say(")");
		}
	}
	return text;
}

static const char *const option_names[] = {
	"STRICT_ORDER", "STRICT_ONCE", "STRICT_INCREASE", "ANY_ORDER", "FIRST_ENTRY", "TOTALS", "COUNT_SKIPPED",
	"COUNT_REOPENED"
};

#define N_OPTIONS	8

static const char *
name_options(uint32_t options)
{
	static char names[256];
	size_t		length = 0;

	for (int i = 0; i < N_OPTIONS; i++)
		if (options & (1u << i))
			length += snprintf(names + length, sizeof(names) - length, "%s%s", length ? " | " : "", option_names[i]);
	if (length == 0)
		snprintf(names, sizeof(names), "0");
	return names;
}

/* As an example is written, below */
static void
print_question(const AmFunnelSpec *spec, const History *history)
{
	text_length = 0;
	say("#   {\"");
	for (int step = 0; step < spec->n_steps; step++)
	{
		if (step > 0)
		{
			bool		any = false;

			for (int role = 0; role < spec->n_roles && role < 52; role++)
				if (spec->roles[role].excludes & STEP(step - 1))
				{
					say("%s!%c", any ? "" : "/", letters[role]);
					any = true;
				}
			say("/");
		}
		for (int role = 0; role < spec->n_roles && role < 52; role++)
			if (spec->roles[role].fills & STEP(step))
				say("%c", letters[role]);
		say(spec->steps[step].optional ? "?" : "");
		if (spec->steps[step].limit != AM_NO_LIMIT)
			say("%" PRId64, spec->steps[step].limit);
	}
	say("\", %s", name_options(spec->options));
	say(spec->within == AM_NO_LIMIT ? ", NO" : ", %" PRId64, spec->within);
	say(", %" PRId64 ", %" PRId64, history->as_of, history->entry_since);
	say(history->entry_until == INT64_MAX ? ", NO, \"" : ", %" PRId64 ", \"", history->entry_until);
	for (int i = 0; i < history->n; i++)
		say("%s%c%" PRId64, i > 0 ? " " : "", history->events[i].role < 52 ? letters[history->events[i].role] : '#',
			history->events[i].time);
	printf("%s\"},\n", text);
}

static Answer got;
static Answer want;

static bool
differs(const AmFunnelSpec *spec, const History *history, Finder find, Delivery delivery)
{
	ask_matcher(spec, history, delivery, &got);
	ask_twin(spec, history, find, &want);
	return !same_answer(&got, &want);
}

/* Leaves out what can be, as long as the two still differ; true if something was */
static bool
simplify(AmFunnelSpec *spec, History *history, Finder find, Delivery delivery)
{
	for (int i = 0; i < history->n; i++)
	{
		History		smaller = *history;

		memmove(&smaller.events[i], &smaller.events[i + 1], (smaller.n - i - 1) * sizeof(Event));
		smaller.n--;
		if (differs(spec, &smaller, find, delivery))
		{
			*history = smaller;
			return true;
		}
	}
	for (int bound = 0; bound < 2; bound++)
	{
		History		smaller = *history;

		if (bound == 0)
			smaller.entry_until = INT64_MAX;
		else
			smaller.entry_since = 0;
		if (smaller.entry_until == history->entry_until && smaller.entry_since == history->entry_since)
			continue;
		if (differs(spec, &smaller, find, delivery))
		{
			*history = smaller;
			return true;
		}
	}
	for (int what = 0; what < 4 + N_OPTIONS; what++)
		for (int which = 0; which < (what < 2 ? spec->n_roles * spec->n_steps : what == 2 ? spec->n_steps : 1); which++)
		{
			AmFunnelSpec simpler = *spec;
			AmFunnelRole *role = &simpler.roles[which / simpler.n_steps];
			AmFunnelStep *step = &simpler.steps[which % simpler.n_steps];

			if (what == 0)
				role->fills &= ~STEP(which % simpler.n_steps);
			else if (what == 1)
				role->excludes &= ~STEP(which % simpler.n_steps);
			else if (what == 2 && step->optional)
				step->optional = false;
			else if (what == 2)
				step->limit = AM_NO_LIMIT;
			else if (what == 3)
				simpler.within = AM_NO_LIMIT;
			else
				simpler.options &= ~(1u << (what - 4));
			if (memcmp(spec, &simpler, sizeof(simpler)) != 0 &&
				events_differ(&simpler, history) >= events_differ(spec, history) &&
				differs(&simpler, history, find, delivery))
			{
				*spec = simpler;
				return true;
			}
		}
	return false;
}

static void
report(const AmFunnelSpec *found_spec, const History *found, Finder find, Delivery delivery, uint64_t from_seed)
{
	AmFunnelSpec spec = *found_spec;
	History		history = *found;

	printf("# seed %" PRIu64 ", role bits %d%s:\n", from_seed, delivery.role_bits, delivery.by_get ? ", by get" : "");
	print_question(&spec, &history);
	if (!differs(&spec, &history, find, delivery))
	{
		printf("#   only together with the entities before it\n");
		return;
	}
	while (simplify(&spec, &history, find, delivery))
		;
	differs(&spec, &history, find, delivery);
	printf("# at its simplest:\n");
	print_question(&spec, &history);
	printf("#   matcher: %s\n", describe(&spec, &got));
	printf("#   twin:    %s\n", describe(&spec, &want));
}

/*
 * Examples with their answers worked out by hand.
 *
 * Steps are letters with a slash between: 'a/bc?5/d' is a, then perhaps b or c
 * within 5, then d.  '!x' between two steps excludes x there.
 */
typedef struct Example
{
	const char *steps;
	uint32_t	options;
	int64_t		within;
	int64_t		as_of;
	int64_t		entry_since;
	int64_t		entry_until;
	const char *events;
	const char *answer;			/* as describe has it */
	const char *why;
} Example;

#define NO					AM_NO_LIMIT
#define STRICT_ORDER		AM_FUNNEL_STRICT_ORDER
#define STRICT_ONCE			AM_FUNNEL_STRICT_ONCE
#define STRICT_INCREASE		AM_FUNNEL_STRICT_INCREASE
#define ANY_ORDER			AM_FUNNEL_ANY_ORDER
#define FIRST_ENTRY			AM_FUNNEL_FIRST_ENTRY
#define TOTALS				AM_FUNNEL_TOTALS
#define COUNT_SKIPPED		AM_FUNNEL_COUNT_SKIPPED
#define COUNT_REOPENED		AM_FUNNEL_COUNT_REOPENED

static const Example examples[] = {
	{"a/b", 0, NO, 9, 0, NO, "", "none", "no events"},
	{"a/b", 0, NO, 9, 0, NO, "b1 b2", "came late", "the second step without the first"},
	{"a/b", 0, NO, 9, 0, NO, "a1 b2", "1 2 converted", "in order"},
	{"a/b", 0, NO, 9, 0, NO, "b1 a2", "2 open", "in the wrong order"},
	{"a/b", 0, NO, 9, 0, NO, "b1 a1", "1 1 converted", "at one time, in favour of the funnel"},
	{"a/b", STRICT_ONCE, NO, 9, 0, NO, "b1 a1", "1 1 converted", "an event fills one step anyhow"},
	{"a/b", 0, 5, 9, 0, NO, "a1 b6", "1 6 converted", "the window's end is inclusive"},
	{"a/b", 0, 5, 9, 0, NO, "a1 b7", "1 timed out 6", "one too late"},
	{"a/b", 0, 5, 6, 0, NO, "a1", "1 timed out 6", "the data end with the window: all of it was seen"},
	{"a/b", 0, 5, 5, 0, NO, "a1", "1 open", "the data end before the window"},
	{"a/b", 0, 5, 9, 0, NO, "a1 a5", "1 open", "the first chain is shown, the later one is open"},
	{"a/b", 0, 5, 9, 0, NO, "a1 a3 b4 b5", "3 4 converted (1 4)", "the earliest last step, then the latest start"},
	{"a/b/c", 0, NO, 9, 0, NO, "a1 b2 a3 c4", "1 2 4 converted", "the later start got no further"},
	{"a/b/c", 0, NO, 9, 0, NO, "a1 b2 a3 b4 c5", "3 4 5 converted (1 2 5)", "the later start got as far"},
	{"a/b/c", 0, NO, 9, 0, NO, "a1 b2 b3 c4", "1 2 4 converted", "the earliest step between"},
	{"a/b/c", 0, 3, 9, 0, NO, "a1 b2 a3 b4 c6", "3 4 6 converted (1 2 6)", "the later start is in time"},
	{"a/a", 0, NO, 9, 0, NO, "a1", "1 open", "one event fills one step"},
	{"a/a", 0, NO, 9, 0, NO, "a1 a1", "1 1 converted", "two events of one time fill two"},
	{"a/a/a", 0, NO, 9, 0, NO, "a1 a2 a2", "1 2 2 converted", "an earlier one and two of one time"},
	{"a/a/a", 0, NO, 9, 0, NO, "a1 a2 a3 a4", "1 2 3 converted", "the fourth comes too late to be shown"},
	{"a/ab/b", 0, NO, 9, 0, NO, "b1 b1 a1", "1 1 1 converted", "the event that could do both leaves the other its step"},
	{"ab/a/b", 0, NO, 9, 0, NO, "a1 b1", "1 1 open", "two events, three steps"},
	{"ab/a/b", 0, NO, 9, 0, NO, "a1 b1 b1", "1 1 1 converted", "the a is needed for the second step"},
	{"a/b", 0, NO, 9, 0, 3, "a3 b4", "came late", "entered at the bound, which is outside"},
	{"a/b", 0, NO, 9, 0, 3, "a2 b4", "2 4 converted", "entered before the bound, went on after it"},
	{"a/b", 0, NO, 9, 0, 3, "a2 a3 b4", "2 4 converted", "the later start is outside"},
	{"a", 0, NO, 9, 0, NO, "a3 a4", "3 converted", "a funnel of one step"},
	{"a/b/c", 0, 4, 9, 0, NO, "a1 b2 a6 b8", "1 2 open", "open by the second attempt, reached by the first"},
	{"a/b/c", 0, 4, 9, 0, NO, "a1 b2 a6", "1 2 timed out 5", "the open attempt is not at the furthest level"},
	{"a/b", 0, NO, 9, 0, NO, "a1 a2 a5 b7", "5 7 converted (1 7)", "starts recur: the first counts as reached"},
	{"a/b/c", 0, NO, 9, 0, NO, "a1 b1 c1", "1 1 1 converted", "three levels at one time"},
	{"a/b/c", 0, NO, 9, 0, NO, "a1 a3 b3 c3", "3 3 3 converted (1 3 3)", "two more levels at one time"},
	{"a/b/c/a", 0, 4, 9, 0, NO, "a1 b2 a4 b5 c6 a7", "4 5 6 7 converted (1 2 6 7)", "the first attempt was over before the last step"},
	{"a/b/c", 0, 4, 9, 0, NO, "a1 b2 a7", "1 2 timed out 5", "a later start does not reach the level again"},

	{"a/b/c", STRICT_ORDER, NO, 9, 0, NO, "a1 b2 a3 c4", "1 2 broken 3", "a step of the funnel between two others"},
	{"a/b/c", STRICT_ORDER, NO, 9, 0, NO, "a1 c2 b3 c4", "1 broken 2, passed over", "a later step too early"},
	{"a/b/c", STRICT_ORDER, NO, 9, 0, NO, "a1 b2 b3 c4", "1 2 4 converted", "a step again breaks nothing"},
	{"a/b/c", STRICT_ORDER, NO, 9, 0, NO, "a1 a2 b3 c4", "2 3 4 converted (1 3 4)", "nor does the first"},
	{"a/b/c", STRICT_ORDER, NO, 9, 0, NO, "a1 b2 c3 a4", "1 2 3 converted", "after the last step all is over"},
	{"a/b/c", STRICT_ORDER, NO, 9, 0, NO, "c0 b0 a1 b2 c3", "1 2 3 converted", "before the first step nothing counts"},
	{"a/b/c", STRICT_ORDER, NO, 9, 0, NO, "a1 b2 a2 c3", "2 2 3 converted (1 2 3)", "not between at an equal time"},
	{"a/b/c", STRICT_ORDER, NO, 9, 0, NO, "a1 b2 a3 c3", "1 2 3 converted", "nor at that of the later step"},
	{"a/b/c", STRICT_ORDER, NO, 9, 0, NO, "a1 b2 a3 b4 c5", "3 4 5 converted (1 2 5)", "the second attempt is unbroken"},
	{"a/b/c", STRICT_ORDER, NO, 9, 0, NO, "a1 c2 a3", "1 open, passed over", "the second attempt is open"},
	{"a/b/c", STRICT_ORDER, NO, 9, 0, NO, "a1 c2 a3 c5", "1 broken 5, passed over", "the attempt that was broken last"},
	{"a/b/c", STRICT_ORDER, 4, 9, 0, NO, "a1 c5", "1 timed out 5, passed over", "a break at the end of the window is none"},
	{"a/b/c", STRICT_ORDER, 4, 9, 0, NO, "a1 c4", "1 broken 4, passed over", "one before it is"},
	{"a/b?/c/d", STRICT_ORDER, NO, 9, 0, NO, "a1 b2 d3 c4", "1 2 broken 3, passed over", "a later step, with an optional one"},
	{"a/b?/c", STRICT_ORDER, NO, 9, 0, NO, "a1 b2 c3", "1 2 3 converted", "the optional step between is taken: else it would break"},
	{"a/b?/b/c", STRICT_ORDER, NO, 9, 0, NO, "a1 b2 c3", "1 - 2 3 converted", "one event for two steps, of which one is optional"},
	{"ac/b/c", STRICT_ORDER, NO, 9, 0, NO, "a1 c2 b3", "2 3 open (1 3)", "what starts an attempt does not break it"},

	{"a/!x/b", 0, NO, 9, 0, NO, "a1 x2 b3", "1 excluded 2 x", "an exclusion between"},
	{"a/!x/b", 0, NO, 9, 0, NO, "a1 x1 b3", "1 3 converted", "not at the time of the earlier step"},
	{"a/!x/b", 0, NO, 9, 0, NO, "a1 x3 b3", "1 3 converted", "nor at that of the later"},
	{"a/!x/b", 0, NO, 9, 0, NO, "x0 a1 b3 x4", "1 3 converted", "nor before or after"},
	{"a/!x/b", 0, NO, 9, 0, NO, "a1 x2 a3 b4", "3 4 converted (1 4)", "an attempt after it"},
	{"a/!x/b", 0, NO, 9, 0, NO, "a1 x2 a3 x5", "1 excluded 5 x", "the attempt that was excluded last"},
	{"a/!x/b", 0, NO, 9, 0, NO, "a1 x2 a3", "1 open", "one attempt is open"},
	{"a/!x/b", 0, 2, 9, 0, NO, "a1 x2 a3", "1 timed out 5", "one attempt lasted longer"},
	{"a/!x/b", 0, 3, 9, 0, NO, "a1 x3", "1 excluded 3 x", "before the end of the window"},
	{"a/!x/b", 0, 3, 9, 0, NO, "a1 x4", "1 timed out 4", "at the end of the window"},
	{"a/!x/b", 0, 5, 4, 0, NO, "a1 x3", "1 excluded 3 x", "before the end of the data"},
	{"a/b/!x/c", 0, NO, 9, 0, NO, "a1 x2 b3 c4", "1 3 4 converted", "only in its gap"},
	{"a/b/!x/c", 0, NO, 9, 0, NO, "a1 b2 x3 c4", "1 2 excluded 3 x", "in its gap"},
	{"a/b/!x/c", 0, NO, 9, 0, NO, "a1 b2 x3 b4 c5", "1 4 5 converted (1 2 5)", "the step before it again"},
	{"a/b/!x/c", 0, NO, 9, 0, NO, "a1 b2 x3 b4", "1 2 open", "the step before it again, and open"},
	{"a/!x!y/b", 0, NO, 9, 0, NO, "a1 y2 x2", "1 excluded 2 x", "two at one time: the lower role"},
	{"a/!y/b?/!x/c", 0, NO, 9, 0, NO, "a1 x2 y2", "1 excluded 2 x", "by either of two ways: the lower role"},
	{"a/!x/b?/!y/c", 0, NO, 9, 0, NO, "a1 x2 y2", "1 excluded 2 x", "the same, where it is excluded for both"},
	{"a/!x!y/b", 0, NO, 9, 0, NO, "a1 y2 x3", "1 excluded 2 y", "two at two times: the earlier"},
	{"a/!x/b/c", STRICT_ORDER, NO, 9, 0, NO, "a1 x2 c2", "1 excluded 2 x, passed over", "excluded comes before broken"},
	{"a/!x/b/c", STRICT_ORDER, NO, 9, 0, NO, "a1 c2 x3", "1 broken 2, passed over", "broken, and then excluded"},
	{"a/!c/b/c", STRICT_ORDER, NO, 9, 0, NO, "a1 c2 b3", "1 excluded 2 c, passed over", "one event that does both"},
	{"a/!c/b/c", 0, NO, 9, 0, NO, "a1 c2 b3", "1 excluded 2 c, passed over", "a step that is excluded before its turn"},
	{"a/!b/a/b", 0, NO, 9, 0, NO, "a1 b2 a3 a4 b5", "3 4 5 converted (1 4 5)", "the same, with a way round"},
	{"a/!x/b?/c", 0, NO, 9, 0, NO, "a1 x2 c3", "1 excluded 2 x", "in a gap next to a skipped step"},
	{"a/b?/!x/c", 0, NO, 9, 0, NO, "a1 x2 c3", "1 open", "in the other gap: by the optional step there is still a way"},
	{"a/b?/!x/c", 0, NO, 9, 0, NO, "a1 x2 b3 c4", "1 3 4 converted", "and this is the way"},
	{"a/!x/b3/!y/c", 0, NO, 9, 0, NO, "a1 a2 x3 y4", "1 excluded 3 x", "by the first gap only"},
	{"a/!x/b", COUNT_REOPENED, NO, 9, 0, NO, "a1 x2 b3", "1 3 converted", "reopened"},
	{"a/!x/b", COUNT_REOPENED, NO, 9, 0, NO, "a1 x2", "1 excluded 2 x", "not reopened"},
	{"a/!x/b", COUNT_REOPENED, 3, 9, 0, NO, "a1 x2 b5", "1 excluded 2 x", "reopened too late"},
	{"a/!x/b/c", COUNT_REOPENED, NO, 9, 0, NO, "a1 x2 b3", "1 3 open", "reopened, and the next gap is another"},
	{"a/!x/b/!x/c", COUNT_REOPENED, NO, 9, 0, NO, "a1 x2 b3 x4", "1 3 excluded 4 x", "excluded again"},
	{"a/!b/b/c", COUNT_REOPENED | STRICT_ORDER, NO, 9, 0, NO, "a1 c2 b3", "1 broken 2, passed over", "what is broken is not reopened"},

	{"a/b?/c", 0, NO, 9, 0, NO, "a1 c2", "1 - 2 converted", "an optional step that was skipped"},
	{"a/b?/c", 0, NO, 9, 0, NO, "a1 b2 c3", "1 2 3 converted", "one that was taken"},
	{"a/b?/c", 0, NO, 9, 0, NO, "a1 c2 b3", "1 - 2 converted", "one that came too late"},
	{"a/b?/c", 0, NO, 9, 0, NO, "a1 c2 b2", "1 2 2 converted", "one at the time of the next"},
	{"a/b?/c?/d", 0, NO, 9, 0, NO, "a1 d2", "1 - - 2 converted", "two were skipped"},
	{"a/b?/c?/d", 0, NO, 9, 0, NO, "a1 c2 b3 d4", "1 3 - 4 converted (1 2 2 4)", "one of two: the earlier step, though later in time"},
	{"a/b/c?/d", 0, NO, 9, 0, NO, "a1 c2 d3", "1 open, passed over", "the step that is not optional is missing"},
	{"a/b/c?", 0, NO, 9, 0, NO, "a1 b2", "1 2 open", "an optional last step"},
	{"a/b?/b", 0, NO, 9, 0, NO, "a1 b2", "1 - 2 converted", "one event for an optional step and another: the further"},
	{"a/b?/b", 0, NO, 9, 0, NO, "a1 b2 b3", "1 - 2 converted", "the earlier end, though the other takes more steps"},
	{"a/b?/c/d", 0, NO, 9, 0, NO, "a1 b2 a3 c4 d5", "3 - 4 5 converted (1 2 4 5)", "the later start, though the other takes more steps"},

	{"a/b2/c", 0, NO, 9, 0, NO, "a1 b3", "1 3 open", "the end of a limit is inclusive"},
	{"a/b2/c", 0, NO, 9, 0, NO, "a1 b4", "1 timed out 3", "one too late"},
	{"a/b2/c", 0, NO, 2, 0, NO, "a1", "1 open", "the data end before the limit"},
	{"a/b2/c", 0, 1, 9, 0, NO, "a1", "1 timed out 2", "the window is shorter"},
	{"a/b/c2", 0, NO, 9, 0, NO, "a1 b2", "1 2 timed out 4", "the limit counts from the step before"},
	{"a/b/c2", 0, NO, 9, 0, NO, "a1 b2 b4 c6", "1 4 6 converted (1 2 6)", "the step before again"},
	{"a/b?/c2", 0, NO, 9, 0, NO, "a1 b3 c5", "1 3 5 converted", "from an optional step that was taken"},
	{"a/b?/c2", 0, NO, 9, 0, NO, "a1 c5", "1 open", "by the optional step there is still a way"},
	{"a/b?2/c", 0, NO, 9, 0, NO, "a1 b4 c5", "1 - 5 converted", "an optional step that came too late"},
	{"a/b?2/c", 0, 5, 9, 0, NO, "a1", "1 timed out 6", "the longer of two ways"},
	{"a/b2/c", 0, NO, 9, 0, NO, "a1 a3 b5", "3 5 open (1 5)", "the later start is in time"},
	{"a/b2/!x/c", 0, NO, 9, 0, NO, "a1 x2", "1 timed out 3", "the exclusion is of another gap"},
	{"a/!x/b2/c", 0, NO, 9, 0, NO, "a1 x3", "1 timed out 3", "an exclusion at the end of the limit is none"},

	{"a/b", FIRST_ENTRY, 3, 9, 0, NO, "a1 a4 b5", "1 timed out 4", "only the first entry counts"},
	{"a/b", FIRST_ENTRY, NO, 9, 0, NO, "a1 a4 b5", "1 5 converted", "the first entry is shown"},
	{"a/b", FIRST_ENTRY, 3, 9, 0, NO, "b0 a1 b4", "1 4 converted", "of the first step"},
	{"a/a/b", FIRST_ENTRY, NO, 9, 0, NO, "a1 a1 a2 b3", "1 1 3 converted", "two entries at one time"},
	{"a/!x/b", FIRST_ENTRY, NO, 9, 0, NO, "a1 x2 a3 b4", "1 excluded 2 x", "no attempt after the first"},
	{"a/b", FIRST_ENTRY, NO, 9, 0, 2, "a2 b3", "came late", "the first entry comes too late"},

	{"a/b", STRICT_INCREASE, NO, 9, 0, NO, "a1 b1", "1 open", "equal times do not increase"},
	{"a/b", STRICT_INCREASE, NO, 9, 0, NO, "a1 b1 b2", "1 2 converted", "later ones do"},
	{"a/b/c", STRICT_INCREASE, NO, 9, 0, NO, "a1 b2 c2", "1 2 open", "nor those of later steps"},
	{"a/b?/c", STRICT_INCREASE, NO, 9, 0, NO, "a1 b2 c2", "1 - 2 converted", "an optional step has no time left"},

	{"a/b/c", COUNT_SKIPPED, NO, 9, 0, NO, "b2 c3", "- 2 3 converted", "started with the second step"},
	{"a/b/c", COUNT_SKIPPED, NO, 9, 0, NO, "c2", "- - 2 converted", "one event is enough"},
	{"a/b/c", COUNT_SKIPPED, NO, 9, 0, NO, "b2", "- 2 open", "level 2 by one event"},
	{"a/b/c", COUNT_SKIPPED, NO, 9, 0, NO, "a1 b2", "1 2 open", "a later step starts nothing after the first"},
	{"a/b/c", COUNT_SKIPPED, 3, 9, 0, NO, "b2", "- 2 timed out 5", "the window starts with the event"},
	{"a/b/c", COUNT_SKIPPED, NO, 9, 0, 3, "b2 c4", "- 2 4 converted", "entered before the bound by a later step"},
	{"a/b/c", COUNT_SKIPPED, NO, 9, 2, NO, "b1 b3", "came late", "only the very first event may be late, in the range or not"},
	{"a/b/c", COUNT_SKIPPED, NO, 9, 2, NO, "b1 a3 c4", "3 - 4 converted", "but a first step is one"},
	{"a/b/c", COUNT_SKIPPED, NO, 9, 0, NO, "a1 c4", "1 - 4 converted", "a step between was skipped"},
	{"a/b/c", COUNT_SKIPPED, 2, 9, 0, NO, "b1 b3 c4", "- 1 timed out 3", "the second of its kind is not the very first"},
	{"a/b/c", COUNT_SKIPPED, NO, 9, 0, NO, "b1 a2 c3", "2 - 3 converted (1 1 3)", "the latest start"},
	{"a/b/c", COUNT_SKIPPED, NO, 9, 0, NO, "a1 b1 c2", "1 1 2 converted", "at one time the lowest step starts"},
	{"a/b/c", COUNT_SKIPPED, NO, 9, 0, NO, "b1 c1", "- 1 1 converted", "at one time the lowest step there is"},
	{"a/b/c", COUNT_SKIPPED | STRICT_INCREASE, NO, 9, 0, NO, "b1 c1", "- 1 open", "and no other"},
	{"a/b/c", COUNT_SKIPPED | FIRST_ENTRY, NO, 9, 0, NO, "b1 a2 c3", "- 1 3 converted", "the first entry is by the second step"},
	{"a/!x/b/c", COUNT_SKIPPED, NO, 9, 0, NO, "a1 x2 c3", "1 excluded 2 x", "an exclusion counts where a step is skipped"},
	{"a/!x/b/c", COUNT_SKIPPED, NO, 9, 0, NO, "b1 x2 c3", "- 1 3 converted", "one before the first step taken does not"},
	{"a/!x/b/c", COUNT_SKIPPED, NO, 9, 0, NO, "x1 b2 c3", "- 2 3 converted", "what is only excluded is not the first of a step"},

	{"a/b", 0, NO, 9, 2, NO, "a1 b3", "came late", "entered before the range"},
	{"a/b", 0, NO, 9, 2, NO, "a1 a2 b3", "2 3 converted", "entered at its beginning"},
	{"a/b", FIRST_ENTRY, NO, 9, 2, NO, "a1 a2 a3 b4", "2 4 converted", "the first entry is one of the range"},
	{"a/b", TOTALS, NO, 9, 2, 4, "a1 b2 a3 b4 a5", "3 4 converted", "the range of each attempt's start"},
	{"a/b", ANY_ORDER, NO, 9, 2, NO, "b1 a2 b4", "2 4 converted (2 4)", "nothing before the range"},
	{"a/b", ANY_ORDER | FIRST_ENTRY, NO, 9, 2, NO, "b1 a2 a3 b4", "2 4 converted (2 4)", "the first entry is one of the range"},

	{"a/b", TOTALS, NO, 9, 0, NO, "", "none", "no attempts"},
	{"a/b", TOTALS, NO, 9, 0, NO, "a1 b2 a3 b4", "1 2 converted; 3 4 converted", "two conversions"},
	{"a/b", TOTALS, NO, 9, 0, NO, "a1 a2 b3 b4", "2 3 converted (1 3)", "two starts, one attempt"},
	{"a/b", TOTALS, NO, 9, 0, NO, "a1 b2 b3 a4", "1 2 converted; 4 open", "what comes after a conversion belongs to none"},
	{"a/b", TOTALS, NO, 9, 0, NO, "a1 b1 a2 b2", "1 1 converted; 2 2 converted", "each at one time"},
	{"a/b", TOTALS, NO, 9, 0, NO, "a1 a1 b1 b1", "1 1 converted", "one conversion for each time"},
	{"a/b", TOTALS, NO, 9, 0, NO, "a1 a2 b2 b3", "2 2 converted (1 2)", "a start at the time of a conversion belongs to it"},
	{"a/b", TOTALS, 2, 9, 0, NO, "a1 a4 b5", "1 timed out 3; 4 5 converted", "the first was over in time"},
	{"a/b", TOTALS, 2, 9, 0, NO, "a1 a3 b4", "3 4 converted (1 4)", "the window's end is inclusive"},
	{"a/b", TOTALS, 2, 9, 0, NO, "a1 a3 a5 b6", "5 6 converted (1 6)", "of three starts the last can be extended"},
	{"a/b/c", TOTALS, 3, 9, 0, NO, "a1 b2 a6 c7", "1 2 timed out 4; 6 timed out 9, passed over", "each by its own events"},
	{"a/b/c", TOTALS, 3, 9, 0, NO, "a1 b2 a3 a5 b6 c7", "1 2 timed out 4; 5 6 7 converted", "a start that got nowhere does not hold the attempt"},
	{"a/b/c", TOTALS, NO, 9, 0, NO, "a1 b2 a3 b4 c5", "3 4 5 converted (1 2 5)", "a start while the attempt can be extended"},
	{"a/b", TOTALS, NO, 9, 0, 3, "a1 b2 a3 b4", "1 2 converted", "the second start is outside"},
	{"a/b", TOTALS, NO, 9, 0, 3, "a1 a3 b4", "1 4 converted", "a start outside goes by"},
	{"a", TOTALS, NO, 9, 0, NO, "a1 a1 a2", "1 converted; 2 converted", "one step"},
	{"a/!x/b", TOTALS, NO, 9, 0, NO, "a1 x2 a3 b4", "1 excluded 2 x; 3 4 converted", "an exclusion ends an attempt"},
	{"a/!x/b", TOTALS, NO, 9, 0, NO, "a1 x2 a2 b3", "2 3 converted (1 3)", "not at the time of a start"},
	{"a/!x/b", TOTALS, NO, 9, 0, NO, "a1 x2 b3 a4", "1 excluded 2 x; 4 open", "what comes after it belongs to the attempt"},
	{"a/b/!x/c", TOTALS, NO, 9, 0, NO, "a1 b2 x3 b4 a5 c6", "1 4 6 converted (1 2 6)", "the step before the exclusion again"},
	{"a/!x/b", TOTALS | COUNT_REOPENED, NO, 9, 0, NO, "a1 x2 b3 a4", "1 3 converted; 4 open", "reopened"},
	{"a/!x/b", TOTALS | COUNT_REOPENED, NO, 9, 0, NO, "a1 x2 a3 b4", "1 excluded 2 x; 3 4 converted", "a start is an attempt of its own, not reopened"},
	{"a/b/c", TOTALS | STRICT_ORDER, NO, 9, 0, NO, "a1 b2 a3 c4 a5 b6 c7", "1 2 broken 3; 5 6 7 converted", "the start that breaks an attempt belongs to it"},
	{"a/b/c", TOTALS | STRICT_ORDER, NO, 9, 0, NO, "a1 b2 a3 b4 c5", "3 4 5 converted (1 2 5)", "and may go on in it"},
	{"a/b/c", TOTALS | STRICT_ORDER, NO, 9, 0, NO, "a1 c2 a3 b4 c5", "1 broken 2, passed over; 3 4 5 converted", "broken before the next start"},
	{"a/b", TOTALS | FIRST_ENTRY, NO, 9, 0, NO, "a1 a2 b3 a4 a5 b6", "1 3 converted; 4 6 converted", "the first entry of each attempt"},
	{"a/b", TOTALS | FIRST_ENTRY, 2, 9, 0, NO, "a1 a2 a4 b5", "1 timed out 3; 4 5 converted", "the second start does not hold the attempt"},
	{"a/b/c", TOTALS | COUNT_SKIPPED, NO, 9, 0, NO, "c1 b2 c3", "- - 1 converted", "a later step is the very first once only"},
	{"a/b/c", TOTALS | COUNT_SKIPPED, NO, 9, 0, NO, "b1 c2 a3 c4", "- 1 2 converted; 3 - 4 converted", "other attempts start with the first step"},
	{"a/b2/c", TOTALS, NO, 9, 0, NO, "a1 a4 b5", "1 timed out 3; 4 5 open", "over by a limit"},
	{"a/b?2/c", TOTALS, NO, 9, 0, NO, "a1 a4 c5", "4 - 5 converted (1 5 5)", "not over: the optional step may be skipped"},

	{"a/b", ANY_ORDER, NO, 9, 0, NO, "b1 a2", "2 1 converted (1 2)", "the wrong order is none"},
	{"a/b", ANY_ORDER, NO, 9, 0, NO, "a1", "1 open (1)", "the first alone"},
	{"a/b", ANY_ORDER, NO, 9, 0, NO, "b1", "- 1 open (1)", "the second alone"},
	{"a/b", ANY_ORDER, 2, 9, 0, NO, "b1 a4", "- 1 timed out 6 (1)", "too far apart: the later one timed out last"},
	{"a/b", ANY_ORDER, 2, 5, 0, NO, "b1 a4", "- 1 open (1)", "and is open before"},
	{"a/b", ANY_ORDER, NO, 9, 0, NO, "b1 b2 a3", "3 2 converted (1 3)", "the latest start"},
	{"a/b/c", ANY_ORDER, NO, 9, 0, NO, "b1 c2 b3 a4", "4 3 2 converted (1 2 4)", "the latest start of three"},
	{"a/b/c", ANY_ORDER, NO, 9, 0, NO, "c1 b2 b3 a4", "4 2 1 converted (1 2 4)", "the earliest between"},
	{"ab/a", ANY_ORDER, NO, 9, 0, NO, "a1 b2", "2 1 converted (1 2)", "the a is needed for the second step"},
	{"ab/ab", ANY_ORDER, NO, 9, 0, NO, "a1 b2", "1 2 converted (1 2)", "either: the first step is the earlier"},
	{"a/a", ANY_ORDER, NO, 9, 0, NO, "a1", "1 open (1)", "one event fills one step"},
	{"a/b", ANY_ORDER | STRICT_INCREASE, NO, 9, 0, NO, "a1 b1", "1 open (1)", "equal times"},
	{"a/b", ANY_ORDER | STRICT_INCREASE, NO, 9, 0, NO, "a1 b1 b2", "1 2 converted (1 2)", "different times"},
	{"a/b", ANY_ORDER | FIRST_ENTRY, 2, 9, 0, NO, "a1 a4 b5", "1 timed out 3 (1)", "only the first entry counts"},
	{"a/b", ANY_ORDER | FIRST_ENTRY, NO, 9, 0, NO, "b1 a2 b3", "2 1 converted (1 2)", "by any step"},
	{"a/b", ANY_ORDER, NO, 9, 0, 3, "b3 a4", "none", "entered at the bound, which is outside"},
	{"a/b", ANY_ORDER, NO, 9, 0, 3, "b2 a4", "4 2 converted (2 4)", "entered before the bound"},
	{"a/b?/c", ANY_ORDER, NO, 9, 0, NO, "c1 a2", "2 - 1 converted (1 2 2)", "all but the optional step"},
	{"a/b?/c", ANY_ORDER, NO, 9, 0, NO, "b1 a2", "2 1 open (1 2)", "an optional step counts as any"},
	{"a/b?/c", ANY_ORDER, NO, 9, 0, NO, "b1 c1 a2", "2 1 1 converted (1 1 2)", "the most steps"},
	{"a/b?/c", ANY_ORDER, NO, 9, 0, NO, "c1 a2 b3", "2 - 1 converted (1 2 2)", "an optional step after the end"},
	{"a/b?/c", ANY_ORDER, NO, 9, 0, NO, "b1 c2 a3", "3 - 2 converted (1 2 3)", "an optional step before the latest start"},
	{"a/b", ANY_ORDER | TOTALS, NO, 9, 0, NO, "b1 a2 a3 b4", "2 1 converted (1 2); 3 4 converted (3 4)", "two conversions"},
	{"a/b", ANY_ORDER | TOTALS, 3, 9, 0, NO, "a1 a5 b6", "1 timed out 4 (1); 5 6 converted (5 6)", "the first was over in time"},
	{"a/b", ANY_ORDER | TOTALS, 3, 9, 0, NO, "a1 a4 b5", "4 5 converted (1 5)", "the window's end is inclusive"},
	{"a/b/c", ANY_ORDER | TOTALS, 2, 9, 0, NO, "a1 b3 b5 c6 a7", "7 5 6 converted (1 3 7)", "an attempt lasts as long as its latest start"},
};

static void
add_event(History *history, int64_t time, int role)
{
	history->events[history->n++] = (Event) {time, role};
}

static int
compare_events(const void *a, const void *b)
{
	const Event *one = a;
	const Event *other = b;

	if (one->time != other->time)
		return one->time < other->time ? -1 : 1;
	return one->role - other->role;
}

static void
sort_history(History *history)
{
	qsort(history->events, history->n, sizeof(Event), compare_events);
}

/* All of it, as simplify compares all of it */
static void
clear_spec(AmFunnelSpec *spec, int n_steps, int n_roles, int64_t within, uint32_t options)
{
	memset(spec, 0, sizeof(*spec));
	spec->n_steps = n_steps;
	spec->n_roles = n_roles;
	spec->within = within;
	spec->options = options;
	for (int step = 0; step < AM_FUNNEL_MAX_STEPS; step++)
		spec->steps[step].limit = AM_NO_LIMIT;
}

static void
read_steps(AmFunnelSpec *spec, const char *c)
{
	char	   *end;
	bool		between = false;	/* in an element of exclusions */

	for (; *c; c++)
		if (*c == '/' && between)
			between = false;
		else if (*c == '/' && c[1] != '!')
			spec->n_steps++;
		else if (*c == '/')
		{
			between = true;
			spec->n_steps++;
		}
		else if (*c == '!')
			spec->roles[*++c - 'a'].excludes |= STEP(spec->n_steps - 2);
		else if (*c == '?')
			spec->steps[spec->n_steps - 1].optional = true;
		else if (*c >= '0' && *c <= '9')
		{
			spec->steps[spec->n_steps - 1].limit = strtol(c, &end, 10);
			c = end - 1;
		}
		else
			spec->roles[*c - 'a'].fills |= STEP(spec->n_steps - 1);
}

static void
run_example(const Example *example)
{
	AmFunnelSpec spec;
	History		history;
	Answer		answer;
	char	   *end;

	clear_spec(&spec, 1, 26, example->within, example->options);
	read_steps(&spec, example->steps);
	history.n = 0;
	for (const char *c = example->events; *c;)
	{
		int			role = *c - 'a';

		add_event(&history, strtol(c + 1, &end, 10), role);
		c = end + strspn(end, " ");
	}
	sort_history(&history);
	history.as_of = example->as_of;
	history.entry_until = example->entry_until;
	history.entry_since = example->entry_since;

	for (int by_get = 0; by_get < 2; by_get++)
	{
		ask_matcher(&spec, &history, (Delivery) {5, by_get}, &answer);
		if (strcmp(describe(&spec, &answer), example->answer) != 0)
			break;
	}
	if (!ok(strcmp(text, example->answer) == 0, "%s, %s, events %s: %s", example->steps, name_options(spec.options),
			example->events, example->why))
		printf("# got  %s\n# want %s\n", text, example->answer);
	ask_twin(&spec, &history, find_chains, &answer);
	if (strcmp(describe(&spec, &answer), example->answer) != 0)
	{
		ok(false, "the twin agrees with the example");
		printf("# got  %s\n# want %s\n", text, example->answer);
	}
	if (!has(&spec, ANY_ORDER) && events_differ(&spec, &history))
	{
		ask_twin(&spec, &history, find_best_chains, &answer);
		if (strcmp(describe(&spec, &answer), example->answer) != 0)
		{
			ok(false, "the second twin agrees with the example");
			printf("# got  %s\n# want %s\n", text, example->answer);
		}
	}
}

/* Random funnels and histories */

typedef struct Shape
{
	int			max_steps;
	int			max_roles;		/* that fill a step; as many more may exclude only */
	int			max_events;
	int			max_range;		/* of times, before they are scaled */
	bool		plain;			/* one step for each role */
} Shape;

/* Times are drawn small and then moved: the answers must not depend on it */
typedef struct Clock
{
	int64_t		base;
	int64_t		scale;
	int			range;
} Clock;

static int64_t
draw_time(const Clock *clock, int range)
{
	return clock->base + clock->scale * draw(range);
}

static int64_t
draw_span(const Clock *clock)
{
	int64_t		span = clock->scale * (1 + draw(clock->range + 1));

	return clock->scale > 1 ? span + (int) draw(3) - 1 : span;
}

static void
random_clock(Clock *clock, const Shape *shape)
{
	static const int ranges[] = {1, 2, 4, 8, 8, 12, 20};

	clock->range = shape->max_range > 20 ? 1 + (int) draw(shape->max_range) : ranges[draw(7)];
	clock->base = 0;
	clock->scale = 1;
	if (draw(8) == 0)
	{
		clock->base = draw(2) == 0 ? 0 : INT64_C(1) << 56;
		clock->scale = draw(2) == 0 ? 1 : INT64_C(1000000000000);
	}
}

static void
random_spec(AmFunnelSpec *spec, uint32_t options, const Shape *shape, const Clock *clock)
{
	int			n_steps = draw(40) == 0 ? 1 : 2 + (int) draw(shape->max_steps - 1);
	int			n_roles = 1 + (int) draw(shape->max_roles);
	bool		in_order = !(options & ANY_ORDER);
	bool		timeless = draw(4) == 0;

	if (shape->plain)
		n_roles = n_steps;
	clear_spec(spec, n_steps, n_roles, timeless || draw(3) == 0 ? AM_NO_LIMIT : draw_span(clock), options);
	for (int step = 0; step < n_steps; step++)
		spec->roles[shape->plain ? step : (int) draw(n_roles)].fills |= STEP(step);
	/* one draw in a statement: compilers take them in different orders */
	for (uint32_t more = shape->plain ? 0 : draw(4); more > 0; more--)
	{
		int			role = (int) draw(n_roles);

		spec->roles[role].fills |= STEP(draw(n_steps));
	}
	for (int role = 0; role < n_roles; role++)
		if (spec->roles[role].fills == 0)
			spec->roles[role].fills = STEP(draw(n_steps));
	if (draw(2) == 0)
		for (int step = 1; step < n_steps; step++)
			spec->steps[step].optional = draw(3) == 0;
	if (in_order && !timeless && draw(2) == 0)
		for (int step = 1; step < n_steps; step++)
			if (draw(2) == 0)
				spec->steps[step].limit = draw_span(clock);
	if (in_order && n_steps > 1 && draw(options & COUNT_REOPENED ? 6 : 3) != 0)
		for (uint32_t more = 1 + draw(5); more > 0; more--)
		{
			int			role = draw(3) == 0 ? (int) draw(spec->n_roles) : spec->n_roles;

			if (role == spec->n_roles)
				spec->n_roles++;
			spec->roles[role].excludes |= STEP(draw(n_steps - 1));
			if (draw(3) == 0)
				spec->roles[role].excludes |= STEP(draw(n_steps - 1));
		}
	/* the lowest role may be of any sort */
	for (int role = spec->n_roles - 1; role > 0; role--)
	{
		int			other = (int) draw(role + 1);
		AmFunnelRole swap = spec->roles[role];

		spec->roles[role] = spec->roles[other];
		spec->roles[other] = swap;
	}
}

static void
random_history(History *history, const AmFunnelSpec *spec, const Shape *shape, const Clock *clock)
{
	int			n = (int) draw(shape->max_events + 1);
	int			other = (int) draw(shape->max_events + 1);

	int			next = 0;		/* step */

	history->n = 0;
	if (other > n)
		n = other;
	for (int i = 0; i < n; i++)
	{
		int64_t		time = draw_time(clock, clock->range);

		add_event(history, time, (int) draw(spec->n_roles));
	}
	sort_history(history);
	/* by chance alone few get far */
	for (int i = draw(2) == 0 ? n : 0; i < n; i++)
	{
		int			role = (int) draw(spec->n_roles);

		if (draw(2) == 0)
			continue;
		while (!(spec->roles[role].fills & STEP(next)))
			role = (role + 1) % spec->n_roles;
		history->events[i].role = role;
		next = (next + 1) % spec->n_steps;
	}
	sort_history(history);
}

/* The data end with the last event or later */
static void
random_bounds(History *history, const Clock *clock)
{
	history->as_of = clock->base + clock->scale * (clock->range - 1 + (int) draw(clock->range + 3));
	history->entry_since = draw(3) == 0 ? draw_time(clock, clock->range + 1) : draw(2) == 0 ? 0 : INT64_MIN;
	history->entry_until = draw(2) == 0 ? INT64_MAX : draw_time(clock, clock->range + 2);
}

static Delivery
random_delivery(const AmFunnelSpec *spec)
{
	Delivery	delivery = {least_role_bits(spec), draw(4) == 0};

	if (draw(4) == 0)
		delivery.role_bits = 7;
	return delivery;
}

typedef struct Met
{
	int			histories;
	int			stops[AM_STOP_BROKEN + 1];
	int			levels[AM_FUNNEL_MAX_STEPS + 1];
	int			several;		/* attempts */
	int			ties;
	int			skipping;
	int			changed[N_OPTIONS];	/* the answer, by an option */
	int			asked[N_OPTIONS];
} Met;

static Met	met;

static void
note(const AmFunnelSpec *spec, const History *history, const Answer *answer)
{
	bool		tie = false;

	met.histories++;
	met.several += answer->n > 1;
	met.levels[0] += answer->n == 0;
	for (int i = 0; i < answer->n; i++)
	{
		const AmFunnelAttempt *attempt = &answer->attempts[i];

		met.stops[attempt->stop]++;
		met.levels[attempt->level]++;
		met.skipping += attempt->taken != STEP(spec->n_steps) - 1 && attempt->stop == AM_STOP_CONVERTED;
	}
	for (int i = 1; i < history->n; i++)
		tie = tie || history->events[i].time == history->events[i - 1].time;
	met.ties += tie;
	if (met.histories % 16 > 0)
		return;
	for (int option = 0; option < N_OPTIONS; option++)
	{
		AmFunnelSpec without = *spec;
		Answer		other;

		if (!has(spec, 1u << option))
			continue;
		without.options &= ~(1u << option);
		ask_twin(&without, history, find_chains, &other);
		met.asked[option]++;
		met.changed[option] += !same_answer(answer, &other);
	}
}

static uint64_t next_seed = 1;

/* One matcher sees several entities in a row: nothing may be left over from the one before */
static void
run_family(const char *what, uint32_t options, const Shape *shape, int histories, Finder find)
{
	int			bad = 0;
	int			done = 0;

	while (done < histories)
	{
		uint64_t	from_seed = next_seed++;
		AmFunnelSpec spec;
		History		history;
		Clock		clock;
		Delivery	delivery;
		AmFunnelMatch *match;

		seed(from_seed);
		random_clock(&clock, shape);
		random_spec(&spec, options | (draw(4) == 0 ? STRICT_ONCE : 0), shape, &clock);
		random_bounds(&history, &clock);
		delivery = random_delivery(&spec);
		match = am_funnel_match_create(&spec, history.as_of, history.entry_since, history.entry_until);
		for (int entity = 0; entity < 6; entity++)
		{
			random_history(&history, &spec, shape, &clock);
			if (find == find_best_chains && !events_differ(&spec, &history))
				continue;
			done++;
			collect(match, has(&spec, ANY_ORDER), &history, delivery, &got);
			ask_twin(&spec, &history, find, &want);
			if (find == find_chains)
				note(&spec, &history, &want);
			if (!same_answer(&got, &want) && bad++ == 0)
				report(&spec, &history, find, delivery, from_seed);
		}
		am_funnel_match_free(match);
	}
	ok(bad == 0, "%s, %s: %d histories agree with the twin (%d do not)", what, name_options(options), done, bad);
}

static void
test_all_options(int each)
{
	static const uint32_t in_order[] = {
		STRICT_ORDER, STRICT_INCREASE, FIRST_ENTRY, TOTALS, COUNT_SKIPPED, COUNT_REOPENED
	};
	static const uint32_t any_order[] = {STRICT_INCREASE, FIRST_ENTRY, TOTALS};
	static const Shape small = {5, 5, 9, 20, false};
	static const Shape crowded = {9, 4, 8, 4, false};

	memset(&met, 0, sizeof(met));
	for (int set = 0; set < 1 << 6; set++)
	{
		uint32_t	options = 0;

		for (int i = 0; i < 6; i++)
			options |= set & (1 << i) ? in_order[i] : 0;
		run_family("in order", options, &small, each, find_chains);
	}
	for (int set = 0; set < 1 << 3; set++)
	{
		uint32_t	options = ANY_ORDER;

		for (int i = 0; i < 3; i++)
			options |= set & (1 << i) ? any_order[i] : 0;
		run_family("any order", options, &small, each, find_chains);
	}
	run_family("many steps", 0, &crowded, each, find_chains);
	run_family("many steps", COUNT_SKIPPED, &crowded, each / 4, find_chains);

	/* what was hardly met is hardly tested */
	for (int stop = AM_STOP_CONVERTED; stop <= AM_STOP_BROKEN; stop++)
		if (met.stops[stop] < met.histories / 100)
			ok(false, "stop %d was met %d times only", stop, met.stops[stop]);
	for (int level = 0; level <= 7; level++)
		if (met.levels[level] < 100)
			ok(false, "level %d was met %d times only", level, met.levels[level]);
	for (int option = 0; option < N_OPTIONS; option++)
		if ((1u << option) == STRICT_ONCE ? met.changed[option] != 0 : met.changed[option] < met.asked[option] / 50)
			ok(false, "%s changed %d answers of %d", option_names[option], met.changed[option], met.asked[option]);
	if (met.several < met.histories / 50 || met.ties < met.histories / 2 || met.skipping < met.histories / 50)
		ok(false, "several attempts %d, ties %d, skipped steps %d", met.several, met.ties, met.skipping);
	printf("# %d histories: converted %d, open %d, timed out %d, excluded %d, broken %d; several attempts %d, ties %d, "
		   "converted with skipped steps %d\n", met.histories, met.stops[AM_STOP_CONVERTED], met.stops[AM_STOP_STILL_OPEN],
		   met.stops[AM_STOP_TIMED_OUT], met.stops[AM_STOP_EXCLUDED], met.stops[AM_STOP_BROKEN], met.several, met.ties,
		   met.skipping);
	for (int option = 0; option < N_OPTIONS; option++)
		printf("# %s changed %d answers of %d\n", option_names[option], met.changed[option], met.asked[option]);
}

/* The two twins, where both know the answer */
static void
test_twins(int histories)
{
	static const Shape shape = {5, 5, 8, 20, false};
	int			bad = 0;
	int			done = 0;

	while (done < histories)
	{
		AmFunnelSpec spec;
		History		history;
		Clock		clock;

		seed(next_seed++);
		random_clock(&clock, &shape);
		random_spec(&spec, draw(256) & ~ANY_ORDER, &shape, &clock);
		random_bounds(&history, &clock);
		random_history(&history, &spec, &shape, &clock);
		if (!events_differ(&spec, &history))
			continue;
		done++;
		ask_twin(&spec, &history, find_best_chains, &got);
		ask_twin(&spec, &history, find_chains, &want);
		if (!same_answer(&got, &want) && bad++ == 0)
		{
			print_question(&spec, &history);
			printf("#   best chains: %s\n", describe(&spec, &got));
			printf("#   all chains:  %s\n", describe(&spec, &want));
		}
	}
	ok(bad == 0, "the twins agree on %d histories (%d do not)", done, bad);
}

static void
test_long_histories(void)
{
	static const struct
	{
		Shape		shape;
		int			histories;
	}			of[] = {
		{{8, 6, 30, 60, false}, 150},
		{{8, 8, 40, 16, true}, 100},
		{{12, 6, 80, 200, true}, 30},
		{{AM_FUNNEL_MAX_STEPS, 40, 200, 300, true}, 12},
	};
	static const uint32_t sets[] = {
		0, STRICT_INCREASE, STRICT_ORDER, FIRST_ENTRY, TOTALS, COUNT_SKIPPED, COUNT_REOPENED,
		STRICT_ORDER | TOTALS, STRICT_INCREASE | TOTALS | COUNT_REOPENED, TOTALS | COUNT_SKIPPED,
		STRICT_ORDER | COUNT_SKIPPED, STRICT_INCREASE | STRICT_ORDER | FIRST_ENTRY | TOTALS
	};

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++)
		for (size_t j = 0; j < sizeof(sets) / sizeof(sets[0]); j++)
		{
			char		what[64];

			snprintf(what, sizeof(what), "up to %d steps and %d events", of[i].shape.max_steps, of[i].shape.max_events);
			run_family(what, sets[j], &of[i].shape, of[i].histories, find_best_chains);
		}
}

/* `any order` by matching */

typedef struct Slot
{
	int64_t		time;
	uint64_t	fills;
} Slot;

static bool
place(const Slot *slots, int n, int step, int *step_of, bool *tried)
{
	for (int i = 0; i < n; i++)
	{
		if (tried[i] || !(slots[i].fills & STEP(step)))
			continue;
		tried[i] = true;
		if (step_of[i] < 0 || place(slots, n, step_of[i], step_of, tried))
		{
			step_of[i] = step;
			return true;
		}
	}
	return false;
}

static int
most_steps(const AmFunnelSpec *spec, const Slot *slots, int n, int but, bool required)
{
	int			step_of[MAX_EVENTS];
	bool		tried[MAX_EVENTS];
	int			placed = 0;

	memset(step_of, -1, sizeof(step_of));
	for (int step = 0; step < spec->n_steps; step++)
	{
		if (step == but || (required && spec->steps[step].optional))
			continue;
		memset(tried, 0, sizeof(tried));
		if (place(slots, n, step, step_of, tried))
			placed++;
		else if (required)
			return -1;
	}
	return placed;
}

/* The furthest level of slots [from, to) with one of the time of the first */
static int
furthest(const AmFunnelSpec *spec, const Slot *slots, int from, int to)
{
	int			level = 0;

	for (int i = from; i < to && slots[i].time == slots[from].time; i++)
		for (int step = 0; step < spec->n_steps; step++)
		{
			Slot		rest[MAX_EVENTS];
			int			n = 0;
			int			placed;

			if (!(slots[i].fills & STEP(step)))
				continue;
			for (int j = from; j < to; j++)
				if (j != i)
					rest[n++] = slots[j];
			if (most_steps(spec, rest, n, step, true) >= 0)
				return spec->n_steps;
			placed = 1 + most_steps(spec, rest, n, step, false);
			if (placed > level)
				level = placed;
		}
	return level;
}

static void
test_any_order(int histories)
{
	static const Shape shape = {9, 8, 24, 30, false};
	int			bad = 0;
	int			decided = 0;

	for (int done = 0; done < histories; done++)
	{
		uint64_t	from_seed = next_seed++;
		AmFunnelSpec spec;
		History		history;
		Clock		clock;
		Delivery	delivery;
		Slot		slots[MAX_EVENTS];
		AmFunnelAttempt *attempt = &want.attempts[0];
		uint32_t	options;
		int			n = 0;
		int64_t		end = 0;
		int64_t		start = -1;
		int64_t		latest = -1;
		int64_t		shown_start = INT64_MAX;
		int64_t		shown_end = INT64_MIN;
		bool		same;

		seed(from_seed);
		random_clock(&clock, &shape);
		options = ANY_ORDER | (draw(2) ? STRICT_INCREASE : 0);
		options |= draw(4) ? 0 : FIRST_ENTRY;
		random_spec(&spec, options, &shape, &clock);
		random_bounds(&history, &clock);
		random_history(&history, &spec, &shape, &clock);
		delivery = random_delivery(&spec);
		for (int i = 0; i < history.n; i++)
		{
			uint64_t	fills = spec.roles[history.events[i].role].fills;

			/* of one time, one */
			if (has(&spec, STRICT_INCREASE) && n > 0 && slots[n - 1].time == history.events[i].time)
				slots[n - 1].fills |= fills;
			else
				slots[n++] = (Slot) {history.events[i].time, fills};
		}

		memset(attempt, 0, sizeof(*attempt));
		for (int from = 0; from < n; from++)
		{
			int			next;

			if (!is_entry(&history, slots[from].time))
				continue;
			if (has(&spec, FIRST_ENTRY) && slots[from].time != first_entry(&spec, &history, history.events, history.n))
				break;
			if (from > 0 && slots[from].time == slots[from - 1].time)
				continue;
			for (int to = from; to < n; to = next)
			{
				int			level;

				for (next = to; next < n && slots[next].time == slots[to].time; next++)
					;
				if (spec.within != AM_NO_LIMIT && slots[to].time - slots[from].time > spec.within)
					break;
				level = furthest(&spec, slots, from, next);
				for (int l = 1; l <= level; l++)
					if (attempt->first_reached[l] == 0 || slots[to].time + 1 < attempt->first_reached[l])
						attempt->first_reached[l] = slots[to].time + 1;
				if (level > attempt->level || (level == attempt->level && slots[to].time <= end))
				{
					end = slots[to].time;
					start = slots[from].time;
				}
				if (level >= attempt->level)
				{
					attempt->level = level;
					latest = slots[from].time;
				}
			}
		}
		for (int l = 1; l <= attempt->level; l++)
			attempt->first_reached[l]--;
		if (attempt->level == spec.n_steps)
			attempt->stop = AM_STOP_CONVERTED;
		else if (spec.within == AM_NO_LIMIT || history.as_of < latest + spec.within)
			attempt->stop = AM_STOP_STILL_OPEN;
		else
			attempt->stop = AM_STOP_TIMED_OUT;
		attempt->ended = attempt->stop == AM_STOP_TIMED_OUT ? latest + spec.within : 0;

		ask_matcher(&spec, &history, delivery, &got);
		same = got.n == (attempt->level > 0);
		if (same && got.n)
		{
			decided++;
			attempt->taken = got.attempts[0].taken;
			memcpy(attempt->times, got.attempts[0].times, sizeof(attempt->times));
			for (int step = 0; step < spec.n_steps; step++)
				if (attempt->taken & STEP(step))
				{
					if (attempt->times[step] < shown_start)
						shown_start = attempt->times[step];
					if (attempt->times[step] > shown_end)
						shown_end = attempt->times[step];
				}
			same = same_attempt(&got.attempts[0], attempt, true) && shown_start == start && shown_end == end;
		}
		if (!same && bad++ == 0)
		{
			printf("# seed %" PRIu64 ":\n", from_seed);
			print_question(&spec, &history);
			printf("#   matcher: %s\n", describe(&spec, &got));
			printf("#   level %d, from %" PRId64 " to %" PRId64 ", latest start %" PRId64 "\n",
				   attempt->level, start, end, latest);
		}
	}
	ok(bad == 0, "any order, up to 9 steps and 24 events: %d histories agree with a matching (%d do not)", histories, bad);
	if (decided < histories / 2)
		ok(false, "only %d histories with an attempt", decided);
}

/*
 * Other numbers for the roles: the same attempts, and the same kind excludes,
 * unless another one of that time is the lowest now.
 */
static void
test_relabelling(int histories)
{
	static const Shape shape = {5, 5, 12, 20, false};
	int			bad = 0;
	int			excluded = 0;

	for (int done = 0; done < histories; done++)
	{
		uint64_t	from_seed = next_seed++;
		AmFunnelSpec spec;
		AmFunnelSpec relabelled;
		History		history;
		History		other;
		Clock		clock;
		int			label[AM_FUNNEL_MAX_ROLES];
		uint32_t	options;
		bool		same;

		seed(from_seed);
		random_clock(&clock, &shape);
		options = draw(2) ? 1u << draw(N_OPTIONS) : draw(256);
		if (options & ANY_ORDER)
			options &= ~(STRICT_ORDER | COUNT_SKIPPED | COUNT_REOPENED);
		random_spec(&spec, options, &shape, &clock);
		random_bounds(&history, &clock);
		random_history(&history, &spec, &shape, &clock);
		relabelled = spec;
		for (int role = 0; role < spec.n_roles; role++)
		{
			int			from = (int) draw(role + 1);

			label[role] = label[from];
			label[from] = role;
		}
		for (int role = 0; role < spec.n_roles; role++)
			relabelled.roles[label[role]] = spec.roles[role];
		other = history;
		for (int i = 0; i < other.n; i++)
			other.events[i].role = label[other.events[i].role];
		sort_history(&other);

		ask_matcher(&spec, &history, random_delivery(&spec), &got);
		ask_matcher(&relabelled, &other, random_delivery(&spec), &want);
		same = got.n == want.n;
		for (int i = 0; same && i < got.n; i++)
		{
			const AmFunnelAttempt *a = &got.attempts[i];
			const AmFunnelAttempt *b = &want.attempts[i];
			int			n_then = 0;

			same = same_attempt(a, b, false);
			if (!same || a->stop != AM_STOP_EXCLUDED)
				continue;
			excluded++;
			for (int x = 0; x < history.n; x++)
				if (history.events[x].time == a->ended && spec.roles[history.events[x].role].excludes)
					n_then++;
			same = n_then > 0 && (n_then > 1 || label[a->excluded_by] == b->excluded_by);
		}
		if (!same && bad++ == 0)
		{
			printf("# seed %" PRIu64 ":\n", from_seed);
			print_question(&spec, &history);
			printf("#   %s\n", describe(&spec, &got));
			print_question(&relabelled, &other);
			printf("#   %s\n", describe(&relabelled, &want));
		}
	}
	ok(bad == 0, "roles with other numbers: %d histories have the same attempts (%d do not)", histories, bad);
	if (excluded < histories / 100)
		ok(false, "only %d were excluded", excluded);
}

/* Many steps, many events */

/* One role that fills all steps, all events at one time, or one after the other */
static int
level_of_crowd(int n_steps, int n_events, bool apart, uint32_t options)
{
	AmFunnelSpec spec;
	AmFunnelMatch *match;
	AmFunnelAttempt attempt;
	AmFunnelEvents events = {.n = n_events};
	uint64_t   *stamps = malloc(n_events * sizeof(uint64_t));
	int			level = 0;

	clear_spec(&spec, n_steps, 1, apart ? n_events : 1, options);
	spec.roles[0].fills = n_steps == 64 ? UINT64_MAX : STEP(n_steps) - 1;
	for (int i = 0; i < n_events; i++)
		stamps[i] = apart ? i : 7;
	events.stamps = stamps;
	match = am_funnel_match_create(&spec, n_events, 0, INT64_MAX);
	am_funnel_match_begin(match, &events);
	if (am_funnel_match_next(match, &attempt))
		level = attempt.level;
	am_funnel_match_free(match);
	free(stamps);
	return level;
}

/* Role i fills step i alone, all 64 of them */
static void
test_line(void)
{
	static const uint32_t sets[] = {
		0, STRICT_ORDER, STRICT_INCREASE, FIRST_ENTRY, TOTALS, COUNT_SKIPPED | FIRST_ENTRY, ANY_ORDER,
		ANY_ORDER | STRICT_INCREASE, ANY_ORDER | TOTALS
	};

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		for (int apart = 0; apart < 2; apart++)
		{
			AmFunnelSpec spec;
			History		history = {.as_of = 100, .entry_until = INT64_MAX};
			bool		increase = (sets[i] & STRICT_INCREASE) && !apart;
			bool		good;

			clear_spec(&spec, 64, 64, 63, sets[i]);
			for (int step = 0; step < 64; step++)
			{
				spec.roles[step].fills = STEP(step);
				add_event(&history, apart ? step : 5, step);
			}
			ask_matcher(&spec, &history, (Delivery) {6, false}, &got);
			good = got.n == 1 && got.attempts[0].level == (increase ? 1 : 64) &&
				got.attempts[0].stop == (increase ? AM_STOP_TIMED_OUT : AM_STOP_CONVERTED);
			for (int step = 0; good && step < (increase ? 1 : 64); step++)
				good = (got.attempts[0].taken & STEP(step)) && got.attempts[0].times[step] == (apart ? step : 5) &&
					got.attempts[0].first_reached[step + 1] == (apart ? step : 5);
			if (!ok(good, "64 steps, %s, %s", apart ? "one after the other" : "at one time", name_options(sets[i])))
				printf("# %s\n", describe(&spec, &got));
		}
}

/* Role i fills steps i and i + 1 at one time: a placement that has to move all others */
static void
test_ladder(void)
{
	for (int any_order = 0; any_order < 2; any_order++)
		for (int n = 2; n <= AM_FUNNEL_MAX_STEPS; n = n == 2 ? 17 : n == 17 ? 33 : n == 33 ? 64 : 65)
		{
			AmFunnelSpec spec;
			History		history = {.as_of = 0, .entry_until = INT64_MAX};
			bool		good;

			clear_spec(&spec, n, n, AM_NO_LIMIT, any_order ? ANY_ORDER : 0);
			spec.roles[0].fills = 1;
			for (int role = 1; role < n; role++)
				spec.roles[role].fills = UINT64_C(3) << (role - 1);
			for (int role = 0; role < n; role++)
				add_event(&history, 0, role);
			ask_matcher(&spec, &history, (Delivery) {6, false}, &got);
			good = got.n == 1 && got.attempts[0].level == n && got.attempts[0].stop == AM_STOP_CONVERTED;

			/* without the first, the second has to step down, and so all */
			history.n--;
			memmove(history.events, history.events + 1, history.n * sizeof(Event));
			ask_matcher(&spec, &history, (Delivery) {6, false}, &got);
			good = good && got.n == 1 && got.attempts[0].level == n - 1;
			ok(good, "%d events of one time that each fill two steps%s", n, any_order ? ", any order" : "");
		}
}

static void
test_extremes(void)
{
	const int64_t end = (INT64_C(1) << 57) - 1;
	const int64_t longest = INT64_C(1) << 56;
	AmFunnelSpec spec;
	History		history = {.as_of = end, .entry_until = INT64_MAX};
	Delivery	delivery = {7, false};

	clear_spec(&spec, 2, 2, longest, 0);
	spec.roles[0].fills = 1;
	spec.roles[1].fills = 2;
	add_event(&history, end - longest, 0);
	add_event(&history, end, 1);
	ask_matcher(&spec, &history, delivery, &got);
	ok(got.n == 1 && got.attempts[0].stop == AM_STOP_CONVERTED, "the longest window at the end of time");

	history.events[0].time--;
	ask_matcher(&spec, &history, delivery, &got);
	ok(got.n == 1 && got.attempts[0].stop == AM_STOP_TIMED_OUT && got.attempts[0].ended == end - 1,
	   "... and a microsecond more");

	history.events[0].time = end;
	history.n = 1;
	ask_matcher(&spec, &history, delivery, &got);
	ok(got.n == 1 && got.attempts[0].stop == AM_STOP_STILL_OPEN && got.attempts[0].first_reached[1] == end,
	   "an attempt that starts at the end of time is open");

	history.entry_until = 0;
	history.events[0].time = 0;
	ask_matcher(&spec, &history, delivery, &got);
	ok(got.n == 0, "no entry before the beginning of time");

	history.entry_until = 1;
	ask_matcher(&spec, &history, delivery, &got);
	ok(got.n == 1 && got.attempts[0].level == 1 && got.attempts[0].times[0] == 0, "one at the beginning of time");

	spec.within = AM_NO_LIMIT;
	add_event(&history, end, 1);
	ask_matcher(&spec, &history, delivery, &got);
	ok(got.n == 1 && got.attempts[0].stop == AM_STOP_CONVERTED && got.attempts[0].times[1] == end,
	   "without a window, from the beginning of time to its end");

	spec.within = spec.steps[1].limit = AM_NO_LIMIT - 1;
	ask_matcher(&spec, &history, delivery, &got);
	ok(got.n == 1 && got.attempts[0].stop == AM_STOP_CONVERTED, "with a window and a limit that no time exceeds");
	history.entry_until = INT64_MAX;
	history.events[0].time = history.events[1].time;
	history.n = 1;
	ask_matcher(&spec, &history, delivery, &got);
	ok(got.n == 1 && got.attempts[0].stop == AM_STOP_STILL_OPEN, "... and whose end is no time");

	for (int options = 0; options < 1 << N_OPTIONS; options++)
	{
		if ((options & ANY_ORDER) && (options & (STRICT_ORDER | COUNT_SKIPPED | COUNT_REOPENED)))
			continue;
		spec.options = options;
		history.n = 0;
		ask_matcher(&spec, &history, delivery, &got);
		if (got.n != 0)
			ok(false, "no event, no attempt: %s", name_options(options));
		history.n = 1;
		ask_matcher(&spec, &history, delivery, &got);
		if (got.n != 1 || got.attempts[0].level != 1 || got.attempts[0].times[0] != end)
			ok(false, "one event, one attempt: %s", name_options(options));
	}
}

/*
 * One entity with very many events: a pattern of letters that repeats, a
 * microsecond apart or all at one time.
 */
typedef struct Crowd
{
	const char *steps;
	uint32_t	options;
	int64_t		within;
	const char *pattern;		/* a first letter in upper case: half of the events are this one, then the rest */
	int64_t		apart;			/* microseconds */
	int64_t		attempts;
	int			level;			/* of each */
	AmFunnelStop stop;			/* of the first */
} Crowd;

#define CROWD	99999

static const Crowd crowds[] = {
	{"a/b/c", 0, NO, "abc", 1, 1, 3, AM_STOP_CONVERTED},
	{"a/b/c/d", 0, NO, "abc", 1, 1, 3, AM_STOP_STILL_OPEN},
	{"a/b/c/d", 0, 50000, "abc", 1, 1, 3, AM_STOP_STILL_OPEN},
	{"a/b/c/d", 0, 2, "abc", 1, 1, 3, AM_STOP_TIMED_OUT},
	{"a/b/c/d", 0, NO, "abc", 0, 1, 3, AM_STOP_STILL_OPEN},
	{"a/b/a/b/a/b/a", 0, 100, "abc", 1, 1, 7, AM_STOP_CONVERTED},
	{"abc/abc/abc/abc/d", 0, 100, "abc", 1, 1, 4, AM_STOP_STILL_OPEN},
	{"abc/abc/abc/abc/d", 0, 100, "abc", 0, 1, 4, AM_STOP_STILL_OPEN},
	{"abc/ab/c/bc/d", STRICT_INCREASE, 1000, "abc", 1, 1, 4, AM_STOP_STILL_OPEN},
	{"a/b/c", 0, NO, "Ab", 1, 1, 2, AM_STOP_STILL_OPEN},
	{"a/b/c", 0, 70000, "Ab", 1, 1, 2, AM_STOP_STILL_OPEN},
	{"a/b/c", 0, 30000, "Ab", 1, 1, 2, AM_STOP_TIMED_OUT},
	{"a/b?/c10/d", 0, 60000, "abc", 1, 1, 3, AM_STOP_STILL_OPEN},
	{"a/b?/c1?/d1/e", 0, 60000, "abcd", 1, 1, 4, AM_STOP_STILL_OPEN},
	{"a/b/c", STRICT_ORDER, NO, "acb", 1, 1, 1, AM_STOP_BROKEN},
	{"a/b/c", STRICT_ORDER, NO, "abac", 1, 1, 2, AM_STOP_BROKEN},
	{"a/b/c/d", STRICT_ORDER, 70000, "abcb", 1, 1, 3, AM_STOP_STILL_OPEN},
	{"a/!x/b", 0, NO, "axb", 1, 1, 1, AM_STOP_EXCLUDED},
	{"a/!x/b/!y/c", 0, NO, "aybx", 1, 1, 2, AM_STOP_STILL_OPEN},
	{"a/!x/b", COUNT_REOPENED, NO, "Ax", 1, 1, 1, AM_STOP_EXCLUDED},
	{"a/b/c/d", FIRST_ENTRY, 60000, "abc", 1, 1, 3, AM_STOP_TIMED_OUT},
	{"a/b/c/d", COUNT_SKIPPED, 60000, "abc", 1, 1, 3, AM_STOP_STILL_OPEN},
	{"a/!x/b/c/!x/d", COUNT_SKIPPED | STRICT_ORDER, 60000, "abcx", 1, 1, 3, AM_STOP_STILL_OPEN},
	{"a/b/c", TOTALS, NO, "abc", 1, 33333, 3, AM_STOP_CONVERTED},
	{"a/b/c", TOTALS, 1, "abc", 1, 33333, 2, AM_STOP_TIMED_OUT},
	{"a/b/c/d", TOTALS, NO, "abc", 1, 1, 3, AM_STOP_STILL_OPEN},
	{"a/b/c/d", TOTALS, NO, "a", 1, 1, 1, AM_STOP_STILL_OPEN},
	{"a/b/c/d", TOTALS, 60000, "a", 1, 1, 1, AM_STOP_STILL_OPEN},
	{"a/b/c/d", TOTALS | FIRST_ENTRY, 8, "a", 1, 11111, 1, AM_STOP_TIMED_OUT},
	{"a/b/c/d", TOTALS | STRICT_ORDER, 60000, "abc", 1, 1, 3, AM_STOP_STILL_OPEN},
	{"a/!x/b", TOTALS, NO, "axb", 1, 33333, 1, AM_STOP_EXCLUDED},
	{"a/!x/b", TOTALS | COUNT_REOPENED, NO, "axb", 1, 33333, 2, AM_STOP_CONVERTED},
	{"a/b/c", TOTALS | COUNT_SKIPPED, NO, "abc", 1, 33333, 3, AM_STOP_CONVERTED},
	{"a/b/c", ANY_ORDER, NO, "cba", 1, 1, 3, AM_STOP_CONVERTED},
	{"a/b/c/d", ANY_ORDER, NO, "cba", 1, 1, 3, AM_STOP_STILL_OPEN},
	{"a/b/c/d", ANY_ORDER, 60000, "cba", 1, 1, 3, AM_STOP_STILL_OPEN},
	{"a/b/c/d", ANY_ORDER, 60000, "cba", 0, 1, 3, AM_STOP_STILL_OPEN},
	{"a/b/c/d", ANY_ORDER, 60000, "Cba", 1, 1, 3, AM_STOP_STILL_OPEN},
	{"abc/bc?/c/d", ANY_ORDER | STRICT_INCREASE, 60000, "cba", 1, 1, 3, AM_STOP_STILL_OPEN},
	{"a/b/c", ANY_ORDER | TOTALS, NO, "cba", 1, 33333, 3, AM_STOP_CONVERTED},
	{"a/b/c/d", ANY_ORDER | TOTALS, 60000, "cba", 1, 1, 3, AM_STOP_STILL_OPEN},
};

static void
run_crowd(const Crowd *crowd, uint64_t *stamps)
{
	AmFunnelSpec spec;
	AmFunnelMatch *match;
	AmFunnelAttempt attempt;
	AmFunnelEvents events = {.n = CROWD, .role_bits = 5};
	int64_t		n_attempts = 0;
	int			level = 0;
	AmFunnelStop stop = AM_STOP_CONVERTED;
	bool		same = true;
	int			length = (int) strlen(crowd->pattern);
	bool		half = crowd->pattern[0] < 'a';
	clock_t		began;
	double		seconds;

	clear_spec(&spec, 1, 26, crowd->within, crowd->options);
	read_steps(&spec, crowd->steps);
	for (int i = 0; i < CROWD; i++)
	{
		int			letter = crowd->pattern[i % length];

		if (half)
			letter = i < CROWD / 2 ? crowd->pattern[0] - 'A' + 'a' : crowd->pattern[1 + i % (length - 1)];
		stamps[i] = (uint64_t) (1000 + i * crowd->apart) << 5 | (uint64_t) (letter - 'a');
	}
	qsort(stamps, CROWD, sizeof(uint64_t), compare_stamps);
	events.stamps = stamps;
	began = clock();
	match = am_funnel_match_create(&spec, 1000 + (CROWD - 1) * crowd->apart, 0, INT64_MAX);
	am_funnel_match_begin(match, &events);
	while (n_attempts <= CROWD && am_funnel_match_next(match, &attempt))
	{
		if (n_attempts++ == 0)
		{
			level = attempt.level;
			stop = attempt.stop;
		}
		same = same && attempt.level == level;
	}
	am_funnel_match_free(match);
	seconds = (double) (clock() - began) / CLOCKS_PER_SEC;
	if (!ok(n_attempts == crowd->attempts && level == crowd->level && same && stop == crowd->stop && seconds < 5,
			"%s, %s, many events %s%s", crowd->steps, name_options(crowd->options), crowd->pattern,
			crowd->apart ? "" : " of one time"))
		printf("# %" PRId64 " attempts, level %d%s, stop %d, %.1f seconds\n", n_attempts, level, same ? "" : " and others",
			   (int) stop, seconds);
}

int
main(void)
{
	uint64_t   *stamps = malloc(CROWD * sizeof(uint64_t));

	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
		run_example(&examples[i]);
	test_extremes();
	test_line();
	test_ladder();
	for (int any_order = 0; any_order < 2; any_order++)
	{
		uint32_t	options = any_order ? ANY_ORDER : 0;

		ok(level_of_crowd(64, 63, false, options) == 63 && level_of_crowd(64, 64, false, options) == 64 &&
		   level_of_crowd(64, 65, false, options) == 64 && level_of_crowd(64, 20000, false, options) == 64 &&
		   level_of_crowd(64, 63, true, options) == 63 && level_of_crowd(64, 64, true, options) == 64 &&
		   level_of_crowd(64, 200, true, options) == 64 && level_of_crowd(1, 2, false, options) == 1 &&
		   level_of_crowd(3, 2, false, options) == 2,
		   "events of one kind fill as many steps as there are of either%s", any_order ? ", any order" : "");
	}
	for (size_t i = 0; i < sizeof(crowds) / sizeof(crowds[0]); i++)
		run_crowd(&crowds[i], stamps);
	test_twins(20000);
	test_all_options(7000);
	test_long_histories();
	test_any_order(3000);
	test_relabelling(30000);
	free(stamps);
	return done_testing();
}
