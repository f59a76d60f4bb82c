-- vanity_report(): lag_prior, r of the dashboard, what it says where activity stops at the outcome; lag_prior() and vanity_chart().
BEGIN;
SELECT no_plan();
CREATE SCHEMA report_test;
SET LOCAL search_path = report_test, public;
SELECT setseed(0.125) IS NULL AS seeded \gset

-- reps whose demos bring wins three weeks later
CREATE TABLE week AS
	SELECT 'rep ' || u AS unit, p AS period, calls, demos, floor(random() * 2 + 1.5 * coalesce(lag(demos, 3) OVER (PARTITION BY u ORDER BY p), 0)) AS wins, 7 AS constant
	FROM (SELECT u, p, floor(random() * 20) AS calls, floor(random() * 5) AS demos FROM generate_series(1, 14) AS u, generate_series(1, 70) AS p) AS s;
INSERT INTO week VALUES ('rep 1', NULL, 1, 2, 3), (NULL, 5, 1, 2, 3), ('rep 1', 5, NULL, 2, 3), ('rep 1', 5, 1, 2, NULL), ('rep 2', 5, 1.5, 2, 3.25);
CREATE TABLE report AS SELECT * FROM activity_metrics.vanity_report('wins', relation => 'week');
SELECT ok(abs(r.r_dashboard - c.r) < 1e-12, 'r of the dashboard is corr() of the rows of the panel: ' || r.metric) FROM report AS r JOIN (
	SELECT 'demos' AS metric, corr(x, y) AS r FROM (SELECT sum(demos) AS x, sum(wins) AS y FROM week WHERE demos + wins IS NOT NULL AND unit IS NOT NULL AND period IS NOT NULL GROUP BY unit, period) AS s
	UNION ALL SELECT 'calls', corr(x, y) FROM (SELECT sum(calls) AS x, sum(wins) AS y FROM week WHERE calls + wins IS NOT NULL AND unit IS NOT NULL AND period IS NOT NULL GROUP BY unit, period) AS s) AS c USING (metric);
SELECT ok(r_dashboard IS NULL, 'no r of what does not vary') FROM activity_metrics.vanity_report('wins', relation => 'week', metrics => '{constant}', since => '1970-03-01Z');
SELECT ok(r_dashboard IS NULL AND n = 0, 'nor of no rows') FROM activity_metrics.vanity_report('wins', relation => 'week', metrics => '{demos}', since => '2100-01-01Z');

-- a range of lags is the option of the aggregate
SELECT results_eq(format($$SELECT score, verdict, lag_from, lag_to, elasticity FROM activity_metrics.vanity_report('wins', relation => 'week', metrics => '{demos}', lag_prior => %L)$$, prior),
	format($$SELECT (v).score, (v).verdict, (v).lag_from, (v).lag_to, (v).elasticity FROM (SELECT activity_metrics.vanity(unit, period, demos, wins, NULL, 'lag prior %s') AS v FROM week) AS t$$, translate(prior, E' \t\n', '')), 'lag_prior ' || prior)
	FROM unnest(ARRAY['2..6', '3..3', ' 5 .. 8 ', E'2\t..6\n']) AS prior;
SELECT ok(lag_from >= 6 AND verdict <> 'leading_indicator', 'without the lag it does not lead') FROM activity_metrics.vanity_report('wins', relation => 'week', metrics => '{demos}', lag_prior => '6..9');
SELECT results_eq($$SELECT metric, score FROM activity_metrics.vanity_report('wins', relation => 'week', lag_prior => NULL)$$, 'SELECT metric, score FROM report', 'lag_prior NULL is none');

--
-- lag_prior() of a funnel: quantiles of the periods between the earliest end and the latest start before it
--
CREATE TABLE event AS
	SELECT i AS n, CASE WHEN random() < 0.97 THEN floor(random() * 300)::bigint END AS entity, '2024-01-03 22:00Z'::timestamptz + floor(random() ^ 2 * 900) * interval '6 hours' AS at, 'rep ' || floor(random() * 3) AS actor,
		(ARRAY['demo', 'demo', 'won', 'call', 'mail'])[1 + floor(random() * 5)::integer] AS kind, CASE WHEN random() < 0.1 THEN 'Cancelled' END AS status FROM generate_series(1, 2500) AS i;
