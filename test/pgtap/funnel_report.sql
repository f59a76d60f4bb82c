-- funnel_report(), funnel_trend(), funnel_compare() and funnel_entities() against plain SQL and hand-made histories; names, rights, refusals.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;
SET LOCAL jit = off;
SELECT no_plan();

CREATE SCHEMA funnel_report;
SET LOCAL search_path = funnel_report, public, activity_metrics;

-- 0 .. n - 1 from any text, the same on every server
CREATE FUNCTION draw(seed text, n int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT (('x' || substr(md5(seed), 1, 8))::bit(32)::bigint % n)::int $$;

-- 300 deals, 90 days by the half day. Region is of the event and may be missing, rep too
CREATE TABLE event AS
SELECT row_number() OVER () AS id, n::bigint AS entity, timestamptz '2024-01-01' + half * interval '12 hours' AS at, kind,
	(ARRAY['North', 'South', 'East', NULL])[1 + draw('r' || n || '.' || i % 3, 4)] AS region, (ARRAY['Ann', 'Bob', NULL])[1 + draw('p' || n || '.' || i, 3)] AS rep
FROM generate_series(1, 300) n, generate_series(1, 8) i, LATERAL (
	SELECT draw('b' || n, 120) + draw('t' || n || '.' || i, CASE WHEN n % 4 = 0 THEN 6 ELSE 50 END) AS half,
		(ARRAY['a', 'b', 'c', 'd', 'x', 'other'])[1 + draw('k' || n || '.' || i, 6)] AS kind) e
WHERE i <= 1 + draw('n' || n, 8);
-- the events stay as they are: computed once a statement
CREATE FUNCTION data_end() RETURNS timestamptz LANGUAGE sql IMMUTABLE AS 'SELECT max(at) FROM funnel_report.event';

CREATE TABLE spec_case (no serial, spec text);
INSERT INTO spec_case (spec) VALUES
	('a'), ('a -> b'), ('a -> b -> c'), ('a -> b -> c within 20 days'), ('(a | b) -> (b | c) -> d within 10 days'), ('a -> a -> a within 15 days'), ('nobody -> a'), ('a -> nobody -> b'),
	('a -> b [3 days] -> c [5 days]'), ('a -> b [3 days] -> c within 4 days'), ('a -> b? -> c within 20 days'), ('a -> b? -> c? -> d'), ('a -> b? [2 days] -> c [8 days] -> d?'),
	('a -> !x -> b -> c within 20 days'), ('a -> !x -> b -> !x -> !d -> c'), ('a -> !(c | d) -> b -> (c | d) within 9 days'), ('a -> !d -> b? -> !x -> c, strict order'),
	('a -> b -> c, strict order'), ('a -> b -> c -> d within 25 days, strict order, strict once'), ('a -> b -> a -> b, strict increase'), ('a -> b -> c within 15 days, first entry'),
	('a -> !x -> b within 10 days, first entry, strict order'), ('a -> b within 5 days, totals'), ('a -> b -> c within 15 days, totals'), ('a -> !x -> b -> c, totals'),
	('a -> b? -> c within 8 days, totals, strict order'), ('a -> b [2 days] -> c, totals, first entry, strict increase'), ('a -> b -> c within 15 days, any order'),
	('a -> b -> c? -> (a | d), any order'), ('a -> b -> c within 9 days, any order, totals, strict increase'), ('a -> b within 9 days, any order, first entry'),
	('a -> b -> c -> d within 20 days, count skipped'), ('a -> !x -> b -> c, count skipped, totals'), ('a -> !x -> b -> !d -> c within 20 days, count reopened'),
	('a -> !x -> b -> c, count reopened, totals'), ('a -> !x -> b -> c, count reopened, count skipped, strict order');

-- where a row does not add up
CREATE FUNCTION amiss(query text) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	result text;
BEGIN
	EXECUTE format($q$
		SELECT string_agg(r::text, E'\n') FROM (
			SELECT *, lead(reached) OVER w AS next, max(step_no) OVER (PARTITION BY segment) AS n FROM (%s) q WINDOW w AS (PARTITION BY segment ORDER BY step_no)) r
		WHERE (reached - still_open - timed_out - excluded - broken = CASE WHEN step_no < n THEN next ELSE reached END AND (step_no < n OR still_open + timed_out + excluded + broken = 0)
			AND taken <= reached AND entities <= reached AND reached <= coalesce(lag, reached)) IS NOT TRUE $q$,
		format('SELECT *, lag(reached) OVER (PARTITION BY segment ORDER BY step_no) FROM (%s) s', query)) INTO result;
	RETURN result;
END
$$;
SELECT is(amiss(format('SELECT * FROM funnel_report(%L, %L%s)', 'event', spec, arguments)), NULL, 'rows add up: ' || spec || arguments)
FROM spec_case, unnest(ARRAY['', ', by => ''region''', ', grain => ''month'', since => ''2024-01-10 12:00''', ', by => ''region'', attribution => ''last'', holding => ''rep'', until => ''2024-03-01''',
	', since => ''2024-01-20'', until => ''2024-02-20'', as_of => ''2024-03-01''']) arguments ORDER BY no, arguments;

-- the report is the aggregate
CREATE FUNCTION but_notes(step funnel_step) RETURNS jsonb LANGUAGE sql IMMUTABLE AS 'SELECT to_jsonb(step) - ''note''';
CREATE FUNCTION columns_of(r jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS 'SELECT r - ''note'' - ''segment''';
SELECT is((SELECT jsonb_agg(columns_of(to_jsonb(r)) ORDER BY step_no) FROM funnel_report('event', spec) r), (SELECT jsonb_agg(but_notes(f) ORDER BY f.step_no) FROM unnest(s) f), 'as funnel: ' || spec)
FROM (SELECT no, spec, funnel(entity, at, kind, spec) AS s FROM spec_case, event GROUP BY no, spec) x ORDER BY no;
SELECT is((SELECT jsonb_agg(columns_of(to_jsonb(r)) ORDER BY step_no) FROM funnel_report('event', spec, since => '2024-01-20', until => '2024-02-20', as_of => '2024-03-03') r),
	(SELECT jsonb_agg(but_notes(f) ORDER BY f.step_no) FROM unnest(s) f), 'as funnel_between: ' || spec)
FROM (SELECT no, spec, funnel_between(entity, at, kind, spec, '2024-03-03', '2024-01-20', '2024-02-20') AS s FROM spec_case, event GROUP BY no, spec) x ORDER BY no;
SELECT is((SELECT array_agg(note ORDER BY step_no) FROM funnel_report('event', spec)), (SELECT array_agg(f.note ORDER BY f.step_no) FROM unnest(s) f), 'with its notes: ' || spec)
FROM (SELECT no, spec, funnel(entity, at, kind, spec) AS s FROM spec_case, event GROUP BY no, spec) x ORDER BY no;

/*
 * Segments, by the event of the first step, the last one, or one that is named
 */
CREATE TABLE attempt AS
SELECT no, spec, entity, a.n, a.level, a.stop, a.times, a.first_reached[1] AS entered_at, first.t AS first_at, first.s AS first_step, last.t AS last_at, last.s AS last_step
FROM (SELECT no, spec, entity, funnel_attempts(at, kind, spec, data_end(), NULL, NULL) AS attempts FROM spec_case, event GROUP BY no, spec, entity) x,
	LATERAL unnest(attempts) WITH ORDINALITY a(level, stop, excluded_by, ended, times, first_reached, passed_over, n),
	LATERAL (SELECT t, s FROM unnest(a.times) WITH ORDINALITY u(t, s) WHERE t IS NOT NULL ORDER BY t, s LIMIT 1) first,
	LATERAL (SELECT t, s FROM unnest(a.times) WITH ORDINALITY u(t, s) WHERE t IS NOT NULL ORDER BY t DESC, s DESC LIMIT 1) last;
-- of the events that may have filled a step at its time, the first region by name
CREATE FUNCTION region_of(spec text, deal bigint, step bigint, moment timestamptz) RETURNS text LANGUAGE sql AS
$$ SELECT coalesce(min(region COLLATE "C"), '(none)') FROM event WHERE entity = deal AND at = moment AND kind = ANY (funnel_kinds(spec, step::int)) $$;
CREATE FUNCTION counts(segment text, steps int[], stops text[], n int) RETURNS text LANGUAGE sql IMMUTABLE AS
$$
	SELECT string_agg(format('%s %s: %s/%s/%s/%s/%s', segment, s, count, o, t, e, b), ', ' ORDER BY s)
	FROM (SELECT s, count(*) FILTER (WHERE level >= s), count(*) FILTER (WHERE level = s AND stop = 'still open') AS o, count(*) FILTER (WHERE level = s AND stop = 'timed out') AS t,
		count(*) FILTER (WHERE level = s AND stop = 'excluded') AS e, count(*) FILTER (WHERE level = s AND stop = 'broken') AS b
		FROM generate_series(1, n) s, unnest(steps, stops) u(level, stop) GROUP BY s) x
$$;
CREATE FUNCTION report_counts(arguments text) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT string_agg(format(''%%s %%s: %%s/%%s/%%s/%%s/%%s'', segment, step_no, reached, still_open, timed_out, excluded, broken), '', '' ORDER BY segment COLLATE "C", step_no)
		FROM (SELECT *, max(reached) OVER (PARTITION BY segment) AS most FROM activity_metrics.funnel_report(%s)) r WHERE most > 0', arguments) INTO result;
	RETURN result;
END
$$;
SELECT is(report_counts(format('%L, %L, %L, attribution => %L', 'event', spec, 'region', attribution)),
	(SELECT string_agg(counts, ', ' ORDER BY segment COLLATE "C") FROM (
		SELECT segment, counts(segment, array_agg(level), array_agg(stop), cardinality(funnel_steps(spec)))
		FROM (SELECT level, stop, CASE attribution WHEN 'first' THEN region_of(spec, entity, first_step, first_at) WHEN 'last' THEN region_of(spec, entity, last_step, last_at)
				ELSE region_of(spec, entity, attribution::int, times[attribution::int]) END AS segment FROM attempt WHERE no = c.no) a GROUP BY segment) x),
	format('by region of step %s: %s', attribution, spec))
FROM spec_case c, unnest('{first,last,1,2,3}'::text[]) attribution
WHERE no IN (2, 4, 5, 10, 13, 15, 20, 24, 28, 29, 32) AND (attribution !~ '\d' OR (attribution::int <= cardinality(funnel_steps(spec)) AND NOT funnel_has_option(spec, 'any order'))) ORDER BY no, attribution;

-- segments and cohorts are parts of the whole
SELECT is((SELECT array_agg(ROW(step_no, reached, still_open, timed_out, excluded, broken, taken)::text ORDER BY step_no) FROM (
			SELECT step_no, sum(reached)::bigint AS reached, sum(still_open)::bigint AS still_open, sum(timed_out)::bigint AS timed_out, sum(excluded)::bigint AS excluded, sum(broken)::bigint AS broken, sum(taken)::bigint AS taken
			FROM funnel_report('event', spec, by => CASE WHEN part ~ 'by' THEN 'region' END, grain => substring(part, 'week|quarter|day'), attribution => 'last') GROUP BY step_no) r),
	(SELECT array_agg(ROW(step_no, reached, still_open, timed_out, excluded, broken, taken)::text ORDER BY step_no) FROM funnel_report('event', spec)), format('%s: parts sum to the whole: %s', part, spec))
FROM spec_case, unnest('{by,week,quarter and by,day}'::text[]) part WHERE part = 'by' OR (part = (ARRAY['by', 'week', 'quarter and by', 'day'])[1 + no % 4] AND spec <> 'nobody -> a') ORDER BY no, part;
SELECT is(report_counts(format('%L, %L, grain => %L, tz => %L', 'event', spec, grain, tz)),
	(SELECT string_agg(counts, ', ' ORDER BY segment COLLATE "C") FROM (
		SELECT segment, counts(segment, array_agg(level), array_agg(stop), cardinality(funnel_steps(spec)))
		FROM (SELECT level, stop, date_trunc(grain, entered_at AT TIME ZONE tz)::date::text AS segment FROM attempt WHERE no = c.no) a GROUP BY segment) x), format('cohorts by %s in %s: %s', grain, tz, spec))
FROM spec_case c, (VALUES ('day', 'UTC'), ('week', 'UTC'), ('month', 'America/New_York'), ('quarter', 'Asia/Kathmandu'), ('year', 'UTC')) g(grain, tz) WHERE no IN (4, 10, 24, 28, 32) ORDER BY no, grain;
SELECT is(report_counts(format('%L, %L, %L, grain => %L, attribution => %L', 'event', spec, 'region', 'month', '2')),
	(SELECT string_agg(counts, ', ' ORDER BY segment COLLATE "C") FROM (
		SELECT segment, counts(segment, array_agg(level), array_agg(stop), cardinality(funnel_steps(spec)))
		FROM (SELECT level, stop, date_trunc('month', entered_at)::date || ', ' || region_of(spec, entity, 2, times[2]) AS segment FROM attempt WHERE no = c.no) a GROUP BY segment) x), 'cohorts by region of step 2: ' || spec)
FROM spec_case c WHERE no IN (4, 13, 24, 28, 32) AND NOT funnel_has_option(spec, 'any order') ORDER BY no;
SELECT is(report_counts($$'event', 'a -> (b | c) -> d within 10 days', 'region', attribution => 'b | c'$$), report_counts($$'event', 'a -> (b | c) -> d within 10 days', 'region', attribution => '2'$$), 'a step by its name');
SELECT is(report_counts($$'event', 'a -> a -> a', 'region', attribution => 'a'$$), report_counts($$'event', 'a -> a -> a', 'region', attribution => '1'$$), 'of steps of one name the first');
SELECT is((SELECT array_agg(DISTINCT segment ORDER BY segment) FROM funnel_report('event', 'a -> b', by => 'region')), '{(none),East,North,South}', 'the segment of those without a value');
SELECT results_eq($$SELECT segment, step_no, reached, step_rate, note FROM funnel_report('event', 'nobody -> a', by => 'region') WHERE segment IN ('East', '(none)')$$,
	$$VALUES ('(none)', 1, 0::bigint, NULL::float8, 'in this segment no event of kind nobody, nearest kind present: b'), ('(none)', 2, 0, NULL, 'no entity of this segment took the first step'),
		('East', 1, 0, NULL, 'in this segment no event of kind nobody, nearest kind present: b'), ('East', 2, 0, NULL, 'no entity of this segment took the first step')$$, 'segments that nobody entered');

/*
 * Holding a value along the chain
 */
SELECT is((SELECT array_agg(reached ORDER BY step_no) FROM funnel_report('event', 'a -> b -> c within 20 days', holding => 'rep')),
	(SELECT ARRAY[count(DISTINCT a.entity), count(DISTINCT b.entity), count(DISTINCT c.entity)] FROM event a
		LEFT JOIN event b ON b.entity = a.entity AND b.kind = 'b' AND b.at >= a.at AND b.at <= a.at + interval '20 days' AND b.rep IS NOT DISTINCT FROM a.rep
		LEFT JOIN event c ON c.entity = b.entity AND c.kind = 'c' AND c.at >= b.at AND c.at <= a.at + interval '20 days' AND c.rep IS NOT DISTINCT FROM a.rep
		WHERE a.kind = 'a'), 'holding: chains of events of one rep, or of none');
-- an entity's best chain is that of one value; with totals each value has attempts of its own
SELECT is((SELECT array_agg(ROW(step_no, reached, entities, still_open + timed_out + excluded + broken)::text ORDER BY step_no) FROM funnel_report('event', c.spec, holding => 'rep')),
	(SELECT array_agg(ROW(s, reached, entities, reached - coalesce(following, 0) - CASE WHEN s = n THEN reached ELSE 0 END)::text ORDER BY s) FROM (
		SELECT s, n, count(l.entity) AS reached, count(DISTINCT l.entity) AS entities, lead(count(l.entity)) OVER (ORDER BY s) AS following
		FROM (SELECT cardinality(funnel_steps(c.spec)) AS n) x, generate_series(1, n) s LEFT JOIN (
			SELECT entity, a.level FROM (SELECT entity, funnel_attempts(at, kind, c.spec, data_end(), NULL, NULL) AS attempts FROM event GROUP BY entity, rep) y, unnest(attempts) a WHERE c.spec ~ 'totals'
			UNION ALL SELECT entity, max(level) FROM (SELECT entity, funnel_level(at, kind, c.spec) AS level FROM event GROUP BY entity, rep) y WHERE c.spec !~ 'totals' GROUP BY entity) l ON l.level >= s
		GROUP BY s, n) z), 'holding: ' || c.spec)
FROM spec_case c ORDER BY no;
CREATE TABLE held (entity text, at timestamptz, kind text, who text);
INSERT INTO held VALUES ('one', '2024-01-01', 'a', 'Ann'), ('one', '2024-01-02', 'b', 'Bob'), ('one', '2024-01-03', 'b', 'Ann'), ('one', '2024-01-04', 'c', 'Bob'),
	('two', '2024-01-01', 'a', 'Ann'), ('two', '2024-01-02', 'a', 'Bob'), ('two', '2024-01-05', 'b', 'Ann'), ('two', '2024-01-03', 'b', 'Bob'),
	('none', '2024-01-01', 'a', NULL), ('none', '2024-01-02', 'b', NULL), ('none', '2024-01-03', 'c', 'Ann'), ('some', '2024-01-01', 'a', NULL), ('some', '2024-01-02', 'b', 'Ann'), ('some', '2024-02-01', 'b', '');
SELECT is((SELECT array_agg(reached ORDER BY step_no) FROM funnel_report('held', 'a -> b -> c')), '{4,4,2}', 'not holding');
SELECT is((SELECT array_agg(reached ORDER BY step_no) FROM funnel_report('held', 'a -> b -> c', holding => 'who')), '{4,3,0}', 'holding, with NULLs');
SELECT results_eq($$SELECT entity, step_no, times[1]::date, times[2]::date FROM funnel_entities('held', 'a -> b -> c', holding => 'who') ORDER BY entity$$,
	$$VALUES ('none', 2, date '2024-01-01', date '2024-01-02'), ('one', 2, '2024-01-01', '2024-01-03'), ('some', 1, '2024-01-01', NULL), ('two', 2, '2024-01-02', '2024-01-03')$$, 'holding: the chain that got there first');
SELECT results_eq($$SELECT segment, reached FROM funnel_report('held', 'a -> b', by => 'who', holding => 'who') WHERE step_no = 2 ORDER BY 1$$, $$VALUES ('', 0::bigint), ('(none)', 1), ('Ann', 1), ('Bob', 1)$$, 'holding and by');

/*
 * Since and until are of the entry, half open; what comes later counts, what came before does not
 */
CREATE TABLE entry (entity int, at timestamptz, kind text);
INSERT INTO entry VALUES (1, '2024-01-31 23:59:59.999999', 'a'), (1, '2024-02-01', 'b'), (2, '2024-02-01', 'a'), (2, '2024-03-01', 'b'), (3, '2024-02-29 23:59:59.999999', 'a'), (3, '2024-04-01', 'b'),
	(4, '2024-03-01', 'a'), (4, '2024-03-02', 'b'), (5, '2024-01-15', 'a'), (5, '2024-02-15', 'a'), (5, '2024-03-15', 'b'), (6, '2024-02-10', 'b'), (6, '2024-02-10', 'a');
SELECT is((SELECT array_agg(ROW(reached, still_open)::text ORDER BY step_no) FROM funnel_report('entry', 'a -> b', since => s::timestamptz, until => u::timestamptz)), want::text[], format('entries in [%s, %s)', s, u))
FROM (VALUES ('2024-02-01', '2024-03-01', '{"(4,0)","(4,0)"}'), ('2024-02-01', NULL, '{"(5,0)","(5,0)"}'), (NULL, '2024-02-01', '{"(2,0)","(2,0)"}'), (NULL, '2024-03-01', '{"(5,0)","(5,0)"}'),
	('2024-02-01 00:00:00.000001', '2024-03-01', '{"(3,0)","(3,0)"}'), ('2024-02-01', '2024-02-01', '{"(0,0)","(0,0)"}'), ('2030-01-01', NULL, '{"(0,0)","(0,0)"}'), ('-infinity', 'infinity', '{"(6,0)","(6,0)"}'), ('2024-02-29', '2024-03-01', '{"(1,0)","(1,0)"}')) v(s, u, want);
SELECT is((SELECT array_agg(reached ORDER BY step_no) FROM funnel_report('entry', 'a -> b', since => '2024-02-01', until => '2024-03-01', as_of => '2024-03-01')), '{4,2}', 'and as of their end');
-- Deals as a CRM tells them: stages with the day they were entered
CREATE TABLE stage (deal text, at timestamptz, stage text, owner text);
INSERT INTO stage SELECT deal, timestamptz '2024-01-01' + m[2]::int * interval '1 day', m[1], CASE WHEN deal ~ 'straight|late|jump' THEN 'Ann' ELSE 'Bob' END FROM (VALUES
	('straight', 'qualified0 proposal2 won5'), ('jump', 'qualified0 won3'), ('late', 'proposal0 won4'), ('later', 'won1'), ('reopened', 'qualified0 lost2 qualified5 proposal6 won9'),
	('back', 'qualified0 proposal1 qualified3 proposal5 won7'), ('waits', 'qualified0 proposal2'), ('lost', 'qualified0 lost1'), ('lost and won', 'qualified0 proposal1 lost2 won6'),
	('back for good', 'qualified0 proposal1 qualified3')) v(deal, history), regexp_matches(history, '([a-z]+)(\d+)', 'g') m;
CREATE FUNCTION stages(arguments text) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT string_agg(concat_ws('' '', format(''%%s of %%s: %%s/%%s/%%s/%%s'', taken, reached, still_open, timed_out, excluded, broken), ''('' || note || '')''), '', '' ORDER BY segment, step_no)
		FROM activity_metrics.funnel_report(''stage'', ''qualified -> !lost -> proposal -> !lost -> won within 30 days'', entity => ''deal'', kind => ''stage''%s)', arguments) INTO result;
	RETURN result;
END
$$;
SELECT is(stages(arguments), want, 'deals: ' || arguments) FROM (VALUES
	(', as_of => ''2024-03-01''', '8 of 8: 0/1/1/0 (excluded by lost: 1; 2 took later steps without it, and are left out; 1 went on without the next step), 6 of 6: 0/2/1/0 (excluded by lost: 1), 3 of 3: 0/0/0/0'),
	('', '8 of 8: 1/0/1/0 (excluded by lost: 1; 2 took later steps without it, and are left out; 1 went on without the next step), 6 of 6: 2/0/1/0 (excluded by lost: 1), 3 of 3: 0/0/0/0'),
	(', as_of => ''2024-03-01'', skipped => ''count''', '8 of 10: 0/0/1/0 (2 of 10 skipped it; excluded by lost: 1), 7 of 9: 0/2/1/0 (2 of 9 skipped it; excluded by lost: 1), 6 of 6: 0/0/0/0'),
	(', as_of => ''2024-03-01'', moved_back => ''end''', '8 of 8: 0/0/1/1 (excluded by lost: 1; 2 took later steps without it, and are left out; 1 went on without the next step), 6 of 6: 0/1/1/1 (excluded by lost: 1), 3 of 3: 0/0/0/0'),
	(', as_of => ''2024-03-01'', reopened => ''count''', '8 of 8: 0/1/1/0 (excluded by lost: 1; 2 took later steps without it, and are left out; 1 went on without the next step), 6 of 6: 0/2/0/0, 4 of 4: 0/0/0/0'),
	(', as_of => ''2024-03-01'', skipped => ''count'', reopened => ''count''', '8 of 10: 0/0/1/0 (2 of 10 skipped it; excluded by lost: 1), 7 of 9: 0/2/0/0 (2 of 9 skipped it), 7 of 7: 0/0/0/0'),
	(', as_of => ''2024-03-01'', skipped => ''count'', moved_back => ''end'', reopened => ''count''', '8 of 10: 0/0/1/0 (2 of 10 skipped it; excluded by lost: 1), 7 of 9: 0/1/0/1 (2 of 9 skipped it), 7 of 7: 0/0/0/0'),
	(', as_of => ''2024-03-01'', by => ''owner''', '2 of 2: 0/1/0/0 (1 went on without the next step), 1 of 1: 0/0/0/0, 1 of 1: 0/0/0/0, 6 of 6: 0/0/1/0 (excluded by lost: 1), 5 of 5: 0/2/1/0 (excluded by lost: 1), 2 of 2: 0/0/0/0'),
	(', as_of => ''2024-03-01'', by => ''owner'', skipped => ''count''', '2 of 4: 0/0/0/0 (2 of 4 skipped it), 2 of 4: 0/0/0/0 (2 of 4 skipped it), 4 of 4: 0/0/0/0, 6 of 6: 0/0/1/0 (excluded by lost: 1), 5 of 5: 0/2/1/0 (excluded by lost: 1), 2 of 2: 0/0/0/0')
	) v(arguments, want);
SELECT results_eq($$SELECT entity, times[1]::date - date '2024-01-01', times[2]::date - date '2024-01-01', times[3]::date - date '2024-01-01'
		FROM funnel_entities('stage', 'qualified -> !lost -> proposal -> !lost -> won within 30 days', entity => 'deal', kind => 'stage', skipped => 'count', reopened => 'count', stop => 'converted') ORDER BY entity COLLATE "C"$$,
	$$VALUES ('back', 3, 5, 7), ('jump', 0, NULL, 3), ('late', NULL, 0, 4), ('later', NULL, NULL, 1), ('lost and won', 0, 1, 6), ('reopened', 5, 6, 9), ('straight', 0, 2, 5)$$, 'deals: when they took each stage');
SELECT is((SELECT array_agg(ROW(r.*)::text) FROM funnel_report('stage', 'qualified -> won', entity => 'deal', kind => 'stage', skipped => 'count') r),
	(SELECT array_agg(ROW(r.*)::text) FROM funnel_report('stage', 'qualified -> won, count skipped', entity => 'deal', kind => 'stage') r), 'an argument is an option');
SELECT is((SELECT array_agg(ROW(r.*)::text) FROM funnel_report('stage', 'qualified -> won, count skipped', entity => 'deal', kind => 'stage', skipped => 'count') r),
	(SELECT array_agg(ROW(r.*)::text) FROM funnel_report('stage', 'qualified -> won, count skipped', entity => 'deal', kind => 'stage') r), '... that may be given twice');

-- a deal is late at its very start only: whoever entered before the range is in its middle, and not of the range
INSERT INTO stage SELECT deal, day::timestamptz, stage, 'Eve' FROM (VALUES ('before', '2024-05-20', 'qualified'), ('before', '2024-06-05', 'proposal'), ('before', '2024-06-10', 'won'),
	('in it', '2024-06-02', 'qualified'), ('in it', '2024-06-03', 'proposal'), ('starts late', '2024-06-03', 'proposal'), ('starts late', '2024-06-08', 'won'),
	('came back', '2024-05-01', 'won'), ('came back', '2024-06-04', 'proposal'), ('came back', '2024-06-05', 'won'), ('anew', '2024-05-01', 'proposal'), ('anew', '2024-06-04', 'qualified'),
	('a call first', '2024-05-30', 'call'), ('a call first', '2024-06-09', 'won')) v(deal, day, stage);
SELECT is((SELECT array_agg(concat_ws(' ', segment, taken, 'of', reached) ORDER BY segment, step_no) FROM funnel_report('stage', 'qualified -> proposal -> won', by => by, since => '2024-06-01', until => '2024-07-01', entity => 'deal', kind => 'stage', skipped => 'count') WHERE segment IS DISTINCT FROM 'Ann' AND segment IS DISTINCT FROM 'Bob'),
	want::text[], coalesce('by ' || by, 'all') || ': deals that entered before the range are not late in it')
FROM (VALUES (NULL, '{2 of 4,2 of 3,2 of 2}'), ('owner', '{Eve 2 of 4,Eve 2 of 3,Eve 2 of 2}')) v(by, want);
SELECT is((SELECT array_agg(entity ORDER BY entity) FROM funnel_entities('stage', 'qualified -> proposal -> won', since => '2024-06-01', until => '2024-07-01', entity => 'deal', kind => 'stage', skipped => 'count')),
	'{a call first,anew,in it,starts late}', 'which they are');

/*
 * Planned and cancelled
 */
CREATE TABLE task (deal int, done_at timestamptz, kind text, status text, outcome text);
INSERT INTO task SELECT n, timestamptz '2024-01-01', 'call', (ARRAY['done', 'planned', 'Cancelled', 'NO SHOW', NULL, 'held'])[1 + n % 6], (ARRAY['ok', 'planned'])[1 + n % 2] FROM generate_series(1, 60) n
UNION ALL SELECT n, '2024-01-05', 'demo', 'done', CASE WHEN n % 5 = 0 THEN 'no-show' ELSE 'ok' END FROM generate_series(1, 60) n;
SELECT is((SELECT array_agg(reached ORDER BY step_no) FROM funnel_report('task', 'call -> demo', entity => 'deal', at => 'done_at')), '{30,30}', 'only what was done');
SELECT is((SELECT array_agg(reached ORDER BY step_no) FROM funnel_report('task', 'call -> demo', entity => 'deal', at => 'done_at', only_done => false)), '{60,60}', '... or all');
SELECT is((SELECT array_agg(reached ORDER BY step_no) FROM funnel_report('task', 'call -> demo', entity => 'deal', at => 'done_at', status => 'outcome')), '{30,24}', '... by another column');
SELECT is((SELECT array_agg(reached ORDER BY segment, step_no) FROM funnel_report('task', 'call -> demo', by => 'deal', entity => 'deal', at => 'done_at', status => 'outcome') WHERE segment IN ('2', '10')), '{1,0,1,1}', '... by segment');
SELECT is((SELECT ROW(entered, converted)::text FROM funnel_trend('task', 'call -> demo', entity => 'deal', at => 'done_at', status => 'outcome')), '(30,24)', '... in a trend');
SELECT is((SELECT count(*)::int FROM funnel_entities('task', 'call -> demo', entity => 'deal', at => 'done_at')), 30, '... in a list');
SELECT is((SELECT reached_a + reached_b FROM funnel_compare('task', 'call -> demo', by => 'outcome', a => 'ok', b => 'planned', entity => 'deal', at => 'done_at') WHERE step_no = 2), 30::bigint, '... in a comparison');

/*
 * Names and types
 */
CREATE FUNCTION rows_of(arguments text) RETURNS text LANGUAGE plpgsql AS
$$ DECLARE result text; BEGIN EXECUTE format('SELECT string_agg(r::text, E''\n'' ORDER BY segment, step_no) FROM activity_metrics.funnel_report(%s) r', arguments) INTO result; RETURN result; END $$;
CREATE TYPE kind_of_event AS ENUM ('x', 'other', 'd', 'c', 'b', 'a');
CREATE DOMAIN deal_no AS integer;
CREATE TABLE plain AS SELECT *, at::date AS day FROM event;
CREATE VIEW "Other ""names""" AS SELECT entity::smallint AS small, entity::deal_no AS domain, entity::numeric AS "numeric", entity::text AS "text", 'deal ' || entity AS "The Deal", entity::text::varchar(20) AS "varchar",
	md5(entity::text)::uuid AS id, at AS "At", at AT TIME ZONE 'America/New_York' AS local, kind AS "select", kind::kind_of_event AS enum, kind::char(5) AS char, region AS "from" FROM event;
CREATE MATERIALIZED VIEW stored AS SELECT * FROM event;
CREATE TABLE parts (LIKE event) PARTITION BY LIST (region);
CREATE TABLE part_rest PARTITION OF parts DEFAULT;
CREATE TABLE part_north PARTITION OF parts FOR VALUES IN ('North');
INSERT INTO parts SELECT * FROM event;
SELECT is(rows_of(format('%L, %L, %s', relation, spec, arguments)), rows_of(format('%L, %L, by => %L', 'event', spec, CASE WHEN arguments ~ 'from|region' THEN 'region' END)), format('%s, %s: %s', relation, arguments, spec))
FROM spec_case, (VALUES ('"Other ""names"""', 'entity => ''small'', at => ''At'', kind => ''select'''), ('"Other ""names"""', 'entity => ''domain'', at => ''At'', kind => ''enum'''),
	('"Other ""names"""', 'entity => ''numeric'', at => ''At'', kind => ''char'''), ('"Other ""names"""', 'entity => ''text'', at => ''local'', kind => ''select'', tz => ''America/New_York'''),
	('"Other ""names"""', 'entity => ''The Deal'', at => ''At'', kind => ''select'', by => ''from'''), ('"Other ""names"""', 'entity => ''varchar'', at => ''At'', kind => ''enum'', by => ''from'''),
	('"Other ""names"""', 'entity => ''id'', at => ''At'', kind => ''select'', by => ''from'''), ('"Other ""names"""', 'entity => ''id'', at => ''local'', kind => ''select'', tz => ''America/New_York'''),
	('stored', 'by => ''region'''), ('parts', 'by => ''region'''), ('funnel_report.parts', 'by => NULL')) v(relation, arguments)
WHERE no IN (4, 13, 17, 24, 28, 32) ORDER BY no, relation, arguments;
SELECT is((SELECT array_agg(times[1] ORDER BY entity::int) FROM funnel_entities('plain', 'a -> b', at => 'day', tz => 'Asia/Kathmandu')),
	(SELECT array_agg(t ORDER BY entity) FROM (SELECT entity, (funnel_times(day::timestamp AT TIME ZONE 'Asia/Kathmandu', kind, 'a -> b'))[1] AS t FROM plain GROUP BY entity) x WHERE t IS NOT NULL), 'a date is the start of its day in the zone');
SELECT is((SELECT array_agg(segment ORDER BY segment) FROM funnel_report('plain', 'a', grain => 'day', at => 'day', tz => 'Asia/Kathmandu') WHERE reached > 0),
	(SELECT array_agg(DISTINCT d::text ORDER BY d::text) FROM (SELECT entity, min(day) FILTER (WHERE kind = 'a') AS d FROM plain GROUP BY entity) x WHERE d IS NOT NULL), '... and so are its cohorts');

/*
 * Trend
 */
SELECT is((SELECT array_agg(ROW(period_start, entered, converted, still_open, round(rate::numeric, 9), round(rate_low::numeric, 9), round(rate_high::numeric, 9), round(median_days::numeric, 9))::text ORDER BY period_start)
		FROM funnel_trend('event', spec, grain, tz => tz)),
	(SELECT array_agg(ROW(d::date, n, k, coalesce(open, 0), round((k::float8 / nullif(n, 0))::numeric, 9), round(w.low::numeric, 9), round(w.high::numeric, 9), round(median::numeric, 9))::text ORDER BY d) FROM (
		SELECT d, count(entity) AS n, count(*) FILTER (WHERE stop = 'converted') AS k, count(*) FILTER (WHERE stop = 'still open') AS open,
			percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM last_at - first_at)::float8 / 86400) FILTER (WHERE stop = 'converted') AS median
		FROM (SELECT date_trunc(grain, min(entered_at AT TIME ZONE tz)) AS first, date_trunc(grain, max(entered_at AT TIME ZONE tz)) AS last FROM attempt WHERE no = c.no) r,
			generate_series(first, last, CASE grain WHEN 'quarter' THEN interval '3 months' ELSE ('1 ' || grain)::interval END) d
			LEFT JOIN attempt ON no = c.no AND date_trunc(grain, entered_at AT TIME ZONE tz) = d
		GROUP BY d) x, wilson(k, n) w), format('trend by %s in %s: %s', grain, tz, spec))
