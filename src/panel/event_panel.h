/*
 * From events straight to a panel: counts and sums of some kinds of event per
 * unit and period, in dense arrays.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_EVENT_PANEL_H
#define AM_EVENT_PANEL_H

#include "common/compat.h"

#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "port/pg_bswap.h"

#include "common/name_word.h"
#include "panel/panel_state.h"
#include "panel/period.h"
#include "stats/exact_sum.h"

#define AM_EVENT_PANEL_MAX_COLUMNS	1000
#define AM_EVENT_PANEL_MAX_SOURCES	1000

/* What the options say */
typedef struct AmEventColumn
{
	int			source;			/* events of this source count, from 1 */
	bool		is_sum;
	int			cell;			/* index among the counts, or among the sums */
	bool		all_kinds;
} AmEventColumn;

/* A kind of event and the columns that it counts in */
typedef struct AmEventKind
{
	uint64		word;			/* am_name_word */
	int			source;			/* 0 = an empty slot */
	int			length;
	const char *name;
	int			n_columns;
	int		   *columns;		/* ascending */
} AmEventKind;

typedef struct AmEventPlan
{
	char	   *text;			/* the options */
	AmGrain		grain;
	pg_tz	   *zone;
	int			n_columns;
	int			n_counts;
	int			n_sums;
	int			n_sources;
	AmEventColumn *columns;
	int			n_slots;		/* a power of two */
	AmEventKind *kinds;
	AmEventKind *others;		/* per source: what counts whatever its kind */
} AmEventPlan;

/* Exact sum of the terms of a cell: few parts here, many elsewhere */
#define AM_CELL_PARTS	2

typedef struct AmCellSum
{
	int64		terms;
	int64		n;				/* parts, -1 = many */
	union
	{
		double		parts[AM_CELL_PARTS];
		AmExactSum *many;
	};
} AmCellSum;

/* A unit of up to 16 bytes is known by its first and last eight, a longer one by a hash and its bytes */
typedef struct AmEventSlot
{
	uint64		head;
	uint64		tail;
	uint32		length;
	uint32		unit;			/* + 1, 0 = an empty slot */
} AmEventSlot;

typedef struct AmEventUnit
{
	uint32		length;
	bool		timeless;		/* some event of it has no time */
	char	   *bytes;
	int64		first;			/* periods of its events, counted or not; first > last = none */
	int64		last;
	int64		base;			/* period of the first cell */
	int64		n;				/* cells */
	int64	   *counts;			/* n rows of n_counts */
	AmCellSum  *sums;			/* n rows of n_sums + 1, the last for quality; NULL = no term yet */
} AmEventUnit;

typedef struct AmEventPanel
{
	MemoryContext context;
	AmUnitType	unit_type;
	AmEventPlan plan;
	bool		has_since;
	bool		has_until;
	TimestampTz since;			/* what counts lies in [since, until) */
	TimestampTz until;
	bool		constant;		/* since, until and options are literals */
	AmPeriodClock clock;

	AmEventUnit *units;
	uint32		n_units;
	uint32		max_units;
	AmEventSlot *slots;
	uint32		n_slots;

	Size		used;
	Size		limit;
} AmEventPanel;

/* Parses in the current memory context */
extern void am_event_plan_read(AmEventPlan *plan, const char *options);

extern AmEventPanel *am_event_panel_create(MemoryContext context, AmUnitType unit_type, const char *options);
extern AmEventUnit *am_event_panel_new_unit(AmEventPanel *panel, const AmEventSlot *key, const char *bytes);

#define AM_SHORT_NAME	16		/* bytes */

static inline uint32
am_event_slot(const AmEventPanel *panel, const AmEventSlot *key)
{
	uint64		word = key->head ^ (key->tail * UINT64CONST(0xff51afd7ed558ccd)) ^ key->length;

	/* what differs may be in the high bytes alone */
	word = (word ^ (word >> 32)) * UINT64CONST(0x9e3779b97f4a7c15);
	return (uint32) (word >> 32) & (panel->n_slots - 1);
}

/* The unit of a name, new or known; valid until the next call */
static inline AmEventUnit *
am_event_panel_unit(AmEventPanel *panel, const char *bytes, uint32 length)
{
	AmEventSlot key = {.length = length};

	if (length <= AM_SHORT_NAME)
	{
		key.head = am_name_word(bytes, (int) length);
		key.tail = length > 8 ? am_name_word(bytes + length - 8, 8) : 0;
	}
	else
		key.head = hash_bytes_extended((const unsigned char *) bytes, (int) length, 0);
	if (likely(panel->n_units > 0))
		for (uint32 slot = am_event_slot(panel, &key); panel->slots[slot].unit; slot = (slot + 1) & (panel->n_slots - 1))
		{
			const AmEventSlot *found = &panel->slots[slot];
			AmEventUnit *unit = &panel->units[found->unit - 1];

			if (found->head == key.head && found->tail == key.tail && found->length == length &&
				(length <= AM_SHORT_NAME || memcmp(unit->bytes, bytes, length) == 0))
				return unit;
		}
	return am_event_panel_new_unit(panel, &key, bytes);
}

static inline AmEventUnit *
am_event_panel_int64_unit(AmEventPanel *panel, int64 number)
{
	/* bytes that sort as the numbers do */
	uint64		word = pg_hton64((uint64) number ^ (UINT64CONST(1) << 63));

	return am_event_panel_unit(panel, (const char *) &word, sizeof(word));
}

/* Counts an event; kind NULL = it has none, value and quality NULL likewise */
extern void am_event_panel_add(AmEventPanel *panel, AmEventUnit *unit, int source, TimestampTz at,
							   const char *kind, int kind_length, const double *value, const double *quality);

/* The panel as bytes, the same for the same events in any order; frees the cells on the way if told */
extern void am_event_panel_write(AmEventPanel *panel, StringInfo out, bool free_cells);

/* What was written, of a state that is new (state NULL) or has the same settings */
extern AmEventPanel *am_event_panel_read(AmEventPanel *state, MemoryContext context, const char *bytes, Size length);

extern double am_cell_round(const AmCellSum *sum);

static inline AmCellSum *
am_event_unit_sums(const AmEventPanel *panel, const AmEventUnit *unit, int64 cell)
{
	return unit->sums ? unit->sums + cell * (panel->plan.n_sums + 1) : NULL;
}

#endif							/* AM_EVENT_PANEL_H */
