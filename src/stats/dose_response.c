/*
 * See dose_response.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <float.h>
#include <math.h>

#include "common/am_host.h"
#include "stats/dose_response.h"
#include "stats/least_squares.h"
#include "stats/series.h"

#define ITEMS_PER_CHECK 8192

/* the half-way point is sought from so much below the smallest x above 0 to so much above the largest */
#define BEYOND			1e4
#define STEPS_PER_TENFOLD 20

#define BISECTIONS		100

/* residuals of no more units of the rounding of y than this are none */
#define ROUNDING		8

static void
undefined(AmDoseResponse *curve, int parameters)
{
	curve->defined = curve->best = false;
	curve->parameters = parameters;
	curve->parameter[0] = curve->parameter[1] = curve->parameter[2] = NAN;
	curve->rss = curve->aic = NAN;
}

/* rss is squares * 4^exponent */
static void
judge(AmDoseResponse *curve, double squares, int exponent, size_t n)
{
	curve->defined = true;
	curve->rss = ldexp(squares, 2 * exponent);
	curve->aic = squares > 0 ? n * (log(squares / n) + 2 * exponent * log(2)) + 2 * curve->parameters : NAN;
}

static void
fit_columns(const double *const *columns, int k, const double *y, size_t n, AmDoseResponse *curve)
{
	AmLeastSquares fit;
	int			j;

	undefined(curve, k + 1);
	if (n > (size_t) k + 1 && am_least_squares(&fit, columns, k, y, n))
	{
		for (j = 0; j <= k; j++)
			curve->parameter[j] = fit.coefficient[j];
		judge(curve, fit.rss, fit.exponent, n);
	}
	if (n > (size_t) k + 1)
		am_least_squares_free(&fit);
}

/* in powers of the deviation d from the mean of x, which are less alike than those of x: x = mean + d 2^exponent */
static void
fit_quadratic(const double *x, const double *y, size_t n, AmDoseResponse *curve)
{
	double	   *powers;
	const double *columns[2];
	AmColumn	column;
	double		mean,
				b,
				c;
	size_t		i;

	undefined(curve, 3);
	if (am_column_read(&column, x, n) != AM_COLUMN_VARIES)
		return;
	powers = (double *) am_host_alloc(2 * n * sizeof(double));
	for (i = 0; i < n; i++)
	{
		powers[i] = am_deviation(&column, i);
		powers[n + i] = powers[i] * powers[i];
	}
	columns[0] = powers;
	columns[1] = powers + n;
	fit_columns(columns, 2, y, n, curve);
	mean = am_column_mean(&column);
	b = ldexp(curve->parameter[1], -column.exponent);
	c = ldexp(curve->parameter[2], -2 * column.exponent);
	curve->parameter[0] += (c * mean - b) * mean;
	curve->parameter[1] = b - 2 * c * mean;
	curve->parameter[2] = c;
	am_host_free(powers);
}

/*
 * The saturating curve y = v x / (k + x).  For any k the best v is that of a
 * line through the origin, so one unknown is left.  x and y are scaled to at
 * most 1.
 */
typedef struct Saturation
{
	const double *x;
	const double *y;
	size_t		n;
	double		x_scale;
	double		y_scale;
	double		v;				/* at the k asked for last */
	double		squares;		/* of the residuals there */
} Saturation;

/*
 * How the squared residuals rise with ln k, best v given; sets v.  The
 * derivative has its zero where the squares are flat, and so tells it to all
 * digits, which the squares do not.
 */
static double
slope(Saturation *s, double k)
{
	double		zz = 0,
				zy = 0;
	double		rise = 0;
	size_t		i;

	for (i = 0; i < s->n; i++)
	{
		double		x = s->x[i] * s->x_scale;
		double		z = x > 0 ? x / (k + x) : 0;

		zz += z * z;
		zy += z * (s->y[i] * s->y_scale);
		if (i % ITEMS_PER_CHECK == 0)
			AM_CHECK_INTERRUPTS();
	}
	s->v = zy / zz;
	s->squares = 0;
	for (i = 0; i < s->n; i++)
	{
		double		x = s->x[i] * s->x_scale;
		double		z = x > 0 ? x / (k + x) : 0;
		double		residual = s->y[i] * s->y_scale - s->v * z;

		s->squares += residual * residual;
		/* dz / d ln k = -z (1 - z), and 1 - z = k / (k + x) */
		rise += 2 * residual * s->v * z * (x > 0 ? k / (k + x) : 0);
	}
	return rise;
}

