/*
 * Recursive descent over the funnel literal.
 *
 *   spec      := step { '->' { exclusion '->' } step } [ 'within' duration ] { ',' option }
 *   step      := kinds { '?' | '[' duration ']' }
 *   exclusion := '!' kinds
 *   kinds     := kind | '(' kind { '|' kind } ')'
 *   kind      := word | 'quoted text, '' for a quote'
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <stdio.h>
#include <string.h>

#include "common/am_host.h"
#include "funnel/funnel_spec.h"

#define MICROSECONDS	INT64_C(1000000)
#define MAX_DURATION	(INT64_C(1) << 57)	/* about 4,500 years: sums stay in range */

#define SLOTS			(1 << 11)	/* more than AM_FUNNEL_MAX_KINDS */

/* beside the options, what does not go with any order */
#define PART_LIMIT		(UINT32_C(1) << 16)
#define PART_EXCLUSION	(UINT32_C(1) << 17)

/* A kind as the parser meets it, before kinds of one meaning share a role */
typedef struct Mention
{
	const char *name;
	int			length;
	AmFunnelRole role;
} Mention;

typedef struct Parser
{
	const char *text;
	size_t		length;
	size_t		at;				/* next byte */
	AmSpecFault *fault;
	AmFunnelSpec *spec;
	Mention    *mentions;
	int			n_mentions;
	int			max_mentions;
	int16_t		slots[SLOTS];	/* by hash of the name: index into mentions + 1, 0 = none */
	uint32_t	parts;			/* AmFunnelOption and PART_ bits met so far */
} Parser;

static const struct
{
	const char *name;
	AmFunnelOption option;
}			option_names[] =
{
	{"strict order", AM_FUNNEL_STRICT_ORDER},
	{"strict once", AM_FUNNEL_STRICT_ONCE},
	{"strict increase", AM_FUNNEL_STRICT_INCREASE},
	{"any order", AM_FUNNEL_ANY_ORDER},
	{"first entry", AM_FUNNEL_FIRST_ENTRY},
	{"totals", AM_FUNNEL_TOTALS},
	{"count skipped", AM_FUNNEL_COUNT_SKIPPED},
	{"count reopened", AM_FUNNEL_COUNT_REOPENED}
};

static const struct
{
	uint32_t	part;
	const char *name;
	const char *hint;
}			not_in_any_order[] =
{
	{PART_LIMIT, "a limit on one step", "Limit the whole with within, or leave any order out."},
	{PART_EXCLUSION, "an exclusion", "Without an order nothing lies between two steps: leave one of them out."},
	{AM_FUNNEL_STRICT_ORDER, "strict order", "Leave one of them out."},
	{AM_FUNNEL_COUNT_SKIPPED, "count skipped", "In any order each step counts, whichever are missing: leave count skipped out."},
	{AM_FUNNEL_COUNT_REOPENED, "count reopened", "It is about exclusions, and any order has none: leave count reopened out."}
};

static const struct
{
	const char *name;			/* the plural is accepted too */
	int64_t		microseconds;
}			unit_names[] =
{
	{"week", 7 * 86400 * MICROSECONDS},
	{"day", 86400 * MICROSECONDS},
	{"hour", 3600 * MICROSECONDS},
	{"minute", 60 * MICROSECONDS},
	{"second", MICROSECONDS}
};

#define lengthof_names(names) ((int) (sizeof(names) / sizeof((names)[0])))

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

static void
skip_space(Parser *p)
{
	while (p->at < p->length && is_blank(p->text[p->at]))
		p->at++;
}

static bool
at_end(Parser *p)
{
	skip_space(p);
	return p->at >= p->length;
}

static bool
at_arrow(const Parser *p, size_t at)
{
	return at + 1 < p->length && p->text[at] == '-' && p->text[at + 1] == '>';
}

/* Words run to a blank or a character of the language; a lone '-' may be part of one. */
static bool
ends_word(const Parser *p, size_t at)
{
	char		c = p->text[at];

	return is_blank(c) || at_arrow(p, at) || (c != '\0' && strchr("()|?[],!'", c) != NULL);
}

