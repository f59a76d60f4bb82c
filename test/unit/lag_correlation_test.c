/*
 * Cross-correlation by lag, effective sizes and prewhitening: golden values,
 * definitions written the slow way, series made to break them.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "series_data.h"

#include <float.h>

#include "stats/autoregression.h"
#include "stats/correlation.h"
#include "stats/distributions.h"
#include "stats/lag_correlation.h"

#define MAX_LAG 20
#define ROWS	(2 * MAX_LAG + 1)

/* how much the p of a rounded r may be off: one unit in its last place moves p that much */
static double
p_slack(double r, double n)
{
	return 1e-11 + n * 4 * DBL_EPSILON / fmax(1 - r * r, DBL_EPSILON);
}

static double
excess(double got, double want, double slack)
{
	return off_p(got, want) > slack ? off_p(got, want) : 0;
}

static void
test_golden_ccf(void)
{
	static Pair pair;
	AmCcfRow	rows[ROWS];
	Golden		golden;
	double		worst = 0,
				worst_n = 0,
				worst_p = 0;

	if (!golden_open(&golden, "ccf.csv", 12))
		return;
	while (golden_next(&golden))
	{
		int			lag = atoi(golden.field[2]);
		const AmCcfRow *row;
		double		slack;
		int			max_lag;

		read_pair(&pair, golden.field[0], golden.field[1]);
		max_lag = pair.n > MAX_LAG ? MAX_LAG : (int) pair.n - 1;
		am_ccf(pair.x, pair.y, pair.n, max_lag, rows);
		row = &rows[lag + max_lag];
		slack = p_slack(golden_number(&golden, 6), pair.n);
		if (row->lag != lag || row->n != golden_number(&golden, 3))
			worst = INFINITY;
		worst = fmax(worst, off(row->r_n, golden_number(&golden, 4), 1e-13));
		worst = fmax(worst, off(row->r_nk, golden_number(&golden, 5), 1e-13));
		worst = fmax(worst, off(row->r, golden_number(&golden, 6), 1e-13));
		worst_n = fmax(worst_n, off(row->n_eff, golden_number(&golden, 8), 0));
		worst_n = fmax(worst_n, off(row->n_eff_ar1, golden_number(&golden, 10), 0));
		worst_p = fmax(worst_p, excess(row->p, golden_number(&golden, 7), slack));
		worst_p = fmax(worst_p, excess(row->p_eff, golden_number(&golden, 9), slack));
		worst_p = fmax(worst_p, excess(row->p_eff_ar1, golden_number(&golden, 11), slack));
	}
	ok(golden.rows == 374 && worst < 1e-11, "golden: correlations of %d lags, worst relative error %.1e", golden.rows, worst);
	ok(worst_n < 1e-11, "golden: effective sizes, worst relative error %.1e", worst_n);
	ok(worst_p == 0, "golden: three p of each lag, as far as r in double tells, worst beyond %.1e", worst_p);
}

static void
test_golden_effective(void)
{
	static Pair pair;
	AmEffectiveN got;
	Golden		golden;
	double		worst = 0;

	if (!golden_open(&golden, "neff.csv", 11))
		return;
	while (golden_next(&golden))
	{
		read_pair(&pair, golden.field[0], golden.field[1]);
		am_effective_n(pair.x, pair.y, pair.n, &got);
		worst = fmax(worst, off(got.max_lag, golden_number(&golden, 3), 0));
		worst = fmax(worst, off(got.r1_x, golden_number(&golden, 4), 1e-13));
		worst = fmax(worst, off(got.r1_y, golden_number(&golden, 5), 1e-13));
		worst = fmax(worst, off(got.inflation, golden_number(&golden, 6), 0));
		worst = fmax(worst, off(got.raw, golden_number(&golden, 7), 0));
		worst = fmax(worst, off(got.clamped, golden_number(&golden, 8), 0));
		worst = fmax(worst, off(got.ar1_raw, golden_number(&golden, 9), 0));
		worst = fmax(worst, off(got.ar1_clamped, golden_number(&golden, 10), 0));
	}
	ok(golden.rows == 15 && worst < 1e-10, "golden: effective sizes of %d pairs, worst relative error %.1e", golden.rows, worst);
}

