/*
 * From attempts to one row per step.
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
	int64		reached;		/* attempts; but for totals an entity has one */
	int64		entities;
	int64		taken;			/* chains shown that have this step, reached less those that skipped it */
	int64		still_open;
	int64		timed_out;
	int64		excluded;
	int64		broken;
	int64		passed_over;	/* of those that stopped here: they went on without the next step */
	AmTimeLog	from_previous;	/* of the chain shown: from the step taken before to this one */
	AmTimeLog	from_start;		/* of the chain shown: from its first step to this one */
	AmTimeLog	to_convert;		/* from when the step before was first reached to when this one was */
	AmTimeLog	open_for;		/* of those still open here: from when this step was first reached to the data's end */
	AmTimeLog	lost_after;		/* of those excluded or broken here: from when this step was first reached to then */
} AmFunnelCount;

typedef struct AmFunnelTally
{
	const AmFunnelSpec *spec;
	int64		as_of;
	AmTimePool	pool;
	int64		came_late;		/* entities with later steps, but no attempt */
	int64	   *excluded_by;	/* [step * n_roles + role] */
	AmTimeLog	to_the_end;		/* from when the first step was first reached to when the last was */
	AmTimeLog	open_at_all;	/* of those still open: from when the first step was first reached to the data's end */
	AmTimeLog	lost_at_all;	/* of those excluded or broken: from when the first step was first reached to then */
	AmFunnelCount counts[AM_FUNNEL_MAX_STEPS];
} AmFunnelTally;

/* NaN = not defined */
typedef struct AmFunnelRow
{
	double		step_rate;
	double		step_rate_low;
	double		step_rate_high;
	double		overall_rate;
	double		overall_rate_low;
	double		overall_rate_high;
	double		eventual_rate;
	double		eventual_rate_low;
	double		eventual_rate_high;
	double		median_days;
	double		p90_days;
	double		mean_days;
	double		median_days_from_start;
	double		p90_days_from_start;
	double		mean_days_from_start;
	double		overall_eventual_rate;	/* of the last step */
	double		overall_eventual_rate_low;
	double		overall_eventual_rate_high;
} AmFunnelRow;

/* as_of: the data's end, on the clock of the attempts; budget in bytes */
extern void am_funnel_tally_init(AmFunnelTally *tally, const AmFunnelSpec *spec, int64 as_of, Size budget);
extern void am_funnel_tally_add(AmFunnelTally *tally, const AmFunnelAttempt *attempt);

/* after all attempts of an entity: the furthest level of any, 0 if there was none */
extern void am_funnel_tally_entity(AmFunnelTally *tally, int level, bool came_late);

/* Throws away the times */
extern void am_funnel_tally_end(AmFunnelTally *tally);

/* Rows for all steps; frees the times that the tally holds, the counts stay */
extern void am_funnel_tally_finish(AmFunnelTally *tally, AmFunnelRow *rows);

/*
 * From one process to another, which adds it to its own: share ends the
 * tally.  Room for what is shared: am_funnel_shared_size().
 */
typedef struct AmSharedTally AmSharedTally;
extern Size am_funnel_shared_size(const AmFunnelSpec *spec);
extern void am_funnel_tally_share(AmFunnelTally *tally, struct AmSharing *sharing, AmSharedTally *shared);
extern void am_funnel_tally_adopt(AmFunnelTally *tally, struct AmSharing *sharing, const AmSharedTally *shared);

/* Does ahead of time what can be done before other tallies are there */
extern void am_funnel_tally_prepare(AmFunnelTally *tally);

#endif							/* AM_FUNNEL_TALLY_H */
