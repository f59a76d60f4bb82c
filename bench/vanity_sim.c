/*
 * vanity() and gaming on simulated teams of which the truth is known, beside
 * the bars they must meet; the exit status is 1 where one is missed.
 *
 * vanity_sim [WORLDS [SEED [RANGES]]]: worlds of each family and size; RANGES
 * is fresh (the default; not those the rules were tuned on), tuning or harsh.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vanity/gaming.h"
#include "vanity/vanity.h"

#define BURN_IN		16
#define MAX_REPS	50
#define MAX_WEEKS	(104 + BURN_IN)
#define MAX_ROWS	(MAX_REPS * 104)
#define VERDICTS	6

typedef enum Truth
{
	LEADING, OUTCOME, DIAGNOSTIC, VANITY, GAMED, LITTLE
} Truth;

typedef enum Family
{
	LEAD, LEAD_ADDITIVE, LEAD_SPARSE, LEAD_NOISY_LOG, LEAD_HARD_TERRITORY, LEAD_HONEST_TARGET, LEAD_TOOL_CHANGE,
	LEAD_MARKET_DROP, OUTCOME_ITSELF,
	PURE, RUNNING_TOTAL, TREND, SEASON, SIZE, TENURE, SIMPSON, JUNK_VOLUME, INERT_TARGET,
	SAME_WEEK, FOLLOWS, SATURATING,
	BUNCH, DUPLICATES, JUNK,
	TINY_LEAD, TINY_VANITY, CONSTANT,
	FAMILIES
} Family;

static const struct
{
	const char *name;
	Truth		truth;
} family_of[FAMILIES] = {
	{"lead", LEADING}, {"lead, additive", LEADING}, {"lead, sparse", LEADING}, {"lead, noisy log", LEADING},
	{"lead, hard territory", LEADING}, {"lead, honest target", LEADING}, {"lead, tool change", LEADING},
	{"lead, market drop", LEADING}, {"outcome itself", OUTCOME},
	{"no relation", VANITY}, {"running total", VANITY}, {"shared trend", VANITY}, {"season", VANITY}, {"rep size", VANITY},
	{"tenure ramp", VANITY}, {"Simpson", VANITY}, {"junk volume", VANITY}, {"inert target", VANITY},
	{"same week", DIAGNOSTIC}, {"follows", DIAGNOSTIC}, {"saturating", DIAGNOSTIC},
	{"bunch", GAMED}, {"duplicates", GAMED}, {"junk", GAMED},
	{"tiny, leads", LITTLE}, {"tiny, vanity", LITTLE}, {"constant", LITTLE}
};

static const struct
{
	const char *name;
	int			reps;
	int			weeks;
} sizes[] = {{"10x26", 10, 26}, {"20x52", 20, 52}, {"50x104", 50, 104}};

#define SIZES 3

/* Parameters are drawn from these, evenly between low and high */
typedef struct Ranges
{
	const char *name;
	double		activity[2];	/* a week, ln */
	double		outcomes[2];
	double		elasticity[2];
	double		spread[2];		/* sd of a rep's week, ln */
	double		persistence[2]; /* of it */
	double		size[2];		/* sd between reps, ln */
	double		season[2];		/* sd of a week, ln */
	double		clumping[2];	/* shape of the gamma behind a count; more = less */
	double		deal[2];		/* sd of ln amount */
	double		shocks[2];		/* sd of persistent shocks to a rep's outcome, ln */
	int			lag[2];
} Ranges;

static const Ranges all_ranges[] = {
	{"fresh", {2.5, 4.2}, {-1.0, 1.0}, {0.45, 1.05}, {0.35, 0.75}, {0.15, 0.65}, {0.2, 0.7}, {0.05, 0.3}, {4, 20}, {0.4, 1.1}, {0.0, 0.25}, {1, 7}},
	{"tuning", {2.0, 4.6}, {-0.8, 1.3}, {0.5, 1.2}, {0.4, 0.8}, {0.2, 0.6}, {0.2, 0.6}, {0.05, 0.25}, {5, 30}, {0.5, 0.9}, {0.0, 0.2}, {2, 8}},
	{"harsh", {1.5, 4.0}, {-2.3, -0.2}, {0.45, 1.05}, {0.4, 1.0}, {0.6, 0.9}, {0.3, 1.0}, {0.1, 0.4}, {0.8, 3}, {1.1, 1.7}, {0.2, 0.6}, {1, 7}}
};

static const Ranges *ranges = &all_ranges[0];

