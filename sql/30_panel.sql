--
-- The panel: one row per unit (a rep) and period (a week).
--

CREATE FUNCTION activity_metrics.period_no(at timestamptz, grain text DEFAULT 'week', tz text DEFAULT 'UTC') RETURNS bigint
AS 'MODULE_PATHNAME', 'am_period_no' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.period_no(timestamptz, text, text) IS
'Number of the hour, day, week (from Monday), month, quarter or year that a time lies in, in the time zone tz; consecutive, 0 holds 1970-01-01. Hours are counted in UTC. Errors: unknown grain or zone (22023), an infinite time (22008).';

CREATE FUNCTION activity_metrics.period_start(period bigint, grain text DEFAULT 'week') RETURNS date
AS 'MODULE_PATHNAME', 'am_period_start' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.period_start(bigint, text) IS
'First day of a period that period_no numbered. Errors: unknown grain (22023), no such date (22008).';

CREATE FUNCTION activity_metrics.period_end(period bigint, grain text DEFAULT 'week') RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
-- hours begin and end within a day
RETURN activity_metrics.period_start(period OPERATOR(pg_catalog.+) CASE WHEN grain OPERATOR(pg_catalog.=) 'hour' THEN 0 ELSE 1 END, grain);
COMMENT ON FUNCTION activity_metrics.period_end(bigint, text) IS
'First day after a period that period_no numbered; of an hour, the day that it lies in. Errors: as of period_start().';

