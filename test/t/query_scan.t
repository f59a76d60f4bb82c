#!/usr/bin/env perl
# funnel_query_scan(), which reads the branches of a query below the executor and with workers of its own, against the
# aggregate over the same query: one answer to the bit, the same errors and rights, nothing left behind.
#
# PGHOST and the like lead to a server whose superuser we are and to a database that has the extension.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Psql;
use Test::More;
use Time::HiRes qw(time sleep);

my $schema = 'query_scan_test';
my ($owner, $reader, $stranger) = map { "query_scan_$_" } qw(owner reader stranger);
my $path = "SET search_path = $schema, activity_metrics, public; SET jit = off;";

sub clean_up
{
	sql("DROP SCHEMA IF EXISTS $schema CASCADE; DROP SERVER IF EXISTS query_scan_test CASCADE; DROP EXTENSION IF EXISTS file_fdw");
	for my $role ($owner, $reader, $stranger)
	{
		sql("DROP OWNED BY $role; DROP ROLE $role") if sql("SELECT count(*) FROM pg_roles WHERE rolname = '$role'");
	}
	return;
}
plan skip_all => 'needs a superuser' if sql('SELECT rolsuper FROM pg_roles WHERE rolname = current_user') ne 't';
plan skip_all => 'the database has file_fdw for other ends' if sql("SELECT count(*) FROM pg_extension WHERE extname = 'file_fdw'");
clean_up();
sql("CREATE SCHEMA $schema");

