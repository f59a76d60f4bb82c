# Targets, gaming tests and verdicts survive pg_dump and a restore, though the guard would refuse them anew.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Psql qw(as must);
use Test::More;
use IPC::Run qw(run);

my $db = 'am_targets';
my ($owner, $setter) = map { "am_targets_$_" } qw(owner setter);
my $home = $ENV{PGDATABASE} // 'postgres';
$ENV{PGDATABASE} = $db;
my $superuser = $ENV{PGUSER} // 'postgres';

sub clean_up
{
	as($superuser, "DROP DATABASE IF EXISTS $_", $home) for $db, "${db}_restored";
	as($superuser, "DROP ROLE IF EXISTS $_", $home) for $owner, $setter;
	return;
}

plan skip_all => 'needs a superuser' if as($superuser, 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user', $home) ne 't';
clean_up();
must($superuser, "CREATE ROLE $owner LOGIN; CREATE ROLE $setter LOGIN", $home);
must($superuser, "CREATE DATABASE $db OWNER $owner", $home);
must($owner, q{
	CREATE EXTENSION activity_metrics;
	CREATE SCHEMA crm;
	CREATE TABLE crm.event (actor text, kind text, at timestamptz, entity text);
	INSERT INTO crm.event SELECT 'rep ' || i % 4, (ARRAY['call', 'demo', 'won'])[1 + i % 3], '2025-01-06Z'::timestamptz + i * interval '5 hours', 'e' FROM generate_series(1, 1500) AS i;
	SELECT activity_metrics.define_metric('wins', 'crm.event', 'won', kind => 'outcome', owner => 'o', north_star => true);
	SELECT activity_metrics.define_metric('demos', 'crm.event', 'demo', paired_with => 'wins', outcome_metric => 'wins', owner => 'o');
	SELECT activity_metrics.define_metric('calls', 'crm.event', 'call', paired_with => 'demos', target => 12.3, target_from => '2025-03-03Z');
	INSERT INTO activity_metrics.metric_assessment (metric, outcome, grain, verdict) VALUES ('demos', 'wins', 'week', 'leading_indicator'), ('calls', 'wins', 'week', 'vanity');
	SELECT activity_metrics.record_gaming_test('demos', 0.1 + 0.2, 'pass', 0.25);
	SELECT activity_metrics.annotate('calls', '2025-02-01', 'new phones', 'definition changed');
});
must($owner, "GRANT USAGE ON SCHEMA activity_metrics, crm TO $setter; GRANT SELECT ON ALL TABLES IN SCHEMA activity_metrics, crm TO $setter");
like(as($setter, q{SELECT * FROM activity_metrics.set_target('wins', 4, '2099-01-01')}), qr/^42501: permission denied for table target/, 'who may not write targets sets none');
must($owner, "GRANT INSERT, UPDATE ON activity_metrics.target TO $setter");
is(as($setter, q{SELECT decision, set_by FROM activity_metrics.set_target('wins', 4, '2099-01-01', starts_at => '2025-06-02Z')}), "accepted|$setter", 'with grants one does, by name');
is(as($setter, q{SELECT decision FROM activity_metrics.set_target('demos', 0.3, '2099-01-01', starts_at => '2025-06-02Z')}), 'accepted', 'a defensible one is accepted');
is(as($setter, q{SELECT decision, set_by FROM activity_metrics.set_target('calls', 20, force => true, reason => 'the board', starts_at => '2025-06-02Z')}), "forced|$setter", 'another is forced');
like(as($setter, q{SELECT activity_metrics.record_gaming_test('demos', 3, 'pass', 0.5)}), qr/^42501: permission denied for table metric/, 'a gaming test is recorded by who may write the dictionary');
# what the guard accepted then it would refuse now
must($owner, q{INSERT INTO activity_metrics.metric_assessment (metric, outcome, grain, verdict, assessed_at) VALUES ('demos', 'wins', 'week', 'vanity', now() + interval '1 second')});
like(as($setter, q{SELECT * FROM activity_metrics.set_target('demos', 0.31, '2099-01-01')}), qr/^55000: a target of 0\.31 on metric "demos" is refused: its verdict is vanity/, 'the guard goes by the newest verdict');

my %kept = map { $_ => must($owner, "SELECT * FROM activity_metrics.$_ AS t ORDER BY t::text") } qw(metric target annotation metric_assessment metric_history);
is(scalar(split /\n/, $kept{target}), 4, 'four targets, one of them ended');
my ($dump, $errors, $ignored) = ('', '', '');
# under settings that print times and numbers otherwise
{
	local $ENV{PGOPTIONS} = "$ENV{PGOPTIONS} -c datestyle=german -c timezone=Asia/Kolkata";
	ok(run([ 'pg_dump', '-U', $owner, '-d', $db, '--no-password' ], '>', \$dump, '2>', \$errors), 'dump') or diag($errors);
	must($superuser, "CREATE DATABASE ${db}_restored OWNER $owner TEMPLATE template0", $home);
	$errors = '';
	run [ qw(psql --no-psqlrc --quiet --set ON_ERROR_STOP=1), '-U', $owner, '-d', "${db}_restored" ], \$dump, \$ignored, \$errors;
}
is($errors, '', 'restore');
is(as($owner, "SELECT * FROM activity_metrics.$_ AS t ORDER BY t::text", "${db}_restored"), $kept{$_}, "restored: $_") for sort keys %kept;
like(as($owner, q{SELECT * FROM activity_metrics.set_target('demos', 0.31, '2099-01-01')}, "${db}_restored"), qr/^55000: a target of 0\.31 on metric "demos" is refused/, 'the guard stands there too');
like(as($owner, q{UPDATE activity_metrics.metric SET gaming_result = 'pass' WHERE metric = 'calls'}, "${db}_restored"), qr/^55000: gaming_result of metric "calls" is not written by hand/, 'and that of the gaming test');
is(as($owner, q{SELECT annotation_id FROM activity_metrics.annotate('calls', '2025-02-02', 'more')}, "${db}_restored"), '2', 'annotations are numbered on');
like(as($owner, q{INSERT INTO activity_metrics.target (metric, value, decision) VALUES ('calls', 9, 'accepted')}, "${db}_restored"), qr/^55000: /, 'nothing past it');

# two sessions set a target at the same time: one is in force
my @sessions = map { my ($in, $out, $err) = ("SELECT decision FROM activity_metrics.set_target('wins', $_, '2099-01-01', unit => '(all)');", '', '');
	my @s = (\$in, \$out, \$err); [ IPC::Run::start([ qw(psql --no-psqlrc --no-align --quiet --tuples-only), '-U', $owner, '-d', $db ], @s), @s ] } 1 .. 4;
$_->[0]->finish for @sessions;
is(as($owner, q{SELECT count(*) FROM activity_metrics.target WHERE metric = 'wins' AND unit = '(all)' AND ended_at IS NULL}), '1', 'at the same time: one is in force');

clean_up();
done_testing();
