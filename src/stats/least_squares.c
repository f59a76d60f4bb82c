/*
 * See least_squares.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <float.h>
#include <string.h>

#include "common/am_host.h"
#include "stats/least_squares.h"
#include "stats/series.h"

/* a column of which no more than this is new is spanned by those before it */
#define DEPENDENT		1e-12

/* what is no wider than so many units of the rounding of its values is nothing */
#define ROUNDING		8

#define FEWEST_ROWS		64		/* of a block */

/*
 * The triangle has k + 1 columns, y being the last, of k + 1 rows each.  Its
 * corner ends as the length of the residuals.
 */
static inline double *
at(const AmLeastSquares *fit, int row, int column)
{
	return &fit->triangle[(size_t) column * (fit->k + 1) + row];
}

/*
 * Transforms the triangle and the rows below it into a triangle.  Row j of the
 * triangle and the block are all that column j is not yet 0 in.
 */
static void
fold_block(AmLeastSquares *fit, double *block, size_t rows)
{
	int			k = fit->k;
	int			j,
				c;

	for (j = 0; j <= k; j++)
	{
		double	   *v = block + (size_t) j * rows;
		double		below = 0;
		double		corner = *at(fit, j, j);
		double		v0,
					length;
		size_t		i;

		for (i = 0; i < rows; i++)
			below += v[i] * v[i];
		if (below == 0)
			continue;
		length = sqrt(corner * corner + below);
		if (corner > 0)
			length = -length;
		/* of one sign: nothing cancels */
		v0 = corner - length;
		*at(fit, j, j) = length;
		for (c = j + 1; c <= k; c++)
		{
			double	   *w = block + (size_t) c * rows;
			double		dot = v0 * *at(fit, j, c);

			for (i = 0; i < rows; i++)
				dot += v[i] * w[i];
			dot *= 2 / (v0 * v0 + below);
			*at(fit, j, c) -= dot * v0;
			for (i = 0; i < rows; i++)
				w[i] -= dot * v[i];
		}
		AM_CHECK_INTERRUPTS();
	}
}

/* triangle' z = w, over w */
static void
solve_transposed(const AmLeastSquares *fit, double *w)
{
	int			i,
				j;

	for (j = 0; j < fit->k; j++)
	{
		for (i = 0; i < j; i++)
			w[j] -= *at(fit, i, j) * w[i];
		w[j] /= *at(fit, j, j);
	}
}

static double
length_of(const double *w, int k)
{
	double		sum = 0;

	while (k-- > 0)
		sum += w[k] * w[k];
	return sqrt(sum);
}

/* of an estimate whose variance is (length of z)^2 times that of the residuals */
static double
error_of(const AmLeastSquares *fit, double length)
{
	return fit->df > 0 ? ldexp(sqrt(fit->rss / fit->df) * length, fit->exponent) : NAN;
}

static void
solve(AmLeastSquares *fit, const AmColumn *columns, const AmColumn *y)
{
	int			k = fit->k;
	double	   *w = (double *) am_host_alloc((k + 1) * sizeof(double));
	double		constant = am_column_mean(y);
	int			i,
				j;

	for (j = k - 1; j >= 0; j--)
	{
		w[j] = fit->effect[j];
		for (i = j + 1; i < k; i++)
			w[j] -= *at(fit, j, i) * w[i];
		w[j] /= *at(fit, j, j);
	}
	for (j = 0; j < k; j++)
	{
		fit->coefficient[j + 1] = ldexp(w[j], fit->exponent - fit->column_exponent[j]);
		constant -= fit->coefficient[j + 1] * am_column_mean(&columns[j]);
	}
	fit->coefficient[0] = constant;

	for (j = 0; j < k; j++)
	{
		memset(w, 0, k * sizeof(double));
		w[j] = 1;
		solve_transposed(fit, w);
		fit->error[j + 1] = ldexp(error_of(fit, length_of(w, k)), -fit->column_exponent[j]);
		AM_CHECK_INTERRUPTS();
	}
	/* the constant is the fit at 0, which lies as many means away */
	for (j = 0; j < k; j++)
		w[j] = ldexp(am_column_mean(&columns[j]), -fit->column_exponent[j]);
	solve_transposed(fit, w);
	fit->error[0] = error_of(fit, hypot(length_of(w, k), 1 / sqrt((double) fit->n)));
	am_host_free(w);
}

