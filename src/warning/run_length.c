/*
 * See run_length.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/am_host.h"
#include "stats/distributions.h"
#include "warning/run_length.h"

#define CELLS			80		/* values of S between 0 and h */
#define NEGLIGIBLE		1e-17
#define WIDE			100.0	/* counts with a larger standard deviation are taken as normal */
#define NORMAL_ATOMS	600
#define LARGEST_H		20.0
#define LARGEST_POISSON_H	100.0
#define DESIGN_LEFT		0.7		/* the Poisson CUSUM is made for a drop to this */

/* A change of S and its probability */
typedef struct Atom
{
	double		step;
	double		p;
} Atom;

double
am_cusum_z(double x, double m, double phi)
{
	double		z = 2 * (sqrt(x + 0.375) - sqrt(m + 0.375)) / sqrt(phi);

	return fmax(-AM_CUSUM_CLIP, fmin(AM_CUSUM_CLIP, z));
}

/* Solves a x = b in place by elimination with pivots; false if it cannot */
static bool
solve(double *a, double *b, int n)
{
	for (int i = 0; i < n; i++)
	{
		int			pivot = i;

		for (int r = i + 1; r < n; r++)
			if (fabs(a[r * n + i]) > fabs(a[pivot * n + i]))
				pivot = r;
		if (!(fabs(a[pivot * n + i]) > 0))
			return false;
		for (int c = i; c < n && pivot != i; c++)
		{
			double		swap = a[i * n + c];

			a[i * n + c] = a[pivot * n + c];
			a[pivot * n + c] = swap;
		}
		if (pivot != i)
		{
			double		swap = b[i];

			b[i] = b[pivot];
			b[pivot] = swap;
		}
		for (int r = i + 1; r < n; r++)
		{
			double		f = a[r * n + i] / a[i * n + i];

			if (f == 0)
				continue;
			for (int c = i + 1; c < n; c++)
				a[r * n + c] -= f * a[i * n + c];
			b[r] -= f * b[i];
		}
	}
	for (int i = n - 1; i >= 0; i--)
	{
		for (int c = i + 1; c < n; c++)
			b[i] -= a[i * n + c] * b[c];
		b[i] /= a[i * n + i];
	}
	return true;
}

/* ln of the probability of count x, Poisson or negative binomial with variance phi mean */
static double
log_probability(double x, double mean, double phi)
{
	double		size;

	if (phi <= 1)
		return x * log(mean) - mean - lgamma(x + 1);
	size = mean / (phi - 1);
	return lgamma(x + size) - lgamma(size) - lgamma(x + 1) - size * log(phi) + x * log1p(-1 / phi);
}

/* P(x + 1) / P(x) */
static double
next_ratio(double x, double mean, double phi)
{
	if (phi <= 1)
		return mean / (x + 1);
	return (x + mean / (phi - 1)) / (x + 1) * (1 - 1 / phi);
}

static Atom
count_atom(double x, double p, double mean, double phi)
{
	Atom		atom = {-am_cusum_z(x, mean, phi) - AM_CUSUM_SLACK, p};

	return atom;
}

/* The steps of S for counts of which a share is left; returns their number */
static int
count_atoms(double mean, double phi, double left, Atom *atoms, int most)
{
	double		now = mean * left;
	double		mode = floor(now);
	double		p;
	int			n = 0;

	if (now <= 0)
	{
		atoms[n++] = count_atom(0, 1, mean, phi);
		return n;
	}
	p = exp(log_probability(mode, now, phi));
	for (double x = mode, q = p; n < most && (q > NEGLIGIBLE || x <= mode); x++)
	{
		atoms[n++] = count_atom(x, q, mean, phi);
		q *= next_ratio(x, now, phi);
	}
	for (double x = mode - 1, q = p; x >= 0 && n < most; x--)
	{
		q /= next_ratio(x, now, phi);
		/* of a negative binomial, what is far below the mean need not be rare */
		if (q <= NEGLIGIBLE && x < now - 40 * sqrt(phi * now))
			break;
		atoms[n++] = count_atom(x, q, mean, phi);
	}
	return n;
}

static int
normal_atoms(double mean, double phi, double left, Atom *atoms)
{
	double		shift = 2 * (sqrt(mean * left) - sqrt(mean)) / sqrt(phi);
	double		width = 2 * AM_CUSUM_CLIP / NORMAL_ATOMS;
	int			n = 0;

	for (int i = 0; i <= NORMAL_ATOMS; i++)
	{
		double		z = -AM_CUSUM_CLIP + i * width;
		double		below = i == 0 ? 0 : am_norm_cdf(z - width / 2 - shift);
		double		above = i == NORMAL_ATOMS ? 1 : am_norm_cdf(z + width / 2 - shift);

		atoms[n].step = -z - AM_CUSUM_SLACK;
		atoms[n++].p = above - below;
	}
	return n;
}

