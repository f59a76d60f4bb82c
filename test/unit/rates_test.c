/*
 * Wilson intervals and Kaplan-Meier shares against golden values, closed
 * forms and a slow twin.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "tap.h"
#include "golden.h"

#include "stats/rates.h"

#define MAX_EVENTS 512

static double
relative_error(double got, double want)
{
	if (close_to(got, want, 0, 0))
		return 0;
	if (isnan(got) || isnan(want) || want == 0)
		return INFINITY;
	return fabs(got / want - 1);
}

static uint64_t seed = 7;

static uint64_t
draw(uint64_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (seed >> 33) % below;
}

static void
test_wilson_golden(void)
{
	const char *path = shared_file("golden/expected/proportion_interval.csv");
	char		line[1024];
	char	   *fields[5];
	double		worst = 0;
	int			rows = 0;
	FILE	   *f;

	if (!path)
	{
		skip("proportion_interval.csv", "no golden files");
		return;
	}
	f = fopen(path, "r");
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	while (fgets(line, sizeof(line), f))
	{
		double		low,
					high;

		if (split(line, fields, 5) < 5)
			continue;
		am_wilson(strtod(fields[0], NULL), strtod(fields[1], NULL), AM_Z95, &low, &high);
		worst = fmax(worst, relative_error(low, strtod(fields[3], NULL)));
		/* the last field runs on to the end of the line */
		worst = fmax(worst, relative_error(high, strtod(fields[4], NULL)));
		rows++;
	}
	fclose(f);
	ok(rows > 0 && worst < 1e-12, "golden: Wilson, %d intervals, worst relative error %.1e", rows, worst);
}

static void
test_wilson(void)
{
	static const struct
	{
		double		x,
					n,
					low,
					high;
	}			cases[] =
	{
		{0, 10, 0, 0.27753279986288915},
		{10, 10, 0.72246720013711085, 1},
		{1, 10, 0.017876213095072892, 0.40415002679523837},
		{81, 263, 0.25528851987827428, 0.36620957698280016},
		{0, 1, 0, 0.79345068562276255},
		{3, 1000000, 1.0202712409681229e-06, 8.8211497743124362e-06},
	};
	static const double bad[][3] = {
		{0, 0, AM_Z95}, {1, 0, AM_Z95}, {-1, 5, AM_Z95}, {6, 5, AM_Z95}, {NAN, 5, AM_Z95},
		{1, NAN, AM_Z95}, {1, 5, NAN}, {1, 5, -1}, {1, INFINITY, AM_Z95}, {1, -5, AM_Z95}
	};
	double		worst = 0,
				low,
				high;
	bool		sane = true,
				mirrored = true,
				solves = true,
				refused = true;
	size_t		i;
	int			n,
				x;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		am_wilson(cases[i].x, cases[i].n, AM_Z95, &low, &high);
		worst = fmax(worst, relative_error(low, cases[i].low));
		worst = fmax(worst, relative_error(high, cases[i].high));
	}
	ok(worst < 1e-14, "literal: Wilson, worst relative error %.1e", worst);

	for (n = 1; n <= 300; n += 7)
		for (x = 0; x <= n; x++)
		{
			double		other_low,
						other_high;
			double		p = (double) x / n;

			am_wilson(x, n, AM_Z95, &low, &high);
			am_wilson(n - x, n, AM_Z95, &other_low, &other_high);
			if (!(low >= 0 && low <= p && p <= high && high <= 1))
				sane = false;
			if ((x == 0) != (low == 0) || (x == n) != (high == 1))
				sane = false;
			if (!close_to(low, 1 - other_high, 0, 4e-16) || !close_to(high, 1 - other_low, 0, 4e-16))
				mirrored = false;
			/* by definition the limits lie z standard errors of their own away */
			if (!close_to((p - low) * (p - low), AM_Z95 * AM_Z95 * low * (1 - low) / n, 1e-11, 1e-16) ||
				!close_to((high - p) * (high - p), AM_Z95 * AM_Z95 * high * (1 - high) / n, 1e-11, 1e-16))
				solves = false;
		}
	ok(sane, "low <= x/n <= high within [0, 1], exact at 0 and n only");
	ok(mirrored, "x and n - x mirror each other");
	ok(solves, "the limits solve the score equation");

	am_wilson(1e-300, 1e300, AM_Z95, &low, &high);
	ok(low >= 0 && high > low && high < 1e-290, "a vanishing share does not underflow to nonsense");
	am_wilson(3, 12, 0, &low, &high);
	ok(low == 0.25 && high == 0.25, "z = 0 is the share itself");

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		low = high = 0;
		am_wilson(bad[i][0], bad[i][1], bad[i][2], &low, &high);
		if (!isnan(low) || !isnan(high))
			refused = false;
	}
	ok(refused, "nobody, more than all, NaN: no interval");
}

