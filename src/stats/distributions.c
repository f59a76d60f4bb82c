/*
 * Normal, Student t, F, chi-square and beta distributions.
 *
 * The tails of t, F and beta are x^a (1-x)^b / B(a, b) times a continued
 * fraction.  The power is written with Stirling errors and deviances (after
 * Loader 2000, "Fast and accurate computation of binomial probabilities"), so
 * that nothing large cancels; the fraction is the one of DiDonato & Morris
 * (1992, ACM TOMS 18, eq. 9) with a y - b x handed in, because 1 - x n / a
 * loses as many digits as x is near the mean.  x and y = 1 - x always travel
 * together for the same reason.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "common/am_host.h"
#include "stats/distributions.h"

#define AM_PI			3.14159265358979323846
#define AM_SQRT_2PI		2.50662827463100050242
#define AM_LN_SQRT_2PI	0.91893853320467274178
#define AM_2_SQRTPI		1.12837916709551257390

/* 1 / sqrt(2) in two pieces */
#define AM_SQRT1_2_HIGH 0.70710678118654752440
#define AM_SQRT1_2_LOW	(-4.8336466567264567e-17)

/*
 * The fractions need fewer steps than the square root of the smaller
 * parameter, but thousands where both it and its share of x are nearly 0.
 * What takes more than this is NaN.
 */
#define MAX_STEPS		5000000
#define STEPS_PER_CHECK 4096

/* zero in a continued fraction (Lentz) */
#define TINY			1e-300

typedef struct Tails
{
	double		lower;
	double		upper;
} Tails;

static const Tails no_tails = {NAN, NAN};
static const Tails all_below = {1.0, 0.0};
static const Tails all_above = {0.0, 1.0};

/* the tail at hand and its complement, with rounding kept inside [0, 1] */
static Tails
from_lower(double lower)
{
	Tails		tails;

	tails.lower = lower > 1 ? 1 : lower;
	tails.upper = 1 - tails.lower;
	return tails;
}

static Tails
from_upper(double upper)
{
	Tails		tails;

	tails.upper = upper > 1 ? 1 : upper;
	tails.lower = 1 - tails.upper;
	return tails;
}

/*
 * Stirling error ln Gamma(z) - ((z - 1/2) ln z - z + ln sqrt(2 pi)).  Below 16
 * it is carried up with error(z) - error(z + 1) = (z + 1/2) ln(1 + 1/z) - 1,
 * which as a series in 1 / (2z + 1) has positive terms only.
 */
static double
stirling_error(double z)
{
	double		sum = 0;
	double		w;

	if (z < 1)
	{
		double		log_ratio = z > 1e-16 ? log1p(1 / z) : -log(z);

		sum = (z + 0.5) * log_ratio - 1;
		z += 1;
	}
	while (z < 16)
	{
		double		square = 1 / ((2 * z + 1) * (2 * z + 1));
		double		power = square;
		double		step = 0;
		int			k;

		for (k = 3; power > 1e-18; k += 2)
		{
			step += power / k;
			power *= square;
		}
		sum += step;
		z += 1;
	}

	w = 1 / (z * z);
	return sum + (1.0 / 12 - w * (1.0 / 360 - w * (1.0 / 1260 - w *
												   (1.0 / 1680 - w * (1.0 / 1188 - w *
																	  (691.0 / 360360)))))) / z;
}

/* u - ln(1 + u), where the caller knows 1 + u better than u tells */
static double
excess(double u, double one_plus_u)
{
	double		r,
				square,
				power,
				sum = 0;
	int			k;

	if (u < -0.7 || u > 1.5)
		return u - log(one_plus_u);

	/* ln(1 + u) = 2 atanh(r), and u - 2 r = u r */
	r = u / (2 + u);
	square = r * r;
	power = 1;
	for (k = 3; power > 1e-18; k += 2)
	{
		sum += power / k;
		power *= square;
	}
	return r * (u - 2 * square * sum);
}

/*
 * x^a y^b / B(a, b), from u = x (a+b) / a - 1 and v = y (a+b) / b - 1.  Both
 * excesses are positive and a u + b v = 0, so the exponent keeps its digits.
 */
