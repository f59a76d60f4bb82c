/*
 * Small funnels and few events against the meaning of a specification word by
 * word ("Meaning" in docs/funnels.md): here every chain is tried.  With more
 * events than that allows, what was found is checked for being possible.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "fuzz.h"

#include "funnel/funnel_match.h"

#define MAX_STEPS		6
#define MAX_EVENTS		300
#define MAX_TRIED		7		/* events whose chains are all tried */
#define N_KINDS			6
#define SECOND			INT64_C(1000000)
#define BASE			(INT64_C(700000000) * SECOND)
#define NEVER			INT64_MAX

typedef struct Event
{
	int64_t		time;
	int			role;
} Event;

static const AmFunnelSpec *spec;
static int64_t as_of;
static int64_t entry_since;
static int64_t entry_until;
static Event events[MAX_EVENTS];
static int	n_events;
static char text[1000];

static void
show_attempt(const char *what, const AmFunnelAttempt *a)
{
	bool		ended = a->stop != AM_STOP_CONVERTED && a->stop != AM_STOP_STILL_OPEN;

	fprintf(stderr, "%s: level %d, stop %d by role %d at %" PRId64 ", taken %" PRIx64 ", times", what, a->level, a->stop,
			a->stop == AM_STOP_EXCLUDED ? a->excluded_by : -1, ended ? a->ended - BASE : -1, a->taken);
	for (int s = 0; s < spec->n_steps; s++)
		if (a->taken >> s & 1)
			fprintf(stderr, " %d: %" PRId64, s, a->times[s] - BASE);
	fprintf(stderr, ", first reached");
	for (int l = 1; l <= a->level; l++)
		fprintf(stderr, " %" PRId64, a->first_reached[l] - BASE);
	fprintf(stderr, "\n");
}

static void
fuzz_show(void)
{
	fprintf(stderr, "%s\nas of %" PRId64 ", entries from %" PRId64 " to %" PRId64 "; microseconds and roles:\n", text,
			as_of - BASE, entry_since - BASE, entry_until == INT64_MAX ? -1 : entry_until - BASE);
	for (int i = 0; i < n_events; i++)
		fprintf(stderr, " %" PRId64 ":%d", events[i].time - BASE, events[i].role);
	fprintf(stderr, "\nkinds (role):");
	for (int i = 0; i < spec->n_kinds; i++)
		fprintf(stderr, " %.*s (%d)", spec->kinds[i].length, spec->kinds[i].name, spec->kinds[i].role);
	fprintf(stderr, "\n");
}

/*
 * The meaning, tried out
 */

typedef struct Wanted
{
	AmFunnelAttempt a;
	int64_t		end;
	int64_t		start;
	int			n_taken;
	int64_t		sorted[MAX_STEPS];
	bool		open;
	bool		stopped;		/* a chain and target with an end were met */
} Wanted;

/* of the attempt in work: its events are first .. last - 1 */
static int	first;
static int	last;
static int	chain_event[MAX_STEPS];	/* by step; -1 = not taken */
static bool used[MAX_TRIED];

static uint64_t
fills(int i)
{
	return spec->roles[events[i].role].fills;
}

static uint64_t
excludes(int i)
{
	return spec->roles[events[i].role].excludes;
}

static bool
option(AmFunnelOption which)
{
	return (spec->options & which) != 0;
}

static bool
may_skip(int step)
{
	return spec->steps[step].optional || option(AM_FUNNEL_COUNT_SKIPPED);
}

/* time + limit */
static int64_t
after(int64_t time, int64_t limit)
{
	return limit == AM_NO_LIMIT ? NEVER : time + limit;
}

/* Rule 1; all of the entity's events count for a late start */
static bool
can_start(int i, int step)
{
	int64_t		very_first = NEVER;
	uint64_t	steps = 0;

	if (events[i].time < entry_since || events[i].time >= entry_until || !(fills(i) >> step & 1))
		return false;
	if (step == 0 || option(AM_FUNNEL_ANY_ORDER))
		return true;
	if (!option(AM_FUNNEL_COUNT_SKIPPED))
		return false;
	for (int k = n_events - 1; k >= 0; k--)
		if (fills(k))
			very_first = events[k].time;
	for (int k = 0; k < n_events; k++)
		if (events[k].time == very_first)
			steps |= fills(k);
	return events[i].time == very_first && !(steps & ((UINT64_C(1) << step) - 1));
}

static bool
can_start_any(int i)
{
	for (int step = 0; step < spec->n_steps; step++)
		if (can_start(i, step))
			return true;
	return false;
}

