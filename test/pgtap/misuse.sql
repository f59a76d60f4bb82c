-- Input that is well formed but not what the user meant: said, not computed into a calm verdict.
BEGIN;
SELECT plan(28);
SET LOCAL timezone = 'UTC';

CREATE SCHEMA misuse;
CREATE TABLE misuse.event(entity bigint, at timestamptz, kind text, actor text, status text, region text);
INSERT INTO misuse.event
SELECT d, timestamptz '2025-01-06' + d * interval '1 day', 'PHONE CALL', 'rep ' || d % 3, 'done', 'r' || d % 2 FROM generate_series(1, 60) d
UNION ALL
SELECT d, timestamptz '2025-01-08' + d * interval '1 day', 'DEMO', 'rep ' || d % 3,
	(ARRAY['done', 'No-Show', 'CANCELED ', 'Planned', NULL, 'no show'])[1 + d % 6], 'r' || d % 2 FROM generate_series(1, 60) d;
CREATE TABLE misuse.deal(at timestamptz, kind text, actor integer);
INSERT INTO misuse.deal SELECT timestamptz '2025-01-10' + d * interval '1 day', 'won', d % 3 FROM generate_series(1, 60) d;

CREATE FUNCTION misuse.messages(query text, OUT state text, OUT message text, OUT detail text, OUT hint text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE query;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END;
$$;

-- status words
SELECT is((SELECT reached FROM activity_metrics.funnel_report('misuse.event', 'DEMO') WHERE step_no = 1), 20::bigint,
	'planned, cancelled and no show in any spelling are not done');
SELECT is((SELECT reached FROM activity_metrics.funnel_report('misuse.event', 'DEMO', only_done => false) WHERE step_no = 1), 60::bigint,
	'unless asked for');

-- kinds that do not occur, with and without segments
SELECT is((SELECT note FROM activity_metrics.funnel_report('misuse.event', 'DEMOS -> ''PHONE CALL'' within 5 days') WHERE step_no = 1),
	'no event of kind DEMOS, nearest kind present: DEMO', 'a kind that does not occur');
SELECT is((SELECT array_agg(DISTINCT note) FROM activity_metrics.funnel_report('misuse.event', 'DEMOS -> ''PHONE CALL'' within 5 days', by => 'region') WHERE step_no = 1),
	ARRAY['in this segment no event of kind DEMOS, nearest kind present: DEMO'], 'is named for each segment too');
SELECT is((SELECT array_agg(DISTINCT note) FROM activity_metrics.funnel_report('misuse.event', 'DEMO -> ''PHONE CALL'' within 5 days', since => '2030-01-01') WHERE step_no = 1),
	ARRAY['in this range no event of kind DEMO'], 'a range without events is not a kind without events');
SELECT is((SELECT note FROM activity_metrics.funnel_report('misuse.event', 'DEMO -> ''PHONE CALL'' within 1 hour') WHERE step_no = 2),
	'nobody took this step in time after the one before', 'a step that nobody took');

-- ranges
SELECT is((SELECT count(*)::int FROM unnest(ARRAY[
	$$SELECT * FROM activity_metrics.funnel_report('misuse.event', 'DEMO', since => '2025-02-01', until => '2025-01-01')$$,
	$$SELECT * FROM activity_metrics.metric_panel('calls', 'wins', since => '2025-02-01', until => '2025-01-01')$$,
	$$SELECT * FROM activity_metrics.lead_lag_report('calls', 'wins', since => '2025-02-01', until => '2025-01-01')$$,
	$$SELECT * FROM activity_metrics.vanity_report('wins', since => '2025-02-01', until => '2025-01-01')$$]) q, misuse.messages(q) m
	WHERE m.state = '22023' AND m.message LIKE 'since % is after until %'), 4, 'a range that ends before it begins');

-- metrics without a unit in common
SELECT lives_ok($$SELECT activity_metrics.define_metric('calls', 'misuse.event', '''PHONE CALL'''),
	activity_metrics.define_metric('demos', 'misuse.event', 'DEMO', target => 2, target_from => '2025-02-03'),
	activity_metrics.define_metric('wins', 'misuse.deal', 'won', kind => 'outcome')$$, 'metrics over two relations');
SELECT is((m).state, '22023', 'names here and ids there are refused') FROM misuse.messages($$SELECT * FROM activity_metrics.metric_panel('calls', 'wins')$$) m;
SELECT is((m).detail, 'Actors of calls look like "rep 0", those of wins like "0".', 'with an example of each')
FROM misuse.messages($$SELECT * FROM activity_metrics.lead_lag_report('calls', 'wins')$$) m;
SELECT isnt_empty($$SELECT * FROM activity_metrics.metric_panel('calls', 'demos')$$, 'metrics of one relation are not looked at twice');

-- a kind of a metric that does not occur: warned about, with the nearest
SELECT lives_ok($$SET LOCAL client_min_messages = error$$, 'warnings are not shown here');
SELECT is(activity_metrics.define_metric('typo', 'misuse.event', 'DMEO'), 'typo', 'a metric of a kind that does not occur yet is written all the same');

-- a target is for its own period
SELECT is((SELECT grain FROM activity_metrics.target WHERE metric = 'demos'), 'week', 'a target is for a week unless said otherwise');
SELECT is((m).state || ' ' || (m).message, '22023 the target of metric "demos" is for each week, not for each day', 'the gaming test of another period is refused')
FROM misuse.messages($$SELECT * FROM activity_metrics.gaming_report('demos', 'calls', 'day')$$) m;
SELECT is((SELECT p_gamed FROM activity_metrics.vanity_report('calls', 'day', metrics => '{demos}')), NULL, 'and not made in the vanity report');

-- attempts
CREATE TABLE misuse.client(tries integer, won boolean);
INSERT INTO misuse.client SELECT 1, i % 2 = 0 FROM generate_series(1, 40) i;
SELECT is((SELECT sentence FROM activity_metrics.attempt_report('misuse.client', 'tries', 'won')),
	'attempt 1: 50.0 % of the 40 who got that far succeeded at it; nobody was tried again.', 'no naive rate is held against one that is the same');
SELECT is((m).state, '22023', 'max_attempt below 1') FROM misuse.messages($$SELECT * FROM activity_metrics.attempt_report('misuse.client', 'tries', 'won', 0)$$) m;

-- a deal that comes with a late stage, one that leaves a stage out, a funnel without an end
CREATE TABLE misuse.stage(entity text, at timestamptz, kind text);
INSERT INTO misuse.stage VALUES ('late', '2025-01-01', 'proposal'), ('late', '2025-01-05', 'won'), ('jump', '2025-01-01', 'qualified'), ('jump', '2025-01-04', 'won'), ('all', '2025-01-01', 'qualified'), ('all', '2025-01-02', 'proposal'),
	('all', '2025-01-03', 'won');
SELECT is((SELECT note FROM activity_metrics.funnel_report('misuse.stage', 'qualified -> proposal -> won') WHERE step_no = 1),
	'no within: whoever stopped counts as still open; 1 took later steps without it, and are left out; 1 went on without the next step', 'what is left out is said');
SELECT is((SELECT array_agg(concat(reached, ' ', note) ORDER BY step_no) FROM activity_metrics.funnel_report('misuse.stage', 'qualified -> proposal -> won', skipped => 'count')),
	'{"3 1 of 3 skipped it","3 1 of 3 skipped it","3 "}', 'and counted when asked for');
SELECT is((m).hint, 'It is ''gap'' or ''count''.', 'when asked for in the words there are') FROM misuse.messages($$SELECT * FROM activity_metrics.funnel_report('misuse.stage', 'qualified -> won', skipped => 'yes')$$) m;
SELECT is((m).state || ' ' || (m).hint, '22023 Did you mean ''r1''?', 'a segment that no event has') FROM misuse.messages($$SELECT * FROM activity_metrics.funnel_compare('misuse.event', 'DEMO', 'region', 'r0', 'R1')$$) m;
SELECT is((m).state || ' ' || (m).hint, '22023 Did you mean ''still open''?', 'a stop there is not') FROM misuse.messages($$SELECT * FROM activity_metrics.funnel_entities('misuse.event', 'DEMO', stop => 'open')$$) m;
SELECT is((m).state || ' ' || (m).hint, '22023 Did you mean ''PHONE CALL''?', 'a step there is not') FROM misuse.messages($$SELECT * FROM activity_metrics.funnel_report('misuse.event', '''PHONE CALL'' -> DEMO', 'region', attribution => 'call')$$) m;
SELECT is((SELECT array_agg(is_complete::text || ' ' || coalesce(note, '') ORDER BY period_start) FROM activity_metrics.funnel_trend('misuse.event', '''PHONE CALL'' -> DEMO within 5 days')),
	'{"true ","true ","false 1 of 7 still open: the rate can rise"}', 'a month that is not over is no fall');
SELECT is((SELECT DISTINCT note FROM activity_metrics.funnel_compare('misuse.event', '''PHONE CALL'' -> DEMO', 'region', 'r0', 'r1') WHERE step_no = 2),
	'attempts are still open: the rates can rise, compare eventual_rate_a and eventual_rate_b', 'nor is a comparison of the unfinished one of rates');

-- words of the language in capitals
SELECT is((SELECT reached FROM activity_metrics.funnel_report('misuse.event', 'DEMO WITHIN 90 Days') WHERE step_no = 1), 20::bigint, 'WITHIN 90 Days');
SELECT is((m).hint, 'Alternatives stand in parentheses: (a | b).', 'alternatives without parentheses')
FROM misuse.messages($$SELECT * FROM activity_metrics.funnel_report('misuse.event', 'DEMO | X -> Y')$$) m;

SELECT * FROM finish();
ROLLBACK;
