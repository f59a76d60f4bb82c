# Rights, hostile search paths, hostile names, read-only transactions, dump and restore.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Psql qw(as must);
use Test::More;
use IPC::Run qw(run);

my $db = 'am_security';
my ($owner, $first, $second, $stranger) = map { "am_security_$_" } qw(owner first second stranger);
my @roles = ($owner, $first, $second, $stranger);
my $home = $ENV{PGDATABASE} // 'postgres';
$ENV{PGDATABASE} = $db;
my $superuser = $ENV{PGUSER} // 'postgres';

sub clean_up
{
	as($superuser, "DROP DATABASE IF EXISTS $_", $home) for $db, "${db}_restored", "${db}_latin1";
	as($superuser, "DROP ROLE IF EXISTS $_", $home) for @roles;
	return;
}

plan skip_all => 'needs a superuser' if as($superuser, 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user', $home) ne 't';
clean_up();
must($superuser, join(' ', map { "CREATE ROLE $_ LOGIN;" } @roles), $home);
must($superuser, "CREATE DATABASE $db OWNER $owner", $home);

#
# A plain owner of a database installs it
#
is(as($owner, 'CREATE EXTENSION activity_metrics'), '', 'a plain owner of the database installs the extension');
is(as($stranger, 'CREATE EXTENSION activity_metrics') =~ /^(42501|42710)/ ? 'refused' : 'done', 'refused', 'anybody else does not');
is(as($owner, q{SELECT rolsuper FROM pg_roles WHERE rolname = current_user}), 'f', 'who is no superuser');
is(as($owner, q{SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'activity_metrics.metric'::regclass}), $owner, 'and owns the dictionary');

#
# The catalog
#
is(as($owner, q{SELECT count(*) > 100 FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'activity_metrics')}), 't', 'members are found');
is(as($owner, q{
	SELECT pg_describe_object(classid, objid, 0) FROM pg_depend AS d
	WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'activity_metrics')
	-- not what comes with another object: from 17 on, array types and the row types of tables are members too
	AND NOT EXISTS (SELECT FROM pg_depend AS i WHERE (i.classid, i.objid, i.deptype) = (d.classid, d.objid, 'i'))
	AND coalesce(obj_description(objid, classid::regclass::name), '') = '' ORDER BY 1}), '', 'every member has a comment');
is(as($owner, q{SELECT a.attrelid::regclass || '.' || attname FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'activity_metrics'::regnamespace
	AND relkind IN ('r', 'v', 'm', 'p') AND attnum > 0 AND NOT attisdropped AND coalesce(col_description(attrelid, attnum), '') = ''}), '', 'and every column of a table or view');
is(as($owner, q{SELECT obj_description(oid, 'pg_extension') <> '' FROM pg_extension WHERE extname = 'activity_metrics'}), 't', 'and the extension');
is(as($owner, q{SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'activity_metrics'::regnamespace AND prosecdef}), '', 'no function runs with the rights of its owner');
is(as($owner, q{SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'activity_metrics'::regnamespace AND provolatile = 'v' AND proname !~ '^(define_|set_|annotate|refresh|install_|write_|import_|instantiate_|assess|test_target|record_)' AND prorettype <> 'trigger'::regtype}), '',
	'all that only reads is stable or immutable');
is(as($owner, q{SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'activity_metrics'::regnamespace AND prosrc ~* 'execute ' AND proparallel = 's'}), '', 'what runs a query of its own is not parallel safe');
is(as($owner, q{SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_language l ON l.oid = prolang WHERE pronamespace = 'activity_metrics'::regnamespace AND lanname = 'plpgsql'
	AND (proconfig IS NULL OR NOT 'search_path=pg_catalog, pg_temp' = ANY (proconfig)) AND prosrc !~* '(return query|in) execute|execute activity_metrics\\.\\w+_sql' AND proname !~ '^(refresh(_metric|_in_transaction)?|diagnosis_chain|early_warnings|define_metric|check_part_formulas)$'}), '', 'every plpgsql function has a search_path of its own, but those that run the user\'s statement');
is(as($owner, q{SELECT oid::regclass FROM pg_class WHERE relnamespace = 'activity_metrics'::regnamespace AND relkind = 'v' AND NOT coalesce('security_invoker=true' = ANY (reloptions), false)}), '', 'views are of the invoker');

