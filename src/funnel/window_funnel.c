/*
 * The scan of window_funnel().
 *
 * Rows are taken in order of time, those of one time step by step from the
 * first to the last: so ties are decided in favour of the funnel, and the
 * order in which rows arrived never matters.  For every level the scan keeps
 * the latest start that got there; whatever is open to an earlier start is
 * open to it as well, and it expires last.  Levels once reached stay reached,
 * so the levels reached are 1 .. level.
 *
 * What a step may extend is where the modes differ:
 * - by default whatever is there by now: one row may climb several steps;
 * - strict increase: what was there before this time;
 * - strict once: chains that do not hold the row yet.  Where a row is alone at
 *   its time, that is what was there before the row.  Rows of one time climb
 *   as far as a matching of steps to rows goes.  With strict increase no chain
 *   holds two rows of one time, so strict once changes nothing.
 *
 * Two modes end the scan; the answer is then the level reached:
 * - strict deduplication: at a row that fits a step from the second on that
 *   has been reached already, be it by another row of the same time.  With
 *   strict once the latter depends on the order in which rows of one time are
 *   tried, as a row cannot fill a step of a chain that it is in.  They are
 *   tried in the order that gets furthest: those that cannot fill the step
 *   come first, and the scan ends only if more than one can.
 * - strict order: at a row that fits a step whose predecessor has not been
 *   reached, or no step at all, once the first step has been reached.  Rows
 *   that fit no step come before the other rows of their time.  With allow
 *   reentry a step that comes too early is skipped instead.
 *
 * The cost is O(rows x steps) in all modes.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "funnel/window_funnel.h"

#include <stdbool.h>
#include <string.h>

#include "common/am_host.h"

#define BIT(i) (UINT64_C(1) << (i))

/* Steps are counted from 0 here: step s extends a chain of level s to level s + 1 */
typedef struct Scan
{
	int			n_steps;
	uint64_t	within;
	int			mode;
	int			level;			/* reached so far */
	int64_t		start[AM_WINDOW_MAX_STEPS]; /* of the chains of level i + 1, the latest */
} Scan;

/* The rows of one time */
typedef struct Ties
{
	const AmWindowRow *rows;
	size_t		n;
	int64_t		time;
	uint64_t	fits;			/* steps that any of them fits */
	uint64_t	twice;			/* steps that several of them fit */
	bool		strangers;		/* any of them fits none */
} Ties;

/* Times do not decrease; their difference may exceed the signed range */
static inline bool
in_window(const Scan *scan, int64_t start, int64_t time)
{
	return (uint64_t) time - (uint64_t) start <= scan->within;
}

/*
 * A step whose predecessor has not been reached.  Does the scan go on?
 */
static inline bool
passes_over(const Scan *scan)
{
	return !(scan->mode & AM_WINDOW_STRICT_ORDER) || scan->level == 0 ||
		(scan->mode & AM_WINDOW_ALLOW_REENTRY);
}

/*
 * Takes the steps of one time as a whole.  With hold_back a step extends only
 * what was there before; reached levels count at once all the same.  Returns
 * whether the scan goes on.
 */
static inline bool
take_steps(Scan *scan, int64_t time, uint64_t fits, uint64_t twice, bool hold_back)
{
	/* the chain that the step before this one has replaced */
	int			held_step = -1;
	bool		held_valid = false;
	int64_t		held_start = 0;

	for (; fits; fits &= fits - 1)
	{
		int			step = __builtin_ctzll(fits);
		bool		reached = step < scan->level;
		int64_t		base = time;
		bool		extends = true;

		if (step > scan->level)
		{
			if (!passes_over(scan))
				return false;
			/* later steps of this time come too early as well */
			break;
		}
		if (step > 0)
		{
			if (reached && (scan->mode & AM_WINDOW_STRICT_DEDUPLICATION))
				return false;
			base = scan->start[step - 1];
			if (hold_back && held_step == step - 1)
			{
				extends = held_valid;
				base = held_start;
			}
			extends = extends && in_window(scan, base, time);
		}
		held_step = step;
		held_valid = reached;
		if (reached)
			held_start = scan->start[step];
		if (!extends)
			continue;
		scan->start[step] = base;
		if (!reached && ++scan->level == scan->n_steps)
			return false;
		if (step > 0 && (twice & BIT(step)) && (scan->mode & AM_WINDOW_STRICT_DEDUPLICATION))
			return false;
	}
	return true;
}

