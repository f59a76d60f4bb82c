/*
 * One entity's events, in order of time, against a funnel.
 *
 * What a chain is, which one is shown and why an attempt stopped is written
 * down in docs/funnels.md, "Meaning".
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_FUNNEL_MATCH_H
#define AM_FUNNEL_MATCH_H

#include "funnel/funnel_spec.h"

typedef enum AmFunnelStop
{
	AM_STOP_CONVERTED,
	AM_STOP_STILL_OPEN,			/* it can still reach the next step */
	AM_STOP_TIMED_OUT,
	AM_STOP_EXCLUDED,
	AM_STOP_BROKEN				/* by strict order */
} AmFunnelStop;

/*
 * Events as stamps, time << role_bits | role, ascending.  Those of an entity
 * too large for memory come through `get`.
 */
typedef struct AmFunnelEvents
{
	int64_t		n;
	const uint64_t *stamps;		/* NULL: ask get */
	uint64_t	(*get) (void *source, int64_t i);
	void	   *source;
	int			role_bits;
} AmFunnelEvents;

/* An attempt: of an entity its best, or with the option totals each of its attempts */
typedef struct AmFunnelAttempt
{
	int			level;			/* the furthest step, from 1 */
	AmFunnelStop stop;
	int			excluded_by;	/* the role; of AM_STOP_EXCLUDED */
	int64_t		ended;			/* when; of AM_STOP_EXCLUDED, _BROKEN and _TIMED_OUT */
	bool		passed_over;	/* it stopped, and the next steps to come were all beyond those that may follow */
	uint64_t	taken;			/* bit s: the chain shown has step s (from 0) */
	int64_t		times[AM_FUNNEL_MAX_STEPS]; /* of the steps taken by the chain shown */
	int64_t		first_reached[AM_FUNNEL_MAX_STEPS + 1]; /* by level up to `level`: when any chain first got there or beyond */
} AmFunnelAttempt;

typedef struct AmFunnelMatch AmFunnelMatch;

/*
 * Attempts start in [entry_since, entry_until); as_of is the data's end.
 * Allocates with am_host_alloc.
 */
extern AmFunnelMatch *am_funnel_match_create(const AmFunnelSpec *spec, int64_t as_of,
											 int64_t entry_since, int64_t entry_until);
extern void am_funnel_match_free(AmFunnelMatch *match);

/* per entity: begin, then next until it is false; without totals there is at most one attempt */
extern void am_funnel_match_begin(AmFunnelMatch *match, const AmFunnelEvents *events);
extern bool am_funnel_match_next(AmFunnelMatch *match, AmFunnelAttempt *attempt);

/*
 * The same for events that come in order, a few at a time: those of one time
 * together.  What is known of them takes the room of a few chains.  NULL where
 * the funnel needs its events again at the end.  passed_over is not told.
 */
typedef struct AmFunnelStream AmFunnelStream;
extern AmFunnelStream *am_funnel_stream_create(const AmFunnelMatch *match);
extern void am_funnel_stream_add(AmFunnelMatch *match, AmFunnelStream *stream, const AmFunnelEvents *events);
extern bool am_funnel_stream_finish(AmFunnelMatch *match, AmFunnelStream *stream, AmFunnelAttempt *attempt);

/* Of an entity without an attempt: does it have an event of a step beyond the first? */
extern bool am_funnel_match_came_late(const AmFunnelMatch *match);

#endif							/* AM_FUNNEL_MATCH_H */