CREATE FUNCTION activity_metrics.panel_serial(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'am_panel_serial' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.panel_serial(internal) IS 'Internal: serialises a panel for a parallel plan.';

CREATE FUNCTION activity_metrics.panel_deserial(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'am_state_deserial' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.panel_deserial(bytea, internal) IS 'Internal: reads what panel_serial wrote.';

CREATE FUNCTION activity_metrics.panel_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'am_panel_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.panel_combine(internal, internal) IS 'Internal: joins two panels.';

CREATE FUNCTION activity_metrics.metric_value_sql(m activity_metrics.metric, what text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	source regclass := m.source_relation::regclass;
	at text := activity_metrics.time_column(source, m.time_column, 'at', m.tz);
	condition text := format('($1 IS NULL OR %1$s OPERATOR(pg_catalog.>=) $1) AND ($2 IS NULL OR %1$s OPERATOR(pg_catalog.<) $2) AND %2$s', at, activity_metrics.metric_condition_sql(m));
	value text;
BEGIN
	IF what = 'quality' THEN
		value := format('activity_metrics.exact_avg(%s)', activity_metrics.quality_column(source));
		RETURN format('%s FILTER (WHERE %s)', value, condition);
	END IF;
	value := CASE m.agg
		WHEN 'count' THEN 'pg_catalog.count(*)'
		WHEN 'count_distinct' THEN format('pg_catalog.count(DISTINCT %s)', activity_metrics.text_column(source, m.value_column, 'value'))
		ELSE format('activity_metrics.exact_sum(%s)', activity_metrics.number_column(source, m.value_column, 'value')) END;
	RETURN format('coalesce(%s FILTER (WHERE %s), 0)::pg_catalog.float8', value, condition);
END;
$$;
COMMENT ON FUNCTION activity_metrics.metric_value_sql(activity_metrics.metric, text) IS
'Internal: the aggregate expression of a metric''s value (what = value) or of the mean quality of its events (what = quality).';

CREATE FUNCTION activity_metrics.check_grain(grain text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF grain IS NULL THEN
		RAISE EXCEPTION 'argument grain is null' USING ERRCODE = '22004',
			HINT = 'Grains are hour, day, week, month, quarter and year.';
	END IF;
	RETURN grain;
END;
$$;
COMMENT ON FUNCTION activity_metrics.check_grain(text) IS
'Internal: a grain that was given. Errors: NULL (22004).';

CREATE FUNCTION activity_metrics.event_panel_trans(internal, integer, bigint, timestamptz, text, text, double precision, double precision, timestamptz, timestamptz, text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_event_panel_int8_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.event_panel_trans(internal, integer, bigint, timestamptz, text, text, double precision, double precision, timestamptz, timestamptz, text) IS 'Internal: counts an event in event_panel().';

CREATE FUNCTION activity_metrics.event_panel_trans(internal, integer, text, timestamptz, text, text, double precision, double precision, timestamptz, timestamptz, text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_event_panel_text_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.event_panel_trans(internal, integer, text, timestamptz, text, text, double precision, double precision, timestamptz, timestamptz, text) IS 'Internal: counts an event in event_panel().';

CREATE FUNCTION activity_metrics.event_panel_trans(internal, integer, uuid, timestamptz, text, text, double precision, double precision, timestamptz, timestamptz, text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_event_panel_uuid_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.event_panel_trans(internal, integer, uuid, timestamptz, text, text, double precision, double precision, timestamptz, timestamptz, text) IS 'Internal: counts an event in event_panel().';

CREATE FUNCTION activity_metrics.event_panel_serial(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'am_event_panel_serial' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.event_panel_serial(internal) IS 'Internal: serialises the state of event_panel() for a parallel plan.';

CREATE FUNCTION activity_metrics.event_panel_deserial(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'am_state_deserial' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.event_panel_deserial(bytea, internal) IS 'Internal: reads what event_panel_serial wrote.';

CREATE FUNCTION activity_metrics.event_panel_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'am_event_panel_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.event_panel_combine(internal, internal) IS 'Internal: joins two states of event_panel().';

CREATE FUNCTION activity_metrics.event_panel_final(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'am_event_panel_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.event_panel_final(internal) IS 'Internal: the result of event_panel().';

CREATE AGGREGATE activity_metrics.event_panel(source integer, unit bigint, at timestamptz, kind text, status text, value double precision, quality double precision, since timestamptz, until timestamptz, options text) (
	SFUNC = activity_metrics.event_panel_trans, STYPE = internal, SSPACE = 8192,
	FINALFUNC = activity_metrics.event_panel_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.event_panel_combine,
	SERIALFUNC = activity_metrics.event_panel_serial, DESERIALFUNC = activity_metrics.event_panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.event_panel(integer, bigint, timestamptz, text, text, double precision, double precision, timestamptz, timestamptz, text) IS
'Internal: from events straight to a panel of several columns, for event_panel_rows(). One pass without GROUP BY.
source: which of several relations the event is of, from 1; status: NULL or the event''s, planned, cancelled and no_show do not count; value: what sums add up; quality: of which the mean over the events of the first column is taken; since, until: what counts lies in [since, until), units have periods from all their events.
options: grain ''week'', zone ''UTC'', and one for each column: count (all events), count ''call'', sum ''won'' (of value); further kinds follow as or ''demo''; source 2 before columns says whose events they count.
No rows: NULL. Errors: unknown option, grain or zone, settings that change (22023), an infinite time (22008), a value that is NaN or infinite (22003), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.event_panel(source integer, unit text, at timestamptz, kind text, status text, value double precision, quality double precision, since timestamptz, until timestamptz, options text) (
	SFUNC = activity_metrics.event_panel_trans, STYPE = internal, SSPACE = 8192,
	FINALFUNC = activity_metrics.event_panel_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.event_panel_combine,
	SERIALFUNC = activity_metrics.event_panel_serial, DESERIALFUNC = activity_metrics.event_panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.event_panel(integer, text, timestamptz, text, text, double precision, double precision, timestamptz, timestamptz, text) IS
'Internal: from events straight to a panel of several columns, for event_panel_rows(). One pass without GROUP BY.
source: which of several relations the event is of, from 1; status: NULL or the event''s, planned, cancelled and no_show do not count; value: what sums add up; quality: of which the mean over the events of the first column is taken; since, until: what counts lies in [since, until), units have periods from all their events.
options: grain ''week'', zone ''UTC'', and one for each column: count (all events), count ''call'', sum ''won'' (of value); further kinds follow as or ''demo''; source 2 before columns says whose events they count.
No rows: NULL. Errors: unknown option, grain or zone, settings that change (22023), an infinite time (22008), a value that is NaN or infinite (22003), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.event_panel(source integer, unit uuid, at timestamptz, kind text, status text, value double precision, quality double precision, since timestamptz, until timestamptz, options text) (
	SFUNC = activity_metrics.event_panel_trans, STYPE = internal, SSPACE = 8192,
	FINALFUNC = activity_metrics.event_panel_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.event_panel_combine,
	SERIALFUNC = activity_metrics.event_panel_serial, DESERIALFUNC = activity_metrics.event_panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.event_panel(integer, uuid, timestamptz, text, text, double precision, double precision, timestamptz, timestamptz, text) IS
'Internal: from events straight to a panel of several columns, for event_panel_rows(). One pass without GROUP BY.
source: which of several relations the event is of, from 1; status: NULL or the event''s, planned, cancelled and no_show do not count; value: what sums add up; quality: of which the mean over the events of the first column is taken; since, until: what counts lies in [since, until), units have periods from all their events.
options: grain ''week'', zone ''UTC'', and one for each column: count (all events), count ''call'', sum ''won'' (of value); further kinds follow as or ''demo''; source 2 before columns says whose events they count.
No rows: NULL. Errors: unknown option, grain or zone, settings that change (22023), an infinite time (22008), a value that is NaN or infinite (22003), too large a panel (54000).';

CREATE FUNCTION activity_metrics.event_panel_rows(
	panel bytea,
	OUT unit text,
	OUT period bigint,
	OUT period_start date,
	OUT is_complete boolean,
	OUT columns double precision[],
	OUT quality double precision)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'am_event_panel_rows' LANGUAGE C STABLE PARALLEL SAFE ROWS 2000 COST 1000;
COMMENT ON FUNCTION activity_metrics.event_panel_rows(bytea) IS
'Internal: the rows of an event_panel(), in order of unit and period, with zeros, as of metric_panel(). Errors: bytes that are none (22P03).';

CREATE FUNCTION activity_metrics.event_panel_scannable(tables regclass[], columns text[], tz text) RETURNS boolean
AS 'MODULE_PATHNAME', 'am_event_panel_scannable' LANGUAGE C STABLE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION activity_metrics.event_panel_scannable(regclass[], text[], text) IS
'Internal: whether event_panel_scan() can read these columns (of each table its unit, at, kind, status, value and quality, NULL where there is none): those of plain tables, of usual types, which the caller may read, whole, without row-level security.';

CREATE FUNCTION activity_metrics.event_panel_scan(tables regclass[], columns text[], since timestamptz, until timestamptz, tz text, options text) RETURNS bytea
AS 'MODULE_PATHNAME', 'am_event_panel_scan' LANGUAGE C STABLE PARALLEL UNSAFE COST 100000;
COMMENT ON FUNCTION activity_metrics.event_panel_scan(regclass[], text[], timestamptz, timestamptz, text, text) IS
'Internal: the event_panel() of columns of tables, read from the tables themselves; source 1 is the first. Errors: a table for which event_panel_scannable() is false (0A000), no right to read it (42501), and those of event_panel().';

CREATE FUNCTION activity_metrics.compares_by_bytes(relation regclass, column_name text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT coalesce(pg_catalog.bool_and(c.collisdeterministic), true)
	FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_collation c ON c.oid OPERATOR(pg_catalog.=) a.attcollation
	WHERE a.attrelid OPERATOR(pg_catalog.=) relation::pg_catalog.oid
	AND a.attname OPERATOR(pg_catalog.=) column_name::pg_catalog.name;
END;
COMMENT ON FUNCTION activity_metrics.compares_by_bytes(regclass, text) IS
'Internal: are values of a column equal only if their bytes are? Not under a nondeterministic collation.';

CREATE FUNCTION activity_metrics.segment_column(relation regclass, segment text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN CASE WHEN segment IS NULL THEN 'NULL::pg_catalog.text'
		ELSE format('coalesce(%s, ''(none)'')', activity_metrics.text_column(relation, segment, 'segment')) END;
END;
$$;
COMMENT ON FUNCTION activity_metrics.segment_column(regclass, text) IS
'Internal: the expression of the segment of a row; NULL where no column is named.';

CREATE FUNCTION activity_metrics.is_plain_sum(m activity_metrics.metric) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT m.type = 'simple' AND m.agg IN ('count', 'sum') AND m.filter_sql IS NULL
$$;
COMMENT ON FUNCTION activity_metrics.is_plain_sum(activity_metrics.metric) IS
'Internal: is a metric a count or sum of events by kind alone, which event_panel() can count?';

CREATE FUNCTION activity_metrics.is_counted(m activity_metrics.metric) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT m.type = 'simple' AND m.agg IN ('count', 'count_distinct', 'sum')
$$;
COMMENT ON FUNCTION activity_metrics.is_counted(activity_metrics.metric) IS
'Internal: is it an aggregate over rows that is zero where there are none? What shared_panel_sql() takes.';

CREATE FUNCTION activity_metrics.have_one_source(x activity_metrics.metric, y activity_metrics.metric) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT (x.source_relation, x.time_column, x.actor_column) = (y.source_relation, y.time_column, y.actor_column) AND x.status_column IS NOT DISTINCT FROM y.status_column
$$;
COMMENT ON FUNCTION activity_metrics.have_one_source(activity_metrics.metric, activity_metrics.metric) IS
'Internal: are two metrics of one relation, by the same columns of time, actor and status?';

CREATE FUNCTION activity_metrics.panel_groups(outcome activity_metrics.metric, metrics text[]) RETURNS TABLE (members activity_metrics.metric[], is_plain boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT array_agg(m ORDER BY t.i), p.is_plain
	FROM unnest(metrics) WITH ORDINALITY AS t(name, i), activity_metrics.find_metric(t.name) AS m,
		LATERAL (SELECT activity_metrics.is_plain_sum(m) AND activity_metrics.is_plain_sum(outcome) AS is_plain) AS p
	WHERE activity_metrics.is_counted(m) AND activity_metrics.is_counted(outcome) AND m.tz = outcome.tz
	GROUP BY p.is_plain, m.source_relation, m.time_column, m.actor_column, m.status_column
	ORDER BY min(t.i)
$$;
COMMENT ON FUNCTION activity_metrics.panel_groups(activity_metrics.metric, text[]) IS
'Internal: which of some metrics can be counted in one pass with an outcome: those of one relation, time, actor and status; is_plain: event_panel() may take them, else shared_panel_sql(). Others are in no group.';

CREATE FUNCTION activity_metrics.event_panel_sql(metrics activity_metrics.metric[], grain text, segment text, with_quality boolean) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	m activity_metrics.metric;
	-- what can be read together: a relation, with one column for each purpose
	sources activity_metrics.metric[] := '{}';
	source activity_metrics.metric;
	n integer;
	relation regclass;
	options text;
	rows text := '';
	tables regclass[];
	columns text[];
	same_units boolean;
BEGIN
	options := format('grain ''%s'', zone ''%s''', replace(grain, '''', ''''''), replace(metrics[1].tz, '''', ''''''));
	FOREACH m IN ARRAY metrics LOOP
		relation := m.source_relation::regclass;
		-- distinct values, conditions, and names that are equal though they differ, are for SQL
		IF NOT activity_metrics.is_plain_sum(m) OR NOT activity_metrics.compares_by_bytes(relation, m.actor_column)
			OR (m.event_kinds IS NOT NULL AND NOT activity_metrics.compares_by_bytes(relation, m.kind_column)) THEN
			RETURN NULL;
		END IF;
		m.kind_column := CASE WHEN m.event_kinds IS NOT NULL THEN m.kind_column END;
		m.value_column := CASE WHEN m.agg = 'sum' THEN m.value_column END;
		n := 1;
		WHILE n <= cardinality(sources) LOOP
			source := sources[n];
			EXIT WHEN activity_metrics.have_one_source(source, m) AND coalesce(source.kind_column = m.kind_column, true) AND coalesce(source.value_column = m.value_column, true);
			n := n + 1;
		END LOOP;
		IF n > cardinality(sources) THEN
			sources := sources || m;
		ELSE
			source.kind_column := coalesce(source.kind_column, m.kind_column);
			source.value_column := coalesce(source.value_column, m.value_column);
			sources[n] := source;
		END IF;
		options := options || format(', source %s, %s', n, m.agg);
		IF m.event_kinds IS NOT NULL THEN
			options := options || (SELECT string_agg(format(' ''%s''', replace(k, '''', '''''')), ', or' ORDER BY i)
				FROM unnest(activity_metrics.step_kinds(m.event_kinds, 'event_kinds')) WITH ORDINALITY AS t(k, i));
		END IF;
	END LOOP;

	-- the number of a rep in one relation is a text in another
	SELECT count(DISTINCT CASE WHEN t.type IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype) THEN 'bigint'::regtype
			WHEN t.type = 'uuid'::regtype THEN t.type ELSE 'text'::regtype END) = 1 INTO same_units
		FROM generate_subscripts(sources, 1) AS s(i), LATERAL (SELECT activity_metrics.column_type(sources[i].source_relation::regclass, sources[i].actor_column) AS type) AS t;
	FOR i IN 1 .. cardinality(sources) LOOP
		m := sources[i];
		relation := m.source_relation::regclass;
		m.status_column := coalesce(m.status_column, CASE WHEN activity_metrics.column_type(relation, 'status') IS NOT NULL THEN 'status' END);
		rows := rows || CASE i WHEN 1 THEN '' ELSE ' UNION ALL ' END || format(
			'SELECT %s AS source, %s AS unit, %s AS at, %s AS kind, %s AS status, %s AS value, %s AS quality, %s AS segment FROM %s',
			i,
			CASE WHEN same_units THEN activity_metrics.key_column(relation, m.actor_column, 'actor')
				ELSE activity_metrics.text_column(relation, m.actor_column, 'actor') END,
			activity_metrics.time_column(relation, m.time_column, 'at', m.tz),
			CASE WHEN m.kind_column IS NULL THEN 'NULL::pg_catalog.text' ELSE activity_metrics.text_column(relation, m.kind_column, 'kind_column') END,
			CASE WHEN m.status_column IS NULL THEN 'NULL::pg_catalog.text' ELSE activity_metrics.text_column(relation, m.status_column, 'status') END,
			CASE WHEN m.value_column IS NULL THEN 'NULL::pg_catalog.float8' ELSE activity_metrics.number_column(relation, m.value_column, 'value') END,
			-- of the events of the first metric, which is of the first source
			CASE WHEN with_quality AND i = 1 THEN activity_metrics.quality_column(relation) ELSE 'NULL::pg_catalog.float8' END,
			activity_metrics.segment_column(relation, segment),
			activity_metrics.qualified_name(relation));
		tables := tables || relation;
		columns := columns || ARRAY[m.actor_column, m.time_column, m.kind_column, m.status_column, m.value_column,
			CASE WHEN with_quality AND i = 1 AND activity_metrics.quality_column(relation) NOT LIKE 'NULL::%' THEN 'quality' END];
	END LOOP;
	IF segment IS NULL AND activity_metrics.event_panel_scannable(tables, columns, metrics[1].tz) THEN
		RETURN format('SELECT NULL::pg_catalog.text AS segment, activity_metrics.event_panel_scan(%L::pg_catalog.oid[]::pg_catalog.regclass[], %L::pg_catalog.text[], $1, $2, %L::pg_catalog.text, %L::pg_catalog.text) AS panel',
			tables::oid[], columns, metrics[1].tz, options);
	END IF;
	RETURN format(
		'SELECT %s AS segment, activity_metrics.event_panel(e.source, e.unit, e.at, e.kind, e.status, e.value, e.quality, $1, $2, %L::pg_catalog.text) AS panel FROM (%s) AS e%s',
		CASE WHEN segment IS NULL THEN 'NULL::pg_catalog.text' ELSE 'e.segment' END, options, rows,
		CASE WHEN segment IS NULL THEN '' ELSE ' GROUP BY e.segment ORDER BY e.segment' END);
END;
$$;
COMMENT ON FUNCTION activity_metrics.event_panel_sql(activity_metrics.metric[], text, text, boolean) IS
'Internal: a statement that gives the event_panel() of some metrics of one time zone, one for each segment; $1 since, $2 until. NULL where a metric needs SQL: what is no plain count or sum, and names under a collation by which different bytes are equal.';

CREATE FUNCTION activity_metrics.check_same_zone(x activity_metrics.metric, y activity_metrics.metric) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF x.tz <> y.tz THEN
		RAISE EXCEPTION 'metrics "%" and "%" have different time zones', x.metric, y.metric USING ERRCODE = '22023',
			DETAIL = format('%s counts in %s, %s in %s: their days and weeks are not the same.', x.metric, x.tz, y.metric, y.tz),
			HINT = 'Define one of them again with the time zone of the other.';
	END IF;
END;
$$;
COMMENT ON FUNCTION activity_metrics.check_same_zone(activity_metrics.metric, activity_metrics.metric) IS
'Internal: refuses two metrics of different time zones (22023).';

CREATE FUNCTION activity_metrics.any_panel_sql(mx activity_metrics.metric, my activity_metrics.metric, grain text, segment text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS $$
DECLARE
	cells text := '';
	m activity_metrics.metric;
BEGIN
	FOR i IN 1 .. 2 LOOP
		m := CASE i WHEN 1 THEN mx ELSE my END;
		cells := cells || CASE i WHEN 2 THEN ' UNION ALL ' ELSE '' END || format(
			'SELECT segment, unit, period, %s AS x, %s AS y, NULL::pg_catalog.float8 AS quality FROM (%s) AS v%s',
			CASE i WHEN 1 THEN 'value' ELSE 'NULL::pg_catalog.float8' END, CASE i WHEN 2 THEN 'value' ELSE 'NULL::pg_catalog.float8' END,
			activity_metrics.metric_values_sql(m, grain, true, segment), i);
	END LOOP;
	IF mx.type = 'simple' THEN
		cells := cells || format(' UNION ALL SELECT coalesce(%s, ''''), %s, activity_metrics.period_no(%s, %L::pg_catalog.text, %L::pg_catalog.text), NULL, NULL, %s %s GROUP BY 1, 2, 3',
			activity_metrics.segment_column(mx.source_relation::regclass, segment), activity_metrics.text_column(mx.source_relation::regclass, mx.actor_column, 'actor'),
			activity_metrics.time_column(mx.source_relation::regclass, mx.time_column, 'at', mx.tz), grain, mx.tz,
			activity_metrics.metric_value_sql(mx, 'quality'), activity_metrics.metric_rows_sql(mx, true));
	END IF;

	-- $1 since, $2 until; a ratio that is not defined makes no row
	RETURN format(
		'WITH cell AS (
			SELECT segment, unit, period, pg_catalog.max(x) AS x, pg_catalog.max(y) AS y, pg_catalog.max(quality) AS quality FROM (%1$s) AS c GROUP BY segment, unit, period),
		whole AS (
			SELECT segment, unit, pg_catalog.min(period) AS first, pg_catalog.max(period) AS last FROM cell GROUP BY segment, unit),
		bound AS (
			SELECT activity_metrics.period_no($1 OPERATOR(pg_catalog.-) ''1 microsecond''::pg_catalog.interval, %2$L::pg_catalog.text, %3$L::pg_catalog.text) AS before,
				activity_metrics.period_no(least($2, pg_catalog.now() OPERATOR(pg_catalog.-) pg_catalog.make_interval(secs => %4$s)), %2$L::pg_catalog.text, %3$L::pg_catalog.text) AS running),
		filled AS (
			SELECT whole.segment, whole.unit, p.period, %5$s AS x, %6$s AS y, cell.quality
			FROM whole CROSS JOIN LATERAL pg_catalog.generate_series(whole.first, whole.last) AS p(period)
			LEFT JOIN cell ON cell.segment OPERATOR(pg_catalog.=) whole.segment AND cell.unit OPERATOR(pg_catalog.=) whole.unit AND cell.period OPERATOR(pg_catalog.=) p.period)
		SELECT filled.unit, filled.period, activity_metrics.period_start(filled.period, %2$L::pg_catalog.text), filled.x, filled.y,
			coalesce(filled.period OPERATOR(pg_catalog.>) bound.before, true) AND filled.period OPERATOR(pg_catalog.<) bound.running,
			filled.quality, %7$s
		FROM filled, bound WHERE filled.x IS NOT NULL AND filled.y IS NOT NULL
		ORDER BY filled.segment, filled.unit, filled.period',
		cells, grain, mx.tz, greatest(activity_metrics.settle_days(mx), activity_metrics.settle_days(my)) * 86400,
		CASE WHEN activity_metrics.is_zero_filled(mx) THEN 'coalesce(cell.x, 0)' ELSE 'cell.x' END,
		CASE WHEN activity_metrics.is_zero_filled(my) THEN 'coalesce(cell.y, 0)' ELSE 'cell.y' END,
		CASE WHEN segment IS NULL THEN 'NULL::pg_catalog.text' ELSE 'filled.segment' END);
END;
$$;
COMMENT ON FUNCTION activity_metrics.any_panel_sql(activity_metrics.metric, activity_metrics.metric, text, text) IS
'Internal: the panel of two metrics of any type, by metric_values_sql().';

CREATE FUNCTION activity_metrics.shared_panel_sql(metrics activity_metrics.metric[], grain text, segment text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	outcome activity_metrics.metric := metrics[1];
	source activity_metrics.metric := metrics[2];
	one_scan boolean := activity_metrics.have_one_source(source, outcome);
	has_quality boolean := activity_metrics.quality_column(source.source_relation::regclass) NOT LIKE 'NULL::%';
	m activity_metrics.metric;
	cells text := '';
	columns text;
BEGIN
	FOR scan IN 1 .. CASE WHEN one_scan THEN 1 ELSE 2 END LOOP
		m := CASE scan WHEN 1 THEN source ELSE outcome END;
		SELECT string_agg(format('%s AS value_%s, %s AS quality_%s',
				CASE WHEN scan = 1 AND (i > 1 OR one_scan) OR scan = 2 AND i = 1 THEN activity_metrics.metric_value_sql(metrics[i], 'value') ELSE '0::pg_catalog.float8' END, i,
				CASE WHEN scan = 1 AND i > 1 AND has_quality THEN activity_metrics.metric_value_sql(metrics[i], 'quality') ELSE 'NULL::pg_catalog.float8' END, i), ', ' ORDER BY i)
			INTO columns FROM generate_subscripts(metrics, 1) AS i;
		-- a unit without any time is a rep of the roster who did nothing yet
		cells := cells || CASE scan WHEN 2 THEN ' UNION ALL ' ELSE '' END || format(
			'SELECT coalesce(%6$s, '''') AS segment, %1$s AS unit,
				CASE WHEN %2$s IS NOT NULL THEN activity_metrics.period_no(%2$s, %3$L::pg_catalog.text, %4$L::pg_catalog.text) END AS period, %5$s
			FROM %7$s WHERE %8$s GROUP BY 1, 2, 3',
			activity_metrics.text_column(m.source_relation::regclass, m.actor_column, 'actor'),
			activity_metrics.time_column(m.source_relation::regclass, m.time_column, 'at', m.tz),
			grain, m.tz, columns,
			activity_metrics.segment_column(m.source_relation::regclass, segment),
			activity_metrics.qualified_name(m.source_relation::regclass),
			activity_metrics.done_condition(m.source_relation::regclass, m.status_column));
	END LOOP;

	-- $1 since, $2 until; a period is complete if [since, until) holds all of it and it is over
	RETURN format(
		'WITH cell AS (
			SELECT segment, unit, period, ARRAY[%5$s] AS columns, ARRAY[%6$s] AS qualities
			FROM (%1$s) AS c WHERE unit IS NOT NULL GROUP BY segment, unit, period),
		unit AS (
			SELECT segment, unit, pg_catalog.min(period) AS first, pg_catalog.max(period) AS last FROM cell GROUP BY segment, unit),
		bound AS (
			SELECT segment, pg_catalog.min(period) AS first, pg_catalog.max(period) AS last,
				activity_metrics.period_no($1, %2$L::pg_catalog.text, %3$L::pg_catalog.text) AS since,
				activity_metrics.period_no($1 OPERATOR(pg_catalog.-) ''1 microsecond''::pg_catalog.interval, %2$L::pg_catalog.text, %3$L::pg_catalog.text) AS before,
				activity_metrics.period_no($2 OPERATOR(pg_catalog.-) ''1 microsecond''::pg_catalog.interval, %2$L::pg_catalog.text, %3$L::pg_catalog.text) AS until,
				activity_metrics.period_no(least($2, pg_catalog.now()), %2$L::pg_catalog.text, %3$L::pg_catalog.text) AS running
			FROM cell GROUP BY segment)
		SELECT unit.unit, p.period, activity_metrics.period_start(p.period, %2$L::pg_catalog.text) AS period_start,
			coalesce(cell.columns, pg_catalog.array_fill(0::pg_catalog.float8, ARRAY[%7$s])) AS columns,
			coalesce(p.period OPERATOR(pg_catalog.>) bound.before, true) AND p.period OPERATOR(pg_catalog.<) bound.running AS is_complete,
			cell.qualities, %4$s AS segment
		FROM unit JOIN bound ON bound.segment OPERATOR(pg_catalog.=) unit.segment CROSS JOIN LATERAL pg_catalog.generate_series(
			greatest(coalesce(unit.first, bound.first), bound.since),
			least(coalesce(unit.last, bound.last), bound.until)) AS p(period)
		LEFT JOIN cell ON cell.segment OPERATOR(pg_catalog.=) unit.segment AND cell.unit OPERATOR(pg_catalog.=) unit.unit AND cell.period OPERATOR(pg_catalog.=) p.period
		ORDER BY unit.segment, unit.unit, p.period',
		cells, grain, source.tz, CASE WHEN segment IS NULL THEN 'NULL::pg_catalog.text' ELSE 'unit.segment' END,
		(SELECT string_agg(format('pg_catalog.sum(value_%s)', i), ', ' ORDER BY i) FROM generate_subscripts(metrics, 1) AS i),
		(SELECT string_agg(format('pg_catalog.max(quality_%s)', i), ', ' ORDER BY i) FROM generate_subscripts(metrics, 1) AS i),
		cardinality(metrics));
END;
$$;
COMMENT ON FUNCTION activity_metrics.shared_panel_sql(activity_metrics.metric[], text, text) IS
'Internal: the statement for one panel of many metrics, which are simple, zero where nothing happened, of one time zone and, but for the first, of one relation, time, actor and status, so that it is scanned once: unit, period, its start, columns and qualities in the order of the metrics, is_complete, segment; $1 since, $2 until.';

CREATE FUNCTION activity_metrics.metric_panel_sql(x text, y text, grain text, segment text DEFAULT NULL, dense boolean DEFAULT true) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	mx activity_metrics.metric := activity_metrics.find_metric(x);
	my activity_metrics.metric := activity_metrics.find_metric(y);
	events text;
BEGIN
	-- also where there is no event to count
	PERFORM activity_metrics.period_no(now(), activity_metrics.check_grain(grain), mx.tz);
	PERFORM activity_metrics.check_same_zone(mx, my);
	IF NOT activity_metrics.is_counted(mx) OR NOT activity_metrics.is_counted(my) THEN
		RETURN activity_metrics.any_panel_sql(mx, my, grain, segment);
	END IF;
	IF dense THEN
		events := activity_metrics.event_panel_sql(ARRAY[mx, my], grain, segment, true);
	END IF;
	IF events IS NOT NULL THEN
		RETURN format(
			'SELECT r.unit, r.period, r.period_start, r.columns[1], r.columns[2], r.is_complete, r.quality, e.segment
			FROM (%s) AS e, LATERAL activity_metrics.event_panel_rows(e.panel) AS r', events);
	END IF;
	RETURN format('SELECT p.unit, p.period, p.period_start, p.columns[2], p.columns[1], p.is_complete, p.qualities[2], p.segment FROM (%s) AS p',
		activity_metrics.shared_panel_sql(ARRAY[my, mx], grain, segment));
END;
$$;
COMMENT ON FUNCTION activity_metrics.metric_panel_sql(text, text, text, text, boolean) IS
'Internal: the statement that metric_panel runs; dense: by event_panel() where that can count the metrics.';

CREATE FUNCTION activity_metrics.metric_units_sql(x text, y text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	-- who does it is said by the events underneath
	mx activity_metrics.metric := activity_metrics.metric_leaf(activity_metrics.find_metric(x));
	my activity_metrics.metric := activity_metrics.metric_leaf(activity_metrics.find_metric(y));
BEGIN
	IF (mx.source_relation, mx.actor_column) = (my.source_relation, my.actor_column) THEN
		RETURN 'SELECT NULL::pg_catalog.text[]';
	END IF;
	RETURN format(
		'SELECT ARRAY[x.example, y.example] FROM
			(SELECT pg_catalog.min(%1$s) AS example FROM %2$s) AS x, (SELECT pg_catalog.min(%3$s) AS example FROM %4$s) AS y
		WHERE x.example IS NOT NULL AND y.example IS NOT NULL
		AND NOT EXISTS (SELECT %1$s FROM %2$s WHERE %1$s IS NOT NULL INTERSECT SELECT %3$s FROM %4$s)',
		activity_metrics.text_column(mx.source_relation::regclass, mx.actor_column, 'actor'),
		activity_metrics.qualified_name(mx.source_relation::regclass),
		activity_metrics.text_column(my.source_relation::regclass, my.actor_column, 'actor'),
		activity_metrics.qualified_name(my.source_relation::regclass));
END;
$$;
COMMENT ON FUNCTION activity_metrics.metric_units_sql(text, text) IS
'Internal: a statement that gives an actor of each of two metrics where they have none in common, else nothing.';

CREATE FUNCTION activity_metrics.check_common_unit(x text, y text, units text[]) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF units IS NOT NULL THEN
		RAISE EXCEPTION 'metrics "%" and "%" have no unit in common', x, y USING ERRCODE = '22023',
			DETAIL = format('Actors of %s look like "%s", those of %s like "%s".', x, units[1], y, units[2]),
			HINT = 'Bring both to the same names in a view, and define one of the metrics over that view.';
	END IF;
END;
$$;
COMMENT ON FUNCTION activity_metrics.check_common_unit(text, text, text[]) IS
'Internal: refuses two metrics for which metric_units_sql found units that are not the same (22023).';

CREATE TYPE activity_metrics.metric_panel_row AS (
	unit text,
	period bigint,
	period_start date,
	x double precision,
	y double precision,
	is_complete boolean,
	quality double precision,
	segment text
);
COMMENT ON TYPE activity_metrics.metric_panel_row IS
'A row of metric_panel: two metrics of a unit (rep) in a period.';

CREATE FUNCTION activity_metrics.metric_panel(
	x text,
	y text,
	grain text DEFAULT 'week',
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	segment text DEFAULT NULL)
RETURNS SETOF activity_metrics.metric_panel_row
LANGUAGE plpgsql STABLE ROWS 2000 COST 10000 SET jit = off AS $$
DECLARE
	units pg_catalog.text[];
BEGIN
	PERFORM activity_metrics.check_range(since, until);
	-- ids on one side and names on the other would look like reps who never do both
	EXECUTE activity_metrics.metric_units_sql(x, y) INTO units;
	PERFORM activity_metrics.check_common_unit(x, y, units);
	BEGIN
		RETURN QUERY EXECUTE activity_metrics.metric_panel_sql(x, y, grain, segment, true) USING since, until;
	EXCEPTION
		-- what does not fit into memory is grouped by the server, which has files for it
		WHEN program_limit_exceeded THEN
			RETURN QUERY EXECUTE activity_metrics.metric_panel_sql(x, y, grain, segment, false) USING since, until;
		WHEN insufficient_privilege THEN
			RAISE;
		-- a column that a filter or expr names is gone: of which metric?
		WHEN syntax_error_or_access_rule_violation THEN
			PERFORM activity_metrics.check_part_formulas(ARRAY[x, y]);
			RAISE;
	END;
END;
$$;
COMMENT ON FUNCTION activity_metrics.metric_panel(text, text, text, timestamptz, timestamptz, text) IS
'Two metrics of the dictionary per unit (rep) and period, with zeros between a unit''s first and last period with any event of the relation, of any kind; a unit whose rows have no time (a roster) has all periods.
x, y: names of metrics; grain: hour, day, week, month, quarter or year; since, until: events in [since, until); segment: a column of the relation, each value of which has a panel of its own.
period: see period_no; is_complete: false for a period that [since, until) cuts or that is not over; quality: mean of the quality of the events of x, NULL where not known.
Events without an actor are left out. A metric that is an average, ratio, expression or the like has no row where it is not defined; then since and until also bound the periods.
Errors: no such metric (42704), metrics of different time zones or without a common unit, since after until, unknown grain (22023).';
