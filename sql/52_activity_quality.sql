--
-- Events as evidence: how many of the activities are substantive, and what speaks against the others?
--

CREATE FUNCTION activity_metrics.working_days_before(day date) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	-- from a Monday long ago, so that the number of the day is above 0; without a FROM, so that it is inlined
	SELECT (5 OPERATOR(pg_catalog.*) (((day OPERATOR(pg_catalog.-) '0001-01-01'::pg_catalog.date) OPERATOR(pg_catalog.+) 7000000) OPERATOR(pg_catalog./) 7))
		OPERATOR(pg_catalog.+) least(((day OPERATOR(pg_catalog.-) '0001-01-01'::pg_catalog.date) OPERATOR(pg_catalog.+) 7000000) OPERATOR(pg_catalog.%) 7, 5);
END;
COMMENT ON FUNCTION activity_metrics.working_days_before(date) IS
'Internal: the number of Mondays to Fridays before a day, counted from a fixed one.';

CREATE FUNCTION activity_metrics.share_of(k bigint, n bigint) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE WHEN n OPERATOR(pg_catalog.>) 0 THEN pg_catalog.float8(k) OPERATOR(pg_catalog./) n END;
END;
COMMENT ON FUNCTION activity_metrics.share_of(bigint, bigint) IS
'Internal: k of n as a share; NULL where n is 0.';

CREATE FUNCTION activity_metrics.unless_empty(words text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE WHEN words OPERATOR(pg_catalog.<>) '' THEN words END;
END;
COMMENT ON FUNCTION activity_metrics.unless_empty(text) IS
'Internal: a text, NULL if it is empty.';

CREATE FUNCTION activity_metrics.optional_column(relation regclass, column_name text, types regtype[]) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT coalesce(activity_metrics.column_type(relation, column_name) OPERATOR(pg_catalog.=) ANY (types::pg_catalog.oid[]::pg_catalog.regtype[]), false);
END;
COMMENT ON FUNCTION activity_metrics.optional_column(regclass, text, regtype[]) IS
'Internal: does a relation have a column of this name and of one of these types?';

CREATE FUNCTION activity_metrics.quality_read_sql(
	events regclass, entity text, at text, kind text, actor text, status text, tz text, grain text, calls text, in_range boolean)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	numbers regtype[] := ARRAY['smallint', 'integer', 'bigint', 'real', 'double precision', 'numeric']::regtype[];
	times regtype[] := ARRAY['timestamptz', 'timestamp', 'date']::regtype[];
	texts regtype[] := ARRAY['text', 'varchar', 'bpchar', 'name']::regtype[];
	e text := activity_metrics.key_column(events, entity, 'entity');
	a text := activity_metrics.time_column(events, at, 'at', tz);
	bytes text := ' COLLATE pg_catalog."C"';
BEGIN
	-- $1 since, $2 until, $3 min_seconds
	RETURN format(
		'event AS (
			SELECT %1$s AS entity, %2$s AS at, %3$s%10$s AS kind, %4$s%10$s AS actor, %5$s AS recorded, %6$s AS value,
				CASE WHEN %3$s OPERATOR(pg_catalog.=) ANY (%7$L::pg_catalog.text[]) AND %6$s OPERATOR(pg_catalog.<) ''Infinity''::pg_catalog.float8 THEN %6$s END AS seconds,
				%8$s AS quality, %9$s%10$s AS origin, %15$s%10$s AS event_id
			FROM %11$s WHERE %12$s AND %4$s IS NOT NULL AND pg_catalog.isfinite(%2$s)%13$s),
		read AS (
			SELECT event.*, coalesce(seconds OPERATOR(pg_catalog.<) $3, false) AS is_short, coalesce(quality OPERATOR(pg_catalog.<=) 0, false) AS is_empty,
				coalesce(origin OPERATOR(pg_catalog.<>) ''manual'', false) AS is_automatic, %14$s AS period
			FROM event)',
		CASE WHEN e LIKE '%::pg_catalog.text' THEN e || bytes ELSE e END, a,
		activity_metrics.text_column(events, kind, 'kind'), activity_metrics.text_column(events, actor, 'actor'),
		CASE WHEN activity_metrics.optional_column(events, 'recorded_at', times)
			THEN format('(CASE WHEN pg_catalog.isfinite(%1$s) THEN %1$s END)', activity_metrics.time_column(events, 'recorded_at', 'recorded_at', tz))
			ELSE 'NULL::pg_catalog.timestamptz' END,
		CASE WHEN activity_metrics.optional_column(events, 'value', numbers) THEN activity_metrics.number_column(events, 'value', 'value') ELSE 'NULL::pg_catalog.float8' END,
		CASE WHEN calls IS NULL THEN '{}' ELSE activity_metrics.step_kinds(calls, 'calls')::text END,
		activity_metrics.quality_column(events),
		CASE WHEN activity_metrics.optional_column(events, 'origin', texts) THEN activity_metrics.text_column(events, 'origin', 'origin') ELSE 'NULL::pg_catalog.text' END,
		bytes, activity_metrics.qualified_name(events), activity_metrics.done_condition(events, status),
		CASE WHEN in_range THEN format(' AND ($1 IS NULL OR %1$s OPERATOR(pg_catalog.>=) $1) AND ($2 IS NULL OR %1$s OPERATOR(pg_catalog.<) $2)', a) ELSE '' END,
		CASE WHEN grain IS NULL THEN 'NULL::pg_catalog.int8' ELSE format('activity_metrics.period_no(at, %L::pg_catalog.text, %L::pg_catalog.text)', grain, tz) END,
		CASE WHEN activity_metrics.column_type(events, 'event_id') IS NOT NULL THEN activity_metrics.text_column(events, 'event_id', 'event_id') ELSE 'NULL::pg_catalog.text' END);
