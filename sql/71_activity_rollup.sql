--
-- Who did how much of what, and when: the first table to look at.
--

CREATE FUNCTION activity_metrics.activity_rollup_sql(events regclass, grain text, by text, entity text, at text, kind text, status text, value text, quality text, origin text, tz text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	at_sql text := activity_metrics.time_column(events, at, 'at', tz);
	status_sql text := activity_metrics.optional_column(events, status, 'status', 'status');
	origin_sql text := activity_metrics.optional_column(events, origin, 'origin', 'origin');
	entity_sql text := activity_metrics.optional_column(events, entity, 'entity', 'entity');
	kind_sql text := activity_metrics.optional_column(events, kind, 'kind', 'kind');
	numbers regtype[] := ARRAY['smallint', 'integer', 'bigint', 'real', 'double precision', 'numeric']::regtype[];
	value_sql text := CASE WHEN value IS NOT NULL OR activity_metrics.column_type(events, 'value') = ANY (numbers) THEN activity_metrics.number_column(events, coalesce(value, 'value'), 'value') END;
	quality_sql text := CASE WHEN quality IS NOT NULL THEN activity_metrics.number_column(events, quality, 'quality') ELSE activity_metrics.quality_column(events) END;
	word text := 'pg_catalog.translate(pg_catalog.lower(pg_catalog.btrim(%s)), '' -'', ''__'')';
BEGIN
	PERFORM activity_metrics.period_no(now(), activity_metrics.check_grain(grain), tz);
	-- $1 since, $2 until; a period is complete if [since, until) holds all of it and it is over
	RETURN format(
		'WITH e AS (
			SELECT %2$s AS unit, coalesce(%3$s, ''(none)'') AS kind, activity_metrics.period_no(%4$s, %5$L::pg_catalog.text, %6$L::pg_catalog.text) AS period,
				%7$s AS entity, %8$s AS value, %9$s AS quality, %10$s AS status, %11$s AS origin
			FROM %1$s WHERE pg_catalog.isfinite(%4$s) AND ($1 IS NULL OR %4$s OPERATOR(pg_catalog.>=) $1) AND ($2 IS NULL OR %4$s OPERATOR(pg_catalog.<) $2)),
		sorted AS (
			SELECT e.*, CASE WHEN e.status OPERATOR(pg_catalog.=) ''planned'' THEN ''planned'' WHEN e.status OPERATOR(pg_catalog.=) ''no_show'' THEN ''no_show''
				WHEN e.status OPERATOR(pg_catalog.=) ANY (ARRAY[''cancelled'', ''canceled'']::pg_catalog.text[]) THEN ''cancelled''
				WHEN e.origin OPERATOR(pg_catalog.=) ANY (ARRAY[''auto'', ''automatic'', ''automated'']::pg_catalog.text[]) THEN ''automatic'' ELSE ''done'' END AS sort FROM e),
		happened AS (
			SELECT s.*, s.sort OPERATOR(pg_catalog.=) ANY (ARRAY[''done'', ''automatic'']::pg_catalog.text[]) AS happened FROM sorted AS s),
		cell AS (
			SELECT h.unit, h.kind, h.period,
				pg_catalog.count(*) FILTER (WHERE h.sort OPERATOR(pg_catalog.=) ''done'') AS done, pg_catalog.count(*) FILTER (WHERE h.sort OPERATOR(pg_catalog.=) ''automatic'') AS automatic,
				pg_catalog.count(*) FILTER (WHERE h.sort OPERATOR(pg_catalog.=) ''planned'') AS planned, pg_catalog.count(*) FILTER (WHERE h.sort OPERATOR(pg_catalog.=) ''cancelled'') AS cancelled,
				pg_catalog.count(*) FILTER (WHERE h.sort OPERATOR(pg_catalog.=) ''no_show'') AS no_show,
				pg_catalog.count(DISTINCT h.entity) FILTER (WHERE h.happened) AS entities,
				activity_metrics.exact_sum(h.value) FILTER (WHERE h.happened) AS value, activity_metrics.exact_avg(h.quality) FILTER (WHERE h.happened) AS quality
			FROM happened AS h GROUP BY h.unit, h.kind, h.period),
		unit AS (SELECT c.unit, pg_catalog.min(c.period) AS first, pg_catalog.max(c.period) AS last FROM cell AS c GROUP BY c.unit),
		pair AS (SELECT DISTINCT c.unit, c.kind FROM cell AS c),
		bound AS (SELECT
			activity_metrics.period_no($1 OPERATOR(pg_catalog.-) ''1 microsecond''::pg_catalog.interval, %5$L::pg_catalog.text, %6$L::pg_catalog.text) AS before,
			activity_metrics.period_no(least($2, pg_catalog.now()), %5$L::pg_catalog.text, %6$L::pg_catalog.text) AS running)
		SELECT u.unit, k.kind, p.period, activity_metrics.period_start(p.period, %5$L), activity_metrics.period_end(p.period, %5$L),
			coalesce(c.done, 0), coalesce(c.automatic, 0), coalesce(c.planned, 0), coalesce(c.cancelled, 0), coalesce(c.no_show, 0), %12$s, %13$s, c.quality,
			coalesce(p.period OPERATOR(pg_catalog.>) b.before, true) AND p.period OPERATOR(pg_catalog.<) b.running
		FROM bound AS b, unit AS u JOIN pair AS k ON k.unit OPERATOR(pg_catalog.=) u.unit CROSS JOIN LATERAL pg_catalog.generate_series(u.first, u.last) AS p(period)
			LEFT JOIN cell AS c ON c.unit OPERATOR(pg_catalog.=) u.unit AND c.kind OPERATOR(pg_catalog.=) k.kind AND c.period OPERATOR(pg_catalog.=) p.period
		ORDER BY u.unit, k.kind, p.period',
		activity_metrics.qualified_name(events), CASE WHEN by IS NULL THEN '''(all)''::pg_catalog.text' ELSE format('coalesce(%s, ''(none)'')', activity_metrics.text_column(events, by, 'by')) END,
		coalesce(kind_sql, 'NULL::pg_catalog.text'), at_sql, grain, tz, coalesce(entity_sql, 'NULL::pg_catalog.text'), coalesce(value_sql, 'NULL::pg_catalog.float8'), quality_sql,
		CASE WHEN status_sql IS NULL THEN 'NULL::pg_catalog.text' ELSE format(word, status_sql) END, CASE WHEN origin_sql IS NULL THEN 'NULL::pg_catalog.text' ELSE format(word, origin_sql) END,
		CASE WHEN entity_sql IS NULL THEN 'NULL::pg_catalog.int8' ELSE 'coalesce(c.entities, 0)' END, CASE WHEN value_sql IS NULL THEN 'NULL::pg_catalog.float8' ELSE 'coalesce(c.value, 0::pg_catalog.float8)' END);
END;
$$;
COMMENT ON FUNCTION activity_metrics.activity_rollup_sql(regclass, text, text, text, text, text, text, text, text, text, text) IS
'Internal: the statement that activity_rollup runs; $1 since, $2 until.';

CREATE FUNCTION activity_metrics.activity_rollup(
	events regclass,
	grain text DEFAULT 'week',
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	by text DEFAULT 'actor',
	entity text DEFAULT NULL,
	at text DEFAULT 'at',
	kind_column text DEFAULT NULL,
	status text DEFAULT NULL,
	value_column text DEFAULT NULL,
	quality_column text DEFAULT NULL,
	origin text DEFAULT NULL,
	tz text DEFAULT 'UTC')
RETURNS TABLE (
	unit text,
	kind text,
	period bigint,
	period_start date,
	period_end date,
	done bigint,
	automatic bigint,
	planned bigint,
	cancelled bigint,
	no_show bigint,
	entities bigint,
	value double precision,
	quality double precision,
	is_complete boolean)
LANGUAGE plpgsql STABLE ROWS 10000 COST 10000 SET jit = off AS $$
#variable_conflict use_column
BEGIN
	PERFORM activity_metrics.check_range(since, until);
	RETURN QUERY EXECUTE activity_metrics.activity_rollup_sql($1, $2, $5, $6, $7, $8, $9, $10, $11, $12, $13) USING since, until;
END;
$$;
COMMENT ON FUNCTION activity_metrics.activity_rollup(regclass, text, timestamptz, timestamptz, text, text, text, text, text, text, text, text, text) IS
'Who did how much of what, and when: one row per rep, kind and period, with zeros for the kinds of a rep between the rep''s first and last period.
Every event is in one of five counts: done; automatic (done, and origin is auto, automatic or automated; what an integration recorded was done by somebody); planned, cancelled (canceled), no_show, by status in any spelling. entities, value, quality: distinct entities, sum and mean of what happened, done and automatic.
by: the column of the rep, NULL: all together; (none): events without a rep or kind. entity, kind_column, status, value_column, quality_column, origin: NULL: the column of the usual name, if there is one; without it NULL, and every event is done. since, until: events in [since, until); is_complete: false for a period that this cuts or that is not over; times without a zone are of tz. Events without a time, or with an infinite one, are left out.
Errors: no such column (42703), a column of the wrong type (42804), unknown grain, since after until (22023), no relation (22004).';
