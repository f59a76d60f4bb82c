/*
 * How often lead_lag() and its verdict see what is not there, and find what
 * is: simulated panels of reps and weeks, at the shipped defaults.
 *
 * lead_lag_size [REPLICATIONS [REPS [WEEKS [FAMILY [SEED [RULE]]]]]], 0 or
 * "all" for all of them.  RULE is shipped, or to compare: first (the verdict
 * without the second look, p_strict), rank, difference.  Prints one line a cell: the share of panels without a
 * relation that get the verdict leading, or any of leading, coincident and
 * lagging, with its standard error, and the share of panels with a true lead
 * of 2 weeks that are called leading by 2.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lead_lag/lead_lag.h"

#define LEAD		2			/* the true lead, where there is one */
#define STRENGTH	0.2			/* its correlation, before season and levels are put on */
#define BURN_IN		100
#define MAX_UNITS	64
#define MAX_WEEKS	160

typedef struct Family
{
	const char *name;
	double		persistence;	/* of an AR(1), of the logarithm of the mean for counts */
	double		season;			/* sd of what a week does to all reps, in both columns */
	double		level;			/* sd of what a rep has more than others, in both columns */
	double		zeros;			/* counts: share of zero weeks; 0 = no counts */
	double		mean;			/* counts: mean, where zeros is 0; 0 = normal */
	double		amount;			/* counts: each event of y has an amount, sd of its logarithm; 0 = none */
} Family;

/* season and level: sd in units of the noise; of the logarithm of the mean for counts */
static const Family families[] = {
	{"independent", 0, 0, 0, 0, 0, 0},
	{"persistent .8", .8, 0, 0, 0, 0, 0},
	{"persistent .95", .95, 0, 0, 0, 0, 0},
	{"season", 0, 1.5, 0, 0, 0, 0},
	{"levels", 0, 0, 3, 0, 0, 0},
	{"season, levels, .8", .8, 1.5, 3, 0, 0, 0},
	{"counts of 8", 0, 0, 0, 0, 8, 0},
	{"counts, season", 0, .3, 0, 0, 8, 0},
	{"counts, season, levels", 0, .3, .6, 0, 8, 0},
	{"sparse", 0, 0, 0, .8, 0, 0},
	{"sparse, .8", .8, 0, 0, .8, 0, 0},
	{"sparse, .95", .95, 0, 0, .8, 0, 0},
	{"sparse, season", 0, .5, 0, .8, 0, 0},
	{"sparse, levels", 0, 0, .6, .8, 0, 0},
	{"sparse, season, levels", 0, .5, .6, .8, 0, 0},
	{"sparse, amounts", 0, 0, 0, .8, 0, 1},
	{"counts, season, levels, .8", .8, .3, .6, 0, 8, 0},
	{"very sparse", 0, 0, 0, .95, 0, 0},
};

static const int all_reps[] = {5, 10, 20, 50};
static const int all_weeks[] = {26, 52, 156};

static uint64_t state;

static uint64_t
random64(void)
{
	uint64_t	z = (state += 0x9E3779B97F4A7C15ULL);

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
	return z ^ (z >> 31);
}

static double
uniform(void)
{
	return ((random64() >> 11) + 0.5) / 9007199254740992.0;
}

static double
normal(void)
{
	double		u,
				v,
				s;

	do
	{
		u = 2 * uniform() - 1;
		v = 2 * uniform() - 1;
		s = u * u + v * v;
	} while (s >= 1 || s == 0);
	return u * sqrt(-2 * log(s) / s);
}

static int
poisson(double mean)
{
	int			n = 0;
	double		limit,
				product;

	/* a sum of Poissons is one: keeps the limit above 0 */
	for (; mean > 30; mean -= 30)
		n += poisson(30);
	limit = exp(-mean);
	for (product = uniform(); product > limit; product *= uniform())
		n++;
	return n;
}

static int
binomial(int n, double p)
{
	int			hits = 0;

	while (n-- > 0)
		hits += uniform() < p;
	return hits;
}

static double season[MAX_WEEKS + BURN_IN];

/* one column of one rep: noise for normal families, means for counts */
static void
noise(const Family *f, int weeks, double level, double *out)
{
	double		fresh = sqrt(1 - f->persistence * f->persistence);
	double		at = normal();
	bool		counts = f->zeros > 0 || f->mean > 0;
	int			t;

	for (t = 0; t < weeks; t++)
	{
		at = f->persistence * at + fresh * normal();
		if (!counts)
			out[t] = at;
		else
		{
			/* the mean is kept where the logarithm varies */
			double		spread = (f->persistence > 0 ? .49 : 0) + f->level * f->level + f->season * f->season;
			double		mean = f->zeros > 0 ? -log(f->zeros) : f->mean;

			out[t] = mean * exp((f->persistence > 0 ? .7 * at : 0) + f->level * level + f->season * season[t] - spread / 2);
		}
	}
}

