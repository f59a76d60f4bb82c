-- activity_cusum() beside a slow twin in SQL; run lengths; early_warning_report() and the view; bad input.
BEGIN;
-- one test a line, also where a statement has several
\pset fieldsep '\n'
SELECT no_plan();
CREATE SCHEMA warning_test;
SET LOCAL search_path = warning_test, public;
SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL client_min_messages = error;
SELECT setseed(0.4375) IS NULL AS seeded \gset

--
-- The twin: margins by 8 sweeps, levels by sorting, the sum by a recursive query
--
CREATE FUNCTION twin(source text) RETURNS TABLE (unit text, period bigint, alarm boolean, alarm_period bigint, since_period bigint, level_now double precision, usual_level double precision, cusum double precision, n bigint, phi double precision)
LANGUAGE plpgsql AS $$
BEGIN
	DROP TABLE IF EXISTS pg_temp.size, pg_temp.idx, pg_temp.line, pg_temp.base, pg_temp.pool;
	EXECUTE format('CREATE TEMP TABLE line AS SELECT unit, period, sum(x)::float8 AS x FROM %s GROUP BY unit, period', source);
	CREATE TEMP TABLE idx AS SELECT l.period, 1::float8 AS b FROM line l GROUP BY l.period;
	CREATE TEMP TABLE size AS SELECT l.unit, 0::float8 AS a FROM line l GROUP BY l.unit;
	FOR i IN 1 .. 8 LOOP
		UPDATE size SET a = (SELECT CASE WHEN sum(b) > 0 THEN sum(l.x) / sum(b) ELSE 0 END FROM line l JOIN idx USING (period) WHERE l.unit = size.unit);
		UPDATE idx SET b = (SELECT CASE WHEN sum(a) > 0 THEN sum(l.x) / sum(a) ELSE 1 END FROM line l JOIN size USING (unit) WHERE l.period = idx.period);
	END LOOP;
	CREATE TEMP TABLE base AS
		SELECT l.unit, l.period, row_number() OVER (PARTITION BY l.unit ORDER BY l.period) AS i, l.x,
			CASE WHEN o.a > 1e-9 * (o.a + s.a) THEN o.x / o.a ELSE 1 END AS m, NULL::float8 AS level, NULL::float8 AS num, NULL::float8 AS den
		FROM line l JOIN size s USING (unit), LATERAL (SELECT coalesce(sum(p.a), 0) AS a, coalesce(sum(k.x), 0) AS x FROM line k JOIN size p USING (unit) WHERE k.period = l.period AND k.unit <> l.unit) AS o;
	INSERT INTO base SELECT NULL, l.period, row_number() OVER (ORDER BY l.period), sum(l.x), sum(s.a) FROM line l JOIN size s USING (unit) GROUP BY l.period;
	UPDATE base AS u SET level = f.level, num = f.num, den = f.den FROM (
		SELECT w.unit, w.i, v.level, d.num, d.den FROM base AS w,
		LATERAL (SELECT avg(m) AS m FROM base AS p WHERE p.unit IS NOT DISTINCT FROM w.unit AND p.i BETWEEN w.i - 60 AND w.i - 9) AS mean,
		LATERAL (SELECT count(*) AS n, sum(p.x) / sum(p.m) AS plain, array_agg(p.x / p.m ORDER BY p.x / p.m) AS r FROM base AS p
			WHERE p.unit IS NOT DISTINCT FROM w.unit AND p.i BETWEEN w.i - 60 AND w.i - 9 AND p.m > 0.2 * mean.m) AS all_rows,
		LATERAL (SELECT CASE WHEN all_rows.plain * mean.m < 3 THEN all_rows.plain ELSE sum(p.x) / sum(p.m) END AS level FROM base AS p
			WHERE p.unit IS NOT DISTINCT FROM w.unit AND p.i BETWEEN w.i - 60 AND w.i - 9 AND p.m > 0.2 * mean.m
			AND p.x / p.m BETWEEN all_rows.r[1 + all_rows.n / 8] AND all_rows.r[all_rows.n - all_rows.n / 8]) AS v,
		LATERAL (SELECT coalesce(sum(((p.x - v.level * p.m) - (q.x - v.level * q.m)) ^ 2), 0) AS num, coalesce(sum(v.level * (p.m + q.m)), 0) AS den FROM base AS p JOIN base AS q ON q.unit IS NOT DISTINCT FROM p.unit AND q.i = p.i - 1
			WHERE p.unit IS NOT DISTINCT FROM w.unit AND p.i BETWEEN w.i - 59 AND w.i - 9 AND p.m > 0.2 * mean.m AND q.m > 0.2 * mean.m) AS d
		WHERE all_rows.n >= 8 AND w.i > 16) AS f WHERE f.unit IS NOT DISTINCT FROM u.unit AND f.i = u.i;
	CREATE TEMP TABLE pool AS SELECT b.period, sum(num) AS num, sum(den) AS den FROM base b WHERE b.unit IS NOT NULL GROUP BY b.period;
	RETURN QUERY WITH RECURSIVE own AS (
			SELECT b.*, greatest(1, coalesce(0.5 * b.num / nullif(b.den, 0) + 0.5 * CASE WHEN b.unit IS NULL THEN b.num / nullif(b.den, 0) ELSE p.num / nullif(p.den, 0) END, p.num / nullif(p.den, 0), 1)) AS phi
			FROM base AS b JOIN pool AS p USING (period)),
		run AS (
			SELECT s.unit, 0::bigint AS i, 0::float8 AS s, NULL::bigint AS since, NULL::bigint AS alarm, NULL::float8 AS level, NULL::float8 AS phi
				FROM (SELECT DISTINCT b.unit FROM base AS b) AS s
			UNION ALL
			SELECT r.unit, o.i, t.s, CASE WHEN t.s > 0 THEN coalesce(h.since, o.i) END, CASE WHEN t.s > 0 THEN coalesce(CASE WHEN h.since IS NOT NULL THEN r.alarm END, CASE WHEN t.s >= 5 THEN o.i END) END, h.level, h.phi
			FROM run AS r JOIN own AS o ON o.unit IS NOT DISTINCT FROM r.unit AND o.i = r.i + 1,
			-- the level is held while the sum is above zero, for 26 rows at most
			LATERAL (SELECT CASE WHEN o.i - r.since < 26 THEN r.since END AS since, CASE WHEN o.i - r.since < 26 THEN r.s ELSE 0 END AS s,
				CASE WHEN o.i - r.since < 26 THEN r.level ELSE coalesce(o.level, r.level) END AS level, CASE WHEN o.i - r.since < 26 THEN r.phi ELSE CASE WHEN o.level IS NULL THEN r.phi ELSE o.phi END END AS phi) AS h,
			LATERAL (SELECT CASE WHEN h.since IS NULL AND o.level IS NULL THEN 0
				ELSE least(greatest(0, h.s - least(3, greatest(-3, 2 * (sqrt(o.x + 0.375) - sqrt(h.level * o.m + 0.375)) / sqrt(h.phi))) - 0.5), 7.5) END AS s) AS t)
		SELECT r.unit, b.period, r.s >= 5, (SELECT a.period FROM base AS a WHERE a.unit IS NOT DISTINCT FROM r.unit AND a.i = r.alarm), (SELECT a.period FROM base AS a WHERE a.unit IS NOT DISTINCT FROM r.unit AND a.i = r.since),
			now.level * CASE WHEN r.unit IS NULL THEN b.m ELSE 1 END, r.level * CASE WHEN r.unit IS NULL THEN b.m ELSE 1 END, r.s, r.i, r.phi
		FROM run AS r JOIN base AS b ON b.unit IS NOT DISTINCT FROM r.unit AND b.i = r.i,
		LATERAL (SELECT sum(a.x) / sum(a.m) AS level FROM base AS a WHERE a.unit IS NOT DISTINCT FROM r.unit AND a.i >= CASE WHEN r.alarm IS NOT NULL THEN r.since ELSE r.i - 3 END) AS now
		WHERE r.i = (SELECT max(a.i) FROM base AS a WHERE a.unit IS NOT DISTINCT FROM r.unit) AND r.level > 0;
