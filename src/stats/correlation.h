/*
 * Correlation of two columns, safe for offsets, tiny and huge values; tests and
 * intervals of coefficients.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_CORRELATION_H
#define AM_CORRELATION_H

#include <stddef.h>
#include <stdint.h>

#include "stats/kendall.h"
#include "stats/moments.h"

/* Pearson r of n pairs; NaN if n < 2 or a column is constant (min = max) */
extern double am_pearson(const double *x, const double *y, size_t n);

/*
 * Cross-correlation r_n at a lag: means and variances of the whole columns,
 * sum over the pairs (x[t], y[t + lag]) divided by n.  lag > 0: x leads y.
 * NaN where a column is constant or |lag| >= n.
 */
extern double am_cross_correlation(const double *x, const double *y, size_t n, int lag);

/* NaN = not defined */
typedef struct AmCorrelation
{
	int64_t		n;
	double		r;
	double		p;				/* two-sided, of r = 0 */
	double		low;			/* 95 % interval */
	double		high;
} AmCorrelation;

/* Pearson's r: t with n - 2 degrees of freedom, Fisher's z with 1 / (n - 3) */
extern AmCorrelation am_pearson_test(const AmMoments *moments);

/* Spearman's rho, of moments of ranks: the same t; z with (1 + rho^2 / 2) / (n - 3) (Bonett & Wright 2000) */
extern AmCorrelation am_spearman_test(const AmMoments *ranks);

/* Kendall's tau-b: S / sqrt(var S), corrected for ties; z with 0.437 / (n - 4) (Fieller, Hartley & Pearson 1957) */
extern AmCorrelation am_kendall_test(const AmKendall *counts);

#endif							/* AM_CORRELATION_H */