/* Rule 9 */
static bool
is_first_entry(int64_t time)
{
	if (!option(AM_FUNNEL_FIRST_ENTRY))
		return true;
	for (int i = first; i < last; i++)
		if (can_start_any(i))
			return events[i].time == time;
	return false;
}

/* Rule 7 without count reopened: is x excluded between step `from` and step `to`? */
static bool
is_excluded(int x, int from, int to)
{
	for (int gap = from; gap < to; gap++)
		if (excludes(x) >> gap & 1)
			return true;
	return false;
}

/* Rule 8 */
static bool
breaks(int x, int from, int to)
{
	return option(AM_FUNNEL_STRICT_ORDER) && fills(x) && !(fills(x) >> from & 1) && !(fills(x) >> to & 1);
}

/* All of the entity's events: those between two of an attempt belong to it */
static bool
forbidden_between(int from, int64_t begin, int to, int64_t end)
{
	for (int x = 0; x < n_events; x++)
		if (events[x].time > begin && events[x].time < end &&
			(breaks(x, from, to) || (is_excluded(x, from, to) && !option(AM_FUNNEL_COUNT_REOPENED))))
			return true;
	return false;
}

/* Rules 4 to 8: may step `to` with event i follow step `from`, in a chain that started then? */
static bool
may_follow(int from, int to, int i, int64_t start)
{
	int64_t		before = events[chain_event[from]].time;

	if (events[i].time < before || (events[i].time == before && option(AM_FUNNEL_STRICT_INCREASE)))
		return false;
	if (events[i].time > after(start, spec->within) || events[i].time > after(before, spec->steps[to].limit))
		return false;
	return !forbidden_between(from, before, to, events[i].time);
}

typedef void (*Visit) (void *arg, int last_step, int64_t start);

static void
extend(int step, int64_t start, Visit visit, void *arg)
{
	visit(arg, step, start);
	for (int to = step + 1; to < spec->n_steps; to++)
	{
		for (int i = first; i < last; i++)
			if (!used[i] && (fills(i) >> to & 1) && may_follow(step, to, i, start))
			{
				used[i] = true;
				chain_event[to] = i;
				extend(to, start, visit, arg);
				chain_event[to] = -1;
				used[i] = false;
			}
		if (!may_skip(to))
			break;
	}
}

/* Any order: each step from this one on takes an event or none */
static void
assign(int step, Visit visit, void *arg)
{
	int64_t		start = NEVER;
	int64_t		end = 0;
	int			n = 0;
	bool		all = true;

	if (step < spec->n_steps)
	{
		for (int i = first; i < last; i++)
			if (!used[i] && (fills(i) >> step & 1))
			{
				used[i] = true;
				chain_event[step] = i;
				assign(step + 1, visit, arg);
				chain_event[step] = -1;
				used[i] = false;
			}
		assign(step + 1, visit, arg);
		return;
	}
	for (int s = 0; s < spec->n_steps; s++)
	{
		int64_t		time;

		if (chain_event[s] < 0)
		{
			all &= spec->steps[s].optional;
			continue;
		}
		time = events[chain_event[s]].time;
		n++;
		start = time < start ? time : start;
		end = time > end ? time : end;
		for (int t = 0; t < s; t++)
			if (option(AM_FUNNEL_STRICT_INCREASE) && chain_event[t] >= 0 && events[chain_event[t]].time == time)
				return;
	}
	if (n == 0 || end > after(start, spec->within) || start < entry_since || start >= entry_until || !is_first_entry(start))
		return;
	visit(arg, all ? spec->n_steps - 1 : n - 1, start);
}

static void
all_chains(Visit visit, void *arg)
{
	memset(used, false, sizeof(used));
	memset(chain_event, -1, sizeof(chain_event));
	if (option(AM_FUNNEL_ANY_ORDER))
	{
		assign(0, visit, arg);
		return;
	}
	for (int i = first; i < last; i++)
		for (int step = 0; step < spec->n_steps; step++)
			if (can_start(i, step) && is_first_entry(events[i].time))
			{
				used[i] = true;
				chain_event[step] = i;
				extend(step, events[i].time, visit, arg);
				chain_event[step] = -1;
				used[i] = false;
			}
}

static int64_t
chain_end(void)
{
	int64_t		end = 0;

	for (int s = 0; s < spec->n_steps; s++)
		if (chain_event[s] >= 0 && events[chain_event[s]].time > end)
			end = events[chain_event[s]].time;
	return end;
}

