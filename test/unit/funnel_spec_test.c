/*
 * The parser of funnel specifications: what it reads, where it finds faults,
 * and that no text breaks it.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <inttypes.h>

#include "tap.h"

#include "common/am_host.h"
#include "funnel/funnel_spec.h"

/* index into kinds, or -1 */
static int
find_kind(const AmFunnelSpec *spec, const char *name, int length)
{
	for (int i = 0; i < spec->n_kinds; i++)
		if (spec->kinds[i].length == length && memcmp(spec->kinds[i].name, name, length) == 0)
			return i;
	return -1;
}

#define US		INT64_C(1)
#define SECOND	INT64_C(1000000)
#define MINUTE	(60 * SECOND)
#define HOUR	(60 * MINUTE)
#define DAY		(24 * HOUR)
#define WEEK	(7 * DAY)

/* Memory as the server gives it: freed all at once, and counted */

static void *chunks[400000];
static int	n_chunks = 0;
static size_t allocated = 0;

static void *
counting_alloc(size_t size)
{
	void	   *chunk = malloc(size ? size : 1);

	if (!chunk || n_chunks == sizeof(chunks) / sizeof(chunks[0]))
		abort();
	allocated += size;
	return chunks[n_chunks++] = chunk;
}

static void
counting_free(void *chunk)
{
	for (int i = n_chunks - 1; i >= 0; i--)
		if (chunks[i] == chunk)
		{
			free(chunk);
			chunks[i] = chunks[--n_chunks];
			return;
		}
	ok(false, "memory is freed that was allocated");
	abort();
}

static void
forget(void)
{
	while (n_chunks > 0)
		free(chunks[--n_chunks]);
	allocated = 0;
}

/* The text in memory of its own size: the sanitiser sees a byte read past its end */
static AmFunnelSpec *
parse(const char *text, size_t length, AmSpecFault *fault)
{
	char	   *copy = counting_alloc(length);

	if (length > 0)
		memcpy(copy, text, length);
	memset(fault, 0xaa, sizeof(*fault));
	allocated = 0;
	return am_funnel_spec_parse(copy, length, fault);
}

/* by bit of AmFunnelOption */
static const char *const option_names[] = {
	"strict order", "strict once", "strict increase", "any order", "first entry", "totals", "count skipped", "count reopened"
};

static size_t
describe_kinds(const AmFunnelSpec *spec, int bit, bool excludes, char *out, size_t size)
{
	size_t		n = 0;

	out[0] = '\0';
	for (int i = 0; i < spec->n_kinds; i++)
	{
		const AmFunnelRole *role = &spec->roles[spec->kinds[i].role];

		if ((excludes ? role->excludes : role->fills) & (UINT64_C(1) << bit))
			n += snprintf(out + n, size - n, "%s%.*s", n ? "," : "", spec->kinds[i].length, spec->kinds[i].name);
	}
	return n;
}

/*
 * A specification in one line: labels with the kinds of each step, in order of
 * mention, its marks, what is excluded after it, then within and the options.
 * 'a | b{a,b} -> c{c}?[5] !{x,y} -> d{d}; 7; strict order'
 */
static const char *
describe(const AmFunnelSpec *spec)
{
	static char out[8192];
	char		kinds[2048];
	size_t		n = 0;

	out[0] = '\0';
	for (int step = 0; step < spec->n_steps; step++)
	{
		describe_kinds(spec, step, false, kinds, sizeof(kinds));
		n += snprintf(out + n, sizeof(out) - n, "%s%s{%s}%s", step ? " -> " : "", spec->steps[step].label, kinds,
					  spec->steps[step].optional ? "?" : "");
		if (spec->steps[step].limit != AM_NO_LIMIT)
			n += snprintf(out + n, sizeof(out) - n, "[%" PRId64 "]", spec->steps[step].limit);
		if (describe_kinds(spec, step, true, kinds, sizeof(kinds)))
			n += snprintf(out + n, sizeof(out) - n, " !{%s}", kinds);
	}
	if (spec->within != AM_NO_LIMIT)
		n += snprintf(out + n, sizeof(out) - n, "; %" PRId64, spec->within);
	for (int i = 0; i < 8; i++)
		if (spec->options & (UINT32_C(1) << i))
			n += snprintf(out + n, sizeof(out) - n, "; %s", option_names[i]);
	return out;
}

