/*
 * Has a metric been gamed since it became a target?  docs/vanity.md has the formulas.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_GAMING_H
#define AM_GAMING_H

#include "panel/panel.h"

/* NaN = not defined */
typedef struct AmGamingResult
{
	double		p_gamed;
	double		bunch;			/* signals, each as named in docs/vanity.md */
	double		surge;
	double		quality_fall;
	double		did;
	double		fill;
	double		yield;
	double		keep;
	double		share_at_target;	/* rows on the target after it was set ... */
	double		share_before;	/* ... and before */
	int64_t		n_before;
	int64_t		n_after;
	/* for the sentence; ln ratios of after to before */
	double		volume_change;
	double		quality_change;
	double		outcome_change;
	double		fill_pay;		/* what a row filled up to the target brought, to what an ordinary one of that height does */
	double		band_to;		/* "on the target" is target_value <= metric < band_to */
} AmGamingResult;

/* suspicion, if not NULL, gets one value per unit (higher = more suspect), NaN where undefined */
extern void am_gaming(const AmPanel *panel, int64_t target_from, double target_value,
					  AmGamingResult *result, double *suspicion);

extern void am_gaming_sentence(const AmGamingResult *result, double target_value,
							   const char *metric, const char *outcome, const char *unit, const char *grain,
							   char *buf, size_t size);

#endif							/* AM_GAMING_H */
