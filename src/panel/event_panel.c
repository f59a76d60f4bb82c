/*
 * See event_panel.h.
 *
 * A unit has a row of counters for each period from the first to the last in
 * which something counted, grown by doubling.  Counts are integers and sums
 * are exact, so the order of events does not matter.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "panel/event_panel.h"

#include <math.h>

#include "common/int.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "common/memory.h"
#include "common/options.h"

#define FORMAT_VERSION	1

/* As for panels of rows: a panel of reps and weeks is small */
#define PANEL_FLOOR		((Size) 32 * 1024 * 1024)

/* Periods of one unit that counters may span */
#define MAX_SPAN		(INT64CONST(1) << 26)

#define FEWEST_CELLS	64		/* that a unit begins with */

/*
 * Options
 */

static uint32
kind_slot(const AmEventPlan *plan, int source, uint64 word, int length)
{
	word = (word + (uint64) length + ((uint64) source << 48)) * UINT64CONST(0x9e3779b97f4a7c15);
	return (uint32) (word >> 32) & (plan->n_slots - 1);
}

static inline AmEventKind *
find_kind(const AmEventPlan *plan, int source, const char *name, int length)
{
	uint64		word = am_name_word(name, length);
	uint32		slot = kind_slot(plan, source, word, length);

	for (; plan->kinds[slot].source != 0; slot = (slot + 1) & (plan->n_slots - 1))
	{
		AmEventKind *kind = &plan->kinds[slot];

		if (kind->word == word && kind->length == length && kind->source == source &&
			(length <= 8 || memcmp(kind->name, name, length) == 0))
			break;
	}
	return &plan->kinds[slot];
}

static void
add_column(AmEventKind *kind, int column)
{
	if (kind->n_columns > 0 && kind->columns[kind->n_columns - 1] == column)
		return;
	kind->columns = kind->columns ? repalloc(kind->columns, (kind->n_columns + 1) * sizeof(int)) : palloc(sizeof(int));
	kind->columns[kind->n_columns++] = column;
}

/* A name in the options: the kind and the column it counts in */
typedef struct NamedKind
{
	char	   *name;
	int			column;
} NamedKind;

static void
index_kinds(AmEventPlan *plan, const NamedKind *named, int n_named)
{
	plan->n_slots = 4;
	while (plan->n_slots < n_named * 4)
		plan->n_slots *= 2;
	plan->kinds = palloc0(plan->n_slots * sizeof(AmEventKind));
	plan->others = palloc0((plan->n_sources + 1) * sizeof(AmEventKind));
	for (int i = 0; i < n_named; i++)
	{
		int			source = plan->columns[named[i].column].source;
		int			length = (int) strlen(named[i].name);
		AmEventKind *kind = find_kind(plan, source, named[i].name, length);

		kind->word = am_name_word(named[i].name, length);
		kind->source = source;
		kind->length = length;
		kind->name = named[i].name;
	}
	/* columns in their order, so that each is in a list once */
	for (int column = 0, i = 0; column < plan->n_columns; column++)
	{
		int			source = plan->columns[column].source;

		for (; i < n_named && named[i].column == column; i++)
			add_column(find_kind(plan, source, named[i].name, (int) strlen(named[i].name)), column);
		if (!plan->columns[column].all_kinds)
			continue;
		add_column(&plan->others[source], column);
		for (int slot = 0; slot < plan->n_slots; slot++)
			if (plan->kinds[slot].source == source)
				add_column(&plan->kinds[slot], column);
	}
}

static AmEventColumn *
new_column(AmEventPlan *plan, int source, bool is_sum)
{
	AmEventColumn *column;

	if (plan->n_columns == AM_EVENT_PANEL_MAX_COLUMNS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("an event panel has at most %d columns", AM_EVENT_PANEL_MAX_COLUMNS)));
	plan->columns = plan->columns ? repalloc(plan->columns, (plan->n_columns + 1) * sizeof(AmEventColumn)) :
		palloc(sizeof(AmEventColumn));
	column = &plan->columns[plan->n_columns++];
	column->source = source;
	column->is_sum = is_sum;
	column->cell = is_sum ? plan->n_sums++ : plan->n_counts++;
	column->all_kinds = true;
	return column;
}

