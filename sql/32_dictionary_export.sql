--
-- The dictionary as JSON: our own, to take it elsewhere; that of dbt and of Ossie, for other tools.
--

-- our own

CREATE FUNCTION activity_metrics.export_dictionary() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS $$
	SELECT jsonb_pretty(jsonb_build_object(
		'format', 'activity_metrics dictionary',
		'format_version', 1,
		'metric', (SELECT coalesce(jsonb_agg(to_jsonb(m) ORDER BY m.metric), '[]') FROM activity_metrics.metric m),
		'target', (SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.metric, t.unit, t.starts_at), '[]') FROM activity_metrics.target t),
		'annotation', (SELECT coalesce(jsonb_agg(to_jsonb(a) - 'annotation_id' ORDER BY a.at, a.annotation_id), '[]') FROM activity_metrics.annotation a)))
$$;
COMMENT ON FUNCTION activity_metrics.export_dictionary() IS
'The dictionary as JSON, for import_dictionary(): metrics, targets and annotations; no history, verdicts and values.';

CREATE FUNCTION activity_metrics.check_rows(rows jsonb, relation regclass, name_of text) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	unknown text;
	place integer;
BEGIN
	IF jsonb_typeof(rows) IS DISTINCT FROM 'array' THEN
		RAISE EXCEPTION 'key "%" of the dictionary is not an array', name_of USING ERRCODE = '22023', HINT = 'Give what export_dictionary() returned.';
	END IF;
	SELECT r.i INTO place FROM jsonb_array_elements(rows) WITH ORDINALITY AS r(row, i) WHERE jsonb_typeof(r.row) <> 'object' LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'row % of "%" is not an object', place, name_of USING ERRCODE = '22023', HINT = 'Give what export_dictionary() returned.';
	END IF;
	SELECT r.i, k INTO place, unknown FROM jsonb_array_elements(rows) WITH ORDINALITY AS r(row, i), jsonb_object_keys(r.row) AS k
		WHERE activity_metrics.column_type(relation, k) IS NULL ORDER BY r.i, k LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'row % of "%" has an unknown key "%"', place, name_of, unknown USING ERRCODE = '22023',
			HINT = format('The nearest one is "%s"; keys are the columns of table activity_metrics.%s.',
				activity_metrics.nearest_name(unknown, ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped)), name_of);
	END IF;
	RETURN rows;
END;
$$;
COMMENT ON FUNCTION activity_metrics.check_rows(jsonb, regclass, text) IS
'Internal: rows of a table as JSON. Errors: not an array of objects, a key that is no column (22023).';

