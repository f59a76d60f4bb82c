/*
 * window_funnel(within [, mode], at, VARIADIC steps): SQL glue.
 *
 * One state per group, so it is small: 16 bytes and 16 for each row that fits
 * a step, in one chunk whose size is a power of two.  Rows are sorted when the
 * group ends, unless they came in order.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "common/compat.h"

#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "common/options.h"
#include "funnel/window_funnel.h"

#define STATE_VERSION	1
#define FIRST_LOG2		6		/* of the size of a new state: room for three rows */
/* the count of rows has 32 bits */
#define LAST_LOG2		(sizeof(Size) < 8 ? 30 : 36)

#define ST_SORT sort_rows
#define ST_ELEMENT_TYPE AmWindowRow
#define ST_COMPARE(a, b) ((a)->time < (b)->time ? -1 : (a)->time > (b)->time)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

typedef struct WindowFunnelState
{
	uint64		within;			/* microseconds */
	uint32		n;
	uint8		n_steps;
	uint8		mode;
	uint8		size_log2;		/* of the chunk */
	bool		sorted;			/* by time */
	AmWindowRow rows[FLEXIBLE_ARRAY_MEMBER];
} WindowFunnelState;

StaticAssertDecl(offsetof(WindowFunnelState, rows) == sizeof(AmWindowRow), "the header takes the place of one row");

static WindowFunnelState *
create_state(MemoryContext context, uint64 within, int n_steps, int mode)
{
	WindowFunnelState *state = MemoryContextAlloc(context, (Size) 1 << FIRST_LOG2);

	state->within = within;
	state->n = 0;
	state->n_steps = (uint8) n_steps;
	state->mode = (uint8) mode;
	state->size_log2 = FIRST_LOG2;
	state->sorted = true;
	return state;
}

static inline uint32
room(const WindowFunnelState *state)
{
	return (uint32) (((Size) 1 << state->size_log2) / sizeof(AmWindowRow) - 1);
}

static pg_noinline WindowFunnelState *
grow(WindowFunnelState *state, uint64 wanted)
{
	int			size_log2 = state->size_log2;

	do
	{
		if (++size_log2 > (int) LAST_LOG2)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("a group of window_funnel has more than %u rows", state->n),
					 errhint("GROUP BY the entity, or leave rows that fit no step out with FILTER.")));
	} while (((Size) 1 << size_log2) / sizeof(AmWindowRow) - 1 < wanted);
	state = repalloc_huge(state, (Size) 1 << size_log2);
	state->size_log2 = (uint8) size_log2;
	return state;
}

static inline WindowFunnelState *
add_row(WindowFunnelState *state, int64 time, uint64 fits)
{
	if (unlikely(state->n == room(state)))
		state = grow(state, (uint64) state->n + 1);
	if (state->n > 0 && time < state->rows[state->n - 1].time)
		state->sorted = false;
	state->rows[state->n].time = time;
	state->rows[state->n].fits = fits;
	state->n++;
	return state;
}

/*
 * Modes
 */
typedef struct ModeName
{
	const char *name;
	int			flag;
} ModeName;

static const ModeName modes[] = {
	{"default", 0},
	{"strict_deduplication", AM_WINDOW_STRICT_DEDUPLICATION},
	{"strict_order", AM_WINDOW_STRICT_ORDER},
	{"strict_increase", AM_WINDOW_STRICT_INCREASE},
	{"strict_once", AM_WINDOW_STRICT_ONCE},
	{"allow_reentry", AM_WINDOW_ALLOW_REENTRY},
};

/* Names of other systems and times */
static const struct
{
	const char *name;
	const char *hint;
}			foreign_modes[] =
{
	{"strict", "Its name is strict_deduplication now. A mode in which rows that fit no step end the scan is strict_order."},
	{"deduplication", "The nearest mode is strict_deduplication, in which the first step may repeat."},
	{"fixed", "The nearest mode is strict_order, in which steps may repeat and a row that fits no step ends the scan."},
	{"increase", "Here it is strict_increase."},
	{"keep_all", "strict_order sees the rows that fit no step anyhow."},
};

