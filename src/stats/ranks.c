/*
 * Sorting is by merging from one array into another and back, which is stable
 * and knows how many exchanges it saves: an item taken from the right half
 * passes all that is left of the left one.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <string.h>

#include "common/am_host.h"
#include "stats/ranks.h"

#define SMALL			8		/* sorted by insertion */
#define ITEMS_PER_CHECK 8192

static uint64_t
sort_small(AmPair *pairs, size_t n, bool then_y)
{
	uint64_t	exchanges = 0;

	for (size_t i = 1; i < n; i++)
	{
		AmPair		pair = pairs[i];
		size_t		place = i;

		for (; place > 0 && am_pair_before(&pair, &pairs[place - 1], then_y); place--)
			pairs[place] = pairs[place - 1];
		pairs[place] = pair;
		exchanges += i - place;
	}
	return exchanges;
}

/* both hold the same items; they end up in order in `to`, `from` is scratch */
static uint64_t
sort_into(AmPair *to, AmPair *from, size_t n, bool then_y)
{
	size_t		half = n / 2;
	AmPair	   *left = from;
	AmPair	   *right = from + half;
	const AmPair *middle = right;
	const AmPair *end = from + n;
	uint64_t	exchanges;

	if (n <= SMALL)
		return sort_small(to, n, then_y);
	if (n > ITEMS_PER_CHECK)
		AM_CHECK_INTERRUPTS();
	exchanges = sort_into(from, to, half, then_y);
	exchanges += sort_into(from + half, to + half, n - half, then_y);

	if (!am_pair_before(right, right - 1, then_y))
	{
		memcpy(to, from, n * sizeof(AmPair));
		return exchanges;
	}
	/* which half is next cannot be foreseen: no branch on it */
	while (left < middle && right < end)
	{
		bool		from_right = am_pair_before(right, left, then_y);

		*to++ = *(from_right ? right : left);
		exchanges += from_right ? (uint64_t) (middle - left) : 0;
		right += from_right;
		left += !from_right;
	}
	memcpy(to, left, (size_t) (middle - left) * sizeof(AmPair));
	memcpy(to + (middle - left), right, (size_t) (end - right) * sizeof(AmPair));
	return exchanges;
}

uint64_t
am_sort_pairs(AmPair *pairs, AmPair *scratch, size_t n, bool then_y)
{
	if (n > SMALL)
		memcpy(scratch, pairs, n * sizeof(AmPair));
	return sort_into(pairs, scratch, n, then_y);
}

void
am_rank_and_turn(AmPair *pairs, size_t n)
{
	for (size_t first = 0; first < n;)
	{
		double		x = pairs[first].x;
		size_t		end = first + 1;
		double		rank;

		while (end < n && pairs[end].x == x)
			end++;
		rank = am_mid_rank(first, end - first, n);
		for (; first < end; first++)
		{
			pairs[first].x = pairs[first].y;
			pairs[first].y = rank;
		}
		if (first % ITEMS_PER_CHECK == 0)
			AM_CHECK_INTERRUPTS();
	}
}

AmMoments *
am_moments_put(AmMoments *moments, double x, double y)
{
	if (am_moments_add(moments, x, y))
		return moments;
	moments = am_moments_widen(moments, x, y);
	am_moments_add(moments, x, y);
	return moments;
}

AmMoments *
am_rank_moments(AmPair *pairs, AmPair *scratch, size_t n)
{
	AmMoments  *moments = am_moments_create();

	for (int column = 0; column < 2; column++)
	{
		am_sort_pairs(pairs, scratch, n, false);
		am_rank_and_turn(pairs, n);
	}
	for (size_t i = 0; i < n; i++)
	{
		moments = am_moments_put(moments, pairs[i].x, pairs[i].y);
		if (i % ITEMS_PER_CHECK == 0)
			AM_CHECK_INTERRUPTS();
	}
	return moments;
}