sub literal { my ($value) = @_; return defined $value ? "'" . $value =~ s/'/''/gr . "'" : 'NULL' }

sub settings
{
	my ($workers, $memory) = @_;
	return "SET max_parallel_workers_per_gather = $workers; SET max_parallel_workers = 8; SET min_parallel_table_scan_size = 0; SET work_mem = '$memory'; SET hash_mem_multiplier = 1;";
}

#
# Both answers, or errors, as text; and where they differ for some number of workers and some memory
#
sql("$path CREATE TABLE shape (status text)");
my $done = sql("SELECT activity_metrics.done_condition('$schema.shape', 'status')");
sql("$path
	CREATE FUNCTION by_aggregate(query text, spec text, since timestamptz, until timestamptz, as_of timestamptz, has_status boolean) RETURNS text LANGUAGE plpgsql AS \$f\$
	DECLARE
		answer text;
	BEGIN
		EXECUTE format('SELECT coalesce((SELECT funnel_between(entity, at, kind::text, \$2, \$4, \$1, \$3) FROM (%s) AS q (entity, at, kind%s) WHERE %s AND %s),
				(SELECT funnel_between(NULL::bigint, NULL, NULL, \$2, NULL, NULL, NULL)))::text',
			query, CASE WHEN has_status THEN ', status' ELSE '' END, CASE WHEN has_status THEN @{[literal($done)]} ELSE 'true' END,
			CASE WHEN since IS NOT NULL AND spec !~ 'count skipped' THEN '(at IS NULL OR at >= \$1)' ELSE 'true' END) INTO answer USING since, spec, until, as_of;
		RETURN answer;
	EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE || ': ' || SQLERRM;
	END \$f\$;
	CREATE FUNCTION by_scan(query text, spec text, since timestamptz, until timestamptz, as_of timestamptz) RETURNS text LANGUAGE plpgsql AS \$f\$
	BEGIN
		RETURN (SELECT array_agg(s ORDER BY step_no)::text FROM funnel_query_scan(query, spec, since, until, as_of) AS s);
	EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE || ': ' || SQLERRM;
	END \$f\$;
	CREATE FUNCTION agrees(label text, query text, spec text, since timestamptz, until timestamptz, as_of timestamptz, has_status boolean, workers int[], memory text[]) RETURNS text LANGUAGE plpgsql AS \$f\$
	DECLARE
		wanted text;
		got text;
		n int;
		m text;
	BEGIN
		PERFORM set_config('max_parallel_workers_per_gather', '0', true), set_config('work_mem', '64MB', true);
		wanted := by_aggregate(query, spec, since, until, as_of, has_status);
		FOREACH n IN ARRAY workers LOOP
			FOREACH m IN ARRAY memory LOOP
				PERFORM set_config('max_parallel_workers_per_gather', n::text, true), set_config('work_mem', m, true);
				got := by_scan(query, spec, since, until, as_of);
				IF got IS DISTINCT FROM wanted THEN
					RETURN format(E'%s: %s workers, %s\n  query  %s\n  spec   %s [%s, %s) as of %s\n  wanted %s\n  got    %s', label, n, m, query, spec, since, until, as_of, wanted, got);
				END IF;
			END LOOP;
		END LOOP;
		RETURN 'same ' || CASE WHEN wanted ~ '^\\{' THEN coalesce(substring(wanted FROM '^\\{\"\\(1,[^,]*,(\\d+),'), '?') ELSE wanted END;
	END \$f\$;
	CREATE FUNCTION plan_of(query text) RETURNS text LANGUAGE plpgsql AS \$f\$
	DECLARE
		line text;
		plan text := '';
	BEGIN
		FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || replace(query, '\$1', 'NULL::timestamptz') LOOP
			plan := plan || line || E'\n';
		END LOOP;
		RETURN plan;
	END \$f\$;
	-- how often a table is scanned for a funnel without workers
	CREATE FUNCTION scans_of(scanned regclass, query text, spec text, since timestamptz = NULL, until timestamptz = NULL, as_of timestamptz = NULL) RETURNS bigint LANGUAGE plpgsql AS \$f\$
	DECLARE
		before bigint := pg_stat_get_xact_numscans(scanned);
	BEGIN
		PERFORM set_config('max_parallel_workers_per_gather', '0', true);
		PERFORM by_scan(query, spec, since, until, as_of);
		RETURN pg_stat_get_xact_numscans(scanned) - before;
	END \$f\$;");

my @cases;

# Queued until run_cases(); query with \$1 as it stands, spec, since, until, as_of, has_status, before: what goes before it in its transaction
sub same
{
	my ($label, $query, %ask) = @_;
	push @cases, { label => $label, query => $query, %ask };
	return;
}

sub call_of
{
	my ($case) = @_;
	return sprintf "SELECT agrees(%s, %s, %s, %s, %s, %s, %s, '{%s}', '{%s}')", literal($case->{label}), literal($case->{query}), literal($case->{spec} // 'a -> (b | c) -> d within 20 days'),
	  (map { literal($case->{$_}) } qw(since until as_of)), $case->{has_status} ? 'true' : 'false', join(',', @{ $case->{workers} // [ 0, 1, 2, 4 ] }), join(',', @{ $case->{memory} // [qw(64kB 64MB)] });
}

# Runs what is queued in one session; answers (or errors) of every case
sub run_cases
{
	my ($title) = @_;
	my @answers = split /^\n?==\n/m,
	  sql($path . settings(0, '64MB') . join '', map { "\\echo ==\nBEGIN; " . ($_->{before} // '') . ' ' . call_of($_) . ";\nROLLBACK;\n" } @cases);
	shift @answers;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(scalar @answers, scalar @cases, "$title: " . @cases . ' answers');
	my $found = 0;
	for my $i (0 .. $#cases)
	{
		my ($answer, $case) = ($answers[$i], $cases[$i]);
		chomp $answer;
		like($answer, $case->{wanted} // qr/^same \d+$/, "$title: $case->{label}");
		$found++ if $answer =~ /^same [1-9]/;
	}
	my @queries = map { $_->{query} } @cases;
	@cases = ();
	return wantarray ? ($found, @queries) : $found;
}

sub plans_of
{
	my @queries = @_;
	return split /^\n?==\n/m, sql($path . settings(0, '64MB') . join '', map { "\\echo ==\nSELECT plan_of(" . literal($_) . ");\n" } @queries);
}

sub plan_has
{
	my ($query, $node, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return like(sql($path . settings(0, '64MB') . 'SELECT plan_of(' . literal($query) . ')'), $node, $name);
}

sub scans { my ($table, $query, @ask) = @_; return sql($path . sprintf 'SELECT scans_of(%s)', join ', ', map { literal($_) } $table, $query, @ask) }

#
# Tables of events, each with its columns in another order, with some that are gone and some that came later
#
my $seed = $ENV{QUERY_SCAN_SEED} // 20240601;
srand $seed;
note("QUERY_SCAN_SEED=$seed");
sub any_of { return $_[ int rand @_ ] }

my %columns = (
	id => 'i', e_int => 'hashint8(i) & 255', e_small => '(hashint8(i) & 255)::smallint', e_big => '(hashint8(i) & 255)::bigint', e_text => "'deal ' || (hashint8(i) & 255)",
	e_varchar => "('deal ' || (hashint8(i) & 255))::varchar(20)", e_uuid => "lpad(to_hex(hashint8(i) & 255), 32, '0')::uuid",
	at => "CASE WHEN i % 37 > 0 THEN timestamptz '2024-01-01' + (hashint8(i * 3 + 1) & 4194303) * interval '1 second' END",
	kind => "CASE WHEN i % 41 > 0 THEN (ARRAY['a', 'b', 'c', 'd', 'Bb', 'other', 'a'])[1 + (hashint8(i * 5 + 2) & 65535) % 7] END",
	status => "(ARRAY['done', NULL, 'Planned', ' no-show ', 'CANCELLED', 'x', 'y', ''])[1 + (hashint8(i * 7 + 3) & 65535) % 8]",
	n => 'CASE WHEN i % 7 > 0 THEN (hashint8(i * 11) & 65535) % 10 END', s => "CASE WHEN i % 9 > 0 THEN chr(97 + (hashint8(i * 13) & 65535) % 6) END",
	flag => 'CASE i % 5 WHEN 0 THEN true WHEN 1 THEN NULL ELSE false END', wide => "CASE WHEN i % 3 = 0 THEN repeat('w', i % 200) END");
my %rows = (r0 => 5000, r1 => 3000, r2 => 700, r3 => 40);
for my $table (sort keys %rows)
{
	my @names = sort { $a->[0] <=> $b->[0] } map { [ rand, $_ ] } sort keys %columns;
	my $half = int $rows{$table} / 2;
	my $select = join ', ', 'i AS gone_first', map { ("$columns{$_->[1]} AS $_->[1]", rand() < 0.2 ? "'gone' AS gone_$_->[1]" : ()) } @names;
	sql("$path CREATE TABLE $table AS SELECT $select FROM generate_series(1, $half) i;
		DO \$\$ DECLARE name text; BEGIN FOR name IN SELECT attname FROM pg_attribute WHERE attrelid = '$table'::regclass AND attname ~ '^gone' LOOP EXECUTE 'ALTER TABLE $table DROP COLUMN ' || name; END LOOP; END \$\$;
		ALTER TABLE $table ADD COLUMN later int DEFAULT 5, ADD COLUMN later_kind text DEFAULT 'a', ADD COLUMN later_at timestamptz DEFAULT '2024-02-03', ADD COLUMN later_entity text DEFAULT 'deal 7';
		INSERT INTO $table (@{[join ', ', map { $_->[1] } @names]}, later, later_kind, later_at, later_entity)
		SELECT @{[join ', ', map { $columns{$_->[1]} } @names]}, i % 10, CASE WHEN i % 2 = 0 THEN 'c' END, '2024-01-05'::timestamptz + i * interval '1 minute', 'deal ' || i % 99 FROM generate_series($half + 1, $rows{$table}) i;
		ANALYZE $table");
}
sql("$path CREATE TABLE d_one AS SELECT i AS id, chr(97 + i % 4) AS label, i % 3 AS m FROM generate_series(0, 7) i;
	CREATE TABLE d_many AS SELECT i % 6 AS id, chr(97 + i % 4) AS label, i % 3 AS m FROM generate_series(0, 17) i; INSERT INTO d_many VALUES (NULL, 'a', 1);
	CREATE TABLE d_none AS SELECT * FROM d_one WHERE false;
	CREATE TABLE d_big AS SELECT i AS id, chr(97 + i % 4) AS label, i % 3 AS m FROM generate_series(0, 9000) i;
	CREATE TABLE d_half AS SELECT i AS id, chr(97 + i % 4) AS label FROM generate_series(0, 1999) i; ANALYZE d_half;
	ANALYZE d_one; ANALYZE d_many; ANALYZE d_none; ANALYZE d_big;
	CREATE TABLE parted (LIKE r0) PARTITION BY RANGE (at);
	CREATE TABLE part_1 PARTITION OF parted FOR VALUES FROM ('2024-01-01') TO ('2024-01-15');
	CREATE TABLE part_2 (LIKE r1 INCLUDING ALL); -- columns in another order
	ALTER TABLE parted ATTACH PARTITION part_2 FOR VALUES FROM ('2024-01-15') TO ('2024-02-10') ;
	CREATE TABLE part_other PARTITION OF parted DEFAULT PARTITION BY LIST (s);
	CREATE TABLE part_other_a PARTITION OF part_other FOR VALUES IN ('a', 'b'); CREATE TABLE part_other_other PARTITION OF part_other DEFAULT;
	INSERT INTO parted SELECT * FROM r0; ANALYZE parted;
	CREATE TABLE heir (note text) INHERITS (r2); INSERT INTO heir (id, e_int, e_big, e_text, e_varchar, e_uuid, at, kind, status, n, s, flag) SELECT id, e_int, e_big, e_text, e_varchar, e_uuid, at, kind, status, n, s, flag FROM r1 WHERE id < 900; ANALYZE heir;
	CREATE MATERIALIZED VIEW kept AS SELECT * FROM r0 WHERE n < 7; ANALYZE kept;
	CREATE VIEW looked_at AS SELECT * FROM r0 WHERE n >= 3 UNION ALL SELECT * FROM r0 WHERE n < 2;
	CREATE VIEW barred WITH (security_barrier) AS SELECT * FROM r0 WHERE s < 'd';
	CREATE FUNCTION some_events(int) RETURNS TABLE (e_int int, at timestamptz, kind text) LANGUAGE sql STABLE PARALLEL SAFE ROWS 5 AS 'SELECT e_int, at, kind FROM r1 WHERE id < \$1';
	CREATE FUNCTION word_unsafe(text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE AS 'BEGIN RETURN lower(\$1); END';
	CREATE FUNCTION word_restricted(text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL RESTRICTED AS 'BEGIN RETURN lower(\$1); END';
	CREATE FUNCTION word_safe(text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS 'BEGIN RETURN lower(\$1); END';
	CREATE FUNCTION word_volatile(text) RETURNS text LANGUAGE plpgsql VOLATILE PARALLEL SAFE AS 'BEGIN RETURN lower(\$1); END';
	CREATE DOMAIN key AS bigint; CREATE DOMAIN word AS text; CREATE DOMAIN checked AS text CHECK (VALUE <> 'never');
	CREATE TABLE of_domains AS SELECT e_big::key AS entity, at, kind::word AS kind FROM r0;
	CREATE TABLE out_of_line (entity text, at timestamptz, kind text, status text); ALTER TABLE out_of_line ALTER entity SET STORAGE EXTERNAL;
	INSERT INTO out_of_line SELECT repeat('long entity ', 400) || i % 50, timestamptz '2024-01-01' + i * interval '1 hour',
		CASE i % 4 WHEN 0 THEN repeat('compressible kind ', 300) WHEN 1 THEN 'b' WHEN 2 THEN 'd' ELSE 'c' END, CASE i % 5 WHEN 0 THEN repeat(' ', 4000) || 'planned' WHEN 1 THEN repeat('planned', 1000) END FROM generate_series(1, 2000) i;
	ANALYZE out_of_line; ANALYZE of_domains");

#
# Random unions
#
my @every = sort keys %rows;
my $next_name = 0;

sub condition
{
	my ($depth) = @_;
	my $k = int rand 11;
	return (any_of('', 'NOT ') . '(' . condition($depth - 1) . any_of(' AND ', ' OR ') . condition($depth - 1) . ')') if $depth > 0 && rand() < 0.6;
	return any_of("t.n = $k", "t.n < $k", "t.n >= $k", "t.n <> $k", 't.n IS NULL', 't.n IS NOT NULL', "t.s = 'b'", "t.s IN ('a', 'c')", "t.s NOT IN ('a', 'c')", "t.s LIKE 'b%'", 't.flag', 'NOT t.flag',
		't.flag IS NOT TRUE', 't.flag IS NULL', "t.at < '2024-01-20'", "t.at >= '2024-01-20'", '(t.at IS NULL OR t.at >= $1)', 't.at < $1', "t.kind = 'a'", "t.n BETWEEN 2 AND $k", 'false', 'NULL::boolean', "t.n + 0 = $k",
		"abs(t.n) < $k", "coalesce(t.n, 3) = 3", 't.n IN (SELECT id FROM d_many)', 't.n NOT IN (SELECT id FROM d_one WHERE m = 1)', 'EXISTS (SELECT FROM d_many d WHERE d.id = t.n AND d.m = t.later)',
		"t.n < (SELECT max(m) FROM d_one)", "t.n = ANY (ARRAY[1, $k])", "t.later = $k", "t.later_kind IS NULL", "t.wide > 'www'",
		(rand() < 0.3 ? ("t.ctid > '(2,1)'", "t.tableoid = 'r0'::regclass", 't IS NOT NULL', 't IS NOT DISTINCT FROM t') : ()));
}

sub branch
{
	my ($entity, $has_status, $table, $where) = @_;
	$table //= any_of(@every, 'r0', 'r0', 'r0', 'r1');
	$where //= any_of('true', condition(0), condition(1), condition(2), condition(3));
	my $d = any_of(qw(d_one d_one d_many d_none d_big));
	my $d2 = any_of(qw(d_one d_many));
	my $status = $has_status ? any_of(', t.status', ', t.status', ", NULL::text", ", 'planned'", ', t.kind') : '';
	my $at = any_of(('t.at') x 5, 't.later_at', "t.at + interval '1 day'", "timestamptz '2024-01-09'");
	my $kind = any_of(('t.kind') x 5, 't.later_kind', "CASE t.n WHEN 1 THEN 'a' WHEN 2 THEN 'd' ELSE t.kind END", 'lower(t.kind)', "'b'", "'none'", 't.kind::varchar(3)::text', "t.kind || ''", '(SELECT d.label FROM d_one d WHERE d.id = t.n)',
		'(SELECT max(d.label) FROM d_one d)', 'stage_kind(t.kind)');
	my $joined_kind = any_of('t.kind', 'd.label', "coalesce(d.label, t.kind)");
	# rows of a subquery have no place
	my $placeless = $where =~ s/t\.ctid > '\(2,1\)'/t.n > 1/gr =~ s/t\.tableoid = 'r0'::regclass/t.n > 2/gr;
	return any_of(
		("SELECT t.$entity, $at, $kind$status FROM $table t WHERE $where") x 8,
		("SELECT t.$entity, $at, $joined_kind$status FROM $table t @{[any_of('JOIN', 'LEFT JOIN')]} $d d ON d.id = t.n WHERE $where") x 3,
		"SELECT t.$entity, $at, d.label$status FROM $table t JOIN $d d ON d.id = t.n AND d.m = t.later JOIN $d2 d2 ON d2.id = t.later WHERE $where",
		"SELECT t.$entity, $at, $joined_kind$status FROM $table t LEFT JOIN $d d ON d.id = t.n AND t.flag LEFT JOIN $d2 d2 ON d2.id = d.m WHERE $where",
		"SELECT t.$entity, $at, $kind$status FROM $table t WHERE @{[any_of('', 'NOT ')]}EXISTS (SELECT FROM $d d WHERE d.id = t.n) AND ($where)",
		"SELECT t.$entity, t.at, t.kind$status FROM (SELECT *, lag(kind) OVER (PARTITION BY $entity ORDER BY at, id) AS before FROM $table) t WHERE t.before IS DISTINCT FROM t.kind AND ($placeless)",
		"SELECT DISTINCT t.$entity, $at, $kind$status FROM $table t WHERE $where",
		"SELECT t.$entity, max(t.at), t.kind$status FROM $table t WHERE $where GROUP BY t.$entity, t.kind, t.status, t.n, t.s",
		"(SELECT t.$entity, $at, $kind$status FROM $table t WHERE $where ORDER BY t.id LIMIT " . int(rand 500) . ')',
		"SELECT t.$entity, $at, $kind$status FROM (SELECT * FROM r3 WHERE n < 5 UNION ALL SELECT * FROM r3 WHERE n > 3) t WHERE $placeless",
		"(SELECT t.$entity, $at, $kind$status FROM $table t WHERE $where @{[any_of('UNION', 'EXCEPT', 'INTERSECT')]} SELECT t.$entity, $at, $kind$status FROM r1 t)",
		"SELECT t.$entity, t.at, (SELECT x FROM unnest(ARRAY[t.kind, t.s]) x ORDER BY x LIMIT 1)$status FROM $table t WHERE $where");
}

sub random_query
{
	my $entity = any_of(qw(e_int e_big e_text e_varchar e_uuid e_small));
	my $has_status = rand() < 0.3;
	my $n = 1 + int rand 7;
	my $shared = any_of(@every, undef, undef);
	my @branches = map { branch($entity, $has_status, $shared) } 1 .. $n;
	if (rand() < 0.3)
	{
		# exclusive, and one inside the other
		my $where = condition(1);
		push @branches, map { branch($entity, $has_status, 'r0', $_) } $where, "NOT ($where)", "($where) IS NOT TRUE", "$where AND " . condition(0);
	}
	my $union = join ' UNION ALL ', @branches;
	return ($has_status, any_of(($union) x 6, "SELECT * FROM ($union) u", "WITH c AS MATERIALIZED ($union) SELECT * FROM c UNION ALL SELECT * FROM c", "WITH c AS ($union) SELECT * FROM c", "SELECT * FROM ($union) u OFFSET 0"));
}
my $how_many = $ENV{QUERY_SCAN_QUERIES} // 90;
for my $i (1 .. $how_many)
{
	my ($has_status, $query) = random_query();
	my @times = map { any_of(undef, undef, $_) } '2024-01-09 12:00', '2024-02-01', '2024-02-08 00:00:01';
	same("random $i", $query, has_status => $has_status, since => $times[0], until => $times[1], as_of => $times[2],
		spec => any_of('a -> (b | c) -> d within 20 days', 'a -> b -> d', 'a -> !c -> b? -> d within 9 days, first entry, totals', 'a -> b -> c -> d within 5 days, count skipped', 'd -> b -> xyz', 'Bb -> a, any order'),
		workers => any_of([ 0, 1, 2, 4 ], [ 0, 2 ], [ 0, 4 ]));
}
{
	my ($found, @queries) = run_cases('random');
	cmp_ok($found, '>', $how_many * 0.6, "random: $found of $how_many have an answer other than nothing");
	my %seen;
	for my $plan (plans_of(@queries))
	{
		$seen{$_}++ for grep { $plan =~ /$_/ } 'Append', 'Hash (Left |Semi |Anti )?Join.*\n.*\n *->  Seq Scan on r', 'Hash Left Join', 'Hash Semi Join', 'Hash Anti Join', 'WindowAgg', 'Subquery Scan', 'HashAggregate', 'Limit', 'CTE', 'SubPlan', 'InitPlan', 'One-Time Filter: false';
	}
	cmp_ok($seen{$_} // 0, '>', 0, "random: plans with $_ ($seen{$_})") for 'Append', 'Hash (Left |Semi |Anti )?Join.*\n.*\n *->  Seq Scan on r', 'Hash Left Join', 'Hash Semi Join', 'Hash Anti Join', 'WindowAgg', 'Subquery Scan', 'HashAggregate', 'Limit',
	  'CTE', 'SubPlan', 'InitPlan', 'One-Time Filter: false';
}

#
# What a query can be made of
#
my $plain = 'SELECT e_big, at, kind FROM';
same('one table', "$plain r0");
same('a partitioned table', "$plain parted");
same('... since a time that parts are left out for', "$plain parted WHERE at >= \$1", since => $_) for '2024-01-10', '2024-01-20', '2024-02-11', '2030-01-01';
same('... at run time', "$plain parted WHERE at >= (SELECT timestamptz '2024-01-20')");
same('... by a stable expression', "$plain parted WHERE at >= timestamptz '2024-01-20' AND at < now()");
same('a partition', "$plain part_2");
same('inheritance', "SELECT e_big, at, kind FROM r2 UNION ALL SELECT e_big, at, kind FROM ONLY r2");
same('tableoid of the heirs', "SELECT e_big, at, CASE tableoid WHEN 'heir'::regclass THEN 'b' ELSE kind END FROM r2");
same('a materialised view', "$plain kept");
same('a view', "$plain looked_at");
same('a view with a barrier', "$plain barred WHERE word_safe(kind) <> 'x' UNION ALL $plain barred WHERE n = 3");
same('a temporary table', "$plain mine UNION ALL $plain r0", before => "CREATE TEMP TABLE mine AS SELECT * FROM r1;");
same('TABLESAMPLE', "$plain r0 TABLESAMPLE BERNOULLI (40) REPEATABLE (7) UNION ALL $plain r1 TABLESAMPLE SYSTEM (60) REPEATABLE (2)");
same("a function that is $_", "SELECT e_big, at, word_$_(kind) FROM r0 UNION ALL $plain r1") for qw(safe restricted unsafe volatile);
same('a set of rows from a function', "SELECT e_int, at, kind FROM some_events(700) UNION ALL SELECT e_int, at, kind FROM r0");
same('one written in plpgsql', "SELECT e_int, at, kind FROM generate_series(1, 20) g, LATERAL (SELECT * FROM some_events(g * 10)) f UNION ALL SELECT e_int, at, kind FROM r0");
same('functions of sets in the list', "SELECT e_big, at, unnest(ARRAY[kind, s, NULL]) FROM r0 UNION ALL $plain r1");
same('VALUES', "VALUES (1, timestamptz '2024-01-01', 'a'), (1, '2024-01-02', 'b'), (2, NULL, 'a'), (NULL, '2024-01-02', 'd') UNION ALL SELECT e_int, at, kind FROM r0");
same('a recursive CTE', "WITH RECURSIVE c AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM c WHERE i < 300) SELECT i % 50, timestamptz '2024-01-01' + i * interval '1 hour', CASE i % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'b' ELSE 'd' END FROM c UNION ALL SELECT e_int, at, kind FROM r0");
same('a CTE of several branches', "WITH c AS MATERIALIZED (SELECT * FROM r0 WHERE n < 4) SELECT e_int, at, kind FROM c WHERE s = 'a' UNION ALL SELECT e_int, at, later_kind FROM c WHERE s = 'b' UNION ALL SELECT e_int, at, kind FROM r1");
same('a CTE that cuts off', "WITH c AS MATERIALIZED (SELECT * FROM r0 LIMIT 999) SELECT e_int, at, kind FROM c UNION ALL SELECT e_int, at, later_kind FROM c UNION ALL SELECT e_int, at, kind FROM r1");
same('a join to what is cut off', "SELECT e_int, at, d.label FROM r0 JOIN (SELECT * FROM d_big LIMIT 3) d ON d.id = r0.n UNION ALL SELECT e_int, at, kind FROM r1");
same('a join to numbered rows', "SELECT e_int, at, d.label FROM r0 JOIN (SELECT *, row_number() OVER (ORDER BY m) AS no FROM d_one) d ON d.no = r0.n UNION ALL SELECT e_int, at, kind FROM r1");
same('a join of several batches', "SELECT e_big, at, d.label FROM r0 JOIN d_half d ON d.id = r0.id % 3000 UNION ALL $plain r0", memory => ['64kB']);
same('grouping sets', "SELECT e_int, max(at), kind FROM r0 GROUP BY GROUPING SETS ((e_int, kind), (e_int)) UNION ALL SELECT e_int, at, kind FROM r1");
same('a kind without letters', "SELECT e_big, at, '' FROM r0 UNION ALL SELECT e_big, at, 'B' FROM r1", spec => 'a -> b');
same('an expression in the scan below a join', "SELECT t.e_big, t.at, l.k FROM r0 t LEFT JOIN LATERAL (SELECT lower(t.kind) AS k) l ON true LEFT JOIN d_many d ON d.label = l.k UNION ALL $plain r0");
same('sorted, with a column for that', "SELECT e_int, at, kind FROM r0 ORDER BY n, s, id");
same('domains', 'SELECT * FROM of_domains');
same('casts to domains', "SELECT e_big::key, at, kind::word FROM r0 UNION ALL SELECT entity, at, kind FROM of_domains");
same('casts to checked domains', "SELECT e_big, at, kind::checked FROM r0 UNION ALL SELECT e_big, at, kind FROM r1");
same('entities that are cast', "SELECT e_int::bigint, at, kind FROM r0 UNION ALL SELECT e_big, at, kind FROM r1 UNION ALL SELECT e_small, at, kind FROM r2");
same('text and varchar in one column', "SELECT e_text, at, kind FROM r0 UNION ALL SELECT e_varchar, at, kind::varchar FROM r1");
same('long values', 'SELECT entity, at, kind, status FROM out_of_line', has_status => 1, spec => "'" . 'compressible kind ' x 300 . "' -> b -> d");
same('... that are joined', "SELECT o.entity, o.at, o.kind, d.label FROM out_of_line o LEFT JOIN d_one d ON d.label = o.kind WHERE length(o.entity) > 9 UNION ALL SELECT entity, at, upper(kind), status FROM out_of_line",
	has_status => 1, spec => "'" . 'COMPRESSIBLE KIND ' x 300 . "' -> b -> d");
same('columns of later', 'SELECT later_entity, later_at, later_kind FROM r0 UNION ALL SELECT later_entity, later_at, later_kind FROM r1 JOIN d_many d ON d.id = r1.later');
same('whole rows', "SELECT e_int, at, CASE WHEN t IS DISTINCT FROM (SELECT x FROM r0 x WHERE x.id = 3) THEN kind END FROM r0 t UNION ALL SELECT e_int, at, (t).kind FROM r0 t WHERE t.*::text ~ 'deal 1'");
same('whole rows that are joined', "SELECT e_int, at, (t).kind FROM (SELECT t, t.e_int, t.at, t.n FROM r0 t) t JOIN d_one d ON d.id = t.n");
same('system columns that are joined', "SELECT e_int, at, d.label FROM r0 t JOIN d_one d ON d.id = t.n WHERE t.ctid > '(4,0)' UNION ALL SELECT e_int, at, CASE WHEN t.ctid > '(4,0)' THEN kind END FROM r0 t JOIN d_one d ON d.id = t.n");
same('an expression of a subquery below a join', "SELECT x.e_int, x.at, x.k FROM d_none RIGHT JOIN (SELECT e_int, at, n, word_safe(kind) || repeat('', n) AS k FROM r0 OFFSET 0) x ON x.n = d_none.id");
same('no rows', "$plain r0 WHERE false");
same('branches without rows', "$plain r0 WHERE false UNION ALL $plain r0 WHERE n > 99 UNION ALL $plain r0 WHERE NULL");
same('nothing wanted', "SELECT NULL::bigint, NULL::timestamptz, NULL::text FROM r0 UNION ALL SELECT 1, timestamptz '2024-01-01', 'a' FROM r1");
same('an index', "SELECT e_int, at, kind FROM r0 WHERE id = 17 UNION ALL SELECT e_int, at, kind FROM r1", before => 'CREATE INDEX ON r0 (id);');
same('an infinite as_of without rows', "$plain r0 WHERE n > 99 UNION ALL $plain r1 WHERE n > 99", as_of => 'infinity');
same('an infinite as_of', "$plain r0 WHERE n < 99 UNION ALL $plain r1 WHERE n > 99", as_of => 'infinity', wanted => qr/^same 22008: as_of is infinite/);
same('rows of the own transaction', "$plain r0 UNION ALL $plain r1 JOIN d_one d ON d.id = r1.n", before => "INSERT INTO r0 SELECT * FROM r0 WHERE id < 1000; UPDATE r0 SET kind = 'c' WHERE kind = 'a' AND n < 5;
	SAVEPOINT s; DELETE FROM r0; ROLLBACK TO s; SAVEPOINT t; DELETE FROM r0 WHERE n > 7; UPDATE d_one SET id = id + 1; RELEASE t;");
same("isolation level $_", "$plain r0 UNION ALL $plain parted", before => "SET TRANSACTION ISOLATION LEVEL $_;") for 'SERIALIZABLE', 'REPEATABLE READ';
same('... and read only', "$plain r0 UNION ALL $plain parted", before => 'SET TRANSACTION READ ONLY;');
same($_, "$plain r0 WHERE n < 4 UNION ALL $plain r0 JOIN d_one d ON d.id = r0.n UNION ALL $plain parted", before => "SET LOCAL $_;")
  for 'parallel_leader_participation = off', 'max_parallel_workers = 0', 'enable_seqscan = off', 'enable_hashjoin = off', 'activity_metrics.state_to_file = on', 'constraint_exclusion = on', 'enable_partition_pruning = off', 'jit_above_cost = 0',
  (sql("SELECT current_setting('server_version_num')::int >= 160000") eq 't' ? 'debug_parallel_query = on' : 'force_parallel_mode = on');
same('errors in an expression', "SELECT e_big, at, (1 / (n - 100 - 100 * (id % 500 - 499)))::text FROM r0 UNION ALL $plain parted", wanted => qr/^same 22012: division by zero/, before => 'UPDATE r0 SET n = 100 WHERE id = 499;');
same('... in a condition', "$plain r0 WHERE 1 / (id - 4999) < 5 UNION ALL $plain parted", wanted => qr/^same 22012: division by zero/);
same('... of a join', "$plain r0 JOIN d_one d ON d.id = r0.n AND 1 / (r0.id % 50 * (d.id + 1)) < 5 UNION ALL $plain parted", wanted => qr/^same 22012: division by zero/);
same('... in a plan', "SELECT e_big, max(at), (1 / (max(id) - 4999))::text FROM r0 GROUP BY e_big UNION ALL $plain parted", wanted => qr/^same 22012: division by zero/);
same('infinite times', "SELECT e_big, CASE id WHEN 1701 THEN 'infinity' ELSE at END, kind FROM r0 UNION ALL $plain r1", wanted => qr/^same 22008: event time is infinite/);
same('a table that is not there', "$plain r0 UNION ALL $plain r99", wanted => qr/^same 42P01: relation "r99" does not exist/);
same('a materialised view that is not filled', "$plain r0 UNION ALL $plain kept", before => 'REFRESH MATERIALIZED VIEW kept WITH NO DATA;', wanted => qr/^same 55000: materialized view "kept" has not been populated/);
same('a function that calls a funnel', "SELECT e_big, at, CASE WHEN deep(n) > 0 THEN kind END FROM r3 UNION ALL $plain r1", before => "CREATE FUNCTION deep(int) RETURNS bigint LANGUAGE plpgsql STABLE AS
	\$\$ BEGIN RETURN (SELECT sum(reached) FROM funnel_query_scan('$plain r1 UNION ALL $plain r2', 'a -> b')) + (SELECT sum(reached) FROM funnel_report('r2', 'a -> b', entity => 'e_int')); END \$\$;");
same('... and is said to be safe', "SELECT e_big, at, CASE WHEN deep(n) > 0 THEN kind END FROM r3 UNION ALL $plain r1", before => "CREATE FUNCTION deep(int) RETURNS bigint LANGUAGE plpgsql STABLE PARALLEL SAFE AS
	\$\$ BEGIN RETURN (SELECT sum(reached) FROM funnel_query_scan('$plain r1 UNION ALL $plain r2', 'a -> b')); END \$\$;", workers => [ 0, 2 ]);
SKIP:
{
	skip 'no file_fdw', 0 if !sql("SELECT count(*) FROM pg_available_extensions WHERE name = 'file_fdw'");
	sql("$path CREATE EXTENSION file_fdw SCHEMA public; CREATE SERVER query_scan_test FOREIGN DATA WRAPPER file_fdw; CREATE FOREIGN TABLE elsewhere (i int) SERVER query_scan_test OPTIONS (program 'seq 1 100')");
	same('a foreign table', "SELECT i % 20, timestamptz '2024-01-01' + i * interval '1 hour', CASE i % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'b' ELSE 'd' END FROM elsewhere UNION ALL SELECT e_int, at, kind FROM r0");
}
run_cases('queries');

#
# The ways are really taken
#
my %ways = (
	'a join that is fed' => [ "$plain r0 JOIN d_one d ON d.id = r0.n", qr/Hash Join\n.*\n *->  Seq Scan on r0/ ],
	'a left join' => [ "SELECT e_big, at, d.label FROM r0 LEFT JOIN d_many d ON d.id = r0.n", qr/Hash Left Join\n.*\n *->  Seq Scan on r0/ ],
	'an anti join' => [ "$plain r0 WHERE NOT EXISTS (SELECT FROM d_one d WHERE d.id = r0.n)", qr/Hash Anti Join\n.*\n *->  Seq Scan on r0/ ],
	'a semi join' => [ "$plain r0 WHERE EXISTS (SELECT FROM d_many d WHERE d.id = r0.n AND d.m < r0.later)", qr/Hash Semi Join\n.*\n.*\n *->  Seq Scan on r0/ ],
	'two joins' => [ "SELECT e_big, at, d.label FROM r0 LEFT JOIN d_many d ON d.id = r0.n JOIN d_one f ON f.id = r0.later", qr/Hash (Left )?Join\n.*\n *->  Hash (Left )?Join\n.*\n *->  Seq Scan on r0/ ]);
for my $way (sort keys %ways)
{
	my ($query, $node) = @{ $ways{$way} };
	plan_has($query, $node, "$way has that plan");
	is(scans('r0', "$query UNION ALL $plain r0 WHERE n = 3 UNION ALL $plain r0 WHERE s = 'a'", 'a -> b'), '1', "... and one pass over the table, with two other branches");
}
{
	my $join = "SELECT e_big, at, d.label FROM r0 JOIN d_half d ON d.id = r0.id % 3000";
	is(scans('r0', "$join UNION ALL $plain r0", 'a -> b'), '1', 'a join to thousands of rows is fed as well');
	like(sql($path . settings(0, '64kB') . "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) $join"), qr/Batches: (?!1 )\d+/, '... in several batches');
}
is(scans('r0', "$plain r0 WHERE n = 3 UNION ALL $plain r0 WHERE ctid::text > '(3,1)'", 'a -> b'), '2', 'a branch that asks for the place of rows is one of its own');
is(scans('r0', "SELECT e_big, at, d.label FROM r0 JOIN (SELECT * FROM d_one LIMIT 3) d ON d.id = r0.n UNION ALL $plain r0", 'a -> b'), '2', 'so is a join to what is cut off: every process would cut');
is(scans('r0', "SELECT e_big, at, d.label FROM r0 JOIN d_big d ON d.id = r0.n UNION ALL $plain r0", 'a -> b'), '2', 'so is a join to something large');

sub launched
{
	my ($before, $query) = @_;
	my $said = error_of("$path SET client_min_messages = debug1; $before; SELECT count(*) FROM funnel_query_scan(" . literal($query) . ", 'a -> b -> d')");
	return $said =~ /funnel of a query: (\d+) workers and the leader/ ? $1 : $said =~ /ERROR/ ? $said : 'none';
}
is(launched(settings($_, '64MB'), "$plain r0 UNION ALL $plain r1"), $_ || 'none', "$_ workers have worked") for 0, 1, 2, 4;
is(launched(settings(2, '64MB') . 'SET max_parallel_workers = 0', "$plain r0"), '0', 'the leader alone where there are none to be had');
is(launched(settings(2, '64MB'), $_->[1]), $_->[2] // 'none', "$_->[0]: " . ($_->[2] // 'no') . ' workers')
  for [ 'a partitioned table', "$plain parted", 2 ], [ 'a CTE', "WITH c AS MATERIALIZED (SELECT * FROM r0) $plain c UNION ALL $plain r1", 2 ],
  [ 'a CTE that cuts off', "WITH c AS MATERIALIZED (SELECT * FROM r0 LIMIT 9) $plain c UNION ALL $plain r1" ], [ 'a branch that cuts off', "($plain r0 LIMIT 9) UNION ALL $plain r1", 2 ],
  [ 'a value that is cut off', "$plain r0 WHERE n < (SELECT id FROM d_one LIMIT 1)" ], [ 'a list that is cut off', "$plain r0 WHERE n NOT IN (SELECT id FROM d_one LIMIT 3)" ], [ '... for each row', "SELECT e_big, at, (SELECT label FROM d_one d WHERE d.id = r0.n LIMIT 1) FROM r0", 2 ],
  [ 'a numbered CTE that is one branch', "WITH c AS (SELECT *, row_number() OVER () FROM r0) $plain c UNION ALL $plain r1", 2 ],
  [ 'an unsafe function', "SELECT e_big, at, word_unsafe(kind) FROM r0" ], [ 'a restricted one', "SELECT e_big, at, word_restricted(kind) FROM r0" ], [ 'a volatile one', "SELECT e_big, at, word_volatile(kind) FROM r0" ],
  [ 'one in a subquery', "$plain r0 WHERE n IN (SELECT id FROM d_one WHERE word_unsafe(label) = 'a')" ], [ 'a checked domain', 'SELECT e_big, at, kind::checked FROM r0' ],
  [ 'a sample', "$plain r0 TABLESAMPLE BERNOULLI (40) REPEATABLE (7)" ], [ 'a plan and nothing else', "SELECT DISTINCT e_big, at, kind FROM r0" ];
is(launched(settings(2, '64MB') . 'CREATE TEMP TABLE mine AS SELECT * FROM r0', "$plain r1 UNION ALL $plain mine"), 'none', 'a temporary table: no workers');

sub scannable { my ($query) = @_; return sql("$path SELECT funnel_query_scannable(" . literal($query) . ')') }
is(scannable($_), 't', "a union or a scan: $_") for "$plain r0 UNION ALL $plain r1", "$plain r0", "$plain parted", "$plain looked_at", "$plain parted WHERE at IS NULL OR at >= \$1", "$plain parted WHERE at >= \$1";
is(scannable($_), 'f', "no union: $_") for "SELECT DISTINCT e_big, at, kind FROM r0", "$plain r0 LIMIT 3", "$plain r0 WHERE false";

#
# Branches of other kinds
#
sql("$path CREATE TABLE event AS SELECT e_int AS entity, timestamptz '2024-01-01' + (hashint8(id) & 1048575) * interval '1 second' AS at,
		(ARRAY['created', 'meeting', 'demo', 'won', 'call', 'lost'])[1 + (hashint8(id * 5 + 2) & 65535) % 6] AS kind FROM r0;
	CREATE TABLE history AS SELECT id, e_int AS entity, timestamptz '2024-01-01' + (hashint8(id * 3) & 1048575) * interval '1 second' AS at,
		CASE WHEN id % 17 > 0 THEN (ARRAY['New', 'Demoo', 'won', 'Wonn', 'meetings', 'New'])[1 + (hashint8(id * 7) & 65535) % 6] END AS label FROM r1;
	ANALYZE event; ANALYZE history");
my $late = 'SELECT entity, at, stage_kind(label) FROM (SELECT *, lag(label) OVER (PARTITION BY entity ORDER BY at, id) AS before FROM history) h WHERE before IS DISTINCT FROM label';
my $events = 'SELECT entity, at, kind FROM event';
my $both = "$events UNION ALL $late";
my $constant = "$events UNION ALL SELECT entity, max(at), 'renewal' FROM history GROUP BY entity, label";
my $steps = 'created -> meeting -> won within 9 days';
plan_has($late, qr/Subquery Scan on h\n +Filter:.*\n +->  WindowAgg\n(.*\n)* +->  Sort\n.*\n +->  Seq Scan on history/, 'a branch of other kinds has the plan meant');
my $end = "(SELECT max(at) FROM (SELECT at FROM event UNION ALL SELECT at FROM history) x) + interval";
my %ends = (
	'as it is' => '',
	'the end in the last row' => "INSERT INTO history VALUES (100000, 3, $end '3 days', 'Newer');",
	'the end in a row that the filter drops' => "INSERT INTO history VALUES (100000, 3, $end '3 days', 'New'), (100001, 3, $end '4 days', 'New'), (100002, 3, $end '9 days', 'New');",
	'the end in a row without a label' => "INSERT INTO history VALUES (100000, 3, $end '3 days', NULL);",
	'the end in a row without an entity' => "INSERT INTO history VALUES (100000, NULL, $end '3 days', 'Newer');",
	'the end in the other branch' => "INSERT INTO event VALUES (3, $end '3 days', 'call');",
	'a kind that is absent' => "DELETE FROM event WHERE kind = 'meeting';",
	'kinds that are absent' => "DELETE FROM event WHERE kind IN ('meeting', 'won');",
	'no event' => 'DELETE FROM event;',
	'no event but one' => "DELETE FROM event WHERE kind <> 'won' OR entity <> 3;",
	'no history' => 'DELETE FROM history;',
	'an infinite time' => "INSERT INTO history VALUES (100000, 3, 'infinity', 'Newer');",
	'one before all' => "INSERT INTO history VALUES (100000, 3, '-infinity', 'Older');",
	'one that nobody sees' => "INSERT INTO history VALUES (100000, 3, '-infinity', NULL);",
	'one out of range' => "INSERT INTO history VALUES (100000, 3, '4000-01-01 BC', 'Older');");
for my $what (sort keys %ends)
{
	my $wanted = $what =~ /infinite|before all|out of range/ ? qr/^same (\d+$|22008: event time)/ : undef;
	my %more = (before => $ends{$what}, spec => $steps, workers => [ 0, 2 ], ($wanted ? (wanted => $wanted) : ()));
	same("$what", $both, %more);
	same("$what, as of", $both, %more, as_of => $_) for '2024-01-10', '2024-02-01';
	same("$what, since and until", $both, %more, since => '2024-01-04', until => '2024-01-10');
	same("$what, until", $both, %more, until => '2024-01-10 02:00', spec => $_) for $steps, 'created -> meeting -> won, count skipped';
	same("$what, until and as of", $both, %more, until => $_, as_of => '2024-02-01') for '2024-01-10', '2024-01-13 03:16:17', '2024-01-14';
	same("$what, until, as of and late starts", $both, %more, until => '2024-01-14', as_of => '2024-02-01', spec => 'created -> meeting -> won, count skipped');
	same("$what, a kind not reserved", $both, %more, spec => 'created -> Wonn -> won');
	same("$what, a kind nobody has", $both, %more, spec => 'created -> demo -> email_out');
	same("$what, constant", $constant, %more) if $what ne 'one that nobody sees';
}
run_cases('late');
# a late branch has its times read in one scan, and is read in another if it is wanted
my $none = sql("$path SELECT scans_of('history', " . literal($both) . ", 'created -> meeting -> won', NULL, NULL, '2024-01-10')");
is($none, '1', 'a late branch that nothing is known to want is not read');
is(sql("$path BEGIN; $ends{'the end in the last row'} SELECT scans_of('history', " . literal($both) . ", '$steps'); ROLLBACK"), '2', '... is read for the end of the data');
is(sql("$path BEGIN; $ends{'the end in the other branch'} SELECT scans_of('history', " . literal($both) . ", '$steps'); ROLLBACK"), '1', '... not if that is elsewhere');
is(sql("$path BEGIN; $ends{'a kind that is absent'} SELECT scans_of('history', " . literal($both) . ", '$steps', NULL, NULL, '2024-01-10'); ROLLBACK"), '2', '... is read for a suggestion');
is(scans('history', $both, 'created -> Wonn'), '1', '... and is none if a kind can be its own');
like(sql("$path SELECT string_agg(note, ' ') FROM funnel_query_scan(" . literal($both) . ", 'created -> email_out')"), qr/no event of kind email_out, nearest kind present: \w+/, 'a suggestion is made');

#
# A worker may read the costs of a plan less exactly than the leader has them: both have to find the same branches
#
{
	my $joined = 'SELECT e_big, at, d.label FROM r0 JOIN d_half d ON d.id = r0.n';
	# the cost of a scan in pages and rows
	my $counts = sub { my ($table) = @_; return map { sql($path . "SET seq_page_cost = $_->[0]; SET cpu_tuple_cost = $_->[1]; EXPLAIN SELECT * FROM $table") =~ /cost=\S+?\.\.([\d.]+)/ } [ 1, 0 ], [ 0, 1 ] };
	my ($pages, $rows) = $counts->('r0');
	my ($inner_pages, $inner_rows) = $counts->('d_half');
	my $rate = ($pages - 4 * $inner_pages) / (4 * $inner_rows - $rows);
	cmp_ok($rate, '>', 0, 'there are costs by which the join is worth just so much');
	plan_has($joined, qr/Hash Join\n.*\n *->  Seq Scan on r0/, 'which is the join meant');
	for my $i (1 .. 12)
	{
		my $page_cost = 1 + $i * 0.01137;
		same("costs near the limit, $i", "$joined UNION ALL $joined AND r0.s = 'a' UNION ALL SELECT DISTINCT e_big, at, kind FROM r1 UNION ALL $plain r1", workers => [2], memory => ['64MB'],
			before => sprintf 'SET LOCAL seq_page_cost = %.12f; SET LOCAL cpu_tuple_cost = %.12f;', $page_cost, $page_cost * $rate * (1 + ($i % 3 - 1) * 1e-6));
	}
	run_cases('costs');
}

#
# Errors
#
sub said
{
	my ($query, %ask) = @_;
	my $err = error_of("$path $ask{before} SELECT * FROM funnel_query_scan(" . literal($query) . ', ' . literal($ask{spec} // 'a -> b') . ')');
	return $err =~ /ERROR:\s+(.*)/ ? $1 : $err;
}
like(said($_->[0], before => ''), $_->[1], "refused: $_->[0]")
  for [ '', qr/^42601: one SELECT is wanted/ ], [ "$plain r0; $plain r1", qr/^42601: one SELECT is wanted/ ], [ 'DELETE FROM r0', qr/^42601: one SELECT is wanted/ ], [ 'CREATE TABLE x ()', qr/^42601: one SELECT is wanted/ ],
  [ "$plain r0 FOR UPDATE", qr/^0A000: a query of events may only read/ ], [ "WITH w AS (DELETE FROM r0 RETURNING *) $plain w", qr/^0A000: a query of events may only read/ ], [ "SELECT e_big, at, kind INTO x FROM r0", qr/^42601: one SELECT is wanted/ ],
  [ "EXPLAIN $plain r0", qr/^42601: one SELECT is wanted/ ], [ 'SELEC', qr/^42601: syntax error at or near "SELEC"/ ], [ 'SELECT at, at, kind FROM r0', qr/^42804: not a query of events/ ], [ 'SELECT e_big, at FROM r0', qr/^42804: not a query of events/ ],
  [ 'SELECT e_big, at::timestamp, kind FROM r0', qr/^42804: not a query of events/ ], [ "SELECT e_big, at, kind, status, n FROM r0", qr/^42804: not a query of events/ ], [ 'SELECT FROM r0', qr/^42804: not a query of events/ ],
  [ 'SELECT e_big, at, kind, 1, 2, 3, 4, 5, 6 FROM r0', qr/^42804: not a query of events/ ], [ "$plain r0 WHERE at > \$2", qr/^42P02: there is no parameter \$2/ ], [ "$plain r0 WHERE nothing = 1", qr/^42703: column "nothing" does not exist/ ];
is(sql("$path SELECT count(*) FROM r0"), $rows{r0}, 'nothing is deleted');
like(said("$plain r0", before => '', spec => 'a ->'), qr/^22023: invalid funnel specification at position 5/, 'a faulty specification');
like(said("$plain r0", before => settings(2, '64kB'), spec => 'a ->'), qr/^22023: invalid funnel specification at position 5/, '... with workers');
like(error_of("$path SELECT * FROM funnel_query_scan(NULL, 'a')"), qr/22004: no query is given/, 'no query');
like(error_of("$path SELECT * FROM funnel_query_scan('$plain r0', NULL)"), qr/22004: funnel specification is null/, 'no specification');
like(error_of("$path SELECT * FROM funnel_query_scan('$plain r0 WHERE nothing = 1', 'a')"), qr/^QUERY:\s+$plain r0 WHERE nothing = 1$/m, 'a fault of the query is shown in the query');

#
# Rights
#
sql("$path CREATE ROLE $_; GRANT USAGE ON SCHEMA $schema, activity_metrics TO $_") for $owner, $reader, $stranger;
sql("$path CREATE TABLE guarded AS SELECT * FROM r0; ALTER TABLE guarded OWNER TO $owner; ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; CREATE POLICY some_rows ON guarded USING (n < 5); GRANT SELECT ON guarded, r0, d_one TO $reader;
	GRANT SELECT (e_big, at, kind) ON r1 TO $reader; GRANT SELECT ON r0, r1 TO $owner;
	CREATE VIEW of_owner AS SELECT * FROM guarded; ALTER VIEW of_owner OWNER TO $owner; CREATE VIEW of_invoker WITH (security_invoker) AS SELECT * FROM guarded; ALTER VIEW of_invoker OWNER TO $owner;
	CREATE VIEW of_stranger AS SELECT * FROM r0; ALTER VIEW of_stranger OWNER TO $stranger; GRANT SELECT ON of_owner, of_invoker, of_stranger TO $reader;");
for my $role ($owner, $reader, $stranger)
{
	for my $relation (qw(guarded r0 r1 of_owner of_invoker of_stranger))
	{
		my $query = "$plain $relation UNION ALL $plain $relation";
		my %more = (before => "GRANT USAGE ON SCHEMA $schema TO $role; SET LOCAL ROLE $role;", wanted => qr/^same (\d+$|42501: permission denied)/, workers => [ 0, 2 ], memory => ['64MB']);
		same("$role reads $relation", $query, %more);
		same("... joined", "$plain $relation t JOIN d_one d ON d.id = t.n", %more) if $role eq $reader;
		same("... a column that it may not", "SELECT e_big, at, status FROM $relation", %more);
		same('... without row-level security', $query, %more, before => "$more{before} SET LOCAL row_security = off;", wanted => qr/^same (\d+$|42501)/);
	}
}
run_cases('rights');
is(sql("$path SET ROLE $reader; " . by("$plain guarded")), sql("$path SET ROLE $reader; " . by("$plain guarded WHERE n < 5")), 'row-level security leaves rows out');
isnt(sql("$path SET ROLE $reader; " . by("$plain of_owner")), sql("$path SET ROLE $reader; " . by("$plain of_invoker")), '... not those of the view\'s owner');
sub by { my ($query, $spec) = @_; return 'SELECT array_agg(s ORDER BY step_no)::text FROM funnel_query_scan(' . literal($query) . ', ' . literal($spec // 'a -> b -> d') . ') AS s' }
{
	my ($want) = error_of("$path SET ROLE $stranger; $plain r0") =~ /ERROR:\s+(.*)/;
	is(said("$plain r0", before => "SET ROLE $stranger;"), $want, 'SQL\'s words for no rights');
	like($want, qr/^42501: permission denied for table r0/, 'which are these');
}
sql("$path CREATE FUNCTION for_all() RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = $schema, activity_metrics, pg_temp AS \$\$ BEGIN RETURN (${\by(qq($plain r2 UNION ALL $plain r0))}); END \$\$");
is(sql("$path SET ROLE $stranger; " . settings(2, '64kB') . 'SELECT for_all()'), sql("$path " . by("$plain r2 UNION ALL $plain r0")), 'a function of somebody who may');

#
# Where it is called from
#
my $union = "$plain r0 UNION ALL $plain r1 UNION ALL SELECT e_big, at, d.label FROM r0 JOIN d_one d ON d.id = r0.n UNION ALL SELECT DISTINCT e_big, at, kind FROM r1";
my $call = by($union);
my $answer = sql("$path $call");
{
	my $statement = "BEGIN; DECLARE c CURSOR FOR $call; INSERT INTO r0 SELECT * FROM r0; DELETE FROM r1 WHERE kind = 'a'; DELETE FROM d_one; FETCH c; CLOSE c; ROLLBACK";
	is(sql("$path " . settings($_, '64kB') . $statement), $answer, "a cursor sees what there was, $_ workers") for 0, 2;
}
is(sql("$path " . settings(2, '64kB') . "SET plan_cache_mode = $_; PREPARE p(text) AS SELECT array_agg(s ORDER BY step_no)::text FROM funnel_query_scan(\$1, 'a -> b -> d') AS s; EXECUTE p(" . literal($union) . '); EXECUTE p(' . literal($union) . ')'),
	"$answer\n$answer", "a prepared statement, $_") for qw(force_generic_plan force_custom_plan);
like(sql("$path " . settings(2, '64kB') . "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) $call"), qr/Function Scan on funnel_query_scan s \(actual rows=3/, 'EXPLAIN ANALYZE');
is(sql("$path " . settings(2, '64kB') . "CREATE TABLE stored AS SELECT f.* FROM generate_series(1, 2), funnel_query_scan(" . literal($union) . ", 'a -> b -> d') f; SELECT count(*), count(DISTINCT s) FROM stored s"), '6|3', 'into a table, twice');
is(sql("$path " . settings(2, '64kB') . "SELECT count(*) FROM funnel_query_scan(" . literal($union) . ", 'a -> b -> d') a JOIN funnel_query_scan(" . literal("$plain r0") . ", 'a -> b -> d') b USING (step_no)"), '3', 'two in a query');
is(sql("$path " . settings(2, '64kB') . 'SELECT count(*) FROM (SELECT funnel_query_scan(q, \'a -> b -> d\') FROM (VALUES (' . literal($union) . '), (' . literal("$plain r0") . ')) v (q)) x'), '6', 'in the list of a SELECT');
is(sql("$path " . settings(2, '64kB') . "DO \$\$ BEGIN PERFORM * FROM funnel_query_scan('SELECT e_big, at, (1 / (id - 2999))::text FROM r0 UNION ALL $plain parted', 'a -> b'); EXCEPTION WHEN division_by_zero THEN NULL; END \$\$; $call"), $answer,
	'an error that is caught, and the next one works');
is(sql("$path BEGIN; SAVEPOINT s; \\set ON_ERROR_STOP 0\n" . settings(2, '64kB') . "SELECT * FROM funnel_query_scan('SELECT e_big, at, (1 / (d.id - 5))::text FROM r0 JOIN d_one d ON d.id = r0.n', 'a -> b');
	ROLLBACK TO s; $call; COMMIT"), $answer, 'a join that fails, and the next one works');
is(sql("$path SELECT string_agg(r.reached::text, ' ' ORDER BY step_no) FROM funnel_report('looked_at', 'a -> b -> d', entity => 'e_big', only_done => false, since => '2024-01-09', until => '2024-02-01') r"),
	sql("$path SELECT string_agg(r.reached::text, ' ' ORDER BY step_no) FROM funnel_query_scan('$plain looked_at WHERE at IS NULL OR at >= \$1', 'a -> b -> d', '2024-01-09', '2024-02-01') r"), 'as funnel_report() calls it');

#
# Interrupts; nothing is left
#
my $slow = "$plain r0 WHERE n < 4 UNION ALL SELECT a.e_big, a.at, b.kind FROM r0 a JOIN r1 b ON b.e_big = a.e_big UNION ALL SELECT a.e_big, a.at, b.kind FROM r0 a JOIN r0 b ON b.n = a.n UNION ALL SELECT e_big, at, d.label FROM r0 JOIN d_many d ON d.id = r0.n";
my $timeouts = 0;
for my $workers (0, 2, 4)
{
	for my $milliseconds (4, 15, 40, 90, 150)
	{
		my $start = time;
		my $said = error_of("$path " . settings($workers, '64kB') . "SET statement_timeout = $milliseconds; " . by($slow));
		$timeouts++ if $said =~ /57014: canceling statement due to statement timeout/;
		fail("$workers workers, $milliseconds ms: $said") if $said ne '' && $said !~ /57014/;
		cmp_ok(time - $start, '<', 5, "no longer than it may: $workers workers, $milliseconds ms");
	}
}
cmp_ok($timeouts, '>', 5, "cancelled in mid-scan ($timeouts times)");
my $left = "(SELECT count(*) FROM pg_ls_tmpdir() WHERE name LIKE 'pgsql_tmp' || pg_backend_pid() || '.%')";
is(sql("$path " . settings(2, '64kB') . "SET statement_timeout = 60; \\set ON_ERROR_STOP 0\n" . by($slow) . ";\n" . by($slow) . ";\nSET statement_timeout = 0;\nSELECT $left"), '0', 'no temporary file is left');
is(sql("$path " . settings(2, '64kB') . "\\set ON_ERROR_STOP 0\nSELECT * FROM funnel_query_scan('SELECT e_big, at, (1 / (r0.id - 4900))::text FROM r0 LEFT JOIN d_one d ON d.id = r0.n UNION ALL $plain r1', 'a -> b');\nSELECT $left"), '0', '... after an error');
sleep 0.2;
is(sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'parallel worker' AND datname = current_database()"), '0', 'no worker is left');
{
	my $locks = 'SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()';
	my @counts = split /\n/, sql("$path BEGIN; " . settings(2, '64kB') . "$call; $locks; " . "$call; " x 20 . "$locks; COMMIT; $locks");
	is($counts[-2], $counts[1], 'no locks pile up');
}
SKIP:
{
	my $status = "(substring(pg_read_file('/proc/self/status', 0, 10000, true) FROM 'VmHWM:\\s+(\\d+)'))::int";
	skip 'no /proc', 5 if error_of("SELECT 1 / ($status > 0)::int") ne '';
	my $query = "$plain r3 WHERE n < 4 UNION ALL $plain r3 JOIN d_one d ON d.id = r3.n UNION ALL SELECT DISTINCT e_big, at, kind FROM r3 UNION ALL $late";
	my $used = 'SELECT sum(used_bytes) FROM pg_backend_memory_contexts';
	my $calls = sub { my ($n) = @_; return "SELECT count(*) FROM generate_series(1, $n) g, LATERAL funnel_query_scan(repeat(' ', g % 3) || " . literal($query =~ s/history/d_history/r) . ", 'created -> won', NULL, NULL, '2024-01-09')" };
	my @said = split /\n/, sql("$path CREATE TABLE d_history AS SELECT * FROM history LIMIT 20; " . settings(0, '64kB') . $calls->(200) . "; $used; SELECT $status; " . $calls->(1800) . "; $used; SELECT $status; DROP TABLE d_history");
	cmp_ok($said[4] - $said[1], '<', 100_000, sprintf('memory after 2,000 calls: %d bytes more than after 200', $said[4] - $said[1]));
	cmp_ok($said[5] - $said[2], '<', 4096, sprintf('memory within 1,800 calls: %d kB more', $said[5] - $said[2]));
	sql("$path CREATE TABLE strange AS SELECT i AS entity, timestamptz '2024-01-01' AS at, 'a kind of its own ' || i AS kind FROM generate_series(1, 150000) i");
	@said = split /\n/, sql("$path " . settings(0, '4MB') . "SELECT sum(length(kind)) FROM strange; SELECT $status; SELECT count(*) FROM (" . by('SELECT * FROM strange') . ") x; SELECT $status");
	cmp_ok($said[3] - $said[1], '<', 6 * 1024, sprintf('as many other kinds as events: %d kB more', $said[3] - $said[1]));
	my $long = "SELECT t.e_big, t.at, left(l.k, 2) FROM r0 t LEFT JOIN LATERAL (SELECT repeat(t.kind, 16000) AS k) l ON true LEFT JOIN d_one d ON d.label = l.k";
	like(sql("$path " . settings(0, '4MB') . "EXPLAIN (VERBOSE, COSTS OFF) $long"), qr/Hash (Left|Right) Join(.*\n)* *->  Seq Scan on \S*r0 t\n *Output:.*repeat/, 'a long value is made in the scan below a join');
	@said = split /\n/, sql("$path " . settings(0, '4MB') . 'SELECT count(*) FROM (' . by("$plain r0 WHERE n = 3") . ") x; SELECT $status; SELECT count(*) FROM (" . by("$long UNION ALL $plain r0") . ") x; SELECT $status");
	cmp_ok($said[3] - $said[1], '<', 20_000, sprintf('... of which one is kept: %d kB more', $said[3] - $said[1]));
}

clean_up();
done_testing();