extern Datum am_nearest_name(PG_FUNCTION_ARGS);

static char *
mode_text(int flags)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 1; i < lengthof(modes); i++)
		if (flags & modes[i].flag)
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", modes[i].name);
	return names.len > 0 ? names.data : pstrdup(modes[0].name);
}

static void
refuse_mode(const char *part, const char *normal)
{
	Datum		names[lengthof(modes)];
	char	   *nearest;

	for (int i = 0; i < lengthof(foreign_modes); i++)
		if (strcmp(normal, foreign_modes[i].name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unknown mode \"%s\"", part),
					 errhint("%s", foreign_modes[i].hint)));
	for (int i = 0; i < lengthof(modes); i++)
		names[i] = CStringGetTextDatum(modes[i].name);
	/* a longer name is like none of them */
	nearest = *normal == '\0' || strlen(normal) > 60 ? NULL :
		TextDatumGetCString(DirectFunctionCall2(am_nearest_name, CStringGetTextDatum(normal),
												PointerGetDatum(construct_array(names, lengthof(modes), TEXTOID,
																				-1, false, TYPALIGN_INT))));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown mode \"%.*s\"", pg_mbcliplen(part, strlen(part), 200), part),
			 errdetail("Modes, separated by commas: default, strict_deduplication, strict_order, strict_increase, strict_once, allow_reentry."),
			 nearest ? errhint("Did you mean \"%s\"?", nearest) : 0));
}

static int
parse_mode(const char *text)
{
	AmOptionReader reader;
	int			flags = 0;

	am_options_start(&reader, text);
	while (am_options_next(&reader))
	{
		char	   *normal = pstrdup(reader.part);
		int			i = 0;

		for (char *c = normal; *c; c++)
			*c = *c == ' ' ? '_' : (char) pg_ascii_tolower((unsigned char) *c);
		while (i < lengthof(modes) && strcmp(normal, modes[i].name) != 0)
			i++;
		if (i == lengthof(modes))
			refuse_mode(reader.part, normal);
		flags |= modes[i].flag;
	}
	if ((flags & AM_WINDOW_ALLOW_REENTRY) && !(flags & AM_WINDOW_STRICT_ORDER))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mode allow_reentry needs strict_order"),
				 errdetail("It lets steps that come too early pass, which only strict_order stops at."),
				 errhint("Write 'strict_order, allow_reentry'.")));
	return flags;
}

/* The text is almost always that of the row before */
typedef struct ModeCache
{
	int			flags;
	int			length;
	char		text[FLEXIBLE_ARRAY_MEMBER];
} ModeCache;

static inline int
mode_flags(FmgrInfo *flinfo, const text *mode)
{
	ModeCache  *cache = flinfo->fn_extra;
	int			length = VARSIZE_ANY_EXHDR(mode);
	int			flags;

	if (likely(cache && cache->length == length && memcmp(cache->text, VARDATA_ANY(mode), length) == 0))
		return cache->flags;
	flags = parse_mode(text_to_cstring(mode));
	if (cache)
		pfree(cache);
	flinfo->fn_extra = cache = MemoryContextAlloc(flinfo->fn_mcxt, offsetof(ModeCache, text) + length);
	cache->flags = flags;
	cache->length = length;
	memcpy(cache->text, VARDATA_ANY(mode), length);
	return flags;
}

/*
 * The other arguments
 */
static char *
interval_text(const Interval *interval)
{
	return DatumGetCString(DirectFunctionCall1(interval_out, PointerGetDatum(interval)));
}

/* A window that is longer than all of time covers it */
static pg_noinline uint64
unusual_window(const Interval *within)
{
	int64		days = within->day;
	int64		time = within->time % USECS_PER_DAY;

#ifdef INTERVAL_NOT_FINITE
	if (INTERVAL_NOT_FINITE(within))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("within %s is infinite", interval_text(within)),
				 errhint("Give a long window instead, such as 100000 days.")));
