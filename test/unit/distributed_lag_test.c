/*
 * Distributed lags against golden values and plain regressions.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "series_data.h"

#include "stats/distributed_lag.h"

static void
test_golden(void)
{
	static Pair pair;
	AmDistributedLag plain,
				almon;
	bool		open = false;
	Golden		golden;
	double		worst = 0;

	if (!golden_open(&golden, "distributed_lag.csv", 14))
		return;
	while (golden_next(&golden))
	{
		int			max_lag = atoi(golden.field[2]);

		if (read_pair(&pair, golden.field[0], golden.field[1]))
		{
			if (open)
			{
				am_distributed_lag_free(&plain);
				am_distributed_lag_free(&almon);
			}
			open = true;
			am_distributed_lag(pair.x, pair.y, pair.n, max_lag, -1, &plain);
			am_distributed_lag(pair.x, pair.y, pair.n, max_lag, atoi(golden.field[3]), &almon);
		}
		if (strcmp(golden.field[4], "sum") == 0)
		{
			worst = fmax(worst, off(plain.cumulative[max_lag], golden_number(&golden, 5), 1e-13));
			worst = fmax(worst, off(almon.cumulative[max_lag], golden_number(&golden, 7), 1e-13));
			worst = fmax(worst, off(plain.rss, golden_number(&golden, 8), 0));
			worst = fmax(worst, off(almon.rss, golden_number(&golden, 9), 0));
			worst = fmax(worst, off(almon.rss_unrestricted, golden_number(&golden, 8), 0));
			worst = fmax(worst, off(plain.df, golden_number(&golden, 10), 0));
			worst = fmax(worst, off(almon.f, golden_number(&golden, 11), 0));
			worst = fmax(worst, off_p(almon.p, golden_number(&golden, 12)));
			worst = fmax(worst, off(plain.n, golden_number(&golden, 13), 0));
		}
		else if (strcmp(golden.field[4], "mean_lag") == 0)
		{
			worst = fmax(worst, off(plain.mean_lag, golden_number(&golden, 5), 1e-13));
			worst = fmax(worst, off(almon.mean_lag, golden_number(&golden, 7), 1e-13));
		}
		else
		{
			int			k = atoi(golden.field[4]);

			worst = fmax(worst, off(plain.coefficient[k], golden_number(&golden, 5), 1e-13));
			worst = fmax(worst, off(plain.error[k], golden_number(&golden, 6), 1e-13));
			worst = fmax(worst, off(almon.coefficient[k], golden_number(&golden, 7), 1e-13));
		}
	}
	am_distributed_lag_free(&plain);
	am_distributed_lag_free(&almon);
	ok(golden.rows == 88 && worst < 1e-8, "golden: %d rows of distributed lags, worst relative error %.1e", golden.rows, worst);
}

static void
test_random(void)
{
	static double x[400],
				y[400],
				powers[9][400];
	double		worst = 0,
				worst_almon = 0,
				worst_sum = 0;

	for (int n = 20; n <= 400; n = n * 3 / 2)
		for (int max_lag = 0; max_lag <= 8 && max_lag <= am_distributed_lag_largest(n); max_lag++)
		{
			const double *columns[9];
			double		b[10];
			double		total = 0;
			AmDistributedLag lags;

			for (int t = 0; t < n; t++)
			{
				x[t] = draw() + (t > 0 ? 0.5 * x[t - 1] : 0);
				y[t] = draw() + (t > 2 ? 0.4 * x[t - 2] + 0.3 * x[t - 3] : 0);
			}
			for (int k = 0; k <= max_lag; k++)
				columns[k] = x + max_lag - k;
			slow_least_squares(columns, max_lag + 1, y + max_lag, n - max_lag, b);
			am_distributed_lag(x, y, n, max_lag, -1, &lags);
			for (int k = 0; k <= max_lag; k++)
			{
				total += lags.coefficient[k];
				worst = fmax(worst, fabs(lags.coefficient[k] - b[k + 1]));
				worst_sum = fmax(worst_sum, fabs(lags.cumulative[k] - total));
			}
			worst_sum = fmax(worst_sum, fabs(lags.cumulative_error[0] - lags.error[0]));
			am_distributed_lag_free(&lags);

			for (int degree = 0; degree <= max_lag; degree++)
			{
				for (int d = 0; d <= degree; d++)
				{
					for (int t = 0; t < n - max_lag; t++)
					{
						powers[d][t] = 0;
						for (int k = 0; k <= max_lag; k++)
							powers[d][t] += pow((k - max_lag / 2.0) / (max_lag + 1), d) * x[t + max_lag - k];
					}
					columns[d] = powers[d];
				}
				slow_least_squares(columns, degree + 1, y + max_lag, n - max_lag, b);
				am_distributed_lag(x, y, n, max_lag, degree, &lags);
				for (int k = 0; k <= max_lag; k++)
				{
					double		want = 0;

					for (int d = 0; d <= degree; d++)
						want += b[d + 1] * pow((k - max_lag / 2.0) / (max_lag + 1), d);
					worst_almon = fmax(worst_almon, fabs(lags.coefficient[k] - want));
				}
				if ((degree == max_lag) != isnan(lags.f))
					worst_almon = INFINITY;
				am_distributed_lag_free(&lags);
			}
		}
	ok(worst < 1e-12, "random series: as a regression on the lags, worst %.1e", worst);
	ok(worst_sum < 1e-12, "random series: running sums, worst %.1e", worst_sum);
	ok(worst_almon < 1e-10, "random series: polynomials of all degrees as on powers of the lag, worst %.1e", worst_almon);
}

/*
 * Newey and West's errors as the formula has them: (X'X)^-1 S (X'X)^-1 in long
 * double, S from all pairs of rows at most bandwidth apart, each with its weight.
 */
