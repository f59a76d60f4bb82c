-- metric_issue: a dictionary without faults has no rows, and each fault makes its row and no other.
BEGIN;
SELECT no_plan();
DELETE FROM activity_metrics.metric;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = error;
CREATE SCHEMA issue_test;
SET LOCAL search_path = issue_test, public;

CREATE TABLE event (actor text, kind text, at timestamptz, entity text, value float8);
INSERT INTO event SELECT 'rep ' || i % 3, (ARRAY['call', 'won', 'demo'])[1 + i % 3], now() - i * interval '9 hours', 'e' FROM generate_series(1, 120) AS i;
SELECT activity_metrics.define_metric('wins', 'event', 'won', kind => 'outcome', owner => 'o', description => 'd', north_star => true);
SELECT activity_metrics.define_metric('calls', 'event', 'call', owner => 'o', description => 'd', outcome_metric => 'wins', timing => 'leading', max_staleness_hours => 24);
SELECT is_empty('SELECT * FROM activity_metrics.metric_issue', 'nothing is wrong');

CREATE FUNCTION finds(change text, rows text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	r text;
BEGIN
	BEGIN
		EXECUTE change;
		SELECT coalesce(string_agg(format('%s %s %s', severity, rule, coalesce(metric, '-')), ', ' ORDER BY severity, rule, metric), '') INTO r FROM activity_metrics.metric_issue;
		IF EXISTS (SELECT FROM activity_metrics.metric_issue WHERE coalesce(message, '') = '' OR coalesce(hint, '') = '') THEN
			r := r || ' without words';
		END IF;
		RAISE EXCEPTION USING ERRCODE = 'P0099';
	EXCEPTION WHEN SQLSTATE 'P0099' THEN
		NULL;
	END;
	RETURN NEXT is(r, rows, left(change, 110));
END;
$$;
SELECT finds(change, rows) FROM (VALUES
	($$UPDATE activity_metrics.metric SET owner = NULL WHERE metric = 'calls'$$, 'warning no_owner calls'),
	($$UPDATE activity_metrics.metric SET owner = ' ' WHERE metric = 'calls'$$, 'warning no_owner calls'),
	($$UPDATE activity_metrics.metric SET description = '' WHERE metric = 'wins'$$, 'warning no_definition wins'),
	($$UPDATE activity_metrics.metric SET outcome_metric = NULL WHERE metric = 'calls'$$, 'warning no_outcome calls'),
	($$UPDATE activity_metrics.metric SET timing = 'lagging' WHERE metric = 'calls'$$, 'warning one_sided -'),
	($$UPDATE activity_metrics.metric SET timing = 'leading' WHERE metric = 'wins'$$, 'warning one_sided -'),
	($$UPDATE activity_metrics.metric SET is_north_star = false$$, 'warning no_north_star -'),
	($$SELECT activity_metrics.define_metric('deals', 'event', 'won', agg => 'count_distinct', value => 'entity', kind => 'outcome', owner => 'o', description => 'd', lifecycle => 'draft', north_star => true)$$, 'error two_north_stars deals'),
	($$SELECT activity_metrics.define_metric('deals', 'event', 'won', kind => 'outcome', owner => 'o', description => 'd', unit => 'EUR')$$, 'warning same_formula deals'),
	($$SELECT activity_metrics.define_metric('demos', 'event', 'demo', label => 'Wins ', kind => 'outcome', owner => 'o', description => 'd')$$, 'error same_label demos'),
	($$UPDATE activity_metrics.metric SET unit = '%' WHERE metric = 'calls'$$, 'warning no_denominator calls'),
	($$UPDATE activity_metrics.metric SET review_on = '2020-01-01' WHERE metric = 'calls'$$, 'warning review_overdue calls'),
	($$UPDATE activity_metrics.metric SET valid_to = '2020-01-01' WHERE metric = 'calls'$$, 'warning expired calls'),
	($$UPDATE activity_metrics.metric SET max_staleness_hours = 0.5 WHERE metric = 'calls'$$, 'warning stale calls'),
	('DELETE FROM issue_test.event', 'warning stale calls'),
	('ALTER TABLE issue_test.event RENAME actor TO rep', 'error broken_mapping calls, error broken_mapping wins'),
	('ALTER TABLE issue_test.event DROP COLUMN at', 'error broken_mapping calls, error broken_mapping wins'),
	('ALTER TABLE issue_test.event ALTER at TYPE text', 'error broken_mapping calls, error broken_mapping wins'),
	('DROP TABLE issue_test.event', 'error broken_mapping calls, error broken_mapping wins'),
	($$UPDATE activity_metrics.metric SET filter_sql = 'gone > 1' WHERE metric = 'calls'$$, 'error broken_mapping calls'),
	($$SELECT activity_metrics.define_metric('rate', numerator => 'wins', denominator => 'calls', owner => 'o', description => 'd', kind => 'outcome'); UPDATE activity_metrics.metric SET event_kinds = 'call |' WHERE metric = 'calls'$$, 'error broken_mapping calls, error broken_mapping rate'),
	($$SELECT * FROM activity_metrics.set_target('wins', 3, '2099-01-01', 'o')$$, ''),
	-- what stood before the guard and is another metric now
	($$SELECT * FROM activity_metrics.set_target('wins', 3, '2099-01-01', 'o', starts_at => '2020-01-01Z', baseline => 1, reachable_low => 1, reachable_high => 5); UPDATE activity_metrics.metric SET event_kinds = 'call' WHERE metric = 'wins'$$, 'warning same_formula calls, warning undefended_target wins'),
	($$INSERT INTO activity_metrics.target (metric, value, decision, reason) VALUES ('wins', 3, 'forced', 'r')$$, 'warning target_without_date wins'),
	($$INSERT INTO activity_metrics.target (metric, value, decision, reason, starts_at, due) VALUES ('wins', 3, 'forced', 'r', '2020-01-01', '2020-02-01')$$, 'warning target_overdue wins'),
	($$INSERT INTO activity_metrics.target (metric, value, decision, reason, starts_at, due, ended_at) VALUES ('wins', 3, 'forced', 'r', '2020-01-01', '2020-02-01', '2020-03-01')$$, ''),
	($$INSERT INTO activity_metrics.metric_assessment (metric, outcome, grain, verdict) VALUES ('calls', 'wins', 'week', 'vanity'); INSERT INTO activity_metrics.target (metric, value, decision, reason, due) VALUES ('calls', 3, 'forced', 'r', '2099-01-01')$$, 'error vanity_target calls'),
	($$INSERT INTO activity_metrics.metric_assessment (metric, outcome, grain, verdict) VALUES ('calls', 'wins', 'week', 'diagnostic'); INSERT INTO activity_metrics.target (metric, value, decision, reason, due) VALUES ('calls', 3, 'forced', 'r', '2099-01-01')$$, ''),
	($$SELECT activity_metrics.define_metric('m' || i, 'event', 'k' || i, audience => 'board', owner => 'o', description => 'd', outcome_metric => 'wins') FROM generate_series(1, 8) AS i$$, 'warning too_many -'),
	($$SELECT activity_metrics.define_metric('m' || i, 'event', 'k' || i, audience => 'board', owner => 'o', description => 'd', outcome_metric => 'wins') FROM generate_series(1, 7) AS i$$, ''),
	($$UPDATE activity_metrics.metric SET owner = NULL, description = NULL, status = 'draft' WHERE metric = 'calls'$$, 'warning one_sided -')) AS v(change, rows);
-- what is renamed or dropped is named with the metric to mend
ALTER TABLE event RENAME actor TO rep_name;
SELECT results_eq($$SELECT metric, message ~ 'column "actor" of metric "calls" does not exist in issue_test.event', hint ~ '^Mend metric calls: ' FROM activity_metrics.metric_issue WHERE metric = 'calls'$$, $$VALUES ('calls', true, true)$$, 'the message names column and metric');
SELECT throws_matching(query, 'column "actor" of metric "calls" does not exist', query) FROM unnest(ARRAY[$$SELECT * FROM activity_metrics.metric_panel('calls', 'calls')$$, $$SELECT * FROM activity_metrics.metric_values('calls')$$,
	$$SELECT * FROM activity_metrics.set_target('calls', 3)$$]) AS query;
-- a reader who may not read the events: nothing is wrong with the dictionary
ALTER TABLE event RENAME rep_name TO actor;
CREATE ROLE am_issue_reader;
GRANT USAGE ON SCHEMA activity_metrics, public TO am_issue_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA activity_metrics TO am_issue_reader;
SET LOCAL ROLE am_issue_reader;
SELECT results_eq($$SELECT metric, severity, rule, message, hint FROM activity_metrics.metric_issue WHERE metric = 'calls' AND rule ~ 'right|broken'$$,
	$$VALUES ('calls', 'warning', 'no_right', 'permission denied for schema issue_test', 'Nothing is wrong with metric calls: am_issue_reader may not read what it counts. GRANT USAGE ON SCHEMA issue_test TO am_issue_reader; GRANT SELECT ON issue_test.event TO am_issue_reader;')$$, 'what the reader lacks, and the grants');
SELECT results_eq($$SELECT status, detail, hint FROM activity_metrics.doctor() WHERE check_name = 'relation'$$,
	$$VALUES ('error', 'issue_test.event of calls, wins cannot be read by am_issue_reader', 'GRANT USAGE ON SCHEMA issue_test TO am_issue_reader; GRANT SELECT ON issue_test.event TO am_issue_reader;')$$, 'doctor() says the same');
RESET ROLE;
DROP OWNED BY am_issue_reader;
DROP ROLE am_issue_reader;
DELETE FROM activity_metrics.metric;
SELECT is_empty('SELECT * FROM activity_metrics.metric_issue', 'nothing is wrong with nothing');

SELECT * FROM finish();
ROLLBACK;
