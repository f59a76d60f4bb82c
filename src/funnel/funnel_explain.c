/*
 * A funnel specification in words: the steps, one a line, then what holds for
 * all of them, one sentence a line.  What has no bearing is not mentioned.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/am_host.h"
#include "funnel/funnel_explain.h"

typedef struct Words
{
	char	   *text;
	size_t		length;
	size_t		max;			/* with room for the end */
} Words;

/* What the sentences depend on */
typedef struct Parts
{
	bool		any_order;
	bool		count_skipped;
	bool		count_reopened;
	bool		totals;
	bool		strict_order;
	bool		exclusions;
	bool		limits;			/* of single steps */
	bool		optional;
	bool		skips;			/* a step between two others may be left out */
	bool		skips_exclusion;	/* ... that has an exclusion before or after it */
	bool		days;			/* a length of time is given in days */
} Parts;

static void
add(Words *words, const char *text, size_t length)
{
	if (words->max - words->length <= length)
	{
		size_t		max = 2 * words->max + length + 1;
		char	   *grown = am_host_alloc(max);

		if (words->text)
		{
			memcpy(grown, words->text, words->length);
			am_host_free(words->text);
		}
		words->text = grown;
		words->max = max;
	}
	memcpy(words->text + words->length, text, length);
	words->length += length;
	words->text[words->length] = '\0';
}

static void
say(Words *words, const char *text)
{
	add(words, text, strlen(text));
}

/* For short texts: names of kinds are put in by add_kind */
static void
sayf(Words *words, const char *format,...) __attribute__((format(printf, 2, 3)));

static void
sayf(Words *words, const char *format,...)
{
	char		text[300];
	va_list		args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	say(words, text);
}

/* Could the name stand in a sentence, or in a specification, without quotes? */
static bool
is_plain(const AmFunnelKind *kind)
{
	if ((kind->length == 2 && memcmp(kind->name, "or", 2) == 0) ||
		(kind->length == 6 && memcmp(kind->name, "within", 6) == 0))
		return false;
	for (int i = 0; i < kind->length; i++)
	{
		char		c = kind->name[i];

		if ((unsigned char) c <= ' ' || strchr("()|?[],!';", c) ||
			(c == '-' && i + 1 < kind->length && kind->name[i + 1] == '>'))
			return false;
	}
	return true;
}

static void
add_kind(Words *words, const AmFunnelKind *kind)
{
	if (is_plain(kind))
	{
		add(words, kind->name, kind->length);
		return;
	}
	say(words, "'");
	for (int i = 0; i < kind->length; i++)
		add(words, kind->name[i] == '\'' ? "''" : &kind->name[i], kind->name[i] == '\'' ? 2 : 1);
	say(words, "'");
}

static uint64_t
bits_of(const AmFunnelSpec *spec, int kind, bool excludes)
{
	const AmFunnelRole *role = &spec->roles[spec->kinds[kind].role];

	return excludes ? role->excludes : role->fills;
}

/* The kinds that fill a step, or are excluded after it: a, b or c.  False where there are none */
static bool
add_kinds(Words *words, const AmFunnelSpec *spec, int step, bool excludes)
{
	int			n = 0;
	int			said = 0;

	for (int i = 0; i < spec->n_kinds; i++)
		n += bits_of(spec, i, excludes) >> step & 1;
	for (int i = 0; i < spec->n_kinds; i++)
		if (bits_of(spec, i, excludes) >> step & 1)
		{
			if (said)
				say(words, said == n - 1 ? " or " : ", ");
			add_kind(words, &spec->kinds[i]);
			said++;
		}
	return n > 0;
}

/* Exact: 1 day 12 hours */
static void
add_duration(Words *words, int64_t duration)
{
	static const struct
	{
		const char *name;
		int64_t		microseconds;
	}			units[] =
	{
		{"day", INT64_C(86400000000)},
		{"hour", INT64_C(3600000000)},
		{"minute", INT64_C(60000000)},
		{"second", INT64_C(1000000)},
		{"millisecond", INT64_C(1000)},
		{"microsecond", INT64_C(1)}
	};
	const char *blank = "";

	for (int i = 0; i < (int) (sizeof(units) / sizeof(units[0])); i++)
	{
		int64_t		n = duration / units[i].microseconds;

		if (n == 0)
			continue;
		sayf(words, "%s%" PRId64 " %s%s", blank, n, units[i].name, n == 1 ? "" : "s");
		duration -= n * units[i].microseconds;
		blank = " ";
	}
}

