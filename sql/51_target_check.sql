--
-- A target before it is set: could somebody meet it while delivering nothing?
--

CREATE TYPE activity_metrics.proof_of_work_result AS (
	verdict text,
	share_met double precision,
	met_low double precision,
	met_high double precision,
	n bigint,
	empty_high double precision,
	empty_high_low double precision,
	empty_high_high double precision,
	n_high bigint,
	empty_low double precision,
	empty_low_low double precision,
	empty_low_high double precision,
	n_low bigint,
	proof double precision,
	proof_low double precision,
	proof_high double precision,
	own_proof double precision,
	own_low double precision,
	own_high double precision,
	floor double precision,
	longest_run bigint,
	units integer,
	outcomes bigint
);
COMMENT ON TYPE activity_metrics.proof_of_work_result IS
'Result of proof_of_work(): verdict (pass, fail, insufficient); the share of rows that meet the value; the shares of those, and of the rows in their unit''s own bottom third, that no outcome follows in the window, each with its 95 % Wilson interval and its n; proof, 1 - empty_high / empty_low, with its 95 % interval; own_proof, the same with each unit against itself; floor, the 10 % quantile of the outcome after a row that meets the value; longest_run, of a unit''s successive such rows that nothing follows; what it rests on. NULL = not defined.';

CREATE FUNCTION activity_metrics.proof_of_work_trans(internal, bigint, bigint, double precision, double precision, double precision, integer, integer) RETURNS internal
AS 'MODULE_PATHNAME', 'am_proof_of_work_int8_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.proof_of_work_trans(internal, bigint, bigint, double precision, double precision, double precision, integer, integer) IS 'Internal: adds a row to the panel of proof_of_work().';

CREATE FUNCTION activity_metrics.proof_of_work_trans(internal, text, bigint, double precision, double precision, double precision, integer, integer) RETURNS internal
AS 'MODULE_PATHNAME', 'am_proof_of_work_text_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.proof_of_work_trans(internal, text, bigint, double precision, double precision, double precision, integer, integer) IS 'Internal: adds a row to the panel of proof_of_work().';

CREATE FUNCTION activity_metrics.proof_of_work_trans(internal, uuid, bigint, double precision, double precision, double precision, integer, integer) RETURNS internal
AS 'MODULE_PATHNAME', 'am_proof_of_work_uuid_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.proof_of_work_trans(internal, uuid, bigint, double precision, double precision, double precision, integer, integer) IS 'Internal: adds a row to the panel of proof_of_work().';

CREATE FUNCTION activity_metrics.proof_of_work_final(internal) RETURNS activity_metrics.proof_of_work_result
AS 'MODULE_PATHNAME', 'am_proof_of_work_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.proof_of_work_final(internal) IS 'Internal: the result of proof_of_work().';

