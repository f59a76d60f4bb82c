/*
 * Any bytes as a funnel specification: faults are fit to be shown; what is
 * read holds together, is the same when written out and read again, and can be
 * put into words.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "fuzz.h"

#include "funnel/funnel_explain.h"
#include "funnel/funnel_spec.h"

#define LONGEST		((INT64_C(1) << 57) + INT64_C(604800000000))

static const uint8_t *input;
static size_t input_size;

static void
fuzz_show(void)
{
	fprintf(stderr, "text: ");
	fwrite(input, 1, input_size, stderr);
	fprintf(stderr, "\n");
}

static bool
is_utf8(const char *text, size_t length)
{
	for (size_t i = 0; i < length;)
	{
		unsigned char c = (unsigned char) text[i++];
		int			more = c < 0x80 ? 0 : (c & 0xe0) == 0xc0 ? 1 : (c & 0xf0) == 0xe0 ? 2 : (c & 0xf8) == 0xf0 ? 3 : -1;

		if (more < 0)
			return false;
		for (; more > 0; more--, i++)
			if (i >= length || ((unsigned char) text[i] & 0xc0) != 0x80)
				return false;
	}
	return true;
}

static uint64_t
below(int n)
{
	return n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

static void
check_fault(const AmSpecFault *fault, bool utf8)
{
	REQUIRE(fault->offset <= input_size);
	REQUIRE(memchr(fault->message, '\0', sizeof(fault->message)) != NULL);
	REQUIRE(memchr(fault->hint, '\0', sizeof(fault->hint)) != NULL);
	REQUIRE(fault->message[0] != '\0');
	if (utf8)
	{
		REQUIRE(is_utf8(fault->message, strlen(fault->message)));
		REQUIRE(is_utf8(fault->hint, strlen(fault->hint)));
		REQUIRE(fault->offset == input_size || (input[fault->offset] & 0xc0) != 0x80);
	}
}

static bool
is_limit(int64_t limit)
{
	return limit == AM_NO_LIMIT || (limit > 0 && limit <= LONGEST);
}

static void
check_spec(const AmFunnelSpec *spec, bool utf8)
{
	const uint32_t not_in_any_order = AM_FUNNEL_STRICT_ORDER | AM_FUNNEL_COUNT_SKIPPED | AM_FUNNEL_COUNT_REOPENED;
	uint64_t	filled = 0;
	uint64_t	excluded = 0;
	bool		limits = false;
	int			kinds_of[AM_FUNNEL_MAX_ROLES] = {0};

	REQUIRE(spec->n_steps >= 1 && spec->n_steps <= AM_FUNNEL_MAX_STEPS);
	REQUIRE(spec->n_kinds >= 1 && spec->n_kinds <= AM_FUNNEL_MAX_KINDS);
	REQUIRE(spec->n_roles >= 1 && spec->n_roles <= AM_FUNNEL_MAX_ROLES);
	REQUIRE(is_limit(spec->within));
	REQUIRE(spec->options < 1 << 8);
	for (int step = 0; step < spec->n_steps; step++)
	{
		size_t		length = strlen(spec->steps[step].label);

		REQUIRE(length <= input_size);
		REQUIRE(!utf8 || is_utf8(spec->steps[step].label, length));
		REQUIRE(is_limit(spec->steps[step].limit));
		REQUIRE(step > 0 || (!spec->steps[step].optional && spec->steps[step].limit == AM_NO_LIMIT));
		limits |= spec->steps[step].limit != AM_NO_LIMIT;
	}
	for (int i = 0; i < spec->n_kinds; i++)
	{
		const AmFunnelKind *kind = &spec->kinds[i];

		REQUIRE(kind->length >= 1 && kind->length <= input_size);
		REQUIRE(!utf8 || is_utf8(kind->name, kind->length));
		REQUIRE(kind->role >= 0 && kind->role < spec->n_roles);
		kinds_of[kind->role]++;
	}
	for (int i = 0; i < spec->n_roles; i++)
	{
		const AmFunnelRole *role = &spec->roles[i];

		REQUIRE(kinds_of[i] > 0);
		REQUIRE((role->fills & ~below(spec->n_steps)) == 0);
		REQUIRE((role->excludes & ~below(spec->n_steps - 1)) == 0);
		REQUIRE((role->fills | role->excludes) != 0);
		filled |= role->fills;
		excluded |= role->excludes;
	}
	REQUIRE(filled == below(spec->n_steps));
	if (spec->options & AM_FUNNEL_ANY_ORDER)
		REQUIRE(!excluded && !limits && !(spec->options & not_in_any_order));
	for (int step = 1; step < spec->n_steps; step++)
	{
		bool		reachable = false;

		for (int i = 0; i < spec->n_roles; i++)
			reachable |= (spec->roles[i].fills >> step & 1) && !(spec->roles[i].excludes >> (step - 1) & 1);
		REQUIRE(reachable);
	}
}

/* The specification as text again, all kinds in quotes; 0 if that is over the limit */

static char written[AM_FUNNEL_MAX_TEXT + 1];
static size_t n_written;
static bool too_long;

static void
put(const char *text, size_t length)
{
	if (n_written + length > AM_FUNNEL_MAX_TEXT)
		too_long = true;
	else
	{
		memcpy(written + n_written, text, length);
		n_written += length;
	}
}