#
# Data: two reps, who are the two roles
#
must($owner, qq{
	CREATE SCHEMA crm;
	CREATE TABLE crm.event (entity bigint, at timestamptz, actor text, kind text, status text, value float8, quality float8);
	INSERT INTO crm.event SELECT i % 70, '2024-01-01Z'::timestamptz + i * interval '4 hours' + (i * 7919 % 3600) * interval '1 second', CASE WHEN i % 70 < 40 THEN '$first' ELSE '$second' END,
		(ARRAY['call', 'call', 'demo', 'call', 'won', 'lost'])[1 + (i * i / 3) % 6], CASE WHEN i % 11 = 0 THEN 'planned' END, i % 17, (i % 5) / 4.0 FROM generate_series(1, 3000) AS i;
	CREATE TABLE crm.weekly (unit text, period date, calls integer, demos numeric, wins float8);
	INSERT INTO crm.weekly SELECT actor || entity % 4, date_trunc('week', at)::date, count(*) FILTER (WHERE kind = 'call'), count(*) FILTER (WHERE kind = 'demo'), count(*) FILTER (WHERE kind = 'won') FROM crm.event GROUP BY 1, 2;
	CREATE TABLE crm.contact (tries integer, success text, actor text);
	INSERT INTO crm.contact SELECT i % 5, CASE WHEN i % 3 = 0 THEN 'yes' ELSE 'no' END, CASE WHEN i % 2 = 0 THEN '$first' ELSE '$second' END FROM generate_series(1, 200) AS i;
	CREATE TABLE crm.rep (actor text);
	INSERT INTO crm.rep VALUES ('$first'), ('nobody');
	ANALYZE crm.event; ANALYZE crm.weekly;
	SELECT activity_metrics.define_metric('calls', 'crm.event', 'call', target => 5.5, target_from => '2024-09-02Z');
	SELECT activity_metrics.define_metric('demos', 'crm.event', 'demo', 'sum');
	SELECT activity_metrics.define_metric('wins', 'crm.event', 'won', kind => 'outcome');
	SELECT activity_metrics.define_metric('entities', 'crm.event', agg => 'count_distinct', value => 'entity');
	SELECT activity_metrics.define_metric('ratio', numerator => 'wins', denominator => 'calls');
	SELECT activity_metrics.define_metric('formula', expr => '(calls - -2 * wins) / 3 + ratio');
	SELECT activity_metrics.define_metric('rolling', base_metric => 'entities', window_days => 28);
	SELECT activity_metrics.define_metric('follow', base_metric => 'calls', conversion_metric => 'wins', window_days => 30);
	SELECT activity_metrics.define_metric('middle', 'crm.event', 'demo', 'median');
});
my %report = (
	'funnel_report'            => q{SELECT * FROM activity_metrics.funnel_report('crm.event', 'call -> demo -> won within 90 days')},
	'funnel_report by'         => q{SELECT * FROM activity_metrics.funnel_report('crm.event', '(call | demo) -> won', 'actor', '2024-02-01Z', '2025-02-01Z', status => 'status')},
	'funnel_report until'      => q{SELECT * FROM activity_metrics.funnel_report('crm.event', 'call -> won', 'kind', until => '2025-02-01Z', only_done => false)},
	'metric_panel'             => q{SELECT * FROM activity_metrics.metric_panel('calls', 'entities', 'month', '2024-02-11Z', '2025-02-01Z')},
	'metric_panel sum'         => q{SELECT * FROM activity_metrics.metric_panel('demos', 'wins')},
	map({ ("metric_values $_" => "SELECT * FROM activity_metrics.metric_values('$_', '2024-02-11Z', '2025-02-01Z', 'month', 'unit')") } qw(calls ratio formula rolling follow middle)),
	'metric_panel ratio'       => q{SELECT * FROM activity_metrics.metric_panel('ratio', 'middle', 'month')},
	'lead_lag_report'          => q{SELECT * FROM activity_metrics.lead_lag_report('calls', 'wins', max_lag => 3)},
	'lead_lag_report relation' => q{SELECT * FROM activity_metrics.lead_lag_report('calls', 'wins', 'week', '2024-02-11Z', '2025-02-01Z', 2, 'crm.weekly', options => 'no filling')},
	'vanity_report'            => q{SELECT * FROM activity_metrics.vanity_report('wins')},
	'vanity_report relation'   => q{SELECT * FROM activity_metrics.vanity_report('wins', 'week', '2024-02-11Z', NULL, 'crm.weekly')},
	'gaming_report'            => q{SELECT * FROM activity_metrics.gaming_report('calls', 'wins')},
	'vanity_report lag_prior'  => q{SELECT * FROM activity_metrics.vanity_report('wins', lag_prior => activity_metrics.lag_prior('crm.event', 'call -> won'))},
	'vanity_chart'             => q{SELECT * FROM activity_metrics.vanity_chart('wins')},
	'target_check'             => q{SELECT * FROM activity_metrics.target_check('calls', 5, 'wins')},
	'target_check relation'    => q{SELECT * FROM activity_metrics.target_check('calls', 5, 'wins', 'week', '2024-02-11Z', NULL, 1, 3, 'crm.weekly')},
	'target_plan'              => q{SELECT * FROM activity_metrics.target_plan('calls', 'wins')},
	'activity_quality'         => q{SELECT * FROM activity_metrics.activity_quality('crm.event')},
	'activity_quality month'   => q{SELECT * FROM activity_metrics.activity_quality('crm.event', 'month', '2024-02-11Z', '2025-02-01Z', status => 'status', calls => 'call | demo')},
	'activity_quality_events'  => q{SELECT * FROM activity_metrics.activity_quality_events('crm.event')},
	'attempt_report'           => q{SELECT * FROM activity_metrics.attempt_report('crm.event', 'call', 'won')},
	'attempt_report table'     => q{SELECT * FROM activity_metrics.attempt_report('crm.contact', 'tries', 'success')},
	'unmatched_values'         => q{SELECT * FROM activity_metrics.unmatched_values('crm.event', 'actor', 'crm.rep')},
	'activity_rollup'          => q{SELECT * FROM activity_metrics.activity_rollup('crm.event', 'month')},
	'data_quality_report'      => q{SELECT * FROM activity_metrics.data_quality_report('crm.event', 'month') WHERE rule OPERATOR(pg_catalog.<>) 'freshness'},
	'tools'                    => q{SELECT activity_metrics.extension_version(), activity_metrics.bar(0.4), activity_metrics.period_start(activity_metrics.period_no('2024-05-05Z'))},
);
my %expected = map { $_ => must($owner, $report{$_}) } sort keys %report;
ok($expected{$_} ne '', "$_ gives rows") for sort keys %expected;

