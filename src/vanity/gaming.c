/*
 * Has a metric been gamed since it became a target?  Signs of motion (values
 * bunched on the target, a jump, falling quality) open the question; whether
 * the outcome followed answers it (bunching after
 * Saez and Kleven, two independent signs after Jacob and Levitt).
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>
#include <string.h>

#include "common/am_host.h"
#include "vanity/vanity_fit.h"

#define SIDE_PERIODS	16		/* compared before and after, at most */
#define EVIDENCE_CLIP	6.0

/* Rows of the panel before and after the target, as each unit shows them */
typedef struct Sides
{
	const AmPanel *panel;
	int64_t		from;
	double		value;
	double		height;			/* of the band that counts as "on the target" */
	bool		has_value;
	uint64_t	side;			/* periods compared on each side */
	double	   *level_before;	/* per unit, median ln metric; NaN if unknown */
	double	   *level_after;
	double	   *volume;			/* per unit, ln ratio of the mean metric; NaN if unknown */
} Sides;

static double
clip(double value, double low, double high)
{
	return value < low ? low : value > high ? high : value;
}

static double
or_zero(double value)
{
	return isnan(value) ? 0 : value;
}

static bool
on_target(const Sides *sides, double x)
{
	return sides->has_value && x >= sides->value && x < sides->value + sides->height;
}

/* signed distance of a row from the target date, in periods, clamped to where it matters */
static int64_t
periods_after(const Sides *sides, int64_t period)
{
	const uint64_t far = (uint64_t) 1 << 40;

	if (period >= sides->from)
	{
		uint64_t	distance = (uint64_t) period - (uint64_t) sides->from;

		return (int64_t) (distance < far ? distance : far);
	}
	else
	{
		uint64_t	distance = (uint64_t) sides->from - (uint64_t) period;

		return -(int64_t) (distance < far ? distance : far);
	}
}

/* mean and t of some values */
static void
mean_and_t(const double *v, size_t n, double *mean, double *t)
{
	double		sum = 0;
	double		squares = 0;

	*mean = NAN;
	*t = NAN;
	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++)
		sum += v[i];
	*mean = sum / (double) n;
	for (size_t i = 0; i < n; i++)
		squares += (v[i] - *mean) * (v[i] - *mean);
	if (n > 1 && squares > 0)
		*t = *mean / sqrt(squares / (double) (n - 1) / (double) n);
}

/* excess mass in the band above the target over its two neighbours */
static void
measure_bunching(const Sides *sides, AmGamingResult *result, AmGamingSteps *steps)
{
	const AmPanel *panel = sides->panel;
	double		inside[2] = {0, 0};
	double		beside[2] = {0, 0};
	double		before;

	if (!sides->has_value)
		return;
	for (size_t i = 0; i < panel->n; i++)
	{
		int			after = panel->period[i] >= sides->from;
		double		x = panel->x[i];

		if (on_target(sides, x))
			inside[after]++;
		else if (x >= sides->value - sides->height && x < sides->value + 2 * sides->height)
			beside[after]++;
	}
	result->share_before = inside[0] / (double) result->n_before;
	result->share_at_target = inside[1] / (double) result->n_after;
	before = (inside[0] - beside[0] / 2) / (double) result->n_before;
	steps->bunch_share = (inside[1] - beside[1] / 2) / (double) result->n_after - (before > 0 ? before : 0);
	steps->bunch_z = steps->bunch_share * (double) result->n_after / sqrt(inside[1] + beside[1] / 4 + 1);
	result->bunch = steps->bunch_z > 2.5 ? clip((steps->bunch_share - 0.06) / 0.20, 0, 1) : 0;
}

