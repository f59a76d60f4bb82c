/*
 * Splitting the difference of two products among their factors.
 *
 * In each split the parts add up to the difference of the two products as
 * doubles, to the last bit and in any order, if that difference is a multiple
 * of the last bit of the largest sum of parts of one sign: always for counts,
 * and where all parts have one sign.  Otherwise they are off by less than
 * that bit.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_SHAPLEY_H
#define AM_SHAPLEY_H

#include <stdbool.h>

#define AM_SHAPLEY_MAX	64

/* The product of n factors, from the first to the last */
extern double am_product(const double *factors, int n);

/*
 * Shapley (1953): the mean effect of changing a factor over all orders in
 * which the factors could have changed.  Zeros and negative factors are fine.
 * Swapping before and after turns the sign of each effect, to the last bit.
 */
extern void am_shapley_split(const double *before, const double *after, int n, double *effects);

/*
 * Logarithmic mean Divisia index (Ang 2004): L(after, before) times the
 * logarithm of the factor's ratio, with the limits for zeros (Ang and Liu
 * 2007, Wood and Lenzen 2006): where one product is zero, the factors that are
 * zero there and not on the other side share the difference.  Factors are at
 * least 0.
 */
extern void am_lmdi_split(const double *before, const double *after, int n, double *effects);

/* The same for a gap that is known better than the products tell, since the factors are rounded ratios */
extern void am_shapley_gap(const double *before, const double *after, int n, double gap, double *effects);
extern void am_lmdi_gap(const double *before, const double *after, int n, double gap, double *effects);

/*
 * The factors of a chain of totals: the first, then each over the one before
 * it.  Where that is 0 on one side, the factor of the other side stands in, so
 * that it has no part in the difference.  False where something came of
 * nothing: a total above 0 after one of 0.
 */
extern bool am_chain_factors(const double *before, const double *after, int n, double *factors_before, double *factors_after);

/*
 * The outcome of n units, activity times quality of each: how much of its
 * change is the total activity (volume), how much its division among the units
 * (mix), how much their quality.  Shapley over the three.  A quality is NaN
 * where the activity is 0: then that of the other side stands in.
 */
extern void am_mix_split(const double *before_activity, const double *before_quality,
						 const double *after_activity, const double *after_quality, int n, double effects[3],
						 double *before, double *after);

#endif							/* AM_SHAPLEY_H */
