/*
 * Least squares against NIST's certified values, a slow twin and designs
 * without a solution; partial correlation against golden values.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "series_data.h"

#include <float.h>

#include "stats/correlation.h"
#include "stats/distributions.h"
#include "stats/least_squares.h"

#define MAX_K 20

/* columns of a file with a line of names; the wanted ones by name, separated by | */
static size_t
read_wide(const char *file, const char *names, double columns[][64])
{
	const char *path = shared_file(file);
	char		line[512];
	char		wanted[128];
	char	   *field[16];
	char	   *head[16];
	char		first[512];
	size_t		n = 0;
	int			n_fields,
				i;
	FILE	   *f = path ? fopen(path, "r") : NULL;

	if (!f || !fgets(first, sizeof(first), f))
		return 0;
	n_fields = split(first, head, 16);
	while (n < 64 && fgets(line, sizeof(line), f))
	{
		int			c = 0;
		char	   *name;

		split(line, field, 16);
		snprintf(wanted, sizeof(wanted), "%s", names);
		for (name = strtok(wanted, "|"); name; name = strtok(NULL, "|"), c++)
			for (i = 0; i < n_fields; i++)
				if (strcmp(head[i], name) == 0)
					columns[c][n] = number(field[i]);
		n++;
	}
	fclose(f);
	return n;
}

static void
test_golden(void)
{
	static double x[MAX_N],
				y[MAX_N],
				powers[10][MAX_N],
				wide[7][64];
	const double *columns[10];
	double		worst_beta[2] = {0, 0},
				worst_se[2] = {0, 0},
				worst_rss = 0;
	char		dataset[64] = "";
	AmLeastSquares fit;
	Golden		golden;
	bool		open = false;
	bool		full = true;

	if (!golden_open(&golden, "nist_linear.csv", 8))
		return;
	while (golden_next(&golden))
	{
		int			param = atoi(golden.field[2]);
		int			filip = strcmp(golden.field[0], "nist_filip") == 0;

		if (strcmp(dataset, golden.field[0]) != 0)
		{
			int			degree = atoi(golden.field[1]);
			size_t		n;
			size_t		t;
			int			j;

			if (open)
				am_least_squares_free(&fit);
			open = true;
			snprintf(dataset, sizeof(dataset), "%s", golden.field[0]);
			if (degree > 0)
			{
				n = read_series("golden/data/pairs.csv", dataset, x, y);
				for (j = 0; j < degree; j++)
				{
					for (t = 0; t < n; t++)
						powers[j][t] = j == 0 ? x[t] : powers[j - 1][t] * x[t];
					columns[j] = powers[j];
				}
				full = am_least_squares(&fit, columns, degree, y, n) && full;
			}
			else
			{
				n = read_wide("golden/data/wide_nist_longley.csv",
							  "price_deflator|gnp|unemployed|armed|population|year|employed", wide);
				for (j = 0; j < 6; j++)
					columns[j] = wide[j];
				full = am_least_squares(&fit, columns, 6, wide[6], n) && full;
			}
		}
		worst_beta[filip] = fmax(worst_beta[filip], off(fit.coefficient[param], golden_number(&golden, 3), 0));
		worst_se[filip] = fmax(worst_se[filip], off(fit.error[param], golden_number(&golden, 4), 0));
		worst_rss = fmax(worst_rss, off(am_ls_rss(&fit, fit.rss), golden_number(&golden, 7), 0));
	}
	am_least_squares_free(&fit);
	ok(golden.rows == 23 && full && worst_beta[0] < 1e-9 && worst_se[0] < 1e-9,
	   "golden: Norris, Pontius, Longley, worst relative error %.1e, of errors %.1e", worst_beta[0], worst_se[0]);
	ok(worst_beta[1] < 1e-7 && worst_se[1] < 1e-7,
	   "golden: Filip's powers up to 10, worst relative error %.1e, of errors %.1e", worst_beta[1], worst_se[1]);
	ok(worst_rss < 1e-7, "golden: residual sums of squares, worst relative error %.1e", worst_rss);
}

