/*
 * Does a number count motion or progress?  A score test
 * of a two-way Poisson fixed-effects model at many lags, turned into
 * probabilities by approximate Bayes factors.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_VANITY_H
#define AM_VANITY_H

#include <stdbool.h>

#include "panel/panel.h"
#include "vanity/gaming.h"

typedef enum AmVanityVerdict
{
	AM_VANITY_OUTCOME,
	AM_VANITY_LEADING,
	AM_VANITY_DIAGNOSTIC,
	AM_VANITY_VANITY,
	AM_VANITY_GAMED,
	AM_VANITY_INSUFFICIENT
} AmVanityVerdict;

typedef struct AmVanityOptions
{
	bool		has_target;		/* a target was set on the metric ... */
	int64_t		target_from;	/* ... from this period on ... */
	double		target_value;	/* ... of this value per unit and period; NaN unknown */
	bool		has_change;		/* the metric is counted in another way ... */
	int64_t		changed_at;		/* ... from this period on */
	int			lag_prior_from; /* > 0: only these lags can lead ("lag prior 2..6") */
	int			lag_prior_to;
} AmVanityOptions;

/* NaN = not defined */
typedef struct AmVanityResult
{
	double		score;			/* 0..1, 1 = vanity */
	AmVanityVerdict verdict;
	double		confidence;		/* probability that decided */
	int			lag_from;		/* best window, meaningful if has_window */
	int			lag_to;
	bool		has_window;
	double		elasticity;		/* % more outcome per 1 % more metric in that window */
	double		low;			/* its 95 % interval */
	double		high;
	double		no_progress;	/* components; docs/vanity.md says what each is */
	double		only_rises;
	double		is_outcome;
	double		p_gamed;		/* NaN without a target */
	double		wrong_way;
	double		follows;
	double		same_week;
	double		saturated;		/* 1 = no more return above the usual level */
	double		empty_high;		/* share of high periods followed by no outcome */
	double		quality_gain;	/* score(metric) - score(metric x quality); NaN without quality */
	double		reliability;	/* ICC(1) */
	double		size_share;		/* covariance of ln metric and outcome / its mean, in three parts */
	double		time_share;
	double		within_share;
	double		raw_r;			/* of ln(metric) and outcome: what the three parts make up */
	double		smallest_visible;	/* elasticity that could have been seen */
	int64_t		n;
	int32_t		units;
	int32_t		periods;
	int64_t		outcomes;		/* rows with a non-zero outcome */
	/* probabilities of the hypotheses */
	double		p_nothing;
	double		p_leads;
	double		p_weak;
	double		only_substance;	/* that not the metric but only metric x quality leads; 0 without quality */
	/* for the sentence */
	int			max_lag;		/* longest lag searched */
	int			batch;			/* the metric is entered every so many periods, and was spread over them; 1 = always */
	int64_t		steps;			/* changes of the metric from one row of a unit to the next, and how many fell */
	int64_t		falls;
	double		p_progress;		/* that a running total's increase leads; NaN if not a running total */
	AmGamingResult gaming;		/* defined if p_gamed is */
	double		dashboard_r;	/* of metric and outcome over all rows, as a dashboard shows it */
} AmVanityResult;

extern void am_vanity(const AmPanel *panel, const AmVanityOptions *options, AmVanityResult *result);

extern const char *am_vanity_verdict_name(AmVanityVerdict verdict);

/* One sentence in plain words with numbers */
extern void am_vanity_sentence(const AmVanityResult *result, const AmVanityOptions *options,
							   const char *metric, const char *outcome, const char *unit, const char *grain,
							   char *buf, size_t size);

#endif							/* AM_VANITY_H */
