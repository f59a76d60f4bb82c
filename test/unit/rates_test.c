/*
 * Wilson and Newcombe intervals, tests of two rates, and Kaplan-Meier shares
 * against golden and published values, closed forms and slow twins.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "tap.h"
#include "golden.h"

#include "stats/distributions.h"
#include "stats/rates.h"

#define MAX_EVENTS 512

static double
relative_error(double got, double want)
{
	if (close_to(got, want, 0, 0))
		return 0;
	if (isnan(got) || isnan(want) || want == 0)
		return INFINITY;
	return fabs(got / want - 1);
}

static uint64_t seed = 7;

static uint64_t
draw(uint64_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (seed >> 33) % below;
}

static void
test_wilson_golden(void)
{
	const char *path = shared_file("golden/expected/proportion_interval.csv");
	char		line[1024];
	char	   *fields[5];
	double		worst = 0;
	int			rows = 0;
	FILE	   *f;

	if (!path)
	{
		skip("proportion_interval.csv", "no golden files");
		return;
	}
	f = fopen(path, "r");
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	while (fgets(line, sizeof(line), f))
	{
		double		low,
					high;

		if (split(line, fields, 5) < 5)
			continue;
		am_wilson(strtod(fields[0], NULL), strtod(fields[1], NULL), AM_Z95, &low, &high);
		worst = fmax(worst, relative_error(low, strtod(fields[3], NULL)));
		/* the last field runs on to the end of the line */
		worst = fmax(worst, relative_error(high, strtod(fields[4], NULL)));
		rows++;
	}
	fclose(f);
	ok(rows > 0 && worst < 1e-12, "golden: Wilson, %d intervals, worst relative error %.1e", rows, worst);
}

static void
test_wilson(void)
{
	static const struct
	{
		double		x,
					n,
					low,
					high;
	}			cases[] =
	{
		{0, 10, 0, 0.27753279986288915},
		{10, 10, 0.72246720013711085, 1},
		{1, 10, 0.017876213095072892, 0.40415002679523837},
		{81, 263, 0.25528851987827428, 0.36620957698280016},
		{0, 1, 0, 0.79345068562276255},
		{3, 1000000, 1.0202712409681229e-06, 8.8211497743124362e-06},
	};
	static const double bad[][3] = {
		{0, 0, AM_Z95}, {1, 0, AM_Z95}, {-1, 5, AM_Z95}, {6, 5, AM_Z95}, {NAN, 5, AM_Z95},
		{1, NAN, AM_Z95}, {1, 5, NAN}, {1, 5, -1}, {1, INFINITY, AM_Z95}, {1, -5, AM_Z95}
	};
	double		worst = 0,
				low,
				high;
	bool		sane = true,
				mirrored = true,
				solves = true,
				refused = true;
	size_t		i;
	int			n,
				x;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		am_wilson(cases[i].x, cases[i].n, AM_Z95, &low, &high);
		worst = fmax(worst, relative_error(low, cases[i].low));
		worst = fmax(worst, relative_error(high, cases[i].high));
	}
	ok(worst < 1e-14, "literal: Wilson, worst relative error %.1e", worst);

	for (n = 1; n <= 300; n += 7)
		for (x = 0; x <= n; x++)
		{
			double		other_low,
						other_high;
			double		p = (double) x / n;

			am_wilson(x, n, AM_Z95, &low, &high);
			am_wilson(n - x, n, AM_Z95, &other_low, &other_high);
			if (!(low >= 0 && low <= p && p <= high && high <= 1))
				sane = false;
			if ((x == 0) != (low == 0) || (x == n) != (high == 1))
				sane = false;
			if (!close_to(low, 1 - other_high, 0, 4e-16) || !close_to(high, 1 - other_low, 0, 4e-16))
				mirrored = false;
			/* by definition the limits lie z standard errors of their own away */
			if (!close_to((p - low) * (p - low), AM_Z95 * AM_Z95 * low * (1 - low) / n, 1e-11, 1e-16) ||
				!close_to((high - p) * (high - p), AM_Z95 * AM_Z95 * high * (1 - high) / n, 1e-11, 1e-16))
				solves = false;
		}
	ok(sane, "low <= x/n <= high within [0, 1], exact at 0 and n only");
	ok(mirrored, "x and n - x mirror each other");
	ok(solves, "the limits solve the score equation");

	am_wilson(1e-300, 1e300, AM_Z95, &low, &high);
	ok(low >= 0 && high > low && high < 1e-290, "a vanishing share does not underflow to nonsense");
	am_wilson(3, 12, 0, &low, &high);
	ok(low == 0.25 && high == 0.25, "z = 0 is the share itself");

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		low = high = 0;
		am_wilson(bad[i][0], bad[i][1], bad[i][2], &low, &high);
		if (!isnan(low) || !isnan(high))
			refused = false;
	}
	ok(refused, "nobody, more than all, NaN: no interval");
}