static void
test_golden_prewhitened(void)
{
	static Pair pair;
	AmPrewhitened summary;
	AmPrewhitenedRow rows[ROWS];
	int			max_lag = 0;
	Golden		golden;
	double		worst = 0,
				worst_p = 0;

	if (!golden_open(&golden, "prewhitened_ccf.csv", 8))
		return;
	while (golden_next(&golden))
	{
		int			lag = atoi(golden.field[4]);
		const AmPrewhitenedRow *row;

		if (read_pair(&pair, golden.field[0], golden.field[1]))
		{
			max_lag = pair.n > MAX_LAG ? MAX_LAG : (int) pair.n - 1;
			am_prewhitened_ccf(pair.x, pair.y, pair.n, max_lag, &summary, rows);
		}
		row = &rows[lag + max_lag];
		if (summary.order != golden_number(&golden, 2) || summary.n_used != golden_number(&golden, 3))
			worst = INFINITY;
		worst = fmax(worst, off(row->r, golden_number(&golden, 5), 1e-13));
		worst = fmax(worst, off(summary.band95, golden_number(&golden, 6), 0));
		worst_p = fmax(worst_p, off_p(row->p, golden_number(&golden, 7)));
	}
	ok(golden.rows == 346 && worst < 1e-9, "golden: prewhitened correlations of %d lags, worst relative error %.1e", golden.rows, worst);
	ok(worst_p < 1e-9, "golden: their p, worst relative error %.1e", worst_p);
}

/* Box & Jenkins' sales with a leading indicator: sales follow it after 3 periods, not before */
static void
test_worked_example(void)
{
	static Pair pair;
	AmPrewhitened summary;
	AmPrewhitenedRow rows[25];
	AmCcfRow	raw[25];
	bool		silent = true;
	bool		decays = true;
	int			top = 0;

	if (!shared_file("golden/data/pairs.csv"))
	{
		skip("sales with a leading indicator", "no golden files");
		return;
	}
	read_pair(&pair, "bjsales", "level");
	am_ccf(pair.x, pair.y, pair.n, 12, raw);
	for (int i = 0; i < 25; i++)
		if (raw[i].r_n > raw[top].r_n)
			top = i;
	ok(raw[top].lag == 0 && raw[top].p < 1e-70 && raw[top].p_eff > 1e-3, "levels point to lag 0, with a p that means nothing");
	read_pair(&pair, "bjsales", "diff1");
	am_prewhitened_ccf(pair.x, pair.y, pair.n, 12, &summary, rows);
	for (int i = 0; i < 25; i++)
	{
		if (rows[i].lag < 3 && rows[i].p_holm < 0.05)
			silent = false;
		if (rows[i].lag > 3 && rows[i].lag < 8 && rows[i].r >= rows[i - 1].r)
			decays = false;
	}
	ok(silent && decays && rows[15].lag == 3 && rows[15].r > 0.6 && rows[15].p_holm < 1e-15,
	   "differenced and prewhitened: nothing before lag 3, r(3) = %.2f, then decay", rows[15].r);
}

static void
test_literals(void)
{
	AmCcfRow	rows[7];
	AmPrewhitened summary;
	AmPrewhitenedRow white[7];
	double		wide;

	am_ccf(gnp, employed, N_LONGLEY, 3, rows);
	ok(rows[4].lag == 1 && rows[4].n == 15 && close_to(rows[4].r_n, 0.7834782700219356, 1e-13, 0) &&
	   close_to(rows[4].r_nk, 0.8357101546900646, 1e-13, 0) && close_to(rows[4].r, 0.96023015551590618, 1e-13, 0) &&
	   close_to(rows[4].p, 1.4090509393848464e-08, 1e-11, 0) && close_to(rows[4].n_eff, 4.7805543118376903, 1e-12, 0) &&
	   close_to(rows[4].p_eff, 0.012915275920333853, 1e-11, 0) && close_to(rows[4].n_eff_ar1, 3.5140522033873927, 1e-12, 0) &&
	   close_to(rows[4].p_eff_ar1, 0.081767391509437654, 1e-11, 0), "golden values: product leads employment by 1");
	ok(rows[2].lag == -1 && close_to(rows[2].r_n, 0.78678470362991093, 1e-13, 0) && close_to(rows[2].r, 0.95300728244020694, 1e-13, 0),
	   "golden values: it follows by 1");
	wide = 1.959963984540054 / sqrt(rows[4].n_eff - 3);
	ok(close_to(rows[4].low, tanh(atanh(rows[4].r) - wide), 1e-14, 0) && close_to(rows[4].high, tanh(atanh(rows[4].r) + wide), 1e-14, 0),
	   "the interval is Fisher's with n_eff");
	ok(am_prewhitened_ccf(gnp, employed, N_LONGLEY, 3, &summary, white) && summary.order == 1 && summary.n_used == 15 &&
	   close_to(summary.band95, 0.50606052475266405, 1e-14, 0) && close_to(white[3].r, 0.8435449345323428, 1e-12, 0) &&
	   close_to(white[3].p, 7.7567838430711439e-05, 1e-10, 0) && close_to(white[4].r, 0.23097701687927993, 1e-11, 0) &&
	   white[4].n == 14, "golden values: prewhitened");
	ok(close_to(white[3].p_holm, 7 * white[3].p, 1e-14, 0), "of seven lags the smallest p counts seven times");
}