/* what each unit did on either side of the date: volume, quality, usual level */
static void
measure_units(const Sides *sides, const AmVanityFit *fit, AmGamingResult *result, AmGamingSteps *steps)
{
	const AmPanel *panel = sides->panel;
	size_t		start = 0;
	size_t		n_volumes = 0;
	size_t		n_qualities = 0;
	double	   *volume = am_host_alloc((size_t) panel->n_units * sizeof(double));
	double	   *quality = am_host_alloc((size_t) panel->n_units * sizeof(double));
	double	   *level = am_host_alloc(panel->n * sizeof(double));

	while (start < panel->n)
	{
		int32_t		unit = panel->unit[start];
		size_t		end = start;
		double		sum[2] = {0, 0};
		double		rows[2] = {0, 0};
		double		good[2] = {0, 0};
		double		known[2] = {0, 0};
		size_t		n_before = 0;
		size_t		n_after = 0;

		for (; end < panel->n && panel->unit[end] == unit; end++)
		{
			int64_t		distance = periods_after(sides, panel->period[end]);
			int			after = distance >= 0;

			level[end] = fit->log_x[end];
			if (after)
				n_after++;
			else
				n_before++;
			if (distance < -(int64_t) sides->side || distance >= (int64_t) sides->side)
				continue;
			sum[after] += fit->x[end];
			rows[after]++;
			if (panel->quality && !isnan(panel->quality[end]) && fit->x[end] > 0)
			{
				good[after] += fit->x[end] * panel->quality[end];
				known[after] += fit->x[end];
			}
		}
		sides->volume[unit] = NAN;
		sides->level_before[unit] = n_before > 0 ? am_vf_quantile(level + start, n_before, 0.5) : NAN;
		sides->level_after[unit] = n_after > 0 ? am_vf_quantile(level + start + n_before, n_after, 0.5) : NAN;
		if (rows[0] >= 2 && rows[1] >= 2)
		{
			sides->volume[unit] = log((sum[1] / rows[1] + fit->c) / (sum[0] / rows[0] + fit->c));
			if (isfinite(sides->volume[unit]))
				volume[n_volumes++] = sides->volume[unit];
			if (known[0] > 0 && known[1] > 0)
				quality[n_qualities++] = log((good[1] / known[1] + 0.01) / (good[0] / known[0] + 0.01));
		}
		start = end;
	}
	if (n_volumes > 0)
	{
		double		mean;

		mean_and_t(volume, n_volumes, &mean, &steps->dx_t);
		steps->dx = am_vf_quantile(volume, n_volumes, 0.5);
		result->surge = clip((steps->dx - 0.10) / 0.40, 0, 1);
	}
	if (n_qualities > 0)
	{
		mean_and_t(quality, n_qualities, &steps->dq, &steps->dq_t);
		result->quality_fall = steps->dq_t < -2.5 ? clip((-steps->dq - 0.05) / 0.35, 0, 1) : 0;
	}
	am_host_free(volume);
	am_host_free(quality);
	am_host_free(level);
}

/*
 * Elasticity and explained share on each side, from a fit with levels and
 * trends of their own before and after.  Before, the estimate is drawn
 * towards what a leading metric usually has: the question is what the
 * target's extra volume would have brought if it were honest.
 */
static void
measure_effects(const Sides *sides, AmVanityFit *split, const AmVanityWindow *window, AmVfRows *rows,
				AmGamingResult *result, AmGamingSteps *steps)
{
	double		information[2] = {0, 0};
	double		score[2] = {0, 0};
	double		sandwich[2] = {0, 0};
	double		weight[2] = {0, 0};
	double		b[2];
	double		se[2];
	double		spread[2];
	double		inflation;
	double		precision;

	am_vf_window_rows(split, window->from, window->width, rows);
	am_vf_residualise(split, rows, 6);
	inflation = am_vf_inflation(split, rows);
	for (size_t i = 0; i < rows->m; i++)
	{
		size_t		row = rows->row[i];
		int			after = split->period[row] >= sides->from;
		double		ze = rows->z[i] * split->e[row];

		information[after] += rows->w[i] * rows->z[i] * rows->z[i];
		score[after] += ze;
		sandwich[after] += ze * ze;
		weight[after] += rows->w[i];
	}
	for (int side = 0; side < 2; side++)
	{
		b[side] = se[side] = spread[side] = NAN;
		if (!(information[side] > AM_VF_NOISE * weight[side]))
			continue;
		b[side] = score[side] / information[side];
		se[side] = sqrt((0.5 * sandwich[side] + 0.5 * split->phi * information[side]) * inflation) / information[side];
		spread[side] = sqrt(information[side] / weight[side]);
	}

	precision = 1 / (AM_VF_LEADS_S * AM_VF_LEADS_S);
	steps->b_pre = AM_VF_LEADS_M;
	steps->se_pre = AM_VF_LEADS_S;
	if (se[0] > 0)
	{
		double		data = 1 / (se[0] * se[0]);

		steps->b_pre = (AM_VF_LEADS_M * precision + b[0] * data) / (precision + data);
		steps->se_pre = 1 / sqrt(precision + data);
	}
	if (steps->b_pre < 0)
		steps->b_pre = 0;
	steps->b_post = b[1];
	steps->se_post = se[1];
	if (!isnan(b[1]))
	{
		double		usual = isnan(spread[0]) ? spread[1] : spread[0];
		double		kept = steps->b_pre * usual;
		double		variance;

		steps->k_pre = kept;
		steps->k_post = b[1] * spread[1];
		variance = se[1] * spread[1] * se[1] * spread[1] + steps->se_pre * usual * steps->se_pre * usual;
		steps->k_se = sqrt(variance);
		if (variance > 0)
			result->keep = clip(am_vf_log_normal(steps->k_post, 0.4 * kept, variance) -
								am_vf_log_normal(steps->k_post, kept, variance), -EVIDENCE_CLIP, EVIDENCE_CLIP);
	}
}

