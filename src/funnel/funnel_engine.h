/*
 * What the ways of matching share: the entity in work, its events group by
 * group of equal times, and the placing of steps on the events of a group.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_FUNNEL_ENGINE_H
#define AM_FUNNEL_ENGINE_H

#include "common/am_host.h"
#include "funnel/funnel_match.h"

#define BIT(s)			(UINT64_C(1) << (s))
/* bits 0 .. s; s may be -1 */
#define BITS_UP_TO(s)	((s) >= 63 ? UINT64_MAX : BIT((s) + 1) - 1)
#define LOWEST(mask)	__builtin_ctzll(mask)
#define HIGHEST(mask)	(63 - __builtin_clzll(mask))
#define COUNT(mask)		__builtin_popcountll(mask)
#define NO_TIME			INT64_MIN

/* The events of one time: so many of each role */
typedef struct Group
{
	int64_t		time;
	int64_t		next;			/* index of the event after them, in the direction read */
	uint64_t	fills;			/* of all of them */
	uint64_t	excludes;
	int			n_events;
	int			n_roles;
	int			roles[AM_FUNNEL_MAX_ROLES]; /* ascending when read forward */
	int			counts[AM_FUNNEL_MAX_ROLES];
} Group;

/* Steps placed on different events of a group (Kuhn's bipartite matching) */
typedef struct Placing
{
	const Group *group;
	uint64_t	placed;			/* steps */
	uint8_t		place_of[AM_FUNNEL_MAX_STEPS];	/* index into the group's roles */
	uint8_t		used[AM_FUNNEL_MAX_ROLES];
} Placing;

typedef struct Plain Plain;
typedef struct Rules Rules;
typedef struct AnyOrder AnyOrder;
typedef struct Finding Finding;

struct AmFunnelMatch
{
	const AmFunnelSpec *spec;
	int64_t		as_of;
	int64_t		entry_since;
	int64_t		entry_until;
	const AmFunnelEvents *events;	/* of the entity in work */
	int64_t		next;			/* index of the first event not yet matched */
	uint64_t	seen;			/* steps that any event matched so far can fill */
	Plain	   *plain;			/* one of plain, rules and any_order */
	Rules	   *rules;
	Finding    *finding;		/* with rules */
	AnyOrder   *any_order;
};

static inline uint64_t
stamp_at(const AmFunnelEvents *events, int64_t i)
{
	return events->stamps ? events->stamps[i] : events->get(events->source, i);
}

static inline bool
in_entry_range(const AmFunnelMatch *match, int64_t time)
{
	return time >= match->entry_since && time < match->entry_until;
}

/* AM_NO_LIMIT if there is no such time */
static inline int64_t
am_time_after(int64_t time, int64_t duration)
{
	return duration > AM_NO_LIMIT - time ? AM_NO_LIMIT : time + duration;
}

/* Reads the group that begins at index i, or with a step of -1 the one that ends there */
extern void am_read_group(const AmFunnelMatch *match, int64_t i, int step, Group *group);

extern void am_placing_start(Placing *placing, const Group *group, const AmFunnelSpec *spec);
extern bool am_place_step(Placing *placing, const AmFunnelSpec *spec, int step);

/* funnel_plain.c */
extern Plain *am_plain_create(void);
extern bool am_plain_next(AmFunnelMatch *match, AmFunnelAttempt *attempt);

/* funnel_rules.c */
extern Rules *am_rules_create(const AmFunnelSpec *spec);
extern void am_rules_begin(AmFunnelMatch *match);
extern bool am_rules_next(AmFunnelMatch *match, AmFunnelAttempt *attempt);
extern void am_rules_free(Rules *rules);

/* funnel_any_order.c */
extern AnyOrder *am_any_order_create(const AmFunnelSpec *spec);
extern void am_any_order_begin(AmFunnelMatch *match);
extern bool am_any_order_next(AmFunnelMatch *match, AmFunnelAttempt *attempt);
extern void am_any_order_free(AnyOrder *any_order);

/* funnel_chain.c */
extern Finding *am_finding_create(const AmFunnelSpec *spec);

/* Finds the chain shown of an attempt whose level is known: its last event is in the group that ends before index `end` */
extern void am_find_chain(const AmFunnelMatch *match, int64_t end, int64_t start_time, int64_t end_time, int level,
						  int first_step, AmFunnelAttempt *attempt);

#endif							/* AM_FUNNEL_ENGINE_H */
