#!/usr/bin/env perl
# A real telephone campaign (Moro et al., 2011): does one more call help? A table with one row per client,
# columns in capitals. The figures wanted are facts of the data's README, or come from plain SQL here.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Psql;
use Test::More;

my ($file) = shared_data('bank_marketing/bank-full.csv');
scratch_database('am_real_bank');

sql(<<'SQL');
CREATE TABLE client (
	"Age" integer, "Job" text, "Marital (Status)" text, "Education" text, "Default" text, "Balance" integer,
	"Housing" text, "Loan" text, "Contact" text, "Day" integer, "Month" text, "Duration" integer,
	"Campaign" integer, "Pdays" integer, "Previous" integer, "Poutcome" text, "Output" text);
SQL
copy_csv($file, 'client');

is(sql('SELECT count(*), sum("Campaign"), count(*) FILTER (WHERE "Output" = \'yes\') FROM client'),
	'45211|124956|5289', 'clients, calls, yes as the README says');

my $report = q{activity_metrics.attempt_report('client', 'Campaign', 'Output')};
my $all    = q{activity_metrics.attempt_report('client', 'Campaign', 'Output', NULL)};

# the rate at call k among those called k times or more falls slowly; the naive one starts far too high
is(sql("SELECT attempt, at_risk, successes, round(rate::numeric, 3), naive_n, round(naive_rate::numeric, 3) FROM $report WHERE attempt <= 3"),
	"1|45211|2561|0.057|17544|0.146\n2|27667|1401|0.051|12505|0.112\n3|15162|618|0.041|5521|0.112", 'attempts 1 to 3');
is(sql("SELECT string_agg(round(naive_rate::numeric, 3)::text, ' ' ORDER BY attempt) FROM $report"),
	'0.146 0.112 0.112 0.090 0.079 0.071 0.064 0.059 0.064 0.053', 'naive rates by number of calls');
is(sql("SELECT round((sum(successes) / sum(naive_n))::numeric, 3) FROM $all WHERE attempt >= 11"), '0.039', 'naive rate of 11 calls and more');
is(sql("SELECT min(attempt), max(attempt), count(*) FROM $report"), '1|10|10', 'ten attempts where nothing else is asked for');

# every call reaches somebody and every yes is at some call: also those attempts that are nobody's last one
is(sql("SELECT sum(at_risk), sum(successes), sum(naive_n) FROM $all"), '124956|5289|45211', 'all calls, all yes, all clients add up');
is(sql("SELECT count(*), max(attempt), count(*) FILTER (WHERE naive_n = 0 AND naive_rate IS NULL AND rate = 0) FROM $all"),
	sql('SELECT max("Campaign"), max("Campaign"), max("Campaign") - count(DISTINCT "Campaign") FROM client'), 'no attempt is left out between the first and the last');

same_rows("SELECT attempt, at_risk, successes, rate, naive_n, naive_rate FROM $all",
	q{SELECT k, count(*) FILTER (WHERE "Campaign" >= k), count(*) FILTER (WHERE "Campaign" = k AND "Output" = 'yes'),
		count(*) FILTER (WHERE "Campaign" = k AND "Output" = 'yes')::float8 / nullif(count(*) FILTER (WHERE "Campaign" >= k), 0),
		count(*) FILTER (WHERE "Campaign" = k),
		count(*) FILTER (WHERE "Campaign" = k AND "Output" = 'yes')::float8 / nullif(count(*) FILTER (WHERE "Campaign" = k), 0)
	FROM client, generate_series(1, (SELECT max("Campaign") FROM client)) AS k GROUP BY k ORDER BY k},
	'every attempt as plain SQL counts it');

my $wilson = sub {
	my ($p, $n, $sign) = @_;
	return "($p + 1.959963984540054 ^ 2 / (2 * $n) $sign 1.959963984540054 * sqrt($p * (1 - $p) / $n + 1.959963984540054 ^ 2 / (4 * ${n}::float8 ^ 2)))"
	  . " / (1 + 1.959963984540054 ^ 2 / $n)";
};
is_true("bool_and(abs(rate_low - " . $wilson->('rate', 'at_risk', '-') . ") < 1e-12 AND abs(rate_high - " . $wilson->('rate', 'at_risk', '+') . ") < 1e-12
	AND abs(naive_low - " . $wilson->('naive_rate', 'naive_n', '-') . ") < 1e-12 AND abs(naive_high - " . $wilson->('naive_rate', 'naive_n', '+') . ") < 1e-12)
	AND count(*) = 10 FROM $report", 'Wilson intervals as the formula has them');
is_true("bool_and(rate_low <= rate AND rate <= rate_high AND rate_high < naive_low) FROM $report WHERE attempt <= 10",
	'the naive rate is out of reach of the interval at each of ten calls');

