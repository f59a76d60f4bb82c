/*
 * The panel's rows are kept as terms.  When they fill the memory allowed, the
 * terms of a unit and period are replaced by the parts of their exact sum, so
 * that the result is the same to the bit for any order and any grouping.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "panel/panel_state.h"

#include <math.h>

#include "common/hashfn.h"
#include "common/int.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

#include "common/memory.h"
#include "stats/exact_sum.h"

/* A panel of reps and weeks is small: a floor that holds 400,000 terms however small work_mem is */
#define PANEL_FLOOR		((Size) 32 * 1024 * 1024)
#define MAX_CELLS		(INT64CONST(1) << 26)

#define ST_SORT sort_cells
#define ST_ELEMENT_TYPE AmPanelCell
#define ST_COMPARE(a, b) \
	((a)->unit != (b)->unit ? ((a)->unit < (b)->unit ? -1 : 1) : \
	 (a)->period != (b)->period ? ((a)->period < (b)->period ? -1 : 1) : \
	 (a)->pair != (b)->pair ? ((a)->pair < (b)->pair ? -1 : 1) : 0)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

AmPanelState *
am_panel_state_create(MemoryContext context, AmUnitType unit_type)
{
	AmPanelState *state = MemoryContextAllocZero(context, sizeof(AmPanelState));

	state->context = context;
	state->unit_type = unit_type;
	state->n_controls = -1;
	state->limit = Max(am_budget(), PANEL_FLOOR) / 2 / sizeof(AmPanelCell);
	return state;
}

static void
grow_units(AmPanelState *state)
{
	uint32		max = state->max_units ? state->max_units * 2 : 16;
	AmPanelUnit *units = MemoryContextAllocHuge(state->context, max * sizeof(AmPanelUnit));

	if (state->units)
	{
		memcpy(units, state->units, state->n_units * sizeof(AmPanelUnit));
		pfree(state->units);
		pfree(state->slots);
	}
	state->units = units;
	state->max_units = max;
	state->n_slots = max * 2;
	state->slots = MemoryContextAllocExtended(state->context, state->n_slots * sizeof(uint32),
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 i = 0; i < state->n_units; i++)
	{
		uint32		slot = units[i].hash & (state->n_slots - 1);

		while (state->slots[slot])
			slot = (slot + 1) & (state->n_slots - 1);
		state->slots[slot] = i + 1;
	}
}

static void
refuse_size(const AmPanelState *state)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("panel is too large for work_mem"),
			 errdetail("It has %u units and over %zu pairs of unit and period.", state->n_units, state->limit / 2),
			 errhint("Raise work_mem, use a coarser grain, or check that period is a number of weeks or days and unit a rep, not an event.")));
}

/* The number of a unit, new or known */
uint32
am_panel_unit(AmPanelState *state, const char *bytes, uint32 length)
{
	uint32		hash = hash_bytes((const unsigned char *) bytes, (int) length);
	uint32		slot;
	AmPanelUnit *unit;

	if (state->n_units == state->max_units)
		grow_units(state);
	for (slot = hash & (state->n_slots - 1); state->slots[slot]; slot = (slot + 1) & (state->n_slots - 1))
	{
		unit = &state->units[state->slots[slot] - 1];
		if (unit->hash == hash && unit->length == length && memcmp(unit->bytes, bytes, length) == 0)
			return state->slots[slot] - 1;
	}
	state->unit_bytes += length + sizeof(AmPanelUnit) + 2 * sizeof(uint32);
	if (state->unit_bytes > state->limit * sizeof(AmPanelCell))
		refuse_size(state);
	unit = &state->units[state->n_units++];
	unit->hash = hash;
	unit->length = length;
	unit->bytes = MemoryContextAlloc(state->context, Max(length, 1));
	memcpy(unit->bytes, bytes, length);
	state->slots[slot] = state->n_units;
	return state->n_units - 1;
}