static double
beta_power(double a, double b, double x, double y, double u, double v)
{
	double		n = a + b;
	double		deviance = a * excess(u, x * (n / a)) + b * excess(v, y * (n / b));

	return sqrt(a) * sqrt(b / n) / AM_SQRT_2PI *
		exp(stirling_error(n) - stirling_error(a) - stirling_error(b) - deviance);
}

/*
 * What divides the power to give I_x(a, b); lambda = a y - b x must not be
 * negative.  Modified Lentz (Thompson & Barnett 1986).
 */
static double
beta_fraction(double a, double b, double x, double y, double lambda)
{
	double		value = a * ((lambda + 1) / (a + 1));
	double		c = value;
	double		d = 0;
	double		m;

	for (m = 1; m <= MAX_STEPS; m++)
	{
		double		below = a + 2 * m - 1;
		double		product = m * (b - m) * x;
		double		alpha = (a + m - 1) / below * ((a + b + m - 1) * x / below) * product;
		double		beta = m + product / below +
			(a + m) / (a + 2 * m + 1) * (lambda + 1 + m * (1 + y));
		double		change;

		d = beta + alpha * d;
		c = beta + alpha / c;
		if (d == 0)
			d = TINY;
		if (c == 0)
			c = TINY;
		d = 1 / d;
		change = c * d;
		value *= change;
		/* so written that NaN ends it too */
		if (!(fabs(change - 1) > DBL_EPSILON))
			return value;
		if (fmod(m, STEPS_PER_CHECK) == 0)
			AM_CHECK_INTERRUPTS();
	}
	return NAN;
}

/* I_x(a, b) and its complement: that side of the mean where the fraction converges */
static Tails
beta_tails(double a, double b, double x, double y, double lambda, double power)
{
	if (lambda > 0)
		return from_lower(power / beta_fraction(a, b, x, y, lambda));
	return from_upper(power / beta_fraction(b, a, y, x, -lambda));
}

static Tails
betainc_tails(double a, double b, double x)
{
	double		n = a + b;
	double		y = 1 - x;
	double		part,
				rest,
				distance;

	if (!(a > 0 && b > 0 && x >= 0 && x <= 1) || isinf(n))
		return no_tails;
	if (x == 0)
		return all_above;
	if (x == 1)
		return all_below;

	/* n x - a without the rounding of n, of n x, or of 1 - x */
	part = n - a;
	rest = (a - (n - part)) + (b - part);
	distance = fma(n, x, -a) + rest * x;

	return beta_tails(a, b, x, y, -distance,
					  beta_power(a, b, x, y, distance / a, -distance / b));
}

/* Regularised incomplete gamma functions P(a, x) and Q(a, x) */
static Tails
gamma_tails(double a, double x)
{
	double		power;

	if (x == 0)
		return all_above;
	if (isinf(x))
		return all_below;

	power = sqrt(a) / AM_SQRT_2PI *
		exp(-stirling_error(a) - a * excess((x - a) / a, x / a));

	if (x < a)
	{
		double		term = 1;
		double		sum = 1;
		double		m;

		for (m = 1; m <= MAX_STEPS; m++)
		{
			term *= x / (a + m);
			sum += term;
			if (!(term > sum * (DBL_EPSILON / 4)))
				return from_lower(power / a * sum);
			if (fmod(m, STEPS_PER_CHECK) == 0)
				AM_CHECK_INTERRUPTS();
		}
	}
	else
	{
		/* Legendre's fraction, contracted to its even part */
		double		value = x - a + 1;
		double		c = value;
		double		d = 0;
		double		m;

		for (m = 1; m <= MAX_STEPS; m++)
		{
			double		alpha = m * (a - m);
			double		beta = x - a + 1 + 2 * m;
			double		change;

			d = beta + alpha * d;
			c = beta + alpha / c;
			if (d == 0)
				d = TINY;
			if (c == 0)
				c = TINY;
			d = 1 / d;
			change = c * d;
			value *= change;
			if (!(fabs(change - 1) > DBL_EPSILON))
				return from_upper(power / value);
			if (fmod(m, STEPS_PER_CHECK) == 0)
				AM_CHECK_INTERRUPTS();
		}
	}
	return no_tails;
}

/*
 * Normal
 */

