/*
 * The one-pass matcher against a twin that tries every chain.
 *
 * The twin is written from the text of the language alone: one event fills one
 * step; times do not decrease, and equal times are one set; the last step is
 * at most `within` after the first, inclusive; attempts start before
 * `entry_until`.  The chain shown is the furthest, then the one with the
 * earliest last step, then the latest start, then the earliest steps between.
 * A level is first reached at the earliest last step of all chains of that level.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <inttypes.h>

#include "tap.h"

#include "funnel/funnel_match.h"

#define MAX_EVENTS	400

typedef struct Event
{
	int64_t		time;
	int			role;
} Event;

typedef struct History
{
	int			n;
	Event		events[MAX_EVENTS];
	int64_t		as_of;
	int64_t		entry_until;
} History;

typedef struct Answer
{
	int			level;
	int64_t		times[AM_FUNNEL_MAX_STEPS];
	int64_t		first_reached[AM_FUNNEL_MAX_STEPS + 1]; /* from 1 to level */
	AmFunnelStop stop;
} Answer;

static uint64_t random_state = UINT64_C(0x9e3779b97f4a7c15);

static uint32_t
draw(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t) ((random_state >> 32) * n >> 32);
}

/* The twin */

typedef struct Search
{
	const AmFunnelSpec *spec;
	const History *history;
	bool		used[MAX_EVENTS];
	int64_t		times[AM_FUNNEL_MAX_STEPS];
	int			level;			/* the furthest so far, and of its level: */
	int64_t		shown[AM_FUNNEL_MAX_STEPS];
	int64_t		latest_start;
	bool		seen[AM_FUNNEL_MAX_STEPS + 1];
	int64_t		first_reached[AM_FUNNEL_MAX_STEPS + 1];
} Search;

static bool
shown_before(const int64_t *a, const int64_t *b, int level)
{
	if (a[level - 1] != b[level - 1])
		return a[level - 1] < b[level - 1];
	if (a[0] != b[0])
		return a[0] > b[0];
	for (int step = 1; step < level; step++)
		if (a[step] != b[step])
			return a[step] < b[step];
	return false;
}

static void
consider(Search *search, int level)
{
	const int64_t *times = search->times;
	bool		further = level > search->level;

	if (!search->seen[level] || times[level - 1] < search->first_reached[level])
		search->first_reached[level] = times[level - 1];
	search->seen[level] = true;
	if (level < search->level)
		return;
	search->level = level;
	if (further || shown_before(times, search->shown, level))
		memcpy(search->shown, times, level * sizeof(int64_t));
	if (further || times[0] > search->latest_start)
		search->latest_start = times[0];
}

static void
extend(Search *search, int level)
{
	if (level > 0)
		consider(search, level);
	if (level == search->spec->n_steps)
		return;
	for (int i = 0; i < search->history->n; i++)
	{
		const Event *event = &search->history->events[i];

		if (search->used[i] || !(search->spec->roles[event->role].fills & (UINT32_C(1) << level)))
			continue;
		if (level == 0)
		{
			if (event->time >= search->history->entry_until)
				continue;
		}
		else if (event->time < search->times[level - 1] ||
				 (search->spec->within != AM_NO_LIMIT &&
				  event->time - search->times[0] > search->spec->within))
			continue;
		search->used[i] = true;
		search->times[level] = event->time;
		extend(search, level + 1);
		search->used[i] = false;
	}
}

static void
conclude(const AmFunnelSpec *spec, const History *history, int64_t latest_start, Answer *answer)
{
	if (answer->level == 0)
		answer->stop = AM_STOP_NOT_ENTERED;
	else if (answer->level == spec->n_steps)
		answer->stop = AM_STOP_CONVERTED;
	else if (spec->within == AM_NO_LIMIT || latest_start + spec->within > history->as_of)
		answer->stop = AM_STOP_STILL_OPEN;
	else
		answer->stop = AM_STOP_TIMED_OUT;
}

static void
try_all(const AmFunnelSpec *spec, const History *history, Answer *answer)
{
	Search		search;

	memset(&search, 0, sizeof(search));
	search.spec = spec;
	search.history = history;
	extend(&search, 0);
	answer->level = search.level;
	memcpy(answer->times, search.shown, sizeof(search.shown));
	memcpy(answer->first_reached, search.first_reached, sizeof(search.first_reached));
	conclude(spec, history, search.latest_start, answer);
}

