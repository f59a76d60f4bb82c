-- Splits of a gap beside slow twins, diagnosis() on a planted team, bad input.
BEGIN;
-- one test a line, also where a statement has several
\pset fieldsep '\n'
SELECT no_plan();
CREATE SCHEMA diagnosis_test;
SET LOCAL search_path = diagnosis_test, public;
SET LOCAL client_min_messages = error;
SELECT setseed(0.5625) IS NULL AS seeded \gset

CREATE FUNCTION near(have float8[], want float8[], tolerance float8) RETURNS boolean LANGUAGE sql AS $$
	SELECT cardinality(have) = cardinality(want) AND bool_and(abs(h - w) <= tolerance) FROM unnest(have, want) AS t(h, w)
$$;
-- worked cases
SELECT ok(near(activity_metrics.lmdi_split('{400, .10, .30, .25}', '{500, .08, .30, .20}'), '{0.6, -0.6, 0, -0.6}', 1e-9), 'LMDI of a chain');
SELECT ok(near(activity_metrics.shapley_split('{400, .10, .30, .25}', '{500, .08, .30, .20}'), '{0.61, -0.605, 0, -0.605}', 1e-9), 'Shapley of a chain');
SELECT ok(near(activity_metrics.shapley_split('{500, .08, .30, .20}', '{400, .10, .30, .25}'), '{-0.61, 0.605, 0, 0.605}', 1e-9), 'swapped');
SELECT ok(near(activity_metrics.shapley_split('{400, .01}', '{500, 0}'), '{0.5, -4.5}', 1e-12), 'a yield of zero');
SELECT ok(near(ARRAY[volume, mix, quality, before, after], '{0, 1.1, -0.5, 5, 5.6}', 1e-9), 'volume, mix, quality') FROM activity_metrics.mix_split('{100, 300}', '{.02, .01}', '{200, 200}', '{.02, .008}');
SELECT is(round(activity_metrics.same_yield_p(400, 12, 500, 9)::numeric, 2), 0.34, 'luck');

-- the twin: the mean over all orders
CREATE FUNCTION orders(before float8[], after float8[]) RETURNS float8[] LANGUAGE sql AS $$
	WITH RECURSIVE walk AS (
		SELECT '{}'::int[] AS done, array_fill(0::float8, ARRAY[cardinality(before)]) AS effect
		UNION ALL
		SELECT w.done || k, (SELECT array_agg(CASE WHEN j = k THEN (SELECT coalesce(exp(sum(ln(x))) * (1 - max((x = 0)::int)), 1) FROM (
				SELECT CASE WHEN i = ANY (w.done) THEN after[i] ELSE before[i] END AS x FROM generate_subscripts(before, 1) AS i WHERE i <> k) AS o WHERE x > 0 OR x = 0) * (after[k] - before[k]) ELSE e END ORDER BY j)
			FROM unnest(w.effect) WITH ORDINALITY AS u(e, j))
		FROM walk AS w, generate_subscripts(before, 1) AS k WHERE NOT k = ANY (w.done))
	SELECT array_agg(e ORDER BY j) FROM (SELECT j, avg(e) AS e FROM walk AS w, unnest(w.effect) WITH ORDINALITY AS u(e, j) WHERE cardinality(w.done) = cardinality(before) GROUP BY j) AS m
$$;
CREATE TABLE factor AS SELECT r, array_agg(0.1 + 5 * random()) AS before, array_agg(CASE WHEN random() < 0.2 THEN 0.5 ELSE 0.1 + 5 * random() END) AS after FROM generate_series(1, 60) AS r, generate_series(1, 2 + r % 4) GROUP BY r;
SELECT ok(bool_and(near(activity_metrics.shapley_split(before, after), orders(before, after), 1e-9 * (SELECT 1 + sum(abs(e)) FROM unnest(orders(before, after)) AS e))), 'as all orders give it') FROM factor;
SELECT ok(bool_and(activity_metrics.shapley_split(before, after) = (SELECT array_agg(-e ORDER BY i) FROM unnest(activity_metrics.shapley_split(after, before)) WITH ORDINALITY AS u(e, i))), 'antisymmetric to the last bit') FROM factor;
SELECT ok(bool_and(near(activity_metrics.lmdi_split(before, after), (SELECT array_agg((p.y1 - p.y0) / ln(p.y1 / p.y0) * ln(a / b) ORDER BY i) FROM unnest(before, after) WITH ORDINALITY AS u(b, a, i)), 1e-9 * (1 + p.y0 + p.y1))), 'LMDI by its formula')
	FROM factor, LATERAL (SELECT exp(sum(ln(b))) AS y0, exp(sum(ln(a))) AS y1 FROM unnest(before, after) AS u(b, a)) AS p;
