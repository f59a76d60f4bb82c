/*
 * Has a unit's activity dropped below what is usual for it?  A CUSUM of
 * standardised counts against a level of the unit times an index of the
 * period, which comes from the other units.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_CUSUM_H
#define AM_CUSUM_H

#include <stdbool.h>

#include "panel/panel.h"

#define AM_CUSUM_WINDOW		52	/* rows that make the usual level ... */
#define AM_CUSUM_GUARD		8	/* ... up to so many before the one looked at */
#define AM_CUSUM_HOLD		26	/* a lower level is the usual one after so many rows */
#define AM_CUSUM_LEAST		8	/* fewer make none */
#define AM_CUSUM_DEFAULT_H	5.0
#define AM_CUSUM_POISSON_RUN	400.0	/* run length of the Poisson form, unless told otherwise */

typedef struct AmCusumOptions
{
	double		h;				/* NaN: from false_alarms, else the default */
	double		false_alarms;	/* wanted per year over all units; NaN: not told */
	double		periods_per_year;
	bool		poisson;		/* small counts with a dispersion near 1 */
	int			silent;			/* zeros for so many periods after the last row of a unit */
} AmCusumOptions;

typedef enum AmCusumReason
{
	AM_CUSUM_DEFINED,
	AM_CUSUM_TOO_FEW,			/* rows to tell what is usual */
	AM_CUSUM_NOTHING_USUAL,		/* the usual level is zero */
	AM_CUSUM_GONE				/* no row for more than `silent` periods */
} AmCusumReason;

/* NaN = not defined */
typedef struct AmCusumRow
{
	int32_t		unit;			/* -1: all units together */
	int64_t		period;			/* the last one */
	AmCusumReason reason;
	bool		alarm;			/* as of the last period */
	bool		has_since;		/* the CUSUM is above zero ... */
	int64_t		since;			/* ... from this period on: when the drop is likely to have begun */
	bool		has_alarm_period;
	int64_t		alarm_period;	/* the first since then in which it reached the threshold */
	double		level_now;
	double		usual_level;
	double		change;			/* level_now / usual_level - 1 */
	double		cusum;
	double		threshold;
	double		false_alarm_every;	/* periods between alarms if nothing changes, on average */
	int64_t		n;
	double		phi;
	double		share_down;		/* of units, all together: below their own usual level since `since` */
	bool		at_once;		/* all together: so many that what is common to them is likelier than effort */
} AmCusumRow;

/*
 * rows: room for n_units + 1; x at least 0.  Returns their number: one for
 * each unit in order, and a last one for all together where there are two.
 * path: NULL, or room for panel->n: the CUSUM at each row, NaN where there is
 * no usual level yet.
 */
extern int32_t am_cusum(const AmPanel *panel, const AmCusumOptions *options, AmCusumRow *rows, double *path);

#endif							/* AM_CUSUM_H */
