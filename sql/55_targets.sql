--
-- Targets, and the guard that stands before them.
--
-- The guard goes by what is recorded: the newest verdict of assess() and the gaming test of test_target(). It
-- reads no events, so that it answers at once and a restore does not need them. What it accepted, or was
-- overruled on, carries a seal; a row that comes with its seal is one that is restored, and passes as it is.
-- The seals are against accident and habit, not against somebody who sets out to forge one.
--

CREATE FUNCTION activity_metrics.gaming_seal(m activity_metrics.metric) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET extra_float_digits = 1 AS $$
BEGIN
	RETURN md5(jsonb_build_array('activity_metrics gaming test', m.metric, m.type, m.agg, m.expr, m.filter_sql, m.source_relation, m.event_kinds,
		m.value_column, m.entity_column, m.time_column, m.kind_column, m.actor_column, m.status_column, m.numerator, m.denominator,
		m.base_metric, m.conversion_metric, m.window_days, m.tz,
		m.gaming_result, m.gaming_value, m.gaming_low, m.gaming_at)::text);
END;
$$;
COMMENT ON FUNCTION activity_metrics.gaming_seal(activity_metrics.metric) IS
'Internal: ties the gaming test of a metric to its name and formula: another formula was not tested.';

CREATE FUNCTION activity_metrics.guard_gaming_test() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	expected activity_metrics.metric := NEW;
BEGIN
	IF NEW.gaming_result = 'untested' THEN
		NEW.gaming_value := NULL;
		NEW.gaming_low := NULL;
		NEW.gaming_at := NULL;
		NEW.gaming_seal := NULL;
		RETURN NEW;
	END IF;
	IF NEW.gaming_seal = activity_metrics.gaming_seal(NEW) THEN
		RETURN NEW;
	END IF;
	IF TG_OP = 'UPDATE' AND (NEW.gaming_result, NEW.gaming_value, NEW.gaming_low, NEW.gaming_at, NEW.gaming_seal)
		IS NOT DISTINCT FROM (OLD.gaming_result, OLD.gaming_value, OLD.gaming_low, OLD.gaming_at, OLD.gaming_seal) THEN
		expected.metric := OLD.metric;
		IF NEW.gaming_seal = activity_metrics.gaming_seal(expected) OR (pg_trigger_depth() > 1 AND OLD.gaming_seal = activity_metrics.gaming_seal(OLD)) THEN
			-- only the name is another, or that of a part, which its own row has changed
			NEW.gaming_seal := activity_metrics.gaming_seal(NEW);
			RETURN NEW;
		END IF;
		RAISE NOTICE 'the gaming test of metric "%" no longer holds: its formula is another', NEW.metric
			USING HINT = format('SELECT * FROM activity_metrics.test_target(%L, %s);', NEW.metric, NEW.gaming_value);
		NEW.gaming_result := 'untested';
		NEW.gaming_value := NULL;
		NEW.gaming_low := NULL;
		NEW.gaming_at := NULL;
		NEW.gaming_seal := NULL;
		RETURN NEW;
	END IF;
	RAISE EXCEPTION 'gaming_result of metric "%" is not written by hand', NEW.metric USING ERRCODE = '55000',
		DETAIL = format('The result "%s" does not carry the seal of a test.', NEW.gaming_result),
		HINT = format('SELECT * FROM activity_metrics.test_target(%L, value) makes the test and records it.', NEW.metric);
END;
$$;
COMMENT ON FUNCTION activity_metrics.guard_gaming_test() IS
'Internal: the trigger that lets gaming_result be written by record_gaming_test() and by a restore only, and forgets it when the formula changes. Errors: a result without its seal (55000).';

CREATE TRIGGER metric_gaming_test BEFORE INSERT OR UPDATE ON activity_metrics.metric
	FOR EACH ROW EXECUTE FUNCTION activity_metrics.guard_gaming_test();
COMMENT ON TRIGGER metric_gaming_test ON activity_metrics.metric IS 'gaming_result comes from a test, not from a hand.';

CREATE FUNCTION activity_metrics.record_gaming_test(metric text, value double precision, result text, low double precision) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	m activity_metrics.metric := activity_metrics.find_metric(record_gaming_test.metric);
BEGIN
	IF result IS NULL OR result NOT IN ('pass', 'fail', 'insufficient') THEN
		RAISE EXCEPTION 'unknown result "%" of a gaming test', result USING ERRCODE = '22023',
			HINT = 'Results are pass, fail and insufficient.';
	END IF;
	-- too little to decide by is no test, and does not undo one
	IF result = 'insufficient' THEN
		RETURN m.gaming_result;
	END IF;
	m.gaming_result := result;
	m.gaming_value := value;
	m.gaming_low := low;
	m.gaming_at := clock_timestamp();
	UPDATE activity_metrics.metric AS t SET gaming_result = m.gaming_result, gaming_value = m.gaming_value, gaming_low = m.gaming_low,
		gaming_at = m.gaming_at, gaming_seal = activity_metrics.gaming_seal(m)
		WHERE t.metric = m.metric;
	RETURN result;