static uint64_t state;

static double
uniform(void)
{
	uint64_t	z = (state += 0x9E3779B97F4A7C15ULL);

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
	z ^= z >> 31;
	return ((double) (z >> 11) + 0.5) / 9007199254740992.0;
}

static double
between(const double *range)
{
	return range[0] + uniform() * (range[1] - range[0]);
}

static double
normal(void)
{
	return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform());
}

static double
gamma_of(double shape)
{
	double		d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3;
	double		c = 1 / sqrt(9 * d);

	for (;;)
	{
		double		x = normal();
		double		v = 1 + c * x;

		if (v <= 0)
			continue;
		v = v * v * v;
		if (log(uniform()) < 0.5 * x * x + d - d * v + d * log(v))
			return d * v * (shape < 1 ? pow(uniform(), 1 / shape) : 1);
	}
}

static int
poisson(double mean)
{
	int			n = 0;
	double		product = 1;

	for (; mean > 30; mean -= 30)
		n += poisson(30);
	for (double limit = exp(-mean);; n++)
	{
		product *= uniform();
		if (product <= limit)
			return n;
	}
}

/* a count around a mean, overdispersed */
static int
count_of(double mean, double clumping)
{
	return mean > 0 ? poisson(mean * gamma_of(clumping) / clumping) : 0;
}

static int
binomial(int n, double p)
{
	int			hits = 0;

	while (n-- > 0)
		hits += uniform() < p;
	return hits;
}

typedef struct World
{
	Family		family;
	int			reps;
	int			weeks;
	bool		has_target;
	int			target_week;
	double		target;
	int			lag;			/* 0 = none */
	double		elasticity;
	double		information;	/* expected z of a unit of elasticity, for one who knows the lag */
	AmPanel		panel;
	int32_t		unit[MAX_ROWS];
	int64_t		period[MAX_ROWS];
	double		x[MAX_ROWS];
	double		y[MAX_ROWS];
	double		quality[MAX_ROWS];
} World;

static World world;

static double effort[MAX_REPS][MAX_WEEKS];	/* ln activity above the usual of the rep and week */
static double dev[MAX_REPS][MAX_WEEKS];		/* the same, as it came out */
static double usual[MAX_REPS][MAX_WEEKS];
static double counted[MAX_REPS][MAX_WEEKS];	/* what the metric shows */
static double worked[MAX_REPS][MAX_WEEKS];	/* what can bring an outcome */
static double quality[MAX_REPS][MAX_WEEKS];
static double expected[MAX_REPS][MAX_WEEKS];	/* outcome */
static double deals[MAX_REPS][MAX_WEEKS];
static double paid[MAX_REPS][MAX_WEEKS];
static bool present[MAX_REPS][MAX_WEEKS];

