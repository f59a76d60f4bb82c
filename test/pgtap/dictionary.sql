-- The dictionary: metrics of every type against plain SQL, history, formulas, exports, and what is refused.
BEGIN;
SELECT no_plan();
CREATE SCHEMA dictionary_test;
SET LOCAL search_path = dictionary_test, public;
SET LOCAL client_min_messages = warning;
SET LOCAL jit = off;
DELETE FROM activity_metrics.metric;

SELECT setseed(0.62) IS NULL AS seeded \gset
CREATE TABLE event AS
	SELECT i AS id, 'e' || floor(random() * 15) AS entity, (ARRAY['call', 'demo', 'won', 'other'])[1 + floor(random() * 4)::int] AS kind,
		'2024-01-31Z'::timestamptz + floor(random() * 5000) * interval '40 minutes' AS at,
		CASE WHEN random() < 0.9 THEN 'rep ' || floor(random() * 3) END AS actor, round((random() * 100)::numeric, 2) AS value,
		CASE WHEN random() < 0.1 THEN 'cancelled' END AS status, (ARRAY['north', 'south', NULL])[1 + floor(random() * 3)::int] AS region
	FROM generate_series(1, 1500) AS i;
-- a hole, edges of windows, NULLs
DELETE FROM event WHERE at BETWEEN '2024-04-01Z' AND '2024-04-25Z';
INSERT INTO event VALUES (2001, 'edge', 'call', '2024-05-01 10:00Z', 'rep 0', 1, NULL, 'north'), (2002, 'edge', 'won', '2024-05-15 10:00Z', 'rep 1', 2, NULL, 'north'), (2003, 'edge', 'won', '2024-05-15 10:00:00.000001Z', 'rep 1', 2, NULL, 'north'),
	(2004, 'tie', 'call', '2024-05-01 10:00Z', 'rep 0', 1, NULL, 'north'), (2005, 'tie', 'won', '2024-05-01 10:00Z', 'rep 1', 2, NULL, 'north'),
	(2006, NULL, 'call', '2024-05-02 10:00Z', 'rep 0', NULL, NULL, NULL), (2007, 'e1', 'call', NULL, 'rep 0', 5, NULL, 'north'),
	(2008, 'e1', 'call', '2024-05-20 17:30Z', 'rep 0', 1, NULL, 'north'), (2009, 'e1', 'won', '2024-05-20 17:30Z', 'rep 0', 1, NULL, 'north'), (2010, 'e1', 'call', '2024-03-05 13:00Z', 'rep 0', 1, NULL, 'north'), (2011, 'e1', 'won', '2024-03-05 13:00Z', 'rep 0', 1, NULL, 'north');
CREATE TABLE done AS SELECT * FROM event WHERE status IS NULL AND at IS NOT NULL;

SELECT lives_ok($$SELECT activity_metrics.define_metric(agg || '_value', 'event', 'won', agg, tz => 'Europe/Berlin') FROM unnest(ARRAY['sum', 'avg', 'min', 'max', 'median', 'p90', 'p95', 'p99']) AS agg$$, 'aggregates of a value');
SELECT lives_ok($$SELECT activity_metrics.define_metric('calls', 'event', 'call', tz => 'Europe/Berlin'), activity_metrics.define_metric('wons', 'event', 'won', kind => 'outcome', tz => 'Europe/Berlin'),
	activity_metrics.define_metric('entities', 'event', 'call | demo', 'count_distinct', value => 'entity', tz => 'Europe/Berlin'),
	activity_metrics.define_metric('large', 'event', 'won', filter => 'value > 50 -- not the small ones', tz => 'Europe/Berlin'),
	activity_metrics.define_metric('spread', 'event', 'won', expr => 'max(value) - min(value)', filter => 'region = ''north''', tz => 'Europe/Berlin')$$, 'counts, filters, expressions');
SELECT lives_ok($$SELECT activity_metrics.define_metric('rate', numerator => 'wons', denominator => 'calls', unit => 'ratio'),
	activity_metrics.define_metric('mixed', expr => '(wons - -2 * calls) / (entities + 1.5) - rate * 10'), activity_metrics.define_metric('both', expr => 'wons + calls * 2'),
	activity_metrics.define_metric('rolling', base_metric => 'entities', window_days => 28), activity_metrics.define_metric('rolling_sum', base_metric => 'sum_value', window_days => 7.5),
	activity_metrics.define_metric('half_day', base_metric => 'calls', window_days => 0.5),
	activity_metrics.define_metric('follow', base_metric => 'calls', conversion_metric => 'wons', window_days => 14), activity_metrics.define_metric('again', base_metric => 'calls', conversion_metric => 'calls', window_days => 3),
	activity_metrics.define_metric('nested', numerator => 'both', denominator => 'rolling')$$, 'metrics of metrics');
SELECT results_eq($$SELECT metric, type, agg, additive, tz FROM activity_metrics.metric WHERE metric = ANY (ARRAY['both', 'mixed', 'rate', 'rolling', 'follow', 'spread', 'large', 'entities']) ORDER BY metric$$,
	$$VALUES ('both', 'derived', NULL, true, 'Europe/Berlin'), ('entities', 'simple', 'count_distinct', false, 'Europe/Berlin'), ('follow', 'conversion', NULL, false, 'Europe/Berlin'), ('large', 'simple', 'count', true, 'Europe/Berlin'),
		('mixed', 'derived', NULL, false, 'Europe/Berlin'), ('rate', 'ratio', NULL, false, 'Europe/Berlin'), ('rolling', 'cumulative', NULL, false, 'Europe/Berlin'), ('spread', 'simple', 'expr', false, 'Europe/Berlin')$$, 'what follows from the arguments');

-- plain SQL: a value for each period that the events span, by calendar functions of the server
CREATE FUNCTION plain(metric text, g text, by_unit boolean, since timestamptz, until timestamptz)
RETURNS TABLE (unit text, period_start date, value double precision, n bigint) LANGUAGE plpgsql AS $$
DECLARE
	conversion text := $q$(SELECT count(*) FROM done AS c WHERE c.kind = '%1$s' AND c.entity = b.entity AND c.at <= b.at + interval '%2$s' AND c.at %3$s b.at
		AND NOT EXISTS (SELECT FROM done AS o WHERE o.kind = 'call' AND o.entity = b.entity AND (o.at, coalesce(o.actor, '~'), o.id) > (b.at, coalesce(b.actor, '~'), b.id) AND c.at %3$s o.at))$q$;
	rolling text := $q$(SELECT %1$s FROM done AS r WHERE r.kind = ANY ('%2$s') AND (NOT %4$L OR r.actor = p.unit) AND r.at AT TIME ZONE 'Europe/Berlin' < (p.start + %5$L::interval) AND r.at AT TIME ZONE 'Europe/Berlin' >= p.start + %5$L::interval - interval '%3$s' AND (%6$L::timestamptz IS NULL OR r.at < %6$L))$q$;
	count_of text := 'count(*) FILTER (WHERE kind = %L)';
	formula text;
	n_of text;
	step text := CASE g WHEN 'quarter' THEN '3 months' ELSE '1 ' || g END;
