-- activity_rollup(): against plain SQL.
BEGIN;
SELECT no_plan();
SET LOCAL timezone = 'UTC';
CREATE SCHEMA rollup_test;
SET LOCAL search_path = rollup_test, public;
CREATE FUNCTION fault(query text, OUT state text, OUT message text, OUT hint text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE query;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
END;
$$;
SELECT setseed(0.5) IS NULL AS seeded \gset
CREATE TABLE event (entity bigint, kind text, at timestamptz, actor text, status text, value numeric, quality real, origin text);
INSERT INTO event
	SELECT CASE WHEN random() < 0.9 THEN floor(random() * 30) END, (ARRAY['call', 'demo', 'mail', NULL])[1 + floor(random() * 3.2)::integer], '2025-01-01Z'::timestamptz + random() * interval '90 days', (ARRAY['a', 'b', 'c', NULL])[1 + floor(random() * 3.3)::integer],
		(ARRAY['done', NULL, 'Planned', 'No Show', 'no-show', 'CANCELED', 'cancelled ', 'left voicemail'])[1 + floor(random() * 8)::integer], CASE WHEN random() < 0.8 THEN round((random() * 100)::numeric, 2) END, CASE WHEN random() < 0.5 THEN random() END,
		(ARRAY['manual', 'Auto', 'automatic', 'integration', NULL])[1 + floor(random() * 5)::integer]
	FROM generate_series(1, 1500) AS i;
INSERT INTO event (kind, at, actor) VALUES ('call', 'infinity', 'a'), ('call', '-infinity', 'a'), ('call', NULL, 'a');

CREATE FUNCTION by_hand(trunc text, step interval, since timestamptz, until timestamptz) RETURNS TABLE (unit text, kind text, period_start date, done bigint, automatic bigint, planned bigint, cancelled bigint, no_show bigint, entities bigint, value numeric, quality numeric) LANGUAGE sql AS $$
	WITH e AS (
		SELECT coalesce(actor, '(none)') AS unit, coalesce(kind, '(none)') AS kind, date_trunc(trunc, at)::date AS p, entity, value, quality,
			CASE WHEN status ILIKE 'planned' THEN 'p' WHEN status ILIKE 'cancel%' THEN 'c' WHEN status ~* '^no.show$' THEN 'n' WHEN origin ~* '^auto' THEN 'a' ELSE 'd' END AS s
		FROM event WHERE isfinite(at) AND (since IS NULL OR at >= since) AND (until IS NULL OR at < until)),
	grid AS (
		SELECT u.unit, k.kind, p::date AS p FROM (SELECT unit, min(p) AS first, max(p) AS last FROM e GROUP BY unit) AS u
		JOIN (SELECT DISTINCT unit, kind FROM e) AS k USING (unit), generate_series(u.first::timestamp, u.last::timestamp, step) AS p)
	SELECT g.unit, g.kind, g.p, count(*) FILTER (WHERE s = 'd'), count(*) FILTER (WHERE s = 'a'), count(*) FILTER (WHERE s = 'p'), count(*) FILTER (WHERE s = 'c'), count(*) FILTER (WHERE s = 'n'),
		count(DISTINCT entity) FILTER (WHERE s IN ('a', 'd')), coalesce(sum(value) FILTER (WHERE s IN ('a', 'd')), 0), round(avg(quality::float8) FILTER (WHERE s IN ('a', 'd'))::numeric, 12)
	FROM grid g LEFT JOIN e ON e.unit = g.unit AND e.kind = g.kind AND e.p = g.p GROUP BY g.unit, g.kind, g.p
$$;
SELECT set_eq(format('SELECT unit, kind, period_start, done, automatic, planned, cancelled, no_show, entities, round(value::numeric, 6) AS v, round(quality::numeric, 12) AS q FROM activity_metrics.activity_rollup(''event'', %L, %L, %L)', grain, since, until),
	format('SELECT unit, kind, period_start, done, automatic, planned, cancelled, no_show, entities, round(value, 6) AS v, quality AS q FROM by_hand(%L, %L, %L, %L)', grain, step, since, until), format('by %s from %s to %s', grain, since, until)) FROM (VALUES
	('week', '7 days', NULL::timestamptz, NULL::timestamptz), ('day', '1 day', NULL, NULL), ('month', '1 month', NULL, NULL), ('week', '7 days', '2025-01-15 12:00Z', '2025-03-01Z')) AS t(grain, step, since, until);
SELECT is((SELECT sum(done + automatic + planned + cancelled + no_show) FROM activity_metrics.activity_rollup('event')), (SELECT count(*)::numeric FROM event WHERE isfinite(at)), 'every event is in one count');
SELECT is((SELECT sum(done + automatic + planned + cancelled + no_show) FROM activity_metrics.activity_rollup('event', by => NULL) WHERE unit = '(all)'), (SELECT count(*)::numeric FROM event WHERE isfinite(at)), 'of all together');
SELECT ok(bool_and(is_complete = (period_start >= '2025-01-20' AND period_end <= '2025-03-01')) AND bool_or(is_complete), 'periods that are cut') FROM activity_metrics.activity_rollup('event', 'week', '2025-01-15 12:00Z', '2025-03-01Z');
SELECT ok(bool_and(period_end = period_start + 7 AND period = activity_metrics.period_no(period_start::timestamptz)), 'period and its days') FROM activity_metrics.activity_rollup('event');
-- other names, and none
CREATE TABLE other AS SELECT entity AS deal, kind AS what, at AS done_at, actor AS rep, status AS state, value AS eur, quality AS q, origin AS via FROM event;
SELECT set_eq($$SELECT * FROM activity_metrics.activity_rollup('other', by => 'rep', entity => 'deal', at => 'done_at', kind_column => 'what', status => 'state', value_column => 'eur', quality_column => 'q', origin => 'via')$$,
	$$SELECT * FROM activity_metrics.activity_rollup('event')$$, 'named columns');
SELECT set_eq($$SELECT unit, kind, sum(done)::bigint AS d, sum(automatic + planned + cancelled + no_show)::bigint AS r, max(entities) AS e, max(value) AS v, max(quality) AS q FROM activity_metrics.activity_rollup('other', by => 'rep', at => 'done_at') GROUP BY unit, kind$$,
	$$SELECT coalesce(rep, '(none)') AS u, '(none)' AS k, count(*) AS d, 0::bigint AS r, NULL::bigint AS e, NULL::float8 AS v, NULL::float8 AS q FROM other WHERE isfinite(done_at) GROUP BY rep$$, 'without them every event is done');
CREATE TABLE nothing (LIKE event);
SELECT is_empty($$SELECT * FROM activity_metrics.activity_rollup('nothing')$$, 'no events');
SELECT ok(f.state = t.state AND f.message ~ said, query) FROM (VALUES
	($$SELECT * FROM activity_metrics.activity_rollup(NULL)$$, '22004', ''), ($$SELECT * FROM activity_metrics.activity_rollup('event', 'fortnight')$$, '22023', 'fortnight'), ($$SELECT * FROM activity_metrics.activity_rollup('event', by => 'actr')$$, '42703', 'actr'),
	($$SELECT * FROM activity_metrics.activity_rollup('event', at => 'kind')$$, '42804', 'not a time'), ($$SELECT * FROM activity_metrics.activity_rollup('event', value_column => 'kind')$$, '42804', 'not a number'), ($$SELECT * FROM activity_metrics.activity_rollup('event', tz => 'Mars')$$, '22023', 'Mars'),
	($$SELECT * FROM activity_metrics.activity_rollup('event', since => '2026-01-01', until => '2025-01-01')$$, '22023', 'since')) AS t(query, state, said), fault(query) AS f;
SELECT * FROM finish();
ROLLBACK;
