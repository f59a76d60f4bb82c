/*
 * Vanity score: does more of a metric than usual for a unit and a period
 * bring more of the outcome later, and is there any other reason not to
 * trust it?  On the fits of vanity_fit.c; docs/vanity.md has the formulas.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/am_host.h"
#include "stats/correlation.h"
#include "stats/rates.h"
#include "vanity/vanity_fit.h"

#define FEWEST_ROWS			24
#define FEWEST_OUTCOMES		5
#define FEWEST_STEPS		6		/* to speak of a running total at all */
#define SHORTEST_SEARCH		4		/* lags that must have been searched to say that nothing follows */
#define DECIDED				0.80	/* probability that makes a verdict */
#define FEWEST_GAPS			12		/* between entries, to say that they come in batches */
#define LONGEST_BATCH		26
#define PRIOR_SUBSTANCE		0.03	/* only metric x quality leads */

static double
map_to_unit(double value, double zero_at, double one_at)
{
	double		share = (value - zero_at) / (one_at - zero_at);

	return share < 0 ? 0 : share > 1 ? 1 : share;
}

static double
wilson_low(double x, double n)
{
	double		low;
	double		high;

	am_wilson(x, n, 1.0, &low, &high);	/* one-sided 84 % */
	return low;
}

/* A metric that hardly ever falls is a running total */
static void
measure_steps(const AmPanel *panel, AmVanityResult *result)
{
	double		low;
	double		high;

	for (size_t i = 1; i < panel->n; i++)
	{
		if (panel->unit[i] != panel->unit[i - 1] || panel->x[i] == panel->x[i - 1])
			continue;
		result->steps++;
		if (panel->x[i] < panel->x[i - 1])
			result->falls++;
	}
	result->only_rises = 0;
	if (result->steps < FEWEST_STEPS || (double) result->falls >= 0.10 * (double) result->steps)
		return;
	am_wilson((double) result->falls, (double) result->steps, 1.96, &low, &high);
	if (high < 0.20)
		result->only_rises = 1 - high / 0.20;
}

/* entries this far apart come every "usual" periods: every month is every 4 or 5 weeks */
static bool
near_usual(int64_t gap, int64_t usual)
{
	return gap >= usual - usual / 4 && gap <= usual + usual / 4;
}

/*
 * Is the metric entered only every few periods, with zeros between?  Then an
 * entry is the sum of the periods since the one before, and on the log scale
 * the zeros would drown all else.  Returns how many periods that is usually,
 * 1 if it is not so.
 */
static int
find_batches(const AmPanel *panel)
{
	int64_t		count[LONGEST_BATCH + 2] = {0};
	int64_t		gaps = 0;
	int64_t		regular = 0;
	int64_t		usual = 1;
	size_t		last = 0;
	bool		has_last = false;

	for (size_t i = 0; i < panel->n; i++)
	{
		if (i > 0 && panel->unit[i] != panel->unit[i - 1])
			has_last = false;
		if (!(panel->x[i] > 0))
			continue;
		/* where no row is missing between the two */
		if (has_last && (uint64_t) panel->period[i] - (uint64_t) panel->period[last] == (uint64_t) (i - last))
		{
			count[i - last <= LONGEST_BATCH ? i - last : LONGEST_BATCH + 1]++;
			gaps++;
		}
		last = i;
		has_last = true;
	}
	for (int64_t gap = 2; gap <= LONGEST_BATCH; gap++)
	{
		if (count[gap] > count[usual])
			usual = gap;
	}
	for (int64_t gap = 1; gap <= LONGEST_BATCH; gap++)
	{
		if (near_usual(gap, usual))
			regular += count[gap];
	}
	return gaps >= FEWEST_GAPS && (double) regular >= 0.8 * (double) gaps ? (int) usual : 1;
}

