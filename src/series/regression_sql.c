/*
 * Regressions of one series on another: granger, granger_orders,
 * forecast_gain, partial_correlation, distributed_lag, dose_response.  SQL
 * glue.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "common/compat.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type_d.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "common/memory.h"
#include "common/rows.h"
#include "series/series_arguments.h"
#include "stats/distributed_lag.h"
#include "stats/distributions.h"
#include "stats/dose_response.h"
#include "stats/granger.h"
#include "stats/least_squares.h"
#include "stats/rates.h"

#define DEFAULT_ORDER	4		/* a fixed one: choosing it on the same data makes p too small */
#define DEFAULT_ORDERS	6

static TupleDesc
row_type(FunctionCallInfo fcinfo)
{
	TupleDesc	columns;

	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "function must return a row");
	return BlessTupleDesc(columns);
}

/* granger(x, y, lag_order) */
PG_FUNCTION_INFO_V1(am_granger_sql);
Datum
am_granger_sql(PG_FUNCTION_ARGS)
{
	AmSeries	x,
				y;
	AmGranger	granger;
	int			order;
	Datum		values[13];
	bool		nulls[13] = {false};

	if (!am_series_pair(fcinfo, &x, &y))
		PG_RETURN_NULL();
	order = am_series_integer(fcinfo, 2, "lag_order", DEFAULT_ORDER, 1,
							  Min(am_granger_largest_order(x.n), AM_LARGEST_ORDER), x.n, 5);
	am_granger(x.values, y.values, x.n, order, &granger);
	values[0] = Int64GetDatum((int64) granger.n);
	values[1] = Int32GetDatum((int) granger.df1);
	values[2] = Int32GetDatum((int) granger.df2);
	am_set_float(values, nulls, 3, granger.f);
	am_set_float(values, nulls, 4, granger.p);
	am_set_float(values, nulls, 5, granger.chi2_wald);
	am_set_float(values, nulls, 6, granger.p_wald);
	am_set_float(values, nulls, 7, granger.chi2_ssr);
	am_set_float(values, nulls, 8, granger.p_ssr);
	am_set_float(values, nulls, 9, granger.lr);
	am_set_float(values, nulls, 10, granger.p_lr);
	am_set_float(values, nulls, 11, granger.rss_own);
	am_set_float(values, nulls, 12, granger.rss_with_x);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(row_type(fcinfo), values, nulls)));
}

/* granger_orders(x, y, max_order) */
PG_FUNCTION_INFO_V1(am_granger_orders_sql);
Datum
am_granger_orders_sql(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	AmSeries	x,
				y;
	AmGrangerOrder *rows;
	int			largest;
	int			max_order;

	InitMaterializedSRF(fcinfo, 0);
	if (!am_series_pair(fcinfo, &x, &y))
		return (Datum) 0;
	largest = Min(am_granger_largest_order(x.n), AM_LARGEST_ORDER);
	max_order = am_series_integer(fcinfo, 2, "max_order", largest < 1 ? 1 : Min(largest, DEFAULT_ORDERS), 1, largest, x.n, 5);
	rows = am_palloc_array(AmGrangerOrder, max_order + 1);
	am_granger_orders(x.values, y.values, x.n, max_order, rows);
	for (int p = 0; p <= max_order; p++)
	{
		const AmGrangerOrder *row = &rows[p];
		Datum		values[9];
		bool		nulls[9] = {false};

		values[0] = Int32GetDatum(row->order);
		values[1] = Int64GetDatum((int64) row->n);
		am_set_float(values, nulls, 2, row->rss);
		am_set_float(values, nulls, 3, row->aic);
		am_set_float(values, nulls, 4, row->bic);
		am_set_float(values, nulls, 5, row->hq);
		values[6] = BoolGetDatum(row->best_aic);
		values[7] = BoolGetDatum(row->best_bic);
		values[8] = BoolGetDatum(row->best_hq);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* forecast_gain(x, y, lag_order) */
PG_FUNCTION_INFO_V1(am_forecast_gain_sql);
Datum
am_forecast_gain_sql(PG_FUNCTION_ARGS)
{
	AmSeries	x,
				y;
	AmForecastGain gain;
	int			order;
	Datum		values[8];
	bool		nulls[8] = {false};

	if (!am_series_pair(fcinfo, &x, &y))
		PG_RETURN_NULL();
	order = am_series_integer(fcinfo, 2, "lag_order", DEFAULT_ORDER, 1,
							  Min(am_forecast_largest_order(x.n), AM_LARGEST_ORDER), x.n, 9);
	am_forecast_gain(x.values, y.values, x.n, order, &gain);
	values[0] = Int64GetDatum((int64) gain.n);
	am_set_float(values, nulls, 1, gain.mse_own);
	am_set_float(values, nulls, 2, gain.mse_with_x);
	am_set_float(values, nulls, 3, gain.gain);
	am_set_float(values, nulls, 4, gain.clark_west);
	am_set_float(values, nulls, 5, gain.p_clark_west);
	am_set_float(values, nulls, 6, gain.diebold_mariano);
	am_set_float(values, nulls, 7, gain.p_diebold_mariano);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(row_type(fcinfo), values, nulls)));
}

