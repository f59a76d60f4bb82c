/*
 * Exact sums: against golden values, against sums of small integers, and the
 * same to the bit in any order and division.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "tap.h"
#include "golden.h"
#include "pairs.h"

#include <float.h>

#include "stats/correlation.h"

static uint64_t seed = 5;

static uint64_t
draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static AmMoments *
collect(const double *x, const double *y, size_t n)
{
	AmMoments  *moments = am_moments_create();

	for (size_t i = 0; i < n; i++)
		moments = am_moments_put(moments, x[i], y[i]);
	return moments;
}

static AmCorrelation
pearson(const double *x, const double *y, size_t n)
{
	AmMoments  *moments = collect(x, y, n);
	AmCorrelation result = am_pearson_test(moments);

	free(moments);
	return result;
}

static double worst_r,
			worst_p,
			worst_interval;
static bool n_right = true;

static void
test_row(char **fields, const double *x, const double *y, size_t n)
{
	AmCorrelation got = pearson(x, y, n);
	double		p = relative_error(got.p, number(fields[10]));

	n_right = n_right && got.n == atoi(fields[2]);
	worst_r = fmax(worst_r, error_of(got.r, number(fields[8])));
	if (p > 1e-11)
		printf("# %s %s: p %.17g, not %s\n", fields[0], fields[1], got.p, fields[10]);
	worst_p = fmax(worst_p, p);
	worst_interval = fmax(worst_interval, fmax(error_of(got.low, number(fields[13])),
											   error_of(got.high, number(fields[14]))));
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
	ok(rows == 36 && n_right, "golden: %d data sets", rows);
	ok(worst_r < 3e-16, "golden: r, traps as well, worst error %.1e", worst_r);
	ok(worst_p < 1e-11, "golden: p, traps as well, worst relative error %.1e", worst_p);
	ok(worst_interval < 1e-15, "golden: interval, worst error %.1e", worst_interval);
}

/* a double of any exponent within the range, with so many significant bits */
static double
any_double(int low, int high, int bits)
{
	uint64_t	m = (draw() >> (64 - bits)) | 1;
	double		v = ldexp((double) m, low + (int) (draw() % (uint64_t) (high - low + 1)));

	return draw() & 1 ? v : -v;
}

/* the layout too: it follows from the values */
static bool
same(const AmMoments *a, const AmMoments *b)
{
	double		rest_a,
				rest_b;
	double		r_a = am_moments_correlation(a, &rest_a);
	double		r_b = am_moments_correlation(b, &rest_b);

	return a->n == b->n && a->x_base == b->x_base && a->x_words == b->x_words &&
		a->y_base == b->y_base && a->y_words == b->y_words &&
		memcmp(a->sums, b->sums, am_moments_words(a->x_words, a->y_words) * sizeof(uint64_t)) == 0 &&
		(memcmp(&r_a, &r_b, sizeof(double)) == 0 || (isnan(r_a) && isnan(r_b))) &&
		(memcmp(&rest_a, &rest_b, sizeof(double)) == 0 || (isnan(rest_a) && isnan(rest_b)));
}

static void
test_order(void)
{
	static const int ranges[][3] = {{0, 0, 20}, {-40, 10, 53}, {-1074, 970, 53}, {-1074, -1060, 3}, {960, 970, 53}, {-70, 70, 1}};
	bool		order = true;
	bool		merging = true;
	bool		taking = true;
	bool		valid = true;

	for (int round = 0; round < 3000; round++)
	{
		const int  *range = ranges[round % 6];
		double		x[64],
					y[64];
		size_t		n = 1 + draw() % 64;
		size_t		cut = draw() % (n + 1);
		AmMoments  *all,
				   *part,
				   *rest;

		for (size_t i = 0; i < n; i++)
		{
			x[i] = draw() % 8 ? any_double(range[0], range[1], range[2]) : 0;
			y[i] = draw() % 8 ? any_double(range[0], range[1], range[2]) : x[i];
		}
		all = collect(x, y, n);
		part = collect(x, y, cut);
		rest = collect(x + cut, y + cut, n - cut);
		valid = valid && am_moments_valid(all, am_moments_words(all->x_words, all->y_words)) &&
			!am_moments_valid(all, am_moments_words(all->x_words, all->y_words) - 1);
		part = am_moments_merge(part, rest);
		merging = merging && same(all, part);
		free(rest);

		/* what was added can be taken back */
		rest = am_moments_merge(collect(x, y, cut), part);
		for (size_t i = 0; i < cut; i++)
			am_moments_subtract(rest, x[i], y[i]);
		taking = taking && same(all, rest);
		free(rest);

		for (size_t i = n; i > 1; i--)
		{
			size_t		j = draw() % i;
			double		swap = x[i - 1];

			x[i - 1] = x[j];
			x[j] = swap;
			swap = y[i - 1];
			y[i - 1] = y[j];
			y[j] = swap;
		}
		free(part);
		part = collect(x, y, n);
		order = order && same(all, part);
		free(part);
		free(all);
	}
	ok(order, "any order of pairs: the same words and bits");
	ok(merging, "any division: the same words and bits");
	ok(taking, "pairs that are taken back leave no trace");
	ok(valid, "states are valid, and know their length");
}

