/*
 * Kendall's tau-b against golden values and the definition.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "tap.h"
#include "golden.h"
#include "pairs.h"

#include "stats/correlation.h"

#define MAX_N 100000

static uint64_t seed = 9;
static AmPair pairs[MAX_N],
			scratch[MAX_N];

static uint64_t
draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void
count(AmKendall *counts, const double *x, const double *y, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		pairs[i].x = x[i];
		pairs[i].y = y[i];
	}
	am_kendall_count(counts, pairs, scratch, n);
}

static double worst_r,
			worst_p,
			worst_variance;
static bool s_right = true;
static bool discordant_right = true;
static bool intervals = true;

static void
test_row(char **fields, const double *x, const double *y, size_t n)
{
	AmKendall	counts;
	AmCorrelation got;
	double		r = number(fields[18]);

	count(&counts, x, y, n);
	got = am_kendall_test(&counts);
	worst_r = fmax(worst_r, error_of(got.r, r));
	worst_p = fmax(worst_p, relative_error(got.p, number(fields[24])));
	if (*fields[19])
		s_right = s_right && (double) am_kendall_s(&counts) == number(fields[19]);
	if (*fields[21])
		discordant_right = discordant_right && (double) counts.exchanges == number(fields[21]);
	if (*fields[22])
		worst_variance = fmax(worst_variance, relative_error(am_kendall_variance(&counts), number(fields[22])));
	if (n > 4 && fabs(r) < 1)
		intervals = intervals &&
			close_to(atanh(got.high) - atanh(got.low), 2 * 1.959963984540054 * sqrt(0.437 / ((double) n - 4)), 1e-10, 0) &&
			close_to(atanh(got.high) + atanh(got.low), 2 * atanh(r), 1e-10, 1e-10);
	else
		intervals = intervals && isnan(got.low) && isnan(got.high);
}

static void
test_golden(void)
{
	int			rows = each_golden_pairs(test_row);

	if (rows == 0)
	{
		skip("correlation.csv", "no golden files");
		return;
	}
	ok(rows == 36 && worst_r < 3e-16, "golden: tau-b, %d data sets, worst error %.1e", rows, worst_r);
	ok(worst_p < 1e-11, "golden: p, worst relative error %.1e", worst_p);
	ok(worst_variance < 1e-15, "golden: variance of S, worst relative error %.1e", worst_variance);
	ok(s_right && discordant_right, "golden: S, and discordant pairs");
	ok(intervals, "golden: intervals of Fieller, Hartley and Pearson");
}

/* t, by counting, of every item: the sum over items of f(t) / t is that over groups */
static void
test_twin(void)
{
	bool		right = true;
	bool		ties = true;
	double		worst = 0,
				worst_v = 0;

	for (int round = 0; round < 4000; round++)
	{
		double		x[60],
					y[60];
		int			n = (int) (draw() % 61);
		uint64_t	values = 1 + draw() % (round % 2 ? 4 : 500);
		int64_t		s = 0,
					untied_x = 0,
					untied_y = 0,
					discordant = 0,
					both = 0;
		long double v = 0,
					x2 = 0,
					y2 = 0,
					x3 = 0,
					y3 = 0;
		double		want;
		AmKendall	counts;
		AmCorrelation got;

		for (int i = 0; i < n; i++)
		{
			x[i] = (double) (draw() % values) * 0.1;
			y[i] = draw() % 3 ? (double) (draw() % values) : -x[i];
			if (draw() % 4 == 0)
				x[i] = -x[i];	/* -0 is 0 */
		}
		for (int i = 0; i < n; i++)
		{
			int			tx = 0,
						ty = 0;

			for (int j = 0; j < n; j++)
			{
				int			a = (x[j] < x[i]) - (x[j] > x[i]);
				int			b = (y[j] < y[i]) - (y[j] > y[i]);

				tx += a == 0;
				ty += b == 0;
				if (j <= i)
					continue;
				s += a * b;
				untied_x += a != 0;
				untied_y += b != 0;
				discordant += a * b < 0;
				both += a == 0 && b == 0;
			}
			v -= (long double) (tx - 1) * (2 * tx + 5) + (long double) (ty - 1) * (2 * ty + 5);
			x2 += tx - 1;
			y2 += ty - 1;
			x3 += (long double) (tx - 1) * (tx - 2);
			y3 += (long double) (ty - 1) * (ty - 2);
		}
		v = (v + (long double) n * (n - 1) * (2 * n + 5)) / 18;
		if (n > 1)
			v += x2 * y2 / (2.0L * n * (n - 1));
		if (n > 2)
			v += x3 * y3 / (9.0L * n * (n - 1) * (n - 2));
		want = untied_x == 0 || untied_y == 0 ? NAN :
			(double) ((long double) s / sqrtl((long double) untied_x * (long double) untied_y));

		count(&counts, x, y, (size_t) n);
		got = am_kendall_test(&counts);
		right = right && am_kendall_s(&counts) == s && (int64_t) counts.exchanges == discordant;
		ties = ties && (int64_t) counts.both == 2 * both && counts.n == (uint64_t) n &&
			(long double) counts.x.pairs == x2 && (long double) counts.y.pairs == y2;
		worst = fmax(worst, error_of(got.r, want));
		if (!isnan(want))
			worst_v = fmax(worst_v, relative_error(am_kendall_variance(&counts), (double) v));
	}
	ok(right, "random pairs with ties: S and discordant pairs as the definition");
	ok(ties, "and the ties");
	ok(worst < 3e-16, "and tau-b, worst error %.1e", worst);
	ok(worst_v < 1e-15, "and the variance, worst relative error %.1e", worst_v);
}