END;
$$;
-- random panels: units of different size, missing rows, a holiday, zero weeks, one that drops, bursts, few units
CREATE TABLE panel AS
	SELECT k, 'u' || u AS unit, p::bigint AS period,
		floor((u * k * 1.5 + 1) * 2 * random() * CASE WHEN p % 30 IN (10, 11) THEN 0.15 ELSE 1 END * CASE WHEN u = 2 AND p > 78 - 4 * k THEN 0.3 ELSE 1 END * CASE WHEN random() < 0.03 THEN 0 WHEN random() < 0.05 * (k - 2) THEN 5 ELSE 1 END)::float8 AS x
	FROM generate_series(1, 6) AS k, generate_series(1, 9 - k) AS u, generate_series(1, 80) AS p
	WHERE random() < 0.97 AND NOT (u = 5 AND p < 30) AND NOT (u = 4 AND p BETWEEN 40 AND 50);
CREATE TABLE have AS SELECT s.k, r.* FROM (SELECT k, activity_metrics.activity_cusum(unit, period, x) AS rows FROM panel GROUP BY k) AS s, unnest(s.rows) AS r;
CREATE TABLE want AS SELECT k, t.* FROM generate_series(1, 6) AS k, LATERAL twin(format('(SELECT unit, period, x FROM warning_test.panel WHERE k = %s) AS p', k)) AS t;
SELECT results_eq('SELECT k, unit, period, alarm, alarm_period, since_period, n FROM have WHERE reason IS NULL ORDER BY k, unit', 'SELECT k, unit, period, alarm, alarm_period, since_period, n FROM want ORDER BY k, unit', 'alarms as the twin has them');
SELECT ok(bool_and(abs(h.cusum - w.cusum) < 1e-9 AND abs(h.level_now - w.level_now) < 1e-9 * w.level_now + 1e-12 AND abs(h.usual_level - w.usual_level) < 1e-9 * w.usual_level AND abs(h.phi - w.phi) < 1e-9 * w.phi
	AND abs(h.change - (w.level_now / w.usual_level - 1)) < 1e-9), 'numbers as the twin has them'), cmp_ok(count(*), '>', 30::bigint, 'of many units'), cmp_ok(count(*) FILTER (WHERE h.alarm), '>', 3::bigint, 'with alarms'),
	cmp_ok(count(*) FILTER (WHERE h.since_period IS NOT NULL AND NOT h.alarm), '>', 3::bigint, 'and sums below them')
	FROM have AS h JOIN want AS w ON w.k = h.k AND w.unit IS NOT DISTINCT FROM h.unit;
