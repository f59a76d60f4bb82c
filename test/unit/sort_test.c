/*
 * The radix sort against qsort.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <stdint.h>

#include "tap.h"
#include "common/sort.h"

static uint64_t state = 7;

static uint64_t
next_random(void)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return state ^ (state >> 29);
}

static int
compare(const void *a, const void *b)
{
	uint64_t	left = *(const uint64_t *) a;
	uint64_t	right = *(const uint64_t *) b;

	return left < right ? -1 : left > right;
}

int
main(void)
{
	static uint64_t words[2000];
	static uint64_t twin[2000];
	static uint64_t scratch[2000];
	int			wrong = 0;

	for (int run = 0; run < 5000; run++)
	{
		size_t		n = next_random() % 2000;
		int			bits = (int) (next_random() % 65);

		for (size_t i = 0; i < n; i++)
			words[i] = twin[i] = bits == 0 ? 5 : next_random() >> (64 - bits);
		am_radix_sort(words, scratch, n);
		qsort(twin, n, sizeof(uint64_t), compare);
		if (memcmp(words, twin, n * sizeof(uint64_t)) != 0)
			wrong++;
	}
	ok(wrong == 0, "5,000 arrays of 0 to 1,999 words of 0 to 64 bits (%d wrong)", wrong);
	return done_testing();
}
