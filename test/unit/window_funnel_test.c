/*
 * The scan of window_funnel() against two twins and against examples.
 *
 * The first twin keeps every chain there is, as a list of rows and steps, and
 * takes one entry (row, step) at a time in order of time, step and arrival,
 * with the rules of each mode as they read: no latest start, no matching,
 * nothing held back.  Where the order of arrival matters to it, it tries every
 * order of the rows of one time and takes the best answer.
 *
 * The second twin knows no scan: it searches for the longest chain that the
 * definition allows.  It is for the modes that never end a scan.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <inttypes.h>

#include "tap.h"

#include "funnel/window_funnel.h"

#define DEDUP	AM_WINDOW_STRICT_DEDUPLICATION
#define ORDER	AM_WINDOW_STRICT_ORDER
#define INCREASE AM_WINDOW_STRICT_INCREASE
#define ONCE	AM_WINDOW_STRICT_ONCE
#define REENTRY (AM_WINDOW_STRICT_ORDER | AM_WINDOW_ALLOW_REENTRY)

#define MAX_ROWS	8			/* of the first twin */
#define MAX_STEPS	5
#define MAX_CHAINS	20000

static uint64_t random_state = UINT64_C(0x2545f4914f6cdd1d);

static uint32_t
draw(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t) ((random_state >> 32) * n >> 32);
}

typedef struct History
{
	int			n;
	int			n_steps;
	uint64_t	within;
	AmWindowRow rows[MAX_ROWS];
} History;

/* The first twin */

typedef struct Chain
{
	int			rows[MAX_STEPS];
	int64_t		first;
	int64_t		last;
} Chain;

typedef struct Chains
{
	int			n;
	Chain		list[MAX_CHAINS];
} Chains;

static Chains chains[MAX_STEPS + 1];	/* by level */

static int
highest(int n_steps)
{
	int			level = 0;

	for (int l = 1; l <= n_steps; l++)
		if (chains[l].n > 0)
			level = l;
	return level;
}

/* Rows in order of time; those of one time arrive in the order they stand in */
static int
scan_entries(const History *h, int mode)
{
	for (int level = 0; level <= h->n_steps; level++)
		chains[level].n = 0;
	for (int from = 0; from < h->n;)
	{
		int			to = from;

		while (to < h->n && h->rows[to].time == h->rows[from].time)
			to++;
		/* step 0 stands for "fits no step" */
		for (int step = 0; step <= h->n_steps; step++)
			for (int row = from; row < to; row++)
			{
				uint64_t	fits = h->rows[row].fits;
				int64_t		time = h->rows[row].time;

				if (step == 0)
				{
					if (fits == 0 && (mode & ORDER) && chains[1].n > 0)
						return highest(h->n_steps);
					continue;
				}
				if (!((fits >> (step - 1)) & 1))
					continue;
				if (step == 1)
				{
					Chain	   *chain = &chains[1].list[chains[1].n++];

					chain->rows[0] = row;
					chain->first = chain->last = time;
					continue;
				}
				if ((mode & DEDUP) && chains[step].n > 0)
					return highest(h->n_steps);
				if ((mode & ORDER) && chains[1].n > 0 && chains[step - 1].n == 0)
				{
					if (mode & AM_WINDOW_ALLOW_REENTRY)
						continue;
					return highest(h->n_steps);
				}
				for (int c = 0; c < chains[step - 1].n; c++)
				{
					Chain	   *chain = &chains[step - 1].list[c];
					bool		good = (uint64_t) (time - chain->first) <= h->within;

					if ((mode & INCREASE) && chain->last >= time)
						good = false;
					if (mode & ONCE)
						for (int s = 0; s < step - 1; s++)
							if (chain->rows[s] == row)
								good = false;
					if (good)
					{
						Chain	   *longer = &chains[step].list[chains[step].n++];

						if (chains[step].n >= MAX_CHAINS)
							abort();
						*longer = *chain;
						longer->rows[step - 1] = row;
						longer->last = time;
					}
				}
			}
		from = to;
	}
	return highest(h->n_steps);
}

