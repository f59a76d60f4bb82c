-- scorecard_report(), scorecard, sparkline().
BEGIN;
SELECT no_plan();
DELETE FROM activity_metrics.metric;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;
CREATE SCHEMA card_test;
SET LOCAL search_path = card_test, public;

CREATE FUNCTION fault(query text, OUT state text, OUT message text, OUT hint text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE query;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
END;
$$;

-- 5 reps, 40 weeks from 2025-01-06: calls fall, demos rise, wins as they come; the last week is of 2025-10-06
SELECT setseed(0.5) IS NULL AS seeded \gset
CREATE TABLE event (actor text, kind text, at timestamptz, entity text);
INSERT INTO event
	SELECT 'rep ' || u, kind, '2025-01-06 09:00Z'::timestamptz + make_interval(weeks => w, mins => i), 'e' || i
	FROM generate_series(1, 5) AS u, generate_series(0, 39) AS w,
		LATERAL (VALUES ('call', 60 - w + floor(random() * 4)::integer), ('demo', 5 + w / 4 + floor(random() * 2)::integer), ('won', floor(u * 0 + random() * 5)::integer)) AS k(kind, n),
		generate_series(1, n) AS i;
SELECT count(activity_metrics.define_metric(m, 'event', k, kind => o)) AS defined
	FROM (VALUES ('calls', 'call', 'surface'), ('demos', 'demo', 'surface'), ('wins', 'won', 'outcome'), ('deals', 'won', 'outcome'), ('noise', 'won', 'surface')) AS v(m, k, o) \gset
\set as_of '\'2025-10-13 12:00Z\''

-- values by hand
CREATE TABLE weekly AS SELECT m.metric, w, s.start, (SELECT count(*) FROM event e WHERE e.kind = m.k AND e.at >= s.start AND e.at < s.start + interval '7 days') AS n
	FROM (VALUES ('calls', 'call'), ('demos', 'demo'), ('wins', 'won'), ('deals', 'won'), ('noise', 'won')) AS m(metric, k), generate_series(0, 39) AS w, LATERAL (SELECT '2025-01-06Z'::timestamptz + w * interval '7 days' AS start) AS s;
CREATE TEMP TABLE card AS SELECT * FROM activity_metrics.scorecard_report(as_of => :as_of);
SELECT set_eq('SELECT metric, period_start, period_end, value, previous, change, n, grain, scope FROM card',
	$$SELECT a.metric, a.start::date AS s, a.start::date + 7 AS e, a.n::float8 AS v, b.n::float8 AS p, (a.n - b.n)::float8 AS c, a.n, 'week' AS g, 'company' AS o FROM weekly a JOIN weekly b ON b.metric = a.metric AND b.w = a.w - 1 WHERE a.w = 39$$, 'the last complete week and the one before');
SELECT set_eq('SELECT metric, round(change_share::numeric, 12) FROM card', $$SELECT a.metric, round((a.n - b.n)::numeric / b.n, 12) FROM weekly a JOIN weekly b ON b.metric = a.metric AND b.w = a.w - 1 WHERE a.w = 39$$, 'and the change by it');
-- t with 6 and 24 degrees of freedom, 97.5 %
CREATE FUNCTION slope(metric text, k integer) RETURNS TABLE (slope numeric, low numeric, high numeric, n bigint) LANGUAGE sql AS $$
	SELECT round(b::numeric, 9), round((b - t * se)::numeric, 9), round((b + t * se)::numeric, 9), c FROM (
		SELECT regr_slope(n, w) AS b, sqrt((regr_syy(n, w) - regr_slope(n, w) * regr_sxy(n, w)) / (count(*) - 2) / regr_sxx(n, w)) AS se, count(*) AS c,
			CASE k WHEN 8 THEN 2.4469118511449692 ELSE 2.0638985616280205 END AS t
		FROM weekly WHERE weekly.metric = slope.metric AND w >= 40 - k) AS s
$$;
SELECT set_eq('SELECT metric, round(trend_8::numeric, 9) AS a, round(trend_8_low::numeric, 9) AS b, round(trend_8_high::numeric, 9) AS c, trend_8_n FROM card', 'SELECT m.metric, s.* FROM (SELECT DISTINCT metric FROM weekly) AS m, slope(m.metric, 8) AS s', 'trend over 8 weeks');
SELECT set_eq('SELECT metric, round(trend_26::numeric, 9) AS a, round(trend_26_low::numeric, 9) AS b, round(trend_26_high::numeric, 9) AS c, trend_26_n FROM card', 'SELECT m.metric, s.* FROM (SELECT DISTINCT metric FROM weekly) AS m, slope(m.metric, 26) AS s', 'over 26');
SELECT set_eq('SELECT metric, sparkline FROM card', 'SELECT metric, activity_metrics.sparkline(array_agg(n::float8 ORDER BY w)) FROM weekly WHERE w >= 14 GROUP BY metric', 'the line of 26 weeks');
SELECT is(round(staleness_hours::numeric, 6), round(extract(epoch FROM :as_of::timestamptz - (SELECT max(at) FROM event)) / 3600, 6), 'hours since the newest event') FROM card WHERE metric = 'wins';
SELECT is((SELECT max(place) FROM card), 5, 'a row per metric');

-- roles and order
SELECT results_eq('SELECT metric, role FROM card ORDER BY place', $$VALUES ('deals', 'outcome'), ('wins', 'outcome'), ('calls', 'diagnostic'), ('demos', 'diagnostic'), ('noise', 'diagnostic')$$, 'without verdicts surface metrics are diagnostics');
SELECT activity_metrics.set_north_star('wins');
INSERT INTO activity_metrics.metric_assessment (metric, outcome, grain, verdict, timing, assessed_at) VALUES
	('demos', 'wins', 'week', 'leading_indicator', 'leading', '2025-10-01Z'), ('calls', 'wins', 'week', 'vanity', 'no_evidence', '2025-10-01Z'), ('noise', 'deals', 'week', 'leading_indicator', 'lagging', '2025-09-01Z'),
	('calls', 'wins', 'week', 'leading_indicator', 'leading', '2026-10-01Z');
SELECT results_eq('SELECT place, metric, role, outcome, timing, verdict, assessed_at FROM activity_metrics.scorecard_report(as_of => ' || quote_literal(:as_of) || ') ORDER BY place', $$VALUES
	(1, 'wins', 'north_star', NULL, 'lagging', NULL, NULL::timestamptz), (2, 'demos', 'driver', 'wins', 'leading', 'leading_indicator', '2025-10-01Z'), (3, 'deals', 'outcome', NULL, 'lagging', NULL, NULL),
	(4, 'noise', 'driver', 'deals', 'lagging', 'leading_indicator', '2025-09-01Z'), (5, 'calls', 'diagnostic', 'wins', NULL, 'vanity', '2025-10-01Z')$$, 'the North Star, what leads it, other outcomes with theirs, diagnostics; verdicts as they were then');
UPDATE activity_metrics.metric SET paired_with = 'calls' WHERE metric = 'demos';
SELECT results_eq('SELECT metric, role, outcome FROM activity_metrics.scorecard_report(as_of => ' || quote_literal(:as_of) || ') WHERE place <= 3 ORDER BY place', $$VALUES ('wins', 'north_star', NULL), ('demos', 'driver', 'wins'), ('calls', 'guardrail', 'wins')$$, 'a guardrail under what it guards');

-- status and reason
CREATE FUNCTION now_is(wanted text, set_to text, status text, reason text, as_of timestamptz DEFAULT '2025-10-13 12:00Z') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	c record;
	r text;
BEGIN
	BEGIN
		EXECUTE set_to;
		SELECT * INTO c FROM activity_metrics.scorecard_report(as_of => now_is.as_of) AS s WHERE s.metric = wanted;
		RAISE EXCEPTION USING ERRCODE = 'P0099';
	EXCEPTION WHEN SQLSTATE 'P0099' THEN
		r := ok(c.status = now_is.status AND c.reason ~ now_is.reason, format('%s: %s, %s', wanted, c.status, c.reason));
	END;
	RETURN r;
END;
$$;
CREATE FUNCTION target(metric text, value float8, rest text) RETURNS text LANGUAGE sql AS $$
	SELECT format('INSERT INTO activity_metrics.target (metric, value, decision, reason, unit, starts_at, due, baseline) VALUES (%L, %s, ''forced'', ''test'', %s)', metric, value, rest)
$$;
CREATE TEMP TABLE v AS SELECT metric, value FROM card;
SELECT value AS calls FROM v WHERE metric = 'calls' \gset
SELECT value AS demos FROM v WHERE metric = 'demos' \gset
SELECT value AS wins FROM v WHERE metric = 'wins' \gset
SELECT now_is('calls', '', 'amber', '^getting worse by -[0-9.]+ a week, over 8 or 26 periods; there is no target$');
SELECT now_is('noise', '', 'grey', '^no target and no thresholds');
SELECT now_is('wins', format('UPDATE activity_metrics.metric SET %s WHERE metric = ''wins''', change), status, reason) FROM (VALUES
	('crit_low = ' || (:wins + 1), 'red', format('^%s is below %s$', :wins, :wins + 1)), ('crit_high = ' || (:wins - 1), 'red', 'is above'), ('warn_low = ' || (:wins + 1), 'amber', 'is below'), ('warn_high = ' || (:wins - 1), 'amber', 'is above'),
	('warn_low = ' || :wins || ', warn_high = ' || :wins, 'green', '^within its thresholds'), ('min_rows = 100000', 'grey', '^[0-9]+ events, 100000 are needed$'), ('max_staleness_hours = 1', 'grey', '^stale: .* hours old, 1 are allowed'),
	('max_staleness_hours = 1000, crit_low = 0', 'green', 'within'), ('actor_column = ''nobody''', 'grey', '^not computed: .*wins.*'), ('source_relation = ''card_test.gone''', 'grey', '^not computed: relation card_test.gone of metric "wins"')) AS t(change, status, reason);
SELECT now_is('wins', target('wins', :wins, $$'(all)', '2025-09-01Z', '2026-01-01', 1$$), 'green', format('^target of %s met$', :wins));
SELECT now_is('wins', target('wins', :wins + 1, $$'(all)', '2025-09-01Z', '2025-10-01', 1$$), 'red', 'was due on 2025-10-01');
SELECT now_is('wins', target('wins', 10 * :wins, format($$'(all)', '2025-09-01Z', '2027-09-01', %s$$, :wins / 4.0)), 'green', 'on pace for .* by 2027-09-01');
SELECT now_is('wins', target('wins', 10 * :wins, format($$'(all)', '2025-09-01Z', '2027-09-01', %s$$, :wins / 2.0)), 'amber', 'would be on pace');
SELECT now_is('wins', target('wins', 10 * :wins, format($$'(all)', '2025-09-01Z', '2025-11-01', %s$$, :wins)), 'red', 'would be on pace');
SELECT now_is('wins', target('wins', 1.05 * :wins, $$'(all)', '2025-09-01Z', NULL, NULL$$), 'amber', 'of the target of');
SELECT now_is('wins', target('wins', 2 * :wins, $$'(all)', '2025-09-01Z', NULL, NULL$$), 'red', 'of the target of');
SELECT now_is('wins', target('wins', 2 * :wins, $$'(all)', '2025-10-14Z', NULL, NULL$$), 'grey', '^no target');
-- a target of each rep is as many times it
SELECT now_is('wins', target('wins', :wins / 5.0, $$'(each)', '2025-09-01Z', NULL, NULL$$), 'green', format('^target of %s met$', :wins));
SELECT now_is('wins', target('wins', :wins / 2.0, $$'(each)', '2025-09-01Z', NULL, NULL$$), 'red', 'of the target of');
-- met, while the guardrail falls
SELECT now_is('demos', target('demos', :demos, $$'(all)', '2025-09-01Z', NULL, NULL$$), 'amber', format('^target of %s met, but its guardrail calls is getting worse \(-[0-9.]+ a week\)$', :demos));
SELECT now_is('demos', 'UPDATE activity_metrics.metric SET direction = ''down'' WHERE metric = ''calls''; ' || target('demos', :demos, $$'(all)', '2025-09-01Z', NULL, NULL$$), 'green', 'met$');
SELECT now_is('calls', 'UPDATE activity_metrics.metric SET direction = ''down'' WHERE metric = ''calls''; ' || target('calls', :calls, $$'(all)', '2025-09-01Z', NULL, NULL$$), 'green', 'met$');
SELECT now_is('calls', 'UPDATE activity_metrics.metric SET direction = ''down'' WHERE metric = ''calls''; ' || target('calls', :calls / 2, $$'(all)', '2025-09-01Z', NULL, NULL$$), 'red', 'of the target of');
-- data that stopped
SELECT now_is('wins', '', 'grey', '^nothing newer than the week of 2025-10-06$', '2025-11-20Z');
SELECT now_is('wins', '', 'grey', '^no event in the last 27 weeks, the newest is of 2025-10-06$', '2027-11-20Z');
SELECT now_is('wins', '', 'grey', '^no complete period yet$', '2024-11-20Z');

-- pace is a straight line
INSERT INTO activity_metrics.target (metric, value, decision, reason, unit, starts_at, due, baseline) VALUES ('wins', 100, 'forced', 'test', '(all)', '2025-09-01Z', '2025-12-10', 40);
SELECT results_eq(format('SELECT target, target_for, target_due, target_met, pace FROM activity_metrics.scorecard_report(as_of => %L) WHERE metric = ''wins''', :as_of), $$VALUES (100::float8, 'the whole', '2025-12-10'::date, false, 40 + 60 * 42 / 100.0::float8)$$, 'after 42 of 100 days');

-- annotations
SELECT count(*) AS annotated FROM (VALUES ('wins', '2025-09-28 23:00Z', 'too early'), ('wins', '2025-09-29Z', 'fair'), (NULL, '2025-10-12 23:59Z', 'strike'), ('calls', '2025-10-12Z', 'phones'), ('wins', '2025-10-13Z', 'too late')) AS a(m, at, note),
	LATERAL activity_metrics.annotate(m, at::timestamptz, note) \gset
SELECT results_eq(format('SELECT metric, annotations FROM activity_metrics.scorecard_report(as_of => %L) WHERE metric IN (''wins'', ''calls'', ''demos'') ORDER BY metric', :as_of),
	$$VALUES ('calls', '2025-10-12: phones; 2025-10-12: strike'), ('demos', '2025-10-12: strike'), ('wins', '2025-09-29: fair; 2025-10-12: strike')$$, 'annotations of the two periods shown');

-- kept values are read where they know the last complete period
INSERT INTO activity_metrics.metric_value SELECT 'noise', 'week', p, activity_metrics.period_start(p), '(all)', 1000 + p, 77, true, '2025-10-13 06:00Z'
	FROM generate_series(activity_metrics.period_no('2025-09-01Z'), activity_metrics.period_no('2025-10-06Z')) AS p;
SELECT results_eq(format('SELECT value - previous, n, staleness_hours, trend_8_n FROM activity_metrics.scorecard_report(as_of => %L) WHERE metric = ''noise''', :as_of), 'VALUES (1::float8, 77::bigint, 6::float8, 6::bigint)', 'kept');
SELECT results_eq($$SELECT value FROM activity_metrics.scorecard_report(as_of => '2025-10-20 12:00Z') WHERE metric = 'noise'$$, $$SELECT value FROM card WHERE metric = 'noise'$$, 'a later period is computed') ;

-- grain, scope
SELECT results_eq(format('SELECT period_start, value, previous FROM activity_metrics.scorecard_report(''month'', as_of => %L) WHERE metric = ''wins''', :as_of),
	$$SELECT '2025-09-01'::date, count(*) FILTER (WHERE at >= '2025-09-01Z' AND at < '2025-10-01Z')::float8, count(*) FILTER (WHERE at >= '2025-08-01Z' AND at < '2025-09-01Z')::float8 FROM event WHERE kind = 'won'$$, 'by month');
UPDATE activity_metrics.metric SET scope = 'north' WHERE metric = 'deals';
SELECT results_eq(format('SELECT metric, scope FROM activity_metrics.scorecard_report(scope => ''north'', as_of => %L)', :as_of), $$VALUES ('deals', 'north')$$, 'of one scope');
UPDATE activity_metrics.metric SET status = 'draft' WHERE metric = 'deals';
SELECT is(count(*), 4::bigint, 'what is not active is not shown') FROM activity_metrics.scorecard;
-- other types of metric
SELECT activity_metrics.define_metric('win_rate', numerator => 'wins', denominator => 'calls');
SELECT results_eq(format('SELECT round(value::numeric, 12), n FROM activity_metrics.scorecard_report(as_of => %L) WHERE metric = ''win_rate''', :as_of),
	$$SELECT round(max(n) FILTER (WHERE metric = 'wins')::numeric / max(n) FILTER (WHERE metric = 'calls'), 12), max(n) FILTER (WHERE metric = 'calls') FROM weekly WHERE w = 39$$, 'a ratio');
-- values at the edge of doubles break nothing
UPDATE activity_metrics.metric_value SET value = CASE WHEN period % 2 = 0 THEN 1.7e308 ELSE -1.7e308 END;
SELECT is((SELECT count(*) FROM activity_metrics.scorecard_report(as_of => :as_of)), 5::bigint, 'huge values');
UPDATE activity_metrics.metric_value SET value = CASE period % 3 WHEN 0 THEN 'NaN'::float8 WHEN 1 THEN 'Infinity' ELSE 5 END::float8;
SELECT ok(bool_and(value IS NULL OR value < 1e308), 'NaN and infinity are no values') FROM activity_metrics.scorecard_report(as_of => :as_of);

-- hostile search_path
CREATE FUNCTION card_test.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT '1999-01-01Z'::timestamptz $$;
CREATE FUNCTION card_test.less(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
CREATE OPERATOR card_test.= (LEFTARG = text, RIGHTARG = text, FUNCTION = card_test.less);
CREATE TEMP TABLE same AS SELECT * FROM activity_metrics.scorecard_report(as_of => :as_of);
SET LOCAL search_path = card_test, pg_catalog, public;
CREATE TEMP TABLE other AS SELECT * FROM activity_metrics.scorecard_report(as_of => :as_of);
SELECT count(*) AS shown FROM activity_metrics.scorecard \gset
SET LOCAL search_path = card_test, public;
DROP OPERATOR card_test.= (text, text);
SELECT set_eq('TABLE other', 'TABLE same', 'whatever the search_path');
SELECT is(:shown::bigint, (SELECT count(*) FROM same), 'the view too');

-- thresholds are for the grain of the metric, unless it is a share
CREATE TABLE bounded AS SELECT 'r' AS actor, 'call' AS kind, '2025-01-06Z'::timestamptz + make_interval(hours => 12 * i) AS at FROM generate_series(0, 600) AS i;
SELECT activity_metrics.define_metric('bounded', 'bounded', 'call', crit_low => 40) \gset
SELECT results_eq($$SELECT grain, status, reason FROM activity_metrics.scorecard_report(as_of => '2025-10-13 12:00Z') WHERE metric = 'bounded' UNION ALL SELECT grain, status, reason FROM activity_metrics.scorecard_report('month', as_of => '2025-10-13 12:00Z') WHERE metric = 'bounded'$$,
	$$VALUES ('week', 'red', '14 is below 40'), ('month', 'grey', 'no target and no thresholds to judge it by')$$, 'a week''s bounds are not a month''s');
-- it falls over half a year and rises in the last weeks: the slope shown is the one that falls
DELETE FROM bounded;
INSERT INTO bounded SELECT 'r', 'call', '2025-04-14Z'::timestamptz + make_interval(weeks => w, mins => i) FROM generate_series(0, 25) AS w, generate_series(1, CASE WHEN w < 18 THEN 200 - 8 * w ELSE 40 + (w * 7) % 5 + (w - 18) END) AS i;
UPDATE activity_metrics.metric SET crit_low = NULL WHERE metric = 'bounded';
SELECT ok(trend_8 > 0 AND trend_26_high < 0 AND status = 'amber' AND reason = format('getting worse by %s a week, over 8 or 26 periods; there is no target', activity_metrics.number_text(trend_26)), reason) FROM activity_metrics.scorecard_report(as_of => '2025-10-13 12:00Z') WHERE metric = 'bounded';
DELETE FROM activity_metrics.metric WHERE metric = 'bounded';

-- a conversion is complete once its window is over: that it is behind is not that it is stale
CREATE TABLE recent AS SELECT 'r' AS actor, k AS kind, 'e' || w || '.' || i AS entity, date_trunc('week', now()) + make_interval(weeks => -w, hours => i + CASE k WHEN 'won' THEN 24 ELSE 0 END) AS at
	FROM generate_series(1, 20) AS w, unnest(ARRAY['demo', 'won']) AS k, generate_series(1, 4) AS i WHERE k = 'demo' OR i <= w % 4;
SELECT activity_metrics.define_metric('shows', 'recent', 'demo', entity => 'entity'), activity_metrics.define_metric('signs', 'recent', 'won', kind => 'outcome', entity => 'entity') \gset
SELECT activity_metrics.define_metric('shown', base_metric => 'shows', conversion_metric => 'signs', window_days => 28, kind => 'outcome') \gset
SELECT results_eq($$SELECT period_end, value, n, reason FROM activity_metrics.scorecard WHERE metric = 'shown'$$,
	$$SELECT date_trunc('week', now() - interval '28 days')::date, 0.25::float8, 4::bigint, 'no target and no thresholds to judge it by'$$, 'the last week whose window is over');
DELETE FROM activity_metrics.metric WHERE metric = 'shown';
DELETE FROM activity_metrics.metric WHERE metric IN ('shows', 'signs');

-- bad input
SELECT ok(f.state = t.state AND f.message ~ said, query) FROM (VALUES
	($$SELECT * FROM activity_metrics.scorecard_report('fortnight')$$, '22023', 'fortnight'), ($$SELECT * FROM activity_metrics.scorecard_report(scope => 'south')$$, '22023', 'no metric of scope "south"'),
	($$SELECT * FROM activity_metrics.scorecard_report(as_of => 'infinity')$$, '22023', 'not finite')) AS t(query, state, said), fault(query) AS f;
DELETE FROM activity_metrics.metric WHERE metric = 'win_rate';
DELETE FROM activity_metrics.metric;
SELECT is_empty('SELECT * FROM activity_metrics.scorecard', 'an empty dictionary has an empty scorecard');

-- sparkline: each value in its eighth
SELECT is(activity_metrics.sparkline(ARRAY[0, 1, 2, 3, 4, 5, 6, 7, 8]), '▁▂▃▄▅▆▇██', 'eight heights');
SELECT is(activity_metrics.sparkline(ARRAY[8, NULL, 0, 'NaN', '-Infinity']::float8[]), '█ ▁  ', 'a blank where there is none');
SELECT is(activity_metrics.sparkline(ARRAY[3, 3]), '▄▄', 'a constant');
SELECT is(activity_metrics.sparkline(ARRAY[-1.7e308, 0, 1.7e308]), '▁▅█', 'the whole range of doubles');
SELECT is(activity_metrics.sparkline(ARRAY[0, 5e-324]), '▁█', 'and next to nothing');
SELECT is(activity_metrics.sparkline(ARRAY[0, 1, 2, 3, 4, 5, 6, 7, 8], true), '_.-:=+*##', 'in ASCII');
SELECT is(activity_metrics.sparkline(NULL), NULL, 'NULL');
SELECT is(activity_metrics.sparkline('{}'), NULL, 'no values');
SELECT is(activity_metrics.sparkline(ARRAY[NULL, NULL]::float8[]), '  ', 'none known');

SELECT * FROM finish();
ROLLBACK;
