/*
 * Arguments of an aggregate call.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_ARGUMENTS_H
#define AM_ARGUMENTS_H

#include "common/compat.h"

#include "nodes/primnodes.h"

/* Is this argument (from 1, without the state) a literal? */
static inline bool
am_is_literal(const Aggref *aggref, int argument)
{
	return list_length(aggref->args) >= argument &&
		IsA(((TargetEntry *) list_nth(aggref->args, argument - 1))->expr, Const);
}

#endif							/* AM_ARGUMENTS_H */
