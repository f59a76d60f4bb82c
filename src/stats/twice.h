/*
 * Numbers of twice the digits of a double, as an unevaluated sum of two
 * (Dekker 1971): for the few sums whose differences are what is asked for.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_TWICE_H
#define AM_TWICE_H

#include <math.h>

typedef struct AmTwice
{
	double		high;
	double		low;			/* at most half a unit in the last place of high */
} AmTwice;

/* a + b without rounding (Knuth) */
static inline AmTwice
am_twice_sum(double a, double b)
{
	AmTwice		sum;
	double		of_b;

	sum.high = a + b;
	of_b = sum.high - a;
	sum.low = (a - (sum.high - of_b)) + (b - of_b);
	return sum;
}

static inline AmTwice
am_twice_add(AmTwice a, AmTwice b)
{
	AmTwice		high = am_twice_sum(a.high, b.high);
	AmTwice		low = am_twice_sum(a.low, b.low);

	high = am_twice_sum(high.high, high.low + low.high);
	return am_twice_sum(high.high, high.low + low.low);
}

static inline AmTwice
am_twice_times(AmTwice a, AmTwice b)
{
	double		high = a.high * b.high;

	return am_twice_sum(high, fma(a.high, b.high, -high) + (a.high * b.low + a.low * b.high));
}

static inline AmTwice
am_twice_minus(AmTwice a)
{
	AmTwice		minus = {-a.high, -a.low};

	return minus;
}

/* b is not 0 */
static inline AmTwice
am_twice_over(AmTwice a, AmTwice b)
{
	AmTwice		quotient = {a.high / b.high, 0};
	AmTwice		rest = am_twice_add(a, am_twice_minus(am_twice_times(quotient, b)));

	return am_twice_sum(quotient.high, rest.high / b.high);
}

#endif							/* AM_TWICE_H */
