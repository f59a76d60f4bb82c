-- activity_quality() and activity_quality_events(): against self joins on random events, absent columns, ties, any order, bad input.
BEGIN;
SELECT no_plan();
CREATE SCHEMA quality_test;
SET LOCAL search_path = quality_test, public;
SELECT setseed(0.75) IS NULL AS seeded \gset

-- few entities, times by the half minute and ties, so that every sign occurs; some rows lack something
CREATE TABLE event AS
	SELECT i AS event_id, CASE WHEN random() < 0.95 THEN floor(random() * 6)::bigint END AS entity,
		CASE WHEN random() < 0.98 THEN '2024-01-28 08:00Z'::timestamptz + floor(random() ^ 2 * 4000) * interval '30 seconds' + floor(random() * 12) * interval '7 days' END AS at,
		(ARRAY['call', 'call', 'mail', 'demo'])[1 + floor(random() * 4)::integer] AS kind, 'rep ' || floor(random() * 4) AS actor, NULL::timestamptz AS recorded_at,
		CASE WHEN random() < 0.9 THEN (ARRAY[5, 29, 30, 31, 300, 301, 600, 900]::float8[])[1 + floor(random() * 8)::integer] END AS value,
		CASE WHEN random() < 0.8 THEN (ARRAY[0, 0.5, 1, 1])[1 + floor(random() * 4)::integer] END AS quality,
		(ARRAY['manual', 'manual', 'manual', 'auto', NULL])[1 + floor(random() * 5)::integer] AS origin, CASE WHEN random() < 0.05 THEN 'no-show' END AS status
	FROM generate_series(1, 1200) AS i;
UPDATE event SET recorded_at = at + (ARRAY[0, 10, 24 * 3600, 24 * 3600 + 1, 40 * 86400, -60])[1 + floor(random() * 6)::integer] * interval '1 second' WHERE random() < 0.9;
INSERT INTO event SELECT event_id + 5000, entity, at, kind, actor, recorded_at, value, quality, origin, status FROM event WHERE event_id % 10 = 0;
INSERT INTO event (event_id, at, kind, actor, value) VALUES (9001, 'infinity', 'call', 'rep 1', 5), (9002, '2024-02-01Z', 'call', NULL, 5), (9003, NULL, 'call', NULL, 5), (9004, '9999-05-05Z', 'call', 'rep 9', 5), (9005, '2024-02-01Z', 'call', 'rep 8', 'NaN'),
	(9006, '2024-02-01Z', 'call', 'once', 60), (9007, '0044-03-15 BC', 'call', 'Brutus', 60), (9008, '0044-03-15 BC', 'call', 'Brutus', 60), (9009, '0044-03-15 BC', 'call', 'Brutus', 60), (9010, '2024-02-01Z', NULL, 'no kind', 60);

