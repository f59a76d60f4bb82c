--
-- Diagnosis: too little effort or too little quality? A gap in results, split along a chain of metrics.
--

CREATE FUNCTION activity_metrics.shapley_split(before double precision[], after double precision[]) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'am_shapley_split_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.shapley_split(double precision[], double precision[]) IS
'The difference of two products, split among their factors: the mean effect of changing each over all orders in which they could have changed (Shapley 1953). Zeros are fine; swapping before and after turns the signs.
The parts add up to the difference exactly, in any order, where it is a multiple of the last bit of the largest sum of parts of one sign (counts always), else within that bit. NULL: an argument is. Errors: a NULL in an array (22004), NaN, infinity or a product out of range (22003), arrays of different length, empty or of more dimensions (22023), more than 64 factors (54000).';

CREATE FUNCTION activity_metrics.lmdi_split(before double precision[], after double precision[]) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'am_lmdi_split_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.lmdi_split(double precision[], double precision[]) IS
'The difference of two products, split among their factors by the logarithmic mean Divisia index: L(y1, y0) ln(x1 / x0), L(a, b) = (a - b) / ln(a / b) (Ang 2004), with its limits where factors are zero (Ang and Liu 2007): those that are zero on one side only share the difference. Consistent when summed over units. Adds up as shapley_split() does; errors as there, and factors below 0 (22023).';

CREATE FUNCTION activity_metrics.chain_split(before double precision[], after double precision[], method text DEFAULT 'shapley',
	OUT factor_before double precision[], OUT factor_after double precision[], OUT effect double precision[])
RETURNS record
AS 'MODULE_PATHNAME', 'am_chain_split_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.chain_split(double precision[], double precision[], text) IS
'Totals along a chain (calls, meetings, wins), before and after: their factors (calls, meetings per call, wins per meeting) and the part of each in the difference of the last totals, to which the parts add up exactly if these are counts. method: shapley or lmdi. After a total of 0 the factor of the other side stands in and has no part; NULLs where something came of a total of 0. Errors: totals below 0, an unknown method (22023), as of shapley_split().';

CREATE FUNCTION activity_metrics.mix_split(before_activity double precision[], before_quality double precision[], after_activity double precision[], after_quality double precision[],
	OUT volume double precision, OUT mix double precision, OUT quality double precision, OUT before double precision, OUT after double precision)
RETURNS record
AS 'MODULE_PATHNAME', 'am_mix_split_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.mix_split(double precision[], double precision[], double precision[], double precision[]) IS
'The outcome of a team, activity times quality summed over its units: how much of its change is the total activity (volume), how much its division among units (mix), how much their own quality; Shapley over the three. One value per unit, in the same order; quality is outcome per activity, NULL or anything where there is no activity: that of the other side stands in. before, after: the outcomes that were split. Errors: negative values, arrays of different length or empty (22023), a NULL activity (22004), NaN or infinity (22003).';

