/*
 * Least squares with a constant: y = b0 + b1 x1 + ... + bk xk + e.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_LEAST_SQUARES_H
#define AM_LEAST_SQUARES_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Sums of squares are those of y * 2^-exponent, so that they neither overflow
 * nor vanish; am_ls_rss has them in the units of y.
 */
typedef struct AmLeastSquares
{
	size_t		n;				/* rows */
	int			k;				/* columns, the constant not counted */
	int			rank;			/* the first rank columns and the constant are independent, the next is spanned by them */
	double		df;				/* n - k - 1 */
	int			exponent;
	double		tss;			/* about the mean, so the rss without any column */
	double		rss;			/* 0 if what is left is within the rounding of y */
	double	   *effect;			/* k; the square of effect[j] is what column j takes off the rss of the columns before it */
	double	   *coefficient;	/* k + 1, the constant first; NaN where rank < k */
	double	   *error;			/* k + 1 standard errors; NaN where rank < k or df < 1 */

	/* private */
	double		rounding;		/* an rss up to this is none */
	double	   *triangle;
	int		   *column_exponent;
} AmLeastSquares;

/*
 * Fits by Householder transformations of the centred and scaled columns, in
 * blocks of rows (Golub 1965; Lawson & Hanson 1974, chapters 10 and 27): memory
 * is that of a block, not of the matrix.  columns[j] are n values each, and may
 * be parts of one another, as lags of a series are.  A column is dependent if
 * what is in it beyond the constant and the columns before it is 1e-12 of it
 * or less, or no more than the rounding of its values.
 *
 * True if all is defined: full rank, n > k and finite values.  fit is to be
 * freed in either case.
 */
extern bool am_least_squares(AmLeastSquares *fit, const double *const *columns, int k, const double *y, size_t n);

extern void am_least_squares_free(AmLeastSquares *fit);

/* the rss of the first m columns, 0 <= m <= k, in units of 2^(2 exponent); needs n > m and rank >= m */
extern double am_ls_rss_of_first(const AmLeastSquares *fit, int m);

/* a sum of squares in the units of y */
static inline double
am_ls_rss(const AmLeastSquares *fit, double squares)
{
	return ldexp(squares, 2 * fit->exponent);
}

/*
 * The sum of weights[j] times the coefficient of column j, j = 0 .. k - 1, the
 * constant left out, and its standard error.  Both NaN where rank < k.
 */
extern void am_ls_combination(const AmLeastSquares *fit, const double *weights, double *value, double *error);

/*
 * What a row adds to the sum of weights[j] times the coefficient of column j
 * is its residual times the sum of direction[j] times column j less its mean.
 * k each; needs rank = k.
 */
extern void am_ls_direction(const AmLeastSquares *fit, const double *weights, double *direction);

/*
 * Partial correlation of x and y: that of what regressions on the constant and
 * the controls leave of them.  n values each.  NaN if x or y has nothing left
 * or the controls are dependent; n must be above controls + 1.
 */
extern double am_partial_correlation(const double *x, const double *y, const double *const *controls, int n_controls, size_t n);

#endif							/* AM_LEAST_SQUARES_H */