static void
put_text(const char *text)
{
	put(text, strlen(text));
}

static void
put_kinds(const AmFunnelSpec *spec, int step, bool excludes, const char *before, const char *after)
{
	const char *separator = before;

	for (int i = 0; i < spec->n_kinds; i++)
	{
		const AmFunnelKind *kind = &spec->kinds[i];
		const AmFunnelRole *role = &spec->roles[kind->role];

		if (!((excludes ? role->excludes : role->fills) >> step & 1))
			continue;
		put_text(separator);
		put_text("'");
		for (int c = 0; c < kind->length; c++)
			put(kind->name[c] == '\'' ? "''" : &kind->name[c], kind->name[c] == '\'' ? 2 : 1);
		put_text("'");
		separator = "|";
	}
	if (separator != before)
		put_text(after);
}

static void
put_duration(int64_t duration)
{
	char		text[60];

	/* weeks too, as the seconds of the longest would be refused */
	if (duration % INT64_C(604800000000) == 0)
		snprintf(text, sizeof(text), "%" PRId64 "weeks", duration / INT64_C(604800000000));
	else
		snprintf(text, sizeof(text), "%" PRId64 ".%06" PRId64 "seconds", duration / 1000000, duration % 1000000);
	put_text(text);
}

static void
write_out(const AmFunnelSpec *spec)
{
	static const char *const options[] = {
		"strict order", "strict once", "strict increase", "any order", "first entry", "totals", "count skipped", "count reopened"
	};

	n_written = 0;
	too_long = false;
	for (int step = 0; step < spec->n_steps; step++)
	{
		const AmFunnelStep *s = &spec->steps[step];

		if (step)
		{
			put_text("->");
			put_kinds(spec, step - 1, true, "!(", ")->");
		}
		put_kinds(spec, step, false, "(", ")");
		if (s->optional)
			put_text("?");
		if (s->limit != AM_NO_LIMIT)
		{
			put_text("[");
			put_duration(s->limit);
			put_text("]");
		}
	}
	for (int i = 7; i >= 0; i--)
		if (spec->options >> i & 1)
		{
			put_text(",");
			put_text(options[i]);
		}
	if (spec->within != AM_NO_LIMIT)
	{
		put_text(" within ");
		put_duration(spec->within);
	}
}

static const AmFunnelRole *
role_of(const AmFunnelSpec *spec, const AmFunnelKind *kind)
{
	for (int i = 0; i < spec->n_kinds; i++)
		if (spec->kinds[i].length == kind->length && memcmp(spec->kinds[i].name, kind->name, kind->length) == 0)
			return &spec->roles[spec->kinds[i].role];
	return NULL;
}

static void
check_again(const AmFunnelSpec *spec)
{
	AmSpecFault fault;
	AmFunnelSpec *again;

	write_out(spec);
	if (too_long)
		return;
	again = am_funnel_spec_parse(written, n_written, &fault);
	/* the longest of all, in other units, may be just too long */
	if (!again && fault.too_large && strstr(fault.message, "a length of time"))
		return;
	REQUIRE(again != NULL);
	REQUIRE(again->n_steps == spec->n_steps);
	REQUIRE(again->within == spec->within);
	REQUIRE(again->options == spec->options);
	REQUIRE(again->n_kinds == spec->n_kinds);
	REQUIRE(again->n_roles == spec->n_roles);
	for (int step = 0; step < spec->n_steps; step++)
	{
		REQUIRE(again->steps[step].optional == spec->steps[step].optional);
		REQUIRE(again->steps[step].limit == spec->steps[step].limit);
	}
	for (int i = 0; i < spec->n_kinds; i++)
	{
		const AmFunnelRole *role = role_of(again, &spec->kinds[i]);

		REQUIRE(role != NULL);
		REQUIRE(role->fills == spec->roles[spec->kinds[i].role].fills);
		REQUIRE(role->excludes == spec->roles[spec->kinds[i].role].excludes);
	}
}

static void
check_words(const AmFunnelSpec *spec, bool utf8)
{
	const char *words = am_funnel_explain(spec);
	size_t		length = strlen(words);
	int			lines = 1;

	REQUIRE(length > 0);
	REQUIRE(!utf8 || is_utf8(words, length));
	for (const char *c = words; *c; c++)
		lines += *c == '\n';
	/* a kind with a zero byte ends the text early: the server has none */
	if (!memchr(input, '\0', input_size))
	{
		REQUIRE(words[length - 1] == '.');
		REQUIRE(lines > spec->n_steps + 3);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *text = malloc(size);	/* of its own size: a byte read past the end is seen */
	bool		utf8;
	AmSpecFault fault;
	AmFunnelSpec *spec;

	input = data;
	input_size = size;
	if (size > 0)
		memcpy(text, data, size);
	utf8 = is_utf8(text, size);
	memset(&fault, 0xaa, sizeof(fault));
	spec = am_funnel_spec_parse(text, size, &fault);
	free(text);					/* what is read has memory of its own */
	REQUIRE(fuzz_allocated <= 2 * sizeof(AmFunnelSpec) + 200 * size);
	if (!spec)
		check_fault(&fault, utf8);
	else
	{
		check_spec(spec, utf8);
		check_words(spec, utf8);
		check_again(spec);
	}
	fuzz_forget();
	return 0;
}
