-- vanity(), gaming() and gaming_units(): planted worlds, too little evidence, options, the same for any plan; their reports.
BEGIN;
SELECT no_plan();
CREATE SCHEMA vanity_test;
SET LOCAL search_path = vanity_test, public;
SET LOCAL max_parallel_workers_per_gather = 0;

--
-- Worlds with a known truth: 16 reps, 80 weeks, the target (where there is one) of 40 from week 50 on
--
SELECT setseed(0.375) IS NULL AS seeded \gset
CREATE TABLE noise AS SELECT u, p, random() AS a, random() AS b, random() AS c, random() AS d FROM generate_series(1, 16) AS u, generate_series(1, 80::bigint) AS p;
CREATE TABLE base AS SELECT *, round(20 + 20 * a) AS calls, lag(a, 3, 0.5) OVER w AS a3, sum(round(5 * a)) OVER w AS running FROM noise WINDOW w AS (PARTITION BY u ORDER BY p);
CREATE TABLE world AS
	SELECT name, u AS unit, p AS period, metric, outcome, CASE WHEN name = 'lead' THEN 0.2 + 0.7 * d ELSE quality END AS quality FROM base,
	LATERAL (VALUES
		('lead', calls, floor(0.5 + 12 * a3 * a3 + 3 * b), NULL::float8),
		('nothing', calls, floor(6 * b), NULL),
		('running', running, floor(6 * b), NULL),
		('itself', floor(6 * b), floor(6 * b), NULL),
		-- from week 50 on most fill up to 40, with calls that are worth nothing
		('gamed', CASE WHEN p >= 50 AND u > 4 AND c < 0.9 THEN 40 + floor(2 * d) ELSE round(15 + 20 * a) END, floor(6 * b),
			CASE WHEN p >= 50 AND u > 4 THEN 0.3 ELSE 0.8 END * (0.8 + 0.2 * d)),
		('honest', CASE WHEN p >= 50 THEN calls + 5 ELSE calls END, floor(0.5 + 12 * a3 * a3 + 3 * b + CASE WHEN p >= 52 THEN 2 ELSE 0 END), 0.8)) AS v(name, metric, outcome, quality);
ANALYZE world;
CREATE TABLE result AS
	SELECT name, (activity_metrics.vanity(unit::bigint, period, metric, outcome, quality, CASE WHEN name IN ('gamed', 'honest') THEN 'target 40 from 50' END)).* FROM world GROUP BY name,
		-- options are the same for all rows of a group
		CASE WHEN name IN ('gamed', 'honest') THEN 'target 40 from 50' END;
SELECT is(verdict, wanted, format('%s: %s', name, sentence)) FROM result JOIN (VALUES ('lead', 'leading_indicator'), ('nothing', 'vanity'), ('running', 'vanity'), ('itself', 'outcome'), ('gamed', 'gamed'), ('honest', 'leading_indicator'))
	AS w(name, wanted) USING (name) ORDER BY name;
SELECT ok(CASE WHEN name IN ('lead', 'itself', 'honest') THEN score < 0.3 ELSE score > 0.7 END, format('%s: score %s', name, score)) FROM result ORDER BY name;
SELECT ok(bool_and(score BETWEEN 0 AND 1 AND confidence BETWEEN 0 AND 1 AND low <= elasticity AND elasticity <= high AND lag_from BETWEEN 1 AND lag_to AND lag_to <= 12
	AND no_progress BETWEEN 0 AND 1 AND only_rises BETWEEN 0 AND 1 AND is_outcome BETWEEN 0 AND 1 AND wrong_way BETWEEN 0 AND 1 AND follows BETWEEN 0 AND 1 AND same_week BETWEEN 0 AND 1), 'all within their bounds') FROM result;
SELECT ok(lag_from <= 3 AND lag_to >= 3, 'the planted lag is in the window') FROM result WHERE name = 'lead';
SELECT ok((p_gamed IS NOT NULL) = (name IN ('gamed', 'honest')), 'p_gamed with a target only: ' || name) FROM result;
SELECT ok((quality_gain IS NOT NULL) = (name IN ('lead', 'gamed', 'honest')), 'quality_gain with a quality only: ' || name) FROM result;
SELECT ok(bool_and(n = 1280 AND units = 16 AND periods = 80), 'n, units and periods') FROM result;
SELECT is(r.outcomes, (SELECT count(*) FROM world WHERE name = 'lead' AND outcome <> 0), 'outcomes: rows with one') FROM result AS r WHERE name = 'lead';
SELECT ok(only_rises > 0.6, 'a running total only rises') FROM result WHERE name = 'running';

-- gaming() and the target option agree
SELECT is(g.p_gamed, r.p_gamed, 'p_gamed of gaming() and of vanity(): ' || name) FROM result AS r JOIN
	(SELECT name, (activity_metrics.gaming(unit::bigint, period, metric, outcome, 50, 40, quality)).* FROM world WHERE name IN ('gamed', 'honest') GROUP BY name) AS g USING (name);
CREATE TABLE gamed AS SELECT unit::bigint, period, metric, outcome, quality FROM world WHERE name = 'gamed';
CREATE TABLE game AS SELECT (activity_metrics.gaming(unit, period, metric, outcome, 50, 40, quality)).* FROM gamed;
SELECT ok(p_gamed > 0.9 AND sentence ~ '40', sentence) FROM game;
SELECT ok(n_before = 49 * 16 AND n_after = 31 * 16, 'rows before and after') FROM game;
-- on the target: from 40 up to a tenth more
SELECT results_eq('SELECT share_at_target::numeric(12, 10), share_before::numeric(12, 10) FROM game',
	$$SELECT avg((metric >= 40 AND metric < 44)::integer) FILTER (WHERE period >= 50)::numeric(12, 10), avg((metric >= 40 AND metric < 44)::integer) FILTER (WHERE period < 50)::numeric(12, 10) FROM gamed$$, 'shares on the target');
