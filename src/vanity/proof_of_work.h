/*
 * Could somebody meet a target while delivering nothing?  Rows that meet it
 * against the low rows of the same units: how often does no outcome follow?
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_PROOF_OF_WORK_H
#define AM_PROOF_OF_WORK_H

#include "panel/panel.h"

#define AM_PROOF_LONGEST_LAG	1000

typedef enum AmProofVerdict
{
	AM_PROOF_PASS,
	AM_PROOF_FAIL,
	AM_PROOF_INSUFFICIENT
} AmProofVerdict;

/* A share with its Wilson interval; NaN where n is 0 */
typedef struct AmProofShare
{
	int64_t		n;
	int64_t		k;
	double		share;
	double		low;
	double		high;
} AmProofShare;

/* NaN = not defined */
typedef struct AmProofOfWork
{
	AmProofVerdict verdict;
	AmProofShare met;			/* rows that meet the target, of all */
	AmProofShare empty_high;	/* of those whose window was observed: no outcome in it */
	AmProofShare empty_low;		/* the same of the rows in their unit's own bottom third */
	double		proof;			/* 1 - empty_high / empty_low */
	double		low;			/* its 95 % interval */
	double		high;
	double		own_proof;		/* the same with each unit against itself */
	double		own_low;
	double		own_high;
	double		floor;			/* 10 % quantile of the outcome after a row that meets the target */
	int64_t		longest_run;	/* of a unit's successive rows that meet the target and that nothing follows */
	int64_t		outcomes;		/* rows with a non-zero outcome */
} AmProofOfWork;

/*
 * value: the target; NaN = the unit's own top third.  The window is from
 * lag_from to lag_to periods after a row, 0 <= lag_from <= lag_to <=
 * AM_PROOF_LONGEST_LAG; a row without all periods of it is in no share but met.
 */
extern void am_proof_of_work(const AmPanel *panel, double value, int lag_from, int lag_to, AmProofOfWork *result);

extern const char *am_proof_verdict_name(AmProofVerdict verdict);

#endif							/* AM_PROOF_OF_WORK_H */