static void
test_two_rates_golden(void)
{
	const char *path = shared_file("golden/expected/two_proportions.csv");
	char		line[2048];
	char	   *fields[27];
	double		worst = 0,
				worst_p = 0;
	int			rows = 0,
				exact = 0;
	FILE	   *f;

	if (!path)
	{
		skip("two_proportions.csv", "no golden files");
		return;
	}
	f = fopen(path, "r");
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	while (fgets(line, sizeof(line), f) && split(line, fields, 27) == 27)
	{
		double		k1 = number(fields[1]),
					n1 = number(fields[2]),
					k2 = number(fields[3]),
					n2 = number(fields[4]),
					n = n1 + n2,
					want,
					low,
					high;

		am_newcombe(k1, n1, k2, n2, AM_Z95, &low, &high);
		worst = fmax(worst, fabs(low - number(fields[16])));
		worst = fmax(worst, fabs(high - number(fields[17])));
		if (fmin(n1, n2) * fmin(k1 + k2, n - k1 - k2) < n)
		{
			want = number(fields[25]);
			exact++;
		}
		else
			want = am_chi2_sf(number(fields[18]) * (n - 1) / n, 1);
		worst_p = fmax(worst_p, relative_error(am_two_rates_p(k1, n1, k2, n2), want));
		rows++;
	}
	fclose(f);
	ok(rows == 12 && worst < 1e-14, "golden: Newcombe, %d differences, worst error %.1e", rows, worst);
	ok(exact == 3 && worst_p < 1e-12, "golden: p of two rates, worst relative error %.1e", worst_p);
}

static void
test_newcombe(void)
{
	/* Newcombe (1998), table II, method 10 */
	static const double published[][6] = {
		{56, 70, 48, 80, 0.0524, 0.3339}, {9, 10, 3, 10, 0.1705, 0.8090}, {6, 7, 2, 7, 0.0582, 0.8062},
		{5, 56, 0, 29, -0.0381, 0.1926}, {0, 10, 0, 20, -0.1611, 0.2775}, {0, 10, 0, 10, -0.2775, 0.2775},
		{10, 10, 0, 20, 0.6791, 1}, {10, 10, 0, 10, 0.6075, 1}
	};
	static const double bad[][5] = {
		{0, 0, 1, 2, AM_Z95}, {1, 2, 0, 0, AM_Z95}, {3, 2, 1, 2, AM_Z95}, {-1, 2, 1, 2, AM_Z95}, {1, 2, 3, 2, AM_Z95},
		{NAN, 2, 1, 2, AM_Z95}, {1, 2, 1, NAN, AM_Z95}, {1, 2, 1, 2, NAN}, {1, 2, 1, 2, -1}, {1, INFINITY, 1, 2, AM_Z95}
	};
	double		worst = 0,
				low,
				high;
	bool		sane = true,
				mirrored = true,
				refused = true;
	int			round;
	size_t		i;

	for (i = 0; i < sizeof(published) / sizeof(published[0]); i++)
	{
		const double *c = published[i];

		am_newcombe(c[0], c[1], c[2], c[3], AM_Z95, &low, &high);
		worst = fmax(worst, fmax(fabs(low - c[4]), fabs(high - c[5])));
	}
	ok(worst < 5.1e-5, "published: Newcombe's eight examples, worst difference %.1e", worst);

	for (round = 0; round < 20000; round++)
	{
		double		n1 = 1 + (double) draw(round % 2 ? 5 : 1000);
		double		n2 = 1 + (double) draw(round % 3 ? 5 : 1000);
		double		k1 = (double) draw((uint64_t) n1 + 1);
		double		k2 = (double) draw((uint64_t) n2 + 1);
		double		other_low,
					other_high;

		am_newcombe(k1, n1, k2, n2, AM_Z95, &low, &high);
		if (!(-1 <= low && low <= k1 / n1 - k2 / n2 && k1 / n1 - k2 / n2 <= high && high <= 1 && low < high))
			sane = false;
		am_newcombe(k2, n2, k1, n1, AM_Z95, &other_low, &other_high);
		if (low != -other_high || high != -other_low)
			mirrored = false;
	}
	ok(sane, "the interval lies around the difference, within -1 and 1");
	ok(mirrored, "the groups exchanged: the sign changes");
	am_newcombe(3, 12, 1, 5, 0, &low, &high);
	ok(close_to(low, 0.05, 1e-15, 1e-16) && close_to(high, 0.05, 1e-15, 1e-16), "z = 0 is the difference itself");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		low = high = 0;
		am_newcombe(bad[i][0], bad[i][1], bad[i][2], bad[i][3], bad[i][4], &low, &high);
		if (!isnan(low) || !isnan(high))
			refused = false;
	}
	ok(refused, "nobody, more than all, NaN: no interval");
}

