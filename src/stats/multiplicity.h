/*
 * Adjustment of p-values for many looks.  NaN entries are
 * no test: they stay NaN and do not count.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_MULTIPLICITY_H
#define AM_MULTIPLICITY_H

#include <stddef.h>

typedef enum AmAdjustment
{
	AM_ADJUST_BONFERRONI,
	AM_ADJUST_HOLM,
	AM_ADJUST_HOCHBERG,
	AM_ADJUST_BH,
	AM_ADJUST_BY,
	AM_ADJUST_SIDAK
} AmAdjustment;

/* p and adjusted may be the same array */
extern void am_p_adjust(const double *p, size_t n, AmAdjustment method, double *adjusted);

#endif							/* AM_MULTIPLICITY_H */
