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
	test_literals();
	return done_testing();
}