#
# A schema that shadows what everybody uses, first on the path
#
my (@traps, %seen);
my @types = qw(pg_catalog.text pg_catalog.int4 pg_catalog.int8 pg_catalog.float8 pg_catalog.numeric pg_catalog.timestamptz pg_catalog.timestamp pg_catalog.date pg_catalog.name pg_catalog.oid pg_catalog.bool
  pg_catalog.regclass pg_catalog.regtype pg_catalog.uuid pg_catalog.interval pg_catalog.jsonb);
my @pairs = (map({ [ $_, $_ ] } @types), map({ [ "pg_catalog.$_->[0]", "pg_catalog.$_->[1]" ] } [qw(int8 int4)], [qw(int4 int8)], [qw(float8 numeric)], [qw(numeric float8)], [qw(timestamptz interval)],
		[qw(date int4)], [qw(text bool)], [qw(int4 float8)], [qw(float8 int4)], [qw(numeric int8)], [qw(numeric int4)], [qw(oid int8)], [qw(regclass oid)]), [ 'pg_catalog.text', 'pg_catalog.text[]' ], [ 'pg_catalog.anyarray', 'pg_catalog.anyarray' ], [ 'pg_catalog.text', 'pg_catalog.anyelement' ]);
my $n = 0;
for my $pair (@pairs)
{
	my ($left, $right) = @$pair;
	for my $kind ([ 'bool', qw(= <> < <= > >= ~ !~ ~~ ~* @>) ], [ $left =~ /any/ ? 'text' : $left, qw(+ - * / % || ) ])
	{
		my ($result, @operators) = @$kind;
		$result = "pg_catalog.$result" if $result !~ /\./;
		$n++;
		push @traps, "CREATE FUNCTION trap.operator_$n($left, $right) RETURNS $result LANGUAGE plpgsql AS \$\$ BEGIN RAISE EXCEPTION 'trap: operator_$n $left $right'; END \$\$;";
		push @traps, "CREATE OPERATOR trap.$_ (LEFTARG = $left, RIGHTARG = $right, FUNCTION = trap.operator_$n);" for @operators;
	}
}
my $text = 'pg_catalog.text';
for my $signature (
	map({ "format(" . join(', ', ($text) x $_) . ")" } 1 .. 9), map({ "concat(" . join(', ', ($text) x $_) . ")" } 1 .. 5), "format($text, VARIADIC $text\[])", "concat(VARIADIC $text\[])",
	'now()', map({ "$_($text)" } qw(quote_ident quote_literal quote_nullable lower upper length to_regclass octet_length md5 btrim rtrim)), "left($text, pg_catalog.int4)", "repeat($text, pg_catalog.int4)", "rpad($text, pg_catalog.int4)",
	"replace($text, $text, $text)", "strpos($text, $text)", "substr($text, pg_catalog.int4, pg_catalog.int4)", map({ ("to_char(pg_catalog.$_, $text)") } qw(numeric int8 int4 float8 timestamptz)), map({ ("floor(pg_catalog.$_)", "round(pg_catalog.$_)", "abs(pg_catalog.$_)", "text(pg_catalog.$_)") } qw(float8 numeric)),
	map({ "$_(pg_catalog.int8)" } qw(float8 numeric int4 text)), map({ "isfinite(pg_catalog.$_)" } qw(timestamptz date)), map({ ("date_trunc($text, pg_catalog.$_)", "timezone($text, pg_catalog.$_)", "date(pg_catalog.$_)") } qw(timestamptz timestamp)),
	'cardinality(pg_catalog.anyarray)', "array_length(pg_catalog.anyarray, pg_catalog.int4)", "period_no(pg_catalog.timestamptz, $text, $text)", "period_start(pg_catalog.int8, $text)", "check_column(pg_catalog.regclass, $text, $text)", "find_metric($text)", "nearest_name($text, $text\[])",
	"quote_nullable(pg_catalog.anyelement)", "coalesce($text, $text)", "float8(pg_catalog.numeric)")
{
	next if $seen{$signature}++;
	my ($name, $arguments) = $signature =~ /^(\w+)(.*)$/;
	push @traps, "CREATE FUNCTION trap.\"$name\"$arguments RETURNS pg_catalog.text LANGUAGE plpgsql AS \$\$ BEGIN RAISE EXCEPTION 'trap: $name'; END \$\$;";
}
push @traps, "CREATE FUNCTION trap.unnest(pg_catalog.anyarray) RETURNS SETOF pg_catalog.anyelement LANGUAGE plpgsql AS \$\$ BEGIN RAISE EXCEPTION 'trap: unnest'; END \$\$;",
  "CREATE FUNCTION trap.generate_series(pg_catalog.int8, pg_catalog.int8) RETURNS SETOF pg_catalog.int8 LANGUAGE plpgsql AS \$\$ BEGIN RAISE EXCEPTION 'trap: generate_series'; END \$\$;",
  "CREATE FUNCTION trap.count_step(pg_catalog.int8) RETURNS pg_catalog.int8 LANGUAGE plpgsql AS \$\$ BEGIN RAISE EXCEPTION 'trap: count'; END \$\$;",
  "CREATE AGGREGATE trap.count(*) (SFUNC = trap.count_step, STYPE = pg_catalog.int8);";
