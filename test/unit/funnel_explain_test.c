/*
 * What a specification is said to mean: whole texts, each sentence to be true
 * by docs/funnels.md, and single phrases.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "tap.h"

#include "common/am_host.h"
#include "funnel/funnel_explain.h"

static char *
explain(const char *text)
{
	AmSpecFault fault;
	AmFunnelSpec *spec = am_funnel_spec_parse(text, strlen(text), &fault);

	if (!spec)
	{
		printf("# %s: %s\n", text, fault.message);
		return NULL;
	}
	return am_funnel_explain(spec);
}

static void
whole(const char *text, const char *want)
{
	const char *got = explain(text);
	size_t		same = 0;

	if (ok(got && strcmp(got, want) == 0, "%s", text) || !got)
		return;
	while (got[same] && got[same] == want[same])
		same++;
	printf("# differs from byte %zu on:\n# got  %.60s\n# want %.60s\n", same, got + same, want + same);
}

/* says it, as a line or a part of one; with says false it must not */
static void
phrase(const char *text, bool says, const char *what)
{
	const char *got = explain(text);

	if (!ok(got && (strstr(got, what) != NULL) == says, "%s: %s %.*s", text, says ? "says" : "does not say",
			(int) strcspn(what, "\n"), what) && got)
		printf("# got %s\n", got);
}

