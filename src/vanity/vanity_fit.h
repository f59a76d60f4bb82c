/*
 * What the vanity score and the gaming test share: the panel in columns with
 * row and period effects, the two-way margin fit of the outcome, the
 * deviation of the metric, the score test of one lag window and the
 * probabilities that follow.  Private to
 * src/vanity and its unit test.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_VANITY_FIT_H
#define AM_VANITY_FIT_H

#include <stdbool.h>

#include "panel/panel.h"
#include "vanity/gaming.h"
#include "vanity/vanity.h"

#define AM_VF_AUTOCORRELATIONS 12
#define AM_VF_LONGEST_LAG 104	/* with a lag prior; else 12 */
#define AM_VF_MAX_WINDOWS (3 * AM_VF_LONGEST_LAG + 5)
#define AM_VF_NOISE 1.0e-9		/* a smaller share of the variation is rounding */

typedef struct AmVanityFit
{
	size_t		n;
	int32_t		n_units;
	int32_t		n_periods;		/* distinct periods */
	const int32_t *unit;
	const int64_t *period;
	int32_t    *column;			/* rank of the row's period */
	double	   *time;			/* the period on a scale of -1 .. 1 */
	int32_t    *block;			/* rows with one level and trend: a unit, or a unit before or after a date */
	int32_t		n_blocks;
	bool		split;			/* rows from split_at on are blocks of their own */
	int64_t		split_at;
	int			degree;			/* of a block's trend, at most */
	int			degree_before;	/* with a split, of the blocks on either side of it */
	int			degree_after;

	double	   *x;				/* the metric, at least 0 */
	double	   *log_x;			/* ln(x + c) */
	double		c;				/* 0.5 of a whole number, else 5 % of what is usual */
	double	   *y;				/* the outcome, at least 0, amounts capped */
	double	   *mu;				/* expected outcome */
	double	   *e;				/* y - mu */
	double	   *d;				/* deviation of log_x, clipped */
	double		phi;			/* mean(e^2 / mu) */
	double		sd;				/* robust sd of the deviation before it was clipped */
	bool		metric_varies;	/* by more than rounding, after level, trend and period */
	bool		outcome_varies;

	/* private to vanity_fit.c */
	unsigned char *back;		/* how many rows up the row k periods earlier is; 0 = there is none */
	double		rho_e[AM_VF_AUTOCORRELATIONS];
	double	   *column_sum;
	double	   *column_weight;
	double	   *block_sum;
	double	   *block_weight;
	double	   *linear;			/* trend of the rows at work, orthogonal within a block */
	double	   *quadratic;
	double	   *spread;			/* scratch, n */
	unsigned char *used;
} AmVanityFit;

/* A regressor and its weights on some of the rows */
typedef struct AmVfRows
{
	size_t		m;
	size_t	   *row;			/* ascending */
	double	   *z;
	double	   *w;
} AmVfRows;

typedef struct AmVanityWindow
{
	int			from;			/* lags from .. from + width - 1; negative: the outcome comes first */
	int			width;
	double		b;				/* elasticity */
	double		se;
	double		information;
	int64_t		n;
	bool		good;			/* b and se are defined */
} AmVanityWindow;

typedef struct AmVanityPosterior
{
	AmVanityWindow window[AM_VF_MAX_WINDOWS];
	int			n_windows;
	int			max_lag;
	int			best;			/* window with the strongest claim to lead; -1 if there is none */
	int			worst;			/* the same for the wrong way */
	double		nothing;
	double		leads;
	double		weak;
	double		wrong_way;
	double		same_week;
	double		follows;
	double		smallest_se;	/* over the windows that can lead */
	double		log_leads;		/* ln Bayes factor of leading against nothing */
} AmVanityPosterior;

/* Prior probabilities of the hypotheses, and mean and sd of the elasticity under each */
#define AM_VF_PRIOR_NOTHING		0.42
#define AM_VF_PRIOR_LEADS		0.34
#define AM_VF_PRIOR_OTHER		0.06
#define AM_VF_NOTHING_S			0.06
#define AM_VF_LEADS_M			0.60
#define AM_VF_LEADS_S			0.28
#define AM_VF_WEAK_M			0.22
#define AM_VF_WEAK_S			0.09

/* split: rows from split_at on have a level and trend of their own; c: what to add to the metric, NaN as it needs */
extern void am_vf_init(AmVanityFit *fit, const AmPanel *panel, bool split, int64_t split_at, double c);
extern void am_vf_free(AmVanityFit *fit);

/* the deviation anew, with trends of this degree (0 to 2) */
extern void am_vf_set_degree(AmVanityFit *fit, int degree);

extern void am_vf_rows_alloc(const AmVanityFit *fit, AmVfRows *rows);
extern void am_vf_rows_free(AmVfRows *rows);

/* the mean deviation in a window of lags, on the rows where all of it is there */
extern void am_vf_window_rows(AmVanityFit *fit, int from, int width, AmVfRows *rows);

/* take weighted period means and block trends out of z, in place */
extern void am_vf_residualise(AmVanityFit *fit, AmVfRows *rows, int sweeps);

/* by how much autocorrelation inflates the variance of sum(z e) */
extern double am_vf_inflation(AmVanityFit *fit, const AmVfRows *rows);

extern void am_vf_window(AmVanityFit *fit, int from, int width, AmVfRows *rows, AmVanityWindow *window);

extern void am_vf_posterior(AmVanityFit *fit, const AmVanityOptions *options, AmVanityPosterior *posterior);

extern double am_vf_log_leads(const AmVanityPosterior *posterior, double scale);

/* quantile by linear interpolation (type 7) of v[n], which is sorted; n > 0 */
extern double am_vf_quantile(double *v, size_t n, double p);

/* ln of the normal density */
extern double am_vf_log_normal(double value, double mean, double variance);

/* Intermediate quantities of the gaming test; NaN = not defined */
typedef struct AmGamingSteps
{
	double		bunch_share;	/* excess mass on the target */
	double		bunch_z;
	double		dx;				/* median ln ratio of the mean metric, and t of the mean ln ratio */
	double		dx_t;
	double		dq;				/* mean ln ratio of the quality share, and its t */
	double		dq_t;
	double		dy;				/* ln ratio of the outcome */
	double		b_pre;			/* elasticity before and after */
	double		se_pre;
	double		b_post;
	double		se_post;
	double		b_jump;			/* what a larger jump of the metric brought */
	double		se_jump;
	double		b_fill;			/* what a row on the target brought besides b_pre x its deviation */
	double		se_fill;
	double		lift;			/* deviation of a row on the target from its unit before */
	double		k_pre;			/* explained share */
	double		k_post;
	double		k_se;
	double		pressure;
	double		logit;
	int			lag;
} AmGamingSteps;

extern void am_gaming_steps(const AmPanel *panel, const AmGamingTarget *target,
							AmGamingResult *result, AmGamingSteps *steps, double *suspicion);

/*
 * Words (vanity_words.c).  Each writes a terminated text into buf.
 */
extern void am_vw_number(double value, char *buf, size_t size);	/* 2,080 or 0.031 */
extern void am_vw_count(int64_t count, const char *singular, char *buf, size_t size);	/* 1 week, 4 weeks */
extern void am_vw_percent(double share, char *buf, size_t size);	/* 6 % */

/* snprintf at the end of what buf already holds */
extern void am_vw_add(char *buf, size_t size, const char *format,...)
#if defined(__GNUC__)
			__attribute__((format(printf, 3, 4)))
#endif
;

#endif							/* AM_VANITY_FIT_H */
