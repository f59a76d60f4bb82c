#!/usr/bin/env perl
# A real event log (BPI Challenge 2012, van Dongen 2012): loan applications of a lender, with offers and
# follow-up calls. One view makes it events; the figures wanted are facts of the data's README, or come from
# plain SQL here.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Psql;
use Test::More;

my ($file) = shared_data('bpi2012_part1/bpi2012_part1.csv.gz');
scratch_database('am_real_bpi2012');

sql(<<'SQL');
CREATE TABLE log (case_id bigint, reg_date text, amount_req numeric, event text, lifecycle text, resource text, ts text);
SQL
copy_csv($file, 'log');
sql(<<'SQL');
CREATE VIEW event AS
SELECT case_id, event AS kind, ts::timestamptz AS at, resource AS actor,
	CASE lifecycle WHEN 'SCHEDULE' THEN 'planned' ELSE 'done' END AS status,
	CASE resource WHEN '112' THEN 'auto' ELSE 'manual' END AS origin,
	amount_req AS value, lifecycle
FROM log;
-- a call is a follow-up of an offer that was begun; its end is no second call
CREATE VIEW call_event AS
SELECT case_id AS entity, CASE WHEN kind = 'W_Nabellen offertes' THEN 'call' ELSE kind END AS kind, at, actor, status
FROM event WHERE kind <> 'W_Nabellen offertes' OR lifecycle <> 'COMPLETE';
ANALYZE log;
SQL

sub funnel
{
	my ($spec, $more) = @_;
	$spec =~ s/'/''/g;
	return "activity_metrics.funnel_report('event', '$spec', entity => 'case_id'" . ($more // '') . ')';
}

# what was loaded
is(sql('SELECT count(*), count(DISTINCT case_id), count(DISTINCT actor) FROM event'), '129127|6505|62', 'events, applications, resources');
is(sql(q{SELECT count(*) FILTER (WHERE origin = 'auto'), count(*) FILTER (WHERE actor IS NULL), count(*) FILTER (WHERE actor IS NULL AND origin = 'auto') FROM event}),
	'22747|14851|0', 'events of the automatic user, and events of nobody, which are not automatic');
is(sql(q{SELECT count(*) FILTER (WHERE status = 'planned') = count(*) FILTER (WHERE lifecycle = 'SCHEDULE') AND bool_or(status = 'planned') FROM event}), 't', 'scheduled is planned');

# the funnel, in order
my @steps   = qw(A_SUBMITTED A_PREACCEPTED A_ACCEPTED O_SENT A_APPROVED);
my $spec    = join ' -> ', @steps;
is(sql('SELECT reached FROM ' . funnel($spec)), "6505\n3567\n2468\n2426\n1145", 'applications per step as the README counts them');

# the plain twin: the earliest event of each step at or after that of the step before
sub twin
{
	my @kinds = @_;
	my $with  = "s1 AS (SELECT case_id, min(at) AS at FROM event WHERE status = 'done' AND kind = '$kinds[0]' GROUP BY 1)";
	my @rows  = ("SELECT 1 AS step_no, '$kinds[0]' AS step, (SELECT count(*) FROM s1) AS reached, NULL::float8 AS median, NULL::float8 AS p90, NULL::float8 AS from_start");
	for my $n (2 .. @kinds)
	{
		my $before = $n - 1;
		$with .= ",\n s$n AS (SELECT b.case_id, min(e.at) AS at FROM s$before b JOIN event e ON e.case_id = b.case_id AND e.at >= b.at
			WHERE e.status = 'done' AND e.kind = '$kinds[$n - 1]' GROUP BY 1)";
		push @rows, "SELECT $n, '$kinds[$n - 1]', count(*),
			percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM s$n.at - b.at) / 86400.0),
			percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM s$n.at - b.at) / 86400.0),
			percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM s$n.at - s1.at) / 86400.0)
		FROM s$n JOIN s$before b USING (case_id) JOIN s1 USING (case_id)";
	}
	# the planner knows little about chains of joins
	return "SET enable_nestloop = off; WITH $with, twin AS (" . join("\nUNION ALL ", @rows) . ')';
}
same_rows('SELECT step_no, step, reached, round(step_rate::numeric, 12), round(overall_rate::numeric, 12), still_open, timed_out, excluded, broken,
	round(median_days::numeric, 9), round(p90_days::numeric, 9), round(median_days_from_start::numeric, 9), note FROM ' . funnel($spec),
	twin(@steps) . q{
	SELECT step_no, step, reached, round((reached::float8 / coalesce(lag(reached) OVER w, reached))::numeric, 12),
		round((reached::float8 / first_value(reached) OVER w)::numeric, 12), coalesce(reached - lead(reached) OVER w, 0), 0, 0, 0,
		round(median::numeric, 9), round(p90::numeric, 9), round(from_start::numeric, 9),
		CASE step_no WHEN 1 THEN 'no within: whoever stopped counts as still open' END
	FROM twin WINDOW w AS (ORDER BY step_no) ORDER BY step_no}, 'counts, rates and days are those of the plain-SQL twin');
