--
-- Values that are kept: refresh() brings metric_value up to date.
--
-- What is stored equals metric_values() of all times, for the whole and by unit. A refresh computes ranges
-- of periods anew and leaves the others. A unit has a row for each period from its first to its last, so a
-- new end of a unit also adds rows outside the range; those are zero, or NULL.
--
-- Two advisory locks, of the transaction: (1634562662, hashtext(metric || ' ' || grain)) for the one refresh
-- that writes a metric; (1634562670, run) tells that a run is alive.
--

CREATE SEQUENCE activity_metrics.refresh_run;
ALTER SEQUENCE activity_metrics.refresh_run OWNER TO @extowner@;
COMMENT ON SEQUENCE activity_metrics.refresh_run IS 'Numbers of runs of refresh().';

CREATE INDEX refresh_log_last ON activity_metrics.refresh_log (metric, grain, finished_at) WHERE error IS NULL;
COMMENT ON INDEX activity_metrics.refresh_log_last IS 'The last refresh of a metric that did not fail.';

CREATE FUNCTION activity_metrics.oldest_transaction_start() RETURNS timestamptz
AS 'MODULE_PATHNAME', 'am_oldest_transaction_start' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION activity_metrics.oldest_transaction_start() IS
'Start of the oldest transaction that is open in this database, whoever''s it is; at the latest the start of one''s own.
Rows written with DEFAULT now() before this time are committed, or never will be. Prepared transactions are not looked at: see pg_prepared_xacts. Where track_activities is off, the start of the session counts.';

CREATE PROCEDURE activity_metrics.refresh_may_commit()
AS 'MODULE_PATHNAME', 'am_refresh_may_commit' LANGUAGE C;
COMMENT ON PROCEDURE activity_metrics.refresh_may_commit() IS
'Internal: refuses refresh() where its caller cannot commit (25001) or write (25006).';

CREATE FUNCTION activity_metrics.period_time(period bigint, grain text, tz text) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first timestamptz;
BEGIN
	IF grain = 'hour' THEN
		RETURN to_timestamp(period * 3600.0);
	END IF;
	first := timezone(tz, activity_metrics.period_start(period, grain)::timestamp);
	-- a midnight that the clock shows twice: the server takes the second
	WHILE activity_metrics.period_no(first - interval '30 minutes', grain, tz) = period LOOP
		first := first - interval '30 minutes';
	END LOOP;
	RETURN first;
END;
$$;
COMMENT ON FUNCTION activity_metrics.period_time(bigint, text, text) IS
'Internal: the moment at which a period that period_no numbered begins.';

CREATE FUNCTION activity_metrics.refresh_names(metrics text[], grain text, look_back integer, margin_minutes double precision, flags boolean[]) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	name text;
BEGIN
	IF array_position(flags, NULL) IS NOT NULL THEN
		RAISE EXCEPTION 'argument % is null', (ARRAY['full', 'verbose'])[array_position(flags, NULL)] USING ERRCODE = '22004',
			HINT = 'Write true or false, or leave it out.';
	END IF;
	IF look_back IS NULL OR look_back < 0 OR look_back > 100000 THEN
		RAISE EXCEPTION 'look_back is %', coalesce(look_back::text, 'null') USING ERRCODE = CASE WHEN look_back IS NULL THEN '22004' ELSE '22023' END,
			HINT = 'It is a number of periods from 0 to 100000: events are logged at most that late where no column tells when.';
	END IF;
	IF margin_minutes IS NULL OR NOT (margin_minutes >= 0 AND margin_minutes <= 525600) THEN
		RAISE EXCEPTION 'margin_minutes is %', coalesce(margin_minutes::text, 'null') USING ERRCODE = CASE WHEN margin_minutes IS NULL THEN '22004' ELSE '22023' END,
			HINT = 'It is a number of minutes from 0 to 525600, which is a year: clocks that fill recorded_at differ by at most that much.';
	END IF;
	IF grain IS NOT NULL THEN
		PERFORM activity_metrics.period_no(now(), grain, 'UTC');
	END IF;
	FOREACH name IN ARRAY coalesce(metrics, '{}') LOOP
		IF name IS NULL THEN
			RAISE EXCEPTION 'a metric is null' USING ERRCODE = '22004', HINT = 'Give names of metrics: metrics => ARRAY[''calls'', ''wins''], NULL for all that are active.';
		END IF;
		-- one that is broken is logged when its turn comes, one that is not there is refused now
		IF NOT EXISTS (SELECT FROM activity_metrics.metric m WHERE m.metric = name) THEN
			PERFORM activity_metrics.find_metric(name);
		END IF;
	END LOOP;
	-- one order for all, so that those who hold several locks do not wait for each other
	RETURN (SELECT coalesce(array_agg(m.metric ORDER BY m.metric COLLATE "C"), '{}') FROM activity_metrics.metric m
		WHERE CASE WHEN metrics IS NULL THEN m.status = 'active' ELSE m.metric = ANY (metrics) END);