/* The best answer over all orders of the rows of one time, from this row on */
static int
best_order(History *h, int mode, int row)
{
	int			best;

	if (row == h->n)
		return scan_entries(h, mode);
	best = best_order(h, mode, row + 1);
	for (int other = row + 1; other < h->n && h->rows[other].time == h->rows[row].time; other++)
	{
		AmWindowRow swap = h->rows[row];
		int			level;

		h->rows[row] = h->rows[other];
		h->rows[other] = swap;
		level = best_order(h, mode, row + 1);
		if (level > best)
			best = level;
		h->rows[other] = h->rows[row];
		h->rows[row] = swap;
	}
	return best;
}

static int
first_twin(const History *h, int mode)
{
	History		copy = *h;

	if ((mode & (DEDUP | ONCE)) == (DEDUP | ONCE))
		return best_order(&copy, mode, 0);
	return scan_entries(&copy, mode);
}

/* The second twin */

static int
longest(const History *h, int mode, uint32_t used, int level, int64_t first, int64_t last)
{
	int			best = level;

	if (level == h->n_steps)
		return level;
	for (int row = 0; row < h->n; row++)
	{
		int64_t		time = h->rows[row].time;
		int			reached;

		if (!((h->rows[row].fits >> level) & 1))
			continue;
		if (level > 0)
		{
			if (time < last || ((mode & INCREASE) && time == last))
				continue;
			if ((mode & ONCE) && (used & (UINT32_C(1) << row)))
				continue;
			if ((uint64_t) (time - first) > h->within)
				continue;
		}
		reached = longest(h, mode, used | (UINT32_C(1) << row), level + 1, level == 0 ? time : first, time);
		if (reached > best)
			best = reached;
	}
	return best;
}

static int
second_twin(const History *h, int mode)
{
	return longest(h, mode, 0, 0, 0, 0);
}

static int
scan(const History *h, int mode)
{
	return am_window_funnel_level(h->rows, h->n, h->n_steps, h->within, mode);
}

static const char *
mode_name(int mode)
{
	static char name[100];

	snprintf(name, sizeof(name), "%s%s%s%s%s%s", mode ? "" : " default", mode & DEDUP ? " strict_deduplication" : "",
			 mode & ORDER ? " strict_order" : "", mode & AM_WINDOW_ALLOW_REENTRY ? " allow_reentry" : "",
			 mode & INCREASE ? " strict_increase" : "", mode & ONCE ? " strict_once" : "");
	return name + 1;
}

typedef int (*Twin) (const History *h, int mode);

/* Leaves out rows and steps of rows as long as the two still differ, then prints the rest */
static void
report(const History *found, int mode, Twin twin)
{
	History		h = *found;
	bool		smaller = true;

	while (smaller)
	{
		smaller = false;
		for (int i = 0; i < h.n && !smaller; i++)
		{
			History		without = h;

			memmove(&without.rows[i], &without.rows[i + 1], (h.n - i - 1) * sizeof(AmWindowRow));
			without.n--;
			if (scan(&without, mode) != twin(&without, mode))
			{
				h = without;
				smaller = true;
				break;
			}
			for (int step = 0; step < h.n_steps && !smaller; step++)
			{
				without = h;
				without.rows[i].fits &= ~(UINT64_C(1) << step);
				if (without.rows[i].fits != h.rows[i].fits && scan(&without, mode) != twin(&without, mode))
				{
					h = without;
					smaller = true;
				}
			}
		}
	}
	printf("# %s, %d steps, within %" PRIu64 ", rows (time:steps)", mode_name(mode), h.n_steps, h.within);
	for (int i = 0; i < h.n; i++)
	{
		printf(" %" PRId64 ":", h.rows[i].time);
		for (int step = 0; step < h.n_steps; step++)
			if ((h.rows[i].fits >> step) & 1)
				putchar('a' + step);
		if (h.rows[i].fits == 0)
			putchar('-');
	}
	printf("\n#   scan %d, twin %d\n", scan(&h, mode), twin(&h, mode));
}

