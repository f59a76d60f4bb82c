--
-- Reports of vanity and gaming over a panel, with what the dictionary knows.
--

CREATE FUNCTION activity_metrics.name_options(metric text, outcome text, grain text, relation regclass) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- not quote_literal: to an option a backslash is a plain character
	RETURN format('metric ''%s'', outcome ''%s'', unit ''rep'', grain ''%s''',
		replace(activity_metrics.metric_label(metric, relation), '''', ''''''),
		replace(activity_metrics.metric_label(outcome, relation), '''', ''''''),
		replace(activity_metrics.check_grain(grain), '''', ''''''));
END;
$$;
COMMENT ON FUNCTION activity_metrics.name_options(text, text, text, regclass) IS
'Internal: the options of vanity() and gaming() that say what sentences call things.';

CREATE FUNCTION activity_metrics.definition_change_option(metric text, grain text, tz text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN coalesce((SELECT format(', definition changed %s', activity_metrics.period_no(max(a.at), grain, tz)) FROM activity_metrics.annotation a
		WHERE a.kind = 'definition changed' AND a.unit IS NULL AND (a.metric IS NULL OR a.metric = definition_change_option.metric) AND a.at <= now()
		HAVING count(*) > 0), '');
END;
$$;
COMMENT ON FUNCTION activity_metrics.definition_change_option(text, text, text) IS
'Internal: the option of vanity() and gaming() for the newest annotation of kind definition changed on a metric; empty if there is none.';

CREATE FUNCTION activity_metrics.report_options(metric text, outcome text, grain text, relation regclass) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS $$
DECLARE
	m activity_metrics.metric;
	target activity_metrics.target;
	options text := activity_metrics.name_options(metric, outcome, grain, relation);
BEGIN
	IF relation IS NULL THEN
		m := activity_metrics.find_metric(metric);
		options := options || activity_metrics.definition_change_option(metric, grain, m.tz);
		target := activity_metrics.target_in_force(metric);
		-- a target of 40 a week says nothing about days or months; nobody fills up to one that is not above zero
		IF target.grain = grain AND target.value > 0 THEN
			options := options || format(', target %s from %s', target.value, activity_metrics.period_no(target.starts_at, grain, m.tz));
		END IF;
	END IF;
	RETURN options;
END;
$$;
COMMENT ON FUNCTION activity_metrics.report_options(text, text, text, regclass) IS
'Internal: the options of vanity() for a metric of the dictionary or a column: its names, when its definition changed, and its target if it has one of this grain.';

CREATE FUNCTION activity_metrics.lag_prior_sql(events regclass, grain text, entity text, at text, kind text, status text, tz text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	a text := activity_metrics.time_column(events, at, 'at', tz);
BEGIN
	PERFORM activity_metrics.period_no(now(), activity_metrics.check_grain(grain), tz);
	-- $1 since, $2 until, $3 spec; fewer than 10 say little of a spread
	RETURN format(
		'SELECT CASE WHEN pg_catalog.count(*) OPERATOR(pg_catalog.>=) 10 THEN pg_catalog.concat(greatest(pg_catalog.percentile_disc(0.1) WITHIN GROUP (ORDER BY lag), 1), ''..'',
			greatest(pg_catalog.percentile_disc(0.9) WITHIN GROUP (ORDER BY lag), 1)) END
		FROM (SELECT activity_metrics.period_no(t.times[pg_catalog.cardinality(t.times)], %5$L::pg_catalog.text, %6$L::pg_catalog.text)
				OPERATOR(pg_catalog.-) activity_metrics.period_no(t.times[1], %5$L::pg_catalog.text, %6$L::pg_catalog.text) AS lag
			FROM (SELECT activity_metrics.funnel_times(e.a, e.k, $3) AS times FROM (
				SELECT %1$s AS e, %2$s AS a, %3$s AS k FROM %4$s WHERE %7$s AND ($1 IS NULL OR %2$s OPERATOR(pg_catalog.>=) $1) AND ($2 IS NULL OR %2$s OPERATOR(pg_catalog.<) $2)) AS e
				WHERE e.e IS NOT NULL GROUP BY e.e) AS t
			WHERE t.times[1] IS NOT NULL AND t.times[pg_catalog.cardinality(t.times)] IS NOT NULL) AS l',
		activity_metrics.key_column(events, entity, 'entity'), a, activity_metrics.text_column(events, kind, 'kind'),
		activity_metrics.qualified_name(events), grain, tz, activity_metrics.done_condition(events, status));
END;
$$;
COMMENT ON FUNCTION activity_metrics.lag_prior_sql(regclass, text, text, text, text, text, text) IS
'Internal: the statement that lag_prior runs; $1 since, $2 until, $3 spec.';

CREATE FUNCTION activity_metrics.lag_prior(
	events regclass,
	spec text,
	grain text DEFAULT 'week',
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	entity text DEFAULT 'entity',
	at text DEFAULT 'at',
	kind text DEFAULT 'kind',
	status text DEFAULT NULL,
	tz text DEFAULT 'UTC')
RETURNS text
LANGUAGE plpgsql STABLE COST 100000 SET jit = off AS $$
DECLARE
	result pg_catalog.text;
BEGIN
	PERFORM activity_metrics.check_range(since, until), activity_metrics.funnel_rules(spec, 'gap', 'ignore', 'end');
	EXECUTE activity_metrics.lag_prior_sql(events, grain, entity, at, kind, status, tz) INTO result USING since, until, spec;
	RETURN result;
END;
$$;
COMMENT ON FUNCTION activity_metrics.lag_prior(regclass, text, text, timestamptz, timestamptz, text, text, text, text, text) IS
'How many periods the outcome comes after the activity, taken from a funnel: the 10 % and 90 % quantiles, at least 1, of the periods from the first to the last step over the entities that went all the way (their best attempt, as of funnel_times()), as a text such as ''2..6'' for lag_prior of vanity_report() and the option lag prior of vanity(). NULL where fewer than 10 did.
events, entity, at, kind, status, since, until, tz: as of funnel_report(); spec: a funnel, such as ''meeting -> won''; grain: the period of the report.
Errors: a faulty spec, an unknown grain, since after until (22023), no such column (42703), a column of the wrong type (42804), NULL for events, spec or grain (22004).';

CREATE FUNCTION activity_metrics.check_lag_prior(lag_prior text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF lag_prior !~ '^[[:space:]]*[0-9]{1,4}[[:space:]]*[.][.][[:space:]]*[0-9]{1,4}[[:space:]]*$' THEN
		RAISE EXCEPTION 'lag_prior "%" is not a range of lags', lag_prior USING ERRCODE = '22023',
			HINT = 'Write it as ''2..6'', or take it from a funnel: lag_prior => activity_metrics.lag_prior(''crm.activity'', ''meeting -> won'').';
	END IF;
	RETURN regexp_replace(lag_prior, '[[:space:]]', '', 'g');
END;
$$;
COMMENT ON FUNCTION activity_metrics.check_lag_prior(text) IS
'Internal: a range of lags such as 2..6, or NULL. Errors: another text (22023).';

CREATE FUNCTION activity_metrics.stop_spec(metric text, outcome text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	mx activity_metrics.metric := activity_metrics.find_metric(metric);
	my activity_metrics.metric := activity_metrics.find_metric(outcome);
BEGIN
	-- kinds that are steps of a funnel, of one relation that says which deal an event belongs to
	IF mx.event_kinds IS NULL OR my.event_kinds IS NULL OR mx.status_column IS DISTINCT FROM my.status_column
		OR (mx.source_relation, mx.time_column, mx.kind_column) <> (my.source_relation, my.time_column, my.kind_column)
		OR activity_metrics.step_kinds(mx.event_kinds, 'event_kinds') && activity_metrics.step_kinds(my.event_kinds, 'event_kinds')
		OR mx.filter_sql IS NOT NULL OR my.filter_sql IS NOT NULL
		OR activity_metrics.column_type(mx.source_relation::regclass, coalesce(mx.entity_column, 'entity')) IS NULL THEN
		RETURN NULL;
	END IF;
	RETURN format('(%1$s) -> (%2$s) -> (%1$s)', mx.event_kinds, my.event_kinds);
END;
$$;
COMMENT ON FUNCTION activity_metrics.stop_spec(text, text) IS
'Internal: the funnel from the events of a metric to those of an outcome and back, which tells whether activity stops after the outcome; NULL where the two are not of one relation with a column entity.';

CREATE FUNCTION activity_metrics.vanity_row_sql(metric text, outcome text, grain text, relation regclass, unit text, period text, tz text, lag_prior text DEFAULT NULL, panel text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS $$
DECLARE
	m activity_metrics.metric;
	options text := activity_metrics.report_options(metric, outcome, grain, relation)
		|| coalesce(', lag prior ' || activity_metrics.check_lag_prior(lag_prior), '');
	spec text;
	stops text := 'NULL::pg_catalog.text';
	other activity_metrics.metric;
	source regclass;
BEGIN
	IF relation IS NULL THEN
		m := activity_metrics.find_metric(metric);
		other := activity_metrics.find_metric(outcome);
		source := m.source_relation::regclass;
		spec := activity_metrics.stop_spec(metric, outcome);
		IF spec IS NOT NULL THEN
			-- as attempt_report has it: a twentieth of them may go on
			stops := format(
				'(SELECT CASE WHEN f.went_on OPERATOR(pg_catalog.*) 20 OPERATOR(pg_catalog.<=) f.ended AND f.ended OPERATOR(pg_catalog.>=) 20
					THEN pg_catalog.concat('' Activity stops after the outcome here ('', f.went_on, '' of '', f.ended, %L::pg_catalog.text) END
				FROM (SELECT pg_catalog.max(r.reached) FILTER (WHERE r.step_no OPERATOR(pg_catalog.=) 2) AS ended, pg_catalog.max(r.reached) FILTER (WHERE r.step_no OPERATOR(pg_catalog.=) 3) AS went_on
					FROM activity_metrics.funnel_report(%s::pg_catalog.oid::pg_catalog.regclass, %L, entity => %L, at => %L, kind => %L, status => %L, tz => %L) AS r) AS f)',
				format(' entities had more of it afterwards), so entities with fewer %s look better: whether one more helps is what attempt_report(%L, %L, %L) says.',
					m.label, m.source_relation, m.event_kinds, other.event_kinds),
				source::oid, spec, coalesce(m.entity_column, 'entity'), m.time_column, m.kind_column, m.status_column, m.tz);
		END IF;
	END IF;
	RETURN format(
		'(WITH p AS MATERIALIZED (%3$s)
		SELECT %1$L::pg_catalog.text AS metric, coalesce(
			activity_metrics.vanity(p.unit, p.period, p.x, p.y, p.quality, %2$L::pg_catalog.text),
			(SELECT activity_metrics.vanity(NULL::pg_catalog.text, NULL, NULL, NULL, NULL, %2$L::pg_catalog.text))) AS v,
			(SELECT (activity_metrics.pearson(s.x, s.y)).r FROM (SELECT activity_metrics.exact_sum(p.x) AS x, activity_metrics.exact_sum(p.y) AS y FROM p
				WHERE p.unit IS NOT NULL AND p.period IS NOT NULL AND p.x IS NOT NULL AND p.y IS NOT NULL GROUP BY p.unit, p.period) AS s) AS r_dashboard,
			%4$s AS stops FROM p)',
		metric, options, coalesce(panel, activity_metrics.panel_sql(metric, outcome, grain, relation, unit, period, tz)), stops);
END;
$$;
COMMENT ON FUNCTION activity_metrics.vanity_row_sql(text, text, text, regclass, text, text, text, text, text) IS
'Internal: the statement that scores one metric for vanity_report; $1 since, $2 until.';

CREATE FUNCTION activity_metrics.next_step(verdict text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE
		WHEN verdict OPERATOR(pg_catalog.=) 'leading_indicator' THEN 'Watch it every period and plan by it; before it becomes a target, check how it could be gamed.'
		WHEN verdict OPERATOR(pg_catalog.=) 'outcome' THEN 'This is a result: report it, and look for what leads it.'
		WHEN verdict OPERATOR(pg_catalog.=) 'diagnostic' THEN 'Use it to notice trouble; do not aim at it.'
		WHEN verdict OPERATOR(pg_catalog.=) 'vanity' THEN 'Leave it out of reviews and targets; aim at a metric that leads the outcome.'
		WHEN verdict OPERATOR(pg_catalog.=) 'gamed' THEN 'Take the target off it, or count only substantive ones; gaming_report() names the units.'
		WHEN verdict OPERATOR(pg_catalog.=) 'insufficient_evidence' THEN 'Decide nothing by it yet: collect more periods or units, or use a coarser grain.'
	END;
END;
COMMENT ON FUNCTION activity_metrics.next_step(text) IS
'What to do about a metric with a verdict of vanity(); NULL for a verdict that there is none of.';

CREATE FUNCTION activity_metrics.vanity_report_sql(outcome text, grain text, relation regclass, unit text, period text, metrics text[], tz text, lag_prior text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	target activity_metrics.metric;
	members activity_metrics.metric[];
	panel integer := 0;
	panels text := '';
	-- of each metric whose rows come from a panel that it shares
	sources jsonb := '{}';
	rows text;
BEGIN
	IF relation IS NULL THEN
		target := activity_metrics.find_metric(outcome);
		-- what event_panel() counts is read faster one by one
		FOR members IN SELECT g.members FROM activity_metrics.panel_groups(target, metrics) AS g WHERE NOT g.is_plain LOOP
			SELECT sources || jsonb_object_agg(members[i].metric, format('SELECT p.unit, p.period, p.columns[%1$s] AS x, p.columns[1] AS y, p.qualities[%1$s] AS quality FROM panel_%2$s AS p',
				i + 1, panel + 1)) INTO sources FROM generate_subscripts(members, 1) AS i;
			panel := panel + 1;
			panels := panels || CASE panel WHEN 1 THEN 'WITH ' ELSE ', ' END || format('panel_%s AS MATERIALIZED (SELECT s.* FROM (%s) AS s WHERE s.is_complete)',
				panel, activity_metrics.shared_panel_sql(target || members, grain, NULL));
		END LOOP;
	END IF;
	SELECT string_agg(activity_metrics.vanity_row_sql(t.name, outcome, grain, relation, unit, period, tz, lag_prior, sources ->> t.name), ' UNION ALL ' ORDER BY i)
		INTO rows FROM unnest(metrics) WITH ORDINALITY AS t(name, i);
	RETURN format(
		'%s SELECT r.metric, (r.v).*, pg_catalog.concat(CASE WHEN %L AND (r.v).verdict OPERATOR(pg_catalog.=) ''vanity''
			THEN ''Only days were searched: score it by week before you drop it.'' ELSE activity_metrics.next_step((r.v).verdict) END, r.stops), r.r_dashboard FROM (%s) AS r
		ORDER BY (r.v).verdict OPERATOR(pg_catalog.=) ''insufficient_evidence'', (r.v).score DESC, r.metric', panels, grain IN ('hour', 'day'), rows);
END;
$$;
COMMENT ON FUNCTION activity_metrics.vanity_report_sql(text, text, regclass, text, text, text[], text, text) IS
'Internal: the statement that vanity_report runs.';

CREATE FUNCTION activity_metrics.vanity_report(
	outcome text DEFAULT NULL,
	grain text DEFAULT 'week',
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	relation regclass DEFAULT NULL,
	unit text DEFAULT 'unit',
	period text DEFAULT 'period',
	metrics text[] DEFAULT NULL,
	tz text DEFAULT 'UTC',
	lag_prior text DEFAULT NULL)
RETURNS TABLE (
	metric text,
	score double precision,
	verdict text,
	confidence double precision,
	lag_from integer,
	lag_to integer,
	elasticity double precision,
	low double precision,
	high double precision,
	no_progress double precision,
	only_rises double precision,
	is_outcome double precision,
	p_gamed double precision,
	wrong_way double precision,
	follows double precision,
	same_week double precision,
	saturated double precision,
	empty_high double precision,
	quality_gain double precision,
	reliability double precision,
	size_share double precision,
	time_share double precision,
	within_share double precision,
	smallest_visible double precision,
	n bigint,
	units integer,
	periods integer,
	outcomes bigint,
	sentence text,
	next_step text,
	r_dashboard double precision)
LANGUAGE plpgsql STABLE ROWS 10 COST 100000 SET jit = off AS $$
#variable_conflict use_column
DECLARE
	known pg_catalog.text;
	wanted pg_catalog.text[];
BEGIN
	PERFORM activity_metrics.check_range(since, until);
	known := activity_metrics.report_outcome($1, $5);
	wanted := activity_metrics.report_metrics(known, $5, ARRAY[$6, $7], $8);
	IF $5 IS NULL THEN
		wanted := activity_metrics.common_metrics(known, wanted, $8 IS NOT NULL);
	END IF;
	BEGIN
		RETURN QUERY EXECUTE activity_metrics.vanity_report_sql(known, $2, $5, $6, $7, wanted, $9, lag_prior) USING since, until;
	EXCEPTION
		WHEN insufficient_privilege THEN
			RAISE;
		-- a column that a filter names is gone: of which metric?
		WHEN syntax_error_or_access_rule_violation THEN
			IF $5 IS NULL THEN
				PERFORM activity_metrics.check_part_formulas(known OPERATOR(pg_catalog.||) wanted);
			END IF;
			RAISE;
	END;
END;
$$;
COMMENT ON FUNCTION activity_metrics.vanity_report(text, text, timestamptz, timestamptz, regclass, text, text, text[], text, text) IS
'Which metrics count motion, which progress towards an outcome, which are gamed: one row per metric, worst first, undecided last, as of vanity().
outcome: a metric of the dictionary, or a column of relation (NULL: the North Star of the company, else the only North Star, else the only outcome metric); metrics: which ones to score (NULL: all active surface metrics of the dictionary that have the time zone of the outcome and a unit in common with it, or all numbers of relation); grain: the period; since, until: events in [since, until), whole periods only; relation: a table or view with one row per unit and period (columns unit and period, a number or a time); tz: the zone of times without one in relation. lag_prior: a range of lags such as ''2..6'', as lag_prior() makes it; only these can lead (NULL: 1 to 12). The target of each rep that is in force is tested for gaming from its date on. r_dashboard: Pearson''s r of metric and outcome over all rows, as a dashboard shows it. Where the events of a metric stop at the outcome, next_step says so and names attempt_report().
Errors: no such metric (42704), no such column (42703), nothing to score (55000), no outcome known, a lag_prior that is no range (22023), as of vanity().';

CREATE FUNCTION activity_metrics.vanity_chart(
	outcome text DEFAULT NULL,
	grain text DEFAULT 'week',
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	relation regclass DEFAULT NULL,
	unit text DEFAULT 'unit',
	period text DEFAULT 'period',
	metrics text[] DEFAULT NULL,
	tz text DEFAULT 'UTC',
	lag_prior text DEFAULT NULL,
	width integer DEFAULT 20,
	ascii boolean DEFAULT false)
RETURNS SETOF text
LANGUAGE plpgsql STABLE ROWS 10 COST 100000 SET jit = off AS $$
BEGIN
	IF width IS NULL OR NOT width OPERATOR(pg_catalog.>) 0 OR width OPERATOR(pg_catalog.>) 200 THEN
		RAISE EXCEPTION 'width is %', width USING ERRCODE = '22023', HINT = 'Give the columns of the longest bar, 1 to 200.';
	END IF;
	RETURN QUERY EXECUTE
		'SELECT pg_catalog.concat(pg_catalog.rpad(r.metric, r.widest), '' '', activity_metrics.bar(r.score, 1, $11, $12), '' '',
			pg_catalog.to_char(r.score::pg_catalog.numeric, ''FM0.00''), '' '', r.verdict)
		FROM (SELECT v.metric, v.score, v.verdict, pg_catalog.max(pg_catalog.length(v.metric)) OVER () AS widest, pg_catalog.row_number() OVER () AS i
			FROM activity_metrics.vanity_report($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) AS v) AS r
		ORDER BY r.i'
		USING $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12;
END;
$$;
COMMENT ON FUNCTION activity_metrics.vanity_chart(text, text, timestamptz, timestamptz, regclass, text, text, text[], text, text, integer, boolean) IS
'vanity_report() as a chart of text for psql, one line per metric: its name, a bar of the score (full: vanity), the score, the verdict. Arguments as of vanity_report(); width: columns of the longest bar; ascii => true draws with #. Errors: width outside 1 to 200 (22023), and those of vanity_report().';

CREATE FUNCTION activity_metrics.gaming_report(
	metric text,
	outcome text,
	grain text DEFAULT 'week',
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL)
RETURNS TABLE (
	unit text,
	suspicion double precision,
	share_at_target double precision,
	share_before double precision,
	p_gamed double precision,
	sentence text)
LANGUAGE plpgsql STABLE ROWS 30 COST 100000 SET jit = off AS $$
#variable_conflict use_column
DECLARE
	m activity_metrics.metric := activity_metrics.find_metric($1);
	target activity_metrics.target := activity_metrics.target_in_force($1);
	target_period bigint;
	options pg_catalog.text := activity_metrics.name_options($1, $2, $3, NULL);
BEGIN
	IF target.value IS NULL OR NOT target.value OPERATOR(pg_catalog.>) 0 THEN
		RAISE EXCEPTION 'metric "%" has no target to game', $1 USING ERRCODE = '55000',
			HINT = 'Write a target above zero for each rep, and since when it has held, with set_target(..., starts_at => ''2025-01-06'') or define_metric(..., target => 40, target_from => ''2025-01-06'').';
	END IF;
	target_period := activity_metrics.period_no(target.starts_at, activity_metrics.check_grain($3), m.tz);
	options := options OPERATOR(pg_catalog.||) activity_metrics.definition_change_option($1, $3, m.tz);
	IF $3 OPERATOR(pg_catalog.<>) target.grain THEN
		RAISE EXCEPTION 'the target of metric "%" is for each %, not for each %', $1, target.grain, $3 USING ERRCODE = '22023',
			HINT = pg_catalog.format('Write grain => %L.', target.grain);
	END IF;
	RETURN QUERY EXECUTE pg_catalog.format(
		'WITH panel AS (%s),
		whole AS (
			SELECT coalesce(activity_metrics.gaming(p.unit, p.period, p.x, p.y, $3, $4, p.quality, $5),
					(SELECT activity_metrics.gaming(NULL::pg_catalog.text, NULL, NULL, NULL, $3, $4, NULL, $5))) AS g,
				activity_metrics.gaming_units(p.unit, p.period, p.x, p.y, $3, $4, p.quality, $5) AS units
			FROM panel AS p),
		row AS (
			SELECT NULL::pg_catalog.text AS unit, NULL::pg_catalog.float8 AS suspicion, (g).share_at_target, (g).share_before, (g).p_gamed, (g).sentence FROM whole
			UNION ALL
			SELECT u.unit, u.suspicion, s.after, s.before, NULL, NULL
			FROM whole, LATERAL pg_catalog.unnest(whole.units) AS u,
			LATERAL (SELECT
				pg_catalog.avg(CASE WHEN p.x OPERATOR(pg_catalog.>=) $4 AND p.x OPERATOR(pg_catalog.<) $6 THEN 1.0::pg_catalog.float8 ELSE 0 END)
					FILTER (WHERE p.period OPERATOR(pg_catalog.>=) $3) AS after,
				pg_catalog.avg(CASE WHEN p.x OPERATOR(pg_catalog.>=) $4 AND p.x OPERATOR(pg_catalog.<) $6 THEN 1.0::pg_catalog.float8 ELSE 0 END)
					FILTER (WHERE p.period OPERATOR(pg_catalog.<) $3) AS before
				FROM panel AS p WHERE p.unit OPERATOR(pg_catalog.=) u.unit) AS s)
		SELECT * FROM row ORDER BY row.unit IS NOT NULL, row.suspicion DESC NULLS LAST, row.unit',
		activity_metrics.panel_sql($1, $2, $3, NULL, NULL, NULL, NULL))
	USING since, until, target_period, target.value, options,
		-- the width of "on the target": a tenth of it, at least 2
		target.value OPERATOR(pg_catalog.+) greatest(2, 0.1 OPERATOR(pg_catalog.*) target.value);
END;
$$;
COMMENT ON FUNCTION activity_metrics.gaming_report(text, text, text, timestamptz, timestamptz) IS
'Is a metric of the dictionary gamed since its target was set, and by whom: the first row (unit NULL) has the probability and the sentence, then one row per unit, most suspect first, with its share of periods on the target after and before. outcome: what the metric should bring.
The target is the one of (each) that is in force. Errors: no such metric (42704), a metric without a target (55000), a grain that is not the target''s (22023).';
