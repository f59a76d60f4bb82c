-- cadence_steps(), cadence_match(), cadence_report() beside slow twins in SQL; burstiness(); bad input.
BEGIN;
-- one test a line, also where a statement has several
\pset fieldsep '\n'
SELECT no_plan();
CREATE SCHEMA cadence_test;
SET LOCAL search_path = cadence_test, public;
SELECT setseed(0.6875) IS NULL AS seeded \gset
\set plan '''call on day 0 +-1 -> mail on day 2 +-1 -> call on day 5 +-2'''

SELECT results_eq($$SELECT * FROM activity_metrics.cadence_steps('call on day 0 +-1 -> (mail | ''voice ''''x'')on day 2 -> Call ON DAY 5 ± 2')$$,
	$$VALUES (1, 'call', '{call}'::text[], 0, 1), (2, 'mail | ''voice ''''x''', ARRAY['mail', 'voice ''x'], 2, 0), (3, 'Call', '{Call}', 5, 2)$$, 'the steps of a cadence');

-- the largest matching, by trying all
CREATE FUNCTION best(d integer[], k text[], due integer[], tol integer[], kind text[]) RETURNS integer LANGUAGE sql AS $$
	WITH RECURSIVE walk(i, used, n) AS (
		SELECT 0, 0, 0
		UNION
		SELECT w.i + 1, w.used | coalesce(1 << s, 0), w.n + (s IS NOT NULL)::int FROM walk AS w,
		LATERAL (SELECT NULL::int UNION ALL SELECT j FROM generate_subscripts(due, 1) AS j WHERE (w.used & (1 << j)) = 0 AND kind[j] = k[w.i + 1] AND abs(d[w.i + 1] - due[j]) <= tol[j]) AS o(s)
		WHERE w.i < coalesce(cardinality(d), 0))
	SELECT max(n) FROM walk
$$;
CREATE TABLE cadence AS SELECT r, string_agg(format('%s on day %s +-%s', kind, due, tol), ' -> ' ORDER BY j) AS text, array_agg(due ORDER BY j) AS due, array_agg(tol ORDER BY j) AS tol, array_agg(kind ORDER BY j) AS kind
	FROM (SELECT r, j, floor(random() * 7)::int AS due, floor(random() * 4)::int AS tol, CASE WHEN random() < 0.6 THEN 'call' ELSE 'mail' END AS kind FROM generate_series(1, 150) AS r, generate_series(1, 1 + r % 5) AS j) AS s GROUP BY r;
CREATE TABLE worked AS SELECT r, coalesce(array_agg(d ORDER BY d, k) FILTER (WHERE d IS NOT NULL), '{}') AS d, coalesce(array_agg(k ORDER BY d, k) FILTER (WHERE d IS NOT NULL), '{}') AS k
	FROM (SELECT r, floor(random() * 10)::int - 1 AS d, (ARRAY['call', 'mail', 'visit'])[1 + floor(random() * 2.3)::int] AS k FROM generate_series(1, 150) AS r, generate_series(1, r % 6)
		UNION ALL SELECT r, NULL, NULL FROM generate_series(1, 150) AS r) AS s GROUP BY r;
CREATE TABLE given AS SELECT r, m.* FROM cadence JOIN worked USING (r), LATERAL activity_metrics.cadence_match(text, d, k, 5, CASE WHEN r % 3 = 0 THEN 4 END) AS m;
SELECT is(count(*) FILTER (WHERE g.n <> best(d, k, due, tol, kind)), 0::bigint, 'as many steps are done as can be') FROM cadence JOIN worked USING (r) JOIN (SELECT r, count(day) AS n FROM given GROUP BY r) AS g USING (r);
SELECT ok(bool_and(abs(g.day - c.due[g.step_no]) <= c.tol[g.step_no] AND g.lateness = g.day - g.due_day AND g.status = CASE sign(g.lateness) WHEN 0 THEN 'on time' WHEN 1 THEN 'late' ELSE 'early' END), 'each in its window'), cmp_ok(count(*), '>', 60::bigint, 'many')
	FROM given AS g JOIN cadence AS c USING (r) WHERE g.day IS NOT NULL;
