/*
 * How much of x for one more y, in a panel: on average, for a bit more than
 * usual, and whether more still brings more.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_PANEL_DOSE_H
#define AM_PANEL_DOSE_H

#include "lead_lag/lead_lag.h"
#include "stats/dose_response.h"

#define AM_DOSE_WIDEST	12		/* lags from the first to the last, at most */

/* Why there is no marginal effect */
typedef enum AmDoseReason
{
	AM_DOSE_DEFINED,
	AM_DOSE_NO_LAG,				/* none given, and x neither leads y nor comes with it */
	AM_DOSE_ONE_UNIT,			/* nothing to tell x from the period by */
	AM_DOSE_TOO_FEW,			/* rows with all lags, or of units and periods with an outcome */
	AM_DOSE_NO_VARIATION		/* of x within units and periods, or the likelihood has no maximum */
} AmDoseReason;

typedef struct AmEstimate
{
	double		value;			/* NaN = not defined, as in all of these */
	double		low;			/* 95 % interval */
	double		high;
} AmEstimate;

typedef struct AmPanelDose
{
	AmLeadLagVerdict verdict;	/* where the lag was looked for */
	bool		searched;
	bool		has_lag;
	int			lag_from;
	int			lag_to;

	/* all rows together: x per y */
	double		total_x;
	double		total_y;
	AmEstimate	average;

	/* Poisson regression with levels of units and periods on ln(x + c) of the lags */
	AmDoseReason reason;
	int64_t		n;				/* rows, units and periods in it */
	int32_t		units;
	int32_t		periods;
	double		usual_x;		/* means where all lags are there */
	double		usual_y;
	AmEstimate	elasticity;		/* % of y for 1 % of x at its usual level, over all lags */
	double		p;				/* two-sided, t with units - 1 */
	bool		clustered;		/* the larger of the two errors is that by units */
	AmEstimate	marginal;		/* x for one more y: usual_x / (elasticity usual_y); high NaN where open */

	/* two slopes, below and above what is usual for the unit and the period */
	AmEstimate	below;
	AmEstimate	above;
	double		p_bend;			/* of no difference */

	/* curves of y on x at the lag, over all rows */
	AmDoseResponse curve[AM_CURVES];
	int			best_curve;		/* of linear, logarithmic, saturating by AIC; -1: none */
} AmPanelDose;

/*
 * No value is below 0.  lag_from < 0: the lag is looked for by am_lead_lag()
 * with its defaults, fill_zero as given.  Rows with a missing lag do not count.
 */
extern void am_panel_dose(const AmPanel *panel, int lag_from, int lag_to, bool fill_zero, AmPanelDose *dose);

extern const char *am_panel_dose_reason(AmDoseReason reason);

#endif							/* AM_PANEL_DOSE_H */