static void
visit_level(void *arg, int last_step, int64_t start)
{
	AmFunnelAttempt *a = &((Wanted *) arg)->a;
	int64_t		end = chain_end();

	for (; a->level <= last_step; a->level++)
		a->first_reached[a->level + 1] = NEVER;
	for (int level = 1; level <= last_step + 1; level++)
		if (end < a->first_reached[level])
			a->first_reached[level] = end;
}

/* Is the chain in work, with these sorted times, shown rather than the one in w? */
static bool
goes_before(const Wanted *w, int64_t start, int64_t end, int n_taken, const int64_t *sorted)
{
	if (w->n_taken == 0 || end != w->end)
		return w->n_taken == 0 || end < w->end;
	if (start != w->start)
		return start > w->start;
	if (option(AM_FUNNEL_ANY_ORDER))
	{
		if (n_taken != w->n_taken)
			return n_taken > w->n_taken;
		for (int i = 0; i < n_taken; i++)
			if (sorted[i] != w->sorted[i])
				return sorted[i] < w->sorted[i];
	}
	for (int s = 0; s < spec->n_steps; s++)
	{
		bool		taken = chain_event[s] >= 0;

		if (taken != (bool) (w->a.taken >> s & 1))
			return taken;
		if (taken && events[chain_event[s]].time != w->a.times[s])
			return events[chain_event[s]].time < w->a.times[s];
	}
	return false;
}

static void
note_end(Wanted *w, AmFunnelStop stop, int64_t ended, int role)
{
	static const int rank[] = {0, 0, 1, 3, 2};	/* excluded before broken before timed out */

	if (w->stopped && (ended < w->a.ended || (ended == w->a.ended && (rank[stop] < rank[w->a.stop] ||
																	  (stop == w->a.stop && role >= w->a.excluded_by)))))
		return;
	w->stopped = true;
	w->a.stop = stop;
	w->a.ended = ended;
	w->a.excluded_by = role;
}

/* The earliest event that forbids step `to` after the chain, and how; NEVER where there is none */
static int64_t
killer(int from, int to, int64_t end, AmFunnelStop *how, int *role)
{
	int64_t		time = NEVER;

	*how = AM_STOP_BROKEN;
	*role = 0;
	for (int x = first; x < last; x++)
	{
		bool		excluded = is_excluded(x, from, to);

		if (events[x].time <= end || events[x].time > time || !(excluded || breaks(x, from, to)))
			continue;
		time = events[x].time;
		/* in order of roles: the first that excludes */
		if (excluded && *how == AM_STOP_BROKEN)
		{
			*how = AM_STOP_EXCLUDED;
			*role = events[x].role;
		}
	}
	return time;
}

static int64_t
deadline(int64_t start, int64_t end, int to)
{
	int64_t		whole = after(start, spec->within);
	int64_t		step = after(end, spec->steps[to].limit);

	return whole < step ? whole : step;
}

static void
visit_stop(Wanted *w, int from, int64_t start)
{
	int64_t		end = chain_end();

	if (option(AM_FUNNEL_ANY_ORDER))
	{
		if (as_of < after(start, spec->within))
			w->open = true;
		else
			note_end(w, AM_STOP_TIMED_OUT, after(start, spec->within), 0);
		return;
	}
	for (int to = from + 1; to < spec->n_steps; to++)
	{
		int64_t		until = deadline(start, end, to);
		AmFunnelStop how;
		int			role;
		int64_t		x = killer(from, to, end, &how, &role);

		if (x < until)
			note_end(w, how, x, role);
		else if (as_of < until)
			w->open = true;
		else
			note_end(w, AM_STOP_TIMED_OUT, until, 0);
		if (!may_skip(to))
			break;
	}
}

static void
visit_shown(void *arg, int last_step, int64_t start)
{
	Wanted	   *w = arg;
	int64_t		end = chain_end();
	int64_t		sorted[MAX_STEPS];
	int			n = 0;

	if (last_step + 1 < w->a.level)
		return;
	for (int s = 0; s < spec->n_steps; s++)
		if (chain_event[s] >= 0)
		{
			int			at = n++;

			for (; at > 0 && sorted[at - 1] > events[chain_event[s]].time; at--)
				sorted[at] = sorted[at - 1];
			sorted[at] = events[chain_event[s]].time;
		}
	if (goes_before(w, start, end, n, sorted))
	{
		w->start = start;
		w->end = end;
		w->n_taken = n;
		memcpy(w->sorted, sorted, sizeof(sorted));
		w->a.taken = 0;
		for (int s = 0; s < spec->n_steps; s++)
			if (chain_event[s] >= 0)
			{
				w->a.taken |= UINT64_C(1) << s;
				w->a.times[s] = events[chain_event[s]].time;
			}
	}
	if (w->a.level < spec->n_steps)
		visit_stop(w, last_step, start);
}

