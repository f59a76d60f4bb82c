-- proof_of_work(), target_check() and target_plan(): against a slow twin on random panels, planted worlds, any plan, bad input.
BEGIN;
SELECT no_plan();
CREATE SCHEMA target_test;
SET LOCAL search_path = target_test, public;
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT setseed(0.25) IS NULL AS seeded \gset

--
-- The twin: self joins and textbook formulas
--
CREATE FUNCTION type7(v double precision[], p double precision) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
	SELECT percentile_cont(p) WITHIN GROUP (ORDER BY u) FROM unnest(v) AS u
$$;
CREATE FUNCTION wilson_text(k bigint, n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN n = 0 THEN '-' ELSE format('%s %s %s', round(k::numeric / n, 9),
		round(CASE WHEN k = 0 THEN 0 ELSE ((k + z2 / 2) / (n + z2) - sqrt(z2) / (n + z2) * sqrt(k::float8 * (n - k) / n + z2 / 4)) END::numeric, 9),
		round(CASE WHEN k = n THEN 1 ELSE ((k + z2 / 2) / (n + z2) + sqrt(z2) / (n + z2) * sqrt(k::float8 * (n - k) / n + z2 / 4)) END::numeric, 9)) END
	FROM (SELECT 1.959963984540054::float8 ^ 2 AS z2) AS z
$$;
-- a table "row" (s, u, p, x, y) with many panels, one setting (value, lag_from, lag_to) each
CREATE TABLE setting (s integer, value double precision, lag_from integer, lag_to integer);
CREATE TABLE row (s integer, u bigint, p bigint, x double precision, y double precision);
INSERT INTO setting SELECT s, CASE WHEN s % 3 = 0 THEN NULL ELSE 1 + floor(random() * 6) END, l, l + floor(random() * 4)
	FROM (SELECT s, floor(random() * 3)::integer AS l FROM generate_series(1, 3000) AS s) AS t;
-- gaps, late joiners, zeros, ties, constant units, no outcome, an outcome always; some with a unit whose periods are far apart
INSERT INTO row
	SELECT s, u, p * CASE WHEN s % 97 = 0 AND u = 1 THEN 400000000000000000 ELSE 1 END, CASE s % 7 WHEN 0 THEN u WHEN 1 THEN 0 ELSE floor(random() * (3 + s % 5)) END,
		CASE s % 11 WHEN 0 THEN 0 WHEN 1 THEN 1 WHEN 2 THEN random() * 5 ELSE greatest(floor(random() * 4) - s % 3, 0) END
	FROM generate_series(1, 3000) AS s, LATERAL generate_series(1, 1 + s % 5) AS u, LATERAL generate_series(CASE WHEN s % 2 = 0 THEN u ELSE 1 END - 3, 4 + s % 13 + u) AS p
	WHERE s % 4 = 0 OR random() + 0 * p < 0.85;
-- in some the outcome does follow
UPDATE row SET y = (e.x >= 2)::integer FROM row AS e WHERE row.s % 6 = 5 AND e.s = row.s AND e.u = row.u AND e.p = row.p - 1;
ANALYZE row;
CREATE TABLE twin AS
	WITH own AS (
		SELECT s, u, type7(array_agg(x), 2 / 3.0::float8) AS top, type7(array_agg(x), 1 / 3.0::float8) AS bottom FROM row GROUP BY s, u),
	follow AS (
		SELECT r.s, r.u, r.p, r.x, r.x >= coalesce(t.value, o.top) AND r.x > 0 AS hit, r.x <= o.bottom AS low,
			count(l.p) = t.lag_to - t.lag_from + 1 AS whole, coalesce(bool_or(l.y > 0), false) AS found, coalesce(sum(l.y ORDER BY l.p), 0) AS after
		FROM row AS r JOIN setting AS t USING (s) JOIN own AS o USING (s, u)
		LEFT JOIN row AS l ON l.s = r.s AND l.u = r.u AND l.p::numeric - r.p::numeric BETWEEN t.lag_from AND t.lag_to
		GROUP BY r.s, r.u, r.p, r.x, t.value, o.top, o.bottom, t.lag_from, t.lag_to),
	hits AS (
		SELECT *, count(*) FILTER (WHERE found) OVER (PARTITION BY s, u ORDER BY p) AS island FROM follow WHERE hit AND whole),
	own_unit AS (
		SELECT s, u, count(*) FILTER (WHERE hit AND NOT found)::float8 AS a, count(*) FILTER (WHERE hit)::float8 AS n1,
			count(*) FILTER (WHERE low AND NOT found)::float8 AS c, count(*) FILTER (WHERE low)::float8 AS n0 FROM follow WHERE whole GROUP BY s, u),
	mh AS (
		SELECT s, sum(a * n0 / (n1 + n0)) AS r, sum(c * n1 / (n1 + n0)) AS q, sum(((a + c) * n1 * n0 - a * c * (n1 + n0)) / (n1 + n0) ^ 2) AS v FROM own_unit WHERE n1 > 0 AND n0 > 0 GROUP BY s),
	total AS (
		SELECT s, count(*) AS n, count(*) FILTER (WHERE hit) AS met, count(*) FILTER (WHERE hit AND whole) AS n1, count(*) FILTER (WHERE hit AND whole AND NOT found) AS k1,
			count(*) FILTER (WHERE low AND whole) AS n0, count(*) FILTER (WHERE low AND whole AND NOT found) AS k0, type7(array_agg(after) FILTER (WHERE hit AND whole), 0.1::float8) AS floor
		FROM follow GROUP BY s),
	longest AS (
		SELECT s, max(c) AS longest_run FROM (SELECT s, count(*) FILTER (WHERE NOT found) AS c FROM hits GROUP BY s, u, island) AS i GROUP BY s),
	counted AS (
		SELECT s, count(DISTINCT u)::integer AS units, count(*) FILTER (WHERE y > 0) AS outcomes FROM row GROUP BY s),
	half AS (
		SELECT s, CASE WHEN k1 = 0 OR k0 = 0 THEN 0.5 ELSE 0 END::float8 AS h FROM total)
	SELECT t.s, t.n, wilson_text(met, t.n) AS met, wilson_text(k1, n1) AS high, wilson_text(k0, n0) AS low, n1, n0, t.floor,
		CASE WHEN n1 > 0 AND k0 > 0 THEN 1 - (k1::float8 / n1) / (k0::float8 / n0) END AS proof,
		CASE WHEN n1 > 0 AND n0 > 0 AND k1 + k0 > 0 THEN 1 - exp(ln((k1 + h) / (n1 + h)) - ln((k0 + h) / (n0 + h)) + 1.959963984540054
			* sqrt(1 / (k1 + h) - 1 / (n1 + h) + 1 / (k0 + h) - 1 / (n0 + h))) END AS proof_low,
		CASE WHEN n1 > 0 AND n0 > 0 AND k1 + k0 > 0 THEN 1 - exp(ln((k1 + h) / (n1 + h)) - ln((k0 + h) / (n0 + h)) - 1.959963984540054
			* sqrt(1 / (k1 + h) - 1 / (n1 + h) + 1 / (k0 + h) - 1 / (n0 + h))) END AS proof_high,
		CASE WHEN mh.q > 0 THEN 1 - mh.r / mh.q END AS own_proof,
		CASE WHEN mh.q > 0 AND mh.r > 0 THEN 1 - mh.r / mh.q * exp(1.959963984540054 * sqrt(mh.v / mh.r / mh.q)) END AS own_low,
		CASE WHEN mh.q > 0 AND mh.r > 0 THEN 1 - mh.r / mh.q * exp(-1.959963984540054 * sqrt(mh.v / mh.r / mh.q)) END AS own_high,
		coalesce(l.longest_run, 0) AS longest_run,
		c.units, c.outcomes
	FROM total AS t JOIN half USING (s) JOIN counted AS c USING (s) LEFT JOIN mh USING (s) LEFT JOIN longest AS l USING (s);
CREATE TABLE result AS SELECT s, (r).* FROM (SELECT s, activity_metrics.proof_of_work(u, p, x, y, value, lag_from, lag_to) AS r FROM (SELECT * FROM row ORDER BY random()) AS row JOIN setting USING (s) GROUP BY s) AS t;
CREATE FUNCTION share_text(share double precision, low double precision, high double precision) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN share IS NULL THEN '-' ELSE format('%s %s %s', round(share::numeric, 9), round(low::numeric, 9), round(high::numeric, 9)) END
$$;
CREATE FUNCTION near(a double precision, b double precision) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
	SELECT (a IS NULL) = (b IS NULL) AND coalesce(abs(a - b) <= 1e-9 * greatest(abs(a), abs(b), 1), true)
$$;
SELECT is(count(*), 3000::bigint, 'a row for each panel') FROM result JOIN twin USING (s);
SELECT is_empty($$SELECT r.s FROM result AS r FULL JOIN twin AS t USING (s) WHERE (t.n, t.met, t.high, t.low, t.n1, t.n0, t.longest_run, t.units, t.outcomes) IS DISTINCT FROM
	(r.n, share_text(r.share_met, r.met_low, r.met_high), share_text(r.empty_high, r.empty_high_low, r.empty_high_high), share_text(r.empty_low, r.empty_low_low, r.empty_low_high),
		r.n_high, r.n_low, r.longest_run, r.units, r.outcomes)$$, 'shares, intervals and counts as the twin has them');
SELECT is_empty($$SELECT r.s FROM result AS r JOIN twin AS t USING (s) WHERE NOT (near(r.proof, t.proof) AND near(r.proof_low, t.proof_low) AND near(r.proof_high, t.proof_high)
	AND near(r.own_proof, t.own_proof) AND near(r.own_low, t.own_low) AND near(r.own_high, t.own_high) AND near(r.floor, t.floor))$$, 'proof, own proof and floor as the twin has them');
SELECT ok(count(*) > 15, format('%s of what can happen: %s panels', what, count(*))) FROM result, LATERAL (VALUES ('no proof', proof IS NULL), ('full proof', proof = 1), ('negative proof', proof < 0), ('an interval', proof_low > 0),
	('a run', longest_run > 2), ('nobody hit', n_high = 0), ('own proof', own_low IS NOT NULL)) AS w(what, holds) WHERE holds GROUP BY what;
SELECT is_empty($$SELECT r.s FROM result AS r WHERE r.verdict IS DISTINCT FROM CASE
	WHEN n_high < 20 OR n_low < 20 OR outcomes < 5 OR proof_low IS NULL THEN 'insufficient'
	WHEN proof_low > 0 AND coalesce(own_low, CASE WHEN own_proof = 1 THEN proof_low END) > 0 THEN 'pass'
	WHEN proof_high < 0.5 OR coalesce(own_high, CASE WHEN own_proof = 1 THEN proof_high END) < 0.5 THEN 'fail' ELSE 'insufficient' END$$, 'the verdict follows from the figures');

-- empty_high of vanity() is the same figure
CREATE TABLE team AS SELECT s AS team, u, p, floor(random() * 10) AS x, floor(random() * 2.2) AS y FROM generate_series(1, 20) AS s, generate_series(1, 6) AS u, generate_series(1, 40 + s) AS p WHERE random() < 0.97;
SELECT is((r).empty_high, (v).empty_high, 'empty_high of vanity(), top third: ' || team) FROM (
	SELECT t.team, v.v, (SELECT activity_metrics.proof_of_work(u, p, x, y, NULL, (v.v).lag_from, (v.v).lag_to) FROM team AS i WHERE i.team = t.team) AS r
	FROM (SELECT DISTINCT team FROM team) AS t, LATERAL (SELECT activity_metrics.vanity(u, p, x, y) AS v FROM team AS i WHERE i.team = t.team) AS v) AS s WHERE (v).lag_from IS NOT NULL ORDER BY team;
SELECT is((r).empty_high, (v).empty_high, 'empty_high of vanity(), target: ' || team) FROM (
	SELECT t.team, v.v, (SELECT activity_metrics.proof_of_work(u, p, x, y, 7, (v.v).lag_from, (v.v).lag_to) FROM team AS i WHERE i.team = t.team) AS r
	FROM (SELECT DISTINCT team FROM team WHERE team < 4) AS t, LATERAL (SELECT activity_metrics.vanity(u, p, x, y, NULL, 'target 7 from 20') AS v FROM team AS i WHERE i.team = t.team) AS v) AS s WHERE (v).lag_from IS NOT NULL ORDER BY team;

--
-- The same to the bit: order, type of unit, rows added up, NULLs, parallel plans
--
CREATE TABLE one AS SELECT u, p, x + 0.1 AS x, y / 7 AS y, row_number() OVER (ORDER BY random()) AS i FROM team WHERE team = 3;
ALTER TABLE one SET (parallel_workers = 3);
ANALYZE one;
SELECT activity_metrics.proof_of_work(u, p, x, y, 6, 1, 4)::text AS expected FROM one \gset
CREATE FUNCTION proof(source text, unit text DEFAULT 'u') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT activity_metrics.proof_of_work(%s, p, x, y, 6, 1, 4)::text FROM %s', unit, source) INTO result;
	RETURN result;
END;
$$;
SELECT is(proof('(SELECT * FROM one ORDER BY i) AS t'), :'expected', 'shuffled');
SELECT is(proof('(SELECT * FROM one ORDER BY i DESC) AS t'), :'expected', 'the other way round');
SELECT is(proof('one', $$'rep ' || u$$), :'expected', 'unit text');
SELECT is(proof('one', $$lpad(u::text, 32, '0')::uuid$$), :'expected', 'unit uuid');
SELECT is(proof('(SELECT u, p, x / 2 AS x, y / 2 AS y FROM one, generate_series(1, 2)) AS t'), :'expected', 'rows added up');
SELECT is(proof('(SELECT u, p, x, y FROM one UNION ALL VALUES (NULL, 1, 9, 9), (1, NULL, 9, 9), (1, 1, NULL, 9), (1, 1, 9, NULL), (99, 1, 9, NULL)) AS t'), :'expected', 'rows with a NULL are left out');
SET LOCAL max_parallel_workers_per_gather = 3;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT is(proof('one'), :'expected', 'in parallel');
SELECT throws_ok('SELECT activity_metrics.proof_of_work(u, p, x, y, 6 + (i = 1)::integer, 1, 4) FROM one', '22023', 'value changes within a group', 'in parallel, value changes');
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT ok(activity_metrics.proof_of_work(u, p, x, y, 6, 1, 4) IS NULL, 'no rows: NULL') FROM one WHERE false;
SELECT ok((r).verdict = 'insufficient' AND (r).n = 0 AND (r).share_met IS NULL AND (r).proof IS NULL AND (r).longest_run = 0, 'only NULLs: zeros') FROM (SELECT activity_metrics.proof_of_work(NULL::text, NULL, NULL, NULL, 6, 1, 4) AS r) AS t;
SELECT ok((r).n = 240 AND (r).floor > 0 IS NOT DISTINCT FROM f, 'values at the end of the range') FROM (VALUES (1e-300::float8, true), (1e308, NULL)) AS v(v, f),
	LATERAL (SELECT activity_metrics.proof_of_work(u, p, v, v, 1e-308, 1, 3) AS r FROM generate_series(1, 6::bigint) AS u, generate_series(1, 40::bigint) AS p) AS t;

SELECT throws_ok(format('SELECT activity_metrics.proof_of_work(u, p, %s, %s, %s, %s, %s) FROM one', x, y, value, f, t), state, message, format('proof_of_work: %s %s', state, message))
	FROM (VALUES ('x', 'y', '0', '1', '4', '22023', 'value is 0'), ('x', 'y', '-3', '1', '4', '22023', 'value is -3'), ('x', 'y', '''NaN''', '1', '4', '22023', 'value is NaN'), ('x', 'y', '''Infinity''', '1', '4', '22023', 'value is Infinity'),
		('x', 'y', '5', 'NULL', '4', '22004', 'lag_from is null'), ('x', 'y', '5', '1', 'NULL', '22004', 'lag_to is null'), ('x', 'y', '5', '-1', '4', '22023', 'lag_from is -1'), ('x', 'y', '5', '1', '1001', '22023', 'lag_to is 1001'),
		('x', 'y', '5', '3', '2', '22023', 'lag_from 3 is after lag_to 2'), ('-x', 'y', '5', '1', '2', '22023', NULL), ('x', '''NaN''', '5', '1', '2', '22003', NULL),
		('x', 'y', '5', 'i::integer % 2', '4', '22023', 'lag_from changes within a group')) AS v(x, y, value, f, t, state, message);

--
-- target_check and target_plan over a relation: planted worlds
--
CREATE TABLE week AS
	SELECT 'rep ' || u AS unit, p AS period, CASE WHEN u < 12 THEN meetings END AS meetings, logins, constant, zero, wins FROM (
		SELECT u, p, a AS meetings, floor(10 * random()) * u AS logins, 5 AS constant, 0 AS zero,
			-- wins come two weeks after meetings; big reps have more of them anyway
			(CASE WHEN lag(a, 2, 0::float8) OVER (PARTITION BY u ORDER BY p) + 0.1 * (u % 3) > 2.1 THEN 1 ELSE 0 END) AS wins
		FROM (SELECT u, p, floor(4 * random()) AS a FROM generate_series(1, 12) AS u, generate_series(1, 60) AS p) AS s) AS s;
UPDATE week SET meetings = coalesce(meetings, 1), wins = wins + (random() < 0.06 * right(unit, 1)::integer)::integer;
SELECT ok(verdict = 'pass' AND lag_from <= 2 AND lag_to >= 2 AND vanity = 'leading_indicator' AND sentence LIKE 'Could someone hit 3 meetings a week while delivering nothing? Not easily: %' AND next_step LIKE 'It can serve%', sentence)
	FROM activity_metrics.target_check('meetings', 3, 'wins', relation => 'week');
SELECT ok(verdict = 'fail' AND (lag_from, lag_to) = (1, 4) AND vanity <> 'leading_indicator' AND sentence LIKE '%Yes: %' AND next_step LIKE 'Do not set it%', sentence)
	FROM activity_metrics.target_check('logins', 20, 'wins', relation => 'week');
SELECT ok(verdict = 'insufficient' AND n_high = 0 AND sentence LIKE '%cannot be said: 0 rep-weeks%' AND next_step LIKE 'Set no target%', sentence) FROM activity_metrics.target_check('meetings', 1000, 'wins', relation => 'week');
SELECT ok(verdict = 'insufficient' AND sentence LIKE '%at least 5 are needed%', sentence) FROM activity_metrics.target_check('meetings', 3, 'zero', relation => 'week');
SELECT ok(verdict = 'insufficient' AND proof IS NULL AND sentence LIKE '%after every high and every low%', sentence) FROM activity_metrics.target_check('meetings', 3, 'constant', relation => 'week', lag_from => 1, lag_to => 2);
SELECT ok(verdict = 'insufficient' AND n = 0 AND sentence IS NOT NULL, 'no rows') FROM activity_metrics.target_check('meetings', 3, 'wins', relation => 'week', since => '2200-01-01Z');
-- the row is that of the aggregate
SELECT results_eq($$SELECT metric, value, outcome, lag_from, lag_to, verdict, share_met, met_low, met_high, n, empty_high, empty_high_low, empty_high_high, n_high, empty_low, empty_low_low, empty_low_high, n_low, proof, proof_low, proof_high, own_proof, own_low, own_high, floor, longest_run, units, outcomes
	FROM activity_metrics.target_check('meetings', 3, 'wins', lag_from => 1, lag_to => 3, relation => 'week')$$,
	$$SELECT 'meetings', 3::float8, 'wins', 1, 3, (r).* FROM (SELECT activity_metrics.proof_of_work(unit, period, meetings, wins, 3, 1, 3) AS r FROM week) AS t$$, 'as of the aggregate');
SELECT results_eq($$SELECT value, verdict, share_met, proof, own_low, sentence FROM activity_metrics.target_plan('logins', 'wins', relation => 'week')$$,
	$$SELECT c.value, c.verdict, c.share_met, c.proof, c.own_low, c.sentence FROM activity_metrics.target_plan('logins', 'wins', relation => 'week') AS p, LATERAL activity_metrics.target_check('logins', p.value, 'wins', relation => 'week') AS c ORDER BY c.value$$, 'each row of the plan is a check');
SELECT results_eq($$SELECT quantile, value FROM activity_metrics.target_plan('logins', 'wins', relation => 'week')$$,
	$$SELECT min(q), v FROM (SELECT q, percentile_disc(q) WITHIN GROUP (ORDER BY logins::float8) AS v FROM week, unnest(ARRAY[0.5, 0.6, 0.7, 0.8, 0.9, 0.95]::float8[]) AS q GROUP BY q) AS t WHERE v > 0 GROUP BY v ORDER BY v$$, 'the quantiles that occurred');
SELECT is(count(*), 1::bigint, 'equal candidates once') FROM activity_metrics.target_plan('constant', 'wins', relation => 'week');
SELECT ok(count(*) = 1 AND bool_and(value IS NULL AND verdict = 'insufficient' AND n = 720 AND sentence LIKE 'There is no target to plan%'), 'nothing to plan') FROM activity_metrics.target_plan('zero', 'wins', relation => 'week');
CREATE VIEW halves AS SELECT unit, period, meetings / 2 AS meetings, wins / 2.0 AS wins FROM week, generate_series(1, 2);
SELECT results_eq($$SELECT verdict, proof FROM activity_metrics.target_check('meetings', 3, 'wins', relation => 'halves')$$, $$SELECT verdict, proof FROM activity_metrics.target_check('meetings', 3, 'wins', relation => 'week')$$, 'rows of a unit and period are added up');

-- dictionary metrics; the outcome where none is given
CREATE TABLE event (entity bigint, at timestamptz, kind text, actor text);
INSERT INTO event SELECT 1, '2024-01-01 09:00Z'::timestamptz + period * interval '7 days' + i * interval '1 minute', k.kind, unit
	FROM week, LATERAL (VALUES ('meeting', meetings), ('won', wins::float8), ('login', logins)) AS k(kind, n), generate_series(1, n::integer) AS i;
SELECT activity_metrics.define_metric('meetings', 'event', 'meeting', label => 'it''s 100 %s');
SELECT throws_ok($$SELECT * FROM activity_metrics.target_check('meetings', 3)$$, '22023', 'it is not known what metric "meetings" should bring', 'no outcome in the dictionary');
SELECT activity_metrics.define_metric('wins', 'event', 'won', kind => 'outcome');
SELECT ok(outcome = 'wins' AND verdict = 'pass' AND n BETWEEN 600 AND 720 AND strpos(sentence, 'hit 3 it''s 100 %s a week') > 0, sentence) FROM activity_metrics.target_check('meetings', 3);
SELECT is((SELECT proof FROM activity_metrics.target_check('meetings', 3)), (SELECT (activity_metrics.proof_of_work(unit, period, x, y, 3, c.lag_from, c.lag_to)).proof
	FROM activity_metrics.metric_panel('meetings', 'wins'), activity_metrics.target_check('meetings', 3) AS c WHERE is_complete), 'as of the aggregate over metric_panel');
SELECT ok(count(*) > 1, 'target_plan over the dictionary') FROM activity_metrics.target_plan('meetings');
SELECT activity_metrics.define_metric('logins', 'event', 'login', kind => 'outcome');
SELECT throws_ok($$SELECT * FROM activity_metrics.target_plan('meetings')$$, '22023', NULL, 'two outcomes: which one is to be said');
SELECT ok(n > 0, 'by month, in a range') FROM activity_metrics.target_check('meetings', 6, 'wins', 'month', '2024-02-01Z', '2025-01-01Z');
-- a target already, to which most fill up from week 30 on
CREATE TABLE filled AS SELECT 1 AS entity, '2024-01-01 09:00Z'::timestamptz + p * interval '7 days' + i * interval '1 minute' AS at, k.kind, 'rep ' || u AS actor
	FROM (SELECT u, p, random() AS a, random() AS b, random() AS c FROM generate_series(1, 12) AS u, generate_series(0, 59) AS p) AS s,
		LATERAL (VALUES ('call', CASE WHEN p >= 30 AND u > 3 AND c < 0.9 THEN 40 ELSE round(15 + 20 * a) END), ('won', floor(3 * b))) AS k(kind, n), generate_series(1, n::integer) AS i;
SELECT activity_metrics.define_metric('calls', 'filled', 'call', target => 40, target_from => '2024-07-29Z'), activity_metrics.define_metric('deals', 'filled', 'won', kind => 'outcome');
SELECT ok(c.vanity = 'gamed' AND v.verdict = 'gamed' AND c.verdict <> 'pass' AND c.next_step LIKE 'Take the target off it%', c.sentence)
	FROM activity_metrics.target_check('calls', 40, 'deals') AS c, activity_metrics.vanity_report('deals', metrics => '{calls}') AS v;
SELECT is(c.vanity, v.verdict, 'by month there is no target: the verdict of vanity_report') FROM activity_metrics.target_check('calls', 160, 'deals', 'month') AS c, activity_metrics.vanity_report('deals', 'month', metrics => '{calls}') AS v;
SELECT is(activity_metrics.target_verdict('pass', 'gamed'), 'fail', 'what is gamed does not pass');
SELECT ok(activity_metrics.target_sentence(r, 'gamed', 3, 'calls', 'wins', 'week', 2, 2) LIKE 'Could someone hit 3 calls a week while delivering nothing? Yes: %; but since it has been a target it looks gamed, as gaming_report() says.', 'and the sentence says why')
	FROM (SELECT activity_metrics.proof_of_work(unit, period, meetings, wins, 3, 2, 2) AS r FROM week) AS p;
DELETE FROM activity_metrics.metric WHERE metric IN ('calls', 'deals');

CREATE FUNCTION hint_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	h text;
BEGIN
	EXECUTE query;
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS h = PG_EXCEPTION_HINT;
	RETURN h;
END;
$$;
SELECT is(hint_of($$SELECT * FROM activity_metrics.target_check('meetings', 3)$$), $$Name one: outcome => 'logins' or 'wins'.$$, 'the outcomes in the hint');
UPDATE activity_metrics.metric SET outcome_metric = 'wins' WHERE metric = 'meetings';
SELECT is(outcome, 'wins', 'the outcome that the dictionary names') FROM activity_metrics.target_check('meetings', 3);
SELECT is(min(outcome), 'wins', 'also of the plan') FROM activity_metrics.target_plan('meetings');
SELECT throws_ok(replace(replace(query, 'check(', 'SELECT * FROM activity_metrics.target_check('), 'plan(', 'SELECT * FROM activity_metrics.target_plan('), state, message, format('%s: %s', state, query)) FROM (VALUES
	($$check('meetings', NULL, 'wins')$$, '22004', 'argument value is null'), ($$check('meetings', 0, 'wins')$$, '22023', 'value is 0'), ($$check('meetings', 'NaN', 'wins')$$, '22023', 'value is NaN'),
	($$check('meeting', 3, 'wins')$$, '42704', NULL), ($$check('meetings', 3, 'win')$$, '42704', NULL), ($$check(NULL, 3, 'wins')$$, '42704', NULL), ($$check(NULL, 3)$$, '42704', NULL), ($$check('meetings', 3, 'wins', 'fortnight')$$, '22023', NULL),
	($$check('meetings', 3, 'wins', NULL)$$, '22004', NULL), ($$check('meetings', 3, 'wins', lag_from => 2)$$, '22023', 'lag_from and lag_to do not go together'), ($$check('meetings', 3, 'wins', lag_to => 2)$$, '22023', 'lag_from and lag_to do not go together'),
	($$check('meetings', 3, 'wins', lag_from => 3, lag_to => 2)$$, '22023', 'lag_from 3 is after lag_to 2'), ($$check('meetings', 3, 'wins', lag_from => 0, lag_to => 2000)$$, '22023', 'lag_to is 2000'),
	($$check('meetings', 3, 'wins', since => '2024-02-01', until => '2024-01-01')$$, '22023', NULL), ($$check('meetings', 3, relation => 'week')$$, '22023', 'no outcome is given'), ($$check('meeting', 3, 'wins', relation => 'week')$$, '42703', NULL),
	($$check('unit', 3, 'wins', relation => 'week')$$, '42804', NULL), ($$check('meetings', 3, 'wins', relation => 'week', unit => 'rep')$$, '42703', NULL), ($$plan(NULL, 'wins')$$, '42704', NULL), ($$plan('meetings', 'wins', 'fortnight')$$, '22023', NULL),
	($$plan('meetings', 'wins', lag_from => 2)$$, '22023', NULL), ($$plan('meetings', relation => 'week')$$, '22023', 'no outcome is given'), ($$plan('meetings', 'wins', lag_from => -1, lag_to => 2)$$, '22023', 'lag_from is -1'), ($$plan('meetings', 'wins', since => '2024-02-01', until => '2024-01-01')$$, '22023', NULL)) AS v(query, state, message);

SELECT * FROM finish();
ROLLBACK;