static void
slow_hac(const double *const *columns, int k, const double *y, int n, int bandwidth, double *error, double *total_error)
{
	static long double a[SLOW_MAX][2 * SLOW_MAX],
				s[SLOW_MAX][SLOW_MAX],
				row[400][SLOW_MAX],
				left[400];
	double		b[SLOW_MAX];
	int			m = k + 1;
	long double all = 0;

	slow_least_squares(columns, k, y, n, b);
	memset(a, 0, sizeof(a));
	memset(s, 0, sizeof(s));
	for (int t = 0; t < n; t++)
	{
		left[t] = y[t];
		for (int j = 0; j < m; j++)
		{
			row[t][j] = j < k ? columns[j][t] : 1;
			left[t] -= (j < k ? b[j + 1] : b[0]) * row[t][j];
		}
		for (int i = 0; i < m; i++)
			for (int j = 0; j < m; j++)
				a[i][j] += row[t][i] * row[t][j];
	}
	for (int t = 0; t < n; t++)
		for (int u = 0; u < n; u++)
			if (abs(t - u) <= bandwidth)
				for (int i = 0; i < m; i++)
					for (int j = 0; j < m; j++)
						s[i][j] += (1 - abs(t - u) / (bandwidth + 1.0L)) * left[t] * row[t][i] * left[u] * row[u][j];
	for (int i = 0; i < m; i++)
		a[i][m + i] = 1;
	for (int i = 0; i < m; i++)
	{
		long double pivot = a[i][i];

		for (int j = 0; j < 2 * m; j++)
			a[i][j] /= pivot;
		for (int l = 0; l < m; l++)
		{
			long double ratio = l == i ? 0 : a[l][i];

			for (int j = 0; j < 2 * m; j++)
				a[l][j] -= ratio * a[i][j];
		}
	}
	for (int c = 0; c < k; c++)
		for (int d = 0; d < k; d++)
		{
			long double v = 0;

			for (int i = 0; i < m; i++)
				for (int j = 0; j < m; j++)
					v += a[c][m + i] * s[i][j] * a[d][m + j];
			v *= (long double) n / (n - m);
			if (c == d)
				error[c] = (double) sqrtl(v);
			all += v;
		}
	*total_error = (double) sqrtl(all);
}