SELECT is(count(*) FILTER (WHERE unit IS NULL), 6::bigint, 'a row for all together') FROM have;

-- the same for any order, plan, overload; several rows of a cell add up; a quality of one is none
SELECT is((SELECT activity_metrics.activity_cusum(unit, period, x ORDER BY random())::text FROM panel WHERE k = 3), (SELECT activity_metrics.activity_cusum(unit, period, x ORDER BY period DESC)::text FROM panel WHERE k = 3), 'any order');
SELECT is((SELECT activity_metrics.activity_cusum(unit, period, x, NULL, NULL)::text FROM panel WHERE k = 3), (SELECT activity_metrics.activity_cusum(unit, period, x)::text FROM panel WHERE k = 3), 'the longest overload');
SELECT is((SELECT activity_metrics.activity_cusum(unit, period, x, 1)::text FROM panel WHERE k = 3), (SELECT activity_metrics.activity_cusum(unit, period, x)::text FROM panel WHERE k = 3), 'quality 1');
SELECT is((SELECT activity_metrics.activity_cusum(unit, period, x, 0.5)::text FROM panel WHERE k = 3), (SELECT activity_metrics.activity_cusum(unit, period, x / 2)::text FROM panel WHERE k = 3), 'quality 0.5 is half');
SELECT is((SELECT activity_metrics.activity_cusum(unit, period, x / 2)::text FROM panel, generate_series(1, 2) WHERE k = 3), (SELECT activity_metrics.activity_cusum(unit, period, x)::text FROM panel WHERE k = 3), 'rows of one cell add up');
SELECT is((SELECT string_agg(r.cusum::text, ' ' ORDER BY r.unit) FROM (SELECT activity_metrics.activity_cusum(substr(unit, 2)::bigint, period, x) AS s FROM panel WHERE k = 3) AS a, unnest(s) AS r),
	(SELECT string_agg(r.cusum::text, ' ' ORDER BY r.unit) FROM (SELECT activity_metrics.activity_cusum(unit, period, x) AS s FROM panel WHERE k = 3) AS a, unnest(s) AS r), 'units by number');
