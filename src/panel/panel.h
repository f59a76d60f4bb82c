/*
 * The panel as the algorithms see it: one row per unit (a rep) and period (a
 * week), in columns, sorted by unit and then period, without duplicates.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_PANEL_H
#define AM_PANEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct AmPanel
{
	size_t		n;				/* rows */
	int32_t		n_units;		/* unit ids are 0 .. n_units - 1, each used */
	const int32_t *unit;		/* ascending */
	const int64_t *period;		/* ascending within a unit, gaps allowed */
	const double *x;			/* the metric; finite */
	const double *y;			/* the outcome; finite */
	const double *quality;		/* 0..1, NaN where unknown; NULL if none given */
	int			n_controls;
	const double *const *control;	/* n_controls columns, finite */
} AmPanel;

/* x times quality; where the quality of a row is unknown its unit's usual one stands in, or that of all units.  usual_quality: of all, may be NULL.  False: it is known of no row */
extern bool am_panel_weigh(const AmPanel *panel, double *x, double *usual_quality);

#endif							/* AM_PANEL_H */
