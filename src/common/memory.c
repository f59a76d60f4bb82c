/*
 * See memory.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "common/memory.h"

#include "miscadmin.h"

Size
am_budget(void)
{
	double		budget = (double) work_mem * 1024.0 * hash_mem_multiplier;

	budget = Min(budget, (double) (SIZE_MAX / 2));
	return Max((Size) budget, AM_BUDGET_FLOOR);
}
