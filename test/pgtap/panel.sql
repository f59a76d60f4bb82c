-- Periods by number against date arithmetic, and the panel of two metrics against a plain-SQL twin.
BEGIN;
SELECT no_plan();
CREATE SCHEMA panel_test;
SET LOCAL search_path = panel_test, public;

--
-- period_no and period_start
--
CREATE TABLE zone AS SELECT unnest(ARRAY['UTC', 'Europe/Berlin', 'America/New_York', 'America/Sao_Paulo', 'Asia/Kolkata',
	'Australia/Lord_Howe', 'Pacific/Apia', 'Asia/Kathmandu', 'Pacific/Kiritimati', 'America/St_Johns', 'Africa/Casablanca']) AS tz;
CREATE TABLE grain AS SELECT * FROM (VALUES
	('day', '1 day'::interval), ('week', '7 days'), ('month', '1 month'), ('quarter', '3 months'), ('year', '1 year')) AS g(grain, step);

-- the number of the period of a local time, by the calendar functions of the server
CREATE FUNCTION number_of(l timestamp, grain text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE grain
		WHEN 'day' THEN l::date - '1970-01-01'::date
		WHEN 'week' THEN (date_trunc('week', l)::date - '1969-12-29'::date) / 7
		ELSE div(y * 12 + extract(month FROM date_trunc(grain, l)) - 1 - 1970 * 12, CASE grain WHEN 'month' THEN 1 WHEN 'quarter' THEN 3 ELSE 12 END)
		END::bigint
	FROM (SELECT extract(year FROM l) + CASE WHEN extract(year FROM l) < 0 THEN 1 ELSE 0 END AS y) AS t
$$;
-- times, and how often the product differs for them over all zones and grains
CREATE FUNCTION differing(times timestamptz[]) RETURNS bigint LANGUAGE sql STABLE AS $$
	SELECT count(*)
	FROM unnest(times) AS at, zone, grain AS g,
		LATERAL (SELECT at AT TIME ZONE zone.tz AS l) AS t,
		LATERAL (SELECT activity_metrics.period_no(at, g.grain, zone.tz) AS p) AS n
	WHERE n.p IS DISTINCT FROM panel_test.number_of(t.l, g.grain)
	OR activity_metrics.period_start(n.p, g.grain) IS DISTINCT FROM date_trunc(g.grain, t.l)::date
$$;

SELECT setseed(0.25) IS NULL AS seeded \gset
SELECT is(panel_test.differing(array_agg('1900-01-01Z'::timestamptz + random() * interval '73000 days')), 0::bigint,
	'2000 random times from 1900 to 2100, 11 zones, 5 grains') FROM generate_series(1, 2000);
SELECT is(panel_test.differing(array_agg('4712-02-01Z BC'::timestamptz + i * interval '2777 days 5 hours 7 minutes 13 seconds')), 0::bigint,
	'times from 4712 BC to the far future') FROM generate_series(0, 2500) AS i;
SELECT is(panel_test.differing(array_agg(at - d)), 0::bigint, 'every half hour around changes of clocks, to the microsecond')
	FROM (VALUES ('2024-03-09Z'::timestamptz, '2024-03-11Z'::timestamptz), ('2024-03-30Z', '2024-04-01Z'), ('2024-10-26Z', '2024-10-28Z'),
		('2018-11-03Z', '2018-11-05Z'), ('2018-02-17Z', '2018-02-19Z'), ('2011-12-28Z', '2012-01-02Z'), ('2024-04-06Z', '2024-04-08Z'),
		('1994-12-30Z', '1995-01-03Z'), ('1969-12-30Z', '1970-01-02Z'), ('1893-03-31Z', '1893-04-02Z'), ('2023-12-30Z', '2024-01-02Z')) AS r(f, t),
	generate_series(f, t, '30 minutes') AS at, unnest(ARRAY['0 s'::interval, '1 microsecond']) AS d;
SELECT is(panel_test.differing(ARRAY['294276-12-30 23:59:59.999999Z'::timestamptz, '4713-01-03Z BC', '0001-01-01Z', '0001-12-31 23:59:59.999999Z BC',
	'1969-12-31 23:59:59.999999Z', '1970-01-01Z', '1999-12-31 23:59:59.999999Z', '2000-01-01Z']), 0::bigint, 'extreme times');

SELECT is(activity_metrics.period_no(at, 'hour', tz), floor(extract(epoch FROM at) / 3600)::bigint, format('hours are of UTC: %s in %s', at, tz))
	FROM unnest(ARRAY['1969-12-31 23:59:59.999999Z'::timestamptz, '1970-01-01Z', '1901-05-06 07:08:09Z', '2024-10-27 00:59:59Z', '4714-11-24Z BC', '294276-12-31 23:59:59Z']) AS at,
	unnest(ARRAY['UTC', 'Asia/Kolkata']) AS tz;
SELECT is(count(DISTINCT activity_metrics.period_no('2024-10-26Z'::timestamptz + i * interval '1 hour', 'hour', 'Europe/Berlin')), 72::bigint,
	'hours are consecutive through a change of clocks') FROM generate_series(0, 71) AS i;
SELECT is(activity_metrics.period_start(activity_metrics.period_no(at, 'hour'), 'hour'), (at AT TIME ZONE 'UTC')::date, 'first day of hour ' || at)
	FROM unnest(ARRAY['1969-12-31 23:59:59Z'::timestamptz, '1970-01-01Z', '1901-05-06 07:08:09Z', '2024-10-27 00:59:59Z']) AS at;

SELECT is_empty($$
	SELECT g.grain, i, activity_metrics.period_start(i, g.grain) FROM panel_test.grain AS g, generate_series(-3000, 3000) AS i
	WHERE activity_metrics.period_start(i + 1, g.grain) <> (activity_metrics.period_start(i, g.grain) + g.step)::date
	OR activity_metrics.period_no(activity_metrics.period_start(i, g.grain)::timestamp AT TIME ZONE 'UTC', g.grain, 'UTC') <> i$$,
	'periods follow each other, and period_no takes period_start back');
SELECT is(activity_metrics.period_start(0, grain), start, 'period 0: ' || grain)
	FROM (VALUES ('hour', '1970-01-01'::date), ('day', '1970-01-01'), ('week', '1969-12-29'), ('month', '1970-01-01'), ('quarter', '1970-01-01'), ('year', '1970-01-01')) AS t(grain, start);
SELECT is(activity_metrics.period_no('2024-05-15Z'), activity_metrics.period_no('2024-05-15Z', 'week', 'UTC'), 'defaults of period_no: week, UTC');
SELECT is(activity_metrics.period_start(2800), activity_metrics.period_start(2800, 'week'), 'default of period_start: week');
SET LOCAL timezone = 'Pacific/Kiritimati';
SELECT is(activity_metrics.period_no('2024-05-15 00:00Z', 'day', 'UTC'), '2024-05-15'::date - '1970-01-01'::date::date + 0::bigint, 'the session''s zone does not matter');
RESET timezone;
SELECT is(activity_metrics.period_no('2024-05-15Z', 'week', 'europe/BERLIN'), activity_metrics.period_no('2024-05-15Z', 'week', 'Europe/Berlin'), 'zones by name without regard to case');
SELECT ok(activity_metrics.period_no(NULL) IS NULL AND activity_metrics.period_no(now(), NULL) IS NULL AND activity_metrics.period_no(now(), 'week', NULL) IS NULL
	AND activity_metrics.period_start(NULL) IS NULL AND activity_metrics.period_start(1, NULL) IS NULL, 'NULL for NULL');

--
-- metric_panel: the twin makes every period by its dates and counts the events that lie in them
--
CREATE TABLE event (id bigint, kind text, at timestamptz, actor text, status text, value numeric(8, 2), quality real, event_id text);
SELECT setseed(0.5) IS NULL AS seeded \gset
-- values and qualities of few binary digits: their sums are exact in any order
INSERT INTO event
	SELECT i, (ARRAY['call', 'call', 'call', 'demo', 'mail', 'won'])[1 + floor(random() * 6)::int],
		-- reps start and stop; some work only at the beginning or at the end
		CASE WHEN unit = 7 THEN '2024-01-03Z'::timestamptz + random() * interval '20 days' WHEN unit = 8 THEN '2024-11-20Z'::timestamptz + random() * interval '30 days'
			ELSE '2024-01-01Z'::timestamptz + (unit * interval '9 days') + random() * ((340 - unit * 20) * interval '1 day') END,
		CASE WHEN unit < 9 THEN 'rep ' || unit END,
		(ARRAY[NULL, NULL, NULL, NULL, 'done', 'planned', 'cancelled', 'no_show'])[1 + floor(random() * 8)::int],
		CASE WHEN random() < 0.9 THEN floor(random() * 4000) / 4 END, CASE WHEN random() < 0.7 THEN floor(random() * 65) / 64 END, CASE WHEN random() < 0.9 THEN 'e' || floor(random() * 900) END
	FROM generate_series(1, 1500) AS i, LATERAL (SELECT (i % 10) AS unit) AS u;
-- a long pause of a rep, a roster, a planned event outside of a rep's range, events on the edges of periods
DELETE FROM event WHERE actor = 'rep 3' AND at BETWEEN '2024-04-01Z' AND '2024-08-17Z';
INSERT INTO event VALUES
	(-1, NULL, NULL, 'newcomer', NULL, NULL, NULL, NULL), (-2, 'call', NULL, 'rep 1', NULL, 5, 0.5, 'roster'), (-3, 'call', '2024-12-31 12:00Z', 'rep 7', 'planned', 1, 1, 'p'),
	(-4, 'call', '2024-03-31 22:00Z', 'edge', NULL, 0.25, 0.125, 'x'), (-5, 'call', '2024-03-31 21:59:59.999999Z', 'edge', NULL, 0.25, 0.125, 'x'),
	(-6, 'won', '2024-06-30 22:00Z', 'edge', 'done', 0.25, 0.125, 'x'), (-7, 'mail', '2024-09-30 22:00Z', 'edge', NULL, 0.25, 0.125, 'x'), (-8, NULL, '2024-10-30 22:00Z', 'edge', NULL, 7, 0.5, 'y');
CREATE VIEW source AS SELECT 'event' AS relation, kind, at, actor, status, value::double precision, quality, event_id FROM event;

CREATE TYPE wanted AS (unit text, period bigint, period_start date, x double precision, y double precision, is_complete boolean, quality double precision);
-- x, y and quality are aggregates over the events of a unit and period
CREATE FUNCTION twin(x text, y text, quality text, grain text, tz text, since timestamptz, until timestamptz) RETURNS SETOF wanted
LANGUAGE plpgsql AS $twin$
BEGIN
	RETURN QUERY EXECUTE format($query$
		WITH e AS (
			SELECT *, at AT TIME ZONE %4$L AS l, (at >= coalesce($2, '-infinity') AND at < coalesce($3, 'infinity')) AS used
			FROM source WHERE coalesce(status, '') NOT IN ('planned', 'cancelled', 'no_show') AND actor IS NOT NULL),
		unit AS (SELECT actor, date_trunc(%5$L, min(l)) AS f, date_trunc(%5$L, max(l)) AS t FROM e GROUP BY actor),
		every AS (SELECT min(f) AS f, max(t) AS t FROM unit),
		cell AS (
			SELECT actor, p, p + $1 AS next FROM unit, every, generate_series(
				greatest(coalesce(unit.f, every.f), date_trunc(%5$L, $2 AT TIME ZONE %4$L)),
				least(coalesce(unit.t, every.t), date_trunc(%5$L, ($3 - '1 microsecond'::interval) AT TIME ZONE %4$L)), $1) AS p)
		SELECT actor, number_of(p, %5$L), p::date, (%1$s)::double precision, (%2$s)::double precision,
			p AT TIME ZONE %4$L >= coalesce($2, '-infinity') AND next AT TIME ZONE %4$L <= least($3, now()), (%3$s)::double precision
		FROM cell LEFT JOIN (SELECT actor, date_trunc(%5$L, l) AS p, kind, value, quality, event_id, relation, true AS found FROM e WHERE used) AS e
			USING (actor, p)
		GROUP BY actor, p, next ORDER BY actor COLLATE "C", p$query$, x, y, quality, tz, grain)
	USING (SELECT g.step FROM grain AS g WHERE g.grain = twin.grain), since, until;
END;
$twin$;
CREATE FUNCTION same_panel(label text, x text, y text, x_twin text, y_twin text, quality_twin text, tz text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	g text;
	r record;
BEGIN
	FOREACH g IN ARRAY ARRAY['day', 'week', 'month', 'quarter', 'year'] LOOP
		FOR r IN SELECT * FROM (VALUES
			(NULL::timestamptz, NULL::timestamptz), ('2024-03-13 15:16:17Z', NULL), (NULL, '2024-09-17 18:19:20Z'), ('2024-03-31 22:00Z', '2024-09-30 22:00Z'),
			('2024-04-01Z', '2024-07-01Z'), ('2024-05-15Z', '2024-05-15Z'), ('2023-01-01Z', '2026-01-01Z'), ('2024-12-30 00:00Z', NULL)) AS v(since, until)
		LOOP
			RETURN NEXT results_eq(
				format('SELECT unit, period, period_start, x, y, is_complete, quality FROM activity_metrics.metric_panel(%L, %L, %L, %L, %L) ORDER BY unit COLLATE "C", period', x, y, g, r.since, r.until),
				format('SELECT * FROM panel_test.twin(%L, %L, %L, %L, %L, %L, %L)', x_twin, y_twin, quality_twin, g, tz, r.since, r.until),
				format('%s by %s from %s to %s', label, g, coalesce(r.since::text, '-'), coalesce(r.until::text, '-')));
		END LOOP;
	END LOOP;
END;
$$;

SELECT is(activity_metrics.define_metric('calls', 'panel_test.event', 'call'), 'calls', 'define_metric returns the name');
SELECT activity_metrics.define_metric('meetings', 'panel_test.event', 'demo | ''mail''', 'count_distinct');
SELECT activity_metrics.define_metric('money', 'panel_test.event', 'won', 'sum', 'outcome');
SELECT activity_metrics.define_metric('everything', 'panel_test.event');

SELECT same_panel('count and sum', 'calls', 'money', $$count(*) FILTER (WHERE kind = 'call')$$, $$coalesce(sum(value::float8) FILTER (WHERE kind = 'won'), 0)$$,
	$$avg(quality::float8) FILTER (WHERE kind = 'call')$$, 'UTC');
SELECT same_panel('distinct and all', 'meetings', 'everything', $$count(DISTINCT event_id) FILTER (WHERE kind IN ('demo', 'mail'))$$, 'count(found)',
	$$avg(quality::float8) FILTER (WHERE kind IN ('demo', 'mail'))$$, 'UTC');

SELECT ok(count(*) > 0 AND bool_and(x = 0 AND y = 0), 'a rep of the roster who did nothing has zeros')
	FROM activity_metrics.metric_panel('calls', 'money') WHERE unit = 'newcomer';
SELECT is(count(*), (SELECT count(DISTINCT period) FROM activity_metrics.metric_panel('calls', 'money')), 'in all periods')
	FROM activity_metrics.metric_panel('calls', 'money') WHERE unit = 'newcomer';
SELECT is(count(*), 0::bigint, 'a rep before the window has no row') FROM activity_metrics.metric_panel('calls', 'money', 'week', '2024-06-01Z') WHERE unit = 'rep 7';
SELECT ok(count(*) > 15 AND sum(x) = 0, 'a pause is of zeros') FROM activity_metrics.metric_panel('calls', 'money') WHERE unit = 'rep 3' AND period_start BETWEEN '2024-04-01' AND '2024-08-11';
SELECT is(count(*), 0::bigint, 'a planned event does not make periods') FROM activity_metrics.metric_panel('calls', 'money') WHERE unit = 'rep 7' AND period_start > '2024-02-01';

-- another zone
SELECT activity_metrics.define_metric('calls', 'panel_test.event', 'call', tz => 'America/New_York');
SELECT activity_metrics.define_metric('money', 'panel_test.event', 'won', 'sum', 'outcome', tz => 'America/New_York');
SELECT same_panel('New York', 'calls', 'money', $$count(*) FILTER (WHERE kind = 'call')$$, $$coalesce(sum(value::float8) FILTER (WHERE kind = 'won'), 0)$$,
	$$avg(quality::float8) FILTER (WHERE kind = 'call')$$, 'America/New_York');

-- two relations: other names, times without a zone, an enum for the status, integer units, no quality; the zone of Berlin
CREATE TYPE state AS ENUM ('done', 'planned', 'cancelled', 'no_show');
CREATE TABLE "Sales Log" ("Wann" timestamp, "the rep" varchar(20), what char(10), "the state" state, amount integer);
INSERT INTO "Sales Log" SELECT (at + interval '5 days') AT TIME ZONE 'Europe/Berlin', actor, kind, status::state, value
	FROM event WHERE id % 3 = 0 AND (actor <> 'rep 5' OR actor IS NULL);
INSERT INTO "Sales Log" VALUES ('2024-08-01', 'only here', 'won', NULL, 7), (NULL, 'second roster', 'won', NULL, 7);
CREATE OR REPLACE VIEW source AS SELECT 'event' AS relation, kind, at, actor, status, value::double precision, quality, event_id FROM event
	UNION ALL SELECT 'log', rtrim(what), "Wann" AT TIME ZONE 'Europe/Berlin', "the rep", "the state"::text, amount, NULL, NULL FROM "Sales Log";
SELECT activity_metrics.define_metric('calls', 'panel_test.event', 'call', tz => 'Europe/Berlin');
SELECT activity_metrics.define_metric('revenue', 'panel_test."Sales Log"', 'won', 'sum', 'outcome', value => 'amount', at => 'Wann', kind_column => 'what',
	actor => 'the rep', status => 'the state', tz => 'Europe/Berlin');
SELECT same_panel('two relations', 'calls', 'revenue', $$count(*) FILTER (WHERE kind = 'call' AND relation = 'event')$$, $$coalesce(sum(value::float8) FILTER (WHERE kind = 'won' AND relation = 'log'), 0)$$,
	$$avg(quality::float8) FILTER (WHERE kind = 'call' AND relation = 'event')$$, 'Europe/Berlin');
SELECT same_panel('two relations, the other way', 'revenue', 'calls', $$coalesce(sum(value::float8) FILTER (WHERE kind = 'won' AND relation = 'log'), 0)$$,
	$$count(*) FILTER (WHERE kind = 'call' AND relation = 'event')$$, 'NULL::float8', 'Europe/Berlin');

-- times without a zone are of the metric's zone: the same panel from timestamp as from timestamptz
CREATE TABLE local_event AS SELECT id, kind, at AT TIME ZONE 'Europe/Berlin' AS at, actor, status, quality FROM event;
SELECT activity_metrics.define_metric('local_calls', 'panel_test.local_event', 'call', tz => 'Europe/Berlin');
SELECT activity_metrics.define_metric('local_all', 'panel_test.local_event', tz => 'Europe/Berlin');
SELECT activity_metrics.define_metric('everything', 'panel_test.event', tz => 'Europe/Berlin');
SELECT results_eq($$SELECT * FROM activity_metrics.metric_panel('local_calls', 'local_all', 'day')$$, $$SELECT * FROM activity_metrics.metric_panel('calls', 'everything', 'day')$$, 'timestamp and zone');
CREATE VIEW daily AS SELECT kind, at::date AS at, actor, status FROM local_event;
SELECT activity_metrics.define_metric('daily_calls', 'panel_test.daily', 'call', tz => 'Europe/Berlin');
SELECT activity_metrics.define_metric('daily_all', 'panel_test.daily', tz => 'Europe/Berlin');
SELECT results_eq($$SELECT unit, period, x, y FROM activity_metrics.metric_panel('daily_calls', 'daily_all', 'day')$$, $$SELECT unit, period, x, y FROM activity_metrics.metric_panel('calls', 'everything', 'day')$$, 'date and zone, from a view');

-- a period that is not over
INSERT INTO event (kind, at, actor) SELECT 'call', now() - i * interval '1 week', 'busy now' FROM generate_series(0, 5) AS i;
SELECT is(string_agg(is_complete::text, ' ' ORDER BY period), 'true true true true true false', 'the running week is not complete')
	FROM activity_metrics.metric_panel('calls', 'everything') WHERE unit = 'busy now';
INSERT INTO event (kind, at, actor) VALUES ('call', now() + interval '14 days', 'busy now');
SELECT is(count(*) FILTER (WHERE NOT is_complete), 3::bigint, 'nor are weeks to come') FROM activity_metrics.metric_panel('calls', 'everything') WHERE unit = 'busy now';

-- one metric beside itself, and units of another type
SELECT ok(bool_and(x = y), 'a metric beside itself') FROM activity_metrics.metric_panel('calls', 'calls');
CREATE TABLE numbered (at timestamptz, actor integer, kind text, quality text);
INSERT INTO numbered SELECT '2024-01-01Z'::timestamptz + i * interval '1 day', i % 3, 'x', 'good' FROM generate_series(0, 29) AS i;
SELECT activity_metrics.define_metric('numbered', 'panel_test.numbered');
SELECT is(string_agg(DISTINCT unit || ':' || x, ' '), '0:10 1:10 2:10', 'units that are numbers; a quality that is text is not one') FROM activity_metrics.metric_panel('numbered', 'numbered', 'month') WHERE quality IS NULL;

-- no rows, and a window without bounds on a roster
CREATE TABLE nothing (LIKE event);
SELECT activity_metrics.define_metric('nothing', 'panel_test.nothing');
SELECT is_empty($$SELECT * FROM activity_metrics.metric_panel('nothing', 'nothing')$$, 'no events, no rows');
INSERT INTO nothing (actor) VALUES ('a'), ('b');
SELECT is_empty($$SELECT * FROM activity_metrics.metric_panel('nothing', 'nothing')$$, 'a roster and no events: no periods to fill');
SELECT results_eq($$SELECT unit, period_start, x, is_complete FROM activity_metrics.metric_panel('nothing', 'nothing', 'month', '2024-01-15Z', '2024-03-01Z')$$,
	$$VALUES ('a', '2024-01-01'::date, 0::float8, false), ('a', '2024-02-01', 0, true), ('b', '2024-01-01', 0, false), ('b', '2024-02-01', 0, true)$$, 'a roster and a window: zeros');

-- the relation is found by its schema, whatever the path; renamed it is missed
SET LOCAL search_path = public;
SELECT isnt_empty($$SELECT * FROM activity_metrics.metric_panel('calls', 'everything')$$, 'another search_path');
SET LOCAL search_path = panel_test, public;
ALTER TABLE nothing RENAME TO nothing_more;
SELECT throws_ok($$SELECT * FROM activity_metrics.metric_panel('nothing', 'calls')$$, '42P01', 'relation panel_test.nothing of metric "nothing" does not exist', 'a relation that is gone');

-- the dictionary
SELECT activity_metrics.define_metric('calls', 'panel_test.event', 'call', label => 'cold calls', description => 'd', unit => 'count', owner => 'o', target => 40.5, target_from => '2024-06-03Z', tz => 'Asia/Kolkata');
SELECT results_eq($$SELECT metric, label, description, kind, agg, source_relation, event_kinds, value_column, time_column, kind_column, actor_column, status_column, tz, unit, owner, changed_by, changed_at
		FROM activity_metrics.metric WHERE metric = 'calls'$$,
	$$VALUES ('calls', 'cold calls', 'd', 'surface', 'count', 'panel_test.event', 'call', NULL, 'at', 'kind', 'actor', NULL, 'Asia/Kolkata', 'count', 'o', current_user::text COLLATE "default", now())$$,
	'a metric is changed as a whole, and by whom');
SELECT activity_metrics.define_metric('calls', 'panel_test.event', 'call');
SELECT results_eq($$SELECT label, tz, owner FROM activity_metrics.metric WHERE metric = 'calls'$$, $$VALUES ('calls', 'UTC', NULL::text)$$, 'defining again takes the defaults');

SELECT * FROM finish();
ROLLBACK;