double
am_norm_sf(double z)
{
	double		h = z * AM_SQRT1_2_HIGH;
	double		rest;

	if (!(z > 0 && z < 40))
		return 0.5 * erfc(h);

	/* erfc magnifies the rounding of its argument by its square: put it back */
	rest = fma(z, AM_SQRT1_2_HIGH, -h) + z * AM_SQRT1_2_LOW;
	return 0.5 * (erfc(h) - AM_2_SQRTPI * exp(-h * h) * rest);
}

double
am_norm_cdf(double z)
{
	return am_norm_sf(-z);
}

static double
log_norm_sf(double z)
{
	double		w;

	if (z < 30)
		return log(am_norm_sf(z));

	/* below the smallest double: Abramowitz & Stegun 26.2.12 */
	w = 1 / (z * z);
	return -0.5 * z * z - AM_LN_SQRT_2PI - log(z) +
		log1p(-w * (1 - w * (3 - w * (15 - w * (105 - w * 945)))));
}

double
am_norm_quantile(double p)
{
	double		target = p < 0.5 ? p : 1 - p;
	double		sign = p < 0.5 ? -1 : 1;
	double		z;
	int			i;

	if (!(p >= 0 && p <= 1))
		return NAN;
	if (target == 0)
		return sign * INFINITY;

	/* both Newton iterations come from the side where they cannot overshoot */
	if (target > 0.25)
	{
		double		centre = sign * (p - 0.5);

		z = centre * AM_SQRT_2PI;
		for (i = 0; i < 50; i++)
		{
			double		step = (centre - 0.5 * erf(z * AM_SQRT1_2_HIGH)) *
				AM_SQRT_2PI * exp(0.5 * z * z);

			z += step;
			if (fabs(step) <= 1e-9 * z)
				break;
		}
	}
	else
	{
		double		log_target = log(target);

		z = sqrt(-2 * log_target);
		for (i = 0; i < 50; i++)
		{
			double		log_tail = log_norm_sf(z);
			double		hazard = exp(-0.5 * z * z - AM_LN_SQRT_2PI - log_tail);
			double		step = (log_tail - log_target) / hazard;

			z += step;
			if (fabs(step) <= 1e-9 * z)
				break;
		}
	}
	return sign * z;
}

/*
 * Student t, and the correlation coefficient, which is the same thing
 */

/*
 * lower: P(|T| > t), upper: P(|T| < t), where x = df / (df + t^2) and root_y =
 * sqrt(1 - x).  x^a comes from log_x: a df of a million would magnify the
 * rounding of x itself.  power, if asked for, is t times the density.
 */
static Tails
t_tails(double df, double x, double root_y, double log_x, double *power)
{
	double		a = 0.5 * df;
	double		y = root_y * root_y;
	double		u = 0.5 / a;
	double		log_gammas;
	double		value;

	/* ln (Gamma(a + 1/2) / (sqrt(a) Gamma(a))) */
	log_gammas = stirling_error(a + 0.5) - stirling_error(a);
	if (isfinite(u))
		log_gammas -= a * excess(u, 1 + u);
	else
		log_gammas -= 0.5;

	value = root_y * sqrt(a / AM_PI) * exp(log_gammas + a * log_x);
	if (power)
		*power = value;
	return beta_tails(a, 0.5, x, y, a * y - 0.5 * x, value);
}

static Tails
t_tails_at(double t, double df, double *power)
{
	double		root_q = fabs(t) / sqrt(df);
	double		q = t * t / df;
	double		log_x;

	if (!isfinite(q))
		q = root_q * root_q;
	if (q < 1e15)
		log_x = -log1p(q);
	else
		log_x = log(df) - 2 * log(fabs(t));
	return t_tails(df, 1 / (1 + q),
				   q < 1e15 ? root_q / sqrt(1 + q) : 1,
				   log_x, power);
}

double
am_t_two_sided(double t, double df)
{
	if (isnan(t) || !(df > 0))
		return NAN;
	if (t == 0)
		return 1;
	if (isinf(t))
		return 0;
	if (isinf(df))
		return 2 * am_norm_sf(fabs(t));
	return t_tails_at(t, df, NULL).lower;
}

double
am_t_sf(double t, double df)
{
	double		half = 0.5 * am_t_two_sided(t, df);

	return t < 0 ? 1 - half : half;
}