FROM spec_case c, (VALUES ('day', 'UTC'), ('week', 'Europe/Berlin'), ('month', 'UTC'), ('quarter', 'America/New_York')) g(grain, tz) WHERE no IN (4, 14, 24, 28) ORDER BY no, grain;
SELECT is((SELECT ROW(sum(entered), sum(converted), sum(still_open))::text FROM funnel_trend('event', spec, 'week')),
	(SELECT ROW(min(reached) FILTER (WHERE step_no = 1), min(reached) FILTER (WHERE step_no = cardinality(funnel_steps(spec))), sum(still_open))::text FROM funnel_report('event', spec)), 'periods sum to the whole: ' || spec)
FROM spec_case WHERE spec <> 'nobody -> a' ORDER BY no;
CREATE TABLE visit (entity int, at timestamptz, kind text);
INSERT INTO visit VALUES (1, '2024-01-10', 'a'), (1, '2024-01-12', 'b'), (2, '2024-01-31', 'a'), (3, '2024-04-02', 'a'), (3, '2024-04-03', 'b'), (4, '2024-04-30', 'a'), (5, '2024-05-02', 'a'), (5, '2024-05-03', 'b'), (6, '2024-05-10', 'other');
SELECT results_eq($$SELECT period_start, entered, converted, rate, still_open, median_days, is_complete, note FROM funnel_trend('visit', 'a -> b within 10 days')$$,
	$$VALUES (date '2024-01-01', 2::bigint, 1::bigint, 0.5::float8, 0::bigint, 2::float8, true, NULL), ('2024-02-01', 0, 0, NULL, 0, NULL, true, 'nobody entered: the rate is not defined'),
		('2024-03-01', 0, 0, NULL, 0, NULL, true, 'nobody entered: the rate is not defined'), ('2024-04-01', 2, 1, 0.5, 0, 1, false, 'the period is cut, or the time it has is not over'),
		('2024-05-01', 1, 1, 1, 0, 1, false, 'the period is cut, or the time it has is not over')$$, 'trend: periods without entries, and those that are not over');