void
am_event_plan_read(AmEventPlan *plan, const char *options)
{
	AmOptionReader reader;
	NamedKind  *named = palloc(sizeof(NamedKind));
	int			n_named = 0;
	int64		source = 1;
	char	   *name;

	memset(plan, 0, sizeof(*plan));
	plan->text = pstrdup(options);
	plan->n_sources = 1;
	plan->grain = AM_GRAIN_WEEK;
	am_options_start(&reader, options);
	while (am_options_next(&reader))
	{
		name = NULL;
		if (am_option_is(&reader, "grain @", &name))
		{
			plan->grain = am_grain(name, (int) strlen(name));
			continue;
		}
		if (am_option_is(&reader, "zone @", &name))
		{
			plan->zone = am_zone(name);
			continue;
		}
		if (am_option_is(&reader, "source #", &source) && source >= 1 && source <= AM_EVENT_PANEL_MAX_SOURCES)
		{
			plan->n_sources = Max(plan->n_sources, (int) source);
			continue;
		}
		if (am_option_is(&reader, "count") || am_option_is(&reader, "count @", &name))
			new_column(plan, (int) source, false);
		else if (am_option_is(&reader, "sum") || am_option_is(&reader, "sum @", &name))
			new_column(plan, (int) source, true);
		else if (plan->n_columns == 0 || plan->columns[plan->n_columns - 1].all_kinds ||
				 !am_option_is(&reader, "or @", &name))
			am_option_unknown(&reader, "grain 'week', zone 'UTC', count, count 'kind', sum, sum 'kind', each followed by or 'kind' as often as needed, source 2");
		if (name)
		{
			named = repalloc(named, (n_named + 1) * sizeof(NamedKind));
			named[n_named].name = name;
			named[n_named++].column = plan->n_columns - 1;
			plan->columns[plan->n_columns - 1].all_kinds = false;
		}
	}
	if (plan->n_columns == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the options of an event panel name no column"),
				 errhint("Name one or more: grain 'week', zone 'UTC', count 'call' or 'demo', sum 'won'.")));
	if (!plan->zone)
		plan->zone = am_zone("UTC");
	index_kinds(plan, named, n_named);
	pfree(named);
}

/*
 * Units
 */

AmEventPanel *
am_event_panel_create(MemoryContext context, AmUnitType unit_type, const char *options)
{
	MemoryContext caller = MemoryContextSwitchTo(context);
	AmEventPanel *panel = palloc0(sizeof(AmEventPanel));

	panel->context = context;
	panel->unit_type = unit_type;
	panel->limit = Max(am_budget(), PANEL_FLOOR);
	am_event_plan_read(&panel->plan, options);
	am_clock_init(&panel->clock, context, panel->plan.grain, panel->plan.zone);
	MemoryContextSwitchTo(caller);
	return panel;
}

static void
take_memory(AmEventPanel *panel, Size bytes)
{
	panel->used += bytes;
	if (panel->used > panel->limit)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("panel is too large for work_mem"),
				 errdetail("It has %u units so far, and %d columns.", panel->n_units, panel->plan.n_columns),
				 errhint("Raise work_mem, use a coarser grain, or check that the unit is a rep, not an event.")));
}

static void
grow_units(AmEventPanel *panel)
{
	uint32		max = panel->max_units ? panel->max_units * 2 : 16;
	AmEventSlot *old = panel->slots;
	uint32		n_old = panel->n_slots;

	take_memory(panel, (max - panel->max_units) * (sizeof(AmEventUnit) + 2 * sizeof(AmEventSlot)));
	if (panel->units)
		panel->units = repalloc_huge(panel->units, max * sizeof(AmEventUnit));
	else
		panel->units = MemoryContextAllocHuge(panel->context, max * sizeof(AmEventUnit));
	panel->max_units = max;
	panel->n_slots = max * 2;
	panel->slots = MemoryContextAllocExtended(panel->context, panel->n_slots * sizeof(AmEventSlot),
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 i = 0; i < n_old; i++)
	{
		uint32		slot = am_event_slot(panel, &old[i]);

		if (old[i].unit == 0)
			continue;
		while (panel->slots[slot].unit)
			slot = (slot + 1) & (panel->n_slots - 1);
		panel->slots[slot] = old[i];
	}
	if (old)
		pfree(old);
}

