--
-- Which of many activities moves before an outcome: one row per metric, corrected for how many were looked at.
--

CREATE FUNCTION activity_metrics.report_outcome(outcome text, relation regclass) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	outcomes text[];
BEGIN
	IF outcome IS NOT NULL THEN
		RETURN outcome;
	ELSIF relation IS NOT NULL THEN
		RAISE EXCEPTION 'no outcome is given' USING ERRCODE = '22004',
			HINT = format('Name the column of %s that counts what activity should bring: outcome => ''...''.', relation);
	END IF;
	-- of the company first; of other scopes only if there is one
	SELECT array_agg(m.metric ORDER BY m.metric) INTO outcomes FROM activity_metrics.metric m WHERE m.is_north_star AND m.status = 'active' AND m.scope = 'company';
	IF outcomes IS NULL THEN
		SELECT array_agg(m.metric ORDER BY m.metric) INTO outcomes FROM activity_metrics.metric m WHERE m.is_north_star AND m.status = 'active';
	END IF;
	IF outcomes IS NULL THEN
		SELECT array_agg(m.metric ORDER BY m.metric) INTO outcomes FROM activity_metrics.metric m WHERE m.kind = 'outcome' AND m.status = 'active';
	END IF;
	IF cardinality(outcomes) = 1 THEN
		RETURN outcomes[1];
	END IF;
	RAISE EXCEPTION 'it is not known which outcome is meant' USING ERRCODE = '22023',
		DETAIL = CASE WHEN outcomes IS NULL THEN 'The dictionary has no outcome metric.' ELSE format('The dictionary has %s, and none is the North Star of the company.', array_to_string(outcomes, ', ')) END,
		HINT = CASE WHEN outcomes IS NULL THEN 'Define one: SELECT activity_metrics.define_metric(''wins'', ''crm.activity'', ''won'', kind => ''outcome'');'
			ELSE format('Name it: outcome => %L; or make it the North Star: SELECT activity_metrics.set_north_star(%L);', outcomes[1], outcomes[1]) END;
END;
$$;
COMMENT ON FUNCTION activity_metrics.report_outcome(text, regclass) IS
'Internal: the outcome of a report: the one given, else the North Star of the company, else the only North Star, else the only outcome metric of the dictionary. Errors: none or several (22023), a relation without one named (22004).';

CREATE FUNCTION activity_metrics.report_metrics(outcome text, relation regclass, other_columns text[], metrics text[]) RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	zone text;
BEGIN
	IF relation IS NULL THEN
		-- weeks of another time zone are other weeks
		zone := (activity_metrics.find_metric(outcome)).tz;
		metrics := coalesce(metrics, (SELECT array_agg(m.metric ORDER BY m.metric) FROM activity_metrics.metric m
			WHERE m.kind = 'surface' AND m.status = 'active' AND m.tz = zone AND m.metric <> outcome));
	ELSE
		PERFORM activity_metrics.number_column(relation, outcome, 'outcome');
		PERFORM activity_metrics.number_column(relation, name, 'metrics') FROM unnest(metrics) AS t(name);
		metrics := coalesce(metrics, (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a
			WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
			AND a.attname::text NOT IN (outcome, 'quality')
			AND a.attname::text = ANY (other_columns) IS NOT TRUE
			AND activity_metrics.column_type(relation, a.attname::text) IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'real'::regtype, 'double precision'::regtype, 'numeric'::regtype)));
	END IF;
	IF coalesce(cardinality(metrics), 0) = 0 THEN
		RAISE EXCEPTION 'there is no metric to score' USING ERRCODE = '55000',
			HINT = CASE WHEN relation IS NULL THEN 'Define one: SELECT activity_metrics.define_metric(''calls'', ''crm.activity'', ''call'');'
				ELSE format('%s has no further column with numbers; name them with metrics => ARRAY[...].', relation) END;
	END IF;
	RETURN metrics;
END;
$$;
COMMENT ON FUNCTION activity_metrics.report_metrics(text, regclass, text[], text[]) IS
'Internal: the metrics that a report goes through: those named, or all active surface metrics of the dictionary that have the time zone of the outcome, or all columns of a relation that are numbers and nothing else. Errors: no such metric or column (42704, 42703), nothing to score (55000).';

