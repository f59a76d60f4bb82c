--
-- Dose and response in a panel: how much of x for one more y, on average and at the usual level, and does more still pay.
--

CREATE TYPE activity_metrics.panel_dose_result AS (
	verdict text,
	lag_from integer,
	lag_to integer,
	total_x double precision,
	total_y double precision,
	average double precision,
	average_low double precision,
	average_high double precision,
	n bigint,
	units integer,
	periods integer,
	usual_x double precision,
	usual_y double precision,
	elasticity double precision,
	low double precision,
	high double precision,
	p double precision,
	error text,
	marginal double precision,
	marginal_low double precision,
	marginal_high double precision,
	slope_below double precision,
	slope_below_low double precision,
	slope_below_high double precision,
	slope_above double precision,
	slope_above_low double precision,
	slope_above_high double precision,
	p_bend double precision,
	curve text,
	aic_linear double precision,
	aic_logarithmic double precision,
	aic_saturating double precision,
	curve_a double precision,
	curve_b double precision,
	saturates_at double precision,
	half_x double precision,
	reason text
);
COMMENT ON TYPE activity_metrics.panel_dose_result IS
'Result of panel_dose_response(). verdict: of lead_lag(), where it was asked for the lag, NULL where the lag was given; lag_from, lag_to: the periods after which more x shows in y.
average: total_x / total_y, x for each y, with its exact 95 % interval: of a proportion where both are whole and y is no more than x, else of a Poisson count; total_y 0: average_low = total_x / 3; an amount, y not whole: no interval.
n unit-periods of units and periods in the regression; usual_x (mean over the lags), usual_y: means where all lags are there; elasticity: % of y for 1 % of x at its usual level, with 95 % interval low to high and two-sided p by t with units - 1; error: the larger of two, that of clustered units or that of the dispersion; marginal: x for one more y at the usual level, usual_x / (elasticity * usual_y), its interval from that of the elasticity, marginal_high NULL: open.
slope_below, slope_above: elasticities below and above what is usual for the unit and the period, p_bend of no difference; with usual_x below 5 the logarithm alone can make one.
curve: linear (a + b x), logarithmic (a + b ln(1 + x)) or saturating (a x / (b + x)) with the smallest of the three AIC; curve_a, curve_b: a and b of it; saturates_at, half_x: a and b of the saturating one, the most there is to get and the x that gives half of it.
reason: why there is no elasticity: no_lag, one_unit, too_few_rows, no_variation. NULL = not defined.';

CREATE FUNCTION activity_metrics.panel_dose_response_trans(internal, bigint, bigint, double precision, double precision, integer, integer) RETURNS internal
AS 'MODULE_PATHNAME', 'am_panel_dose_int8_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.panel_dose_response_trans(internal, bigint, bigint, double precision, double precision, integer, integer) IS 'Internal: adds a row to the panel of panel_dose_response().';

CREATE FUNCTION activity_metrics.panel_dose_response_trans(internal, text, bigint, double precision, double precision, integer, integer) RETURNS internal
AS 'MODULE_PATHNAME', 'am_panel_dose_text_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.panel_dose_response_trans(internal, text, bigint, double precision, double precision, integer, integer) IS 'Internal: adds a row to the panel of panel_dose_response().';

CREATE FUNCTION activity_metrics.panel_dose_response_trans(internal, uuid, bigint, double precision, double precision, integer, integer) RETURNS internal
AS 'MODULE_PATHNAME', 'am_panel_dose_uuid_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.panel_dose_response_trans(internal, uuid, bigint, double precision, double precision, integer, integer) IS 'Internal: adds a row to the panel of panel_dose_response().';

CREATE FUNCTION activity_metrics.panel_dose_response_final(internal) RETURNS activity_metrics.panel_dose_result
AS 'MODULE_PATHNAME', 'am_panel_dose_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.panel_dose_response_final(internal) IS 'Internal: the result of panel_dose_response().';