CREATE FUNCTION periods_between(grain text, tz text, since timestamptz, until timestamptz) RETURNS TABLE (lag bigint) LANGUAGE sql AS $$
	WITH e AS (SELECT * FROM event WHERE status IS NULL AND entity IS NOT NULL AND (since IS NULL OR at >= since) AND (until IS NULL OR at < until)),
	ended AS (SELECT b.entity, min(b.at) AS at FROM e AS b WHERE b.kind = 'won' AND EXISTS (SELECT FROM e AS a WHERE a.entity = b.entity AND a.kind = 'demo' AND a.at <= b.at) GROUP BY 1)
	SELECT activity_metrics.period_no(b.at, grain, tz) - activity_metrics.period_no((SELECT max(a.at) FROM e AS a WHERE a.entity = b.entity AND a.kind = 'demo' AND a.at <= b.at), grain, tz) FROM ended AS b
$$;
SELECT is(activity_metrics.lag_prior('event', 'demo -> won', grain, since, until, tz => tz),
	(SELECT format('%s..%s', greatest(percentile_disc(0.1) WITHIN GROUP (ORDER BY lag), 1), greatest(percentile_disc(0.9) WITHIN GROUP (ORDER BY lag), 1)) FROM periods_between(grain, tz, since, until)),
	format('lag_prior by %s in %s', grain, tz))
	FROM (VALUES ('week', 'UTC', NULL::timestamptz, NULL::timestamptz), ('day', 'UTC', NULL, NULL), ('day', 'Asia/Tokyo', NULL, NULL), ('month', 'America/New_York', NULL, NULL), ('day', 'UTC', '2024-02-01Z', '2024-06-01Z')) AS v(grain, tz, since, until);
