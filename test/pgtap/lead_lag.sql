-- lead_lag() against golden values, and the same to the bit for any order, split and plan; its verdict and report.
BEGIN;
SELECT no_plan();
CREATE SCHEMA lead_lag_test;
SET LOCAL search_path = lead_lag_test, public;

-- R data set Grunfeld (plm): 10 firms x 20 years, investment on value
CREATE TABLE grunfeld AS
	SELECT ((i - 1) / 20)::bigint AS unit, (1935 + (i - 1) % 20)::bigint AS period, x, y
	FROM unnest(ARRAY[
		3078.5, 4661.7, 5387.1, 2792.2, 4313.2, 4643.9, 4551.2, 3244.1, 4053.7, 4379.3, 4840.9, 4900.9, 3526.5, 3254.7, 3700.2, 3755.6, 4833, 4924.9, 6241.7, 5593.6,
		1362.4, 1807.1, 2676.3, 1801.9, 1957.3, 2202.9, 2380.5, 2168.6, 1985.1, 1813.9, 1850.2, 2067.7, 1796.7, 1625.8, 1667, 1677.4, 2289.5, 2159.4, 2031.3, 2115.5,
		1170.6, 2015.8, 2803.3, 2039.7, 2256.2, 2132.2, 1834.1, 1588, 1749.4, 1687.2, 2007.7, 2208.3, 1656.7, 1604.4, 1431.8, 1610.5, 1819.4, 2079.7, 2371.6, 2759.9,
		417.5, 837.8, 883.9, 437.9, 679.7, 727.8, 643.6, 410.9, 588.4, 698.4, 846.4, 893.8, 579, 694.6, 590.3, 693.5, 809, 727, 1001.5, 703.2,
		157.7, 167.9, 192.9, 156.7, 191.4, 185.5, 199.6, 189.5, 151.2, 187.7, 214.7, 232.9, 249, 224.5, 237.3, 240.1, 327.3, 359.4, 398.4, 365.7,
		197, 210.3, 223.1, 216.7, 286.4, 298, 276.9, 272.6, 287.4, 330.3, 324.4, 401.9, 407.4, 409.2, 482.2, 673.8, 676.9, 702, 793.5, 927.3,
		138, 200.1, 210.1, 161.2, 161.7, 145.1, 110.6, 98.1, 108.8, 118.2, 126.5, 156.7, 119.4, 129.1, 134.8, 140.8, 179, 178.1, 186.8, 192.7,
		191.5, 516, 729, 560.4, 519.9, 628.5, 537.1, 561.2, 617.2, 626.7, 737.2, 760.5, 581.4, 662.3, 583.8, 635.2, 723.8, 864.1, 1193.5, 1188.9,
		290.6, 291.1, 335, 246, 356.2, 289.8, 268.2, 213.3, 348.2, 374.2, 387.2, 347.4, 291.9, 297.2, 276.9, 274.6, 339.9, 474.8, 496, 474.5,
		70.91, 87.94, 82.2, 58.72, 80.54, 86.47, 77.68, 62.16, 62.24, 61.82, 65.85, 69.54, 64.97, 68, 71.24, 69.05, 83.04, 74.42, 63.51, 58.12
	]::double precision[], ARRAY[
		317.6, 391.8, 410.6, 257.7, 330.8, 461.2, 512, 448, 499.6, 547.5, 561.2, 688.1, 568.9, 529.2, 555.1, 642.9, 755.9, 891.2, 1304.4, 1486.7,
		209.9, 355.3, 469.9, 262.3, 230.4, 361.6, 472.8, 445.6, 361.6, 288.2, 258.7, 420.3, 420.5, 494.5, 405.1, 418.8, 588.2, 645.5, 641, 459.3,
		33.1, 45, 77.2, 44.6, 48.1, 74.4, 113, 91.9, 61.3, 56.8, 93.6, 159.9, 147.2, 146.3, 98.3, 93.5, 135.2, 157.3, 179.5, 189.6,
		40.29, 72.76, 66.26, 51.6, 52.41, 69.41, 68.35, 46.8, 47.4, 59.57, 88.78, 74.12, 62.68, 89.36, 78.98, 100.66, 160.62, 145, 174.93, 172.49,
		39.68, 50.73, 74.24, 53.51, 42.65, 46.48, 61.4, 39.67, 62.24, 52.32, 63.21, 59.37, 58.02, 70.34, 67.42, 55.74, 80.3, 85.4, 91.9, 81.43,
		20.36, 25.98, 25.94, 27.53, 24.6, 28.54, 43.41, 42.81, 27.84, 32.6, 39.03, 50.17, 51.85, 64.03, 68.16, 77.34, 95.3, 99.49, 127.52, 135.72,
		24.43, 23.21, 32.78, 32.54, 26.65, 33.71, 43.5, 34.46, 44.28, 70.8, 44.12, 48.98, 48.51, 50, 50.59, 42.53, 64.77, 72.68, 73.86, 89.51,
		12.93, 25.9, 35.05, 22.89, 18.84, 28.57, 48.51, 43.34, 37.02, 37.81, 39.27, 53.46, 55.56, 49.56, 32.04, 32.24, 54.38, 71.78, 90.08, 68.6,
		26.63, 23.39, 30.65, 20.89, 28.78, 26.93, 32.08, 32.21, 35.69, 62.47, 52.32, 56.95, 54.32, 40.53, 32.54, 43.48, 56.49, 65.98, 66.11, 49.34,
		2.54, 2, 2.19, 1.99, 2.03, 1.81, 2.14, 1.86, 0.93, 1.18, 1.36, 2.24, 3.81, 5.66, 4.21, 3.42, 4.67, 6, 6.53, 5.12
	]::double precision[]) WITH ORDINALITY AS t(x, y, i);
ANALYZE grunfeld;

