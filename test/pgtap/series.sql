-- Statistics of series given as arrays: values, what is undefined, what is refused.
BEGIN;
SELECT no_plan();
CREATE SCHEMA series_test;
SET LOCAL search_path = series_test, public;
SET LOCAL extra_float_digits = 1;

CREATE FUNCTION fault(query text, OUT state text, OUT message text, OUT detail text, OUT hint text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE query;
	state := '00000';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END;
$$;
-- am. stands for the schema
CREATE FUNCTION refused(query text, state text, message text, hint text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	f record;
	good boolean;
BEGIN
	f := series_test.fault(replace(query, 'am.', 'activity_metrics.'));
	good := f.state = state AND f.message = message AND strpos(f.hint, hint) > 0;
	RETURN ok(good, format('%s: %s', state, left(query, 200)))
		|| CASE WHEN good THEN '' ELSE E'\n' || diag(format('%s %s, hint: %s', f.state, f.message, f.hint)) END;
END;
$$;
CREATE FUNCTION near(got double precision, want double precision) RETURNS boolean LANGUAGE sql AS $$
	SELECT got IS NOT DISTINCT FROM want OR abs(got - want) <= 1e-10 * abs(want);
$$;

-- Longley (1967): gross national product, employment and the year; an offset must not matter
CREATE TABLE longley (year integer, gnp double precision, employed double precision);
INSERT INTO longley VALUES (1947, 234.289, 60.323), (1948, 259.426, 61.122), (1949, 258.054, 60.171), (1950, 284.599, 61.187), (1951, 328.975, 63.221), (1952, 346.999, 63.639),
	(1953, 365.385, 64.989), (1954, 363.112, 63.761), (1955, 397.469, 66.019), (1956, 419.180, 67.857), (1957, 442.769, 68.169), (1958, 444.546, 66.513), (1959, 482.704, 68.655),
	(1960, 502.601, 69.564), (1961, 518.173, 69.331), (1962, 554.894, 70.551);
CREATE TABLE given AS SELECT array_agg(gnp ORDER BY year) AS x, array_agg(employed ORDER BY year) AS y, array_agg(year ORDER BY year) AS year FROM longley;
-- luteinizing hormone (Diggle 1990)
CREATE TABLE hormone AS SELECT ARRAY[2.4, 2.4, 2.4, 2.2, 2.1, 1.5, 2.3, 2.3, 2.5, 2.0, 1.9, 1.7, 2.2, 1.8, 3.2, 3.2, 2.7, 2.2, 2.2, 1.9, 1.9, 1.8, 2.7, 3.0, 2.3, 2.0, 2.0, 2.9, 2.9, 2.7, 2.7, 2.3,
	2.6, 2.4, 1.8, 1.7, 1.5, 1.4, 2.1, 3.3, 3.5, 3.5, 3.1, 2.6, 2.1, 3.4, 3.0, 2.9]::double precision[] AS v;

-- ccf
SELECT ok(c.n = 15 AND near(c.r_n, 0.7834782700219356) AND near(c.r_nk, 0.8357101546900646) AND near(c.r, 0.96023015551590618) AND near(c.p, 1.4090509393848464e-08)
	AND near(c.n_eff, 4.7805543118376903) AND near(c.p_neff, 0.012915275920333853) AND near(c.n_eff_ar1, 3.5140522033873927) AND near(c.p_neff_ar1, 0.081767391509437654), 'ccf: product one year before employment')
FROM given, activity_metrics.ccf(x, y, 3) AS c WHERE c.lag = 1;
SELECT ok(bool_and(near(c.r, (SELECT corr(a.gnp, b.employed) FROM longley a JOIN longley b ON b.year = a.year + c.lag)) AND c.n = 16 - abs(c.lag) AND c.low < c.r AND c.r < c.high), 'ccf: r is corr() of the pairs')
FROM given, activity_metrics.ccf(x, y, 1) AS c;
SELECT is(array_agg(c.lag), ARRAY[-4, -3, -2, -1, 0, 1, 2, 3, 4], 'ccf: a quarter of the values without max_lag, in order') FROM given, activity_metrics.ccf(x, y) AS c;
SELECT is(count(*), 25::bigint, 'ccf: at most 12') FROM activity_metrics.ccf(ARRAY(SELECT (i * i) % 17 FROM generate_series(1, 100) i), ARRAY(SELECT (i * i * i) % 19 FROM generate_series(1, 100) i));
SELECT ok(bool_and(near(a.r_n, b.r_n) AND near(a.p, b.p)), 'ccf: lag k of x, y is lag -k of y, x') FROM given, activity_metrics.ccf(x, y, 5) AS a, activity_metrics.ccf(y, x, 5) AS b WHERE b.lag = -a.lag;
SELECT is(row(c.r, c.r_n, c.p, c.n_eff, c.p_neff, c.n), row(NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, 12::bigint), 'ccf: a constant 0.1 has no correlation')
FROM activity_metrics.ccf(array_fill(0.1::float8, ARRAY[12]), ARRAY[1,2,3,4,5,6,7,8,9,1,2,3], 0) AS c;
SELECT is(row(r, p), row(1::float8, 0::float8), 'ccf: integers, whatever the lower bound') FROM activity_metrics.ccf('[3:7]={1,2,3,4,6}'::integer[], ARRAY[2, 4, 6, 8, 12]::bigint[], 0);

-- acf, ar_fit
SELECT ok(near(max(acf) FILTER (WHERE lag = 1), 0.5755244755244755) AND near(max(pacf) FILTER (WHERE lag = 3), -0.22694020165024137) AND max(acf) FILTER (WHERE lag = 0) = 1
	AND count(*) = 17 AND count(pacf) = 16 AND near(min(band95), 1.959963984540054 / sqrt(48)), 'acf: the hormone') FROM hormone, activity_metrics.acf(v);
SELECT ok(ar_order = 3 AND near(phi[1], 0.65340167869163901) AND near(phi[3], -0.22694020165024137) AND array_length(phi, 1) = 3 AND near(mean, 2.4) AND near(var_pred, 0.19586709410861847)
	AND tried_up_to = 16 AND n = 48, 'ar_fit: Yule-Walker') FROM hormone, activity_metrics.ar_fit(v);
SELECT ok(ar_order = 3 AND near(phi[2], -0.06080725744988133) AND near(var_pred, 0.17864648983245676), 'ar_fit: Burg') FROM hormone, activity_metrics.ar_fit(v, method => 'Burg');
SELECT is(a, b, 'ar_fit: words') FROM hormone, activity_metrics.ar_fit(v, method => 'YW') a, activity_metrics.ar_fit(v, method => 'yule walker') b;
SELECT is(row(ar_order, phi, tried_up_to), row(0, '{}'::float8[], 0), 'ar_fit: order 0') FROM hormone, activity_metrics.ar_fit(v, 0);
SELECT is(a, row(NULL::integer, NULL::float8[], NULL::float8, NULL::float8, 3, 4::bigint), 'ar_fit: a constant') FROM activity_metrics.ar_fit(ARRAY[0.1, 0.1, 0.1, 0.1]) a;
SELECT is(row(acf, pacf), row(NULL::float8, NULL::float8), 'acf: a constant') FROM activity_metrics.acf(ARRAY[0.1, 0.1, 0.1], 1) WHERE lag = 1;

-- prewhitened_ccf
SELECT ok(ar_order = 1 AND n = 15 AND near(r, 0.8435449345323428) AND near(band95, 0.50606052475266405) AND near(p, 7.7567838430711439e-05) AND near(p_holm, 7 * p) AND low < r AND r < high, 'prewhitened_ccf: product and employment')
FROM given, activity_metrics.prewhitened_ccf(x, y, 3) WHERE lag = 0;
SELECT is(count(r), 29::bigint, 'prewhitened_ccf: lags that the filter left no pairs for are NULL') FROM given, activity_metrics.prewhitened_ccf(x, y, 15);
SELECT is(row(r, p, p_holm, band95, ar_order), row(NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::integer), 'prewhitened_ccf: a constant x')
FROM activity_metrics.prewhitened_ccf(ARRAY[0.1, 0.1, 0.1, 0.1], ARRAY[1, 3, 2, 5], 0);
-- a filter of order 0
SELECT ok(bool_and(a.r = b.r_n), 'prewhitened_ccf: white noise is left alone') FROM activity_metrics.prewhitened_ccf(ARRAY[1,2,4,9,3,5,8,2], ARRAY[3,1,2,4,9,3,5,8], 3) AS a
	JOIN activity_metrics.ccf(ARRAY[1,2,4,9,3,5,8,2], ARRAY[3,1,2,4,9,3,5,8], 3) AS b USING (lag);

-- granger, granger_orders, forecast_gain
SELECT ok(n = 15 AND df1 = 1 AND df2 = 12 AND near(f, 9.3226748835291922) AND near(p, 0.010022958008159822) AND near(p_wald, 0.0022633534032512246) AND near(chi2_ssr, 11.653343604411491)
	AND near(p_ssr, 0.00064087242096695521) AND near(lr, 8.6229660782987292) AND near(p_lr, 0.0033195087877086311) AND near(rss_own, 20.943768227961645) AND near(rss_with_x, 11.786758467610326), 'granger: product helps')
FROM given, activity_metrics.granger(x, y, 1);
SELECT ok(near(f, 0.61584827725849345) AND near(chi2_wald, 2.4633931090339738) AND df2 = 3, 'granger: the other way, order 4 unless told') FROM given, activity_metrics.granger(y, x);
SELECT ok(near(a.f, b.f), 'granger: an offset changes nothing') FROM activity_metrics.granger(ARRAY[1,2,4,9,3,5,8,2,5], ARRAY[3,1,2,4,8,3,5,8,4], 1) a,
	activity_metrics.granger(ARRAY[1,2,4,9,3,5,8,2,5], ARRAY[1000000003,1000000001,1000000002,1000000004,1000000008,1000000003,1000000005,1000000008,1000000004], 1) b;
SELECT is(row(f, p, lr, rss_own, n, df1), row(NULL::float8, NULL::float8, NULL::float8, NULL::float8, 8::bigint, 1), 'granger: a constant') FROM activity_metrics.granger(array_fill(0.1::float8, ARRAY[9]), ARRAY[3,1,2,4,8,3,5,8,4], 1);
SELECT is(row(f, p, chi2_wald, p_lr, rss_with_x), row(NULL::float8, 0::float8, NULL::float8, 0::float8, 0::float8), 'granger: nothing left with x')
FROM activity_metrics.granger(ARRAY[3,1,2,4,8,3,5,8,4,7,1], ARRAY[1,6,2,4,8,16,6,10,16,8,14], 1);
SELECT ok(count(*) = 5 AND bool_and(n = 12) AND near(min(aic) FILTER (WHERE best_aic), 1.0031707409383128) AND near(min(bic), 4.1067936497553408) AND min(lag_order) FILTER (WHERE best_bic) = 1
	AND min(lag_order) FILTER (WHERE best_hq) = 4 AND near(max(rss), 70.519530249999946), 'granger_orders: the table') FROM given, activity_metrics.granger_orders(x, y, 4);
SELECT is(max(lag_order), 4, 'granger_orders: what the values allow') FROM given, activity_metrics.granger_orders(x, y);
SELECT is(row(count(aic), bool_or(best_aic)), row(1::bigint, false), 'granger_orders: a constant') FROM activity_metrics.granger_orders(array_fill(0.1::float8, ARRAY[9]), ARRAY[3,1,2,4,8,3,5,8,4]);
SELECT ok(n = 8 AND near(oos_gain, 1 - mse_with_x / mse_own) AND mse_own > 0 AND p_clark_west BETWEEN 0 AND 1 AND p_diebold_mariano BETWEEN 0 AND 1, 'forecast_gain: product and employment') FROM given, activity_metrics.forecast_gain(x, y, 1);
SELECT is(f, row(0::bigint, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8), 'forecast_gain: a constant') FROM activity_metrics.forecast_gain(array_fill(0.1::float8, ARRAY[9]), ARRAY[3,1,2,4,8,3,5,8,4], 1) f;

-- partial_correlation
SELECT ok(near(r, 0.72824902703925198) AND near(t, 3.8314474628950004) AND df = 13 AND near(p, 0.0020794182015235222) AND n = 16 AND low < r AND r < high, 'partial_correlation: given the year') FROM given, activity_metrics.partial_correlation(x, y, year);
SELECT ok(near(a.r, b.r) AND b.df = 13 AND near(c.r, corr) AND c.df = 14, 'partial_correlation: rows of controls, or none')
FROM given, activity_metrics.partial_correlation(x, y, year) a, activity_metrics.partial_correlation(x, y, ARRAY[year]) b, activity_metrics.partial_correlation(x, y, '{}') c, (SELECT corr(gnp, employed) FROM longley) d;
SELECT is(df, 12, 'partial_correlation: two controls') FROM given, activity_metrics.partial_correlation(x, y, ARRAY[year, ARRAY(SELECT (i * i) % 7 FROM generate_series(1, 16) AS i)]);
SELECT is(row(r, low, t, p, df), row(NULL::float8, NULL::float8, NULL::float8, NULL::float8, 12), 'partial_correlation: dependent controls') FROM given, activity_metrics.partial_correlation(x, y, ARRAY[year, year]);

-- distributed_lag: y = 7 + x + 2 x(-1) + 3 x(-2)
CREATE TABLE spread AS SELECT ARRAY[5,1,4,2,8,5,7,1,9,3,3,6] AS x, ARRAY[0,0,7+4+2+15,7+2+8+3,7+8+4+12,7+5+16+6,7+7+10+24,7+1+14+15,7+9+2+21,7+3+18+3,7+3+6+27,7+6+6+9] AS y;
SELECT ok(bool_and(near(coefficient, lag + 1) AND near(cumulative, (lag + 1) * (lag + 2) / 2)) AND count(*) = 3, 'distributed_lag: 1, 2, 3')
FROM spread, activity_metrics.distributed_lag(x, y, 2);
SELECT ok(bool_and(near(mean_lag, 8.0 / 6) AND n = 10 AND df = 6 AND rss = 0 AND p = 0 AND f_degree IS NULL), 'distributed_lag: the same on all rows') FROM spread, activity_metrics.distributed_lag(x, y, 2);
SELECT ok(bool_and(near(coefficient, lag + 1) AND f_degree IS NULL AND df = 7), 'distributed_lag: they lie on a line') FROM spread, activity_metrics.distributed_lag(x, y, 2, 1);
SELECT ok(bool_and(p_degree = 0 AND df = 8), 'distributed_lag: and are not all the same') FROM spread, activity_metrics.distributed_lag(x, y, 2, 0);
-- y = 1, 3, 2, 6 at x = 1, 2, 3, 4: residuals 0.1, 0.7, -1.7, 0.9; times deviations of x, less those a period apart; n / df = 2, Sxx = 5
SELECT ok(near(coefficient, 1.4) AND near(hac_se, sqrt(2 * (0.15 ^ 2 + 0.35 ^ 2 + 0.85 ^ 2 + 1.35 ^ 2) / 25)) AND hac_bandwidth = 0, 'distributed_lag: residuals of different size')
FROM activity_metrics.distributed_lag(ARRAY[1,2,3,4], ARRAY[1,3,2,6], 0, NULL, 0);
SELECT ok(near(hac_se, sqrt(2 * (0.15 ^ 2 + 0.35 ^ 2 + 0.85 ^ 2 + 1.35 ^ 2 + 0.15 * 0.35 + 0.35 * 0.85 - 0.85 * 1.35) / 25)) AND cumulative_hac_se = hac_se AND hac_high > coefficient AND hac_p BETWEEN 0.05 AND 0.1, 'distributed_lag: and correlated')
FROM activity_metrics.distributed_lag(ARRAY[1,2,3,4], ARRAY[1,3,2,6], 0, NULL, 1);
SELECT ok(bool_and(hac_se = 0 AND hac_p = 0 AND hac_low = coefficient AND cumulative_hac_se = 0 AND hac_bandwidth = 2), 'distributed_lag: no errors where nothing is left') FROM spread, activity_metrics.distributed_lag(x, y, 2);
SELECT is(count(*), 4::bigint, 'distributed_lag: a quarter of the values without max_lag') FROM spread, activity_metrics.distributed_lag(x, y);
SELECT is(row(count(*), count(coefficient), count(df), count(rss)), row(3::bigint, 0::bigint, 0::bigint, 0::bigint), 'distributed_lag: a constant') FROM spread, activity_metrics.distributed_lag(array_fill(0.1::float8, ARRAY[12]), y, 2);

-- dose_response (Treloar 1974)
CREATE TABLE dose AS SELECT ARRAY[0.02, 0.02, 0.06, 0.06, 0.11, 0.11, 0.22, 0.22, 0.56, 0.56, 1.10, 1.10] AS x, ARRAY[76, 47, 97, 107, 123, 139, 159, 152, 191, 201, 207, 200] AS y;
SELECT ok(model = 'saturating' AND near(a, 212.68374314253606) AND near(b, 0.064121281681567069) AND c IS NULL AND near(rss, 1195.4488144393592) AND near(aic, 59.216443852035397) AND n = 12, 'dose_response: enzymes saturate')
FROM dose, activity_metrics.dose_response(x, y) WHERE best;
SELECT is(array_agg(model), ARRAY['linear', 'logarithmic', 'quadratic', 'saturating'], 'dose_response: four curves') FROM dose, activity_metrics.dose_response(x, y);
SELECT is(row(count(*), count(a), count(aic), bool_or(best)), row(4::bigint, 0::bigint, 0::bigint, false), 'dose_response: a constant dose') FROM dose, activity_metrics.dose_response(array_fill(0.1::float8, ARRAY[12]), y);
SELECT is(string_agg(model, ' '), 'linear quadratic', 'dose_response: doses below -1') FROM dose, activity_metrics.dose_response(ARRAY[-5, -2, 0, 3, 4, 8, 9, 1, 2, 3, 5, 9], y) WHERE aic IS NOT NULL;

-- difference, p_adjust
SELECT is(activity_metrics.difference(ARRAY[1, 4, 9, 16, 25]), ARRAY[3, 5, 7, 9]::float8[], 'difference');
SELECT is(activity_metrics.difference(ARRAY[1, 4, 9, 16, 25], 2), ARRAY[8, 12, 16]::float8[], 'difference: at a distance');
SELECT is(activity_metrics.difference(ARRAY[1, 4, 9, 16, 25], times => 2), ARRAY[2, 2, 2]::float8[], 'difference: twice');
SELECT is(activity_metrics.difference(ARRAY[1, 4], 1, 0), ARRAY[1, 4]::float8[], 'difference: no times');
SELECT is(activity_metrics.difference(v.x, v.d, v.times), '{}'::float8[], 'difference: nothing left') FROM (VALUES ('{1,2,3}'::float8[], 3, 1), ('{1,2,3}', 1, 3), ('{}', 1, 1), ('{1}', 2147483647, 2147483647)) AS v(x, d, times);
SELECT ok(bool_and(g IS NOT DISTINCT FROM w OR abs(g - w) < 1e-12), format('p_adjust: %s', method)) FROM (VALUES
	('bonferroni', ARRAY[1, 0.007, NULL, 0.28, 0.21, 0.14, 1, 0.007]::float8[]), ('Holm', ARRAY[1, 0.007, NULL, 0.12, 0.12, 0.1, 1, 0.007]), ('hochberg', ARRAY[0.9, 0.006, NULL, 0.12, 0.12, 0.1, 0.9, 0.006]),
	('BH', ARRAY[0.5 * 7 / 6, 0.0035, NULL, 0.056, 0.0525, 0.02 * 7 / 3, 0.9, 0.0035]), ('fdr', ARRAY[0.5 * 7 / 6, 0.0035, NULL, 0.056, 0.0525, 0.02 * 7 / 3, 0.9, 0.0035]),
	('BY', ARRAY[1, 0.0035 * 363 / 140, NULL, 0.056 * 363 / 140, 0.0525 * 363 / 140, 0.02 * 7 / 3 * 363 / 140, 1, 0.0035 * 363 / 140]), ('sidak', ARRAY[0.9921875, 0.006979034965021, NULL, 0.248552521891840, 0.192017155218870, 0.131874466753280, 0.9999999, 0.006979034965021])
	) AS v(method, want), LATERAL unnest(activity_metrics.p_adjust(ARRAY[0.5, 0.001, NULL, 0.04, 0.03, 0.02, 0.9, 0.001], method), want) AS u(g, w) GROUP BY method;
SELECT is(activity_metrics.p_adjust(ARRAY[0.01, 0.02]), ARRAY[0.02, 0.02]::float8[], 'p_adjust: holm unless told');
SELECT is(activity_metrics.p_adjust(v, 'bh'), v, 'p_adjust: nothing to adjust') FROM (VALUES ('{}'::float8[]), ('{NULL}'), ('{NULL,NULL}'), ('{0.3}'), ('{NULL,0}')) AS w(v);

-- NULL for NULL
SELECT is_empty(format('SELECT * FROM activity_metrics.%s', call), call) FROM (VALUES ('ccf(NULL, ARRAY[1])'), ('ccf(ARRAY[1], NULL, 0)'), ('prewhitened_ccf(NULL, ARRAY[1])'), ('prewhitened_ccf(ARRAY[1], NULL)'), ('acf(NULL)'), ('granger_orders(NULL, ARRAY[1])'),
	('granger_orders(ARRAY[1], NULL)'), ('distributed_lag(NULL, ARRAY[1])'), ('distributed_lag(ARRAY[1], NULL)'), ('dose_response(NULL, ARRAY[1])'), ('dose_response(ARRAY[1], NULL)')) AS v(call);
SELECT results_eq(format('SELECT (activity_metrics.%s) IS NULL', call), 'SELECT true', call) FROM (VALUES ('granger(NULL, ARRAY[1])'), ('granger(ARRAY[1], NULL)'), ('forecast_gain(NULL, NULL)'), ('forecast_gain(ARRAY[1], NULL)'), ('ar_fit(NULL)'), ('ar_fit(ARRAY[1, 2], 1, NULL)'),
	('partial_correlation(ARRAY[1], ARRAY[1], NULL)'), ('partial_correlation(NULL, ARRAY[1], ARRAY[1])'), ('difference(NULL)'), ('p_adjust(NULL)'), ('p_adjust(ARRAY[0.1], NULL)')) AS v(call);
SELECT is((SELECT array_agg(c.lag) FROM activity_metrics.ccf(ARRAY[1, 2, 4, 3], ARRAY[1, 2, 4, 3], NULL) c), ARRAY[-1, 0, 1], 'NULL for max_lag is its default');
SELECT is(activity_metrics.difference(ARRAY[1, 2, 4], NULL, NULL), ARRAY[1, 2]::float8[], 'NULL for d and times is 1');

-- one value, two values
SELECT is(row(r, p, n), row(NULL::float8, NULL::float8, 1::bigint), 'ccf: one value') FROM activity_metrics.ccf(ARRAY[1], ARRAY[1]);
SELECT is(row(lag, acf), row(0, NULL::float8), 'acf: one value') FROM activity_metrics.acf(ARRAY[1]);
SELECT is(row(r, p, low), row(1::float8, NULL::float8, NULL::float8), 'ccf: two values') FROM activity_metrics.ccf(ARRAY[1, 2], ARRAY[5, 7], 0);
SELECT is(count(a), 0::bigint, 'dose_response: two values') FROM activity_metrics.dose_response(ARRAY[1, 2], ARRAY[5, 7]);

-- refused, by all that take x and y
SELECT unnest(ARRAY[refused(format('SELECT am.%s(ARRAY[1,2,3], ARRAY[1,2]%s)', f, more), '22023', 'x has 3 values, y has 2', 'array_agg(x ORDER BY period), array_agg(y ORDER BY period)'),
	refused(format('SELECT am.%s(ARRAY[[1,2],[3,4]], ARRAY[1,2]%s)', f, more), '22023', 'x has 2 dimensions', 'one value per period'),
	refused(format('SELECT am.%s(ARRAY[1,2], ARRAY[[1],[2]]%s)', f, more), '22023', 'y has 2 dimensions', 'one value per period'),
	refused(format('SELECT am.%s(ARRAY[1,2,NULL,4], ARRAY[1,2,3,4]%s)', f, more), '22004', 'value 3 of x is NULL', 'coalesce(value, 0)'),
	refused(format('SELECT am.%s(ARRAY[1,2,3,4,5,6,7,8,9,10], ARRAY[1,2,3,4,5,6,7,8,9,NULL]%s)', f, more), '22004', 'value 10 of y is NULL', 'FILTER (WHERE value IS NOT NULL)'),
	refused(format('SELECT am.%s(''{1,NaN,3}'', ARRAY[1,2,3]%s)', f, more), '22003', 'value 2 of x is NaN', 'FILTER'),
	refused(format('SELECT am.%s(ARRAY[1,2,3], ''{-Infinity,2,NaN}''%s)', f, more), '22003', 'value 1 of y is -Infinity', 'FILTER'),
	refused(format('SELECT am.%s(''{}'', ''{}''%s)', f, more), '22023', 'x has no values', 'NULL for the array gives NULL')])
FROM (VALUES ('ccf', ''), ('prewhitened_ccf', ''), ('granger', ''), ('granger_orders', ''), ('forecast_gain', ''), ('distributed_lag', ''), ('dose_response', ''), ('partial_correlation', ', ''{}''')) AS v(f, more);
-- and by those that take x
SELECT unnest(ARRAY[refused(format('SELECT am.%s(ARRAY[[1,2],[3,4]])', f), '22023', 'x has 2 dimensions', 'one value per period'),
	refused(format('SELECT am.%s(ARRAY[1,NULL])', f), '22004', 'value 2 of x is NULL', 'coalesce(value, 0)'),
	refused(format('SELECT am.%s(''{1,2,Infinity}'')', f), '22003', 'value 3 of x is Infinity', 'FILTER')])
FROM (VALUES ('acf'), ('ar_fit'), ('difference')) AS v(f);
SELECT refused(format('SELECT am.%s(''{}'')', f), '22023', 'x has no values', 'NULL for the array gives NULL') FROM (VALUES ('acf'), ('ar_fit')) AS v(f);

-- sizes
SELECT refused('SELECT am.' || query, '22023', message, hint) FROM (VALUES
	('ccf(ARRAY[1,2,4], ARRAY[1,2,3], 3)', 'max_lag is 3, but with 3 values it can be 2 at most', 'Give 0 to 2'),
	('ccf(ARRAY[1,2,4], ARRAY[1,2,3], -1)', 'max_lag is -1', 'Give 0 or more.'),
	('prewhitened_ccf(ARRAY[1,2,4], ARRAY[1,2,3], 2147483647)', 'max_lag is 2147483647, but with 3 values it can be 2 at most', 'Give 0 to 2'),
	('prewhitened_ccf(ARRAY[1,2,4], ARRAY[1,2,3], -2147483648)', 'max_lag is -2147483648', 'Give 0 or more.'),
	('acf(ARRAY[1,2,4], 3)', 'max_lag is 3, but with 3 values it can be 2 at most', 'Give 0 to 2'), ('acf(ARRAY[1,2,4], -1)', 'max_lag is -1', 'Give 0 or more.'),
	('ar_fit(ARRAY[1,2,4], 3)', 'order_max is 3, but with 3 values it can be 2 at most', 'Give 0 to 2'), ('ar_fit(ARRAY[1,2,4], -1)', 'order_max is -1', 'Give 0 or more.'),
	('granger(ARRAY[1,2,4,3,5,6,7,8], ARRAY[1,2,3,4,2,1,2,3], 3)', 'lag_order is 3, but with 8 values it can be 2 at most', 'Give 1 to 2'),
	('granger(ARRAY[1,2,4,3,5,6,7,8], ARRAY[1,2,3,4,2,1,2,3], 0)', 'lag_order is 0', 'Give 1 or more.'),
	('granger(ARRAY[1,2,4,3], ARRAY[1,2,3,4], 1)', 'lag_order is 1, but 4 values are too few for any', 'HAVING count(*) >= 5'),
	('granger(ARRAY(SELECT i % 7 FROM generate_series(1, 1000) i), ARRAY(SELECT i % 11 FROM generate_series(1, 1000) i), 101)', 'lag_order is 101, but with 1000 values it can be 100 at most', 'Give 1 to 100'),
	('granger_orders(ARRAY[1,2,4,3,5,6,7,8], ARRAY[1,2,3,4,2,1,2,3], 3)', 'max_order is 3, but with 8 values it can be 2 at most', 'Give 1 to 2'),
	('granger_orders(ARRAY[1,2,4,3], ARRAY[1,2,3,4])', 'max_order is 1, but 4 values are too few for any', 'HAVING count(*) >= 5'),
	('granger_orders(ARRAY[1,2,4,3,5], ARRAY[1,2,3,4,1], 0)', 'max_order is 0', 'Give 1 or more.'),
	('forecast_gain(ARRAY[1,2,4,3,5,6,7,8,9], ARRAY[1,2,3,4,2,1,2,3,3], 2)', 'lag_order is 2, but with 9 values it can be 1 at most', 'Give 1 to 1'),
	('forecast_gain(ARRAY[1,2,4,3,5,6,7,8], ARRAY[1,2,3,4,2,1,2,3], 1)', 'lag_order is 1, but 8 values are too few for any', 'HAVING count(*) >= 9'),
	('forecast_gain(ARRAY[1,2,4,3,5,6,7,8,9], ARRAY[1,2,3,4,2,1,2,3,3], -4)', 'lag_order is -4', 'Give 1 or more.'),
	('distributed_lag(ARRAY[1,2,4,3,5], ARRAY[1,2,3,4,1], 2)', 'max_lag is 2, but with 5 values it can be 1 at most', 'Give 0 to 1'),
	('distributed_lag(ARRAY[1,2], ARRAY[1,2])', 'max_lag is 0, but 2 values are too few for any', 'HAVING count(*) >= 3'),
	('distributed_lag(ARRAY[1,2,4,3,5], ARRAY[1,2,3,4,1], -1)', 'max_lag is -1', 'Give 0 or more.'),
	('distributed_lag(ARRAY[1,2,4,3,5], ARRAY[1,2,3,4,1], 1, NULL, -1)', 'bandwidth is -1', 'Give 0 or more.'),
	('distributed_lag(ARRAY[1,2,4,3,5], ARRAY[1,2,3,4,1], 1, NULL, 4)', 'bandwidth is 4, but with 5 values it can be 3 at most', 'Give 0 to 3'),
	('distributed_lag(ARRAY[1,2,4,3,5], ARRAY[1,2,3,4,1], 1, 2)', 'degree is 2', 'max_lag, which is 1'),
	('distributed_lag(ARRAY[1,2,4,3,5], ARRAY[1,2,3,4,1], 1, -1)', 'degree is -1', 'NULL for coefficients without restriction'),
	('difference(ARRAY[1,2], 0)', 'd is 0', 'Give 1 or more.'), ('difference(ARRAY[1,2], 1, -1)', 'times is -1', 'Give 0 or more.'),
	('partial_correlation(ARRAY[1,2,4], ARRAY[1,2,3], ARRAY[1,2,2])', '1 controls are too many for 3 values', '3 more values than controls'),
	('partial_correlation(ARRAY[1,2,4,3], ARRAY[1,2,3,4], ARRAY[1,2,2])', 'controls has 3 values, x has 4', 'each as long as x'),
	('partial_correlation(ARRAY[1,2,4,3], ARRAY[1,2,3,4], ARRAY[[1,5],[2,5],[3,4],[4,4]])', 'controls has 4 rows of 2 values, x has 4 values', 'ARRAY[array_agg(a ORDER BY period)'),
	('partial_correlation(ARRAY[1,2], ARRAY[1,2], ARRAY[[[1,2]]])', 'controls has 3 dimensions', 'an array per control'),
	('p_adjust(ARRAY[0.1, 1.5])', 'value 2 of p is 1.5', 'from 0 to 1'), ('p_adjust(ARRAY[-0.1])', 'value 1 of p is -0.1', 'from 0 to 1'), ('p_adjust(''{NULL,NaN}'')', 'value 2 of p is NaN', 'NULL where there is no test'),
	('p_adjust(ARRAY[[0.1], [0.2]])', 'p has 2 dimensions', 'array_agg(p)'),
	('p_adjust(ARRAY[0.1], ''bonferoni'')', 'unknown method "bonferoni"', 'Did you mean "bonferroni"?'), ('p_adjust(ARRAY[0.1], ''hommel'')', 'unknown method "hommel"', 'Did you mean "holm"?'),
	('ar_fit(ARRAY[1,2,4], 1, ''yule'')', 'unknown method "yule"', 'Did you mean "yule-walker"?')) AS v(query, message, hint);
SELECT refused('SELECT am.partial_correlation(ARRAY[1,2,4,3,5], ARRAY[1,2,3,4,2], ARRAY[[1,2,3,4,5],[1,2,NULL,4,5]])', '22004', 'value 3 of control 2 is NULL', 'coalesce(value, 0)');
SELECT refused('SELECT am.partial_correlation(ARRAY[1,2,4,3,5], ARRAY[1,2,3,4,2], ''{1,2,3,NaN,5}'')', '22003', 'value 4 of control 1 is not a finite number', 'FILTER');
SELECT refused('SELECT am.difference(ARRAY[1e308, -1e308])', '22003', 'a difference of values 1 to 2 of x is out of range', 'Divide');
SELECT is(f.detail, 'Known are bonferroni, holm, hochberg, bh (or fdr), by, sidak.', 'the methods are named') FROM fault('SELECT activity_metrics.p_adjust(ARRAY[0.1], '''')') AS f;
SELECT is(f.state, '22023', 'a long method') FROM fault('SELECT activity_metrics.p_adjust(ARRAY[0.1], repeat(''é'', 1000))') AS f;

-- extremes: no overflow, and a correct answer
SELECT ok(near(a.r, b.r) AND near(a.p, b.p), format('ccf: times %s', scale)) FROM (VALUES (1e-160::float8), (1e160), (1e300)) AS v(scale), given,
	LATERAL activity_metrics.ccf(x, y, 0) AS a, LATERAL activity_metrics.ccf(ARRAY(SELECT e * scale FROM unnest(x) WITH ORDINALITY AS u(e, i) ORDER BY i), y, 0) AS b;
SELECT ok(near(a.p, b.p) AND near(a.f, b.f), format('granger: times %s', scale)) FROM (VALUES (1e-160::float8), (1e160), (1e300)) AS v(scale), given,
	LATERAL activity_metrics.granger(x, y, 1) AS a, LATERAL activity_metrics.granger(x, ARRAY(SELECT e * scale FROM unnest(y) WITH ORDINALITY AS u(e, i) ORDER BY i), 1) AS b;

-- may be evaluated beforehand and in workers; every column is described
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'activity_metrics'::regnamespace AND p.proname = ANY (ARRAY['difference', 'p_adjust', 'acf', 'ar_fit', 'ccf', 'prewhitened_ccf', 'granger', 'granger_orders', 'forecast_gain',
	'partial_correlation', 'distributed_lag', 'dose_response']) AND (p.provolatile <> 'i' OR p.proparallel <> 's' OR obj_description(p.oid, 'pg_proc') IS NULL)$$, 'immutable, parallel safe, with a comment');
SELECT is_empty($$SELECT p.proname, a FROM pg_proc p, unnest(p.proargnames) a WHERE p.pronamespace = 'activity_metrics'::regnamespace AND p.prosrc IN ('am_difference_sql', 'am_p_adjust_sql', 'am_acf_sql', 'am_ar_fit_sql', 'am_ccf_sql', 'am_prewhitened_ccf_sql', 'am_granger_sql',
	'am_granger_orders_sql', 'am_forecast_gain_sql', 'am_partial_correlation_sql', 'am_distributed_lag_sql') AND obj_description(p.oid, 'pg_proc') !~ ('\m' || a || '\M')$$, 'the comment names every argument and column');

-- Box & Jenkins (1970): sales follow their leading indicator after 3 periods
\set pairs `cat "${SHARED:-../shared}/golden/data/pairs.csv" 2>/dev/null | grep ^bjsales,`
CREATE TABLE sales AS SELECT array_agg(split_part(line, ',', 3)::float8 ORDER BY split_part(line, ',', 2)::integer) AS x, array_agg(split_part(line, ',', 4)::float8 ORDER BY split_part(line, ',', 2)::integer) AS y
FROM string_to_table(:'pairs', E'\n') AS line WHERE line <> '';
SELECT count(x) = 0 AS no_sales FROM sales \gset
\if :no_sales
SELECT skip('no golden files', 4);
\else
SELECT is(c.lag, 0, 'levels point to lag 0') FROM sales, activity_metrics.ccf(x, y, 12) c ORDER BY c.r_n DESC LIMIT 1;
SELECT ok(c.p < 1e-70 AND c.p_neff BETWEEN 0.004 AND 0.006 AND near(c.n_eff, 5.7772481838198404), 'with a p that means nothing') FROM sales, activity_metrics.ccf(x, y, 0) c;
SELECT ok(bool_and(c.p_holm > 0.05) FILTER (WHERE c.lag < 3) AND bool_and(c.p_holm < 1e-15 AND round(c.r::numeric, 2) = 0.68) FILTER (WHERE c.lag = 3), 'differenced and prewhitened: nothing before lag 3, r = 0.68 there')
FROM sales, activity_metrics.prewhitened_ccf(activity_metrics.difference(x), activity_metrics.difference(y), 12) c;
SELECT ok(near(oos_gain, 0.94574565778389219), 'and it forecasts') FROM sales, activity_metrics.forecast_gain(x, y, 3);
\endif

SELECT * FROM finish();
ROLLBACK;