END;
$$;
COMMENT ON FUNCTION activity_metrics.quality_read_sql(regclass, text, text, text, text, text, text, text, text, boolean) IS
'Internal: the common parts of the statements of activity_quality and activity_quality_events: the events that were done by somebody at some time, and what speaks against each by itself; $1 since, $2 until (with in_range), $3 min_seconds.';

CREATE TYPE activity_metrics.activity_quality_row AS (
	actor text,
	kind text,
	period_start date,
	n bigint,
	substantive double precision,
	substantive_low double precision,
	substantive_high double precision,
	duplicate_share double precision,
	short_share double precision,
	empty_share double precision,
	automatic_share double precision,
	batch_share double precision,
	rush_share double precision,
	rush_expected double precision,
	round_share double precision,
	late_share double precision,
	median_delay_hours double precision,
	backdated_share double precision,
	burstiness double precision,
	sentence text,
	note text
);
COMMENT ON TYPE activity_metrics.activity_quality_row IS
'A row of activity_quality: the events of one kind by one actor, in one period where a grain is given.';

CREATE FUNCTION activity_metrics.quality_sentence(r activity_metrics.activity_quality_row) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	-- the largest share, less what is ordinary: a fifth of days, and of minutes
	SELECT pg_catalog.concat(pg_catalog.format('%s of %s %s events of %s are substantive (%s to %s)', activity_metrics.percent_text((r).substantive),
			pg_catalog.to_char((r).n, 'FM999,999,999,990'), (r).kind, (r).actor,
			activity_metrics.percent_text((r).substantive_low), activity_metrics.percent_text((r).substantive_high)),
		CASE WHEN (r).n OPERATOR(pg_catalog.<) 10 THEN '; too few to say what speaks against them.'
			WHEN w.excess OPERATOR(pg_catalog.>=) 0.05 THEN pg_catalog.format('; the worst sign: %s %s.', activity_metrics.percent_text(w.share), w.words)
			ELSE '; no sign speaks against 5 % of them or more.' END)
	FROM (SELECT s.share, s.excess, s.words FROM (VALUES
			(1, (r).duplicate_share, (r).duplicate_share, 'repeat one of the same kind to the same entity within 10 minutes'),
			(2, (r).short_share, (r).short_share, 'of those with a known length are too short'),
			(3, (r).empty_share, (r).empty_share, 'of those with a known quality are empty'),
			(4, (r).automatic_share, (r).automatic_share, 'of those with a known origin were made by a machine'),
			(5, (r).batch_share, (r).batch_share, 'were logged within 60 seconds of the one before'),
			(6, (r).late_share, (r).late_share, 'were logged more than a day late'),
			(7, (r).rush_share, (r).rush_share OPERATOR(pg_catalog.-) (r).rush_expected, 'lie in the last fifth of the month''s working days'),
			(8, (r).round_share, (r).round_share OPERATOR(pg_catalog.-) 0.2, 'last a multiple of 5 minutes')) AS s(i, share, excess, words)
		ORDER BY s.excess DESC NULLS LAST, s.i LIMIT 1) AS w;
