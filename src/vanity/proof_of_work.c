/*
 * Could somebody meet a target while delivering nothing?
 * docs/targets.md says what each figure is.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "vanity/proof_of_work.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/am_host.h"
#include "stats/rates.h"
#include "vanity/vanity_fit.h"

/* Fewer rows on a side, or fewer rows with an outcome, decide nothing */
#define FEWEST_ROWS		20
#define FEWEST_OUTCOMES	5

/* An interval that reaches from no proof to this much leaves the question open */
#define CLEAR_PROOF		0.5

const char *
am_proof_verdict_name(AmProofVerdict verdict)
{
	switch (verdict)
	{
		case AM_PROOF_PASS:
			return "pass";
		case AM_PROOF_FAIL:
			return "fail";
		case AM_PROOF_INSUFFICIENT:
			break;
	}
	return "insufficient";
}

static void
finish_share(AmProofShare *share)
{
	share->share = share->n > 0 ? (double) share->k / (double) share->n : NAN;
	am_wilson((double) share->k, (double) share->n, AM_Z95, &share->low, &share->high);
}

/*
 * 1 - ratio of two shares.  The interval is that of the ln ratio (Katz and
 * others 1978); where a share is 0 it has no variance, and half a row is
 * added to each count (Walter 1975).
 */
static void
measure_proof(AmProofOfWork *result)
{
	double		k1 = (double) result->empty_high.k;
	double		n1 = (double) result->empty_high.n;
	double		k0 = (double) result->empty_low.k;
	double		n0 = (double) result->empty_low.n;
	double		ln_ratio;
	double		se;

	result->proof = result->low = result->high = NAN;
	if (n1 == 0 || n0 == 0 || (k1 == 0 && k0 == 0))
		return;
	if (k0 > 0)
		result->proof = 1 - (k1 / n1) / (k0 / n0);
	if (k1 == 0 || k0 == 0)
	{
		k1 += 0.5;
		n1 += 0.5;
		k0 += 0.5;
		n0 += 0.5;
	}
	ln_ratio = log(k1 / n1) - log(k0 / n0);
	se = sqrt((n1 - k1) / (n1 * k1) + (n0 - k0) / (n0 * k0));
	result->low = 1 - exp(ln_ratio + AM_Z95 * se);
	result->high = 1 - exp(ln_ratio - AM_Z95 * se);
}

/* Sums over units of the ratio of Mantel and Haenszel */
typedef struct OwnSums
{
	double		high;			/* k1 n0 / n */
	double		low;			/* k0 n1 / n */
	double		variance;		/* ((k1 + k0) n1 n0 - k1 k0 n) / n^2 */
} OwnSums;

static void
add_unit(OwnSums *sums, double k1, double n1, double k0, double n0)
{
	double		n = n1 + n0;

	if (n1 == 0 || n0 == 0)
		return;
	sums->high += k1 * n0 / n;
	sums->low += k0 * n1 / n;
	sums->variance += ((k1 + k0) * n1 * n0 - k1 * k0 * n) / (n * n);
}

/*
 * Large units meet a value more often, and outcomes come to them anyway:
 * so the ratio within units (Mantel and Haenszel 1959), its interval by
 * Greenland and Robins (1985).
 */
static void
measure_own_proof(const OwnSums *sums, AmProofOfWork *result)
{
	double		ratio;
	double		se;

	result->own_proof = result->own_low = result->own_high = NAN;
	if (!(sums->low > 0))
		return;
	ratio = sums->high / sums->low;
	result->own_proof = 1 - ratio;
	if (!(sums->high > 0))
		return;
	se = sqrt(sums->variance / (sums->high * sums->low));
	result->own_low = 1 - ratio * exp(AM_Z95 * se);
	result->own_high = 1 - ratio * exp(-AM_Z95 * se);
}