#endif
	if (within->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("within %s has months or years, which have no fixed length", interval_text(within)),
				 errhint("Give days, such as 30 days; a day is 24 hours.")));
	days += within->time / USECS_PER_DAY;
	if (time < 0)
	{
		time += USECS_PER_DAY;
		days--;
	}
	if (days < 0 || (days == 0 && time == 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("within %s is not positive", interval_text(within)),
				 errhint("Give the time from the first step to the last, such as 30 days.")));
	if ((uint64) days >= PG_UINT64_MAX / (uint64) USECS_PER_DAY)
		return PG_UINT64_MAX;
	return (uint64) days * (uint64) USECS_PER_DAY + (uint64) time;
}

static inline uint64
window(const Interval *within)
{
	int64		limit = INT64CONST(1) << 61;

	if (likely(within->month == 0 && within->day >= 0 && within->day < 10000000 &&
			   within->time >= 0 && within->time < limit && (within->day | within->time)))
		return (uint64) (within->day * USECS_PER_DAY + within->time);
	return unusual_window(within);
}

static pg_noinline void
refuse_steps(const ArrayType *steps, int n)
{
	if (ARR_NDIM(steps) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("array of steps has %d dimensions", ARR_NDIM(steps)),
				 errhint("Give one condition for each step.")));
	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("window_funnel has no steps"),
				 errhint("Give one condition for each step, such as kind = 'call', kind = 'won'.")));
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("window_funnel has %d steps", n),
			 errdetail("At most %d can be matched.", AM_WINDOW_MAX_STEPS),
			 errhint("Leave steps out, or match the rest with a second call.")));
}

/* Straight from the array; NULL is false */
static inline uint64
read_steps(const ArrayType *steps, int *n_steps)
{
	int			n = ARR_NDIM(steps) == 1 ? ARR_DIMS(steps)[0] : 0;
	const char *value = ARR_DATA_PTR(steps);
	uint64		fits = 0;

	if (unlikely(n <= 0 || n > AM_WINDOW_MAX_STEPS))
		refuse_steps(steps, n);
	if (ARR_HASNULL(steps))
	{
		const bits8 *there = ARR_NULLBITMAP(steps);

		for (int i = 0; i < n; i++)
			if (there[i / 8] & (1 << (i % 8)))
				fits |= (uint64) (*value++ != 0) << i;
	}
	else
		for (int i = 0; i < n; i++)
			fits |= (uint64) (value[i] != 0) << i;
	*n_steps = n;
	return fits;
}

static void
refuse_null(const char *argument, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("argument %s of window_funnel is null", argument),
			 errhint("%s", hint)));
}

/* A window as an interval of hours, as days have 24 of them */
static char *
window_text(uint64 within)
{
	Interval	interval = {0};

	if (within > (uint64) PG_INT64_MAX)
		return pstrdup("longer than all times");
	interval.time = (TimeOffset) within;
	return interval_text(&interval);
}

static pg_noinline void
refuse_change(const WindowFunnelState *state, uint64 within, int n_steps, int mode)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s of window_funnel changes within a group",
					state->within != within ? "within" : state->mode != mode ? "mode" : "number of steps"),
			 state->within != within ?
			 errdetail("It is %s in one row and %s in another.", window_text(state->within), window_text(within)) :
			 state->mode != mode ?
			 errdetail("It is %s in one row and %s in another.", mode_text(state->mode), mode_text(mode)) :
			 errdetail("It is %d in one row and %d in another.", state->n_steps, n_steps),
			 errhint("Pass the same value for all rows, or GROUP BY it.")));
}

static inline void
check_same(const WindowFunnelState *state, uint64 within, int n_steps, int mode)
{
	if (unlikely(state->within != within || state->n_steps != n_steps || state->mode != mode))
		refuse_change(state, within, n_steps, mode);
}

/*
 * Arguments: state, within, [mode,] at, steps.  A row of which nothing is kept
 * still makes a state: the answer is then 0 and not NULL.
 */
