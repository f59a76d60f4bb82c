--
-- Lead and lag: which of two numbers moves first, by how many periods, how surely.
--

CREATE TYPE activity_metrics.lead_lag_row AS (
	lag integer,
	n bigint,
	units integer,
	r double precision,
	low double precision,
	high double precision,
	p double precision,
	p_holm double precision,
	r_pooled double precision,
	r_between double precision,
	r_within double precision,
	sign_share double precision,
	forecast_gain double precision,
	p_strict double precision,
	method text
);
COMMENT ON TYPE activity_metrics.lead_lag_row IS
'One lag of a lead/lag profile (lag > 0: x leads y): n pairs of units units; r with its 95 % interval and two-sided p within units, p_holm adjusted over the lags; r_pooled, r_between, r_within of the raw columns, to compare; sign_share, the share of units with the sign of r; forecast_gain, the share of the error that x takes off a forecast of y out of sample (lag > 0); p_strict, p_holm after a second look at seasons that are larger for larger units and at columns that are mostly zero, equal to it where there is nothing to look at: the verdict goes by the larger of the two; method, what was done beyond the ordinary: season N, differenced, ranks, N controls, AR(order). NULL = not defined, in method: nothing.';

CREATE FUNCTION activity_metrics.lead_lag_trans(internal, bigint, bigint, double precision, double precision, integer) RETURNS internal
AS 'MODULE_PATHNAME', 'am_lead_lag_int8_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.lead_lag_trans(internal, bigint, bigint, double precision, double precision, integer) IS 'Internal: adds a row to the panel of lead_lag().';

CREATE FUNCTION activity_metrics.lead_lag_trans(internal, text, bigint, double precision, double precision, integer) RETURNS internal
AS 'MODULE_PATHNAME', 'am_lead_lag_text_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.lead_lag_trans(internal, text, bigint, double precision, double precision, integer) IS 'Internal: adds a row to the panel of lead_lag().';

CREATE FUNCTION activity_metrics.lead_lag_trans(internal, uuid, bigint, double precision, double precision, integer) RETURNS internal
AS 'MODULE_PATHNAME', 'am_lead_lag_uuid_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.lead_lag_trans(internal, uuid, bigint, double precision, double precision, integer) IS 'Internal: adds a row to the panel of lead_lag().';

