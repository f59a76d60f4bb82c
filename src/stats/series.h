/*
 * One column of numbers made fit for sums of squares and products, and
 * differences of a series.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_SERIES_H
#define AM_SERIES_H

#include <float.h>
#include <math.h>
#include <stddef.h>

typedef enum AmColumnKind
{
	AM_COLUMN_VARIES,
	AM_COLUMN_CONSTANT,			/* min = max, or no values */
	AM_COLUMN_NOT_FINITE		/* a NaN or infinity among them */
} AmColumnKind;

/*
 * A column seen as deviations from its mean, in units of 2^exponent.  It is
 * shifted by its first value, which is exact for neighbouring doubles, so an
 * offset costs nothing; scaled by a power of two into [-1, 1], so that squares
 * neither overflow nor vanish; and only then centred.
 */
typedef struct AmColumn
{
	const double *values;
	size_t		n;
	double		half;			/* 0.5 if max - min overflows, else 1 */
	double		first;			/* times half */
	double		scale;
	int			exponent;
	double		mean;			/* of the shifted and scaled values */
	double		squares;		/* sum of the squared deviations from it */
	double		granularity;	/* what the rounding of the values themselves may leave, in units of 2^exponent */
} AmColumn;

/* Reads n values, which must stay in place.  Only what varies has deviations. */
extern AmColumnKind am_column_read(AmColumn *column, const double *values, size_t n);

static inline double
am_deviation(const AmColumn *column, size_t i)
{
	return (column->values[i] * column->half - column->first) * column->scale - column->mean;
}

/*
 * A correlation into [-1, 1].  Within some units in the last place of 1 the
 * sums cannot tell a perfect line from rounding, and a p-value should not
 * depend on which.
 */
static inline double
am_clamp_r(double r)
{
	return fabs(r) > 1 - 4 * DBL_EPSILON ? copysign(1, r) : r;
}

/* the mean of the values as they were given */
extern double am_column_mean(const AmColumn *column);

/* sum of the products of m deviations, from i on in x and from j on in y */
extern double am_column_products(const AmColumn *x, size_t i, const AmColumn *y, size_t j, size_t m);

/*
 * x[t] - x[t - distance], times times over: n - distance * times values, none
 * if that is not above 0.  Returns how many; differenced has room for n and
 * may be x.  distance >= 1, times >= 0.
 */
extern size_t am_difference(const double *x, size_t n, size_t distance, size_t times, double *differenced);

#endif							/* AM_SERIES_H */
