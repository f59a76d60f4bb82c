/*
 * Lead and lag: golden values, a slow twin written from the definitions,
 * planted leads, extremes, verdicts and sentences.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <float.h>
#include <inttypes.h>

#include "golden.h"
#include "tap.h"

#include "common/am_host.h"
#include "lead_lag/lead_lag.h"
#include "lead_lag/panel_granger.h"
#include "stats/distributions.h"

/* R data sets: Grunfeld (plm), 10 firms x 20 years, investment on value; iris sepals by species */
static const double grunfeld_x[] = {
	3078.5, 4661.7, 5387.1, 2792.2, 4313.2, 4643.9, 4551.2, 3244.1, 4053.7, 4379.3,
	4840.9, 4900.9, 3526.5, 3254.7, 3700.2, 3755.6, 4833, 4924.9, 6241.7, 5593.6,
	1362.4, 1807.1, 2676.3, 1801.9, 1957.3, 2202.9, 2380.5, 2168.6, 1985.1, 1813.9,
	1850.2, 2067.7, 1796.7, 1625.8, 1667, 1677.4, 2289.5, 2159.4, 2031.3, 2115.5,
	1170.6, 2015.8, 2803.3, 2039.7, 2256.2, 2132.2, 1834.1, 1588, 1749.4, 1687.2,
	2007.7, 2208.3, 1656.7, 1604.4, 1431.8, 1610.5, 1819.4, 2079.7, 2371.6, 2759.9,
	417.5, 837.8, 883.9, 437.9, 679.7, 727.8, 643.6, 410.9, 588.4, 698.4,
	846.4, 893.8, 579, 694.6, 590.3, 693.5, 809, 727, 1001.5, 703.2,
	157.7, 167.9, 192.9, 156.7, 191.4, 185.5, 199.6, 189.5, 151.2, 187.7,
	214.7, 232.9, 249, 224.5, 237.3, 240.1, 327.3, 359.4, 398.4, 365.7,
	197, 210.3, 223.1, 216.7, 286.4, 298, 276.9, 272.6, 287.4, 330.3,
	324.4, 401.9, 407.4, 409.2, 482.2, 673.8, 676.9, 702, 793.5, 927.3,
	138, 200.1, 210.1, 161.2, 161.7, 145.1, 110.6, 98.1, 108.8, 118.2,
	126.5, 156.7, 119.4, 129.1, 134.8, 140.8, 179, 178.1, 186.8, 192.7,
	191.5, 516, 729, 560.4, 519.9, 628.5, 537.1, 561.2, 617.2, 626.7,
	737.2, 760.5, 581.4, 662.3, 583.8, 635.2, 723.8, 864.1, 1193.5, 1188.9,
	290.6, 291.1, 335, 246, 356.2, 289.8, 268.2, 213.3, 348.2, 374.2,
	387.2, 347.4, 291.9, 297.2, 276.9, 274.6, 339.9, 474.8, 496, 474.5,
	70.91, 87.94, 82.2, 58.72, 80.54, 86.47, 77.68, 62.16, 62.24, 61.82,
	65.85, 69.54, 64.97, 68, 71.24, 69.05, 83.04, 74.42, 63.51, 58.12,
};

static const double grunfeld_y[] = {
	317.6, 391.8, 410.6, 257.7, 330.8, 461.2, 512, 448, 499.6, 547.5,
	561.2, 688.1, 568.9, 529.2, 555.1, 642.9, 755.9, 891.2, 1304.4, 1486.7,
	209.9, 355.3, 469.9, 262.3, 230.4, 361.6, 472.8, 445.6, 361.6, 288.2,
	258.7, 420.3, 420.5, 494.5, 405.1, 418.8, 588.2, 645.5, 641, 459.3,
	33.1, 45, 77.2, 44.6, 48.1, 74.4, 113, 91.9, 61.3, 56.8,
	93.6, 159.9, 147.2, 146.3, 98.3, 93.5, 135.2, 157.3, 179.5, 189.6,
	40.29, 72.76, 66.26, 51.6, 52.41, 69.41, 68.35, 46.8, 47.4, 59.57,
	88.78, 74.12, 62.68, 89.36, 78.98, 100.66, 160.62, 145, 174.93, 172.49,
	39.68, 50.73, 74.24, 53.51, 42.65, 46.48, 61.4, 39.67, 62.24, 52.32,
	63.21, 59.37, 58.02, 70.34, 67.42, 55.74, 80.3, 85.4, 91.9, 81.43,
	20.36, 25.98, 25.94, 27.53, 24.6, 28.54, 43.41, 42.81, 27.84, 32.6,
	39.03, 50.17, 51.85, 64.03, 68.16, 77.34, 95.3, 99.49, 127.52, 135.72,
	24.43, 23.21, 32.78, 32.54, 26.65, 33.71, 43.5, 34.46, 44.28, 70.8,
	44.12, 48.98, 48.51, 50, 50.59, 42.53, 64.77, 72.68, 73.86, 89.51,
	12.93, 25.9, 35.05, 22.89, 18.84, 28.57, 48.51, 43.34, 37.02, 37.81,
	39.27, 53.46, 55.56, 49.56, 32.04, 32.24, 54.38, 71.78, 90.08, 68.6,
	26.63, 23.39, 30.65, 20.89, 28.78, 26.93, 32.08, 32.21, 35.69, 62.47,
	52.32, 56.95, 54.32, 40.53, 32.54, 43.48, 56.49, 65.98, 66.11, 49.34,
	2.54, 2, 2.19, 1.99, 2.03, 1.81, 2.14, 1.86, 0.93, 1.18,
	1.36, 2.24, 3.81, 5.66, 4.21, 3.42, 4.67, 6, 6.53, 5.12,
};

static const double iris_x[] = {
	3.5, 3, 3.2, 3.1, 3.6, 3.9, 3.4, 3.4, 2.9, 3.1,
	3.7, 3.4, 3, 3, 4, 4.4, 3.9, 3.5, 3.8, 3.8,
	3.4, 3.7, 3.6, 3.3, 3.4, 3, 3.4, 3.5, 3.4, 3.2,
	3.1, 3.4, 4.1, 4.2, 3.1, 3.2, 3.5, 3.6, 3, 3.4,
	3.5, 2.3, 3.2, 3.5, 3.8, 3, 3.8, 3.2, 3.7, 3.3,
	3.2, 3.2, 3.1, 2.3, 2.8, 2.8, 3.3, 2.4, 2.9, 2.7,
	2, 3, 2.2, 2.9, 2.9, 3.1, 3, 2.7, 2.2, 2.5,
	3.2, 2.8, 2.5, 2.8, 2.9, 3, 2.8, 3, 2.9, 2.6,
	2.4, 2.4, 2.7, 2.7, 3, 3.4, 3.1, 2.3, 3, 2.5,
	2.6, 3, 2.6, 2.3, 2.7, 3, 2.9, 2.9, 2.5, 2.8,
	3.3, 2.7, 3, 2.9, 3, 3, 2.5, 2.9, 2.5, 3.6,
	3.2, 2.7, 3, 2.5, 2.8, 3.2, 3, 3.8, 2.6, 2.2,
	3.2, 2.8, 2.8, 2.7, 3.3, 3.2, 2.8, 3, 2.8, 3,
	2.8, 3.8, 2.8, 2.8, 2.6, 3, 3.4, 3.1, 3, 3.1,
	3.1, 3.1, 2.7, 3.2, 3.3, 3, 2.5, 3, 3.4, 3,
};

static const double iris_y[] = {
	5.1, 4.9, 4.7, 4.6, 5, 5.4, 4.6, 5, 4.4, 4.9,
	5.4, 4.8, 4.8, 4.3, 5.8, 5.7, 5.4, 5.1, 5.7, 5.1,
	5.4, 5.1, 4.6, 5.1, 4.8, 5, 5, 5.2, 5.2, 4.7,
	4.8, 5.4, 5.2, 5.5, 4.9, 5, 5.5, 4.9, 4.4, 5.1,
	5, 4.5, 4.4, 5, 5.1, 4.8, 5.1, 4.6, 5.3, 5,
	7, 6.4, 6.9, 5.5, 6.5, 5.7, 6.3, 4.9, 6.6, 5.2,
	5, 5.9, 6, 6.1, 5.6, 6.7, 5.6, 5.8, 6.2, 5.6,
	5.9, 6.1, 6.3, 6.1, 6.4, 6.6, 6.8, 6.7, 6, 5.7,
	5.5, 5.5, 5.8, 6, 5.4, 6, 6.7, 6.3, 5.6, 5.5,
	5.5, 6.1, 5.8, 5, 5.6, 5.7, 5.7, 6.2, 5.1, 5.7,
	6.3, 5.8, 7.1, 6.3, 6.5, 7.6, 4.9, 7.3, 6.7, 7.2,
	6.5, 6.4, 6.8, 5.7, 5.8, 6.4, 6.5, 7.7, 7.7, 6,
	6.9, 5.6, 7.7, 6.3, 6.7, 7.2, 6.2, 6.1, 6.4, 7.2,
	7.4, 7.9, 6.4, 6.3, 6.1, 7.7, 6.3, 6.4, 6, 6.9,
	6.7, 6.9, 5.8, 6.8, 6.7, 6.7, 6.3, 6.5, 6.2, 5.9,
};

/* period means removed, lag, r_mean, sd_z, t, p_two, units_positive */
static const double prewhitened_golden[][7] = {
	{0, -4, 0.091778462338266392, 0.11933285388628706, 2.438959674313014, 0.037428451303707894, 7},
	{0, -3, 0.042861302365694604, 0.14633910901699509, 0.92676818146495876, 0.37822943637059475, 8},
	{0, -2, 0.21160069149238908, 0.23879309190324377, 2.8451585659657277, 0.019240543162905088, 8},
	{0, -1, 0.18815664104312921, 0.30785959472461921, 1.9560156784724638, 0.082168841898571959, 6},
	{0, 0, 0.43905441666271283, 0.28535474165752628, 5.2202347976066923, 0.00054902607321579615, 9},
	{0, 1, 0.25735990694756566, 0.21543851897635524, 3.8644957262366701, 0.0038207412622148014, 10},
	{0, 2, 0.019769632251840304, 0.22268933006704991, 0.28077327728555612, 0.7852319792514274, 5},
	{0, 3, -0.135452108387902, 0.26576474089801366, -1.6216824036417512, 0.13932130635682785, 1},
	{0, 4, -0.13899874421522476, 0.26075414724677076, -1.6966814075713179, 0.12398914990553415, 2},
	{1, -4, 0.048251409707031956, 0.15730259526894155, 0.97075916628764747, 0.35703261109820056, 8},
	{1, -3, -0.026573184641961553, 0.22030961634185103, -0.38151569219247816, 0.71167172800242273, 5},
	{1, -2, -0.035374404094274135, 0.27314085905691876, -0.40971674252999335, 0.69159394567985288, 5},
	{1, -1, 0.012712273217266172, 0.29792737435767663, 0.13493860157287282, 0.89563005704036891, 6},
	{1, 0, 0.42264374387257031, 0.3551763742079333, 4.0146000458391455, 0.0030427099339965912, 8},
	{1, 1, 0.16140576081978242, 0.23765872867333757, 2.1666058786040239, 0.058435587683782063, 8},
	{1, 2, -0.050657843507510521, 0.23783398458595667, -0.67413161957246004, 0.51716635324371352, 5},
	{1, 3, -0.16142190926269012, 0.18877289237998679, -2.727961753921226, 0.023302146074683613, 2},
	{1, 4, -0.21501358018426892, 0.16807155593839151, -4.1096257407844883, 0.0026384859528466378, 1},
};

