/*
 * Counts of units in periods: y is Poisson, or at least its mean is
 * exp(level of the unit + level of the period + sum b[j] z[j]).
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_TWO_WAY_POISSON_H
#define AM_TWO_WAY_POISSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which unit and which period each row is of */
typedef struct AmTwoWay
{
	size_t		n;
	const int32_t *unit;		/* ascending, 0 .. n_units - 1 */
	const size_t *slot;			/* 0 .. n_slots - 1; some may have no row */
	int32_t		n_units;
	size_t		n_slots;
} AmTwoWay;

/* Takes weighted levels of units and periods off v, to rounding; weights are above 0 */
extern void am_two_way_residual(const AmTwoWay *rows, const double *weight, double *v);

typedef struct AmTwoWayPoisson
{
	/* rows, units and periods that count: where a unit or a period has no outcome at all there is nothing to explain */
	size_t		n;
	int32_t		units;
	int32_t		periods;
	int			k;
	double		df;				/* rows - coefficients - levels */
	double	   *coefficient;	/* k; NaN where not defined */

	/* of the outcome times 2^-exponent, which changes neither coefficients nor errors */
	int			exponent;
	double		phi;			/* dispersion: Pearson's chi-square over df */
	double	   *inverse;		/* k x k, of the information */
	double	   *meat;			/* k x k, products of the scores of the units */
} AmTwoWayPoisson;

/*
 * Maximum likelihood by reweighted least squares; the levels, of which there
 * may be many, are taken off by conjugate gradients rather than written as
 * columns.  z: k columns, finite; y at least 0.  False, with NaN in all, where
 * it has no solution: a column depends on the levels and the others, or the
 * outcome is 0 wherever some combination is not at its largest, so that the
 * likelihood has no maximum.  fit is to be freed in either case.
 */
extern bool am_two_way_poisson(AmTwoWayPoisson *fit, const AmTwoWay *rows, const double *y, const double *const *z, int k);

extern void am_two_way_poisson_free(AmTwoWayPoisson *fit);

/*
 * The sum of weights[j] b[j] and two standard errors: by the information times
 * phi, and by the scores of the units, which may be correlated inside
 * (Liang & Zeger 1986, times units / (units - 1)).
 */
extern void am_two_way_combination(const AmTwoWayPoisson *fit, const double *weights, double *value,
								   double *dispersed, double *clustered);

#endif							/* AM_TWO_WAY_POISSON_H */
