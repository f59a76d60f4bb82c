/*
 * How the effect of x on y spreads over the lags: y[t] = a + sum b[k] x[t-k].
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_DISTRIBUTED_LAG_H
#define AM_DISTRIBUTED_LAG_H

#include <stdbool.h>
#include <stddef.h>

/* the largest max_lag that n values allow, -1: none; unrestricted as it is for the restriction's test */
extern int	am_distributed_lag_largest(size_t n);

typedef struct AmDistributedLag
{
	size_t		n;				/* rows: n - max_lag of the series */
	double		df;				/* rows - coefficients */
	double		rss;
	double		mean_lag;		/* sum k b[k] / sum b[k] */
	double		rss_unrestricted;
	double		df_unrestricted;
	double		f;				/* of the restriction to a polynomial; NaN without one */
	double		p;
	double	   *coefficient;	/* by lag 0 .. max_lag, y per x */
	double	   *error;			/* standard errors, as if residuals were independent */
	double	   *cumulative;		/* sum of the coefficients up to the lag */
	double	   *cumulative_error;
	double	   *hac_error;		/* NaN before am_distributed_lag_hac */
	double	   *cumulative_hac_error;
} AmDistributedLag;

/*
 * Least squares of y on a constant and lags 0 .. max_lag of x.  degree >= 0
 * restricts the coefficients to a polynomial in the lag (Almon 1965) of that
 * degree, at most max_lag; negative: no restriction.  max_lag <=
 * am_distributed_lag_largest(n).  False, with NaN in all, where the lags are
 * linearly dependent, as those of a constant are.  lags is to be freed in
 * either case.
 */
extern bool am_distributed_lag(const double *x, const double *y, size_t n, int max_lag, int degree,
							   AmDistributedLag *lags);

/* 4 (n / 100)^(2/9) of n rows, rounded down, at most n - 1 */
extern int	am_hac_bandwidth(size_t n);

/*
 * Standard errors where residuals are correlated up to so many periods apart
 * and differ in size (Newey & West 1987), times rows / df.  For lags of a call
 * of am_distributed_lag with the same arguments.
 */
extern void am_distributed_lag_hac(AmDistributedLag *lags, const double *x, const double *y, size_t n,
								   int max_lag, int degree, int bandwidth);

extern void am_distributed_lag_free(AmDistributedLag *lags);

#endif							/* AM_DISTRIBUTED_LAG_H */
