/*
 * See granger.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "common/am_host.h"
#include "stats/distributions.h"
#include "stats/granger.h"
#include "stats/least_squares.h"
#include "stats/series.h"

/* a regressor of which no more than this is new has no coefficient of its own */
#define COLLINEAR		1e-9

/* what is no wider than so many units of the rounding of its values is nothing */
#define ROUNDING		8

static int
as_order(size_t order)
{
	return order > INT_MAX ? INT_MAX : (int) order;
}

int
am_granger_largest_order(size_t n)
{
	return n < 5 ? 0 : as_order((n - 2) / 3);
}

static const double **
new_columns(int k)
{
	return (const double **) am_host_alloc((size_t) k * sizeof(double *));
}

bool
am_granger(const double *x, const double *y, size_t n, int order, AmGranger *granger)
{
	const double **columns = new_columns(2 * order);
	AmLeastSquares fit;
	bool		defined;
	double		gained = 0;
	int			j;

	for (j = 0; j < order; j++)
	{
		columns[j] = y + order - 1 - j;
		columns[order + j] = x + order - 1 - j;
	}
	granger->n = n - order;
	granger->df1 = order;
	granger->df2 = (double) n - 3.0 * order - 1;
	granger->rss_own = granger->rss_with_x = granger->f = granger->p = NAN;
	granger->chi2_wald = granger->p_wald = granger->chi2_ssr = granger->p_ssr = granger->lr = granger->p_lr = NAN;

	defined = am_least_squares(&fit, columns, 2 * order, y + order, granger->n);
	if (defined)
	{
		double		ratio;

		/* not as a difference, which cancels */
		for (j = order; j < 2 * order; j++)
			gained += fit.effect[j] * fit.effect[j];
		granger->rss_own = am_ls_rss(&fit, fit.rss + gained);
		granger->rss_with_x = am_ls_rss(&fit, fit.rss);
		ratio = fit.rss > 0 || gained > 0 ? gained / fit.rss : NAN;
		granger->f = ratio * (granger->df2 / granger->df1);
		granger->chi2_wald = ratio * granger->df2;
		granger->chi2_ssr = ratio * granger->n;
		granger->lr = granger->n * log1p(ratio);
		if (isinf(ratio))
			granger->p = granger->p_wald = granger->p_ssr = granger->p_lr = 0;
		else
		{
			granger->p = am_f_sf(granger->f, granger->df1, granger->df2);
			granger->p_wald = am_chi2_sf(granger->chi2_wald, granger->df1);
			granger->p_ssr = am_chi2_sf(granger->chi2_ssr, granger->df1);
			granger->p_lr = am_chi2_sf(granger->lr, granger->df1);
		}
	}
	am_least_squares_free(&fit);
	am_host_free(columns);
	return defined;
}

static void
mark_best(AmGrangerOrder *rows, int max_order)
{
	AmGrangerOrder *aic = NULL,
			   *bic = NULL,
			   *hq = NULL;
	int			p;

	for (p = 1; p <= max_order; p++)
	{
		AmGrangerOrder *row = &rows[p];

		if (isnan(row->aic))
			continue;
		if (!aic || row->aic < aic->aic)
			aic = row;
		if (!bic || row->bic < bic->bic)
			bic = row;
		if (!hq || row->hq < hq->hq)
			hq = row;
	}
	if (aic)
		aic->best_aic = bic->best_bic = hq->best_hq = true;
}

void
am_granger_orders(const double *x, const double *y, size_t n, int max_order, AmGrangerOrder *rows)
{
	const double **columns = new_columns(2 * max_order);
	size_t		n_common = n - max_order;
	AmLeastSquares fit;
	int			p;

	/* each order adds two columns to the one before: one fit has them all */
	for (p = 1; p <= max_order; p++)
	{
		columns[2 * p - 2] = y + max_order - p;
		columns[2 * p - 1] = x + max_order - p;
	}
	am_least_squares(&fit, columns, 2 * max_order, y + max_order, n_common);
	for (p = 0; p <= max_order; p++)
	{
		AmGrangerOrder *row = &rows[p];
		double		k = 2.0 * p + 1;
		double		log_n = log((double) n_common);

		row->order = p;
		row->n = n_common;
		row->rss = row->aic = row->bic = row->hq = NAN;
		row->best_aic = row->best_bic = row->best_hq = false;
		if (2 * p <= fit.rank && !isnan(fit.tss))
		{
			double		left = am_ls_rss_of_first(&fit, 2 * p);
			double		fitted = left > 0 ?
				n_common * (log(left / n_common) + 2 * fit.exponent * log(2)) : NAN;

			row->rss = am_ls_rss(&fit, left);
			row->aic = fitted + 2 * k;
			row->bic = fitted + k * log_n;
			row->hq = fitted + 2 * k * log(log_n);
		}
	}
	mark_best(rows, max_order);
	am_least_squares_free(&fit);
	am_host_free(columns);
}

int
am_forecast_largest_order(size_t n)
{
	size_t		first = (n + 1) / 2;

	/* first - order rows for 2 order + 1 coefficients, and one to spare */
	return first < 5 ? 0 : as_order((first - 2) / 3);
}

/*
 * The triangle that orthogonal transformations make of the rows so far: a
 * constant, the lags of y, those of x, and y itself as the last column.  The
 * leading part of it belongs to the model without x.
 */
typedef struct Triangle
{
	int			k;				/* columns without the last */
	double	   *cell;			/* k rows of k + 1 */
	double	   *coefficient;
} Triangle;

static inline double *
cell(const Triangle *triangle, int row, int column)
{
	return &triangle->cell[(size_t) row * (triangle->k + 1) + column];
}