/* the definition, with sums of integers that long double holds, shifted and scaled afterwards */
static void
test_definition(void)
{
	double		worst = 0,
				worst_rest = 0,
				moved = 0;

	for (int round = 0; round < 3000; round++)
	{
		double		x[50],
					y[50],
					far_x[50],
					far_y[50];
		int64_t		sums[5] = {0};
		int			n = 2 + (int) (draw() % 49);
		int			span = 2 + (int) (draw() % (round % 2 ? 5 : 1000));
		int			scale = (int) (draw() % 900) - 450;
		double		rest,
					far_rest,
					r,
					want;
		int64_t		xx,
					yy,
					xy;
		AmMoments  *moments;

		for (int i = 0; i < n; i++)
		{
			int64_t		a = (int64_t) (draw() % (uint64_t) span);
			int64_t		b = (int64_t) (draw() % (uint64_t) span) + (round % 3 ? a : 0);

			x[i] = (double) a;
			y[i] = (double) b;
			far_x[i] = ldexp(x[i] + 4503599627370496.0, scale);
			far_y[i] = ldexp(y[i] - 1125899906842624.0, -scale);
			sums[0] += a;
			sums[1] += b;
			sums[2] += a * a;
			sums[3] += b * b;
			sums[4] += a * b;
		}
		xx = n * sums[2] - sums[0] * sums[0];
		yy = n * sums[3] - sums[1] * sums[1];
		xy = n * sums[4] - sums[0] * sums[1];
		want = (double) ((long double) xy / sqrtl((long double) xx * (long double) yy));
		moments = collect(x, y, (size_t) n);
		r = am_moments_correlation(moments, &rest);
		free(moments);
		moments = collect(far_x, far_y, (size_t) n);
		if (xx == 0 || yy == 0)
			want = NAN;
		worst = fmax(worst, error_of(r, want));
		/* the products are integers below 2^63 */
		if (!isnan(want))
			worst_rest = fmax(worst_rest, error_of(rest, (double) (((long double) xx * (long double) yy - (long double) xy * (long double) xy) /
																   ((long double) xx * (long double) yy))));
		moved = fmax(moved, error_of(am_moments_correlation(moments, &far_rest), r));
		if (!isnan(r))
			moved = fmax(moved, error_of(far_rest, rest));
		free(moments);
	}
	ok(worst < 3e-16, "random integers: r as the definition, worst error %.1e", worst);
	ok(worst_rest < 3e-16, "random integers: 1 - r^2 as the definition, worst error %.1e", worst_rest);
	ok(moved == 0, "offsets of 2^52 and factors of 2^450 change no bit");
}