--
-- The twin: what stands before an event is found by a self join
--
CREATE FUNCTION twin(source regclass, tz text, per_month boolean) RETURNS TABLE (actor text, kind text, month date, n bigint, good bigint, shares numeric[], delay numeric, burstiness numeric, rush_expected numeric) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
	WITH e AS (
		SELECT *, coalesce(recorded_at, at) AS stamp, date_trunc('month', at AT TIME ZONE %2$L)::date AS mon, CASE WHEN kind = 'call' AND value < 'Infinity' THEN value END AS sec,
			(at AT TIME ZONE %2$L)::date AS day FROM %1$s WHERE actor IS NOT NULL AND isfinite(at) AND (status IS NULL OR status <> 'no-show')),
	f AS (
		SELECT *, coalesce(sec < 30, false) OR coalesce(quality <= 0, false) OR coalesce(origin <> 'manual', false) AS weak FROM e),
	g AS (
		SELECT a.*,
			a.entity IS NOT NULL AND EXISTS (SELECT FROM f AS b WHERE b.ctid_ <> a.ctid_ AND b.actor = a.actor AND b.entity = a.entity AND b.kind IS NOT DISTINCT FROM a.kind AND b.at >= a.at - interval '10 minutes'
				-- of two at the same time the better one is the original
				AND (b.at < a.at OR (b.at = a.at AND (b.weak < a.weak OR (b.weak = a.weak AND b.ctid_ < a.ctid_))))) AS dup,
			EXISTS (SELECT FROM f AS b WHERE b.ctid_ <> a.ctid_ AND b.actor = a.actor AND b.stamp >= a.stamp - interval '60 seconds' AND (b.stamp < a.stamp OR (b.stamp = a.stamp AND (coalesce(b.kind, 'zzz'), b.ctid_) < (coalesce(a.kind, 'zzz'), a.ctid_)))) AS batch,
			extract(epoch FROM a.at - (SELECT max(b.at) FROM f AS b WHERE b.actor = a.actor AND b.kind IS NOT DISTINCT FROM a.kind AND (NOT %3$L OR b.mon = a.mon) AND (b.at < a.at OR (b.at = a.at AND b.ctid_ < a.ctid_)))) AS gap,
			-- is it one of the last days of its month?
			(SELECT count(*) FROM generate_series(a.day + 1, (a.mon + interval '1 month')::date - 1, interval '1 day') AS d WHERE extract(isodow FROM d) < 6)
				< round(0.2 * (SELECT count(*) FROM generate_series(a.mon, (a.mon + interval '1 month')::date - 1, interval '1 day') AS d WHERE extract(isodow FROM d) < 6)) AS rush,
			(SELECT round(0.2 * count(*)) / count(*) FROM generate_series(a.mon, (a.mon + interval '1 month')::date - 1, interval '1 day') AS d WHERE extract(isodow FROM d) < 6) AS share,
			a.mon + interval '1 month' <= now() AT TIME ZONE %2$L AS over
		FROM f AS a)
	SELECT g.actor, g.kind, CASE WHEN %3$L THEN g.mon END, count(*), count(*) FILTER (WHERE NOT (dup OR weak)),
		ARRAY[round(avg(dup::integer) FILTER (WHERE entity IS NOT NULL), 9), round(avg((sec < 30)::integer), 9), round(avg((quality <= 0)::integer), 9), round(avg((origin <> 'manual')::integer), 9), round(avg(batch::integer), 9),
			round(avg(rush::integer) FILTER (WHERE over), 9), round(avg((sec::numeric %% 300 = 0)::integer) FILTER (WHERE sec >= 300), 9), round(avg((recorded_at - at > interval '24 hours')::integer), 9),
			round(avg((date_trunc('month', recorded_at AT TIME ZONE %2$L)::date > mon)::integer) FILTER (WHERE recorded_at IS NOT NULL), 9)],
		round((percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM recorded_at - at)::float8) / 3600)::numeric, 6),
		CASE WHEN count(gap) >= 2 AND max(gap) > 0 THEN round(((sqrt(count(gap) + 1) * stddev_pop(gap) / avg(gap) - sqrt(count(gap) - 1)) / ((sqrt(count(gap) + 1) - 2) * stddev_pop(gap) / avg(gap) + sqrt(count(gap) - 1)))::numeric, 6) END,
		round(avg(share) FILTER (WHERE over), 9)
	FROM g GROUP BY 1, 2, 3$q$, source, tz, per_month);
END;
$$;
CREATE FUNCTION ours(source regclass, tz text, grain text) RETURNS TABLE (actor text, kind text, month date, n bigint, good bigint, shares numeric[], delay numeric, burstiness numeric, rush_expected numeric) LANGUAGE sql AS $$
	SELECT actor, kind, period_start, n, round(n * substantive), ARRAY[round(duplicate_share::numeric, 9), round(short_share::numeric, 9), round(empty_share::numeric, 9), round(automatic_share::numeric, 9), round(batch_share::numeric, 9), round(rush_share::numeric, 9),
		round(round_share::numeric, 9), round(late_share::numeric, 9), round(backdated_share::numeric, 9)], round(median_delay_hours::numeric, 6), round(burstiness::numeric, 6), round(rush_expected::numeric, 9)
	FROM activity_metrics.activity_quality(source, grain, tz => tz)
