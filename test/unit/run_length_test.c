/*
 * Run lengths against published ones, the design's table and simulation; the
 * CUSUM on panels with a holiday, a zero week, a drop; matching of cadences
 * against all matchings.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "tap.h"

#include <stdint.h>

#include "cadence/cadence.h"
#include "warning/cusum.h"
#include "warning/run_length.h"

static uint64_t seed = 5;

static double
uniform(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return ((double) (seed >> 11) + 0.5) / 9007199254740992.0;
}

static double
poisson(double mean)
{
	double		product = 1;
	double		limit = exp(-mean);
	double		n = 0;

	while ((product *= uniform()) > limit)
		n++;
	return n;
}

static void
test_poisson(void)
{
	/* mu0, k, h and run length, h and run length; -30 %, -50 %, -70 % at the second h */
	static const double table[5][9] = {
		{2, 1.5, 5, 122, 7, 446, 32.2, 13.4, 8.1},
		{5, 4, 6.5, 122, 9.5, 522, 16.3, 7.0, 4.4},
		{10, 8.5, 9, 104, 13, 425, 8.9, 4.3, 2.8},
		{20, 17, 9.5, 112, 13.5, 443, 5.2, 2.5, 1.9},
		{40, 33.5, 9, 112, 12.5, 401, 2.9, 1.4, 1.0}
	};

	ok(close_to(am_poisson_cusum_arl(1.88, 2, 6, 0, true), 37.20, 0, 0.005), "Lucas 1985: h = 6, k = 2, mean 1.88: %.4f", am_poisson_cusum_arl(1.88, 2, 6, 0, true));
	ok(close_to(am_poisson_cusum_arl(1.88, 2, 6, 3, true), 29.19, 0, 0.005), "with head start: %.4f", am_poisson_cusum_arl(1.88, 2, 6, 3, true));
	for (int i = 0; i < 5; i++)
	{
		const double *row = table[i];

		ok(am_poisson_cusum_k(row[0]) == row[1] && am_poisson_cusum_threshold(row[0], row[1], 100) == row[2] && am_poisson_cusum_threshold(row[0], row[1], 400) == row[4],
		   "mean %g: k and h", row[0]);
		ok(close_to(am_poisson_cusum_arl(row[0], row[1], row[2], 0, false), row[3], 0, 0.51) && close_to(am_poisson_cusum_arl(row[0], row[1], row[4], 0, false), row[5], 0, 0.51),
		   "mean %g: without a change", row[0]);
		ok(close_to(am_poisson_cusum_arl(0.7 * row[0], row[1], row[4], 0, false), row[6], 0, 0.051) && close_to(am_poisson_cusum_arl(0.5 * row[0], row[1], row[4], 0, false), row[7], 0, 0.051) &&
		   close_to(am_poisson_cusum_arl(0.3 * row[0], row[1], row[4], 0, false), row[8], 0, 0.051), "mean %g: with one", row[0]);
	}
	ok(isnan(am_poisson_cusum_arl(2, 1.3, 5, 0, false)) && isnan(am_poisson_cusum_arl(2, 1.5, 5, 5, false)) && isnan(am_poisson_cusum_arl(0, 1.5, 5, 0, false)), "what makes no CUSUM");
}