/* Can a chain be extended at a time?  By whether its level is 1 */
typedef struct Extension
{
	int64_t		time;
	bool		beyond_first;	/* there is a chain of level 2 or more */
	bool		from_first;
	bool		from_later;
} Extension;

static void
visit_extension(void *arg, int last_step, int64_t start)
{
	Extension  *e = arg;
	int64_t		end = chain_end();

	e->beyond_first |= last_step > 0;
	if (option(AM_FUNNEL_ANY_ORDER))
	{
		if (after(start, spec->within) >= e->time)
			e->from_first = e->from_later = true;
		return;
	}
	for (int to = last_step + 1; to < spec->n_steps; to++)
	{
		AmFunnelStop how;
		int			role;

		if (killer(last_step, to, end, &how, &role) >= e->time && e->time <= deadline(start, end, to))
		{
			if (last_step > 0)
				e->from_later = true;
			else
				e->from_first = true;
		}
		if (!may_skip(to))
			break;
	}
}

/* Index of the first event not of the attempt that begins with event `begin` */
static int
end_of_attempt(int begin)
{
	first = begin;
	for (last = begin; last < n_events;)
	{
		int			group = last;
		Wanted		w;
		Extension	e = {events[group].time, false, false, false};
		bool		starts = false;

		while (last < n_events && events[last].time == e.time)
			starts |= can_start_any(last++);
		if (group == begin)
			continue;
		last = group;
		memset(&w, 0, sizeof(w));
		all_chains(visit_level, &w);
		if (w.a.level == spec->n_steps)
			return group;
		all_chains(visit_extension, &e);
		if (starts && !e.from_later && (e.beyond_first || !e.from_first))
			return group;
		while (last < n_events && events[last].time == e.time)
			last++;
	}
	return n_events;
}

/* The attempt that begins at event `from` or later; sets first and last.  False if there is none */
static bool
wanted_attempt(int from, Wanted *w)
{
	memset(w, 0, sizeof(*w));
	if (option(AM_FUNNEL_TOTALS))
	{
		/* after a conversion or the end of an attempt, with the first that can start one */
		while (from < n_events && !can_start_any(from))
			from++;
		if (from == n_events)
			return false;
		while (from > 0 && events[from - 1].time == events[from].time)
			from--;
		last = end_of_attempt(from);
		first = from;
	}
	else
	{
		if (from > 0)
			return false;
		first = 0;
		last = n_events;
	}
	all_chains(visit_level, w);
	if (w->a.level == 0)
		return false;
	w->a.stop = AM_STOP_CONVERTED;
	all_chains(visit_shown, w);
	if (w->open)
		w->a.stop = AM_STOP_STILL_OPEN;
	return true;
}

static void
compare(const AmFunnelAttempt *got, const AmFunnelAttempt *want)
{
	bool		same = got->level == want->level && got->stop == want->stop && got->taken == want->taken;

	for (int s = 0; s < spec->n_steps && same; s++)
		same = !(want->taken >> s & 1) || got->times[s] == want->times[s];
	for (int level = 1; level <= want->level && same; level++)
		same = got->first_reached[level] == want->first_reached[level];
	if (want->stop != AM_STOP_CONVERTED && want->stop != AM_STOP_STILL_OPEN)
		same = same && got->ended == want->ended;
	if (want->stop == AM_STOP_EXCLUDED)
		same = same && got->excluded_by == want->excluded_by;
	if (!same)
	{
		show_attempt("got ", got);
		show_attempt("want", want);
	}
	REQUIRE(same);
}

/*
 * What holds for any attempt
 */

static bool
has_event(int64_t time, int step)
{
	for (int i = 0; i < n_events; i++)
		if (events[i].time == time && (fills(i) >> step & 1))
			return true;
	return false;
}

