--
-- Reports on funnels: by step, by segment, by cohort; two of them compared; and the entities behind the numbers.
--

CREATE FUNCTION activity_metrics.funnel_rules(spec text, skipped text, moved_back text, reopened text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	result text := spec;
	argument text;
	value text;
	allowed text[];
	option text;
BEGIN
	IF spec IS NULL THEN
		RAISE EXCEPTION 'funnel specification is null' USING ERRCODE = '22004',
			HINT = 'A specification looks like: call -> meeting -> won within 90 days';
	END IF;
	-- what is wrong with the text itself is said before anything is added to it
	PERFORM activity_metrics.funnel_steps(spec);
	FOR argument, value, allowed, option IN VALUES
		('skipped', skipped, ARRAY['gap', 'count'], 'count skipped'),
		('moved_back', moved_back, ARRAY['ignore', 'end'], 'strict order'),
		('reopened', reopened, ARRAY['end', 'count'], 'count reopened')
	LOOP
		IF value IS NULL OR value <> ALL (allowed) THEN
			RAISE EXCEPTION 'argument % cannot be %', argument, coalesce(quote_literal(value), 'null') USING ERRCODE = '22023',
				HINT = format('It is %L or %L.', allowed[1], allowed[2]);
		END IF;
		IF value = allowed[2] AND NOT activity_metrics.funnel_has_option(spec, option) THEN
			result := result || ', ' || option;
		END IF;
	END LOOP;
	RETURN result;
END;
$$;
COMMENT ON FUNCTION activity_metrics.funnel_rules(text, text, text, text) IS
'Internal: a funnel specification with the options that the arguments skipped (gap or count), moved_back (ignore or end) and reopened (end or count) stand for. Errors: a faulty spec, another value (22023), NULL (22004).';

CREATE FUNCTION activity_metrics.funnel_check(
	since timestamptz, until timestamptz, as_of timestamptz, tz text, only_done boolean, grain text) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM activity_metrics.check_range(since, until);
	IF tz IS NULL OR only_done IS NULL THEN
		RAISE EXCEPTION 'argument % is null', CASE WHEN tz IS NULL THEN 'tz' ELSE 'only_done' END USING ERRCODE = '22004',
			HINT = 'Leave it out for its default.';
	END IF;
	-- an unknown zone is said here, not where a time first needs it
	PERFORM timezone(tz, timestamp '2000-01-01');
	IF NOT isfinite(as_of) THEN
		RAISE EXCEPTION 'as_of is infinite' USING ERRCODE = '22008',
			HINT = 'Leave it out to judge as of the latest event.';
	END IF;
	IF as_of >= timestamptz '13555-01-01 00:00+00' THEN
		RAISE EXCEPTION 'as_of % is out of range', as_of USING ERRCODE = '22008',
			DETAIL = 'Times up to the year 13555 can be matched.',
			HINT = 'Leave it out to judge as of the latest event.';
	END IF;
	IF grain IS NOT NULL THEN
		PERFORM activity_metrics.period_no(timestamptz '2000-01-01 00:00+00', grain, tz);
		IF lower(grain) = 'hour' THEN
			RAISE EXCEPTION 'cohorts of an hour are too short' USING ERRCODE = '22023',
				HINT = 'Use day, week, month or quarter.';
		END IF;
	END IF;
END;
$$;
COMMENT ON FUNCTION activity_metrics.funnel_check(timestamptz, timestamptz, timestamptz, text, boolean, text) IS
'Internal: refuses what no report on funnels can take: since after until, an unknown zone or grain, cohorts of an hour (22023), an as_of that is infinite or out of range (22008), a NULL zone or only_done (22004).';

CREATE FUNCTION activity_metrics.funnel_step_no(spec text, step text, argument text) RETURNS integer
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	steps text[] := activity_metrics.funnel_steps(spec);
	result integer := array_position(steps, step);
BEGIN
	IF result IS NULL AND step ~ '^[0-9]{1,3}$' AND step::integer BETWEEN 1 AND cardinality(steps) THEN
		result := step::integer;
	END IF;
	IF result IS NULL THEN
		RAISE EXCEPTION 'the funnel has no step %', coalesce(quote_literal(step), 'null') USING ERRCODE = '22023',
			DETAIL = format('Argument %s names a step by its name or number; steps are %s.', argument, array_to_string(steps, ', ')),
			HINT = format('Did you mean %L?', coalesce(activity_metrics.nearest_name(step, steps), steps[1]));
	END IF;
	RETURN result;
END;
$$;
COMMENT ON FUNCTION activity_metrics.funnel_step_no(text, text, text) IS
'Internal: the number of a step that is given by name or number. Errors: no such step (22023, the nearest one in the hint).';

CREATE FUNCTION activity_metrics.funnel_attempts_sql(
	events regclass, spec text, segment text, has_since boolean,
	entity text, at text, kind text, status text, tz text, only_done boolean, holding text)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	condition text := CASE WHEN only_done THEN activity_metrics.done_condition(events, status) ELSE 'true' END;
	a text := activity_metrics.time_column(events, at, 'at', tz);
BEGIN
	-- $1 spec, $2 since, $3 until, $4 as_of. An entity that is in its middle when the range begins entered before it:
	-- where a late start counts, what came before has to be seen
	IF has_since AND NOT activity_metrics.funnel_has_option(spec, 'count skipped') THEN
		condition := condition || format(' AND (%1$s IS NULL OR %1$s OPERATOR(pg_catalog.>=) $2)', a);
	END IF;
	RETURN format(
		'event AS (
			SELECT %1$s AS e, %2$s AS a, %3$s AS k, %6$s AS segment, %7$s AS held FROM %4$s WHERE %5$s),
		data_end AS (
			SELECT coalesce($4, pg_catalog.max(a)) AS as_of FROM event WHERE e IS NOT NULL AND k IS NOT NULL),
		entity AS (
			SELECT e, held, activity_metrics.funnel_attempts(a, k, $1, data_end.as_of, $2, $3) AS attempts
			FROM event CROSS JOIN data_end WHERE e IS NOT NULL GROUP BY e, held),
		attempt AS (%8$s)',
		activity_metrics.key_column(events, entity, 'entity'), a, activity_metrics.text_column(events, kind, 'kind'),
		activity_metrics.qualified_name(events), condition,
		CASE WHEN segment IS NULL THEN 'NULL::pg_catalog.text' ELSE activity_metrics.text_column(events, segment, 'by') END,
		CASE WHEN holding IS NULL THEN 'NULL::pg_catalog.text' ELSE activity_metrics.text_column(events, holding, 'holding') END,
		CASE WHEN holding IS NULL OR activity_metrics.funnel_has_option(spec, 'totals') THEN
			'SELECT e, held, pg_catalog.row_number() OVER (PARTITION BY e ORDER BY held, n) AS n, attempts[n] AS attempt
			FROM entity, LATERAL pg_catalog.generate_subscripts(attempts, 1) AS n'
		ELSE
			-- of the chains with one value each an entity''s best; why it went no further is told by the last chance of any at its level
			'SELECT DISTINCT ON (e) e, held, 1::pg_catalog.int8 AS n,
				ROW((a).level, last_stop, last_excluded_by, last_ended, (a).times, (a).first_reached, (a).passed_over)::activity_metrics.funnel_attempt AS attempt
			FROM (SELECT e, held, attempts[1] AS a,
					pg_catalog.first_value((attempts[1]).stop) OVER chances AS last_stop,
					pg_catalog.first_value((attempts[1]).excluded_by) OVER chances AS last_excluded_by,
					pg_catalog.first_value((attempts[1]).ended) OVER chances AS last_ended
				FROM entity WHERE pg_catalog.cardinality(attempts) OPERATOR(pg_catalog.>) 0
				WINDOW chances AS (PARTITION BY e ORDER BY (attempts[1]).level DESC, (attempts[1]).ended DESC NULLS FIRST,
					(attempts[1]).stop OPERATOR(pg_catalog.=) ''excluded'' DESC, (attempts[1]).stop OPERATOR(pg_catalog.=) ''broken'' DESC, (attempts[1]).excluded_by, held)) AS v
			ORDER BY e, (a).level DESC, (a).first_reached[(a).level], (SELECT pg_catalog.min(t) FROM pg_catalog.unnest((a).times) AS t) DESC, (a).times, held'
		END);
