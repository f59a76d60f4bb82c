/*
 * Poisson regression with levels of units and periods against one with a
 * column per level, solved by brute force.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <stdint.h>

#include "tap.h"

#include "stats/two_way_poisson.h"

#define MOST	2000
#define LEVELS	80
#define COLUMNS 4

static uint64_t seed = 5;

static double
uniform(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return ((double) (seed >> 11) + 0.5) / 9007199254740992.0;
}

static int
poisson(double mean)
{
	double		left = exp(-mean);
	double		product = uniform();
	int			n = 0;

	while (product > left)
	{
		product *= uniform();
		n++;
	}
	return n;
}

typedef struct Data
{
	AmTwoWay	rows;
	int32_t		unit[MOST];
	size_t		slot[MOST];
	double		y[MOST];
	double		column[COLUMNS][MOST];
	const double *z[COLUMNS];
	int			k;
} Data;

static Data data;

/* rows of some units in some periods: late starters, gaps, levels far apart, many zeros */
static void
draw(int units, int periods, int k, double mean, double missing)
{
	double		season[LEVELS];

	memset(&data.rows, 0, sizeof(data.rows));
	data.rows.unit = data.unit;
	data.rows.slot = data.slot;
	data.rows.n_units = units;
	data.rows.n_slots = (size_t) periods;
	data.k = k;
	for (int t = 0; t < periods; t++)
		season[t] = exp(uniform() - 0.5);
	for (int u = 0; u < units; u++)
	{
		double		level = mean * exp(2 * uniform() - 1);
		int			from = uniform() < 0.3 ? (int) (uniform() * periods / 2) : 0;

		for (int t = from; t < periods; t++)
		{
			size_t		i = data.rows.n;
			double		effect = 0;

			if (uniform() < missing)
				continue;
			data.unit[i] = u;
			data.slot[i] = (size_t) t;
			for (int j = 0; j < k; j++)
			{
				data.z[j] = data.column[j];
				data.column[j][i] = log(poisson(8 * season[t]) + 0.5) + (j > 0 && i > 0 ? 0.3 * data.column[j - 1][i - 1] : 0);
				effect += 0.3 * (data.column[j][i] - 2);
			}
			data.y[i] = poisson(level * season[t] * exp(effect / k));
			data.rows.n++;
		}
	}
}

/*
 * The twin: Newton on all coefficients at once, a column per unit and period
 * with an outcome but for the first period, in long double.
 */