-- golden panel_prewhitened
CREATE TABLE golden (means_removed integer, lag integer, r double precision, sd_z double precision, t double precision, p double precision, positive integer);
INSERT INTO golden VALUES
	(0, -4, 0.091778462338266392, 0.11933285388628706, 2.438959674313014, 0.037428451303707894, 7),
	(0, -3, 0.042861302365694604, 0.14633910901699509, 0.92676818146495876, 0.37822943637059475, 8),
	(0, -2, 0.21160069149238908, 0.23879309190324377, 2.8451585659657277, 0.019240543162905088, 8),
	(0, -1, 0.18815664104312921, 0.30785959472461921, 1.9560156784724638, 0.082168841898571959, 6),
	(0, 0, 0.43905441666271283, 0.28535474165752628, 5.2202347976066923, 0.00054902607321579615, 9),
	(0, 1, 0.25735990694756566, 0.21543851897635524, 3.8644957262366701, 0.0038207412622148014, 10),
	(0, 2, 0.019769632251840304, 0.22268933006704991, 0.28077327728555612, 0.7852319792514274, 5),
	(0, 3, -0.135452108387902, 0.26576474089801366, -1.6216824036417512, 0.13932130635682785, 1),
	(0, 4, -0.13899874421522476, 0.26075414724677076, -1.6966814075713179, 0.12398914990553415, 2),
	(1, -4, 0.048251409707031956, 0.15730259526894155, 0.97075916628764747, 0.35703261109820056, 8),
	(1, -3, -0.026573184641961553, 0.22030961634185103, -0.38151569219247816, 0.71167172800242273, 5),
	(1, -2, -0.035374404094274135, 0.27314085905691876, -0.40971674252999335, 0.69159394567985288, 5),
	(1, -1, 0.012712273217266172, 0.29792737435767663, 0.13493860157287282, 0.89563005704036891, 6),
	(1, 0, 0.42264374387257031, 0.3551763742079333, 4.0146000458391455, 0.0030427099339965912, 8),
	(1, 1, 0.16140576081978242, 0.23765872867333757, 2.1666058786040239, 0.058435587683782063, 8),
	(1, 2, -0.050657843507510521, 0.23783398458595667, -0.67413161957246004, 0.51716635324371352, 5),
	(1, 3, -0.16142190926269012, 0.18877289237998679, -2.727961753921226, 0.023302146074683613, 2),
	(1, 4, -0.21501358018426892, 0.16807155593839151, -4.1096257407844883, 0.0026384859528466378, 1);

CREATE FUNCTION close_to(have double precision, want double precision, rtol double precision, atol double precision) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
	SELECT coalesce(abs(have - want) <= atol + rtol * abs(want), have IS NULL AND want IS NULL)
$$;
CREATE TABLE profile AS
	SELECT m AS means_removed, p.* FROM (VALUES (1, NULL), (0, 'keep period means')) AS o(m, options),
	LATERAL (SELECT activity_metrics.lead_lag(unit, period, x, y, 4, options) AS rows FROM grunfeld) AS l, unnest(l.rows) AS p;
SELECT is(count(*), 18::bigint, 'a row for each lag') FROM profile JOIN golden USING (means_removed, lag);
SELECT ok(close_to(p.r, g.r, 1e-10, 1e-13) AND close_to(p.p, g.p, 1e-10, 0) AND p.n = 10 * (19 - abs(lag)) AND p.units = 10
		AND close_to(p.sign_share, CASE WHEN g.r > 0 THEN g.positive ELSE 10 - g.positive END / 10.0, 1e-14, 0)
		-- t of 9 degrees of freedom, both in z
		AND close_to(p.low, tanh(atanh(g.r) - 2.2621571627409915 * g.sd_z / sqrt(10)), 1e-9, 1e-12)
		AND close_to(p.high, tanh(atanh(g.r) + 2.2621571627409915 * g.sd_z / sqrt(10)), 1e-9, 1e-12),
		format('golden r, p, interval and share, lag %s, means removed %s', lag, means_removed))
	FROM profile AS p JOIN golden AS g USING (means_removed, lag) ORDER BY means_removed, lag;
-- Holm (1979): p times the number not smaller, never below the one before
SELECT ok(bool_and(close_to(p_holm, least(1, holm), 1e-13, 0)), 'p_holm, means removed ' || means_removed)
	FROM (SELECT means_removed, p_holm, max(p * left_over) OVER (PARTITION BY means_removed ORDER BY p) AS holm
		FROM (SELECT *, 10 - row_number() OVER (PARTITION BY means_removed ORDER BY p) AS left_over FROM profile) AS s) AS h GROUP BY means_removed;
SELECT results_eq($$SELECT lag, r_pooled::numeric(12, 10) FROM profile WHERE means_removed = 1 ORDER BY lag$$,
	$$SELECT k, corr(a.x, b.y)::numeric(12, 10) FROM generate_series(-4, 4) AS k JOIN grunfeld AS a ON true JOIN grunfeld AS b ON b.unit = a.unit AND b.period = a.period + k GROUP BY k ORDER BY k$$,
	'r_pooled is corr() of the raw pairs');
SELECT is((SELECT activity_metrics.lead_lag(unit, period, x, y, 4, options)::text FROM grunfeld), (SELECT activity_metrics.lead_lag(unit, period, x, y, 4)::text FROM grunfeld), 'options ' || coalesce(quote_literal(options), 'NULL') || ' are none')
	FROM unnest(ARRAY[NULL, '', '  ']) AS options;
SELECT is((SELECT activity_metrics.lead_lag(unit, period, x, y, 4, a)::text FROM grunfeld), (SELECT activity_metrics.lead_lag(unit, period, x, y, 4, b)::text FROM grunfeld), format('options %L as %L', a, b))
	FROM (VALUES ('keep period means, no prewhitening', ' no  prewhitening ,keep period	means,'), ('no filling', NULL), ('no prewhitening, no prewhitening', 'no prewhitening')) AS v(a, b);
SELECT is(array_length(activity_metrics.lead_lag(unit, period, x, y, NULL), 1), 11, 'max_lag NULL: a quarter of 20 periods') FROM grunfeld;
SELECT is(array_length(activity_metrics.lead_lag(1, p, p % 7, p % 5, NULL), 1), 25, 'at most 12') FROM generate_series(1, 200) AS p;
SELECT is(array_length(activity_metrics.lead_lag(unit, period, x, y, 0), 1), 1, 'max_lag 0') FROM grunfeld;
SELECT is(array_length(activity_metrics.lead_lag(unit, period, x, y, 19), 1), 39, 'max_lag 19 of 20 periods') FROM grunfeld;
SELECT is(array_length(activity_metrics.lead_lag(1, p, p % 7, p % 5, 1000), 1), 2001, 'max_lag 1000') FROM generate_series(1, 1500) AS p;
SELECT throws_ok(format('SELECT activity_metrics.lead_lag(unit, period, x, y, %s) FROM grunfeld', k), '22023', format('max_lag is %s, but the longest unit has only 20 periods', k), 'max_lag ' || k || ' of 20 periods') FROM unnest(ARRAY[20, 1000]) AS k;
SELECT throws_ok('SELECT activity_metrics.lead_lag(unit, period, x, y, -1) FROM grunfeld', '22023', 'max_lag is -1', 'max_lag below 0');