SELECT results_eq($$SELECT period_start, entered, converted, still_open, is_complete, note FROM funnel_trend('visit', 'a -> b within 10 days', as_of => '2024-05-02')$$,
	$$VALUES (date '2024-01-01', 2::bigint, 1::bigint, 0::bigint, true, NULL), ('2024-02-01', 0, 0, 0, true, 'nobody entered: the rate is not defined'), ('2024-03-01', 0, 0, 0, true, 'nobody entered: the rate is not defined'),
		('2024-04-01', 2, 1, 1, false, '1 of 2 still open: the rate can rise'), ('2024-05-01', 1, 0, 1, false, '1 of 1 still open: the rate can rise')$$, 'trend as of a day: later events are not seen');
SELECT is((SELECT is_complete FROM funnel_trend('visit', 'a -> b within 10 days', as_of => as_of) WHERE period_start = '2024-04-01'), want, 'complete as of ' || as_of)
FROM (VALUES (timestamptz '2024-05-10 23:59:59', false), ('2024-05-11', true)) v(as_of, want);
SELECT is((SELECT array_agg(is_complete ORDER BY period_start) FROM funnel_trend('visit', 'a -> b', as_of => '2025-01-01')), '{f,t,t,f,t}', 'without a window: while anybody is open');
SELECT results_eq($$SELECT period_start, entered FROM funnel_trend('visit', 'a -> b within 10 days', since => '2024-01-31', until => '2024-04-30')$$,
	$$VALUES (date '2024-01-01', 1::bigint), ('2024-02-01', 0), ('2024-03-01', 0), ('2024-04-01', 1)$$, 'trend: since and until');