END;
COMMENT ON FUNCTION activity_metrics.quality_sentence(activity_metrics.activity_quality_row) IS
'Internal: the sentence of a row of activity_quality.';

CREATE FUNCTION activity_metrics.activity_quality_sql(
	events regclass, grain text, entity text, at text, kind text, actor text, status text, tz text, calls text)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	events_sql text := activity_metrics.quality_read_sql(events, entity, at, kind, actor, status, tz, grain, calls, true);
	of_months boolean := grain IS NULL OR grain NOT IN ('hour', 'day', 'week');
	row_of text := CASE WHEN grain IS NULL THEN 'actor, kind' ELSE 'actor, kind, period' END;
	note text := concat_ws('; ',
		CASE WHEN events_sql LIKE '%NULL::pg_catalog.timestamptz AS recorded%' THEN 'there is no column recorded_at: late logging and back-dating are not known, batches are by the time of the event' END,
		CASE WHEN events_sql LIKE '%NULL::pg_catalog.float8 AS value%' THEN 'there is no column value with numbers: lengths are not known' END,
		CASE WHEN events_sql LIKE '%NULL::pg_catalog.float8 AS quality%' THEN 'there is no column quality with numbers: empty events are not known' END,
		CASE WHEN events_sql LIKE '%NULL::pg_catalog.text COLLATE pg_catalog."C" AS origin%' THEN 'there is no column origin: automatic events are not known' END,
		CASE WHEN NOT of_months THEN format('the end of the month is not looked at by %s', grain) END);
