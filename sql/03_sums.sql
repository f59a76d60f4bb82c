--
-- Sums that are the same to the bit for any order of rows, any plan and any number of workers.
--

CREATE FUNCTION activity_metrics.exact_trans(internal, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_exact_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.exact_trans(internal, double precision) IS 'Internal: adds a value to exact_sum().';

CREATE FUNCTION activity_metrics.exact_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'am_exact_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.exact_combine(internal, internal) IS 'Internal: joins two states of exact_sum().';

CREATE FUNCTION activity_metrics.exact_serial(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'am_exact_serial' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.exact_serial(internal) IS 'Internal: serialises a state of exact_sum().';

CREATE FUNCTION activity_metrics.exact_deserial(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'am_state_deserial' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.exact_deserial(bytea, internal) IS 'Internal: reads what exact_serial wrote.';

CREATE FUNCTION activity_metrics.exact_sum_final(internal) RETURNS double precision
AS 'MODULE_PATHNAME', 'am_exact_sum_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.exact_sum_final(internal) IS 'Internal: the result of exact_sum().';

CREATE FUNCTION activity_metrics.exact_avg_final(internal) RETURNS double precision
AS 'MODULE_PATHNAME', 'am_exact_avg_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.exact_avg_final(internal) IS 'Internal: the result of exact_avg().';

CREATE AGGREGATE activity_metrics.exact_sum(x double precision) (
	SFUNC = activity_metrics.exact_trans, STYPE = internal, SSPACE = 384,
	FINALFUNC = activity_metrics.exact_sum_final,
	COMBINEFUNC = activity_metrics.exact_combine,
	SERIALFUNC = activity_metrics.exact_serial, DESERIALFUNC = activity_metrics.exact_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.exact_sum(double precision) IS
'The sum, rounded once (Shewchuk 1997), the same to the bit in any order of rows; NULLs are left out, no values give NULL. Errors: NaN, infinite values, overflow (22003).';

CREATE AGGREGATE activity_metrics.exact_avg(x double precision) (
	SFUNC = activity_metrics.exact_trans, STYPE = internal, SSPACE = 384,
	FINALFUNC = activity_metrics.exact_avg_final,
	COMBINEFUNC = activity_metrics.exact_combine,
	SERIALFUNC = activity_metrics.exact_serial, DESERIALFUNC = activity_metrics.exact_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.exact_avg(double precision) IS
'The mean: the exact sum divided by the count (Shewchuk 1997), the same to the bit in any order of rows; NULLs are left out, no values give NULL. Errors: NaN, infinite values, overflow (22003).';
