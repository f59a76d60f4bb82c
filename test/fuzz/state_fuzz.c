/*
 * Any bytes as the serialised state of an aggregate: what is not one is
 * refused with an error that says so, in memory bounded by the length; what is
 * taken can be answered from, and written out and read again gives the same
 * answer.
 *
 * An input is two bytes and a state.  The first byte is the aggregate; of the
 * second, bit 0: there is a state already, that of the seed with the number in
 * bits 4 to 7; bit 1: the bytes are added twice; bit 2: the call has an
 * expression tree, and so remembers its specifications.
 *
 *	 state --seeds DIRECTORY	writes states of all aggregates there, as inputs
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "server_stubs.h"

#include <math.h>

#include "libpq/pqformat.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "common/am_host.h"
#include "funnel/funnel_state.h"
#include "panel/panel_state.h"

extern int	LLVMFuzzerInitialize(int *argc, char ***argv);
extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern Datum am_state_deserial(PG_FUNCTION_ARGS);
extern Datum am_exact_trans(PG_FUNCTION_ARGS);
extern Datum am_exact_serial(PG_FUNCTION_ARGS);
extern Datum am_exact_combine(PG_FUNCTION_ARGS);
extern Datum am_exact_sum_final(PG_FUNCTION_ARGS);
extern Datum am_exact_avg_final(PG_FUNCTION_ARGS);
extern Datum am_funnel_int8_trans(PG_FUNCTION_ARGS);
extern Datum am_funnel_text_trans(PG_FUNCTION_ARGS);
extern Datum am_funnel_serial(PG_FUNCTION_ARGS);
extern Datum am_funnel_combine(PG_FUNCTION_ARGS);
extern Datum am_funnel_entity_trans(PG_FUNCTION_ARGS);
extern Datum am_funnel_entity_serial(PG_FUNCTION_ARGS);
extern Datum am_funnel_entity_combine(PG_FUNCTION_ARGS);
extern Datum am_funnel_level_final(PG_FUNCTION_ARGS);
extern Datum am_panel_serial(PG_FUNCTION_ARGS);
extern Datum am_panel_combine(PG_FUNCTION_ARGS);
extern Datum am_window_funnel_mode_trans(PG_FUNCTION_ARGS);
extern Datum am_window_funnel_serial(PG_FUNCTION_ARGS);
extern Datum am_window_funnel_combine(PG_FUNCTION_ARGS);
extern Datum am_window_funnel_final(PG_FUNCTION_ARGS);

/* What a combine function may have in use: so much, and so much for each byte read */
#define MEMORY_AT_ALL	((size_t) 1024 * 1024)
#define MEMORY_OF_BYTE	256

#define LARGEST_STATE	(64 * 1024)

static const uint8_t *input;
static size_t input_size;

void
stub_show(void)
{
	fprintf(stderr, "input of %zu bytes:", input_size);
	for (size_t i = 0; i < input_size && i < 512; i++)
		fprintf(stderr, " %02x", input[i]);
	fprintf(stderr, "\n");
}

/* Calls a function; a NULL answer is 0 */
static Datum
call(PGFunction function, FmgrInfo *flinfo, int n_args, const NullableDatum *args)
{
	LOCAL_FCINFO(fcinfo, 10);

	InitFunctionCallInfoData(*fcinfo, flinfo, n_args, InvalidOid, NULL, NULL);
	memcpy(fcinfo->args, args, n_args * sizeof(NullableDatum));
	return function(fcinfo);
}

#define GIVEN(datum)	((NullableDatum) {datum, false})
#define MISSING			((NullableDatum) {0, true})

/* Of a state that may not be there yet */
static NullableDatum
state_argument(Datum state)
{
	return (NullableDatum) {state, state == 0};
}

static void
start_flinfo(FmgrInfo *flinfo)
{
	memset(flinfo, 0, sizeof(*flinfo));
	flinfo->fn_mcxt = stub_aggregate_context;
}

/*
 * Answers, as a hash of all numbers in them
 */