END;
$$;
COMMENT ON FUNCTION activity_metrics.funnel_attempts_sql(regclass, text, text, boolean, text, text, text, text, text, boolean, text) IS
'Internal: the first parts of the statements of funnel_report and funnel_entities, from events to attempts.';

CREATE FUNCTION activity_metrics.funnel_report_sql(
	events regclass, spec text, by text, has_since boolean, has_as_of boolean,
	entity text, at text, kind text, status text, tz text, only_done boolean,
	attribution text, holding text, grain text)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	columns text := 's.step_no, s.step, s.reached, s.step_rate, s.step_rate_low, s.step_rate_high,
			s.overall_rate, s.overall_rate_low, s.overall_rate_high, s.still_open, s.timed_out, s.excluded, s.broken,
			s.eventual_rate, s.median_days, s.p90_days, s.median_days_from_start, %s,
			s.eventual_rate_low, s.eventual_rate_high, s.mean_days, s.mean_days_from_start, s.p90_days_from_start, s.taken, s.entities,
			s.overall_eventual_rate, s.overall_eventual_rate_low, s.overall_eventual_rate_high';
	nobody text := 'activity_metrics.funnel_between(NULL::pg_catalog.int8, NULL, NULL, $1, NULL, NULL, NULL)';
	within text := CASE WHEN has_since OR has_as_of THEN 'in this range ' ELSE '' END || CASE WHEN by IS NULL THEN '' ELSE 'in this segment ' END;
	note text := format('pg_catalog.replace(s.note, ''no event of kind'', %L)', within || 'no event of kind');
	condition text := CASE WHEN only_done THEN activity_metrics.done_condition(events, status) ELSE 'true' END;
	a text := activity_metrics.time_column(events, at, 'at', tz);
	status_column text := CASE WHEN only_done THEN coalesce(status, CASE WHEN activity_metrics.column_type(events, 'status') IS NOT NULL THEN 'status' END) END;
	step text;
	cohort text;
	segments text;
	query text;