static void
test_simulated(void)
{
	static const struct
	{
		double		mean;
		double		left;
		double		h;
	}			cases[] = {{5, 1, 4}, {5, 0.7, 5}, {20, 1, 4}, {20, 0.5, 5}, {0.8, 0.2, 2}, {3, 0, 5}};

	for (int i = 0; i < 6; i++)
	{
		double		sum = 0;
		double		squares = 0;
		int			runs = 4000;
		double		exact = am_cusum_arl(cases[i].mean, 1, cases[i].left, cases[i].h);
		double		error;

		for (int run = 0; run < runs; run++)
		{
			double		s = 0;
			int			t = 0;

			while (s < cases[i].h)
			{
				s = fmax(0, s - am_cusum_z(poisson(cases[i].mean * cases[i].left), cases[i].mean, 1) - AM_CUSUM_SLACK);
				t++;
			}
			sum += t;
			squares += (double) t * t;
		}
		sum /= runs;
		error = sqrt((squares / runs - sum * sum) / runs);
		ok(fabs(sum - exact) < 4 * error + 0.015 * exact, "mean %g, left %g, h %g: %g, simulated %g (%.2g)", cases[i].mean, cases[i].left, cases[i].h, exact, sum, error);
	}
	ok(am_cusum_arl_estimated(20, 1, 1, 5, 52) < am_cusum_arl(20, 1, 1, 5) && am_cusum_arl_estimated(20, 1, 1, 5, 26) < am_cusum_arl_estimated(20, 1, 1, 5, 52),
	   "a level that is estimated alarms more often");
	ok(close_to(am_cusum_arl_estimated(20, 1, 1, 5, 1e9), am_cusum_arl(20, 1, 1, 5), 0.001, 0), "from many rows it is as good as known");
	for (double length = 20; length < 2000; length *= 3)
	{
		double		h = am_cusum_threshold(8, 1.5, 0, length);

		ok(am_cusum_arl(8, 1.5, 1, h) >= length && am_cusum_arl(8, 1.5, 1, h - 0.1) < length, "threshold for %g: %g", length, h);
	}
	ok(isnan(am_cusum_arl(0, 1, 1, 5)) && isnan(am_cusum_arl(5, 0.5, 1, 5)) && isnan(am_cusum_arl(5, 1, 1, 0)), "outside the domain");
}

#define UNITS	20
#define PERIODS	104
static int32_t unit[UNITS * PERIODS];
static int64_t period[UNITS * PERIODS];
static double x[UNITS * PERIODS];
static double path[UNITS * PERIODS];

static AmPanel
make_panel(void)
{
	AmPanel		panel = {.n = UNITS * PERIODS, .n_units = UNITS, .unit = unit, .period = period, .x = x, .y = x};

	for (int u = 0; u < UNITS; u++)
		for (int t = 0; t < PERIODS; t++)
		{
			unit[u * PERIODS + t] = u;
			period[u * PERIODS + t] = 1000 + t;
			x[u * PERIODS + t] = poisson(20);
		}
	return panel;
}