AmEventUnit *
am_event_panel_new_unit(AmEventPanel *panel, const AmEventSlot *key, const char *bytes)
{
	AmEventUnit *unit;
	uint32		slot;

	if (panel->n_units == panel->max_units)
		grow_units(panel);
	take_memory(panel, key->length + 16);
	unit = &panel->units[panel->n_units++];
	memset(unit, 0, sizeof(*unit));
	unit->length = key->length;
	unit->bytes = MemoryContextAlloc(panel->context, Max(key->length, 1));
	memcpy(unit->bytes, bytes, key->length);
	unit->first = PG_INT64_MAX;
	unit->last = PG_INT64_MIN;
	slot = am_event_slot(panel, key);
	while (panel->slots[slot].unit)
		slot = (slot + 1) & (panel->n_slots - 1);
	panel->slots[slot] = *key;
	panel->slots[slot].unit = panel->n_units;
	return unit;
}

/*
 * Cells
 */

static void *
grow_array(AmEventPanel *panel, void *old, Size width, int64 n, int64 shift, int64 old_n)
{
	char	   *grown = MemoryContextAllocExtended(panel->context, Max(n * width, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	if (old)
	{
		memcpy(grown + shift * width, old, old_n * width);
		pfree(old);
	}
	return grown;
}

/* Makes room for cells first..last, and for as many again on the side where it grows if memory allows */
static void
grow_cells(AmEventPanel *panel, AmEventUnit *unit, int64 first, int64 last)
{
	Size		count_width = panel->plan.n_counts * sizeof(int64);
	Size		sum_width = (panel->plan.n_sums + 1) * sizeof(AmCellSum);
	Size		width = count_width + (unit->sums ? sum_width : 0);
	int64		base = unit->n > 0 ? Min(unit->base, first) : first;
	int64		end = unit->n > 0 ? Max(unit->base + unit->n - 1, last) : last;
	int64		n;
	int64		slack;

	if (pg_sub_s64_overflow(end, base, &n) || n >= MAX_SPAN)
		take_memory(panel, panel->limit);
	n++;
	/* by a part of what is left, so that the limit is reached in few steps */
	slack = (int64) ((panel->limit - panel->used) / 2 / Max(width, sizeof(int64)));
	slack = Min(slack, Max(unit->n, FEWEST_CELLS));
	if (unit->n > 0 && base < unit->base)
		base -= slack;
	n += slack;
	take_memory(panel, (n - unit->n) * width);
	unit->counts = grow_array(panel, unit->counts, count_width, n, unit->base - base, unit->n);
	if (unit->sums)
		unit->sums = grow_array(panel, unit->sums, sum_width, n, unit->base - base, unit->n);
	unit->base = base;
	unit->n = n;
}

static AmCellSum *
make_sums(AmEventPanel *panel, AmEventUnit *unit)
{
	Size		width = (panel->plan.n_sums + 1) * sizeof(AmCellSum);

	if (!unit->sums)
	{
		take_memory(panel, unit->n * width);
		unit->sums = grow_array(panel, NULL, width, unit->n, 0, 0);
	}
	return unit->sums;
}

double
am_cell_round(const AmCellSum *sum)
{
	AmExactSum	exact;

	if (sum->n < 0)
		return am_exact_round(sum->many);
	exact.n = (int) sum->n;
	memcpy(exact.parts, sum->parts, sum->n * sizeof(double));
	return am_exact_round(&exact);
}

/*
 * The parts of a sum in the one way that depends on nothing but the sum: the
 * nearest double, the double nearest to what is left, and so on
 */
static int
canonical_parts(const AmExactSum *sum, double *parts)
{
	AmExactSum	rest = *sum;
	int			n = 0;

	while (n < AM_EXACT_PARTS)
	{
		double		part = am_exact_round(&rest);

		if (part == 0)
			break;
		parts[n++] = part;
		if (isnan(part))
			break;
		am_exact_add(&rest, -part);
	}
	return n;
}

static void
sum_add(AmEventPanel *panel, AmCellSum *sum, double term)
{
	double		parts[AM_CELL_PARTS + 1];
	double		canonical[AM_EXACT_PARTS];
	AmExactSum	exact;
	int			kept = 0;

	if (sum->n < 0)
	{
		am_exact_add(sum->many, term);
		return;
	}
	/* as am_exact_add, for the few parts there mostly are */
	for (int i = 0; i < sum->n; i++)
	{
		double		part = sum->parts[i];
		double		high = term + part;
		double		virtual_part = high - term;
		double		low = (term - (high - virtual_part)) + (part - virtual_part);

		if (unlikely(!isfinite(high)))
		{
			sum->n = 1;
			sum->parts[0] = NAN;
			return;
		}
		if (low != 0)
			parts[kept++] = low;
		term = high;
	}
	if (term != 0)
		parts[kept++] = term;
	if (likely(kept <= AM_CELL_PARTS))
	{
		memcpy(sum->parts, parts, kept * sizeof(double));
		sum->n = kept;
		return;
	}
	exact.n = kept;
	memcpy(exact.parts, parts, kept * sizeof(double));
	kept = canonical_parts(&exact, canonical);
	if (kept <= AM_CELL_PARTS)
	{
		/* ascending */
		for (int i = 0; i < kept; i++)
			sum->parts[i] = canonical[kept - 1 - i];
		sum->n = kept;
		return;
	}
	take_memory(panel, sizeof(AmExactSum));
	sum->many = MemoryContextAlloc(panel->context, sizeof(AmExactSum));
	*sum->many = exact;
	sum->n = -1;
}

static void
add_term(AmEventPanel *panel, AmEventUnit *unit, int64 cell, int which, double term)
{
	AmCellSum  *sum = make_sums(panel, unit) + cell * (panel->plan.n_sums + 1) + which;

	if (unlikely(!isfinite(term)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a value to be summed is %g", term),
				 errhint("Leave such rows out, or give NULL where the value is not known.")));
	sum->terms++;
	sum_add(panel, sum, term);
}

void
am_event_panel_add(AmEventPanel *panel, AmEventUnit *unit, int source, TimestampTz at,
				   const char *kind, int kind_length, const double *value, const double *quality)
{
	const AmEventPlan *plan = &panel->plan;
	int64		period = am_clock_period(&panel->clock, at);
	const AmEventKind *found;
	int64		cell;

	if (period < unit->first)
		unit->first = period;
	if (period > unit->last)
		unit->last = period;
	if ((panel->has_since && at < panel->since) || (panel->has_until && at >= panel->until))
		return;
	found = kind ? find_kind(plan, source, kind, kind_length) : NULL;
	if (!found || found->source == 0)
		found = &plan->others[source];
	if (found->n_columns == 0)
		return;
	if (unlikely(period < unit->base || period - unit->base >= unit->n))
		grow_cells(panel, unit, period, period);
	cell = period - unit->base;
	for (int i = 0; i < found->n_columns; i++)
	{
		const AmEventColumn *column = &plan->columns[found->columns[i]];

		if (!column->is_sum)
			unit->counts[cell * plan->n_counts + column->cell]++;
		else if (value)
			add_term(panel, unit, cell, column->cell, *value);
		if (found->columns[i] == 0 && quality)
			add_term(panel, unit, cell, plan->n_sums, *quality);
	}
}

/*
 * Bytes.  Numbers that are mostly small have seven bits in a byte, the low
 * ones first; the highest bit says that more follow.
 */

static void
write_number(StringInfo out, uint64 number)
{
	char		bytes[10];
	int			n = 0;

	for (; number >= 128; number >>= 7)
		bytes[n++] = (char) (number | 128);
	bytes[n++] = (char) number;
	appendBinaryStringInfoNT(out, bytes, n);
}

static int
compare_units(const void *a, const void *b)
{
	const AmEventUnit *left = a;
	const AmEventUnit *right = b;
	int			order = memcmp(left->bytes, right->bytes, Min(left->length, right->length));

	if (order == 0)
		order = left->length < right->length ? -1 : left->length > right->length;
	return order;
}

static void
write_sum(StringInfo out, const AmCellSum *sum)
{
	AmExactSum	exact;
	double		parts[AM_EXACT_PARTS];
	int			n;

	if (sum->n < 0)
		exact = *sum->many;
	else
	{
		exact.n = (int) sum->n;
		memcpy(exact.parts, sum->parts, sum->n * sizeof(double));
	}
	n = canonical_parts(&exact, parts);
	write_number(out, sum->terms);
	write_number(out, n);
	for (int i = 0; i < n; i++)
		pq_sendfloat8(out, parts[i]);
}

static bool
is_empty_cell(const AmEventPanel *panel, const AmEventUnit *unit, int64 cell)
{
	for (int i = 0; i < panel->plan.n_counts; i++)
		if (unit->counts[cell * panel->plan.n_counts + i] != 0)
			return false;
	if (unit->sums)
		for (int i = 0; i <= panel->plan.n_sums; i++)
			if (am_event_unit_sums(panel, unit, cell)[i].terms != 0)
				return false;
	return true;
}

static void
write_cells(const AmEventPanel *panel, const AmEventUnit *unit, StringInfo out)
{
	int			n_counts = panel->plan.n_counts;
	int			n_sums = panel->plan.n_sums + 1;
	int64		from = unit->base;
	int64		to = unit->base + unit->n - 1;

	/* how much room there is before and after depends on the order of the events */
	while (from <= to && is_empty_cell(panel, unit, from - unit->base))
		from++;
	while (from <= to && is_empty_cell(panel, unit, to - unit->base))
		to--;
	if (to < from)
	{
		write_number(out, 0);
		return;
	}
	write_number(out, to - from + 1);
	pq_sendint64(out, from);
	pq_sendbyte(out, unit->sums != NULL);
	for (int64 period = from; period <= to; period++)
	{
		const int64 *counts = unit->counts + (period - unit->base) * n_counts;

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n_counts; i++)
			write_number(out, counts[i]);
		if (unit->sums)
			for (int i = 0; i < n_sums; i++)
				write_sum(out, am_event_unit_sums(panel, unit, period - unit->base) + i);
	}
}

/*
 * Format: byte version, byte unit type, int32 length and options, byte flags,
 * int64 since, int64 until, number of units, units in order of their bytes:
 * number of bytes and these, byte (1: without time, 2: with times), int64
 * first and last period if there are times, number of cells, and if that is
 * not 0 int64 the first one's period, byte whether there are sums, and per
 * cell the counts as numbers and the sums as number of terms, number of
 * parts, float8 parts.
 */
void
am_event_panel_write(AmEventPanel *panel, StringInfo out, bool free_cells)
{
	AmEventUnit *units = am_palloc_array(AmEventUnit, panel->n_units + 1);

	if (panel->n_units > 0)
		memcpy(units, panel->units, panel->n_units * sizeof(AmEventUnit));
	qsort(units, panel->n_units, sizeof(AmEventUnit), compare_units);
	pq_sendbyte(out, FORMAT_VERSION);
	pq_sendbyte(out, panel->unit_type);
	pq_sendint32(out, (int32) strlen(panel->plan.text));
	pq_sendbytes(out, panel->plan.text, (int) strlen(panel->plan.text));
	pq_sendbyte(out, (panel->has_since ? 1 : 0) | (panel->has_until ? 2 : 0));
	pq_sendint64(out, panel->since);
	pq_sendint64(out, panel->until);
	write_number(out, panel->n_units);
	for (uint32 i = 0; i < panel->n_units; i++)
	{
		AmEventUnit *unit = &units[i];
		bool		has_times = unit->first <= unit->last;

		write_number(out, unit->length);
		pq_sendbytes(out, unit->bytes, (int) unit->length);
		pq_sendbyte(out, (unit->timeless ? 1 : 0) | (has_times ? 2 : 0));
		if (has_times)
		{
			pq_sendint64(out, unit->first);
			pq_sendint64(out, unit->last);
			write_cells(panel, unit, out);
		}
		if (free_cells && unit->counts)
			pfree(unit->counts);
		if (free_cells && unit->sums)
			pfree(unit->sums);
	}
	if (free_cells)
		panel->n_units = 0;
	pfree(units);
}

typedef struct Bytes
{
	const char *at;
	const char *end;
} Bytes;

static void
refuse_bytes(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("these bytes are not an event panel")));
}

