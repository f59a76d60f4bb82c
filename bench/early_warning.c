/*
 * Run lengths of the early warning by simulation: how long until a false
 * alarm, and until a lasting drop by 30 % and by 50 % is seen.  Parameters
 * known, as in docs/early_warning.md; the level estimated once, by the median
 * of 26 periods; and activity_cusum() as it is, one unit without others.
 *
 * early_warning [RUNS [SEED]]
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "warning/cusum.h"
#include "warning/run_length.h"

#define BASELINE	26
#define WARM		(AM_CUSUM_WINDOW + AM_CUSUM_GUARD)
#define LONGEST		6000		/* periods; longer runs are cut and counted as such */
#define EWMA_WEIGHT	0.2
#define EWMA_LIMIT	2.6

typedef struct Case
{
	double		mean;
	double		phi;
	/* as the design has them: parameters known, median in brackets, -30 %, -50 %; h = 4, h = 5, EWMA */
	double		published[3][4];
} Case;

static const Case cases[] = {
	{5, 1, {{155, 133, 12, 5.3}, {354, 376, 15, 6.6}, {158, 146, 12, 5.2}}},
	{20, 1, {{231, 195, 4.8, 2.7}, {534, 472, 5.8, 3.2}, {245, 240, 4.6, 2.5}}},
	{20, 3, {{208, 150, 9, 4.3}, {486, 300, 11, 5.2}, {194, 122, 9, 4.3}}},
	{40, 6, {{212, 142, 9, 4.3}, {505, 316, 11, 5.2}, {221, 128, 9, 4.1}}}
};

static uint64_t seed;

static double
uniform(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return ((double) (seed >> 11) + 0.5) / 9007199254740992.0;
}

static double
normal(void)
{
	return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
}

/* Marsaglia and Tsang 2000 */
static double
draw_gamma(double shape)
{
	double		d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3;
	double		c = 1 / sqrt(9 * d);

	for (;;)
	{
		double		z = normal();
		double		v = pow(1 + c * z, 3);

		if (v > 0 && log(uniform()) < 0.5 * z * z + d - d * v + d * log(v))
			return d * v * (shape < 1 ? pow(uniform(), 1 / shape) : 1);
	}
}

/* Poisson, or negative binomial with variance phi mean */
static double
count(double mean, double phi)
{
	double		product = 1;
	double		limit;
	double		n = 0;

	if (phi > 1)
		mean = draw_gamma(mean / (phi - 1)) * (phi - 1);
	limit = exp(-mean);
	while ((product *= uniform()) > limit)
		n++;
	return n;
}

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return x < y ? -1 : x > y;
}

typedef struct Mean
{
	double		sum;
	double		squares;
	double		n;
	double		cut;
} Mean;

static void
add(Mean *mean, double length, bool cut)
{
	mean->sum += length;
	mean->squares += length * length;
	mean->n++;
	mean->cut += cut;
}

/* The run length if the ones that were cut go on as the others did, and its standard error */
static void
show(const Mean *mean)
{
	double		length = mean->sum / fmax(mean->n - mean->cut, 1);
	double		sd = sqrt(fmax(mean->squares / mean->n - mean->sum * mean->sum / mean->n / mean->n, 0));

	printf(" %6.1f (%.1f)", length, sd / sqrt(mean->n) * (mean->n / fmax(mean->n - mean->cut, 1)));
}

/* z against a level; the CUSUM if h > 0, else the EWMA.  Drops from the first period on. */
static double
run(const Case *c, double level, double phi, double left, double h, bool *cut)
{
	double		s = 0;

	for (int t = 1; t <= LONGEST; t++)
	{
		double		z = am_cusum_z(count(c->mean * left, c->phi), level, phi);

		if (h > 0)
			s = fmax(0, s - z - AM_CUSUM_SLACK);
		else
			s = (1 - EWMA_WEIGHT) * s - EWMA_WEIGHT * z;
		if (h > 0 ? s >= h : s > EWMA_LIMIT * sqrt(EWMA_WEIGHT / (2 - EWMA_WEIGHT)))
		{
			*cut = false;
			return t;
		}
	}
	*cut = true;
	return LONGEST;
}

static double
median_level(const Case *c)
{
	double		values[BASELINE];

	for (int i = 0; i < BASELINE; i++)
		values[i] = count(c->mean, c->phi);
	qsort(values, BASELINE, sizeof(double), compare_doubles);
	return (values[BASELINE / 2 - 1] + values[BASELINE / 2]) / 2;
}

