/*
 * See funnel_plan.h; and the functions of SQL that only read a specification.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "funnel/funnel_plan.h"

#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "nodes/primnodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "common/memory.h"
#include "funnel/funnel_explain.h"

/*
 * A stamp has 5 bits for the role, which leaves the times of all timestamps
 * up to the year 13555.  Funnels of more roles start their clock in the year
 * 1000: with 6 bits it ends in 10133, with 7 in 5566.
 */
#define LEAST_ROLE_BITS		5
#define LATER_ORIGIN		INT64CONST(-31556908800000000)	/* 1000-01-01 */

AmFunnelSpec *
am_funnel_parse(const text *spec_text)
{
	AmSpecFault fault;
	const char *string = VARDATA_ANY(spec_text);
	int			length = VARSIZE_ANY_EXHDR(spec_text);
	AmFunnelSpec *spec = am_funnel_spec_parse(string, length, &fault);

	if (!spec)
		ereport(ERROR,
				(errcode(fault.too_large ? ERRCODE_PROGRAM_LIMIT_EXCEEDED : ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid funnel specification at position %d: %s",
						pg_mbstrlen_with_len(string, (int) fault.offset) + 1, fault.message),
				 errdetail("The specification is \"%.*s\".",
						   pg_mbcliplen(string, length, 400), string),
				 fault.hint[0] ? errhint("%s", fault.hint) :
				 errhint("A specification looks like: call -> meeting -> (proposal | quote) -> won within 90 days")));
	return spec;
}

AmFunnelPlan *
am_funnel_plan_create(MemoryContext context, const text *spec_text)
{
	MemoryContext caller = MemoryContextSwitchTo(context);
	AmFunnelPlan *plan = palloc(sizeof(AmFunnelPlan));
	int			length = VARSIZE_ANY_EXHDR(spec_text);
	AmFunnelSpec *spec;

	plan->text = (text *) palloc(length + VARHDRSZ);
	SET_VARSIZE(plan->text, length + VARHDRSZ);
	memcpy(VARDATA(plan->text), VARDATA_ANY(spec_text), length);
	spec = plan->spec = am_funnel_parse(plan->text);

	plan->n_slots = 64;
	while (plan->n_slots < 4 * spec->n_kinds)
		plan->n_slots *= 2;
	plan->slots = palloc(plan->n_slots * sizeof(AmKindSlot));
	for (int i = 0; i < plan->n_slots; i++)
		plan->slots[i].length = -1;
	for (int i = 0; i < spec->n_kinds; i++)
	{
		const AmFunnelKind *kind = &spec->kinds[i];
		uint64		word = am_name_word(kind->name, kind->length);
		uint32		slot = am_kind_slot(plan, word, kind->length);

		while (plan->slots[slot].length >= 0)
			slot = (slot + 1) & (plan->n_slots - 1);
		plan->slots[slot] = (AmKindSlot) {word, kind->length, i};
	}

	plan->excluders = palloc0(Max(spec->n_roles, 1) * sizeof(char *));
	for (int role = 0; role < spec->n_roles; role++)
		if (spec->roles[role].excludes)
			plan->excluders[role] = am_funnel_role_kinds(spec, role);

	plan->role_bits = LEAST_ROLE_BITS;
	while ((1 << plan->role_bits) < spec->n_roles)
		plan->role_bits++;
	plan->origin = plan->role_bits == LEAST_ROLE_BITS ? MIN_TIMESTAMP : LATER_ORIGIN;
	plan->end = plan->origin + (INT64CONST(1) << (64 - plan->role_bits));
	MemoryContextSwitchTo(caller);
	return plan;
}

void
am_funnel_check_time(const AmFunnelPlan *plan, TimestampTz at, const char *what)
{
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("%s is infinite", what),
				 errhint("Leave such rows out: FILTER (WHERE isfinite(at)).")));
	if (!am_funnel_plan_has_time(plan, at))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("%s %s is out of range", what, timestamptz_to_str(at)),
				 plan->role_bits == LEAST_ROLE_BITS ?
				 errdetail("Times up to the year 13555 can be matched.") :
				 errdetail("A funnel of more than %d kinds that differ in what they fill or exclude matches times of the years 1000 to %d.",
						   1 << LEAST_ROLE_BITS, plan->role_bits == LEAST_ROLE_BITS + 1 ? 10133 : 5566),
				 errhint("Leave rows with such times out.")));
}