static pg_attribute_always_inline Datum
transition(FunctionCallInfo fcinfo, int mode_arg, int at_arg, int steps_arg)
{
	WindowFunnelState *state;
	uint64		within;
	int			mode = 0;
	int			n_steps;
	uint64		fits;
	TimestampTz at;

	if (unlikely(PG_ARGISNULL(1)))
		refuse_null("within", "Give the time from the first step to the last, such as 30 days.");
	within = window(PG_GETARG_INTERVAL_P(1));
	if (mode_arg > 0)
	{
		if (unlikely(PG_ARGISNULL(mode_arg)))
			refuse_null("mode", "Leave it out, or write 'default'.");
		mode = mode_flags(fcinfo->flinfo, PG_GETARG_TEXT_PP(mode_arg));
	}
	if (unlikely(PG_ARGISNULL(steps_arg)))
		refuse_null("steps", "Give one condition for each step; a condition may be null, the array may not.");
	fits = read_steps(PG_GETARG_ARRAYTYPE_P(steps_arg), &n_steps);

	state = PG_ARGISNULL(0) ? NULL : (WindowFunnelState *) PG_GETARG_POINTER(0);
	if (state)
		check_same(state, within, n_steps, mode);
	if (PG_ARGISNULL(at_arg))
	{
		if (!state)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	at = PG_GETARG_TIMESTAMPTZ(at_arg);
	if (unlikely(TIMESTAMP_NOT_FINITE(at)))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("event time is infinite"),
				 errhint("Leave such rows out: FILTER (WHERE isfinite(at)).")));
	if (!state)
	{
		MemoryContext context;

		if (!AggCheckCallContext(fcinfo, &context))
			elog(ERROR, "window_funnel transition function called outside an aggregate");
		state = create_state(context, within, n_steps, mode);
	}
	if (fits != 0 || (mode & AM_WINDOW_STRICT_ORDER))
		state = add_row(state, at, fits);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(am_window_funnel_trans);
Datum
am_window_funnel_trans(PG_FUNCTION_ARGS)
{
	return transition(fcinfo, 0, 2, 3);
}

PG_FUNCTION_INFO_V1(am_window_funnel_mode_trans);
Datum
am_window_funnel_mode_trans(PG_FUNCTION_ARGS)
{
	return transition(fcinfo, 2, 3, 4);
}

/* The order of rows does not matter to anyone, so a final function may sort them in place */
static void
sort_state(WindowFunnelState *state)
{
	if (!state->sorted)
		sort_rows(state->rows, state->n);
	state->sorted = true;
}

PG_FUNCTION_INFO_V1(am_window_funnel_final);
Datum
am_window_funnel_final(PG_FUNCTION_ARGS)
{
	WindowFunnelState *state;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "window_funnel final function called outside an aggregate");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (WindowFunnelState *) PG_GETARG_POINTER(0);
	sort_state(state);
	PG_RETURN_INT32(am_window_funnel_level(state->rows, state->n, state->n_steps, state->within, state->mode));
}

/*
 * Format: byte version, byte steps, byte mode, int64 within, int32 rows; per
 * row int64 time and the steps it fits, eight to a byte, the first ones first.
 */
#define SERIAL_HEADER	15

static inline Size
bytes_per_row(int n_steps)
{
	return 8 + (n_steps + 7) / 8;
}