CREATE FUNCTION activity_metrics.common_metrics(outcome text, metrics text[], named boolean) RETURNS text[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
	members pg_catalog.text[];
	unlike pg_catalog.text[];
	refused pg_catalog.text[];
	first_unlike pg_catalog.text[];
	result pg_catalog.text[] := metrics;
BEGIN
	-- ids on one side and names on the other would look like reps who never do both
	FOR members IN SELECT pg_catalog.array_agg(m.metric ORDER BY m.metric) FROM pg_catalog.unnest(metrics) AS t(metric), activity_metrics.find_metric(t.metric) AS m, activity_metrics.metric_leaf(m) AS leaf
		GROUP BY leaf.source_relation, leaf.actor_column ORDER BY 1
	LOOP
		EXECUTE activity_metrics.metric_units_sql(members[1], outcome) INTO unlike;
		IF named THEN
			PERFORM activity_metrics.check_common_unit(members[1], outcome, unlike);
		ELSIF unlike IS NOT NULL THEN
			-- those of other people say nothing about this outcome, and are no reason to refuse the rest
			refused := refused OPERATOR(pg_catalog.||) members;
			first_unlike := coalesce(first_unlike, unlike);
		END IF;
	END LOOP;
	IF refused IS NOT NULL THEN
		result := ARRAY(SELECT t.metric FROM pg_catalog.unnest(metrics) WITH ORDINALITY AS t(metric, i) WHERE t.metric OPERATOR(pg_catalog.<>) ALL (refused) ORDER BY t.i);
		IF pg_catalog.cardinality(result) OPERATOR(pg_catalog.=) 0 THEN
			PERFORM activity_metrics.check_common_unit(refused[1], outcome, first_unlike);
		END IF;
	END IF;
	RETURN result;
END;
$$;
COMMENT ON FUNCTION activity_metrics.common_metrics(text, text[], boolean) IS
'Internal: those of some metrics that have a unit in common with an outcome; named: the caller asked for them, so that one without is an error. Errors: none of them has (22023).';

CREATE FUNCTION activity_metrics.relation_columns_sql(relation regclass, columns text[], unit text, period text, grain text, tz text, segment text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN format('SELECT * FROM (SELECT %s AS unit, %s AS period, ARRAY[%s] AS columns, %s AS segment FROM %s) AS p WHERE %s',
		activity_metrics.text_column(relation, unit, 'unit'), activity_metrics.period_column(relation, period, grain, tz),
		(SELECT string_agg(activity_metrics.number_column(relation, name, 'metrics'), ', ' ORDER BY i) FROM unnest(columns) WITH ORDINALITY AS t(name, i)),
		activity_metrics.segment_column(relation, segment),
		activity_metrics.qualified_name(relation), activity_metrics.period_range_sql(grain, tz));
END;
$$;
COMMENT ON FUNCTION activity_metrics.relation_columns_sql(regclass, text[], text, text, text, text, text) IS
'Internal: a statement that reads many columns of a panel from a relation with one row per unit and period; $1 since, $2 until.';

CREATE FUNCTION activity_metrics.leading_indicators_sql(
	outcome text, grain text, relation regclass, unit text, period text, metrics text[], tz text, segment text, shared boolean)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	target activity_metrics.metric;
	m activity_metrics.metric;
	name text;
	-- metrics that are counted in one pass with the outcome
	members activity_metrics.metric[];
	events text;
	panels text := '';
	panel integer := 0;
	source text;
	profiles text := '';
	done text[] := '{}';
	profile text := 'SELECT %L::pg_catalog.text AS metric, %L::pg_catalog.text AS label, %s AS segment,
			coalesce(activity_metrics.lead_lag(p.unit, p.period, %s, %s, $3, $4), (SELECT activity_metrics.lead_lag(NULL::pg_catalog.text, NULL, NULL, NULL, $3, $4))) AS rows
		FROM %s AS p%s';
	segment_value text := CASE WHEN segment IS NULL THEN 'NULL::pg_catalog.text' ELSE 'p.segment' END;
	by_segment text := CASE WHEN segment IS NULL THEN '' ELSE ' GROUP BY p.segment' END;
BEGIN
	-- $1 since, $2 until, $3 max_lag, $4 options
	PERFORM activity_metrics.check_grain(grain);
	IF relation IS NOT NULL THEN
		panels := format('panel_1 AS MATERIALIZED (%s)',
			activity_metrics.relation_columns_sql(relation, outcome || metrics, unit, period, grain, tz, segment));
		SELECT string_agg(format(profile, t.name, t.name, segment_value, format('p.columns[%s]', t.i + 1), 'p.columns[1]', 'panel_1', by_segment), ' UNION ALL ' ORDER BY t.i)
			INTO profiles FROM unnest(metrics) WITH ORDINALITY AS t(name, i);
	ELSE
		target := activity_metrics.find_metric(outcome);
		PERFORM activity_metrics.period_no(now(), grain, target.tz);
		FOREACH name IN ARRAY metrics LOOP
			m := activity_metrics.find_metric(name);
			PERFORM activity_metrics.check_same_zone(m, target);
		END LOOP;
		-- a unit is there from its first event to its last in the relations of the two metrics
		FOR members IN SELECT g.members FROM activity_metrics.panel_groups(target, metrics) AS g WHERE shared LOOP
			events := activity_metrics.event_panel_sql(target || members, grain, segment, false);
			panel := panel + 1;
			panels := panels || CASE panel WHEN 1 THEN '' ELSE ', ' END || format('panel_%s AS MATERIALIZED (SELECT r.unit, r.period, r.columns, ', panel) || CASE WHEN events IS NOT NULL
				THEN format('e.segment FROM (%s) AS e, LATERAL activity_metrics.event_panel_rows(e.panel) AS r WHERE r.is_complete)', events)
				ELSE format('r.segment FROM (%s) AS r WHERE r.is_complete)', activity_metrics.shared_panel_sql(target || members, grain, segment)) END;
			FOR i IN 1 .. cardinality(members) LOOP
				m := members[i];
				done := done || m.metric;
				profiles := profiles || CASE profiles WHEN '' THEN '' ELSE ' UNION ALL ' END || format(profile, m.metric, m.label, segment_value,
					format('p.columns[%s]', i + 1), 'p.columns[1]', format('panel_%s', panel), by_segment);
			END LOOP;
		END LOOP;
		FOREACH name IN ARRAY metrics LOOP
			CONTINUE WHEN name = ANY (done);
			m := activity_metrics.find_metric(name);
			profiles := profiles || CASE profiles WHEN '' THEN '' ELSE ' UNION ALL ' END || format(profile, m.metric, m.label, segment_value, 'p.x', 'p.y',
				format('(%s)', activity_metrics.panel_sql(name, outcome, grain, NULL, NULL, NULL, NULL, segment)), by_segment);
		END LOOP;
	END IF;

	-- q: the smallest adjusted p of each metric, corrected for the number of metrics (Benjamini and Hochberg 1995)
	RETURN format('WITH %1$s%2$sprofile AS (%3$s),
		judged AS (
			SELECT profile.metric, profile.segment, v.*, row.units, p.smallest AS p
			FROM profile, LATERAL activity_metrics.lead_lag_verdict(profile.rows, profile.label, %4$L::pg_catalog.text, %5$L::pg_catalog.text) AS v,
				LATERAL (SELECT pg_catalog.min(greatest(u.p_holm, u.p_strict)) AS smallest FROM pg_catalog.unnest(profile.rows) AS u) AS p,
				LATERAL (SELECT u.units FROM pg_catalog.unnest(profile.rows) AS u WHERE u.lag OPERATOR(pg_catalog.=) coalesce(v.lag, 0)) AS row),
		corrected AS (
			SELECT numbered.*, all_of_them.q[numbered.i] AS q, all_of_them.tests
			FROM (SELECT judged.*, (pg_catalog.row_number() OVER (ORDER BY metric, segment))::pg_catalog.int4 AS i FROM judged) AS numbered,
				(SELECT activity_metrics.p_adjust(pg_catalog.array_agg(p ORDER BY metric, segment), ''BH'') AS q, pg_catalog.count(p) AS tests FROM judged) AS all_of_them),
		decided AS (
			SELECT corrected.*, coalesce(corrected.q OPERATOR(pg_catalog.>) 0.05 AND corrected.verdict OPERATOR(pg_catalog.=) ANY (ARRAY[''leading'', ''coincident'', ''lagging'']::pg_catalog.text[]), false) AS is_chance
			FROM corrected)
		SELECT d.metric, w.verdict, d.lag, d.r, d.low, d.high, d.p_holm, d.q, d.sign_share, d.forecast_gain, d.n, d.units,
			d.sentence OPERATOR(pg_catalog.||) CASE WHEN d.is_chance THEN pg_catalog.format('' But one of %%s that were looked at comes out like this by chance too often (q = %%s): no evidence.'', d.tests, pg_catalog.round(d.q::pg_catalog.numeric, 2)) ELSE '''' END,
			d.segment, d.p_strict
		FROM decided AS d, LATERAL (SELECT CASE WHEN d.is_chance THEN ''no_evidence'' ELSE d.verdict END AS verdict) AS w
		ORDER BY coalesce(pg_catalog.array_position(ARRAY[''leading'', ''coincident'', ''lagging'', ''no_evidence'']::pg_catalog.text[], w.verdict), 5),
			CASE WHEN w.verdict OPERATOR(pg_catalog.=) ''leading'' THEN d.forecast_gain END DESC NULLS LAST,
			pg_catalog.abs(d.r) DESC NULLS LAST, d.metric, d.segment',
		panels, CASE panels WHEN '' THEN '' ELSE ', ' END, profiles, activity_metrics.metric_label(outcome, relation), grain);
END;
$$;
COMMENT ON FUNCTION activity_metrics.leading_indicators_sql(text, text, regclass, text, text, text[], text, text, boolean) IS
'Internal: the statement that leading_indicators runs; shared: metrics of one relation are counted in one pass.';

CREATE FUNCTION activity_metrics.leading_indicators(
	outcome text DEFAULT NULL,
	grain text DEFAULT 'week',
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	max_lag integer DEFAULT NULL,
	relation regclass DEFAULT NULL,
	unit text DEFAULT 'unit',
	period text DEFAULT 'period',
	metrics text[] DEFAULT NULL,
	options text DEFAULT NULL,
	tz text DEFAULT 'UTC',
	OUT metric text,
	OUT verdict text,
	OUT lag integer,
	OUT r double precision,
	OUT low double precision,
	OUT high double precision,
	OUT p_holm double precision,
	OUT q double precision,
	OUT sign_share double precision,
	OUT forecast_gain double precision,
	OUT n bigint,
	OUT units integer,
	OUT sentence text,
	INOUT segment text DEFAULT NULL,
	OUT p_strict double precision)
RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 10 COST 100000 SET jit = off AS $$
#variable_conflict use_column
DECLARE
	known pg_catalog.text := activity_metrics.report_outcome($1, $6);
	wanted pg_catalog.text[] := activity_metrics.report_metrics(known, $6, ARRAY[$7, $8, leading_indicators.segment], $9);
BEGIN
	PERFORM activity_metrics.check_range(since, until);
	IF $6 IS NULL THEN
		wanted := activity_metrics.common_metrics(known, wanted, $9 IS NOT NULL);
	END IF;
	BEGIN
		RETURN QUERY EXECUTE activity_metrics.leading_indicators_sql(known, $2, $6, $7, $8, wanted, $11, leading_indicators.segment, true) USING since, until, max_lag, options;
	EXCEPTION
		-- all metrics at once do not fit into memory: one after the other
		WHEN program_limit_exceeded THEN
			RETURN QUERY EXECUTE activity_metrics.leading_indicators_sql(known, $2, $6, $7, $8, wanted, $11, leading_indicators.segment, false) USING since, until, max_lag, options;
		WHEN insufficient_privilege THEN
			RAISE;
		-- a column that a filter names is gone: of which metric?
		WHEN syntax_error_or_access_rule_violation THEN
			IF $6 IS NULL THEN
				PERFORM activity_metrics.check_part_formulas(known OPERATOR(pg_catalog.||) wanted);
			END IF;
			RAISE;
	END;
END;
$$;
COMMENT ON FUNCTION activity_metrics.leading_indicators(text, text, timestamptz, timestamptz, integer, regclass, text, text, text[], text, text, text) IS
'Which activities move before an outcome: one row per metric, most useful first: leading (by forecast_gain, then |r|), coincident, lagging, no_evidence, insufficient_evidence. Columns as of lead_lag_verdict() at the lag that decided.
q: p_holm corrected for the number of metrics (Benjamini and Hochberg 1995); a verdict with q above 0.05 becomes no_evidence, and the sentence says so.
outcome: a metric of the dictionary, or a column of relation (NULL: the North Star of the company, else the only North Star, else the only outcome metric); metrics: which ones to look at (NULL: all active surface metrics of the dictionary that have the time zone of the outcome and a unit in common with it, or all numbers of relation); segment: a column, one row for each metric and each of its values; other arguments as of lead_lag_report().
Errors: no such metric (42704), no such column (42703), no outcome known (22023), nothing to look at (55000), as of lead_lag().';

CREATE FUNCTION activity_metrics.lag_chart(profile activity_metrics.lead_lag_row[], width integer DEFAULT 20, ascii boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE ROWS 25 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF width IS NULL OR width NOT BETWEEN 1 AND 200 THEN
		RAISE EXCEPTION 'width is %', width USING ERRCODE = '22023', HINT = 'Give the columns of a bar to each side, 1 to 200.';
	END IF;
	-- the largest |r| fills its side, but what is next to nothing stays small
	RETURN QUERY SELECT rtrim(concat(
			lpad(CASE WHEN row.lag > 0 THEN '+' ELSE '' END || row.lag, 5), ' ',
			coalesce(to_char(round(row.r::numeric, 2), 'S0.00'), '     '), ' ',
			lpad(CASE WHEN ascii THEN repeat('#', round(halves.left / 2.0)::integer)
				ELSE concat(CASE WHEN halves.left % 2 = 1 THEN '▐' END, repeat('█', halves.left / 2)) END, width),
			CASE WHEN ascii THEN '|' ELSE '│' END,
			coalesce(activity_metrics.bar(greatest(row.r, 0), scale.largest, width, ascii), repeat(' ', width)), ' ',
			CASE WHEN greatest(row.p_holm, row.p_strict) <= 0.001 THEN '***' WHEN greatest(row.p_holm, row.p_strict) <= 0.01 THEN '**' WHEN greatest(row.p_holm, row.p_strict) <= 0.05 THEN '*' END,
			CASE WHEN v.lag = row.lag AND v.verdict IN ('leading', 'coincident', 'lagging') THEN ' ' || v.verdict END))
		FROM unnest(profile) WITH ORDINALITY AS row(lag, n, units, r, low, high, p, p_holm, r_pooled, r_between, r_within, sign_share, forecast_gain, p_strict, method, i),
			(SELECT greatest(max(abs(u.r)), 0.1) AS largest FROM unnest(profile) AS u) AS scale,
			activity_metrics.lead_lag_verdict(profile) AS v,
			LATERAL (SELECT coalesce(round(greatest(-row.r, 0) / scale.largest * width * 2), 0)::integer AS left) AS halves
		ORDER BY row.i;
END;
$$;
COMMENT ON FUNCTION activity_metrics.lag_chart(activity_metrics.lead_lag_row[], integer, boolean) IS
'A profile of lead_lag() as a chart of text for psql, one line per lag: lag, r, a bar to the left for r below 0 and to the right above, stars for the adjusted p (* 0.05, ** 0.01, *** 0.001), and the verdict on the lag that decided. width: columns of the longest bar; ascii => true draws with #. Errors: width outside 1 to 200 (22023).';

CREATE FUNCTION activity_metrics.lag_chart(
	x text,
	y text,
	grain text DEFAULT 'week',
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	max_lag integer DEFAULT NULL,
	relation regclass DEFAULT NULL,
	unit text DEFAULT 'unit',
	period text DEFAULT 'period',
	options text DEFAULT NULL,
	tz text DEFAULT 'UTC',
	width integer DEFAULT 20,
	ascii boolean DEFAULT false)
RETURNS SETOF text
LANGUAGE plpgsql STABLE ROWS 25 COST 10000 SET jit = off AS $$
BEGIN
	PERFORM activity_metrics.check_range(since, until);
	RETURN QUERY EXECUTE pg_catalog.format(
		'SELECT c.line FROM (SELECT coalesce(activity_metrics.lead_lag(p.unit, p.period, p.x, p.y, $3, $4),
				(SELECT activity_metrics.lead_lag(NULL::pg_catalog.text, NULL, NULL, NULL, $3, $4))) AS rows FROM (%s) AS p) AS profile,
			LATERAL activity_metrics.lag_chart(profile.rows, $5, $6) AS c(line)',
		activity_metrics.panel_sql(x, y, grain, relation, unit, period, tz))
	USING since, until, max_lag, options, width, ascii;
END;
$$;
COMMENT ON FUNCTION activity_metrics.lag_chart(text, text, text, timestamptz, timestamptz, integer, regclass, text, text, text, text, integer, boolean) IS
'The profile of lead_lag_report() as a chart of text for psql, one line per lag; arguments as of lead_lag_report(), width and ascii as of lag_chart(profile).';