/* lag, n_pairs, r_pooled, r_between, r_within; the last row is iris */
static const double raw_golden[][5] = {
	{0, 200, 0.85693289850848542, 0.92584901260734009, 0.60887126285147886},
	{1, 190, 0.844034293653664, 0.92883910622150856, 0.45222310790087955},
	{2, 180, 0.81012814254362231, 0.93214592963843812, 0.11150810622887988},
	{3, 170, 0.7981994800172767, 0.93506610722732642, -0.017726185048888142},
	{0, 150, -0.11756978413300205, -0.7450745846611414, 0.530235783251922},
};

#define MAX_ROWS	8192
#define MAX_LAG		24

/* a panel under construction */
typedef struct Build
{
	size_t		n;
	int32_t		unit[MAX_ROWS];
	int64_t		period[MAX_ROWS];
	double		x[MAX_ROWS];
	double		y[MAX_ROWS];
} Build;

static Build build;
static AmLeadLagRow rows[2 * MAX_LAG + 1];

static AmPanel
panel_of(const Build *b)
{
	AmPanel		panel = {0};

	panel.n = b->n;
	panel.n_units = b->n ? b->unit[b->n - 1] + 1 : 0;
	panel.unit = b->unit;
	panel.period = b->period;
	panel.x = b->x;
	panel.y = b->y;
	return panel;
}

static void
put(Build *b, int32_t unit, int64_t period, double x, double y)
{
	b->unit[b->n] = unit;
	b->period[b->n] = period;
	b->x[b->n] = x;
	b->y[b->n] = y;
	b->n++;
}

static void
run(const Build *b, int max_lag, bool remove, bool whiten, bool fill, AmLeadLagRow *out)
{
	AmLeadLagOptions options = {.max_lag = max_lag, .remove_period_means = remove, .prewhiten = whiten, .fill_zero = fill};
	AmPanel		panel = panel_of(b);

	am_lead_lag(&panel, &options, out);
}

static AmLeadLagVerdict
verdict_of(const AmLeadLagRow *r, int max_lag, int *lag)
{
	int			decided;
	AmLeadLagVerdict verdict = am_lead_lag_verdict(r, 2 * max_lag + 1, 0.05, &decided);

	*lag = decided < 0 ? 999 : r[decided].lag;
	return verdict;
}

static uint64_t seed = 88172645463325252ULL;

static uint64_t
random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 2685821657736338717ULL;
}

static int
below(int n)
{
	return (int) ((random64() >> 33) % n);
}

static double
uniform(void)
{
	return ((random64() >> 11) + 0.5) / 9007199254740992.0;
}

static double
normal(void)
{
	return sqrt(-2 * log(uniform())) * cos(2 * acos(-1.0) * uniform());
}

static bool
finite_row(const AmLeadLagRow *r)
{
	return !isinf(r->r) && !isinf(r->low) && !isinf(r->high) && !isinf(r->p) && !isinf(r->p_holm) &&
		!isinf(r->r_pooled) && !isinf(r->r_between) && !isinf(r->r_within) && !isinf(r->forecast_gain) &&
		!(fabs(r->r) > 1) && !(fabs(r->r_pooled) > 1) && !(fabs(r->r_within) > 1) && !(r->p > 1) && !(r->p < 0);
}

/* ---- golden values ---- */

static void
test_golden(void)
{
	int			i;
	double		worst = 0,
				worst_p = 0,
				worst_raw = 0;
	bool		good = true;

	build.n = 0;
	for (i = 0; i < 200; i++)
		put(&build, i / 20, 1935 + i % 20, grunfeld_x[i], grunfeld_y[i]);
	for (i = 0; i < 18; i++)
	{
		const double *want = prewhitened_golden[i];
		const AmLeadLagRow *row;
		double		mean_z,
					reach;
		double		share;

		run(&build, 4, want[0] != 0, true, true, rows);
		row = &rows[4 + (int) want[1]];
		worst = fmax(worst, fabs(row->r / want[2] - 1));
		worst_p = fmax(worst_p, fabs(row->p / want[5] - 1));
		good = good && row->lag == (int) want[1] && row->units == 10 && row->n == 10 * (19 - abs(row->lag));
		good = good && close_to(row->r, want[2], 1e-10, 1e-13) && close_to(row->p, want[5], 1e-10, 0);
		share = want[2] > 0 ? want[6] / 10 : 1 - want[6] / 10;
		good = good && close_to(row->sign_share, share, 1e-14, 0);
		mean_z = atanh(want[2]);
		reach = 2.2621571627409915 * want[3] / sqrt(10);
		good = good && close_to(row->low, tanh(mean_z - reach), 1e-9, 1e-12) &&
			close_to(row->high, tanh(mean_z + reach), 1e-9, 1e-12);
	}
	ok(good, "golden panel_prewhitened, with and without period means");
	printf("# largest relative error: r %.1e, p %.1e\n", worst, worst_p);

	good = true;
	for (i = 0; i < 5; i++)
	{
		const double *want = raw_golden[i];
		const AmLeadLagRow *row;
		int			j;

		if (i == 4)
		{
			build.n = 0;
			for (j = 0; j < 150; j++)
				put(&build, j / 50, j % 50, iris_x[j], iris_y[j]);
		}
		run(&build, 3, true, true, false, rows);
		row = &rows[3 + (int) want[0]];
		for (j = 0; j < 3; j++)
		{
			double		got = j == 0 ? row->r_pooled : j == 1 ? row->r_between : row->r_within;

			worst_raw = fmax(worst_raw, fabs(got / want[2 + j] - 1));
			good = good && close_to(got, want[2 + j], 1e-10, 1e-13);
		}
	}
	ok(good, "golden panel: r_pooled, r_between, r_within (grunfeld, iris)");
	printf("# largest relative error: %.1e\n", worst_raw);
}

/* direction, order, wbar, zbar, p_zbar, ztilde, p_ztilde */
static const double granger_golden[][7] = {
	{0, 1, 3.0226286440131029, 4.5227351412515215, 6.1045609445675525e-06, 3.28960012702293, 0.0010032985306459056},
	{1, 1, 1.3739561761428389, 0.83619143046127298, 0.40304721860088094, 0.40442330824996819, 0.68590146316921197},
	{0, 2, 3.8756859419338627, 2.9657198758346692, 0.0030197540102181995, 1.6831969950683037, 0.092336962350335658},
	{1, 2, 2.899034037848855, 1.4214976268102038, 0.15517214300679233, 0.59599881467888938, 0.5511760185670177},
};

static void
test_golden_granger(void)
{
	static const double wald[] = {1.3393907714318332, 1.6939543675062345, 0.05600841220695324, 3.2853471683434567, 11.595821899831845,
	11.734014078020774, 0.23401326762621916, 0.011685137921780751, 0.082555700878842231, 0.19349563636309236};
	AmPanelGranger got;
	AmGrangerUnit units[10];
	AmPanel		panel;
	bool		good = true;
	int			i,
				j;

	for (i = 0; i < 4; i++)
	{
		const double *want = granger_golden[i];

		build.n = 0;
		for (j = 0; j < 200; j++)
			put(&build, j / 20, 1935 + j % 20, want[0] ? grunfeld_y[j] : grunfeld_x[j], want[0] ? grunfeld_x[j] : grunfeld_y[j]);
		panel = panel_of(&build);
		am_panel_granger(&panel, (int) want[1], &got, units);
		good = good && got.units == 10 && close_to(got.wbar, want[2], 1e-8, 1e-13) && close_to(got.zbar, want[3], 1e-8, 1e-13) &&
			close_to(got.p_zbar, want[4], 1e-7, 0) && close_to(got.ztilde, want[5], 1e-8, 1e-13) && close_to(got.p_ztilde, want[6], 1e-7, 0);
		for (j = 0; i == 0 && j < 10; j++)
			good = good && close_to(units[j].wald, wald[j], 1e-8, 1e-13) && close_to(units[j].p, am_chi2_sf(wald[j], 1), 1e-7, 0);
	}
	ok(good, "golden panel_granger, and its units");

	/* 4 + 3 + 1 periods: a Wald, no ztilde; a unit that is constant does not count */
	build.n = 0;
	for (j = 0; j < 24; j++)
		put(&build, j / 8, j % 8, j < 8 ? 1 : grunfeld_x[j], grunfeld_y[j]);
	panel = panel_of(&build);
	am_panel_granger(&panel, 1, &got, units);
	ok(got.units == 2 && isnan(units[0].wald) && isnan(units[0].p) && !isnan(got.zbar) && isnan(got.ztilde) && isnan(got.p_ztilde), "panel_granger: few periods, a constant");
	am_panel_granger(&panel, 7, &got, units);
	ok(got.units == 0 && isnan(got.wbar) && isnan(got.p_zbar), "panel_granger: an order beyond the periods");
}

static bool
load_pair(const char *dataset)
{
	const char *path = shared_file("golden/data/pairs.csv");
	FILE	   *f = path ? fopen(path, "r") : NULL;
	char		line[512];
	size_t		length = strlen(dataset);

	if (!f)
		return false;
	build.n = 0;
	while (fgets(line, sizeof(line), f))
	{
		char	   *rest;
		double		t,
					x;

		if (strncmp(line, dataset, length) != 0 || line[length] != ',')
			continue;
		t = strtod(line + length + 1, &rest);
		x = strtod(rest + 1, &rest);
		put(&build, 0, (int64_t) t, x, strtod(rest + 1, NULL));
	}
	fclose(f);
	return build.n > 0;
}

/* one series, AR(1) or no filter, as far as the golden order agrees */
static void
test_golden_series(const char *dataset, bool whiten)
{
	const char *path;
	FILE	   *f;
	char		line[512];
	char		key[128];
	int			compared = 0;
	bool		good = true;

	if (!load_pair(dataset) || !(path = shared_file("golden/expected/prewhitened_ccf.csv")) || !(f = fopen(path, "r")))
	{
		skip(dataset, "golden files not there");
		return;
	}
	run(&build, 12, true, whiten, true, rows);
	snprintf(key, sizeof(key), "%s,level,%d,%d,", dataset, whiten ? 1 : 0, (int) build.n - (whiten ? 1 : 0));
	while (fgets(line, sizeof(line), f))
	{
		char	   *rest;
		int			lag;
		double		r,
					p;

		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		lag = (int) strtol(line + strlen(key), &rest, 10);
		r = strtod(rest + 1, &rest);
		strtod(rest + 1, &rest);
		p = strtod(rest + 1, &rest);
		good = good && close_to(rows[12 + lag].r, r, 1e-9, 1e-13) && close_to(rows[12 + lag].p, p, 1e-9, 0);
		compared++;
	}
	fclose(f);
	ok(good && compared == 25, "golden prewhitened_ccf: %s as a panel of one unit", dataset);
}

