#!/usr/bin/env perl
# funnel_scan(), which reads a table below the executor and with workers of its own, against the aggregate over
# the same rows: one answer to the bit, the same rights, nothing left behind.
#
# PGHOST and the like lead to a server whose superuser we are and to a database that has the extension.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Psql;
use Test::More;
use Time::HiRes qw(time sleep);

my $schema = 'funnel_scan_test';
my ($reader, $part_reader, $stranger) = map { "funnel_scan_$_" } qw(reader part_reader stranger);
my $path = "SET search_path = $schema, activity_metrics; SET jit = off;";
my $spec = 'a -> (b | c) -> d -> b within 5 days';

sub clean_up
{
	sql("DROP SCHEMA IF EXISTS $schema, ${schema}_closed CASCADE; DROP FOREIGN DATA WRAPPER IF EXISTS funnel_scan_test CASCADE");
	for my $role ($reader, $part_reader, $stranger)
	{
		sql("DROP OWNED BY $role; DROP ROLE $role") if sql("SELECT count(*) FROM pg_roles WHERE rolname = '$role'");
	}
	return;
}
plan skip_all => 'needs a superuser' if sql('SELECT rolsuper FROM pg_roles WHERE rolname = current_user') ne 't';
clean_up();
sql("CREATE SCHEMA $schema");

sub settings
{
	my ($workers, $memory) = @_;
	return "SET max_parallel_workers_per_gather = $workers; SET max_parallel_workers = 8; SET min_parallel_table_scan_size = 0;
		SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET work_mem = '$memory'; SET hash_mem_multiplier = 1;";
}

