/*
 * Sums that do not depend on the order of their terms.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_EXACT_SUM_H
#define AM_EXACT_SUM_H

#define AM_EXACT_PARTS	64		/* when full, packed into 41 or less: doubles span 2098 bits */

typedef struct AmExactSum
{
	int			n;
	double		parts[AM_EXACT_PARTS];	/* ascending magnitude, sum is exact */
} AmExactSum;

static inline void
am_exact_start(AmExactSum *sum)
{
	sum->n = 0;
}

/* a term that is not finite makes the sum NaN */
extern void am_exact_add(AmExactSum *sum, double term);

/* The double nearest to the sum; NaN where it overflows on the way */
extern double am_exact_round(const AmExactSum *sum);

#endif							/* AM_EXACT_SUM_H */