# steps that do come in the other order as well
my @again = qw(A_SUBMITTED O_SENT_BACK O_SENT O_CANCELLED);
same_rows('SELECT step_no, reached FROM ' . funnel(join ' -> ', @again), twin(@again) . ' SELECT step_no, reached FROM twin ORDER BY 1',
	'an offer sent again after it came back: order counts');
same_rows('SELECT reached FROM ' . funnel('O_SENT -> O_SENT -> O_SENT'),
	q{SELECT count(*) FILTER (WHERE n >= k) FROM (SELECT count(*) AS n FROM event WHERE kind = 'O_SENT' GROUP BY case_id) AS c, generate_series(1, 3) AS k GROUP BY k ORDER BY k},
	'one event fills one step');
same_rows('SELECT reached, reached = coalesce(lead(reached) OVER (ORDER BY step_no), reached) + still_open + timed_out FROM ' . funnel('O_SENT -> O_SENT_BACK within 14 days'),
	q{SELECT count(DISTINCT a.case_id) FILTER (WHERE step = 1 OR b.case_id IS NOT NULL), true
	FROM event a LEFT JOIN event b ON b.case_id = a.case_id AND b.kind = 'O_SENT_BACK' AND b.at >= a.at AND b.at - a.at <= interval '14 days'
	CROSS JOIN generate_series(1, 2) AS step WHERE a.kind = 'O_SENT' GROUP BY step ORDER BY step}, 'back within 14 days');
same_rows('SELECT segment, reached FROM ' . funnel($spec, q{, by => 'origin'}) . ' WHERE step_no IN (1, 5) ORDER BY segment, step_no',
	q{WITH entry AS (SELECT DISTINCT ON (case_id) case_id, origin FROM event WHERE kind = 'A_SUBMITTED' ORDER BY case_id, at, origin)
	SELECT o, count(case_id) FILTER (WHERE step = 1 OR case_id IN (SELECT case_id FROM event WHERE kind = 'A_APPROVED'))
	FROM (VALUES ('auto'), ('manual')) AS origins(o) CROSS JOIN generate_series(1, 2) AS step LEFT JOIN entry ON entry.origin = o
	GROUP BY o, step ORDER BY o, step}, 'by origin of the application: all are entered by the automatic user, and the other segment is there with zeros');
is(sql('SELECT count(DISTINCT segment), sum(reached) FILTER (WHERE step_no = 1), sum(reached) FILTER (WHERE step_no = 2) FROM ' . funnel("'W_Nabellen offertes' -> A_APPROVED", q{, by => 'actor'})),
	sql(q{SELECT count(DISTINCT coalesce(actor, '(none)')) FROM event WHERE status = 'done'}) . '|'
	  . join('|', map { $_->[0] } rows('SELECT reached FROM ' . funnel("'W_Nabellen offertes' -> A_APPROVED"))), 'by resource: nobody is (none), and all add up');

# planned is not done
is(sql('SELECT reached, note FROM ' . funnel("'W_Wijzigen contractgegevens'")),
	'0|no event of kind W_Wijzigen contractgegevens, nearest kind present: W_Nabellen offertes', 'work that was only scheduled is not counted, and the note says that there is none');
is(sql('SELECT reached, note FROM ' . funnel("'W_Wijzigen contractgegevens'", ', only_done => false')), '6|', 'with only_done => false it is');
for my $only_done (qw(true false))
{
	same_rows('SELECT reached, round(median_days::numeric, 9) FROM ' . funnel("O_SENT -> 'W_Nabellen offertes'", ", only_done => $only_done") . ' WHERE step_no = 2',
		qq{SET enable_nestloop = off; WITH done AS (SELECT * FROM event WHERE status = 'done' OR NOT $only_done),
		chain AS (SELECT b.case_id, b.at, max(a.at) FILTER (WHERE a.at <= b.at) AS sent FROM (
			SELECT s.case_id, min(w.at) AS at FROM (SELECT case_id, min(at) AS at FROM done WHERE kind = 'O_SENT' GROUP BY 1) AS s
			JOIN done w ON w.case_id = s.case_id AND w.at >= s.at AND w.kind = 'W_Nabellen offertes' GROUP BY 1) AS b
			JOIN done a ON a.case_id = b.case_id AND a.kind = 'O_SENT' GROUP BY 1, 2)
		SELECT count(*), round((percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM at - sent) / 86400.0))::numeric, 9) FROM chain},
		"from the last offer sent to the first call, only_done => $only_done");
}
is(sql('SELECT note FROM ' . funnel('A_SUBMITTED -> A_APROVED') . ' WHERE step_no = 2'), 'no event of kind A_APROVED, nearest kind present: A_APPROVED', 'a kind misspelt');
like(error_of('SELECT * FROM ' . funnel('A_SUBMITTED -> W_Nabellen offertes')), qr/22023.*at position 27.*single quotes/s, 'a kind with a blank and no quotes');

