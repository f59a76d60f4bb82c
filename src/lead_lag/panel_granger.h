/*
 * Does the past of x help to predict y beyond y's own past, for some unit of
 * a panel?  Dumitrescu & Hurlin (2012), "Testing for Granger non-causality in
 * heterogeneous panels", Economic Modelling 29.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_PANEL_GRANGER_H
#define AM_PANEL_GRANGER_H

#include "panel/panel.h"

/* NaN = not defined */
typedef struct AmGrangerUnit
{
	double		wald;			/* order times F; chi-square with order degrees of freedom under no help */
	double		p;
} AmGrangerUnit;

typedef struct AmPanelGranger
{
	int32_t		units;			/* with a statistic */
	double		wbar;			/* mean of wald */
	double		zbar;			/* standardised by the moments of chi-square; for many periods */
	double		p_zbar;			/* two-sided, normal, as that of ztilde */
	double		ztilde;			/* by the moments for the periods there are; needs more than 5 + 3 order of them in each unit */
	double		p_ztilde;
} AmPanelGranger;

/*
 * One regression per unit: y on 1 and the order values before of y, with and
 * without those of x.  Rows without all of them are left out.  per_unit has
 * room for n_units.  A unit with too few rows, or where x or y or their lags
 * depend on one another, has no statistic and does not count.  Where units
 * differ in length, ztilde has the mean of their moments.  order >= 1.
 */
extern void am_panel_granger(const AmPanel *panel, int order, AmPanelGranger *result, AmGrangerUnit *per_unit);

#endif							/* AM_PANEL_GRANGER_H */