$$;
ALTER TABLE event ADD ctid_ bigint;
UPDATE event SET ctid_ = event_id;
SELECT set_eq(format('SELECT * FROM ours(%L, %L, %L)', 'event', tz, grain), format('SELECT * FROM twin(%L, %L, %L)', 'event', tz, grain IS NOT NULL), format('as the self join has it: %s %s', tz, grain))
	FROM (VALUES ('UTC', NULL), ('America/New_York', NULL), ('UTC', 'month'), ('Asia/Tokyo', 'month')) AS v(tz, grain);
-- that the twin sees every sign
SELECT ok(bool_and(s > 0.01 AND s < 0.99), 'every sign occurs, none always') FROM (SELECT avg(u.v) AS s FROM twin('event', 'UTC', false) AS t, unnest(t.shares) WITH ORDINALITY AS u(v, i) WHERE t.actor LIKE 'rep _' GROUP BY i) AS t;
SELECT ok(count(*) > 10, 'burstiness is there') FROM twin('event', 'UTC', false) WHERE burstiness IS NOT NULL;
-- many small panels, each by itself
CREATE FUNCTION small_sets(times integer) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	FOR s IN 1 .. times LOOP
		DROP TABLE IF EXISTS few;
		CREATE TABLE few AS SELECT i AS event_id, i AS ctid_, CASE WHEN random() < 0.9 THEN floor(random() * 2)::integer END AS entity, (ARRAY['call', 'mail'])[1 + floor(random() * 2)::integer] AS kind, 'r' || floor(random() * 2) AS actor,
			'2024-03-25 08:00Z'::timestamptz + floor(random() * CASE s % 3 WHEN 0 THEN 1.5 WHEN 1 THEN 40 ELSE 4000 END) * interval '30 seconds' AS at, NULL::timestamptz AS recorded_at, floor(random() * 60)::real AS value, NULL::numeric AS quality, CASE WHEN random() < 0.3 THEN 'auto' ELSE 'manual' END::varchar AS origin, NULL::text AS status
			FROM generate_series(1, 1 + s % 13) AS i;
		IF s % 2 = 0 THEN
			UPDATE few SET recorded_at = at + floor(random() * 3) * interval '12 hours';
		END IF;
		IF EXISTS ((SELECT * FROM quality_test.ours('few', 'UTC', NULL) EXCEPT SELECT * FROM quality_test.twin('few', 'UTC', false)) UNION ALL (SELECT * FROM quality_test.twin('few', 'UTC', false) EXCEPT SELECT * FROM quality_test.ours('few', 'UTC', NULL))) THEN
			RETURN NEXT s::text;
		END IF;
	END LOOP;
END;
$$;
SET LOCAL client_min_messages = warning;
SELECT is_empty('SELECT small_sets(300)', '300 small sets, as the self join has them');
RESET client_min_messages;

-- of two at the same time the better one is the original
CREATE TABLE pair AS SELECT 1 AS entity, '2024-01-01Z'::timestamptz AS at, 'call' AS kind, a AS actor, v AS value, o AS origin FROM (VALUES ('a', 50.0::float8, 'auto'), ('a', 40, 'manual'), ('b', 40, 'auto'), ('b', 50, 'manual'), ('c', 20, 'manual'), ('c', 50, 'manual')) AS v(a, v, o);
SELECT results_eq('SELECT actor, substantive, duplicate_share FROM activity_metrics.activity_quality(''pair'')', $$VALUES ('a', 0.5::float8, 0.5::float8), ('b', 0.5, 0.5), ('c', 0.5, 0.5)$$, 'of two at the same time the better one is the original');
SELECT results_eq('SELECT actor, is_duplicate, quality FROM activity_metrics.activity_quality_events(''pair'') ORDER BY actor, quality', $$VALUES ('a', true, 0::float8), ('a', false, 1), ('b', true, 0), ('b', false, 1), ('c', true, 0), ('c', false, 1)$$, 'event by event');