SELECT is((SELECT count(*) FROM (SELECT activity_metrics.activity_cusum(md5(unit)::uuid, period, x) AS s FROM panel WHERE k = 3) AS a, unnest(s)), 7::bigint, 'units by uuid');
ANALYZE panel;
CREATE TABLE serial AS SELECT activity_metrics.activity_cusum(unit, period, x)::text AS r FROM panel WHERE k = 2;
SET LOCAL max_parallel_workers_per_gather = 2; SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0;
SELECT is((SELECT activity_metrics.activity_cusum(unit, period, x)::text FROM panel WHERE k = 2), r, 'a parallel plan') FROM serial;
SET LOCAL max_parallel_workers_per_gather = 0;

-- little, nothing
SELECT is((SELECT activity_metrics.activity_cusum(unit, period, x) FROM panel WHERE false), NULL, 'no rows');
SELECT is(reason, 'too few periods to tell what is usual', 'few rows') FROM unnest((SELECT activity_metrics.activity_cusum('a'::text, p, 3) FROM generate_series(1, 10) AS p));
SELECT is(reason, 'nothing is usual: the level is zero', 'zeros') FROM unnest((SELECT activity_metrics.activity_cusum('a'::text, p, 0) FROM generate_series(1, 100) AS p));
SELECT ok(NOT alarm AND cusum = 0 AND phi = 1 AND change = 0 AND usual_level = 7, 'always the same') FROM unnest((SELECT activity_metrics.activity_cusum('a'::text, p, 7) FROM generate_series(1, 100) AS p));
SELECT ok(bool_and(cusum < 'Infinity' AND level_now < 'Infinity'), 'large numbers') FROM unnest((SELECT activity_metrics.activity_cusum('a'::text, p, 1e15 * (1 + p % 3)) FROM generate_series(1, 100) AS p));
SELECT lives_ok($$SELECT activity_metrics.activity_cusum(u::text, p, 1e300 * p) FROM generate_series(1, 100) AS p, generate_series(1, 3) AS u$$, 'numbers next to the largest');

-- options
SELECT is(threshold, 4::float8, 'h 4') FROM unnest((SELECT activity_metrics.activity_cusum(unit, period, x, NULL, 'h 4') FROM panel WHERE k = 3)) LIMIT 1;
SELECT ok(bool_and(threshold * 2 = floor(threshold * 2) AND false_alarm_every >= 400), 'poisson') FROM unnest((SELECT activity_metrics.activity_cusum(unit, period, x, NULL, 'poisson') FROM panel WHERE k = 1)) WHERE unit IS NOT NULL;
SELECT ok(a.threshold > b.threshold, 'fewer false alarms need a higher threshold') FROM
	unnest((SELECT activity_metrics.activity_cusum(unit, period, x, NULL, 'false alarms per year 0.5') FROM panel WHERE k = 3)) AS a, unnest((SELECT activity_metrics.activity_cusum(unit, period, x, NULL, 'false alarms per year 12') FROM panel WHERE k = 3)) AS b WHERE a.unit = 'u1' AND b.unit = 'u1';
SELECT ok(a.threshold > b.threshold, 'days are more than weeks') FROM
	unnest((SELECT activity_metrics.activity_cusum(unit, period, x, NULL, $$false alarms per year 6, grain 'day'$$) FROM panel WHERE k = 3)) AS a, unnest((SELECT activity_metrics.activity_cusum(unit, period, x, NULL, 'false alarms per year 6') FROM panel WHERE k = 3)) AS b WHERE a.unit = 'u1' AND b.unit = 'u1';