SELECT ok(bool_and((effect[1] + effect[2] + effect[3] = after[3] - before[3]) AND effect[3] + effect[2] + effect[1] = after[3] - before[3]), 'chains of counts add up to the last bit, in any order')
	FROM (SELECT ARRAY[floor(500 * random()) + 1, floor(90 * random()) + 1, floor(20 * random())] AS before, ARRAY[floor(500 * random()) + 1, floor(90 * random()) + 1, floor(20 * random())] AS after FROM generate_series(1, 3000)) AS c,
	LATERAL activity_metrics.chain_split(before, after);
SELECT results_eq($$SELECT factor_before, factor_after, effect FROM activity_metrics.chain_split('{400, 40, 4}', '{400, 0, 0}')$$, $$VALUES ('{400, 0.1, 0.1}'::float8[], '{400, 0, 0.1}'::float8[], '{0, -4, 0}'::float8[])$$, 'after a zero the other side stands in');
SELECT results_eq($$SELECT effect FROM activity_metrics.chain_split('{0, 0}', '{0, 0}')$$, $$VALUES ('{0, 0}'::float8[])$$, 'nothing at all');
SELECT results_eq($$SELECT effect, factor_before FROM activity_metrics.chain_split('{0, 3}', '{10, 3}')$$, $$VALUES (NULL::float8[], NULL::float8[])$$, 'something of nothing');
SELECT ok(near(effect, '{21.47, -15.47}', 0.01), 'lmdi by name') FROM activity_metrics.chain_split('{100, 50}', '{150, 56}', 'LMDI');
SELECT results_eq($$SELECT volume, mix, quality FROM activity_metrics.mix_split('{10, 0}', '{0.5, NULL}', '{0, 10}', '{NULL, 0.5}')$$, $$VALUES (0::float8, 0::float8, 0::float8)$$, 'one leaves, one joins, as good');
SELECT is(activity_metrics.same_yield_p(0, 0, 0, 0), NULL, 'no activity');
SELECT is(activity_metrics.same_yield_p(10, 1.5, 10, 2), NULL, 'not counts');
SELECT is(activity_metrics.shapley_split(NULL, '{1}'), NULL, 'NULL');

--
-- Bad input
--
SELECT throws_ok($$SELECT activity_metrics.shapley_split('{1, 2}', '{1}')$$, '22023', 'before has 2 values, after has 1', 'of different length');
SELECT throws_ok($$SELECT activity_metrics.shapley_split('{}', '{}')$$, '22023', NULL, 'empty');
SELECT throws_ok($$SELECT activity_metrics.shapley_split('{{1}}', '{{1}}')$$, '22023', NULL, 'two dimensions');
SELECT throws_ok($$SELECT activity_metrics.shapley_split('{1, NULL}', '{1, 2}')$$, '22004', 'value 2 of before is null', 'a NULL');
SELECT throws_ok($$SELECT activity_metrics.shapley_split('{1, NaN}', '{1, 2}')$$, '22003', NULL, 'NaN');
SELECT throws_ok($$SELECT activity_metrics.shapley_split('{1e300, 1e300}', '{1, 2}')$$, '22003', NULL, 'out of range');
SELECT throws_ok($$SELECT activity_metrics.shapley_split(array_fill(1::float8, ARRAY[65]), array_fill(1::float8, ARRAY[65]))$$, '54000', NULL, 'too many');
SELECT throws_ok($$SELECT activity_metrics.lmdi_split('{-1}', '{1}')$$, '22023', NULL, 'LMDI below zero');
SELECT is(activity_metrics.shapley_split('{-1, 2}', '{1, 2}'), '{4, 0}', 'Shapley below zero');
SELECT throws_ok($$SELECT * FROM activity_metrics.chain_split('{1, 1}', '{1, 1}', 'guess')$$, '22023', 'unknown method "guess"', 'no such method');
SELECT throws_ok($$SELECT * FROM activity_metrics.mix_split('{1}', '{1}', '{1, 2}', '{1, 2}')$$, '22023', NULL, 'other units');
SELECT throws_ok($$SELECT * FROM activity_metrics.mix_split('{NULL}', '{1}', '{1}', '{1}')$$, '22004', NULL, 'an activity of NULL');

