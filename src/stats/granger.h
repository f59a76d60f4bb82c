/*
 * Does the past of x help to predict y beyond the past of y?  In sample by
 * Granger's test, out of sample by forecasts from a rolling origin.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_GRANGER_H
#define AM_GRANGER_H

#include <stdbool.h>
#include <stddef.h>

/* the largest order whose models n values can tell apart; 0: none */
extern int	am_granger_largest_order(size_t n);

typedef struct AmGranger
{
	size_t		n;				/* rows: n - order of the series */
	double		df1;			/* order */
	double		df2;			/* rows - 2 order - 1 */
	double		rss_own;		/* of y on its own past */
	double		rss_with_x;
	double		f;
	double		p;				/* of f on df1 and df2 */
	double		chi2_wald;		/* order * f */
	double		p_wald;
	double		chi2_ssr;		/* rows * (rss_own - rss_with_x) / rss_with_x */
	double		p_ssr;
	double		lr;				/* rows * ln(rss_own / rss_with_x) */
	double		p_lr;
} AmGranger;

/*
 * Tests the lags 1 .. order of x beside those of y (Granger 1969), by least
 * squares with a constant.  1 <= order <= am_granger_largest_order(n).  False,
 * with NaN in all statistics, where the lags are linearly dependent, as those
 * of a constant or of a straight line are.  Statistics are infinite and p is
 * 0 where x leaves no residuals and the past of y alone leaves some; NaN where
 * that leaves none either.
 */
extern bool am_granger(const double *x, const double *y, size_t n, int order, AmGranger *granger);

typedef struct AmGrangerOrder
{
	int			order;
	size_t		n;				/* rows, the same for all orders: n - max_order */
	double		rss;			/* of y on order lags of y and of x */
	double		aic;			/* n ln(rss / n) + 2 k, k = 2 order + 1 */
	double		bic;			/* ... + k ln n (Schwarz 1978) */
	double		hq;				/* ... + 2 k ln ln n (Hannan & Quinn 1979) */
	bool		best_aic;		/* smallest among orders 1 and up */
	bool		best_bic;
	bool		best_hq;
} AmGrangerOrder;

/*
 * rows: max_order + 1, from order 0; 1 <= max_order <=
 * am_granger_largest_order(n).  NaN from the order on whose lags are linearly
 * dependent; the criteria are NaN where nothing is left to predict.
 */
extern void am_granger_orders(const double *x, const double *y, size_t n, int max_order, AmGrangerOrder *rows);

/* the largest order that forecasts of the second half of n values can start with; 0: none */
extern int	am_forecast_largest_order(size_t n);

typedef struct AmForecastGain
{
	size_t		first;			/* index of the first value that is forecast: n / 2, rounded up */
	size_t		n;				/* forecasts; fewer than n - first where a model was not determined yet */
	double		mse_own;
	double		mse_with_x;
	double		gain;			/* 1 - mse_with_x / mse_own */
	double		clark_west;		/* t of the loss differential, adjusted for the larger model's noise */
	double		p_clark_west;	/* one-sided, normal: x helps */
	double		diebold_mariano;	/* t of the plain loss differential */
	double		p_diebold_mariano;	/* two-sided, t with n - 1 degrees of freedom */
} AmForecastGain;

/*
 * Forecasts one step ahead of the second half of y, each from least squares
 * of all that lies before it: y on a constant and its lags 1 .. order, and the
 * same with those lags of x (Clark & West 2007; Diebold & Mariano 1995).  Both
 * are made of the same rows.  1 <= order <= am_forecast_largest_order(n).
 * NaN: the means without a forecast, gain without an own error, the tests with
 * fewer than two forecasts or differentials that are all the same.
 */
extern void am_forecast_gain(const double *x, const double *y, size_t n, int order, AmForecastGain *gain);

#endif							/* AM_GRANGER_H */
