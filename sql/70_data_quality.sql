--
-- Data quality: what a join, and so a report built on one, loses without a word.
--

CREATE FUNCTION activity_metrics.unmatched_values_sql(relation regclass, column_name text, reference regclass, reference_column text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	other text := coalesce(reference_column, column_name);
	v text := activity_metrics.check_column(relation, column_name, 'column_name');
	r text := activity_metrics.check_column(reference, other, 'reference_column');
	numbers regtype[] := ARRAY['smallint', 'integer', 'bigint', 'numeric']::regtype[];
	comparable text;
BEGIN
	-- values of one type are equal as that type has it, others if their texts are
	SELECT CASE WHEN n.type = ANY (numbers) AND o.type = ANY (numbers) THEN '::pg_catalog.numeric'
		WHEN n.type = o.type AND a.attcollation = b.attcollation THEN ''
		ELSE '::pg_catalog.text COLLATE pg_catalog."C"' END
	INTO comparable
	FROM activity_metrics.column_type(relation, column_name) AS n(type), activity_metrics.column_type(reference, other) AS o(type),
		pg_attribute a, pg_attribute b
	WHERE a.attrelid = relation AND a.attname = column_name::name AND b.attrelid = reference AND b.attname = other::name;
	-- GROUP BY takes the equality of the type, whatever the search_path
	RETURN format(
		'WITH known AS MATERIALIZED (
			SELECT DISTINCT %3$s%5$s AS v FROM %4$s WHERE %3$s IS NOT NULL),
		lost AS (
			SELECT v::pg_catalog.text AS value, pg_catalog.count(*) AS n,
				pg_catalog.row_number() OVER (ORDER BY v IS NULL, pg_catalog.count(*) DESC, v::pg_catalog.text COLLATE pg_catalog."C") AS place
			FROM (SELECT %1$s%5$s AS v, false AS present FROM %2$s UNION ALL SELECT v, true FROM known) AS both_sides
			GROUP BY v HAVING NOT pg_catalog.bool_or(present))
		SELECT lost.value, lost.n,
			CASE WHEN lost.value IS NOT NULL AND lost.place OPERATOR(pg_catalog.*) (SELECT pg_catalog.count(*) FROM known) OPERATOR(pg_catalog.<=) 2000000
				THEN activity_metrics.nearest_name(lost.value,
					(SELECT pg_catalog.array_agg(v::pg_catalog.text ORDER BY v::pg_catalog.text COLLATE pg_catalog."C") FROM known)) END
		FROM lost ORDER BY lost.place',
		v, activity_metrics.qualified_name(relation), r, activity_metrics.qualified_name(reference), comparable);
END;
$$;
COMMENT ON FUNCTION activity_metrics.unmatched_values_sql(regclass, text, regclass, text) IS
'Internal: the statement that unmatched_values runs.';

CREATE FUNCTION activity_metrics.unmatched_values(
	relation regclass,
	column_name text,
	reference regclass,
	reference_column text DEFAULT NULL)
RETURNS TABLE (
	value text,
	rows bigint,
	nearest text)
LANGUAGE plpgsql STABLE ROWS 20 COST 10000 SET jit = off AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY EXECUTE activity_metrics.unmatched_values_sql(relation, column_name, reference, reference_column);
END;
$$;
COMMENT ON FUNCTION activity_metrics.unmatched_values(regclass, text, regclass, text) IS
'What does a join lose? The values of a column that the column of another relation does not have, with their number of rows, most frequent first; no row: nothing is lost.
relation, column_name: where values are used; reference, reference_column: where they should all be (default: a column of the same name).
value: NULL, last, for rows that have none and which a join loses as well; nearest: the value of the reference that is most like it, by edit distance without regard to case, whether that is close or not; NULL if the reference is empty or so large that looking for all would take long.
Integers and numerics are compared as numbers, values of one type as that type has it, others by their text. Errors: no such column (42703), NULL for a relation or column (22004).';