static size_t
word_end(const Parser *p, size_t at)
{
	while (at < p->length && !ends_word(p, at))
		at++;
	return at;
}

static bool
next_is(Parser *p, char c)
{
	return !at_end(p) && p->text[p->at] == c;
}

static bool
accept_char(Parser *p, char c)
{
	if (!next_is(p, c))
		return false;
	p->at++;
	return true;
}

static bool
accept_arrow(Parser *p)
{
	skip_space(p);
	if (!at_arrow(p, p->at))
		return false;
	p->at += 2;
	return true;
}

/* Words of the language may be in capitals; word is in lower case */
static bool
same_word(const char *text, const char *word, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((text[i] >= 'A' && text[i] <= 'Z' ? text[i] + ('a' - 'A') : text[i]) != word[i])
			return false;
	return true;
}

static bool
next_is_word(Parser *p, const char *word)
{
	size_t		n = strlen(word);

	skip_space(p);
	return word_end(p, p->at) == p->at + n && same_word(p->text + p->at, word, n);
}

static bool
accept_word(Parser *p, const char *word)
{
	if (!next_is_word(p, word))
		return false;
	p->at += strlen(word);
	return true;
}

/* The longest prefix of at most max bytes that does not cut a UTF-8 character */
static int
clip(const char *text, size_t length, size_t max)
{
	if (length <= max)
		return (int) length;
	while (max > 0 && ((unsigned char) text[max] & 0xC0) == 0x80)
		max--;
	return (int) max;
}

/* Says what stands at the fault: a word, a character, or the end */
static bool
expected(Parser *p, const char *what, const char *hint)
{
	AmSpecFault *fault = p->fault;
	size_t		end;

	skip_space(p);
	fault->offset = p->at;
	end = word_end(p, p->at);
	if (p->at >= p->length)
		snprintf(fault->message, sizeof(fault->message), "expected %s, found the end", what);
	else if (at_arrow(p, p->at))
		snprintf(fault->message, sizeof(fault->message), "expected %s, found \"->\"", what);
	else
	{
		if (end == p->at)
			end++;
		snprintf(fault->message, sizeof(fault->message), "expected %s, found \"%.*s\"",
				 what, clip(p->text + p->at, end - p->at, 60), p->text + p->at);
	}
	snprintf(fault->hint, sizeof(fault->hint), "%s", hint ? hint : "");
	return false;
}

static bool
fault_at(Parser *p, size_t offset, const char *message, const char *hint)
{
	p->fault->offset = offset;
	snprintf(p->fault->message, sizeof(p->fault->message), "%s", message);
	snprintf(p->fault->hint, sizeof(p->fault->hint), "%s", hint ? hint : "");
	return false;
}

static bool
too_large(Parser *p, size_t offset, const char *message, const char *hint)
{
	p->fault->too_large = true;
	return fault_at(p, offset, message, hint);
}

/* NULL where there are too many */
static Mention *
mention(Parser *p, const char *name, int length)
{
	Mention    *m;
	uint32_t	slot = UINT32_C(2166136261);

	for (int i = 0; i < length; i++)
		slot = (slot ^ (unsigned char) name[i]) * UINT32_C(16777619);
	for (slot = (slot ^ slot >> 16) % SLOTS; p->slots[slot]; slot = (slot + 1) % SLOTS)
	{
		m = &p->mentions[p->slots[slot] - 1];
		if (m->length == length && memcmp(m->name, name, length) == 0)
			return m;
	}
	if (p->n_mentions == AM_FUNNEL_MAX_KINDS)
		return NULL;
	if (p->n_mentions == p->max_mentions)
	{
		int			max = p->max_mentions ? 2 * p->max_mentions : 16;
		Mention    *grown = am_host_alloc(max * sizeof(Mention));

		if (p->n_mentions)
		{
			memcpy(grown, p->mentions, p->n_mentions * sizeof(Mention));
			am_host_free(p->mentions);
		}
		p->mentions = grown;
		p->max_mentions = max;
	}
	m = &p->mentions[p->n_mentions++];
	p->slots[slot] = (int16_t) p->n_mentions;
	memset(m, 0, sizeof(*m));
	m->name = name;
	m->length = length;
	return m;
}