static void
test_golden_gain(void)
{
	static const struct
	{
		const char *dataset;
		double		gain,
					back;
	}			want[] = {
		{"bjsales", 0.44046637255164123, 0.12041686056201857},
		{"lungdeaths_m_f", 0.020507726097369103, -0.015963282143440935},
		{"sunspot_lynx", 0.015907999057448267, 0.018754002255190628},
		{"syn_lead3", -0.0081386502431782439, -0.013132407970488473},
	};
	int			i;

	for (i = 0; i < 4; i++)
	{
		double		forth;
		size_t		j;

		if (!load_pair(want[i].dataset))
		{
			skip(want[i].dataset, "golden files not there");
			continue;
		}
		run(&build, 1, true, true, true, rows);
		forth = rows[2].forecast_gain;
		for (j = 0; j < build.n; j++)
		{
			double		swap = build.x[j];

			build.x[j] = build.y[j];
			build.y[j] = swap;
		}
		run(&build, 1, true, true, true, rows);
		ok(close_to(forth, want[i].gain, 1e-8, 1e-13) && close_to(rows[2].forecast_gain, want[i].back, 1e-8, 1e-13),
		   "golden forecast_gain, order 1, both directions: %s", want[i].dataset);
	}
}

/* relations known from the literature or by construction (golden ground_truth) */
static void
test_ground_truth(void)
{
	static const struct
	{
		const char *dataset;
		int			difference; /* 1, or 12: minus the mean of its month */
		AmLeadLagVerdict verdict;
		int			lag;
	}			want[] = {
		{"bjsales", 1, AM_LL_LEADING, 3},
		{"deg_offset1e9", 1, AM_LL_LEADING, 3},
		{"syn_lead3", 0, AM_LL_LEADING, 3},
		{"lungdeaths_m_f", 12, AM_LL_COINCIDENT, 0},
	};
	int			i;

	for (i = 0; i < 4; i++)
	{
		int			lag = 999;
		size_t		j,
					k;

		if (!load_pair(want[i].dataset))
		{
			skip(want[i].dataset, "golden files not there");
			continue;
		}
		for (j = build.n - 1; want[i].difference == 1 && j > 0; j--)
		{
			build.x[j] -= build.x[j - 1];
			build.y[j] -= build.y[j - 1];
		}
		if (want[i].difference == 1)
		{
			build.x[0] = build.x[1];
			build.y[0] = build.y[1];
		}
		for (k = 0; want[i].difference == 12 && k < 12; k++)
		{
			double		x = 0,
						y = 0;

			for (j = k; j < build.n; j += 12)
			{
				x += build.x[j];
				y += build.y[j];
			}
			for (j = k; j < build.n; j += 12)
			{
				build.x[j] -= x / (build.n / 12);
				build.y[j] -= y / (build.n / 12);
			}
		}
		run(&build, 12, true, true, true, rows);
		ok(verdict_of(rows, 12, &lag) == want[i].verdict && lag == want[i].lag, "ground truth: %s, lag %d", want[i].dataset, want[i].lag);
	}
}

/* the same from the data as they are, at the shipped defaults: what to difference is found by rule */
static void
test_ground_truth_shipped(void)
{
	static const struct
	{
		const char *dataset;
		int			season;
		AmLeadLagVerdict verdict;
		int			lag;
		bool		differenced;
	}			want[] = {
		{"bjsales", 0, AM_LL_LEADING, 3, true},
		{"deg_offset1e9", 0, AM_LL_LEADING, 3, true},
		{"syn_lead3", 0, AM_LL_LEADING, 3, false},
		{"lungdeaths_m_f", 12, AM_LL_COINCIDENT, 0, false},
		{"lungdeaths_m_f", 0, AM_LL_COINCIDENT, 0, false},
	};
	int			i;

	for (i = 0; i < 5; i++)
	{
		AmLeadLagOptions options = am_lead_lag_defaults();
		AmPanel		panel;
		int			lag = 999,
					k;
		bool		before = false;

		if (!load_pair(want[i].dataset))
		{
			skip(want[i].dataset, "golden files not there");
			continue;
		}
		panel = panel_of(&build);
		options.max_lag = am_lead_lag_default_max_lag(&panel);
		options.season = want[i].season;
		am_lead_lag(&panel, &options, rows);
		ok(verdict_of(rows, options.max_lag, &lag) == want[i].verdict && lag == want[i].lag && rows[0].differenced == want[i].differenced,
		   "ground truth from raw data: %s, lag %d (%d)", want[i].dataset, want[i].lag, lag);
		for (k = 0; k < options.max_lag + 3; k++)
			before = before || rows[k].p_holm <= 0.05;
		if (want[i].lag == 3)
			ok(!before, "... and nothing before lag 3");
	}
}

/* prewhitened_ccf, every dataset and transform that has it: order by AIC, r, p, as a panel of one unit */
static void
test_golden_prewhitened(void)
{
	const char *path = shared_file("golden/expected/prewhitened_ccf.csv");
	FILE	   *f = path ? fopen(path, "r") : NULL;
	char		line[1024];
	char		loaded[200] = "";
	int			compared = 0,
				wrong = 0,
				sets = 0,
				max_lag = 0;

	if (!f)
	{
		skip("prewhitened_ccf", "golden files not there");
		return;
	}
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	while (fgets(line, sizeof(line), f))
	{
		char	   *fields[8];
		char		key[200];
		const AmLeadLagRow *row;
		bool		good;

		if (split(line, fields, 8) != 8)
			continue;
		snprintf(key, sizeof(key), "%s %s", fields[0], fields[1]);
		if (strcmp(key, loaded) != 0)
		{
			AmLeadLagOptions options = am_lead_lag_defaults();
			AmPanel		panel;

			strcpy(loaded, key);
			if (!load_pair(fields[0]))
				continue;
			options.difference = AM_DIFFERENCE_NO;
			if (strcmp(fields[1], "diff1") == 0)
				options.difference = AM_DIFFERENCE_YES;
			else if (strncmp(fields[1], "season", 6) == 0)
				options.season = atoi(fields[1] + 6);
			else if (strcmp(fields[1], "level") != 0)
			{
				max_lag = -1;
				continue;
			}
			max_lag = options.max_lag = 24;
			panel = panel_of(&build);
			am_lead_lag(&panel, &options, rows);
			sets++;
		}
		if (max_lag < 0 || abs(atoi(fields[4])) > max_lag)
			continue;
		row = &rows[max_lag + atoi(fields[4])];
		/* an r of two pairs says nothing, and lead_lag does not say it */
		if (atoi(fields[3]) - abs(atoi(fields[4])) < 3)
			continue;
		good = row->order == atoi(fields[2]) && close_to(row->r, number(fields[5]), 1e-8, 1e-12) && close_to(row->p, number(fields[7]), 1e-7, 0);
		compared++;
		wrong += !good;
		if (!good && wrong < 5)
			printf("# %s lag %s: order %d, %s wanted; r %.17g, %s wanted; p %.17g, %s wanted\n", key, fields[4], row->order, fields[2], row->r, fields[5], row->p, fields[7]);
	}
	fclose(f);
	ok(wrong == 0 && compared > 100, "golden prewhitened_ccf: %d lags of %d series", compared, sets);
}

/* ---- the twin: a grid of units and periods in long double, loops straight from the definitions ---- */

#define G_UNITS		8
#define G_PERIODS	40

typedef long double Real;

typedef struct Twin
{
	bool		there;
	Real		raw[2];
	Real		moved[2];
	bool		filtered;
	Real		white[2];
} Twin;

static Twin grid[G_UNITS][G_PERIODS];

static Real
twin_r(const Real *x, const Real *y, int n)
{
	Real		mx = 0,
				my = 0,
				xx = 0,
				xy = 0,
				yy = 0,
				big = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		mx += x[i] / n;
		my += y[i] / n;
	}
	for (i = 0; i < n; i++)
	{
		xx += (x[i] - mx) * (x[i] - mx);
		xy += (x[i] - mx) * (y[i] - my);
		yy += (y[i] - my) * (y[i] - my);
		big = fmaxl(big, fmaxl(fabsl(x[i]), fabsl(y[i])));
	}
	if (n < 2 || sqrtl(xx) <= 1e-15L * big || sqrtl(yy) <= 1e-15L * big)
		return NAN;
	return xy / sqrtl(xx * yy);
}

/* least squares by Gram-Schmidt; false if a column is spanned by those before it */
static bool
twin_ols(int n, int k, Real design[][3], const Real *y, const Real *scale, Real *beta)
{
	Real		q[3][G_PERIODS],
				rest[G_PERIODS],
				R[3][3];
	int			i,
				j,
				l;

	for (i = 0; i < n; i++)
		rest[i] = y[i];
	for (j = 0; j < k; j++)
	{
		Real		before = 0,
					after = 0;

		for (i = 0; i < n; i++)
		{
			q[j][i] = design[i][j];
			before += q[j][i] * q[j][i];
		}
		for (l = 0; l < j; l++)
		{
			R[l][j] = 0;
			for (i = 0; i < n; i++)
				R[l][j] += q[l][i] * q[j][i];
			for (i = 0; i < n; i++)
				q[j][i] -= R[l][j] * q[l][i];
		}
		for (i = 0; i < n; i++)
			after += q[j][i] * q[j][i];
		if (after <= 1e-12L * (before + scale[j] * scale[j]))
			return false;
		R[j][j] = sqrtl(after);
		beta[j] = 0;
		for (i = 0; i < n; i++)
		{
			q[j][i] /= R[j][j];
			beta[j] += q[j][i] * rest[i];
		}
		for (i = 0; i < n; i++)
			rest[i] -= beta[j] * q[j][i];
	}
	for (j = k - 1; j >= 0; j--)
	{
		for (l = j + 1; l < k; l++)
			beta[j] -= R[j][l] * beta[l];
		beta[j] /= R[j][j];
	}
	return true;
}

static void
twin_gain(int u, int lag, Real *own_sum, Real *with_sum, Real *size)
{
	Real		design[G_PERIODS][3];
	Real		target[G_PERIODS];
	Real		scale[3] = {1, 0, 0};
	int			n = 0,
				index = 0,
				learned = 0,
				t;

	for (t = 0; t < G_PERIODS; t++)
		if (grid[u][t].there)
		{
			n++;
			scale[1] = fmaxl(scale[1], fabsl(grid[u][t].moved[1]));
			scale[2] = fmaxl(scale[2], fabsl(grid[u][t].moved[0]));
		}
	for (t = 0; t < G_PERIODS; t++)
	{
		Real		own[3],
					with[3];

		if (!grid[u][t].there)
			continue;
		index++;
		if (t < lag || t < 1 || !grid[u][t - 1].there || !grid[u][t - lag].there)
			continue;
		design[learned][0] = 1;
		design[learned][1] = grid[u][t - 1].moved[1];
		design[learned][2] = grid[u][t - lag].moved[0];
		target[learned] = grid[u][t].moved[1];
		if (2 * (index - 1) >= n && learned >= 6 &&
			twin_ols(learned, 2, design, target, scale, own) && twin_ols(learned, 3, design, target, scale, with))
		{
			Real		e0 = target[learned] - own[0] - own[1] * design[learned][1];
			Real		e1 = target[learned] - with[0] - with[1] * design[learned][1] - with[2] * design[learned][2];

			*own_sum += e0 * e0;
			*with_sum += e1 * e1;
		}
		*size += target[learned] * target[learned];
		learned++;
	}
}