END;
$$;
COMMENT ON FUNCTION activity_metrics.record_gaming_test(text, double precision, text, double precision) IS
'Internal: writes what target_check() found about a metric into the dictionary; insufficient changes nothing. Returns the result that now stands.
Errors: no such metric (42704), another result (22023).';

CREATE FUNCTION activity_metrics.test_target(
	metric text,
	value double precision,
	outcome text DEFAULT NULL,
	grain text DEFAULT 'week',
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	OUT verdict text,
	OUT proof double precision,
	OUT proof_low double precision,
	OUT proof_high double precision,
	OUT n bigint,
	OUT recorded text,
	OUT sentence text,
	OUT next_step text)
RETURNS SETOF record
LANGUAGE plpgsql VOLATILE ROWS 1 COST 100000 SET jit = off AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY EXECUTE
		'SELECT c.verdict, c.proof, c.proof_low, c.proof_high, c.n,
			activity_metrics.record_gaming_test($1, $2, c.verdict, c.proof_low), c.sentence, c.next_step
		FROM activity_metrics.target_check($1, $2, $3, $4, $5, $6) AS c'
		USING $1, $2, $3, $4, $5, $6;
END;
$$;
COMMENT ON FUNCTION activity_metrics.test_target(text, double precision, text, text, timestamptz, timestamptz) IS
'Makes the gaming test of target_check() for a metric of the dictionary and records the result there, where the guard reads it: the only way to write gaming_result. One row.
recorded: the result that now stands in the dictionary; insufficient leaves an earlier one. Arguments, the other columns and errors: as of target_check().';

CREATE FUNCTION activity_metrics.target_in_force(metric text, at timestamptz DEFAULT pg_catalog.now(), unit text DEFAULT '(each)') RETURNS activity_metrics.target
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found_row activity_metrics.target;
BEGIN
	SELECT t.* INTO found_row FROM activity_metrics.target t
		WHERE t.metric = target_in_force.metric AND t.unit = target_in_force.unit
		AND t.starts_at <= target_in_force.at AND (t.ended_at IS NULL OR t.ended_at > target_in_force.at)
		ORDER BY t.starts_at DESC LIMIT 1;
	RETURN found_row;
END;
$$;
COMMENT ON FUNCTION activity_metrics.target_in_force(text, timestamptz, text) IS
'Internal: the target of a metric and unit that holds at a time; a row of NULLs where there is none.';

CREATE FUNCTION activity_metrics.target_seal(t activity_metrics.target) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET extra_float_digits = 1 AS $$
BEGIN
	RETURN md5(jsonb_build_array('activity_metrics target', t.metric, t.unit, t.starts_at, t.value, t.grain, t.due, t.owner, t.baseline,
		t.reachable_low, t.reachable_high, t.ended_at, t.decision, t.reason, t.evidence, t.set_by, t.set_at)::text);
END;
$$;
COMMENT ON FUNCTION activity_metrics.target_seal(activity_metrics.target) IS
'Internal: ties the fields of a target to the decision of the guard.';

CREATE FUNCTION activity_metrics.metric_formula(m activity_metrics.metric) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT activity_metrics.metric_definition(m) - ARRAY['kind', 'unit', 'currency', 'additive']
$$;
COMMENT ON FUNCTION activity_metrics.metric_formula(activity_metrics.metric) IS
'Internal: what the values of a metric depend on, without the words about them.';

CREATE FUNCTION activity_metrics.guard_relabelled(m activity_metrics.metric) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	twin text;
	h activity_metrics.metric_history;
BEGIN
	SELECT min(t.metric) INTO twin FROM activity_metrics.metric t WHERE t.kind = 'surface' AND t.metric <> m.metric AND activity_metrics.metric_formula(t) = activity_metrics.metric_formula(m);
	IF twin IS NOT NULL THEN
		RETURN format('it counts the same as %s, a surface metric', twin);
	END IF;
	-- a word that is corrected before anybody looked is no way round
	SELECT v.* INTO h FROM activity_metrics.metric_history v WHERE v.metric = m.metric AND v.definition_version > (
			SELECT max(s.definition_version) FROM activity_metrics.metric_history s WHERE s.metric = m.metric
			AND s.definition::jsonb ->> 'kind' = 'surface' AND s.definition::jsonb - ARRAY['kind', 'unit', 'currency', 'additive'] = activity_metrics.metric_formula(m))
		ORDER BY v.definition_version LIMIT 1;
	IF FOUND AND EXISTS (SELECT FROM activity_metrics.metric_assessment a WHERE a.metric = m.metric AND a.assessed_at <= h.valid_from) THEN
		RETURN format('it was assessed as a surface metric, and %s called it an outcome on %s', h.changed_by, h.valid_from::date);
	END IF;
	RETURN NULL;
