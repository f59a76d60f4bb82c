--
-- Writing the dictionary.
--

CREATE FUNCTION activity_metrics.warn_of_absent_kinds(source regclass, kind_column text, event_kinds text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	relation text := activity_metrics.qualified_name(source);
	quoted text;
	wanted text;
	present text[];
	occurs boolean;
BEGIN
	-- it takes a scan of the relation to know that a kind is absent: not where the caller asked for no warnings
	IF event_kinds IS NULL OR current_setting('client_min_messages') IN ('error', 'fatal', 'panic') THEN
		RETURN;
	END IF;
	quoted := activity_metrics.text_column(source, kind_column, 'kind_column');
	FOREACH wanted IN ARRAY activity_metrics.step_kinds(event_kinds, 'event_kinds') LOOP
		EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE %s OPERATOR(pg_catalog.=) $1)', relation, quoted) INTO occurs USING wanted;
		IF NOT occurs THEN
			EXECUTE format('SELECT pg_catalog.array_agg(k ORDER BY k) FROM (SELECT DISTINCT %s AS k FROM %s LIMIT 1000) AS kinds WHERE k IS NOT NULL', quoted, relation) INTO present;
			RAISE WARNING 'no event of kind "%" in %', wanted, relation
				USING HINT = CASE WHEN present IS NULL THEN 'It has no events yet.'
					ELSE format('The nearest kind present is "%s".', activity_metrics.nearest_name(wanted, present)) END;
		END IF;
	END LOOP;
EXCEPTION
	-- a view that cannot be read now is not the dictionary's business
	WHEN insufficient_privilege OR undefined_table OR undefined_function THEN
		NULL;
END;
$$;
COMMENT ON FUNCTION activity_metrics.warn_of_absent_kinds(regclass, text, text) IS
'Internal: warns of kinds of event that do not occur in a relation, with the nearest that does; does not look where client_min_messages leaves out warnings.';

CREATE FUNCTION activity_metrics.define_metric(
	metric text,
	source regclass,
	event_kinds text DEFAULT NULL,
	agg text DEFAULT 'count',
	kind text DEFAULT 'surface',
	label text DEFAULT NULL,
	description text DEFAULT NULL,
	value text DEFAULT NULL,
	at text DEFAULT 'at',
	kind_column text DEFAULT 'kind',
	actor text DEFAULT 'actor',
	status text DEFAULT NULL,
	tz text DEFAULT 'UTC',
	unit text DEFAULT NULL,
	owner text DEFAULT NULL,
	target double precision DEFAULT NULL,
	target_from timestamptz DEFAULT NULL,
	target_grain text DEFAULT 'week')
RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	value_name text := coalesce(value, CASE agg WHEN 'sum' THEN 'value' WHEN 'count_distinct' THEN 'event_id' END);
	metric_name text := metric;
