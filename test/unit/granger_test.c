/*
 * Granger's test, its orders and rolling forecasts against golden values and
 * regressions done the slow way.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "series_data.h"

#include "stats/distributions.h"
#include "stats/granger.h"

#define MAX_ORDER 8

static void
test_golden_granger(void)
{
	static Pair pair;
	Golden		golden;
	double		worst[2] = {0, 0},
				worst_p[2] = {0, 0};

	if (!golden_open(&golden, "granger.csv", 17))
		return;
	while (golden_next(&golden))
	{
		bool		forward = strcmp(golden.field[2], "x->y") == 0;
		int			trap = is_offset(golden.field[0]) != 0;
		AmGranger	got;

		read_pair(&pair, golden.field[0], golden.field[1]);
		am_granger(forward ? pair.x : pair.y, forward ? pair.y : pair.x, pair.n, atoi(golden.field[3]), &got);
		if (got.n != golden_number(&golden, 4) || got.df1 != golden_number(&golden, 5) || got.df2 != golden_number(&golden, 6))
			worst[0] = INFINITY;
		worst[trap] = fmax(worst[trap], off(got.rss_own, golden_number(&golden, 7), 0));
		worst[trap] = fmax(worst[trap], off(got.rss_with_x, golden_number(&golden, 8), 0));
		worst[trap] = fmax(worst[trap], off(got.f, golden_number(&golden, 9), 0));
		worst_p[trap] = fmax(worst_p[trap], off_p(got.p, golden_number(&golden, 10)));
		worst[trap] = fmax(worst[trap], off(got.chi2_wald, golden_number(&golden, 11), 0));
		worst_p[trap] = fmax(worst_p[trap], off_p(got.p_wald, golden_number(&golden, 12)));
		worst[trap] = fmax(worst[trap], off(got.chi2_ssr, golden_number(&golden, 13), 0));
		worst_p[trap] = fmax(worst_p[trap], off_p(got.p_ssr, golden_number(&golden, 14)));
		worst[trap] = fmax(worst[trap], off(got.lr, golden_number(&golden, 15), 0));
		worst_p[trap] = fmax(worst_p[trap], off_p(got.p_lr, golden_number(&golden, 16)));
	}
	ok(golden.rows == 148 && worst[0] < 1e-8 && worst_p[0] < 1e-8, "golden: %d Granger tests, worst relative error %.1e, of p %.1e",
	   golden.rows, worst[0], worst_p[0]);
	ok(worst[1] < 1e-8 && worst_p[1] < 1e-8, "golden: those at an offset of 1e9, worst %.1e, of p %.1e", worst[1], worst_p[1]);
}

static void
test_golden_orders(void)
{
	static Pair pair;
	AmGrangerOrder rows[MAX_ORDER + 1];
	Golden		golden;
	double		worst = 0;
	bool		best = true;

	if (!golden_open(&golden, "granger_order.csv", 12))
		return;
	while (golden_next(&golden))
	{
		bool		forward = strcmp(golden.field[2], "x->y") == 0;
		const AmGrangerOrder *row;

		read_pair(&pair, golden.field[0], golden.field[1]);
		am_granger_orders(forward ? pair.x : pair.y, forward ? pair.y : pair.x, pair.n, atoi(golden.field[3]), rows);
		row = &rows[atoi(golden.field[4])];
		if (row->n != golden_number(&golden, 5))
			worst = INFINITY;
		worst = fmax(worst, off(row->rss, golden_number(&golden, 6), 0));
		worst = fmax(worst, off(row->aic, golden_number(&golden, 7), 1e-10));
		worst = fmax(worst, off(row->bic, golden_number(&golden, 8), 1e-10));
		worst = fmax(worst, off(row->hq, golden_number(&golden, 9), 1e-10));
		best = best && row->best_aic == atoi(golden.field[10]) && row->best_bic == atoi(golden.field[11]);
	}
	ok(golden.rows == 174 && worst < 1e-8 && best, "golden: %d orders with their criteria, worst relative error %.1e", golden.rows, worst);
}

static void
test_golden_gain(void)
{
	static Pair pair;
	Golden		golden;
	double		worst = 0;

	if (!golden_open(&golden, "forecast_gain.csv", 13))
		return;
	while (golden_next(&golden))
	{
		bool		forward = strcmp(golden.field[2], "x->y") == 0;
		AmForecastGain got;

		read_pair(&pair, golden.field[0], golden.field[1]);
		am_forecast_gain(forward ? pair.x : pair.y, forward ? pair.y : pair.x, pair.n, atoi(golden.field[3]), &got);
		if (got.first != golden_number(&golden, 4) || got.n != golden_number(&golden, 5))
			worst = INFINITY;
		worst = fmax(worst, off(got.mse_own, golden_number(&golden, 6), 0));
		worst = fmax(worst, off(got.mse_with_x, golden_number(&golden, 7), 0));
		worst = fmax(worst, off(got.gain, golden_number(&golden, 8), 1e-13));
		worst = fmax(worst, off(got.clark_west, golden_number(&golden, 9), 1e-13));
		worst = fmax(worst, off_p(got.p_clark_west, golden_number(&golden, 10)));
		worst = fmax(worst, off(got.diebold_mariano, golden_number(&golden, 11), 1e-13));
		worst = fmax(worst, off_p(got.p_diebold_mariano, golden_number(&golden, 12)));
	}
	ok(golden.rows == 32 && worst < 1e-8, "golden: %d forecast gains, worst relative error %.1e", golden.rows, worst);
}

static void
test_literals(void)
{
	AmGranger	got;
	AmGrangerOrder rows[5];

	ok(am_granger(gnp, employed, N_LONGLEY, 1, &got) && got.n == 15 && got.df2 == 12 && close_to(got.f, 9.3226748835291922, 1e-12, 0) &&
	   close_to(got.p, 0.010022958008159822, 1e-11, 0) && close_to(got.p_wald, 0.0022633534032512246, 1e-11, 0) &&
	   close_to(got.p_ssr, 0.00064087242096695521, 1e-11, 0) && close_to(got.p_lr, 0.0033195087877086311, 1e-11, 0),
	   "golden values: product helps to predict employment");
	ok(am_granger(employed, gnp, N_LONGLEY, 4, &got) && got.df2 == 3 && close_to(got.f, 0.61584827725849345, 1e-10, 0) &&
	   close_to(got.rss_own, 1252.2793932946713, 1e-11, 0) && close_to(got.rss_with_x, 687.63826891239216, 1e-11, 0),
	   "golden values: and the other way");
	am_granger_orders(gnp, employed, N_LONGLEY, 4, rows);
	ok(rows[0].order == 0 && rows[4].n == 12 && close_to(rows[0].rss, 70.519530249999946, 1e-12, 0) &&
	   close_to(rows[1].aic, 2.6520737003913397, 1e-10, 0) && close_to(rows[2].bic, 7.6695692515013834, 1e-10, 0) &&
	   close_to(rows[4].hq, -0.61259757848581997, 1e-9, 0) && rows[4].best_aic && rows[1].best_bic && rows[4].best_hq && !rows[0].best_aic,
	   "golden values: orders");
	ok(am_granger_largest_order(4) == 0 && am_granger_largest_order(5) == 1 && am_granger_largest_order(16) == 4 &&
	   am_granger_largest_order(7) == 1 && am_granger_largest_order(8) == 2, "the largest orders");
	ok(am_forecast_largest_order(8) == 0 && am_forecast_largest_order(9) == 1 && am_forecast_largest_order(16) == 2, "those of forecasts");
}

/* all regressions done anew */
static void
slow_gain(const double *x, const double *y, int n, int order, double *own, double *with)
{
	const double *columns[2 * MAX_ORDER];
	double		b[2 * MAX_ORDER + 1];
	int			first = (n + 1) / 2;

	*own = *with = 0;
	for (int j = 0; j < order; j++)
	{
		columns[j] = y + order - 1 - j;
		columns[order + j] = x + order - 1 - j;
	}
	for (int t = first; t < n; t++)
		for (int k = order; k <= 2 * order; k += order)
		{
			double		e = y[t];

			slow_least_squares(columns, k, y + order, t - order, b);
			e -= b[0];
			for (int j = 0; j < k; j++)
				e -= b[j + 1] * columns[j][t - order];
			*(k == order ? own : with) += e * e / (n - first);
		}
}