END;
$$;
COMMENT ON FUNCTION activity_metrics.guard_relabelled(activity_metrics.metric) IS
'Internal: why an outcome metric is a surface metric by another name: it has the formula of one, or it was one when it was assessed; NULL: it is not.';

CREATE FUNCTION activity_metrics.guard_finding(metric text, value double precision,
	OUT refusals text[], OUT evidence text, OUT hint text)
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 SET timezone = 'UTC' AS $$
#variable_conflict use_column
DECLARE
	m activity_metrics.metric;
	a activity_metrics.metric_assessment;
	aim text;
	pairing text;
	is_tested boolean;
BEGIN
	SELECT t.* INTO m FROM activity_metrics.metric t WHERE t.metric = guard_finding.metric;
	IF NOT FOUND THEN
		m := activity_metrics.find_metric(guard_finding.metric);
	END IF;
	SELECT t.* INTO a FROM activity_metrics.metric_assessment t WHERE t.metric = m.metric
		ORDER BY t.assessed_at DESC, t.outcome = m.outcome_metric DESC NULLS LAST, t.outcome LIMIT 1;
	aim := coalesce(m.outcome_metric, a.outcome,
		(SELECT t.metric FROM activity_metrics.metric t WHERE t.is_north_star AND t.status = 'active' AND t.scope = m.scope AND t.kind = 'outcome'),
		(SELECT min(t.metric) FROM activity_metrics.metric t WHERE t.kind = 'outcome' AND t.status = 'active' HAVING count(*) = 1));
	refusals := '{}';
	is_tested := coalesce(m.gaming_result = 'pass' AND m.gaming_seal = activity_metrics.gaming_seal(m), false);

	evidence := CASE WHEN a.verdict IS NULL THEN 'assess() has no verdict on it.'
		ELSE format('assess() of %s against %s: %s%s.%s', a.assessed_at::date, a.outcome, a.verdict,
			CASE WHEN a.score IS NOT NULL THEN format(', score %s, confidence %s', round(a.score::numeric, 2), coalesce(round(a.confidence::numeric, 2)::text, 'not known')) END,
			CASE WHEN a.sentence IS NOT NULL THEN ' ' || a.sentence ELSE '' END) END;
	IF a.verdict IN ('vanity', 'gamed') THEN
		refusals := refusals || format('its verdict is %s', a.verdict);
	END IF;
	IF m.kind = 'outcome' THEN
		refusals := array_remove(refusals || activity_metrics.guard_relabelled(m), NULL);
	END IF;
	IF m.kind = 'surface' THEN
		evidence := evidence || CASE m.gaming_result WHEN 'untested' THEN ' test_target() has no result on it.'
			ELSE format(' test_target() of %s at %s: %s, lower bound of the proof of work %s.', m.gaming_at::date, m.gaming_value, m.gaming_result,
				coalesce(round(m.gaming_low::numeric, 2)::text, 'not known')) END;
		IF a.verdict IS NULL THEN
			refusals := refusals || 'nobody has assessed whether it leads an outcome'::text;
		ELSIF a.verdict NOT IN ('vanity', 'gamed', 'leading_indicator') THEN
			refusals := refusals || format('its verdict is %s, not leading_indicator', a.verdict);
		END IF;
		IF m.gaming_result = 'fail' THEN
			refusals := refusals || 'it has failed its gaming test'::text;
		ELSIF NOT is_tested THEN
			refusals := refusals || 'its gaming test has not been made'::text;
		ELSIF abs(m.gaming_value - value) > 0.1 * abs(value) THEN
			refusals := refusals || format('its gaming test was made at %s, not near %s', m.gaming_value, value);
		END IF;
		IF m.paired_with IS NULL THEN
			refusals := refusals || 'no guardrail metric is paired with it'::text;
		END IF;
	END IF;
	IF cardinality(refusals) = 0 THEN
		RETURN;
	END IF;

	-- what rises only with the quality of the metric is the best guardrail, then what leads the same outcome, then the outcome
	SELECT t.metric INTO pairing FROM activity_metrics.metric t
		LEFT JOIN LATERAL (SELECT s.verdict FROM activity_metrics.metric_assessment s WHERE s.metric = t.metric ORDER BY s.assessed_at DESC LIMIT 1) AS s ON true
		WHERE t.metric <> m.metric AND t.status = 'active'
		AND (m.metric = t.denominator OR m.metric = t.base_metric AND t.type = 'conversion' OR s.verdict = 'leading_indicator' OR t.metric = aim)
		ORDER BY coalesce(m.metric = t.denominator OR m.metric = t.base_metric, false) DESC, coalesce(s.verdict = 'leading_indicator', false) DESC, t.metric LIMIT 1;
	hint := concat_ws(' ',
		CASE WHEN aim IS NOT NULL AND aim <> m.metric THEN format('Aim at %s, which is what counts: set_target(%L, ...).', aim, aim)
			ELSE coalesce((SELECT format('Aim at an outcome: %s.', string_agg(t.metric, ', ' ORDER BY t.metric)) FROM activity_metrics.metric t WHERE t.kind = 'outcome' AND t.status = 'active' AND t.metric <> m.metric HAVING count(*) > 0),
				'Aim at an outcome: define_metric(..., kind => ''outcome'').') END,
		CASE WHEN m.kind = 'surface' THEN format('What makes a target on %s defensible: %s.', m.metric, concat_ws('; ',
			CASE WHEN a.verdict IS DISTINCT FROM 'leading_indicator' THEN 'a verdict of leading_indicator from assess()' END,
			CASE WHEN NOT is_tested OR abs(m.gaming_value - value) > 0.1 * abs(value) THEN format('a pass of test_target(%L, %s)', m.metric, value) END,
			CASE WHEN m.paired_with IS NULL THEN format('a pairing, paired_with = %s', coalesce(quote_literal(pairing), 'a metric of its quality')) END)) END,
		'To set it all the same: force => true, reason => ''...'', which is recorded with your name.');