static int
compare(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* sum of mu z^2 of the smoothed deviation without rep and week means, in sds of the outcome */
static double
information(int lag, int half, double phi)
{
	static double z[MAX_REPS][MAX_WEEKS];
	double		sum = 0;

	for (int r = 0; r < world.reps; r++)
		for (int t = BURN_IN; t < world.weeks + BURN_IN; t++)
		{
			z[r][t] = 0;
			for (int k = lag - half; k <= lag + half; k++)
				z[r][t] += dev[r][t - (k < 0 ? 0 : k)] / (2 * half + 1);
		}
	for (int sweep = 0; sweep < 4; sweep++)
	{
		for (int t = BURN_IN; t < world.weeks + BURN_IN; t++)
		{
			double		top = 0;
			double		bottom = 1e-9;

			for (int r = 0; r < world.reps; r++)
			{
				top += present[r][t] * expected[r][t] * z[r][t];
				bottom += present[r][t] * expected[r][t];
			}
			for (int r = 0; r < world.reps; r++)
				z[r][t] -= top / bottom;
		}
		for (int r = 0; r < world.reps; r++)
		{
			double		top = 0;
			double		bottom = 1e-9;

			for (int t = BURN_IN; t < world.weeks + BURN_IN; t++)
			{
				top += present[r][t] * expected[r][t] * z[r][t];
				bottom += present[r][t] * expected[r][t];
			}
			for (int t = BURN_IN; t < world.weeks + BURN_IN; t++)
				z[r][t] -= top / bottom;
		}
	}
	for (int r = 0; r < world.reps; r++)
		for (int t = BURN_IN + lag; t < world.weeks + BURN_IN; t++)
			sum += present[r][t] * expected[r][t] * z[r][t] * z[r][t];
	return sqrt(sum / phi);
}

static void
make_world(Family family, int reps, int weeks)
{
	const Ranges *g = ranges;
	int			all = weeks + BURN_IN;
	double		level = exp(family == LEAD_SPARSE ? -0.5 + 1.4 * uniform() : between(g->activity));
	double		outcome_level = exp(between(g->outcomes));
	double		spread = between(g->spread);
	double		keeps = between(g->persistence);
	double		clumping = between(g->clumping);
	double		sd_size = between(g->size);
	double		sd_season = between(g->season);
	double		sd_shock = between(g->shocks);
	double		sd_deal = between(g->deal);
	bool		amount = uniform() < 0.35;
	bool		has_quality = uniform() < 0.5;
	bool		ramps = family == TENURE || uniform() < 0.15;
	int			half = (int) (uniform() * 2.2);
	double		beta = between(g->elasticity);
	double		season_x[MAX_WEEKS];
	double		season_y[MAX_WEEKS];
	double		alike = family == SEASON ? 1 : uniform() * 0.7;
	double		phase = 6.283 * uniform();
	double		trend = (family == TREND ? 0.6 + 1.0 * uniform() : 0.3 * normal());
	double		cap = -0.1 + 0.3 * uniform();
	double		junk_share = 0.6 + 0.25 * uniform();
	double		multiple = 1.3 + 0.7 * uniform();
	double		drop = 0.5 + 0.3 * uniform();
	int			target_at = BURN_IN + (int) (weeks * (0.4 + 0.2 * uniform()));
	double		phi = amount ? exp(sd_deal * sd_deal) : 1;

	memset(&world.panel, 0, sizeof(world.panel));
	world.family = family;
	world.reps = reps;
	world.weeks = weeks;
	world.lag = g->lag[0] + (int) (uniform() * (g->lag[1] - g->lag[0] + 1));
	if (half >= world.lag)
		half = world.lag - 1;
	if (family == SAME_WEEK)
		world.lag = half = 0;
	world.elasticity = beta;
	world.has_target = false;
	if (family == SEASON)
		sd_season = 0.4 + 0.3 * uniform();
	if (family == SIZE)
		sd_size = 0.7 + 0.4 * uniform();
	if (family == SIMPSON)
		beta = -beta;
	if (family == DUPLICATES || family == JUNK_VOLUME)
		has_quality = true;

	for (int t = 0; t < all; t++)
	{
		double		wave = sin(6.283 * t / 26 + phase) + 0.6 * sin(6.283 * t / 11 + 2 * phase);
		bool		holiday = (t + (int) (phase * 4)) % 26 == 0;

		season_x[t] = sd_season * (0.9 * wave + 0.5 * normal()) - (holiday ? 0.6 : 0) + trend * (t - all / 2.0) / all;
		season_y[t] = alike * season_x[t] + sd_season * sqrt(1 - alike * alike) * (sin(6.283 * t / 19 + 3 * phase) + 0.3 * normal());
		if (family == TREND)
			season_y[t] += trend * (t - all / 2.0) / all;
	}

	for (int r = 0; r < reps; r++)
	{
		double		size = sd_size * normal();
		double		rho = family == SIZE || family == SIMPSON ? 0.95 : family == LEAD_HARD_TERRITORY ? -0.8 : 0.4;
		double		size_y = rho * size + sqrt(1 - rho * rho) * sd_size * normal();
		double		own_trend = 0.25 * normal();
		double		shock = sd_shock * normal();
		int			joins = ramps ? (int) (uniform() * 0.5 * weeks) : uniform() < 0.2 ? (int) (uniform() * 0.4 * weeks) : 0;
		int			leaves = uniform() < 0.1 ? weeks - (int) (uniform() * 0.3 * weeks) : weeks;
		double		e = spread * normal();
		double		logged = 0.4 + 0.4 * uniform();
		double		ramp_length = 8 + 16 * uniform();

		for (int t = 0; t < all; t++)
		{
			double		ramp = joins > 0 && ramps ? fmin(0, log((t - BURN_IN - joins + 3) / ramp_length)) : 0;
			double		mean;

			if (!isfinite(ramp))
				ramp = -2;
			e = keeps * e + sqrt(1 - keeps * keeps) * spread * normal();
			shock = 0.85 * shock + 0.53 * sd_shock * normal();
			effort[r][t] = e;
			present[r][t] = t - BURN_IN >= joins && t - BURN_IN < leaves && uniform() > 0.01;
			usual[r][t] = level * exp(size + season_x[t] + own_trend * (t - all / 2.0) / all + ramp);
			mean = usual[r][t] * exp(e - 0.5 * spread * spread);
			worked[r][t] = count_of(mean, clumping);
			logged = 0.9 * logged + 0.1 * (0.15 + 0.8 * uniform());
			counted[r][t] = family == LEAD_NOISY_LOG ? binomial((int) worked[r][t], logged) : worked[r][t];
			dev[r][t] = log((worked[r][t] + 0.5) / (usual[r][t] + 0.5));
			quality[r][t] = has_quality ? fmin(1, fmax(0.05, 0.75 + 0.1 * normal())) : NAN;
			expected[r][t] = outcome_level * exp(size_y + season_y[t] + shock - 0.5 * sd_shock * sd_shock + (family == TENURE ? ramp : 0.3 * ramp));
			if (family == LEAD_MARKET_DROP && t >= target_at)
				expected[r][t] *= drop;
		}
	}

	/* a target: what reps do about it */
	if (family == LEAD_HONEST_TARGET || family == LEAD_TOOL_CHANGE || family == LEAD_MARKET_DROP || family == INERT_TARGET ||
		family == BUNCH || family == DUPLICATES || family == JUNK)
	{
		static double v[MAX_REPS * MAX_WEEKS];
		size_t		n = 0;
		double		follow = 0.6 + 0.35 * uniform();

		for (int r = 0; r < reps; r++)
			for (int t = BURN_IN; t < target_at; t++)
				v[n++] = counted[r][t];
		qsort(v, n, sizeof(double), compare);
		world.has_target = true;
		world.target_week = target_at - BURN_IN;
		world.target = fmax(5, floor(v[(size_t) ((0.55 + 0.3 * uniform()) * n)]));
		for (int r = 0; r < reps; r++)
		{
			bool		plays = uniform() < 0.85;
			double		more = multiple * exp(0.25 * normal());
			double		works = 0.15 + 0.35 * uniform();

			for (int t = target_at; t < all; t++)
			{
				double		filler = 0;

				if (family == LEAD_HONEST_TARGET && plays)
				{
					/* real work: a general rise, and now and then the last step to the number */
					double		mean = usual[r][t] * exp(effort[r][t] + works - 0.5 * spread * spread);

					worked[r][t] = count_of(mean, clumping);
					if (worked[r][t] < world.target && worked[r][t] > 0.75 * world.target && uniform() < 0.5)
						worked[r][t] = world.target + poisson(0.5);
					counted[r][t] = worked[r][t];
				}
				else if (family == LEAD_TOOL_CHANGE)
					counted[r][t] = floor(worked[r][t] * (multiple - 0.1 + 0.2 * uniform()));
				else if ((family == BUNCH || family == DUPLICATES || (family == INERT_TARGET && works > 0.3)) && plays && counted[r][t] > 0 &&
						 counted[r][t] < world.target && uniform() < follow)
					filler = world.target + poisson(0.7) - counted[r][t];
				else if ((family == JUNK || family == INERT_TARGET) && plays && family != BUNCH)
					filler = count_of(worked[r][t] * (more - 1 + 0.2), 3);
				if (filler > 0)
				{
					if (has_quality && counted[r][t] + filler > 0)
						quality[r][t] = fmax(0.02, (quality[r][t] * counted[r][t] + 0.12 * filler) / (counted[r][t] + filler));
					counted[r][t] += filler;
				}
				dev[r][t] = log((worked[r][t] + 0.5) / (usual[r][t] + 0.5));
			}
		}
	}
	if (family == JUNK_VOLUME)
	{
		for (int r = 0; r < reps; r++)
		{
			double		e = 0;

			for (int t = 0; t < all; t++)
			{
				double		junk;

				e = keeps * e + sqrt(1 - keeps * keeps) * spread * normal();
				junk = count_of(usual[r][t] * junk_share / (1 - junk_share) * exp(e), clumping);
				counted[r][t] = worked[r][t] + junk;
				quality[r][t] = counted[r][t] > 0 ? fmin(1, fmax(0.02, (worked[r][t] * 0.95 + 0.05 * junk) / counted[r][t] + 0.04 * normal())) : NAN;
			}
		}
	}

	/* what follows from it */
	for (int r = 0; r < reps; r++)
	{
		for (int t = BURN_IN; t < all; t++)
		{
			double		pull = 0;
			double		ratio = 0;

			for (int k = world.lag - half; k <= world.lag + half; k++)
			{
				double		d = dev[r][t - k];

				pull += (family == SATURATING ? fmin(d, cap) : family == SAME_WEEK ? effort[r][t] : d) / (2 * half + 1);
				ratio += (worked[r][t - k] + 0.2) / (usual[r][t - k] + 0.2) / (2 * half + 1);
			}
			if (family == LEAD_ADDITIVE)
				expected[r][t] *= ratio;
			else if (family <= LEAD_MARKET_DROP || family == SIMPSON || family == JUNK_VOLUME || family >= BUNCH || family == SAME_WEEK ||
					 family == SATURATING || (family == RUNNING_TOTAL && phase > 3))
			{
				if (family != TINY_VANITY && family != CONSTANT)
					expected[r][t] *= exp(beta * pull);
			}
			deals[r][t] = sd_shock > 0.3 ? count_of(expected[r][t], 3) : poisson(expected[r][t]);
			paid[r][t] = deals[r][t];
			if (amount)
			{
				paid[r][t] = 0;
				for (int i = 0; i < (int) deals[r][t]; i++)
					paid[r][t] += floor(5000 * exp(sd_deal * normal()));
			}
		}
		if (family == FOLLOWS)
		{
			int			k = 1 + (int) (phase / 1.6);

			world.lag = -k;
			for (int t = BURN_IN + k; t < all; t++)
			{
				double		pull = 0.7 * beta * log((deals[r][t - k] + 0.5) / (expected[r][t - k] + 0.5));

				counted[r][t] = count_of(usual[r][t] * exp(effort[r][t] * 0.6 + pull), clumping);
			}
		}
	}
	world.information = information(world.lag < 1 ? (family == SAME_WEEK ? 0 : 1) : world.lag, world.lag < 1 ? 0 : half, phi);

	/* the panel */
	world.panel.unit = world.unit;
	world.panel.period = world.period;
	world.panel.x = world.x;
	world.panel.y = world.y;
	world.panel.quality = has_quality ? world.quality : NULL;
	for (int r = 0; r < reps; r++)
	{
		double		total = 0;
		bool		any = false;

		for (int t = BURN_IN; t < all; t++)
		{
			size_t		i = world.panel.n;

			total += counted[r][t];
			if (!present[r][t])
				continue;
			any = true;
			world.unit[i] = world.panel.n_units;
			world.period[i] = t - BURN_IN;
			world.x[i] = family == RUNNING_TOTAL ? total : family == CONSTANT ? 4 : family == OUTCOME_ITSELF ? deals[r][t] : counted[r][t];
			if (family == OUTCOME_ITSELF && uniform() < 0.01)
				world.x[i] = floor(2 * uniform());
			world.y[i] = paid[r][t];
			world.quality[i] = world.x[i] > 0 ? quality[r][t] : NAN;
			world.panel.n++;
		}
		world.panel.n_units += any;
	}
}

/* What counts as right, given what the world could have told */
static bool
acceptable(const World *w, AmVanityVerdict verdict)
{
	double		seen = w->information * w->elasticity;

	if (verdict == AM_VANITY_INSUFFICIENT)
	{
		switch (family_of[w->family].truth)
		{
			case LEADING:
			case GAMED:
			case DIAGNOSTIC:
				return w->family == FOLLOWS ? w->information < 15 : seen < 7;
			case VANITY:
				return w->family != RUNNING_TOTAL && w->information < 15;
			case LITTLE:
				return true;
			default:
				return false;
		}
	}
	switch (w->family)
	{
		case LEAD_NOISY_LOG:
		case SATURATING:
			return verdict == AM_VANITY_LEADING || verdict == AM_VANITY_DIAGNOSTIC;
		case JUNK_VOLUME:
			return verdict == AM_VANITY_VANITY || verdict == AM_VANITY_DIAGNOSTIC;
		case INERT_TARGET:
		case BUNCH:
		case DUPLICATES:
		case JUNK:
			return verdict == AM_VANITY_VANITY || verdict == AM_VANITY_GAMED;
		case TINY_LEAD:
			return verdict == AM_VANITY_LEADING;
		case TINY_VANITY:
			return verdict == AM_VANITY_VANITY;
		case CONSTANT:
			return false;
		default:
			switch (family_of[w->family].truth)
			{
				case LEADING:
					return verdict == AM_VANITY_LEADING;
				case OUTCOME:
					return verdict == AM_VANITY_OUTCOME;
				case DIAGNOSTIC:
					return verdict == AM_VANITY_DIAGNOSTIC;
				default:
					return verdict == AM_VANITY_VANITY;
			}
	}
}

/* One scored world */
typedef struct Scored
{
	Family		family;
	int			size;			/* -1: tiny */
	double		score;
	AmVanityVerdict verdict;
	double		p_gamed;
	bool		right;
	bool		has_lag;
	double		lag_off;
	double		p_found;		/* p(gamed) since a date that was looked for */
	double		date_off;		/* NaN without a date to find */
	double		p_explained;	/* p(gamed) where the change of a tool is told; NaN without one */
} Scored;

static Scored *scored;
static size_t n_scored;

static bool
is_vanity(Family f)
{
	return family_of[f].truth == VANITY;
}

static bool
is_useful(Family f)
{
	return family_of[f].truth == LEADING || family_of[f].truth == OUTCOME;
}

static bool
is_innocent(Family f)
{
	return f == LEAD_HONEST_TARGET || f == LEAD_TOOL_CHANGE || f == LEAD_MARKET_DROP;
}

static bool
is_gamed(Family f)
{
	return family_of[f].truth == GAMED;
}

/* chance that one of the first is above one of the second */
static double
auc(const double *a, size_t n, const double *b, size_t m)
{
	double		sum = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < m; j++)
			sum += a[i] > b[j] ? 1 : a[i] == b[j] ? 0.5 : 0;
	return n && m ? sum / n / m : NAN;
}