--
-- diagnosis(): Ada calls less, Ben converts less, from April on; Cyd is as ever
--
DELETE FROM activity_metrics.metric;
CREATE TABLE activity AS
	SELECT actor, kind, '2026-01-01Z'::timestamptz + d * interval '1 day' + i * interval '1 minute' AS at, 100.5 AS value
	FROM generate_series(0, 179) AS d, (VALUES ('Ada'), ('Ben'), ('Cyd')) AS a(actor), (VALUES ('call'), ('meeting'), ('won')) AS k(kind),
	LATERAL generate_series(1, CASE kind WHEN 'call' THEN CASE WHEN actor = 'Ada' AND d >= 90 THEN 5 ELSE 10 END
		WHEN 'meeting' THEN CASE WHEN actor = 'Ada' AND d >= 90 THEN d % 2 WHEN actor = 'Ben' AND d >= 90 THEN (d % 5 = 0)::int ELSE 1 END
		ELSE CASE WHEN actor = 'Ada' AND d >= 90 THEN (d % 10 = 0)::int WHEN actor = 'Ben' AND d >= 90 THEN (d % 30 = 0)::int ELSE (d % 5 = 0)::int END END) AS i;
SELECT activity_metrics.define_metric('calls', 'activity', 'call'), activity_metrics.define_metric('meetings', 'activity', 'meeting'),
	activity_metrics.define_metric('wins', 'activity', 'won', kind => 'outcome'), activity_metrics.define_metric('revenue', 'activity', 'won', 'sum', kind => 'outcome') \gset
\set range '''2026-04-01Z'', ''2026-06-30Z'''
CREATE TABLE ada AS SELECT * FROM activity_metrics.diagnosis('wins', 'Ada', :range);
SELECT results_eq('SELECT part_no, kind, part, before, after, n_before, n_after FROM ada',
	$$VALUES (0, 'total', 'wins', 18::float8, 9::float8, 900::float8, 450::float8), (1, 'effort', 'calls', 900, 450, NULL, NULL), (2, 'quality', 'meetings per calls', 0.1, 0.1, 900, 450), (3, 'quality', 'wins per meetings', 0.2, 0.2, 90, 45)$$, 'parts');
