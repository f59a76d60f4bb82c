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
	condition text := format('($1 IS NULL OR %1$s OPERATOR(pg_catalog.>=) $1) AND ($2 IS NULL OR %1$s OPERATOR(pg_catalog.<) $2)', at);
	value text;
BEGIN
	IF m.event_kinds IS NOT NULL THEN
		condition := condition || format(' AND %s OPERATOR(pg_catalog.=) ANY (%L::pg_catalog.text[])',
			activity_metrics.text_column(source, m.kind_column, 'kind_column'),
			activity_metrics.step_kinds(m.event_kinds, 'event_kinds'));
	END IF;
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

CREATE FUNCTION activity_metrics.metric_panel_sql(x text, y text, grain text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	mx activity_metrics.metric := activity_metrics.find_metric(x);
	my activity_metrics.metric := activity_metrics.find_metric(y);
	one_scan boolean := (mx.source_relation, mx.time_column, mx.actor_column, mx.tz) = (my.source_relation, my.time_column, my.actor_column, my.tz)
		AND mx.status_column IS NOT DISTINCT FROM my.status_column;
	cells text := '';
	m activity_metrics.metric;
BEGIN
	-- also where there is no event to count
	PERFORM activity_metrics.period_no(now(), activity_metrics.check_grain(grain), mx.tz);
	IF mx.tz <> my.tz THEN
		RAISE EXCEPTION 'metrics "%" and "%" have different time zones', x, y USING ERRCODE = '22023',
			DETAIL = format('%s counts in %s, %s in %s: their days and weeks are not the same.', x, mx.tz, y, my.tz),
			HINT = 'Define one of them again with the time zone of the other.';
	END IF;
	FOR i IN 1 .. CASE WHEN one_scan THEN 1 ELSE 2 END LOOP
		m := CASE i WHEN 1 THEN mx ELSE my END;
		-- a unit without any time is a rep of the roster who did nothing yet
		cells := cells || CASE i WHEN 2 THEN ' UNION ALL ' ELSE '' END || format(
			'SELECT %1$s AS unit,
				CASE WHEN %2$s IS NOT NULL THEN activity_metrics.period_no(%2$s, %3$L::pg_catalog.text, %4$L::pg_catalog.text) END AS period,
				%5$s AS x, %6$s AS y, %7$s AS quality
			FROM %8$s WHERE %9$s GROUP BY 1, 2',
			activity_metrics.text_column(m.source_relation::regclass, m.actor_column, 'actor'),
			activity_metrics.time_column(m.source_relation::regclass, m.time_column, 'at', m.tz),
			grain, m.tz,
			CASE i WHEN 1 THEN activity_metrics.metric_value_sql(mx, 'value') ELSE '0::pg_catalog.float8' END,
			CASE WHEN one_scan OR i = 2 THEN activity_metrics.metric_value_sql(my, 'value') ELSE '0::pg_catalog.float8' END,
			CASE i WHEN 1 THEN activity_metrics.metric_value_sql(mx, 'quality') ELSE 'NULL::pg_catalog.float8' END,
			activity_metrics.qualified_name(m.source_relation::regclass),
			activity_metrics.done_condition(m.source_relation::regclass, m.status_column));
	END LOOP;

	-- $1 since, $2 until; a period is complete if [since, until) holds all of it and it is over
	RETURN format(
		'WITH cell AS (
			SELECT unit, period, pg_catalog.sum(x) AS x, pg_catalog.sum(y) AS y, pg_catalog.max(quality) AS quality
			FROM (%1$s) AS c WHERE unit IS NOT NULL GROUP BY unit, period),
		unit AS (
			SELECT unit, pg_catalog.min(period) AS first, pg_catalog.max(period) AS last FROM cell GROUP BY unit),
		bound AS (
			SELECT pg_catalog.min(period) AS first, pg_catalog.max(period) AS last,
				activity_metrics.period_no($1, %2$L::pg_catalog.text, %3$L::pg_catalog.text) AS since,
				activity_metrics.period_no($1 OPERATOR(pg_catalog.-) ''1 microsecond''::pg_catalog.interval, %2$L::pg_catalog.text, %3$L::pg_catalog.text) AS before,
				activity_metrics.period_no($2 OPERATOR(pg_catalog.-) ''1 microsecond''::pg_catalog.interval, %2$L::pg_catalog.text, %3$L::pg_catalog.text) AS until,
				activity_metrics.period_no(least($2, pg_catalog.now()), %2$L::pg_catalog.text, %3$L::pg_catalog.text) AS running
			FROM cell)
		SELECT unit.unit, p.period, activity_metrics.period_start(p.period, %2$L::pg_catalog.text),
			coalesce(cell.x, 0), coalesce(cell.y, 0),
			coalesce(p.period OPERATOR(pg_catalog.>) bound.before, true) AND p.period OPERATOR(pg_catalog.<) bound.running,
			cell.quality
		FROM unit CROSS JOIN bound CROSS JOIN LATERAL pg_catalog.generate_series(
			greatest(coalesce(unit.first, bound.first), bound.since),
			least(coalesce(unit.last, bound.last), bound.until)) AS p(period)
		LEFT JOIN cell ON cell.unit OPERATOR(pg_catalog.=) unit.unit AND cell.period OPERATOR(pg_catalog.=) p.period
		ORDER BY unit.unit, p.period',
		cells, grain, mx.tz);
