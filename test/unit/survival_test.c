/*
 * Cumulative incidence with its variance and interval, against golden values,
 * a slow twin over individuals, and simulated data.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "tap.h"
#include "golden.h"

#include <stdint.h>

#include "stats/rates.h"
#include "stats/survival.h"

#define MAX_PERSONS 1024

static uint64_t seed = 11;

static uint64_t
draw(uint64_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (seed >> 33) % below;
}

static double
draw_share(void)
{
	return ((double) draw(UINT64_C(1) << 30) + 0.5) / (double) (UINT64_C(1) << 30);
}

/* in the order of feeding at one time */
typedef enum Fate
{
	CONVERTED,
	COMPETED,
	CENSORED
} Fate;

typedef struct Person
{
	double		time;
	Fate		fate;
} Person;

static int
compare_persons(const void *a, const void *b)
{
	const Person *x = a;
	const Person *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return (int) (x->fate == CENSORED) - (int) (y->fate == CENSORED);
}

/* one by one, as out of a log: without grouping equal times */
static AmAalenJohansen
fed(Person *persons, int n)
{
	AmAalenJohansen aj;
	int			i;

	qsort(persons, n, sizeof(Person), compare_persons);
	am_aalen_johansen_start(&aj, n);
	for (i = 0; i < n; i++)
		if (persons[i].fate == CENSORED)
			am_aalen_johansen_censor(&aj, 1);
		else
			am_aalen_johansen_step(&aj, persons[i].fate == CONVERTED, persons[i].fate == COMPETED);
	return aj;
}

typedef struct Twin
{
	long double converted;
	long double competed;
	long double survival;
	long double variance;
} Twin;

/* the product limit and the sum of the textbook, all counted anew at every event time */
static Twin
slow(const Person *persons, int n)
{
	static long double incidence[MAX_PERSONS];
	static long double survival[MAX_PERSONS];
	static int	at_risk[MAX_PERSONS];
	static int	convert[MAX_PERSONS];
	static int	events[MAX_PERSONS];
	Twin		twin = {0, 0, 1, 0};
	int			times = 0;
	int			i,
				j;

	for (i = 0; i < n; i++)
	{
		int			compete = 0;
		bool		seen = false;

		for (j = 0; j < i; j++)
			if (persons[j].fate != CENSORED && persons[j].time == persons[i].time)
				seen = true;
		if (seen || persons[i].fate == CENSORED)
			continue;
		at_risk[times] = convert[times] = 0;
		for (j = 0; j < n; j++)
		{
			at_risk[times] += persons[j].time >= persons[i].time;
			convert[times] += persons[j].time == persons[i].time && persons[j].fate == CONVERTED;
			compete += persons[j].time == persons[i].time && persons[j].fate == COMPETED;
		}
		events[times] = convert[times] + compete;
		survival[times] = twin.survival;
		twin.converted += twin.survival * convert[times] / at_risk[times];
		twin.competed += twin.survival * compete / at_risk[times];
		twin.survival *= 1 - (long double) events[times] / at_risk[times];
		incidence[times++] = twin.converted;
	}
	for (i = 0; i < times; i++)
	{
		long double after = twin.converted - incidence[i];
		long double r = at_risk[i];

		if (events[i] < at_risk[i])
			twin.variance += after * after * events[i] / (r * (r - events[i]));
		twin.variance += survival[i] * survival[i] * convert[i] * (r - convert[i]) / (r * r * r);
		twin.variance -= 2 * after * survival[i] * convert[i] / (r * r);
	}
	return twin;
}

static int
random_persons(Person *persons, int most, bool compete, bool censor)
{
	int			n = 1 + (int) draw(most);
	uint64_t	spread = 1 + draw(60);
	uint64_t	weights[3];
	int			i;

	weights[CONVERTED] = 1 + draw(4);
	weights[COMPETED] = compete ? draw(4) : 0;
	weights[CENSORED] = censor ? draw(5) : 0;
	for (i = 0; i < n; i++)
	{
		uint64_t	pick = draw(weights[0] + weights[1] + weights[2]);

		persons[i].time = (double) draw(spread);
		persons[i].fate = pick < weights[CONVERTED] ? CONVERTED :
			pick < weights[CONVERTED] + weights[COMPETED] ? COMPETED : CENSORED;
	}
	return n;
}

