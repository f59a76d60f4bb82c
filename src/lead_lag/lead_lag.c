/*
 * Which of two panel columns moves first; see lead_lag.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>
#include <string.h>

#include "common/am_host.h"
#include "lead_lag/lead_lag.h"
#include "lead_lag/lead_lag_prepare.h"
#include "lead_lag/lead_lag_work.h"
#include "stats/autoregression.h"
#include "stats/multiplicity.h"

/* centres; returns the root of the sum of squares, 0 where the column is constant */
static double
centre(double *v, size_t n)
{
	double		min = v[0],
				max = v[0],
				mean = 0,
				ss = 0;
	size_t		i;

	for (i = 1; i < n; i++)
	{
		min = fmin(min, v[i]);
		max = fmax(max, v[i]);
	}
	/* values are of order 1 */
	if (max - min <= NOISE)
		return 0;
	for (i = 0; i < n; i++)
		mean += v[i] - min;
	mean = min + mean / n;
	for (i = 0; i < n; i++)
	{
		v[i] -= mean;
		ss += v[i] * v[i];
	}
	return sqrt(ss);
}

/*
 * The AR(1) filter of x on both columns.  A gap breaks the
 * series: a filtered value needs its predecessor.  Returns the rows left.
 */
static size_t
prewhiten(const int64_t *period, size_t n, double *const t[COLUMNS],
		  int64_t *kept_period, double *const filtered[COLUMNS])
{
	double		lagged = 0,
				ss = 0,
				phi;
	size_t		i,
				kept = 0;

	for (i = 0; i < n; i++)
	{
		ss += t[X][i] * t[X][i];
		if (i > 0 && am_periods_between(period[i - 1], period[i]) == 1)
			lagged += t[X][i - 1] * t[X][i];
	}
	phi = lagged / ss;
	for (i = 1; i < n; i++)
	{
		if (am_periods_between(period[i - 1], period[i]) != 1)
			continue;
		filtered[X][kept] = t[X][i] - phi * t[X][i - 1];
		filtered[Y][kept] = t[Y][i] - phi * t[Y][i - 1];
		kept_period[kept++] = period[i];
	}
	return kept;
}

/*
 * Takes off t what regressors leave no doubt about: modified Gram-Schmidt,
 * twice, as once is not enough for nearly dependent ones.  All columns are
 * centred and of order 1.  Returns how many regressors count; the others are
 * spanned by those before.
 */
static int
orthonormalise(double *const *regressor, int k, size_t n, const double **kept)
{
	int			rank = 0,
				j,
				l,
				pass;
	size_t		i;

	for (j = 0; j < k; j++)
	{
		double	   *q = regressor[j];
		double		before = 0,
					after = 0;

		for (i = 0; i < n; i++)
			before += q[i] * q[i];
		for (pass = 0; pass < 2; pass++)
			for (l = 0; l < rank; l++)
			{
				double		product = 0;

				for (i = 0; i < n; i++)
					product += kept[l][i] * q[i];
				for (i = 0; i < n; i++)
					q[i] -= product * kept[l][i];
			}
		for (i = 0; i < n; i++)
			after += q[i] * q[i];
		if (!(after > 1e-20 * before))
			continue;
		after = sqrt(after);
		for (i = 0; i < n; i++)
			q[i] /= after;
		kept[rank++] = q;
	}
	return rank;
}

/* The residual; false if nothing is left but rounding */
static bool
take_off(double *t, size_t n, const double *const *q, int rank)
{
	double		before = 0,
				after = 0;
	int			l;
	size_t		i;

	for (i = 0; i < n; i++)
		before += t[i] * t[i];
	for (l = 0; l < 2 * rank; l++)
	{
		double		product = 0;

		for (i = 0; i < n; i++)
			product += q[l % rank][i] * t[i];
		for (i = 0; i < n; i++)
			t[i] -= product * q[l % rank][i];
	}
	for (i = 0; i < n; i++)
		after += t[i] * t[i];
	return rank == 0 || after > 1e-24 * before;
}