--
-- The same to the bit
--
CREATE TABLE expected AS SELECT activity_metrics.lead_lag(unit, period, x, y, 4)::text AS profile FROM grunfeld;
CREATE FUNCTION same(query text, label text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	have text;
BEGIN
	EXECUTE query INTO have;
	RETURN is(have, (SELECT e.profile FROM lead_lag_test.expected AS e), label);
END;
$$;
SELECT same($$SELECT activity_metrics.lead_lag(chr(65 + unit::int), period, x, y, 4) FROM grunfeld$$, 'units that are text');
SELECT same($$SELECT activity_metrics.lead_lag(repeat(chr(228 + unit::int), 300), period, x, y, 4) FROM grunfeld$$, 'long units, not ASCII');
SELECT same($$SELECT activity_metrics.lead_lag(CASE unit WHEN 0 THEN '' ELSE repeat('a', unit::int) END, period, x, y, 4) FROM grunfeld$$, 'units that begin alike, one empty');
SELECT same($$SELECT activity_metrics.lead_lag(lpad(to_hex(unit), 32, '0')::uuid, period, x, y, 4) FROM grunfeld$$, 'units that are uuids');
SELECT same($$SELECT activity_metrics.lead_lag((unit - 5) * 1844674407370955161, period, x, y, 4) FROM grunfeld$$, 'units below zero and very large');
SELECT same(format($$SELECT activity_metrics.lead_lag(unit, period + %s, x, y, 4) FROM grunfeld$$, d), 'periods moved by ' || d)
	FROM unnest(ARRAY[-1945, 9223372036854775807 - 1954]) AS d;
SELECT same($$SELECT activity_metrics.lead_lag(unit, period - 1935 + (-9223372036854775808), x, y, 4) FROM grunfeld$$, 'the first periods there are');
SELECT same(format($$SELECT activity_metrics.lead_lag(unit, period, x, y, 4 ORDER BY %s) FROM grunfeld$$, o), 'ordered by ' || o)
	FROM unnest(ARRAY['x', 'y DESC', 'period, unit', 'unit DESC, period DESC', 'md5(x::text || y)', 'random()']) AS o;
SELECT same($$SELECT activity_metrics.lead_lag(unit, period, x, y, 4) FROM (SELECT *, CASE WHEN unit < 100 THEN true END AS keep FROM grunfeld UNION ALL
	SELECT NULL, 1935, 1, 1, NULL UNION ALL SELECT 1, NULL, 1, 1, NULL UNION ALL SELECT NULL, NULL, NULL, NULL, NULL) AS t$$, 'rows without a unit or a period are left out');
SELECT same($$SELECT activity_metrics.lead_lag(unit, period, x, y, 4) FILTER (WHERE unit >= 0) FROM (SELECT * FROM grunfeld UNION ALL SELECT -1, 1, 'NaN', 'Infinity') AS t$$, 'FILTER');
SELECT same($$SELECT activity_metrics.lead_lag(unit, period, px, py, 4 ORDER BY random()) FROM grunfeld,
	LATERAL (VALUES (x / 2, y / 4), (x / 4, y / 4), (x / 4, y / 2), (0, 0), (1e30, -1e300), (-1e30, 1e300), (1e16, 3), (-1e16, -3)) AS s(px, py)$$,
	'split rows that add up exactly, some cancelling');
SELECT same($$SELECT activity_metrics.lead_lag(unit, period, px, py, 4) FROM grunfeld, LATERAL (VALUES (x, 0::float8), (0, y)) AS s(px, py)$$, 'x and y in rows of their own, as of UNION ALL');

-- an inexact split: 0.1 as often as it takes, and the rest
CREATE TABLE split AS
	SELECT unit, period, v.x, v.y, row_number() OVER () AS i FROM grunfeld,
		LATERAL (SELECT 0.1::float8 AS x, 0.7::float8 / 3 AS y FROM generate_series(1, (10 + unit * 3 + period % 7)::int) UNION ALL SELECT grunfeld.x / 3, grunfeld.y / 7 FROM generate_series(1, 3)) AS v;
ALTER TABLE split SET (parallel_workers = 3);
ANALYZE split;
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
SET LOCAL max_parallel_workers_per_gather = 0;
DELETE FROM expected;
INSERT INTO expected SELECT activity_metrics.lead_lag(unit, period, x, y, 4) FROM split;
SELECT same(format($$SELECT activity_metrics.lead_lag(unit, period, x, y, 4 ORDER BY %s) FROM split$$, o), '0.1 thrown many ways, ordered by ' || o)
	FROM unnest(ARRAY['x', 'x DESC', 'i DESC', 'period, unit', 'md5(i::text)', 'random()', 'random() - i']) AS o;
SELECT is((SELECT (activity_metrics.lead_lag(1, p, 0.1, p, 0))[1].r_pooled FROM generate_series(1, 8) AS p, generate_series(1, 10)), NULL, '10 times 0.1 is a constant, whatever the rounding');

SET LOCAL max_parallel_workers_per_gather = 3;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT alike(plan('SELECT activity_metrics.lead_lag(unit, period, x, y, 4) FROM split'), '%Gather%Partial Aggregate%Parallel Seq Scan%', 'a parallel plan');
SELECT same($$SELECT activity_metrics.lead_lag(unit, period, x, y, 4) FROM split$$, 'in parallel, run ' || i) FROM generate_series(1, 3) AS i;
SELECT same($$SELECT activity_metrics.lead_lag(unit::text, period, x, y, 4, ' ') FROM split$$, 'in parallel, text');
SELECT same($$SELECT activity_metrics.lead_lag(lpad(to_hex(unit), 32, '0')::uuid, period, x, y, 4, NULL) FROM split$$, 'in parallel, uuid');
SET LOCAL parallel_leader_participation = off;
SELECT same($$SELECT activity_metrics.lead_lag(unit, period, x, y, 4) FROM split$$, 'in parallel, by workers only');
SELECT is((SELECT activity_metrics.lead_lag(unit, period, x, y, 4) FROM split WHERE unit < 0), NULL, 'in parallel, no rows: NULL');
SELECT is((SELECT array_length(activity_metrics.lead_lag(unit, period, x, y, 4), 1) FROM (SELECT NULL::bigint AS unit, period, x, y FROM split) AS t), 9, 'in parallel, no unit: a profile without pairs');
SELECT throws_ok($$SELECT activity_metrics.lead_lag(unit, period, x, y, CASE WHEN i = 1 THEN 3 ELSE 4 END) FROM split$$, '22023', NULL, 'in parallel, max_lag changes');
SELECT throws_ok($$SELECT activity_metrics.lead_lag(unit, period, x, y, 4, CASE WHEN i = 1 THEN 'no filling' END) FROM split$$, '22023', 'options changes within a group', 'in parallel, options change');
RESET parallel_leader_participation;
SELECT results_eq($$SELECT g, activity_metrics.lead_lag(unit, period, x, y, 2)::text FROM (SELECT *, unit % 3 AS g FROM split) AS t GROUP BY g ORDER BY g$$,
	$$SELECT g, (SELECT activity_metrics.lead_lag(unit, period, x, y, 2 ORDER BY i)::text FROM split WHERE unit % 3 = g) FROM generate_series(0, 2::bigint) AS g ORDER BY g$$, 'in parallel, by group');
-- a NULL in one worker's rows changes the filling for all
CREATE TABLE gap AS SELECT * FROM split WHERE NOT (unit = 3 AND period BETWEEN 1940 AND 1943);
INSERT INTO gap VALUES (4, 1950, NULL, 5, 0);
ALTER TABLE gap SET (parallel_workers = 3);
SELECT is((SELECT activity_metrics.lead_lag(unit, period, x, y, 4)::text FROM gap), (SELECT activity_metrics.lead_lag(unit, period, x, y, 4, 'no filling' ORDER BY i)::text FROM gap), 'some NULL: no filling, in parallel too');
SELECT isnt((SELECT activity_metrics.lead_lag(unit, period, x, y, 4)::text FROM gap WHERE x IS NOT NULL), (SELECT activity_metrics.lead_lag(unit, period, x, y, 4, 'no filling')::text FROM gap), 'no NULL: missing periods count as 0');
SELECT is((SELECT activity_metrics.lead_lag(unit, period, x, y, 4)::text FROM gap WHERE x IS NOT NULL),
	(SELECT activity_metrics.lead_lag(unit, period, x, y, 4)::text FROM (SELECT unit, period, x, y FROM gap WHERE x IS NOT NULL UNION ALL SELECT 3, p, 0, 0 FROM generate_series(1940, 1943::bigint) AS p) AS t), 'as if they were given');
SET LOCAL max_parallel_workers_per_gather = 0;

-- partitionwise: states are combined as they are
CREATE TABLE parted (LIKE split) PARTITION BY HASH (period);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO parted SELECT * FROM split;
ANALYZE parted;
SET LOCAL enable_partitionwise_aggregate = on;
SELECT alike(plan('SELECT 1, activity_metrics.lead_lag(unit, period, x, y, 4) FROM parted GROUP BY 1'), '%Append%Partial %Aggregate%', 'a partitionwise plan');
SELECT same($$SELECT activity_metrics.lead_lag(unit, period, x, y, 4) FROM parted GROUP BY x IS NULL$$, 'partitionwise');
SELECT same($$SELECT activity_metrics.lead_lag(unit, period, x, y, 4) FROM parted$$, 'partitionwise, no GROUP BY');
SELECT throws_ok($$SELECT activity_metrics.lead_lag(unit, period, x, y, 4, CASE WHEN period = 1940 THEN 'no filling' END) FROM parted GROUP BY x IS NULL$$, '22023', NULL, 'partitionwise, options change');

-- more rows than memory holds are added up on the way
SET LOCAL work_mem = '64kB';
CREATE TABLE many AS SELECT (i % 4)::bigint AS unit, (i / 4 % 30)::bigint AS period, 0.1 * (i % 7) AS x, (i % 11) / 3.0::float8 AS y, i FROM generate_series(1, 450000) AS i;
DELETE FROM expected;
INSERT INTO expected SELECT activity_metrics.lead_lag(unit, period, x, y, 3) FROM many;
SELECT same($$SELECT activity_metrics.lead_lag(unit, period, x, y, 3) FROM (SELECT * FROM many ORDER BY i DESC) AS t$$, 'more rows than fit, the other way round');
SET LOCAL work_mem = '64MB';
SELECT same($$SELECT activity_metrics.lead_lag(unit, period, x, y, 3) FROM many$$, 'all of them in memory');
SET LOCAL work_mem = '64kB';
SET LOCAL max_parallel_workers_per_gather = 2;
ALTER TABLE many SET (parallel_workers = 2);
SELECT same($$SELECT activity_metrics.lead_lag(unit, period, x, y, 3) FROM many$$, 'in parallel');
SELECT throws_ok($$SELECT activity_metrics.lead_lag(unit, i, x, y, 3) FROM many$$, '54000', NULL, 'too many units and periods: refused');
RESET work_mem;
SET LOCAL max_parallel_workers_per_gather = 0;

--
-- Verdict
--
SELECT setseed(0.125) IS NULL AS seeded \gset
CREATE TABLE noise AS SELECT u, p, random() AS x, random() AS e FROM generate_series(1, 12) AS u, generate_series(1, 80::bigint) AS p;
CREATE TABLE world AS
	SELECT v.name, n.u, n.p, v.x, v.y
	FROM (SELECT *, lag(x, 3) OVER w AS x3, lag(e, 2) OVER w AS e2 FROM noise WINDOW w AS (PARTITION BY u ORDER BY p)) AS n,
	LATERAL (VALUES ('leading', n.x, n.x3 + 0.5 * n.e), ('lagging', n.e2 + 0.5 * n.x, n.e), ('coincident', n.x, n.x + 0.5 * n.e), ('no_evidence', n.x, n.e),
		('minus', n.x, 1 - n.x3 + 0.5 * n.e)) AS v(name, x, y)
	WHERE n.p > 3;
CREATE TABLE verdict AS
	SELECT name, rows, v.* FROM (SELECT name, activity_metrics.lead_lag(u, p, x, y, 6) AS rows FROM world GROUP BY name) AS l,
	LATERAL activity_metrics.lead_lag_verdict(l.rows, 'calls of a rep', 'wins', 'week') AS v;
SELECT results_eq('SELECT name, verdict, CASE WHEN verdict <> $$no_evidence$$ THEN lag END, sign(r)::integer FROM verdict WHERE name <> $$no_evidence$$ ORDER BY name',
	$$VALUES ('coincident', 'coincident', 0, 1), ('lagging', 'lagging', -2, 1), ('leading', 'leading', 3, 1), ('minus', 'leading', 3, -1)$$, 'planted relations are found, with lag and sign');
SELECT is(verdict, 'no_evidence', 'noise is called noise') FROM verdict WHERE name = 'no_evidence';
SELECT ok(bool_and((v.lag, v.r, v.low, v.high, v.p_holm, v.p_strict, v.sign_share, v.n) = (r.lag, r.r, r.low, r.high, r.p_holm, r.p_strict, r.sign_share, r.n) AND v.forecast_gain IS NOT DISTINCT FROM r.forecast_gain), 'the figures are those of the row that decided')
	FROM verdict AS v JOIN LATERAL unnest(v.rows) AS r ON r.lag = v.lag;
SELECT ok(bool_and(low <= r AND r <= high AND p_holm BETWEEN 0 AND 1 AND sign_share BETWEEN 0 AND 1), 'in their bounds') FROM verdict;
SELECT ok(bool_and(sentence LIKE '%calls of a rep%' AND sentence LIKE '%wins%'), 'sentences name the columns') FROM verdict;
SELECT alike(sentence, '%3 weeks%', 'and the lag in words') FROM verdict WHERE name = 'leading';
SELECT ok(forecast_gain > 0, 'what leads improves the forecast') FROM verdict WHERE name = 'leading';
SELECT is(v.verdict, 'insufficient_evidence', 'two periods are too few') FROM (SELECT activity_metrics.lead_lag(u, p, x, y, 1) AS rows FROM noise AS n(u, p, x, y) WHERE p < 3) AS l,
	activity_metrics.lead_lag_verdict(l.rows) AS v;
SELECT is(v.verdict, 'insufficient_evidence', 'a constant tells nothing') FROM (SELECT activity_metrics.lead_lag(u, p, 5, y, 3) AS rows FROM noise AS n(u, p, x, y)) AS l, activity_metrics.lead_lag_verdict(l.rows) AS v;
SELECT ok(v.verdict IS NULL AND v.sentence IS NULL AND v.n IS NULL, 'no profile, no verdict') FROM activity_metrics.lead_lag_verdict(NULL) AS v;
SELECT ok(v.verdict IS NULL AND v.sentence IS NULL, 'an empty one, no verdict') FROM activity_metrics.lead_lag_verdict('{}') AS v;
SELECT is(a.sentence, b.sentence, 'NULL names are the default ones') FROM verdict, activity_metrics.lead_lag_verdict(rows, NULL, NULL, NULL) AS a, activity_metrics.lead_lag_verdict(rows) AS b WHERE name = 'leading';
SELECT throws_ok(format($$SELECT activity_metrics.lead_lag_verdict(ARRAY[%s]::activity_metrics.lead_lag_row[])$$, r), '22023', NULL, 'not a profile: ' || r)
	FROM unnest(ARRAY['NULL', 'ROW(1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL), ROW(1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL)', 'ROW(2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL), ROW(1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL)',
		'ROW(NULL, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL)', 'ROW(1, NULL, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL)', 'ROW(1, 1, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL)']) AS r;
-- what p_strict has explained is no rival
SELECT results_eq(format($$SELECT verdict, lag FROM activity_metrics.lead_lag_verdict(ARRAY[(0, 2000, 20, 0.5, 0.4, 0.6, 1e-9, 1e-8, 0, 0, 0, 1, NULL, %s, NULL), (1, 2000, 20, 0.3, 0.2, 0.4, 1e-6, 1e-5, 0, 0, 0, 1, 0.1, 1e-5, NULL)]::activity_metrics.lead_lag_row[])$$, p),
	format('VALUES (%L, %s)', CASE WHEN p > 0.05 THEN 'leading' ELSE 'coincident' END, CASE WHEN p > 0.05 THEN 1 ELSE 0 END), 'p_strict ' || p || ' at lag 0') FROM unnest(ARRAY[0.6, 1e-8]) AS p;
-- rows made up by hand: no crash, no NaN
SELECT lives_ok(format($$SELECT (activity_metrics.lead_lag_verdict(ARRAY[ROW(%1$s, %2$s, 3, %3$s, %3$s, %3$s, %3$s, %3$s, %3$s, %3$s, %3$s, %3$s, %3$s, %3$s, 'ranks'), ROW(2147483647, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL)]::activity_metrics.lead_lag_row[], repeat('ä', 3000), '%%s%%n')).*$$, lag, n, v),
	format('made up: lag %s, n %s, %s', lag, n, v))
	FROM unnest(ARRAY['-2147483648', '0', '2147483646']) AS lag, unnest(ARRAY['-9223372036854775808', '9223372036854775807']) AS n, unnest(ARRAY['NULL', '''NaN''', '''-Infinity''', '1e308', '0.01']) AS v;
SELECT is(convert_from(convert_to(v.sentence, 'UTF8'), 'UTF8'), v.sentence, 'long names are cut between characters') FROM verdict, unnest(ARRAY['ä', '€', '😀']) AS c, generate_series(320, 1000, 85) AS k,
	activity_metrics.lead_lag_verdict(rows, repeat(c, k), repeat('x', k % 5) || repeat(c, k), repeat(c, k)) AS v;

--
-- Single series, differences, ranks, seasons, controls
--
-- a walk that y follows three periods later, with small steps of its own
CREATE TABLE walk AS
	SELECT p, sum(dx) OVER (ORDER BY p) AS x, sum(coalesce(dx3, 0) * 0.8 + 0.3 * (e - 0.5)) OVER (ORDER BY p) + 1e6 AS y
	FROM (SELECT p, dx, e, lag(dx, 3) OVER (ORDER BY p) AS dx3
		FROM (SELECT p, sin(p * p * 1.7)::float8 AS dx, (p * 7919 % 104729) / 104729.0::float8 AS e FROM generate_series(1, 150::bigint) AS p) AS s) AS t;
CREATE TABLE single AS SELECT o.options, v.* , (SELECT r.method FROM unnest(l.rows) AS r LIMIT 1) AS method, (SELECT count(*) FROM unnest(l.rows) AS r WHERE r.lag < 3 AND r.p_holm <= 0.05) AS earlier
	FROM unnest(ARRAY[NULL, 'no differencing', 'difference', 'difference auto', 'rank', 'season 4']) AS o(options),
	LATERAL (SELECT activity_metrics.lead_lag(1, p, x, y, 12, o.options) AS rows FROM walk) AS l,
	LATERAL activity_metrics.lead_lag_verdict(l.rows, 'calls', 'wins', 'week') AS v;
SELECT ok(verdict = 'leading' AND lag = 3 AND earlier = 0 AND method LIKE 'differenced%', 'a single series that drifts is differenced, leads by 3, nothing earlier: ' || coalesce(options, 'NULL')) FROM single
	WHERE options IS NULL OR options LIKE 'difference%';
SELECT alike(sentence, '%lead changes in wins by 3 weeks%, of the differences from week to week%', 'the sentence says so: ' || sentence) FROM single WHERE options IS NULL;
SELECT unalike(coalesce(method, ''), '%differenced%', 'no differencing') FROM single WHERE options = 'no differencing';
SELECT alike(sentence, '%of ranks%', 'ranks are told') FROM single WHERE options = 'rank';
SELECT alike(method, 'season 4, %', 'so is a season') FROM single WHERE options = 'season 4';
SELECT ok(abs(a.r - b.r) < 1e-12 AND abs(a.p - b.p) < 1e-12, 'difference: as of differences taken before, lag ' || a.lag)
	FROM (SELECT r.* FROM (SELECT activity_metrics.lead_lag(1, p, x, y, 2, 'difference') AS rows FROM walk) AS l, unnest(rows) AS r) AS a
	JOIN (SELECT r.* FROM (SELECT activity_metrics.lead_lag(1, p, x, y, 2, 'no differencing') AS rows FROM (SELECT p, x - lag(x) OVER (ORDER BY p) AS x, y - lag(y) OVER (ORDER BY p) AS y FROM walk) AS d WHERE x IS NOT NULL) AS l, unnest(rows) AS r) AS b USING (lag);
-- ranks within units, ties in the middle
SELECT ok(bool_and(abs(a.r - b.r) < 1e-12 AND a.method = 'ranks' AND b.method IS NULL AND a.n = b.n), 'rank: as of ranks taken before')
	FROM (SELECT r.* FROM (SELECT activity_metrics.lead_lag(unit, period, round(x, -3), y, 2, 'rank') AS rows FROM (SELECT unit, period, x::numeric, y FROM grunfeld) AS g) AS l, unnest(rows) AS r) AS a
	JOIN (SELECT r.* FROM (SELECT activity_metrics.lead_lag(unit, period, rx, ry, 2) AS rows FROM (SELECT unit, period,
			rank() OVER (PARTITION BY unit ORDER BY round(x::numeric, -3)) + (count(*) OVER (PARTITION BY unit, round(x::numeric, -3)) - 1) / 2.0::float8 AS rx,
			rank() OVER (PARTITION BY unit ORDER BY y) + (count(*) OVER (PARTITION BY unit, y) - 1) / 2.0::float8 AS ry FROM grunfeld) AS g) AS l, unnest(rows) AS r) AS b USING (lag);
-- controls: mtcars' weight and consumption, horsepower held constant (golden partial_correlation)
CREATE TABLE cars AS SELECT row_number() OVER () AS i, * FROM unnest(
	ARRAY[2.62, 2.875, 2.32, 3.215, 3.44, 3.46, 3.57, 3.19, 3.15, 3.44, 3.44, 4.07, 3.73, 3.78, 5.25, 5.424, 5.345, 2.2, 1.615, 1.835, 2.465, 3.52, 3.435, 3.84, 3.845, 1.935, 2.14, 1.513, 3.17, 2.77, 3.57, 2.78]::float8[],
	ARRAY[21, 21, 22.8, 21.4, 18.7, 18.1, 14.3, 24.4, 22.8, 19.2, 17.8, 16.4, 17.3, 15.2, 10.4, 10.4, 14.7, 32.4, 30.4, 33.9, 21.5, 15.5, 15.2, 13.3, 19.2, 27.3, 26, 30.4, 15.8, 19.7, 15, 21.4]::float8[],
	ARRAY[110, 110, 93, 110, 175, 105, 245, 62, 95, 123, 123, 180, 180, 180, 205, 215, 230, 66, 52, 65, 97, 150, 150, 245, 175, 66, 91, 113, 264, 175, 335, 109]::float8[]) AS c(wt, mpg, hp);
CREATE TABLE held AS SELECT o.c, r.* FROM (VALUES (1, ARRAY[1]), (2, ARRAY[1, 1]), (3, ARRAY[]::integer[]), (4, ARRAY[0])) AS o(c, take),
	LATERAL (SELECT activity_metrics.lead_lag('a', i, wt, mpg, 0, (SELECT coalesce(array_agg(hp * k), '{}') FROM unnest(o.take) AS k)::float8[], 'no prewhitening, no differencing') AS rows FROM cars) AS l, unnest(l.rows) AS r;
SELECT ok(close_to(h.r, (w.wm - w.wh * w.mh) / sqrt((1 - w.wh ^ 2) * (1 - w.mh ^ 2)), 1e-12, 0), 'one control: the partial correlation')
	FROM held AS h, (SELECT corr(wt, mpg) AS wm, corr(wt, hp) AS wh, corr(mpg, hp) AS mh FROM cars) AS w WHERE c = 1;
SELECT is(a.r::numeric(14, 12), b.r::numeric(14, 12), 'the same control twice adds nothing') FROM held AS a, held AS b WHERE a.c = 1 AND b.c = 2;
SELECT ok(close_to(r, (SELECT corr(wt, mpg) FROM cars), 1e-12, 0), 'no control, or one that is constant: c ' || c) FROM held WHERE c > 2;
SELECT is(method, '1 control', 'and the method says so') FROM held WHERE c = 1;
CREATE TABLE panel_held AS SELECT activity_metrics.lead_lag(unit, period, x, y, 3, ARRAY[y * y, (period * unit) % 7, sqrt(x)], 'rank')::text AS profile FROM grunfeld;
SELECT is((SELECT activity_metrics.lead_lag(unit::text, period, x, y, 3, ARRAY[y * y, (period * unit) % 7, sqrt(x)], 'rank' ORDER BY random())::text FROM grunfeld), profile, 'controls in any order of rows') FROM panel_held;
SELECT is((SELECT activity_metrics.lead_lag(lpad(to_hex(unit), 32, '0')::uuid, period, px, py, 3, ARRAY[pc, pd, pe], 'rank' ORDER BY random())::text FROM grunfeld,
	LATERAL (VALUES (x, 0, y * y, 0::float8, 0::float8), (0, y, 0, (period * unit) % 7, 0), (0, 0, 0, 0, sqrt(x))) AS s(px, py, pc, pd, pe)), profile, 'controls are added up as x and y are') FROM panel_held;
SELECT throws_ok($$SELECT activity_metrics.lead_lag(unit, period, x, y, 3, CASE WHEN unit = 3 THEN ARRAY[1.0] ELSE ARRAY[1.0, 2] END, NULL) FROM grunfeld$$, '22023', NULL, 'the number of controls changes');
SELECT throws_ok($$SELECT activity_metrics.lead_lag(unit, period, x, y, 3, ARRAY[[1.0, 2], [3, 4]], NULL) FROM grunfeld$$, '2202E', NULL, 'controls of two dimensions');
SELECT throws_ok($$SELECT activity_metrics.lead_lag(unit, period, x, y, 3, array_fill(x, ARRAY[21]), NULL) FROM grunfeld$$, '22023', '21 controls', 'too many controls');
SELECT throws_ok($$SELECT activity_metrics.lead_lag(unit, period, x, y, 3, ARRAY[x, 'NaN'], NULL) FROM grunfeld$$, '22003', NULL, 'a control that is not a number');
SELECT is((SELECT activity_metrics.lead_lag(unit, period, x, y, 3, CASE WHEN period <> 1940 THEN ARRAY[y * y, CASE WHEN period <> 1945 THEN x * x END] END, NULL)::text FROM grunfeld),
	(SELECT activity_metrics.lead_lag(unit, period, x, y, 3, ARRAY[y * y, x * x], 'no filling')::text FROM grunfeld WHERE period NOT IN (1940, 1945)), 'a control that is NULL: the row is not known');
SELECT throws_ok(format('SELECT activity_metrics.lead_lag(unit, period, x, y, 3, %L) FROM grunfeld', o), '22023', NULL, 'option ' || o) FROM unnest(ARRAY['season 1', 'season', 'season 1000000', 'ranks', 'difference twice']) AS o;

--
-- Panel Granger test: golden panel_granger and its units
--
SELECT ok(g.units = 10 AND g.lag_order = w.k AND close_to(g.wbar, w.wbar, 1e-8, 1e-13) AND close_to(g.zbar, w.zbar, 1e-8, 1e-13) AND close_to(g.p_zbar, w.p_zbar, 1e-7, 0)
		AND close_to(g.ztilde, w.ztilde, 1e-8, 1e-13) AND close_to(g.p_ztilde, w.p_ztilde, 1e-7, 0) AND cardinality(g.unit) = 10 AND g.unit[2] = '1', 'golden panel_granger, order ' || w.k)
	FROM (VALUES (1, 3.0226286440131029, 4.5227351412515215, 6.1045609645675525e-06::float8, 3.28960012702293, 0.0010032985306459056), (2, 3.8756859419338627, 2.9657198758346692, 0.0030197540102181995, 1.6831969950683037, 0.092336962350335658)) AS w(k, wbar, zbar, p_zbar, ztilde, p_ztilde),
	LATERAL (SELECT (activity_metrics.panel_granger(unit, period, x, y, w.k)).* FROM grunfeld) AS g;
SELECT ok(close_to(wald[5], 11.595821899831845, 1e-8, 0) AND close_to(p_unit[5], 0.00066100154752843495, 1e-7, 0), 'golden panel_granger_units') FROM (SELECT (activity_metrics.panel_granger(unit::text, period, x, y, NULL)).* FROM grunfeld) AS g;
SELECT ok(units = 0 AND wbar IS NULL AND p_ztilde IS NULL AND wald = array_fill(NULL::float8, ARRAY[10]), 'a constant: no unit has a statistic') FROM (SELECT (activity_metrics.panel_granger(lpad(to_hex(unit), 32, '0')::uuid, period, 5, y, 2)).* FROM grunfeld) AS g;
SELECT ok(ztilde IS NULL AND zbar IS NOT NULL, 'too few periods for ztilde') FROM (SELECT (activity_metrics.panel_granger(unit, period, x, y, 1)).* FROM grunfeld WHERE period < 1943) AS g;
SELECT is(activity_metrics.panel_granger(unit, period, x, y, 1), NULL, 'no rows') FROM grunfeld WHERE unit < 0;
SELECT throws_ok(format('SELECT activity_metrics.panel_granger(unit, period, x, y, %s) FROM grunfeld', k), '22023', NULL, 'lag_order ' || k) FROM unnest(ARRAY['0', '101', '-1', 'unit::int + 1']) AS k;

--
-- Bad input
--
SELECT throws_ok(format($$SELECT activity_metrics.lead_lag(unit, period, CASE WHEN unit = 3 AND period = 1940 THEN %L ELSE x END, y, 3) FROM grunfeld$$, v), '22003', NULL, 'x has ' || v) FROM unnest(ARRAY['NaN', 'Infinity', '-Infinity']) AS v;
SELECT is((SELECT activity_metrics.lead_lag(unit, period, CASE WHEN period <> 1940 THEN x END, y, 3)::text FROM grunfeld), (SELECT activity_metrics.lead_lag(unit, period, x, y, 3, 'no filling')::text FROM grunfeld WHERE period <> 1940), 'NULL inside: a gap');
CREATE TABLE bad AS SELECT name, v.* FROM (
	SELECT 'one period' AS name, activity_metrics.lead_lag(unit, period, x, y, 3) AS rows FROM grunfeld WHERE period = 1940
	UNION ALL SELECT 'one row', activity_metrics.lead_lag(unit, period, x, y, NULL) FROM grunfeld WHERE period = 1940 AND unit = 1
	UNION ALL SELECT 'x constant', activity_metrics.lead_lag(unit, period, 5, y, 3) FROM grunfeld
	UNION ALL SELECT 'y constant', activity_metrics.lead_lag(unit, period, x, 1e300, 3) FROM grunfeld
	UNION ALL SELECT 'all zero', activity_metrics.lead_lag(unit, period, 0, 0, 3, 'rank, difference') FROM grunfeld
	UNION ALL SELECT 'two periods', activity_metrics.lead_lag(unit, period, x, y, 1, 'difference') FROM grunfeld WHERE period < 1937) AS l, LATERAL activity_metrics.lead_lag_verdict(rows) AS v;
SELECT is(verdict, 'insufficient_evidence', name) FROM bad;
SELECT ok(bool_and(r IS NOT NULL AND units = 10), 'units that start late and leave early') FROM (SELECT activity_metrics.lead_lag(unit, period, x, y, 2) AS rows FROM grunfeld WHERE period BETWEEN 1935 + unit AND 1945 + unit) AS l, unnest(rows);

--
-- Report
--
-- a relation with names, types and times of its own
CREATE DOMAIN amount AS numeric(12, 3);
CREATE DOMAIN eur AS amount;
CREATE TABLE "Weekly numbers" ("Rep" varchar(40), "Week of" date, "Calls made" integer, revenue eur, note text);
INSERT INTO "Weekly numbers" SELECT 'rep ' || u, '2024-01-03'::date + 7 * p::int, round(x * 1000), y * 1000, 'n' FROM world WHERE name = 'leading';
CREATE TABLE direct AS SELECT activity_metrics.lead_lag("Rep", activity_metrics.period_no("Week of"::timestamp AT TIME ZONE 'Europe/Berlin', 'week', 'Europe/Berlin'), "Calls made", revenue::float8, 5) AS rows FROM "Weekly numbers";
CREATE TABLE report AS SELECT * FROM activity_metrics.lead_lag_report('Calls made', 'revenue', max_lag => 5, relation => '"Weekly numbers"', unit => 'Rep', period => 'Week of', tz => 'Europe/Berlin');
SELECT results_eq('SELECT lag, n, units, r, low, high, p, p_holm, r_pooled, r_between, r_within, sign_share, forecast_gain, p_strict, method FROM report', 'SELECT r.* FROM direct, unnest(rows) AS r', 'a relation with other names: as of the aggregate');
SELECT results_eq('SELECT r.lag, r.verdict, r.sentence FROM report AS r WHERE r.verdict IS NOT NULL OR r.sentence IS NOT NULL',
	$$SELECT v.lag, v.verdict, v.sentence FROM direct, activity_metrics.lead_lag_verdict(rows, 'Calls made', 'revenue', 'week') AS v$$, 'the verdict and sentence stand on the row that decided, only there');
SELECT results_eq($$SELECT r, p FROM activity_metrics.lead_lag_report('Calls made', 'revenue', max_lag => 5, relation => '"Weekly numbers"', unit => 'Rep', period => 'Week of', options => 'no prewhitening')$$,
	$$SELECT r.r, r.p FROM (SELECT activity_metrics.lead_lag("Rep", activity_metrics.period_no("Week of"), "Calls made", revenue::float8, 5, 'no prewhitening') AS rows FROM "Weekly numbers") AS l, unnest(rows) AS r$$, 'options');
-- whole periods of [since, until): a week that is cut does not count
SELECT results_eq(format($$SELECT n, r FROM activity_metrics.lead_lag_report('Calls made', 'revenue', 'week', %L, %L, 2, '"Weekly numbers"', 'Rep', 'Week of')$$, since, until),
	format($$SELECT r.n, r.r FROM (SELECT activity_metrics.lead_lag("Rep", activity_metrics.period_no("Week of"), "Calls made", revenue::float8, 2) AS rows FROM "Weekly numbers"
		WHERE date_trunc('week', "Week of"::timestamptz) >= %L AND date_trunc('week', "Week of"::timestamptz) + interval '7 days' <= %L) AS l, unnest(rows) AS r$$, since, until), format('relation from %s to %s', since, until))
	FROM (VALUES ('2024-03-04Z', '2024-09-02Z'), ('2024-03-04 00:00:00.000001Z', '2024-09-02Z'), ('2024-03-06Z', '2024-09-08 23:59:59Z'), ('2024-03-10Z', '2024-09-09Z')) AS v(since, until);
-- periods that are numbers
CREATE VIEW numbered AS SELECT u AS unit, p::smallint AS period, x::real AS x, y FROM world WHERE name = 'leading';
SELECT results_eq($$SELECT lag, n, r FROM activity_metrics.lead_lag_report('x', 'y', max_lag => 2, relation => 'numbered')$$,
	$$SELECT r.lag, r.n, r.r FROM (SELECT activity_metrics.lead_lag(unit::text, period, x::float8, y, 2) AS rows FROM numbered) AS l, unnest(rows) AS r$$, 'periods that are numbers, from a view');
SELECT is(count(*), 25::bigint, 'max_lag by itself: 12') FROM activity_metrics.lead_lag_report('x', 'y', relation => 'numbered');

-- metrics of the dictionary: whole periods only
CREATE TABLE event (at timestamptz, actor text, kind text, status text);
INSERT INTO event SELECT '2024-01-01Z'::timestamptz + p * interval '7 days' + i * interval '1 hour', 'rep ' || u, 'call', NULL FROM world, generate_series(1, (x * 20)::integer) AS i WHERE name = 'leading';
INSERT INTO event SELECT '2024-01-01Z'::timestamptz + p * interval '7 days' + i * interval '1 hour', 'rep ' || u, 'won', CASE WHEN i > y * 20 THEN 'planned' END FROM world, generate_series(1, (y * 20)::integer + 3) AS i WHERE name = 'leading';
SELECT activity_metrics.define_metric('calls', 'event', 'call', label => 'Anrufe (%s)');
SELECT activity_metrics.define_metric('wins', 'event', 'won', kind => 'outcome', label => $$wins "all" o'clock \ $$);
DELETE FROM report;
INSERT INTO report SELECT * FROM activity_metrics.lead_lag_report('calls', 'wins', 'week', '2024-02-01Z', '2025-04-03Z', 4);
SELECT results_eq('SELECT lag, n, units, r, low, high, p, p_holm, r_pooled, r_between, r_within, sign_share, forecast_gain, p_strict, method FROM report',
	$$SELECT r.* FROM (SELECT activity_metrics.lead_lag(unit, period, x, y, 4) AS rows FROM activity_metrics.metric_panel('calls', 'wins', 'week', '2024-02-01Z', '2025-04-03Z') WHERE is_complete) AS l, unnest(rows) AS r$$,
	'metrics: as of the aggregate over the complete periods of metric_panel');
SELECT results_eq('SELECT lag, verdict FROM report WHERE verdict IS NOT NULL', $$VALUES (3, 'leading')$$, 'calls lead wins by 3 weeks');
SELECT results_eq($$SELECT lag, verdict FROM activity_metrics.lead_lag_report('wins', 'calls', max_lag => 4) WHERE verdict IS NOT NULL$$, $$VALUES (-3, 'lagging')$$, 'wins lag calls');
SELECT ok(strpos(sentence, 'Anrufe (%s)') > 0 AND strpos(sentence, $$wins "all" o'clock \$$) > 0, 'labels as they are: ' || sentence) FROM report WHERE verdict IS NOT NULL;
SET LOCAL max_parallel_workers_per_gather = 2;
ALTER TABLE event SET (parallel_workers = 2);
SELECT results_eq('SELECT lag, n, units, r, p_holm, verdict FROM report', $$SELECT lag, n, units, r, p_holm, verdict FROM activity_metrics.lead_lag_report('calls', 'wins', 'week', '2024-02-01Z', '2025-04-03Z', 4)$$, 'the same in parallel');
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT results_eq($$SELECT lag, n, r, verdict FROM activity_metrics.lead_lag_report('calls', 'wins', 'week', '2030-01-01Z', NULL, 1)$$, $$VALUES (-1, 0::bigint, NULL::float8, NULL), (0, 0, NULL, 'insufficient_evidence'), (1, 0, NULL, NULL)$$, 'no rows: insufficient evidence');
SELECT ok(sentence IS NOT NULL, 'and a sentence') FROM activity_metrics.lead_lag_report('calls', 'wins', 'week', '2030-01-01Z', NULL, 1) WHERE verdict IS NOT NULL;

SELECT * FROM finish();
ROLLBACK;
