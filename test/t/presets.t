# A database with presets is dumped and restored: views, comments, grants, owners, views over them and metrics; reports run as before.
use strict;
use warnings;
use IPC::Run qw(run);
use Test::More;

my $db = 'am_presets';
my ($owner, $loader, $reader) = map { "am_presets_$_" } qw(owner loader reader);
my $home = $ENV{PGDATABASE} // 'postgres';
my $superuser = $ENV{PGUSER} // 'postgres';
$ENV{PGOPTIONS} = join ' ', $ENV{PGOPTIONS} // (), '-c client_min_messages=warning', '-c timezone=UTC';

# What statements print, or the error as "SQLSTATE: message"
sub as
{
	my ($role, $statements, $database) = @_;
	my ($out, $err) = ('', '');
	run [ qw(psql --no-psqlrc --no-align --quiet --tuples-only --set ON_ERROR_STOP=1 --set VERBOSITY=verbose), '-U', $role, '-d', $database // $db ], \$statements, \$out, \$err;
	return "$1: $2" if $err =~ /(?:ERROR|FATAL):\s+(\w{5}): (.*)/;
	return "psql: $err" if $err ne '';
	chomp $out;
	return $out;
}

sub must
{
	my ($role, $statements, $database) = @_;
	my $out = as(@_);
	BAIL_OUT("$role: $statements\n$out") if $out =~ /^(?:\w{5}|psql): /;
	return $out;
}

sub clean_up
{
	as($superuser, "DROP DATABASE IF EXISTS $_", $home) for $db, "${db}_restored";
	as($superuser, "DROP ROLE IF EXISTS $_", $home) for $owner, $loader, $reader;
	return;
}

plan skip_all => 'needs a superuser' if as($superuser, 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user', $home) ne 't';
clean_up();
must($superuser, join(' ', map { "CREATE ROLE $_ LOGIN;" } $owner, $loader, $reader), $home);
must($superuser, "CREATE DATABASE $db OWNER $owner", $home);
must($superuser, "CREATE EXTENSION activity_metrics; GRANT USAGE ON SCHEMA activity_metrics TO $owner, $reader; GRANT SELECT ON ALL TABLES IN SCHEMA activity_metrics TO $owner; GRANT INSERT, UPDATE ON activity_metrics.metric TO $owner; GRANT INSERT ON activity_metrics.metric_history TO $owner");
must($owner, "CREATE SCHEMA \"Sales force\" AUTHORIZATION $owner; GRANT ALL ON SCHEMA \"Sales force\" TO $loader; CREATE SCHEMA shop; GRANT ALL ON SCHEMA shop TO $loader");
must($loader, qq{
	SET search_path = "Sales force";
	CREATE TABLE "Opportunity" ("Id" text PRIMARY KEY, "OwnerId" text, "StageName" text, "Amount" numeric, "IsWon" boolean, "IsClosed" boolean, "CloseDate" date, "CreatedDate" text, "IsDeleted" boolean, "CurrencyIsoCode" text);
	INSERT INTO "Opportunity" SELECT '006' || i, '005' || i % 4, CASE WHEN i % 3 = 0 THEN 'Closed Won' ELSE 'Open' END, i, i % 3 = 0, i % 3 = 0, date '2024-01-20' + i, (timestamp '2024-01-08 09:00' + i * interval '1 day')::text, i % 40 = 0, 'EUR' FROM generate_series(1, 300) AS i;
	CREATE TABLE "Task" ("Id" text, "OwnerId" text, "WhatId" text, "TaskSubtype" text, "IsClosed" boolean, "ActivityDate" date, "CompletedDateTime" timestamptz, "CreatedDate" timestamptz, "IsDeleted" boolean);
	INSERT INTO "Task" SELECT '00T' || i, '005' || i % 4, '006' || 1 + i / 3, 'Call', i % 5 > 0, '2024-01-10', CASE WHEN i % 5 > 0 THEN timestamptz '2024-01-09Z' + i * interval '8 hours' END, '2024-01-08Z', false FROM generate_series(1, 800) AS i;
	CREATE TABLE "OpportunityHistory" ("Id" text, "OpportunityId" text, "StageName" text, "CreatedDate" timestamptz);
	INSERT INTO "OpportunityHistory" SELECT '008' || i, '006' || i, 'Open', timestamptz '2024-01-08 09:00Z' + i * interval '1 day' FROM generate_series(1, 300) AS i;
	CREATE TABLE shop."visit.log" (id bigint, deal integer, "select" text, done timestamp, who text, price numeric);
	INSERT INTO shop."visit.log" SELECT i, i / 2, CASE WHEN i % 2 = 0 THEN 'Telephone' ELSE 'won' END, timestamp '2024-01-08' + i * interval '1 day', 'rep ' || i % 3, i FROM generate_series(1, 300) AS i;
	GRANT SELECT ON ALL TABLES IN SCHEMA "Sales force", shop TO $owner;
});
must($owner, qq{
	SELECT activity_metrics.install_preset('salesforce', 'Sales force', 'My "CRM"', tz => 'Europe/Berlin', options => 'currency = EUR, integration_users = 0051');
	SELECT activity_metrics.install_preset('generic', 'shop', 'shop_crm', options => 'events = visit.log, entity = deal, kind = select, at = done, actor = who, map = ''Telephone: call''');
	COMMENT ON VIEW "My ""CRM""".stages IS 'what we sell by';
	GRANT USAGE ON SCHEMA "My ""CRM""" TO $reader;
	GRANT SELECT ON "My ""CRM""".events TO $reader WITH GRANT OPTION;
	CREATE VIEW "My ""CRM""".calls AS SELECT entity, at FROM "My ""CRM""".events WHERE kind = 'call';
	CREATE MATERIALIZED VIEW "My ""CRM""".flat AS TABLE "My ""CRM""".events;
	CREATE INDEX ON "My ""CRM""".flat (entity);
});

my %kept = (
	'views'    => q{SELECT n.nspname, c.relname, c.relkind, c.relowner::regrole, c.relacl, c.reloptions, obj_description(c.oid), pg_get_viewdef(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE nspname IN ('My "CRM"', 'shop_crm') AND relkind IN ('v', 'm') ORDER BY 1, 2},
	'comments' => q{SELECT c.relname, a.attname, col_description(c.oid, a.attnum) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid WHERE nspname IN ('My "CRM"', 'shop_crm') AND relkind = 'v' AND a.attnum > 0 ORDER BY nspname, 1, 2},
	'metrics'  => q{SELECT * FROM activity_metrics.metric ORDER BY metric},
	map({ my $view = $_; ("rows of $view" => "SELECT t::text FROM $view AS t ORDER BY 1") } map({ ("\"My \"\"CRM\"\"\".$_", "shop_crm.$_") } qw(events entities stages events_left_out)), map({ "\"My \"\"CRM\"\"\".$_" } qw(calls flat))),
	'funnel_report'      => q{SELECT * FROM activity_metrics.funnel_report('"My ""CRM""".events', 'created -> call -> won')},
	'leading_indicators' => q{SELECT * FROM activity_metrics.leading_indicators('wins')},
	'vanity_report'      => q{SELECT * FROM activity_metrics.vanity_report('wins')},
	'scorecard'          => q{SELECT metric, status FROM activity_metrics.scorecard ORDER BY metric},
	'check_events'       => q{SELECT * FROM activity_metrics.check_events('"My ""CRM""".events')},
);
my %before = map { $_ => must($owner, $kept{$_}) } keys %kept;
isnt($before{$_}, '', "$_: there is something to keep") for sort grep { !/rows of shop_crm\.(?:stages|events_left_out)/ } keys %kept;
like($before{comments}, qr/^value\b|\|value\|Seconds/m, 'columns have comments');
my ($dump, $errors, $ignored) = ('', '', '');
ok(run([ 'pg_dump', '-U', $superuser, '-d', $db, '--no-password' ], '>', \$dump, '2>', \$errors), 'dump') or diag($errors);
$errors = '';
must($superuser, "CREATE DATABASE ${db}_restored OWNER $owner TEMPLATE template0", $home);
run [ qw(psql --no-psqlrc --quiet --set ON_ERROR_STOP=1), '-U', $superuser, '-d', "${db}_restored" ], \$dump, \$ignored, \$errors;
is($errors, '', 'restore');
is(as($owner, $kept{$_}, "${db}_restored"), $before{$_}, "restored: $_") for sort keys %kept;
like(as($reader, q{SELECT count(*) FROM "My ""CRM""".events}, "${db}_restored"), qr/^42501: permission denied for (?:schema Sales force|table)/, 'the views still run as their reader');
is(as($owner, q{SELECT count(*) FROM activity_metrics.install_preset('salesforce', 'Sales force', 'My "CRM"', tz => 'Europe/Berlin', options => 'currency = EUR, integration_users = 0051', replace => true) WHERE what IN ('view', 'metric')}, "${db}_restored"), '4', 'installed again there: the views, and no metric anew');
is(as($owner, $kept{$_}, "${db}_restored"), $before{$_}, "after that: $_") for 'metrics', 'funnel_report';
like(as($superuser, 'DROP EXTENSION activity_metrics', "${db}_restored"), qr/^2BP01: /, 'the extension is not dropped from under the views');

clean_up();
done_testing();