SELECT ok(quality_fall IS NOT NULL AND bunch > 0, 'signals') FROM game;
SELECT ok(g.p_gamed IS NOT NULL AND g.bunch IS NULL AND g.share_at_target IS NULL AND g.quality_fall IS NULL, 'a target whose value is not known, and no quality: no bunching')
	FROM (SELECT (activity_metrics.gaming(unit, period, metric, outcome, 50, NULL)).* FROM gamed) AS g;
SELECT is((SELECT (activity_metrics.vanity(unit, period, metric, outcome, quality, 'target from 50')).p_gamed FROM gamed), (SELECT (activity_metrics.gaming(unit, period, metric, outcome, 50, NULL, quality)).p_gamed FROM gamed), 'option target from');

-- gaming_units: in order of unit, the four who do not fill are the least suspect
CREATE TABLE suspect AS SELECT s.* FROM (SELECT activity_metrics.gaming_units(unit, period, metric, outcome, 50, 40, quality) AS units FROM gamed) AS g, unnest(units) WITH ORDINALITY AS s(unit, suspicion, i);
SELECT results_eq('SELECT unit::bigint FROM suspect ORDER BY i', 'SELECT generate_series(1, 16::bigint)', 'one row per unit, in order of number');
SELECT ok((SELECT max(suspicion) FROM suspect WHERE unit::int <= 4) < (SELECT min(suspicion) FROM suspect WHERE unit::int > 4), 'who games is more suspect');
SELECT is(string_agg(s.unit, ' ' ORDER BY i), '-9223372036854775808 -2 -1 0 5 10 9223372036854775807', 'numbers in order, also below zero') FROM
	(SELECT activity_metrics.gaming_units(u, p, 1, 1, 5, 5) AS units FROM unnest(ARRAY[10, -1, 0, 5, -2, 9223372036854775807, '-9223372036854775808'::bigint]) AS u, generate_series(1, 9) AS p) AS g, unnest(units) WITH ORDINALITY AS s(unit, suspicion, i);
SELECT is(string_agg(s.unit, ' ' ORDER BY i), ' A B a aa ä', 'text in order of its bytes') FROM
	(SELECT activity_metrics.gaming_units(u, p, 1, 1, 5, 5) AS units FROM unnest(ARRAY['ä', 'aa', 'A', 'a', '', 'B']) AS u, generate_series(1, 9) AS p) AS g, unnest(units) WITH ORDINALITY AS s(unit, suspicion, i);
SELECT is(s.unit, '0000abcd-0000-0000-0000-000000000001', 'uuids as they are written') FROM
	(SELECT activity_metrics.gaming_units('0000abcd-0000-0000-0000-000000000001'::uuid, p, 1, 1, 5, 5) AS units FROM generate_series(1, 9) AS p) AS g, unnest(units) AS s;
SELECT results_eq($$SELECT unit, suspicion FROM suspect ORDER BY i$$, format($$SELECT s.unit, s.suspicion FROM (SELECT activity_metrics.gaming_units(%s) AS units FROM gamed) AS g, unnest(units) AS s$$, a), 'overload: ' || a)
	FROM unnest(ARRAY['unit, period, metric, outcome, 50, 40', $q$unit, period, metric, outcome, 50, 40, quality, 'metric ''calls'''$q$, 'unit, period, metric, outcome, 50, 40, NULL, NULL']) AS a
	WHERE (SELECT bool_and(suspicion IS NOT NULL) FROM suspect);

--
-- The same to the bit
--
CREATE TABLE expected (what text, have text);
INSERT INTO expected
	SELECT 'vanity', activity_metrics.vanity(unit, period, metric, outcome, quality, 'target 40 from 50')::text FROM gamed
	UNION ALL SELECT 'gaming', activity_metrics.gaming(unit, period, metric, outcome, 50, 40, quality)::text FROM gamed
	UNION ALL SELECT 'units', (SELECT string_agg(suspicion::text, ' ' ORDER BY i) FROM unnest(activity_metrics.gaming_units(unit, period, metric, outcome, 50, 40, quality)) WITH ORDINALITY AS s(unit, suspicion, i)) FROM gamed;