SELECT results_eq('SELECT effect, share FROM ada', $$VALUES (-9::float8, 1::float8), (-9, 1), (0, 0), (0, 0)$$, 'all of it is effort');
SELECT is(sentence, 'Ada: 9 wins, before 18 (-9). Effort (calls): -9; quality: meetings per calls 0, wins per meetings 0. The difference of wins per calls is within luck (p = 1.00).', 'in words'), ok(next_step LIKE 'Effort: make room for more calls;%', 'and what to do') FROM ada WHERE part_no = 0;
CREATE TABLE ben AS SELECT * FROM activity_metrics.diagnosis('wins', 'Ben', :range, chain => ARRAY['calls', 'meetings']);
SELECT results_eq('SELECT effect, sum(effect) FILTER (WHERE part_no > 0) OVER () FROM ben WHERE part_no = 0', $$VALUES (-15::float8, NULL::float8)$$, 'Ben');
SELECT is((SELECT sum(effect) FROM ben WHERE part_no > 0), -15::float8, 'the parts add up');
SELECT ok(next_step LIKE 'Coach the step from calls to meetings: %' AND p < 0.01, next_step) FROM ben WHERE part_no = 0;
SELECT results_eq('SELECT effect FROM ben WHERE part_no > 0', $$SELECT u.e FROM activity_metrics.chain_split('{900, 90, 18}', '{900, 18, 3}') AS c, unnest(c.effect) AS u(e)$$, 'as chain_split has it');
SELECT results_eq($$SELECT p FROM ben WHERE part_no > 1$$, $$VALUES (activity_metrics.same_yield_p(900, 90, 900, 18)), (activity_metrics.same_yield_p(90, 18, 18, 3))$$, 'p of each step');
SELECT ok(effect = 0 AND share IS NULL AND next_step = 'There is no gap to close.', 'Cyd: nothing') FROM activity_metrics.diagnosis('wins', 'Cyd', :range) WHERE part_no = 0;
SELECT results_eq($$SELECT before, after, n_before, n_after FROM activity_metrics.diagnosis('wins', 'Cyd', '2026-04-01Z', '2026-06-30Z', 'team') WHERE part_no < 2$$, $$VALUES (6::float8, 18::float8, 1350::float8, 900::float8), (675, 900, NULL, NULL)$$, 'against the average of the others');
SELECT results_eq($$SELECT before, after FROM activity_metrics.diagnosis('wins', 'Cyd', '2026-04-01Z', '2026-06-30Z', 'unit', versus_unit => 'Ben') WHERE part_no = 0$$, $$VALUES (3::float8, 18::float8)$$, 'against another');
SELECT ok(next_step LIKE 'Find out what went well with meetings per calls%', next_step) FROM activity_metrics.diagnosis('wins', 'Cyd', '2026-04-01Z', '2026-06-30Z', 'unit', versus_unit => 'Ben') WHERE part_no = 0;
SELECT results_eq($$SELECT before, after FROM activity_metrics.diagnosis('wins', 'Ada', '2026-04-01Z', '2026-06-30Z', versus_since => '2026-01-01Z', versus_until => '2026-01-11Z') WHERE part_no = 0$$, $$VALUES (2::float8, 9::float8)$$, 'against other days');
CREATE TABLE team AS SELECT * FROM activity_metrics.diagnosis('wins', NULL, :range);
SELECT results_eq('SELECT kind, part FROM team', $$VALUES ('total', 'wins'), ('effort', 'calls'), ('quality', 'meetings per calls'), ('quality', 'wins per meetings'), ('team', 'volume'), ('team', 'mix'), ('team', 'quality')$$, 'the team');
SELECT results_eq($$SELECT effect FROM team WHERE kind = 'team'$$, $$SELECT unnest(ARRAY[volume, mix, quality]) FROM activity_metrics.mix_split('{900, 900, 900}', '{0.02, 0.02, 0.02}', ARRAY[450, 900, 900], ARRAY[9 / 450.0, 3 / 900.0, 18 / 900.0]::float8[])$$, 'as mix_split has it');
SELECT is((SELECT sum(effect) FROM team WHERE kind = 'team'), -24::float8, 'adds up'), is((SELECT sum(effect) FROM team WHERE kind IN ('effort', 'quality')), -24::float8, 'both ways');
-- a lag: wins are counted later
SELECT is(after, 9::float8, 'wins from 15 days later') FROM activity_metrics.diagnosis('wins', 'Ada', '2026-03-17Z', '2026-06-15Z', lag_days => 15) WHERE part_no = 0;
SELECT ok(reason = 'outcomes of the last lag_days are not all in yet: end earlier', 'outcomes that are still to come') FROM activity_metrics.diagnosis('wins', 'Ada', now() - interval '200 days', now() - interval '3 days', lag_days => 15, chain => ARRAY['calls'], versus_since => '2026-01-01Z', versus_until => '2026-02-01Z') WHERE part_no = 0;
-- an outcome that is money has no p
SELECT ok(bool_and(p IS NULL) AND bool_or(reason = 'no p: it is not a count of events out of others') AND sum(effect) FILTER (WHERE part_no > 0) - max(effect) FILTER (WHERE part_no = 0) BETWEEN -1e-9 AND 1e-9, 'revenue') FROM activity_metrics.diagnosis('revenue', 'Ben', :range, chain => ARRAY['calls']);
UPDATE activity SET value = 100;
SELECT ok(bool_and(p IS NULL), 'nor has one in whole amounts') FROM activity_metrics.diagnosis('revenue', 'Ben', :range, chain => ARRAY['calls']);
SELECT is((SELECT sum(effect) FROM activity_metrics.diagnosis('wins', 'Ben', :range, method => 'lmdi') WHERE part_no > 0), -15::float8, 'LMDI');
-- reasons
SELECT ok(count(*) = 1 AND bool_and(reason LIKE 'no event of Adda in these ranges: the nearest unit is Ada'), 'a unit that is none') FROM activity_metrics.diagnosis('wins', 'Adda', :range);
SELECT activity_metrics.define_metric('visits', 'activity', 'visit') \gset
SELECT ok(count(*) = 1 AND bool_and(reason LIKE 'something came of nothing%'), 'wins without visits') FROM activity_metrics.diagnosis('wins', 'Ada', :range, chain => ARRAY['visits']);
SELECT lives_ok($$SELECT * FROM (SELECT * FROM activity_metrics.diagnosis('wins')) AS _ LIMIT 1$$, 'all defaults, in a subquery');
-- what is no amount is no part of a chain, and what is broken or out of use stays out of it
SAVEPOINT chains;
SELECT activity_metrics.define_metric('rate', numerator => 'wins', denominator => 'calls') \gset
SELECT throws_ok($$SELECT * FROM activity_metrics.diagnosis('rate')$$, '22023', 'metric "rate" has no total over days', 'a ratio');
SELECT throws_ok($$SELECT * FROM activity_metrics.diagnosis('wins', chain => ARRAY['rate'])$$, '22023', 'metric "rate" has no total over days', 'in a chain too');
CREATE TABLE chain_before AS SELECT activity_metrics.diagnosis_chain('wins', '2026-01-01Z', '2026-06-30Z') AS c;
SELECT activity_metrics.define_metric('broken', (SELECT m.source_relation FROM activity_metrics.metric m WHERE m.metric = 'calls')::regclass, 'call', filter => 'true'), activity_metrics.define_metric('old', (SELECT m.source_relation FROM activity_metrics.metric m WHERE m.metric = 'calls')::regclass, lifecycle => 'deprecated'),
	activity_metrics.define_metric('rolling', base_metric => 'calls', window_days => 28), activity_metrics.define_metric('dials', (SELECT m.source_relation FROM activity_metrics.metric m WHERE m.metric = 'calls')::regclass, 'call'),
	activity_metrics.define_metric('signed', (SELECT m.source_relation FROM activity_metrics.metric m WHERE m.metric = 'calls')::regclass, 'won') \gset kept_