static void
check_attempt(const AmFunnelAttempt *a)
{
	bool		any_order = option(AM_FUNNEL_ANY_ORDER);
	int64_t		start = NEVER;
	int64_t		end = 0;
	int			before = -1;

	REQUIRE(a->level >= 1 && a->level <= spec->n_steps);
	REQUIRE(a->taken != 0 && a->taken >> spec->n_steps == 0);
	REQUIRE(a->stop >= AM_STOP_CONVERTED && a->stop <= AM_STOP_BROKEN);
	REQUIRE((a->stop == AM_STOP_CONVERTED) == (a->level == spec->n_steps));
	if (!any_order)
	{
		REQUIRE(a->taken >> (a->level - 1) == 1);
		REQUIRE((a->taken & 1) || option(AM_FUNNEL_COUNT_SKIPPED));
	}
	for (int s = 0; s < spec->n_steps; s++)
	{
		if (!(a->taken >> s & 1))
			continue;
		REQUIRE(has_event(a->times[s], s));
		if (!any_order && before >= 0)
		{
			REQUIRE(a->times[s] >= a->times[before] + (option(AM_FUNNEL_STRICT_INCREASE) ? 1 : 0));
			REQUIRE(a->times[s] <= after(a->times[before], spec->steps[s].limit));
			for (int skipped = before + 1; skipped < s; skipped++)
				REQUIRE(may_skip(skipped));
			REQUIRE(!forbidden_between(before, a->times[before], s, a->times[s]));
		}
		before = s;
		start = a->times[s] < start ? a->times[s] : start;
		end = a->times[s] > end ? a->times[s] : end;
	}
	REQUIRE(start >= entry_since && start < entry_until);
	REQUIRE(end <= after(start, spec->within));
	for (int level = 2; level <= a->level; level++)
		REQUIRE(a->first_reached[level] >= a->first_reached[level - 1]);
	REQUIRE(a->first_reached[a->level] == end);
	if (a->stop == AM_STOP_TIMED_OUT)
		REQUIRE(a->ended <= as_of);
	if (a->stop == AM_STOP_EXCLUDED || a->stop == AM_STOP_BROKEN)
	{
		bool		met = false;

		for (int x = 0; x < n_events; x++)
			met |= events[x].time == a->ended && (a->stop == AM_STOP_BROKEN ? fills(x) != 0 :
												  events[x].role == a->excluded_by && excludes(x) != 0);
		REQUIRE(met && a->ended > end);
		REQUIRE(a->stop == AM_STOP_EXCLUDED || option(AM_FUNNEL_STRICT_ORDER));
	}
}

/*
 * Bytes to a funnel and events.  A missing byte is zero.
 */

static const uint8_t *input;
static size_t input_left;

static int
take(int below)
{
	if (input_left == 0)
		return 0;
	input_left--;
	return *input++ % below;
}

static size_t
put_kinds(char *out, int mask)
{
	size_t		n = 0;

	for (int k = 0; k < N_KINDS; k++)
		if (mask >> k & 1)
			n += sprintf(out + n, "%s%c", n ? "|" : "(", 'a' + k);
	return n + sprintf(out + n, ")");
}

static void
take_spec(void)
{
	static const char *const options[] = {
		"strict order", "strict once", "strict increase", "any order", "first entry", "totals", "count skipped", "count reopened"
	};
	int			chosen = take(16);
	int			n_steps;
	int			within;
	size_t		n = 0;
	AmSpecFault fault;

	chosen |= take(16) << 4;
	n_steps = 1 + take(MAX_STEPS);
	within = take(16);
	if (chosen & AM_FUNNEL_ANY_ORDER)
		chosen &= ~(AM_FUNNEL_STRICT_ORDER | AM_FUNNEL_COUNT_SKIPPED | AM_FUNNEL_COUNT_REOPENED);
	for (int step = 0; step < n_steps; step++)
	{
		int			kinds = take(1 << N_KINDS);
		int			marks = take(16);
		int			excluded = take(1 << N_KINDS);

		if (kinds == 0)
			kinds = 1 << step % N_KINDS;
		/* one kind stays to take the step */
		excluded &= ~(kinds & -kinds);
		if (step)
			n += sprintf(text + n, " -> ");
		if (step && excluded && !(chosen & AM_FUNNEL_ANY_ORDER))
		{
			n += sprintf(text + n, "!");
			n += put_kinds(text + n, excluded);
			n += sprintf(text + n, " -> ");
		}
		n += put_kinds(text + n, kinds);
		if (step && (marks & 1))
			n += sprintf(text + n, "?");
		if (step && (marks >> 1) && !(chosen & AM_FUNNEL_ANY_ORDER))
			n += sprintf(text + n, " [%d seconds]", marks >> 1);
	}
	if (within)
		n += sprintf(text + n, " within %d seconds", within);
	for (int i = 0; i < 8; i++)
		if (chosen >> i & 1)
			n += sprintf(text + n, ", %s", options[i]);
	spec = am_funnel_spec_parse(text, n, &fault);
	if (!spec)
	{
		fprintf(stderr, "%s\n%s\n", text, fault.message);
		abort();
	}
}