/* Where no two times are equal: from every start the earliest event for each next step */
static void
try_all_starts(const AmFunnelSpec *spec, const History *history, Answer *answer)
{
	int64_t		latest_start = 0;

	answer->level = 0;
	for (int start = 0; start < history->n; start++)
	{
		int64_t		times[AM_FUNNEL_MAX_STEPS];
		int			level = 0;

		if (history->events[start].time >= history->entry_until)
			break;
		for (int i = start; i < history->n && level < spec->n_steps; i++)
		{
			const Event *event = &history->events[i];

			if (level > 0 && spec->within != AM_NO_LIMIT && event->time - times[0] > spec->within)
				break;
			if (spec->roles[event->role].fills & (UINT32_C(1) << level))
				times[level++] = event->time;
			else if (level == 0)
				break;
		}
		for (int l = 1; l <= level; l++)
			if (l > answer->level || times[l - 1] < answer->first_reached[l])
				answer->first_reached[l] = times[l - 1];
		if (level == 0 || level < answer->level)
			continue;
		if (level > answer->level || shown_before(times, answer->times, level))
			memcpy(answer->times, times, level * sizeof(int64_t));
		answer->level = level;
		latest_start = times[0];
	}
	conclude(spec, history, latest_start, answer);
}

static void
run_matcher(AmFunnelMatch *match, const History *history, Answer *answer)
{
	am_funnel_match_begin(match);
	for (int i = 0; i < history->n; i++)
		am_funnel_match_add(match, history->events[i].time, history->events[i].role);
	answer->stop = am_funnel_match_finish(match);
	answer->level = match->level;
	memcpy(answer->times, match->furthest.times, match->level * sizeof(int64_t));
	memcpy(answer->first_reached, match->first_reached, sizeof(match->first_reached));
}

static bool
same_answer(const Answer *a, const Answer *b)
{
	return a->level == b->level && a->stop == b->stop &&
		memcmp(a->times, b->times, a->level * sizeof(int64_t)) == 0 &&
		memcmp(a->first_reached + 1, b->first_reached + 1, a->level * sizeof(int64_t)) == 0;
}

static void
print_answer(const char *who, const Answer *answer)
{
	static const char *const stops[] = {"not entered", "converted", "still open", "timed out"};

	printf("#   %s: level %d, %s, times", who, answer->level, stops[answer->stop]);
	for (int step = 0; step < answer->level; step++)
		printf(" %" PRId64, answer->times[step]);
	printf(", first reached");
	for (int level = 1; level <= answer->level; level++)
		printf(" %" PRId64, answer->first_reached[level]);
	printf("\n");
}

typedef void (*Twin) (const AmFunnelSpec *spec, const History *history, Answer *answer);

static bool
differs(const AmFunnelSpec *spec, const History *history, Twin twin, Answer *got, Answer *want)
{
	AmFunnelMatch match;

	am_funnel_match_init(&match, spec, history->as_of, history->entry_until);
	run_matcher(&match, history, got);
	twin(spec, history, want);
	return !same_answer(got, want);
}

/* Leaves out events as long as the two still differ, then prints the rest */
static void
report(const AmFunnelSpec *spec, const History *found, Twin twin)
{
	History		history = *found;
	Answer		got;
	Answer		want;

	for (int i = 0; i < history.n;)
	{
		History		smaller = history;

		memmove(&smaller.events[i], &smaller.events[i + 1], (smaller.n - i - 1) * sizeof(Event));
		smaller.n--;
		if (differs(spec, &smaller, twin, &got, &want))
		{
			history = smaller;
			i = 0;
		}
		else
			i++;
	}
	if (!differs(spec, &history, twin, &got, &want))
		printf("# only together with the entities before it, or not reproducible:\n");
	printf("# %d steps, within %" PRId64 ", as of %" PRId64 ", entries before %" PRId64 ", kinds fill", spec->n_steps,
		   spec->within == AM_NO_LIMIT ? -1 : spec->within, history.as_of, history.entry_until);
	for (int role = 0; role < spec->n_roles; role++)
		printf(" %x", spec->roles[role].fills);
	printf("\n# events (time:kind)");
	for (int i = 0; i < history.n; i++)
		printf(" %" PRId64 ":%d", history.events[i].time, history.events[i].role);
	printf("\n");
	print_answer("matcher", &got);
	print_answer("twin   ", &want);
}

static void
clear_spec(AmFunnelSpec *spec, int n_steps, int n_roles, int64_t within)
{
	memset(spec, 0, sizeof(*spec));
	spec->n_steps = n_steps;
	spec->n_roles = n_roles;
	spec->within = within;
}