UPDATE activity_metrics.metric SET actor_column = 'nobody' WHERE metric = 'broken';
SELECT is(activity_metrics.diagnosis_chain('wins', '2026-01-01Z', '2026-06-30Z'), c, 'broken, deprecated and rolling metrics stay out of the chain, and what is there already') FROM chain_before;
UPDATE activity_metrics.metric SET direction = 'down' WHERE metric = 'wins';
SELECT is(next_step, 'wins should fall, and most of its rise is meetings per calls: look there first.', 'less of it is better') FROM activity_metrics.diagnosis('wins', 'Cyd', '2026-04-01Z', '2026-06-30Z', 'unit', versus_unit => 'Ben') WHERE part_no = 0;
SELECT ok(next_step LIKE 'Find out what went well with meetings per calls%', 'and less of it is good') FROM activity_metrics.diagnosis('wins', 'Ben', '2026-04-01Z', '2026-06-30Z', 'unit', versus_unit => 'Cyd') WHERE part_no = 0;
ROLLBACK TO SAVEPOINT chains;
SET LOCAL search_path = pg_catalog, public;
SELECT lives_ok($$SELECT * FROM activity_metrics.diagnosis('wins', 'Ada', '2026-04-01Z', '2026-06-30Z')$$, 'whatever the search_path');
SET LOCAL search_path = diagnosis_test, public;
-- faults
CREATE FUNCTION refused(arguments text, state text, what text) RETURNS text LANGUAGE sql AS $$
	SELECT throws_ok(format('SELECT * FROM activity_metrics.diagnosis(%s)', arguments), state, NULL, what);
$$;
SELECT refused($$'winz'$$, '42704', 'no such outcome');
SELECT refused($$'wins', chain => ARRAY['cals']$$, '42704', 'no such metric in the chain');
SELECT refused($$'wins', chain => ARRAY['calls', NULL]$$, '22004', 'a NULL in the chain');
SELECT refused($$'wins', chain => ARRAY['calls', 'calls']$$, '22023', 'a metric twice');
SELECT refused($$'wins', chain => '{}'$$, '22023', 'a chain of the outcome alone');
SELECT refused($$'wins', 'Ada', versus => 'best'$$, '22023', 'no such comparison');
SELECT refused($$'wins', versus => 'team'$$, '22023', 'the team against itself');
SELECT refused($$'wins', 'Ada', versus => 'unit'$$, '22023', 'against nobody');
SELECT refused($$'wins', 'Ada', versus_unit => 'Ben'$$, '22023', 'a unit that is not asked for');
SELECT refused($$'wins', 'Ada', versus => 'team', versus_since => '2026-01-01Z'$$, '22023', 'the team at another time');
SELECT refused($$'wins', lag_days => -1$$, '22023', 'a lag below zero');
SELECT refused($$'wins', lag_days => 'NaN'$$, '22023', 'a lag of NaN');
SELECT refused($$'wins', method => 'guess'$$, '22023', 'no such method');
SELECT refused($$'wins', NULL, '2026-02-01Z', '2026-01-01Z'$$, '22023', 'a range that ends before it begins');
DELETE FROM activity_metrics.metric WHERE kind = 'surface';
SELECT refused($$'wins'$$, '55000', 'no activity in the dictionary');

SELECT * FROM finish();
ROLLBACK;
