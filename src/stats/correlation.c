/*
 * Correlation of two columns, safe for offsets, tiny and huge values.
 *
 * Every column is shifted by its first value (exact for neighbouring doubles,
 * so an offset costs nothing), scaled by a power of two into [-1, 1] (so that
 * squares neither overflow nor vanish), and only then centred.  A column is
 * constant if min = max: its variance, rounded, need not be 0.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <float.h>
#include <math.h>

#include "common/am_host.h"
#include "stats/correlation.h"
#include "stats/distributions.h"
#include "stats/rates.h"

#define ITEMS_PER_CHECK 8192

typedef enum ColumnKind
{
	COLUMN_VARIES,
	COLUMN_CONSTANT,
	COLUMN_NOT_FINITE
} ColumnKind;

typedef struct Column
{
	const double *values;
	double		first;			/* already times half */
	double		half;			/* 0.5 if max - min overflows, else 1 */
	double		scale;
	double		mean;			/* of the shifted and scaled values */
	double		squares;		/* sum of the squared deviations from it */
} Column;

static inline double
shifted(const Column *column, size_t i)
{
	return (column->values[i] * column->half - column->first) * column->scale;
}

static inline double
deviation(const Column *column, size_t i)
{
	return shifted(column, i) - column->mean;
}

static ColumnKind
read_column(Column *column, const double *values, size_t n)
{
	double		low,
				high,
				range,
				largest;
	double		sum = 0;
	double		rest = 0;
	int			exponent;
	size_t		i;

	if (n == 0)
		return COLUMN_CONSTANT;

	low = high = values[0];
	for (i = 0; i < n; i++)
	{
		double		value = values[i];

		if (!isfinite(value))
			return COLUMN_NOT_FINITE;
		if (value < low)
			low = value;
		if (value > high)
			high = value;
		if (i % ITEMS_PER_CHECK == 0)
			AM_CHECK_INTERRUPTS();
	}
	if (low == high)
		return COLUMN_CONSTANT;

	column->values = values;
	range = high - low;
	column->half = isinf(range) ? 0.5 : 1;
	column->first = values[0] * column->half;
	largest = fmax(high * column->half - column->first, column->first - low * column->half);
	(void) frexp(largest, &exponent);
	/* 2^1074 is no double; for the smallest values 2^1000 does as well */
	column->scale = ldexp(1.0, exponent < -1000 ? 1000 : -exponent);

	for (i = 0; i < n; i++)
	{
		sum += shifted(column, i);
		if (i % ITEMS_PER_CHECK == 0)
			AM_CHECK_INTERRUPTS();
	}
	column->mean = sum / n;

	column->squares = 0;
	for (i = 0; i < n; i++)
	{
		double		d = deviation(column, i);

		column->squares += d * d;
		rest += d;
		if (i % ITEMS_PER_CHECK == 0)
			AM_CHECK_INTERRUPTS();
	}
	/* the rounding of the mean (Chan, Golub & LeVeque 1983) */
	column->squares -= rest * (rest / n);
	return COLUMN_VARIES;
}

/*
 * Into [-1, 1].  Within some units in the last place of 1 the sums cannot tell
 * a perfect line from rounding, and a p-value should not depend on which.
 */
static double
clamp(double r)
{
	if (r > 1 - 4 * DBL_EPSILON)
		return 1;
	if (r < -1 + 4 * DBL_EPSILON)
		return -1;
	return r;
}

/* sum of the products of m pairs, from i on in x and from j on in y */
static double
sum_products(const Column *x, size_t i, const Column *y, size_t j, size_t m)
{
	double		sum = 0;
	size_t		k;

	for (k = 0; k < m; k++)
	{
		sum += deviation(x, i + k) * deviation(y, j + k);
		if (k % ITEMS_PER_CHECK == 0)
			AM_CHECK_INTERRUPTS();
	}
	return sum;
}

double
am_pearson(const double *x, const double *y, size_t n)
{
	return am_cross_correlation(x, y, n, 0);
}

double
am_cross_correlation(const double *x, const double *y, size_t n, int lag)
{
	Column		cx,
				cy;
	size_t		distance = lag < 0 ? 0 - (size_t) lag : (size_t) lag;

	if (distance >= n ||
		read_column(&cx, x, n) != COLUMN_VARIES ||
		read_column(&cy, y, n) != COLUMN_VARIES)
		return NAN;

	return clamp(sum_products(&cx, lag < 0 ? distance : 0,
							  &cy, lag > 0 ? distance : 0, n - distance) /
				 sqrt(cx.squares * cy.squares));
}

double
am_autocorrelation1(const double *x, size_t n)
{
	Column		column;

	switch (read_column(&column, x, n))
	{
		case COLUMN_VARIES:
			return clamp(sum_products(&column, 0, &column, 1, n - 1) / column.squares);
		case COLUMN_CONSTANT:
			return 0;
		case COLUMN_NOT_FINITE:
			break;
	}
	return NAN;
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
