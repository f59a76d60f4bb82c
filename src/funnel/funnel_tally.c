/*
 * Counts, rates and times of a funnel.
 *
 * Rates carry Wilson (1927) intervals.  Quantiles are of the chains shown and
 * interpolate between order statistics as percentile_cont does.
 *
 * The eventual rate is 1 minus the Kaplan-Meier (1958) estimate.  Its clock
 * starts when any attempt first reached the step before and stops when any
 * first reached this one, or at the data's end for who is still open.  The
 * clock of the chain shown would not do: where starts recur, whoever converts
 * is timed from another start than whoever does not.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "funnel/funnel_tally.h"

#include <math.h>

#include "miscadmin.h"

#include "stats/rates.h"

#define DAY		86400000000.0	/* in microseconds */

void
am_funnel_tally_init(AmFunnelTally *tally, int n_steps, Size budget)
{
	memset(tally, 0, sizeof(*tally));
	tally->n_steps = n_steps;
	for (int step = 0; step < n_steps; step++)
	{
		AmFunnelCount *count = &tally->counts[step];
		Size		share = budget / (4 * n_steps);

		am_time_log_init(&count->from_previous, share);
		am_time_log_init(&count->from_start, share);
		am_time_log_init(&count->to_convert, share);
		am_time_log_init(&count->open_for, share);
	}
}

void
am_funnel_tally_add(AmFunnelTally *tally, const AmFunnelMatch *match, AmFunnelStop stop)
{
	const int64 *times = match->furthest.times;
	const int64 *first_reached = match->first_reached;
	AmFunnelCount *last = &tally->counts[match->level - 1];

	for (int step = 0; step < match->level; step++)
	{
		AmFunnelCount *count = &tally->counts[step];

		count->reached++;
		if (step > 0)
		{
			am_time_log_add(&count->from_previous, times[step] - times[step - 1]);
			am_time_log_add(&count->to_convert, first_reached[step + 1] - first_reached[step]);
		}
		/* for the second step both times are the same */
		if (step > 1)
			am_time_log_add(&count->from_start, times[step] - times[0]);
	}
	if (stop == AM_STOP_STILL_OPEN)
	{
		last->still_open++;
		am_time_log_add(&last->open_for, match->as_of - first_reached[match->level]);
	}
	else if (stop == AM_STOP_TIMED_OUT)
		last->timed_out++;
}

/* The order statistics around a quantile of n values, picked up as they pass */
typedef struct Quantile
{
	int64		below;			/* index of the lower neighbour */
	double		weight;			/* of the upper one */
	double		value;
} Quantile;

static void
quantile_init(Quantile *quantile, double share, int64 n)
{
	double		place = share * (double) (n - 1);

	quantile->below = (int64) floor(place);
	quantile->weight = place - floor(place);
	quantile->value = n > 0 ? 0 : NAN;
}

static void
quantile_pass(Quantile *quantile, int64 i, int64 value)
{
	if (i == quantile->below)
		quantile->value += (1 - quantile->weight) * (double) value;
	else if (i == quantile->below + 1 && quantile->weight > 0)
		quantile->value += quantile->weight * (double) value;
}

/* Both quantiles of the times of a step */
static void
read_times(AmFunnelCount *count, AmFunnelRow *row)
{
	AmTimeLog  *log = &count->from_previous;
	Quantile	median;
	Quantile	p90;
	int64		time;

	quantile_init(&median, 0.5, log->total);
	quantile_init(&p90, 0.9, log->total);
	am_time_log_start(log);
	for (int64 i = 0; am_time_log_next(log, &time); i++)
	{
		if ((i & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		quantile_pass(&median, i, time);
		quantile_pass(&p90, i, time);
	}
	am_time_log_end(log);
	row->median_days = median.value / DAY;
	row->p90_days = p90.value / DAY;
}

static double
eventual_rate(AmFunnelCount *previous, AmFunnelCount *count)
{
	AmTimeLog  *converted = &count->to_convert;
	AmTimeLog  *censored = &previous->open_for;
	AmKaplanMeier km;
	int64		time;
	int64		open_for = 0;
	bool		more_open;

	if (previous->reached == 0)
		return NAN;
	/* nobody is censored: the curve ends at the plain share, whatever the times */
	if (previous->still_open == 0)
	{
		am_time_log_end(converted);
		return (double) count->reached / (double) previous->reached;
	}

	am_kaplan_meier_start(&km, (double) previous->reached);
	am_time_log_start(converted);
	am_time_log_start(censored);
	more_open = am_time_log_next(censored, &open_for);
	for (int64 i = 0; am_time_log_next(converted, &time); i++)
	{
		if ((i & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		/* at one time conversions come first */
		while (more_open && open_for < time)
		{
			am_kaplan_meier_censor(&km);
			more_open = am_time_log_next(censored, &open_for);
		}
		am_kaplan_meier_convert(&km);
	}
	am_time_log_end(converted);
	am_time_log_end(censored);
	return am_kaplan_meier_converted(&km);
}

static double
median_of(AmTimeLog *log)
{
	Quantile	median;
	int64		time;

	quantile_init(&median, 0.5, log->total);
	am_time_log_start(log);
	for (int64 i = 0; i <= median.below + 1 && am_time_log_next(log, &time); i++)
		quantile_pass(&median, i, time);
	am_time_log_end(log);
	return median.value / DAY;
}

void
am_funnel_tally_finish(AmFunnelTally *tally, AmFunnelRow *rows)
{
	int64		entered = tally->counts[0].reached;

	for (int step = 0; step < tally->n_steps; step++)
	{
		AmFunnelCount *count = &tally->counts[step];
		AmFunnelRow *row = &rows[step];

		row->reached = count->reached;
		row->still_open = count->still_open;
		row->timed_out = count->timed_out;
		row->step_rate = row->step_rate_low = row->step_rate_high = NAN;
		row->overall_rate = row->overall_rate_low = row->overall_rate_high = NAN;
		row->eventual_rate = row->median_days = row->p90_days = row->median_days_from_start = NAN;

		if (step == 0)
		{
			/* by definition, not by estimate: no interval */
			if (entered > 0)
				row->step_rate = row->overall_rate = 1;
			continue;
		}
		if (entered > 0)
		{
			row->overall_rate = (double) count->reached / (double) entered;
			am_wilson((double) count->reached, (double) entered, AM_Z95,
					  &row->overall_rate_low, &row->overall_rate_high);
		}
		if (tally->counts[step - 1].reached > 0)
		{
			double		before = (double) tally->counts[step - 1].reached;

			row->step_rate = (double) count->reached / before;
			am_wilson((double) count->reached, before, AM_Z95, &row->step_rate_low, &row->step_rate_high);
		}
		read_times(count, row);
		row->eventual_rate = eventual_rate(&tally->counts[step - 1], count);
		if (step == 1)
			row->median_days_from_start = row->median_days;
		else
			row->median_days_from_start = median_of(&count->from_start);
	}
	am_time_log_end(&tally->counts[tally->n_steps - 1].open_for);
}