static int
compare_times(const void *a, const void *b)
{
	int64_t		x = *(const int64_t *) a;
	int64_t		y = *(const int64_t *) b;

	return (x > y) - (x < y);
}

typedef struct Survival
{
	int64_t		converted[MAX_EVENTS];
	int64_t		censored[MAX_EVENTS];
	size_t		n_converted;
	size_t		n_censored;
	size_t		never;
} Survival;

/* as a caller does it: both kinds in order of time, conversions first */
static double
converted_share(const int64_t *converted, size_t n_converted,
				const int64_t *censored, size_t n_censored, size_t never)
{
	AmKaplanMeier km;
	size_t		c = 0;
	size_t		i;

	am_kaplan_meier_start(&km, (double) (n_converted + n_censored + never));
	for (i = 0; i < n_converted; i++)
	{
		while (c < n_censored && censored[c] < converted[i])
		{
			am_kaplan_meier_censor(&km);
			c++;
		}
		am_kaplan_meier_convert(&km);
	}
	/* those censored after the last conversion change nothing, fed or not */
	if (i % 2 == 0)
		for (; c < n_censored; c++)
			am_kaplan_meier_censor(&km);
	return 1 - am_kaplan_meier_survival(&km);
}

static double
estimate(Survival *s)
{
	qsort(s->converted, s->n_converted, sizeof(int64_t), compare_times);
	qsort(s->censored, s->n_censored, sizeof(int64_t), compare_times);
	return converted_share(s->converted, s->n_converted,
						   s->censored, s->n_censored, s->never);
}

/* the textbook product, everybody counted anew at every event time */
static double
slow_estimate(const Survival *s)
{
	double		survival = 1;
	size_t		i,
				j;

	for (i = 0; i < s->n_converted; i++)
	{
		int64_t		t = s->converted[i];
		double		at_risk = s->never,
					events = 0;
		bool		seen = false;

		for (j = 0; j < i; j++)
			if (s->converted[j] == t)
				seen = true;
		if (seen)
			continue;
		for (j = 0; j < s->n_converted; j++)
		{
			at_risk += s->converted[j] >= t;
			events += s->converted[j] == t;
		}
		for (j = 0; j < s->n_censored; j++)
			at_risk += s->censored[j] >= t;
		survival *= 1 - events / at_risk;
	}
	return 1 - survival;
}

static Survival
read_survival(const char *path, const char *dataset, const char *group)
{
	Survival	s;
	char		line[256];
	char	   *fields[5];
	FILE	   *f = fopen(path, "r");

	s.n_converted = s.n_censored = s.never = 0;
	while (f && fgets(line, sizeof(line), f))
	{
		if (split(line, fields, 5) < 5 || strcmp(fields[0], dataset) != 0)
			continue;
		if (strcmp(group, "all") != 0 && strcmp(group, fields[4]) != 0)
			continue;
		if (atoi(fields[3]))
			s.converted[s.n_converted++] = atoll(fields[2]);
		else
			s.censored[s.n_censored++] = atoll(fields[2]);
	}
	if (f)
		fclose(f);
	return s;
}

