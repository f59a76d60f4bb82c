/*
 * Would x have helped to forecast y?  Squared errors of one-step forecasts.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_LEAD_LAG_FORECAST_H
#define AM_LEAD_LAG_FORECAST_H

#include <stddef.h>
#include <stdint.h>

#include "panel/period_slots.h"

/* Sums of squares over the forecasts of all units */
typedef struct AmForecastErrors
{
	double		own;			/* errors of the forecast from y alone */
	double		with_x;
	double		outcome;		/* y itself */
} AmForecastErrors;

/* Adds the forecasts of one unit: x and y by ascending period, x lag > 0 periods before; y_scale multiplies y */
extern void am_lead_lag_forecast(AmForecastErrors *errors, const int64_t *period, size_t n,
								 const double *x, const double *y, double y_scale, int lag);

#endif							/* AM_LEAD_LAG_FORECAST_H */