static void
twin_run(const Build *b, int max_lag, bool remove, bool whiten, bool fill, AmLeadLagRow *out)
{
	int			n_units = b->n ? b->unit[b->n - 1] + 1 : 0;
	bool		usable[G_UNITS];
	Real		big[2] = {0, 0};
	int			u,
				t,
				c,
				k;
	size_t		i;

	remove = remove && n_units > 1;
	memset(grid, 0, sizeof(grid));
	for (i = 0; i < b->n; i++)
	{
		Twin	   *cell = &grid[b->unit[i]][b->period[i]];

		cell->there = true;
		cell->raw[0] = b->x[i];
		cell->raw[1] = b->y[i];
		for (c = 0; c < 2; c++)
			big[c] = fmaxl(big[c], fabsl(cell->raw[c]));
	}
	for (u = 0; fill && u < n_units; u++)
	{
		int			last = 0;
		bool		started = false;

		for (t = 0; t < G_PERIODS; t++)
			if (grid[u][t].there)
				last = t;
		for (t = 0; t < last; t++)
		{
			started = started || grid[u][t].there;
			if (started)
				grid[u][t].there = true;
		}
	}
	for (t = 0; t < G_PERIODS; t++)
		for (c = 0; c < 2; c++)
		{
			Real		sum = 0;
			int			n = 0;

			for (u = 0; u < n_units; u++)
				if (grid[u][t].there)
				{
					sum += grid[u][t].raw[c];
					n++;
				}
			for (u = 0; u < n_units; u++)
				grid[u][t].moved[c] = grid[u][t].raw[c] - (remove && n ? sum / n : 0);
		}

	for (u = 0; u < n_units; u++)
	{
		Real		phi,
					ss[2] = {0, 0},
					spread[2] = {0, 0},
					lagged = 0;
		int			n = 0;

		for (c = 0; c < 2; c++)
		{
			Real		mean = 0;

			n = 0;
			for (t = 0; t < G_PERIODS; t++)
				if (grid[u][t].there)
				{
					mean += grid[u][t].moved[c];
					n++;
				}
			mean /= n;
			for (t = 0; t < G_PERIODS; t++)
				grid[u][t].moved[c] -= mean;
		}
		for (t = 0; t < G_PERIODS; t++)
		{
			if (!grid[u][t].there)
				continue;
			ss[0] += grid[u][t].moved[0] * grid[u][t].moved[0];
			if (t > 0 && grid[u][t - 1].there)
				lagged += grid[u][t].moved[0] * grid[u][t - 1].moved[0];
			for (c = 0; c < 2; c++)
				spread[c] = fmaxl(spread[c], fabsl(grid[u][t].moved[c]));
		}
		/* the decimals in the data are rounded */
		usable[u] = spread[0] > 3e-15L * big[0] && spread[1] > 3e-15L * big[1];
		if (!usable[u])
			continue;
		phi = lagged / ss[0];
		n = 0;
		for (t = 0; t < G_PERIODS; t++)
		{
			Twin	   *cell = &grid[u][t];

			cell->filtered = cell->there && (!whiten || (t > 0 && cell[-1].there));
			n += cell->filtered;
			for (c = 0; c < 2 && cell->filtered; c++)
				cell->white[c] = cell->moved[c] - (whiten ? phi * cell[-1].moved[c] : 0);
		}
		for (c = 0; c < 2; c++)
		{
			Real		mean = 0,
						widest = 0;

			for (t = 0; t < G_PERIODS; t++)
				if (grid[u][t].filtered)
					mean += grid[u][t].white[c] / n;
			for (t = 0; t < G_PERIODS; t++)
				if (grid[u][t].filtered)
				{
					grid[u][t].white[c] -= mean;
					widest = fmaxl(widest, fabsl(grid[u][t].white[c]));
				}
			if (n < 3 || widest <= 3e-15L * spread[c])
				usable[u] = false;
		}
	}

	for (k = -max_lag; k <= max_lag; k++)
	{
		AmLeadLagRow *row = &out[k + max_lag];
		Real		z[G_UNITS],
					px[G_UNITS * G_PERIODS],
					py[G_UNITS * G_PERIODS],
					wx[G_UNITS * G_PERIODS],
					wy[G_UNITS * G_PERIODS],
					mean_x[G_UNITS],
					mean_y[G_UNITS],
					own = 0,
					with = 0,
					size = 0;
		int			n_pairs = 0,
					n_means = 0,
					fewest = 0,
					same = 0;
		Real		mean = 0,
					var = 0,
					widest = 0;

		row->lag = k;
		row->n = 0;
		row->units = 0;
		row->r = row->low = row->high = row->p = row->sign_share = row->forecast_gain = NAN;
		for (u = 0; u < n_units; u++)
		{
			int			first = n_pairs,
						m = 0,
						j;
			Real		xx = 0,
						xy = 0,
						yy = 0;

			for (t = 0; t < G_PERIODS; t++)
			{
				if (t + k < 0 || t + k >= G_PERIODS || !grid[u][t].there || !grid[u][t + k].there)
					continue;
				px[n_pairs] = grid[u][t].raw[0];
				py[n_pairs++] = grid[u][t + k].raw[1];
			}
			if (n_pairs > first)
			{
				mean_x[n_means] = mean_y[n_means] = 0;
				for (j = first; j < n_pairs; j++)
				{
					mean_x[n_means] += px[j] / (n_pairs - first);
					mean_y[n_means] += py[j] / (n_pairs - first);
				}
				for (j = first; j < n_pairs; j++)
				{
					wx[j] = px[j] - mean_x[n_means];
					wy[j] = py[j] - mean_y[n_means];
					/* long double leaves dust where doubles are equal */
					if (fabsl(wx[j]) < 1e-17L * fabsl(px[j]))
						wx[j] = 0;
					if (fabsl(wy[j]) < 1e-17L * fabsl(py[j]))
						wy[j] = 0;
				}
				n_means++;
			}
			if (k > 0)
				twin_gain(u, k, &own, &with, &size);
			if (!usable[u])
				continue;
			for (t = 0; t < G_PERIODS; t++)
			{
				if (!grid[u][t].filtered)
					continue;
				xx += grid[u][t].white[0] * grid[u][t].white[0];
				yy += grid[u][t].white[1] * grid[u][t].white[1];
				if (t + k < 0 || t + k >= G_PERIODS || !grid[u][t + k].filtered)
					continue;
				xy += grid[u][t].white[0] * grid[u][t + k].white[1];
				m++;
			}
			if (m < 3)
				continue;
			z[row->units] = atanhl(fmaxl(-1 + 1e-9L, fminl(1 - 1e-9L, xy / sqrtl(xx * yy))));
			fewest = row->units == 0 || m < fewest ? m : fewest;
			row->units++;
			row->n += m;
		}
		row->r_pooled = twin_r(px, py, n_pairs);
		row->r_between = twin_r(mean_x, mean_y, n_means);
		row->r_within = twin_r(wx, wy, n_pairs);
		if (own > 1e-24L * size)
			row->forecast_gain = 1 - with / own;
		if (row->units == 0)
			continue;
		for (u = 0; u < row->units; u++)
			mean += z[u] / row->units;
		for (u = 0; u < row->units; u++)
		{
			var += (z[u] - mean) * (z[u] - mean) / fmax(1, row->units - 1);
			widest = fmaxl(widest, fabsl(z[u] - z[0]));
			same += mean > 1e-12L ? z[u] > 1e-12L : mean < -1e-12L ? z[u] < -1e-12L : fabsl(z[u]) <= 1e-12L;
		}
		row->r = tanhl(mean);
		row->sign_share = (double) same / row->units;
		if (row->units == 1 || (row->units == 2 && remove) || widest < 1e-10L)
		{
			row->p = am_correlation_p(row->r, fewest - 2);
			if (fewest > 3)
			{
				row->low = tanhl(mean - 1.959963984540054L / sqrtl(fewest - 3));
				row->high = tanhl(mean + 1.959963984540054L / sqrtl(fewest - 3));
			}
		}
		else
		{
			Real		error = sqrtl(var / row->units);
			Real		q = am_t_quantile(0.975, row->units - 1);

			row->p = am_t_two_sided(mean / error, row->units - 1);
			row->low = tanhl(mean - q * error);
			row->high = tanhl(mean + q * error);
		}
	}

	/* Holm: what a p-value must at least be, given all that are not larger */
	for (k = 0; k <= 2 * max_lag; k++)
	{
		int			j,
					l;

		out[k].p_holm = isnan(out[k].p) ? NAN : 0;
		for (j = 0; j <= 2 * max_lag; j++)
		{
			int			at_least = 0;

			if (!(out[j].p <= out[k].p))
				continue;
			for (l = 0; l <= 2 * max_lag; l++)
				at_least += out[l].p >= out[j].p;
			out[k].p_holm = fmin(1, fmax(out[k].p_holm, at_least * out[j].p));
		}
	}
}

static double
draw(int kind, double offset)
{
	switch (kind)
	{
		case 0:
			return below(3);
		case 1:
			return normal();
		case 2:
			return below(6) == 0 ? 1 + below(3) : 0;
		case 3:
			return offset + below(50);
		default:
			return 0.1 * below(8);
	}
}

static void
random_panel(Build *b, bool fill)
{
	/* zeros beside large numbers make r of nearly 1, which z magnifies */
	double		offset = fill ? 10 : 1000;
	int			units = 1 + below(6);
	int			periods = 1 + below(below(2) ? 12 : G_PERIODS);
	int			kind_x = below(5),
				kind_y = below(5);
	int			gaps = below(3) * 15;
	int			lead = below(4);
	int			u,
				t;

	b->n = 0;
	for (u = 0; u < units; u++)
	{
		bool		constant_x = below(12) == 0,
					constant_y = below(12) == 0;
		double		x0 = draw(kind_x, offset),
					y0 = draw(kind_y, offset);
		double		past[4] = {0, 0, 0, 0};
		size_t		before = b->n;
		int			from = below(4) ? 0 : below(periods);

		for (t = from; t < periods; t++)
		{
			double		x = constant_x ? x0 : draw(kind_x, offset);
			double		y = constant_y ? y0 : draw(kind_y, offset);

			past[t % 4] = x;
			if (lead && !constant_y && below(3))
				y = past[(t - lead + 4) % 4];
			if (below(100) >= gaps || (t == periods - 1 && b->n == before))
				put(b, u, t, x, y);
		}
	}
}

static double worst_twin[12];