static int
by_time(const void *a, const void *b)
{
	int64_t		one = ((const AmWindowRow *) a)->time;
	int64_t		other = ((const AmWindowRow *) b)->time;

	return one < other ? -1 : one > other;
}

static void
shuffle_ties(History *h)
{
	for (int i = h->n - 1; i > 0; i--)
	{
		int			other = (int) draw((uint32_t) i + 1);
		AmWindowRow swap = h->rows[i];

		h->rows[i] = h->rows[other];
		h->rows[other] = swap;
	}
	/* insertion sort keeps the order of ties */
	for (int i = 1; i < h->n; i++)
		for (int j = i; j > 0 && h->rows[j].time < h->rows[j - 1].time; j--)
		{
			AmWindowRow swap = h->rows[j];

			h->rows[j] = h->rows[j - 1];
			h->rows[j - 1] = swap;
		}
}

/* Leans to histories that get far: steps come up in order, now and then another */
static void
random_history(History *h, int max_rows, int max_range)
{
	int			range = 1 + (int) draw((uint32_t) max_range);
	int			overlap = (int) draw(4);
	int			noise = 1 + (int) draw(8);

	h->n_steps = 1 + (int) draw(MAX_STEPS);
	h->n = (int) draw((uint32_t) max_rows + 1);
	h->within = draw(3) == 0 ? UINT64_MAX : draw((uint32_t) range + 1);
	for (int i = 0; i < h->n; i++)
	{
		h->rows[i].time = (int64_t) draw((uint32_t) range);
		h->rows[i].fits = 0;
	}
	qsort(h->rows, h->n, sizeof(AmWindowRow), by_time);
	for (int i = 0; i < h->n; i++)
	{
		int			step = draw(noise) == 0 ? (int) draw((uint32_t) h->n_steps + 1) : i * h->n_steps / h->n;

		if (step < h->n_steps)
			h->rows[i].fits |= UINT64_C(1) << step;
		for (int more = 0; more < overlap; more++)
			if (draw(3) == 0)
				h->rows[i].fits |= UINT64_C(1) << draw((uint32_t) h->n_steps);
	}
	shuffle_ties(h);
}

static void
run_campaign(const char *what, int histories, int max_rows, int max_range)
{
	int			bad = 0;
	int			unstable = 0;
	int			compared = 0;
	int			defined = 0;
	int			ties = 0;
	int			by_mode[AM_WINDOW_MODES + 1] = {0}; /* answers that differ from the default's */
	int			by_level[MAX_STEPS + 1] = {0};

	for (int done = 0; done < histories; done++)
	{
		History		h;
		History		shuffled;

		random_history(&h, max_rows, max_range);
		for (int i = 1; i < h.n; i++)
			if (h.rows[i].time == h.rows[i - 1].time)
			{
				ties++;
				break;
			}
		shuffled = h;
		shuffle_ties(&shuffled);
		for (int mode = 0; mode <= AM_WINDOW_MODES; mode++)
		{
			int			level;

			if ((mode & AM_WINDOW_ALLOW_REENTRY) && !(mode & ORDER))
				continue;
			level = scan(&h, mode);
			by_mode[mode] += level != scan(&h, 0);
			by_level[level]++;
			compared++;
			if (level != first_twin(&h, mode) && bad++ < 3)
				report(&h, mode, first_twin);
			if (!(mode & (DEDUP | ORDER)))
			{
				defined++;
				if (level != second_twin(&h, mode) && bad++ < 3)
					report(&h, mode, second_twin);
			}
			unstable += level != scan(&shuffled, mode);
		}
	}
	ok(bad == 0, "%s: %d histories, %d answers of 24 modes agree with every chain kept, %d with the longest chain (%d do not)",
	   what, histories, compared, defined, bad);
	ok(unstable == 0, "%s: the order of rows of one time does not matter (%d do)", what, unstable);
	/* a campaign that hardly meets a case proves nothing about it */
	ok(ties > histories / 2, "%s: %d histories with ties", what, ties);
	for (int mode = 1; mode <= AM_WINDOW_MODES && max_range > 1; mode++)
		if ((!(mode & AM_WINDOW_ALLOW_REENTRY) || (mode & ORDER)) && by_mode[mode] < histories / 200)
			ok(false, "%s: %s differs from the default %d times only", what, mode_name(mode), by_mode[mode]);
	for (int level = 0; level <= MAX_STEPS; level++)
		if (by_level[level] < histories / 50)
			ok(false, "%s: level %d was met %d times only", what, level, by_level[level]);
}