/* what was entered every few periods, evenly over the rows since the entry before */
static void
spread_batches(const AmPanel *panel, int batch, double *x)
{
	memcpy(x, panel->x, panel->n * sizeof(double));
	for (size_t i = 0; i < panel->n; i++)
	{
		size_t		first = i;

		if (!(panel->x[i] > 0))
			continue;
		while (first > 0 && panel->unit[first - 1] == panel->unit[i] && !(panel->x[first - 1] > 0) &&
			   (uint64_t) panel->period[i] - (uint64_t) panel->period[first - 1] < (uint64_t) (batch + batch / 4))
			first--;
		for (size_t j = first; j <= i; j++)
			x[j] = panel->x[i] / (double) (i - first + 1);
	}
}

/*
 * Covariance of ln metric and outcome, as a share of the mean outcome, in
 * three parts that add up to it: big units against small ones, periods in
 * which both are up, and the rest (Mundlak, Simpson).
 */
static void
decompose(const AmPanel *panel, const AmVanityFit *fit, AmVanityResult *result)
{
	size_t		n = panel->n;
	double	   *x = am_host_alloc(n * sizeof(double));
	double	   *y = am_host_alloc(n * sizeof(double));
	double	   *sum_x = am_host_alloc((size_t) fit->n_periods * sizeof(double));
	double	   *sum_y = am_host_alloc((size_t) fit->n_periods * sizeof(double));
	double	   *rows = am_host_alloc((size_t) fit->n_periods * sizeof(double));
	double		mean_x = 0;
	double		mean_y = 0;
	double		size = 0;
	double		time = 0;
	double		within = 0;
	double		most = 0;
	size_t		start = 0;

	result->raw_r = am_pearson(fit->log_x, panel->y, n);
	result->dashboard_r = am_pearson(panel->x, panel->y, n);

	for (size_t i = 0; i < n; i++)
		most = fabs(panel->y[i]) > most ? fabs(panel->y[i]) : most;
	for (size_t i = 0; i < n; i++)
	{
		x[i] = fit->log_x[i];
		y[i] = most > 1e60 || most < 1e-60 ? panel->y[i] / most : panel->y[i];
		mean_x += x[i];
		mean_y += y[i];
	}
	mean_x /= (double) n;
	mean_y /= (double) n;
	for (size_t i = 0; i < n; i++)
	{
		x[i] -= mean_x;
		y[i] -= mean_y;
	}

	while (start < n)
	{
		size_t		end = start;
		double		unit_x = 0;
		double		unit_y = 0;

		for (; end < n && panel->unit[end] == panel->unit[start]; end++)
		{
			unit_x += x[end];
			unit_y += y[end];
		}
		size += unit_x * unit_y / (double) (end - start);
		unit_x /= (double) (end - start);
		unit_y /= (double) (end - start);
		for (; start < end; start++)
		{
			x[start] -= unit_x;
			y[start] -= unit_y;
		}
	}

	memset(sum_x, 0, (size_t) fit->n_periods * sizeof(double));
	memset(sum_y, 0, (size_t) fit->n_periods * sizeof(double));
	memset(rows, 0, (size_t) fit->n_periods * sizeof(double));
	for (size_t i = 0; i < n; i++)
	{
		sum_x[fit->column[i]] += x[i];
		sum_y[fit->column[i]] += y[i];
		rows[fit->column[i]]++;
	}
	for (int32_t t = 0; t < fit->n_periods; t++)
		time += sum_x[t] * sum_y[t] / rows[t];
	for (size_t i = 0; i < n; i++)
	{
		int32_t		t = fit->column[i];

		within += (x[i] - sum_x[t] / rows[t]) * (y[i] - sum_y[t] / rows[t]);
	}

	if (!isnan(result->raw_r))
	{
		double		scale = mean_y * (double) n;

		if (mean_y > 0 && isfinite(size / scale) && isfinite(time / scale) && isfinite(within / scale))
		{
			result->size_share = size / scale;
			result->time_share = time / scale;
			result->within_share = within / scale;
		}
	}
	am_host_free(x);
	am_host_free(y);
	am_host_free(sum_x);
	am_host_free(sum_y);
	am_host_free(rows);
}

