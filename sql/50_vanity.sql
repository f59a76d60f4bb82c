--
-- Vanity: does a number count motion or progress, and is it being gamed since it became a target?
--

CREATE TYPE activity_metrics.vanity_result AS (
	score double precision,
	verdict text,
	confidence double precision,
	lag_from integer,
	lag_to integer,
	elasticity double precision,
	low double precision,
	high double precision,
	no_progress double precision,
	only_rises double precision,
	is_outcome double precision,
	p_gamed double precision,
	wrong_way double precision,
	follows double precision,
	same_week double precision,
	saturated double precision,
	empty_high double precision,
	quality_gain double precision,
	reliability double precision,
	size_share double precision,
	time_share double precision,
	within_share double precision,
	smallest_visible double precision,
	n bigint,
	units integer,
	periods integer,
	outcomes bigint,
	sentence text
);
COMMENT ON TYPE activity_metrics.vanity_result IS
'Result of vanity(): score 0..1 (1 = vanity), verdict (outcome, leading_indicator, diagnostic, vanity, gamed, insufficient_evidence) and the probability that decided it; elasticity (% more outcome per 1 % more metric) with its 95 % interval in the best window of lags; the components; how the dashboard correlation splits into unit size, common time and within units; the smallest elasticity that could have been seen; what it rests on; one sentence. NULL = not defined.';

CREATE TYPE activity_metrics.gaming_result AS (
	p_gamed double precision,
	bunch double precision,
	surge double precision,
	quality_fall double precision,
	did double precision,
	fill double precision,
	yield double precision,
	keep double precision,
	share_at_target double precision,
	share_before double precision,
	n_before bigint,
	n_after bigint,
	sentence text
);
COMMENT ON TYPE activity_metrics.gaming_result IS
'Result of gaming(): the probability that a metric is gamed since it became a target; the signals (bunching on the number, surge, fall of quality from 0 to 1; did, fill, yield, keep as log Bayes factors); the share of rows on the target after and before; rows before and after; one sentence. NULL = not defined.';

CREATE TYPE activity_metrics.gaming_unit AS (
	unit text,
	suspicion double precision
);
COMMENT ON TYPE activity_metrics.gaming_unit IS
'One unit of gaming_units(): the higher the suspicion, the more the unit''s rows look filled up to the target. A ranking, not a probability.';