static void
test_random(void)
{
	static double x[300],
				y[300],
				sx[300],
				sy[300];
	const double *columns[2 * MAX_ORDER];
	double		b[2 * MAX_ORDER + 1];
	double		worst = 0,
				worst_gain = 0,
				worst_order = 0,
				worst_shift = 0;

	for (int n = 12; n <= 300; n = n * 3 / 2)
	{
		AmGrangerOrder rows[MAX_ORDER + 1];
		int			max_order;

		for (int t = 0; t < n; t++)
		{
			x[t] = draw() + (t > 0 ? 0.5 * x[t - 1] : 0);
			y[t] = draw() + (t > 1 ? 0.4 * x[t - 2] + 0.3 * y[t - 1] : 0);
		}
		max_order = am_granger_largest_order(n) > MAX_ORDER ? MAX_ORDER : am_granger_largest_order(n);
		for (int order = 1; order <= max_order; order++)
		{
			AmGranger	got,
						shifted;
			AmForecastGain gain;
			double		own,
						with;

			for (int j = 0; j < order; j++)
			{
				columns[j] = y + order - 1 - j;
				columns[order + j] = x + order - 1 - j;
			}
			own = slow_least_squares(columns, order, y + order, n - order, b);
			with = slow_least_squares(columns, 2 * order, y + order, n - order, b);
			am_granger(x, y, n, order, &got);
			worst = fmax(worst, fmax(off(got.rss_own, own, 0), off(got.rss_with_x, with, 0)));
			worst = fmax(worst, off(got.f, (own - with) / order / (with / (n - 3 * order - 1)), 1e-9));
			for (int t = 0; t < n; t++)
			{
				sx[t] = ldexp(round(ldexp(x[t], 20)), -20) + 1048576;
				sy[t] = ldexp(round(ldexp(y[t], 20)), -20) - 1048576;
			}
			am_granger(sx, sy, n, order, &shifted);
			worst_shift = fmax(worst_shift, fabs(shifted.f - got.f) / (1 + got.f));
			if (order <= am_forecast_largest_order(n))
			{
				slow_gain(x, y, n, order, &own, &with);
				am_forecast_gain(x, y, n, order, &gain);
				worst_gain = fmax(worst_gain, fmax(off(gain.mse_own, own, 0), off(gain.mse_with_x, with, 0)));
				worst_gain = fmax(worst_gain, off(gain.gain, 1 - with / own, 1e-9));
			}
		}
		am_granger_orders(x, y, n, max_order, rows);
		for (int order = 0; order <= max_order; order++)
		{
			double		rss;

			for (int j = 0; j < order; j++)
			{
				columns[j] = y + max_order - 1 - j;
				columns[order + j] = x + max_order - 1 - j;
			}
			rss = slow_least_squares(columns, 2 * order, y + max_order, n - max_order, b);
			worst_order = fmax(worst_order, off(rows[order].rss, rss, 0));
		}
	}
	ok(worst < 1e-9, "random series: tests as by plain regressions, worst %.1e", worst);
	ok(worst_order < 1e-9, "random series: so are the orders, worst %.1e", worst_order);
	ok(worst_gain < 1e-9, "random series: forecasts as by a regression at every step, worst %.1e", worst_gain);
	ok(worst_shift < 1e-4, "offsets of 2^20 change nothing but the rounding of the data, worst %.1e", worst_shift);
}

