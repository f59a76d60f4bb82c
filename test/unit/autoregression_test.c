/*
 * Autocorrelations and autoregressions against golden values and the
 * definitions, written the slow way.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "series_data.h"

#include "stats/autoregression.h"

#define MAX_ORDER 40

/* NAME, a series, or NAME:x, that of a pair, transformed */
static size_t
read_any(const char *dataset, const char *how, double *x)
{
	static double y[MAX_N];
	char		name[64];
	char	   *colon;
	size_t		n;

	snprintf(name, sizeof(name), "%s", dataset);
	colon = strchr(name, ':');
	if (colon)
		*colon = '\0';
	n = colon ? read_series("golden/data/pairs.csv", name, x, y) : read_series("golden/data/series.csv", name, x, NULL);
	return transform(how, x, n);
}

static void
test_golden_acf(void)
{
	static double x[MAX_N];
	double		acf[MAX_ORDER],
				partial[MAX_ORDER];
	char		dataset[64] = "";
	Golden		golden;
	double		worst = 0,
				worst_partial = 0;

	if (!golden_open(&golden, "acf.csv", 4))
		return;
	while (golden_next(&golden))
	{
		int			lag = atoi(golden.field[1]);

		if (strcmp(dataset, golden.field[0]) != 0)
		{
			size_t		n;

			snprintf(dataset, sizeof(dataset), "%s", golden.field[0]);
			n = read_any(dataset, "level", x);
			am_acf(x, n, 24, acf);
			am_pacf(x, n, 24, partial);
		}
		worst = fmax(worst, off(acf[lag], golden_number(&golden, 2), 1e-13));
		/* nist_numacc3, a swing between two values, has partial ones that its autocorrelations in double precision do not tell */
		worst_partial = fmax(worst_partial, off(partial[lag], golden_number(&golden, 3), 1e-13));
	}
	ok(golden.rows == 302 && worst < 1e-11, "golden: %d autocorrelations, worst relative error %.1e", golden.rows, worst);
	ok(worst_partial < 1e-9, "golden: partial autocorrelations, worst relative error %.1e", worst_partial);
}

static void
test_golden_fits(AmArMethod method, const char *prefix, int expected)
{
	static double x[MAX_N];
	char		name[64];
	bool		transformed = method == AM_AR_YULE_WALKER;
	int			at = transformed ? 2 : 1;
	Golden		golden;
	double		worst = 0,
				worst_phi = 0,
				worst_aic = 0;
	bool		orders = true;
	int			coefficients = 0;

	snprintf(name, sizeof(name), "%s.csv", prefix);
	if (!golden_open(&golden, name, at + 5))
		return;
	while (golden_next(&golden))
	{
		const char *how = transformed ? golden.field[1] : "level";
		size_t		n = read_any(golden.field[0], how, x);
		double		atol = 0;
		AmAutoregression ar;
		Golden		other;

		am_autoregression(&ar, x, n, am_ar_default_order(n), method);
		for (size_t t = 0; t < n; t++)
			atol = fmax(atol, 1e-13 * fabs(x[t]));
		orders = orders && n == golden_number(&golden, at) && ar.order_max == golden_number(&golden, at + 1) &&
			ar.order == golden_number(&golden, at + 2);
		worst = fmax(worst, off(ar.mean, golden_number(&golden, at + 3), atol));
		worst = fmax(worst, off(ar.var_pred, golden_number(&golden, at + 4), 0));

		snprintf(name, sizeof(name), "%s_coef.csv", prefix);
		golden_open(&other, name, at + 2);
		while (golden_next(&other))
			if (strcmp(other.field[0], golden.field[0]) == 0 && (!transformed || strcmp(other.field[1], how) == 0))
			{
				worst_phi = fmax(worst_phi, off(ar.phi[atoi(other.field[at]) - 1], golden_number(&other, at + 1), 1e-13));
				coefficients++;
			}
		if (transformed)
		{
			golden_open(&other, "ar_yw_aic.csv", 5);
			while (golden_next(&other))
				if (strcmp(other.field[0], golden.field[0]) == 0 && strcmp(other.field[1], how) == 0)
				{
					int			order = atoi(other.field[2]);

					worst_aic = fmax(worst_aic, off(ar.aic[order], golden_number(&other, 3), 1e-10));
					worst_aic = fmax(worst_aic, off(ar.variance[order], golden_number(&other, 4), 0));
				}
		}
		am_autoregression_free(&ar);
	}
	ok(golden.rows == expected && orders, "golden: %s, the orders of %d series", prefix, golden.rows);
	ok(worst < 1e-9, "golden: %s, mean and variance, worst relative error %.1e", prefix, worst);
	ok(coefficients > 0 && worst_phi < 1e-8, "golden: %s, %d coefficients, worst relative error %.1e", prefix, coefficients, worst_phi);
	if (transformed)
		ok(worst_aic < 1e-8, "golden: %s, AIC and variance of every order, worst relative error %.1e", prefix, worst_aic);
}

