-- leading_indicators(): each row as lead_lag_report() has it, corrected for their number; segments; lag_chart().
BEGIN;
SELECT no_plan();
CREATE SCHEMA indicator_test;
SET LOCAL search_path = indicator_test, public;

-- 14 reps, 90 weeks: demos come 2 weeks before wins, calls in the same week as wins, mails 3 weeks after; logins and the rest are noise
SELECT setseed(0.625) IS NULL AS seeded \gset
CREATE TABLE week AS
	SELECT unit, period, CASE WHEN unit % 2 = 0 THEN 'North' WHEN unit % 5 <> 0 THEN 'South' END AS region,
		w AS wins, floor(random() * 3) + 3 * lead(w, 2, 0::float8) OVER u AS demos, floor(random() * 3) + w AS calls, floor(random() * 2) + 2 * lag(w, 3, 0::float8) OVER u AS mails,
		floor(random() * 9) AS logins, floor(random() * 4)::integer AS visits, 7::bigint AS constant, 'text' AS note, floor(random() * 5)::numeric AS quotes
	FROM (SELECT unit, period, floor(random() * 4) AS w FROM generate_series(1, 14) AS unit, generate_series(2800, 2889) AS period) AS s
	WINDOW u AS (PARTITION BY unit ORDER BY period);
ANALYZE week;

CREATE TABLE found AS SELECT *, row_number() OVER () AS place FROM activity_metrics.leading_indicators('wins', relation => 'week', max_lag => 6);
SELECT results_eq($$SELECT metric, verdict, lag FROM found WHERE verdict NOT LIKE '%evidence' ORDER BY place$$,
	$$VALUES ('demos', 'leading', 2), ('calls', 'coincident', 0), ('mails', 'lagging', -3)$$, 'what leads, what comes with it, what follows, in this order');
SELECT is(array_agg(metric ORDER BY metric), ARRAY['calls', 'constant', 'demos', 'logins', 'mails', 'quotes', 'visits'], 'all columns that are numbers') FROM found;
SELECT results_eq($$SELECT metric, verdict FROM found ORDER BY place DESC LIMIT 1$$, $$VALUES ('constant', 'insufficient_evidence')$$, 'what does not vary comes last');

-- each row is that of the report of the pair
CREATE FUNCTION pair(metric text, outcome text, rest text) RETURNS TABLE (verdict text, lag integer, r double precision, low double precision, high double precision, p_holm double precision, sign_share double precision, forecast_gain double precision, n bigint, units integer, sentence text)
LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT p.verdict, CASE WHEN p.r IS NOT NULL THEN p.lag END, p.r, p.low, p.high, p.p_holm, p.sign_share, p.forecast_gain, CASE WHEN p.r IS NOT NULL THEN p.n END, p.units, p.sentence
		FROM activity_metrics.lead_lag_report(%L, %L%s) AS p WHERE p.verdict IS NOT NULL', metric, outcome, rest);
END;
$$;
SELECT results_eq(format($$SELECT lag, r, low, high, p_holm, sign_share, forecast_gain, n, units, regexp_replace(sentence, ' But one of .*', '') FROM found WHERE metric = %L$$, metric),
	format($$SELECT lag, r, low, high, p_holm, sign_share, forecast_gain, n, units, sentence FROM pair(%L, 'wins', ', relation => ''indicator_test.week'', max_lag => 6')$$, metric), 'as lead_lag_report: ' || metric) FROM found;
-- Benjamini and Hochberg: the smallest p m / i at or above its place
CREATE FUNCTION bh(p double precision[]) RETURNS double precision[] LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg((SELECT min(least(1, b.v * cardinality(p) / (SELECT count(*) FROM unnest(p) AS c(v) WHERE c.v <= b.v))) FROM unnest(p) AS b(v) WHERE b.v >= a.v) ORDER BY a.i)
	FROM unnest(p) WITH ORDINALITY AS a(v, i)