/* *name gets memory of its own, without quotes and doubled quotes */
static bool
parse_kind(Parser *p, const char *what, char **name, int *length)
{
	size_t		start;
	size_t		end;
	char	   *out;

	if (at_end(p))
		return expected(p, what, NULL);
	start = p->at;
	if (p->text[start] == '\'')
	{
		for (end = start + 1; end < p->length; end++)
			if (p->text[end] == '\'')
			{
				if (end + 1 >= p->length || p->text[end + 1] != '\'')
					break;
				end++;
			}
		if (end >= p->length)
			return fault_at(p, start, "a quoted kind is not closed", "Write a quote inside a kind twice.");
		if (end == start + 1)
			return fault_at(p, start, "a kind is empty", NULL);
		out = am_host_alloc(end - start);
		*length = 0;
		for (size_t i = start + 1; i < end; i++)
		{
			out[(*length)++] = p->text[i];
			if (p->text[i] == '\'')
				i++;
		}
		out[*length] = '\0';
		p->at = end + 1;
	}
	else
	{
		bool		keyword;

		end = word_end(p, start);
		keyword = end == start + 6 && memcmp(p->text + start, "within", 6) == 0;

		if (end == start || keyword)
			return expected(p, what, keyword ? "A kind named within is written in single quotes." : NULL);
		*length = (int) (end - start);
		out = am_host_alloc(*length + 1);
		memcpy(out, p->text + start, *length);
		out[*length] = '\0';
		p->at = end;
	}
	*name = out;
	return true;
}

/* Sets one bit in what each of the kinds means */
static bool
parse_kinds(Parser *p, const char *what, uint64_t fills, uint64_t excludes)
{
	bool		group = accept_char(p, '(');

	do
	{
		char	   *name = NULL;
		int			length = 0;
		Mention    *m;
		size_t		start;

		AM_CHECK_INTERRUPTS();
		skip_space(p);
		start = p->at;
		if (!parse_kind(p, group ? "a kind of event" : what, &name, &length))
			return false;
		m = mention(p, name, length);
		if (!m)
		{
			char		message[80];

			snprintf(message, sizeof(message), "a funnel names at most %d kinds", AM_FUNNEL_MAX_KINDS);
			return too_large(p, start, message, "Map the kinds of a step to one kind in a view.");
		}
		m->role.fills |= fills;
		m->role.excludes |= excludes;
	} while (group && accept_char(p, '|'));

	if (group && !accept_char(p, ')'))
		return expected(p, "\"|\" or \")\"", "A kind with blanks is written in single quotes.");
	return true;
}

/* A number of fixed length units, to the microsecond: 14 days, 1.5 hours */
static bool
parse_duration(Parser *p, int64_t *duration)
{
	size_t		start;
	int64_t		whole = 0;
	double		part = 0;
	size_t		decimals;
	size_t		end_decimals;
	size_t		word;
	size_t		end;
	int			n;

	skip_space(p);
	start = p->at;
	if (next_is(p, '-'))
		return fault_at(p, start, "a length of time is positive", NULL);
	if (at_end(p) || !is_digit(p->text[p->at]))
		return expected(p, "a length of time such as 14 days", NULL);
	for (; p->at < p->length && is_digit(p->text[p->at]); p->at++)
	{
		whole = whole * 10 + (p->text[p->at] - '0');
		if (whole > MAX_DURATION / MICROSECONDS)
			return too_large(p, start, "a length of time is over 4,500 years", "Leave the limit out.");
	}
	decimals = p->at;
	if (p->at < p->length && p->text[p->at] == '.')
		for (p->at++; p->at < p->length && is_digit(p->text[p->at]);)
			p->at++;
	end_decimals = p->at;

	skip_space(p);
	word = p->at;
	end = word_end(p, word);
	n = (int) (end - word);
	if (n > 1 && (p->text[word + n - 1] == 's' || p->text[word + n - 1] == 'S'))
		n--;
	for (int i = 0; i < lengthof_names(unit_names); i++)
		if ((int) strlen(unit_names[i].name) == n && same_word(p->text + word, unit_names[i].name, n))
		{
			int64_t		unit = unit_names[i].microseconds;

			if (whole > MAX_DURATION / unit)
				return too_large(p, start, "a length of time is over 4,500 years", "Leave the limit out.");
			/* from the last decimal to the first; what is below a microsecond is dropped, but not by rounding */
			for (size_t d = end_decimals; d > decimals + 1; d--)
				part = ((double) (p->text[d - 1] - '0') * (double) unit + part) / 10;
			*duration = whole * unit + (int64_t) (part + 1e-3);
			if (*duration <= 0)
				return fault_at(p, start, "a length of time is zero", "Leave the limit out, or give at least a microsecond.");
			p->at = end;
			return true;
		}
	if ((n == 5 && same_word(p->text + word, "month", 5)) || (n == 4 && same_word(p->text + word, "year", 4)) ||
		(n == 7 && same_word(p->text + word, "quarter", 7)))
		return fault_at(p, word, "months and longer units have no fixed length", "Write 30 days, or 90 days for a quarter.");
	return expected(p, "weeks, days, hours, minutes or seconds", NULL);
}