/* A filter of an order chosen by AIC, of a series without gaps; returns the rows left, 0 if it has none */
static size_t
prewhiten_by_aic(const int64_t *period, size_t n, double *const t[COLUMNS],
				 int64_t *kept_period, double *const filtered[COLUMNS], int *order)
{
	AmAutoregression ar;
	size_t		kept = 0;

	if (am_autoregression(&ar, t[X], n, am_ar_default_order(n), AM_AR_YULE_WALKER) && n > (size_t) ar.order)
	{
		*order = ar.order;
		kept = n - ar.order;
		am_ar_filter(ar.phi, ar.order, t[X], n, filtered[X]);
		am_ar_filter(ar.phi, ar.order, t[Y], n, filtered[Y]);
		memcpy(kept_period, period + ar.order, kept * sizeof(int64_t));
	}
	am_autoregression_free(&ar);
	return kept;
}

/* What the units share while they are looked at one by one */
typedef struct Scratch
{
	double	   *t[COLUMNS];
	double	   *filtered[COLUMNS];
	int64_t    *kept_period;
	double	  **regressor;		/* the controls */
	const double **kept;
} Scratch;

/*
 * From the columns of a unit in scratch->t to its z at all lags; t is left
 * centred, not filtered.
 */
static void
add_unit(AmLlSum *sums, bool strict, int max_lag, const AmLeadLagOptions *options, bool by_aic,
		 const int64_t *period, size_t n, Scratch *scratch, int *order)
{
	double		root[COLUMNS];
	double	  **columns = options->prewhiten ? scratch->filtered : scratch->t;
	AmLlSeries	series;
	int			i,
				c;

	series.n = n;
	series.period = period;
	if (options->prewhiten)
	{
		if (by_aic && am_periods_between(period[0], period[n - 1]) == n - 1)
			series.n = prewhiten_by_aic(period, n, scratch->t, scratch->kept_period, scratch->filtered, order);
		else
			series.n = prewhiten(period, n, scratch->t, scratch->kept_period, scratch->filtered);
		series.period = scratch->kept_period;
	}
	if (series.n < MIN_PAIRS)
		return;
	for (c = 0; c < COLUMNS; c++)
	{
		series.value[c] = columns[c];
		root[c] = centre(columns[c], series.n);
	}
	if (root[X] == 0 || root[Y] == 0)
		return;
	for (i = 0; i < 2 * max_lag + 1; i++)
	{
		AM_CHECK_INTERRUPTS();
		am_ll_add_z(strict ? &sums[i].strict : &sums[i].plain, &series, root[X] * root[Y], i - max_lag);
	}
}

uint64_t
am_lead_lag_periods(const AmPanel *panel)
{
	uint64_t	longest = 0;
	size_t		i,
				start = 0;

	for (i = 0; i < panel->n; i++)
	{
		uint64_t	span;

		if (panel->unit[i] != panel->unit[start])
			start = i;
		span = am_periods_between(panel->period[start], panel->period[i]);
		if (span >= longest)
			longest = span < UINT64_MAX ? span + 1 : span;
	}
	return longest;
}

int
am_lead_lag_default_max_lag(const AmPanel *panel)
{
	uint64_t	most = am_lead_lag_periods(panel) / 4;

	return most > 12 ? 12 : most < 1 ? 1 : (int) most;
}

AmLeadLagOptions
am_lead_lag_defaults(void)
{
	AmLeadLagOptions options = {0};

	options.max_lag = 12;
	options.remove_period_means = true;
	options.prewhiten = true;
	options.fill_zero = true;
	options.difference = AM_DIFFERENCE_SINGLE;
	options.ar_by_aic = true;
	return options;
}

/* The columns that are correlated, and what is subtracted from them */
typedef struct Moved
{
	AmLlWork	work;
	AmLlSlot   *slots;			/* NULL: period means are kept */
	size_t	   *slot_of;
} Moved;

static void
moved_start(Moved *moved, const AmPanel *panel, bool fill_zero, bool remove)
{
	am_ll_load(&moved->work, panel, fill_zero);
	moved->slots = NULL;
	moved->slot_of = NULL;
	if (remove && moved->work.n > 0)
	{
		moved->slot_of = am_host_alloc(moved->work.n * sizeof(size_t));
		moved->slots = am_ll_period_slots(&moved->work, moved->slot_of);
	}
}

