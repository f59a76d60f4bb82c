/*
 * A double is an integer times a power of two, so sums of doubles and of their
 * products are sums of integers: of a few words of 64 bits for numbers that
 * lie together, of 269 at worst.  Nothing is rounded before the end, where
 * n times the sums of squares and products about the means,
 *
 *		Cxx = n Sxx - Sx Sx		Cxy = n Sxy - Sx Sy		Cyy = n Syy - Sy Sy
 *
 * are integers too.  Hence a constant column, Cxx = 0, and a perfect line,
 * Cxx Cyy = Cxy Cxy, are told from others that are nearly so; offsets cost no
 * digit, and squares neither overflow nor vanish.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>
#include <string.h>

#include "common/am_host.h"
#include "stats/moments.h"

#define WORD_BITS		64
#define MANTISSA_BITS	53
#define COLUMN_WORDS	(AM_MOMENTS_HIGHEST - AM_MOMENTS_LOWEST + 1)
#define LOW_HALF		UINT64_C(0xffffffff)

/* of Cxx, with a word to spare for signs */
#define PRODUCT_WORDS	(2 * COLUMN_WORDS + 3)

/* where the sums lie */
typedef struct Layout
{
	int			length[5];
	int			start[5];
} Layout;

enum
{
	SUM_X,
	SUM_Y,
	SUM_XX,
	SUM_YY,
	SUM_XY
};

static inline Layout
layout(const AmMoments *moments)
{
	int			x = moments->x_words;
	int			y = moments->y_words;

	return (Layout)
	{
		{x + 1, y + 1, 2 * x + 1, 2 * y + 1, x + y + 1},
		{0, x + 1, x + y + 2, 3 * x + y + 3, 3 * x + 3 * y + 4}
	};
}

/* a value as an integer: m 2^at, negated if sign is all ones */
typedef struct Term
{
	uint64_t	m;
	int			at;
	uint64_t	sign;
} Term;

static inline bool
read_term(double value, int base, int words, Term *term)
{
	uint64_t	bits;
	int			exponent;
	int			at;

	memcpy(&bits, &value, sizeof(bits));
	exponent = (int) (bits >> 52) & 0x7ff;
	term->sign = 0 - (bits >> 63);
	term->m = bits & ((UINT64_C(1) << 52) - 1);
	term->at = 0;
	if (exponent != 0)
		term->m |= UINT64_C(1) << 52;
	else if (term->m == 0)
		return true;
	else
		exponent = 1;

	at = exponent - 1075 - WORD_BITS * base;
	if (at + MANTISSA_BITS > WORD_BITS * words)
		return false;
	if (at >= 0)
		term->at = at;
	else if (at <= -MANTISSA_BITS || (term->m & ((UINT64_C(1) << -at) - 1)) != 0)
		return false;
	else
		term->m >>= -at;
	return true;
}

/* sum += (high, low) 2^at, negated if sign is all ones */
static inline void
add_term(uint64_t *sum, int n, int at, uint64_t low, uint64_t high, uint64_t sign)
{
	int			shift = at % WORD_BITS;
	uint64_t	words[3];
	uint64_t	carry = sign & 1;
	int			i = at / WORD_BITS;

	words[0] = low << shift;
	words[1] = high << shift | low >> 1 >> (WORD_BITS - 1 - shift);
	words[2] = high >> 1 >> (WORD_BITS - 1 - shift);
	for (int k = 0; i < n; i++, k++)
	{
		uint64_t	word = (k < 3 ? words[k] : 0) ^ sign;
		uint64_t	partial = sum[i] + word;

		/* from here on it would add nothing */
		if (k >= 3 && carry == (sign & 1))
			return;
		sum[i] = partial + carry;
		carry = (partial < word) | (sum[i] < partial);
	}
}

/* of numbers of 53 bits */
static inline uint64_t
multiply_mantissas(uint64_t a, uint64_t b, uint64_t *high)
{
	uint64_t	low = (a & LOW_HALF) * (b & LOW_HALF);
	uint64_t	cross = (a >> 32) * (b & LOW_HALF) + (a & LOW_HALF) * (b >> 32);
	uint64_t	sum = low + (cross << 32);

	*high = (a >> 32) * (b >> 32) + (cross >> 32) + (sum < low);
	return sum;
}