END;
$$;
COMMENT ON FUNCTION activity_metrics.refresh_names(text[], text, integer, double precision, boolean[]) IS
'Internal: checks the arguments of refresh() and lists its metrics. Errors: out of range, unknown grain (22023), NULL (22004), no such metric (42704).';

CREATE FUNCTION activity_metrics.refresh_begin() RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	dead bigint;
BEGIN
	-- whoever still works holds the lock of his run
	FOR dead IN SELECT DISTINCT l.run_id FROM activity_metrics.refresh_log l WHERE l.finished_at IS NULL LOOP
		IF pg_try_advisory_xact_lock(1634562670, (dead % 2147483647)::integer) THEN
			UPDATE activity_metrics.refresh_log l SET finished_at = clock_timestamp(), error = 'interrupted'
				WHERE l.run_id = dead AND l.finished_at IS NULL;
		END IF;
	END LOOP;
	RETURN nextval('activity_metrics.refresh_run');
END;
$$;
COMMENT ON FUNCTION activity_metrics.refresh_begin() IS
'Internal: number of a new run; runs that ended with their session are closed as interrupted.';

CREATE FUNCTION activity_metrics.refresh_start(run bigint, name text, wanted_grain text, is_full boolean, place integer, total integer) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(1634562670, (run % 2147483647)::integer);
	INSERT INTO activity_metrics.refresh_log (run_id, metric, grain, mode, done, total, started_at)
		SELECT run, m.metric, coalesce(wanted_grain, m.grain), CASE WHEN is_full THEN 'full' ELSE 'recorded' END, place - 1, refresh_start.total, clock_timestamp()
		FROM activity_metrics.metric m WHERE m.metric = name;
END;
$$;
COMMENT ON FUNCTION activity_metrics.refresh_start(bigint, text, text, boolean, integer, integer) IS
'Internal: a row of refresh_log for a metric whose turn comes.';