/* Long histories without ties: from every entry the first row for each next step */
#define LONG_ROWS	300

static void
run_long_histories(int histories)
{
	int			bad = 0;
	int			highest_met = 0;

	for (int done = 0; done < histories; done++)
	{
		AmWindowRow rows[LONG_ROWS];
		int			n = (int) draw(LONG_ROWS + 1);
		int			n_steps = 1 + (int) draw(AM_WINDOW_MAX_STEPS);
		uint64_t	within = 1 + draw(draw(2) ? 3000 : 100000000);
		int			spread = 1 + (int) draw(6);
		int			noise = 1 + (int) draw(40);
		int64_t		time = -500;
		int			mode = draw(2) ? ONCE : draw(2) ? INCREASE : 0;
		int			want = 0;

		for (int i = 0; i < n; i++)
		{
			time += 1 + draw(9);
			rows[i].time = time;
			rows[i].fits = draw((uint32_t) noise) == 0 ? 0 : UINT64_C(1) << ((i + draw((uint32_t) spread)) % n_steps);
			if (draw(4) == 0)
				rows[i].fits |= UINT64_C(1) << draw((uint32_t) n_steps);
		}
		for (int start = 0; start < n; start++)
		{
			int			level = 0;

			for (int i = start; i < n && (i == start || level > 0) && level < n_steps; i++)
			{
				if ((uint64_t) (rows[i].time - rows[start].time) > within)
					break;
				/* by default a row climbs as many steps as it fits */
				while (level < n_steps && ((rows[i].fits >> level) & 1))
				{
					level++;
					if (mode != 0)
						break;
				}
			}
			if (level > want)
				want = level;
		}
		if (am_window_funnel_level(rows, n, n_steps, within, mode) != want && bad++ < 3)
			printf("# history %d, %s: scan %d, twin %d\n", done, mode_name(mode),
				   am_window_funnel_level(rows, n, n_steps, within, mode), want);
		if (want > highest_met)
			highest_met = want;
	}
	ok(bad == 0, "up to 64 steps and %d rows of different times: %d histories agree (%d do not)", LONG_ROWS, histories, bad);
	ok(highest_met == AM_WINDOW_MAX_STEPS, "the long histories get far: level %d", highest_met);
}

/*
 * Many rows of one time and many steps: the level that strict once gets to is
 * the longest prefix of steps that a maximum matching fills.
 */
static bool
augment(const AmWindowRow *rows, int n, int step, int *step_of, bool *seen)
{
	for (int row = 0; row < n; row++)
	{
		if (seen[row] || !((rows[row].fits >> step) & 1))
			continue;
		seen[row] = true;
		if (step_of[row] < 0 || augment(rows, n, step_of[row], step_of, seen))
		{
			step_of[row] = step;
			return true;
		}
	}
	return false;
}