$$;
SELECT results_eq($$SELECT round(q::numeric, 14) FROM found WHERE p_holm IS NOT NULL ORDER BY metric$$,
	$$SELECT round(q::numeric, 14) FROM (SELECT array_agg(greatest(p_holm, p_strict) ORDER BY metric) AS p FROM found WHERE p_holm IS NOT NULL) AS f, unnest(bh(p)) AS q$$, 'q is of Benjamini and Hochberg');
SELECT is(bh(ARRAY[0.01, 0.04, 0.03, 0.005, 0.04]), ARRAY[0.025, 0.04, 0.04, 0.025, 0.04]::float8[], 'bh as published examples have it');
SELECT ok(q IS NULL AND units = 0, 'no q where nothing was tested') FROM found WHERE metric = 'constant';

-- by chance: one of many that looks good on its own
CREATE TABLE noise AS SELECT unit, period, random() AS y, random() AS x FROM generate_series(1, 4) AS unit, generate_series(1, 30) AS period;
DO $$
BEGIN
	FOR i IN 1 .. 40 LOOP
		EXECUTE format('ALTER TABLE noise ADD COLUMN c%s double precision', i);
		EXECUTE format('UPDATE noise SET c%s = random()', i);
	END LOOP;
END;
$$;
CREATE TABLE scan AS SELECT f.*, (SELECT v.verdict FROM pair(f.metric, 'y', ', relation => ''indicator_test.noise''') AS v) AS alone FROM activity_metrics.leading_indicators('y', relation => 'noise') AS f;
SELECT ok(bool_and(q >= p_holm) AND bool_and(verdict = CASE WHEN q > 0.05 AND alone NOT LIKE '%evidence' THEN 'no_evidence' ELSE alone END), 'what is chance among many is no evidence') FROM scan;
SELECT ok(bool_and((sentence LIKE '%But one of 41 that were looked at comes out like this by chance too often (q = %): no evidence.') = (alone <> verdict)), 'and the sentence says so') FROM scan;
SELECT cmp_ok(count(*) FILTER (WHERE alone <> verdict), '>', 0::bigint, 'there is such a metric here') FROM scan;

-- chosen metrics, options, ranges, segments
SELECT is(array_agg(metric), ARRAY['demos', 'logins'], 'metrics by name') FROM activity_metrics.leading_indicators('wins', relation => 'week', metrics => ARRAY['logins', 'demos']);
SELECT results_eq($$SELECT verdict, lag, r, n, units FROM activity_metrics.leading_indicators('wins', 'week', '1970-01-01Z'::timestamptz + 2830 * interval '7 days', '1970-01-01Z'::timestamptz + 2860 * interval '7 days', 3, 'week', metrics => ARRAY['demos'], options => 'no prewhitening')$$,
	$$SELECT verdict, lag, r, n, units FROM pair('demos', 'wins', ', since => ''1970-01-01Z''::timestamptz + 2830 * interval ''7 days'', until => ''1970-01-01Z''::timestamptz + 2860 * interval ''7 days'', max_lag => 3, relation => ''indicator_test.week'', options => ''no prewhitening''')$$, 'since, until and options');
CREATE TABLE by_region AS SELECT * FROM activity_metrics.leading_indicators('wins', relation => 'week', metrics => ARRAY['demos', 'logins'], segment => 'region');
SELECT is(count(*), 6::bigint, 'a row for each metric and segment') FROM by_region;
SELECT results_eq(format($$SELECT verdict, lag, r, n, units FROM by_region WHERE metric = 'demos' AND segment = %L$$, segment),
	format($$SELECT v.verdict, v.lag, v.r, v.n, (SELECT count(DISTINCT unit)::integer FROM week WHERE coalesce(region, '(none)') = %1$L) FROM
		(SELECT activity_metrics.lead_lag(unit::text, period, demos, wins, NULL) AS l FROM week WHERE coalesce(region, '(none)') = %1$L) AS s, activity_metrics.lead_lag_verdict(l) AS v$$, segment), 'the segment ' || segment)
	FROM (SELECT DISTINCT segment FROM by_region) AS s;