SELECT results_eq($$SELECT r.unit, r.period, r.alarm, r.reason IS NULL FROM unnest((SELECT activity_metrics.activity_cusum(u, p, 20, NULL, 'silent 5') FROM (VALUES ('a', 60), ('b', 56), ('c', 50)) AS v(u, last), generate_series(1, last) AS p)) AS r WHERE r.unit IS NOT NULL$$,
	$$VALUES ('a', 60::bigint, false, true), ('b', 60, true, true), ('c', 55, NULL, false)$$, 'silent: zeros, then gone');

--
-- Bad input
--
CREATE FUNCTION refused(arguments text, state text, what text) RETURNS text LANGUAGE sql AS $$
	SELECT throws_ok(format('SELECT activity_metrics.activity_cusum(%s) FROM warning_test.panel WHERE k = 5', arguments), state, NULL, what);
$$;
SELECT refused('unit, period, -x - 1', '22023', 'negative');
SELECT refused('unit, period, ''NaN''', '22003', 'NaN');
SELECT refused('unit, period, ''Infinity''', '22003', 'infinity');
SELECT refused('unit, period, x, 1.5', '22023', 'quality above 1');
SELECT refused('unit, period, x, NULL, ''h 0''', '22023', 'h 0');
SELECT refused('unit, period, x, NULL, ''h five''', '22023', 'h five');
SELECT refused('unit, period, x, NULL, ''poisson, h 4.2''', '22023', 'h not a multiple of 0.5');
SELECT refused('unit, period, x, NULL, ''h 5, false alarms per year 6''', '22023', 'both');
SELECT refused('unit, period, x, NULL, ''false alarms per year 0''', '22023', 'no false alarms at all');
SELECT refused('unit, period, x, NULL, ''grain ''''fortnight''''''', '22023', 'no such grain');
SELECT refused('unit, period, x, NULL, ''silent -1''', '22023', 'silent below 0');
SELECT refused('unit, period, x, NULL, ''no idea''', '22023', 'an unknown option');
SELECT refused('unit, period, x, NULL, ''h '' || (4 + period % 2)', '22023', 'options that change');
SELECT refused('unit, CASE WHEN period = 1 THEN -9000000000000000000 ELSE period END, x', '54000', 'too wide a panel');

-- run lengths
SELECT is(round(activity_metrics.poisson_cusum_run_length(1.88, 2, 6, upwards => true)::numeric, 2), 37.20, 'Lucas 1985');
SELECT is(round(activity_metrics.poisson_cusum_run_length(1.88, 2, 6, 3, true)::numeric, 2), 29.19, 'with head start');
SELECT is(round(activity_metrics.poisson_cusum_run_length(2, 1.5, 7)::numeric, 0), 446::numeric, 'downwards');
SELECT ok(abs(activity_metrics.cusum_run_length(mean, phi, change, h) / want - 1) < 0.06, format('mean %s phi %s change %s h %s', mean, phi, change, h))
	FROM (VALUES (5, 1, 0, 4, 155), (5, 1, 0, 5, 354), (20, 1, 0, 5, 534), (20, 3, 0, 5, 486), (40, 6, 0, 4, 212), (5, 1, -0.3, 5, 15), (20, 3, -0.5, 5, 5.2)) AS v(mean, phi, change, h, want);
SELECT ok(activity_metrics.cusum_run_length(20, level_rows => 52) < activity_metrics.cusum_run_length(20), 'a level that is not known');
SELECT throws_ok($$SELECT activity_metrics.cusum_run_length(0)$$, '22023', NULL, 'mean 0');
SELECT throws_ok($$SELECT activity_metrics.cusum_run_length(5, level_rows => -1)$$, '22023', NULL, 'rows below 0');
SELECT throws_ok($$SELECT activity_metrics.cusum_run_length('NaN')$$, '22023', NULL, 'mean NaN');
SELECT throws_ok($$SELECT activity_metrics.cusum_run_length(5, 0.5)$$, '22023', NULL, 'phi below 1');
SELECT throws_ok($$SELECT activity_metrics.cusum_run_length(5, 1, -2)$$, '22023', NULL, 'less than nothing');
SELECT throws_ok($$SELECT activity_metrics.poisson_cusum_run_length(5, 1.3, 6)$$, '22023', NULL, 'k not a multiple of 0.5');
SELECT is(activity_metrics.cusum_run_length(NULL), NULL, 'NULL');

