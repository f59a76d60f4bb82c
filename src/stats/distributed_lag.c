/*
 * See distributed_lag.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "common/am_host.h"
#include "stats/distributed_lag.h"
#include "stats/distributions.h"
#include "stats/least_squares.h"
#include "stats/series.h"

int
am_distributed_lag_largest(size_t n)
{
	size_t		largest;

	/* n - max_lag rows, max_lag + 2 coefficients, one to spare */
	if (n < 3)
		return -1;
	largest = (n - 3) / 2;
	return largest > INT_MAX ? INT_MAX : (int) largest;
}

/*
 * The values at 0 .. max_lag of polynomials of degree 0 .. degree, each
 * orthogonal to the others (Forsythe 1957), so that the degree costs no
 * digits.  basis[d * (max_lag + 1) + k].
 */
static double *
polynomials(int max_lag, int degree)
{
	size_t		m = (size_t) max_lag + 1;
	double	   *basis = (double *) am_host_alloc(((size_t) degree + 1) * m * sizeof(double));
	double		centre = max_lag / 2.0;
	int			d,
				k;

	for (d = 0; d <= degree; d++)
	{
		double	   *now = basis + d * m;
		double		length = 0;

		for (k = 0; k <= max_lag; k++)
			now[k] = d == 0 ? 1 : now[k - (long) m] * (k - centre);
		/* twice is enough (Giraud, Langou & Rozloznik 2005) */
		for (int pass = 0; pass < 2; pass++)
			for (int e = 0; e < d; e++)
			{
				const double *before = basis + e * m;
				double		along = 0;

				for (k = 0; k <= max_lag; k++)
					along += now[k] * before[k];
				for (k = 0; k <= max_lag; k++)
					now[k] -= along * before[k];
			}
		for (k = 0; k <= max_lag; k++)
			length += now[k] * now[k];
		for (k = 0; k <= max_lag; k++)
			now[k] /= sqrt(length);
		AM_CHECK_INTERRUPTS();
	}
	return basis;
}

/* coefficients, their running sums and errors of both; basis: of the columns of fit, by lag, or NULL if these are the lags */
static void
read_fit(AmDistributedLag *lags, const AmLeastSquares *fit, int max_lag, const double *basis)
{
	size_t		m = (size_t) max_lag + 1;
	double	   *weights = (double *) am_host_alloc((fit->k + 1) * sizeof(double));
	double	   *running = (double *) am_host_alloc((fit->k + 1) * sizeof(double));
	double		moment = 0;
	int			j,
				k;

	memset(running, 0, (fit->k + 1) * sizeof(double));
	for (k = 0; k <= max_lag; k++)
	{
		for (j = 0; j < fit->k; j++)
		{
			weights[j] = basis ? basis[j * m + k] : j == k;
			running[j] += weights[j];
		}
		am_ls_combination(fit, weights, &lags->coefficient[k], &lags->error[k]);
		am_ls_combination(fit, running, &lags->cumulative[k], &lags->cumulative_error[k]);
		moment += k * lags->coefficient[k];
		AM_CHECK_INTERRUPTS();
	}
	lags->df = fit->df;
	lags->rss = am_ls_rss(fit, fit->rss);
	lags->mean_lag = moment / lags->cumulative[max_lag];
	am_host_free(weights);
	am_host_free(running);
}

/* fits the restricted coefficients and tests what the restriction costs */
static bool
fit_polynomial(AmDistributedLag *lags, const AmLeastSquares *free_fit, const double *x, const double *y, int max_lag, int degree)
{
	size_t		m = (size_t) max_lag + 1;
	double	   *basis = polynomials(max_lag, degree);
	double	   *sums = (double *) am_host_alloc(((size_t) degree + 1) * lags->n * sizeof(double));
	const double **columns = (const double **) am_host_alloc((degree + 1) * sizeof(double *));
	AmColumn	cx;
	AmLeastSquares fit;
	bool		defined;
	int			d,
				k;
	size_t		t;

	/* a constant taken off every x changes the constant of the model and nothing else */
	am_column_read(&cx, x, lags->n + max_lag);
	for (d = 0; d <= degree; d++)
	{
		columns[d] = sums + d * lags->n;
		for (t = 0; t < lags->n; t++)
		{
			double		sum = 0;

			for (k = 0; k <= max_lag; k++)
				sum += basis[d * m + k] * am_deviation(&cx, t + max_lag - k);
			sums[d * lags->n + t] = ldexp(sum, cx.exponent);
			if (t % 1024 == 0)
				AM_CHECK_INTERRUPTS();
		}
	}
	defined = am_least_squares(&fit, columns, degree + 1, y + max_lag, lags->n);
	if (defined)
	{
		double		restrictions = max_lag - degree;
		double		lost = fit.rss - free_fit->rss;

		read_fit(lags, &fit, max_lag, basis);
		if (restrictions > 0 && fit.rss > 0)
		{
			if (lost < 0)
				lost = 0;
			lags->f = lost / restrictions / (free_fit->rss / free_fit->df);
			lags->p = isinf(lags->f) ? 0 : am_f_sf(lags->f, restrictions, free_fit->df);
		}
	}
	am_least_squares_free(&fit);
	am_host_free(basis);
	am_host_free(sums);
	am_host_free(columns);
	return defined;
}

bool
am_distributed_lag(const double *x, const double *y, size_t n, int max_lag, int degree, AmDistributedLag *lags)
{
	size_t		m = (size_t) max_lag + 1;
	const double **columns = (const double **) am_host_alloc(m * sizeof(double *));
	AmLeastSquares fit;
	bool		defined;
	int			k;

	lags->n = n - max_lag;
	lags->df = lags->rss = lags->mean_lag = lags->rss_unrestricted = lags->df_unrestricted = lags->f = lags->p = NAN;
	lags->coefficient = (double *) am_host_alloc(4 * m * sizeof(double));
	lags->error = lags->coefficient + m;
	lags->cumulative = lags->error + m;
	lags->cumulative_error = lags->cumulative + m;
	for (k = 0; k <= max_lag; k++)
	{
		lags->coefficient[k] = lags->error[k] = lags->cumulative[k] = lags->cumulative_error[k] = NAN;
		columns[k] = x + max_lag - k;
	}

	defined = am_least_squares(&fit, columns, max_lag + 1, y + max_lag, lags->n);
	if (defined)
	{
		lags->rss_unrestricted = am_ls_rss(&fit, fit.rss);
		lags->df_unrestricted = fit.df;
		if (degree < 0)
			read_fit(lags, &fit, max_lag, NULL);
		else
			defined = fit_polynomial(lags, &fit, x, y, max_lag, degree);
	}
	am_least_squares_free(&fit);
	am_host_free(columns);
	return defined;
}

void
am_distributed_lag_free(AmDistributedLag *lags)
{
	am_host_free(lags->coefficient);
}
