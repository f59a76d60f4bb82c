/*
 * One entity's rows against a funnel of up to 64 steps, as windowFunnel of
 * column stores has it.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_WINDOW_FUNNEL_H
#define AM_WINDOW_FUNNEL_H

#include <stddef.h>
#include <stdint.h>

#define AM_WINDOW_MAX_STEPS	64

/* Modes, to be combined; 0 is the default */
#define AM_WINDOW_STRICT_DEDUPLICATION	0x01
#define AM_WINDOW_STRICT_ORDER			0x02
#define AM_WINDOW_STRICT_INCREASE		0x04
#define AM_WINDOW_STRICT_ONCE			0x08
#define AM_WINDOW_ALLOW_REENTRY			0x10	/* only with strict order */
#define AM_WINDOW_MODES					0x1f

typedef struct AmWindowRow
{
	int64_t		time;
	uint64_t	fits;			/* bit s: the row fits step s + 1; 0 matters to strict order only */
} AmWindowRow;

/*
 * How many steps were done in a row: rows in order of time, those of one time
 * in any order; the window in units of time, its end inclusive.
 */
extern int	am_window_funnel_level(const AmWindowRow *rows, size_t n, int n_steps, uint64_t within, int mode);

#endif							/* AM_WINDOW_FUNNEL_H */