# The two statements for one question
sub literal { my ($value) = @_; return defined $value ? "'" . $value =~ s/'/''/gr . "'" : 'NULL' }
sub columns_of
{
	my (%ask) = @_;
	return join ', ', map { literal($_) } $ask{entity} // 'entity', $ask{at} // 'at', $ask{kind} // 'kind', $ask{status};
}
sub by_scan
{
	my ($table, %ask) = @_;
	return sprintf 'SELECT array_agg(s ORDER BY step_no)::text FROM funnel_scan(%s, %s, %s, %s, %s, %s, %s) s', literal($table),
	  literal($ask{spec} // $spec), (map { literal($ask{$_}) } qw(since until as_of)), columns_of(%ask), literal($ask{tz} // 'UTC');
}
sub by_aggregate
{
	my ($table, %ask) = @_;
	my ($entity, $kind) = map { $ask{$_} // $_ } qw(entity kind);
	my $at = $ask{at} // 'at';
	my $specification = literal($ask{spec} // $spec) . '::text';
	my $done = defined $ask{status} ? sql("SELECT activity_metrics.done_condition('$schema.$table', '$ask{status}')") : 'true';
	my $since = defined $ask{since} && ($ask{spec} // '') !~ /count skipped/ ? "($at IS NULL OR $at >= '$ask{since}')" : 'true';
	my $key = sql("SELECT activity_metrics.key_column('$schema.$table', '$entity', 'entity')");
	my $time = sql("SELECT activity_metrics.time_column('$schema.$table', '$at', 'at', 'UTC')");
	return sprintf 'SELECT coalesce((SELECT funnel_between(%s, %s, %s::text, %s, %s, %s, %s) FROM %s WHERE %s AND %s),
		(SELECT funnel_between(NULL::bigint, NULL, NULL, %s, NULL, NULL, NULL)))::text',
	  $key, $time, $kind, $specification, literal($ask{as_of}), literal($ask{since}), literal($ask{until}), $table, $done, $since, $specification;
}
sub scannable
{
	my ($table, %ask) = @_;
	return sql("$path SELECT funnel_scannable('$table', " . columns_of(%ask) . ', ' . literal($ask{tz} // 'UTC') . ')');
}

# One answer for these numbers of workers and this much memory
sub one_answer
{
	my ($label, $table, %ask) = @_;
	my @workers = @{ delete $ask{workers} // [ 0, 2 ] };
	my @memory = @{ delete $ask{memory} // ['64kB'] };
	my $before = delete $ask{before} // '';
	my $want = sql("$path $before " . settings(0, '64MB') . by_aggregate($table, %ask));
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	like($want, qr/^\{"\(1,/, "$label: there is an answer");
	for my $workers (@workers)
	{
		is(sql("$path $before " . settings($workers, $_) . by_scan($table, %ask)), $want, "$label: $workers workers, $_") for @memory;
	}
	return;
}

#
# Large tables of all types of entities: every number of workers, little memory and much
#
my $rows = 600_000;
sql("$path CREATE TABLE ev AS
	SELECT i AS id, hashint8(i) & 65535 AS entity, timestamptz '2024-01-01' + (hashint8(i * 3 + 1) & 1048575) * interval '1 second' AS at,
		(ARRAY['a', 'b', 'c', 'd', 'other', 'a'])[1 + (hashint8(i * 5 + 2) & 65535) % 6] AS kind,
		(ARRAY['done', NULL, 'Planned', ' no-show ', 'no show', 'CANCELLED', 'canceled', 'cancelled by us', ''])[1 + (hashint8(i * 7 + 3) & 65535) % 9] AS status
	FROM generate_series(1, $rows) i;
	ALTER TABLE ev ADD COLUMN entity_8 bigint, ADD COLUMN entity_2 smallint, ADD COLUMN entity_text text, ADD COLUMN entity_varchar varchar(40),
		ADD COLUMN entity_uuid uuid, ADD COLUMN nobody bigint, ADD COLUMN one int DEFAULT 17, ADD COLUMN at_plain timestamp;
	UPDATE ev SET entity_8 = entity, entity_2 = entity & 4095, entity_text = 'deal ' || entity, entity_varchar = 'deal number ' || entity,
		entity_uuid = lpad(to_hex(entity), 32, '0')::uuid, at_plain = at AT TIME ZONE 'UTC';
	ANALYZE ev;");
my %all = (workers => [ 0, 1, 2, 4 ], memory => [qw(64kB 64MB)]);
one_answer($_, 'ev', %all, entity => $_) for qw(entity entity_text);
one_answer($_, 'ev', entity => $_) for qw(entity_8 entity_2 entity_varchar entity_uuid nobody one);
one_answer('all distinct', 'ev', %all, entity => 'id');
one_answer('status', 'ev', %all, status => 'status');
one_answer('a range of time', 'ev', since => '2024-01-03', until => '2024-01-08');
one_answer('... as of a time', 'ev', since => '2024-01-03', until => '2024-01-08', as_of => '2024-01-09 12:00', status => 'status');
one_answer('nothing in the range', 'ev', since => '2030-01-01');
one_answer('as of before all', 'ev', as_of => '2020-01-01');
one_answer('time without zone', 'ev', at => 'at_plain');
one_answer('the kind is the entity', 'ev', entity => 'kind');
one_answer('the status is the kind', 'ev', status => 'kind');
one_answer('kinds that do not occur', 'ev', kind => 'status', spec => 'done -> planed -> no_show -> \'cancelled by she\' -> xyz');
one_answer('a long specification', 'ev', spec => join(' -> ', ('a', 'b', 'c', 'd') x 6) . ' within 12 days');
one_answer($_, 'ev', since => '2024-01-03', until => '2024-01-08', spec => $_)
  for 'a -> b [1 day] -> !other -> c? -> d within 4 days', 'a -> b -> d within 5 days, strict order, totals', 'a -> b -> c -> d, any order',
  'a -> !c -> b -> (c | d) within 3 days, first entry, strict increase, totals', 'a -> b -> c -> d within 5 days, count skipped', 'a -> b -> !d -> c, count reopened',
  join(' -> ', map { "(a | k$_)" } 1 .. 40) . ' -> !b -> d';
for my $set ('activity_metrics.state_to_file = on', 'parallel_leader_participation = off', "default_transaction_isolation = 'serializable'",
	"default_transaction_isolation = 'repeatable read'", 'max_parallel_workers = 0', 'enable_seqscan = off')
{
	one_answer($set, 'ev', before => "SET $set; SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY;", entity => 'entity_text');
}

# Those settings are what they say
for my $workers (0, 1, 2, 4)
{
	my $said = error_of("$path SET client_min_messages = debug1; " . settings($workers, '64MB') . by_scan('ev'));
	my ($launched) = $said =~ /funnel of table "ev": (\d+) workers and the leader/;
	is($launched // 0, $workers, "$workers workers have worked");
}
unlike(error_of("$path SET client_min_messages = debug1; " . settings(2, '64MB') . "SET min_parallel_table_scan_size = '1GB';" . by_scan('ev')), qr/workers and the leader/,
	'none for a small table');
unlike(error_of("$path ALTER TABLE ev SET (parallel_workers = 0); SET client_min_messages = debug1; " . settings(2, '64MB') . by_scan('ev')), qr/workers and the leader/,
	'none where the table forbids them');
sql("$path ALTER TABLE ev RESET (parallel_workers)");
like(error_of("$path SET client_min_messages = debug1; SET max_parallel_workers = 0; " . settings(2, '64MB') =~ s/SET max_parallel_workers = 8;//r . by_scan('ev')),
	qr/: 0 workers and the leader/, 'the leader works alone where there are none to be had');

#
# Small tables with everything that a row can be
#
sql("$path CREATE TABLE odd (gone int, entity text, wide text, dropped text, kind varchar, at timestamptz, note text);
	INSERT INTO odd SELECT i, CASE WHEN i % 11 > 0 THEN 'e' || (i % 97) END, CASE WHEN i % 3 > 0 THEN repeat('w', i % 300) END, 'd',
		CASE WHEN i % 13 > 0 THEN (ARRAY['a', 'b', 'c', 'd', 'other'])[1 + (hashint8(i) & 65535) % 5] END,
		CASE WHEN i % 17 > 0 THEN timestamptz '2024-01-01' + (hashint8(i * 3) & 1048575) * interval '1 second' END FROM generate_series(1, 3000) i;
	ALTER TABLE odd DROP COLUMN gone, DROP COLUMN dropped;
	-- rows so far lack these: one value, none, and one out of line
	ALTER TABLE odd ADD COLUMN kind_later text DEFAULT 'a', ADD COLUMN status_later text DEFAULT 'planned', ADD COLUMN at_later timestamptz,
		ADD COLUMN entity_later bigint DEFAULT 5, ADD COLUMN entity_none uuid;
	INSERT INTO odd SELECT 'e' || (i % 97), NULL, 'b', timestamptz '2024-01-02' + i * interval '1 minute', NULL, 'b', 'done', timestamptz '2024-01-05' + i * interval '1 minute', i % 5, NULL
		FROM generate_series(1, 500) i;
	DELETE FROM odd WHERE ctid::text ~ '3[)]';
	UPDATE odd SET kind = 'd' WHERE ctid::text ~ '5[)]';
	UPDATE odd SET wide = NULL WHERE ctid::text ~ '7[)]';");
one_answer('rows of all kinds', 'odd');
one_answer("column $_", 'odd', %{ { kind => { kind => $_ }, stat => { status => $_ }, at_l => { at => $_ }, enti => { entity => $_ } }->{ substr($_, 0, 4) } })
	for qw(kind_later status_later at_later entity_later entity_none);
one_answer('columns of later', 'odd', kind => 'kind_later', status => 'status_later', at => 'at_later', entity => 'entity_later');
one_answer('no rows', 'odd', before => 'BEGIN; DELETE FROM odd;');
one_answer('rows of the own transaction', 'odd', before => "BEGIN; INSERT INTO odd SELECT * FROM odd; UPDATE odd SET kind = 'c' WHERE kind = 'a' AND entity < 'e5';
	SAVEPOINT s; DELETE FROM odd; ROLLBACK TO s; SAVEPOINT t; DELETE FROM odd WHERE entity > 'e7'; RELEASE t;");
one_answer('after a vacuum', 'odd', before => 'SELECT;');
sql("$path VACUUM FREEZE odd");
one_answer('after a freeze', 'odd');
sql("$path CREATE TABLE out_of_line (entity text, at timestamptz, kind text, status text);
	ALTER TABLE out_of_line ALTER entity SET STORAGE EXTERNAL;
	INSERT INTO out_of_line SELECT repeat('long entity ', 400) || i % 50, timestamptz '2024-01-01' + i * interval '1 hour',
		CASE i % 4 WHEN 0 THEN repeat('compressible kind ', 300) WHEN 1 THEN 'b' WHEN 2 THEN 'd' ELSE 'c' END,
		CASE i % 5 WHEN 0 THEN repeat(' ', 4000) || 'planned' WHEN 1 THEN repeat('planned', 1000) END FROM generate_series(1, 2000) i;");
my $long_kind = "'" . 'compressible kind ' x 300 . "'";
one_answer('values out of line and compressed', 'out_of_line', spec => "$long_kind -> b -> d", status => 'status', workers => [ 0, 2, 4 ], memory => [qw(64kB 64MB)]);
sql("$path CREATE DOMAIN key AS bigint; CREATE DOMAIN word AS text; CREATE DOMAIN deal AS key;
	CREATE TABLE of_domains AS SELECT (entity & 255)::deal AS entity, at, kind::word AS kind FROM ev LIMIT 5000;");
one_answer('domains', 'of_domains');
is(sql("$path CREATE TEMP TABLE own AS SELECT entity, at, kind FROM ev WHERE id < 10000; " . settings(2, '64MB') . by_scan('own')),
	sql("$path CREATE TEMP TABLE own AS SELECT entity, at, kind FROM ev WHERE id < 10000; SELECT funnel(entity, at, kind, '$spec')::text FROM own"), 'a temporary table');

# A cursor sees what there was when it was declared
{
	my @cursors = map { "DECLARE c CURSOR FOR $_; INSERT INTO odd SELECT * FROM odd; DELETE FROM odd WHERE kind = 'a'; FETCH c; CLOSE c;" }
	  by_aggregate('odd'), by_scan('odd');
	my ($want, @got) = map { sql("$path BEGIN; $_ ROLLBACK") } $cursors[0], $cursors[1], settings(3, '64kB') . $cursors[1];
	is($got[0], $want, 'a cursor');
	is($got[1], $want, 'a cursor with workers');
}
# in a function, a data-modifying statement, and beside one another
like(sql("$path " . settings(2, '64kB') . "CREATE TABLE kept AS SELECT * FROM funnel_scan('ev', '$spec', NULL, NULL, NULL, 'entity', 'at', 'kind', NULL, 'UTC'); SELECT count(*), sum(reached) > 0 FROM kept"),
	qr/^4\|t$/, 'into a table');
is(sql("$path " . settings(2, '64kB') . "INSERT INTO kept SELECT f.* FROM generate_series(1, 2), funnel_scan('ev', '$spec', NULL, NULL, NULL, 'entity', 'at', 'kind', NULL, 'UTC') f;
	SELECT count(*), count(DISTINCT k) FROM kept k"), '12|4', 'as part of an INSERT');
is(sql("$path " . settings(2, '64kB') . "SELECT count(*) FROM funnel_scan('ev', '$spec', NULL, NULL, NULL, 'entity', 'at', 'kind', NULL, 'UTC') a
	JOIN funnel_scan('ev', '$spec', NULL, NULL, NULL, 'entity_text', 'at', 'kind', NULL, 'UTC') b USING (step_no, reached)"), '4', 'twice in a query');

# A serializable transaction remembers what it has read
is(sql("$path BEGIN ISOLATION LEVEL SERIALIZABLE; " . settings(2, '64kB') . "DO \$\$ BEGIN PERFORM * FROM funnel_scan('ev', '$spec', NULL, NULL, NULL, 'entity', 'at', 'kind', NULL, 'UTC'); END \$\$;
	SELECT count(DISTINCT relation) FROM pg_locks WHERE mode = 'SIReadLock' AND relation = 'ev'::regclass; COMMIT"), '1', 'the predicate lock of a serializable transaction');

#
# What is not a plain table is left to SQL, and so are types that need SQL
#
sql("$path CREATE VIEW a_view AS SELECT * FROM odd; CREATE MATERIALIZED VIEW a_matview AS SELECT * FROM odd;
	CREATE TABLE parent (LIKE odd); CREATE TABLE child () INHERITS (parent);
	CREATE TABLE parted (LIKE odd) PARTITION BY HASH (entity); CREATE TABLE part PARTITION OF parted FOR VALUES WITH (MODULUS 1, REMAINDER 0);
	CREATE FOREIGN DATA WRAPPER funnel_scan_test; CREATE SERVER funnel_scan_test FOREIGN DATA WRAPPER funnel_scan_test;
	CREATE FOREIGN TABLE elsewhere (entity bigint, at timestamptz, kind text) SERVER funnel_scan_test;
	CREATE SEQUENCE a_sequence; CREATE TYPE a_type AS (entity bigint, at timestamptz, kind text); CREATE INDEX an_index ON odd (entity);
	CREATE TYPE mood AS ENUM ('a', 'b');
	CREATE TABLE types (entity bigint, at timestamptz, kind text, e_numeric numeric, e_char char(9), at_plain timestamp, at_date date, at_text text, k_enum mood, k_name name, k_char char(9), s_bool boolean);
	CREATE TABLE stored (entity bigint, at timestamptz, kind text GENERATED ALWAYS AS (CASE WHEN entity > 1 THEN 'a' ELSE 'b' END) STORED);");
is(scannable('odd'), 't', 'a table');
is(scannable('odd', status => 'note'), 't', 'with a status');
is(scannable('child'), 't', 'a table that inherits');
is(scannable('part'), 't', 'a partition');
is(scannable('stored'), 't', 'a generated column that is stored');
is(scannable($_), 'f', "not $_") for qw(a_view a_matview parent parted elsewhere a_sequence a_type an_index);
is(scannable('types', %$_), 'f', "not @{[%$_]}") for { entity => 'e_numeric' }, { entity => 'e_char' }, { at => 'at_date' }, { at => 'at_text' }, { kind => 'k_enum' },
	{ kind => 'k_name' }, { kind => 'k_char' }, { status => 's_bool' }, { entity => 'absent' }, { kind => 'ctid' }, { at => 'at_plain', tz => 'Europe/Berlin' };
is(scannable('types', at => 'at_plain', tz => $_), 't', "a time without zone in $_") for qw(UTC utc);
is(sql("$path SELECT count(*) FROM (VALUES (funnel_scannable(NULL, 'entity', 'at', 'kind', NULL, 'UTC')), (funnel_scannable('odd', NULL, 'at', 'kind', NULL, 'UTC')),
	(funnel_scannable('odd', 'entity', NULL, 'kind', NULL, 'UTC')), (funnel_scannable('odd', 'entity', 'at', NULL, NULL, 'UTC')), (funnel_scannable(0, 'entity', 'at', 'kind', NULL, 'UTC'))) v (x) WHERE x"), '0', 'not NULLs');
SKIP:
{
	skip 'generated columns are stored before 18', 1 if sql("SELECT current_setting('server_version_num')::int < 180000") eq 't';
	sql("$path CREATE TABLE computed (entity bigint, at timestamptz, kind text GENERATED ALWAYS AS ('a') VIRTUAL)");
	is(scannable('computed'), 'f', 'not a column that is computed');
}
like(error_of("$path " . by_scan('a_view')), qr/0A000: cannot read these columns of "a_view" directly/, 'a view is refused');

#
# Rights
#
sql("$path CREATE ROLE $_") for $reader, $part_reader, $stranger;
sql("$path GRANT USAGE ON SCHEMA $schema, activity_metrics TO $reader, $part_reader, $stranger; GRANT SELECT ON odd, out_of_line TO $reader;
	GRANT SELECT (entity, at, kind, kind_later) ON odd TO $part_reader;
	CREATE TABLE guarded AS SELECT * FROM odd; GRANT SELECT ON guarded TO $reader; ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
	CREATE POLICY some_rows ON guarded USING (entity < 'e5');
	CREATE SCHEMA ${schema}_closed; CREATE TABLE ${schema}_closed.inner AS SELECT * FROM odd; GRANT SELECT ON ${schema}_closed.inner TO $reader;");
sub as { my ($role, $statement) = @_; return "$path SET ROLE $role; $statement" }
sub scannable_as { my ($role, $table, %ask) = @_; return sql(as($role, "SELECT funnel_scannable('$table', " . columns_of(%ask) . ", 'UTC')")) }
my $aggregate = "SELECT funnel(entity, at, kind, '$spec')::text FROM odd";
is(scannable_as($reader, 'odd'), 't', 'who may read the table');
is(sql(as($reader, settings(2, '64kB') . by_scan('odd'))), sql(as($reader, $aggregate)), '... reads it');
is(scannable_as($part_reader, 'odd'), 't', 'who may read the columns');
is(sql(as($part_reader, settings(2, '64kB') . by_scan('odd'))), sql(as($part_reader, $aggregate)), '... reads them');
is(scannable_as($part_reader, 'odd', status => 'note'), 'f', 'but not another one');
is(scannable_as($stranger, 'odd'), 'f', 'a stranger may not');
for ([ $stranger, 'odd' ], [ $part_reader, 'odd', status => 'note' ])
{
	my ($role, $table, %ask) = @$_;
	my ($want) = error_of(as($role, "SELECT entity, at, kind, note FROM $table")) =~ /ERROR:\s+(.*)/;
	like($want, qr/^42501: permission denied for table odd$/, 'SQL says no');
	my ($got) = error_of(as($role, by_scan($table, %ask))) =~ /ERROR:\s+(.*)/;
	is($got, $want, 'the scan says it with the same words');
}
my $inner = sql("SELECT '${schema}_closed.inner'::regclass::oid");
is(sql(as($reader, "SELECT funnel_scannable($inner, 'entity', 'at', 'kind', NULL, 'UTC')")), 'f', 'nor in a schema that is closed');
like(error_of(as($reader, by_scan($inner))), qr/42501: permission denied for schema ${schema}_closed/, 'which is said');
is(scannable('guarded'), 't', 'row-level security: who stands above it reads the table');
is(scannable_as($reader, 'guarded'), 'f', '... who does not is left to SQL');
is(sql(as($reader, "SET row_security = off; SELECT funnel_scannable('guarded', 'entity', 'at', 'kind', NULL, 'UTC')")), 'f', '... to be told');
like(error_of(as($reader, by_scan('guarded'))), qr/0A000/, '... and no way round it');
sql("$path ALTER TABLE guarded OWNER TO $part_reader");
is(scannable_as($part_reader, 'guarded'), 't', '... the owner reads it');
sql("$path ALTER TABLE guarded FORCE ROW LEVEL SECURITY");
is(scannable_as($part_reader, 'guarded'), 'f', '... unless it is forced on it');
# with the rights of whom it runs for: a function of the owner's
sql("$path CREATE FUNCTION for_all() RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = $schema, activity_metrics, pg_temp AS
	\$\$ BEGIN RETURN (${\by_scan('odd')}); END \$\$");
is(sql(as($stranger, settings(2, '64kB') . 'SELECT for_all()')), sql("$path $aggregate"), 'a function of somebody who may');

#
# Errors and interrupts: said once, and nothing is left
#
like(error_of("$path " . settings(2, '64kB') . by_scan('ev', spec => 'a ->')), qr/22023: invalid funnel specification at position 5/, 'a faulty specification');
like(error_of("$path SELECT * FROM funnel_scan('ev', NULL, NULL, NULL, NULL, 'entity', 'at', 'kind', NULL, 'UTC')"), qr/22004: funnel specification is null/, 'none');
like(error_of("$path SELECT * FROM funnel_scan(NULL, 'a', NULL, NULL, NULL, 'entity', 'at', 'kind', NULL, 'UTC')"), qr/22004: no relation is given/, 'no relation');
like(error_of("$path " . settings(2, '64kB') . by_scan('ev', as_of => 'infinity')), qr/22008: as_of is infinite/, 'an infinite as_of');
one_answer('an infinite as_of without rows', 'odd', as_of => 'infinity', before => 'BEGIN; DELETE FROM odd;');
sql("$path CREATE TABLE faulty AS SELECT entity, CASE WHEN id % 3000 = 2999 THEN 'infinity' ELSE at END AS at, kind FROM ev");
my $in_worker = 0;
for my $workers (0, (2) x 8)
{
	my $said = error_of("$path " . settings($workers, '64kB') . by_scan('faulty'));
	like($said, qr/22008: event time is infinite/, "an infinite time, $workers workers");
	$in_worker++ if $said =~ /parallel worker/;
}
note("$in_worker of 8 errors came from a worker");
is(sql("$path " . settings(2, '64kB') . "DO \$\$ BEGIN PERFORM * FROM funnel_scan('faulty', '$spec', NULL, NULL, NULL, 'entity', 'at', 'kind', NULL, 'UTC');
	EXCEPTION WHEN SQLSTATE '22008' THEN NULL; END \$\$; " . by_scan('odd')), sql("$path $aggregate"), 'an error that is caught, and the next one works');

my $timeouts = 0;
for my $workers (0, 2, 4)
{
	for my $milliseconds (5, 20, 40, 80, 120, 160)
	{
		my $start = time;
		my $said = error_of("$path " . settings($workers, '64kB') . "SET statement_timeout = $milliseconds; " . by_scan('ev', entity => 'entity_text'));
		$timeouts++ if $said =~ /57014: canceling statement due to statement timeout/;
		fail("$workers workers, $milliseconds ms: $said") if $said ne '' && $said !~ /57014/;
		cmp_ok(time - $start, '<', 5, "no longer than it may: $workers workers, $milliseconds ms");
	}
}
cmp_ok($timeouts, '>', 5, "cancelled in mid-scan ($timeouts times)");

# a worker that is terminated takes the query with it
{
	sql("$path CREATE FUNCTION hit() RETURNS int LANGUAGE plpgsql AS \$\$ DECLARE n int; BEGIN
		FOR i IN 1 .. 2000 LOOP
			PERFORM pg_stat_clear_snapshot();
			SELECT count(pg_terminate_backend(pid)) INTO n FROM pg_stat_activity WHERE backend_type = 'parallel worker' AND query ~ 'funnel_scan_victim';
			IF n > 0 THEN RETURN n; END IF;
			PERFORM pg_sleep(0.001);
		END LOOP; RETURN 0; END \$\$");
	my $killer = fork // die "fork: $!\n";
	if (!$killer)
	{
		open STDOUT, '>', '/dev/null';
		exec 'psql', '-X', '-q', '-c', "SELECT $schema.hit()";
	}
	sleep 0.3;
	my $said = '';
	for (1 .. 20)
	{
		$said = error_of("$path " . settings(2, '64kB') . "/* funnel_scan_victim */ " . by_scan('ev', entity => 'entity_text'));
		last if $said ne '';
	}
	waitpid $killer, 0;
	like($said, qr/57P01: terminating|lost connection to parallel worker/, 'a worker is terminated');
}
sleep 0.2;
is(sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'parallel worker'"), '0', 'no worker is left');
is(sql("SELECT count(*) FROM pg_ls_dir('base/pgsql_tmp', true, false)"), '0', 'no temporary file is left');

#
# Memory: what the leader ever had, shared with the workers or not, after a scan that finds nothing and after one that
# finds all. The budget is work_mem for all processes together, but at least 4 MB for each
#
SKIP:
{
	my $status = "(substring(pg_read_file('/proc/self/status', 0, 10000, true) FROM 'VmHWM:\\s+(\\d+)'))::int";
	skip 'no /proc', 7 if error_of("SELECT 1 / ($status > 0)::int") ne '';
	sql("$path CREATE TABLE small AS SELECT id, at, kind, 'a deal of a longer name ' || id AS name FROM ev WHERE id <= 250000");
	for ([ 0, 4 ], [ 2, 12 ], [ 2, 15 ])
	{
		my ($workers, $budget) = @$_;
		for my $entity (qw(id name))
		{
			my $said = sql("$path " . settings($workers, $budget == 15 ? '15MB' : '64kB') . "SELECT sum(length(name)) FROM small; SELECT count(*) FROM ("
				  . by_scan('small', entity => $entity, since => '2030-01-01') . ") x; SELECT $status; SELECT count(*) FROM (" . by_scan('small', entity => $entity) . ") x; SELECT $status");
			my (undef, undef, $before, undef, $after) = split /\n/, $said;
			# with workers the leader's figure counts shared pages that others have filled: more of them, the later workers start
			cmp_ok($after - $before, '<', ($workers ? 2 : 1.1) * 1024 * $budget, sprintf('memory: %s, %d workers: %.1f MB more of %d', $entity, $workers, ($after - $before) / 1024, $budget));
		}
	}
	my @said = split /\n/, sql("$path " . settings(0, '64kB') . "SELECT sum(length(name)) FROM small; SELECT $status; SELECT count(*) FROM (" . by_scan('small', entity => 'id', kind => 'name') . ") x; SELECT $status");
	cmp_ok($said[3] - $said[1], '<', 6 * 1024, sprintf('memory: as many other kinds as events: %d kB more', $said[3] - $said[1]));
}

clean_up();
done_testing();
