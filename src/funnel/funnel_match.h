/*
 * One entity's events, in order of time, against a funnel.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_FUNNEL_MATCH_H
#define AM_FUNNEL_MATCH_H

#include "funnel/funnel_spec.h"

typedef enum AmFunnelStop
{
	AM_STOP_NOT_ENTERED,
	AM_STOP_CONVERTED,
	AM_STOP_STILL_OPEN,			/* an attempt can still reach the next step */
	AM_STOP_TIMED_OUT
} AmFunnelStop;

/* times[s] is the time of step s; a chain of level n has n steps */
typedef struct AmFunnelChain
{
	bool		valid;
	int64_t		times[AM_FUNNEL_MAX_STEPS];
} AmFunnelChain;

typedef struct AmFunnelMatch
{
	/* fixed for a funnel */
	const AmFunnelSpec *spec;
	int64_t		as_of;			/* the data's end */
	int64_t		entry_until;	/* attempts start before this */

	/* of the entity in work */
	AmFunnelChain latest[AM_FUNNEL_MAX_STEPS + 1];	/* by level: the latest start that got there */
	AmFunnelChain furthest;		/* the chain shown */
	int			level;			/* its level, 0 = none */
	int64_t		first_reached[AM_FUNNEL_MAX_STEPS + 1]; /* by level, up to `level`: when any attempt first got there */
	int64_t		tie_time;		/* events held back because others may have the same time */
	int			tie_events;
	int			tie_role;		/* while there is one */
	int			tie_counts[AM_FUNNEL_MAX_ROLES];	/* from two on; else zeros */
} AmFunnelMatch;

extern void am_funnel_match_init(AmFunnelMatch *match, const AmFunnelSpec *spec,
								 int64_t as_of, int64_t entry_until);

/* per entity: begin, add in order of time (roles of equal times in any order), finish */
extern void am_funnel_match_begin(AmFunnelMatch *match);
extern void am_funnel_match_add(AmFunnelMatch *match, int64_t time, int role);
extern AmFunnelStop am_funnel_match_finish(AmFunnelMatch *match);

#endif							/* AM_FUNNEL_MATCH_H */