static void
test_degenerate(void)
{
	double		constant[60],
				line[60],
				noise[60],
				follows[60],
				late[60],
				bad[60];
	AmGranger	got;
	AmGrangerOrder rows[5];
	AmForecastGain gain;

	for (int t = 0; t < 60; t++)
	{
		constant[t] = 0.1;
		line[t] = 0.1 * t + 1e6;
		noise[t] = draw();
		follows[t] = t > 0 ? 2 * noise[t - 1] + 5 : 0;
		late[t] = t < 40 ? 0 : noise[t];
		bad[t] = t == 5 ? INFINITY : noise[t];
	}
	ok(!am_granger(constant, noise, 60, 2, &got) && isnan(got.f) && isnan(got.p) && !am_granger(noise, constant, 60, 2, &got) && isnan(got.p),
	   "a constant predicts nothing and is not predicted");
	ok(!am_granger(line, noise, 60, 2, &got) && isnan(got.f), "the lags of a line are dependent");
	ok(!am_granger(noise, noise, 60, 2, &got) && isnan(got.f), "a series beside itself");
	ok(!am_granger(bad, noise, 60, 1, &got) && isnan(got.f) && !am_granger(noise, bad, 60, 1, &got), "infinity");
	ok(am_granger(noise, follows, 60, 2, &got) == false || got.p == 0 || isnan(got.p), "a follower to the bit");
	am_granger(noise, follows, 60, 1, &got);
	ok(isinf(got.f) && got.p == 0 && isinf(got.lr) && got.p_lr == 0 && got.rss_with_x == 0 && got.rss_own > 0,
	   "nothing left with x: infinite, p 0");
	am_granger_orders(constant, noise, 60, 4, rows);
	ok(!isnan(rows[0].aic) && isnan(rows[1].aic) && isnan(rows[4].rss) && !rows[1].best_aic, "orders: a constant x has order 0 only");
	am_granger_orders(noise, bad, 60, 4, rows);
	ok(isnan(rows[0].rss) && isnan(rows[4].bic), "orders: infinity");
	am_granger_orders(noise, follows, 60, 4, rows);
	ok(rows[1].rss == 0 && isnan(rows[1].aic), "orders: nothing left has no criterion");
	am_forecast_gain(constant, noise, 60, 1, &gain);
	ok(gain.n == 0 && gain.first == 30 && isnan(gain.gain) && isnan(gain.mse_own), "forecasts: a constant x");
	am_forecast_gain(noise, constant, 60, 1, &gain);
	ok(gain.n == 0 && isnan(gain.gain), "forecasts: a constant y");
	am_forecast_gain(bad, noise, 60, 1, &gain);
	ok(gain.n == 0 && isnan(gain.gain), "forecasts: infinity");
	am_forecast_gain(late, noise, 60, 1, &gain);
	ok(gain.n > 5 && gain.n < 20 && !isnan(gain.gain), "forecasts begin when x has varied: %d of 30", (int) gain.n);
	am_forecast_gain(noise, follows, 60, 1, &gain);
	ok(gain.gain == 1 && gain.mse_with_x == 0 && gain.mse_own > 0 && gain.p_clark_west < 1e-3, "forecasts: a follower to the bit");
	am_forecast_gain(noise, line, 60, 1, &gain);
	ok(gain.mse_own == 0 && isnan(gain.gain) && isnan(gain.clark_west), "forecasts: a line needs no x");
}

int
main(void)
{
	test_golden_granger();
	test_golden_orders();
	test_golden_gain();
	test_literals();
	test_random();
	test_degenerate();
	return done_testing();
}
