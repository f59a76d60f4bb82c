-- panel_dose_response(), panel_dose_sentence(), dose_report(): how much of x for one more y.
BEGIN;
SELECT no_plan();
CREATE SCHEMA dose_test;
SET LOCAL search_path = dose_test, public;

-- 16 reps, 60 weeks: each call brings a win 2 weeks later in 1 of 25 cases, and there are others
SELECT setseed(0.375) IS NULL AS seeded \gset
CREATE TABLE week AS
	SELECT 'rep ' || unit AS unit, period, CASE WHEN unit % 2 = 0 THEN 'North' ELSE 'South' END AS region, calls, wins, 7 AS constant, 'text' AS note
	FROM (SELECT unit, period, calls, lag(calls, 2, 0) OVER (PARTITION BY unit ORDER BY period) AS earlier
		FROM (SELECT unit, period, (2 + floor(random() * (10 + unit)))::integer AS calls FROM generate_series(1, 16) AS unit, generate_series(2800, 2859) AS period) AS c) AS s,
		LATERAL (SELECT (count(*) FILTER (WHERE random() < 0.04))::integer AS wins FROM generate_series(1, earlier + 2)) AS w;
ANALYZE week;

CREATE TABLE found AS SELECT (activity_metrics.panel_dose_response(unit, period, calls, wins, 2, NULL)).* FROM week;
SELECT ok(verdict IS NULL AND lag_from = 2 AND lag_to = 2 AND reason IS NULL, 'the lag as given') FROM found;
SELECT is((total_x, total_y, average), (sum(calls)::float8, sum(wins)::float8, sum(calls)::float8 / sum(wins)), 'average') FROM found, week GROUP BY total_x, total_y, average;
SELECT is(n, (SELECT count(*) FROM week WHERE period >= 2803), 'the first weeks have no lags') FROM found;
SELECT is((units, periods), (16, 57), 'units and periods') FROM found;
SELECT ok(low < elasticity AND elasticity < high AND p < 0.001 AND marginal_low < 25 AND 25 < marginal_high, 'the truth is in the interval: ' || round(marginal_low) || ' to ' || round(marginal_high)) FROM found;
SELECT ok(abs(marginal - usual_x / (elasticity * usual_y)) < 1e-9 AND abs(marginal_low - usual_x / (high * usual_y)) < 1e-9 AND abs(marginal_high - usual_x / (low * usual_y)) < 1e-9, 'one more takes mean(x) / (b mean(y))') FROM found;
SELECT is((round(usual_x::numeric, 9), round(usual_y::numeric, 9)), (SELECT (round(avg(x)::numeric, 9), round(avg(wins)::numeric, 9)) FROM (SELECT wins, period, lag(calls, 2) OVER (PARTITION BY unit ORDER BY period) AS x FROM week) AS w WHERE period >= 2803), 'usual levels') FROM found;

SELECT ok(slope_below_low < slope_below AND slope_above < slope_above_high AND p_bend BETWEEN 0.001 AND 1, 'two slopes that do not differ') FROM found;
SELECT ok(abs(f.aic_linear - d.aic) < 1e-6, 'AIC of the line as dose_response has it') FROM found AS f, (SELECT array_agg(x ORDER BY unit, period) AS x, array_agg(wins::float8 ORDER BY unit, period) AS y
	FROM (SELECT unit, wins, period, lag(calls, 2) OVER (PARTITION BY unit ORDER BY period)::float8 AS x FROM week) AS w WHERE period >= 2803) AS a, activity_metrics.dose_response(a.x, a.y) AS d WHERE d.model = 'linear';
SELECT is(curve, (SELECT model FROM (VALUES ('linear', aic_linear), ('logarithmic', aic_logarithmic), ('saturating', aic_saturating)) AS v(model, aic) ORDER BY aic LIMIT 1), 'the curve has the smallest of three') FROM found;

-- unit types, order of rows, events added up, parallel plans
SELECT is((activity_metrics.panel_dose_response(unit, period, calls, wins, 2, NULL ORDER BY md5(unit || period)))::text, f::text, 'any order') FROM week, found AS f GROUP BY f.*;
SELECT ok(abs((activity_metrics.panel_dose_response(substr(unit, 5)::bigint, period, calls, wins, 2, 2)).elasticity - elasticity) < 1e-10, 'numbers as units') FROM week, found GROUP BY elasticity;
SELECT ok(abs((activity_metrics.panel_dose_response(md5(unit)::uuid, period, calls, wins, 2, 2)).elasticity - elasticity) < 1e-10, 'uuids as units') FROM week, found GROUP BY elasticity;
SELECT is((activity_metrics.panel_dose_response(unit, period, x, y, 2, NULL))::text, f::text, 'events')
	FROM (SELECT unit, period, 1 AS x, 0 AS y FROM week, generate_series(1, calls) UNION ALL SELECT unit, period, 0, 1 FROM week, generate_series(1, wins)) AS e, found AS f GROUP BY f.*;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2;
