/*
 * Series by themselves and beside each other, by lag: difference, acf, ar_fit,
 * ccf, prewhitened_ccf, p_adjust.  SQL glue.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "common/compat.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type_d.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "common/memory.h"
#include "common/rows.h"
#include "series/series_arguments.h"
#include "stats/autoregression.h"
#include "stats/lag_correlation.h"
#include "stats/multiplicity.h"
#include "stats/rates.h"
#include "stats/series.h"

/* an array of doubles; what is not defined is NULL */
static Datum
float_array(const double *values, int n)
{
	Datum	   *datums = am_palloc_array(Datum, Max(n, 1));
	bool	   *nulls = am_palloc_array(bool, Max(n, 1));
	int			lower = 1;

	for (int i = 0; i < n; i++)
		am_set_float(datums, nulls, i, values[i]);
	return PointerGetDatum(n == 0 ? construct_empty_array(FLOAT8OID) :
						   construct_md_array(datums, nulls, 1, &n, &lower, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* a quarter of the values, at most 12 */
static int
default_lag(int n)
{
	return Min(12, n / 4);
}

/* difference(x, d, times) */
PG_FUNCTION_INFO_V1(am_difference_sql);
Datum
am_difference_sql(PG_FUNCTION_ARGS)
{
	AmSeries	x;
	double	   *differenced;
	int			distance = am_series_integer(fcinfo, 1, "d", 1, 1, PG_INT32_MAX, 0, 0);
	int			times = am_series_integer(fcinfo, 2, "times", 1, 0, PG_INT32_MAX, 0, 0);
	int			n;

	if (!am_series_argument(fcinfo, 0, "x", &x))
		PG_RETURN_NULL();
	differenced = am_palloc_array(double, Max(x.n, 1));
	n = (int) am_difference(x.values, x.n, distance, times, differenced);
	for (int i = 0; i < n; i++)
		if (!isfinite(differenced[i]))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("a difference of values %d to %d of x is out of range", i + 1, (int) (i + 1 + (int64) distance * times)),
					 errhint("Divide the values by a power of ten.")));
	PG_RETURN_DATUM(float_array(differenced, n));
}

/* p_adjust(p, method): NULLs stay, and do not count */
PG_FUNCTION_INFO_V1(am_p_adjust_sql);
Datum
am_p_adjust_sql(PG_FUNCTION_ARGS)
{
	static const char *const words[] = {"bonferroni", "holm", "hochberg", "bh", "by", "sidak", "fdr"};
	static const AmAdjustment methods[] = {AM_ADJUST_BONFERRONI, AM_ADJUST_HOLM, AM_ADJUST_HOCHBERG,
	AM_ADJUST_BH, AM_ADJUST_BY, AM_ADJUST_SIDAK, AM_ADJUST_BH};
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	AmAdjustment method = methods[am_series_word("method", text_to_cstring(PG_GETARG_TEXT_PP(1)), words, lengthof(words),
												 "bonferroni, holm, hochberg, bh (or fdr), by, sidak")];
	Datum	   *datums;
	bool	   *nulls;
	double	   *p;
	int			n;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("p has %d dimensions", ARR_NDIM(array)),
				 errhint("Give the p of all tests of one family in one array: array_agg(p).")));
	deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &datums, &nulls, &n);
	p = am_palloc_array(double, Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		p[i] = nulls[i] ? NAN : DatumGetFloat8(datums[i]);
		if (!nulls[i] && !(p[i] >= 0 && p[i] <= 1))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("value %d of p is %s", i + 1, isnan(p[i]) ? "NaN" : psprintf("%g", p[i])),
					 errhint("A p-value is from 0 to 1, or NULL where there is no test.")));
	}
	am_p_adjust(p, n, method, p);
	PG_RETURN_DATUM(float_array(p, n));
}

