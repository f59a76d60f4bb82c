/*
 * See two_way_poisson.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>
#include <string.h>

#include "common/am_host.h"
#include "stats/two_way_poisson.h"

#define MOST_ITERATIONS	60
#define HALVINGS		30

/* after a relative change of the deviance below this so many steps remain: errors square with each */
#define CONVERGED		1e-9
#define LAST_STEPS		2

/*
 * What is left of levels is rounding, relative to the column; to go on would
 * be to divide rounding by rounding, as the common level of periods has no
 * equation.  A second start makes up for the rounding of the first.
 */
#define GRADIENT_END	1e-14
#define RESTARTS		4

/* what is left of a column beyond the levels and the columns before it */
#define DEPENDENT		1e-12

/* an expected value this far below the mean is on its way to 0 */
#define VANISHED		1e-12

static double *
new_doubles(size_t n)
{
	return (double *) am_host_alloc((n + 1) * sizeof(double));
}

/*
 * Levels.  Those of units are eliminated; what is left are equations for the
 * levels of periods, S b = r, S = diag(weight of the period) - what units
 * bring back.  S is positive semidefinite: it does not know the common level.
 */
typedef struct Levels
{
	const AmTwoWay *rows;
	const double *weight;
	double	   *unit_weight;
	double	   *slot_weight;
	double	   *unit_mean;		/* scratch */
	double	   *level;			/* the solution and the four vectors of its search */
	double	   *rest;
	double	   *scaled;
	double	   *direction;
	double	   *image;
} Levels;

static void
levels_start(Levels *levels, const AmTwoWay *rows, const double *weight)
{
	size_t		slots = rows->n_slots;
	double	   *chunk = new_doubles(2 * (size_t) rows->n_units + 6 * slots);
	size_t		i;

	levels->rows = rows;
	levels->weight = weight;
	levels->unit_weight = chunk;
	levels->unit_mean = chunk + rows->n_units;
	levels->slot_weight = levels->unit_mean + rows->n_units;
	levels->level = levels->slot_weight + slots;
	levels->rest = levels->level + slots;
	levels->scaled = levels->rest + slots;
	levels->direction = levels->scaled + slots;
	levels->image = levels->direction + slots;
	memset(chunk, 0, (2 * (size_t) rows->n_units + 6 * slots) * sizeof(double));
	for (i = 0; i < rows->n; i++)
	{
		levels->unit_weight[rows->unit[i]] += weight[i];
		levels->slot_weight[rows->slot[i]] += weight[i];
	}
}

static void
levels_end(Levels *levels)
{
	am_host_free(levels->unit_weight);
}

static void
take_off_units(Levels *levels, double *v)
{
	const AmTwoWay *rows = levels->rows;
	size_t		i;

	memset(levels->unit_mean, 0, (size_t) rows->n_units * sizeof(double));
	for (i = 0; i < rows->n; i++)
		levels->unit_mean[rows->unit[i]] += levels->weight[i] * v[i];
	for (i = 0; i < rows->n; i++)
		v[i] -= levels->unit_mean[rows->unit[i]] / levels->unit_weight[rows->unit[i]];
}

/* image = S direction */
static void
apply(Levels *levels)
{
	const AmTwoWay *rows = levels->rows;
	size_t		i;

	AM_CHECK_INTERRUPTS();
	memset(levels->unit_mean, 0, (size_t) rows->n_units * sizeof(double));
	for (i = 0; i < rows->n; i++)
		levels->unit_mean[rows->unit[i]] += levels->weight[i] * levels->direction[rows->slot[i]];
	memset(levels->image, 0, rows->n_slots * sizeof(double));
	for (i = 0; i < rows->n; i++)
		levels->image[rows->slot[i]] += levels->weight[i] *
			(levels->direction[rows->slot[i]] - levels->unit_mean[rows->unit[i]] / levels->unit_weight[rows->unit[i]]);
}

