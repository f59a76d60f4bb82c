/*
 * See shapley.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <float.h>
#include <math.h>

#include "common/am_host.h"
#include "diagnosis/shapley.h"
#include "stats/exact_sum.h"

double
am_product(const double *factors, int n)
{
	double		product = 1;

	for (int i = 0; i < n; i++)
		product *= factors[i];
	return product;
}

static double
sum(const double *parts, int n)
{
	double		all = 0;

	for (int i = 0; i < n; i++)
		all += parts[i];
	return all;
}

/*
 * Makes the parts add up to the gap.  All become multiples of the last bit of
 * the largest sum of some of them, so that no sum of them is rounded, and the
 * largest takes what is left over.  A gap that is no such multiple is smaller
 * than parts that cancel; then a part small enough may hold the rest of it.
 */
static void
settle(double *parts, int n, double gap)
{
	double		up = 0;
	double		down = 0;
	double		bit;
	double		rest;
	int			largest = 0;
	int			exponent;

	for (int i = 0; i < n; i++)
	{
		up += fmax(parts[i], 0);
		down += fmax(-parts[i], 0);
		if (fabs(parts[i]) > fabs(parts[largest]))
			largest = i;
	}
	if (parts[largest] == 0 || !isfinite(up + down + gap))
		return;
	frexp(fmax(fmax(up, down), fabs(gap)), &exponent);
	bit = ldexp(1, exponent - DBL_MANT_DIG);
	/* next to nothing has no smaller bit; and what adds up as it is, though it need not, stays */
	if (bit == 0 || (fmod(gap, bit) != 0 && sum(parts, n) == gap))
		return;
	for (int i = 0; i < n; i++)
		parts[i] = rint(parts[i] / bit) * bit;
	rest = rint((gap - sum(parts, n)) / bit) * bit;
	parts[largest] += rest;
	for (int i = n - 1; i >= 0 && sum(parts, n) != gap; i--)
	{
		double		part = parts[i];

		if (part == 0)
			continue;
		parts[i] += gap - sum(parts, n);
		if (sum(parts, n) != gap)
			parts[i] = part;
	}
}

/*
 * By the number of other factors that have changed before: with weight
 * s! (n - 1 - s)! / n!, the sum of the products in which s of the others are
 * new.  These sums are built up factor by factor.
 */
static double
shapley_effect(const double *before, const double *after, int n, int factor)
{
	double		sums[AM_SHAPLEY_MAX];
	double		ways = 1;		/* n - 1 over s */
	double		mean = 0;
	int			others = 0;

	if (after[factor] == before[factor])
		return 0;
	sums[0] = 1;
	for (int i = 0; i < n; i++)
	{
		if (i == factor)
			continue;
		sums[others + 1] = sums[others] * after[i];
		for (int s = others; s > 0; s--)
			sums[s] = sums[s] * before[i] + sums[s - 1] * after[i];
		sums[0] *= before[i];
		others++;
	}
	/* from both ends, so that swapping before and after adds the same terms in the same order */
	for (int s = 0; 2 * s <= others; s++)
	{
		mean += 2 * s == others ? sums[s] / ways : sums[s] / ways + sums[others - s] / ways;
		ways = ways * (others - s) / (s + 1);
	}
	return mean / n * (after[factor] - before[factor]);
}

void
am_shapley_gap(const double *before, const double *after, int n, double gap, double *effects)
{
	for (int i = 0; i < n; i++)
		effects[i] = shapley_effect(before, after, n, i);
	settle(effects, n, gap);
}

void
am_shapley_split(const double *before, const double *after, int n, double *effects)
{
	am_shapley_gap(before, after, n, am_product(after, n) - am_product(before, n), effects);
}

/* (a - b) / ln(a / b), a if they are equal; both above 0 */
static double
log_mean(double a, double b)
{
	double		larger = fmax(a, b);
	double		smaller = fmin(a, b);

	if (larger == smaller)
		return larger;
	/* the same for (b, a) */
	return (larger - smaller) / log1p((larger - smaller) / smaller);
}

/* ln(a / b), of the other sign for (b, a) */
static double
log_ratio(double a, double b)
{
	return a >= b ? log1p((a - b) / b) : -log1p((b - a) / a);
}