/* The step as its reader knows it: the kind, or the alternatives without their parentheses */
static const char *
step_label(const Parser *p, size_t from, size_t to)
{
	char	   *label;

	if (p->text[from] == '\'' && to > from)
	{
		const Mention *m = &p->mentions[p->n_mentions - 1];

		/* the kind may have been mentioned before: look it up by its bit */
		for (int i = 0; i < p->n_mentions; i++)
			if (p->mentions[i].role.fills & (UINT64_C(1) << p->spec->n_steps))
				m = &p->mentions[i];
		return m->name;
	}
	if (p->text[from] == '(')
	{
		from++;
		to--;
		while (is_blank(p->text[from]))
			from++;
		while (is_blank(p->text[to - 1]))
			to--;
	}
	label = am_host_alloc(to - from + 1);
	memcpy(label, p->text + from, to - from);
	label[to - from] = '\0';
	return label;
}

/* Where all kinds of a step end the attempt before it, only the first of them could ever take it */
static bool
excluded_by_itself(const Parser *p, int step)
{
	if (step == 0)
		return false;
	for (int i = 0; i < p->n_mentions; i++)
		if ((p->mentions[i].role.fills >> step & 1) && !(p->mentions[i].role.excludes >> (step - 1) & 1))
			return false;
	return true;
}

static bool
parse_step(Parser *p)
{
	AmFunnelSpec *spec = p->spec;
	AmFunnelStep *step = &spec->steps[spec->n_steps];
	size_t		start;

	skip_space(p);
	start = p->at;
	if (spec->n_steps == AM_FUNNEL_MAX_STEPS)
	{
		char		message[80];

		snprintf(message, sizeof(message), "a funnel has at most %d steps", AM_FUNNEL_MAX_STEPS);
		return too_large(p, start, message, "Leave steps out, or put those that belong together into one: (a | b).");
	}
	if (!parse_kinds(p, "a step", UINT64_C(1) << spec->n_steps, 0))
		return false;
	step->label = step_label(p, start, p->at);
	if (excluded_by_itself(p, spec->n_steps))
	{
		char		message[120];

		snprintf(message, sizeof(message), "step \"%.*s\" is excluded by itself",
				 clip(step->label, strlen(step->label), 60), step->label);
		return fault_at(p, start, message, "Leave the exclusion before that step out, or exclude other kinds.");
	}
	step->optional = false;
	step->limit = AM_NO_LIMIT;
	for (;;)
	{
		skip_space(p);
		start = p->at;
		if (accept_char(p, '?'))
		{
			if (step->optional)
				return fault_at(p, start, "a step is marked optional twice", NULL);
			if (spec->n_steps == 0)
				return fault_at(p, start, "the first step cannot be optional", "An attempt starts with its first step; leave that step out.");
			step->optional = true;
		}
		else if (accept_char(p, '['))
		{
			if (step->limit != AM_NO_LIMIT)
				return fault_at(p, start, "a step has two limits", NULL);
			if (spec->n_steps == 0)
				return fault_at(p, start, "the first step has no step before it to limit", "Put the limit after a later step, or write within at the end.");
			if (!parse_duration(p, &step->limit))
				return false;
			p->parts |= PART_LIMIT;
			if (!accept_char(p, ']'))
				return expected(p, "\"]\"", NULL);
		}
		else
			break;
	}
	spec->n_steps++;
	return true;
}