static long double
log_choose(double n, double k)
{
	return lgammal(n + 1) - lgammal(k + 1) - lgammal(n - k + 1);
}

/* all tables with these margins */
static double
slow_fisher(double k1, double n1, double k2, double n2)
{
	double		hits = k1 + k2;
	long double observed = log_choose(n1, k1) + log_choose(n2, k2) + log1pl(1e-7L);
	long double all = 0,
				extreme = 0;
	double		k;

	for (k = fmax(0, hits - n2); k <= fmin(hits, n1); k++)
	{
		long double log_ways = log_choose(n1, k) + log_choose(n2, hits - k);
		long double p = expl(log_ways - log_choose(n1 + n2, hits));

		all += p;
		if (log_ways <= observed)
			extreme += p;
	}
	return (double) (extreme / all);
}

static void
test_two_rates(void)
{
	/* in rational numbers; Fisher's first */
	static const double literals[][5] = {
		{2, 3, 5, 1e9, 1.2599999895000001e-16}, {1, 1e9, 3, 1e6, 3.9850239959182276e-09}, {5, 5, 1, 40, 4.910952159959534e-06},
		{40, 40, 28, 30, 0.18012422360248448}, {20, 20, 0, 1000, 1.9748753157532257e-42}, {50, 60, 0, 200000, 2.0186362519724445e-190},
		{7, 100000, 0, 3, 1}, {999999999, 1e9, 2, 3, 5.9999999759999997e-09}, {2, 3, 0, 2, 0.4}, {1, 1, 0, 1, 1},
		{1, 2, 1, 2, 1}, {3, 10, 0, 12, 0.046072346627849321}, {9, 10, 3, 10, 0.0076016414752201698},
		{56, 70, 48, 80, 0.0082582879293807785}, {10, 1e9, 1, 1e9, 0.0066556053466691354},
		{500000000, 1e9, 500050000, 1e9, 0.025347318531018435}, {500000000, 1e9, 500100000, 999999999, 7.7434055895331252e-06},
		{300000001, 900000001, 100000000, 300000001, 0.99995298420147727}, {1000, 1e9, 1100, 1e9, 0.029096247262365864}
	};
	static const double bad[][4] = {
		{0, 0, 1, 2}, {1, 2, 0, 0}, {0, 0, 0, 0}, {3, 2, 1, 2}, {1, 2, 3, 2}, {-1, 2, 1, 2}, {1, 2, -1, 2}, {0.5, 2, 1, 2},
		{1, 2.5, 1, 2}, {NAN, 2, 1, 2}, {1, NAN, 1, 2}, {1, 2, NAN, 2}, {1, 2, 1, NAN}, {1, INFINITY, 1, 2}, {1, 1e19, 1, 2}
	};
	double		worst = 0,
				worst_twin = 0;
	bool		refused = true,
				same = true;
	int			round,
				exact = 0;
	size_t		i;

	for (i = 0; i < sizeof(literals) / sizeof(literals[0]); i++)
		worst = fmax(worst, relative_error(am_two_rates_p(literals[i][0], literals[i][1], literals[i][2], literals[i][3]), literals[i][4]));
	ok(worst < 1e-13, "literal: p of two rates, up to 10^9 in a group, worst relative error %.1e", worst);

	for (round = 0; round < 30000; round++)
	{
		double		n1 = 1 + (double) draw(round % 2 ? 8 : 300);
		double		n2 = 1 + (double) draw(round % 3 ? 8 : 300);
		double		k1 = (double) draw(round % 5 ? (uint64_t) n1 + 1 : (uint64_t) fmin(n1, 2) + 1);
		double		k2 = (double) draw(round % 5 ? (uint64_t) n2 + 1 : (uint64_t) fmin(n2, 2) + 1);
		double		hits = k1 + k2,
					misses = n1 + n2 - hits,
					p = am_two_rates_p(k1, n1, k2, n2),
					want;

		if (hits == 0 || misses == 0)
			want = 1;
		else if (fmin(fmin(n1 * hits, n1 * misses), fmin(n2 * hits, n2 * misses)) < n1 + n2)
		{
			want = slow_fisher(k1, n1, k2, n2);
			exact++;
		}
		else
			want = am_chi2_sf(pow(k1 * n2 - k2 * n1, 2) / n1 / n2 / hits / misses * (n1 + n2 - 1), 1);
		worst_twin = fmax(worst_twin, relative_error(p, want));
		if (!(p >= 0 && p <= 1) || !close_to(am_two_rates_p(k2, n2, k1, n1), p, 1e-13, 0) ||
			!close_to(am_two_rates_p(n1 - k1, n1, n2 - k2, n2), p, 1e-13, 0))
			same = false;
	}
	ok(exact > 5000 && worst_twin < 1e-11, "30000 tables, %d of them by enumeration: worst relative error %.1e", exact, worst_twin);
	ok(same, "groups or outcomes exchanged: the same p");
	ok(am_two_rates_p(0, 5, 0, 9007199254740992.0) == 1 && am_two_rates_p(5, 5, 1, 1) == 1, "both 0 or both 1: p = 1");
	ok(am_two_rates_p(9007199254740992.0, 9007199254740992.0, 0, 9007199254740992.0) == 0 &&
	   am_two_rates_p(60000000, 60000000, 0, 9007199254740992.0) == 0 && am_two_rates_p(3e18, 9e18, 3e18, 9e18) == 1, "below the smallest number: 0, at once");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!isnan(am_two_rates_p(bad[i][0], bad[i][1], bad[i][2], bad[i][3])))
			refused = false;
	ok(refused, "nobody, more than all, fractions, NaN: no p");
}

