-- data_quality_report(), data_quality.
BEGIN;
SELECT no_plan();
DELETE FROM activity_metrics.metric;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = error;
CREATE SCHEMA quality_test;
SET LOCAL search_path = quality_test, public;
CREATE FUNCTION fault(query text, OUT state text, OUT message text, OUT hint text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE query;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
END;
$$;

-- 12 weeks of about 200 events, with faults in some
SELECT setseed(0.5) IS NULL AS seeded \gset
CREATE TABLE event (entity text, kind text, at timestamptz, actor text, event_id text, recorded_at timestamptz, status text, origin text);
INSERT INTO event
	SELECT CASE WHEN random() > 0.03 THEN 'e' || (random() * 40)::integer END, (ARRAY['call', 'call', 'demo', 'fax'])[1 + floor(random() * 4)::integer], at, CASE WHEN random() > 0.02 THEN 'r' END,
		CASE WHEN random() > 0.1 THEN 'i' || (random() * 3000)::integer END, CASE WHEN random() > 0.1 THEN at + random() * random() * interval '20 days' END, NULL, (ARRAY['manual', 'Manual ', 'auto', NULL])[1 + floor(random() * 4)::integer]
	FROM (SELECT '2025-03-03Z'::timestamptz + w * interval '7 days' + random() * interval '7 days' AS at FROM generate_series(0, 11) AS w, generate_series(1, CASE w WHEN 8 THEN 60 WHEN 9 THEN 140 ELSE 200 END) AS i) AS s;
INSERT INTO event (entity, kind, at, status) VALUES ('e1', 'call', '1970-01-01Z', NULL), ('e1', 'call', '1970-01-18 12:00Z', NULL), ('e1', 'call', '55000-01-01Z', NULL), ('e1', 'call', 'infinity', NULL), ('e1', 'call', '1925-03-03Z', NULL),
	('e1', 'call', '-infinity', NULL), ('e1', 'call', NULL, NULL), ('e1', 'demo', now() + interval '1 day', NULL), ('e1', 'demo', now() + interval '1 day', 'Planned');
SELECT activity_metrics.define_metric('calls', 'event', 'call'), activity_metrics.define_metric('demos', 'event', 'demo | meeting');
CREATE TABLE entity (name text);
INSERT INTO entity SELECT 'e' || i FROM generate_series(0, 35) AS i;
CREATE TEMP TABLE report AS SELECT * FROM activity_metrics.data_quality_report('event');

-- one after the other, by hand
CREATE VIEW by_week AS SELECT date_trunc('week', at)::date AS week, * FROM event WHERE at >= '2025-03-03Z' AND at < '2025-05-26Z';
SELECT results_eq($$SELECT period_start, period_end, seen, n FROM report WHERE rule = 'completeness' ORDER BY period_start$$, 'SELECT week, week + 7, count(*)::float8, count(*) FROM by_week GROUP BY week ORDER BY week', 'completeness: what was seen');
SELECT results_eq($$SELECT expected, status FROM report WHERE rule = 'completeness' ORDER BY period_start$$, $$SELECT CASE WHEN w >= 4 THEN 200::float8 END, CASE WHEN w < 4 THEN 'grey' WHEN w = 8 THEN 'red' WHEN w = 9 THEN 'amber' ELSE 'green' END FROM generate_series(0, 11) AS w$$, 'against what was usual');
SELECT results_eq(format('SELECT period_start, seen FROM report WHERE rule = %L ORDER BY 1', rule), format('SELECT week, (%s)::float8 FROM by_week GROUP BY week ORDER BY week', count), rule) FROM (VALUES
	('duplicates', $$count(event_id) - count(DISTINCT concat(event_id, '|', entity)) FILTER (WHERE event_id IS NOT NULL)$$), ('manual', $$count(*) FILTER (WHERE origin ILIKE 'manual%')$$), ('back_dated', $$count(*) FILTER (WHERE recorded_at - at > interval '7 days')$$),
	('orphans', 'count(*) FILTER (WHERE entity IS NULL)'), ('no_actor', 'count(*) FILTER (WHERE actor IS NULL)'), ('unknown_kinds', $$count(*) FILTER (WHERE kind = 'fax')$$)) AS t(rule, count);
SELECT set_eq($$SELECT rule, n FROM report WHERE period_start = '2025-03-10'$$, $$SELECT r, CASE r WHEN 'manual' THEN count(origin) WHEN 'back_dated' THEN count(recorded_at) ELSE count(*) END FROM by_week, unnest(ARRAY['completeness', 'duplicates', 'manual', 'back_dated', 'orphans', 'no_actor', 'unknown_kinds']) AS r WHERE week = '2025-03-10' GROUP BY r$$, 'of how many');
SELECT ok(bool_and(share = seen / n), 'and the share') FROM report WHERE rule IN ('duplicates', 'manual', 'back_dated', 'orphans', 'no_actor', 'unknown_kinds');
SELECT ok(bool_and(status = CASE WHEN share > red THEN 'red' WHEN share > amber THEN 'amber' ELSE 'green' END), 'status by the share') FROM report JOIN (VALUES ('duplicates', 0.01, 0.05), ('manual', 0.8, 2), ('back_dated', 0.1, 0.3), ('orphans', 0.01, 0.1), ('no_actor', 0.01, 0.1), ('unknown_kinds', 0, 2)) AS t(rule, amber, red) USING (rule);
SELECT ok(bool_and((next_step IS NOT NULL) = (status IN ('red', 'amber')) AND message IS NOT NULL), 'what is wrong comes with what to do') FROM report;
SELECT matches(message, 'of a kind that no metric counts: fax$', 'kinds are named') FROM report WHERE rule = 'unknown_kinds' AND period_start = '2025-03-10';
SELECT results_eq($$SELECT rule, seen, n FROM report WHERE period_start IS NULL AND rule <> 'freshness' ORDER BY rule$$, $$VALUES ('before_2000', 2::float8, 2269::bigint), ('epoch', 4, 2269), ('future', 1, 2269), ('no_time', 1, 2269)$$, 'clock oddities') WHERE (SELECT count(*) FROM event) = 2269;
SELECT is((SELECT count(*) FROM event), (SELECT max(n) FROM report), 'all rows are looked at');
SELECT is(round(seen::numeric, 4), round(extract(epoch FROM now() - (SELECT max(at) FROM by_week)) / 3600, 4), 'hours since the newest event that has happened') FROM report WHERE rule = 'freshness';
SELECT is(status, 'red', 'which is long ago') FROM report WHERE rule = 'freshness';
-- a week without any event
DELETE FROM event WHERE at >= '2025-05-12Z' AND at < '2025-05-19Z';
SELECT results_eq($$SELECT rule, seen, status FROM activity_metrics.data_quality_report('event') WHERE period_start = '2025-05-12'$$, $$VALUES ('completeness', 0::float8, 'red')$$, 'a week without events is a row');

-- a kind that never has an entity has no orphans
INSERT INTO event (kind, at) SELECT 'login', '2025-04-08Z' FROM generate_series(1, 50);
SELECT is((SELECT seen FROM activity_metrics.data_quality_report('event') WHERE rule = 'orphans' AND period_start = '2025-04-07'), (SELECT count(*)::float8 FROM by_week WHERE week = '2025-04-07' AND entity IS NULL AND kind IS DISTINCT FROM 'login'), 'logins are no orphans');
DELETE FROM event WHERE kind = 'login';

-- arguments
SELECT is((SELECT sum(seen) FROM activity_metrics.data_quality_report('event', entities => 'entity', entity_key => 'name') WHERE rule = 'orphans'), (SELECT count(*)::float8 FROM by_week WHERE entity IS NULL OR entity NOT IN (SELECT name FROM entity)), 'orphans by a table of entities');
SELECT set_eq($$SELECT source, sum(seen)::bigint FROM activity_metrics.data_quality_report('event', 'month', '2025-04-01Z', '2025-05-01Z', by => 'origin') WHERE rule = 'completeness' GROUP BY source$$,
	$$SELECT origin, count(*) FROM event WHERE at >= '2025-04-01Z' AND at < '2025-05-01Z' GROUP BY origin$$, 'by source, grain and range');
SELECT is((SELECT sum(seen) FROM activity_metrics.data_quality_report('event', late_days => 0.5) WHERE rule = 'back_dated'), (SELECT count(*)::float8 FROM by_week WHERE recorded_at > at + interval '12 hours'), 'late after half a day');
CREATE TABLE plain AS SELECT at AS done_at, kind AS what FROM event WHERE at > '2000-01-01' AND at < now();
INSERT INTO plain SELECT * FROM plain WHERE done_at < '2025-03-10Z' LIMIT 7;
SELECT set_eq($$SELECT rule, status FROM activity_metrics.data_quality_report('plain', at => 'done_at', kind => 'what') WHERE period_start = '2025-03-03'$$,
	$$VALUES ('completeness', 'grey'), ('duplicates', 'amber'), ('manual', 'grey'), ('back_dated', 'grey'), ('orphans', 'grey'), ('no_actor', 'grey'), ('unknown_kinds', 'grey')$$, 'what has no column cannot be told');
SELECT is((SELECT seen FROM activity_metrics.data_quality_report('plain', at => 'done_at', kind => 'what') WHERE period_start = '2025-03-03' AND rule = 'duplicates'), 7::float8, 'without event_id the same thing at the same time');
CREATE TABLE nothing (entity text, kind text, at timestamptz);
SELECT results_eq($$SELECT rule, status, n, message FROM activity_metrics.data_quality_report('nothing')$$, $$VALUES ('freshness', 'red', 0::bigint, 'there is no event')$$, 'an empty relation');
SELECT set_eq($$SELECT rule, status FROM activity_metrics.data_quality_report('event', since => '2031-01-01Z')$$, $$VALUES ('freshness', 'red'), ('no_time', 'amber'), ('before_2000', 'amber'), ('epoch', 'amber'), ('future', 'amber')$$, 'a range without events');
SELECT ok(f.state = t.state AND f.message ~ said, query) FROM (VALUES
	($$SELECT * FROM activity_metrics.data_quality_report(NULL)$$, '22004', ''), ($$SELECT * FROM activity_metrics.data_quality_report('event', 'fortnight')$$, '22023', 'fortnight'), ($$SELECT * FROM activity_metrics.data_quality_report('event', at => 'when')$$, '42703', 'no column "when"'),
	($$SELECT * FROM activity_metrics.data_quality_report('event', at => 'kind')$$, '42804', 'not a time'), ($$SELECT * FROM activity_metrics.data_quality_report('event', entity => 'enttiy')$$, '42703', 'enttiy'), ($$SELECT * FROM activity_metrics.data_quality_report('event', entities => 'entity')$$, '42703', 'no column "entity"'),
	($$SELECT * FROM activity_metrics.data_quality_report('event', late_days => -1)$$, '22023', 'late_days'), ($$SELECT * FROM activity_metrics.data_quality_report('event', late_days => 'NaN')$$, '22023', 'late_days'), ($$SELECT * FROM activity_metrics.data_quality_report('event', tz => 'Mars')$$, '22023', 'Mars'),
	($$SELECT * FROM activity_metrics.data_quality_report('event', since => '2026-01-01', until => '2025-01-01')$$, '22023', 'since'), ($$SELECT * FROM activity_metrics.data_quality_report('event', by => 'x')$$, '42703', '"x"')) AS t(query, state, said), fault(query) AS f;

-- the view: all relations of the dictionary, also those that are broken
INSERT INTO event (entity, kind, at, actor) SELECT 'e1', 'call', now() - i * interval '5 hours', 'r' FROM generate_series(1, 500) AS i;
CREATE TABLE doomed (actor text, at timestamptz);
SELECT activity_metrics.define_metric('doomed', 'doomed');
DROP TABLE doomed;
SELECT activity_metrics.define_metric('everything', 'event');
SELECT is((SELECT sum(seen) FROM activity_metrics.data_quality_report('event') WHERE rule = 'unknown_kinds'), 0::float8, 'a metric of all kinds knows them all');
DELETE FROM activity_metrics.metric WHERE metric = 'everything';
SELECT set_eq('SELECT DISTINCT relation FROM activity_metrics.data_quality', $$VALUES ('quality_test.event'), ('quality_test.doomed')$$, 'a view of all relations');
SELECT results_eq($$SELECT rule, status, message FROM activity_metrics.data_quality WHERE relation = 'quality_test.doomed'$$, $$VALUES ('readable', 'red', 'relation "quality_test.doomed" does not exist')$$, 'one that is gone has a row');
SELECT is(min(period_start), date_trunc('week', now())::date - 91, 'thirteen weeks') FROM activity_metrics.data_quality;
SELECT is(status, 'green', 'fresh') FROM activity_metrics.data_quality WHERE rule = 'freshness' AND relation = 'quality_test.event';

SELECT * FROM finish();
ROLLBACK;
