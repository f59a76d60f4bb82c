/*
 * Counts, rates and times of a funnel.
 *
 * Rates carry Wilson (1927) intervals.  Quantiles are of the chains shown and
 * interpolate between order statistics as percentile_cont does.
 *
 * The eventual rate is the Aalen-Johansen (1978) estimate of the share that
 * converts, where being excluded or broken rules that out; without these it is
 * that of Kaplan and Meier (1958).  Its clock starts when any attempt first
 * reached the step before and stops when any first reached this one, or at the
 * data's end for who is still open.  The clock of the chain shown would not
 * do: where starts recur, whoever converts is timed from another start than
 * whoever does not.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "funnel/funnel_tally.h"

#include <math.h>

#include "miscadmin.h"

#include "common/memory.h"
#include "events/event_share.h"
#include "stats/rates.h"
#include "stats/survival.h"

#define DAY		86400000000.0	/* in microseconds */

/* All bags of times, numbered: 3 of the whole, then 5 of each step */
#define N_LOGS(n_steps)		(3 + 5 * (n_steps))

static AmTimeLog *
log_by_number(AmFunnelTally *tally, int number)
{
	AmFunnelCount *count = &tally->counts[(number - 3) / 5];
	AmTimeLog  *of_whole[] = {&tally->to_the_end, &tally->open_at_all, &tally->lost_at_all};
	AmTimeLog  *of_step[] = {&count->from_previous, &count->from_start, &count->to_convert,
	&count->open_for, &count->lost_after};

	return number < 3 ? of_whole[number] : of_step[(number - 3) % 5];
}

void
am_funnel_tally_init(AmFunnelTally *tally, const AmFunnelSpec *spec, int64 as_of, Size budget)
{
	memset(tally, 0, sizeof(*tally));
	tally->spec = spec;
	tally->as_of = as_of;
	tally->pool.left = budget;
	tally->excluded_by = am_palloc_array(int64, (Size) spec->n_steps * spec->n_roles);
	memset(tally->excluded_by, 0, (Size) spec->n_steps * spec->n_roles * sizeof(int64));
	for (int i = 0; i < N_LOGS(spec->n_steps); i++)
		am_time_log_init(log_by_number(tally, i), &tally->pool);
}

/* The times of the steps taken, by row.  In any order the rows are the first step done, the second, and so on. */
static uint64
times_by_row(const AmFunnelTally *tally, const AmFunnelAttempt *attempt, int64 *times)
{
	int			n = 0;

	if (!(tally->spec->options & AM_FUNNEL_ANY_ORDER))
	{
		memcpy(times, attempt->times, attempt->level * sizeof(int64));
		return attempt->taken;
	}
	for (int step = 0; step < tally->spec->n_steps; step++)
		if (attempt->taken & (UINT64_C(1) << step))
		{
			int			place = n++;

			for (; place > 0 && times[place - 1] > attempt->times[step]; place--)
				times[place] = times[place - 1];
			times[place] = attempt->times[step];
		}
	return n == 64 ? PG_UINT64_MAX : (UINT64_C(1) << n) - 1;
}

void
am_funnel_tally_add(AmFunnelTally *tally, const AmFunnelAttempt *attempt)
{
	const int64 *first_reached = attempt->first_reached;
	AmFunnelCount *last = &tally->counts[attempt->level - 1];
	int64		times[AM_FUNNEL_MAX_STEPS];
	uint64		taken = times_by_row(tally, attempt, times);
	int			previous = -1;
	int			first = 0;

	for (int step = 0; step < attempt->level; step++)
	{
		AmFunnelCount *count = &tally->counts[step];

		count->reached++;
		if (step > 0)
			am_time_log_add(&count->to_convert, first_reached[step + 1] - first_reached[step]);
		if (!(taken & (UINT64_C(1) << step)))
			continue;
		count->taken++;
		if (previous < 0)
			first = step;
		else
		{
			am_time_log_add(&count->from_previous, times[step] - times[previous]);
			/* of the second step both times are the same */
			if (step > 1)
				am_time_log_add(&count->from_start, times[step] - times[first]);
		}
		previous = step;
	}
	switch (attempt->stop)
	{
		case AM_STOP_CONVERTED:
			/* with two steps it is the second's */
			if (tally->spec->n_steps > 2)
				am_time_log_add(&tally->to_the_end, first_reached[attempt->level] - first_reached[1]);
			return;
		case AM_STOP_STILL_OPEN:
			last->still_open++;
			am_time_log_add(&last->open_for, tally->as_of - first_reached[attempt->level]);
			am_time_log_add(&tally->open_at_all, tally->as_of - first_reached[1]);
			break;
		case AM_STOP_TIMED_OUT:
			last->timed_out++;
			break;
		case AM_STOP_EXCLUDED:
		case AM_STOP_BROKEN:
			if (attempt->stop == AM_STOP_BROKEN)
				last->broken++;
			else
			{
				last->excluded++;
				tally->excluded_by[(attempt->level - 1) * tally->spec->n_roles + attempt->excluded_by]++;
			}
			am_time_log_add(&last->lost_after, attempt->ended - first_reached[attempt->level]);
			am_time_log_add(&tally->lost_at_all, attempt->ended - first_reached[1]);
			break;
	}
	if (attempt->passed_over)
		last->passed_over++;
}