static AmProofVerdict
decide(const AmProofOfWork *result)
{
	/* an own proof of 1 has no interval */
	double		own_low = result->own_proof == 1 ? result->low : result->own_low;
	double		own_high = result->own_proof == 1 ? result->high : result->own_high;

	if (result->empty_high.n < FEWEST_ROWS || result->empty_low.n < FEWEST_ROWS ||
		result->outcomes < FEWEST_OUTCOMES || isnan(result->low))
		return AM_PROOF_INSUFFICIENT;
	if (result->low > 0 && own_low > 0)
		return AM_PROOF_PASS;
	return result->high < CLEAR_PROOF || own_high < CLEAR_PROOF ? AM_PROOF_FAIL : AM_PROOF_INSUFFICIENT;
}

/* The outcome in the window after row i of the unit whose rows end before `end`; false if not all of it is there */
static bool
outcome_after(const AmPanel *panel, size_t i, size_t end, int lag_from, int lag_to, size_t *first, double *sum, bool *found)
{
	size_t		j = *first > i ? *first : i;
	int			seen = 0;

	*sum = 0;
	*found = false;
	/* as numbers without a sign: periods may be further apart than a signed one holds */
	while (j < end && (uint64_t) panel->period[j] - (uint64_t) panel->period[i] < (uint64_t) lag_from)
		j++;
	*first = j;
	for (; j < end && (uint64_t) panel->period[j] - (uint64_t) panel->period[i] <= (uint64_t) lag_to; j++)
	{
		seen++;
		*sum += panel->y[j];
		*found |= panel->y[j] > 0;
	}
	return seen == lag_to - lag_from + 1;
}

void
am_proof_of_work(const AmPanel *panel, double value, int lag_from, int lag_to, AmProofOfWork *result)
{
	double	   *own = am_host_alloc((panel->n + 1) * sizeof(double));
	double	   *after = am_host_alloc((panel->n + 1) * sizeof(double));
	size_t		start = 0;
	OwnSums		own_sums = {0};

	memset(result, 0, sizeof(*result));
	while (start < panel->n)
	{
		size_t		end = start;
		size_t		first = start;
		int64_t		run = 0;
		AmProofShare high = result->empty_high;
		AmProofShare low = result->empty_low;
		double		top = value;
		double		bottom;

		for (; end < panel->n && panel->unit[end] == panel->unit[start]; end++)
			own[end] = panel->x[end];
		if (isnan(value))
			top = am_vf_quantile(own + start, end - start, 2.0 / 3.0);
		bottom = am_vf_quantile(own + start, end - start, 1.0 / 3.0);
		for (size_t i = start; i < end; i++)
		{
			/* nothing done is no hit, though a third of the rows may be zero */
			bool		hit = panel->x[i] >= top && panel->x[i] > 0;
			double		sum;
			bool		found;

			if (i % 1024 == 0)
				AM_CHECK_INTERRUPTS();
			result->met.n++;
			result->met.k += hit;
			result->outcomes += panel->y[i] > 0;
			if (!outcome_after(panel, i, end, lag_from, lag_to, &first, &sum, &found))
				continue;
			if (panel->x[i] <= bottom)
			{
				result->empty_low.n++;
				result->empty_low.k += !found;
			}
			if (!hit)
				continue;
			after[result->empty_high.n++] = sum;
			result->empty_high.k += !found;
			run = found ? 0 : run + 1;
			if (run > result->longest_run)
				result->longest_run = run;
		}
		add_unit(&own_sums, (double) (result->empty_high.k - high.k), (double) (result->empty_high.n - high.n),
				 (double) (result->empty_low.k - low.k), (double) (result->empty_low.n - low.n));
		start = end;
	}
	finish_share(&result->met);
	finish_share(&result->empty_high);
	finish_share(&result->empty_low);
	measure_proof(result);
	measure_own_proof(&own_sums, result);
	result->floor = result->empty_high.n > 0 ? am_vf_quantile(after, (size_t) result->empty_high.n, 0.1) : NAN;
	result->verdict = decide(result);
	am_host_free(after);
	am_host_free(own);
}
