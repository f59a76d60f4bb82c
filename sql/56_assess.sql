--
-- Verdicts on all metrics at once, kept: the guard and the scorecard read the newest.
--

CREATE FUNCTION activity_metrics.leading_outcome(outcome text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	stars text[];
	outcomes text[];
BEGIN
	IF outcome IS NOT NULL THEN
		RETURN (activity_metrics.find_metric(outcome)).metric;
	END IF;
	SELECT array_agg(m.metric ORDER BY m.metric) FILTER (WHERE m.is_north_star), array_agg(m.metric ORDER BY m.metric) FILTER (WHERE m.kind = 'outcome')
		INTO stars, outcomes FROM activity_metrics.metric m WHERE m.status = 'active';
	-- of several scopes, the company's
	IF cardinality(stars) > 1 THEN
		SELECT array_agg(m.metric) INTO stars FROM activity_metrics.metric m WHERE m.status = 'active' AND m.is_north_star AND m.scope = 'company';
	END IF;
	IF cardinality(stars) = 1 THEN
		RETURN stars[1];
	END IF;
	IF cardinality(outcomes) = 1 THEN
		RETURN outcomes[1];
	END IF;
	RAISE EXCEPTION 'it is not known which outcome metrics should lead to' USING ERRCODE = '55000',
		DETAIL = format('There is no North Star, and the dictionary has %s active outcome metrics.', coalesce(cardinality(outcomes), 0)),
		HINT = CASE WHEN outcomes IS NULL THEN 'Define one: SELECT activity_metrics.define_metric(''wins'', ''crm.activity'', ''won'', kind => ''outcome'');'
			ELSE format('SELECT activity_metrics.set_north_star(%L), or name one: outcome => %s.', outcomes[1],
				array_to_string(ARRAY(SELECT quote_literal(o) FROM unnest(outcomes) AS o), ' or ')) END;
END;
$$;
COMMENT ON FUNCTION activity_metrics.leading_outcome(text) IS
'Internal: the outcome that metrics are held against: the one given, else the active North Star (of several that of scope company), else the only active outcome. Errors: none or several (55000), no such metric (42704).';

CREATE FUNCTION activity_metrics.assessed(outcome text, since timestamptz) RETURNS TABLE (
	metric text,
	verdict text,
	previous text,
	score double precision,
	confidence double precision,
	timing text,
	previous_timing text,
	lag_from integer,
	lag_to integer,
	changed boolean,
	sentence text,
	next_step text)
LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY SELECT a.metric, a.verdict, p.verdict, a.score, a.confidence, a.timing, p.timing, a.lag_from, a.lag_to,
			p.verdict IS NOT NULL AND (a.verdict, a.timing) IS DISTINCT FROM (p.verdict, p.timing), a.sentence, a.next_step
		FROM activity_metrics.metric_assessment a LEFT JOIN LATERAL (
			SELECT b.verdict, b.timing FROM activity_metrics.metric_assessment b
			WHERE b.metric = a.metric AND b.outcome = a.outcome AND b.assessed_at < a.assessed_at ORDER BY b.assessed_at DESC LIMIT 1) AS p ON true
		WHERE a.outcome = assessed.outcome AND a.assessed_at = assessed.since;
END;
$$;
COMMENT ON FUNCTION activity_metrics.assessed(text, timestamptz) IS
'Internal: what one run of assess() wrote, beside the run before it.';

CREATE FUNCTION activity_metrics.assess(
	outcome text DEFAULT NULL,
	grain text DEFAULT 'week',
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	OUT metric text,
	OUT verdict text,
	OUT previous text,
	OUT score double precision,
	OUT confidence double precision,
	OUT timing text,
	OUT previous_timing text,
	OUT lag_from integer,
	OUT lag_to integer,
	OUT changed boolean,
	OUT sentence text,
	OUT next_step text)
RETURNS SETOF record
LANGUAGE plpgsql VOLATILE ROWS 10 COST 1000000 SET jit = off AS $$
#variable_conflict use_column
DECLARE
	wanted pg_catalog.text := activity_metrics.leading_outcome($1);
	run pg_catalog.timestamptz := pg_catalog.clock_timestamp();
	name pg_catalog.text;
	good pg_catalog.text[] := '{}';
	failed pg_catalog.text[] := '{}';
	failures pg_catalog.text[] := '{}';
BEGIN
	PERFORM activity_metrics.check_range(since, until), activity_metrics.period_no(pg_catalog.now(), activity_metrics.check_grain($2), 'UTC');
	FOR name IN SELECT m.metric FROM activity_metrics.metric m
		WHERE m.status OPERATOR(pg_catalog.=) 'active' AND m.metric OPERATOR(pg_catalog.<>) wanted ORDER BY m.metric
	LOOP
		BEGIN
			INSERT INTO activity_metrics.metric_assessment (metric, outcome, assessed_at, grain, verdict, score, confidence, p_gamed, lag_from, lag_to,
					elasticity, low, high, n, sentence, next_step)
				SELECT v.metric, wanted, run, $2, v.verdict, v.score, v.confidence, v.p_gamed, v.lag_from, v.lag_to, v.elasticity, v.low, v.high, v.n, v.sentence, v.next_step
				FROM activity_metrics.vanity_report(wanted, $2, since, until, metrics => ARRAY[name]) AS v;
			good := good OPERATOR(pg_catalog.||) name;
		EXCEPTION
			-- one broken metric is no reason to know nothing of the others
			WHEN OTHERS THEN
				IF SQLSTATE OPERATOR(pg_catalog.=) '42501' AND NOT pg_catalog.has_table_privilege('activity_metrics.metric_assessment', 'INSERT') THEN
					RAISE;
				END IF;
				failed := failed OPERATOR(pg_catalog.||) name;
				failures := failures OPERATOR(pg_catalog.||) SQLERRM;
		END;
	END LOOP;
	IF pg_catalog.cardinality(good) OPERATOR(pg_catalog.>) 0 THEN
		BEGIN
			UPDATE activity_metrics.metric_assessment AS a
				SET timing = l.verdict, timing_lag = l.lag, r = l.r, q = l.q
				FROM activity_metrics.leading_indicators(wanted, $2, since, until, metrics => good) AS l
				WHERE a.metric OPERATOR(pg_catalog.=) l.metric AND a.outcome OPERATOR(pg_catalog.=) wanted AND a.assessed_at OPERATOR(pg_catalog.=) run;
		EXCEPTION
			WHEN OTHERS THEN
				RAISE WARNING 'leads and lags were not assessed: %', SQLERRM;
		END;
	END IF;
	RETURN QUERY EXECUTE
		'SELECT * FROM (
			SELECT a.* FROM activity_metrics.assessed($1, $2) AS a
			UNION ALL
			SELECT f.metric, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, ''Not assessed: '' OPERATOR(pg_catalog.||) f.failure,
				''Mend its definition, SELECT * FROM activity_metrics.metric_issue; if its people are others, name their outcome: assess(outcome).''
			FROM ROWS FROM (pg_catalog.unnest($3), pg_catalog.unnest($4)) AS f(metric, failure)) AS r
		ORDER BY r.changed DESC, r.verdict IS NULL, r.score DESC, r.metric'
		USING wanted, run, failed, failures;
END;
$$;
COMMENT ON FUNCTION activity_metrics.assess(text, text, timestamptz, timestamptz) IS
'Writes the verdicts of vanity_report() and leading_indicators() on all active metrics to metric_assessment, where the guard and the scorecard read them. One row per metric, what changed since the last run first; a metric that could not be assessed has no verdict and says why, and nothing is written of it.
outcome: NULL: the active North Star (of several that of scope company), else the only active outcome; grain, since, until: as of vanity_report(). previous, previous_timing: of the run before against the same outcome; changed: is either of them another now?
Numbers are those that the caller may see. Errors: no outcome known (55000), no such metric (42704), no right to write metric_assessment (42501), unknown grain (22023).';
