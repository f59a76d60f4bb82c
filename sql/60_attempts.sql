--
-- Attempts: success at attempt k among those who reached it, beside the naive rate by number of attempts.
--

CREATE FUNCTION activity_metrics.wilson(successes double precision, n double precision, OUT low double precision, OUT high double precision)
RETURNS record
AS 'MODULE_PATHNAME', 'am_wilson_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.wilson(double precision, double precision) IS
'The 95 % Wilson (1927) score interval of a share: successes out of n. NULLs where n is 0. Errors: successes not in 0..n (22023).';

CREATE FUNCTION activity_metrics.newcombe(successes_a bigint, trials_a bigint, successes_b bigint, trials_b bigint,
	OUT difference double precision, OUT low double precision, OUT high double precision, OUT p double precision)
RETURNS record
AS 'MODULE_PATHNAME', 'am_newcombe_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.newcombe(bigint, bigint, bigint, bigint) IS
'The difference of two shares of independent groups, successes_a of trials_a less successes_b of trials_b, with its 95 % interval (Newcombe 1998, method 10), and the two-sided p of equal shares (Campbell 2007: chi-square with N - 1, or the exact test of Fisher where an expected count is below 1). Interval and p are made differently and may disagree at the border. NULLs where a number of trials is 0. Errors: successes not in 0..trials (22023).';

