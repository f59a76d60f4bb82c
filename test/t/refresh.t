#!/usr/bin/env perl
# refresh() against metric_values(): after random inserts, late inserts, updates and deletes; beside writers; after it
# was killed, and after the server was.
#
# PGHOST and the like lead to a server on which we may create databases.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp;
use IPC::Run qw(start timeout);
use Psql;
use Test::More;
use Time::HiRes qw(time sleep);

my $rounds = $ENV{REFRESH_ROUNDS} // 200;

# Metrics of every type over two relations; what is stored and should not be, or is not and should, as rows
my $setup = <<'SQL';
CREATE SCHEMA refresh_test;
CREATE TABLE refresh_test.ev (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, entity integer, at timestamptz, kind text, actor text, value integer, status text,
	recorded_at timestamptz DEFAULT now());
CREATE TABLE refresh_test.deal (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, entity integer, closed timestamp, owner text, value integer, written date DEFAULT CURRENT_DATE);
SELECT activity_metrics.define_metric('calls', 'refresh_test.ev', 'call', tz => 'Europe/Berlin'),
	activity_metrics.define_metric('wins', 'refresh_test.ev', 'won', kind => 'outcome', tz => 'Europe/Berlin'),
	activity_metrics.define_metric('entities', 'refresh_test.ev', agg => 'count_distinct', value => 'entity', tz => 'Europe/Berlin'),
	activity_metrics.define_metric('revenue', 'refresh_test.ev', 'won', agg => 'sum', kind => 'outcome', tz => 'Europe/Berlin'),
	activity_metrics.define_metric('deals', 'refresh_test.deal', at => 'closed', actor => 'owner', kind => 'outcome', tz => 'Europe/Berlin');
UPDATE activity_metrics.metric SET recorded_column = 'written' WHERE metric = 'deals';
INSERT INTO activity_metrics.metric (metric, label, kind, type, agg, expr, source_relation, value_column, time_column, kind_column, actor_column, tz)
	VALUES ('size', 'size', 'outcome', 'simple', 'avg', NULL, 'refresh_test.ev', 'value', 'at', 'kind', 'actor', 'Europe/Berlin'),
	('spread', 'spread', 'outcome', 'simple', 'expr', 'max(value) - min(value)', 'refresh_test.ev', NULL, 'at', 'kind', 'actor', 'Europe/Berlin');
INSERT INTO activity_metrics.metric (metric, label, kind, type, numerator, denominator, base_metric, conversion_metric, window_days, expr, entity_column, additive, grain, tz)
	VALUES ('rate', 'rate', 'outcome', 'ratio', 'wins', 'calls', NULL, NULL, NULL, NULL, NULL, false, 'week', 'Europe/Berlin'),
	('both', 'both', 'outcome', 'ratio', 'deals', 'calls', NULL, NULL, NULL, NULL, NULL, false, 'week', 'Europe/Berlin'),
	('last_28_days', 'calls', 'surface', 'cumulative', NULL, NULL, 'calls', NULL, 28, NULL, NULL, false, 'week', 'Europe/Berlin'),
	('active', 'active', 'surface', 'cumulative', NULL, NULL, 'entities', NULL, 20.5, NULL, NULL, false, 'day', 'Europe/Berlin'),
	('stickiness', 'stickiness', 'surface', 'ratio', 'entities', 'last_28_days', NULL, NULL, NULL, NULL, NULL, false, 'week', 'Europe/Berlin'),
	('across', 'across', 'surface', 'ratio', 'deals', 'last_28_days', NULL, NULL, NULL, NULL, NULL, false, 'week', 'Europe/Berlin'),
	('conversion', 'conversion', 'outcome', 'conversion', NULL, NULL, 'calls', 'wins', 20, NULL, 'entity', false, 'week', 'Europe/Berlin'),
	('again', 'again', 'outcome', 'conversion', NULL, NULL, 'calls', 'calls', 3, NULL, 'entity', false, 'month', 'Europe/Berlin'),
	('effort', 'effort', 'surface', 'derived', NULL, NULL, NULL, NULL, NULL, 'calls + 3 * wins', NULL, true, 'week', 'Europe/Berlin'),
	('odd', 'odd', 'surface', 'derived', NULL, NULL, NULL, NULL, NULL, 'calls + 1', NULL, false, 'week', 'Europe/Berlin');