-- burstiness at its ends
CREATE TABLE beat AS SELECT 1 AS entity, 'call' AS kind, 'even' AS actor, '2024-01-01Z'::timestamptz + i * interval '1 hour' AS at FROM generate_series(1, 50) AS i
	UNION ALL SELECT 1, 'call', 'burst', '2024-01-01Z'::timestamptz + (i = 50)::integer * interval '1 hour' FROM generate_series(1, 50) AS i;
SELECT results_eq('SELECT actor, round(burstiness::numeric, 6) FROM activity_metrics.activity_quality(''beat'')', $$VALUES ('burst', 1.0), ('even', -1.0)$$, 'burstiness is -1 for even gaps and 1 for one gap');
-- the same to the bit in any order of rows
CREATE VIEW shuffled AS SELECT * FROM event ORDER BY md5(event_id::text);
CREATE VIEW backwards AS SELECT * FROM event ORDER BY event_id DESC;
SELECT is((SELECT string_agg(q::text, E'\n') FROM activity_metrics.activity_quality(r) AS q), (SELECT string_agg(q::text, E'\n') FROM activity_metrics.activity_quality('event') AS q), format('the same to the bit: %s', r))
	FROM unnest(ARRAY['shuffled', 'backwards']::regclass[]) AS r;
SELECT ok(bool_and(substantive BETWEEN 0 AND 1 AND substantive_low <= substantive AND substantive <= substantive_high AND sentence IS NOT NULL AND burstiness BETWEEN -1.000001 AND 1.000001), 'all within their bounds') FROM activity_metrics.activity_quality('event');
SELECT ok((w.low, w.high) = (q.substantive_low, q.substantive_high), 'the interval is Wilson''s') FROM activity_metrics.activity_quality('event') AS q, activity_metrics.wilson(round(q.n * q.substantive), q.n) AS w WHERE q.actor = 'rep 1' AND q.kind = 'call';
SELECT is_empty($$SELECT * FROM activity_metrics.activity_quality('event') WHERE actor IS NULL$$, 'events of nobody are left out');
SELECT ok(n = 1 AND burstiness IS NULL AND note LIKE '%burstiness needs 3 events%' AND sentence LIKE '%too few to say%', note) FROM activity_metrics.activity_quality('event') WHERE actor = 'once';
SELECT ok(n = 3 AND burstiness IS NULL AND note LIKE '%all at one time%', note) FROM activity_metrics.activity_quality('event') WHERE actor = 'Brutus';
SELECT ok(rush_share IS NULL AND note LIKE '%no whole month%', 'a month to come has no end') FROM activity_metrics.activity_quality('event') WHERE actor = 'rep 9';

-- range, grains, columns that are not there or are something else
SELECT is((SELECT sum(n) FROM activity_metrics.activity_quality('event', since => '2024-02-01Z', until => '2024-03-01Z')), (SELECT count(*)::numeric FROM event WHERE at >= '2024-02-01Z' AND at < '2024-03-01Z' AND actor IS NOT NULL AND status IS NULL), 'events in the range');
SELECT ok(bool_and(rush_share IS NULL) AND bool_and(note LIKE '%the end of the month is not looked at by week%'), 'by week there is no end of the month') FROM activity_metrics.activity_quality('event', 'week', '2020-01-01Z');
SELECT ok(bool_and(rush_share IS NULL), 'nor where the range cuts the month') FROM activity_metrics.activity_quality('event', since => '2024-02-02Z', until => '2024-02-29Z');
CREATE VIEW plain AS SELECT entity, kind, actor, at AT TIME ZONE 'UTC' AS at, 'x' AS value, 'good' AS quality, 7 AS origin FROM event WHERE isfinite(at);
SELECT ok(bool_and(short_share IS NULL AND empty_share IS NULL AND automatic_share IS NULL AND round_share IS NULL AND late_share IS NULL AND median_delay_hours IS NULL AND backdated_share IS NULL AND duplicate_share IS NOT NULL IS DISTINCT FROM (actor IN ('rep 8', 'rep 9', 'once', 'Brutus', 'no kind'))
	AND note LIKE '%no column recorded_at%no column value%no column quality%no column origin%'), 'absent columns, or of another type, give NULL and a reason') FROM activity_metrics.activity_quality('plain');
