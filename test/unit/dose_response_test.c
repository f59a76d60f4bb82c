/*
 * Curves of response against golden values, exact curves, and data that fit
 * none.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "series_data.h"

#include "stats/dose_response.h"

/* reaction velocity by concentration of a substrate, cells treated with puromycin (Treloar 1974) */
static const double dose[] = {0.02, 0.02, 0.06, 0.06, 0.11, 0.11, 0.22, 0.22, 0.56, 0.56, 1.10, 1.10};
static const double velocity[] = {76, 47, 97, 107, 123, 139, 159, 152, 191, 201, 207, 200};

static void
test_golden(void)
{
	Golden		golden;
	double		worst = 0;

	if (!golden_open(&golden, "dose_response.csv", 18))
		return;
	while (golden_next(&golden))
	{
		/* where each curve's parameters, rss and AIC stand */
		static const int column[AM_CURVES][5] = {{5, 6, 0, 7, 14}, {11, 12, 0, 13, 15}, {0, 8, 9, 10, 16}, {2, 3, 0, 4, 17}};
		double		x[32],
					y[32];
		char		line[128];
		char	   *field[3];
		size_t		n = 0;
		AmDoseResponse curves[AM_CURVES];
		FILE	   *f = fopen(shared_file("golden/data/dose.csv"), "r");

		while (fgets(line, sizeof(line), f))
			if (split(line, field, 3) == 3 && strcmp(field[0], golden.field[0]) == 0)
			{
				x[n] = number(field[1]);
				y[n++] = number(field[2]);
			}
		fclose(f);
		am_dose_response(x, y, n, curves);
		for (int c = 0; c < AM_CURVES; c++)
		{
			for (int j = 0; j < 3; j++)
				if (column[c][j] > 0)
					worst = fmax(worst, off(curves[c].parameter[j], golden_number(&golden, column[c][j]), 0));
			worst = fmax(worst, off(curves[c].rss, golden_number(&golden, column[c][3]), 0));
			worst = fmax(worst, off(curves[c].aic, golden_number(&golden, column[c][4]), 0));
		}
	}
	ok(golden.rows == 2 && worst < 1e-7, "golden: four curves of %d data sets, worst relative error %.1e", golden.rows, worst);
}

static void
test_literals(void)
{
	AmDoseResponse curves[AM_CURVES];

	am_dose_response(dose, velocity, 12, curves);
	ok(curves[AM_CURVE_SATURATING].best && close_to(curves[AM_CURVE_SATURATING].parameter[0], 212.68374314253606, 1e-12, 0) &&
	   close_to(curves[AM_CURVE_SATURATING].parameter[1], 0.064121281681567069, 1e-12, 0) &&
	   close_to(curves[AM_CURVE_SATURATING].rss, 1195.4488144393592, 1e-12, 0) && isnan(curves[AM_CURVE_SATURATING].parameter[2]),
	   "golden values: saturation");
	ok(close_to(curves[AM_CURVE_LINEAR].aic, 84.149028792066019, 1e-12, 0) && close_to(curves[AM_CURVE_LINEAR].parameter[1], 110.42107672063618, 1e-12, 0) &&
	   close_to(curves[AM_CURVE_QUADRATIC].parameter[2], -225.27159433182536, 1e-11, 0) && close_to(curves[AM_CURVE_LOGARITHMIC].rss, 7374.3256462471809, 1e-12, 0),
	   "golden values: line, logarithm, square");
}

static double
saturating_rss(const double *x, const double *y, int n, double k)
{
	double		zz = 0,
				zy = 0,
				rss = 0;

	for (int i = 0; i < n; i++)
	{
		zz += x[i] / (k + x[i]) * x[i] / (k + x[i]);
		zy += x[i] / (k + x[i]) * y[i];
	}
	for (int i = 0; i < n; i++)
		rss += pow(y[i] - zy / zz * x[i] / (k + x[i]), 2);
	return rss;
}