-- What is recorded, per relation and period: is it all there, in time, once, and of this world?

CREATE TYPE activity_metrics.quality_cell AS (
	source text,
	period bigint,
	n bigint,
	duplicates bigint,
	manual bigint,
	with_origin bigint,
	late bigint,
	with_recorded bigint,
	orphans bigint,
	no_actor bigint,
	unknown bigint,
	unknown_kinds text,
	before_2000 bigint,
	near_epoch bigint,
	in_future bigint,
	no_time bigint,
	newest timestamptz,
	widest_gap double precision
);
COMMENT ON TYPE activity_metrics.quality_cell IS
'Internal: what data_quality_report() counted of a source in a period, or with period NULL in all rows.';

CREATE FUNCTION activity_metrics.optional_column(relation regclass, named text, usual text, argument text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF named IS NULL AND activity_metrics.column_type(relation, usual) IS NULL THEN
		RETURN NULL;
	END IF;
	RETURN activity_metrics.text_column(relation, coalesce(named, usual), argument);
END;
$$;
COMMENT ON FUNCTION activity_metrics.optional_column(regclass, text, text, text) IS
'Internal: the expression of a column as text: the one named, else the usual one if there is one, else NULL. Errors: no such column (42703).';

CREATE FUNCTION activity_metrics.data_quality_sql(events regclass, grain text, by text, entity text, at text, kind text, actor text, event_id text,
	recorded text, origin text, status text, entities regclass, entity_key text, late_days double precision, tz text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS $$
DECLARE
	relation text := activity_metrics.qualified_name(events);
	at_sql text := activity_metrics.time_column(events, at, 'at', tz);
	entity_sql text := activity_metrics.optional_column(events, entity, 'entity', 'entity');
	kind_sql text := activity_metrics.optional_column(events, kind, 'kind', 'kind');
	actor_sql text := activity_metrics.optional_column(events, actor, 'actor', 'actor');
	id_sql text := activity_metrics.optional_column(events, event_id, 'event_id', 'event_id');
	origin_sql text := activity_metrics.optional_column(events, origin, 'origin', 'origin');
	recorded_sql text := CASE WHEN recorded IS NOT NULL OR activity_metrics.column_type(events, 'recorded_at') IS NOT NULL
		THEN activity_metrics.time_column(events, coalesce(recorded, 'recorded_at'), 'recorded', tz) END;
	source_sql text := CASE WHEN by IS NULL THEN 'NULL::pg_catalog.text' ELSE activity_metrics.text_column(events, by, 'by') END;
	known text[];
	counts_all boolean;
BEGIN
	PERFORM activity_metrics.period_no(now(), activity_metrics.check_grain(grain), tz);
	IF late_days IS NULL OR NOT late_days >= 0 OR NOT late_days < 36600 THEN
		RAISE EXCEPTION 'late_days is %', late_days USING ERRCODE = '22023', HINT = 'Give the days after which an entry counts as late, 7 by default.';
	END IF;
	-- kinds that some metric of the relation counts; one that counts all kinds knows them all
	SELECT array_agg(DISTINCT k), bool_or(m.event_kinds IS NULL) INTO known, counts_all
		FROM activity_metrics.metric m LEFT JOIN LATERAL unnest(CASE WHEN m.event_kinds IS NOT NULL THEN activity_metrics.step_kinds(m.event_kinds, 'event_kinds') END) AS k ON true
		WHERE to_regclass(m.source_relation) = events AND m.status <> 'deprecated';
	-- one event may be of many entities, and then is there once for each
	RETURN format(
		'WITH e AS (
			SELECT %2$s AS source, %3$s AS at, %4$s AS entity, %5$s AS kind, %6$s AS actor, %7$s AS id, %8$s AS recorded, pg_catalog.lower(pg_catalog.btrim(%9$s)) AS origin, %10$s AS done FROM %1$s),
		placed AS (
			SELECT e.*, CASE WHEN e.at OPERATOR(pg_catalog.>=) ''2000-01-01 00:00+00''::pg_catalog.timestamptz AND e.at OPERATOR(pg_catalog.<=) pg_catalog.now()
				THEN activity_metrics.period_no(e.at, %11$L::pg_catalog.text, %12$L::pg_catalog.text) END AS period FROM e),
		-- a kind that never has an entity, such as a login, loses none
		linked AS (SELECT pg_catalog.array_agg(DISTINCT e.kind) AS kinds FROM e WHERE e.entity IS NOT NULL),
		cell AS (
			SELECT p.source, p.period, pg_catalog.count(*) AS n, %13$s AS duplicates,
				pg_catalog.count(*) FILTER (WHERE p.origin OPERATOR(pg_catalog.=) ''manual'') AS manual, pg_catalog.count(p.origin) AS with_origin,
				pg_catalog.count(*) FILTER (WHERE p.recorded OPERATOR(pg_catalog.>) (p.at OPERATOR(pg_catalog.+) pg_catalog.make_interval(secs => %14$L::pg_catalog.float8))) AS late, pg_catalog.count(p.recorded) AS with_recorded,
				%15$s AS orphans, %16$s AS no_actor, %17$s AS unknown, %18$s AS unknown_kinds
			FROM placed AS p WHERE p.period IS NOT NULL
			AND ($1 IS NULL OR p.at OPERATOR(pg_catalog.>=) $1) AND ($2 IS NULL OR p.at OPERATOR(pg_catalog.<) $2) GROUP BY p.source, p.period),
		-- of days, since one batch a day is usual
		gap AS (
			SELECT d.source, pg_catalog.max(d.gap) AS widest FROM (
				SELECT u.source, pg_catalog.date_part(''epoch'', u.at OPERATOR(pg_catalog.-) pg_catalog.lag(u.at) OVER (PARTITION BY u.source ORDER BY u.at))::pg_catalog.float8 AS gap
				FROM (SELECT p.source, pg_catalog.max(p.at) AS at FROM placed AS p WHERE p.period IS NOT NULL GROUP BY p.source, pg_catalog.date_trunc(''day'', p.at, ''UTC'')) AS u) AS d
			GROUP BY d.source),
		whole AS (
			SELECT p.source, pg_catalog.count(*) AS n,
				pg_catalog.count(*) FILTER (WHERE p.at OPERATOR(pg_catalog.<) ''2000-01-01 00:00+00''::pg_catalog.timestamptz AND NOT (p.at OPERATOR(pg_catalog.>=) ''1969-12-31 00:00+00''::pg_catalog.timestamptz AND p.at OPERATOR(pg_catalog.<) ''1970-02-01 00:00+00''::pg_catalog.timestamptz)) AS before_2000,
				-- no time at all read as 0, seconds read as thousandths, thousandths read as seconds
				pg_catalog.count(*) FILTER (WHERE (p.at OPERATOR(pg_catalog.>=) ''1969-12-31 00:00+00''::pg_catalog.timestamptz AND p.at OPERATOR(pg_catalog.<) ''1970-02-01 00:00+00''::pg_catalog.timestamptz)
					OR p.at OPERATOR(pg_catalog.>) ''9999-12-31 00:00+00''::pg_catalog.timestamptz) AS near_epoch,
				pg_catalog.count(*) FILTER (WHERE p.at OPERATOR(pg_catalog.>) pg_catalog.now() AND p.at OPERATOR(pg_catalog.<=) ''9999-12-31 00:00+00''::pg_catalog.timestamptz AND p.done) AS in_future,
				pg_catalog.count(*) FILTER (WHERE p.at IS NULL) AS no_time,
				pg_catalog.max(p.at) FILTER (WHERE p.period IS NOT NULL) AS newest
			FROM placed AS p GROUP BY p.source)
		SELECT c.source, c.period, c.n, c.duplicates, c.manual, c.with_origin, c.late, c.with_recorded, c.orphans, c.no_actor, c.unknown, c.unknown_kinds,
			NULL::pg_catalog.int8, NULL::pg_catalog.int8, NULL::pg_catalog.int8, NULL::pg_catalog.int8, NULL::pg_catalog.timestamptz, NULL::pg_catalog.float8 FROM cell AS c
		UNION ALL
		SELECT w.source, NULL, w.n, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, w.before_2000, w.near_epoch, w.in_future, w.no_time, w.newest, g.widest
		FROM whole AS w LEFT JOIN gap AS g ON g.source OPERATOR(pg_catalog.=) w.source OR (g.source IS NULL AND w.source IS NULL)',
		relation, source_sql, at_sql, coalesce(entity_sql, 'NULL::pg_catalog.text'), coalesce(kind_sql, 'NULL::pg_catalog.text'), coalesce(actor_sql, 'NULL::pg_catalog.text'), coalesce(id_sql, 'NULL::pg_catalog.text'),
		coalesce(recorded_sql, 'NULL::pg_catalog.timestamptz'), coalesce(origin_sql, 'NULL::pg_catalog.text'), activity_metrics.done_condition(events, status), grain, tz,
		CASE WHEN id_sql IS NOT NULL THEN 'pg_catalog.count(p.id) OPERATOR(pg_catalog.-) pg_catalog.count(DISTINCT ROW(p.id, p.entity)) FILTER (WHERE p.id IS NOT NULL)'
			ELSE 'pg_catalog.count(*) OPERATOR(pg_catalog.-) pg_catalog.count(DISTINCT ROW(p.entity, p.actor, p.kind, p.at))' END,
		late_days * 86400,
		CASE WHEN entity_sql IS NULL THEN 'NULL::pg_catalog.int8'
			WHEN entities IS NULL THEN 'pg_catalog.count(*) FILTER (WHERE p.entity IS NULL AND (p.kind IS NULL OR p.kind OPERATOR(pg_catalog.=) ANY ((SELECT l.kinds FROM linked AS l)::pg_catalog.text[])))'
			ELSE format('pg_catalog.count(*) FILTER (WHERE CASE WHEN p.entity IS NULL THEN p.kind IS NULL OR p.kind OPERATOR(pg_catalog.=) ANY ((SELECT l.kinds FROM linked AS l)::pg_catalog.text[]) ELSE NOT EXISTS (SELECT FROM %s AS r WHERE r.%s OPERATOR(pg_catalog.=) p.entity) END)',
				activity_metrics.qualified_name(entities), activity_metrics.text_column(entities, coalesce(entity_key, entity, 'entity'), 'entity_key')) END,
		CASE WHEN actor_sql IS NULL THEN 'NULL::pg_catalog.int8' ELSE 'pg_catalog.count(*) FILTER (WHERE p.actor IS NULL)' END,
		CASE WHEN kind_sql IS NULL OR counts_all IS NULL THEN 'NULL::pg_catalog.int8' WHEN counts_all THEN 'pg_catalog.count(*) FILTER (WHERE p.kind IS NULL)'
			ELSE format('pg_catalog.count(*) FILTER (WHERE p.kind IS NULL OR p.kind OPERATOR(pg_catalog.<>) ALL (%L::pg_catalog.text[]))', coalesce(known, '{}')) END,
		CASE WHEN kind_sql IS NULL OR counts_all IS NOT FALSE THEN 'NULL::pg_catalog.text'
			ELSE format('pg_catalog.string_agg(DISTINCT p.kind, '', '') FILTER (WHERE p.kind OPERATOR(pg_catalog.<>) ALL (%L::pg_catalog.text[]))', coalesce(known, '{}')) END);
END;
$$;
COMMENT ON FUNCTION activity_metrics.data_quality_sql(regclass, text, text, text, text, text, text, text, text, text, text, regclass, text, double precision, text) IS
'Internal: the statement that counts quality_cells; $1 since, $2 until bound the periods.';

CREATE FUNCTION activity_metrics.data_quality_judge(cells activity_metrics.quality_cell[], grain text, tz text, late_days double precision)
RETURNS TABLE (
	source text,
	period_start date,
	period_end date,
	rule text,
	seen double precision,
	expected double precision,
	n bigint,
	share double precision,
	status text,
	message text,
	next_step text)
LANGUAGE plpgsql STABLE ROWS 100 SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	WITH c AS (SELECT u.* FROM unnest(cells) AS u),
	-- periods between the first and the last without any event are the worst ones
	bound AS (SELECT c.source, min(c.period) AS first, max(c.period) AS last FROM c WHERE c.period IS NOT NULL GROUP BY c.source),
	filled AS (
		SELECT b.source, p.period, coalesce(c.n, 0) AS n FROM bound b CROSS JOIN LATERAL generate_series(b.first, least(b.last, activity_metrics.period_no(now(), grain, tz) - 1)) AS p(period)
		LEFT JOIN c ON c.source IS NOT DISTINCT FROM b.source AND c.period = p.period),
	usual AS (
		SELECT f.*, h.expected, h.known FROM filled f LEFT JOIN LATERAL (
			SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY g.n) AS expected, count(*) AS known FROM filled g
			WHERE g.source IS NOT DISTINCT FROM f.source AND g.period BETWEEN f.period - 8 AND f.period - 1) AS h ON true),
	finding AS (
		-- below half of what is usual, and by more than three standard deviations of a count
		SELECT u.source, u.period, 1 AS i, 'completeness' AS rule, u.n::double precision AS seen, CASE WHEN u.known >= 4 THEN u.expected END AS expected, u.n, CASE WHEN u.known >= 4 AND u.expected > 0 THEN u.n / u.expected END AS share,
			CASE WHEN u.known < 4 OR u.expected = 0 THEN 'grey' WHEN u.n > u.expected - 3 * sqrt(u.expected) THEN 'green' WHEN u.n < 0.5 * u.expected THEN 'red' WHEN u.n < 0.8 * u.expected THEN 'amber' ELSE 'green' END AS status,
			CASE WHEN u.known < 4 THEN format('%s events; fewer than 4 %ss before it to compare with', u.n, grain) ELSE format('%s events, %s were usual in the %s %ss before', u.n, round(u.expected), u.known, grain) END AS message,
			'See whether the source came in: events may be missing, or it was a holiday (annotate()).' AS step
		FROM usual u
		UNION ALL
		SELECT c.source, c.period, r.i, r.rule, r.hits, NULL, r.of, CASE WHEN r.of > 0 THEN r.hits::double precision / r.of END,
			CASE WHEN r.hits IS NULL OR r.of = 0 THEN 'grey' WHEN r.hits::double precision / r.of > r.red THEN 'red' WHEN r.hits::double precision / r.of > r.amber THEN 'amber' ELSE 'green' END,
			CASE WHEN r.hits IS NULL OR r.of = 0 THEN r.absent ELSE format(r.text, r.hits, r.of) END, r.step
		FROM c CROSS JOIN LATERAL (VALUES
			(2, 'duplicates', c.duplicates, c.n, 0.01, 0.05, '%s of %s events are there more than once', '', 'Count distinct event_id, or mend the import that writes twice.'),
			(3, 'manual', CASE WHEN c.with_origin > 0 THEN c.manual END, c.with_origin, 0.8, 2, '%s of %s events were entered by hand', 'no column says how events were entered', 'What is entered by hand measures discipline as well: take calls and mails from the systems that carry them.'),
			(4, 'back_dated', CASE WHEN c.with_recorded > 0 THEN c.late END, c.with_recorded, 0.1, 0.3, '%s of %s events were recorded more than ' || late_days || ' days after they happened', 'no column says when events were recorded', 'Recent periods will still change: look at them later, or refresh with a longer look-back.'),
			(5, 'orphans', c.orphans, c.n, 0.01, 0.1, '%s of %s events belong to no known entity', 'no column says what events belong to', 'Funnels lose them: unmatched_values() lists them.'),
			(6, 'no_actor', c.no_actor, c.n, 0.01, 0.1, '%s of %s events have no actor', 'no column says who did it', 'Reports per rep lose them.'),
			(7, 'unknown_kinds', c.unknown, c.n, 0, 2, '%s of %s events are of a kind that no metric counts' || coalesce(': ' || replace(CASE WHEN length(c.unknown_kinds) > 100 THEN left(c.unknown_kinds, 100) || ' ...' ELSE c.unknown_kinds END, '%', '%%'), ''), 'no metric counts events of this relation', 'Add them to a metric''s event_kinds, or ignore them knowingly.')
			) AS r(i, rule, hits, of, amber, red, text, absent, step)
		WHERE c.period IS NOT NULL
		UNION ALL
		SELECT c.source, NULL, 10, 'freshness', extract(epoch FROM now() - c.newest)::double precision / 3600, c.widest_gap / 3600, c.n, NULL,
			CASE WHEN c.newest IS NULL THEN 'red' WHEN extract(epoch FROM now() - c.newest) > 2 * greatest(c.widest_gap, 86400) THEN 'red'
				WHEN extract(epoch FROM now() - c.newest) > greatest(c.widest_gap, 86400) THEN 'amber' ELSE 'green' END,
			CASE WHEN c.newest IS NULL THEN 'there is no event' ELSE format('the newest event is of %s, %s ago%s', date_trunc('minute', c.newest), CASE WHEN now() - c.newest < interval '48 hours' THEN format('%s hours', round(extract(epoch FROM now() - c.newest) / 3600)) ELSE format('%s days', round(extract(epoch FROM now() - c.newest) / 86400)) END,
				CASE WHEN c.widest_gap IS NOT NULL THEN format('; the longest silence before was %s hours', round((c.widest_gap / 3600)::numeric)) END) END,
			'See whether the source still comes in.'
		FROM c WHERE c.period IS NULL
		UNION ALL
		SELECT c.source, NULL, r.i, r.rule, r.hits, 0, c.n, CASE WHEN c.n > 0 THEN r.hits::double precision / c.n END, CASE WHEN r.hits = 0 THEN 'green' WHEN r.hits > 0.01 * c.n THEN 'red' ELSE 'amber' END,
			format(r.text, r.hits, c.n), r.step
		FROM c CROSS JOIN LATERAL (VALUES
			(11, 'no_time', c.no_time, '%s of %s events have no time', 'They are in no period and in no report.'),
			(12, 'before_2000', c.before_2000, '%s of %s events lie before 2000', 'Look at the import: a century is missing, or a date of birth was taken for it.'),
			(13, 'epoch', c.near_epoch, '%s of %s events lie in January 1970 or after 9999', 'An empty time was read as 0, or thousandths of a second were taken for seconds or the other way round.'),
			(14, 'future', c.in_future, '%s of %s events are done, but lie in the future', 'Look at the time zone of the import, or set their status to planned.')) AS r(i, rule, hits, text, step)
		WHERE c.period IS NULL AND c.n > 0)
	SELECT f.source, activity_metrics.period_start(f.period, grain), activity_metrics.period_end(f.period, grain), f.rule, f.seen, f.expected, f.n, f.share, f.status, f.message,
			CASE WHEN f.status IN ('red', 'amber') THEN f.step END
		FROM finding f ORDER BY f.source NULLS FIRST, f.period NULLS FIRST, f.i;
