/*
 * See panel_dose.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>
#include <string.h>

#include "common/am_host.h"
#include "lead_lag/lead_lag_prepare.h"
#include "lead_lag/panel_dose.h"
#include "panel/period_slots.h"
#include "stats/distributions.h"
#include "stats/rates.h"
#include "stats/two_way_poisson.h"

#define ALPHA			0.05

/* what is left of ln x without levels, relative to its size, if that is rounding */
#define NOISE			1e-9

#define MOST_COLUMNS	(AM_DOSE_WIDEST + 3)

#define ITEMS_PER_CHECK 8192

static const AmEstimate undefined = {NAN, NAN, NAN};

const char *
am_panel_dose_reason(AmDoseReason reason)
{
	switch (reason)
	{
		case AM_DOSE_DEFINED:
			break;
		case AM_DOSE_NO_LAG:
			return "no_lag";
		case AM_DOSE_ONE_UNIT:
			return "one_unit";
		case AM_DOSE_TOO_FEW:
			return "too_few_rows";
		case AM_DOSE_NO_VARIATION:
			return "no_variation";
	}
	return NULL;
}

/* what ln is taken of is x + c: half of a whole number, else 5 % of what is usual */
static double
shift_of(const double *x, size_t n)
{
	bool		whole = true;
	double		sum = 0;
	size_t		positive = 0,
				i;

	for (i = 0; i < n; i++)
	{
		whole = whole && x[i] == floor(x[i]);
		if (x[i] > 0)
			positive++;
	}
	if (whole || positive == 0)
		return 0.5;
	for (i = 0; i < n; i++)
		sum += x[i] / positive;
	return 0.05 * sum;
}

/*
 * The rows of which all lags from .. to are there, in columns
 */
typedef struct Rows
{
	AmTwoWay	groups;
	int32_t    *unit;
	size_t	   *slot;
	double	   *y;
	double	   *dose;			/* mean of x over the lags asked for */
	double	   *weight;			/* 1 */
	double	   *level;			/* mean of ln(x + c) over the lags asked for, without levels of units and periods */
	double	   *bend[2];		/* what of it is below and above 0 */
	int			columns;
	double	   *log_x[MOST_COLUMNS];	/* one per lag */
} Rows;

static double *
new_doubles(size_t n)
{
	return (double *) am_host_alloc((n + 1) * sizeof(double));
}

/* the rows with all lags before them in a row, one period after the other; what is kept moves to the front */
static void
read_rows(Rows *rows, const AmPanel *panel, const AmPanelDose *dose)
{
	int			from = dose->lag_from > 0 ? dose->lag_from - 1 : 0;
	int			to = dose->lag_to + 1;
	double		width = dose->lag_to - dose->lag_from + 1;
	double		c = shift_of(panel->x, panel->n);
	size_t		in_a_row = 0,
				n = 0,
				i;
	int32_t		last = -1;
	int			j;

	memset(rows, 0, sizeof(*rows));
	rows->unit = (int32_t *) am_host_alloc((panel->n + 1) * sizeof(int32_t));
	rows->slot = (size_t *) am_host_alloc((panel->n + 1) * sizeof(size_t));
	rows->y = new_doubles(panel->n);
	rows->dose = new_doubles(panel->n);
	rows->weight = new_doubles(panel->n);
	rows->level = new_doubles(panel->n);
	rows->bend[0] = new_doubles(panel->n);
	rows->bend[1] = new_doubles(panel->n);
	rows->columns = to - from + 1;
	for (j = 0; j < rows->columns; j++)
		rows->log_x[j] = new_doubles(panel->n);
	if (panel->n > 0)
		rows->groups.n_slots = am_period_slots(panel->period, panel->n, rows->slot);

	for (i = 0; i < panel->n; i++)
	{
		if (i % ITEMS_PER_CHECK == 0)
			AM_CHECK_INTERRUPTS();
		in_a_row = i > 0 && panel->unit[i] == panel->unit[i - 1] &&
			am_periods_between(panel->period[i - 1], panel->period[i]) == 1 ? in_a_row + 1 : 0;
		if (in_a_row < (size_t) to)
			continue;
		if (panel->unit[i] != last)
			rows->groups.n_units++;
		last = panel->unit[i];
		rows->unit[n] = rows->groups.n_units - 1;
		rows->slot[n] = rows->slot[i];
		rows->y[n] = panel->y[i];
		rows->weight[n] = 1;
		rows->dose[n] = rows->level[n] = 0;
		for (j = 0; j < rows->columns; j++)
		{
			double		x = panel->x[i - (size_t) (from + j)];

			/* x + c of the largest numbers overflows, and is x */
			rows->log_x[j][n] = isfinite(x + c) ? log(x + c) : log(x);
			if (from + j >= dose->lag_from && from + j <= dose->lag_to)
			{
				rows->dose[n] += x / width;
				rows->level[n] += rows->log_x[j][n] / width;
			}
		}
		n++;
	}
	rows->groups.n = n;
	rows->groups.unit = rows->unit;
	rows->groups.slot = rows->slot;
}