/* back: all ones to subtract */
static inline void
add_pair(AmMoments *moments, const Term *x, const Term *y, uint64_t back)
{
	Layout		at = layout(moments);
	uint64_t   *sums = moments->sums;
	uint64_t	low;
	uint64_t	high;

	add_term(sums + at.start[SUM_X], at.length[SUM_X], x->at, x->m, 0, x->sign ^ back);
	add_term(sums + at.start[SUM_Y], at.length[SUM_Y], y->at, y->m, 0, y->sign ^ back);
	low = multiply_mantissas(x->m, x->m, &high);
	add_term(sums + at.start[SUM_XX], at.length[SUM_XX], 2 * x->at, low, high, back);
	low = multiply_mantissas(y->m, y->m, &high);
	add_term(sums + at.start[SUM_YY], at.length[SUM_YY], 2 * y->at, low, high, back);
	low = multiply_mantissas(x->m, y->m, &high);
	add_term(sums + at.start[SUM_XY], at.length[SUM_XY], x->at + y->at, low, high, x->sign ^ y->sign ^ back);
}

bool
am_moments_add(AmMoments *moments, double x, double y)
{
	Term		x_term;
	Term		y_term;

	if (!read_term(x, moments->x_base, moments->x_words, &x_term) ||
		!read_term(y, moments->y_base, moments->y_words, &y_term))
		return false;
	add_pair(moments, &x_term, &y_term, 0);
	moments->n++;
	return true;
}

void
am_moments_subtract(AmMoments *moments, double x, double y)
{
	Term		x_term;
	Term		y_term;

	if (!read_term(x, moments->x_base, moments->x_words, &x_term) ||
		!read_term(y, moments->y_base, moments->y_words, &y_term))
		return;
	add_pair(moments, &x_term, &y_term, ~UINT64_C(0));
	moments->n--;
}

/*
 * Room
 */
static AmMoments *
create(int x_base, int x_words, int y_base, int y_words)
{
	size_t		size = am_moments_words(x_words, y_words) * sizeof(uint64_t);
	AmMoments  *moments = am_host_alloc(offsetof(AmMoments, sums) + size);

	moments->n = 0;
	moments->x_base = (int16_t) x_base;
	moments->x_words = (int16_t) x_words;
	moments->y_base = (int16_t) y_base;
	moments->y_words = (int16_t) y_words;
	memset(moments->sums, 0, size);
	return moments;
}

AmMoments *
am_moments_create(void)
{
	return create(0, 0, 0, 0);
}

static int
word_of(int bit)
{
	return (bit + WORD_BITS * COLUMN_WORDS) / WORD_BITS - COLUMN_WORDS;
}

static void
join_ranges(int *base, int *words, int other_base, int other_words)
{
	int			end = *base + *words;

	if (other_words == 0)
		return;
	if (*words == 0)
		end = *base = other_base;
	if (other_base + other_words > end)
		end = other_base + other_words;
	if (other_base < *base)
		*base = other_base;
	*words = end - *base;
}

/* makes the range hold a value; room at the top as read_term wants it */
static void
reach(double value, int *base, int *words)
{
	int			exponent;
	int			lowest;
	int			highest;
	double		rest;

	if (value == 0)
		return;
	rest = fabs(frexp(value, &exponent));
	if (exponent < -1021)
	{
		rest = ldexp(rest, exponent + 1021);
		exponent = -1021;
	}
	highest = exponent - 1;
	for (lowest = highest + 1; rest != 0; lowest--)
	{
		rest *= 2;
		if (rest >= 1)
			rest -= 1;
	}
	join_ranges(base, words, word_of(lowest), word_of(highest) - word_of(lowest) + 1);
}

/* sum += other 2^(64 at), sign extended */
static void
add_sum(uint64_t *sum, int n, int at, const uint64_t *other, int n_other)
{
	uint64_t	sign = 0 - (other[n_other - 1] >> 63);
	uint64_t	carry = 0;

	for (int i = 0; at + i < n; i++)
	{
		uint64_t	word = i < n_other ? other[i] : sign;
		uint64_t	partial = sum[at + i] + word;

		sum[at + i] = partial + carry;
		carry = (partial < word) | (sum[at + i] < partial);
	}
}

