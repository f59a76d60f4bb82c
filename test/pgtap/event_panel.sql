-- event_panel(): the panel of two metrics by dense counters, read from the table and by the aggregate, against the same grouped by the server.
BEGIN;
SELECT no_plan();
CREATE SCHEMA dense_test;
SET LOCAL search_path = dense_test, public;
SET LOCAL work_mem = '64MB';

--
-- Its clock is period_no
--
CREATE FUNCTION differing(times timestamptz[], zone text, grain text) RETURNS bigint LANGUAGE sql STABLE AS $$
	SELECT count(*) FILTER (WHERE r.period IS DISTINCT FROM activity_metrics.period_no(times[r.unit::int], grain, zone)
			OR r.period_start IS DISTINCT FROM activity_metrics.period_start(r.period, grain))
		+ abs(count(*) - cardinality(times))
	FROM (SELECT activity_metrics.event_panel(1, i, at, 'a', NULL, NULL, NULL, NULL, NULL, format('grain ''%s'', zone ''%s'', count', grain, zone)) AS panel
		FROM unnest(times) WITH ORDINALITY AS t(at, i)) AS e, activity_metrics.event_panel_rows(e.panel) AS r
$$;
CREATE TABLE zone AS SELECT unnest(ARRAY['UTC', 'Europe/Berlin', 'America/New_York', 'America/Sao_Paulo', 'Asia/Kolkata',
	'Australia/Lord_Howe', 'Pacific/Apia', 'Asia/Kathmandu', 'Pacific/Kiritimati', 'America/St_Johns', 'Africa/Casablanca']) AS tz;
CREATE TABLE grain AS SELECT unnest(ARRAY['hour', 'day', 'week', 'month', 'quarter', 'year']) AS grain;
SELECT setseed(0.125) IS NULL AS seeded \gset
SELECT is(sum(dense_test.differing(t.times, zone.tz, grain.grain)), 0::numeric, 'random times from 1900 to 2100, zones and grains')
	FROM zone, grain, (SELECT array_agg('1900-01-01Z'::timestamptz + random() * interval '73000 days') AS times FROM generate_series(1, 1500)) AS t;
SELECT is(sum(dense_test.differing(t.times, zone.tz, grain.grain)), 0::numeric, 'many times of few years')
	FROM zone, grain, (SELECT array_agg('2008-01-01Z'::timestamptz + random() * interval '1500 days') AS times FROM generate_series(1, 3000)) AS t;
SELECT is(sum(dense_test.differing(t.times, zone.tz, grain.grain)), 0::numeric, 'times from 4712 BC to the far future')
	FROM zone, grain, (SELECT array_agg('4712-02-01Z BC'::timestamptz + i * interval '2777 days 5 hours 7 minutes 13 seconds') AS times FROM generate_series(0, 2500) AS i) AS t;
SELECT is(sum(dense_test.differing(t.times, zone.tz, grain.grain)), 0::numeric, 'every half hour around changes of clocks, to the microsecond')
	FROM zone, grain, (SELECT array_agg(at - d) AS times
		FROM (VALUES ('2024-03-09Z'::timestamptz, '2024-03-11Z'::timestamptz), ('2024-03-30Z', '2024-04-01Z'), ('2024-10-26Z', '2024-10-28Z'),
			('2018-11-03Z', '2018-11-05Z'), ('2018-02-17Z', '2018-02-19Z'), ('2011-12-28Z', '2012-01-02Z'), ('2024-04-06Z', '2024-04-08Z'),
			('1994-12-30Z', '1995-01-03Z'), ('1969-12-30Z', '1970-01-02Z'), ('2006-10-29Z', '2006-10-31Z'), ('2007-04-01Z', '2007-04-02Z')) AS r(f, t),
		generate_series(f, t, '30 minutes') AS at, unnest(ARRAY['0 s'::interval, '1 microsecond', '30 s']) AS d) AS t;