CREATE FUNCTION refresh_test.difference(name text) RETURNS TABLE (period_start date, unit text, stored double precision, live double precision, stored_n bigint, n bigint, stored_complete boolean, complete boolean)
LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY SELECT coalesce(s.period_start, l.period_start), coalesce(s.unit, l.unit), s.value, l.value, s.n, l.n, s.is_complete, l.is_complete
	FROM (SELECT * FROM activity_metrics.metric_value v WHERE v.metric = name) AS s
	FULL JOIN (SELECT * FROM activity_metrics.metric_values(name) UNION ALL SELECT * FROM activity_metrics.metric_values(name, by => 'unit')) AS l
		ON l.grain = s.grain AND l.period = s.period AND l.unit = s.unit
	WHERE (s.period_start, s.value, s.n, s.is_complete) IS DISTINCT FROM (l.period_start, l.value, l.n, l.is_complete);
END;
$$;
CREATE FUNCTION refresh_test.wrong(names text[] DEFAULT NULL) RETURNS text LANGUAGE sql SET jit = off AS $$
	SELECT coalesce(string_agg(metric || ': ' || w, E'\n' ORDER BY metric), '') FROM (
		SELECT m.metric, min(d::text) || format(' and %s more', count(*) - 1) AS w FROM activity_metrics.metric m, refresh_test.difference(m.metric) d
		WHERE names IS NULL OR m.metric = ANY (names) GROUP BY m.metric) AS s
$$;
SQL

scratch_database('am_refresh');
sql($setup);

#
# Random changes; after each round some of the metrics are refreshed. Deletes, and events that move in time, count once
# the refresh is full
#
my $random = <<"SQL";
DO \$\$
DECLARE
	-- the last days of a fixed year, so that dense days and empty months occur
	span CONSTANT interval := '250 days';
	origin CONSTANT timestamptz := '2024-01-01Z';
	-- those that have to be refreshed in full, those whose turn it is
	due text[] := '{}';
	chosen text[];
	turn text[];
	said text;
	choice integer;
BEGIN
	PERFORM setseed(0.25);
	CREATE TABLE refresh_test.failure (round integer, what text);
	FOR round IN 1 .. $rounds LOOP
		FOR step IN 1 .. 1 + floor(random() * 3)::integer LOOP
			choice := floor(random() * 9);
			IF choice <= 2 THEN
				-- time goes on
				INSERT INTO refresh_test.ev (entity, at, kind, actor, value, status)
					SELECT floor(random() * 12), origin + round * interval '1 day' + random() * interval '3 days', (ARRAY['call', 'won', 'mail'])[1 + floor(random() * 3)::integer],
						nullif('rep ' || floor(random() * 6), 'rep 5'), nullif(floor(random() * 9), 0), CASE WHEN random() < 0.1 THEN 'planned' END
					FROM generate_series(1, 1 + floor(random() * 8)::integer);
			ELSIF choice = 3 THEN
				INSERT INTO refresh_test.ev (entity, at, kind, actor, value)
					SELECT floor(random() * 12), origin + random() * span, (ARRAY['call', 'won', 'mail'])[1 + floor(random() * 3)::integer], 'late ' || floor(random() * 20), 1
					FROM generate_series(1, 1 + floor(random() * 3)::integer);
			ELSIF choice = 4 THEN
				INSERT INTO refresh_test.deal (entity, closed, owner, value) SELECT 1, timestamp '2024-01-01' + random() * span, 'rep ' || floor(random() * 8), 1 FROM generate_series(1, 2);
			ELSIF choice <= 6 THEN
				UPDATE refresh_test.ev SET kind = (ARRAY['call', 'won', 'mail'])[1 + floor(random() * 3)::integer], value = nullif(floor(random() * 9), 0),
					actor = CASE WHEN random() < 0.5 THEN actor ELSE 'rep ' || floor(random() * 9) END, status = CASE WHEN random() < 0.2 THEN 'cancelled' END,
					entity = floor(random() * 12), recorded_at = now()
					WHERE id IN (SELECT id FROM (SELECT id, random() AS r FROM (SELECT id FROM refresh_test.ev ORDER BY id OFFSET 0) AS a OFFSET 0) AS b ORDER BY r LIMIT 1 + floor(random() * 4)::integer);
			ELSIF choice = 7 AND random() < 0.3 THEN
				DELETE FROM refresh_test.ev WHERE id IN (SELECT id FROM (SELECT id, random() AS r FROM (SELECT id FROM refresh_test.ev ORDER BY id OFFSET 0) AS a OFFSET 0) AS b ORDER BY r LIMIT 2);
				due := ARRAY(SELECT metric FROM activity_metrics.metric);
			ELSIF choice = 8 AND random() < 0.3 THEN
				UPDATE refresh_test.ev SET at = origin + random() * span, recorded_at = now() WHERE id IN (SELECT id FROM (SELECT id, random() AS r FROM (SELECT id FROM refresh_test.ev ORDER BY id OFFSET 0) AS a OFFSET 0) AS b ORDER BY r LIMIT 2);
				due := ARRAY(SELECT metric FROM activity_metrics.metric);
			END IF;
			COMMIT;
		END LOOP;
		chosen := ARRAY(SELECT metric FROM activity_metrics.metric WHERE (hashtext(metric) + round) % 3 = 0 OR round = $rounds);
		turn := ARRAY(SELECT unnest(chosen) INTERSECT SELECT unnest(due));
		CALL activity_metrics.refresh(turn, full => true, margin_minutes => 0, verbose => false);
		turn := ARRAY(SELECT unnest(chosen) EXCEPT SELECT unnest(due));
		CALL activity_metrics.refresh(turn, margin_minutes => 0, verbose => false);
		due := ARRAY(SELECT unnest(due) EXCEPT SELECT unnest(chosen));
		said := refresh_test.wrong(chosen);
		IF said <> '' THEN
			INSERT INTO refresh_test.failure VALUES (round, said);
			EXIT;
		END IF;
		COMMIT;
	END LOOP;