END;
$$;
COMMENT ON FUNCTION activity_metrics.data_quality_judge(activity_metrics.quality_cell[], text, text, double precision) IS
'Internal: the rows of data_quality_report() from what was counted.';

CREATE FUNCTION activity_metrics.data_quality_report(
	events regclass,
	grain text DEFAULT 'week',
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	by text DEFAULT NULL,
	entity text DEFAULT NULL,
	at text DEFAULT 'at',
	kind text DEFAULT NULL,
	actor text DEFAULT NULL,
	event_id text DEFAULT NULL,
	recorded text DEFAULT NULL,
	origin text DEFAULT NULL,
	status_column text DEFAULT NULL,
	entities regclass DEFAULT NULL,
	entity_key text DEFAULT NULL,
	late_days double precision DEFAULT 7,
	tz text DEFAULT 'UTC')
RETURNS TABLE (
	source text,
	period_start date,
	period_end date,
	rule text,
	seen double precision,
	expected double precision,
	n bigint,
	share double precision,
	status text,
	message text,
	next_step text)
LANGUAGE plpgsql STABLE ROWS 100 COST 100000 SET jit = off AS $$
#variable_conflict use_column
DECLARE
	statement pg_catalog.text := activity_metrics.data_quality_sql($1, $2, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17);
	cell activity_metrics.quality_cell;
	cells activity_metrics.quality_cell[] := '{}';