--
-- The same panel on all ways
--
-- money with cents, sums that cancel, values that are not known; reps that come and go; a roster; every kind of status
CREATE TABLE event AS
	SELECT i AS id, (ARRAY['call', 'call', 'cold call', 'demo', 'it''s', 'won', NULL])[1 + floor(random() * 7)::int] AS kind,
		CASE WHEN random() < 0.98 THEN '2017-06-01Z'::timestamptz + unit * interval '11 days' + random() * (900 - unit * 60) * interval '1 day' END AS at,
		unit::int AS actor, md5((unit % 3)::text)::uuid AS team,
		(ARRAY[NULL, NULL, NULL, 'done', 'Done', ' No Show ', 'cancelled', 'PLANNED', 'no-show'])[1 + floor(random() * 9)::int] AS status,
		(ARRAY[NULL, 0.1, 1e300, -1e300, 1e-300, random() * 1e5, random(), -7.25])[1 + floor(random() * 8)::int]::double precision AS value,
		CASE WHEN random() < 0.7 THEN random() END::real AS quality, (random() * 1e6)::numeric(20, 4) AS amount
	FROM generate_series(1, 6000) AS i, LATERAL (SELECT nullif(i % 13, 12)) AS u(unit);
INSERT INTO event SELECT -i, NULL, NULL, 20 + i, NULL, NULL, NULL, NULL, NULL FROM generate_series(1, 3) AS i;
DELETE FROM event WHERE actor = 3 AND at BETWEEN '2018-01-01Z' AND '2018-09-17Z';
ANALYZE event;
-- what only SQL can read: for the aggregate
CREATE VIEW seen AS SELECT * FROM event;
CREATE TABLE deal AS SELECT id, at AT TIME ZONE 'UTC' AS closed, 'rep ' || actor AS rep, actor AS rep_no, team::text AS squad, CASE WHEN id % 3 = 0 THEN 'won' ELSE 'lost' END::varchar(9) AS stage, amount::numeric FROM event WHERE id % 4 = 0;
CREATE VIEW named AS SELECT *, 'rep ' || actor AS name FROM event;

CREATE FUNCTION rows_of(statement text, since timestamptz, until timestamptz) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	-- to the bit
	SET LOCAL extra_float_digits = 1;
	RETURN QUERY EXECUTE 'SELECT p::text FROM (' || statement || ') AS p' USING since, until;
END;
$$;
-- both metrics by the server, and as metric_panel does it; wanted: what the statement is to be made of
CREATE FUNCTION same_ways(label text, x text, y text, wanted text, segment text DEFAULT NULL) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	g text;
	r record;
	grouped text;
	dense text;
BEGIN
	FOREACH g IN ARRAY ARRAY['day', 'week', 'month', 'year', 'hour'] LOOP
		grouped := activity_metrics.metric_panel_sql(x, y, g, segment, false);
		dense := activity_metrics.metric_panel_sql(x, y, g, segment, true);
		RETURN NEXT ok(grouped NOT LIKE '%event_panel%' AND dense LIKE '%' || wanted || '(%', label || ' is made by ' || wanted);
		FOR r IN SELECT * FROM (VALUES (NULL::timestamptz, NULL::timestamptz), ('2018-03-13 15:16:17Z', NULL), (NULL, '2018-09-17 18:19:20Z'), ('2018-01-01Z', '2018-05-15Z'),
			('2018-05-15Z', '2018-05-15Z'), ('2010-01-01Z', '2030-01-01Z')) AS v(since, until) WHERE g <> 'hour'
			UNION ALL SELECT '2018-03-23Z', '2018-04-02 12:34Z' WHERE g = 'hour'
		LOOP
			RETURN NEXT results_eq(format('SELECT r FROM rows_of(%L, %L, %L) AS r ORDER BY r COLLATE "C"', dense, r.since, r.until),
				format('SELECT r FROM rows_of(%L, %L, %L) AS r ORDER BY r COLLATE "C"', grouped, r.since, r.until),
				format('%s by %s from %s to %s', label, g, coalesce(r.since::text, '-'), coalesce(r.until::text, '-')));
		END LOOP;
	END LOOP;
END;
$$;

