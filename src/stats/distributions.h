/*
 * Distribution functions, each tail computed directly (never as 1 - other).
 * All return NaN for arguments outside their domain, and never set errno.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_DISTRIBUTIONS_H
#define AM_DISTRIBUTIONS_H

extern double am_norm_cdf(double z);
extern double am_norm_sf(double z);
extern double am_norm_quantile(double p);	/* -inf at 0, +inf at 1 */

extern double am_t_sf(double t, double df);
extern double am_t_two_sided(double t, double df);	/* P(|T| > |t|) */
extern double am_t_quantile(double p, double df);

extern double am_f_cdf(double f, double df1, double df2);
extern double am_f_sf(double f, double df1, double df2);
extern double am_chi2_sf(double x, double df);

extern double am_betainc(double a, double b, double x);	/* regularised I_x(a,b) */
extern double am_betainc_complement(double a, double b, double x);	/* 1 - I_x(a,b) */

/* two-sided p of a Pearson-type correlation r with df degrees of freedom */
extern double am_correlation_p(double r, double df);

/* the same, where rest = 1 - r^2 is known better than r tells */
extern double am_correlation_p_rest(double r, double rest, double df);

#endif							/* AM_DISTRIBUTIONS_H */
