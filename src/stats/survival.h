/*
 * Time to an event that may be censored, beside events that rule it out.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_SURVIVAL_H
#define AM_SURVIVAL_H

/*
 * Aalen-Johansen (1978) estimate of the share that converts, where competing
 * events rule that out and others are censored; without competing events it is
 * Kaplan-Meier (1958).  Counts are persons, whole numbers up to 2^53.  Feed
 * events and censorings in order of time, at one time the events first.
 * Events of one time may come in one step or in several, and so may those of
 * different times: without a censoring between them they are one factor, to
 * the bit.  Whoever is known never to convert either competes at some time or
 * stays at risk to the end.
 *
 * Results may be asked for at any time and do not disturb what follows.  All
 * are NaN if nobody was at risk, if more left than were at risk, and if a
 * count was negative or NaN.
 */
typedef struct AmAalenJohansen
{
	double		at_start;
	double		at_risk;		/* NaN: fed what cannot be */
	double		censored;

	/* up to the last event that a censoring came after, and another event after that */
	double		survival;
	double		converted;
	double		competed;
	double		var_survival;
	double		var_converted;
	double		covariance;		/* of survival and converted */

	/* the events since, with no censoring between them */
	double		run_at_risk;
	double		run_converted;
	double		run_competed;
} AmAalenJohansen;

/* n: at risk before anything happens */
extern void am_aalen_johansen_start(AmAalenJohansen *aj, double n);

/* how many convert, and how many have a competing event */
extern void am_aalen_johansen_step(AmAalenJohansen *aj, double converted, double competed);

/* how many are no longer under observation */
extern void am_aalen_johansen_censor(AmAalenJohansen *aj, double n);

/*
 * Cumulative incidence of conversion so far, from 0 to 1; converted / n to the
 * bit as long as nobody is censored.  Who is censored after the last event
 * changes nothing here.
 */
extern double am_aalen_johansen_converted(const AmAalenJohansen *aj);

/*
 * Variance of that (a share squared): by the delta method, the events of each
 * time multinomial among those at risk (Marubini & Valsecchi 1995, chapter
 * 10).  It is Greenwood's (1926) without competing events, and F (1 - F) / n
 * without censoring.  0 where all or none converted.
 */
extern double am_aalen_johansen_variance(const AmAalenJohansen *aj);

/*
 * Interval of the cumulative incidence F: Wilson's of F with the size that
 * gives a plain share the same variance, F (1 - F) / variance (Rothman 1978,
 * Journal of Chronic Diseases 31: 557-560); z is the quantile of the normal
 * distribution, 0 or more.  Without censoring it is am_wilson(converted, n, z)
 * to the bit.  It is too narrow where the end of the curve rests on a few:
 * of 95 % intervals some 91 % hold the truth then.  Where F has no variance
 * the size is
 *
 * - at F = 0, those at the start less all censored, also after the last event:
 * feed these too;
 *
 * - at F = 1, what it tends to as the share of the last that are at risk that
 * converts tends to 1: how many these are, over the survival before them.
 *
 * If that is nobody, the interval is 0 to 1.
 */
extern void am_aalen_johansen_interval(const AmAalenJohansen *aj, double z, double *low, double *high);

#endif							/* AM_SURVIVAL_H */