-- no activity is used more often than it happened
SELECT is_empty('SELECT g.r, g.day, g.kind FROM (SELECT g.r, g.day, c.kind[g.step_no] AS kind, count(*) AS n FROM given AS g JOIN cadence AS c USING (r) WHERE g.day IS NOT NULL GROUP BY 1, 2, 3) AS g
	WHERE n > (SELECT count(*) FROM worked AS w, unnest(w.d, w.k) AS a(d, k) WHERE w.r = g.r AND a.d = g.day AND a.k = g.kind)', 'one to one');
SELECT is(count(*) FILTER (WHERE g.status <> CASE WHEN r % 3 = 0 AND 4 <= g.due_day + c.tol[g.step_no] THEN 'stopped' WHEN 5 <= g.due_day + c.tol[g.step_no] THEN 'open' ELSE 'missed' END), 0::bigint, 'what is not done is stopped, open or missed'),
	ok(count(DISTINCT g.status) = 3, 'all three') FROM given AS g JOIN cadence AS c USING (r) WHERE g.day IS NULL;
SELECT is_empty($$SELECT * FROM activity_metrics.cadence_match('call on day 0', '{0}', '{call}', NULL)$$, 'NULL: no rows');
SELECT is(string_agg(status, ' '), 'on time missed', 'a kind of NULL fills nothing') FROM activity_metrics.cadence_match('call on day 0 -> call on day 1', '{0, 1}', '{call, NULL}', 9);

--
-- The report
--
CREATE TABLE event AS
	SELECT 'c' || e AS entity, CASE WHEN e % 11 > 0 THEN 'rep ' || e % 3 END AS actor, kind, '2026-03-02 09:00Z'::timestamptz + (e % 28 + d + CASE WHEN random() < 0.4 THEN floor(random() * 4) ELSE 0 END) * interval '1 day' + random() * interval '14 hours' * (kind <> 'enrolled')::int AS at,
		CASE WHEN random() < 0.1 THEN 'planned' END AS status, 'North' AS region
	FROM generate_series(1, 400) AS e, (VALUES ('enrolled', 0), ('call', 0), ('mail', 2), ('call', 5), ('reply', 6)) AS v(kind, d) WHERE random() < 0.8 OR kind = 'enrolled';
UPDATE event SET status = NULL WHERE kind = 'enrolled';
INSERT INTO event SELECT entity, actor, kind, at + interval '9 days', NULL, region FROM event WHERE kind = 'enrolled' AND random() < 0.1;
INSERT INTO event VALUES (NULL, 'rep 1', 'call', '2026-03-02Z', NULL, 'North');
CREATE TABLE report AS SELECT * FROM activity_metrics.cadence_report('event', :plan, start_kinds => 'enrolled', stop_kinds => 'reply', as_of => '2026-04-01 12:00Z');
-- the twin: contact by contact
CREATE TABLE started AS SELECT entity, at AS start, lead(at) OVER (PARTITION BY entity ORDER BY at) AS next, coalesce(actor, '(none)') AS rep FROM event WHERE kind = 'enrolled' AND at < '2026-04-01 12:00Z' AND status IS NULL;
CREATE TABLE contact AS SELECT s.*, least(s.next, (SELECT min(at) FROM event AS v WHERE v.entity = s.entity AND v.kind = 'reply' AND v.at >= s.start AND v.at < '2026-04-01 12:00Z' AND status IS NULL)) AS stop FROM started AS s;
CREATE TABLE touched AS SELECT c.entity, c.start, v.kind, v.at, (v.at AT TIME ZONE 'UTC')::date - (c.start AT TIME ZONE 'UTC')::date AS day FROM contact AS c JOIN event AS v ON v.entity = c.entity AND v.kind IN ('call', 'mail') AND v.status IS NULL AND v.at >= c.start AND v.at < '2026-04-01 12:00Z' AND (c.stop IS NULL OR v.at < c.stop);
CREATE TABLE outcome AS SELECT c.rep, c.entity, c.start, m.* FROM contact AS c, LATERAL activity_metrics.cadence_match(:plan,
	ARRAY(SELECT day FROM touched AS t WHERE (t.entity, t.start) = (c.entity, c.start) ORDER BY day, kind), ARRAY(SELECT kind FROM touched AS t WHERE (t.entity, t.start) = (c.entity, c.start) ORDER BY day, kind),
	'2026-04-01'::date - (c.start AT TIME ZONE 'UTC')::date, (c.stop AT TIME ZONE 'UTC')::date - (c.start AT TIME ZONE 'UTC')::date) AS m;
SELECT results_eq('SELECT unit, step_no, contacts, due, matched, on_time, early, late, missed, left_out, round(mean_lateness_days::numeric, 9) FROM report',
	$$SELECT rep, step_no, count(DISTINCT (entity, start)), count(*) FILTER (WHERE status NOT IN ('open', 'stopped')), count(day), count(*) FILTER (WHERE status = 'on time'), count(*) FILTER (WHERE status = 'early'), count(*) FILTER (WHERE status = 'late'),
		count(*) FILTER (WHERE status = 'missed'), count(*) FILTER (WHERE status IN ('open', 'stopped')), round(avg(lateness), 9) FROM outcome GROUP BY GROUPING SETS ((), (step_no), (rep), (rep, step_no)) ORDER BY grouping(rep) DESC, rep COLLATE "C", grouping(step_no) DESC, step_no$$, 'counts as contact by contact');
SELECT ok(bool_and(due = matched + missed AND matched = on_time + early + late AND (adherence = matched / nullif(due, 0)::float8 OR due = 0) AND adherence_low <= adherence AND adherence <= adherence_high), 'adds up') FROM report;
SELECT ok(adherence_low = w.low AND adherence_high = w.high, 'Wilson') FROM report, activity_metrics.wilson(matched, due) AS w WHERE unit IS NULL AND step_no IS NULL;
SELECT is(extra, (SELECT count(*) FROM touched) - matched, 'extra'), ok(extra > 0 AND left_out > 0 AND missed > 0, 'there are such'),
	is(round(burstiness::numeric, 9), (SELECT round(activity_metrics.burstiness(array_agg(extract(epoch FROM at)::float8 / 3600))::numeric, 9) FROM touched), 'burstiness, in any unit') FROM report WHERE unit IS NULL AND step_no IS NULL;
SELECT is(sum(extra), (SELECT extra::numeric FROM report WHERE unit IS NULL AND step_no IS NULL), 'extra of all is that of each') FROM report WHERE unit IS NOT NULL;
SELECT is(median_gap_days, (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) FROM (SELECT step_no, day - lag(day) OVER (PARTITION BY entity, start ORDER BY step_no) AS gap FROM outcome WHERE day IS NOT NULL) AS g WHERE step_no = 3), 'gaps') FROM report WHERE unit IS NULL AND step_no = 3;
SELECT ok(sentence LIKE 'all: % of % that were due were done in their window (% %, % to %), % of them late, % early.', sentence) FROM report WHERE unit IS NULL AND step_no IS NULL;
SELECT ok('(none)' = ANY (array_agg(unit)), 'nobody is a unit') FROM report;
-- other arguments
SELECT results_eq($$SELECT unit, contacts FROM activity_metrics.cadence_report('event', 'call on day 0', by => 'region', start_kinds => 'enrolled', as_of => '2026-04-01 12:00Z') WHERE step_no IS NULL$$, $$SELECT u, count(*) FROM started, (VALUES (NULL), ('North')) AS v(u) GROUP BY u ORDER BY u NULLS FIRST$$, 'by a column');
SELECT is(contacts, (SELECT count(DISTINCT entity) FROM event WHERE kind IN ('call', 'mail') AND status IS NULL), 'without a start, the first activity is it') FROM activity_metrics.cadence_report('event', :plan) WHERE unit IS NULL AND step_no IS NULL;
SELECT is(contacts, (SELECT count(*) FROM started WHERE start >= '2026-03-10Z' AND start < '2026-03-12Z'), 'since and until are about the start') FROM activity_metrics.cadence_report('event', :plan, '2026-03-10Z', '2026-03-12Z', 'enrolled', as_of => '2026-04-01 12:00Z') WHERE unit IS NULL AND step_no IS NULL;
SELECT is_empty(format($$SELECT * FROM activity_metrics.cadence_report('event', %L, '2030-01-01Z')$$, :plan), 'no contact, no rows');
-- days are of the zone
CREATE TABLE zoned AS SELECT 1 AS deal, 'x' AS who, kind AS what, at::timestamptz AS done_at FROM (VALUES ('in', '2026-03-28 22:30Z'), ('call', '2026-03-28 23:30Z')) AS v(kind, at);
SELECT is(late, 1::bigint, 'another day in Berlin') FROM activity_metrics.cadence_report('zoned', 'call on day 0 +-1', start_kinds => 'in', entity => 'deal', at => 'done_at', kind => 'what', actor => 'who', tz => 'Europe/Berlin') WHERE unit IS NULL AND step_no IS NULL;
SELECT is(on_time, 1::bigint, 'the same in London') FROM activity_metrics.cadence_report('zoned', 'call on day 0 +-1', start_kinds => 'in', entity => 'deal', at => 'done_at', kind => 'what', actor => 'who') WHERE unit IS NULL AND step_no IS NULL;
SET LOCAL search_path = pg_catalog, public;
SELECT lives_ok($$SELECT * FROM (SELECT * FROM activity_metrics.cadence_report('cadence_test.event', 'call on day 0')) AS _ LIMIT 1$$, 'whatever the search_path, in a subquery');
SET LOCAL search_path = cadence_test, public;