for my $type (qw(pg_catalog.text pg_catalog.int4 pg_catalog.int8 pg_catalog.float8 pg_catalog.numeric pg_catalog.timestamptz pg_catalog.timestamp pg_catalog.date pg_catalog.bool))
{
	(my $suffix = $type) =~ s/\W/_/g;
	push @traps, "CREATE FUNCTION trap.step_$suffix($type, $type) RETURNS $type LANGUAGE plpgsql AS \$\$ BEGIN RAISE EXCEPTION 'trap: aggregate of $type'; END \$\$;",
	  map { "CREATE AGGREGATE trap.$_($type) (SFUNC = trap.step_$suffix, STYPE = $type);" } qw(max min sum avg count bool_or bool_and array_agg);
}
push @traps, "CREATE FUNCTION trap.step_two(pg_catalog.text, pg_catalog.text, pg_catalog.text) RETURNS pg_catalog.text LANGUAGE plpgsql AS \$\$ BEGIN RAISE EXCEPTION 'trap: string_agg'; END \$\$;",
  "CREATE AGGREGATE trap.string_agg(pg_catalog.text, pg_catalog.text) (SFUNC = trap.step_two, STYPE = pg_catalog.text);",
  # types last: they shadow the names above
  map { "CREATE DOMAIN trap.$_ AS pg_catalog.int2 CHECK (pg_catalog.int2eq(VALUE, 7::pg_catalog.int2));" } qw(text int8 int4 float8 bool timestamptz timestamp date regclass regtype name oid numeric interval uuid);
must($owner, 'CREATE SCHEMA trap; ' . join("\n", @traps));
like(as($owner, q{SET search_path = trap, pg_catalog; SELECT now()}), qr/^P0001: trap: now/, 'the traps snap: a function');
like(as($owner, q{SET search_path = trap, pg_catalog; SELECT 1 = 1}), qr/^P0001: trap: operator/, 'an operator');
like(as($owner, q{SET search_path = trap, pg_catalog; SELECT count(*) FROM crm.rep}), qr/^P0001: trap: count/, 'an aggregate');
like(as($owner, q{SET search_path = trap, pg_catalog; SELECT 'x'::text}), qr/^22P02/, 'a type');
for my $name (sort keys %report)
{
	# an own session: what a function resolved stays
	is(as($owner, "SET search_path = trap, pg_catalog, activity_metrics; $report{$name}"), $expected{$name}, "hostile search_path: $name");
}
is(as($owner, q{SET search_path = trap, pg_catalog; SELECT activity_metrics.define_metric('trapped', 'crm.event', 'call', 'sum', target => 3, target_from => '2024-09-02Z')}), 'trapped', 'hostile search_path: define_metric');
is(as($owner, q{DELETE FROM activity_metrics.metric WHERE metric = 'trapped' RETURNING agg, source_relation, value_column, (SELECT value FROM activity_metrics.target WHERE metric = 'trapped')}), 'sum|crm.event|value|3', 'writes what it should');
is(as($owner, q{SET search_path = trap, pg_catalog; SELECT activity_metrics.define_metric('trapped', expr => 'calls / wins'), activity_metrics.define_metric('trapped2', 'crm.event', filter => 'value OPERATOR(pg_catalog.>) 3'), activity_metrics.instantiate_template('active_days', 'crm.event'), activity_metrics.instantiate_template('sales_cycle_days', 'crm.event'), pg_catalog.length(activity_metrics.export_dbt()) OPERATOR(pg_catalog.>) 9}), 'trapped|trapped2|active_days|sales_cycle_days|t', 'hostile search_path: formulas, templates, export');
is(as($owner, qq{SET search_path = trap, pg_catalog; SELECT pg_catalog.length(activity_metrics.export_dictionary()) OPERATOR(pg_catalog.>) 9 FROM activity_metrics.metric_values('$_') AS v LIMIT 1}), 't', "hostile search_path: the formula of $_") for qw(trapped trapped2 active_days sales_cycle_days);
must($owner, q{DELETE FROM activity_metrics.metric WHERE metric IN ('trapped', 'trapped2', 'active_days', 'sales_cycle_days')});
like(as($owner, q{SET search_path = trap, pg_catalog; SELECT * FROM activity_metrics.lead_lag_report('cals', 'wins', relation => 'crm.weekly')}), qr/^42703: relation "crm.weekly" has no column "cals"/, 'hostile search_path: an error is still that error');
like(as($owner, q{SET search_path = trap, pg_catalog; SELECT * FROM activity_metrics.lead_lag_report('cals', 'wins')}), qr/^42704: /, 'hostile search_path: so is a metric that is missing');
# settings of the session that change how text is read and written; some are the superuser's
my $settings = "SET quote_all_identifiers = on; SET standard_conforming_strings = off; SET transform_null_equals = on; SET plpgsql.variable_conflict = use_variable; SET plpgsql.extra_errors = 'all'";
for my $name (sort keys %report)
{
	is(as($superuser, "$settings; $report{$name}"), $expected{$name}, "settings of the session change nothing: $name");
	unlike(as($superuser, "$settings; SET plpgsql.variable_conflict = use_column; SET DateStyle = 'SQL, DMY'; SET IntervalStyle = sql_standard; SET extra_float_digits = -10; SET timezone = 'Asia/Kathmandu'; SET lc_numeric = 'C'; $report{$name}"),
		qr/^(?:\w{5}|psql): /, "nor refuse anything: $name");
}
# what goes over the whole dictionary, and has a row for what it cannot read
my %overview = (
	'scorecard_report' => q{SELECT * FROM activity_metrics.scorecard_report(as_of => '2025-01-20Z')},
	'metric_issue'     => q{SELECT * FROM activity_metrics.metric_issue},
	'data_quality'     => q{SELECT relation, rule, n FROM activity_metrics.data_quality},
	'doctor'           => q{SELECT * FROM activity_metrics.doctor()},
);
for my $name (sort keys %overview)
{
	my $plain = must($superuser, $overview{$name});
	isnt($plain, '', "$name gives rows");
	is(as($superuser, "SET search_path = trap, pg_catalog, activity_metrics; $overview{$name}"), $plain, "hostile search_path: $name");
	is(as($superuser, "$settings; $overview{$name}"), $plain, "settings of the session change nothing: $name");
}
like(as($owner, q{SET search_path = trap, pg_catalog; BEGIN; SELECT * FROM activity_metrics.set_target('wins', 3, '2099-01-01', 'o'); SELECT activity_metrics.annotate('wins', '2024-09-02Z', 'n'); SELECT * FROM activity_metrics.assess('wins'); SELECT * FROM activity_metrics.test_target('calls', 3, 'wins'); ROLLBACK}),
	qr/^wins\|3\|2099-01-01\|o\|.*accepted/, 'hostile search_path: what writes');