SELECT activity_metrics.define_metric('calls', 'event', 'call | ''cold call''', tz => 'America/Sao_Paulo'), activity_metrics.define_metric('money', 'event', 'won | ''it''''s''', 'sum', tz => 'America/Sao_Paulo'),
	activity_metrics.define_metric('everything', 'event', tz => 'America/Sao_Paulo'), activity_metrics.define_metric('all_money', 'event', NULL, 'sum', tz => 'America/Sao_Paulo'),
	activity_metrics.define_metric('amounts', 'event', 'won | call', 'sum', value => 'amount', tz => 'America/Sao_Paulo'),
	activity_metrics.define_metric('numbers', 'event', 'demo', 'sum', value => 'id', tz => 'America/Sao_Paulo'),
	activity_metrics.define_metric('events', 'event', 'call', 'count_distinct', value => 'id', tz => 'America/Sao_Paulo') \gset
SELECT same_ways('two counts', 'calls', 'everything', 'event_panel_scan');
SELECT same_ways('sums', 'money', 'all_money', 'event_panel_scan');
SELECT same_ways('sums of two columns', 'amounts', 'numbers', 'event_panel_scan');
SELECT same_ways('a metric beside itself', 'calls', 'calls', 'event_panel_scan');
SELECT same_ways('segments', 'calls', 'money', 'event_panel', 'team');
SELECT same_ways('segments that are NULL', 'calls', 'money', 'event_panel', 'status');
SELECT ok(activity_metrics.metric_panel_sql('events', 'calls', 'week') NOT LIKE '%event_panel%', 'distinct counts are grouped by the server');

SELECT activity_metrics.define_metric('seen_calls', 'seen', 'call | ''cold call''', tz => 'Europe/Berlin'), activity_metrics.define_metric('seen_money', 'seen', 'won', 'sum', tz => 'Europe/Berlin'),
	activity_metrics.define_metric('named_all', 'named', actor => 'name', tz => 'Europe/Berlin'), activity_metrics.define_metric('by_team', 'seen', 'call', actor => 'team', tz => 'Europe/Berlin'),
	activity_metrics.define_metric('by_status', 'seen', 'Done', kind_column => 'status', tz => 'Europe/Berlin') \gset
SELECT same_ways('a view', 'seen_calls', 'seen_money', 'event_panel');
SELECT same_ways('two columns for kinds', 'seen_calls', 'by_status', 'event_panel');
SELECT same_ways('units that are texts', 'named_all', 'named_all', 'event_panel');
SELECT same_ways('units that are uuids', 'by_team', 'by_team', 'event_panel');

SELECT activity_metrics.define_metric('deals', 'deal', 'won', at => 'closed', actor => 'rep', kind_column => 'stage'), activity_metrics.define_metric('revenue', 'deal', 'won', 'sum', value => 'amount', at => 'closed', actor => 'rep', kind_column => 'stage'),
	activity_metrics.define_metric('named_calls', 'named', 'call', actor => 'name'), activity_metrics.define_metric('deals_by_no', 'deal', 'won', at => 'closed', actor => 'rep_no', kind_column => 'stage'),
	activity_metrics.define_metric('deals_by_squad', 'deal', 'won', at => 'closed', actor => 'squad', kind_column => 'stage'),
	activity_metrics.define_metric('utc_calls', 'event', 'call'), activity_metrics.define_metric('utc_by_team', 'event', 'call', actor => 'team') \gset
SELECT same_ways('deals and their value', 'deals', 'revenue', 'event_panel_scan');
SELECT same_ways('two relations', 'named_calls', 'revenue', 'event_panel');
SELECT same_ways('two tables', 'utc_calls', 'deals_by_no', 'event_panel_scan');
SELECT same_ways('uuids and texts', 'utc_by_team', 'deals_by_squad', 'event_panel');
SELECT throws_ok($$SELECT * FROM activity_metrics.metric_panel('calls', 'money', segment => 'teem')$$, '42703', 'relation "dense_test.event" has no column "teem"', 'no such segment');

