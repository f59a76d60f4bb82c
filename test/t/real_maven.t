#!/usr/bin/env perl
# A CRM as companies keep it (Maven Analytics, "CRM Sales Opportunities"): four tables, dates without a zone,
# agents without a deal, a product spelled in two ways. The figures wanted are facts of the data's README, or
# come from plain SQL here.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Psql;
use Test::More;

my %file;
@file{qw(sales_pipeline sales_teams products accounts)} = shared_data(
	map { "maven_crm/$_.csv" } qw(sales_pipeline sales_teams products accounts));
scratch_database('am_real_maven');

sql(<<'SQL');
CREATE TABLE sales_pipeline (opportunity_id text, sales_agent text, product text, account text, deal_stage text,
	engage_date date, close_date date, close_value numeric);
CREATE TABLE sales_teams (sales_agent text, manager text, regional_office text);
CREATE TABLE products (product text, series text, sales_price numeric);
CREATE TABLE accounts (account text, sector text, year_established integer, revenue numeric, employees integer,
	office_location text, subsidiary_of text);
SQL
copy_csv($file{$_}, $_) for sort keys %file;
sql(<<'SQL');
-- the roster first: an agent without a deal has a row, of which only the agent is known
CREATE VIEW event AS
SELECT p.opportunity_id, e.kind, e.at, t.sales_agent AS actor, e.value
FROM sales_teams t
LEFT JOIN sales_pipeline p ON p.sales_agent = t.sales_agent
LEFT JOIN LATERAL (
	SELECT 'engaged' AS kind, p.engage_date AS at, NULL::numeric AS value WHERE p.engage_date IS NOT NULL
	UNION ALL
	SELECT lower(p.deal_stage), p.close_date, p.close_value WHERE p.deal_stage IN ('Won', 'Lost')) e ON true;
SQL

is(sql('SELECT (SELECT count(*) FROM sales_pipeline), (SELECT count(*) FROM accounts), (SELECT count(*) FROM products), (SELECT count(*) FROM sales_teams)'),
	'8800|85|7|35', 'rows as the README says');
is(sql(q{SELECT count(*) FILTER (WHERE kind = 'engaged'), count(*) FILTER (WHERE kind = 'won'), count(*) FILTER (WHERE kind = 'lost'),
	sum(value) FILTER (WHERE kind = 'won'), sum(value) FILTER (WHERE kind = 'lost') FROM event}),
	'8300|4238|2473|10005534|0', 'the view has every engagement, every close, the value won');

my $funnel = q{activity_metrics.funnel_report('event', 'engaged -> won', entity => 'opportunity_id')};
my $agents = q{activity_metrics.funnel_report('event', 'engaged -> won', by => 'actor', entity => 'opportunity_id')};

is(sql("SELECT step_no, step, reached, still_open, timed_out, excluded, broken FROM $funnel"),
	"1|engaged|8300|4062|0|0|0\n2|won|4238|0|0|0|0", 'the funnel of all');
is(sql("SELECT count(DISTINCT segment), count(*), sum(reached) FILTER (WHERE step_no = 1), sum(reached) FILTER (WHERE step_no = 2) FROM $agents"),
	'35|70|8300|4238', 'all 35 agents have their two steps, and they add up');
same_rows("SELECT DISTINCT segment FROM $agents WHERE step_no = 1 AND reached = 0 ORDER BY 1",
	'SELECT sales_agent FROM sales_teams EXCEPT SELECT sales_agent FROM sales_pipeline ORDER BY 1', 'agents without a deal are there, with zeros');