BEGIN
	-- $1 spec, $2 since, $3 until, $4 as_of
	IF by IS NULL AND holding IS NULL AND grain IS NULL THEN
		PERFORM activity_metrics.key_column(events, entity, 'entity'), activity_metrics.text_column(events, kind, 'kind');
		IF activity_metrics.funnel_scannable(events, entity, at, kind, status_column, tz) THEN
			RETURN format('SELECT NULL::pg_catalog.text, %s FROM activity_metrics.funnel_scan(%s::pg_catalog.oid::pg_catalog.regclass, $1, $2, $3, $4, %L, %L, %L, %L, %L) AS s ORDER BY s.step_no',
				format(columns, note), events::oid, entity, at, kind, status_column, tz);
		END IF;
		IF has_since AND NOT activity_metrics.funnel_has_option(spec, 'count skipped') THEN
			condition := condition || format(' AND (%1$s IS NULL OR %1$s OPERATOR(pg_catalog.>=) $2)', a);
		END IF;
		query := format('SELECT %s, %s, %s%s FROM %s WHERE %s', activity_metrics.key_column(events, entity, 'entity'), a, activity_metrics.text_column(events, kind, 'kind'),
			CASE WHEN status_column IS NOT NULL THEN ', ' || quote_ident(status_column) || '::pg_catalog.text' END, activity_metrics.qualified_name(events),
			CASE WHEN has_since AND NOT activity_metrics.funnel_has_option(spec, 'count skipped') THEN format('%1$s IS NULL OR %1$s OPERATOR(pg_catalog.>=) $1', a) ELSE 'true' END);
		IF activity_metrics.funnel_query_scannable(query) THEN
			RETURN format('SELECT NULL::pg_catalog.text, %s FROM activity_metrics.funnel_query_scan(%L, $1, $2, $3, $4) AS s ORDER BY s.step_no', format(columns, note), query);
		END IF;
		RETURN format(
			'SELECT NULL::pg_catalog.text, %7$s FROM (
				SELECT coalesce(activity_metrics.funnel_between(%1$s, %2$s, %3$s, $1, $4, $2, $3), (SELECT %6$s)) AS steps
				FROM %4$s WHERE %5$s) AS f, LATERAL pg_catalog.unnest(f.steps) AS s ORDER BY s.step_no',
			activity_metrics.key_column(events, entity, 'entity'), a, activity_metrics.text_column(events, kind, 'kind'),
			activity_metrics.qualified_name(events), condition, nobody, format(columns, note));
	END IF;

	-- the step whose event has the segment: its number and its time
	step := CASE attribution
		WHEN 'first' THEN 'ORDER BY u.t, u.no LIMIT 1'
		WHEN 'last' THEN 'ORDER BY u.t DESC, u.no DESC LIMIT 1'
		-- in any order the rows are the step done first, the one done second, and so on
		ELSE format(CASE WHEN activity_metrics.funnel_has_option(spec, 'any order') THEN 'ORDER BY u.t, u.no OFFSET %s OPERATOR(pg_catalog.-) 1 LIMIT 1' ELSE 'AND u.no OPERATOR(pg_catalog.=) %s' END,
			activity_metrics.funnel_step_no(spec, attribution, 'attribution')) END;
	cohort := CASE WHEN grain IS NULL THEN NULL ELSE format(
		'activity_metrics.period_start(activity_metrics.period_no((attempt.attempt).first_reached[1], %1$L, %2$L), %1$L)::pg_catalog.text',
		activity_metrics.check_grain(grain), tz) END;
	segments := CASE WHEN by IS NOT NULL AND grain IS NULL THEN 'SELECT coalesce(segment, ''(none)'') AS segment FROM event UNION SELECT segment FROM funnel'
		WHEN by IS NULL AND grain IS NULL THEN 'SELECT NULL::pg_catalog.text AS segment'
		ELSE 'SELECT segment FROM funnel' END;

	RETURN format(
		'WITH %1$s,
		step_kind AS (
			SELECT step.no, kind.kind
			FROM pg_catalog.generate_series(1, pg_catalog.cardinality(activity_metrics.funnel_steps($1))) AS step(no),
				LATERAL pg_catalog.unnest(activity_metrics.funnel_kinds($1, step.no)) AS kind(kind)),
		marked AS (
			SELECT attempt.e, attempt.held, attempt.n, attempt.attempt, %2$s AS cohort, mark.no, mark.t
			FROM attempt LEFT JOIN LATERAL (
				SELECT u.t, u.no::pg_catalog.int4 FROM pg_catalog.unnest((attempt.attempt).times) WITH ORDINALITY AS u(t, no)
				WHERE u.t IS NOT NULL %3$s) AS mark ON %4$s),
		segmented AS (
			SELECT marked.e, marked.n, marked.attempt, %5$s AS segment FROM marked %6$s),
		funnel AS (
			SELECT g.segment, activity_metrics.funnel_of_attempts(g.attempts, $1, data_end.as_of) AS steps
			FROM (SELECT e, segment, pg_catalog.array_agg(attempt ORDER BY n) AS attempts FROM segmented GROUP BY e, segment) AS g
				CROSS JOIN data_end
			GROUP BY g.segment),
		whole AS (
			SELECT coalesce(activity_metrics.funnel_between(e, a, k, $1, $4, $2, $3), (SELECT %7$s)) AS steps FROM event)
		SELECT segment.segment, %8$s
		FROM (%9$s) AS segment
		LEFT JOIN funnel ON funnel.segment OPERATOR(pg_catalog.=) segment.segment OR (funnel.segment IS NULL AND segment.segment IS NULL)
		CROSS JOIN whole,
		LATERAL pg_catalog.unnest(coalesce(funnel.steps, (SELECT %7$s))) AS s
		JOIN LATERAL pg_catalog.unnest(whole.steps) AS w ON w.step_no OPERATOR(pg_catalog.=) s.step_no
		ORDER BY segment.segment, s.step_no',
		activity_metrics.funnel_attempts_sql(events, spec, by, has_since, entity, at, kind, status, tz, only_done, holding),
		coalesce(cohort, 'NULL::pg_catalog.text'), step,
		CASE WHEN by IS NULL THEN 'false' ELSE 'true' END,
		CASE WHEN by IS NULL THEN 'marked.cohort'
			WHEN grain IS NULL THEN 'coalesce(found.segment, ''(none)'')'
			ELSE 'marked.cohort OPERATOR(pg_catalog.||) '', '' OPERATOR(pg_catalog.||) coalesce(found.segment, ''(none)'')' END,
		CASE WHEN by IS NULL THEN '' ELSE
			'LEFT JOIN (
				SELECT m.e, m.n, pg_catalog.min(event.segment) AS segment
				FROM marked AS m
				JOIN event ON event.e OPERATOR(pg_catalog.=) m.e AND event.a OPERATOR(pg_catalog.=) m.t AND (event.held OPERATOR(pg_catalog.=) m.held OR (event.held IS NULL AND m.held IS NULL))
				JOIN step_kind ON step_kind.no OPERATOR(pg_catalog.=) m.no AND step_kind.kind OPERATOR(pg_catalog.=) event.k
				GROUP BY m.e, m.n) AS found
			ON found.e OPERATOR(pg_catalog.=) marked.e AND found.n OPERATOR(pg_catalog.=) marked.n' END,
		nobody,
		-- a kind that never occurs at all is said before anything that follows from it
		format(columns, format('CASE WHEN pg_catalog.strpos(w.note, ''no event of kind'') OPERATOR(pg_catalog.=) 1
				THEN pg_catalog.replace(pg_catalog.split_part(w.note, ''; '', 1), ''no event of kind'', %L)
			WHEN funnel.steps IS NULL THEN %L ELSE s.note END', within || 'no event of kind',
			CASE attribution WHEN 'first' THEN 'no entity of this segment took the first step' ELSE 'no attempt belongs to this segment' END)),
		segments);