BEGIN
	IF grain IS NOT NULL THEN
		PERFORM activity_metrics.period_no(now(), grain, tz);
	END IF;
	PERFORM timezone(tz, now());
	-- $1 since, $2 until, $3 min_seconds, $4 count_automatic. Gaps: their sum is last - first; Kim and Jo 2016 have the burstiness of n of them
	RETURN format(
		'WITH %1$s,
		-- OFFSET 0: worked out once for each event, not wherever it is used
		local AS (
			SELECT read.*, pg_catalog.timezone(%3$L, at)::pg_catalog.date AS day FROM read OFFSET 0),
		monthly AS (
			SELECT local.*, pg_catalog.date_trunc(''month'', day::pg_catalog.timestamp)::pg_catalog.date AS first FROM local OFFSET 0),
		next AS (
			SELECT monthly.*, pg_catalog.date_trunc(''month'', (first OPERATOR(pg_catalog.+) 31)::pg_catalog.timestamp)::pg_catalog.date AS next FROM monthly OFFSET 0),
		working AS (
			SELECT next.*, activity_metrics.working_days_before(next) AS after, activity_metrics.working_days_before(next) OPERATOR(pg_catalog.-) activity_metrics.working_days_before(first) AS working_days,
				-- a month that is cut or not over has no end yet
				%2$L AND first::pg_catalog.timestamp OPERATOR(pg_catalog.>=) (SELECT coalesce(pg_catalog.timezone(%3$L, $1), ''-infinity''))
					AND next::pg_catalog.timestamp OPERATOR(pg_catalog.<=) (SELECT pg_catalog.timezone(%3$L, least($2, pg_catalog.now()))) AS has_end
			FROM next OFFSET 0),
		dated AS (
			SELECT working.*, after OPERATOR(pg_catalog.-) activity_metrics.working_days_before(day OPERATOR(pg_catalog.+) 1) AS remaining,
				(2 OPERATOR(pg_catalog.*) working_days OPERATOR(pg_catalog.+) 5) OPERATOR(pg_catalog./) 10 AS last_days
			FROM working OFFSET 0),
		-- what is sorted is narrow, fixed widths first
		narrow AS (
			SELECT at, coalesce(recorded, at) AS stamp, period, CASE WHEN has_end THEN last_days::pg_catalog.float8 OPERATOR(pg_catalog./) working_days END AS last_share,
				recorded IS NOT NULL AS is_recorded, is_short, is_empty, is_automatic, seconds IS NOT NULL AS is_timed, quality IS NOT NULL AS is_rated, origin IS NOT NULL AS has_origin,
				seconds OPERATOR(pg_catalog.>=) 300 AS is_long, seconds OPERATOR(pg_catalog.>=) 300 AND seconds OPERATOR(pg_catalog.=) (300 OPERATOR(pg_catalog.*) pg_catalog.floor(seconds OPERATOR(pg_catalog./) 300)) AS is_round,
				has_end AND remaining OPERATOR(pg_catalog.<) last_days AS is_rush, pg_catalog.timezone(%3$L, recorded) OPERATOR(pg_catalog.>=) next::pg_catalog.timestamp AS is_backdated,
				actor, kind, entity
			FROM dated OFFSET 0),
		-- of events at one time any stands for the others, but the better one for the weaker
		mark AS (
			SELECT narrow.*, entity IS NOT NULL AS has_entity,
				entity IS NOT NULL AND coalesce(at OPERATOR(pg_catalog.-) pg_catalog.lag(at) OVER contact OPERATOR(pg_catalog.<=) ''10 minutes''::pg_catalog.interval, false) AS is_duplicate,
				coalesce(stamp OPERATOR(pg_catalog.-) pg_catalog.lag(stamp) OVER log OPERATOR(pg_catalog.<=) ''60 seconds''::pg_catalog.interval, false) AS is_batch
			FROM narrow WINDOW
				contact AS (PARTITION BY actor, kind, entity ORDER BY at, is_short OR is_empty OR is_automatic),
				log AS (PARTITION BY actor ORDER BY stamp, kind, at)
			OFFSET 0),
		-- in the order in which it is counted
		spaced AS (
			SELECT mark.*, pg_catalog.date_part(''epoch'', at OPERATOR(pg_catalog.-) pg_catalog.lag(at) OVER work) AS gap,
				CASE WHEN is_recorded THEN pg_catalog.date_part(''epoch'', stamp OPERATOR(pg_catalog.-) at) OPERATOR(pg_catalog./) 3600 END AS delay
			FROM mark WINDOW work AS (PARTITION BY %7$s ORDER BY at)),
		counted AS (
			SELECT %7$s, pg_catalog.count(*) AS n,
				pg_catalog.count(*) FILTER (WHERE is_duplicate OR is_short OR is_empty OR (is_automatic AND $4 IS NOT TRUE)) AS faulty,
				pg_catalog.count(*) FILTER (WHERE is_duplicate) AS duplicates, pg_catalog.count(*) FILTER (WHERE has_entity) AS with_entity,
				pg_catalog.count(*) FILTER (WHERE is_short) AS short, pg_catalog.count(*) FILTER (WHERE is_timed) AS timed,
				pg_catalog.count(*) FILTER (WHERE is_empty) AS empty, pg_catalog.count(*) FILTER (WHERE is_rated) AS rated,
				pg_catalog.count(*) FILTER (WHERE is_automatic) AS automatic, pg_catalog.count(*) FILTER (WHERE has_origin) AS with_origin,
				pg_catalog.count(*) FILTER (WHERE is_batch) AS batch,
				pg_catalog.count(*) FILTER (WHERE is_rush) AS rush, pg_catalog.count(last_share) AS ended,
				activity_metrics.exact_avg(last_share) AS rush_expected,
				pg_catalog.count(*) FILTER (WHERE is_round) AS round, pg_catalog.count(*) FILTER (WHERE is_long) AS long,
				pg_catalog.count(*) FILTER (WHERE delay OPERATOR(pg_catalog.>) 24) AS late, pg_catalog.count(*) FILTER (WHERE is_recorded) AS recorded,
				pg_catalog.percentile_cont(0.5) WITHIN GROUP (ORDER BY delay) AS delay,
				pg_catalog.count(*) FILTER (WHERE is_backdated) AS backdated,
				pg_catalog.count(gap) AS gaps, activity_metrics.exact_sum(gap OPERATOR(pg_catalog.*) gap) AS squares,
				pg_catalog.date_part(''epoch'', pg_catalog.max(at) OPERATOR(pg_catalog.-) pg_catalog.min(at)) AS span
			FROM spaced GROUP BY %7$s),
		shares AS (
			SELECT c.*, pg_catalog.float8(n OPERATOR(pg_catalog.-) faulty) OPERATOR(pg_catalog./) n AS substantive, w.low, w.high,
				CASE WHEN gaps OPERATOR(pg_catalog.>=) 2 AND span OPERATOR(pg_catalog.>) 0 THEN
					pg_catalog.sqrt(greatest(squares OPERATOR(pg_catalog.*) gaps OPERATOR(pg_catalog./) span OPERATOR(pg_catalog./) span OPERATOR(pg_catalog.-) 1, 0)) END AS r
			FROM counted AS c, LATERAL activity_metrics.wilson(pg_catalog.float8(n OPERATOR(pg_catalog.-) faulty), pg_catalog.float8(n)) AS w),
		row AS (
			SELECT ROW(actor, kind, %4$s, n, substantive, low, high,
				activity_metrics.share_of(duplicates, with_entity), activity_metrics.share_of(short, timed),
				activity_metrics.share_of(empty, rated), activity_metrics.share_of(automatic, with_origin),
				pg_catalog.float8(batch) OPERATOR(pg_catalog./) n, activity_metrics.share_of(rush, ended), rush_expected,
				activity_metrics.share_of(round, long), activity_metrics.share_of(late, recorded), delay,
				activity_metrics.share_of(backdated, recorded),
				(pg_catalog.sqrt(gaps::pg_catalog.float8 OPERATOR(pg_catalog.+) 1) OPERATOR(pg_catalog.*) r OPERATOR(pg_catalog.-) pg_catalog.sqrt(greatest(gaps::pg_catalog.float8 OPERATOR(pg_catalog.-) 1, 0)))
					OPERATOR(pg_catalog./) ((pg_catalog.sqrt(gaps::pg_catalog.float8 OPERATOR(pg_catalog.+) 1) OPERATOR(pg_catalog.-) 2) OPERATOR(pg_catalog.*) r OPERATOR(pg_catalog.+) pg_catalog.sqrt(greatest(gaps::pg_catalog.float8 OPERATOR(pg_catalog.-) 1, 0))),
				NULL, NULL)::activity_metrics.activity_quality_row AS q,
				timed, gaps, span, ended
			FROM shares)
		SELECT (q).actor, (q).kind, (q).period_start, (q).n, (q).substantive, (q).substantive_low, (q).substantive_high, (q).duplicate_share, (q).short_share, (q).empty_share,
			(q).automatic_share, (q).batch_share, (q).rush_share, (q).rush_expected, (q).round_share, (q).late_share, (q).median_delay_hours, (q).backdated_share, (q).burstiness,
			activity_metrics.quality_sentence(q),
			activity_metrics.unless_empty(pg_catalog.concat_ws(''; '', %5$L::pg_catalog.text,
				CASE WHEN %6$L AND timed OPERATOR(pg_catalog.=) 0 THEN ''no lengths: not a kind named by calls, or value is empty'' END,
				CASE WHEN %2$L AND ended OPERATOR(pg_catalog.=) 0 THEN ''no whole month'' END,
				CASE WHEN gaps OPERATOR(pg_catalog.<) 2 THEN ''burstiness needs 3 events'' WHEN span OPERATOR(pg_catalog.=) 0 THEN ''burstiness: all at one time'' END))
		FROM row ORDER BY (q).actor COLLATE pg_catalog."C", (q).kind COLLATE pg_catalog."C", (q).period_start',
		events_sql, of_months, tz,
		CASE WHEN grain IS NULL THEN 'NULL::pg_catalog.date' ELSE format('activity_metrics.period_start(period, %L::pg_catalog.text)', grain) END,
		nullif(note, ''), events_sql NOT LIKE '%NULL::pg_catalog.float8 AS value%', row_of);