/* ICC(1) of the metric over units of unequal size */
static void
measure_reliability(const AmPanel *panel, AmVanityResult *result)
{
	double		n = (double) panel->n;
	double		units = 0;
	double		squared_sizes = 0;
	double		most = 0;
	double		mean = 0;
	double		between = 0;
	double		within = 0;
	double		size;
	size_t		start = 0;

	for (size_t i = 0; i < panel->n; i++)
		most = fabs(panel->x[i]) > most ? fabs(panel->x[i]) : most;
	if (!(most > 0))
		return;
	for (size_t i = 0; i < panel->n; i++)
		mean += panel->x[i] / most;
	mean /= n;
	while (start < panel->n)
	{
		size_t		end = start;
		double		unit_mean = 0;
		double		rows;

		for (; end < panel->n && panel->unit[end] == panel->unit[start]; end++)
			unit_mean += panel->x[end] / most;
		rows = (double) (end - start);
		unit_mean /= rows;
		for (; start < end; start++)
			within += (panel->x[start] / most - unit_mean) * (panel->x[start] / most - unit_mean);
		between += rows * (unit_mean - mean) * (unit_mean - mean);
		squared_sizes += rows * rows;
		units++;
	}
	if (units < 2 || n <= units)
		return;
	between /= units - 1;
	within /= n - units;
	size = (n - squared_sizes / n) / (units - 1);
	if (between + (size - 1) * within > 0)
		result->reliability = (between - within) / (between + (size - 1) * within);
}

typedef struct Ranked
{
	double		value;
	size_t		row;
} Ranked;