/*
 * The controls: an array as long as x, or one with such an array in each row.
 * Returns how many there are.
 */
static int
read_controls(ArrayType *array, int n, const double ***controls)
{
	int			dimensions = ARR_NDIM(array);
	int			g = dimensions == 0 ? 0 : dimensions == 1 ? 1 : ARR_DIMS(array)[0];
	int			length = dimensions == 0 ? n : ARR_DIMS(array)[dimensions - 1];
	const double *values = (const double *) ARR_DATA_PTR(array);

	if (dimensions > 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("controls has %d dimensions", dimensions),
				 errhint("Give an array per control: ARRAY[array_agg(a ORDER BY period), array_agg(b ORDER BY period)].")));
	if (length != n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 dimensions == 1 ? errmsg("controls has %d values, x has %d", length, n) :
				 errmsg("controls has %d rows of %d values, x has %d values", g, length, n),
				 errhint("Give an array per control, each as long as x: ARRAY[array_agg(a ORDER BY period), array_agg(b ORDER BY period)].")));
	if (array_contains_nulls(array))
	{
		int			i = am_first_null(array);

		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("value %d of control %d is NULL", i % n + 1, i / n + 1),
				 errhint("Where no value means none, write coalesce(value, 0); else leave the row out of all arrays, with FILTER (WHERE value IS NOT NULL).")));
	}
	*controls = am_palloc_array(const double *, Max(g, 1));
	for (int j = 0; j < g; j++)
	{
		(*controls)[j] = values + (Size) j * n;
		for (int i = 0; i < n; i++)
			if (!isfinite((*controls)[j][i]))
				ereport(ERROR,
						(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						 errmsg("value %d of control %d is not a finite number", i + 1, j + 1),
						 errhint("Leave the row out of all arrays with FILTER, or put a number there.")));
	}
	return g;
}

/* partial_correlation(x, y, controls) */
PG_FUNCTION_INFO_V1(am_partial_correlation_sql);
Datum
am_partial_correlation_sql(PG_FUNCTION_ARGS)
{
	AmSeries	x,
				y;
	const double **controls;
	int			g;
	double		r,
				df,
				wide;
	Datum		values[7];
	bool		nulls[7] = {false};

	if (!am_series_pair(fcinfo, &x, &y) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	g = read_controls(PG_GETARG_ARRAYTYPE_P(2), x.n, &controls);
	if (g > AM_LARGEST_ORDER || g > x.n - 3)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%d controls are too many for %d values", g, x.n),
				 errhint("Give at least 3 more values than controls, and %d controls at most.", AM_LARGEST_ORDER)));
	df = (double) x.n - 2 - g;
	r = am_partial_correlation(x.values, y.values, controls, g, x.n);
	wide = df > 1 && fabs(r) < 1 ? AM_Z95 / sqrt(df - 1) : NAN;
	am_set_float(values, nulls, 0, r);
	am_set_float(values, nulls, 1, tanh(atanh(r) - wide));
	am_set_float(values, nulls, 2, tanh(atanh(r) + wide));
	am_set_float(values, nulls, 3, r * sqrt(df / ((1 - r) * (1 + r))));
	values[4] = Int32GetDatum((int) df);
	am_set_float(values, nulls, 5, am_correlation_p(r, df));
	values[6] = Int64GetDatum(x.n);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(row_type(fcinfo), values, nulls)));
}