END;
$$;
COMMENT ON FUNCTION activity_metrics.funnel_report_sql(regclass, text, text, boolean, boolean, text, text, text, text, text, boolean, text, text, text) IS
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
	only_done boolean DEFAULT true,
	attribution text DEFAULT 'first',
	holding text DEFAULT NULL,
	grain text DEFAULT NULL,
	skipped text DEFAULT 'gap',
	moved_back text DEFAULT 'ignore',
	reopened text DEFAULT 'end')
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
	overall_eventual_rate_high double precision)
-- compiling the statement would take longer than running it
LANGUAGE plpgsql STABLE ROWS 20 COST 10000 SET jit = off AS $$
#variable_conflict use_column
DECLARE
	rules pg_catalog.text := activity_metrics.funnel_rules(spec, skipped, moved_back, reopened);
BEGIN
	PERFORM activity_metrics.funnel_check(since, until, as_of, tz, only_done, grain);
	IF attribution IS NULL OR attribution OPERATOR(pg_catalog.<>) ALL (ARRAY['first', 'last']::pg_catalog.text[]) THEN
		PERFORM activity_metrics.funnel_step_no(rules, attribution, 'attribution');
	END IF;
	RETURN QUERY EXECUTE activity_metrics.funnel_report_sql(events, rules, by, since IS NOT NULL, as_of IS NOT NULL,
		entity, at, kind, status, tz, only_done, attribution, holding, grain)
	USING rules, since, until, as_of;
END;
$$;
COMMENT ON FUNCTION activity_metrics.funnel_report(regclass, text, text, timestamptz, timestamptz, text, text, text, text, timestamptz, text, boolean, text, text, text, text, text, text) IS
'Funnel over a table or view of events, one row per step (and per segment, if by names a column, and per cohort, if grain is given).
events: the relation; spec: the funnel, such as ''call -> meeting -> won within 90 days''; since, until: attempts that start in [since, until), later steps may follow; entity, at, kind: its columns, if named otherwise; status: the column that tells planned, cancelled and no_show from done (column status, if there is one), only_done => false takes all; as_of: judge as of then (default: the latest event); tz: the zone of times without one, and of cohorts; attribution: the step whose event gives an attempt its segment, ''first'', ''last'', a step''s name or number; holding: a column whose value is the same along a chain; grain: cohorts by when an attempt first entered, such as ''month''; skipped => ''count'': who took a later step passed the ones before; moved_back => ''end'': an event of another step in between ends the attempt; reopened => ''count'': an exclusion ends only what does not go on after it.
Columns as in funnel_step; segment is (none) where there is no value. No events give zeros.
Errors: a faulty spec, since after until, another value of an argument (22023), no such column (42703), a column of the wrong type (42804).';

CREATE FUNCTION activity_metrics.funnel_trend_sql(
	events regclass, rules text, grain text, entity text, at text, kind text, status text, tz text, only_done boolean)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	within interval := activity_metrics.funnel_within(rules);