static const char *
read_bytes(Bytes *in, uint64 n)
{
	const char *bytes = in->at;

	if (n > (uint64) (in->end - in->at))
		refuse_bytes();
	in->at += n;
	return bytes;
}

static int
read_byte(Bytes *in)
{
	return *(const unsigned char *) read_bytes(in, 1);
}

static uint64
read_word(Bytes *in)
{
	uint64		word;

	memcpy(&word, read_bytes(in, sizeof(word)), sizeof(word));
	return pg_ntoh64(word);
}

static uint64
read_number(Bytes *in)
{
	uint64		number = 0;

	for (int shift = 0; shift < 64; shift += 7)
	{
		uint64		byte = (uint64) read_byte(in);

		number |= (byte & 127) << shift;
		if (byte < 128)
			return number;
	}
	refuse_bytes();
	return 0;					/* not reached */
}

static void
read_sum(AmEventPanel *panel, Bytes *in, AmCellSum *sum)
{
	uint64		n;

	sum->terms += (int64) (read_number(in) & PG_INT32_MAX);
	n = read_number(in);
	if (n > AM_EXACT_PARTS)
		refuse_bytes();
	for (uint64 i = 0; i < n; i++)
	{
		uint64		word = read_word(in);
		double		part;

		memcpy(&part, &word, sizeof(part));
		sum_add(panel, sum, part);
	}
}