SELECT ok(activity_metrics.lag_prior('event', 'demo -> won', 'day') ~ '^[1-9][0-9]*[.][.][1-9][0-9]+$', activity_metrics.lag_prior('event', 'demo -> won', 'day'));
SELECT is(activity_metrics.lag_prior('event', 'demo -> absent'), NULL, 'nobody went all the way: NULL');
SELECT is(activity_metrics.lag_prior('event', 'demo -> won', since => '2024-01-04Z', until => '2024-01-05Z'), NULL, 'too few did: NULL');
SELECT is(activity_metrics.lag_prior('event', 'demo -> won', 'year'), '1..1', 'no shorter than one period');
CREATE VIEW "other names" AS SELECT entity AS "Deal", at AT TIME ZONE 'UTC' AS "When", kind AS "What", status AS "St" FROM event;
SELECT is(activity_metrics.lag_prior('"other names"', 'demo -> won', 'day', entity => 'Deal', at => 'When', kind => 'What', status => 'St'), activity_metrics.lag_prior('event', 'demo -> won', 'day'), 'names of columns');
SELECT throws_ok('SELECT activity_metrics.lag_prior(' || arguments || ')', state, NULL, format('lag_prior(%s): %s', arguments, state)) FROM (VALUES
	('NULL, ''a -> b''', '22004'), ('''event'', NULL', '22004'), ('''event'', ''a -> ''', '22023'), ('''event'', ''a -> b'', NULL', '22004'), ('''event'', ''a -> b'', ''fortnight''', '22023'), ('''event'', ''a -> b'', tz => ''Mars''', '22023'),
	('''event'', ''a -> b'', since => ''2024-02-01'', until => ''2024-01-01''', '22023'), ('''event'', ''a -> b'', entity => ''deal''', '42703'), ('''event'', ''a -> b'', at => ''kind''', '42804'), ('''event'', ''a -> b'', kind => NULL', '22004')) AS v(arguments, state);
SELECT throws_ok(format($$SELECT * FROM activity_metrics.vanity_report('wins', relation => 'week', lag_prior => %L)$$, prior), '22023', NULL, 'not a range of lags: ' || prior)
	FROM unnest(ARRAY['', '2', 'demo -> won', '2..6, target 5 from 3', '6..2', '0..3', '-1..4', '1..99999', '1..9999', '2.5..6', E'2..6\n; x']) AS prior;

--
-- Where activity stops at the outcome
--
CREATE TABLE deal AS
	SELECT entity, at, kind, 'rep ' || entity % 7 AS actor, CASE WHEN kind = 'mail' AND random() < 0.1 THEN 'planned' END AS status FROM (
		SELECT e AS entity, '2024-01-01 09:00Z'::timestamptz + (e % 200) * interval '1 day' + i * interval '2 days' AS at, CASE WHEN i = 4 + e % 3 AND e % 2 = 0 THEN 'won' WHEN i % 2 = 0 THEN 'mail' ELSE 'call' END AS kind, i, e
		FROM generate_series(1, 400) AS e, generate_series(1, 9) AS i) AS s
	-- calls end at a win, mails do not
	WHERE NOT (kind = 'call' AND e % 2 = 0 AND i > 4 + e % 3);
SELECT activity_metrics.define_metric('calls', 'deal', 'call', label => 'calls, 5 %s %% it''s'), activity_metrics.define_metric('mails', 'deal', 'mail'), activity_metrics.define_metric('all_kinds', 'deal'), activity_metrics.define_metric('wins', 'deal', 'won', kind => 'outcome'),
	activity_metrics.define_metric('won_or_call', 'deal', 'won | call'), activity_metrics.define_metric('absent', 'deal', 'visit');
SELECT is(substring(next_step FROM 'Activity stops.*'), 'Activity stops after the outcome here (0 of 200 entities had more of it afterwards), so entities with fewer calls, 5 %s %% it''s look better: whether one more helps is what attempt_report(''report_test.deal'', ''call'', ''won'') says.', 'calls stop at a win')
	FROM activity_metrics.vanity_report('wins') WHERE metric = 'calls';
SELECT ok(next_step !~ 'stops', metric || ' do not, or it is not known') FROM activity_metrics.vanity_report('wins') WHERE metric <> 'calls' ORDER BY metric;
UPDATE activity_metrics.metric SET filter_sql = 'true' WHERE metric = 'calls';
SELECT unalike(next_step, '%stops%', 'a filter is more than kinds') FROM activity_metrics.vanity_report('wins', metrics => '{calls}');
UPDATE activity_metrics.metric SET filter_sql = NULL, entity_column = 'actor' WHERE metric = 'calls';
SELECT unalike(next_step, '%stops%', 'per actor they do not stop') FROM activity_metrics.vanity_report('wins', metrics => '{calls}');
UPDATE activity_metrics.metric SET entity_column = NULL WHERE metric = 'calls';
-- a few may go on, but no more than a twentieth
INSERT INTO deal SELECT e, '2024-12-20Z', 'call', 'rep 1' FROM generate_series(2, 20, 2) AS e;
SELECT alike(next_step, '%(10 of 200 entities%', 'a twentieth goes on') FROM activity_metrics.vanity_report('wins', metrics => '{calls}');
INSERT INTO deal VALUES (22, '2024-12-20Z', 'call', 'rep 1');
SELECT unalike(next_step, '%stops%', 'more than a twentieth') FROM activity_metrics.vanity_report('wins', metrics => '{calls}');
CREATE VIEW no_entity AS SELECT at, kind, actor FROM deal;
SELECT activity_metrics.define_metric('calls', 'no_entity', 'call'), activity_metrics.define_metric('wins', 'no_entity', 'won', kind => 'outcome');
SELECT unalike(next_step, '%stops%', 'no entity, no attempts') FROM activity_metrics.vanity_report('wins', metrics => '{calls}');
SELECT unalike(next_step, '%stops%', 'nor in two relations') FROM activity_metrics.vanity_report('wins', metrics => '{mails}');

-- metrics that are counted by GROUP BY share a panel: each row is that of the metric's own panel
CREATE VIEW moved AS SELECT deal.*, (entity % 5) / 5.0 AS quality FROM deal;
SELECT count(activity_metrics.define_metric(name, source, kinds, agg, value => 'entity', filter => filter)) AS defined FROM (VALUES ('deals_called', 'deal', 'call', 'count_distinct', NULL),
	('deals_mailed', 'deal', 'mail', 'count_distinct', NULL), ('even_calls', 'deal', 'call', 'count', 'entity % 2 = 0'), ('moved_calls', 'moved', 'call', 'count_distinct', NULL), ('moved_mails', 'moved', 'mail', 'count_distinct', 'entity > 9')) AS v(name, source, kinds, agg, filter) \gset
SELECT activity_metrics.define_metric('wins', 'deal', 'won', kind => 'outcome') \gset
CREATE FUNCTION alone(name text) RETURNS TABLE (score float8, verdict text, lag_from int, elasticity float8, n bigint, quality_gain float8) LANGUAGE sql AS $$
	SELECT (v).score, (v).verdict, (v).lag_from, (v).elasticity, (v).n, (v).quality_gain FROM (SELECT activity_metrics.vanity(p.unit, p.period, p.x, p.y, p.quality, activity_metrics.report_options(name, 'wins', 'week', NULL)) AS v
		FROM activity_metrics.metric_panel(name, 'wins') AS p WHERE p.is_complete) AS t
$$;
CREATE TABLE shared AS SELECT * FROM activity_metrics.vanity_report('wins');
SELECT results_eq(format($$SELECT score, verdict, lag_from, elasticity, n, quality_gain FROM shared WHERE metric = %L$$, metric), format($$SELECT * FROM alone(%L)$$, metric), 'shared or not: ' || metric) FROM shared;
SELECT is((SELECT count(*) FROM shared WHERE metric IN ('deals_called', 'deals_mailed', 'even_calls', 'moved_calls', 'moved_mails')), 5::bigint, 'all of them');
SELECT ok(s LIKE '%panel_2 AS MATERIALIZED%' AND s NOT LIKE '%panel_3 AS%', 'two relations, two panels') FROM activity_metrics.vanity_report_sql('wins', 'week', NULL, NULL, NULL, ARRAY['calls', 'deals_called', 'deals_mailed', 'even_calls', 'moved_calls', 'moved_mails'], NULL, NULL) AS s;
SELECT activity_metrics.define_metric('wins', 'deal', 'won', kind => 'outcome', agg => 'count_distinct', value => 'entity') \gset
TRUNCATE shared;
INSERT INTO shared SELECT * FROM activity_metrics.vanity_report('wins');
SELECT results_eq(format($$SELECT score, verdict, lag_from, elasticity, n, quality_gain FROM shared WHERE metric = %L$$, metric), format($$SELECT * FROM alone(%L)$$, metric), 'where the outcome is distinct: ' || metric) FROM shared;
SELECT results_eq($$SELECT metric, score FROM activity_metrics.vanity_report('wins', 'day', '2024-03-01Z', '2024-06-01Z', metrics => '{deals_mailed,calls,deals_mailed}') ORDER BY 1$$,
	$$SELECT u.metric, r.score FROM (VALUES ('calls'), ('deals_mailed'), ('deals_mailed')) AS u(metric), LATERAL activity_metrics.vanity_report('wins', 'day', '2024-03-01Z', '2024-06-01Z', metrics => ARRAY[u.metric]) AS r ORDER BY 1$$, 'a range, by day, one of them twice');

--
-- The chart
--
SELECT results_eq($$SELECT line FROM activity_metrics.vanity_chart('wins', relation => 'week') AS line$$,
	$$SELECT rpad(metric, 8) || ' ' || activity_metrics.bar(score, 1, 20) || ' ' || to_char(score::numeric, 'FM0.00') || ' ' || verdict FROM activity_metrics.vanity_report('wins', relation => 'week')$$, 'a line per metric, in order of the report');
SELECT ok(count(*) = 3 AND bool_and(line ~ '^\w+ +[# ]{10} [01]\.\d\d \w+$'), string_agg(line, E'\n')) FROM activity_metrics.vanity_chart('wins', relation => 'week', width => 10, ascii => true, lag_prior => '2..6') AS line;
SELECT ok(count(*) = 4, 'over the dictionary') FROM activity_metrics.vanity_chart('wins', metrics => '{calls,mails,calls,mails}') AS line;
SELECT throws_ok(format($$SELECT * FROM activity_metrics.vanity_chart('wins', relation => 'week', %s)$$, argument), state, NULL, format('vanity_chart %s: %s', argument, state)) FROM (VALUES
	('width => 0', '22023'), ('width => 201', '22023'), ('width => NULL', '22023'), ('lag_prior => ''x''', '22023'), ('unit => ''rep''', '42703'), ('metrics => ''{}''', '55000'), ('grain => NULL', '22004')) AS v(argument, state);

SELECT * FROM finish();
ROLLBACK;
