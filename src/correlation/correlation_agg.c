/*
 * pearson(x, y), spearman(x, y) and kendall(x, y): SQL glue.
 *
 * pearson() keeps exact sums, a few hundred bytes for any number of rows.
 * Ranks need the pairs themselves: the other two keep a bag of them.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "common/compat.h"

#include <math.h>

#include "access/htup_details.h"
#include "common/int.h"
#include "fmgr.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "utils/memutils.h"

#include "common/am_host.h"
#include "common/memory.h"
#include "common/rows.h"
#include "correlation/pair_bag.h"
#include "correlation/pair_sort.h"
#include "stats/correlation.h"

#define STATE_VERSION	1

static MemoryContext
state_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "function of a correlation called outside an aggregate");
	return context;
}

static pg_noinline void
refuse_value(const char *name, double value)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("%s is %g", name, value),
			 errhint("Leave such rows out with FILTER, or give NULL where the value is not known.")));
}

/* false if x or y is NULL */
static inline bool
read_pair(FunctionCallInfo fcinfo, double *x, double *y)
{
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return false;
	*x = PG_GETARG_FLOAT8(1);
	*y = PG_GETARG_FLOAT8(2);
	if (unlikely(!isfinite(*x)))
		refuse_value("x", *x);
	if (unlikely(!isfinite(*y)))
		refuse_value("y", *y);
	return true;
}

static void
read_version(StringInfo in)
{
	int			version = in->len > in->cursor ? pq_getmsgbyte(in) : 0;

	if (version != STATE_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("cannot read a correlation of version %d", version)));
}

/* Looked up once for all groups */
static TupleDesc
result_columns(FunctionCallInfo fcinfo)
{
	TupleDesc	columns = fcinfo->flinfo->fn_extra;

	if (!columns)
	{
		MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "a correlation must return a row");
		columns = BlessTupleDesc(columns);
		fcinfo->flinfo->fn_extra = columns;
		MemoryContextSwitchTo(caller);
	}
	return columns;
}

static Datum
result(FunctionCallInfo fcinfo, const AmCorrelation *correlation)
{
	Datum		values[5];
	bool		nulls[5] = {false};

	am_set_float(values, nulls, 0, correlation->r);
	am_set_float(values, nulls, 1, correlation->p);
	am_set_float(values, nulls, 2, correlation->low);
	am_set_float(values, nulls, 3, correlation->high);
	values[4] = Int64GetDatum(correlation->n);
	return HeapTupleGetDatum(heap_form_tuple(result_columns(fcinfo), values, nulls));
}

/*
 * pearson
 */
static AmMoments *
moments_argument(FunctionCallInfo fcinfo)
{
	MemoryContext caller;
	AmMoments  *moments;

	if (!PG_ARGISNULL(0))
		return (AmMoments *) PG_GETARG_POINTER(0);
	caller = MemoryContextSwitchTo(state_context(fcinfo));
	moments = am_moments_create();
	MemoryContextSwitchTo(caller);
	return moments;
}

static pg_noinline AmMoments *
widen(FunctionCallInfo fcinfo, AmMoments *moments, double x, double y)
{
	MemoryContext caller = MemoryContextSwitchTo(state_context(fcinfo));

	moments = am_moments_put(moments, x, y);
	MemoryContextSwitchTo(caller);
	return moments;
}

/* Always returns a state: moving aggregates may not return NULL */
PG_FUNCTION_INFO_V1(am_pearson_trans);
Datum
am_pearson_trans(PG_FUNCTION_ARGS)
{
	AmMoments  *moments = moments_argument(fcinfo);
	double		x;
	double		y;

	if (read_pair(fcinfo, &x, &y) && unlikely(!am_moments_add(moments, x, y)))
		moments = widen(fcinfo, moments, x, y);
	PG_RETURN_POINTER(moments);
}

