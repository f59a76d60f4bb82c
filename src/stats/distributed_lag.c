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

/*
 * The columns of the restricted regression, n rows each: x of all lags by the
 * polynomials, in units of 2^exponent of cx.  A constant taken off every x
 * changes the constant of the model and nothing else.
 */
static double *
polynomial_sums(const AmColumn *cx, const double *basis, size_t n, int max_lag, int degree)
{
	size_t		m = (size_t) max_lag + 1;
	double	   *sums = (double *) am_host_alloc(((size_t) degree + 1) * n * sizeof(double));
	size_t		t;

	for (int d = 0; d <= degree; d++)
		for (t = 0; t < n; t++)
		{
			double		sum = 0;

			for (int k = 0; k <= max_lag; k++)
				sum += basis[d * m + k] * am_deviation(cx, t + max_lag - k);
			sums[d * n + t] = sum;
			if (t % 1024 == 0)
				AM_CHECK_INTERRUPTS();
		}
	return sums;
}

/* fits the restricted coefficients and tests what the restriction costs */
static bool
fit_polynomial(AmDistributedLag *lags, const AmLeastSquares *free_fit, const double *x, const double *y, int max_lag, int degree)
{
	double	   *basis = polynomials(max_lag, degree);
	double	   *sums;
	const double **columns = (const double **) am_host_alloc((degree + 1) * sizeof(double *));
	AmColumn	cx;
	AmLeastSquares fit;
	bool		defined;
	size_t		i;
	int			d;

	am_column_read(&cx, x, lags->n + max_lag);
	sums = polynomial_sums(&cx, basis, lags->n, max_lag, degree);
	for (i = 0; i < ((size_t) degree + 1) * lags->n; i++)
		sums[i] = ldexp(sums[i], cx.exponent);
	for (d = 0; d <= degree; d++)
		columns[d] = sums + d * lags->n;
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
	lags->coefficient = (double *) am_host_alloc(6 * m * sizeof(double));
	lags->error = lags->coefficient + m;
	lags->cumulative = lags->error + m;
	lags->cumulative_error = lags->cumulative + m;
	lags->hac_error = lags->cumulative_error + m;
	lags->cumulative_hac_error = lags->hac_error + m;
	for (k = 0; k <= max_lag; k++)
	{
		lags->coefficient[k] = lags->error[k] = lags->cumulative[k] = lags->cumulative_error[k] = NAN;
		lags->hac_error[k] = lags->cumulative_hac_error[k] = NAN;
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

int
am_hac_bandwidth(size_t n)
{
	double		bandwidth = floor(4 * pow(n / 100.0, 2.0 / 9));

	return n > 0 && bandwidth > (double) n - 1 ? (int) n - 1 : (int) bandwidth;
}

/* of the sum of weights times coefficients; share: scratch, n */
static double
hac_error(const AmLeastSquares *fit, const double *const *columns, const double *residual, const double *weights,
		  int bandwidth, double *direction, double *share)
{
	size_t		n = fit->n,
				t;
	double		mean = 0,
				variance = 0;
	int			j,
				apart;

	AM_CHECK_INTERRUPTS();
	am_ls_direction(fit, weights, direction);
	for (t = 0; t < n; t++)
	{
		share[t] = 0;
		for (j = 0; j < fit->k; j++)
			share[t] += direction[j] * columns[j][t];
		mean += share[t] / n;
	}
	for (t = 0; t < n; t++)
		share[t] = (share[t] - mean) * residual[t];
	for (apart = 0; apart <= bandwidth; apart++)
	{
		double		sum = 0;

		for (t = apart; t < n; t++)
			sum += share[t] * share[t - apart];
		variance += (apart == 0 ? 1 : 2 * (1 - apart / (bandwidth + 1.0))) * sum;
		if (apart % 64 == 0)
			AM_CHECK_INTERRUPTS();
	}
	/* these weights never make it negative but by rounding */
	return sqrt(fmax(variance, 0) * n / fit->df);
}

void
am_distributed_lag_hac(AmDistributedLag *lags, const double *x, const double *y, size_t n,
					   int max_lag, int degree, int bandwidth)
{
	size_t		m = (size_t) max_lag + 1;
	size_t		rows = lags->n,
				t;
	int			k = degree < 0 ? max_lag + 1 : degree + 1;
	double	   *basis = degree < 0 ? NULL : polynomials(max_lag, degree);
	double	   *sums = NULL;
	double	   *scratch = (double *) am_host_alloc((n + 3 * rows + 3 * (size_t) k) * sizeof(double));
	double	   *scaled_x = scratch;
	double	   *scaled_y = scaled_x + n;
	double	   *residual = scaled_y + rows;
	double	   *share = residual + rows;
	double	   *weights = share + rows;
	double	   *running = weights + k;
	double	   *direction = running + k;
	const double **columns = (const double **) am_host_alloc(k * sizeof(double *));
	AmColumn	cx,
				cy;
	int			j,
				lag;

	/* scaled, so that products stay within the range; what is taken off changes the constant only */
	if (!isnan(lags->df) && am_column_read(&cx, x, n) == AM_COLUMN_VARIES)
	{
		AmLeastSquares fit;
		bool		varies = am_column_read(&cy, y + max_lag, rows) == AM_COLUMN_VARIES;

		for (t = 0; t < n; t++)
			scaled_x[t] = am_deviation(&cx, t);
		for (t = 0; t < rows; t++)
			scaled_y[t] = varies ? am_deviation(&cy, t) : 0;
		if (basis)
			sums = polynomial_sums(&cx, basis, rows, max_lag, degree);
		for (j = 0; j < k; j++)
			columns[j] = basis ? sums + j * rows : scaled_x + max_lag - j;
		if (am_least_squares(&fit, columns, k, scaled_y, rows) && fit.df > 0)
		{
			for (t = 0; t < rows; t++)
			{
				residual[t] = scaled_y[t] - fit.coefficient[0];
				for (j = 0; j < k; j++)
					residual[t] -= fit.coefficient[j + 1] * columns[j][t];
				/* what is left is rounding */
				if (fit.rss == 0)
					residual[t] = 0;
			}
			memset(running, 0, k * sizeof(double));
			for (lag = 0; lag <= max_lag; lag++)
			{
				for (j = 0; j < k; j++)
				{
					weights[j] = basis ? basis[j * m + lag] : j == lag;
					running[j] += weights[j];
				}
				lags->hac_error[lag] = ldexp(hac_error(&fit, columns, residual, weights, bandwidth, direction, share),
											 cy.exponent - cx.exponent);
				lags->cumulative_hac_error[lag] = ldexp(hac_error(&fit, columns, residual, running, bandwidth, direction, share),
														cy.exponent - cx.exponent);
			}
		}
		am_least_squares_free(&fit);
	}
	if (basis)
		am_host_free(basis);
	if (sums)
		am_host_free(sums);
	am_host_free(scratch);
	am_host_free(columns);
}

void
am_distributed_lag_free(AmDistributedLag *lags)
{
	am_host_free(lags->coefficient);
}
