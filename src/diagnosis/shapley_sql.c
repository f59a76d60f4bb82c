/*
 * Splits of a gap: SQL glue.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "common/compat.h"

#include <float.h>
#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "common/memory.h"
#include "common/rows.h"
#include "diagnosis/shapley.h"
#include "stats/binomial.h"

typedef struct Numbers
{
	const char *name;
	double	   *values;			/* NaN = NULL */
	int			n;
} Numbers;

/* An array of finite numbers of at least `least`, NULLs where they are allowed */
static Numbers
read_numbers(FunctionCallInfo fcinfo, int argument, const char *name, double least, bool nulls_allowed)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(argument);
	Datum	   *datums;
	bool	   *nulls;
	Numbers		numbers = {name, NULL, 0};

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is an array of %d dimensions", name, ARR_NDIM(array)),
				 errhint("Give one number for each factor: ARRAY[400, 0.1, 0.25].")));
	deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &datums, &nulls, &numbers.n);
	numbers.values = am_palloc_array(double, (Size) numbers.n + 1);
	for (int i = 0; i < numbers.n; i++)
	{
		if (nulls[i] && !nulls_allowed)
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("value %d of %s is null", i + 1, name),
					 errhint("Each factor has a value before and after.")));
		numbers.values[i] = nulls[i] ? NAN : DatumGetFloat8(datums[i]);
		if (!nulls[i] && !(numbers.values[i] >= least && isfinite(numbers.values[i])))
			ereport(ERROR,
					(errcode(isfinite(numbers.values[i]) ? ERRCODE_INVALID_PARAMETER_VALUE : ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("value %d of %s is %g", i + 1, name, numbers.values[i]),
					 isfinite(numbers.values[i]) ? errhint("It has to be at least 0.") : errhint("Give numbers that are finite.")));
	}
	return numbers;
}

static void
check_same_length(const Numbers *a, const Numbers *b, int most)
{
	if (a->n != b->n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s has %d values, %s has %d", a->name, a->n, b->name, b->n),
				 errhint("Give the same factors, in the same order, in both.")));
	if (a->n == 0 || a->n > most)
		ereport(ERROR,
				(errcode(a->n == 0 ? ERRCODE_INVALID_PARAMETER_VALUE : ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s has %d values", a->name, a->n),
				 errhint("Give 1 to %d.", most)));
}

static Datum
float_array(const double *values, int n)
{
	Datum	   *datums = am_palloc_array(Datum, (Size) n + 1);

	for (int i = 0; i < n; i++)
		datums[i] = Float8GetDatum(values[i]);
	return PointerGetDatum(construct_array(datums, n, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static void
check_finite(const double *values, int n)
{
	for (int i = 0; i < n; i++)
		if (!isfinite(values[i]))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("a product of the factors is out of range"),
					 errhint("Divide the factors by powers of ten.")));
}

static Datum
split(FunctionCallInfo fcinfo, double least, void (*method) (const double *, const double *, int, double *))
{
	Numbers		before = read_numbers(fcinfo, 0, "before", least, false);
	Numbers		after = read_numbers(fcinfo, 1, "after", least, false);
	double		effects[AM_SHAPLEY_MAX];

	check_same_length(&before, &after, AM_SHAPLEY_MAX);
	method(before.values, after.values, before.n, effects);
	check_finite(effects, before.n);
	return float_array(effects, before.n);
}

PG_FUNCTION_INFO_V1(am_shapley_split_sql);
Datum
am_shapley_split_sql(PG_FUNCTION_ARGS)
{
	return split(fcinfo, -DBL_MAX, am_shapley_split);
}

PG_FUNCTION_INFO_V1(am_lmdi_split_sql);
Datum
am_lmdi_split_sql(PG_FUNCTION_ARGS)
{
	return split(fcinfo, 0, am_lmdi_split);
}

/* chain_split(before, after, method): totals of a chain to factors and effects */
PG_FUNCTION_INFO_V1(am_chain_split_sql);
Datum
am_chain_split_sql(PG_FUNCTION_ARGS)
{
	Numbers		before = read_numbers(fcinfo, 0, "before", 0, false);
	Numbers		after = read_numbers(fcinfo, 1, "after", 0, false);
	char	   *method = text_to_cstring(PG_GETARG_TEXT_PP(2));
	bool		lmdi = pg_strcasecmp(method, "lmdi") == 0;
	double		factors_before[AM_SHAPLEY_MAX];
	double		factors_after[AM_SHAPLEY_MAX];
	double		effects[AM_SHAPLEY_MAX];
	double		gap;
	TupleDesc	columns;
	Datum		values[3];
	bool		nulls[3] = {false};

	if (!lmdi && pg_strcasecmp(method, "shapley") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown method \"%s\"", method),
				 errhint("Methods are shapley and lmdi.")));
	check_same_length(&before, &after, AM_SHAPLEY_MAX);
	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "chain_split must return a row");
	if (!am_chain_factors(before.values, after.values, before.n, factors_before, factors_after))
		nulls[0] = nulls[1] = nulls[2] = true;
	else
	{
		gap = after.values[before.n - 1] - before.values[before.n - 1];
		if (lmdi)
			am_lmdi_gap(factors_before, factors_after, before.n, gap, effects);
		else
			am_shapley_gap(factors_before, factors_after, before.n, gap, effects);
		check_finite(effects, before.n);
		check_finite(factors_before, before.n);
		check_finite(factors_after, before.n);
		values[0] = float_array(factors_before, before.n);
		values[1] = float_array(factors_after, before.n);
		values[2] = float_array(effects, before.n);
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls)));
}

/* mix_split(before_activity, before_quality, after_activity, after_quality) */
PG_FUNCTION_INFO_V1(am_mix_split_sql);
Datum
am_mix_split_sql(PG_FUNCTION_ARGS)
{
	Numbers		before_activity = read_numbers(fcinfo, 0, "before_activity", 0, false);
	Numbers		before_quality = read_numbers(fcinfo, 1, "before_quality", 0, true);
	Numbers		after_activity = read_numbers(fcinfo, 2, "after_activity", 0, false);
	Numbers		after_quality = read_numbers(fcinfo, 3, "after_quality", 0, true);
	double		effects[3];
	double		outcomes[2];
	TupleDesc	columns;
	Datum		values[5];
	bool		nulls[5] = {false};

	check_same_length(&before_activity, &after_activity, PG_INT32_MAX);
	check_same_length(&before_activity, &before_quality, PG_INT32_MAX);
	check_same_length(&before_activity, &after_quality, PG_INT32_MAX);
	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "mix_split must return a row");
	/* a unit that did nothing has no quality, whatever is given */
	for (int i = 0; i < before_activity.n; i++)
	{
		if (before_activity.values[i] == 0)
			before_quality.values[i] = NAN;
		if (after_activity.values[i] == 0)
			after_quality.values[i] = NAN;
	}
	am_mix_split(before_activity.values, before_quality.values, after_activity.values, after_quality.values,
				 before_activity.n, effects, &outcomes[0], &outcomes[1]);
	check_finite(effects, 3);
	check_finite(outcomes, 2);
	for (int i = 0; i < 3; i++)
		am_set_float(values, nulls, i, effects[i]);
	am_set_float(values, nulls, 3, outcomes[0]);
	am_set_float(values, nulls, 4, outcomes[1]);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls)));
}

PG_FUNCTION_INFO_V1(am_same_yield_sql);
Datum
am_same_yield_sql(PG_FUNCTION_ARGS)
{
	double		p = am_same_yield_p(PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(3));

	if (isnan(p))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(p);
}
