/*
 * Has a metric been gamed since it became a target?  docs/vanity.md has the formulas.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_GAMING_H
#define AM_GAMING_H

#include <stdbool.h>

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

/* The target, and what is known of the number itself */
typedef struct AmGamingTarget
{
	int64_t		from;			/* it held from this period on */
	double		value;			/* NaN = not known */
	bool		has_change;		/* the metric is counted in another way ... */
	int64_t		changed_at;		/* ... from this period on: no sign of gaming */
	bool		searched;		/* the period was looked for in the data, which costs evidence */
} AmGamingTarget;

/* suspicion, if not NULL, gets one value per unit (higher = more suspect), NaN where undefined */
extern void am_gaming(const AmPanel *panel, const AmGamingTarget *target,
					  AmGamingResult *result, double *suspicion);

/*
 * Where nobody knows since when: the period with the largest z, of the share
 * of rows on the target or of the level, after against before.  Sets
 * target->from and searched; false if there is no period to choose (z NaN),
 * or none from which either is higher (z at most 0).
 */
extern bool am_gaming_scan(const AmPanel *panel, AmGamingTarget *target, double *z);

extern void am_gaming_sentence(const AmGamingResult *result, double target_value,
							   const char *metric, const char *outcome, const char *unit, const char *grain,
							   char *buf, size_t size);

extern void am_gaming_scan_sentence(const AmGamingResult *result, const AmGamingTarget *target, double z,
									const char *metric, const char *outcome, const char *unit, const char *grain,
									char *buf, size_t size);

#endif							/* AM_GAMING_H */