static void
test_golden(void)
{
	const char *path = shared_file("golden/expected/kaplan_meier.csv");
	char		line[1024];
	char		dataset[64] = "",
				group[64] = "";
	char	   *fields[9];
	double		worst = 0,
				worst_error = 0;
	AmAalenJohansen aj;
	int			rows = 0;
	FILE	   *f;

	if (!path)
	{
		skip("kaplan_meier.csv", "no golden files");
		return;
	}
	f = fopen(path, "r");
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	while (fgets(line, sizeof(line), f) && split(line, fields, 9) == 9)
	{
		double		survival = number(fields[6]);
		double		se = number(fields[7]);

		if (strcmp(fields[0], dataset) != 0 || strcmp(fields[1], group) != 0)
		{
			am_aalen_johansen_start(&aj, number(fields[3]));
			snprintf(dataset, sizeof(dataset), "%s", fields[0]);
			snprintf(group, sizeof(group), "%s", fields[1]);
		}
		am_aalen_johansen_step(&aj, number(fields[4]), 0);
		worst = fmax(worst, fabs(1 - survival - am_aalen_johansen_converted(&aj)));
		/* where all converted, the golden value is that there is none */
		if (!isnan(se))
			worst_error = fmax(worst_error, fabs(sqrt(am_aalen_johansen_variance(&aj)) - se));
		am_aalen_johansen_censor(&aj, number(fields[5]));
		worst = fmax(worst, fabs(1 - survival - am_aalen_johansen_converted(&aj)));
		rows++;
	}
	fclose(f);
	ok(rows > 100 && worst < 1e-14 && worst_error < 1e-14,
	   "golden: %d points of curves, worst error %.1e, of Greenwood's standard error %.1e", rows, worst, worst_error);
}

static void
test_literals(void)
{
	/* R survival, aml, maintained group: time, censored, S, standard error */
	static const double aml[][4] = {
		{9, 0, 0.909, 0.0867}, {13, 0, 0.818, 0.1163}, {13, 1, 0, 0}, {18, 0, 0.716, 0.1397}, {23, 0, 0.614, 0.1526},
		{28, 1, 0, 0}, {31, 0, 0.491, 0.1642}, {34, 0, 0.368, 0.1627}, {45, 1, 0, 0}, {48, 0, 0.184, 0.1535}, {161, 1, 0, 0}
	};
	AmAalenJohansen aj;
	bool		same = true;
	double		low,
				high,
				want_low,
				want_high,
				n;
	size_t		i;

	am_aalen_johansen_start(&aj, 11);
	for (i = 0; i < sizeof(aml) / sizeof(aml[0]); i++)
	{
		if (aml[i][1])
			am_aalen_johansen_censor(&aj, 1);
		else
		{
			am_aalen_johansen_step(&aj, 1, 0);
			if (!close_to(1 - am_aalen_johansen_converted(&aj), aml[i][2], 0, 5e-4) ||
				!close_to(sqrt(am_aalen_johansen_variance(&aj)), aml[i][3], 0, 5e-5))
				same = false;
		}
	}
	ok(same, "literal: aml, maintained, the curve and its standard errors");

	/* of 6: convert, compete, censored, convert, censored, convert */
	am_aalen_johansen_start(&aj, 6);
	am_aalen_johansen_step(&aj, 1, 0);
	am_aalen_johansen_step(&aj, 0, 1);
	am_aalen_johansen_censor(&aj, 1);
	am_aalen_johansen_step(&aj, 1, 0);
	ok(close_to(am_aalen_johansen_converted(&aj), 7.0 / 18, 1e-15, 0) &&
	   close_to(am_aalen_johansen_variance(&aj), 31.0 / 648, 1e-14, 0), "by hand: incidence and variance before the end");
	am_aalen_johansen_censor(&aj, 1);
	am_aalen_johansen_step(&aj, 1, 0);
	ok(close_to(am_aalen_johansen_converted(&aj), 5.0 / 6, 1e-15, 0) &&
	   close_to(am_aalen_johansen_variance(&aj), 5.0 / 216, 1e-14, 0), "by hand: at the end");
	am_aalen_johansen_interval(&aj, AM_Z95, &low, &high);
	n = 5.0 / 36 / (5.0 / 216);
	am_wilson(n * 5 / 6, n, AM_Z95, &want_low, &want_high);
	ok(close_to(low, want_low, 1e-14, 0) && close_to(high, want_high, 1e-14, 0), "by hand: the interval, %.4f to %.4f", low, high);
}

