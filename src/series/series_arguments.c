/*
 * See series_arguments.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "series/series_arguments.h"

#include <math.h>

#include "catalog/pg_type_d.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"

#define LONGEST_WORD	60

extern Datum am_nearest_name(PG_FUNCTION_ARGS);

int
am_first_null(const ArrayType *array)
{
	const bits8 *known = ARR_NULLBITMAP(array);
	int			i = 0;

	while (known[i / 8] & (1 << (i % 8)))
		i++;
	return i;
}

bool
am_series_argument(FunctionCallInfo fcinfo, int argument, const char *name, AmSeries *series)
{
	ArrayType  *array;

	if (PG_ARGISNULL(argument))
		return false;
	array = PG_GETARG_ARRAYTYPE_P(argument);
	Assert(ARR_ELEMTYPE(array) == FLOAT8OID);
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s has %d dimensions", name, ARR_NDIM(array)),
				 errhint("Give one value per period, in order of time: array_agg(value ORDER BY period).")));
	series->name = name;
	series->n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("value %d of %s is NULL", am_first_null(array) + 1, name),
				 errhint("Where no value means none, write coalesce(value, 0); else leave the period out of all arrays, with FILTER (WHERE value IS NOT NULL).")));
	/* all there, so they lie one after another */
	series->values = (const double *) ARR_DATA_PTR(array);
	for (int i = 0; i < series->n; i++)
		if (!isfinite(series->values[i]))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("value %d of %s is %s", i + 1, name,
							isnan(series->values[i]) ? "NaN" : series->values[i] > 0 ? "Infinity" : "-Infinity"),
					 errhint("Leave the period out of all arrays with FILTER, or put a number there.")));
	return true;
}

void
am_series_not_empty(const AmSeries *series)
{
	if (series->n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s has no values", series->name),
				 errhint("Give one value per period. NULL for the array gives NULL.")));
}

bool
am_series_pair(FunctionCallInfo fcinfo, AmSeries *x, AmSeries *y)
{
	bool		known = am_series_argument(fcinfo, 0, "x", x);

	if (!am_series_argument(fcinfo, 1, "y", y) || !known)
		return false;
	if (x->n != y->n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("x has %d values, y has %d", x->n, y->n),
				 errhint("Make both of the same rows in the same order: array_agg(x ORDER BY period), array_agg(y ORDER BY period).")));
	am_series_not_empty(x);
	return true;
}

int
am_series_integer(FunctionCallInfo fcinfo, int argument, const char *name, int otherwise,
				  int least, int most, int n, int needed)
{
	int			value = PG_ARGISNULL(argument) ? otherwise : PG_GETARG_INT32(argument);

	if (value >= least && value <= most)
		return value;
	if (value < least)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is %d", name, value),
				 errhint("Give %d or more.", least)));
	if (most < least)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is %d, but %d values are too few for any", name, value, n),
				 errhint("Give %d values or more, and leave shorter series out: HAVING count(*) >= %d.", needed, needed)));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s is %d, but with %d values it can be %d at most", name, value, n, most),
			 errhint("Give %d to %d, or more values.", least, most)));
}

int
am_series_word(const char *what, const char *word, const char *const *words, int n_words, const char *known)
{
	char	   *normal = pstrdup(word);
	Datum	   *names;
	char	   *nearest;

	for (char *c = normal; *c; c++)
		*c = *c == ' ' || *c == '_' ? '-' : (char) pg_ascii_tolower((unsigned char) *c);
	for (int i = 0; i < n_words; i++)
		if (strcmp(normal, words[i]) == 0)
			return i;

	names = (Datum *) palloc(n_words * sizeof(Datum));
	for (int i = 0; i < n_words; i++)
		names[i] = CStringGetTextDatum(words[i]);
	/* a longer word is like none of them */
	nearest = *normal == '\0' || strlen(normal) > LONGEST_WORD ? NULL :
		TextDatumGetCString(DirectFunctionCall2(am_nearest_name, CStringGetTextDatum(normal),
												PointerGetDatum(construct_array(names, n_words, TEXTOID, -1, false, TYPALIGN_INT))));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown %s \"%.*s\"", what, pg_mbcliplen(word, strlen(word), 200), word),
			 errdetail("Known are %s.", known),
			 nearest ? errhint("Did you mean \"%s\"?", nearest) : 0));
}