double
am_t_quantile(double p, double df)
{
	double		tail = p < 0.5 ? p : 1 - p;
	double		sign = p < 0.5 ? -1 : 1;
	double		low = 0;
	double		high = INFINITY;
	double		target,
				t;
	bool		central;
	int			i;

	if (!(p >= 0 && p <= 1) || !(df > 0))
		return NAN;
	if (tail == 0)
		return sign * INFINITY;
	if (p == 0.5)
		return 0;
	if (isinf(df))
		return am_norm_quantile(p);

	/* solve for the smaller of P(|T| < t) and P(|T| > t): neither loses digits */
	central = tail > 0.25;
	target = central ? 2 * fabs(p - 0.5) : 2 * tail;

	/* Newton in ln t on ln P: a power of t far out and near 0 */
	t = fabs(am_norm_quantile(p));
	for (i = 0; i < 500; i++)
	{
		double		power,
					here,
					step,
					next;
		Tails		tails = t_tails_at(t, df, &power);

		here = central ? tails.upper : tails.lower;
		if (isnan(here))
			return NAN;
		if (central == (here < target))
			low = t;
		else
			high = t;

		step = log(here / target) * here / (2 * power);
		next = t * exp(central ? -step : step);
		if (next > low && next < high)
		{
			t = next;
			if (fabs(step) < 1e-9)
				break;
		}
		else if (fabs(step) < 4 * DBL_EPSILON)
			break;
		else if (isinf(high) && t > DBL_MAX / 1e4)
			return sign * INFINITY;
		else if (isinf(high))
			t *= 1e4;
		else if (low == 0)
			t *= 1e-4;
		else
		{
			t = sqrt(low) * sqrt(high);
			if (!(t > low && t < high))
				break;
		}
	}
	return sign * t;
}

double
am_correlation_p_rest(double r, double rest, double df)
{
	if (!(r >= -1 && r <= 1 && rest >= 0 && rest <= 1) || !(df > 0) || isinf(df))
		return NAN;
	if (r == 0)
		return 1;
	if (rest == 0)
		return 0;
	return t_tails(df, rest, fabs(r), fabs(r) < 0.7 ? log1p(-r * r) : log(rest), NULL).lower;
}

double
am_correlation_p(double r, double df)
{
	return am_correlation_p_rest(r, (1 - r) * (1 + r), df);
}

/*
 * F, chi-square, beta
 */

static Tails
f_tails(double f, double df1, double df2)
{
	double		a = 0.5 * df1;
	double		b = 0.5 * df2;
	double		ratio = df1 / df2;
	double		u,
				v,
				x,
				y;

	if (isnan(f) || !(df1 > 0 && df2 > 0))
		return no_tails;
	if (f <= 0)
		return all_above;
	if (isinf(f))
		return all_below;
	if (isinf(df1))
	{
		Tails		inverse;

		/* both infinite: a point mass at 1 */
		if (isinf(df2))
			return f < 1 ? all_above : f > 1 ? all_below : no_tails;
		inverse = gamma_tails(b, b / f);
		return (Tails) {inverse.upper, inverse.lower};
	}
	if (isinf(df2))
		return gamma_tails(a, a * f);

	/* every quantity from f - 1, whose rounding is all there is to lose */
	if (f > 1)
	{
		u = (f - 1) / f / (1 / f + ratio);
		x = ratio / (1 / f + ratio);
		y = 1 / f / (1 / f + ratio);
	}
	else
	{
		u = (f - 1) / (1 + ratio * f);
		x = ratio * f / (1 + ratio * f);
		y = 1 / (1 + ratio * f);
	}
	v = -ratio * u;

	return beta_tails(a, b, x, y, -a * u, beta_power(a, b, x, y, u, v));
}

double
am_f_cdf(double f, double df1, double df2)
{
	return f_tails(f, df1, df2).lower;
}

double
am_f_sf(double f, double df1, double df2)
{
	return f_tails(f, df1, df2).upper;
}

double
am_chi2_sf(double x, double df)
{
	if (isnan(x) || !(df > 0) || isinf(df))
		return NAN;
	if (x <= 0)
		return 1;
	return gamma_tails(0.5 * df, 0.5 * x).upper;
}

double
am_betainc(double a, double b, double x)
{
	return betainc_tails(a, b, x).lower;
}

double
am_betainc_complement(double a, double b, double x)
{
	return betainc_tails(a, b, x).upper;
}
