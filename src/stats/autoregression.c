/*
 * See autoregression.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "common/am_host.h"
#include "stats/autoregression.h"
#include "stats/series.h"
#include "stats/twice.h"

#define ITEMS_PER_CHECK 8192

/* an innovation variance of no more than this share is rounding */
#define NOTHING_LEFT	(16 * DBL_EPSILON)

/* a share at which so many digits of a partial autocorrelation are lost that it is worked out with twice as many */
#define LITTLE_LEFT		0.01

/* what a filter leaves is rounding if it is no wider than so many units of it */
#define NOISE			32

static double *
new_doubles(size_t n)
{
	return (double *) am_host_alloc(n * sizeof(double));
}

void
am_acf(const double *x, size_t n, int max_lag, double *acf)
{
	AmColumn	column;
	bool		varies = am_column_read(&column, x, n) == AM_COLUMN_VARIES;
	int			k;

	for (k = 0; k <= max_lag; k++)
	{
		if (!varies)
			acf[k] = NAN;
		else if ((size_t) k >= n)
			acf[k] = 0;
		else
			acf[k] = k == 0 ? 1 : am_column_products(&column, 0, &column, k, n - k) / column.squares;
	}
}

/*
 * One step of the Durbin-Levinson recursion: the coefficients of order k - 1
 * become those of order k, whose last one is partial.
 */
static void
lengthen(double *phi, int k, double partial)
{
	int			i;

	phi[k - 1] = partial;
	/* in pairs, so that it can be done in place */
	for (i = 0; i < k - 1 - i; i++)
	{
		double		early = phi[i];
		double		late = phi[k - 2 - i];

		phi[i] = early - partial * late;
		if (i < k - 2 - i)
			phi[k - 2 - i] = late - partial * early;
	}
}

/* the last coefficient of the autoregression of order k, from that of order k - 1 with innovation variance v */
static double
partial_of(const double *acf, const double *phi, int k, double v)
{
	double		sum = acf[k];
	int			i;

	for (i = 1; i < k; i++)
		sum -= phi[i - 1] * acf[k - i];
	return sum / v;
}

/* the recursion in doubles; returns the innovation variance at the end, relative to that of x */
static double
partial_autocorrelations(const double *acf, int max_lag, double *partial)
{
	double	   *phi = new_doubles((size_t) max_lag + 1);
	double		v = 1;
	int			k;

	partial[0] = NAN;
	for (k = 1; k <= max_lag; k++)
	{
		partial[k] = v > NOTHING_LEFT ? partial_of(acf, phi, k, v) : NAN;
		v *= (1 - partial[k]) * (1 + partial[k]);
		lengthen(phi, k, partial[k]);
		if (k % 64 == 0)
			AM_CHECK_INTERRUPTS();
	}
	am_host_free(phi);
	return v;
}

/* the deviations from the mean, in units of 2^exponent, and their products at lags 0 .. max_lag, 0 beyond the values */
static void
products_twice(const AmColumn *column, int max_lag, AmTwice *products)
{
	size_t		n = column->n;
	AmTwice    *deviation = (AmTwice *) am_host_alloc(n * sizeof(AmTwice));
	AmTwice		mean = {0, 0};
	AmTwice		many = {(double) n, 0};
	size_t		t;
	int			k;

	for (t = 0; t < n; t++)
	{
		deviation[t] = am_twice_sum(column->values[t] * column->half, -column->first);
		deviation[t].high *= column->scale;
		deviation[t].low *= column->scale;
		mean = am_twice_add(mean, deviation[t]);
	}
	mean = am_twice_minus(am_twice_over(mean, many));
	for (t = 0; t < n; t++)
		deviation[t] = am_twice_add(deviation[t], mean);
	for (k = 0; k <= max_lag; k++)
	{
		products[k].high = products[k].low = 0;
		for (t = k; t < n; t++)
		{
			products[k] = am_twice_add(products[k], am_twice_times(deviation[t], deviation[t - k]));
			if (t % ITEMS_PER_CHECK == 0)
				AM_CHECK_INTERRUPTS();
		}
	}
	am_host_free(deviation);
}