/* Givens rotations; the row is used up */
static void
add_row(Triangle *triangle, double *row)
{
	int			i,
				j;

	for (i = 0; i < triangle->k; i++)
	{
		double		corner = *cell(triangle, i, i);
		double		length = hypot(corner, row[i]);
		double		cosine,
					sine;

		if (row[i] == 0)
			continue;
		cosine = corner / length;
		sine = row[i] / length;
		for (j = i; j <= triangle->k; j++)
		{
			double		old = *cell(triangle, i, j);

			*cell(triangle, i, j) = cosine * old + sine * row[j];
			row[j] = cosine * row[j] - sine * old;
		}
	}
}

/* do the rows determine every coefficient?  rounding[j] is what that of the values may add to column j, squared */
static bool
determined(const Triangle *triangle, const double *rounding)
{
	int			i,
				j;

	for (j = 0; j < triangle->k; j++)
	{
		double		added = *cell(triangle, j, j) * *cell(triangle, j, j);
		double		squares = added;

		for (i = 0; i < j; i++)
			squares += *cell(triangle, i, j) * *cell(triangle, i, j);
		if (added <= COLLINEAR * COLLINEAR * squares || added <= rounding[j])
			return false;
	}
	return true;
}

/* y as the first m columns foresee it for a row */
static double
forecast(const Triangle *triangle, int m, const double *row)
{
	double	   *b = triangle->coefficient;
	double		y = 0;
	int			i,
				j;

	for (j = m - 1; j >= 0; j--)
	{
		b[j] = *cell(triangle, j, triangle->k);
		for (i = j + 1; i < m; i++)
			b[j] -= *cell(triangle, j, i) * b[i];
		b[j] /= *cell(triangle, j, j);
		y += b[j] * row[j];
	}
	return y;
}

/* mean of m values and its t against 0; NaN if they are fewer than two or all the same */
static double
t_of_mean(const double *values, size_t m)
{
	AmColumn	column;

	if (m < 2 || am_column_read(&column, values, m) != AM_COLUMN_VARIES)
		return NAN;
	return ldexp(am_column_mean(&column), -column.exponent) / sqrt(column.squares / (m - 1) / m);
}

void
am_forecast_gain(const double *x, const double *y, size_t n, int order, AmForecastGain *gain)
{
	AmColumn	cx,
				cy;
	Triangle	triangle;
	double	   *row;
	double	   *rounding;
	double	   *adjusted,
			   *plain;
	double		own_squares = 0,
				with_squares = 0;
	size_t		t;
	int			j;

	memset(gain, 0, sizeof(*gain));
	gain->first = (n + 1) / 2;
	gain->mse_own = gain->mse_with_x = gain->gain = NAN;
	gain->clark_west = gain->p_clark_west = gain->diebold_mariano = gain->p_diebold_mariano = NAN;
	if (am_column_read(&cx, x, n) != AM_COLUMN_VARIES || am_column_read(&cy, y, n) != AM_COLUMN_VARIES)
		return;

	triangle.k = 2 * order + 1;
	triangle.cell = (double *) am_host_alloc((size_t) triangle.k * (triangle.k + 1) * sizeof(double));
	triangle.coefficient = (double *) am_host_alloc(triangle.k * sizeof(double));
	memset(triangle.cell, 0, (size_t) triangle.k * (triangle.k + 1) * sizeof(double));
	row = (double *) am_host_alloc((triangle.k + 1) * sizeof(double));
	rounding = (double *) am_host_alloc(triangle.k * sizeof(double));
	for (j = 0; j < triangle.k; j++)
		rounding[j] = j == 0 ? 0 : n * pow(ROUNDING * (j <= order ? cy : cx).granularity, 2);
	adjusted = (double *) am_host_alloc(n * sizeof(double));
	plain = (double *) am_host_alloc(n * sizeof(double));

	for (t = order; t < n; t++)
	{
		row[0] = 1;
		for (j = 1; j <= order; j++)
		{
			row[j] = am_deviation(&cy, t - j);
			row[order + j] = am_deviation(&cx, t - j);
		}
		row[triangle.k] = am_deviation(&cy, t);
		if (t >= gain->first && determined(&triangle, rounding))
		{
			double		own = forecast(&triangle, order + 1, row);
			double		with = forecast(&triangle, triangle.k, row);
			double		own_error = row[triangle.k] - own;
			double		with_error = row[triangle.k] - with;

			own_squares += own_error * own_error;
			with_squares += with_error * with_error;
			plain[gain->n] = own_error * own_error - with_error * with_error;
			adjusted[gain->n] = plain[gain->n] + (own - with) * (own - with);
			gain->n++;
		}
		add_row(&triangle, row);
		AM_CHECK_INTERRUPTS();
	}

	if (gain->n > 0)
	{
		double		nothing = gain->n * pow(ROUNDING * cy.granularity, 2);

		if (own_squares <= nothing)
			own_squares = 0;
		if (with_squares <= nothing)
			with_squares = 0;
		gain->mse_own = ldexp(own_squares / gain->n, 2 * cy.exponent);
		gain->mse_with_x = ldexp(with_squares / gain->n, 2 * cy.exponent);
		if (own_squares > 0)
		{
			gain->gain = 1 - with_squares / own_squares;
			gain->clark_west = t_of_mean(adjusted, gain->n);
			gain->p_clark_west = am_norm_sf(gain->clark_west);
			gain->diebold_mariano = t_of_mean(plain, gain->n);
			gain->p_diebold_mariano = am_t_two_sided(gain->diebold_mariano, (double) gain->n - 1);
		}
	}
	am_host_free(triangle.cell);
	am_host_free(triangle.coefficient);
	am_host_free(row);
	am_host_free(rounding);
	am_host_free(adjusted);
	am_host_free(plain);
}
