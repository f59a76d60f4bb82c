/*
 * Autocorrelation, and the autoregression x[t] - m = sum phi[k] (x[t-k] - m) + e.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_AUTOREGRESSION_H
#define AM_AUTOREGRESSION_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Autocorrelations of lags 0 .. max_lag: global mean, divisor n at every lag
 * (the biased estimate, which never leaves [-1, 1]).  0 at lags of n and more.
 * All NaN if x is constant or not finite.
 */
extern void am_acf(const double *x, size_t n, int max_lag, double *acf);

/*
 * Partial autocorrelations of lags 1 .. max_lag, from those of am_acf by the
 * Durbin-Levinson recursion; partial[0] is NaN.  NaN from where a shorter
 * autoregression leaves nothing.
 */
extern void am_pacf(const double *x, size_t n, int max_lag, double *partial);

typedef enum AmArMethod
{
	AM_AR_YULE_WALKER,			/* biased autocovariances: always stationary */
	AM_AR_BURG
} AmArMethod;

typedef struct AmAutoregression
{
	int			order_max;
	int			order;			/* the one with the smallest AIC */
	double		mean;
	double		var_pred;		/* variance[order], for Yule-Walker * n / (n - order - 1), NaN if that divides by 0 */
	double	   *phi;			/* order coefficients, lag 1 first */
	double	   *variance;		/* of the innovations, by order 0 .. order_max, divisor n */
	double	   *aic;			/* by order, less the smallest; NaN where the variance is */
} AmAutoregression;

/* min(n - 1, 10 log10 n), at least 0 */
extern int	am_ar_default_order(size_t n);

/*
 * Autoregression of the order 0 .. order_max with the smallest AIC = n ln v +
 * 2 order + 2, v being the variance that the recursion gives (Yule-Walker by
 * Durbin-Levinson; Burg 1968).  order_max is cut at n - 1.  False, with NaN
 * for every number, if x is constant or not finite.  ar is to be freed in
 * either case.
 */
extern bool am_autoregression(AmAutoregression *ar, const double *x, size_t n, int order_max, AmArMethod method);

extern void am_autoregression_free(AmAutoregression *ar);

/*
 * What the autoregression does not foresee of x, each value less the mean of
 * x: n - order values, for x[order] and later.  x may be another series than
 * the one it was fitted to; n > order.  A series of which rounding alone is
 * left becomes zeros.
 */
extern void am_ar_filter(const double *phi, int order, const double *x, size_t n, double *filtered);

#endif							/* AM_AUTOREGRESSION_H */
