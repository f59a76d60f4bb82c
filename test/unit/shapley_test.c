/*
 * Splits of a gap: worked cases, all orderings as a slow twin, exact sums,
 * antisymmetry, limits of LMDI.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "tap.h"

#include <stdint.h>

#include "diagnosis/shapley.h"
#include "stats/binomial.h"

static uint64_t seed = 11;

static uint64_t
draw(uint64_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (seed >> 33) % below;
}

static double
sum(const double *parts, int n)
{
	double		all = 0;

	for (int i = 0; i < n; i++)
		all += parts[i];
	return all;
}

/* To the last bit, forwards and backwards, if the gap is a multiple of the last bit of the largest sum; else nearly */
static bool
adds_up(const double *parts, int n, double gap, int *rounded)
{
	double		up = 0,
				down = 0,
				backwards = 0,
				bit;
	int			exponent;

	for (int i = 0; i < n; i++)
	{
		up += fmax(parts[i], 0);
		down += fmax(-parts[i], 0);
		backwards += parts[n - 1 - i];
	}
	frexp(fmax(fmax(up, down), fabs(gap)), &exponent);
	bit = ldexp(1, exponent - 53);
	if (gap == 0 || fmod(gap, bit) == 0)
		return sum(parts, n) == gap && backwards == gap;
	(*rounded)++;
	return fabs(sum(parts, n) - gap) <= 2 * bit;
}

static bool
are(const double *got, const double *want, int n, double tolerance)
{
	for (int i = 0; i < n; i++)
		if (!(fabs(got[i] - want[i]) <= tolerance))
			return false;
	return true;
}

static void
test_worked(void)
{
	double		before[4] = {400, .10, .30, .25};
	double		after[4] = {500, .08, .30, .20};
	double		effects[4];
	double		y0,
				y1;

	am_lmdi_split(before, after, 4, effects);
	ok(are(effects, (double[]) {0.600, -0.600, 0, -0.600}, 4, 0.0005) && effects[2] == 0, "LMDI of the chain: %g %g %g %g", effects[0], effects[1], effects[2], effects[3]);
	am_shapley_split(before, after, 4, effects);
	ok(are(effects, (double[]) {0.610, -0.605, 0, -0.605}, 4, 0.0005) && effects[2] == 0, "Shapley of the chain: %g %g %g %g", effects[0], effects[1], effects[2], effects[3]);
	am_shapley_split((double[]) {400, .01}, (double[]) {500, 0}, 2, effects);
	ok(are(effects, (double[]) {0.5, -4.5}, 2, 1e-15), "Shapley where the yield is 0 afterwards: %g %g", effects[0], effects[1]);
	am_mix_split((double[]) {100, 300}, (double[]) {.02, .01}, (double[]) {200, 200}, (double[]) {.02, .008}, 2, effects, &y0, &y1);
	ok(are(effects, (double[]) {0, 1.1, -0.5}, 3, 1e-14) && y0 == 5 && close_to(y1, 5.6, 1e-15, 0), "volume, mix, quality: %g %g %g", effects[0], effects[1], effects[2]);
	ok(fabs(am_same_yield_p(400, 12, 500, 9) - 0.34) < 0.005, "12 of 400, 9 of 500: p %g", am_same_yield_p(400, 12, 500, 9));
}

/* the mean over all orders in which the factors can change */
static void
all_orders(const double *before, const double *after, int n, long double *effects)
{
	int			order[8];
	int			stack[8] = {0};
	long		orders = 0;
	int			i = 0;

	for (int k = 0; k < n; k++)
	{
		order[k] = k;
		effects[k] = 0;
	}
	/* Heap's algorithm */
	for (bool first = true; first || i < n; first = false)
	{
		if (!first)
		{
			int			other;
			int			swap;

			if (stack[i] >= i)
			{
				stack[i++] = 0;
				continue;
			}
			other = i % 2 == 0 ? 0 : stack[i];
			swap = order[other];
			order[other] = order[i];
			order[i] = swap;
			stack[i]++;
			i = 0;
		}
		orders++;
		for (int at = 0; at < n; at++)
		{
			long double product = 1;

			for (int k = 0; k < at; k++)
				product *= after[order[k]];
			for (int k = at + 1; k < n; k++)
				product *= before[order[k]];
			effects[order[at]] += product * ((long double) after[order[at]] - before[order[at]]);
		}
	}
	for (int k = 0; k < n; k++)
		effects[k] /= orders;
}

static double
random_factor(int kind)
{
	switch (kind)
	{
		case 0:
			return (double) draw(3);
		case 1:
			return (double) draw(1000) / 1000;
		default:
			return exp((double) draw(2000) / 100 - 10) * (draw(5) ? 1 : 0);
	}
}