static uint64 answer;

static void
add_word(uint64 word)
{
	answer = am_mix64(answer + word + 1);
}

static void
add_number(double number)
{
	uint64		bits;

	memcpy(&bits, &number, sizeof(bits));
	add_word(isnan(number) ? 1 : bits);
}

static void
use_funnel(Datum datum)
{
	AmFunnelState *state = (AmFunnelState *) DatumGetPointer(datum);
	AmFunnelReading *reading = palloc(sizeof(AmFunnelReading));
	AmFunnelRow rows[AM_FUNNEL_MAX_STEPS];
	int			n_steps = state->plan->spec->n_steps;

	am_funnel_start_reading(state, reading);
	am_event_log_read(state->log, am_funnel_match_entity, reading);
	am_funnel_match_free(reading->match);
	for (int step = 0; step < n_steps; step++)
	{
		const AmFunnelCount *count = &reading->tally.counts[step];

		add_word(count->reached);
		add_word(count->entities);
		add_word(count->taken);
		add_word(count->still_open);
		add_word(count->timed_out);
		add_word(count->excluded);
		add_word(count->broken);
		add_word(count->passed_over);
	}
	am_funnel_tally_finish(&reading->tally, rows);
	for (int step = 0; step < n_steps; step++)
	{
		const double *numbers = (const double *) &rows[step];
		StringInfoData note;

		for (size_t i = 0; i < sizeof(AmFunnelRow) / sizeof(double); i++)
			add_number(numbers[i]);
		initStringInfo(&note);
		am_funnel_absent_kinds(state, step, &note);
		for (int i = 0; i < note.len; i++)
			add_word((unsigned char) note.data[i]);
	}
}

static void
add_final(PGFunction final, Datum state, bool is_float)
{
	FmgrInfo	flinfo;
	NullableDatum argument = GIVEN(state);
	Datum		result;

	start_flinfo(&flinfo);
	result = call(final, &flinfo, 1, &argument);
	if (is_float)
		add_number(DatumGetFloat8(result));
	else
		add_word(DatumGetInt32(result));
}

static void
use_entity(Datum state)
{
	add_final(am_funnel_level_final, state, false);
}

static void
use_window(Datum state)
{
	add_final(am_window_funnel_final, state, false);
}

static void
use_exact(Datum state)
{
	add_final(am_exact_sum_final, state, true);
	add_final(am_exact_avg_final, state, true);
}

static void
use_panel(Datum datum)
{
	AmPanelState *state = (AmPanelState *) DatumGetPointer(datum);
	AmPanel		panel;

	add_word(state->has_unknown);
	for (const char *c = state->options; c && *c; c++)
		add_word((unsigned char) *c);
	am_panel_finish(state, &panel);
	for (int32 unit = 0; unit < panel.n_units; unit++)
		for (const char *c = am_panel_unit_name(state, unit); *c; c++)
			add_word((unsigned char) *c);
	for (size_t i = 0; i < panel.n; i++)
	{
		/* what the methods take for granted: all in order, and no unit without a row */
		if (i == 0)
			REQUIRE(panel.unit[i] == 0);
		else if (panel.unit[i] == panel.unit[i - 1])
			REQUIRE(panel.period[i] > panel.period[i - 1]);
		else
			REQUIRE(panel.unit[i] == panel.unit[i - 1] + 1);
		add_word(panel.unit[i]);
		add_word(panel.period[i]);
		add_number(panel.x[i]);
		add_number(panel.y[i]);
		add_number(panel.quality ? panel.quality[i] : 0);
	}
	REQUIRE(panel.n_units == (panel.n > 0 ? panel.unit[panel.n - 1] + 1 : 0));
	am_panel_check_span(&panel);
}

typedef struct Aggregate
{
	const char *name;
	PGFunction	combine;
	PGFunction	serial;
	void		(*use) (Datum state);
} Aggregate;

enum
{
	FUNNEL, ENTITY, WINDOW, PANEL, EXACT, N_AGGREGATES
};

