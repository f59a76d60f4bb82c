/*
 * Correlations against golden values, identities and columns made to break
 * the usual sums.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "tap.h"
#include "golden.h"
#include "pairs.h"

#include <float.h>
#include <limits.h>
#include <stdint.h>

#include "stats/correlation.h"
#include "stats/distributions.h"

#define MAX_N 4096

static uint64_t seed = 11;

/* about normal, and in steps of 2^-20, so that offsets can be added exactly */
static double
draw(void)
{
	double		sum = 0;
	int			i;

	for (i = 0; i < 12; i++)
	{
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		sum += (double) (seed >> 44);
	}
	return sum / 1048576.0 - 6;
}

static void
test_golden_pairs(void)
{
	static double x[MAX_N],
				y[MAX_N];
	const char *path = shared_file("golden/expected/correlation.csv");
	char		line[4096];
	char	   *fields[12];
	double		worst = 0,
				worst_trap = 0,
				worst_p = 0;
	bool		p_good = true;
	int			rows = 0;
	FILE	   *f = path ? fopen(path, "r") : NULL;

	if (!f)
	{
		skip("correlation.csv", "no golden files");
		return;
	}
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	while (fgets(line, sizeof(line), f))
	{
		double		want,
					want_p,
					r,
					p,
					slack;
		size_t		n;

		if (split(line, fields, 12) < 12)
			continue;
		n = read_data("golden/data/pairs.csv", fields[0], x, y, MAX_N);
		transform(fields[1], x, n);
		n = transform(fields[1], y, n);
		want = number(fields[8]);
		want_p = number(fields[10]);

		r = am_pearson(x, y, n);
		if (is_trap(fields[0]))
			worst_trap = fmax(worst_trap, error_of(r, want));
		else
			worst = fmax(worst, error_of(r, want));

		/* a p from a rounded r: one unit in its last place moves p that much */
		p = am_correlation_p(r, (double) n - 2);
		slack = 1e-11 + n * 2 * DBL_EPSILON / fmax(1 - r * r, DBL_EPSILON);
		if (is_trap(fields[0]))
			slack += 1e-8;
		if (!close_to(p, want_p, slack, 0))
		{
			p_good = false;
			printf("# %s %s: p %.17g, not %.17g\n", fields[0], fields[1], p, want_p);
		}
		else if (want_p > 0)
			worst_p = fmax(worst_p, fabs(p / want_p - 1));
		rows++;
	}
	fclose(f);
	ok(rows == 36 && worst < 1e-14, "golden: Pearson, %d data sets, worst error %.1e", rows, worst);
	ok(worst_trap < 1e-14, "golden: Pearson with offsets, tiny and huge values, worst error %.1e", worst_trap);
	ok(p_good, "golden: p of Pearson as far as r in double tells, worst relative error %.1e", worst_p);
}

static void
test_golden_lags(void)
{
	static double x[MAX_N],
				y[MAX_N];
	const char *path = shared_file("golden/expected/ccf.csv");
	char		line[1024];
	char		key[128] = "";
	char	   *fields[8];
	double		worst = 0,
				worst_overlap = 0;
	size_t		n = 0;
	int			rows = 0;
	FILE	   *f = path ? fopen(path, "r") : NULL;

	if (!f)
	{
		skip("ccf.csv", "no golden files");
		return;
	}
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	while (fgets(line, sizeof(line), f))
	{
		char		this_key[128];
		size_t		distance;
		int			lag;

		if (split(line, fields, 8) < 8)
			continue;
		snprintf(this_key, sizeof(this_key), "%s %s", fields[0], fields[1]);
		if (strcmp(key, this_key) != 0)
		{
			snprintf(key, sizeof(key), "%s", this_key);
			n = read_data("golden/data/pairs.csv", fields[0], x, y, MAX_N);
			transform(fields[1], x, n);
			n = transform(fields[1], y, n);
		}
		lag = atoi(fields[2]);
		distance = (size_t) abs(lag);
		worst = fmax(worst, error_of(am_cross_correlation(x, y, n, lag), number(fields[4])));
		worst_overlap = fmax(worst_overlap,
							 error_of(am_pearson(x + (lag < 0 ? distance : 0),
												 y + (lag > 0 ? distance : 0), n - distance),
									  number(fields[6])));
		rows++;
	}
	fclose(f);
	ok(rows == 374 && worst < 1e-14, "golden: cross-correlation, %d lags, worst error %.1e", rows, worst);
	ok(worst_overlap < 1e-13, "golden: Pearson of the overlaps, worst error %.1e", worst_overlap);
}

static void
test_literals(void)
{
	/* Anscombe (1973), and a count by hand */
	static const double ax[] = {10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5};
	static const double ay[] = {8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68};
	static const double u[] = {1, 2, 4, 9};
	static const double v[] = {3, 1, 8, 0};

	/* u - 4 = -3 -2 0 5, squares 38; v - 3 = 0 -2 5 -3, squares 38 */
	ok(close_to(am_pearson(ax, ay, 11), 0.81642051634483981, 1e-15, 0), "Anscombe's first");
	ok(close_to(am_pearson(u, v, 4), -11.0 / 38, 1e-15, 0), "four pairs by hand");
	ok(close_to(am_cross_correlation(u, v, 4, 1), (6 - 10 + 0) / 38.0, 1e-15, 0) &&
	   close_to(am_cross_correlation(u, v, 4, 2), (-15 + 6) / 38.0, 1e-15, 0) &&
	   close_to(am_cross_correlation(u, v, 4, 3), 9 / 38.0, 1e-15, 0),
	   "positive lags: x first");
	ok(close_to(am_cross_correlation(u, v, 4, -1), (0 + 0 + 25) / 38.0, 1e-15, 0) &&
	   close_to(am_cross_correlation(u, v, 4, -3), 0, 0, 1e-15), "negative lags: y first");
}