static void
test_whole(void)
{
	whole("a",
		  "Steps, in this order:\n"
		  "1. a\n"
		  "The whole has no limit of time.\n"
		  "One event takes one step.\n"
		  "An attempt that takes step 1 has converted.\n"
		  "Any event of step 1 may start an attempt, not only the earliest.\n"
		  "Of an entity the earliest attempt is shown.");
	whole("call -> (demo | meeting) [14 days] -> !lost -> legal? -> won within 90 days",
		  "Steps, in this order:\n"
		  "1. call\n"
		  "2. demo or meeting, at most 14 days after step 1\n"
		  "3. legal (optional); not if lost comes in between\n"
		  "4. won\n"
		  "The whole takes at most 90 days from step 1, that time included.\n"
		  "A day is 24 hours.\n"
		  "One event takes one step.\n"
		  "Events of the same time may take several steps, whatever their order in the data.\n"
		  "Events that are not excluded may lie between the steps.\n"
		  "In between is later than the one step and earlier than the other; the time of either is not in between.\n"
		  "Where a step is skipped, what is excluded before it or after it is excluded all the way between the steps taken.\n"
		  "An attempt got as far as the furthest step it took; the steps it skipped before that count as reached.\n"
		  "An attempt that takes step 4 has converted.\n"
		  "Any event of step 1 may start an attempt, not only the earliest.\n"
		  "An attempt that has not converted is still open if it can take a further step after the end of the data, else timed out or excluded, by what ended its last chance.\n"
		  "Of an entity the attempt that gets furthest is shown; of those the one whose last step is earliest, of those the one that starts latest, of those the one whose steps are earliest, from the first on, a step taken before a step skipped.");
	whole("'first call' -> 'it''s' -> won?",
		  "Steps, in this order:\n"
		  "1. 'first call'\n"
		  "2. 'it''s'\n"
		  "3. won (optional)\n"
		  "The whole has no limit of time.\n"
		  "One event takes one step.\n"
		  "Events of the same time may take several steps, whatever their order in the data.\n"
		  "Other events may lie between the steps.\n"
		  "An attempt that takes step 3 has converted, and no other, though that step is optional.\n"
		  "Any event of step 1 may start an attempt, not only the earliest.\n"
		  "An attempt that has not converted stays open.\n"
		  "Of an entity the attempt that gets furthest is shown; of those the one whose last step is earliest, of those the one that starts latest, of those the one whose steps are earliest, from the first on.");
	whole("a -> b [1.5 hours] -> c, strict order, strict once, strict increase",
		  "Steps, in this order:\n"
		  "1. a\n"
		  "2. b, at most 1 hour 30 minutes after step 1\n"
		  "3. c\n"
		  "The whole has no limit of time.\n"
		  "Strict once: one event takes one step, as it does without this option.\n"
		  "Strict increase: each step taken is later than the one taken before it.\n"
		  "Strict order: between two steps taken comes no event that fills a step of the funnel, but neither of the two.\n"
		  "In between is later than the one step and earlier than the other; the time of either is not in between.\n"
		  "An attempt that takes step 3 has converted.\n"
		  "Any event of step 1 may start an attempt, not only the earliest.\n"
		  "An attempt that has not converted is still open if it can take a further step after the end of the data, else timed out or broken, by what ended its last chance.\n"
		  "Of an entity the attempt that gets furthest is shown; of those the one whose last step is earliest, of those the one that starts latest, of those the one whose steps are earliest, from the first on.");
	whole("a -> b? -> c within 36 hours, any order",
		  "Steps, in any order:\n"
		  "1. a\n"
		  "2. b (optional)\n"
		  "3. c\n"
		  "The whole takes at most 1 day 12 hours from its first event to its last, that time included.\n"
		  "A day is 24 hours.\n"
		  "One event takes one step.\n"
		  "Events of the same time may take several steps, whatever their order in the data.\n"
		  "Other events may lie between the steps.\n"
		  "An attempt that takes all steps that are not optional has converted; another got as far as the number of steps it took.\n"
		  "Any event of any step may start an attempt, not only the earliest.\n"
		  "An attempt that has not converted is still open if it can take a further step after the end of the data, else timed out.\n"
		  "Of an entity the attempt that gets furthest is shown; of those the one that ends earliest, of those the one that starts latest, of those the one with the most steps, of those the one whose events are earliest, and then the one whose steps are earliest, each from the first on, a step taken before a step skipped.");
	whole("a -> b, any order, strict increase, first entry, totals within 0.5 seconds",
		  "Steps, in any order:\n"
		  "1. a\n"
		  "2. b\n"
		  "The whole takes at most 500 milliseconds from its first event to its last, that time included.\n"
		  "One event takes one step.\n"
		  "Strict increase: no two steps are taken at the same time.\n"
		  "Other events may lie between the steps.\n"
		  "An attempt that takes all steps has converted; another got as far as the number of steps it took.\n"
		  "First entry: an attempt starts at its earliest event of any step and at no later one.\n"
		  "An attempt that has not converted is still open if it can take a further step after the end of the data, else timed out.\n"
		  "Totals: all attempts of an entity count, one after the other.\n"
		  "An attempt is over when it has converted, or when its time is, from the latest start it can have. The next later event that can start an attempt then starts one.\n"
		  "Of the ways to take the steps of an attempt the one that gets furthest is shown; of those the one that ends earliest, of those the one that starts latest, of those the one whose events are earliest, and then the one whose steps are earliest, each from the first on.");
	whole("a -> b [2 weeks] -> !x -> !(y | z) -> c, count skipped, totals, first entry",
		  "Steps, in this order:\n"
		  "1. a\n"
		  "2. b, at most 14 days after the step taken before it\n"
		  "3. c; not if x, y or z comes in between\n"
		  "The whole has no limit of time.\n"
		  "A day is 24 hours.\n"
		  "One event takes one step.\n"
		  "Events of the same time may take several steps, whatever their order in the data.\n"
		  "Events that are not excluded may lie between the steps.\n"
		  "In between is later than the one step and earlier than the other; the time of either is not in between.\n"
		  "Where a step is skipped, what is excluded before it or after it is excluded all the way between the steps taken.\n"
		  "Count skipped: every step may be skipped, but step 1 only at the entity's earliest events of the funnel: an attempt may start there, at the lowest step that they fill.\n"
		  "An attempt got as far as the furthest step it took; the steps it skipped before that count as reached.\n"
		  "An attempt that takes step 3 has converted.\n"
		  "First entry: an attempt starts at its earliest event that can start one and at no later one.\n"
		  "An attempt that has not converted is still open if it can take a further step after the end of the data, else timed out or excluded, by what ended its last chance.\n"
		  "Totals: all attempts of an entity count, one after the other.\n"
		  "An attempt is over when it has converted or can take no further step, after step 2 or later if it got there. The next later event that can start an attempt then starts one.\n"
		  "Of the ways to take the steps of an attempt the one that gets furthest is shown; of those the one whose last step is earliest, of those the one that starts latest, of those the one whose steps are earliest, from the first on, a step taken before a step skipped.");
	whole("a -> !lost -> b -> !'on hold' -> c within 1 week, count reopened, strict order",
		  "Steps, in this order:\n"
		  "1. a\n"
		  "2. b; lost in between ends the attempt, unless it gets further\n"
		  "3. c; 'on hold' in between ends the attempt, unless it gets further\n"
		  "The whole takes at most 7 days from step 1, that time included.\n"
		  "A day is 24 hours.\n"
		  "One event takes one step.\n"
		  "Events of the same time may take several steps, whatever their order in the data.\n"
		  "Strict order: between two steps taken comes no event that fills a step of the funnel, but neither of the two.\n"
		  "In between is later than the one step and earlier than the other; the time of either is not in between.\n"
		  "Count reopened: steps after an excluded event count all the same; what is excluded ends only attempts that get no further.\n"
		  "An attempt that takes step 3 has converted.\n"
		  "Any event of step 1 may start an attempt, not only the earliest.\n"
		  "An attempt that has not converted is still open if it can take a further step after the end of the data with nothing excluded in between, else timed out, excluded or broken, by what ended its last chance.\n"
		  "Of an entity the attempt that gets furthest is shown; of those the one whose last step is earliest, of those the one that starts latest, of those the one whose steps are earliest, from the first on.");
	whole("a -> b, count reopened, totals",
		  "Steps, in this order:\n"
		  "1. a\n"
		  "2. b\n"
		  "The whole has no limit of time.\n"
		  "One event takes one step.\n"
		  "Events of the same time may take several steps, whatever their order in the data.\n"
		  "Other events may lie between the steps.\n"
		  "Count reopened: nothing is excluded, and this changes nothing.\n"
		  "An attempt that takes step 2 has converted.\n"
		  "Any event of step 1 may start an attempt, not only the earliest.\n"
		  "An attempt that has not converted stays open.\n"
		  "Totals: all attempts of an entity count, one after the other.\n"
		  "An attempt is over when it has converted or can take no further step. The next later event that can start an attempt then starts one.\n"
		  "Of the ways to take the steps of an attempt the one that gets furthest is shown; of those the one whose last step is earliest, of those the one that starts latest, of those the one whose steps are earliest, from the first on.");
}