SELECT ok(bool_and((short_share IS NULL) = (kind IS DISTINCT FROM 'mail' AND kind IS DISTINCT FROM 'demo')), 'calls: the kinds with seconds') FROM activity_metrics.activity_quality('event', calls => 'mail | demo') WHERE n > 20;
SELECT is((SELECT sum(short_share) FROM activity_metrics.activity_quality('event', min_seconds => 0)), 0::double precision, 'no length is too short');
SELECT is_empty($$SELECT * FROM activity_metrics.activity_quality('event', since => '2100-01-01Z', until => '2101-01-01Z')$$, 'no events: no rows');
CREATE TABLE "Odd 'names" AS SELECT entity AS "Deal", at AS "When", kind AS "What", actor AS "it's", status AS "Zustand" FROM event;
SELECT is((SELECT sum(n) FROM activity_metrics.activity_quality('"Odd ''names"', entity => 'Deal', at => 'When', kind => 'What', actor => 'it''s', status => 'Zustand')), (SELECT sum(n) FROM activity_metrics.activity_quality('event')), 'names of columns');
SELECT ok(sentence ~ 'the worst sign: \d+ % ', sentence) FROM activity_metrics.activity_quality('event') WHERE actor = 'rep 1' AND kind = 'call';

SELECT ok(bool_and(a.automatic_share IS NOT DISTINCT FROM q.automatic_share AND a.substantive >= q.substantive AND round(a.n * a.substantive) = (SELECT count(*) FROM activity_metrics.activity_quality_events('event') AS e
		WHERE e.actor = q.actor AND e.kind IS NOT DISTINCT FROM q.kind AND isfinite(e.at) AND NOT (is_duplicate OR is_short OR is_empty))) AND bool_or(a.substantive > q.substantive), 'count_automatic: automatic events are as good as others')
	FROM activity_metrics.activity_quality('event') AS q JOIN activity_metrics.activity_quality('event', count_automatic => true) AS a ON a.actor = q.actor AND a.kind IS NOT DISTINCT FROM q.kind;
SELECT is((SELECT sum(quality) FROM activity_metrics.activity_quality_events('event', count_automatic => true)), (SELECT sum(round(n * substantive)) FROM activity_metrics.activity_quality('event', count_automatic => true)), 'event by event as well');
SELECT is((SELECT sum(substantive) FROM activity_metrics.activity_quality('event', count_automatic => NULL)), (SELECT sum(substantive) FROM activity_metrics.activity_quality('event')), 'count_automatic NULL is false');

--
-- Events with a quality, and metric x quality
--
SELECT results_eq($$SELECT actor, kind, count(*), sum(quality), sum(is_duplicate::integer), sum(is_short::integer), sum(is_empty::integer), sum(is_automatic::integer) FROM activity_metrics.activity_quality_events('event') WHERE isfinite(at) GROUP BY 1, 2 ORDER BY 1, 2$$,
	$$SELECT q.actor, q.kind, n, round(n * substantive), round(coalesce(duplicate_share * e.entities, 0))::bigint, coalesce(round(short_share * e.timed), 0)::bigint, coalesce(round(empty_share * e.rated), 0)::bigint, coalesce(round(automatic_share * e.known), 0)::bigint FROM activity_metrics.activity_quality('event') AS q,
		LATERAL (SELECT count(entity) AS entities, count(value) FILTER (WHERE kind = 'call' AND value < 'Infinity') AS timed, count(quality) AS rated, count(origin) AS known FROM event AS e WHERE e.actor = q.actor AND e.kind IS NOT DISTINCT FROM q.kind AND isfinite(e.at) AND e.status IS NULL) AS e ORDER BY 1, 2$$, 'events add up to the report');