/* Every step gets a kind, and kinds get further steps: alternatives and shared kinds */
static void
random_spec(AmFunnelSpec *spec, int max_steps, int max_roles, int64_t max_within)
{
	clear_spec(spec, 1 + draw(max_steps), 1 + draw(max_roles),
			   draw(4) == 0 ? AM_NO_LIMIT : 1 + (int64_t) draw((uint32_t) max_within));
	for (int step = 0; step < spec->n_steps; step++)
		spec->roles[draw(spec->n_roles)].fills |= UINT32_C(1) << step;
	for (uint32_t more = draw(5); more > 0; more--)
		spec->roles[draw(spec->n_roles)].fills |= UINT32_C(1) << draw(spec->n_steps);
}

static int
by_time(const void *a, const void *b)
{
	int64_t		one = ((const Event *) a)->time;
	int64_t		other = ((const Event *) b)->time;

	return one < other ? -1 : one > other;
}

/* n events at times 0 .. range - 1; qsort of drawn events leaves ties in no particular order */
static void
random_history(History *history, const AmFunnelSpec *spec, int n, int range)
{
	history->n = n;
	for (int i = 0; i < n; i++)
	{
		history->events[i].time = draw(range);
		history->events[i].role = draw(spec->n_roles);
	}
	qsort(history->events, n, sizeof(Event), by_time);
	/* whatever qsort did with ties: exchange some of them */
	for (int i = 1; i < n; i++)
		if (history->events[i].time == history->events[i - 1].time && draw(2) == 0)
		{
			Event		swap = history->events[i];

			history->events[i] = history->events[i - 1];
			history->events[i - 1] = swap;
		}
	history->as_of = (n > 0 ? history->events[n - 1].time : 0) + draw(4);
	history->entry_until = draw(3) == 0 ? draw(range + 2) : INT64_MAX;
}

typedef struct Campaign
{
	const char *what;
	int			histories;
	int			per_spec;		/* entities that one matcher sees in a row */
	int			max_steps;
	int			max_roles;
	int			max_events;
	int			max_range;
	int			max_within;
} Campaign;

static void
run_campaign(const Campaign *campaign)
{
	int			by_stop[4] = {0};
	int			by_level[AM_FUNNEL_MAX_STEPS + 1] = {0};
	int			ties = 0;
	int			recurring = 0;
	int			bad = 0;

	for (int done = 0; done < campaign->histories; done += campaign->per_spec)
	{
		AmFunnelSpec spec;
		AmFunnelMatch match;

		random_spec(&spec, campaign->max_steps, campaign->max_roles, campaign->max_within);
		am_funnel_match_init(&match, &spec, 0, 0);
		for (int i = 0; i < campaign->per_spec; i++)
		{
			History		history;
			Answer		got;
			Answer		want;

			random_history(&history, &spec, (int) draw(campaign->max_events + 1), 1 + (int) draw(campaign->max_range));
			/* the matcher of the entity before: what is fixed for a funnel may change, the rest must not matter */
			match.as_of = history.as_of;
			match.entry_until = history.entry_until;
			run_matcher(&match, &history, &got);
			try_all(&spec, &history, &want);
			by_stop[want.stop]++;
			by_level[want.level]++;
			recurring += memcmp(want.times, want.first_reached + 1, want.level * sizeof(int64_t)) != 0;
			for (int e = 1; e < history.n; e++)
				if (history.events[e].time == history.events[e - 1].time)
				{
					ties++;
					break;
				}
			if (!same_answer(&got, &want) && bad++ < 3)
				report(&spec, &history, try_all);
		}
	}
	ok(bad == 0, "%s: %d histories agree with the exhaustive twin (%d do not)", campaign->what, campaign->histories, bad);
	/* a campaign that hardly meets a case proves nothing about it */
	for (int stop = 0; stop < 4; stop++)
		if (by_stop[stop] < campaign->histories / 100)
			ok(false, "%s: stop reason %d was met %d times only", campaign->what, stop, by_stop[stop]);
	if (ties < campaign->histories / 3)
		ok(false, "%s: only %d histories with ties", campaign->what, ties);
	if (recurring < campaign->histories / 100)
		ok(false, "%s: only %d histories where a step was reached before the chain shown", campaign->what, recurring);
	for (int level = 0; level <= campaign->max_steps; level++)
		if (by_level[level] == 0 && level <= campaign->max_events)
			ok(false, "%s: level %d was never met", campaign->what, level);
	printf("# not entered %d, converted %d, still open %d, timed out %d, with ties %d, reached before the chain shown %d\n",
		   by_stop[0], by_stop[1], by_stop[2], by_stop[3], ties, recurring);
}

