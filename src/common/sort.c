/*
 * Radix sort, least significant byte first; bytes that are equal in all words
 * are skipped.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <stdbool.h>
#include <string.h>

#include "common/am_host.h"
#include "common/sort.h"

void
am_radix_sort(uint64_t *words, uint64_t *scratch, size_t n)
{
	size_t		counts[8][256];
	uint64_t   *from = words;
	uint64_t   *to = scratch;

	if (n < 2)
		return;
	memset(counts, 0, sizeof(counts));
	for (size_t i = 0; i < n; i++)
		for (int byte = 0; byte < 8; byte++)
			counts[byte][(words[i] >> (8 * byte)) & 0xff]++;

	for (int byte = 0; byte < 8; byte++)
	{
		size_t	   *count = counts[byte];
		size_t		place = 0;
		uint64_t   *swap = from;

		if (count[(words[0] >> (8 * byte)) & 0xff] == n)
			continue;
		AM_CHECK_INTERRUPTS();
		for (int digit = 0; digit < 256; digit++)
		{
			size_t		here = count[digit];

			count[digit] = place;
			place += here;
		}
		for (size_t i = 0; i < n; i++)
			to[count[(from[i] >> (8 * byte)) & 0xff]++] = from[i];
		from = to;
		to = swap;
	}
	if (from != words)
		memcpy(words, from, n * sizeof(uint64_t));
}