/* plain sums in long double, right where nothing is extreme */
static double
slow_lag(const double *x, const double *y, int n, int lag)
{
	long double mx = 0,
				my = 0,
				xx = 0,
				yy = 0,
				xy = 0;
	int			t;

	for (t = 0; t < n; t++)
	{
		mx += x[t];
		my += y[t];
	}
	mx /= n;
	my /= n;
	for (t = 0; t < n; t++)
	{
		xx += (x[t] - mx) * (x[t] - mx);
		yy += (y[t] - my) * (y[t] - my);
		if (t + lag >= 0 && t + lag < n)
			xy += (x[t] - mx) * (y[t + lag] - my);
	}
	return (double) (xy / sqrtl(xx * yy));
}

static void
test_invariance(void)
{
	static double x[1000],
				y[1000],
				sx[1000],
				sy[1000];
	double		worst = 0,
				offset = 0,
				scaled = 0,
				mirrored = 0;
	int			n,
				lag,
				i;

	for (n = 3; n <= 1000; n += n / 2)
	{
		for (i = 0; i < n; i++)
		{
			x[i] = draw();
			y[i] = draw() + (i > 2 ? 0.5 * x[i - 2] : 0);
		}
		for (lag = 1 - n; lag < n; lag += 1 + n / 20)
		{
			double		r = am_cross_correlation(x, y, (size_t) n, lag);

			worst = fmax(worst, error_of(r, slow_lag(x, y, n, lag)));
			mirrored = fmax(mirrored, error_of(r, am_cross_correlation(y, x, (size_t) n, -lag)));

			for (i = 0; i < n; i++)
			{
				sx[i] = x[i] + 1073741824.0;
				sy[i] = y[i] - 1073741824.0;
			}
			offset = fmax(offset, error_of(r, am_cross_correlation(sx, sy, (size_t) n, lag)));

			for (i = 0; i < n; i++)
			{
				sx[i] = ldexp(x[i], -1000);
				sy[i] = ldexp(y[i], 1019);
			}
			scaled = fmax(scaled, error_of(r, am_cross_correlation(sx, sy, (size_t) n, lag)));
		}
	}
	ok(worst < 2e-15, "random columns, all lags: as the definition, worst %.1e", worst);
	ok(mirrored == 0, "lag k of (x, y) is lag -k of (y, x), to the bit");
	ok(offset < 2e-15, "an offset of 2^30 changes nothing, worst %.1e", offset);
	ok(scaled == 0, "scaling by 2^-1000 and 2^1019 changes no bit");
}

static void
test_degenerate(void)
{
	static const double constant[] = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1};
	static const double odd[] = {0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7000000000000001};
	static const double nan_in[] = {1, NAN, 1, 2};
	static const double inf_in[] = {1, 2, INFINITY, 4};
	static const double extreme[] = {DBL_MAX, -DBL_MAX, DBL_MAX / 2, 0, -DBL_MAX / 2};
	static const double modest[] = {2, -2, 1, 0, -1};
	static const double smallest[] = {0, 5e-324, 0, 1e-323, 0};
	static const double as_smallest[] = {0, 1, 0, 2, 0};
	double		ramp[12],
				tenths[12],
				minus[12];
	int			i;

	for (i = 0; i < 12; i++)
	{
		ramp[i] = i;
		tenths[i] = 1e9 + 0.1 * i;
		minus[i] = -0.3 * i;
	}
	ok(isnan(am_pearson(constant, ramp, 12)) && isnan(am_pearson(ramp, constant, 12)) &&
	   isnan(am_cross_correlation(constant, ramp, 12, 3)),
	   "a constant 0.1 has no correlation");
	ok(close_to(am_pearson(odd, ramp, 12), sqrt(3.0 / 13), 1e-13, 0),
	   "one value an ulp away is not constant");
	ok(isnan(am_pearson(ramp, ramp, 0)) && isnan(am_pearson(ramp, ramp, 1)) &&
	   am_pearson(ramp, minus, 2) == -1,
	   "none, one and two values");
	ok(am_pearson(ramp, tenths, 12) <= 1 && am_pearson(ramp, minus, 12) == -1 &&
	   am_pearson(ramp, ramp, 12) == 1, "a line is exactly 1 or -1");
	ok(isnan(am_cross_correlation(ramp, minus, 12, 12)) &&
	   isnan(am_cross_correlation(ramp, minus, 12, -12)) &&
	   isnan(am_cross_correlation(ramp, minus, 12, INT_MIN)) &&
	   isnan(am_cross_correlation(ramp, minus, 12, INT_MAX)) &&
	   !isnan(am_cross_correlation(ramp, minus, 12, -11)), "lags beyond the columns");
	ok(isnan(am_pearson(nan_in, ramp, 4)) && isnan(am_pearson(ramp, inf_in, 4)),
	   "NaN and infinity give NaN, not a constant");
	ok(close_to(am_pearson(extreme, ramp, 5), am_pearson(modest, ramp, 5), 1e-15, 0) &&
	   am_pearson(extreme, modest, 5) == 1, "the largest doubles do not overflow");
	ok(close_to(am_pearson(smallest, ramp, 5), am_pearson(as_smallest, ramp, 5), 1e-15, 0) &&
	   am_pearson(smallest, as_smallest, 5) == 1, "the smallest doubles do not vanish");
}

int
main(void)
{
	test_golden_pairs();
	test_golden_lags();
	test_literals();
	test_invariance();
	test_degenerate();
	return done_testing();
}