static int	passed;
static int	failed;

static void
bar(const char *size, const char *name, double value, double most, bool at_least)
{
	bool		good = at_least ? value >= most : value <= most;

	if (isnan(value))
		return;
	printf("%s %-7s %-36s %.3f (bar %s %.3g)\n", good ? "ok  " : "MISS", size, name, value, at_least ? ">=" : "<=", most);
	passed += good;
	failed += !good;
}

static double
share(int size, bool (*of) (Family), bool (*hit) (const Scored *))
{
	double		n = 0;
	double		hits = 0;

	for (size_t i = 0; i < n_scored; i++)
	{
		if ((size >= 0 ? scored[i].size != size : scored[i].size < 0) || (of && !of(scored[i].family)))
			continue;
		n++;
		hits += hit(&scored[i]);
	}
	return n ? hits / n : NAN;
}

static bool called_bad(const Scored *s) { return s->verdict == AM_VANITY_VANITY || s->verdict == AM_VANITY_GAMED; }
static bool called_good(const Scored *s) { return s->verdict == AM_VANITY_LEADING || s->verdict == AM_VANITY_OUTCOME; }
static bool was_right(const Scored *s) { return s->right; }
static bool decided(const Scored *s) { return s->verdict != AM_VANITY_INSUFFICIENT; }
static bool half_gamed(const Scored *s) { return s->p_gamed >= 0.5; }
static bool called_outcome(const Scored *s) { return s->verdict == AM_VANITY_OUTCOME; }
static bool called_vanity(const Scored *s) { return s->verdict == AM_VANITY_VANITY; }
static bool is_outcome(Family f) { return f == OUTCOME_ITSELF; }
static bool is_total(Family f) { return f == RUNNING_TOTAL; }

