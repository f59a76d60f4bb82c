--
-- Funnels: of those that took the first step, how many took the next ones, how fast, and why the rest stopped.
--

CREATE TYPE activity_metrics.funnel_step AS (
	step_no integer,
	step text,
	reached bigint,
	step_rate double precision,
	step_rate_low double precision,
	step_rate_high double precision,
	overall_rate double precision,
	overall_rate_low double precision,
	overall_rate_high double precision,
	still_open bigint,
	timed_out bigint,
	excluded bigint,
	broken bigint,
	eventual_rate double precision,
	median_days double precision,
	p90_days double precision,
	median_days_from_start double precision,
	note text,
	eventual_rate_low double precision,
	eventual_rate_high double precision,
	mean_days double precision,
	mean_days_from_start double precision,
	p90_days_from_start double precision,
	taken bigint,
	entities bigint,
	overall_eventual_rate double precision,
	overall_eventual_rate_low double precision,
	overall_eventual_rate_high double precision
);

COMMENT ON TYPE activity_metrics.funnel_step IS
'One step of a funnel. Rates are shares from 0 to 1 with 95 % Wilson intervals; reached = reached of the next step + still_open + timed_out + excluded + broken; eventual_rate treats open attempts as censored (Aalen-Johansen; Kaplan-Meier where nothing is excluded or broken); overall_eventual_rate is that from the first step to the last, in the row of the last step; times are days of 24 hours; taken: those that took the step, reached less those that skipped it; entities: reached, counted by entity (reached counts attempts with the option totals); note says why a value is NULL or zero, and what was left out.';