BEGIN
	PERFORM activity_metrics.check_range(since, until);
	FOR cell IN EXECUTE statement USING since, until LOOP
		cells := pg_catalog.array_append(cells, cell);
	END LOOP;
	IF pg_catalog.cardinality(cells) OPERATOR(pg_catalog.=) 0 THEN
		-- nothing at all is a finding too
		cell := NULL;
		cell.n := 0;
		cells := pg_catalog.array_append(cells, cell);
	END IF;
	RETURN QUERY EXECUTE 'SELECT * FROM activity_metrics.data_quality_judge($1, $2, $3, $4)' USING cells, $2, $17, $16;
END;
$$;
COMMENT ON FUNCTION activity_metrics.data_quality_report(regclass, text, timestamptz, timestamptz, text, text, text, text, text, text, text, text, text, regclass, text, double precision, text) IS
'Can the numbers of a relation of events be trusted? One row per rule, for all rows (period NULL) and for each period of [since, until), with a status and what to do.
completeness: events against the median of the 8 periods before, amber below 80 % and red below half of it where that is more than three standard deviations of a count; duplicates: the same event_id and entity again (without event_id the same entity, actor, kind and time); manual: origin manual; back_dated: recorded more than late_days after it happened; orphans: no entity, though other events of the kind have one, or with entities => one that this relation has not in entity_key; no_actor; unknown_kinds: kinds that no metric of the dictionary counts; freshness: hours since the newest event against the longest silence of whole days before; no_time, before_2000, epoch (January 1970, after 9999), future (done, yet to come).
entity, kind, actor, event_id, recorded, origin: NULL: the column of the usual name (recorded_at for recorded) if there is one; by: a column, its values are the sources. seen: what was counted, freshness in hours; expected: what is usual; share: of n. status: red, amber, green, or grey where it cannot be told. Times without a zone are of tz; the running period is not judged for completeness.
Errors: no such column (42703), not a time (42804), unknown grain, since after until, late_days below 0 (22023).';