/*
 * Effect of a regressor in the whole-panel fit of unit and period levels,
 * with standard errors by unit.  z is replaced by its residual.
 */
static bool
panel_effect(AmVanityFit *fit, AmVfRows *rows, const double *offset, double *b, double *se)
{
	double		raw = 0;
	double		information = 0;
	double		score = 0;
	double		variance = 0;
	size_t		start = 0;
	int			clusters = 0;
	int			degree = fit->degree;

	for (size_t i = 0; i < rows->m; i++)
		raw += rows->w[i] * rows->z[i] * rows->z[i];
	fit->degree = 0;
	am_vf_residualise(fit, rows, 12);
	fit->degree = degree;
	for (size_t i = 0; i < rows->m; i++)
	{
		double		e = fit->e[rows->row[i]] - (offset ? rows->w[i] * offset[i] : 0);

		information += rows->w[i] * rows->z[i] * rows->z[i];
		score += rows->z[i] * e;
	}
	if (!(information > AM_VF_NOISE * raw))
		return false;
	*b = score / information;
	while (start < rows->m)
	{
		int32_t		unit = fit->unit[rows->row[start]];
		double		sum = 0;

		for (; start < rows->m && fit->unit[rows->row[start]] == unit; start++)
		{
			double		e = fit->e[rows->row[start]] - (offset ? rows->w[start] * offset[start] : 0);

			sum += rows->z[start] * (e - *b * rows->w[start] * rows->z[start]);
		}
		variance += sum * sum;
		clusters++;
	}
	if (clusters < 2)
		return false;
	variance *= (double) clusters / (clusters - 1);
	/* few clusters understate it: never below the model's own */
	if (variance < fit->phi * information)
		variance = fit->phi * information;
	*se = sqrt(variance) / information;
	return isfinite(*b) && *se > 0;
}

/* did the units that jumped more gain more? */
static void
measure_jump(const Sides *sides, AmVanityFit *fit, const AmVanityWindow *window, AmVfRows *rows,
			 AmGamingResult *result, AmGamingSteps *steps)
{
	double		variance;
	size_t		kept = 0;

	am_vf_window_rows(fit, window->from, window->width, rows);
	for (size_t i = 0; i < rows->m; i++)
	{
		size_t		row = rows->row[i];
		double		jump = sides->level_after[fit->unit[row]] - sides->level_before[fit->unit[row]];
		int64_t		since = periods_after(sides, fit->period[row]) - window->from + 1;

		if (isnan(jump))
			continue;
		/* the share of the window in which the target held */
		rows->row[kept] = row;
		rows->w[kept] = fit->mu[row];
		rows->z[kept] = jump * clip((double) since / window->width, 0, 1);
		kept++;
	}
	rows->m = kept;
	if (!panel_effect(fit, rows, NULL, &steps->b_jump, &steps->se_jump))
		return;
	variance = steps->se_jump * steps->se_jump;
	result->did = clip(am_vf_log_normal(steps->b_jump, 0, variance) -
					   am_vf_log_normal(steps->b_jump, steps->b_pre, variance + steps->se_pre * steps->se_pre),
					   -EVIDENCE_CLIP, EVIDENCE_CLIP);
}