static void
run_long_histories(int histories)
{
	int			bad = 0;
	int			highest = 0;

	for (int done = 0; done < histories; done++)
	{
		AmFunnelSpec spec;
		History		history;
		Answer		got;
		Answer		want;
		int64_t		time = draw(100);

		random_spec(&spec, AM_FUNNEL_MAX_STEPS, AM_FUNNEL_MAX_ROLES, 2000);
		if (draw(2) == 0)
			random_spec(&spec, AM_FUNNEL_MAX_STEPS, 3, 2000);
		history.n = (int) draw(MAX_EVENTS + 1);
		for (int i = 0; i < history.n; i++)
		{
			time += 1 + draw(9);
			history.events[i].time = time;
			history.events[i].role = draw(spec.n_roles);
		}
		history.as_of = time + draw(10);
		history.entry_until = draw(3) == 0 ? (int64_t) draw((uint32_t) time + 2) : INT64_MAX;
		if (differs(&spec, &history, try_all_starts, &got, &want) && bad++ < 3)
			report(&spec, &history, try_all_starts);
		if (want.level > highest)
			highest = want.level;
	}
	ok(bad == 0, "up to 32 steps, up to %d events of different times: %d histories agree with the twin (%d do not)",
	   MAX_EVENTS, histories, bad);
	ok(highest > 20, "the long histories get far: level %d", highest);
}

/*
 * Examples with their answers worked out by hand.  Kinds are letters: of the
 * specification 'ab/b/c' the first step is filled by a and b, the second by
 * b, the third by c.  Events: letter and time.
 */
typedef struct Example
{
	const char *steps;
	int64_t		within;
	int64_t		as_of;
	int64_t		entry_until;
	const char *events;
	AmFunnelStop stop;
	const char *times;
	const char *first_reached;	/* where other than times, else NULL */
	const char *why;
} Example;

#define NO AM_NO_LIMIT