/* The exact sums of the terms of one unit and period, written back as few terms; returns how many */
static Size
sum_terms(const AmPanelCell *from, Size n, AmPanelCell *to)
{
	AmExactSum	x;
	AmExactSum	y;
	AmExactSum	quality;
	AmPanelCell head = from[0];
	Size		parts;

	if (n == 1)
	{
		*to = head;
		return 1;
	}
	am_exact_start(&x);
	am_exact_start(&y);
	am_exact_start(&quality);
	head.qualities = 0;
	for (Size i = 0; i < n; i++)
	{
		am_exact_add(&x, from[i].x);
		am_exact_add(&y, from[i].y);
		am_exact_add(&quality, from[i].quality);
		head.qualities += from[i].qualities;
	}
	parts = Max(Max(x.n, y.n), quality.n);
	/* an overflow leaves NaN as the only part, and finishing says so */
	for (Size i = 0; i < parts; i++)
	{
		to[i] = head;
		to[i].x = i < (Size) x.n ? x.parts[i] : 0;
		to[i].y = i < (Size) y.n ? y.parts[i] : 0;
		to[i].quality = i < (Size) quality.n ? quality.parts[i] : 0;
		head.qualities = 0;
	}
	return parts;
}

/* The end of the terms of the unit, period and pair of columns that begin at `from` */
static inline Size
end_of_terms(const AmPanelCell *cells, Size from, Size n)
{
	Size		to = from + 1;

	while (to < n && cells[to].unit == cells[from].unit && cells[to].period == cells[from].period &&
		   cells[to].pair == cells[from].pair)
		to++;
	return to;
}

static void
compact(AmPanelState *state)
{
	Size		kept = 0;
	AmPanelCell parts[AM_EXACT_PARTS];

	sort_cells(state->cells, state->n);
	for (Size from = 0; from < state->n;)
	{
		Size		to = end_of_terms(state->cells, from, state->n);
		Size		n = sum_terms(state->cells + from, to - from, parts);

		/* few terms of very different size may have more parts than there were terms */
		if (n <= to - from)
			memcpy(state->cells + kept, parts, n * sizeof(AmPanelCell));
		else
		{
			n = to - from;
			memmove(state->cells + kept, state->cells + from, n * sizeof(AmPanelCell));
		}
		kept += n;
		from = to;
	}
	state->n = kept;
}

void
am_panel_add(AmPanelState *state, const AmPanelCell *cell)
{
	if (state->n == state->max)
	{
		if (state->max >= state->limit)
		{
			compact(state);
			/* half full and more: compacting again and again would take for ever */
			if (state->n > state->limit / 2)
				refuse_size(state);
		}
		else
		{
			Size		max = state->max ? Min(state->max * 2, state->limit) : 64;

			if (state->cells)
				state->cells = repalloc_huge(state->cells, max * sizeof(AmPanelCell));
			else
				state->cells = MemoryContextAllocHuge(state->context, max * sizeof(AmPanelCell));
			state->max = max;
		}
	}
	state->cells[state->n++] = *cell;
}

char *
am_panel_unit_name(const AmPanelState *state, int32 unit)
{
	const AmPanelUnit *u = &state->units[unit];

	if (state->unit_type == AM_UNIT_TEXT)
		return pnstrdup(u->bytes, u->length);
	if (state->unit_type == AM_UNIT_UUID)
		return DatumGetCString(DirectFunctionCall1(uuid_out, PointerGetDatum(u->bytes)));
	else
	{
		uint64		word;

		memcpy(&word, u->bytes, sizeof(word));
		return psprintf(INT64_FORMAT, (int64) (pg_ntoh64(word) ^ (UINT64CONST(1) << 63)));
	}
}

static int
compare_units(const void *a, const void *b)
{
	const AmPanelUnit *left = a;
	const AmPanelUnit *right = b;
	int			order = memcmp(left->bytes, right->bytes, Min(left->length, right->length));

	if (order == 0)
		order = left->length < right->length ? -1 : left->length > right->length;
	return order;
}

/* Numbers the units by their bytes, so that sums over units have one order */
static void
order_units(AmPanelState *state)
{
	uint32	   *rank = am_palloc_array(uint32, state->n_units);
	AmPanelUnit *sorted = am_palloc_array(AmPanelUnit, state->n_units);

	for (uint32 i = 0; i < state->n_units; i++)
	{
		sorted[i] = state->units[i];
		sorted[i].hash = i;		/* its number so far, for a moment */
	}
	qsort(sorted, state->n_units, sizeof(AmPanelUnit), compare_units);
	for (uint32 i = 0; i < state->n_units; i++)
	{
		rank[sorted[i].hash] = i;
		sorted[i].hash = state->units[sorted[i].hash].hash;
	}
	memcpy(state->units, sorted, state->n_units * sizeof(AmPanelUnit));
	for (Size i = 0; i < state->n; i++)
		state->cells[i].unit = rank[state->cells[i].unit];
	memset(state->slots, 0, state->n_slots * sizeof(uint32));
	for (uint32 i = 0; i < state->n_units; i++)
	{
		uint32		slot = state->units[i].hash & (state->n_slots - 1);

		while (state->slots[slot])
			slot = (slot + 1) & (state->n_slots - 1);
		state->slots[slot] = i + 1;
	}
	pfree(sorted);
	pfree(rank);
}

