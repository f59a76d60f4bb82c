/*
 * Runs that fit into memory are sorted there and written to a temporary file;
 * then FAN_IN runs at a time are merged until one is left.  The server's
 * tuplesort would not do: it cannot count the exchanges that Kendall's tau is
 * made of.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "correlation/pair_sort.h"

#include "miscadmin.h"

#include "common/memory.h"

#define FAN_IN			64
#define CURSOR_PAIRS	(BLCKSZ / sizeof(AmPair))

/* Reads pairs first .. end - 1 of a file, which others read and write too */
typedef struct Cursor
{
	BufFile    *file;
	int64		next;			/* to be read from the file */
	int64		end;
	AmPair	   *pairs;			/* read ahead */
	Size		n;
	Size		at;
	Size		max;
} Cursor;

typedef struct PairSort
{
	bool		then_y;
	Size		budget;
	uint64		exchanges;
	AmPair	   *pairs;			/* of the run in hand */
	AmPair	   *scratch;
	Size		n;
	Size		max;
	BufFile    *file;
	int64	   *ends;			/* of the runs in the file */
	Size		n_runs;
	Size		max_runs;
} PairSort;

static void
seek(BufFile *file, int64 pair)
{
	if (BufFileSeek(file, 0, (off_t) (pair * sizeof(AmPair)), SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not seek in a temporary file of pairs")));
}

static void
cursor_init(Cursor *cursor, BufFile *file, int64 first, int64 end, AmPair *pairs, Size max)
{
	cursor->file = file;
	cursor->next = first;
	cursor->end = end;
	cursor->pairs = pairs;
	cursor->n = cursor->at = 0;
	cursor->max = max;
}

static bool
cursor_fill(Cursor *cursor)
{
	Size		n = (Size) Min((int64) cursor->max, cursor->end - cursor->next);

	if (n == 0)
		return false;
	CHECK_FOR_INTERRUPTS();
	seek(cursor->file, cursor->next);
	if (BufFileRead(cursor->file, cursor->pairs, n * sizeof(AmPair)) != n * sizeof(AmPair))
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read a temporary file of pairs")));
	cursor->next += n;
	cursor->n = n;
	cursor->at = 0;
	return true;
}

/* The pair to come, or NULL */
static inline AmPair *
cursor_peek(Cursor *cursor)
{
	if (cursor->at == cursor->n && !cursor_fill(cursor))
		return NULL;
	return &cursor->pairs[cursor->at];
}

static inline int64
cursor_left(const Cursor *cursor)
{
	return cursor->end - cursor->next + (int64) (cursor->n - cursor->at);
}

/*
 * Runs
 */
static void
sort_start(PairSort *sort, bool then_y)
{
	memset(sort, 0, sizeof(*sort));
	sort->then_y = then_y;
	/* an eighth for cursors and what else there is */
	sort->budget = am_budget() / 8 * 7;
	sort->max = sort->budget / (2 * sizeof(AmPair));
	sort->pairs = am_palloc_array(AmPair, sort->max);
	sort->scratch = am_palloc_array(AmPair, sort->max);
	sort->file = BufFileCreateTemp(false);
	sort->max_runs = 16;
	sort->ends = am_palloc_array(int64, sort->max_runs);
}

static void
end_run(PairSort *sort, int64 end)
{
	if (sort->n_runs == sort->max_runs)
	{
		sort->max_runs *= 2;
		sort->ends = repalloc_huge(sort->ends, mul_size(sort->max_runs, sizeof(int64)));
	}
	sort->ends[sort->n_runs++] = end;
}

static void
write_run(PairSort *sort)
{
	int64		start = sort->n_runs > 0 ? sort->ends[sort->n_runs - 1] : 0;

	if (sort->n == 0)
		return;
	sort->exchanges += am_sort_pairs(sort->pairs, sort->scratch, sort->n, sort->then_y);
	BufFileWrite(sort->file, sort->pairs, sort->n * sizeof(AmPair));
	end_run(sort, start + (int64) sort->n);
	sort->n = 0;
}

static inline void
sort_add(PairSort *sort, double x, double y)
{
	if (sort->n == sort->max)
		write_run(sort);
	sort->pairs[sort->n].x = x;
	sort->pairs[sort->n].y = y;
	sort->n++;
}

/*
 * Merging
 */
typedef struct Merge
{
	bool		then_y;
	int			n;				/* runs with something left */
	int			heap[FAN_IN];
	AmPair		heads[FAN_IN];
	int64		left[FAN_IN];	/* with the head */
	Cursor		cursors[FAN_IN];
} Merge;

/* An earlier run first where pairs are equal */
static inline bool
run_before(const Merge *merge, int a, int b)
{
	if (am_pair_before(&merge->heads[a], &merge->heads[b], merge->then_y))
		return true;
	return a < b && !am_pair_before(&merge->heads[b], &merge->heads[a], merge->then_y);
}

static void
sift_down(Merge *merge, int place)
{
	int			run = merge->heap[place];

	for (;;)
	{
		int			child = 2 * place + 1;

		if (child >= merge->n)
			break;
		if (child + 1 < merge->n && run_before(merge, merge->heap[child + 1], merge->heap[child]))
			child++;
		if (!run_before(merge, merge->heap[child], run))
			break;
		merge->heap[place] = merge->heap[child];
		place = child;
	}
	merge->heap[place] = run;
}

static bool
next_head(Merge *merge, int run)
{
	AmPair	   *pair = cursor_peek(&merge->cursors[run]);

	merge->left[run] = cursor_left(&merge->cursors[run]);
	if (!pair)
		return false;
	merge->heads[run] = *pair;
	merge->cursors[run].at++;
	return true;
}

/* Appends the merged runs first .. end - 1 of the sort's file to another; returns how many exchanges that is */
static uint64
merge_runs(PairSort *sort, Size first, Size end, BufFile *to, AmPair *buffers, Size block)
{
	Merge		merge;
	AmPair	   *out = buffers + FAN_IN * block;
	Size		n_out = 0;
	int64		start = first > 0 ? sort->ends[first - 1] : 0;
	uint64		exchanges = 0;

	merge.then_y = sort->then_y;
	merge.n = 0;
	for (int run = 0; first + run < end; run++)
	{
		cursor_init(&merge.cursors[run], sort->file, start, sort->ends[first + run], buffers + run * block, block);
		start = sort->ends[first + run];
		next_head(&merge, run);
		merge.heap[merge.n++] = run;
	}
	for (int place = merge.n / 2 - 1; place >= 0; place--)
		sift_down(&merge, place);

	while (merge.n > 0)
	{
		int			run = merge.heap[0];

		out[n_out++] = merge.heads[run];
		if (n_out == block)
		{
			BufFileWrite(to, out, n_out * sizeof(AmPair));
			n_out = 0;
		}
		/* it passes all that is left of earlier runs */
		for (int i = 0; i < run; i++)
			exchanges += (uint64) merge.left[i];
		if (!next_head(&merge, run))
			merge.heap[0] = merge.heap[--merge.n];
		if (merge.n > 0)
			sift_down(&merge, 0);
	}
	BufFileWrite(to, out, n_out * sizeof(AmPair));
	return exchanges;
}

/* Leaves one file, in order */
static void
sort_finish(PairSort *sort)
{
	Size		block;
	AmPair	   *buffers;

	write_run(sort);
	pfree(sort->pairs);
	pfree(sort->scratch);
	if (sort->n_runs < 2)
		return;
	block = Min(sort->budget / 2 / (FAN_IN + 1), 1024 * 1024) / BLCKSZ * BLCKSZ / sizeof(AmPair);
	buffers = am_palloc_array(AmPair, (FAN_IN + 1) * block);
	while (sort->n_runs > 1)
	{
		BufFile    *merged = BufFileCreateTemp(false);
		Size		n_runs = 0;

		for (Size first = 0; first < sort->n_runs; first += FAN_IN)
		{
			Size		end = Min(first + FAN_IN, sort->n_runs);

			sort->exchanges += merge_runs(sort, first, end, merged, buffers, block);
			sort->ends[n_runs++] = sort->ends[end - 1];
		}
		BufFileClose(sort->file);
		sort->file = merged;
		sort->n_runs = n_runs;
	}
	pfree(buffers);
}

static void
sort_end(PairSort *sort)
{
	BufFileClose(sort->file);
	pfree(sort->ends);
}

/*
 * What is read in order
 */
static void
sort_bag(PairSort *sort, AmPairBag *bag, bool then_y)
{
	AmPair		block[CURSOR_PAIRS];
	Cursor		cursor;
	AmPair	   *pair;

	am_pair_bag_flush(bag);
	sort_start(sort, then_y);
	cursor_init(&cursor, bag->file, 0, bag->total, block, CURSOR_PAIRS);
	while ((pair = cursor_peek(&cursor)) != NULL)
	{
		sort_add(sort, pair->x, pair->y);
		cursor.at++;
	}
	sort_finish(sort);
}

/* The pairs of a sort with ranks for their x: y and rank go to another sort, or to moments */
static AmMoments *
rank_and_turn(PairSort *sort, int64 n, PairSort *to)
{
	AmPair		block[CURSOR_PAIRS];
	AmPair		block_ahead[CURSOR_PAIRS];
	Cursor		cursor;
	Cursor		ahead;
	AmMoments  *moments = to ? NULL : am_moments_create();
	int64		first = 0;
	AmPair	   *pair;

	cursor_init(&cursor, sort->file, 0, n, block, CURSOR_PAIRS);
	cursor_init(&ahead, sort->file, 0, n, block_ahead, CURSOR_PAIRS);
	while ((pair = cursor_peek(&ahead)) != NULL)
	{
		double		x = pair->x;
		int64		equal = 0;
		double		rank;

		do
		{
			ahead.at++;
			equal++;
		} while ((pair = cursor_peek(&ahead)) != NULL && pair->x == x);
		rank = am_mid_rank((uint64) first, (uint64) equal, (uint64) n);
		for (first += equal; equal > 0; equal--)
		{
			pair = cursor_peek(&cursor);
			if (to)
				sort_add(to, pair->y, rank);
			else
				moments = am_moments_put(moments, pair->y, rank);
			cursor.at++;
		}
	}
	return moments;
}

AmMoments *
am_spilled_rank_moments(AmPairBag *bag)
{
	PairSort	by_x;
	PairSort	by_y;
	AmMoments  *moments;

	sort_bag(&by_x, bag, false);
	sort_start(&by_y, false);
	rank_and_turn(&by_x, bag->total, &by_y);
	sort_end(&by_x);
	sort_finish(&by_y);
	moments = rank_and_turn(&by_y, bag->total, NULL);
	sort_end(&by_y);
	return moments;
}

void
am_spilled_kendall(AmPairBag *bag, AmKendall *counts)
{
	AmPair		block[CURSOR_PAIRS];
	PairSort	by_x;
	PairSort	by_y;
	Cursor		cursor;
	AmPair	   *pair;

	am_kendall_start(counts);
	sort_bag(&by_x, bag, true);
	sort_start(&by_y, false);
	cursor_init(&cursor, by_x.file, 0, bag->total, block, CURSOR_PAIRS);
	for (; (pair = cursor_peek(&cursor)) != NULL; cursor.at++)
	{
		am_kendall_first(counts, pair);
		sort_add(&by_y, pair->y, pair->x);
	}
	am_kendall_first(counts, NULL);
	sort_end(&by_x);
	sort_finish(&by_y);
	counts->exchanges = by_y.exchanges;
	cursor_init(&cursor, by_y.file, 0, bag->total, block, CURSOR_PAIRS);
	for (; (pair = cursor_peek(&cursor)) != NULL; cursor.at++)
		am_kendall_second(counts, &pair->x);
	am_kendall_second(counts, NULL);
	sort_end(&by_y);
}
