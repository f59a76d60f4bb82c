--
-- How closely two columns go together, with a test and an interval.
--

CREATE TYPE activity_metrics.correlation_result AS (
	r double precision,
	p double precision,
	low double precision,
	high double precision,
	n bigint
);
COMMENT ON TYPE activity_metrics.correlation_result IS
'A coefficient of correlation: r from -1 to 1; p, two-sided, of r = 0; low and high, its 95 % interval; n, the pairs it is made of. NULL = not defined: all four if a column is constant or n is 1; p where n is too small; the interval where n is too small or r is 1 or -1.';

CREATE FUNCTION activity_metrics.pearson_trans(internal, double precision, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_pearson_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.pearson_trans(internal, double precision, double precision) IS 'Internal: adds a pair to the sums of pearson().';

CREATE FUNCTION activity_metrics.pearson_inverse(internal, double precision, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_pearson_inverse' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.pearson_inverse(internal, double precision, double precision) IS 'Internal: takes a pair that has left a window frame back from the sums of pearson().';

CREATE FUNCTION activity_metrics.pearson_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'am_pearson_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.pearson_combine(internal, internal) IS 'Internal: joins two states of pearson().';

CREATE FUNCTION activity_metrics.pearson_serial(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'am_pearson_serial' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.pearson_serial(internal) IS 'Internal: serialises a state of pearson().';

CREATE FUNCTION activity_metrics.pearson_deserial(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'am_state_deserial' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.pearson_deserial(bytea, internal) IS 'Internal: reads what pearson_serial wrote.';

CREATE FUNCTION activity_metrics.pearson_final(internal) RETURNS activity_metrics.correlation_result
AS 'MODULE_PATHNAME', 'am_pearson_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.pearson_final(internal) IS 'Internal: the result of pearson().';

CREATE FUNCTION activity_metrics.pairs_trans(internal, double precision, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_pairs_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.pairs_trans(internal, double precision, double precision) IS 'Internal: adds a pair to the bag of spearman() and kendall().';

CREATE FUNCTION activity_metrics.pairs_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'am_pairs_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.pairs_combine(internal, internal) IS 'Internal: joins two bags of pairs.';

CREATE FUNCTION activity_metrics.pairs_serial(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'am_pairs_serial' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.pairs_serial(internal) IS 'Internal: serialises a bag of pairs.';

CREATE FUNCTION activity_metrics.pairs_deserial(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'am_state_deserial' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.pairs_deserial(bytea, internal) IS 'Internal: reads what pairs_serial wrote.';

CREATE FUNCTION activity_metrics.spearman_final(internal) RETURNS activity_metrics.correlation_result
AS 'MODULE_PATHNAME', 'am_spearman_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.spearman_final(internal) IS 'Internal: the result of spearman().';

CREATE FUNCTION activity_metrics.kendall_final(internal) RETURNS activity_metrics.correlation_result
AS 'MODULE_PATHNAME', 'am_kendall_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.kendall_final(internal) IS 'Internal: the result of kendall().';

CREATE AGGREGATE activity_metrics.pearson(x double precision, y double precision) (
	SFUNC = activity_metrics.pearson_trans, STYPE = internal, SSPACE = 256,
	FINALFUNC = activity_metrics.pearson_final,
	COMBINEFUNC = activity_metrics.pearson_combine,
	SERIALFUNC = activity_metrics.pearson_serial, DESERIALFUNC = activity_metrics.pearson_deserial,
	MSFUNC = activity_metrics.pearson_trans, MINVFUNC = activity_metrics.pearson_inverse,
	MSTYPE = internal, MSSPACE = 256, MFINALFUNC = activity_metrics.pearson_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.pearson(double precision, double precision) IS
'Pearson''s r of x and y, as a correlation_result: how close the pairs come to a straight line. Of exact sums, rounded at the end only, so that large offsets, tiny and huge values cost no digit. p: t test with n - 2 degrees of freedom (n > 2; 0 where r is 1 or -1); interval: Fisher''s z (1921), n > 3. Rows where x or y is NULL are left out; no pairs give NULL. The same to the bit for any order of rows, any plan and any number of workers. Errors: NaN or infinite values (22003).';

CREATE AGGREGATE activity_metrics.spearman(x double precision, y double precision) (
	SFUNC = activity_metrics.pairs_trans, STYPE = internal, SSPACE = 320,
	FINALFUNC = activity_metrics.spearman_final,
	COMBINEFUNC = activity_metrics.pairs_combine,
	SERIALFUNC = activity_metrics.pairs_serial, DESERIALFUNC = activity_metrics.pairs_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.spearman(double precision, double precision) IS
'Spearman''s rho of x and y, as a correlation_result: Pearson''s r of their ranks, mid-ranks for ties; how far one rises whenever the other does, whatever the outliers. p: t test with n - 2 degrees of freedom (n > 2; 0 where r is 1 or -1); interval: Fisher''s z with variance (1 + r^2 / 2) / (n - 3) (Bonett and Wright 2000), n > 3. Rows where x or y is NULL are left out; no pairs give NULL. The same to the bit for any order of rows, any plan and any number of workers. Errors: NaN or infinite values (22003), over 2 billion pairs in one group, or in a window frame more than fit into memory (54000).';

CREATE AGGREGATE activity_metrics.kendall(x double precision, y double precision) (
	SFUNC = activity_metrics.pairs_trans, STYPE = internal, SSPACE = 320,
	FINALFUNC = activity_metrics.kendall_final,
	COMBINEFUNC = activity_metrics.pairs_combine,
	SERIALFUNC = activity_metrics.pairs_serial, DESERIALFUNC = activity_metrics.pairs_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.kendall(double precision, double precision) IS
'Kendall''s tau-b of x and y, as a correlation_result: the share of pairs of rows that agree in direction less the share that disagree, corrected for ties (Knight 1966). p: normal approximation with the variance corrected for ties, without correction for continuity, n > 1; interval: Fisher''s z with variance 0.437 / (n - 4) (Fieller, Hartley and Pearson 1957), n > 4. Rows where x or y is NULL are left out; no pairs give NULL. The same to the bit for any order of rows, any plan and any number of workers. Errors: NaN or infinite values (22003), over 2 billion pairs in one group, or in a window frame more than fit into memory (54000).';