--
-- The report: calls lead wins by 3 weeks; one rep drops
--
CREATE TABLE week (unit integer, period bigint, calls float8);
INSERT INTO week SELECT u, 2800 + p, round(CASE WHEN u = 4 AND p > 84 THEN 0.35 ELSE 1 END * (15 + 25 * random())) FROM generate_series(1, 16) AS u, generate_series(1, 90::bigint) AS p;
CREATE TABLE led AS SELECT unit, period, calls, floor(0.5 + 0.008 * lag(calls, 3, 27) OVER w ^ 2 + 2 * random()) AS wins FROM week WINDOW w AS (PARTITION BY unit ORDER BY period);
CREATE TABLE warned AS SELECT *, row_number() OVER () AS place FROM activity_metrics.early_warning_report('calls', 'wins', relation => 'led');
SELECT is(count(*), 17::bigint, 'a row per rep and one for all') FROM warned;
SELECT ok(rep = '4' AND alarm AND change BETWEEN -0.8 AND -0.5 AND expected_loss > 0 AND due_from > since_start AND due_to >= due_from AND alarm_start >= since_start AND NOT is_canary AND reason IS NULL
	AND sentence LIKE '4: calls at % a week since %, usual % (-%). Expect about % wins a week less from % on, for as long as it lasts.', sentence) FROM warned WHERE place = 1;
SELECT is(w.expected_loss, least(u.y, -v.elasticity * u.y * ln((w.level_now + 0.5) / (w.usual_level + 0.5))), 'the loss by its formula')
	FROM warned AS w, (SELECT (activity_metrics.vanity(unit::text, period, calls, wins)).* FROM led) AS v,
	(SELECT sum(l.wins) / 26 AS y FROM led AS l, warned AS w WHERE w.rep = '4' AND l.unit = 4 AND l.period BETWEEN activity_metrics.period_no(w.since_start) - 26 AND activity_metrics.period_no(w.since_start) - 1) AS u WHERE w.rep = '4';
SELECT is(w.due_from, (w.since_start + 7 * v.lag_from), 'due after the lag') FROM warned AS w, (SELECT (activity_metrics.vanity(unit::text, period, calls, wins)).* FROM led) AS v WHERE w.rep = '4';
SELECT is(string_agg(rep, ' '), '4', 'alarms only') FROM activity_metrics.early_warning_report('calls', relation => 'led', all_units => false) WHERE rep = '4' OR NOT alarm;
SELECT ok(bool_and(expected_loss IS NULL AND sentence NOT LIKE '%xpect%'), 'without an outcome no loss') FROM activity_metrics.early_warning_report('calls', relation => 'led');
ALTER TABLE led ADD COLUMN noise float8;
UPDATE led SET noise = floor(4 * random());
SELECT ok(alarm AND expected_loss IS NULL AND sentence LIKE '%What it costs in noise is not known: the verdict on calls is %', 'nor with one that it does not lead') FROM activity_metrics.early_warning_report('calls', 'noise', relation => 'led') WHERE rep = '4';
SELECT ok(count(*) > 0, 'h is passed on') FROM activity_metrics.early_warning_report('calls', relation => 'led', options => 'h 3') WHERE threshold = 3;

-- all at once: data capture
UPDATE led SET calls = floor(calls * 0.4) WHERE period >= 2888;
SELECT ok(alarm AND is_canary AND sentence LIKE 'all together: %a canary for data capture, not for effort.' AND next_step LIKE 'Look for what changed in logging%', sentence) FROM activity_metrics.early_warning_report('calls', relation => 'led') WHERE rep IS NULL;
SELECT is(string_agg(rep, ' '), '4', 'and no rep is blamed for it') FROM activity_metrics.early_warning_report('calls', relation => 'led') WHERE alarm AND since_start >= activity_metrics.period_start(2884) AND rep IS NOT NULL;

