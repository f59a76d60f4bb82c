/*
 * Exact sums of x, y, xx, yy and xy of pairs of doubles, and the correlation
 * that follows from them.  The state is small, and depends neither on the
 * order of the pairs nor on how they were divided.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_MOMENTS_H
#define AM_MOMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A column's values are integers of at most `words` words of 64 bits, times
 * 2^(64 base).  The sums follow one another, two's complement, least word
 * first: x, y, xx, yy, xy.
 */
typedef struct AmMoments
{
	int64_t		n;
	int16_t		x_base;
	int16_t		x_words;
	int16_t		y_base;
	int16_t		y_words;
	uint64_t	sums[];
} AmMoments;

/* where bits of doubles can lie */
#define AM_MOMENTS_LOWEST	(-17)
#define AM_MOMENTS_HIGHEST	15

static inline size_t
am_moments_words(int x_words, int y_words)
{
	return 4 * (size_t) (x_words + y_words) + 5;
}

extern AmMoments *am_moments_create(void);

/* x and y are finite.  False, and nothing is changed, if there is no room: then am_moments_widen first */
extern bool am_moments_add(AmMoments *moments, double x, double y);

/* takes back a pair that was added */
extern void am_moments_subtract(AmMoments *moments, double x, double y);

/* The same sums with room for x and y, or for those of other; frees the old ones if they move */
extern AmMoments *am_moments_widen(AmMoments *moments, double x, double y);
extern AmMoments *am_moments_merge(AmMoments *moments, const AmMoments *other);

/* Can this be a state of so many words? */
extern bool am_moments_valid(const AmMoments *moments, size_t words);

/* r, and rest = 1 - r^2, right to the last digits even where r is near 1; NaN if a column is constant */
extern double am_moments_correlation(const AmMoments *moments, double *rest);

#endif							/* AM_MOMENTS_H */
