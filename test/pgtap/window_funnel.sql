-- window_funnel(): answers, modes, NULLs, errors; any row order and any plan give the same.
BEGIN;
SELECT no_plan();
CREATE SCHEMA window_funnel_test;
SET LOCAL search_path = window_funnel_test, activity_metrics, public;
SET LOCAL timezone = 'UTC';
SET LOCAL intervalstyle = postgres;
SET LOCAL max_parallel_workers_per_gather = 0;

-- Rows as text, one second apart: letters are the steps that a row fits, x is none; '5:ab' is at second 5
CREATE FUNCTION history(letters text) RETURNS TABLE (at timestamptz, fits text) LANGUAGE sql AS $$
	SELECT timestamptz '2025-01-01' + CASE WHEN word LIKE '%:%' THEN split_part(word, ':', 1)::int ELSE no::int END * interval '1 second',
		split_part(word, ':', CASE WHEN word LIKE '%:%' THEN 2 ELSE 1 END)
	FROM regexp_split_to_table(letters, ' +') WITH ORDINALITY AS w(word, no)
$$;
CREATE FUNCTION level(letters text, mode text, n_steps int, within interval DEFAULT '1 day') RETURNS int LANGUAGE sql AS $$
	SELECT window_funnel(within, mode, at, VARIADIC (SELECT array_agg(strpos(fits, chr(96 + s)) > 0 ORDER BY s) FROM generate_series(1, n_steps) AS s))
	FROM history(letters)