/* counts past 32 bits, and columns that are nearly constant */
static void
test_large(void)
{
	AmKendall	counts;
	AmCorrelation got;

	for (size_t i = 0; i < MAX_N; i++)
	{
		pairs[i].x = (double) i;
		pairs[i].y = (double) (MAX_N - i);
	}
	am_kendall_count(&counts, pairs, scratch, MAX_N);
	got = am_kendall_test(&counts);
	ok(am_kendall_s(&counts) == -INT64_C(4999950000) && got.r == -1 && got.p == 0 && isnan(got.low), "100,000 pairs, all discordant");

	for (size_t i = 0; i < MAX_N; i++)
	{
		pairs[i].x = i == 7;
		pairs[i].y = i == 7;
	}
	am_kendall_count(&counts, pairs, scratch, MAX_N);
	/* S is n - 1 where the odd values meet, in one of n permutations, else -1 */
	ok(am_kendall_s(&counts) == MAX_N - 1 && am_kendall_tau(&counts) == 1 &&
	   close_to(am_kendall_variance(&counts), MAX_N - 1.0, 1e-9, 0), "one odd value: the variance does not cancel away");
}

static void
test_extremes(void)
{
	AmKendall	counts;
	uint64_t	n = AM_KENDALL_MAX;

	/* as many pairs as there may be, in two groups of x and of y */
	am_kendall_start(&counts);
	counts.n = counts.equal_x = n;
	counts.last.y = 1;
	am_kendall_second(&counts, NULL);
	counts.x = counts.y;
	ok(isnan(am_kendall_tau(&counts)) && counts.y.pairs == n * (n - 1), "%.0f pairs, all equal", (double) n);
	counts.x = (AmTies) {0};
	counts.y = (AmTies) {0};
	ok(am_kendall_s(&counts) == (int64_t) (n * (n - 1) / 2) && am_kendall_tau(&counts) == 1 &&
	   close_to(am_kendall_variance(&counts), (double) n * (double) (n - 1) * (2.0 * (double) n + 5) / 18, 1e-15, 0),
	   "and none equal");
	ok(isnan(am_kendall_test(&counts).low) && am_kendall_test(&counts).p == 0, "which is perfect");
}

int
main(void)
{
	test_golden();
	test_twin();
	test_large();
	test_extremes();
	return done_testing();
}
