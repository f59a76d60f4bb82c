/*
 * From one match per entity to one row per step.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_FUNNEL_TALLY_H
#define AM_FUNNEL_TALLY_H

#include "events/time_log.h"
#include "funnel/funnel_match.h"

/* What is counted at a step: those that reached it, and why some went no further */
typedef struct AmFunnelCount
{
	int64		reached;
	int64		still_open;
	int64		timed_out;
	AmTimeLog	from_previous;	/* of the chain shown: from the step before to this one */
	AmTimeLog	from_start;		/* of the chain shown: from the first step to this one */
	AmTimeLog	to_convert;		/* from when the step before was first reached to when this one was */
	AmTimeLog	open_for;		/* of those still open here: from when this step was first reached to the data's end */
} AmFunnelCount;

typedef struct AmFunnelTally
{
	int			n_steps;
	AmFunnelCount counts[AM_FUNNEL_MAX_STEPS];
} AmFunnelTally;

/* NaN = not defined */
typedef struct AmFunnelRow
{
	int64		reached;
	int64		still_open;
	int64		timed_out;
	double		step_rate;
	double		step_rate_low;
	double		step_rate_high;
	double		overall_rate;
	double		overall_rate_low;
	double		overall_rate_high;
	double		eventual_rate;
	double		median_days;
	double		p90_days;
	double		median_days_from_start;
} AmFunnelRow;

extern void am_funnel_tally_init(AmFunnelTally *tally, int n_steps, Size budget);
extern void am_funnel_tally_add(AmFunnelTally *tally, const AmFunnelMatch *match, AmFunnelStop stop);

/* Rows for all steps; frees what the tally holds */
extern void am_funnel_tally_finish(AmFunnelTally *tally, AmFunnelRow *rows);

#endif							/* AM_FUNNEL_TALLY_H */