SELECT is_empty($$SELECT * FROM funnel_trend('visit', 'a -> b', since => '2030-01-01')$$, 'trend: nobody, no period');
SELECT is_empty($$SELECT * FROM funnel_trend('visit', 'a -> b', as_of => '2020-01-01')$$, 'trend: as of before all');
SELECT is((SELECT array_agg(entered ORDER BY period_start) FROM funnel_trend('held', 'a -> b', holding => 'who')), '{4}', 'trend: holding');
SELECT is((SELECT ROW(entered, converted)::text FROM funnel_trend('stage', 'qualified -> !lost -> proposal -> !lost -> won', entity => 'deal', kind => 'stage', skipped => 'count', moved_back => 'end', reopened => 'count', until => '2024-02-01')), '(10,7)', 'trend: rules for stages');

/*
 * Comparison
 */
CREATE FUNCTION compared(arguments text) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT string_agg((to_jsonb(c) - ''note'')::text, E''\n'' ORDER BY step_no) FROM activity_metrics.funnel_compare(%s) c', arguments) INTO result;
	RETURN result;
END
$$;
-- of two reports
CREATE FUNCTION comparison(report_a text, report_b text) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	result text;
BEGIN
	EXECUTE format($q$
		SELECT string_agg(jsonb_build_object('step_no', step_no, 'step', a.step, 'reached_a', a.reached, 'rate_a', a.step_rate, 'reached_b', b.reached, 'rate_b', b.step_rate,
			'difference', s.difference, 'low', s.low, 'high', s.high, 'p', s.p, 'overall_rate_a', a.overall_rate, 'overall_rate_b', b.overall_rate,
			'overall_difference', o.difference, 'overall_low', o.low, 'overall_high', o.high, 'overall_p', o.p, 'eventual_rate_a', a.eventual_rate, 'eventual_rate_b', b.eventual_rate)::text, E'\n' ORDER BY step_no)
		FROM (SELECT *, lag(reached) OVER (ORDER BY step_no) AS before, max(reached) FILTER (WHERE step_no = 1) OVER () AS entered FROM (%s) q) a
		JOIN (SELECT *, lag(reached) OVER (ORDER BY step_no) AS before, max(reached) FILTER (WHERE step_no = 1) OVER () AS entered FROM (%s) q) b USING (step_no),
		activity_metrics.newcombe(a.reached, a.before, b.reached, b.before) s,
		activity_metrics.newcombe(a.reached, CASE WHEN step_no > 1 THEN a.entered END, b.reached, b.entered) o $q$, report_a, report_b) INTO result;
	RETURN result;