END;
$$;
COMMENT ON FUNCTION activity_metrics.metric_panel_sql(text, text, text) IS
'Internal: the statement that metric_panel runs.';

CREATE FUNCTION activity_metrics.metric_units_sql(x text, y text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	mx activity_metrics.metric := activity_metrics.find_metric(x);
	my activity_metrics.metric := activity_metrics.find_metric(y);
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

CREATE TYPE activity_metrics.metric_panel_row AS (
	unit text,
	period bigint,
	period_start date,
	x double precision,
	y double precision,
	is_complete boolean,
	quality double precision
);
COMMENT ON TYPE activity_metrics.metric_panel_row IS
'A row of metric_panel: two metrics of a unit (rep) in a period.';

CREATE FUNCTION activity_metrics.metric_panel(
	x text,
	y text,
	grain text DEFAULT 'week',
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL)
RETURNS SETOF activity_metrics.metric_panel_row
LANGUAGE plpgsql STABLE ROWS 2000 COST 10000 AS $$
DECLARE
	units pg_catalog.text[];
BEGIN
	PERFORM activity_metrics.check_range(since, until);
	-- ids on one side and names on the other would look like reps who never do both
	EXECUTE activity_metrics.metric_units_sql(x, y) INTO units;
	IF units IS NOT NULL THEN
		RAISE EXCEPTION 'metrics "%" and "%" have no unit in common', x, y USING ERRCODE = '22023',
			DETAIL = pg_catalog.format('Actors of %s look like "%s", those of %s like "%s".', x, units[1], y, units[2]),
			HINT = 'Bring both to the same names in a view, and define one of the metrics over that view.';
	END IF;
	RETURN QUERY EXECUTE activity_metrics.metric_panel_sql(x, y, grain) USING since, until;
END;
$$;
COMMENT ON FUNCTION activity_metrics.metric_panel(text, text, text, timestamptz, timestamptz) IS
'Two metrics of the dictionary per unit (rep) and period, with zeros between a unit''s first and last period with any event of the relation, of any kind; a unit whose rows have no time (a roster) has all periods.
x, y: names of metrics; grain: hour, day, week, month, quarter or year; since, until: events in [since, until).
period: see period_no; is_complete: false for a period that [since, until) cuts or that is not over; quality: mean of the quality of the events of x, NULL where not known.
Events without an actor are left out.
Errors: no such metric (42704), metrics of different time zones or without a common unit, since after until, unknown grain (22023).';
