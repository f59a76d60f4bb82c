/*
 * See cadence.h.  Recursive descent over the literal:
 *
 *   cadence := step { '->' step }
 *   step    := kinds 'on' 'day' number [ '+-' number ]
 *   kinds   := kind | '(' kind { '|' kind } ')'
 *   kind    := word | 'quoted text, '' for a quote'
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cadence/cadence.h"
#include "common/am_host.h"

typedef struct Parser
{
	const char *text;
	size_t		length;
	size_t		at;				/* next byte */
	AmCadenceFault *fault;
	AmCadence  *cadence;
} Parser;

/* By ASCII alone: what the locale calls a blank may be part of a UTF-8 character */
static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
at_end(Parser *p)
{
	while (p->at < p->length && is_blank(p->text[p->at]))
		p->at++;
	return p->at >= p->length;
}

static bool
at_arrow(const Parser *p, size_t at)
{
	return at + 1 < p->length && p->text[at] == '-' && p->text[at + 1] == '>';
}

/* Words run to a blank or a character of the language; a lone '-' may be part of one */
static size_t
word_end(const Parser *p, size_t at)
{
	for (; at < p->length; at++)
	{
		char		c = p->text[at];

		if (is_blank(c) || at_arrow(p, at) || (c != '\0' && strchr("()|?[],!'+", c) != NULL))
			break;
	}
	return at;
}

static bool
accept_text(Parser *p, const char *wanted)
{
	size_t		n = strlen(wanted);

	if (at_end(p) || p->length - p->at < n || memcmp(p->text + p->at, wanted, n) != 0)
		return false;
	p->at += n;
	return true;
}

/* Words of the language may be in capitals; word is in lower case */
static bool
accept_word(Parser *p, const char *word)
{
	size_t		n = strlen(word);

	if (at_end(p) || word_end(p, p->at) != p->at + n)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((p->text[p->at + i] | 0x20) != word[i])
			return false;
	p->at += n;
	return true;
}

static bool
fault_at(Parser *p, size_t offset, const char *message, const char *hint)
{
	p->fault->offset = offset;
	snprintf(p->fault->message, sizeof(p->fault->message), "%s", message);
	snprintf(p->fault->hint, sizeof(p->fault->hint), "%s", hint ? hint : "");
	return false;
}

/* Says what stands at the fault: a word, a character, or the end */
static bool
expected(Parser *p, const char *what, const char *hint)
{
	char		message[160];

	if (at_end(p))
		snprintf(message, sizeof(message), "expected %s, found the end", what);
	else
	{
		size_t		end = at_arrow(p, p->at) ? p->at + 2 : word_end(p, p->at);

		if (end == p->at)
			end++;
		if (end - p->at > 60)
			end = p->at + 60;
		/* whole UTF-8 characters */
		while (end < p->length && ((unsigned char) p->text[end] & 0xC0) == 0x80)
			end++;
		snprintf(message, sizeof(message), "expected %s, found \"%.*s\"", what, (int) (end - p->at), p->text + p->at);
	}
	return fault_at(p, p->at, message, hint);
}

/* *name gets memory of its own, without quotes and doubled quotes */
static bool
parse_kind(Parser *p, const char **name, int *length)
{
	size_t		start;
	size_t		end;
	char	   *out;

	if (at_end(p))
		return expected(p, "a kind of event", NULL);
	start = p->at;
	if (p->text[start] != '\'')
	{
		end = word_end(p, start);
		if (end == start)
			return expected(p, "a kind of event", NULL);
		out = am_host_alloc(end - start);
		*length = (int) (end - start);
		memcpy(out, p->text + start, end - start);
		p->at = end;
	}
	else
	{
		out = am_host_alloc(p->length - start);
		*length = 0;
		for (end = start + 1;; end++)
		{
			if (end >= p->length)
				return fault_at(p, start, "a quoted kind is not closed", "Write a quote inside a kind twice.");
			if (p->text[end] == '\'')
			{
				if (end + 1 >= p->length || p->text[end + 1] != '\'')
					break;
				end++;
			}
			out[(*length)++] = p->text[end];
		}
		if (*length == 0)
			return fault_at(p, start, "a kind is empty", NULL);
		p->at = end + 1;
	}
	*name = out;
	return true;
}

int
am_cadence_group(const AmCadence *cadence, const char *name, int length)
{
	for (int i = 0; i < cadence->n_kinds; i++)
		if (cadence->kinds[i].length == length && memcmp(cadence->kinds[i].name, name, length) == 0)
			return cadence->kinds[i].group;
	return -1;
}

