-- pearson(), spearman() and kendall(): golden values, what is undefined, what is refused, and one answer for
-- any order of rows, plan, memory and window.
BEGIN;
SELECT no_plan();
CREATE SCHEMA correlation_test;
SET LOCAL search_path = correlation_test, activity_metrics, public;

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
	plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP
		plan := plan || line || E'\n';
	END LOOP;
	RETURN plan;
END;
$$;
CREATE FUNCTION near(got float8, want float8, atol float8 DEFAULT 1e-13) RETURNS boolean LANGUAGE sql AS $$
	SELECT got IS NOT DISTINCT FROM want OR abs(got - want) <= atol + 1e-11 * abs(want)
$$;

--
-- Golden values: real data, and data made to break the usual sums. Computed with 50 digits, p by t and by z
--
CREATE TABLE golden (dataset text, x float8[], y float8[], r float8, p float8, low float8, high float8, rho float8, rho_p float8, tau float8, tau_p float8, n bigint);
INSERT INTO golden VALUES
	('anscombe1', '{10,8,13,9,11,14,6,4,12,7,5}',
		'{8.04,6.95,7.58,8.81,8.33,9.96,7.24,4.26,10.84,4.82,5.68}',
		0.81642051634483981, 0.0021696288730787962, 0.42439121339321612, 0.95069325378656055, 0.81818181818181823, 0.0020831448404786922, 0.63636363636363635, 0.0064350912315591187, 11),
	('anscombe2', '{10,8,13,9,11,14,6,4,12,7,5}',
		'{9.14,8.14,8.74,8.77,9.26,8.1,6.13,3.1,9.13,7.26,4.74}',
		0.81623650600024278, 0.0021788162369107997, 0.42393887395398838, 0.9506401739957725, 0.69090909090909092, 0.018565033381595049, 0.5636363636363636, 0.015806774607302253, 11),
	('anscombe3', '{10,8,13,9,11,14,6,4,12,7,5}',
		'{7.46,6.77,12.74,7.11,7.81,8.84,6.08,5.39,8.15,6.42,5.73}',
		0.81628673948959818, 0.0021763052792280247, 0.42406233992177439, 0.95065466517424935, 0.99090909090909096, 3.7625718070854971e-09, 0.96363636363636362, 3.6905604049815199e-05, 11),
	('anscombe4', '{8,8,8,8,8,8,8,19,8,8,8}',
		'{6.58,5.76,7.71,8.84,8.47,7.04,5.25,12.5,5.56,7.91,6.89}',
		0.81652143688850276, 0.0021646023471972213, 0.42463938224451286, 0.95072236207814176, 0.5, 0.11730680301423815, 0.42640143271122088, 0.11384629800665805, 11),
	('longley_gnp_emp', '{234.289,259.426,258.054,284.599,328.975,346.999,365.385,363.112,397.469,419.18,442.769,444.546,482.704,502.601,518.173,554.894}',
		'{60.323,61.122,60.171,61.187,63.221,63.639,64.989,63.761,66.019,67.857,68.169,66.513,68.655,69.564,69.331,70.551}',
		0.98355161117966938, 8.3634787878652288e-12, 0.95199135900048493, 0.99442383455156047, 0.98529411764705888, 3.8367195447679594e-12, 0.93333333333333335, 4.5943617441659519e-07, 16),
	('mtcars_wt_mpg', '{2.62,2.875,2.32,3.215,3.44,3.46,3.57,3.19,3.15,3.44,3.44,4.07,3.73,3.78,5.25,5.424,5.345,2.2,1.615,1.835,2.465,3.52,3.435,3.84,3.845,1.935,2.14,1.513,3.17,2.77,3.57,2.78}',
		'{21,21,22.8,21.4,18.7,18.1,14.3,24.4,22.8,19.2,17.8,16.4,17.3,15.2,10.4,10.4,14.7,32.4,30.4,33.9,21.5,15.5,15.2,13.3,19.2,27.3,26,30.4,15.8,19.7,15,21.4}',
		-0.86765937651722791, 1.2939587013505015e-10, -0.93382641328499416, -0.74408719646011279, -0.88642203327029778, 1.4875948581274985e-11, -0.727832149528431, 6.7057704055958473e-09, 32),
	('nist_norris', '{0.2,337.4,118.2,884.6,10.1,226.5,666.3,996.3,448.6,777,558.2,0.4,0.6,775.5,666.9,338,447.5,11.6,556,228.1,995.8,887.6,120.2,0.3,0.3,556.8,339.1,887.2,999,779,11.1,118.3,229.2,669.1,448.9,0.5}',
		'{0.1,338.8,118.1,888,9.2,228.1,668.5,998.5,449.1,778.9,559.2,0.3,0.1,778.1,668.8,339.3,448.9,10.8,557.7,228.3,998,888.8,119.6,0.3,0.6,557.6,339.3,888,998.5,778.9,10.2,117.6,228.9,668.4,449.2,0.2}',
		0.9999968729369666, 4.6540408524739836e-90, 0.99999381291176115, 0.99999841952863155, 0.99317587067834168, 2.5520791524515053e-33, 0.9561129595177934, 3.2354152674260952e-16, 36),
	('deg_n1', '{3}',
		'{4}',
		NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1),
	('deg_n2', '{1,2}',
		'{5,3}',
		-1, NULL, NULL, NULL, -1, NULL, -1, 0.31731050786291409, 2),
	('deg_n3', '{1,2,4}',
		'{1,3,2}',
		0.3273268353539886, 0.78770438499034334, NULL, NULL, 0.5, 0.66666666666666663, 0.33333333333333331, 0.60150813444058981, 3),
	('deg_n3_perfect', '{1,2,3}',
		'{10,20,30}',
		1, 0, NULL, NULL, 1, 0, 1, 0.11718508719813804, 3),
	('deg_const_x', '{7,7,7,7,7,7,7,7,7,7,7,7}',
		'{0,1,2,3,4,5,6,7,8,9,10,11}',
		NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 12),
	('deg_const_inexact', '{0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1}',
		'{0,0.3,0.6,0.8999999999999999,1.2,1.5,1.7999999999999998,2.1,2.4,2.6999999999999997,3,3.3}',
		NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 12),
	('deg_const_both', '{1,1,1,1,1,1}',
		'{2,2,2,2,2,2}',
		NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 6),
	('deg_ties_heavy', '{0,1,2,0,1,2,0,1,2,0,1,2,0,1,2,0,1,2,0,1,2,0,1,2,0,1,2,0,1,2,0,1,2,0,1,2,0,1,2,0}',
		'{0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1}',
		-0.030443128277399152, 0.85207077512697604, -0.33874009683384848, 0.28375718058129978, -0.029860213882587222, 0.85487278351986395, -0.028154625318573649, 0.85207073272435963, 40),
	('deg_binary', '{0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1}',
		'{0,0,1,1,0,0,1,1,0,0,1,1,0,0,1,1,0,0,1,1,0,0,1,1}',
		0, 1, -0.40339670976097619, 0.40339670976097619, 0, 1, 0, 1, 24),
	('deg_offset1e12_int', '{1000000000000,1000000000007,1000000000001,1000000000008,1000000000002,1000000000009,1000000000003,1000000000010,1000000000004,1000000000011,1000000000005,1000000000012,1000000000006,1000000000000,1000000000007,1000000000001,1000000000008,1000000000002,1000000000009,1000000000003,1000000000010,1000000000004,1000000000011,1000000000005,1000000000012,1000000000006,1000000000000,1000000000007,1000000000001,1000000000008,1000000000002,1000000000009,1000000000003,1000000000010,1000000000004,1000000000011,1000000000005,1000000000012,1000000000006,1000000000000,1000000000007,1000000000001,1000000000008,1000000000002,1000000000009,1000000000003,1000000000010,1000000000004,1000000000011,1000000000005,1000000000012,1000000000006,1000000000000,1000000000007,1000000000001,1000000000008,1000000000002,1000000000009,1000000000003,1000000000010}',
		'{1000000000000,1000000000012,1000000000011,1000000000012,1000000000011,1000000000012,1000000000011,1000000000012,1000000000011,1000000000012,1000000000011,1000000000012,1000000000011,1000000000010,1000000000011,1000000000010,1000000000011,1000000000010,1000000000011,1000000000010,1000000000011,1000000000010,1000000000011,1000000000010,1000000000022,1000000000010,1000000000009,1000000000010,1000000000009,1000000000010,1000000000009,1000000000010,1000000000009,1000000000010,1000000000009,1000000000021,1000000000009,1000000000021,1000000000009,1000000000008,1000000000009,1000000000008,1000000000009,1000000000008,1000000000009,1000000000008,1000000000020,1000000000008,1000000000020,1000000000008,1000000000020,1000000000008,1000000000007,1000000000008,1000000000007,1000000000008,1000000000007,1000000000019,1000000000007,1000000000019}',
		0.67078700794341473, 4.5171251576173419e-09, 0.50244313972391019, 0.79012944318821987, 0.68496697551835162, 1.5787542900403106e-09, 0.54745585287301946, 1.2414437955208876e-08, 60),
	('deg_tiny1e-160', '{9.999999999999787e-163,7.000000000000028e-162,3.2000000000000026e-161,-2.5e-161,3.3000000000000006e-161,1.3000000000000079e-161,3.599999999999995e-161,3.2000000000000026e-161,1.3000000000000079e-161,1.6000000000000013e-161,5.8000000000000006e-161,6.199999999999992e-161,8.599999999999995e-161,1.1999999999999993e-160,7.400000000000003e-161,5.6000000000000046e-161,4.800000000000004e-161,7.699999999999996e-161,1.3300000000000001e-160,9.600000000000008e-161,1.1600000000000001e-160,1.6999999999999992e-160,1.3900000000000005e-160,1.4199999999999998e-160,1.9399999999999994e-160,1.2400000000000003e-160,1.59e-160,9.600000000000008e-161,1.4000000000000004e-160,1.0199999999999996e-160,1.0099999999999997e-160,1.2300000000000004e-160,1.3300000000000001e-160,8.300000000000001e-161,8.399999999999999e-161,1.1400000000000005e-160,3.800000000000008e-161,9.000000000000004e-161,1.0500000000000007e-160,1.1099999999999995e-160}',
		'{9.999999999999432e-162,-5e-161,-5.999999999999943e-161,-1.0999999999999944e-160,-1e-160,1.9999999999998863e-161,-1.4000000000000056e-160,0,3.0000000000001136e-161,1.1999999999999886e-160,1.5999999999999944e-160,1.5e-160,1.5e-160,3.5e-160,4.9000000000000056e-160,7.099999999999994e-160,1.05e-159,1.05e-159,9.800000000000011e-160,8.800000000000012e-160,9.5e-160,1.3199999999999988e-159,1.369999999999999e-159,1.5099999999999994e-159,1.8699999999999988e-159,1.980000000000001e-159,2.05e-159,2.3800000000000014e-159,2.280000000000001e-159,2.3800000000000014e-159,2.169999999999999e-159,2.230000000000001e-159,2.080000000000001e-159,1.9400000000000006e-159,2.0099999999999993e-159,2.0599999999999994e-159,1.8900000000000005e-159,1.7800000000000012e-159,1.769999999999999e-159,1.5e-159}',
		0.70827109862258419, 3.1766210725023266e-07, 0.50908209442596419, 0.83545208928018233, 0.70365504699045878, 4.0903959940959892e-07, 0.49581465526803875, 7.1970431740080375e-06, 40),
	('deg_huge1e160', '{9.999999999999787e+157,7.000000000000029e+158,3.200000000000003e+159,-2.5e+159,3.3000000000000007e+159,1.3000000000000078e+159,3.599999999999994e+159,3.200000000000003e+159,1.3000000000000078e+159,1.6000000000000015e+159,5.800000000000001e+159,6.199999999999993e+159,8.599999999999994e+159,1.1999999999999993e+160,7.400000000000002e+159,5.600000000000005e+159,4.800000000000005e+159,7.699999999999996e+159,1.33e+160,9.60000000000001e+159,1.1600000000000002e+160,1.6999999999999992e+160,1.3900000000000006e+160,1.42e+160,1.9399999999999996e+160,1.2400000000000002e+160,1.5899999999999998e+160,9.60000000000001e+159,1.4000000000000003e+160,1.0199999999999996e+160,1.0099999999999998e+160,1.2300000000000004e+160,1.33e+160,8.300000000000001e+159,8.399999999999998e+159,1.1400000000000006e+160,3.8000000000000075e+159,9.000000000000004e+159,1.0500000000000008e+160,1.1099999999999995e+160}',
		'{9.999999999999432e+158,-5e+159,-5.999999999999943e+159,-1.0999999999999943e+160,-1e+160,1.9999999999998863e+159,-1.4000000000000058e+160,0,3.0000000000001137e+159,1.1999999999999887e+160,1.5999999999999943e+160,1.5e+160,1.5e+160,3.5e+160,4.900000000000006e+160,7.099999999999994e+160,1.05e+161,1.05e+161,9.800000000000012e+160,8.800000000000011e+160,9.5e+160,1.319999999999999e+161,1.3699999999999989e+161,1.5099999999999996e+161,1.869999999999999e+161,1.980000000000001e+161,2.05e+161,2.3800000000000014e+161,2.280000000000001e+161,2.3800000000000014e+161,2.169999999999999e+161,2.2300000000000012e+161,2.080000000000001e+161,1.9400000000000006e+161,2.0099999999999993e+161,2.0599999999999995e+161,1.8900000000000006e+161,1.7800000000000012e+161,1.769999999999999e+161,1.5e+161}',
		0.70827109862258419, 3.1766210725023272e-07, 0.50908209442596419, 0.83545208928018233, 0.70365504699045878, 4.0903959940959892e-07, 0.49581465526803875, 7.1970431740080375e-06, 40),
	('deg_nulls', '{1,NULL,2.5,4,NULL,3,6,8}',
		'{2,3,NULL,1,NULL,7,5,9}',
		0.64697190948557037, 0.23800970862250756, -0.54821852320125386, 0.97354009629594762, 0.5, 0.39100221895577064, 0.40000000000000002, 0.32718687779030564, 5);
