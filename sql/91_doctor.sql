--
-- For the administrator: is everything as it should be?
--

CREATE FUNCTION activity_metrics.doctor_mapping(relation text, columns text[], metrics text) RETURNS TABLE (
	check_name text,
	status text,
	detail text,
	hint text)
LANGUAGE plpgsql STABLE ROWS 2 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	names text[] := parse_ident(relation);
	-- to_regclass() would fail without the right to use the schema
	r regclass := CASE WHEN cardinality(names) = 2 THEN (SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = names[1] AND c.relname = names[2])
		ELSE to_regclass(relation) END;
	kind "char";
	size double precision;
BEGIN
	IF r IS NULL THEN
		RETURN QUERY SELECT 'relation'::text, 'error'::text, format('%s of %s does not exist', relation, metrics), 'Define the metrics again with the relation as it is named now.';
		RETURN;
	END IF;
	IF NOT has_schema_privilege((SELECT c.relnamespace FROM pg_class c WHERE c.oid = r), 'USAGE') OR NOT has_table_privilege(r, 'SELECT') THEN
		RETURN QUERY SELECT 'relation'::text, 'error'::text, format('%s of %s cannot be read by %s', relation, metrics, CURRENT_USER),
			activity_metrics.grant_hint(relation);
		RETURN;
	END IF;
	RETURN QUERY SELECT 'relation'::text, 'ok'::text, format('%s of %s can be read', relation, metrics), NULL::text;
	SELECT c.relkind, greatest(c.reltuples, 0) INTO kind, size FROM pg_class c WHERE c.oid = r;
	IF kind NOT IN ('r', 'p', 'm') THEN
		RETURN QUERY SELECT 'index'::text, 'ok'::text, format('%s is no table; the tables below it are to have indexes on their times', relation), NULL::text;
	ELSIF EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] WHERE i.indrelid = r AND i.indisvalid AND i.indpred IS NULL AND a.attname::text = ANY (columns)) THEN
		RETURN QUERY SELECT 'index'::text, 'ok'::text, format('%s has an index on %s', relation, array_to_string(columns, ' or ')), NULL::text;
	ELSE
		RETURN QUERY SELECT 'index'::text, CASE WHEN size >= 100000 THEN 'warning' ELSE 'ok' END, format('%s has no index that begins with %s, and about %s rows', relation, array_to_string(columns, ' or '), round(size)),
			CASE WHEN size >= 100000 THEN format('CREATE INDEX ON %s%s; the last periods are then read without the others.', relation,
				(SELECT format(' (%s)', string_agg(quote_ident(c), '), (' ORDER BY i)) FROM unnest(columns[1:1]) WITH ORDINALITY AS t(c, i))) END;
	END IF;
END;
$$;
COMMENT ON FUNCTION activity_metrics.doctor_mapping(text, text[], text) IS
'Internal: the rows of doctor() about a relation: can it be read, and has it an index that begins with one of its time columns?';

CREATE FUNCTION activity_metrics.doctor_rows() RETURNS TABLE (
	check_name text,
	status text,
	detail text,
	hint text)
LANGUAGE plpgsql STABLE ROWS 20 SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	sql_version text := activity_metrics.extension_version();
	library_version text := activity_metrics.library_version();
	absent text;