static void
test_twin(void)
{
	static Person persons[MAX_PERSONS];
	double		worst = 0,
				worst_variance = 0,
				worst_sum = 0,
				worst_mirrored = 0,
				most = 0;
	bool		around = true,
				grouped = true;
	int			round;

	for (round = 0; round < 6000; round++)
	{
		int			n = random_persons(persons, round % 3 == 0 ? 400 : 20, round % 4 != 0, true);
		AmAalenJohansen aj = fed(persons, n);
		AmAalenJohansen other;
		Twin		twin = slow(persons, n);
		double		converted = am_aalen_johansen_converted(&aj);
		double		variance = am_aalen_johansen_variance(&aj);
		double		low,
					high;
		int			i,
					j;

		worst = fmax(worst, fabs((double) (converted - twin.converted)));
		/* against the size of what is summed */
		worst_variance = fmax(worst_variance, fabs((double) (variance - twin.variance)) * n);
		worst_sum = fmax(worst_sum, fabs((double) (twin.converted + twin.competed + twin.survival - 1)));
		am_aalen_johansen_interval(&aj, AM_Z95, &low, &high);
		if (!(0 <= low && low <= converted && converted <= high && high <= 1 && low < high))
			around = false;
		if (twin.survival + twin.competed < 1e-15 && converted != 1)
			around = false;
		if (converted > 1e-9 && converted < 1 - 1e-9)
			most = fmax(most, converted * (1 - converted) / variance / n);

		/* equal times in one step */
		am_aalen_johansen_start(&other, n);
		for (i = 0; i < n; i = j)
		{
			int			count[3] = {0, 0, 0};

			for (j = i; j < n && persons[j].time == persons[i].time; j++)
				count[persons[j].fate]++;
			am_aalen_johansen_step(&other, count[CONVERTED], count[COMPETED]);
			am_aalen_johansen_censor(&other, count[CENSORED]);
		}
		if (am_aalen_johansen_converted(&other) != converted || am_aalen_johansen_variance(&other) != variance)
			grouped = false;

		/* what competes, as the conversion */
		for (i = 0; i < n; i++)
			if (persons[i].fate != CENSORED)
				persons[i].fate = persons[i].fate == CONVERTED ? COMPETED : CONVERTED;
		other = fed(persons, n);
		worst_mirrored = fmax(worst_mirrored, fabs((double) (am_aalen_johansen_converted(&other) - twin.competed)));
	}
	ok(worst < 1e-14, "6000 random sets with ties: incidence as the slow twin, worst %.1e", worst);
	ok(worst_variance < 1e-13, "variance as the textbook sum, worst %.1e / n", worst_variance);
	ok(worst_sum < 1e-15 && worst_mirrored < 1e-14, "both incidences and the survival are 1 together, worst %.1e", worst_mirrored);
	ok(around, "the interval lies around the incidence, within 0 and 1");
	ok(grouped, "equal times in one step or in several: the same to the bit");
	ok(most < 1 + 1e-9, "the effective size is not above the number at the start, at most %.12f of it", most);
}

static void
test_uncensored(void)
{
	static Person persons[MAX_PERSONS];
	double		worst = 0;
	bool		exact = true;
	int			round;

	for (round = 0; round < 3000; round++)
	{
		int			n = random_persons(persons, 400, round % 2 == 0, false);
		AmAalenJohansen aj = fed(persons, n);
		Twin		twin = slow(persons, n);
		double		converted = 0,
					low,
					high,
					want_low,
					want_high,
					share;
		int			i;

		for (i = 0; i < n; i++)
			converted += persons[i].fate == CONVERTED;
		share = converted / n;
		am_aalen_johansen_interval(&aj, AM_Z95, &low, &high);
		am_wilson(converted, n, AM_Z95, &want_low, &want_high);
		if (am_aalen_johansen_converted(&aj) != share || low != want_low || high != want_high)
			exact = false;
		if (share > 0 && share < 1)
		{
			worst = fmax(worst, fabs(share * (1 - share) / am_aalen_johansen_variance(&aj) / n - 1));
			worst = fmax(worst, fabs(share * (1 - share) / (double) twin.variance / n - 1));
		}
	}
	ok(exact, "nobody censored: the plain share and its Wilson interval, to the bit");
	ok(worst < 1e-12, "nobody censored: the effective size is n, of the twin too, worst %.1e", worst);
}

