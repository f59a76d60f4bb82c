--
-- Lint: what is wrong with the dictionary, as rows.
--

CREATE FUNCTION activity_metrics.grant_hint(relation text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	names text[] := parse_ident(relation);
BEGIN
	RETURN CASE WHEN cardinality(names) = 2 THEN format('GRANT USAGE ON SCHEMA %1$I TO %3$I; GRANT SELECT ON %1$I.%2$I TO %3$I;', names[1], names[2], CURRENT_USER)
		ELSE format('GRANT SELECT ON %s TO %I;', relation, CURRENT_USER) END;
END;
$$;
COMMENT ON FUNCTION activity_metrics.grant_hint(text) IS
'Internal: the grants with which the caller can read a relation, which is named with its schema.';

CREATE FUNCTION activity_metrics.metric_issue_rows(broken text[], faults text[], states text[], stale text[], newest timestamptz[])
RETURNS TABLE (
	metric text,
	severity text,
	rule text,
	message text,
	hint text)
LANGUAGE plpgsql STABLE ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	WITH known AS (
		SELECT m.*, a.verdict, a.assessed_at, a.outcome AS assessed_outcome,
			activity_metrics.metric_formula(m) AS formula,
			CASE WHEN m.timing IS NOT NULL THEN m.timing WHEN m.kind = 'outcome' THEN 'lagging' WHEN a.verdict = 'leading_indicator' OR a.timing = 'leading' THEN 'leading' END AS is_timing
		FROM activity_metrics.metric m
		LEFT JOIN LATERAL (SELECT b.* FROM activity_metrics.metric_assessment b WHERE b.metric = m.metric
			ORDER BY b.assessed_at DESC, b.outcome = m.outcome_metric DESC NULLS LAST, b.outcome LIMIT 1) AS a ON true),
	active AS (SELECT k.* FROM known k WHERE k.status = 'active'),
	held AS (SELECT t.* FROM activity_metrics.target t WHERE t.starts_at <= now() AND (t.ended_at IS NULL OR t.ended_at > now())),
	issue AS (
		SELECT b.metric, CASE b.state WHEN '42501' THEN 'warning' ELSE 'error' END AS severity, CASE b.state WHEN '42501' THEN 'no_right' ELSE 'broken_mapping' END AS rule, b.fault AS message,
			CASE b.state WHEN '42501' THEN format('Nothing is wrong with metric %s: %s may not read what it counts. %s', b.metric, CURRENT_USER, activity_metrics.grant_hint(leaf.source_relation))
				ELSE format('Mend metric %s: SELECT activity_metrics.define_metric(%L, ...) with the names as they are now, or take it out of use.', b.metric, b.metric) END AS hint
		FROM ROWS FROM (unnest(broken), unnest(faults), unnest(states)) AS b(metric, fault, state)
			LEFT JOIN LATERAL (SELECT p.source_relation FROM activity_metrics.refresh_leaves(b.metric) l JOIN activity_metrics.metric p ON p.metric = l.leaf ORDER BY l.leaf LIMIT 1) AS leaf ON true
		UNION ALL
		SELECT s.metric, 'warning', 'stale', CASE WHEN s.at IS NULL THEN 'its relation has no event' ELSE format('its newest event is of %s, more than %s hours ago', s.at, m.max_staleness_hours) END,
			'See whether its source still comes in: SELECT * FROM activity_metrics.data_quality.'
		FROM ROWS FROM (unnest(stale), unnest(newest)) AS s(metric, at) JOIN known m ON m.metric = s.metric
		UNION ALL
		SELECT a.metric, 'error', 'vanity_target', format('it has a target of %s since %s, and its verdict is %s%s', t.value, t.starts_at::date, a.verdict, CASE t.decision WHEN 'forced' THEN format(' (forced by %s: %s)', t.set_by, t.reason) ELSE '' END),
			format('End it: UPDATE activity_metrics.target SET ended_at = now() WHERE metric = %L AND ended_at IS NULL; aim at %s.', a.metric, coalesce(a.outcome_metric, a.assessed_outcome))
		FROM active a JOIN held t ON t.metric = a.metric WHERE a.verdict IN ('vanity', 'gamed')
		UNION ALL
		-- what was forced was decided knowingly
		SELECT t.metric, 'warning', 'undefended_target', format('it has a target of %s since %s that the guard would refuse now: %s', t.value, t.starts_at::date, array_to_string(g.refusals, ', ')), g.hint
		FROM held t JOIN active a ON a.metric = t.metric CROSS JOIN LATERAL activity_metrics.guard_finding(t.metric, t.value) AS g
		WHERE t.decision = 'accepted' AND cardinality(g.refusals) > 0 AND coalesce(a.verdict NOT IN ('vanity', 'gamed'), true)
		UNION ALL
		SELECT t.metric, 'warning', 'target_without_date', format('its target of %s for %s has no day by which it is due', t.value, CASE t.unit WHEN '(each)' THEN 'each rep' WHEN '(all)' THEN 'all' ELSE t.unit END),
			format('SELECT * FROM activity_metrics.set_target(%L, %s, due => ''...'', unit => %L);', t.metric, t.value, t.unit)
		FROM held t JOIN active a ON a.metric = t.metric WHERE t.due IS NULL
		UNION ALL
		SELECT t.metric, 'warning', 'target_overdue', format('its target of %s for %s was due on %s and is still in force', t.value, t.unit, t.due),
			'Set the next one with set_target(), or end it.'
		FROM held t JOIN active a ON a.metric = t.metric WHERE t.due < timezone(a.tz, now())::date
		UNION ALL
		SELECT min(k.metric), 'error', 'two_north_stars', format('scope %s has %s North Stars: %s', k.scope, count(*), string_agg(k.metric, ', ' ORDER BY k.metric)),
			'SELECT activity_metrics.set_north_star(...) for the one that leads; the others are outcomes beside it.'
		FROM known k WHERE k.is_north_star AND k.status <> 'deprecated' GROUP BY k.scope HAVING count(*) > 1
		UNION ALL
		SELECT NULL, 'warning', 'no_north_star', format('scope %s has no North Star among its %s active metrics', a.scope, count(*)),
			coalesce(format('SELECT activity_metrics.set_north_star(%L);', min(a.metric) FILTER (WHERE a.kind = 'outcome')), 'Define an outcome: define_metric(..., kind => ''outcome'').')
		FROM active a GROUP BY a.scope HAVING NOT bool_or(a.is_north_star)
		UNION ALL
		SELECT min(a.metric), 'error', 'same_label', format('"%s" is the label of %s metrics with different formulas: %s', min(a.label), count(*), string_agg(a.metric, ', ' ORDER BY a.metric)),
			'Give each its own label, or keep one of them.'
		FROM active a GROUP BY lower(btrim(a.label)) HAVING count(*) > 1 AND count(DISTINCT a.formula) > 1
		UNION ALL
		SELECT min(a.metric), 'warning', 'same_formula', format('%s have the same formula', string_agg(a.metric, ', ' ORDER BY a.metric)),
			'Keep one and write the other names into its synonyms.'
		FROM active a GROUP BY a.formula HAVING count(*) > 1
		UNION ALL
		SELECT a.metric, 'warning', 'no_owner', 'nobody answers for it', format('define_metric(%L, ..., owner => ''...'').', a.metric)
		FROM active a WHERE coalesce(btrim(a.owner), '') = ''
		UNION ALL
		SELECT a.metric, 'warning', 'no_definition', 'it has no description: two people will count two things', format('define_metric(%L, ..., description => ''...'').', a.metric)
		FROM active a WHERE coalesce(btrim(a.description), '') = ''
		UNION ALL
		SELECT a.metric, 'warning', 'no_outcome', 'it is a surface metric, and no outcome is named that it is for',
			coalesce(format('define_metric(%L, ..., outcome_metric => %L), if that is what it is for.', a.metric, coalesce(a.assessed_outcome,
				(SELECT s.metric FROM active s WHERE s.is_north_star AND s.scope = a.scope), (SELECT min(o.metric) FROM active o WHERE o.kind = 'outcome' AND o.scope = a.scope))),
				'Define the outcome that it is for: define_metric(..., kind => ''outcome'').')
		FROM active a WHERE a.kind = 'surface' AND a.outcome_metric IS NULL
		UNION ALL
		SELECT a.metric, 'warning', 'no_denominator', format('its unit is %s, but it is a %s without anything below the line', a.unit, CASE a.agg WHEN 'count_distinct' THEN 'distinct count' ELSE a.agg END),
			format('define_metric(%L, numerator => ''...'', denominator => ''...'').', a.metric)
		FROM active a WHERE a.type = 'simple' AND a.agg IN ('count', 'count_distinct', 'sum') AND lower(btrim(a.unit)) IN ('ratio', 'rate', 'share', 'percent', 'per cent', '%')
		UNION ALL
		SELECT a.metric, 'warning', 'review_overdue', format('its definition was to be looked at again on %s', a.review_on), format('Look at it, and give the next day: define_metric(%L, ..., review_on => ''...'').', a.metric)
		FROM active a WHERE a.review_on < timezone(a.tz, now())::date
		UNION ALL
		SELECT a.metric, 'warning', 'expired', format('it is active, and was valid until %s', a.valid_to), format('define_metric(%L, ..., lifecycle => ''deprecated''), or another valid_to.', a.metric)
		FROM active a WHERE a.valid_to < timezone(a.tz, now())::date
		UNION ALL
		SELECT NULL, 'warning', 'too_many', format('%s has %s active metrics: %s', audience, count(*), string_agg(a.metric, ', ' ORDER BY a.metric)),
			'More than seven numbers lead nobody: deprecate some, or give them to another audience.'
		FROM active a WHERE coalesce(btrim(a.audience), '') <> '' GROUP BY a.audience HAVING count(*) > 7
		UNION ALL
		SELECT NULL, 'warning', 'one_sided', format('the scorecard of scope %s has only %s metrics', a.scope, min(a.is_timing)),
			CASE min(a.is_timing) WHEN 'lagging' THEN 'Lagging metrics tell when it is too late: find what leads with leading_indicators(), then assess().' ELSE 'Leading metrics promise: add the outcome that they lead to.' END
		FROM active a WHERE a.is_timing IN ('leading', 'lagging') GROUP BY a.scope HAVING count(DISTINCT a.is_timing) = 1)
	SELECT i.metric, i.severity, i.rule, i.message, i.hint FROM issue i
		ORDER BY i.severity, i.metric NULLS FIRST, i.rule, i.message;
END;
$$;
COMMENT ON FUNCTION activity_metrics.metric_issue_rows(text[], text[], text[], text[], timestamptz[]) IS
'Internal: the rows of metric_issue from the dictionary, and from what was found out about relations: metrics that are broken, why and with which SQLSTATE, metrics that are stale and their newest event.';

CREATE FUNCTION activity_metrics.metric_probe_sql(metric text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	m activity_metrics.metric := activity_metrics.find_metric(metric);
BEGIN
	RETURN format('SELECT FROM (%s) AS probe WHERE $1 IS NOT NULL AND $2 IS NOT NULL LIMIT 0', activity_metrics.metric_values_sql(m, m.grain, false));
END;
$$;
COMMENT ON FUNCTION activity_metrics.metric_probe_sql(text) IS
'Internal: a statement that plans the values of a metric and reads no row: it fails where the metric would.';

CREATE FUNCTION activity_metrics.metric_issues()
RETURNS TABLE (
	metric text,
	severity text,
	rule text,
	message text,
	hint text)
LANGUAGE plpgsql STABLE ROWS 20 COST 100000 SET jit = off AS $$
#variable_conflict use_column
DECLARE
	name pg_catalog.text;
	allowed pg_catalog.float8;
	newest pg_catalog.text;
	seen pg_catalog.timestamptz;
	broken pg_catalog.text[] := '{}';
	faults pg_catalog.text[] := '{}';
	states pg_catalog.text[] := '{}';
	stale pg_catalog.text[] := '{}';
	stale_since pg_catalog.timestamptz[] := '{}';
	asked pg_catalog.text[] := '{}';
	answers pg_catalog.timestamptz[] := '{}';
BEGIN
	FOR name, allowed IN SELECT m.metric, m.max_staleness_hours FROM activity_metrics.metric m WHERE m.status OPERATOR(pg_catalog.=) 'active' ORDER BY m.metric LOOP
		BEGIN
			EXECUTE activity_metrics.metric_probe_sql(name) USING NULL::pg_catalog.timestamptz, NULL::pg_catalog.timestamptz;
			IF allowed IS NOT NULL THEN
				newest := activity_metrics.newest_event_sql(name);
				IF pg_catalog.array_position(asked, newest) IS NULL THEN
					EXECUTE newest INTO seen USING 'infinity'::pg_catalog.timestamptz;
					asked := pg_catalog.array_append(asked, newest);
					answers := pg_catalog.array_append(answers, seen);
				END IF;
				seen := answers[pg_catalog.array_position(asked, newest)];
				IF seen IS NULL OR pg_catalog.date_part('epoch', pg_catalog.now()) OPERATOR(pg_catalog.-) pg_catalog.date_part('epoch', seen) OPERATOR(pg_catalog.>) (allowed OPERATOR(pg_catalog.*) 3600) THEN
					stale := pg_catalog.array_append(stale, name);
					stale_since := pg_catalog.array_append(stale_since, seen);
				END IF;
			END IF;
		EXCEPTION
			WHEN OTHERS THEN
				broken := pg_catalog.array_append(broken, name);
				faults := pg_catalog.array_append(faults, SQLERRM);
				states := pg_catalog.array_append(states, SQLSTATE);
		END;
	END LOOP;
	RETURN QUERY EXECUTE 'SELECT * FROM activity_metrics.metric_issue_rows($1, $2, $3, $4, $5)' USING broken, faults, states, stale, stale_since;
END;
$$;
COMMENT ON FUNCTION activity_metrics.metric_issues() IS
'Internal: the rows of view metric_issue. Every active metric is planned, not computed; of those with max_staleness_hours the newest event is looked up.';

CREATE VIEW activity_metrics.metric_issue WITH (security_invoker = true) AS
	SELECT i.metric, i.severity, i.rule, i.message, i.hint FROM activity_metrics.metric_issues() AS i;
ALTER VIEW activity_metrics.metric_issue OWNER TO @extowner@;
COMMENT ON VIEW activity_metrics.metric_issue IS
'What is wrong with the dictionary: one row per finding, errors first. No row: nothing found.';
COMMENT ON COLUMN activity_metrics.metric_issue.metric IS 'The metric, of several the first; NULL: a scope or an audience, which the message names.';
COMMENT ON COLUMN activity_metrics.metric_issue.severity IS 'error: numbers are wrong or missing, or people are measured by a vanity number; warning: they soon will be.';
COMMENT ON COLUMN activity_metrics.metric_issue.rule IS 'broken_mapping, no_right, stale, vanity_target, undefended_target, target_without_date, target_overdue, two_north_stars, no_north_star, same_label, same_formula, no_owner, no_definition, no_outcome, no_denominator, review_overdue, expired, too_many, one_sided.';
COMMENT ON COLUMN activity_metrics.metric_issue.message IS 'What was found.';
COMMENT ON COLUMN activity_metrics.metric_issue.hint IS 'What to do.';
