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
	note text
);

COMMENT ON TYPE activity_metrics.funnel_step IS
'One step of a funnel. Rates are shares from 0 to 1 with 95 % Wilson intervals; reached = reached of the next step + still_open + timed_out + excluded + broken; eventual_rate treats open attempts as censored (Kaplan-Meier); times are days of 24 hours; NULL is explained in note.';

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

CREATE FUNCTION activity_metrics.funnel_trans(internal, bigint, timestamptz, text, text, timestamptz, timestamptz) RETURNS internal
AS 'MODULE_PATHNAME', 'am_funnel_int8_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_trans(internal, bigint, timestamptz, text, text, timestamptz, timestamptz) IS 'Internal: adds an event to the state of funnel().';

CREATE FUNCTION activity_metrics.funnel_trans(internal, text, timestamptz, text, text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_funnel_text_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_trans(internal, text, timestamptz, text, text) IS 'Internal: adds an event to the state of funnel().';

CREATE FUNCTION activity_metrics.funnel_trans(internal, text, timestamptz, text, text, timestamptz) RETURNS internal
AS 'MODULE_PATHNAME', 'am_funnel_text_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_trans(internal, text, timestamptz, text, text, timestamptz) IS 'Internal: adds an event to the state of funnel().';

CREATE FUNCTION activity_metrics.funnel_trans(internal, text, timestamptz, text, text, timestamptz, timestamptz) RETURNS internal
AS 'MODULE_PATHNAME', 'am_funnel_text_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_trans(internal, text, timestamptz, text, text, timestamptz, timestamptz) IS 'Internal: adds an event to the state of funnel().';

CREATE FUNCTION activity_metrics.funnel_trans(internal, uuid, timestamptz, text, text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_funnel_uuid_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_trans(internal, uuid, timestamptz, text, text) IS 'Internal: adds an event to the state of funnel().';

CREATE FUNCTION activity_metrics.funnel_trans(internal, uuid, timestamptz, text, text, timestamptz) RETURNS internal
AS 'MODULE_PATHNAME', 'am_funnel_uuid_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_trans(internal, uuid, timestamptz, text, text, timestamptz) IS 'Internal: adds an event to the state of funnel().';

CREATE FUNCTION activity_metrics.funnel_trans(internal, uuid, timestamptz, text, text, timestamptz, timestamptz) RETURNS internal
AS 'MODULE_PATHNAME', 'am_funnel_uuid_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_trans(internal, uuid, timestamptz, text, text, timestamptz, timestamptz) IS 'Internal: adds an event to the state of funnel().';

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

CREATE AGGREGATE activity_metrics.funnel_between(entity bigint, at timestamptz, kind text, spec text, as_of timestamptz, entry_until timestamptz) (
	SFUNC = activity_metrics.funnel_trans, STYPE = internal, SSPACE = 2048,
	FINALFUNC = activity_metrics.funnel_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.funnel_combine,
	SERIALFUNC = activity_metrics.funnel_serial, DESERIALFUNC = activity_metrics.funnel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.funnel_between(bigint, timestamptz, text, text, timestamptz, timestamptz) IS
'Internal, for funnel_report: funnel() in which attempts start before entry_until (NULL: no bound) and later steps may come after it.';

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

CREATE AGGREGATE activity_metrics.funnel_between(entity text, at timestamptz, kind text, spec text, as_of timestamptz, entry_until timestamptz) (
	SFUNC = activity_metrics.funnel_trans, STYPE = internal, SSPACE = 2048,
	FINALFUNC = activity_metrics.funnel_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.funnel_combine,
	SERIALFUNC = activity_metrics.funnel_serial, DESERIALFUNC = activity_metrics.funnel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.funnel_between(text, timestamptz, text, text, timestamptz, timestamptz) IS
'Internal, for funnel_report: funnel() in which attempts start before entry_until (NULL: no bound) and later steps may come after it.';

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

CREATE AGGREGATE activity_metrics.funnel_between(entity uuid, at timestamptz, kind text, spec text, as_of timestamptz, entry_until timestamptz) (
	SFUNC = activity_metrics.funnel_trans, STYPE = internal, SSPACE = 2048,
	FINALFUNC = activity_metrics.funnel_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.funnel_combine,
	SERIALFUNC = activity_metrics.funnel_serial, DESERIALFUNC = activity_metrics.funnel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.funnel_between(uuid, timestamptz, text, text, timestamptz, timestamptz) IS
'Internal, for funnel_report: funnel() in which attempts start before entry_until (NULL: no bound) and later steps may come after it.';

CREATE FUNCTION activity_metrics.funnel_kinds(spec text, step integer DEFAULT 0) RETURNS text[]
AS 'MODULE_PATHNAME', 'am_funnel_kinds' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_kinds(text, integer) IS
'The kinds of event that fill a step of a funnel specification (steps count from 1; 0: all kinds it names). Errors: a faulty spec (22023).';

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

CREATE FUNCTION activity_metrics.funnel_report_sql(
	events regclass, spec text, by text, has_since boolean, has_until boolean, has_as_of boolean,
	entity text, at text, kind text, status text, tz text, only_done boolean)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	e text := activity_metrics.key_column(events, entity, 'entity');
	a text := activity_metrics.time_column(events, at, 'at', tz);
	k text := activity_metrics.text_column(events, kind, 'kind');
	condition text := CASE WHEN only_done THEN activity_metrics.done_condition(events, status) ELSE 'true' END;
	nobody text := 'activity_metrics.funnel_between(NULL::pg_catalog.int8, NULL, NULL, $1, NULL, NULL)';
	within text := CASE WHEN has_since OR has_as_of THEN 'in this range ' ELSE '' END || CASE WHEN by IS NULL THEN '' ELSE 'in this segment ' END;
	columns text;
BEGIN
	-- $1 spec, $2 since, $3 until, $4 as_of, $5 kinds of the first step
	IF has_since THEN
		condition := condition || format(' AND (%1$s IS NULL OR %1$s OPERATOR(pg_catalog.>=) $2)', a);
	END IF;
	columns := format('s.step_no, s.step, s.reached, s.step_rate, s.step_rate_low, s.step_rate_high,
			s.overall_rate, s.overall_rate_low, s.overall_rate_high, s.still_open, s.timed_out, s.excluded, s.broken,
			s.eventual_rate, s.median_days, s.p90_days, s.median_days_from_start,
			pg_catalog.replace(s.note, ''no event of kind'', %L)', within || 'no event of kind');
	IF by IS NULL THEN
		RETURN format(
			'SELECT NULL::pg_catalog.text, %7$s FROM (
				SELECT coalesce(activity_metrics.funnel_between(%1$s, %2$s, %3$s, $1, $4, $3), (SELECT %6$s)) AS steps
				FROM %4$s WHERE %5$s) AS f, LATERAL pg_catalog.unnest(f.steps) AS s ORDER BY s.step_no',
			e, a, k, activity_metrics.qualified_name(events), condition, nobody, columns);
	END IF;
	-- an entity belongs to the segment of its earliest first step; where a segment has none, a kind that never
	-- occurs at all is told from one that only this segment lacks
	RETURN format(
		'WITH event AS (
			SELECT %1$s AS e, %2$s AS a, %3$s AS k, coalesce(%7$s, ''(none)'') AS segment FROM %4$s WHERE %5$s),
		entry AS (
			SELECT DISTINCT ON (e) e, segment FROM event
			WHERE e IS NOT NULL AND a IS NOT NULL AND k OPERATOR(pg_catalog.=) ANY ($5)
			%8$s
			ORDER BY e, a, segment),
		data_end AS (
			SELECT coalesce($4, pg_catalog.max(a)) AS as_of FROM event WHERE e IS NOT NULL AND k IS NOT NULL),
		funnel AS (
			SELECT entry.segment, activity_metrics.funnel_between(event.e, event.a, event.k, $1, data_end.as_of, $3) AS steps
			FROM event JOIN entry ON entry.e OPERATOR(pg_catalog.=) event.e CROSS JOIN data_end
			GROUP BY entry.segment),
		whole AS (
			SELECT activity_metrics.funnel_between(event.e, event.a, event.k, $1, $4, $3) AS steps FROM event)
		SELECT segment.segment, %9$s
		FROM (SELECT DISTINCT segment FROM event) AS segment
		LEFT JOIN funnel ON funnel.segment OPERATOR(pg_catalog.=) segment.segment,
		LATERAL (
			SELECT f.* FROM pg_catalog.unnest(funnel.steps) AS f
			UNION ALL
			SELECT z.step_no, z.step, z.reached, z.step_rate, z.step_rate_low, z.step_rate_high,
				z.overall_rate, z.overall_rate_low, z.overall_rate_high, z.still_open, z.timed_out, z.excluded, z.broken,
				z.eventual_rate, z.median_days, z.p90_days, z.median_days_from_start,
				CASE WHEN pg_catalog.strpos(w.note, ''no event of kind'') OPERATOR(pg_catalog.>) 0 THEN w.note
					ELSE ''no entity of this segment took the first step'' END
			FROM pg_catalog.unnest((SELECT %6$s)) AS z, whole, LATERAL pg_catalog.unnest(whole.steps) AS w
			WHERE funnel.steps IS NULL AND w.step_no OPERATOR(pg_catalog.=) z.step_no) AS s
		ORDER BY segment.segment, s.step_no',
		e, a, k, activity_metrics.qualified_name(events), condition, nobody, activity_metrics.text_column(events, by, 'by'),
		CASE WHEN has_until THEN 'AND a OPERATOR(pg_catalog.<) $3' ELSE '' END, columns);
END;
$$;
COMMENT ON FUNCTION activity_metrics.funnel_report_sql(regclass, text, text, boolean, boolean, boolean, text, text, text, text, text, boolean) IS
'Internal: the statement that funnel_report runs.';

CREATE FUNCTION activity_metrics.funnel_report(
	events regclass,
	spec text,
	by text DEFAULT NULL,
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	entity text DEFAULT 'entity',
	at text DEFAULT 'at',
	kind text DEFAULT 'kind',
	status text DEFAULT NULL,
	as_of timestamptz DEFAULT NULL,
	tz text DEFAULT 'UTC',
	only_done boolean DEFAULT true)
RETURNS TABLE (
	segment text,
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
	note text)
LANGUAGE plpgsql STABLE ROWS 20 COST 10000 AS $$
#variable_conflict use_column
BEGIN
	PERFORM activity_metrics.check_range(since, until);
	RETURN QUERY EXECUTE activity_metrics.funnel_report_sql(events, spec, by, since IS NOT NULL, until IS NOT NULL, as_of IS NOT NULL,
		entity, at, kind, status, tz, only_done)
	USING spec, since, until, as_of, activity_metrics.funnel_kinds(spec, 1);
END;
$$;
COMMENT ON FUNCTION activity_metrics.funnel_report(regclass, text, text, timestamptz, timestamptz, text, text, text, text, timestamptz, text, boolean) IS
'Funnel over a table or view of events, one row per step (and per segment, if by names a column).
events: the relation; spec: the funnel, such as ''call -> meeting -> won within 90 days''; since, until: attempts that start in [since, until), later steps may follow; entity, at, kind: its columns, if named otherwise; status: the column that tells planned, cancelled and no_show from done (column status, if there is one), only_done => false takes all; as_of: judge as of then (default: the latest event); tz: the zone of times without one.
Columns as in funnel_step; segment is that of an entity''s earliest first step, (none) where it has no value. No events give zeros.
Errors: a faulty spec, since after until (22023), no such column (42703), a column of the wrong type (42804).';
