/*
 * See kendall.h.  After a sort by x, then y, discordant pairs are those that a
 * stable sort by y exchanges (Knight 1966, "A computer method for calculating
 * Kendall's tau with ungrouped data").
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>
#include <string.h>

#include "common/am_host.h"
#include "stats/kendall.h"

#define ITEMS_PER_CHECK 8192

static void
add_group(AmTies *ties, uint64_t t)
{
	uint64_t	pairs = t * (t - 1);
	uint64_t	factor = 2 * t + 5;

	if (t < 2)
		return;
	ties->pairs += pairs;
	ties->triples += (double) pairs * (double) (t - 2);
	ties->high += (pairs >> 32) * factor;
	ties->low += (pairs & UINT32_MAX) * factor;
	ties->high += ties->low >> 32;
	ties->low &= UINT32_MAX;
}

void
am_kendall_start(AmKendall *counts)
{
	memset(counts, 0, sizeof(*counts));
}

void
am_kendall_first(AmKendall *counts, const AmPair *pair)
{
	bool		same_x = pair && counts->n > 0 && pair->x == counts->last.x;

	if (same_x && pair->y == counts->last.y)
		counts->equal_pairs++;
	else
	{
		counts->both += counts->equal_pairs * (counts->equal_pairs - 1);
		counts->equal_pairs = 1;
	}
	if (same_x)
		counts->equal_x++;
	else
	{
		add_group(&counts->x, counts->equal_x);
		counts->equal_x = 1;
	}
	if (pair)
	{
		counts->last = *pair;
		counts->n++;
	}
	else
		counts->equal_x = 0;
}

void
am_kendall_second(AmKendall *counts, const double *y)
{
	if (y && counts->equal_x > 0 && *y == counts->last.y)
		counts->equal_x++;
	else
	{
		add_group(&counts->y, counts->equal_x);
		counts->equal_x = 1;
	}
	if (y)
		counts->last.y = *y;
}

void
am_kendall_count(AmKendall *counts, AmPair *pairs, AmPair *scratch, size_t n)
{
	am_kendall_start(counts);
	am_sort_pairs(pairs, scratch, n, true);
	for (size_t i = 0; i < n; i++)
	{
		AmPair		pair = pairs[i];

		am_kendall_first(counts, &pair);
		pairs[i].x = pair.y;
		pairs[i].y = pair.x;
		if (i % ITEMS_PER_CHECK == 0)
			AM_CHECK_INTERRUPTS();
	}
	am_kendall_first(counts, NULL);
	counts->exchanges = am_sort_pairs(pairs, scratch, n, false);
	for (size_t i = 0; i < n; i++)
	{
		am_kendall_second(counts, &pairs[i].x);
		if (i % ITEMS_PER_CHECK == 0)
			AM_CHECK_INTERRUPTS();
	}
	am_kendall_second(counts, NULL);
}

/* pairs of pairs, all of them and those that differ in a column */
static inline uint64_t
all_pairs(const AmKendall *counts)
{
	return counts->n > 0 ? counts->n * (counts->n - 1) / 2 : 0;
}

static inline uint64_t
untied(const AmKendall *counts, const AmTies *ties)
{
	return all_pairs(counts) - ties->pairs / 2;
}

int64_t
am_kendall_s(const AmKendall *counts)
{
	/* those that differ in both columns, less the discordant ones twice */
	return (int64_t) (all_pairs(counts) - counts->x.pairs / 2 - counts->y.pairs / 2 + counts->both / 2) -
		2 * (int64_t) counts->exchanges;
}

double
am_kendall_tau(const AmKendall *counts)
{
	double		x = (double) untied(counts, &counts->x);
	double		y = (double) untied(counts, &counts->y);
	double		tau;

	if (x == 0 || y == 0)
		return NAN;
	tau = (double) am_kendall_s(counts) / sqrt(x * y);
	return tau > 1 ? 1 : tau < -1 ? -1 : tau;
}

/*
 * Kendall & Gibbons (1990, Rank correlation methods, chapter 4).  The first
 * three sums nearly cancel where a column is nearly constant: they are exact.
 */
double
am_kendall_variance(const AmKendall *counts)
{
	double		n = (double) counts->n;
	double		variance;
	AmTies		all = {0};

	add_group(&all, counts->n);
	variance = (4294967296.0 * (double) (int64_t) (all.high - counts->x.high - counts->y.high) +
				(double) ((int64_t) all.low - (int64_t) counts->x.low - (int64_t) counts->y.low)) / 18;
	if (counts->x.pairs > 0 && counts->y.pairs > 0)
		variance += (double) counts->x.pairs * (double) counts->y.pairs / (2 * n * (n - 1));
	if (counts->x.triples > 0 && counts->y.triples > 0)
		variance += counts->x.triples * counts->y.triples / (9 * n * (n - 1) * (n - 2));
	return variance;
}
