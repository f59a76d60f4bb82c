/*
 * Arguments of the functions on series: arrays with a value per period.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_SERIES_ARGUMENTS_H
#define AM_SERIES_ARGUMENTS_H

#include "common/compat.h"

#include "fmgr.h"
#include "utils/array.h"

/* the regressions take lags up to this */
#define AM_LARGEST_ORDER	100

typedef struct AmSeries
{
	const char *name;
	const double *values;
	int			n;
} AmSeries;

/*
 * A one-dimensional array of finite numbers; false if the argument is NULL.
 * Errors: more dimensions (22023), a NULL in it (22004), NaN or infinity
 * (22003), each naming the place.
 */
extern bool am_series_argument(FunctionCallInfo fcinfo, int argument, const char *name, AmSeries *series);

/* The place of the first NULL of an array that has one, from 0 */
extern int	am_first_null(const ArrayType *array);

/* Arguments 0 and 1: x and y, of one length (22023), not empty (22023); false if one is NULL */
extern bool am_series_pair(FunctionCallInfo fcinfo, AmSeries *x, AmSeries *y);

/* Refuses a series without values (22023) */
extern void am_series_not_empty(const AmSeries *series);

/*
 * The integer argument, between least and most (22023); otherwise if it is
 * NULL.  n values set the largest.  most below least: no value will do, and
 * needed is the number of values from which one does.
 */
extern int	am_series_integer(FunctionCallInfo fcinfo, int argument, const char *name, int otherwise,
							  int least, int most, int n, int needed);

/* Which of the words, case, blanks and _ aside; the nearest one in the hint if it is none (22023) */
extern int	am_series_word(const char *what, const char *word, const char *const *words, int n_words, const char *known);

#endif							/* AM_SERIES_ARGUMENTS_H */