END
$$;
SELECT is(compared(format('%L, %L, by => %L, a => %L, b => %L, attribution => %L, since => %L', 'event', spec, 'region', a, b, attribution, since)),
	comparison(format('SELECT * FROM funnel_report(%L, %L, %L, attribution => %L, since => %L) WHERE segment = %L', 'event', spec, 'region', attribution, since, a),
		format('SELECT * FROM funnel_report(%L, %L, %L, attribution => %L, since => %L) WHERE segment = %L', 'event', spec, 'region', attribution, since, b)), format('%s and %s by step %s since %s: %s', a, b, attribution, since, spec))
FROM spec_case, (VALUES ('North', 'South', 'first', NULL::timestamptz), ('(none)', 'East', 'last', '2024-01-20')) v(a, b, attribution, since) WHERE no IN (1, 2, 4, 7, 8, 9, 14, 18, 24, 29, 32) ORDER BY no, a;
SELECT is(compared(format('%L, %L, since_a => %L, until_a => %L, since_b => %L, until_b => %L, as_of => %L, holding => %L', 'event', spec, '2024-01-01', '2024-02-01', '2024-02-01', until, '2024-03-15', holding)),
	comparison(format('SELECT * FROM funnel_report(%L, %L, NULL, %L, %L, as_of => %L, holding => %L)', 'event', spec, '2024-01-01', '2024-02-01', '2024-03-15', holding),
		format('SELECT * FROM funnel_report(%L, %L, NULL, %L, %L, as_of => %L, holding => %L)', 'event', spec, '2024-02-01', until, '2024-03-15', holding)), format('periods, the second until %s, holding %s: %s', until, holding, spec))
FROM spec_case, (VALUES ('2024-03-01'::timestamptz, NULL), (NULL, 'rep')) v(until, holding) WHERE no IN (1, 2, 4, 7, 8, 9, 14, 18, 24, 29, 32) ORDER BY no, until;
SELECT is((SELECT array_agg(r.reached_a ORDER BY step_no) FROM funnel_compare('stage', 'qualified -> !lost -> proposal -> !lost -> won', 'owner', 'Ann', 'Bob', until => '2024-02-01', entity => 'deal', kind => 'stage', skipped => 'count', moved_back => 'end', reopened => 'count') r),
	'{4,4,4}', 'rules for stages');
SELECT results_eq($$SELECT step_no, difference, p, note FROM funnel_compare('visit', 'a -> b within 10 days', since_a => '2024-01-01', until_a => '2024-02-01', since_b => '2024-05-01', until_b => '2024-06-01', as_of => '2024-05-02 12:00')$$,
	$$VALUES (1, NULL::float8, NULL::float8, NULL), (2, 0.5::float8, (SELECT p FROM newcombe(1, 2, 0, 1)), 'attempts are still open: the rates can rise, compare eventual_rate_a and eventual_rate_b')$$, 'a comparison of the unfinished: the note');
SELECT results_eq($$SELECT step_no, difference, note FROM funnel_compare('visit', 'a -> b within 10 days', since_a => '2024-01-01', until_a => '2024-02-01', since_b => '2020-01-01', until_b => '2021-01-01')$$,
	$$VALUES (1, NULL::float8, NULL), (2, NULL, 'nobody reached the step before: no difference is defined')$$, 'a comparison with nobody');

/*
 * Entities
 */
SELECT is((SELECT string_agg(format('%s %s: %s', step_no, stop, n), ', ' ORDER BY step_no, stop) FROM (SELECT step_no, stop, count(*) AS n FROM funnel_entities('event', spec, since => since, until => until, as_of => as_of, holding => holding) GROUP BY step_no, stop) e),
	(SELECT string_agg(format('%s %s: %s', step_no, stop, n), ', ' ORDER BY step_no, stop) FROM funnel_report('event', spec, since => since, until => until, as_of => as_of, holding => holding), LATERAL (VALUES ('still open', still_open), ('timed out', timed_out),
		('excluded', excluded), ('broken', broken), ('converted', CASE WHEN step_no = cardinality(funnel_steps(spec)) THEN reached END)) v(stop, n) WHERE n > 0), format('those behind the report, in [%s, %s) as of %s, holding %s: %s', since, until, as_of, holding, spec))
FROM spec_case, (VALUES (NULL::timestamptz, NULL::timestamptz, NULL::timestamptz, NULL), ('2024-01-20', '2024-02-20', '2024-03-01', NULL), ('2024-01-10', NULL, NULL, 'rep')) v(since, until, as_of, holding) ORDER BY no, as_of, holding;
SELECT is((SELECT jsonb_agg(to_jsonb(e) ORDER BY e.entity, e.attempt) FROM funnel_entities('event', spec) e),
	(SELECT jsonb_agg(jsonb_build_object('entity', entity::text, 'attempt', n, 'step_no', level, 'step', names[level], 'stop', stop, 'excluded_by', excluded_by, 'next_step', names[level + 1], 'started_at', first, 'last_at', last, 'ended_at', ended,
			'days_since_last', extract(epoch FROM data_end() - last)::float8 / 86400, 'times', times) ORDER BY entity::text, n)
		FROM (SELECT entity, funnel_attempts(at, kind, spec, data_end(), NULL, NULL) AS attempts FROM event GROUP BY entity) x, unnest(attempts) WITH ORDINALITY a(level, stop, excluded_by, ended, times, first_reached, passed_over, n),
			LATERAL (SELECT funnel_steps(spec) AS names, (SELECT min(t) FROM unnest(times) t) AS first, (SELECT max(t) FROM unnest(times) t) AS last) y), 'each of them: ' || spec)
FROM spec_case ORDER BY no;
SELECT ok(count(*) > 0 AND bool_and(r IS NOT DISTINCT FROM o), format('in order: %s', spec)) FROM (
	SELECT no, spec, row_number() OVER (PARTITION BY no ORDER BY e.step_no DESC, e.last_at DESC, e.entity COLLATE "C", e.attempt) AS r, e.n AS o
	FROM spec_case, LATERAL (SELECT *, row_number() OVER () AS n FROM funnel_entities('event', spec)) e WHERE no IN (3, 10, 24, 29)) x GROUP BY no, spec ORDER BY no;
SELECT is((SELECT array_agg(e.entity || ' ' || e.attempt ORDER BY e.entity, e.attempt) FROM funnel_entities('event', spec, v.step, v.stop) e),
	(SELECT array_agg(e.entity || ' ' || e.attempt ORDER BY e.entity, e.attempt) FROM funnel_entities('event', spec) e WHERE e.stop = coalesce(v.stop, e.stop) AND (v.step IS NULL OR v.step IN (e.step, e.step_no::text))), format('only %s at %s: %s', v.stop, v.step, spec))
