-- refresh_in_transaction() and the pieces of refresh(): what is refused, beginnings of periods, ranges, rights, hostile
-- names. refresh() itself commits: see test/t/refresh.t and test/specs.
BEGIN;
SELECT no_plan();
CREATE SCHEMA refresh_test;
SET LOCAL search_path = refresh_test, public;
SET LOCAL client_min_messages = error;

--
-- The moment at which a period begins: in it, and nothing before it
--
CREATE TABLE moment AS
	SELECT g.grain, z.tz, activity_metrics.period_no(t.at, g.grain, z.tz) AS period, t.at
	FROM unnest(ARRAY['hour', 'day', 'week', 'month', 'quarter', 'year']) AS g(grain),
		-- midnights that are not there (Sao Paulo, Beirut) or twice (Havana), half hours, a day that was left out (Apia)
		unnest(ARRAY['UTC', 'Europe/Berlin', 'America/Sao_Paulo', 'Asia/Beirut', 'America/Havana', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Pacific/Apia', 'Antarctica/Troll']) AS z(tz),
		LATERAL (SELECT '2010-12-25Z'::timestamptz + i * interval '17 hours' AS at FROM generate_series(1, 1500) AS i) AS t;
SELECT is(count(*), 0::bigint, 'period_time is the first moment of a period')
	FROM (SELECT DISTINCT grain, tz, period FROM moment) AS m, activity_metrics.period_time(m.period, m.grain, m.tz) AS t
	WHERE activity_metrics.period_no(t, m.grain, m.tz) < m.period OR activity_metrics.period_no(t - interval '1 microsecond', m.grain, m.tz) >= m.period;
SELECT is(count(*), 0::bigint, 'and not later than what lies in it') FROM moment WHERE at < activity_metrics.period_time(period, grain, tz);
SELECT is(activity_metrics.period_time(NULL, 'week', 'UTC'), NULL, 'NULL for NULL');

--
-- Ranges: all that was touched, in at most so many, none of the widest gaps
--
SELECT setseed(0.5) IS NULL AS seeded \gset
CREATE TABLE touched AS
	SELECT t, array_agg(first ORDER BY random()) AS firsts, array_agg(first + length ORDER BY random()) AS ignored, array_agg(first) AS f, array_agg(first + length) AS l
	FROM (SELECT t, floor(random() * (10 + t % 90))::bigint AS first, floor(random() * (1 + t % 4))::bigint AS length FROM generate_series(1, 300) AS t, LATERAL generate_series(1, 1 + t % 17) AS i) AS r GROUP BY t;
CREATE TABLE ranges AS SELECT t, most, r.first, r.last FROM touched, unnest(ARRAY[1, 2, 8, 100]) AS most, LATERAL activity_metrics.refresh_ranges(f, l, most) AS r;
SELECT is(count(*), 0::bigint, 'ranges hold all that was touched') FROM touched, unnest(ARRAY[1, 2, 8, 100]) AS m(most), unnest(f, l) AS u(first, last)
	WHERE NOT EXISTS (SELECT FROM ranges r WHERE r.t = touched.t AND r.most = m.most AND r.first <= u.first AND r.last >= u.last);
SELECT is(count(*), 0::bigint, 'no more than wanted') FROM (SELECT FROM ranges GROUP BY t, most HAVING count(*) > most) AS s;
-- the twin counts periods: what a range holds beyond the touched ones are the narrowest gaps
CREATE TABLE gap AS
	SELECT t, row_number() OVER (PARTITION BY t ORDER BY next - p DESC) AS rank, next - p - 1 AS width
	FROM (SELECT t, p, lead(p) OVER (PARTITION BY t ORDER BY p) AS next FROM (SELECT DISTINCT t, generate_series(u.first, u.last) AS p FROM touched, unnest(f, l) AS u(first, last)) AS d) AS n WHERE next > p + 1;
SELECT is(count(*), 0::bigint, 'the widest gaps stay out') FROM (SELECT t, most, sum(last - first + 1) AS held FROM ranges GROUP BY t, most) AS h
	WHERE held <> (SELECT count(DISTINCT p) FROM touched, unnest(f, l) AS u(first, last), generate_series(u.first, u.last) AS p WHERE touched.t = h.t)
		+ coalesce((SELECT sum(width) FROM gap WHERE gap.t = h.t AND rank >= h.most), 0);
SELECT is(count(*), 0::bigint, 'nothing touched, no range') FROM activity_metrics.refresh_ranges('{}', '{}');

--
-- Transactions
--
SELECT is(least(activity_metrics.oldest_transaction_start(), now()), activity_metrics.oldest_transaction_start(), 'the oldest transaction is not younger than ours');
SELECT isnt(activity_metrics.oldest_transaction_start(), NULL, 'and there is one');

--
-- Values
--
CREATE TABLE ev (event_id bigint, entity bigint, at timestamptz, kind text, actor text, value double precision, recorded_at timestamptz DEFAULT now());
INSERT INTO ev SELECT i, i % 9, '2024-01-01Z'::timestamptz + i * interval '31 hours', CASE WHEN i % 3 = 0 THEN 'won' ELSE 'call' END, (ARRAY['Ann', '(all)', 'O''Hara "x"', NULL])[1 + i % 4], i FROM generate_series(1, 200) AS i;
SELECT activity_metrics.define_metric('calls', 'ev', 'call');
SELECT activity_metrics.define_metric('revenue', 'ev', 'won', agg => 'sum', kind => 'outcome');
CREATE FUNCTION wrong(metric text, grain text DEFAULT 'week') RETURNS SETOF text LANGUAGE sql AS $$
	(SELECT v::text FROM (SELECT period, period_start, unit, value, n, is_complete FROM activity_metrics.metric_value AS v WHERE v.metric = wrong.metric AND v.grain = wrong.grain) AS v
	EXCEPT ALL
	SELECT l::text FROM (SELECT period, period_start, unit, value, n, is_complete FROM activity_metrics.metric_values(metric, grain => grain)
		UNION ALL SELECT period, period_start, unit, value, n, is_complete FROM activity_metrics.metric_values(metric, grain => grain, by => 'unit') WHERE unit <> '(all)') AS l)
	UNION ALL
	(SELECT l::text FROM (SELECT period, period_start, unit, value, n, is_complete FROM activity_metrics.metric_values(metric, grain => grain)
		UNION ALL SELECT period, period_start, unit, value, n, is_complete FROM activity_metrics.metric_values(metric, grain => grain, by => 'unit') WHERE unit <> '(all)') AS l
	EXCEPT ALL
	SELECT v::text FROM (SELECT period, period_start, unit, value, n, is_complete FROM activity_metrics.metric_value AS v WHERE v.metric = wrong.metric AND v.grain = wrong.grain) AS v)
$$;
SELECT activity_metrics.refresh_in_transaction() AS rows_written \gset
SELECT is(:rows_written::bigint, count(*), 'the rows written') FROM activity_metrics.metric_value;
SELECT is_empty($$SELECT wrong('calls') UNION ALL SELECT wrong('revenue')$$, 'as metric_values() has them; a rep who is called (all) gives way to the whole');
SELECT cmp_ok(count(*), '>', 200::bigint, 'there are some') FROM activity_metrics.metric_value;
SELECT is(activity_metrics.refresh_in_transaction(full => true), 0::bigint, 'full again: nothing to write');
SELECT is(activity_metrics.refresh_in_transaction(ARRAY['calls', 'calls']), 0::bigint, 'named twice, done once');
SELECT results_eq($$SELECT metric, mode, done, total, rows_written, error FROM activity_metrics.refresh_log ORDER BY run_id DESC, metric LIMIT 3$$,
	$$VALUES ('calls', 'recorded', 1, 1, 0::bigint, NULL::text), ('calls', 'full', 1, 2, 0, NULL), ('revenue', 'full', 2, 2, 0, NULL)$$, 'the log');
SELECT results_eq($$SELECT from_period, to_period FROM activity_metrics.refresh_log WHERE metric = 'calls' AND mode = 'full' ORDER BY run_id DESC LIMIT 1$$,
	$$SELECT min(period_start), max(period_start) FROM activity_metrics.metric_value WHERE metric = 'calls'$$, 'and the periods');
DO $$
DECLARE
	grain text;
BEGIN
	FOREACH grain IN ARRAY ARRAY['hour', 'day', 'month', 'quarter', 'year'] LOOP
		PERFORM activity_metrics.refresh_in_transaction('{calls}', grain => grain);
	END LOOP;
END;
$$;
SELECT is_empty($$SELECT wrong('calls', g) FROM unnest(ARRAY['hour', 'day', 'week', 'month', 'quarter', 'year']) AS g$$, 'any grain, beside the others');
SELECT is(count(DISTINCT grain), 6::bigint, 'of one metric') FROM activity_metrics.metric_value WHERE metric = 'calls';
INSERT INTO ev VALUES (900, 1, 'tomorrow', 'call', 'Ann', 1), (901, 1, '1999-12-31Z', 'call', 'Old', 1);
SELECT activity_metrics.refresh_in_transaction('{calls}', look_back => 0) > 0;
SELECT is_empty($$SELECT wrong('calls')$$, 'events of the future and of long ago');
SELECT is(count(*), 1::bigint, 'where a unit has few periods there are few rows') FROM activity_metrics.metric_value WHERE metric = 'calls' AND grain = 'week' AND unit = 'Old';
SELECT cmp_ok(count(*), '>', 1000::bigint, 'and the whole goes from the first to the last') FROM activity_metrics.metric_value WHERE metric = 'calls' AND grain = 'week' AND unit = '(all)';

-- columns that tell when: with a zone, without, a day, none, not a time
CREATE TABLE stamped (at timestamptz, kind text, actor text, written timestamp, day date, recorded_at text);
INSERT INTO stamped VALUES ('2024-01-02Z', 'call', 'Ann', '2024-01-02', '2024-01-02', 'x');
SELECT activity_metrics.define_metric('unzoned', 'stamped', recorded_column => 'written', tz => 'Asia/Tokyo'), activity_metrics.define_metric('days', 'stamped', recorded_column => 'day', tz => 'Pacific/Honolulu'),
	activity_metrics.define_metric('untold', 'stamped');
SELECT activity_metrics.refresh_in_transaction('{unzoned,days,untold}') > 0;
-- by the clock of Honolulu, of UTC and of Tokyo: recorded now
INSERT INTO stamped SELECT '2024-02-06Z', 'call', 'Ann', now() AT TIME ZONE 'Pacific/Honolulu', (now() AT TIME ZONE 'Pacific/Honolulu')::date;
INSERT INTO stamped SELECT '2024-03-06Z', 'call', 'Bob', now() AT TIME ZONE 'Asia/Tokyo', (now() AT TIME ZONE 'Asia/Tokyo')::date;
INSERT INTO stamped SELECT '2024-04-06Z', 'call', 'Bob', NULL, NULL;
SELECT activity_metrics.refresh_in_transaction('{unzoned,days,untold}', margin_minutes => 0) > 0;
SELECT is_empty($$SELECT wrong('unzoned') UNION ALL SELECT wrong('days')$$, 'whatever the clock, and where nobody knows');
SELECT isnt_empty($$SELECT wrong('untold')$$, 'a text tells nothing');
SELECT is(string_agg(DISTINCT metric || ' ' || mode, ', ' ORDER BY metric || ' ' || mode), 'days recorded, untold look-back, unzoned recorded', 'the log tells it')
	FROM activity_metrics.refresh_log WHERE run_id = (SELECT max(run_id) FROM activity_metrics.refresh_log);

-- one that fails
ALTER TABLE stamped RENAME COLUMN day TO other_day;
SELECT is(activity_metrics.refresh_in_transaction('{days,unzoned}'), 0::bigint, 'one that fails');
SELECT results_eq($$SELECT metric, error IS NOT NULL, finished_at IS NOT NULL, done FROM activity_metrics.refresh_log WHERE run_id = (SELECT max(run_id) FROM activity_metrics.refresh_log) ORDER BY metric$$,
	$$VALUES ('days', true, true, 1), ('unzoned', false, true, 2)$$, 'does not stop the other');
SELECT matches(error, '^42703: .*"day"', 'and is logged') FROM activity_metrics.refresh_log WHERE error IS NOT NULL;

-- interrupted runs
INSERT INTO activity_metrics.refresh_log (run_id, metric, grain, mode, done, total, started_at) VALUES (nextval('activity_metrics.refresh_run'), 'calls', 'week', 'recorded', 0, 1, now());
SELECT activity_metrics.refresh_in_transaction('{revenue}');
SELECT is(count(*), 1::bigint, 'an interrupted run is closed') FROM activity_metrics.refresh_log WHERE metric = 'calls' AND error = 'interrupted' AND finished_at IS NOT NULL;

--
-- Bad input
--
CREATE FUNCTION refused(query text, state text, message text, hint text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	s text;
	m text;
	h text;
BEGIN
	EXECUTE query;
	RETURN ok(false, 'not refused: ' || query);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS s = RETURNED_SQLSTATE, m = MESSAGE_TEXT, h = PG_EXCEPTION_HINT;
	RETURN ok(s = state AND m ~ message AND h ~ hint, format('%s: %s', state, query)) || CASE WHEN s = state AND m ~ message AND h ~ hint THEN '' ELSE E'\n' || diag(format('%s %s, hint: %s', s, m, h)) END;
END;
$$;
SELECT refused(format('SELECT activity_metrics.refresh_in_transaction(%s)', q), s, m, h) FROM (VALUES
	($$'{callz}'$$, '42704', 'metric "callz" is not in the dictionary', 'Did you mean "calls"'),
	($$ARRAY['calls', NULL]$$, '22004', 'a metric is null', 'all that are active'),
	('full => NULL', '22004', 'argument full is null', 'true or false'),
	('look_back => NULL', '22004', 'look_back is null', 'periods'),
	('look_back => -1', '22023', 'look_back is -1', '0 to 100000'),
	('look_back => 2147483647', '22023', 'look_back is', '0 to 100000'),
	($$grain => 'fortnight'$$, '22023', 'fortnight', ''),
	('margin_minutes => NULL', '22004', 'margin_minutes is null', 'minutes'),
	('margin_minutes => -1', '22023', 'margin_minutes is -1', '0 to 525600'),
	($$margin_minutes => 'NaN'$$, '22023', 'margin_minutes is NaN', '0 to 525600'),
	($$margin_minutes => 'Infinity'$$, '22023', 'margin_minutes is Infinity', '0 to 525600')) AS v(q, s, m, h);
SELECT refused('CALL activity_metrics.refresh()', '25001', 'transaction block', 'refresh_in_transaction');
SELECT is(activity_metrics.refresh_in_transaction('{}'), 0::bigint, 'no metric, no row');
SELECT is(activity_metrics.refresh_in_transaction('{calls}', look_back => 100000), 0::bigint, 'the longest look-back');

--
-- Rights: the caller's; names and operators of the caller's search_path do no harm
--
CREATE ROLE refresh_test_reader;
CREATE ROLE refresh_test_writer;
GRANT USAGE ON SCHEMA activity_metrics, refresh_test TO refresh_test_reader, refresh_test_writer;
GRANT SELECT ON ALL TABLES IN SCHEMA activity_metrics, refresh_test TO refresh_test_reader, refresh_test_writer;
GRANT INSERT, UPDATE, DELETE ON activity_metrics.metric_value, activity_metrics.refresh_log TO refresh_test_writer;
GRANT USAGE ON SEQUENCE activity_metrics.refresh_run TO refresh_test_writer;
INSERT INTO ev VALUES (950, 1, '2024-02-02Z', 'call', 'Zoe', 1);
SAVEPOINT hostile;
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.no(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE FUNCTION hostile.no(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE FUNCTION hostile.no(double precision, double precision) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE FUNCTION hostile.plus(bigint, bigint) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE OPERATOR hostile.= (FUNCTION = hostile.no, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR hostile.<> (FUNCTION = hostile.no, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR hostile.= (FUNCTION = hostile.no, LEFTARG = bigint, RIGHTARG = bigint);
CREATE OPERATOR hostile.= (FUNCTION = hostile.no, LEFTARG = double precision, RIGHTARG = double precision);
CREATE OPERATOR hostile.< (FUNCTION = hostile.no, LEFTARG = bigint, RIGHTARG = bigint);
CREATE OPERATOR hostile.+ (FUNCTION = hostile.plus, LEFTARG = bigint, RIGHTARG = bigint);
CREATE FUNCTION hostile.count(anyelement) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE FUNCTION hostile.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE TABLE hostile.metric_value (metric text);
SET LOCAL search_path = hostile, pg_catalog, refresh_test, public;
CREATE TEMPORARY TABLE said AS SELECT activity_metrics.refresh_in_transaction('{calls,revenue}') AS rows_written;
SET LOCAL search_path = refresh_test, public;
-- the whole and Zoe, who also has no revenue
SELECT is(rows_written, 3::bigint, 'operators and functions of a hostile search_path are not used') FROM said;
SELECT is(string_agg(error, ', '), NULL, 'nor did they fail') FROM activity_metrics.refresh_log WHERE run_id = (SELECT max(run_id) FROM activity_metrics.refresh_log);
ROLLBACK TO hostile;
SET LOCAL ROLE refresh_test_reader;
SELECT throws_ok('SELECT activity_metrics.refresh_in_transaction()', '42501', NULL, 'who may only read may not refresh');
SET LOCAL ROLE refresh_test_writer;
SELECT is(activity_metrics.refresh_in_transaction('{calls}'), 2::bigint, 'who may write the values may');
RESET ROLE;
REVOKE SELECT ON ev FROM refresh_test_writer;
SET LOCAL ROLE refresh_test_writer;
SELECT is(activity_metrics.refresh_in_transaction('{calls}'), 0::bigint, 'the events are read with the rights of the caller');
SELECT matches(error, '^42501: ', 'who has none') FROM activity_metrics.refresh_log ORDER BY run_id DESC LIMIT 1;
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