CREATE AGGREGATE activity_metrics.panel_dose_response(unit bigint, period bigint, x double precision, y double precision, lag_from integer, lag_to integer) (
	SFUNC = activity_metrics.panel_dose_response_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.panel_dose_response_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.panel_dose_response(bigint, bigint, double precision, double precision, integer, integer) IS
'How much of x for one more y: on average; at the usual level, by a Poisson regression of y on ln(x + c) at lags lag_from - 1 to lag_to + 1 (0 at least) with a level for each unit and each period, c = 0.5 for whole numbers, else 5 % of the mean of those above 0; and whether more still pays, by two slopes and three curves. lag_from NULL: the lag at which lead_lag() finds x to lead y or to come with it, none: only the average; lag_to NULL: lag_from. period: consecutive numbers (period_no); several rows of a unit and period are added up; a missing period between a unit''s first and last counts as 0, unless some x or y is NULL. No rows: NULL. Errors: NaN or infinite values (22003), values below 0, lag_from below 0, lag_to below it or more than 12 above, beyond the periods or changing (22023), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.panel_dose_response(unit text, period bigint, x double precision, y double precision, lag_from integer, lag_to integer) (
	SFUNC = activity_metrics.panel_dose_response_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.panel_dose_response_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.panel_dose_response(text, bigint, double precision, double precision, integer, integer) IS
'How much of x for one more y: on average; at the usual level, by a Poisson regression of y on ln(x + c) at lags lag_from - 1 to lag_to + 1 (0 at least) with a level for each unit and each period, c = 0.5 for whole numbers, else 5 % of the mean of those above 0; and whether more still pays, by two slopes and three curves. lag_from NULL: the lag at which lead_lag() finds x to lead y or to come with it, none: only the average; lag_to NULL: lag_from. period: consecutive numbers (period_no); several rows of a unit and period are added up; a missing period between a unit''s first and last counts as 0, unless some x or y is NULL. No rows: NULL. Errors: NaN or infinite values (22003), values below 0, lag_from below 0, lag_to below it or more than 12 above, beyond the periods or changing (22023), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.panel_dose_response(unit uuid, period bigint, x double precision, y double precision, lag_from integer, lag_to integer) (
	SFUNC = activity_metrics.panel_dose_response_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.panel_dose_response_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.panel_dose_response(uuid, bigint, double precision, double precision, integer, integer) IS
'How much of x for one more y: on average; at the usual level, by a Poisson regression of y on ln(x + c) at lags lag_from - 1 to lag_to + 1 (0 at least) with a level for each unit and each period, c = 0.5 for whole numbers, else 5 % of the mean of those above 0; and whether more still pays, by two slopes and three curves. lag_from NULL: the lag at which lead_lag() finds x to lead y or to come with it, none: only the average; lag_to NULL: lag_from. period: consecutive numbers (period_no); several rows of a unit and period are added up; a missing period between a unit''s first and last counts as 0, unless some x or y is NULL. No rows: NULL. Errors: NaN or infinite values (22003), values below 0, lag_from below 0, lag_to below it or more than 12 above, beyond the periods or changing (22023), too large a panel (54000).';

CREATE FUNCTION activity_metrics.number_in_words(value double precision) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE
		WHEN pg_catalog.abs(value) OPERATOR(pg_catalog.>=) 1e15::pg_catalog.float8 THEN pg_catalog.btrim(pg_catalog.to_char(value, '9.99EEEE'))
		WHEN pg_catalog.abs(value) OPERATOR(pg_catalog.>=) 99.95::pg_catalog.float8 THEN pg_catalog.to_char(pg_catalog.round(value::pg_catalog.numeric), 'FM999,999,999,999,999,990')
		WHEN pg_catalog.abs(value) OPERATOR(pg_catalog.>=) 9.95::pg_catalog.float8 THEN pg_catalog.to_char(pg_catalog.round(value::pg_catalog.numeric), 'FM990')
		WHEN pg_catalog.abs(value) OPERATOR(pg_catalog.>=) 0.1::pg_catalog.float8 OR value OPERATOR(pg_catalog.=) 0 THEN pg_catalog.to_char(pg_catalog.round(value::pg_catalog.numeric, 1), 'FM990.0')
		ELSE pg_catalog.btrim(pg_catalog.to_char(value, '9.9EEEE')) END;
END;
COMMENT ON FUNCTION activity_metrics.number_in_words(double precision) IS
'Internal: a number as sentences have it, with two or three digits and commas.';

CREATE FUNCTION activity_metrics.panel_dose_sentence(
	dose activity_metrics.panel_dose_result,
	x text DEFAULT 'x',
	y text DEFAULT 'y',
	grain text DEFAULT 'period')
RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	said text := '';
	average text;
	basis text;
	later text;
BEGIN
	x := coalesce(x, 'x');
	y := coalesce(y, 'y');
	grain := coalesce(grain, 'period');
	IF dose IS NULL THEN
		RETURN NULL;
	END IF;
	average := CASE
		WHEN dose.average IS NOT NULL THEN format('On average there are %s %s for each of %s%s.', activity_metrics.number_in_words(dose.average), x, y,
			CASE WHEN dose.average_high IS NOT NULL THEN format(' (%s to %s)', activity_metrics.number_in_words(dose.average_low), activity_metrics.number_in_words(dose.average_high)) ELSE '' END)
		WHEN dose.average_low > 0 THEN format('No %s with %s %s: one takes %s or more.', y, activity_metrics.number_in_words(dose.total_x), x, activity_metrics.number_in_words(dose.average_low))
		ELSE format('There is no %s and no %s.', x, y) END;
	IF dose.elasticity IS NULL THEN
		RETURN average || CASE dose.reason
			WHEN 'no_lag' THEN format(' No evidence that changes in %s come before changes in %s, or with them, so there is no lag at which to tell what one more takes: look for an activity that leads with leading_indicators(), or give lag_from.', x, y)
			WHEN 'one_unit' THEN format(' What one more takes cannot be told from one unit, where %s and the %s are one: use distributed_lag() on the series.', x, grain)
			WHEN 'too_few_rows' THEN format(' There are too few %ss in a row with all lags to tell what one more takes: collect more.', grain)
			ELSE format(' Within units, %s does not vary enough, or %s is too rare, to tell what one more takes.', x, y) END;
	END IF;
	basis := format('%s unit-%ss of %s units', to_char(dose.n, 'FM999,999,999,990'), grain, to_char(dose.units, 'FM999,999,990'));
	later := CASE
		WHEN dose.lag_to = 0 THEN format('in the same %s', grain)
		WHEN dose.lag_from = dose.lag_to THEN format('%s %s%s before', dose.lag_to, grain, CASE WHEN dose.lag_to = 1 THEN '' ELSE 's' END)
		ELSE format('%s to %s %ss before', dose.lag_from, dose.lag_to, grain) END;
	IF dose.marginal_high IS NOT NULL THEN
		said := format('To raise %s by one takes about %s more %s (%s to %s) %s, where %s %s and %s %s for each unit and %s are usual (%s). %s Plan with the first figure: the average counts what would have come anyway.',
			y, activity_metrics.number_in_words(dose.marginal), x, activity_metrics.number_in_words(dose.marginal_low), activity_metrics.number_in_words(dose.marginal_high), later,
			activity_metrics.number_in_words(dose.usual_x), x, activity_metrics.number_in_words(dose.usual_y), y, grain, basis, average);
		said := said || CASE
			-- ln(x + 0.5) bends what is straight where x is 0 or 1
			WHEN dose.p_bend <= 0.05 AND dose.slope_above < dose.slope_below AND dose.usual_x >= 5 THEN
				format(' Above the usual level it brings less (1 %% more: %s %% of %s, below it %s %%): raise those who are below.', round(dose.slope_above::numeric, 2), y, round(dose.slope_below::numeric, 2))
			ELSE '' END;
	ELSIF dose.low <= 0 AND dose.high >= 0 THEN
		said := format('More %s are not shown to bring more %s: 1 %% more %s goes with %s %% more (%s to %s; %s)%s. %s Do not plan with it: collect more %ss, or look for an activity that leads with leading_indicators().',
			x, y, later, round(dose.elasticity::numeric, 2), round(dose.low::numeric, 2), round(dose.high::numeric, 2), basis,
			CASE WHEN dose.marginal_low IS NOT NULL THEN format(', so one more takes at least %s', activity_metrics.number_in_words(dose.marginal_low)) ELSE '' END, average, grain);
	ELSE
		said := format('More %s go with less %s: 1 %% more %s, %s %% (%s to %s; %s). %s Do not ask for more of it before you know why.',
			x, y, later, round(dose.elasticity::numeric, 2), round(dose.low::numeric, 2), round(dose.high::numeric, 2), basis, average);
	END IF;
	RETURN said;
END;
$$;
COMMENT ON FUNCTION activity_metrics.panel_dose_sentence(activity_metrics.panel_dose_result, text, text, text) IS
'What a result of panel_dose_response() says, in sentences with numbers and what to do, that call the columns x and y and a period grain; names NULL: x, y, period. A NULL result gives NULL.';

CREATE FUNCTION activity_metrics.dose_report(
	x text,
	y text,
	grain text DEFAULT 'week',
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	INOUT lag_from integer DEFAULT NULL,
	INOUT lag_to integer DEFAULT NULL,
	relation regclass DEFAULT NULL,
	unit text DEFAULT 'unit',
	period text DEFAULT 'period',
	tz text DEFAULT 'UTC',
	INOUT segment text DEFAULT NULL,
	OUT sentence text,
	OUT verdict text,
	OUT total_x double precision,
	OUT total_y double precision,
	OUT average double precision,
	OUT average_low double precision,
	OUT average_high double precision,
	OUT n bigint,
	OUT units integer,
	OUT periods integer,
	OUT usual_x double precision,
	OUT usual_y double precision,
	OUT elasticity double precision,
	OUT low double precision,
	OUT high double precision,
	OUT p double precision,
	OUT error text,
	OUT marginal double precision,
	OUT marginal_low double precision,
	OUT marginal_high double precision,
	OUT slope_below double precision,
	OUT slope_below_low double precision,
	OUT slope_below_high double precision,
	OUT slope_above double precision,
	OUT slope_above_low double precision,
	OUT slope_above_high double precision,
	OUT p_bend double precision,
	OUT curve text,
	OUT aic_linear double precision,
	OUT aic_logarithmic double precision,
	OUT aic_saturating double precision,
	OUT curve_a double precision,
	OUT curve_b double precision,
	OUT saturates_at double precision,
	OUT half_x double precision,
	OUT reason text)
RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 1 COST 10000 SET jit = off AS $$
#variable_conflict use_column
BEGIN
	PERFORM activity_metrics.check_range(since, until);
	RETURN QUERY EXECUTE pg_catalog.format(
		'SELECT (found.dose).lag_from, (found.dose).lag_to, found.segment, activity_metrics.panel_dose_sentence(found.dose, $5, $6, $7),
			(found.dose).verdict, (found.dose).total_x, (found.dose).total_y, (found.dose).average, (found.dose).average_low, (found.dose).average_high, (found.dose).n, (found.dose).units, (found.dose).periods, (found.dose).usual_x, (found.dose).usual_y, (found.dose).elasticity, (found.dose).low, (found.dose).high, (found.dose).p, (found.dose).error, (found.dose).marginal, (found.dose).marginal_low, (found.dose).marginal_high, (found.dose).slope_below, (found.dose).slope_below_low, (found.dose).slope_below_high, (found.dose).slope_above, (found.dose).slope_above_low, (found.dose).slope_above_high, (found.dose).p_bend, (found.dose).curve, (found.dose).aic_linear, (found.dose).aic_logarithmic, (found.dose).aic_saturating, (found.dose).curve_a, (found.dose).curve_b, (found.dose).saturates_at, (found.dose).half_x, (found.dose).reason
		FROM (SELECT %s AS segment, coalesce(activity_metrics.panel_dose_response(p.unit, p.period, p.x, p.y, $3, $4),
				(SELECT activity_metrics.panel_dose_response(NULL::pg_catalog.text, NULL, NULL, NULL, $3, $4))) AS dose FROM (%s) AS p%s) AS found
		ORDER BY found.segment',
		CASE WHEN $12 IS NULL THEN 'NULL::pg_catalog.text' ELSE 'p.segment' END,
		activity_metrics.panel_sql($1, $2, $3, $8, $9, $10, $11, $12),
		CASE WHEN $12 IS NULL THEN '' ELSE ' GROUP BY p.segment' END)
	USING since, until, $6, $7, activity_metrics.metric_label($1, $8), activity_metrics.metric_label($2, $8), grain;
END;
$$;
COMMENT ON FUNCTION activity_metrics.dose_report(text, text, text, timestamptz, timestamptz, integer, integer, regclass, text, text, text, text) IS
'How much of one metric for one more of another: one row, columns as of panel_dose_result, with sentences that say it.
x, y: metrics of the dictionary, or columns of relation; grain: the period; since, until: events in [since, until), whole periods only; lag_from, lag_to: periods after which more x shows in y, NULL: as lead_lag() finds; relation: a table or view with one row per unit and period (columns unit and period, a number or a time); tz: the zone of times without one in relation; segment: a column, one row for each of its values.
Errors: no such metric (42704), no such column (42703), as of panel_dose_response().';