static void
test_phrases(void)
{
	/* lengths of time are exact, in the largest units that fit */
	phrase("a -> b [1 second]", true, "2. b, at most 1 second after step 1\n");
	phrase("a -> b [0.000001 seconds]", true, "at most 1 microsecond after");
	phrase("a -> b [0.001 seconds]", true, "at most 1 millisecond after");
	phrase("a -> b [36 hours]", true, "at most 1 day 12 hours after");
	phrase("a -> b [1.5 weeks]", true, "at most 10 days 12 hours after");
	phrase("a -> b [90061.001001 seconds]", true, "at most 1 day 1 hour 1 minute 1 second 1 millisecond 1 microsecond after");
	phrase("a -> b [7384.2 seconds]", true, "at most 2 hours 3 minutes 4 seconds 200 milliseconds after");
	phrase("a within 238000 weeks", true, "at most 1666000 days from step 1,");
	phrase("a within 24 hours", true, "A day is 24 hours.");
	phrase("a within 23.999 hours", false, "A day is 24 hours.");
	phrase("a -> b [25 hours]", true, "A day is 24 hours.");
	/* kinds as they would have to be written */
	phrase("('a b' | c | 'd''e' | follow-up | 'within' | 'x->y' | 'or' | '(z)')", true,
		   "1. 'a b', c, 'd''e', follow-up, 'within', 'x->y', 'or' or '(z)'\n");
	phrase("'Gespräch' -> 成約 -> ' '", true, "1. Gespräch\n2. 成約\n3. ' '\n");
	phrase("(a | a) -> (b | a)", true, "1. a\n2. a or b\n");
	/* which step a limit counts from */
	phrase("a -> b? -> c [1 hour] -> d [1 hour]", true, "3. c, at most 1 hour after the step taken before it\n4. d, at most 1 hour after step 3\n");
	/* all that is excluded in a gap stands at the step after it */
	phrase("a -> !x -> !(y | z) -> b? [1 hour] -> !x -> c", true,
		   "2. b (optional), at most 1 hour after step 1; not if x, y or z comes in between\n3. c; not if x comes in between\n");
	/* sentences that only some funnels need */
	phrase("a -> b? -> !x -> c", true, "Where a step is skipped");
	phrase("a -> !x -> b? -> c", true, "Where a step is skipped");
	phrase("a -> !x -> b -> c? -> d", false, "Where a step is skipped");
	phrase("a -> !x -> b?", false, "Where a step is skipped");
	phrase("a -> b -> !x -> c, count skipped", true, "Where a step is skipped");
	phrase("a -> b -> c", false, "in between");
	phrase("a -> b -> c, strict order", true, "In between is");
	phrase("a -> b, any order", false, "In between is");
	phrase("a -> b?", false, "skipped");
	phrase("a -> b? -> c", true, "from the first on, a step taken before a step skipped.");
	phrase("a -> b? -> c, any order", true, "each from the first on, a step taken before a step skipped.");
	phrase("a -> b, any order within 1 day, totals", true, "or when its time is, from the latest start it can have.");
	phrase("a -> b, any order, totals", true, "An attempt is over when it has converted. ");
	phrase("a -> b -> c, totals", true, "or can take no further step, after step 2 or later if it got there.");
	phrase("a, totals", true, "An attempt is over when it has converted. ");
	phrase("a -> !x -> b, count reopened", true, "with nothing excluded in between, else excluded.");
	phrase("a -> !x -> b, count reopened, totals", true, "has converted or can take no further step with nothing excluded in between. ");
	phrase("a, count skipped", true, "Count skipped: with one step this changes nothing.\n");
	phrase("a, count skipped", false, "further");
	phrase("a -> b, count skipped", true, "Any event of step 1 may start an attempt");
	phrase("a -> b, first entry", true, "starts at the entity's earliest event of step 1 and at no later one.");
}