CREATE TABLE golden_row AS SELECT dataset, i, g.x[i] AS x, g.y[i] AS y FROM golden AS g, generate_subscripts(g.x, 1) AS i;

CREATE TABLE got AS SELECT dataset, pearson(x, y) AS pearson, spearman(x, y) AS spearman, kendall(x, y) AS kendall FROM golden_row GROUP BY dataset;
SELECT ok(near((pearson).r, r) AND near((pearson).p, p, 0) AND near((pearson).low, low) AND near((pearson).high, high) AND (pearson).n = n, 'pearson: ' || dataset) FROM golden JOIN got USING (dataset);
SELECT ok(near((spearman).r, rho) AND near((spearman).p, rho_p, 0) AND (spearman).n = n, 'spearman: ' || dataset) FROM golden JOIN got USING (dataset);
SELECT ok(near((kendall).r, tau) AND near((kendall).p, tau_p, 0) AND (kendall).n = n, 'kendall: ' || dataset) FROM golden JOIN got USING (dataset);
SELECT ok(near(atanh((spearman).high) - atanh((spearman).low), 2 * 1.959963984540054 * sqrt((1 + rho ^ 2 / 2) / (n - 3)), 1e-9) AND near(atanh((spearman).high) + atanh((spearman).low), 2 * atanh(rho), 1e-9), 'interval of spearman: ' || dataset)
FROM golden JOIN got USING (dataset) WHERE n > 3 AND abs(rho) < 1;
SELECT ok(near(atanh((kendall).high) - atanh((kendall).low), 2 * 1.959963984540054 * sqrt(0.437 / (n - 4)), 1e-9) AND near(atanh((kendall).high) + atanh((kendall).low), 2 * atanh(tau), 1e-9), 'interval of kendall: ' || dataset)
FROM golden JOIN got USING (dataset) WHERE n > 4 AND abs(tau) < 1;
SELECT ok(bool_and((spearman).low IS NULL AND (spearman).high IS NULL), 'no interval of spearman') FROM golden JOIN got USING (dataset) WHERE (n > 3 AND abs(rho) < 1) IS NOT TRUE;
SELECT ok(bool_and((kendall).low IS NULL AND (kendall).high IS NULL), 'no interval of kendall') FROM golden JOIN got USING (dataset) WHERE (n > 4 AND abs(tau) < 1) IS NOT TRUE;

