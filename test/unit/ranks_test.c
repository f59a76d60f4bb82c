/*
 * Sorting with exchanges, mid-ranks and Spearman's rho, against golden values
 * and slow twins.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "tap.h"
#include "golden.h"
#include "pairs.h"

#include "stats/correlation.h"

#define MAX_N 20000

static uint64_t seed = 3;
static AmPair pairs[MAX_N],
			scratch[MAX_N],
			copy[MAX_N];

static uint64_t
draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void
fill(size_t n, int values)
{
	for (size_t i = 0; i < n; i++)
	{
		copy[i].x = pairs[i].x = (double) (draw() % (uint64_t) values) - values / 2;
		copy[i].y = pairs[i].y = (double) i;
	}
}

static void
test_sort(void)
{
	bool		stable = true;
	bool		counted = true;
	bool		lexicographic = true;

	for (int round = 0; round < 4000; round++)
	{
		size_t		n = draw() % (round % 50 ? 60 : 700);
		uint64_t	want = 0;
		uint64_t	got;

		fill(n, 1 + (int) (draw() % (round % 2 ? 6 : 1000)));
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < i; j++)
				want += pairs[j].x > pairs[i].x;
		got = am_sort_pairs(pairs, scratch, n, false);
		counted = counted && got == want;
		for (size_t i = 1; i < n; i++)
			stable = stable && (pairs[i - 1].x < pairs[i].x || (pairs[i - 1].x == pairs[i].x && pairs[i - 1].y < pairs[i].y));

		/* by both columns, the second reversed */
		for (size_t i = 0; i < n; i++)
			pairs[i].y = (double) (draw() % 5);
		am_sort_pairs(pairs, scratch, n, true);
		for (size_t i = 1; i < n; i++)
			lexicographic = lexicographic &&
				(pairs[i - 1].x < pairs[i].x || (pairs[i - 1].x == pairs[i].x && pairs[i - 1].y <= pairs[i].y));
	}
	ok(stable, "sorted, and stable");
	ok(counted, "as many exchanges as pairs in the wrong order");
	ok(lexicographic, "sorted by x, then y");

	for (size_t i = 0; i < MAX_N; i++)
		pairs[i].x = (double) (MAX_N - i);
	ok(am_sort_pairs(pairs, scratch, MAX_N, false) == (uint64_t) MAX_N * (MAX_N - 1) / 2, "all reversed");
	ok(am_sort_pairs(pairs, scratch, MAX_N, false) == 0 && pairs[0].x == 1 && pairs[MAX_N - 1].x == MAX_N, "all in order");
}

static void
test_ranks(void)
{
	bool		right = true;

	for (int round = 0; round < 2000; round++)
	{
		size_t		n = draw() % 100;

		fill(n, 1 + (int) (draw() % 50));
		am_sort_pairs(pairs, scratch, n, false);
		am_rank_and_turn(pairs, n);
		for (size_t i = 0; i < n; i++)
		{
			int			difference = 0;

			/* x is now where the pair was */
			for (size_t j = 0; j < n; j++)
				difference += (copy[j].x < copy[(size_t) pairs[i].x].x) - (copy[j].x > copy[(size_t) pairs[i].x].x);
			right = right && pairs[i].y == difference;
		}
	}
	ok(right, "ranks: how many are less, less how many are greater");
	/* 3 5 5 8 have the ranks 1, 2.5, 2.5, 4 */
	ok(am_mid_rank(0, 1, 4) == -3 && am_mid_rank(1, 2, 4) == 0 && am_mid_rank(3, 1, 4) == 3, "mid-ranks");
}

static AmCorrelation
spearman(const double *x, const double *y, size_t n)
{
	AmMoments  *moments;
	AmCorrelation result;

	for (size_t i = 0; i < n; i++)
	{
		pairs[i].x = x[i];
		pairs[i].y = y[i];
	}
	moments = am_rank_moments(pairs, scratch, n);
	result = am_spearman_test(moments);
	free(moments);
	return result;
}

static double worst_r,
			worst_p;
static bool intervals = true;

static void
test_row(char **fields, const double *x, const double *y, size_t n)
{
	AmCorrelation got = spearman(x, y, n);
	double		r = number(fields[15]);

	worst_r = fmax(worst_r, error_of(got.r, r));
	worst_p = fmax(worst_p, relative_error(got.p, number(fields[16])));
	if (n > 3 && fabs(r) < 1)
		intervals = intervals &&
			close_to(atanh(got.high) - atanh(got.low), 2 * 1.959963984540054 * sqrt((1 + r * r / 2) / ((double) n - 3)), 1e-10, 0) &&
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
	ok(rows == 36 && worst_r < 3e-16, "golden: rho, %d data sets, worst error %.1e", rows, worst_r);
	ok(worst_p < 1e-11, "golden: p, worst relative error %.1e", worst_p);
	ok(intervals, "golden: intervals of Bonett and Wright");
}

/* the definition, with mid-ranks by counting */
static double
slow_rho(const double *x, const double *y, int n)
{
	int64_t		xx = 0,
				yy = 0,
				xy = 0;

	for (int i = 0; i < n; i++)
	{
		int64_t		u = 0,
					v = 0;

		for (int j = 0; j < n; j++)
		{
			u += (x[j] < x[i]) - (x[j] > x[i]);
			v += (y[j] < y[i]) - (y[j] > y[i]);
		}
		xx += u * u;
		yy += v * v;
		xy += u * v;
	}
	return xx == 0 || yy == 0 ? NAN : (double) ((long double) xy / sqrtl((long double) xx * (long double) yy));
}

static void
test_twin(void)
{
	double		worst = 0;

	for (int round = 0; round < 3000; round++)
	{
		double		x[80],
					y[80];
		int			n = (int) (draw() % 81);
		uint64_t	values = 1 + draw() % (round % 2 ? 4 : 1000);

		for (int i = 0; i < n; i++)
		{
			x[i] = (double) (draw() % values) * 0.1 - 1e9;
			y[i] = draw() % 3 ? (double) (draw() % values) : x[i];
		}
		worst = fmax(worst, error_of(spearman(x, y, (size_t) n).r, slow_rho(x, y, n)));
	}
	ok(worst < 3e-16, "random pairs with ties: as the definition, worst error %.1e", worst);
}

int
main(void)
{
	test_sort();
	test_ranks();
	test_golden();
	test_twin();
	return done_testing();
}