static void
free_rows(Rows *rows)
{
	int			j;

	am_host_free(rows->unit);
	am_host_free(rows->slot);
	am_host_free(rows->y);
	am_host_free(rows->dose);
	am_host_free(rows->weight);
	am_host_free(rows->level);
	am_host_free(rows->bend[0]);
	am_host_free(rows->bend[1]);
	for (j = 0; j < rows->columns; j++)
		am_host_free(rows->log_x[j]);
}

/* weights times coefficients with the larger of the two errors; returns its t */
static double
estimate(const AmTwoWayPoisson *fit, const double *weights, AmEstimate *result, bool *clustered)
{
	double		dispersed,
				by_units,
				error,
				reach;

	am_two_way_combination(fit, weights, &result->value, &dispersed, &by_units);
	*clustered = by_units > dispersed;
	error = fmax(dispersed, by_units);
	reach = am_t_quantile(0.975, fit->units - 1) * error;
	result->low = result->value - reach;
	result->high = result->value + reach;
	return result->value / error;
}

static AmEstimate
times(AmEstimate estimate, double factor)
{
	AmEstimate	product = {estimate.value * factor, estimate.low * factor, estimate.high * factor};

	return product;
}

/* x for one more y from the elasticity; the ends change places */
static AmEstimate
needed(AmEstimate elasticity, double ratio)
{
	AmEstimate	result = undefined;

	if (elasticity.value > 0)
		result.value = ratio / elasticity.value;
	if (elasticity.high > 0)
		result.low = ratio / elasticity.high;
	if (elasticity.low > 0)
		result.high = ratio / elasticity.low;
	return result;
}

static void
fit_marginal(AmPanelDose *dose, const Rows *rows, double c)
{
	double		ones[MOST_COLUMNS];
	double		at_usual = dose->usual_x / (dose->usual_x + c);
	AmTwoWayPoisson fit;
	AmEstimate	sum;
	double		t;
	int			j;

	for (j = 0; j < rows->columns; j++)
		ones[j] = 1;
	if (am_two_way_poisson(&fit, &rows->groups, rows->y, (const double *const *) rows->log_x, rows->columns) && fit.units > 1)
	{
		t = estimate(&fit, ones, &sum, &dose->clustered);
		/* the regression is on x + c, so the elasticity to x is less by the share of c */
		dose->elasticity = times(sum, at_usual);
		dose->p = am_t_two_sided(t, fit.units - 1);
		dose->marginal = needed(dose->elasticity, dose->usual_x / dose->usual_y);
		dose->reason = AM_DOSE_DEFINED;
	}
	else
		dose->reason = fit.n == 0 || fit.df <= 0 || fit.units < 2 ? AM_DOSE_TOO_FEW : AM_DOSE_NO_VARIATION;
	dose->n = (int64_t) fit.n;
	dose->units = fit.units;
	dose->periods = fit.periods;
	am_two_way_poisson_free(&fit);
}

static void
fit_bend(AmPanelDose *dose, Rows *rows, double c)
{
	static const double lower[2] = {1, 0};
	static const double upper[2] = {0, 1};
	static const double difference[2] = {-1, 1};
	double		at_usual = dose->usual_x / (dose->usual_x + c);
	double		size = 0,
				left = 0;
	AmTwoWayPoisson fit;
	AmEstimate	change;
	bool		ignored;
	size_t		i;

	for (i = 0; i < rows->groups.n; i++)
		size = fmax(size, fabs(rows->level[i]));
	am_two_way_residual(&rows->groups, rows->weight, rows->level);
	for (i = 0; i < rows->groups.n; i++)
	{
		left = fmax(left, fabs(rows->level[i]));
		rows->bend[0][i] = fmin(rows->level[i], 0);
		rows->bend[1][i] = fmax(rows->level[i], 0);
	}
	if (left <= NOISE * (1 + size))
		return;
	if (am_two_way_poisson(&fit, &rows->groups, rows->y, (const double *const *) rows->bend, 2) && fit.units > 1)
	{
		estimate(&fit, lower, &dose->below, &ignored);
		estimate(&fit, upper, &dose->above, &ignored);
		dose->below = times(dose->below, at_usual);
		dose->above = times(dose->above, at_usual);
		dose->p_bend = am_t_two_sided(estimate(&fit, difference, &change, &ignored), fit.units - 1);
	}
	am_two_way_poisson_free(&fit);
}

