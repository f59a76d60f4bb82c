/*
 * From the effects at all lag windows to the probabilities of the hypotheses:
 * approximate Bayes factors (Wakefield 2009), averaged over the windows of a
 * hypothesis, which pays for the search.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>

#include "vanity/vanity_fit.h"

/* ln Bayes factor of an effect against nothing (Wakefield) */
static double
log_factor(const AmVanityWindow *window, double mean, double sd)
{
	double		variance = window->se * window->se;

	return am_vf_log_normal(window->b, mean, variance + sd * sd) -
		am_vf_log_normal(window->b, 0, variance + AM_VF_NOTHING_S * AM_VF_NOTHING_S);
}

/* ln of the mean of the exponentials */
static double
log_mean_exp(const double *v, int n)
{
	double		most = -HUGE_VAL;
	double		sum = 0;

	for (int i = 0; i < n; i++)
	{
		if (v[i] > most)
			most = v[i];
	}
	if (n == 0 || !isfinite(most))
		return -HUGE_VAL;
	for (int i = 0; i < n; i++)
		sum += exp(v[i] - most);
	return most + log(sum / n);
}

/* the longest lag searched */
static int
longest_lag(const AmVanityFit *fit, const AmVanityOptions *options)
{
	int			most = 12;

	if (options && options->lag_prior_from > 0 && options->lag_prior_to > most)
		most = options->lag_prior_to < AM_VF_LONGEST_LAG ? options->lag_prior_to : AM_VF_LONGEST_LAG;
	return most < fit->n_periods / 3 ? most : fit->n_periods / 3;
}

enum
{
	LEADS,
	WEAK,
	WRONG_WAY,
	SAME_WEEK,
	FOLLOWS,
	N_EFFECTS
};

void
am_vf_posterior(AmVanityFit *fit, const AmVanityOptions *options, AmVanityPosterior *posterior)
{
	static const int widths[] = {1, 3, 5};
	static const double prior[N_EFFECTS] = {AM_VF_PRIOR_LEADS, AM_VF_PRIOR_OTHER, AM_VF_PRIOR_OTHER, AM_VF_PRIOR_OTHER, AM_VF_PRIOR_OTHER};
	double		factor[N_EFFECTS][AM_VF_MAX_WINDOWS];
	double		log_odds[N_EFFECTS];
	int			n_factors[N_EFFECTS] = {0};
	int			n = 0;
	double		strongest = -HUGE_VAL;
	double		strongest_wrong = -HUGE_VAL;
	double		most = 0;
	double		sum;
	bool		has_prior = options && options->lag_prior_from > 0;
	AmVfRows	rows;

	posterior->max_lag = longest_lag(fit, options);
	posterior->best = -1;
	posterior->worst = -1;
	posterior->smallest_se = NAN;
	am_vf_rows_alloc(fit, &rows);
	for (int w = 0; w < 3; w++)
	{
		for (int from = 1; from + widths[w] - 1 <= posterior->max_lag; from++)
		{
			if (has_prior && (from < options->lag_prior_from || from + widths[w] - 1 > options->lag_prior_to))
				continue;
			am_vf_window(fit, from, widths[w], &rows, &posterior->window[n++]);
		}
	}
	for (int lag = 0; lag >= -4; lag--)
		am_vf_window(fit, lag, 1, &rows, &posterior->window[n++]);
	am_vf_rows_free(&rows);
	posterior->n_windows = n;

	for (int i = 0; i < n; i++)
	{
		const AmVanityWindow *window = &posterior->window[i];
		double		leads;
		double		weak;
		double		claim;

		if (!window->good)
			continue;
		leads = log_factor(window, AM_VF_LEADS_M, AM_VF_LEADS_S);
		weak = log_factor(window, AM_VF_WEAK_M, AM_VF_WEAK_S);
		if (window->from >= 1)
		{
			double		wrong = log_factor(window, -AM_VF_LEADS_M, AM_VF_LEADS_S);
			double		pair[2];

			factor[LEADS][n_factors[LEADS]++] = leads;
			factor[WEAK][n_factors[WEAK]++] = weak;
			factor[WRONG_WAY][n_factors[WRONG_WAY]++] = wrong;
			pair[0] = leads + log(AM_VF_PRIOR_LEADS);
			pair[1] = weak + log(AM_VF_PRIOR_OTHER);
			claim = log_mean_exp(pair, 2);
			if (claim > strongest)
			{
				strongest = claim;
				posterior->best = i;
			}
			if (wrong > strongest_wrong)
			{
				strongest_wrong = wrong;
				posterior->worst = i;
			}
			if (!(window->se >= posterior->smallest_se))
				posterior->smallest_se = window->se;
		}
		else
		{
			int			effect = window->from == 0 ? SAME_WEEK : FOLLOWS;
			double		pair[2];

			pair[0] = leads;
			pair[1] = weak;
			factor[effect][n_factors[effect]++] = log_mean_exp(pair, 2);
		}
	}

	/* a hypothesis without a window to test it keeps its prior odds */
	for (int h = 0; h < N_EFFECTS; h++)
	{
		log_odds[h] = log(prior[h] / AM_VF_PRIOR_NOTHING);
		if (n_factors[h] > 0)
			log_odds[h] += log_mean_exp(factor[h], n_factors[h]);
		if (log_odds[h] > most)
			most = log_odds[h];
	}
	sum = exp(-most);
	for (int h = 0; h < N_EFFECTS; h++)
		sum += exp(log_odds[h] - most);
	posterior->nothing = exp(-most) / sum;
	posterior->leads = exp(log_odds[LEADS] - most) / sum;
	posterior->weak = exp(log_odds[WEAK] - most) / sum;
	posterior->wrong_way = exp(log_odds[WRONG_WAY] - most) / sum;
	posterior->same_week = exp(log_odds[SAME_WEEK] - most) / sum;
	posterior->follows = exp(log_odds[FOLLOWS] - most) / sum;
	posterior->log_leads = log_odds[LEADS] - log(AM_VF_PRIOR_LEADS / AM_VF_PRIOR_NOTHING);
}

/*
 * ln Bayes factor of leading against nothing with one scale for all windows.
 * Two metrics against one outcome can be compared by it: a chance difference
 * of their standard errors would decide where both effects are plain.
 */
double
am_vf_log_leads(const AmVanityPosterior *posterior, double scale)
{
	double		factor[AM_VF_MAX_WINDOWS];
	int			n = 0;

	for (int i = 0; i < posterior->n_windows; i++)
	{
		AmVanityWindow window = posterior->window[i];

		if (!window.good || window.from < 1)
			continue;
		window.se = sqrt(scale / window.information);
		factor[n++] = log_factor(&window, AM_VF_LEADS_M, AM_VF_LEADS_S);
	}
	return log_mean_exp(factor, n);
}
