--
-- What is in a relation of events, and what is not
--

CREATE FUNCTION activity_metrics.check_events_sql(events regclass, entity text, at text, kind text, actor text, status text, tz text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	relation text := activity_metrics.qualified_name(events);
	time_type regtype := activity_metrics.column_type(events, at);
	time_text text := activity_metrics.check_column(events, at, 'at') || '::pg_catalog.text';
	a text;
	optional text;
	expressions text := '';
	columns text := '';
	left_out text;
BEGIN
	PERFORM timezone(tz, timestamp '2000-01-01');
	IF tz IS NULL THEN
		RAISE EXCEPTION 'argument tz is null' USING ERRCODE = '22004', HINT = 'Leave it out for its default.';
	END IF;
	IF actor IS NULL THEN
		RAISE EXCEPTION 'argument actor is null' USING ERRCODE = '22004', HINT = 'Leave it out: a relation without a column actor will do.';
	END IF;
	a := CASE WHEN time_type IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype) THEN format('activity_metrics.text_to_time(%s, %L::pg_catalog.text)', time_text, tz)
		WHEN time_type IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'numeric'::regtype, 'real'::regtype, 'double precision'::regtype)
			THEN format('activity_metrics.epoch_to_time(%s)', activity_metrics.number_column(events, at, 'at'))
		ELSE activity_metrics.time_column(events, at, 'at', tz) END;
	-- columns that may be absent
	FOREACH optional IN ARRAY ARRAY[actor, 'event_id', 'recorded_at', coalesce(status, 'status'), 'value', 'quality', 'origin', 'currency'] LOOP
		IF activity_metrics.column_type(events, optional) IS NULL AND (optional = actor AND actor <> 'actor' OR optional = status) THEN
			PERFORM activity_metrics.check_column(events, optional, CASE optional WHEN actor THEN 'actor' ELSE 'status' END);
		END IF;
		expressions := expressions || ', ' || CASE WHEN activity_metrics.column_type(events, optional) IS NULL THEN 'NULL' ELSE quote_ident(optional) END
			|| format('::pg_catalog.text AS %I', CASE optional WHEN actor THEN 'actor' WHEN coalesce(status, 'status') THEN 'status' ELSE optional END);
		columns := columns || format(', (5, ''column'', %L, CASE WHEN %L::pg_catalog.bool THEN s.%I END, NULL, CASE WHEN NOT %L::pg_catalog.bool THEN ''no such column: %s'' WHEN s.%I OPERATOR(pg_catalog.=) 0 THEN ''NULL in all rows'' END)',
			optional, activity_metrics.column_type(events, optional) IS NOT NULL,
			'has_' || CASE optional WHEN actor THEN 'actor' WHEN coalesce(status, 'status') THEN 'status' ELSE optional END,
			activity_metrics.column_type(events, optional) IS NOT NULL,
			CASE optional WHEN actor THEN 'no panel per person' WHEN 'event_id' THEN 'an event of many entities is counted many times' WHEN 'recorded_at' THEN 'back-dating cannot be seen'
				WHEN coalesce(status, 'status') THEN 'all rows count as done' WHEN 'value' THEN 'nothing to add up' WHEN 'quality' THEN 'quality is not judged' WHEN 'origin' THEN 'manual and automatic are not told apart' ELSE 'one currency is taken for granted' END,
			'has_' || CASE optional WHEN actor THEN 'actor' WHEN coalesce(status, 'status') THEN 'status' ELSE optional END);
	END LOOP;
	SELECT c.oid::regclass::text INTO left_out FROM pg_class c JOIN pg_class e ON e.relnamespace = c.relnamespace
		WHERE e.oid = events AND c.relname = e.relname || '_left_out'
		AND (SELECT count(*) FROM pg_attribute x WHERE x.attrelid = c.oid AND x.attname IN ('rule', 'source', 'id', 'example') AND NOT x.attisdropped) = 4;
	RETURN format($sql$
		WITH e AS NOT MATERIALIZED (
			SELECT %1$s AS a, %2$s AS raw, %3$s::pg_catalog.text AS entity, %4$s::pg_catalog.text AS kind, %5$s AS done%6$s, %15$s AS r FROM %7$s),
		s AS (
			SELECT pg_catalog.count(*) AS n, pg_catalog.count(a) AS has_at, pg_catalog.count(entity) AS has_entity, pg_catalog.count(kind) AS has_kind,
				pg_catalog.count(actor) AS has_actor, pg_catalog.count(event_id) AS has_event_id, pg_catalog.count(recorded_at) AS has_recorded_at,
				pg_catalog.count(status) AS has_status, pg_catalog.count(value) AS has_value, pg_catalog.count(quality) AS has_quality,
				pg_catalog.count(origin) AS has_origin, pg_catalog.count(currency) AS has_currency,
				pg_catalog.count(DISTINCT event_id COLLATE pg_catalog."C") AS events, pg_catalog.count(DISTINCT entity COLLATE pg_catalog."C") AS entities, pg_catalog.count(DISTINCT actor COLLATE pg_catalog."C") AS actors,
				pg_catalog.min(a) AS first_at, pg_catalog.max(a) AS last_at,
				pg_catalog.max(a) FILTER (WHERE done AND pg_catalog.isfinite(a) AND a OPERATOR(pg_catalog.<=) pg_catalog.now()) AS last_done,
				pg_catalog.min(raw) FILTER (WHERE a IS NULL AND raw OPERATOR(pg_catalog.~) '\S') AS unread,
				pg_catalog.count(*) FILTER (WHERE a IS NULL AND raw OPERATOR(pg_catalog.~) '\S') AS n_unread,
				pg_catalog.count(*) FILTER (WHERE a IS NULL AND NOT coalesce(raw OPERATOR(pg_catalog.~) '\S', false)) AS n_no_time,
				pg_catalog.count(*) FILTER (WHERE NOT pg_catalog.isfinite(a)) AS n_infinite, pg_catalog.min(raw) FILTER (WHERE NOT pg_catalog.isfinite(a)) AS infinite,
				pg_catalog.count(*) FILTER (WHERE pg_catalog.isfinite(a) AND a OPERATOR(pg_catalog.>=) '1970-01-01 00:00+00'::pg_catalog.timestamptz AND a OPERATOR(pg_catalog.<) '1970-03-01 00:00+00'::pg_catalog.timestamptz) AS n_epoch,
				pg_catalog.min(a) FILTER (WHERE pg_catalog.isfinite(a) AND a OPERATOR(pg_catalog.>=) '1970-01-01 00:00+00'::pg_catalog.timestamptz AND a OPERATOR(pg_catalog.<) '1970-03-01 00:00+00'::pg_catalog.timestamptz) AS epoch,
				pg_catalog.count(*) FILTER (WHERE pg_catalog.isfinite(a) AND a OPERATOR(pg_catalog.<) '2000-01-01 00:00+00'::pg_catalog.timestamptz) AS n_old,
				pg_catalog.min(a) FILTER (WHERE pg_catalog.isfinite(a) AND a OPERATOR(pg_catalog.<) '2000-01-01 00:00+00'::pg_catalog.timestamptz) AS old,
				pg_catalog.count(*) FILTER (WHERE done AND pg_catalog.isfinite(a) AND a OPERATOR(pg_catalog.>) pg_catalog.now()) AS n_future,
				pg_catalog.max(a) FILTER (WHERE done AND pg_catalog.isfinite(a) AND a OPERATOR(pg_catalog.>) pg_catalog.now()) AS future,
				pg_catalog.count(*) FILTER (WHERE NOT done) AS n_not_done
				%8$s
			FROM e)
		SELECT found.rule, found.subject, found.rows, found.share, found.example, found.note FROM (
		SELECT f.place, f.rule, f.subject, f.rows, CASE WHEN s.n OPERATOR(pg_catalog.>) 0 THEN f.rows::pg_catalog.float8 OPERATOR(pg_catalog./) s.n::pg_catalog.float8 END AS share, f.example, f.note
		FROM s, LATERAL (VALUES
			(1, 'rows'::pg_catalog.text, 'all'::pg_catalog.text, s.n, NULL::pg_catalog.text, pg_catalog.concat(s.entities, ' entities, ', s.actors, ' actors, from ', coalesce(s.first_at::pg_catalog.text, '?'), ' to ', coalesce(s.last_at::pg_catalog.text, '?'))),
			(2, 'column', %9$L, s.has_entity, NULL, CASE WHEN s.has_entity OPERATOR(pg_catalog.<) s.n THEN 'rows without an entity are in metrics, not in funnels' END),
			(3, 'column', %10$L, s.has_kind, NULL, NULL),
			(4, 'column', %11$L, s.has_at, NULL, NULL)
			%12$s,
			(5, 'one event, many entities', 'event_id', CASE WHEN s.has_event_id OPERATOR(pg_catalog.-) s.events OPERATOR(pg_catalog.>) 0 THEN s.has_event_id OPERATOR(pg_catalog.-) s.events END, NULL, 'rows beyond the first of their event: count distinct event_id'),
			(6, 'not done', 'status', CASE WHEN s.n_not_done OPERATOR(pg_catalog.>) 0 THEN s.n_not_done END, NULL, 'planned, cancelled or no_show: in no count'),
			(7, 'no time', %11$L, CASE WHEN s.n_no_time OPERATOR(pg_catalog.>) 0 THEN s.n_no_time END, NULL, 'in no report'),
			(8, 'not a time', %11$L, CASE WHEN s.n_unread OPERATOR(pg_catalog.>) 0 THEN s.n_unread END, s.unread, 'the text cannot be read as a time; in no report'),
			(9, 'infinite', %11$L, CASE WHEN s.n_infinite OPERATOR(pg_catalog.>) 0 THEN s.n_infinite END, s.infinite, 'a sentinel, not a time; in no report'),
			(10, 'January 1970', %11$L, CASE WHEN s.n_epoch OPERATOR(pg_catalog.>) 0 THEN s.n_epoch END, s.epoch::pg_catalog.text, 'seconds since 1970 that were read as milliseconds; also counted as before 2000'),
			(11, 'before 2000', %11$L, CASE WHEN s.n_old OPERATOR(pg_catalog.>) 0 THEN s.n_old END, s.old::pg_catalog.text, pg_catalog.concat('a panel begins with its first row: ', pg_catalog.round((pg_catalog.date_part('epoch', s.last_done OPERATOR(pg_catalog.-) s.old) OPERATOR(pg_catalog./) 604800)::pg_catalog.numeric), ' weeks; since => leaves them out')),
			(12, 'in the future', %11$L, CASE WHEN s.n_future OPERATOR(pg_catalog.>) 0 THEN s.n_future END, s.future::pg_catalog.text, 'done, but not yet: they move the end of the data, by which open attempts are judged; until => leaves them out')
			%13$s
		) AS f(place, rule, subject, rows, example, note)
		WHERE f.rows IS NOT NULL OR f.rule OPERATOR(pg_catalog.=) 'column'
		%14$s) AS found ORDER BY found.place, found.rows IS NULL, found.rule COLLATE pg_catalog."C", found.subject COLLATE pg_catalog."C"$sql$,
		a, time_text, activity_metrics.check_column(events, entity, 'entity'), activity_metrics.check_column(events, kind, 'kind'),
		activity_metrics.done_condition(events, status), expressions, relation,
		-- what needs a second column
		', pg_catalog.count(*) FILTER (WHERE done AND pg_catalog.isfinite(a) AND pg_catalog.isfinite(r) AND r OPERATOR(pg_catalog.-) a OPERATOR(pg_catalog.>) ''7 days''::pg_catalog.interval) AS n_late,
				pg_catalog.max(r OPERATOR(pg_catalog.-) a) FILTER (WHERE done AND pg_catalog.isfinite(a) AND pg_catalog.isfinite(r)) AS late,
				pg_catalog.count(*) FILTER (WHERE done AND pg_catalog.isfinite(a) AND pg_catalog.isfinite(r) AND a OPERATOR(pg_catalog.-) r OPERATOR(pg_catalog.>) ''7 days''::pg_catalog.interval) AS n_early'
		|| ', pg_catalog.count(DISTINCT currency) FILTER (WHERE value IS NOT NULL) AS currencies, pg_catalog.array_to_string((pg_catalog.array_agg(DISTINCT currency) FILTER (WHERE value IS NOT NULL AND currency IS NOT NULL))[1:5], '', '') AS currency_names,
				pg_catalog.count(*) FILTER (WHERE value IS NOT NULL AND currency IS NOT NULL) AS n_currency,
				pg_catalog.count(*) FILTER (WHERE origin OPERATOR(pg_catalog.=) ANY (ARRAY[''auto'', ''integration'']::pg_catalog.text[])) AS n_auto,
				pg_catalog.count(*) FILTER (WHERE status OPERATOR(pg_catalog.<>) ''done'' AND pg_catalog.translate(pg_catalog.lower(pg_catalog.btrim(status)), '' -'', ''__'') OPERATOR(pg_catalog.<>) ALL (ARRAY[''done'', ''planned'', ''cancelled'', ''canceled'', ''no_show'']::pg_catalog.text[])) AS n_words,
				pg_catalog.min(status) FILTER (WHERE status OPERATOR(pg_catalog.<>) ''done'' AND pg_catalog.translate(pg_catalog.lower(pg_catalog.btrim(status)), '' -'', ''__'') OPERATOR(pg_catalog.<>) ALL (ARRAY[''done'', ''planned'', ''cancelled'', ''canceled'', ''no_show'']::pg_catalog.text[])) AS words',
		entity, kind, at, columns,
		', (13, ''logged late'', ''recorded_at'', CASE WHEN s.n_late OPERATOR(pg_catalog.>) 0 THEN s.n_late END, pg_catalog.date_trunc(''day'', s.late)::pg_catalog.text, ''more than 7 days after it happened''),
			(14, ''logged before it happened'', ''recorded_at'', CASE WHEN s.n_early OPERATOR(pg_catalog.>) 0 THEN s.n_early END, NULL, ''more than 7 days before it was done''),
			(15, ''several currencies'', ''currency'', CASE WHEN s.currencies OPERATOR(pg_catalog.>) 1 THEN s.n_currency END, s.currency_names, ''do not add them up: give the preset an option currency or rates''),
			(16, ''automatic'', ''origin'', CASE WHEN s.n_auto OPERATOR(pg_catalog.>) 0 THEN s.n_auto END, NULL, ''auto or integration''),
			(17, ''unknown status'', ''status'', CASE WHEN s.n_words OPERATOR(pg_catalog.>) 0 THEN s.n_words END, s.words, ''every word but planned, cancelled and no_show counts as done'')',
		CASE WHEN left_out IS NULL THEN '' ELSE format(
			'UNION ALL
		(SELECT 100, l.rule::pg_catalog.text, l.source::pg_catalog.text, CASE WHEN pg_catalog.count(l.id) OPERATOR(pg_catalog.>) 0 THEN pg_catalog.count(l.id) END, NULL::pg_catalog.float8, coalesce(pg_catalog.min(l.example)::pg_catalog.text, pg_catalog.min(l.id)::pg_catalog.text),
			CASE WHEN pg_catalog.count(l.id) OPERATOR(pg_catalog.>) 0 AND NOT l.rule::pg_catalog.text OPERATOR(pg_catalog.~) '': NULL$'' THEN %1$L END
		FROM %2$s AS l GROUP BY l.rule, l.source)', 'left out: SELECT * FROM ' || left_out,
			(SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = left_out::regclass)) END,
		CASE WHEN activity_metrics.column_type(events, 'recorded_at') IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype)
			THEN activity_metrics.time_column(events, 'recorded_at', 'recorded_at', tz) ELSE 'NULL::pg_catalog.timestamptz' END);
