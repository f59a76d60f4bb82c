/*
 * Kendall's tau-b by sorting (Knight 1966), with counts that hold 2^31 pairs.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_KENDALL_H
#define AM_KENDALL_H

#include <stddef.h>
#include <stdint.h>

#include "stats/ranks.h"

#define AM_KENDALL_MAX	((uint64_t) INT32_MAX)

/* Sums over the groups of t equal items */
typedef struct AmTies
{
	uint64_t	pairs;			/* t (t - 1) */
	double		triples;		/* t (t - 1) (t - 2) */
	uint64_t	high;			/* t (t - 1) (2 t + 5) = high 2^32 + low */
	uint64_t	low;
} AmTies;

/*
 * Of n pairs.  am_kendall_first is shown them in order of x, then y, and
 * am_kendall_second then the values of y in order, each ending with NULL; the
 * exchanges are those of a stable sort from the one order to the other.
 */
typedef struct AmKendall
{
	uint64_t	n;
	uint64_t	exchanges;
	AmTies		x;
	AmTies		y;
	uint64_t	both;			/* t (t - 1) of equal pairs */
	uint64_t	equal_x;		/* so far, to the last pair shown */
	uint64_t	equal_pairs;
	AmPair		last;
} AmKendall;

extern void am_kendall_start(AmKendall *counts);
extern void am_kendall_first(AmKendall *counts, const AmPair *pair);
extern void am_kendall_second(AmKendall *counts, const double *y);

/* All of it; sorts the pairs, and leaves x and y exchanged */
extern void am_kendall_count(AmKendall *counts, AmPair *pairs, AmPair *scratch, size_t n);

/* concordant less discordant pairs of pairs */
extern int64_t am_kendall_s(const AmKendall *counts);
extern double am_kendall_tau(const AmKendall *counts);	/* tau-b; NaN if n < 2 or a column is constant */
extern double am_kendall_variance(const AmKendall *counts); /* of S, corrected for ties */

#endif							/* AM_KENDALL_H */