static bool
twin(double *coefficient, double *phi, double *dispersed, double *clustered)
{
	static long double a[2 * LEVELS + COLUMNS][4 * LEVELS + 2 * COLUMNS];
	static long double beta[2 * LEVELS + COLUMNS];
	static long double mu[MOST];
	static long double score[LEVELS][2 * LEVELS + COLUMNS];
	static int	at_unit[LEVELS],
				at_slot[LEVELS];
	double		of_unit[LEVELS] = {0},
				of_slot[LEVELS] = {0};
	int			k = data.k,
				m = k,
				n = 0,
				units = 0;
	long double chi = 0,
				sum,
				weight[2 * LEVELS + COLUMNS];

	for (size_t i = 0; i < data.rows.n; i++)
	{
		of_unit[data.unit[i]] += data.y[i];
		of_slot[data.slot[i]] += data.y[i];
	}
	for (int u = 0; u < data.rows.n_units; u++)
	{
		at_unit[u] = of_unit[u] > 0 ? m++ : -1;
		units += of_unit[u] > 0;
	}
	n = 0;
	for (size_t t = 0; t < data.rows.n_slots; t++)
		at_slot[t] = of_slot[t] > 0 ? (n++ == 0 ? -2 : m++) : -1;
	for (int j = 0; j < m; j++)
		beta[j] = 0;

	for (int iteration = 0; iteration < 60; iteration++)
	{
		long double largest = 0;

		memset(a, 0, sizeof(a));
		memset(score, 0, sizeof(score));
		chi = 0;
		n = 0;
		for (size_t i = 0; i < data.rows.n; i++)
		{
			int			at[COLUMNS + 2];
			long double value[COLUMNS + 2],
						eta = 0;
			int			entries = 0;

			if (at_unit[data.unit[i]] == -1 || at_slot[data.slot[i]] == -1)
				continue;
			for (int j = 0; j < k; j++)
			{
				at[entries] = j;
				value[entries++] = data.z[j][i];
			}
			at[entries] = at_unit[data.unit[i]];
			value[entries++] = 1;
			if (at_slot[data.slot[i]] >= 0)
			{
				at[entries] = at_slot[data.slot[i]];
				value[entries++] = 1;
			}
			for (int j = 0; j < entries; j++)
				eta += beta[at[j]] * value[j];
			/* from mu = y + 0.5 in the first round, as there is no good beta to start from */
			mu[i] = iteration == 0 ? data.y[i] + 0.5L : expl(eta);
			if (iteration == 0)
				eta = logl(mu[i]);
			for (int j = 0; j < entries; j++)
			{
				score[data.unit[i]][at[j]] += value[j] * (data.y[i] - mu[i]);
				a[at[j]][2 * m] += value[j] * (mu[i] * eta + data.y[i] - mu[i]);
				for (int l = 0; l < entries; l++)
					a[at[j]][at[l]] += mu[i] * value[j] * value[l];
			}
			chi += (data.y[i] - mu[i]) * (data.y[i] - mu[i]) / mu[i];
			n++;
		}
		for (int j = 0; j < m; j++)
			a[j][m + j] = 1;
		for (int j = 0; j < m; j++)
		{
			int			pivot = j;

			for (int l = j + 1; l < m; l++)
				if (fabsl(a[l][j]) > fabsl(a[pivot][j]))
					pivot = l;
			if (fabsl(a[pivot][j]) < 1e-11L)
				return false;
			for (int c = 0; c <= 2 * m; c++)
			{
				long double swap = a[j][c];

				a[j][c] = a[pivot][c];
				a[pivot][c] = swap;
			}
			for (int l = 0; l < m; l++)
			{
				long double ratio = l == j ? 0 : a[l][j] / a[j][j];

				for (int c = j; ratio != 0 && c <= 2 * m; c++)
					a[l][c] -= ratio * a[j][c];
			}
		}
		for (int j = 0; j < m; j++)
		{
			long double now = a[j][2 * m] / a[j][j];

			largest = fmaxl(largest, fabsl(now - beta[j]));
			beta[j] = now;
		}
		if (largest < 1e-16L)
			break;
		if (iteration == 59)
			return false;
	}
	*phi = (double) (chi / (n - m));
	for (int j = 0; j < m; j++)
	{
		weight[j] = 0;
		for (int l = 0; l < k; l++)
			weight[j] += a[j][m + l] / a[j][j];
		if (j < k)
			coefficient[j] = (double) beta[j];
	}
	sum = 0;
	for (int j = 0; j < k; j++)
		sum += weight[j];
	*dispersed = (double) sqrtl(sum * chi / (n - m));
	sum = 0;
	for (int u = 0; u < data.rows.n_units; u++)
	{
		long double one = 0;

		for (int j = 0; j < m; j++)
			one += weight[j] * score[u][j];
		sum += one * one;
	}
	*clustered = (double) sqrtl(sum * units / (units - 1.0L));
	return true;
}

static double
off(double got, double want)
{
	return isnan(got) != isnan(want) ? INFINITY : fabs(got - want) / (fabs(want) + 1e-3);
}

static void
test_twin(void)
{
	double		worst = 0,
				worst_error = 0;
	int			compared = 0,
				sparse = 0;

	for (int round = 0; round < 150; round++)
	{
		AmTwoWayPoisson fit;
		double		coefficient[COLUMNS],
					phi,
					dispersed,
					clustered,
					value,
					got_dispersed,
					got_clustered;
		double		ones[COLUMNS] = {1, 1, 1, 1};
		bool		defined;

		draw(2 + round % 9, 8 + round % 23, 1 + round % 4, round % 3 == 0 ? 0.3 : 3, round % 5 == 0 ? 0.4 : 0.05);
		defined = am_two_way_poisson(&fit, &data.rows, data.y, data.z, data.k);
		if (twin(coefficient, &phi, &dispersed, &clustered) && defined)
		{
			for (int j = 0; j < data.k; j++)
				worst = fmax(worst, off(fit.coefficient[j], coefficient[j]));
			am_two_way_combination(&fit, ones, &value, &got_dispersed, &got_clustered);
			worst_error = fmax(worst_error, off(got_dispersed, dispersed));
			worst_error = fmax(worst_error, off(got_clustered, clustered));
			worst_error = fmax(worst_error, off(ldexp(fit.phi, fit.exponent), phi));
			compared++;
			sparse += round % 3 == 0;
		}
		am_two_way_poisson_free(&fit);
	}
	ok(compared > 100 && sparse > 20 && worst < 1e-9 && worst_error < 1e-9,
	   "%d panels (%d sparse) as with a column per level: coefficients within %.1e, errors and dispersion %.1e", compared, sparse, worst, worst_error);
}