END;
$$;
COMMENT ON FUNCTION activity_metrics.guard_finding(text, double precision) IS
'Internal: what the guard finds about a target of this value on a metric: the reasons against it (none: an empty array), the evidence, and what to do instead. A surface metric needs a newest verdict of leading_indicator, a passed gaming test within 10 % of the value, and a guardrail paired with it; an outcome metric must not be a surface metric by another name. Errors: no such metric (42704).';

CREATE FUNCTION activity_metrics.check_target(metric text, value double precision) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	finding record;
BEGIN
	SELECT f.* INTO finding FROM activity_metrics.guard_finding(metric, value) AS f;
	IF cardinality(finding.refusals) > 0 THEN
		RAISE EXCEPTION 'a target of % on metric "%" is refused: %', value, metric, array_to_string(finding.refusals, ', ') USING ERRCODE = '55000',
			DETAIL = finding.evidence, HINT = finding.hint;
	END IF;
	RETURN finding.evidence;
END;
$$;
COMMENT ON FUNCTION activity_metrics.check_target(text, double precision) IS
'Internal: refuses what guard_finding() has reasons against (55000), else gives its evidence.';

CREATE FUNCTION activity_metrics.guard_target() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	missing text[] := '{}';
	finding record;
	ended activity_metrics.target;