/*
 * Strict once, rows of one time: a matching of steps to rows.
 *
 * At most one row a step is kept, those of some maximum matching: a set of
 * steps that can be matched to distinct rows at all can be matched to these
 * (Mendelsohn and Dulmage, 1958).
 */
typedef struct Matching
{
	int			n_rows;
	uint64_t	steps_of[AM_WINDOW_MAX_STEPS];	/* by row: steps it fits */
	uint64_t	rows_of[AM_WINDOW_MAX_STEPS];	/* by step: rows that fit it */
	int			row_of[AM_WINDOW_MAX_STEPS];	/* of a filled step */
	int			step_of[AM_WINDOW_MAX_STEPS];	/* of a taken row */
	uint64_t	filled;			/* steps */
	uint64_t	taken;			/* rows */
	uint64_t	tried;			/* by the search in hand */
} Matching;

/* Finds a step for a row, moving other rows if need be (Kuhn) */
static bool
place_row(Matching *m, int row, uint64_t steps)
{
	uint64_t	more = steps & ~m->filled;

	if (more)
	{
		m->row_of[__builtin_ctzll(more)] = row;
		m->filled |= more & -more;
		return true;
	}
	while ((more = steps & ~m->tried) != 0)
	{
		int			step = __builtin_ctzll(more);
		int			other = m->row_of[step];

		m->tried |= BIT(step);
		if (place_row(m, other, m->steps_of[other]))
		{
			m->row_of[step] = row;
			return true;
		}
	}
	return false;
}

/* Finds a row for a step, moving other steps if need be */
static bool
place_step(Matching *m, int step)
{
	uint64_t	more = m->rows_of[step] & ~m->taken;

	if (more)
	{
		m->step_of[__builtin_ctzll(more)] = step;
		m->taken |= more & -more;
		return true;
	}
	while ((more = m->rows_of[step] & ~m->tried) != 0)
	{
		int			row = __builtin_ctzll(more);

		m->tried |= BIT(row);
		if (place_step(m, m->step_of[row]))
		{
			m->step_of[row] = step;
			return true;
		}
	}
	return false;
}

static void
choose_rows(Matching *m, const Ties *ties, int n_steps)
{
	m->n_rows = 0;
	m->filled = 0;
	for (size_t i = 0; i < ties->n && m->n_rows < n_steps; i++)
	{
		m->tried = 0;
		m->steps_of[m->n_rows] = ties->rows[i].fits;
		if (place_row(m, m->n_rows, ties->rows[i].fits))
			m->n_rows++;
	}
	memset(m->rows_of, 0, n_steps * sizeof(uint64_t));
	for (int row = 0; row < m->n_rows; row++)
		for (uint64_t steps = m->steps_of[row]; steps; steps &= steps - 1)
			m->rows_of[__builtin_ctzll(steps)] |= BIT(row);
	m->taken = 0;
}

/*
 * From each level as far as it goes.  A higher level gets at least as far, so
 * the end only moves up; a lower level has the later start, so what it reaches
 * is its own.
 */
static bool
take_ties_once(Scan *scan, const Ties *ties)
{
	Matching	m;
	int64_t		before[AM_WINDOW_MAX_STEPS];
	int			level_before = scan->level;
	int			covered = 0;	/* levels up to this one have got their start */
	int			to = 0;

	choose_rows(&m, ties, scan->n_steps);
	memcpy(before, scan->start, level_before * sizeof(int64_t));
	for (int from = 0; from <= level_before; from++)
	{
		if (to < from)
			to = from;
		while (to < scan->n_steps)
		{
			m.tried = 0;
			if (!place_step(&m, to))
				break;
			to++;
		}
		if (to > covered && (from == 0 || in_window(scan, before[from - 1], ties->time)))
		{
			if (covered < from)
				covered = from;
			while (covered < to)
				scan->start[covered++] = from == 0 ? ties->time : before[from - 1];
			if (scan->level < to)
				scan->level = to;
			if (to == scan->n_steps)
				return false;
		}
		/* the step leaves the matching, if it is in it */
		if (to > from)
			for (uint64_t rows = m.taken; rows; rows &= rows - 1)
			{
				int			row = __builtin_ctzll(rows);

				if (m.step_of[row] == from)
				{
					m.taken &= ~BIT(row);
					break;
				}
			}
	}
	if (scan->level + 1 < scan->n_steps && ties->fits >> (scan->level + 1))
		return passes_over(scan);
	return true;
}

