/*
 * Activity that counts by its quality.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>

#include "panel/panel.h"

bool
am_panel_weigh(const AmPanel *panel, double *x, double *usual_quality)
{
	double		good = 0;
	double		known = 0;
	size_t		start = 0;

	if (!panel->quality)
		return false;
	for (size_t i = 0; i < panel->n; i++)
	{
		if (!isnan(panel->quality[i]))
		{
			good += panel->quality[i];
			known++;
		}
	}
	if (known == 0)
		return false;
	if (usual_quality)
		*usual_quality = good / known;
	while (start < panel->n)
	{
		size_t		end = start;
		double		unit_good = 0;
		double		unit_known = 0;
		double		usual;

		for (; end < panel->n && panel->unit[end] == panel->unit[start]; end++)
		{
			if (!isnan(panel->quality[end]))
			{
				unit_good += panel->quality[end];
				unit_known++;
			}
		}
		usual = unit_known > 0 ? unit_good / unit_known : good / known;
		for (; start < end; start++)
			x[start] = panel->x[start] * (isnan(panel->quality[start]) ? usual : panel->quality[start]);
	}
	return true;
}