/*
 * Steps have the same kinds or none in common: otherwise the nearest step
 * would not be the best one to fill.
 */
static bool
parse_kinds(Parser *p, AmCadenceStep *step)
{
	AmCadence  *cadence = p->cadence;
	size_t		start;
	size_t		end;
	bool		several;
	int			n = 0;
	int			in_group = 0;
	int			first_new = cadence->n_kinds;
	char	   *label;

	at_end(p);
	start = p->at;
	several = accept_text(p, "(");
	step->group = -1;
	do
	{
		const char *name = NULL;
		int			length = 0;
		size_t		at;
		int			group;

		at_end(p);
		at = p->at;
		if (!parse_kind(p, &name, &length))
			return false;
		group = am_cadence_group(cadence, name, length);
		if (n > 0 && group != step->group)
			return fault_at(p, at, "steps have some kinds in common, and others not",
							"Let two steps have the same kinds, or none in common.");
		step->group = group;
		if (group < 0)
		{
			AmCadenceKind *kind = &cadence->kinds[cadence->n_kinds];

			if (cadence->n_kinds == AM_CADENCE_MAX_KINDS)
				return fault_at(p, at, "a cadence names at most 200 kinds", "Map the kinds of a step to one kind in a view.");
			/* a group of its own once the step is read; -1 until then, so that a second mention is seen below */
			for (int i = first_new; i < cadence->n_kinds; i++)
				if (cadence->kinds[i].length == length && memcmp(cadence->kinds[i].name, name, length) == 0)
					return fault_at(p, at, "a kind is named twice in a step", NULL);
			kind->name = name;
			kind->length = length;
			kind->group = -1;
			cadence->n_kinds++;
		}
		n++;
	} while (several && accept_text(p, "|"));
	if (several && !accept_text(p, ")"))
		return expected(p, "\"|\" or \")\"", "A kind with blanks is written in single quotes.");
	end = p->at;
	if (step->group < 0)
	{
		for (int i = first_new; i < cadence->n_kinds; i++)
			cadence->kinds[i].group = cadence->n_groups;
		step->group = cadence->n_groups++;
	}
	for (int i = 0; i < cadence->n_kinds; i++)
		in_group += cadence->kinds[i].group == step->group;
	if (in_group != n)
		return fault_at(p, start, "steps have some kinds in common, and others not",
						"Let two steps have the same kinds, or none in common.");

	if (several)
	{
		start++;
		end--;
		while (is_blank(p->text[start]))
			start++;
		while (is_blank(p->text[end - 1]))
			end--;
	}
	label = am_host_alloc(end - start + 1);
	memcpy(label, p->text + start, end - start);
	label[end - start] = '\0';
	step->label = label;
	return true;
}

static bool
parse_days(Parser *p, const char *what, int *days)
{
	size_t		start;

	if (at_end(p) || !is_digit(p->text[p->at]))
		return expected(p, what, NULL);
	start = p->at;
	for (*days = 0; p->at < p->length && is_digit(p->text[p->at]); p->at++)
	{
		*days = *days * 10 + (p->text[p->at] - '0');
		if (*days > AM_CADENCE_MAX_DAY)
			return fault_at(p, start, "a cadence is over after 3650 days", NULL);
	}
	if (p->at < p->length && (p->text[p->at] == '.' || (word_end(p, p->at) > p->at && !at_arrow(p, p->at) && p->text[p->at] != '\xC2')))
		return fault_at(p, start, "days are whole numbers", "A cadence goes by the calendar: day 2 is the second date after the start.");
	return true;
}

static bool
parse_step(Parser *p)
{
	AmCadenceStep *step = &p->cadence->steps[p->cadence->n_steps];

	if (p->cadence->n_steps == AM_CADENCE_MAX_STEPS)
		return fault_at(p, p->at, "a cadence has at most 100 steps", NULL);
	if (!parse_kinds(p, step))
		return false;
	if (!accept_word(p, "on"))
		return expected(p, "\"on day\"", NULL);
	if (!accept_word(p, "day"))
		return expected(p, "\"day\"", NULL);
	if (!parse_days(p, "a number of days after the start", &step->day))
		return false;
	step->tolerance = 0;
	if ((accept_text(p, "+-") || accept_text(p, "+/-") || accept_text(p, "\xC2\xB1")) &&
		!parse_days(p, "a number of days", &step->tolerance))
		return false;
	p->cadence->n_steps++;
	return true;
}