static void
test_partial_golden(void)
{
	static double wide[8][64];
	const double *controls[6];
	Golden		golden;
	double		worst = 0,
				worst_p = 0;

	if (!golden_open(&golden, "partial_correlation.csv", 9))
		return;
	while (golden_next(&golden))
	{
		char		names[128];
		char		file[64];
		size_t		n;
		int			g = 1;
		double		r,
					df;

		for (const char *c = golden.field[3]; *c; c++)
			g += *c == '|';
		snprintf(names, sizeof(names), "%s|%s|%s", golden.field[1], golden.field[2], golden.field[3]);
		snprintf(file, sizeof(file), "golden/data/wide_%s.csv", golden.field[0]);
		n = read_wide(file, names, wide);
		for (int j = 0; j < g; j++)
			controls[j] = wide[2 + j];
		r = am_partial_correlation(wide[0], wide[1], controls, g, n);
		df = (double) n - 2 - g;
		worst = fmax(worst, off(r, golden_number(&golden, 5), 1e-13));
		worst = fmax(worst, off(r * sqrt(df / (1 - r * r)), golden_number(&golden, 6), 1e-13));
		worst_p = fmax(worst_p, off_p(am_correlation_p(r, df), golden_number(&golden, 8)));
	}
	ok(golden.rows == 6 && worst < 1e-10 && worst_p < 1e-10, "golden: %d partial correlations, worst relative error %.1e, of p %.1e",
	   golden.rows, worst, worst_p);
}

static void
test_literals(void)
{
	static const double year[] = {
		1947, 1948, 1949, 1950, 1951, 1952, 1953, 1954, 1955, 1956, 1957, 1958, 1959, 1960, 1961, 1962
	};
	static const double x[] = {1, 2, 3, 4};
	static const double y[] = {6, 5, 7, 10};
	const double *controls[] = {year};
	const double *columns[] = {x};
	AmLeastSquares fit;
	double		value,
				error;
	double		weight = 3;

	ok(close_to(am_partial_correlation(gnp, employed, controls, 1, N_LONGLEY), 0.72824902703925198, 1e-12, 0),
	   "golden value: product and employment, given the year");
	ok(close_to(am_partial_correlation(gnp, employed, NULL, 0, N_LONGLEY), am_pearson(gnp, employed, N_LONGLEY), 1e-14, 0),
	   "without controls it is Pearson's");

	/* y = 3.5 + 1.4 x; residuals 1.1 -1.3 -0.7 0.9 */
	ok(am_least_squares(&fit, columns, 1, y, 4) && close_to(fit.coefficient[0], 3.5, 1e-14, 0) &&
	   close_to(fit.coefficient[1], 1.4, 1e-14, 0) && close_to(am_ls_rss(&fit, fit.rss), 4.2, 1e-14, 0) && fit.df == 2,
	   "four points by hand");
	ok(close_to(fit.error[1], sqrt(2.1 / 5), 1e-14, 0) && close_to(fit.error[0], sqrt(2.1 * (0.25 + 6.25 / 5)), 1e-14, 0),
	   "their standard errors");
	am_ls_combination(&fit, &weight, &value, &error);
	ok(close_to(value, 4.2, 1e-14, 0) && close_to(error, 3 * sqrt(2.1 / 5), 1e-14, 0), "three times the slope");
	ok(close_to(am_ls_rss(&fit, am_ls_rss_of_first(&fit, 0)), 14, 1e-14, 0) && close_to(am_ls_rss(&fit, fit.tss), 14, 1e-14, 0),
	   "without the column");
	am_least_squares_free(&fit);
}

static void
test_random(void)
{
	static double data[MAX_K + 1][MAX_N];
	const double *columns[MAX_K];
	double		slow[MAX_K + 1];
	double		worst = 0,
				worst_rss = 0,
				worst_scaled = 0,
				worst_nested = 0;
	int			runs = 0;
	int			j;

	for (int n = 3; n < 2000; n = n * 3 / 2 + 1)
		for (int k = 1; k <= MAX_K && k < n - 1; k += 1 + k / 2)
		{
			AmLeastSquares fit,
						scaled;
			double		rss;

			for (int t = 0; t < n; t++)
			{
				data[MAX_K][t] = draw();
				for (j = 0; j < k; j++)
				{
					data[j][t] = draw() + 0.5 * data[MAX_K][t];
					columns[j] = data[j];
				}
			}
			am_least_squares(&fit, columns, k, data[MAX_K], n);
			rss = slow_least_squares(columns, k, data[MAX_K], n, slow);
			for (j = 0; j <= k; j++)
				worst = fmax(worst, fabs(fit.coefficient[j] - slow[j]) / (1 + fabs(slow[j])));
			worst_rss = fmax(worst_rss, off(am_ls_rss(&fit, fit.rss), rss, 1e-14));
			worst_nested = fmax(worst_nested, off(am_ls_rss(&fit, am_ls_rss_of_first(&fit, k / 2)),
												  slow_least_squares(columns, k / 2, data[MAX_K], n, slow), 1e-14));

			/* powers of two must not change a digit */
			for (int t = 0; t < n; t++)
			{
				data[MAX_K][t] = ldexp(data[MAX_K][t], 900);
				for (j = 0; j < k; j++)
					data[j][t] = ldexp(data[j][t], j % 2 ? 800 : -800);
			}
			am_least_squares(&scaled, columns, k, data[MAX_K], n);
			for (j = 0; j < k; j++)
			{
				int			up = j % 2 ? 100 : 1700;

				if (ldexp(fit.coefficient[j + 1], up) != scaled.coefficient[j + 1] ||
					ldexp(fit.error[j + 1], up) != scaled.error[j + 1])
					if (isfinite(scaled.coefficient[j + 1]))
						worst_scaled = 1;
			}
			if (scaled.rss != fit.rss)
				worst_scaled = 1;
			am_least_squares_free(&fit);
			am_least_squares_free(&scaled);
			runs++;
		}
	ok(worst < 1e-9 && worst_rss < 1e-9, "%d random designs: as the normal equations, worst %.1e, rss %.1e", runs, worst, worst_rss);
	ok(worst_nested < 1e-9, "and so do the first columns alone, worst %.1e", worst_nested);
	ok(worst_scaled == 0, "columns times 2^800 and 2^-800, y times 2^900: the same to the bit");
}

