-- wilson() and newcombe(): published values, what is undefined, what is refused.
BEGIN;
SELECT no_plan();
CREATE SCHEMA rates_test;
SET LOCAL search_path = rates_test, public;

CREATE FUNCTION fault(query text, OUT state text, OUT message text, OUT detail text, OUT hint text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE query;
	state := '00000';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END;
$$;

-- Newcombe (1998), table II, method 10; Campbell's p is that of (N - 1) / N times chi-square
SELECT is(row(round(difference::numeric, 4), round(low::numeric, 4), round(high::numeric, 4)), row(d, l, h), format('%s of %s less %s of %s', v.a, v.m, v.b, v.n))
FROM (VALUES (56, 70, 48, 80, 0.2000, 0.0524, 0.3339), (9, 10, 3, 10, 0.6000, 0.1705, 0.8090), (6, 7, 2, 7, 0.5714, 0.0582, 0.8062), (5, 56, 0, 29, 0.0893, -0.0381, 0.1926),
	(0, 10, 0, 20, 0.0000, -0.1611, 0.2775), (0, 10, 0, 10, 0.0000, -0.2775, 0.2775), (10, 10, 0, 20, 1.0000, 0.6791, 1.0000), (10, 10, 0, 10, 1.0000, 0.6075, 1.0000)) AS v(a, m, b, n, d, l, h),
	LATERAL activity_metrics.newcombe(a, m, b, n);
SELECT ok(abs(p / wanted - 1) < 1e-12, format('p of %s of %s and %s of %s', v.a, v.m, v.b, v.n))
FROM (VALUES (56, 70, 48, 80, 0.0082582879293807785), (9, 10, 3, 10, 0.0076016414752201698), (5, 5, 1, 40, 4.910952159959534e-06), (40, 40, 28, 30, 0.18012422360248448),
	(500000000, 1000000000, 500050000, 1000000000, 0.025347318531018435), (1, 1000000000, 3, 1000000, 3.9850239959182276e-09), (0, 10, 0, 20, 1), (7, 7, 9, 9, 1)) AS v(a, m, b, n, wanted),
	LATERAL activity_metrics.newcombe(a, m, b, n);
SELECT ok(bool_and(b.difference = -a.difference AND b.low = -a.high AND b.high = -a.low AND abs(b.p - a.p) < 1e-13), 'the groups exchanged: the sign changes')
FROM generate_series(1, 12, 4) AS m, generate_series(1, 100, 9) AS n, generate_series(0, m) AS x, generate_series(0, n) AS y,
	LATERAL activity_metrics.newcombe(x, m, y, n) AS a, LATERAL activity_metrics.newcombe(y, n, x, m) AS b;
SELECT ok(bool_and(d.low > -1e-15 + a.low - b.high AND d.high < 1e-15 + a.high - b.low AND d.difference = x / 30.0::float8 - y / 20.0::float8), 'never wider than both Wilson intervals together')
FROM generate_series(0, 30) AS x, generate_series(0, 20) AS y, LATERAL activity_metrics.newcombe(x, 30, y, 20) AS d, LATERAL activity_metrics.wilson(x, 30) AS a, LATERAL activity_metrics.wilson(y, 20) AS b;

-- undefined
SELECT is(n, row(NULL::float8, NULL::float8, NULL::float8, NULL::float8), format('%s of %s and %s of %s: nobody', x, m, y, k))
FROM (VALUES (0, 0, 1, 2), (1, 2, 0, 0), (0, 0, 0, 0)) AS v(x, m, y, k), LATERAL activity_metrics.newcombe(x, m, y, k) AS n;
SELECT ok(n IS NULL, 'NULL gives NULL') FROM activity_metrics.newcombe(1, 2, NULL, 3) AS n;
SELECT is(row(difference, p), row(0::float8, 1::float8), 'the largest counts') FROM activity_metrics.newcombe(9223372036854775807, 9223372036854775807, 9223372036854775807, 9223372036854775807);

-- refused
SELECT is(f, row('22023'::text, format('%s successes out of %s are not a share', k, n), format('successes_%s is %s, trials_%1$s is %3$s.', side, k, n),
		'Successes are counted among the trials: from 0 to their number. The order is successes_a, trials_a, successes_b, trials_b.'::text), query)
FROM (VALUES ('3, 2, 1, 2', 'a', 3, 2), ('1, 2, 3, 2', 'b', 3, 2), ('-1, 2, 1, 2', 'a', -1, 2), ('1, 2, -1, 2', 'b', -1, 2), ('0, -1, 1, 2', 'a', 0, -1), ('1, 2, 5, 0', 'b', 5, 0)) AS v(arguments, side, k, n),
	format('SELECT activity_metrics.newcombe(%s)', arguments) AS query, fault(query) AS f;

-- wilson, of the worked example in Newcombe (1998, Two-sided confidence intervals for the single proportion)
SELECT is(row(round(low::numeric, 4), round(high::numeric, 4)), row(0.2553, 0.3662), '81 of 263') FROM activity_metrics.wilson(81, 263);

SELECT * FROM finish();
ROLLBACK;