static void
test_random(void)
{
	double		worst = 0;
	int			inexact = 0;
	int			rounded = 0;
	int			asymmetric = 0;
	int			lmdi_inexact = 0;
	int			lmdi_asymmetric = 0;
	int			moved = 0;
	int			runs = 0;

	for (int run = 0; run < 20000; run++)
	{
		int			n = 1 + (int) draw(8);
		double		before[8],
					after[8],
					effects[8],
					turned[8];
		int			kind = (int) draw(3);
		double		gap;

		for (int i = 0; i < n; i++)
		{
			before[i] = random_factor(kind);
			after[i] = draw(6) ? random_factor(kind) : before[i];
		}
		gap = am_product(after, n) - am_product(before, n);
		am_shapley_split(before, after, n, effects);
		inexact += !adds_up(effects, n, gap, &rounded);
		am_shapley_split(after, before, n, turned);
		for (int i = 0; i < n; i++)
		{
			asymmetric += effects[i] != -turned[i];
			moved += before[i] == after[i] && effects[i] != 0;
		}
		if (run % 20 == 0)
		{
			long double slow[8];
			long double scale = 0;

			runs++;
			all_orders(before, after, n, slow);
			for (int i = 0; i < n; i++)
				scale += fabsl(slow[i]);
			for (int i = 0; i < n && scale > 0; i++)
				worst = fmax(worst, (double) (fabsl(slow[i] - effects[i]) / scale));
		}
		am_lmdi_split(before, after, n, effects);
		lmdi_inexact += !adds_up(effects, n, gap, &rounded);
		am_lmdi_split(after, before, n, turned);
		for (int i = 0; i < n; i++)
			lmdi_asymmetric += effects[i] != -turned[i];
	}
	ok(worst < 1e-14, "as all orderings give it, %d random chains of up to 8 with zeros: off by %g", runs, worst);
	ok(inexact == 0, "the parts add up to the gap to the last bit, in either direction (%d do not)", inexact);
	ok(rounded < 40000 / 3, "seldom the gap is too small for its parts (%d of 40000)", rounded);
	ok(asymmetric == 0, "before and after swapped: the signs turn (%d do not)", asymmetric);
	ok(moved == 0, "a factor that did not change has no part");
	ok(lmdi_inexact == 0, "LMDI adds up to the last bit (%d do not)", lmdi_inexact);
	ok(lmdi_asymmetric == 0, "LMDI swapped (%d)", lmdi_asymmetric);
}

/* Chains as diagnosis() makes them: whole numbers, and each factor the ratio of one to the one before */
static void
test_counts(void)
{
	int			inexact = 0;

	for (int run = 0; run < 20000; run++)
	{
		int			n = 2 + (int) draw(5);
		double		before[6],
					after[6],
					effects[6],
					last[2] = {1, 1};

		for (int i = 0; i < n; i++)
		{
			double		count[2] = {(double) (1 + draw(2000)), (double) (1 + draw(2000))};

			before[i] = count[0] / last[0];
			after[i] = count[1] / last[1];
			last[0] = count[0];
			last[1] = count[1];
		}
		am_shapley_gap(before, after, n, last[1] - last[0], effects);
		inexact += sum(effects, n) != last[1] - last[0];
	}
	ok(inexact == 0, "chains of counts add up to the difference of the last ones, always (%d do not)", inexact);
}

/* a zero is the limit of small numbers, however they go to zero together */
static void
test_lmdi_limits(void)
{
	double		before[3] = {0, 0, 5};
	double		after[3] = {2, 3, 7};
	double		effects[3];

	am_lmdi_split(before, after, 3, effects);
	ok(effects[0] == 21 && effects[1] == 21 && effects[2] == 0, "two zeros share the gap");
	am_lmdi_split(after, before, 3, effects);
	ok(effects[0] == -21 && effects[1] == -21 && effects[2] == 0, "and the other way round");
	for (int i = 0; i < 2; i++)
		before[i] = 1e-300;
	am_lmdi_split(before, after, 3, effects);
	ok(close_to(effects[0], 21, 0.01, 0) && close_to(effects[1], 21, 0.01, 0), "1e-300 is near the limit: %g %g %g", effects[0], effects[1], effects[2]);
	am_lmdi_split((double[]) {0, 4}, (double[]) {3, 0}, 2, effects);
	ok(effects[0] == 0 && effects[1] == 0, "zero before and after: nothing to split");
	am_lmdi_split((double[]) {0, 4}, (double[]) {0, 2}, 2, effects);
	ok(effects[0] == 0 && effects[1] == 0, "a zero that stays");
	am_lmdi_split((double[]) {2, 4}, (double[]) {4, 2}, 2, effects);
	ok(effects[0] == -effects[1] && close_to(effects[0], 8 * log(2), 1e-15, 0), "equal products: L(a, a) = a");
}

