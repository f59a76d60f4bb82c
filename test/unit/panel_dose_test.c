/*
 * How much of x for one more y: made-up panels with a known answer, the
 * regression put together by hand, coverage of the interval, and bad panels.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <stdint.h>

#include "tap.h"

#include "lead_lag/panel_dose.h"
#include "stats/distributions.h"
#include "stats/two_way_poisson.h"

#define MOST	8192

static uint64_t seed = 77;

static double
uniform(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return ((double) (seed >> 11) + 0.5) / 9007199254740992.0;
}

static double
normal(void)
{
	return am_norm_quantile(uniform());
}

static int
poisson(double mean)
{
	double		left = exp(-mean);
	double		product = uniform();
	int			n = 0;

	while (product > left)
	{
		product *= uniform();
		n++;
	}
	return n;
}

typedef struct Build
{
	AmPanel		panel;
	int32_t		unit[MOST];
	int64_t		period[MOST];
	double		x[MOST];
	double		y[MOST];
} Build;

static Build build;

/* reps of different size, a season, activity about 12 a week; y grows with (x + 0.5)^b, lag weeks before */
static void
draw(int units, int periods, double b, int lag, double mean)
{
	double		season[256];
	size_t		n = 0;

	memset(&build.panel, 0, sizeof(build.panel));
	for (int t = 0; t < periods; t++)
		season[t] = 0.2 * normal();
	for (int u = 0; u < units; u++)
	{
		double		level = 0.4 * normal();
		double		drift = 0;

		for (int t = 0; t < periods; t++, n++)
		{
			drift = 0.5 * drift + 0.35 * normal();
			build.unit[n] = u;
			build.period[n] = 2800 + t;
			build.x[n] = poisson(12 * exp(0.5 * level + season[t] + drift));
			build.y[n] = poisson(mean * exp(level + season[t] + (t >= lag ? b * log((build.x[n - (size_t) lag] + 0.5) / 12.5) : 0)));
		}
	}
	build.panel.n = n;
	build.panel.n_units = units;
	build.panel.unit = build.unit;
	build.panel.period = build.period;
	build.panel.x = build.x;
	build.panel.y = build.y;
}

static bool
near(double got, double want)
{
	return close_to(got, want, 1e-10, 1e-13);
}

/* the regression from its parts: rows with all lags, ln(x + 0.5) one by one, the larger error, t */
static void
test_by_hand(void)
{
	static int32_t unit[MOST];
	static size_t slot[MOST];
	static double y[MOST],
				z[4][MOST];
	const double *columns[4] = {z[0], z[1], z[2], z[3]};
	double		ones[4] = {1, 1, 1, 1},
				b,
				dispersed,
				clustered,
				error,
				reach,
				mean_x = 0,
				mean_y = 0,
				scale;
	AmTwoWay	rows = {0, unit, slot, 8, 40};
	AmTwoWayPoisson fit;
	AmPanelDose dose;

	draw(8, 40, 0.6, 3, 1);
	for (size_t i = 0; i < build.panel.n; i++)
	{
		if (build.period[i] < 2805)
			continue;
		unit[rows.n] = build.unit[i];
		slot[rows.n] = (size_t) (build.period[i] - 2800);
		y[rows.n] = build.y[i];
		for (int j = 0; j < 4; j++)
			z[j][rows.n] = log(build.x[i - 2 - (size_t) j] + 0.5);
		mean_x += build.x[i - 3] / 2 + build.x[i - 4] / 2;
		mean_y += build.y[i];
		rows.n++;
	}
	mean_x /= rows.n;
	mean_y /= rows.n;
	ok(am_two_way_poisson(&fit, &rows, y, columns, 4), "the regression by hand");
	am_two_way_combination(&fit, ones, &b, &dispersed, &clustered);
	error = fmax(dispersed, clustered);
	reach = am_t_quantile(0.975, 7) * error;
	scale = mean_x / (mean_x + 0.5);
	am_panel_dose(&build.panel, 3, 4, true, &dose);
	ok(!dose.searched && dose.has_lag && dose.reason == AM_DOSE_DEFINED, "lags 3 to 4 as given");
	ok(near(dose.usual_x, mean_x) && near(dose.usual_y, mean_y), "usual levels");
	ok(near(dose.elasticity.value, b * scale) && near(dose.elasticity.low, (b - reach) * scale) && near(dose.elasticity.high, (b + reach) * scale),
	   "elasticity %.3f (%.3f to %.3f)", dose.elasticity.value, dose.elasticity.low, dose.elasticity.high);
	ok(close_to(dose.p, am_t_two_sided(b / error, 7), 1e-8, 0) && dose.clustered == (clustered > dispersed), "p");
	ok(near(dose.marginal.value, mean_x / (dose.elasticity.value * mean_y)), "x for one more y");
	ok(near(dose.marginal.low, mean_x / (dose.elasticity.high * mean_y)) && (dose.elasticity.low > 0) == !isnan(dose.marginal.high), "its interval");
	am_two_way_poisson_free(&fit);
}

