/*
 * See lag_correlation.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <float.h>
#include <math.h>

#include "common/am_host.h"
#include "stats/autoregression.h"
#include "stats/correlation.h"
#include "stats/distributions.h"
#include "stats/lag_correlation.h"
#include "stats/multiplicity.h"
#include "stats/rates.h"
#include "stats/series.h"

/* a number of pairs between 2 and all of them; NaN if that is empty or n_eff is NaN */
static double
clamp_n(double n_eff, double pairs)
{
	if (isnan(n_eff) || pairs < 2)
		return NAN;
	return n_eff > pairs ? pairs : n_eff < 2 ? 2 : n_eff;
}

static double
p_of(double r, double df)
{
	return df > 0 ? am_correlation_p(r, df) : NAN;
}

static void
interval_of(double r, double n, double *low, double *high)
{
	double		wide = AM_Z95 / sqrt(n - 3);

	if (!(n > 3) || fabs(r) == 1)
	{
		*low = *high = NAN;
		return;
	}
	*low = tanh(atanh(r) - wide);
	*high = tanh(atanh(r) + wide);
}

void
am_effective_n(const double *x, const double *y, size_t n, AmEffectiveN *effective)
{
	AmColumn	cx,
				cy;
	double		sum = 0;
	double		product;
	size_t		j;

	effective->max_lag = n / 5;
	effective->r1_x = effective->r1_y = effective->inflation = effective->raw = effective->clamped = NAN;
	effective->ar1_raw = effective->ar1_clamped = NAN;
	if (am_column_read(&cx, x, n) != AM_COLUMN_VARIES || am_column_read(&cy, y, n) != AM_COLUMN_VARIES)
		return;
	effective->r1_x = am_column_products(&cx, 0, &cx, 1, n - 1) / cx.squares;
	effective->r1_y = am_column_products(&cy, 0, &cy, 1, n - 1) / cy.squares;
	for (j = 1; j <= effective->max_lag; j++)
		sum += (1 - (double) j / n) *
			(am_column_products(&cx, 0, &cx, j, n - j) / cx.squares) *
			(am_column_products(&cy, 0, &cy, j, n - j) / cy.squares);
	effective->inflation = 1 + 2 * sum;
	effective->raw = effective->inflation > 0 ? n / effective->inflation : n;
	effective->clamped = clamp_n(effective->raw, n);
	product = effective->r1_x * effective->r1_y;
	effective->ar1_raw = n * (1 - product) / (1 + product);
	effective->ar1_clamped = clamp_n(effective->ar1_raw, n);
}

void
am_ccf(const double *x, const double *y, size_t n, int max_lag, AmCcfRow *rows)
{
	AmEffectiveN effective;
	AmColumn	cx,
				cy;
	bool		vary = am_column_read(&cx, x, n) == AM_COLUMN_VARIES;
	int			lag;

	vary = am_column_read(&cy, y, n) == AM_COLUMN_VARIES && vary;
	am_effective_n(x, y, n, &effective);
	for (lag = -max_lag; lag <= max_lag; lag++)
	{
		AmCcfRow   *row = &rows[lag + max_lag];
		size_t		from_x = lag < 0 ? -lag : 0;
		size_t		from_y = lag > 0 ? lag : 0;
		double		pairs = (double) (n - from_x - from_y);

		row->lag = lag;
		row->n = n - from_x - from_y;
		row->r_n = vary ? am_clamp_r(am_column_products(&cx, from_x, &cy, from_y, row->n) / sqrt(cx.squares * cy.squares)) : NAN;
		row->r_nk = row->r_n * (n / pairs);
		row->r = am_pearson(x + from_x, y + from_y, row->n);
		row->p = p_of(row->r, pairs - 2);
		/* the share of independent ones is that of the whole */
		row->n_eff = clamp_n(effective.raw / n * pairs, pairs);
		row->n_eff_ar1 = clamp_n(effective.ar1_raw / n * pairs, pairs);
		row->p_eff = p_of(row->r, row->n_eff - 2);
		row->p_eff_ar1 = p_of(row->r, row->n_eff_ar1 - 2);
		interval_of(row->r, row->n_eff, &row->low, &row->high);
	}
}

bool
am_prewhitened_ccf(const double *x, const double *y, size_t n, int max_lag,
				   AmPrewhitened *summary, AmPrewhitenedRow *rows)
{
	AmAutoregression ar;
	AmColumn	cu,
				cv;
	bool		defined = am_autoregression(&ar, x, n, am_ar_default_order(n), AM_AR_YULE_WALKER);
	bool		vary = false;
	double	   *u = (double *) am_host_alloc(n * sizeof(double));
	double	   *v = (double *) am_host_alloc(n * sizeof(double));
	double	   *p = (double *) am_host_alloc((2 * (size_t) max_lag + 1) * sizeof(double));
	size_t		n_used = n - ar.order;
	int			lag;

	defined = defined && am_column_read(&cv, y, n) != AM_COLUMN_NOT_FINITE;
	summary->order = ar.order;
	summary->n_used = n_used;
	summary->band95 = defined ? AM_Z95 / sqrt((double) n_used) : NAN;
	if (defined)
	{
		am_ar_filter(ar.phi, ar.order, x, n, u);
		am_ar_filter(ar.phi, ar.order, y, n, v);
		vary = am_column_read(&cu, u, n_used) == AM_COLUMN_VARIES;
		vary = am_column_read(&cv, v, n_used) == AM_COLUMN_VARIES && vary;
	}
	for (lag = -max_lag; lag <= max_lag; lag++)
	{
		AmPrewhitenedRow *row = &rows[lag + max_lag];
		size_t		from_u = lag < 0 ? -lag : 0;
		size_t		from_v = lag > 0 ? lag : 0;

		row->lag = lag;
		row->n = from_u + from_v < n_used ? n_used - from_u - from_v : 0;
		row->r = vary && row->n > 0 ?
			am_clamp_r(am_column_products(&cu, from_u, &cv, from_v, row->n) / sqrt(cu.squares * cv.squares)) : NAN;
		row->p = p[lag + max_lag] = p_of(row->r, (double) row->n - 2);
		interval_of(row->r, (double) row->n, &row->low, &row->high);
	}
	am_p_adjust(p, 2 * (size_t) max_lag + 1, AM_ADJUST_HOLM, p);
	for (lag = -max_lag; lag <= max_lag; lag++)
		rows[lag + max_lag].p_holm = p[lag + max_lag];
	am_autoregression_free(&ar);
	am_host_free(u);
	am_host_free(v);
	am_host_free(p);
	return defined;
}
