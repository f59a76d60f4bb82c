/*
 * See lead_lag_forecast.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>
#include <string.h>

#include "lead_lag/lead_lag_forecast.h"

/*
 * A regressor is spanned by the others if no more than this is left of it.
 * Far above rounding, even where two of these multiply; regressors are of
 * order 1, or dust.
 */
#define COLLINEAR		1e-6

#define MIN_TRAINING	6		/* rows before a forecast, two per coefficient */

/*
 * Rolling-origin forecasts: y on 1 and its predecessor, with
 * and without x lag periods before.  Both models learn from the same rows.
 * One triangular factor, grown by Givens rotations, serves both: the first
 * two rows of it are those of the smaller model.
 */
void
am_lead_lag_forecast(AmForecastErrors *errors, const int64_t *period, size_t n,
					 const double *x, const double *y, double y_scale, int lag)
{
	double		R[3][4];
	size_t		first_forecast = (n + 1) / 2;
	size_t		i,
				j = 0,
				rows = 0;

	memset(R, 0, sizeof(R));
	for (i = 1; i < n; i++)
	{
		double		row[4];
		int			k,
					m;

		if (am_periods_between(period[i - 1], period[i]) != 1)
			continue;
		while (am_periods_between(period[j], period[i]) > (uint64_t) lag)
			j++;
		if (am_periods_between(period[j], period[i]) != (uint64_t) lag)
			continue;
		row[0] = 1;
		row[1] = y[i - 1];
		row[2] = x[j];
		row[3] = y[i];

		if (i >= first_forecast && rows >= MIN_TRAINING &&
			R[1][1] > COLLINEAR * (1 + fabs(R[0][1])) &&
			R[2][2] > COLLINEAR * (1 + fabs(R[0][2]) + fabs(R[1][2])))
		{
			double		own1 = R[1][3] / R[1][1];
			double		own0 = (R[0][3] - R[0][1] * own1) / R[0][0];
			double		with2 = R[2][3] / R[2][2];
			double		with1 = (R[1][3] - R[1][2] * with2) / R[1][1];
			double		with0 = (R[0][3] - R[0][1] * with1 - R[0][2] * with2) / R[0][0];
			double		own = (row[3] - own0 - own1 * row[1]) * y_scale;
			double		with = (row[3] - with0 - with1 * row[1] - with2 * row[2]) * y_scale;

			errors->own += own * own;
			errors->with_x += with * with;
		}
		errors->outcome += row[3] * y_scale * row[3] * y_scale;

		for (k = 0; k < 3; k++)
		{
			double		length = sqrt(R[k][k] * R[k][k] + row[k] * row[k]);
			double		cosine,
						sine;

			if (length == 0)
				continue;
			cosine = R[k][k] / length;
			sine = row[k] / length;
			for (m = k; m < 4; m++)
			{
				double		old = R[k][m];

				R[k][m] = cosine * old + sine * row[m];
				row[m] = cosine * row[m] - sine * old;
			}
		}
		rows++;
	}
}
