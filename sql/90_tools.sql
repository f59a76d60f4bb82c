--
-- For reading in psql, and for the administrator.
--

CREATE FUNCTION activity_metrics.bar(value double precision, max_value double precision DEFAULT 1, width integer DEFAULT 20, ascii boolean DEFAULT false) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE WHEN value IS NULL OR NOT max_value OPERATOR(pg_catalog.>) 0 OR NOT width OPERATOR(pg_catalog.>) 0 THEN NULL
		WHEN ascii THEN pg_catalog.rpad(pg_catalog.repeat('#', pg_catalog.round(e.eighths OPERATOR(pg_catalog./) 8)::integer), width)
		ELSE pg_catalog.rpad(pg_catalog.concat(pg_catalog.repeat('█', pg_catalog.floor(e.eighths OPERATOR(pg_catalog./) 8)::integer),
			pg_catalog.substr(' ▏▎▍▌▋▊▉', (e.eighths::bigint OPERATOR(pg_catalog.%) 8)::integer OPERATOR(pg_catalog.+) 1,
				CASE WHEN e.eighths::bigint OPERATOR(pg_catalog.%) 8 OPERATOR(pg_catalog.=) 0 THEN 0 ELSE 1 END)), width) END
	FROM (SELECT pg_catalog.round(least(greatest(value OPERATOR(pg_catalog./) nullif(max_value, 0), 0), 1)
		OPERATOR(pg_catalog.*) width OPERATOR(pg_catalog.*) 8) AS eighths) AS e;
END;
COMMENT ON FUNCTION activity_metrics.bar(double precision, double precision, integer, boolean) IS
'A bar of text for psql, width characters for max_value; ascii => true draws with #. NULL for NULL.';

CREATE FUNCTION activity_metrics.sparkline(series double precision[], ascii boolean DEFAULT false) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	-- a constant series is in the middle, what is not known a blank; numeric neither overflows nor underflows
	SELECT pg_catalog.string_agg(CASE WHEN s.v IS NULL THEN ' '
			ELSE pg_catalog.substr(CASE WHEN ascii THEN '_.-:=+*#' ELSE '▁▂▃▄▅▆▇█' END,
				CASE WHEN b.high OPERATOR(pg_catalog.>) b.low THEN least(8, pg_catalog.width_bucket(s.v, b.low, b.high, 8)) ELSE 4 END, 1) END, '' ORDER BY s.i)
	FROM (SELECT CASE WHEN u.v OPERATOR(pg_catalog.<) 'Infinity'::double precision AND u.v OPERATOR(pg_catalog.>) '-Infinity'::double precision THEN u.v::pg_catalog.numeric END AS v, u.i
			FROM pg_catalog.unnest(series) WITH ORDINALITY AS u(v, i)) AS s,
		(SELECT pg_catalog.min(u.v::pg_catalog.numeric) AS low, pg_catalog.max(u.v::pg_catalog.numeric) AS high FROM pg_catalog.unnest(series) AS u(v)
			WHERE u.v OPERATOR(pg_catalog.<) 'Infinity'::double precision AND u.v OPERATOR(pg_catalog.>) '-Infinity'::double precision) AS b;
END;
COMMENT ON FUNCTION activity_metrics.sparkline(double precision[], boolean) IS
'A series as a line of text, one of eight heights per value from the smallest to the largest; a value that is NULL, NaN or infinite is a blank; ascii => true draws with _.-:=+*#. NULL for NULL and for no values.';

CREATE FUNCTION activity_metrics.extension_version() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT e.extversion FROM pg_catalog.pg_extension e WHERE e.extname OPERATOR(pg_catalog.=) 'activity_metrics'::pg_catalog.name;
END;
COMMENT ON FUNCTION activity_metrics.extension_version() IS
'The version of activity_metrics that this database has.';

CREATE FUNCTION activity_metrics.library_version() RETURNS text
AS 'MODULE_PATHNAME', 'am_library_version' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.library_version() IS
'The version of the library that the server has loaded; after an update it is that of extension_version().';
