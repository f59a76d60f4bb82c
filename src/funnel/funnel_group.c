/*
 * The events of one time, and steps placed on them.  See
 * funnel_engine.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <string.h>

#include "funnel/funnel_engine.h"

void
am_read_group(const AmFunnelMatch *match, int64_t i, int step, Group *group)
{
	const AmFunnelEvents *events = match->events;
	int			role_bits = events->role_bits;
	uint64_t	stamp = stamp_at(events, i);

	group->time = (int64_t) (stamp >> role_bits);
	group->fills = group->excludes = 0;
	group->n_events = group->n_roles = 0;
	for (;;)
	{
		int			role = (int) (stamp & BITS_UP_TO(role_bits - 1));

		/* stamps of one time and role lie side by side */
		if (group->n_roles > 0 && group->roles[group->n_roles - 1] == role)
		{
			/* more events of a role than steps change nothing */
			if (group->counts[group->n_roles - 1] < AM_FUNNEL_MAX_STEPS)
				group->counts[group->n_roles - 1]++;
		}
		else
		{
			group->roles[group->n_roles] = role;
			group->counts[group->n_roles++] = 1;
			group->fills |= match->spec->roles[role].fills;
			group->excludes |= match->spec->roles[role].excludes;
		}
		group->n_events++;
		if ((group->n_events & 0xffff) == 0)
			AM_CHECK_INTERRUPTS();
		i += step;
		if (i < 0 || i >= events->n)
			break;
		stamp = stamp_at(events, i);
		if ((int64_t) (stamp >> role_bits) != group->time)
			break;
	}
	group->next = i;
}

void
am_placing_start(Placing *placing, const Group *group, const AmFunnelSpec *spec)
{
	placing->group = group;
	placing->placed = 0;
	memset(placing->used, 0, group->n_roles);
}

/* One augmenting path (Kuhn): find an event for a step, moving others if need be */
static bool
augment(Placing *placing, const AmFunnelSpec *spec, int step, bool *tried)
{
	const Group *group = placing->group;

	for (int i = 0; i < group->n_roles; i++)
	{
		if (tried[i] || !(spec->roles[group->roles[i]].fills & BIT(step)))
			continue;
		tried[i] = true;
		if (placing->used[i] < group->counts[i])
		{
			placing->used[i]++;
			placing->place_of[step] = (uint8_t) i;
			return true;
		}
		for (uint64_t others = placing->placed; others; others &= others - 1)
		{
			int			other = LOWEST(others);

			/* the other step takes an event elsewhere and leaves its own to us */
			if (placing->place_of[other] == i && augment(placing, spec, other, tried))
			{
				placing->place_of[step] = (uint8_t) i;
				return true;
			}
		}
	}
	return false;
}

bool
am_place_step(Placing *placing, const AmFunnelSpec *spec, int step)
{
	bool		tried[AM_FUNNEL_MAX_ROLES];

	if (!(placing->group->fills & BIT(step)))
		return false;
	memset(tried, false, placing->group->n_roles * sizeof(bool));
	if (!augment(placing, spec, step, tried))
		return false;
	placing->placed |= BIT(step);
	return true;
}
