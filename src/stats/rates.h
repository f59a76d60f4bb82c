/*
 * Proportions and times to an event.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_RATES_H
#define AM_RATES_H

#include <stddef.h>
#include <stdint.h>

#define AM_Z95 1.959963984540054	/* 97.5 % quantile of the normal distribution */

/*
 * Wilson (1927) score interval of x out of n, clipped to [0, 1], exactly 0 at
 * x = 0 and exactly 1 at x = n.  n = 0 gives NaN.
 */
extern void am_wilson(double x, double n, double z, double *low, double *high);

/*
 * Interval of p1 - p2, the difference of the shares k1 of n1 and k2 of n2 of
 * two independent groups: from the Wilson intervals of both (Newcombe 1998,
 * Statistics in Medicine 17: 873-890, method 10).  z is the quantile of the
 * normal distribution, 0 or more.  Counts need not be whole.  The limits lie
 * within [-1, 1]; NaN where am_wilson has no interval, so where an n is 0.
 */
extern void am_newcombe(double k1, double n1, double k2, double n2, double z, double *low, double *high);

/*
 * Two-sided p of equal shares in two independent groups, k1 of n1 and k2 of
 * n2, whole numbers up to 2^63: Pearson's chi-square times (N - 1) / N, N = n1
 * + n2, where no expected count is below 1, else Fisher's exact test, with the
 * tables that are no more probable than the one at hand, a part in 10^7
 * allowed for rounding (Campbell 2007, Statistics in Medicine 26: 3661-3675).
 * 1 where both shares are 0 or both are 1.  NaN where an n is 0, and for
 * counts that are negative, not whole, or above their n.
 */
extern double am_two_rates_p(double k1, double n1, double k2, double n2);

/*
 * How many of n activities for one of k outcomes: n / k, and its exact 95 %
 * interval: where both are whole and k <= n, so that an activity brings one or
 * none, from that of a proportion (Clopper & Pearson 1934), else, k whole,
 * from that of a Poisson count (Garwood 1936).  k = 0: value NaN, low n / 3
 * (the rule of three), high NaN.  An amount, k not whole, has no interval.
 */
extern void am_per_outcome(double k, double n, double *value, double *low, double *high);

#endif							/* AM_RATES_H */