/* activity_cusum() itself; periods from the drop, or from the first one with a whole baseline */
static double
shipped(const Case *c, double left, double h, int longest, bool *cut)
{
	static double x[WARM + LONGEST];
	static double path[WARM + LONGEST];
	static int32_t unit[WARM + LONGEST];
	static int64_t period[WARM + LONGEST];
	AmPanel		panel = {.n = (size_t) (WARM + longest), .n_units = 1, .unit = unit, .period = period, .x = x, .y = x};
	AmCusumOptions options = {.h = h, .false_alarms = NAN, .periods_per_year = 52};
	AmCusumRow	rows[2];

	for (int i = 0; i < WARM + longest; i++)
	{
		x[i] = count(c->mean * (i < WARM ? 1 : left), c->phi);
		period[i] = i;
	}
	am_cusum(&panel, &options, rows, path);
	for (int i = WARM; i < WARM + longest; i++)
		if (path[i] >= h)
		{
			*cut = false;
			return i - WARM + 1;
		}
	*cut = true;
	return longest;
}

int
main(int argc, char **argv)
{
	int			runs = argc > 1 ? atoi(argv[1]) : 4000;
	static const char *const schemes[] = {"CUSUM h=4", "CUSUM h=5", "EWMA 2.6"};
	static const double thresholds[] = {4, 5, 0};

	seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 20260101;
	printf("%d runs; periods, standard errors in brackets\n", runs);
	printf("scheme     mean phi  what                   no change         -30 %%        -50 %%\n");
	for (int i = 0; i < (int) (sizeof(cases) / sizeof(cases[0])); i++)
		for (int k = 0; k < 3; k++)
		{
			const Case *c = &cases[i];
			static const double left[] = {1, 0.7, 0.5};
			Mean		known[3] = {{0, 0, 0, 0}};
			double	   *medians = malloc(runs * sizeof(double));
			Mean		whole[3] = {{0, 0, 0, 0}};
			double	   *delays[3] = {NULL, malloc(runs * sizeof(double)), malloc(runs * sizeof(double))};
			bool		cut;

			for (int r = 0; r < runs; r++)
			{
				double		length;

				for (int d = 0; d < 3; d++)
				{
					length = run(c, c->mean, c->phi, left[d], thresholds[k], &cut);
					add(&known[d], length, cut);
				}
				length = run(c, median_level(c), c->phi, 1, thresholds[k], &cut);
				medians[r] = length;
				/* a rolling baseline costs more: fewer runs */
				if (thresholds[k] > 0 && r % 4 == 0)
					for (int d = 0; d < 3; d++)
					{
						length = shipped(c, left[d], thresholds[k], d == 0 ? 2000 : 300, &cut);
						add(&whole[d], length, cut);
						if (d > 0)
							delays[d][(int) whole[d].n - 1] = length;
					}
			}
			printf("%-10s %4g %3g  published              %6.0f        %6.1f        %6.1f\n", schemes[k], c->mean, c->phi, c->published[k][0], c->published[k][2], c->published[k][3]);
			if (thresholds[k] > 0)
				printf("%20s  exact (Markov chain)   %6.1f        %6.1f        %6.1f\n", "",
					   am_cusum_arl(c->mean, c->phi, 1, thresholds[k]), am_cusum_arl(c->mean, c->phi, 0.7, thresholds[k]), am_cusum_arl(c->mean, c->phi, 0.5, thresholds[k]));
			printf("%20s  known, simulated      ", "");
			for (int d = 0; d < 3; d++)
				show(&known[d]);
			printf("\n%20s  median of 26 (%3.0f)    ", "", c->published[k][1]);
			/* half of the runs; their mean is that of a few with a lucky level, which hardly end */
			qsort(medians, runs, sizeof(double), compare_doubles);
			printf(" %6.1f half of the runs", medians[runs / 2]);
			free(medians);
			if (thresholds[k] > 0)
			{
				printf("\n%20s  promised, level of 52   %6.1f", "", am_cusum_arl_estimated(c->mean, c->phi, 1, thresholds[k], AM_CUSUM_WINDOW));
				printf("\n%20s  activity_cusum()      ", "");
				show(&whole[0]);
				/* a drop that is not seen within 26 periods is the usual level by then */
				for (int d = 1; d < 3; d++)
				{
					int			n = (int) whole[d].n;
					int			seen = 0;

					qsort(delays[d], n, sizeof(double), compare_doubles);
					while (seen < n && delays[d][seen] <= AM_CUSUM_HOLD)
						seen++;
					printf("%s half within %.0f, %.0f %% within 26", d == 2 ? ";" : " ", delays[d][n / 2], 100.0 * seen / n);
				}
			}
			printf("\n");
			free(delays[1]);
			free(delays[2]);
		}
	return 0;
}