# 2011-10-30: the clock goes back. The file has the offset of the day, so its own text is the oracle
my $day = q{activity_metrics.period_no(ts::timestamptz, 'day', 'Europe/Amsterdam')};
is_true(qq{count(*) = 129127 AND bool_and($day = left(ts, 10)::date - date '1970-01-01') FROM log}, 'every event on its local day, by the text of the file');
is_true(qq{bool_and($day = (ts::timestamptz AT TIME ZONE 'Europe/Amsterdam')::date - date '1970-01-01') FROM log}, 'and by date arithmetic');
is_true(q{count(*) FILTER (WHERE activity_metrics.period_no(ts::timestamptz, 'day', 'UTC') <> left(ts, 10)::date - date '1970-01-01') = 365
	AND count(*) FILTER (WHERE activity_metrics.period_no(ts::timestamptz, 'day', '+02') <> left(ts, 10)::date - date '1970-01-01') > 0 FROM log},
	'which neither UTC nor one offset would give');
is_true(qq{count(DISTINCT right(ts, 6)) = 2 AND count(*) FILTER (WHERE ts LIKE '%+02:00') > 0 AND count(DISTINCT $day) = 1 FROM log WHERE ts LIKE '2011-10-30T%'},
	'the day of the change is one day with two offsets');
is_true(q{bool_and(activity_metrics.period_start(activity_metrics.period_no(ts::timestamptz, 'week', 'Europe/Amsterdam'), 'week') = date_trunc('week', left(ts, 10)::date)::date) FROM log}, 'weeks from the local Monday');
is_true(q{bool_and(activity_metrics.period_no(ts::timestamptz, 'hour', 'Europe/Amsterdam') = floor(extract(epoch FROM ts::timestamptz) / 3600)) FROM log}, 'hours run through the change');
sql(q{SELECT activity_metrics.define_metric('calls', 'call_event', 'call', tz => 'Europe/Amsterdam')});
same_rows(q{SELECT period_start, sum(x) FROM activity_metrics.metric_panel('calls', 'calls', 'day') GROUP BY 1 HAVING sum(x) > 0 ORDER BY 1},
	q{SELECT left(ts, 10)::date, count(*)::float8 FROM log WHERE event = 'W_Nabellen offertes' AND lifecycle = 'START' AND resource IS NOT NULL GROUP BY 1 ORDER BY 1},
	'calls per local day in the panel');

# does one more call help?
my $calls = q{activity_metrics.attempt_report('call_event', 'call', 'A_APPROVED', NULL)};
is(sql(q{SELECT won, round(avg(calls), 2) FROM (
	SELECT bool_or(event = 'A_APPROVED') AS won, count(*) FILTER (WHERE event = 'W_Nabellen offertes' AND lifecycle = 'START') AS calls
	FROM log GROUP BY case_id HAVING bool_or(event = 'O_SENT')) AS c GROUP BY won ORDER BY won}), "f|5.68\nt|3.84", 'mean number of calls of lost and won offers');
is(sql(q{SELECT string_agg(rate, ' ' ORDER BY calls) FROM (
	SELECT least(calls, 8) AS calls, ltrim(round(avg(won::integer), 3)::text, '0') AS rate FROM (
		SELECT bool_or(event = 'A_APPROVED') AS won, count(*) FILTER (WHERE event = 'W_Nabellen offertes' AND lifecycle = 'START') AS calls
		FROM log GROUP BY case_id HAVING bool_or(event = 'O_SENT')) AS c WHERE calls > 0 GROUP BY 1) AS r}),
	'.623 .570 .554 .528 .434 .357 .336 .262', 'approval by number of calls, in plain SQL');
is(sql("SELECT string_agg(rate, ' ' ORDER BY calls) FROM (
	SELECT least(attempt, 8) AS calls, ltrim(round(sum(successes) / sum(naive_n), 3)::text, '0') AS rate FROM $calls GROUP BY 1) AS r"),
	'.623 .570 .554 .528 .434 .357 .336 .262', 'the naive rates of the report are these');