static void
run_large_ties(int histories)
{
	int			bad = 0;
	int			partly = 0;

	for (int done = 0; done < histories; done++)
	{
		AmWindowRow rows[100];
		int			step_of[100];
		int			n = 1 + (int) draw(100);
		int			n_steps = 1 + (int) draw(AM_WINDOW_MAX_STEPS);
		int			dense = 1 + (int) draw(4);
		int			want = 0;

		for (int i = 0; i < n; i++)
		{
			rows[i].time = 7;
			rows[i].fits = 0;
			step_of[i] = -1;
			for (int more = 0; more < dense; more++)
				rows[i].fits |= UINT64_C(1) << ((i + draw(3)) % n_steps);
		}
		while (want < n_steps)
		{
			bool		seen[100] = {false};

			if (!augment(rows, n, want, step_of, seen))
				break;
			want++;
		}
		bad += am_window_funnel_level(rows, n, n_steps, 1, ONCE) != want;
		partly += want > 1 && want < n_steps;
	}
	ok(bad == 0, "up to 64 steps and 100 rows of one time: %d matchings (%d do not agree)", histories, bad);
	ok(partly > histories / 10, "many of them end between the first step and the last: %d", partly);
}

/*
 * Examples with their answers.  Rows are written time:steps, or steps alone,
 * one second after the row before; x fits no step.
 */
typedef struct Example
{
	const char *rows;
	int			n_steps;
	uint64_t	within;
	int			mode;
	int			want;
	const char *why;
} Example;

#define LARGE UINT64_C(1000000)

