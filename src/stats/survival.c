/*
 * Cumulative incidence with its variance and interval, in one pass.
 *
 * The survival S and the incidence F are carried along with their covariance
 * matrix, by the recursion of Andersen, Borgan, Gill & Keiding (1993,
 * Statistical Models Based on Counting Processes, section IV.4), which holds
 * the sums over all earlier times that the usual formula asks for:
 *
 * V(F(t)) = sum (F(t) - F(i))^2 d(i) / (n(i) (n(i) - d(i)))
 * + sum S(i-1)^2 d1(i) (n(i) - d1(i)) / n(i)^3
 * - 2 sum (F(t) - F(i)) S(i-1) d1(i) / n(i)^2
 *
 * (Marubini & Valsecchi 1995), d(i) = d1(i) + d2(i) being all events of a
 * time, and is not infinite where all at risk have one.
 *
 * Multinomial steps without a censoring between them make one multinomial
 * step, in estimate and covariance.  So events are only counted, and become a
 * factor when one comes after a censoring.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>

#include "stats/rates.h"
#include "stats/survival.h"

/* the events since the last factor become the next one */
static void
close_run(AmAalenJohansen *aj)
{
	double		n = aj->run_at_risk;
	double		events = aj->run_converted + aj->run_competed;
	double		left = (n - events) / n;
	double		convert = aj->run_converted / n;
	double		scale = aj->survival * aj->survival / n;

	if (events > 0)
	{
		aj->var_converted += convert * convert * aj->var_survival + 2 * convert * aj->covariance +
			scale * convert * ((n - aj->run_converted) / n);
		aj->covariance = left * (aj->covariance + convert * aj->var_survival - scale * convert);
		aj->var_survival = left * (left * aj->var_survival + scale * (events / n));
		aj->converted += aj->survival * convert;
		aj->competed += aj->survival * (aj->run_competed / n);
		aj->survival *= left;
	}
	aj->run_at_risk = aj->at_risk;
	aj->run_converted = aj->run_competed = 0;
}

void
am_aalen_johansen_start(AmAalenJohansen *aj, double n)
{
	aj->at_start = aj->at_risk = aj->run_at_risk = n > 0 && !isinf(n) ? n : NAN;
	aj->censored = 0;
	aj->survival = 1;
	aj->converted = aj->competed = 0;
	aj->var_survival = aj->var_converted = aj->covariance = 0;
	aj->run_converted = aj->run_competed = 0;
}

void
am_aalen_johansen_step(AmAalenJohansen *aj, double converted, double competed)
{
	if (!(converted >= 0 && competed >= 0 && converted + competed <= aj->at_risk))
	{
		aj->at_risk = NAN;
		return;
	}
	/* without events a censoring is not between any */
	if (converted + competed == 0)
		return;
	if (aj->at_risk != aj->run_at_risk - aj->run_converted - aj->run_competed)
		close_run(aj);
	aj->run_converted += converted;
	aj->run_competed += competed;
	aj->at_risk -= converted + competed;
}

void
am_aalen_johansen_censor(AmAalenJohansen *aj, double n)
{
	if (!(n >= 0 && n <= aj->at_risk))
	{
		aj->at_risk = NAN;
		return;
	}
	aj->censored += n;
	aj->at_risk -= n;
}

/* as of now */
static AmAalenJohansen
closed(const AmAalenJohansen *aj)
{
	AmAalenJohansen now = *aj;

	close_run(&now);
	/* Greenwood's sum, in which nothing cancels */
	if (now.competed == 0)
		now.var_converted = now.var_survival;
	if (now.survival + now.competed == 0 || now.converted > 1)
		now.converted = 1;
	if (isnan(now.at_risk))
		now.converted = now.var_converted = NAN;
	return now;
}

double
am_aalen_johansen_converted(const AmAalenJohansen *aj)
{
	return closed(aj).converted;
}

double
am_aalen_johansen_variance(const AmAalenJohansen *aj)
{
	return closed(aj).var_converted;
}

void
am_aalen_johansen_interval(const AmAalenJohansen *aj, double z, double *low, double *high)
{
	AmAalenJohansen now = closed(aj);
	double		others = now.survival + now.competed;	/* 1 - converted, without its rounding */
	double		n;

	*low = *high = NAN;
	if (isnan(now.converted) || !(z >= 0) || isinf(z))
		return;

	if (others == 0)
	{
		/* the run that is still open has ended it */
		n = aj->run_at_risk / aj->survival;
		am_wilson(n, n, z, low, high);
		return;
	}
	/* nobody was censored before the last event */
	if (now.converted > 0 && aj->survival == 1 && aj->run_at_risk == aj->at_start)
	{
		am_wilson(aj->run_converted, aj->at_start, z, low, high);
		return;
	}

	if (now.converted > 0 && now.var_converted > 0)
		n = now.converted * others / now.var_converted;
	else
		n = aj->at_start - aj->censored;
	if (n > 0)
		am_wilson(now.converted * n, n, z, low, high);
	else
	{
		*low = 0;
		*high = 1;
	}
}