SELECT results_eq($$SELECT lag, n, units, r, p_holm, forecast_gain, verdict, segment FROM activity_metrics.lead_lag_report('demos', 'wins', relation => 'week', segment => 'region')$$,
	$$SELECT u.lag, u.n, u.units, u.r, u.p_holm, u.forecast_gain, CASE WHEN u.lag = v.lag THEN v.verdict END, g.region
	FROM (SELECT coalesce(region, '(none)') AS region, activity_metrics.lead_lag(unit::text, period, demos, wins, NULL) AS l FROM week GROUP BY 1) AS g, unnest(g.l) AS u, activity_metrics.lead_lag_verdict(g.l) AS v ORDER BY g.region, u.lag$$,
	'lead_lag_report by segment');
SELECT is(count(*) FILTER (WHERE segment IS NULL), 13::bigint, 'no segment, no segments') FROM activity_metrics.lead_lag_report('demos', 'wins', relation => 'week', max_lag => 6);
SELECT is_empty($$SELECT * FROM activity_metrics.lead_lag_report('demos', 'wins', relation => 'week', segment => 'region', until => '1971-01-01Z')$$, 'no rows, no segments');
SELECT is(string_agg(verdict, ' '), 'insufficient_evidence', 'no rows: insufficient') FROM activity_metrics.leading_indicators('wins', relation => 'week', metrics => ARRAY['demos'], until => '1971-01-01Z');

--
-- The dictionary: counted in one pass, as if one by one
--
CREATE TABLE activity AS
	SELECT 'rep ' || unit AS actor, kind, '1970-01-01Z'::timestamptz + (period * 7 + random() * 3) * interval '1 day' AS at, region, 10 * random() AS value, 'e' || floor(random() * 500) AS event_id,
		(ARRAY[NULL, NULL, NULL, 'cancelled'])[1 + floor(random() * 4)::int] AS status
	FROM week, LATERAL (VALUES ('call', calls), ('demo', demos), ('mail', mails), ('login', logins)) AS v(kind, n), generate_series(1, n::int);
CREATE TABLE deal AS SELECT 'rep ' || unit AS owner, '1970-01-01'::timestamp + (period * 7 + 1) * interval '1 day' AS closed, region FROM week, generate_series(1, wins::int);
SELECT count(activity_metrics.define_metric(k || 's', 'activity', k)) AS defined FROM unnest(ARRAY['call', 'demo', 'mail', 'login']) AS k \gset
SELECT activity_metrics.define_metric('minutes', 'activity', 'call | demo', 'sum'), activity_metrics.define_metric('people', 'activity', 'demo', 'count_distinct'),
	activity_metrics.define_metric('wins', 'deal', at => 'closed', actor => 'owner', kind => 'outcome'), activity_metrics.define_metric('results', 'activity', 'demo', kind => 'outcome', label => 'demos that took place') \gset
CREATE TABLE scanned AS SELECT *, row_number() OVER () AS place FROM activity_metrics.leading_indicators('wins', max_lag => 5);
SELECT results_eq($$SELECT metric, verdict, lag FROM scanned ORDER BY place LIMIT 1$$, $$VALUES ('demos', 'leading', 2)$$, 'the dictionary: demos lead');
SELECT results_eq($$SELECT metric FROM scanned ORDER BY metric$$, $$SELECT metric FROM activity_metrics.metric WHERE kind = 'surface' ORDER BY metric$$, 'all surface metrics');
SELECT results_eq(format($$SELECT lag, r, low, high, p_holm, sign_share, forecast_gain, n, units FROM scanned WHERE metric = %L$$, metric),
	format($$SELECT lag, r, low, high, p_holm, sign_share, forecast_gain, n, units FROM pair(%L, 'wins', ', max_lag => 5')$$, metric), 'two relations, as lead_lag_report: ' || metric) FROM scanned;
SELECT results_eq(format($$SELECT lag, r, n, units FROM activity_metrics.leading_indicators('results', 'month', metrics => ARRAY[%L], since => '2024-01-15Z')$$, m),
	format($$SELECT lag, r, n, units FROM pair(%L, 'results', ', ''month'', since => ''2024-01-15Z''')$$, m), 'one relation, as lead_lag_report: ' || m) FROM unnest(ARRAY['calls', 'minutes', 'people']) AS m;