static void
fit_saturation(const double *x, const double *y, size_t n, AmDoseResponse *curve)
{
	Saturation	s = {x, y, n, 1, 1, 0, 0};
	double		smallest = INFINITY,
				largest = 0,
				highest = 0;
	double		low,
				high,
				k,
				last_k,
				last_slope;
	double		best_low = NAN,
				best_high = NAN,
				best_squares = INFINITY;
	double		step = pow(10, 1.0 / STEPS_PER_TENFOLD);
	int			x_exponent,
				y_exponent;
	size_t		i;

	undefined(curve, 2);
	if (n <= 2)
		return;
	for (i = 0; i < n; i++)
	{
		if (!(x[i] >= 0) || isinf(x[i]) || !isfinite(y[i]))
			return;
		largest = fmax(largest, x[i]);
		highest = fmax(highest, fabs(y[i]));
		if (x[i] > 0)
			smallest = fmin(smallest, x[i]);
		if (i % ITEMS_PER_CHECK == 0)
			AM_CHECK_INTERRUPTS();
	}
	/* one x above 0 has a v for every k */
	if (!(smallest < largest) || highest == 0)
		return;
	(void) frexp(largest, &x_exponent);
	(void) frexp(highest, &y_exponent);
	x_exponent = x_exponent < -1000 ? -1000 : x_exponent;
	y_exponent = y_exponent < -1000 ? -1000 : y_exponent;
	s.x_scale = ldexp(1, -x_exponent);
	s.y_scale = ldexp(1, -y_exponent);

	low = fmax(smallest * s.x_scale, DBL_MIN * BEYOND * BEYOND) / BEYOND;
	high = largest * s.x_scale * BEYOND;

	/* every interval in which the squares turn from falling to rising, and the deepest of these */
	last_k = low;
	last_slope = slope(&s, low);
	for (k = low * step; k < high * step; k *= step)
	{
		double		now = slope(&s, k);

		if (last_slope < 0 && now >= 0)
		{
			double		left = last_k;
			double		right = k;

			for (int b = 0; b < BISECTIONS; b++)
			{
				double		middle = sqrt(left * right);

				if (middle <= left || middle >= right)
					break;
				if (slope(&s, middle) < 0)
					left = middle;
				else
					right = middle;
			}
			slope(&s, left);
			if (s.squares < best_squares)
			{
				best_squares = s.squares;
				best_low = left;
				best_high = right;
			}
		}
		last_k = k;
		last_slope = now;
	}
	if (isinf(best_squares))
		return;
	/* lower still at an end: no half-way point within sight */
	slope(&s, low);
	if (s.squares < best_squares)
		return;
	slope(&s, high);
	if (s.squares < best_squares)
		return;

	slope(&s, sqrt(best_low * best_high));
	curve->parameter[0] = ldexp(s.v, y_exponent);
	curve->parameter[1] = ldexp(sqrt(best_low * best_high), x_exponent);
	if (s.squares <= n * pow(ROUNDING * DBL_EPSILON * highest * s.y_scale, 2))
		s.squares = 0;
	judge(curve, s.squares, y_exponent, n);
}

void
am_dose_response(const double *x, const double *y, size_t n, AmDoseResponse curves[AM_CURVES])
{
	double	   *other = (double *) am_host_alloc(n * sizeof(double));
	const double *columns[2] = {x, other};
	AmDoseResponse *best = NULL;
	bool		above = true;
	size_t		i;
	int			c;

	fit_columns(columns, 1, y, n, &curves[AM_CURVE_LINEAR]);

	for (i = 0; i < n; i++)
	{
		above = above && x[i] > -1;
		other[i] = log1p(x[i]);
	}
	if (above)
		fit_columns(columns + 1, 1, y, n, &curves[AM_CURVE_LOGARITHMIC]);
	else
		undefined(&curves[AM_CURVE_LOGARITHMIC], 2);

	fit_quadratic(x, y, n, &curves[AM_CURVE_QUADRATIC]);
	fit_saturation(x, y, n, &curves[AM_CURVE_SATURATING]);
	am_host_free(other);

	for (c = 0; c < AM_CURVES; c++)
	{
		AmDoseResponse *curve = &curves[c];

		if (curve->defined &&
			(!best || (best->rss > 0 && (curve->rss == 0 || curve->aic < best->aic))))
			best = curve;
	}
	if (best)
		best->best = true;
}
