/*
 * The binomial distribution, by the incomplete beta function.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_BINOMIAL_H
#define AM_BINOMIAL_H

/* P(X >= k) of n trials with probability p each; NaN unless 0 <= p <= 1 and k and n are whole, n at least 0 */
extern double am_binomial_upper(double k, double n, double p);

/* Exact two-sided p: twice the smaller tail, k in both, at most 1.  NaN for what is not a count. */
extern double am_binomial_two_sided(double k, double n, double p);

/*
 * Is the yield the same in two groups?  Of y0 + y1 outcomes, y1 is binomial
 * with probability a1 / (a0 + a1), where the outcomes are Poisson with means
 * in proportion to the activity.  NaN where there is no activity, or an
 * outcome is not a count.
 */
extern double am_same_yield_p(double a0, double y0, double a1, double y1);

#endif							/* AM_BINOMIAL_H */
