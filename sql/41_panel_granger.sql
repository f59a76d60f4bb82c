--
-- Panel Granger test: does the past of x help to predict y, for some unit?
--

CREATE TYPE activity_metrics.panel_granger_result AS (
	lag_order integer,
	units integer,
	wbar double precision,
	zbar double precision,
	p_zbar double precision,
	ztilde double precision,
	p_ztilde double precision,
	unit text[],
	wald double precision[],
	p_unit double precision[]
);
COMMENT ON TYPE activity_metrics.panel_granger_result IS
'The test of Dumitrescu and Hurlin (2012): units with a statistic; wbar, the mean of their Wald statistics; zbar, standardised for many periods, and ztilde, for the periods there are, each with its two-sided normal p; unit, wald and p_unit: the units one by one, lag_order times F and its p by chi-square. NULL = not defined: ztilde needs more than 5 + 3 lag_order periods in each unit.';

CREATE FUNCTION activity_metrics.panel_granger_trans(internal, bigint, bigint, double precision, double precision, integer) RETURNS internal
AS 'MODULE_PATHNAME', 'am_panel_granger_int8_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.panel_granger_trans(internal, bigint, bigint, double precision, double precision, integer) IS 'Internal: adds a row to the panel of panel_granger().';

CREATE FUNCTION activity_metrics.panel_granger_trans(internal, text, bigint, double precision, double precision, integer) RETURNS internal
AS 'MODULE_PATHNAME', 'am_panel_granger_text_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.panel_granger_trans(internal, text, bigint, double precision, double precision, integer) IS 'Internal: adds a row to the panel of panel_granger().';

CREATE FUNCTION activity_metrics.panel_granger_trans(internal, uuid, bigint, double precision, double precision, integer) RETURNS internal
AS 'MODULE_PATHNAME', 'am_panel_granger_uuid_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.panel_granger_trans(internal, uuid, bigint, double precision, double precision, integer) IS 'Internal: adds a row to the panel of panel_granger().';

CREATE FUNCTION activity_metrics.panel_granger_final(internal) RETURNS activity_metrics.panel_granger_result
AS 'MODULE_PATHNAME', 'am_panel_granger_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.panel_granger_final(internal) IS 'Internal: the result of panel_granger().';

CREATE AGGREGATE activity_metrics.panel_granger(unit bigint, period bigint, x double precision, y double precision, lag_order integer) (
	SFUNC = activity_metrics.panel_granger_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.panel_granger_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.panel_granger(bigint, bigint, double precision, double precision, integer) IS
'Does the past of x help to predict y beyond y''s own past, for some unit (Dumitrescu and Hurlin 2012)? One regression per unit with lag_order values before of each. It looks at lags 1 to lag_order only, not at signs, and is too often sure where series persist or share a season: lead_lag() is the test to go by. period: consecutive numbers (period_no); several rows of a unit and period are added up; a missing period between a unit''s first and last counts as 0, unless some x or y is NULL; lag_order NULL: 1. No rows: NULL. Errors: NaN or infinite values (22003), lag_order outside 1..100 or changing (22023), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.panel_granger(unit text, period bigint, x double precision, y double precision, lag_order integer) (
	SFUNC = activity_metrics.panel_granger_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.panel_granger_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.panel_granger(text, bigint, double precision, double precision, integer) IS
'Does the past of x help to predict y beyond y''s own past, for some unit (Dumitrescu and Hurlin 2012)? One regression per unit with lag_order values before of each. It looks at lags 1 to lag_order only, not at signs, and is too often sure where series persist or share a season: lead_lag() is the test to go by. period: consecutive numbers (period_no); several rows of a unit and period are added up; a missing period between a unit''s first and last counts as 0, unless some x or y is NULL; lag_order NULL: 1. No rows: NULL. Errors: NaN or infinite values (22003), lag_order outside 1..100 or changing (22023), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.panel_granger(unit uuid, period bigint, x double precision, y double precision, lag_order integer) (
	SFUNC = activity_metrics.panel_granger_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.panel_granger_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.panel_granger(uuid, bigint, double precision, double precision, integer) IS
'Does the past of x help to predict y beyond y''s own past, for some unit (Dumitrescu and Hurlin 2012)? One regression per unit with lag_order values before of each. It looks at lags 1 to lag_order only, not at signs, and is too often sure where series persist or share a season: lead_lag() is the test to go by. period: consecutive numbers (period_no); several rows of a unit and period are added up; a missing period between a unit''s first and last counts as 0, unless some x or y is NULL; lag_order NULL: 1. No rows: NULL. Errors: NaN or infinite values (22003), lag_order outside 1..100 or changing (22023), too large a panel (54000).';
