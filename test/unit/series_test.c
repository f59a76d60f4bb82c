/*
 * Reading of columns and differences, against the golden moments and by hand.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "series_data.h"

#include <float.h>

#include "stats/series.h"

static void
test_golden(void)
{
	static double x[MAX_N];
	Golden		golden;
	double		worst = 0;

	if (!golden_open(&golden, "univariate.csv", 8))
		return;
	while (golden_next(&golden))
	{
		AmColumn	column;
		size_t		n = read_series("golden/data/series.csv", golden.field[0], x, NULL);

		am_column_read(&column, x, n);
		worst = fmax(worst, off(am_column_mean(&column), golden_number(&golden, 2), 0));
		worst = fmax(worst, off(ldexp(sqrt(column.squares / (n - 1)), column.exponent), golden_number(&golden, 3), 0));
		worst = fmax(worst, off(am_column_products(&column, 0, &column, 1, n - 1) / column.squares, golden_number(&golden, 4), 0));
	}
	ok(golden.rows == 13 && worst < 1e-13, "golden: mean, deviation and lag 1 of %d series, worst relative error %.1e", golden.rows, worst);
}

static void
test_columns(void)
{
	static const double tenths[] = {0.1, 0.1, 0.1, 0.1};
	static const double odd[] = {0.7, 0.7, 0.7000000000000001};
	static const double four[] = {1e9 + 1, 1e9 + 2, 1e9 + 4, 1e9 + 9};
	static const double bad[] = {1, NAN, 2};
	static const double endless[] = {1, 2, -INFINITY};
	static const double wide[] = {DBL_MAX, -DBL_MAX};
	static const double tiny[] = {0, 5e-324, 0, 1e-323};
	AmColumn	column;

	ok(am_column_read(&column, tenths, 4) == AM_COLUMN_CONSTANT && am_column_mean(&column) == 0.1, "a constant 0.1 is constant");
	ok(am_column_read(&column, odd, 3) == AM_COLUMN_VARIES && column.squares > 0, "one value an ulp away is not");
	ok(am_column_read(&column, tenths, 0) == AM_COLUMN_CONSTANT && am_column_read(&column, tenths, 1) == AM_COLUMN_CONSTANT,
	   "none and one value are");
	ok(am_column_read(&column, bad, 3) == AM_COLUMN_NOT_FINITE && am_column_read(&column, endless, 3) == AM_COLUMN_NOT_FINITE,
	   "NaN and infinity are found");
	ok(am_column_read(&column, four, 4) == AM_COLUMN_VARIES && am_column_mean(&column) == 1e9 + 4 &&
	   ldexp(column.squares, 2 * column.exponent) == 38 && ldexp(am_deviation(&column, 0), column.exponent) == -3,
	   "four values with an offset of 1e9, by hand");
	ok(am_column_read(&column, wide, 2) == AM_COLUMN_VARIES && am_column_mean(&column) == 0 && isfinite(column.squares),
	   "the widest column");
	ok(am_column_read(&column, tiny, 4) == AM_COLUMN_VARIES && column.squares > 0 && column.squares <= 4, "the smallest values");
}

static void
test_differences(void)
{
	static const double squares[] = {0, 1, 4, 9, 16, 25, 36};
	double		d[7];
	size_t		n = am_difference(squares, 7, 1, 1, d);

	ok(n == 6 && d[0] == 1 && d[5] == 11, "first differences");
	n = am_difference(squares, 7, 1, 2, d);
	ok(n == 5 && d[0] == 2 && d[4] == 2, "second differences of squares are 2");
	n = am_difference(squares, 7, 3, 1, d);
	ok(n == 4 && d[0] == 9 && d[3] == 27, "at a distance of 3");
	n = am_difference(squares, 7, 3, 2, d);
	ok(n == 1 && d[0] == 18, "the last one possible");
	ok(am_difference(squares, 7, 7, 1, d) == 0 && am_difference(squares, 7, 3, 3, d) == 0 &&
	   am_difference(squares, 0, 1, 1, d) == 0 && am_difference(squares, 7, (size_t) 1 << 62, 8, d) == 0,
	   "none where too few values are left");
	ok(am_difference(squares, 7, 5, 0, d) == 7 && d[6] == 36, "no times: the values");
	memcpy(d, squares, sizeof(d));
	ok(am_difference(d, 7, 2, 1, d) == 5 && d[0] == 4 && d[4] == 20, "in place");
}

int
main(void)
{
	test_golden();
	test_columns();
	test_differences();
	return done_testing();
}