BEGIN
	IF TG_OP = 'UPDATE' THEN
		ended := OLD;
		ended.ended_at := NEW.ended_at;
		ended.seal := NEW.seal;
		IF NEW.metric <> OLD.metric AND NOT EXISTS (SELECT FROM activity_metrics.metric m WHERE m.metric = OLD.metric) THEN
			-- the metric was renamed
			ended.metric := NEW.metric;
		END IF;
		IF NEW IS DISTINCT FROM ended OR (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at) THEN
			RAISE EXCEPTION 'a target of metric "%" is not changed once it is set', OLD.metric USING ERRCODE = '55000',
				DETAIL = 'What people were measured by stays on record; only ended_at of a target in force is set.',
				HINT = format('SELECT * FROM activity_metrics.set_target(%L, ...) ends it and starts another; UPDATE activity_metrics.target SET ended_at = now() ends it.', OLD.metric);
		END IF;
		IF OLD.seal IS DISTINCT FROM activity_metrics.target_seal(OLD) THEN
			RAISE EXCEPTION 'the target of metric "%" does not carry the seal of the guard', OLD.metric USING ERRCODE = '55000',
				HINT = 'It was written past the guard: delete it and set it with set_target().';
		END IF;
		NEW.seal := activity_metrics.target_seal(NEW);
		RETURN NEW;
	END IF;

	IF NEW.seal = activity_metrics.target_seal(NEW) THEN
		RETURN NEW;
	END IF;
	IF NEW.metric IS NULL OR NEW.value IS NULL THEN
		RAISE EXCEPTION 'a target needs a metric and a value' USING ERRCODE = '22004',
			HINT = 'SELECT * FROM activity_metrics.set_target(''wins'', 3, due => ''2027-03-31'', owner => ''A. Person'');';
	END IF;
	NEW.set_by := CURRENT_USER;
	NEW.set_at := clock_timestamp();
	IF NEW.decision = 'forced' THEN
		SELECT f.* INTO finding FROM activity_metrics.guard_finding(NEW.metric, NEW.value) AS f;
		IF coalesce(btrim(NEW.reason), '') = '' THEN
			RAISE EXCEPTION 'a forced target needs a reason' USING ERRCODE = '22023',
				HINT = 'Write reason => ''why this target is set against the evidence''; it is recorded with your name.';
		END IF;
		NEW.evidence := concat_ws(' ', CASE WHEN cardinality(finding.refusals) > 0 THEN format('Against the guard: %s.', array_to_string(finding.refusals, ', ')) END, finding.evidence);
		NEW.seal := activity_metrics.target_seal(NEW);
		RETURN NEW;
	END IF;

	NEW.evidence := activity_metrics.check_target(NEW.metric, NEW.value);
	missing := array_remove(ARRAY[
		CASE WHEN coalesce(btrim(NEW.owner), '') = '' THEN 'owner' END,
		CASE WHEN NEW.due IS NULL THEN 'due' END,
		CASE WHEN NEW.baseline IS NULL THEN 'baseline' END,
		CASE WHEN NEW.reachable_low IS NULL OR NEW.reachable_high IS NULL THEN 'reachable_low and reachable_high' END], NULL);
	IF cardinality(missing) > 0 THEN
		RAISE EXCEPTION 'the target on metric "%" is not complete: % missing', NEW.metric,
			array_to_string(missing, ', ') || CASE WHEN cardinality(missing) = 1 THEN ' is' ELSE ' are' END USING ERRCODE = '22023',
			DETAIL = 'A target has one owner, a day by which it is due, a baseline, and the range that was reached before.',
			HINT = 'set_target() takes the baseline and the range from the periods seen, and the owner from the dictionary; give the others to it.';
	END IF;
	IF NEW.due < timezone('UTC', NEW.starts_at)::date THEN
		RAISE EXCEPTION 'the target on metric "%" is due on %, before it starts on %', NEW.metric, NEW.due, timezone('UTC', NEW.starts_at)::date USING ERRCODE = '22023',
			HINT = 'Give a day after starts_at with due => ''...''.';
	END IF;
	NEW.decision := 'accepted';
	NEW.evidence := concat_ws(' ', NEW.evidence,
		CASE WHEN NEW.value NOT BETWEEN NEW.reachable_low AND NEW.reachable_high
			THEN format('%s is outside of what 80 %% of the periods reached, %s to %s.', NEW.value, NEW.reachable_low, NEW.reachable_high) END);
	NEW.seal := activity_metrics.target_seal(NEW);
	RETURN NEW;
END;
$$;
COMMENT ON FUNCTION activity_metrics.guard_target() IS
'Internal: the trigger that decides on targets. A row that carries its seal is a restored one and passes; decision forced with a reason is recorded with who and when; every other row is judged by guard_finding() and must be complete. A target that is set changes only by ending it.
Errors: refused, or changed afterwards (55000); incomplete, due before it starts, forced without a reason (22023); no such metric (42704).';

CREATE TRIGGER target_guard BEFORE INSERT OR UPDATE ON activity_metrics.target
	FOR EACH ROW EXECUTE FUNCTION activity_metrics.guard_target();
COMMENT ON TRIGGER target_guard ON activity_metrics.target IS 'No target on a number that can be had without the outcome.';

CREATE UNIQUE INDEX target_in_force ON activity_metrics.target (metric, unit) WHERE ended_at IS NULL;
COMMENT ON INDEX activity_metrics.target_in_force IS 'One target in force per metric and unit.';

CREATE FUNCTION activity_metrics.write_target(
	metric text,
	value double precision,
	due date,
	owner text,
	unit text,
	grain text,
	starts_at timestamptz,
	force boolean,
	reason text,
	baseline double precision,
	reachable_low double precision,
	reachable_high double precision)
RETURNS SETOF activity_metrics.target
LANGUAGE plpgsql VOLATILE ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	m activity_metrics.metric := activity_metrics.find_metric(write_target.metric);
	begins timestamptz := coalesce(write_target.starts_at, clock_timestamp());
	earlier activity_metrics.target;