static double
finite_sum(const AmPanelState *state, const AmExactSum *sum, const AmPanelCell *cell)
{
	double		value = am_exact_round(sum);

	if (!isfinite(value))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("sum for unit \"%s\" and period " INT64_FORMAT " overflows",
						am_panel_unit_name(state, (int32) cell->unit), cell->period),
				 errhint("Leave out or rescale the extreme values.")));
	return value;
}

void
am_panel_finish(AmPanelState *state, AmPanel *panel)
{
	int32	   *units;
	int64	   *periods;
	double	   *x;
	double	   *y;
	double	   *quality;
	double	  **control;
	int			n_controls = Max(state->n_controls, 0);
	Size		rows = 0;

	if (state->n_units > 0)
		order_units(state);
	if (state->n > 0)
		sort_cells(state->cells, state->n);
	units = am_palloc_array(int32, state->n + 1);
	periods = am_palloc_array(int64, state->n + 1);
	x = am_palloc_array(double, state->n + 1);
	y = am_palloc_array(double, state->n + 1);
	quality = am_palloc_array(double, state->n + 1);
	control = am_palloc_array(double *, n_controls + 1);
	for (int i = 0; i < n_controls; i++)
		control[i] = am_palloc_array(double, state->n / (1 + (n_controls + 1) / 2) + 1);

	for (Size from = 0; from < state->n;)
	{
		Size		to = end_of_terms(state->cells, from, state->n);
		const AmPanelCell *cell = &state->cells[from];
		AmExactSum	sum_x;
		AmExactSum	sum_y;
		AmExactSum	sum_quality;
		uint64		qualities = 0;

		am_exact_start(&sum_x);
		am_exact_start(&sum_y);
		am_exact_start(&sum_quality);
		for (Size i = from; i < to; i++)
		{
			am_exact_add(&sum_x, state->cells[i].x);
			am_exact_add(&sum_y, state->cells[i].y);
			am_exact_add(&sum_quality, state->cells[i].quality);
			qualities += state->cells[i].qualities;
		}
		from = to;
		if (cell->pair > 0)
		{
			/* after x and y of the same unit and period, which every row has */
			int			first = 2 * ((int) cell->pair - 1);

			control[first][rows - 1] = finite_sum(state, &sum_x, cell);
			if (first + 1 < n_controls)
				control[first + 1][rows - 1] = finite_sum(state, &sum_y, cell);
			continue;
		}
		units[rows] = (int32) cell->unit;
		periods[rows] = cell->period;
		x[rows] = finite_sum(state, &sum_x, cell);
		y[rows] = finite_sum(state, &sum_y, cell);
		quality[rows] = qualities > 0 ? am_exact_round(&sum_quality) / (double) qualities : NAN;
		rows++;
	}

	panel->n = rows;
	panel->n_units = (int32) state->n_units;
	panel->unit = units;
	panel->period = periods;
	panel->x = x;
	panel->y = y;
	panel->quality = state->has_quality ? quality : NULL;
	panel->n_controls = n_controls;
	panel->control = (const double *const *) control;
}

void
am_panel_check_span(const AmPanel *panel)
{
	int64		first;
	int64		last;
	int64		span;
	int64		cells;

	if (panel->n == 0)
		return;
	first = last = panel->period[0];
	for (size_t i = 1; i < panel->n; i++)
	{
		first = Min(first, panel->period[i]);
		last = Max(last, panel->period[i]);
	}
	if (pg_sub_s64_overflow(last, first, &span) || pg_mul_s64_overflow(span, panel->n_units, &cells) ||
		cells > MAX_CELLS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("periods " INT64_FORMAT " to " INT64_FORMAT " are too far apart for %d units",
						first, last, panel->n_units),
				 errdetail("A panel has at most " INT64_FORMAT " pairs of unit and period.", MAX_CELLS),
				 errhint("Number periods one by one, as period_no(at, 'week', 'UTC') does; a date or a time in seconds is not such a number.")));
}