CREATE FUNCTION activity_metrics.same_yield_p(before_activity double precision, before_outcome double precision, after_activity double precision, after_outcome double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'am_same_yield_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.same_yield_p(double precision, double precision, double precision, double precision) IS
'Is a difference of yields more than luck? Exact two-sided p of equal outcome per activity: given both outcomes, the second is binomial with the share of its activity (twice the smaller tail). NULL: no activity, or outcomes that are not counts.';

CREATE FUNCTION activity_metrics.has_totals(m activity_metrics.metric) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT m.type = 'simple' AND m.agg IN ('count', 'count_distinct', 'sum') OR m.type = 'derived' AND m.additive
$$;
COMMENT ON FUNCTION activity_metrics.has_totals(activity_metrics.metric) IS
'Internal: is the metric an amount: a count or a sum per period? Not a ratio, an average, a percentile or a rolling window.';

CREATE FUNCTION activity_metrics.diagnosis_totals_sql(chain text[]) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	name text;
	statement text;
	m activity_metrics.metric;
BEGIN
	FOREACH name IN ARRAY chain LOOP
		m := activity_metrics.find_metric(name);
		IF NOT activity_metrics.has_totals(m) THEN
			RAISE EXCEPTION 'metric "%" has no total over days', name USING ERRCODE = '22023',
				DETAIL = 'A chain is of counts and sums; their ratios are what diagnosis() shows as quality.',
				HINT = CASE WHEN m.type = 'simple' THEN 'Name a count or a sum in its place.' ELSE format('Name what it is made of: %s.', array_to_string(activity_metrics.metric_parts(m), ', ')) END;
		END IF;
	END LOOP;
	-- $1, $2 the range before, $3, $4 the range after, $5 days from the first metric to the last
	SELECT string_agg(format(
		'SELECT %1$s AS step, %2$L::pg_catalog.text AS side, p.unit, activity_metrics.exact_sum(p.x) AS total
		FROM activity_metrics.metric_panel(%3$L::pg_catalog.text, %3$L::pg_catalog.text, ''day'', %4$s OPERATOR(pg_catalog.+) (%6$s OPERATOR(pg_catalog.*) $5), %5$s OPERATOR(pg_catalog.+) (%6$s OPERATOR(pg_catalog.*) $5)) AS p
		GROUP BY p.unit',
		t.i, s.side, t.name, s.since, s.until,
		format('(%s::pg_catalog.float8 OPERATOR(pg_catalog./) %s)', t.i - 1, greatest(cardinality(chain) - 1, 1))), ' UNION ALL ')
	INTO statement
	FROM unnest(chain) WITH ORDINALITY AS t(name, i), (VALUES ('before', '$1', '$2'), ('after', '$3', '$4')) AS s(side, since, until);
	RETURN statement;
END;
$$;
COMMENT ON FUNCTION activity_metrics.diagnosis_totals_sql(text[]) IS
'Internal: a statement that gives the totals of each unit along a chain, in two ranges of time; $1 to $4 the ranges, $5 the interval that lies between the first metric and the last.';

CREATE FUNCTION activity_metrics.diagnosis_chain(outcome text, since timestamptz, until timestamptz) RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL UNSAFE AS $$
DECLARE
	candidates pg_catalog.text[];
	chain pg_catalog.text[];
	name pg_catalog.text;
	names pg_catalog.text[] := '{}';
	total pg_catalog.float8;
	totals pg_catalog.float8[] := '{}';
BEGIN
	PERFORM activity_metrics.find_metric(outcome);
	-- those that the dictionary says lead there, if it says so of any
	SELECT coalesce(pg_catalog.array_agg(d.metric ORDER BY d.metric) FILTER (WHERE d.outcome_metric OPERATOR(pg_catalog.=) outcome), pg_catalog.array_agg(d.metric ORDER BY d.metric))
		INTO candidates
		FROM (SELECT m.metric, m.outcome_metric FROM activity_metrics.metric AS m
			WHERE m.kind OPERATOR(pg_catalog.=) 'surface' AND m.status OPERATOR(pg_catalog.=) 'active' AND m.metric OPERATOR(pg_catalog.<>) outcome AND activity_metrics.has_totals(m)
			-- the same by another name is no step
			AND NOT EXISTS (SELECT FROM activity_metrics.metric AS o WHERE activity_metrics.metric_formula(o) OPERATOR(pg_catalog.=) activity_metrics.metric_formula(m)
				AND (o.metric OPERATOR(pg_catalog.=) outcome OR o.kind OPERATOR(pg_catalog.=) 'surface' AND o.status OPERATOR(pg_catalog.=) 'active' AND o.metric OPERATOR(pg_catalog.<) m.metric
					AND coalesce(o.outcome_metric OPERATOR(pg_catalog.=) outcome, false) OPERATOR(pg_catalog.>=) coalesce(m.outcome_metric OPERATOR(pg_catalog.=) outcome, false)))) AS d;
	FOREACH name IN ARRAY coalesce(candidates, '{}') LOOP
		BEGIN
			EXECUTE 'SELECT activity_metrics.exact_sum(p.x) FROM activity_metrics.metric_panel($1, $1, ''day'', $2, $3) AS p' INTO total USING name, since, until;
			names := names OPERATOR(pg_catalog.||) name;
			totals := totals OPERATOR(pg_catalog.||) total;
		EXCEPTION
			-- one broken metric is no reason to trace nothing back
			WHEN OTHERS THEN
				NULL;
		END;
	END LOOP;
	SELECT pg_catalog.array_agg(f.metric ORDER BY f.total DESC, f.metric) INTO chain FROM (
		SELECT t.metric, t.total FROM ROWS FROM (pg_catalog.unnest(names), pg_catalog.unnest(totals)) AS t(metric, total)
		WHERE t.total OPERATOR(pg_catalog.>) 0 ORDER BY t.total DESC, t.metric LIMIT 4) AS f;
	IF chain IS NULL THEN
		RAISE EXCEPTION 'there is no activity to trace "%" back to', outcome USING ERRCODE = '55000',
			DETAIL = 'The dictionary has no surface metric with an event in the range.',
			HINT = 'Name the chain, as in chain => ARRAY[''calls'', ''meetings'', ''wins''], or define a metric of activity with define_metric().';
	END IF;
	RETURN chain OPERATOR(pg_catalog.||) outcome;
END;
$$;
COMMENT ON FUNCTION activity_metrics.diagnosis_chain(text, timestamptz, timestamptz) IS
'Internal: the chain of diagnosis() where none is given: at most 4 active surface metrics that are counts or sums and can be computed, those with this outcome_metric if there are any, the most frequent first, then the outcome. Errors: no such metric (42704), no activity (55000).';

CREATE FUNCTION activity_metrics.signed_number(value double precision) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT pg_catalog.concat(CASE WHEN value OPERATOR(pg_catalog.>) 0 THEN '+' END, activity_metrics.plain_number(value));
END;
COMMENT ON FUNCTION activity_metrics.signed_number(double precision) IS
'Internal: a difference as sentences show it.';

CREATE FUNCTION activity_metrics.diagnosis_sql(steps text[], unit text, versus text, versus_unit text, method text, is_early boolean) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	labels text[] := ARRAY(SELECT (activity_metrics.find_metric(t.name)).label FROM unnest(steps) WITH ORDINALITY AS t(name, i) ORDER BY t.i);
	-- whole amounts of money are no counts, whatever they look like
	counts boolean[] := ARRAY(SELECT coalesce((activity_metrics.find_metric(t.name)).agg IN ('count', 'count_distinct'), false) FROM unnest(steps) WITH ORDINALITY AS t(name, i) ORDER BY t.i);
	last integer := cardinality(steps);
	subject text := coalesce(unit, 'the team');
	other text := CASE versus WHEN 'team' THEN 'the average of the others' WHEN 'unit' THEN versus_unit ELSE 'before' END;
BEGIN
	RETURN format(
		'WITH total AS MATERIALIZED (%1$s),
		-- totals of the two sides by step; raw ones for the test of luck, means for what is shown
		side AS (
			SELECT i.step,
				coalesce((SELECT activity_metrics.exact_sum(t.total) FROM total AS t WHERE t.step OPERATOR(pg_catalog.=) i.step AND t.side OPERATOR(pg_catalog.=) ''after''
					AND (%2$L::pg_catalog.text IS NULL OR t.unit OPERATOR(pg_catalog.=) %2$L::pg_catalog.text)), 0) AS after,
				coalesce((SELECT activity_metrics.exact_sum(t.total) FROM total AS t WHERE t.step OPERATOR(pg_catalog.=) i.step AND t.side OPERATOR(pg_catalog.=) ''before''
					AND CASE WHEN %3$L OPERATOR(pg_catalog.=) ''team'' THEN t.unit OPERATOR(pg_catalog.<>) %2$L::pg_catalog.text
						WHEN %3$L OPERATOR(pg_catalog.=) ''unit'' THEN t.unit OPERATOR(pg_catalog.=) %4$L::pg_catalog.text
						ELSE %2$L::pg_catalog.text IS NULL OR t.unit OPERATOR(pg_catalog.=) %2$L::pg_catalog.text END), 0) AS before
			FROM pg_catalog.generate_series(1, %5$s) AS i(step)),
		team AS (
			SELECT CASE WHEN %3$L OPERATOR(pg_catalog.=) ''team'' THEN activity_metrics.nonzero(pg_catalog.count(DISTINCT t.unit) FILTER (WHERE t.unit OPERATOR(pg_catalog.<>) %2$L::pg_catalog.text)::pg_catalog.float8) ELSE 1 END AS units,
				pg_catalog.count(*) FILTER (WHERE t.unit OPERATOR(pg_catalog.=) %2$L::pg_catalog.text OR %2$L::pg_catalog.text IS NULL) AS own_rows,
				pg_catalog.array_agg(DISTINCT t.unit) AS names
			FROM total AS t),
		sides AS (
			SELECT pg_catalog.array_agg(s.before ORDER BY s.step) AS raw_before, pg_catalog.array_agg(s.after ORDER BY s.step) AS after,
				pg_catalog.array_agg(s.before OPERATOR(pg_catalog./) t.units ORDER BY s.step) AS before
			FROM side AS s, team AS t),
		chain AS (
			SELECT s.*, c.*, s.after[%5$s] OPERATOR(pg_catalog.-) s.before[%5$s] AS gap, t.own_rows, t.names, t.units
			FROM team AS t, sides AS s LEFT JOIN LATERAL activity_metrics.chain_split(s.before, s.after, %6$L::pg_catalog.text) AS c ON s.before[1] IS NOT NULL),
		labels AS (SELECT %7$L::pg_catalog.text[] AS l),
		part AS (
			SELECT i.step, CASE WHEN i.step OPERATOR(pg_catalog.=) 1 THEN l.l[1] ELSE pg_catalog.format(''%%s per %%s'', l.l[i.step], l.l[i.step OPERATOR(pg_catalog.-) 1]) END AS name,
				c.factor_before[i.step] AS before, c.factor_after[i.step] AS after, c.effect[i.step] AS effect, c.gap,
				c.raw_before[i.step OPERATOR(pg_catalog.-) 1] AS n_before, c.after[i.step OPERATOR(pg_catalog.-) 1] AS n_after,
				CASE WHEN i.step OPERATOR(pg_catalog.>) 1 AND (%12$L::pg_catalog.bool[])[i.step] THEN activity_metrics.same_yield_p(c.raw_before[i.step OPERATOR(pg_catalog.-) 1], c.raw_before[i.step], c.after[i.step OPERATOR(pg_catalog.-) 1], c.after[i.step]) END AS p
			FROM chain AS c, labels AS l, pg_catalog.generate_series(1, %5$s) AS i(step)),
		-- what weighs most in the direction of the gap
		main AS (
			SELECT part.* FROM part WHERE part.effect OPERATOR(pg_catalog.*) pg_catalog.sign(part.gap) OPERATOR(pg_catalog.>) 0
			ORDER BY part.effect OPERATOR(pg_catalog.*) pg_catalog.sign(part.gap) DESC, part.step LIMIT 1),
		whole AS (
			SELECT c.*, CASE WHEN (%12$L::pg_catalog.bool[])[%5$s] THEN activity_metrics.same_yield_p(c.raw_before[1], c.raw_before[%5$s], c.after[1], c.after[%5$s]) END AS p,
				CASE WHEN c.own_rows OPERATOR(pg_catalog.=) 0 THEN pg_catalog.concat(''no event of '', %8$L, '' in these ranges'', CASE WHEN c.names IS NOT NULL THEN pg_catalog.format('': the nearest unit is %%s'', activity_metrics.nearest_name(%8$L, c.names)) END)
					WHEN c.units IS NULL THEN ''there are no others to compare with''
					WHEN c.effect IS NULL THEN ''something came of nothing: a metric of the chain is 0 and the next one is not''
					WHEN %9$L THEN ''outcomes of the last lag_days are not all in yet: end earlier'' END AS reason
			FROM chain AS c),
		mixed AS (
			SELECT m.*, pg_catalog.count(*) OVER () AS rows FROM (
				SELECT pg_catalog.array_agg(u.a0 ORDER BY u.unit) AS a0, pg_catalog.array_agg(u.y0 OPERATOR(pg_catalog./) activity_metrics.nonzero(u.a0) ORDER BY u.unit) AS q0,
					pg_catalog.array_agg(u.a1 ORDER BY u.unit) AS a1, pg_catalog.array_agg(u.y1 OPERATOR(pg_catalog./) activity_metrics.nonzero(u.a1) ORDER BY u.unit) AS q1,
					pg_catalog.count(*) FILTER (WHERE (u.a0 OPERATOR(pg_catalog.=) 0 AND u.y0 OPERATOR(pg_catalog.>) 0) OR (u.a1 OPERATOR(pg_catalog.=) 0 AND u.y1 OPERATOR(pg_catalog.>) 0)) AS from_nothing
				FROM (SELECT t.unit,
						coalesce(pg_catalog.max(t.total) FILTER (WHERE t.step OPERATOR(pg_catalog.=) 1 AND t.side OPERATOR(pg_catalog.=) ''before''), 0) AS a0,
						coalesce(pg_catalog.max(t.total) FILTER (WHERE t.step OPERATOR(pg_catalog.=) %5$s AND t.side OPERATOR(pg_catalog.=) ''before''), 0) AS y0,
						coalesce(pg_catalog.max(t.total) FILTER (WHERE t.step OPERATOR(pg_catalog.=) 1 AND t.side OPERATOR(pg_catalog.=) ''after''), 0) AS a1,
						coalesce(pg_catalog.max(t.total) FILTER (WHERE t.step OPERATOR(pg_catalog.=) %5$s AND t.side OPERATOR(pg_catalog.=) ''after''), 0) AS y1
					FROM total AS t WHERE %2$L::pg_catalog.text IS NULL AND %3$L OPERATOR(pg_catalog.=) ''earlier'' GROUP BY t.unit) AS u) AS x,
				LATERAL activity_metrics.mix_split(x.a0, x.q0, x.a1, x.q1) AS s,
				LATERAL (VALUES (1, ''volume'', s.volume, x.from_nothing), (2, ''mix'', s.mix, x.from_nothing), (3, ''quality'', s.quality, x.from_nothing)) AS m(no, name, effect, from_nothing)
			WHERE x.a0 IS NOT NULL)
		SELECT 0, ''total''::pg_catalog.text, l.l[%5$s], w.before[%5$s], w.after[%5$s], w.gap, CASE WHEN w.gap OPERATOR(pg_catalog.<>) 0 THEN 1::pg_catalog.float8 END, w.p, w.raw_before[1], w.after[1],
			CASE WHEN w.effect IS NULL OR w.own_rows OPERATOR(pg_catalog.=) 0 THEN pg_catalog.format(''%%s: %%s cannot be split, as %%s.'', %8$L::pg_catalog.text, l.l[%5$s], w.reason)
				ELSE pg_catalog.concat(pg_catalog.format(''%%s: %%s %%s, %%s %%s (%%s).'', %8$L::pg_catalog.text, activity_metrics.plain_number(w.after[%5$s]), l.l[%5$s],
						%10$L::pg_catalog.text, activity_metrics.plain_number(w.before[%5$s]), activity_metrics.signed_number(w.gap)),
					'' Effort ('', l.l[1], ''): '', activity_metrics.signed_number(w.effect[1]), ''; quality: '',
					(SELECT pg_catalog.string_agg(pg_catalog.format(''%%s %%s'', part.name, activity_metrics.signed_number(part.effect)), '', '' ORDER BY part.step) FROM part WHERE part.step OPERATOR(pg_catalog.>) 1), ''.'',
					CASE WHEN w.p OPERATOR(pg_catalog.>) 0.05 THEN pg_catalog.format('' The difference of %%s per %%s is within luck (p = %%s).'', l.l[%5$s], l.l[1], pg_catalog.round(w.p::pg_catalog.numeric, 2))
						WHEN w.p IS NOT NULL THEN pg_catalog.format('' The difference of %%s per %%s is more than luck (p = %%s).'', l.l[%5$s], l.l[1], pg_catalog.to_char(greatest(w.p, 0.0001)::pg_catalog.numeric, ''FM0.0999'')) END) END,
			CASE WHEN w.effect IS NULL OR w.own_rows OPERATOR(pg_catalog.=) 0 THEN ''Choose another chain or range.''
				WHEN w.gap OPERATOR(pg_catalog.=) 0 THEN ''There is no gap to close.''
				WHEN main.step OPERATOR(pg_catalog.>) 1 AND main.p OPERATOR(pg_catalog.>) 0.05 THEN pg_catalog.format(''Most of it is %%s, which is within luck (p = %%s): watch it for longer before you coach.'', main.name, pg_catalog.round(main.p::pg_catalog.numeric, 2))
				WHEN w.gap OPERATOR(pg_catalog.*) %11$s OPERATOR(pg_catalog.>) 0 THEN pg_catalog.format(''Find out what went well with %%s, and let others have it.'', main.name)
				-- of losses and complaints less is better
				WHEN w.gap OPERATOR(pg_catalog.>) 0 THEN pg_catalog.format(''%%s should fall, and most of its rise is %%s: look there first.'', l.l[%5$s], main.name)
				WHEN main.step OPERATOR(pg_catalog.=) 1 THEN pg_catalog.format(''Effort: make room for more %%s; look at plan, territory and leave before talent.'', l.l[1])
				ELSE pg_catalog.format(''Coach the step from %%s to %%s: sit in, compare with those whose yield is higher.'', l.l[main.step OPERATOR(pg_catalog.-) 1], l.l[main.step]) END,
			w.reason
		FROM labels AS l, whole AS w LEFT JOIN main ON true
		UNION ALL
		SELECT part.step, CASE WHEN part.step OPERATOR(pg_catalog.=) 1 THEN ''effort'' ELSE ''quality'' END, part.name, part.before, part.after, part.effect,
			part.effect OPERATOR(pg_catalog./) activity_metrics.nonzero(part.gap), part.p, part.n_before, part.n_after,
			pg_catalog.format(''%%s: %%s, %%s %%s: %%s %%s.'', part.name, activity_metrics.plain_number(part.after), %10$L::pg_catalog.text, activity_metrics.plain_number(part.before),
				activity_metrics.signed_number(part.effect), l.l[%5$s]),
			NULL, CASE WHEN part.step OPERATOR(pg_catalog.>) 1 AND part.p IS NULL THEN ''no p: it is not a count of events out of others'' END
		FROM part, labels AS l, whole AS w WHERE part.effect IS NOT NULL AND w.own_rows OPERATOR(pg_catalog.>) 0
		UNION ALL
		SELECT (%5$s OPERATOR(pg_catalog.+) m.no)::pg_catalog.int4, ''team'', m.name, NULL, NULL, m.effect, m.effect OPERATOR(pg_catalog./) activity_metrics.nonzero(w.gap), NULL, NULL, NULL,
			pg_catalog.format(''%%s: %%s %%s.'', CASE WHEN m.no OPERATOR(pg_catalog.=) 1 THEN pg_catalog.format(''volume (all %%s)'', l.l[1]) WHEN m.no OPERATOR(pg_catalog.=) 2 THEN pg_catalog.format(''mix (who has the %%s)'', l.l[1]) ELSE ''quality (of each rep)'' END,
				activity_metrics.signed_number(m.effect), l.l[%5$s]),
			NULL, CASE WHEN m.from_nothing OPERATOR(pg_catalog.>) 0 THEN pg_catalog.format(''without the %%s of %%s units that have no %%s'', l.l[%5$s], m.from_nothing, l.l[1]) END
		FROM mixed AS m, labels AS l, whole AS w WHERE w.own_rows OPERATOR(pg_catalog.>) 0
		ORDER BY 1',
		activity_metrics.diagnosis_totals_sql(steps), unit, versus, versus_unit, last, method, labels, subject, is_early, other,
		CASE (activity_metrics.find_metric(steps[last])).direction WHEN 'down' THEN '(-1)' ELSE '1' END, counts);
END;
$$;
COMMENT ON FUNCTION activity_metrics.diagnosis_sql(text[], text, text, text, text, boolean) IS
'Internal: the statement that diagnosis() runs; parameters as of diagnosis_totals_sql().';

CREATE FUNCTION activity_metrics.diagnosis(
	outcome text,
	unit text DEFAULT NULL,
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	versus text DEFAULT 'earlier',
	chain text[] DEFAULT NULL,
	lag_days double precision DEFAULT 0,
	versus_unit text DEFAULT NULL,
	versus_since timestamptz DEFAULT NULL,
	versus_until timestamptz DEFAULT NULL,
	method text DEFAULT 'shapley',
	OUT part_no integer,
	OUT kind text,
	OUT part text,
	OUT before double precision,
	OUT after double precision,
	OUT effect double precision,
	OUT share double precision,
	OUT p double precision,
	OUT n_before double precision,
	OUT n_after double precision,
	OUT sentence text,
	OUT next_step text,
	OUT reason text)
RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 8 COST 100000 SET jit = off AS $$
#variable_conflict use_column
DECLARE
	range_until pg_catalog.timestamptz := coalesce($4, pg_catalog.now());
	range_since pg_catalog.timestamptz;
	from_time pg_catalog.timestamptz;
	to_time pg_catalog.timestamptz;
	steps pg_catalog.text[] := $6;
	lag pg_catalog.interval;
BEGIN
	IF coalesce($5, '') OPERATOR(pg_catalog.<>) ALL (ARRAY['earlier', 'team', 'unit']::pg_catalog.text[]) THEN
		RAISE EXCEPTION 'versus is "%"', $5 USING ERRCODE = '22023',
			HINT = 'Compare with earlier (the same unit before), team (the average of the others) or unit (versus_unit).';
	END IF;
	IF $5 OPERATOR(pg_catalog.<>) 'earlier' AND $2 IS NULL THEN
		RAISE EXCEPTION 'versus "%" needs a unit', $5 USING ERRCODE = '22023', HINT = 'Name the unit, or compare the whole team with earlier.';
	END IF;
	IF ($5 OPERATOR(pg_catalog.=) 'unit') OPERATOR(pg_catalog.<>) ($8 IS NOT NULL) THEN
		RAISE EXCEPTION 'versus and versus_unit do not go together' USING ERRCODE = '22023', HINT = 'Write versus => ''unit'', versus_unit => ''...''.';
	END IF;
	IF $5 OPERATOR(pg_catalog.<>) 'earlier' AND ($9 IS NOT NULL OR $10 IS NOT NULL) THEN
		RAISE EXCEPTION 'versus "%" is over the same range of time', $5 USING ERRCODE = '22023', HINT = 'Leave versus_since and versus_until out, or compare with earlier.';
	END IF;
	IF $7 IS NULL OR NOT ($7 OPERATOR(pg_catalog.>=) 0 AND $7 OPERATOR(pg_catalog.<=) 3650) THEN
		RAISE EXCEPTION 'lag_days is %', $7 USING ERRCODE = '22023', HINT = 'Give the days from the first metric of the chain to the last, 0 to 3650.';
	END IF;
	IF coalesce(pg_catalog.lower($11), '') OPERATOR(pg_catalog.<>) ALL (ARRAY['shapley', 'lmdi']::pg_catalog.text[]) THEN
		RAISE EXCEPTION 'unknown method "%"', $11 USING ERRCODE = '22023', HINT = 'Methods are shapley and lmdi.';
	END IF;
	-- 13 weeks unless told otherwise, the same length before
	range_since := coalesce($3, range_until OPERATOR(pg_catalog.-) pg_catalog.make_interval(days => 91));
	PERFORM activity_metrics.check_range(range_since, range_until);
	to_time := CASE WHEN $5 OPERATOR(pg_catalog.=) 'earlier' THEN coalesce($10, range_since) ELSE range_until END;
	from_time := CASE WHEN $5 OPERATOR(pg_catalog.=) 'earlier' THEN coalesce($9, to_time OPERATOR(pg_catalog.-) (range_until OPERATOR(pg_catalog.-) range_since)) ELSE range_since END;
	PERFORM activity_metrics.check_range(from_time, to_time);
	lag := pg_catalog.make_interval(secs => 86400 OPERATOR(pg_catalog.*) $7);
	IF steps IS NULL THEN
		steps := activity_metrics.diagnosis_chain($1, from_time, range_until);
	ELSIF coalesce(pg_catalog.array_position(steps, NULL), 0) OPERATOR(pg_catalog.>) 0 THEN
		RAISE EXCEPTION 'the chain has a null' USING ERRCODE = '22004', HINT = 'Name metrics from activity to outcome: ARRAY[''calls'', ''meetings'', ''wins''].';
	ELSIF coalesce(pg_catalog.cardinality(steps), 0) OPERATOR(pg_catalog.=) 0 OR steps[pg_catalog.cardinality(steps)] OPERATOR(pg_catalog.<>) $1 THEN
		steps := steps OPERATOR(pg_catalog.||) $1;
	END IF;
	IF pg_catalog.cardinality(steps) OPERATOR(pg_catalog.<) 2 OR pg_catalog.cardinality(steps) OPERATOR(pg_catalog.>) 16
		OR (SELECT pg_catalog.count(DISTINCT c.name) FROM pg_catalog.unnest(steps) AS c(name)) OPERATOR(pg_catalog.<) pg_catalog.cardinality(steps) THEN
		RAISE EXCEPTION 'a chain of % metrics', pg_catalog.cardinality(steps) USING ERRCODE = '22023',
			DETAIL = pg_catalog.format('It is %s.', pg_catalog.array_to_string(steps, ' -> ')),
			HINT = 'Name 1 to 15 metrics from activity to outcome, each once; the outcome is added at the end.';
	END IF;
	RETURN QUERY EXECUTE activity_metrics.diagnosis_sql(steps, $2, $5, $8, pg_catalog.lower($11), range_until OPERATOR(pg_catalog.+) lag OPERATOR(pg_catalog.>) pg_catalog.now() AND $7 OPERATOR(pg_catalog.>) 0)
		USING from_time, to_time, range_since, range_until, lag;
END;
$$;
COMMENT ON FUNCTION activity_metrics.diagnosis(text, text, timestamptz, timestamptz, text, text[], double precision, text, timestamptz, timestamptz, text) IS
'Too little effort or too little quality? The difference of an outcome, split along a chain of metrics: first row the total, then one row per part: effort (the first metric) and the quality of each step (each metric per one of the metric before it), which add up to the total; for the whole team then its volume, mix and quality.
outcome: a metric of the dictionary; unit: a rep (NULL: the whole team); since, until: the time looked at (NULL: the 91 days up to now); versus: earlier (the same length of time right before, or versus_since to versus_until), team (the average of the other units at the same time) or unit (versus_unit); chain: metrics from activity to outcome (NULL: the most frequent active surface metrics, of those with this outcome_metric if there are any); lag_days: how long after the first metric the outcome comes; it is counted so much later, the metrics between in proportion; method: shapley or lmdi. A metric that counts distinct values counts them per day.
before, after: what is compared, after being the unit and time looked at; effect: the part in the outcome''s difference; share: of the difference; p: exact two-sided p of the same yield (for the total: from first to last metric; NULL of what is not a count), n_before and n_after the numbers it rests on.
Errors: no such metric (42704), arguments that do not go together, a metric of the chain that is neither a count nor a sum (22023), no activity in the dictionary (55000).';