my ($first) = sql("SELECT sentence FROM $report LIMIT 1");
like($first, qr/^attempt 1: 5\.7 % of the 45,211 /, 'the sentence gives the rate and of how many');
like($first, qr/believe this one/, 'it says which to believe');
like($first, qr/naive 14\.6 % is of the 17,544 who had exactly 1/, 'and of what the other one is');
is(sql(q{SELECT sentence FROM activity_metrics.attempt_report('client', 'Campaign', 'Output', NULL) WHERE attempt = 42}) =~ /naive %|\(null\)/ ? 'odd' : 'fine',
	'fine', 'a sentence without a naive rate does not show an empty one');

# what is misspelt must not look like a result
like(error_of(q{SELECT * FROM activity_metrics.attempt_report('client', 'campaign', 'Output')}),
	qr/42703.*has no column "campaign".*Did you mean "Campaign"/s, 'names in capitals: the hint has the right one');
like(error_of(q{SELECT * FROM activity_metrics.attempt_report('client', 'Campaign', 'output')}),
	qr/42703.*has no column "output".*Did you mean "Output"/s, 'also that of the success');
like(error_of(q{SELECT * FROM activity_metrics.attempt_report('client', 'Job', 'Output')}), qr/42804/, 'a text is no number of attempts');
is_true(q{bool_and(sentence LIKE '%does success => ''Job'' name what counts as one?') AND count(*) = 10 FROM activity_metrics.attempt_report('client', 'Campaign', 'Job')},
	'no success at all is not presented as a rate to believe');
is(sql(q{CREATE VIEW nobody AS SELECT * FROM client WHERE false;
	SELECT attempt, at_risk, successes, rate, naive_n, naive_rate, sentence LIKE 'no attempt is found%' FROM activity_metrics.attempt_report('nobody', 'Campaign', 'Output')}),
	'1|0|0||0||t', 'no row: one attempt with zeros that says so');

# In the vanity score one more call is neither a driver nor harmful. The file is in order of time, so the year can be
# rebuilt; the calls of a client are taken to be a day apart, the last of them on its date, and a team calls one kind of job.
sql(<<'SQL');
ALTER TABLE client ADD no bigserial;
CREATE VIEW dated AS
SELECT *, make_date(2008 + (sum(coalesce(month_no < before, false)::integer) OVER (ORDER BY no))::integer, month_no, "Day") AS last_call
FROM (SELECT *, lag(month_no) OVER (ORDER BY no) AS before
	FROM (SELECT *, array_position(ARRAY['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'], "Month") AS month_no FROM client) AS m) AS s;
CREATE TABLE call_event AS
SELECT no AS entity, 'call' AS kind, (last_call - ("Campaign" - j)) + time '10:00' AS at, "Job" AS actor FROM dated, generate_series(1, "Campaign") AS j
UNION ALL SELECT no, 'yes', last_call + time '11:00', "Job" FROM dated WHERE "Output" = 'yes';
CREATE VIEW job_week AS
SELECT "Job" AS unit, last_call AS period, "Campaign" AS calls, ("Output" = 'yes')::integer AS yes FROM dated;
ANALYZE call_event;
SELECT activity_metrics.define_metric('calls', 'call_event', 'call'), activity_metrics.define_metric('yes', 'call_event', 'yes', kind => 'outcome');
SQL
is(sql('SELECT min(last_call), max(last_call) FROM dated'), '2008-05-05|2010-11-17', 'May 2008 to November 2010, as the README says');
is(sql(q{SELECT count(at) FILTER (WHERE kind = 'call'), count(at) FILTER (WHERE kind = 'yes') FROM call_event}), '124956|5289', 'every call and every yes is an event');
for my $grain ('week', 'day')
{
	my $vanity = "activity_metrics.vanity_report('yes', '$grain')";
	is_true("verdict <> ALL (ARRAY['leading_indicator', 'outcome', 'vanity', 'gamed']) AND wrong_way < 0.1 FROM $vanity", "calls by $grain are no driver, nor harmful");
	like(sql("SELECT next_step FROM $vanity"), qr/Activity stops after the outcome here \(0 of 5289 entities had more of it afterwards\).*attempt_report\('public\.call_event', 'call', 'yes'\)/,
		"by $grain it says that calls stop after a yes, and what to ask instead");
}
is_true(q{verdict <> 'leading_indicator' AND wrong_way < 0.1 AND next_step !~ 'stops after' FROM activity_metrics.vanity_report('yes', relation => 'job_week')}, 'nor in a panel of clients, of which no events are known');
is_true(q{abs(r_dashboard - (SELECT corr(calls, yes) FROM (SELECT sum(calls) AS calls, sum(yes) AS yes FROM job_week GROUP BY unit, activity_metrics.period_no(period::timestamp AT TIME ZONE 'UTC')) AS s)) < 1e-12
	FROM activity_metrics.vanity_report('yes', relation => 'job_week')}, 'r of the dashboard is that of calls and yes by job and week');

done_testing();