static void
moved_end(Moved *moved)
{
	if (moved->slots)
	{
		am_host_free(moved->slots);
		am_host_free(moved->slot_of);
	}
	am_ll_unload(&moved->work);
}

/* Most are zero, zeros that are filled in counted */
static bool
is_sparse(const double *column, const AmPanel *panel, bool fill_zero)
{
	uint64_t	missing = fill_zero ? am_lead_lag_missing(panel) : 0;
	uint64_t	zeros = missing > AM_LL_MAX_FILLED ? 0 : missing;
	uint64_t	n = panel->n + zeros;
	size_t		i;

	for (i = 0; i < panel->n; i++)
		zeros += column[i] == 0;
	return zeros > n / 2;
}

/* Two controls at a time are a panel of their own, the last one twice if their number is odd */
static AmPanel
control_panel(const AmPanel *panel, int pair)
{
	AmPanel		controls = *panel;

	controls.x = panel->control[2 * pair];
	controls.y = panel->control[2 * pair + 1 < panel->n_controls ? 2 * pair + 1 : 2 * pair];
	controls.n_controls = 0;
	return controls;
}

void
am_lead_lag(const AmPanel *panel, const AmLeadLagOptions *options, AmLeadLagRow *rows)
{
	int			max_lag = options->max_lag;
	int			n_rows = 2 * max_lag + 1;
	int			n_controls = panel->n_controls;
	int			n_pairs = (n_controls + 1) / 2;
	bool		remove = options->remove_period_means && panel->n_units > 1 && panel->n > 0;
	bool		by_aic = options->ar_by_aic && panel->n_units == 1;
	bool		prepare = options->rank || options->season > 1 || n_controls > 0 ||
		options->difference == AM_DIFFERENCE_YES || options->difference == AM_DIFFERENCE_AUTO ||
		(options->difference == AM_DIFFERENCE_SINGLE && panel->n_units == 1);
	AmPreparedPanel prepared;
	AmLlWork	raw;
	Moved		moved;
	Moved	   *controls;
	Scratch		scratch;
	AmLlSum    *sums = am_host_alloc((size_t) n_rows * sizeof(AmLlSum));
	double	   *p = am_host_alloc((size_t) n_rows * sizeof(double));
	int32_t		unit;
	bool		sparse = is_sparse(panel->x, panel, options->fill_zero) || is_sparse(panel->y, panel, options->fill_zero);
	bool		by_share;
	const double *column[COLUMNS];
	AmLlShares	shares;
	int			order = 0,
				y_exponent,
				i,
				c;

	for (i = 0; i < n_rows; i++)
		am_ll_sum_init(&sums[i]);

	if (prepare)
	{
		am_ll_load(&raw, panel, options->fill_zero);
		am_lead_lag_prepare(&prepared, panel, options);
		moved_start(&moved, &prepared.panel, false, remove);
	}
	else
	{
		moved_start(&moved, panel, options->fill_zero, remove);
		raw = moved.work;
	}
	column[X] = prepare ? prepared.panel.x : panel->x;
	column[Y] = prepare ? prepared.panel.y : panel->y;
	by_share = moved.slots != NULL;
	if (by_share)
	{
		am_ll_shares_start(&shares, &moved.work, moved.slot_of, column, prepare ? prepared.panel.n : panel->n);
		by_share = shares.usable[X] && shares.usable[Y];
	}
	controls = am_host_alloc((size_t) n_pairs * sizeof(Moved));
	for (i = 0; i < n_pairs; i++)
	{
		AmPanel		pair = control_panel(&prepared.panel, i);

		moved_start(&controls[i], &pair, false, remove);
	}
	for (c = 0; c < COLUMNS; c++)
	{
		scratch.t[c] = am_host_alloc(moved.work.longest * sizeof(double));
		scratch.filtered[c] = am_host_alloc(moved.work.longest * sizeof(double));
	}
	scratch.kept_period = am_host_alloc(moved.work.longest * sizeof(int64_t));
	scratch.regressor = am_host_alloc((size_t) n_controls * sizeof(double *));
	scratch.kept = am_host_alloc((size_t) n_controls * sizeof(double *));
	for (i = 0; i < n_controls; i++)
		scratch.regressor[i] = am_host_alloc(moved.work.longest * sizeof(double));
	y_exponent = remove ? moved.work.base_exponent[Y] : moved.work.dev_exponent[Y];

	for (unit = 0; unit < moved.work.n_units; unit++)
	{
		const int64_t *period = moved.work.period + moved.work.start[unit];
		size_t		n = moved.work.start[unit + 1] - moved.work.start[unit];
		int			exponent[COLUMNS];
		int			ignored;
		int			rank = 0;
		bool		x_varies,
					y_varies;

		for (i = 0; i < n_rows && !options->only_test; i++)
		{
			AM_CHECK_INTERRUPTS();
			am_ll_add_raw(&sums[i], &raw, unit, i - max_lag);
		}

		x_varies = am_ll_transform(&moved.work, unit, X, moved.slots, moved.slot_of, scratch.t[X], &exponent[X]);
		y_varies = am_ll_transform(&moved.work, unit, Y, moved.slots, moved.slot_of, scratch.t[Y], &exponent[Y]);
		if (!x_varies || !y_varies)
			continue;

		for (i = max_lag + 1; i < n_rows && !options->only_test; i++)
		{
			AM_CHECK_INTERRUPTS();
			am_lead_lag_forecast(&sums[i].errors, period, n, scratch.t[X], scratch.t[Y], ldexp(1, exponent[Y] - y_exponent), i - max_lag);
		}

		for (i = 0; i < n_controls; i++)
			if (am_ll_transform(&controls[i / 2].work, unit, i % 2, controls[i / 2].slots, controls[i / 2].slot_of, scratch.regressor[rank], &ignored))
				rank++;
		rank = orthonormalise(scratch.regressor, rank, n, scratch.kept);
		/* with so few periods there is nothing that the controls do not explain */
		if (n < (size_t) rank + MIN_PAIRS)
			continue;
		if (!take_off(scratch.t[X], n, scratch.kept, rank) || !take_off(scratch.t[Y], n, scratch.kept, rank))
			continue;
		add_unit(sums, false, max_lag, options, by_aic, period, n, &scratch, &order);
		if (!by_share)
			continue;

		/* the filter left x and y as they were */
		for (c = 0; c < COLUMNS; c++)
			if (!am_ll_transform_by_share(&moved.work, unit, c, &shares, moved.slot_of, scratch.t[c]) ||
				!take_off(scratch.t[c], n, scratch.kept, rank))
				break;
		if (c == COLUMNS)
			add_unit(sums, true, max_lag, options, by_aic, period, n, &scratch, &order);
	}

	for (i = 0; i < n_rows; i++)
	{
		if (!by_share)
			sums[i].strict = sums[i].plain;
		rows[i].lag = i - max_lag;
		am_ll_finish_row(&rows[i], &sums[i], remove, sparse, n_controls);
		rows[i].differenced = prepare && prepared.differenced;
		rows[i].ranked = options->rank;
		rows[i].season = options->season > 1 ? options->season : 0;
		rows[i].controls = n_controls;
		rows[i].order = order;
		p[i] = rows[i].p;
	}
	am_p_adjust(p, (size_t) n_rows, AM_ADJUST_HOLM, p);
	for (i = 0; i < n_rows; i++)
	{
		rows[i].p_holm = p[i];
		p[i] = rows[i].p_strict;
	}
	am_p_adjust(p, (size_t) n_rows, AM_ADJUST_HOLM, p);
	for (i = 0; i < n_rows; i++)
		rows[i].p_strict = p[i];

	for (c = 0; c < COLUMNS; c++)
	{
		am_host_free(scratch.t[c]);
		am_host_free(scratch.filtered[c]);
	}
	for (i = 0; i < n_controls; i++)
		am_host_free(scratch.regressor[i]);
	am_host_free(scratch.regressor);
	am_host_free(scratch.kept);
	am_host_free(scratch.kept_period);
	for (i = 0; i < n_pairs; i++)
		moved_end(&controls[i]);
	am_host_free(controls);
	if (moved.slots)
		am_ll_shares_end(&shares);
	moved_end(&moved);
	if (prepare)
	{
		am_lead_lag_prepared_free(&prepared);
		am_ll_unload(&raw);
	}
	am_host_free(p);
	am_host_free(sums);
}
