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
 * Kaplan-Meier estimate of the share that converts in the end: 1 - S(last).
 * converted and censored are times, each ascending; never counts those known
 * never to convert (at risk to the end).  A conversion at the time of a
 * censoring comes first.  NaN where nobody is at risk.
 */
extern double am_kaplan_meier_converted(const int64_t *converted, size_t n_converted,
										const int64_t *censored, size_t n_censored,
										size_t never);

#endif							/* AM_RATES_H */