static void
find_parts(const AmFunnelSpec *spec, Parts *parts)
{
	const int64_t day = INT64_C(86400000000);
	uint64_t	excluded = 0;	/* gaps with an exclusion */

	memset(parts, 0, sizeof(*parts));
	parts->any_order = (spec->options & AM_FUNNEL_ANY_ORDER) != 0;
	parts->count_skipped = (spec->options & AM_FUNNEL_COUNT_SKIPPED) != 0;
	parts->count_reopened = (spec->options & AM_FUNNEL_COUNT_REOPENED) != 0;
	parts->totals = (spec->options & AM_FUNNEL_TOTALS) != 0;
	parts->strict_order = (spec->options & AM_FUNNEL_STRICT_ORDER) != 0;
	parts->days = spec->within != AM_NO_LIMIT && spec->within >= day;
	for (int i = 0; i < spec->n_roles; i++)
		excluded |= spec->roles[i].excludes;
	parts->exclusions = excluded != 0;
	for (int i = 0; i < spec->n_steps; i++)
	{
		const AmFunnelStep *step = &spec->steps[i];

		parts->optional |= step->optional;
		parts->limits |= step->limit != AM_NO_LIMIT;
		parts->days |= step->limit != AM_NO_LIMIT && step->limit >= day;
		if (i > 0 && i < spec->n_steps - 1 && (step->optional || parts->count_skipped))
		{
			parts->skips = true;
			parts->skips_exclusion |= (excluded >> (i - 1) & 3) != 0;
		}
	}
}

static void
add_step(Words *words, const AmFunnelSpec *spec, const Parts *parts, int i)
{
	const AmFunnelStep *step = &spec->steps[i];
	size_t		before;

	sayf(words, "\n%d. ", i + 1);
	add_kinds(words, spec, i, false);
	if (step->optional)
		say(words, " (optional)");
	if (step->limit != AM_NO_LIMIT)
	{
		say(words, ", at most ");
		add_duration(words, step->limit);
		if (parts->count_skipped || spec->steps[i - 1].optional)
			say(words, " after the step taken before it");
		else
			sayf(words, " after step %d", i);
	}
	if (i == 0)
		return;
	before = words->length;
	say(words, parts->count_reopened ? "; " : "; not if ");
	if (!add_kinds(words, spec, i - 1, true))
	{
		words->length = before;
		words->text[before] = '\0';
	}
	else
		say(words, parts->count_reopened ? " in between ends the attempt, unless it gets further" : " comes in between");
}

static void
add_limits(Words *words, const AmFunnelSpec *spec, const Parts *parts)
{
	if (spec->within == AM_NO_LIMIT)
		say(words, "\nThe whole has no limit of time.");
	else
	{
		say(words, "\nThe whole takes at most ");
		add_duration(words, spec->within);
		say(words, parts->any_order ? " from its first event to its last" :
			parts->count_skipped ? " from the first step taken" : " from step 1");
		say(words, ", that time included.");
	}
	if (parts->days)
		say(words, "\nA day is 24 hours.");
}

static void
add_order(Words *words, const AmFunnelSpec *spec, const Parts *parts)
{
	if (spec->options & AM_FUNNEL_STRICT_ONCE)
		say(words, "\nStrict once: one event takes one step, as it does without this option.");
	else
		say(words, "\nOne event takes one step.");
	if (spec->n_steps == 1)
		return;

	if (spec->options & AM_FUNNEL_STRICT_INCREASE)
		say(words, parts->any_order ? "\nStrict increase: no two steps are taken at the same time." :
			"\nStrict increase: each step taken is later than the one taken before it.");
	else
		say(words, "\nEvents of the same time may take several steps, whatever their order in the data.");
	if (parts->strict_order)
		say(words, "\nStrict order: between two steps taken comes no event that fills a step of the funnel, but neither of the two.");
	else if (parts->exclusions && !parts->count_reopened)
		say(words, "\nEvents that are not excluded may lie between the steps.");
	else
		say(words, "\nOther events may lie between the steps.");
	if (parts->exclusions || parts->strict_order)
		say(words, "\nIn between is later than the one step and earlier than the other; the time of either is not in between.");
	if (parts->skips_exclusion)
		say(words, "\nWhere a step is skipped, what is excluded before it or after it is excluded all the way between the steps taken.");
	if (parts->count_reopened)
		say(words, !parts->exclusions ? "\nCount reopened: nothing is excluded, and this changes nothing." :
			"\nCount reopened: steps after an excluded event count all the same; what is excluded ends only attempts that get no further.");
}