static bool
same_value(int column, double got, double want, double rtol, double atol)
{
	if (!isnan(got) && !isnan(want))
		worst_twin[column] = fmax(worst_twin[column], fabs(got - want));
	return close_to(got, want, rtol, atol);
}

static bool
same_rows(const AmLeadLagRow *a, const AmLeadLagRow *b, int n, double tol, bool report)
{
	int			i;

	for (i = 0; i < n; i++)
	{
		bool		good = a[i].lag == b[i].lag && a[i].n == b[i].n && a[i].units == b[i].units;

		good = same_value(0, a[i].r, b[i].r, tol, tol) && good;
		good = same_value(1, a[i].low, b[i].low, tol, tol) && good;
		good = same_value(2, a[i].high, b[i].high, tol, tol) && good;
		good = same_value(3, a[i].p, b[i].p, tol * 100, tol) && good;
		good = same_value(4, a[i].p_holm, b[i].p_holm, tol * 100, tol * 10) && good;
		good = same_value(5, a[i].r_pooled, b[i].r_pooled, tol, tol) && good;
		good = same_value(6, a[i].r_between, b[i].r_between, tol, tol) && good;
		good = same_value(7, a[i].r_within, b[i].r_within, tol, tol) && good;
		good = same_value(8, a[i].sign_share, b[i].sign_share, tol, tol) && good;
		good = same_value(9, a[i].forecast_gain, b[i].forecast_gain, tol * 1000, tol * 1000) && good;
		if (!good)
		{
			if (report)
			{
				printf("# lag %d: n %" PRId64 " %" PRId64 ", units %d %d\n", a[i].lag, a[i].n, b[i].n, a[i].units, b[i].units);
				printf("# r %.17g %.17g low %g %g high %g %g p %g %g holm %g %g\n", a[i].r, b[i].r,
					   a[i].low, b[i].low, a[i].high, b[i].high, a[i].p, b[i].p, a[i].p_holm, b[i].p_holm);
				printf("# pooled %.17g %.17g between %.17g %.17g within %.17g %.17g\n", a[i].r_pooled, b[i].r_pooled,
					   a[i].r_between, b[i].r_between, a[i].r_within, b[i].r_within);
				printf("# sign %g %g gain %.17g %.17g\n", a[i].sign_share, b[i].sign_share, a[i].forecast_gain, b[i].forecast_gain);
			}
			return false;
		}
	}
	return true;
}

static void
test_twin(int trials)
{
	static AmLeadLagRow want[2 * MAX_LAG + 1];
	int			trial,
				failed = 0,
				with_r = 0,
				with_gain = 0,
				column;

	for (trial = 0; trial < trials; trial++)
	{
		int			options = trial % 8;
		int			max_lag = below(6);

		random_panel(&build, options & 4);
		run(&build, max_lag, options & 1, options & 2, options & 4, rows);
		twin_run(&build, max_lag, options & 1, options & 2, options & 4, want);
		if (!same_rows(rows, want, 2 * max_lag + 1, 1e-8, failed < 3))
		{
			if (failed++ < 3)
				printf("# trial %d, options %d, %d units, %zu rows\n", trial, options, build.unit[build.n - 1] + 1, build.n);
		}
		with_r += !isnan(rows[max_lag].r);
		with_gain += !isnan(rows[2 * max_lag].forecast_gain);
	}
	ok(failed == 0 && with_r > trials / 4 && with_gain > trials / 20,
	   "%d random panels agree with the twin (%d with r, %d with forecasts, %d differ)", trials, with_r, with_gain, failed);
	printf("# largest absolute differences:");
	for (column = 0; column < 10; column++)
		printf(" %.1e", worst_twin[column]);
	printf("\n");
}

/* ---- planted relations ---- */

static void
plant(Build *b, int units, int periods, int lead, double strength, double shock)
{
	int			u,
				t;
	static double x[512];
	static double common[512];

	b->n = 0;
	for (t = 0; t < 512; t++)
		common[t] = shock * normal();
	for (u = 0; u < units; u++)
	{
		double		level = 3 * uniform();

		x[0] = 0;
		for (t = 1; t < periods + 64; t++)
			x[t] = 0.6 * x[t - 1] + normal();
		for (t = 0; t < periods; t++)
			put(b, u, t, 10 * level + x[t + 32] + common[t], 20 * level + strength * x[t + 32 - lead] + normal() + common[t]);
	}
}

static void
test_planted(void)
{
	int			lead,
				found;
	bool		good = true;
	AmLeadLagVerdict verdict;

	for (lead = -6; lead <= 6; lead++)
	{
		plant(&build, 25, 100, lead, 0.4, 1);
		run(&build, 8, true, true, true, rows);
		verdict = verdict_of(rows, 8, &found);
		good = good && found == lead &&
			verdict == (lead > 0 ? AM_LL_LEADING : lead < 0 ? AM_LL_LAGGING : AM_LL_COINCIDENT);
	}
	ok(good, "a planted lag of -6 .. 6 is found, k > 0 meaning x leads");

	plant(&build, 1, 150, 3, 0.8, 0);
	run(&build, 8, true, true, true, rows);
	verdict = verdict_of(rows, 8, &found);
	ok(verdict == AM_LL_LEADING && found == 3 && rows[11].forecast_gain > 0.1, "... with one unit too, and it helps to forecast");

	plant(&build, 25, 100, 3, -0.4, 1);
	run(&build, 8, true, true, true, rows);
	verdict = verdict_of(rows, 8, &found);
	ok(verdict == AM_LL_LEADING && found == 3 && rows[11].r < -0.2 && rows[11].high < 0, "a negative lead has a negative r");

	for (lead = 0, found = 0; lead < 60; lead++)
	{
		int			lag;

		plant(&build, 12, 60, 0, 0, 1);
		run(&build, 6, true, true, true, rows);
		found += verdict_of(rows, 6, &lag) != AM_LL_NO_EVIDENCE;
	}
	ok(found <= 8, "no relation beside common shocks and levels: %d false alarms in 60", found);
}

static void
test_invariance(void)
{
	static AmLeadLagRow other[2 * MAX_LAG + 1];
	static Build changed;
	int			found,
				s,
				u,
				t;
	bool		good = true;
	size_t		i;

	/* y delayed by s more periods */
	for (s = 0; s <= 4; s++)
	{
		plant(&build, 10, 120, 2, 0.7, 1);
		changed.n = 0;
		for (i = 0; i < build.n; i++)
			if (build.period[i] >= s)
				put(&changed, build.unit[i], build.period[i], build.x[i], build.y[i - s]);
		/* common shocks of y are now late as well: remove them per column */
		run(&changed, 8, true, true, true, rows);
		verdict_of(rows, 8, &found);
		good = good && found == 2 + s;
	}
	ok(good, "delaying y moves the lag");

	plant(&build, 10, 60, 1, 0.5, 1);
	run(&build, 6, true, true, true, rows);
	changed = build;
	for (i = 0; i < changed.n; i++)
		changed.period[i] -= INT64_C(4611686018427387904);
	run(&changed, 6, true, true, true, other);
	ok(memcmp(rows, other, 13 * sizeof(AmLeadLagRow)) == 0, "numbering the periods from elsewhere changes no bit");

	changed.n = 0;
	for (u = 0; u < 10; u++)
		for (t = 0; t < 60; t++)
		{
			i = (size_t) ((u * 7 + 3) % 10) * 60 + t;
			put(&changed, u, t, build.x[i], build.y[i]);
		}
	run(&changed, 6, true, true, true, other);
	ok(same_rows(rows, other, 13, 1e-11, true), "renaming the units changes nothing");

	/* an 11th unit far away makes the range of periods sparse, and is alone there */
	changed = build;
	put(&changed, 10, INT64_MAX, 5, 5);
	run(&changed, 6, true, true, true, other);
	for (i = 0, good = true; i < 13; i++)
		good = good && rows[i].r == other[i].r && rows[i].p == other[i].p && rows[i].n == other[i].n;
	ok(good, "a unit with one far row changes no r");
	put(&changed, 11, INT64_MIN, 1, 2);
	put(&changed, 11, INT64_MAX - 1, 2, 5);
	{
		AmPanel		panel = panel_of(&changed);

		ok(am_lead_lag_missing(&panel) == UINT64_MAX - 2, "missing rows are counted without overflow");
		ok(am_lead_lag_default_max_lag(&panel) == 12, "default max lag of a vast range");
	}
	run(&changed, 6, true, true, true, other);
	for (i = 0, good = true; i < 13; i++)
		good = good && rows[i].r == other[i].r && finite_row(&other[i]);
	ok(good, "a gap of 2^64 periods is left as a gap");
	run(&changed, 6, false, true, true, other);
	for (i = 0, good = true; i < 13; i++)
		good = good && finite_row(&other[i]);
	ok(good, "... without period means too");

	/* zero filling by hand */
	plant(&build, 6, 50, 1, 0.5, 1);
	changed.n = 0;
	for (i = 0; i < build.n; i++)
	{
		bool		inner = build.period[i] > 0 && build.period[i] < 49;

		if (inner && below(5) == 0)
			build.x[i] = build.y[i] = 0;
		else
			put(&changed, build.unit[i], build.period[i], build.x[i], build.y[i]);
	}
	run(&build, 6, true, true, false, rows);
	run(&changed, 6, true, true, true, other);
	ok(changed.n < build.n && memcmp(rows, other, 13 * sizeof(AmLeadLagRow)) == 0, "zero filling equals zeros given");
}

/* ---- extremes ---- */