/* there is room */
static void
add_sums(AmMoments *moments, const AmMoments *other)
{
	Layout		to = layout(moments);
	Layout		from = layout(other);
	int			x = other->x_words > 0 ? other->x_base - moments->x_base : 0;
	int			y = other->y_words > 0 ? other->y_base - moments->y_base : 0;
	int			shifts[5] = {x, y, 2 * x, 2 * y, x + y};

	for (int i = 0; i < 5; i++)
		add_sum(moments->sums + to.start[i], to.length[i], shifts[i],
				other->sums + from.start[i], from.length[i]);
	moments->n += other->n;
}

static AmMoments *
move(AmMoments *moments, int x_base, int x_words, int y_base, int y_words)
{
	AmMoments  *wider;

	if (x_words == moments->x_words && y_words == moments->y_words)
		return moments;
	wider = create(x_base, x_words, y_base, y_words);
	add_sums(wider, moments);
	am_host_free(moments);
	return wider;
}

AmMoments *
am_moments_widen(AmMoments *moments, double x, double y)
{
	int			x_base = moments->x_base;
	int			x_words = moments->x_words;
	int			y_base = moments->y_base;
	int			y_words = moments->y_words;

	reach(x, &x_base, &x_words);
	reach(y, &y_base, &y_words);
	return move(moments, x_base, x_words, y_base, y_words);
}

AmMoments *
am_moments_merge(AmMoments *moments, const AmMoments *other)
{
	int			x_base = moments->x_base;
	int			x_words = moments->x_words;
	int			y_base = moments->y_base;
	int			y_words = moments->y_words;

	join_ranges(&x_base, &x_words, other->x_base, other->x_words);
	join_ranges(&y_base, &y_words, other->y_base, other->y_words);
	moments = move(moments, x_base, x_words, y_base, y_words);
	add_sums(moments, other);
	return moments;
}

static bool
valid_range(int base, int words)
{
	return words == 0 ? base == 0 :
		words > 0 && base >= AM_MOMENTS_LOWEST && base + words - 1 <= AM_MOMENTS_HIGHEST;
}

bool
am_moments_valid(const AmMoments *moments, size_t words)
{
	Layout		at;

	if (moments->n < 0 || !valid_range(moments->x_base, moments->x_words) ||
		!valid_range(moments->y_base, moments->y_words) ||
		words != am_moments_words(moments->x_words, moments->y_words))
		return false;
	at = layout(moments);
	return !(moments->sums[at.start[SUM_XX] + at.length[SUM_XX] - 1] >> 63) &&
		!(moments->sums[at.start[SUM_YY] + at.length[SUM_YY] - 1] >> 63);
}

/*
 * The end: arithmetic of long integers
 */
typedef struct Number
{
	bool		negative;
	int			n;				/* words, the last of them not 0 */
	uint64_t	words[PRODUCT_WORDS];
} Number;

typedef struct LongNumber
{
	int			n;
	uint64_t	words[2 * PRODUCT_WORDS];
} LongNumber;

static uint64_t
multiply_words(uint64_t a, uint64_t b, uint64_t *high)
{
	uint64_t	low = (a & LOW_HALF) * (b & LOW_HALF);
	uint64_t	one = (a >> 32) * (b & LOW_HALF);
	uint64_t	other = (a & LOW_HALF) * (b >> 32);
	uint64_t	middle = (low >> 32) + (one & LOW_HALF) + (other & LOW_HALF);

	*high = (a >> 32) * (b >> 32) + (one >> 32) + (other >> 32) + (middle >> 32);
	return middle << 32 | (low & LOW_HALF);
}

static int
significant(const uint64_t *words, int n)
{
	while (n > 0 && words[n - 1] == 0)
		n--;
	return n;
}

/* product has na + nb words; returns how many count */
static int
multiply(const uint64_t *a, int na, const uint64_t *b, int nb, uint64_t *product)
{
	memset(product, 0, (size_t) (na + nb) * sizeof(uint64_t));
	for (int i = 0; i < na; i++)
	{
		uint64_t	carry = 0;

		for (int j = 0; j < nb; j++)
		{
			uint64_t	high;
			uint64_t	low = multiply_words(a[i], b[j], &high);

			low += carry;
			high += low < carry;
			product[i + j] += low;
			carry = high + (product[i + j] < low);
		}
		product[i + nb] = carry;
	}
	return significant(product, na + nb);
}