static void
fit_curves(AmPanelDose *dose, const Rows *rows)
{
	static const AmCurve wanted[] = {AM_CURVE_LINEAR, AM_CURVE_LOGARITHMIC, AM_CURVE_SATURATING};
	size_t		c;

	am_dose_response(rows->dose, rows->y, rows->groups.n, dose->curve);
	for (c = 0; c < sizeof(wanted) / sizeof(wanted[0]); c++)
	{
		const AmDoseResponse *curve = &dose->curve[wanted[c]];
		const AmDoseResponse *best = dose->best_curve < 0 ? NULL : &dose->curve[dose->best_curve];

		if (curve->defined && (!best || (best->rss > 0 && (curve->rss == 0 || curve->aic < best->aic))))
			dose->best_curve = (int) wanted[c];
	}
}

static void
find_lag(AmPanelDose *dose, const AmPanel *panel, bool fill_zero)
{
	AmLeadLagOptions options = am_lead_lag_defaults();
	AmLeadLagRow *rows;
	int			decided;

	options.fill_zero = fill_zero;
	options.only_test = true;
	options.max_lag = am_lead_lag_default_max_lag(panel);
	rows = (AmLeadLagRow *) am_host_alloc((2 * (size_t) options.max_lag + 1) * sizeof(AmLeadLagRow));
	am_lead_lag(panel, &options, rows);
	dose->searched = true;
	dose->verdict = am_lead_lag_verdict(rows, 2 * options.max_lag + 1, ALPHA, &decided);
	if (dose->verdict == AM_LL_LEADING || dose->verdict == AM_LL_COINCIDENT)
	{
		dose->has_lag = true;
		dose->lag_from = dose->lag_to = rows[decided].lag;
	}
	am_host_free(rows);
}

void
am_panel_dose(const AmPanel *panel, int lag_from, int lag_to, bool fill_zero, AmPanelDose *dose)
{
	AmLeadLagOptions options = {0};
	AmPreparedPanel filled;
	Rows		rows;
	size_t		i;
	int			c;

	memset(dose, 0, sizeof(*dose));
	dose->average = dose->elasticity = dose->marginal = dose->below = dose->above = undefined;
	dose->p = dose->p_bend = dose->usual_x = dose->usual_y = NAN;
	dose->best_curve = -1;
	dose->reason = AM_DOSE_NO_LAG;
	for (c = 0; c < AM_CURVES; c++)
		dose->curve[c].aic = dose->curve[c].parameter[0] = dose->curve[c].parameter[1] = NAN;
	for (i = 0; i < panel->n; i++)
	{
		dose->total_x += panel->x[i];
		dose->total_y += panel->y[i];
	}
	am_per_outcome(dose->total_y, dose->total_x, &dose->average.value, &dose->average.low, &dose->average.high);

	if (lag_from >= 0)
	{
		dose->has_lag = true;
		dose->lag_from = lag_from;
		dose->lag_to = lag_to;
	}
	else
		find_lag(dose, panel, fill_zero);
	if (!dose->has_lag)
		return;

	options.fill_zero = fill_zero;
	am_lead_lag_prepare(&filled, panel, &options);
	read_rows(&rows, &filled.panel, dose);
	if (rows.groups.n > 0)
	{
		double		shift = shift_of(filled.panel.x, filled.panel.n);

		dose->usual_x = dose->usual_y = 0;
		for (i = 0; i < rows.groups.n; i++)
		{
			dose->usual_x += rows.dose[i] / rows.groups.n;
			dose->usual_y += rows.y[i] / rows.groups.n;
		}
		if (dose->usual_y > 0)
			fit_curves(dose, &rows);
		fit_marginal(dose, &rows, shift);
		if (dose->reason == AM_DOSE_DEFINED)
			fit_bend(dose, &rows, shift);
	}
	else
		dose->reason = AM_DOSE_TOO_FEW;
	if (panel->n_units == 1)
		dose->reason = AM_DOSE_ONE_UNIT;
	free_rows(&rows);
	am_lead_lag_prepared_free(&filled);
}
