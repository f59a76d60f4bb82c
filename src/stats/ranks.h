/*
 * Sorting of pairs of numbers, and ranks with ties.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_RANKS_H
#define AM_RANKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stats/moments.h"

typedef struct AmPair
{
	double		x;
	double		y;
} AmPair;

/*
 * Sorts by x; pairs of one x stay in order, or with then_y are sorted by y.
 * scratch has room for n pairs.  Returns the exchanges: how many pairs of
 * pairs were in the wrong order.
 */
extern uint64_t am_sort_pairs(AmPair *pairs, AmPair *scratch, size_t n, bool then_y);

/* Is b before a? */
static inline bool
am_pair_before(const AmPair *b, const AmPair *a, bool then_y)
{
	return b->x < a->x || (then_y && b->x == a->x && b->y < a->y);
}

/*
 * The mid-rank of the items from `first`, counted from 0, that are equal, as
 * an integer about 0: how many items are less, less how many are greater.  It
 * is twice the mid-rank, less n + 1.
 */
static inline double
am_mid_rank(uint64_t first, uint64_t equal, uint64_t n)
{
	return (double) (int64_t) (2 * first + equal - n);
}

/* Pairs in order of x: each becomes y and the mid-rank of its x */
extern void am_rank_and_turn(AmPair *pairs, size_t n);

/* Moments of the ranks of the columns; changes the pairs.  To be freed by am_host_free. */
extern AmMoments *am_rank_moments(AmPair *pairs, AmPair *scratch, size_t n);

/* am_moments_add that makes room; the moments may move */
extern AmMoments *am_moments_put(AmMoments *moments, double x, double y);

#endif							/* AM_RANKS_H */