/* the lag by itself, and the truth within the interval as often as it says */
static void
test_coverage(void)
{
	static const struct
	{
		int			units;
		int			periods;
		int			rounds;
		double		mean;
	}			sizes[] = {{10, 26, 300, 2}, {20, 52, 300, 1}, {20, 52, 300, 0.3}, {50, 104, 30, 1}};

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
	{
		int			covered = 0,
					called = 0,
					covered_when_called = 0;
		double		mean = 0,
					half = 0;

		for (int round = 0; round < sizes[s].rounds; round++)
		{
			AmPanelDose dose;
			double		truth;

			draw(sizes[s].units, sizes[s].periods, 0.6, 3, sizes[s].mean);
			am_panel_dose(&build.panel, 3, 3, true, &dose);
			truth = 0.6 * dose.usual_x / (dose.usual_x + 0.5);
			covered += dose.elasticity.low <= truth && truth <= dose.elasticity.high;
			mean += dose.elasticity.value - truth;
			half += (dose.elasticity.high - dose.elasticity.low) / 2;
			am_panel_dose(&build.panel, -1, -1, true, &dose);
			if (dose.verdict != AM_LL_LEADING)
				continue;
			called++;
			covered_when_called += dose.elasticity.low <= truth && truth <= dose.elasticity.high;
		}
		printf("# %d x %d, mean %.1f: bias %+.3f, half-width %.2f, covered %.3f; called leading %.2f, covered then %.3f\n",
			   sizes[s].units, sizes[s].periods, sizes[s].mean, mean / sizes[s].rounds, half / sizes[s].rounds,
			   (double) covered / sizes[s].rounds, (double) called / sizes[s].rounds, (double) covered_when_called / called);
		/* two-sided at 4 standard errors of a share of 0.95, or more than that */
		ok((double) covered / sizes[s].rounds > 0.95 - 4 * sqrt(0.95 * 0.05 / sizes[s].rounds), "the interval of %d x %d covers the truth", sizes[s].units, sizes[s].periods);
		ok(fabs(mean / sizes[s].rounds) < 0.05, "without bias");
	}
}

static void
test_shapes(void)
{
	AmPanelDose dose;

	draw(20, 100, 0.6, 2, 2);
	am_panel_dose(&build.panel, -1, -1, true, &dose);
	ok(dose.searched && dose.verdict == AM_LL_LEADING && dose.lag_from == 2 && dose.lag_to == 2, "the lag of lead_lag");
	ok(dose.below.low < 0.6 && dose.below.high > 0.5 && dose.above.low < 0.6 && dose.above.high > 0.5 && dose.p_bend > 0.01, "two slopes alike");

	/* nothing comes of more than usual */
	draw(20, 100, 0, 2, 2);
	for (size_t i = 2; i < build.panel.n; i++)
		if (build.unit[i - 2] == build.unit[i])
			build.y[i] = poisson(fmin(build.x[i - 2], 10) / 5);
	am_panel_dose(&build.panel, 2, 2, true, &dose);
	ok(dose.p_bend < 0.01 && dose.below.value > dose.above.value + 0.3, "two slopes where it saturates: %.2f and %.2f", dose.below.value, dose.above.value);
	ok(dose.best_curve == AM_CURVE_SATURATING, "and the curve");
	ok(near(dose.curve[AM_CURVE_LINEAR].aic, dose.curve[AM_CURVE_LINEAR].aic) && dose.curve[AM_CURVE_SATURATING].aic < dose.curve[AM_CURVE_LINEAR].aic, "by AIC");
}