PG_FUNCTION_INFO_V1(am_pearson_inverse);
Datum
am_pearson_inverse(PG_FUNCTION_ARGS)
{
	AmMoments  *moments = moments_argument(fcinfo);
	double		x;
	double		y;

	if (read_pair(fcinfo, &x, &y))
		am_moments_subtract(moments, x, y);
	PG_RETURN_POINTER(moments);
}

/* Format: byte version, int64 n, int16 each base and words of x and of y, then the sums, each word an int64 */
PG_FUNCTION_INFO_V1(am_pearson_serial);
Datum
am_pearson_serial(PG_FUNCTION_ARGS)
{
	const AmMoments *moments = (const AmMoments *) PG_GETARG_POINTER(0);
	Size		words = am_moments_words(moments->x_words, moments->y_words);
	StringInfoData out;

	pq_begintypsend(&out);
	pq_sendbyte(&out, STATE_VERSION);
	pq_sendint64(&out, moments->n);
	pq_sendint16(&out, moments->x_base);
	pq_sendint16(&out, moments->x_words);
	pq_sendint16(&out, moments->y_base);
	pq_sendint16(&out, moments->y_words);
	for (Size i = 0; i < words; i++)
		pq_sendint64(&out, (int64) moments->sums[i]);
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

#define SERIAL_HEADER	(sizeof(int64) + 4 * sizeof(int16))

static AmMoments *
read_moments(StringInfo in)
{
	Size		words;
	AmMoments  *moments;

	read_version(in);
	words = in->len - in->cursor < (int) SERIAL_HEADER ? 0 : (in->len - in->cursor - SERIAL_HEADER) / sizeof(uint64);
	if (in->len - in->cursor != (int) (SERIAL_HEADER + words * sizeof(uint64)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("cannot read the sums of a correlation"),
				 errdetail("They are cut off.")));
	moments = palloc(offsetof(AmMoments, sums) + words * sizeof(uint64));
	moments->n = pq_getmsgint64(in);
	moments->x_base = (int16) pq_getmsgint(in, 2);
	moments->x_words = (int16) pq_getmsgint(in, 2);
	moments->y_base = (int16) pq_getmsgint(in, 2);
	moments->y_words = (int16) pq_getmsgint(in, 2);
	for (Size i = 0; i < words; i++)
		moments->sums[i] = (uint64) pq_getmsgint64(in);
	if (!am_moments_valid(moments, words))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("cannot read the sums of a correlation"),
				 errdetail("They are no sums of numbers.")));
	return moments;
}

/* The other state is always one from am_state_deserial: partial plans serialise whatever they pass on */
PG_FUNCTION_INFO_V1(am_pearson_combine);
Datum
am_pearson_combine(PG_FUNCTION_ARGS)
{
	AmMoments  *moments = moments_argument(fcinfo);

	if (!PG_ARGISNULL(1))
	{
		AmMoments  *other = read_moments((StringInfo) PG_GETARG_POINTER(1));
		MemoryContext caller;
		int64		n;

		if (pg_add_s64_overflow(moments->n, other->n, &n))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					 errmsg("cannot read the sums of a correlation"),
					 errdetail("There are too many pairs.")));
		caller = MemoryContextSwitchTo(state_context(fcinfo));
		moments = am_moments_merge(moments, other);
		MemoryContextSwitchTo(caller);
		pfree(other);
	}
	PG_RETURN_POINTER(moments);
}

PG_FUNCTION_INFO_V1(am_pearson_final);
Datum
am_pearson_final(PG_FUNCTION_ARGS)
{
	const AmMoments *moments;
	AmCorrelation correlation;

	state_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	moments = (const AmMoments *) PG_GETARG_POINTER(0);
	if (moments->n == 0)
		PG_RETURN_NULL();
	correlation = am_pearson_test(moments);
	PG_RETURN_DATUM(result(fcinfo, &correlation));
}

/*
 * spearman and kendall
 */
