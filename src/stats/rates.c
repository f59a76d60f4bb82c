/*
 * Intervals of proportions.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>

#include "stats/rates.h"

/*
 * Wilson (1927), as in Newcombe (1998).  Only the upper limit is the usual
 * root: the lower one is written as the product of both roots, x^2 / (n (n +
 * z^2)), divided by it, since their difference cancels for rare events.
 */
void
am_wilson(double x, double n, double z, double *low, double *high)
{
	double		root;

	*low = NAN;
	*high = NAN;
	if (!(n > 0 && x >= 0 && x <= n && z >= 0) || isinf(n) || isinf(z))
		return;

	root = x + 0.5 * z * z + z * sqrt(x * ((n - x) / n) + 0.25 * z * z);
	*low = x == 0 ? 0 : x / n * (x / root);
	*high = x == n ? 1 : root / (n + z * z);
	if (*low > 1)
		*low = 1;
	if (*high > 1)
		*high = 1;
}