--
-- One answer
--
SELECT ok(bool_and(g.pearson = got.pearson AND g.spearman = got.spearman AND g.kendall = got.kendall), 'rows in order of ' || key)
FROM unnest(ARRAY['x', 'y', 'i', '-i', 'hash']) AS key,
	LATERAL (SELECT dataset, pearson(x, y ORDER BY k), spearman(x, y ORDER BY k), kendall(x, y ORDER BY k) FROM
		(SELECT *, CASE key WHEN 'x' THEN x WHEN 'y' THEN y WHEN 'i' THEN i WHEN '-i' THEN -i ELSE hashint4(i) END AS k FROM golden_row) AS r GROUP BY dataset) AS g JOIN got USING (dataset)
GROUP BY key;
SELECT ok(bool_and(g.pearson = got.pearson AND g.spearman = got.spearman AND g.kendall = got.kendall), 'x and y change places')
FROM (SELECT dataset, pearson(y, x), spearman(y, x), kendall(y, x) FROM golden_row GROUP BY dataset) AS g JOIN got USING (dataset);
SELECT ok(bool_and((g.pearson).r = -(got.pearson).r AND (g.spearman).r = -(got.spearman).r AND (g.kendall).r = -(got.kendall).r AND (g.pearson).p IS NOT DISTINCT FROM (got.pearson).p
	AND (g.pearson).low IS NOT DISTINCT FROM -(got.pearson).high AND (g.kendall).low IS NOT DISTINCT FROM -(got.kendall).high), 'with -y the sign changes')