/* an order of units, names of periods and gaps that are zeros make no difference */
static void
test_invariance(void)
{
	AmPanelDose dose,
				other;
	size_t		n;

	draw(6, 30, 0.6, 1, 0.7);
	am_panel_dose(&build.panel, 1, 1, true, &dose);
	for (size_t i = 0; i < build.panel.n; i++)
		build.period[i] -= 1000000;
	am_panel_dose(&build.panel, 1, 1, true, &other);
	ok(near(other.elasticity.value, dose.elasticity.value) && near(other.p, dose.p), "names of periods");
	/* rows that are 0 in both and lie inside a unit may as well be missing */
	build.x[7] = build.y[7] = build.x[40] = build.y[40] = 0;
	am_panel_dose(&build.panel, 1, 1, true, &dose);
	n = 0;
	for (size_t i = 0; i < build.panel.n; i++)
		if (i != 7 && i != 40)
		{
			build.unit[n] = build.unit[i];
			build.period[n] = build.period[i];
			build.x[n] = build.x[i];
			build.y[n++] = build.y[i];
		}
	build.panel.n = n;
	am_panel_dose(&build.panel, 1, 1, true, &other);
	ok(near(other.elasticity.value, dose.elasticity.value) && other.n == dose.n, "missing rows are zeros");
	am_panel_dose(&build.panel, 1, 1, false, &other);
	ok(other.n < dose.n && other.reason == AM_DOSE_DEFINED, "or gaps, where they are not to be filled");
	for (size_t i = 0; i < n; i++)
	{
		build.x[i] *= 1e306;
		build.y[i] *= 1e-300;
	}
	am_panel_dose(&build.panel, 1, 1, true, &other);
	ok(isfinite(other.elasticity.value), "the largest numbers");
}

static void
test_bad(void)
{
	AmPanelDose dose;

	draw(1, 60, 0.6, 1, 2);
	am_panel_dose(&build.panel, 1, 1, true, &dose);
	ok(dose.reason == AM_DOSE_ONE_UNIT && isnan(dose.elasticity.value) && dose.average.value > 0, "one unit has an average");
	draw(9, 1, 0.6, 0, 2);
	am_panel_dose(&build.panel, 0, 0, true, &dose);
	ok(dose.reason == AM_DOSE_TOO_FEW && isnan(dose.marginal.value), "one period");
	am_panel_dose(&build.panel, -1, -1, true, &dose);
	ok(dose.reason == AM_DOSE_NO_LAG && !dose.has_lag && dose.verdict == AM_LL_INSUFFICIENT, "and no lag");
	draw(9, 30, 0.6, 0, 2);
	for (size_t i = 0; i < build.panel.n; i++)
		build.x[i] = 5;
	am_panel_dose(&build.panel, 1, 2, true, &dose);
	ok(dose.reason == AM_DOSE_NO_VARIATION && isnan(dose.elasticity.low), "a constant x");
	for (size_t i = 0; i < build.panel.n; i++)
		build.x[i] = 0;
	am_panel_dose(&build.panel, 1, 2, true, &dose);
	ok(dose.reason == AM_DOSE_NO_VARIATION && dose.average.value == 0, "no x at all");
	draw(9, 30, 0.6, 0, 2);
	for (size_t i = 0; i < build.panel.n; i++)
		build.y[i] = 0;
	am_panel_dose(&build.panel, 1, 2, true, &dose);
	ok(dose.reason == AM_DOSE_TOO_FEW && isnan(dose.average.value) && near(dose.average.low, dose.total_x / 3) && dose.best_curve == -1, "no y at all");
	build.panel.n = 0;
	build.panel.n_units = 0;
	am_panel_dose(&build.panel, 1, 2, true, &dose);
	ok(dose.reason == AM_DOSE_TOO_FEW && isnan(dose.average.low), "no rows");
	am_panel_dose(&build.panel, -1, -1, true, &dose);
	ok(dose.reason == AM_DOSE_NO_LAG, "no rows, no lag");
}

int
main(void)
{
	test_by_hand();
	test_shapes();
	test_invariance();
	test_bad();
	test_coverage();
	return done_testing();
}
