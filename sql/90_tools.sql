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

CREATE FUNCTION activity_metrics.extension_version() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT e.extversion FROM pg_catalog.pg_extension e WHERE e.extname OPERATOR(pg_catalog.=) 'activity_metrics'::pg_catalog.name;
END;
COMMENT ON FUNCTION activity_metrics.extension_version() IS
'The version of activity_metrics that this database has.';