static void
test_cusum(void)
{
	AmCusumOptions options = {.h = NAN, .false_alarms = NAN, .periods_per_year = 52};
	AmCusumRow	rows[UNITS + 1];
	AmPanel		panel = make_panel();
	int			alarms = 0;
	double		most = 0;

	/* a holiday of two weeks for all, and one zero week for unit 3 */
	for (int u = 0; u < UNITS; u++)
		for (int t = 80; t < 82; t++)
			x[u * PERIODS + t] = poisson(2);
	x[3 * PERIODS + 90] = 0;
	am_cusum(&panel, &options, rows, path);
	for (int u = 0; u < UNITS; u++)
	{
		for (int t = 80; t < 84; t++)
			most = fmax(most, path[u * PERIODS + t]);
	}
	ok(most < 5, "two weeks of holiday raise no alarm (%.2f)", most);
	ok(path[3 * PERIODS + 90] >= 2 && path[3 * PERIODS + 90] < 5, "nor does a zero week alone (%.2f)", path[3 * PERIODS + 90]);

	/* a drop of one unit */
	for (int t = 98; t < PERIODS; t++)
		x[7 * PERIODS + t] = poisson(9);
	am_cusum(&panel, &options, rows, path);
	ok(rows[7].alarm && rows[7].has_since && llabs(rows[7].since - 1098) <= 3 && rows[7].alarm_period >= 1098 && rows[7].alarm_period <= 1102, "a drop is seen soon: since %d, alarm %d",
	   (int) rows[7].since, (int) rows[7].alarm_period);
	ok(close_to(rows[7].level_now, 9, 0.3, 0) && close_to(rows[7].usual_level, 20, 0.15, 0) && close_to(rows[7].change, rows[7].level_now / rows[7].usual_level - 1, 1e-12, 0), "levels %g, %g", rows[7].level_now, rows[7].usual_level);
	ok(!rows[UNITS].at_once && !rows[UNITS].alarm, "and is not that of all");

	/* all at once */
	for (int u = 0; u < UNITS; u++)
		for (int t = 100; t < PERIODS; t++)
			x[u * PERIODS + t] = poisson(10);
	am_cusum(&panel, &options, rows, path);
	ok(rows[UNITS].unit == -1 && rows[UNITS].alarm && rows[UNITS].at_once && rows[UNITS].share_down > 0.9, "all at once: a canary");
	alarms = 0;
	for (int u = 0; u < UNITS; u++)
		alarms += u != 7 && rows[u].has_since && rows[u].since >= 1100 && rows[u].alarm;
	ok(alarms == 0, "but not the fault of any one");

	/* a unit that falls silent */
	panel = make_panel();
	panel.n -= 4;
	options.silent = 8;
	am_cusum(&panel, &options, rows, path);
	ok(rows[UNITS - 1].period == 1103 && rows[UNITS - 1].alarm, "silence is zeros");
	panel.n -= 8;
	am_cusum(&panel, &options, rows, path);
	ok(rows[UNITS - 1].reason == AM_CUSUM_GONE, "and then gone");
	options.silent = 0;
	am_cusum(&panel, &options, rows, path);
	ok(rows[UNITS - 1].reason == AM_CUSUM_DEFINED && rows[UNITS - 1].period == 1091, "or not employed");

	/* wanted false alarms */
	panel = make_panel();
	options.false_alarms = 6;
	am_cusum(&panel, &options, rows, path);
	ok(rows[0].threshold > 3 && rows[0].threshold < 6 && am_cusum_arl_estimated(20, 1, 1, rows[0].threshold, 52) >= UNITS * 52 / 6.0 * 0.95, "6 a year of %d units: h = %g", UNITS, rows[0].threshold);
	options.poisson = true;
	am_cusum(&panel, &options, rows, path);
	ok(rows[0].threshold == floor(rows[0].threshold * 2) / 2 && rows[0].false_alarm_every >= UNITS * 52 / 6.0, "likewise for the Poisson form: h = %g, every %g", rows[0].threshold, rows[0].false_alarm_every);
}

/* the largest number of pairs, by trying every step for every activity */
static int
best(const AmCadence *cadence, const int32_t *days, const int *groups, int n, int i, uint32_t used)
{
	int			most;

	if (i == n)
		return 0;
	most = best(cadence, days, groups, n, i + 1, used);
	for (int s = 0; s < cadence->n_steps; s++)
	{
		const AmCadenceStep *step = &cadence->steps[s];
		int			with;

		if ((used & (1u << s)) || step->group != groups[i] || abs(days[i] - step->day) > step->tolerance)
			continue;
		with = 1 + best(cadence, days, groups, n, i + 1, used | (1u << s));
		most = with > most ? with : most;
	}
	return most;
}

static void
test_cadence(void)
{
	int			fewer = 0;
	int			wrong = 0;
	int			pairs = 0;

	for (int run = 0; run < 3000; run++)
	{
		char		text[512] = "";
		AmCadenceFault fault;
		AmCadence  *cadence;
		int			n_steps = 1 + (int) (uniform() * 6);
		int			n = (int) (uniform() * 8);
		int32_t		days[8];
		int			groups[8];
		int32_t		step_day[AM_CADENCE_MAX_STEPS];
		int			filled[8];
		int64_t		found;

		for (int s = 0; s < n_steps; s++)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s on day %d +-%d", s ? " -> " : "",
					 uniform() < 0.5 ? "call" : "mail", (int) (uniform() * 8), (int) (uniform() * 4));
		cadence = am_cadence_parse(text, strlen(text), &fault);
		for (int i = 0; i < n; i++)
		{
			days[i] = (i ? days[i - 1] : -2) + (int) (uniform() * 3);
			groups[i] = (int) (uniform() * 3) - 1;
		}
		found = am_cadence_match(cadence, days, groups, n, step_day, filled);
		fewer += found != best(cadence, days, groups, n, 0, 0);
		for (int i = 0; i < n; i++)
			if (filled[i] >= 0)
			{
				const AmCadenceStep *step = &cadence->steps[filled[i]];

				pairs++;
				found--;
				wrong += step->group != groups[i] || abs(days[i] - step->day) > step->tolerance || step_day[filled[i]] != days[i];
				for (int j = 0; j < i; j++)
					wrong += filled[j] == filled[i];
			}
		wrong += found != 0;
	}
	ok(fewer == 0 && wrong == 0 && pairs > 2000, "as many pairs as any matching has (%d), each in its window, one to one", pairs);
}