FROM (SELECT dataset, pearson(x, -y), spearman(x, -y), kendall(x, -y) FROM golden_row GROUP BY dataset) AS g JOIN got USING (dataset);
SELECT ok(bool_and((g.pearson).r IS NOT DISTINCT FROM (got.pearson).r AND (g.spearman).r IS NOT DISTINCT FROM (got.spearman).r), 'every pair twice: the same coefficients')
FROM (SELECT dataset, pearson(x, y), spearman(x, y) FROM golden_row, generate_series(1, 2) GROUP BY dataset) AS g JOIN got USING (dataset) WHERE (got.pearson).r IS NOT NULL;

-- half of x exact, half with ties; the larger table does not fit into 64 kB
CREATE TABLE many (i int, x float8, y float8, tied float8) WITH (parallel_workers = 2);
INSERT INTO many SELECT i, hashint4(i), CASE WHEN i % 3 = 0 THEN hashint4(i) ELSE hashint4(-i) END, hashint4(i) % 10 FROM generate_series(1, 200000) AS i;
ANALYZE many;
CREATE TABLE wanted AS SELECT pearson(x, y) AS p, spearman(x, y) AS s, kendall(x, y) AS k, spearman(tied, y) AS ts, kendall(tied, y) AS tk FROM many;
CREATE FUNCTION same(label text, source text DEFAULT 'many') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	same boolean;
BEGIN
	EXECUTE format('SELECT w = g FROM wanted AS w, (SELECT pearson(x, y), spearman(x, y), kendall(x, y), spearman(tied, y), kendall(tied, y) FROM %s) AS g', source) INTO same;
	RETURN ok(same, label);