SELECT ok(activity_metrics.leading_indicators_sql('wins', 'week', NULL, NULL, NULL, ARRAY['calls', 'demos', 'mails', 'logins', 'minutes', 'people'], NULL, NULL, true) LIKE '%panel_1%'
	AND activity_metrics.leading_indicators_sql('wins', 'week', NULL, NULL, NULL, ARRAY['calls', 'demos', 'mails', 'logins', 'minutes', 'people'], NULL, NULL, true) !~ 'panel_3 AS|metric_panel', 'in two passes: counts and sums, and what is distinct');
SELECT is(count(*) FILTER (WHERE segment IN ('North', 'South', '(none)')), 6::bigint, 'the dictionary by segment') FROM activity_metrics.leading_indicators('wins', segment => 'region', metrics => ARRAY['calls', 'people']);
SELECT results_eq($$SELECT r, n FROM activity_metrics.leading_indicators('wins', segment => 'region', metrics => ARRAY['demos']) WHERE segment = 'South'$$,
	$$SELECT r, n FROM activity_metrics.lead_lag_report('demos', 'wins', segment => 'region') WHERE segment = 'South' AND verdict IS NOT NULL$$, 'a segment as lead_lag_report has it');

-- faults
SELECT throws_ok($$SELECT * FROM activity_metrics.leading_indicators('winz')$$, '42704', NULL, 'no such outcome');
SELECT throws_ok($$SELECT * FROM activity_metrics.leading_indicators('wins', metrics => ARRAY['cals'])$$, '42704', 'metric "cals" is not in the dictionary', 'no such metric');
SELECT throws_ok($$SELECT * FROM activity_metrics.leading_indicators('wins', relation => 'week', metrics => ARRAY['note'])$$, '42804', NULL, 'a column that is not a number');
SELECT throws_ok($$SELECT * FROM activity_metrics.leading_indicators('wins', relation => 'week', metrics => '{}')$$, '55000', NULL, 'nothing to look at');
SELECT throws_ok($$SELECT * FROM activity_metrics.leading_indicators('wins', relation => 'week', segment => 'regoin')$$, '42703', NULL, 'no such segment');
SELECT throws_ok($$SELECT * FROM activity_metrics.leading_indicators('wins', 'fortnight')$$, '22023', NULL, 'no such grain');
SELECT throws_ok($$SELECT * FROM activity_metrics.leading_indicators('wins', since => '2024-01-02Z', until => '2024-01-01Z')$$, '22023', NULL, 'a range that ends before it begins');
SELECT throws_ok($$SELECT * FROM activity_metrics.leading_indicators('wins', options => 'no idea')$$, '22023', NULL, 'an unknown option');
SELECT activity_metrics.define_metric('elsewhere', 'activity', 'call', tz => 'Europe/Berlin') \gset
SELECT throws_ok($$SELECT * FROM activity_metrics.leading_indicators('wins', metrics => '{elsewhere}')$$, '22023', 'metrics "elsewhere" and "wins" have different time zones', 'another zone');
SELECT is((SELECT count(*) FROM activity_metrics.leading_indicators('wins') WHERE metric = 'elsewhere'), 0::bigint, 'which is not looked at where no metric is named');
CREATE VIEW numbered AS SELECT activity.*, substr(actor, 5)::int AS no FROM activity;
SELECT activity_metrics.define_metric('elsewhere', 'numbered', 'call', actor => 'no') \gset
SELECT throws_ok($$SELECT * FROM activity_metrics.leading_indicators('wins', metrics => '{elsewhere}')$$, '22023', 'metrics "elsewhere" and "wins" have no unit in common', 'names and numbers');
SELECT is((SELECT count(*) FROM activity_metrics.leading_indicators('wins') WHERE metric = 'elsewhere'), 0::bigint, 'are passed over where no metric is named');

-- a column that a filter names is gone
SAVEPOINT gone;
SELECT activity_metrics.define_metric('northern', 'activity', 'call', filter => 'region = ''North''') \gset
ALTER TABLE activity RENAME region TO area;
SELECT throws_like($$SELECT * FROM activity_metrics.leading_indicators('wins')$$, '%"northern"%', 'the metric is named: leading_indicators');
SELECT throws_like($$SELECT * FROM activity_metrics.vanity_report('wins')$$, '%"northern"%', 'the metric is named: vanity_report');
ROLLBACK TO SAVEPOINT gone;