static void
grade(void)
{
	static const double bars[SIZES][5] = {{0.80, 0.07, 0.05, 0.85, 0}, {0.94, 0.06, 0.05, 0.85, 0.60}, {0.985, 0.04, 0.04, 0.92, 0.90}};
	double	   *a = malloc((n_scored + 1) * sizeof(double));
	double	   *b = malloc((n_scored + 1) * sizeof(double));
	size_t		n;
	size_t		m;
	double		error = 0;
	double		lags = 0;
	double		near = 0;
	double		tiny = 0;
	double		tiny_wrong = 0;

	puts("share of verdicts by family and size: outcome, leading, diagnostic, vanity, gamed, undecided; right; p(gamed) >= 0.5");
	for (int f = 0; f < FAMILIES; f++)
		for (int size = -1; size < SIZES; size++)
		{
			double		count[VERDICTS] = {0};
			double		right = 0;
			double		gamed = 0;
			double		all = 0;

			for (size_t i = 0; i < n_scored; i++)
				if (scored[i].family == (Family) f && scored[i].size == size)
				{
					count[scored[i].verdict]++;
					right += scored[i].right;
					gamed += scored[i].p_gamed >= 0.5;
					all++;
				}
			if (all > 0)
				printf("%-22s %-7s %.2f %.2f %.2f %.2f %.2f %.2f  right %.2f  gamed %.2f\n", family_of[f].name, size < 0 ? "tiny" : sizes[size].name,
					   count[0] / all, count[1] / all, count[2] / all, count[3] / all, count[4] / all, count[5] / all, right / all, gamed / all);
		}
	for (int size = 0; size < SIZES; size++)
	{
		const char *name = sizes[size].name;

		n = m = 0;
		for (size_t i = 0; i < n_scored; i++)
			if (scored[i].size == size)
			{
				if (is_vanity(scored[i].family))
					a[n++] = scored[i].score;
				else if (is_useful(scored[i].family))
					b[m++] = scored[i].score;
			}
		bar(name, "AUC, vanity against useful", auc(a, n, b, m), bars[size][0], true);
		bar(name, "useful called vanity or gamed", share(size, is_useful, called_bad), bars[size][1], false);
		bar(name, "vanity called leading or outcome", share(size, is_vanity, called_good), bars[size][2], false);
		bar(name, "verdict acceptable", share(size, NULL, was_right), bars[size][3], true);
		bar(name, "decided", share(size, NULL, decided), bars[size][4], true);
	}
	for (int size = -1; size < SIZES; size++)
	{
		n = m = 0;
		for (size_t i = 0; i < n_scored; i++)
			if (size < 0 || scored[i].size == size)
			{
				if (is_gamed(scored[i].family))
					a[n++] = scored[i].p_gamed;
				else if (is_innocent(scored[i].family))
					b[m++] = scored[i].p_gamed;
			}
		if (size < 0)
			bar("all", "gaming AUC", auc(a, n, b, m), 0.94, true);
		else
			printf("     %-7s gaming AUC %.3f, detected %.3f, false alarms %.3f\n", sizes[size].name, auc(a, n, b, m),
				   share(size, is_gamed, half_gamed), share(size, is_innocent, half_gamed));
	}
	bar("all", "gaming detected", share(-1, is_gamed, half_gamed), 0.80, true);
	bar("all", "gaming false alarms", share(-1, is_innocent, half_gamed), 0.08, false);
	for (int size = -1; size < SIZES; size++)
	{
		double		n_found = 0;
		double		close_by = 0;
		double		explained = 0;
		double		told = 0;
		double		others = 0;
		double		alarms = 0;

		n = m = 0;
		for (size_t i = 0; i < n_scored; i++)
			if (size < 0 ? scored[i].size >= 0 : scored[i].size == size)
			{
				const Scored *s = &scored[i];

				if (is_gamed(s->family))
				{
					a[n++] = s->p_found;
					n_found += s->p_found >= 0.5;
					close_by += s->p_found >= 0.5 && s->date_off <= 2;
				}
				else if (is_innocent(s->family))
					b[m++] = s->p_found;
				if (s->family == LEAD_TOOL_CHANGE)
				{
					told++;
					explained += s->p_explained >= 0.5;
				}
				if (!is_gamed(s->family) && s->family != INERT_TARGET)
				{
					others++;
					alarms += s->p_found >= 0.5;
				}
			}
		if (n == 0 || others == 0)
			continue;
		printf("     %-7s date looked for: AUC %.3f, detected %.3f, false alarms %.4f; date within 2 weeks %.3f; tool change told: false alarms %.3f\n",
			   size < 0 ? "all" : sizes[size].name, auc(a, n, b, m), n_found / n, alarms / others, n_found > 0 ? close_by / n_found : NAN, explained / told);
		if (size < 0)
		{
			bar("all", "date looked for: AUC", auc(a, n, b, m), 0.94, true);
			bar("all", "date looked for: false alarms", alarms / others, 0.01, false);
			bar("all", "date within 2 weeks", n_found > 0 ? close_by / n_found : NAN, 0.92, true);
		}
	}
	n = 0;
	for (int bin = 0; bin < 10; bin++)
	{
		double		sum = 0;
		double		bad = 0;
		double		in = 0;

		for (size_t i = 0; i < n_scored; i++)
			if (scored[i].size >= 0 && (is_vanity(scored[i].family) || is_useful(scored[i].family)))
			{
				n += bin == 0;
				if ((int) fmin(9, scored[i].score * 10) == bin)
				{
					in++;
					sum += scored[i].score;
					bad += is_vanity(scored[i].family);
				}
			}
		error += fabs(sum - bad);
	}
	bar("all", "calibration error", error / n, 0.08, false);
	for (size_t i = 0; i < n_scored; i++)
	{
		if (scored[i].has_lag)
		{
			lags++;
			near += scored[i].lag_off <= 1;
		}
		if (scored[i].size < 0)
		{
			tiny++;
			tiny_wrong += !scored[i].right;
		}
	}
	bar("all", "tiny, confidently wrong", tiny ? tiny_wrong / tiny : NAN, 0.03, false);
	bar("all", "outcome named", share(-1, is_outcome, called_outcome), 0.95, true);
	bar("all", "running total named", share(-1, is_total, called_vanity), 0.95, true);
	bar("all", "lag within one week", lags ? near / lags : NAN, 0.90, true);
	free(a);
	free(b);
}