static void
test_degenerate(void)
{
	double		a[50],
				b[50],
				c[50],
				y[50],
				bad[50];
	const double *two[] = {a, b};
	const double *three[] = {a, c, b};
	const double *dependent[] = {a, b, c};
	const double *ill[] = {a, bad};
	AmLeastSquares fit;
	bool		none;

	for (int t = 0; t < 50; t++)
	{
		a[t] = draw();
		b[t] = 3.7 * a[t] + 0.1;
		c[t] = draw();
		y[t] = draw();
		bad[t] = t == 17 ? NAN : t;
	}
	none = !am_least_squares(&fit, two, 2, y, 50);
	ok(none && fit.rank == 1 && isnan(fit.coefficient[0]) && isnan(fit.error[2]), "a multiple of another column: rank 1");
	am_least_squares_free(&fit);
	none = !am_least_squares(&fit, three, 3, y, 50);
	ok(none && fit.rank == 2, "one column away from it: rank 2");
	am_least_squares_free(&fit);
	for (int t = 0; t < 50; t++)
		c[t] = a[t] + b[t] * 1e-3;
	none = !am_least_squares(&fit, dependent, 3, y, 50);
	ok(none && fit.rank == 1, "sums of others are found");
	am_least_squares_free(&fit);
	for (int t = 0; t < 50; t++)
		b[t] = 0.1;
	none = !am_least_squares(&fit, two, 2, y, 50);
	ok(none && fit.rank == 1, "a constant column");
	am_least_squares_free(&fit);
	none = !am_least_squares(&fit, ill, 2, y, 50);
	ok(none && isnan(fit.rss) && isnan(fit.coefficient[1]), "NaN in a column");
	am_least_squares_free(&fit);
	none = !am_least_squares(&fit, dependent, 3, y, 3);
	ok(none, "fewer rows than coefficients");
	am_least_squares_free(&fit);
	none = !am_least_squares(&fit, two, 1, y, 0);
	ok(none, "no rows");
	am_least_squares_free(&fit);
	ok(am_least_squares(&fit, two, 1, y, 2) && fit.df == 0 && isnan(fit.error[1]) && fit.rss == 0, "two points: a line without errors");
	am_least_squares_free(&fit);
	for (int t = 0; t < 50; t++)
		y[t] = 1e6 + 0.1 * a[t];
	ok(am_least_squares(&fit, two, 1, y, 50) && fit.rss == 0 && close_to(fit.coefficient[1], 0.1, 1e-9, 0), "a line leaves nothing");
	am_least_squares_free(&fit);
	for (int t = 0; t < 50; t++)
		y[t] = 0.1;
	ok(am_least_squares(&fit, two, 1, y, 50) && fit.rss == 0 && fit.coefficient[1] == 0 && fit.coefficient[0] == 0.1, "a constant y");
	am_least_squares_free(&fit);
	ok(am_least_squares(&fit, NULL, 0, a, 50) && close_to(fit.rss, fit.tss, 1e-14, 0) && close_to(am_ls_rss(&fit, fit.rss), 50 * pow(fit.error[0], 2) * 49, 1e-12, 0),
	   "no columns: the mean");
	am_least_squares_free(&fit);

	for (int t = 0; t < 50; t++)
	{
		c[t] = draw();
		y[t] = -2 * c[t] + a[t];
	}
	ok(am_partial_correlation(c, y, two, 1, 50) == -1, "a perfect partial correlation");
	ok(isnan(am_partial_correlation(a, y, two, 1, 50)), "x among the controls");
	ok(isnan(am_partial_correlation(c, a, two, 1, 50)), "y among the controls");
	ok(isnan(am_partial_correlation(c, y, two, 2, 50)) && isnan(am_partial_correlation(b, y, NULL, 0, 50)), "constants");
}

int
main(void)
{
	test_golden();
	test_partial_golden();
	test_literals();
	test_random();
	test_degenerate();
	return done_testing();
}