BEGIN
	RETURN QUERY SELECT 'version'::text, CASE WHEN sql_version = library_version THEN 'ok' WHEN sql_version IS NULL THEN 'warning' ELSE 'error' END,
		CASE WHEN sql_version IS NULL THEN format('the library is %s, and its functions were not made by CREATE EXTENSION', library_version) ELSE format('the library is %s, the extension %s', library_version, sql_version) END,
		CASE WHEN sql_version IS NULL THEN 'CREATE EXTENSION activity_metrics; so that pg_dump knows what belongs to it.'
			WHEN sql_version <> library_version THEN 'ALTER EXTENSION activity_metrics UPDATE; then start new sessions, which load the library anew.' END;
	RETURN QUERY SELECT 'server'::text, CASE WHEN current_setting('server_version_num')::integer BETWEEN 150000 AND 189999 THEN 'ok' ELSE 'warning' END, format('PostgreSQL %s, encoding %s', current_setting('server_version'), current_setting('server_encoding')),
		CASE WHEN current_setting('server_version_num')::integer NOT BETWEEN 150000 AND 189999 THEN 'It is tested on 15 to 18.'
			WHEN current_setting('server_encoding') <> 'UTF8' THEN 'bar() and sparkline() draw with ascii => true.' END;

	-- rights of whoever asks
	SELECT string_agg(format('%s on %s', p.privilege, t.name), ', ' ORDER BY t.i, p.privilege) INTO absent
		FROM unnest(ARRAY['metric', 'target', 'annotation', 'metric_assessment', 'metric_value', 'refresh_log']) WITH ORDINALITY AS t(name, i), unnest(ARRAY['SELECT']) AS p(privilege)
		WHERE NOT has_table_privilege(format('activity_metrics.%I', t.name), p.privilege);
	RETURN QUERY SELECT 'rights'::text, CASE WHEN absent IS NULL THEN 'ok' ELSE 'error' END,
		CASE WHEN absent IS NULL THEN format('%s may read the dictionary, targets, verdicts and values', CURRENT_USER) ELSE format('%s lacks %s', CURRENT_USER, absent) END,
		CASE WHEN absent IS NOT NULL THEN format('GRANT USAGE ON SCHEMA activity_metrics TO %1$I; GRANT SELECT ON ALL TABLES IN SCHEMA activity_metrics TO %1$I;', CURRENT_USER) END;
	IF absent IS NOT NULL THEN
		RETURN;
	END IF;

	RETURN QUERY SELECT 'dictionary'::text, CASE WHEN count(*) FILTER (WHERE m.status = 'active') > 0 THEN 'ok' ELSE 'warning' END,
		format('%s active metrics of %s', count(*) FILTER (WHERE m.status = 'active'), count(*)), CASE WHEN count(*) FILTER (WHERE m.status = 'active') = 0 THEN 'SELECT activity_metrics.define_metric(''calls'', ''crm.activity'', ''call'');' END
		FROM activity_metrics.metric m;
	RETURN QUERY SELECT d.check_name, d.status, d.detail, d.hint FROM (
			SELECT m.source_relation, array_agg(DISTINCT m.time_column) || array_remove(array_agg(DISTINCT m.recorded_column), NULL) AS columns, string_agg(m.metric, ', ' ORDER BY m.metric) AS metrics
			FROM activity_metrics.metric m WHERE m.status = 'active' AND m.source_relation IS NOT NULL GROUP BY m.source_relation) AS s,
		LATERAL activity_metrics.doctor_mapping(s.source_relation, s.columns, s.metrics) AS d
		ORDER BY s.source_relation, d.check_name DESC;

	-- a refresh is stale once two periods have gone by since
	RETURN QUERY SELECT 'refresh'::text,
		CASE WHEN r.failed > 0 THEN 'error' WHEN r.late > 0 OR r.unfinished > 0 THEN 'warning' ELSE 'ok' END,
		CASE WHEN r.kept = 0 AND r.failed = 0 AND r.unfinished = 0 THEN 'no values are kept; reports compute them when asked'
			ELSE concat_ws('; ', format('%s metrics are kept', r.kept), CASE WHEN r.late > 0 THEN format('%s of them were refreshed more than two periods ago: %s', r.late, r.late_names) END,
				CASE WHEN r.failed > 0 THEN format('the last refresh failed for %s: %s', r.failed_names, r.failure) END, CASE WHEN r.unfinished > 0 THEN format('%s refreshes began more than a day ago and never ended', r.unfinished) END) END,
		CASE WHEN r.failed > 0 OR r.late > 0 OR r.unfinished > 0 THEN 'CALL activity_metrics.refresh(); and have it called once per period.' END
		FROM (SELECT
			(SELECT count(DISTINCT v.metric) FROM activity_metrics.metric_value v) AS kept, l.late, l.late_names, f.failed, f.failed_names, f.failure,
			(SELECT count(*) FROM activity_metrics.refresh_log g WHERE g.finished_at IS NULL AND g.started_at < now() - interval '1 day') AS unfinished
			FROM (SELECT count(*) AS late, string_agg(x.metric, ', ' ORDER BY x.metric) AS late_names FROM (
					SELECT v.metric FROM activity_metrics.metric_value v JOIN activity_metrics.metric m ON m.metric = v.metric
					GROUP BY v.metric, v.grain, m.tz HAVING activity_metrics.period_no(now(), v.grain, m.tz) - activity_metrics.period_no(max(v.refreshed_at), v.grain, m.tz) > 2) AS x) AS l,
				(SELECT count(*) AS failed, string_agg(x.metric, ', ' ORDER BY x.metric) AS failed_names, min(x.error) AS failure FROM (
					SELECT DISTINCT ON (g.metric, g.grain) g.metric, g.error FROM activity_metrics.refresh_log g WHERE g.finished_at IS NOT NULL ORDER BY g.metric, g.grain, g.started_at DESC) AS x WHERE x.error IS NOT NULL) AS f) AS r;
	RETURN QUERY SELECT 'assessments'::text, CASE WHEN count(*) FILTER (WHERE a.at IS NULL OR a.at < now() - interval '92 days') > 0 THEN 'warning' ELSE 'ok' END,
		format('%s of %s active surface metrics have a verdict of the last three months', count(*) FILTER (WHERE a.at >= now() - interval '92 days'), count(*)),
		CASE WHEN count(*) FILTER (WHERE a.at IS NULL OR a.at < now() - interval '92 days') > 0 THEN 'SELECT * FROM activity_metrics.assess();' END
		FROM activity_metrics.metric m LEFT JOIN LATERAL (SELECT max(s.assessed_at) AS at FROM activity_metrics.metric_assessment s WHERE s.metric = m.metric) AS a ON true
		WHERE m.status = 'active' AND m.kind = 'surface';