void
am_funnel_tally_entity(AmFunnelTally *tally, int level, bool came_late)
{
	for (int step = 0; step < level; step++)
		tally->counts[step].entities++;
	tally->came_late += came_late;
}

void
am_funnel_tally_end(AmFunnelTally *tally)
{
	for (int i = 0; i < N_LOGS(tally->spec->n_steps); i++)
		am_time_log_end(log_by_number(tally, i));
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

static inline void
quantile_pass(Quantile *quantile, int64 i, int64 value)
{
	if (i == quantile->below)
		quantile->value += (1 - quantile->weight) * (double) value;
	else if (i == quantile->below + 1 && quantile->weight > 0)
		quantile->value += quantile->weight * (double) value;
}

/* Median, 90th percentile and mean of a bag, in days; it is gone then */
static void
summarise(AmTimeLog *log, double *median_days, double *p90_days, double *mean_days)
{
	Quantile	median;
	Quantile	p90;
	int64		n = log->total;
	int64		time;
	double		sum = 0;

	quantile_init(&median, 0.5, n);
	quantile_init(&p90, 0.9, n);
	am_time_log_start(log);
	for (int64 i = 0; am_time_log_next(log, &time); i++)
	{
		if ((i & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		quantile_pass(&median, i, time);
		quantile_pass(&p90, i, time);
		/* in ascending order: the same sum for any order of rows */
		sum += (double) time;
	}
	am_time_log_end(log);
	*median_days = median.value / DAY;
	*p90_days = p90.value / DAY;
	*mean_days = n > 0 ? sum / (double) n / DAY : NAN;
}

/* A bag read in order, one value ahead */
typedef struct Ahead
{
	AmTimeLog  *log;
	int64		time;
	bool		more;
} Ahead;

static void
ahead_start(Ahead *ahead, AmTimeLog *log)
{
	ahead->log = log;
	am_time_log_start(log);
	ahead->more = am_time_log_next(log, &ahead->time);
}

/* How many values there are up to a time */
static double
ahead_count(Ahead *ahead, int64 time)
{
	int64		n = 0;

	while (ahead->more && ahead->time <= time)
	{
		if ((++n & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		ahead->more = am_time_log_next(ahead->log, &ahead->time);
	}
	return (double) n;
}

/* Of n, who converts when those still open are decided; the bags are gone then */
static void
eventual_rate(int64 n, AmTimeLog *to_convert, AmTimeLog *lost_after, AmTimeLog *open_for,
			  double *rate, double *low, double *high)
{
	AmAalenJohansen aj;
	Ahead		converted;
	Ahead		lost;
	Ahead		open;

	am_aalen_johansen_start(&aj, (double) n);
	ahead_start(&converted, to_convert);
	ahead_start(&lost, lost_after);
	ahead_start(&open, open_for);
	while (converted.more || lost.more || open.more)
	{
		int64		time = PG_INT64_MAX;

		CHECK_FOR_INTERRUPTS();
		if (converted.more)
			time = Min(time, converted.time);
		if (lost.more)
			time = Min(time, lost.time);
		if (open.more)
			time = Min(time, open.time);
		if ((converted.more && converted.time == time) || (lost.more && lost.time == time))
		{
			double		n_converted = ahead_count(&converted, time);

			am_aalen_johansen_step(&aj, n_converted, ahead_count(&lost, time));
		}
		/* at one time whoever leaves is counted first */
		if (open.more && open.time == time)
			am_aalen_johansen_censor(&aj, ahead_count(&open, time));
	}
	am_time_log_end(to_convert);
	am_time_log_end(lost_after);
	am_time_log_end(open_for);
	*rate = am_aalen_johansen_converted(&aj);
	am_aalen_johansen_interval(&aj, AM_Z95, low, high);
}

void
am_funnel_tally_finish(AmFunnelTally *tally, AmFunnelRow *rows)
{
	int			n_steps = tally->spec->n_steps;
	double		entered = (double) tally->counts[0].reached;

	for (int step = 0; step < n_steps; step++)
	{
		AmFunnelCount *count = &tally->counts[step];
		AmFunnelRow *row = &rows[step];
		double		reached = (double) count->reached;

		row->step_rate = row->step_rate_low = row->step_rate_high = NAN;
		row->overall_rate = row->overall_rate_low = row->overall_rate_high = NAN;
		row->eventual_rate = row->eventual_rate_low = row->eventual_rate_high = NAN;
		row->median_days = row->p90_days = row->mean_days = NAN;
		row->median_days_from_start = row->p90_days_from_start = row->mean_days_from_start = NAN;
		row->overall_eventual_rate = row->overall_eventual_rate_low = row->overall_eventual_rate_high = NAN;

		if (step == 0)
		{
			/* by definition, not by estimate: no interval */
			if (entered > 0)
				row->step_rate = row->overall_rate = 1;
			continue;
		}
		if (entered > 0)
		{
			row->overall_rate = reached / entered;
			am_wilson(reached, entered, AM_Z95, &row->overall_rate_low, &row->overall_rate_high);
		}
		if (tally->counts[step - 1].reached > 0)
		{
			double		before = (double) tally->counts[step - 1].reached;

			row->step_rate = reached / before;
			am_wilson(reached, before, AM_Z95, &row->step_rate_low, &row->step_rate_high);
		}
		summarise(&count->from_previous, &row->median_days, &row->p90_days, &row->mean_days);
		if (step > 1)
			summarise(&count->from_start, &row->median_days_from_start, &row->p90_days_from_start,
					  &row->mean_days_from_start);
		else
		{
			row->median_days_from_start = row->median_days;
			row->p90_days_from_start = row->p90_days;
			row->mean_days_from_start = row->mean_days;
		}
		/* nobody is censored: the curve ends at the plain share, whatever the times */
		if (tally->counts[step - 1].still_open == 0)
		{
			row->eventual_rate = row->step_rate;
			row->eventual_rate_low = row->step_rate_low;
			row->eventual_rate_high = row->step_rate_high;
		}
		else
			eventual_rate(tally->counts[step - 1].reached, &count->to_convert, &tally->counts[step - 1].lost_after,
						  &tally->counts[step - 1].open_for,
						  &row->eventual_rate, &row->eventual_rate_low, &row->eventual_rate_high);
		if (step < n_steps - 1)
			continue;
		if (tally->open_at_all.total == 0)
		{
			row->overall_eventual_rate = row->overall_rate;
			row->overall_eventual_rate_low = row->overall_rate_low;
			row->overall_eventual_rate_high = row->overall_rate_high;
		}
		else if (n_steps == 2)
		{
			row->overall_eventual_rate = row->eventual_rate;
			row->overall_eventual_rate_low = row->eventual_rate_low;
			row->overall_eventual_rate_high = row->eventual_rate_high;
		}
		else
			eventual_rate(tally->counts[0].reached, &tally->to_the_end, &tally->lost_at_all, &tally->open_at_all,
						  &row->overall_eventual_rate, &row->overall_eventual_rate_low,
						  &row->overall_eventual_rate_high);
	}
	am_funnel_tally_end(tally);
}

/* The counts of a step, numbered */
#define N_COUNTS	8

static int64 *
count_by_number(AmFunnelCount *count, int number)
{
	int64	   *counts[N_COUNTS] = {&count->reached, &count->entities, &count->taken, &count->still_open,
	&count->timed_out, &count->excluded, &count->broken, &count->passed_over};

	return counts[number];
}

struct AmSharedTally
{
	int			process;
	int64		came_late;
	AmSharedTimes times[N_LOGS(AM_FUNNEL_MAX_STEPS)];
	int64		counts[AM_FUNNEL_MAX_STEPS][N_COUNTS];
	int64		excluded_by[FLEXIBLE_ARRAY_MEMBER];
};

Size
am_funnel_shared_size(const AmFunnelSpec *spec)
{
	return MAXALIGN(offsetof(AmSharedTally, excluded_by) + (Size) spec->n_steps * spec->n_roles * sizeof(int64));
}

void
am_funnel_tally_share(AmFunnelTally *tally, AmSharing *sharing, AmSharedTally *shared)
{
	int			n_steps = tally->spec->n_steps;

	shared->process = sharing->process;
	shared->came_late = tally->came_late;
	for (int step = 0; step < n_steps; step++)
		for (int i = 0; i < N_COUNTS; i++)
			shared->counts[step][i] = *count_by_number(&tally->counts[step], i);
	memcpy(shared->excluded_by, tally->excluded_by, (Size) n_steps * tally->spec->n_roles * sizeof(int64));
	for (int i = 0; i < N_LOGS(n_steps); i++)
		am_time_log_share(log_by_number(tally, i), sharing, i, &shared->times[i]);
}

void
am_funnel_tally_adopt(AmFunnelTally *tally, AmSharing *sharing, const AmSharedTally *shared)
{
	int			n_steps = tally->spec->n_steps;

	tally->came_late += shared->came_late;
	for (int step = 0; step < n_steps; step++)
		for (int i = 0; i < N_COUNTS; i++)
			*count_by_number(&tally->counts[step], i) += shared->counts[step][i];
	for (int i = 0; i < n_steps * tally->spec->n_roles; i++)
		tally->excluded_by[i] += shared->excluded_by[i];
	for (int i = 0; i < N_LOGS(n_steps); i++)
		am_time_log_adopt(log_by_number(tally, i), sharing, shared->process, i, &shared->times[i]);
}

void
am_funnel_tally_prepare(AmFunnelTally *tally)
{
	for (int i = 0; i < N_LOGS(tally->spec->n_steps); i++)
		am_time_log_sort(log_by_number(tally, i));
}
