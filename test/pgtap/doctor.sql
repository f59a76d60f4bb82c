-- doctor()
BEGIN;
SELECT no_plan();
DELETE FROM activity_metrics.metric;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = error;
CREATE SCHEMA doctor_test;
SET LOCAL search_path = doctor_test, public;
CREATE FUNCTION finding(wanted text, OUT status text, OUT detail text, OUT hint text) LANGUAGE sql AS $$ SELECT status, detail, hint FROM activity_metrics.doctor() WHERE check_name = wanted $$;
CREATE FUNCTION finds(change text, wanted text, status text, detail text, hint text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	f record;
BEGIN
	BEGIN
		EXECUTE change;
		SELECT * INTO f FROM doctor_test.finding(wanted);
		RAISE EXCEPTION USING ERRCODE = 'P0099';
	EXCEPTION WHEN SQLSTATE 'P0099' THEN
		NULL;
	END;
	RETURN NEXT ok(f.status = finds.status AND f.detail ~ finds.detail AND coalesce(f.hint, '') ~ finds.hint, format('%s: %s, %s', wanted, f.status, f.detail));
END;
$$;

SELECT is(activity_metrics.library_version(), coalesce(activity_metrics.extension_version(), activity_metrics.library_version()), 'one version');
SELECT is((SELECT status FROM finding('dictionary')), 'warning', 'an empty dictionary');
CREATE TABLE event (actor text, kind text, at timestamptz, entity text);
INSERT INTO event SELECT 'r', 'call', now() - i * interval '1 day', 'e' FROM generate_series(1, 50) AS i;
SELECT activity_metrics.define_metric('wins', 'event', 'won', kind => 'outcome', owner => 'o', description => 'd', north_star => true);
SELECT activity_metrics.define_metric('calls', 'event', 'call', owner => 'o', description => 'd', outcome_metric => 'wins', timing => 'leading');
INSERT INTO activity_metrics.metric_assessment (metric, outcome, grain, verdict) VALUES ('calls', 'wins', 'week', 'leading_indicator');
SELECT set_eq($$SELECT check_name FROM activity_metrics.doctor()$$, ARRAY['version', 'server', 'rights', 'dictionary', 'relation', 'index', 'refresh', 'assessments', 'lint'], 'all checks');
SELECT is_empty($$SELECT * FROM activity_metrics.doctor() WHERE check_name <> 'version' AND (status <> 'ok' OR (hint IS NOT NULL AND check_name <> 'server'))$$, 'all is well');

SELECT finds('SELECT 1', 'relation', 'ok', '^doctor_test.event of calls, wins can be read$', '');
SELECT finds('ALTER TABLE doctor_test.event RENAME TO gone', 'relation', 'error', 'does not exist', 'Define the metrics again');
SELECT finds('UPDATE pg_class SET reltuples = 5e6 WHERE oid = ''doctor_test.event''::regclass', 'index', 'warning', 'no index that begins with at, and about 5000000 rows', 'CREATE INDEX ON doctor_test.event \(at\)');
SELECT finds('CREATE INDEX ON doctor_test.event (actor, at); UPDATE pg_class SET reltuples = 5e6 WHERE oid = ''doctor_test.event''::regclass', 'index', 'warning', 'no index', '');
SELECT finds('CREATE INDEX ON doctor_test.event (at) WHERE kind = ''x''; UPDATE pg_class SET reltuples = 5e6 WHERE oid = ''doctor_test.event''::regclass', 'index', 'warning', 'no index', '');
SELECT finds('CREATE INDEX ON doctor_test.event (at, kind); UPDATE pg_class SET reltuples = 5e6 WHERE oid = ''doctor_test.event''::regclass', 'index', 'ok', 'has an index on at$', '^$');
SELECT finds('ALTER TABLE doctor_test.event RENAME TO base; CREATE VIEW doctor_test.event AS TABLE doctor_test.base', 'index', 'ok', 'no table', '');
SELECT finds('UPDATE activity_metrics.metric SET owner = NULL', 'lint', 'warning', '^errors in the dictionary: 0, warnings: 2$', 'metric_issue');
SELECT finds('ALTER TABLE doctor_test.event DROP actor', 'lint', 'error', '^errors in the dictionary: 2,', 'metric_issue');
SELECT finds('UPDATE activity_metrics.metric_assessment SET assessed_at = now() - interval ''1 year''', 'assessments', 'warning', '^0 of 1', 'assess\(\)');
SELECT finds('SELECT 1', 'refresh', 'ok', '^no values are kept', '');
SELECT finds($$INSERT INTO activity_metrics.metric_value VALUES ('calls', 'week', 1, '2025-01-01', '(all)', 1, 1, true, now())$$, 'refresh', 'ok', '^1 metrics are kept$', '');
SELECT finds($$INSERT INTO activity_metrics.metric_value VALUES ('calls', 'week', 1, '2025-01-01', '(all)', 1, 1, true, now() - interval '25 days')$$, 'refresh', 'warning', '1 of them were refreshed more than two periods ago: calls', 'CALL');
SELECT finds($$INSERT INTO activity_metrics.refresh_log (run_id, metric, grain, mode, done, total, started_at, finished_at, error) VALUES (-1, 'calls', 'week', 'full', 1, 1, now(), now(), 'out of luck')$$, 'refresh', 'error', 'failed for calls: out of luck', 'CALL');
SELECT finds($$INSERT INTO activity_metrics.refresh_log (run_id, metric, grain, mode, done, total, started_at, finished_at, error) VALUES (-2, 'calls', 'week', 'full', 1, 1, now() - interval '1 hour', now(), 'out of luck'), (-1, 'calls', 'week', 'full', 1, 1, now(), now(), NULL)$$, 'refresh', 'ok', '', '');
SELECT finds($$INSERT INTO activity_metrics.refresh_log (run_id, metric, grain, mode, done, total, started_at) VALUES (-1, 'calls', 'week', 'full', 0, 1, now() - interval '2 days')$$, 'refresh', 'warning', 'never ended', 'CALL');

-- a role without rights
CREATE ROLE am_doctor_reader;
GRANT USAGE ON SCHEMA activity_metrics, doctor_test, public TO am_doctor_reader;
SET LOCAL ROLE am_doctor_reader;
CREATE TEMP TABLE seen AS SELECT * FROM activity_metrics.doctor();
RESET ROLE;
SELECT results_eq($$SELECT status, detail ~ 'am_doctor_reader lacks SELECT on metric, ', hint ~ 'GRANT USAGE ON SCHEMA activity_metrics TO am_doctor_reader; GRANT SELECT' FROM seen WHERE check_name = 'rights'$$, $$VALUES ('error', true, true)$$, 'what it lacks, and the grant');
GRANT SELECT ON ALL TABLES IN SCHEMA activity_metrics TO am_doctor_reader;
SET LOCAL ROLE am_doctor_reader;
CREATE TEMP TABLE more AS SELECT * FROM activity_metrics.doctor();
RESET ROLE;
SELECT results_eq($$SELECT status, detail FROM more WHERE check_name = 'relation'$$, $$VALUES ('error', 'doctor_test.event of calls, wins cannot be read by am_doctor_reader')$$, 'a relation that it may not read');

SELECT * FROM finish();
ROLLBACK;
