/*
 * Correlation of two columns, safe for offsets, tiny and huge values.
 *
 * See series.h for how a column is read.  One is constant if min = max: its
 * variance, rounded, need not be 0.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>

#include "stats/correlation.h"
#include "stats/distributions.h"
#include "stats/rates.h"
#include "stats/series.h"

double
am_pearson(const double *x, const double *y, size_t n)
{
	return am_cross_correlation(x, y, n, 0);
}

double
am_cross_correlation(const double *x, const double *y, size_t n, int lag)
{
	AmColumn	cx,
				cy;
	size_t		distance = lag < 0 ? 0 - (size_t) lag : (size_t) lag;

	if (distance >= n ||
		am_column_read(&cx, x, n) != AM_COLUMN_VARIES ||
		am_column_read(&cy, y, n) != AM_COLUMN_VARIES)
		return NAN;

	return am_clamp_r(am_column_products(&cx, lag < 0 ? distance : 0,
										 &cy, lag > 0 ? distance : 0, n - distance) /
					  sqrt(cx.squares * cy.squares));
}

/*
 * tanh of atanh r and so many standard errors about it; none where r is 1 or
 * -1, whose atanh has no finite value
 */
static void
set_interval(AmCorrelation *result, double rest, double variance)
{
	double		r = result->r;
	double		z;
	double		half = AM_Z95 * sqrt(variance);

	result->low = result->high = NAN;
	if (!(rest > 0) || !(variance > 0) || isinf(variance))
		return;
	z = fabs(r) < 0.5 ? atanh(r) : copysign(log((1 + fabs(r)) / sqrt(rest)), r);
	result->low = tanh(z - half);
	result->high = tanh(z + half);
}

static AmCorrelation
test_moments(const AmMoments *moments, bool ranks)
{
	AmCorrelation result;
	double		rest;
	double		n = (double) moments->n;

	result.n = moments->n;
	result.r = am_moments_correlation(moments, &rest);
	result.p = am_correlation_p_rest(result.r, rest, n - 2);
	set_interval(&result, rest, (ranks ? 1 + result.r * result.r / 2 : 1) / (n - 3));
	return result;
}

AmCorrelation
am_pearson_test(const AmMoments *moments)
{
	return test_moments(moments, false);
}

AmCorrelation
am_spearman_test(const AmMoments *ranks)
{
	return test_moments(ranks, true);
}

AmCorrelation
am_kendall_test(const AmKendall *counts)
{
	AmCorrelation result;
	double		variance;

	result.n = (int64_t) counts->n;
	result.r = am_kendall_tau(counts);
	variance = am_kendall_variance(counts);
	result.p = isnan(result.r) ? NAN : fmin(2 * am_norm_sf(fabs((double) am_kendall_s(counts)) / sqrt(variance)), 1);
	set_interval(&result, (1 - result.r) * (1 + result.r), 0.437 / ((double) result.n - 4));
	return result;
}
