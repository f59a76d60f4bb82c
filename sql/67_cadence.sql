--
-- Cadence adherence: were contacts worked as the plan says, call on day 0, email on day 2?
--

CREATE FUNCTION activity_metrics.cadence_steps(cadence text, OUT step_no integer, OUT step text, OUT kinds text[], OUT due_day integer, OUT tolerance integer)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'am_cadence_steps' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 8;
COMMENT ON FUNCTION activity_metrics.cadence_steps(text) IS
'The steps of a cadence, such as call on day 0 +-1 -> email on day 2 +-1 -> (call | ''voice mail'') on day 5 +-2: each a kind of event, or alternatives in parentheses, the calendar day after the start on which it is due, and the days that it may be early or late (0 if not told). Two steps have the same kinds or none in common. Errors: a faulty cadence, with the position of the fault (22023).';

CREATE FUNCTION activity_metrics.cadence_match(cadence text, days integer[], kinds text[], last_day integer, stop_day integer DEFAULT NULL,
	OUT step_no integer, OUT step text, OUT due_day integer, OUT status text, OUT day integer, OUT lateness integer)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'am_cadence_match_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 8;
COMMENT ON FUNCTION activity_metrics.cadence_match(text, integer[], text[], integer, integer) IS
'One contact against a cadence: each activity fills at most one step, each step takes at most one, as many as can be matched are. days, kinds: the activities, in order of day, day 0 being that of the start; last_day: today, counted likewise; stop_day: when the contact replied or left (NULL: not).
status: early, on time, late (all within the window), missed (its window is over), open (it is not), stopped (the contact stopped before it was over); day: of the activity that fills the step; lateness: days after due_day, below 0 if early. NULL in one of the first four arguments: no rows. Errors: a faulty cadence, days that are not in order, as many days as kinds (22023).';

CREATE FUNCTION activity_metrics.burstiness(times double precision[]) RETURNS double precision
AS 'MODULE_PATHNAME', 'am_burstiness_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.burstiness(double precision[]) IS
'How even moments in time are, in any order and unit: -1 at equal distances, 0 at random, towards 1 in bursts, by the mean and standard deviation of the gaps, corrected for their number (Kim and Jo 2016). NULLs are left out. NULL: fewer than 3 moments, or all at one. Errors: NaN or infinity (22003).';

CREATE FUNCTION activity_metrics.cadence_report_sql(
	events regclass, cadence text, by text, start_kinds text, stop_kinds text, entity text, at text, kind text, actor text, status text, tz text)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	wanted text[] := ARRAY(SELECT DISTINCT k FROM activity_metrics.cadence_steps(cadence) AS s, unnest(s.kinds) AS k ORDER BY k);
	starts text[] := CASE WHEN start_kinds IS NOT NULL THEN activity_metrics.step_kinds(start_kinds, 'start_kinds') END;
	stops text[] := CASE WHEN stop_kinds IS NOT NULL THEN activity_metrics.step_kinds(stop_kinds, 'stop_kinds') ELSE '{}' END;
	e text := activity_metrics.key_column(events, entity, 'entity');
	a text := activity_metrics.time_column(events, at, 'at', tz);
	k text := activity_metrics.text_column(events, kind, 'kind');
	u text := CASE WHEN by IS NOT NULL THEN activity_metrics.text_column(events, by, 'by') ELSE activity_metrics.text_column(events, actor, 'actor') END;