CREATE FUNCTION activity_metrics.refresh_leaves(name text) RETURNS TABLE (leaf text, days double precision, is_cumulative boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH RECURSIVE tree AS (
		SELECT m.metric, 0::float8 AS days, false AS is_cumulative, 1 AS depth FROM activity_metrics.metric m WHERE m.metric = name
		UNION
		SELECT p, t.days + CASE WHEN m.type = 'conversion' THEN m.window_days ELSE 0 END, t.is_cumulative OR m.type = 'cumulative', t.depth + 1
		FROM tree t JOIN activity_metrics.metric m ON m.metric = t.metric, unnest(activity_metrics.metric_parts(m)) AS p WHERE t.depth < 20)
	SELECT t.metric, max(t.days), bool_or(t.is_cumulative)
	FROM tree t JOIN activity_metrics.metric m ON m.metric = t.metric WHERE m.type = 'simple' GROUP BY t.metric
$$;
COMMENT ON FUNCTION activity_metrics.refresh_leaves(text) IS
'Internal: the simple metrics that a metric is made of; days that one of their events reaches back (conversions), and whether it reaches forward (cumulative).';

CREATE FUNCTION activity_metrics.recorded_condition(m activity_metrics.metric) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	source regclass := m.source_relation::regclass;
	column_name text := coalesce(m.recorded_column, 'recorded_at');
	type regtype := activity_metrics.column_type(source, column_name);
BEGIN
	IF m.recorded_column IS NOT NULL THEN
		PERFORM activity_metrics.time_column(source, column_name, 'recorded_column', m.tz);
	END IF;
	-- without a zone it may be the clock of any: at most 12 hours behind UTC
	RETURN format(CASE type
			WHEN 'timestamptz'::regtype THEN '(%1$I OPERATOR(pg_catalog.>=) $1 OR %1$I IS NULL)'
			WHEN 'timestamp'::regtype THEN '(%1$I OPERATOR(pg_catalog.>=) (pg_catalog.timezone(''UTC'', $1) OPERATOR(pg_catalog.-) ''12 hours''::pg_catalog.interval) OR %1$I IS NULL)'
			WHEN 'date'::regtype THEN '(%1$I OPERATOR(pg_catalog.>=) (pg_catalog.timezone(''UTC'', $1) OPERATOR(pg_catalog.-) ''12 hours''::pg_catalog.interval)::pg_catalog.date OR %1$I IS NULL)'
		END, column_name);
END;
$$;
COMMENT ON FUNCTION activity_metrics.recorded_condition(activity_metrics.metric) IS
'Internal: the condition that a row of a simple metric''s relation was recorded at $1 or later, or nobody knows when; NULL where no column tells. Errors: recorded_column is gone (42703) or no time (42804).';

CREATE FUNCTION activity_metrics.refresh_plan(name text, grain text, is_full boolean, look_back integer, margin_minutes double precision,
	OUT mode text, OUT reason text, OUT tz text, OUT definition_version integer, OUT definition_hash text, OUT horizon timestamptz, OUT seen timestamptz,
	OUT first_period bigint, OUT open_end boolean, OUT running bigint, OUT touched_sql text, OUT write_sql text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS $$
DECLARE
	m activity_metrics.metric;
	part activity_metrics.metric;
	last activity_metrics.refresh_log;
	leaf record;
	condition text;
	unrecorded text;
	sources text[] := '{}';
	relations text := '';
	back double precision := 0;
BEGIN
	-- before any row is read: who is not open now and not seen then begins later
	horizon := activity_metrics.oldest_transaction_start();
	SELECT l.* INTO last FROM activity_metrics.refresh_log l
		WHERE l.metric = name AND l.grain = refresh_plan.grain AND l.error IS NULL AND l.finished_at IS NOT NULL
		ORDER BY l.finished_at DESC, l.run_id DESC LIMIT 1;
	-- nobody tells when a prepared transaction began; it was not over at the last horizon
	IF EXISTS (SELECT FROM pg_prepared_xacts p WHERE p.database = current_database()) THEN
		horizon := least(horizon, last.horizon);
		IF last.horizon IS NULL THEN
			horizon := NULL;
		END IF;
	END IF;

	m := activity_metrics.find_metric(name);
	tz := m.tz;
	definition_version := m.definition_version;
	running := activity_metrics.period_no(now() - make_interval(secs => activity_metrics.settle_days(m) * 86400), grain, tz);
	open_end := false;
	FOR leaf IN SELECT l.* FROM activity_metrics.refresh_leaves(name) l ORDER BY l.leaf LOOP
		part := activity_metrics.find_metric(leaf.leaf);
		condition := activity_metrics.recorded_condition(part);
		IF condition IS NULL THEN
			unrecorded := coalesce(unrecorded, part.source_relation);
		END IF;
		open_end := open_end OR leaf.is_cumulative;
		back := greatest(back, leaf.days);
		sources := sources || format('%s %s %s', part.source_relation, part.time_column, part.status_column);
		relations := relations || format(' %s %s', part.source_relation::regclass::oid,
			(SELECT md5(pg_get_viewdef(c.oid)) FROM pg_class c WHERE c.oid = part.source_relation::regclass AND c.relkind IN ('v', 'm')));
		touched_sql := coalesce(touched_sql || ' UNION ', '') || format(
			'SELECT activity_metrics.period_no(at OPERATOR(pg_catalog.-) pg_catalog.make_interval(secs => %s), %L, %L) AS first, activity_metrics.period_no(at, %2$L, %3$L) AS last FROM (SELECT %s AS at FROM %s WHERE %s) AS e WHERE at IS NOT NULL',
			leaf.days * 86400, grain, part.tz, activity_metrics.time_column(part.source_relation::regclass, part.time_column, 'at', part.tz),
			activity_metrics.qualified_name(part.source_relation::regclass), condition);
	END LOOP;
	touched_sql := format('SELECT coalesce(pg_catalog.array_agg(first), ''{}''), coalesce(pg_catalog.array_agg(last), ''{}'') FROM (%s) AS t', touched_sql);

	write_sql := activity_metrics.metric_values_sql(m, grain, true);
	definition_hash := md5(write_sql || relations);
	reason := CASE
		WHEN is_full THEN 'as asked'
		WHEN last.metric IS NULL THEN 'for the first time'
		WHEN last.definition_hash IS DISTINCT FROM definition_hash THEN 'its definition has changed'
		-- up to the last event of its relation, which the stored rows do not tell if they are of others too
		WHEN open_end AND (SELECT count(DISTINCT s) > 1 FROM unnest(sources) AS s) THEN 'it is cumulative, over several relations'
		WHEN unrecorded IS NULL AND last.horizon IS NULL THEN 'it is not known what the last refresh saw' END;
	mode := CASE WHEN reason IS NOT NULL THEN 'full' WHEN unrecorded IS NULL THEN 'recorded' ELSE 'look-back' END;
	IF mode = 'recorded' THEN
		seen := last.horizon - make_interval(secs => margin_minutes * 60);
	ELSIF mode = 'look-back' THEN
		reason := format('%s has no column recorded_at', unrecorded);
		first_period := activity_metrics.period_no(last.started_at, grain, tz) - look_back;
		first_period := activity_metrics.period_no(activity_metrics.period_time(first_period, grain, tz) - make_interval(secs => back * 86400), grain, tz);
		-- what was logged too late for it stays unseen
		horizon := NULL;
	END IF;

	-- $1 since, $2 until: the times of the periods from $3 up to, not including, $4
	write_sql := format(
		'WITH fresh AS MATERIALIZED (
			SELECT unit, period, value, n FROM (%1$s) AS whole
			UNION ALL SELECT unit, period, value, n FROM (%2$s) AS units WHERE unit OPERATOR(pg_catalog.<>) ''(all)''),
		stored AS (
			SELECT v.* FROM activity_metrics.metric_value AS v WHERE v.metric OPERATOR(pg_catalog.=) %3$L AND v.grain OPERATOR(pg_catalog.=) %4$L),
		was AS (
			SELECT unit, pg_catalog.min(period) AS first, pg_catalog.max(period) AS last FROM stored GROUP BY unit),
		found AS (
			SELECT unit, pg_catalog.min(period) AS first, pg_catalog.max(period) AS last FROM fresh GROUP BY unit),
		ends AS (
			SELECT coalesce(was.unit, found.unit) AS unit, was.first AS old_first, was.last AS old_last,
				CASE WHEN found.unit IS NULL THEN CASE WHEN was.first OPERATOR(pg_catalog.<) $3 OR was.last OPERATOR(pg_catalog.>=) $4 THEN was.first END
					WHEN was.first OPERATOR(pg_catalog.>=) $3 AND was.first OPERATOR(pg_catalog.<) $4 THEN found.first ELSE least(was.first, found.first) END AS first,
				CASE WHEN found.unit IS NULL THEN CASE WHEN was.first OPERATOR(pg_catalog.<) $3 OR was.last OPERATOR(pg_catalog.>=) $4 THEN was.last END
					WHEN was.last OPERATOR(pg_catalog.>=) $3 AND was.last OPERATOR(pg_catalog.<) $4 THEN found.last ELSE greatest(was.last, found.last) END AS last,
				-- it began or ended here and no longer does: where, only the other events know
				found.unit IS NULL AND ((was.first OPERATOR(pg_catalog.>=) $3 AND was.first OPERATOR(pg_catalog.<) $4 AND was.last OPERATOR(pg_catalog.>=) $4)
					OR (was.last OPERATOR(pg_catalog.>=) $3 AND was.last OPERATOR(pg_catalog.<) $4 AND was.first OPERATOR(pg_catalog.<) $3)) AS is_lost
			FROM was FULL JOIN found ON found.unit OPERATOR(pg_catalog.=) was.unit),
		wanted AS (
			SELECT e.unit, p.period, CASE WHEN f.unit IS NULL THEN %5$s ELSE f.value END AS value, coalesce(f.n, 0) AS n
			FROM ends AS e CROSS JOIN LATERAL (
				SELECT pg_catalog.generate_series(greatest(e.first, $3), least(e.last, $4 OPERATOR(pg_catalog.-) 1)) AS period
				UNION SELECT pg_catalog.generate_series(e.first, least(e.last, e.old_first OPERATOR(pg_catalog.-) 1)) WHERE e.old_first IS NOT NULL
				UNION SELECT pg_catalog.generate_series(greatest(e.first, e.old_last OPERATOR(pg_catalog.+) 1), e.last) WHERE e.old_last IS NOT NULL) AS p
			LEFT JOIN fresh AS f ON f.unit OPERATOR(pg_catalog.=) e.unit AND f.period OPERATOR(pg_catalog.=) p.period
			WHERE e.first IS NOT NULL),
		gone AS (
			DELETE FROM activity_metrics.metric_value AS v USING ends AS e
			WHERE v.metric OPERATOR(pg_catalog.=) %3$L AND v.grain OPERATOR(pg_catalog.=) %4$L AND v.unit OPERATOR(pg_catalog.=) e.unit
				AND v.period OPERATOR(pg_catalog.>=) $3 AND v.period OPERATOR(pg_catalog.<) $4
				AND (e.first IS NULL OR v.period OPERATOR(pg_catalog.<) e.first OR v.period OPERATOR(pg_catalog.>) e.last)
			RETURNING 1),
		written AS (
			INSERT INTO activity_metrics.metric_value AS v (metric, grain, period, period_start, unit, value, n, is_complete, refreshed_at)
			SELECT %3$L, %4$L, w.period, activity_metrics.period_start(w.period, %4$L), w.unit, w.value, w.n, w.period OPERATOR(pg_catalog.<) %6$s, pg_catalog.now()
			FROM wanted AS w LEFT JOIN stored ON stored.unit OPERATOR(pg_catalog.=) w.unit AND stored.period OPERATOR(pg_catalog.=) w.period
			WHERE stored.unit IS NULL OR NOT coalesce(stored.value OPERATOR(pg_catalog.=) w.value, stored.value IS NULL AND w.value IS NULL) OR stored.n OPERATOR(pg_catalog.<>) w.n
			ON CONFLICT (metric, grain, period, unit) DO UPDATE SET value = excluded.value, n = excluded.n, is_complete = excluded.is_complete, refreshed_at = excluded.refreshed_at
			RETURNING 1)
		SELECT (SELECT pg_catalog.count(*) FROM gone) OPERATOR(pg_catalog.+) (SELECT pg_catalog.count(*) FROM written), coalesce((SELECT pg_catalog.bool_or(is_lost) FROM ends), false)',
		activity_metrics.metric_values_sql(m, grain, false), write_sql, name, grain,
		CASE WHEN activity_metrics.is_zero_filled(m) THEN '0::pg_catalog.float8' ELSE 'NULL::pg_catalog.float8' END, running);
END;
$$;
COMMENT ON FUNCTION activity_metrics.refresh_plan(text, text, boolean, integer, double precision) IS
'Internal: how a metric is refreshed (mode, and the reason if it is not by recorded_at), what will have been seen afterwards (horizon), from when rows are looked for (seen) or from which period (first_period), and the statements for it.';

CREATE FUNCTION activity_metrics.refresh_ranges(firsts bigint[], lasts bigint[], most integer DEFAULT 8) RETURNS TABLE (first bigint, last bigint)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH touched AS (
		SELECT t.first, t.last, t.first - 1 - max(t.last) OVER (ORDER BY t.first, t.last ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS gap
		FROM unnest(firsts, lasts) AS t(first, last)),
	ranked AS (
		SELECT t.*, row_number() OVER (ORDER BY t.gap DESC NULLS LAST, t.first, t.last) AS rank FROM touched t),
	numbered AS (
		SELECT r.*, count(*) FILTER (WHERE r.gap > 0 AND r.rank < most) OVER (ORDER BY r.first, r.last) AS range FROM ranked r)
	SELECT min(n.first), max(n.last) FROM numbered n GROUP BY n.range ORDER BY 1
$$;
COMMENT ON FUNCTION activity_metrics.refresh_ranges(bigint[], bigint[], integer) IS
'Internal: ranges of periods that cover those given, at most so many: the widest gaps stay out.';

CREATE FUNCTION activity_metrics.refresh_bounds(name text, grain text, tz text, mode text, first_period bigint, open_end boolean, firsts bigint[], lasts bigint[])
RETURNS TABLE (low bigint, high bigint, since timestamptz, until timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	-- no calendar has them
	lowest CONSTANT bigint := -1000000000000;
	highest CONSTANT bigint := 1000000000000;
BEGIN
	IF mode = 'full' THEN
		RETURN QUERY SELECT lowest, highest, NULL::timestamptz, NULL::timestamptz;
		RETURN;
	END IF;
	IF mode = 'recorded' AND open_end THEN
		SELECT min(f) INTO first_period FROM unnest(firsts) AS f;
	END IF;
	IF open_end THEN
		-- where the relation went on, all go on from where they ended
		SELECT least(first_period, max(v.period) + 1) INTO first_period FROM activity_metrics.metric_value v
			WHERE v.metric = name AND v.grain = refresh_bounds.grain AND first_period IS NOT NULL;
	END IF;
	IF open_end OR mode = 'look-back' THEN
		RETURN QUERY SELECT first_period, highest, activity_metrics.period_time(first_period, grain, tz), NULL::timestamptz WHERE first_period IS NOT NULL;
	ELSE
		RETURN QUERY SELECT r.first, r.last + 1, activity_metrics.period_time(r.first, grain, tz), activity_metrics.period_time(r.last + 1, grain, tz)
			FROM activity_metrics.refresh_ranges(firsts, lasts) AS r;
	END IF;
END;
$$;
COMMENT ON FUNCTION activity_metrics.refresh_bounds(text, text, text, text, bigint, boolean, bigint[], bigint[]) IS
'Internal: the ranges of periods that a refresh computes, from low up to, not including, high, and their times.';

CREATE FUNCTION activity_metrics.refresh_close(run bigint, name text, grain text, mode text, low bigint, high bigint, written bigint,
	running bigint, horizon timestamptz, definition_version integer, definition_hash text) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	ended bigint;
BEGIN
	-- time has passed for the others too
	UPDATE activity_metrics.metric_value AS v SET is_complete = v.period < running, refreshed_at = now()
		WHERE v.metric = name AND v.grain = refresh_close.grain AND v.is_complete <> (v.period < running);
	GET DIAGNOSTICS ended = ROW_COUNT;
	UPDATE activity_metrics.refresh_log AS l SET mode = refresh_close.mode, done = l.done + 1, finished_at = clock_timestamp(), rows_written = written + ended,
			horizon = refresh_close.horizon, definition_version = refresh_close.definition_version, definition_hash = refresh_close.definition_hash, error = NULL,
			from_period = CASE WHEN low <= stored.last THEN activity_metrics.period_start(greatest(low, stored.first), l.grain) END,
			to_period = CASE WHEN high > stored.first THEN activity_metrics.period_start(least(high - 1, stored.last), l.grain) END
		FROM (SELECT min(v.period) AS first, max(v.period) AS last FROM activity_metrics.metric_value v WHERE v.metric = name AND v.grain = refresh_close.grain) AS stored
		WHERE l.run_id = run AND l.metric = name AND l.grain = refresh_close.grain;
	RETURN written + ended;
END;
$$;
COMMENT ON FUNCTION activity_metrics.refresh_close(bigint, text, text, text, bigint, bigint, bigint, bigint, timestamptz, integer, text) IS
'Internal: marks the periods that are over and closes the row of refresh_log. Returns the rows written.';

-- runs formulas of the dictionary, under the caller's search_path
CREATE FUNCTION activity_metrics.refresh_metric(run bigint, name text, wanted_grain text, is_full boolean, look_back integer, margin_minutes double precision,
	OUT rows_written bigint, OUT problem text, OUT said text)
-- statements of many parts over few rows: compiling them takes longer than running them
LANGUAGE plpgsql VOLATILE SET jit = off AS $$
DECLARE
	periods pg_catalog.text;
	plan pg_catalog.record;
	bound pg_catalog.record;
	firsts pg_catalog.int8[];
	lasts pg_catalog.int8[];
	low pg_catalog.int8;
	high pg_catalog.int8;
	part pg_catalog.int8;
	lost pg_catalog.bool;
	mode pg_catalog.text;
	reason pg_catalog.text;
	place pg_catalog.text;
	state pg_catalog.text;
BEGIN
	PERFORM pg_catalog.pg_advisory_xact_lock(1634562670, (run OPERATOR(pg_catalog.%) 2147483647)::pg_catalog.int4);
	SELECT l.grain, pg_catalog.format('%s of %s', l.done OPERATOR(pg_catalog.+) 1, l.total) INTO periods, place FROM activity_metrics.refresh_log AS l
		WHERE l.run_id OPERATOR(pg_catalog.=) run AND l.metric OPERATOR(pg_catalog.=) name
			AND (wanted_grain IS NULL OR l.grain OPERATOR(pg_catalog.=) wanted_grain);
	rows_written := 0;
	IF periods IS NULL THEN
		said := pg_catalog.format('%s: no longer in the dictionary', name);
		RETURN;
	END IF;
	BEGIN
		PERFORM pg_catalog.pg_advisory_xact_lock(1634562662, pg_catalog.hashtext(pg_catalog.concat(name, ' ', periods)));
		SELECT p.* INTO plan FROM activity_metrics.refresh_plan(name, periods, is_full, look_back, margin_minutes) AS p;
		mode := plan.mode;
		reason := plan.reason;
		IF plan.seen IS NOT NULL THEN
			EXECUTE plan.touched_sql INTO firsts, lasts USING plan.seen;
		END IF;
		<<again>>
		LOOP
			low := NULL;
			FOR bound IN SELECT b.* FROM activity_metrics.refresh_bounds(name, periods, plan.tz, mode, plan.first_period, plan.open_end, firsts, lasts) AS b LOOP
				EXECUTE plan.write_sql INTO part, lost USING bound.since, bound.until, bound.low, bound.high;
				rows_written := rows_written OPERATOR(pg_catalog.+) part;
				low := least(low, bound.low);
				high := greatest(high, bound.high);
				IF lost AND mode OPERATOR(pg_catalog.<>) 'full' THEN
					mode := 'full';
					reason := 'a unit no longer begins or ends where it did';
					CONTINUE again;
				END IF;
			END LOOP;
			EXIT;
		END LOOP;
		rows_written := activity_metrics.refresh_close(run, name, periods, mode, low, high, rows_written, plan.running,
			CASE WHEN plan.mode OPERATOR(pg_catalog.<>) 'look-back' THEN plan.horizon END, plan.definition_version, plan.definition_hash);
		said := pg_catalog.format('%s by %s: %s%s, %s %s written (%s)', name, periods, mode,
			CASE WHEN reason IS NOT NULL THEN pg_catalog.format(' (%s)', reason) END, rows_written,
			CASE WHEN rows_written OPERATOR(pg_catalog.=) 1 THEN 'row' ELSE 'rows' END, place);
	EXCEPTION
		-- deleted while we were at work, with its values and its log
		WHEN foreign_key_violation THEN
			rows_written := 0;
			said := pg_catalog.format('%s: no longer in the dictionary', name);
		WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT, state = RETURNED_SQLSTATE;
			problem := pg_catalog.format('%s: %s', state, problem);
			rows_written := 0;
			said := pg_catalog.format('%s by %s: %s (%s)', name, periods, problem, place);
			UPDATE activity_metrics.refresh_log AS l SET done = l.done OPERATOR(pg_catalog.+) 1, finished_at = pg_catalog.clock_timestamp(), rows_written = 0, error = problem
				WHERE l.run_id OPERATOR(pg_catalog.=) run AND l.metric OPERATOR(pg_catalog.=) name AND l.grain OPERATOR(pg_catalog.=) periods;
	END;
END;
$$;
COMMENT ON FUNCTION activity_metrics.refresh_metric(bigint, text, text, boolean, integer, double precision) IS
'Internal: brings one metric up to date, or logs why not; its row of refresh_log is there. Returns the rows written, the error, and a line about it.';

CREATE FUNCTION activity_metrics.refresh_warning(problems text[], total integer) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF cardinality(problems) > 0 THEN
		RAISE WARNING '% of % metrics % not refreshed: %', cardinality(problems), total,
			CASE cardinality(problems) WHEN 1 THEN 'was' ELSE 'were' END, array_to_string(problems, ', ')
			USING HINT = 'SELECT metric, error FROM activity_metrics.refresh_log WHERE error IS NOT NULL ORDER BY started_at DESC tells why.';
	END IF;
END;
$$;
COMMENT ON FUNCTION activity_metrics.refresh_warning(text[], integer) IS
'Internal: warns of metrics that were not refreshed.';

CREATE PROCEDURE activity_metrics.refresh(
	metrics text[] DEFAULT NULL,
	"full" boolean DEFAULT false,
	look_back integer DEFAULT 8,
	grain text DEFAULT NULL,
	margin_minutes double precision DEFAULT 5,
	"verbose" boolean DEFAULT true)
LANGUAGE plpgsql AS $$
DECLARE
	names pg_catalog.text[];
	run pg_catalog.int8;
	outcome pg_catalog.record;
	problems pg_catalog.text[] := '{}';
BEGIN
	CALL activity_metrics.refresh_may_commit();
	names := activity_metrics.refresh_names(metrics, grain, look_back, margin_minutes, ARRAY[refresh.full, refresh.verbose]);
	-- in any other isolation what is read could be older than the lock; at once, before any snapshot
	COMMIT;
	SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
	run := activity_metrics.refresh_begin();
	COMMIT;
	SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
	FOR i IN 1 .. pg_catalog.cardinality(names) LOOP
		PERFORM activity_metrics.refresh_start(run, names[i], grain, refresh.full, i, pg_catalog.cardinality(names));
		COMMIT;
		SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
		SELECT o.* INTO outcome FROM activity_metrics.refresh_metric(run, names[i], grain, refresh.full, look_back, margin_minutes) AS o;
		COMMIT;
		SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
		IF outcome.problem IS NOT NULL THEN
			problems := pg_catalog.array_append(problems, names[i]);
		END IF;
		IF refresh.verbose THEN
			RAISE NOTICE '%', outcome.said;
		END IF;
	END LOOP;
	IF refresh.verbose AND pg_catalog.cardinality(names) OPERATOR(pg_catalog.=) 0 THEN
		RAISE NOTICE 'no metric to refresh' USING HINT = 'define_metric() adds one; without names, only active ones are refreshed.';
	END IF;
	PERFORM activity_metrics.refresh_warning(problems, pg_catalog.cardinality(names));
END;
$$;
COMMENT ON PROCEDURE activity_metrics.refresh(text[], boolean, integer, text, double precision, boolean) IS
'Brings metric_value up to date: values of metrics per period, for the whole and per unit (rep), as metric_values() has them. Commits after each metric.
metrics: names, NULL: all that are active; full: computes everything anew, which also repairs what deletions leave; look_back: where no column recorded_at tells when a row was written, the periods before the last refresh that are computed again; grain: NULL: each metric''s own; margin_minutes: rows recorded this long before the horizon of the last refresh are looked at again, for clocks that differ; verbose: a NOTICE per metric.
Only periods with rows recorded since the last refresh are computed; refresh_log tells what was done (full, recorded, look-back) and how far it is. A metric that fails is logged, the others go on, a WARNING names it. Two refreshes of one metric wait for each other; one that was stopped is taken up by the next.
Runs with the rights of the caller, formulas too. Errors: inside a transaction block (25001: refresh_in_transaction() works there), read-only (25006), no such metric (42704), an argument out of range (22023) or NULL (22004).';

CREATE FUNCTION activity_metrics.refresh_in_transaction(
	metrics text[] DEFAULT NULL,
	"full" boolean DEFAULT false,
	look_back integer DEFAULT 8,
	grain text DEFAULT NULL,
	margin_minutes double precision DEFAULT 5)
RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	names pg_catalog.text[] := activity_metrics.refresh_names(metrics, grain, look_back, margin_minutes, ARRAY[refresh_in_transaction.full]);
	run pg_catalog.int8;
	outcome pg_catalog.record;
	problems pg_catalog.text[] := '{}';
	total pg_catalog.int8 := 0;
BEGIN
	IF pg_catalog.current_setting('transaction_read_only')::pg_catalog.bool THEN
		RAISE EXCEPTION 'refresh writes and cannot run in a read-only transaction' USING ERRCODE = '25006',
			HINT = 'Refresh in another transaction, on the primary; metric_values() reads without writing.';
	END IF;
	IF pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.<>) 'read committed' THEN
		RAISE EXCEPTION 'refresh cannot run in a transaction of isolation level %', pg_catalog.current_setting('transaction_isolation') USING ERRCODE = '25001',
			DETAIL = 'It has to see what was committed before it got its lock; this transaction sees what was committed when it began.',
			HINT = 'BEGIN ISOLATION LEVEL READ COMMITTED, or CALL activity_metrics.refresh() outside of any transaction.';
	END IF;
	run := activity_metrics.refresh_begin();
	FOR i IN 1 .. pg_catalog.cardinality(names) LOOP
		PERFORM activity_metrics.refresh_start(run, names[i], grain, refresh_in_transaction.full, i, pg_catalog.cardinality(names));
		SELECT o.* INTO outcome FROM activity_metrics.refresh_metric(run, names[i], grain, refresh_in_transaction.full, look_back, margin_minutes) AS o;
		total := total OPERATOR(pg_catalog.+) outcome.rows_written;
		IF outcome.problem IS NOT NULL THEN
			problems := pg_catalog.array_append(problems, names[i]);
		END IF;
	END LOOP;
	PERFORM activity_metrics.refresh_warning(problems, pg_catalog.cardinality(names));
	RETURN total;
END;
$$;
COMMENT ON FUNCTION activity_metrics.refresh_in_transaction(text[], boolean, integer, text, double precision) IS
'As CALL refresh(), in the transaction of the caller: for tools that open one. Returns the number of rows written.
Nobody sees it before the commit, and the locks of all metrics are held until then. Arguments as of refresh(). Errors: as of refresh(), and isolation levels other than read committed (25001).';