CREATE FUNCTION activity_metrics.attempt_report_sql(source regclass, attempts text, success text, entity text, at text, kind text, status text, tz text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	type regtype;
	won text;
	per_entity text;
	e text;
	a text;
	k text;
BEGIN
	IF activity_metrics.column_type(source, attempts) IS NOT NULL OR activity_metrics.column_type(source, success) IS NOT NULL
		OR (source IS NOT NULL AND activity_metrics.column_type(source, kind) IS NULL AND activity_metrics.column_type(source, at) IS NULL) THEN
		-- a table with one row per entity: a column that counts attempts, one that tells success
		PERFORM activity_metrics.number_column(source, attempts, 'attempts');
		won := activity_metrics.check_column(source, success, 'success');
		type := activity_metrics.column_type(source, success);
		IF type = 'boolean'::regtype THEN
			won := format('coalesce(%s, false)', won);
		ELSIF type IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype) THEN
			won := format('coalesce(pg_catalog.lower(%s::pg_catalog.text) OPERATOR(pg_catalog.=) ANY (ARRAY[''yes'', ''y'', ''true'', ''t'', ''1'', ''won'', ''success'']::pg_catalog.text[]), false)', won);
		ELSE
			won := format('coalesce(%s OPERATOR(pg_catalog.>) 0, false)', activity_metrics.number_column(source, success, 'success'));
		END IF;
		per_entity := format('SELECT pg_catalog.floor(least(%1$s, 2147483647))::pg_catalog.int8 AS tries, %2$s AS won, false AS later FROM %3$s WHERE %1$s OPERATOR(pg_catalog.>=) 1',
			activity_metrics.number_column(source, attempts, 'attempts'), won, activity_metrics.qualified_name(source));
	ELSE
		-- events: attempts up to the first success count; later ones are told apart
		e := activity_metrics.key_column(source, entity, 'entity');
		a := activity_metrics.time_column(source, at, 'at', tz);
		k := activity_metrics.text_column(source, kind, 'kind');
		per_entity := format(
			'SELECT s.before AS tries, s.first_success IS NOT NULL AS won, s.after OPERATOR(pg_catalog.>) 0 AS later FROM (
				SELECT pg_catalog.count(*) FILTER (WHERE event.attempt AND (w.first_success IS NULL OR event.a OPERATOR(pg_catalog.<=) w.first_success)) AS before,
					pg_catalog.count(*) FILTER (WHERE event.attempt AND event.a OPERATOR(pg_catalog.>) w.first_success) AS after,
					pg_catalog.min(w.first_success) AS first_success
				FROM (SELECT %1$s AS e, %2$s AS a, %3$s OPERATOR(pg_catalog.=) ANY ($1) AS attempt FROM %4$s WHERE %5$s) AS event
				LEFT JOIN (SELECT %1$s AS e, pg_catalog.min(%2$s) AS first_success FROM %4$s
					WHERE %5$s AND %3$s OPERATOR(pg_catalog.=) ANY ($2) GROUP BY 1) AS w ON w.e OPERATOR(pg_catalog.=) event.e
				WHERE event.e IS NOT NULL GROUP BY event.e) AS s WHERE s.before OPERATOR(pg_catalog.>) 0',
			e, a, k, activity_metrics.qualified_name(source), activity_metrics.done_condition(source, status));
	END IF;
	RETURN format(
		'WITH entity AS (%s),
		try AS (
			SELECT tries AS k, pg_catalog.count(*) AS n, pg_catalog.count(*) FILTER (WHERE won) AS won, pg_catalog.count(*) FILTER (WHERE later) AS later
			FROM entity GROUP BY tries),
		total AS (
			SELECT greatest(pg_catalog.max(k), 1) AS last, coalesce(pg_catalog.sum(n), 0)::pg_catalog.int8 AS n,
				coalesce(pg_catalog.sum(later), 0)::pg_catalog.int8 AS later, coalesce(pg_catalog.sum(won), 0)::pg_catalog.int8 AS won
			FROM try),
		-- an attempt that is nobody''s last one has its row too
		attempt AS (
			SELECT s.k AS attempt, coalesce(try.n, 0) AS naive_n, coalesce(try.won, 0) AS won,
				(total.n OPERATOR(pg_catalog.-) coalesce(pg_catalog.sum(try.n) OVER (ORDER BY s.k ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0))::pg_catalog.int8 AS at_risk,
				total.later, total.won AS all_won
			FROM total CROSS JOIN LATERAL pg_catalog.generate_series(1::pg_catalog.int8, least($3, total.last)) AS s(k)
			LEFT JOIN try ON try.k OPERATOR(pg_catalog.=) s.k)
		SELECT attempt.attempt::pg_catalog.int4, attempt.at_risk, attempt.won,
			CASE WHEN attempt.at_risk OPERATOR(pg_catalog.>) 0 THEN pg_catalog.float8(attempt.won) OPERATOR(pg_catalog./) pg_catalog.float8(attempt.at_risk) END, w.low, w.high,
			attempt.naive_n, CASE WHEN attempt.naive_n OPERATOR(pg_catalog.>) 0 THEN pg_catalog.float8(attempt.won) OPERATOR(pg_catalog./) pg_catalog.float8(attempt.naive_n) END, nw.low, nw.high,
			pg_catalog.format(CASE WHEN attempt.at_risk OPERATOR(pg_catalog.=) 0 THEN $6 WHEN attempt.all_won OPERATOR(pg_catalog.=) 0 THEN $7
				WHEN attempt.at_risk OPERATOR(pg_catalog.<) 10 THEN $9
				WHEN attempt.naive_n OPERATOR(pg_catalog.=) 0 THEN $8
				WHEN attempt.naive_n OPERATOR(pg_catalog.=) attempt.at_risk THEN $10
				WHEN attempt.later OPERATOR(pg_catalog.*) 20 OPERATOR(pg_catalog.<=) attempt.all_won THEN $4 ELSE $5 END,
				attempt.attempt,
				CASE WHEN attempt.at_risk OPERATOR(pg_catalog.>) 0 THEN pg_catalog.to_char(100.0 OPERATOR(pg_catalog.*) attempt.won OPERATOR(pg_catalog./) attempt.at_risk, ''FM990.0'') END,
				pg_catalog.to_char(attempt.at_risk, ''FM999,999,999,990''),
				CASE WHEN attempt.naive_n OPERATOR(pg_catalog.>) 0 THEN pg_catalog.to_char(100.0 OPERATOR(pg_catalog.*) attempt.won OPERATOR(pg_catalog./) attempt.naive_n, ''FM990.0'') END,
				pg_catalog.to_char(attempt.naive_n, ''FM999,999,999,990''),
				pg_catalog.to_char(attempt.later, ''FM999,999,999,990''))
		FROM attempt,
			LATERAL activity_metrics.wilson(pg_catalog.float8(attempt.won), pg_catalog.float8(attempt.at_risk)) AS w,
			LATERAL activity_metrics.wilson(pg_catalog.float8(attempt.won), pg_catalog.float8(attempt.naive_n)) AS nw
		ORDER BY attempt.attempt',
		per_entity);
END;
$$;
COMMENT ON FUNCTION activity_metrics.attempt_report_sql(regclass, text, text, text, text, text, text, text) IS
'Internal: the statement that attempt_report runs; $1, $2 kinds of attempts and successes, $3 max_attempt, $4 to $10 the sentences.';

CREATE FUNCTION activity_metrics.attempt_report(
	source regclass,
	attempts text,
	success text,
	max_attempt integer DEFAULT 10,
	entity text DEFAULT 'entity',
	at text DEFAULT 'at',
	kind text DEFAULT 'kind',
	status text DEFAULT NULL,
	tz text DEFAULT 'UTC')
RETURNS TABLE (
	attempt integer,
	at_risk bigint,
	successes bigint,
	rate double precision,
	rate_low double precision,
	rate_high double precision,
	naive_n bigint,
	naive_rate double precision,
	naive_low double precision,
	naive_high double precision,
	sentence text)
LANGUAGE plpgsql STABLE ROWS 10 COST 10000 SET jit = off AS $$
#variable_conflict use_column
DECLARE
	statement pg_catalog.text := activity_metrics.attempt_report_sql(source, attempts, success, entity, at, kind, status, tz);
	-- of events, the two arguments name kinds; of a table per entity they named columns, and these are not used
	by_kind pg_catalog.bool := activity_metrics.column_type(source, attempts) IS NULL;
BEGIN
	IF max_attempt OPERATOR(pg_catalog.<) 1 THEN
		RAISE EXCEPTION 'max_attempt is %', max_attempt USING ERRCODE = '22023', HINT = 'Give at least 1, or NULL for all attempts.';
	END IF;
	RETURN QUERY EXECUTE statement USING
		CASE WHEN by_kind THEN activity_metrics.step_kinds(attempts, 'attempts') END,
		CASE WHEN by_kind THEN activity_metrics.step_kinds(success, 'success') END,
		max_attempt,
		'attempt %1$s: %2$s %% of the %3$s who got that far succeeded at it; believe this one. The naive %4$s %% is of the %5$s who had exactly %1$s: it leaves out those who were tried again, and attempts stop after a success.'::pg_catalog.text,
		'attempt %1$s: %2$s %% of the %3$s who got that far, of the %5$s who had exactly %1$s before any success %4$s %%. Attempts go on after a success here (%6$s entities), so neither is a plain number of attempts.'::pg_catalog.text,
		-- $6 no attempt at all, $7 no success at all: more often a misspelt argument than the truth
		pg_catalog.replace(pg_catalog.concat('no attempt is found: does attempts => ', pg_catalog.quote_literal(attempts), ' name what counts as one?'), '%', '%%'),
		pg_catalog.concat('attempt %1$s: none of the %3$s who got that far succeeded, nor did anybody at any attempt: does success => ', pg_catalog.replace(pg_catalog.quote_literal(success), '%', '%%'), ' name what counts as one?'),
		'attempt %1$s: %2$s %% of the %3$s who got that far succeeded at it; believe this one. There is no naive rate: nobody had exactly %1$s.'::pg_catalog.text,
		'attempt %1$s: only %3$s got that far, too few to say.'::pg_catalog.text,
		'attempt %1$s: %2$s %% of the %3$s who got that far succeeded at it; nobody was tried again.'::pg_catalog.text;
END;
$$;
COMMENT ON FUNCTION activity_metrics.attempt_report(regclass, text, text, integer, text, text, text, text, text) IS
'Does one more attempt help? Per attempt k: rate, the share that succeeded at attempt k among those who reached it (at_risk), with its 95 % Wilson interval; beside it naive_rate, the share among those with exactly k attempts, which misleads where attempts stop after a success; and a sentence that says which of the two to believe.
source: a table with one row per entity, where attempts and success are columns (a number; a boolean, a number above 0, or yes/won/true), or a relation of events, where they are kinds as in a funnel step (columns entity, at, kind, status as of funnel_report). Rows with less than one attempt are left out. Attempts 1 to max_attempt (NULL: all), or to the last there is; without any attempt one row says so.
Errors: no such column (42703), a column of the wrong type (42804), faulty kinds (22023).';