-- names that are equal though they differ
CREATE COLLATION IF NOT EXISTS any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE loose (at timestamptz, actor text COLLATE any_case, kind text COLLATE any_case);
INSERT INTO loose VALUES ('2024-01-01Z', 'ann', 'call'), ('2024-01-08Z', 'Ann', 'Call');
SELECT activity_metrics.define_metric('loose', 'loose', 'call') \gset
SELECT results_eq($$SELECT count(DISTINCT unit), sum(x) FROM activity_metrics.metric_panel('loose', 'loose')$$, $$VALUES (1::bigint, 2::float8)$$, 'a collation without case');

-- too many cells for memory: the server groups them, which has files
CREATE TABLE apart AS SELECT 'a' AS kind, '2000-01-01Z'::timestamptz + i * interval '1 hour' AS at, 'rep ' || i / 500 % 5 AS actor, 0.1 AS value FROM generate_series(1, 80000, 500) AS i;
SELECT activity_metrics.define_metric('apart', 'apart', 'a', 'sum') \gset
SET LOCAL work_mem = '1MB';
SELECT throws_ok($$SELECT activity_metrics.event_panel(1, actor, at, kind, NULL, value, NULL, NULL, NULL, 'grain ''hour'', sum, sum') FROM apart$$, '54000', 'panel is too large for work_mem', 'too large a panel');
SELECT results_eq($$SELECT count(*), activity_metrics.exact_sum(x) FROM activity_metrics.metric_panel('apart', 'apart', 'hour')$$, $$SELECT 387505::bigint, activity_metrics.exact_sum(value) FROM apart$$, 'which metric_panel makes all the same');
RESET work_mem;

--
-- The same to the bit for any order and plan
--
CREATE TABLE expected AS SELECT activity_metrics.event_panel(1, actor::bigint, at, kind, status, value, quality, '2018-01-01Z', NULL, 'grain ''day'', zone ''Europe/Berlin'', count ''call'', sum, count, sum ''won'', or ''call''') AS panel FROM event;
SELECT is(md5(activity_metrics.event_panel(1, actor::bigint, at, kind, status, value, quality, '2018-01-01Z', NULL, 'grain ''day'', zone ''Europe/Berlin'', count ''call'', sum, count, sum ''won'', or ''call''' ORDER BY o)),
		(SELECT md5(panel) FROM expected), 'any order, ' || n)
	FROM generate_series(1, 5) AS n, LATERAL (SELECT *, md5(id::text || n) AS o FROM event) AS e GROUP BY n;
SELECT is(md5(activity_metrics.event_panel_scan('{event}', ARRAY['actor', 'at', 'kind', 'status', 'value', 'quality'], '2018-01-01Z', NULL, 'Europe/Berlin', 'grain ''day'', zone ''Europe/Berlin'', count ''call'', sum, count, sum ''won'', or ''call''')),
	(SELECT md5(panel) FROM expected), 'read from the table');
ALTER TABLE event SET (parallel_workers = 3);
SET LOCAL max_parallel_workers_per_gather = 3;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
CREATE FUNCTION plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	lines text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		lines := lines || line || E'\n';
	END LOOP;
	RETURN lines;
END;
$$;
\set parallel 'SELECT activity_metrics.event_panel(1, actor::bigint, at, kind, status, value, quality, ''2018-01-01Z'', NULL, ''grain ''''day'''', zone ''''Europe/Berlin'''', count ''''call'''', sum, count, sum ''''won'''', or ''''call'''''') FROM event'
SELECT alike(plan(:'parallel'), '%Gather%Partial Aggregate%Parallel Seq Scan%', 'a parallel plan');
SELECT is(md5((:parallel)), (SELECT md5(panel) FROM expected), 'in parallel, run ' || n) FROM generate_series(1, 3) AS n;
SET LOCAL parallel_leader_participation = off;
SELECT is(md5((:parallel)), (SELECT md5(panel) FROM expected), 'in parallel, by workers only');
SELECT is((SELECT activity_metrics.event_panel(1, actor::bigint, at, kind, status, value, quality, NULL, NULL, 'count') FROM event WHERE id > 100000), NULL, 'in parallel, no rows: NULL');
SELECT throws_ok($$SELECT activity_metrics.event_panel(1, actor::bigint, at, kind, status, value, quality, NULL, NULL, CASE WHEN id = 77 THEN 'sum' ELSE 'count' END) FROM event$$, '22023', NULL, 'in parallel, options change');
RESET parallel_leader_participation;
SELECT is(count(DISTINCT r.unit), 15::bigint, 'units of the panel') FROM expected, activity_metrics.event_panel_rows(panel) AS r;

--
-- Settings, faults
--
SELECT throws_ok(format('SELECT activity_metrics.event_panel(1, 1::bigint, now(), ''a'', NULL, NULL, NULL, NULL, NULL, %L)', o), s, NULL, 'options ' || coalesce(o, 'NULL'))
	FROM (VALUES ('', '22023'), ('or ''a''', '22023'), ('count, or ''a''', '22023'), ('counts', '22023'), ('count ''a', '22023'), ('grain ''fortnight'', count', '22023'),
		('zone ''Nowhere'', count', '22023'), ('source 0, count', '22023'), (repeat('count,', 1001), '54000'), (NULL, '22004')) AS v(o, s);