FROM spec_case, (VALUES ('a', NULL), ('b', NULL), ('2', 'still open'), ('1', 'timed out'), (NULL, 'converted'), (NULL, 'excluded'), (NULL, 'broken'), ('1', 'broken')) v(step, stop) WHERE no IN (3, 14, 17, 24) ORDER BY no, v.step, v.stop;
SELECT results_eq($$SELECT entity, attempt, step, stop, excluded_by, next_step, ended_at::date, days_since_last FROM funnel_entities('stage', 'qualified -> !lost -> proposal -> !(lost | dropped) -> won within 30 days', until => '2024-02-01', as_of => '2024-01-21', entity => 'deal', kind => 'stage', step => 'proposal')$$,
	$$VALUES ('waits', 1::bigint, 'proposal', 'still open', NULL, 'won', NULL::date, 18::float8), ('back for good', 1, 'proposal', 'still open', NULL, 'won', NULL, 19), ('lost and won', 1, 'proposal', 'excluded', 'lost', 'won', '2024-01-03', 19)$$,
	'who stopped at the proposal');
SELECT results_eq($$SELECT step_no, step, next_step, times[1]::date, times[2]::date, started_at::date, last_at::date FROM funnel_entities('entry', 'a -> b, any order', entity => 'entity') WHERE entity = '6'$$,
	$$VALUES (2, '2 of 2', NULL, date '2024-02-10', date '2024-02-10', date '2024-02-10', date '2024-02-10')$$, 'in any order');
SELECT is_empty($$SELECT * FROM funnel_entities('event', 'nobody -> a')$$, 'nobody');
SELECT is_empty($$SELECT * FROM funnel_entities('event', 'a -> b', since => '2030-01-01')$$, 'nobody in the range');

/*
 * What is refused
 */
CREATE FUNCTION fault(query text, OUT state text, OUT message text, OUT detail text, OUT hint text) LANGUAGE plpgsql AS
$$
BEGIN
	EXECUTE query;
	state := '00000';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END