must($owner, 'DROP SCHEMA trap CASCADE');

#
# Hostile names in every text argument
#
my $evil = q{x'"); DROP TABLE crm.victim; --};
(my $identifier = $evil) =~ s/"/""/g;
(my $literal = $evil) =~ s/'/''/g;
my $upper = 'Größe, "mit" Leer\\zeichen';
(my $quoted = $upper) =~ s/"/""/g;
must($owner, qq{
	CREATE TABLE crm.victim ();
	CREATE TABLE crm."$identifier" ("$identifier" bigint, "$quoted" text, "At" timestamptz, "kind $identifier" text, "select" text, "w $identifier" float8);
	INSERT INTO crm."$identifier" SELECT entity, actor, at, CASE WHEN kind = 'call' THEN '$literal' ELSE kind END, status, value FROM crm.event;
	CREATE TABLE crm."Weekly $identifier" ("$identifier" text, "$quoted" date, "Calls" integer, "w $identifier" integer);
	INSERT INTO crm."Weekly $identifier" SELECT unit, period, calls, wins FROM crm.weekly;
});
my $relation = "'crm.\"" . ($identifier =~ s/'/''/gr) . "\"'";
my $weekly = "'crm.\"Weekly " . ($identifier =~ s/'/''/gr) . "\"'";
my $kinds = "'" . ("'" . $evil =~ s/'/''/gr . "'") =~ s/'/''/gr . "'";
my $spec = "'" . ("'" . $evil =~ s/'/''/gr . "' -> demo -> won within 90 days") =~ s/'/''/gr . "'";
my $plain = must($owner, $report{funnel_report});
is(as($owner, "SELECT reached FROM activity_metrics.funnel_report($relation, $spec, entity => '$literal', at => 'At', kind => 'kind $literal', status => 'select')"),
	as($owner, "SELECT reached FROM activity_metrics.funnel_report('crm.event', 'call -> demo -> won within 90 days')"), 'hostile names: funnel_report');
is(as($owner, "SELECT segment, reached FROM activity_metrics.funnel_report($relation, $spec, by => '" . ($upper =~ s/'/''/gr) . "', entity => '$literal', at => 'At', kind => 'kind $literal', status => 'select')"),
	as($owner, "SELECT segment, reached FROM activity_metrics.funnel_report('crm.event', 'call -> demo -> won within 90 days', by => 'actor')"), 'hostile names: funnel_report by');
is(as($owner, "SELECT attempt, at_risk, successes, rate FROM activity_metrics.attempt_report($relation, $kinds, 'won', entity => '$literal', at => 'At', kind => 'kind $literal', status => 'select')"),
	as($owner, "SELECT attempt, at_risk, successes, rate FROM activity_metrics.attempt_report('crm.event', 'call', 'won')"), 'hostile names: attempt_report');
is(as($owner, "SELECT lag, n, r, verdict FROM activity_metrics.lead_lag_report('Calls', 'w $literal', max_lag => 2, relation => $weekly, unit => '$literal', period => '$upper')"),
	as($owner, "SELECT lag, n, r, verdict FROM activity_metrics.lead_lag_report('calls', 'wins', max_lag => 2, relation => 'crm.weekly')"), 'hostile names: lead_lag_report');
is(as($owner, "SELECT metric, n, score FROM activity_metrics.vanity_report('w $literal', relation => $weekly, unit => '$literal', period => '$upper')"),
	as($owner, "SELECT 'Calls', n, score FROM activity_metrics.vanity_report('wins', relation => 'crm.weekly', metrics => '{calls}')"), 'hostile names: vanity_report');
is(as($owner, "SELECT metric, n FROM activity_metrics.vanity_report('Calls', relation => $weekly, unit => '$literal', period => '$upper')"), "w $evil|" . as($owner, "SELECT n FROM activity_metrics.vanity_report('calls', relation => 'crm.weekly', metrics => '{wins}')"), 'hostile names: the metric too');
is(as($owner, "SELECT activity_metrics.define_metric('evil', $relation, $kinds, label => '$literal', description => '$literal', at => 'At', kind_column => 'kind $literal', actor => '$upper', status => 'select', unit => '$literal', owner => '$literal', target => 5.5, target_from => '2024-09-02Z')"), 'evil', 'hostile names: define_metric');
is(as($owner, "SELECT activity_metrics.define_metric('evil_sum', $relation, 'demo', 'sum', label => '$upper %s %n', value => 'w $literal', at => 'At', kind_column => 'kind $literal', actor => '$upper', status => 'select')"), 'evil_sum', 'hostile names: and its value');
is(as($owner, q{SELECT unit, period, period_start, x, y, is_complete, quality FROM activity_metrics.metric_panel('evil', 'evil_sum', 'month')}) =~ s/^.*?\|//mgr =~ s/\|[^|]*$//mgr, as($owner, q{SELECT unit, period, period_start, x, y, is_complete, quality FROM activity_metrics.metric_panel('calls', 'demos', 'month')}) =~ s/^.*?\|//mgr =~ s/\|[^|]*$//mgr, 'hostile names: metric_panel');
is(as($owner, q{SELECT score, n FROM activity_metrics.vanity_report('evil_sum', metrics => '{evil}')}) =~ s/\|.*//r =~ /^[\d.]+$/ ? 'score' : 'error', 'score', 'hostile names: vanity_report of metrics');
like(as($owner, q{SELECT sentence FROM activity_metrics.gaming_report('evil', 'evil_sum') WHERE unit IS NULL}), qr/^\w[^:]{6,}/, 'hostile names: gaming_report');
is(as($owner, q{SELECT count(*) FROM activity_metrics.lead_lag_report('evil', 'evil_sum', max_lag => 1)}), '3', 'hostile names: lead_lag_report of metrics');
is(as($owner, "SELECT count(*) FROM activity_metrics.unmatched_values($relation, 'kind $literal', 'crm.event', 'kind')"), '1', 'hostile names: unmatched_values');
for my $call (
	[ "funnel_report('crm.event', '$literal')", '22023' ], [ "funnel_report('crm.event', 'call -> won', by => '$literal')", '42703' ], [ "funnel_report('crm.event', 'call -> won', entity => '$literal')", '42703' ],
	[ "funnel_report('$literal', 'call -> won')", '42602|42601|42P01' ], [ "metric_panel('$literal', 'wins')", '42704' ], [ "metric_panel('calls', 'wins', '$literal')", '22023' ], [ "lead_lag_report('calls', '$literal')", '42704' ],
	[ "lead_lag_report('calls', 'wins', '$literal')", '22023' ], [ "lead_lag_report('calls', 'wins', options => '$literal')", '22023' ], [ "lead_lag_report('calls', 'wins', relation => 'crm.weekly', tz => '$literal')", '22023' ],
	[ "lead_lag_report('$literal', 'wins', relation => 'crm.weekly')", '42703' ], [ "vanity_report('$literal')", '42704' ], [ "vanity_report('wins', '$literal')", '22023' ], [ "vanity_report('wins', relation => 'crm.weekly', tz => '$literal')", '22023' ],
	[ "vanity_report('wins', metrics => ARRAY['$literal'])", '42704' ], [ "gaming_report('$literal', 'wins')", '42704' ], [ "gaming_report('calls', 'wins', '$literal')", '22023' ], [ "attempt_report('crm.event', '$literal', 'won')", '22023' ],
	[ "define_metric('$literal', 'crm.event')", '22023' ], [ "define_metric('m', 'crm.event', '$literal')", '22023' ], [ "define_metric('m', 'crm.event', agg => '$literal')", '22023' ], [ "define_metric('m', 'crm.event', kind => '$literal')", '22023' ],
	[ "define_metric('m', 'crm.event', tz => '$literal')", '22023' ], [ "period_no(now(), '$literal')", '22023' ], [ "period_no(now(), 'week', '$literal')", '22023' ])
{
	like(as($owner, "SELECT * FROM activity_metrics.$call->[0]"), qr/^(?:$call->[1]): /, "refused: $call->[0]");
}
# the dictionary written past define_metric is no way in either
for my $column (qw(source_relation event_kinds value_column time_column kind_column actor_column status_column tz))
{
	like(as($owner, "BEGIN; UPDATE activity_metrics.metric SET agg = 'sum', value_column = coalesce(value_column, 'value'), $column = '$literal' WHERE metric = 'calls'; SELECT * FROM activity_metrics.metric_panel('calls', 'calls')"),
		qr/^(?:42703|22023|42602|42P01|42601): /, "refused: $column of the dictionary");
}
is(as($owner, 'SELECT count(*) FROM crm.victim'), '0', 'the table to be dropped is there');
must($owner, q{DELETE FROM activity_metrics.metric WHERE metric LIKE 'evil%'});

#
# Rights: of the caller
#
like(as($stranger, q{SELECT activity_metrics.period_no(now())}), qr/^42501: permission denied for schema activity_metrics/, 'nothing without USAGE on the schema');
must($owner, "GRANT USAGE ON SCHEMA activity_metrics, crm TO $first, $second, $stranger; GRANT SELECT ON ALL TABLES IN SCHEMA crm TO $first, $second; GRANT SELECT ON ALL TABLES IN SCHEMA activity_metrics TO $first, $second, $stranger;
	CREATE POLICY own ON crm.event USING (actor = current_user); ALTER TABLE crm.event ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON crm.weekly USING (unit LIKE current_user || '%'); ALTER TABLE crm.weekly ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON crm.contact USING (actor = current_user); ALTER TABLE crm.contact ENABLE ROW LEVEL SECURITY;");
for my $role ($first, $second)
{
	# the same over copies that hold the role's rows only
	must($owner, "CREATE SCHEMA copy; CREATE TABLE copy.event AS SELECT * FROM crm.event WHERE actor = '$role'; CREATE TABLE copy.weekly AS SELECT * FROM crm.weekly WHERE unit LIKE '$role%'; CREATE TABLE copy.contact AS SELECT * FROM crm.contact WHERE actor = '$role';
		CREATE TABLE copy.rep AS TABLE crm.rep; UPDATE activity_metrics.metric SET source_relation = 'copy.event'");
	my %own = map { $_ => must($owner, $report{$_} =~ s/crm\./copy./gr) } sort keys %report;
	must($owner, q{UPDATE activity_metrics.metric SET source_relation = 'crm.event'});
	for my $name (sort keys %report)
	{
		# a hint may name the relation
		is(as($role, "BEGIN READ ONLY; $report{$name}; COMMIT"), $own{$name}, "row-level security, read only: $role, $name");
	}
	isnt($own{metric_panel}, $expected{metric_panel}, 'which is less than all');
	is(as($role, q{SELECT DISTINCT unit FROM activity_metrics.metric_panel('calls', 'wins')}), $role, "$role sees only own rows");
	must($owner, 'DROP SCHEMA copy CASCADE');
}
for my $name (grep { $_ ne 'tools' } sort keys %report)
{
	my ($table) = $report{$name} =~ /'crm\.(\w+)'/ ? $1 : 'event';
	is(as($stranger, $report{$name}), "42501: permission denied for table $table", "no right to the table: $name");
}
is(as($second, q{BEGIN READ ONLY; SELECT activity_metrics.define_metric('mine', 'crm.event')}), '25006: cannot execute INSERT in a read-only transaction', 'defining is no reading');
like(as($second, q{SELECT activity_metrics.define_metric('mine', 'crm.event')}), qr/^42501: permission denied for table metric/, 'who may not write the dictionary does not');
like(as($second, q{UPDATE activity_metrics.metric SET label = 'mine'}), qr/^42501: permission denied for table metric/, 'nor directly');
must($owner, "GRANT INSERT, UPDATE ON activity_metrics.metric TO $second; GRANT SELECT, INSERT ON activity_metrics.metric_history TO $second");
is(as($second, q{SELECT activity_metrics.define_metric('mine', 'crm.event', 'call')}), 'mine', 'with grants it does');
is(as($owner, q{SELECT changed_by FROM activity_metrics.metric WHERE metric = 'mine'}), $second, 'and it is written who did');
# a formula runs with the rights of whoever asks, and a superuser is told whose it is
is(as($second, q{SELECT activity_metrics.define_metric('filtered', 'crm.event', 'call', filter => 'value > 3')}), 'filtered', 'a role writes a formula');
like(as($superuser, q{SELECT * FROM activity_metrics.metric_values('filtered')}), qr/WARNING:.*the formula of metric "filtered" was written by role "$second" and runs as superuser/, 'a superuser is warned');
unlike(as($owner, q{SELECT * FROM activity_metrics.metric_values('filtered')}), qr/WARNING/, 'who is none is not');
like(as($second, q{SELECT activity_metrics.define_metric('peeping', 'crm.event', filter => 'EXISTS (SELECT FROM pg_catalog.pg_authid)')}), qr/^42501: filter of metric "peeping" cannot be computed: permission denied for table pg_authid/, 'and reads only what its author may');
must($owner, q{DELETE FROM activity_metrics.metric WHERE metric = 'filtered'});
# a metric over a table that its reader may not see
must($owner, "CREATE TABLE crm.secret AS TABLE crm.event; SELECT activity_metrics.define_metric('secret', 'crm.secret')");
like(as($first, q{SELECT * FROM activity_metrics.metric_panel('secret', 'secret')}), qr/^42501: permission denied for table secret/, 'a metric gives no right to its table');
like(as($first, q{SELECT * FROM activity_metrics.vanity_report('wins', metrics => '{secret}')}), qr/^42501: permission denied for table secret/, 'nor does a report');
must($owner, "REVOKE SELECT ON activity_metrics.metric FROM $first");
like(as($first, $report{lead_lag_report}), qr/^42501: permission denied for table metric/, 'no right to the dictionary');
is(as($first, "SELECT count(*) FROM ($report{'lead_lag_report relation'}) AS r"), '5', 'a relation needs none');
must($owner, q{DELETE FROM activity_metrics.metric WHERE metric IN ('secret', 'mine')});

#
# Dump and restore by the plain owner
#
my $dictionary = q{SELECT * FROM activity_metrics.metric ORDER BY metric};
must($owner, q{SELECT activity_metrics.define_metric('entities', 'crm.event', 'call', agg => 'count_distinct', value => 'entity', kind => 'outcome', north_star => true, paired_with => 'wins', outcome_metric => 'ratio', synonyms => 'deals touched')});
must($owner, q{INSERT INTO activity_metrics.annotation (metric, at, kind, note) VALUES ('calls', '2024-03-01Z', 'outage', E'two\nlines'), (NULL, '2024-12-25Z', 'holiday', 'Christmas'), ('wins', '2024-04-01Z', 'event', 'gone'); DELETE FROM activity_metrics.annotation WHERE metric = 'wins'});
must($owner, q{INSERT INTO activity_metrics.metric_assessment (metric, outcome, grain, verdict, score) VALUES ('calls', 'wins', 'week', 'vanity', 0.75)});
# who set it, and what the guard saw, is for the rows to say
as($owner, q{INSERT INTO activity_metrics.target (metric, value, decision) VALUES ('wins', 3.5, 'accepted')});
my @beside = map { "SELECT * FROM activity_metrics.$_->[0] ORDER BY $_->[1]" } [ 'metric_history', 'metric, definition_version' ], [ 'annotation', 'annotation_id' ], [ 'target', 'metric, unit, starts_at' ], [ 'metric_assessment', 'metric, outcome, assessed_at' ];
my @were = map { must($owner, $_) } @beside;
cmp_ok(scalar(grep { /^entities\|\d+\|/ } split /\n/, $were[0]), '>', 1, 'a metric has a history');
my $before = must($owner, $dictionary);
my ($dump, $errors) = ('', '');
ok(run([ 'pg_dump', '-U', $owner, '-d', $db, '--no-password' ], '>', \$dump, '2>', \$errors), 'the owner dumps') or diag($errors);
must($superuser, "CREATE DATABASE ${db}_restored OWNER $owner TEMPLATE template0", $home);
$errors = '';
run [ qw(psql --no-psqlrc --quiet --set ON_ERROR_STOP=1), '-U', $owner, '-d', "${db}_restored" ], \$dump, \my $ignored, \$errors;
is($errors, '', 'the owner restores');
is(as($owner, $dictionary, "${db}_restored"), $before, 'the dictionary is there, with who changed it and when');
is(as($owner, $beside[$_], "${db}_restored"), $were[$_], "so is what is beside it: $beside[$_]") for 0 .. $#beside;
is(as($owner, q{INSERT INTO activity_metrics.annotation (at, note) VALUES (now(), 'next') RETURNING annotation_id}, "${db}_restored"), '5', 'numbers go on');
is(as($owner, q{UPDATE activity_metrics.metric SET event_kinds = NULL WHERE metric = 'entities' RETURNING definition_version}, "${db}_restored"), must($owner, q{SELECT definition_version + 1 FROM activity_metrics.metric WHERE metric = 'entities'}), 'versions too');
must($owner, q{UPDATE activity_metrics.metric SET event_kinds = NULL WHERE metric = 'entities'});
is(as($owner, $report{$_}, "${db}_restored"), must($owner, $report{$_}), "restored: $_") for 'metric_values ratio', 'vanity_report', 'funnel_report';
is(as($first, q{SELECT count(*) FROM crm.event}, "${db}_restored"), must($first, q{SELECT count(*) FROM crm.event}), 'policies too');

#
# Other encodings
#
SKIP:
{
	my $made = as($superuser, "CREATE DATABASE ${db}_latin1 OWNER $owner ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0", $home);
	skip "no database in LATIN1: $made", 2 if $made ne '';
	is(as($owner, 'CREATE EXTENSION activity_metrics', "${db}_latin1"), '', 'a database in LATIN1 takes the extension');
	is(as($owner, q{SELECT length(activity_metrics.bar(0.5, 1, 20, true)), activity_metrics.period_start(0)}, "${db}_latin1"), '20|1969-12-29', 'where it works');
}

#
# Gone without a trace
#
like(as($owner, 'DROP FUNCTION activity_metrics.period_start(bigint, text)'), qr/^(?:2BP01|42501): /, 'members are not dropped one by one');
is(as($owner, 'DROP EXTENSION activity_metrics'), '', 'the owner drops the extension');
is(as($owner, q{SELECT 'relation', relname::text FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'activity_metrics')
	UNION ALL SELECT 'function', proname FROM pg_proc WHERE pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'activity_metrics') OR probin LIKE '%activity_metrics%'
	UNION ALL SELECT 'type', typname FROM pg_type WHERE typnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'activity_metrics')
	UNION ALL SELECT 'trigger', evtname FROM pg_event_trigger}), '', 'nothing of it is left');
is(as($owner, 'DROP SCHEMA activity_metrics; CREATE EXTENSION activity_metrics; SELECT count(*) FROM activity_metrics.metric'), '0', 'its schema is empty, and it comes back');

clean_up();
done_testing();