static const Example examples[] = {
	/* where engines differ: default, strict order, strict deduplication */
	{"a x b c", 3, LARGE, 0, 3, "a row that fits no step"},
	{"a x b c", 3, LARGE, ORDER, 1, "a row that fits no step"},
	{"a x b c", 3, LARGE, DEDUP, 3, "a row that fits no step"},
	{"a a b b c c", 3, LARGE, 0, 3, "repeats"},
	{"a a b b c c", 3, LARGE, ORDER, 3, "repeats"},
	{"a a b b c c", 3, LARGE, DEDUP, 2, "repeats"},
	{"a b a c", 3, LARGE, 0, 3, "the first step again"},
	{"a b a c", 3, LARGE, ORDER, 3, "the first step again"},
	{"a b a c", 3, LARGE, DEDUP, 3, "the first step again"},
	{"a c b", 3, LARGE, 0, 2, "a step too early"},
	{"a c b", 3, LARGE, ORDER, 1, "a step too early"},
	{"a c b", 3, LARGE, DEDUP, 2, "a step too early"},
	{"a b b c", 3, LARGE, 0, 3, "the second step again"},
	{"a b b c", 3, LARGE, ORDER, 3, "the second step again"},
	{"a b b c", 3, LARGE, DEDUP, 2, "the second step again"},
	{"a b c b d", 4, LARGE, 0, 4, "the second step after the third"},
	{"a b c b d", 4, LARGE, ORDER, 4, "the second step after the third"},
	{"a b c b d", 4, LARGE, DEDUP, 3, "the second step after the third"},
	{"a b d c", 4, LARGE, 0, 3, "the last step too early"},
	{"a b d c", 4, LARGE, ORDER, 2, "the last step too early"},
	{"a b d c", 4, LARGE, DEDUP, 3, "the last step too early"},
	{"ab", 2, LARGE, 0, 2, "one row is both"},
	{"ab", 2, LARGE, ORDER, 2, "one row is both"},
	{"ab", 2, LARGE, DEDUP, 2, "one row is both"},
	{"ab", 2, LARGE, ONCE, 1, "one row is both"},
	{"ab", 2, LARGE, INCREASE, 1, "one row is both"},
	{"0:b 0:a", 2, LARGE, 0, 2, "one time"},
	{"0:b 0:a", 2, LARGE, ORDER, 2, "one time"},
	{"0:b 0:a", 2, LARGE, DEDUP, 2, "one time"},
	{"0:b 0:a", 2, LARGE, ONCE, 2, "one time"},
	{"0:b 0:a", 2, LARGE, INCREASE, 1, "one time"},
	{"0:a 10:b", 2, 10, 0, 2, "at the window's end"},
	{"0:a 10:b", 2, 10, ORDER, 2, "at the window's end"},
	{"0:a 10:b", 2, 10, DEDUP, 2, "at the window's end"},
	{"0:a 11:b", 2, 10, 0, 1, "past the window's end"},

	/* where engines were wrong */
	{"0:a 1:a 1:b", 2, LARGE, INCREASE, 2, "an entry of the same time must not hide the one before"},
	{"0:a 1:b 2:b 2:c", 3, LARGE, INCREASE, 3, "nor a later step"},
	{"0:a 0:b 1:b 1:c 2:c", 3, LARGE, INCREASE, 3, "nor two of them"},
	{"0:a 0:a 0:b 0:b 0:c", 3, LARGE, ONCE, 3, "several rows of one time"},
	{"a b a b c", 3, LARGE, DEDUP, 2, "the highest level, not the step before the repeat"},
	{"a b c a b", 3, LARGE, DEDUP, 3, "all steps done before the repeat"},
	{"a b c b d", 4, LARGE, DEDUP | ORDER, 3, "a repeat, both modes"},
	{"a a b b d c c", 3, LARGE, DEDUP | ORDER, 2, "a repeat before the row that fits no step"},

	/* never a later entry after the end */
	{"a x a b c", 3, LARGE, ORDER, 1, "the scan has ended"},
	{"x b c a b c", 3, LARGE, ORDER, 3, "before the first step nothing ends it"},
	{"a c a b c", 3, LARGE, ORDER, 1, "the scan has ended"},
	{"a c a b c", 3, LARGE, REENTRY, 3, "a step that comes too early is skipped"},
	{"a x b c", 3, LARGE, REENTRY, 1, "a row that fits no step is not"},
	{"a d b d c d", 4, LARGE, REENTRY, 4, "skipped again and again"},
	{"a b b c", 3, LARGE, REENTRY | DEDUP, 2, "repeats end it"},

	/* the window moves on to the latest entry */
	{"0:a 8:b 9:a 12:b 15:c", 3, 6, 0, 3, "the second entry"},
	{"0:a 5:a 10:b 11:c", 3, 10, 0, 3, "the later start lasts longer"},
	{"0:a 5:a 10:b 16:c", 3, 10, 0, 2, "one too late"},
	{"0:a 20:b 21:a 22:c", 3, 10, ORDER, 1, "a step too late has not been reached"},
	{"0:a 3:b 20:a 21:b 22:c", 3, 10, DEDUP, 2, "a repeat within another window is a repeat"},

	/* ties */
	{"0:a 1:x 1:b", 2, LARGE, ORDER, 1, "the row that fits no step comes before the others of its time"},
	{"0:x 0:a 1:b", 2, LARGE, ORDER, 2, "and so before the entry of its time"},
	{"0:a 1:b 1:b 2:c", 3, LARGE, DEDUP, 2, "two rows of one time repeat a step"},
	{"0:a 1:b 1:b 2:c", 3, LARGE, DEDUP | ONCE, 2, "here too"},
	{"0:ab 0:b 1:c", 3, LARGE, DEDUP, 2, "two rows of one time fit the second step"},
	{"0:ab 0:b 1:c", 3, LARGE, DEDUP | ONCE, 3, "but only one of them can fill it after the other"},
	{"0:a 1:ab 1:b 2:c", 3, LARGE, DEDUP | ONCE, 2, "either can fill it after the entry before"},
	{"0:b 0:ab 0:bc 1:d", 4, LARGE, ONCE, 4, "each row fills the step that the others leave"},
	{"0:abc 0:abc 0:abc", 3, LARGE, ONCE, 3, "three rows, three steps"},
	{"0:abc 0:abc", 3, LARGE, ONCE, 2, "two rows, three steps"},
	{"0:a 1:bc 2:bc 2:x", 3, LARGE, ONCE, 3, "one step each"},

	/* strict once */
	{"a ab", 2, LARGE, ONCE, 2, "the row fills the second step, or starts anew"},
	{"a b a d", 4, LARGE, ONCE, 2, "start, a, b, a, end"},
	{"a bd c bd", 4, LARGE, ONCE, 4, "the second such row fills the last step"},
	{"abc b c", 3, LARGE, ONCE | ORDER, 1, "the row fits the third step, the second is not reached"},
	{"abc b c", 3, LARGE, ORDER, 3, "it climbs three"},
	{"a b ab c", 3, LARGE, ONCE | DEDUP, 2, "the row fits a step that is reached"},

	/* small ones */
	{"", 3, LARGE, 0, 0, "no rows"},
	{"b c x", 3, LARGE, 0, 0, "never the first step"},
	{"x a x", 1, LARGE, ORDER, 1, "one step"},
	{"a a", 2, LARGE, ONCE, 1, "the first step twice"},
};

