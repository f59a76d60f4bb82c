/*
 * How long until a CUSUM raises an alarm: average run lengths, from Markov
 * chains over its values.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_RUN_LENGTH_H
#define AM_RUN_LENGTH_H

#include <stdbool.h>

#define AM_CUSUM_SLACK		0.5		/* taken off every period */
#define AM_CUSUM_CLIP		3.0		/* one period counts for no more */

/* 2 (sqrt(x + 3/8) - sqrt(m + 3/8)) / sqrt(phi), clipped: about normal for a count x of mean m and variance phi m */
extern double am_cusum_z(double x, double m, double phi);

/*
 * Average run length of S = max(0, S - z - 0.5) up to S >= h, where z is that
 * of counts of the mean and dispersion (Poisson for phi = 1, else negative
 * binomial), of which a share `left` is left (1: nothing has changed).  Exact
 * up to interpolation between 81 values of S; NaN outside mean > 0, phi >= 1.
 */
extern double am_cusum_arl(double mean, double phi, double left, double h);

/*
 * The same where the level is not known but the mean of n rows: with normal
 * errors of the level, five points of Gauss and Hermite.  Without a change it
 * is one over the mean rate of alarms, which is what many units and a long time
 * see, else the mean run length.  n = 0: the level is known.
 */
extern double am_cusum_arl_estimated(double mean, double phi, double left, double h, double n);

/* The h, to 0.1 upwards, from which the run length without a change is at least this; at most 20 */
extern double am_cusum_threshold(double mean, double phi, double n, double run_length);

/*
 * The Poisson CUSUM (Lucas 1985, Technometrics 27: 129-144), exact: S = max(0,
 * S + k - x) up to S >= h, upwards max(0, S + x - k).  k, h and the head start
 * are multiples of 0.5; NaN if not, or if h is not in 0.5 .. 100.
 */
extern double am_poisson_cusum_arl(double mean, double k, double h, double head_start, bool upwards);

/* (mu0 - mu1) / (ln mu0 - ln mu1), rounded to 0.5, at least 0.5, for a drop to 70 % */
extern double am_poisson_cusum_k(double mean);

/* The smallest multiple of 0.5 with at least this run length; at most 100 */
extern double am_poisson_cusum_threshold(double mean, double k, double run_length);

#endif							/* AM_RUN_LENGTH_H */