static void
test_hac(void)
{
	static double x[400],
				y[400],
				scaled_x[400],
				scaled_y[400],
				powers[9][400];
	double		worst = 0,
				worst_almon = 0,
				worst_scaled = 0;

	for (int n = 24; n <= 200; n = n * 3 / 2)
		for (int max_lag = 0; max_lag <= 6; max_lag += 2)
			for (int bandwidth = 0; bandwidth <= 9; bandwidth += 3)
			{
				const double *columns[9];
				double		error[9],
							total,
							noise = 0;
				AmDistributedLag lags;

				for (int t = 0; t < n; t++)
				{
					x[t] = draw() + (t > 0 ? 0.5 * x[t - 1] : 0);
					noise = 0.7 * noise + draw() * (1 + fabs(x[t]));
					y[t] = noise + (t > 2 ? 0.4 * x[t - 2] : 0);
					scaled_x[t] = ldexp(x[t], 900);
					scaled_y[t] = ldexp(y[t], -900);
				}
				for (int k = 0; k <= max_lag; k++)
					columns[k] = x + max_lag - k;
				slow_hac(columns, max_lag + 1, y + max_lag, n - max_lag, bandwidth, error, &total);
				am_distributed_lag(x, y, n, max_lag, -1, &lags);
				am_distributed_lag_hac(&lags, x, y, n, max_lag, -1, bandwidth);
				for (int k = 0; k <= max_lag; k++)
					worst = fmax(worst, off(lags.hac_error[k], error[k], 0));
				worst = fmax(worst, off(lags.cumulative_hac_error[0], error[0], 0));
				worst = fmax(worst, off(lags.cumulative_hac_error[max_lag], total, 0));
				am_distributed_lag_free(&lags);
				am_distributed_lag(scaled_x, scaled_y, n, max_lag, -1, &lags);
				am_distributed_lag_hac(&lags, scaled_x, scaled_y, n, max_lag, -1, bandwidth);
				/* 2^-1800 is no double */
				for (int k = 0; k <= max_lag; k++)
					if (lags.hac_error[k] != 0)
						worst_scaled = INFINITY;
				am_distributed_lag_free(&lags);
				am_distributed_lag(scaled_x, y, n, max_lag, -1, &lags);
				am_distributed_lag_hac(&lags, scaled_x, y, n, max_lag, -1, bandwidth);
				for (int k = 0; k <= max_lag; k++)
					worst_scaled = fmax(worst_scaled, off(ldexp(lags.hac_error[k], 900), error[k], 0));
				am_distributed_lag_free(&lags);

				/* polynomials of degree 1: constant and lag, whose coefficients at lag 0 and all together are known */
				if (max_lag < 2)
					continue;
				for (int t = 0; t < n - max_lag; t++)
				{
					powers[0][t] = powers[1][t] = 0;
					for (int k = 0; k <= max_lag; k++)
					{
						powers[0][t] += x[t + max_lag - k];
						powers[1][t] += k * x[t + max_lag - k];
					}
				}
				columns[0] = powers[0];
				columns[1] = powers[1];
				slow_hac(columns, 2, y + max_lag, n - max_lag, bandwidth, error, &total);
				am_distributed_lag(x, y, n, max_lag, 1, &lags);
				am_distributed_lag_hac(&lags, x, y, n, max_lag, 1, bandwidth);
				worst_almon = fmax(worst_almon, off(lags.hac_error[0], error[0], 0));
				worst_almon = fmax(worst_almon, off(lags.hac_error[1], total, 0));
				am_distributed_lag_free(&lags);
			}
	ok(worst < 1e-9, "random series: errors of Newey and West by the formula, worst %.1e", worst);
	ok(worst_almon < 1e-9, "and of polynomials, worst %.1e", worst_almon);
	ok(worst_scaled < 1e-9, "times 2^900, worst %.1e", worst_scaled);
	ok(am_hac_bandwidth(100) == 4 && am_hac_bandwidth(1000) == 6 && am_hac_bandwidth(2) == 1 && am_hac_bandwidth(0) == 0, "bandwidths");
}

static void
test_literals(void)
{
	double		x[40],
				y[40],
				bad[40];
	AmDistributedLag lags;

	for (int t = 0; t < 40; t++)
	{
		x[t] = draw();
		y[t] = 7 + (t > 1 ? 1 * x[t] + 2 * x[t - 1] + 3 * x[t - 2] : 0);
		bad[t] = t == 20 ? NAN : x[t];
	}
	ok(am_distributed_lag(x, y, 40, 2, -1, &lags) && close_to(lags.coefficient[0], 1, 1e-13, 0) && close_to(lags.coefficient[2], 3, 1e-13, 0) &&
	   close_to(lags.cumulative[2], 6, 1e-13, 0) && close_to(lags.mean_lag, 8.0 / 6, 1e-13, 0) && lags.rss == 0 && lags.n == 38 && lags.df == 34,
	   "coefficients 1, 2, 3: sum 6, mean lag 8/6");
	am_distributed_lag_free(&lags);
	ok(am_distributed_lag(x, y, 40, 2, 1, &lags) && close_to(lags.coefficient[1], 2, 1e-13, 0) && lags.rss == 0 && isnan(lags.f),
	   "a line has them too, and leaves nothing to test");
	am_distributed_lag_free(&lags);
	ok(am_distributed_lag(x, y, 40, 2, 0, &lags) && isinf(lags.f) && lags.p == 0, "a constant does not: p 0");
	am_distributed_lag_free(&lags);
	for (int t = 0; t < 40; t++)
		x[t] = 0.1;
	ok(!am_distributed_lag(x, y, 40, 2, -1, &lags) && isnan(lags.coefficient[0]) && isnan(lags.mean_lag), "a constant x");
	am_distributed_lag_free(&lags);
	ok(!am_distributed_lag(x, y, 40, 2, 1, &lags) && isnan(lags.cumulative_error[2]), "with a degree too");
	am_distributed_lag_free(&lags);
	ok(!am_distributed_lag(bad, y, 40, 2, 1, &lags) && isnan(lags.coefficient[0]), "NaN");
	am_distributed_lag_free(&lags);
	ok(am_distributed_lag_largest(2) == -1 && am_distributed_lag_largest(4) == 0 && am_distributed_lag_largest(5) == 1 &&
	   am_distributed_lag_largest(40) == 18, "the largest lags");
}

int
main(void)
{
	test_golden();
	test_random();
	test_hac();
	test_literals();
	return done_testing();
}