static void
test_scale(void)
{
	static const struct
	{
		double		factor,
					offset,
					tol;
	}			change[] = {
		{1e160, 0, 1e-9}, {1e-160, 0, 1e-9}, {1e305, 0, 1e-9}, {1e-305, 0, 1e-8}, {1, 1e9, 1e-9}, {1, -1e12, 1e-8},
		{1e-3, 1e9, 2e-4}, {0x1p-1040, 0, 1e-9}, {-1, 0, 1e-9}, {1e-200, 1e-190, 1e-4},
	};
	static AmLeadLagRow want[17];
	static Build changed;
	int			remove,
				i,
				k;
	size_t		j;

	plant(&build, 8, 40, 2, 0.8, 1);
	for (j = 0; j < build.n; j++)
	{
		build.x[j] = floor(build.x[j] * 8);
		build.y[j] = floor(build.y[j] * 8);
	}
	for (remove = 0; remove <= 1; remove++)
	{
		run(&build, 4, remove, true, true, want);
		for (i = 0; i < 10; i++)
		{
			bool		good = true;
			double		sign = change[i].factor < 0 ? -1 : 1;
			double		worst = 0;

			changed = build;
			for (j = 0; j < changed.n; j++)
			{
				changed.x[j] = changed.x[j] * change[i].factor + change[i].offset;
				changed.y[j] = changed.y[j] * fabs(change[i].factor) - change[i].offset;
			}
			run(&changed, 4, remove, true, true, rows);
			for (k = 0; k < 9; k++)
			{
				good = good && close_to(rows[k].r, sign * want[k].r, 0, change[i].tol) &&
					close_to(rows[k].r_pooled, sign * want[k].r_pooled, 0, change[i].tol) &&
					close_to(rows[k].r_between, sign * want[k].r_between, 0, change[i].tol) &&
					close_to(rows[k].r_within, sign * want[k].r_within, 0, change[i].tol) &&
					close_to(rows[k].p, want[k].p, change[i].tol * 1000, 0) &&
					close_to(rows[k].forecast_gain, want[k].forecast_gain, 0, change[i].tol * 10);
				worst = fmax(worst, fabs(rows[k].r - sign * want[k].r));
			}
			ok(good, "values times %g plus %g, period means %s: off by %.1e", change[i].factor, change[i].offset,
			   remove ? "removed" : "kept", worst);
		}
	}

	/* units on very different levels, balanced: the levels cancel */
	run(&build, 4, true, true, true, want);
	changed = build;
	for (j = 0; j < changed.n; j++)
	{
		changed.x[j] += changed.unit[j] * 1e9;
		changed.y[j] -= changed.unit[j] * 1e9;
	}
	run(&changed, 4, true, true, true, rows);
	for (k = 0; k < 9; k++)
		if (!close_to(rows[k].r, want[k].r, 0, 1e-12))
			break;
	ok(k == 9, "levels 1e9 apart do not touch r");

	/* largest doubles of both signs */
	build.n = 0;
	for (i = 0; i < 90; i++)
		put(&build, i / 30, i % 30, below(2) ? DBL_MAX : -DBL_MAX, below(2) ? DBL_MAX : -DBL_MAX);
	for (remove = 0; remove <= 1; remove++)
	{
		run(&build, 3, remove, true, true, rows);
		for (k = 0; k < 7; k++)
			if (!finite_row(&rows[k]) || isnan(rows[k].r) || isnan(rows[k].p) || isnan(rows[k].r_pooled))
				break;
		ok(k == 7, "+-DBL_MAX");
	}
	for (j = 0; j < build.n; j++)
	{
		build.x[j] = below(3) * 4.9406564584124654e-324;
		build.y[j] = build.unit[j] == 1 ? build.x[j] : below(3) * 1e300;
	}
	run(&build, 3, false, true, true, rows);
	for (k = 0; k < 7; k++)
		if (!finite_row(&rows[k]) || isnan(rows[k].r) || isnan(rows[k].r_pooled))
			break;
	ok(k == 7, "smallest denormals beside 1e300");
}

static void
test_degenerate(void)
{
	AmLeadLagOptions options = {.max_lag = 3, .remove_period_means = true, .prewhiten = true, .fill_zero = true};
	AmPanel		panel = {0};
	int			decided,
				lag,
				i,
				k;
	bool		good;
	char		text[512];

	am_lead_lag(&panel, &options, rows);
	for (k = 0, good = true; k < 7; k++)
		good = good && rows[k].lag == k - 3 && rows[k].n == 0 && rows[k].units == 0 && isnan(rows[k].r) && isnan(rows[k].p) &&
			isnan(rows[k].p_holm) && isnan(rows[k].r_pooled) && isnan(rows[k].forecast_gain) && isnan(rows[k].low);
	ok(good, "empty panel: all undefined");
	ok(am_lead_lag_verdict(rows, 7, 0.05, &decided) == AM_LL_INSUFFICIENT && decided == -1, "... insufficient evidence");
	am_lead_lag_sentence(rows, 7, AM_LL_INSUFFICIENT, -1, "calls", "wins", "week", text, sizeof(text));
	printf("# %s\n", text);
	ok(strstr(text, "collect 24 more weeks") != NULL, "... and how much is missing");
	ok(am_lead_lag_default_max_lag(&panel) == 1, "... default max lag 1");

	build.n = 0;
	for (i = 0; i < 5; i++)
		put(&build, i, 7, i, i * i);
	run(&build, 3, true, true, true, rows);
	ok(isnan(rows[3].r) && rows[3].r_pooled > 0.9 && rows[3].r_between > 0.9 && isnan(rows[3].r_within), "one period");

	build.n = 0;
	for (i = 0; i < 100; i++)
		put(&build, i / 20, i % 20, 0.1, 0.7);
	run(&build, 3, true, true, true, rows);
	for (k = 0, good = true; k < 7; k++)
		good = good && isnan(rows[k].r) && isnan(rows[k].r_pooled) && isnan(rows[k].r_between) && isnan(rows[k].r_within);
	ok(good, "all constant");

	/* the same in every unit: nothing is left but rounding, which must not be correlated */
	for (i = 0; i < 100; i++)
	{
		build.x[i] = 0.1 * ((i % 20 * 7) % 11) + 1e5 / 3;
		build.y[i] = 0.7 * ((i % 20 * 5) % 13);
	}
	run(&build, 3, true, true, true, rows);
	for (k = 0, good = true; k < 7; k++)
		good = good && isnan(rows[k].r) && !isnan(rows[k].r_pooled);
	ok(good, "a number that is the same for all units has no r inside a period");
	for (i = 0; i < 100; i++)
		build.x[i] += 0.3 * build.unit[i];
	run(&build, 3, true, true, true, rows);
	for (k = 0, good = true; k < 7; k++)
		good = good && isnan(rows[k].r);
	ok(good, "... nor one that differs by a level only");

	/* copies of one series are one series */
	run(&build, 3, false, true, true, rows);
	for (k = 0, good = true; k < 7; k++)
		good = good && rows[k].units == 5 && finite_row(&rows[k]) && rows[k].p > 1e-4 && rows[k].low < rows[k].r && rows[k].high > rows[k].r;
	ok(good, "five copies of one unit do not make it surer");

	/* the outcome itself */
	for (i = 0; i < 100; i++)
		build.x[i] = build.y[i] = normal();
	run(&build, 3, true, true, true, rows);
	for (k = 0, good = true; k < 7; k++)
		good = good && finite_row(&rows[k]);
	ok(good && rows[3].r > 1 - 1e-8 && verdict_of(rows, 3, &lag) == AM_LL_COINCIDENT && lag == 0, "x = y: r = 1, coincident, nothing infinite");

	/* two units are mirror images after removal of period means */
	plant(&build, 2, 60, 0, 0, 1);
	run(&build, 3, true, true, true, rows);
	for (k = 0, good = true; k < 7; k++)
		good = good && finite_row(&rows[k]) && rows[k].units == 2 && rows[k].p > 1e-4;
	ok(good, "two units: no false surety");

	/* three rows of one unit, the least that has an r unfiltered */
	build.n = 0;
	put(&build, 0, 1, 1, 2);
	put(&build, 0, 2, 3, 1);
	put(&build, 0, 3, 2, 5);
	run(&build, 1, true, false, true, rows);
	ok(rows[1].n == 3 && !isnan(rows[1].p) && isnan(rows[1].low) && isnan(rows[0].r), "three rows: p but no interval");
	run(&build, 1, true, true, true, rows);
	ok(isnan(rows[1].r), "... and none after the filter");
	run(&build, 0, true, false, true, rows);
	ok(rows[0].lag == 0 && rows[0].n == 3 && rows[0].p == rows[0].p_holm, "max_lag 0 gives one row");
}

/* ---- the second look, differences, ranks, controls ---- */

static void
test_season_that_scales(void)
{
	static double factor[120];
	AmLeadLagOptions options = am_lead_lag_defaults();
	AmPanel		panel;
	int			first = 0,
				second = 0,
				found = 0,
				trial,
				lag,
				u,
				t;

	options.max_lag = 6;
	for (trial = 0; trial < 20; trial++)
	{
		for (t = 0; t < 100; t++)
			factor[t] = exp(0.3 * normal());
		build.n = 0;
		for (u = 0; u < 30; u++)
		{
			double		level = 10 * exp(0.6 * normal());

			for (t = 0; t < 60; t++)
				put(&build, u, t, fmax(0, level * factor[t] + sqrt(level) * normal()), fmax(0, level * factor[t] + sqrt(level) * normal()));
		}
		panel = panel_of(&build);
		am_lead_lag(&panel, &options, rows);
		first += rows[6].p_holm <= 0.05;
		second += rows[6].p_strict <= 0.05;
		found += verdict_of(rows, 6, &lag) != AM_LL_NO_EVIDENCE;
	}
	ok(first >= 15 && second <= 3 && found <= 3, "a season that is larger for larger units: sure at first in %d of 20, at the second look in %d, verdicts %d", first, second, found);

	/* a column with negative values has no shares: one look */
	for (t = 0; t < (int) build.n; t++)
		build.y[t] = -build.y[t];
	am_lead_lag(&panel, &options, rows);
	for (t = 0; t < 13; t++)
		if (rows[t].p_holm != rows[t].p_strict)
			break;
	ok(t == 13, "p_strict is p_holm where there is nothing to look at");

	/* rare events: alike by chance */
	for (trial = 0, first = 0, second = 0; trial < 40; trial++)
	{
		build.n = 0;
		for (u = 0; u < 20; u++)
			for (t = 0; t < 156; t++)
				put(&build, u, t, uniform() < 0.05, uniform() < 0.05);
		panel = panel_of(&build);
		am_lead_lag(&panel, &options, rows);
		for (t = 0, lag = 0; t < 13; t++)
			lag |= (rows[t].p_holm <= 0.05 ? 1 : 0) | (rows[t].p_strict <= 0.05 ? 2 : 0);
		first += lag & 1;
		second += lag / 2;
	}
	ok(second <= 3, "rare events: sure at first in %d of 40, at the second look in %d", first, second);
}