same_rows("SELECT attempt, at_risk, successes, round(rate::numeric, 12), naive_n, round(naive_rate::numeric, 12) FROM $calls",
	q{WITH won AS (SELECT case_id, min(ts::timestamptz) AS at FROM log WHERE event = 'A_APPROVED' GROUP BY 1),
	call AS (
		SELECT l.case_id, row_number() OVER (PARTITION BY l.case_id ORDER BY l.ts::timestamptz) AS k,
			row_number() OVER (PARTITION BY l.case_id ORDER BY l.ts::timestamptz DESC) = 1 AS last, won.at IS NOT NULL AS won
		FROM log l LEFT JOIN won USING (case_id)
		WHERE l.event = 'W_Nabellen offertes' AND l.lifecycle = 'START' AND (won.at IS NULL OR l.ts::timestamptz <= won.at))
	SELECT k, count(*), count(*) FILTER (WHERE last AND won), round((count(*) FILTER (WHERE last AND won)::float8 / count(*))::numeric, 12),
		count(*) FILTER (WHERE last), round((count(*) FILTER (WHERE last AND won)::float8 / nullif(count(*) FILTER (WHERE last), 0))::numeric, 12)
	FROM call GROUP BY k ORDER BY k}, 'approval at call k of those called k times, as plain SQL has it');
is(sql("SELECT sum(successes), sum(naive_n), max(at_risk) FROM $calls"), '1145|2422|2422', 'every approval came after a call: they add up');
is(sql(q{SELECT string_agg(round(rate::numeric, 3)::text, ' ' ORDER BY attempt) FROM activity_metrics.attempt_report('call_event', 'call', 'A_APPROVED', 4)}),
	'0.090 0.118 0.132 0.120', 'to the third call one more pays, which the naive rates deny');
my ($third) = sql(q{SELECT sentence FROM activity_metrics.attempt_report('call_event', 'call', 'A_APPROVED') WHERE attempt = 3});
like($third, qr/^attempt 3: 13\.2 % of the 1,642 .*believe this one.*naive 55\.4 % is of the 392 who had exactly 3/, 'the sentence says which to believe');
is(sql(q{SELECT attempt, at_risk, successes, rate, sentence FROM activity_metrics.attempt_report('call_event', 'cal', 'A_APPROVED')}),
	q{1|0|0||no attempt is found: does attempts => 'cal' name what counts as one?}, 'a kind misspelt is not an empty answer');
is_true(q{bool_and(sentence LIKE '%does success => ''A_APROVED'' name what counts as one?') AND count(*) = 10 FROM activity_metrics.attempt_report('call_event', 'call', 'A_APROVED')},
	'nor a rate of zero to believe');

# In the vanity score one more call is neither a driver nor harmful, per rep as per application
sql(q{SELECT activity_metrics.define_metric('approvals', 'call_event', 'A_APPROVED', kind => 'outcome', tz => 'Europe/Amsterdam')});
sql(q{CREATE VIEW by_case AS SELECT entity, kind, at, 'case ' || entity AS actor, status FROM call_event;
	SELECT activity_metrics.define_metric('case_calls', 'by_case', 'call', tz => 'Europe/Amsterdam'), activity_metrics.define_metric('case_approvals', 'by_case', 'A_APPROVED', kind => 'outcome', tz => 'Europe/Amsterdam')});
for my $case ([ 'approvals', 'calls', 'week' ], [ 'approvals', 'calls', 'day' ], [ 'case_approvals', 'case_calls', 'week' ], [ 'case_approvals', 'case_calls', 'day' ])
{
	my ($outcome, $metric, $grain) = @$case;
	my $vanity = "activity_metrics.vanity_report('$outcome', '$grain', metrics => '{$metric}')";
	is_true("verdict <> ALL (ARRAY['leading_indicator', 'outcome', 'vanity', 'gamed']) AND wrong_way < 0.1 FROM $vanity", "$metric by $grain: no driver, nor harmful");
	like(sql("SELECT next_step FROM $vanity"), qr/Activity stops after the outcome here \(1 of 1145 entities had more of it afterwards\).*attempt_report\('public\.\w+', 'call', 'A_APPROVED'\)/,
		"$metric by $grain: it says that calls stop after an approval, and what to ask instead");
}
is(sql(q{SELECT count(*) FROM (SELECT case_id, min(ts::timestamptz) FILTER (WHERE event = 'A_APPROVED') AS won, max(ts::timestamptz) FILTER (WHERE event = 'W_Nabellen offertes' AND lifecycle = 'START') AS last_call
	FROM log GROUP BY 1) AS c WHERE last_call > won}), '1', 'one application was called after its approval, as plain SQL has it');

done_testing();