BEGIN
	IF metric_name IS NULL OR metric_name !~ '^[a-z][a-z0-9_]{0,62}$' THEN
		RAISE EXCEPTION 'metric name "%" is not valid', metric_name USING ERRCODE = '22023',
			HINT = 'Use lower case letters, digits and underscores, starting with a letter; label is free text.';
	END IF;
	IF agg IS NULL OR agg NOT IN ('count', 'count_distinct', 'sum') THEN
		RAISE EXCEPTION 'unknown aggregate "%" of metric "%"', agg, metric_name USING ERRCODE = '22023',
			HINT = format('Did you mean "%s"? Metrics are count, count_distinct or sum.',
				activity_metrics.nearest_name(agg, ARRAY['count', 'count_distinct', 'sum']));
	END IF;
	IF kind IS NULL OR kind NOT IN ('surface', 'outcome') THEN
		RAISE EXCEPTION 'unknown kind "%" of metric "%"', kind, metric_name USING ERRCODE = '22023',
			HINT = 'A metric is surface (what people do) or outcome (what it is for); kinds of event go to event_kinds.';
	END IF;
	IF (target IS NULL) <> (target_from IS NULL) OR NOT target > 0 OR NOT target < 'Infinity' OR NOT isfinite(target_from) THEN
		RAISE EXCEPTION 'target and target_from of metric "%" do not go together', metric_name USING ERRCODE = '22023',
			HINT = 'Give both: a target above zero per unit and period, and the time since when it has held; target_grain names the period.';
	END IF;
	PERFORM activity_metrics.check_grain(target_grain), activity_metrics.period_no(now(), target_grain, 'UTC');
	IF tz IS NULL THEN
		RAISE EXCEPTION 'argument tz is null' USING ERRCODE = '22004',
			HINT = 'Give the time zone in which days and weeks begin, such as ''Europe/Berlin''.';
	END IF;
	-- everything that a report will need, refused now rather than then
	PERFORM activity_metrics.time_column(source, at, 'at', tz), activity_metrics.period_no(now(), 'day', tz),
		activity_metrics.text_column(source, actor, 'actor'), activity_metrics.done_condition(source, status);
	IF event_kinds IS NOT NULL THEN
		PERFORM activity_metrics.text_column(source, kind_column, 'kind_column'),
			activity_metrics.step_kinds(event_kinds, 'event_kinds');
	END IF;
	IF agg = 'sum' THEN
		PERFORM activity_metrics.number_column(source, value_name, 'value');
	ELSIF agg = 'count_distinct' THEN
		PERFORM activity_metrics.text_column(source, value_name, 'value');
	ELSE
		value_name := NULL;
	END IF;
	INSERT INTO activity_metrics.metric AS m
		(metric, label, description, kind, agg, source_relation, event_kinds, value_column, time_column, kind_column,
		 actor_column, status_column, tz, unit, owner, target, target_from, target_grain)
	VALUES
		(metric_name, coalesce(define_metric.label, replace(metric_name, '_', ' ')), define_metric.description,
		 define_metric.kind, define_metric.agg, activity_metrics.qualified_name(source), define_metric.event_kinds, value_name, define_metric.at,
		 define_metric.kind_column, define_metric.actor, define_metric.status, define_metric.tz, define_metric.unit,
		 define_metric.owner, define_metric.target, define_metric.target_from,
		 CASE WHEN define_metric.target IS NOT NULL THEN define_metric.target_grain END)
	ON CONFLICT ON CONSTRAINT metric_pkey DO UPDATE SET
		label = excluded.label, description = excluded.description, kind = excluded.kind, agg = excluded.agg,
		source_relation = excluded.source_relation, event_kinds = excluded.event_kinds,
		value_column = excluded.value_column, time_column = excluded.time_column, kind_column = excluded.kind_column,
		actor_column = excluded.actor_column, status_column = excluded.status_column, tz = excluded.tz,
		unit = excluded.unit, owner = excluded.owner, target = excluded.target, target_from = excluded.target_from,
		target_grain = excluded.target_grain,
		changed_by = excluded.changed_by, changed_at = excluded.changed_at;
	PERFORM activity_metrics.warn_of_absent_kinds(source, kind_column, event_kinds);
	RETURN metric_name;
END;
$$;
COMMENT ON FUNCTION activity_metrics.define_metric(text, regclass, text, text, text, text, text, text, text, text, text, text, text, text, text, double precision, timestamptz, text) IS
'Writes a metric into the dictionary, or changes it: a count, distinct count or sum of the events of some kinds, per actor and period. Returns its name.
source: a table or view of events; event_kinds: as in a funnel step, such as ''call | demo'' (NULL: all); agg: count, count_distinct (of value, default event_id) or sum (of value, default value); kind: surface (activity) or outcome; at, kind_column, actor, status: columns, if named otherwise; target, target_from, target_grain: a target per unit and period (week) that has been given already, for the gaming test. A metric of that name is replaced whole; a kind that does not occur is warned about.
Errors: a name or choice that is not valid (22023), no such column (42703), a column of the wrong type (42804).';

CREATE FUNCTION activity_metrics.find_metric(name text) RETURNS activity_metrics.metric
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found_row activity_metrics.metric;
	nearest text;
BEGIN
	SELECT m.* INTO found_row FROM activity_metrics.metric m WHERE m.metric = name;
	IF FOUND THEN
		IF to_regclass(found_row.source_relation) IS NULL THEN
			RAISE EXCEPTION 'relation % of metric "%" does not exist', found_row.source_relation, name
				USING ERRCODE = '42P01', HINT = 'Define the metric again with the relation as it is named now.';
		END IF;
		RETURN found_row;
	END IF;
	SELECT activity_metrics.nearest_name(name, array_agg(m.metric ORDER BY m.metric)) INTO nearest FROM activity_metrics.metric m;
	RAISE EXCEPTION 'metric "%" is not in the dictionary', name USING ERRCODE = '42704',
		HINT = CASE WHEN nearest IS NULL THEN 'The dictionary is empty: SELECT activity_metrics.define_metric(...) first.'
			ELSE format('Did you mean "%s"? SELECT metric FROM activity_metrics.metric lists them; define_metric(...) adds one.', nearest) END;
END;
$$;
COMMENT ON FUNCTION activity_metrics.find_metric(text) IS
'Internal: a metric of the dictionary. Errors: no such metric (42704, the nearest one in the hint), its relation is gone (42P01).';
