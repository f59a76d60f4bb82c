/*
 * A funnel specification: text to steps.
 *
 *   call -> meeting [14 days] -> !lost -> (proposal | quote) -> won within 90 days, strict order
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_FUNNEL_SPEC_H
#define AM_FUNNEL_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AM_FUNNEL_MAX_STEPS		64	/* a step set is a uint64 */
#define AM_FUNNEL_MAX_KINDS		1000
#define AM_FUNNEL_MAX_TEXT		65536
#define AM_FUNNEL_MAX_ROLES		128
#define AM_NO_LIMIT				INT64_MAX

/* What a kind of event means to the funnel; many kinds may share a role. */
typedef struct AmFunnelRole
{
	uint64_t	fills;			/* bit s: it can fill step s (from 0) */
	uint64_t	excludes;		/* bit s: it ends an attempt between steps s and s + 1 */
} AmFunnelRole;

typedef struct AmFunnelKind
{
	const char *name;			/* in the spec's own memory, not terminated */
	int			length;
	int			role;			/* index into roles */
} AmFunnelKind;

typedef struct AmFunnelStep
{
	const char *label;			/* as written, without its limit; terminated */
	bool		optional;
	int64_t		limit;			/* microseconds after the previous matched step */
} AmFunnelStep;

typedef enum AmFunnelOption
{
	AM_FUNNEL_STRICT_ORDER = 1 << 0,
	AM_FUNNEL_STRICT_ONCE = 1 << 1,
	AM_FUNNEL_STRICT_INCREASE = 1 << 2,
	AM_FUNNEL_ANY_ORDER = 1 << 3,
	AM_FUNNEL_FIRST_ENTRY = 1 << 4,
	AM_FUNNEL_TOTALS = 1 << 5,
	AM_FUNNEL_COUNT_SKIPPED = 1 << 6,
	AM_FUNNEL_COUNT_REOPENED = 1 << 7
} AmFunnelOption;

typedef struct AmFunnelSpec
{
	int			n_steps;
	AmFunnelStep steps[AM_FUNNEL_MAX_STEPS];
	int			n_roles;
	AmFunnelRole roles[AM_FUNNEL_MAX_ROLES];
	int			n_kinds;
	AmFunnelKind *kinds;
	int64_t		within;			/* microseconds from the first step, inclusive */
	uint32_t	options;		/* AmFunnelOption bits */
} AmFunnelSpec;

typedef struct AmSpecFault
{
	size_t		offset;			/* byte of the text where the fault is */
	bool		too_large;		/* well formed, but over a limit */
	char		message[160];	/* what was expected there and what was found */
	char		hint[160];		/* the way out; may be empty */
} AmSpecFault;

/* NULL on a fault.  Allocates with am_host_alloc; text need not be terminated. */
extern AmFunnelSpec *am_funnel_spec_parse(const char *text, size_t length, AmSpecFault *fault);

/* The bit of an option by its name; 0 = there is no such option */
extern uint32_t am_funnel_option(const char *name);

/* The steps that may come right after a step, and right before: what lies between is optional.  From 0. */
extern uint64_t am_steps_after(const AmFunnelSpec *spec, int step);
extern uint64_t am_steps_before(const AmFunnelSpec *spec, int step);
extern bool am_may_be_skipped(const AmFunnelSpec *spec, int step);

#endif							/* AM_FUNNEL_SPEC_H */