END;
\$\$;
SELECT string_agg(format('round %s: %s', round, what), E'\\n') FROM refresh_test.failure;
SQL
is(sql($random), '', "$rounds rounds of random changes: what is stored is what metric_values() gives");
is_true(q{count(*) FILTER (WHERE mode = 'recorded') > 0.5 * count(*) FROM activity_metrics.refresh_log WHERE metric <> 'across'}, 'most of it by recorded_at');
is_true(q{count(*) > 1000 AND count(*) FILTER (WHERE value IS NULL) > 100 FROM activity_metrics.metric_value}, 'there is something to compare');
is(sql(q{SELECT string_agg(DISTINCT metric || ' ' || coalesce(error, 'is at work'), ', ') FROM activity_metrics.refresh_log WHERE error IS NOT NULL OR finished_at IS NULL OR done > total}), '', 'no error');
is(sql(q{SELECT string_agg(DISTINCT mode, ' ') FROM activity_metrics.refresh_log WHERE metric = 'across'}), 'full', 'a cumulative metric over several relations is full');

#
# The catch: a change that is not recorded is not seen, a full refresh sees it
#
sql(q{UPDATE refresh_test.ev SET value = value + 1; CALL activity_metrics.refresh(margin_minutes => 0, verbose => false)});
is_true(q{refresh_test.wrong() <> ''}, 'an update that leaves recorded_at alone is not seen');
sql(q{CALL activity_metrics.refresh(full => true, verbose => false)});
is(sql('SELECT refresh_test.wrong()'), '', 'until a full refresh');

#
# Without recorded_at: the last periods
#
sql(q{CREATE TABLE refresh_test.plain AS SELECT id, at, kind, actor, value FROM refresh_test.ev;
	INSERT INTO refresh_test.plain (at, kind, actor) SELECT now() - d * interval '1 day', 'call', 'rep 0' FROM generate_series(1, 60) d;
	SELECT activity_metrics.define_metric('plain', 'refresh_test.plain', 'call')});