static void
read_number(Number *number, const uint64_t *words, int n)
{
	number->negative = words[n - 1] >> 63;
	memcpy(number->words, words, (size_t) n * sizeof(uint64_t));
	if (number->negative)
	{
		uint64_t	carry = 1;

		for (int i = 0; i < n; i++)
		{
			number->words[i] = ~words[i] + carry;
			carry &= number->words[i] == 0;
		}
	}
	number->n = significant(number->words, n);
}

/* word by word, modulo 2^(64 n) */
static void
accumulate(uint64_t *sum, int n, const uint64_t *term, int n_term, bool negative)
{
	uint64_t	sign = negative ? ~UINT64_C(0) : 0;
	uint64_t	carry = negative;

	for (int i = 0; i < n; i++)
	{
		uint64_t	word = (i < n_term ? term[i] : 0) ^ sign;
		uint64_t	partial = sum[i] + word;

		sum[i] = partial + carry;
		carry = (partial < word) | (sum[i] < partial);
	}
}

/* n times a sum of products, less the product of the sums */
static void
centred(const AmMoments *moments, int a, int b, int ab, Number *result)
{
	Layout		at = layout(moments);
	uint64_t	count = (uint64_t) moments->n;
	uint64_t	product[2 * PRODUCT_WORDS];
	uint64_t	total[PRODUCT_WORDS] = {0};
	int			length = at.length[ab] + 2;
	int			n;
	Number		one;
	Number		other;

	read_number(&one, moments->sums + at.start[ab], at.length[ab]);
	n = multiply(one.words, one.n, &count, 1, product);
	accumulate(total, length, product, n, one.negative);
	read_number(&one, moments->sums + at.start[a], at.length[a]);
	read_number(&other, moments->sums + at.start[b], at.length[b]);
	n = multiply(one.words, one.n, other.words, other.n, product);
	accumulate(total, length, product, n, one.negative == other.negative);
	read_number(result, total, length);
}

/* words is [1/2, 1] times 2^exponent */
static double
leading(const uint64_t *words, int n, int *exponent)
{
	uint64_t	first = words[n - 1];
	int			shift = 0;

	while (!(first >> (WORD_BITS - 1)))
	{
		first <<= 1;
		shift++;
	}
	if (shift > 0 && n > 1)
		first |= words[n - 2] >> (WORD_BITS - shift);
	*exponent = WORD_BITS * n - shift;
	return ldexp((double) first, -WORD_BITS);
}

double
am_moments_correlation(const AmMoments *moments, double *rest)
{
	Number		xx;
	Number		yy;
	Number		xy;
	LongNumber	whole;
	LongNumber	part;
	double		of_whole;
	double		of_part;
	int			whole_exponent;
	int			part_exponent;
	double		r;

	*rest = NAN;
	centred(moments, SUM_X, SUM_X, SUM_XX, &xx);
	centred(moments, SUM_Y, SUM_Y, SUM_YY, &yy);
	if (xx.n == 0 || yy.n == 0)
		return NAN;
	centred(moments, SUM_X, SUM_Y, SUM_XY, &xy);
	*rest = 1;
	if (xy.n == 0)
		return 0;

	whole.n = multiply(xx.words, xx.n, yy.words, yy.n, whole.words);
	part.n = multiply(xy.words, xy.n, xy.words, xy.n, part.words);
	of_whole = leading(whole.words, whole.n, &whole_exponent);
	of_part = leading(xy.words, xy.n, &part_exponent);
	r = ldexp(of_part / sqrt(whole_exponent % 2 ? of_whole * 2 : of_whole),
			  part_exponent - whole_exponent / 2);
	if (r > 1)
		r = 1;

	/* what is left of whole without part (Cauchy and Schwarz: not negative) */
	accumulate(whole.words, whole.n, part.words, part.n, true);
	whole.n = significant(whole.words, whole.n);
	*rest = 0;
	if (whole.n == 0)
		r = 1;
	else
	{
		of_part = leading(whole.words, whole.n, &part_exponent);
		*rest = ldexp(of_part / of_whole, part_exponent - whole_exponent);
	}
	return xy.negative ? -r : r;
}