END;
$$;
SELECT ok(abs((p).r - c) < 1e-12 AND (p).n = 200000 AND abs((s).r - 0.333) < 0.01 AND abs((k).r - 0.245) < 0.1, 'large columns: ' || p::text || s::text || k::text) FROM wanted, (SELECT corr(x, y) AS c FROM many) AS core;
SELECT ok(abs((ts).r - c) < 1e-12, 'ranks with ties, by window functions')
FROM wanted, (SELECT corr(u, v) AS c FROM (SELECT 2 * rank() OVER (ORDER BY tied) + count(*) OVER (PARTITION BY tied) AS u, 2 * rank() OVER (ORDER BY y) + count(*) OVER (PARTITION BY y) AS v FROM many) AS ranks) AS ranks;
SELECT same('shuffled', '(SELECT * FROM many ORDER BY hashint4(i + 7)) AS shuffled');
SELECT same('in order', '(SELECT * FROM many ORDER BY x) AS sorted');
SET LOCAL work_mem = '64kB';
SELECT same('little memory');
SELECT same('little memory, backwards', '(SELECT * FROM many ORDER BY x DESC, y) AS sorted');
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT alike(plan_of('SELECT pearson(x, y), spearman(x, y), kendall(x, y) FROM many'), '%Finalize Aggregate%Gather%Partial Aggregate%', 'a parallel plan');
SELECT same('in parallel, with little memory');
RESET work_mem;
SELECT same('in parallel');
SET LOCAL activity_metrics.state_to_file = on;
SELECT same('in parallel, by file');
RESET activity_metrics.state_to_file;
SELECT ok(bool_and(a.p = b.p AND a.s = b.s AND a.k = b.k), '2,000 groups in parallel')
FROM (SELECT i % 2000 AS g, pearson(x, y) AS p, spearman(tied, y) AS s, kendall(tied, y) AS k FROM many GROUP BY 1) AS a JOIN
	(SELECT g, pearson(x, y) AS p, spearman(tied, y) AS s, kendall(tied, y) AS k FROM (SELECT i % 2000 AS g, x, y, tied FROM many ORDER BY 1, x OFFSET 0) AS s GROUP BY g) AS b USING (g);
CREATE TABLE parted (LIKE many) PARTITION BY HASH (i);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parted SELECT * FROM many;
ANALYZE parted;
SET LOCAL enable_partitionwise_aggregate = on;
SELECT same('partitionwise', 'parted');
RESET enable_partitionwise_aggregate;

--
-- Windows, DISTINCT, FILTER
--
CREATE TABLE few AS SELECT * FROM many WHERE i <= 500;
SELECT ok(count(*) = 500 AND bool_and(w.p = f.p AND w.s = f.s AND w.k = f.k), 'moving frames')
FROM (SELECT i, pearson(x, tied) OVER w AS p, spearman(x, tied) OVER w AS s, kendall(x, tied) OVER w AS k FROM few WINDOW w AS (ORDER BY i ROWS BETWEEN 20 PRECEDING AND 5 FOLLOWING)) AS w,
	LATERAL (SELECT pearson(x, tied) AS p, spearman(x, tied) AS s, kendall(x, tied) AS k FROM few WHERE few.i BETWEEN w.i - 20 AND w.i + 5) AS f;
