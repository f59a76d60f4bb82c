/*
 * The golden pairs: reading and transforming them, as golden/README.md says.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef PAIRS_H
#define PAIRS_H

#include "golden.h"
#include "tap.h"

/* rows of a data set in order, without those that lack x or y; with y NULL, those of a series */
static inline size_t
read_data(const char *file, const char *dataset, double *x, double *y, size_t max)
{
	const char *path = shared_file(file);
	char		line[256];
	char	   *fields[4];
	size_t		n = 0;
	int			wanted = y ? 4 : 3;
	FILE	   *f = path ? fopen(path, "r") : NULL;

	while (f && n < max && fgets(line, sizeof(line), f))
	{
		if (split(line, fields, wanted) < wanted || strcmp(fields[0], dataset) != 0)
			continue;
		x[n] = number(fields[2]);
		if (y)
			y[n] = number(fields[3]);
		if (!isnan(x[n]) && (!y || !isnan(y[n])))
			n++;
	}
	if (f)
		fclose(f);
	return n;
}

/* the transforms of the golden files, in place */
static inline size_t
transform(const char *how, double *v, size_t n)
{
	size_t		i,
				k;

	if (strncmp(how, "diff", 4) == 0)
	{
		k = (size_t) atoi(how + 4);
		for (i = 0; i + k < n; i++)
			v[i] = v[i + k] - v[i];
		return n - k;
	}
	if (strcmp(how, "logdiff") == 0)
	{
		for (i = 0; i + 1 < n; i++)
			v[i] = log(v[i + 1]) - log(v[i]);
		return n - 1;
	}
	if (strncmp(how, "season", 6) == 0)
	{
		k = (size_t) atoi(how + 6);
		while (k-- > 0)
		{
			size_t		period = (size_t) atoi(how + 6);
			double		sum = 0,
						count = 0;

			for (i = k; i < n; i += period)
			{
				sum += v[i];
				count++;
			}
			for (i = k; i < n; i += period)
				v[i] -= sum / count;
		}
	}
	return n;
}

static inline bool
is_trap(const char *dataset)
{
	return strstr(dataset, "1e9") || strstr(dataset, "1e12") ||
		strstr(dataset, "tiny") || strstr(dataset, "huge");
}

static inline double
error_of(double got, double want)
{
	if (close_to(got, want, 0, 0))
		return 0;
	return isnan(got) || isnan(want) ? INFINITY : fabs(got - want);
}

/* relative, for p-values; both below 1e-300 is good */
static inline double
relative_error(double got, double want)
{
	if (close_to(got, want, 0, 0) || (want < 1e-300 && got < 1e-300 && got >= 0))
		return 0;
	return isnan(got) || isnan(want) ? INFINITY : fabs(got / want - 1);
}

/*
 * Calls test for each row of golden/expected/correlation.csv, whose fields are
 * in the order of its header; returns how many.
 */
typedef void (*PairsTest) (char **fields, const double *x, const double *y, size_t n);

#define PAIRS_MAX		4096
#define PAIRS_FIELDS	26

static inline int
each_golden_pairs(PairsTest test)
{
	static double x[PAIRS_MAX],
				y[PAIRS_MAX];
	const char *path = shared_file("golden/expected/correlation.csv");
	char		line[4096];
	char	   *fields[PAIRS_FIELDS + 1];
	int			rows = 0;
	FILE	   *f = path ? fopen(path, "r") : NULL;

	if (!f)
		return 0;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	while (fgets(line, sizeof(line), f))
	{
		size_t		n;

		if (split(line, fields, PAIRS_FIELDS + 1) < PAIRS_FIELDS)
			continue;
		n = read_data("golden/data/pairs.csv", fields[0], x, y, PAIRS_MAX);
		transform(fields[1], x, n);
		n = transform(fields[1], y, n);
		test(fields, x, y, n);
		rows++;
	}
	fclose(f);
	return rows;
}

#endif							/* PAIRS_H */