double
am_cusum_arl(double mean, double phi, double left, double h)
{
	int			most;
	Atom	   *atoms;
	int			n_atoms;
	int			n = CELLS + 1;
	double	   *a;
	double	   *b;
	double		run_length;

	if (!(mean > 0) || !(phi >= 1) || !(left >= 0) || !(h > 0) || !isfinite(mean) || !isfinite(phi) || !isfinite(left) || !isfinite(h))
		return NAN;
	/* negative binomial tails fall by (1 - 1/phi) a count */
	most = (int) (100 + 40 * WIDE + 40 * fmin(phi, 200));
	atoms = am_host_alloc((most + NORMAL_ATOMS + 2) * sizeof(Atom));
	if (sqrt(phi * mean) > WIDE || phi > 200)
		n_atoms = normal_atoms(mean, phi, left, atoms);
	else
		n_atoms = count_atoms(mean, phi, left, atoms, most);

	/* the run length from each of n values of S; between them it is linear */
	a = am_host_alloc((size_t) n * n * sizeof(double));
	b = am_host_alloc(n * sizeof(double));
	memset(a, 0, (size_t) n * n * sizeof(double));
	for (int i = 0; i < n; i++)
	{
		double		s = h * i / CELLS;

		AM_CHECK_INTERRUPTS();
		b[i] = 1;
		a[i * n + i] += 1;
		for (int k = 0; k < n_atoms; k++)
		{
			double		next = fmax(0, s + atoms[k].step);
			int			cell;
			double		part;

			if (next >= h)
				continue;
			cell = (int) (next / h * CELLS);
			if (cell >= CELLS)
				cell = CELLS - 1;
			part = next / h * CELLS - cell;
			a[i * n + cell] -= (1 - part) * atoms[k].p;
			a[i * n + cell + 1] -= part * atoms[k].p;
		}
	}
	run_length = solve(a, b, n) && b[0] >= 1 ? b[0] : INFINITY;
	am_host_free(atoms);
	am_host_free(a);
	am_host_free(b);
	return run_length;
}

double
am_cusum_arl_estimated(double mean, double phi, double left, double h, double n)
{
	static const double points[] = {-2.856970013872806, -1.355626179974266, 0, 1.355626179974266, 2.856970013872806};
	static const double weights[] = {0.01125741132772069, 0.2220759220056126, 0.5333333333333333, 0.2220759220056126, 0.01125741132772069};
	double		lengths = 0;
	double		rate = 0;

	if (!(n > 0))
		return am_cusum_arl(mean, phi, left, h);
	for (int i = 0; i < 5; i++)
	{
		/* the level that is taken for usual; next to nothing at least */
		double		level = mean * fmax(0.05, 1 + points[i] * sqrt(phi / (mean * n)));
		double		length = am_cusum_arl(level, phi, left * mean / level, h);

		lengths += weights[i] * length;
		rate += weights[i] / length;
	}
	return left == 1 ? 1 / rate : lengths;
}

double
am_cusum_threshold(double mean, double phi, double n, double run_length)
{
	int			low = 0;
	int			high = (int) (LARGEST_H * 10);

	/* in tenths; the run length rises with h */
	while (high - low > 1)
	{
		int			middle = (low + high) / 2;

		if (am_cusum_arl_estimated(mean, phi, 1, middle / 10.0, n) >= run_length)
			high = middle;
		else
			low = middle;
	}
	return high / 10.0;
}

double
am_poisson_cusum_arl(double mean, double k, double h, double head_start, bool upwards)
{
	int			n = (int) (2 * h);
	int			start = (int) (2 * head_start);
	double	   *a;
	double	   *b;
	double		run_length;

	if (!(mean > 0) || !isfinite(mean) || !(k > 0) || !(h >= 0.5 && h <= LARGEST_POISSON_H) || n != 2 * h || 2 * k != floor(2 * k) || !isfinite(k) ||
		!(head_start >= 0 && head_start < h) || start != 2 * head_start)
		return NAN;
	a = am_host_alloc((size_t) n * n * sizeof(double));
	b = am_host_alloc(n * sizeof(double));
	memset(a, 0, (size_t) n * n * sizeof(double));
	for (int i = 0; i < n; i++)
	{
		double		s = i / 2.0;

		/* the counts that leave S between 0 and h, and those that bring it to 0 */
		double		first = ceil(upwards ? k - s : s + k - h + 0.5);
		double		last = upwards ? floor(h - 0.5 - s + k) : floor(s + k);
		double		zero = 1;

		AM_CHECK_INTERRUPTS();
		b[i] = 1;
		a[i * n + i] += 1;
		if (first < 0)
			first = 0;
		for (double x = first; x <= last; x++)
		{
			double		next = upwards ? s + x - k : s + k - x;

			a[i * n + (int) (2 * fmax(0, next))] -= exp(log_probability(x, mean, 1));
		}
		/* upwards the counts below bring it to 0, downwards those above; whole sums, not one less the rest */
		if (upwards)
		{
			zero = 0;
			for (double x = first - 1; x >= 0; x--)
				zero += exp(log_probability(x, mean, 1));
		}
		else
		{
			zero = 0;
			for (double x = fmax(last + 1, 0);; x++)
			{
				double		p = exp(log_probability(x, mean, 1));

				zero += p;
				if (x > mean && p < NEGLIGIBLE)
					break;
			}
		}
		a[i * n] -= zero;
	}
	run_length = solve(a, b, n) && b[start] >= 1 ? b[start] : INFINITY;
	am_host_free(a);
	am_host_free(b);
	return run_length;
}

double
am_poisson_cusum_k(double mean)
{
	double		k = mean * (1 - DESIGN_LEFT) / -log(DESIGN_LEFT);

	return fmax(0.5, floor(2 * k + 0.5) / 2);
}

double
am_poisson_cusum_threshold(double mean, double k, double run_length)
{
	double		h = 0.5;

	while (h < LARGEST_POISSON_H && !(am_poisson_cusum_arl(mean, k, h, 0, false) >= run_length))
		h += 0.5;
	return h;
}