SELECT ok(count(*) = 300 AND bool_and(w.p = f.p AND w.s = f.s AND w.k = f.k), 'growing frames')
FROM (SELECT i, pearson(x, tied) OVER w AS p, spearman(x, tied) OVER w AS s, kendall(x, tied) OVER w AS k FROM few WHERE i <= 300 WINDOW w AS (ORDER BY i)) AS w,
	LATERAL (SELECT pearson(x, tied) AS p, spearman(x, tied) AS s, kendall(x, tied) AS k FROM few WHERE few.i <= w.i) AS f;
SELECT ok(bool_and(w.p IS NOT DISTINCT FROM f.p), 'moving frames with NULLs and numbers of all sizes')
FROM (SELECT i, pearson(x, y) OVER (ORDER BY i ROWS 3 PRECEDING) AS p
	FROM (SELECT i, CASE WHEN i % 4 < 3 THEN 2.0::float8 ^ (hashint4(i) % 1000) END AS x, CASE WHEN i % 9 < 6 THEN hashint4(-i) * 2.0::float8 ^ (hashint4(i + 1) % 900) END AS y FROM generate_series(1, 400) AS i) AS v) AS w,
	LATERAL (SELECT pearson(x, y) AS p FROM (SELECT i, CASE WHEN i % 4 < 3 THEN 2.0::float8 ^ (hashint4(i) % 1000) END AS x, CASE WHEN i % 9 < 6 THEN hashint4(-i) * 2.0::float8 ^ (hashint4(i + 1) % 900) END AS y FROM generate_series(1, 400) AS i) AS v
		WHERE v.i BETWEEN w.i - 3 AND w.i) AS f;
SELECT is(f.state || f.message, '54000a window frame has more than 87381 pairs', 'a frame that does not fit into memory')
FROM set_config('work_mem', '64kB', true), fault('SELECT kendall(x, y) OVER () FROM correlation_test.many LIMIT 1') AS f;
RESET work_mem;
SELECT ok(bool_and(g.pearson = got.pearson AND g.spearman = got.spearman AND g.kendall = got.kendall), 'DISTINCT')
FROM (SELECT dataset, pearson(DISTINCT x, y), spearman(DISTINCT x, y), kendall(DISTINCT x, y) FROM golden_row, generate_series(1, 3) WHERE dataset ~ '^(anscombe|deg_tiny|deg_huge)' GROUP BY dataset) AS g JOIN got USING (dataset);
SELECT ok(bool_and(g.pearson = got.pearson AND g.spearman = got.spearman AND g.kendall = got.kendall), 'FILTER')
FROM (SELECT dataset, pearson(x, y) FILTER (WHERE c = 2), spearman(x, y) FILTER (WHERE c = 2), kendall(x, y) FILTER (WHERE c = 2) FROM golden_row, generate_series(1, 3) AS c GROUP BY dataset) AS g JOIN got USING (dataset);

--
-- Undefined
--
SELECT ok(pearson(x, y) IS NULL AND spearman(x, y) IS NULL AND kendall(x, y) IS NULL, 'no rows') FROM golden_row WHERE false;
SELECT ok(pearson(x, NULL) IS NULL AND spearman(NULL, y) IS NULL AND kendall(x, NULL) IS NULL, 'no pairs') FROM golden_row;
SELECT ok(pearson(x, y) FILTER (WHERE false) IS NULL AND kendall(x, y) FILTER (WHERE false) IS NULL, 'a filter that leaves none') FROM golden_row;
SET LOCAL activity_metrics.state_to_file = on;
SELECT ok(pearson(x, y) IS NULL AND spearman(x, y) IS NULL AND kendall(x, y) IS NULL, 'no rows, in parallel') FROM many WHERE i < 0;
SELECT is(row(pearson(x, y), spearman(x, y), kendall(x, y))::text, '("(-1,,,,2)","(-1,,,,2)","(-1,0.3173105078629141,,,2)")', 'two rows, in parallel')
FROM (SELECT i AS x, -i AS y FROM many WHERE i <= 2) AS v;
RESET activity_metrics.state_to_file;
SELECT is(row(pearson(x, y), spearman(x, y), kendall(x, y))::text, '("(,,,,3)","(,,,,3)","(,,,,3)")', 'a column of 0 and -0 is constant') FROM (VALUES (0::float8, 1), ('-0', 2), (0, 3)) AS v(x, y);
SELECT is(pearson(x, y)::text, '(1,0,,,3)', 'the largest and the smallest numbers') FROM (VALUES (1.7976931348623157e308, 1.7976931348623157e308), (4.9e-324, 4.9e-324), (-1.7976931348623157e308, -1.7976931348623157e308)) AS v(x, y);
SELECT ok((c).r > 0.999999 AND (c).p BETWEEN 0 AND 1e-60 AND (c).low > 0.9999, 'tenths after 1e9 are nearly a line') FROM (SELECT pearson(i, 1e9::float8 + i * 0.1::float8) AS c FROM generate_series(1, 12) AS i) AS v;