static double
product(const double *a, const double *b, size_t n)
{
	double		sum = 0;
	size_t		i;

	for (i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

/* rest, in units of the weights */
static void
rescale(Levels *levels)
{
	size_t		t;

	for (t = 0; t < levels->rows->n_slots; t++)
		levels->scaled[t] = levels->slot_weight[t] > 0 ? levels->rest[t] / levels->slot_weight[t] : 0;
}

/* Hestenes & Stiefel (1952), preconditioned by the weights of the periods */
static void
solve_levels(Levels *levels, double enough)
{
	size_t		slots = levels->rows->n_slots;
	double		length;
	size_t		step,
				t;

	memset(levels->level, 0, slots * sizeof(double));
	rescale(levels);
	memcpy(levels->direction, levels->scaled, slots * sizeof(double));
	length = product(levels->rest, levels->scaled, slots);
	for (step = 0; step < slots + 20 && length > enough; step++)
	{
		double		curve,
					along,
					before = length;

		apply(levels);
		curve = product(levels->direction, levels->image, slots);
		if (!(curve > 0))
			break;
		along = length / curve;
		for (t = 0; t < slots; t++)
		{
			levels->level[t] += along * levels->direction[t];
			levels->rest[t] -= along * levels->image[t];
		}
		rescale(levels);
		length = product(levels->rest, levels->scaled, slots);
		for (t = 0; t < slots; t++)
			levels->direction[t] = levels->scaled[t] + length / before * levels->direction[t];
	}
}

static void
take_off_levels(Levels *levels, double *v)
{
	const AmTwoWay *rows = levels->rows;
	double		enough = 0;
	int			restart;
	size_t		i;

	for (i = 0; i < rows->n; i++)
		enough += levels->weight[i] * v[i] * v[i];
	enough *= GRADIENT_END * GRADIENT_END;
	for (restart = 0; restart < RESTARTS; restart++)
	{
		take_off_units(levels, v);
		memset(levels->rest, 0, rows->n_slots * sizeof(double));
		for (i = 0; i < rows->n; i++)
			levels->rest[rows->slot[i]] += levels->weight[i] * v[i];
		rescale(levels);
		if (!(product(levels->rest, levels->scaled, rows->n_slots) > enough))
			break;
		solve_levels(levels, enough);
		for (i = 0; i < rows->n; i++)
			v[i] -= levels->level[rows->slot[i]];
	}
	take_off_units(levels, v);
}

void
am_two_way_residual(const AmTwoWay *rows, const double *weight, double *v)
{
	Levels		levels;

	levels_start(&levels, rows, weight);
	take_off_levels(&levels, v);
	levels_end(&levels);
}

/*
 * The rows that count, in columns of their own
 */
typedef struct Kept
{
	AmTwoWay	rows;
	int32_t    *unit;
	size_t	   *slot;
	double	   *y;				/* of order 1 at most: times 2^-exponent */
	int			exponent;
	double	  **z;
	double	   *eta;			/* ln of the expected outcome */
	double	   *mu;
	double	   *working;
	double	  **left;			/* z without levels */
	double	   *tried;			/* eta of the step before */
} Kept;

static void
keep_rows(Kept *kept, const AmTwoWay *rows, const double *y, const double *const *z, int k)
{
	double	   *of_unit = new_doubles((size_t) rows->n_units);
	double	   *of_slot = new_doubles(rows->n_slots);
	size_t	   *new_slot = (size_t *) am_host_alloc((rows->n_slots + 1) * sizeof(size_t));
	double		most = 0;
	size_t		i,
				n = 0;
	int32_t		last = -1;
	int			j;

	memset(of_unit, 0, (size_t) rows->n_units * sizeof(double));
	memset(of_slot, 0, rows->n_slots * sizeof(double));
	for (i = 0; i < rows->n; i++)
	{
		of_unit[rows->unit[i]] = fmax(of_unit[rows->unit[i]], y[i]);
		of_slot[rows->slot[i]] = fmax(of_slot[rows->slot[i]], y[i]);
		most = fmax(most, y[i]);
	}
	for (i = 0; i < rows->n; i++)
		n += of_unit[rows->unit[i]] > 0 && of_slot[rows->slot[i]] > 0;
	(void) frexp(most, &kept->exponent);
	if (kept->exponent < -1000)
		kept->exponent = -1000;

	kept->unit = (int32_t *) am_host_alloc((n + 1) * sizeof(int32_t));
	kept->slot = (size_t *) am_host_alloc((n + 1) * sizeof(size_t));
	kept->y = new_doubles(n);
	kept->eta = new_doubles(n);
	kept->mu = new_doubles(n);
	kept->working = new_doubles(n);
	kept->tried = new_doubles(n);
	kept->z = (double **) am_host_alloc((k + 1) * sizeof(double *));
	kept->left = (double **) am_host_alloc((k + 1) * sizeof(double *));
	for (j = 0; j < k; j++)
	{
		kept->z[j] = new_doubles(n);
		kept->left[j] = new_doubles(n);
	}
	kept->rows.n_units = 0;
	kept->rows.n_slots = 0;
	for (i = 0; i < rows->n_slots; i++)
		new_slot[i] = of_slot[i] > 0 ? kept->rows.n_slots++ : 0;
	n = 0;
	for (i = 0; i < rows->n; i++)
	{
		if (!(of_unit[rows->unit[i]] > 0 && of_slot[rows->slot[i]] > 0))
			continue;
		if (rows->unit[i] != last)
			kept->rows.n_units++;
		last = rows->unit[i];
		kept->unit[n] = kept->rows.n_units - 1;
		kept->slot[n] = new_slot[rows->slot[i]];
		kept->y[n] = ldexp(y[i], -kept->exponent);
		for (j = 0; j < k; j++)
			kept->z[j][n] = z[j][i];
		n++;
	}
	kept->rows.n = n;
	kept->rows.unit = kept->unit;
	kept->rows.slot = kept->slot;
	am_host_free(of_unit);
	am_host_free(of_slot);
	am_host_free(new_slot);
}

static void
free_rows(Kept *kept, int k)
{
	int			j;

	for (j = 0; j < k; j++)
	{
		am_host_free(kept->z[j]);
		am_host_free(kept->left[j]);
	}
	am_host_free(kept->z);
	am_host_free(kept->left);
	am_host_free(kept->unit);
	am_host_free(kept->slot);
	am_host_free(kept->y);
	am_host_free(kept->eta);
	am_host_free(kept->mu);
	am_host_free(kept->working);
	am_host_free(kept->tried);
}

/* mu from eta; returns the deviance */
static double
expect(Kept *kept)
{
	double		deviance = 0;
	size_t		i;

	for (i = 0; i < kept->rows.n; i++)
	{
		double		y = kept->y[i];

		kept->mu[i] = exp(kept->eta[i]);
		deviance += 2 * ((y > 0 ? y * (log(y) - kept->eta[i]) : 0) - (y - kept->mu[i]));
	}
	return deviance;
}

/*
 * Cholesky factor of a k x k matrix in place, lower triangle; raw[j]: what the
 * diagonal was before levels were taken off.  False where a column depends on
 * what comes before it.
 */
static bool
factor(double *a, int k, const double *raw)
{
	int			i,
				j,
				l;

	for (j = 0; j < k; j++)
	{
		for (i = j; i < k; i++)
		{
			double		sum = a[i * k + j];

			for (l = 0; l < j; l++)
				sum -= a[i * k + l] * a[j * k + l];
			if (i > j)
				a[i * k + j] = sum / a[j * k + j];
			else if (sum > DEPENDENT * raw[j])
				a[j * k + j] = sqrt(sum);
			else
				return false;
		}
	}
	return true;
}

static void
solve(const double *a, int k, double *b)
{
	int			i,
				l;

	for (i = 0; i < k; i++)
	{
		for (l = 0; l < i; l++)
			b[i] -= a[i * k + l] * b[l];
		b[i] /= a[i * k + i];
	}
	for (i = k - 1; i >= 0; i--)
	{
		for (l = i + 1; l < k; l++)
			b[i] -= a[l * k + i] * b[l];
		b[i] /= a[i * k + i];
	}
}

/* takes the levels off the columns under the weights mu, and factors their products; raw: scratch, k */
static bool
take_off_columns(Kept *kept, Levels *levels, int k, double *information, double *raw)
{
	size_t		n = kept->rows.n,
				i;
	int			j,
				l;

	for (j = 0; j < k; j++)
	{
		double		mean = 0,
					weight = 0;

		for (i = 0; i < n; i++)
		{
			mean += kept->mu[i] * kept->z[j][i];
			weight += kept->mu[i];
		}
		mean /= weight;
		raw[j] = 0;
		for (i = 0; i < n; i++)
		{
			kept->left[j][i] = kept->z[j][i] - mean;
			raw[j] += kept->mu[i] * kept->left[j][i] * kept->left[j][i];
		}
		take_off_levels(levels, kept->left[j]);
	}
	for (j = 0; j < k; j++)
		for (l = 0; l <= j; l++)
		{
			double		sum = 0;

			AM_CHECK_INTERRUPTS();
			for (i = 0; i < n; i++)
				sum += kept->mu[i] * kept->left[j][i] * kept->left[l][i];
			information[j * k + l] = information[l * k + j] = sum;
		}
	return factor(information, k, raw);
}

/* one step of reweighted least squares: eta and the coefficients */
static bool
step(Kept *kept, int k, double *information, double *raw, double *coefficient)
{
	size_t		n = kept->rows.n,
				i;
	Levels		levels;
	bool		good;
	int			j;

	levels_start(&levels, &kept->rows, kept->mu);
	good = take_off_columns(kept, &levels, k, information, raw);
	for (i = 0; i < n; i++)
		kept->tried[i] = kept->working[i] = kept->eta[i] + (kept->y[i] - kept->mu[i]) / kept->mu[i];
	if (good)
	{
		take_off_levels(&levels, kept->working);
		for (j = 0; j < k; j++)
		{
			coefficient[j] = 0;
			for (i = 0; i < n; i++)
				coefficient[j] += kept->mu[i] * kept->left[j][i] * kept->working[i];
		}
		solve(information, k, coefficient);
		/* what is left of the working outcome is what the model does not explain of it */
		for (i = 0; i < n; i++)
		{
			double		unexplained = kept->working[i];

			for (j = 0; j < k; j++)
				unexplained -= coefficient[j] * kept->left[j][i];
			kept->working[i] = kept->eta[i];
			kept->eta[i] = kept->tried[i] - unexplained;
		}
	}
	levels_end(&levels);
	return good;
}

static bool
converge(Kept *kept, int k, double *information, double *raw, double *coefficient)
{
	size_t		n = kept->rows.n,
				i;
	double		mean = 0,
				deviance;
	int			left = -1;
	int			iteration,
				halving;

	for (i = 0; i < n; i++)
		mean += kept->y[i] / n;
	for (i = 0; i < n; i++)
		kept->eta[i] = log((kept->y[i] + mean) / 2);
	deviance = expect(kept);
	for (iteration = 0; iteration < MOST_ITERATIONS; iteration++)
	{
		double		before = deviance;

		AM_CHECK_INTERRUPTS();
		if (!step(kept, k, information, raw, coefficient))
			return false;
		deviance = expect(kept);
		if (left >= 0 && --left == 0)
			break;
		/* the start is no point of the model and may fit better than any */
		for (halving = 0; halving < HALVINGS &&
			 !(iteration > 0 ? deviance <= before + CONVERGED * (fabs(before) + mean) : isfinite(deviance)); halving++)
		{
			for (i = 0; i < n; i++)
				kept->eta[i] = (kept->eta[i] + kept->working[i]) / 2;
			deviance = expect(kept);
		}
		if (!isfinite(deviance))
			return false;
		if (left < 0 && iteration > 0 && fabs(before - deviance) <= CONVERGED * (fabs(deviance) + mean))
			left = LAST_STEPS;
	}
	if (left != 0)
		return false;
	for (i = 0; i < n; i++)
		if (!(kept->mu[i] > VANISHED * mean) || !isfinite(kept->mu[i]))
			return false;
	return true;
}

/* dispersion, inverse of the information and the products of scores, at the solution */
static bool
finish(AmTwoWayPoisson *fit, Kept *kept, double *information, double *raw)
{
	size_t		n = kept->rows.n,
				i;
	int			k = fit->k;
	double	   *score = raw;
	Levels		levels;
	bool		good;
	double		chi = 0;
	int			j,
				l;

	levels_start(&levels, &kept->rows, kept->mu);
	good = take_off_columns(kept, &levels, k, information, raw);
	levels_end(&levels);
	if (!good)
		return false;
	for (j = 0; j < k; j++)
	{
		for (l = 0; l < k; l++)
			fit->inverse[j * k + l] = l == j;
		solve(information, k, fit->inverse + j * k);
	}
	for (i = 0; i < n; i++)
		chi += (kept->y[i] - kept->mu[i]) * (kept->y[i] - kept->mu[i]) / kept->mu[i];
	fit->phi = fit->df > 0 ? chi / fit->df : NAN;

	memset(fit->meat, 0, (size_t) k * k * sizeof(double));
	memset(score, 0, (size_t) k * sizeof(double));
	for (i = 0; i < n; i++)
	{
		for (j = 0; j < k; j++)
			score[j] += kept->left[j][i] * (kept->y[i] - kept->mu[i]);
		if (i + 1 < n && kept->unit[i + 1] == kept->unit[i])
			continue;
		for (j = 0; j < k; j++)
			for (l = 0; l < k; l++)
				fit->meat[j * k + l] += score[j] * score[l];
		memset(score, 0, (size_t) k * sizeof(double));
	}
	return true;
}

bool
am_two_way_poisson(AmTwoWayPoisson *fit, const AmTwoWay *rows, const double *y, const double *const *z, int k)
{
	Kept		kept;
	double	   *information = new_doubles((size_t) k * k);
	double	   *raw = new_doubles((size_t) k);
	bool		good;
	int			j;

	keep_rows(&kept, rows, y, z, k);
	fit->n = kept.rows.n;
	fit->units = kept.rows.n_units;
	fit->periods = (int32_t) kept.rows.n_slots;
	fit->k = k;
	fit->df = (double) fit->n - k - fit->units - fit->periods + 1;
	fit->phi = NAN;
	fit->coefficient = new_doubles((size_t) k);
	fit->inverse = new_doubles((size_t) k * k);
	fit->meat = new_doubles((size_t) k * k);
	good = fit->n > 0 && fit->df > 0 &&
		converge(&kept, k, information, raw, fit->coefficient) &&
		finish(fit, &kept, information, raw);
	fit->exponent = kept.exponent;
	for (j = 0; j < k && !good; j++)
		fit->coefficient[j] = NAN;
	free_rows(&kept, k);
	am_host_free(information);
	am_host_free(raw);
	return good;
}

void
am_two_way_poisson_free(AmTwoWayPoisson *fit)
{
	am_host_free(fit->coefficient);
	am_host_free(fit->inverse);
	am_host_free(fit->meat);
}

void
am_two_way_combination(const AmTwoWayPoisson *fit, const double *weights, double *value,
					   double *dispersed, double *clustered)
{
	int			k = fit->k;
	double	   *along = new_doubles((size_t) k);
	double		information = 0,
				scores = 0;
	int			j,
				l;

	*value = 0;
	for (j = 0; j < k; j++)
	{
		*value += weights[j] * fit->coefficient[j];
		along[j] = 0;
		for (l = 0; l < k; l++)
			along[j] += fit->inverse[j * k + l] * weights[l];
		information += weights[j] * along[j];
	}
	for (j = 0; j < k; j++)
		for (l = 0; l < k; l++)
			scores += along[j] * fit->meat[j * k + l] * along[l];
	*dispersed = sqrt(fit->phi * information);
	*clustered = fit->units > 1 ? sqrt(scores * fit->units / (fit->units - 1.0)) : NAN;
	am_host_free(along);
}