sql(q{CALL activity_metrics.refresh('{plain}')});
sql(q{INSERT INTO refresh_test.plain (at, kind, actor) SELECT now() - d * interval '1 day', 'call', 'rep 1' FROM generate_series(0, 20) d; CALL activity_metrics.refresh('{plain}')});
is(sql(q{SELECT count(*) FROM refresh_test.difference('plain')}), '0', 'look-back: what is not too late');
sql(q{DELETE FROM refresh_test.plain WHERE at > now() - interval '6 days' AND actor = 'rep 0'; CALL activity_metrics.refresh('{plain}')});
is(sql(q{SELECT count(*) FROM refresh_test.difference('plain')}), '0', 'deletes too');
sql(q{INSERT INTO refresh_test.plain (at, kind, actor) SELECT now() - interval '100 days', 'call', 'rep 0'; CALL activity_metrics.refresh('{plain}')});
is_true(q{count(*) > 0 FROM refresh_test.difference('plain')}, 'what is later than look_back is not seen');
sql(q{CALL activity_metrics.refresh('{plain}', look_back => 20)});
is(sql(q{SELECT count(*) FROM refresh_test.difference('plain')}), '0', 'with a longer one it is');
is(sql(q{SELECT string_agg(mode, ' ' ORDER BY run_id) FROM activity_metrics.refresh_log WHERE metric = 'plain'}), 'full look-back look-back look-back look-back', 'refresh_log tells it');
sql(q{DELETE FROM refresh_test.plain WHERE actor = 'rep 1'; CALL activity_metrics.refresh('{plain}', look_back => 1)});
is(sql(q{SELECT count(*) FROM refresh_test.difference('plain')}), '0', 'a unit that lost its end: full');
is(sql(q{SELECT mode FROM activity_metrics.refresh_log WHERE metric = 'plain' ORDER BY run_id DESC LIMIT 1}), 'full', 'and refresh_log tells it');
sql(q{DELETE FROM activity_metrics.metric WHERE metric = 'plain'});
is(sql(q{SELECT count(*) FROM activity_metrics.refresh_log WHERE metric = 'plain'}), '0', 'a metric takes its log along');

#
# Time passes: periods become complete without an event
#
sql(q{UPDATE activity_metrics.metric_value SET is_complete = false WHERE metric = 'calls'; CALL activity_metrics.refresh('{calls}')});
is(sql('SELECT refresh_test.wrong()'), '', 'periods that are over are complete');

# A session whose statements run while we go on
sub session
{
	my ($statements) = @_;
	my %session = (out => '', err => '', file => File::Temp->new);
	$session{file}->print($statements);
	$session{file}->close;
	$session{run} = start [ qw(psql --no-psqlrc --quiet --no-align --tuples-only) ], '<', $session{file}->filename, '>', \$session{out}, '2>', \$session{err}, timeout(120);
	return \%session;
}
sub ended { my ($session) = @_; $session->{run}->finish; return $session->{err} }
sub wait_for
{
	my ($condition) = @_;
	for (1 .. 600)
	{
		return 1 if sql("SELECT $condition") eq 't';
		sleep 0.05;
	}
	return 0;
}

#
# Beside writers with transactions of all lengths
#
my $write = 'SET lock_timeout = 0; ' . join ' ', map {
	sprintf "BEGIN; %s INSERT INTO refresh_test.ev (entity, at, kind, actor, value) VALUES (%d, timestamptz '2024-01-01Z' + %d * interval '1 day', 'call', 'rep %d', 1); %s %s;",
	  $_ % 3 ? '' : "SELECT pg_sleep($_ * 0.01);", $_ % 12, ($_ * 37) % 250, $_ % 7, $_ % 4 ? "SELECT pg_sleep($_ * 0.01);" : '', $_ % 5 ? 'COMMIT' : 'ROLLBACK'
} 1 .. 25;
my @writers = map { session($write =~ s/'rep /'writer $_ /gr) } 1 .. 3;
my $refreshes = 0;
while ($refreshes < 200 && grep { $_->{run}->pumpable && eval { $_->{run}->pump_nb; 1 } } @writers)
{
	sql(q{CALL activity_metrics.refresh('{calls,effort,last_28_days}', margin_minutes => 0.002, verbose => false)});
	$refreshes++;
}
is(ended($_), '', 'a writer') for @writers;
sql(q{CALL activity_metrics.refresh(margin_minutes => 0.002, verbose => false)});
cmp_ok($refreshes, '>', 5, "$refreshes refreshes beside 3 writers");
is(sql('SELECT refresh_test.wrong()'), '', 'none of their rows is lost');
is(sql(q{SELECT count(*) FROM activity_metrics.refresh_log WHERE error IS NOT NULL}), '0', 'and no refresh failed');

