-- The report that `make demo` prints, in the order in which a head of sales reads it.
-- psql -X -q -d crm -f demo/report.sql
-- It is looked at from Monday 2025-12-22; the week before is the last whole one.

\set ON_ERROR_STOP 1
\pset footer off
\pset null '-'
SET timezone = 'UTC';
\o /dev/null
\i demo/metrics.sql

-- For the page only: lists of sentences, folded at 112 columns, and what an error says
CREATE OR REPLACE FUNCTION pg_temp.item(words text) RETURNS text LANGUAGE sql IMMUTABLE
RETURN '- ' || rtrim(regexp_replace(words, '(.{1,112})(\s+|$)', E'\\1\n  ', 'g'), E'\n ');
CREATE OR REPLACE FUNCTION pg_temp.quoted(words text) RETURNS text LANGUAGE sql IMMUTABLE
RETURN '   ' || rtrim(regexp_replace(words, '(.{1,110})(\s+|$)', E'\\1\n   ', 'g'), E'\n ');

CREATE OR REPLACE FUNCTION pg_temp.attempt(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE statement;
	RETURN NEXT 'accepted';
EXCEPTION
	WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
		RETURN QUERY VALUES ('ERROR:  ' || message), ('DETAIL:  ' || detail), ('HINT:  ' || hint);
END;
$$;
\o
\set sentences '\\pset tuples_only on \\pset format unaligned'
\set tables '\\pset tuples_only off \\pset format aligned'

\echo
\echo '1. NORTH STAR. Where do we stand in the week of 2025-12-15, and what leads there?'
\echo
SELECT metric, role,
	concat_ws(' ', to_char(value, 'FM999,999,990'), unit) AS "this week",
	to_char(previous, 'FM999,999,990') AS "week before",
	status, sparkline AS "26 weeks", verdict
FROM activity_metrics.scorecard_report(as_of => '2025-12-22');
\echo 'verdict: of assess(), against wins; grey: there is no target, bound or trend to judge it by.'
\echo

:sentences
SELECT pg_temp.item(format('%s is %s: %s', metric, status, reason))
FROM activity_metrics.scorecard_report(as_of => '2025-12-22') WHERE status <> 'grey';
:tables

\echo
\echo '2. FUNNEL. Of the deals we called, how many went how far within 90 days, and what became of the rest?'
\echo
SELECT step, reached, activity_metrics.bar(overall_rate, 1, 10) AS "of called",
	round(100 * step_rate::numeric) AS "step %",
	CASE WHEN step_rate_low IS NOT NULL
		THEN format('%s to %s', round(100 * step_rate_low::numeric), round(100 * step_rate_high::numeric)) END AS "95 % int.",
	still_open AS "still open", timed_out AS "timed out", round(100 * eventual_rate::numeric) AS "in the end",
	round(median_days::numeric, 1) AS "days"
FROM activity_metrics.funnel_report('crm.activity',
	'call -> (meeting | decision_meeting) -> proposal -> won within 90 days');
\echo 'step %: of those at the step before; in the end (%): open deals counted as not yet known, not as lost; days: median.'

\echo
\echo '3. DRIVERS. Which numbers move before wins, by how many weeks, and how much of them makes one more win?'
\echo
SELECT metric, verdict, CASE verdict WHEN 'leading' THEN lag END AS "weeks before", round(r::numeric, 2) AS r,
	format('%s to %s', round(low::numeric, 2), round(high::numeric, 2)) AS "95 % interval",
	CASE WHEN q < 0.001 THEN '< 0.001' ELSE round(q::numeric, 3)::text END AS "adjusted p"
FROM activity_metrics.leading_indicators('wins', metrics => ARRAY['decision_meetings', 'meetings', 'calls', 'emails', 'logins']);

\echo 'Meetings with a decision maker against wins, by weeks (+: the meetings come first):'
\echo
:sentences
SELECT * FROM activity_metrics.lag_chart('decision_meetings', 'wins', max_lag => 6);
\echo
SELECT pg_temp.item(sentence)
FROM unnest(ARRAY['decision_meetings', 'calls']) AS x, activity_metrics.dose_report(x, 'wins');
:tables

\echo
\echo '4. WARNINGS. Who holds fewer meetings with a decision maker than is usual for them, and what will it cost?'
\echo
SELECT rep, since_start AS since, round(usual_level::numeric, 1) AS "usual a week", round(level_now::numeric, 1) AS "a week now",
	round(expected_loss::numeric, 2) AS "wins lost a week", due_from AS "to be seen from"
FROM activity_metrics.early_warning_report('decision_meetings', 'wins', until => '2025-12-22', all_units => false);
\echo 'No drop was planted in these data: alarms above are chance. Some always are, among 25 reps.'

SELECT unit AS rep FROM activity_metrics.metric_panel('calls', 'wins', since => '2025-06-23', until => '2025-12-22')
GROUP BY unit HAVING max(period_start) = '2025-12-15' ORDER BY sum(y), unit LIMIT 1 \gset

\echo
\echo '5. DIAGNOSIS. Of those still here,' :rep 'has won the fewest deals in half a year: effort or quality?'
\echo
SELECT kind, part, round(before::numeric, CASE kind WHEN 'quality' THEN 3 ELSE 1 END) AS "mean of the others",
	round(after::numeric, CASE kind WHEN 'quality' THEN 3 ELSE 0 END) AS "this rep",
	round(effect::numeric, 1) AS "effect on wins", CASE WHEN p < 0.001 THEN '< 0.001' ELSE round(p::numeric, 3)::text END AS p
FROM activity_metrics.diagnosis('wins', :'rep', '2025-05-19', '2025-11-17', 'team',
	ARRAY['calls', 'meetings', 'decision_meetings'], lag_days => 35);
\echo 'Calls of the 26 weeks from 2025-05-19 on, wins of those from five weeks later on; p: of luck.'
\echo
:sentences
SELECT unnest(ARRAY[pg_temp.item(sentence), pg_temp.item(next_step)])
FROM activity_metrics.diagnosis('wins', :'rep', '2025-05-19', '2025-11-17', 'team',
	ARRAY['calls', 'meetings', 'decision_meetings'], lag_days => 35) WHERE part_no = 0;

\echo
\echo '6. VANITY. Which of these numbers count motion, which progress towards wins? (0 = progress, 1 = vanity)'
\echo
SELECT * FROM activity_metrics.vanity_chart('wins');
\echo
SELECT pg_temp.item(format('%s: %s', metric, sentence)) FROM activity_metrics.vanity_report('wins');

\echo
\echo '7. GAMING. Calls have had a target of 40 a week since May 2025. Who fills up to it?'
\echo
SELECT pg_temp.item(sentence) FROM activity_metrics.gaming_report('calls', 'meetings') WHERE unit IS NULL;
:tables
\echo
SELECT unit AS rep, round(suspicion::numeric, 1) AS suspicion,
	format('%s %%', round(100 * share_before::numeric)) AS "weeks at 40-43 before",
	format('%s %%', round(100 * share_at_target::numeric)) AS "since",
	activity_metrics.bar(share_at_target, 1, 20) AS " "
FROM activity_metrics.gaming_report('calls', 'meetings') WHERE unit IS NOT NULL LIMIT 10;
\echo 'Suspicion ranks; it is no probability and no proof.'

\echo
\set wish 'SELECT * FROM activity_metrics.set_target(\'logins\', 30, due => \'2026-06-30\', starts_at => \'2025-12-22\')'
\set test 'SELECT * FROM activity_metrics.test_target(\'decision_meetings\', 2)'
\set better 'SELECT * FROM activity_metrics.set_target(\'decision_meetings\', 2, due => \'2026-06-30\', starts_at => \'2025-12-22\')'
\echo '8. TARGETS. Somebody wants 30 log-ins a week of each rep:'
\echo
:sentences
\echo '  ' :wish
SELECT pg_temp.quoted(line) FROM pg_temp.attempt(:'wish') AS line;
\echo
\echo 'What target_check() says of it:'
\echo
SELECT unnest(ARRAY[pg_temp.item(sentence), pg_temp.item(next_step)]) FROM activity_metrics.target_check('logins', 30);
\echo
\echo 'Two meetings with a decision maker a week instead, tested before:'
\echo
BEGIN;
\echo '  ' :test
SELECT pg_temp.quoted(sentence) FROM (:test) AS t;
\echo '  ' :better
SELECT pg_temp.quoted(format('%s: %s owns it; usual is %s a week, reachable %s to %s', decision, owner, round(baseline::numeric, 1), reachable_low, reachable_high))
FROM (:better) AS t;
ROLLBACK;

\echo
\echo '9. IS IT SO? What is wrong with the data of the last quarter, and with the dictionary?'
\echo
SELECT pg_temp.item(format('%s (%s): %s', rule, status, message))
FROM activity_metrics.data_quality_report('crm.activity', 'quarter', since => '2025-10-01', until => '2026-01-01')
WHERE period_start IS NOT NULL AND status IN ('amber', 'red');
SELECT pg_temp.item(format('%s (%s): %s: %s', rule, severity, metric, message)) FROM activity_metrics.metric_issue;

\echo
\echo '10. WHAT NEXT'
\echo
SELECT pg_temp.item(format('%s (%s): %s', metric, verdict, next_step)) FROM activity_metrics.vanity_report('wins') ORDER BY score;
:tables
\echo
\echo 'What was planted in these data is written in demo/README.md.'
