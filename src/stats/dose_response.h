/*
 * What more of x does to y: four curves, compared.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_DOSE_RESPONSE_H
#define AM_DOSE_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum AmCurve
{
	AM_CURVE_LINEAR,			/* a + b x */
	AM_CURVE_LOGARITHMIC,		/* a + b ln(1 + x), every x above -1 */
	AM_CURVE_QUADRATIC,			/* a + b x + c x^2 */
	AM_CURVE_SATURATING,		/* a x / (b + x), no x below 0: Michaelis & Menten (1913); b is the x at half of a */
	AM_CURVES
} AmCurve;

typedef struct AmDoseResponse
{
	bool		defined;
	int			parameters;		/* 2 or 3 */
	double		parameter[3];	/* a, b, c; c NaN where there is none */
	double		rss;
	double		aic;			/* n ln(rss / n) + 2 parameters; NaN where rss is 0 */
	bool		best;			/* smallest AIC; of curves that leave nothing the first */
} AmDoseResponse;

/*
 * Least squares of each curve to n pairs.  A curve is not defined, all NaN,
 * with fewer pairs than one more than its parameters, where x has too few
 * different values or some outside its domain, where values are not finite,
 * and the saturating one where it fits best without an end: as a line, b
 * infinite, or as a step, b = 0.
 */
extern void am_dose_response(const double *x, const double *y, size_t n, AmDoseResponse curves[AM_CURVES]);

#endif							/* AM_DOSE_RESPONSE_H */