static const Aggregate aggregates[N_AGGREGATES] = {
	[FUNNEL] = {"funnel", am_funnel_combine, am_funnel_serial, use_funnel},
	[ENTITY] = {"entity", am_funnel_entity_combine, am_funnel_entity_serial, use_entity},
	[WINDOW] = {"window", am_window_funnel_combine, am_window_funnel_serial, use_window},
	[PANEL] = {"panel", am_panel_combine, am_panel_serial, use_panel},
	[EXACT] = {"exact", am_exact_combine, am_exact_serial, use_exact}
};

/*
 * Seeds: states that the aggregates wrote
 */
typedef struct Seed
{
	int			aggregate;
	bool		in_file;		/* its events are, so it cannot be read */
	uint8_t    *bytes;
	size_t		n;
} Seed;

static Seed seeds[40];
static int	n_seeds = 0;

static void
keep_seed(int aggregate, bool in_file, const void *bytes, size_t n)
{
	Seed	   *seed = &seeds[n_seeds++];

	REQUIRE(n_seeds <= (int) lengthof(seeds));
	*seed = (Seed) {aggregate, in_file, malloc(n), n};
	memcpy(seed->bytes, bytes, n);
}

static bytea *
serialise(int aggregate, Datum state)
{
	FmgrInfo	flinfo;
	NullableDatum argument = GIVEN(state);

	start_flinfo(&flinfo);
	return DatumGetByteaPP(call(aggregates[aggregate].serial, &flinfo, 1, &argument));
}