CREATE FUNCTION activity_metrics.vanity_trans(internal, bigint, bigint, double precision, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_vanity_int8_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.vanity_trans(internal, bigint, bigint, double precision, double precision) IS 'Internal: adds a row to the panel of vanity().';

CREATE FUNCTION activity_metrics.vanity_trans(internal, text, bigint, double precision, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_vanity_text_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.vanity_trans(internal, text, bigint, double precision, double precision) IS 'Internal: adds a row to the panel of vanity().';

CREATE FUNCTION activity_metrics.vanity_trans(internal, uuid, bigint, double precision, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_vanity_uuid_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.vanity_trans(internal, uuid, bigint, double precision, double precision) IS 'Internal: adds a row to the panel of vanity().';

CREATE FUNCTION activity_metrics.vanity_trans(internal, bigint, bigint, double precision, double precision, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_vanity_int8_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.vanity_trans(internal, bigint, bigint, double precision, double precision, double precision) IS 'Internal: adds a row to the panel of vanity().';

CREATE FUNCTION activity_metrics.vanity_trans(internal, text, bigint, double precision, double precision, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_vanity_text_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.vanity_trans(internal, text, bigint, double precision, double precision, double precision) IS 'Internal: adds a row to the panel of vanity().';

CREATE FUNCTION activity_metrics.vanity_trans(internal, uuid, bigint, double precision, double precision, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_vanity_uuid_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.vanity_trans(internal, uuid, bigint, double precision, double precision, double precision) IS 'Internal: adds a row to the panel of vanity().';

CREATE FUNCTION activity_metrics.vanity_trans(internal, bigint, bigint, double precision, double precision, double precision, text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_vanity_int8_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.vanity_trans(internal, bigint, bigint, double precision, double precision, double precision, text) IS 'Internal: adds a row to the panel of vanity().';

CREATE FUNCTION activity_metrics.vanity_trans(internal, text, bigint, double precision, double precision, double precision, text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_vanity_text_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.vanity_trans(internal, text, bigint, double precision, double precision, double precision, text) IS 'Internal: adds a row to the panel of vanity().';

CREATE FUNCTION activity_metrics.vanity_trans(internal, uuid, bigint, double precision, double precision, double precision, text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_vanity_uuid_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.vanity_trans(internal, uuid, bigint, double precision, double precision, double precision, text) IS 'Internal: adds a row to the panel of vanity().';

CREATE FUNCTION activity_metrics.vanity_final(internal) RETURNS activity_metrics.vanity_result
AS 'MODULE_PATHNAME', 'am_vanity_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.vanity_final(internal) IS 'Internal: the result of vanity().';

CREATE AGGREGATE activity_metrics.vanity(unit bigint, period bigint, metric double precision, outcome double precision) (
	SFUNC = activity_metrics.vanity_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.vanity_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.vanity(bigint, bigint, double precision, double precision) IS
'Does a number count motion or progress? Returns one vanity_result for a panel of rows (unit, period, metric, outcome): a score from 0 to 1 (1 = vanity), a verdict, its components and one sentence. period: consecutive numbers (period_no); a missing row means not employed, zero means zero; rows with a NULL are left out; several rows of a unit and period are added up. Method: a score test of a two-way Poisson fixed-effects model at lags up to 12 periods, turned into probabilities by approximate Bayes factors (Wakefield 2009). No rows: NULL. Errors: negative (22023), NaN or infinite values (22003), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.vanity(unit text, period bigint, metric double precision, outcome double precision) (
	SFUNC = activity_metrics.vanity_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.vanity_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.vanity(text, bigint, double precision, double precision) IS
'Does a number count motion or progress? Returns one vanity_result for a panel of rows (unit, period, metric, outcome): a score from 0 to 1 (1 = vanity), a verdict, its components and one sentence. period: consecutive numbers (period_no); a missing row means not employed, zero means zero; rows with a NULL are left out; several rows of a unit and period are added up. Method: a score test of a two-way Poisson fixed-effects model at lags up to 12 periods, turned into probabilities by approximate Bayes factors (Wakefield 2009). No rows: NULL. Errors: negative (22023), NaN or infinite values (22003), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.vanity(unit uuid, period bigint, metric double precision, outcome double precision) (
	SFUNC = activity_metrics.vanity_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.vanity_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.vanity(uuid, bigint, double precision, double precision) IS
'Does a number count motion or progress? Returns one vanity_result for a panel of rows (unit, period, metric, outcome): a score from 0 to 1 (1 = vanity), a verdict, its components and one sentence. period: consecutive numbers (period_no); a missing row means not employed, zero means zero; rows with a NULL are left out; several rows of a unit and period are added up. Method: a score test of a two-way Poisson fixed-effects model at lags up to 12 periods, turned into probabilities by approximate Bayes factors (Wakefield 2009). No rows: NULL. Errors: negative (22023), NaN or infinite values (22003), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.vanity(unit bigint, period bigint, metric double precision, outcome double precision, quality double precision) (
	SFUNC = activity_metrics.vanity_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.vanity_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.vanity(bigint, bigint, double precision, double precision, double precision) IS
'Does a number count motion or progress? Returns one vanity_result for a panel of rows (unit, period, metric, outcome, quality): a score from 0 to 1 (1 = vanity), a verdict, its components and one sentence. period: consecutive numbers (period_no); a missing row means not employed, zero means zero; rows with a NULL are left out; several rows of a unit and period are added up; quality (0 to 1): the share of the metric that was substantive, NULL unknown. Method: a score test of a two-way Poisson fixed-effects model at lags up to 12 periods, turned into probabilities by approximate Bayes factors (Wakefield 2009). No rows: NULL. Errors: negative (22023), NaN or infinite values (22003), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.vanity(unit text, period bigint, metric double precision, outcome double precision, quality double precision) (
	SFUNC = activity_metrics.vanity_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.vanity_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.vanity(text, bigint, double precision, double precision, double precision) IS
'Does a number count motion or progress? Returns one vanity_result for a panel of rows (unit, period, metric, outcome, quality): a score from 0 to 1 (1 = vanity), a verdict, its components and one sentence. period: consecutive numbers (period_no); a missing row means not employed, zero means zero; rows with a NULL are left out; several rows of a unit and period are added up; quality (0 to 1): the share of the metric that was substantive, NULL unknown. Method: a score test of a two-way Poisson fixed-effects model at lags up to 12 periods, turned into probabilities by approximate Bayes factors (Wakefield 2009). No rows: NULL. Errors: negative (22023), NaN or infinite values (22003), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.vanity(unit uuid, period bigint, metric double precision, outcome double precision, quality double precision) (
	SFUNC = activity_metrics.vanity_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.vanity_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.vanity(uuid, bigint, double precision, double precision, double precision) IS
'Does a number count motion or progress? Returns one vanity_result for a panel of rows (unit, period, metric, outcome, quality): a score from 0 to 1 (1 = vanity), a verdict, its components and one sentence. period: consecutive numbers (period_no); a missing row means not employed, zero means zero; rows with a NULL are left out; several rows of a unit and period are added up; quality (0 to 1): the share of the metric that was substantive, NULL unknown. Method: a score test of a two-way Poisson fixed-effects model at lags up to 12 periods, turned into probabilities by approximate Bayes factors (Wakefield 2009). No rows: NULL. Errors: negative (22023), NaN or infinite values (22003), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.vanity(unit bigint, period bigint, metric double precision, outcome double precision, quality double precision, options text) (
	SFUNC = activity_metrics.vanity_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.vanity_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.vanity(bigint, bigint, double precision, double precision, double precision, text) IS
'Does a number count motion or progress? Returns one vanity_result for a panel of rows (unit, period, metric, outcome, quality): a score from 0 to 1 (1 = vanity), a verdict, its components and one sentence. period: consecutive numbers (period_no); a missing row means not employed, zero means zero; rows with a NULL are left out; several rows of a unit and period are added up; quality (0 to 1): the share of the metric that was substantive, NULL unknown; options: lag prior 2..6, target 40 from 2870, definition changed 2870 (from that period on the metric is counted in another way), metric ''calls'', outcome ''wins'', unit ''rep'', grain ''week''. Method: a score test of a two-way Poisson fixed-effects model at lags up to 12 periods, turned into probabilities by approximate Bayes factors (Wakefield 2009). No rows: NULL. Errors: negative (22023), NaN or infinite values (22003), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.vanity(unit text, period bigint, metric double precision, outcome double precision, quality double precision, options text) (
	SFUNC = activity_metrics.vanity_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.vanity_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.vanity(text, bigint, double precision, double precision, double precision, text) IS
'Does a number count motion or progress? Returns one vanity_result for a panel of rows (unit, period, metric, outcome, quality): a score from 0 to 1 (1 = vanity), a verdict, its components and one sentence. period: consecutive numbers (period_no); a missing row means not employed, zero means zero; rows with a NULL are left out; several rows of a unit and period are added up; quality (0 to 1): the share of the metric that was substantive, NULL unknown; options: lag prior 2..6, target 40 from 2870, definition changed 2870 (from that period on the metric is counted in another way), metric ''calls'', outcome ''wins'', unit ''rep'', grain ''week''. Method: a score test of a two-way Poisson fixed-effects model at lags up to 12 periods, turned into probabilities by approximate Bayes factors (Wakefield 2009). No rows: NULL. Errors: negative (22023), NaN or infinite values (22003), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.vanity(unit uuid, period bigint, metric double precision, outcome double precision, quality double precision, options text) (
	SFUNC = activity_metrics.vanity_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.vanity_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.vanity(uuid, bigint, double precision, double precision, double precision, text) IS
'Does a number count motion or progress? Returns one vanity_result for a panel of rows (unit, period, metric, outcome, quality): a score from 0 to 1 (1 = vanity), a verdict, its components and one sentence. period: consecutive numbers (period_no); a missing row means not employed, zero means zero; rows with a NULL are left out; several rows of a unit and period are added up; quality (0 to 1): the share of the metric that was substantive, NULL unknown; options: lag prior 2..6, target 40 from 2870, definition changed 2870 (from that period on the metric is counted in another way), metric ''calls'', outcome ''wins'', unit ''rep'', grain ''week''. Method: a score test of a two-way Poisson fixed-effects model at lags up to 12 periods, turned into probabilities by approximate Bayes factors (Wakefield 2009). No rows: NULL. Errors: negative (22023), NaN or infinite values (22003), too large a panel (54000).';

CREATE FUNCTION activity_metrics.gaming_trans(internal, bigint, bigint, double precision, double precision, bigint, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_gaming_int8_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.gaming_trans(internal, bigint, bigint, double precision, double precision, bigint, double precision) IS 'Internal: adds a row to the panel of gaming().';

CREATE FUNCTION activity_metrics.gaming_trans(internal, text, bigint, double precision, double precision, bigint, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_gaming_text_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.gaming_trans(internal, text, bigint, double precision, double precision, bigint, double precision) IS 'Internal: adds a row to the panel of gaming().';

CREATE FUNCTION activity_metrics.gaming_trans(internal, uuid, bigint, double precision, double precision, bigint, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_gaming_uuid_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.gaming_trans(internal, uuid, bigint, double precision, double precision, bigint, double precision) IS 'Internal: adds a row to the panel of gaming().';

CREATE FUNCTION activity_metrics.gaming_trans(internal, bigint, bigint, double precision, double precision, bigint, double precision, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_gaming_int8_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.gaming_trans(internal, bigint, bigint, double precision, double precision, bigint, double precision, double precision) IS 'Internal: adds a row to the panel of gaming().';

CREATE FUNCTION activity_metrics.gaming_trans(internal, text, bigint, double precision, double precision, bigint, double precision, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_gaming_text_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.gaming_trans(internal, text, bigint, double precision, double precision, bigint, double precision, double precision) IS 'Internal: adds a row to the panel of gaming().';

CREATE FUNCTION activity_metrics.gaming_trans(internal, uuid, bigint, double precision, double precision, bigint, double precision, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_gaming_uuid_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.gaming_trans(internal, uuid, bigint, double precision, double precision, bigint, double precision, double precision) IS 'Internal: adds a row to the panel of gaming().';

CREATE FUNCTION activity_metrics.gaming_trans(internal, bigint, bigint, double precision, double precision, bigint, double precision, double precision, text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_gaming_int8_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.gaming_trans(internal, bigint, bigint, double precision, double precision, bigint, double precision, double precision, text) IS 'Internal: adds a row to the panel of gaming().';

CREATE FUNCTION activity_metrics.gaming_trans(internal, text, bigint, double precision, double precision, bigint, double precision, double precision, text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_gaming_text_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.gaming_trans(internal, text, bigint, double precision, double precision, bigint, double precision, double precision, text) IS 'Internal: adds a row to the panel of gaming().';

CREATE FUNCTION activity_metrics.gaming_trans(internal, uuid, bigint, double precision, double precision, bigint, double precision, double precision, text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_gaming_uuid_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.gaming_trans(internal, uuid, bigint, double precision, double precision, bigint, double precision, double precision, text) IS 'Internal: adds a row to the panel of gaming().';

CREATE FUNCTION activity_metrics.gaming_final(internal) RETURNS activity_metrics.gaming_result
AS 'MODULE_PATHNAME', 'am_gaming_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.gaming_final(internal) IS 'Internal: the result of gaming().';

CREATE FUNCTION activity_metrics.gaming_units_final(internal) RETURNS activity_metrics.gaming_unit[]
AS 'MODULE_PATHNAME', 'am_gaming_units_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.gaming_units_final(internal) IS 'Internal: the result of gaming_units().';

CREATE AGGREGATE activity_metrics.gaming(unit bigint, period bigint, metric double precision, outcome double precision, target_from bigint, target_value double precision) (
	SFUNC = activity_metrics.gaming_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming(bigint, bigint, double precision, double precision, bigint, double precision) IS
'Is a metric gamed since it became a target? Returns one gaming_result for a panel as of vanity(), a target that held from period target_from on, of target_value per unit and period (NULL: not known). Method: bunching at the target, surge, fall of quality, and whether the jump paid (difference in differences). No rows: NULL. Errors: NULL target_from (22004), a target not above zero or changing (22023).';

CREATE AGGREGATE activity_metrics.gaming(unit text, period bigint, metric double precision, outcome double precision, target_from bigint, target_value double precision) (
	SFUNC = activity_metrics.gaming_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming(text, bigint, double precision, double precision, bigint, double precision) IS
'Is a metric gamed since it became a target? Returns one gaming_result for a panel as of vanity(), a target that held from period target_from on, of target_value per unit and period (NULL: not known). Method: bunching at the target, surge, fall of quality, and whether the jump paid (difference in differences). No rows: NULL. Errors: NULL target_from (22004), a target not above zero or changing (22023).';

CREATE AGGREGATE activity_metrics.gaming(unit uuid, period bigint, metric double precision, outcome double precision, target_from bigint, target_value double precision) (
	SFUNC = activity_metrics.gaming_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming(uuid, bigint, double precision, double precision, bigint, double precision) IS
'Is a metric gamed since it became a target? Returns one gaming_result for a panel as of vanity(), a target that held from period target_from on, of target_value per unit and period (NULL: not known). Method: bunching at the target, surge, fall of quality, and whether the jump paid (difference in differences). No rows: NULL. Errors: NULL target_from (22004), a target not above zero or changing (22023).';

CREATE AGGREGATE activity_metrics.gaming(unit bigint, period bigint, metric double precision, outcome double precision, target_from bigint, target_value double precision, quality double precision) (
	SFUNC = activity_metrics.gaming_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming(bigint, bigint, double precision, double precision, bigint, double precision, double precision) IS
'Is a metric gamed since it became a target? Returns one gaming_result for a panel as of vanity(), a target that held from period target_from on, of target_value per unit and period (NULL: not known); quality as of vanity(). Method: bunching at the target, surge, fall of quality, and whether the jump paid (difference in differences). No rows: NULL. Errors: NULL target_from (22004), a target not above zero or changing (22023).';

CREATE AGGREGATE activity_metrics.gaming(unit text, period bigint, metric double precision, outcome double precision, target_from bigint, target_value double precision, quality double precision) (
	SFUNC = activity_metrics.gaming_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming(text, bigint, double precision, double precision, bigint, double precision, double precision) IS
'Is a metric gamed since it became a target? Returns one gaming_result for a panel as of vanity(), a target that held from period target_from on, of target_value per unit and period (NULL: not known); quality as of vanity(). Method: bunching at the target, surge, fall of quality, and whether the jump paid (difference in differences). No rows: NULL. Errors: NULL target_from (22004), a target not above zero or changing (22023).';

CREATE AGGREGATE activity_metrics.gaming(unit uuid, period bigint, metric double precision, outcome double precision, target_from bigint, target_value double precision, quality double precision) (
	SFUNC = activity_metrics.gaming_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming(uuid, bigint, double precision, double precision, bigint, double precision, double precision) IS
'Is a metric gamed since it became a target? Returns one gaming_result for a panel as of vanity(), a target that held from period target_from on, of target_value per unit and period (NULL: not known); quality as of vanity(). Method: bunching at the target, surge, fall of quality, and whether the jump paid (difference in differences). No rows: NULL. Errors: NULL target_from (22004), a target not above zero or changing (22023).';

CREATE AGGREGATE activity_metrics.gaming(unit bigint, period bigint, metric double precision, outcome double precision, target_from bigint, target_value double precision, quality double precision, options text) (
	SFUNC = activity_metrics.gaming_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming(bigint, bigint, double precision, double precision, bigint, double precision, double precision, text) IS
'Is a metric gamed since it became a target? Returns one gaming_result for a panel as of vanity(), a target that held from period target_from on, of target_value per unit and period (NULL: not known); quality as of vanity(); options: definition changed 2870 (from that period on the metric is counted in another way), metric ''calls'', outcome ''wins'', unit ''rep'', grain ''week''. Method: bunching at the target, surge, fall of quality, and whether the jump paid (difference in differences). No rows: NULL. Errors: NULL target_from (22004), a target not above zero or changing (22023).';

CREATE AGGREGATE activity_metrics.gaming(unit text, period bigint, metric double precision, outcome double precision, target_from bigint, target_value double precision, quality double precision, options text) (
	SFUNC = activity_metrics.gaming_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming(text, bigint, double precision, double precision, bigint, double precision, double precision, text) IS
'Is a metric gamed since it became a target? Returns one gaming_result for a panel as of vanity(), a target that held from period target_from on, of target_value per unit and period (NULL: not known); quality as of vanity(); options: definition changed 2870 (from that period on the metric is counted in another way), metric ''calls'', outcome ''wins'', unit ''rep'', grain ''week''. Method: bunching at the target, surge, fall of quality, and whether the jump paid (difference in differences). No rows: NULL. Errors: NULL target_from (22004), a target not above zero or changing (22023).';

CREATE AGGREGATE activity_metrics.gaming(unit uuid, period bigint, metric double precision, outcome double precision, target_from bigint, target_value double precision, quality double precision, options text) (
	SFUNC = activity_metrics.gaming_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming(uuid, bigint, double precision, double precision, bigint, double precision, double precision, text) IS
'Is a metric gamed since it became a target? Returns one gaming_result for a panel as of vanity(), a target that held from period target_from on, of target_value per unit and period (NULL: not known); quality as of vanity(); options: definition changed 2870 (from that period on the metric is counted in another way), metric ''calls'', outcome ''wins'', unit ''rep'', grain ''week''. Method: bunching at the target, surge, fall of quality, and whether the jump paid (difference in differences). No rows: NULL. Errors: NULL target_from (22004), a target not above zero or changing (22023).';

CREATE AGGREGATE activity_metrics.gaming_units(unit bigint, period bigint, metric double precision, outcome double precision, target_from bigint, target_value double precision) (
	SFUNC = activity_metrics.gaming_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_units_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming_units(bigint, bigint, double precision, double precision, bigint, double precision) IS
'Which units game a target: one gaming_unit for each unit of a panel as of gaming(), in order of unit. Suspicion is 3 (share on target after - before) + ln(volume ratio) - 0.5 ln(outcome ratio). No rows: NULL. Errors as of gaming().';

CREATE AGGREGATE activity_metrics.gaming_units(unit text, period bigint, metric double precision, outcome double precision, target_from bigint, target_value double precision) (
	SFUNC = activity_metrics.gaming_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_units_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming_units(text, bigint, double precision, double precision, bigint, double precision) IS
'Which units game a target: one gaming_unit for each unit of a panel as of gaming(), in order of unit. Suspicion is 3 (share on target after - before) + ln(volume ratio) - 0.5 ln(outcome ratio). No rows: NULL. Errors as of gaming().';

CREATE AGGREGATE activity_metrics.gaming_units(unit uuid, period bigint, metric double precision, outcome double precision, target_from bigint, target_value double precision) (
	SFUNC = activity_metrics.gaming_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_units_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming_units(uuid, bigint, double precision, double precision, bigint, double precision) IS
'Which units game a target: one gaming_unit for each unit of a panel as of gaming(), in order of unit. Suspicion is 3 (share on target after - before) + ln(volume ratio) - 0.5 ln(outcome ratio). No rows: NULL. Errors as of gaming().';

CREATE AGGREGATE activity_metrics.gaming_units(unit bigint, period bigint, metric double precision, outcome double precision, target_from bigint, target_value double precision, quality double precision) (
	SFUNC = activity_metrics.gaming_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_units_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming_units(bigint, bigint, double precision, double precision, bigint, double precision, double precision) IS
'Which units game a target: one gaming_unit for each unit of a panel as of gaming(); quality as of vanity(), in order of unit. Suspicion is 3 (share on target after - before) + ln(volume ratio) - 0.5 ln(outcome ratio). No rows: NULL. Errors as of gaming().';

CREATE AGGREGATE activity_metrics.gaming_units(unit text, period bigint, metric double precision, outcome double precision, target_from bigint, target_value double precision, quality double precision) (
	SFUNC = activity_metrics.gaming_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_units_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming_units(text, bigint, double precision, double precision, bigint, double precision, double precision) IS
'Which units game a target: one gaming_unit for each unit of a panel as of gaming(); quality as of vanity(), in order of unit. Suspicion is 3 (share on target after - before) + ln(volume ratio) - 0.5 ln(outcome ratio). No rows: NULL. Errors as of gaming().';

CREATE AGGREGATE activity_metrics.gaming_units(unit uuid, period bigint, metric double precision, outcome double precision, target_from bigint, target_value double precision, quality double precision) (
	SFUNC = activity_metrics.gaming_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_units_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming_units(uuid, bigint, double precision, double precision, bigint, double precision, double precision) IS
'Which units game a target: one gaming_unit for each unit of a panel as of gaming(); quality as of vanity(), in order of unit. Suspicion is 3 (share on target after - before) + ln(volume ratio) - 0.5 ln(outcome ratio). No rows: NULL. Errors as of gaming().';

CREATE AGGREGATE activity_metrics.gaming_units(unit bigint, period bigint, metric double precision, outcome double precision, target_from bigint, target_value double precision, quality double precision, options text) (
	SFUNC = activity_metrics.gaming_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_units_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming_units(bigint, bigint, double precision, double precision, bigint, double precision, double precision, text) IS
'Which units game a target: one gaming_unit for each unit of a panel as of gaming(); quality as of vanity(); options: definition changed 2870 (from that period on the metric is counted in another way), metric ''calls'', outcome ''wins'', unit ''rep'', grain ''week'', in order of unit. Suspicion is 3 (share on target after - before) + ln(volume ratio) - 0.5 ln(outcome ratio). No rows: NULL. Errors as of gaming().';

CREATE AGGREGATE activity_metrics.gaming_units(unit text, period bigint, metric double precision, outcome double precision, target_from bigint, target_value double precision, quality double precision, options text) (
	SFUNC = activity_metrics.gaming_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_units_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming_units(text, bigint, double precision, double precision, bigint, double precision, double precision, text) IS
'Which units game a target: one gaming_unit for each unit of a panel as of gaming(); quality as of vanity(); options: definition changed 2870 (from that period on the metric is counted in another way), metric ''calls'', outcome ''wins'', unit ''rep'', grain ''week'', in order of unit. Suspicion is 3 (share on target after - before) + ln(volume ratio) - 0.5 ln(outcome ratio). No rows: NULL. Errors as of gaming().';

CREATE AGGREGATE activity_metrics.gaming_units(unit uuid, period bigint, metric double precision, outcome double precision, target_from bigint, target_value double precision, quality double precision, options text) (
	SFUNC = activity_metrics.gaming_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_units_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming_units(uuid, bigint, double precision, double precision, bigint, double precision, double precision, text) IS
'Which units game a target: one gaming_unit for each unit of a panel as of gaming(); quality as of vanity(); options: definition changed 2870 (from that period on the metric is counted in another way), metric ''calls'', outcome ''wins'', unit ''rep'', grain ''week'', in order of unit. Suspicion is 3 (share on target after - before) + ln(volume ratio) - 0.5 ln(outcome ratio). No rows: NULL. Errors as of gaming().';

CREATE TYPE activity_metrics.gaming_scan_result AS (
	p_gamed double precision,
	bunch double precision,
	surge double precision,
	quality_fall double precision,
	did double precision,
	fill double precision,
	yield double precision,
	keep double precision,
	share_at_target double precision,
	share_before double precision,
	n_before bigint,
	n_after bigint,
	sentence text,
	found_period bigint,
	z double precision
);
COMMENT ON TYPE activity_metrics.gaming_scan_result IS
'Result of gaming_scan(): as gaming_result, then the first period of the change that was found and its two-sample z, which is the largest of many and no test. NULL = not defined.';

CREATE FUNCTION activity_metrics.gaming_scan_trans(internal, bigint, bigint, double precision, double precision, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_gaming_scan_int8_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.gaming_scan_trans(internal, bigint, bigint, double precision, double precision, double precision) IS 'Internal: adds a row to the panel of gaming_scan().';

CREATE FUNCTION activity_metrics.gaming_scan_trans(internal, text, bigint, double precision, double precision, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_gaming_scan_text_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.gaming_scan_trans(internal, text, bigint, double precision, double precision, double precision) IS 'Internal: adds a row to the panel of gaming_scan().';

CREATE FUNCTION activity_metrics.gaming_scan_trans(internal, uuid, bigint, double precision, double precision, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_gaming_scan_uuid_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.gaming_scan_trans(internal, uuid, bigint, double precision, double precision, double precision) IS 'Internal: adds a row to the panel of gaming_scan().';

CREATE FUNCTION activity_metrics.gaming_scan_trans(internal, bigint, bigint, double precision, double precision, double precision, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_gaming_scan_int8_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.gaming_scan_trans(internal, bigint, bigint, double precision, double precision, double precision, double precision) IS 'Internal: adds a row to the panel of gaming_scan().';

CREATE FUNCTION activity_metrics.gaming_scan_trans(internal, text, bigint, double precision, double precision, double precision, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_gaming_scan_text_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.gaming_scan_trans(internal, text, bigint, double precision, double precision, double precision, double precision) IS 'Internal: adds a row to the panel of gaming_scan().';

CREATE FUNCTION activity_metrics.gaming_scan_trans(internal, uuid, bigint, double precision, double precision, double precision, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_gaming_scan_uuid_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.gaming_scan_trans(internal, uuid, bigint, double precision, double precision, double precision, double precision) IS 'Internal: adds a row to the panel of gaming_scan().';

CREATE FUNCTION activity_metrics.gaming_scan_trans(internal, bigint, bigint, double precision, double precision, double precision, double precision, text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_gaming_scan_int8_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.gaming_scan_trans(internal, bigint, bigint, double precision, double precision, double precision, double precision, text) IS 'Internal: adds a row to the panel of gaming_scan().';

CREATE FUNCTION activity_metrics.gaming_scan_trans(internal, text, bigint, double precision, double precision, double precision, double precision, text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_gaming_scan_text_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.gaming_scan_trans(internal, text, bigint, double precision, double precision, double precision, double precision, text) IS 'Internal: adds a row to the panel of gaming_scan().';

CREATE FUNCTION activity_metrics.gaming_scan_trans(internal, uuid, bigint, double precision, double precision, double precision, double precision, text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_gaming_scan_uuid_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.gaming_scan_trans(internal, uuid, bigint, double precision, double precision, double precision, double precision, text) IS 'Internal: adds a row to the panel of gaming_scan().';

CREATE FUNCTION activity_metrics.gaming_scan_final(internal) RETURNS activity_metrics.gaming_scan_result
AS 'MODULE_PATHNAME', 'am_gaming_scan_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.gaming_scan_final(internal) IS 'Internal: the result of gaming_scan().';

CREATE AGGREGATE activity_metrics.gaming_scan(unit bigint, period bigint, metric double precision, outcome double precision, target_value double precision) (
	SFUNC = activity_metrics.gaming_scan_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_scan_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming_scan(bigint, bigint, double precision, double precision, double precision) IS
'Is a metric gamed, and since when, where no date is known? Returns one gaming_scan_result for a panel as of vanity() and a target of target_value per unit and period (NULL: not known). Method: the period with the largest two-sample z of the share of rows on the target or of the level, at least 4 periods and 15 % of the rows on either side (Andrews 1993); then as gaming(), with one unit less of log odds as the price of the search. No rows: NULL; too few periods: p_gamed NULL and a sentence. Errors: a target not above zero or changing (22023), as of vanity().';

CREATE AGGREGATE activity_metrics.gaming_scan(unit text, period bigint, metric double precision, outcome double precision, target_value double precision) (
	SFUNC = activity_metrics.gaming_scan_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_scan_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming_scan(text, bigint, double precision, double precision, double precision) IS
'Is a metric gamed, and since when, where no date is known? Returns one gaming_scan_result for a panel as of vanity() and a target of target_value per unit and period (NULL: not known). Method: the period with the largest two-sample z of the share of rows on the target or of the level, at least 4 periods and 15 % of the rows on either side (Andrews 1993); then as gaming(), with one unit less of log odds as the price of the search. No rows: NULL; too few periods: p_gamed NULL and a sentence. Errors: a target not above zero or changing (22023), as of vanity().';

CREATE AGGREGATE activity_metrics.gaming_scan(unit uuid, period bigint, metric double precision, outcome double precision, target_value double precision) (
	SFUNC = activity_metrics.gaming_scan_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_scan_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming_scan(uuid, bigint, double precision, double precision, double precision) IS
'Is a metric gamed, and since when, where no date is known? Returns one gaming_scan_result for a panel as of vanity() and a target of target_value per unit and period (NULL: not known). Method: the period with the largest two-sample z of the share of rows on the target or of the level, at least 4 periods and 15 % of the rows on either side (Andrews 1993); then as gaming(), with one unit less of log odds as the price of the search. No rows: NULL; too few periods: p_gamed NULL and a sentence. Errors: a target not above zero or changing (22023), as of vanity().';

CREATE AGGREGATE activity_metrics.gaming_scan(unit bigint, period bigint, metric double precision, outcome double precision, target_value double precision, quality double precision) (
	SFUNC = activity_metrics.gaming_scan_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_scan_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming_scan(bigint, bigint, double precision, double precision, double precision, double precision) IS
'Is a metric gamed, and since when, where no date is known? Returns one gaming_scan_result for a panel as of vanity() and a target of target_value per unit and period (NULL: not known); quality as of vanity(). Method: the period with the largest two-sample z of the share of rows on the target or of the level, at least 4 periods and 15 % of the rows on either side (Andrews 1993); then as gaming(), with one unit less of log odds as the price of the search. No rows: NULL; too few periods: p_gamed NULL and a sentence. Errors: a target not above zero or changing (22023), as of vanity().';

CREATE AGGREGATE activity_metrics.gaming_scan(unit text, period bigint, metric double precision, outcome double precision, target_value double precision, quality double precision) (
	SFUNC = activity_metrics.gaming_scan_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_scan_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming_scan(text, bigint, double precision, double precision, double precision, double precision) IS
'Is a metric gamed, and since when, where no date is known? Returns one gaming_scan_result for a panel as of vanity() and a target of target_value per unit and period (NULL: not known); quality as of vanity(). Method: the period with the largest two-sample z of the share of rows on the target or of the level, at least 4 periods and 15 % of the rows on either side (Andrews 1993); then as gaming(), with one unit less of log odds as the price of the search. No rows: NULL; too few periods: p_gamed NULL and a sentence. Errors: a target not above zero or changing (22023), as of vanity().';

CREATE AGGREGATE activity_metrics.gaming_scan(unit uuid, period bigint, metric double precision, outcome double precision, target_value double precision, quality double precision) (
	SFUNC = activity_metrics.gaming_scan_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_scan_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming_scan(uuid, bigint, double precision, double precision, double precision, double precision) IS
'Is a metric gamed, and since when, where no date is known? Returns one gaming_scan_result for a panel as of vanity() and a target of target_value per unit and period (NULL: not known); quality as of vanity(). Method: the period with the largest two-sample z of the share of rows on the target or of the level, at least 4 periods and 15 % of the rows on either side (Andrews 1993); then as gaming(), with one unit less of log odds as the price of the search. No rows: NULL; too few periods: p_gamed NULL and a sentence. Errors: a target not above zero or changing (22023), as of vanity().';

CREATE AGGREGATE activity_metrics.gaming_scan(unit bigint, period bigint, metric double precision, outcome double precision, target_value double precision, quality double precision, options text) (
	SFUNC = activity_metrics.gaming_scan_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_scan_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming_scan(bigint, bigint, double precision, double precision, double precision, double precision, text) IS
'Is a metric gamed, and since when, where no date is known? Returns one gaming_scan_result for a panel as of vanity() and a target of target_value per unit and period (NULL: not known); quality as of vanity(); options: definition changed 2870 (from that period on the metric is counted in another way), metric ''calls'', outcome ''wins'', unit ''rep'', grain ''week''. Method: the period with the largest two-sample z of the share of rows on the target or of the level, at least 4 periods and 15 % of the rows on either side (Andrews 1993); then as gaming(), with one unit less of log odds as the price of the search. No rows: NULL; too few periods: p_gamed NULL and a sentence. Errors: a target not above zero or changing (22023), as of vanity().';

CREATE AGGREGATE activity_metrics.gaming_scan(unit text, period bigint, metric double precision, outcome double precision, target_value double precision, quality double precision, options text) (
	SFUNC = activity_metrics.gaming_scan_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_scan_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming_scan(text, bigint, double precision, double precision, double precision, double precision, text) IS
'Is a metric gamed, and since when, where no date is known? Returns one gaming_scan_result for a panel as of vanity() and a target of target_value per unit and period (NULL: not known); quality as of vanity(); options: definition changed 2870 (from that period on the metric is counted in another way), metric ''calls'', outcome ''wins'', unit ''rep'', grain ''week''. Method: the period with the largest two-sample z of the share of rows on the target or of the level, at least 4 periods and 15 % of the rows on either side (Andrews 1993); then as gaming(), with one unit less of log odds as the price of the search. No rows: NULL; too few periods: p_gamed NULL and a sentence. Errors: a target not above zero or changing (22023), as of vanity().';

CREATE AGGREGATE activity_metrics.gaming_scan(unit uuid, period bigint, metric double precision, outcome double precision, target_value double precision, quality double precision, options text) (
	SFUNC = activity_metrics.gaming_scan_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.gaming_scan_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.gaming_scan(uuid, bigint, double precision, double precision, double precision, double precision, text) IS
'Is a metric gamed, and since when, where no date is known? Returns one gaming_scan_result for a panel as of vanity() and a target of target_value per unit and period (NULL: not known); quality as of vanity(); options: definition changed 2870 (from that period on the metric is counted in another way), metric ''calls'', outcome ''wins'', unit ''rep'', grain ''week''. Method: the period with the largest two-sample z of the share of rows on the target or of the level, at least 4 periods and 15 % of the rows on either side (Andrews 1993); then as gaming(), with one unit less of log odds as the price of the search. No rows: NULL; too few periods: p_gamed NULL and a sentence. Errors: a target not above zero or changing (22023), as of vanity().';