bool
am_least_squares(AmLeastSquares *fit, const double *const *columns, int k, const double *y, size_t n)
{
	AmColumn   *read = (AmColumn *) am_host_alloc((k + 1) * sizeof(AmColumn));
	size_t		block_rows = k < FEWEST_ROWS / 2 ? FEWEST_ROWS : 2 * (size_t) k;
	double	   *block;
	bool		finite = true;
	size_t		start,
				i;
	int			j;

	fit->n = n;
	fit->k = k;
	fit->rank = 0;
	fit->df = (double) n - k - 1;
	fit->exponent = 0;
	fit->tss = fit->rss = fit->rounding = NAN;
	fit->effect = (double *) am_host_alloc((k + 1) * sizeof(double));
	fit->coefficient = (double *) am_host_alloc((k + 1) * sizeof(double));
	fit->error = (double *) am_host_alloc((k + 1) * sizeof(double));
	fit->triangle = (double *) am_host_alloc((size_t) (k + 1) * (k + 1) * sizeof(double));
	fit->column_exponent = (int *) am_host_alloc((k + 1) * sizeof(int));
	memset(fit->triangle, 0, (size_t) (k + 1) * (k + 1) * sizeof(double));
	for (j = 0; j <= k; j++)
	{
		fit->effect[j] = fit->coefficient[j] = fit->error[j] = NAN;
		if (am_column_read(&read[j], j < k ? columns[j] : y, n) == AM_COLUMN_NOT_FINITE)
			finite = false;
		fit->column_exponent[j] = read[j].exponent;
	}
	if (!finite || n == 0)
	{
		am_host_free(read);
		return false;
	}

	block = (double *) am_host_alloc((k + 1) * block_rows * sizeof(double));
	for (start = 0; start < n; start += block_rows)
	{
		size_t		rows = n - start < block_rows ? n - start : block_rows;

		for (j = 0; j <= k; j++)
			for (i = 0; i < rows; i++)
				block[j * rows + i] = am_deviation(&read[j], start + i);
		fold_block(fit, block, rows);
	}
	am_host_free(block);

	fit->exponent = read[k].exponent;
	fit->tss = read[k].squares;
	for (j = 0; j < k; j++)
		fit->effect[j] = *at(fit, j, k);
	fit->rss = *at(fit, k, k) * *at(fit, k, k);
	fit->rounding = n * pow(ROUNDING * read[k].granularity, 2);
	if (fit->rss <= fit->rounding)
		fit->rss = 0;
	while (fit->rank < k && fit->rank + 1 < n)
	{
		const AmColumn *column = &read[fit->rank];
		double		added = fabs(*at(fit, fit->rank, fit->rank));

		if (added <= DEPENDENT * sqrt(column->squares) || added <= ROUNDING * column->granularity * sqrt((double) n))
			break;
		fit->rank++;
	}
	if (fit->rank == k)
		solve(fit, read, &read[k]);
	am_host_free(read);
	return fit->rank == k;
}

void
am_least_squares_free(AmLeastSquares *fit)
{
	am_host_free(fit->effect);
	am_host_free(fit->coefficient);
	am_host_free(fit->error);
	am_host_free(fit->triangle);
	am_host_free(fit->column_exponent);
}

double
am_ls_rss_of_first(const AmLeastSquares *fit, int m)
{
	/* from the end: the smallest terms tend to be there */
	double		rss = fit->rss;
	int			j;

	for (j = fit->k - 1; j >= m; j--)
		rss += fit->effect[j] * fit->effect[j];
	return rss <= fit->rounding ? 0 : rss;
}

void
am_ls_combination(const AmLeastSquares *fit, const double *weights, double *value, double *error)
{
	double	   *w;
	int			top = 0;
	int			j;

	*value = *error = NAN;
	if (fit->rank < fit->k)
		return;
	w = (double *) am_host_alloc((fit->k + 1) * sizeof(double));
	*value = 0;
	for (j = 0; j < fit->k; j++)
	{
		*value += weights[j] * fit->coefficient[j + 1];
		if (j == 0 || -fit->column_exponent[j] > top)
			top = -fit->column_exponent[j];
	}
	for (j = 0; j < fit->k; j++)
		w[j] = ldexp(weights[j], -fit->column_exponent[j] - top);
	solve_transposed(fit, w);
	*error = ldexp(error_of(fit, length_of(w, fit->k)), top);
	am_host_free(w);
}

void
am_ls_direction(const AmLeastSquares *fit, const double *weights, double *direction)
{
	int			i,
				j;

	for (j = 0; j < fit->k; j++)
		direction[j] = ldexp(weights[j], -fit->column_exponent[j]);
	solve_transposed(fit, direction);
	for (j = fit->k - 1; j >= 0; j--)
	{
		for (i = j + 1; i < fit->k; i++)
			direction[j] -= *at(fit, j, i) * direction[i];
		direction[j] /= *at(fit, j, j);
	}
	for (j = 0; j < fit->k; j++)
		direction[j] = ldexp(direction[j], -fit->column_exponent[j]);
}

double
am_partial_correlation(const double *x, const double *y, const double *const *controls, int n_controls, size_t n)
{
	const double **columns = (const double **) am_host_alloc((n_controls + 1) * sizeof(double *));
	AmLeastSquares fit;
	double		left = NAN;
	double		r = NAN;
	int			j;

	for (j = 0; j < n_controls; j++)
		columns[j] = controls[j];
	columns[n_controls] = x;
	if (am_least_squares(&fit, columns, n_controls + 1, y, n))
	{
		left = am_ls_rss_of_first(&fit, n_controls);
		/* x is what it is after the controls only up to the sign of its corner */
		if (left > DEPENDENT * DEPENDENT * fit.tss)
			r = copysign(1, *at(&fit, n_controls, n_controls)) * fit.effect[n_controls] / sqrt(left);
	}
	am_least_squares_free(&fit);
	am_host_free(columns);
	return am_clamp_r(r);
}