static bool
parse_chain(Parser *p)
{
	if (next_is(p, '!'))
		return expected(p, "a step", "An exclusion stands between two steps: call -> !lost -> won.");
	if (!parse_step(p))
		return false;
	while (accept_arrow(p))
	{
		while (accept_char(p, '!'))
		{
			p->parts |= PART_EXCLUSION;
			if (!parse_kinds(p, "a kind of event", 0, UINT64_C(1) << (p->spec->n_steps - 1)))
				return false;
			if (!accept_arrow(p))
				return expected(p, "\"->\" and a step", "An exclusion stands between two steps: call -> !lost -> won.");
		}
		if (!parse_step(p))
			return false;
	}
	return true;
}

/* The fault is at the option that came last: with what stands before it, it has no meaning */
static bool
check_parts(Parser *p, size_t option_at)
{
	char		message[80];

	if (!(p->parts & AM_FUNNEL_ANY_ORDER))
		return true;
	for (int i = 0; i < lengthof_names(not_in_any_order); i++)
		if (p->parts & not_in_any_order[i].part)
		{
			snprintf(message, sizeof(message), "any order does not go with %s", not_in_any_order[i].name);
			return fault_at(p, option_at, message, not_in_any_order[i].hint);
		}
	return true;
}

static bool
parse_option(Parser *p)
{
	size_t		start;

	skip_space(p);
	start = p->at;
	for (int i = 0; i < lengthof_names(option_names); i++)
	{
		char		words[20];
		char	   *second;

		strcpy(words, option_names[i].name);
		second = strchr(words, ' ');
		if (second)
			*second++ = '\0';
		p->at = start;
		if (!accept_word(p, words) || (second && !accept_word(p, second)))
			continue;
		if (p->parts & option_names[i].option)
			return fault_at(p, start, "an option is given twice", NULL);
		p->parts |= option_names[i].option;
		return check_parts(p, start);
	}
	p->at = start;
	return expected(p, "an option",
					"Options are: strict order, strict once, strict increase, any order, first entry, totals, "
					"count skipped, count reopened.");
}

/* What a misplaced word or sign after a step was probably meant as */
static const char *
after_chain_hint(Parser *p)
{
	char		c = at_end(p) ? '\0' : p->text[p->at];

	if (c == '|')
		return "Alternatives stand in parentheses: (a | b).";
	if (p->spec->within != AM_NO_LIMIT)
		return next_is_word(p, "within") || is_digit(c) ? "A length of time is one number and one unit: 36 hours." :
			"Options follow a comma: within 90 days, strict order.";
	if (p->at < p->length && word_end(p, p->at) > p->at && c != '>' && c != '=' && c != '-' && !(c & 0x80))
		return "A kind with blanks is written in single quotes, and these doubled inside an SQL literal.";
	return "Steps are joined by \"->\": call -> meeting -> won.";
}

static bool
parse_tail(Parser *p)
{
	size_t		start;
	bool		comma = false;

	for (;;)
	{
		skip_space(p);
		start = p->at;
		if (accept_word(p, "within"))
		{
			if (p->spec->within != AM_NO_LIMIT)
				return fault_at(p, start, "within is given twice", "A limit for one step stands after it: meeting [14 days].");
			if (!parse_duration(p, &p->spec->within))
				return false;
		}
		else if (comma)
		{
			if (!parse_option(p))
				return false;
		}
		if (at_end(p))
			return true;
		comma = accept_char(p, ',');
		if (!comma && !(p->spec->within == AM_NO_LIMIT && next_is_word(p, "within")))
			return expected(p, p->spec->within == AM_NO_LIMIT ? "\"->\", \"within\" or \",\"" : "\",\" or the end",
							after_chain_hint(p));
		if (comma && at_end(p))
			return expected(p, "an option", NULL);
	}
}

