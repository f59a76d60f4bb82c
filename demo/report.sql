-- The report that `make demo` prints. psql -X -q -d crm -f demo/report.sql

\set ON_ERROR_STOP 1
\pset footer off
\pset null '-'
\o /dev/null
\i demo/metrics.sql
\o

\echo
\echo '1. FUNNEL. Of the deals we called, how many went how far within 90 days, and what became of the rest?'
\echo
SELECT step,
	reached,
	activity_metrics.bar(overall_rate, 1, 24) AS "of those called",
	format('%s %%', round(100 * step_rate::numeric)) AS rate,
	CASE WHEN step_rate_low IS NOT NULL
		THEN format('%s to %s %%', round(100 * step_rate_low::numeric), round(100 * step_rate_high::numeric)) END AS "95 % interval",
	still_open,
	timed_out,
	CASE WHEN eventual_rate IS NOT NULL THEN format('%s %%', round(100 * eventual_rate::numeric)) END AS "in the end",
	round(median_days::numeric, 1) AS "median days"
FROM activity_metrics.funnel_report('crm.activity',
	'call -> (meeting | decision_meeting) -> proposal -> won within 90 days');

\echo 'rate: of those at the step before; in the end: open deals counted as not yet known, not as lost.'
\echo
\echo '2. LEAD AND LAG. Do meetings with a decision maker come before wins, and by how many weeks?'
\echo
SELECT lag AS "weeks before",
	round(r::numeric, 2) AS r,
	format('%s to %s', round(low::numeric, 2), round(high::numeric, 2)) AS "95 % interval",
	activity_metrics.bar(abs(r), 1, 30) AS strength,
	CASE WHEN p_holm < 0.001 THEN '< 0.001' ELSE round(p_holm::numeric, 3)::text END AS "adjusted p",
	verdict
FROM activity_metrics.lead_lag_report('decision_meetings', 'wins', max_lag => 8)
WHERE lag BETWEEN -2 AND 8;

\pset tuples_only
\pset format unaligned
SELECT '- ' || sentence
FROM (VALUES (1, 'decision_meetings', 'wins'), (2, 'calls', 'meetings'), (3, 'calls', 'wins'),
	(4, 'emails', 'wins'), (5, 'logins', 'wins')) AS pair(i, x, y),
	LATERAL activity_metrics.lead_lag_report(pair.x, pair.y)
WHERE verdict IS NOT NULL ORDER BY i;
\pset tuples_only
\pset format aligned

\echo
\echo '3. VANITY. Which of these numbers count motion, which progress towards wins? (0 = progress, 1 = vanity)'
\echo
SELECT metric, round(score::numeric, 2) AS score, activity_metrics.bar(score, 1, 10) AS vanity, verdict,
	round(confidence::numeric, 2) AS confidence,
	CASE WHEN verdict IN ('leading_indicator', 'diagnostic') THEN concat_ws(' to ', lag_from, nullif(lag_to, lag_from)) END AS "lag, weeks"
FROM activity_metrics.vanity_report('wins');

\pset tuples_only
\pset format unaligned
SELECT format('- %s: %s', metric, sentence) FROM activity_metrics.vanity_report('wins');
\pset tuples_only
\pset format aligned

\echo
\echo '4. GAMING. Calls have had a target of 40 a week since May 2025. Who fills up to it?'
\echo
\pset tuples_only
\pset format unaligned
SELECT '- ' || sentence FROM activity_metrics.gaming_report('calls', 'meetings') WHERE unit IS NULL;
\pset tuples_only
\pset format aligned
\echo
SELECT unit AS rep, round(suspicion::numeric, 1) AS suspicion,
	format('%s %%', round(100 * share_before::numeric)) AS "weeks at 40-43 before",
	format('%s %%', round(100 * share_at_target::numeric)) AS "since",
	activity_metrics.bar(share_at_target, 1, 20) AS " "
FROM activity_metrics.gaming_report('calls', 'meetings') WHERE unit IS NOT NULL LIMIT 10;

\echo '5. WHAT NEXT'
\echo
\pset tuples_only
\pset format unaligned
SELECT format('- %s (%s): %s', metric, verdict, next_step) FROM activity_metrics.vanity_report('wins') ORDER BY score;
\pset tuples_only
\pset format aligned
\echo
\echo 'What was planted in these data is written in demo/README.md.'
