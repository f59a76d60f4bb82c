/*
 * Scores the made-up teams of ../shared/vanity_worlds: reads panel.csv and
 * worlds.csv in the folder given, prints the predictions that grade.py there
 * wants.  With "time" as a second argument prints the milliseconds of one
 * large panel instead; with "agree", the worlds where lead_lag() and vanity()
 * do not say the same.
 *
 * cc -O2 -ffp-contract=off -Isrc bench/vanity_worlds.c src/vanity/vanity.c src/vanity/vanity_fit.c
 *    src/vanity/vanity_words.c src/vanity/gaming.c src/stats/[a-z]*.c src/common/am_host.c -lm
 *
 * SENTENCES=1 in the environment adds the sentences on standard error.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lead_lag/lead_lag.h"
#include "vanity/gaming.h"
#include "vanity/vanity.h"

#define MOST_WORLDS 1024

typedef struct World
{
	char		name[16];
	int			weeks;
	bool		has_target;
	long		target_week;
	double		target_value;
	size_t		start;			/* rows in the panel */
	size_t		end;
} World;

static World worlds[MOST_WORLDS];
static int	n_worlds;

static int32_t *unit;
static int64_t *period;
static double *metric;
static double *outcome;
static double *quality;
static size_t n_rows;

static FILE *
open_in(const char *folder, const char *name)
{
	char		path[1024];
	FILE	   *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "r");
	if (!f)
	{
		perror(path);
		exit(1);
	}
	return f;
}

/* splits a line at its commas, in place */
static int
split(char *line, char **field, int most)
{
	int			n = 0;

	line[strcspn(line, "\r\n")] = '\0';
	while (n < most)
	{
		field[n++] = line;
		line = strchr(line, ',');
		if (!line)
			break;
		*line++ = '\0';
	}
	return n;
}

static void
read_worlds(const char *folder)
{
	FILE	   *f = open_in(folder, "worlds.csv");
	char		line[256];
	char	   *field[8];

	if (!fgets(line, sizeof(line), f))
		exit(1);
	while (fgets(line, sizeof(line), f) && n_worlds < MOST_WORLDS)
	{
		World	   *world = &worlds[n_worlds++];

		if (split(line, field, 8) < 7)
			exit(1);
		snprintf(world->name, sizeof(world->name), "%s", field[0]);
		world->weeks = atoi(field[2]);
		world->has_target = *field[5] != '\0';
		world->target_week = atol(field[5]);
		world->target_value = *field[6] ? atof(field[6]) : NAN;
	}
	fclose(f);
}

static void
read_panel(const char *folder)
{
	FILE	   *f = open_in(folder, "panel.csv");
	char		line[256];
	char	   *field[6];
	size_t		room = 1 << 18;
	int			w = -1;

	unit = malloc(room * sizeof(*unit));
	period = malloc(room * sizeof(*period));
	metric = malloc(room * sizeof(*metric));
	outcome = malloc(room * sizeof(*outcome));
	quality = malloc(room * sizeof(*quality));
	if (!fgets(line, sizeof(line), f))
		exit(1);
	while (fgets(line, sizeof(line), f) && n_rows < room)
	{
		if (split(line, field, 6) < 6)
			exit(1);
		if (w < 0 || strcmp(worlds[w].name, field[0]) != 0)
		{
			for (w = 0; w < n_worlds && strcmp(worlds[w].name, field[0]) != 0; w++)
				;
			if (w == n_worlds)
				exit(1);
			worlds[w].start = n_rows;
		}
		unit[n_rows] = atoi(field[1]);
		period[n_rows] = atol(field[2]);
		metric[n_rows] = atof(field[3]);
		outcome[n_rows] = atof(field[4]);
		quality[n_rows] = *field[5] ? atof(field[5]) : NAN;
		n_rows++;
		worlds[w].end = n_rows;
	}
	fclose(f);
}

/* panel and options of a world; the caller frees panel->unit */
static void
load(const World *world, AmPanel *panel, AmVanityOptions *options)
{
	int32_t    *id = malloc((world->end - world->start + 1) * sizeof(*id));

	memset(options, 0, sizeof(*options));
	options->has_target = world->has_target;
	options->target_from = world->target_week;
	options->target_value = world->target_value;
	memset(panel, 0, sizeof(*panel));
	panel->n = world->end - world->start;
	for (size_t i = 0; i < panel->n; i++)
	{
		if (i > 0 && unit[world->start + i] != unit[world->start + i - 1])
			panel->n_units++;
		id[i] = panel->n_units;
	}
	panel->n_units++;
	panel->unit = id;
	panel->period = period + world->start;
	panel->x = metric + world->start;
	panel->y = outcome + world->start;
	panel->quality = quality + world->start;
}

/*
 * lead_lag() asks whether one column moves before the other at all, and takes
 * no target, quality or running total into account; vanity() asks whether it
 * pays.  Two tests that are wrong in 5 % of cases each disagree about a world
 * by chance in one of twenty at most.
 */