static void
test_differences_and_ranks(void)
{
	static AmLeadLagRow other[2 * MAX_LAG + 1];
	static Build changed;
	AmLeadLagOptions options = am_lead_lag_defaults();
	AmPanel		panel;
	bool		good = true;
	size_t		i;
	int			k;

	options.max_lag = 4;
	plant(&build, 8, 60, 2, 0.6, 1);
	/* gaps, units of other lengths */
	changed.n = 0;
	for (i = 0; i < build.n; i++)
		if (build.period[i] != 20 + build.unit[i] && build.period[i] >= build.unit[i])
			put(&changed, build.unit[i], build.period[i], build.x[i], build.y[i]);
	build = changed;
	changed.n = 0;
	for (i = 1; i < build.n; i++)
		if (build.unit[i] == build.unit[i - 1] && build.period[i] == build.period[i - 1] + 1)
			put(&changed, build.unit[i], build.period[i], build.x[i] - build.x[i - 1], build.y[i] - build.y[i - 1]);
	options.fill_zero = false;
	options.difference = AM_DIFFERENCE_YES;
	panel = panel_of(&build);
	am_lead_lag(&panel, &options, rows);
	options.difference = AM_DIFFERENCE_AUTO;
	panel = panel_of(&changed);
	am_lead_lag(&panel, &options, other);
	for (k = 0; k < 9; k++)
		good = good && rows[k].differenced && !other[k].differenced && rows[k].n == other[k].n &&
			close_to(rows[k].r, other[k].r, 1e-10, 1e-12) && close_to(rows[k].p, other[k].p, 1e-8, 0);
	ok(good, "differences: as of differences taken before, gaps and all");

	/* the rule: the median of the units' autocorrelation, of x or of y */
	for (k = 0; k < 2; k++)
	{
		double		at = 0;

		plant(&build, 7, 100, 2, 0.6, 1);
		for (i = 0; i < build.n; i++)
		{
			at = build.period[i] == 0 ? 0 : at + 5 + normal();
			if (build.unit[i] < (k ? 4 : 3))
				build.y[i] = at;
		}
		panel = panel_of(&build);
		am_lead_lag(&panel, &options, rows);
		good = good && rows[0].differenced == (k == 1);
	}
	ok(good, "differenced by rule: 4 units of 7 drift, not 3");
	options.difference = AM_DIFFERENCE_SINGLE;
	am_lead_lag(&panel, &options, rows);
	ok(!rows[0].differenced && rows[0].order == 0, "a panel is not differenced of itself");

	/* ranks: any increasing function is the same */
	options.rank = true;
	plant(&build, 8, 60, 2, 0.6, 1);
	for (i = 0; i < build.n; i++)
		build.x[i] = floor(build.x[i]);
	changed = build;
	for (i = 0; i < build.n; i++)
	{
		changed.x[i] = exp(build.x[i] / 4);
		changed.y[i] = build.y[i] * build.y[i] * build.y[i];
	}
	panel = panel_of(&build);
	am_lead_lag(&panel, &options, rows);
	panel = panel_of(&changed);
	am_lead_lag(&panel, &options, other);
	for (k = 0, good = true; k < 9; k++)
		good = good && rows[k].ranked && rows[k].r == other[k].r && rows[k].p == other[k].p && rows[k].r_pooled != other[k].r_pooled;
	ok(good, "ranks: the same for any increasing function");

	/* whatever is asked of what has no answer */
	options.difference = AM_DIFFERENCE_YES;
	for (k = 0; k < 6; k++)
	{
		options.season = k > 2 ? 4 : 0;
		options.rank = k % 2;
		build.n = 0;
		for (i = 0; i < 12; i++)
			put(&build, (int32_t) i / 4, (int64_t) (i % 4) * (k < 4 ? 1 : 3), k == 1 ? 5 : DBL_MAX * (i % 2 ? 1 : -1), i);
		put(&build, 3, 7, 1, 1);
		panel = panel_of(&build);
		am_lead_lag(&panel, &options, rows);
		for (i = 0; i < 9; i++)
			good = good && finite_row(&rows[i]);
	}
	build.n = 0;
	panel = panel_of(&build);
	am_lead_lag(&panel, &options, rows);
	ok(good && rows[4].n == 0 && isnan(rows[4].p_strict), "few rows, gaps, constants and extremes, differenced and ranked");
}

static void
test_controls(void)
{
	static double control[3][MAX_ROWS];
	const double *columns[3] = {control[0], control[1], control[2]};
	AmLeadLagOptions options = am_lead_lag_defaults();
	AmLeadLagRow without;
	AmPanel		panel;
	int			lag;
	size_t		i;

	/* x and y both follow what a third does: x one period after, y three */
	build.n = 0;
	for (i = 0; i < 20 * 80; i++)
	{
		control[0][i] = normal();
		put(&build, (int32_t) i / 80, (int64_t) i % 80, 0, 0);
	}
	for (i = 0; i < 20 * 80; i++)
	{
		size_t		t = i % 80;

		control[1][i] = t < 1 ? 0 : control[0][i - 1];
		control[2][i] = t < 3 ? 0 : control[0][i - 3];
		build.x[i] = control[1][i] + normal();
		build.y[i] = control[2][i] + normal();
	}
	options.max_lag = 5;
	panel = panel_of(&build);
	am_lead_lag(&panel, &options, rows);
	without = rows[7];
	ok(verdict_of(rows, 5, &lag) == AM_LL_LEADING && lag == 2 && without.controls == 0, "what both follow looks like a lead");
	panel.n_controls = 3;
	panel.control = columns;
	am_lead_lag(&panel, &options, rows);
	ok(verdict_of(rows, 5, &lag) == AM_LL_NO_EVIDENCE && rows[7].controls == 3 && rows[7].p_holm > 0.05 && fabs(rows[7].r) < 0.2 * fabs(without.r), "... and is gone when that is held constant");
	ok(rows[7].r_pooled == without.r_pooled && rows[7].r_within == without.r_within, "... the raw figures stay");
}

/* golden partial_correlation */
static void
test_golden_partial(void)
{
	static const char *const sets[] = {"mtcars", "longley"};
	const char *path = shared_file("golden/expected/partial_correlation.csv");
	FILE	   *f = path ? fopen(path, "r") : NULL;
	char		line[1024];
	int			compared = 0;
	bool		good = true;

	if (!f)
	{
		skip("partial_correlation", "golden files not there");
		return;
	}
	while (fgets(line, sizeof(line), f))
	{
		static double column[16][64];
		const double *controls[8];
		char	   *fields[9];
		char		names[512];
		char	   *heads[16];
		char	   *values[16];
		char		data[64];
		char		wide[1024];
		char		head[1024];
		FILE	   *d;
		int			n_heads,
					n = 0,
					x = -1,
					y = -1,
					c,
					i;
		AmLeadLagOptions options = am_lead_lag_defaults();
		AmLeadLagRow row;
		AmPanel		panel;
		char	   *name;

		if (split(line, fields, 9) < 9)
			continue;
		for (i = 0; i < 2 && strcmp(fields[0], sets[i]) != 0;)
			i++;
		if (i == 2)
			continue;
		snprintf(data, sizeof(data), "golden/data/wide_%s.csv", fields[0]);
		if (!shared_file(data) || !(d = fopen(shared_file(data), "r")) || !fgets(head, sizeof(head), d))
			continue;
		n_heads = split(head, heads, 16);
		while (n < 64 && fgets(wide, sizeof(wide), d))
		{
			split(wide, values, 16);
			for (c = 0; c < n_heads; c++)
				column[c][n] = strtod(values[c], NULL);
			n++;
		}
		fclose(d);
		snprintf(names, sizeof(names), "%s", fields[3]);
		build.n = 0;
		panel = panel_of(&build);
		for (name = strtok(names, "|+ "); name && panel.n_controls < 8; name = strtok(NULL, "|+ "))
			for (c = 0; c < n_heads; c++)
				if (strcmp(heads[c], name) == 0)
					controls[panel.n_controls++] = column[c];
		for (c = 0; c < n_heads; c++)
		{
			if (strcmp(heads[c], fields[1]) == 0)
				x = c;
			if (strcmp(heads[c], fields[2]) == 0)
				y = c;
		}
		if (x < 0 || y < 0)
			continue;
		for (i = 0; i < n; i++)
			put(&build, 0, i, column[x][i], column[y][i]);
		c = panel.n_controls;
		panel = panel_of(&build);
		panel.n_controls = c;
		panel.control = controls;
		options.max_lag = 0;
		options.difference = AM_DIFFERENCE_NO;
		options.prewhiten = false;
		am_lead_lag(&panel, &options, &row);
		good = good && close_to(row.r, strtod(fields[5], NULL), 1e-8, 1e-13) && close_to(row.p, strtod(fields[8], NULL), 1e-7, 0);
		compared++;
	}
	fclose(f);
	ok(good && compared > 0, "golden partial_correlation: %d as controls of one unit", compared);
}

/* ---- services ---- */

static int64_t chunks = 0;
static int64_t looks = 0;

static void *
counting_alloc(size_t size)
{
	chunks++;
	return malloc(size ? size : 1);
}

static void
counting_free(void *chunk)
{
	chunks--;
	free(chunk);
}

static void
look(void)
{
	looks++;
}

static void
test_services(void)
{
	void	   *(*old_alloc) (size_t) = am_host_alloc;
	void		(*old_free) (void *) = am_host_free;
	int			i;

	am_host_alloc = counting_alloc;
	am_host_free = counting_free;
	am_host_interrupts = look;
	for (i = 0; i < 64; i++)
	{
		random_panel(&build, i & 4);
		if (i % 2)
			put(&build, build.unit[build.n - 1] + 1, INT64_C(1) << 40, 1, 1);
		run(&build, 5, i & 1, i & 2, i & 4, rows);
	}
	build.n = 0;
	run(&build, 5, true, true, true, rows);
	am_host_alloc = old_alloc;
	am_host_free = old_free;
	am_host_interrupts = NULL;
	ok(chunks == 0 && looks > 64, "all memory is given back, interrupts are looked for");
}

/* ---- verdicts and sentences ---- */

static void
blank(AmLeadLagRow *r, int max_lag)
{
	int			k;

	for (k = 0; k <= 2 * max_lag; k++)
	{
		AmLeadLagRow row = {k - max_lag, 2350, 25, 0.01, -0.03, 0.05, 0.5, 1, 0.02, 0.1, 0.02, 0.56, NAN, NAN, false, false, 0, 0, 0};

		r[k] = row;
	}
}

static const char *
sentence(const AmLeadLagRow *r, int n, const char *x, const char *y, const char *grain)
{
	static char text[1024];
	int			decided;
	AmLeadLagVerdict verdict = am_lead_lag_verdict(r, n, 0.05, &decided);

	am_lead_lag_sentence(r, n, verdict, decided, x, y, grain, text, sizeof(text));
	return text;
}

static void
says(const AmLeadLagRow *r, int n, const char *x, const char *y, const char *grain, const char *want)
{
	const char *got = sentence(r, n, x, y, grain);

	if (!ok(strcmp(got, want) == 0, "sentence: %.60s...", want))
		printf("#  got: %s\n# want: %s\n", got, want);
}

