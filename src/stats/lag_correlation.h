/*
 * Cross-correlation of two series by lag, and how surely each differs from 0.
 * Lag k > 0: x leads y by k periods, the pairs are (x[t], y[t + k]).
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_LAG_CORRELATION_H
#define AM_LAG_CORRELATION_H

#include <stdbool.h>
#include <stddef.h>

/*
 * How many independent pairs the n pairs of two series are worth.  Bartlett
 * (1946) by way of Bayley & Hammersley (1946): n / V, where V = 1 + 2 sum
 * (1 - j / n) rx(j) ry(j) over lags j = 1 .. n / 5 of the biased
 * autocorrelations.  Where V is not above 0 nothing is taken off.  The short
 * form (Bretherton et al. 1999) takes lag 1 for the whole: n (1 - rx ry) /
 * (1 + rx ry).  clamped: no less than 2 and no more than n.
 */
typedef struct AmEffectiveN
{
	size_t		max_lag;		/* n / 5 */
	double		r1_x;
	double		r1_y;
	double		inflation;		/* V */
	double		raw;
	double		clamped;
	double		ar1_raw;
	double		ar1_clamped;
} AmEffectiveN;

/* all NaN if a series is constant or not finite */
extern void am_effective_n(const double *x, const double *y, size_t n, AmEffectiveN *effective);

typedef struct AmCcfRow
{
	int			lag;
	size_t		n;				/* pairs */
	double		r_n;			/* whole means and variances, divisor n: always within [-1, 1] */
	double		r_nk;			/* r_n * n / pairs; may lie outside */
	double		r;				/* Pearson's of the pairs, as SQL's corr of them */
	double		low;			/* 95 % interval of r: Fisher's z, n_eff - 3 */
	double		high;
	double		p;				/* of r by t, as if the pairs were independent */
	double		n_eff;			/* pairs / V, clamped to 2 .. pairs */
	double		p_eff;			/* of r by t with n_eff - 2 degrees of freedom */
	double		n_eff_ar1;
	double		p_eff_ar1;
} AmCcfRow;

/*
 * rows has room for 2 * max_lag + 1, filled from lag -max_lag on; max_lag <
 * n.  All but lag and n are NaN where a series, or for r and what follows its
 * part in the pairs, is constant; p and interval where too few pairs are left.
 */
extern void am_ccf(const double *x, const double *y, size_t n, int max_lag, AmCcfRow *rows);

typedef struct AmPrewhitenedRow
{
	int			lag;
	size_t		n;				/* pairs of filtered values */
	double		r;				/* divisor n of the filtered series, as r_n */
	double		low;			/* 95 % interval: Fisher's z, pairs - 3 */
	double		high;
	double		p;				/* t with pairs - 2 degrees of freedom */
	double		p_holm;			/* adjusted over the lags (Holm 1979) */
} AmPrewhitenedRow;

typedef struct AmPrewhitened
{
	int			order;			/* of the autoregression of x (Yule-Walker, AIC) */
	size_t		n_used;			/* n - order */
	double		band95;			/* 1.96 / sqrt(n_used): where r of unrelated series stays in 95 % of cases */
} AmPrewhitened;

/*
 * Cross-correlation of the series after filtering both by the autoregression
 * of x (Box & Jenkins 1970, chapter 11).  rows as for am_ccf; max_lag < n.
 * False, with NaN in all, if x is constant or a series not finite.  Rows are
 * NaN where y is constant, or the lag leaves no pairs.
 */
extern bool am_prewhitened_ccf(const double *x, const double *y, size_t n, int max_lag,
							   AmPrewhitened *summary, AmPrewhitenedRow *rows);

#endif							/* AM_LAG_CORRELATION_H */