static void
test_literals(void)
{
	double		acf[4],
				partial[4];
	AmAutoregression ar;

	am_acf(lh, N_LH, 3, acf);
	am_pacf(lh, N_LH, 3, partial);
	ok(acf[0] == 1 && close_to(acf[1], 0.5755244755244755, 1e-13, 0) && close_to(acf[3], -0.14475524475524473, 1e-13, 0),
	   "golden values: autocorrelation of lh");
	ok(isnan(partial[0]) && close_to(partial[2], -0.22340997286429734, 1e-12, 0) && close_to(partial[3], -0.22694020165024137, 1e-12, 0),
	   "golden values: partial autocorrelation of lh");
	ok(am_autoregression(&ar, lh, N_LH, am_ar_default_order(N_LH), AM_AR_YULE_WALKER) && ar.order == 3 && ar.order_max == 16 &&
	   close_to(ar.phi[0], 0.65340167869163901, 1e-12, 0) && close_to(ar.phi[1], -0.063620836087461663, 1e-11, 0) &&
	   close_to(ar.phi[2], -0.22694020165024137, 1e-12, 0) && close_to(ar.var_pred, 0.19586709410861847, 1e-12, 0) &&
	   close_to(ar.mean, 2.4, 1e-15, 0) && ar.aic[3] == 0 && close_to(ar.aic[0], 18.306664530703504, 1e-12, 0),
	   "golden values: Yule-Walker of lh");
	am_autoregression_free(&ar);
	ok(am_autoregression(&ar, lh, N_LH, 16, AM_AR_BURG) && ar.order == 3 && close_to(ar.phi[0], 0.65879114296854924, 1e-12, 0) &&
	   close_to(ar.phi[2], -0.2233733199432984, 1e-12, 0) && close_to(ar.var_pred, 0.17864648983245676, 1e-12, 0),
	   "golden values: Burg of lh");
	am_autoregression_free(&ar);
	ok(am_ar_default_order(0) == 0 && am_ar_default_order(1) == 0 && am_ar_default_order(2) == 1 && am_ar_default_order(12) == 10 &&
	   am_ar_default_order(1000) == 30, "default orders");
}

/* the Yule-Walker equations by elimination */
static void
slow_yule_walker(const double *acf, int order, double *phi)
{
	long double a[MAX_ORDER][MAX_ORDER + 1];
	int			i,
				j,
				m;

	for (i = 0; i < order; i++)
	{
		for (j = 0; j < order; j++)
			a[i][j] = acf[abs(i - j)];
		a[i][order] = acf[i + 1];
	}
	/* positive definite: no pivots needed */
	for (i = 0; i < order; i++)
		for (m = 0; m < order; m++)
			if (m != i)
			{
				long double times = a[m][i] / a[i][i];

				for (j = i; j <= order; j++)
					a[m][j] -= times * a[i][j];
			}
	for (i = 0; i < order; i++)
		phi[i] = (double) (a[i][order] / a[i][i]);
}

