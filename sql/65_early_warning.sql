--
-- Early warning: has activity dropped below what is usual, for whom, since when, and what will it cost?
--

CREATE TYPE activity_metrics.activity_cusum_row AS (
	unit text,
	period bigint,
	alarm boolean,
	alarm_period bigint,
	since_period bigint,
	level_now double precision,
	usual_level double precision,
	change double precision,
	cusum double precision,
	threshold double precision,
	false_alarm_every double precision,
	n bigint,
	phi double precision,
	share_down double precision,
	at_once boolean,
	reason text
);
COMMENT ON TYPE activity_metrics.activity_cusum_row IS
'A unit of activity_cusum() as of its last period; unit NULL: all together. alarm: cusum is at the threshold or above; alarm_period: the first period in which it was; since_period: when the drop is likely to have begun, the first period since the cusum was last zero; level_now: per period since then (without an alarm: in the last 4 periods), usual_level: before, both for a period in which the others do what is usual for them; change: level_now / usual_level - 1; false_alarm_every: periods between alarms, on average, if nothing changes, with the error that the usual level has; n: rows; phi: dispersion; share_down: of all together, the share of units that are below their own usual level since since_period; at_once: so many are that the cause is common to them; reason: why the rest is NULL.';

CREATE FUNCTION activity_metrics.activity_cusum_trans(internal, bigint, bigint, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_activity_cusum_int8_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.activity_cusum_trans(internal, bigint, bigint, double precision) IS 'Internal: adds a row to the panel of activity_cusum().';

CREATE FUNCTION activity_metrics.activity_cusum_trans(internal, text, bigint, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_activity_cusum_text_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.activity_cusum_trans(internal, text, bigint, double precision) IS 'Internal: adds a row to the panel of activity_cusum().';

CREATE FUNCTION activity_metrics.activity_cusum_trans(internal, uuid, bigint, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_activity_cusum_uuid_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.activity_cusum_trans(internal, uuid, bigint, double precision) IS 'Internal: adds a row to the panel of activity_cusum().';

CREATE FUNCTION activity_metrics.activity_cusum_trans(internal, bigint, bigint, double precision, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_activity_cusum_int8_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.activity_cusum_trans(internal, bigint, bigint, double precision, double precision) IS 'Internal: adds a row to the panel of activity_cusum().';

CREATE FUNCTION activity_metrics.activity_cusum_trans(internal, text, bigint, double precision, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_activity_cusum_text_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.activity_cusum_trans(internal, text, bigint, double precision, double precision) IS 'Internal: adds a row to the panel of activity_cusum().';

CREATE FUNCTION activity_metrics.activity_cusum_trans(internal, uuid, bigint, double precision, double precision) RETURNS internal
AS 'MODULE_PATHNAME', 'am_activity_cusum_uuid_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.activity_cusum_trans(internal, uuid, bigint, double precision, double precision) IS 'Internal: adds a row to the panel of activity_cusum().';

CREATE FUNCTION activity_metrics.activity_cusum_trans(internal, bigint, bigint, double precision, double precision, text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_activity_cusum_int8_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.activity_cusum_trans(internal, bigint, bigint, double precision, double precision, text) IS 'Internal: adds a row to the panel of activity_cusum().';

CREATE FUNCTION activity_metrics.activity_cusum_trans(internal, text, bigint, double precision, double precision, text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_activity_cusum_text_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.activity_cusum_trans(internal, text, bigint, double precision, double precision, text) IS 'Internal: adds a row to the panel of activity_cusum().';

CREATE FUNCTION activity_metrics.activity_cusum_trans(internal, uuid, bigint, double precision, double precision, text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_activity_cusum_uuid_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.activity_cusum_trans(internal, uuid, bigint, double precision, double precision, text) IS 'Internal: adds a row to the panel of activity_cusum().';

CREATE FUNCTION activity_metrics.activity_cusum_final(internal) RETURNS activity_metrics.activity_cusum_row[]
AS 'MODULE_PATHNAME', 'am_activity_cusum_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.activity_cusum_final(internal) IS 'Internal: the result of activity_cusum().';

CREATE AGGREGATE activity_metrics.activity_cusum(unit bigint, period bigint, x double precision) (
	SFUNC = activity_metrics.activity_cusum_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.activity_cusum_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.activity_cusum(bigint, bigint, double precision) IS
'Which units have dropped below their usual activity? Returns one activity_cusum_row per unit of a panel of rows (unit, period, x), in order of unit, and a last one (unit NULL) for all together where there are two. period: consecutive numbers (period_no); a missing row means not employed, zero means zero; rows with a NULL are left out; several rows of a unit and period are added up. Method: S = max(0, S - z - 0.5), alarm at S >= h, where z = 2 (sqrt(x + 3/8) - sqrt(m + 3/8)) / sqrt(phi), clipped to +-3, and m is the level of the unit over its 52 rows up to 8 before (8 at least), times what the other units do in that period over what is usual for them (Page 1954; docs/early_warning.md). No rows: NULL. Errors: negative x, quality outside 0 to 1, unknown options (22023), NaN or infinite values (22003), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.activity_cusum(unit text, period bigint, x double precision) (
	SFUNC = activity_metrics.activity_cusum_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.activity_cusum_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.activity_cusum(text, bigint, double precision) IS
'Which units have dropped below their usual activity? Returns one activity_cusum_row per unit of a panel of rows (unit, period, x), in order of unit, and a last one (unit NULL) for all together where there are two. period: consecutive numbers (period_no); a missing row means not employed, zero means zero; rows with a NULL are left out; several rows of a unit and period are added up. Method: S = max(0, S - z - 0.5), alarm at S >= h, where z = 2 (sqrt(x + 3/8) - sqrt(m + 3/8)) / sqrt(phi), clipped to +-3, and m is the level of the unit over its 52 rows up to 8 before (8 at least), times what the other units do in that period over what is usual for them (Page 1954; docs/early_warning.md). No rows: NULL. Errors: negative x, quality outside 0 to 1, unknown options (22023), NaN or infinite values (22003), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.activity_cusum(unit uuid, period bigint, x double precision) (
	SFUNC = activity_metrics.activity_cusum_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.activity_cusum_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.activity_cusum(uuid, bigint, double precision) IS
'Which units have dropped below their usual activity? Returns one activity_cusum_row per unit of a panel of rows (unit, period, x), in order of unit, and a last one (unit NULL) for all together where there are two. period: consecutive numbers (period_no); a missing row means not employed, zero means zero; rows with a NULL are left out; several rows of a unit and period are added up. Method: S = max(0, S - z - 0.5), alarm at S >= h, where z = 2 (sqrt(x + 3/8) - sqrt(m + 3/8)) / sqrt(phi), clipped to +-3, and m is the level of the unit over its 52 rows up to 8 before (8 at least), times what the other units do in that period over what is usual for them (Page 1954; docs/early_warning.md). No rows: NULL. Errors: negative x, quality outside 0 to 1, unknown options (22023), NaN or infinite values (22003), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.activity_cusum(unit bigint, period bigint, x double precision, quality double precision) (
	SFUNC = activity_metrics.activity_cusum_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.activity_cusum_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.activity_cusum(bigint, bigint, double precision, double precision) IS
'Which units have dropped below their usual activity? Returns one activity_cusum_row per unit of a panel of rows (unit, period, x), in order of unit, and a last one (unit NULL) for all together where there are two. period: consecutive numbers (period_no); a missing row means not employed, zero means zero; rows with a NULL are left out; several rows of a unit and period are added up; quality (0 to 1): the share of x that was substantive, of which x counts so much (NULL: the usual one). Method: S = max(0, S - z - 0.5), alarm at S >= h, where z = 2 (sqrt(x + 3/8) - sqrt(m + 3/8)) / sqrt(phi), clipped to +-3, and m is the level of the unit over its 52 rows up to 8 before (8 at least), times what the other units do in that period over what is usual for them (Page 1954; docs/early_warning.md). No rows: NULL. Errors: negative x, quality outside 0 to 1, unknown options (22023), NaN or infinite values (22003), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.activity_cusum(unit text, period bigint, x double precision, quality double precision) (
	SFUNC = activity_metrics.activity_cusum_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.activity_cusum_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.activity_cusum(text, bigint, double precision, double precision) IS
'Which units have dropped below their usual activity? Returns one activity_cusum_row per unit of a panel of rows (unit, period, x), in order of unit, and a last one (unit NULL) for all together where there are two. period: consecutive numbers (period_no); a missing row means not employed, zero means zero; rows with a NULL are left out; several rows of a unit and period are added up; quality (0 to 1): the share of x that was substantive, of which x counts so much (NULL: the usual one). Method: S = max(0, S - z - 0.5), alarm at S >= h, where z = 2 (sqrt(x + 3/8) - sqrt(m + 3/8)) / sqrt(phi), clipped to +-3, and m is the level of the unit over its 52 rows up to 8 before (8 at least), times what the other units do in that period over what is usual for them (Page 1954; docs/early_warning.md). No rows: NULL. Errors: negative x, quality outside 0 to 1, unknown options (22023), NaN or infinite values (22003), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.activity_cusum(unit uuid, period bigint, x double precision, quality double precision) (
	SFUNC = activity_metrics.activity_cusum_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.activity_cusum_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.activity_cusum(uuid, bigint, double precision, double precision) IS
'Which units have dropped below their usual activity? Returns one activity_cusum_row per unit of a panel of rows (unit, period, x), in order of unit, and a last one (unit NULL) for all together where there are two. period: consecutive numbers (period_no); a missing row means not employed, zero means zero; rows with a NULL are left out; several rows of a unit and period are added up; quality (0 to 1): the share of x that was substantive, of which x counts so much (NULL: the usual one). Method: S = max(0, S - z - 0.5), alarm at S >= h, where z = 2 (sqrt(x + 3/8) - sqrt(m + 3/8)) / sqrt(phi), clipped to +-3, and m is the level of the unit over its 52 rows up to 8 before (8 at least), times what the other units do in that period over what is usual for them (Page 1954; docs/early_warning.md). No rows: NULL. Errors: negative x, quality outside 0 to 1, unknown options (22023), NaN or infinite values (22003), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.activity_cusum(unit bigint, period bigint, x double precision, quality double precision, options text) (
	SFUNC = activity_metrics.activity_cusum_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.activity_cusum_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.activity_cusum(bigint, bigint, double precision, double precision, text) IS
'Which units have dropped below their usual activity? Returns one activity_cusum_row per unit of a panel of rows (unit, period, x), in order of unit, and a last one (unit NULL) for all together where there are two. period: consecutive numbers (period_no); a missing row means not employed, zero means zero; rows with a NULL are left out; several rows of a unit and period are added up; quality (0 to 1): the share of x that was substantive, of which x counts so much (NULL: the usual one); options: h 5 (the threshold), false alarms per year 6 (over all units, sets h), grain ''week'' (for that), poisson (small counts with phi near 1: the CUSUM of Lucas 1985 for a drop to 70 %), silent 8 (zeros for so many periods after the last row of a unit). Method: S = max(0, S - z - 0.5), alarm at S >= h, where z = 2 (sqrt(x + 3/8) - sqrt(m + 3/8)) / sqrt(phi), clipped to +-3, and m is the level of the unit over its 52 rows up to 8 before (8 at least), times what the other units do in that period over what is usual for them (Page 1954; docs/early_warning.md). No rows: NULL. Errors: negative x, quality outside 0 to 1, unknown options (22023), NaN or infinite values (22003), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.activity_cusum(unit text, period bigint, x double precision, quality double precision, options text) (
	SFUNC = activity_metrics.activity_cusum_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.activity_cusum_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.activity_cusum(text, bigint, double precision, double precision, text) IS
'Which units have dropped below their usual activity? Returns one activity_cusum_row per unit of a panel of rows (unit, period, x), in order of unit, and a last one (unit NULL) for all together where there are two. period: consecutive numbers (period_no); a missing row means not employed, zero means zero; rows with a NULL are left out; several rows of a unit and period are added up; quality (0 to 1): the share of x that was substantive, of which x counts so much (NULL: the usual one); options: h 5 (the threshold), false alarms per year 6 (over all units, sets h), grain ''week'' (for that), poisson (small counts with phi near 1: the CUSUM of Lucas 1985 for a drop to 70 %), silent 8 (zeros for so many periods after the last row of a unit). Method: S = max(0, S - z - 0.5), alarm at S >= h, where z = 2 (sqrt(x + 3/8) - sqrt(m + 3/8)) / sqrt(phi), clipped to +-3, and m is the level of the unit over its 52 rows up to 8 before (8 at least), times what the other units do in that period over what is usual for them (Page 1954; docs/early_warning.md). No rows: NULL. Errors: negative x, quality outside 0 to 1, unknown options (22023), NaN or infinite values (22003), too large a panel (54000).';

CREATE AGGREGATE activity_metrics.activity_cusum(unit uuid, period bigint, x double precision, quality double precision, options text) (
	SFUNC = activity_metrics.activity_cusum_trans, STYPE = internal, SSPACE = 4096,
	FINALFUNC = activity_metrics.activity_cusum_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.panel_combine,
	SERIALFUNC = activity_metrics.panel_serial, DESERIALFUNC = activity_metrics.panel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.activity_cusum(uuid, bigint, double precision, double precision, text) IS
'Which units have dropped below their usual activity? Returns one activity_cusum_row per unit of a panel of rows (unit, period, x), in order of unit, and a last one (unit NULL) for all together where there are two. period: consecutive numbers (period_no); a missing row means not employed, zero means zero; rows with a NULL are left out; several rows of a unit and period are added up; quality (0 to 1): the share of x that was substantive, of which x counts so much (NULL: the usual one); options: h 5 (the threshold), false alarms per year 6 (over all units, sets h), grain ''week'' (for that), poisson (small counts with phi near 1: the CUSUM of Lucas 1985 for a drop to 70 %), silent 8 (zeros for so many periods after the last row of a unit). Method: S = max(0, S - z - 0.5), alarm at S >= h, where z = 2 (sqrt(x + 3/8) - sqrt(m + 3/8)) / sqrt(phi), clipped to +-3, and m is the level of the unit over its 52 rows up to 8 before (8 at least), times what the other units do in that period over what is usual for them (Page 1954; docs/early_warning.md). No rows: NULL. Errors: negative x, quality outside 0 to 1, unknown options (22023), NaN or infinite values (22003), too large a panel (54000).';

CREATE FUNCTION activity_metrics.cusum_run_length(mean double precision, phi double precision DEFAULT 1, change double precision DEFAULT 0, h double precision DEFAULT 5, level_rows integer DEFAULT 0) RETURNS double precision
AS 'MODULE_PATHNAME', 'am_cusum_run_length_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.cusum_run_length(double precision, double precision, double precision, double precision, integer) IS
'Periods until activity_cusum() raises an alarm, on average, by a Markov chain, for counts with this mean and dispersion (variance / mean; negative binomial above 1) whose level and dispersion are known (level_rows 0), or whose level is the mean of so many rows: with change 0 between false alarms, with change -0.3 after a lasting drop by 30 %. h: the threshold. With level_rows and no change it is one over the mean rate of alarms. NULL: longer than a double can tell. Errors: mean or h not above 0, phi below 1, change below -1, level_rows below 0 (22023).';

CREATE FUNCTION activity_metrics.poisson_cusum_run_length(mean double precision, k double precision, h double precision, head_start double precision DEFAULT 0, upwards boolean DEFAULT false) RETURNS double precision
AS 'MODULE_PATHNAME', 'am_poisson_cusum_run_length_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.poisson_cusum_run_length(double precision, double precision, double precision, double precision, boolean) IS
'Periods until a Poisson CUSUM (Lucas 1985) raises an alarm, on average, exact: S = max(0, S + k - x) from head_start on, alarm at S >= h; upwards: S + x - k. NULL: longer than a double can tell. Errors: mean not above 0; k, h or head_start not multiples of 0.5, h above 100, head_start not below h (22023).';

CREATE FUNCTION activity_metrics.nonzero(value double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE WHEN value OPERATOR(pg_catalog.<>) 0 THEN value END;
END;
COMMENT ON FUNCTION activity_metrics.nonzero(double precision) IS
'Internal: a number to divide by; NULL for 0. nullif() would look for its operator in the search_path.';

CREATE FUNCTION activity_metrics.plain_number(value double precision) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE
		WHEN pg_catalog.abs(value) OPERATOR(pg_catalog.>=) 1e15 THEN value::pg_catalog.text
		WHEN pg_catalog.abs(value) OPERATOR(pg_catalog.>=) 100 THEN pg_catalog.to_char(value::pg_catalog.numeric, 'FM999,999,999,999,990')
		WHEN pg_catalog.abs(value) OPERATOR(pg_catalog.>=) 10 THEN pg_catalog.rtrim(pg_catalog.to_char(value::pg_catalog.numeric, 'FM990.9'), '.')
		WHEN pg_catalog.abs(value) OPERATOR(pg_catalog.>=) 0.1 THEN pg_catalog.rtrim(pg_catalog.to_char(value::pg_catalog.numeric, 'FM990.99'), '.')
		WHEN pg_catalog.abs(value) OPERATOR(pg_catalog.>=) 0.01 THEN pg_catalog.rtrim(pg_catalog.to_char(value::pg_catalog.numeric, 'FM990.999'), '.')
		WHEN pg_catalog.abs(value) OPERATOR(pg_catalog.>=) 0.001 THEN pg_catalog.rtrim(pg_catalog.to_char(value::pg_catalog.numeric, 'FM990.9999'), '.')
		WHEN pg_catalog.abs(value) OPERATOR(pg_catalog.<) 1e-9 THEN '0'
		ELSE value::pg_catalog.float4::pg_catalog.text END;
END;
COMMENT ON FUNCTION activity_metrics.plain_number(double precision) IS
'Internal: a number as sentences show it, to about three digits.';

CREATE FUNCTION activity_metrics.early_warning_sql(metric text, outcome text, grain text, relation regclass, unit text, period text, tz text, options text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	score text := 'SELECT NULL::pg_catalog.text AS verdict, NULL::pg_catalog.float8 AS elasticity, NULL::pg_catalog.int4 AS lag_from, NULL::pg_catalog.int4 AS lag_to';
	label text := activity_metrics.metric_label(metric, relation);
	outcome_label text;
	calm text := 'true';
	m activity_metrics.metric;
BEGIN
	IF relation IS NULL THEN
		m := activity_metrics.find_metric(metric);
		IF NOT activity_metrics.has_totals(m) THEN
			RAISE EXCEPTION 'metric "%" is no amount of activity per period', m.metric USING ERRCODE = '22023',
				DETAIL = format('It is %s, and a drop is told from counts and sums.', CASE m.type WHEN 'cumulative' THEN 'a rolling window' WHEN 'ratio' THEN 'a ratio' WHEN 'conversion' THEN 'a conversion rate'
					WHEN 'derived' THEN 'a formula whose values do not add up' ELSE 'an aggregate whose values do not add up' END),
				HINT = CASE WHEN m.type = 'simple' THEN 'Watch a count or a sum of its events.' ELSE format('Watch what it is made of: %s.', array_to_string(activity_metrics.metric_parts(m), ', ')) END;
		END IF;
		IF has_table_privilege('activity_metrics.annotation', 'SELECT') THEN
			calm := format('NOT EXISTS (SELECT FROM activity_metrics.annotation AS b WHERE b.kind OPERATOR(pg_catalog.=) ANY (ARRAY[''holiday'', ''outage'']::pg_catalog.text[])
				AND (b.metric IS NULL OR b.metric OPERATOR(pg_catalog.=) %L) AND (b.unit IS NULL OR b.unit OPERATOR(pg_catalog.=) p.unit)
				AND activity_metrics.period_no(b.at, %L::pg_catalog.text, %L::pg_catalog.text) OPERATOR(pg_catalog.=) p.period)', m.metric, grain, m.tz);
		END IF;
	END IF;
	-- $1 since, $2 until, $3 all units
	IF outcome IS NOT NULL THEN
		score := format('SELECT (s.v).verdict, (s.v).elasticity, (s.v).lag_from, (s.v).lag_to FROM (SELECT coalesce(
			activity_metrics.vanity(p.unit, p.period, p.x, p.y, p.quality, %1$L::pg_catalog.text),
			(SELECT activity_metrics.vanity(NULL::pg_catalog.text, NULL, NULL, NULL, NULL, %1$L::pg_catalog.text))) AS v FROM panel AS p) AS s',
			activity_metrics.name_options(metric, outcome, grain, relation));
		outcome_label := activity_metrics.metric_label(outcome, relation);
	END IF;
	RETURN format(
		'WITH panel AS MATERIALIZED (%1$s),
		score AS (%2$s),
		-- a sum has the unit that somebody chose: in thousands or in cents, its drop is the same
		scale AS (
			SELECT CASE WHEN %10$L::pg_catalog.bool AND m.mean OPERATOR(pg_catalog.>) 0 AND m.mean OPERATOR(pg_catalog.<) 100
				THEN pg_catalog.power(2::pg_catalog.float8, pg_catalog.ceil(pg_catalog.ln(100 OPERATOR(pg_catalog./) m.mean) OPERATOR(pg_catalog./) pg_catalog.ln(2::pg_catalog.float8))) ELSE 1 END AS k
			FROM (SELECT activity_metrics.exact_avg(p.x) AS mean FROM panel AS p) AS m),
		watched AS (
			SELECT w.unit, w.period, w.alarm, w.alarm_period, w.since_period, w.level_now OPERATOR(pg_catalog./) a.k AS level_now, w.usual_level OPERATOR(pg_catalog./) a.k AS usual_level,
				w.change, w.cusum, w.threshold, w.false_alarm_every, w.n, w.phi OPERATOR(pg_catalog./) a.k AS phi, w.share_down, w.reason, w.reason IS NULL AND w.at_once AS canary
			FROM (SELECT activity_metrics.activity_cusum(p.unit, p.period, p.x OPERATOR(pg_catalog.*) s.k, p.quality, %3$L::pg_catalog.text) AS rows, pg_catalog.max(s.k) AS k
					-- what is known to be out of the ordinary does not count
					FROM panel AS p, scale AS s WHERE %8$s) AS a,
				-- the sum of distinct counts of reps is not that of all
				LATERAL pg_catalog.unnest(a.rows) AS w WHERE w.unit IS NOT NULL OR %9$L::pg_catalog.bool),
		-- what is usual of the outcome, in the periods before the drop
		usual AS (
			SELECT w.unit, pg_catalog.sum(p.y) OPERATOR(pg_catalog./) activity_metrics.nonzero(pg_catalog.count(DISTINCT p.period)::pg_catalog.float8) AS outcome
			FROM watched AS w JOIN panel AS p ON (w.unit IS NULL OR p.unit OPERATOR(pg_catalog.=) w.unit)
				AND p.period OPERATOR(pg_catalog.<) w.since_period AND p.period OPERATOR(pg_catalog.>=) (w.since_period OPERATOR(pg_catalog.-) 26)
			WHERE w.alarm AND %4$L::pg_catalog.text IS NOT NULL GROUP BY w.unit),
		costed AS (
			SELECT w.*, s.verdict, s.lag_from, s.lag_to,
				CASE WHEN w.alarm AND s.verdict OPERATOR(pg_catalog.=) ''leading_indicator'' THEN least(u.outcome, greatest(0,
					(0 OPERATOR(pg_catalog.-) s.elasticity) OPERATOR(pg_catalog.*) u.outcome OPERATOR(pg_catalog.*) pg_catalog.ln((w.level_now OPERATOR(pg_catalog.+) 0.5) OPERATOR(pg_catalog./) (w.usual_level OPERATOR(pg_catalog.+) 0.5)))) END AS loss,
				coalesce(w.unit, ''all together'') AS name,
				activity_metrics.period_start(w.since_period, %5$L::pg_catalog.text) AS since
			FROM watched AS w LEFT JOIN usual AS u ON u.unit OPERATOR(pg_catalog.=) w.unit OR (u.unit IS NULL AND w.unit IS NULL) CROSS JOIN score AS s)
		SELECT c.unit, c.alarm, c.since, activity_metrics.period_start(c.alarm_period, %5$L::pg_catalog.text), activity_metrics.period_start(c.period, %5$L::pg_catalog.text),
			c.level_now, c.usual_level, c.change, c.loss,
			CASE WHEN c.loss IS NOT NULL THEN activity_metrics.period_start(c.since_period OPERATOR(pg_catalog.+) c.lag_from, %5$L::pg_catalog.text) END,
			CASE WHEN c.loss IS NOT NULL THEN activity_metrics.period_start(c.since_period OPERATOR(pg_catalog.+) c.lag_to, %5$L::pg_catalog.text) END,
			c.cusum, c.threshold, c.false_alarm_every, c.n, c.phi, c.share_down, coalesce(c.canary, false),
			CASE WHEN c.reason IS NOT NULL THEN pg_catalog.format(''%%s: %%s (%%s %%s).'', c.name, c.reason, c.n, CASE WHEN c.n OPERATOR(pg_catalog.=) 1 THEN ''period'' ELSE ''periods'' END)
				WHEN NOT c.alarm THEN pg_catalog.format(''%%s: %%s at %%s a %%s, usual %%s: no lasting drop.'', c.name, %6$L::pg_catalog.text,
					activity_metrics.plain_number(c.level_now), %5$L::pg_catalog.text, activity_metrics.plain_number(c.usual_level))
				ELSE pg_catalog.concat(pg_catalog.format(''%%s: %%s at %%s a %%s since %%s, usual %%s (%%s %%%%).'', c.name, %6$L::pg_catalog.text,
					activity_metrics.plain_number(c.level_now), %5$L::pg_catalog.text, c.since, activity_metrics.plain_number(c.usual_level),
					pg_catalog.round(100 OPERATOR(pg_catalog.*) c.change)),
					CASE WHEN c.canary THEN pg_catalog.format('' %%s %%%% of the reps fell below their own usual level at the same time: a canary for data capture, not for effort.'',
						pg_catalog.round(100 OPERATOR(pg_catalog.*) c.share_down))
					WHEN c.loss IS NOT NULL THEN pg_catalog.format('' Expect about %%s %%s a %%s less from %%s on, for as long as it lasts.'',
						activity_metrics.plain_number(c.loss), %7$L::pg_catalog.text, %5$L::pg_catalog.text,
						activity_metrics.period_start(c.since_period OPERATOR(pg_catalog.+) c.lag_from, %5$L::pg_catalog.text))
					WHEN c.verdict IS NOT NULL THEN pg_catalog.format('' What it costs in %%s is not known: the verdict on %%s is %%s.'', %7$L::pg_catalog.text, %6$L::pg_catalog.text, c.verdict) END) END,
			CASE WHEN c.reason IS NOT NULL THEN ''Decide nothing by it yet.''
				WHEN NOT c.alarm THEN ''Nothing to do.''
				WHEN c.canary THEN pg_catalog.format(''Look for what changed in logging, in an integration or in a definition about %%s before you talk to anybody about effort.'', c.since)
				WHEN c.unit IS NULL THEN ''See which reps are down; if all are, think of season, territory and tools first.''
				ELSE pg_catalog.format(''Ask what changed about %%s: leave, another task, a list that ran out. diagnosis() tells effort from quality.'', c.since) END,
			c.reason
		FROM costed AS c WHERE c.alarm OR $3
		ORDER BY c.alarm DESC NULLS LAST, c.unit IS NOT NULL, c.loss DESC NULLS LAST, c.change, c.unit',
		activity_metrics.panel_sql(metric, coalesce(outcome, metric), grain, relation, unit, period, tz), score,
		concat_ws(', ', format('grain ''%s''', replace(grain, '''', '''''')), 'silent 8', options), outcome, grain, label, outcome_label, calm, relation IS NOT NULL OR m.additive,
		relation IS NULL AND (m.type = 'derived' OR m.agg = 'sum'));
END;
$$;
COMMENT ON FUNCTION activity_metrics.early_warning_sql(text, text, text, regclass, text, text, text, text) IS
'Internal: the statement that early_warning_report runs; $1 since, $2 until, $3 units without an alarm too.';

CREATE FUNCTION activity_metrics.early_warning_report(
	metric text,
	outcome text DEFAULT NULL,
	grain text DEFAULT 'week',
	since timestamptz DEFAULT NULL,
	until timestamptz DEFAULT NULL,
	all_units boolean DEFAULT true,
	options text DEFAULT NULL,
	relation regclass DEFAULT NULL,
	unit text DEFAULT 'unit',
	period text DEFAULT 'period',
	tz text DEFAULT 'UTC',
	OUT rep text,
	OUT alarm boolean,
	OUT since_start date,
	OUT alarm_start date,
	OUT last_start date,
	OUT level_now double precision,
	OUT usual_level double precision,
	OUT change double precision,
	OUT expected_loss double precision,
	OUT due_from date,
	OUT due_to date,
	OUT cusum double precision,
	OUT threshold double precision,
	OUT false_alarm_every double precision,
	OUT n bigint,
	OUT phi double precision,
	OUT share_down double precision,
	OUT is_canary boolean,
	OUT sentence text,
	OUT next_step text,
	OUT reason text)
RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 30 COST 100000 SET jit = off AS $$
#variable_conflict use_column
BEGIN
	PERFORM activity_metrics.check_range(since, until);
	RETURN QUERY EXECUTE activity_metrics.early_warning_sql($1, $2, $3, $8, $9, $10, $11, $7) USING since, until, coalesce(all_units, true);
END;
$$;
COMMENT ON FUNCTION activity_metrics.early_warning_report(text, text, text, timestamptz, timestamptz, boolean, text, regclass, text, text, text) IS
'Whose activity has dropped, since when, what will it cost and when: one row per unit (rep) and one (rep NULL) for all together, alarms first, as of activity_cusum().
metric: of the dictionary, or a column of relation; weighed by quality where its events have one; outcome: what it is to bring: where metric leads it (vanity()), expected_loss is what an alarm costs a period, elasticity x ln((level_now + 0.5) / (usual_level + 0.5)) x the usual outcome, at most all of it, from due_from to due_to on, else NULL; grain, since, until, relation, unit, period, tz: as of vanity_report(); all_units: false for alarms only; options: as of activity_cusum(). A rep with no event for up to 8 periods counts as zero, after that as gone (reason). Periods with an annotation of kind holiday or outage do not count; a metric of distinct values has no row for all together.
is_canary: all reps fell below their own usual level at once: data capture is likelier than effort. since_start: when the drop is likely to have begun; alarm_start: when it was sure; last_start: the last period.
Errors: no such metric (42704), no such column (42703), since after until, unknown grain or option, a metric that is neither a count nor a sum (22023).';

CREATE FUNCTION activity_metrics.early_warnings(
	OUT metric text,
	OUT label text,
	OUT kind text,
	OUT grain text,
	OUT rep text,
	OUT alarm boolean,
	OUT since_start date,
	OUT alarm_start date,
	OUT last_start date,
	OUT level_now double precision,
	OUT usual_level double precision,
	OUT change double precision,
	OUT outcome text,
	OUT expected_loss double precision,
	OUT due_from date,
	OUT due_to date,
	OUT cusum double precision,
	OUT threshold double precision,
	OUT false_alarm_every double precision,
	OUT n bigint,
	OUT phi double precision,
	OUT share_down double precision,
	OUT is_canary boolean,
	OUT sentence text,
	OUT next_step text,
	OUT reason text)
RETURNS SETOF record
LANGUAGE plpgsql STABLE ROWS 100 COST 1000000 SET jit = off AS $$
#variable_conflict use_column
DECLARE
	m pg_catalog.record;
	fault pg_catalog.text;
	fault_hint pg_catalog.text;
BEGIN
	FOR m IN
		SELECT d.metric, d.label, d.kind, d.grain,
			CASE WHEN d.kind OPERATOR(pg_catalog.=) 'surface' THEN activity_metrics.outcome_of(d) END AS outcome
		FROM activity_metrics.metric AS d
		WHERE d.status OPERATOR(pg_catalog.=) 'active'
			-- less of it is better: a drop is good news
			AND d.direction OPERATOR(pg_catalog.<>) 'down' ORDER BY d.metric
	LOOP
		fault_hint := '';
		BEGIN
			RETURN QUERY SELECT m.metric, m.label, m.kind, m.grain, w.rep, w.alarm, w.since_start, w.alarm_start, w.last_start, w.level_now, w.usual_level, w.change,
				m.outcome, w.expected_loss, w.due_from, w.due_to, w.cusum, w.threshold, w.false_alarm_every, w.n, w.phi, w.share_down, w.is_canary, w.sentence, w.next_step, w.reason
			FROM activity_metrics.early_warning_report(m.metric, m.outcome, m.grain) AS w;
			IF NOT FOUND THEN
				fault := 'no whole period with an event';
			END IF;
		EXCEPTION WHEN OTHERS THEN
			fault := SQLERRM;
			GET STACKED DIAGNOSTICS fault_hint = PG_EXCEPTION_HINT;
		END;
		IF fault IS NOT NULL THEN
			RETURN QUERY SELECT m.metric, m.label, m.kind, m.grain, NULL::pg_catalog.text, NULL::pg_catalog.bool, NULL::pg_catalog.date, NULL::pg_catalog.date, NULL::pg_catalog.date,
				NULL::pg_catalog.float8, NULL::pg_catalog.float8, NULL::pg_catalog.float8, m.outcome, NULL::pg_catalog.float8, NULL::pg_catalog.date, NULL::pg_catalog.date,
				NULL::pg_catalog.float8, NULL::pg_catalog.float8, NULL::pg_catalog.float8, 0::pg_catalog.int8, NULL::pg_catalog.float8, NULL::pg_catalog.float8, false,
				pg_catalog.format('%s cannot be watched: %s.', m.label, fault),
				CASE WHEN fault_hint OPERATOR(pg_catalog.=) '' THEN 'Look into metric_issue, or define the metric again.' ELSE fault_hint END, fault;
			fault := NULL;
		END IF;
	END LOOP;
END;
$$;
COMMENT ON FUNCTION activity_metrics.early_warnings() IS
'Internal: the rows of view early_warning: early_warning_report() of each active metric of the dictionary of which less is not better, with its grain (week) and outcome_metric (else the North Star of its scope or of company, else the only outcome of the dictionary). A metric that fails gives a row with the reason.';

CREATE VIEW activity_metrics.early_warning WITH (security_invoker = true) AS
SELECT w.metric, w.label, w.kind, w.grain, w.rep, w.alarm, w.since_start, w.alarm_start, w.last_start, w.level_now, w.usual_level, w.change,
	w.outcome, w.expected_loss, w.due_from, w.due_to, w.cusum, w.threshold, w.false_alarm_every, w.n, w.phi, w.share_down, w.is_canary, w.sentence, w.next_step, w.reason
FROM activity_metrics.early_warnings() AS w;
ALTER VIEW activity_metrics.early_warning OWNER TO @extowner@;

COMMENT ON VIEW activity_metrics.early_warning IS
'Whose activity has dropped, for each active metric of the dictionary of which less is not better, as of early_warning_report() with its defaults; a metric that cannot be computed has a row with the reason. Runs with the rights of the reader.';
COMMENT ON COLUMN activity_metrics.early_warning.metric IS 'The metric.';
COMMENT ON COLUMN activity_metrics.early_warning.label IS 'What sentences call it.';
COMMENT ON COLUMN activity_metrics.early_warning.kind IS 'surface or outcome.';
COMMENT ON COLUMN activity_metrics.early_warning.grain IS 'The period.';
COMMENT ON COLUMN activity_metrics.early_warning.rep IS 'The unit; NULL: all together, or a metric that cannot be watched.';
COMMENT ON COLUMN activity_metrics.early_warning.alarm IS 'Has the activity dropped? NULL: see reason.';
COMMENT ON COLUMN activity_metrics.early_warning.since_start IS 'First day of the period in which the drop is likely to have begun.';
COMMENT ON COLUMN activity_metrics.early_warning.alarm_start IS 'First day of the period in which it was sure.';
COMMENT ON COLUMN activity_metrics.early_warning.last_start IS 'First day of the last period.';
COMMENT ON COLUMN activity_metrics.early_warning.level_now IS 'Per period since the drop; without one in the last 4 periods.';
COMMENT ON COLUMN activity_metrics.early_warning.usual_level IS 'Per period before.';
COMMENT ON COLUMN activity_metrics.early_warning.change IS 'level_now / usual_level - 1.';
COMMENT ON COLUMN activity_metrics.early_warning.outcome IS 'The metric that it is to bring; NULL: none is known.';
COMMENT ON COLUMN activity_metrics.early_warning.expected_loss IS 'Of the outcome, per period, while the drop lasts; NULL: no alarm, or metric is not known to lead it.';
COMMENT ON COLUMN activity_metrics.early_warning.due_from IS 'When the loss is to be seen first.';
COMMENT ON COLUMN activity_metrics.early_warning.due_to IS 'When it is to be seen in full.';
COMMENT ON COLUMN activity_metrics.early_warning.cusum IS 'The sum.';
COMMENT ON COLUMN activity_metrics.early_warning.threshold IS 'What is an alarm.';
COMMENT ON COLUMN activity_metrics.early_warning.false_alarm_every IS 'Periods between false alarms, on average.';
COMMENT ON COLUMN activity_metrics.early_warning.n IS 'Periods the row rests on.';
COMMENT ON COLUMN activity_metrics.early_warning.phi IS 'Dispersion, variance over mean.';
COMMENT ON COLUMN activity_metrics.early_warning.share_down IS 'Of all together: the share of reps below their own usual level.';
COMMENT ON COLUMN activity_metrics.early_warning.is_canary IS 'All at once: data capture is likelier than effort.';
COMMENT ON COLUMN activity_metrics.early_warning.sentence IS 'In words.';
COMMENT ON COLUMN activity_metrics.early_warning.next_step IS 'What to do.';
COMMENT ON COLUMN activity_metrics.early_warning.reason IS 'Why the rest is NULL.';