static void
test_random(void)
{
	static double x[400],
				y[400],
				tx[400],
				ty[400];
	static AmCcfRow rows[41],
				mirror[41];
	double		worst = 0,
				worst_n = 0;
	bool		mirrored = true;
	bool		invariant = true;

	for (int n = 3; n <= 400; n += 1 + n / 3)
	{
		int			max_lag = n > 20 ? 20 : n - 1;
		long double v = 1;
		double		acf_x[100],
					acf_y[100];

		for (int t = 0; t < n; t++)
		{
			x[t] = draw() + (t > 0 ? 0.7 * x[t - 1] : 0);
			y[t] = draw() + (t > 1 ? 0.5 * x[t - 2] + 0.5 * y[t - 1] : 0);
		}
		am_ccf(x, y, n, max_lag, rows);
		am_acf(x, n, n / 5, acf_x);
		am_acf(y, n, n / 5, acf_y);
		for (int j = 1; j <= n / 5; j++)
			v += 2 * (1 - (long double) j / n) * acf_x[j] * acf_y[j];
		for (int i = 0; i <= 2 * max_lag; i++)
		{
			int			lag = i - max_lag;
			int			pairs = n - abs(lag);
			double		n_eff = v > 0 ? (double) (pairs / v) : pairs;

			n_eff = n_eff > pairs ? pairs : n_eff < 2 ? 2 : n_eff;
			worst = fmax(worst, fabs(rows[i].r_n - am_cross_correlation(x, y, n, lag)));
			if (pairs > 1)
			{
				worst = fmax(worst, fabs(rows[i].r - am_pearson(x + (lag < 0 ? -lag : 0), y + (lag > 0 ? lag : 0), pairs)));
				worst_n = fmax(worst_n, fabs(rows[i].n_eff / n_eff - 1));
			}
		}
		am_ccf(y, x, n, max_lag, mirror);
		for (int i = 0; i <= 2 * max_lag; i++)
			mirrored = mirrored && rows[i].lag == -mirror[2 * max_lag - i].lag &&
				close_to(rows[i].r_n, mirror[2 * max_lag - i].r_n, 0, 0) && close_to(rows[i].r, mirror[2 * max_lag - i].r, 0, 0) &&
				close_to(rows[i].p_eff, mirror[2 * max_lag - i].p_eff, 1e-12, 0);
		for (int t = 0; t < n; t++)
		{
			tx[t] = ldexp(x[t], 900);
			ty[t] = ldexp(y[t], -900);
		}
		am_ccf(tx, ty, n, max_lag, mirror);
		for (int i = 0; i <= 2 * max_lag; i++)
			invariant = invariant && close_to(rows[i].r_n, mirror[i].r_n, 0, 0) && close_to(rows[i].r, mirror[i].r, 0, 0) &&
				close_to(rows[i].n_eff, mirror[i].n_eff, 0, 0);
	}
	ok(worst < 1e-14 && worst_n < 1e-12, "random series: as the definitions, worst %.1e, effective sizes %.1e", worst, worst_n);
	ok(mirrored, "lag k of (x, y) is lag -k of (y, x)");
	ok(invariant, "times 2^900 and 2^-900: the same to the bit");
}