END;
$$;
COMMENT ON FUNCTION activity_metrics.activity_quality_sql(regclass, text, text, text, text, text, text, text, text) IS
'Internal: the statement that activity_quality runs; $1 since, $2 until, $3 min_seconds, $4 count_automatic.';

CREATE FUNCTION activity_metrics.check_seconds(min_seconds double precision) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF min_seconds IS NULL THEN
		RAISE EXCEPTION 'argument min_seconds is null' USING ERRCODE = '22004', HINT = 'Give 0 where no length is too short.';
	END IF;
	IF NOT (min_seconds >= 0 AND min_seconds < 'Infinity') THEN
		RAISE EXCEPTION 'min_seconds is %', min_seconds USING ERRCODE = '22023', HINT = 'Give seconds, such as 30; 0 where no length is too short.';
	END IF;
	RETURN min_seconds;
END;
$$;
COMMENT ON FUNCTION activity_metrics.check_seconds(double precision) IS
'Internal: seconds of at least 0. Errors: other numbers (22023), NULL (22004).';

CREATE FUNCTION activity_metrics.activity_quality(
	events regclass,
	grain text DEFAULT NULL,
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	entity text DEFAULT 'entity',
	at text DEFAULT 'at',
	kind text DEFAULT 'kind',
	actor text DEFAULT 'actor',
	status text DEFAULT NULL,
	tz text DEFAULT 'UTC',
	calls text DEFAULT 'call',
	min_seconds double precision DEFAULT 30,
	count_automatic boolean DEFAULT false)