static bool
interval_is(const AmAalenJohansen *aj, double x, double n)
{
	double		low,
				high,
				want_low,
				want_high;

	am_aalen_johansen_interval(aj, AM_Z95, &low, &high);
	am_wilson(x, n, AM_Z95, &want_low, &want_high);
	return close_to(low, want_low, 1e-15, 0) && close_to(high, want_high, 1e-15, 0);
}

static bool
undefined(const AmAalenJohansen *aj)
{
	double		low = 0,
				high = 0;

	am_aalen_johansen_interval(aj, AM_Z95, &low, &high);
	return isnan(am_aalen_johansen_converted(aj)) && isnan(am_aalen_johansen_variance(aj)) && isnan(low) && isnan(high);
}

static void
test_edges(void)
{
	static const double bad[][3] = {
		{6, 0, 0}, {3, 3, 0}, {-1, 0, 0}, {0, -1, 0}, {NAN, 0, 0}, {0, NAN, 0}, {2, 2, 2}, {0, 0, -1}, {0, 0, NAN}, {0, 0, 6}
	};
	AmAalenJohansen aj;
	bool		refused = true;
	double		low,
				high,
				converted;
	size_t		i;

	am_aalen_johansen_start(&aj, 20);
	ok(am_aalen_johansen_converted(&aj) == 0 && am_aalen_johansen_variance(&aj) == 0 && interval_is(&aj, 0, 20), "nothing happened yet: 0 of all");
	am_aalen_johansen_censor(&aj, 5);
	am_aalen_johansen_step(&aj, 0, 3);
	am_aalen_johansen_censor(&aj, 4);
	ok(am_aalen_johansen_converted(&aj) == 0 && interval_is(&aj, 0, 11), "none converted: the size is those not censored");
	am_aalen_johansen_step(&aj, 0, 8);
	ok(am_aalen_johansen_converted(&aj) == 0 && am_aalen_johansen_variance(&aj) == 0 && interval_is(&aj, 0, 11), "all others competed: 0");

	am_aalen_johansen_start(&aj, 3);
	am_aalen_johansen_censor(&aj, 3);
	am_aalen_johansen_interval(&aj, AM_Z95, &low, &high);
	ok(am_aalen_johansen_converted(&aj) == 0 && low == 0 && high == 1, "all censored: 0 to 1");
	am_aalen_johansen_step(&aj, 0, 0);
	am_aalen_johansen_censor(&aj, 0);
	ok(am_aalen_johansen_converted(&aj) == 0, "nothing more is no harm");

	am_aalen_johansen_start(&aj, 1000);
	am_aalen_johansen_step(&aj, 500, 0);
	am_aalen_johansen_censor(&aj, 499);
	am_aalen_johansen_step(&aj, 1, 0);
	ok(am_aalen_johansen_converted(&aj) == 1 && am_aalen_johansen_variance(&aj) == 0 && interval_is(&aj, 2, 2),
	   "the last one at risk stands for half of all: the size is 2");
	/* by continuity: nearly all of very many last ones */
	am_aalen_johansen_start(&aj, 1e15);
	am_aalen_johansen_step(&aj, 5e14, 0);
	am_aalen_johansen_censor(&aj, 4e14);
	am_aalen_johansen_step(&aj, 1e14 - 1e6, 0);
	converted = am_aalen_johansen_converted(&aj);
	ok(close_to(converted * (1 - converted) / am_aalen_johansen_variance(&aj), 2e14, 1e-6, 0), "and so it is where nearly all of the last ones convert");
	am_aalen_johansen_start(&aj, 10);
	am_aalen_johansen_censor(&aj, 4);
	am_aalen_johansen_step(&aj, 6, 0);
	ok(am_aalen_johansen_converted(&aj) == 1 && interval_is(&aj, 6, 6), "all others converted: the size is they");

	am_aalen_johansen_start(&aj, 9007199254740992.0);
	am_aalen_johansen_step(&aj, 1, 0);
	am_aalen_johansen_censor(&aj, 9007199254740990.0);
	am_aalen_johansen_step(&aj, 0, 1);
	am_aalen_johansen_interval(&aj, AM_Z95, &low, &high);
	ok(close_to(am_aalen_johansen_converted(&aj), 1 / 9007199254740992.0, 1e-15, 0) && low > 0 && high < 1e-14, "counts up to 2^53");

	am_aalen_johansen_interval(&aj, 0, &low, &high);
	ok(close_to(low, am_aalen_johansen_converted(&aj), 1e-14, 0) && close_to(high, low, 1e-14, 0), "z = 0 is the incidence itself");
	am_aalen_johansen_interval(&aj, -1, &low, &high);
	ok(isnan(low) && isnan(high), "z below 0: no interval");
	am_aalen_johansen_interval(&aj, NAN, &low, &high);
	ok(isnan(low) && isnan(high), "z NaN: no interval");

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		am_aalen_johansen_start(&aj, 5);
		am_aalen_johansen_step(&aj, bad[i][0], bad[i][1]);
		am_aalen_johansen_censor(&aj, bad[i][2]);
		am_aalen_johansen_step(&aj, 0, 0);
		if (!undefined(&aj))
			refused = false;
	}
	for (i = 0; i < 4; i++)
	{
		static const double nobody[] = {0, -1, NAN, INFINITY};

		am_aalen_johansen_start(&aj, nobody[i]);
		am_aalen_johansen_step(&aj, 0, 0);
		if (!undefined(&aj))
			refused = false;
	}
	ok(refused, "nobody at risk, more than are at risk, negative, NaN: undefined");
}