CREATE FUNCTION activity_metrics.dictionary_sources() RETURNS TABLE (relation text, m activity_metrics.metric)
LANGUAGE plpgsql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- the columns are those of the first metric over the relation
	RETURN QUERY SELECT DISTINCT ON (t.source_relation) t.source_relation, t FROM activity_metrics.metric t
		WHERE t.status = 'active' AND t.source_relation IS NOT NULL ORDER BY t.source_relation, t.recorded_column IS NULL, t.entity_column IS NULL, t.metric;
END;
$$;
COMMENT ON FUNCTION activity_metrics.dictionary_sources() IS
'Internal: the relations of active metrics, each with a metric whose columns tell how it is mapped.';

CREATE FUNCTION activity_metrics.data_quality_rows()
RETURNS TABLE (
	relation text,
	period_start date,
	period_end date,
	rule text,
	seen double precision,
	expected double precision,
	n bigint,
	share double precision,
	status text,
	message text,
	next_step text)
LANGUAGE plpgsql STABLE ROWS 100 COST 100000 SET jit = off AS $$
#variable_conflict use_column
DECLARE
	s record;
BEGIN
	FOR s IN SELECT d.* FROM activity_metrics.dictionary_sources() AS d LOOP
		BEGIN
			RETURN QUERY EXECUTE
				'SELECT $1, q.period_start, q.period_end, q.rule, q.seen, q.expected, q.n, q.share, q.status, q.message, q.next_step
				FROM activity_metrics.data_quality_report($1::pg_catalog.regclass, ''week'', pg_catalog.timezone($9, pg_catalog.date_trunc(''week'', pg_catalog.timezone($9, pg_catalog.now())) OPERATOR(pg_catalog.-) ''91 days''::pg_catalog.interval),
					entity => $2, at => $3, kind => $4, actor => $5, recorded => $6, status_column => $7, tz => $8) AS q'
				USING s.relation, (s.m).entity_column, (s.m).time_column, CASE WHEN (s.m).event_kinds IS NOT NULL THEN (s.m).kind_column END, (s.m).actor_column, (s.m).recorded_column, (s.m).status_column, (s.m).tz, (s.m).tz;
		EXCEPTION
			WHEN OTHERS THEN
				RETURN QUERY EXECUTE 'SELECT $1, NULL::pg_catalog.date, NULL::pg_catalog.date, ''readable''::pg_catalog.text, NULL::pg_catalog.float8, NULL::pg_catalog.float8, NULL::pg_catalog.int8, NULL::pg_catalog.float8, ''red''::pg_catalog.text, $2,
					pg_catalog.format(''Mend the mapping of metric %s, or ask for the right to read.'', $3)' USING s.relation, SQLERRM, (s.m).metric;
		END;
	END LOOP;
