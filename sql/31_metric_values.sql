--
-- Values of a metric, of whatever type: one statement, built from the dictionary, run with the caller's rights.
--

CREATE FUNCTION activity_metrics.finite(x double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN x OPERATOR(pg_catalog.>) '-Infinity'::double precision AND x OPERATOR(pg_catalog.<) 'Infinity'::double precision THEN x END;
COMMENT ON FUNCTION activity_metrics.finite(double precision) IS
'Internal: a number, NULL where it is NaN or infinite.';

CREATE FUNCTION activity_metrics.quotient(numerator double precision, denominator double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN denominator OPERATOR(pg_catalog.<>) 0 THEN activity_metrics.finite(numerator OPERATOR(pg_catalog./) denominator) END;
COMMENT ON FUNCTION activity_metrics.quotient(double precision, double precision) IS
'Internal: numerator by denominator, NULL where that is zero.';

-- derived metrics: names, numbers, + - * / and parentheses, and nothing else

CREATE FUNCTION activity_metrics.formula_steps(formula text, metric text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	rest text := formula;
	token text;
	steps text[] := '{}';
	waiting text[] := '{}';
	top text;
	-- an operand is due: at the start, after an operator, after (
	operand boolean := true;
	rank_of CONSTANT jsonb := '{"+": 1, "-": 1, "*": 2, "/": 2, "neg": 3}';
	position_of integer;
BEGIN
	IF formula IS NULL OR length(formula) > 2000 THEN
		RAISE EXCEPTION 'formula of metric "%" is %', metric, CASE WHEN formula IS NULL THEN 'null' ELSE 'longer than 2000 characters' END
			USING ERRCODE = CASE WHEN formula IS NULL THEN '22004' ELSE '22023' END,
			HINT = 'Give arithmetic over names of metrics in expr, such as ''revenue - cost''.';
	END IF;
	LOOP
		rest := ltrim(rest, E' \t\r\n');
		position_of := length(formula) - length(rest) + 1;
		EXIT WHEN rest = '';
		token := substring(rest FROM '^(?:[a-z][a-z0-9_]*|[0-9]+(?:[.][0-9]+)?(?![0-9a-z_.])|[-+*/()])');
		IF token IS NULL OR operand <> (token ~ '^[a-z0-9(]' OR (token = '-' AND operand)) THEN
			RAISE EXCEPTION 'formula of metric "%" is not valid at character %', metric, position_of USING ERRCODE = '22023',
				DETAIL = format('At "%s" %s was expected.', left(rest, 20), CASE WHEN operand THEN 'a name of a metric, a number or (' ELSE 'an operator or )' END),
				HINT = 'A formula has names of metrics, numbers, + - * / and parentheses, such as ''(revenue - cost) / revenue''.';
		END IF;
		rest := substr(rest, length(token) + 1);
		IF token ~ '^[a-z0-9]' THEN
			steps := steps || token;
			operand := false;
		ELSIF token = '(' THEN
			waiting := waiting || token;
		ELSIF token = ')' THEN
			LOOP
				top := waiting[cardinality(waiting)];
				IF top IS NULL THEN
					RAISE EXCEPTION 'formula of metric "%" is not valid at character %', metric, position_of USING ERRCODE = '22023',
						DETAIL = 'There is a ) without its (.', HINT = 'Take it away, or write the ( that belongs to it.';
				END IF;
				waiting := trim_array(waiting, 1);
				EXIT WHEN top = '(';
				steps := steps || top;
			END LOOP;
		ELSE
			token := CASE WHEN operand THEN 'neg' ELSE token END;
			-- what binds at least as tightly comes first; a sign waits for its operand
			WHILE token <> 'neg' AND cardinality(waiting) > 0 AND waiting[cardinality(waiting)] <> '('
				AND (rank_of ->> waiting[cardinality(waiting)])::integer >= (rank_of ->> token)::integer LOOP
				steps := steps || waiting[cardinality(waiting)];
				waiting := trim_array(waiting, 1);
			END LOOP;
			waiting := waiting || token;
			operand := true;
		END IF;
	END LOOP;
	IF operand OR '(' = ANY (waiting) THEN
		RAISE EXCEPTION 'formula of metric "%" ends too early', metric USING ERRCODE = '22023',
			DETAIL = CASE WHEN operand THEN 'A name of a metric, a number or ( was expected.' ELSE 'There is a ( without its ).' END,
			HINT = 'A formula has names of metrics, numbers, + - * / and parentheses, such as ''(revenue - cost) / revenue''.';
	END IF;
	FOR i IN REVERSE cardinality(waiting) .. 1 LOOP
		steps := steps || waiting[i];
	END LOOP;
	RETURN steps;
END;
$$;
COMMENT ON FUNCTION activity_metrics.formula_steps(text, text) IS
'Internal: the formula of a derived metric in postfix order: names, numbers, + - * / and neg. Errors: what is no formula (22023), NULL (22004).';

CREATE FUNCTION activity_metrics.formula_names(formula text, metric text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(array_agg(DISTINCT s ORDER BY s), '{}') FROM unnest(activity_metrics.formula_steps(formula, metric)) AS s WHERE s ~ '^[a-z]' AND s <> 'neg'
$$;
COMMENT ON FUNCTION activity_metrics.formula_names(text, text) IS
'Internal: the metrics that the formula of a derived metric names.';

CREATE FUNCTION activity_metrics.metric_parts(m activity_metrics.metric) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE m.type
		WHEN 'ratio' THEN ARRAY[m.denominator, m.numerator]
		WHEN 'derived' THEN activity_metrics.formula_names(m.expr, m.metric)
		WHEN 'cumulative' THEN ARRAY[m.base_metric]
		WHEN 'conversion' THEN ARRAY[m.base_metric, m.conversion_metric]
		ELSE '{}' END
$$;
COMMENT ON FUNCTION activity_metrics.metric_parts(activity_metrics.metric) IS
'Internal: the metrics that a metric is computed from; none for a simple one.';

CREATE FUNCTION activity_metrics.metric_leaf(m activity_metrics.metric) RETURNS activity_metrics.metric
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	WHILE m.type <> 'simple' LOOP
		m := activity_metrics.find_metric((activity_metrics.metric_parts(m))[1]);
	END LOOP;
	RETURN m;
END;
$$;
COMMENT ON FUNCTION activity_metrics.metric_leaf(activity_metrics.metric) IS
'Internal: the first simple metric that a metric is computed from: whose relation and actors are its own.';

CREATE FUNCTION activity_metrics.is_zero_filled(m activity_metrics.metric) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN CASE m.type
		WHEN 'simple' THEN activity_metrics.is_counted(m)
		WHEN 'cumulative' THEN activity_metrics.is_zero_filled(activity_metrics.find_metric(m.base_metric))
		WHEN 'derived' THEN m.additive
		ELSE false END;
END;
$$;
COMMENT ON FUNCTION activity_metrics.is_zero_filled(activity_metrics.metric) IS
'Internal: is a metric zero where nothing happened? Otherwise it is NULL there.';

CREATE FUNCTION activity_metrics.settle_days(m activity_metrics.metric) RETURNS double precision
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN CASE WHEN m.type = 'conversion' THEN m.window_days
		ELSE coalesce((SELECT max(activity_metrics.settle_days(activity_metrics.find_metric(p))) FROM unnest(activity_metrics.metric_parts(m)) AS p), 0) END;
END;
$$;
COMMENT ON FUNCTION activity_metrics.settle_days(activity_metrics.metric) IS
'Internal: days after its end until a period of a metric no longer changes: the window of a conversion, otherwise 0.';

CREATE FUNCTION activity_metrics.formula_sql(m activity_metrics.metric, OUT value text, OUT additive boolean)
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	names text[] := activity_metrics.formula_names(m.expr, m.metric);
	step text;
	-- of each operand its SQL, and what it is: number, sum (adds up over units) or other
	texts text[] := '{}';
	sorts text[] := '{}';
	a text;
	b text;
	n integer;
	part activity_metrics.metric;
BEGIN
	FOREACH step IN ARRAY activity_metrics.formula_steps(m.expr, m.metric) LOOP
		n := cardinality(texts);
		IF step ~ '^[0-9]' THEN
			texts := texts || format('%L::pg_catalog.float8', step);
			sorts := sorts || 'number'::text;
		ELSIF step = ANY (names) THEN
			part := activity_metrics.find_metric(step);
			texts := texts || format('v%s', array_position(names, step));
			sorts := sorts || CASE WHEN part.additive AND activity_metrics.is_zero_filled(part) THEN 'sum' ELSE 'other' END;
		ELSIF step = 'neg' THEN
			texts[n] := format('(OPERATOR(pg_catalog.-) %s)', texts[n]);
		ELSE
			a := sorts[n - 1];
			b := sorts[n];
			texts[n - 1] := CASE WHEN step = '/' THEN format('activity_metrics.quotient(%s, %s)', texts[n - 1], texts[n])
				ELSE format('(%s OPERATOR(pg_catalog.%s) %s)', texts[n - 1], step, texts[n]) END;
			sorts[n - 1] := CASE
				WHEN a = 'number' AND b = 'number' THEN 'number'
				WHEN step IN ('+', '-') AND a = 'sum' AND b = 'sum' THEN 'sum'
				WHEN step = '*' AND ((a = 'number' AND b = 'sum') OR (a = 'sum' AND b = 'number')) THEN 'sum'
				WHEN step = '/' AND a = 'sum' AND b = 'number' THEN 'sum'
				ELSE 'other' END;
			texts := trim_array(texts, 1);
			sorts := trim_array(sorts, 1);
		END IF;
	END LOOP;
	value := texts[1];
	additive := sorts[1] = 'sum';
END;
$$;
COMMENT ON FUNCTION activity_metrics.formula_sql(activity_metrics.metric) IS
'Internal: the formula of a derived metric as SQL over v1, v2, ... (its parts in order of name), and whether its values add up over units and periods.';

-- simple metrics

CREATE FUNCTION activity_metrics.warn_of_formula(m activity_metrics.metric) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	author text;
BEGIN
	IF (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = CURRENT_USER) THEN
		SELECT coalesce(max(h.changed_by), m.changed_by) INTO author FROM activity_metrics.metric_history h
			WHERE h.metric = m.metric AND h.definition_version = m.definition_version;
		IF author <> CURRENT_USER THEN
			RAISE WARNING 'the formula of metric "%" was written by role "%" and runs as superuser "%"', m.metric, author, CURRENT_USER
				USING HINT = format('Read it first: SELECT expr, filter_sql FROM activity_metrics.metric WHERE metric = %L. SET ROLE %I runs it with the rights of its author.', m.metric, author);
		END IF;
	END IF;
END;
$$;
COMMENT ON FUNCTION activity_metrics.warn_of_formula(activity_metrics.metric) IS
'Internal: warns a superuser before a filter or expr runs that another role wrote.';

CREATE FUNCTION activity_metrics.metric_condition_sql(m activity_metrics.metric) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	condition text := 'true';
BEGIN
	IF m.expr IS NOT NULL OR m.filter_sql IS NOT NULL THEN
		PERFORM activity_metrics.warn_of_formula(m);
	END IF;
	IF m.event_kinds IS NOT NULL THEN
		condition := format('%s OPERATOR(pg_catalog.=) ANY (%L::pg_catalog.text[])',
			activity_metrics.text_column(m.source_relation::regclass, m.kind_column, 'kind_column'),
			activity_metrics.step_kinds(m.event_kinds, 'event_kinds'));
	END IF;
	-- the end of the line ends a comment
	RETURN condition || coalesce(' AND (' || m.filter_sql || E'\n)', '');
END;
$$;
COMMENT ON FUNCTION activity_metrics.metric_condition_sql(activity_metrics.metric) IS
'Internal: the condition that a row of its relation counts in a simple metric: its kind and filter.';

CREATE FUNCTION activity_metrics.aggregate_sql(agg text, value text, condition text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format(CASE agg
			WHEN 'count' THEN 'pg_catalog.count(*)%2$s'
			WHEN 'count_distinct' THEN 'pg_catalog.count(DISTINCT %1$s)%2$s'
			WHEN 'sum' THEN 'coalesce(activity_metrics.exact_sum(%1$s)%2$s, 0)'
			WHEN 'avg' THEN 'activity_metrics.exact_avg(%1$s)%2$s'
			WHEN 'min' THEN 'pg_catalog.min(%1$s)%2$s'
			WHEN 'max' THEN 'pg_catalog.max(%1$s)%2$s'
			ELSE 'pg_catalog.percentile_cont(%3$s) WITHIN GROUP (ORDER BY %1$s)%2$s' END || '::pg_catalog.float8',
		value, format(' FILTER (WHERE %s)', condition), CASE agg WHEN 'median' THEN '0.5' WHEN 'p90' THEN '0.9' WHEN 'p95' THEN '0.95' ELSE '0.99' END)
$$;
COMMENT ON FUNCTION activity_metrics.aggregate_sql(text, text, text) IS
'Internal: an aggregate of the dictionary over the rows for which a condition holds.';

CREATE FUNCTION activity_metrics.metric_rows_sql(m activity_metrics.metric, by_unit boolean, before text DEFAULT NULL, after text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	source regclass := m.source_relation::regclass;
	at text := activity_metrics.time_column(source, m.time_column, 'at', m.tz);
	unit text := activity_metrics.text_column(source, m.actor_column, 'actor');
BEGIN
	RETURN format(
		'FROM %1$s AS e WHERE %2$s IS NOT NULL AND ($1 IS NULL OR %2$s OPERATOR(pg_catalog.>=) ($1%4$s)) AND ($2 IS NULL OR %2$s OPERATOR(pg_catalog.<) ($2%5$s)) AND %3$s%6$s',
		activity_metrics.qualified_name(source), at, activity_metrics.done_condition(source, m.status_column),
		coalesce(' OPERATOR(pg_catalog.-) pg_catalog.make_interval(secs => ' || before || ')', ''),
		coalesce(' OPERATOR(pg_catalog.+) pg_catalog.make_interval(secs => ' || after || ')', ''),
		CASE WHEN by_unit THEN format(' AND %s IS NOT NULL', unit) ELSE '' END);
END;
$$;
COMMENT ON FUNCTION activity_metrics.metric_rows_sql(activity_metrics.metric, boolean, text, text) IS
'Internal: FROM and WHERE of the rows of a simple metric''s relation that were done in [$1, $2), made longer by some seconds before and after.';

CREATE FUNCTION activity_metrics.simple_cells_sql(m activity_metrics.metric, grain text, by_unit boolean, segment text, window_seconds text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS $$
DECLARE
	source regclass := m.source_relation::regclass;
	at text := activity_metrics.time_column(source, m.time_column, 'at', m.tz);
	unit text := CASE WHEN by_unit THEN activity_metrics.text_column(source, m.actor_column, 'actor') ELSE '''(all)''::pg_catalog.text' END;
	period text := format('activity_metrics.period_no(%s, %L::pg_catalog.text, %L::pg_catalog.text)', at, grain, m.tz);
	segment_value text := format('coalesce(%s, '''')', activity_metrics.segment_column(source, segment));
	value text := 'NULL::pg_catalog.float8';
	local_at text;
BEGIN
	IF m.agg = 'expr' THEN
		-- an expression sees the rows that count, and no others; the other periods are there all the same
		RETURN format(
			'SELECT segment, unit, period, pg_catalog.max(value) AS value, pg_catalog.max(n) AS n FROM (
				SELECT %1$s AS segment, %2$s AS unit, %3$s AS period, activity_metrics.finite((%4$s)::pg_catalog.float8) AS value, pg_catalog.count(*) AS n %5$s AND %6$s GROUP BY 1, 2, 3
				UNION ALL SELECT DISTINCT %1$s, %2$s, %3$s, NULL::pg_catalog.float8, 0::pg_catalog.int8 %5$s) AS c GROUP BY segment, unit, period',
			segment_value, unit, period, m.expr || E'\n', activity_metrics.metric_rows_sql(m, by_unit), activity_metrics.metric_condition_sql(m));
	END IF;
	IF m.agg = 'count_distinct' THEN
		value := activity_metrics.text_column(source, m.value_column, 'value');
	ELSIF m.agg <> 'count' THEN
		value := activity_metrics.number_column(source, m.value_column, 'value');
	END IF;
	IF window_seconds IS NULL THEN
		RETURN format(
			'SELECT segment, unit, period, activity_metrics.finite(%7$s) AS value, %8$s AS n
			FROM (SELECT %1$s AS segment, %2$s AS unit, %3$s AS period, %4$s AS value, coalesce(%5$s, false) AS kept %6$s) AS r GROUP BY segment, unit, period',
			segment_value, unit, period, value, activity_metrics.metric_condition_sql(m), activity_metrics.metric_rows_sql(m, by_unit),
			activity_metrics.aggregate_sql(m.agg, 'value', 'kept'),
			CASE m.agg WHEN 'count' THEN 'pg_catalog.count(*)' ELSE 'pg_catalog.count(value)' END || ' FILTER (WHERE kept)');
	END IF;
	-- an event counts in the periods that end at most the window after it; days by the clock of the zone
	local_at := CASE WHEN grain = 'hour' THEN at
		ELSE format('pg_catalog.timezone(''UTC''::pg_catalog.text, pg_catalog.timezone(%L::pg_catalog.text, %s))', m.tz, at) END;
	RETURN format(
		'SELECT segment, unit, period, pg_catalog.max(value) AS value, pg_catalog.max(n) AS n FROM (
			WITH r AS (
				SELECT %1$s AS segment, %2$s AS unit, %3$s AS period, activity_metrics.period_no(%4$s OPERATOR(pg_catalog.+) pg_catalog.make_interval(secs => %5$s), %6$L::pg_catalog.text, ''UTC''::pg_catalog.text) OPERATOR(pg_catalog.-) 1 AS last,
					%7$s AS value, coalesce(%8$s, false) AS kept %9$s),
			bound AS (
				SELECT greatest(pg_catalog.min(period), activity_metrics.period_no($1, %6$L::pg_catalog.text, %10$L::pg_catalog.text)) AS first, pg_catalog.max(period) AS last FROM r),
			k AS (%11$s)
			SELECT k.segment, k.unit, p.period, activity_metrics.finite(%12$s) AS value, %13$s::pg_catalog.int8 AS n
			FROM bound, k, LATERAL pg_catalog.generate_series(greatest(k.period, bound.first), least(k.last, bound.last)) AS p(period)
			GROUP BY k.segment, k.unit, p.period
			UNION ALL SELECT DISTINCT r.segment, r.unit, r.period, NULL::pg_catalog.float8, 0::pg_catalog.int8 FROM bound, r WHERE r.period OPERATOR(pg_catalog.>=) bound.first) AS c
		GROUP BY segment, unit, period',
		segment_value, unit, period, local_at, window_seconds, grain, value, activity_metrics.metric_condition_sql(m),
		activity_metrics.metric_rows_sql(m, by_unit, (window_seconds::float8 + 86400)::text), m.tz,
		-- what is counted is put together before it is spread over the periods
		CASE WHEN m.agg IN ('count', 'count_distinct') THEN 'SELECT segment, unit, period, last, value, pg_catalog.count(*) AS times FROM r WHERE kept GROUP BY segment, unit, period, last, value'
			ELSE 'SELECT segment, unit, period, last, value FROM r WHERE kept' END,
		CASE m.agg WHEN 'count' THEN 'pg_catalog.sum(k.times)::pg_catalog.float8' ELSE activity_metrics.aggregate_sql(m.agg, 'k.value', 'true') END,
		CASE m.agg WHEN 'count' THEN 'pg_catalog.sum(k.times)' WHEN 'count_distinct' THEN 'coalesce(pg_catalog.sum(k.times) FILTER (WHERE k.value IS NOT NULL), 0)' ELSE 'pg_catalog.count(k.value)' END);
END;
$$;
COMMENT ON FUNCTION activity_metrics.simple_cells_sql(activity_metrics.metric, text, boolean, text, text) IS
'Internal: a statement with segment, unit, period, value and n of a simple metric, for every period with any event of its relation; with window_seconds over the events of that time before the end of each period.';

CREATE FUNCTION activity_metrics.conversion_cells_sql(m activity_metrics.metric, grain text, by_unit boolean, segment text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS $$
DECLARE
	seconds text := (m.window_days * 86400)::text;
	part activity_metrics.metric;
	source regclass;
	events text := '';
BEGIN
	FOR i IN 0 .. 1 LOOP
		part := activity_metrics.find_metric(CASE i WHEN 0 THEN m.base_metric ELSE m.conversion_metric END);
		source := part.source_relation::regclass;
		-- of a metric that follows itself, an event does not follow itself
		events := events || CASE i WHEN 1 THEN ' UNION ALL ' ELSE '' END || format(
			'SELECT %1$s AS segment, %2$s AS unit, %3$s AS entity, %4$s AS at, %5$s AS is_base, %6$s AS place %7$s AND %8$s AND %3$s IS NOT NULL',
			CASE i WHEN 0 THEN format('coalesce(%s, '''')', activity_metrics.segment_column(source, segment)) ELSE 'NULL::pg_catalog.text' END,
			CASE WHEN i = 1 THEN 'NULL::pg_catalog.text' WHEN by_unit THEN activity_metrics.text_column(source, part.actor_column, 'actor') ELSE '''(all)''::pg_catalog.text' END,
			activity_metrics.text_column(source, coalesce(m.entity_column, part.entity_column, 'entity'), 'entity'),
			activity_metrics.time_column(source, part.time_column, 'at', part.tz),
			CASE i WHEN 0 THEN 'true' ELSE 'false' END,
			CASE WHEN i = 0 THEN 1 WHEN m.base_metric = m.conversion_metric THEN 0 ELSE 2 END,
			activity_metrics.metric_rows_sql(part, false, NULL, seconds),
			activity_metrics.metric_condition_sql(part));
	END LOOP;
	-- an event that follows belongs to the nearest event before it; $2 bounds the events that begin
	RETURN format(
		'SELECT segment, unit, period, activity_metrics.quotient(pg_catalog.sum(followed)::pg_catalog.float8, pg_catalog.count(*)::pg_catalog.float8) AS value, pg_catalog.count(*) AS n
		FROM (
			SELECT pg_catalog.max(segment) AS segment, pg_catalog.max(unit) AS unit, pg_catalog.max(began) AS began,
				activity_metrics.period_no(pg_catalog.max(began), %2$L::pg_catalog.text, %3$L::pg_catalog.text) AS period,
				pg_catalog.count(*) FILTER (WHERE NOT is_base AND at OPERATOR(pg_catalog.<=) (began OPERATOR(pg_catalog.+) pg_catalog.make_interval(secs => %4$s))) AS followed
			FROM (
				SELECT g.*, pg_catalog.max(at) FILTER (WHERE is_base) OVER (PARTITION BY entity, chain) AS began
				FROM (
					SELECT e.*, pg_catalog.count(*) FILTER (WHERE is_base) OVER (PARTITION BY entity ORDER BY at, place, unit, segment ROWS UNBOUNDED PRECEDING) AS chain
					FROM (%1$s) AS e) AS g
				WHERE chain OPERATOR(pg_catalog.>) 0) AS b
			GROUP BY entity, chain) AS c
		WHERE ($2 IS NULL OR began OPERATOR(pg_catalog.<) $2) AND unit IS NOT NULL
		GROUP BY segment, unit, period',
		events, grain, m.tz, seconds);
END;
$$;
COMMENT ON FUNCTION activity_metrics.conversion_cells_sql(activity_metrics.metric, text, boolean, text) IS
'Internal: a statement with segment, unit, period, value and n of a conversion: the share of the base metric''s events that the conversion metric''s follow within the window, at the time of the base event.';

CREATE FUNCTION activity_metrics.metric_cells_sql(m activity_metrics.metric, grain text, by_unit boolean, segment text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS $$
DECLARE
	parts text[] := activity_metrics.metric_parts(m);
	part activity_metrics.metric;
	cells text := '';
	sums text := '';
	counts text[] := '{}';
	value text;
	n text;
	own text;
BEGIN
	FOR i IN 1 .. cardinality(parts) LOOP
		part := activity_metrics.find_metric(parts[i]);
		PERFORM activity_metrics.check_same_zone(m, part);
		IF m.type IN ('cumulative', 'conversion') AND (part.type <> 'simple' OR part.agg = 'expr') THEN
			RAISE EXCEPTION 'metric "%" of metric "%" is not a plain aggregate of events', part.metric, m.metric USING ERRCODE = '22023',
				DETAIL = format('A %s metric goes over the events of its parts, one by one.', m.type),
				HINT = 'Name a metric of type simple whose agg is not expr.';
		END IF;
	END LOOP;
	IF m.type = 'simple' THEN
		RETURN activity_metrics.simple_cells_sql(m, grain, by_unit, segment);
	ELSIF m.type = 'cumulative' THEN
		RETURN activity_metrics.simple_cells_sql(part, grain, by_unit, segment, (m.window_days * 86400)::text);
	ELSIF m.type = 'conversion' THEN
		RETURN activity_metrics.conversion_cells_sql(m, grain, by_unit, segment);
	END IF;
	-- each part has columns v and n of its own; where one part has no rows at all, it is zero if it may be
	FOR i IN 1 .. cardinality(parts) LOOP
		part := activity_metrics.find_metric(parts[i]);
		own := '';
		FOR j IN 1 .. cardinality(parts) LOOP
			own := own || CASE WHEN i = j THEN format(', value AS v%1$s, n AS n%1$s', j) ELSE format(', NULL::pg_catalog.float8 AS v%1$s, NULL::pg_catalog.int8 AS n%1$s', j) END;
		END LOOP;
		cells := cells || CASE i WHEN 1 THEN '' ELSE ' UNION ALL ' END
			|| format('SELECT segment, unit, period%s FROM (%s) AS p%s', own, activity_metrics.metric_cells_sql(part, grain, by_unit, segment), i);
		sums := sums || format(CASE WHEN activity_metrics.is_zero_filled(part) THEN ', coalesce(pg_catalog.max(v%1$s), 0) AS v%1$s' ELSE ', pg_catalog.max(v%1$s) AS v%1$s' END
			|| ', coalesce(pg_catalog.max(n%1$s), 0) AS n%1$s', i);
		counts := counts || format('n%s', i);
	END LOOP;
	IF m.type = 'ratio' THEN
		value := 'activity_metrics.quotient(v2, v1)';
		n := 'n1';
	ELSE
		SELECT f.value, CASE WHEN f.additive THEN array_to_string(counts, ' OPERATOR(pg_catalog.+) ') ELSE format('least(%s)', array_to_string(counts, ', ')) END
			INTO value, n FROM activity_metrics.formula_sql(m) AS f;
	END IF;
	RETURN format('SELECT segment, unit, period, activity_metrics.finite(%s) AS value, %s AS n FROM (SELECT segment, unit, period%s FROM (%s) AS part GROUP BY segment, unit, period) AS joined',
		value, n, sums, cells);
END;
$$;
COMMENT ON FUNCTION activity_metrics.metric_cells_sql(activity_metrics.metric, text, boolean, text) IS
'Internal: a statement with segment ('''' for none), unit, period, value and n of a metric of any type, for periods with events; $1 since, $2 until.';

CREATE FUNCTION activity_metrics.metric_values_sql(m activity_metrics.metric, grain text, by_unit boolean, segment text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- also where there is no event to count
	PERFORM activity_metrics.period_no(now(), activity_metrics.check_grain(grain), m.tz);

	-- $1 since, $2 until; every unit has all periods from its first to its last
	RETURN format(
		'WITH cell AS (%1$s),
		whole AS (
			SELECT segment, unit, pg_catalog.min(period) AS first, pg_catalog.max(period) AS last FROM cell GROUP BY segment, unit)
		SELECT whole.unit, p.period, %2$s AS value, coalesce(cell.n, 0)::pg_catalog.int8 AS n, whole.segment
		FROM whole CROSS JOIN LATERAL pg_catalog.generate_series(whole.first, whole.last) AS p(period)
		LEFT JOIN cell ON cell.segment OPERATOR(pg_catalog.=) whole.segment AND cell.unit OPERATOR(pg_catalog.=) whole.unit AND cell.period OPERATOR(pg_catalog.=) p.period',
		activity_metrics.metric_cells_sql(m, grain, by_unit, segment), CASE WHEN activity_metrics.is_zero_filled(m) THEN 'coalesce(cell.value, 0)' ELSE 'cell.value' END);
END;
$$;
COMMENT ON FUNCTION activity_metrics.metric_values_sql(activity_metrics.metric, text, boolean, text) IS
'Internal: a statement with unit (''(all)'' for the whole), period, value, n and segment ('''' for none) of a metric of any type, in no order; $1 since, $2 until.';

CREATE FUNCTION activity_metrics.metric_values(
	INOUT metric text,
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	INOUT grain text DEFAULT NULL,
	by text DEFAULT NULL,
	OUT period bigint,
	OUT period_start date,
	OUT period_end date,
	OUT unit text,
	OUT value double precision,
	OUT n bigint,
	OUT is_complete boolean)
RETURNS SETOF record
-- compiling the statement takes longer than running it
LANGUAGE plpgsql STABLE ROWS 1000 COST 10000 SET jit = off AS $$
#variable_conflict use_column
DECLARE
	m activity_metrics.metric := activity_metrics.find_metric($1);
	wanted pg_catalog.text := coalesce($4, m.grain);
BEGIN
	PERFORM activity_metrics.check_range(since, until);
	IF $5 OPERATOR(pg_catalog.<>) 'unit' THEN
		RAISE EXCEPTION 'by is "%"', $5 USING ERRCODE = '22023',
			HINT = 'Write by => ''unit'' for a row per rep, or leave it out for the whole.';
	END IF;
	-- a period is complete if [since, until) holds all of it, it is over, and nothing can follow any more
	BEGIN
		RETURN QUERY EXECUTE pg_catalog.format(
			'SELECT %1$L::pg_catalog.text, %2$L::pg_catalog.text, v.period, activity_metrics.period_start(v.period, %2$L), activity_metrics.period_end(v.period, %2$L),
				v.unit, v.value, v.n,
				coalesce(v.period OPERATOR(pg_catalog.>) bound.before, true) AND v.period OPERATOR(pg_catalog.<) bound.running
			FROM (%4$s) AS v, (SELECT
				activity_metrics.period_no($1 OPERATOR(pg_catalog.-) ''1 microsecond''::pg_catalog.interval, %2$L::pg_catalog.text, %3$L::pg_catalog.text) AS before,
				activity_metrics.period_no(least($2, pg_catalog.now() OPERATOR(pg_catalog.-) pg_catalog.make_interval(secs => $3)), %2$L::pg_catalog.text, %3$L::pg_catalog.text) AS running) AS bound
			ORDER BY v.unit, v.period',
			m.metric, wanted, m.tz, activity_metrics.metric_values_sql(m, wanted, $5 IS NOT NULL))
		USING since, until, activity_metrics.settle_days(m) OPERATOR(pg_catalog.*) 86400;
	EXCEPTION
		WHEN insufficient_privilege THEN
			RAISE;
		-- a column that a filter or expr names is gone: of which metric?
		WHEN syntax_error_or_access_rule_violation THEN
			PERFORM activity_metrics.check_part_formulas(ARRAY[m.metric]);
			RAISE;
	END;
END;
$$;
COMMENT ON FUNCTION activity_metrics.metric_values(text, timestamptz, timestamptz, text, text) IS
'A metric of the dictionary per period, computed now: one row for the whole (unit ''(all)''), or by => ''unit'' one per unit (rep). Events in [since, until).
grain: hour, day, week, month, quarter or year, NULL: the metric''s. period: see period_no; period_start, period_end: its first day, and the first day after it (of an hour, its own day); n: events that the value rests on, of a ratio those below the line.
Periods go from the first to the last with any event of the relation in [since, until). In one without an event of the metric a count or sum is 0; an average, a ratio and an expression are NULL with n = 0. A conversion is dated at its base event, and events after until may still complete it. The whole counts events without an actor, units do not.
is_complete: false for a period that [since, until) cuts, that is not over, or that a conversion can still change.
Formulas run with the rights of the caller. Errors: no such metric (42704), unknown grain or by, metrics of different time zones (22023), a relation or column that is gone (42P01, 42703).';