/* names of periods, order of columns, the unit of the outcome, units without an outcome */
static void
test_invariance(void)
{
	AmTwoWayPoisson fit,
				other;
	const double *turned[COLUMNS];
	double		ones[COLUMNS] = {1, 1, 1, 1},
				value[2],
				dispersed[2],
				clustered[2];
	static const double scales[] = {1e-300, 1e-3, 7, 1e12, 1e300};
	size_t		n;

	draw(9, 30, 3, 2, 0.1);
	ok(am_two_way_poisson(&fit, &data.rows, data.y, data.z, 3), "a panel to change");
	am_two_way_combination(&fit, ones, &value[0], &dispersed[0], &clustered[0]);
	for (int j = 0; j < 3; j++)
		turned[j] = data.z[2 - j];
	am_two_way_poisson(&other, &data.rows, data.y, turned, 3);
	ok(off(other.coefficient[0], fit.coefficient[2]) < 1e-10 && off(other.coefficient[1], fit.coefficient[1]) < 1e-10, "order of columns");
	am_two_way_poisson_free(&other);
	for (size_t s = 0; s < sizeof(scales) / sizeof(scales[0]); s++)
	{
		static double scaled[MOST];

		for (size_t i = 0; i < data.rows.n; i++)
			scaled[i] = data.y[i] * scales[s];
		am_two_way_poisson(&other, &data.rows, scaled, data.z, 3);
		am_two_way_combination(&other, ones, &value[1], &dispersed[1], &clustered[1]);
		ok(off(value[1], value[0]) < 1e-9 && off(dispersed[1], dispersed[0]) < 1e-9 && off(clustered[1], clustered[0]) < 1e-9, "outcome times %g", scales[s]);
		am_two_way_poisson_free(&other);
	}
	/* a unit without an outcome changes nothing */
	n = data.rows.n;
	for (int t = 0; t < 20; t++)
	{
		data.unit[data.rows.n] = 9;
		data.slot[data.rows.n] = (size_t) t;
		data.y[data.rows.n] = 0;
		for (int j = 0; j < 3; j++)
			data.column[j][data.rows.n] = t;
		data.rows.n++;
	}
	data.rows.n_units = 10;
	am_two_way_poisson(&other, &data.rows, data.y, data.z, 3);
	ok(other.n <= n && other.units == fit.units && off(other.coefficient[0], fit.coefficient[0]) < 1e-12, "a unit without an outcome does not count");
	am_two_way_poisson_free(&other);
	am_two_way_poisson_free(&fit);
}

static void
test_undefined(void)
{
	AmTwoWayPoisson fit;

	draw(6, 20, 1, 3, 0);
	for (size_t i = 0; i < data.rows.n; i++)
		data.column[0][i] = data.unit[i] * 1.25 + (double) data.slot[i] * 0.1;
	ok(!am_two_way_poisson(&fit, &data.rows, data.y, data.z, 1) && isnan(fit.coefficient[0]), "a column that levels explain");
	am_two_way_poisson_free(&fit);

	draw(6, 20, 2, 3, 0);
	data.z[1] = data.z[0];
	ok(!am_two_way_poisson(&fit, &data.rows, data.y, data.z, 2), "a column twice");
	am_two_way_poisson_free(&fit);

	draw(6, 20, 1, 3, 0);
	memset(data.y, 0, sizeof(data.y));
	ok(!am_two_way_poisson(&fit, &data.rows, data.y, data.z, 1) && fit.n == 0, "no outcome");
	am_two_way_poisson_free(&fit);

	draw(6, 20, 1, 3, 0);
	for (size_t i = 0; i < data.rows.n; i++)
		data.y[i] = data.column[0][i] = (data.unit[i] + (int) data.slot[i]) % 2;
	ok(!am_two_way_poisson(&fit, &data.rows, data.y, data.z, 1), "an outcome only where the column is large: no maximum");
	am_two_way_poisson_free(&fit);

	draw(1, 20, 1, 3, 0);
	ok(!am_two_way_poisson(&fit, &data.rows, data.y, data.z, 1), "one unit");
	am_two_way_poisson_free(&fit);
	draw(12, 1, 1, 3, 0);
	ok(!am_two_way_poisson(&fit, &data.rows, data.y, data.z, 1), "one period");
	am_two_way_poisson_free(&fit);
	data.rows.n = 0;
	ok(!am_two_way_poisson(&fit, &data.rows, data.y, data.z, 1), "no rows");
	am_two_way_poisson_free(&fit);
}

int
main(void)
{
	test_twin();
	test_invariance();
	test_undefined();
	return done_testing();
}