/* does a row on the target pay as its height promises? */
static void
measure_fill(const Sides *sides, AmVanityFit *fit, const AmVanityWindow *window, AmVfRows *rows,
			 AmGamingResult *result, AmGamingSteps *steps)
{
	double	   *offset;
	AmVfRows	height;
	double		lift = 0;
	double		filled = 0;
	double		variance;

	if (!sides->has_value)
		return;
	for (size_t i = 0; i < fit->n; i++)
	{
		double		level = sides->level_before[fit->unit[i]];

		if (fit->period[i] >= sides->from && on_target(sides, sides->panel->x[i]) && !isnan(level))
		{
			lift += fit->log_x[i] - level;
			filled++;
		}
	}
	if (filled == 0)
		return;
	steps->lift = lift / filled;

	/* rows on the target in the window, beside how far the metric was from usual then */
	am_vf_rows_alloc(fit, &height);
	am_vf_window_rows(fit, window->from, window->width, &height);
	rows->m = height.m;
	for (size_t i = 0; i < height.m; i++)
	{
		size_t		row = height.row[i];
		double		hits = 0;
		double		sum = 0;
		double		level = sides->level_before[fit->unit[row]];

		if (isnan(level))
			level = sides->level_after[fit->unit[row]];
		for (size_t j = row + 1; j-- > 0 && fit->unit[j] == fit->unit[row];)
		{
			uint64_t	lag = (uint64_t) fit->period[row] - (uint64_t) fit->period[j];

			if (lag > (uint64_t) (window->from + window->width - 1))
				break;
			if (lag < (uint64_t) window->from)
				continue;
			sum += fit->log_x[j] - level;
			if (fit->period[j] >= sides->from && on_target(sides, sides->panel->x[j]))
				hits++;
		}
		rows->row[i] = row;
		rows->w[i] = fit->mu[row];
		rows->z[i] = hits / window->width;
		height.z[i] = sum / window->width;
	}
	{
		int			degree = fit->degree;

		fit->degree = 0;
		am_vf_residualise(fit, &height, 12);
		fit->degree = degree;
	}
	offset = height.z;
	for (size_t i = 0; i < height.m; i++)
		offset[i] *= steps->b_pre;
	if (panel_effect(fit, rows, offset, &steps->b_fill, &steps->se_fill))
	{
		double		lost = -steps->b_pre * steps->lift;
		double		doubt = steps->se_pre * steps->lift;

		variance = steps->se_fill * steps->se_fill;
		result->fill = clip(am_vf_log_normal(steps->b_fill, lost, variance) -
							am_vf_log_normal(steps->b_fill, 0, variance + doubt * doubt),
							-EVIDENCE_CLIP, EVIDENCE_CLIP);
	}
	am_vf_rows_free(&height);
}

/* did the outcome grow as much as the volume should have made it? */
static void
measure_yield(const Sides *sides, const AmVanityFit *fit, AmGamingResult *result, AmGamingSteps *steps)
{
	double		sum[2] = {0, 0};
	double		rows[2] = {0, 0};
	double		count[2] = {0, 0};
	double		variance;

	for (size_t i = 0; i < fit->n; i++)
	{
		int64_t		distance = periods_after(sides, fit->period[i]) - steps->lag;
		int			after = distance >= 0;

		if (distance < -(int64_t) sides->side || distance >= (int64_t) sides->side)
			continue;
		sum[after] += fit->y[i];
		rows[after]++;
		if (fit->y[i] > 0)
			count[after]++;
	}
	if (!(sum[0] > 0) || !(sum[1] > 0))
		return;
	steps->dy = log((sum[1] / rows[1]) / (sum[0] / rows[0]));
	if (isnan(steps->dx))
		return;
	variance = 1 / count[0] + 1 / count[1] + 0.28 * 0.28;
	result->yield = clip(am_vf_log_normal(steps->dy, -0.05, variance) -
						 am_vf_log_normal(steps->dy, steps->b_pre * steps->dx,
										  variance + steps->se_pre * steps->dx * steps->se_pre * steps->dx),
						 -4, 4);
}