-- no outcome is named: the North Star of the company, else the only North Star, else the only outcome
SAVEPOINT outcomes;
DELETE FROM activity_metrics.metric WHERE kind = 'outcome' AND metric <> 'wins';
SELECT results_eq($$SELECT * FROM activity_metrics.leading_indicators()$$, $$SELECT * FROM activity_metrics.leading_indicators('wins')$$, 'the only outcome');
SELECT activity_metrics.define_metric('deals', 'activity', 'won', kind => 'outcome', scope => 'north') \gset
SELECT throws_ok($$SELECT * FROM activity_metrics.leading_indicators()$$, '22023', 'it is not known which outcome is meant', 'two outcomes');
SELECT activity_metrics.set_north_star('deals') \gset
SELECT results_eq($$SELECT metric, q FROM activity_metrics.leading_indicators()$$, $$SELECT metric, q FROM activity_metrics.leading_indicators('deals')$$, 'the only North Star');
SELECT activity_metrics.set_north_star('wins') \gset
SELECT is(activity_metrics.report_outcome(NULL, NULL), 'wins', 'that of the company before others');
SELECT is(activity_metrics.report_outcome('deals', NULL), 'deals', 'what is named');
UPDATE activity_metrics.metric SET status = 'deprecated' WHERE metric = 'wins';
SELECT is(activity_metrics.report_outcome(NULL, NULL), 'deals', 'none that is deprecated');
DELETE FROM activity_metrics.metric WHERE kind = 'outcome';
SELECT throws_ok($$SELECT * FROM activity_metrics.vanity_report()$$, '22023', 'it is not known which outcome is meant', 'no outcome at all');
SELECT throws_ok($$SELECT * FROM activity_metrics.leading_indicators(relation => 'week')$$, '22004', 'no outcome is given', 'a relation without one');
ROLLBACK TO SAVEPOINT outcomes;

--
-- lag_chart
--
CREATE TABLE chart AS SELECT line, row_number() OVER () AS i FROM activity_metrics.lag_chart('demos', 'wins', relation => 'week', max_lag => 4, width => 10) AS line;
SELECT is(count(*), 9::bigint, 'a line for each lag') FROM chart;
SELECT matches(line, '^   \+2 \+0\.\d\d            ?│██████████ \*\*\* leading$', 'the lag that decided fills its side') FROM chart WHERE i = 7;
SELECT is(count(*) FILTER (WHERE line LIKE '%leading'), 1::bigint, 'the verdict stands on one line') FROM chart;
SELECT is(string_agg(btrim(left(line, 5)), ' ' ORDER BY i), '-4 -3 -2 -1 0 +1 +2 +3 +4', 'lags in order') FROM chart;
SELECT results_eq($$SELECT line FROM chart$$, $$SELECT activity_metrics.lag_chart(activity_metrics.lead_lag(unit::text, period, demos, wins, 4), 10) FROM week$$, 'of a profile');
SELECT ok(bool_and(octet_length(line) = length(line)) AND bool_or(line LIKE '%#|%'), 'plain characters, to the left where r is negative') FROM activity_metrics.lag_chart('demos', 'wins', relation => 'week', ascii => true) AS line;
SELECT is(string_agg(line, E'\n'), replace(E'   -1*|\n    0*|\n   +1*|', '*', repeat(' ', 11)), 'nothing is defined: empty lines')
	FROM activity_metrics.lag_chart('constant', 'wins', relation => 'week', max_lag => 1, width => 4, ascii => true) AS line;
SELECT is_empty($$SELECT activity_metrics.lag_chart(NULL::activity_metrics.lead_lag_row[])$$, 'no profile, no lines');
SELECT throws_ok($$SELECT activity_metrics.lag_chart('demos', 'wins', relation => 'week', width => 0)$$, '22023', 'width is 0', 'no width');

SELECT * FROM finish();
ROLLBACK;