static void
score_world(int size)
{
	AmVanityOptions options;
	AmVanityResult result;
	Scored	   *s = &scored[n_scored++];

	memset(&options, 0, sizeof(options));
	options.has_target = world.has_target;
	options.target_from = world.target_week;
	options.target_value = world.target;
	am_vanity(&world.panel, &options, &result);
	memset(s, 0, sizeof(*s));
	s->family = world.family;
	s->size = size;
	s->score = result.score;
	s->verdict = result.verdict;
	s->p_gamed = isnan(result.p_gamed) ? 0 : result.p_gamed;
	s->right = acceptable(&world, result.verdict);
	if (getenv("MISSES") && !s->right)
		printf("%s %d: %s, lag %d elasticity %.2f information %.1f: window %d..%d b %.2f (%.2f..%.2f) nothing %.2f leads %.2f weak %.2f wrong %.2f same %.2f follows %.2f substance %.2f gamed %.2f outcomes %ld of %ld\n",
			   family_of[world.family].name, size, am_vanity_verdict_name(result.verdict), world.lag, world.elasticity, world.information,
			   result.lag_from, result.lag_to, result.elasticity, result.low, result.high, result.p_nothing, result.p_leads, result.p_weak,
			   result.wrong_way, result.same_week, result.follows, result.only_substance, s->p_gamed, (long) result.outcomes, (long) result.n);
	if (size >= 0)
	{
		AmGamingTarget target;
		AmGamingResult gaming;
		double		z;

		memset(&target, 0, sizeof(target));
		target.value = world.has_target ? world.target : NAN;
		s->p_found = 0;
		s->date_off = NAN;
		s->p_explained = NAN;
		if (world.family != RUNNING_TOTAL && world.family != OUTCOME_ITSELF && am_gaming_scan(&world.panel, &target, &z))
		{
			am_gaming(&world.panel, &target, &gaming, NULL);
			s->p_found = isnan(gaming.p_gamed) ? 0 : gaming.p_gamed;
			if (world.has_target)
				s->date_off = fabs((double) (target.from - world.target_week));
		}
		if (world.family == LEAD_TOOL_CHANGE)
		{
			target.from = target.changed_at = world.target_week;
			target.has_change = true;
			target.searched = false;
			am_gaming(&world.panel, &target, &gaming, NULL);
			s->p_explained = gaming.p_gamed;
		}
	}
	s->has_lag = family_of[world.family].truth == LEADING && result.verdict == AM_VANITY_LEADING;
	s->lag_off = fabs((result.lag_from + result.lag_to) / 2.0 - world.lag);
}