/* 3 x more often on the target + ln volume ratio - half the ln ratio of outcome to expected */
static void
measure_suspicion(const Sides *sides, const AmVanityFit *fit, const AmGamingSteps *steps, double *suspicion)
{
	size_t		start = 0;

	while (start < fit->n)
	{
		int32_t		unit = fit->unit[start];
		double		rows[2] = {0, 0};
		double		hits[2] = {0, 0};
		double		outcome[2] = {0.5, 0.5};
		double		expected[2] = {0.5, 0.5};

		for (; start < fit->n && fit->unit[start] == unit; start++)
		{
			int64_t		distance = periods_after(sides, fit->period[start]);
			int			after = distance >= 0;

			rows[after]++;
			if (on_target(sides, sides->panel->x[start]))
				hits[after]++;
			after = distance >= steps->lag;
			outcome[after] += fit->y[start];
			expected[after] += fit->mu[start];
		}
		suspicion[unit] = NAN;
		if (rows[0] > 0 && rows[1] > 0 && !isnan(sides->volume[unit]))
			suspicion[unit] = 3 * (hits[1] / rows[1] - hits[0] / rows[0]) + sides->volume[unit] -
				0.5 * (log(outcome[1] / expected[1]) - log(outcome[0] / expected[0]));
	}
}

static void
undefine(AmGamingResult *result, AmGamingSteps *steps)
{
	memset(result, 0, sizeof(*result));
	result->p_gamed = NAN;
	result->bunch = result->surge = result->quality_fall = NAN;
	result->did = result->fill = result->yield = result->keep = NAN;
	result->share_at_target = result->share_before = NAN;
	result->volume_change = result->quality_change = result->outcome_change = NAN;
	result->fill_pay = result->band_to = NAN;

	steps->bunch_share = steps->bunch_z = steps->dx = steps->dx_t = steps->dq = steps->dq_t = NAN;
	steps->dy = steps->b_pre = steps->se_pre = steps->b_post = steps->se_post = NAN;
	steps->b_jump = steps->se_jump = steps->b_fill = steps->se_fill = steps->lift = NAN;
	steps->k_pre = steps->k_post = steps->k_se = steps->pressure = steps->logit = NAN;
	steps->lag = 0;
}

/*
 * A change of definition multiplies the number of everybody: the median unit's
 * ratio around it, 1 if unknown.
 */
static double
definition_factor(const AmPanel *panel, const AmVanityFit *fit, int64_t changed_at)
{
	Sides		sides;
	double	   *ratio = am_host_alloc((size_t) panel->n_units * sizeof(double));
	size_t		n = 0;
	size_t		start = 0;
	double		factor = 1;

	sides.from = changed_at;
	while (start < panel->n)
	{
		int32_t		unit = panel->unit[start];
		double		sum[2] = {0, 0};
		double		rows[2] = {0, 0};

		for (; start < panel->n && panel->unit[start] == unit; start++)
		{
			int64_t		distance = periods_after(&sides, panel->period[start]);

			if (distance < -SIDE_PERIODS || distance >= SIDE_PERIODS)
				continue;
			sum[distance >= 0] += fit->x[start];
			rows[distance >= 0]++;
		}
		if (rows[0] >= 2 && rows[1] >= 2 && sum[0] > 0 && sum[1] > 0)
			ratio[n++] = log(sum[1] / rows[1]) - log(sum[0] / rows[0]);
	}
	if (n > 0)
		factor = exp(am_vf_quantile(ratio, n, 0.5));
	am_host_free(ratio);
	return isfinite(factor) && factor > 0 ? factor : 1;
}