CREATE FUNCTION plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$BEGIN RETURN QUERY EXECUTE 'EXPLAIN ' || query; END$$;
SELECT ok(bool_or(line LIKE '%Partial Aggregate%'), 'in parallel') FROM plan_of('SELECT activity_metrics.panel_dose_response(unit, period, calls, wins, 2, NULL) FROM dose_test.week') AS line;
SELECT is((activity_metrics.panel_dose_response(unit, period, calls, wins, 2, NULL))::text, f.row::text, 'the same in parallel') FROM week, (SELECT found AS row FROM found) AS f GROUP BY f.row;
RESET max_parallel_workers_per_gather;

-- the lag of lead_lag, the report, segments
SELECT results_eq($$SELECT verdict, lag_from, lag_to FROM activity_metrics.dose_report('calls', 'wins', relation => 'week')$$, $$VALUES ('leading', 2, 2)$$, 'the lag is found');
SELECT is((r.elasticity, r.low, r.high, r.marginal, r.n), (f.elasticity, f.low, f.high, f.marginal, f.n), 'the report is the aggregate') FROM activity_metrics.dose_report('calls', 'wins', relation => 'week', lag_from => 2) AS r, found AS f;
SELECT alike(sentence, 'To raise wins by one takes about % more calls (% to %) 2 weeks before, where % calls and % wins for each unit and week are usual (912 unit-weeks of 16 units). On average there are % calls for each of wins (% to %). Plan with the first figure: %', 'in words')
	FROM activity_metrics.dose_report('calls', 'wins', relation => 'week');
SELECT results_eq($$SELECT segment, units, lag_from, lag_to FROM activity_metrics.dose_report('calls', 'wins', relation => 'week', segment => 'region', lag_from => 1, lag_to => 3)$$, $$VALUES ('North', 8, 1, 3), ('South', 8, 1, 3)$$, 'segments');
SELECT is(average, (SELECT sum(calls)::float8 / sum(wins) FROM week WHERE period BETWEEN 2810 AND 2829), 'since and until')
	FROM activity_metrics.dose_report('calls', 'wins', 'week', '1970-01-01Z'::timestamptz + 2810 * interval '7 days' - interval '3 days', '1970-01-01Z'::timestamptz + 2830 * interval '7 days' - interval '3 days', relation => 'week');

-- more than about 10 calls bring nothing more
CREATE TABLE full_up AS
	SELECT unit, period, calls, wins FROM (SELECT unit, period, calls, lag(calls, 1, 0) OVER (PARTITION BY unit ORDER BY period) AS earlier
		FROM (SELECT unit, period, (1 + floor(random() * 30))::integer AS calls FROM generate_series(1, 12) AS unit, generate_series(1, 80) AS period) AS c) AS s,
		LATERAL (SELECT (count(*) FILTER (WHERE random() < 0.3))::integer AS wins FROM generate_series(1, least(earlier, 10))) AS w;
SELECT ok(p_bend < 0.001 AND slope_above_high < slope_below_low AND curve = 'saturating' AND half_x < 15, 'where it saturates: slopes ' || round(slope_below::numeric, 2) || ' and ' || round(slope_above::numeric, 2)) FROM activity_metrics.dose_report('calls', 'wins', relation => 'full_up', lag_from => 1);
SELECT alike(sentence, '%Above the usual level it brings less (1 \% more: % \% of wins, below it % \%): raise those who are below.', 'in words') FROM activity_metrics.dose_report('calls', 'wins', relation => 'full_up', lag_from => 1);
SELECT unalike(sentence, '%Above the usual%', 'not where it does not') FROM activity_metrics.dose_report('calls', 'wins', relation => 'week', lag_from => 2);