#
# Killed while it works on the second of three
#
sub block_and_refresh
{
	# the lock is held by a session of its own, until it is told
	sql(q{INSERT INTO refresh_test.ev (entity, at, kind, actor) SELECT 1, timestamptz '2024-03-01Z' + i * interval '9 days', 'call', 'rep 0' FROM generate_series(1, 9) i;
		INSERT INTO refresh_test.deal (closed, owner) VALUES ('2024-05-05', 'rep 0')});
	my $locker = session(q{BEGIN; LOCK TABLE refresh_test.deal IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(60); COMMIT;});
	wait_for(q{EXISTS (SELECT FROM pg_locks WHERE relation = 'refresh_test.deal'::regclass AND mode = 'AccessExclusiveLock' AND granted)}) or BAIL_OUT('no lock');
	my $refresh = session(q{SET application_name = 'refresh_test'; CALL activity_metrics.refresh('{calls,deals,wins}', margin_minutes => 0.002);});
	ok(wait_for(q{EXISTS (SELECT FROM pg_locks WHERE relation = 'refresh_test.deal'::regclass AND NOT granted)}), 'the refresh waits for a table');
	return ($locker, $refresh);
}
sub terminate { my ($like) = @_; return sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND $like") }

my ($locker, $refresh) = block_and_refresh();
is(sql(q{SELECT string_agg(format('%s %s/%s %s', metric, done, total, CASE WHEN finished_at IS NULL THEN 'at work' ELSE 'done' END), ', ' ORDER BY metric)
	FROM activity_metrics.refresh_log WHERE run_id = (SELECT max(run_id) FROM activity_metrics.refresh_log)}), 'calls 1/3 done, deals 1/3 at work', 'refresh_log tells how far it is');
is(terminate(q{application_name = 'refresh_test'}), '1', 'it is terminated');
terminate(q{query LIKE '%pg_sleep(60)%'});
like(ended($refresh), qr/terminat|closed the connection/, 'and says so');
ended($locker);
is(sql(q{SELECT count(*) FROM refresh_test.difference('calls')}), '0', 'the first metric is done');
sql(q{CALL activity_metrics.refresh(margin_minutes => 0.002, verbose => false)});
is(sql('SELECT refresh_test.wrong()'), '', 'the next refresh does the rest');
is(sql(q{SELECT string_agg(metric || ' ' || error, ', ') FROM activity_metrics.refresh_log WHERE error IS NOT NULL}), 'deals interrupted', 'and closes the row');
is(sql(q{SELECT count(*) FROM activity_metrics.refresh_log WHERE finished_at IS NULL}), '0', 'no row stays open');
is(sql(q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'}), '0', 'no lock stays');

# cancelled
($locker, $refresh) = block_and_refresh();
sql(q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'refresh_test'});
like(ended($refresh), qr/canceling statement due to user request/, 'cancelled');
terminate(q{query LIKE '%pg_sleep(60)%'});
ended($locker);
sql(q{CALL activity_metrics.refresh(margin_minutes => 0.002, verbose => false)});
is(sql('SELECT refresh_test.wrong()'), '', 'likewise');

#
# One that fails does not stop the others
#
sql(q{INSERT INTO refresh_test.ev (entity, at, kind, actor) VALUES (1, '2024-06-06Z', 'call', 'rep 0'); UPDATE activity_metrics.metric SET expr = '1 / (count(*) - count(*))' WHERE metric = 'spread'});
my (undef, $out, $err) = Psql::psql(q{SET client_min_messages = notice; CALL activity_metrics.refresh('{calls,spread,wins}', margin_minutes => 0.002)});
like($err, qr/NOTICE:.*calls by week: recorded, \d+ rows written \(1 of 3\)/, 'a notice');
like($err, qr/NOTICE:.*spread by week: 22012: division by zero \(2 of 3\)/, 'an error is a notice');
like($err, qr/NOTICE:.*wins by week: recorded/, 'the next is done');
like($err, qr/WARNING:.*1 of 3 metrics was not refreshed: spread/, 'a warning at the end');
is(sql(q{SELECT error FROM activity_metrics.refresh_log WHERE metric = 'spread' ORDER BY run_id DESC LIMIT 1}), '22012: division by zero', 'the log has it');
like(error_of(q{SET client_min_messages = notice; CALL activity_metrics.refresh('{}')}), qr/NOTICE:.*no metric to refresh/, 'nothing to do is said');
is(error_of(q{SET client_min_messages = notice; CALL activity_metrics.refresh('{calls}', verbose => false)}), '', 'verbose => false says nothing');
sql(q{UPDATE activity_metrics.metric SET expr = 'max(value) - min(value)' WHERE metric = 'spread'; CALL activity_metrics.refresh(margin_minutes => 0.002, verbose => false)});
is(sql('SELECT refresh_test.wrong()'), '', 'mended');

#
# Where it may not commit or write
#
like(error_of('BEGIN; CALL activity_metrics.refresh();'), qr/25001.*cannot run inside a transaction block.*HINT.*refresh_in_transaction/s, 'inside a transaction block');
like(error_of('SET default_transaction_read_only = on; CALL activity_metrics.refresh();'), qr/25006.*read-only.*HINT/s, 'read-only');
like(error_of('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT activity_metrics.refresh_in_transaction();'), qr/25001.*repeatable read.*HINT.*READ COMMITTED/s, 'in a transaction that does not see what is committed meanwhile');
like(error_of('BEGIN READ ONLY; SELECT activity_metrics.refresh_in_transaction();'), qr/25006.*HINT/s, 'in one that is read-only');
like(error_of('CREATE FUNCTION pg_temp.f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CALL activity_metrics.refresh(); END $$; SELECT pg_temp.f();'), qr/25001.*refresh_in_transaction/s, 'in a function');
like(error_of('DO $$ BEGIN CALL activity_metrics.refresh(); EXCEPTION WHEN division_by_zero THEN NULL; END $$;'), qr/25001.*refresh_in_transaction/s, 'in a block with EXCEPTION');
is(error_of('DO $$ BEGIN CALL activity_metrics.refresh(verbose => false); END $$;'), '', 'in a block that may commit');
is(error_of(q{SET default_transaction_isolation = 'serializable'; CALL activity_metrics.refresh(verbose => false);}), '', 'whatever the isolation');

#
# The server dies: a throwaway one, which also has prepared transactions
#
SKIP:
{
	my $cluster = "$FindBin::Bin/../cluster";
	my $dir = ($ENV{TMPDIR} // '/tmp') . "/am_refresh_crash.$$";
	my $host = `$cluster start $dir -o '-c max_prepared_transactions=2 -c synchronous_commit=on' 2>&1`;
	skip("no throwaway server: $host", 1) if $? != 0;
	chomp $host;
	local $ENV{PGHOST} = $host;
	local $ENV{PGPORT} = 5432;
	local $ENV{PGUSER} = 'postgres';
	local $ENV{PGDATABASE} = 'postgres';
	eval {
		sql('CREATE EXTENSION activity_metrics');
		sql($setup);
		sql(q{INSERT INTO refresh_test.ev (entity, at, kind, actor, value) SELECT i % 12, timestamptz '2024-01-01Z' + (i * 37 % 250) * interval '1 day', (ARRAY['call', 'won', 'mail'])[1 + i % 3], 'rep ' || i % 7, i % 9
			FROM generate_series(1, 500) i});
		sql(q{CALL activity_metrics.refresh(verbose => false)});
		is(sql('SELECT refresh_test.wrong()'), '', 'stored');
		my ($lock, $run) = block_and_refresh();
		system("$cluster restart $dir immediate >/dev/null 2>&1");
		eval { ended($_) } for $lock, $run;
		is(sql(q{SELECT string_agg(metric || ' ' || (finished_at IS NULL), ', ' ORDER BY metric) FROM activity_metrics.refresh_log WHERE run_id = (SELECT max(run_id) FROM activity_metrics.refresh_log)}),
			'calls false, deals true', 'after a crash the log has an open row');
		sql(q{CALL activity_metrics.refresh(margin_minutes => 0.002, verbose => false)});
		is(sql('SELECT refresh_test.wrong()'), '', 'the next refresh does what is left');
		is(sql(q{SELECT string_agg(metric || ' ' || error, ', ') FROM activity_metrics.refresh_log WHERE error IS NOT NULL}), 'deals interrupted', 'and closes it');

		# nobody tells when it began
		sql(q{BEGIN; INSERT INTO refresh_test.ev (entity, at, kind, actor) VALUES (1, '2024-07-07Z', 'call', 'rep 0'); PREPARE TRANSACTION 'refresh_test'});
		sql(q{CALL activity_metrics.refresh(margin_minutes => 0, verbose => false)}) for 1, 2;
		sql(q{COMMIT PREPARED 'refresh_test'});
		is_true(q{refresh_test.wrong() <> ''}, 'a prepared transaction is not seen yet');
		sql(q{CALL activity_metrics.refresh(margin_minutes => 0, verbose => false)});
		is(sql('SELECT refresh_test.wrong()'), '', 'and is, once it is committed');
		is_true(q{mode = 'recorded' FROM activity_metrics.refresh_log WHERE metric = 'calls' ORDER BY run_id DESC LIMIT 1}, 'without a full refresh');
		1;
	} or fail("crash test: $@");
	system("$cluster remove $dir");
}

done_testing();
