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

CREATE FUNCTION activity_metrics.check_defined_target(metric text, target double precision, target_from timestamptz, target_grain text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF (target IS NULL) <> (target_from IS NULL) OR NOT target > 0 OR NOT target < 'Infinity' OR NOT isfinite(target_from) THEN
		RAISE EXCEPTION 'target and target_from of metric "%" do not go together', metric USING ERRCODE = '22023',
			HINT = 'Give both: a target above zero per unit and period, and the time since when it has held; target_grain names the period.';
	END IF;
	PERFORM activity_metrics.check_grain(target_grain), activity_metrics.period_no(now(), target_grain, 'UTC');
END;
$$;
COMMENT ON FUNCTION activity_metrics.check_defined_target(text, double precision, timestamptz, text) IS
'Internal: checks the target that define_metric() was given. Errors: half a target, one that is not above zero, unknown grain (22023).';

CREATE FUNCTION activity_metrics.check_choice(value text, what text, metric text, choices text[]) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF value IS NULL OR value <> ALL (choices) THEN
		RAISE EXCEPTION 'unknown % "%" of metric "%"', what, value, metric USING ERRCODE = '22023',
			HINT = format('Did you mean "%s"? It is one of %s.', activity_metrics.nearest_name(value, choices), array_to_string(choices, ', '));
	END IF;
END;
$$;
COMMENT ON FUNCTION activity_metrics.check_choice(text, text, text, text[]) IS
'Internal: refuses a word that is none of the choices (22023, the nearest one in the hint).';

CREATE FUNCTION activity_metrics.check_no_cycle(m activity_metrics.metric) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	front text[] := activity_metrics.metric_parts(m);
	seen text[] := '{}';
BEGIN
	WHILE cardinality(front) > 0 LOOP
		IF m.metric = ANY (front) THEN
			RAISE EXCEPTION 'metric "%" is computed from itself', m.metric USING ERRCODE = '22023',
				DETAIL = CASE WHEN cardinality(seen) = 0 THEN 'Its own formula names it.' ELSE format('On the way are %s.', array_to_string(seen, ', ')) END,
				HINT = 'Compute it from metrics that are not computed from it.';
		END IF;
		seen := seen || front;
		SELECT coalesce(array_agg(DISTINCT p), '{}') INTO front FROM activity_metrics.metric part, unnest(activity_metrics.metric_parts(part)) AS p
			WHERE part.metric = ANY (front) AND p <> ALL (seen);
	END LOOP;
END;
$$;
COMMENT ON FUNCTION activity_metrics.check_no_cycle(activity_metrics.metric) IS
'Internal: refuses a metric that is computed from itself, over others or not (22023).';

CREATE FUNCTION activity_metrics.check_metric(m activity_metrics.metric) RETURNS activity_metrics.metric
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	source regclass;
	name text;
	other text;
BEGIN
	IF m.metric IS NULL OR m.metric !~ '^[a-z][a-z0-9_]{0,62}$' THEN
		RAISE EXCEPTION 'metric name "%" is not valid', m.metric USING ERRCODE = '22023',
			HINT = 'Use lower case letters, digits and underscores, starting with a letter; label is free text.';
	END IF;
	-- what is not said follows from what is given
	m.type := coalesce(m.type, CASE WHEN coalesce(m.numerator, m.denominator) IS NOT NULL THEN 'ratio' WHEN m.conversion_metric IS NOT NULL THEN 'conversion'
		WHEN m.base_metric IS NOT NULL THEN 'cumulative' WHEN m.expr IS NOT NULL AND m.source_relation IS NULL THEN 'derived' ELSE 'simple' END);
	PERFORM activity_metrics.check_choice(m.type, 'type', m.metric, ARRAY['simple', 'ratio', 'derived', 'cumulative', 'conversion']);
	IF m.type = 'simple' THEN
		m.agg := CASE WHEN m.agg = 'count' AND m.expr IS NOT NULL THEN 'expr' ELSE m.agg END;
		PERFORM activity_metrics.check_choice(m.agg, 'aggregate', m.metric, ARRAY['count', 'count_distinct', 'sum', 'avg', 'min', 'max', 'median', 'p90', 'p95', 'p99', 'expr']);
	END IF;
	IF m.kind IS NULL OR m.kind NOT IN ('surface', 'outcome') THEN
		RAISE EXCEPTION 'unknown kind "%" of metric "%"', m.kind, m.metric USING ERRCODE = '22023',
			HINT = 'A metric is surface (what people do) or outcome (what it is for); kinds of event go to event_kinds.';
	END IF;
	PERFORM activity_metrics.check_choice(m.direction, 'direction', m.metric, ARRAY['up', 'down', 'band']),
		activity_metrics.check_choice(coalesce(m.timing, 'leading'), 'timing', m.metric, ARRAY['leading', 'lagging']),
		activity_metrics.check_choice(m.status, 'lifecycle', m.metric, ARRAY['draft', 'active', 'deprecated']),
		activity_metrics.check_grain(m.grain), activity_metrics.period_no(now(), m.grain, 'UTC');
	IF m.is_north_star IS NULL OR m.scope IS NULL THEN
		RAISE EXCEPTION 'argument % is null', CASE WHEN m.scope IS NULL THEN 'scope' ELSE 'north_star' END USING ERRCODE = '22004',
			HINT = 'Leave it out: north_star is false, scope is ''company''.';
	END IF;
	IF m.is_north_star AND m.status = 'active' THEN
		IF m.kind <> 'outcome' THEN
			RAISE EXCEPTION 'metric "%" is a surface metric, and no North Star', m.metric USING ERRCODE = '22023',
				HINT = 'A North Star is an outcome: what the work is for, not how much of it is done.';
		END IF;
		SELECT o.metric INTO other FROM activity_metrics.metric o WHERE o.is_north_star AND o.status = 'active' AND o.scope = m.scope AND o.metric <> m.metric;
		IF FOUND THEN
			RAISE EXCEPTION 'scope "%" has a North Star already: "%"', m.scope, other USING ERRCODE = '22023',
				HINT = format('SELECT activity_metrics.set_north_star(%L) puts it in place of %s, once it is defined without north_star; or give it a scope of its own.', m.metric, other);
		END IF;
	END IF;
	IF NOT (m.crit_low <= m.warn_low) OR NOT (m.warn_low <= m.warn_high) OR NOT (m.warn_high <= m.crit_high)
		OR NOT (m.crit_low <= m.warn_high) OR NOT (m.warn_low <= m.crit_high) OR NOT (m.crit_low <= m.crit_high) THEN
		RAISE EXCEPTION 'thresholds of metric "%" are out of order', m.metric USING ERRCODE = '22023',
			HINT = 'They go crit_low <= warn_low <= warn_high <= crit_high; leave out what you do not need.';
	END IF;
	IF m.window_days IS NOT NULL AND NOT (m.window_days > 0 AND m.window_days <= 36600) THEN
		RAISE EXCEPTION 'window_days of metric "%" is %', m.metric, m.window_days USING ERRCODE = '22023', HINT = 'Give days, above 0 and at most 36600.';
	END IF;
	IF m.decimals NOT BETWEEN 0 AND 15 OR m.min_rows < 0 OR NOT (m.max_staleness_hours > 0) OR m.valid_to < m.valid_from THEN
		RAISE EXCEPTION '% of metric "%" is out of range', CASE WHEN m.decimals NOT BETWEEN 0 AND 15 THEN 'decimals' WHEN m.min_rows < 0 THEN 'min_rows'
			WHEN NOT (m.max_staleness_hours > 0) THEN 'max_staleness_hours' ELSE 'valid_to' END, m.metric USING ERRCODE = '22023',
			HINT = 'decimals are 0 to 15, min_rows not below 0, max_staleness_hours above 0, valid_to not before valid_from.';
	END IF;
	IF m.tz IS NULL THEN
		RAISE EXCEPTION 'argument tz is null' USING ERRCODE = '22004',
			HINT = 'Give the time zone in which days and weeks begin, such as ''Europe/Berlin''.';
	END IF;
	FOREACH name IN ARRAY ARRAY[m.paired_with, m.outcome_metric] LOOP
		IF name IS NOT NULL THEN
			IF name = m.metric THEN
				RAISE EXCEPTION 'metric "%" is named as its own guardrail or outcome', name USING ERRCODE = '22023', HINT = 'Name another metric with paired_with and outcome_metric.';
			END IF;
			PERFORM activity_metrics.find_metric(name);
		END IF;
	END LOOP;

	IF m.type = 'simple' THEN
		source := m.source_relation::regclass;
		-- everything that a report will need, refused now rather than then
		PERFORM activity_metrics.time_column(source, m.time_column, 'at', m.tz), activity_metrics.period_no(now(), 'day', m.tz),
			activity_metrics.text_column(source, m.actor_column, 'actor'), activity_metrics.done_condition(source, m.status_column);
		IF m.event_kinds IS NOT NULL THEN
			PERFORM activity_metrics.text_column(source, m.kind_column, 'kind_column'),
				activity_metrics.step_kinds(m.event_kinds, 'event_kinds');
		END IF;
		IF m.entity_column IS NOT NULL THEN
			PERFORM activity_metrics.text_column(source, m.entity_column, 'entity');
		END IF;
		IF m.recorded_column IS NOT NULL THEN
			PERFORM activity_metrics.time_column(source, m.recorded_column, 'recorded_column', m.tz);
		END IF;
		IF m.agg = 'count' OR m.agg = 'expr' THEN
			m.value_column := NULL;
		ELSIF m.agg = 'count_distinct' THEN
			m.value_column := coalesce(m.value_column, 'event_id');
			PERFORM activity_metrics.text_column(source, m.value_column, 'value');
		ELSE
			m.value_column := coalesce(m.value_column, 'value');
			PERFORM activity_metrics.number_column(source, m.value_column, 'value');
		END IF;
		IF (m.agg = 'expr') <> (m.expr IS NOT NULL) THEN
			RAISE EXCEPTION 'expr and agg of metric "%" do not go together', m.metric USING ERRCODE = '22023',
				DETAIL = format('agg is %s.', m.agg), HINT = 'Give expr, an SQL aggregate such as ''sum(value) / count(*)'', and leave agg and value out.';
		END IF;
		FOREACH name IN ARRAY ARRAY['numerator', 'denominator', 'base_metric', 'conversion_metric'] LOOP
			IF to_jsonb(m) ->> name IS NOT NULL THEN
				RAISE EXCEPTION 'argument % does not go with type simple of metric "%"', name, m.metric USING ERRCODE = '22023', HINT = 'Leave it out, or leave type out: it follows from the arguments.';
			END IF;
		END LOOP;
		m.additive := m.agg IN ('count', 'sum');
		RETURN m;
	END IF;

	IF m.source_relation IS NOT NULL OR m.filter_sql IS NOT NULL OR m.event_kinds IS NOT NULL THEN
		RAISE EXCEPTION 'metric "%" is of type %, which has no source, event_kinds or filter of its own', m.metric, m.type USING ERRCODE = '22023',
			HINT = 'Leave them out: it goes over other metrics of the dictionary.';
	END IF;
	name := CASE m.type
		WHEN 'ratio' THEN CASE WHEN m.numerator IS NULL THEN 'numerator' WHEN m.denominator IS NULL THEN 'denominator' END
		WHEN 'derived' THEN CASE WHEN m.expr IS NULL THEN 'expr' END
		WHEN 'cumulative' THEN CASE WHEN m.base_metric IS NULL THEN 'base_metric' WHEN m.window_days IS NULL THEN 'window_days' END
		ELSE CASE WHEN m.base_metric IS NULL THEN 'base_metric' WHEN m.conversion_metric IS NULL THEN 'conversion_metric' WHEN m.window_days IS NULL THEN 'window_days' END END;
	IF name IS NOT NULL THEN
		RAISE EXCEPTION 'argument % is null', name USING ERRCODE = '22004', HINT = format('A metric of type %s needs it.', m.type);
	END IF;
	m.agg := NULL;
	m.value_column := NULL;
	m.time_column := NULL;
	m.kind_column := NULL;
	m.actor_column := NULL;
	m.status_column := NULL;
	PERFORM activity_metrics.check_no_cycle(m);
	IF m.type = 'derived' AND cardinality(activity_metrics.metric_parts(m)) = 0 THEN
		RAISE EXCEPTION 'formula of metric "%" names no metric', m.metric USING ERRCODE = '22023', HINT = 'Give arithmetic over names of metrics in expr, such as ''revenue - cost''.';
	END IF;
	-- days and weeks are those of its parts
	SELECT f.tz INTO name FROM activity_metrics.find_metric((activity_metrics.metric_parts(m))[1]) AS f;
	m.tz := CASE m.tz WHEN 'UTC' THEN name ELSE m.tz END;
	m.additive := m.type = 'derived' AND (activity_metrics.formula_sql(m)).additive;
	PERFORM activity_metrics.metric_values_sql(m, m.grain, true);
	RETURN m;
END;
$$;
COMMENT ON FUNCTION activity_metrics.check_metric(activity_metrics.metric) IS
'Internal: a metric as define_metric() writes it, with what follows from the rest. Errors: as of define_metric().';

CREATE FUNCTION activity_metrics.formula_check_sql(m activity_metrics.metric, argument text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- no row is read, but rights are checked; HAVING: an expression has to be an aggregate; the product: and a number;
	-- between brackets as well as parentheses: no text that closes one of them and opens another is an expression in both
	RETURN CASE argument
		WHEN 'filter' THEN format(E'SELECT FROM %s AS e WHERE (%s\n) AND ARRAY[%2$s\n] IS NOT NULL LIMIT 0', m.source_relation, m.filter_sql)
		ELSE format(E'SELECT ((%s\n) OPERATOR(pg_catalog.*) 1::pg_catalog.float8)::pg_catalog.float8 FROM %s AS e HAVING ARRAY[%1$s\n] IS NOT NULL LIMIT 0', m.expr, m.source_relation) END;
END;
$$;
COMMENT ON FUNCTION activity_metrics.formula_check_sql(activity_metrics.metric, text) IS
'Internal: a statement that computes the filter or expr of a metric on no rows, and fails unless it is one expression, closed in itself.';

CREATE FUNCTION activity_metrics.check_formulas(m activity_metrics.metric) RETURNS void
LANGUAGE plpgsql STABLE AS $$
DECLARE
	argument pg_catalog.text;
	fault pg_catalog.text;
	fault_state pg_catalog.text;
BEGIN
	-- formulas are tried where they will run: under the search_path and with the rights of the caller
	FOREACH argument IN ARRAY ARRAY['filter', 'expr'] LOOP
		CONTINUE WHEN m.type OPERATOR(pg_catalog.<>) 'simple' OR CASE WHEN argument OPERATOR(pg_catalog.=) 'filter' THEN m.filter_sql ELSE m.expr END IS NULL;
		BEGIN
			FOR fault IN EXECUTE activity_metrics.formula_check_sql(m, argument) LOOP
				NULL;
			END LOOP;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS fault = MESSAGE_TEXT, fault_state = RETURNED_SQLSTATE;
			RAISE EXCEPTION '% of metric "%" cannot be computed: %', argument, m.metric, fault USING ERRCODE = fault_state,
				HINT = CASE WHEN argument OPERATOR(pg_catalog.=) 'filter' THEN 'filter is a condition on the columns of source, such as ''value > 100''; the row is called e.'
					ELSE 'expr is an aggregate over the columns of source, such as ''sum(value) / count(*)''; the row is called e.' END;
		END;
	END LOOP;
END;
$$;
COMMENT ON FUNCTION activity_metrics.check_formulas(activity_metrics.metric) IS
'Internal: computes filter and expr of a metric on no rows. Errors: what they raise, with the name of the metric.';

CREATE FUNCTION activity_metrics.check_part_formulas(names text[]) RETURNS void
LANGUAGE plpgsql STABLE AS $$
DECLARE
	m activity_metrics.metric;
BEGIN
	FOR m IN SELECT t.* FROM activity_metrics.metric AS t WHERE t.metric OPERATOR(pg_catalog.=) ANY (
			SELECT l.leaf FROM pg_catalog.unnest(names) AS n(name), LATERAL activity_metrics.refresh_leaves(n.name) AS l) ORDER BY t.metric LOOP
		PERFORM activity_metrics.check_formulas(m);
	END LOOP;
END;
$$;
COMMENT ON FUNCTION activity_metrics.check_part_formulas(text[]) IS
'Internal: check_formulas() of all simple metrics that these are made of: tells which of them to mend after a statement over them has failed.';

CREATE FUNCTION activity_metrics.write_metrics(metrics activity_metrics.metric[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	-- what was found out about a metric stays; the trigger sees whether it still holds
	columns text[] := ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = 'activity_metrics.metric'::regclass AND a.attnum > 0 AND NOT a.attisdropped
		AND a.attname <> ALL (ARRAY['metric', 'definition_version', 'gaming_result', 'gaming_value', 'gaming_low', 'gaming_at', 'gaming_seal', 'changed_by', 'changed_at']::name[]) ORDER BY a.attnum);
BEGIN
	EXECUTE format('INSERT INTO activity_metrics.metric SELECT m.* FROM unnest($1) AS m ON CONFLICT ON CONSTRAINT metric_pkey DO UPDATE SET (%s) = ROW(%s)',
		(SELECT string_agg(quote_ident(c), ', ' ORDER BY i) FROM unnest(columns) WITH ORDINALITY AS t(c, i)),
		(SELECT string_agg('excluded.' || quote_ident(c), ', ' ORDER BY i) FROM unnest(columns) WITH ORDINALITY AS t(c, i))) USING metrics;
END;
$$;
COMMENT ON FUNCTION activity_metrics.write_metrics(activity_metrics.metric[]) IS
'Internal: writes rows of the dictionary, over those of the same names.';

CREATE FUNCTION activity_metrics.define_metric(
	metric text,
	source regclass DEFAULT NULL,
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
	target_grain text DEFAULT 'week',
	type text DEFAULT NULL,
	expr text DEFAULT NULL,
	filter text DEFAULT NULL,
	entity text DEFAULT NULL,
	numerator text DEFAULT NULL,
	denominator text DEFAULT NULL,
	base_metric text DEFAULT NULL,
	conversion_metric text DEFAULT NULL,
	window_days double precision DEFAULT NULL,
	direction text DEFAULT 'up',
	paired_with text DEFAULT NULL,
	outcome_metric text DEFAULT NULL,
	timing text DEFAULT NULL,
	north_star boolean DEFAULT false,
	scope text DEFAULT 'company',
	question text DEFAULT NULL,
	goal text DEFAULT NULL,
	hypothesis text DEFAULT NULL,
	next_step text DEFAULT NULL,
	currency text DEFAULT NULL,
	format text DEFAULT NULL,
	decimals integer DEFAULT NULL,
	grain text DEFAULT 'week',
	cadence text DEFAULT NULL,
	audience text DEFAULT NULL,
	reviewed_by text DEFAULT NULL,
	synonyms text DEFAULT NULL,
	tags text DEFAULT NULL,
	baseline double precision DEFAULT NULL,
	warn_low double precision DEFAULT NULL,
	warn_high double precision DEFAULT NULL,
	crit_low double precision DEFAULT NULL,
	crit_high double precision DEFAULT NULL,
	gaming_test text DEFAULT NULL,
	max_staleness_hours double precision DEFAULT NULL,
	min_rows integer DEFAULT NULL,
	known_issues text DEFAULT NULL,
	lifecycle text DEFAULT 'active',
	valid_from date DEFAULT NULL,
	valid_to date DEFAULT NULL,
	review_on date DEFAULT NULL,
	recorded_column text DEFAULT NULL,
	template text DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
	row activity_metrics.metric;
BEGIN
	row.metric := define_metric.metric;
	row.label := coalesce(define_metric.label, pg_catalog.replace(define_metric.metric, '_', ' '));
	row.source_relation := activity_metrics.qualified_name(source);
	row.event_kinds := define_metric.event_kinds;
	row.agg := define_metric.agg;
	row.kind := define_metric.kind;
	row.description := define_metric.description;
	row.value_column := define_metric.value;
	row.time_column := define_metric.at;
	row.kind_column := define_metric.kind_column;
	row.actor_column := define_metric.actor;
	row.status_column := define_metric.status;
	row.tz := define_metric.tz;
	row.unit := define_metric.unit;
	row.owner := define_metric.owner;
	row.type := define_metric.type;
	row.expr := define_metric.expr;
	row.filter_sql := define_metric.filter;
	row.entity_column := define_metric.entity;
	row.numerator := define_metric.numerator;
	row.denominator := define_metric.denominator;
	row.base_metric := define_metric.base_metric;
	row.conversion_metric := define_metric.conversion_metric;
	row.window_days := define_metric.window_days;
	row.direction := define_metric.direction;
	row.paired_with := define_metric.paired_with;
	row.outcome_metric := define_metric.outcome_metric;
	row.timing := define_metric.timing;
	row.is_north_star := define_metric.north_star;
	row.scope := define_metric.scope;
	row.question := define_metric.question;
	row.goal := define_metric.goal;
	row.hypothesis := define_metric.hypothesis;
	row.next_step := define_metric.next_step;
	row.currency := define_metric.currency;
	row.format := define_metric.format;
	row.decimals := define_metric.decimals;
	row.grain := define_metric.grain;
	row.cadence := define_metric.cadence;
	row.audience := define_metric.audience;
	row.reviewed_by := define_metric.reviewed_by;
	row.synonyms := define_metric.synonyms;
	row.tags := define_metric.tags;
	row.baseline := define_metric.baseline;
	row.warn_low := define_metric.warn_low;
	row.warn_high := define_metric.warn_high;
	row.crit_low := define_metric.crit_low;
	row.crit_high := define_metric.crit_high;
	row.gaming_test := define_metric.gaming_test;
	row.max_staleness_hours := define_metric.max_staleness_hours;
	row.min_rows := define_metric.min_rows;
	row.known_issues := define_metric.known_issues;
	row.status := define_metric.lifecycle;
	row.valid_from := define_metric.valid_from;
	row.valid_to := define_metric.valid_to;
	row.review_on := define_metric.review_on;
	row.recorded_column := define_metric.recorded_column;
	row.template := define_metric.template;
	row.week_start := 'monday';
	row.gaming_result := 'untested';
	row.additive := true;
	row.definition_version := 1;
	row.changed_by := CURRENT_USER;
	row.changed_at := pg_catalog.now();
	row := activity_metrics.check_metric(row);
	PERFORM activity_metrics.check_defined_target(row.metric, target, target_from, target_grain);
	PERFORM activity_metrics.check_formulas(row);
	PERFORM activity_metrics.write_metrics(ARRAY[row]);
	IF target IS NOT NULL THEN
		PERFORM activity_metrics.record_defined_target(row.metric, target, target_from, target_grain);
	END IF;
	IF row.source_relation IS NOT NULL THEN
		PERFORM activity_metrics.warn_of_absent_kinds(source, kind_column, event_kinds);
	END IF;
	RETURN row.metric;
END;
$$;
COMMENT ON FUNCTION activity_metrics.define_metric(text, regclass, text, text, text, text, text, text, text, text, text, text, text, text, text, double precision, timestamptz, text, text, text, text, text, text, text, text, text, double precision, text, text, text, text, boolean, text, text, text, text, text, text, text, integer, text, text, text, text, text, text, double precision, double precision, double precision, double precision, double precision, text, double precision, integer, text, text, date, date, date, text, text) IS
'Writes a metric into the dictionary, or changes it, and returns its name. A metric of that name is replaced whole, except its history, targets and gaming test; a changed definition is to be tested again.
type follows from the arguments: simple: an aggregate of the events of source; ratio: numerator / denominator; derived: expr, arithmetic (+ - * / parentheses, numbers) over names of metrics; cumulative: base_metric over the last window_days of the clock of tz (WAU, MAU); conversion: the share of the events of base_metric that an event of conversion_metric follows within window_days, entity by entity.
source: a table or view of events; event_kinds: as in a funnel step, such as ''call | demo'' (NULL: all); agg: count, count_distinct (of value, default event_id), sum, avg, min, max, median, p90, p95, p99 (of value, default value) or expr, an SQL aggregate over the rows of source, called e; filter: an SQL condition on them; at, kind_column, actor, status, entity, recorded_column: columns, if named otherwise.
kind: surface (activity) or outcome; direction: up, down or band; target, target_from, target_grain: a target per unit and period (week) that has been given already, which table target records as forced; lifecycle: draft, active or deprecated; other arguments: see the columns of table metric. A kind that does not occur is warned about.
Errors: a name, choice, formula or cycle that is not valid (22023), no such metric (42704) or column (42703), a column of the wrong type (42804), an argument that is missing (22004); what a filter or expr raises on no rows.';

CREATE FUNCTION activity_metrics.find_metric(name text) RETURNS activity_metrics.metric
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found_row activity_metrics.metric;
	nearest text;
	absent text;
BEGIN
	SELECT m.* INTO found_row FROM activity_metrics.metric m WHERE m.metric = name;
	IF FOUND THEN
		IF found_row.type <> 'simple' THEN
			RETURN found_row;
		END IF;
		IF to_regclass(found_row.source_relation) IS NULL THEN
			RAISE EXCEPTION 'relation % of metric "%" does not exist', found_row.source_relation, name
				USING ERRCODE = '42P01', HINT = format('Define the metric again with the relation as it is named now: SELECT activity_metrics.define_metric(%L, ''...'').', name);
		END IF;
		SELECT c INTO absent FROM unnest(ARRAY[found_row.time_column, found_row.actor_column, CASE WHEN found_row.event_kinds IS NOT NULL THEN found_row.kind_column END,
				found_row.status_column, found_row.value_column]) WITH ORDINALITY AS t(c, i)
			WHERE c IS NOT NULL AND activity_metrics.column_type(to_regclass(found_row.source_relation), c) IS NULL ORDER BY i LIMIT 1;
		IF FOUND THEN
			SELECT activity_metrics.nearest_name(absent, array_agg(a.attname::text ORDER BY a.attnum)) INTO nearest
				FROM pg_attribute a WHERE a.attrelid = to_regclass(found_row.source_relation) AND a.attnum > 0 AND NOT a.attisdropped;
			RAISE EXCEPTION 'column "%" of metric "%" does not exist in %', absent, name, found_row.source_relation
				USING ERRCODE = '42703', HINT = format('Define the metric again with the column as it is named now: SELECT activity_metrics.define_metric(%L, ...). The nearest name is "%s".', name, nearest);
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
'Internal: a metric of the dictionary. Errors: no such metric (42704, the nearest one in the hint), its relation or a column is gone (42P01, 42703).';

-- history

CREATE FUNCTION activity_metrics.metric_definition(m activity_metrics.metric) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('kind', m.kind, 'type', m.type, 'agg', m.agg, 'expr', m.expr, 'filter_sql', m.filter_sql, 'source_relation', m.source_relation,
		'event_kinds', m.event_kinds, 'value_column', m.value_column, 'entity_column', m.entity_column, 'time_column', m.time_column,
		'kind_column', CASE WHEN m.event_kinds IS NOT NULL THEN m.kind_column END, 'actor_column', m.actor_column, 'status_column', m.status_column,
		'numerator', m.numerator, 'denominator', m.denominator, 'base_metric', m.base_metric, 'conversion_metric', m.conversion_metric,
		'window_days', m.window_days, 'additive', m.additive, 'tz', m.tz, 'unit', m.unit, 'currency', m.currency))
$$;
COMMENT ON FUNCTION activity_metrics.metric_definition(activity_metrics.metric) IS
'Internal: the columns that make up the definition of a metric: what its values depend on, their unit, and whether it is surface or outcome.';

CREATE FUNCTION activity_metrics.metric_before_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	names text[];
BEGIN
	PERFORM activity_metrics.check_no_cycle(NEW);
	IF TG_OP = 'INSERT' THEN
		-- only a superuser, who restores a dump, may say that another role wrote it
		NEW.changed_by := CASE WHEN (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = CURRENT_USER) THEN NEW.changed_by ELSE CURRENT_USER END;
	ELSE
		NEW.definition_version := OLD.definition_version;
		NEW.changed_by := CURRENT_USER;
		NEW.changed_at := now();
		-- of a change that another row makes, the names of parts are only new names
		names := CASE WHEN pg_trigger_depth() > 1 THEN ARRAY['numerator', 'denominator', 'base_metric', 'conversion_metric', 'expr'] ELSE '{}' END;
		IF activity_metrics.metric_definition(NEW) - names <> activity_metrics.metric_definition(OLD) - names THEN
			NEW.definition_version := OLD.definition_version + 1;
			NEW.gaming_result := 'untested';
			NEW.gaming_value := NULL;
			NEW.gaming_low := NULL;
			NEW.gaming_at := NULL;
			NEW.gaming_seal := NULL;
		END IF;
	END IF;
	RETURN NEW;
END;
$$;
COMMENT ON FUNCTION activity_metrics.metric_before_change() IS
'Internal: trigger of table metric: no cycles, who changed it and when, a new version and a gaming test to do where the definition changed.';

CREATE FUNCTION activity_metrics.metric_after_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF TG_OP = 'INSERT' OR NEW.definition_version <> OLD.definition_version THEN
		INSERT INTO activity_metrics.metric_history (metric, definition_version, valid_from, changed_by, definition, change)
		SELECT NEW.metric, NEW.definition_version, NEW.changed_at, NEW.changed_by, d.new::text,
			CASE WHEN TG_OP = 'INSERT' THEN 'defined' ELSE (
				SELECT string_agg(format('%s: %s -> %s', k, coalesce(d.old ->> k, '(none)'), coalesce(d.new ->> k, '(none)')), '; ' ORDER BY k)
				FROM jsonb_object_keys(d.old || d.new) AS k WHERE d.old -> k IS DISTINCT FROM d.new -> k) END
		FROM (SELECT activity_metrics.metric_definition(NEW) AS new, CASE TG_OP WHEN 'UPDATE' THEN activity_metrics.metric_definition(OLD) END AS old) AS d;
	END IF;
	IF TG_OP = 'UPDATE' AND NEW.metric <> OLD.metric THEN
		UPDATE activity_metrics.metric m SET expr = regexp_replace(m.expr, format(E'\\m%s\\M', OLD.metric), NEW.metric, 'g')
			WHERE m.type = 'derived' AND OLD.metric = ANY (activity_metrics.formula_names(m.expr, m.metric));
	END IF;
	RETURN NULL;
END;
$$;
COMMENT ON FUNCTION activity_metrics.metric_after_change() IS
'Internal: trigger of table metric: writes metric_history; formulas that name a metric follow its new name.';

CREATE FUNCTION activity_metrics.metric_after_delete() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	user_of text;
BEGIN
	SELECT min(m.metric) INTO user_of FROM activity_metrics.metric m
		WHERE m.type = 'derived' AND OLD.metric = ANY (activity_metrics.formula_names(m.expr, m.metric));
	IF user_of IS NOT NULL THEN
		RAISE EXCEPTION 'metric "%" is used by metric "%"', OLD.metric, user_of USING ERRCODE = '23503',
			HINT = format('Delete "%s" before, or define it again without "%s".', user_of, OLD.metric);
	END IF;
	RETURN NULL;
END;
$$;
COMMENT ON FUNCTION activity_metrics.metric_after_delete() IS
'Internal: trigger of table metric: refuses to delete a metric that a formula names (23503).';

CREATE FUNCTION activity_metrics.history_before_insert() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- a dump brings its own rows, after those that the restored metrics have made
	IF EXISTS (SELECT FROM activity_metrics.metric_history h WHERE h.metric = NEW.metric AND h.definition_version = NEW.definition_version) THEN
		DELETE FROM activity_metrics.metric_history h WHERE h.metric = NEW.metric AND h.definition_version = NEW.definition_version;
	END IF;
	NEW.changed_by := CASE WHEN (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = CURRENT_USER) THEN NEW.changed_by ELSE CURRENT_USER END;
	RETURN NEW;
END;
$$;
COMMENT ON FUNCTION activity_metrics.history_before_insert() IS
'Internal: trigger of table metric_history: a row that is written again replaces the one before.';

CREATE TRIGGER metric_before_change BEFORE INSERT OR UPDATE ON activity_metrics.metric
	FOR EACH ROW EXECUTE FUNCTION activity_metrics.metric_before_change();
COMMENT ON TRIGGER metric_before_change ON activity_metrics.metric IS 'No cycles; who changed it, when, and its version.';
CREATE TRIGGER metric_after_change AFTER INSERT OR UPDATE ON activity_metrics.metric
	FOR EACH ROW EXECUTE FUNCTION activity_metrics.metric_after_change();
COMMENT ON TRIGGER metric_after_change ON activity_metrics.metric IS 'Writes metric_history.';
CREATE TRIGGER metric_after_delete AFTER DELETE ON activity_metrics.metric
	FOR EACH ROW EXECUTE FUNCTION activity_metrics.metric_after_delete();
COMMENT ON TRIGGER metric_after_delete ON activity_metrics.metric IS 'Formulas keep what they name.';
CREATE TRIGGER history_before_insert BEFORE INSERT ON activity_metrics.metric_history
	FOR EACH ROW EXECUTE FUNCTION activity_metrics.history_before_insert();
COMMENT ON TRIGGER history_before_insert ON activity_metrics.metric_history IS 'A dump brings its own rows.';

CREATE FUNCTION activity_metrics.outcome_of(m activity_metrics.metric) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(m.outcome_metric,
		(SELECT s.metric FROM activity_metrics.metric s
			WHERE s.is_north_star AND s.status = 'active' AND s.metric <> m.metric AND s.scope IN (m.scope, 'company') ORDER BY s.scope = m.scope DESC LIMIT 1),
		(SELECT min(o.metric) FROM activity_metrics.metric o WHERE o.kind = 'outcome' HAVING count(*) = 1))
$$;
COMMENT ON FUNCTION activity_metrics.outcome_of(activity_metrics.metric) IS
'Internal: the outcome that a metric is for: its outcome_metric, else the active North Star of its scope or of company, else the only outcome metric of the dictionary; NULL if there is none or there are several.';
