/*
 * nearest_name(wanted text, names text[]): the name most like the one wanted,
 * for hints.  A name that contains the wanted one, or is contained in it,
 * comes first: duration means duration_seconds, not disposition.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "common/compat.h"

#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/varlena.h"

#define LONGEST_NAME	200		/* bytes; the server's levenshtein takes 255 characters */

PG_FUNCTION_INFO_V1(am_nearest_name);
Datum
am_nearest_name(PG_FUNCTION_ARGS)
{
	text	   *wanted = PG_GETARG_TEXT_PP(0);
	char	   *lower = asc_tolower(VARDATA_ANY(wanted), VARSIZE_ANY_EXHDR(wanted));
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(1);
	Datum	   *names;
	bool	   *nulls;
	int			n;
	int			best = -1;
	int			best_distance = 0;

	if (strlen(lower) > LONGEST_NAME)
		PG_RETURN_NULL();
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		text	   *name;
		char	   *other;
		int			distance;

		if (nulls[i])
			continue;
		name = DatumGetTextPP(names[i]);
		if (VARSIZE_ANY_EXHDR(name) > LONGEST_NAME)
			continue;
		other = asc_tolower(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
		distance = varstr_levenshtein(lower, strlen(lower), other, strlen(other), 1, 1, 1, true);
		if (*lower && *other && (strstr(other, lower) || strstr(lower, other)))
			distance -= LONGEST_NAME;
		if (best < 0 || distance < best_distance)
		{
			best = i;
			best_distance = distance;
		}
	}
	if (best < 0)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(names[best]);
}