/* the twin of the team's split: all orderings of three groups of changes, over whole outcomes */
static void
test_mix(void)
{
	double		worst = 0;
	int			inexact = 0;
	int			rounded = 0;
	int			orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

	for (int run = 0; run < 5000; run++)
	{
		int			n = 1 + (int) draw(6);
		double		a0[6],
					a1[6],
					q0[6],
					q1[6],
					effects[3],
					y0,
					y1,
					t0 = 0,
					t1 = 0,
					slow[3] = {0, 0, 0},
					scale = 0;

		for (int i = 0; i < n; i++)
		{
			a0[i] = (double) draw(50);
			a1[i] = (double) draw(50);
			q0[i] = a0[i] > 0 ? (double) draw(10) / 100 : NAN;
			q1[i] = a1[i] > 0 ? (double) draw(10) / 100 : NAN;
			t0 += a0[i];
			t1 += a1[i];
		}
		if (t0 == 0 || t1 == 0)
			continue;
		am_mix_split(a0, q0, a1, q1, n, effects, &y0, &y1);
		inexact += !adds_up(effects, 3, y1 - y0, &rounded);
		for (int o = 0; o < 6; o++)
		{
			bool		new[3] = {false, false, false};
			double		last = y0;

			for (int k = 0; k < 3; k++)
			{
				double		y = 0;

				new[orders[o][k]] = true;
				for (int i = 0; i < n; i++)
				{
					double		was = isnan(q0[i]) ? (isnan(q1[i]) ? 0 : q1[i]) : q0[i];
					double		is = isnan(q1[i]) ? was : q1[i];

					y += (new[0] ? t1 : t0) * (new[1] ? a1[i] / t1 : a0[i] / t0) * (new[2] ? is : was);
				}
				slow[orders[o][k]] += (y - last) / 6;
				last = y;
			}
		}
		for (int k = 0; k < 3; k++)
			scale += fabs(slow[k]);
		for (int k = 0; k < 3; k++)
			worst = fmax(worst, fabs(slow[k] - effects[k]) / fmax(scale, 1));
	}
	ok(worst < 1e-13, "volume, mix and quality as their 6 orderings give them: off by %g", worst);
	ok(inexact == 0, "and add up (%d do not)", inexact);
}

static void
test_binomial(void)
{
	double		worst = 0;
	double		worst_tail = 0;

	for (int run = 0; run < 3000; run++)
	{
		int			n = (int) draw(40);
		int			k = (int) draw(n + 1);
		double		p = run % 3 ? (double) (1 + draw(99)) / 100 : 0.5;
		double		term[41];
		double		two;
		double		lower = 0;
		double		upper = 0;

		for (int i = 0; i <= n; i++)
			term[i] = exp(lgamma(n + 1) - lgamma(i + 1) - lgamma(n - i + 1)) * pow(p, i) * pow(1 - p, n - i);
		for (int i = 0; i <= n; i++)
		{
			lower += i <= k ? term[i] : 0;
			upper += i >= k ? term[i] : 0;
		}
		two = 2 * fmin(lower, upper);
		worst = fmax(worst, fabs(am_binomial_two_sided(k, n, p) - fmin(two, 1)));
		worst_tail = fmax(worst_tail, fabs(am_binomial_upper(k, n, p) - upper));
	}
	ok(worst < 1e-11, "two-sided binomial p as the sum over all counts: off by %g", worst);
	ok(worst_tail < 1e-11, "upper tail: off by %g", worst_tail);
	ok(isnan(am_binomial_two_sided(1.5, 3, 0.5)) && isnan(am_binomial_two_sided(4, 3, 0.5)) && isnan(am_binomial_two_sided(1, 3, NAN)), "what is no count");
	ok(am_binomial_two_sided(0, 0, 0.3) == 1 && am_binomial_two_sided(0, 5, 0) == 1 && am_binomial_two_sided(5, 5, 1) == 1 && am_binomial_two_sided(1, 5, 0) == 0, "certain counts");
	ok(am_binomial_two_sided(500000, 1000000, 0.5) == 1 && am_binomial_two_sided(510000, 1000000, 0.5) < 1e-80, "a million");
}

int
main(void)
{
	test_worked();
	test_random();
	test_counts();
	test_lmdi_limits();
	test_mix();
	test_binomial();
	return done_testing();
}