PG_FUNCTION_INFO_V1(am_window_funnel_serial);
Datum
am_window_funnel_serial(PG_FUNCTION_ARGS)
{
	WindowFunnelState *state;
	StringInfoData out;
	Size		mask_bytes;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "window_funnel serialisation function called outside an aggregate");
	state = (WindowFunnelState *) PG_GETARG_POINTER(0);
	mask_bytes = bytes_per_row(state->n_steps) - 8;
	if (state->n > (MaxAllocSize - VARHDRSZ - SERIAL_HEADER - 1) / bytes_per_row(state->n_steps))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a group of window_funnel has too many rows for a parallel plan: %u", state->n),
				 errdetail("Processes pass on at most 1 GB for each group."),
				 errhint("SET max_parallel_workers_per_gather = 0.")));
	pq_begintypsend(&out);
	enlargeStringInfo(&out, (int) (SERIAL_HEADER + state->n * bytes_per_row(state->n_steps)));
	pq_sendbyte(&out, STATE_VERSION);
	pq_sendbyte(&out, state->n_steps);
	pq_sendbyte(&out, state->mode);
	pq_sendint64(&out, state->within);
	pq_sendint32(&out, state->n);
	for (uint32 i = 0; i < state->n; i++)
	{
		uint64		fits = state->rows[i].fits;

		if ((i & 0xffff) == 0xffff)
			CHECK_FOR_INTERRUPTS();
		pq_sendint64(&out, state->rows[i].time);
		for (Size byte = 0; byte < mask_bytes; byte++, fits >>= 8)
			pq_sendbyte(&out, fits & 0xff);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

static void
refuse_state(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("cannot read a state of window_funnel"),
			 errdetail("%s", what)));
}

static WindowFunnelState *
absorb_bytes(FunctionCallInfo fcinfo, WindowFunnelState *state, StringInfo in)
{
	int			version;
	int			n_steps;
	int			mode;
	uint64		within;
	uint32		n;
	Size		mask_bytes;
	uint64		unknown_steps;

	if (in->len < SERIAL_HEADER)
		refuse_state("It ends too early.");
	version = pq_getmsgbyte(in);
	n_steps = pq_getmsgbyte(in);
	mode = pq_getmsgbyte(in);
	within = (uint64) pq_getmsgint64(in);
	n = pq_getmsgint(in, 4);
	if (version != STATE_VERSION)
		refuse_state(psprintf("It is of version %d.", version));
	if (n_steps < 1 || n_steps > AM_WINDOW_MAX_STEPS || within == 0 || (mode & ~AM_WINDOW_MODES) ||
		(mode & (AM_WINDOW_ALLOW_REENTRY | AM_WINDOW_STRICT_ORDER)) == AM_WINDOW_ALLOW_REENTRY)
		refuse_state("Its steps, window or mode are none that there are.");
	if ((uint64) (in->len - in->cursor) != (uint64) n * bytes_per_row(n_steps))
		refuse_state("Its length is not that of its rows.");

	if (state)
		check_same(state, within, n_steps, mode);
	else
	{
		MemoryContext context;

		if (!AggCheckCallContext(fcinfo, &context))
			elog(ERROR, "window_funnel combine function called outside an aggregate");
		state = create_state(context, within, n_steps, mode);
	}
	if ((uint64) state->n + n > room(state))
		state = grow(state, (uint64) state->n + n);
	mask_bytes = bytes_per_row(n_steps) - 8;
	unknown_steps = n_steps == AM_WINDOW_MAX_STEPS ? 0 : ~((UINT64CONST(1) << n_steps) - 1);
	for (uint32 i = 0; i < n; i++)
	{
		TimestampTz time = pq_getmsgint64(in);
		uint64		fits = 0;

		if ((i & 0xffff) == 0xffff)
			CHECK_FOR_INTERRUPTS();
		for (Size byte = 0; byte < mask_bytes; byte++)
			fits |= (uint64) pq_getmsgbyte(in) << (8 * byte);
		if (!IS_VALID_TIMESTAMP(time) || (fits & unknown_steps) ||
			(fits == 0 && !(mode & AM_WINDOW_STRICT_ORDER)))
			refuse_state("It has a row with a time or steps that there are not.");
		state = add_row(state, time, fits);
	}
	return state;
}

/* The other state is always one from am_state_deserial: partial plans serialise whatever they pass on */
PG_FUNCTION_INFO_V1(am_window_funnel_combine);
Datum
am_window_funnel_combine(PG_FUNCTION_ARGS)
{
	WindowFunnelState *state = PG_ARGISNULL(0) ? NULL : (WindowFunnelState *) PG_GETARG_POINTER(0);

	if (!PG_ARGISNULL(1))
		state = absorb_bytes(fcinfo, state, (StringInfo) PG_GETARG_POINTER(1));
	if (!state)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}