is(sql("SELECT count(*), bool_and(reached = 0 AND overall_rate IS NULL AND median_days IS NULL AND note = 'no entity of this segment took the first step')
	FROM $agents WHERE segment IN (SELECT sales_agent FROM sales_teams EXCEPT SELECT sales_agent FROM sales_pipeline)"),
	'10|t', 'five agents: zeros, no rate, and a note that says why');
is(sql("SELECT DISTINCT step_no, note FROM $agents WHERE note IS NOT NULL AND reached > 0"),
	'1|no within: whoever stopped counts as still open', 'of the others only the first step has a note: there is no window');

same_rows("SELECT segment, reached, round(step_rate::numeric, 12), round(median_days::numeric, 9), round(p90_days::numeric, 9), round(median_days_from_start::numeric, 9)
	FROM $agents WHERE step_no = 2 AND reached > 0 ORDER BY segment",
	q{SELECT sales_agent, count(*) FILTER (WHERE deal_stage = 'Won'),
		round((count(*) FILTER (WHERE deal_stage = 'Won')::float8 / count(engage_date))::numeric, 12),
		round((percentile_cont(0.5) WITHIN GROUP (ORDER BY close_date - engage_date) FILTER (WHERE deal_stage = 'Won'))::numeric, 9),
		round((percentile_cont(0.9) WITHIN GROUP (ORDER BY close_date - engage_date) FILTER (WHERE deal_stage = 'Won'))::numeric, 9),
		round((percentile_cont(0.5) WITHIN GROUP (ORDER BY close_date - engage_date) FILTER (WHERE deal_stage = 'Won'))::numeric, 9)
	FROM sales_pipeline GROUP BY sales_agent ORDER BY sales_agent COLLATE "C"},
	'won, rate and days to close per agent as plain SQL has them');
is(sql("SELECT median_days FROM $funnel WHERE step_no = 2"), '57', 'days to close: the median of the README');
is(sql("SELECT count(*) FROM activity_metrics.funnel_report('event', 'engaged -> lost', entity => 'opportunity_id') WHERE step_no = 2 AND reached = 2473"),
	'1', 'the lost ones by the same view');

# a date is a midnight of the zone tz; a day is 24 hours, so where the clock changes it is not the calendar's
my $zone = q{America/New_York};
same_rows("SELECT segment, round(median_days::numeric, 9) FROM activity_metrics.funnel_report('event', 'engaged -> won', by => 'actor', entity => 'opportunity_id', tz => '$zone')
	WHERE step_no = 2 AND reached > 0 ORDER BY segment",
	"SELECT sales_agent, round((percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM
		close_date::timestamp AT TIME ZONE '$zone' - engage_date::timestamp AT TIME ZONE '$zone') / 86400.0))::numeric, 9)
	FROM sales_pipeline WHERE deal_stage = 'Won' GROUP BY 1 ORDER BY sales_agent COLLATE \"C\"", 'dates in a zone that changes its clock');
for my $session (qw(Asia/Tokyo America/Los_Angeles))
{
	is(sql("SET timezone = '$session'; SELECT * FROM $agents"), sql("SELECT * FROM $agents"), "the zone of the session does not matter: $session");
}
# since and until are instants: the first of July of that zone
same_rows("SELECT reached FROM activity_metrics.funnel_report('event', 'engaged -> won', entity => 'opportunity_id', tz => '$zone',
	since => '2017-07-01T00:00-04', until => '2017-08-01T00:00-04')",
	q{SELECT count(*) FILTER (WHERE step = 1 OR deal_stage = 'Won') FROM sales_pipeline, generate_series(1, 2) AS step
	WHERE engage_date >= '2017-07-01' AND engage_date < '2017-08-01' GROUP BY step ORDER BY step},
	'engaged in July, by the calendar of the zone');

# the value won, from the dictionary: per agent and month, with the five that won nothing
sql(q{SELECT activity_metrics.define_metric('won_value', 'event', 'won', agg => 'sum', kind => 'outcome', unit => 'USD'),
	activity_metrics.define_metric('engaged', 'event', 'engaged')});
is(sql(q{SELECT count(DISTINCT unit), sum(x), sum(y) FROM activity_metrics.metric_panel('won_value', 'engaged', 'month')}),
	'35|10005534|8300', 'metric_panel: value won and engagements of all agents');
same_rows(q{SELECT unit, period_start, x FROM activity_metrics.metric_panel('won_value', 'engaged', 'month') WHERE x > 0 ORDER BY 1, 2},
	q{SELECT sales_agent, date_trunc('month', close_date)::date, sum(close_value)::float8 FROM sales_pipeline WHERE deal_stage = 'Won'
	GROUP BY 1, 2 ORDER BY sales_agent COLLATE "C", 2}, 'each agent and month as plain SQL has it');
