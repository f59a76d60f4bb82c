/*
 * The matcher: one of three ways for a funnel, and what all of them are asked
 * beside.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <string.h>

#include "funnel/funnel_engine.h"

/* By far the most funnels: steps and alternatives, perhaps a window */
static bool
is_plain(const AmFunnelSpec *spec)
{
	for (int step = 0; step < spec->n_steps; step++)
		if (spec->steps[step].optional || spec->steps[step].limit != AM_NO_LIMIT)
			return false;
	for (int role = 0; role < spec->n_roles; role++)
		if (spec->roles[role].excludes)
			return false;
	return (spec->options & ~(uint32_t) (AM_FUNNEL_STRICT_ONCE | AM_FUNNEL_COUNT_REOPENED)) == 0;
}

AmFunnelMatch *
am_funnel_match_create(const AmFunnelSpec *spec, int64_t as_of, int64_t entry_since, int64_t entry_until)
{
	AmFunnelMatch *match = am_host_alloc(sizeof(AmFunnelMatch));

	memset(match, 0, sizeof(*match));
	match->spec = spec;
	match->as_of = as_of;
	match->entry_since = entry_since;
	match->entry_until = entry_until;
	if (is_plain(spec))
		match->plain = am_plain_create();
	else if (spec->options & AM_FUNNEL_ANY_ORDER)
		match->any_order = am_any_order_create(spec);
	else
	{
		match->rules = am_rules_create(spec);
		match->finding = am_finding_create(spec);
	}
	return match;
}

void
am_funnel_match_free(AmFunnelMatch *match)
{
	if (match->plain)
		am_host_free(match->plain);
	else if (match->any_order)
		am_any_order_free(match->any_order);
	else
	{
		am_rules_free(match->rules);
		am_host_free(match->finding);
	}
	am_host_free(match);
}

void
am_funnel_match_begin(AmFunnelMatch *match, const AmFunnelEvents *events)
{
	match->events = events;
	match->next = 0;
	match->seen = 0;
	if (match->rules)
		am_rules_begin(match);
	else if (match->any_order)
		am_any_order_begin(match);
}

/* The next time with a step after an attempt that stopped: not one that may follow, but one beyond it? */
static bool
passed_over(const AmFunnelMatch *match, const AmFunnelAttempt *attempt)
{
	const AmFunnelEvents *events = match->events;
	uint64_t	next = am_steps_after(match->spec, attempt->level - 1);
	uint64_t	beyond = ~BITS_UP_TO(HIGHEST(next));
	int64_t		since = attempt->first_reached[attempt->level];
	int64_t		first = 0;
	int64_t		after = match->next;

	if (HIGHEST(next) == match->spec->n_steps - 1 || !(match->seen & beyond))
		return false;
	while (first < after)
	{
		int64_t		middle = first + (after - first) / 2;

		if ((int64_t) (stamp_at(events, middle) >> events->role_bits) <= since)
			first = middle + 1;
		else
			after = middle;
	}
	while (first < match->next)
	{
		uint64_t	stamp = stamp_at(events, first);
		uint64_t	time = stamp >> events->role_bits;
		uint64_t	fills = 0;

		/* of one time, all of them */
		do
		{
			if ((first & 0xffff) == 0)
				AM_CHECK_INTERRUPTS();
			fills |= match->spec->roles[stamp & BITS_UP_TO(events->role_bits - 1)].fills;
			if (++first == match->next)
				break;
			stamp = stamp_at(events, first);
		} while (stamp >> events->role_bits == time);
		if (fills & next)
			return false;
		if (fills & beyond)
			return true;
	}
	return false;
}

bool
am_funnel_match_next(AmFunnelMatch *match, AmFunnelAttempt *attempt)
{
	attempt->passed_over = false;
	attempt->excluded_by = 0;
	if (match->any_order)
		return am_any_order_next(match, attempt);
	if (!(match->plain ? am_plain_next(match, attempt) : am_rules_next(match, attempt)))
		return false;
	if (attempt->stop != AM_STOP_CONVERTED)
		attempt->passed_over = passed_over(match, attempt);
	return true;
}

bool
am_funnel_match_came_late(const AmFunnelMatch *match)
{
	const AmFunnelEvents *events = match->events;

	for (int64_t i = 0; i < events->n; i++)
	{
		if ((i & 0xffff) == 0)
			AM_CHECK_INTERRUPTS();
		if (match->spec->roles[stamp_at(events, i) & BITS_UP_TO(events->role_bits - 1)].fills & ~UINT64_C(1))
			return true;
	}
	return false;
}