CREATE FUNCTION activity_metrics.funnel_serial(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'am_funnel_serial' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_serial(internal) IS 'Internal: serialises the state of funnel() for a parallel plan.';

CREATE FUNCTION activity_metrics.funnel_deserial(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'am_state_deserial' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_deserial(bytea, internal) IS 'Internal: reads what funnel_serial wrote.';

CREATE FUNCTION activity_metrics.funnel_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'am_funnel_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_combine(internal, internal) IS 'Internal: joins two states of funnel().';

CREATE FUNCTION activity_metrics.funnel_final(internal) RETURNS activity_metrics.funnel_step[]
AS 'MODULE_PATHNAME', 'am_funnel_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_final(internal) IS 'Internal: the result of funnel().';

CREATE FUNCTION activity_metrics.funnel_trans(internal, bigint, timestamptz, text, text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_funnel_int8_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_trans(internal, bigint, timestamptz, text, text) IS 'Internal: adds an event to the state of funnel().';

CREATE FUNCTION activity_metrics.funnel_trans(internal, bigint, timestamptz, text, text, timestamptz) RETURNS internal
AS 'MODULE_PATHNAME', 'am_funnel_int8_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_trans(internal, bigint, timestamptz, text, text, timestamptz) IS 'Internal: adds an event to the state of funnel().';

CREATE FUNCTION activity_metrics.funnel_trans(internal, bigint, timestamptz, text, text, timestamptz, timestamptz, timestamptz) RETURNS internal
AS 'MODULE_PATHNAME', 'am_funnel_int8_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_trans(internal, bigint, timestamptz, text, text, timestamptz, timestamptz, timestamptz) IS 'Internal: adds an event to the state of funnel().';

CREATE FUNCTION activity_metrics.funnel_trans(internal, text, timestamptz, text, text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_funnel_text_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_trans(internal, text, timestamptz, text, text) IS 'Internal: adds an event to the state of funnel().';

CREATE FUNCTION activity_metrics.funnel_trans(internal, text, timestamptz, text, text, timestamptz) RETURNS internal
AS 'MODULE_PATHNAME', 'am_funnel_text_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_trans(internal, text, timestamptz, text, text, timestamptz) IS 'Internal: adds an event to the state of funnel().';

CREATE FUNCTION activity_metrics.funnel_trans(internal, text, timestamptz, text, text, timestamptz, timestamptz, timestamptz) RETURNS internal
AS 'MODULE_PATHNAME', 'am_funnel_text_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_trans(internal, text, timestamptz, text, text, timestamptz, timestamptz, timestamptz) IS 'Internal: adds an event to the state of funnel().';

CREATE FUNCTION activity_metrics.funnel_trans(internal, uuid, timestamptz, text, text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_funnel_uuid_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_trans(internal, uuid, timestamptz, text, text) IS 'Internal: adds an event to the state of funnel().';

CREATE FUNCTION activity_metrics.funnel_trans(internal, uuid, timestamptz, text, text, timestamptz) RETURNS internal
AS 'MODULE_PATHNAME', 'am_funnel_uuid_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_trans(internal, uuid, timestamptz, text, text, timestamptz) IS 'Internal: adds an event to the state of funnel().';

CREATE FUNCTION activity_metrics.funnel_trans(internal, uuid, timestamptz, text, text, timestamptz, timestamptz, timestamptz) RETURNS internal
AS 'MODULE_PATHNAME', 'am_funnel_uuid_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_trans(internal, uuid, timestamptz, text, text, timestamptz, timestamptz, timestamptz) IS 'Internal: adds an event to the state of funnel().';

CREATE AGGREGATE activity_metrics.funnel(entity bigint, at timestamptz, kind text, spec text) (
	SFUNC = activity_metrics.funnel_trans, STYPE = internal, SSPACE = 2048,
	FINALFUNC = activity_metrics.funnel_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.funnel_combine,
	SERIALFUNC = activity_metrics.funnel_serial, DESERIALFUNC = activity_metrics.funnel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.funnel(bigint, timestamptz, text, text) IS
'Funnel over all events given, in one pass and without GROUP BY entity: funnel(entity, at, kind, spec) returns one funnel_step for each step of spec, for example ''call -> (demo | meeting) -> won within 90 days''. Rows with a NULL entity, at or kind are left out; no rows give NULL. Attempts are judged as of the latest event, of any kind. Errors: a faulty or changing spec (22023), an infinite time (22008).';

CREATE AGGREGATE activity_metrics.funnel(entity bigint, at timestamptz, kind text, spec text, as_of timestamptz) (
	SFUNC = activity_metrics.funnel_trans, STYPE = internal, SSPACE = 2048,
	FINALFUNC = activity_metrics.funnel_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.funnel_combine,
	SERIALFUNC = activity_metrics.funnel_serial, DESERIALFUNC = activity_metrics.funnel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.funnel(bigint, timestamptz, text, text, timestamptz) IS
'Funnel over all events given, in one pass and without GROUP BY entity: funnel(entity, at, kind, spec, as_of) returns one funnel_step for each step of spec, for example ''call -> (demo | meeting) -> won within 90 days''. Rows with a NULL entity, at or kind are left out; no rows give NULL. Events after as_of are not seen, and attempts are judged as of then. Errors: a faulty or changing spec (22023), an infinite time (22008).';

CREATE AGGREGATE activity_metrics.funnel_between(entity bigint, at timestamptz, kind text, spec text, as_of timestamptz, entry_since timestamptz, entry_until timestamptz) (
	SFUNC = activity_metrics.funnel_trans, STYPE = internal, SSPACE = 2048,
	FINALFUNC = activity_metrics.funnel_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.funnel_combine,
	SERIALFUNC = activity_metrics.funnel_serial, DESERIALFUNC = activity_metrics.funnel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.funnel_between(bigint, timestamptz, text, text, timestamptz, timestamptz, timestamptz) IS
'Internal, for funnel_report: funnel() in which attempts start in [entry_since, entry_until) (NULL: no bound) and later steps may come after it.';

CREATE AGGREGATE activity_metrics.funnel(entity text, at timestamptz, kind text, spec text) (
	SFUNC = activity_metrics.funnel_trans, STYPE = internal, SSPACE = 2048,
	FINALFUNC = activity_metrics.funnel_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.funnel_combine,
	SERIALFUNC = activity_metrics.funnel_serial, DESERIALFUNC = activity_metrics.funnel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.funnel(text, timestamptz, text, text) IS
'Funnel over all events given, in one pass and without GROUP BY entity: funnel(entity, at, kind, spec) returns one funnel_step for each step of spec, for example ''call -> (demo | meeting) -> won within 90 days''. Rows with a NULL entity, at or kind are left out; no rows give NULL. Attempts are judged as of the latest event, of any kind. Errors: a faulty or changing spec (22023), an infinite time (22008).';

CREATE AGGREGATE activity_metrics.funnel(entity text, at timestamptz, kind text, spec text, as_of timestamptz) (
	SFUNC = activity_metrics.funnel_trans, STYPE = internal, SSPACE = 2048,
	FINALFUNC = activity_metrics.funnel_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.funnel_combine,
	SERIALFUNC = activity_metrics.funnel_serial, DESERIALFUNC = activity_metrics.funnel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.funnel(text, timestamptz, text, text, timestamptz) IS
'Funnel over all events given, in one pass and without GROUP BY entity: funnel(entity, at, kind, spec, as_of) returns one funnel_step for each step of spec, for example ''call -> (demo | meeting) -> won within 90 days''. Rows with a NULL entity, at or kind are left out; no rows give NULL. Events after as_of are not seen, and attempts are judged as of then. Errors: a faulty or changing spec (22023), an infinite time (22008).';

CREATE AGGREGATE activity_metrics.funnel_between(entity text, at timestamptz, kind text, spec text, as_of timestamptz, entry_since timestamptz, entry_until timestamptz) (
	SFUNC = activity_metrics.funnel_trans, STYPE = internal, SSPACE = 2048,
	FINALFUNC = activity_metrics.funnel_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.funnel_combine,
	SERIALFUNC = activity_metrics.funnel_serial, DESERIALFUNC = activity_metrics.funnel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.funnel_between(text, timestamptz, text, text, timestamptz, timestamptz, timestamptz) IS
'Internal, for funnel_report: funnel() in which attempts start in [entry_since, entry_until) (NULL: no bound) and later steps may come after it.';

CREATE AGGREGATE activity_metrics.funnel(entity uuid, at timestamptz, kind text, spec text) (
	SFUNC = activity_metrics.funnel_trans, STYPE = internal, SSPACE = 2048,
	FINALFUNC = activity_metrics.funnel_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.funnel_combine,
	SERIALFUNC = activity_metrics.funnel_serial, DESERIALFUNC = activity_metrics.funnel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.funnel(uuid, timestamptz, text, text) IS
'Funnel over all events given, in one pass and without GROUP BY entity: funnel(entity, at, kind, spec) returns one funnel_step for each step of spec, for example ''call -> (demo | meeting) -> won within 90 days''. Rows with a NULL entity, at or kind are left out; no rows give NULL. Attempts are judged as of the latest event, of any kind. Errors: a faulty or changing spec (22023), an infinite time (22008).';

CREATE AGGREGATE activity_metrics.funnel(entity uuid, at timestamptz, kind text, spec text, as_of timestamptz) (
	SFUNC = activity_metrics.funnel_trans, STYPE = internal, SSPACE = 2048,
	FINALFUNC = activity_metrics.funnel_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.funnel_combine,
	SERIALFUNC = activity_metrics.funnel_serial, DESERIALFUNC = activity_metrics.funnel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.funnel(uuid, timestamptz, text, text, timestamptz) IS
'Funnel over all events given, in one pass and without GROUP BY entity: funnel(entity, at, kind, spec, as_of) returns one funnel_step for each step of spec, for example ''call -> (demo | meeting) -> won within 90 days''. Rows with a NULL entity, at or kind are left out; no rows give NULL. Events after as_of are not seen, and attempts are judged as of then. Errors: a faulty or changing spec (22023), an infinite time (22008).';

CREATE AGGREGATE activity_metrics.funnel_between(entity uuid, at timestamptz, kind text, spec text, as_of timestamptz, entry_since timestamptz, entry_until timestamptz) (
	SFUNC = activity_metrics.funnel_trans, STYPE = internal, SSPACE = 2048,
	FINALFUNC = activity_metrics.funnel_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.funnel_combine,
	SERIALFUNC = activity_metrics.funnel_serial, DESERIALFUNC = activity_metrics.funnel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.funnel_between(uuid, timestamptz, text, text, timestamptz, timestamptz, timestamptz) IS
'Internal, for funnel_report: funnel() in which attempts start in [entry_since, entry_until) (NULL: no bound) and later steps may come after it.';

CREATE FUNCTION activity_metrics.funnel_scannable(events regclass, entity text, at text, kind text, status text, tz text) RETURNS boolean
AS 'MODULE_PATHNAME', 'am_funnel_scannable' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION activity_metrics.funnel_scannable(regclass, text, text, text, text, text) IS
'Internal, for funnel_report: whether funnel_scan() can read these columns: those of a plain table, of usual types, which the caller may read, whole, without row-level security.';

CREATE FUNCTION activity_metrics.funnel_scan(
	events regclass,
	spec text,
	since timestamptz,
	entry_until timestamptz,
	as_of timestamptz,
	entity text,
	at text,
	kind text,
	status text,
	tz text)
RETURNS SETOF activity_metrics.funnel_step
AS 'MODULE_PATHNAME', 'am_funnel_scan' LANGUAGE C STABLE PARALLEL UNSAFE ROWS 5 COST 100000;
COMMENT ON FUNCTION activity_metrics.funnel_scan(regclass, text, timestamptz, timestamptz, timestamptz, text, text, text, text, text) IS
'Internal, for funnel_report: the steps that funnel_between() gives of the events since a time, read from the table itself; no events give zeros. status: the column that tells planned, cancelled and no_show from done; NULL takes all. Errors: a relation for which funnel_scannable() is false (0A000), no right to read it (42501), and those of funnel().';

CREATE FUNCTION activity_metrics.funnel_query_scannable(query text) RETURNS boolean
AS 'MODULE_PATHNAME', 'am_funnel_query_scannable' LANGUAGE C STABLE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION activity_metrics.funnel_query_scannable(text) IS
'Internal, for funnel_report: whether a query, as funnel_query_scan() takes it, is planned as a union of branches or a scan of a table: then that is faster than the aggregate.';

CREATE FUNCTION activity_metrics.funnel_query_scan(
	query text,
	spec text,
	since timestamptz DEFAULT NULL,
	entry_until timestamptz DEFAULT NULL,
	as_of timestamptz DEFAULT NULL)
RETURNS SETOF activity_metrics.funnel_step
AS 'MODULE_PATHNAME', 'am_funnel_query_scan' LANGUAGE C STABLE PARALLEL UNSAFE ROWS 5 COST 100000;
COMMENT ON FUNCTION activity_metrics.funnel_query_scan(text, text, timestamptz, timestamptz, timestamptz) IS
'Internal, for funnel_report: the steps that funnel_between() gives of the events that a query selects, run with the rights of the caller branch by branch; no events give zeros. query: SELECT of entity, at, kind and perhaps status, in which $1 is since. Errors: not one SELECT (42601), one that does more than read (0A000), other columns (42804), and those of funnel() and of the query.';

CREATE FUNCTION activity_metrics.funnel_kinds(spec text, step integer DEFAULT 0) RETURNS text[]
AS 'MODULE_PATHNAME', 'am_funnel_kinds' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_kinds(text, integer) IS
'The kinds of event that fill a step of a funnel specification (steps count from 1; 0: all kinds it names). Errors: a faulty spec (22023).';

CREATE FUNCTION activity_metrics.funnel_steps(spec text) RETURNS text[]
AS 'MODULE_PATHNAME', 'am_funnel_steps' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_steps(text) IS
'Internal: the steps of a funnel specification as the rows of a report name them. Errors: a faulty spec (22023).';

CREATE FUNCTION activity_metrics.funnel_within(spec text) RETURNS interval
AS 'MODULE_PATHNAME', 'am_funnel_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_within(text) IS
'Internal: the window of a funnel specification, NULL if it has none. Errors: a faulty spec (22023).';

CREATE FUNCTION activity_metrics.funnel_has_option(spec text, option text) RETURNS boolean
AS 'MODULE_PATHNAME', 'am_funnel_has_option' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_has_option(text, text) IS
'Internal: does a funnel specification have an option, such as ''totals''? Errors: a faulty spec, no such option (22023).';

CREATE FUNCTION activity_metrics.funnel_explain(spec text) RETURNS text
AS 'MODULE_PATHNAME', 'am_funnel_explain_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_explain(text) IS
'A funnel specification in words: its steps, limits, exclusions and options, one a line. Errors: a faulty spec (22023).';

CREATE FUNCTION activity_metrics.step_kinds(kinds text, argument text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	step text := '(' || kinds || ')';
BEGIN
	IF kinds IS NULL THEN
		RAISE EXCEPTION 'argument % is null', argument USING ERRCODE = '22004',
			HINT = 'Give kinds of event with | between them, such as ''call | demo''.';
	END IF;
	IF activity_metrics.funnel_kinds(step, 1) <> activity_metrics.funnel_kinds(step, 0) THEN
		RAISE EXCEPTION '"%" is more than one step', kinds USING ERRCODE = '22023',
			DETAIL = format('The kinds are given by argument %s.', argument),
			HINT = 'Give kinds of event with | between them, such as ''call | demo''.';
	END IF;
	RETURN activity_metrics.funnel_kinds(step, 1);
END;
$$;
COMMENT ON FUNCTION activity_metrics.step_kinds(text, text) IS
'Internal: the kinds of one funnel step, such as ''call | demo''. Errors: faulty kinds or more than one step (22023), NULL (22004).';
