/*
 * Collecting a panel: rows of (unit, period, x, y [, quality]) in any order,
 * several for one unit and period added up.  The state of lead_lag(),
 * vanity() and gaming().
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_PANEL_STATE_H
#define AM_PANEL_STATE_H

#include "common/compat.h"

#include "fmgr.h"
#include "lib/stringinfo.h"

#include "panel/panel.h"

typedef enum AmUnitType
{
	AM_UNIT_INT8 = 1,
	AM_UNIT_TEXT = 2,
	AM_UNIT_UUID = 3
} AmUnitType;

/* A unit by its bytes, which sort as its values do */
typedef struct AmPanelUnit
{
	uint32		hash;
	uint32		length;
	char	   *bytes;
} AmPanelUnit;

/*
 * One term of the sums of a unit and period.  Controls come in cells of their
 * own, two to each: pair 1 has the first as x and the second as y.
 */
typedef struct AmPanelCell
{
	uint32		unit;
	uint32		qualities;		/* rows with a known quality */
	int64		period;
	uint32		pair;			/* 0: x and y */
	double		x;
	double		y;
	double		quality;		/* their sum */
} AmPanelCell;

/* Arguments that are the same for all rows of a group: numbers and one text */
#define AM_PANEL_SETTINGS	3

typedef union AmPanelSetting
{
	int64		integer;
	double		number;
} AmPanelSetting;

typedef struct AmPanelState
{
	MemoryContext context;
	AmUnitType	unit_type;
	Size		limit;			/* of cells */

	bool		settings_known[AM_PANEL_SETTINGS];
	AmPanelSetting settings[AM_PANEL_SETTINGS];
	char	   *options;		/* NULL = none */

	int32		n_controls;		/* -1: not known yet */
	bool		has_quality;	/* any row had one */
	bool		has_unknown;	/* some row lacked x or y */

	AmPanelUnit *units;
	uint32		n_units;
	uint32		max_units;
	Size		unit_bytes;
	uint32	   *slots;			/* unit + 1, 0 = empty */
	uint32		n_slots;

	AmPanelCell *cells;
	Size		n;
	Size		max;
} AmPanelState;

extern AmPanelState *am_panel_state_create(MemoryContext context, AmUnitType unit_type);
extern uint32 am_panel_unit(AmPanelState *state, const char *bytes, uint32 length);
extern void am_panel_add(AmPanelState *state, const AmPanelCell *cell);

/* Sorted and summed, in the current memory context */
extern void am_panel_finish(AmPanelState *state, AmPanel *panel);

/* A unit of a finished panel, as text */
extern char *am_panel_unit_name(const AmPanelState *state, int32 unit);

/* An error where the panel, if every unit had every period, would have too many rows */
extern void am_panel_check_span(const AmPanel *panel);

/*
 * Transition of the aggregates: which argument is what, 0 = none.  Settings
 * are integers or floats by the type the aggregate declares.
 */
typedef struct AmPanelArguments
{
	const char *x_name;
	const char *y_name;			/* NULL: there is no y */
	bool		only_positive;	/* refuse x or y below zero */
	int			quality;
	int			controls;		/* double precision[] */
	int			options;
	int			settings[AM_PANEL_SETTINGS];
	const char *setting_names[AM_PANEL_SETTINGS];
	char		setting_types[AM_PANEL_SETTINGS];	/* 'i' int4, 'l' int8, 'f' float8 */
} AmPanelArguments;

extern Datum am_panel_transition(FunctionCallInfo fcinfo, AmUnitType type, const AmPanelArguments *arguments);

#endif							/* AM_PANEL_STATE_H */
