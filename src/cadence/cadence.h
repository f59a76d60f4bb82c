/*
 * Was a contact worked as the cadence says?
 *
 *   call on day 0 +-1 -> email on day 2 +-1 -> (call | 'voice mail') on day 5 +-2
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_CADENCE_H
#define AM_CADENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AM_CADENCE_MAX_STEPS	100
#define AM_CADENCE_MAX_DAY		3650
#define AM_CADENCE_MAX_KINDS	200

typedef struct AmCadenceKind
{
	const char *name;			/* not terminated */
	int			length;
	int			group;			/* kinds of one group fill the same steps */
} AmCadenceKind;

typedef struct AmCadenceStep
{
	const char *label;			/* the kinds as written, terminated */
	int			group;
	int			day;			/* after the start, which is day 0 */
	int			tolerance;		/* days, either way */
} AmCadenceStep;

typedef struct AmCadence
{
	int			n_steps;
	AmCadenceStep steps[AM_CADENCE_MAX_STEPS];
	int			n_groups;
	int			n_kinds;
	AmCadenceKind kinds[AM_CADENCE_MAX_KINDS];
} AmCadence;

typedef struct AmCadenceFault
{
	size_t		offset;			/* byte of the text where the fault is */
	char		message[160];
	char		hint[160];		/* may be empty */
} AmCadenceFault;

/* NULL on a fault.  Allocates with am_host_alloc; text need not be terminated. */
extern AmCadence *am_cadence_parse(const char *text, size_t length, AmCadenceFault *fault);

/* The group of a kind, -1: it is none of the cadence's */
extern int	am_cadence_group(const AmCadence *cadence, const char *name, int length);

/*
 * Gives activities to steps, one to one, as many as can be: each activity in
 * order of day goes to the open step of its group whose window holds its day
 * and ends first (Glover 1967: optimal for intervals).  days ascend; groups
 * below 0 are passed over.  step_day: the day of the activity that fills a
 * step, or INT32_MIN where none does; activity_step: the step that an activity
 * fills, or -1.  Returns the number of pairs.
 */
extern int64_t am_cadence_match(const AmCadence *cadence, const int32_t *days, const int *groups, int64_t n,
								int32_t *step_day, int *activity_step);

/*
 * Burstiness of n + 1 moments in time (Kim and Jo 2016, Physical Review E 94:
 * 032311): of the n gaps, r = sd / mean, (sqrt(n + 1) r - sqrt(n - 1)) /
 * ((sqrt(n + 1) - 2) r + sqrt(n - 1)).  -1 = regular, 0 = random, 1 = in
 * bursts.  times ascend.  NaN for fewer than 2 gaps, or where all are 0.
 */
extern double am_burstiness(const double *times, int64_t n_times);

#endif							/* AM_CADENCE_H */