/*
 * Times of conversion and of competing up to 10, so that the incidence is
 * complete at 10; under observation for up to a number of days above that.
 */
static void
test_coverage(int n, double rate, double competing, double longest, bool judged)
{
	static Person persons[MAX_PERSONS];
	double		sum = 0,
				squares = 0,
				variances = 0,
				mean,
				variance,
				censored = 0,
				coverage;
	int			rounds = 4000,
				covered = 0,
				round,
				i;

	for (round = 0; round < rounds; round++)
	{
		AmAalenJohansen aj;
		double		low,
					high,
					converted;

		for (i = 0; i < n; i++)
		{
			double		until = draw_share() * longest;
			double		fate = draw_share();

			persons[i].fate = fate < rate ? CONVERTED : fate < rate + competing ? COMPETED : CENSORED;
			/* early conversions, late competing events */
			persons[i].time = persons[i].fate == CONVERTED ? 10 * pow(draw_share(), 2) :
				persons[i].fate == COMPETED ? 10 * sqrt(draw_share()) : until;
			if (persons[i].time >= until)
			{
				persons[i].time = until;
				persons[i].fate = CENSORED;
				censored += until < 10;
			}
			else if (persons[i].fate == CENSORED)
				censored += until < 10;
		}
		aj = fed(persons, n);
		am_aalen_johansen_interval(&aj, AM_Z95, &low, &high);
		covered += low <= rate && rate <= high;
		converted = am_aalen_johansen_converted(&aj);
		sum += converted;
		squares += converted * converted;
		variances += am_aalen_johansen_variance(&aj);
	}
	coverage = (double) covered / rounds;
	mean = sum / rounds;
	variance = (squares / rounds - mean * mean) * rounds / (rounds - 1);
	ok(!judged || (coverage > 0.93 && coverage < 0.97 && fabs(mean - rate) < 0.01 && fabs(variances / rounds / variance - 1) < 0.1),
	   "%d sets of %d, rate %.2f beside %.2f, %.0f %% censored: coverage %.4f, mean %.4f, variance %.3f of the observed",
	   rounds, n, rate, competing, 100 * censored / n / rounds, coverage, mean, variances / rounds / variance);
}

int
main(void)
{
	test_golden();
	test_literals();
	test_twin();
	test_uncensored();
	test_edges();
	test_coverage(100, 0.4, 0, 30, true);
	test_coverage(200, 0.3, 0.4, 30, true);
	test_coverage(400, 0.1, 0.2, 20, true);
	test_coverage(400, 0.7, 0.2, 15, true);
	test_coverage(1000, 0.05, 0.5, 15, true);
	test_coverage(300, 0.9, 0.05, 20, true);
	test_coverage(300, 0.5, 0, 12, true);
	/* few persons: printed only */
	test_coverage(30, 0.1, 0.2, 20, false);
	test_coverage(30, 0.9, 0.05, 20, false);
	test_coverage(30, 0.95, 0, 20, false);
	test_coverage(15, 0.5, 0.2, 20, false);
	return done_testing();
}