/* the same with twice the digits, from the values themselves */
static void
partial_autocorrelations_twice(const AmColumn *column, int max_lag, double *partial)
{
	AmTwice    *products = (AmTwice *) am_host_alloc(((size_t) max_lag + 1) * sizeof(AmTwice));
	AmTwice    *phi = (AmTwice *) am_host_alloc(((size_t) max_lag + 1) * sizeof(AmTwice));
	AmTwice    *before = (AmTwice *) am_host_alloc(((size_t) max_lag + 1) * sizeof(AmTwice));
	AmTwice		v;
	int			i,
				k;

	products_twice(column, max_lag, products);
	v = products[0];
	for (k = 1; k <= max_lag; k++)
	{
		AmTwice		sum = products[k];

		if (!(v.high > NOTHING_LEFT * products[0].high))
		{
			for (; k <= max_lag; k++)
				partial[k] = NAN;
			break;
		}
		for (i = 1; i < k; i++)
			sum = am_twice_add(sum, am_twice_minus(am_twice_times(phi[i], products[k - i])));
		phi[k] = am_twice_over(sum, v);
		partial[k] = phi[k].high;
		v = am_twice_add(v, am_twice_minus(am_twice_times(phi[k], sum)));
		memcpy(before, phi, (size_t) k * sizeof(AmTwice));
		for (i = 1; i < k; i++)
			phi[i] = am_twice_add(before[i], am_twice_minus(am_twice_times(phi[k], before[k - i])));
		AM_CHECK_INTERRUPTS();
	}
	am_host_free(products);
	am_host_free(phi);
	am_host_free(before);
}

/* acf: those of the column */
static void
column_pacf(const AmColumn *column, const double *acf, int max_lag, double *partial)
{
	/* not true either where it is NaN */
	if (!(partial_autocorrelations(acf, max_lag, partial) > LITTLE_LEFT))
		partial_autocorrelations_twice(column, max_lag, partial);
}

void
am_pacf(const double *x, size_t n, int max_lag, double *partial)
{
	AmColumn	column;
	double	   *acf;
	int			k;

	for (k = 0; k <= max_lag; k++)
		partial[k] = NAN;
	if (am_column_read(&column, x, n) != AM_COLUMN_VARIES)
		return;
	acf = new_doubles((size_t) max_lag + 1);
	am_acf(x, n, max_lag, acf);
	column_pacf(&column, acf, max_lag, partial);
	am_host_free(acf);
}

int
am_ar_default_order(size_t n)
{
	double		order = n > 1 ? floor(10 * log10((double) n)) : 0;

	return n > 1 && order > (double) n - 1 ? (int) (n - 1) : (int) order;
}

/*
 * Partial autocorrelations of orders 1 .. order_max, NaN from where nothing is
 * left, and with them the variances relative to variance[0] = 1.
 */
static void
yule_walker(const AmColumn *column, int order_max, double *partial, double *variance)
{
	double	   *acf = new_doubles((size_t) order_max + 1);
	int			k;

	am_acf(column->values, column->n, order_max, acf);
	column_pacf(column, acf, order_max, partial);
	for (k = 1; k <= order_max; k++)
		variance[k] = variance[k - 1] * (1 - partial[k]) * (1 + partial[k]);
	am_host_free(acf);
}

/*
 * Each order's last coefficient minimises the squared errors of forecasting
 * forward and backward, given the coefficients before it.
 */