BEGIN
	IF value IS NULL THEN
		RAISE EXCEPTION 'argument value is null' USING ERRCODE = '22004',
			HINT = format('Give the number to reach per period: set_target(%L, 40, ...). A target is ended with UPDATE activity_metrics.target SET ended_at = now().', m.metric);
	END IF;
	IF value = 'NaN' OR value IN ('Infinity', '-Infinity') OR NOT isfinite(begins) OR NOT isfinite(due) THEN
		RAISE EXCEPTION 'a target of % from % due % on metric "%" is not finite', value, begins, due, m.metric USING ERRCODE = '22023',
			HINT = 'Give a number, and days of the calendar.';
	END IF;
	IF unit IS NULL THEN
		RAISE EXCEPTION 'argument unit is null' USING ERRCODE = '22004',
			HINT = 'Give a rep, (each) for every rep or (all) for the sum of all.';
	END IF;
	PERFORM activity_metrics.check_grain(coalesce(write_target.grain, m.grain)), activity_metrics.period_no(now(), coalesce(write_target.grain, m.grain), m.tz);
	SELECT t.* INTO earlier FROM activity_metrics.target t
		WHERE t.metric = m.metric AND t.unit = write_target.unit AND (t.ended_at IS NULL OR t.ended_at > begins)
		ORDER BY t.starts_at DESC LIMIT 1;
	IF FOUND THEN
		IF earlier.starts_at >= begins THEN
			RAISE EXCEPTION 'metric "%" has a target of % since %, which is not before %', m.metric, earlier.value, earlier.starts_at, begins USING ERRCODE = '22023',
				HINT = 'A target replaces an earlier one: give a later starts_at, or leave it out.';
		END IF;
		IF earlier.ended_at IS NOT NULL THEN
			RAISE EXCEPTION 'metric "%" has a target of % until %, which is after %', m.metric, earlier.value, earlier.ended_at, begins USING ERRCODE = '22023',
				HINT = 'Give a starts_at from its end on.';
		END IF;
		UPDATE activity_metrics.target AS t SET ended_at = begins WHERE t.metric = m.metric AND t.unit = earlier.unit AND t.starts_at = earlier.starts_at;
	END IF;
	RETURN QUERY INSERT INTO activity_metrics.target AS t (metric, unit, starts_at, value, grain, due, owner, baseline, reachable_low, reachable_high, decision, reason)
		VALUES (m.metric, write_target.unit, begins, write_target.value, coalesce(write_target.grain, m.grain), write_target.due, coalesce(write_target.owner, m.owner),
			write_target.baseline, write_target.reachable_low, write_target.reachable_high, CASE WHEN force THEN 'forced' ELSE 'accepted' END, write_target.reason)
		RETURNING t.*;
END;
$$;
COMMENT ON FUNCTION activity_metrics.write_target(text, double precision, date, text, text, text, timestamptz, boolean, text, double precision, double precision, double precision) IS
'Internal: ends the target in force and writes the new one, which the trigger judges. Errors: as of set_target().';

