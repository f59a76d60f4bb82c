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
	-- a constant series is in the middle, what is not known a blank
	SELECT pg_catalog.string_agg(CASE WHEN s.v IS NULL OR NOT s.v OPERATOR(pg_catalog.<) 'Infinity'::double precision OR NOT s.v OPERATOR(pg_catalog.>) '-Infinity'::double precision THEN ' '
			ELSE pg_catalog.substr(CASE WHEN ascii THEN '_.-:=+*#' ELSE '▁▂▃▄▅▆▇█' END, CASE WHEN b.high OPERATOR(pg_catalog.>) b.low
				-- halves first: the difference of two doubles need not be one
				THEN 1 OPERATOR(pg_catalog.+) least(7, pg_catalog.floor(8 OPERATOR(pg_catalog.*) (((s.v OPERATOR(pg_catalog./) 2) OPERATOR(pg_catalog.-) (b.low OPERATOR(pg_catalog./) 2))
					OPERATOR(pg_catalog./) greatest((b.high OPERATOR(pg_catalog./) 2) OPERATOR(pg_catalog.-) (b.low OPERATOR(pg_catalog./) 2), 1e-300))))::integer ELSE 4 END, 1) END, '' ORDER BY s.i)
	FROM ROWS FROM (pg_catalog.unnest(series)) WITH ORDINALITY AS s(v, i),
		(SELECT pg_catalog.min(u.v) AS low, pg_catalog.max(u.v) AS high FROM pg_catalog.unnest(series) AS u(v)
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