static int
by_time_and_role(const void *a, const void *b)
{
	const Event *x = a;
	const Event *y = b;

	return x->time != y->time ? (x->time > y->time ? 1 : -1) : x->role - y->role;
}

/* A byte an event: its kind and the time since the one before; a kind that the funnel does not have is a pause */
static void
take_events(void)
{
	int			since = take(16);
	int			until = take(32);
	int			wait = take(16);
	int64_t		time = BASE;

	entry_since = since ? BASE + since * SECOND : 0;
	entry_until = until ? BASE + until * SECOND : INT64_MAX;
	n_events = 0;
	while (input_left > 0 && n_events < MAX_EVENTS)
	{
		int			byte = take(256);
		char		kind = 'a' + byte % 8;

		time += (byte >> 3 & 3) * SECOND + (byte & 128 ? 7 * SECOND : 0);
		for (int i = 0; i < spec->n_kinds; i++)
			if (spec->kinds[i].name[0] == kind)
			{
				events[n_events].time = time;
				events[n_events++].role = spec->kinds[i].role;
			}
	}
	qsort(events, n_events, sizeof(Event), by_time_and_role);
	as_of = time + wait * SECOND;
}

static uint64_t
get_stamp(void *source, int64_t i)
{
	REQUIRE(i >= 0 && i < n_events);
	return ((const uint64_t *) source)[i];
}

static void
check_entity(void)
{
	uint64_t   *stamps = fuzz_alloc((n_events ? n_events : 1) * sizeof(uint64_t));
	AmFunnelEvents in_memory = {n_events, stamps, NULL, NULL, 0};
	AmFunnelEvents by_call = {n_events, NULL, get_stamp, stamps, 0};
	AmFunnelMatch *match;
	AmFunnelMatch *again;
	AmFunnelAttempt got;
	AmFunnelAttempt got_again;
	size_t		in_use;
	int			from = 0;
	int			n_attempts = 0;
	int64_t		before = -1;

	while (1 << in_memory.role_bits < spec->n_roles)
		in_memory.role_bits++;
	by_call.role_bits = in_memory.role_bits;
	for (int i = 0; i < n_events; i++)
		stamps[i] = (uint64_t) events[i].time << in_memory.role_bits | events[i].role;

	in_use = fuzz_in_use;
	match = am_funnel_match_create(spec, as_of, entry_since, entry_until);
	again = am_funnel_match_create(spec, as_of, entry_since, entry_until);
	/* what is left of an entity must not reach the next */
	am_funnel_match_begin(again, &in_memory);
	while (am_funnel_match_next(again, &got_again))
		;
	am_funnel_match_begin(match, &in_memory);
	am_funnel_match_begin(again, &by_call);
	for (;;)
	{
		Wanted		want;
		bool		met;

		memset(&got, 0xa5, sizeof(got));
		memset(&got_again, 0x5a, sizeof(got_again));
		met = am_funnel_match_next(match, &got);
		REQUIRE(am_funnel_match_next(again, &got_again) == met);
		if (n_events <= MAX_TRIED)
		{
			bool		wanted = wanted_attempt(from, &want);

			REQUIRE(wanted == met);
			if (met)
			{
				from = option(AM_FUNNEL_TOTALS) ? last : n_events;
				compare(&got, &want.a);
			}
		}
		if (!met)
			break;
		check_attempt(&got);
		compare(&got_again, &got);
		REQUIRE(got_again.passed_over == got.passed_over);
		REQUIRE(!(got.passed_over && got.stop == AM_STOP_CONVERTED));
		n_attempts++;
		REQUIRE(n_attempts == 1 || option(AM_FUNNEL_TOTALS));
		REQUIRE(got.first_reached[1] > before);
		before = got.first_reached[got.level];
	}
	REQUIRE(!am_funnel_match_next(match, &got));
	if (n_attempts == 0)
		REQUIRE(am_funnel_match_came_late(match) == am_funnel_match_came_late(again));
	am_funnel_match_free(match);
	am_funnel_match_free(again);
	REQUIRE(fuzz_in_use == in_use);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input = data;
	input_left = size;
	take_spec();
	take_events();
	check_entity();
	fuzz_forget();
	return 0;
}