static int
read_rows(const char *text, AmWindowRow *rows)
{
	int			n = 0;
	int64_t		time = -1;

	while (*text)
	{
		char	   *end;

		if (*text == ' ')
			text++;
		if (*text >= '0' && *text <= '9')
		{
			time = strtoll(text, &end, 10);
			text = end + 1;
		}
		else
			time++;
		rows[n].time = time;
		rows[n].fits = 0;
		for (; *text && *text != ' '; text++)
			if (*text != 'x')
				rows[n].fits |= UINT64_C(1) << (*text - 'a');
		n++;
	}
	return n;
}

static void
run_examples(void)
{
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
	{
		const Example *example = &examples[i];
		AmWindowRow rows[32];
		int			n = read_rows(example->rows, rows);
		int			got = am_window_funnel_level(rows, n, example->n_steps, example->within, example->mode);

		ok(got == example->want, "%s, %s: %s is %d (%d)", mode_name(example->mode), example->why, example->rows,
		   example->want, got);
	}
}

static void
run_limits(void)
{
	AmWindowRow rows[2] = {{INT64_MIN, 1}, {INT64_MAX, 2}};
	AmWindowRow last = {0, UINT64_C(1) << 63};
	AmWindowRow *many;
	int			n = 2000000;

	ok(am_window_funnel_level(rows, 2, 2, INT64_MAX, 0) == 1, "times further apart than the window can say");
	ok(am_window_funnel_level(rows, 2, 2, UINT64_MAX, 0) == 2, "and a window that covers all times");
	ok(am_window_funnel_level(&last, 1, 64, 1, 0) == 0, "the last of 64 steps alone");
	ok(am_window_funnel_level(NULL, 0, 64, 1, ONCE) == 0, "no rows");

	/* one row of all steps, one time after the other; then all at one time */
	many = malloc(n * sizeof(AmWindowRow));
	for (int i = 0; i < n; i++)
	{
		many[i].time = i / 2;
		many[i].fits = ~(UINT64_C(1) << 63);
	}
	for (int mode = 0; mode <= AM_WINDOW_MODES; mode += mode == 0 ? 1 : mode)
	{
		if (mode == AM_WINDOW_ALLOW_REENTRY)
			mode |= ORDER;
		ok(am_window_funnel_level(many, n, 64, UINT64_MAX, mode) <= 63, "many rows of many steps, %s", mode_name(mode));
		if (mode & AM_WINDOW_ALLOW_REENTRY)
			break;
	}
	ok(am_window_funnel_level(many, n, 64, UINT64_MAX, ONCE | DEDUP) <= 63, "many rows of many steps, both modes");
	for (int i = 0; i < n; i++)
		many[i].time = 0;
	ok(am_window_funnel_level(many, n, 64, 1, ONCE) == 63, "two million rows of one time");
	ok(am_window_funnel_level(many, n, 64, 1, ONCE | DEDUP) == 2, "and without repeats");
	ok(am_window_funnel_level(many, n, 64, 1, INCREASE) == 1, "and with increasing times");
	free(many);
}

int
main(void)
{
	run_examples();
	run_limits();
	run_campaign("few times", 60000, 6, 4);
	run_campaign("more times", 60000, 7, 12);
	run_campaign("one time", 1000, 5, 1);
	run_long_histories(20000);
	run_large_ties(20000);
	return done_testing();
}
