/*
 * Series of the golden files, and random ones.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef SERIES_DATA_H
#define SERIES_DATA_H

#include <stdint.h>

#include "golden.h"
#include "tap.h"

#define MAX_N 4096

static uint64_t seed = 11;

/* about normal */
static inline double
draw(void)
{
	double		sum = 0;
	int			i;

	for (i = 0; i < 12; i++)
	{
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		sum += (double) (seed >> 44);
	}
	return sum / 1048576.0 - 6;
}

/* the rows of a data set in order; y NULL: there is one column */
static inline size_t
read_series(const char *file, const char *dataset, double *x, double *y)
{
	const char *path = shared_file(file);
	char		line[256];
	char	   *fields[4];
	size_t		n = 0;
	int			wanted = y ? 4 : 3;
	FILE	   *f = path ? fopen(path, "r") : NULL;

	while (f && n < MAX_N && fgets(line, sizeof(line), f))
	{
		if (split(line, fields, wanted) < wanted || strcmp(fields[0], dataset) != 0)
			continue;
		x[n] = number(fields[2]);
		if (y)
			y[n] = number(fields[3]);
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
				k,
				phase;

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
		for (phase = 0; phase < k; phase++)
		{
			double		sum = 0,
						count = 0;

			for (i = phase; i < n; i += k)
			{
				sum += v[i];
				count++;
			}
			for (i = phase; i < n; i += k)
				v[i] -= sum / count;
		}
	}
	return n;
}

/* one pair of series is read at a time */
typedef struct Pair
{
	char		key[128];
	double		x[MAX_N];
	double		y[MAX_N];
	size_t		n;
} Pair;

/* true if it was not there already */
static inline bool
read_pair(Pair *pair, const char *dataset, const char *how)
{
	char		key[128];

	snprintf(key, sizeof(key), "%.60s %.60s", dataset, how);
	if (strcmp(key, pair->key) == 0)
		return false;
	snprintf(pair->key, sizeof(pair->key), "%s", key);
	pair->n = read_series("golden/data/pairs.csv", dataset, pair->x, pair->y);
	transform(how, pair->x, pair->n);
	pair->n = transform(how, pair->y, pair->n);
	return true;
}

/* The rows of a golden file after its first line, cut into fields */
typedef struct Golden
{
	FILE	   *file;
	char		line[2048];
	char	   *field[24];
	int			fields;
	int			rows;
} Golden;

/* false, and skipped, without the file */
static inline bool
golden_open(Golden *golden, const char *name, int fields)
{
	char		path[256];
	const char *found;

	snprintf(path, sizeof(path), "golden/expected/%s", name);
	found = shared_file(path);
	golden->file = found ? fopen(found, "r") : NULL;
	golden->fields = fields;
	golden->rows = 0;
	if (!golden->file)
		skip(name, "no golden files");
	else if (!fgets(golden->line, sizeof(golden->line), golden->file))
		golden->line[0] = '\0';
	return golden->file != NULL;
}

static inline bool
golden_next(Golden *golden)
{
	while (fgets(golden->line, sizeof(golden->line), golden->file))
		if (split(golden->line, golden->field, golden->fields) == golden->fields)
		{
			golden->rows++;
			return true;
		}
	fclose(golden->file);
	return false;
}

static inline double
golden_number(const Golden *golden, int field)
{
	return number(golden->field[field]);
}

/*
 * How far off: relative, and nothing where the absolute error is at most
 * atol; infinite where only one of the two is defined.
 */
static inline double
off(double got, double want, double atol)
{
	if (close_to(got, want, 0, atol))
		return 0;
	return isnan(got) || isnan(want) || want == 0 ? INFINITY : fabs(got - want) / fabs(want);
}

/* of a p: below 1e-300 nothing is known */
static inline double
off_p(double got, double want)
{
	return want < 1e-300 && got < 1e-300 ? 0 : off(got, want, 0);
}