static int
compare_ranked(const void *a, const void *b)
{
	const Ranked *x = a;
	const Ranked *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

/* average ranks of v */
static void
rank_values(const double *v, size_t n, Ranked *scratch, double *rank)
{
	size_t		start = 0;

	for (size_t i = 0; i < n; i++)
	{
		scratch[i].value = v[i];
		scratch[i].row = i;
	}
	qsort(scratch, n, sizeof(Ranked), compare_ranked);
	while (start < n)
	{
		size_t		end = start;

		while (end < n && scratch[end].value == scratch[start].value)
			end++;
		for (size_t i = start; i < end; i++)
			rank[scratch[i].row] = 0.5 * (double) (start + end - 1);
		start = end;
	}
}

static double
spearman(const AmPanel *panel)
{
	Ranked	   *scratch = am_host_alloc(panel->n * sizeof(Ranked));
	double	   *x = am_host_alloc(panel->n * sizeof(double));
	double	   *y = am_host_alloc(panel->n * sizeof(double));
	double		r;

	rank_values(panel->x, panel->n, scratch, x);
	rank_values(panel->y, panel->n, scratch, y);
	r = am_pearson(x, y, panel->n);
	am_host_free(scratch);
	am_host_free(x);
	am_host_free(y);
	return r;
}

/*
 * Is the metric the outcome itself, counted in another table?  Then both are
 * zero in the same rows.  Where zeros are rare the agreement of the non-zero
 * rows says little, so the zero rows have to agree too.
 */
static void
measure_is_outcome(const AmPanel *panel, AmVanityResult *result)
{
	double		both = 0;
	double		x_only = 0;
	double		y_only = 0;
	double		neither = 0;
	double		r = spearman(panel);
	double		certainty = panel->n < 60 ? (double) panel->n / 60 : 1;

	result->is_outcome = 0;
	if (!(r > 0.6))
		return;
	for (size_t i = 0; i < panel->n; i++)
	{
		if (panel->x[i] > 0 && panel->y[i] > 0)
			both++;
		else if (panel->x[i] > 0)
			x_only++;
		else if (panel->y[i] > 0)
			y_only++;
		else
			neither++;
	}
	if (x_only + y_only + neither == 0)
		result->is_outcome = map_to_unit(r, 0.80, 0.90);
	else if (both > 0 && neither > 0)
	{
		double		agree = fmin(wilson_low(both, both + y_only), wilson_low(both, both + x_only));
		double		zeros = fmin(wilson_low(neither, neither + y_only), wilson_low(neither, neither + x_only));

		result->is_outcome = fmin(map_to_unit(agree, 0.80, 0.90), map_to_unit(zeros, 0.50, 0.70));
	}
	result->is_outcome *= certainty;
}

/* two slopes around the usual level: does the upper half still pay? */
static void
measure_saturation(AmVanityFit *fit, const AmVanityWindow *window, AmVanityResult *result)
{
	AmVfRows	low;
	AmVfRows	high;
	double		i_ll = 0;
	double		i_lh = 0;
	double		i_hh = 0;
	double		u_l = 0;
	double		u_h = 0;
	double		s_ll = 0;
	double		s_lh = 0;
	double		s_hh = 0;
	double		det;
	double		b_low;
	double		b_high;
	double		d_l;
	double		d_h;
	double		variance;

	result->saturated = 0;
	am_vf_rows_alloc(fit, &low);
	am_vf_rows_alloc(fit, &high);
	am_vf_window_rows(fit, window->from, window->width, &low);
	am_vf_window_rows(fit, window->from, window->width, &high);
	for (size_t i = 0; i < low.m; i++)
	{
		low.z[i] = low.z[i] < 0 ? low.z[i] : 0;
		high.z[i] = high.z[i] > 0 ? high.z[i] : 0;
	}
	am_vf_residualise(fit, &low, 6);
	am_vf_residualise(fit, &high, 6);
	for (size_t i = 0; i < low.m; i++)
	{
		double		e = fit->e[low.row[i]];
		double		w = low.w[i];

		i_ll += w * low.z[i] * low.z[i];
		i_lh += w * low.z[i] * high.z[i];
		i_hh += w * high.z[i] * high.z[i];
		u_l += low.z[i] * e;
		u_h += high.z[i] * e;
		s_ll += low.z[i] * low.z[i] * e * e;
		s_lh += low.z[i] * high.z[i] * e * e;
		s_hh += high.z[i] * high.z[i] * e * e;
	}
	det = i_ll * i_hh - i_lh * i_lh;
	if (det > AM_VF_NOISE * i_ll * i_hh)
	{
		b_low = (i_hh * u_l - i_lh * u_h) / det;
		b_high = (i_ll * u_h - i_lh * u_l) / det;

		/* variance of b_low - b_high = (d_l, d_h) V (d_l, d_h)' with d = (1, -1) I^-1 */
		d_l = (i_hh + i_lh) / det;
		d_h = -(i_ll + i_lh) / det;
		variance = 0.5 * (d_l * d_l * s_ll + 2 * d_l * d_h * s_lh + d_h * d_h * s_hh) +
			0.5 * fit->phi * (d_l * d_l * i_ll + 2 * d_l * d_h * i_lh + d_h * d_h * i_hh);
		variance *= am_vf_inflation(fit, &high);
		if (variance > 0 && b_low - b_high > 2 * sqrt(variance) && b_high < 0.20)
			result->saturated = 1;
	}
	am_vf_rows_free(&low);
	am_vf_rows_free(&high);
}

/*
 * Share of high rows that no outcome follows: rows on the
 * target if there is one, else in the unit's own top third.  Only rows whose
 * whole window was observed.
 */
static void
measure_empty_high(const AmPanel *panel, const AmVanityOptions *options, int from, int to, AmVanityResult *result)
{
	double	   *own = am_host_alloc(panel->n * sizeof(double));
	bool		has_value = options && options->has_target && isfinite(options->target_value);
	double		high_rows = 0;
	double		empty = 0;
	size_t		start = 0;

	while (start < panel->n)
	{
		size_t		end = start;
		double		high;

		for (; end < panel->n && panel->unit[end] == panel->unit[start]; end++)
			own[end] = panel->x[end];
		high = has_value ? options->target_value : am_vf_quantile(own + start, end - start, 2.0 / 3.0);
		for (size_t i = start; i < end; i++)
		{
			int			seen = 0;
			bool		found = false;

			if (panel->x[i] < high || !(panel->x[i] > 0))
				continue;
			for (size_t j = i; j < end; j++)
			{
				uint64_t	lag = (uint64_t) panel->period[j] - (uint64_t) panel->period[i];

				if (lag > (uint64_t) to)
					break;
				if (lag < (uint64_t) from)
					continue;
				seen++;
				if (panel->y[j] > 0)
					found = true;
			}
			if (seen < to - from + 1)
				continue;
			high_rows++;
			if (!found)
				empty++;
		}
		start = end;
	}
	if (high_rows > 0)
		result->empty_high = empty / high_rows;
	am_host_free(own);
}

static double
no_progress(const AmVanityResult *result)
{
	return result->p_nothing + result->wrong_way + result->only_substance + 0.5 * (result->p_weak + result->same_week + result->follows);
}

/*
 * Score and verdict from the components.  The order of the
 * rules is the point: a structural fault beats any correlation.
 */
static void
decide(AmVanityResult *result, bool too_little)
{
	double		gamed = isnan(result->p_gamed) ? 0 : result->p_gamed;
	double		rises = isnan(result->only_rises) ? 0 : result->only_rises;
	double		lead = result->p_leads + result->p_weak;
	double		moves = lead + result->same_week + result->follows;
	double		against = result->p_nothing + result->wrong_way + result->only_substance;

	result->verdict = AM_VANITY_INSUFFICIENT;
	result->confidence = 0;
	if (too_little)
	{
		result->score = 0.5;
		if (rises > 0.6 && result->steps >= FEWEST_ROWS)
		{
			result->score = 1 - 0.5 * (1 - rises);
			result->verdict = AM_VANITY_VANITY;
			result->confidence = rises;
		}
		return;
	}

	result->no_progress = no_progress(result);
	result->score = 1 - (1 - result->no_progress) * (1 - rises) * (1 - gamed);
	if (rises > 0.6)
	{
		result->verdict = AM_VANITY_VANITY;
		result->confidence = rises;
	}
	else if (result->is_outcome >= 0.5)
	{
		result->verdict = AM_VANITY_OUTCOME;
		result->confidence = result->is_outcome;
	}
	else if (gamed >= 0.5)
	{
		result->verdict = AM_VANITY_GAMED;
		result->confidence = gamed;
	}
	else if (lead >= DECIDED && result->p_leads >= result->p_weak)
	{
		result->verdict = AM_VANITY_LEADING;
		result->confidence = lead;
	}
	else if (moves >= DECIDED && result->p_leads < 0.5 * moves)
	{
		result->verdict = AM_VANITY_DIAGNOSTIC;
		result->confidence = moves;
	}
	else if (against >= 0.75 && result->max_lag >= SHORTEST_SEARCH)
	{
		result->verdict = AM_VANITY_VANITY;
		result->confidence = against;
	}
}

static void
undefine(AmVanityResult *result)
{
	memset(result, 0, sizeof(*result));
	result->score = 0.5;
	result->verdict = AM_VANITY_INSUFFICIENT;
	result->elasticity = result->low = result->high = NAN;
	result->no_progress = result->only_rises = result->is_outcome = result->p_gamed = NAN;
	result->wrong_way = result->follows = result->same_week = NAN;
	result->saturated = result->empty_high = result->quality_gain = result->reliability = NAN;
	result->size_share = result->time_share = result->within_share = NAN;
	result->raw_r = result->dashboard_r = NAN;
	result->smallest_visible = NAN;
	result->p_nothing = result->p_leads = result->p_weak = NAN;
	result->p_progress = NAN;
	result->gaming.p_gamed = NAN;
}

/* what the fit says about the relation, into the result; the share that is the outcome itself is taken off */
static void
take_posterior(const AmVanityPosterior *posterior, AmVanityResult *result)
{
	double		rest = 1 - result->is_outcome;
	int			best = posterior->best;

	result->p_nothing = rest * posterior->nothing;
	result->p_leads = rest * posterior->leads;
	result->p_weak = rest * posterior->weak;
	result->wrong_way = rest * posterior->wrong_way;
	result->same_week = rest * posterior->same_week;
	result->follows = rest * posterior->follows;
	result->smallest_visible = 2.8 * posterior->smallest_se;
	result->max_lag = posterior->max_lag;

	if (posterior->wrong_way > posterior->leads + posterior->weak && posterior->worst >= 0)
		best = posterior->worst;
	if (best >= 0)
	{
		const AmVanityWindow *window = &posterior->window[best];

		result->has_window = true;
		result->lag_from = window->from;
		result->lag_to = window->from + window->width - 1;
		result->elasticity = window->b;
		result->low = window->b - AM_Z95 * window->se;
		result->high = window->b + AM_Z95 * window->se;
	}
}

/* p(leads) + p(weakly leads) of a running total's increase per period */
static double
increase_leads(const AmPanel *panel, const AmVanityOptions *options)
{
	AmPanel		increase = *panel;
	int32_t    *unit = am_host_alloc(panel->n * sizeof(int32_t));
	int64_t    *period = am_host_alloc(panel->n * sizeof(int64_t));
	double	   *x = am_host_alloc(panel->n * sizeof(double));
	double	   *y = am_host_alloc(panel->n * sizeof(double));
	AmVanityFit fit;
	double		leads = NAN;

	increase.n = 0;
	increase.n_units = 0;
	for (size_t i = 1; i < panel->n; i++)
	{
		if (panel->unit[i] != panel->unit[i - 1])
			continue;
		if (increase.n == 0 || panel->unit[i] != panel->unit[i - 2])
			increase.n_units++;
		unit[increase.n] = increase.n_units - 1;
		period[increase.n] = panel->period[i];
		x[increase.n] = panel->x[i] - panel->x[i - 1];
		if (!isfinite(x[increase.n]))
			x[increase.n] = panel->x[i];
		y[increase.n] = panel->y[i];
		increase.n++;
	}
	increase.unit = unit;
	increase.period = period;
	increase.x = x;
	increase.y = y;
	increase.quality = NULL;
	if (increase.n >= FEWEST_ROWS && increase.n_units >= 2)
	{
		am_vf_init(&fit, &increase, false, 0, NAN);
		if (fit.metric_varies && fit.outcome_varies)
		{
			AmVanityPosterior *posterior = am_host_alloc(sizeof(*posterior));

			am_vf_posterior(&fit, options, posterior);
			if (posterior->best >= 0)
				leads = posterior->leads + posterior->weak;
			am_host_free(posterior);
		}
		am_vf_free(&fit);
	}
	am_host_free(unit);
	am_host_free(period);
	am_host_free(x);
	am_host_free(y);
	return leads;
}

/*
 * One more explanation where the quality is known: not the volume leads, only
 * its substantive part does (Manheim and Garrabrant's regressional case).
 */
static void
weigh_substance(AmVanityResult *result, const AmVanityPosterior *plain, const AmVanityPosterior *with_quality)
{
	const AmVanityWindow *best = &plain->window[plain->best];
	double		scale = best->se * best->se * best->information;
	double		gain = am_vf_log_leads(with_quality, scale) - am_vf_log_leads(plain, scale);
	double		log_odds = log(PRIOR_SUBSTANCE / AM_VF_PRIOR_NOTHING) + plain->log_leads + gain + log(plain->nothing);
	double		rest;

	result->only_substance = 1 / (1 + exp(-log_odds));
	rest = 1 - result->only_substance;
	result->only_substance *= 1 - result->is_outcome;
	rest = 1 - result->only_substance;
	result->p_nothing *= rest;
	result->p_leads *= rest;
	result->p_weak *= rest;
	result->wrong_way *= rest;
	result->same_week *= rest;
	result->follows *= rest;
}

static void
score_panel(const AmPanel *panel, const AmVanityOptions *options, double c, AmVanityResult *result,
			AmVanityPosterior *plain)
{
	AmVanityFit fit;
	AmVanityPosterior *posterior;
	AmPanel		even = *panel;
	double	   *spread = NULL;
	bool		too_little;
	double		score_with_quality = NAN;

	undefine(result);
	plain->best = -1;
	result->n = (int64_t) panel->n;
	result->units = panel->n > 0 ? panel->n_units : 0;
	if (panel->n == 0)
		return;
	for (size_t i = 0; i < panel->n; i++)
	{
		if (panel->y[i] != 0)
			result->outcomes++;
	}

	result->batch = find_batches(panel);
	if (result->batch > 1)
	{
		spread = am_host_alloc(panel->n * sizeof(double));
		spread_batches(panel, result->batch, spread);
		even.x = spread;
	}

	/* a target splits the panel: levels and trends before it need not hold since */
	am_vf_init(&fit, &even, options->has_target || options->has_change,
			   options->has_change ? options->changed_at : options->target_from, c);
	result->periods = fit.n_periods;
	measure_steps(panel, result);
	decompose(panel, &fit, result);
	measure_reliability(panel, result);

	posterior = am_host_alloc(sizeof(*posterior));
	posterior->best = -1;
	too_little = panel->n < FEWEST_ROWS || result->units < 2 || result->outcomes < FEWEST_OUTCOMES ||
		!fit.metric_varies || !fit.outcome_varies;
	if (fit.metric_varies && fit.outcome_varies && result->units >= 2)
	{
		am_vf_posterior(&fit, options, posterior);
		result->max_lag = posterior->max_lag;
		result->smallest_visible = 2.8 * posterior->smallest_se;
	}
	if (posterior->best < 0)
		too_little = true;
	if (!too_little)
	{
		*plain = *posterior;
		measure_is_outcome(panel, result);
		take_posterior(posterior, result);
		measure_saturation(&fit, &posterior->window[posterior->best], result);
		measure_empty_high(panel, options, result->lag_from, result->lag_to, result);
		if (panel->quality)
		{
			AmPanel		weighted = *panel;
			AmVanityOptions plain_options = *options;
			AmVanityResult substantive;
			AmVanityPosterior *with_quality = am_host_alloc(sizeof(*with_quality));
			double	   *x = am_host_alloc(panel->n * sizeof(double));
			double		usual_quality;

			weighted.x = x;
			weighted.quality = NULL;
			/* the same split, and as much more added as the quality leaves of it */
			plain_options.has_change = fit.split;
			plain_options.changed_at = fit.split_at;
			plain_options.has_target = false;
			if (am_panel_weigh(panel, x, &usual_quality))
			{
				score_panel(&weighted, &plain_options, fit.c * usual_quality, &substantive, with_quality);
				score_with_quality = substantive.score;
				if (with_quality->best >= 0)
					weigh_substance(result, plain, with_quality);
			}
			am_host_free(with_quality);
			am_host_free(x);
		}
		if (options->has_target)
		{
			AmGamingTarget target;

			target.from = options->target_from;
			target.value = options->target_value;
			target.has_change = options->has_change;
			target.changed_at = options->changed_at;
			target.searched = false;
			am_gaming(panel, &target, &result->gaming, NULL);
			result->p_gamed = result->gaming.p_gamed;
		}
	}
	decide(result, too_little);
	result->quality_gain = result->score - score_with_quality;
	if (result->only_rises > 0.6)
		result->p_progress = increase_leads(panel, options);
	if (spread)
		am_host_free(spread);
	am_host_free(posterior);
	am_vf_free(&fit);
}

void
am_vanity(const AmPanel *panel, const AmVanityOptions *options, AmVanityResult *result)
{
	AmVanityOptions none;
	AmVanityPosterior *plain = am_host_alloc(sizeof(*plain));

	memset(&none, 0, sizeof(none));
	score_panel(panel, options ? options : &none, NAN, result, plain);
	am_host_free(plain);
}

const char *
am_vanity_verdict_name(AmVanityVerdict verdict)
{
	switch (verdict)
	{
		case AM_VANITY_OUTCOME:
			return "outcome";
		case AM_VANITY_LEADING:
			return "leading_indicator";
		case AM_VANITY_DIAGNOSTIC:
			return "diagnostic";
		case AM_VANITY_VANITY:
			return "vanity";
		case AM_VANITY_GAMED:
			return "gamed";
		case AM_VANITY_INSUFFICIENT:
			break;
	}
	return "insufficient_evidence";
}
