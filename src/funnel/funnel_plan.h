/*
 * A funnel specification made ready for events: parsed, with its kinds in a
 * hash table and the layout of its stamps.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_FUNNEL_PLAN_H
#define AM_FUNNEL_PLAN_H

#include "common/compat.h"

#include "datatype/timestamp.h"

#include "common/arguments.h"
#include "common/name_word.h"
#include "events/stamps.h"
#include "funnel/funnel_match.h"

typedef struct AmKindSlot
{
	uint64		word;			/* am_name_word */
	int			length;			/* -1 = an empty slot */
	int			kind;			/* its index in the specification */
} AmKindSlot;

typedef struct AmFunnelPlan
{
	AmFunnelSpec *spec;
	text	   *text;			/* with a long header */
	int			n_slots;		/* of the table of kinds; a power of two */
	AmKindSlot *slots;
	char	  **excluders;		/* by role: the kinds of one that excludes, else NULL */
	int			role_bits;		/* of a stamp */
	TimestampTz origin;			/* time 0 of its stamps */
	TimestampTz end;			/* the first time that does not fit */
} AmFunnelPlan;

/* Parses in the current memory context; a fault becomes an error that names its place */
extern AmFunnelSpec *am_funnel_parse(const text *spec_text);
extern AmFunnelPlan *am_funnel_plan_create(MemoryContext context, const text *spec_text);

/* Errors for what cannot be: a time, and a value that differs within a group */
extern void am_funnel_check_time(const AmFunnelPlan *plan, TimestampTz at, const char *what);
pg_noreturn extern void am_funnel_refuse_change(const char *what);
pg_noreturn extern void am_funnel_refuse_null_spec(void);

static inline bool
am_same_text(const text *a, const text *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

static inline uint32
am_kind_slot(const AmFunnelPlan *plan, uint64 word, int length)
{
	word = (word + (uint64) length) * UINT64CONST(0x9e3779b97f4a7c15);
	return (uint32) (word >> 32) & (plan->n_slots - 1);
}

/* The index of a kind in the specification, or -1 */
static inline int
am_funnel_plan_kind(const AmFunnelPlan *plan, const char *name, int length)
{
	uint64		word = am_name_word(name, length);
	uint32		slot = am_kind_slot(plan, word, length);

	for (; plan->slots[slot].length >= 0; slot = (slot + 1) & (plan->n_slots - 1))
	{
		const AmKindSlot *found = &plan->slots[slot];

		if (found->word == word && found->length == length &&
			(length <= 8 || memcmp(plan->spec->kinds[found->kind].name, name, length) == 0))
			return found->kind;
	}
	return -1;
}

static inline bool
am_funnel_plan_has_time(const AmFunnelPlan *plan, TimestampTz at)
{
	return at >= plan->origin && at < plan->end;
}

static inline uint64
am_stamp(const AmFunnelPlan *plan, TimestampTz at, int kind)
{
	return ((uint64) (at - plan->origin) << plan->role_bits) | (uint64) plan->spec->kinds[kind].role;
}

/* A bound of the caller's on the clock of the stamps */
static inline int64
am_stamp_bound(const AmFunnelPlan *plan, TimestampTz at)
{
	if (at < plan->origin)
		return 0;
	return at >= plan->end ? PG_INT64_MAX : at - plan->origin;
}

static inline AmFunnelEvents
am_funnel_events(const AmFunnelPlan *plan, const AmStamps *stamps)
{
	AmFunnelEvents events;

	events.n = stamps->n;
	events.stamps = stamps->values;
	events.get = am_stamps_get;
	events.source = stamps->spool;
	events.role_bits = plan->role_bits;
	return events;
}

/* The name of a step as a row shows it */
extern char *am_funnel_step_label(const AmFunnelSpec *spec, int step);

/* The kinds of a role, with | between them */
extern char *am_funnel_role_kinds(const AmFunnelSpec *spec, int role);

#endif							/* AM_FUNNEL_PLAN_H */