CREATE FUNCTION activity_metrics.target_history_sql(metric text, grain text, unit text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	m activity_metrics.metric := activity_metrics.find_metric(metric);
	wanted text := coalesce(grain, m.grain);
BEGIN
	-- $1: until; the baseline is of the last eight complete periods, the range of all that were seen
	RETURN format(
		'SELECT pg_catalog.avg(v.value) FILTER (WHERE v.age OPERATOR(pg_catalog.<=) 8) AS baseline,
			pg_catalog.percentile_disc(0.1::pg_catalog.float8) WITHIN GROUP (ORDER BY v.value) AS reachable_low,
			pg_catalog.percentile_disc(0.9::pg_catalog.float8) WITHIN GROUP (ORDER BY v.value) AS reachable_high
		FROM (SELECT v.value, pg_catalog.dense_rank() OVER (ORDER BY v.period DESC) AS age
			FROM activity_metrics.metric_values(%L, NULL, $1, %L, %s) AS v
			WHERE v.is_complete AND v.value IS NOT NULL%s) AS v',
		m.metric, wanted, CASE WHEN unit = '(all)' THEN 'NULL' ELSE quote_literal('unit') END,
		CASE WHEN unit IN ('(all)', '(each)') THEN '' ELSE format(' AND v.unit OPERATOR(pg_catalog.=) %L::pg_catalog.text', unit) END);
END;
$$;
COMMENT ON FUNCTION activity_metrics.target_history_sql(text, text, text) IS
'Internal: the statement that gives set_target() the baseline and the reachable range; $1 until.';

CREATE FUNCTION activity_metrics.set_target(
	INOUT metric text,
	INOUT value double precision,
	INOUT due date DEFAULT NULL,
	INOUT owner text DEFAULT NULL,
	INOUT unit text DEFAULT '(each)',
	INOUT grain text DEFAULT NULL,
	INOUT starts_at timestamptz DEFAULT NULL,
	force boolean DEFAULT false,
	INOUT reason text DEFAULT NULL,
	INOUT baseline double precision DEFAULT NULL,
	INOUT reachable_low double precision DEFAULT NULL,
	INOUT reachable_high double precision DEFAULT NULL,
	OUT decision text,
	OUT evidence text,
	OUT set_by text)
RETURNS SETOF record
LANGUAGE plpgsql VOLATILE ROWS 1 COST 10000 SET jit = off AS $$
#variable_conflict use_column
DECLARE
	statement pg_catalog.text := activity_metrics.target_history_sql($1, $6, $5);
	seen record;
BEGIN
	-- said at once, without reading events first
	IF $2 IS NOT NULL AND NOT coalesce($8, false) THEN
		PERFORM activity_metrics.check_target($1, $2);
	END IF;
	BEGIN
		EXECUTE statement INTO seen USING coalesce($7, pg_catalog.clock_timestamp());
	EXCEPTION
		-- a target that is forced does not need what cannot be read; of any other the guard says what is missing
		WHEN OTHERS THEN
			IF NOT coalesce($8, false) THEN
				RAISE;
			END IF;
			SELECT NULL::pg_catalog.float8 AS baseline, NULL::pg_catalog.float8 AS reachable_low, NULL::pg_catalog.float8 AS reachable_high INTO seen;
	END;
	RETURN QUERY EXECUTE
		'SELECT t.metric, t.value, t.due, t.owner, t.unit, t.grain, t.starts_at, t.reason, t.baseline, t.reachable_low, t.reachable_high, t.decision, t.evidence, t.set_by
		FROM activity_metrics.write_target($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) AS t'
		USING $1, $2, $3, $4, $5, $6, $7, coalesce($8, false), $9, coalesce($10, seen.baseline), coalesce($11, seen.reachable_low), coalesce($12, seen.reachable_high);
END;
$$;
COMMENT ON FUNCTION activity_metrics.set_target(text, double precision, date, text, text, text, timestamptz, boolean, text, double precision, double precision, double precision) IS
'Sets a target, if the guard lets it: one row, the target as it was recorded, with what the guard saw. A target of the same metric and unit that is in force ends when the new one starts.
metric: of the dictionary; value: to be reached per period; due: the day by which; owner: NULL: that of the metric; unit: (each) for every rep, (all) for the sum of all, or a rep; grain: NULL: that of the metric; starts_at: since when it holds, NULL: now; baseline, reachable_low, reachable_high: NULL: from the periods before starts_at (mean of the last 8, 10 % and 90 % of all); force: set it against the guard, with a reason, both recorded with who and when.
Refused (55000, with the evidence and what to do instead): a surface metric whose newest verdict of assess() is not leading_indicator, whose gaming test (test_target()) has not passed near that value, or which no guardrail is paired with; an outcome metric that has the formula of a surface metric, or was one when it was assessed; any metric whose verdict is vanity or gamed. vanity_report() and gaming_report() test a target of (each) from its date on.
Errors: refused (55000); owner, date, baseline or range missing, not finite, not after the target before it (22023); no such metric (42704); NULL (22004); unknown grain (22023).';

CREATE FUNCTION activity_metrics.record_defined_target(metric text, value double precision, starts_at timestamptz, grain text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	present activity_metrics.target;
BEGIN
	SELECT t.* INTO present FROM activity_metrics.target t
		WHERE t.metric = record_defined_target.metric AND t.unit = '(each)' AND t.starts_at = record_defined_target.starts_at;
	IF FOUND AND (present.value, present.grain) = (record_defined_target.value, record_defined_target.grain) THEN
		RETURN;
	END IF;
	PERFORM activity_metrics.write_target(record_defined_target.metric, record_defined_target.value, NULL, NULL, '(each)', record_defined_target.grain,
		record_defined_target.starts_at, true, 'in force when the metric was defined', NULL, NULL, NULL);
END;
$$;
COMMENT ON FUNCTION activity_metrics.record_defined_target(text, double precision, timestamptz, text) IS
'Internal: writes the target that define_metric() was told of, as a forced one; one that stands already is left alone. Errors: as of set_target().';

CREATE FUNCTION activity_metrics.annotate(
	INOUT metric text,
	INOUT at timestamptz,
	INOUT note text,
	INOUT kind text DEFAULT 'event',
	INOUT unit text DEFAULT NULL,
	OUT annotation_id bigint)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	kinds text[] := ARRAY['event', 'definition changed', 'holiday', 'outage'];
BEGIN
	IF $1 IS NOT NULL AND NOT EXISTS (SELECT FROM activity_metrics.metric m WHERE m.metric = $1) THEN
		PERFORM activity_metrics.find_metric($1);
	END IF;
	IF $2 IS NULL OR coalesce(btrim($3), '') = '' THEN
		RAISE EXCEPTION 'argument % is null', CASE WHEN $2 IS NULL THEN 'at' ELSE 'note' END USING ERRCODE = '22004',
			HINT = 'annotate(''calls'', ''2026-03-02'', ''new phone system''); metric NULL is for all metrics.';
	END IF;
	IF NOT isfinite($2) THEN
		RAISE EXCEPTION 'an annotation at % is not finite', $2 USING ERRCODE = '22023', HINT = 'Give the time when it happened.';
	END IF;
	IF $4 IS NULL OR $4 <> ALL (kinds) THEN
		RAISE EXCEPTION 'unknown kind "%" of an annotation', $4 USING ERRCODE = '22023',
			HINT = format('Did you mean "%s"? Kinds are %s.', activity_metrics.nearest_name(coalesce($4, ''), kinds), array_to_string(kinds, ', '));
	END IF;
	INSERT INTO activity_metrics.annotation AS a (metric, at, note, kind, unit) VALUES ($1, $2, btrim($3), $4, $5)
		RETURNING a.note, a.annotation_id INTO note, annotation_id;
END;
$$;
COMMENT ON FUNCTION activity_metrics.annotate(text, timestamptz, text, text, text) IS
'Writes down what happened when; scorecards show it beside the period that it explains. One row: what was written, with its number.
metric: of the dictionary, NULL: all; at: when; note: what; kind: event, definition changed (a jump there is not taken for gaming), holiday or outage; unit: the rep, NULL: all.
Errors: no such metric (42704), NULL or an empty note (22004), unknown kind, a time that is not finite (22023).';

CREATE FUNCTION activity_metrics.set_north_star(metric text) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	m activity_metrics.metric := activity_metrics.find_metric($1);
BEGIN
	IF m.status <> 'active' THEN
		RAISE EXCEPTION 'metric "%" is %, not active', m.metric, m.status USING ERRCODE = '55000',
			HINT = 'Make it active first: the North Star leads the scorecard, which shows active metrics.';
	END IF;
	IF m.kind <> 'outcome' THEN
		RAISE EXCEPTION 'metric "%" is a surface metric', m.metric USING ERRCODE = '55000',
			HINT = 'A North Star is an outcome: what the work is for, not how much of it is done.';
	END IF;
	UPDATE activity_metrics.metric AS t SET is_north_star = false WHERE t.scope = m.scope AND t.is_north_star AND t.metric <> m.metric;
	UPDATE activity_metrics.metric AS t SET is_north_star = true WHERE t.metric = m.metric AND NOT t.is_north_star;
	RETURN m.metric;
END;
$$;
COMMENT ON FUNCTION activity_metrics.set_north_star(text) IS
'Makes an active outcome metric the North Star of its scope, in place of the present one. Returns its name. Errors: no such metric (42704), a surface metric or one that is not active (55000).';

CREATE FUNCTION activity_metrics.guard_north_star() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	present text;
BEGIN
	IF NEW.kind <> 'outcome' THEN
		RAISE EXCEPTION 'metric "%" is a surface metric, and no North Star', NEW.metric USING ERRCODE = '55000',
			HINT = 'A North Star is an outcome: what the work is for, not how much of it is done.';
	END IF;
	SELECT m.metric INTO present FROM activity_metrics.metric m
		WHERE m.is_north_star AND m.status = 'active' AND m.scope = NEW.scope AND m.metric <> NEW.metric;
	-- a rename and a restore of the same row see no other
	IF FOUND AND NOT (TG_OP = 'UPDATE' AND present = OLD.metric) THEN
		RAISE EXCEPTION 'scope "%" has a North Star already: %', NEW.scope, present USING ERRCODE = '23505',
			DETAIL = 'One number leads a scorecard.',
			HINT = format('SELECT activity_metrics.set_north_star(%L) puts it in place of %s; another team or product is another scope.', NEW.metric, present);
	END IF;
	RETURN NEW;
END;
$$;
COMMENT ON FUNCTION activity_metrics.guard_north_star() IS
'Internal: the trigger that names the present North Star of a scope where a second one is written (23505), and refuses a surface metric (55000); the unique index holds under concurrent writes.';

CREATE TRIGGER metric_one_north_star BEFORE INSERT OR UPDATE ON activity_metrics.metric
	FOR EACH ROW WHEN (NEW.is_north_star AND NEW.status = 'active') EXECUTE FUNCTION activity_metrics.guard_north_star();
COMMENT ON TRIGGER metric_one_north_star ON activity_metrics.metric IS 'One active North Star per scope.';
