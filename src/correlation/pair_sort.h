/*
 * Sorting of more pairs than fit into memory, and their ranks.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_PAIR_SORT_H
#define AM_PAIR_SORT_H

#include "correlation/pair_bag.h"
#include "stats/kendall.h"

/* Of a bag with a file, whose pairs stay there */
extern AmMoments *am_spilled_rank_moments(AmPairBag *bag);
extern void am_spilled_kendall(AmPairBag *bag, AmKendall *counts);

#endif							/* AM_PAIR_SORT_H */
