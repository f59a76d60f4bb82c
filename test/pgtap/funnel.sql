-- funnel() against a twin in plain SQL that tries every chain of events and counts what it finds; and what it refuses.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;
-- the planner thinks temporary tables large
SET LOCAL jit = off;
SELECT no_plan();

-- 0 .. n - 1 from any text, the same on every server
CREATE FUNCTION pg_temp.draw(seed text, n int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT (('x' || substr(md5(seed), 1, 8))::bit(32)::bigint % n)::int $$;

-- Few kinds, few times: ties abound. Entities 1 .. 700; every tenth has none or one event, some have eight
CREATE TEMP TABLE ev AS
SELECT row_number() OVER () AS id, n::bigint AS entity, n % 4 AS segment,
       timestamptz '2024-03-01' + pg_temp.draw('t' || n || '.' || i, CASE WHEN n % 3 = 0 THEN 4 ELSE 11 END) * interval '12 hours' AS at,
       (ARRAY['a', 'b', 'c', 'd', 'other'])[1 + pg_temp.draw('k' || n || '.' || i, 5)] AS kind
FROM generate_series(1, 700) n, generate_series(1, 8) i
WHERE i <= CASE WHEN n % 10 = 0 THEN 1 ELSE 1 + pg_temp.draw('n' || n, 8) END;

-- what has no entity, no time or no kind is no event
CREATE TEMP TABLE ev_null AS
SELECT * FROM ev
UNION ALL SELECT -1, NULL, 0, '2024-03-02', 'a' UNION ALL SELECT -2, NULL, 1, '2024-03-02', 'b'
UNION ALL SELECT -3, 10, 2, NULL, 'a' UNION ALL SELECT -4, 7777, 3, NULL, 'a'
UNION ALL SELECT -5, 20, 0, '2024-03-02', NULL UNION ALL SELECT -6, NULL, NULL, NULL, NULL;

CREATE TEMP TABLE spec_case (no int, spec text, steps jsonb, labels text[], within interval);
INSERT INTO spec_case VALUES
	(1, 'a -> b', '[["a"], ["b"]]', '{a,b}', NULL),
	(2, 'a -> b -> c within 2 days', '[["a"], ["b"], ["c"]]', '{a,b,c}', '2 days'),
	(3, 'a -> (b | c) -> d within 36 hours', '[["a"], ["b", "c"], ["d"]]', '{a,"b | c",d}', '36 hours'),
	(4, 'a -> a -> a within 1 week', '[["a"], ["a"], ["a"]]', '{a,a,a}', '7 days'),
	(5, '(a|b) -> (b|c) -> (c|a) -> ''d'' within 3.5 days', '[["a", "b"], ["b", "c"], ["c", "a"], ["d"]]', '{a|b,b|c,c|a,d}', '84 hours'),
	(6, 'a within 12 hours', '[["a"]]', '{a}', '12 hours'),
	(7, 'a -> b -> c -> d -> a', '[["a"], ["b"], ["c"], ["d"], ["a"]]', '{a,b,c,d,a}', NULL),
	(8, 'd -> (a | b | c) -> nobody -> a within 1 day, strict once', '[["d"], ["a", "b", "c"], ["nobody"], ["a"]]', '{d,a | b | c,nobody,a}', '24 hours'),
	(9, '(a|b|c|d) -> (a|b|c|d) -> (a|b) within 1 second', '[["a","b","c","d"], ["a","b","c","d"], ["a","b"]]', '{a|b|c|d,a|b|c|d,a|b}', '1 second'),
	(10, 'nobody -> a', '[["nobody"], ["a"]]', '{nobody,a}', NULL);

CREATE AGGREGATE pg_temp.product(double precision) (SFUNC = float8mul, STYPE = double precision, INITCOND = 1);

CREATE FUNCTION pg_temp.wilson(x float8, n float8, sign int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$
	SELECT (x / n + z * z / (2 * n) + sign * z * sqrt(x / n * (1 - x / n) / n + z * z / (4.0 * n * n))) / (1 + z * z / n)
	FROM (SELECT 1.959963984540054::float8 AS z) c WHERE n > 0
$$;

CREATE FUNCTION pg_temp.days(length interval) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT extract(epoch FROM length)::float8 / 86400 $$;

-- What became of an attempt. Times of the steps of the chain shown; when any chain first got to each step
CREATE TYPE pg_temp.fate AS (entity text, level int, stop text, ended timestamptz, times timestamptz[], first_reached timestamptz[]);

-- Every chain of distinct events with times that do not decrease; then the best one, and why it ended.
-- Of all chains, not the best one only: when each level was first reached, the clock of the eventual rate
CREATE FUNCTION pg_temp.fates(events regclass, steps jsonb, within interval, as_of timestamptz, entry_since timestamptz,
	entry_until timestamptz, segment_wanted int)
RETURNS pg_temp.fate[] LANGUAGE plpgsql AS
$body$
DECLARE
	result pg_temp.fate[];
BEGIN
	EXECUTE format($$
		WITH RECURSIVE seen AS MATERIALIZED (
			SELECT * FROM %s
			WHERE entity IS NOT NULL AND at IS NOT NULL AND kind IS NOT NULL AND (at > $3) IS NOT TRUE
				AND ($5 IS NULL OR segment = $5)
		), data_end AS (SELECT coalesce($3, max(at)) AS at FROM seen)
		, chain AS (
			SELECT entity, 1 AS level, at AS start, at AS last, ARRAY[at] AS times, ARRAY[id] AS used
			FROM seen WHERE $1 -> 0 ? kind AND (at >= $4) IS NOT TRUE AND (at < $6) IS NOT TRUE
			UNION ALL
			SELECT c.entity, c.level + 1, c.start, s.at, c.times || s.at, c.used || s.id
			FROM chain c JOIN seen s USING (entity)
			WHERE $1 -> c.level ? s.kind AND s.at >= c.last AND s.id <> ALL (c.used) AND (s.at > c.start + $2) IS NOT TRUE
		), best AS (
			SELECT DISTINCT ON (entity) entity, level, times FROM chain ORDER BY entity, level DESC, last, start DESC, times
		), latest AS (
			SELECT entity, max(start) AS start FROM chain JOIN best USING (entity, level) GROUP BY entity
		), first AS (
			SELECT entity, array_agg(at ORDER BY level) AS reached
			FROM (SELECT entity, level, min(last) AS at FROM chain GROUP BY entity, level) f GROUP BY entity
		)
		SELECT array_agg(ROW(entity, level,
			CASE WHEN level = jsonb_array_length($1) THEN 'converted' WHEN start + $2 <= data_end.at THEN 'timed out' ELSE 'still open' END,
			NULL, times, first.reached)::pg_temp.fate)
		FROM best JOIN latest USING (entity) JOIN first USING (entity), data_end $$, events)
	INTO result USING steps, within, as_of, entry_until, segment_wanted, entry_since;
	RETURN result;
END
$body$;

-- What a funnel makes of attempts. In any order the rows are the first step done, the second, and so on.
-- The eventual rate is that of Aalen and Johansen with the variance as Marubini and Valsecchi (1995) write it, the interval Rothman's (1978)
CREATE FUNCTION pg_temp.tally(fates pg_temp.fate[], n_steps int, as_of timestamptz, any_order boolean DEFAULT false)
RETURNS TABLE (step_no int, reached bigint, step_rate float8, step_rate_low float8, step_rate_high float8, overall_rate float8,
	overall_rate_low float8, overall_rate_high float8, still_open bigint, timed_out bigint, excluded bigint, broken bigint,
	eventual_rate float8, median_days float8, p90_days float8, median_days_from_start float8,
	eventual_rate_low float8, eventual_rate_high float8, mean_days float8, mean_days_from_start float8, p90_days_from_start float8,
	taken bigint, entities bigint,
	overall_eventual_rate float8, overall_eventual_rate_low float8, overall_eventual_rate_high float8)
LANGUAGE sql AS
$$
	WITH fate AS MATERIALIZED (
		SELECT entity, level, stop, ended, first_reached,
			CASE WHEN any_order THEN ARRAY(SELECT t FROM unnest(times) t WHERE t IS NOT NULL ORDER BY t) ELSE times END AS times
		FROM unnest(fates)
	), step AS (SELECT generate_series(1, n_steps) AS s)
	, counted AS (
		SELECT s, count(*) FILTER (WHERE level >= s) AS here, count(*) FILTER (WHERE level >= s - 1) AS before,
			count(*) FILTER (WHERE level >= 1) AS entered, count(DISTINCT entity) FILTER (WHERE level >= s) AS entities,
			count(times[s]) FILTER (WHERE level >= s) AS taken,
			count(*) FILTER (WHERE level = s AND stop = 'still open') AS still_open, count(*) FILTER (WHERE level = s AND stop = 'timed out') AS timed_out,
			count(*) FILTER (WHERE level = s AND stop = 'excluded') AS excluded, count(*) FILTER (WHERE level = s AND stop = 'broken') AS broken
		FROM step LEFT JOIN fate ON true GROUP BY s
	), took AS (
		SELECT s, pg_temp.days(times[s] - p.latest) AS days, pg_temp.days(times[s] - p.first) AS from_start
		FROM step JOIN fate ON level >= s AND times[s] IS NOT NULL,
			LATERAL (SELECT min(t) AS first, max(t) AS latest FROM unnest(times[1:s - 1]) t) p
		WHERE p.first IS NOT NULL
	), times AS (
		SELECT s, percentile_cont(0.5) WITHIN GROUP (ORDER BY days) AS median, percentile_cont(0.9) WITHIN GROUP (ORDER BY days) AS p90, avg(days) AS mean,
			percentile_cont(0.5) WITHIN GROUP (ORDER BY from_start) AS start_median, percentile_cont(0.9) WITHIN GROUP (ORDER BY from_start) AS start_p90,
			avg(from_start) AS start_mean
		FROM took GROUP BY s
	), curve AS (
		-- from step `since` to step `goal`
		SELECT s AS goal, s - 1 AS since FROM step WHERE s > 1 UNION SELECT n_steps, 1 WHERE n_steps > 1
	), leaving AS (
		SELECT goal, since, t, count(*) FILTER (WHERE why = 'converted') AS d1, count(*) FILTER (WHERE why = 'lost') AS d2, count(*) FILTER (WHERE why = 'open') AS c
		FROM curve JOIN fate ON level >= since, LATERAL (
			SELECT CASE WHEN level >= goal THEN 'converted' WHEN stop IN ('excluded', 'broken') THEN 'lost' WHEN stop = 'still open' THEN 'open' END,
				CASE WHEN level >= goal THEN first_reached[goal] WHEN stop = 'still open' THEN as_of ELSE ended END - first_reached[since]) l(why, t)
		WHERE why IS NOT NULL GROUP BY goal, since, t
	), moment AS (
		-- at one time whoever is lost to sight is so after the events
		SELECT l.goal, l.since, t, d1::float8, (d1 + d2)::float8 AS d, c.n::float8 - coalesce(sum(d1 + d2 + l.c) OVER (
				PARTITION BY l.goal, l.since ORDER BY t ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::float8 AS n
		FROM leaving l, LATERAL (SELECT count(*) AS n FROM fate WHERE level >= l.since) c
	), event AS (
		SELECT *, coalesce(pg_temp.product(1 - d / n) OVER (PARTITION BY goal, since ORDER BY t ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 1) AS s0,
			(n <> lag(n - d) OVER (PARTITION BY goal, since ORDER BY t)) IS NOT FALSE AS new_run
		FROM moment WHERE d > 0
	), incidence AS (
		SELECT *, sum(s0 * d1 / n) OVER (PARTITION BY goal, since ORDER BY t) AS f, sum(s0 * d1 / n) OVER (PARTITION BY goal, since) AS f_end,
			sum(new_run::int) OVER (PARTITION BY goal, since ORDER BY t) AS run
		FROM event
	), estimate AS (
		SELECT goal, since, max(f_end) AS f, sum(d) = sum(d1) AND bool_or(n = d) AS all_of_them,
			sum(CASE WHEN n > d THEN (f_end - f) ^ 2 * d / (n * (n - d)) ELSE 0 END + s0 ^ 2 * d1 * (n - d1) / n ^ 3 - 2 * (f_end - f) * s0 * d1 / n ^ 2) AS variance,
			(array_agg(n / s0 ORDER BY run DESC, t))[1] AS last_run
		FROM incidence GROUP BY goal, since
	), eventual AS (
		SELECT goal, since, rate, CASE WHEN size > 0 THEN pg_temp.wilson(rate * size, size, -1) ELSE 0 END AS low,
			CASE WHEN size > 0 THEN pg_temp.wilson(rate * size, size, 1) ELSE 1 END AS high
		FROM curve LEFT JOIN estimate USING (goal, since), LATERAL (
			SELECT count(*) AS n, count(*) FILTER (WHERE level < goal AND stop = 'still open') AS open FROM fate WHERE level >= since) p,
			LATERAL (SELECT CASE WHEN all_of_them THEN 1 ELSE coalesce(f, 0) END AS rate) r,
			LATERAL (SELECT CASE WHEN all_of_them THEN last_run WHEN rate > 0 THEN rate * (1 - rate) / variance ELSE n - open END AS size) z
		WHERE n > 0
	)
	SELECT s, here,
		CASE WHEN s = 1 THEN CASE WHEN entered > 0 THEN 1 END ELSE here / nullif(before, 0)::float8 END,
		CASE WHEN s > 1 THEN pg_temp.wilson(here, before, -1) END, CASE WHEN s > 1 THEN pg_temp.wilson(here, before, 1) END,
		here / nullif(entered, 0)::float8,
		CASE WHEN s > 1 THEN pg_temp.wilson(here, entered, -1) END, CASE WHEN s > 1 THEN pg_temp.wilson(here, entered, 1) END,
		still_open, timed_out, excluded, broken,
		e.rate, median, p90, start_median, e.low, e.high, mean, start_mean, start_p90, taken, entities, o.rate, o.low, o.high
	FROM counted LEFT JOIN times USING (s) LEFT JOIN eventual e ON e.goal = s AND e.since = s - 1
		LEFT JOIN eventual o ON o.goal = s AND s = n_steps AND o.since = 1
	ORDER BY s
$$;

-- wider where what is compared is a difference of what is alike
CREATE FUNCTION pg_temp.near(a float8, b float8, tolerance float8 DEFAULT 1e-12) RETURNS boolean LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN a IS NULL OR b IS NULL THEN a IS NULL AND b IS NULL ELSE abs(a - b) <= tolerance + tolerance * abs(b) END $$;

-- NULL where a funnel is what the tally says, else the first step where it is not
CREATE FUNCTION pg_temp.difference(got activity_metrics.funnel_step[], labels text[], fates pg_temp.fate[], as_of timestamptz, any_order boolean DEFAULT false)
RETURNS text LANGUAGE sql AS
$$
	SELECT format(E'got  %s\nwant %s', g, w)
	FROM unnest(got) WITH ORDINALITY AS g(step_no, step, reached, step_rate, step_rate_low, step_rate_high, overall_rate, overall_rate_low,
			overall_rate_high, still_open, timed_out, excluded, broken, eventual_rate, median_days, p90_days, median_days_from_start, note,
			eventual_rate_low, eventual_rate_high, mean_days, mean_days_from_start, p90_days_from_start, taken, entities,
			overall_eventual_rate, overall_eventual_rate_low, overall_eventual_rate_high, place)
	FULL JOIN pg_temp.tally(fates, cardinality(labels), as_of, any_order) w ON w.step_no = g.place
	WHERE (g.step_no = w.step_no AND g.step = labels[w.step_no] AND g.reached = w.reached
		AND pg_temp.near(g.step_rate, w.step_rate) AND pg_temp.near(g.step_rate_low, w.step_rate_low)
		AND pg_temp.near(g.step_rate_high, w.step_rate_high) AND pg_temp.near(g.overall_rate, w.overall_rate)
		AND pg_temp.near(g.overall_rate_low, w.overall_rate_low) AND pg_temp.near(g.overall_rate_high, w.overall_rate_high)
		AND g.still_open = w.still_open AND g.timed_out = w.timed_out AND g.excluded = w.excluded AND g.broken = w.broken
		AND pg_temp.near(g.eventual_rate, w.eventual_rate) AND pg_temp.near(g.median_days, w.median_days)
		AND pg_temp.near(g.p90_days, w.p90_days) AND pg_temp.near(g.median_days_from_start, w.median_days_from_start)
		AND pg_temp.near(g.eventual_rate_low, w.eventual_rate_low, 1e-9) AND pg_temp.near(g.eventual_rate_high, w.eventual_rate_high, 1e-9)
		AND pg_temp.near(g.mean_days, w.mean_days) AND pg_temp.near(g.mean_days_from_start, w.mean_days_from_start)
		AND pg_temp.near(g.p90_days_from_start, w.p90_days_from_start) AND g.taken = w.taken AND g.entities = w.entities
		AND pg_temp.near(g.overall_eventual_rate, w.overall_eventual_rate)
		AND pg_temp.near(g.overall_eventual_rate_low, w.overall_eventual_rate_low, 1e-9)
		AND pg_temp.near(g.overall_eventual_rate_high, w.overall_eventual_rate_high, 1e-9)) IS NOT TRUE
	ORDER BY coalesce(g.place, w.step_no) LIMIT 1
$$;

-- ... and where it is what the twin says
CREATE FUNCTION pg_temp.difference(got activity_metrics.funnel_step[], labels text[], events regclass, steps jsonb, within interval,
	as_of timestamptz DEFAULT NULL, entry_since timestamptz DEFAULT NULL, entry_until timestamptz DEFAULT NULL, segment int DEFAULT NULL)
RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	data_end timestamptz := as_of;
BEGIN
	IF as_of IS NULL THEN
		EXECUTE format('SELECT max(at) FROM %s WHERE entity IS NOT NULL AND kind IS NOT NULL AND ($1 IS NULL OR segment = $1)', events) INTO data_end USING segment;
	END IF;
	RETURN pg_temp.difference(got, labels, pg_temp.fates(events, steps, within, as_of, entry_since, entry_until, segment), data_end);
END
$$;

-- The twin meets what it is there for
SELECT ok(sum(reached) FILTER (WHERE step_no = 3) > 100 AND sum(still_open) > 100 AND sum(timed_out) > 100
		AND count(*) FILTER (WHERE eventual_rate > step_rate + 0.01) > 2 AND count(*) FILTER (WHERE overall_eventual_rate > overall_rate + 0.01) > 2,
	'the data hold conversions, open attempts, attempts that timed out, and censoring that matters')
FROM spec_case, pg_temp.tally(pg_temp.fates('ev', steps, within, '2024-03-04', NULL, NULL, NULL), cardinality(labels), '2024-03-04');

SELECT is(pg_temp.difference(activity_metrics.funnel(entity, at, kind, spec), labels, 'ev', steps, within), NULL, 'bigint: ' || spec)
FROM spec_case, ev GROUP BY no, spec, steps, labels, within ORDER BY no;
SELECT is(pg_temp.difference(activity_metrics.funnel('deal ' || entity, at, kind, spec), labels, 'ev', steps, within), NULL, 'text: ' || spec)
FROM spec_case, ev GROUP BY no, spec, steps, labels, within ORDER BY no;
SELECT is(pg_temp.difference(activity_metrics.funnel(md5(entity::text)::uuid, at, kind, spec), labels, 'ev', steps, within), NULL, 'uuid: ' || spec)
FROM spec_case, ev GROUP BY no, spec, steps, labels, within ORDER BY no;

-- as_of: before all events, at one, between two, at the last, long after it
SELECT is(pg_temp.difference(activity_metrics.funnel(entity, at, kind, spec, as_of), labels, 'ev', steps, within, as_of), NULL,
	format('as of %s: %s', as_of, spec))
FROM spec_case, ev, unnest('{2024-02-01,2024-03-03,2024-03-04 05:00:00.000001,2024-03-06,2024-04-01}'::timestamptz[]) AS as_of
GROUP BY no, spec, steps, labels, within, as_of ORDER BY no, as_of;
SELECT is(pg_temp.difference(activity_metrics.funnel(entity::text, at, kind, spec, '2024-03-03'), labels, 'ev', steps, within, '2024-03-03'), NULL,
	'as of, text: ' || spec)
FROM spec_case, ev GROUP BY no, spec, steps, labels, within ORDER BY no;
SELECT is(pg_temp.difference(activity_metrics.funnel(md5(entity::text)::uuid, at, kind, spec, '2024-03-03'), labels, 'ev', steps, within, '2024-03-03'), NULL,
	'as of, uuid: ' || spec)
FROM spec_case, ev GROUP BY no, spec, steps, labels, within ORDER BY no;
SELECT is(activity_metrics.funnel(entity, at, kind, spec, '2024-03-03'),
	activity_metrics.funnel(entity, at, kind, spec, '2024-03-03') FILTER (WHERE at <= '2024-03-03'),
	'events after as_of are not seen: ' || spec)
FROM spec_case, ev GROUP BY no, spec ORDER BY no;
SELECT is(activity_metrics.funnel(entity, at, kind, spec, NULL), activity_metrics.funnel(entity, at, kind, spec),
	'as_of NULL is the last event: ' || spec)
FROM spec_case, ev GROUP BY no, spec ORDER BY no;
SELECT is(activity_metrics.funnel(entity, at, kind, spec, '2024-03-06'), activity_metrics.funnel(entity, at, kind, spec),
	'as_of the last event is no as_of: ' || spec)
FROM spec_case, ev GROUP BY no, spec ORDER BY no;

-- the range of entries, half open; later steps may come after it, and do not come before it
SELECT is(pg_temp.difference(activity_metrics.funnel_between(entity, at, kind, spec, as_of, since, until), labels, 'ev', steps, within, as_of, since, until),
	NULL, format('entries in [%s, %s), as of %s: %s', since, until, as_of, spec))
FROM spec_case, ev, unnest('{2024-03-03,NULL}'::timestamptz[]) AS as_of,
	(VALUES (NULL::timestamptz, timestamptz '2024-03-02'), ('2024-03-01 12:00', NULL), ('2024-03-01 12:00', '2024-03-02')) range(since, until)
WHERE no IN (2, 3, 5) GROUP BY no, spec, steps, labels, within, as_of, since, until ORDER BY no, as_of, since, until;
SELECT is(activity_metrics.funnel_between(entity, at, kind, 'a -> b within 2 days', NULL, NULL, until),
	activity_metrics.funnel(entity, at, kind, 'a -> b within 2 days'), 'no bound of entries: ' || coalesce(until::text, 'NULL'))
FROM ev, unnest('{NULL,infinity,2024-03-07,9999-12-31,290000-01-01,294276-12-31}'::timestamptz[]) AS until GROUP BY until ORDER BY until;
SELECT is(regexp_replace(activity_metrics.funnel_between(entity, at, kind, 'a -> b within 2 days', NULL, since, NULL)::text, '\\"\d+ took later steps without it, and are left out\\"', ''),
	-- who took later steps may have entered before a range
	regexp_replace(activity_metrics.funnel(entity, at, kind, 'a -> b within 2 days')::text, '\\"\d+ took later steps without it, and are left out\\"', ''), 'no bound of entries: since ' || since)
FROM ev, unnest('{-infinity,4714-11-24 BC,2024-03-01}'::timestamptz[]) AS since GROUP BY since ORDER BY since;
SELECT is((activity_metrics.funnel_between(entity, at, kind, 'a -> b', NULL, NULL, until))[1].reached, 0::bigint, 'nobody enters before ' || until)
FROM ev, unnest('{-infinity,4713-01-01 BC,2024-03-01}'::timestamptz[]) AS until GROUP BY until ORDER BY until;
SELECT is((activity_metrics.funnel_between(entity, at, kind, 'a -> b', NULL, since, NULL))[1].reached, 0::bigint, 'nobody enters since ' || since)
FROM ev, unnest('{infinity,290000-01-01,2024-03-06 12:00:01}'::timestamptz[]) AS since GROUP BY since ORDER BY since;

-- All that a specification can say: what funnel_attempts knows of each entity, counted. The attempts have a twin of their own, in funnel_entity.sql
CREATE TEMP TABLE option_case (no serial, spec text);
INSERT INTO option_case (spec) VALUES
	('a -> b -> c [1 day] within 3 days'), ('a -> b? -> c within 2 days'), ('a -> b? [12 hours] -> c? -> d within 4 days'), ('a -> !d -> b -> c within 3 days'),
	('a -> !d -> !c -> b within 60 hours'), ('a -> b -> !a -> !d -> c'), ('a -> b -> c within 3 days, strict order'), ('a -> b -> c -> d, strict order'),
	('a -> !d -> b -> c within 3 days, strict order'), ('a -> b -> c within 2 days, strict increase'), ('a -> b -> c within 2 days, first entry'),
	('a -> b within 1 day, totals'), ('a -> b -> c within 36 hours, totals'), ('a -> !d -> b -> c, totals'), ('a -> b? -> c within 2 days, totals, strict order'),
	('a -> b -> c within 2 days, any order'), ('a -> (a | b) -> c? within 2 days, any order'), ('a -> b -> c, any order, totals, strict increase'),
	('a -> b -> c -> d within 3 days, count skipped'), ('a -> b -> c, count skipped, totals'), ('a -> !d -> b -> !d -> c, count reopened'),
	('a -> b -> !d -> c within 3 days, count reopened, totals, first entry'), ('a -> !other -> b [1 day] -> c?, strict increase, strict once'),
	('a -> !(c | d) -> b -> (c | d) within 3 days');
CREATE FUNCTION pg_temp.option_fates(spec text, as_of timestamptz, since timestamptz, until timestamptz) RETURNS pg_temp.fate[] LANGUAGE sql AS
$$
	SELECT array_agg(ROW(entity, level, stop, ended, times, first_reached)::pg_temp.fate)
	FROM (SELECT entity, activity_metrics.funnel_attempts(at, kind, $1, $2, $3, $4) AS attempts FROM ev GROUP BY entity) a, unnest(attempts)
$$;
CREATE TEMP TABLE option_fate AS
SELECT no, spec, as_of, since, until, pg_temp.option_fates(spec, as_of, since, until) AS fates
FROM option_case, (VALUES (timestamptz '2024-03-06', NULL::timestamptz, NULL::timestamptz), ('2024-03-03', NULL, NULL), ('2024-03-04', '2024-03-01 12:00', '2024-03-03')) range(as_of, since, until);
SELECT ok(min(n) > 0 AND count(*) = 5, 'attempts end in every way there is')
FROM (SELECT stop, count(*) AS n FROM option_fate, unnest(fates) GROUP BY stop) s;
SELECT is(pg_temp.difference((SELECT activity_metrics.funnel_between(entity, at, kind, spec, as_of, since, until) FROM ev), activity_metrics.funnel_steps(spec), fates, as_of,
		activity_metrics.funnel_has_option(spec, 'any order')), NULL, format('as of %s, entries in [%s, %s): %s', as_of, since, until, spec))
FROM option_fate ORDER BY no, as_of;
SELECT is(activity_metrics.funnel('deal ' || entity, at, kind, spec ORDER BY md5(id::text)), activity_metrics.funnel(entity, at, kind, spec),
	'text, any order of rows: ' || spec)
FROM option_case, ev GROUP BY no, spec ORDER BY no;
SELECT is(count(*) FILTER (WHERE f.eventual_rate_low IS DISTINCT FROM f.step_rate_low OR f.eventual_rate_high IS DISTINCT FROM f.step_rate_high
		OR f.eventual_rate IS DISTINCT FROM f.step_rate), 0::bigint, 'where nobody is open, the eventual rate and its interval are those of the step, to the bit')
FROM (SELECT activity_metrics.funnel(entity, at, kind, spec, '2025-01-01') AS s FROM option_case, ev WHERE spec ~ 'within' GROUP BY no, spec) x, unnest(s) f WHERE f.step_no > 1;
SELECT is(count(*) FILTER (WHERE NOT (low <= rate AND rate <= high AND low >= 0 AND high <= 1)), 0::bigint, 'rates lie in their intervals, and these between 0 and 1')
FROM (SELECT activity_metrics.funnel(entity, at, kind, spec, as_of) AS s FROM option_case, ev, unnest('{2024-03-02,2024-03-04,NULL}'::timestamptz[]) as_of GROUP BY no, spec, as_of) x, unnest(s) f,
	LATERAL (VALUES (step_rate_low, step_rate, step_rate_high), (overall_rate_low, overall_rate, overall_rate_high),
		(eventual_rate_low, eventual_rate, eventual_rate_high), (overall_eventual_rate_low, overall_eventual_rate, overall_eventual_rate_high)) r(low, rate, high);

-- the sum of every row
SELECT is(count(*) FILTER (WHERE reached <> coalesce(following, 0) + still_open + timed_out + excluded + broken
		AND (following IS NOT NULL OR still_open + timed_out + excluded + broken > 0)), 0::bigint, 'every row adds up')
FROM (
	SELECT f.*, lead(f.reached) OVER (PARTITION BY no, as_of ORDER BY f.step_no) AS following
	FROM (SELECT spec AS no, as_of, activity_metrics.funnel(entity, at, kind, spec, as_of) AS steps
		FROM ev, (SELECT spec FROM spec_case UNION ALL SELECT spec FROM option_case) c, unnest('{2024-03-02,2024-03-04,NULL}'::timestamptz[]) AS as_of
		GROUP BY spec, as_of) s, unnest(steps) f) x;

-- any order of rows, groups, filters
SELECT is(activity_metrics.funnel(entity, at, kind, spec ORDER BY md5(id::text)), activity_metrics.funnel(entity, at, kind, spec),
	'any order of rows: ' || spec)
FROM spec_case, ev GROUP BY no, spec ORDER BY no;
SELECT is(activity_metrics.funnel('e' || entity, at, kind, spec ORDER BY at DESC, kind, id DESC),
	activity_metrics.funnel('e' || entity, at, kind, spec ORDER BY at, kind DESC, id), 'forwards and backwards: ' || spec)
FROM spec_case, ev GROUP BY no, spec ORDER BY no;
SELECT is(pg_temp.difference(activity_metrics.funnel(entity, at, kind, spec), labels, 'ev', steps, within, segment => segment), NULL,
	format('segment %s: %s', segment, spec))
FROM spec_case, ev WHERE no IN (2, 5) GROUP BY no, spec, steps, labels, within, segment ORDER BY no, segment;
SELECT is(pg_temp.difference(activity_metrics.funnel(entity, at, kind, spec) FILTER (WHERE segment = 2), labels, 'ev', steps, within, segment => 2), NULL,
	'FILTER: ' || spec)
FROM spec_case, ev GROUP BY no, spec, steps, labels, within ORDER BY no;
SELECT is(activity_metrics.funnel(entity, at, kind, spec), (SELECT activity_metrics.funnel(entity, at, kind, spec_case.spec) FROM ev),
	'one spec per group, and the same again per row: ' || spec)
FROM spec_case, ev GROUP BY no, spec ORDER BY no;
SELECT results_eq(
	$$SELECT segment, activity_metrics.funnel(entity, at, kind, 'a -> b -> c') FROM ev GROUP BY GROUPING SETS ((segment), ()) ORDER BY segment$$,
	$$SELECT s, (SELECT activity_metrics.funnel(entity, at, kind, 'a -> b -> c') FROM ev WHERE segment = s OR s IS NULL)
	FROM unnest('{0,1,2,3,NULL}'::int[]) s ORDER BY s$$, 'GROUPING SETS');
SELECT is(activity_metrics.funnel(DISTINCT 1::bigint, at, kind, 'a -> a'),
	activity_metrics.funnel(1::bigint, at, kind, 'a -> a'), 'DISTINCT leaves one of two equal events')
FROM (VALUES (timestamptz '2024-01-01', 'a'), ('2024-01-02', 'a')) v(at, kind);
SELECT is((activity_metrics.funnel(DISTINCT 1::bigint, at, kind, 'a -> a'))[2].reached, 0::bigint, '... and one event fills one step')
FROM (VALUES (timestamptz '2024-01-01', 'a'), ('2024-01-01', 'a')) v(at, kind);

-- NULLs
SELECT is(activity_metrics.funnel(entity, at, kind, spec), (SELECT activity_metrics.funnel(entity, at, kind, spec_case.spec) FROM ev),
	'rows without entity, time or kind are left out: ' || spec)
FROM spec_case, ev_null GROUP BY no, spec ORDER BY no;
SELECT is(activity_metrics.funnel('e' || entity, at, kind, spec), (SELECT activity_metrics.funnel('e' || entity, at, kind, spec_case.spec) FROM ev),
	'... of text: ' || spec)
FROM spec_case, ev_null GROUP BY no, spec ORDER BY no;
SELECT is((SELECT activity_metrics.funnel(entity, at, kind, 'a -> b') FROM ev WHERE false), NULL, 'no rows: NULL');
SELECT is((SELECT activity_metrics.funnel(entity::text, at, kind, 'a -> b', '2024-01-01') FROM ev WHERE false), NULL, 'no rows, text, as_of: NULL');
SELECT is((SELECT activity_metrics.funnel(entity, at, kind, 'a -> b') FILTER (WHERE false) FROM ev), NULL, 'all rows filtered out: NULL');
SELECT is((SELECT activity_metrics.funnel(entity, at, kind, NULL) FROM ev WHERE false), NULL, 'no rows and no spec: NULL');
SELECT results_eq($$
	SELECT f.step_no, f.step, f.reached, f.still_open + f.timed_out + f.excluded + f.broken,
		num_nonnulls(f.step_rate, f.step_rate_low, f.step_rate_high, f.overall_rate, f.overall_rate_low, f.overall_rate_high,
			f.eventual_rate, f.median_days, f.p90_days, f.median_days_from_start, f.eventual_rate_low, f.eventual_rate_high,
			f.mean_days, f.mean_days_from_start, f.p90_days_from_start, f.overall_eventual_rate, f.overall_eventual_rate_low), f.taken + f.entities, f.note
	FROM (SELECT activity_metrics.funnel(e::bigint, t::timestamptz, k::text, 'a -> (b|c)') AS s FROM (VALUES (NULL, NULL, NULL), (NULL, NULL, NULL)) v(e, t, k)) x, unnest(s) f $$,
	$$VALUES (1, 'a', 0::bigint, 0::bigint, 0, 0::bigint, 'no event of kind a'), (2, 'b|c', 0, 0, 0, 0, 'no event of kind b; no event of kind c')$$,
	'rows of NULLs only: zeros and the reason');
SELECT results_eq($$
	SELECT f.reached, num_nonnulls(f.step_rate, f.overall_rate, f.step_rate_low, f.eventual_rate, f.median_days), f.note
	FROM (SELECT activity_metrics.funnel(1::bigint, at, kind, 'a -> b') AS s FROM (VALUES (timestamptz '2024-01-01', 'b')) v(at, kind)) x, unnest(s) f $$,
	$$VALUES (0::bigint, 0, 'no event of kind a, nearest kind present: b'), (0, 0, 'nobody reached the step before: the rate is not defined')$$,
	'nobody entered: zeros and the reason');
SELECT is((activity_metrics.funnel(e, t::timestamptz, k, 'a -> b'))[1].note, 'nobody entered: rates are not defined; 1 took later steps without it, and are left out', 'the kind of the first step only without an entity')
FROM (VALUES (NULL::bigint, '2024-01-01', 'a'), (1, '2024-01-01', 'b')) v(e, t, k);
SELECT is((activity_metrics.funnel(e, t::timestamptz, k, 'a -> b'))[1].note, 'nobody entered: rates are not defined', '... alone')
FROM (VALUES (NULL::bigint, '2024-01-01', 'a'), (NULL, '2024-01-01', 'b')) v(e, t, k);
SELECT is((activity_metrics.funnel(entity, at, kind, 'a -> b', '2020-01-01'))[1].note, 'no event of kind a', 'as_of before all events: the reason') FROM ev;

-- the nearest kind: of any case, of a few letters' difference; the same for any order of rows
SELECT is((activity_metrics.funnel(1::bigint, now(), kind, 'call -> meeting -> won'))[2].note,
	'no event of kind meeting, nearest kind present: meetign', 'the nearest kind is suggested')
FROM unnest('{call,demo,meetign,metting x,email,won}'::text[]) kind;
SELECT is((activity_metrics.funnel(1::bigint, now(), kind, 'Call -> won'))[1].note, 'no event of kind Call, nearest kind present: call', 'case is near')
FROM unnest('{calm,call,bell,won}'::text[]) kind;
SELECT is(array_agg(DISTINCT note), '{"no event of kind won, nearest kind present: wan"}', 'of two as near, the first in order of bytes, in any order of rows')
FROM (SELECT (activity_metrics.funnel(1::bigint, now(), kind, 'call -> won' ORDER BY md5(kind || salt)))[2].note
	FROM unnest('{call,wun,wan,win,wen}'::text[]) kind, generate_series(1, 20) salt GROUP BY salt) x;
SELECT is((activity_metrics.funnel(1::bigint, now(), kind, 'call -> angebot'))[2].note, 'no event of kind angebot, nearest kind present: Angeböt',
	'a kind in UTF-8') FROM unnest('{call,Angeböt,成約}'::text[]) kind;
SELECT is((activity_metrics.funnel(1::bigint, now(), kind, 'call -> won'))[2].note, 'no event of kind won, nearest kind present: call',
	'a kind too long to be meant is not suggested') FROM (VALUES ('call'), (repeat('won', 100))) v(kind);
SELECT is((activity_metrics.funnel(1::bigint, now(), kind, 'k1 -> zzz'))[2].note, 'no event of kind zzz, nearest kind present: zz9',
	'among very many kinds') FROM (SELECT 'k' || i FROM generate_series(1, 3000) i UNION ALL SELECT 'zz9') v(kind);
SELECT is((activity_metrics.funnel(1::bigint, now(), kind, 'call -> (won | lost)'))[2].note, 'no event of kind lost, nearest kind present: won',
	'only the kind that is missing') FROM unnest('{call,won}'::text[]) kind;

-- what a reader has to know besides. Events are written as entity, kind and day: 1 a0 is an a of entity 1 on day 0
CREATE FUNCTION pg_temp.notes(events text, spec text, as_of int DEFAULT NULL) RETURNS text[] LANGUAGE sql AS
$$
	SELECT array_agg(f.note ORDER BY f.step_no)
	FROM (SELECT activity_metrics.funnel(m[1]::bigint, timestamptz '2024-01-01' + m[3]::int * interval '1 day', m[2], spec, timestamptz '2024-01-01' + as_of * interval '1 day') AS s
		FROM regexp_matches(events, '(\d+) ([a-z]+)(\d+)', 'g') m) x, unnest(s) f
$$;
SELECT is(pg_temp.notes(events, spec, as_of), want::text[], format('notes: %s of %s', spec, events)) FROM (VALUES
	('1 a0, 1 b1, 2 b1, 3 c3, 4 other1', 'a -> b -> c within 9 days', NULL, '{"2 took later steps without it, and are left out",NULL,"nobody took this step in time after the one before"}'),
	('1 a0, 1 c1, 2 a0, 2 b1, 2 c2, 3 a0', 'a -> b -> c within 9 days', NULL, '{"1 went on without the next step",NULL,NULL}'),
	('1 a0, 1 d1, 1 c1, 2 a0, 2 b1, 2 d2, 3 a0, 3 c1, 3 b2, 4 c9', 'a -> b -> c -> d within 9 days', NULL,
		'{"1 took later steps without it, and are left out; 1 went on without the next step","1 went on without the next step","nobody took this step in time after the one before","nobody reached the step before: the rate is not defined"}'),
	('1 a0, 1 c1, 1 b1', 'a -> b? -> c within 9 days', NULL, '{NULL,"optional: 1 of 1 took it",NULL}'),
	('1 a0, 1 c1, 2 a0, 2 b1, 2 c2, 3 a0, 3 b1', 'a -> b? -> c within 9 days', NULL, '{NULL,"optional: 2 of 3 took it",NULL}'),
	('1 a0, 1 c1, 2 a0, 2 b1, 2 c2, 3 c1', 'a -> b -> c within 9 days, count skipped', NULL, '{"1 of 3 skipped it","2 of 3 skipped it",NULL}'),
	('1 a0, 1 d1, 1 b2, 2 a0, 2 d1, 3 a0, 3 e1, 4 a0, 4 b1', 'a -> !d -> !e -> b within 9 days', NULL, '{"excluded by d: 2, e: 1",NULL}'),
	('1 a0, 1 d1, 1 c2, 2 a0, 2 b2, 2 c2', 'a -> !d -> b -> c within 9 days', NULL, '{"excluded by d: 1; 1 went on without the next step",NULL,NULL}'),
	('1 a0, 1 b1, 2 a0', 'a -> b', NULL, '{"no within: whoever stopped counts as still open",NULL}'),
	('1 a0, 1 b1, 2 a0, 2 c1', 'a -> b [1 day] -> c', NULL, '{"1 went on without the next step","no within: whoever stopped counts as still open","nobody took this step in time after the one before"}'),
	('1 a0, 1 b1, 1 a2, 1 b3, 2 a0, 2 b1, 1 other9', 'a -> b within 1 day, totals', NULL, '{"3 attempts of 2 entities","3 attempts of 2 entities"}'),
	('1 a0, 1 b1, 1 a2, 1 b3, 1 a4', 'a -> b, totals', NULL, '{"no within: whoever stopped counts as still open; 3 attempts of 1 entity","2 attempts of 1 entity"}'),
	('1 a0, 1 b1, 2 a3', 'a -> b within 1 day, totals', NULL, '{NULL,NULL}'),
	('1 a0, 1 b1, 1 c2, 2 a0, 2 b1', 'a -> b -> c', NULL, '{NULL,"no within: whoever stopped counts as still open",NULL}'),
	('1 a0, 1 b1', 'a -> b', NULL, '{NULL,NULL}'),
	('1 a0, 1 c1, 2 a0, 3 a0, 3 b1', 'a -> !c -> b', NULL, '{"no within: whoever stopped and was not excluded counts as still open; excluded by c: 1",NULL}'),
	('1 c0, 2 a0, 2 b1, 2 c1', 'a -> b? -> c within 3 days, any order', NULL, '{NULL,NULL,NULL}'),
	('1 b0, 1 a5', 'a -> b within 3 days', NULL, '{NULL,"nobody took this step in time after the one before"}'),
	('1 b0, 1 a5', 'a -> b within 3 days', 4, '{"no event of kind a, nearest kind present: b","nobody reached the step before: the rate is not defined"}')
	) v(events, spec, as_of, want);

-- one entity
SELECT is(activity_metrics.funnel(1::bigint, at, kind, 'a -> b -> c within 3 days')::text,
	replace(replace('{"(1,a,1,1,,,1,,,0,0,0,0,,,,,,,,,,,1,1,,,)","(2,b,1,1,LOW,1,1,LOW,1,0,1,0,0,1,1.5,1.5,1.5,,LOW,1,1.5,1.5,1.5,1,1,,,)","(3,c,0,0,0,HIGH,0,0,HIGH,0,0,0,0,0,,,,'
	|| '\"nobody took this step in time after the one before\",0,HIGH,,,,0,0,0,0,HIGH)"}', 'LOW', pg_temp.wilson(1, 1, -1)::text), 'HIGH', pg_temp.wilson(0, 1, 1)::text), 'one entity, the whole row')
FROM (VALUES (timestamptz '2024-01-01', 'a'), ('2024-01-02 12:00', 'b'), ('2024-01-04 00:00:00.000001', 'c')) v(at, kind);
SELECT is((activity_metrics.funnel(1::bigint, at, kind, 'a -> b -> c within 3 days'))[3].reached, 1::bigint, 'the end of the window is inclusive')
FROM (VALUES (timestamptz '2024-01-01', 'a'), ('2024-01-02 12:00', 'b'), ('2024-01-04', 'c')) v(at, kind);
SELECT is((activity_metrics.funnel(1::bigint, at, kind, 'a -> b within 1 day'))[2].reached, 1::bigint, 'a day is 24 hours where the clock changes')
FROM (VALUES (timestamptz '2024-03-30 12:00 Europe/Berlin', 'a'), ('2024-03-31 13:00 Europe/Berlin', 'b')) v(at, kind);

-- The eventual rate where starts recur. Days since the first a: b after 2, 12 and 25; open for 6, 15 and 30. At risk 6, 4 and 2.
-- The chains shown take 2, 2 and 21 days
CREATE TEMP TABLE again (e bigint, day int, kind text);
INSERT INTO again VALUES (1, 0, 'a'), (1, 10, 'a'), (1, 12, 'b'), (2, 0, 'a'), (2, 20, 'a'), (3, 15, 'a'), (3, 25, 'a'), (4, 2, 'a'), (4, 6, 'a'), (4, 27, 'b'),
	(5, 18, 'a'), (5, 20, 'b'), (6, 24, 'a');
CREATE FUNCTION pg_temp.again(spec text, day int) RETURNS activity_metrics.funnel_step[] LANGUAGE sql AS
$$ SELECT activity_metrics.funnel(e, timestamptz '2024-01-01' + day * interval '1 day', kind, spec, timestamptz '2024-01-01' + $2 * interval '1 day') FROM again $$;
SELECT is(ROW(s[2].reached, s[1].still_open, s[2].median_days, s[2].p90_days), ROW(3::bigint, 3::bigint, 2::float8, 17.2::float8), 'starts recur: times are of the chains shown')
FROM pg_temp.again('a -> b within 90 days', 30) s;
SELECT ok(pg_temp.near(s[2].eventual_rate, 1 - 5.0 / 6 * 3 / 4 * 1 / 2), '... the eventual rate counts from the first start') FROM pg_temp.again('a -> b within 90 days', 30) s;
-- 2 and 4 time out and stay at risk; 3 and 6 are open for 15 and 6 days
SELECT ok(s[1].timed_out = 2 AND s[1].still_open = 2 AND pg_temp.near(s[2].eventual_rate, 1 - 5.0 / 6 * 3 / 4), '... who timed out stays at risk')
FROM pg_temp.again('a -> b within 8 days', 30) s;
SELECT is(ROW(s[1].still_open, s[2].eventual_rate, s[2].eventual_rate), ROW(0::bigint, s[2].step_rate, 2 / 6::float8), '... where nobody is open it is the step rate, to the bit')
FROM pg_temp.again('a -> b within 8 days', 60) s;
-- the second step, too, counts from when it was first reached: c after 8 days by a chain of 4; open for 5
SELECT ok(s[3].median_days = 4 AND pg_temp.near(s[3].eventual_rate, 1.0 / 2), '... at a later step: an open one that was at risk for a shorter time')
FROM (SELECT activity_metrics.funnel(e, timestamptz '2024-01-01' + day * interval '1 day', kind, 'a -> b -> c within 90 days', '2024-01-10') AS s
	FROM (VALUES (1::bigint, 0, 'a'), (1, 1, 'b'), (1, 3, 'a'), (1, 5, 'b'), (1, 9, 'c'), (2, 0, 'a'), (2, 0, 'b'), (2, 7, 'a'), (2, 8, 'b')) v(e, day, kind)) x;
-- three steps at one time: at risk for no time
SELECT is(ARRAY[s[2].eventual_rate, s[3].eventual_rate], '{1,0.5}', '... several steps at one time')
FROM (SELECT activity_metrics.funnel(e, timestamptz '2024-01-01' + day * interval '1 day', kind, 'a -> b -> c within 90 days') AS s
	FROM (VALUES (1::bigint, 0, 'a'), (1, 2, 'c'), (1, 2, 'a'), (1, 2, 'b'), (2, 0, 'b'), (2, 0, 'a'), (2, 2, 'other')) v(e, day, kind)) x;

-- A world with a known end: calls on day 0, 20 and 40 until there is a meeting; a quarter of the deals meet, 60 * sqrt(uniform)
-- days after the first call. Deals begin on day 0 .. 150. Cut on some day, in ten parts, whose spread tells the standard error
CREATE TEMP TABLE deal AS
SELECT n::bigint AS e, pg_temp.draw('begin' || n, 15000000) / 100000.0::float8 AS begins,
	CASE WHEN pg_temp.draw('meets' || n, 4) = 0 THEN 60 * sqrt((1 + pg_temp.draw('when' || n, 1000000)) / 1e6::float8) END AS meets
FROM generate_series(1, 30000) n;
CREATE TEMP TABLE deal_event AS
SELECT e, begins + days AS day, kind FROM deal, LATERAL (
	SELECT 20.0 * i AS days, 'call' AS kind FROM generate_series(0, 2) i WHERE 20 * i < meets OR meets IS NULL
	UNION ALL SELECT meets, 'meeting' WHERE meets IS NOT NULL) k;
-- the same by the clock that would not do: from the latest call, to the meeting or to the cut
CREATE FUNCTION pg_temp.from_latest_call(cut int) RETURNS float8 LANGUAGE sql AS
$$
	SELECT 1 - pg_temp.product(1 - 1 / at_risk::float8) FILTER (WHERE met)
	FROM (SELECT met, count(*) OVER () + 1 - row_number() OVER (ORDER BY days, met DESC) AS at_risk
		FROM (SELECT met, CASE WHEN met THEN met_on - call WHEN cut - call < 30 THEN cut - call ELSE 'infinity' END AS days
			FROM (SELECT max(day) FILTER (WHERE kind = 'call') AS call, max(day) FILTER (WHERE kind = 'meeting') AS met_on, bool_or(kind = 'meeting') AS met
				FROM deal_event WHERE day <= cut GROUP BY e) d) c) r
$$;
-- part 10 is all of them
CREATE TEMP TABLE cut_rate AS
SELECT cut, part, estimate.step_rate, estimate.eventual_rate, turned_out
FROM (SELECT cut, part, (activity_metrics.funnel(e, timestamptz '2024-01-01' + day * interval '1 day', kind, 'call -> meeting within 30 days',
			timestamptz '2024-01-01' + cut * interval '1 day'))[2].*
		FROM deal_event, unnest('{80,100,120,150,180}'::int[]) cut, unnest(ARRAY[e % 10, 10]) part GROUP BY cut, part) estimate
	JOIN (SELECT cut, part, count(meets) / count(*)::float8 AS turned_out
		FROM deal JOIN unnest('{80,100,120,150,180}'::int[]) cut ON begins <= cut, unnest(ARRAY[e % 10, 10]) part GROUP BY cut, part) truth USING (cut, part);
SELECT ok(abs(w.eventual_rate - w.turned_out) < 3 * error AND error < 0.01, format('recurring starts, cut on day %s: eventual rate %s, turned out %s, standard error %s',
	cut, round(w.eventual_rate::numeric, 4), round(w.turned_out::numeric, 4), round(error::numeric, 4)))
FROM cut_rate w JOIN (SELECT cut, stddev_samp(eventual_rate - turned_out) / sqrt(10) AS error FROM cut_rate WHERE part < 10 GROUP BY cut) parts USING (cut)
WHERE part = 10 ORDER BY cut;
SELECT ok(abs(eventual_rate - turned_out) < abs(was - turned_out) / 2, format('... the clock of the latest call, cut on day %s: %s, and the step rate %s',
	cut, round(was::numeric, 4), round(step_rate::numeric, 4)))
FROM cut_rate, pg_temp.from_latest_call(cut) was WHERE part = 10 ORDER BY cut;

-- times on file are the same times, whether they are read or not
CREATE FUNCTION pg_temp.deals(memory text, day int) RETURNS text LANGUAGE plpgsql AS
$$
BEGIN
	PERFORM set_config('work_mem', memory, true);
	RETURN (SELECT activity_metrics.funnel(e, timestamptz '2024-01-01' + deal_event.day * interval '1 day', kind, 'call -> (call | meeting) -> (call | meeting) within 30 days',
		timestamptz '2024-01-01' + $2 * interval '1 day') FROM deal_event)::text;
END
$$;
SELECT is(pg_temp.deals('64kB', day), pg_temp.deals('256MB', day), 'with little memory, as of day ' || day) FROM unnest('{100,400}'::int[]) day;
RESET work_mem;

-- entities that look alike
SELECT is((activity_metrics.funnel(e, at, kind, 'a -> b'))[1].reached, 9::bigint, 'text entities that differ a little are different')
FROM (VALUES (''), (' '), ('x'), ('X'), ('x '), (repeat('p', 5000) || '1'), (repeat('p', 5000) || '2'), (repeat('p', 5001)), ('é')) v(e),
	(VALUES (timestamptz '2024-01-01', 'a'), ('2024-01-01', 'other')) w(at, kind);
SELECT is((SELECT array_agg(f.reached ORDER BY f.step_no) FROM unnest(s) f), '{9,5}', '... and keep their events to themselves')
FROM (SELECT activity_metrics.funnel(e, at, kind, 'a -> b' ORDER BY md5(e || kind)) AS s
	FROM (VALUES ('', 'b'), (' ', ''), ('x', 'b'), ('X', ''), ('x ', 'b'), (repeat('p', 5000) || '1', ''), (repeat('p', 5000) || '2', 'b'), (repeat('p', 5001), ''), ('é', 'b')) v(e, k2),
		LATERAL (VALUES (timestamptz '2024-01-01', 'a'), ('2024-01-02', k2)) w(at, kind)) x;
SELECT is((SELECT array_agg(f.reached ORDER BY f.step_no) FROM unnest(s) f), '{300,150}', 'entities of 100 kB that differ in the last bytes')
FROM (SELECT activity_metrics.funnel(repeat('deal ', 20000) || i, timestamptz '2024-01-01' + j * interval '1 day', CASE j WHEN 0 THEN 'a' ELSE 'b' END, 'a -> b') AS s
	FROM generate_series(1, 300) i, generate_series(0, i % 2) j) x;
SELECT is((SELECT array_agg(f.reached ORDER BY f.step_no) FROM unnest(s) f), '{8,4}', 'bigint entities to the ends of their range')
FROM (SELECT activity_metrics.funnel(e, timestamptz '2024-01-01' + j * interval '1 day', CASE j WHEN 0 THEN 'a' ELSE 'b' END, 'a -> b' ORDER BY j DESC, e) AS s
	FROM unnest('{-9223372036854775808,-9223372036854775807,-4294967296,-1,0,1,4294967296,9223372036854775807}'::bigint[]) WITH ORDINALITY v(e, i),
		generate_series(0, (i % 2)::int) j) x;
SELECT is((activity_metrics.funnel(e::uuid, now(), 'a', 'a'))[1].reached, 3::bigint, 'uuid entities')
FROM unnest('{00000000-0000-0000-0000-000000000000,00000000-0000-0000-0000-000000000001,ffffffff-ffff-ffff-ffff-ffffffffffff,00000000-0000-0000-0000-000000000001}'::text[]) e;

-- times at the ends
SELECT is((activity_metrics.funnel(1::bigint, at, kind, 'a -> b'))[2].median_days, extract(epoch FROM timestamptz '13553-01-01' - '4713-01-01 BC')::float8 / 86400,
	'from the first year to the last')
FROM (VALUES (timestamptz '4713-01-01 BC', 'a'), ('13553-01-01', 'b')) v(at, kind);

-- many groups, as the planner likes
CREATE TEMP TABLE many AS SELECT i % 5000 AS g, (i / 5000)::bigint AS e, timestamptz '2024-01-01' + i * interval '1 second' AS at, (ARRAY['a', 'b', 'c'])[1 + i % 3] AS kind
FROM generate_series(0, 59999) i;
ANALYZE many;
CREATE FUNCTION pg_temp.many_groups(hashed boolean, OUT groups bigint, OUT entered numeric, OUT digest text) LANGUAGE plpgsql AS
$$
BEGIN
	PERFORM set_config('enable_hashagg', hashed::text, true), set_config('enable_sort', (NOT hashed)::text, true);
	SELECT count(*), sum(s[1].reached), md5(string_agg(s::text, ';' ORDER BY g))
	FROM (SELECT g, activity_metrics.funnel(e, at, kind, 'a -> b -> c within 5 hours') AS s FROM many GROUP BY g) x
	INTO groups, entered, digest;
END
$$;
SELECT is(ROW(groups, entered), ROW(5000::bigint, 20000::numeric), '5,000 groups hashed') FROM pg_temp.many_groups(true);
SELECT is(a.digest, b.digest, '... and sorted') FROM pg_temp.many_groups(true) a, pg_temp.many_groups(false) b;
RESET enable_hashagg;
RESET enable_sort;

-- again for every outer row
SELECT is(count(DISTINCT f.s), 1::bigint, 'a subquery per row gives the same each time')
FROM generate_series(1, 20) i, LATERAL (SELECT activity_metrics.funnel(entity, at, kind, 'a -> b -> c') AS s FROM ev WHERE i IS NOT NULL) f;

-- a specification out of line, and one with very many kinds
CREATE TEMP TABLE stored (spec text);
ALTER TABLE stored ALTER spec SET STORAGE EXTERNAL;
INSERT INTO stored SELECT 'a -> (b | ' || string_agg('other' || i, ' | ') || ')' FROM generate_series(1, 500) i;
SELECT is((activity_metrics.funnel(entity, at, kind, spec))[2].reached, (activity_metrics.funnel(entity, at, kind, 'a -> b'))[2].reached,
	'a specification in a toast table') FROM ev, stored;
CREATE FUNCTION pg_temp.state_or(query text) RETURNS text LANGUAGE plpgsql AS
$$ DECLARE got text; BEGIN EXECUTE query INTO got; RETURN coalesce(got, 'NULL'); EXCEPTION WHEN OTHERS THEN RETURN sqlstate; END $$;
SELECT ok(pg_temp.state_or($$
	SELECT (activity_metrics.funnel(1::bigint, now(), 'k32900', spec))[1].reached
	FROM (SELECT '(' || string_agg('k' || i, '|') || ') -> b' FROM generate_series(1, 33000) i) s(spec) $$) IN ('1', '54000'),
	'33,000 kinds: all are matched, or too many');

-- What is refused

SELECT throws_ok($$SELECT activity_metrics.funnel(entity, at, kind, 'a -> b') OVER () FROM ev$$, '0A000', NULL, 'no window function');
SELECT throws_ok($$SELECT activity_metrics.funnel(entity, at, kind, CASE WHEN id = 100 THEN 'a -> c' ELSE 'a -> b' END) FROM ev$$, '22023',
	'funnel specification changes within a group', 'a specification that changes');
SELECT throws_ok($$SELECT activity_metrics.funnel(entity, at, kind, CASE WHEN id = 100 THEN 'a -> b ' ELSE 'a -> b' END) FROM ev$$, '22023',
	'funnel specification changes within a group', '... by a blank');
SELECT throws_ok($$SELECT activity_metrics.funnel(entity, at, NULL, 'a -> ' || id) FROM ev$$, '22023',
	'funnel specification changes within a group', '... in rows without a kind');
SELECT throws_ok($$SELECT activity_metrics.funnel(entity, at, kind, 'a -> b', CASE WHEN id = 100 THEN timestamptz '2024-03-02' ELSE '2024-03-03' END) FROM ev$$,
	'22023', 'as_of changes within a group', 'an as_of that changes');
SELECT throws_ok($$SELECT activity_metrics.funnel(entity::text, at, kind, 'a -> b', CASE WHEN id <> 100 THEN timestamptz '2024-03-02' END) FROM ev$$,
	'22023', 'as_of changes within a group', '... to NULL');
SELECT throws_ok($$SELECT activity_metrics.funnel(entity::text, at, kind, 'a -> b', CASE WHEN id = 100 THEN timestamptz '2024-03-02' END) FROM ev$$,
	'22023', 'as_of changes within a group', '... from NULL');
SELECT throws_ok($$SELECT activity_metrics.funnel(entity, at, kind, 'a -> b', at) FROM ev$$, '22023', 'as_of changes within a group', '... with every row');
SELECT lives_ok($$SELECT activity_metrics.funnel(entity, at, kind, 'a -> ' || segment, timestamptz '2024-03-02' + segment * interval '1 day') FROM ev GROUP BY segment$$,
	'both may change between groups');
SELECT throws_ok($$SELECT activity_metrics.funnel(entity, at, kind, NULL) FROM ev$$, '22004', NULL, 'no specification');
SELECT throws_ok($$SELECT activity_metrics.funnel(entity, at, kind, CASE WHEN id <> 100 THEN 'a -> b' END) FROM ev$$, '22004', NULL, '... in one row');
SELECT throws_ok(format('SELECT activity_metrics.funnel(1::bigint, %L::timestamptz, %L, %L)', at, kind, 'a -> b'), '22008', NULL, format('time %s, kind %s', at, kind))
FROM unnest('{infinity,-infinity,13556-01-01,294276-12-31}'::timestamptz[]) at, unnest('{a,other}'::text[]) kind;
SELECT throws_ok(format('SELECT activity_metrics.funnel(1::bigint, now(), %L, %L, %L::timestamptz)', 'a', 'a -> b', as_of), '22008', NULL, 'as of ' || as_of)
FROM unnest('{infinity,-infinity,13556-01-01}'::timestamptz[]) as_of;
SELECT throws_like($$SELECT activity_metrics.funnel(1::bigint, 'infinity', 'a', 'a -> b')$$, 'event time is infinite', 'the message says which time');
SELECT throws_like($$SELECT activity_metrics.funnel(1::bigint, now(), 'a', 'a -> b', 'infinity')$$, 'as_of is infinite', '... and that it is as_of');
SELECT throws_like($$SELECT activity_metrics.funnel(1::bigint, '20000-01-01', 'a', 'a -> b')$$, 'event time 20000-01-01 00:00:00+00 is out of range', '... and its value');

-- positions count characters, from 1
SELECT throws_ok(format('SELECT activity_metrics.funnel(1::bigint, now(), %L, %L)', 'a', spec), state, message, 'refused: ' || spec)
FROM (VALUES
	('', '22023', 'invalid funnel specification at position 1: expected a step, found the end'),
	('a -> ', '22023', 'invalid funnel specification at position 6: expected a step, found the end'),
	('a b', '22023', 'invalid funnel specification at position 3: expected "->", "within" or ",", found "b"'),
	('ä -> ö ü', '22023', 'invalid funnel specification at position 8: expected "->", "within" or ",", found "ü"'),
	('成約 -> 🎉 -> ''x', '22023', 'invalid funnel specification at position 12: a quoted kind is not closed'),
	('a -> b within 3 months', '22023', 'invalid funnel specification at position 17: months and longer units have no fixed length'),
	('a -> b within 9999999 days', '54000', 'invalid funnel specification at position 15: a length of time is over 4,500 years'),
	('a -> b [1 day', '22023', 'invalid funnel specification at position 14: expected "]", found the end'),
	('a -> b [0 days]', '22023', 'invalid funnel specification at position 9: a length of time is zero'),
	('a -> b [-1 day]', '22023', 'invalid funnel specification at position 9: a length of time is positive'),
	('a -> b [1 day] [2 days]', '22023', 'invalid funnel specification at position 16: a step has two limits'),
	('a [1 day] -> b', '22023', 'invalid funnel specification at position 3: the first step has no step before it to limit'),
	('a? -> b', '22023', 'invalid funnel specification at position 2: the first step cannot be optional'),
	('a -> b??', '22023', 'invalid funnel specification at position 8: a step is marked optional twice'),
	('!c -> a', '22023', 'invalid funnel specification at position 1: expected a step, found "!"'),
	('a -> !c', '22023', 'invalid funnel specification at position 8: expected "->" and a step, found the end'),
	('a -> b -> !c', '22023', NULL), ('a -> !b -> b', '22023', 'invalid funnel specification at position 12: step "b" is excluded by itself'),
	('a -> !(b | c) -> (c | b)', '22023', 'invalid funnel specification at position 18: step "c | b" is excluded by itself'),
	('a -> b within -1 days', '22023', NULL), ('a -> b within 0 days', '22023', NULL), ('a -> b within 1 day within 1 day', '22023', NULL),
	('a -> b, totals, totals', '22023', 'invalid funnel specification at position 17: an option is given twice'),
	('a -> b, total', '22023', 'invalid funnel specification at position 9: expected an option, found "total"'),
	('a -> b, any order, strict order', '22023', 'invalid funnel specification at position 20: any order does not go with strict order'),
	('a -> b [1 day], any order', '22023', 'invalid funnel specification at position 17: any order does not go with a limit on one step'),
	('a -> !c -> b, any order', '22023', 'invalid funnel specification at position 15: any order does not go with an exclusion'),
	('a -> b, count skipped, any order', '22023', NULL), ('a -> b, any order, count reopened', '22023', NULL)) v(spec, state, message);
SELECT lives_ok(format('SELECT activity_metrics.funnel(1::bigint, now(), %L, %L)', 's1', string_agg('s' || i, ' -> ')), '64 steps')
FROM generate_series(1, 64) i;
SELECT throws_ok(format('SELECT activity_metrics.funnel(1::bigint, now(), %L, %L)', 'a', string_agg('s' || i, ' -> ')), '54000',
	'invalid funnel specification at position 440: a funnel has at most 64 steps', '65 steps')
FROM generate_series(1, 65) i;
SELECT throws_ok($$SELECT activity_metrics.funnel(1::bigint, now(), NULL, 'a ->')$$, '22023', NULL, 'a faulty specification is refused without events too');

CREATE FUNCTION pg_temp.diagnostics(query text, OUT detail text, OUT hint text) LANGUAGE plpgsql AS
$$ BEGIN EXECUTE query; EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT; END $$;
SELECT is(ARRAY[detail, hint], ARRAY['The specification is "a -> b within 3 months".', 'Write 30 days, or 90 days for a quarter.'], 'the error shows the text and the way out')
FROM pg_temp.diagnostics($$SELECT activity_metrics.funnel(1::bigint, now(), 'a', 'a -> b within 3 months')$$) d;
SELECT is(length(detail), 24 + 400 / 3, 'a long text is shown in part, without cutting a character')
FROM pg_temp.diagnostics(format('SELECT activity_metrics.funnel(1::bigint, now(), %L, %L)', 'a', repeat('成', 5000) || ' ->')) d;

-- the kinds of a specification
SELECT is(activity_metrics.funnel_kinds('a -> (b | ''c d'') -> a'), '{a,b,c d}', 'funnel_kinds: all');
SELECT is(array_agg(activity_metrics.funnel_kinds('a -> (b | ''c d'') -> a', i)::text ORDER BY i), '{"{a}","{b,\"c d\"}","{a}"}', 'funnel_kinds: of each step')
FROM generate_series(1, 3) i;
SELECT ok(pg_temp.state_or(format('SELECT activity_metrics.funnel_kinds(%L, %s)', 'a -> b', i)) = '22023', 'funnel_kinds: step ' || i || ' does not exist')
FROM unnest('{3,-1,-30,-31,-32,-2147483648,32,33,34,2147483647}'::int[]) i;
SELECT throws_ok($$SELECT activity_metrics.funnel_kinds('a ->')$$, '22023', NULL, 'funnel_kinds: a faulty specification');
SELECT is(activity_metrics.funnel_kinds(NULL), NULL, 'funnel_kinds of NULL');

SELECT * FROM finish();
ROLLBACK;