/* distributed_lag(x, y, max_lag, degree, bandwidth) */
PG_FUNCTION_INFO_V1(am_distributed_lag_sql);
Datum
am_distributed_lag_sql(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	AmSeries	x,
				y;
	AmDistributedLag lags;
	int			largest,
				max_lag,
				degree,
				bandwidth;

	InitMaterializedSRF(fcinfo, 0);
	if (!am_series_pair(fcinfo, &x, &y))
		return (Datum) 0;
	largest = Min(am_distributed_lag_largest(x.n), AM_LARGEST_ORDER);
	max_lag = am_series_integer(fcinfo, 2, "max_lag", Max(Min(12, Min(x.n / 4, largest)), 0), 0, largest, x.n, 3);
	degree = PG_ARGISNULL(3) ? -1 : PG_GETARG_INT32(3);
	if (!PG_ARGISNULL(3) && (degree < 0 || degree > max_lag))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("degree is %d", degree),
				 errhint("Give 0 to max_lag, which is %d, for a polynomial in the lag, or NULL for coefficients without restriction.", max_lag)));
	bandwidth = am_series_integer(fcinfo, 4, "bandwidth", am_hac_bandwidth(x.n - max_lag), 0, x.n - max_lag - 1, x.n, 3);
	am_distributed_lag(x.values, y.values, x.n, max_lag, degree, &lags);
	am_distributed_lag_hac(&lags, x.values, y.values, x.n, max_lag, degree, bandwidth);
	for (int k = 0; k <= max_lag; k++)
	{
		double		t = lags.coefficient[k] / lags.error[k];
		double		hac_t = lags.coefficient[k] / lags.hac_error[k];
		double		quantile = am_t_quantile(0.975, lags.df);
		double		wide = lags.error[k] * quantile;
		double		hac_wide = lags.hac_error[k] * quantile;
		Datum		values[20];
		bool		nulls[20] = {false};

		values[0] = Int32GetDatum(k);
		am_set_float(values, nulls, 1, lags.coefficient[k]);
		am_set_float(values, nulls, 2, lags.error[k]);
		am_set_float(values, nulls, 3, lags.coefficient[k] - wide);
		am_set_float(values, nulls, 4, lags.coefficient[k] + wide);
		am_set_float(values, nulls, 5, isinf(t) ? 0 : am_t_two_sided(t, lags.df));
		am_set_float(values, nulls, 6, lags.cumulative[k]);
		am_set_float(values, nulls, 7, lags.cumulative_error[k]);
		am_set_float(values, nulls, 8, lags.mean_lag);
		am_set_float(values, nulls, 9, lags.rss);
		values[10] = Int32GetDatum(isnan(lags.df) ? 0 : (int) lags.df);
		nulls[10] = isnan(lags.df);
		values[11] = Int64GetDatum((int64) lags.n);
		am_set_float(values, nulls, 12, lags.f);
		am_set_float(values, nulls, 13, lags.p);
		am_set_float(values, nulls, 14, lags.hac_error[k]);
		am_set_float(values, nulls, 15, lags.coefficient[k] - hac_wide);
		am_set_float(values, nulls, 16, lags.coefficient[k] + hac_wide);
		am_set_float(values, nulls, 17, isinf(hac_t) ? 0 : am_t_two_sided(hac_t, lags.df));
		am_set_float(values, nulls, 18, lags.cumulative_hac_error[k]);
		values[19] = Int32GetDatum(bandwidth);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	am_distributed_lag_free(&lags);
	return (Datum) 0;
}

/* dose_response(x, y) */
PG_FUNCTION_INFO_V1(am_dose_response_sql);
Datum
am_dose_response_sql(PG_FUNCTION_ARGS)
{
	static const char *const names[AM_CURVES][2] = {
		{"linear", "a + b x"},
		{"logarithmic", "a + b ln(1 + x)"},
		{"quadratic", "a + b x + c x^2"},
		{"saturating", "a x / (b + x)"}
	};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	AmSeries	x,
				y;
	AmDoseResponse curves[AM_CURVES];

	InitMaterializedSRF(fcinfo, 0);
	if (!am_series_pair(fcinfo, &x, &y))
		return (Datum) 0;
	am_dose_response(x.values, y.values, x.n, curves);
	for (int c = 0; c < AM_CURVES; c++)
	{
		const AmDoseResponse *curve = &curves[c];
		Datum		values[9];
		bool		nulls[9] = {false};

		values[0] = CStringGetTextDatum(names[c][0]);
		values[1] = CStringGetTextDatum(names[c][1]);
		am_set_float(values, nulls, 2, curve->parameter[0]);
		am_set_float(values, nulls, 3, curve->parameter[1]);
		am_set_float(values, nulls, 4, curve->parameter[2]);
		am_set_float(values, nulls, 5, curve->rss);
		am_set_float(values, nulls, 6, curve->aic);
		values[7] = BoolGetDatum(curve->best);
		values[8] = Int64GetDatum(x.n);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
