-- funnel_level(), funnel_times() and what is behind them against a twin in SQL that builds every chain of events; plans, limits, refusals.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;
-- the planner thinks temporary tables large
SET LOCAL jit = off;
SELECT no_plan();

-- 0 .. n - 1 from any text, the same on every server
CREATE FUNCTION pg_temp.draw(seed text, n int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT (('x' || substr(md5(seed), 1, 8))::bit(32)::bigint % n)::int $$;

-- Few kinds, few times: ties abound. Hours from a Monday; at most seven events an entity, of 80 entities
CREATE TEMP TABLE ev AS
SELECT row_number() OVER () AS id, n::bigint AS entity, h, timestamptz '2024-01-01' + h * interval '1 hour' AS at, kind
FROM generate_series(1, 80) n, generate_series(1, 7) i,
	LATERAL (SELECT 6 * pg_temp.draw('t' || n || '.' || i, CASE WHEN n % 3 = 0 THEN 4 ELSE 12 END) AS h,
		(ARRAY['a', 'b', 'c', 'd', 'e', 'other'])[1 + pg_temp.draw('k' || n || '.' || i, CASE WHEN n % 5 = 0 THEN 3 ELSE 6 END)] AS kind) e
WHERE i <= 1 + pg_temp.draw('n' || n, 7);

-- A specification taken apart: kinds of each step, which are optional, limits in hours; kinds excluded after each step
CREATE TEMP TABLE spec_case (no int, n int, steps jsonb, optional boolean[], limits int[], excluded jsonb, within int, options text[],
	as_of int, since int, until int, spec text);

-- kinds by their bits, as the language writes them
CREATE FUNCTION pg_temp.kinds(bits int) RETURNS text[] LANGUAGE sql IMMUTABLE AS
$$ SELECT array_agg(kind ORDER BY i) FROM unnest('{a,b,c,d,e}'::text[]) WITH ORDINALITY k(kind, i) WHERE bits >> (i::int - 1) & 1 = 1 $$;
CREATE FUNCTION pg_temp.written(kinds jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN count(*) = 1 THEN min(k) ELSE '(' || string_agg(k, ' | ' ORDER BY k) || ')' END FROM jsonb_array_elements_text(kinds) k $$;
CREATE FUNCTION pg_temp.written(c spec_case) RETURNS text LANGUAGE sql IMMUTABLE AS
$$
	SELECT string_agg((SELECT coalesce(string_agg('!' || pg_temp.written(x) || ' -> ', '' ORDER BY i), '') FROM jsonb_array_elements(c.excluded -> (s - 2)) WITH ORDINALITY e(x, i))
			|| pg_temp.written(c.steps -> (s - 1)) || CASE WHEN c.optional[s] THEN '?' ELSE '' END || coalesce(' [' || c.limits[s] || ' hours]', ''), ' -> ' ORDER BY s)
		|| coalesce(' within ' || c.within || ' hours', '') || (SELECT coalesce(string_agg(', ' || o, ''), '') FROM unnest(c.options) o)
	FROM generate_series(1, c.n) s
$$;
INSERT INTO spec_case
SELECT no, n, steps, optional, limits, CASE WHEN any_order THEN '[[], [], []]' ELSE excluded END,
	CASE WHEN pg_temp.draw('w' || no, 4) > 0 THEN 1 + pg_temp.draw('within' || no, 72) END, options,
	(ARRAY[66, 66, 100, 40])[1 + no % 4],
	CASE WHEN pg_temp.draw('since' || no, 4) = 0 THEN 18 END, CASE WHEN pg_temp.draw('until' || no, 4) = 0 THEN 42 END
FROM generate_series(1, 200) no,
	LATERAL (SELECT 1 + pg_temp.draw('n' || no, 4) AS n, pg_temp.draw('any' || no, 5) = 0 AS any_order) a,
	LATERAL (SELECT jsonb_agg(kinds ORDER BY s) AS steps, array_agg(s > 1 AND pg_temp.draw(format('?%s.%s', no, s), 4) = 0 ORDER BY s) AS optional,
			array_agg(CASE WHEN s > 1 AND NOT any_order AND pg_temp.draw(format('l%s.%s', no, s), 4) = 0 THEN 1 + pg_temp.draw(format('limit%s.%s', no, s), 36) END ORDER BY s) AS limits,
			-- none that excludes a whole step by itself
			jsonb_agg(CASE WHEN s < n AND pg_temp.draw(format('!%s.%s', no, s), 3) = 0 THEN
				CASE pg_temp.draw(format('!!%s.%s', no, s), 4) WHEN 0 THEN '[["e"]]' WHEN 1 THEN '[["e"], ["d"]]' WHEN 2 THEN '[["a", "e"]]' ELSE '[["b", "c"]]' END::jsonb
				ELSE '[]' END ORDER BY s) AS excluded
		FROM generate_series(1, n) s,
			LATERAL (SELECT to_jsonb(pg_temp.kinds(CASE WHEN pg_temp.draw(format('m%s.%s', no, s), 3) > 0 THEN 1 << ((s - 1 + pg_temp.draw(format('o%s.%s', no, s), 2)) % 4)
				ELSE 1 + pg_temp.draw(format('k%s.%s', no, s), 15) END)) AS kinds) k) p,
	LATERAL (SELECT array_remove(ARRAY[
		CASE WHEN any_order THEN 'any order' END, CASE WHEN NOT any_order AND pg_temp.draw('so' || no, 5) < 2 THEN 'strict order' END,
		CASE WHEN pg_temp.draw('si' || no, 4) = 0 THEN 'strict increase' END, CASE WHEN pg_temp.draw('fe' || no, 4) = 0 THEN 'first entry' END,
		CASE WHEN pg_temp.draw('to' || no, 3) = 0 THEN 'totals' END, CASE WHEN NOT any_order AND pg_temp.draw('cs' || no, 5) = 0 THEN 'count skipped' END,
		CASE WHEN NOT any_order AND pg_temp.draw('cr' || no, 4) = 0 THEN 'count reopened' END, CASE WHEN pg_temp.draw('on' || no, 9) = 0 THEN 'strict once' END], NULL) AS options) o;
UPDATE spec_case c SET spec = pg_temp.written(c);
-- a step whose kinds are all excluded before it is refused
DELETE FROM spec_case c WHERE EXISTS (SELECT FROM generate_series(2, n) s
	WHERE c.steps -> (s - 1) <@ (SELECT coalesce(jsonb_agg(k), '[]') FROM jsonb_array_elements(c.excluded -> (s - 2)) e, jsonb_array_elements(e) k));

/*
 * The twin. Of a set of histories (an entity's events, or those of one of its attempts) all chains there are
 */
CREATE TEMP TABLE span (hid text, entity bigint, b int, t int);
CREATE TEMP TABLE history (hid text, id bigint, h int, kind text);
CREATE INDEX ON history (hid);
CREATE TEMP TABLE fill (kind text, s int);
CREATE TEMP TABLE excl (kind text, gap int, rank int);
CREATE TEMP TABLE pair (s1 int, s2 int, max_hours int);
-- where a chain may start
CREATE TEMP TABLE starter (entity bigint, id bigint, h int, s int);
CREATE TEMP TABLE chain (hid text, level int, start int, last int, n_steps int, sorted int[], times int[]);

CREATE FUNCTION pg_temp.find_chains(c spec_case) RETURNS void LANGUAGE plpgsql AS
$$
DECLARE
	strict_increase boolean := 'strict increase' = ANY (c.options);
	strict_order boolean := 'strict order' = ANY (c.options);
BEGIN
	DELETE FROM history;
	INSERT INTO history SELECT hid, id, h, kind FROM span JOIN ev USING (entity) WHERE h >= b AND h < t AND h <= c.as_of;
	DELETE FROM chain;
	IF 'any order' = ANY (c.options) THEN
		INSERT INTO chain
		WITH RECURSIVE assigned AS (
			SELECT hid, 0 AS step, '{}'::int[] AS times, '{}'::bigint[] AS used FROM span
			UNION ALL
			SELECT a.hid, step + 1, a.times || e.h, used || e.id
			FROM assigned a, LATERAL (
				SELECT NULL::bigint AS id, NULL::int AS h
				UNION ALL SELECT id, h FROM history JOIN fill USING (kind) WHERE history.hid = a.hid AND fill.s = a.step + 1 AND id <> ALL (array_remove(used, NULL))) e
			WHERE step < c.n
		)
		SELECT DISTINCT hid, CASE WHEN (SELECT bool_and(t IS NOT NULL OR c.optional[s]) FROM unnest(times) WITH ORDINALITY u(t, s)) THEN c.n ELSE k.n END,
			k.start, k.last, k.n, k.sorted, times
		FROM assigned JOIN span USING (hid),
			LATERAL (SELECT min(t) AS start, max(t) AS last, count(t)::int AS n, count(DISTINCT t) AS apart, array_agg(t ORDER BY t) FILTER (WHERE t IS NOT NULL) AS sorted FROM unnest(times) t) k
		WHERE step = c.n AND k.n > 0 AND (k.last > k.start + c.within) IS NOT TRUE AND (k.apart = k.n OR NOT strict_increase)
			AND EXISTS (SELECT FROM starter s WHERE s.entity = span.entity AND s.h = k.start)
			AND ('first entry' <> ALL (c.options) OR k.start = (SELECT min(s.h) FROM starter s WHERE s.entity = span.entity AND s.h >= b));
		RETURN;
	END IF;
	INSERT INTO chain
	WITH RECURSIVE can AS MATERIALIZED (
		SELECT hid, id, h, s FROM history JOIN fill USING (kind)
	), edge AS MATERIALIZED (
		SELECT x.hid, x.id AS id1, s1, y.id AS id2, s2, y.h
		FROM can x JOIN can y USING (hid) JOIN pair ON s1 = x.s AND s2 = y.s
		WHERE x.id <> y.id AND y.h >= x.h AND (y.h > x.h OR NOT strict_increase) AND (y.h - x.h > max_hours) IS NOT TRUE
			AND ('count reopened' = ANY (c.options) OR NOT EXISTS (
				SELECT FROM history z JOIN excl USING (kind) WHERE z.hid = x.hid AND z.h > x.h AND z.h < y.h AND gap >= s1 AND gap < s2))
			AND NOT (strict_order AND EXISTS (
				SELECT FROM history z WHERE z.hid = x.hid AND z.h > x.h AND z.h < y.h AND EXISTS (SELECT FROM fill WHERE fill.kind = z.kind)
					AND NOT EXISTS (SELECT FROM fill WHERE fill.kind = z.kind AND s IN (s1, s2))))
	), built AS (
		SELECT hid, s AS level, h AS start, h AS last, array_fill(NULL::int, ARRAY[s - 1]) || h AS times, ARRAY[id] AS used
		FROM span JOIN starter st USING (entity)
		WHERE h >= b AND h < t AND ('first entry' <> ALL (c.options) OR h = (SELECT min(s.h) FROM starter s WHERE s.entity = span.entity AND s.h >= b))
		UNION ALL
		SELECT hid, s2, start, e.h, times || array_fill(NULL::int, ARRAY[s2 - s1 - 1]) || e.h, used || id2
		FROM built JOIN edge e USING (hid)
		WHERE e.id1 = used[cardinality(used)] AND e.s1 = level AND id2 <> ALL (used) AND (e.h > start + c.within) IS NOT TRUE
	)
	SELECT DISTINCT hid, level, start, last, 0, NULL::int[], times || array_fill(NULL::int, ARRAY[c.n - level]) FROM built;
END
$$;

-- For each chain and each step that it could take next: until when, and what came in between that rules it out. kind NULL: strict order does
CREATE FUNCTION pg_temp.ends(c spec_case) RETURNS TABLE (hid text, level int, start int, last int, deadline int, killer int, kind text) LANGUAGE sql AS
$$
	SELECT k.hid, k.level, k.start, k.last, least(k.start + c.within, k.last + max_hours), x.h, x.kind
	FROM (SELECT DISTINCT hid, level, start, last FROM chain WHERE level < c.n) k JOIN pair ON s1 = k.level
	LEFT JOIN LATERAL (
		SELECT z.h, excl.kind FROM history z LEFT JOIN excl ON excl.kind = z.kind AND gap >= s1 AND gap < s2
		WHERE z.hid = k.hid AND z.h > k.last AND (excl.kind IS NOT NULL OR ('strict order' = ANY (c.options)
			AND EXISTS (SELECT FROM fill WHERE fill.kind = z.kind) AND NOT EXISTS (SELECT FROM fill WHERE fill.kind = z.kind AND s IN (s1, s2))))
		ORDER BY z.h, rank NULLS LAST LIMIT 1) x ON true
	WHERE 'any order' <> ALL (c.options)
	UNION ALL
	SELECT DISTINCT hid, level, start, last, start + c.within, NULL::int, NULL FROM chain WHERE 'any order' = ANY (c.options)
$$;

CREATE FUNCTION pg_temp.twin(c spec_case)
RETURNS TABLE (entity bigint, n bigint, level int, stop text, excluded_by text, ended int, times int[], first_reached int[], passed_over boolean) LANGUAGE plpgsql AS
$$
#variable_conflict use_column
DECLARE
	any_order boolean := 'any order' = ANY (c.options);
	count_skipped boolean := 'count skipped' = ANY (c.options);
BEGIN
	DELETE FROM fill;
	INSERT INTO fill SELECT k, s FROM generate_series(1, c.n) s, jsonb_array_elements_text(c.steps -> (s - 1)) k;
	DELETE FROM excl;
	INSERT INTO excl SELECT k, g, strpos(c.spec, k) FROM generate_series(1, c.n - 1) g, jsonb_array_elements(c.excluded -> (g - 1)) e, jsonb_array_elements_text(e) k;
	DELETE FROM pair;
	INSERT INTO pair SELECT s1, s2, c.limits[s2] FROM generate_series(1, c.n) s1, generate_series(s1 + 1, c.n) s2
	WHERE count_skipped OR NOT EXISTS (SELECT FROM generate_series(s1 + 1, s2 - 1) s WHERE NOT c.optional[s]);
	DELETE FROM starter;
	INSERT INTO starter
	SELECT entity, id, h, s FROM (
		SELECT *, min(h) OVER (PARTITION BY entity) AS first, min(s) OVER (PARTITION BY entity, h) AS lowest FROM ev JOIN fill USING (kind) WHERE h <= c.as_of) e
	WHERE (h < c.since) IS NOT TRUE AND (h >= c.until) IS NOT TRUE AND (s = 1 OR any_order OR (count_skipped AND h = first AND s = lowest));

	DELETE FROM span;
	IF 'totals' = ANY (c.options) THEN
		-- an attempt from each start up to each later one: is it over then?
		INSERT INTO span SELECT DISTINCT format('%s %s %s', x.entity, x.h, y.h), x.entity, x.h, y.h FROM starter x JOIN starter y USING (entity) WHERE x.h < y.h;
		PERFORM pg_temp.find_chains(c);
		CREATE TEMP TABLE next AS
		WITH RECURSIVE over AS MATERIALIZED (
			SELECT span.entity, b, t FROM span JOIN LATERAL (SELECT max(level) AS level, max(start) AS start FROM chain WHERE chain.hid = span.hid) k ON true
				LEFT JOIN (SELECT hid, max(t) FILTER (WHERE e.level >= 2) AS two, max(t) AS any FROM span JOIN pg_temp.ends(c) e USING (hid)
					WHERE e.killer IS NULL AND (e.deadline < t) IS NOT TRUE GROUP BY hid) can ON can.hid = span.hid
			WHERE k.level = c.n OR CASE WHEN any_order THEN k.start + c.within < t ELSE two IS NULL AND (k.level >= 2 OR can.any IS NULL) END
		), attempt AS (
			SELECT entity, min(h) AS b FROM starter GROUP BY entity
			UNION ALL
			SELECT a.entity, (SELECT min(t) FROM over o WHERE o.entity = a.entity AND o.b = a.b) FROM attempt a WHERE a.b IS NOT NULL
		)
		SELECT entity, b FROM attempt WHERE b IS NOT NULL;
		DELETE FROM span;
		INSERT INTO span SELECT format('%s %s', entity, b), entity, b, coalesce(lead(b) OVER (PARTITION BY entity ORDER BY b), 1000) FROM next;
		DROP TABLE next;
	ELSE
		INSERT INTO span SELECT DISTINCT entity::text, entity, -1, 1000 FROM ev;
	END IF;
	PERFORM pg_temp.find_chains(c);

	RETURN QUERY
	WITH shown AS (
		SELECT DISTINCT ON (hid) * FROM chain ORDER BY hid, level DESC, last, start DESC, n_steps DESC, sorted, times
	), ending AS (
		SELECT DISTINCT ON (hid) hid, stop, e.kind, ended
		FROM shown JOIN pg_temp.ends(c) e USING (hid, level),
			LATERAL (SELECT CASE WHEN (e.killer < coalesce(e.deadline, 10000)) IS TRUE THEN CASE WHEN e.kind IS NULL THEN 'broken' ELSE 'excluded' END
				WHEN e.deadline <= c.as_of THEN 'timed out' ELSE 'still open' END AS stop) s,
			LATERAL (SELECT CASE stop WHEN 'timed out' THEN e.deadline WHEN 'still open' THEN NULL ELSE e.killer END AS ended) t
		WHERE shown.level < c.n
		ORDER BY hid, stop <> 'still open', ended DESC, array_position('{excluded,broken,timed out}', stop), strpos(c.spec, e.kind)
	)
	SELECT span.entity, row_number() OVER (PARTITION BY span.entity ORDER BY span.b), shown.level, coalesce(ending.stop, 'converted'),
		CASE ending.stop WHEN 'excluded' THEN ending.kind END, ending.ended, shown.times,
		(SELECT array_agg(f.at ORDER BY l) FROM generate_series(1, shown.level) l, LATERAL (SELECT min(last) AS at FROM chain WHERE chain.hid = shown.hid AND chain.level >= l) f),
		NOT any_order AND shown.level < c.n AND (SELECT (min(h) FILTER (WHERE s2 IS NULL) < coalesce(min(h) FILTER (WHERE s2 IS NOT NULL), 1000)) IS TRUE
			FROM history JOIN fill USING (kind) LEFT JOIN pair ON s1 = shown.level AND s2 = s
			WHERE history.hid = shown.hid AND h > shown.last AND s > shown.level)
	FROM shown JOIN span USING (hid) LEFT JOIN ending USING (hid);
END
$$;

CREATE FUNCTION pg_temp.hours(at timestamptz) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT (extract(epoch FROM at - timestamptz '2024-01-01') / 3600)::int $$;
CREATE FUNCTION pg_temp.hours(at timestamptz[]) RETURNS int[] LANGUAGE sql IMMUTABLE AS $$ SELECT array_agg(pg_temp.hours(t) ORDER BY i) FROM unnest(at) WITH ORDINALITY u(t, i) $$;
CREATE FUNCTION pg_temp.at(hour int) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$ SELECT timestamptz '2024-01-01' + hour * interval '1 hour' $$;

CREATE TEMP TABLE twin AS SELECT c.no, t.* FROM spec_case c, pg_temp.twin(c) t;
CREATE TEMP TABLE got AS
SELECT no, entity, attempts, n, level, stop, excluded_by, pg_temp.hours(ended) AS ended, pg_temp.hours(times) AS times, pg_temp.hours(first_reached) AS first_reached, passed_over
FROM (SELECT no, entity, activity_metrics.funnel_attempts(at, kind, spec, pg_temp.at(as_of), pg_temp.at(since), pg_temp.at(until)) AS attempts FROM spec_case, ev GROUP BY no, entity) a
	LEFT JOIN LATERAL unnest(attempts) WITH ORDINALITY u(level, stop, excluded_by, ended, times, first_reached, passed_over, n) ON true;

SELECT cmp_ok(count(*), '>', 150::bigint, 'many specifications') FROM spec_case;
SELECT ok(bool_and(n > 20), 'and all options: ' || string_agg(o || ' ' || n, ', ')) FROM (
	SELECT o, count(*) AS n FROM spec_case JOIN twin t USING (no), unnest(options || CASE WHEN spec ~ '\?' THEN '{optional}'::text[] END || CASE WHEN spec ~ '\[' THEN '{limit}'::text[] END
		|| CASE WHEN spec ~ '!' THEN '{exclusion}'::text[] END || '{any}') o WHERE level > 1 GROUP BY o) x;
SELECT ok(count(*) = 5 AND min(n) > 50, 'and all ways to end') FROM (SELECT stop, count(*) AS n FROM twin GROUP BY stop) x;

SELECT is((
	SELECT format(E'entity %s\ngot  %s\nwant %s', coalesce(g.entity, t.entity), g, t)
	FROM (SELECT entity, n, level, stop, excluded_by, ended, times, first_reached, passed_over FROM got WHERE got.no = c.no AND n IS NOT NULL) g
	FULL JOIN (SELECT entity, n, level, stop, excluded_by, ended, times, first_reached, passed_over FROM twin WHERE twin.no = c.no) t USING (entity, n)
	WHERE g IS DISTINCT FROM t ORDER BY 1 LIMIT 1), NULL, format('as of %s, entries in [%s, %s): %s', as_of, since, until, spec))
FROM spec_case c ORDER BY no;

-- levels and times: of attempts the furthest, of those the first
SELECT is((
	SELECT format('entity %s: got %s %s, want %s %s', f.entity, f.level, f.times, t.level, t.times)
	FROM (SELECT entity, activity_metrics.funnel_level(at, kind, c.spec) AS level, activity_metrics.funnel_times(at, kind, c.spec) AS times FROM ev GROUP BY entity) f
	LEFT JOIN (SELECT DISTINCT ON (entity) entity, level, times FROM twin WHERE no = c.no ORDER BY entity, level DESC, n) t USING (entity)
	WHERE (f.level, pg_temp.hours(f.times)) IS DISTINCT FROM (coalesce(t.level, 0), coalesce(t.times, array_fill(NULL::int, ARRAY[c.n]))) ORDER BY 1 LIMIT 1), NULL, 'level and times: ' || spec)
FROM spec_case c WHERE coalesce(since, until) IS NULL AND as_of >= 66 ORDER BY no;

-- any order of rows, also one that the call itself asks for
SELECT is(count(*) FILTER (WHERE got.attempts IS DISTINCT FROM a OR a IS DISTINCT FROM b OR a IS DISTINCT FROM c), 0::bigint, 'funnel_attempts, any order of rows')
FROM got JOIN (SELECT no, entity, activity_metrics.funnel_attempts(at, kind, spec, pg_temp.at(as_of), pg_temp.at(since), pg_temp.at(until) ORDER BY md5(id::text)) AS a,
		activity_metrics.funnel_attempts(at, kind, spec, pg_temp.at(as_of), pg_temp.at(since), pg_temp.at(until) ORDER BY at) AS b,
		activity_metrics.funnel_attempts(at, kind, spec, pg_temp.at(as_of), pg_temp.at(since), pg_temp.at(until) ORDER BY at DESC, kind DESC) AS c
	FROM spec_case, ev GROUP BY no, entity) s USING (no, entity);
CREATE TEMP TABLE per_entity AS
SELECT no, entity, activity_metrics.funnel_level(at, kind, spec) AS level, activity_metrics.funnel_times(at, kind, spec) AS times FROM spec_case, ev GROUP BY no, entity;
SELECT is(count(*) FILTER (WHERE level IS DISTINCT FROM l OR times IS DISTINCT FROM t OR level IS DISTINCT FROM l2 OR times IS DISTINCT FROM t2), 0::bigint, 'funnel_level and funnel_times, ORDER BY at and backwards')
FROM per_entity JOIN (SELECT no, entity, activity_metrics.funnel_level(at, kind, spec ORDER BY at) AS l, activity_metrics.funnel_times(at, kind, spec ORDER BY at) AS t,
		activity_metrics.funnel_level(at, kind, spec ORDER BY at DESC, kind) AS l2, activity_metrics.funnel_times(at, kind, spec ORDER BY at DESC, kind) AS t2
	FROM spec_case, ev GROUP BY no, entity) s USING (no, entity);
SELECT is(count(*) FILTER (WHERE p.level IS DISTINCT FROM s.level OR p.times IS DISTINCT FROM s.times), 0::bigint, 'a specification in each row, one query')
FROM per_entity p JOIN (SELECT no, entity, activity_metrics.funnel_level(at, kind, spec) AS level, activity_metrics.funnel_times(at, kind, spec) AS times
	FROM (SELECT * FROM spec_case, ev ORDER BY md5(no || '.' || id)) x GROUP BY no, entity) s USING (no, entity);

-- the funnel of all is that of what is known of each
CREATE FUNCTION pg_temp.but_notes(steps activity_metrics.funnel_step[]) RETURNS jsonb LANGUAGE sql IMMUTABLE AS
$$ SELECT jsonb_agg(to_jsonb(s) - 'note' ORDER BY step_no) FROM unnest(steps) s $$;
SELECT is(pg_temp.but_notes((SELECT activity_metrics.funnel_of_attempts(attempts, c.spec, pg_temp.at(as_of)) FROM got
			WHERE got.no = c.no AND coalesce(got.n, 1) = 1)),
		pg_temp.but_notes((SELECT activity_metrics.funnel_between(entity, at, kind, c.spec, pg_temp.at(as_of), pg_temp.at(since), pg_temp.at(until)) FROM ev)),
		'funnel_of_attempts is funnel, in all but notes: ' || spec)
FROM spec_case c ORDER BY no;
SELECT is((SELECT string_agg(concat_ws(' ', f.step_no, f.note), '; ' ORDER BY f.step_no) FROM unnest(s) f), '1 3 attempts of 2 entities; 2', 'it has notes too')
FROM (SELECT activity_metrics.funnel_of_attempts(a, 'a -> b within 2 days, totals', '2024-02-01') AS s
	FROM (SELECT activity_metrics.funnel_attempts(at::timestamptz, kind, 'a -> b within 2 days, totals', '2024-02-01', NULL, NULL) AS a
		FROM (VALUES (1, '2024-01-01', 'a'), (1, '2024-01-02', 'b'), (1, '2024-01-10', 'a'), (2, '2024-01-01', 'a'), (3, '2024-01-01', 'other')) v(e, at, kind) GROUP BY e) x) y;
SELECT is(activity_metrics.funnel_of_attempts(a, 'a -> b', now()), NULL, 'no entities: NULL') FROM (SELECT NULL::activity_metrics.funnel_attempt[] WHERE false) v(a);
SELECT is((activity_metrics.funnel_of_attempts(a, 'a -> b', now()))[1].reached, 0::bigint, 'entities without attempts: 0') FROM (VALUES (NULL::activity_metrics.funnel_attempt[]), ('{}')) v(a);
SELECT throws_ok(format($$SELECT activity_metrics.funnel_of_attempts(a, %s) FROM (SELECT activity_metrics.funnel_attempts(now(), 'a', 'a -> !c -> b', now(), NULL, NULL) AS a) x$$, rest), state, message, 'funnel_of_attempts: ' || rest)
FROM (VALUES ($$'a -> !c -> b', NULL$$, '22004', 'as_of is null'), ($$NULL, now()$$, '22004', 'funnel specification is null'), ($$'a ->', now()$$, '22023', NULL),
	($$'a -> b', 'infinity'$$, '22008', 'as_of is infinite'), ($$'a -> b -> c', now()$$, '22023', 'an attempt does not fit the funnel specification')) v(rest, state, message);
SELECT throws_ok(format($$SELECT activity_metrics.funnel_of_attempts(ARRAY[ROW(%s)::activity_metrics.funnel_attempt], 'a -> !c -> b', '2024-02-01')$$, a), '22023', NULL, 'funnel_of_attempts: ' || a)
FROM unnest(ARRAY[$$0, 'still open', NULL, NULL, '{2024-01-01,NULL}', '{2024-01-01}', false$$, $$3, 'still open', NULL, NULL, '{2024-01-01,NULL}', '{2024-01-01}', false$$,
	$$1, 'asleep', NULL, NULL, '{2024-01-01,NULL}', '{2024-01-01}', false$$, $$1, 'excluded', 'd', '2024-01-01', '{2024-01-01,NULL}', '{2024-01-01}', false$$,
	$$1, 'excluded', NULL, '2024-01-01', '{2024-01-01,NULL}', '{2024-01-01}', false$$, $$1, 'still open', NULL, NULL, '{2024-01-01}', '{2024-01-01}', false$$,
	$$2, 'converted', NULL, NULL, '{2024-01-01,2024-01-02}', '{2024-01-01}', false$$, $$NULL, NULL, NULL, NULL, NULL, NULL, NULL$$]) a;

/*
 * Plans: a table that workers can scan
 */
CREATE SCHEMA funnel_entity;
CREATE TABLE funnel_entity.event AS
SELECT (i * 7919 % 30011) AS id, (i * 7919 % 30011) % 601 AS entity, pg_temp.at(0) + pg_temp.draw('pt' || i, 5000) * interval '10 minutes' AS at,
	(ARRAY['a', 'b', 'c', 'd', 'e', 'other', NULL])[1 + pg_temp.draw('pk' || i, 7)] AS kind
FROM generate_series(1, 30000) i;
INSERT INTO funnel_entity.event SELECT -1, n, NULL, 'a' FROM generate_series(1, 700) n;
INSERT INTO funnel_entity.event SELECT -2, 601 + n, '2024-01-01', NULL FROM generate_series(1, 30) n;
ANALYZE funnel_entity.event;
CREATE FUNCTION pg_temp.plan(query text) RETURNS text LANGUAGE plpgsql AS
$$ DECLARE line text; result text := ''; BEGIN FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP result := result || line || E'\n'; END LOOP; RETURN result; END $$;
CREATE FUNCTION pg_temp.query(spec text) RETURNS text LANGUAGE sql AS
$$
	SELECT format('SELECT entity, activity_metrics.funnel_level(at, kind, %1$L) AS level, activity_metrics.funnel_times(at, kind, %1$L) AS times,
		activity_metrics.funnel_attempts(at, kind, %1$L, ''2024-02-01'', ''2024-01-03'', ''2024-01-25'') AS attempts FROM funnel_entity.event GROUP BY entity', spec)
$$;
CREATE FUNCTION pg_temp.digest(query text) RETURNS text LANGUAGE plpgsql AS
$$ DECLARE result text; BEGIN EXECUTE format('SELECT count(*) || '' '' || sum(level) || '' '' || md5(string_agg(q::text, '';'' ORDER BY entity)) FROM (%s) q', query) INTO result; RETURN result; END $$;
CREATE TEMP TABLE plan_case (no serial, spec text, want text);
INSERT INTO plan_case (spec) VALUES ('a -> b -> c within 2 days'), ('a -> b? -> c [5 hours] -> d within 9 days, totals'), ('a -> !e -> b -> !e -> c, strict order, totals'),
	('a -> b -> c -> d within 1 day, any order, totals'), ('(a | b | c | d) -> (a | b | c | d) -> e, first entry, strict increase'), ('c -> d -> e within 30 hours, count skipped');
SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL work_mem = '64MB';
UPDATE plan_case SET want = pg_temp.digest(pg_temp.query(spec));
SELECT matches(pg_temp.plan(pg_temp.query('a -> b')), 'HashAggregate', 'groups are hashed');
SET LOCAL enable_hashagg = off;
SELECT matches(pg_temp.plan(pg_temp.query('a -> b')), 'GroupAggregate', 'groups are sorted');
SELECT is(pg_temp.digest(pg_temp.query(spec)), want, 'hashed or sorted: ' || spec) FROM plan_case ORDER BY no;
SET LOCAL work_mem = '64kB';
SELECT is(pg_temp.digest(pg_temp.query(spec)), want, 'sorted with little memory: ' || spec) FROM plan_case ORDER BY no;
RESET enable_hashagg;
SET LOCAL enable_sort = off;
SELECT matches(pg_temp.plan(pg_temp.query('a -> b')), 'HashAggregate', 'groups are hashed again');
SELECT is(pg_temp.digest(pg_temp.query(spec)), want, 'hashed with little memory: ' || spec) FROM plan_case ORDER BY no;
RESET enable_sort;
SET LOCAL work_mem = '64MB';
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT matches(pg_temp.plan(pg_temp.query('a -> b')), 'Finalize.*Gather.*Partial.*Parallel Seq Scan', 'the plan is parallel');
SELECT is(pg_temp.digest(pg_temp.query(spec)), want, 'parallel: ' || spec) FROM plan_case ORDER BY no;
SET LOCAL parallel_leader_participation = off;
SET LOCAL work_mem = '64kB';
SELECT is(pg_temp.digest(pg_temp.query(spec)), want, 'parallel, workers only, little memory: ' || spec) FROM plan_case ORDER BY no;
RESET parallel_leader_participation;
SELECT throws_ok($$SELECT entity, activity_metrics.funnel_level(at, kind, CASE WHEN id % 1000 = 999 THEN 'a -> c' ELSE 'a -> b' END) FROM funnel_entity.event GROUP BY entity % 2, entity$$, '22023', NULL,
	'parallel: a specification that changes');
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET work_mem;
SELECT is(count(*) FILTER (WHERE g.level IS DISTINCT FROM e.level), 0::bigint, 'GROUPING SETS')
FROM (SELECT entity, entity % 3 AS part, activity_metrics.funnel_level(at, kind, 'a -> b -> c within 2 hours') AS level FROM funnel_entity.event GROUP BY GROUPING SETS ((entity), (entity % 3))) g
JOIN (SELECT entity, NULL::bigint AS part, activity_metrics.funnel_level(at, kind, 'a -> b -> c within 2 hours') AS level FROM funnel_entity.event GROUP BY entity
	UNION ALL SELECT NULL, entity % 3, activity_metrics.funnel_level(at, kind, 'a -> b -> c within 2 hours') FROM funnel_entity.event GROUP BY 2) e
	ON g.entity IS NOT DISTINCT FROM e.entity AND g.part IS NOT DISTINCT FROM e.part;
SELECT is(activity_metrics.funnel_level(at, kind, 'a -> b -> c within 2 days') FILTER (WHERE kind <> 'b'), 1, 'FILTER') FROM funnel_entity.event WHERE entity = 5;
SELECT is(count(DISTINCT f.l), 1::bigint, 'a subquery per row gives the same each time')
FROM generate_series(1, 20) i, LATERAL (SELECT activity_metrics.funnel_times(at, kind, 'a -> b -> c') AS l FROM funnel_entity.event WHERE entity = 7 AND i IS NOT NULL) f;
SELECT is(count(*) FILTER (WHERE level <> 2), 0::bigint, 'two thousand specifications in one query')
FROM (SELECT e, activity_metrics.funnel_level(pg_temp.at(j), CASE j WHEN 0 THEN 'a' ELSE 'k' || e END, 'a -> k' || e) AS level FROM generate_series(1, 2000) e, generate_series(0, 1) j GROUP BY e) x;

/*
 * What is left out, and what is refused
 */
CREATE TEMP TABLE few (at timestamptz, kind text);
INSERT INTO few VALUES ('2024-01-01', 'a'), ('2024-01-02', 'b'), (NULL, 'c'), ('2024-01-03', NULL), (NULL, NULL);
SELECT is(ROW(activity_metrics.funnel_level(at, kind, 'a -> b -> c'), activity_metrics.funnel_times(at, kind, 'a -> b -> c')), ROW(2, '{2024-01-01,2024-01-02,NULL}'::timestamptz[]), 'rows without a time or a kind are left out') FROM few;
SELECT is(activity_metrics.funnel_level(at, kind, 'a -> b'), 0, 'rows, but no entry: 0') FROM few WHERE at IS NULL;
SELECT is(activity_metrics.funnel_times(at, kind, 'a -> b -> c'), '{NULL,NULL,NULL}', '... and no times') FROM few WHERE kind IS DISTINCT FROM 'a';
SELECT is(activity_metrics.funnel_attempts(at, kind, 'a -> b -> c', NULL, NULL, NULL), '{}', '... and no attempts') FROM few WHERE kind IS DISTINCT FROM 'a';
SELECT ok(activity_metrics.funnel_level(at, kind, 'a -> b') IS NULL AND activity_metrics.funnel_times(at, kind, 'a -> b') IS NULL AND activity_metrics.funnel_attempts(at, kind, 'a -> b', now(), NULL, NULL) IS NULL,
	'no rows: NULL') FROM few WHERE false;
SELECT ok(activity_metrics.funnel_level(at, kind, NULL) IS NULL, 'no rows and no specification: NULL') FROM few WHERE false;
SELECT throws_ok(format('SELECT activity_metrics.%s FROM few', call), state, message, call)
FROM unnest('{level,times,attempts}'::text[]) f, LATERAL (VALUES
	('22004', 'funnel specification is null', 'at, kind, NULL'), ('22004', NULL, 'at, kind, CASE WHEN kind = ''a'' THEN ''a'' END'), ('22004', NULL, 'NULL, NULL, NULL'),
	('22023', 'funnel specification changes within a group', 'at, kind, CASE WHEN kind = ''a'' THEN ''a'' ELSE ''a '' END'),
	('22023', 'funnel specification changes within a group', 'at, NULL, CASE WHEN kind = ''a'' THEN ''a'' ELSE ''b'' END'),
	('22023', 'invalid funnel specification at position 5: expected a step, found the end', 'at, kind, ''a ->'''),
	('22023', NULL, 'at, NULL, '''''), ('22008', 'event time is infinite', '''infinity'', kind, ''a'''), ('22008', 'event time is infinite', '''-infinity'', ''other'', ''a'''),
	('22008', 'event time 13556-01-01 00:00:00+00 is out of range', '''13556-01-01'', kind, ''a''')) v(state, message, arguments),
	LATERAL (SELECT format('funnel_%s(%s%s)', f, arguments, CASE f WHEN 'attempts' THEN ', NULL, NULL, NULL' ELSE '' END) AS call) c
WHERE NOT (f = 'attempts' AND arguments ~ 'infinity');
SELECT throws_ok(format($$SELECT activity_metrics.funnel_attempts(at, kind, 'a -> b', %s) FROM few$$, bounds), '22023', 'as_of or the range of entries changes within a group', 'funnel_attempts: ' || bounds)
FROM unnest(ARRAY['at, NULL, NULL', 'NULL, at, NULL', 'NULL, NULL, at', $$'2024-01-01', NULL, CASE kind WHEN 'a' THEN timestamptz '2024-01-01' END$$]) bounds;
SELECT throws_ok(format('SELECT activity_metrics.funnel_%s OVER () FROM few', call), '0A000', NULL, 'no window function: funnel_' || call)
FROM unnest(ARRAY[$$level(at, kind, 'a')$$, $$times(at, kind, 'a')$$, $$attempts(at, kind, 'a', NULL, NULL, NULL)$$]) call;
SELECT throws_ok($$SELECT activity_metrics.funnel_of_attempts(NULL, 'a', now()) OVER () FROM few$$, '0A000', NULL, 'nor funnel_of_attempts');
SELECT lives_ok($$SELECT kind, activity_metrics.funnel_level(at, kind, 'a -> ' || coalesce(kind, 'x')) FROM few GROUP BY kind$$, 'the specification may change between groups');
SELECT is(activity_metrics.funnel_level(NULL, 'a', 'a -> b') , 0, 'a NULL time of no type') FROM few;
SELECT is(activity_metrics.funnel_level('infinity', NULL, 'a -> b') , 0, 'a time without a kind is no event, nor an error') FROM few;
SELECT is(activity_metrics.funnel_times(at, kind, 'a -> b'), ARRAY[timestamptz '4713-01-01 BC', '13555-01-01'], 'times at the ends') FROM (VALUES (timestamptz '13555-01-01', 'b'), ('4713-01-01 BC', 'a')) v(at, kind);
SELECT is(activity_metrics.funnel_level(at, kind, 'a -> b within 1600000 days'), 2, 'a window past the end of time') FROM (VALUES (timestamptz '13555-01-01', 'b'), ('13554-01-01', 'a')) v(at, kind);

-- names of kinds
SELECT is(activity_metrics.funnel_level(pg_temp.at(i::int), kind, $$'it''s, within' -> 'two  blanks' -> "double" -> Größe -> 成約 -> '🎉 -> (x | y)?' -> '!' within 1 week$$), up, 'kinds of any letters, up to ' || up)
FROM generate_series(1, 7) up, unnest(ARRAY['it''s, within', 'two  blanks', '"double"', 'Größe', '成約', '🎉 -> (x | y)?', '!']) WITH ORDINALITY k(kind, i) WHERE i <= up GROUP BY up ORDER BY up;
SELECT is(activity_metrics.funnel_level(pg_temp.at(i::int), kind, 'a -> b'), 0, 'kinds that differ a little are different') FROM unnest(ARRAY['A', ' a', 'a ', 'ä', '', 'aa', E'a\n', 'а']) WITH ORDINALITY k(kind, i);

-- many steps
CREATE FUNCTION pg_temp.steps(n int) RETURNS text LANGUAGE sql AS $$ SELECT string_agg('s' || i, ' -> ' ORDER BY i) FROM generate_series(1, n) i $$;
SELECT is(ROW(activity_metrics.funnel_level(pg_temp.at(i), 's' || i, pg_temp.steps(64)), activity_metrics.funnel_times(pg_temp.at(i), 's' || i, pg_temp.steps(64))),
	ROW(64, array_agg(pg_temp.at(i) ORDER BY i)), '64 steps') FROM generate_series(1, 64) i;
SELECT is(activity_metrics.funnel_level(pg_temp.at(i), 's' || i, pg_temp.steps(64) || ', any order'), 64, '64 steps in any order') FROM generate_series(1, 64) i;
SELECT is((activity_metrics.funnel_of_attempts(a, pg_temp.steps(64), '2025-01-01'))[64].reached, 1::bigint, '64 steps: their funnel')
FROM (SELECT activity_metrics.funnel_attempts(pg_temp.at(i), 's' || i, pg_temp.steps(64), NULL, NULL, NULL) AS a FROM generate_series(1, 64) i) x;
SELECT throws_ok($$SELECT activity_metrics.funnel_level(now(), 's1', pg_temp.steps(65))$$, '54000', NULL, '65 steps');
SELECT is(activity_metrics.funnel_level(pg_temp.at(0), 'a', (SELECT string_agg('a', ' -> ') FROM generate_series(1, 64))), 40, '64 times the same step, 40 events at one time') FROM generate_series(1, 40);

-- equal times throughout
SELECT is(activity_metrics.funnel_level('2024-01-01', kind, spec), level, 'equal times: ' || spec) FROM (VALUES
	('a -> b -> c', 3), ('c -> b -> a', 3), ('a -> a -> a', 2), ('a -> b -> c, strict increase', 1), ('a -> !d -> b -> !d -> c', 3), ('a -> b -> c, strict order', 3),
	('a -> a -> b -> (b | c) -> c within 1 second, first entry', 5), ('a -> a -> a -> b?', 2), ('c -> b -> a -> c, any order', 3), ('a -> b?, strict increase', 1), ('a -> b -> a -> b, totals', 4)) v(spec, level),
	unnest('{d,c,b,a,a,d,b}'::text[]) kind GROUP BY spec, level ORDER BY spec;
SELECT is(ROW(activity_metrics.funnel_level('2024-01-01', (ARRAY['d', 'c', 'b', 'a'])[1 + i % 4], spec), activity_metrics.funnel_times('2024-01-01', (ARRAY['d', 'c', 'b', 'a'])[1 + i % 4], spec)),
	ROW(3, array_fill(timestamptz '2024-01-01', ARRAY[3])), '100,000 events at one time: ' || spec)
FROM generate_series(1, 100000) i, unnest('{a -> b -> c,"c -> b -> a, strict order",a -> !d -> b -> a}'::text[]) spec GROUP BY spec ORDER BY spec;

-- one entity with a million events, a second apart: b 9 seconds after each a but once, where it is 3
CREATE TEMP TABLE one AS
SELECT timestamptz '2024-01-01' + s * interval '1 second' AS at, CASE WHEN s % 10 = 0 THEN 'a' WHEN s % 10 = 9 OR s = 700003 THEN 'b' WHEN s = 700004 THEN 'c' ELSE 'e' END AS kind
FROM (SELECT i::bigint * 7919 % 1000003 AS s FROM generate_series(1, 1000003) i) x WHERE s < 1000000;
CREATE FUNCTION pg_temp.million(memory text, spec text, OUT level int, OUT times text) LANGUAGE plpgsql AS
$$
BEGIN
	PERFORM set_config('work_mem', memory, true);
	SELECT activity_metrics.funnel_level(at, kind, spec), array_to_string(activity_metrics.funnel_times(at, kind, spec), ' ', '-') FROM one INTO level, times;
END
$$;
SELECT is(pg_temp.million(memory, spec)::text, want, format('a million events, work_mem %s: %s', memory, spec)) FROM unnest('{64kB,256MB}'::text[]) memory, (VALUES
	('a -> b -> c within 5 seconds', '(3,"2024-01-09 02:26:40+00 2024-01-09 02:26:43+00 2024-01-09 02:26:44+00")'),
	('a -> b [3 seconds] -> e? -> c', '(4,"2024-01-09 02:26:40+00 2024-01-09 02:26:43+00 - 2024-01-09 02:26:44+00")'),
	('a -> !e -> b', '(1,"2024-01-01 00:00:00+00 -")'),
	('c -> e -> b within 5 seconds, any order', '(3,"2024-01-09 02:26:44+00 2024-01-09 02:26:42+00 2024-01-09 02:26:43+00")'),
	('a -> b -> c within 5 seconds, totals', '(3,"2024-01-09 02:26:40+00 2024-01-09 02:26:43+00 2024-01-09 02:26:44+00")')) v(spec, want);
RESET work_mem;
SELECT is(cardinality(a), 100000, 'a million events, 100,000 attempts') FROM (SELECT activity_metrics.funnel_attempts(at, kind, 'a -> b within 9 seconds, totals', NULL, NULL, NULL) AS a FROM one) x;
DROP TABLE one;

SELECT * FROM finish();
ROLLBACK;