void
am_gaming_steps(const AmPanel *counted, const AmGamingTarget *target,
				AmGamingResult *result, AmGamingSteps *steps, double *suspicion)
{
	AmPanel		same = *counted;
	const AmPanel *panel = &same;
	int64_t		target_from = target->from;
	double		target_value = target->value;
	double	   *rescaled = NULL;
	double		c = NAN;
	Sides		sides;
	AmVanityFit fit;
	AmVanityFit split;
	AmVanityPosterior *posterior;
	AmVfRows	rows;
	int64_t		first = INT64_MAX;
	int64_t		last = INT64_MIN;
	bool		whole = true;
	double		bunch;
	double		surge;
	double		fall;

	undefine(result, steps);
	for (int32_t unit = 0; suspicion && unit < panel->n_units; unit++)
		suspicion[unit] = NAN;
	for (size_t i = 0; i < panel->n; i++)
	{
		if (panel->period[i] >= target_from)
			result->n_after++;
		else
			result->n_before++;
		if (panel->period[i] < first)
			first = panel->period[i];
		if (panel->period[i] > last)
			last = panel->period[i];
		if (panel->x[i] != floor(panel->x[i]))
			whole = false;
	}
	if (result->n_before == 0 || result->n_after == 0)
		return;

	sides.panel = counted;
	sides.from = target_from;
	sides.value = target_value;
	sides.has_value = isfinite(target_value) && target_value > 0;
	sides.height = 0.1 * target_value;
	if (whole && !(sides.height > 2))
		sides.height = 2;
	sides.side = (uint64_t) target_from - (uint64_t) first;
	if (sides.side > (uint64_t) last - (uint64_t) target_from + 1)
		sides.side = (uint64_t) last - (uint64_t) target_from + 1;
	if (sides.side > SIDE_PERIODS)
		sides.side = SIDE_PERIODS;
	sides.level_before = am_host_alloc((size_t) panel->n_units * sizeof(double));
	sides.level_after = am_host_alloc((size_t) panel->n_units * sizeof(double));
	sides.volume = am_host_alloc((size_t) panel->n_units * sizeof(double));

	am_vf_init(&fit, panel, false, 0, NAN);
	if (target->has_change)
	{
		/* on the target is what was counted; levels are compared in one definition */
		double		factor = definition_factor(panel, &fit, target->changed_at);

		c = fit.c;
		rescaled = am_host_alloc(panel->n * sizeof(double));
		for (size_t i = 0; i < panel->n; i++)
			rescaled[i] = panel->period[i] >= target->changed_at ? panel->x[i] / factor : panel->x[i];
		same.x = rescaled;
		am_vf_free(&fit);
		am_vf_init(&fit, panel, false, 0, c);
	}
	measure_bunching(&sides, result, steps);
	measure_units(&sides, &fit, result, steps);

	am_vf_init(&split, panel, true, target->has_change ? target->changed_at : target_from, c);
	posterior = am_host_alloc(sizeof(*posterior));
	am_vf_posterior(&split, NULL, posterior);
	if (posterior->best >= 0 && fit.metric_varies && fit.outcome_varies)
	{
		const AmVanityWindow *window = &posterior->window[posterior->best];

		steps->lag = window->from + window->width / 2;
		am_vf_rows_alloc(&fit, &rows);
		measure_effects(&sides, &split, window, &rows, result, steps);
		measure_jump(&sides, &fit, window, &rows, result, steps);
		measure_fill(&sides, &fit, window, &rows, result, steps);
		measure_yield(&sides, &fit, result, steps);
		am_vf_rows_free(&rows);
	}
	if (suspicion)
		measure_suspicion(&sides, &fit, steps, suspicion);
	result->volume_change = steps->dx;
	result->quality_change = steps->dq;
	result->outcome_change = steps->dy;
	result->fill_pay = steps->b_fill;
	if (sides.has_value)
		result->band_to = sides.value + sides.height;

	bunch = or_zero(result->bunch);
	surge = or_zero(result->surge);
	fall = or_zero(result->quality_fall);
	steps->pressure = 1 - (1 - bunch) * (1 - surge) * (1 - fall);
	steps->logit = (target->searched ? -6 : -5) + 6 * bunch + 4 * surge + 5 * fall +
		0.7 * steps->pressure * or_zero(result->did) +
		0.6 * bunch * or_zero(result->fill) +
		0.7 * surge * or_zero(result->yield) +
		0.5 * surge * (1 - bunch) * or_zero(result->keep);
	result->p_gamed = 1 / (1 + exp(-steps->logit));

	if (rescaled)
		am_host_free(rescaled);
	am_host_free(posterior);
	am_vf_free(&split);
	am_vf_free(&fit);
	am_host_free(sides.level_before);
	am_host_free(sides.level_after);
	am_host_free(sides.volume);
}

void
am_gaming(const AmPanel *panel, const AmGamingTarget *target, AmGamingResult *result, double *suspicion)
{
	AmGamingSteps steps;

	am_gaming_steps(panel, target, result, &steps, suspicion);
}