--
-- Refused
--
SELECT is(f, row('22003'::text, format('%s is %s', CASE WHEN y = '1' THEN 'x' ELSE 'y' END, bad), ''::text, 'Leave such rows out with FILTER, or give NULL where the value is not known.'::text), format('%s(%s, %s)', name, x, y))
FROM unnest(ARRAY['pearson', 'spearman', 'kendall']) AS name, unnest(ARRAY['NaN', 'Infinity', '-Infinity']) AS bad,
	LATERAL (VALUES (bad, '1'), ('1', bad)) AS v(x, y), LATERAL fault(format('SELECT activity_metrics.%s(%L, %L)', name, x, y)) AS f;
SELECT ok(pearson(x, y) IS NULL AND kendall(x, y) IS NULL, 'NaN without its other half is no pair') FROM (VALUES ('NaN'::float8, NULL::float8), (NULL, 'Infinity')) AS v(x, y);
SELECT isnt(state, '00000', query) FROM unnest(ARRAY['pearson_trans(NULL, 1, 2)', 'pearson_inverse(NULL, 1, 2)', 'pearson_final(NULL)', 'pairs_trans(NULL, 1, 2)', 'pairs_combine(NULL, NULL)', 'spearman_final(NULL)', 'kendall_final(NULL)']) AS call,
	LATERAL (SELECT 'SELECT activity_metrics.' || call AS query) AS q, LATERAL fault(query);

--
-- States that are none: an aggregate whose partial state is whatever bytes it was given
--
CREATE FUNCTION bytes(internal) RETURNS bytea LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'bytea_string_agg_finalfn';
CREATE AGGREGATE read_sums(bytea, bytea) (SFUNC = bytea_string_agg_transfn, STYPE = internal, FINALFUNC = pearson_final,
	COMBINEFUNC = pearson_combine, SERIALFUNC = bytes, DESERIALFUNC = pearson_deserial, PARALLEL = SAFE);
CREATE AGGREGATE read_bag(bytea, bytea) (SFUNC = bytea_string_agg_transfn, STYPE = internal, FINALFUNC = kendall_final,
	COMBINEFUNC = pairs_combine, SERIALFUNC = bytes, DESERIALFUNC = pairs_deserial, PARALLEL = SAFE);
CREATE FUNCTION sums(version int, n bigint, x_base int, x_words int, y_base int, y_words int, words bigint[]) RETURNS bytea LANGUAGE sql AS $$
	SELECT substr(int4send(version), 4) || int8send(n) || substr(int4send(x_base), 3) || substr(int4send(x_words), 3) || substr(int4send(y_base), 3) || substr(int4send(y_words), 3)
		|| coalesce((SELECT string_agg(int8send(w), '' ORDER BY i) FROM unnest(words) WITH ORDINALITY AS u(w, i)), '')
$$;
CREATE FUNCTION bag(version int, place text, total bigint, pairs float8[]) RETURNS bytea LANGUAGE sql AS $$
	SELECT substr(int4send(version), 4) || convert_to(place, 'UTF8') || int8send(total) || coalesce((SELECT string_agg(float8send(v), '' ORDER BY i) FROM unnest(pairs) WITH ORDINALITY AS u(v, i)), '')