static void
test_random(void)
{
	static double x[1000],
				left[1000];
	double		acf[MAX_ORDER + 1],
				partial[MAX_ORDER + 1],
				phi[MAX_ORDER];
	double		worst = 0,
				worst_acf = 0,
				worst_filter = 0,
				worst_burg = 0;
	bool		scaled_same = true;

	for (int n = 20; n <= 1000; n = n * 3 / 2)
	{
		AmAutoregression ar,
					scaled;
		long double mean = 0,
					squares = 0;

		for (int t = 0; t < n; t++)
		{
			x[t] = draw() + (t > 1 ? 1.2 * x[t - 1] - 0.5 * x[t - 2] : 0) + 3;
			mean += x[t];
		}
		mean /= n;
		for (int t = 0; t < n; t++)
			squares += (x[t] - mean) * (x[t] - mean);
		am_acf(x, n, 15, acf);
		for (int k = 0; k <= 15; k++)
		{
			long double sum = 0;

			for (int t = k; t < n; t++)
				sum += (x[t] - mean) * (x[t - k] - mean);
			worst_acf = fmax(worst_acf, fabs(acf[k] - (double) (sum / squares)));
		}
		am_pacf(x, n, 15, partial);
		for (int k = 1; k <= 15; k++)
		{
			slow_yule_walker(acf, k, phi);
			worst = fmax(worst, fabs(partial[k] - phi[k - 1]));
		}
		am_autoregression(&ar, x, n, 15, AM_AR_YULE_WALKER);
		slow_yule_walker(acf, ar.order, phi);
		for (int k = 0; k < ar.order; k++)
			worst = fmax(worst, fabs(ar.phi[k] - phi[k]));
		am_ar_filter(ar.phi, ar.order, x, n, left);
		for (int t = ar.order; t < n; t++)
		{
			long double value = x[t] - mean;

			for (int k = 1; k <= ar.order; k++)
				value -= ar.phi[k - 1] * (x[t - k] - mean);
			worst_filter = fmax(worst_filter, fabs(left[t - ar.order] - (double) value));
		}
		for (int t = 0; t < n; t++)
			left[t] = ldexp(x[t], 1000);
		am_autoregression(&scaled, left, n, 15, AM_AR_YULE_WALKER);
		scaled_same = scaled_same && scaled.order == ar.order && (ar.order == 0 || scaled.phi[ar.order - 1] == ar.phi[ar.order - 1]) &&
			scaled.aic[7] == ar.aic[7];
		am_autoregression_free(&scaled);
		am_autoregression_free(&ar);

		/* of order 1 Burg's coefficient has a closed form */
		am_autoregression(&ar, x, n, 1, AM_AR_BURG);
		if (ar.order == 1)
		{
			long double products = 0,
						both = 0;

			for (int t = 1; t < n; t++)
			{
				products += (x[t] - mean) * (x[t - 1] - mean);
				both += (x[t] - mean) * (x[t] - mean) + (x[t - 1] - mean) * (x[t - 1] - mean);
			}
			worst_burg = fmax(worst_burg, fabs(ar.phi[0] - (double) (2 * products / both)));
		}
		am_autoregression_free(&ar);
	}
	ok(worst_acf < 1e-13, "random series: autocorrelation as the definition, worst %.1e", worst_acf);
	ok(worst < 1e-11, "random series: the equations hold, worst %.1e", worst);
	ok(worst_filter < 1e-12, "random series: the filter as the definition, worst %.1e", worst_filter);
	ok(worst_burg < 1e-13, "random series: Burg of order 1, worst %.1e", worst_burg);
	ok(scaled_same, "times 2^1000: the same");
}

static void
test_degenerate(void)
{
	static const double constant[] = {0.1, 0.1, 0.1, 0.1, 0.1};
	static const double bad[] = {1, 2, NAN, 3};
	static const double two[] = {1, 2};
	double		swing[40],
				acf[50],
				partial[50],
				left[40];
	AmAutoregression ar;
	bool		none;

	am_acf(constant, 5, 2, acf);
	ok(isnan(acf[0]) && isnan(acf[2]), "a constant has no autocorrelation");
	am_acf(bad, 4, 1, acf);
	ok(isnan(acf[0]), "nor what is not finite");
	am_acf(two, 2, 4, acf);
	ok(acf[0] == 1 && acf[1] == -0.5 && acf[2] == 0 && acf[4] == 0, "lags beyond the series are 0");
	none = !am_autoregression(&ar, constant, 5, 3, AM_AR_YULE_WALKER);
	ok(none && ar.order == 0 && isnan(ar.var_pred) && isnan(ar.mean), "a constant has no autoregression");
	am_autoregression_free(&ar);
	none = !am_autoregression(&ar, constant, 0, 3, AM_AR_BURG);
	ok(none && ar.order == 0 && ar.order_max == 0, "nor no values");
	am_autoregression_free(&ar);
	none = !am_autoregression(&ar, bad, 4, 3, AM_AR_BURG);
	ok(none, "nor what is not finite");
	am_autoregression_free(&ar);
	ok(am_autoregression(&ar, two, 2, 9, AM_AR_YULE_WALKER) && ar.order_max == 1 && ar.order == 0, "two values");
	am_autoregression_free(&ar);

	for (int t = 0; t < 40; t++)
		swing[t] = t % 2 ? 0.3 : 0.1;
	am_pacf(swing, 40, 39, partial);
	ok(fabs(partial[39]) <= 1, "partial autocorrelations of a swing stay within 1");
	ok(am_autoregression(&ar, swing, 40, 15, AM_AR_BURG) && ar.order == 0 && isnan(ar.aic[1]) && isnan(ar.phi[0]) == 0,
	   "Burg finds that a swing leaves nothing, and takes no order that does");
	am_autoregression_free(&ar);
	left[0] = -1;
	am_ar_filter(left, 1, swing, 40, left + 1);
	ok(left[1] == 0 && left[39] == 0, "what a filter leaves of a swing is 0, not rounding");
	am_ar_filter(lh, 0, constant, 5, left);
	ok(left[0] == 0 && left[4] == 0, "of a constant too");
}

int
main(void)
{
	test_golden_acf();
	test_golden_fits(AM_AR_YULE_WALKER, "ar_yw", 27);
	test_golden_fits(AM_AR_BURG, "ar_burg", 10);
	test_literals();
	test_random();
	test_degenerate();
	return done_testing();
}