SELECT is((SELECT count(*) FROM activity_metrics.activity_quality_events('event')), (SELECT count(*) FROM event WHERE actor IS NOT NULL AND status IS NULL), 'every event that was done by somebody is there');
SELECT ok(bool_and(quality IS NULL) AND count(*) > 1, 'without a finite time no quality') FROM activity_metrics.activity_quality_events('event') WHERE isfinite(at) IS NOT TRUE;
-- half of the calls are filler of 5 seconds: only the others bring wins
CREATE TABLE crm AS
	SELECT row_number() OVER () AS entity, at, kind, 'rep ' || u AS actor, value, u, p FROM (
		SELECT u, p, good, filler, coalesce(lag(good, 2) OVER (PARTITION BY u ORDER BY p), 0) AS led FROM (SELECT u, p, floor(random() * 6) AS good, floor(random() * 40) AS filler FROM generate_series(1, 14) AS u, generate_series(1, 80) AS p) AS s) AS w,
	LATERAL (SELECT '2023-01-02 08:00Z'::timestamptz + p * interval '7 days' + i * interval '11 minutes' AS at, v.kind, v.value FROM (VALUES ('call', good, 400), ('call', filler, 5), ('won', floor(led * random() * 1.5), NULL)) AS v(kind, n, value), generate_series(1, v.n::integer) AS i) AS e;
CREATE VIEW counted AS SELECT * FROM activity_metrics.activity_quality_events('crm');
SELECT activity_metrics.define_metric('calls', 'counted', 'call'), activity_metrics.define_metric('won', 'counted', 'won', kind => 'outcome');
SELECT ok(quality_gain > 0.3, format('metric x quality is the better metric: quality_gain %s', quality_gain)) FROM activity_metrics.vanity_report('won');
SELECT activity_metrics.define_metric('calls', 'crm', 'call'), activity_metrics.define_metric('won', 'crm', 'won', kind => 'outcome');
SELECT ok(quality_gain IS NULL, 'without it no quality is known') FROM activity_metrics.vanity_report('won');

SELECT throws_ok(replace(replace(query, 'quality(', 'SELECT * FROM activity_metrics.activity_quality('), 'events(', 'SELECT * FROM activity_metrics.activity_quality_events('), state, NULL, format('%s: %s', state, query)) FROM (VALUES
	($$quality(NULL)$$, '22004'), ($$quality('no_such')$$, '42P01'), ($$quality('event', 'fortnight')$$, '22023'), ($$quality('event', since => '2024-02-01', until => '2024-01-01')$$, '22023'), ($$quality('event', entity => 'deal')$$, '42703'),
	($$quality('event', at => 'kind')$$, '42804'), ($$quality('event', kind => NULL)$$, '22004'), ($$quality('event', actor => 'rep')$$, '42703'), ($$quality('event', status => 'state')$$, '42703'), ($$quality('event', tz => 'Mars')$$, '22023'),
	($$quality('event', calls => 'a -> b')$$, '22023'), ($$quality('event', calls => '')$$, '22023'), ($$quality('event', min_seconds => -1)$$, '22023'), ($$quality('event', min_seconds => 'NaN')$$, '22023'), ($$quality('event', min_seconds => NULL)$$, '22004'),
	($$events(NULL)$$, '22004'), ($$events('event', at => 'kind')$$, '42804'), ($$events('event', calls => 'a -> b')$$, '22023'), ($$events('event', min_seconds => NULL)$$, '22004'), ($$events('event', actor => 'rep')$$, '42703')) AS v(query, state);

SELECT * FROM finish();
ROLLBACK;
