/*
 * Proportions and times to an event.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_RATES_H
#define AM_RATES_H

#include <stddef.h>
#include <stdint.h>

#define AM_Z95 1.959963984540054	/* 97.5 % quantile of the normal distribution */

/*
 * Wilson (1927) score interval of x out of n, clipped to [0, 1], exactly 0 at
 * x = 0 and exactly 1 at x = n.  n = 0 gives NaN.
 */
extern void am_wilson(double x, double n, double z, double *low, double *high);

/*
 * Kaplan-Meier (1958) estimate of the share that has not converted.  Feed
 * conversions and censorings in order of time, at one time the conversions
 * first; whoever is known never to convert stays at risk to the end.
 */
typedef struct AmKaplanMeier
{
	double		survival;
	double		converted;		/* 1 - survival, without its rounding */
	double		at_risk;
	double		run_start;		/* at risk when the conversions since the last censoring began */
} AmKaplanMeier;

static inline void
am_kaplan_meier_start(AmKaplanMeier *km, double at_risk)
{
	km->survival = 1;
	km->converted = 0;
	km->at_risk = km->run_start = at_risk;
}

static inline void
am_kaplan_meier_convert(AmKaplanMeier *km)
{
	km->at_risk--;
}

/* conversions without a censoring between them are one factor: no rounding piles up */
static inline double
am_kaplan_meier_survival(const AmKaplanMeier *km)
{
	return km->run_start > 0 ? km->survival * (km->at_risk / km->run_start) : km->survival;
}

/* x / n to the bit where nobody is censored */
static inline double
am_kaplan_meier_converted(const AmKaplanMeier *km)
{
	return km->run_start > 0 ? km->converted + km->survival * ((km->run_start - km->at_risk) / km->run_start) :
		km->converted;
}

static inline void
am_kaplan_meier_censor(AmKaplanMeier *km)
{
	km->converted = am_kaplan_meier_converted(km);
	km->survival = am_kaplan_meier_survival(km);
	km->run_start = --km->at_risk;
}

#endif							/* AM_RATES_H */