/* As much as a specification may have: nothing is cut */
static void
test_large(void)
{
	static char text[AM_FUNNEL_MAX_TEXT + 1];
	size_t		n = 0;
	const char *got;

	/* a kind of quotes only */
	memset(text, '\'', 60000);
	n = 60000 + sprintf(text + 60000, " -> b");
	got = explain(text);
	ok(got && strlen(got) > 60000 && strstr(got, "\n2. b\n") != NULL, "a very long kind");

	/* all steps and most of the text for exclusions */
	n = sprintf(text, "(k0");
	for (int i = 1; i < AM_FUNNEL_MAX_KINDS - AM_FUNNEL_MAX_STEPS; i++)
		n += sprintf(text + n, "|k%d", i);
	n += sprintf(text + n, ")");
	for (int i = 1; i < AM_FUNNEL_MAX_STEPS; i++)
	{
		n += sprintf(text + n, "->!(k0");
		for (int k = 1; k < 180; k++)
			n += sprintf(text + n, "|k%d", k);
		n += sprintf(text + n, ")->s%d", i);
	}
	got = explain(text);
	ok(got && strlen(got) > n && strstr(got, ", k178 or k179 comes in between\n") && strstr(got, "\n64. s63; not if k0, k1,"),
	   "64 steps with long exclusions");
}

int
main(void)
{
	test_whole();
	test_phrases();
	test_large();
	return done_testing();
}
