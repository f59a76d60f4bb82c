# psql for the perl tests: a database of its own for a test, statements, csv files of the shared data.
#
# PGHOST and the like lead to a server on which we may create databases. Nothing is left behind.
package Psql;
use strict;
use warnings;
use Exporter qw(import);
use IPC::Run qw(run);
use Test::More;

our @EXPORT = qw(shared_data scratch_database sql rows is_true same_rows error_of copy_csv);
our @EXPORT_OK = qw(as must);

$ENV{PGOPTIONS} = join ' ', $ENV{PGOPTIONS} // (), '-c client_min_messages=warning', '-c timezone=UTC';

my @psql = qw(psql --no-psqlrc --no-align --quiet --tuples-only --set ON_ERROR_STOP=1 --set VERBOSITY=verbose);
my ($home, $scratch);

# The paths of files of the shared data; without them the whole test is skipped
sub shared_data
{
	my @paths = map { ($ENV{SHARED} // '../shared') . "/data/$_" } @_;
	for my $path (@paths)
	{
		plan skip_all => "shared data is absent: $path" if !-r $path;
	}
	return @paths;
}

sub psql
{
	my ($statements, @options) = @_;
	my ($out, $err) = ('', '');
	my $good = run [ @psql, @options ], \$statements, \$out, \$err;
	chomp $out;
	return ($good, $out, $err);
}

# Every later statement runs in a new database that has the extension
sub scratch_database
{
	($scratch) = @_;
	$home = $ENV{PGDATABASE} // 'postgres';
	for my $statement ("DROP DATABASE IF EXISTS $scratch", "CREATE DATABASE $scratch")
	{
		my ($good, undef, $err) = psql($statement);
		BAIL_OUT("$statement: $err") if !$good;
	}
	$ENV{PGDATABASE} = $scratch;
	sql('CREATE EXTENSION activity_metrics');
}

# What the statements print, columns by |, rows by line
sub sql
{
	my ($good, $out, $err) = psql(@_);
	die "psql: $err" if !$good;
	return $out;
}

sub rows { return map { [ split /\|/, $_, -1 ] } split /\n/, sql(@_) }

# SQLSTATE, message, hint as psql shows them; '' if nothing fails
sub error_of { return (psql(@_))[2] }

# What statements of a role print, or the error as "SQLSTATE: message"; database: PGDATABASE if it is not named
sub as
{
	my ($role, $statements, $database) = @_;
	my (undef, $out, $err) = psql($statements, '-U', $role, defined $database ? ('-d', $database) : ());
	return "$1: $2" if $err =~ /(?:ERROR|FATAL):\s+(\w{5}): (.*)/;
	return "psql: $err" if $err ne '';
	return $out;
}

# The same, for what must not fail
sub must
{
	my ($role, $statements) = @_;
	my $out = as(@_);
	BAIL_OUT("$role: $statements\n$out") if $out =~ /^(?:\w{5}|psql): /;
	return $out;
}

sub is_true
{
	my ($condition, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is(sql("SELECT $condition"), 't', $name);
}

# Two statements give the same rows; as many as there are is part of it, so no row at all is a failure
sub same_rows
{
	my ($got, $wanted, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $oracle = sql($wanted);
	return ok(0, "$name: the oracle gives no row") if $oracle eq '';
	return is(sql($got), $oracle, $name);
}

# Loads a csv file with a header, gzipped or not
sub copy_csv
{
	my ($file, $table) = @_;
	my $err = '';
	my @load = ([ @psql, '--command', "\\copy $table from pstdin with (format csv, header)" ], '2>', \$err);
	my $good = $file =~ /\.gz$/ ? run([ 'gzip', '-dc', $file ], '|', @load) : run(@load, '<', $file);
	die "loading $file: $err" if !$good;
	return;
}

END
{
	my $status = $?;
	if (defined $scratch)
	{
		$ENV{PGDATABASE} = $home;
		psql("DROP DATABASE IF EXISTS $scratch");
	}
	$? = $status;
}

1;