BEGIN
	SELECT f, c INTO formula, n_of FROM (VALUES
		('calls', format(count_of, 'call'), format(count_of, 'call')), ('wons', format(count_of, 'won'), format(count_of, 'won')),
		('large', $q$count(*) FILTER (WHERE kind = 'won' AND value > 50)$q$, $q$count(*) FILTER (WHERE kind = 'won' AND value > 50)$q$),
		('spread', $q$max(value) - min(value)$q$, NULL),
		('entities', $q$count(DISTINCT entity) FILTER (WHERE kind IN ('call', 'demo'))$q$, $q$count(entity) FILTER (WHERE kind IN ('call', 'demo'))$q$),
		('sum_value', $q$coalesce(sum(value) FILTER (WHERE kind = 'won'), 0)$q$, format(count_of, 'won')), ('avg_value', $q$avg(value) FILTER (WHERE kind = 'won')$q$, format(count_of, 'won')),
		('min_value', $q$min(value) FILTER (WHERE kind = 'won')$q$, format(count_of, 'won')), ('max_value', $q$max(value) FILTER (WHERE kind = 'won')$q$, format(count_of, 'won')),
		('median_value', $q$percentile_cont(0.5) WITHIN GROUP (ORDER BY value) FILTER (WHERE kind = 'won')$q$, format(count_of, 'won')), ('p90_value', $q$percentile_cont(0.9) WITHIN GROUP (ORDER BY value) FILTER (WHERE kind = 'won')$q$, format(count_of, 'won')),
		('p95_value', $q$percentile_cont(0.95) WITHIN GROUP (ORDER BY value) FILTER (WHERE kind = 'won')$q$, format(count_of, 'won')), ('p99_value', $q$percentile_cont(0.99) WITHIN GROUP (ORDER BY value) FILTER (WHERE kind = 'won')$q$, format(count_of, 'won')),
		('rate', $q$count(*) FILTER (WHERE kind = 'won')::float8 / nullif(count(*) FILTER (WHERE kind = 'call'), 0)$q$, format(count_of, 'call')),
		('both', $q$count(*) FILTER (WHERE kind = 'won') + 2 * count(*) FILTER (WHERE kind = 'call')$q$, $q$count(*) FILTER (WHERE kind IN ('call', 'won'))$q$),
		('mixed', $q$(count(*) FILTER (WHERE kind = 'won') + 2.0 * count(*) FILTER (WHERE kind = 'call')) / (count(DISTINCT entity) FILTER (WHERE kind IN ('call', 'demo')) + 1.5) - 10.0 * count(*) FILTER (WHERE kind = 'won') / nullif(count(*) FILTER (WHERE kind = 'call'), 0)$q$, NULL),
		('rolling', 'min(' || format(rolling, 'count(DISTINCT r.entity)', '{call,demo}', '28 days', by_unit, step, until) || ')', NULL), ('rolling_sum', 'min(' || format(rolling, 'coalesce(sum(r.value), 0)', '{won}', '7 days 12 hours', by_unit, step, until) || ')', NULL),
		('half_day', 'min(' || format(rolling, 'count(*)', '{call}', '12 hours', by_unit, step, until) || ')', NULL),
		('follow', format('sum(%s) FILTER (WHERE kind = ''call'' AND entity IS NOT NULL) / nullif(count(*) FILTER (WHERE kind = ''call'' AND entity IS NOT NULL), 0)', format(conversion, 'won', '14 days', '>=')), $q$count(*) FILTER (WHERE kind = 'call' AND entity IS NOT NULL)$q$),
		('again', format('sum(%s) FILTER (WHERE kind = ''call'' AND entity IS NOT NULL) / nullif(count(*) FILTER (WHERE kind = ''call'' AND entity IS NOT NULL), 0)', format(conversion, 'call', '3 days', '>')), $q$count(*) FILTER (WHERE kind = 'call' AND entity IS NOT NULL)$q$)) AS v(m, f, c) WHERE m = metric;
	RETURN QUERY EXECUTE format(
		'SELECT p.unit, p.start::date, (%1$s)::float8, %2$s FROM (
			SELECT u.unit, s.start FROM (SELECT CASE WHEN %4$L THEN actor ELSE ''(all)'' END AS unit, min(at) AS first, max(at) AS last FROM done
				WHERE ($1 IS NULL OR at >= $1) AND ($2 IS NULL OR at < $2) AND (NOT %4$L OR actor IS NOT NULL) GROUP BY 1) AS u,
			LATERAL generate_series(date_trunc(%3$L, first AT TIME ZONE ''Europe/Berlin''), date_trunc(%3$L, last AT TIME ZONE ''Europe/Berlin''), %6$L::interval) AS s(start)) AS p
		LEFT JOIN done AS b ON date_trunc(%3$L, b.at AT TIME ZONE ''Europe/Berlin'') = p.start AND (NOT %4$L OR b.actor = p.unit) AND ($1 IS NULL OR b.at >= $1) AND ($2 IS NULL OR b.at < $2) %5$s
		GROUP BY 1, 2', formula, coalesce(n_of, 'NULL::bigint'), g, by_unit, CASE metric WHEN 'spread' THEN 'AND b.kind = ''won'' AND b.region = ''north''' ELSE '' END, step)
		USING since, until;
END;
$$;
-- where a metric has no rows of its own, the plain formula may have some with nothing in them
CREATE FUNCTION differing(wanted text, g text, by_unit boolean, since timestamptz, until timestamptz) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM activity_metrics.metric_values(wanted, since, until, g, CASE WHEN by_unit THEN 'unit' END) AS v
		FULL JOIN dictionary_test.plain(wanted, g, by_unit, since, until) AS p ON v.unit = p.unit AND v.period_start = p.period_start
	WHERE CASE WHEN v.unit IS NULL THEN p.value <> 0 WHEN p.unit IS NULL THEN v.value <> 0
		ELSE (v.value IS NULL) <> (p.value IS NULL) OR abs(v.value - p.value) > 1e-9 * (1 + abs(p.value)) OR v.n <> p.n END
$$;
SELECT is(differing(m, g, u, s.since, s.until), 0::bigint, format('%s by %s%s%s', m, g, CASE WHEN u THEN ' per unit' ELSE '' END, CASE WHEN s.since IS NOT NULL THEN ' since then' ELSE '' END))
	FROM unnest(ARRAY['calls', 'wons', 'large', 'spread', 'entities', 'sum_value', 'avg_value', 'min_value', 'max_value', 'median_value', 'p90_value', 'p95_value', 'p99_value', 'rate', 'both', 'mixed', 'rolling', 'rolling_sum', 'half_day', 'follow', 'again']) AS m,
	unnest(ARRAY['day', 'week', 'month', 'quarter']) AS g, unnest(ARRAY[false, true]) AS u, (VALUES (NULL::timestamptz, NULL::timestamptz), ('2024-03-05 13:00Z', '2024-05-20 17:30Z')) AS s(since, until)
	-- plain SQL per unit of what rolls is slow and says no more
	WHERE NOT (g = 'day' AND (u OR s.since IS NULL) AND m = ANY (ARRAY['rolling', 'rolling_sum', 'half_day', 'follow', 'again'])) AND NOT (u AND g = 'quarter');
SELECT cmp_ok(count(value), '>', 5::bigint, m || ' has values') FROM unnest(ARRAY['calls', 'spread', 'rate', 'mixed', 'rolling', 'follow', 'again']) AS m, activity_metrics.metric_values(m) WHERE value <> 0 GROUP BY m;
SELECT results_eq($$SELECT value, n FROM activity_metrics.metric_values('nested', grain => 'month')$$,
	$$SELECT b.value / nullif(r.value, 0), r.n FROM activity_metrics.metric_values('both', grain => 'month') AS b JOIN activity_metrics.metric_values('rolling', grain => 'month') AS r USING (period)$$, 'a ratio of what is computed itself');
SELECT results_eq($$SELECT DISTINCT metric, grain, period_start, period_end, unit FROM activity_metrics.metric_values('calls', grain => 'month') ORDER BY 3 LIMIT 2$$,
	$$VALUES ('calls', 'month', '2024-01-01'::date, '2024-02-01'::date, '(all)'), ('calls', 'month', '2024-02-01', '2024-03-01', '(all)')$$, 'columns');
SELECT is_empty($$SELECT * FROM activity_metrics.metric_values('calls', '2030-01-01')$$, 'no events, no rows');
SELECT results_eq($$SELECT DISTINCT value, n FROM activity_metrics.metric_values('calls', grain => 'week') WHERE period_start BETWEEN '2024-04-02' AND '2024-04-15'$$, $$VALUES (0::float8, 0::bigint)$$, 'a hole of a count is zero');
SELECT results_eq($$SELECT DISTINCT value, n FROM activity_metrics.metric_values('rate', grain => 'week') WHERE period_start BETWEEN '2024-04-02' AND '2024-04-15'$$, $$VALUES (NULL::float8, 0::bigint)$$, 'a hole of a ratio is NULL');

-- complete periods
SELECT results_eq($$SELECT period_start, is_complete FROM activity_metrics.metric_values('calls', '2024-03-05', '2024-03-25 00:00 Europe/Berlin') ORDER BY 1$$,
	$$VALUES ('2024-03-04'::date, false), ('2024-03-11', true), ('2024-03-18', true)$$, 'a period that is cut is not complete');
CREATE TABLE now_event AS SELECT 'x' AS entity, k AS kind, date_trunc('day', now(), 'UTC') - d * interval '1 day' AS at, 'rep' AS actor FROM unnest(ARRAY['call', 'won']) AS k, generate_series(0, 20) AS d;
SELECT activity_metrics.define_metric('now_calls', 'now_event', 'call'), activity_metrics.define_metric('now_wons', 'now_event', 'won'), activity_metrics.define_metric('now_follow', base_metric => 'now_calls', conversion_metric => 'now_wons', window_days => 5),
	activity_metrics.define_metric('now_ratio', numerator => 'now_follow', denominator => 'now_calls') \gset
SELECT is(count(*) FILTER (WHERE NOT is_complete), v.n::bigint, 'periods that are not over: ' || m)
	FROM (VALUES ('now_calls', 1), ('now_follow', 6), ('now_ratio', 6)) AS v(m, n), activity_metrics.metric_values(m, grain => 'day') GROUP BY m, v.n;

-- panels and reports take metrics of every type
SELECT is_empty(format($$SELECT * FROM activity_metrics.metric_panel(%L, %L) AS p FULL JOIN (
		SELECT x.unit, x.period, x.value AS x, y.value AS y FROM activity_metrics.metric_values(%1$L, grain => 'week', by => 'unit') AS x JOIN activity_metrics.metric_values(%2$L, grain => 'week', by => 'unit') AS y USING (unit, period) WHERE x.value IS NOT NULL AND y.value IS NOT NULL) AS v
		ON v.unit = p.unit AND v.period = p.period WHERE (p.x, p.y) IS DISTINCT FROM (v.x, v.y)$$, x, y), format('panel of %s and %s', x, y))
	FROM unnest(ARRAY['calls', 'rate', 'avg_value', 'spread', 'mixed', 'large']) AS x, unnest(ARRAY['wons', 'rate']) AS y WHERE x <> y;
SELECT cmp_ok(count(*)::int, '>', 20, 'a panel with a ratio has rows') FROM activity_metrics.metric_panel('rate', 'wons');
SELECT is((SELECT count(DISTINCT segment) FROM activity_metrics.metric_panel('rate', 'avg_value', segment => 'region')), 3::bigint, 'segments of ratios');
SELECT is((SELECT count(*) FROM activity_metrics.lead_lag_report('rate', 'wons', max_lag => 2)), 5::bigint, 'lead_lag_report with a ratio');
SELECT is((SELECT count(*) FROM activity_metrics.lead_lag_report('calls', 'follow', max_lag => 2)), 5::bigint, 'lead_lag_report with a conversion');
SELECT set_eq($$SELECT metric FROM activity_metrics.vanity_report('wons', metrics => ARRAY['calls', 'rate', 'large', 'rolling'])$$, ARRAY['calls', 'rate', 'large', 'rolling'], 'vanity_report');
SELECT set_eq($$SELECT metric FROM activity_metrics.leading_indicators('rate', metrics => ARRAY['calls', 'large', 'mixed', 'entities'])$$, ARRAY['calls', 'large', 'mixed', 'entities'], 'leading_indicators of a ratio');
SELECT results_eq($$SELECT x, y FROM activity_metrics.metric_panel('large', 'calls') ORDER BY unit, period$$,
	$$SELECT x.value, y.value FROM activity_metrics.metric_values('large', by => 'unit') AS x JOIN activity_metrics.metric_values('calls', by => 'unit') AS y USING (unit, period) ORDER BY unit, period$$, 'a filter holds in panels');

--
-- formulas of derived metrics
--
CREATE FUNCTION formula(f text) RETURNS text LANGUAGE sql AS $$SELECT array_to_string(activity_metrics.formula_steps(f, 'm'), ' ')$$;
SELECT is(formula(f), steps, f) FROM (VALUES ('a', 'a'), ('a+b*c', 'a b c * +'), ('(a+b)*c', 'a b + c *'), ('a-b-c', 'a b - c -'), ('a/b/c', 'a b / c /'), ('-a', 'a neg'), ('a - -b', 'a b neg -'), ('-(a+1.5)*2', 'a 1.5 + neg 2 *'),
	('--a', 'a neg neg'), ('2*-a', '2 a neg *'), (E' a\n+\tb ', 'a b +'), ('((a))', 'a'), ('a*b+c*d', 'a b * c d * +'), ('10/a', '10 a /')) AS v(f, steps);
SELECT throws_ok(format('SELECT activity_metrics.formula_steps(%L, ''m'')', f), '22023', NULL, 'no formula: ' || f)
	FROM unnest(ARRAY['', ' ', 'a b', 'a +', '+ a', '* a', '(a', 'a)', '()', 'a, b', 'a; b', 'A', 'a ** b', 'a % b', 'a = b', '1e5', '1.', '.5', '1a', '"a"', '''a''', 'f(a)', 'a.b', 'a::int', '(a +) b', 'ä', '$1', repeat('a+', 1500) || 'a']) AS f;
SELECT throws_ok($$SELECT activity_metrics.formula_steps(NULL, 'm')$$, '22004', NULL, 'no formula at all');

--
-- history
--
CREATE TABLE started AS SELECT clock_timestamp() AS at;
SELECT activity_metrics.define_metric('changing', 'event', 'call', tz => 'UTC', owner => 'Ada') \gset
SELECT results_eq($$SELECT definition_version, change, changed_by = CURRENT_USER FROM activity_metrics.metric_history WHERE metric = 'changing'$$, $$VALUES (1, 'defined', true)$$, 'the first version');
SELECT activity_metrics.record_gaming_test('changing', 3, 'pass', 0.1) \gset
SELECT activity_metrics.define_metric('changing', 'event', 'call', tz => 'UTC', owner => 'Bob', label => 'Calls') \gset
SELECT results_eq($$SELECT definition_version, gaming_result, owner, label FROM activity_metrics.metric WHERE metric = 'changing'$$, $$VALUES (1, 'pass', 'Bob', 'Calls')$$, 'a new owner is no new definition');
INSERT INTO activity_metrics.annotation (metric, at, note) VALUES ('changing', '2024-03-01Z', 'a note');
SELECT activity_metrics.define_metric('changing', 'event', 'call | demo', filter => 'value > 1', tz => 'UTC') \gset
SELECT results_eq($$SELECT definition_version, gaming_result, gaming_value, owner FROM activity_metrics.metric WHERE metric = 'changing'$$, $$VALUES (2, 'untested', NULL::float8, NULL)$$, 'a new definition is to be tested again; what is not given is gone');
SELECT is((SELECT change FROM activity_metrics.metric_history WHERE metric = 'changing' AND definition_version = 2), 'event_kinds: call -> call | demo; filter_sql: (none) -> value > 1', 'what changed');
SELECT is((SELECT count(*) FROM activity_metrics.annotation WHERE metric = 'changing'), 1::bigint, 'notes stay');
UPDATE activity_metrics.metric SET filter_sql = NULL, changed_by = 'mallory', changed_at = '2000-01-01', definition_version = 77 WHERE metric = 'changing';
SELECT results_eq($$SELECT definition_version, changed_by = CURRENT_USER, changed_at > '2020-01-01' FROM activity_metrics.metric WHERE metric = 'changing'$$, $$VALUES (3, true, true)$$, 'who and when cannot be made up');
SELECT is((SELECT (definition::jsonb) ->> 'event_kinds' FROM activity_metrics.metric_history WHERE metric = 'changing' AND definition_version = 1), 'call', 'the old definition is kept');
UPDATE activity_metrics.metric SET metric = 'phone_calls' WHERE metric = 'calls';
SELECT results_eq($$SELECT metric, expr, numerator, denominator, base_metric, definition_version FROM activity_metrics.metric WHERE metric = ANY (ARRAY['both', 'rate', 'follow', 'mixed']) ORDER BY 1$$,
	$$VALUES ('both', 'wons + phone_calls * 2', NULL, NULL, NULL, 1), ('follow', NULL, NULL, NULL, 'phone_calls', 1), ('mixed', '(wons - -2 * phone_calls) / (entities + 1.5) - rate * 10', NULL, NULL, NULL, 1), ('rate', NULL, 'wons', 'phone_calls', NULL, 1)$$, 'a new name is followed');
SELECT lives_ok($$SELECT * FROM activity_metrics.metric_values('mixed')$$, 'and computes');
UPDATE activity_metrics.metric SET metric = 'calls' WHERE metric = 'phone_calls';
SELECT throws_ok($$DELETE FROM activity_metrics.metric WHERE metric = 'entities'$$, '23503', NULL, 'what others are computed from stays');
SELECT throws_ok($$DELETE FROM activity_metrics.metric WHERE metric = 'rate'$$, '23503', 'metric "rate" is used by metric "mixed"', 'also where a formula names it');

-- a change by a trigger of somebody else is a change
-- a column that a formula names is gone: the message names the metric
SAVEPOINT renamed;
SELECT activity_metrics.define_metric('big', 'event', 'won', filter => 'value > 50', tz => 'Europe/Berlin') \gset
SELECT activity_metrics.define_metric('big_rate', numerator => 'big', denominator => 'calls', tz => 'Europe/Berlin') \gset
ALTER TABLE event RENAME value TO worth;
SELECT throws_ok(query, '42703', 'filter of metric "big" cannot be computed: column "value" does not exist', query) FROM unnest(ARRAY[$$SELECT * FROM activity_metrics.metric_values('big')$$, $$SELECT * FROM activity_metrics.metric_values('big_rate')$$,
	$$SELECT * FROM activity_metrics.metric_panel('calls', 'big')$$]) AS query;
ROLLBACK TO SAVEPOINT renamed;
CREATE TABLE asked (filter text);
CREATE FUNCTION change_it() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN UPDATE activity_metrics.metric SET filter_sql = NEW.filter WHERE metric = 'changing'; RETURN NULL; END;$$;
CREATE TRIGGER change_it AFTER INSERT ON asked FOR EACH ROW EXECUTE FUNCTION change_it();
INSERT INTO asked VALUES ('value > 9');
SELECT is((SELECT change FROM activity_metrics.metric_history WHERE metric = 'changing' AND definition_version = 4), 'filter_sql: (none) -> value > 9', 'a trigger changes a definition');

-- cycles
SELECT activity_metrics.define_metric('c1', expr => 'calls * 2'), activity_metrics.define_metric('c2', expr => 'c1 + 1'), activity_metrics.define_metric('c3', numerator => 'c2', denominator => 'wons') \gset
SELECT throws_ok($$SELECT activity_metrics.define_metric('c1', expr => 'c3 - 1')$$, '22023', 'metric "c1" is computed from itself', 'a cycle of three');
SELECT throws_ok($$SELECT activity_metrics.define_metric('c1', expr => 'c1 - 1')$$, '22023', 'metric "c1" is computed from itself', 'a cycle of one');
SELECT throws_ok($$UPDATE activity_metrics.metric SET expr = 'c3 - 1' WHERE metric = 'c1'$$, '22023', 'metric "c1" is computed from itself', 'a cycle past define_metric');

--
-- what is refused
--
CREATE FUNCTION refused(query text, state text, message text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	found_state text := '00000'; found_message text; found_hint text;
BEGIN
	BEGIN
		EXECUTE query;
		RAISE EXCEPTION 'nothing happened' USING ERRCODE = 'P0099';
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS found_state = RETURNED_SQLSTATE, found_message = MESSAGE_TEXT, found_hint = PG_EXCEPTION_HINT;
	END;
	RETURN ok(found_state = state AND found_message ~ coalesce(message, '') AND found_hint ~ '\.$', state || ': ' || left(translate(query, E'\n', ' '), 150))
		|| CASE WHEN found_state = state AND found_message ~ coalesce(message, '') AND found_hint ~ '\.$' THEN '' ELSE E'\n' || diag(found_state || ' ' || found_message || ' hint ' || found_hint) END;
END;
$$;
SELECT refused('SELECT activity_metrics.define_metric(' || arguments || ')', state, message) FROM (VALUES
	('''m'', ''event'', type => ''rate''', '22023', 'unknown type "rate"'), ('''m'', ''event'', agg => ''avrg''', '22023', 'unknown aggregate "avrg"'), ('''m'', ''event'', direction => ''sideways''', '22023', 'unknown direction'),
	('''m'', ''event'', timing => ''late''', '22023', 'unknown timing'), ('''m'', ''event'', lifecycle => ''dead''', '22023', 'unknown lifecycle'), ('''m'', ''event'', grain => ''fortnight''', '22023', 'fortnight'), ('''m'', ''event'', grain => NULL', '22004', 'grain'),
	('''m'', ''event'', north_star => NULL', '22004', 'north_star'), ('''m'', ''event'', scope => NULL', '22004', 'scope'), ('''m'', ''event'', warn_low => 3, warn_high => 2', '22023', 'thresholds'), ('''m'', ''event'', crit_low => 3, crit_high => 2', '22023', 'thresholds'),
	('''m'', ''event'', decimals => 16', '22023', 'decimals'), ('''m'', ''event'', min_rows => -1', '22023', 'min_rows'), ('''m'', ''event'', max_staleness_hours => 0', '22023', 'max_staleness_hours'), ('''m'', ''event'', valid_from => ''2024-01-02'', valid_to => ''2024-01-01''', '22023', 'valid_to'),
	('''m'', ''event'', paired_with => ''cals''', '42704', '"cals"'), ('''m'', ''event'', outcome_metric => ''wonz''', '42704', '"wonz"'), ('''m'', ''event'', paired_with => ''m''', '22023', 'its own'),
	('''m'', ''event'', entity => ''entitty''', '42703', 'entitty'), ('''m'', ''event'', recorded_column => ''recorded''', '42703', 'recorded'), ('''m'', ''event'', recorded_column => ''kind''', '42804', 'kind'),
	('''m'', ''event'', filter => ''valu > 3''', '42703', 'filter of metric "m" cannot be computed'), ('''m'', ''event'', filter => ''value >''', '42601', 'filter of metric "m"'), ('''m'', ''event'', filter => ''value''', '42804', 'filter of metric "m"'), ('''m'', ''event'', filter => ''count(*) > 1''', '42803', 'filter of metric "m"'),
	('''m'', ''event'', filter => ''true); DROP TABLE dictionary_test.event; --''', '42601', 'filter of metric "m"'), ('''m'', ''event'', filter => ''true) OR (true''', '42601', 'filter of metric "m"'), ('''m'', ''event'', expr => ''sum(value)) + (1''', '42601', 'expr of metric "m"'), ('''m'', ''event'', filter => ''true] OR ARRAY[true''', '42601', 'filter of metric "m"'), ('''m'', ''event'', expr => ''value''', '42803', 'expr of metric "m"'), ('''m'', ''event'', expr => ''summ(value)''', '42883', 'expr of metric "m"'),
	('''m'', ''event'', expr => ''max(kind)''', '42883', 'expr of metric "m"'), ('''m'', ''event'', expr => ''sum(value) FROM dictionary_test.event; --''', '42601', 'expr of metric "m"'), ('''m'', ''event'', agg => ''sum'', expr => ''sum(value)''', '22023', 'expr and agg'), ('''m'', ''event'', agg => ''expr''', '22023', 'expr and agg'),
	('''m'', ''event'', type => ''simple'', numerator => ''calls''', '22023', 'numerator'), ('''m'', ''event'', numerator => ''wons'', denominator => ''calls''', '22023', 'no source'), ('''m'', filter => ''true'', numerator => ''wons'', denominator => ''calls''', '22023', 'filter of its own'),
	('''m'', numerator => ''wons''', '22004', 'denominator is null'), ('''m'', denominator => ''wons''', '22004', 'numerator is null'), ('''m'', base_metric => ''wons''', '22004', 'window_days is null'), ('''m'', conversion_metric => ''wons'', window_days => 3', '22004', 'base_metric is null'),
	('''m'', base_metric => ''calls'', conversion_metric => ''wons''', '22004', 'window_days is null'), ('''m'', type => ''derived''', '22004', 'expr is null'), ('''m'', numerator => ''wons'', denominator => ''cals''', '42704', '"cals"'), ('''m'', expr => ''calls + cals''', '42704', '"cals"'),
	('''m'', expr => ''calls +''', '22023', 'ends too early'), ('''m'', expr => ''1 + 2''', '22023', 'names no metric'), ('''m'', base_metric => ''rate'', window_days => 7', '22023', '"rate" of metric "m" is not a plain aggregate'), ('''m'', base_metric => ''spread'', window_days => 7', '22023', '"spread" of metric "m"'),
	('''m'', base_metric => ''calls'', conversion_metric => ''rate'', window_days => 7', '22023', 'not a plain aggregate'), ('''m'', base_metric => ''calls'', window_days => -1', '22023', 'window_days'), ('''m'', base_metric => ''calls'', window_days => ''NaN''', '22023', 'window_days'), ('''m'', base_metric => ''calls'', window_days => 40000', '22023', 'window_days'),
	('''m'', base_metric => ''calls'', conversion_metric => ''wons'', window_days => 3, entity => ''entit''', '42703', 'entit'), ('''m'', numerator => ''changing'', denominator => ''wons'', tz => ''Asia/Tokyo''', '22023', 'time zones'), ('''m'', numerator => ''changing'', denominator => ''calls''', '22023', 'time zones'),
	('''m''', '22004', 'no relation')) AS v(arguments, state, message);
SELECT is((SELECT count(*) FROM activity_metrics.metric WHERE metric = 'm'), 0::bigint, 'none of them was written');
SELECT has_table('dictionary_test', 'event', 'and no table is gone');
SELECT refused($$SELECT activity_metrics.define_metric('star', 'event', 'won', north_star => true)$$, '22023', 'is a surface metric, and no North Star');
SELECT lives_ok($$SELECT activity_metrics.define_metric('star', 'event', 'won', kind => 'outcome', north_star => true)$$, 'a North Star');
SELECT refused($$SELECT activity_metrics.define_metric('star2', 'event', 'won', kind => 'outcome', north_star => true)$$, '22023', 'a North Star already: "star"');
SELECT lives_ok($$SELECT activity_metrics.define_metric('star2', 'event', 'won', kind => 'outcome', north_star => true, scope => 'team')$$, 'another for another scope');
SELECT refused(query, state, message) FROM (VALUES
	($$SELECT * FROM activity_metrics.metric_values('cals')$$, '42704', '"cals"'), ($$SELECT * FROM activity_metrics.metric_values(NULL)$$, '42704', NULL), ($$SELECT * FROM activity_metrics.metric_values('calls', grain => 'x')$$, '22023', 'x'), ($$SELECT * FROM activity_metrics.metric_values('calls', by => 'team')$$, '22023', 'by is "team"'),
	($$SELECT * FROM activity_metrics.metric_values('calls', '2024-02-01', '2024-01-01')$$, '22023', 'since'), ($$SELECT * FROM activity_metrics.metric_panel('rate', 'avg_value', segment => 'team')$$, '42703', 'team')) AS v(query, state, message);
ALTER TABLE event RENAME COLUMN value TO amount;
SELECT refused(format('SELECT * FROM activity_metrics.%s', f), '42703', 'column "value" of metric "avg_value" does not exist') FROM unnest(ARRAY['metric_values(''avg_value'')', 'metric_panel(''avg_value'', ''calls'')', 'metric_panel(''calls'', ''avg_value'')']) AS f;
ALTER TABLE event RENAME COLUMN amount TO value;
ALTER TABLE event RENAME TO moved;
SELECT refused(format('SELECT * FROM activity_metrics.%s', f), '42P01', 'relation dictionary_test.event of metric "(calls|wons)" does not exist') FROM unnest(ARRAY['metric_values(''calls'')', 'metric_values(''rate'')', 'metric_values(''follow'')', 'metric_panel(''rate'', ''wons'')', 'lead_lag_report(''calls'', ''wons'')']) AS f;
ALTER TABLE moved RENAME TO event;

-- formulas run as their caller; a superuser is told whose they are
CREATE ROLE am_dictionary_author;
GRANT USAGE ON SCHEMA activity_metrics, dictionary_test TO am_dictionary_author;
GRANT SELECT ON event TO am_dictionary_author;
GRANT SELECT, INSERT, UPDATE, DELETE ON activity_metrics.metric, activity_metrics.metric_history TO am_dictionary_author;
SET LOCAL ROLE am_dictionary_author;
SELECT activity_metrics.define_metric('theirs', 'event', filter => 'id > 0', tz => 'Europe/Berlin') \gset
SELECT throws_ok($$SELECT activity_metrics.define_metric('secret', 'event', filter => 'EXISTS (SELECT FROM dictionary_test.done)')$$, '42501', NULL, 'a filter may read what its author may');
INSERT INTO activity_metrics.metric (metric, label, kind, agg, source_relation, time_column, actor_column, tz, filter_sql, changed_by) VALUES ('forged', 'f', 'surface', 'count', 'dictionary_test.event', 'at', 'actor', 'UTC', 'true', 'postgres');
RESET ROLE;
SELECT is((SELECT changed_by FROM activity_metrics.metric WHERE metric = 'forged'), 'am_dictionary_author', 'an author cannot be made up');
UPDATE activity_metrics.metric SET label = 'of the author' WHERE metric = 'theirs';
CREATE FUNCTION warned(m text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	-- a warning cannot be caught: its text is where the check makes it
	RETURN (SELECT coalesce(max(h.changed_by), 'none') FROM activity_metrics.metric_history h JOIN activity_metrics.metric USING (metric, definition_version) WHERE h.metric = m);
END;
$$;
SELECT is(warned('theirs'), 'am_dictionary_author', 'whose formula it is does not change with the label');
SET LOCAL client_min_messages = error;
SELECT lives_ok($$SELECT * FROM activity_metrics.metric_values('theirs')$$, 'a superuser may run it all the same');
SET LOCAL client_min_messages = warning;
DELETE FROM activity_metrics.metric WHERE metric = ANY (ARRAY['theirs', 'forged']);

--
-- our own JSON
--
INSERT INTO activity_metrics.annotation (metric, unit, at, kind, note) VALUES (NULL, NULL, '2024-05-01Z', 'holiday', 'May Day'), ('calls', 'rep 1', '2024-05-02 03:04:05.678901Z', 'event', E'a "note"\nof two lines');
UPDATE activity_metrics.metric SET warn_low = 0.1, crit_low = 1e-300, baseline = 1.0 / 3, synonyms = 'rings, dials', tags = 'sales, phone', review_on = '2025-01-01' WHERE metric = 'calls';
CREATE TABLE metric_before AS TABLE activity_metrics.metric;
CREATE TABLE annotation_before AS TABLE activity_metrics.annotation;
CREATE TABLE exported AS SELECT activity_metrics.export_dictionary() AS text;
DELETE FROM activity_metrics.annotation;
SELECT lives_ok('DELETE FROM activity_metrics.metric', 'all metrics can go at once');
SELECT is((SELECT activity_metrics.import_dictionary(text) FROM exported), (SELECT count(*) FROM metric_before), 'import says how many metrics');
SELECT bag_eq('TABLE activity_metrics.metric', 'TABLE metric_before', 'and brings every row back as it was');
SELECT bag_eq('SELECT metric, unit, at, kind, note, created_by, created_at FROM activity_metrics.annotation', 'SELECT metric, unit, at, kind, note, created_by, created_at FROM annotation_before', 'and every note');
SELECT is(activity_metrics.export_dictionary(), (SELECT text FROM exported), 'exported again it is the same text');
SELECT is((SELECT activity_metrics.import_dictionary(text, true) FROM exported), (SELECT count(*) FROM metric_before), 'import over what is there');
SELECT is((SELECT count(*) FROM activity_metrics.annotation), (SELECT count(*) FROM annotation_before), 'makes no note twice');
SELECT is((SELECT max(definition_version) FROM activity_metrics.metric), (SELECT max(definition_version) FROM metric_before), 'and no version');
SELECT refused((SELECT format('SELECT activity_metrics.import_dictionary(%L)', text) FROM exported), '42710', 'is in the dictionary already');
SELECT refused('SELECT activity_metrics.import_dictionary(' || quote_nullable(j) || ')', state, message) FROM (VALUES
	(NULL, '22004', 'null'), ('', '22023', 'not JSON'), ('{', '22023', 'not JSON'), ('[]', '22023', 'no dictionary'), ('"x"', '22023', 'no dictionary'), ('{"format": "else"}', '22023', 'no dictionary'), ('{"format": "activity_metrics dictionary"}', '22023', 'format_version null'),
	('{"format": "activity_metrics dictionary", "format_version": 2}', '22023', 'format_version 2'), ('{"format": "activity_metrics dictionary", "format_version": 1, "metrics": []}', '22023', 'unknown key "metrics"'),
	('{"format": "activity_metrics dictionary", "format_version": 1, "metric": {}}', '22023', 'not an array'), ('{"format": "activity_metrics dictionary", "format_version": 1, "metric": [1]}', '22023', 'row 1 of "metric" is not an object'),
	('{"format": "activity_metrics dictionary", "format_version": 1, "metric": [{"metric": "x", "lable": "y"}]}', '22023', 'row 1 of "metric" has an unknown key "lable"'), ('{"format": "activity_metrics dictionary", "format_version": 1, "annotation": [{"nota": "y"}]}', '22023', 'unknown key "nota"')) AS v(j, state, message);
SELECT throws_ok($$SELECT activity_metrics.import_dictionary('{"format": "activity_metrics dictionary", "format_version": 1, "metric": [{"metric": "X"}]}')$$, '23514', NULL, 'the table refuses what it does not take');
SELECT is(activity_metrics.import_dictionary('{"format": "activity_metrics dictionary", "format_version": 1, "metric": [{"metric": "short", "agg": "count", "source_relation": "no.where", "time_column": "at", "actor_column": "actor"}]}'), 1::bigint, 'a row may be short, and its relation not there yet');
SELECT results_eq($$SELECT label, kind, grain, tz, definition_version FROM activity_metrics.metric WHERE metric = 'short'$$, $$VALUES ('short', 'surface', 'week', 'UTC', 1)$$, 'the rest is as of define_metric');

--
-- JSON of other tools: no key but those they know, none missing
--
CREATE TABLE fusion AS SELECT activity_metrics.export_dbt()::jsonb AS j;
CREATE TABLE old_dbt AS SELECT activity_metrics.export_dbt('1.x')::jsonb AS j;
CREATE TABLE ossie AS SELECT activity_metrics.export_ossie()::jsonb AS j;
SELECT bag_eq('SELECT jsonb_object_keys(j) FROM fusion', ARRAY['version', 'models', 'metrics'], 'dbt: keys');
SELECT is_empty($$SELECT k FROM fusion, jsonb_array_elements(j -> 'models') AS m, jsonb_object_keys(m) AS k WHERE k <> ALL (ARRAY['name', 'description', 'agg_time_dimension', 'semantic_model', 'primary_entity', 'columns', 'metrics'])$$, 'dbt: keys of models');
CREATE TABLE fusion_metric AS SELECT m FROM fusion, jsonb_path_query(j, '$.models[*].metrics[*]') AS m UNION ALL SELECT m FROM fusion, jsonb_path_query(j, '$.metrics[*]') AS m;
SELECT is_empty($$SELECT k FROM fusion_metric, jsonb_object_keys(m) AS k WHERE k <> ALL (ARRAY['name', 'label', 'description', 'type', 'agg', 'percentile', 'percentile_type', 'expr', 'agg_time_dimension', 'fill_nulls_with', 'config', 'numerator', 'denominator', 'metrics',
	'input_metric', 'window', 'base_metric', 'conversion_metric', 'calculation', 'entity'])$$, 'dbt: keys of metrics');
SELECT is_empty($$SELECT m FROM fusion_metric WHERE m ->> 'type' = 'simple' AND (m ->> 'agg' <> ALL (ARRAY['sum', 'min', 'max', 'count_distinct', 'average', 'percentile', 'median', 'count']) OR m ->> 'expr' IS NULL OR (m ->> 'agg' = 'percentile') <> (m ? 'percentile'))$$, 'dbt: aggregates that it knows');
SELECT is_empty($$SELECT m FROM fusion_metric WHERE CASE m ->> 'type' WHEN 'simple' THEN NOT m ? 'agg' WHEN 'ratio' THEN NOT m ?& ARRAY['numerator', 'denominator'] WHEN 'derived' THEN NOT m ?& ARRAY['expr', 'metrics'] WHEN 'cumulative' THEN NOT m ?& ARRAY['input_metric', 'window']
	WHEN 'conversion' THEN NOT m ?& ARRAY['base_metric', 'conversion_metric', 'entity', 'window', 'calculation'] ELSE true END$$, 'dbt: what each type needs');
SELECT is_empty($$SELECT r FROM fusion_metric, LATERAL (SELECT m ->> 'numerator' UNION ALL SELECT m ->> 'denominator' UNION ALL SELECT m ->> 'input_metric' UNION ALL SELECT m ->> 'base_metric' UNION ALL SELECT m ->> 'conversion_metric' UNION ALL SELECT jsonb_path_query(m, '$.metrics[*].name') #>> '{}') AS u(r)
	WHERE r IS NOT NULL AND r NOT IN (SELECT m ->> 'name' FROM fusion_metric)$$, 'dbt: every metric that is named is there');
SELECT set_eq($$SELECT metric FROM activity_metrics.metric WHERE metric NOT IN (SELECT m ->> 'name' FROM fusion_metric)$$, ARRAY['spread'], 'dbt: all but the expression');
SELECT results_eq($$SELECT m ->> 'expr', m -> 'config' -> 'tags' FROM fusion_metric WHERE m ->> 'name' = ANY (ARRAY['calls', 'sum_value']) ORDER BY 1$$,
	$$VALUES ('CASE WHEN kind IN (''call'') AND (status IS NULL OR lower(trim(status)) NOT IN (''planned'', ''cancelled'', ''canceled'', ''no_show'', ''no-show'', ''no show'')) THEN 1 END', '["sales", "phone"]'::jsonb),
	('CASE WHEN kind IN (''won'') AND (status IS NULL OR lower(trim(status)) NOT IN (''planned'', ''cancelled'', ''canceled'', ''no_show'', ''no-show'', ''no show'')) THEN value END', NULL)$$, 'dbt: kinds and states are in the expression');
SELECT bag_eq('SELECT jsonb_object_keys(j) FROM old_dbt', ARRAY['version', 'semantic_models', 'metrics'], 'dbt 1.x: keys');
SELECT is_empty($$SELECT k FROM old_dbt, jsonb_array_elements(j -> 'metrics') AS m, jsonb_object_keys(m) AS k WHERE k <> ALL (ARRAY['name', 'label', 'description', 'type', 'type_params'])$$, 'dbt 1.x: keys of metrics, no config');
SELECT is_empty($$SELECT m FROM old_dbt, jsonb_array_elements(j -> 'metrics') AS m WHERE NOT m ?& ARRAY['name', 'label', 'type', 'type_params']$$, 'dbt 1.x: what metrics need');
SELECT is_empty($$SELECT k FROM old_dbt, jsonb_array_elements(j -> 'semantic_models') AS s, jsonb_object_keys(s) AS k WHERE k <> ALL (ARRAY['name', 'model', 'description', 'defaults', 'primary_entity', 'entities', 'dimensions', 'measures'])$$, 'dbt 1.x: keys of semantic models');
SELECT is_empty($$SELECT n FROM old_dbt, jsonb_path_query(j, '$.semantic_models[*].*[*].name') AS n WHERE n #>> '{}' !~ '^[a-z][a-z0-9_]*[a-z0-9]$' OR n #>> '{}' ~ '__'$$, 'dbt 1.x: names that it takes');
SELECT is_empty($$SELECT n FROM old_dbt, jsonb_path_query(j, '$.metrics[*].type_params.measure.name') AS n WHERE n NOT IN (SELECT jsonb_path_query(j, '$.semantic_models[*].measures[*].name') FROM old_dbt)$$, 'dbt 1.x: every measure is there');
SELECT refused(format('SELECT activity_metrics.export_dbt(%L)', v), '22023', 'unknown version') FROM unnest(ARRAY[NULL, '', '3', 'Fusion']) AS v;
SELECT results_eq($$SELECT j ->> 'version', jsonb_array_length(j -> 'semantic_model') FROM ossie$$, $$VALUES ('0.2.0.dev0', 1)$$, 'Ossie: version');
SELECT is_empty($$SELECT k FROM ossie, jsonb_object_keys(j -> 'semantic_model' -> 0) AS k WHERE k <> ALL (ARRAY['name', 'description', 'datasets', 'metrics'])$$, 'Ossie: keys of the model');
SELECT is_empty($$SELECT m FROM ossie, jsonb_path_query(j, '$.semantic_model[*].metrics[*]') AS m WHERE NOT m ?& ARRAY['name', 'expression'] OR m - ARRAY['name', 'expression', 'description', 'ai_context', 'custom_extensions'] <> '{}'$$, 'Ossie: keys of metrics');
SELECT is_empty($$SELECT m FROM ossie, jsonb_path_query(j, '$.semantic_model[*].datasets[*]') AS m WHERE NOT m ?& ARRAY['name', 'source'] OR m - ARRAY['name', 'source', 'fields'] <> '{}'$$, 'Ossie: keys of datasets');
SELECT is_empty($$SELECT m FROM ossie, jsonb_path_query(j, '$.semantic_model[*].metrics[*].custom_extensions[*]') AS m WHERE m ->> 'vendor_name' <> 'ACTIVITY_METRICS' OR jsonb_typeof((m ->> 'data')::jsonb) <> 'object'$$, 'Ossie: extensions are text with JSON');
SELECT set_eq($$SELECT n #>> '{}' FROM ossie, jsonb_path_query(j, '$.semantic_model[*].metrics[*].name') AS n$$, 'SELECT metric FROM activity_metrics.metric', 'Ossie: all metrics');
-- the expressions compute what we compute, over all time
DELETE FROM activity_metrics.metric WHERE metric = 'short';
CREATE FUNCTION of_ossie(m text) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
	expression text; result double precision;
BEGIN
	SELECT x -> 'expression' -> 'dialects' -> 0 ->> 'expression' INTO expression FROM ossie, jsonb_path_query(j, '$.semantic_model[*].metrics[*]') AS x WHERE x ->> 'name' = m;
	EXECUTE format('SELECT (%s)::float8 FROM dictionary_test.event WHERE extract(year FROM at) = 2024', expression) INTO result;
	RETURN result;
END;
$$;
SELECT is(round(of_ossie(m)::numeric, 9), round(v.value::numeric, 9), 'Ossie: computes ' || m) FROM unnest(ARRAY['calls', 'large', 'entities', 'sum_value', 'avg_value', 'min_value', 'max_value', 'median_value', 'p95_value', 'rate', 'both', 'mixed']) AS m,
	activity_metrics.metric_values(m, '2024-01-01Z', '2025-01-01Z', 'year') AS v;
DELETE FROM activity_metrics.metric;
SELECT is(activity_metrics.export_ossie()::jsonb, '{"version": "0.2.0.dev0", "semantic_model": []}', 'Ossie: an empty dictionary');
SELECT is(activity_metrics.export_dbt()::jsonb, '{"version": 2, "models": [], "metrics": []}', 'dbt: an empty dictionary');
SELECT is(activity_metrics.export_dbt('1.x')::jsonb, '{"version": 2, "semantic_models": [], "metrics": []}', 'dbt 1.x: an empty dictionary');

SELECT is(ARRAY(SELECT activity_metrics.whole_window(d) FROM unnest(ARRAY[7, 7.5, 0.001, 30, NULL]) WITH ORDINALITY AS t(d, i) ORDER BY i), ARRAY['7 days', '180 hours', '2 minutes', '30 days', NULL], 'windows of dbt are whole');
SELECT * FROM finish();
ROLLBACK;