AmCadence *
am_cadence_parse(const char *text, size_t length, AmCadenceFault *fault)
{
	Parser		p = {text, length, 0, fault, NULL};

	p.cadence = am_host_alloc(sizeof(AmCadence));
	memset(p.cadence, 0, sizeof(AmCadence));
	do
	{
		AM_CHECK_INTERRUPTS();
		if (!parse_step(&p))
			return NULL;
	} while (accept_text(&p, "->"));
	if (!at_end(&p))
	{
		expected(&p, "\"->\", \"+-\" or the end", NULL);
		return NULL;
	}
	return p.cadence;
}

/* Heaps of open steps, the one whose window ends first on top */
typedef struct Heap
{
	int			n;
	int			steps[AM_CADENCE_MAX_STEPS];
} Heap;

static bool
ends_before(const AmCadence *cadence, int a, int b)
{
	int			end_a = cadence->steps[a].day + cadence->steps[a].tolerance;
	int			end_b = cadence->steps[b].day + cadence->steps[b].tolerance;

	return end_a < end_b || (end_a == end_b && a < b);
}

static void
push(const AmCadence *cadence, Heap *heap, int step)
{
	int			i = heap->n++;

	while (i > 0 && ends_before(cadence, step, heap->steps[(i - 1) / 2]))
	{
		heap->steps[i] = heap->steps[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap->steps[i] = step;
}

static void
pop(const AmCadence *cadence, Heap *heap)
{
	int			step = heap->steps[--heap->n];
	int			i = 0;

	for (;;)
	{
		int			child = 2 * i + 1;

		if (child >= heap->n)
			break;
		if (child + 1 < heap->n && ends_before(cadence, heap->steps[child + 1], heap->steps[child]))
			child++;
		if (!ends_before(cadence, heap->steps[child], step))
			break;
		heap->steps[i] = heap->steps[child];
		i = child;
	}
	if (heap->n > 0)
		heap->steps[i] = step;
}

int64_t
am_cadence_match(const AmCadence *cadence, const int32_t *days, const int *groups, int64_t n,
				 int32_t *step_day, int *activity_step)
{
	int			order[AM_CADENCE_MAX_STEPS];
	int64_t		pairs = 0;

	for (int s = 0; s < cadence->n_steps; s++)
	{
		int			i = s;

		/* by the first day of the window */
		for (; i > 0 && cadence->steps[order[i - 1]].day - cadence->steps[order[i - 1]].tolerance >
			 cadence->steps[s].day - cadence->steps[s].tolerance; i--)
			order[i] = order[i - 1];
		order[i] = s;
		step_day[s] = INT32_MIN;
	}
	for (int64_t i = 0; i < n; i++)
		activity_step[i] = -1;
	for (int group = 0; group < cadence->n_groups; group++)
	{
		Heap		open;
		int			next = 0;

		open.n = 0;
		for (int64_t i = 0; i < n; i++)
		{
			if (groups[i] != group)
				continue;
			for (; next < cadence->n_steps; next++)
			{
				const AmCadenceStep *step = &cadence->steps[order[next]];

				if (step->day - step->tolerance > days[i])
					break;
				if (step->group == group)
					push(cadence, &open, order[next]);
			}
			while (open.n > 0 && cadence->steps[open.steps[0]].day + cadence->steps[open.steps[0]].tolerance < days[i])
				pop(cadence, &open);
			if (open.n > 0)
			{
				activity_step[i] = open.steps[0];
				step_day[open.steps[0]] = days[i];
				pairs++;
				pop(cadence, &open);
			}
		}
		AM_CHECK_INTERRUPTS();
	}
	return pairs;
}

double
am_burstiness(const double *times, int64_t n_times)
{
	double		n = (double) (n_times - 1);
	double		mean;
	double		squares = 0;
	double		r;

	if (n_times < 3)
		return NAN;
	mean = (times[n_times - 1] - times[0]) / n;
	if (!(mean > 0))
		return NAN;
	for (int64_t i = 1; i < n_times; i++)
	{
		double		off = times[i] - times[i - 1] - mean;

		squares += off * off;
	}
	r = sqrt(squares / n) / mean;
	return (sqrt(n + 1) * r - sqrt(n - 1)) / ((sqrt(n + 1) - 2) * r + sqrt(n - 1));
}