-- burstiness
SELECT is(activity_metrics.burstiness('{5, 1, 3, NULL, 7}'), -1::float8, 'at equal distances, in any order');
SELECT ok(abs(activity_metrics.burstiness(array_agg(t)) - (sqrt(count(*)) * r - sqrt(count(*) - 2)) / ((sqrt(count(*)) - 2) * r + sqrt(count(*) - 2))) < 1e-9, 'by the formula of Kim and Jo')
	FROM (SELECT t, stddev_pop(g) OVER () / avg(g) OVER () AS r FROM (SELECT t, t - lag(t) OVER (ORDER BY t) AS g FROM (SELECT random() ^ 3 * 100 AS t FROM generate_series(1, 50)) AS s) AS s) AS s GROUP BY r;
SELECT is(activity_metrics.burstiness('{1, 2}'), NULL, 'too few'), is(activity_metrics.burstiness('{1, 1, 1}'), NULL, 'all at once'), is(activity_metrics.burstiness('{}'), NULL, 'none');
SELECT throws_ok($$SELECT activity_metrics.burstiness('{1, NaN, 2}')$$, '22003', NULL, 'NaN');

--
-- Bad input
--
SELECT throws_ok(format('SELECT * FROM activity_metrics.cadence_steps(%L)', c), '22023', 'invalid cadence at position ' || m, c) FROM (VALUES
	('', '1: expected a kind of event, found the end'),
	('call on dy 2', '9: expected "day", found "dy"'),
	('call day 2', '6: expected "on day", found "day"'),
	('ä on day x', '10: expected a number of days after the start, found "x"'),
	('call on day 1 +- ->', '18: expected a number of days, found "->"'),
	('call on day 1.5', '13: days are whole numbers'),
	('call on day 4000', '13: a cadence is over after 3650 days'),
	('call on day 1 mail on day 2', '15: expected "->", "+-" or the end, found "mail"'),
	('(call | mail on day 1', '14: expected "|" or ")", found "on"'),
	('''call on day 1', '1: a quoted kind is not closed'),
	('(a | b) on day 1 -> a on day 2', '21: steps have some kinds in common, and others not')) AS v(c, m);
SELECT throws_ok($$SELECT * FROM activity_metrics.cadence_match('call on day 0', '{1, 0}', '{call, call}', 3)$$, '22023', 'days are not in order', 'days out of order');
SELECT throws_ok($$SELECT * FROM activity_metrics.cadence_match('call on day 0', '{NULL}', '{call}', 3)$$, '22023', 'a day is null', 'a day of NULL');
SELECT throws_ok($$SELECT * FROM activity_metrics.cadence_match('call on day 0', '{1, 2}', '{call}', 3)$$, '22023', 'there are 2 days and 1 kinds', 'a kind too few');
CREATE FUNCTION refused(arguments text, state text, what text) RETURNS text LANGUAGE sql AS $$
	SELECT throws_ok(format('SELECT * FROM activity_metrics.cadence_report(%s)', arguments), state, NULL, what);
$$;
SELECT refused($$'event', 'call'$$, '22023', 'a faulty cadence');
SELECT refused($$'event', NULL$$, '22004', 'no cadence');
SELECT refused($$NULL, 'call on day 0'$$, '22004', 'no relation');
SELECT refused($$'event', 'call on day 0', entity => 'entty'$$, '42703', 'no such column');
SELECT refused($$'event', 'call on day 0', at => 'kind'$$, '42804', 'a time that is none');
SELECT refused($$'event', 'call on day 0', by => 'team'$$, '42703', 'no such column to group by');
SELECT refused($$'event', 'call on day 0', start_kinds => 'a -> b'$$, '22023', 'faulty kinds');
SELECT refused($$'event', 'call on day 0', '2026-02-01Z', '2026-01-01Z'$$, '22023', 'a range that ends before it begins');
SELECT refused($$'event', 'call on day 0', tz => 'Mars'$$, '22023', 'no such zone');
SELECT refused($$'event', 'call on day 0', tz => NULL$$, '22004', 'no zone');

SELECT * FROM finish();
ROLLBACK;