static const Example examples[] = {
	{"a/b", NO, 9, NO, "", AM_STOP_NOT_ENTERED, "", NULL, "no events"},
	{"a/b", NO, 9, NO, "b1 b2", AM_STOP_NOT_ENTERED, "", NULL, "the second step without the first"},
	{"a/b", NO, 9, NO, "a1 b2", AM_STOP_CONVERTED, "1 2", NULL, "in order"},
	{"a/b", NO, 9, NO, "b1 a2", AM_STOP_STILL_OPEN, "2", NULL, "in the wrong order"},
	{"a/b", NO, 9, NO, "b1 a1", AM_STOP_CONVERTED, "1 1", NULL, "at one time, in favour of the funnel"},
	{"a/b", 5, 9, NO, "a1 b6", AM_STOP_CONVERTED, "1 6", NULL, "the window's end is inclusive"},
	{"a/b", 5, 9, NO, "a1 b7", AM_STOP_TIMED_OUT, "1", NULL, "one too late"},
	{"a/b", 5, 6, NO, "a1", AM_STOP_TIMED_OUT, "1", NULL, "the data end with the window: all of it was seen"},
	{"a/b", 5, 5, NO, "a1", AM_STOP_STILL_OPEN, "1", NULL, "the data end before the window"},
	{"a/b", 5, 9, NO, "a1 a5", AM_STOP_STILL_OPEN, "1", NULL, "the first chain is shown, the later attempt is open"},
	{"a/b", 5, 9, NO, "a1 a3 b4 b5", AM_STOP_CONVERTED, "3 4", "1 4", "the earliest last step, then the latest start"},
	{"a/b/c", NO, 9, NO, "a1 b2 a3 c4", AM_STOP_CONVERTED, "1 2 4", NULL, "the later start got no further"},
	{"a/b/c", NO, 9, NO, "a1 b2 a3 b4 c5", AM_STOP_CONVERTED, "3 4 5", "1 2 5", "the later start got as far"},
	{"a/b/c", NO, 9, NO, "a1 b2 b3 c4", AM_STOP_CONVERTED, "1 2 4", NULL, "the earliest step between"},
	{"a/b/c", 3, 9, NO, "a1 b2 a3 b4 c6", AM_STOP_CONVERTED, "3 4 6", "1 2 6", "the later start is in time"},
	{"a/a", NO, 9, NO, "a1", AM_STOP_STILL_OPEN, "1", NULL, "one event fills one step"},
	{"a/a", NO, 9, NO, "a1 a1", AM_STOP_CONVERTED, "1 1", NULL, "two events of one time fill two"},
	{"a/a/a", NO, 9, NO, "a1 a2 a2", AM_STOP_CONVERTED, "1 2 2", NULL, "an earlier one and two of one time"},
	{"a/a/a", NO, 9, NO, "a1 a2 a3 a4", AM_STOP_CONVERTED, "1 2 3", NULL, "the fourth comes too late to be shown"},
	{"a/ab/b", NO, 9, NO, "b1 b1 a1", AM_STOP_CONVERTED, "1 1 1", NULL, "the event that could do both leaves the other its step"},
	{"ab/a/b", NO, 9, NO, "a1 b1", AM_STOP_STILL_OPEN, "1 1", NULL, "two events, three steps"},
	{"ab/a/b", NO, 9, NO, "a1 b1 b1", AM_STOP_CONVERTED, "1 1 1", NULL, "the a is needed for the second step"},
	{"a/b", NO, 9, 3, "a3 b4", AM_STOP_NOT_ENTERED, "", NULL, "entered at the bound, which is outside"},
	{"a/b", NO, 9, 3, "a2 b4", AM_STOP_CONVERTED, "2 4", NULL, "entered before the bound, went on after it"},
	{"a/b", NO, 9, 3, "a2 a3 b4", AM_STOP_CONVERTED, "2 4", NULL, "the later start is outside"},
	{"a", NO, 9, NO, "a3 a4", AM_STOP_CONVERTED, "3", NULL, "a funnel of one step"},
	{"a/b/c", 4, 9, NO, "a1 b2 a6 b8", AM_STOP_STILL_OPEN, "1 2", NULL, "open by the second attempt, reached by the first"},
	{"a/b/c", 4, 9, NO, "a1 b2 a6", AM_STOP_TIMED_OUT, "1 2", NULL, "the open attempt is not at the furthest level"},
	{"a/b", NO, 9, NO, "a1 a2 a5 b7", AM_STOP_CONVERTED, "5 7", "1 7", "starts recur: the first counts as reached"},
	{"a/b/c", NO, 9, NO, "a1 b1 c1", AM_STOP_CONVERTED, "1 1 1", NULL, "three levels at one time"},
	{"a/b/c", NO, 9, NO, "a1 a3 b3 c3", AM_STOP_CONVERTED, "3 3 3", "1 3 3", "two more levels at one time"},
	{"a/b/c/a", 4, 9, NO, "a1 b2 a4 b5 c6 a7", AM_STOP_CONVERTED, "4 5 6 7", "1 2 6 7", "the first attempt was over before the last step"},
	{"a/b/c", 4, 9, NO, "a1 b2 a7", AM_STOP_TIMED_OUT, "1 2", NULL, "a later start does not reach the level again"},
};

static void
run_example(const Example *example)
{
	AmFunnelSpec spec;
	History		history;
	Answer		got;
	Answer		want;
	AmFunnelMatch match;
	const char *first_reached;
	char	   *end;

	clear_spec(&spec, 1, 26, example->within);
	for (const char *c = example->steps; *c; c++)
		if (*c == '/')
			spec.n_steps++;
		else
			spec.roles[*c - 'a'].fills |= UINT32_C(1) << (spec.n_steps - 1);
	history.n = 0;
	for (const char *c = example->events; *c;)
	{
		history.events[history.n].role = *c - 'a';
		history.events[history.n++].time = strtol(c + 1, &end, 10);
		c = end + strspn(end, " ");
	}
	history.as_of = example->as_of;
	history.entry_until = example->entry_until;

	memset(&want, 0, sizeof(want));
	for (const char *c = example->times; *c;)
	{
		want.times[want.level++] = strtol(c, &end, 10);
		c = end + strspn(end, " ");
	}
	want.stop = example->stop;
	first_reached = example->first_reached ? example->first_reached : example->times;
	for (int level = 1; level <= want.level; level++)
	{
		want.first_reached[level] = strtol(first_reached, &end, 10);
		first_reached = end;
	}
	am_funnel_match_init(&match, &spec, history.as_of, history.entry_until);
	run_matcher(&match, &history, &got);
	if (!ok(same_answer(&got, &want), "%s, events %s: %s", example->steps, example->events, example->why))
	{
		print_answer("got ", &got);
		print_answer("want", &want);
	}
	try_all(&spec, &history, &got);
	if (!same_answer(&got, &want))
		ok(false, "the twin agrees with the example");
}