-- what is not shown: the other way round, constants, one unit, one period, nothing
SELECT is((reason, lag_from, elasticity), ('no_lag'::text, NULL::integer, NULL::float8), 'wins do not lead calls') FROM activity_metrics.dose_report('wins', 'calls', relation => 'week');
SELECT alike(sentence, 'On average there are % wins for each of calls%No evidence that changes in wins come before changes in calls, or with them%lag_from.', 'in words') FROM activity_metrics.dose_report('wins', 'calls', relation => 'week');
SELECT ok(low <= 0 AND marginal_high IS NULL AND sentence LIKE 'More wins are not shown to bring more calls: 1 % more 4 weeks before goes with %Do not plan with it%', 'open above') FROM activity_metrics.dose_report('wins', 'calls', relation => 'week', lag_from => 4);
SELECT is((reason, elasticity, low, p, marginal, slope_below), ('no_variation'::text, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8), 'a constant') FROM activity_metrics.dose_report('constant', 'wins', relation => 'week', lag_from => 1);
SELECT is((reason, elasticity), ('one_unit'::text, NULL::float8), 'one unit') FROM activity_metrics.dose_report('calls', 'wins', relation => 'week', lag_from => 1, segment => 'unit') WHERE segment = 'rep 3';
CREATE VIEW short AS SELECT * FROM week WHERE period = 2803;
SELECT is((reason, elasticity), ('too_few_rows'::text, NULL::float8), 'one period') FROM activity_metrics.dose_report('calls', 'wins', relation => 'short', lag_from => 1);
SELECT is((reason, verdict), ('no_lag'::text, 'insufficient_evidence'::text), 'and no lag') FROM activity_metrics.dose_report('calls', 'wins', relation => 'short');
CREATE VIEW none AS SELECT * FROM week WHERE false;
SELECT is((reason, average, average_low, n), ('no_lag'::text, NULL::float8, NULL::float8, 0::bigint), 'no rows') FROM activity_metrics.dose_report('calls', 'wins', relation => 'none');
SELECT is((average, average_low, average_high), (NULL::float8, (SELECT sum(calls) / 3.0 FROM week)::float8, NULL::float8), 'nothing yet: at least a third') FROM (SELECT (activity_metrics.panel_dose_response(unit, period, calls, 0, 2, NULL)).* FROM week) AS d;
SELECT alike(activity_metrics.panel_dose_sentence(activity_metrics.panel_dose_response(unit, period, calls, 0, 2, NULL), 'calls', 'wins', 'week'), 'No wins with % calls: one takes % or more.%too few%', 'in words') FROM week;
SELECT is(activity_metrics.panel_dose_sentence(NULL), NULL, 'a NULL result');
SELECT is(activity_metrics.panel_dose_response(unit, period, calls, wins, 2, NULL), NULL, 'an aggregate of no rows') FROM none;
SELECT ok(d.n = f.n - 8 * 1, 'where something is not known nothing is filled, and rows without all lags do not count')
	FROM (SELECT (activity_metrics.panel_dose_response(unit, period, calls, CASE WHEN period <> 2859 OR region = 'North' THEN wins END, 2, NULL)).* FROM week) AS d, found AS f;
-- what an event brings is known to the database: 9 of 500
SELECT is((round(average), round(average_low), round(average_high)), (56::float8, 30::float8, 121::float8), '9 of 500: 56 for one (30 to 121)')
	FROM (SELECT (activity_metrics.panel_dose_response(i % 10, i / 10, 1, (i < 9)::integer, 1, NULL)).* FROM generate_series(0, 499) AS i) AS d;

-- bad input
SELECT throws_ok($$SELECT activity_metrics.panel_dose_response(unit, period, calls, wins, -1, NULL) FROM week$$, '22023', 'lag_from is -1');
SELECT throws_ok($$SELECT activity_metrics.panel_dose_response(unit, period, calls, wins, 3, 2) FROM week$$, '22023', 'lag_to is 2, lag_from is 3');
SELECT throws_ok($$SELECT activity_metrics.panel_dose_response(unit, period, calls, wins, 0, 13) FROM week$$, '22023', 'lag_to is 13, lag_from is 0');
SELECT throws_ok($$SELECT activity_metrics.panel_dose_response(unit, period, calls, wins, NULL, 2) FROM week$$, '22023', 'lag_to is 2, but lag_from is NULL');
SELECT throws_ok($$SELECT activity_metrics.panel_dose_response(unit, period, calls, wins, 59, NULL) FROM week$$, '22023', 'lag_to is 59, but the longest unit has only 60 periods');
SELECT lives_ok($$SELECT activity_metrics.panel_dose_response(unit, period, calls, wins, 58, NULL) FROM week$$, 'the largest possible');
SELECT throws_ok($$SELECT activity_metrics.panel_dose_response(unit, period, calls, wins, period::integer % 2, NULL) FROM week$$, '22023', 'lag_from changes within a group');
SELECT throws_ok($$SELECT activity_metrics.panel_dose_response(unit, period, -calls, wins, 2, NULL) FROM week$$, '22023');
SELECT throws_ok($$SELECT activity_metrics.panel_dose_response(unit, period, calls, 'NaN', 2, NULL) FROM week$$, '22003', 'y is NaN');
SELECT throws_ok($$SELECT activity_metrics.panel_dose_response(unit, period, 'Infinity', wins, 2, NULL) FROM week$$, '22003', 'x is Infinity');
SELECT throws_ok($$SELECT * FROM activity_metrics.dose_report('calls', 'wins')$$, '42704');
SELECT throws_ok($$SELECT * FROM activity_metrics.dose_report('call', 'wins', relation => 'week')$$, '42703');
SELECT throws_ok($$SELECT * FROM activity_metrics.dose_report('note', 'wins', relation => 'week')$$, '42804');
SELECT throws_ok($$SELECT * FROM activity_metrics.dose_report('calls', 'wins', NULL, relation => 'week')$$, '22004');
SELECT throws_ok($$SELECT * FROM activity_metrics.dose_report('calls', 'wins', since => 'today', until => 'yesterday', relation => 'week')$$, '22023');

SELECT * FROM finish();
ROLLBACK;
