/*
 * Composite results: setting columns that may be undefined.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_ROWS_H
#define AM_ROWS_H

#include "common/compat.h"

#include <math.h>

/* NaN, "not defined" in the algorithms, is NULL in SQL; so is infinity, which BI tools cannot show */
static inline void
am_set_float(Datum *values, bool *nulls, int column, double value)
{
	nulls[column] = !isfinite(value);
	values[column] = Float8GetDatum(value);
}

#endif							/* AM_ROWS_H */
