--
-- The scorecard: one row per active metric, outcome first, with a status and its reason in words.
--
-- scorecard_value() reads what is known of one metric, as its reader may see it: kept values where they reach up
-- to the last complete period, otherwise computed now. scorecard_judge() makes rows of it, without reading events.
--

CREATE TYPE activity_metrics.scorecard_value AS (
	metric text,
	grain text,
	x double precision[],
	y double precision[],
	n bigint,
	first_period bigint,
	last_period bigint,
	previous double precision,
	units bigint,
	seen_at timestamptz,
	failure text
);
COMMENT ON TYPE activity_metrics.scorecard_value IS
'Internal: what the scorecard knows of a metric: numbers and values of its complete periods without those that are not defined, events and number of the last of all, the value of the one before it, units in the last one, the newest event or the last refresh, and what went wrong.';

CREATE FUNCTION activity_metrics.scorecard_value_sql(metric text, grain text, as_of timestamptz) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
	m activity_metrics.metric := activity_metrics.find_metric(metric);
	wanted text := coalesce(grain, m.grain);
	running bigint := activity_metrics.period_no(as_of, activity_metrics.check_grain(wanted), m.tz);
	-- a conversion is complete once its window is over
	settled bigint := activity_metrics.period_no(as_of - make_interval(secs => activity_metrics.settle_days(m) * 86400), wanted, m.tz);
	since timestamptz := timezone(m.tz, activity_metrics.period_start(running - 27, wanted)::timestamp);
	t activity_metrics.target := activity_metrics.target_in_force(metric, as_of);
	is_kept boolean;
	needs_units boolean := t.value IS NOT NULL AND t.grain = wanted AND m.additive;
	events text;
BEGIN
	-- what refresh() kept counts if it knows the last complete period; without the right to read it there is nothing kept
	is_kept := has_table_privilege('activity_metrics.metric_value', 'SELECT');
	IF is_kept THEN
		is_kept := EXISTS (SELECT FROM activity_metrics.metric_value v WHERE v.metric = m.metric AND v.grain = wanted AND v.unit = '(all)'
			AND v.period = settled - 1 AND v.is_complete);
	END IF;
	IF is_kept THEN
		events := format('SELECT v.unit, v.period, v.value, v.n, v.refreshed_at FROM activity_metrics.metric_value AS v
			WHERE v.metric OPERATOR(pg_catalog.=) %L AND v.grain OPERATOR(pg_catalog.=) %L AND v.is_complete
			AND v.period OPERATOR(pg_catalog.>=) %s::pg_catalog.int8 AND v.period OPERATOR(pg_catalog.<) %s::pg_catalog.int8%s',
			m.metric, wanted, running - 27, running, CASE WHEN needs_units THEN '' ELSE ' AND v.unit OPERATOR(pg_catalog.=) ''(all)''' END);
	ELSE
		events := format('SELECT v.unit, v.period, v.value, v.n, NULL::pg_catalog.timestamptz AS refreshed_at FROM activity_metrics.metric_values(%1$L, %2$L, %3$L, %4$L) AS v WHERE v.is_complete',
			m.metric, since, as_of, wanted)
			|| CASE WHEN needs_units THEN format(' UNION ALL SELECT v.unit, v.period, v.value, v.n, NULL FROM activity_metrics.metric_values(%1$L, %2$L, %3$L, %4$L, ''unit'') AS v WHERE v.is_complete',
				m.metric, since, as_of, wanted) ELSE '' END;
	END IF;
	-- what is beyond 1e290 is as good as infinite, and would overflow in a sum
	RETURN format(
		'WITH v AS MATERIALIZED (%1$s),
		whole AS (SELECT v.* FROM v WHERE v.unit OPERATOR(pg_catalog.=) ''(all)''),
		bound AS (SELECT pg_catalog.min(period) AS first_period, pg_catalog.max(period) AS last_period, pg_catalog.max(refreshed_at) AS refreshed_at FROM whole)
		SELECT %2$L::pg_catalog.text, %3$L::pg_catalog.text, s.x, s.y,
			(SELECT w.n FROM whole AS w WHERE w.period OPERATOR(pg_catalog.=) b.last_period), b.first_period, b.last_period,
			(SELECT w.value FROM whole AS w WHERE w.period OPERATOR(pg_catalog.=) (b.last_period OPERATOR(pg_catalog.-) 1) AND pg_catalog.abs(w.value) OPERATOR(pg_catalog.<=) 1e290),
			(SELECT pg_catalog.count(*) FROM v WHERE v.unit OPERATOR(pg_catalog.<>) ''(all)'' AND v.period OPERATOR(pg_catalog.=) b.last_period),
			b.refreshed_at, NULL::pg_catalog.text
		FROM bound AS b, (SELECT pg_catalog.array_agg(w.period::pg_catalog.float8 ORDER BY w.period) AS x, pg_catalog.array_agg(w.value ORDER BY w.period) AS y
			FROM whole AS w WHERE pg_catalog.abs(w.value) OPERATOR(pg_catalog.<=) 1e290) AS s',
		events, m.metric, wanted);