END;
$$;
COMMENT ON FUNCTION activity_metrics.check_events_sql(regclass, text, text, text, text, text, text) IS
'Internal: the statement that check_events runs.';

CREATE FUNCTION activity_metrics.check_events(
	events regclass,
	entity text DEFAULT 'entity',
	at text DEFAULT 'at',
	kind text DEFAULT 'kind',
	actor text DEFAULT 'actor',
	status text DEFAULT NULL,
	tz text DEFAULT 'UTC')
RETURNS TABLE (
	rule text,
	subject text,
	rows bigint,
	share double precision,
	example text,
	note text)
LANGUAGE plpgsql STABLE ROWS 30 COST 100000 SET jit = off AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY EXECUTE activity_metrics.check_events_sql(events, entity, at, kind, actor, status, tz);
END;
$$;
COMMENT ON FUNCTION activity_metrics.check_events(regclass, text, text, text, text, text, text) IS
'What is in a relation of events, and what is not: rows and range; each column and how many rows have it; what will mislead (no time, texts that are no times, before 2000, in the future, sentinels, several currencies, logged late, words of status that are not known); and, where a preset made the view, the rows that it left out, by rule. One row per finding, with the number of rows, their share of all and an example.
events: a table or view; entity, at, kind, actor, status: columns, if named otherwise; at may be a time, a text or a number of seconds or milliseconds since 1970; tz: zone of times without one.
Errors: no such column (42703), a type that is no time (42804), unknown zone (22023).';
