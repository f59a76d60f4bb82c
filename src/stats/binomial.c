/*
 * See binomial.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>
#include <stdbool.h>

#include "stats/binomial.h"
#include "stats/distributions.h"

#define LARGEST_COUNT	9007199254740992.0

static bool
is_count(double k)
{
	return k >= 0 && k <= LARGEST_COUNT && k == floor(k);
}

double
am_binomial_upper(double k, double n, double p)
{
	if (!is_count(n) || !(p >= 0 && p <= 1) || k != floor(k))
		return NAN;
	if (k <= 0)
		return 1;
	if (k > n)
		return 0;
	return am_betainc(k, n - k + 1, p);
}

/* P(X <= k), not as one less the rest */
static double
lower_tail(double k, double n, double p)
{
	if (k < 0)
		return 0;
	if (k >= n)
		return 1;
	return am_betainc_complement(k + 1, n - k, p);
}

double
am_binomial_two_sided(double k, double n, double p)
{
	if (!is_count(n) || !is_count(k) || k > n || !(p >= 0 && p <= 1))
		return NAN;
	return fmin(1, 2 * fmin(am_binomial_upper(k, n, p), lower_tail(k, n, p)));
}

double
am_same_yield_p(double a0, double y0, double a1, double y1)
{
	if (!(a0 >= 0 && a1 >= 0 && a0 + a1 > 0) || !isfinite(a0 + a1) || !is_count(y0) || !is_count(y1))
		return NAN;
	return am_binomial_two_sided(y1, y0 + y1, a1 / (a0 + a1));
}