static inline bool
is_offset(const char *dataset)
{
	return strstr(dataset, "1e9") || strstr(dataset, "1e12");
}

#define SLOW_MAX 24

/*
 * Least squares with a constant by the normal equations of centred columns in
 * long double; returns the rss.  Right where nothing is extreme.  beta: k + 1.
 */
static inline double
slow_least_squares(const double *const *columns, int k, const double *y, size_t n, double *beta)
{
	long double a[SLOW_MAX][SLOW_MAX + 1];
	long double mean[SLOW_MAX + 1];
	long double b[SLOW_MAX];
	long double rss = 0;
	size_t		t;
	int			i,
				j,
				m;

	for (j = 0; j <= k; j++)
	{
		mean[j] = 0;
		for (t = 0; t < n; t++)
			mean[j] += j < k ? columns[j][t] : y[t];
		mean[j] /= n;
	}
	for (i = 0; i < k; i++)
		for (j = 0; j <= k; j++)
		{
			a[i][j] = 0;
			for (t = 0; t < n; t++)
				a[i][j] += (columns[i][t] - mean[i]) * ((j < k ? columns[j][t] : y[t]) - mean[j]);
		}
	for (i = 0; i < k; i++)
	{
		int			pivot = i;

		for (m = i + 1; m < k; m++)
			if (fabsl(a[m][i]) > fabsl(a[pivot][i]))
				pivot = m;
		for (j = 0; j <= k; j++)
		{
			long double swap = a[i][j];

			a[i][j] = a[pivot][j];
			a[pivot][j] = swap;
		}
		for (m = i + 1; m < k; m++)
		{
			long double times = a[m][i] / a[i][i];

			for (j = i; j <= k; j++)
				a[m][j] -= times * a[i][j];
		}
	}
	beta[0] = 0;
	b[0] = mean[k];
	for (i = k - 1; i >= 0; i--)
	{
		long double v = a[i][k];

		for (j = i + 1; j < k; j++)
			v -= a[i][j] * a[j][SLOW_MAX];
		a[i][SLOW_MAX] = v / a[i][i];
		beta[i + 1] = (double) a[i][SLOW_MAX];
		b[0] -= a[i][SLOW_MAX] * mean[i];
	}
	beta[0] = (double) b[0];
	for (t = 0; t < n; t++)
	{
		long double left = y[t] - b[0];

		for (j = 0; j < k; j++)
			left -= a[j][SLOW_MAX] * columns[j][t];
		rss += left * left;
	}
	return (double) rss;
}

/* Luteinizing hormone in blood samples every 10 minutes (Diggle 1990) */
static const double lh[] = {
	2.4, 2.4, 2.4, 2.2, 2.1, 1.5, 2.3, 2.3, 2.5, 2.0, 1.9, 1.7, 2.2, 1.8, 3.2, 3.2,
	2.7, 2.2, 2.2, 1.9, 1.9, 1.8, 2.7, 3.0, 2.3, 2.0, 2.0, 2.9, 2.9, 2.7, 2.7, 2.3,
	2.6, 2.4, 1.8, 1.7, 1.5, 1.4, 2.1, 3.3, 3.5, 3.5, 3.1, 2.6, 2.1, 3.4, 3.0, 2.9
};
#define N_LH ((size_t) 48)

/* Longley (1967): gross national product and employment, USA 1947 to 1962 */
static const double gnp[] = {
	234.289, 259.426, 258.054, 284.599, 328.975, 346.999, 365.385, 363.112,
	397.469, 419.180, 442.769, 444.546, 482.704, 502.601, 518.173, 554.894
};
static const double employed[] = {
	60.323, 61.122, 60.171, 61.187, 63.221, 63.639, 64.989, 63.761,
	66.019, 67.857, 68.169, 66.513, 68.655, 69.564, 69.331, 70.551
};
#define N_LONGLEY ((size_t) 16)

#endif							/* SERIES_DATA_H */
