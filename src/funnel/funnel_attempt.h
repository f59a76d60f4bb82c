/*
 * An attempt at a funnel as a value of SQL, of type funnel_attempt.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_FUNNEL_ATTEMPT_H
#define AM_FUNNEL_ATTEMPT_H

#include "common/compat.h"

#include "access/htup_details.h"
#include "utils/array.h"

#include "funnel/funnel_plan.h"

extern Datum am_funnel_attempt_form(const AmFunnelPlan *plan, const AmFunnelAttempt *attempt, TupleDesc columns);

/* An error where it does not fit the plan */
extern void am_funnel_attempt_read(const AmFunnelPlan *plan, HeapTupleHeader header, TupleDesc columns,
								   AmFunnelAttempt *attempt);

/* n times of the clock of stamps, NULL where `taken` lacks the bit */
extern ArrayType *am_funnel_times_array(const AmFunnelPlan *plan, const int64 *times, uint64 taken, int n);

#endif							/* AM_FUNNEL_ATTEMPT_H */