void
am_funnel_refuse_change(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s changes within a group", what),
			 errhint("Pass the same value for all rows, or GROUP BY it.")));
}

void
am_funnel_refuse_null_spec(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("funnel specification is null"),
			 errhint("A specification looks like: call -> meeting -> won within 90 days")));
}

char *
am_funnel_step_label(const AmFunnelSpec *spec, int step)
{
	if (spec->options & AM_FUNNEL_ANY_ORDER)
		return psprintf("%d of %d", step + 1, spec->n_steps);
	return pstrdup(spec->steps[step].label);
}

char *
am_funnel_role_kinds(const AmFunnelSpec *spec, int role)
{
	StringInfoData kinds;

	initStringInfo(&kinds);
	for (int i = 0; i < spec->n_kinds; i++)
		if (spec->kinds[i].role == role)
			appendStringInfo(&kinds, "%s%.*s", kinds.len > 0 ? " | " : "", spec->kinds[i].length, spec->kinds[i].name);
	return kinds.data;
}

/*
 * am_funnel_kinds(spec text, step integer) returns text[]: the kinds that fill
 * a step (from 1), or all kinds of the spec for step 0.
 */
PG_FUNCTION_INFO_V1(am_funnel_kinds);
Datum
am_funnel_kinds(PG_FUNCTION_ARGS)
{
	AmFunnelSpec *spec = am_funnel_parse(PG_GETARG_TEXT_PP(0));
	int			step = PG_GETARG_INT32(1);
	Datum	   *names = am_palloc_array(Datum, spec->n_kinds);
	int			n = 0;

	if (step < 0 || step > spec->n_steps)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no step %d", step),
				 errdetail("The funnel has %d steps.", spec->n_steps)));
	for (int i = 0; i < spec->n_kinds; i++)
		if (step == 0 || (spec->roles[spec->kinds[i].role].fills & (UINT64CONST(1) << (step - 1))))
			names[n++] = PointerGetDatum(cstring_to_text_with_len(spec->kinds[i].name, spec->kinds[i].length));
	PG_RETURN_ARRAYTYPE_P(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* am_funnel_steps(spec text) returns text[]: the names of the steps as rows show them */
PG_FUNCTION_INFO_V1(am_funnel_steps);
Datum
am_funnel_steps(PG_FUNCTION_ARGS)
{
	AmFunnelSpec *spec = am_funnel_parse(PG_GETARG_TEXT_PP(0));
	Datum		names[AM_FUNNEL_MAX_STEPS];

	for (int step = 0; step < spec->n_steps; step++)
		names[step] = CStringGetTextDatum(am_funnel_step_label(spec, step));
	PG_RETURN_ARRAYTYPE_P(construct_array(names, spec->n_steps, TEXTOID, -1, false, TYPALIGN_INT));
}

/* am_funnel_within(spec text) returns interval: the window of the whole funnel, NULL if it has none */
PG_FUNCTION_INFO_V1(am_funnel_within);
Datum
am_funnel_within(PG_FUNCTION_ARGS)
{
	AmFunnelSpec *spec = am_funnel_parse(PG_GETARG_TEXT_PP(0));
	Interval   *within;

	if (spec->within == AM_NO_LIMIT)
		PG_RETURN_NULL();
	within = palloc0(sizeof(Interval));
	within->time = spec->within;
	PG_RETURN_INTERVAL_P(within);
}

/* am_funnel_has_option(spec text, option text) returns boolean */
PG_FUNCTION_INFO_V1(am_funnel_has_option);
Datum
am_funnel_has_option(PG_FUNCTION_ARGS)
{
	AmFunnelSpec *spec = am_funnel_parse(PG_GETARG_TEXT_PP(0));
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	uint32		option = am_funnel_option(name);

	if (option == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is no option of a funnel", name)));
	PG_RETURN_BOOL((spec->options & option) != 0);
}

/* am_funnel_explain(spec text) returns text: the specification in words */
PG_FUNCTION_INFO_V1(am_funnel_explain_sql);
Datum
am_funnel_explain_sql(PG_FUNCTION_ARGS)
{
	AmFunnelSpec *spec = am_funnel_parse(PG_GETARG_TEXT_PP(0));

	PG_RETURN_TEXT_P(cstring_to_text(am_funnel_explain(spec)));
}