PG_FUNCTION_INFO_V1(am_pairs_trans);
Datum
am_pairs_trans(PG_FUNCTION_ARGS)
{
	AmPairBag  *bag = PG_ARGISNULL(0) ? NULL : (AmPairBag *) PG_GETARG_POINTER(0);
	double		x;
	double		y;

	if (!read_pair(fcinfo, &x, &y))
	{
		if (!bag)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(bag);
	}
	if (!bag)
		bag = am_pair_bag_create(state_context(fcinfo));
	am_pair_bag_add(fcinfo, bag, x, y);
	PG_RETURN_POINTER(bag);
}

/* Format: byte version, the bag */
PG_FUNCTION_INFO_V1(am_pairs_serial);
Datum
am_pairs_serial(PG_FUNCTION_ARGS)
{
	StringInfoData out;

	state_context(fcinfo);
	pq_begintypsend(&out);
	pq_sendbyte(&out, STATE_VERSION);
	am_pair_bag_serialize((AmPairBag *) PG_GETARG_POINTER(0), &out);
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

PG_FUNCTION_INFO_V1(am_pairs_combine);
Datum
am_pairs_combine(PG_FUNCTION_ARGS)
{
	AmPairBag  *bag = PG_ARGISNULL(0) ? NULL : (AmPairBag *) PG_GETARG_POINTER(0);

	if (!PG_ARGISNULL(1))
	{
		StringInfo	in = (StringInfo) PG_GETARG_POINTER(1);

		if (!bag)
			bag = am_pair_bag_create(state_context(fcinfo));
		read_version(in);
		am_pair_bag_absorb(fcinfo, bag, in);
	}
	if (!bag)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(bag);
}

/* The bag as it was, if it has pairs, and copies of those in memory to work on; NULL without a bag */
static AmPairBag *
bag_argument(FunctionCallInfo fcinfo, AmPair **copy, AmPair **scratch)
{
	AmPairBag  *bag = PG_ARGISNULL(0) ? NULL : (AmPairBag *) PG_GETARG_POINTER(0);

	state_context(fcinfo);
	if (!bag || bag->total == 0)
		return NULL;
	if (!bag->file)
	{
		*copy = am_palloc_array(AmPair, bag->n);
		*scratch = am_palloc_array(AmPair, bag->n);
		memcpy(*copy, bag->pairs, bag->n * sizeof(AmPair));
	}
	return bag;
}

PG_FUNCTION_INFO_V1(am_spearman_final);
Datum
am_spearman_final(PG_FUNCTION_ARGS)
{
	AmPair	   *pairs = NULL;
	AmPair	   *scratch = NULL;
	AmPairBag  *bag = bag_argument(fcinfo, &pairs, &scratch);
	AmMoments  *ranks;
	AmCorrelation correlation;

	if (!bag)
		PG_RETURN_NULL();
	if (bag->file)
		ranks = am_spilled_rank_moments(bag);
	else
	{
		ranks = am_rank_moments(pairs, scratch, bag->n);
		pfree(pairs);
		pfree(scratch);
	}
	correlation = am_spearman_test(ranks);
	pfree(ranks);
	PG_RETURN_DATUM(result(fcinfo, &correlation));
}

PG_FUNCTION_INFO_V1(am_kendall_final);
Datum
am_kendall_final(PG_FUNCTION_ARGS)
{
	AmPair	   *pairs = NULL;
	AmPair	   *scratch = NULL;
	AmPairBag  *bag = bag_argument(fcinfo, &pairs, &scratch);
	AmKendall	counts;
	AmCorrelation correlation;

	if (!bag)
		PG_RETURN_NULL();
	if (bag->file)
		am_spilled_kendall(bag, &counts);
	else
	{
		am_kendall_count(&counts, pairs, scratch, bag->n);
		pfree(pairs);
		pfree(scratch);
	}
	correlation = am_kendall_test(&counts);
	PG_RETURN_DATUM(result(fcinfo, &correlation));
}