END;
$$;
COMMENT ON FUNCTION activity_metrics.data_quality_rows() IS
'Internal: the rows of view data_quality.';

CREATE VIEW activity_metrics.data_quality WITH (security_invoker = true) AS
	SELECT q.relation, q.period_start, q.period_end, q.rule, q.seen, q.expected, q.n, q.share, q.status, q.message, q.next_step FROM activity_metrics.data_quality_rows() AS q;
ALTER VIEW activity_metrics.data_quality OWNER TO @extowner@;
COMMENT ON VIEW activity_metrics.data_quality IS
'data_quality_report() of every relation that an active metric counts, over the last 13 weeks and the running one; what cannot be read has a row that says why.';
COMMENT ON COLUMN activity_metrics.data_quality.relation IS 'The relation.';
COMMENT ON COLUMN activity_metrics.data_quality.period_start IS 'First day of the week; NULL: all rows.';
COMMENT ON COLUMN activity_metrics.data_quality.period_end IS 'First day after it.';
COMMENT ON COLUMN activity_metrics.data_quality.rule IS 'readable, freshness, no_time, before_2000, epoch, future, completeness, duplicates, manual, back_dated, orphans, no_actor, unknown_kinds: see data_quality_report().';
COMMENT ON COLUMN activity_metrics.data_quality.seen IS 'What was counted; of freshness the hours since the newest event.';
COMMENT ON COLUMN activity_metrics.data_quality.expected IS 'What is usual; NULL: not known, or none is right.';
COMMENT ON COLUMN activity_metrics.data_quality.n IS 'Events that were looked at.';
COMMENT ON COLUMN activity_metrics.data_quality.share IS 'seen by n, of completeness by expected.';
COMMENT ON COLUMN activity_metrics.data_quality.status IS 'red, amber, green, or grey where it cannot be told.';
COMMENT ON COLUMN activity_metrics.data_quality.message IS 'What was found, in words.';
COMMENT ON COLUMN activity_metrics.data_quality.next_step IS 'What to do; NULL: nothing.';