$$;
CREATE TABLE damage (no serial, reader text, state bytea, why text) WITH (parallel_workers = 1);
-- (1, 2) and (3, 1): sums 4 3, 10 5, 5
INSERT INTO damage (reader, state, why) VALUES
	('sums', '', 'empty'), ('sums', '\x01', 'a byte'), ('sums', substr(sums(1, 0, 0, 0, 0, 0, '{0,0,0,0,0}'), 1, 12), 'cut off in its header'),
	('sums', sums(2, 0, 0, 0, 0, 0, '{0,0,0,0,0}'), 'of another version'), ('sums', sums(1, -1, 0, 0, 0, 0, '{0,0,0,0,0}'), 'fewer than none'),
	('sums', sums(1, 1, 0, 0, 0, 0, '{0,0,0,0}'), 'a word too few'), ('sums', sums(1, 1, 0, 0, 0, 0, '{0,0,0,0,0,0}'), 'a word too many'), ('sums', sums(1, 1, 0, 0, 0, 0, '{0,0,0,0,0}') || '\x00', 'a byte too many'),
	('sums', sums(1, 1, 16, 1, 0, 0, '{0,0,0,0,0,0,0,0,0}'), 'words above all numbers'), ('sums', sums(1, 1, -18, 1, 0, 0, '{0,0,0,0,0,0,0,0,0}'), 'words below all numbers'),
	('sums', sums(1, 1, 0, -1, 0, 1, '{0,0,0,0,0}'), 'words fewer than none'), ('sums', sums(1, 1, 0, 32767, 0, 32767, '{0}'), 'more words than there are'),
	('sums', sums(1, 1, 0, 0, 0, 0, '{0,0,-1,0,0}'), 'a negative sum of squares'),
	('bag', '', 'empty'), ('bag', '\x01', 'a byte'), ('bag', '\x0164', 'cut off in its header'), ('bag', bag(2, 'd', 0, '{}'), 'of another version'), ('bag', bag(1, 'x', 0, '{}'), 'of no kind'),
	('bag', bag(1, 'd', -1, '{}'), 'fewer than none'), ('bag', bag(1, 'd', 2, '{1,2}'), 'a pair too few'), ('bag', bag(1, 'd', 1, '{1,2,3,4}'), 'a pair too many'), ('bag', bag(1, 'd', 1, '{1,2,3}'), 'half a pair'),
	('bag', bag(1, 'd', 1, '{1,2}') || '\x00', 'a byte too many'), ('bag', bag(1, 'd', 1, '{NaN,2}'), 'no number'), ('bag', bag(1, 'd', 1, '{1,Infinity}'), 'an infinite one'),
	('bag', bag(1, 'd', 1152921504606846976, '{}'), 'a length that overflows'), ('bag', bag(1, 'f', 1, '{}'), 'a file without a name');
INSERT INTO damage (reader, state, why)
SELECT 'sums', overlay(sums(1, 2, 0, 1, 0, 1, '{4,0,3,0,10,0,0,5,0,0,5,0,0}') PLACING substr(decode(md5(i::text), 'hex'), 1, 1 + i % 3) FROM 1 + i % 121), 'noise' FROM generate_series(1, 120) AS i;
INSERT INTO damage (reader, state, why)
SELECT 'bag', overlay(bag(1, 'd', 2, '{1,2,3,1}') PLACING substr(decode(md5(i::text), 'hex'), 1, 1 + i % 3) FROM 1 + i % 42), 'noise' FROM generate_series(1, 80) AS i WHERE i % 42 <> 1;
INSERT INTO damage (reader, state, why) VALUES ('sums', sums(1, 2, 0, 1, 0, 1, '{4,0,3,0,10,0,0,5,0,0,5,0,0}'), 'whole'), ('bag', bag(1, 'd', 2, '{1,2,3,1}'), 'whole');
-- nothing to the aggregate, but enough for a parallel plan
INSERT INTO damage (why) SELECT 'rows' FROM generate_series(1, 1000);
ANALYZE damage;
-- without a partial plan the final function would get bytes for a state
CREATE FUNCTION read_safely(no int, reader text, OUT answer text) LANGUAGE plpgsql AS $$
DECLARE
	query text := format('SELECT read_%s(state, NULL)::text FROM damage WHERE no = %s OR state IS NULL', reader, no);
BEGIN
	IF plan_of(query) LIKE '%Finalize Aggregate%Gather%Partial Aggregate%' THEN
		EXECUTE query INTO answer;
	END IF;
EXCEPTION WHEN OTHERS THEN
	answer := SQLSTATE;
END;
$$;
CREATE TABLE readings AS SELECT no, why, d.reader, r.answer FROM damage AS d, read_safely(no, reader) AS r WHERE state IS NOT NULL;
SELECT is(answer, '22P03', format('refused, %s: %s', reader, why)) FROM readings WHERE why NOT IN ('noise', 'whole');
SELECT ok(count(*) FILTER (WHERE answer = '22P03') > 3 AND bool_and((answer ~ '^\(' OR answer = '22P03') IS TRUE), 'noise is refused or harmless: ' || reader) FROM readings WHERE why = 'noise' GROUP BY reader;
SELECT is(answer, CASE reader WHEN 'sums' THEN '(-1,,,,2)' ELSE '(-1,0.3173105078629141,,,2)' END, 'whole ones are read: ' || reader) FROM readings WHERE why = 'whole';

SELECT * FROM finish();
ROLLBACK;