static void
test_degenerate(void)
{
	static const double constant[] = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1};
	static const double odd[] = {0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7000000000000001};
	static const double extreme[] = {DBL_MAX, -DBL_MAX, DBL_MAX / 2, 0, -DBL_MAX / 2};
	static const double modest[] = {2, -2, 1, 0, -1};
	static const double smallest[] = {0, 5e-324, 0, 1e-323, -0.0};
	static const double as_smallest[] = {0, 1, 0, 2, 0};
	static const double both[] = {DBL_MAX, 5e-324, -DBL_MAX, -5e-324, 1};
	double		ramp[12],
				back[12],
				tenths[12];
	AmCorrelation c;
	AmMoments  *moments;
	double		r,
				rest;

	for (int i = 0; i < 12; i++)
	{
		ramp[i] = i;
		back[i] = 3 - 2 * i;
		tenths[i] = 1e9 + 0.1 * i;
	}
	c = pearson(constant, ramp, 12);
	ok(isnan(c.r) && isnan(c.p) && isnan(c.low) && isnan(c.high) && c.n == 12 &&
	   isnan(pearson(ramp, constant, 12).r) && isnan(pearson(constant, constant, 12).r), "a constant has no correlation");
	ok(close_to(pearson(odd, ramp, 12).r, sqrt(3.0 / 13), 1e-15, 0), "one value an ulp away is not constant");
	c = pearson(ramp, back, 12);
	ok(c.r == -1 && c.p == 0 && isnan(c.low) && isnan(c.high), "a line: r is 1 or -1, p is 0, no interval");
	c = pearson(ramp, back, 2);
	ok(c.r == -1 && isnan(c.p) && isnan(c.low), "two pairs");
	c = pearson(ramp, modest, 3);
	ok(!isnan(c.r) && !isnan(c.p) && isnan(c.low) && isnan(c.high), "three pairs");
	ok(isnan(pearson(ramp, back, 1).r) && isnan(pearson(ramp, back, 0).r), "one pair and none");
	c = pearson(ramp, tenths, 12);
	ok(c.r > 0.999999 && c.r <= 1 && c.p > 0 && c.p < 1e-60 && c.low > 0.999999 && c.low <= c.r && c.high >= c.r && c.high <= 1,
	   "nearly a line: p %.3g", c.p);
	ok(close_to(pearson(extreme, ramp, 5).r, pearson(modest, ramp, 5).r, 1e-15, 0) && pearson(extreme, modest, 5).r == 1,
	   "the largest doubles do not overflow");
	ok(pearson(smallest, ramp, 5).r == pearson(as_smallest, ramp, 5).r && pearson(smallest, as_smallest, 5).r == 1,
	   "the smallest doubles do not vanish");
	c = pearson(both, both, 5);
	ok(c.r == 1 && c.p == 0, "both together");
	moments = collect(both, both, 5);
	ok(moments->x_words == 33 && moments->x_base == -17, "which take %d words", moments->x_words);
	free(moments);

	/* 1 - r^2 far below what r can tell */
	moments = am_moments_create();
	for (int i = 0; i < 100; i++)
		moments = am_moments_put(moments, i, i == 50 ? 50 + 0x1p-40 : i);
	r = am_moments_correlation(moments, &rest);
	ok(r == 1 && close_to(rest, 0x1p-80 * 0.99 / 83325.0, 1e-4, 0), "1 - r^2 = %.4g where r rounds to 1", rest);
	free(moments);
}

static void
test_refusal(void)
{
	double		x = 3,
				y = 5;
	AmMoments  *moments = collect(&x, &y, 1);
	size_t		words = am_moments_words(1, 1);

	ok(moments->x_words == 1 && moments->x_base == 0 && am_moments_valid(moments, words), "an integer takes a word");
	ok(!am_moments_add(moments, 0.5, 1) && !am_moments_add(moments, 1, 0x1p64) && moments->n == 1, "what does not fit changes nothing");
	moments->x_base = -17;
	moments->x_words = 34;
	ok(!am_moments_valid(moments, am_moments_words(34, 1)), "too long");
	moments->x_words = -1;
	ok(!am_moments_valid(moments, am_moments_words(0, 0)), "negative length");
	moments->x_words = 1;
	moments->x_base = 16;
	ok(!am_moments_valid(moments, words), "too high");
	moments->x_base = 0;
	moments->n = -1;
	ok(!am_moments_valid(moments, words), "a negative count");
	moments->n = 1;
	moments->sums[6] = ~UINT64_C(0);
	ok(!am_moments_valid(moments, words), "a negative sum of squares");
	free(moments);
}

int
main(void)
{
	test_golden();
	test_order();
	test_definition();
	test_degenerate();
	test_refusal();
	return done_testing();
}