CREATE FUNCTION activity_metrics.import_dictionary(dictionary text, replace boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	given jsonb;
	unknown text;
	metrics activity_metrics.metric[];
	taken text;
BEGIN
	IF dictionary IS NULL THEN
		RAISE EXCEPTION 'argument dictionary is null' USING ERRCODE = '22004', HINT = 'Give what export_dictionary() returned.';
	END IF;
	BEGIN
		given := dictionary::jsonb;
	EXCEPTION WHEN invalid_text_representation OR untranslatable_character THEN
		RAISE EXCEPTION 'the dictionary is not JSON: %', SQLERRM USING ERRCODE = '22023', HINT = 'Give what export_dictionary() returned.';
	END;
	IF jsonb_typeof(given) <> 'object' OR given ->> 'format' IS DISTINCT FROM 'activity_metrics dictionary' THEN
		RAISE EXCEPTION 'this JSON is no dictionary of activity_metrics' USING ERRCODE = '22023',
			DETAIL = 'Its key "format" should be "activity_metrics dictionary".', HINT = 'Give what export_dictionary() returned.';
	END IF;
	IF given -> 'format_version' IS DISTINCT FROM '1'::jsonb THEN
		RAISE EXCEPTION 'format_version % of the dictionary is not known', coalesce(given ->> 'format_version', 'null') USING ERRCODE = '22023',
			HINT = 'This version of activity_metrics reads 1; update the extension.';
	END IF;
	SELECT k INTO unknown FROM jsonb_object_keys(given) AS k WHERE k NOT IN ('format', 'format_version', 'metric', 'target', 'annotation') ORDER BY k LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'the dictionary has an unknown key "%"', unknown USING ERRCODE = '22023', HINT = 'Keys are format, format_version, metric, target and annotation.';
	END IF;
	-- what a row does not say is as of define_metric()
	SELECT array_agg(jsonb_populate_record(NULL::activity_metrics.metric, defaults.row || CASE WHEN r.row ? 'label' THEN '{}' ELSE jsonb_build_object('label', replace(r.row ->> 'metric', '_', ' ')) END || r.row) ORDER BY r.i) INTO metrics
	FROM jsonb_array_elements(activity_metrics.check_rows(coalesce(given -> 'metric', '[]'), 'activity_metrics.metric', 'metric')) WITH ORDINALITY AS r(row, i),
		(SELECT jsonb_build_object('is_north_star', false, 'scope', 'company', 'direction', 'up', 'type', 'simple', 'additive', true, 'grain', 'week', 'tz', 'UTC', 'week_start', 'monday',
			'gaming_result', 'untested', 'status', 'active', 'definition_version', 1, 'changed_by', CURRENT_USER, 'changed_at', now(), 'kind', 'surface') AS row) AS defaults;
	IF replace IS NOT TRUE THEN
		SELECT m.metric INTO taken FROM activity_metrics.metric m WHERE m.metric = ANY (ARRAY(SELECT u.metric FROM unnest(metrics) AS u)) ORDER BY m.metric LIMIT 1;
		IF FOUND THEN
			RAISE EXCEPTION 'metric "%" is in the dictionary already', taken USING ERRCODE = '42710',
				HINT = 'replace => true writes the imported metrics over those of the same name.';
		END IF;
	END IF;
	PERFORM activity_metrics.write_metrics(metrics);
	INSERT INTO activity_metrics.target
		SELECT (jsonb_populate_record(NULL::activity_metrics.target, r)).* FROM jsonb_array_elements(activity_metrics.check_rows(coalesce(given -> 'target', '[]'), 'activity_metrics.target', 'target')) AS r
		ON CONFLICT DO NOTHING;
	INSERT INTO activity_metrics.annotation (metric, unit, at, kind, note, created_by, created_at)
		SELECT a.metric, a.unit, a.at, coalesce(a.kind, 'event'), a.note, coalesce(a.created_by, CURRENT_USER), coalesce(a.created_at, now())
		FROM jsonb_array_elements(activity_metrics.check_rows(coalesce(given -> 'annotation', '[]'), 'activity_metrics.annotation', 'annotation')) WITH ORDINALITY AS r(row, i),
			LATERAL jsonb_populate_record(NULL::activity_metrics.annotation, r.row) AS a
		WHERE NOT EXISTS (SELECT FROM activity_metrics.annotation o WHERE (o.at, o.note) = (a.at, a.note) AND o.metric IS NOT DISTINCT FROM a.metric AND o.unit IS NOT DISTINCT FROM a.unit)
		ORDER BY r.i;
	RETURN coalesce(cardinality(metrics), 0);
END;
$$;
COMMENT ON FUNCTION activity_metrics.import_dictionary(text, boolean) IS
'Writes what export_dictionary() returned into the dictionary, and returns the number of metrics. All or nothing.
replace: write over metrics of the same name (otherwise they are refused); targets and annotations that are there already stay. Relations need not exist yet.
Errors: what is not such JSON, an unknown key (22023), a metric that exists (42710), values that the tables refuse (23514, 23503).';

-- for other tools

CREATE FUNCTION activity_metrics.plain_name(name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	-- letters, digits and single underscores, two characters at least, a letter first, no underscore last
	SELECT CASE WHEN length(n) < 2 OR n !~ '^[a-z]' THEN 'c_' || n ELSE n END
	FROM (SELECT btrim(regexp_replace(lower(name), '[^a-z0-9]+', '_', 'g'), '_') AS n) AS t
$$;
COMMENT ON FUNCTION activity_metrics.plain_name(text) IS
'Internal: a name as dbt takes it.';

CREATE FUNCTION activity_metrics.plain_condition(m activity_metrics.metric) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT nullif(concat_ws(' AND ',
		CASE WHEN m.event_kinds IS NOT NULL THEN format('%I IN (%s)', m.kind_column, (SELECT string_agg(quote_literal(k), ', ' ORDER BY i) FROM unnest(activity_metrics.step_kinds(m.event_kinds, 'event_kinds')) WITH ORDINALITY AS t(k, i))) END,
		(SELECT format('(%1$I IS NULL OR lower(trim(%1$I)) NOT IN (''planned'', ''cancelled'', ''canceled'', ''no_show'', ''no-show'', ''no show''))', s)
			FROM (SELECT coalesce(m.status_column, CASE WHEN activity_metrics.column_type(to_regclass(m.source_relation), 'status') IS NOT NULL THEN 'status' END) AS s) AS t WHERE s IS NOT NULL),
		-- the end of the line ends a comment
		'(' || m.filter_sql || CASE WHEN m.filter_sql LIKE '%--%' THEN E'\n' ELSE '' END || ')'), '')
$$;
COMMENT ON FUNCTION activity_metrics.plain_condition(activity_metrics.metric) IS
'Internal: the condition that a row counts in a simple metric, in SQL that other servers read; NULL for none.';

CREATE FUNCTION activity_metrics.plain_value(m activity_metrics.metric) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN c.condition IS NULL THEN v.value ELSE format('CASE WHEN %s THEN %s END', c.condition, v.value) END
	FROM (SELECT activity_metrics.plain_condition(m) AS condition) AS c, (SELECT CASE WHEN m.agg = 'count' THEN '1' ELSE quote_ident(m.value_column) END AS value) AS v
$$;
COMMENT ON FUNCTION activity_metrics.plain_value(activity_metrics.metric) IS
'Internal: what a simple metric aggregates, NULL for rows that do not count, in SQL that other servers read.';

CREATE FUNCTION activity_metrics.plain_sql(m activity_metrics.metric) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	texts text[] := '{}';
	step text;
	n integer;
BEGIN
	IF m.type = 'simple' THEN
		RETURN CASE m.agg
			WHEN 'expr' THEN m.expr || CASE WHEN m.expr LIKE '%--%' THEN E'\n' ELSE '' END
			WHEN 'count' THEN format('COUNT(%s)', activity_metrics.plain_value(m))
			WHEN 'count_distinct' THEN format('COUNT(DISTINCT %s)', activity_metrics.plain_value(m))
			WHEN 'sum' THEN format('COALESCE(SUM(%s), 0)', activity_metrics.plain_value(m))
			WHEN 'avg' THEN format('AVG(%s)', activity_metrics.plain_value(m))
			WHEN 'min' THEN format('MIN(%s)', activity_metrics.plain_value(m))
			WHEN 'max' THEN format('MAX(%s)', activity_metrics.plain_value(m))
			ELSE format('PERCENTILE_CONT(%s) WITHIN GROUP (ORDER BY %s)', CASE m.agg WHEN 'median' THEN '0.5' WHEN 'p90' THEN '0.9' WHEN 'p95' THEN '0.95' ELSE '0.99' END, activity_metrics.plain_value(m)) END;
	ELSIF m.type = 'cumulative' OR m.type = 'conversion' THEN
		-- the window is not a matter of one aggregate: the extension says it
		RETURN activity_metrics.plain_sql((SELECT b FROM activity_metrics.metric b WHERE b.metric = m.base_metric));
	END IF;
	FOREACH step IN ARRAY CASE m.type WHEN 'ratio' THEN ARRAY[m.numerator, m.denominator, '/'] ELSE activity_metrics.formula_steps(m.expr, m.metric) END LOOP
		n := cardinality(texts);
		IF step = 'neg' THEN
			texts[n] := format('(-%s)', texts[n]);
		ELSIF step ~ '^[-+*/]$' THEN
			texts[n - 1] := format(CASE step WHEN '/' THEN '(%s / NULLIF(%s, 0))' ELSE '(%s ' || step || ' %s)' END, texts[n - 1], texts[n]);
			texts := trim_array(texts, 1);
		ELSIF step ~ '^[0-9]' THEN
			texts := texts || step;
		ELSE
			-- whole numbers would divide to whole numbers
			texts := texts || format('CAST(%s AS DOUBLE PRECISION)', activity_metrics.plain_sql((SELECT p FROM activity_metrics.metric p WHERE p.metric = step)));
		END IF;
	END LOOP;
	RETURN texts[1];
END;
$$;
COMMENT ON FUNCTION activity_metrics.plain_sql(activity_metrics.metric) IS
'Internal: a metric as one aggregate expression, in SQL that other servers read; of a rolling or conversion metric only its base.';

CREATE FUNCTION activity_metrics.metric_meta(m activity_metrics.metric) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('kind', m.kind, 'timing', m.timing, 'direction', m.direction, 'is_north_star', nullif(m.is_north_star, false), 'scope', m.scope, 'unit', m.unit,
		'currency', m.currency, 'grain', m.grain, 'tz', m.tz, 'owner', m.owner, 'audience', m.audience, 'question', m.question, 'goal', m.goal, 'hypothesis', m.hypothesis, 'paired_with', m.paired_with,
		'outcome_metric', m.outcome_metric, 'gaming_test', m.gaming_test, 'gaming_result', m.gaming_result, 'status', m.status, 'definition_version', m.definition_version, 'review_on', m.review_on))
$$;
COMMENT ON FUNCTION activity_metrics.metric_meta(activity_metrics.metric) IS
'Internal: what other tools have no place for, as JSON.';

CREATE FUNCTION activity_metrics.exportable_metrics() RETURNS SETOF activity_metrics.metric
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	-- dbt has no free aggregate expression, nor what is computed from one
	WITH RECURSIVE unfit AS (
		SELECT m.metric FROM activity_metrics.metric m WHERE m.type = 'simple' AND m.agg = 'expr'
		UNION
		SELECT m.metric FROM unfit JOIN activity_metrics.metric m ON unfit.metric = ANY (activity_metrics.metric_parts(m)))
	SELECT m.* FROM activity_metrics.metric m WHERE m.metric NOT IN (SELECT unfit.metric FROM unfit) AND m.status <> 'deprecated'
$$;
COMMENT ON FUNCTION activity_metrics.exportable_metrics() IS
'Internal: the metrics that dbt can compute: not those of an expr, nor what is computed from them; not deprecated ones.';

CREATE FUNCTION activity_metrics.export_sources(OUT relation text, OUT table_name text, OUT name text, OUT time_columns text[]) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	-- the time that most metrics go by comes first; a table name in two schemas has its schema before it
	SELECT t.relation, t.table_name, activity_metrics.plain_name(CASE WHEN count(*) OVER (PARTITION BY activity_metrics.plain_name(t.table_name)) > 1 THEN t.schema_name || '_' || t.table_name ELSE t.table_name END),
		(SELECT array_agg(c.time_column ORDER BY c.uses DESC, c.time_column) FROM (
			SELECT m.time_column, count(*) AS uses FROM activity_metrics.exportable_metrics() AS m WHERE m.source_relation = t.relation GROUP BY m.time_column) AS c)
	FROM (SELECT DISTINCT m.source_relation AS relation, (parse_ident(m.source_relation, false))[1] AS schema_name, (parse_ident(m.source_relation, false))[2] AS table_name
		FROM activity_metrics.exportable_metrics() AS m WHERE m.type = 'simple') AS t
$$;
COMMENT ON FUNCTION activity_metrics.export_sources() IS
'Internal: the relations of the metrics that are exported, with names that are theirs alone.';

CREATE FUNCTION activity_metrics.export_columns(relation text, OUT name text, OUT role text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT DISTINCT ON (u.name) u.name, u.role FROM (
		SELECT v.name, v.role, v.place FROM activity_metrics.metric m, LATERAL (VALUES
			(m.time_column, 'time', 1), (m.entity_column, 'entity', 2), (CASE WHEN m.event_kinds IS NOT NULL THEN m.kind_column END, 'category', 3),
			(m.actor_column, 'category', 3), (m.status_column, 'category', 3)) AS v(name, role, place)
		WHERE m.source_relation = export_columns.relation
		UNION ALL
		-- the entity that joins the two kinds of event of a conversion
		SELECT coalesce(c.entity_column, b.entity_column, 'entity'), 'entity', 2
		FROM activity_metrics.metric c JOIN activity_metrics.metric b ON b.metric = c.base_metric OR b.metric = c.conversion_metric
		WHERE c.type = 'conversion' AND b.source_relation = export_columns.relation) AS u
	WHERE u.name IS NOT NULL
	ORDER BY u.name, u.place
$$;
COMMENT ON FUNCTION activity_metrics.export_columns(text) IS
'Internal: the columns of a relation that metrics go by, and what each is: time, entity or category.';

CREATE FUNCTION activity_metrics.whole_window(days double precision) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	-- dbt counts windows in whole units
	SELECT CASE WHEN days = floor(days) THEN format('%s days', days) WHEN days * 24 = floor(days * 24) THEN format('%s hours', days * 24)
		WHEN days IS NOT NULL THEN format('%s minutes', ceil((days * 1440)::numeric)) END
$$;
COMMENT ON FUNCTION activity_metrics.whole_window(double precision) IS
'Internal: a window as dbt writes it, in days, or in the next smaller unit that is whole, at the smallest minutes, rounded up.';

CREATE FUNCTION activity_metrics.export_dbt(version text DEFAULT 'fusion') RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS $$
DECLARE
	models jsonb;
	others jsonb;
BEGIN
	IF version IS NULL OR version NOT IN ('fusion', '1.x') THEN
		RAISE EXCEPTION 'unknown version "%" of dbt', version USING ERRCODE = '22023', HINT = 'Write ''fusion'' (also for dbt 2 and 1.12) or ''1.x''.';
	END IF;
	IF version = 'fusion' THEN
		SELECT coalesce(jsonb_agg(jsonb_build_object('name', s.table_name, 'description', format('Events of %s.', s.relation), 'agg_time_dimension', activity_metrics.plain_name(s.time_columns[1]),
				'semantic_model', jsonb_build_object('enabled', true, 'name', s.name), 'primary_entity', s.name || '_event',
				'columns', (SELECT jsonb_agg(CASE c.role WHEN 'time' THEN jsonb_build_object('name', c.name, 'granularity', 'day', 'dimension', jsonb_build_object('type', 'time', 'name', activity_metrics.plain_name(c.name)))
					WHEN 'entity' THEN jsonb_build_object('name', c.name, 'entity', jsonb_build_object('type', 'foreign', 'name', activity_metrics.plain_name(c.name)))
					ELSE jsonb_build_object('name', c.name, 'dimension', jsonb_build_object('type', 'categorical', 'name', activity_metrics.plain_name(c.name))) END ORDER BY c.name)
					FROM activity_metrics.export_columns(s.relation) AS c),
				'metrics', (SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('name', m.metric, 'label', m.label, 'description', m.description, 'type', 'simple',
					'agg', CASE m.agg WHEN 'avg' THEN 'average' WHEN 'p90' THEN 'percentile' WHEN 'p95' THEN 'percentile' WHEN 'p99' THEN 'percentile' ELSE m.agg END,
					'percentile', CASE m.agg WHEN 'p90' THEN 0.9 WHEN 'p95' THEN 0.95 WHEN 'p99' THEN 0.99 END, 'percentile_type', CASE WHEN m.agg IN ('p90', 'p95', 'p99') THEN 'continuous' END,
					'expr', activity_metrics.plain_value(m), 'agg_time_dimension', CASE WHEN m.time_column <> s.time_columns[1] THEN activity_metrics.plain_name(m.time_column) END,
					'fill_nulls_with', CASE WHEN m.agg IN ('count', 'count_distinct', 'sum') THEN 0 END,
					'config', jsonb_strip_nulls(jsonb_build_object('meta', activity_metrics.metric_meta(m), 'tags', to_jsonb(regexp_split_to_array(m.tags, ' *, *')))))) ORDER BY m.metric)
					FROM activity_metrics.exportable_metrics() AS m WHERE m.source_relation = s.relation)) ORDER BY s.name), '[]') INTO models
		FROM activity_metrics.export_sources() AS s;
		SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('name', m.metric, 'label', m.label, 'description', m.description, 'type', m.type,
				'numerator', m.numerator, 'denominator', m.denominator, 'expr', m.expr,
				'metrics', CASE m.type WHEN 'derived' THEN (SELECT jsonb_agg(jsonb_build_object('name', p)) FROM unnest(activity_metrics.metric_parts(m)) AS p) END,
				'input_metric', CASE m.type WHEN 'cumulative' THEN m.base_metric END, 'window', activity_metrics.whole_window(m.window_days),
				'base_metric', CASE m.type WHEN 'conversion' THEN m.base_metric END, 'conversion_metric', m.conversion_metric, 'calculation', CASE m.type WHEN 'conversion' THEN 'conversion_rate' END,
				'entity', CASE m.type WHEN 'conversion' THEN activity_metrics.plain_name(coalesce(m.entity_column, b.entity_column, 'entity')) END,
				'config', jsonb_strip_nulls(jsonb_build_object('meta', activity_metrics.metric_meta(m), 'tags', to_jsonb(regexp_split_to_array(m.tags, ' *, *')))))) ORDER BY m.metric), '[]') INTO others
		FROM activity_metrics.exportable_metrics() AS m LEFT JOIN activity_metrics.metric b ON b.metric = m.base_metric WHERE m.type <> 'simple';
		RETURN jsonb_pretty(jsonb_build_object('version', 2, 'models', models, 'metrics', others));
	END IF;

	SELECT coalesce(jsonb_agg(jsonb_build_object('name', s.name, 'model', format('ref(''%s'')', s.table_name), 'description', format('Events of %s.', s.relation),
			'defaults', jsonb_build_object('agg_time_dimension', activity_metrics.plain_name(s.time_columns[1])), 'primary_entity', s.name || '_event',
			'entities', (SELECT coalesce(jsonb_agg(jsonb_build_object('name', activity_metrics.plain_name(c.name), 'type', 'foreign', 'expr', quote_ident(c.name)) ORDER BY c.name), '[]') FROM activity_metrics.export_columns(s.relation) AS c WHERE c.role = 'entity'),
			'dimensions', (SELECT jsonb_agg(jsonb_build_object('name', activity_metrics.plain_name(c.name), 'expr', quote_ident(c.name))
				|| CASE c.role WHEN 'time' THEN jsonb_build_object('type', 'time', 'type_params', jsonb_build_object('time_granularity', 'day')) ELSE jsonb_build_object('type', 'categorical') END ORDER BY c.name)
				FROM activity_metrics.export_columns(s.relation) AS c WHERE c.role <> 'entity'),
			'measures', (SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('name', m.metric, 'description', m.description,
				'agg', CASE m.agg WHEN 'avg' THEN 'average' WHEN 'p90' THEN 'percentile' WHEN 'p95' THEN 'percentile' WHEN 'p99' THEN 'percentile' ELSE m.agg END,
				'agg_params', CASE WHEN m.agg IN ('p90', 'p95', 'p99') THEN jsonb_build_object('percentile', CASE m.agg WHEN 'p90' THEN 0.9 WHEN 'p95' THEN 0.95 ELSE 0.99 END, 'use_discrete_percentile', false) END,
				'expr', activity_metrics.plain_value(m), 'agg_time_dimension', CASE WHEN m.time_column <> s.time_columns[1] THEN activity_metrics.plain_name(m.time_column) END)) ORDER BY m.metric)
				FROM activity_metrics.exportable_metrics() AS m WHERE m.source_relation = s.relation)) ORDER BY s.name), '[]') INTO models
	FROM activity_metrics.export_sources() AS s;
	-- no config here: the schema of dbt 1.x allows none
	SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('name', m.metric, 'label', m.label, 'description', m.description, 'type', m.type,
			'type_params', CASE m.type
				WHEN 'simple' THEN jsonb_build_object('measure', jsonb_build_object('name', m.metric, 'fill_nulls_with', CASE WHEN m.agg IN ('count', 'count_distinct', 'sum') THEN 0 END))
				WHEN 'ratio' THEN jsonb_build_object('numerator', jsonb_build_object('name', m.numerator), 'denominator', jsonb_build_object('name', m.denominator))
				WHEN 'derived' THEN jsonb_build_object('expr', m.expr, 'metrics', (SELECT jsonb_agg(jsonb_build_object('name', p)) FROM unnest(activity_metrics.metric_parts(m)) AS p))
				WHEN 'cumulative' THEN jsonb_build_object('measure', jsonb_build_object('name', m.base_metric), 'window', activity_metrics.whole_window(m.window_days))
				ELSE jsonb_build_object('conversion_type_params', jsonb_build_object('entity', activity_metrics.plain_name(coalesce(m.entity_column, b.entity_column, 'entity')), 'calculation', 'conversion_rate',
					'base_measure', jsonb_build_object('name', m.base_metric), 'conversion_measure', jsonb_build_object('name', m.conversion_metric), 'window', activity_metrics.whole_window(m.window_days))) END)) ORDER BY m.metric), '[]') INTO others
	FROM activity_metrics.exportable_metrics() AS m LEFT JOIN activity_metrics.metric b ON b.metric = m.base_metric;
	RETURN jsonb_pretty(jsonb_build_object('version', 2, 'semantic_models', models, 'metrics', others));