CREATE FUNCTION same(source text, label text, unit text DEFAULT 'unit') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	have text;
BEGIN
	EXECUTE format('SELECT activity_metrics.vanity(%s, period, metric, outcome, quality, ''target 40 from 50'')::text FROM %s', unit, source) INTO have;
	RETURN NEXT is(have, (SELECT e.have FROM vanity_test.expected AS e WHERE what = 'vanity'), 'vanity: ' || label);
	EXECUTE format('SELECT activity_metrics.gaming(%s, period, metric, outcome, 50, 40, quality)::text FROM %s', unit, source) INTO have;
	RETURN NEXT is(have, (SELECT e.have FROM vanity_test.expected AS e WHERE what = 'gaming'), 'gaming: ' || label);
	EXECUTE format('SELECT (SELECT string_agg(s.suspicion::text, '' '' ORDER BY i) FROM unnest(g.units) WITH ORDINALITY AS s(unit, suspicion, i))
		FROM (SELECT activity_metrics.gaming_units(%s, period, metric, outcome, 50, 40, quality) AS units FROM %s) AS g', unit, source) INTO have;
	RETURN NEXT is(have, (SELECT e.have FROM vanity_test.expected AS e WHERE what = 'units'), 'gaming_units: ' || label);
END;
$$;
SELECT same(format('(SELECT * FROM gamed ORDER BY %s) AS t', o), 'ordered by ' || o) FROM unnest(ARRAY['unit DESC, period DESC', 'period, metric', 'outcome', 'random()']) AS o;
SELECT same('gamed', 'text', 'chr(65 + unit::int)');
SELECT same('gamed', 'uuid', 'lpad(to_hex(unit), 32, ''0'')::uuid');
SELECT same($$(SELECT * FROM gamed UNION ALL SELECT NULL, 1, 5, 5, 1 UNION ALL SELECT 1, NULL, 5, 5, 1 UNION ALL SELECT 1, 5, NULL, 5, 1 UNION ALL SELECT 99, 5, 1, NULL, 1) AS t$$, 'rows with a NULL are left out');
SELECT same($$(SELECT unit, period, metric * f AS metric, outcome * h AS outcome, CASE WHEN f = 0.5 THEN quality END AS quality FROM gamed, (VALUES (0.5, 0.25), (0.25, 0.25), (0.25, 0.5), (0, 0)) AS s(f, h) ORDER BY random()) AS t$$, 'rows added up');
-- quality of several rows is their mean
SELECT same($$(SELECT unit, period, metric / 2 AS metric, outcome / 2 AS outcome, quality FROM gamed, generate_series(1, 2) ORDER BY random()) AS t$$, 'quality of rows added up is their mean');

CREATE TABLE split AS SELECT unit, period, v.metric, v.outcome, v.quality, row_number() OVER () AS i FROM gamed, LATERAL (
	SELECT 0.1::float8 AS metric, 0 AS outcome, gamed.quality / i AS quality FROM generate_series(1, 10) AS i UNION ALL SELECT gamed.metric / 3, gamed.outcome / 7, NULL FROM generate_series(1, 3)) AS v;
ALTER TABLE split SET (parallel_workers = 3);
ANALYZE split;
DELETE FROM expected;
INSERT INTO expected
	SELECT 'vanity', activity_metrics.vanity(unit, period, metric, outcome, quality, 'target 40 from 50')::text FROM split
	UNION ALL SELECT 'gaming', activity_metrics.gaming(unit, period, metric, outcome, 50, 40, quality)::text FROM split
	UNION ALL SELECT 'units', (SELECT string_agg(suspicion::text, ' ' ORDER BY i) FROM unnest(activity_metrics.gaming_units(unit, period, metric, outcome, 50, 40, quality)) WITH ORDINALITY AS s(unit, suspicion, i)) FROM split;
SELECT same('(SELECT * FROM split ORDER BY random()) AS t', 'thirds and tenths, shuffled');
SELECT same('(SELECT * FROM split ORDER BY i DESC) AS t', 'the other way round');
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
SELECT alike(plan(format('SELECT activity_metrics.%s FROM split', a)), '%Gather%Partial Aggregate%Parallel Seq Scan%', 'a parallel plan: ' || a)
	FROM unnest(ARRAY['vanity(unit, period, metric, outcome)', 'gaming(unit, period, metric, outcome, 50, 40)', 'gaming_units(unit, period, metric, outcome, 50, 40)']) AS a;
SELECT same('split', 'in parallel');
SELECT same('split', 'in parallel, text', 'chr(65 + unit::int)');
SET LOCAL parallel_leader_participation = off;
SELECT same('split', 'in parallel, by workers only');
RESET parallel_leader_participation;
SELECT throws_ok($$SELECT activity_metrics.gaming(unit, period, metric, outcome, CASE WHEN i = 1 THEN 51 ELSE 50 END, 40) FROM split$$, '22023', NULL, 'in parallel, target_from changes');
SELECT throws_ok($$SELECT activity_metrics.vanity(unit, period, metric, outcome, quality, CASE WHEN i = 1 THEN 'lag prior 2..3' END) FROM split$$, '22023', 'options changes within a group', 'in parallel, options change');
SET LOCAL max_parallel_workers_per_gather = 0;
-- quality in some rows only, which one worker may never see
SELECT is((SELECT activity_metrics.vanity(unit, period, metric, outcome, NULL) FROM gamed)::text, (SELECT activity_metrics.vanity(unit, period, metric, outcome) FROM gamed)::text, 'quality NULL is none');
SELECT is((SELECT activity_metrics.vanity(unit, period, metric, outcome, NULL, NULL) FROM gamed)::text, (SELECT activity_metrics.vanity(unit, period, metric, outcome) FROM gamed)::text, 'options NULL are none');

-- outcomes times a constant, periods moved, reps renamed
SELECT is((SELECT (activity_metrics.vanity(unit, period, metric, outcome * 1024)).score FROM gamed)::numeric(9, 6), (SELECT (activity_metrics.vanity(unit, period, metric, outcome)).score FROM gamed)::numeric(9, 6), 'the score does not depend on the currency');
SELECT is((SELECT activity_metrics.vanity(unit, period + d, metric, outcome) FROM gamed)::text, (SELECT activity_metrics.vanity(unit, period, metric, outcome) FROM gamed)::text, 'periods moved by ' || d) FROM unnest(ARRAY[2800, -81, 9223372036854775727]) AS d;

--
-- Too little evidence is said
--
CREATE FUNCTION judge(condition text, metric text, outcome text) RETURNS activity_metrics.vanity_result LANGUAGE plpgsql AS $$
DECLARE
	v activity_metrics.vanity_result;
BEGIN
	EXECUTE format('SELECT (v).* FROM (SELECT activity_metrics.vanity(CASE WHEN %s THEN unit::bigint END, period, %s, %s) AS v FROM world WHERE name = ''lead'') AS s', condition, metric, outcome) INTO v;
	RETURN v;
END;
$$;
SELECT ok((v).verdict = 'insufficient_evidence' AND (v).score = 0.5 AND (v).confidence = 0 AND (v).sentence ~* pattern, format('%s: %s', label, (v).sentence))
	FROM (VALUES
		('23 rows', 'unit < 3 AND period < 13 AND NOT (unit = 1 AND period = 1)', 'metric', 'outcome', '\m24\M'),
		('one rep', 'unit = 3', 'metric', 'outcome', 'one rep'),
		('no outcome', 'true', 'metric', '0', '\m5\M'),
		('four outcomes', 'true', 'metric', 'CASE WHEN unit = 3 AND period < 5 THEN 1 ELSE 0 END', '4.*\m5\M'),
		('a metric that never changes', 'true', '7', 'outcome', 'chang|differ|same'),
		('always zero', 'true', '0', 'outcome', 'chang|differ|same'),
		('one period', 'period = 3', 'metric', 'outcome', '.'),
		('rows without a unit', 'false', 'metric', 'outcome', '.')) AS t(label, condition, metric, outcome, pattern), judge(condition, metric, outcome) AS v;
SELECT ok(activity_metrics.vanity(unit, period, metric, outcome) IS NULL, 'vanity of no rows: NULL') FROM gamed WHERE false;
SELECT ok(activity_metrics.gaming(unit, period, metric, outcome, 1, 1) IS NULL, 'gaming of no rows: NULL') FROM gamed WHERE false;
SELECT ok(activity_metrics.gaming_units(unit, period, metric, outcome, 1, 1) IS NULL, 'gaming_units of no rows: NULL') FROM gamed WHERE false;
SELECT ok((g).p_gamed IS NULL AND (g).sentence IS NOT NULL AND (g).n_before = b AND (g).n_after = a, format('target_from %s: %s', f, (g).sentence))
	FROM (SELECT f, activity_metrics.gaming(unit, period, metric, outcome, f, 40) AS g FROM gamed, unnest(ARRAY[-9223372036854775808, 1, 81, 100000]) AS f GROUP BY f) AS s
	JOIN (VALUES (-9223372036854775808, 0, 1280), (1, 0, 1280), (81, 1280, 0), (100000, 1280, 0)) AS v(f, b, a) USING (f);

-- a score of NULL never, whatever the panel
CREATE FUNCTION odd_panels(n integer) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	v activity_metrics.vanity_result;
	kind integer;
	options text;
BEGIN
	FOR s IN 1 .. n LOOP
		PERFORM setseed(s / (n + 1.0));
		kind := s % 8;
		options := (ARRAY[NULL, 'target 5 from 10', 'lag prior 2..6', 'target from 3', 'lag prior 500..1000', 'target 1e308 from 20', 'target 1e-308 from 20'])[1 + floor(random() * 7)];
		WITH panel AS MATERIALIZED (
			SELECT u, p, CASE kind WHEN 0 THEN floor(random() * 9) WHEN 1 THEN 1e308 * random() WHEN 2 THEN 1e-308 * random() WHEN 3 THEN 0 WHEN 4 THEN 5 WHEN 5 THEN p
					WHEN 6 THEN CASE WHEN random() < 0.02 THEN 1e300 ELSE 0 END ELSE 40 + floor(random() * 20) END AS metric,
				CASE (s / 8) % 4 WHEN 0 THEN floor(random() * 3) WHEN 1 THEN (random() < 0.1)::integer WHEN 2 THEN 1e300 * random() ELSE random() * p END AS outcome,
				CASE WHEN random() < 0.5 THEN random() END AS quality
			FROM generate_series(1, 1 + s % 5) AS u, generate_series(1, 2 + s % 57::bigint) AS p WHERE random() < 0.9)
		SELECT (r).* INTO v FROM (SELECT activity_metrics.vanity(u, p, metric, outcome, quality, options) AS r FROM panel) AS s;
		CONTINUE WHEN v.n IS NULL;
		IF v.score IS NULL OR v.score NOT BETWEEN 0 AND 1 OR v.confidence IS NULL OR v.confidence NOT BETWEEN 0 AND 1 OR v.sentence IS NULL OR v.verdict IS NULL
			OR v.sentence ~* '\m(nan|inf|-nan|nul|null)\M' OR v.p_gamed NOT BETWEEN 0 AND 1 THEN
			RETURN NEXT format('%s %s %s', s, options, v);
		END IF;
	END LOOP;
END;
$$;
SELECT is_empty('SELECT odd_panels(400)', '400 odd panels: a score and a sentence each time');

--
-- Options
--
SELECT ok((v).lag_from >= 2 AND (v).lag_to <= 6, 'lag prior') FROM (SELECT activity_metrics.vanity(unit::bigint, period, metric, outcome, NULL, 'lag prior 2..6') AS v FROM world WHERE name = 'lead') AS s;
SELECT ok((v).lag_from = 3 AND (v).lag_to = 3 AND (v).verdict = 'leading_indicator', 'lag prior of one lag') FROM (SELECT activity_metrics.vanity(unit::bigint, period, metric, outcome, NULL, 'lag prior 3..3') AS v FROM world WHERE name = 'lead') AS s;
SELECT ok((v).verdict <> 'leading_indicator', 'lag prior without the lag') FROM (SELECT activity_metrics.vanity(unit::bigint, period, metric, outcome, NULL, 'lag prior 6..9') AS v FROM world WHERE name = 'lead') AS s;
SELECT ok(strpos((v).sentence, $$it's, 100 %s %n calls$$) > 0 AND strpos((v).sentence, 'wons\') > 0 AND (v).sentence ~ 'SDR' AND (v).sentence ~ 'fortnight', (v).sentence)
	FROM (SELECT activity_metrics.vanity(unit::bigint, period, metric, outcome, NULL, $$metric 'it''s, 100 %s %n calls', outcome 'wons\', unit 'SDR', grain 'fortnight'$$) AS v FROM world WHERE name = 'lead') AS s;
SELECT ok(strpos((g).sentence, 'Anrufe ä') > 0, (g).sentence) FROM (SELECT activity_metrics.gaming(unit, period, metric, outcome, 50, 40, quality, $$ metric 'Anrufe ä' , unit 'SDR',grain 'fortnight'$$) AS g FROM gamed) AS s;
SELECT is((SELECT (activity_metrics.gaming(unit, period, metric, outcome, 50, 40, quality, '')).p_gamed FROM gamed), (SELECT p_gamed FROM game), 'an empty option text');
SELECT is((SELECT (activity_metrics.vanity(unit, period, metric, outcome, quality, 'target 50 from 2, target 40 from 50,')).p_gamed FROM gamed), (SELECT p_gamed FROM game), 'the later option holds');

--
-- gaming_scan(): the date is looked for
--
CREATE TABLE scan AS SELECT (activity_metrics.gaming_scan(unit, period, metric, outcome, 40, quality)).* FROM gamed;
SELECT ok(p_gamed > 0.9 AND found_period BETWEEN 48 AND 52 AND z > 10 AND sentence ~ found_period::text, sentence) FROM scan;
-- the found period tested as a known one, a unit of log odds less
SELECT is(ln(s.p_gamed / (1 - s.p_gamed))::numeric(9, 6), (ln(g.p_gamed / (1 - g.p_gamed)) - 1)::numeric(9, 6), 'the price of the search') FROM
	(SELECT (activity_metrics.gaming_scan(unit, period, metric, outcome, NULL)).* FROM gamed) AS s,
	LATERAL (SELECT (activity_metrics.gaming(unit, period, metric, outcome, s.found_period, NULL)).* FROM gamed) AS g;
-- the plain twin: every period tried
WITH side AS (SELECT c, avg((metric >= 40 AND metric < 44)::integer) FILTER (WHERE period >= c) AS after, avg((metric >= 40 AND metric < 44)::integer) FILTER (WHERE period < c) AS before,
		avg((metric >= 40 AND metric < 44)::integer) AS p, count(*) FILTER (WHERE period >= c) AS n1, count(*) FILTER (WHERE period < c) AS n0
	FROM gamed, generate_series(13, 69) AS c GROUP BY c)
SELECT is((SELECT found_period FROM scan), (SELECT c::bigint FROM side ORDER BY (after - before) / sqrt(p * (1 - p) * (1.0 / n0 + 1.0 / n1)) DESC, c LIMIT 1), 'the period with the largest z');
SELECT is((SELECT activity_metrics.gaming_scan(u.unit, period, metric, outcome, 40, quality) FROM (SELECT * FROM gamed ORDER BY random()) AS u)::text, (SELECT activity_metrics.gaming_scan(unit, period, metric, outcome, 40, quality) FROM gamed)::text, 'gaming_scan in any order: ' || i)
	FROM generate_series(1, 3) AS i;
SELECT is((SELECT activity_metrics.gaming_scan(chr(65 + unit::int), period, metric, outcome, 40, quality) FROM gamed)::text, (SELECT s::text FROM scan AS s), 'gaming_scan of text');
SELECT is((SELECT activity_metrics.gaming_scan(lpad(to_hex(unit), 32, '0')::uuid, period, metric, outcome, 40, quality, NULL) FROM gamed)::text, (SELECT s::text FROM scan AS s), 'gaming_scan of uuid');
SELECT ok(g.p_gamed IS NULL AND g.found_period IS NULL AND g.sentence ~ 'Too few', g.sentence) FROM (SELECT (activity_metrics.gaming_scan(unit, period, metric, outcome, 40)).* FROM gamed WHERE period < 8) AS g;
SELECT ok(activity_metrics.gaming_scan(unit, period, metric, outcome, 40) IS NULL, 'gaming_scan of no rows: NULL') FROM gamed WHERE false;
SELECT throws_ok('SELECT activity_metrics.gaming_scan(unit, period, metric, outcome, 0) FROM gamed', '22023', 'target_value is 0', 'a target of 0');
SELECT throws_ok('SELECT activity_metrics.gaming_scan(unit, period, -metric, outcome, 5) FROM gamed', '22023', NULL, 'a metric below zero');
SELECT ok(g.p_gamed IS NULL AND g.found_period IS NULL AND g.z <= 0 AND g.sentence = v.words, g.sentence) FROM (VALUES (0, 40::float8, 'There is no period since which the level of activity is higher than before, or the share that sits on the target: no date to test.'),
	(-0.1, NULL, 'There is no period since which the level of activity is higher than before: no date to test.')) AS v(slope, target, words),
	LATERAL (SELECT (activity_metrics.gaming_scan(unit, period, 20 + v.slope * period, outcome, v.target)).* FROM gamed) AS g;

-- a target that does not part the rows: not tested, and said so
SELECT ok(v.p_gamed IS NULL AND v.verdict <> 'gamed' AND v.sentence LIKE '%' || words, v.sentence) FROM (VALUES ('target 40 from 1', ' No rep-periods before the target: there is nothing to compare.'), ('target 40 from 81', ' No rep-periods since the target: there is nothing to compare.')) AS o(options, words),
	LATERAL (SELECT (activity_metrics.vanity(unit, period, metric, outcome, NULL, o.options)).* FROM world WHERE name = 'lead') AS v;

SELECT ok(v.verdict = 'diagnostic' AND v.sentence = 'It moves with wins ' || same || ': good to notice trouble, not to aim at.', v.sentence) FROM (VALUES ('day', 'on the same day'), ('week', 'in the same week')) AS o(grain, same),
	LATERAL (SELECT (activity_metrics.vanity(u::bigint, p, calls, floor(0.5 + 12 * a * a + 3 * b), NULL::float8, format('outcome ''wins'', grain ''%s''', o.grain))).* FROM base) AS v;

-- entered only every few weeks: as spread by hand over the weeks since the entry before
CREATE TABLE entered AS
	SELECT every, u AS unit, p AS period, outcome, CASE WHEN (p + u) % every = 0 THEN sum(metric) OVER (PARTITION BY every, u ORDER BY p ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) ELSE 0 END AS metric
	FROM world AS w, LATERAL (SELECT w.unit AS u, w.period AS p) AS r, generate_series(2, 4, 2) AS every WHERE name = 'lead' AND NOT (w.unit = 3 AND w.period IN (20, 21));
CREATE TABLE by_hand AS
	SELECT e.*, coalesce(next.metric / (SELECT count(*) FROM entered AS k WHERE k.every = e.every AND k.unit = e.unit AND k.period BETWEEN next.period - e.every + 1 AND next.period), 0) AS spread
	FROM entered AS e LEFT JOIN LATERAL (SELECT * FROM entered AS n WHERE n.every = e.every AND n.unit = e.unit AND n.period >= e.period AND n.period < e.period + e.every AND n.metric > 0 ORDER BY n.period LIMIT 1) AS next ON true;
SELECT ok(b.sentence LIKE format('%%There is an entry only every %s periods: each is spread evenly over them.', every) AND b.verdict = 'leading_indicator' AND (b.score, b.elasticity, b.low, b.lag_from, b.wrong_way, b.smallest_visible) = (h.score, h.elasticity, h.low, h.lag_from, h.wrong_way, h.smallest_visible), format('every %s weeks: %s', every, b.sentence))
	FROM (SELECT every, (activity_metrics.vanity(unit, period, metric, outcome)).* FROM entered GROUP BY every) AS b JOIN (SELECT every, (activity_metrics.vanity(unit, period, spread, outcome)).* FROM by_hand GROUP BY every) AS h USING (every);
SELECT ok(sentence NOT LIKE '%an entry only every%', 'zeros now and then are no batches') FROM (SELECT (activity_metrics.vanity(unit, period, CASE WHEN md5(unit::text || '/' || period) < '8' THEN metric ELSE 0 END, outcome)).* FROM world WHERE name = 'lead') AS v;
SELECT throws_ok('SELECT activity_metrics.vanity(unit, period, metric, -outcome) FROM gamed', '22023', NULL, 'an outcome below zero');
SELECT throws_ok($$SELECT activity_metrics.gaming(unit, period, metric, outcome, 50, 40, quality, 'definition changed') FROM gamed$$, '22023', NULL, 'a change without a period');

-- a tool that counts twice as much from week 50 on: no gaming once it is told
CREATE TABLE tool AS SELECT unit::bigint, period, metric * CASE WHEN period >= 50 THEN 2 ELSE 1 END AS metric, outcome FROM world WHERE name = 'nothing';
SELECT ok(t.p_gamed < 0.05 AND t.surge < 0.1 AND u.surge = 1 AND u.p_gamed > t.p_gamed, format('the change is told: %s instead of %s', t.p_gamed, u.p_gamed)) FROM
	(SELECT (activity_metrics.gaming(unit, period, metric, outcome, 50, NULL, NULL, 'definition changed 50')).* FROM tool) AS t,
	(SELECT (activity_metrics.gaming(unit, period, metric, outcome, 50, NULL)).* FROM tool) AS u;
SELECT is((SELECT (activity_metrics.vanity(unit, period, metric, outcome, NULL, 'definition changed 50')).verdict FROM tool), 'vanity', 'vanity with a change of definition');

--
-- Odd outcomes and metrics are answered
--
SELECT ok((v).verdict IS NOT NULL AND (v).score BETWEEN 0 AND 1 AND (v).sentence <> '', format('%s: %s, %s', label, (v).verdict, (v).sentence)) FROM (VALUES
	('outcomes of a fraction', 'metric', 'outcome / 7'),
	('one huge deal', 'metric', 'CASE WHEN unit = 3 AND period = 30 THEN 1e12 ELSE outcome END'),
	('the metric is the outcome', 'outcome', 'outcome'),
	('a running total', 'unit * 10 + period * 3', 'outcome')) AS t(label, metric, outcome), judge('true', metric, outcome) AS v;
SELECT is((judge('true', 'outcome', 'outcome')).verdict, 'outcome', 'the metric is the outcome');
SELECT ok((v).sentence ~ 'weeks? more|periods? more|period more', (v).sentence) FROM judge('unit < 3 AND period < 13 AND NOT (unit = 1 AND period = 1)', 'metric', 'outcome') AS v;
-- what can be seen shrinks with the square root of the number of periods
SELECT ok(b.v / a.v BETWEEN 0.35 AND 0.75, format('smallest visible %s at 26 weeks, %s at 78', a.v, b.v)) FROM
	(SELECT (judge('period <= 26', 'metric', 'outcome')).smallest_visible AS v) AS a, (SELECT (judge('period <= 78', 'metric', 'outcome')).smallest_visible AS v) AS b;

--
-- Reports
--
-- reports may gain columns at the end
\set columns 'score, verdict, confidence, lag_from, lag_to, elasticity, low, high, no_progress, only_rises, is_outcome, p_gamed, wrong_way, follows, same_week, saturated, empty_high, quality_gain, reliability, size_share, time_share, within_share, smallest_visible, n, units, periods, outcomes, sentence'
-- a relation with names of its own
CREATE DOMAIN small AS numeric(8, 2);
CREATE DOMAIN smaller AS small;
CREATE TABLE "Team weeks" ("who's" text, week date, "Calls 'n mails" integer, meetings smaller, wins double precision, comment text, quality real, on_leave boolean);
INSERT INTO "Team weeks" SELECT 'rep ' || unit, '2024-01-01'::date + 7 * period::int, 10 + 3 * (hashint8(unit * 1000 + period + 500000) & 15), max(metric) FILTER (WHERE name = 'lead'), max(outcome) FILTER (WHERE name = 'lead'), 'c', 0.5, false
	FROM world GROUP BY unit, period;
CREATE TABLE report AS SELECT metric, :columns FROM activity_metrics.vanity_report('wins', relation => '"Team weeks"', unit => 'who''s', period => 'week');
SELECT results_eq('SELECT metric, verdict FROM report', $$VALUES ('Calls ''n mails', 'vanity'), ('meetings', 'leading_indicator')$$, 'all numbers of a relation, worst first');
SELECT results_eq('SELECT * FROM report', $$SELECT m, (v).* FROM (
	SELECT 'Calls ''n mails' AS m, activity_metrics.vanity("who's", activity_metrics.period_no(week), "Calls 'n mails", wins, quality, $o$metric 'Calls ''n mails', outcome 'wins', unit 'rep', grain 'week'$o$) AS v FROM "Team weeks"
	UNION ALL SELECT 'meetings', activity_metrics.vanity("who's", activity_metrics.period_no(week), meetings::float8, wins, quality, $o$metric 'meetings', outcome 'wins', unit 'rep', grain 'week'$o$) FROM "Team weeks") AS s$$,
	'as of the aggregate');
SELECT results_eq($$SELECT metric, score FROM activity_metrics.vanity_report('wins', relation => '"Team weeks"', unit => 'who''s', period => 'week', metrics => ARRAY['meetings'])$$, $$SELECT metric, score FROM report WHERE metric = 'meetings'$$, 'one of them');
SELECT results_eq($$SELECT metric, verdict, n FROM activity_metrics.vanity_report('wins', since => '2030-01-01Z', relation => '"Team weeks"', unit => 'who''s', period => 'week')$$,
	$$VALUES ('Calls ''n mails', 'insufficient_evidence', 0::bigint), ('meetings', 'insufficient_evidence', 0)$$, 'no rows: insufficient evidence');
SELECT throws_ok($$SELECT * FROM activity_metrics.vanity_report('wins', relation => '"Team weeks"', unit => 'who''s', period => 'week', metrics => '{}')$$, '55000', 'there is no metric to score', 'no metric to score');

-- metrics of the dictionary; a target there is tested
SELECT throws_ok($$SELECT * FROM activity_metrics.vanity_report('wins')$$, '42704', NULL, 'an empty dictionary');
CREATE TABLE event (at timestamptz, actor text, kind text, quality double precision);
INSERT INTO event SELECT '2024-01-01 08:00Z'::timestamptz + period * interval '7 days' + i * interval '1 minute', 'rep ' || unit, kind, q
	FROM world, LATERAL (VALUES ('call', metric, quality), ('won', outcome, NULL)) AS k(kind, n, q), generate_series(1, n::integer) AS i WHERE name = 'gamed';
INSERT INTO event SELECT '2024-01-01 08:00Z'::timestamptz + period * interval '7 days' + i * interval '1 minute', 'rep ' || unit, 'demo', NULL FROM world, generate_series(1, metric::integer) AS i WHERE name = 'nothing';
SELECT activity_metrics.define_metric('wins', 'event', 'won', kind => 'outcome');
SELECT throws_ok($$SELECT * FROM activity_metrics.vanity_report('wins')$$, '55000', 'there is no metric to score', 'no surface metric');
SELECT activity_metrics.define_metric('calls', 'event', 'call', label => $$call's \ %s$$, target => 40, target_from => '2024-01-01Z'::timestamptz + 50 * interval '7 days');
SELECT activity_metrics.define_metric('demos', 'event', 'demo');
DELETE FROM report;
INSERT INTO report SELECT metric, :columns FROM activity_metrics.vanity_report('wins');
SELECT results_eq('SELECT metric FROM report', $$SELECT metric FROM report ORDER BY verdict = 'insufficient_evidence', score DESC, metric$$, 'worst first');
SELECT set_eq('SELECT metric, verdict FROM report', $$VALUES ('calls', 'gamed'), ('demos', 'vanity')$$, 'one row per surface metric');
SELECT results_eq($$SELECT * FROM report WHERE metric = 'calls'$$, $$SELECT 'calls', (v).* FROM (SELECT activity_metrics.vanity(unit, period, x, y, quality,
	format($o$metric 'call''s \ %%s', outcome 'wins', unit 'rep', grain 'week', target 40 from %s$o$, activity_metrics.period_no('2024-01-01Z') + 50)) AS v FROM activity_metrics.metric_panel('calls', 'wins') WHERE is_complete) AS s$$, 'a metric with a target: as of the aggregate');
SELECT ok(strpos(sentence, $$call's \ %s$$) > 0, sentence) FROM report WHERE metric = 'calls';
SELECT results_eq($$SELECT n, score FROM activity_metrics.vanity_report('wins', 'month', '2024-03-10Z', '2025-03-10Z', metrics => ARRAY['demos'])$$,
	$$SELECT (v).n, (v).score FROM (SELECT activity_metrics.vanity(unit, period, x, y, quality) AS v FROM activity_metrics.metric_panel('demos', 'wins', 'month', '2024-03-10Z', '2025-03-10Z') WHERE is_complete) AS s$$, 'by month, whole months of a window');
DELETE FROM activity_metrics.target;
SELECT activity_metrics.record_defined_target('calls', 44.4, '2024-01-01Z'::timestamptz + 50 * interval '7 days', 'week');
SELECT is((SELECT p_gamed FROM activity_metrics.vanity_report('wins', metrics => ARRAY['calls'])), (SELECT p_gamed FROM activity_metrics.gaming_report('calls', 'wins') WHERE unit IS NULL), 'both reports test the same target');
CREATE FUNCTION with_few_digits() RETURNS SETOF double precision LANGUAGE sql SET extra_float_digits = -15 AS $$ SELECT p_gamed FROM activity_metrics.vanity_report('wins', metrics => ARRAY['calls']) $$;
SELECT is((SELECT with_few_digits()), (SELECT p_gamed FROM activity_metrics.vanity_report('wins', metrics => ARRAY['calls'])), 'the target is not rounded, however the session prints numbers');
DELETE FROM activity_metrics.target;
SELECT activity_metrics.record_defined_target('calls', 40, '2024-01-01Z'::timestamptz + 50 * interval '7 days', 'week');

CREATE TABLE gaming AS SELECT unit, suspicion, share_at_target, share_before, p_gamed, sentence, row_number() OVER () AS i FROM activity_metrics.gaming_report('calls', 'wins');
SELECT results_eq('SELECT unit, suspicion, share_at_target, share_before, p_gamed, sentence FROM gaming WHERE i = 1', $$SELECT NULL::text, NULL::float8, (g).share_at_target, (g).share_before, (g).p_gamed, (g).sentence FROM (
	SELECT activity_metrics.gaming(unit, period, x, y, activity_metrics.period_no('2024-01-01Z') + 50, 40, quality, $o$metric 'call''s \ %s', outcome 'wins', unit 'rep', grain 'week'$o$) AS g FROM activity_metrics.metric_panel('calls', 'wins') WHERE is_complete) AS s$$,
	'gaming_report: first the whole, as of gaming()');
SELECT results_eq('SELECT unit, suspicion FROM gaming WHERE i > 1 ORDER BY i', $$SELECT u.unit, u.suspicion FROM (
	SELECT activity_metrics.gaming_units(unit, period, x, y, activity_metrics.period_no('2024-01-01Z') + 50, 40, quality) AS units FROM activity_metrics.metric_panel('calls', 'wins') WHERE is_complete) AS s, unnest(units) AS u ORDER BY suspicion DESC NULLS LAST, unit$$,
	'then the units, most suspect first');
SELECT ok(abs(g.share_at_target - (SELECT avg(share_at_target) FROM gaming WHERE i > 1)) < 1e-12 AND abs(g.share_before - (SELECT avg(share_before) FROM gaming WHERE i > 1)) < 1e-12, 'the shares of units of one length make that of all') FROM gaming AS g WHERE i = 1;
SELECT results_eq($$SELECT unit, p_gamed, sentence IS NOT NULL FROM activity_metrics.gaming_report('calls', 'wins', since => '2030-01-01Z')$$, $$VALUES (NULL::text, NULL::float8, true)$$, 'no rows: one row that says so');
SELECT throws_ok($$SELECT * FROM activity_metrics.gaming_report('demos', 'wins')$$, '55000', 'metric "demos" has no target to game', 'no target');
SET LOCAL max_parallel_workers_per_gather = 2;
ALTER TABLE event SET (parallel_workers = 2);
SELECT results_eq($$SELECT metric, score, p_gamed, sentence FROM activity_metrics.vanity_report('wins')$$, 'SELECT metric, score, p_gamed, sentence FROM report', 'vanity_report in parallel');
SELECT results_eq($$SELECT unit, suspicion, p_gamed FROM activity_metrics.gaming_report('calls', 'wins')$$, 'SELECT unit, suspicion, p_gamed FROM gaming ORDER BY i', 'gaming_report in parallel');

SELECT * FROM finish();
ROLLBACK;