-- the dictionary and the view
CREATE TABLE activity AS SELECT 'rep ' || unit AS actor, 'call' AS kind, '1970-01-01Z'::timestamptz + (period * 7 - 3 + random() * 4) * interval '1 day' AS at FROM week, generate_series(1, (calls / 3)::int) WHERE unit <= 6;
DELETE FROM activity_metrics.metric;
SELECT is_empty('SELECT * FROM activity_metrics.early_warning', 'an empty dictionary');
SELECT activity_metrics.define_metric('calls', 'activity', 'call') \gset
SELECT activity_metrics.define_metric('answers', 'activity', 'answer', kind => 'outcome') \gset
CREATE TABLE gone AS SELECT * FROM activity;
SELECT activity_metrics.define_metric('visits', 'gone', 'call') \gset
DROP TABLE gone;
SELECT results_eq($$SELECT rep, alarm, level_now, cusum, n, sentence FROM activity_metrics.early_warning WHERE metric = 'calls'$$,
	$$SELECT rep, alarm, level_now, cusum, n, sentence FROM activity_metrics.early_warning_report('calls', 'answers')$$, 'the view: as the report');
SELECT ok(count(*) = 1 AND bool_and(alarm IS NULL AND reason LIKE '%does not exist%' AND sentence LIKE 'visits cannot be watched: %'), 'a metric that fails has a row with the reason') FROM activity_metrics.early_warning WHERE metric = 'visits';
SELECT is(string_agg(DISTINCT coalesce(reason, sentence) || coalesce(outcome, ''), ','), 'nothing is usual: the level is zero', 'nothing ever happened') FROM activity_metrics.early_warning WHERE metric = 'answers';
-- what is no amount, and what is better the less there is of it
SELECT activity_metrics.define_metric('share', numerator => 'answers', denominator => 'calls') \gset
SELECT activity_metrics.define_metric('reach', 'activity', agg => 'count_distinct', value => 'at') \gset
SELECT throws_ok($$SELECT * FROM activity_metrics.early_warning_report('share')$$, '22023', 'metric "share" is no amount of activity per period', 'a ratio');
SELECT results_eq($$SELECT alarm, sentence, next_step FROM activity_metrics.early_warning WHERE metric = 'share'$$,
	$$VALUES (NULL::boolean, 'share cannot be watched: metric "share" is no amount of activity per period.', 'Watch what it is made of: calls, answers.')$$, 'the view says so');
SELECT ok(count(*) = 6 AND count(rep) = 6, 'distinct counts of reps do not add up') FROM activity_metrics.early_warning_report('reach');
UPDATE activity_metrics.metric SET direction = 'down' WHERE metric = 'reach';
SELECT is_empty($$SELECT * FROM activity_metrics.early_warning WHERE metric = 'reach'$$, 'less of it is better');
DELETE FROM activity_metrics.metric WHERE metric IN ('share', 'reach');
-- a sum alarms alike in whatever unit it is
SAVEPOINT units;
CREATE TABLE paid AS SELECT 'rep ' || u AS actor, 'won' AS kind, '2026-01-05 09:00Z'::timestamptz + make_interval(weeks => w) AS at, v, v / 1048576 AS v_small, v * 1048576 AS v_large
	FROM generate_series(1, 6) AS u, generate_series(0, 39) AS w, LATERAL (SELECT CASE WHEN u = 1 AND w > 34 THEN 0 ELSE 100 + abs(hashint4(u * 1000 + w) % 300) END::float8 AS v) AS x;
