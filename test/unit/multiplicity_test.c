/*
 * Adjusted p-values against the golden ones and against the definitions,
 * written the slow way.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "tap.h"
#include "golden.h"

#include <stdint.h>

#include "stats/multiplicity.h"

#define MAX_SET 64
#define N_METHODS 6

static const char *const method_names[N_METHODS] = {
	"Bonferroni", "Holm", "Hochberg", "BH", "BY", "Sidak"
};

static double worst[N_METHODS];

static void
compare_set(const double *p, size_t n, double want[N_METHODS][MAX_SET])
{
	double		got[MAX_SET];
	int			m;
	size_t		i;

	for (m = 0; m < N_METHODS; m++)
	{
		am_p_adjust(p, n, (AmAdjustment) m, got);
		for (i = 0; i < n; i++)
		{
			double		error;

			if (close_to(got[i], want[m][i], 0, 0))
				continue;
			error = fabs(got[i] / want[m][i] - 1);
			if (!(error <= worst[m]))
				worst[m] = isnan(error) ? INFINITY : error;
		}
	}
}

static void
report(const char *source)
{
	int			m;

	for (m = 0; m < N_METHODS; m++)
	{
		ok(worst[m] <= 1e-14, "%s: %s, worst relative error %.1e", source, method_names[m], worst[m]);
		worst[m] = 0;
	}
}

static void
test_golden(void)
{
	/* set,i,p,bonferroni,holm,hochberg,hommel,bh,by,sidak */
	static const int columns[N_METHODS] = {3, 4, 5, 7, 8, 9};
	const char *path = shared_file("golden/expected/p_adjust.csv");
	char		line[1024];
	char		set[64] = "";
	char	   *fields[10];
	double		p[MAX_SET];
	double		want[N_METHODS][MAX_SET];
	size_t		n = 0;
	int			m;
	FILE	   *f;

	if (!path)
	{
		skip("p_adjust.csv", "no golden files");
		return;
	}
	f = fopen(path, "r");
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	while (fgets(line, sizeof(line), f))
	{
		if (split(line, fields, 10) < 10)
			continue;
		if (strcmp(set, fields[0]) != 0)
		{
			compare_set(p, n, want);
			snprintf(set, sizeof(set), "%s", fields[0]);
			n = 0;
		}
		p[n] = number(fields[2]);
		for (m = 0; m < N_METHODS; m++)
			want[m][n] = number(fields[columns[m]]);
		n++;
	}
	compare_set(p, n, want);
	fclose(f);
	report("golden");
}

static void
test_literals(void)
{
	static const double p[8] = {0.5, 0.001, NAN, 0.04, 0.03, 0.02, 0.9, 0.001};
	double		want[N_METHODS][MAX_SET] = {
		{1, 0.007, NAN, 0.28, 0.21, 0.14, 1, 0.007},
		{1, 0.007, NAN, 0.12, 0.12, 0.1, 1, 0.007},
		{0.9, 0.006, NAN, 0.12, 0.12, 0.1, 0.9, 0.006},
		{0.5 * 7 / 6, 0.0035, NAN, 0.056, 0.0525, 0.02 * 7 / 3, 0.9, 0.0035},
		{1, 0.0035 * 363 / 140, NAN, 0.056 * 363 / 140, 0.0525 * 363 / 140,
		0.02 * 7 / 3 * 363 / 140, 1, 0.0035 * 363 / 140},
		{0.9921875, 0.006979034965020993, NAN, 0.24855252189184000456, 0.19201715521886999353, 0.13187446675328000258,
		0.9999999, 0.006979034965020993},
	};

	compare_set(p, 8, want);
	report("by hand");
}

static uint64_t seed = 42;

static double
draw(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double) (seed >> 11) / 9007199254740992.0;
}

/* the definitions, from ranks counted one by one */
static double
slow_adjust(const double *p, size_t n, AmAdjustment method, size_t at)
{
	double		m = 0,
				harmonic = 0,
				result = method == AM_ADJUST_HOLM ? 0 : 1;
	size_t		i,
				j;

	for (i = 0; i < n; i++)
		if (!isnan(p[i]))
			harmonic += 1 / ++m;
	if (method == AM_ADJUST_BONFERRONI)
		return fmin(1, m * p[at]);
	if (method == AM_ADJUST_SIDAK)
		return 1 - pow(1 - p[at], m);
	if (method != AM_ADJUST_BY)
		harmonic = 1;

	/* the best or worst bound that any p on the right side of this one sets */
	for (i = 0; i < n; i++)
	{
		double		below = 0,
					not_above = 0;

		for (j = 0; j < n; j++)
		{
			below += p[j] < p[i];
			not_above += p[j] <= p[i];
		}
		if (method == AM_ADJUST_HOLM && p[i] <= p[at])
			result = fmax(result, fmin(1, (m - below) * p[i]));
		else if (method == AM_ADJUST_HOCHBERG && p[i] >= p[at])
			result = fmin(result, (m - not_above + 1) * p[i]);
		else if (method != AM_ADJUST_HOLM && method != AM_ADJUST_HOCHBERG && p[i] >= p[at])
			result = fmin(result, harmonic * m / not_above * p[i]);
	}
	return result;
}

static void
test_random(void)
{
	bool		same[N_METHODS] = {true, true, true, true, true, true};
	bool		in_place = true;
	int			round,
				m;
	size_t		i;

	for (round = 0; round < 500; round++)
	{
		double		p[MAX_SET],
					got[MAX_SET],
					twin[MAX_SET];
		size_t		n = 1 + (size_t) (draw() * 40);

		for (i = 0; i < n; i++)
		{
			p[i] = draw() < 0.1 ? NAN : pow(draw(), 4);
			if (draw() < 0.5)
				p[i] = floor(p[i] * 20) / 20;	/* ties, zeros */
		}
		for (m = 0; m < N_METHODS; m++)
		{
			am_p_adjust(p, n, (AmAdjustment) m, got);
			memcpy(twin, p, sizeof(double) * n);
			am_p_adjust(twin, n, (AmAdjustment) m, twin);
			for (i = 0; i < n; i++)
			{
				double		want = isnan(p[i]) ? NAN : slow_adjust(p, n, (AmAdjustment) m, i);

				if (!close_to(got[i], want, 1e-13, m == AM_ADJUST_SIDAK ? 1e-14 : 0))
					same[m] = false;
				if (!close_to(got[i], twin[i], 0, 0))
					in_place = false;
			}
		}
	}
	for (m = 0; m < N_METHODS; m++)
		ok(same[m], "500 random sets with ties: %s as defined", method_names[m]);
	ok(in_place, "in place gives the same bits");
}

static void
test_edges(void)
{
	double		none[3] = {NAN, NAN, NAN};
	double		odd[4] = {-0.1, 0.02, 1.5, INFINITY};
	double		untouched = 7;

	am_p_adjust(none, 0, AM_ADJUST_BH, &untouched);
	ok(untouched == 7, "no p-value: nothing written");
	am_p_adjust(none, 3, AM_ADJUST_BY, none);
	ok(isnan(none[0]) && isnan(none[1]) && isnan(none[2]), "nothing but NaN stays NaN");
	am_p_adjust(odd, 4, AM_ADJUST_BONFERRONI, odd);
	ok(isnan(odd[0]) && odd[1] == 0.02 && isnan(odd[2]) && isnan(odd[3]),
	   "what is no probability counts as no test");
}

int
main(void)
{
	test_golden();
	test_literals();
	test_random();
	test_edges();
	return done_testing();
}