static void
test_faults(void)
{
	static const struct
	{
		const char *text;
		size_t		offset;
	}			faults[] = {
		{"", 0}, {"call", 4}, {"call on", 7}, {"call on dy 1", 8}, {"call on day x", 12}, {"call on day 1 +- x", 17}, {"call on day 1 -> ", 17}, {"call on day -1", 12},
		{"call on day 1.5", 12}, {"call on day 4000", 12}, {"(call | mail on day 1", 13}, {"'call on day 1", 0}, {"'' on day 1", 0}, {"call on day 1 mail on day 2", 14},
		{"(a | b) on day 1 -> a on day 2", 20}, {"a on day 1 -> (a | b) on day 2", 19}, {"(a | a) on day 1", 5}, {"call on day 1 +-1, x", 17}
	};
	AmCadenceFault fault;
	AmCadence  *cadence;
	static const char *const bad_text = "Call ON Day 0 \xC2\xB1" "1 -> ('voice mail' | x''y) on day 2";
	static const char *const good_text = "Call ON Day 0\xC2\xB1" "1->( 'voice ''mail' | x )on day 2+-3";

	for (int i = 0; i < (int) (sizeof(faults) / sizeof(faults[0])); i++)
	{
		bool		refused = am_cadence_parse(faults[i].text, strlen(faults[i].text), &fault) == NULL;

		ok(refused && fault.offset == faults[i].offset && fault.message[0], "refused: \"%s\" at %zu: %s", faults[i].text, refused ? fault.offset : 0, refused ? fault.message : "");
	}
	cadence = am_cadence_parse(bad_text, strlen(bad_text), &fault);
	ok(cadence == NULL, "a quote within a word");
	cadence = am_cadence_parse(good_text, strlen(good_text), &fault);
	ok(cadence && cadence->n_steps == 2 && cadence->steps[0].tolerance == 1 && cadence->steps[1].tolerance == 3 && am_cadence_group(cadence, "voice 'mail", 11) == 1 &&
	   am_cadence_group(cadence, "x", 1) == 1 && am_cadence_group(cadence, "Call", 4) == 0 && am_cadence_group(cadence, "call", 4) == -1 && strcmp(cadence->steps[1].label, "'voice ''mail' | x") == 0,
	   "blanks, capitals, quotes, the sign for plus or minus");
}

static void
test_burstiness(void)
{
	double		regular[] = {0, 1, 2, 3, 4};
	double		bursts[100];
	double		random[2000];

	for (int i = 0; i < 100; i++)
		bursts[i] = i / 50 * 1e6 + i % 50;
	random[0] = 0;
	for (int i = 1; i < 2000; i++)
		random[i] = random[i - 1] - log(uniform());
	ok(am_burstiness(regular, 5) == -1, "at equal distances: -1");
	ok(am_burstiness(bursts, 100) > 0.9, "two bursts: %g", am_burstiness(bursts, 100));
	ok(fabs(am_burstiness(random, 2000)) < 0.05, "at random: %g", am_burstiness(random, 2000));
	ok(isnan(am_burstiness(regular, 2)) && isnan(am_burstiness((double[]) {1, 1, 1}, 3)), "too few, or all at once");
}

int
main(void)
{
	test_poisson();
	test_simulated();
	test_cusum();
	test_cadence();
	test_faults();
	test_burstiness();
	return done_testing();
}