static void
agree(void)
{
	int			both[8][8] = {{0}};
	int			contradictions = 0;
	int			plain = 0;
	int			explained = 0;

	for (int w = 0; w < n_worlds; w++)
	{
		AmPanel		panel;
		AmVanityOptions options;
		AmVanityResult result;
		AmLeadLagOptions lags = am_lead_lag_defaults();
		AmLeadLagRow rows[64];
		AmLeadLagVerdict verdict;
		int			decided = 0;
		char		text[1024];
		bool		against;

		load(&worlds[w], &panel, &options);
		am_vanity(&panel, &options, &result);
		panel.quality = NULL;
		lags.max_lag = am_lead_lag_default_max_lag(&panel);
		am_lead_lag(&panel, &lags, rows);
		verdict = am_lead_lag_verdict(rows, 2 * lags.max_lag + 1, 0.05, &decided);
		both[result.verdict][verdict]++;
		plain += result.only_rises < 0.6 && !options.has_target;
		against = strcmp(am_lead_lag_verdict_name(verdict), "leading") == 0 && rows[decided].r > 0 &&
			(result.verdict == AM_VANITY_VANITY || result.verdict == AM_VANITY_GAMED);
		against |= result.verdict == AM_VANITY_LEADING &&
			(strcmp(am_lead_lag_verdict_name(verdict), "lagging") == 0 ||
			 (strcmp(am_lead_lag_verdict_name(verdict), "leading") == 0 && rows[decided].r < 0));
		if (against)
		{
			am_vanity_sentence(&result, &options, "calls", "wins", "rep", "week", text, sizeof(text));
			printf("%s vanity says %s, lead_lag says %s by %d (r = %.2f): %s\n", worlds[w].name, am_vanity_verdict_name(result.verdict),
				   am_lead_lag_verdict_name(verdict), rows[decided].lag, rows[decided].r, text);
			contradictions++;
			/* a running total, gaming and junk are reasons that the sentence gives */
			explained += result.only_rises > 0.6 || result.verdict == AM_VANITY_GAMED || result.only_substance >= 0.5;
		}
		free((void *) panel.unit);
	}
	puts("vanity by lead_lag:");
	for (int v = 0; v < 6; v++)
	{
		printf("%-22s", am_vanity_verdict_name((AmVanityVerdict) v));
		for (int l = 0; l < 5; l++)
			if (am_lead_lag_verdict_name((AmLeadLagVerdict) l))
				printf(" %s %d", am_lead_lag_verdict_name((AmLeadLagVerdict) l), both[v][l]);
		puts("");
	}
	printf("%d of %d worlds contradict, %d of them for a reason that vanity() gives; by chance at 5 %% each: at most %.1f\n",
		   contradictions, n_worlds, explained, 0.05 * plain);
}

static void
predict(World *world)
{
	AmPanel		panel;
	AmVanityOptions options;
	AmVanityResult result;

	load(world, &panel, &options);
	am_vanity(&panel, &options, &result);

	printf("%s,%.6f,%s,", world->name, result.score, am_vanity_verdict_name(result.verdict));
	if (!isnan(result.p_gamed))
		printf("%.6f", result.p_gamed);
	if (result.has_window)
		printf(",%.1f,%.4f,%.4f,%.4f\n", (result.lag_from + result.lag_to) / 2.0, result.elasticity, result.low, result.high);
	else
		printf(",,,,\n");
	if (getenv("SENTENCES"))
	{
		char		text[512];

		am_vanity_sentence(&result, &options, "calls", "wins", "rep", "week", text, sizeof(text));
		fprintf(stderr, "%s %s\n", world->name, text);
	}
	free((void *) panel.unit);
}

static double
milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static void
time_one(int units, int periods)
{
	AmPanel		panel;
	AmVanityOptions options;
	AmVanityResult result;
	size_t		n = (size_t) units * periods;
	int32_t    *u = malloc(n * sizeof(*u));
	int64_t    *p = malloc(n * sizeof(*p));
	double	   *x = malloc(n * sizeof(*x));
	double	   *y = malloc(n * sizeof(*y));
	unsigned long long seed = 1;
	double		best = HUGE_VAL;
	double		best_target = HUGE_VAL;

	for (size_t i = 0; i < n; i++)
	{
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		u[i] = (int32_t) (i / periods);
		p[i] = (int64_t) (i % periods);
		x[i] = (double) (seed >> 33) / 2147483648.0 * 40;
		x[i] = floor(x[i]);
		y[i] = (double) ((seed >> 20) % 4);
	}
	memset(&panel, 0, sizeof(panel));
	memset(&options, 0, sizeof(options));
	panel.n = n;
	panel.n_units = units;
	panel.unit = u;
	panel.period = p;
	panel.x = x;
	panel.y = y;
	for (int run = 0; run < 20; run++)
	{
		double		start = milliseconds();

		options.has_target = false;
		am_vanity(&panel, &options, &result);
		best = fmin(best, milliseconds() - start);
		options.has_target = true;
		options.target_from = periods / 2;
		options.target_value = 20;
		start = milliseconds();
		am_vanity(&panel, &options, &result);
		best_target = fmin(best_target, milliseconds() - start);
	}
	printf("%d units x %d periods: %.1f ms, with a target %.1f ms\n", units, periods, best, best_target);
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[2], "time") == 0)
	{
		time_one(10, 26);
		time_one(20, 52);
		time_one(50, 104);
		return 0;
	}
	if (argc == 3 && strcmp(argv[2], "agree") == 0)
	{
		read_worlds(argv[1]);
		read_panel(argv[1]);
		agree();
		return 0;
	}
	if (argc != 2)
	{
		fprintf(stderr, "usage: %s FOLDER [time|agree]\n", argv[0]);
		return 2;
	}
	read_worlds(argv[1]);
	read_panel(argv[1]);
	puts("world,score,verdict,p_gamed,lag,elasticity,lo,hi");
	for (int w = 0; w < n_worlds; w++)
		predict(&worlds[w]);
	return 0;
}