BEGIN
	PERFORM activity_metrics.period_no(now(), 'day', tz);
	-- $1 since, $2 until, $3 as_of
	RETURN format(
		'WITH event AS MATERIALIZED (
			SELECT %1$s AS e, %2$s AS a, %3$s AS k, %4$s AS u FROM %5$s
			WHERE %6$s AND %1$s IS NOT NULL AND %2$s OPERATOR(pg_catalog.<) $3 AND %3$s OPERATOR(pg_catalog.=) ANY (%7$L::pg_catalog.text[])),
		started AS (%8$s),
		run AS MATERIALIZED (
			SELECT s.e, s.start, coalesce(s.u, ''(none)'') AS u, pg_catalog.row_number() OVER (ORDER BY s.e, s.start) AS no, least(s.next, stop.a) AS stop
			FROM started AS s LEFT JOIN (
				SELECT b.e, b.start, pg_catalog.min(v.a) AS a FROM started AS b JOIN event AS v ON v.e OPERATOR(pg_catalog.=) b.e AND v.a OPERATOR(pg_catalog.>=) b.start
				WHERE v.k OPERATOR(pg_catalog.=) ANY (%9$L::pg_catalog.text[]) GROUP BY b.e, b.start) AS stop ON stop.e OPERATOR(pg_catalog.=) s.e AND stop.start OPERATOR(pg_catalog.=) s.start
			WHERE ($1 IS NULL OR s.start OPERATOR(pg_catalog.>=) $1) AND ($2 IS NULL OR s.start OPERATOR(pg_catalog.<) $2)),
		activity AS (
			SELECT run.no, run.u, v.a, v.k, pg_catalog.timezone(%10$L, v.a)::pg_catalog.date OPERATOR(pg_catalog.-) pg_catalog.timezone(%10$L, run.start)::pg_catalog.date AS day
			FROM run JOIN event AS v ON v.e OPERATOR(pg_catalog.=) run.e AND v.a OPERATOR(pg_catalog.>=) run.start AND (run.stop IS NULL OR v.a OPERATOR(pg_catalog.<) run.stop)
			WHERE v.k OPERATOR(pg_catalog.=) ANY (%11$L::pg_catalog.text[])),
		worked AS (
			SELECT run.no, run.u, run.start, run.stop, w.days, w.kinds
			FROM run LEFT JOIN (SELECT v.no, pg_catalog.array_agg(v.day ORDER BY v.day, v.k) AS days, pg_catalog.array_agg(v.k ORDER BY v.day, v.k) AS kinds FROM activity AS v GROUP BY v.no) AS w
				ON w.no OPERATOR(pg_catalog.=) run.no),
		matched AS MATERIALIZED (
			SELECT w.no, w.u, m.*, m.day OPERATOR(pg_catalog.-) pg_catalog.lag(m.day) OVER gone AS gap, m.due_day OPERATOR(pg_catalog.-) pg_catalog.lag(m.due_day) OVER gone AS due_gap
			FROM worked AS w, LATERAL activity_metrics.cadence_match(%12$L, coalesce(w.days, ''{}''), coalesce(w.kinds, ''{}''),
				pg_catalog.timezone(%10$L, $3)::pg_catalog.date OPERATOR(pg_catalog.-) pg_catalog.timezone(%10$L, w.start)::pg_catalog.date,
				pg_catalog.timezone(%10$L, w.stop)::pg_catalog.date OPERATOR(pg_catalog.-) pg_catalog.timezone(%10$L, w.start)::pg_catalog.date) AS m
			WINDOW gone AS (PARTITION BY w.no, m.day IS NULL ORDER BY m.due_day, m.step_no)),
		counted AS (
			SELECT m.u, m.step_no, m.step, GROUPING(m.u) AS all_units, GROUPING(m.step_no) AS all_steps,
				pg_catalog.count(DISTINCT m.no) AS contacts,
				pg_catalog.count(*) FILTER (WHERE m.day IS NOT NULL) AS matched,
				pg_catalog.count(*) FILTER (WHERE m.status OPERATOR(pg_catalog.=) ''on time'') AS on_time,
				pg_catalog.count(*) FILTER (WHERE m.status OPERATOR(pg_catalog.=) ''early'') AS early,
				pg_catalog.count(*) FILTER (WHERE m.status OPERATOR(pg_catalog.=) ''late'') AS late,
				pg_catalog.count(*) FILTER (WHERE m.status OPERATOR(pg_catalog.=) ''missed'') AS missed,
				pg_catalog.count(*) FILTER (WHERE m.status OPERATOR(pg_catalog.=) ANY (ARRAY[''open'', ''stopped'']::pg_catalog.text[])) AS left_out,
				pg_catalog.avg(m.lateness)::pg_catalog.float8 AS lateness,
				pg_catalog.percentile_cont(0.5) WITHIN GROUP (ORDER BY m.gap::pg_catalog.float8) AS gap,
				pg_catalog.percentile_cont(0.5) WITHIN GROUP (ORDER BY m.due_gap::pg_catalog.float8) FILTER (WHERE m.gap IS NOT NULL) AS due_gap
			FROM matched AS m GROUP BY GROUPING SETS ((), (m.step_no, m.step), (m.u), (m.u, m.step_no, m.step))),
		pace AS (
			SELECT v.u, GROUPING(v.u) AS all_units, pg_catalog.count(*) AS n,
				activity_metrics.burstiness(pg_catalog.array_agg(pg_catalog.date_part(''epoch'', v.a))) AS burstiness
			FROM activity AS v GROUP BY GROUPING SETS ((), (v.u)))
		SELECT CASE WHEN c.all_units OPERATOR(pg_catalog.=) 0 THEN c.u END, c.step_no, c.step, c.contacts, c.matched OPERATOR(pg_catalog.+) c.missed, c.matched, c.on_time, c.early, c.late, c.missed,
			CASE WHEN c.all_steps OPERATOR(pg_catalog.=) 1 THEN coalesce(p.n, 0) OPERATOR(pg_catalog.-) c.matched END, c.left_out,
			c.matched::pg_catalog.float8 OPERATOR(pg_catalog./) activity_metrics.nonzero((c.matched OPERATOR(pg_catalog.+) c.missed)::pg_catalog.float8), w.low, w.high, c.lateness, c.gap, c.due_gap,
			CASE WHEN c.all_steps OPERATOR(pg_catalog.=) 1 THEN p.burstiness END,
			CASE WHEN c.matched OPERATOR(pg_catalog.+) c.missed OPERATOR(pg_catalog.=) 0 THEN pg_catalog.format(''%%s: nothing was due yet.'', n.name)
				ELSE pg_catalog.format(''%%s: %%s of %%s that were due were done in their window (%%s %%%%, %%s to %%s), %%s of them late, %%s early.'', n.name, c.matched, c.matched OPERATOR(pg_catalog.+) c.missed,
					pg_catalog.round((100.0 OPERATOR(pg_catalog.*) c.matched) OPERATOR(pg_catalog./) (c.matched OPERATOR(pg_catalog.+) c.missed)),
					pg_catalog.round((100 OPERATOR(pg_catalog.*) w.low)::pg_catalog.numeric), pg_catalog.round((100 OPERATOR(pg_catalog.*) w.high)::pg_catalog.numeric), c.late, c.early) END
		FROM counted AS c LEFT JOIN pace AS p ON p.all_units OPERATOR(pg_catalog.=) c.all_units AND (p.u OPERATOR(pg_catalog.=) c.u OR c.all_units OPERATOR(pg_catalog.=) 1),
			LATERAL activity_metrics.wilson(c.matched::pg_catalog.float8, (c.matched OPERATOR(pg_catalog.+) c.missed)::pg_catalog.float8) AS w,
			LATERAL (SELECT pg_catalog.concat_ws('', '', CASE WHEN c.all_units OPERATOR(pg_catalog.=) 0 THEN c.u ELSE ''all'' END, CASE WHEN c.all_steps OPERATOR(pg_catalog.=) 0 THEN pg_catalog.format(''step %%s (%%s)'', c.step_no, c.step) END) AS name) AS n
		WHERE c.contacts OPERATOR(pg_catalog.>) 0
		ORDER BY c.all_units DESC, c.u, c.all_steps DESC, c.step_no',
		e, a, k, u, activity_metrics.qualified_name(events), activity_metrics.done_condition(events, status),
		ARRAY(SELECT DISTINCT x FROM unnest(wanted || starts || stops) AS x ORDER BY x),
		CASE WHEN starts IS NULL THEN format(
				'SELECT DISTINCT ON (v.e) v.e, v.a AS start, NULL::pg_catalog.timestamptz AS next, v.u FROM event AS v WHERE v.k OPERATOR(pg_catalog.=) ANY (%L::pg_catalog.text[]) ORDER BY v.e, v.a, v.u', wanted)
			ELSE format(
				'SELECT t.e, t.a AS start, pg_catalog.lead(t.a) OVER (PARTITION BY t.e ORDER BY t.a) AS next, t.u
				FROM (SELECT v.e, v.a, pg_catalog.min(v.u) AS u FROM event AS v WHERE v.k OPERATOR(pg_catalog.=) ANY (%L::pg_catalog.text[]) GROUP BY v.e, v.a) AS t', starts) END,
		stops, tz, wanted, cadence);
