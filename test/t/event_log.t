#!/usr/bin/env perl
# The event log behind funnel() on a million rows: one answer whatever the memory, the plan and the order of
# rows; bounded memory; no temporary file that outlives its query; interrupts.
#
# PGHOST and the like lead to a server whose superuser we are and to a database that has the extension.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time sleep);

$ENV{PGOPTIONS} = '-c client_min_messages=error -c timezone=UTC';

# The last line that psql prints for the statements, or its error
sub query
{
	my $pid = open(my $psql, '-|') // die "fork: $!\n";
	if (!$pid)
	{
		open STDERR, '>&', \*STDOUT;
		exec qw(psql --no-psqlrc --no-align --quiet --tuples-only --set ON_ERROR_STOP=1), map { ('--command', $_) } @_;
		die "psql: $!\n";
	}
	local $/;
	my $output = <$psql> // '';
	close $psql;
	$output =~ s/\n+\z//;
	return $output;
}

# the last line of several results
sub last_line { my @lines = split /\n/, query(@_); return $lines[-1] // '' }

my $rows = 1_000_000;
my $spec = 'a -> (b | c) -> d -> b within 5 days';

my $setup = query(
	'DROP SCHEMA IF EXISTS event_log_test CASCADE',
	'CREATE SCHEMA event_log_test',
	# in no order: id is a permutation of the row's number
	"CREATE UNLOGGED TABLE event_log_test.ev AS
	SELECT i * 7368787 % $rows AS id, hashint8(i) & 131071 AS entity,
		timestamptz '2024-01-01' + (hashint8(i * 3 + 1) & 1048575) * interval '1 second' AS at,
		(ARRAY['a', 'b', 'c', 'd', 'other', 'a'])[1 + (hashint8(i * 5 + 2) & 65535) % 6] AS kind
	FROM generate_series(1, ${rows}::bigint) i",
	'CREATE UNLOGGED TABLE event_log_test.ev_ordered AS SELECT * FROM event_log_test.ev ORDER BY at, id',
	# entities lie across partitions, so that their events meet only in the combined state
	'CREATE TABLE event_log_test.ev_parts (LIKE event_log_test.ev) PARTITION BY HASH (id)',
	(map { "CREATE UNLOGGED TABLE event_log_test.ev_part$_ PARTITION OF event_log_test.ev_parts
		FOR VALUES WITH (MODULUS 3, REMAINDER $_)" } 0 .. 2),
	'INSERT INTO event_log_test.ev_parts SELECT * FROM event_log_test.ev',
	# groups that the planner knows the number of
	'CREATE UNLOGGED TABLE event_log_test.ev_groups AS SELECT *, (entity % 700)::int AS g700, (entity % 40)::int AS g40
	FROM event_log_test.ev WHERE id < 120000',
	# no autovacuum beside us: it would have files of its own
	(map { "ALTER TABLE event_log_test.$_ SET (autovacuum_enabled = off)" } qw(ev ev_ordered ev_groups ev_part0 ev_part1 ev_part2)),
	(map { "VACUUM ANALYZE event_log_test.$_" } qw(ev ev_ordered ev_groups ev_part0 ev_part1 ev_part2)),
	'ANALYZE event_log_test.ev_parts');
is($setup, '', "$rows rows") or BAIL_OUT('no data');

my $path = 'SET search_path = event_log_test, activity_metrics';
my $serial = 'SET max_parallel_workers_per_gather = 0';

sub parallel
{
	my ($workers) = @_;
	return ("SET max_parallel_workers_per_gather = $workers", 'SET parallel_setup_cost = 0', 'SET parallel_tuple_cost = 0',
		'SET min_parallel_table_scan_size = 0', 'SET max_parallel_workers = 8');
}
sub memory { return ("SET work_mem = '$_[0]'", 'SET hash_mem_multiplier = 1') }
sub by_file { return 'SET activity_metrics.state_to_file = ' . ($_[0] ? 'on' : 'off') }

# How many files lie in the directories of temporary files that were not there before: of the default tablespace,
# or of one by its id
my %known;
sub temporary_files
{
	my ($tablespace) = @_;
	my $directory = $tablespace
	  ? "(SELECT 'pg_tblspc/$tablespace/' || d || '/pgsql_tmp' FROM pg_ls_dir('pg_tblspc/$tablespace') d)"
	  : "'base/pgsql_tmp'";
	my @files;
	# a parallel worker may be on its way out
	for (1 .. 10)
	{
		@files = grep { !$known{$_} } split /\n/, query("SELECT pg_ls_dir($directory, true, false)");
		last unless @files;
		sleep 0.05;
	}
	$known{$_} = 1 for @files;
	return scalar @files;
}
sub no_files_left { is(temporary_files(), 0, "no temporary file is left: $_[0]") }

# One answer

my @settings = (
	[ 'serial, work_mem 64 kB'                => 'ev', $serial, memory('64kB') ],
	[ 'serial, in order of time'              => 'ev_ordered', $serial, memory('64kB') ],
	[ '1 worker, 64 kB'                       => 'ev', parallel(1), memory('64kB'), by_file(0) ],
	[ '2 workers, 256 MB'                     => 'ev', parallel(2), memory('256MB'), by_file(0) ],
	[ '2 workers, 256 MB, states by file'     => 'ev', parallel(2), memory('256MB'), by_file(1) ],
	[ '4 workers, 64 kB'                      => 'ev', parallel(4), memory('64kB'), by_file(0) ],
	[ '4 workers, 64 kB, states by file'      => 'ev', parallel(4), memory('64kB'), by_file(1) ],
	[ '2 workers without the leader, 64 kB'   => 'ev', parallel(2), memory('64kB'), by_file(1), 'SET parallel_leader_participation = off' ],
	[ 'partitionwise, 64 kB'                  => 'ev_parts', $serial, memory('64kB'), 'SET enable_partitionwise_aggregate = on' ],
	[ 'partitionwise, 2 workers, 256 MB'      => 'ev_parts', parallel(2), memory('256MB'), by_file(0), 'SET enable_partitionwise_aggregate = on' ],
	[ 'partitionwise, 4 workers, by file'     => 'ev_parts', parallel(4), memory('64kB'), by_file(1), 'SET enable_partitionwise_aggregate = on' ],
);

my %expression = (
	bigint            => 'entity::bigint',
	text              => "'deal ' || entity",
	uuid              => "lpad(to_hex(entity), 32, '0')::uuid",
	'one giant'       => '17::bigint',
	'one giant, text' => "'-'",
	'all distinct'    => 'id',
	'all distinct, text' => "'of a long name that is the same for all ' || id",
	'a few'           => '(entity & 3)::text',
);

# of all these the first two take every setting, the others every fourth
my @order = sort { ($b =~ /^(bigint|text)$/) <=> ($a =~ /^(bigint|text)$/) || $a cmp $b } keys %expression;
my $turn = 0;
for my $name (@order)
{
	my $funnel = "funnel($expression{$name}, at, kind, '$spec')";
	my $want = last_line($path, $serial, memory('256MB'), "SELECT ${funnel}::text FROM ev");
	like($want, qr/^\{"\(1,a,[1-9]/, "$name: there is an answer");
	for my $setting (@settings)
	{
		my ($label, $table, @set) = @$setting;
		next if $name !~ /^(bigint|text)$/ && $turn++ % 4;
		my $got = last_line($path, @set, "SELECT ${funnel}::text FROM $table");
		$got eq $want ? pass("$name: $label") : is($got, $want, "$name: $label");
	}
}
no_files_left('after success');

# Those settings are what they say
for my $setting (@settings)
{
	my ($label, $table, @set) = @$setting;
	my $plan = query($path, @set, "EXPLAIN (COSTS off) SELECT funnel(entity::bigint, at, kind, '$spec') FROM $table");
	if ($label =~ /serial/) { unlike($plan, qr/Gather|Partial/, "plan: $label") }
	else { like($plan, qr/Partial Aggregate/, "plan: $label") }
}

# Groups
my $grouped = "SELECT md5(string_agg(g || f::text, ';' ORDER BY g)) FROM
	(SELECT entity % 50 AS g, funnel(entity::bigint, at, kind, '$spec', '2024-01-09') AS f FROM ev GROUP BY 1) x";
my $want_grouped = last_line($path, $serial, memory('64MB'), $grouped);
like($want_grouped, qr/^[0-9a-f]{32}$/, 'groups: there is an answer');
for my $hash (qw(on off))
{
	is(last_line($path, parallel(2), memory('1MB'), by_file($_), "SET enable_hashagg = $hash", $grouped), $want_grouped,
		"groups: 2 workers, enable_hashagg $hash, states by file: $_") for 0, 1;
}

# Kinds that do not occur, and what is nearest to them, are found together by all workers
{
	my $noted = "SELECT funnel(entity::bigint, at, CASE kind WHEN 'b' THEN 'bx' || (id & 255) WHEN 'd' THEN NULL ELSE kind END,
		'a -> bx1234 -> (c | d) -> others')::text FROM ev";
	my $want = last_line($path, $serial, memory('64MB'), $noted);
	like($want, qr/no event of kind bx1234, nearest kind present: bx12.*no event of kind d.*no event of kind others, nearest kind present: other/,
		'the nearest kinds');
	is(last_line($path, parallel(3), memory('64kB'), by_file($_), $noted), $want, "... of 3 workers, states by file: $_") for 0, 1;
}

# More groups than one worker may have files of at a time, all made before the first is read: the states are sorted
my $many = "SELECT g700 AS g, funnel(entity::bigint, at, kind, '$spec') AS f FROM ev_groups GROUP BY 1 ORDER BY 1";
my $digest = "SELECT count(*) || ' ' || md5(string_agg(g || f::text, ';' ORDER BY g)) FROM ($many) x";
my @sorted_states = (parallel(2), memory('1MB'), 'SET cpu_operator_cost = 0.01');
my $plan = query($path, @sorted_states, "EXPLAIN (COSTS off) $many");
SKIP:
{
	skip('many groups by file: the planner does not sort partial states', 1)
	  unless $plan =~ /Finalize GroupAggregate.*Sort.*Partial HashAggregate/s;
	is(last_line($path, @sorted_states, by_file(1), $digest), last_line($path, $serial, memory('64MB'), $digest),
		'700 groups, the states of all in files at a time');
}
no_files_left('after groups');

# Files after queries that end early

sub ends_with
{
	my ($error, $label, @statements) = @_;
	like(query($path, @statements), $error, $label);
	no_files_left($label);
}

my $timeout = qr/canceling statement due to (?:statement timeout|user request)/;
my $text_funnel = "SELECT funnel('deal ' || entity, at, kind, '$spec') FROM";
for my $milliseconds (100, 200, 350)
{
	ends_with($timeout, "cancelled after $milliseconds ms, serial", $serial, memory('64kB'),
		"SET statement_timeout = $milliseconds", "$text_funnel ev CROSS JOIN generate_series(1, 10)");
	ends_with($timeout, "cancelled after $milliseconds ms, parallel, states by file", parallel(2), memory('64kB'), by_file(1),
		"SET statement_timeout = $milliseconds", "$text_funnel ev CROSS JOIN generate_series(1, 10)");
}
my $late = "CASE WHEN id = 999999 THEN (1 / (id - id))::text ELSE kind END";
for my $leader (qw(on off))
{
	ends_with(qr/division by zero/, "an error late in a worker, leader participation $leader", parallel(2), memory('64kB'), by_file(1),
		"SET parallel_leader_participation = $leader", "SELECT funnel('deal ' || entity, at, $late, '$spec') FROM ev");
	ends_with(qr/division by zero/, "an error over the result, leader participation $leader", parallel(2), memory('64kB'), by_file(1),
		"SET parallel_leader_participation = $leader", "SELECT 1 / ((funnel(entity::text, at, kind, '$spec'))[1].reached * 0) FROM ev");
}
ends_with(qr/division by zero/, 'an error late in the scan, serial', $serial, memory('64kB'),
	"SELECT funnel('deal ' || entity, at, $late, '$spec') FROM ev");

# The leader reads some states and leaves the others. Without its own part it has made no file itself
my $few = "SELECT g40 AS g, funnel(entity::bigint, at, kind, '$spec') AS f FROM ev_groups GROUP BY 1 ORDER BY 1";
for my $leader (qw(on off))
{
	my @leave = (parallel(2), memory('64kB'), by_file(1), 'SET enable_hashagg = off', 'SET cpu_operator_cost = 0.01',
		"SET parallel_leader_participation = $leader");
	# groups are sorted below or above the partial aggregates: either way some states stay unread
	for my $hash (qw(on off))
	{
		my @set = (@leave, "SET enable_hashagg = $hash");
		like(last_line($path, @set, "SELECT count(f) FROM ($few LIMIT 3) x"), qr/^3$/, 'LIMIT');
		no_files_left("after LIMIT, leader participation $leader, enable_hashagg $hash");
		is(query($path, @set, "DO \$\$ BEGIN PERFORM count(f), sum(1 / (g - 5)) FROM ($few) x;
			EXCEPTION WHEN division_by_zero THEN NULL; END \$\$"), '', 'an error that is caught');
		no_files_left("after an error that was caught, leader participation $leader, enable_hashagg $hash");
	}
}

# Another tablespace for temporary files
SKIP:
{
	my $tablespace = last_line('SET allow_in_place_tablespaces = on', "CREATE TABLESPACE event_log_test_$$ LOCATION ''",
		"SELECT oid FROM pg_tablespace WHERE spcname = 'event_log_test_$$'");
	skip("no tablespace: $tablespace", 8) unless $tablespace =~ /^\d+$/;
	for my $leader (qw(on off))
	{
		my @set = (parallel(2), memory('64kB'), by_file(1), "SET parallel_leader_participation = $leader",
			"SET temp_tablespaces = 'event_log_test_$$'", 'SET cpu_operator_cost = 0.01');
		like(last_line($path, @set, "SELECT funnel(entity::text, at, kind, '$spec') FROM ev WHERE id < 100000"), qr/^\{/, 'temp_tablespaces');
		is(temporary_files($tablespace), 0, "no file is left in another tablespace, leader participation $leader");
		like(query($path, @set, "SELECT g, 1 / (g - 5), f FROM ($few) x"), qr/division by zero/, '... and an error');
		is(temporary_files($tablespace), 0, "no file is left in another tablespace after an error, leader participation $leader");
	}
	# refused where a failure above has left files
	query("DROP TABLESPACE event_log_test_$$");
}

# A session that is terminated
{
	my $child = fork // die "fork: $!\n";
	if (!$child)
	{
		open STDOUT, '>', '/dev/null';
		open STDERR, '>', '/dev/null';
		exec qw(psql --no-psqlrc --quiet), map { ('--command', $_) } $path, "SET application_name = 'event_log_victim'",
		  parallel(2), memory('64kB'), by_file(1), "$text_funnel ev CROSS JOIN generate_series(1, 20)";
		exit 1;
	}
	my $killed = '0';
	for (1 .. 100)
	{
		# not before it has written
		$killed = query("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'event_log_victim'
			AND backend_type = 'client backend' AND query LIKE 'SELECT funnel%'
			AND EXISTS (SELECT FROM pg_ls_dir('base/pgsql_tmp', true, false))");
		last if $killed ne '0';
		sleep 0.05;
	}
	waitpid $child, 0;
	is($killed, '1', 'a session is terminated while it has files');
	no_files_left('after a session was terminated');
}

# Interrupts: five million rows take longer than this
{
	my $start = time;
	my $got = query($path, $serial, 'SET jit = off', "SET statement_timeout = '200ms'",
		"SELECT funnel(i & 1048575, timestamptz '2024-01-01' + (i & 65535) * interval '1 minute', (ARRAY['a', 'b', 'c', 'd'])[1 + i % 4], '$spec')
		FROM generate_series(1, 5000000::bigint) i");
	my $took = time - $start;
	like($got, $timeout, 'a statement of five million rows is cancelled');
	cmp_ok($took, '<', 2.2, sprintf('... within two seconds of its timeout (%.2f s in all)', $took));
}
# at any moment, also while it is read and sorted at the end
for my $entity ('17::bigint', "'deal ' || (i & 65535)")
{
	my $run = "SELECT funnel($entity, timestamptz '2024-01-01' + (hashint8(i) & 1048575) * interval '1 second',
		(ARRAY['a', 'b', 'c', 'd'])[1 + i % 4], '$spec') FROM (SELECT generate_series(1, 700000::bigint) AS i) x";
	my $start = time;
	query($path, $serial, memory('64kB'), 'SET jit = off', $run);
	my $whole = time - $start;
	my $worst = 0;
	for my $share (0.6, 0.9)
	{
		$start = time;
		query($path, $serial, memory('64kB'), 'SET jit = off', sprintf('SET statement_timeout = %d', 1 + 1000 * $share * $whole), $run);
		my $late = time - $start - $share * $whole;
		$worst = $late if $late > $worst;
	}
	cmp_ok($worst, '<', 1, sprintf('at any moment of a run of %.1f s over %s: at most %.2f s late', $whole, $entity, $worst));
}
no_files_left('after timeouts');

# Memory: what the backend ever had, after few rows and after many. No table: pages of shared buffers would count
SKIP:
{
	my $status = "(substring(pg_read_file('/proc/self/status', 0, 10000, true) FROM 'VmHWM:\\s+(\\d+)'))::int";
	skip('no /proc', 6) unless last_line("SELECT $status") =~ /^\d+$/;
	my $limit = 40_000;
	for my $case (
		[ '4 million text entities',             "'deal ' || i",   4_000_000 ],
		[ '2 million bigint entities',           'i',              2_000_000 ],
		[ 'one entity of 1 million events',      '17::bigint',     1_000_000 ],
		[ 'one text entity of 600,000 events',   "'the one'",        600_000 ],
		[ '2,000 text entities of 200 kB',       "repeat('long ', 40000) || i % 2000", 2_000 ],
		[ '4,000 text entities of 100 kB',       "repeat('long ', 20000) || i % 4000", 4_000 ],
	  )
	{
		my ($label, $entity, $many) = @$case;
		my $run = sub {
			return "SELECT (funnel($entity, timestamptz '2024-01-01' + (hashint8(i) & 1048575) * interval '1 second',
				(ARRAY['a', 'b', 'c', 'd'])[1 + i % 4], '$spec'))[1].reached > 0 FROM (SELECT generate_series(1, $_[0]::bigint) AS i) x";
		};
		my $output = query($path, $serial, memory('64kB'), 'SET jit = off', $run->(100), "SELECT $status", $run->($many), "SELECT $status");
		my ($before, $after) = $output =~ /^t\n(\d+)\nt\n(\d+)$/;
		ok(defined $after && $after - $before < $limit,
			"memory with work_mem 64 kB: $label" . (defined $after ? sprintf(' (%.1f MB more)', ($after - $before) / 1024) : ''))
		  or diag($output);
	}
}

is(query('DROP SCHEMA event_log_test CASCADE'), '', 'tidied up');
done_testing();