END;
$$;
COMMENT ON FUNCTION activity_metrics.doctor_rows() IS
'Internal: the rows of doctor() that the catalog and the tables of the extension answer.';

CREATE FUNCTION activity_metrics.doctor() RETURNS TABLE (
	check_name text,
	status text,
	detail text,
	hint text)
LANGUAGE plpgsql STABLE ROWS 20 COST 100000 SET jit = off AS $$
BEGIN
	RETURN QUERY EXECUTE 'SELECT * FROM activity_metrics.doctor_rows()';
	IF pg_catalog.has_table_privilege('activity_metrics.metric', 'SELECT') AND pg_catalog.has_table_privilege('activity_metrics.target', 'SELECT') AND pg_catalog.has_table_privilege('activity_metrics.metric_assessment', 'SELECT') THEN
		RETURN QUERY EXECUTE
			'SELECT ''lint''::pg_catalog.text, CASE WHEN i.errors OPERATOR(pg_catalog.>) 0 THEN ''error'' WHEN i.warnings OPERATOR(pg_catalog.>) 0 THEN ''warning'' ELSE ''ok'' END,
				pg_catalog.format(''errors in the dictionary: %s, warnings: %s'', i.errors, i.warnings),
				CASE WHEN i.errors OPERATOR(pg_catalog.+) i.warnings OPERATOR(pg_catalog.>) 0 THEN ''SELECT * FROM activity_metrics.metric_issue;'' END
			FROM (SELECT pg_catalog.count(*) FILTER (WHERE severity OPERATOR(pg_catalog.=) ''error'') AS errors, pg_catalog.count(*) FILTER (WHERE severity OPERATOR(pg_catalog.=) ''warning'') AS warnings
				FROM activity_metrics.metric_issue) AS i';
	END IF;
END;
$$;
COMMENT ON FUNCTION activity_metrics.doctor() IS
'Is everything as it should be, for whoever asks? One row per check: version (library against SQL), server, rights, dictionary, relation (readable) and index (one that begins with a time column, for tables of 100,000 rows and more) of each mapped relation, refresh, assessments, lint.
status: ok, warning, error; detail: what was found; hint: what to do, NULL: nothing.';