END;
$$;
COMMENT ON FUNCTION activity_metrics.cadence_report_sql(regclass, text, text, text, text, text, text, text, text, text, text) IS
'Internal: the statement that cadence_report runs; $1 since, $2 until, $3 as_of.';

CREATE FUNCTION activity_metrics.cadence_report(
	events regclass,
	cadence text,
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	start_kinds text DEFAULT NULL,
	stop_kinds text DEFAULT NULL,
	by text DEFAULT NULL,
	as_of timestamptz DEFAULT NULL,
	entity text DEFAULT 'entity',
	at text DEFAULT 'at',
	kind text DEFAULT 'kind',
	actor text DEFAULT 'actor',
	status text DEFAULT NULL,
	tz text DEFAULT 'UTC',
	OUT unit text,
	OUT step_no integer,
	OUT step text,
	OUT contacts bigint,
	OUT due bigint,
	OUT matched bigint,
	OUT on_time bigint,
	OUT early bigint,
	OUT late bigint,
	OUT missed bigint,
	OUT extra bigint,
	OUT left_out bigint,
	OUT adherence double precision,
	OUT adherence_low double precision,
	OUT adherence_high double precision,
	OUT mean_lateness_days double precision,
	OUT median_gap_days double precision,
	OUT due_gap_days double precision,
	OUT burstiness double precision,
	OUT sentence text)
RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 100 COST 100000 SET jit = off AS $$
#variable_conflict use_column
BEGIN
	IF $2 IS NULL THEN
		RAISE EXCEPTION 'argument cadence is null' USING ERRCODE = '22004',
			HINT = 'A cadence looks like: call on day 0 +-1 -> email on day 2 +-1 -> call on day 5 +-2';
	END IF;
	IF $14 IS NULL THEN
		RAISE EXCEPTION 'argument tz is null' USING ERRCODE = '22004', HINT = 'Give the time zone in which days begin, such as ''Europe/Berlin''.';
	END IF;
	PERFORM activity_metrics.check_range(since, until);
	RETURN QUERY EXECUTE activity_metrics.cadence_report_sql($1, $2, $7, $5, $6, $9, $10, $11, $12, $13, $14) USING since, until, coalesce($8, pg_catalog.now());
END;
$$;
COMMENT ON FUNCTION activity_metrics.cadence_report(regclass, text, timestamptz, timestamptz, text, text, text, timestamptz, text, text, text, text, text, text) IS
'Were contacts worked as a cadence says? One row per unit (rep; NULL: all) with step_no NULL, and one per step of it.
events: a table or view of events; cadence: as of cadence_steps(); since, until: contacts that started in [since, until); start_kinds: kinds of event that start a contact, each anew (NULL: its first activity of the cadence); stop_kinds: kinds that end it, such as ''replied | left''; by: a column whose value at the start is the unit (NULL: the actor); as_of: what came later is not known yet (NULL: now); entity, at, kind, actor, status: columns; tz: the zone in which days begin.
due = matched + missed; matched = on_time + early + late, all within their window; left_out: windows that were not over, or that the contact stopped, and not done; extra: activities of the cadence that fill no step; adherence: matched / due with its 95 % Wilson interval; mean_lateness_days: of those matched, below 0 if early; median_gap_days: between a matched step and the one before, due_gap_days: as it should be; burstiness: of all activities of the cadence, see burstiness(). No contact: no rows.
Errors: a faulty cadence or kinds, since after until (22023), no such column (42703), a column of the wrong type (42804), NULL (22004).';