RETURNS SETOF activity_metrics.activity_quality_row
LANGUAGE plpgsql STABLE ROWS 100 COST 100000 SET jit = off AS $$
BEGIN
	PERFORM activity_metrics.check_range(since, until);
	RETURN QUERY EXECUTE activity_metrics.activity_quality_sql(events, grain, entity, at, kind, actor, status, tz, calls)
		USING since, until, activity_metrics.check_seconds(min_seconds), count_automatic;
END;
$$;
COMMENT ON FUNCTION activity_metrics.activity_quality(regclass, text, timestamptz, timestamptz, text, text, text, text, text, text, text, double precision, boolean) IS
'What speaks for and against the activities of each actor: one row per actor and kind (and period, where a grain is given). substantive is the share of events that are no duplicate, not short, not empty and not automatic, with its 95 % Wilson interval; what is not known does not count against an event. Shares are of those events for which the thing is known; NULL where it is for none (note says why).
duplicate: same actor, entity and kind at most 10 minutes after the one before; short: value below min_seconds seconds, of the kinds in calls; empty: quality 0; automatic: origin other than manual (count_automatic => true: it does not count against an event, as where the telephone system logs calls); batch: logged (recorded_at, else at) at most 60 seconds after the actor''s one before, of any kind; rush: in the last fifth of the Mondays to Fridays of whole months, beside rush_expected, what that fifth is of the days; round: lengths of 5 minutes and more that are multiples of it; late: recorded more than 24 hours after at; backdated: recorded in a later month than at; burstiness of the gaps between events: -1 regular, 0 random, 1 in bursts (Goh and Barabasi 2008, for few events Kim and Jo 2016).
events: a relation with columns entity, at, kind, actor and, where they exist, recorded_at, value, quality, origin, status, event_id; entity, at, kind, actor, status: names of columns; since, until: events in [since, until); tz: zone of days, months and times without one. Events that were not done (status), that have no actor, or no or an infinite time are left out.
Errors: no such column (42703), a column of the wrong type (42804), faulty kinds, an unknown grain, min_seconds below 0, since after until (22023), NULL for a relation or min_seconds (22004).';