/*
 * The same with strict deduplication.  As long as the scan goes on, one row
 * alone can fill each next step; all that varies within the chains of a level
 * is how they begin: before this time, or with any row that fits the first
 * step and fills no other.
 */
static bool
take_ties_once_deduplicated(Scan *scan, const Ties *ties)
{
	size_t		fillers[AM_WINDOW_MAX_STEPS];
	int			n_fillers = 0;
	size_t		entries = 0;	/* rows that fit the first step and fill no other */
	bool		from_before = false;
	int64_t		start_before = 0;

	if (scan->level > 0)
	{
		start_before = scan->start[scan->level - 1];
		from_before = in_window(scan, start_before, ties->time);
	}
	if (ties->fits & 1)
	{
		if (scan->level <= 1)
			for (size_t i = 0; i < ties->n; i++)
				entries += ties->rows[i].fits & 1;
		scan->start[0] = ties->time;
		if (scan->level == 0)
			scan->level = 1;
		if (scan->n_steps == 1)
			return false;
	}

	for (uint64_t fits = ties->fits & ~UINT64_C(1); fits; fits &= fits - 1)
	{
		int			step = __builtin_ctzll(fits);
		int			able = 0;
		size_t		filler = 0;

		if (step < scan->level)
			return false;
		if (step > scan->level)
			return passes_over(scan);
		for (size_t i = 0; i < ties->n && able < 2; i++)
		{
			uint64_t	row_fits = ties->rows[i].fits;
			bool		used = false;

			if (!(row_fits & BIT(step)))
				continue;
			for (int f = 0; f < n_fillers && !used; f++)
				used = fillers[f] == i;
			if (used || !(from_before || entries > (row_fits & 1)))
				continue;
			filler = i;
			able++;
		}
		if (able == 0)
			continue;
		scan->level++;
		if (able > 1 || scan->level == scan->n_steps)
			return false;
		fillers[n_fillers++] = filler;
		if (entries > 0)
			entries -= ties->rows[filler].fits & 1;
		scan->start[step] = entries > 0 ? ties->time : start_before;
	}
	return true;
}

static inline bool
take_ties(Scan *scan, const Ties *ties)
{
	int			mode = scan->mode;

	if (ties->strangers && scan->level > 0 && (mode & AM_WINDOW_STRICT_ORDER))
		return false;
	if (mode & AM_WINDOW_STRICT_INCREASE)
		return take_steps(scan, ties->time, ties->fits, ties->twice, true);
	if (!(mode & AM_WINDOW_STRICT_ONCE))
		return take_steps(scan, ties->time, ties->fits, ties->twice, false);
	if (ties->n == 1)
		return take_steps(scan, ties->time, ties->fits, 0, true);
	if (mode & AM_WINDOW_STRICT_DEDUPLICATION)
		return take_ties_once_deduplicated(scan, ties);
	return take_ties_once(scan, ties);
}

int
am_window_funnel_level(const AmWindowRow *rows, size_t n, int n_steps, uint64_t within, int mode)
{
	Scan		scan;
	size_t		next_check = 4096;

	scan.n_steps = n_steps;
	scan.within = within;
	scan.mode = mode;
	scan.level = 0;
	for (size_t i = 0; i < n;)
	{
		Ties		ties = {rows + i, 1, rows[i].time, rows[i].fits, 0, rows[i].fits == 0};

		for (i++; i < n && rows[i].time == ties.time; i++)
		{
			ties.twice |= ties.fits & rows[i].fits;
			ties.fits |= rows[i].fits;
			ties.strangers |= rows[i].fits == 0;
			ties.n++;
		}
		if (!take_ties(&scan, &ties))
			break;
		if (i >= next_check)
		{
			AM_CHECK_INTERRUPTS();
			next_check = i + 4096;
		}
	}
	return scan.level;
}