/* filters by hand, then takes the lags */
static void
test_prewhitening(void)
{
	static double x[300],
				y[300],
				u[300],
				v[300];
	AmPrewhitened summary;
	AmPrewhitenedRow rows[21];
	AmAutoregression ar;
	double		worst = 0;
	int			top = 0;

	for (int t = 0; t < 300; t++)
	{
		x[t] = draw() + (t > 0 ? 0.8 * x[t - 1] : 0);
		y[t] = draw() + (t >= 4 ? 0.8 * x[t - 4] : 0);
	}
	am_prewhitened_ccf(x, y, 300, 10, &summary, rows);
	am_autoregression(&ar, x, 300, am_ar_default_order(300), AM_AR_YULE_WALKER);
	am_ar_filter(ar.phi, ar.order, x, 300, u);
	am_ar_filter(ar.phi, ar.order, y, 300, v);
	for (int i = 0; i < 21; i++)
	{
		double		r = am_cross_correlation(u, v, 300 - ar.order, i - 10);

		worst = fmax(worst, fabs(rows[i].r - r));
		worst = fmax(worst, fabs(rows[i].p - am_correlation_p(r, 300 - ar.order - abs(i - 10) - 2)));
		if (fabs(rows[i].r) > fabs(rows[top].r))
			top = i;
	}
	ok(worst < 1e-13 && summary.order == ar.order, "the lags of the filtered series, worst %.1e", worst);
	ok(rows[top].lag == 4 && rows[top].p_holm < 1e-6 && rows[top].low > 0 && rows[top].high < 1, "a lead of 4 is found at 4");
	am_autoregression_free(&ar);
}

static void
test_degenerate(void)
{
	static const double constant[] = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1};
	static const double x[] = {1, 2, 4, 9, 3, 5, 8, 2};
	static const double step[] = {1, 1, 1, 1, 1, 1, 1, 5};
	static const double bad[] = {1, 2, NAN, 4, 5, 6, 7, 9};
	double		line[30],
				half[30];
	AmCcfRow	rows[15];
	AmPrewhitened summary;
	AmPrewhitenedRow white[15];
	AmEffectiveN effective;

	am_ccf(constant, x, 8, 7, rows);
	ok(isnan(rows[7].r_n) && isnan(rows[7].r) && isnan(rows[7].p) && isnan(rows[7].n_eff) && isnan(rows[7].p_eff) && rows[7].n == 8 &&
	   rows[0].lag == -7 && rows[0].n == 1, "a constant has no correlation");
	am_ccf(x, bad, 8, 2, rows);
	ok(isnan(rows[2].r_n) && isnan(rows[2].r), "nor NaN");
	am_ccf(step, x, 8, 7, rows);
	ok(isnan(rows[8].r) && isnan(rows[8].p) && !isnan(rows[8].r_n), "pairs of which one is constant have no Pearson's r, and yet an r_n");
	am_ccf(x, x, 8, 7, rows);
	ok(rows[7].r == 1 && rows[7].r_n == 1 && rows[7].p == 0 && isnan(rows[7].low) && isnan(rows[14].r) && !isnan(rows[14].r_n) &&
	   isnan(rows[13].p) && fabs(rows[13].r) == 1, "with itself: 1, p 0, no interval; one and two pairs have no p");
	am_ccf(x, x, 1, 0, rows);
	ok(isnan(rows[0].r_n) && rows[0].n == 1, "one value");
	am_effective_n(constant, x, 8, &effective);
	ok(isnan(effective.raw) && isnan(effective.clamped) && effective.max_lag == 1, "no effective size of a constant");
	ok(!am_prewhitened_ccf(constant, x, 8, 7, &summary, white) && isnan(white[7].r) && isnan(white[7].p) && isnan(summary.band95),
	   "a constant x cannot be prewhitened by");
	ok(am_prewhitened_ccf(x, constant, 8, 7, &summary, white) && isnan(white[7].r) && !isnan(summary.band95), "a constant y has no correlation");
	ok(!am_prewhitened_ccf(x, bad, 8, 2, &summary, white) && isnan(white[2].r), "nor has NaN");
	for (int t = 0; t < 30; t++)
	{
		line[t] = 0.1 * t;
		half[t] = 7 - 0.05 * t;
	}
	ok(am_prewhitened_ccf(line, half, 30, 7, &summary, white) && white[7].r == -1 && white[7].p == 0, "lines");
	ok(am_prewhitened_ccf(x, x, 1, 0, &summary, white) == false, "one value");
}

int
main(void)
{
	test_golden_ccf();
	test_golden_effective();
	test_golden_prewhitened();
	test_worked_example();
	test_literals();
	test_random();
	test_prewhitening();
	test_degenerate();
	return done_testing();
}
