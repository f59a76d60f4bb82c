/*
 * What is done to the columns of a panel before period means: filling of
 * gaps, seasons, differences, ranks.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_LEAD_LAG_PREPARE_H
#define AM_LEAD_LAG_PREPARE_H

#include "lead_lag/lead_lag.h"

/* A panel with rows and columns of its own */
typedef struct AmPreparedPanel
{
	AmPanel		panel;			/* units may be without rows */
	bool		differenced;
	int32_t    *unit;
	int64_t    *period;
	double	  **column;			/* x, y and the controls */
	int			n_columns;
} AmPreparedPanel;

/*
 * Options that concern it: fill_zero, season, difference, rank.  Seasons are
 * taken off first, differences next, ranks last.  A difference takes two
 * periods in a row.  Too much to fill is left as gaps.
 */
extern void am_lead_lag_prepare(AmPreparedPanel *prepared, const AmPanel *panel, const AmLeadLagOptions *options);

extern void am_lead_lag_prepared_free(AmPreparedPanel *prepared);

#endif							/* AM_LEAD_LAG_PREPARE_H */