END;
$$;
COMMENT ON FUNCTION activity_metrics.export_dbt(text) IS
'The dictionary as a properties file of dbt, in JSON, which YAML readers take.
version: fusion (models with semantic annotations: dbt Fusion, dbt 2, dbt 1.12) or 1.x (semantic_models with measures). Metrics of an expr, what is computed from them, and deprecated ones are left out. Errors: another version (22023).';

CREATE FUNCTION activity_metrics.export_ossie() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS $$
	SELECT jsonb_pretty(jsonb_build_object('version', '0.2.0.dev0', 'semantic_model',
		CASE WHEN sets.datasets IS NULL THEN '[]' ELSE jsonb_build_array(jsonb_build_object('name', 'activity_metrics', 'description', 'Metrics of the activity_metrics dictionary.', 'datasets', sets.datasets, 'metrics', metrics.metrics)) END))
	FROM (
		SELECT jsonb_agg(jsonb_build_object('name', s.name, 'source', s.relation, 'fields', (
			SELECT jsonb_agg(jsonb_build_object('name', c.name, 'expression', jsonb_build_object('dialects', jsonb_build_array(jsonb_build_object('dialect', 'ANSI_SQL', 'expression', quote_ident(c.name)))),
				'dimension', jsonb_build_object('is_time', c.role = 'time')) ORDER BY c.name) FROM activity_metrics.export_columns(s.relation) AS c)) ORDER BY s.name) AS datasets
		FROM activity_metrics.export_sources() AS s) AS sets,
	(
		SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('name', m.metric, 'description', coalesce(m.description, m.label),
			'expression', jsonb_build_object('dialects', jsonb_build_array(jsonb_build_object('dialect', 'ANSI_SQL', 'expression', activity_metrics.plain_sql(m)))),
			'ai_context', CASE WHEN m.synonyms IS NOT NULL THEN jsonb_build_object('synonyms', to_jsonb(regexp_split_to_array(m.synonyms, ' *, *'))) END,
			'custom_extensions', jsonb_build_array(jsonb_build_object('vendor_name', 'ACTIVITY_METRICS', 'data',
				(activity_metrics.metric_meta(m) || activity_metrics.metric_definition(m) || jsonb_build_object('label', m.label))::text)))) ORDER BY m.metric), '[]') AS metrics
		FROM activity_metrics.metric m WHERE m.status <> 'deprecated') AS metrics
$$;
COMMENT ON FUNCTION activity_metrics.export_ossie() IS
'The dictionary as a semantic model of Apache Ossie (incubating), version 0.2.0.dev0 of its draft, as JSON. Experimental.
A rolling or conversion metric has the expression of its base; its window, and all that the format has no place for, is in custom_extensions. Deprecated metrics are left out.';