static void
simulate(const Family *f, int reps, int weeks, double strength, double *x, double *y)
{
	static double mean_x[MAX_WEEKS + LEAD];
	static double mean_y[MAX_WEEKS + LEAD];
	int			u,
				t;

	for (t = 0; t < weeks + LEAD; t++)
		season[t] = normal();
	for (u = 0; u < reps; u++)
	{
		double		level = normal();

		noise(f, weeks + LEAD, level, mean_x);
		noise(f, weeks + LEAD, level, mean_y);
		if (f->zeros > 0 || f->mean > 0)
		{
			/* each call wins a deal with probability strength, two weeks after */
			for (t = 0; t < weeks + LEAD; t++)
			{
				mean_x[t] = poisson(mean_x[t]);
				mean_y[t] = poisson(mean_y[t]);
				if (strength > 0)
					mean_y[t] = binomial((int) mean_y[t], 1 - strength) + (t >= LEAD ? binomial((int) mean_x[t - LEAD], strength) : 0);
			}
			for (t = 0; t < weeks; t++)
			{
				x[u * weeks + t] = mean_x[t + LEAD];
				y[u * weeks + t] = mean_y[t + LEAD] * (f->amount > 0 ? exp(f->amount * normal()) : 1);
			}
			continue;
		}
		for (t = 0; t < weeks; t++)
		{
			x[u * weeks + t] = mean_x[t + LEAD] + f->season * season[t + LEAD] + f->level * level;
			y[u * weeks + t] = sqrt(1 - strength * strength) * mean_y[t + LEAD] + strength * mean_x[t] +
				f->season * season[t + LEAD] + f->level * level;
		}
	}
}

typedef struct Tally
{
	long		verdicts[5];
	long		right;
} Tally;

static const char *rule = "shipped";

static void
run_cell(const Family *f, int reps, int weeks, double strength, long replications, Tally *tally)
{
	static int32_t unit[MAX_UNITS * MAX_WEEKS];
	static int64_t period[MAX_UNITS * MAX_WEEKS];
	static double x[MAX_UNITS * MAX_WEEKS];
	static double y[MAX_UNITS * MAX_WEEKS];
	static AmLeadLagRow rows[2 * 12 + 1];
	AmPanel		panel = {0};
	AmLeadLagOptions options = am_lead_lag_defaults();
	long		i;
	int			decided;

	panel.n = (size_t) reps * weeks;
	panel.n_units = reps;
	panel.unit = unit;
	panel.period = period;
	panel.x = x;
	panel.y = y;
	for (i = 0; i < (long) panel.n; i++)
	{
		unit[i] = (int32_t) (i / weeks);
		period[i] = i % weeks;
	}
	options.max_lag = am_lead_lag_default_max_lag(&panel);
	options.only_test = true;
	options.rank = strcmp(rule, "rank") == 0;
	if (strcmp(rule, "difference") == 0)
		options.difference = AM_DIFFERENCE_YES;
	memset(tally, 0, sizeof(*tally));
	for (i = 0; i < replications; i++)
	{
		AmLeadLagVerdict verdict;

		simulate(f, reps, weeks, strength, x, y);
		am_lead_lag(&panel, &options, rows);
		for (decided = 0; strcmp(rule, "first") == 0 && decided < 2 * options.max_lag + 1; decided++)
			rows[decided].p_strict = NAN;
		verdict = am_lead_lag_verdict(rows, 2 * options.max_lag + 1, 0.05, &decided);
		tally->verdicts[verdict]++;
		tally->right += verdict == AM_LL_LEADING && rows[decided].lag == LEAD;
	}
}

int
main(int argc, char **argv)
{
	long		replications = argc > 1 ? atol(argv[1]) : 0;
	int			only_reps = argc > 2 ? atoi(argv[2]) : 0;
	int			only_weeks = argc > 3 ? atoi(argv[3]) : 0;
	const char *only_family = argc > 4 ? argv[4] : "all";
	uint64_t	seed = argc > 5 ? strtoull(argv[5], NULL, 10) : 1;
	size_t		i,
				j,
				k;
	double		worst = 0;

	if (argc > 6)
		rule = argv[6];
	if (replications <= 0)
		replications = 4000;
	if (only_reps > MAX_UNITS || only_weeks > MAX_WEEKS - LEAD || only_reps < 0 || only_weeks < 0)
	{
		fprintf(stderr, "at most %d reps and %d weeks\n", MAX_UNITS, MAX_WEEKS - LEAD);
		return 1;
	}
	printf("%-26s %5s %5s %8s %8s %8s %6s %8s %8s\n", "family", "reps", "weeks", "leading", "lagging", "any", "+-", "power", "+-");
	for (i = 0; i < sizeof(families) / sizeof(families[0]); i++)
	{
		if (strcmp(only_family, "all") != 0 && strcmp(only_family, families[i].name) != 0)
			continue;
		for (j = 0; j < sizeof(all_reps) / sizeof(all_reps[0]); j++)
			for (k = 0; k < sizeof(all_weeks) / sizeof(all_weeks[0]); k++)
			{
				int			reps = only_reps ? only_reps : all_reps[j];
				int			weeks = only_weeks ? only_weeks : all_weeks[k];
				Tally		none,
							lead;
				double		any,
							power;

				if ((only_reps && j > 0) || (only_weeks && k > 0))
					continue;
				/* a cell is the same whichever others are run */
				state = seed * 1000003 + i * 10007 + (uint64_t) reps * 1009 + (uint64_t) weeks;
				run_cell(&families[i], reps, weeks, 0, replications, &none);
				run_cell(&families[i], reps, weeks, STRENGTH, replications, &lead);
				any = (double) (none.verdicts[AM_LL_LEADING] + none.verdicts[AM_LL_COINCIDENT] + none.verdicts[AM_LL_LAGGING]) / replications;
				power = (double) lead.right / replications;
				worst = fmax(worst, any);
				printf("%-26s %5d %5d %8.4f %8.4f %8.4f %6.4f %8.4f %8.4f\n", families[i].name, reps, weeks,
					   (double) none.verdicts[AM_LL_LEADING] / replications,
					   (double) none.verdicts[AM_LL_LAGGING] / replications,
					   any, sqrt(any * (1 - any) / replications), power, sqrt(power * (1 - power) / replications));
				fflush(stdout);
			}
	}
	printf("largest share of any false verdict: %.4f\n", worst);
	return 0;
}