is(sql(q{SELECT count(DISTINCT unit), sum(x), sum(y), min(n), max(n) FROM (
	SELECT unit, x, y, count(*) OVER (PARTITION BY unit) AS n FROM activity_metrics.metric_panel('won_value', 'engaged', 'month')) AS p
	WHERE unit IN (SELECT sales_agent FROM sales_teams EXCEPT SELECT sales_agent FROM sales_pipeline)}),
	'5|0|0|15|15', 'agents without a deal have a zero in each of the 15 months');

# GTXPro and GTX Pro: a join loses a sixth of the deals, and somebody has to say so
is(sql('SELECT count(*) FROM sales_pipeline JOIN products USING (product)'), 8800 - 1480, 'the trap: the join loses 1,480 rows');
is(sql(q{SELECT * FROM activity_metrics.unmatched_values('sales_pipeline', 'product', 'products', 'product')}), 'GTXPro|1480|GTX Pro',
	'unmatched_values reports it, with the right spelling');
is(sql(q{SELECT * FROM activity_metrics.unmatched_values('sales_pipeline', 'product', 'products')}), 'GTXPro|1480|GTX Pro', 'the same column by default');
is(sql(q{SELECT * FROM activity_metrics.unmatched_values('sales_pipeline', 'account', 'accounts')}), '|1425|', 'rows without an account are lost as well');
is(sql(q{SELECT count(*) FROM activity_metrics.unmatched_values('sales_pipeline', 'sales_agent', 'sales_teams')}), '0', 'every agent is in a team: no row');
same_rows(q{SELECT value, rows FROM activity_metrics.unmatched_values('sales_teams', 'sales_agent', 'sales_pipeline') ORDER BY value},
	'SELECT sales_agent, 1 FROM (SELECT sales_agent FROM sales_teams EXCEPT SELECT sales_agent FROM sales_pipeline) AS s ORDER BY 1', 'the other way round: who has no deal');
same_rows(q{SELECT value, rows FROM activity_metrics.unmatched_values('sales_pipeline', 'product', 'accounts', 'revenue')},
	'SELECT product, count(*) FROM sales_pipeline GROUP BY 1 ORDER BY count(*) DESC, product COLLATE "C"', 'types that differ are compared by their text; the most frequent first');
is(sql(q{CREATE TABLE code (id integer, price numeric); INSERT INTO code VALUES (1, 550.00), (2, 999), (NULL, NULL);
	SELECT value, rows FROM activity_metrics.unmatched_values('code', 'price', 'products', 'sales_price')}),
	"999|1\n|1", 'numbers are equal whatever their scale');
is(sql(q{CREATE VIEW no_product AS SELECT * FROM products WHERE false;
	SELECT count(*), sum(rows), count(nearest) FROM activity_metrics.unmatched_values('sales_pipeline', 'product', 'no_product')}), '7|8800|0', 'an empty reference: all is lost, nothing is near');
is(sql(q{SELECT count(*) FROM activity_metrics.unmatched_values('no_product', 'product', 'products')}), '0', 'nothing to lose');
like(error_of(q{SELECT * FROM activity_metrics.unmatched_values('sales_pipeline', 'produkt', 'products')}),
	qr/42703.*has no column "produkt".*Write column_name => 'product'/s, 'a column that is not there');
like(error_of(q{SELECT * FROM activity_metrics.unmatched_values('sales_pipeline', 'product', 'products', 'name')}),
	qr/42703.*products" has no column "name".*reference_column =>/s, 'nor in the reference');
like(error_of(q{SELECT * FROM activity_metrics.unmatched_values('sales_pipeline', 'product', NULL)}), qr/22004: no relation is given/, 'no reference');
is(sql(q{CREATE SCHEMA odd; CREATE FUNCTION odd.never(bigint, integer) RETURNS boolean LANGUAGE sql AS 'SELECT false';
	CREATE OPERATOR odd.<= (LEFTARG = bigint, RIGHTARG = integer, FUNCTION = odd.never);
	SET search_path = odd, public, pg_catalog;
	SELECT * FROM activity_metrics.unmatched_values('sales_pipeline', 'product', 'products')}), 'GTXPro|1480|GTX Pro', 'operators of the search_path are not taken');

done_testing();