$$;
CREATE TABLE empty (LIKE event);
-- what all four share
SELECT ok(f.state = v.state AND f.message ~ v.message AND f.hint ~ v.hint, format('%s(%s): %s %s', function, arguments, v.state, v.message)) || CASE WHEN f.state = v.state AND f.message ~ v.message AND f.hint ~ v.hint THEN '' ELSE E'\n' || diag(f::text) END
FROM (VALUES ('funnel_report', ', NULL'), ('funnel_report', ', ''region'''), ('funnel_trend', ''), ('funnel_compare', ', since_a => ''2024-01-01'', until_a => ''2024-02-01'', since_b => ''2024-02-01'''), ('funnel_compare', ', ''region'', ''North'', ''South'''), ('funnel_entities', '')) t(function, more),
	(VALUES ('''event'', ''a -> ''%s', '22023', 'invalid funnel specification at position 6: expected a step, found the end', 'looks like'), ('''event'', ''''%s', '22023', 'position 1: expected a step', ''),
	('''event'', ''a -> b within 0 days''%s', '22023', 'position 15: a length of time is zero', 'Leave the limit out'), ('''event'', ''a -> b within -3 days''%s', '22023', 'position 15: a length of time is positive', ''),
	('''event'', ''a -> b within 2 months''%s', '22023', 'no fixed length', 'Write 30 days'), ('''event'', ''a -> b, strict''%s', '22023', 'expected an option', 'Options are'),
	('''event'', ''a -> b -- '' || chr(10) || ''; DROP TABLE event''%s', '22023', 'expected', ''), ('''event'', NULL%s', '22004', 'funnel specification is null', 'looks like'),
	('NULL, ''a -> b''%s', '22004', 'no relation is given', 'name of a table or view'), ('''event'', ''a -> b''%s, entity => ''entities''', '42703', 'no column "entities"', 'Did you mean "entity"\? Write entity => ''entity'''),
	('''event'', ''a -> b''%s, at => ''att''', '42703', 'no column "att"', 'Did you mean "at"'), ('''event'', ''a -> b''%s, kind => ''knd''', '42703', 'no column "knd"', 'Did you mean "kind"'), ('''event'', ''a -> b''%s, status => ''stat''', '42703', 'no column "stat"', ''),
	('''event'', ''a -> b''%s, holding => ''repp''', '42703', 'no column "repp"', 'Did you mean "rep"\? Write holding => ''rep'''), ('''event'', ''a -> b''%s, at => ''kind''', '42804', 'of type text, not a time', 'cast it to timestamptz'),
	('''event'', ''a -> b''%s, at => ''id''', '42804', 'of type bigint, not a time', ''), ('''event'', ''a -> b''%s, entity => NULL', '22004', 'argument entity is null', 'name of a column'), ('''event'', ''a -> b''%s, at => NULL', '22004', 'argument at is null', ''),
	('''event'', ''a -> b''%s, kind => NULL', '22004', 'argument kind is null', ''), ('''event'', ''a -> b''%s, skipped => ''yes''', '22023', 'argument skipped cannot be ''yes''', '^It is ''gap'' or ''count''.$'), ('''event'', ''a -> b''%s, skipped => NULL', '22023', 'argument skipped cannot be null', ''),
	('''event'', ''a -> b''%s, moved_back => ''Ignore''', '22023', 'argument moved_back', '^It is ''ignore'' or ''end''.$'), ('''event'', ''a -> b''%s, reopened => ''gap''', '22023', 'argument reopened', '^It is ''end'' or ''count''.$'),
	('''event'', ''a -> b, any order''%s, skipped => ''count''', '22023', 'any order does not go with count skipped', ''), ('''event'', ''a -> b, any order''%s, moved_back => ''end''', '22023', 'any order does not go with strict order', ''),
	('''event'', ''a -> b''%s, since => ''2024-02-01'', until => ''2024-01-01''', '22023', 'since 2024-02-01.* is after until 2024-01-01', 'until is the first moment'), ('''event'', ''a -> b''%s, as_of => ''infinity''', '22008', 'infinit', ''),
	('''plain'', ''a -> b''%s, at => ''day'', tz => ''Mars/Base''', '22023', 'zone "Mars/Base" not recogni', '')) v(arguments, state, message, hint),
	LATERAL fault(format('SELECT * FROM %s(%s)', function, format(arguments, more))) f
ORDER BY arguments, function, more;
SELECT ok((f).state = '42P01', 'a relation that is not there: ' || function) FROM unnest('{funnel_report,funnel_trend,funnel_compare,funnel_entities}'::text[]) function, LATERAL (SELECT fault(format('SELECT * FROM %s(''nowhere'', ''a'')', function)) AS f) x;
SELECT ok(f.state = v.state AND f.message ~ v.message AND f.hint ~ v.hint, format('%s: %s %s', call, v.state, v.message)) || CASE WHEN f.state = v.state AND f.message ~ v.message AND f.hint ~ v.hint THEN '' ELSE E'\n' || diag(f::text) END
FROM (VALUES ($$funnel_report('event', 'call -> demo -> won', 'region', attribution => 'demos')$$, '22023', 'no step ''demos''', '^Did you mean ''demo''\?$'), ($$funnel_report('event', 'call -> demo', 'region', attribution => '3')$$, '22023', 'no step ''3''', 'Did you mean'),
	($$funnel_report('event', 'call -> demo', 'region', attribution => '0')$$, '22023', 'no step ''0''', ''), ($$funnel_report('event', 'call -> demo', 'region', attribution => '-1')$$, '22023', 'no step ''-1''', ''),
	($$funnel_report('event', 'call -> demo', 'region', attribution => '99999999999')$$, '22023', 'no step', ''), ($$funnel_report('event', 'call -> demo', 'region', attribution => '')$$, '22023', 'no step ''''', ''),
	($$funnel_report('event', 'call -> demo', 'region', attribution => NULL)$$, '22023', 'no step null', ''), ($$funnel_report('event', 'call -> demo', 'regoin')$$, '42703', 'no column "regoin"', 'Did you mean "region"\? Write by => ''region'''),
	($$funnel_report('event', 'a -> b', grain => 'fortnight')$$, '22023', 'unknown grain "fortnight"', 'hour, day, week'), ($$funnel_trend('event', 'a -> b', 'weeks')$$, '22023', 'unknown grain "weeks"', 'Grains are'),
	($$funnel_trend('event', 'a -> b', '')$$, '22023', 'unknown grain ""', ''), ($$funnel_trend('event', 'a -> b', NULL)$$, '22004', 'argument grain is null', 'Grains are'),
	($$funnel_trend('event', 'a -> b', tz => 'Mars/Base')$$, '22023', 'zone "Mars/Base" not recogni', ''), ($$funnel_report('event', 'a -> b', grain => 'week', tz => 'Mars/Base')$$, '22023', 'zone "Mars/Base" not recogni', ''),
	($$funnel_entities('event', 'call -> demo -> won', 'demos')$$, '22023', 'no step ''demos''', '^Did you mean ''demo''\?$'), ($$funnel_entities('event', 'a -> b', '4')$$, '22023', 'no step ''4''', ''),
	($$funnel_entities('event', 'a -> b', stop => 'open')$$, '22023', '"open" is no way for an attempt to end', '^Did you mean ''still open''\?$'), ($$funnel_entities('event', 'a -> b', stop => 'timed_out')$$, '22023', 'no way', '^Did you mean ''timed out''\?$'),
	($$funnel_entities('event', 'a -> b', stop => '')$$, '22023', 'no way', 'Did you mean'), ($$funnel_compare('event', 'a -> b')$$, '22023', 'nothing to compare', 'Name two segments .* or two periods'),
	($$funnel_compare('event', 'a -> b', a => 'North', b => 'South')$$, '22023', 'nothing to compare', 'by'), ($$funnel_compare('event', 'a -> b', since => '2024-01-01', until => '2024-02-01')$$, '22023', 'nothing to compare', 'since_a'),
	($$funnel_compare('event', 'a -> b', 'region', 'North', 'South', since_b => '2024-01-01')$$, '22023', 'both segments and periods', 'Leave by out'), ($$funnel_compare('event', 'a -> b', 'region', 'North')$$, '22004', 'argument b is null', 'such as a => '),
	($$funnel_compare('event', 'a -> b', 'region', b => 'North')$$, '22004', 'argument a is null', '\(none\)'), ($$funnel_compare('event', 'a -> b', 'region', 'North', 'Suoth')$$, '22023', 'no event has ''Suoth'' in column "region"', '^Did you mean ''South''\?$'),
	($$funnel_compare('event', 'a -> b', 'region', 'north', 'South')$$, '22023', 'no event has ''north''', '^Did you mean ''North''\?$'), ($$funnel_compare('event', 'a -> b', 'regio', 'North', 'South')$$, '42703', 'no column "regio"', 'Did you mean "region"'),
	($$funnel_compare('event', 'a -> b', since_a => '2024-02-01', until_a => '2024-01-01', since_b => '2024-01-01')$$, '22023', 'is after until', ''), ($$funnel_compare('event', 'a -> b', until_a => '2024-01-01', since_b => '2024-02-01', until_b => '2024-01-01')$$, '22023', 'is after until', '')) v(call, state, message, hint),
	LATERAL fault('SELECT * FROM ' || call) f;
SELECT is((f).detail, 'Values are (none), East, North, South.', 'the values there are') FROM (SELECT fault($$SELECT * FROM funnel_compare('event', 'a -> b', 'region', 'North', 'West')$$) AS f) x;
SELECT is((f).detail, 'Argument attribution names a step by its name or number; steps are a, b | c, d.', 'the steps there are') FROM (SELECT fault($$SELECT * FROM funnel_report('event', 'a -> (b | c) -> d', 'region', attribution => 'x')$$) AS f) x;
SELECT is((SELECT array_agg(reached ORDER BY step_no) FROM funnel_report('empty', 'a -> b')), '{0,0}', 'no events: zeros');
SELECT is((SELECT array_agg(note ORDER BY step_no) FROM funnel_report('empty', 'a -> b')), '{no event of kind a,no event of kind b}', '... and why');
SELECT is_empty(format('SELECT * FROM %s', call), 'no events, no rows: ' || call) FROM unnest(ARRAY[$$funnel_report('empty', 'a -> b', 'region')$$, $$funnel_report('empty', 'a -> b', grain => 'week')$$, $$funnel_trend('empty', 'a -> b')$$, $$funnel_entities('empty', 'a -> b')$$]) call;
SELECT is((SELECT array_agg(reached_a + reached_b) FROM funnel_compare('empty', 'a -> b', since_a => '2024-01-01', until_a => '2024-02-01', since_b => '2024-02-01')), '{0,0}', 'no events compared');

/*
 * Whoever calls it: with any search_path, with the right to read only, with policies
 */
CREATE TABLE call_case (no serial, query text);
INSERT INTO call_case (query) VALUES
	($$activity_metrics.funnel_report('funnel_report.event', 'a -> b? -> c within 20 days')$$),
	($$activity_metrics.funnel_report('funnel_report.event', 'a -> b -> c', 'region', '2024-01-10', '2024-03-10', attribution => 'last', grain => 'month', holding => 'rep', as_of => '2024-03-20')$$),
	($$activity_metrics.funnel_report('funnel_report.event', 'a -> !x -> b within 9 days, totals', grain => 'week', tz => 'Europe/Berlin')$$),
	($$activity_metrics.funnel_report('funnel_report.event', 'a -> b', by => 'region', attribution => 'b', skipped => 'count', moved_back => 'end', reopened => 'count')$$),
	($$activity_metrics.funnel_report('funnel_report.task', 'call -> demo', entity => 'deal', at => 'done_at', status => 'outcome')$$),
	($$activity_metrics.funnel_report('funnel_report."Other ""names"""', 'a -> b, any order', entity => 'domain', at => 'local', kind => 'enum', by => 'from')$$),
	($$activity_metrics.funnel_trend('funnel_report.event', 'a -> b within 9 days', 'week')$$), ($$activity_metrics.funnel_trend('funnel_report.event', 'a -> b', since => '2024-02-01', as_of => '2024-03-01', holding => 'rep')$$),
	($$activity_metrics.funnel_compare('funnel_report.event', 'a -> b -> c', 'region', 'North', 'South')$$), ($$activity_metrics.funnel_compare('funnel_report.event', 'a -> b', until_a => '2024-02-01', since_b => '2024-02-01')$$),
	($$activity_metrics.funnel_entities('funnel_report.event', 'a -> b -> c within 9 days')$$), ($$activity_metrics.funnel_entities('funnel_report.event', 'a -> b -> c, totals', 'b', 'still open', holding => 'rep', since => '2024-02-01')$$);
-- its rows, or the error
CREATE FUNCTION funnel_report.answer(query text, path text, as_role text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	result pg_catalog.text;
BEGIN
	PERFORM pg_catalog.set_config('search_path', path, true), pg_catalog.set_config('role', coalesce(as_role, 'none'), true);
	EXECUTE pg_catalog.format('SELECT pg_catalog.string_agg(q::pg_catalog.text, ''; '') FROM %s AS q', query) INTO result;
	PERFORM pg_catalog.set_config('search_path', 'funnel_report, public, activity_metrics', true), pg_catalog.set_config('role', 'none', true);
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE OPERATOR(pg_catalog.||) ' ' OPERATOR(pg_catalog.||) SQLERRM;
END
$$;
CREATE TABLE answer AS SELECT no, query, answer(query, 'funnel_report, public, activity_metrics') AS want FROM call_case;
SELECT ok(length(want) > 100 AND want !~ '^\w{5} ', 'an answer: ' || query) FROM answer ORDER BY no;
SELECT is(answer(query, ''), want, 'with an empty search_path: ' || query) FROM answer ORDER BY no;

CREATE SCHEMA funnel_trap;
DO $$
DECLARE
	side text[];
	kind record;
	n int := 0;
	t text;
BEGIN
	FOREACH side SLICE 1 IN ARRAY ARRAY[['text', 'text'], ['int4', 'int4'], ['int8', 'int8'], ['float8', 'float8'], ['numeric', 'numeric'], ['timestamptz', 'timestamptz'], ['timestamp', 'timestamp'], ['date', 'date'], ['name', 'name'], ['oid', 'oid'],
		['bool', 'bool'], ['regclass', 'regclass'], ['regtype', 'regtype'], ['uuid', 'uuid'], ['interval', 'interval'], ['jsonb', 'jsonb'], ['int8', 'int4'], ['int4', 'int8'], ['float8', 'numeric'], ['timestamptz', 'interval'], ['date', 'int4'],
		['int4', 'float8'], ['float8', 'int4'], ['text', 'text[]'], ['anyarray', 'anyarray'], ['text', 'anyelement'], ['oid', 'int8'], ['regclass', 'oid'], ['varchar', 'varchar'], ['timestamptz', 'date']] LOOP
		FOR kind IN VALUES ('bool', '{=,<>,<,<=,>,>=,~,!~,~~,@>}'::text[]), (CASE WHEN side[1] ~ 'any' THEN 'text' ELSE side[1] END, '{+,-,*,/,%,||}') LOOP
			n := n + 1;
			EXECUTE format('CREATE FUNCTION funnel_trap.operator_%s(pg_catalog.%s, pg_catalog.%s) RETURNS pg_catalog.%s LANGUAGE plpgsql AS %L', n, side[1], side[2], kind.column1, format('BEGIN RAISE EXCEPTION ''trap: %s and %s''; END', side[1], side[2]));
			FOREACH t IN ARRAY kind.column2 LOOP
				EXECUTE format('CREATE OPERATOR funnel_trap.%s (LEFTARG = pg_catalog.%s, RIGHTARG = pg_catalog.%s, FUNCTION = funnel_trap.operator_%s)', t, side[1], side[2], n);
			END LOOP;
		END LOOP;
	END LOOP;
	FOREACH t IN ARRAY ARRAY['format(text)', 'format(text, text)', 'format(text, text, text)', 'format(text, VARIADIC text[])', 'concat(text, text)', 'now()', 'quote_ident(text)', 'quote_literal(text)', 'quote_nullable(text)', 'lower(text)', 'btrim(text)', 'length(text)',
		'left(text, int4)', 'replace(text, text, text)', 'strpos(text, text)', 'split_part(text, text, int4)', 'translate(text, text, text)', 'date_trunc(text, timestamptz)', 'timezone(text, timestamptz)', 'timezone(text, timestamp)', 'date_part(text, interval)',
		'cardinality(anyarray)', 'array_position(anyarray, anyelement)', 'array_to_string(anyarray, text)', 'num_nonnulls(VARIADIC "any")', 'floor(float8)', 'abs(float8)', 'float8(int8)', 'text(int8)', 'int8(int4)', 'funnel_steps(text)', 'funnel_report(regclass, text)', 'period_no(timestamptz, text, text)',
		'period_start(int8, text)', 'newcombe(int8, int8, int8, int8)', 'check_column(regclass, text, text)', 'nearest_name(text, text[])', 'date(timestamptz)', 'date(timestamp)', 'timestamptz(timestamp)', 'isfinite(timestamptz)'] LOOP
		EXECUTE format('CREATE FUNCTION funnel_trap.%s RETURNS pg_catalog.text LANGUAGE %s', regexp_replace(t, '([(,] ?(VARIADIC )?)([a-z])', '\1pg_catalog.\3', 'g'),
			CASE WHEN t ~ '"any"' THEN 'internal AS ''pg_backend_pid''' ELSE format('plpgsql AS %L', format('BEGIN RAISE EXCEPTION ''trap: %s''; END', t)) END);
	END LOOP;
	CREATE FUNCTION funnel_trap.unnest(pg_catalog.anyarray) RETURNS SETOF pg_catalog.anyelement LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''trap: unnest''; END';
	CREATE FUNCTION funnel_trap.generate_series(pg_catalog.int8, pg_catalog.int8) RETURNS SETOF pg_catalog.int8 LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''trap: generate_series''; END';
	CREATE FUNCTION funnel_trap.generate_series(pg_catalog.int4, pg_catalog.int4) RETURNS SETOF pg_catalog.int4 LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''trap: generate_series''; END';
	CREATE FUNCTION funnel_trap.generate_subscripts(pg_catalog.anyarray, pg_catalog.int4) RETURNS SETOF pg_catalog.int4 LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''trap: generate_subscripts''; END';
	FOREACH t IN ARRAY '{text,int4,int8,float8,numeric,timestamptz,timestamp,date,bool}'::text[] LOOP
		EXECUTE format('CREATE FUNCTION funnel_trap.step_%1$s(pg_catalog.%1$s, pg_catalog.%1$s) RETURNS pg_catalog.%1$s LANGUAGE plpgsql AS ''BEGIN RAISE EXCEPTION ''''trap: aggregate of %1$s''''; END''', t);
		EXECUTE (SELECT string_agg(format('CREATE AGGREGATE funnel_trap.%s(pg_catalog.%s) (SFUNC = funnel_trap.step_%s, STYPE = pg_catalog.%s)', a, t, t, t), ';') FROM unnest('{max,min,sum,avg,count,bool_or,array_agg}'::text[]) a);
	END LOOP;
	-- types last: they shadow the names above
	FOREACH t IN ARRAY '{text,int8,int4,float8,bool,timestamptz,timestamp,date,regclass,regtype,name,oid,numeric,interval,uuid,funnel_step,funnel_entity,funnel_attempt}'::text[] LOOP
		EXECUTE format('CREATE DOMAIN funnel_trap.%s AS pg_catalog.int2 CHECK (pg_catalog.int2eq(VALUE, 7::pg_catalog.int2))', t);
	END LOOP;
END
$$;
SELECT matches(answer(query, 'funnel_trap, pg_catalog'), want, 'the traps snap: ' || query) FROM (VALUES ('(SELECT 1 = 1)', '^P0001 trap: int4'), ('(SELECT now())', '^P0001 trap: now'), ('(SELECT ''x''::text)', '^22P02'), ('(SELECT max(1))', '^P0001 trap: aggregate'), ('(SELECT * FROM unnest(ARRAY[1]))', '^P0001 trap: unnest')) v(query, want);
SELECT is(answer(query, 'funnel_trap, pg_catalog, activity_metrics'), want, 'with a hostile search_path: ' || query) FROM answer ORDER BY no;
SELECT matches(answer(query, 'funnel_trap, pg_catalog, activity_metrics'), want, 'hostile search_path: an error is still that error: ' || query) FROM (VALUES ($$activity_metrics.funnel_report('funnel_report.event', 'a ->')$$, '^22023 invalid funnel specification'),
	($$activity_metrics.funnel_report('funnel_report.event', 'a', 'regoin')$$, '^42703 relation "funnel_report.event" has no column "regoin"'), ($$activity_metrics.funnel_compare('funnel_report.event', 'a', 'region', 'Nort', 'South')$$, '^22023 no event has ''Nort'''),
	($$activity_metrics.funnel_entities('funnel_report.event', 'a', stop => 'open')$$, '^22023 "open" is no way'), ($$activity_metrics.funnel_entities('funnel_report.event', 'a', 'b')$$, '^22023 the funnel has no step'), ($$activity_metrics.funnel_trend('funnel_report.event', 'a', 'x')$$, '^22023 unknown grain'),
	($$activity_metrics.funnel_report('funnel_report.event', 'a', since => '2024-02-01', until => '2024-01-01')$$, '^22023 since'), ($$activity_metrics.funnel_compare('funnel_report.event', 'a')$$, '^22023 nothing to compare'),
	($$activity_metrics.funnel_report('funnel_report.event', 'a', skipped => 'x')$$, '^22023 argument skipped'), ($$activity_metrics.funnel_report('funnel_report.event', 'a', 'region', attribution => 'x')$$, '^22023 the funnel has no step')) v(query, want);
DROP SCHEMA funnel_trap CASCADE;

CREATE ROLE funnel_report_reader;
GRANT USAGE ON SCHEMA funnel_report, activity_metrics TO funnel_report_reader;
SELECT matches(answer(query, 'pg_catalog', 'funnel_report_reader'), '^42501 permission denied for', 'without a right: ' || query) FROM answer ORDER BY no;
GRANT SELECT ON ALL TABLES IN SCHEMA funnel_report TO funnel_report_reader;
SELECT is(answer(query, 'pg_catalog', 'funnel_report_reader'), want, 'with the right to read: ' || query) FROM answer ORDER BY no;
CREATE TABLE visible AS SELECT * FROM event WHERE entity % 3 > 0 AND region IS DISTINCT FROM 'East';
UPDATE answer SET want = answer(replace(query, 'funnel_report.event', 'funnel_report.visible'), 'pg_catalog') WHERE query ~ 'report.event''';
ALTER TABLE event ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON event TO funnel_report_reader USING (entity % 3 > 0 AND region IS DISTINCT FROM 'East');
SELECT is(answer(query, 'pg_catalog', 'funnel_report_reader'), want, 'with a policy: ' || query) FROM answer WHERE query ~ 'report.event''' ORDER BY no;
SELECT is((fault($$SELECT * FROM funnel_compare('event', 'a', 'region', 'East', 'South')$$)).state, '00000', 'whom no policy binds sees all');
SELECT matches(answer($$activity_metrics.funnel_compare('funnel_report.event', 'a', 'region', 'East', 'South')$$, 'pg_catalog', 'funnel_report_reader'), '^22023 no event has ''East''', 'an error tells nothing of what is hidden');

-- ranges, held values, arguments that say nothing
CREATE SCHEMA ranges; SET LOCAL search_path = ranges, public, activity_metrics;
CREATE TABLE ranged (entity int, at timestamptz, kind text);
INSERT INTO ranged VALUES (1, '2024-01-31', 'a'), (1, '2024-02-02', 'b'), (2, '2024-02-03', 'a'), (2, '2024-02-04', 'b');
SELECT is((SELECT note FROM funnel_report('ranged', 'a -> b', since => '2024-02-01') WHERE step_no = 1), NULL, 'who entered before the range did not leave the first step out');
SELECT is((SELECT note FROM funnel_report('ranged', 'a -> b', until => '2024-02-01') WHERE step_no = 1), NULL, 'nor did who entered after it');
CREATE TABLE reps (entity int, at timestamptz, kind text, rep text);
INSERT INTO reps VALUES (1, '2024-01-01', 'a', 'Ann'), (1, '2024-01-16', 'a', 'Bob'), (2, '2024-01-21', 'x', 'Ann');
SELECT is((SELECT ROW(still_open, timed_out)::text FROM funnel_report('reps', 'a -> b within 10 days', holding => 'rep') WHERE step_no = 1), '(1,0)', 'holding: open while a chain of any value is');
SELECT is((SELECT stop FROM funnel_entities('reps', 'a -> b within 10 days', holding => 'rep')), 'still open', '... in the list too');
SELECT throws_ok($$SELECT * FROM funnel_compare('reps', 'a -> b', 'rep', 'Ann', 'Bob', since => '2030-01-01')$$, '22023', 'column "rep" has ''Ann'' and ''Bob'', but not both among the events that count', 'segments that have events, but none in the range');
INSERT INTO reps VALUES (3, '2024-01-02 02:00', 'a', 'Ann');
SELECT throws_ok($$SELECT * FROM funnel_trend('reps', 'a -> b', 'hour')$$, '22023', 'cohorts of an hour are too short', 'no cohorts of an hour');
SELECT throws_ok($$SELECT * FROM funnel_report('reps', 'a -> b', grain => 'fortnight', since => '2030-01-01')$$, '22023', NULL, 'a grain there is not, where nobody enters');
SELECT throws_ok($$SELECT * FROM funnel_trend('reps', 'a -> b', tz => NULL)$$, '22004', NULL, 'no zone');
SELECT throws_ok($$SELECT * FROM funnel_report('reps', 'a -> b', grain => 'week', tz => NULL)$$, '22004', NULL, 'no zone of cohorts');
SELECT throws_like($$SELECT * FROM funnel_entities('reps', 'a -> b', as_of => 'infinity')$$, 'as_of is infinite', 'as_of of funnel_entities');
SELECT throws_ok($$SELECT * FROM funnel_entities('reps', 'a -> b', as_of => '20000-01-01')$$, '22008', NULL, '... out of range, as of funnel_report');
SELECT throws_ok($$SELECT * FROM funnel_compare('reps', 'a -> b', since_a => '2024-01-01', until_a => '2024-01-10')$$, '22023', NULL, 'one period is no two');
SELECT throws_ok($$SELECT * FROM funnel_compare('reps', 'a -> b', since_a => '2024-01-01', until_a => '2024-01-10', since_b => '2024-01-10', since => '2024-01-05')$$, '22023', NULL, 'since beside two periods is not heard');
SELECT throws_ok($$SELECT * FROM funnel_report('reps', 'a -> b', attribution => 'bb')$$, '22023', NULL, 'a step there is not, without by');
SELECT throws_ok($$SELECT * FROM funnel_report('reps', 'a -> b', only_done => NULL)$$, '22004', NULL, 'only_done NULL takes all');
INSERT INTO reps VALUES (2, '2024-06-01', 'x', 'Ann');
SELECT is((SELECT is_complete FROM funnel_trend('reps', 'a -> b within 1 day', since => '2024-01-02', until => '2024-01-10')), false, 'a month of which only a part was asked for');
CREATE TABLE unordered (entity int, at timestamptz, kind text, who text);
INSERT INTO unordered VALUES (1, '2024-01-01', 'y', 'first'), (1, '2024-01-02', 'x', 'second');
SELECT is((SELECT segment FROM funnel_report('unordered', 'x -> y, any order', by => 'who', attribution => '1 of 2') WHERE reached > 0 AND step_no = 1), 'first', 'in any order, 1 of 2 is the step done first');

SELECT * FROM finish();
ROLLBACK;