static uint64_t
below(int n)
{
	return n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

static bool
is_limit(int64_t limit)
{
	return limit == AM_NO_LIMIT || (limit > 0 && limit <= (INT64_C(1) << 57) + WEEK);
}

/* What holds for every specification; NULL or what does not */
static const char *
inconsistency(const AmFunnelSpec *spec)
{
	const uint32_t not_in_any_order = AM_FUNNEL_STRICT_ORDER | AM_FUNNEL_COUNT_SKIPPED | AM_FUNNEL_COUNT_REOPENED;
	uint64_t	filled = 0;
	uint64_t	excluded = 0;
	bool		limits = false;
	int			kinds_of[AM_FUNNEL_MAX_ROLES] = {0};
	bool		alone = true;	/* each excluding kind has a role of its own */

	if (spec->n_steps < 1 || spec->n_steps > AM_FUNNEL_MAX_STEPS)
		return "number of steps";
	if (spec->n_roles < 1 || spec->n_roles > AM_FUNNEL_MAX_ROLES || spec->n_kinds < spec->n_roles)
		return "number of roles or kinds";
	if (!is_limit(spec->within))
		return "within";
	if (spec->options >= 1 << 8)
		return "an option that there is not";
	for (int step = 0; step < spec->n_steps; step++)
	{
		if (!spec->steps[step].label)
			return "a step without a label";
		if (!is_limit(spec->steps[step].limit))
			return "a limit";
		limits |= spec->steps[step].limit != AM_NO_LIMIT;
		if (step == 0 && (spec->steps[step].optional || limits))
			return "marks of the first step";
	}
	for (int i = 0; i < spec->n_kinds; i++)
	{
		const AmFunnelKind *kind = &spec->kinds[i];

		if (kind->length < 1 || kind->role < 0 || kind->role >= spec->n_roles)
			return "a kind";
		if (find_kind(spec, kind->name, kind->length) != i)
			return "a kind that is not found, or twice";
		kinds_of[kind->role]++;
	}
	for (int role = 0; role < spec->n_roles; role++)
		if (spec->roles[role].excludes && kinds_of[role] > 1)
			alone = false;
	for (int role = 0; role < spec->n_roles; role++)
	{
		const AmFunnelRole *r = &spec->roles[role];

		if ((r->fills & ~below(spec->n_steps)) || (r->excludes & ~below(spec->n_steps - 1)) || (r->fills | r->excludes) == 0)
			return "what a role fills and excludes";
		if (kinds_of[role] == 0)
			return "a role without a kind";
		filled |= r->fills;
		excluded |= r->excludes;
		for (int other = 0; other < role; other++)
			if (spec->roles[other].fills == r->fills && spec->roles[other].excludes == r->excludes && (!r->excludes || !alone))
				return "two roles of one meaning";
	}
	if (filled != below(spec->n_steps))
		return "a step that nothing fills";
	if ((spec->options & AM_FUNNEL_ANY_ORDER) && (excluded || limits || (spec->options & not_in_any_order)))
		return "parts that do not go together";
	for (int step = 1; step < spec->n_steps; step++)
	{
		bool		reachable = false;

		for (int role = 0; role < spec->n_roles; role++)
			reachable |= (spec->roles[role].fills >> step & 1) && !(spec->roles[role].excludes >> (step - 1) & 1);
		if (!reachable)
			return "a step that is excluded by itself";
	}
	return NULL;
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

static const char *
bad_fault(const char *text, size_t length, const AmSpecFault *fault)
{
	if (fault->offset > length)
		return "offset past the end";
	if (!memchr(fault->message, '\0', sizeof(fault->message)) || !memchr(fault->hint, '\0', sizeof(fault->hint)))
		return "a message that does not end";
	if (!fault->message[0])
		return "no message";
	/* one byte in memory: anything but 0 and 1 is stale */
	if (*(const unsigned char *) &fault->too_large > 1)
		return "the kind of fault";
	if (is_utf8(text, length))
	{
		if (!is_utf8(fault->message, strlen(fault->message)) || !is_utf8(fault->hint, strlen(fault->hint)))
			return "a message that cuts a character";
		if (fault->offset < length && ((unsigned char) text[fault->offset] & 0xc0) == 0x80)
			return "an offset inside a character";
	}
	return NULL;
}

/* A text as the name of a test: in one line */
static const char *
one_line(const char *text)
{
	static char line[300];
	size_t		n;

	for (n = 0; text[n] && n < sizeof(line) - 1; n++)
		line[n] = (unsigned char) text[n] < ' ' ? ' ' : text[n];
	line[n] = '\0';
	return line;
}

/* What is accepted */

static void
accepts(const char *text, const char *description)
{
	AmSpecFault fault;
	AmFunnelSpec *spec = parse(text, strlen(text), &fault);
	const char *got = spec ? describe(spec) : fault.message;
	const char *wrong = spec ? inconsistency(spec) : NULL;

	if (!ok(spec && !wrong && strcmp(got, description) == 0, "%s", one_line(text)))
		printf("# got  %s%s%s\n# want %s\n", got, wrong ? ", wrong: " : "", wrong ? wrong : "", description);
	forget();
}

static void
test_accepted(void)
{
	accepts("call", "call{call}");
	accepts("call -> won", "call{call} -> won{won}");
	accepts("call->won", "call{call} -> won{won}");
	accepts("\t call\n->\r\nwon\f\v ", "call{call} -> won{won}");
	accepts("call -> (proposal | quote) -> won", "call{call} -> proposal | quote{proposal,quote} -> won{won}");
	accepts("(a|b)", "a|b{a,b}");
	accepts("(  a|\tb  ) -> c", "a|\tb{a,b} -> c{c}");
	accepts("(a)", "a{a}");
	accepts("(a | a | a) -> b", "a | a | a{a} -> b{b}");
	accepts("a -> a -> a", "a{a} -> a{a} -> a{a}");
	accepts("a -> (b | a) -> b", "a{a} -> b | a{a,b} -> b{b}");
	/* quotes and blanks */
	accepts("'first call' -> won", "first call{first call} -> won{won}");
	accepts("'it''s on' -> ''''", "it's on{it's on} -> '{'}");
	accepts("'within' -> 'a -> b'", "within{within} -> a -> b{a -> b}");
	accepts("' ' -> '  x '", " { } ->   x {  x }");
	accepts("'a'->'a'", "a{a} -> a{a}");
	accepts("a -> 'a'", "a{a} -> a{a}");
	accepts("'a' -> 'b' -> (c | 'a') -> 'a'", "a{a} -> b{b} -> c | 'a'{a,c} -> a{a}");
	accepts("('a b' | 'c''d')", "'a b' | 'c''d'{a b,c'd}");
	accepts("'(a|b)?[1 day]!,' -> c", "(a|b)?[1 day]!,{(a|b)?[1 day]!,} -> c{c}");
	accepts("'a'within 1 day", "a{a}; 86400000000");
	/* hyphens and other characters are part of a word */
	accepts("follow-up -> sign-off", "follow-up{follow-up} -> sign-off{sign-off}");
	accepts("a- -> -b", "a-{a-} -> -b{-b}");
	accepts("a--> b", "a-{a-} -> b{b}");
	accepts("- -> > -> a>b -> <-", "-{-} -> >{>} -> a>b{a>b} -> <-{<-}");
	accepts("stage:won -> 50% -> a.b/c_d@e#1+2=3*4&\"x\"", "stage:won{stage:won} -> 50%{50%} -> a.b/c_d@e#1+2=3*4&\"x\"{a.b/c_d@e#1+2=3*4&\"x\"}");
	accepts("WITHIN -> withins -> strict -> totals", "WITHIN{WITHIN} -> withins{withins} -> strict{strict} -> totals{totals}");
	accepts("1 -> 2 within 3 days", "1{1} -> 2{2}; 259200000000");
	/* UTF-8 */
	accepts("Anruf -> Gespräch -> 成約 -> 🎉", "Anruf{Anruf} -> Gespräch{Gespräch} -> 成約{成約} -> 🎉{🎉}");
	accepts("'é è' -> (à|ü)", "é è{é è} -> à|ü{à,ü}");
	/* a no-break space is no blank: it is part of the word */
	accepts("a\xc2\xa0" "b", "a\xc2\xa0" "b{a\xc2\xa0" "b}");
	accepts("\xc3\x85 -> \xe0\xa0\x85", "\xc3\x85{\xc3\x85} -> \xe0\xa0\x85{\xe0\xa0\x85}");
	/* case counts */
	accepts("Call -> call", "Call{Call} -> call{call}");

	/* within: units, plural and singular, with and without a blank, decimals */
	accepts("a -> b within 2 weeks", "a{a} -> b{b}; 1209600000000");
	accepts("a -> b within 1 week", "a{a} -> b{b}; 604800000000");
	accepts("a -> b within 1 weeks", "a{a} -> b{b}; 604800000000");
	accepts("a -> b within 90 days", "a{a} -> b{b}; 7776000000000");
	accepts("a -> b within 90 day", "a{a} -> b{b}; 7776000000000");
	accepts("a -> b within 36 hours", "a{a} -> b{b}; 129600000000");
	accepts("a -> b within 1 hour", "a{a} -> b{b}; 3600000000");
	accepts("a -> b within 15 minutes", "a{a} -> b{b}; 900000000");
	accepts("a -> b within 1 minute", "a{a} -> b{b}; 60000000");
	accepts("a -> b within 10 seconds", "a{a} -> b{b}; 10000000");
	accepts("a -> b within 1 second", "a{a} -> b{b}; 1000000");
	accepts("a -> b within 14days", "a{a} -> b{b}; 1209600000000");
	accepts("a->b within\n14\ndays\n", "a{a} -> b{b}; 1209600000000");
	accepts("a -> b within 007 days", "a{a} -> b{b}; 604800000000");
	accepts("a -> b within 1.5 hours", "a{a} -> b{b}; 5400000000");
	accepts("a -> b within 0.5 weeks", "a{a} -> b{b}; 302400000000");
	accepts("a -> b within 2.25 days", "a{a} -> b{b}; 194400000000");
	accepts("a -> b within 0.000001 seconds", "a{a} -> b{b}; 1");
	accepts("a -> b within 0.000001 weeks", "a{a} -> b{b}; 604800");
	accepts("a -> b within 0.999999 weeks", "a{a} -> b{b}; 604799395200");
	accepts("a -> b within 0.100000000000000000000000000000 days", "a{a} -> b{b}; 8640000000");
	accepts("a -> b within 123456.789012 seconds", "a{a} -> b{b}; 123456789012");
	/* to the microsecond: below that, rounded down */
	accepts("a -> b within 1.9999999 seconds", "a{a} -> b{b}; 1999999");
	accepts("a -> b within 1.00000099 days", "a{a} -> b{b}; 86400085536");
	accepts("a -> b within 0.0000001 days", "a{a} -> b{b}; 8640");
	accepts("a -> b within 0.3333333333 weeks", "a{a} -> b{b}; 201599999979");
	accepts("a -> b within 238000 weeks", "a{a} -> b{b}; 143942400000000000");
	accepts("call within 5 days", "call{call}; 432000000000");
	accepts("'call' within 5 days", "call{call}; 432000000000");
	accepts("(a|b)within 5 days", "a|b{a,b}; 432000000000");

	/* optional steps, limits and exclusions */
	accepts("a -> b?", "a{a} -> b{b}?");
	accepts("a -> b ? -> c", "a{a} -> b{b}? -> c{c}");
	accepts("a -> (b | c)? -> d? -> e?", "a{a} -> b | c{b,c}? -> d{d}? -> e{e}?");
	accepts("a -> b [14 days]", "a{a} -> b{b}[1209600000000]");
	accepts("a->(b|c)[1.5 hours]->'d e'[1 second]", "a{a} -> b|c{b,c}[5400000000] -> d e{d e}[1000000]");
	accepts("a -> b? [2 days] -> c[3 days]? within 1 week",
			"a{a} -> b{b}?[172800000000] -> c{c}?[259200000000]; 604800000000");
	accepts("a -> b [2 days] within 1 day", "a{a} -> b{b}[172800000000]; 86400000000");
	accepts("a -> b [0.000001 seconds]", "a{a} -> b{b}[1]");
	accepts("a -> b [238000 weeks]", "a{a} -> b{b}[143942400000000000]");
	accepts("a -> !x -> b", "a{a} !{x} -> b{b}");
	accepts("a->!x->b", "a{a} !{x} -> b{b}");
	accepts("a -> ! x -> b", "a{a} !{x} -> b{b}");
	accepts("a -> !x -> !y -> b", "a{a} !{x,y} -> b{b}");
	accepts("a -> !x -> !x -> b", "a{a} !{x} -> b{b}");
	accepts("a -> !(x | 'y z') -> b within 3 days", "a{a} !{x,y z} -> b{b}; 259200000000");
	accepts("a -> !x -> b -> !x -> c -> d", "a{a} !{x} -> b{b} !{x} -> c{c} -> d{d}");
	accepts("call -> meeting [14 days] -> !lost -> (proposal | quote) -> legal? -> won within 90 days, strict order",
			"call{call} -> meeting{meeting}[1209600000000] !{lost} -> proposal | quote{proposal,quote} -> legal{legal}? -> won{won}; "
			"7776000000000; strict order");
	/* what is excluded may be a step elsewhere, or before the place */
	accepts("call -> !call -> won", "call{call} !{call} -> won{won}");
	accepts("a -> !c -> b -> c", "a{a} !{c} -> b{b} -> c{c}");
	accepts("a -> !c -> b? -> c", "a{a} !{c} -> b{b}? -> c{c}");
	accepts("a -> b -> !b -> c", "a{a} -> b{b} !{b} -> c{c}");
	/* ... or in the step after it, if that can be taken otherwise */
	accepts("a -> !b -> (b | c)", "a{a} !{b} -> b | c{b,c}");
	accepts("a -> !(b | c | x) -> (b | c | d)", "a{a} !{b,c,x} -> b | c | d{b,c,d}");

	/* options: in any number, and the order of the tail is free */
	accepts("a -> b, strict order", "a{a} -> b{b}; strict order");
	accepts("a -> b, strict once", "a{a} -> b{b}; strict once");
	accepts("a -> b , strict\n once ", "a{a} -> b{b}; strict once");
	accepts("a -> b, strict increase", "a{a} -> b{b}; strict increase");
	accepts("a -> b, any order", "a{a} -> b{b}; any order");
	accepts("a -> b, first entry", "a{a} -> b{b}; first entry");
	accepts("a -> b, totals", "a{a} -> b{b}; totals");
	accepts("a -> b, count skipped", "a{a} -> b{b}; count skipped");
	accepts("a -> b, count reopened", "a{a} -> b{b}; count reopened");
	accepts("a -> !x -> b, Count\tReopened", "a{a} !{x} -> b{b}; count reopened");
	accepts("a, TOTALS", "a{a}; totals");
	accepts("a -> b within 1 day, strict once", "a{a} -> b{b}; 86400000000; strict once");
	accepts("a -> b, strict once, within 1 day", "a{a} -> b{b}; 86400000000; strict once");
	accepts("a -> b, strict once within 1 day, totals", "a{a} -> b{b}; 86400000000; strict once; totals");
	accepts("a -> b, within 1 day", "a{a} -> b{b}; 86400000000");
	accepts("a -> b?, totals, first entry, any order, strict increase, strict once within 1 day",
			"a{a} -> b{b}?; 86400000000; strict once; strict increase; any order; first entry; totals");
	accepts("a -> !x -> b? [1 day] -> c, count reopened, count skipped, totals, first entry, strict increase, strict once, strict order",
			"a{a} !{x} -> b{b}?[86400000000] -> c{c}; strict order; strict once; strict increase; first entry; totals; "
			"count skipped; count reopened");
}

/* Kinds that fill the same steps share a role, others never do; excluding ones have one of their own */
static void
test_roles(void)
{
	AmSpecFault fault;
	AmFunnelSpec *spec;
	const char *text = "(a | b | c) -> (b | c | d) -> (a | e) within 1 day";

	spec = parse(text, strlen(text), &fault);
	ok(spec && spec->n_kinds == 5 && spec->n_roles == 4, "five kinds, four roles");
	if (spec)
	{
		static const struct
		{
			const char *kind;
			uint64_t	fills;
		}			want[] = {{"a", 5}, {"b", 3}, {"c", 3}, {"d", 2}, {"e", 4}};

		for (int i = 0; i < 5; i++)
		{
			int			k = find_kind(spec, want[i].kind, 1);

			ok(k >= 0 && spec->roles[spec->kinds[k].role].fills == want[i].fills, "kind %s fills steps %" PRIx64,
			   want[i].kind, want[i].fills);
		}
		ok(find_kind(spec, "b", 1) >= 0 &&
		   spec->kinds[find_kind(spec, "b", 1)].role == spec->kinds[find_kind(spec, "c", 1)].role,
		   "kinds of one meaning share a role");
		ok(find_kind(spec, "x", 1) == -1 && find_kind(spec, "aa", 2) == -1 &&
		   find_kind(spec, "", 0) == -1, "other names are no kinds of it");
	}
	forget();

	text = "(a | b | x) -> !(x | y | z) -> !v -> c -> !v -> !w -> d";
	spec = parse(text, strlen(text), &fault);
	ok(spec && spec->n_kinds == 9 && spec->n_roles == 8, "nine kinds, eight roles: of a and b the same");
	if (spec)
	{
		static const struct
		{
			const char *kind;
			uint64_t	fills;
			uint64_t	excludes;
		}			want[] = {{"a", 1, 0}, {"b", 1, 0}, {"c", 2, 0}, {"d", 4, 0}, {"x", 1, 1}, {"y", 0, 1}, {"z", 0, 1}, {"v", 0, 3},
		{"w", 0, 2}};

		for (int i = 0; i < 9; i++)
		{
			int			k = find_kind(spec, want[i].kind, 1);

			ok(k >= 0 && spec->roles[spec->kinds[k].role].fills == want[i].fills &&
			   spec->roles[spec->kinds[k].role].excludes == want[i].excludes,
			   "kind %s fills steps %" PRIx64 " and is excluded in gaps %" PRIx64, want[i].kind, want[i].fills,
			   want[i].excludes);
		}
	}
	forget();
}

/* What is refused.  In texts the mark ^ stands before the byte where the fault is. */

typedef enum Fate
{
	MALFORMED,
	TOO_LARGE
} Fate;

static void
refuses_at(const char *text, size_t length, size_t offset, Fate fate, const char *message, const char *hint,
		   const char *name)
{
	AmSpecFault fault;
	AmFunnelSpec *spec = parse(text, length, &fault);
	const char *wrong = spec ? "accepted" : bad_fault(text, length, &fault);

	if (!ok(!spec && !wrong && fault.offset == offset && strstr(fault.message, message) &&
			(hint == NULL || (*hint ? strstr(fault.hint, hint) != NULL : fault.hint[0] == '\0')) &&
			fault.too_large == (fate == TOO_LARGE), "refused: %s", one_line(name)))
	{
		if (spec)
			printf("# accepted: %s\n", describe(spec));
		else
			printf("# got  %zu: %s (hint: %s)%s%s\n# want %zu: %s\n", fault.offset, fault.message, fault.hint,
				   fault.too_large ? ", too large " : "", wrong ? wrong : "",
				   offset, message);
	}
	forget();
}

static void
refuses(const char *marked, Fate fate, const char *message, const char *hint)
{
	char		text[1000];
	const char *mark = strchr(marked, '^');
	size_t		before = mark - marked;

	memcpy(text, marked, before);
	strcpy(text + before, mark + 1);
	refuses_at(text, strlen(text), before, fate, message, hint, marked);
}

static void
test_refused(void)
{
	/* steps */
	refuses("^", MALFORMED, "expected a step, found the end", NULL);
	refuses(" \n ^", MALFORMED, "expected a step, found the end", NULL);
	refuses("a ->^", MALFORMED, "expected a step, found the end", NULL);
	refuses("a -> ^-> b", MALFORMED, "expected a step, found \"->\"", NULL);
	refuses("^-> a", MALFORMED, "expected a step, found \"->\"", NULL);
	refuses("^->", MALFORMED, "expected a step, found \"->\"", NULL);
	refuses("^,", MALFORMED, "expected a step, found \",\"", NULL);
	refuses("^)", MALFORMED, "expected a step, found \")\"", NULL);
	refuses("a -> ^)", MALFORMED, "expected a step, found \")\"", NULL);
	refuses("a -> ^| b", MALFORMED, "expected a step, found \"|\"", NULL);
	refuses("a -> b -> ^, totals", MALFORMED, "expected a step, found \",\"", NULL);
	refuses("a ^b", MALFORMED, "expected \"->\", \"within\" or \",\", found \"b\"", "single quotes");
	refuses("first ^call -> won", MALFORMED, "found \"call\"", "single quotes");
	refuses("a ^- b", MALFORMED, "found \"-\"", NULL);
	refuses("a ^| b", MALFORMED, "expected \"->\", \"within\" or \",\", found \"|\"", NULL);
	refuses("a ^> b", MALFORMED, "found \">\"", NULL);
	refuses("it^'s -> b", MALFORMED, "found \"'\"", NULL);
	refuses("a -> b^)", MALFORMED, "found \")\"", NULL);
	refuses("a -> b ^]", MALFORMED, "found \"]\"", NULL);
	refuses("a -> b ^(c | d)", MALFORMED, "found \"(\"", NULL);
	refuses("ä -> ö ^ü", MALFORMED, "found \"ü\"", NULL);
	refuses("a -> ^within 3 days", MALFORMED, "expected a step, found \"within\"", "single quotes");
	refuses("^within -> b", MALFORMED, "expected a step, found \"within\"", "single quotes");
	/* alternatives */
	refuses("(a | b^", MALFORMED, "expected \"|\" or \")\", found the end", NULL);
	refuses("(a ^b)", MALFORMED, "expected \"|\" or \")\", found \"b\"", "single quotes");
	refuses("(a ^-> b)", MALFORMED, "expected \"|\" or \")\", found \"->\"", NULL);
	refuses("(a |^", MALFORMED, "expected a kind of event, found the end", NULL);
	refuses("(a | ^) -> b", MALFORMED, "expected a kind of event, found \")\"", NULL);
	refuses("(^) -> b", MALFORMED, "expected a kind of event, found \")\"", NULL);
	refuses("(^| a)", MALFORMED, "expected a kind of event, found \"|\"", NULL);
	refuses("(a | ^| b)", MALFORMED, "expected a kind of event, found \"|\"", NULL);
	refuses("a -> (^(b))", MALFORMED, "expected a kind of event, found \"(\"", NULL);
	refuses("a -> (b | ^within)", MALFORMED, "expected a kind of event, found \"within\"", "single quotes");
	refuses("(a | ^!b)", MALFORMED, "expected a kind of event, found \"!\"", NULL);
	refuses("(a^? | b)", MALFORMED, "expected \"|\" or \")\", found \"?\"", NULL);
	/* quotes */
	refuses("^'abc", MALFORMED, "a quoted kind is not closed", "twice");
	refuses("a -> ^'b''", MALFORMED, "a quoted kind is not closed", "twice");
	refuses("a -> ^'b -> c", MALFORMED, "a quoted kind is not closed", "twice");
	refuses("^'", MALFORMED, "a quoted kind is not closed", NULL);
	refuses("^''", MALFORMED, "a kind is empty", NULL);
	refuses("a -> (b | ^'')", MALFORMED, "a kind is empty", NULL);
	refuses("'a' ^'b'", MALFORMED, "found \"'\"", NULL);
	/* optional steps and limits */
	refuses("a^? -> b", MALFORMED, "the first step cannot be optional", "leave that step out");
	refuses("a -> b?^?", MALFORMED, "marked optional twice", NULL);
	refuses("a -> b ? [1 day] ^?", MALFORMED, "marked optional twice", NULL);
	refuses("a ^[1 day] -> b", MALFORMED, "the first step has no step before it", "within");
	refuses("a -> b [1 day] ^[1 day]", MALFORMED, "two limits", NULL);
	refuses("a -> b [1 day^", MALFORMED, "expected \"]\", found the end", NULL);
	refuses("a -> b [1 day ^c]", MALFORMED, "expected \"]\", found \"c\"", NULL);
	refuses("a -> b [^]", MALFORMED, "expected a length of time such as 14 days, found \"]\"", NULL);
	refuses("a -> b [14^]", MALFORMED, "expected weeks, days, hours, minutes or seconds, found \"]\"", NULL);
	refuses("a -> b [2 ^months]", MALFORMED, "no fixed length", "30 days");
	/* exclusions */
	refuses("^!a -> b", MALFORMED, "expected a step, found \"!", "An exclusion stands between two steps");
	refuses("a -> !b^", MALFORMED, "expected \"->\" and a step, found the end", "between two steps");
	refuses("a -> !b ^within 3 days", MALFORMED, "expected \"->\" and a step, found \"within\"", NULL);
	refuses("a -> !b ^c -> d", MALFORMED, "expected \"->\" and a step, found \"c\"", NULL);
	refuses("a -> !b ->^", MALFORMED, "expected a step, found the end", NULL);
	refuses("a -> !^", MALFORMED, "expected a kind of event, found the end", NULL);
	refuses("a -> !^!b -> c", MALFORMED, "expected a kind of event, found \"!\"", NULL);
	refuses("a -> !(b | ^) -> c", MALFORMED, "expected a kind of event, found \")\"", NULL);
	refuses("a -> !b^? -> c", MALFORMED, "expected \"->\" and a step, found \"?\"", NULL);
	refuses("a ^!b -> c", MALFORMED, "found \"!\"", NULL);
	/* within */
	refuses("a -> b within^", MALFORMED, "expected a length of time such as 14 days, found the end", NULL);
	refuses("a -> b within ^days", MALFORMED, "expected a length of time such as 14 days, found \"days\"", NULL);
	refuses("a -> b within ^.5 days", MALFORMED, "expected a length of time", NULL);
	refuses("a -> b within ^-3 days", MALFORMED, "a length of time is positive", NULL);
	refuses("a -> b within ^0 days", MALFORMED, "a length of time is zero", NULL);
	refuses("a -> b within ^0.0 weeks", MALFORMED, "a length of time is zero", NULL);
	refuses("a -> b within ^0.0000009 seconds", MALFORMED, "a length of time is zero", "microsecond");
	refuses("a -> b within 3^", MALFORMED, "expected weeks, days, hours, minutes or seconds, found the end", NULL);
	refuses("a -> b within 3 ^fortnights", MALFORMED, "found \"fortnights\"", NULL);
	refuses("a -> b within 3 ^dayss", MALFORMED, "found \"dayss\"", NULL);
	refuses("a -> b within 3 ^s", MALFORMED, "found \"s\"", NULL);
	refuses("a -> b within 3 ^d", MALFORMED, "found \"d\"", NULL);
	refuses("a -> b within 1.5^.5 days", MALFORMED, "found \".5\"", NULL);
	refuses("a -> b within 1^e3 days", MALFORMED, "found \"e3\"", NULL);
	refuses("a -> b within 1^,5 days", MALFORMED, "expected weeks, days, hours, minutes or seconds, found \",\"", NULL);
	refuses("a -> b within 3 ^months", MALFORMED, "months and longer units have no fixed length", "Write 30 days");
	refuses("a -> b within 3^month", MALFORMED, "months and longer units have no fixed length", "Write 30 days");
	refuses("a -> b within 1 ^year", MALFORMED, "months and longer units have no fixed length", "Write 30 days");
	refuses("a -> b within 1.5 ^years", MALFORMED, "months and longer units have no fixed length", "Write 30 days");
	refuses("a -> b within 2 ^quarters", MALFORMED, "months and longer units have no fixed length", "90 days");
	refuses("a -> b within 1 day ^within 2 days", MALFORMED, "expected \",\" or the end, found \"within\"", NULL);
	refuses("a -> b within 1 day, ^within 2 days", MALFORMED, "within is given twice", NULL);
	refuses("a -> b within 1 day ^-> c", MALFORMED, "expected \",\" or the end, found \"->\"", NULL);
	refuses("a -> b within 1 day ^12 hours", MALFORMED, "expected \",\" or the end, found \"12\"", NULL);
	/* options */
	refuses("a -> b,^", MALFORMED, "expected an option, found the end", NULL);
	refuses("a -> b within 1 day, ^", MALFORMED, "expected an option, found the end", NULL);
	refuses("a -> b, ^, totals", MALFORMED, "expected an option, found \",\"", NULL);
	refuses("a -> b, ^bogus", MALFORMED, "expected an option, found \"bogus\"", "Options are: strict order");
	refuses("a -> b, ^strict", MALFORMED, "expected an option, found \"strict\"", "strict increase");
	refuses("a -> b, ^strict thing", MALFORMED, "expected an option, found \"strict\"", NULL);
	refuses("a -> b, ^STRICTLY ONCE", MALFORMED, "expected an option, found \"STRICTLY\"", NULL);
	refuses("a -> b, strict once, ^strict once", MALFORMED, "an option is given twice", NULL);
	refuses("a -> b, strict once ^totals", MALFORMED, "expected \"->\", \"within\" or \",\", found \"totals\"", NULL);
	refuses("a -> b, ^'strict once'", MALFORMED, "expected an option", NULL);

	/* parts that do not go together: the fault is at the option that came last */
	refuses("a -> b [1 day], ^any order", MALFORMED, "any order does not go with a limit on one step", "within");
	refuses("a -> b -> c [1 day] within 3 days, totals, ^ANY  order", MALFORMED, "a limit on one step", "leave any order out");
	refuses("a -> !x -> b, ^any order", MALFORMED, "any order does not go with an exclusion", "leave one of them out");
	refuses("a -> !x -> b within 1 day, first entry, ^any order", MALFORMED, "an exclusion", NULL);
	refuses("a -> !x -> b [1 day], ^any order", MALFORMED, "a limit on one step", NULL);
	refuses("a -> b, any order, ^strict order", MALFORMED, "any order does not go with strict order", "Leave one");
	refuses("a -> b, strict order, ^any order", MALFORMED, "any order does not go with strict order", NULL);
	refuses("a -> b, any order, totals, ^count skipped", MALFORMED, "any order does not go with count skipped",
			"leave count skipped out");
	refuses("a -> b, count skipped within 1 day, ^any order", MALFORMED, "any order does not go with count skipped", NULL);
	refuses("a -> b, any order within 1 day, ^count reopened", MALFORMED, "any order does not go with count reopened",
			"leave count reopened out");
	refuses("a -> b, count reopened, ^any order", MALFORMED, "any order does not go with count reopened", NULL);
	refuses("a -> b, any order, ^strict order, count skipped", MALFORMED, "strict order", NULL);
	refuses("a -> b, any order, ^any order", MALFORMED, "an option is given twice", NULL);
	refuses("a -> b, count skipped, ^count  skipped", MALFORMED, "an option is given twice", NULL);
	refuses("a -> b, ^count", MALFORMED, "expected an option, found \"count\"", "count skipped, count reopened.");
	refuses("a -> b, ^count once", MALFORMED, "expected an option, found \"count\"", NULL);
	refuses("a -> b, any order, ^bogus", MALFORMED, "expected an option", NULL);
	/* a step all of whose kinds are excluded before it */
	refuses("call -> !won -> ^won", MALFORMED, "step \"won\" is excluded by itself", "Leave the exclusion before that step out");
	refuses("a->!a->^a", MALFORMED, "step \"a\" is excluded by itself", NULL);
	refuses("a -> !b -> c -> !(x | c | b) -> ^(b | c)? -> d", MALFORMED, "step \"b | c\" is excluded by itself", NULL);
	refuses("a -> !b -> !'b c' -> ^('b c' | b)", MALFORMED, "step \"'b c' | b\" is excluded by itself", NULL);
	refuses("a -> !b -> ^'b', bogus", MALFORMED, "step \"b\" is excluded by itself", NULL);

	/* lengths of time over a limit */
	refuses("a -> b within ^5000000 weeks", TOO_LARGE, "over 4,500 years", "Leave the limit out");
	refuses("a -> b within ^144115188076 seconds", TOO_LARGE, "over 4,500 years", NULL);
	refuses("a -> b within ^99999999999999999999999999999999 days", TOO_LARGE, "over 4,500 years", NULL);
	refuses("a -> b within ^238300 weeks", TOO_LARGE, "over 4,500 years", NULL);
	refuses("a -> b [^1700000 days]", TOO_LARGE, "over 4,500 years", NULL);
}

/* Long texts: limits, and messages that have to be cut */
static void
test_long(void)
{
	static char text[1000000];
	size_t		n;
	AmSpecFault fault;
	AmFunnelSpec *spec;

	for (int steps = 63; steps <= 66; steps++)
	{
		size_t		last = 0;

		n = 0;
		for (int i = 0; i < steps; i++)
		{
			if (i == 64)
				last = n + 4;
			n += sprintf(text + n, "%ss%d", i ? " -> " : "", i);
		}
		if (steps <= 64)
		{
			spec = parse(text, n, &fault);
			ok(spec && spec->n_steps == steps && spec->n_roles == steps && !inconsistency(spec), "%d steps", steps);
			forget();
		}
		else
			refuses_at(text, n, last, TOO_LARGE, "a funnel has at most 64 steps",
					   "Leave steps out, or put those that belong together into one: (a | b).", steps == 65 ? "65 steps" : "66 steps");
	}

	/* the last gap of 64 steps, marks on the last step */
	n = sprintf(text, "s0");
	for (int i = 1; i < 63; i++)
		n += sprintf(text + n, "->s%d?", i);
	n += sprintf(text + n, "->!x->!s0->s63[1 day], count skipped");
	spec = parse(text, n, &fault);
	ok(spec && spec->n_steps == 64 && !inconsistency(spec) && find_kind(spec, "x", 1) >= 0 &&
	   spec->roles[spec->kinds[find_kind(spec, "x", 1)].role].excludes == UINT64_C(1) << 62 &&
	   spec->roles[spec->kinds[find_kind(spec, "s63", 3)].role].fills == UINT64_C(1) << 63 &&
	   spec->steps[63].limit == DAY && spec->steps[62].optional, "64 steps, with exclusions before the last");
	forget();

	/* seven steps: kind i fills the steps of the bits of i, z all of them, and one or two kinds exclude */
	for (int roles = 128; roles <= 129; roles++)
	{
		n = 0;
		for (int step = 0; step < 7; step++)
		{
			if (step > 0)
				n += sprintf(text + n, " -> ");
			if (step == 1)
				n += sprintf(text + n, "!x -> ");
			if (step == 2 && roles == 129)
				n += sprintf(text + n, "!y -> ");
			n += sprintf(text + n, "(z");
			for (int kind = 1; kind < 127; kind++)
				if (kind & (1 << step))
					n += sprintf(text + n, " | k%d", kind);
			n += sprintf(text + n, ")");
		}
		if (roles == 128)
		{
			spec = parse(text, n, &fault);
			ok(spec && spec->n_roles == 128 && !inconsistency(spec), "seven steps, 128 roles");
			forget();
		}
		else
			refuses_at(text, n, 0, TOO_LARGE, "at most 128 kinds that differ", "Split the funnel", "seven steps, 129 roles");
	}

	/* excluding kinds have roles of their own as long as these do */
	for (int kinds = 126; kinds <= 127; kinds++)
	{
		n = sprintf(text, "a -> !(");
		for (int i = 0; i < kinds; i++)
			n += sprintf(text + n, "%sx%d", i ? " | " : "", i);
		n += sprintf(text + n, ") -> b");
		spec = parse(text, n, &fault);
		ok(spec && spec->n_kinds == kinds + 2 && spec->n_roles == (kinds == 126 ? 128 : 3) && !inconsistency(spec),
		   "%d excluding kinds %s", kinds, kinds == 126 ? "are told apart" : "share a role");
		forget();
	}

	/* a word of 100 characters of three bytes: shown up to 60 bytes, and none cut */
	n = sprintf(text, "a ");
	for (int i = 0; i < 100; i++)
		n += sprintf(text + n, "成");
	refuses_at(text, n, 2, MALFORMED, "found \"成成成成成成成成成成成成成成成成成成成成\"", NULL, "a long word is cut");
	memmove(text + 3, text + 2, n - 2);
	text[2] = 'x';
	refuses_at(text, n + 1, 2, MALFORMED, "found \"x成成成成成成成成成成成成成成成成成成成\"", NULL, "... between characters");

	/* a kind of 60,000 bytes, and a text over the limit */
	n = 0;
	text[n++] = '\'';
	memset(text + n, 'k', 60000);
	n += 60000;
	n += sprintf(text + n, "' -> b");
	spec = parse(text, n, &fault);
	ok(spec && spec->n_steps == 2 && strlen(spec->steps[0].label) == 60000 && !inconsistency(spec), "a very long kind");
	forget();
	memset(text, 'k', 70000);
	spec = parse(text, 70000, &fault);
	ok(!spec && fault.too_large && fault.offset == 0, "a specification over the limit of its length");
	forget();

	/* kinds over their limit, in a step and in an exclusion */
	for (int excluded = 0; excluded <= 1; excluded++)
	{
		size_t		last = 0;

		n = sprintf(text, "k0 -> %s(", excluded ? "!" : "");
		for (int i = 1; i <= AM_FUNNEL_MAX_KINDS; i++)
		{
			last = n + (i > 1);
			n += sprintf(text + n, "%sk%d", i > 1 ? "|" : "", i);
		}
		n += sprintf(text + n, ")%s", excluded ? " -> k0" : "");
		refuses_at(text, n, last, TOO_LARGE, "a funnel names at most 1000 kinds", "in a view",
				   excluded ? "1001 kinds, most of them excluded" : "1001 kinds");
	}

	/* memory stays in proportion to the text */
	n = sprintf(text, "(");
	for (int i = 0; i < AM_FUNNEL_MAX_KINDS - 1; i++)
		n += sprintf(text + n, "%s'kind %d'", i ? " | " : "", i);
	n += sprintf(text + n, ") -> b");
	spec = parse(text, n, &fault);
	ok(spec && spec->n_kinds == AM_FUNNEL_MAX_KINDS, "as many quoted kinds as there may be");
	if (!ok(allocated < 64 * n, "... take memory in proportion to their text"))
		printf("# %zu bytes for a text of %zu\n", allocated, n);
	forget();
}

/*
 * Random specifications with the outcome known beforehand: kinds, quoting,
 * blanks, alternatives, marks, exclusions, lengths of time and options are
 * drawn, and so is what has to be read.
 */

static uint64_t random_state = UINT64_C(88172645463325252);

static uint32_t
draw(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t) ((random_state >> 32) * n >> 32);
}

static size_t
put_blanks(char *text)
{
	static const char blanks[] = " \t\n\r\v\f";
	size_t		n = 0;

	while (draw(2))
		text[n++] = blanks[draw(sizeof(blanks) - 1)];
	return n;
}

static const char *const names[] = {
	"a", "b", "call", "meeting", "follow-up", "first call", "it's", "within", "(x|y)", "a -> b", "Ü", "成約", "90", "!", "'",
	"strict", "a,b", "->", "long long name of a kind with many words in it", "-", " x", "kind?", "[1 day]", "totals"
};

#define N_NAMES	((int) (sizeof(names) / sizeof(names[0])))

/* written without quotes? */
static bool
is_plain(const char *name)
{
	return !strpbrk(name, " ()|?[],!'") && !strstr(name, "->") && strcmp(name, "within") != 0;
}

static size_t
put_kind(char *text, const char *name)
{
	size_t		n = 0;

	if (is_plain(name) && draw(3))
		return (size_t) sprintf(text, "%s", name);
	text[n++] = '\'';
	for (; *name; name++)
	{
		if (*name == '\'')
			text[n++] = '\'';
		text[n++] = *name;
	}
	text[n++] = '\'';
	return n;
}

static size_t
put_duration(char *text, int64_t *duration)
{
	static const struct
	{
		const char *name;
		int64_t		length;
	}			units[] = {{"week", WEEK}, {"day", DAY}, {"hour", HOUR}, {"minute", MINUTE}, {"second", SECOND}};
	int			u = draw(5);
	int64_t		whole = draw(3) ? draw(400) : draw(200000);
	int			decimals = draw(2) ? 0 : 1 + draw(6);
	int64_t		scale = 1;
	int64_t		fraction = 0;
	size_t		n;

	for (int i = 0; i < decimals; i++)
	{
		fraction = fraction * 10 + draw(10);
		scale *= 10;
	}
	if (whole == 0 && fraction == 0)
		whole = 1;
	*duration = whole * units[u].length + fraction * (units[u].length / scale);
	n = sprintf(text, "%" PRId64, whole);
	if (decimals)
		n += sprintf(text + n, ".%0*" PRId64, decimals, fraction);
	n += put_blanks(text + n);
	return n + sprintf(text + n, "%s%s", units[u].name, draw(2) ? "s" : "");
}

static void
test_generated(int times)
{
	int			bad = 0;

	for (int done = 0; done < times; done++)
	{
		char		text[8192];
		size_t		n = put_blanks(text);
		int			n_steps = 1 + draw(8);
		uint64_t	fills[N_NAMES] = {0};
		int			n_kinds = 0;
		uint64_t	excludes[N_NAMES] = {0};
		uint64_t	optional = 0;
		int64_t		limits[8];
		int64_t		within = AM_NO_LIMIT;
		uint32_t	wanted = draw(3) ? 0 : draw(1 << 8);
		uint32_t	given = 0;
		AmSpecFault fault;
		AmFunnelSpec *spec;
		const char *wrong;
		char		last;

		if (wanted & AM_FUNNEL_ANY_ORDER)
			wanted &= ~(uint32_t) (AM_FUNNEL_STRICT_ORDER | AM_FUNNEL_COUNT_SKIPPED | AM_FUNNEL_COUNT_REOPENED);

		for (int step = 0; step < n_steps; step++)
		{
			int			kinds = draw(3) ? 1 : 1 + draw(4);
			bool		group = kinds > 1 || draw(4) == 0;
			int			chosen[4];

			for (int i = 0; i < kinds; i++)
			{
				chosen[i] = draw(N_NAMES);
				fills[chosen[i]] |= UINT64_C(1) << step;
			}
			if (step)
			{
				/* a blank before the arrow, or it is part of nothing: '-' may end a word */
				n += sprintf(text + n, " ->");
				n += put_blanks(text + n);
			}
			while (step && !(wanted & AM_FUNNEL_ANY_ORDER) && draw(4) == 0)
			{
				int			k = draw(N_NAMES);

				/* one kind at least stays to take the step */
				if (k == chosen[0])
					continue;
				text[n++] = '!';
				n += put_blanks(text + n);
				n += put_kind(text + n, names[k]);
				n += sprintf(text + n, " ->");
				n += put_blanks(text + n);
				excludes[k] |= UINT64_C(1) << (step - 1);
			}
			if (group)
				text[n++] = '(';
			for (int i = 0; i < kinds; i++)
			{
				if (i)
					text[n++] = '|';
				n += put_blanks(text + n);
				n += put_kind(text + n, names[chosen[i]]);
				n += put_blanks(text + n);
			}
			if (group)
				text[n++] = ')';
			limits[step] = AM_NO_LIMIT;
			if (step && draw(4) == 0)
			{
				text[n++] = '?';
				n += put_blanks(text + n);
				optional |= UINT64_C(1) << step;
			}
			if (step && !(wanted & AM_FUNNEL_ANY_ORDER) && draw(4) == 0)
			{
				text[n++] = '[';
				n += put_blanks(text + n);
				n += put_duration(text + n, &limits[step]);
				n += put_blanks(text + n);
				text[n++] = ']';
			}
		}
		/* within before the options, among them or after them */
		for (bool timed = draw(2); timed || given != wanted;)
		{
			int			i = draw(9);

			if (i == 8 ? !timed : !(wanted & ~given & (UINT32_C(1) << i)))
				continue;
			if (i < 8)
			{
				n += sprintf(text + n, "%s, ", draw(2) ? " " : "");
				n += put_blanks(text + n);
				n += sprintf(text + n, "%s", option_names[i]);
				given |= UINT32_C(1) << i;
			}
			else
			{
				n += sprintf(text + n, "%s within ", draw(3) ? "" : ",");
				n += put_blanks(text + n);
				n += put_duration(text + n, &within);
				timed = false;
			}
		}
		n += put_blanks(text + n);
		last = text[n];
		text[n] = '\0';

		spec = parse(text, n, &fault);
		wrong = spec ? inconsistency(spec) : fault.message;
		if (!wrong && spec->n_steps != n_steps)
			wrong = "number of steps";
		if (!wrong && spec->within != within)
			wrong = "within";
		for (int k = 0; k < N_NAMES && !wrong; k++)
		{
			int			found = find_kind(spec, names[k], (int) strlen(names[k]));

			n_kinds += (fills[k] | excludes[k]) != 0;
			if ((found >= 0 ? spec->roles[spec->kinds[found].role].fills : 0) != fills[k] ||
				(found >= 0 ? spec->roles[spec->kinds[found].role].excludes : 0) != excludes[k])
				wrong = names[k];
		}
		if (!wrong && spec->n_kinds != n_kinds)
			wrong = "number of kinds";
		if (!wrong && spec->options != wanted)
			wrong = "options";
		for (int step = 0; step < n_steps && !wrong; step++)
			if (spec->steps[step].optional != (optional >> step & 1) || spec->steps[step].limit != limits[step])
				wrong = "marks of a step";
		if (wrong && bad++ < 3)
			printf("# %s\n#   wrong: %s\n", text, wrong);
		text[n] = last;
		forget();
	}
	ok(bad == 0, "%d random specifications are read as they were meant (%d are not)", times, bad);
}

/* Mutants, truncations and noise: never a crash, and the fault always fit to be shown */
static void
test_fuzz(int times)
{
	static const char *const seeds[] = {
		"call -> meeting [14 days] -> !lost -> (proposal | quote) -> legal? -> won within 90 days, strict order",
		"call -> (demo | meeting) -> won within 90 days",
		"'first call' -> 'it''s' -> (a|b|'c d') within 1.5 hours, strict once",
		"Anruf -> Gespräch -> (成約 | 🎉) within 12.000001 weeks",
		"a->!b->!(c|d)->e?[3 minutes]->f[0.5 seconds], first entry, totals, count skipped, count reopened, strict increase",
		"a -> (b | c)? -> d, any order, totals within 3 days, strict increase",
		("s1->s2->s3->s4->s5->s6->s7->s8->s9->s10->s11->s12->s13->s14->s15->s16->s17->s18->s19->s20->s21->s22->s23->"
		 "s24->s25->s26->s27->s28->s29->s30->s31->s32->s33->s34->s35->s36->s37->s38->s39->s40->s41->s42->s43->s44->s45->"
		 "s46->s47->s48->s49->s50->s51->s52->s53->s54->s55->s56->s57->s58->s59->s60->s61->s62->!x->s63->s64"),
		"a -> b within 144115188075 seconds"
	};
	static const char *const pieces[] = {
		"->", "(", ")", "|", "?", "[", "]", ",", "!", "'", "''", " ", "within", " within 3 days", "strict once", "-", ">", "0", "9",
		".", "month", "days", "a", "\n", "ü", "成", "\xff", "\xc3", "\x80", "99999999999", "[1 day]", ", totals", ", any order", "!a->",
		", strict order"
	};
	int			accepted = 0;
	int			apart = 0;
	int			bad = 0;

	for (int done = 0; done < times; done++)
	{
		char		text[600];
		size_t		n = 0;
		AmSpecFault fault;
		AmFunnelSpec *spec;
		const char *wrong;

		if (draw(10) == 0)
		{
			/* noise: of all bytes, or of the language's */
			bool		any = draw(2);

			for (n = 0; n < 100 && draw(30); n++)
				text[n] = any ? (char) draw(256) : "a->(b|c)!?[]',. 1wd\0"[draw(20)];
		}
		else
		{
			const char *seed = seeds[draw(sizeof(seeds) / sizeof(seeds[0]))];

			n = strlen(seed);
			memcpy(text, seed, n);
			for (uint32_t changes = draw(5) + (draw(2) ? 0 : 1); changes > 0; changes--)
			{
				size_t		at = draw((uint32_t) n + 1);
				const char *piece = pieces[draw(sizeof(pieces) / sizeof(pieces[0]))];
				size_t		length = strlen(piece);

				switch (draw(5))
				{
					case 0:		/* cut off */
						n = at;
						break;
					case 1:		/* a piece out */
						length = draw(8) + 1;
						if (at + length > n)
							length = n - at;
						memmove(text + at, text + at + length, n - at - length);
						n -= length;
						break;
					case 2:		/* one byte */
						if (at < n)
							text[at] = draw(2) ? (char) draw(256) : piece[0];
						break;
					case 3:		/* twice from here */
						length = draw(20);
						if (at + length > n)
							length = n - at;
						if (n + length < sizeof(text))
						{
							memmove(text + at + length, text + at, n - at);
							n += length;
						}
						break;
					default:	/* a piece in */
						if (n + length < sizeof(text))
						{
							memmove(text + at + length, text + at, n - at);
							memcpy(text + at, piece, length);
							n += length;
						}
				}
			}
		}

		spec = parse(text, n, &fault);
		if (spec)
			accepted++;
		else
			apart += strstr(fault.message, "any order does not go with") != NULL;
		wrong = spec ? inconsistency(spec) : bad_fault(text, n, &fault);
		/* the same text parses to the same */
		if (wrong && bad++ < 3)
		{
			printf("# wrong: %s\n# text (%zu bytes):", wrong, n);
			for (size_t i = 0; i < n; i++)
				if (text[i] < 32 || text[i] > 126)
					printf("\\x%02x", (unsigned char) text[i]);
				else
					putchar(text[i]);
			putchar('\n');
		}
		forget();
	}
	ok(bad == 0, "%d mutants and noise: no crash, no unfit fault (%d)", times, bad);
	ok(accepted > times / 20 && apart > times / 10000, "of them %d are accepted, %d are of parts that do not go together",
	   accepted, apart);
}

int
main(void)
{
	am_host_alloc = counting_alloc;
	am_host_free = counting_free;

	test_accepted();
	test_roles();
	test_refused();
	test_long();
	test_generated(30000);
	test_fuzz(300000);
	return done_testing();
}