static void
add_start(Words *words, const AmFunnelSpec *spec, const Parts *parts)
{
	const char *step = parts->any_order ? "any step" : "step 1";

	if (parts->any_order && parts->optional)
		say(words, "\nAn attempt that takes all steps that are not optional has converted; another got as far as the number of steps it took.");
	else if (parts->any_order)
		say(words, "\nAn attempt that takes all steps has converted; another got as far as the number of steps it took.");
	else
	{
		if (parts->count_skipped && spec->n_steps == 1)
			say(words, "\nCount skipped: with one step this changes nothing.");
		else if (parts->count_skipped)
			say(words, "\nCount skipped: every step may be skipped, but step 1 only at the entity's earliest events of the funnel: an attempt may start there, at the lowest step that they fill.");
		if (parts->skips || (parts->count_skipped && spec->n_steps > 1))
			say(words, "\nAn attempt got as far as the furthest step it took; the steps it skipped before that count as reached.");
		sayf(words, "\nAn attempt that takes step %d has converted%s.", spec->n_steps,
			 spec->steps[spec->n_steps - 1].optional ? ", and no other, though that step is optional" : "");
	}
	if (!(spec->options & AM_FUNNEL_FIRST_ENTRY))
		sayf(words, "\nAny event of %s may start an attempt, not only the earliest.", step);
	else if (parts->count_skipped)
		sayf(words, "\nFirst entry: an attempt starts at %s earliest event that can start one and at no later one.",
			 parts->totals ? "its" : "the entity's");
	else
		sayf(words, "\nFirst entry: an attempt starts at %s earliest event of %s and at no later one.",
			 parts->totals ? "its" : "the entity's", step);
}

/* Why an attempt that has not converted goes no further */
static void
add_stops(Words *words, const AmFunnelSpec *spec, const Parts *parts)
{
	const char *stops[3];
	int			n = 0;

	if (spec->n_steps == 1)
		return;
	if (spec->within != AM_NO_LIMIT || parts->limits)
		stops[n++] = "timed out";
	if (parts->exclusions)
		stops[n++] = "excluded";
	if (parts->strict_order)
		stops[n++] = "broken";
	if (n == 0)
	{
		say(words, "\nAn attempt that has not converted stays open.");
		return;
	}
	say(words, "\nAn attempt that has not converted is still open if it can take a further step after the end of the data");
	say(words, parts->exclusions && parts->count_reopened ? " with nothing excluded in between, else " : ", else ");
	for (int i = 0; i < n; i++)
		sayf(words, "%s%s", i == 0 ? "" : i == n - 1 ? " or " : ", ", stops[i]);
	say(words, n == 1 ? "." : ", by what ended its last chance.");
}

/* Which of the attempts is shown */
static void
add_choice(Words *words, const AmFunnelSpec *spec, const Parts *parts)
{
	if (parts->totals)
	{
		say(words, "\nTotals: all attempts of an entity count, one after the other.");
		say(words, "\nAn attempt is over when it has converted");
		if (parts->any_order)
			say(words, spec->within == AM_NO_LIMIT || spec->n_steps == 1 ? "" :
				", or when its time is, from the latest start it can have");
		else if (spec->n_steps > 1)
		{
			say(words, " or can take no further step");
			if (parts->exclusions && parts->count_reopened)
				say(words, " with nothing excluded in between");
			if (spec->n_steps > 2)
				say(words, ", after step 2 or later if it got there");
		}
		say(words, ". The next later event that can start an attempt then starts one.");
	}
	if (spec->n_steps == 1)
	{
		if (!parts->totals)
			say(words, "\nOf an entity the earliest attempt is shown.");
		return;
	}
	say(words, parts->totals ? "\nOf the ways to take the steps of an attempt the one that gets furthest is shown;" :
		"\nOf an entity the attempt that gets furthest is shown;");
	if (parts->any_order)
	{
		say(words, " of those the one that ends earliest, of those the one that starts latest, of those ");
		if (parts->optional)
			say(words, "the one with the most steps, of those ");
		say(words, "the one whose events are earliest, and then the one whose steps are earliest, each from the first on");
	}
	else
		say(words, " of those the one whose last step is earliest, of those the one that starts latest, of those the one whose steps are earliest, from the first on");
	say(words, parts->skips || parts->count_skipped || (parts->any_order && parts->optional) ?
		", a step taken before a step skipped." : ".");
}

char *
am_funnel_explain(const AmFunnelSpec *spec)
{
	Words		words = {NULL, 0, 0};
	Parts		parts;

	find_parts(spec, &parts);
	say(&words, parts.any_order ? "Steps, in any order:" : "Steps, in this order:");
	for (int i = 0; i < spec->n_steps; i++)
	{
		AM_CHECK_INTERRUPTS();
		add_step(&words, spec, &parts, i);
	}
	add_limits(&words, spec, &parts);
	add_order(&words, spec, &parts);
	add_start(&words, spec, &parts);
	add_stops(&words, spec, &parts);
	add_choice(&words, spec, &parts);
	return words.text;
}