CREATE AGGREGATE activity_metrics.proof_of_work(unit bigint, period bigint, metric double precision, outcome double precision, value double precision, lag_from integer, lag_to integer) (
	SFUNC = activity_metrics.proof_of_work_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.proof_of_work_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.proof_of_work(bigint, bigint, double precision, double precision, double precision, integer, integer) IS
'Could somebody meet a value of the metric while delivering nothing? Returns one proof_of_work_result for a panel of rows (unit, period, metric, outcome) as of vanity(): of the rows with metric >= value (and above 0; value NULL: in the unit''s own top third), how many does no outcome follow from lag_from to lag_to periods later, against the rows in the unit''s own bottom third; only rows for which the unit has all periods of that window. Thirds are quantiles of type 7 (Hyndman and Fan 1996).
proof = 1 - empty_high / empty_low, its interval from the log of the ratio (Katz and others 1978; where a share is 0, with half a row added to each count, Walter 1975). own_proof is the same within units (Mantel and Haenszel 1959, interval by Greenland and Robins 1985): large units meet a value more often, and outcomes come to them anyway. pass: both intervals are above 0; fail: one is not, and one ends below 0.5; insufficient: all else, fewer than 20 rows on a side, fewer than 5 rows with an outcome. No rows: NULL.
Errors: a value not above 0, lags not in 0 to 1000 or the wrong way round, a value or lag that changes within a group, negative numbers (22023), a lag of NULL (22004), NaN or infinite values (22003).';

CREATE AGGREGATE activity_metrics.proof_of_work(unit text, period bigint, metric double precision, outcome double precision, value double precision, lag_from integer, lag_to integer) (
	SFUNC = activity_metrics.proof_of_work_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.proof_of_work_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.proof_of_work(text, bigint, double precision, double precision, double precision, integer, integer) IS
'Could somebody meet a value of the metric while delivering nothing? Returns one proof_of_work_result for a panel of rows (unit, period, metric, outcome) as of vanity(): of the rows with metric >= value (and above 0; value NULL: in the unit''s own top third), how many does no outcome follow from lag_from to lag_to periods later, against the rows in the unit''s own bottom third; only rows for which the unit has all periods of that window. Thirds are quantiles of type 7 (Hyndman and Fan 1996).
proof = 1 - empty_high / empty_low, its interval from the log of the ratio (Katz and others 1978; where a share is 0, with half a row added to each count, Walter 1975). own_proof is the same within units (Mantel and Haenszel 1959, interval by Greenland and Robins 1985): large units meet a value more often, and outcomes come to them anyway. pass: both intervals are above 0; fail: one is not, and one ends below 0.5; insufficient: all else, fewer than 20 rows on a side, fewer than 5 rows with an outcome. No rows: NULL.
Errors: a value not above 0, lags not in 0 to 1000 or the wrong way round, a value or lag that changes within a group, negative numbers (22023), a lag of NULL (22004), NaN or infinite values (22003).';

CREATE AGGREGATE activity_metrics.proof_of_work(unit uuid, period bigint, metric double precision, outcome double precision, value double precision, lag_from integer, lag_to integer) (
	SFUNC = activity_metrics.proof_of_work_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.proof_of_work_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.proof_of_work(uuid, bigint, double precision, double precision, double precision, integer, integer) IS
'Could somebody meet a value of the metric while delivering nothing? Returns one proof_of_work_result for a panel of rows (unit, period, metric, outcome) as of vanity(): of the rows with metric >= value (and above 0; value NULL: in the unit''s own top third), how many does no outcome follow from lag_from to lag_to periods later, against the rows in the unit''s own bottom third; only rows for which the unit has all periods of that window. Thirds are quantiles of type 7 (Hyndman and Fan 1996).
proof = 1 - empty_high / empty_low, its interval from the log of the ratio (Katz and others 1978; where a share is 0, with half a row added to each count, Walter 1975). own_proof is the same within units (Mantel and Haenszel 1959, interval by Greenland and Robins 1985): large units meet a value more often, and outcomes come to them anyway. pass: both intervals are above 0; fail: one is not, and one ends below 0.5; insufficient: all else, fewer than 20 rows on a side, fewer than 5 rows with an outcome. No rows: NULL.
Errors: a value not above 0, lags not in 0 to 1000 or the wrong way round, a value or lag that changes within a group, negative numbers (22023), a lag of NULL (22004), NaN or infinite values (22003).';

CREATE FUNCTION activity_metrics.target_outcome(metric text, outcome text, relation regclass) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	outcomes text[];
BEGIN
	IF outcome IS NOT NULL THEN
		RETURN outcome;
	END IF;
	IF relation IS NOT NULL THEN
		RAISE EXCEPTION 'no outcome is given' USING ERRCODE = '22023',
			HINT = format('Name the column of %s that counts what %s should bring: outcome => ''...''.', relation, quote_ident(metric));
	END IF;
	outcome := activity_metrics.outcome_of(activity_metrics.find_metric(metric));
	IF outcome IS NOT NULL THEN
		RETURN outcome;
	END IF;
	SELECT array_agg(m.metric ORDER BY m.metric) INTO outcomes FROM activity_metrics.metric m WHERE m.kind = 'outcome';
	RAISE EXCEPTION 'it is not known what metric "%" should bring', metric USING ERRCODE = '22023',
		DETAIL = format('The dictionary has %s outcome metrics.', coalesce(cardinality(outcomes), 0)),
		HINT = CASE WHEN outcomes IS NULL THEN 'Define one: SELECT activity_metrics.define_metric(''wins'', ''crm.activity'', ''won'', kind => ''outcome'');'
			ELSE format('Name one: outcome => %s.', array_to_string(ARRAY(SELECT quote_literal(o) FROM unnest(outcomes) AS o), ' or ')) END;
END;
$$;
COMMENT ON FUNCTION activity_metrics.target_outcome(text, text, regclass) IS
'Internal: the outcome that a target is checked against: the one given, else outcome_of() the metric. Errors: none or several (22023).';

CREATE FUNCTION activity_metrics.percent_text(share double precision) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT pg_catalog.concat(pg_catalog.trim_scale(pg_catalog.round((100 OPERATOR(pg_catalog.*) share)::pg_catalog.numeric,
		CASE WHEN share OPERATOR(pg_catalog.<) 0.1 THEN 1 ELSE 0 END)), ' %') WHERE share IS NOT NULL;
END;
COMMENT ON FUNCTION activity_metrics.percent_text(double precision) IS
'Internal: a share in words: 31 %, below a tenth 3.1 %; NULL for NULL.';

CREATE FUNCTION activity_metrics.target_verdict(verdict text, vanity text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	-- a season raises metric and outcome alike, and no share of empty weeks can tell
	SELECT CASE WHEN verdict OPERATOR(pg_catalog.=) 'pass' AND (vanity OPERATOR(pg_catalog.=) 'vanity' OR vanity OPERATOR(pg_catalog.=) 'gamed') THEN 'fail'
		ELSE coalesce(verdict, 'insufficient') END;
END;
COMMENT ON FUNCTION activity_metrics.target_verdict(text, text) IS
'Internal: the verdict of target_check from those of proof_of_work() and vanity(): what vanity() calls vanity or gamed does not pass.';

CREATE FUNCTION activity_metrics.target_sentence(proof activity_metrics.proof_of_work_result, vanity text, value double precision, metric text, outcome text, grain text, lag_from integer, lag_to integer) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS $$
DECLARE
	span text := CASE WHEN lag_from = lag_to THEN format('%s %s', grain, lag_from) ELSE format('%ss %s to %s', grain, lag_from, lag_to) END;
	figures text;
	own boolean := proof.proof_low > 0 AND NOT coalesce(proof.own_low > 0, proof.own_proof = 1);
BEGIN
	IF value IS NULL THEN
		RETURN format('There is no target to plan: %s is 0 in nearly all rep-%ss, or there are none.', metric, grain);
	END IF;
	figures := format('%s of %s rep-%ss met it, and %s of those had no %s in %s after, against %s of low %ss (proof of work %s%s)%s',
		activity_metrics.percent_text(proof.share_met), to_char(proof.n, 'FM999,999,999,990'), grain,
		activity_metrics.percent_text(proof.empty_high), outcome, span, activity_metrics.percent_text(proof.empty_low), grain,
		coalesce(round(proof.proof::numeric, 2)::text, 'not defined'),
		format(', %s to %s', round(proof.proof_low::numeric, 2), round(proof.proof_high::numeric, 2)),
		-- what differs between reps is no proof
		CASE WHEN own THEN format(', but against low %ss of the same rep there is none to rely on (%s%s)', grain, coalesce(round(proof.own_proof::numeric, 2)::text, 'not defined'),
			CASE WHEN proof.own_low IS NOT NULL THEN format(', %s to %s', round(proof.own_low::numeric, 2), round(proof.own_high::numeric, 2)) END) END);
	RETURN format('Could someone hit %s %s a %s while delivering nothing? ', value, metric, grain) || CASE
		WHEN activity_metrics.target_verdict(proof.verdict, vanity) = 'pass' THEN format('Not easily: %s.', figures)
		WHEN proof.verdict = 'pass' AND vanity = 'gamed' THEN format('Yes: %s; but since it has been a target it looks gamed, as gaming_report() says.', figures)
		WHEN proof.verdict = 'pass' THEN format('Yes: %s; but after a %s with more of it than is usual for the rep and that %s nothing more follows.', figures, grain, grain)
		WHEN proof.verdict = 'fail' THEN format('Yes: %s.', figures)
		WHEN proof.outcomes < 5 THEN format('It cannot be said: %s is above 0 in %s of %s rep-%ss, and at least 5 are needed.', outcome, proof.outcomes, proof.n, grain)
		WHEN least(proof.n_high, proof.n_low) < 20 THEN format('It cannot be said: %s rep-%ss that met it and %s low ones could be followed through %s after, and at least 20 of each are needed.',
			proof.n_high, grain, proof.n_low, span)
		WHEN proof.proof_low IS NULL THEN format('It cannot be said: %s came in %s after every high and every low %s; take a shorter window or a rarer outcome.', outcome, span, grain)
		ELSE format('It cannot be said: %s, which leaves it open.', figures) END;
END;
$$;
COMMENT ON FUNCTION activity_metrics.target_sentence(activity_metrics.proof_of_work_result, text, double precision, text, text, text, integer, integer) IS
'Internal: the sentence of target_check and target_plan.';

CREATE FUNCTION activity_metrics.target_next_step(verdict text, vanity text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE
		WHEN vanity OPERATOR(pg_catalog.=) 'gamed' THEN activity_metrics.next_step(vanity)
		WHEN verdict OPERATOR(pg_catalog.=) 'fail' THEN 'Do not set it: aim at a metric that leads the outcome, count only substantive activity, or try another value with target_plan().'
		WHEN verdict OPERATOR(pg_catalog.=) 'insufficient' THEN 'Set no target by it yet: collect more periods, or take a lower value or a coarser grain.'
		WHEN vanity OPERATOR(pg_catalog.=) 'leading_indicator' OR vanity OPERATOR(pg_catalog.=) 'outcome' THEN 'It can serve as a target; count quality beside it, and look at gaming_report() once it has held for some periods.'
		ELSE 'Watch it before you set it: vanity_report() does not say that it leads the outcome.'
	END;
END;
COMMENT ON FUNCTION activity_metrics.target_next_step(text, text) IS
'Internal: what to do about a target with a verdict of target_check, given the verdict of vanity() on the metric.';

CREATE FUNCTION activity_metrics.target_panel_sql(metric text, outcome text, grain text, lag_from integer, lag_to integer, relation regclass, unit text, period text, tz text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF (lag_from IS NULL) <> (lag_to IS NULL) THEN
		RAISE EXCEPTION 'lag_from and lag_to do not go together' USING ERRCODE = '22023',
			HINT = 'Give both, such as lag_from => 1, lag_to => 4, or neither.';
	END IF;
	-- $1 since, $2 until, $3 lag_from, $4 lag_to; rows of a unit and period are added up, as the aggregates do
	RETURN format(
		'source AS MATERIALIZED (%1$s),
		panel AS MATERIALIZED (
			SELECT p.unit, p.period, activity_metrics.exact_sum(p.x) AS x, activity_metrics.exact_sum(p.y) AS y FROM source AS p
			WHERE p.unit IS NOT NULL AND p.period IS NOT NULL AND p.x IS NOT NULL AND p.y IS NOT NULL GROUP BY p.unit, p.period),
		-- as vanity_report has it; no row at all is a row of NULLs, which the aggregates leave out
		judged AS (
			SELECT activity_metrics.vanity(p.unit, p.period, p.x, p.y, p.quality, %2$L::pg_catalog.text) AS v FROM (VALUES (1)) AS one LEFT JOIN source AS p ON true),
		chosen AS (
			SELECT (v).verdict AS vanity, coalesce($3, CASE WHEN leads THEN (v).lag_from ELSE 1 END) AS lag_from, coalesce($4, CASE WHEN leads THEN (v).lag_to ELSE 4 END) AS lag_to
			FROM judged, LATERAL (SELECT coalesce((v).verdict OPERATOR(pg_catalog.=) ''leading_indicator'', false) AS leads) AS l)',
		activity_metrics.panel_sql(metric, outcome, grain, relation, unit, period, tz), activity_metrics.report_options(metric, outcome, grain, relation));
END;
$$;
COMMENT ON FUNCTION activity_metrics.target_panel_sql(text, text, text, integer, integer, regclass, text, text, text) IS
'Internal: the common parts of the statements of target_check and target_plan: panel, its vanity, and the window of lags chosen; $1 since, $2 until, $3 lag_from, $4 lag_to. Errors: one lag without the other (22023).';

CREATE FUNCTION activity_metrics.target_check_sql(metric text, outcome text, grain text, lag_from integer, lag_to integer, relation regclass, unit text, period text, tz text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN format(
		'WITH %1$s,
		proof AS (
			SELECT activity_metrics.proof_of_work(p.unit, p.period, p.x, p.y, $5, c.lag_from, c.lag_to) AS r
			FROM chosen AS c LEFT JOIN panel AS p ON true)
		SELECT %2$L::pg_catalog.text, $5, %3$L::pg_catalog.text, c.lag_from, c.lag_to, activity_metrics.target_verdict((p.r).verdict, c.vanity),
			(p.r).share_met, (p.r).met_low, (p.r).met_high, (p.r).n, (p.r).empty_high, (p.r).empty_high_low, (p.r).empty_high_high, (p.r).n_high, (p.r).empty_low, (p.r).empty_low_low, (p.r).empty_low_high, (p.r).n_low, (p.r).proof, (p.r).proof_low, (p.r).proof_high, (p.r).own_proof, (p.r).own_low, (p.r).own_high, (p.r).floor, (p.r).longest_run, (p.r).units, (p.r).outcomes, c.vanity,
			activity_metrics.target_sentence(p.r, c.vanity, $5, %4$L, %5$L, %6$L, c.lag_from, c.lag_to),
			activity_metrics.target_next_step(activity_metrics.target_verdict((p.r).verdict, c.vanity), c.vanity)
		FROM chosen AS c, proof AS p',
		activity_metrics.target_panel_sql(metric, outcome, grain, lag_from, lag_to, relation, unit, period, tz),
		metric, outcome, activity_metrics.metric_label(metric, relation), activity_metrics.metric_label(outcome, relation), grain);
END;
$$;
COMMENT ON FUNCTION activity_metrics.target_check_sql(text, text, text, integer, integer, regclass, text, text, text) IS
'Internal: the statement that target_check runs; $1 since, $2 until, $3 lag_from, $4 lag_to, $5 value.';

CREATE FUNCTION activity_metrics.target_check(
	INOUT metric text,
	INOUT value double precision,
	INOUT outcome text DEFAULT NULL,
	grain text DEFAULT 'week',
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	INOUT lag_from integer DEFAULT NULL,
	INOUT lag_to integer DEFAULT NULL,
	relation regclass DEFAULT NULL,
	unit text DEFAULT 'unit',
	period text DEFAULT 'period',
	tz text DEFAULT 'UTC',
	OUT verdict text,
	OUT share_met double precision,
	OUT met_low double precision,
	OUT met_high double precision,
	OUT n bigint,
	OUT empty_high double precision,
	OUT empty_high_low double precision,
	OUT empty_high_high double precision,
	OUT n_high bigint,
	OUT empty_low double precision,
	OUT empty_low_low double precision,
	OUT empty_low_high double precision,
	OUT n_low bigint,
	OUT proof double precision,
	OUT proof_low double precision,
	OUT proof_high double precision,
	OUT own_proof double precision,
	OUT own_low double precision,
	OUT own_high double precision,
	OUT floor double precision,
	OUT longest_run bigint,
	OUT units integer,
	OUT outcomes bigint,
	OUT vanity text,
	OUT sentence text,
	OUT next_step text)
RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 1 COST 100000 SET jit = off AS $$
#variable_conflict use_column
DECLARE
	wanted pg_catalog.text := activity_metrics.target_outcome($1, $3, $9);
BEGIN
	PERFORM activity_metrics.check_range(since, until);
	IF $2 IS NULL THEN
		RAISE EXCEPTION 'argument value is null' USING ERRCODE = '22004',
			HINT = 'Give a target per unit and period, such as 40; target_plan() lists values to choose from.';
	END IF;
	RETURN QUERY EXECUTE activity_metrics.target_check_sql($1, wanted, $4, $7, $8, $9, $10, $11, $12)
		USING since, until, $7, $8, $2;
END;
$$;
COMMENT ON FUNCTION activity_metrics.target_check(text, double precision, text, text, timestamptz, timestamptz, integer, integer, regclass, text, text, text) IS
'A target that is not set yet: could someone hit it while delivering nothing? One row, as of proof_of_work(): the share of rep-periods that met the value, the share of those that no outcome followed, the same for each rep''s own bottom third, the proof of work with its interval, the verdict (pass, fail, insufficient; what vanity() calls vanity or gamed does not pass), the verdict of vanity() on the metric, the answer in one sentence, and what to do.
metric, outcome: metrics of the dictionary, or columns of relation; outcome NULL: the outcome_metric of the metric, else the North Star of its scope or of company, else the only outcome metric of the dictionary; value: the target per unit and period; lag_from, lag_to: the periods after a row in which the outcome is awaited (NULL: the window in which vanity() says that the metric leads, else 1 to 4); grain, since, until, relation, unit, period, tz: as of vanity_report().
Errors: no outcome known, a value not above 0, a lag without the other or out of 0 to 1000, since after until (22023), a value of NULL (22004), no such metric (42704) or column (42703), as of vanity().';

CREATE FUNCTION activity_metrics.target_plan_sql(metric text, outcome text, grain text, lag_from integer, lag_to integer, relation regclass, unit text, period text, tz text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- values that occurred: a target of 7.4 calls is none
	RETURN format(
		'WITH %1$s,
		quantile AS (
			SELECT pg_catalog.percentile_disc(q.q) WITHIN GROUP (ORDER BY p.x) AS value, q.q
			FROM panel AS p, pg_catalog.unnest(ARRAY[0.5, 0.6, 0.7, 0.8, 0.9, 0.95]::pg_catalog.float8[]) AS q(q) GROUP BY q.q),
		candidate AS (
			SELECT value, pg_catalog.min(q) AS q FROM quantile WHERE value OPERATOR(pg_catalog.>) 0 GROUP BY value),
		proof AS (
			SELECT q.q, q.value, activity_metrics.proof_of_work(p.unit, p.period, p.x, p.y, q.value, c.lag_from, c.lag_to) AS r
			FROM chosen AS c, candidate AS q, panel AS p GROUP BY q.q, q.value)
		SELECT %2$L::pg_catalog.text, %3$L::pg_catalog.text, c.lag_from, c.lag_to, p.q, p.value,
			activity_metrics.target_verdict((p.r).verdict, c.vanity), (p.r).share_met, (p.r).met_low, (p.r).met_high, coalesce((p.r).n, (SELECT pg_catalog.count(*) FROM panel)),
			(p.r).empty_high, (p.r).n_high, (p.r).empty_low, (p.r).n_low, (p.r).proof, (p.r).proof_low, (p.r).proof_high, (p.r).own_proof, (p.r).own_low, (p.r).own_high, (p.r).floor, (p.r).longest_run,
			activity_metrics.target_sentence(p.r, c.vanity, p.value, %4$L, %5$L, %6$L, c.lag_from, c.lag_to)
		FROM chosen AS c LEFT JOIN proof AS p ON true ORDER BY p.value',
		activity_metrics.target_panel_sql(metric, outcome, grain, lag_from, lag_to, relation, unit, period, tz),
		metric, outcome, activity_metrics.metric_label(metric, relation), activity_metrics.metric_label(outcome, relation), grain);
END;
$$;
COMMENT ON FUNCTION activity_metrics.target_plan_sql(text, text, text, integer, integer, regclass, text, text, text) IS
'Internal: the statement that target_plan runs; $1 since, $2 until, $3 lag_from, $4 lag_to.';

CREATE FUNCTION activity_metrics.target_plan(
	INOUT metric text,
	INOUT outcome text DEFAULT NULL,
	grain text DEFAULT 'week',
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	INOUT lag_from integer DEFAULT NULL,
	INOUT lag_to integer DEFAULT NULL,
	relation regclass DEFAULT NULL,
	unit text DEFAULT 'unit',
	period text DEFAULT 'period',
	tz text DEFAULT 'UTC',
	OUT quantile double precision,
	OUT value double precision,
	OUT verdict text,
	OUT share_met double precision,
	OUT met_low double precision,
	OUT met_high double precision,
	OUT n bigint,
	OUT empty_high double precision,
	OUT n_high bigint,
	OUT empty_low double precision,
	OUT n_low bigint,
	OUT proof double precision,
	OUT proof_low double precision,
	OUT proof_high double precision,
	OUT own_proof double precision,
	OUT own_low double precision,
	OUT own_high double precision,
	OUT floor double precision,
	OUT longest_run bigint,
	OUT sentence text)
RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 6 COST 100000 SET jit = off AS $$
#variable_conflict use_column
DECLARE
	wanted pg_catalog.text := activity_metrics.target_outcome($1, $2, $8);
BEGIN
	PERFORM activity_metrics.check_range(since, until);
	RETURN QUERY EXECUTE activity_metrics.target_plan_sql($1, wanted, $3, $6, $7, $8, $9, $10, $11)
		USING since, until, $6, $7;
END;
$$;
COMMENT ON FUNCTION activity_metrics.target_plan(text, text, text, timestamptz, timestamptz, integer, integer, regclass, text, text, text) IS
'Which values could be a target, and what would they prove? One row for each of the 50, 60, 70, 80, 90 and 95 % quantiles of the metric over all rep-periods, as values that occurred, equal ones once, in order of value; columns as of target_check(). A metric that is 0 in nearly all rep-periods gives one row that says so.
Arguments and errors as of target_check().';
