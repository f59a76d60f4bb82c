/*
 * Options of aggregates: one text, parts separated by commas, such as
 * 'no prewhitening, lag prior 2..6, metric ''calls'''.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_OPTIONS_H
#define AM_OPTIONS_H

#include "common/compat.h"

typedef struct AmOptionReader
{
	const char *at;
	char	   *part;			/* the one in hand, blanks folded */
} AmOptionReader;

extern void am_options_start(AmOptionReader *reader, const char *text);	/* NULL = no options */
extern bool am_options_next(AmOptionReader *reader);

/*
 * Does the part have this form?  Words stand for themselves, # for an integer,
 * % for a number and @ for a quoted name; their values go to the pointers
 * that follow: int64 *, double *, char **.
 */
extern bool am_option_is(const AmOptionReader *reader, const char *form,...);

/* The part is of no known form */
pg_noreturn extern void am_option_unknown(const AmOptionReader *reader, const char *known);

#endif							/* AM_OPTIONS_H */