CREATE FUNCTION activity_metrics.lead_lag_trans(internal, bigint, bigint, double precision, double precision, integer, text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_lead_lag_int8_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.lead_lag_trans(internal, bigint, bigint, double precision, double precision, integer, text) IS 'Internal: adds a row to the panel of lead_lag().';

CREATE FUNCTION activity_metrics.lead_lag_trans(internal, text, bigint, double precision, double precision, integer, text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_lead_lag_text_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.lead_lag_trans(internal, text, bigint, double precision, double precision, integer, text) IS 'Internal: adds a row to the panel of lead_lag().';

CREATE FUNCTION activity_metrics.lead_lag_trans(internal, uuid, bigint, double precision, double precision, integer, text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_lead_lag_uuid_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.lead_lag_trans(internal, uuid, bigint, double precision, double precision, integer, text) IS 'Internal: adds a row to the panel of lead_lag().';

CREATE FUNCTION activity_metrics.lead_lag_trans(internal, bigint, bigint, double precision, double precision, integer, double precision[], text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_lead_lag_int8_controls_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.lead_lag_trans(internal, bigint, bigint, double precision, double precision, integer, double precision[], text) IS 'Internal: adds a row to the panel of lead_lag().';

CREATE FUNCTION activity_metrics.lead_lag_trans(internal, text, bigint, double precision, double precision, integer, double precision[], text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_lead_lag_text_controls_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.lead_lag_trans(internal, text, bigint, double precision, double precision, integer, double precision[], text) IS 'Internal: adds a row to the panel of lead_lag().';

CREATE FUNCTION activity_metrics.lead_lag_trans(internal, uuid, bigint, double precision, double precision, integer, double precision[], text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_lead_lag_uuid_controls_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.lead_lag_trans(internal, uuid, bigint, double precision, double precision, integer, double precision[], text) IS 'Internal: adds a row to the panel of lead_lag().';

CREATE FUNCTION activity_metrics.lead_lag_final(internal) RETURNS activity_metrics.lead_lag_row[]
AS 'MODULE_PATHNAME', 'am_lead_lag_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.lead_lag_final(internal) IS 'Internal: the result of lead_lag().';

CREATE AGGREGATE activity_metrics.lead_lag(unit bigint, period bigint, x double precision, y double precision, max_lag integer) (
	SFUNC = activity_metrics.lead_lag_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.lead_lag_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.lead_lag(bigint, bigint, double precision, double precision, integer) IS
'Lead/lag profile of two panel columns, one lead_lag_row per lag from -max_lag to max_lag; lag k > 0: x leads y by k periods. period: consecutive numbers (period_no); several rows of a unit and period are added up; a missing period between a unit''s first and last counts as 0, unless some x or y is NULL; max_lag NULL: a quarter of the periods, at most 12. Method: period means removed, prewhitened per unit by an AR(1) of x, Fisher''s z averaged over units, t over units, Holm over lags. A single unit: differenced if x or y drifts (autocorrelation above 0.9), prewhitened by an AR of the order with the smallest AIC, t of r. No rows: NULL. Errors: NaN or infinite values (22003), max_lag outside 0..1000, beyond the periods or changing (22023), unknown option (22023), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.lead_lag(unit text, period bigint, x double precision, y double precision, max_lag integer) (
	SFUNC = activity_metrics.lead_lag_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.lead_lag_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.lead_lag(text, bigint, double precision, double precision, integer) IS
'Lead/lag profile of two panel columns, one lead_lag_row per lag from -max_lag to max_lag; lag k > 0: x leads y by k periods. period: consecutive numbers (period_no); several rows of a unit and period are added up; a missing period between a unit''s first and last counts as 0, unless some x or y is NULL; max_lag NULL: a quarter of the periods, at most 12. Method: period means removed, prewhitened per unit by an AR(1) of x, Fisher''s z averaged over units, t over units, Holm over lags. A single unit: differenced if x or y drifts (autocorrelation above 0.9), prewhitened by an AR of the order with the smallest AIC, t of r. No rows: NULL. Errors: NaN or infinite values (22003), max_lag outside 0..1000, beyond the periods or changing (22023), unknown option (22023), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.lead_lag(unit uuid, period bigint, x double precision, y double precision, max_lag integer) (
	SFUNC = activity_metrics.lead_lag_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.lead_lag_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.lead_lag(uuid, bigint, double precision, double precision, integer) IS
'Lead/lag profile of two panel columns, one lead_lag_row per lag from -max_lag to max_lag; lag k > 0: x leads y by k periods. period: consecutive numbers (period_no); several rows of a unit and period are added up; a missing period between a unit''s first and last counts as 0, unless some x or y is NULL; max_lag NULL: a quarter of the periods, at most 12. Method: period means removed, prewhitened per unit by an AR(1) of x, Fisher''s z averaged over units, t over units, Holm over lags. A single unit: differenced if x or y drifts (autocorrelation above 0.9), prewhitened by an AR of the order with the smallest AIC, t of r. No rows: NULL. Errors: NaN or infinite values (22003), max_lag outside 0..1000, beyond the periods or changing (22023), unknown option (22023), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.lead_lag(unit bigint, period bigint, x double precision, y double precision, max_lag integer, options text) (
	SFUNC = activity_metrics.lead_lag_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.lead_lag_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.lead_lag(bigint, bigint, double precision, double precision, integer, text) IS
'Lead/lag profile of two panel columns, one lead_lag_row per lag from -max_lag to max_lag; lag k > 0: x leads y by k periods. period: consecutive numbers (period_no); several rows of a unit and period are added up; a missing period between a unit''s first and last counts as 0, unless some x or y is NULL; max_lag NULL: a quarter of the periods, at most 12; options, with commas: rank, difference, difference auto, no differencing, season N, no prewhitening, keep period means, no filling; NULL: none. Method: period means removed, prewhitened per unit by an AR(1) of x, Fisher''s z averaged over units, t over units, Holm over lags. A single unit: differenced if x or y drifts (autocorrelation above 0.9), prewhitened by an AR of the order with the smallest AIC, t of r. No rows: NULL. Errors: NaN or infinite values (22003), max_lag outside 0..1000, beyond the periods or changing (22023), unknown option (22023), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.lead_lag(unit text, period bigint, x double precision, y double precision, max_lag integer, options text) (
	SFUNC = activity_metrics.lead_lag_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.lead_lag_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.lead_lag(text, bigint, double precision, double precision, integer, text) IS
'Lead/lag profile of two panel columns, one lead_lag_row per lag from -max_lag to max_lag; lag k > 0: x leads y by k periods. period: consecutive numbers (period_no); several rows of a unit and period are added up; a missing period between a unit''s first and last counts as 0, unless some x or y is NULL; max_lag NULL: a quarter of the periods, at most 12; options, with commas: rank, difference, difference auto, no differencing, season N, no prewhitening, keep period means, no filling; NULL: none. Method: period means removed, prewhitened per unit by an AR(1) of x, Fisher''s z averaged over units, t over units, Holm over lags. A single unit: differenced if x or y drifts (autocorrelation above 0.9), prewhitened by an AR of the order with the smallest AIC, t of r. No rows: NULL. Errors: NaN or infinite values (22003), max_lag outside 0..1000, beyond the periods or changing (22023), unknown option (22023), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.lead_lag(unit uuid, period bigint, x double precision, y double precision, max_lag integer, options text) (
	SFUNC = activity_metrics.lead_lag_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.lead_lag_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.lead_lag(uuid, bigint, double precision, double precision, integer, text) IS
'Lead/lag profile of two panel columns, one lead_lag_row per lag from -max_lag to max_lag; lag k > 0: x leads y by k periods. period: consecutive numbers (period_no); several rows of a unit and period are added up; a missing period between a unit''s first and last counts as 0, unless some x or y is NULL; max_lag NULL: a quarter of the periods, at most 12; options, with commas: rank, difference, difference auto, no differencing, season N, no prewhitening, keep period means, no filling; NULL: none. Method: period means removed, prewhitened per unit by an AR(1) of x, Fisher''s z averaged over units, t over units, Holm over lags. A single unit: differenced if x or y drifts (autocorrelation above 0.9), prewhitened by an AR of the order with the smallest AIC, t of r. No rows: NULL. Errors: NaN or infinite values (22003), max_lag outside 0..1000, beyond the periods or changing (22023), unknown option (22023), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.lead_lag(unit bigint, period bigint, x double precision, y double precision, max_lag integer, controls double precision[], options text) (
	SFUNC = activity_metrics.lead_lag_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.lead_lag_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.lead_lag(bigint, bigint, double precision, double precision, integer, double precision[], text) IS
'Lead/lag profile of two panel columns, one lead_lag_row per lag from -max_lag to max_lag; lag k > 0: x leads y by k periods. period: consecutive numbers (period_no); several rows of a unit and period are added up; a missing period between a unit''s first and last counts as 0, unless some x or y is NULL; max_lag NULL: a quarter of the periods, at most 12; controls: other columns, added up as x and y are, at most 20, that are held constant: partialled out of both within units by least squares after period means; NULL, or one NULL among them: a row that is not known; options, with commas: rank, difference, difference auto, no differencing, season N, no prewhitening, keep period means, no filling; NULL: none. Method: period means removed, prewhitened per unit by an AR(1) of x, Fisher''s z averaged over units, t over units, Holm over lags. A single unit: differenced if x or y drifts (autocorrelation above 0.9), prewhitened by an AR of the order with the smallest AIC, t of r. No rows: NULL. Errors: NaN or infinite values (22003), max_lag outside 0..1000, beyond the periods or changing, number of controls changing (22023), unknown option (22023), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.lead_lag(unit text, period bigint, x double precision, y double precision, max_lag integer, controls double precision[], options text) (
	SFUNC = activity_metrics.lead_lag_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.lead_lag_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.lead_lag(text, bigint, double precision, double precision, integer, double precision[], text) IS
'Lead/lag profile of two panel columns, one lead_lag_row per lag from -max_lag to max_lag; lag k > 0: x leads y by k periods. period: consecutive numbers (period_no); several rows of a unit and period are added up; a missing period between a unit''s first and last counts as 0, unless some x or y is NULL; max_lag NULL: a quarter of the periods, at most 12; controls: other columns, added up as x and y are, at most 20, that are held constant: partialled out of both within units by least squares after period means; NULL, or one NULL among them: a row that is not known; options, with commas: rank, difference, difference auto, no differencing, season N, no prewhitening, keep period means, no filling; NULL: none. Method: period means removed, prewhitened per unit by an AR(1) of x, Fisher''s z averaged over units, t over units, Holm over lags. A single unit: differenced if x or y drifts (autocorrelation above 0.9), prewhitened by an AR of the order with the smallest AIC, t of r. No rows: NULL. Errors: NaN or infinite values (22003), max_lag outside 0..1000, beyond the periods or changing, number of controls changing (22023), unknown option (22023), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.lead_lag(unit uuid, period bigint, x double precision, y double precision, max_lag integer, controls double precision[], options text) (
	SFUNC = activity_metrics.lead_lag_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.lead_lag_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.lead_lag(uuid, bigint, double precision, double precision, integer, double precision[], text) IS
'Lead/lag profile of two panel columns, one lead_lag_row per lag from -max_lag to max_lag; lag k > 0: x leads y by k periods. period: consecutive numbers (period_no); several rows of a unit and period are added up; a missing period between a unit''s first and last counts as 0, unless some x or y is NULL; max_lag NULL: a quarter of the periods, at most 12; controls: other columns, added up as x and y are, at most 20, that are held constant: partialled out of both within units by least squares after period means; NULL, or one NULL among them: a row that is not known; options, with commas: rank, difference, difference auto, no differencing, season N, no prewhitening, keep period means, no filling; NULL: none. Method: period means removed, prewhitened per unit by an AR(1) of x, Fisher''s z averaged over units, t over units, Holm over lags. A single unit: differenced if x or y drifts (autocorrelation above 0.9), prewhitened by an AR of the order with the smallest AIC, t of r. No rows: NULL. Errors: NaN or infinite values (22003), max_lag outside 0..1000, beyond the periods or changing, number of controls changing (22023), unknown option (22023), too large a panel (54000).';

CREATE FUNCTION activity_metrics.lead_lag_verdict(
	profile activity_metrics.lead_lag_row[],
	x text DEFAULT 'x',
	y text DEFAULT 'y',
	grain text DEFAULT 'period',
	OUT verdict text,
	OUT lag integer,
	OUT r double precision,
	OUT low double precision,
	OUT high double precision,
	OUT p_holm double precision,
	OUT sign_share double precision,
	OUT forecast_gain double precision,
	OUT n bigint,
	OUT sentence text,
	OUT p_strict double precision)
RETURNS record
AS 'MODULE_PATHNAME', 'am_lead_lag_verdict_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.lead_lag_verdict(activity_metrics.lead_lag_row[], text, text, text) IS
'What a profile of lead_lag() says: leading, coincident, lagging, no_evidence or insufficient_evidence, with the lag that decided (under no_evidence: the surest one), its figures, and one sentence that calls the columns x and y and a period grain. Rule: at the lag where the larger of p_holm and p_strict is smallest, that is at most 0.05, and its |r| exceeds that of every lag on the other side (those left out whose p_holm is at most 0.05 and p_strict is not). A NULL or empty profile gives NULLs. Errors: rows that lead_lag() does not return (22023).';

CREATE FUNCTION activity_metrics.period_column(relation regclass, period text, grain text, tz text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	type regtype;
	period_sql text := activity_metrics.check_column(relation, period, 'period');
BEGIN
	type := activity_metrics.column_type(relation, period);
	IF type IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype) THEN
		period_sql := period_sql || '::pg_catalog.int8';
	ELSE
		period_sql := format('activity_metrics.period_no(%s, %L::pg_catalog.text, %L::pg_catalog.text)',
			activity_metrics.time_column(relation, period, 'period', tz), grain, tz);
	END IF;
	RETURN period_sql;
END;
$$;
COMMENT ON FUNCTION activity_metrics.period_column(regclass, text, text, text) IS
'Internal: the expression of a column with the period of a row: a number, or a time from which the number is made.';

CREATE FUNCTION activity_metrics.relation_panel_sql(relation regclass, x text, y text, unit text, period text, grain text, tz text, segment text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN format('SELECT %s AS unit, %s AS period, %s AS x, %s AS y, true AS is_complete, %s AS quality, %s AS segment FROM %s',
		activity_metrics.text_column(relation, unit, 'unit'), activity_metrics.period_column(relation, period, grain, tz),
		activity_metrics.number_column(relation, x, 'x'), activity_metrics.number_column(relation, y, 'y'),
		activity_metrics.quality_column(relation), activity_metrics.segment_column(relation, segment),
		activity_metrics.qualified_name(relation));
END;
$$;
COMMENT ON FUNCTION activity_metrics.relation_panel_sql(regclass, text, text, text, text, text, text, text) IS
'Internal: a statement that reads a panel from a relation with one row per unit and period.';

CREATE FUNCTION activity_metrics.period_range_sql(grain text, tz text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT pg_catalog.format('($1 IS NULL OR p.period OPERATOR(pg_catalog.>)
				activity_metrics.period_no($1 OPERATOR(pg_catalog.-) ''1 microsecond''::pg_catalog.interval, %1$L::pg_catalog.text, %2$L::pg_catalog.text))
			AND ($2 IS NULL OR p.period OPERATOR(pg_catalog.<) activity_metrics.period_no($2, %1$L::pg_catalog.text, %2$L::pg_catalog.text))', grain, tz);
END;
COMMENT ON FUNCTION activity_metrics.period_range_sql(text, text) IS
'Internal: the condition that p.period lies in [$1, $2) as a whole.';

CREATE FUNCTION activity_metrics.panel_sql(x text, y text, grain text, relation regclass, unit text, period text, tz text, segment text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM activity_metrics.check_grain(grain);
	IF relation IS NOT NULL THEN
		RETURN format('SELECT * FROM (%s) AS p WHERE %s',
			activity_metrics.relation_panel_sql(relation, x, y, unit, period, grain, tz, segment), activity_metrics.period_range_sql(grain, tz));
	END IF;
	-- a period that is not over, or that is cut, would look like a drop
	RETURN format('SELECT * FROM activity_metrics.metric_panel(%L::pg_catalog.text, %L::pg_catalog.text, %L::pg_catalog.text, $1, $2, %L::pg_catalog.text) AS p WHERE p.is_complete',
		x, y, grain, segment);
END;
$$;
COMMENT ON FUNCTION activity_metrics.panel_sql(text, text, text, regclass, text, text, text, text) IS
'Internal: the statement for the panel of a report, of metrics of the dictionary or of columns of a relation; $1 since, $2 until.';

CREATE FUNCTION activity_metrics.metric_label(name text, relation regclass) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN CASE WHEN relation IS NULL THEN (activity_metrics.find_metric(name)).label ELSE name END;
END;
$$;
COMMENT ON FUNCTION activity_metrics.metric_label(text, regclass) IS
'Internal: what sentences call a metric: its label in the dictionary, or the column''s name.';

CREATE FUNCTION activity_metrics.lead_lag_report(
	x text,
	y text,
	grain text DEFAULT 'week',
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	max_lag integer DEFAULT NULL,
	relation regclass DEFAULT NULL,
	unit text DEFAULT 'unit',
	period text DEFAULT 'period',
	options text DEFAULT NULL,
	tz text DEFAULT 'UTC',
	OUT lag integer,
	OUT n bigint,
	OUT units integer,
	OUT r double precision,
	OUT low double precision,
	OUT high double precision,
	OUT p double precision,
	OUT p_holm double precision,
	OUT r_pooled double precision,
	OUT r_between double precision,
	OUT r_within double precision,
	OUT sign_share double precision,
	OUT forecast_gain double precision,
	OUT verdict text,
	OUT sentence text,
	OUT p_strict double precision,
	OUT method text,
	INOUT segment text DEFAULT NULL)
RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 25 COST 10000 SET jit = off AS $$
#variable_conflict use_column
BEGIN
	PERFORM activity_metrics.check_range(since, until);
	RETURN QUERY EXECUTE pg_catalog.format(
		'SELECT row.lag, row.n, row.units, row.r, row.low, row.high, row.p, row.p_holm, row.r_pooled, row.r_between, row.r_within, row.sign_share, row.forecast_gain, CASE WHEN row.lag OPERATOR(pg_catalog.=) v.lag OR (v.lag IS NULL AND row.lag OPERATOR(pg_catalog.=) 0) THEN v.verdict END,
			CASE WHEN row.lag OPERATOR(pg_catalog.=) v.lag OR (v.lag IS NULL AND row.lag OPERATOR(pg_catalog.=) 0) THEN v.sentence END, row.p_strict, row.method, profile.segment
		FROM (SELECT %s AS segment, coalesce(activity_metrics.lead_lag(p.unit, p.period, p.x, p.y, $3, $4),
				(SELECT activity_metrics.lead_lag(NULL::pg_catalog.text, NULL, NULL, NULL, $3, $4))) AS rows FROM (%s) AS p%s) AS profile,
		LATERAL activity_metrics.lead_lag_verdict(profile.rows, $5, $6, $7) AS v,
		LATERAL pg_catalog.unnest(profile.rows) AS row
		ORDER BY profile.segment, row.lag',
		CASE WHEN lead_lag_report.segment IS NULL THEN 'NULL::pg_catalog.text' ELSE 'p.segment' END,
		activity_metrics.panel_sql($1, $2, $3, $7, $8, $9, $11, lead_lag_report.segment),
		CASE WHEN lead_lag_report.segment IS NULL THEN '' ELSE ' GROUP BY p.segment' END)
	USING since, until, max_lag, options, activity_metrics.metric_label($1, $7), activity_metrics.metric_label($2, $7), grain;
END;
$$;
COMMENT ON FUNCTION activity_metrics.lead_lag_report(text, text, text, timestamptz, timestamptz, integer, regclass, text, text, text, text, text) IS
'Which of two metrics moves first: one row per lag (lag > 0: x leads y), as of lead_lag(), with the verdict and its sentence on the row that decided.
x, y: metrics of the dictionary, or columns of relation; grain: the period; since, until: events in [since, until), whole periods only; max_lag: NULL for a quarter of the periods, at most 12; relation: a table or view with one row per unit and period (columns unit and period, a number or a time); options: as of lead_lag(); tz: the zone of times without one in relation; segment: a column, one profile for each of its values.
Errors: no such metric (42704), no such column (42703), as of lead_lag().';
