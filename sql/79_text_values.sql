--
-- Texts as values. In plain SQL, so that they are inlined: a bad text gives NULL, never an error.
--

CREATE FUNCTION activity_metrics.text_to_time(value text, tz text DEFAULT 'UTC') RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	-- the pattern knows 31 days in every month; which have fewer, comes after it, as long patterns are slow
	SELECT CASE
		WHEN value OPERATOR(pg_catalog.~) '^\d\d\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:[T ](?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)? ?(?:Z|UTC|[+-](?:0\d|1[0-5])(?::?[0-5]\d)?)?)?$'
			AND pg_catalog.length(value) OPERATOR(pg_catalog.<) 50 AND NOT pg_catalog.starts_with(value, '0000')
			AND (pg_catalog.substr(value, 6, 5) OPERATOR(pg_catalog.<>) ALL ('{02-29,02-30,02-31,04-31,06-31,09-31,11-31}'::text[])
				OR (pg_catalog.substr(value, 6, 5) OPERATOR(pg_catalog.=) '02-29'
					AND pg_catalog.substr(value, 1, 4)::integer OPERATOR(pg_catalog.%) 4 OPERATOR(pg_catalog.=) 0
					AND (pg_catalog.substr(value, 1, 4)::integer OPERATOR(pg_catalog.%) 100 OPERATOR(pg_catalog.<>) 0
						OR pg_catalog.substr(value, 1, 4)::integer OPERATOR(pg_catalog.%) 400 OPERATOR(pg_catalog.=) 0)))
		THEN CASE
			WHEN value OPERATOR(pg_catalog.~~) '%Z' OR value OPERATOR(pg_catalog.~~) '%UTC' OR value OPERATOR(pg_catalog.~~) '%:%+%' OR value OPERATOR(pg_catalog.~~) '%:%-%'
			THEN value::timestamptz
			ELSE pg_catalog.timezone(tz, value::timestamp) END END;
END;
COMMENT ON FUNCTION activity_metrics.text_to_time(text, text) IS
'A text such as 2024-02-29, 2024-02-29 9:30, 2024-02-29T09:30:00.5Z or ...+01:00 as a time; without a zone it is of zone tz. NULL for any other text: never an error.';

CREATE FUNCTION activity_metrics.text_to_number(value text) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE WHEN value OPERATOR(pg_catalog.~) '^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d\d?)?\s*$'
		AND pg_catalog.length(value) OPERATOR(pg_catalog.<=) 100 THEN value::double precision END;
END;
COMMENT ON FUNCTION activity_metrics.text_to_number(text) IS
'A text such as 12, -3.5 or 1e6 as a number; NULL for any other text (1,200 or NaN): never an error.';

CREATE FUNCTION activity_metrics.text_to_bool(value text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE WHEN value OPERATOR(pg_catalog.~*) '^\s*(?:true|t|yes|y|on|1)\s*$' THEN true
		WHEN value OPERATOR(pg_catalog.~*) '^\s*(?:false|f|no|n|off|0)\s*$' THEN false END;
END;
COMMENT ON FUNCTION activity_metrics.text_to_bool(text) IS
'TRUE, yes, 1, false, no, 0 and the like as a boolean; NULL for any other text: never an error.';

CREATE FUNCTION activity_metrics.epoch_to_time(value double precision) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	-- 1e11 seconds are the year 5138, 1e11 milliseconds March 1973
	SELECT CASE WHEN pg_catalog.abs(value) OPERATOR(pg_catalog.<) 1e11 THEN pg_catalog.to_timestamp(value)
		WHEN pg_catalog.abs(value) OPERATOR(pg_catalog.<) 1e14 THEN pg_catalog.to_timestamp(value OPERATOR(pg_catalog./) 1e3)
		WHEN pg_catalog.abs(value) OPERATOR(pg_catalog.<) 1e17 THEN pg_catalog.to_timestamp(value OPERATOR(pg_catalog./) 1e6) END;
END;
COMMENT ON FUNCTION activity_metrics.epoch_to_time(double precision) IS
'Seconds, milliseconds (from 1e11) or microseconds (from 1e14) since 1970 as a time; NULL for what is larger: never an error.';

CREATE FUNCTION activity_metrics.text_to_json(value text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF value ~ '^\s*[\[{"]' THEN
		RETURN value::jsonb;
	END IF;
	RETURN NULL;
EXCEPTION
	WHEN data_exception OR program_limit_exceeded THEN
		RETURN NULL;
END;
$$;
COMMENT ON FUNCTION activity_metrics.text_to_json(text) IS
'A text as jsonb, if it is an object, an array or a string of JSON; NULL for any other text: never an error.';