int
main(int argc, char **argv)
{
	int			worlds = argc > 1 ? atoi(argv[1]) : 40;
	uint64_t	seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 20260;

	for (size_t i = 0; argc > 3 && i < sizeof(all_ranges) / sizeof(all_ranges[0]); i++)
		if (strcmp(argv[3], all_ranges[i].name) == 0)
			ranges = &all_ranges[i];
	scored = malloc(((size_t) worlds * FAMILIES * SIZES + 1) * sizeof(*scored));
	printf("%d worlds of each family and size, seed %llu, %s ranges\n", worlds, (unsigned long long) seed, ranges->name);
	for (int f = 0; f < FAMILIES; f++)
		for (int size = 0; size < SIZES; size++)
			for (int i = 0; i < worlds; i++)
			{
				state = seed * 1000003 + (uint64_t) ((f * SIZES + size) * 100000 + i) * 0x9E3779B9ULL;
				if (f < TINY_LEAD)
					make_world((Family) f, sizes[size].reps, sizes[size].weeks);
				else
					make_world((Family) f, 2 + (int) (3 * uniform()), 5 + (int) (6 * uniform()));
				score_world(f < TINY_LEAD ? size : -1);
			}
	grade();
	printf("%d passed, %d failed\n", passed, failed);
	return failed > 0;
}