static void
read_cells(AmEventPanel *panel, Bytes *in, AmEventUnit *unit, int64 first, int64 last)
{
	int			n_counts = panel->plan.n_counts;
	int			n_sums = panel->plan.n_sums + 1;
	uint64		n = read_number(in);
	int64		from;
	bool		has_sums;

	if (n == 0)
		return;
	from = (int64) read_word(in);
	has_sums = read_byte(in) != 0;
	/* each takes a byte at least, so that what is not there is refused before memory is taken for it */
	if (n > (uint64) (in->end - in->at) || n > MAX_SPAN || n_counts + has_sums == 0 ||
		from < first || from > last || (uint64) (last - from) < n - 1)
		refuse_bytes();
	if (unit->n == 0 || from < unit->base || from + (int64) n > unit->base + unit->n)
		grow_cells(panel, unit, from, from + (int64) n - 1);
	if (has_sums)
		make_sums(panel, unit);
	for (uint64 i = 0; i < n; i++)
	{
		int64		cell = from + (int64) i - unit->base;

		CHECK_FOR_INTERRUPTS();
		for (int c = 0; c < n_counts; c++)
			unit->counts[cell * n_counts + c] += (int64) (read_number(in) & PG_INT64_MAX);
		if (has_sums)
			for (int s = 0; s < n_sums; s++)
				read_sum(panel, in, am_event_unit_sums(panel, unit, cell) + s);
	}
}