static void
test_kaplan_meier_golden(void)
{
	const char *found = shared_file("golden/data/survival.csv");
	char		data_path[1024];
	char		line[1024];
	char		dataset[64] = "",
				group[64] = "";
	char	   *fields[8];
	double		last = NAN,
				worst = 0;
	int			curves = 0;
	FILE	   *f = NULL;

	if (found)
	{
		snprintf(data_path, sizeof(data_path), "%s", found);
		found = shared_file("golden/expected/kaplan_meier.csv");
	}
	if (found)
		f = fopen(found, "r");
	if (!f)
	{
		skip("kaplan_meier.csv", "no golden files");
		return;
	}
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	for (;;)
	{
		bool		more = fgets(line, sizeof(line), f) && split(line, fields, 8) == 8;

		/* the last row of a curve is what it ends at */
		if (!more || strcmp(fields[0], dataset) != 0 || strcmp(fields[1], group) != 0)
		{
			if (!isnan(last))
			{
				Survival	s = read_survival(data_path, dataset, group);

				worst = fmax(worst, fabs(estimate(&s) - (1 - last)));
				curves++;
			}
			if (!more)
				break;
			snprintf(dataset, sizeof(dataset), "%s", fields[0]);
			snprintf(group, sizeof(group), "%s", fields[1]);
		}
		last = strtod(fields[6], NULL);
	}
	fclose(f);
	ok(curves == 8 && worst < 1e-14,
	   "golden: Kaplan-Meier, %d curves, worst error %.1e", curves, worst);
}

static void
test_kaplan_meier(void)
{
	/* R survival, aml, maintained group: S(last) = 0.18409090909090911 */
	static const int64_t aml_events[] = {9, 13, 18, 23, 31, 34, 48};
	static const int64_t aml_censored[] = {13, 28, 45, 161};
	static const int64_t ties[] = {2, 2, 4};
	static const int64_t ties_censored[] = {2, 4, 9};
	static const int64_t far[] = {INT64_MIN, -5, INT64_MAX};
	double		worst = 0;
	bool		exact = true;
	int			round;
	size_t		i;

	ok(close_to(converted_share(aml_events, 7, aml_censored, 4, 0),
				1 - 10.0 / 11 * 9 / 10 * 7 / 8 * 6 / 7 * 4 / 5 * 3 / 4 * 1 / 2, 1e-14, 0),
	   "aml, maintained: the product by hand");
	ok(close_to(converted_share(ties, 3, ties_censored, 3, 0),
				1 - 4.0 / 6 * 2 / 3, 1e-14, 0), "a conversion comes before a censoring at its time");
	ok(close_to(converted_share(ties, 3, ties_censored, 3, 4),
				1 - 8.0 / 10 * 6 / 7, 1e-14, 0), "those who never convert stay at risk");
	ok(converted_share(far, 3, NULL, 0, 0) == 1, "all converted: exactly 1");
	ok(converted_share(far, 3, far, 1, 0) == 1, "the last at risk converted: exactly 1");
	ok(converted_share(NULL, 0, far, 3, 2) == 0 &&
	   converted_share(NULL, 0, NULL, 0, 9) == 0, "none converted: exactly 0");
	ok(converted_share(NULL, 0, NULL, 0, 0) == 0, "nobody at risk: none converted");

	for (round = 0; round < 2000; round++)
	{
		Survival	s;
		uint64_t	spread = 1 + draw(40);

		s.n_converted = draw(30);
		s.n_censored = draw(30);
		s.never = draw(3) == 0 ? draw(20) : 0;
		for (i = 0; i < s.n_converted; i++)
			s.converted[i] = (int64_t) draw(spread);
		for (i = 0; i < s.n_censored; i++)
			s.censored[i] = (int64_t) draw(spread);
		worst = fmax(worst, fabs(estimate(&s) - slow_estimate(&s)));

		s.n_censored = 0;
		if (s.n_converted + s.never > 0 &&
			estimate(&s) != 1 - (double) s.never / (double) (s.n_converted + s.never))
			exact = false;
	}
	ok(worst < 1e-14, "2000 random sets with ties: as the textbook product, worst %.1e", worst);
	ok(exact, "without censoring it is the plain share, to the bit");
}

int
main(void)
{
	test_wilson_golden();
	test_wilson();
	test_kaplan_meier_golden();
	test_kaplan_meier();
	return done_testing();
}
