#!/usr/bin/env perl
# pearson(), spearman() and kendall() against golden values of 36 data sets; and on many rows: one answer
# whatever the memory, the plan and the order of rows; bounded memory; no temporary file that outlives its
# query; interrupts.
#
# PGHOST and the like lead to a server whose superuser we are and to a database that has the extension.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time sleep);

$ENV{PGOPTIONS} = '-c client_min_messages=error -c timezone=UTC';

# What psql prints for the statements, or its error
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

sub last_line { my @lines = split /\n/, query(@_); return $lines[-1] // '' }

my $path = 'SET search_path = correlation_test, activity_metrics';
is(query('DROP SCHEMA IF EXISTS correlation_test CASCADE', 'CREATE SCHEMA correlation_test'), '', 'a schema')
  or BAIL_OUT('no schema');

#
# Golden values. |got - want| <= atol + rtol |want|; estimates have an atol of 1e-13, p-values none
#
SKIP:
{
	my $golden = ($ENV{SHARED} // '../shared') . '/golden';
	skip("golden data are absent: $golden", 1) if !-r "$golden/expected/correlation.csv";
	open my $file, '<', "$golden/expected/correlation.csv" or die "correlation.csv: $!\n";
	chomp(my $header = <$file>);
	close $file;
	my $columns = join ', ', map { "$_ " . (/^(dataset|transform)$/ ? 'text' : 'float8') } split /,/, $header;
	is(query($path, 'CREATE TABLE pairs (dataset text, t int, x float8, y float8)', "CREATE TABLE expected ($columns)",
		"\\copy pairs from '$golden/data/pairs.csv' (format csv, header)",
		"\\copy expected from '$golden/expected/correlation.csv' (format csv, header)"), '', 'the data are read');

	is(query($path, 'CREATE VIEW transformed AS
		SELECT e.dataset, e.transform, d.x, d.y FROM expected e, LATERAL (
			SELECT x, y FROM pairs WHERE dataset = e.dataset AND transform = $$level$$
			UNION ALL
			SELECT x - lag(x, k) OVER w, y - lag(y, k) OVER w FROM pairs, substr(transform, 5) AS s, LATERAL (SELECT s::int AS k) k
			WHERE transform LIKE $$diff%$$ AND dataset = e.dataset WINDOW w AS (ORDER BY t)
			UNION ALL
			SELECT ln(x) - lag(ln(x)) OVER w, ln(y) - lag(ln(y)) OVER w FROM pairs WHERE transform = $$logdiff$$ AND dataset = e.dataset WINDOW w AS (ORDER BY t)
			UNION ALL
			SELECT x - avg(x) OVER (PARTITION BY i % k), y - avg(y) OVER (PARTITION BY i % k) FROM
				(SELECT x, y, row_number() OVER (ORDER BY t) AS i, substr(transform, 7)::int AS k FROM pairs
				WHERE transform LIKE $$season%$$ AND dataset = e.dataset) season) AS d'), '', 'and transformed');

	my $close = sub {
		my ($got, $want, $p) = @_;
		return "($got IS NOT DISTINCT FROM $want OR abs($got - $want) <= " . ($p ? '' : '1e-13 + ') . "1e-11 * abs($want))";
	};
	my $checks = join ",\n", map { my ($name, @pair) = @$_; $close->(@pair) . " AS $name" } (
		[ 'pearson r',     '(pearson).r',     'pearson_r' ],
		[ 'pearson p',     '(pearson).p',     'pearson_p_two', 1 ],
		[ 'pearson low',   '(pearson).low',   'pearson_ci95_lo' ],
		[ 'pearson high',  '(pearson).high',  'pearson_ci95_hi' ],
		[ 'spearman r',    '(spearman).r',    'spearman_rho' ],
		[ 'spearman p',    '(spearman).p',    'spearman_p_t', 1 ],
		[ 'spearman low',  '(spearman).low',  'CASE WHEN n > 3 AND abs(spearman_rho) < 1 THEN tanh(atanh(spearman_rho) - 1.959963984540054 * sqrt((1 + spearman_rho ^ 2 / 2) / (n - 3))) END' ],
		[ 'spearman high', '(spearman).high', 'CASE WHEN n > 3 AND abs(spearman_rho) < 1 THEN tanh(atanh(spearman_rho) + 1.959963984540054 * sqrt((1 + spearman_rho ^ 2 / 2) / (n - 3))) END' ],
		[ 'kendall r',     '(kendall).r',     'kendall_tau_b' ],
		[ 'kendall p',     '(kendall).p',     'kendall_p_asymptotic', 1 ],
		[ 'kendall low',   '(kendall).low',   'CASE WHEN n > 4 AND abs(kendall_tau_b) < 1 THEN tanh(atanh(kendall_tau_b) - 1.959963984540054 * sqrt(0.437 / (n - 4))) END' ],
		[ 'kendall high',  '(kendall).high',  'CASE WHEN n > 4 AND abs(kendall_tau_b) < 1 THEN tanh(atanh(kendall_tau_b) + 1.959963984540054 * sqrt(0.437 / (n - 4))) END' ],
		[ 'n',             '(pearson).n + (spearman).n + (kendall).n', '3 * n' ],
	);
	$checks =~ s/ AS (\w+ \w+|n)\b/ AS "$1"/g;
	for my $settings ([ 'as it is', 'SET work_mem = 4096' ], [ 'little memory, parallel', 'SET work_mem = 64', 'SET parallel_setup_cost = 0' ])
	{
		my ($label, @set) = @$settings;
		my $faults = query($path, @set, "WITH got AS (
				SELECT dataset, transform, pearson(x, y), spearman(x, y), kendall(x, y) FROM transformed GROUP BY 1, 2),
			checks AS (SELECT dataset, transform, to_jsonb(c) AS good FROM expected JOIN got USING (dataset, transform), LATERAL (SELECT $checks) AS c)
			SELECT dataset, transform, key FROM checks, jsonb_each_text(good) WHERE value IS DISTINCT FROM 'true'");
		is($faults, '', "golden: no coefficient, p or bound is wrong, $label");
		is(query($path, 'SELECT count(*) FROM (SELECT pearson(x, y) AS c FROM transformed GROUP BY dataset, transform) AS got WHERE (c).n > 0'), '36', '... of 36 data sets');
	}
}

#
# One answer: in columns with ties, without, and with the exponents of all doubles
#
my $rows = 600_000;
is(query($path,
	"CREATE UNLOGGED TABLE pair AS
	SELECT id, x, (x::int % 7)::float8 AS tied_x, CASE WHEN id % 3 = 0 THEN x ELSE y END AS y, (y::int % 5)::float8 AS tied_y,
		(x - 50) * 2.0 ^ (id % 1500 - 750)::float8 AS wild_x, y * 2.0 ^ (id * 7 % 1500 - 750)::float8 AS wild_y
	FROM (SELECT i * 7368787 % $rows AS id, (hashint8(i) & 16777215) / 167772.16::float8 AS x, (hashint8(-i) & 16777215) / 167772.16::float8 AS y FROM generate_series(1, ${rows}::bigint) AS i) AS draw",
	'CREATE UNLOGGED TABLE pair_ordered AS SELECT * FROM pair ORDER BY x',
	'ALTER TABLE pair SET (autovacuum_enabled = off)', 'ALTER TABLE pair_ordered SET (autovacuum_enabled = off)', 'VACUUM ANALYZE pair', 'VACUUM ANALYZE pair_ordered'), '', "$rows rows")
  or BAIL_OUT('no data');

my $serial = 'SET max_parallel_workers_per_gather = 0';

sub parallel
{
	my ($workers) = @_;
	return ("SET max_parallel_workers_per_gather = $workers", 'SET parallel_setup_cost = 0', 'SET parallel_tuple_cost = 0',
		'SET min_parallel_table_scan_size = 0', 'SET max_parallel_workers = 8');
}
sub memory { return ("SET work_mem = '$_[0]'", 'SET hash_mem_multiplier = 1') }
sub by_file { return 'SET activity_metrics.state_to_file = ' . ($_[0] ? 'on' : 'off') }

my %known;
sub no_files_left
{
	my ($label) = @_;
	my @files;
	# a parallel worker may be on its way out
	for (1 .. 10)
	{
		@files = grep { !$known{$_} } split /\n/, query("SELECT pg_ls_dir('base/pgsql_tmp', true, false)");
		last unless @files;
		sleep 0.05;
	}
	$known{$_} = 1 for @files;
	return is(scalar @files, 0, "no temporary file is left: $label");
}
no_files_left('before') or diag('other sessions of this server have files');

my $all = join ', ', map { my $f = $_; map { "$f($_)" } ('x, y', 'tied_x, tied_y', 'tied_x, y', 'wild_x, wild_y') } qw(pearson spearman kendall);
my $want = last_line($path, $serial, memory('256MB'), "SELECT $all FROM pair");
like($want, qr/^(?:\(-?[\d.e-]+(?:,-?[\d.e-]+){3},$rows\)\|){11}\(\S+\)$/, 'there is an answer');
for my $case (
	[ 'serial, 64 kB',                      'pair',         $serial, memory('64kB') ],
	[ 'serial, in order, 64 kB',            'pair_ordered', $serial, memory('64kB') ],
	[ 'serial, in order, 256 MB',           'pair_ordered', $serial, memory('256MB') ],
	[ '1 worker, 64 kB',                    'pair',         parallel(1), memory('64kB'), by_file(0) ],
	[ '2 workers, 256 MB',                  'pair',         parallel(2), memory('256MB'), by_file(0) ],
	[ '2 workers, 256 MB, states by file',  'pair',         parallel(2), memory('256MB'), by_file(1) ],
	[ '4 workers, 64 kB, states by file',   'pair',         parallel(4), memory('64kB'), by_file(1) ],
	[ '2 workers without the leader, 1 MB', 'pair',         parallel(2), memory('1MB'), by_file(0), 'SET parallel_leader_participation = off' ],
  )
{
	my ($label, $table, @set) = @$case;
	my $got = last_line($path, @set, "SELECT $all FROM $table");
	$got eq $want ? pass($label) : is($got, $want, $label);
	my $plan = query($path, @set, "EXPLAIN (COSTS off) SELECT $all FROM $table");
	if ($label =~ /serial/) { unlike($plan, qr/Gather|Partial/, "plan: $label") }
	else { like($plan, qr/Partial Aggregate/, "plan: $label") }
}
no_files_left('after success');

# Another way to the same ranks
is(last_line($path, $serial, 'SET work_mem = 4096', "SELECT abs((spearman(x, y)).r - corr(i, j)) < 1e-12 FROM
	(SELECT x, y, rank() OVER (ORDER BY x) + (count(*) OVER (PARTITION BY x) - 1) / 2.0 AS i, rank() OVER (ORDER BY y) + (count(*) OVER (PARTITION BY y) - 1) / 2.0 AS j FROM pair) AS ranked"),
	't', 'Spearman is the correlation of ranks');

# Groups
my $grouped = "SELECT md5(string_agg(g::text || s::text || k::text || p::text, ';' ORDER BY g)) FROM
	(SELECT id % 30000 AS g, spearman(x, y) AS s, kendall(tied_x, y) AS k, pearson(x, y) AS p FROM pair GROUP BY 1) AS grouped";
my $want_grouped = last_line($path, $serial, memory('64MB'), $grouped);
like($want_grouped, qr/^[0-9a-f]{32}$/, '30,000 groups: there is an answer');
for my $hash (qw(on off))
{
	is(last_line($path, parallel(2), memory('1MB'), by_file(0), "SET enable_hashagg = $hash", $grouped), $want_grouped, "2 workers, enable_hashagg $hash");
}
my $few = "SELECT md5(string_agg(g::text || s::text || k::text, ';' ORDER BY g)) FROM (SELECT id % 3 AS g, spearman(x, y) AS s, kendall(tied_x, y) AS k FROM pair GROUP BY 1) AS grouped";
is(last_line($path, parallel(2), memory('64kB'), by_file($_), $few), last_line($path, $serial, memory('64MB'), $few), "3 groups of 200,000, states by file: $_") for 0, 1;
no_files_left('after groups');

# Files after queries that end early
my $timeout = qr/canceling statement due to (?:statement timeout|user request)/;
for my $milliseconds (50, 150, 400)
{
	for my $case ([ 'serial', $serial ], [ 'parallel', parallel(2) ])
	{
		my ($label, @set) = @$case;
		like(query($path, @set, memory('64kB'), by_file(1), "SET statement_timeout = $milliseconds", 'SELECT kendall(x, y), spearman(y, x) FROM pair CROSS JOIN generate_series(1, 10)'),
			$timeout, "cancelled after $milliseconds ms, $label");
		no_files_left("cancelled after $milliseconds ms, $label");
	}
}
for my $leader (qw(on off))
{
	like(query($path, parallel(2), memory('64kB'), by_file(1), "SET parallel_leader_participation = $leader",
		'SELECT kendall(x, CASE WHEN id = 599999 THEN 1 / (id - id) ELSE y END) FROM pair'), qr/division by zero/, "an error in a worker, leader participation $leader");
	no_files_left('after an error');
	like(query($path, parallel(2), memory('64kB'), by_file(1), "SET parallel_leader_participation = $leader",
		"DO \$\$ BEGIN PERFORM 1 / ((kendall(x, y)).n * 0) FROM pair; EXCEPTION WHEN division_by_zero THEN NULL; END \$\$"), qr/^$/, 'an error that is caught');
	no_files_left('after an error that was caught');
}

# Windows: sums can be taken back, but ranks are kept in memory
is(last_line($path, 'SELECT count(*) FROM (SELECT id, pearson(x, y) OVER (ORDER BY id ROWS 999 PRECEDING) AS c FROM pair WHERE id < 20000) AS w
	WHERE id % 997 = 0 AND c IS DISTINCT FROM (SELECT pearson(x, y) FROM pair WHERE id BETWEEN w.id - 999 AND w.id)'), '0', 'a moving correlation is the one of its frame, to the bit');
like(query($path, memory('64kB'), 'SELECT kendall(x, y) OVER () FROM pair LIMIT 1'), qr/a window frame has more than \d+ pairs/, 'a frame that does not fit into memory is refused');

# Interrupts, at any moment
for my $call ('pearson(x, y)', 'spearman(x, y)', 'kendall(tied_x, y)')
{
	my $run = "SELECT $call FROM pair CROSS JOIN generate_series(1, 3)";
	for my $memory ('64kB', '256MB')
	{
		my $start = time;
		query($path, $serial, memory($memory), $run);
		my $whole = time - $start;
		my $worst = 0;
		for my $share (0.4, 0.9)
		{
			$start = time;
			query($path, $serial, memory($memory), sprintf('SET statement_timeout = %d', 1 + 1000 * $share * $whole), $run);
			my $late = time - $start - $share * $whole;
			$worst = $late if $late > $worst;
		}
		cmp_ok($worst, '<', 1, sprintf('%s with %s, cancelled in a run of %.1f s: at most %.2f s late', $call, $memory, $whole, $worst));
	}
}
no_files_left('after timeouts');

# Memory: what the backend ever had, after few rows and after many
SKIP:
{
	my $status = "(substring(pg_read_file('/proc/self/status', 0, 10000, true) FROM 'VmHWM:\\s+(\\d+)'))::int";
	skip('no /proc', 4) unless last_line("SELECT $status") =~ /^\d+$/;
	# kB; a budget is 4 MB at least
	for my $case ([ 'pearson(x, y)', '64kB', 1_000 ], [ 'spearman(x, y)', '64kB', 4_096 * 1.1 ], [ 'kendall(x, y)', '64kB', 4_096 * 1.1 ], [ 'kendall(x, y)', '16MB', 16_384 * 1.1 ])
	{
		my ($call, $memory, $limit) = @$case;
		my $run = sub { return "SELECT ($call).r < 2 FROM (SELECT (i * 7919999 % 10000019)::float8 AS x, (i * 104729 % 100003)::float8 AS y FROM (SELECT generate_series(1, $_[0]::bigint) AS i) s OFFSET 0) AS t" };
		# a run that spills once has read the code of it
		my $output = query($path, $serial, memory('64kB'), 'SET jit = off', $run->(100), $run->(2000), memory($memory), "SELECT $status", $run->(2_000_000), "SELECT $status");
		my ($before, $after) = $output =~ /^t\nt\n(\d+)\nt\n(\d+)$/;
		ok(defined $after && $after - $before < $limit + 3_000,
			"memory of $call with work_mem $memory" . (defined $after ? sprintf(' (%.1f MB more)', ($after - $before) / 1024) : ''))
		  or diag($output);
	}
}

query('DROP SCHEMA correlation_test CASCADE');
done_testing();
