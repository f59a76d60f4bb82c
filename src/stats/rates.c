/*
 * Intervals of proportions, and comparison of two.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>
#include <stdbool.h>

#include "stats/distributions.h"
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

void
am_newcombe(double k1, double n1, double k2, double n2, double z, double *low, double *high)
{
	double		low1,
				high1,
				low2,
				high2,
				p1 = k1 / n1,
				p2 = k2 / n2;

	*low = *high = NAN;
	am_wilson(k1, n1, z, &low1, &high1);
	am_wilson(k2, n2, z, &low2, &high2);
	if (isnan(low1) || isnan(low2))
		return;
	*low = fmax(p1 - p2 - hypot(p1 - low1, high2 - p2), -1);
	*high = fmin(p1 - p2 + hypot(high1 - p1, p2 - low2), 1);
}

/*
 * Fisher's exact test, where the smaller group times the rarer outcome is less
 * than N.  The cell of both is expected to hold less than 1, so holds most
 * often 0 or 1, and its probabilities soon vanish: they are taken relative to
 * that of 0, by their ratios, and never as factorials.  k: that cell; group,
 * rare: its margins; rest = N - group - rare, the opposite cell less k.
 */
static double
fisher_p(double k, double group, double rare, double rest)
{
	double		limit = 1;
	double		term = 1;
	double		all = 0;
	double		extreme = 0;
	double		i;

	for (i = 0; i < k && limit > 0; i++)
		limit *= (group - i) / (i + 1) * ((rare - i) / (rest + i + 1));
	limit *= 1 + 1e-7;

	for (i = 0; term > 0; i++)
	{
		all += term;
		if (term <= limit)
			extreme += term;
		/* falling: what is left adds nothing */
		if (i >= k && i > 1 && term < extreme * 1e-20)
			break;
		/* 0 after the last table */
		term *= (group - i) / (i + 1) * ((rare - i) / (rest + i + 1));
	}
	return extreme / all;
}

static bool
is_count_of(double k, double n)
{
	return k >= 0 && k <= n && n > 0 && n <= 9223372036854775808.0 && k == floor(k) && n == floor(n);
}

double
am_two_rates_p(double k1, double n1, double k2, double n2)
{
	double		n = n1 + n2;
	double		hits = k1 + k2;
	double		misses = (n1 - k1) + (n2 - k2);
	double		product = k2 * n1;
	double		difference;

	if (!is_count_of(k1, n1) || !is_count_of(k2, n2))
		return NAN;
	if (hits == 0 || misses == 0)
		return 1;

	if (fmin(n1, n2) * fmin(hits, misses) < n)
	{
		bool		first = n1 <= n2;
		bool		hit = hits <= misses;
		double		group = first ? n1 : n2;
		double		in_group = first ? k1 : k2;
		double		rare = hit ? hits : misses;

		return fisher_p(hit ? in_group : group - in_group, group, rare, (first ? n2 : n1) - rare);
	}

	/* k1 n2 - k2 n1 without the rounding of either product (Kahan) */
	difference = fma(k1, n2, -product) + fma(-k2, n1, product);
	return am_chi2_sf(difference / n1 * (difference / n2) / hits * ((n - 1) / misses), 1);
}

/* where a function that falls from above 0 at low to below 0 at high is 0; a relative precision is kept near 0 */
static double
root_of(double (*rest) (double at, double a, double b), double a, double b, double low, double high)
{
	for (int i = 0; i < 200; i++)
	{
		double		middle = low > 0 ? sqrt(low) * sqrt(high) : 0.5 * high;

		if (middle <= low || middle >= high)
			break;
		if (rest(middle, a, b) > 0)
			low = middle;
		else
			high = middle;
		/* below this nothing is asked for */
		if (high < 1e-305)
			break;
	}
	return low > 0 ? sqrt(low) * sqrt(high) : high;
}

/* P(fewer than k of n) with share p, less 97.5 %: 0 at the lower limit; a = k, b = n */
static double
lower_share(double p, double k, double n)
{
	return 0.025 - am_betainc(k, n - k + 1, p);
}

/* P(k or fewer of n) with share p, less 2.5 %: 0 at the upper limit */
static double
upper_share(double p, double k, double n)
{
	return am_betainc_complement(k + 1, n - k, p) - 0.025;
}

/* P(fewer than k) of a Poisson count with that mean, less 97.5 % */
static double
lower_count(double mean, double k, double unused)
{
	(void) unused;
	return am_chi2_sf(2 * mean, 2 * k) - 0.975;
}

/* P(k or fewer), less 2.5 % */
static double
upper_count(double mean, double k, double unused)
{
	(void) unused;
	return am_chi2_sf(2 * mean, 2 * k + 2) - 0.025;
}

void
am_per_outcome(double k, double n, double *value, double *low, double *high)
{
	*value = *low = *high = NAN;
	if (!(k >= 0 && n >= 0) || isinf(k) || isinf(n) || (k == 0 && n == 0))
		return;
	if (k == 0)
	{
		*low = n / 3;
		return;
	}
	*value = n / k;
	if (k != floor(k) || k > 1e15 || n == 0)
		return;
	if (n == floor(n) && k <= n)
	{
		*high = 1 / root_of(lower_share, k, n, 0, 1);
		*low = k == n ? 1 : 1 / root_of(upper_share, k, n, k / n, 1);
	}
	else
	{
		*high = n / root_of(lower_count, k, 0, 0, k);
		*low = n / root_of(upper_count, k, 0, k, 2 * k + 20);
	}
}