static void
keep_state(int aggregate, Datum state)
{
	bytea	   *bytes = serialise(aggregate, state);

	keep_seed(aggregate, false, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
}

static Datum
text_datum(const char *string)
{
	return PointerGetDatum(cstring_to_text(string));
}

/* 2025-01-01 and so many hours */
static Datum
time_datum(int hours)
{
	return TimestampTzGetDatum((INT64CONST(9132) * 24 + hours) * USECS_PER_HOUR);
}

static const char *const kinds[] = {"call", "meeting", "Cal", "won", "lost", "call", "x1", "meeting", "won", "x40"};

/* bounds: the call gives as_of and a range of entries */
static void
funnel_seed(const char *spec, bool wide, bool bounds, int rows)
{
	FmgrInfo	flinfo;
	Datum		state = 0;
	bytea	   *bytes;
	AmEventLog *log;
	StringInfoData events;

	start_flinfo(&flinfo);
	for (int i = 0; i < rows; i++)
	{
		NullableDatum args[] = {
			state_argument(state),
			GIVEN(wide ? text_datum(i % 3 ? "acme" : "") : Int64GetDatum(i % 3)),
			GIVEN(time_datum(i * 7 % rows)),
			GIVEN(text_datum(kinds[i % lengthof(kinds)])),
			GIVEN(text_datum(spec)),
			GIVEN(time_datum(rows)), GIVEN(time_datum(0)), MISSING
		};

		state = call(wide ? am_funnel_text_trans : am_funnel_int8_trans, &flinfo, bounds ? 8 : 5, args);
	}
	keep_state(FUNNEL, state);

	/* the same with its events in a file that another process left */
	bytes = serialise(FUNNEL, state);
	log = ((AmFunnelState *) DatumGetPointer(state))->log;
	initStringInfo(&events);
	am_event_log_serialize(log, &events);
	SET_VARSIZE(bytes, VARSIZE(bytes) - events.len);
	resetStringInfo(&events);
	appendBinaryStringInfo(&events, VARDATA(bytes), VARSIZE(bytes) - VARHDRSZ);
	{
		AmSharedFile file;

		memset(&file, 0, sizeof(file));
		file.set.creator_pid = 4711;
		file.set.number = (UINT32_C(1) << 31) | 4712;
		file.set.ntablespaces = 1;
		file.set.tablespaces[0] = 1663;
		strcpy(file.name, "events.0");
		pq_sendbyte(&events, 1);
		pq_sendbyte(&events, log->type);
		pq_sendbyte(&events, 'f');
		pq_sendbytes(&events, (char *) &file, sizeof(file));
	}
	pq_sendint32(&events, 256);
	for (int i = 0; i < 256; i++)
	{
		pq_sendint64(&events, i == 0 ? 0 : -1);
		pq_sendint64(&events, i == 0 ? rows : 0);
		pq_sendint64(&events, i == 0 ? rows * 16 : 0);
	}
	keep_seed(FUNNEL, true, events.data, events.len);
}

static void
entity_seed(const char *spec, bool bounds, int rows)
{
	FmgrInfo	flinfo;
	Datum		state = 0;

	start_flinfo(&flinfo);
	for (int i = 0; i < rows; i++)
	{
		NullableDatum args[] = {
			state_argument(state), GIVEN(time_datum(i * 7 % rows)), GIVEN(text_datum(kinds[i % lengthof(kinds)])),
			GIVEN(text_datum(spec)), GIVEN(time_datum(rows)), GIVEN(time_datum(0)), MISSING
		};

		state = call(am_funnel_entity_trans, &flinfo, bounds ? 7 : 4, args);
	}
	keep_state(ENTITY, state);
}

static void
window_seed(int n_steps, const char *mode, int rows)
{
	FmgrInfo	flinfo;
	Datum		state = 0;
	Interval	within = {0};
	Size		size = ARR_OVERHEAD_NONULLS(1) + n_steps;
	ArrayType  *steps = palloc0(size);

	start_flinfo(&flinfo);
	within.day = 1;
	SET_VARSIZE(steps, size);
	steps->ndim = 1;
	ARR_DIMS(steps)[0] = n_steps;
	for (int i = 0; i < rows; i++)
	{
		NullableDatum args[] = {
			state_argument(state), GIVEN(PointerGetDatum(&within)), GIVEN(text_datum(mode)),
			GIVEN(time_datum(i * 7 % rows / 2)), GIVEN(PointerGetDatum(steps))
		};

		for (int step = 0; step < n_steps; step++)
			ARR_DATA_PTR(steps)[step] = (step + i) % n_steps == 0;
		state = call(am_window_funnel_mode_trans, &flinfo, 5, args);
	}
	keep_state(WINDOW, state);
}

static const AmPanelArguments panel_arguments = {
	.x_name = "metric",
	.y_name = "outcome",
	.settings = {5, 6},
	.setting_names = {"target_from", "target_value"},
	.setting_types = {'l', 'f'},
	.quality = 7,
	.options = 8
};

static void
panel_seed(AmUnitType type, const char *options, int rows)
{
	FmgrInfo	flinfo;
	Datum		state = 0;

	start_flinfo(&flinfo);
	for (int i = 0; i < rows; i++)
	{
		LOCAL_FCINFO(fcinfo, 9);
		pg_uuid_t	uuid = {{(unsigned char) (i % 3)}};
		NullableDatum args[] = {
			state_argument(state),
			GIVEN(type == AM_UNIT_INT8 ? Int64GetDatum(i % 3) : type == AM_UNIT_UUID ? UUIDPGetDatum(&uuid) :
				  text_datum(i % 3 ? "ann" : "bob")),
			GIVEN(Int64GetDatum(i / 4)), GIVEN(Float8GetDatum(i * 1.5)), GIVEN(Float8GetDatum(1 / (1.0 + i))),
			options ? GIVEN(Int64GetDatum(3)) : MISSING, options ? GIVEN(Float8GetDatum(7)) : MISSING,
			GIVEN(Float8GetDatum(0.25)), options ? GIVEN(text_datum(options)) : MISSING
		};

		InitFunctionCallInfoData(*fcinfo, &flinfo, lengthof(args), InvalidOid, NULL, NULL);
		memcpy(fcinfo->args, args, sizeof(args));
		state = am_panel_transition(fcinfo, type, &panel_arguments);
	}
	keep_state(PANEL, state);
}

static void
exact_seed(const double *terms, int n)
{
	FmgrInfo	flinfo;
	Datum		state = 0;

	start_flinfo(&flinfo);
	for (int i = 0; i < n; i++)
	{
		NullableDatum args[] = {state_argument(state), GIVEN(Float8GetDatum(terms[i]))};

		state = call(am_exact_trans, &flinfo, 2, args);
	}
	keep_state(EXACT, state);
}

static void
make_seeds(void)
{
	static const char *const specs[] = {
		"call -> won",
		"call -> meeting [2 days] -> !lost -> won within 30 days",
		"call -> meeting? -> won within 2 hours, totals",
		"call -> meeting -> won within 90 days, any order",
		"call -> meeting -> won, strict order, count skipped",
	};
	StringInfoData many;
	double		terms[8];

	for (size_t i = 0; i < lengthof(specs); i++)
	{
		funnel_seed(specs[i], i % 2, i > 1, 10 * (int) i + 1);
		entity_seed(specs[i], i > 1, 10 * (int) i + 1);
	}
	/* more roles than a short stamp has room for */
	initStringInfo(&many);
	for (int i = 0; i < 40; i++)
		appendStringInfo(&many, "%sx%d", i > 0 ? " -> " : "", i + 1);
	funnel_seed(many.data, false, false, 20);
	entity_seed(many.data, false, 20);

	window_seed(2, "default", 3);
	window_seed(9, "strict_order, allow_reentry", 20);
	window_seed(5, "strict_once", 20);
	window_seed(64, "strict_increase, strict_deduplication", 12);

	panel_seed(AM_UNIT_INT8, NULL, 20);
	panel_seed(AM_UNIT_TEXT, "no filling", 9);
	panel_seed(AM_UNIT_UUID, "unit 'rep'", 5);

	for (size_t i = 0; i < lengthof(terms); i++)
		terms[i] = ldexp(1.0 / 3, 60 * (int) i - 200);
	exact_seed(terms, 1);
	exact_seed(terms, lengthof(terms));
	stub_reset(stub_row_context);
}

static void
write_seeds(const char *directory)
{
	for (int i = 0; i < n_seeds; i++)
		for (int flags = 0; flags < 8; flags += 3)
		{
			char		path[1024];
			FILE	   *file;

			snprintf(path, sizeof(path), "%s/%s_%d_%d", directory, aggregates[seeds[i].aggregate].name, i, flags);
			file = fopen(path, "wb");
			if (!file)
			{
				perror(path);
				exit(2);
			}
			fputc(seeds[i].aggregate, file);
			fputc(flags, file);
			fwrite(seeds[i].bytes, 1, seeds[i].n, file);
			fclose(file);
		}
}

static void *
row_alloc(size_t size)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, size);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	am_host_alloc = row_alloc;
	am_host_free = pfree;
	make_seeds();
	stub_drop_callbacks();
	stub_reset(stub_aggregate_context);
	if (*argc == 3 && strcmp((*argv)[1], "--seeds") == 0)
	{
		write_seeds((*argv)[2]);
		exit(0);
	}
	return 0;
}