$$;
CREATE FUNCTION fault(query text, OUT state text, OUT message text, OUT detail text, OUT hint text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE query;
	state := '00000';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END;
$$;
CREATE FUNCTION plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
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

--
-- Where engines differ
--
SELECT is(level(letters, mode, n), answer, format('%s, %s', mode, letters))
FROM (VALUES
	('a x b c', 3, 3, 1, 3), ('a a b b c c', 3, 3, 3, 2), ('a b a c', 3, 3, 3, 3), ('a c b', 3, 2, 1, 2), ('a b b c', 3, 3, 3, 2),
	('a b c b d', 4, 4, 4, 3), ('a b d c', 4, 3, 2, 3), ('ab', 2, 2, 2, 2), ('1:b 1:a', 2, 2, 2, 2)) AS v(letters, n, by_default, by_order, by_dedup),
	LATERAL (VALUES ('default', by_default), ('strict_order', by_order), ('strict_deduplication', by_dedup)) AS m(mode, answer);
SELECT is(level('0:a 10:b', mode, 2, '10 seconds'), 2, mode || ': the window''s end is inclusive')
FROM unnest(ARRAY['default', 'strict_order', 'strict_deduplication', 'strict_increase', 'strict_once']) AS mode;
SELECT is(level('0:a 10:b', 'default', 2, '9.999999 seconds'), 1, 'to the microsecond');

-- where engines were wrong
SELECT is(level('0:a 1:a 1:b', 'strict_increase', 2), 2, 'strict_increase: an entry of the same time hides nothing');
SELECT is(level('0:a 1:b 2:b 2:c', 'strict_increase', 3), 3, 'strict_increase: nor does a later step');
SELECT is(level('a x a b c', 'strict_order', 3), 1, 'strict_order never tries a later entry');
SELECT is(level('1:ab 1:b 2:c', 'strict_once, strict_deduplication', 3), 3, 'strict_once, strict_deduplication: the order of rows of one time that gets furthest');
SELECT is(level('1:b 1:ab 2:c', 'strict_once, strict_deduplication', 3), 3, 'whatever theirs is');

--
-- Cases known from the test suites of column stores
--
CREATE TABLE nine AS SELECT timestamptz '2018-01-01 01:01:00Z' + i * interval '1 second' AS at, 1000 + i AS event FROM generate_series(0, 8) AS i;
SELECT is(window_funnel('10000 s', at, event = 1000), 1, 'one step') FROM nine;
SELECT is(window_funnel('10000 s', at, event = 1000, event = 1001), 2, 'two') FROM nine;
SELECT is(window_funnel('10000 s', at, event = 1000, event = 1001, event = 1002), 3, 'three') FROM nine;
SELECT is(window_funnel('10000 s', at, event = 1000, event = 1001, event = 1002, event = 1008), 4, 'four, the last one later') FROM nine;
SELECT is(window_funnel('1 s', at, event = 1000), 1, 'one step, short window') FROM nine;
SELECT is(window_funnel(w * interval '1 s', at, event = 1003, event = 1004, event = 1005, event = 1006, event = 1007), w + 1, format('%s seconds', w))
FROM nine, generate_series(2, 4) AS w GROUP BY w;
SELECT is(window_funnel('10000 s', at, event = 1001, event = 1008), 2, 'far apart') FROM nine;
SELECT is(window_funnel('10000 s', at, event = 1008, event = 1001), 1, 'in the wrong order') FROM nine;
SELECT is(window_funnel('4 s', at, event <= 1007, event >= 1002, event <= 1006, event >= 1004), 4, 'steps that overlap') FROM nine WHERE event > 1000;

CREATE TABLE ten (at timestamptz, event int);
INSERT INTO ten SELECT to_timestamp(t), e FROM unnest(ARRAY[0, 10, 20, 30, 40, 50, 51, 60, 70, 80], ARRAY[1000, 1001, 1002, 1003, 1004, 1005, 1005, 1006, 1007, 1008]) AS v(t, e);
SELECT is(window_funnel('10000 s', 'strict_deduplication', at, event = 1000, event = 1001, event = 1002, event = 1003, event = 1004, event = 1005, event = 1006), 6, 'a repeat') FROM ten;
SELECT is(window_funnel('10000 s', at, event = 1000, event = 1001, event = 1002, event = 1003, event = 1004, event = 1005, event = 1006), 7, 'which by default is none') FROM ten;

SELECT is(ARRAY[level(letters, 'default', 3), level(letters, 'strict_order', 3), level(letters, 'strict_deduplication, strict_order', 3)], answers, 'orders: ' || letters)
FROM (VALUES ('a b c', '{3,3,3}'::int[]), ('a x b c', '{3,1,1}'), ('a a b b c c', '{3,3,2}'), ('a a a a b b c c', '{3,3,2}'),
	('a a b b x c c', '{3,2,2}'), ('c c b b a a', '{1,1,1}')) AS v(letters, answers);
SELECT is(level('a c b', 'strict_order', 3, '10 s'), 1, 'a step too early');

CREATE TABLE nullable (at timestamptz, u int, a text, b text);
INSERT INTO nullable SELECT to_timestamp(t), u, a, b FROM (VALUES (1, 1, 'a1', 'b1'), (2, 1, 'a2', 'b2'), (1, 2, 'a1', NULL), (2, 2, 'a2', NULL),
	(1, 3, NULL, NULL), (1, 4, NULL, 'b1'), (2, 4, 'a2', NULL), (3, 4, NULL, 'b3')) AS v(t, u, a, b);
SELECT results_eq($$SELECT window_funnel('1 day', at, a = 'a1', a = 'a2') FROM nullable GROUP BY u ORDER BY u$$, '{2,2,0,0}'::int[], 'a condition that is NULL is false');
SELECT results_eq($$SELECT window_funnel('1 day', at, a = 'a1', b = 'b2') FROM nullable GROUP BY u ORDER BY u$$, '{2,1,0,0}'::int[], 'and does not hide the other steps of its row');
SELECT results_eq($$SELECT window_funnel('1 day', at, a IS NULL AND b IS NULL) FROM nullable GROUP BY u ORDER BY u$$, '{0,0,1,0}'::int[], 'one step');
SELECT results_eq($$SELECT window_funnel('1 day', at, a IS NULL, b = 'b3') FROM nullable GROUP BY u ORDER BY u$$, '{0,0,1,2}'::int[], 'IS NULL is a condition');
SELECT results_eq($$SELECT window_funnel('1 day', 'strict_order', at, a IS NULL, b = 'b3') FROM nullable GROUP BY u ORDER BY u$$, '{0,0,1,1}'::int[], 'in strict order');

SELECT is(ARRAY[level('0:a 1:b 1:c 1:d 2:e', mode, 5), level('abc', mode, 3)], answers, 'equal times and steps: ' || mode)
FROM (VALUES ('default', '{5,3}'::int[]), ('strict_increase', '{2,1}'), ('strict_once', '{5,1}')) AS v(mode, answers);
SELECT is(ARRAY[level('180:ab 220:ab 250:c', mode, 3, '200 s'), level('100:ab 250:ab', mode, 3, '200 s'), level('200:c 210:ab 230:c', mode, 3, '200 s')],
	'{3,2,1}', 'failure, failure, success: ' || mode)
FROM unnest(ARRAY['strict_once, strict_increase', 'strict_once', 'strict_once, strict_deduplication']) AS mode;
SELECT is(ARRAY[level('a b d b', 'default', 4), level('a b d b', 'strict_deduplication', 4), level('a b d b', 'strict_order', 4)], '{2,2,2}', 'the highest level, not the last step seen');
SELECT is(level('0:a 5:b 10:c 15:a 20:b 25:a 30:b 35:c 40:d', 'strict_deduplication', 4, '60 s'), 3, 'a repeat is the end');
SELECT is(level('1:a 9:b 10:c', 'default', 3, '60 s'), 3, 'install, start, login');
SELECT is((SELECT window_funnel('7000 days', at::timestamptz, e = 1004, e = 1003, e = 1002) FROM (VALUES ('2019-01-29 10:00', 1004), ('2019-01-29 10:00', 1003), ('2019-01-28 10:00', 1002)) AS v(at, e)), 2, 'one time, either order');
SELECT is((SELECT window_funnel('7000 days', at::timestamptz, e = 1004, e = 1003, e = 1002) FROM (VALUES ('2019-01-29 10:00', 1003), ('2019-01-29 10:00', 1004), ('2019-01-28 10:00', 1002)) AS v(at, e)), 2, 'the other');
SELECT is((SELECT array_agg(window_funnel ORDER BY w) FROM (SELECT w, window_funnel(w * interval '1 s', at::timestamptz, e = 1, e = 2)
	FROM (VALUES ('2022-03-12 10:41:00', 1), ('2022-03-12 13:28:02', 2), ('2022-03-12 16:15:01', 3), ('2022-03-12 19:05:04', 4)) AS v(at, e), unnest(ARRAY[1, 20000]) AS w GROUP BY w) AS f),
	'{1,2}', 'one second, 20,000 seconds');
SELECT is(level('a b a c', 'strict_order, allow_reentry', 3), 3, 'the first step again');
SELECT is(level('a b c a b c d', 'strict_order, allow_reentry', 4), 4, 'two rounds');

--
-- Modes as they are written
--
SELECT is(level('a c b c', mode, 3), 3, format('allow_reentry as "%s"', mode))
FROM unnest(ARRAY['strict_order, allow_reentry', 'allow_reentry,strict_order', ' Strict Order ,  ALLOW  reentry ', 'default, strict_order,allow_reentry,strict_order']) AS mode;
SELECT is(level('a c b c', mode, 3), 3, format('default as "%s"', mode)) FROM unnest(ARRAY['default', 'DEFAULT', '', '  ']) AS mode;
SELECT is(level('a c b c', 'strict_order', 3), 1, 'strict_order alone');
SELECT is(window_funnel('1 day', at, fits = 'a', fits = 'b'), 2, 'without a mode') FROM history('a b');
SELECT is(window_funnel('1 day', at::date, fits = 'a', fits = 'b'), 2, 'a date') FROM history('b a');
SELECT is(window_funnel('1 day', at::timestamp, fits = 'a', fits = 'b'), 2, 'a timestamp') FROM history('a b');
SELECT is(window_funnel('1 day', at, VARIADIC ARRAY[fits = 'a', fits = 'b']), 2, 'an array of steps') FROM history('a b');

--
-- NULL, nothing, zero
--
SELECT is(window_funnel('1 day', at, true), NULL, 'no rows: NULL') FROM history('a') WHERE false;
SELECT is(window_funnel('1 day', at, true) FILTER (WHERE false), NULL, 'all filtered out: NULL') FROM history('a');
SELECT is(window_funnel('1 day', NULL, true), NULL, 'no row with a time: NULL') FROM history('a');
SELECT is(window_funnel('1 day', NULLIF(fits, 'b')::char::text::int * NULL::interval + at, true), NULL, 'the same, computed') FROM history('1') WHERE false;
SELECT is(window_funnel('1 day', CASE WHEN fits <> 'x' THEN at END, fits = 'a', fits = 'b'), 2, 'rows without a time are left out') FROM history('a x b x');
SELECT is(window_funnel('1 day', 'strict_order', CASE WHEN fits <> 'x' THEN at END, fits = 'a', fits = 'b'), 2, 'and end no scan') FROM history('a x b x');
SELECT is(window_funnel('1 day', at, fits = 'a', fits = 'b'), 0, 'never the first step: 0') FROM history('b x b');
SELECT is(window_funnel('1 day', at, false, false), 0, 'no step at all: 0') FROM history('b x b');
SELECT is(window_funnel('1 day', at, NULL, NULL), 0, 'all of them NULL: 0') FROM history('b x b');
SELECT is(window_funnel('1 day', at, true, NULL, true), 1, 'NULL in the middle') FROM history('a');

--
-- Windows
--
SELECT is(window_funnel('1 day', at, fits = 'a', fits = 'b'), answer, 'a day is 24 hours: ' || b)
FROM (VALUES ('2025-03-30 12:00+02', 2), ('2025-03-30 13:00+02', 2), ('2025-03-30 13:00:00.000001+02', 1)) AS v(b, answer),
	LATERAL (VALUES ('a', timestamptz '2025-03-29 12:00+01'), ('b', b::timestamptz)) AS h(fits, at) GROUP BY b, answer;
SELECT is(window_funnel(w, at, fits = 'a', fits = 'b'), answer, 'across all of time: ' || w)
FROM (VALUES (interval '1 microsecond', 1), ('106751991 days', 1), ('109000000 days', 1), ('109205000 days', 2), ('2000000000 days', 2), ('2000000000 days -2000000 hours', 2)) AS v(w, answer),
	(VALUES ('a', timestamptz '4713-01-01 00:00Z BC'), ('b', '294276-12-31 23:59:59.999999Z')) AS h(fits, at) GROUP BY w, answer;
SELECT is(window_funnel('1 day -23:59:59', at, fits = 'a', fits = 'b'), 2, 'days and hours are summed') FROM history('a b');
SELECT is(window_funnel('-1 day 24:00:00.5', at, fits = 'a', fits = 'b'), 1, 'also below zero') FROM history('a b');
SELECT is(window_funnel(w, at, fits = 'a', fits = 'b'), 2, 'a window that is said in two ways is one') FROM (SELECT *, CASE fits WHEN 'a' THEN interval '1 day' ELSE '24 hours' END AS w FROM history('a b')) AS h;

--
-- Errors
--
SELECT is(ROW((f).state, (f).message ~ m, coalesce((f).hint ~ h, false))::text, ROW(s, true, true)::text, format('%s: %s', s, q))
	|| CASE WHEN ((f).state = s AND (f).message ~ m AND (f).hint ~ h) IS TRUE THEN '' ELSE E'\n' || diag(f::text) END
FROM (VALUES
	($$window_funnel(NULL::interval, now(), true)$$, '22004', 'argument within .* is null', '30 days'),
	($$window_funnel('1 day', NULL::text, now(), true)$$, '22004', 'argument mode .* is null', 'default'),
	($$window_funnel('1 day', now(), VARIADIC NULL::boolean[])$$, '22004', 'argument steps .* is null', 'array'),
	($$window_funnel('0 days', now(), true)$$, '22023', 'within 00:00:00 is not positive', '30 days'),
	($$window_funnel('-1 day', now(), true)$$, '22023', 'within -1 days is not positive', '30 days'),
	($$window_funnel('1 day -25 hours', now(), true)$$, '22023', 'within 1 day -25:00:00 is not positive', '30 days'),
	($$window_funnel('1 month', now(), true)$$, '22023', 'within 1 mon has months', '30 days'),
	($$window_funnel('2 years', now(), true)$$, '22023', 'within 2 years has months', '30 days'),
	($$window_funnel('1 month -30 days', now(), true)$$, '22023', 'has months', '30 days'),
	($$window_funnel('1 day', 'infinity', true)$$, '22008', 'infinite', 'isfinite'),
	($$window_funnel('1 day', '-infinity', false)$$, '22008', 'infinite', 'isfinite'),
	($$window_funnel('1 day', now(), VARIADIC '{}'::boolean[])$$, '22023', 'no steps', 'condition'),
	($$window_funnel('1 day', now(), VARIADIC '{{t,f},{t,t}}'::boolean[])$$, '22023', '2 dimensions', 'condition'),
	($$window_funnel('1 day', now(), VARIADIC array_fill(true, ARRAY[65]))$$, '54000', 'has 65 steps', 'second call'),
	($$window_funnel('1 day', 'strict', now(), true)$$, '22023', 'unknown mode "strict"', 'strict_deduplication now'),
	($$window_funnel('1 day', 'deduplication', now(), true)$$, '22023', 'unknown mode "deduplication"', 'strict_deduplication'),
	($$window_funnel('1 day', 'fixed', now(), true)$$, '22023', 'unknown mode "fixed"', 'strict_order'),
	($$window_funnel('1 day', 'Increase', now(), true)$$, '22023', 'unknown mode "Increase"', 'strict_increase'),
	($$window_funnel('1 day', 'strict_order, keep_all', now(), true)$$, '22023', 'unknown mode "keep_all"', 'strict_order'),
	($$window_funnel('1 day', 'strict_odrer', now(), true)$$, '22023', 'unknown mode "strict_odrer"', '"strict_order"'),
	($$window_funnel('1 day', 'once', now(), true)$$, '22023', 'unknown mode "once"', '"strict_once"'),
	($$window_funnel('1 day', 'strict_order; strict_once', now(), true)$$, '22023', 'unknown mode', 'strict_'),
	($$window_funnel('1 day', 'allow_reentry', now(), true)$$, '22023', 'allow_reentry needs strict_order', 'strict_order, allow_reentry'),
	($$window_funnel('1 day', 'allow_reentry, strict_once', now(), true)$$, '22023', 'needs strict_order', 'strict_order, allow_reentry'),
	($$window_funnel(v * interval '1 day', now(), true) FROM generate_series(1, 2) AS v$$, '22023', 'within .* changes', 'GROUP BY'),
	($$window_funnel('1 day', CASE v WHEN 1 THEN 'strict_order' ELSE 'default' END, now(), true) FROM generate_series(1, 2) AS v$$, '22023', 'mode .* changes', 'GROUP BY'),
	($$window_funnel('1 day', now(), VARIADIC array_fill(true, ARRAY[v])) FROM generate_series(1, 2) AS v$$, '22023', 'number of steps .* changes', 'GROUP BY')
	) AS v(q, s, m, h), LATERAL (SELECT fault('SELECT ' || q) AS f) AS f;
SELECT is((f).state || (f).message, '22023unknown mode ""', 'an empty part') FROM (SELECT fault($$SELECT window_funnel('1 day', 'strict_order,,strict_once', now(), true)$$) AS f) AS f;
SELECT is((f).state, '22023', 'a very long mode') FROM (SELECT fault($$SELECT window_funnel('1 day', repeat('ä', 5000), now(), true)$$) AS f) AS f;
SELECT is((f).detail, 'It is strict_order, strict_once in one row and default in another.', 'which mode and which')
FROM (SELECT fault($$SELECT window_funnel('1 day', m, now(), true) FROM unnest(ARRAY['strict_once,strict_order', 'default']) AS m$$) AS f) AS f;
SELECT is((f).detail, 'It is 24:00:00 in one row and 48:00:00 in another.', 'which window and which')
FROM (SELECT fault($$SELECT window_funnel(v * interval '1 day', now(), true) FROM generate_series(1, 2) AS v$$) AS f) AS f;
SELECT is((SELECT array_agg(l ORDER BY v) FROM (SELECT v, window_funnel(v * interval '1 s', CASE v WHEN 1 THEN 'strict_order' ELSE 'default' END, at, VARIADIC (ARRAY[fits = 'a', fits = 'b', fits = 'c'])[1:v + 1]) AS l
	FROM history('a x b c'), generate_series(1, 2) AS v GROUP BY v) AS f), '{1,2}', 'between groups all may change');

--
-- 64 steps
--
SELECT is(window_funnel('1 day', to_timestamp(i), VARIADIC (SELECT array_agg(s = i ORDER BY s) FROM generate_series(1, 64) AS s)), 64, '64 steps') FROM generate_series(1, 64) AS i;
SELECT is(window_funnel('1 day', mode, to_timestamp(0), VARIADIC (SELECT array_agg(s >= i ORDER BY s) FROM generate_series(1, 64) AS s)), answer, '64 steps at one time, ' || mode)
FROM (VALUES ('default', 64), ('strict_once', 64), ('strict_increase', 1), ('strict_once, strict_increase', 1), ('strict_deduplication', 2)) AS v(mode, answer), generate_series(1, 64) AS i GROUP BY mode, answer;
SELECT is(window_funnel('1 day', to_timestamp(0), VARIADIC array_fill(NULL::boolean, ARRAY[63]) || true), 0, '63 NULLs');

--
-- Any row order, any plan
--
CREATE TABLE event (entity int, at timestamptz, a boolean, b boolean, c boolean, d boolean) WITH (parallel_workers = 3);
INSERT INTO event
SELECT e, timestamptz '2025-01-01' + ('x' || substr(h, 1, 4))::bit(16)::int % range * interval '1 hour',
	substr(h, 5, 1) < '6', substr(h, 6, 1) < '5', CASE WHEN substr(h, 7, 1) < 'e' THEN substr(h, 7, 1) < '4' END, substr(h, 8, 1) < '5'
FROM (SELECT e, CASE e % 3 WHEN 0 THEN 4 WHEN 1 THEN 12 ELSE 100 END AS range, md5(e || '.' || i) AS h FROM generate_series(1, 2000) AS e, generate_series(1, 1 + e % 17) AS i) AS raw;
ANALYZE event;
CREATE TABLE mode AS
SELECT string_agg(m, ', ' ORDER BY m) AS mode
FROM generate_series(0, 31) AS set, unnest(ARRAY['allow_reentry', 'strict_order', 'strict_deduplication', 'strict_increase', 'strict_once']) WITH ORDINALITY AS u(m, no)
WHERE set >> (no - 1)::int & 1 = 1 AND (set & 1 = 0 OR set & 2 = 2) GROUP BY set UNION ALL SELECT 'default';
SELECT is(count(*)::int, 24, 'all modes') FROM mode;
CREATE FUNCTION levels(from_item text, mode text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE format($q$SELECT md5(string_agg(entity || ':' || l, ' ' ORDER BY entity)) FROM (
		SELECT entity, window_funnel('30 hours', %L, at, a, b, c, d) AS l FROM %s GROUP BY entity) AS f$q$, mode, from_item) INTO answer;
	RETURN answer;
END;
$$;
CREATE TABLE expected AS SELECT mode, levels('event', mode) AS answer FROM mode;
SELECT ok(count(DISTINCT answer) > 15, 'modes differ') FROM expected;
SELECT is(levels('(SELECT * FROM event ORDER BY random()) AS t', mode), answer, 'shuffled: ' || mode) FROM expected;
SELECT is(levels('(SELECT * FROM event ORDER BY at DESC, a, b, c) AS t', mode), answer, 'backwards: ' || mode) FROM expected;
SELECT is(levels('(SELECT * FROM event ORDER BY entity, at, d, c DESC) AS t', mode), answer, 'in order: ' || mode) FROM expected;

SELECT results_eq($$SELECT DISTINCT window_funnel('30 hours', at, a, b, c, d) OVER (PARTITION BY entity), entity FROM event ORDER BY entity$$,
	$$SELECT window_funnel('30 hours', at, a, b, c, d), entity FROM event GROUP BY entity ORDER BY entity$$, 'as a window function');
SELECT is((SELECT array_agg(l ORDER BY no) FROM (SELECT no, window_funnel('1 day', at, fits = 'a', fits = 'b', fits = 'c') OVER (ORDER BY no) AS l
	FROM (VALUES (1, 5, 'c'), (2, 3, 'b'), (3, 1, 'a'), (4, 4, 'b'), (5, 2, 'a')) AS v(no, s, fits), LATERAL (SELECT to_timestamp(s)) AS t(at)) AS f), '{0,0,3,3,3}',
	'in a frame that grows, rows out of order');
SELECT is((SELECT count(*)::int FROM (SELECT entity, window_funnel('30 hours', at, a, b), window_funnel('30 hours', 'default', at, a, b) AS same FROM event GROUP BY entity) AS f WHERE window_funnel <> same), 0,
	'two calls in one query');

SET LOCAL max_parallel_workers_per_gather = 3;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0.005;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL enable_sort = off;
SELECT alike(plan_of($$SELECT entity, window_funnel('30 hours', 'strict_once', at, a, b, c, d) FROM event GROUP BY entity$$), '%Finalize%Gather%Partial HashAggregate%Parallel Seq Scan%', 'a parallel plan');
SELECT is(levels('event', mode), answer, 'in parallel: ' || mode) FROM expected;
SET LOCAL parallel_leader_participation = off;
SELECT is(levels('event', mode), answer, 'by workers only: ' || mode) FROM expected;
SELECT is(window_funnel('1 day', at, a), NULL, 'in parallel, no rows: NULL') FROM event WHERE entity < 0;
SELECT is(window_funnel('1 day', at, false), 0, 'in parallel, no steps: 0') FROM event;
SELECT is((fault($$SELECT window_funnel(entity * interval '1 day', at, a) FROM event$$)).state, '22023', 'in parallel, a window that changes');
RESET parallel_leader_participation;
SET LOCAL max_parallel_workers_per_gather = 0;

CREATE TABLE parted (LIKE event) PARTITION BY HASH (at);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parted SELECT * FROM event;
ANALYZE parted;
SET LOCAL enable_partitionwise_aggregate = on;
SELECT is(levels('parted', mode), answer, 'partitionwise: ' || mode) FROM expected;
RESET enable_partitionwise_aggregate;
SET LOCAL work_mem = '64kB';
SELECT is(levels('event', mode), answer, 'little memory: ' || mode) FROM expected WHERE mode IN ('default', 'strict_once');
RESET work_mem;

--
-- One entity with many rows
--
CREATE TABLE large WITH (parallel_workers = 2) AS SELECT i, timestamptz '2025-01-01' + i * interval '1 second' AS at, i % 4 AS k FROM generate_series(1, 1000000) AS i;
ANALYZE large;
SELECT is(window_funnel('2 days', at, i = 10, i = 170000, k = 3, i = 172810), 4, 'a million rows') FROM large;
SELECT is(window_funnel('2 days', at, i = 9, i = 170000, k = 3, i = 172810), 3, 'one second too late') FROM large;
SELECT is(window_funnel('2 days', mode, timestamptz '2025-01-01', k = 3, k = 2, k = 1, k = 0, k >= 0), answer, 'at one time: ' || mode)
FROM large, (VALUES ('default', 5), ('strict_once', 5), ('strict_increase', 1), ('strict_deduplication', 2), ('strict_order', 5), ('strict_once, strict_deduplication', 2)) AS v(mode, answer) GROUP BY mode, answer;
SELECT is(window_funnel('1000 days', 'strict_once', at, k = 3, k = 2, k >= 0, k < 3, k = 0), 5, 'backwards') FROM (SELECT * FROM large ORDER BY i DESC) AS large;
SET LOCAL max_parallel_workers_per_gather = 2;
SELECT alike(plan_of('SELECT window_funnel(''2 days'', at, i = 10, i = 170000, k = 3, i = 172810) FROM large'), '%Finalize Aggregate%Gather%Partial Aggregate%', 'a parallel plan of one group');
SELECT is(window_funnel('2 days', at, i = 10, i = 170000, k = 3, i = 172810), 4, 'in parallel') FROM large;
SELECT is(window_funnel('2 days', 'strict_order', at, i = 1, i > 1 AND i < 1000, i >= 1000), 3, 'in parallel, strict order') FROM large;

--
-- States that are none: an aggregate whose partial state is whatever bytes it was given
--
CREATE FUNCTION bytes(internal) RETURNS bytea LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'bytea_string_agg_finalfn';
CREATE AGGREGATE read_state(bytea, bytea) (SFUNC = bytea_string_agg_transfn, STYPE = internal, FINALFUNC = window_funnel_final,
	COMBINEFUNC = window_funnel_combine, SERIALFUNC = bytes, DESERIALFUNC = window_funnel_deserial, PARALLEL = SAFE);
CREATE FUNCTION state(version int, steps int, mode int, within bigint, n bigint, at bigint DEFAULT NULL, fits bytea DEFAULT '') RETURNS bytea LANGUAGE sql AS $$
	SELECT decode(lpad(to_hex(version), 2, '0') || lpad(to_hex(steps), 2, '0') || lpad(to_hex(mode), 2, '0'), 'hex')
		|| int8send(within) || substr(int8send(n), 5) || coalesce(int8send(at), '') || fits
$$;
CREATE TABLE damage (no serial, state bytea, why text) WITH (parallel_workers = 1);
INSERT INTO damage (state, why) VALUES
	('', 'empty'), ('\x01', 'a byte'), (substr(state(1, 2, 0, 10, 0), 1, 14), 'cut off in its header'),
	(state(2, 2, 0, 10, 0), 'of another version'), (state(1, 0, 0, 10, 0), 'no steps'), (state(1, 65, 0, 10, 0), '65 steps'),
	(state(1, 2, 32, 10, 0), 'an unknown mode'), (state(1, 2, 16, 10, 0), 'reentry without order'), (state(1, 2, 0, 0, 0), 'no window'),
	(state(1, 2, 0, 10, 1), 'a row that is not there'), (state(1, 2, 0, 10, 4294967295), 'four billion'),
	(state(1, 2, 0, 10, 1, 0, '\x01ff'), 'a byte too many'), (state(1, 9, 0, 10, 1, 0, '\x01'), 'a byte too few'),
	(state(1, 2, 0, 10, 1, 0, '\x04'), 'a third step of two'), (state(1, 2, 0, 10, 1, 0, '\x00'), 'a row without steps'),
	(state(1, 2, 0, 10, 1, 9223372036854775807, '\x01'), 'a time of infinity'), (state(1, 2, 0, 10, 1, -9223372036854775808, '\x01'), 'and before'),
	(state(1, 2, 0, 10, 1, 9223372036854775806, '\x01'), 'a time out of range');
INSERT INTO damage (state, why)
SELECT overlay(state(1, 12, 1, 10, 1, 7, '\x010f') PLACING substr(decode(md5(i::text), 'hex'), 1, 1 + i % 3) FROM 1 + i % 25), 'noise' FROM generate_series(1, 200) AS i;
INSERT INTO damage (state, why) VALUES (state(1, 2, 0, 10, 2, 5, '\x01') || int8send(4) || '\x02', 'whole'), (state(1, 12, 1, 10, 1, 7, '\xff07'), 'whole, two bytes of steps'),
	(state(1, 64, 26, -1, 1, 7, '\x0100000000000080'), 'whole, 64 steps');
-- nothing to the aggregate, but enough for a parallel plan
INSERT INTO damage (why) SELECT 'rows' FROM generate_series(1, 1000);
ANALYZE damage;
-- without a partial plan the final function would get bytes for a state
CREATE FUNCTION read_safely(no int, OUT answer text, OUT detail text) LANGUAGE plpgsql AS $$
DECLARE
	query text := format('SELECT read_state(state, NULL)::text FROM damage WHERE no = %s OR state IS NULL', no);
BEGIN
	IF plan_of(query) LIKE '%Finalize Aggregate%Gather%Partial Aggregate%' THEN
		EXECUTE query INTO answer;
	END IF;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS answer = RETURNED_SQLSTATE, detail = PG_EXCEPTION_DETAIL;
END;
$$;
CREATE TABLE readings AS SELECT no, why, r.* FROM damage, read_safely(no) AS r WHERE state IS NOT NULL;
SELECT is(answer, '22P03', 'refused: ' || why) FROM readings WHERE why !~ 'noise|whole';
SELECT ok(bool_and((answer ~ '^\d+$' OR answer = '22P03') IS TRUE) AND count(*) FILTER (WHERE answer = '22P03') > 50, 'noise is refused or harmless')
FROM readings WHERE why = 'noise';
SELECT is(array_agg(answer ORDER BY no), '{1,11,1}', 'whole ones are read') FROM readings WHERE why LIKE 'whole%';
SELECT is(detail, 'Its length is not that of its rows.', 'and it is said why the others are not') FROM readings WHERE why = 'a byte too few';

SELECT * FROM finish();
ROLLBACK;