static void
test_verdicts(void)
{
	int			lag;

	blank(rows, 4);
	ok(verdict_of(rows, 4, &lag) == AM_LL_NO_EVIDENCE, "nothing stands out: no evidence");

	rows[5].r = 0.3;
	rows[5].p = 1e-6;
	rows[5].p_holm = 9e-6;
	ok(verdict_of(rows, 4, &lag) == AM_LL_LEADING && lag == 1, "surest at 1: leading");
	rows[4].r = -0.31;
	ok(verdict_of(rows, 4, &lag) == AM_LL_NO_EVIDENCE && lag == 1, "... but not where |r| at 0 is larger");
	rows[4].r = 0.29;
	rows[8].r = 0.5;
	ok(verdict_of(rows, 4, &lag) == AM_LL_LEADING && lag == 1, "... a larger one on the same side does no harm");
	rows[0].r = 0.4;
	ok(verdict_of(rows, 4, &lag) == AM_LL_NO_EVIDENCE, "... one on the other side does");

	blank(rows, 4);
	rows[2].r = 0.3;
	rows[2].p_holm = rows[2].p = 0.001;
	ok(verdict_of(rows, 4, &lag) == AM_LL_LAGGING && lag == -2, "surest at -2: lagging");
	rows[4].r = -0.3;
	ok(verdict_of(rows, 4, &lag) == AM_LL_NO_EVIDENCE, "... a tie is no evidence");
	rows[4].p_holm = rows[4].p = 0.0001;
	ok(verdict_of(rows, 4, &lag) == AM_LL_COINCIDENT && lag == 0, "surest at 0: coincident");

	blank(rows, 4);
	rows[5].r = 0.3;
	rows[6].r = 0.4;
	rows[5].p = rows[6].p = rows[5].p_holm = rows[6].p_holm = 0;
	ok(verdict_of(rows, 4, &lag) == AM_LL_LEADING && lag == 2, "two p of 0: the stronger r decides");
	rows[5].p = 1e-9;
	rows[6].p = 2e-9;
	rows[5].p_holm = rows[6].p_holm = 1e-8;
	ok(verdict_of(rows, 4, &lag) == AM_LL_LEADING && lag == 1, "ties made by Holm: the raw p decides");

	rows[4].units = 2;
	rows[4].n = 24;
	ok(verdict_of(rows, 4, &lag) == AM_LL_LEADING, "two units, 24 pairs: enough");
	rows[4].n = 23;
	ok(verdict_of(rows, 4, &lag) == AM_LL_INSUFFICIENT, "... 23: insufficient");
	rows[4].units = 3;
	ok(verdict_of(rows, 4, &lag) == AM_LL_LEADING, "... three units: enough");

	ok(strcmp(am_lead_lag_verdict_name(AM_LL_LEADING), "leading") == 0 &&
	   strcmp(am_lead_lag_verdict_name(AM_LL_COINCIDENT), "coincident") == 0 &&
	   strcmp(am_lead_lag_verdict_name(AM_LL_LAGGING), "lagging") == 0 &&
	   strcmp(am_lead_lag_verdict_name(AM_LL_NO_EVIDENCE), "no_evidence") == 0 &&
	   strcmp(am_lead_lag_verdict_name(AM_LL_INSUFFICIENT), "insufficient_evidence") == 0, "names");
}

static void
test_sentences(void)
{
	AmLeadLagRow strong = {1, 2350, 25, 0.21, 0.17, 0.25, 1e-9, 1e-8, 0.25, 0.1, 0.22, 0.96, 0.043, NAN, false, false, 0, 0, 0};
	char		small[64];
	bool		good = true;
	size_t		size;

	blank(rows, 4);
	rows[5] = strong;
	says(rows, 9, "calls", "meetings", "week",
		 "Changes in calls lead changes in meetings by 1 week: within units, r = 0.21 (0.17 to 0.25), adjusted p < 0.001, "
		 "same sign for 96 % of 25 units (2,350 unit-weeks); knowing calls cuts the squared forecast error of meetings by 4 %. "
		 "Watch it weekly, but plan no numbers on it yet.");
	rows[5].forecast_gain = -0.02;
	rows[5].r_pooled = 0.61;
	rows[5].sign_share = 1;
	rows[5].p_holm = 0.0312;
	says(rows, 9, "win rate", "revenue", "month",
		 "Changes in win rate lead changes in revenue by 1 month: within units, r = 0.21 (0.17 to 0.25), adjusted p = 0.031, "
		 "same sign for all 25 units (2,350 unit-months); knowing win rate does not make forecasts of revenue better; "
		 "the dashboard's r = 0.61 mixes differences between units and common swings with changes inside a unit. "
		 "Watch it monthly, but plan no numbers on it yet.");

	blank(rows, 4);
	rows[2] = strong;
	rows[2].lag = -2;
	rows[2].r = -0.21;
	rows[2].low = -0.25;
	rows[2].high = -0.17;
	rows[2].forecast_gain = NAN;
	rows[2].r_pooled = NAN;
	says(rows, 9, "calls", "wins", "week",
		 "Changes in calls follow opposite changes in wins by 2 weeks: within units, r = -0.21 (-0.25 to -0.17), adjusted p < 0.001, "
		 "same sign for 96 % of 25 units (2,350 unit-weeks). This is news of what has already happened: do not steer by it.");

	blank(rows, 4);
	rows[4] = strong;
	rows[4].lag = 0;
	rows[4].units = 1;
	rows[4].n = 51;
	rows[4].sign_share = 1;
	rows[4].forecast_gain = NAN;
	says(rows, 9, "calls", "wins", "day",
		 "Changes in calls come within the same day as changes in wins: r = 0.21 (0.17 to 0.25), adjusted p < 0.001, 1 unit (51 days). "
		 "It moves too late to warn: look for an activity that moves earlier.");

	blank(rows, 4);
	rows[7].p = 0.1;
	rows[7].p_holm = 0.85;
	rows[7].r = -0.001;
	rows[7].r_pooled = 0.61;
	says(rows, 9, "calls", "wins", "week",
		 "Within 4 weeks, no evidence that changes in calls lead or follow changes in wins: at the clearest lag, calls 3 weeks earlier, "
		 "r = 0.00 (-0.03 to 0.05), adjusted p = 0.85, same sign for 56 % of 25 units (2,350 unit-weeks); "
		 "the dashboard's r = 0.61 mixes differences between units and common swings with changes inside a unit. Do not steer by it.");
	rows[7] = strong;
	rows[7].lag = 3;
	rows[4].r = 0.5;
	says(rows, 9, "calls", "wins", "week",
		 "Within 4 weeks, no evidence that changes in calls lead or follow changes in wins: at the clearest lag, calls 3 weeks earlier, "
		 "r = 0.21 (0.17 to 0.25), adjusted p < 0.001, same sign for 96 % of 25 units (2,350 unit-weeks), "
		 "but r = 0.50 within the same week is no weaker, so the direction is open. Do not steer by it.");

	rows[4].r = 0;
	rows[2].r = -0.5;
	says(rows, 9, "calls", "wins", "week",
		 "Within 4 weeks, no evidence that changes in calls lead or follow changes in wins: at the clearest lag, calls 3 weeks earlier, "
		 "r = 0.21 (0.17 to 0.25), adjusted p < 0.001, same sign for 96 % of 25 units (2,350 unit-weeks), "
		 "but r = -0.50 with calls 2 weeks later is no weaker, so the direction is open. Do not steer by it.");

	blank(rows, 4);
	rows[4].units = 1;
	rows[4].n = 15;
	says(rows, 9, "calls", "wins", "week",
		 "Not enough data to tell whether changes in calls lead changes in wins: 1 unit with 15 weeks, "
		 "where 24 weeks or 3 units are needed; collect 9 more weeks.");
	rows[4].units = 2;
	rows[4].n = 23;
	says(rows, 9, NULL, NULL, NULL,
		 "Not enough data to tell whether changes in x lead changes in y: 2 units with 23 periods together, "
		 "where 24 periods or 3 units are needed; collect 1 more period.");

	/* what was done, and on how few it rests */
	blank(rows, 4);
	rows[6] = strong;
	rows[6].lag = 2;
	rows[6].units = 6;
	rows[6].sign_share = 1;
	rows[6].n = 300;
	rows[6].p_strict = 0.012;
	rows[6].differenced = rows[6].ranked = true;
	rows[6].season = 52;
	rows[6].controls = 2;
	says(rows, 9, "calls", "wins", "week",
		 "Changes in calls lead changes in wins by 2 weeks: within units, r = 0.21 (0.17 to 0.25), adjusted p = 0.012, "
		 "same sign for all 6 units (300 unit-weeks), the cycle of 52 weeks taken off, of the differences from week to week, of ranks, "
		 "the 2 controls held constant; with only 6 units, one of them can turn this; "
		 "knowing calls cuts the squared forecast error of wins by 4 %. Watch it weekly, but plan no numbers on it yet.");
	rows[6].units = 25;
	rows[6].differenced = rows[6].ranked = false;
	rows[6].season = rows[6].controls = 0;
	rows[6].p_strict = 0.3;
	rows[6].r_pooled = NAN;
	says(rows, 9, "calls", "wins", "week",
		 "Within 4 weeks, no evidence that changes in calls lead or follow changes in wins: at the clearest lag, calls 2 weeks earlier, "
		 "r = 0.21 (0.17 to 0.25), adjusted p = 0.30, same sign for all 25 units (300 unit-weeks); "
		 "at first sight p = 0.001, but swings that grow with the size of a unit, or few events, explain it. Do not steer by it.");

	/* the list of what was done, there and back */
	{
		AmLeadLagRow back = strong;
		char		method[128];

		rows[6].season = 7;
		rows[6].differenced = true;
		rows[6].controls = 1;
		rows[6].order = 12;
		am_lead_lag_method(&rows[6], method, sizeof(method));
		am_lead_lag_read_method(&back, method);
		ok(strcmp(method, "season 7, differenced, 1 control, AR(12)") == 0 && back.season == 7 && back.differenced && !back.ranked &&
		   back.controls == 1 && back.order == 12, "method: %s", method);
		am_lead_lag_read_method(&back, "ranks, nothing known, season -3, AR(x), , differencedly");
		ok(back.ranked && back.season == 0 && !back.differenced && back.controls == 0 && back.order == 0, "what is not a method is left out");
		am_lead_lag_method(&strong, method, sizeof(method));
		ok(method[0] == '\0', "nothing done, nothing said");
	}

	/* cut off anywhere, the text stays within its buffer and ends between characters */
	blank(rows, 4);
	for (size = 0; size <= sizeof(small); size++)
	{
		size_t		i,
					n;

		memset(small, '#', sizeof(small));
		am_lead_lag_sentence(rows, 9, AM_LL_NO_EVIDENCE, 4, "Gespr\303\244che \342\202\254\360\237\230\200\303\244\303\244\303\244", "y", "week", small, size);
		for (i = size; i < sizeof(small); i++)
			good = good && small[i] == '#';
		if (size == 0)
			continue;
		n = strlen(small);
		good = good && n < size && n + 4 >= size;
		for (i = 0; i < n;)
		{
			unsigned char c = (unsigned char) small[i];

			i += c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
		}
		good = good && i == n;
	}
	ok(good, "a short buffer");
}

static void
test_default_max_lag(void)
{
	static const int want[][2] = {{1, 1}, {7, 1}, {8, 2}, {19, 4}, {20, 5}, {47, 11}, {48, 12}, {500, 12}};
	bool		good = true;
	int			i,
				t;

	for (i = 0; i < 8; i++)
	{
		AmPanel		panel;

		build.n = 0;
		put(&build, 0, 3, 1, 1);
		for (t = 0; t < want[i][0]; t++)
			put(&build, 1, t - 100, t, t);
		put(&build, 2, 99, 1, 1);
		panel = panel_of(&build);
		good = good && am_lead_lag_default_max_lag(&panel) == want[i][1];
	}
	ok(good, "default max lag: a quarter of the longest unit, 1 to 12");
}

int
main(void)
{
	test_golden();
	test_golden_granger();
	test_golden_series("longley_gnp_emp", true);
	test_golden_series("syn_lead3", false);
	test_golden_gain();
	test_ground_truth();
	test_ground_truth_shipped();
	test_golden_prewhitened();
	test_twin(8000);
	test_planted();
	test_invariance();
	test_scale();
	test_degenerate();
	test_season_that_scales();
	test_differences_and_ranks();
	test_controls();
	test_golden_partial();
	test_services();
	test_verdicts();
	test_sentences();
	test_default_max_lag();
	return done_testing();
}