SELECT throws_ok($$SELECT activity_metrics.event_panel(i, 1::bigint, now(), 'a', NULL, NULL, NULL, NULL, NULL, 'source 2, count') FROM generate_series(1, 3) AS i$$, '22023', 'source is 3, the options name 2', 'no such source');
SELECT throws_ok($$SELECT activity_metrics.event_panel(1, 1::bigint, now(), 'a', NULL, NULL, NULL, now() - i * interval '1 day', NULL, 'count') FROM generate_series(1, 3) AS i$$, '22023', NULL, 'since changes');
SELECT throws_ok($$SELECT activity_metrics.event_panel(1, 1::bigint, at, 'a', NULL, v, NULL, NULL, NULL, 'sum') FROM (VALUES ('infinity'::timestamptz, 1::float8)) AS t(at, v)$$, '22008', NULL, 'an infinite time');
SELECT throws_ok(format($$SELECT activity_metrics.event_panel(1, 1::bigint, now(), 'a', NULL, %L, NULL, NULL, NULL, 'sum')$$, v), '22003', NULL, 'a value that is ' || v) FROM unnest(ARRAY['NaN', 'Infinity']) AS v;
SELECT throws_ok($$SELECT r.* FROM (SELECT activity_metrics.event_panel(1, 1::bigint, '2024-01-01Z', 'a', NULL, 1.5e308, NULL, NULL, NULL, 'sum') AS p FROM generate_series(1, 3)) AS e, activity_metrics.event_panel_rows(e.p) AS r$$, '22003', 'sum overflows', 'an overflow');
SELECT is_empty($$SELECT * FROM activity_metrics.event_panel_rows(NULL)$$, 'no panel, no rows');

-- bytes that are none: refused, or harmless
CREATE FUNCTION harmless(bytes bytea) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM count(*) FROM (SELECT * FROM activity_metrics.event_panel_rows(bytes) LIMIT 10) AS r;
	RETURN true;
EXCEPTION
	WHEN invalid_binary_representation OR invalid_parameter_value OR program_limit_exceeded OR datetime_field_overflow OR numeric_value_out_of_range OR character_not_in_repertoire THEN
		RETURN true;
END;
$$;
CREATE TABLE small AS SELECT activity_metrics.event_panel(1, chr(65 + i % 3), '2024-01-01Z'::timestamptz + i * interval '200 days', 'a', NULL, 0.1, 0.5, NULL, NULL, 'grain ''year'', count, sum ''a''') AS panel FROM generate_series(1, 20) AS i;
SELECT ok(bool_and(harmless(substr(panel, 1, n))), 'cut short') FROM small, generate_series(0, length(panel) - 1) AS n;
SELECT ok(bool_and(harmless(set_byte(panel, n, get_byte(panel, n) # v))), 'bytes that are wrong') FROM small, generate_series(0, length(panel) - 1) AS n, unnest(ARRAY[1, 128]) AS v;
SELECT ok(harmless(panel || '\x00'), 'bytes after the end') FROM small;

SELECT * FROM finish();
ROLLBACK;