AmEventPanel *
am_event_panel_read(AmEventPanel *panel, MemoryContext context, const char *bytes, Size length)
{
	Bytes		in = {bytes, bytes + length};
	AmUnitType	type;
	uint64		n;
	char	   *options;
	int			flags;
	TimestampTz since;
	TimestampTz until;

	if (read_byte(&in) != FORMAT_VERSION)
		refuse_bytes();
	type = (AmUnitType) read_byte(&in);
	if (type < AM_UNIT_INT8 || type > AM_UNIT_UUID)
		refuse_bytes();
	memcpy(&flags, read_bytes(&in, sizeof(flags)), sizeof(flags));
	n = pg_ntoh32((uint32) flags);
	options = pnstrdup(read_bytes(&in, n), n);
	flags = read_byte(&in);
	since = (TimestampTz) read_word(&in);
	until = (TimestampTz) read_word(&in);
	if (!panel)
	{
		panel = am_event_panel_create(context, type, options);
		panel->has_since = (flags & 1) != 0;
		panel->has_until = (flags & 2) != 0;
		panel->since = since;
		panel->until = until;
	}
	else if (type != panel->unit_type || strcmp(options, panel->plan.text) != 0 ||
			 panel->has_since != ((flags & 1) != 0) || panel->has_until != ((flags & 2) != 0) ||
			 panel->since != since || panel->until != until)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an argument that must be constant changes within a group"),
				 errhint("Pass the same since, until and options for all rows, or GROUP BY them.")));
	n = read_number(&in);
	for (uint64 i = 0; i < n; i++)
	{
		uint64		size = read_number(&in);
		const char *name = read_bytes(&in, size);
		AmEventUnit *unit;

		if ((type == AM_UNIT_INT8 && size != 8) || (type == AM_UNIT_UUID && size != 16))
			refuse_bytes();
		unit = am_event_panel_unit(panel, name, (uint32) size);
		flags = read_byte(&in);
		unit->timeless |= (flags & 1) != 0;
		if (flags & 2)
		{
			int64		first = (int64) read_word(&in);
			int64		last = (int64) read_word(&in);

			if (first > last || first < -(INT64CONST(1) << 40) || last > INT64CONST(1) << 40)
				refuse_bytes();
			unit->first = Min(unit->first, first);
			unit->last = Max(unit->last, last);
			read_cells(panel, &in, unit, first, last);
		}
	}
	if (in.at != in.end)
		refuse_bytes();
	return panel;
}
