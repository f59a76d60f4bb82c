/*
 * Exact sums: known values, any order, and the rounding of what cannot be
 * seen in doubles.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <float.h>
#include <stdint.h>

#include "tap.h"
#include "stats/exact_sum.h"

static uint64_t state = 42;

static uint64_t
next_random(void)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return state >> 11;
}

static double
sum_of(const double *terms, int n)
{
	AmExactSum	sum;

	am_exact_start(&sum);
	for (int i = 0; i < n; i++)
		am_exact_add(&sum, terms[i]);
	return am_exact_round(&sum);
}

static void
shuffle(double *terms, int n)
{
	for (int i = n - 1; i > 0; i--)
	{
		int			j = (int) (next_random() % (uint64_t) (i + 1));
		double		swap = terms[i];

		terms[i] = terms[j];
		terms[j] = swap;
	}
}

/* integers scaled by a power of two: the sum in 128 bits, rounded by hand */
static double
integer_sum(const int64_t *terms, int n, int exponent)
{
	__int128	sum = 0;
	long double high;
	bool		negative;
	int			shift = 0;
	unsigned __int128 rest;
	unsigned __int128 size;

	for (int i = 0; i < n; i++)
		sum += terms[i];
	negative = sum < 0;
	size = negative ? -(unsigned __int128) sum : (unsigned __int128) sum;
	while ((size >> shift) >= ((unsigned __int128) 1 << 53))
		shift++;
	rest = size - ((size >> shift) << shift);
	size >>= shift;
	if (shift > 0 && (rest > ((unsigned __int128) 1 << (shift - 1)) ||
					  (rest == ((unsigned __int128) 1 << (shift - 1)) && (size & 1))))
		size++;
	high = (long double) (uint64_t) size;
	return ldexp(negative ? (double) -high : (double) high, shift + exponent);
}

int
main(void)
{
	double		terms[400];
	AmExactSum	sum;
	int			wrong = 0;
	int			unstable = 0;
	int			most_parts = 0;

	ok(sum_of(NULL, 0) == 0, "no terms: 0");
	ok(sum_of((double[]) {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}, 10) == 1.0, "ten tenths are one");
	ok(sum_of((double[]) {1e100, 1, -1e100}, 3) == 1, "a large term that goes away again");
	ok(sum_of((double[]) {1, 0x1p-53, 0x1p-105}, 3) == 1 + DBL_EPSILON, "a tie leans to what lies below it");
	ok(sum_of((double[]) {1, 0x1p-53}, 2) == 1, "a true tie goes to even");
	ok(sum_of((double[]) {1, 0x1p-53, -0x1p-105}, 3) == 1, "a tie leans down as well");
	ok(sum_of((double[]) {-1, -0x1p-53, -0x1p-105}, 3) == -1 - DBL_EPSILON, "and for negative sums");
	ok(sum_of((double[]) {DBL_MIN, -DBL_MIN / 2, 4e-324}, 3) == DBL_MIN / 2 + 4e-324, "denormal numbers");
	ok(isnan(sum_of((double[]) {DBL_MAX, DBL_MAX, -DBL_MAX}, 3)), "an overflow on the way is said, not hidden");
	ok(isnan(sum_of((double[]) {1, NAN, 1}, 3)) && isnan(sum_of((double[]) {INFINITY, 1}, 2)), "so are NaN and infinity");

	for (int run = 0; run < 20000; run++)
	{
		int64_t		integers[40];
		int			n = 1 + (int) (next_random() % 40);
		int			exponent = (int) (next_random() % 200) - 100;

		for (int i = 0; i < n; i++)
		{
			integers[i] = (int64_t) (next_random() & ((UINT64_C(1) << 53) - 1)) >> (next_random() % 53);
			if (next_random() & 1)
				integers[i] = -integers[i];
			terms[i] = ldexp((double) integers[i], exponent);
		}
		if (sum_of(terms, n) != integer_sum(integers, n, exponent))
			wrong++;
	}
	ok(wrong == 0, "20,000 sums agree with 128-bit integers (%d do not)", wrong);

	for (int run = 0; run < 2000; run++)
	{
		int			n = 2 + (int) (next_random() % 398);
		double		first;

		for (int i = 0; i < n; i++)
			terms[i] = ldexp((double) (int64_t) (next_random() - (UINT64_C(1) << 52)), (int) (next_random() % 1800) - 1000);
		first = sum_of(terms, n);
		am_exact_start(&sum);
		for (int i = 0; i < n; i++)
		{
			am_exact_add(&sum, terms[i]);
			if (sum.n > most_parts)
				most_parts = sum.n;
		}
		for (int again = 0; again < 3; again++)
		{
			shuffle(terms, n);
			if (sum_of(terms, n) != first)
				unstable++;
		}
	}
	ok(unstable == 0, "6,000 shuffles of terms of all sizes give the same bits (%d do not)", unstable);
	ok(most_parts <= AM_EXACT_PARTS, "never more parts than there is room for (%d of %d)", most_parts, AM_EXACT_PARTS);
	return done_testing();
}