static int
level_of_crowd(int n_steps, int n_events)
{
	AmFunnelSpec spec;
	AmFunnelMatch match;

	clear_spec(&spec, n_steps, 1, 1);
	spec.roles[0].fills = n_steps == 32 ? UINT32_MAX : (UINT32_C(1) << n_steps) - 1;
	am_funnel_match_init(&match, &spec, 7, INT64_MAX);
	am_funnel_match_begin(&match);
	for (int i = 0; i < n_events; i++)
		am_funnel_match_add(&match, 7, 0);
	am_funnel_match_finish(&match);
	return match.level;
}

/* Kind i fills steps i and i + 1 at one time: a placement that has to move all others */
static void
test_ladder(void)
{
	for (int n = 2; n <= AM_FUNNEL_MAX_STEPS; n += 10)
	{
		AmFunnelSpec spec;
		AmFunnelMatch match;

		clear_spec(&spec, n, n, AM_NO_LIMIT);
		spec.roles[0].fills = 1;
		for (int role = 1; role < n; role++)
			spec.roles[role].fills = UINT32_C(3) << (role - 1);
		am_funnel_match_init(&match, &spec, 0, INT64_MAX);
		am_funnel_match_begin(&match);
		for (int role = n - 1; role >= 0; role--)
			am_funnel_match_add(&match, 0, role);
		ok(am_funnel_match_finish(&match) == AM_STOP_CONVERTED && match.level == n,
		   "%d events of one time that each fill two steps: level %d", n, match.level);

		/* without the first, the second has to step down, and so all */
		am_funnel_match_begin(&match);
		for (int role = 1; role < n; role++)
			am_funnel_match_add(&match, 0, role);
		am_funnel_match_finish(&match);
		ok(match.level == n - 1, "... and without the first of them: level %d", match.level);
	}
}

static void
test_extremes(void)
{
	const int64_t end = (INT64_C(1) << 59) - 1;
	const int64_t longest = INT64_C(1) << 57;
	AmFunnelSpec spec;
	AmFunnelMatch match;

	clear_spec(&spec, 2, 2, longest);
	spec.roles[0].fills = 1;
	spec.roles[1].fills = 2;

	am_funnel_match_init(&match, &spec, end, INT64_MAX);
	am_funnel_match_begin(&match);
	am_funnel_match_add(&match, end - longest, 0);
	am_funnel_match_add(&match, end, 1);
	ok(am_funnel_match_finish(&match) == AM_STOP_CONVERTED, "the longest window at the end of time");

	am_funnel_match_begin(&match);
	am_funnel_match_add(&match, end - longest - 1, 0);
	am_funnel_match_add(&match, end, 1);
	ok(am_funnel_match_finish(&match) == AM_STOP_TIMED_OUT, "... and a microsecond more");

	am_funnel_match_begin(&match);
	am_funnel_match_add(&match, end, 0);
	ok(am_funnel_match_finish(&match) == AM_STOP_STILL_OPEN && match.first_reached[1] == end,
	   "an attempt that starts at the end of time is open");

	spec.within = AM_NO_LIMIT;
	am_funnel_match_begin(&match);
	am_funnel_match_add(&match, 0, 0);
	am_funnel_match_add(&match, end, 1);
	ok(am_funnel_match_finish(&match) == AM_STOP_CONVERTED && match.furthest.times[1] == end,
	   "without a window, from the beginning of time to its end");
}

int
main(void)
{
	static const Campaign campaigns[] = {
		{"small", 800000, 8, 5, 4, 8, 8, 10},
		{"nearly all at one time", 120000, 6, 6, 4, 7, 2, 2},
		{"many steps", 40000, 5, 9, 5, 9, 3, 4},
	};

	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
		run_example(&examples[i]);
	ok(level_of_crowd(32, 31) == 31 && level_of_crowd(32, 32) == 32 && level_of_crowd(32, 33) == 32 &&
	   level_of_crowd(32, 100000) == 32 && level_of_crowd(1, 2) == 1 && level_of_crowd(3, 2) == 2,
	   "events of one kind at one time fill as many steps as there are of either");
	test_ladder();
	test_extremes();
	for (size_t i = 0; i < sizeof(campaigns) / sizeof(campaigns[0]); i++)
		run_campaign(&campaigns[i]);
	run_long_histories(20000);
	return done_testing();
}