BEGIN
	-- $1 events, $2 rules, $3 since, $4 until, $5 entity, $6 at, $7 kind, $8 status, $9 as_of, $10 tz, $11 only_done, $12 holding
	RETURN format(
		'WITH data_end AS (
			SELECT coalesce($9, (SELECT pg_catalog.max(%1$s) FROM %2$s WHERE %3$s IS NOT NULL AND %4$s IS NOT NULL AND %5$s)) AS at),
		step AS (
			SELECT r.*, r.segment::pg_catalog.date AS start FROM data_end, LATERAL activity_metrics.funnel_report($1, $2, NULL, $3, $4, $5, $6, $7, $8,
				data_end.at, $10, $11, ''first'', $12, %6$L) AS r
			WHERE data_end.at IS NOT NULL),
		range AS (
			SELECT pg_catalog.min(start) AS first, pg_catalog.max(start) AS last FROM step),
		period AS (
			SELECT activity_metrics.period_start(p, %6$L) AS start,
				pg_catalog.timezone($10, activity_metrics.period_start(p OPERATOR(pg_catalog.+) 1::pg_catalog.int8, %6$L)::pg_catalog.timestamp) AS next
			FROM range, LATERAL pg_catalog.generate_series(
				activity_metrics.period_no(pg_catalog.timezone(''UTC'', first::pg_catalog.timestamp), %6$L, ''UTC''),
				activity_metrics.period_no(pg_catalog.timezone(''UTC'', last::pg_catalog.timestamp), %6$L, ''UTC'')) AS p)
		SELECT period.start, coalesce(entry.reached, 0), coalesce(last.reached, 0),
			last.overall_rate, last.overall_rate_low, last.overall_rate_high, coalesce(open.n, 0),
			last.overall_eventual_rate, last.overall_eventual_rate_low, last.overall_eventual_rate_high,
			last.median_days_from_start, complete.yes,
			CASE WHEN entry.reached IS NULL THEN ''nobody entered: the rate is not defined''
				WHEN NOT complete.yes AND open.n OPERATOR(pg_catalog.=) 0::pg_catalog.int8 THEN ''the period is cut, or the time it has is not over''
				WHEN NOT complete.yes THEN pg_catalog.format(''%%s of %%s still open: the rate can rise'', open.n, entry.reached) END
		FROM data_end CROSS JOIN period
		LEFT JOIN step AS entry ON entry.start OPERATOR(pg_catalog.=) period.start AND entry.step_no OPERATOR(pg_catalog.=) 1
		LEFT JOIN step AS last ON last.start OPERATOR(pg_catalog.=) period.start AND last.step_no OPERATOR(pg_catalog.=) %7$s
		LEFT JOIN LATERAL (
			SELECT pg_catalog.sum(step.still_open)::pg_catalog.int8 AS n FROM step
			WHERE step.start OPERATOR(pg_catalog.=) period.start) AS open ON true,
		LATERAL (SELECT %8$s
			AND ($3 IS NULL OR pg_catalog.timezone($10, period.start::pg_catalog.timestamp) OPERATOR(pg_catalog.>=) $3)
			AND ($4 IS NULL OR period.next OPERATOR(pg_catalog.<=) $4) AS yes) AS complete
		ORDER BY period.start',
		activity_metrics.time_column(events, at, 'at', tz), activity_metrics.qualified_name(events),
		activity_metrics.key_column(events, entity, 'entity'), activity_metrics.text_column(events, kind, 'kind'),
		CASE WHEN only_done THEN activity_metrics.done_condition(events, status) ELSE 'true' END,
		activity_metrics.check_grain(grain), cardinality(activity_metrics.funnel_steps(rules)),
		CASE WHEN within IS NULL THEN 'period.next OPERATOR(pg_catalog.<=) data_end.at AND coalesce(open.n, 0) OPERATOR(pg_catalog.=) 0::pg_catalog.int8'
			ELSE format('period.next OPERATOR(pg_catalog.+) %L::pg_catalog.interval OPERATOR(pg_catalog.<=) data_end.at AND coalesce(open.n, 0) OPERATOR(pg_catalog.=) 0::pg_catalog.int8', within) END);
END;
$$;
COMMENT ON FUNCTION activity_metrics.funnel_trend_sql(regclass, text, text, text, text, text, text, text, boolean) IS
'Internal: the statement that funnel_trend runs.';

CREATE FUNCTION activity_metrics.funnel_trend(
	events regclass,
	spec text,
	grain text DEFAULT 'month',
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	entity text DEFAULT 'entity',
	at text DEFAULT 'at',
	kind text DEFAULT 'kind',
	status text DEFAULT NULL,
	as_of timestamptz DEFAULT NULL,
	tz text DEFAULT 'UTC',
	only_done boolean DEFAULT true,
	holding text DEFAULT NULL,
	skipped text DEFAULT 'gap',
	moved_back text DEFAULT 'ignore',
	reopened text DEFAULT 'end')
RETURNS TABLE (
	period_start date,
	entered bigint,
	converted bigint,
	rate double precision,
	rate_low double precision,
	rate_high double precision,
	still_open bigint,
	eventual_rate double precision,
	eventual_rate_low double precision,
	eventual_rate_high double precision,
	median_days double precision,
	is_complete boolean,
	note text)
LANGUAGE plpgsql STABLE ROWS 50 COST 10000 SET jit = off AS $$
#variable_conflict use_column
DECLARE
	rules pg_catalog.text := activity_metrics.funnel_rules(spec, skipped, moved_back, reopened);