SELECT activity_metrics.define_metric('paid', 'paid', 'won', 'sum', value => 'v'), activity_metrics.define_metric('paid_small', 'paid', 'won', 'sum', value => 'v_small'), activity_metrics.define_metric('paid_large', 'paid', 'won', 'sum', value => 'v_large') \gset p_
CREATE TABLE alarms AS SELECT m, w.* FROM unnest(ARRAY['paid', 'paid_small', 'paid_large']) AS m, LATERAL activity_metrics.early_warning_report(m, until => '2026-10-12Z') AS w;
SELECT results_eq($$SELECT m, rep, since_start FROM alarms WHERE alarm AND rep = 'rep 1' ORDER BY m$$, $$VALUES ('paid', 'rep 1', '2026-09-07'::date), ('paid_large', 'rep 1', '2026-09-07'), ('paid_small', 'rep 1', '2026-09-07')$$, 'whoever sells nothing any more');
SELECT ok(max(abs(s.usual_level * 1048576 / p.usual_level - 1)) < 1e-3 AND max(abs(s.level_now * 1048576 - p.level_now)) < 1 AND max(abs(s.cusum - p.cusum)) < 0.1 AND max(abs(s.phi * 1048576 / p.phi - 1)) < 0.05, 'levels in its own unit')
	FROM alarms AS s JOIN alarms AS p ON s.m = 'paid_small' AND p.m = 'paid' AND s.rep IS NOT DISTINCT FROM p.rep;
ROLLBACK TO SAVEPOINT units;
-- a holiday of all for two weeks alarms for all together, until it is written down
SAVEPOINT holiday;
CREATE TABLE steady AS SELECT 'rep ' || u AS actor, 'call' AS kind, '2026-01-05 09:00Z'::timestamptz + make_interval(weeks => w, mins => i) AS at FROM generate_series(1, 8) AS u, generate_series(0, 39) AS w, generate_series(1, 18 + (u * 7 + w * 3) % 5) AS i WHERE w < 37 OR w > 38;
INSERT INTO steady SELECT 'rep ' || u, 'mail', '2026-01-05Z'::timestamptz + make_interval(weeks => 38, hours => 30) FROM generate_series(1, 8) AS u;
SELECT activity_metrics.define_metric('steady', 'steady', 'call') \gset
SELECT ok(bool_or(alarm) FILTER (WHERE rep IS NULL) AND NOT bool_or(alarm) FILTER (WHERE rep IS NOT NULL), 'two weeks without anybody') FROM activity_metrics.early_warning_report('steady', until => '2026-10-05Z');
CREATE TABLE noted AS SELECT (activity_metrics.annotate(NULL, '2026-09-21Z'::timestamptz + w * interval '7 days', 'company holiday', 'holiday')).annotation_id FROM generate_series(0, 1) AS w;
SELECT ok(NOT bool_or(alarm) AND min(n) = 37 AND max(n) = 37, 'of which we know') FROM activity_metrics.early_warning_report('steady', until => '2026-10-05Z');
ROLLBACK TO SAVEPOINT holiday;
SELECT ok('security_invoker=true' = ANY (reloptions), 'with the rights of the reader') FROM pg_class WHERE oid = 'activity_metrics.early_warning'::regclass;
SELECT lives_ok($$SELECT * FROM (SELECT * FROM activity_metrics.early_warning_report('calls')) AS _ LIMIT 1$$, 'in a subquery');
SET LOCAL search_path = pg_catalog, public;
SELECT lives_ok($$SELECT * FROM activity_metrics.early_warning$$, 'whatever the search_path');
SET LOCAL search_path = warning_test, public;
SELECT throws_ok($$SELECT * FROM activity_metrics.early_warning_report('cals')$$, '42704', 'metric "cals" is not in the dictionary', 'no such metric');
SELECT throws_ok($$SELECT * FROM activity_metrics.early_warning_report('calls', 'winz')$$, '42704', NULL, 'no such outcome');
SELECT throws_ok($$SELECT * FROM activity_metrics.early_warning_report('cals', relation => 'led')$$, '42703', NULL, 'no such column');
SELECT throws_ok($$SELECT * FROM activity_metrics.early_warning_report('calls', grain => 'fortnight')$$, '22023', NULL, 'no such grain');
SELECT throws_ok($$SELECT * FROM activity_metrics.early_warning_report('calls', grain => NULL)$$, '22004', NULL, 'no grain');
SELECT throws_ok($$SELECT * FROM activity_metrics.early_warning_report('calls', since => '2024-01-02Z', until => '2024-01-01Z')$$, '22023', NULL, 'a range that ends before it begins');
SELECT throws_ok($$SELECT * FROM activity_metrics.early_warning_report('calls', options => 'no idea')$$, '22023', NULL, 'an unknown option');

SELECT * FROM finish();
ROLLBACK;