/*
 * A run
 */
typedef struct Run
{
	const Aggregate *aggregate;
	FmgrInfo	flinfo;
	Datum		state;
	const uint8_t *bytes;
	size_t		n;
} Run;

/* As the executor does: the bytes come and go with the row */
static void
combine(void *arg)
{
	Run		   *run = arg;
	FmgrInfo	flinfo;
	bytea	   *bytes;
	NullableDatum args[2];

	CurrentMemoryContext = stub_row_context;
	start_flinfo(&flinfo);
	bytes = palloc(VARHDRSZ + run->n);
	SET_VARSIZE(bytes, VARHDRSZ + run->n);
	memcpy(VARDATA(bytes), run->bytes, run->n);
	args[0] = GIVEN(PointerGetDatum(bytes));
	args[1] = MISSING;
	args[1] = GIVEN(call(am_state_deserial, &flinfo, 2, args));
	pfree(bytes);
	args[0] = state_argument(run->state);
	run->state = call(run->aggregate->combine, &run->flinfo, 2, args);
}

/* What is refused, is refused as what it is */
static bool
is_fit(int code, bool by_use)
{
	if (by_use)
		return code == ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE || code == ERRCODE_PROGRAM_LIMIT_EXCEEDED;
	return code == ERRCODE_INVALID_BINARY_REPRESENTATION ||
		code == ERRCODE_PROTOCOL_VIOLATION ||	/* it ends too early or too late */
		code == ERRCODE_INVALID_PARAMETER_VALUE ||	/* a specification that is none, or another one */
		code == ERRCODE_PROGRAM_LIMIT_EXCEEDED ||
		code == ERRCODE_UNDEFINED_FILE;
}