CREATE TYPE activity_metrics.quality_event AS (
	entity text,
	kind text,
	at timestamptz,
	actor text,
	event_id text,
	recorded_at timestamptz,
	status text,
	value double precision,
	quality double precision,
	origin text,
	is_duplicate boolean,
	is_short boolean,
	is_empty boolean,
	is_automatic boolean
);
COMMENT ON TYPE activity_metrics.quality_event IS
'A row of activity_quality_events: an event in canonical columns; quality 1, or 0 where something speaks against it.';

CREATE FUNCTION activity_metrics.activity_quality_events_sql(
	events regclass, entity text, at text, kind text, actor text, status text, tz text, calls text)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- $1 and $2 are not used; ties in time are put in an order by what else is read, the weaker event last; a roster row without a time makes a unit, as it does in the relation itself
	RETURN format(
		'WITH %1$s,
		mark AS (
			SELECT read.*, entity IS NOT NULL AND coalesce(at OPERATOR(pg_catalog.-) pg_catalog.lag(at) OVER contact OPERATOR(pg_catalog.<=) ''10 minutes''::pg_catalog.interval, false) AS is_duplicate
			FROM read WINDOW
				contact AS (PARTITION BY actor, kind, entity ORDER BY at, is_short OR is_empty OR is_automatic, value DESC, quality DESC, origin, recorded, event_id))
		SELECT entity::pg_catalog.text, kind::pg_catalog.text, at, actor::pg_catalog.text, event_id::pg_catalog.text, recorded, ''done'', value,
			CASE WHEN is_duplicate OR is_short OR is_empty OR (is_automatic AND $4 IS NOT TRUE) THEN 0 ELSE 1 END::pg_catalog.float8,
			origin::pg_catalog.text, is_duplicate, is_short, is_empty, is_automatic
		FROM mark
		UNION ALL
		SELECT %2$s, %3$s, %4$s, %5$s, NULL, NULL, ''done'', NULL, NULL, NULL, NULL, NULL, NULL, NULL
		FROM %6$s WHERE %7$s AND %5$s IS NOT NULL AND pg_catalog.isfinite(%4$s) IS NOT TRUE',
		activity_metrics.quality_read_sql(events, entity, at, kind, actor, status, tz, NULL, calls, false),
		activity_metrics.text_column(events, entity, 'entity'), activity_metrics.text_column(events, kind, 'kind'),
		activity_metrics.time_column(events, at, 'at', tz), activity_metrics.text_column(events, actor, 'actor'),
		activity_metrics.qualified_name(events), activity_metrics.done_condition(events, status));
END;
$$;
COMMENT ON FUNCTION activity_metrics.activity_quality_events_sql(regclass, text, text, text, text, text, text, text) IS
'Internal: the statement that activity_quality_events runs; $3 min_seconds, $4 count_automatic.';

CREATE FUNCTION activity_metrics.activity_quality_events(
	events regclass,
	entity text DEFAULT 'entity',
	at text DEFAULT 'at',
	kind text DEFAULT 'kind',
	actor text DEFAULT 'actor',
	status text DEFAULT NULL,
	tz text DEFAULT 'UTC',
	calls text DEFAULT 'call',
	min_seconds double precision DEFAULT 30,
	count_automatic boolean DEFAULT false)
RETURNS SETOF activity_metrics.quality_event
LANGUAGE plpgsql STABLE ROWS 100000 COST 100000 SET jit = off AS $$
BEGIN
	RETURN QUERY EXECUTE activity_metrics.activity_quality_events_sql(events, entity, at, kind, actor, status, tz, calls)
		USING NULL::pg_catalog.timestamptz, NULL::pg_catalog.timestamptz, activity_metrics.check_seconds(min_seconds), count_automatic;
END;
$$;
COMMENT ON FUNCTION activity_metrics.activity_quality_events(regclass, text, text, text, text, text, text, text, double precision, boolean) IS
'The events of a relation that were done by somebody, in canonical columns, with quality 1, or 0 for those that are a duplicate, short, empty or automatic as of activity_quality(). A view over it makes metric x quality: define a metric on the view, and vanity_report() gives quality_gain.
Arguments and errors as of activity_quality(). Rows without a finite time are there with a quality of NULL.';
