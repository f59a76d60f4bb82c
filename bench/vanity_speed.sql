-- vanity() on 200 reps x 156 weeks beside GROUP BY with two sums over the million events that made the panel.
-- Run by bench/vanity_speed; temporary tables only.
\set QUIET 1
\pset format unaligned
\pset tuples_only on
SET max_parallel_workers_per_gather = 0;
SET jit = off;
SELECT setseed(0.5) \g /dev/null
CREATE TEMP TABLE event AS
	SELECT (random() * 199)::integer AS unit, (random() * 155)::bigint AS period, 1.0::float8 AS metric, (random() < 0.05)::integer::float8 AS outcome FROM generate_series(1, 1000000);
ANALYZE event;
CREATE TEMP TABLE panel AS SELECT unit::bigint, period, sum(metric) AS metric, sum(outcome) AS outcome FROM event GROUP BY unit, period;
CREATE TEMP TABLE half AS SELECT * FROM panel WHERE unit < 100;
ANALYZE panel;
CREATE FUNCTION pg_temp.milliseconds(statement text) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
	start timestamptz;
	best double precision := 'Infinity';
BEGIN
	FOR i IN 1 .. 3 LOOP
		start := clock_timestamp();
		EXECUTE statement;
		best := least(best, 1000 * extract(epoch FROM clock_timestamp() - start));
	END LOOP;
	RETURN best;
END;
$$;
SELECT pg_temp.milliseconds('SELECT count(*) FROM (SELECT unit, period, sum(metric), sum(outcome) FROM event GROUP BY unit, period) AS s') AS plain,
	pg_temp.milliseconds('SELECT activity_metrics.vanity(unit, period, metric, outcome) FROM panel') AS vanity,
	pg_temp.milliseconds('SELECT activity_metrics.vanity(unit, period, metric, outcome, 0.5, ''target 40 from 78'') FROM panel') AS target,
	pg_temp.milliseconds('SELECT activity_metrics.gaming_scan(unit, period, metric, outcome, 40) FROM panel') AS scan,
	pg_temp.milliseconds('SELECT activity_metrics.vanity(unit, period, metric, outcome) FROM half') AS half \gset
SELECT format('GROUP BY unit, period over 1,000,000 events %s ms', round(:plain));
SELECT format('vanity() of %s rows %s ms, ratio %s (bar 8)', (SELECT count(*) FROM panel), round(:vanity), round((:vanity / :plain)::numeric, 2));
SELECT format('  with quality and a target %s ms, ratio %s (bar 8); gaming_scan() %s ms, ratio %s', round(:target), round((:target / :plain)::numeric, 2), round(:scan), round((:scan / :plain)::numeric, 2));
SELECT format('  half the reps %s ms: doubling costs %s times', round(:half), round((:vanity / :half)::numeric, 2));
SELECT CASE WHEN :vanity <= 8 * :plain AND :target <= 8 * :plain THEN 'ok' ELSE 'MISS' END;