/* exact limits by adding up probabilities, one by one */
static double
tail(double p, int k, int n, bool lower)
{
	long double sum = 0;

	for (int i = 0; i <= n; i++)
		if (lower ? i >= k : i <= k)
			sum += expl(lgammal(n + 1.0L) - lgammal(i + 1.0L) - lgammal(n - i + 1.0L) + i * logl(p) + (n - i) * log1pl(-p));
	return (double) sum;
}

static double
count_tail(double mean, int k)
{
	long double sum = 0;

	for (int i = 0; i <= k; i++)
		sum += expl(i * logl(mean) - mean - lgammal(i + 1.0L));
	return (double) sum;
}

static void
test_per_outcome(void)
{
	double		value,
				low,
				high,
				worst = 0;

	am_per_outcome(9, 500, &value, &low, &high);
	ok(close_to(value, 500 / 9.0, 1e-15, 0) && floor(low + 0.5) == 30 && floor(high + 0.5) == 121, "9 of 500: %.0f for one (%.0f to %.0f)", value, low, high);
	for (int n = 1; n < 300; n = n * 3 / 2 + 1)
		for (int k = 1; k <= n; k = k * 2 + 1)
		{
			am_per_outcome(k, n, &value, &low, &high);
			worst = fmax(worst, fabs(tail(1 / high, k, n, true) / 0.025 - 1));
			if (k < n)
				worst = fmax(worst, fabs(tail(1 / low, k, n, false) / 0.025 - 1));
			else if (low != 1)
				worst = INFINITY;
		}
	ok(worst < 1e-9, "limits of a share have 2.5 %% beyond them, within %.1e", worst);
	worst = 0;
	for (int k = 1; k < 400; k = k * 2 + 1)
	{
		am_per_outcome(k, 0.5 * k, &value, &low, &high);
		worst = fmax(worst, fabs(count_tail(0.5 * k / low, k) / 0.025 - 1));
		worst = fmax(worst, fabs((1 - count_tail(0.5 * k / high, k - 1)) / 0.025 - 1));
	}
	ok(worst < 1e-9, "and those of a count, within %.1e", worst);
	am_per_outcome(0, 300, &value, &low, &high);
	ok(isnan(value) && low == 100 && isnan(high), "none: at least a third");
	am_per_outcome(2.5, 10, &value, &low, &high);
	ok(value == 4 && isnan(low) && isnan(high), "an amount has no interval");
	am_per_outcome(3, 0, &value, &low, &high);
	ok(value == 0 && isnan(low) && isnan(high), "none needed");
	am_per_outcome(0, 0, &value, &low, &high);
	ok(isnan(value) && isnan(low), "nothing");
	am_per_outcome(1e9, 3e12, &value, &low, &high);
	ok(low < 3000 && 3000 < high && high - low < 0.4, "many");
}

int
main(void)
{
	test_wilson_golden();
	test_wilson();
	test_two_rates_golden();
	test_newcombe();
	test_two_rates();
	test_per_outcome();
	return done_testing();
}
