/*
 * Correlation of two columns, safe for offsets, tiny and huge values.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_CORRELATION_H
#define AM_CORRELATION_H

#include <stddef.h>

/* Pearson r of n pairs; NaN if n < 2 or a column is constant (min = max) */
extern double am_pearson(const double *x, const double *y, size_t n);

/*
 * Cross-correlation r_n at a lag: means and variances of the whole columns,
 * sum over the pairs (x[t], y[t + lag]) divided by n.  lag > 0: x leads y.
 * NaN where a column is constant or |lag| >= n.
 */
extern double am_cross_correlation(const double *x, const double *y, size_t n, int lag);

/* lag-1 autocorrelation with global mean and divisor n; 0 for a constant column */
extern double am_autocorrelation1(const double *x, size_t n);

#endif							/* AM_CORRELATION_H */