static void
burg(const AmColumn *column, int order_max, double *partial, double *variance)
{
	size_t		n = column->n;
	double	   *forward = new_doubles(n);	/* error at t from the values before */
	double	   *backward = new_doubles(n);	/* error at t - k from the values after, held at t */
	size_t		t;
	int			k;

	for (t = 0; t < n; t++)
		forward[t] = backward[t] = am_deviation(column, t);
	for (k = 1; k <= order_max; k++)
	{
		double		product = 0;
		double		squares = 0;

		for (t = n - 1; t >= (size_t) k; t--)
		{
			backward[t] = backward[t - 1];
			product += forward[t] * backward[t];
			squares += forward[t] * forward[t] + backward[t] * backward[t];
			if (t % ITEMS_PER_CHECK == 0)
				AM_CHECK_INTERRUPTS();
		}
		partial[k] = variance[k - 1] > NOTHING_LEFT ? 2 * product / squares : NAN;
		variance[k] = variance[k - 1] * (1 - partial[k]) * (1 + partial[k]);
		for (t = k; t < n; t++)
		{
			double		old = forward[t];

			forward[t] -= partial[k] * backward[t];
			backward[t] -= partial[k] * old;
		}
	}
	am_host_free(forward);
	am_host_free(backward);
}

bool
am_autoregression(AmAutoregression *ar, const double *x, size_t n, int order_max, AmArMethod method)
{
	AmColumn	column;
	bool		varies = am_column_read(&column, x, n) == AM_COLUMN_VARIES;
	double	   *partial;
	double		best = 0;
	int			k;

	if ((size_t) order_max >= n)
		order_max = n > 0 ? (int) (n - 1) : 0;
	ar->order_max = order_max;
	ar->order = 0;
	ar->mean = ar->var_pred = NAN;
	ar->phi = new_doubles((size_t) order_max + 1);
	ar->variance = new_doubles((size_t) order_max + 1);
	ar->aic = new_doubles((size_t) order_max + 1);
	for (k = 0; k <= order_max; k++)
		ar->variance[k] = ar->aic[k] = NAN;
	if (!varies)
		return false;

	partial = new_doubles((size_t) order_max + 1);
	ar->variance[0] = 1;
	if (method == AM_AR_BURG)
		burg(&column, order_max, partial, ar->variance);
	else
		yule_walker(&column, order_max, partial, ar->variance);

	for (k = 0; k <= order_max; k++)
	{
		ar->aic[k] = ar->variance[k] > NOTHING_LEFT ? n * log(ar->variance[k]) + 2.0 * k : NAN;
		if (ar->aic[k] < best)
		{
			best = ar->aic[k];
			ar->order = k;
		}
		/* squared in two steps: the square of a large unit is no double */
		ar->variance[k] = ldexp(ldexp(ar->variance[k] * column.squares / n, column.exponent), column.exponent);
	}
	for (k = 0; k <= order_max; k++)
		ar->aic[k] -= best;
	for (k = 1; k <= ar->order; k++)
		lengthen(ar->phi, k, partial[k]);
	ar->mean = am_column_mean(&column);
	if (method == AM_AR_BURG)
		ar->var_pred = ar->variance[ar->order];
	else if (n > (size_t) ar->order + 1)
		ar->var_pred = ar->variance[ar->order] * n / ((double) n - ar->order - 1);
	am_host_free(partial);
	return true;
}

void
am_autoregression_free(AmAutoregression *ar)
{
	am_host_free(ar->phi);
	am_host_free(ar->variance);
	am_host_free(ar->aic);
}

void
am_ar_filter(const double *phi, int order, const double *x, size_t n, double *filtered)
{
	AmColumn	column;
	bool		varies = am_column_read(&column, x, n) == AM_COLUMN_VARIES;
	double		low = INFINITY,
				high = -INFINITY,
				size = 1;
	size_t		t;
	int			k;

	for (k = 0; k < order; k++)
		size += fabs(phi[k]);
	for (t = order; t < n; t++)
	{
		double		value = varies ? am_deviation(&column, t) : 0;

		for (k = 1; varies && k <= order; k++)
			value -= phi[k - 1] * am_deviation(&column, t - k);
		low = fmin(low, value);
		high = fmax(high, value);
		filtered[t - order] = value;
		if (t % ITEMS_PER_CHECK == 0)
			AM_CHECK_INTERRUPTS();
	}
	for (t = order; t < n; t++)
		filtered[t - order] = high - low > NOISE * size * column.granularity ? ldexp(filtered[t - order], column.exponent) : 0;
}
