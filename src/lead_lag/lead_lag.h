/*
 * Which of two panel columns moves first, by how many periods, how surely.
 * The method is the panel default: subtract period means,
 * prewhiten per unit by an AR(1) of x, average Fisher's z over units, t over
 * units, Holm over lags.  Lag k > 0: x leads y by k periods.
 *
 * Choices where the method leaves them open:
 * - A unit counts at a lag with at least 3 pairs of filtered values and where
 *   both filtered columns vary by more than rounding.  A gap that is not
 *   filled breaks the series, it does not end it.
 * - |r| of a unit is taken as at most 1 - 1e-9, so z is finite and a perfect
 *   relation counts.
 * - p and interval are those of one series (t of r with pairs - 2 degrees of
 *   freedom, Fisher z) where the units do not tell more than one: a single
 *   unit, units that are copies, and two units after removal of period means,
 *   which are mirror images.  The unit with the fewest pairs gives the pairs.
 * - r_pooled, r_between and r_within are of the columns as given, zero-filled
 *   if that is on.
 * - Differences, ranks and seasons come before period means, controls after:
 *   they are partialled out of both columns unit by unit by least squares,
 *   having been treated as x and y are.
 * - p_strict is a second look at what the t over units takes for granted,
 *   adjusted by Holm as p_holm is; equal to it where there is nothing to look
 *   at.  (1) A season that is larger for larger units outlasts the period
 *   means.  So, where no value is negative and period means are removed, a
 *   unit loses its share of each period instead: its mean, times what all
 *   units present had over the sum of their means.  (2) Where more than half
 *   of x or of y is zero, units have alike, slightly negative r by chance, and
 *   t is too large: there p is no smaller than that of the mean z under the
 *   variance that r has if the periods of a unit are exchanged, pairs / n^2.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_LEAD_LAG_H
#define AM_LEAD_LAG_H

#include <stdbool.h>

#include "panel/panel.h"

typedef enum AmDifferencing
{
	AM_DIFFERENCE_NO,
	AM_DIFFERENCE_YES,
	AM_DIFFERENCE_AUTO,			/* where x or y drifts, see AM_LL_DRIFT */
	AM_DIFFERENCE_SINGLE		/* auto for a panel of one unit, no for others */
} AmDifferencing;

/* Autocorrelation at lag 1, the median of the units, above which a column drifts and is differenced */
#define AM_LL_DRIFT		0.9

typedef struct AmLeadLagOptions
{
	int			max_lag;		/* lags -max_lag .. max_lag; >= 0 */
	bool		remove_period_means;	/* ignored (off) with a single unit */
	bool		prewhiten;
	bool		fill_zero;		/* a missing period between a unit's first and last is 0 */
	AmDifferencing difference;
	bool		rank;			/* ranks within each unit, ties in the middle, instead of values */
	int			season;			/* above 1: take off the mean of the periods of the same phase, per unit */
	bool		ar_by_aic;		/* panel of one unit without gaps: filter of the order with the smallest AIC, not 1 */
	bool		only_test;		/* leave r_pooled, r_between, r_within and forecast_gain undefined */
} AmLeadLagOptions;

/* NaN = not defined */
typedef struct AmLeadLagRow
{
	int			lag;
	int64_t		n;				/* pairs that entered r, over all units */
	int32_t		units;			/* units with a defined r */
	double		r;				/* tanh of the mean z */
	double		low;			/* 95 % interval */
	double		high;
	double		p;				/* two-sided */
	double		p_holm;			/* over the lags of this call */
	double		r_pooled;		/* raw columns, all pairs together */
	double		r_between;		/* of unit means */
	double		r_within;		/* unit means removed */
	double		sign_share;		/* share of units whose r has the sign of the mean */
	double		forecast_gain;	/* out of sample, lag > 0 only */
	double		p_strict;		/* the second look, over the lags of this call */

	/* the same in all rows of a call */
	bool		differenced;
	bool		ranked;
	int			season;
	int			controls;
	int			order;			/* of the filter chosen by AIC; 0 where there was none to choose */
} AmLeadLagRow;

typedef enum AmLeadLagVerdict
{
	AM_LL_LEADING,
	AM_LL_COINCIDENT,
	AM_LL_LAGGING,
	AM_LL_NO_EVIDENCE,
	AM_LL_INSUFFICIENT
} AmLeadLagVerdict;

/* fill_zero adds at most this many rows; a panel with more to fill keeps its gaps */
#define AM_LL_MAX_FILLED	((uint64_t) 1 << 24)

/* rows that fill_zero would add; callers should refuse more than AM_LL_MAX_FILLED */
extern uint64_t am_lead_lag_missing(const AmPanel *panel);

/* periods of the longest unit, from its first to its last; lags of this and more have no pairs */
extern uint64_t am_lead_lag_periods(const AmPanel *panel);

/* default of the caller when no max_lag is given: min(12, floor(periods / 4)), at least 1 */
extern int	am_lead_lag_default_max_lag(const AmPanel *panel);

/*
 * What is shipped: period means removed, prewhitened, filled with zeros; a
 * single series differenced by rule and filtered by an order chosen by AIC;
 * max_lag 12.
 */
extern AmLeadLagOptions am_lead_lag_defaults(void);

/* rows must hold 2 * max_lag + 1 entries; filled in order of lag */
extern void am_lead_lag(const AmPanel *panel, const AmLeadLagOptions *options, AmLeadLagRow *rows);

/*
 * The decision rule of docs/lead_lag.md at level alpha.  A larger |r| on the
 * other side does not count if its p_holm is at most alpha and its p_strict is
 * not: it is one that the second look has explained.  *decided gets
 * the index of the row that decided (the surest row where there is no
 * evidence), or -1 where every row is undefined.
 */
extern AmLeadLagVerdict am_lead_lag_verdict(const AmLeadLagRow *rows, int n_rows, double alpha, int *decided);

/* What the verdict goes by: the larger of p_holm and p_strict; NaN where p_holm is */
extern double am_lead_lag_adjusted_p(const AmLeadLagRow *row);

extern const char *am_lead_lag_verdict_name(AmLeadLagVerdict verdict);

/*
 * What was done beyond the ordinary, as a list: "season 12, differenced,
 * ranks, 2 controls, AR(3)"; empty if nothing.  Reading leaves out what is not
 * of that form.
 */
extern void am_lead_lag_method(const AmLeadLagRow *row, char *buf, size_t size);
extern void am_lead_lag_read_method(AmLeadLagRow *row, const char *method);

/*
 * One sentence in plain words with numbers, e.g. "meetings lead wins by 4
 * weeks: r 0.31 (0.24 to 0.38), adjusted p < 0.001, same sign for 92 % of 25
 * units, ...".  grain is the singular name of a period ("week").
 */
extern void am_lead_lag_sentence(const AmLeadLagRow *rows, int n_rows, AmLeadLagVerdict verdict, int decided,
								 const char *x_name, const char *y_name, const char *grain,
								 char *buf, size_t size);

#endif							/* AM_LEAD_LAG_H */
