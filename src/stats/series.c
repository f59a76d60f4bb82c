/*
 * See series.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <float.h>
#include <string.h>

#include "common/am_host.h"
#include "stats/series.h"

#define ITEMS_PER_CHECK 8192
#define ITEMS_PER_SUM	128		/* sums of short sums lose fewer digits than one long one */

static double
sum_deviations(const AmColumn *column)
{
	double		total = 0;
	size_t		i = 0;

	while (i < column->n)
	{
		size_t		end = column->n - i > ITEMS_PER_SUM ? i + ITEMS_PER_SUM : column->n;
		double		sum = 0;

		for (; i < end; i++)
			sum += am_deviation(column, i);
		total += sum;
		if (i % ITEMS_PER_CHECK == 0)
			AM_CHECK_INTERRUPTS();
	}
	return total;
}

AmColumnKind
am_column_read(AmColumn *column, const double *values, size_t n)
{
	double		low,
				high,
				largest;
	double		rest;
	size_t		i;

	column->values = values;
	column->n = n;
	column->half = 1;
	column->first = n > 0 ? values[0] : 0;
	column->scale = 1;
	column->exponent = 0;
	column->mean = column->squares = column->granularity = 0;
	if (n == 0)
		return AM_COLUMN_CONSTANT;

	low = high = values[0];
	for (i = 0; i < n; i++)
	{
		double		value = values[i];

		if (!isfinite(value))
			return AM_COLUMN_NOT_FINITE;
		if (value < low)
			low = value;
		if (value > high)
			high = value;
		if (i % ITEMS_PER_CHECK == 0)
			AM_CHECK_INTERRUPTS();
	}
	if (low == high)
		return AM_COLUMN_CONSTANT;

	if (isinf(high - low))
		column->half = 0.5;
	column->first = values[0] * column->half;
	largest = fmax(high * column->half - column->first, column->first - low * column->half);
	(void) frexp(largest, &column->exponent);
	/* 2^1074 is no double; for the smallest values 2^1000 does as well */
	if (column->exponent < -1000)
		column->exponent = -1000;
	column->scale = ldexp(1.0, -column->exponent);
	column->granularity = DBL_EPSILON * column->half * fmax(fabs(low), fabs(high)) * column->scale;
	if (column->half < 1)
		column->exponent++;

	/* the second time for the rounding of the first */
	column->mean = sum_deviations(column) / n;
	column->mean += sum_deviations(column) / n;
	rest = sum_deviations(column);
	column->squares = am_column_products(column, 0, column, 0, n) - rest * (rest / n);
	return AM_COLUMN_VARIES;
}

double
am_column_mean(const AmColumn *column)
{
	return column->first / column->half + ldexp(column->mean, column->exponent);
}

double
am_column_products(const AmColumn *x, size_t i, const AmColumn *y, size_t j, size_t m)
{
	double		total = 0;
	size_t		k = 0;

	while (k < m)
	{
		size_t		end = m - k > ITEMS_PER_SUM ? k + ITEMS_PER_SUM : m;
		double		sum = 0;

		for (; k < end; k++)
			sum += am_deviation(x, i + k) * am_deviation(y, j + k);
		total += sum;
		if (k % ITEMS_PER_CHECK == 0)
			AM_CHECK_INTERRUPTS();
	}
	return total;
}

size_t
am_difference(const double *x, size_t n, size_t distance, size_t times, double *differenced)
{
	size_t		i;

	/* without n / distance the product could wrap */
	if (times > 0 && (distance >= n || times > (n - 1) / distance))
		return 0;
	memmove(differenced, x, n * sizeof(double));
	for (; times > 0; times--)
	{
		n -= distance;
		for (i = 0; i < n; i++)
		{
			differenced[i] = differenced[i + distance] - differenced[i];
			if (i % ITEMS_PER_CHECK == 0)
				AM_CHECK_INTERRUPTS();
		}
	}
	return n;
}