/* acf(x, max_lag) */
PG_FUNCTION_INFO_V1(am_acf_sql);
Datum
am_acf_sql(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	AmSeries	x;
	double	   *acf,
			   *partial;
	int			max_lag;

	InitMaterializedSRF(fcinfo, 0);
	if (!am_series_argument(fcinfo, 0, "x", &x))
		return (Datum) 0;
	am_series_not_empty(&x);
	max_lag = am_series_integer(fcinfo, 1, "max_lag", am_ar_default_order(x.n), 0, x.n - 1, x.n, 1);
	acf = am_palloc_array(double, max_lag + 1);
	partial = am_palloc_array(double, max_lag + 1);
	am_acf(x.values, x.n, max_lag, acf);
	am_pacf(x.values, x.n, max_lag, partial);
	for (int k = 0; k <= max_lag; k++)
	{
		Datum		values[4];
		bool		nulls[4] = {false};

		values[0] = Int32GetDatum(k);
		am_set_float(values, nulls, 1, acf[k]);
		am_set_float(values, nulls, 2, partial[k]);
		am_set_float(values, nulls, 3, AM_Z95 / sqrt((double) x.n));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* ar_fit(x, order_max, method) */
PG_FUNCTION_INFO_V1(am_ar_fit_sql);
Datum
am_ar_fit_sql(PG_FUNCTION_ARGS)
{
	static const char *const words[] = {"yule-walker", "burg", "yw"};
	AmSeries	x;
	AmAutoregression ar;
	int			method;
	int			order_max;
	bool		defined;
	TupleDesc	columns;
	Datum		values[6];
	bool		nulls[6] = {false};

	if (!am_series_argument(fcinfo, 0, "x", &x) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	am_series_not_empty(&x);
	order_max = am_series_integer(fcinfo, 1, "order_max", am_ar_default_order(x.n), 0, x.n - 1, x.n, 1);
	method = am_series_word("method", text_to_cstring(PG_GETARG_TEXT_PP(2)), words, lengthof(words), "yule-walker (or yw), burg");
	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "ar_fit must return a row");

	defined = am_autoregression(&ar, x.values, x.n, order_max, method == 1 ? AM_AR_BURG : AM_AR_YULE_WALKER);
	values[0] = Int32GetDatum(ar.order);
	values[1] = defined ? float_array(ar.phi, ar.order) : (Datum) 0;
	nulls[0] = nulls[1] = !defined;
	am_set_float(values, nulls, 2, ar.mean);
	am_set_float(values, nulls, 3, ar.var_pred);
	values[4] = Int32GetDatum(order_max);
	values[5] = Int64GetDatum(x.n);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls)));
}

/* ccf(x, y, max_lag) */
PG_FUNCTION_INFO_V1(am_ccf_sql);
Datum
am_ccf_sql(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	AmSeries	x,
				y;
	AmCcfRow   *rows;
	int			max_lag;

	InitMaterializedSRF(fcinfo, 0);
	if (!am_series_pair(fcinfo, &x, &y))
		return (Datum) 0;
	max_lag = am_series_integer(fcinfo, 2, "max_lag", default_lag(x.n), 0, x.n - 1, x.n, 1);
	rows = am_palloc_array(AmCcfRow, 2 * (Size) max_lag + 1);
	am_ccf(x.values, y.values, x.n, max_lag, rows);
	for (int64 i = 0; i < 2 * (int64) max_lag + 1; i++)
	{
		const AmCcfRow *row = &rows[i];
		Datum		values[12];
		bool		nulls[12] = {false};

		values[0] = Int32GetDatum(row->lag);
		values[1] = Int64GetDatum((int64) row->n);
		am_set_float(values, nulls, 2, row->r_n);
		am_set_float(values, nulls, 3, row->r_nk);
		am_set_float(values, nulls, 4, row->r);
		am_set_float(values, nulls, 5, row->low);
		am_set_float(values, nulls, 6, row->high);
		am_set_float(values, nulls, 7, row->p);
		am_set_float(values, nulls, 8, row->n_eff);
		am_set_float(values, nulls, 9, row->p_eff);
		am_set_float(values, nulls, 10, row->n_eff_ar1);
		am_set_float(values, nulls, 11, row->p_eff_ar1);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* prewhitened_ccf(x, y, max_lag) */
PG_FUNCTION_INFO_V1(am_prewhitened_ccf_sql);
Datum
am_prewhitened_ccf_sql(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	AmSeries	x,
				y;
	AmPrewhitened summary;
	AmPrewhitenedRow *rows;
	bool		defined;
	int			max_lag;

	InitMaterializedSRF(fcinfo, 0);
	if (!am_series_pair(fcinfo, &x, &y))
		return (Datum) 0;
	max_lag = am_series_integer(fcinfo, 2, "max_lag", default_lag(x.n), 0, x.n - 1, x.n, 1);
	rows = am_palloc_array(AmPrewhitenedRow, 2 * (Size) max_lag + 1);
	defined = am_prewhitened_ccf(x.values, y.values, x.n, max_lag, &summary, rows);
	for (int64 i = 0; i < 2 * (int64) max_lag + 1; i++)
	{
		const AmPrewhitenedRow *row = &rows[i];
		Datum		values[9];
		bool		nulls[9] = {false};

		values[0] = Int32GetDatum(row->lag);
		values[1] = Int64GetDatum((int64) row->n);
		am_set_float(values, nulls, 2, row->r);
		am_set_float(values, nulls, 3, row->low);
		am_set_float(values, nulls, 4, row->high);
		am_set_float(values, nulls, 5, row->p);
		am_set_float(values, nulls, 6, row->p_holm);
		am_set_float(values, nulls, 7, summary.band95);
		values[8] = Int32GetDatum(summary.order);
		nulls[8] = !defined;
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