static bool
try_combine(Run *run, const uint8_t *bytes, size_t n)
{
	bool		done;

	run->bytes = bytes;
	run->n = n;
	done = stub_try(combine, run);
	stub_reset(stub_row_context);
	if (!done && !is_fit(stub_error_code, false))
	{
		fprintf(stderr, "%s: %08x %s\n", run->aggregate->name, stub_error_code, stub_error_message);
		REQUIRE(false);
	}
	REQUIRE(done ? run->state != 0 : stub_error_message[0] != '\0');
	return done;
}

static void
start_run(Run *run, const Aggregate *aggregate, bool expression)
{
	run->aggregate = aggregate;
	run->state = 0;
	start_flinfo(&run->flinfo);
	if (expression)
		run->flinfo.fn_expr = (fmNodePtr) run;
}

static void
use(void *arg)
{
	Run		   *run = arg;

	CurrentMemoryContext = stub_row_context;
	run->aggregate->use(run->state);
}

/* The answer of a state, or the error instead */
static uint64
answer_of(Run *run)
{
	answer = 0;
	if (!stub_try(use, run))
	{
		if (!is_fit(stub_error_code, true))
		{
			fprintf(stderr, "%s: %08x %s\n", run->aggregate->name, stub_error_code, stub_error_message);
			REQUIRE(false);
		}
		answer = (uint64) stub_error_code;
	}
	stub_reset(stub_row_context);
	return answer;
}

/* The seeds of an aggregate, round and round */
static const Seed *
nth_seed(int aggregate, int n)
{
	for (int i = 0;; i = (i + 1) % n_seeds)
		if (seeds[i].aggregate == aggregate && !seeds[i].in_file && n-- == 0)
			return &seeds[i];
}

static void
run_input(int aggregate, int flags, const uint8_t *bytes, size_t n)
{
	Run			run;
	Run			again;
	bytea	   *written;

	start_run(&run, &aggregates[aggregate], (flags & 4) != 0);
	if (flags & 1)
	{
		const Seed *seed = nth_seed(aggregate, flags >> 4);

		REQUIRE(try_combine(&run, seed->bytes, seed->n));
	}
	if (!try_combine(&run, bytes, n))
		return;
	if ((flags & 2) && !try_combine(&run, bytes, n))
		return;

	/* written in the aggregate's memory, where it stays */
	CurrentMemoryContext = stub_aggregate_context;
	written = serialise(aggregate, run.state);
	start_run(&again, &aggregates[aggregate], (flags & 4) != 0);
	REQUIRE(try_combine(&again, (const uint8_t *) VARDATA_ANY(written), VARSIZE_ANY_EXHDR(written)));
	REQUIRE(answer_of(&run) == answer_of(&again));
	stub_run_callbacks();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size > LARGEST_STATE)
		return 0;
	input = data;
	input_size = size;
	stub_memory_limit = MEMORY_AT_ALL + MEMORY_OF_BYTE * size;
	run_input(data[0] % N_AGGREGATES, data[1], data + 2, size - 2);
	stub_drop_callbacks();
	stub_reset(stub_row_context);
	stub_reset(stub_aggregate_context);
	CurrentMemoryContext = stub_aggregate_context;
	stub_memory_limit = SIZE_MAX;
	return 0;
}