void
am_lmdi_gap(const double *before, const double *after, int n, double gap, double *effects)
{
	double		y0 = am_product(before, n);
	double		y1 = am_product(after, n);
	int			zeros_before = 0;
	int			zeros_after = 0;

	for (int i = 0; i < n; i++)
	{
		effects[i] = 0;
		zeros_before += before[i] == 0;
		zeros_after += after[i] == 0;
	}
	if (zeros_before == 0 && zeros_after == 0)
	{
		double		ratio = 0;
		double		mean;

		for (int i = 0; i < n; i++)
			ratio += log_ratio(after[i], before[i]);
		/* a product may be too small for a double */
		mean = y0 > 0 && y1 > 0 ? log_mean(y1, y0) : ratio == 0 ? 0 : (y1 - y0) / ratio;
		for (int i = 0; i < n; i++)
			effects[i] = mean * log_ratio(after[i], before[i]);
	}
	else if (zeros_before == 0 || zeros_after == 0)
	{
		const double *zero = zeros_before > 0 ? before : after;

		for (int i = 0; i < n; i++)
			if (zero[i] == 0)
				effects[i] = (y1 - y0) / (zeros_before + zeros_after);
	}
	settle(effects, n, gap);
}

void
am_lmdi_split(const double *before, const double *after, int n, double *effects)
{
	am_lmdi_gap(before, after, n, am_product(after, n) - am_product(before, n), effects);
}

bool
am_chain_factors(const double *before, const double *after, int n, double *factors_before, double *factors_after)
{
	for (int i = 0; i < n; i++)
	{
		double		was = i == 0 ? before[0] : before[i] / before[i - 1];
		double		is = i == 0 ? after[0] : after[i] / after[i - 1];

		if (i > 0 && ((before[i - 1] == 0 && before[i] != 0) || (after[i - 1] == 0 && after[i] != 0)))
			return false;
		if (i > 0 && before[i - 1] == 0)
			was = after[i - 1] == 0 ? 0 : is;
		if (i > 0 && after[i - 1] == 0)
			is = was;
		factors_before[i] = was;
		factors_after[i] = is;
	}
	return true;
}

void
am_mix_split(const double *before_activity, const double *before_quality,
			 const double *after_activity, const double *after_quality, int n, double effects[3],
			 double *before, double *after)
{
	AmExactSum	total0;
	AmExactSum	total1;
	AmExactSum	parts[3];
	AmExactSum	outcome0;
	AmExactSum	outcome1;
	double		a0;
	double		a1;

	am_exact_start(&total0);
	am_exact_start(&total1);
	am_exact_start(&outcome0);
	am_exact_start(&outcome1);
	for (int k = 0; k < 3; k++)
		am_exact_start(&parts[k]);
	for (int i = 0; i < n; i++)
	{
		am_exact_add(&total0, before_activity[i]);
		am_exact_add(&total1, after_activity[i]);
	}
	a0 = am_exact_round(&total0);
	a1 = am_exact_round(&total1);
	for (int i = 0; i < n; i++)
	{
		double		q0 = isnan(before_quality[i]) ? after_quality[i] : before_quality[i];
		double		q1 = isnan(after_quality[i]) ? before_quality[i] : after_quality[i];
		double		old[3] = {a0, a0 > 0 ? before_activity[i] / a0 : 0, isnan(q0) ? 0 : q0};
		double		new[3] = {a1, a1 > 0 ? after_activity[i] / a1 : 0, isnan(q1) ? 0 : q1};

		AM_CHECK_INTERRUPTS();
		/* without any activity there is no division of it: that of the other side stands in */
		if (a0 == 0)
			old[1] = new[1];
		if (a1 == 0)
			new[1] = old[1];
		for (int k = 0; k < 3; k++)
			am_exact_add(&parts[k], shapley_effect(old, new, 3, k));
		am_exact_add(&outcome0, before_activity[i] * old[2]);
		am_exact_add(&outcome1, after_activity[i] * new[2]);
	}
	*before = am_exact_round(&outcome0);
	*after = am_exact_round(&outcome1);
	for (int k = 0; k < 3; k++)
		effects[k] = am_exact_round(&parts[k]);
	settle(effects, 3, *after - *before);
}