BEGIN
	PERFORM activity_metrics.funnel_check(since, until, as_of, tz, only_done, activity_metrics.check_grain(grain));
	RETURN QUERY EXECUTE activity_metrics.funnel_trend_sql(events, rules, grain, entity, at, kind, status, tz, only_done)
	USING events, rules, since, until, entity, at, kind, status, as_of, tz, only_done, holding;
END;
$$;
COMMENT ON FUNCTION activity_metrics.funnel_trend(regclass, text, text, timestamptz, timestamptz, text, text, text, text, timestamptz, text, boolean, text, text, text, text) IS
'A funnel from its first step to its last, one row for each period in which attempts first entered, also for those between in which none did.
Arguments as of funnel_report; grain: day, week, month, quarter or year.
rate: converted of entered, with its 95 % Wilson interval; eventual_rate: what it comes to when those still open are decided (Aalen-Johansen); median_days: from the first step to the last; is_complete: the time that the last attempts of the period had is over, and nobody is still open; only complete periods compare.
Errors: as of funnel_report, and an unknown grain (22023).';

CREATE FUNCTION activity_metrics.funnel_compare_sql(by_segment boolean) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	report text := 'activity_metrics.funnel_report($1, $2, %s, %s, %s, $12, $13, $14, $15, $16, $17, $18, $19, $20)';
	side text;