END;
$$;
COMMENT ON FUNCTION activity_metrics.scorecard_value_sql(text, text, timestamptz) IS
'Internal: the statement that gives the scorecard_value of a metric.';

CREATE FUNCTION activity_metrics.newest_event_sql(metric text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	leaf activity_metrics.metric := activity_metrics.metric_leaf(activity_metrics.find_metric(metric));
BEGIN
	RETURN format('SELECT pg_catalog.max(%1$s) FROM %2$s WHERE %1$s OPERATOR(pg_catalog.<) $1',
		activity_metrics.time_column(leaf.source_relation::regclass, leaf.time_column, 'at', leaf.tz), activity_metrics.qualified_name(leaf.source_relation::regclass));
END;
$$;
COMMENT ON FUNCTION activity_metrics.newest_event_sql(text) IS
'Internal: the statement that gives the time of the newest event of a metric''s relation before $1.';

CREATE FUNCTION activity_metrics.period_trend(x double precision[], y double precision[], periods integer,
	OUT slope double precision, OUT low double precision, OUT high double precision, OUT n bigint)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first_place integer := 1;
BEGIN
	n := coalesce(cardinality(x), 0);
	WHILE first_place <= n AND x[first_place] <= x[n] - periods LOOP
		first_place := first_place + 1;
	END LOOP;
	n := n - first_place + 1;
	IF n < 4 THEN
		RETURN;
	END IF;
	SELECT d.coefficient, d.low, d.high INTO slope, low, high
		FROM activity_metrics.distributed_lag((SELECT array_agg(u.v - x[first_place] ORDER BY u.i) FROM unnest(x[first_place:]) WITH ORDINALITY AS u(v, i)), y[first_place:], 0) AS d;
EXCEPTION
	WHEN numeric_value_out_of_range THEN
		slope := NULL;
END;
$$;
COMMENT ON FUNCTION activity_metrics.period_trend(double precision[], double precision[], integer) IS
'Internal: slope per period of the last periods of a series by least squares, with its 95 % interval and the number of values; NULL below four values.';

CREATE FUNCTION activity_metrics.is_worse(direction text, change double precision) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN direction OPERATOR(pg_catalog.=) 'up' THEN change OPERATOR(pg_catalog.<) 0 WHEN direction OPERATOR(pg_catalog.=) 'down' THEN change OPERATOR(pg_catalog.>) 0 ELSE false END;
COMMENT ON FUNCTION activity_metrics.is_worse(text, double precision) IS
'Internal: is a change of a metric of this direction one for the worse? Of a band, never.';

CREATE FUNCTION activity_metrics.number_text(x double precision) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN pg_catalog.abs(x) OPERATOR(pg_catalog.>=) 1e15 THEN x::pg_catalog.text
	-- three digits, and all of those before the point
	WHEN x OPERATOR(pg_catalog.=) 0 THEN '0'
	ELSE pg_catalog.trim_scale(pg_catalog.round(x::pg_catalog.numeric, greatest(0, 2 OPERATOR(pg_catalog.-) pg_catalog.floor(pg_catalog.log(pg_catalog.abs(x)))::pg_catalog.int4)))::pg_catalog.text END;
COMMENT ON FUNCTION activity_metrics.number_text(double precision) IS
'Internal: a number for a sentence, with three digits or all before the point.';

CREATE FUNCTION activity_metrics.scorecard_judge(known activity_metrics.scorecard_value[], as_of timestamptz)
RETURNS TABLE (
	grain text,
	scope text,
	place integer,
	metric text,
	label text,
	role text,
	outcome text,
	kind text,
	timing text,
	unit text,
	period_start date,
	period_end date,
	value double precision,
	previous double precision,
	change double precision,
	change_share double precision,
	status text,
	reason text,
	target double precision,
	target_for text,
	target_due date,
	target_met boolean,
	pace double precision,
	guardrail text,
	guardrail_falls boolean,
	trend text,
	trend_8 double precision,
	trend_8_low double precision,
	trend_8_high double precision,
	trend_8_n bigint,
	trend_26 double precision,
	trend_26_low double precision,
	trend_26_high double precision,
	trend_26_n bigint,
	n bigint,
	verdict text,
	assessed_at timestamptz,
	staleness_hours double precision,
	sparkline text,
	annotations text,
	owner text,
	next_step text)
LANGUAGE plpgsql STABLE ROWS 30 SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	WITH base AS (
		SELECT m.*, f.grain AS seen_grain, f.x, f.y, f.n AS seen_n, f.first_period, f.last_period, f.previous AS seen_previous, f.units, f.failure,
			CASE WHEN f.x[cardinality(f.x)] = f.last_period THEN f.y[cardinality(f.y)] END AS now_value,
			activity_metrics.period_start(f.last_period, f.grain) AS starts,
			activity_metrics.period_end(f.last_period, f.grain) AS ends,
			activity_metrics.period_no(as_of - make_interval(secs => activity_metrics.settle_days(m) * 86400), f.grain, m.tz) - f.last_period AS behind,
			extract(epoch FROM as_of - f.seen_at)::double precision / 3600 AS stale_hours,
			a.verdict AS a_verdict, a.assessed_at AS a_at, a.timing AS a_timing, coalesce(m.outcome_metric, a.outcome) AS leads_to,
			t.value AS t_value, t.unit AS t_unit, t.grain AS t_grain, t.due AS t_due, t.starts_at AS t_starts, t.baseline AS t_baseline,
			t8.slope AS s8, t8.low AS s8_low, t8.high AS s8_high, t8.n AS s8_n,
			t26.slope AS s26, t26.low AS s26_low, t26.high AS s26_high, t26.n AS s26_n
		FROM unnest(known) AS f JOIN activity_metrics.metric m ON m.metric = f.metric
		LEFT JOIN LATERAL (SELECT b.* FROM activity_metrics.metric_assessment b WHERE b.metric = m.metric AND b.assessed_at <= as_of
			ORDER BY b.assessed_at DESC, b.outcome = m.outcome_metric DESC NULLS LAST, b.outcome LIMIT 1) AS a ON true
		-- of the whole before that of every rep; those of single reps are not the scorecard's
		LEFT JOIN LATERAL (SELECT b.* FROM activity_metrics.target b WHERE b.metric = m.metric AND abs(b.value) <= 1e290 AND coalesce(abs(b.baseline) <= 1e290, true) AND b.unit IN ('(all)', '(each)') AND b.starts_at <= as_of AND (b.ended_at IS NULL OR b.ended_at > as_of)
			ORDER BY b.unit, b.starts_at DESC LIMIT 1) AS t ON true
		CROSS JOIN LATERAL activity_metrics.period_trend(f.x, f.y, 8) AS t8
		CROSS JOIN LATERAL activity_metrics.period_trend(f.x, f.y, 26) AS t26),
	placed AS (
		SELECT b.*, h.*,
			CASE WHEN b.is_north_star THEN 'north_star'
				WHEN b.kind = 'surface' AND b.a_verdict = 'leading_indicator' THEN 'driver'
				WHEN EXISTS (SELECT FROM base g WHERE g.paired_with = b.metric) THEN 'guardrail'
				WHEN b.kind = 'outcome' THEN 'outcome'
				ELSE 'diagnostic' END AS is_role,
			-- the target in terms of the value: of every rep times the reps
			CASE WHEN b.t_grain <> b.seen_grain THEN NULL WHEN b.t_unit = '(each)' AND b.additive THEN b.t_value * nullif(b.units, 0) ELSE b.t_value END AS goal_value,
			CASE WHEN b.t_unit = '(each)' AND b.additive THEN b.t_baseline * nullif(b.units, 0) ELSE b.t_baseline END AS goal_from,
			coalesce(activity_metrics.is_worse(b.direction, b.s8_low) AND activity_metrics.is_worse(b.direction, b.s8_high), false)
				OR coalesce(activity_metrics.is_worse(b.direction, b.s26_low) AND activity_metrics.is_worse(b.direction, b.s26_high), false) AS worsens,
			-- the slope that tells so
			CASE WHEN activity_metrics.is_worse(b.direction, b.s8_low) AND activity_metrics.is_worse(b.direction, b.s8_high) THEN b.s8 ELSE b.s26 END AS worse_slope,
			coalesce(activity_metrics.is_worse(b.direction, -b.s8_low) AND activity_metrics.is_worse(b.direction, -b.s8_high), false) AS improves
		-- bounds of a week's amount say nothing about a month's; those of a share or an average do
		FROM base b LEFT JOIN LATERAL (SELECT b.warn_low AS is_warn_low, b.warn_high AS is_warn_high, b.crit_low AS is_crit_low, b.crit_high AS is_crit_high, b.min_rows AS is_min_rows
			WHERE b.seen_grain = b.grain OR b.type IN ('ratio', 'conversion') OR b.agg IN ('avg', 'median', 'p90', 'p95', 'p99')) AS h ON true),
	paced AS (
		SELECT p.*,
			CASE p.direction WHEN 'down' THEN p.now_value <= p.goal_value WHEN 'band' THEN p.now_value BETWEEN p.is_warn_low AND p.is_warn_high ELSE p.now_value >= p.goal_value END AS met,
			-- a straight line from the baseline to the target, read at the end of the period
			CASE WHEN p.t_due > timezone(p.tz, p.t_starts)::date
				THEN p.goal_from + (p.goal_value - p.goal_from) * least(1, greatest(0, (p.ends - timezone(p.tz, p.t_starts)::date)::double precision / (p.t_due - timezone(p.tz, p.t_starts)::date))) END AS on_pace
		FROM placed p),
	guarded AS (
		SELECT p.*, g.worsens AS guard_falls, g.label AS guard_label, g.worse_slope AS guard_slope, coalesce(p.on_pace, p.goal_value) AS due_now
		FROM paced p LEFT JOIN placed g ON g.metric = p.paired_with),
	judged AS (
		SELECT g.*, s.status AS is_status, s.reason AS because
		FROM guarded g CROSS JOIN LATERAL (
			SELECT c.status, c.reason FROM (VALUES
				(1, g.failure IS NOT NULL, 'grey', format('not computed: %s', g.failure)),
				(2, g.last_period IS NULL, 'grey', CASE WHEN g.stale_hours > 0 THEN format('no event in the last 27 %ss, the newest is of %s', g.seen_grain, (as_of - make_interval(secs => g.stale_hours * 3600))::date) ELSE 'no complete period yet' END),
				(3, g.behind > 2, 'grey', format('nothing newer than the %s of %s', g.seen_grain, g.starts)),
				(4, g.stale_hours > g.max_staleness_hours, 'grey', format('stale: the newest event or refresh is %s hours old, %s are allowed', round(g.stale_hours::numeric), g.max_staleness_hours)),
				(5, g.now_value IS NULL, 'grey', format('not defined in the %s of %s', g.seen_grain, g.starts)),
				(6, g.seen_n < g.is_min_rows, 'grey', format('%s events, %s are needed', g.seen_n, g.is_min_rows)),
				(7, g.now_value < g.is_crit_low, 'red', format('%s is below %s', activity_metrics.number_text(g.now_value), g.is_crit_low)),
				(8, g.now_value > g.is_crit_high, 'red', format('%s is above %s', activity_metrics.number_text(g.now_value), g.is_crit_high)),
				(9, g.met AND g.guard_falls, 'amber', format('target of %s met, but its guardrail %s is getting worse (%s a %s)', activity_metrics.number_text(g.goal_value), g.guard_label, activity_metrics.number_text(g.guard_slope), g.seen_grain)),
				(10, g.now_value < g.is_warn_low, 'amber', format('%s is below %s', activity_metrics.number_text(g.now_value), g.is_warn_low)),
				(11, g.now_value > g.is_warn_high, 'amber', format('%s is above %s', activity_metrics.number_text(g.now_value), g.is_warn_high)),
				(12, g.met, 'green', format('target of %s met', activity_metrics.number_text(g.goal_value))),
				(13, g.goal_value IS NOT NULL AND g.direction <> 'band' AND g.t_due < g.starts, 'red', format('target of %s was due on %s', activity_metrics.number_text(g.goal_value), g.t_due)),
				(14, g.on_pace IS NOT NULL AND g.direction <> 'band' AND NOT activity_metrics.is_worse(g.direction, g.now_value - g.on_pace), 'green',
					format('on pace for %s by %s', activity_metrics.number_text(g.goal_value), g.t_due)),
				(15, g.due_now IS NOT NULL AND g.direction <> 'band', CASE WHEN abs(g.now_value - g.due_now) <= 0.1 * abs(g.due_now) THEN 'amber' ELSE 'red' END,
					format(CASE WHEN g.on_pace IS NULL THEN '%1$s of the target of %2$s' ELSE '%1$s where %2$s would be on pace for %3$s by %4$s' END,
						activity_metrics.number_text(g.now_value), activity_metrics.number_text(g.due_now), activity_metrics.number_text(g.goal_value), g.t_due)),
				(16, coalesce(g.is_warn_low, g.is_warn_high, g.is_crit_low, g.is_crit_high) IS NOT NULL, 'green', 'within its thresholds'),
				(17, g.worsens, 'amber', format('getting worse by %s a %s, over 8 or 26 periods; there is no target', activity_metrics.number_text(g.worse_slope), g.seen_grain)),
				(18, g.improves AND g.kind = 'outcome', 'green', format('getting better by %s a %s, over 8 periods; there is no target', activity_metrics.number_text(g.s8), g.seen_grain)),
				(19, true, 'grey', 'no target and no thresholds to judge it by')) AS c(i, applies, status, reason)
			WHERE c.applies ORDER BY c.i LIMIT 1) AS s),
	-- an outcome, what leads it, what guards that; then the next one; what is only to look at comes last
	ordered AS (
		SELECT j.*, row_number() OVER (ORDER BY j.scope, j.is_role = 'diagnostic', h.is_north_star DESC NULLS LAST, h.metric NULLS LAST,
			array_position(ARRAY['north_star', 'outcome', 'driver', 'guardrail', 'diagnostic'], j.is_role), j.metric) AS i
		FROM judged j LEFT JOIN LATERAL (SELECT o.metric, o.is_north_star FROM base o
			WHERE o.scope = j.scope AND o.kind = 'outcome' AND o.metric = CASE WHEN j.is_role IN ('north_star', 'outcome') THEN j.metric ELSE coalesce(
				j.leads_to, (SELECT coalesce(d.outcome_metric, d.leads_to) FROM base d WHERE d.paired_with = j.metric ORDER BY d.metric LIMIT 1)) END) AS h ON true)
	SELECT o.seen_grain, o.scope, o.i::integer, o.metric, o.label, o.is_role, CASE WHEN o.is_role NOT IN ('north_star', 'outcome') THEN o.leads_to ELSE o.outcome_metric END, o.kind,
		coalesce(o.timing, CASE WHEN o.a_timing IN ('leading', 'lagging', 'coincident') THEN o.a_timing WHEN o.kind = 'outcome' THEN 'lagging' END),
		o.unit, o.starts, o.ends, o.now_value, o.seen_previous, o.now_value - o.seen_previous,
		CASE WHEN o.seen_previous <> 0 THEN activity_metrics.finite((o.now_value - o.seen_previous) / abs(o.seen_previous)) END,
		o.is_status, o.because, o.goal_value,
		CASE WHEN o.goal_value IS NULL THEN NULL WHEN o.t_unit = '(each)' AND o.additive THEN format('%s for each of %s', activity_metrics.number_text(o.t_value), o.units) WHEN o.t_unit = '(each)' THEN 'each' ELSE 'the whole' END,
		CASE WHEN o.goal_value IS NOT NULL THEN o.t_due END, o.met, CASE WHEN o.goal_value IS NOT NULL THEN o.on_pace END, o.paired_with, o.guard_falls,
		CASE WHEN o.s8 IS NULL AND o.s26 IS NULL THEN NULL WHEN o.s8_low > 0 THEN 'rising' WHEN o.s8_high < 0 THEN 'falling'
			WHEN o.s26_low > 0 THEN 'rising slowly' WHEN o.s26_high < 0 THEN 'falling slowly' ELSE 'no clear trend' END,
		o.s8, o.s8_low, o.s8_high, o.s8_n, o.s26, o.s26_low, o.s26_high, o.s26_n, o.seen_n, o.a_verdict, o.a_at, o.stale_hours,
		activity_metrics.sparkline(ARRAY(SELECT v.y FROM generate_series(greatest(o.first_period, o.last_period - 25), o.last_period) AS p(period)
			LEFT JOIN ROWS FROM (unnest(o.x), unnest(o.y)) AS v(x, y) ON v.x = p.period ORDER BY p.period)),
		(SELECT string_agg(format('%s: %s', timezone(o.tz, b.at)::date, b.note), '; ' ORDER BY b.at, b.annotation_id)
			FROM activity_metrics.annotation b WHERE (b.metric IS NULL OR b.metric = o.metric)
			AND activity_metrics.period_no(b.at, o.seen_grain, o.tz) BETWEEN o.last_period - 1 AND o.last_period),
		o.owner,
		CASE WHEN o.is_status IN ('red', 'amber') THEN coalesce(o.next_step, o.hypothesis)
			WHEN o.is_role = 'diagnostic' AND o.a_verdict IS NOT NULL THEN activity_metrics.next_step(o.a_verdict) END
	FROM ordered o ORDER BY o.i;
END;
$$;
COMMENT ON FUNCTION activity_metrics.scorecard_judge(activity_metrics.scorecard_value[], timestamptz) IS
'Internal: the rows of scorecard_report() from what is known of each metric.';

CREATE FUNCTION activity_metrics.scorecard_report(
	INOUT grain text DEFAULT NULL,
	INOUT scope text DEFAULT NULL,
	as_of timestamptz DEFAULT NULL,
	OUT place integer,
	OUT metric text,
	OUT label text,
	OUT role text,
	OUT outcome text,
	OUT kind text,
	OUT timing text,
	OUT unit text,
	OUT period_start date,
	OUT period_end date,
	OUT value double precision,
	OUT previous double precision,
	OUT change double precision,
	OUT change_share double precision,
	OUT status text,
	OUT reason text,
	OUT target double precision,
	OUT target_for text,
	OUT target_due date,
	OUT target_met boolean,
	OUT pace double precision,
	OUT guardrail text,
	OUT guardrail_falls boolean,
	OUT trend text,
	OUT trend_8 double precision,
	OUT trend_8_low double precision,
	OUT trend_8_high double precision,
	OUT trend_8_n bigint,
	OUT trend_26 double precision,
	OUT trend_26_low double precision,
	OUT trend_26_high double precision,
	OUT trend_26_n bigint,
	OUT n bigint,
	OUT verdict text,
	OUT assessed_at timestamptz,
	OUT staleness_hours double precision,
	OUT sparkline text,
	OUT annotations text,
	OUT owner text,
	OUT next_step text)
RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 30 COST 100000 SET jit = off AS $$
#variable_conflict use_column
DECLARE
	moment pg_catalog.timestamptz := coalesce($3, pg_catalog.now());
	name pg_catalog.text;
	one activity_metrics.scorecard_value;
	known activity_metrics.scorecard_value[] := '{}';
	newest pg_catalog.text;
	-- metrics of one relation have one newest event
	asked pg_catalog.text[] := '{}';
	answers pg_catalog.timestamptz[] := '{}';
BEGIN
	IF $1 IS NOT NULL THEN
		PERFORM activity_metrics.check_grain($1), activity_metrics.period_no(moment, $1, 'UTC');
	END IF;
	IF NOT pg_catalog.isfinite(moment) THEN
		RAISE EXCEPTION 'as_of % is not finite', moment USING ERRCODE = '22023', HINT = 'Give the time that the scorecard is to be of, or leave it out.';
	END IF;
	IF $2 IS NOT NULL AND NOT EXISTS (SELECT FROM activity_metrics.metric m WHERE m.scope OPERATOR(pg_catalog.=) $2) THEN
		RAISE EXCEPTION 'there is no metric of scope "%"', $2 USING ERRCODE = '22023',
			HINT = pg_catalog.format('Scopes are %s.', (SELECT pg_catalog.string_agg(DISTINCT m.scope, ', ' ORDER BY m.scope) FROM activity_metrics.metric m));
	END IF;
	FOR name IN SELECT m.metric FROM activity_metrics.metric m
		WHERE m.status OPERATOR(pg_catalog.=) 'active' AND ($2 IS NULL OR m.scope OPERATOR(pg_catalog.=) $2) ORDER BY m.metric
	LOOP
		BEGIN
			EXECUTE activity_metrics.scorecard_value_sql(name, $1, moment) INTO one;
			IF one.seen_at IS NULL THEN
				newest := activity_metrics.newest_event_sql(name);
				IF pg_catalog.array_position(asked, newest) IS NULL THEN
					EXECUTE newest INTO one.seen_at USING moment;
					asked := pg_catalog.array_append(asked, newest);
					answers := pg_catalog.array_append(answers, one.seen_at);
				END IF;
				one.seen_at := answers[pg_catalog.array_position(asked, newest)];
			END IF;
		EXCEPTION
			-- a broken metric has a row that says so
			WHEN OTHERS THEN
				one := ROW (name, coalesce($1, (SELECT m.grain FROM activity_metrics.metric m WHERE m.metric OPERATOR(pg_catalog.=) name)), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, SQLERRM);
		END;
		known := pg_catalog.array_append(known, one);
	END LOOP;
	RETURN QUERY EXECUTE 'SELECT * FROM activity_metrics.scorecard_judge($1, $2)' USING known, moment;
END;
$$;
COMMENT ON FUNCTION activity_metrics.scorecard_report(text, text, timestamptz) IS
'The scorecard of some period, scope and time: one row per active metric, the North Star first, under each outcome what leads it and what guards that, and last, as diagnostics, what is only to look at.
grain: NULL: that of each metric; scope: NULL: all; as_of: the last complete period before this time is shown, NULL: now. Values are those that refresh() kept where they know that period, otherwise computed now with the rights of the caller; a metric that fails is grey and says why.
value, previous, change, change_share: of the last complete period and the one before; n: events that it rests on. status: red, amber, green or grey, reason: why. Without target and thresholds it goes by the trend; thresholds are of the grain of the metric, those of ratios, averages and percentiles of any. target: in terms of value (target_for: 40 for each of 16); pace: where a straight line from the baseline to the target is at the end of the period; within 10 % of it is amber. guardrail_falls: the trend of the metric paired with it is for the worse; a target that is met then is amber.
trend_8, trend_26: slope per period by least squares over the last 8 and 26 complete periods, with its 95 % interval, as if periods were independent, and the number of values. verdict, assessed_at: of the newest assess(); staleness_hours: since the newest event, or the refresh; annotations: of the two periods shown.
Errors: unknown grain or scope, as_of not finite (22023).';

CREATE VIEW activity_metrics.scorecard WITH (security_invoker = true) AS
	SELECT place, scope, metric, label, role, outcome, kind, timing, unit, grain, period_start, period_end, value, previous, change, change_share,
		status, reason, target, target_for, target_due, target_met, pace, guardrail, guardrail_falls, trend, trend_8, trend_8_low, trend_8_high, trend_8_n,
		trend_26, trend_26_low, trend_26_high, trend_26_n, n, verdict, assessed_at, staleness_hours, sparkline, annotations, owner, next_step
	FROM activity_metrics.scorecard_report() ORDER BY place;
ALTER VIEW activity_metrics.scorecard OWNER TO @extowner@;
COMMENT ON VIEW activity_metrics.scorecard IS
'One row per active metric, as of scorecard_report() now and at the grain of each metric.';
COMMENT ON COLUMN activity_metrics.scorecard.place IS 'Order of the rows: the North Star is 1.';
COMMENT ON COLUMN activity_metrics.scorecard.scope IS 'Whose scorecard: company, a team, a product.';
COMMENT ON COLUMN activity_metrics.scorecard.metric IS 'The metric.';
COMMENT ON COLUMN activity_metrics.scorecard.label IS 'What people call it.';
COMMENT ON COLUMN activity_metrics.scorecard.role IS 'north_star, outcome, driver (leads an outcome), guardrail (must not fall while another rises), diagnostic (only to look at).';
COMMENT ON COLUMN activity_metrics.scorecard.outcome IS 'The outcome that it is for; NULL: not known.';
COMMENT ON COLUMN activity_metrics.scorecard.kind IS 'surface or outcome.';
COMMENT ON COLUMN activity_metrics.scorecard.timing IS 'leading, coincident or lagging: of the dictionary, else of the newest assess(), else lagging for an outcome; NULL: not known.';
COMMENT ON COLUMN activity_metrics.scorecard.unit IS 'Unit of the value.';
COMMENT ON COLUMN activity_metrics.scorecard.grain IS 'The period.';
COMMENT ON COLUMN activity_metrics.scorecard.period_start IS 'First day of the last complete period.';
COMMENT ON COLUMN activity_metrics.scorecard.period_end IS 'First day after it.';
COMMENT ON COLUMN activity_metrics.scorecard.value IS 'Value of that period; NULL: not defined, the reason says why.';
COMMENT ON COLUMN activity_metrics.scorecard.previous IS 'Value of the period before.';
COMMENT ON COLUMN activity_metrics.scorecard.change IS 'value - previous.';
COMMENT ON COLUMN activity_metrics.scorecard.change_share IS 'change by |previous|; NULL where that is zero.';
COMMENT ON COLUMN activity_metrics.scorecard.status IS 'red, amber, green or grey (cannot be judged).';
COMMENT ON COLUMN activity_metrics.scorecard.reason IS 'Why, in words.';
COMMENT ON COLUMN activity_metrics.scorecard.target IS 'The target in force in terms of value; NULL: none for this period.';
COMMENT ON COLUMN activity_metrics.scorecard.target_for IS 'the whole, each, or how it comes about: 40 for each of 16.';
COMMENT ON COLUMN activity_metrics.scorecard.target_due IS 'The day by which it is to be reached.';
COMMENT ON COLUMN activity_metrics.scorecard.target_met IS 'Does the value reach it?';
COMMENT ON COLUMN activity_metrics.scorecard.pace IS 'Where a straight line from the baseline to the target is at the end of the period.';
COMMENT ON COLUMN activity_metrics.scorecard.guardrail IS 'The metric that must not get worse while this one gets better.';
COMMENT ON COLUMN activity_metrics.scorecard.guardrail_falls IS 'Does it get worse? NULL: there is none.';
COMMENT ON COLUMN activity_metrics.scorecard.trend IS 'rising, falling (over 8 periods), rising slowly, falling slowly (over 26), no clear trend; NULL: fewer than 4 values.';
COMMENT ON COLUMN activity_metrics.scorecard.trend_8 IS 'Slope per period over the last 8 complete periods, by least squares.';
COMMENT ON COLUMN activity_metrics.scorecard.trend_8_low IS 'Lower end of its 95 % interval.';
COMMENT ON COLUMN activity_metrics.scorecard.trend_8_high IS 'Upper end.';
COMMENT ON COLUMN activity_metrics.scorecard.trend_8_n IS 'Values that it rests on.';
COMMENT ON COLUMN activity_metrics.scorecard.trend_26 IS 'Slope per period over the last 26 complete periods.';
COMMENT ON COLUMN activity_metrics.scorecard.trend_26_low IS 'Lower end of its 95 % interval.';
COMMENT ON COLUMN activity_metrics.scorecard.trend_26_high IS 'Upper end.';
COMMENT ON COLUMN activity_metrics.scorecard.trend_26_n IS 'Values that it rests on.';
COMMENT ON COLUMN activity_metrics.scorecard.n IS 'Events that the value rests on.';
COMMENT ON COLUMN activity_metrics.scorecard.verdict IS 'Verdict of the newest assess(); NULL: never assessed.';
COMMENT ON COLUMN activity_metrics.scorecard.assessed_at IS 'When that was.';
COMMENT ON COLUMN activity_metrics.scorecard.staleness_hours IS 'Hours since the newest event of its relation, or since the refresh of a kept value.';
COMMENT ON COLUMN activity_metrics.scorecard.sparkline IS 'The last 26 complete periods as text; a blank where there is no value.';
COMMENT ON COLUMN activity_metrics.scorecard.annotations IS 'Annotations of the two periods shown, with their dates.';
COMMENT ON COLUMN activity_metrics.scorecard.owner IS 'Who answers for it.';
COMMENT ON COLUMN activity_metrics.scorecard.next_step IS 'What to do; NULL: nothing is written down, or nothing is due.';