/* Kinds of one meaning share a role, but not excluding ones where `apart`.  False if there are too many */
static bool
assign_roles(Parser *p, bool apart)
{
	AmFunnelSpec *spec = p->spec;

	spec->n_roles = 0;
	for (int i = 0; i < p->n_mentions; i++)
	{
		const Mention *m = &p->mentions[i];
		int			role = 0;

		if (apart && m->role.excludes)
			role = spec->n_roles;
		while (role < spec->n_roles &&
			   (spec->roles[role].fills != m->role.fills || spec->roles[role].excludes != m->role.excludes))
			role++;
		if (role == AM_FUNNEL_MAX_ROLES)
			return false;
		if (role == spec->n_roles)
			spec->roles[spec->n_roles++] = m->role;
		spec->kinds[i].name = m->name;
		spec->kinds[i].length = m->length;
		spec->kinds[i].role = role;
	}
	return true;
}

/* Records carry roles.  Those of excluding kinds tell which of them it was, if there are enough for that */
static bool
finish_spec(Parser *p)
{
	AmFunnelSpec *spec = p->spec;

	spec->options = p->parts & ~(PART_LIMIT | PART_EXCLUSION);
	spec->n_kinds = p->n_mentions;
	spec->kinds = am_host_alloc(p->n_mentions * sizeof(AmFunnelKind));
	if (!assign_roles(p, true) && !assign_roles(p, false))
	{
		char		message[120];

		snprintf(message, sizeof(message), "a funnel has at most %d kinds that differ in the steps they fill or exclude",
				 AM_FUNNEL_MAX_ROLES);
		return too_large(p, 0, message, "Split the funnel, or let kinds share a step.");
	}
	return true;
}

AmFunnelSpec *
am_funnel_spec_parse(const char *text, size_t length, AmSpecFault *fault)
{
	Parser		p;

	memset(&p, 0, sizeof(p));
	memset(fault, 0, sizeof(*fault));
	p.text = text;
	p.length = length;
	p.fault = fault;
	p.spec = am_host_alloc(sizeof(AmFunnelSpec));
	memset(p.spec, 0, sizeof(AmFunnelSpec));
	p.spec->within = AM_NO_LIMIT;

	if (length > AM_FUNNEL_MAX_TEXT)
	{
		char		message[80];

		snprintf(message, sizeof(message), "a specification has at most %d bytes", AM_FUNNEL_MAX_TEXT);
		too_large(&p, 0, message, "Map the kinds to fewer ones in a view.");
		return NULL;
	}
	if (!parse_chain(&p) || !parse_tail(&p) || !finish_spec(&p))
		return NULL;
	return p.spec;
}

uint32_t
am_funnel_option(const char *name)
{
	for (int i = 0; i < lengthof_names(option_names); i++)
		if (strcmp(option_names[i].name, name) == 0)
			return option_names[i].option;
	return 0;
}

#define STEP_BIT(step)	(UINT64_C(1) << (step))

bool
am_may_be_skipped(const AmFunnelSpec *spec, int step)
{
	return spec->steps[step].optional || (spec->options & AM_FUNNEL_COUNT_SKIPPED);
}

uint64_t
am_steps_after(const AmFunnelSpec *spec, int step)
{
	uint64_t	steps = 0;

	for (int next = step + 1; next < spec->n_steps; next++)
	{
		steps |= STEP_BIT(next);
		if (!am_may_be_skipped(spec, next))
			break;
	}
	return steps;
}

uint64_t
am_steps_before(const AmFunnelSpec *spec, int step)
{
	uint64_t	steps = 0;

	for (int previous = step - 1; previous >= 0; previous--)
	{
		steps |= STEP_BIT(previous);
		if (!am_may_be_skipped(spec, previous))
			break;
	}
	return steps;
}