static void
test_random(void)
{
	double		x[200],
				y[200];
	AmDoseResponse curves[AM_CURVES],
				scaled[AM_CURVES];
	double		worst = 0,
				worst_scaled = 0,
				worst_quadratic = 0;
	int			saturated = 0;

	for (int n = 4; n <= 200; n += 1 + n / 4)
	{
		const double *columns[2];
		double		squares[200];
		double		b[3];
		double		grid = INFINITY;

		for (int i = 0; i < n; i++)
		{
			x[i] = floor(fabs(draw()) * 20) + (i < 2 ? i + 1 : 0);
			y[i] = 50 * x[i] / (5 + x[i]) + draw();
			squares[i] = x[i] * x[i];
		}
		am_dose_response(x, y, n, curves);
		for (double k = 1e-3; k < 1e5; k *= 1.01)
			grid = fmin(grid, saturating_rss(x, y, n, k));
		if (curves[AM_CURVE_SATURATING].defined)
		{
			saturated++;
			worst = fmax(worst, curves[AM_CURVE_SATURATING].rss / grid - 1);
			worst = fmax(worst, off(curves[AM_CURVE_SATURATING].rss, saturating_rss(x, y, n, curves[AM_CURVE_SATURATING].parameter[1]), 0));
		}
		columns[0] = x;
		columns[1] = squares;
		slow_least_squares(columns, 2, y, n, b);
		for (int j = 0; j < 3 && curves[AM_CURVE_QUADRATIC].defined; j++)
			worst_quadratic = fmax(worst_quadratic, fabs(curves[AM_CURVE_QUADRATIC].parameter[j] - b[j]) / (1 + fabs(b[j])));

		for (int i = 0; i < n; i++)
		{
			x[i] = ldexp(x[i], -300);
			y[i] = ldexp(y[i], 400);
		}
		am_dose_response(x, y, n, scaled);
		if (curves[AM_CURVE_SATURATING].defined)
			worst_scaled = fmax(worst_scaled, fmax(off(ldexp(scaled[AM_CURVE_SATURATING].parameter[0], -400), curves[AM_CURVE_SATURATING].parameter[0], 0),
												   off(ldexp(scaled[AM_CURVE_SATURATING].parameter[1], 300), curves[AM_CURVE_SATURATING].parameter[1], 0)));
		worst_scaled = fmax(worst_scaled, off(ldexp(scaled[AM_CURVE_QUADRATIC].parameter[2], -1000), curves[AM_CURVE_QUADRATIC].parameter[2], 0));
	}
	ok(saturated > 10 && worst < 1e-12, "random data: no k of a grid fits better than what was found (%d sets), worst %.1e", saturated, worst);
	ok(worst_quadratic < 1e-10, "random data: the square as by plain regression, worst %.1e", worst_quadratic);
	ok(worst_scaled < 1e-14, "x times 2^-300, y times 2^400: the same, worst %.1e", worst_scaled);
}

static void
test_degenerate(void)
{
	double		x[30],
				y[30],
				constant[30];
	AmDoseResponse curves[AM_CURVES];

	for (int i = 0; i < 30; i++)
	{
		x[i] = i;
		y[i] = 8.0 * i / (3.0 + i);
		constant[i] = 0.1;
	}
	am_dose_response(x, y, 30, curves);
	ok(curves[AM_CURVE_SATURATING].rss == 0 && isnan(curves[AM_CURVE_SATURATING].aic) && curves[AM_CURVE_SATURATING].best &&
	   close_to(curves[AM_CURVE_SATURATING].parameter[1], 3, 1e-12, 0), "an exact curve leaves nothing and is best");
	for (int i = 0; i < 30; i++)
		y[i] = 2 + 3 * x[i];
	am_dose_response(x, y, 30, curves);
	ok(curves[AM_CURVE_LINEAR].best && curves[AM_CURVE_LINEAR].rss == 0 && !curves[AM_CURVE_QUADRATIC].best,
	   "an exact line is best as a line");
	for (int i = 0; i < 30; i++)
		y[i] = x[i] * x[i];
	am_dose_response(x, y, 30, curves);
	ok(!curves[AM_CURVE_SATURATING].defined && isnan(curves[AM_CURVE_SATURATING].aic) && curves[AM_CURVE_QUADRATIC].best,
	   "what rises ever faster does not saturate");
	am_dose_response(constant, y, 30, curves);
	ok(!curves[AM_CURVE_LINEAR].defined && !curves[AM_CURVE_LOGARITHMIC].defined && !curves[AM_CURVE_QUADRATIC].defined &&
	   !curves[AM_CURVE_SATURATING].defined && isnan(curves[AM_CURVE_LINEAR].parameter[0]), "a constant x has no curve");
	am_dose_response(x, constant, 30, curves);
	ok(curves[AM_CURVE_LINEAR].defined && curves[AM_CURVE_LINEAR].parameter[1] == 0 && curves[AM_CURVE_LINEAR].best, "a constant y is a level line");
	x[0] = -1;
	am_dose_response(x, y, 30, curves);
	ok(curves[AM_CURVE_LINEAR].defined && !curves[AM_CURVE_LOGARITHMIC].defined && !curves[AM_CURVE_SATURATING].defined, "x of -1 has no logarithm");
	x[0] = NAN;
	am_dose_response(x, y, 30, curves);
	ok(!curves[AM_CURVE_LINEAR].defined && !curves[AM_CURVE_QUADRATIC].defined && !curves[AM_CURVE_LOGARITHMIC].defined &&
	   !curves[AM_CURVE_SATURATING].defined, "NaN");
	x[0] = 0;
	for (int i = 0; i < 30; i++)
		y[i] = draw();
	for (int n = 0; n < 5; n++)
	{
		am_dose_response(x, y, n, curves);
		if (curves[AM_CURVE_LINEAR].defined != (n > 2) || curves[AM_CURVE_QUADRATIC].defined != (n > 3))
			break;
		if (n == 4)
			ok(true, "too few pairs");
	}
	for (int i = 0; i < 30; i++)
		x[i] = i % 2;
	am_dose_response(x, y, 30, curves);
	ok(curves[AM_CURVE_LINEAR].defined && !curves[AM_CURVE_QUADRATIC].defined && !curves[AM_CURVE_SATURATING].defined,
	   "two doses: a line, no curve");
}

int
main(void)
{
	test_golden();
	test_literals();
	test_random();
	test_degenerate();
	return done_testing();
}