BEGIN
	-- $1 events, $2 rules, $3 by, $4 a, $5 b, $6 since, $7 until, $8 since_a, $9 until_a, $10 since_b, $11 until_b,
	-- $12 entity, $13 at, $14 kind, $15 status, $16 as_of, $17 tz, $18 only_done, $19 attribution, $20 holding
	IF by_segment THEN
		side := format('WITH report AS (SELECT * FROM %s),
			a AS (SELECT * FROM report WHERE segment OPERATOR(pg_catalog.=) $4),
			b AS (SELECT * FROM report WHERE segment OPERATOR(pg_catalog.=) $5)', format(report, '$3', '$6', '$7'));
	ELSE
		side := format('WITH a AS (SELECT * FROM %s), b AS (SELECT * FROM %s)',
			format(report, 'NULL', '$8', '$9'), format(report, 'NULL', '$10', '$11'));
	END IF;
	RETURN side || ',
		pair AS (
			SELECT a.step_no, a.step, a.reached AS reached_a, b.reached AS reached_b, a.step_rate AS rate_a, b.step_rate AS rate_b,
				pg_catalog.lag(a.reached) OVER (ORDER BY a.step_no) AS before_a, pg_catalog.lag(b.reached) OVER (ORDER BY a.step_no) AS before_b,
				pg_catalog.first_value(a.reached) OVER (ORDER BY a.step_no) AS entered_a, pg_catalog.first_value(b.reached) OVER (ORDER BY a.step_no) AS entered_b,
				a.overall_rate AS overall_a, b.overall_rate AS overall_b, a.eventual_rate AS eventual_a, b.eventual_rate AS eventual_b,
				a.still_open AS open_a, b.still_open AS open_b
			FROM a JOIN b ON a.step_no OPERATOR(pg_catalog.=) b.step_no)
		SELECT pair.step_no, pair.step, pair.reached_a, pair.rate_a, pair.reached_b, pair.rate_b,
			s.difference, s.low, s.high, s.p,
			pair.overall_a, pair.overall_b, o.difference, o.low, o.high, o.p, pair.eventual_a, pair.eventual_b,
			CASE WHEN pair.step_no OPERATOR(pg_catalog.=) 1 THEN NULL
				WHEN s.difference IS NULL THEN ''nobody reached the step before: no difference is defined''
				WHEN pg_catalog.lag(pair.open_a OPERATOR(pg_catalog.+) pair.open_b) OVER (ORDER BY pair.step_no) OPERATOR(pg_catalog.>) 0::pg_catalog.int8
					THEN ''attempts are still open: the rates can rise, compare eventual_rate_a and eventual_rate_b''
				END
		FROM pair
		LEFT JOIN LATERAL activity_metrics.newcombe(pair.reached_a, pair.before_a, pair.reached_b, pair.before_b) AS s ON pair.step_no OPERATOR(pg_catalog.>) 1
		LEFT JOIN LATERAL activity_metrics.newcombe(pair.reached_a, pair.entered_a, pair.reached_b, pair.entered_b) AS o ON pair.step_no OPERATOR(pg_catalog.>) 1
		ORDER BY pair.step_no';
END;
$$;
COMMENT ON FUNCTION activity_metrics.funnel_compare_sql(boolean) IS
'Internal: the statement that funnel_compare runs.';

CREATE FUNCTION activity_metrics.funnel_compare(
	events regclass,
	spec text,
	by text DEFAULT NULL,
	a text DEFAULT NULL,
	b text DEFAULT NULL,
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	since_a timestamptz DEFAULT NULL,
	until_a timestamptz DEFAULT NULL,
	since_b timestamptz DEFAULT NULL,
	until_b timestamptz DEFAULT NULL,
	entity text DEFAULT 'entity',
	at text DEFAULT 'at',
	kind text DEFAULT 'kind',
	status text DEFAULT NULL,
	as_of timestamptz DEFAULT NULL,
	tz text DEFAULT 'UTC',
	only_done boolean DEFAULT true,
	attribution text DEFAULT 'first',
	holding text DEFAULT NULL,
	skipped text DEFAULT 'gap',
	moved_back text DEFAULT 'ignore',
	reopened text DEFAULT 'end')
RETURNS TABLE (
	step_no integer,
	step text,
	reached_a bigint,
	rate_a double precision,
	reached_b bigint,
	rate_b double precision,
	difference double precision,
	low double precision,
	high double precision,
	p double precision,
	overall_rate_a double precision,
	overall_rate_b double precision,
	overall_difference double precision,
	overall_low double precision,
	overall_high double precision,
	overall_p double precision,
	eventual_rate_a double precision,
	eventual_rate_b double precision,
	note text)
LANGUAGE plpgsql STABLE ROWS 10 COST 20000 SET jit = off AS $$
#variable_conflict use_column
DECLARE
	rules pg_catalog.text := activity_metrics.funnel_rules(spec, skipped, moved_back, reopened);
	has_periods boolean := pg_catalog.num_nonnulls(since_a, until_a, since_b, until_b) OPERATOR(pg_catalog.>) 0;
	found integer;
	missing pg_catalog.text;
	segments pg_catalog.text[];
BEGIN
	PERFORM activity_metrics.funnel_check(since, until, as_of, tz, only_done, NULL);
	PERFORM activity_metrics.check_range(since_a, until_a);
	PERFORM activity_metrics.check_range(since_b, until_b);
	IF by IS NULL AND NOT has_periods THEN
		RAISE EXCEPTION 'nothing to compare is given' USING ERRCODE = '22023',
			HINT = 'Name two segments with by, a and b, or two periods with since_a, until_a, since_b and until_b.';
	END IF;
	IF by IS NOT NULL AND has_periods THEN
		RAISE EXCEPTION 'both segments and periods are given' USING ERRCODE = '22023',
			HINT = 'Leave by out to compare two periods, or since_a, until_a, since_b and until_b to compare two segments.';
	END IF;
	IF has_periods AND (pg_catalog.num_nonnulls(since_a, until_a) OPERATOR(pg_catalog.=) 0 OR pg_catalog.num_nonnulls(since_b, until_b) OPERATOR(pg_catalog.=) 0) THEN
		RAISE EXCEPTION 'only one period is given' USING ERRCODE = '22023',
			HINT = 'Give since_a, until_a and since_b, until_b.';
	END IF;
	IF has_periods AND pg_catalog.num_nonnulls(since, until) OPERATOR(pg_catalog.>) 0 THEN
		RAISE EXCEPTION 'since and until are given beside two periods' USING ERRCODE = '22023',
			HINT = 'Each period has its own: since_a, until_a and since_b, until_b.';
	END IF;
	IF by IS NOT NULL AND (a IS NULL OR b IS NULL) THEN
		RAISE EXCEPTION 'argument % is null', CASE WHEN a IS NULL THEN 'a' ELSE 'b' END USING ERRCODE = '22004',
			HINT = pg_catalog.format('Give two values of %s, such as a => ''North'', b => ''South''; ''(none)'' is where it has none.', by);
	END IF;
	RETURN QUERY EXECUTE activity_metrics.funnel_compare_sql(by IS NOT NULL)
	USING events, rules, by, a, b, since, until, since_a, until_a, since_b, until_b,
		entity, at, kind, status, as_of, tz, only_done, attribution, holding;
	GET DIAGNOSTICS found = ROW_COUNT;
	IF found OPERATOR(pg_catalog.=) 0 THEN
		EXECUTE activity_metrics.funnel_segments_sql(events, by) INTO segments;
		missing := CASE WHEN a OPERATOR(pg_catalog.=) ANY (segments) THEN b ELSE a END;
		IF missing OPERATOR(pg_catalog.=) ANY (segments) THEN
			RAISE EXCEPTION 'column "%" has % and %, but not both among the events that count', by, pg_catalog.quote_literal(a), pg_catalog.quote_literal(b) USING ERRCODE = '22023',
				HINT = 'Widen since and until, or take events of every status with only_done => false.';
		END IF;
		RAISE EXCEPTION 'no event has % in column "%"', pg_catalog.quote_literal(missing), by USING ERRCODE = '22023',
			DETAIL = pg_catalog.format('Values are %s.', pg_catalog.array_to_string(segments[1:10], ', ')
				OPERATOR(pg_catalog.||) CASE WHEN pg_catalog.cardinality(segments) OPERATOR(pg_catalog.>) 10 THEN ', ...' ELSE '' END),
			HINT = pg_catalog.format('Did you mean %L?', activity_metrics.nearest_name(missing, segments));
	END IF;
END;
$$;
COMMENT ON FUNCTION activity_metrics.funnel_compare(regclass, text, text, text, text, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz, text, text, text, text, timestamptz, text, boolean, text, text, text, text, text) IS
'Two segments or two periods of a funnel, step by step: the rates, their difference (a less b) with its 95 % interval (Newcombe 1998) and the p of equal rates (Campbell 2007).
Segments: by names the column, a and b two of its values. Periods: attempts that start in [since_a, until_a) and in [since_b, until_b). Other arguments as of funnel_report.
difference, low, high and p are of the rates from the step before, overall_... of those from the first step. The many p of a table are not corrected for being many.
Errors: as of funnel_report; nothing or both to compare, no such value (22023), a value that is NULL (22004).';

CREATE FUNCTION activity_metrics.funnel_segments_sql(events regclass, by text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT pg_catalog.format('SELECT coalesce(pg_catalog.array_agg(v ORDER BY v), ''{}'') FROM (SELECT DISTINCT coalesce(%s, ''(none)'') AS v FROM %s LIMIT 1000) AS s',
		activity_metrics.text_column(events, by, 'by'), activity_metrics.qualified_name(events));
END;
COMMENT ON FUNCTION activity_metrics.funnel_segments_sql(regclass, text) IS
'Internal: the statement that lists the values of a column for an error''s hint.';

CREATE TYPE activity_metrics.funnel_entity AS (
	entity text,
	attempt bigint,
	step_no integer,
	step text,
	stop text,
	excluded_by text,
	next_step text,
	started_at timestamptz,
	last_at timestamptz,
	ended_at timestamptz,
	days_since_last double precision,
	times timestamptz[]
);
COMMENT ON TYPE activity_metrics.funnel_entity IS
'An entity of a funnel: the furthest step of its attempt, why it stopped there (converted, still open, timed out, excluded, broken) and by which kind it was excluded, the step to take next, when the attempt started, took its last step and ended, the days of 24 hours from its last step to the end of the data, and the time of each step (NULL: not taken).';

CREATE FUNCTION activity_metrics.funnel_entities_sql(
	events regclass, spec text, has_since boolean,
	entity text, at text, kind text, status text, tz text, only_done boolean, holding text)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- $1 to $4 as in funnel_attempts_sql, $5 step_no, $6 stop
	RETURN format(
		'WITH %1$s,
		known AS (
			SELECT e::pg_catalog.text AS entity, n, (attempt).level, (attempt).stop, (attempt).excluded_by, (attempt).ended, (attempt).times,
				(SELECT pg_catalog.min(t) FROM pg_catalog.unnest((attempt).times) AS t) AS started_at,
				(SELECT pg_catalog.max(t) FROM pg_catalog.unnest((attempt).times) AS t) AS last_at
			FROM attempt
			WHERE ($5 IS NULL OR (attempt).level OPERATOR(pg_catalog.=) $5) AND ($6 IS NULL OR (attempt).stop OPERATOR(pg_catalog.=) $6))
		SELECT known.entity, known.n, known.level, names.step[known.level], known.stop, known.excluded_by, names.step[known.level OPERATOR(pg_catalog.+) 1],
			known.started_at, known.last_at, known.ended,
			(pg_catalog.date_part(''epoch'', data_end.as_of OPERATOR(pg_catalog.-) known.last_at) OPERATOR(pg_catalog./) 86400),
			known.times
		FROM known CROSS JOIN data_end, LATERAL (SELECT activity_metrics.funnel_steps($1) AS step) AS names
		ORDER BY known.level DESC, known.last_at DESC, known.entity COLLATE "C", known.n',
		activity_metrics.funnel_attempts_sql(events, spec, NULL, has_since, entity, at, kind, status, tz, only_done, holding));
END;
$$;
COMMENT ON FUNCTION activity_metrics.funnel_entities_sql(regclass, text, boolean, text, text, text, text, text, boolean, text) IS
'Internal: the statement that funnel_entities runs.';

CREATE FUNCTION activity_metrics.funnel_entities(
	events regclass,
	spec text,
	step text DEFAULT NULL,
	stop text DEFAULT NULL,
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	entity text DEFAULT 'entity',
	at text DEFAULT 'at',
	kind text DEFAULT 'kind',
	status text DEFAULT NULL,
	as_of timestamptz DEFAULT NULL,
	tz text DEFAULT 'UTC',
	only_done boolean DEFAULT true,
	holding text DEFAULT NULL,
	skipped text DEFAULT 'gap',
	moved_back text DEFAULT 'ignore',
	reopened text DEFAULT 'end')
RETURNS SETOF activity_metrics.funnel_entity
LANGUAGE plpgsql STABLE ROWS 1000 COST 10000 SET jit = off AS $$
DECLARE
	rules pg_catalog.text := activity_metrics.funnel_rules(spec, skipped, moved_back, reopened);
	stops pg_catalog.text[] := ARRAY['converted', 'still open', 'timed out', 'excluded', 'broken'];
BEGIN
	PERFORM activity_metrics.funnel_check(since, until, as_of, tz, only_done, NULL);
	IF stop OPERATOR(pg_catalog.<>) ALL (stops) THEN
		RAISE EXCEPTION '"%" is no way for an attempt to end', stop USING ERRCODE = '22023',
			DETAIL = pg_catalog.format('Attempts are %s.', pg_catalog.array_to_string(stops, ', ')),
			HINT = pg_catalog.format('Did you mean %L?', coalesce(activity_metrics.nearest_name(stop, stops), stops[2]));
	END IF;
	RETURN QUERY EXECUTE activity_metrics.funnel_entities_sql(events, rules, since IS NOT NULL,
		entity, at, kind, status, tz, only_done, holding)
	USING rules, since, until, as_of, CASE WHEN step IS NOT NULL THEN activity_metrics.funnel_step_no(rules, step, 'step') END, stop;
END;
$$;
COMMENT ON FUNCTION activity_metrics.funnel_entities(regclass, text, text, text, timestamptz, timestamptz, text, text, text, text, timestamptz, text, boolean, text, text, text, text) IS
'The entities behind a funnel, one row each (with the option totals one for each attempt): the furthest step, why it went no further, and when it took each step. Furthest first, of those the latest.
step: only those that stopped at this step (name or number); stop: only those that are converted, still open, timed out, excluded or broken. Other arguments as of funnel_report.
Errors: as of funnel_report; no such step, no such stop (22023).';
