#!/usr/bin/env perl
# What README.md and docs/*.md say is true: every fenced sql block runs, in order, in a new database per
# file, and the text block that directly follows it is what psql prints.
#
#	```sql                  must not fail
#	```sql plain            the same, printed without a frame (psql -A -t), long lines folded
#	```sql expanded         the same, one line per column (psql -x)
#	```sql error 42703      must fail with this SQLSTATE and no other
#	<!-- sql demo           a block that the reader does not see; runs beside the others, in a demo CRM
#	```sh                   only psql -f FILE counts: the file is run
#	<!-- reference -->      up to <!-- end of reference -->: made from the COMMENTs of the extension
#
# In sql, {{outcome}}, {{metric}}, $__timeFrom() and $__timeTo() stand for what a BI tool puts there.
#
#	README_UPDATE=1         writes the text blocks and the reference anew instead of comparing them
use strict;
use warnings;
use utf8;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use JSON::PP qw(decode_json);
use Test::More;

chdir abs_path(dirname(abs_path($0)) . '/../..') or die "cannot find the project: $!";
binmode $_, ':encoding(UTF-8)' for map { Test::More->builder->$_ } qw(output failure_output todo_output);

my $update  = $ENV{README_UPDATE};
my $widest  = 100;    # a longer line without columns is folded
my $role    = 'analyst';
my $dir     = tempdir(CLEANUP => 1);
my %instead = (
	'{{outcome}}'     => q('wins'),
	'{{metric}}'      => q('calls'),
	'$__timeFrom()'   => q('2024-01-01T00:00:00Z'),
	'$__timeTo()'     => q('2025-12-29T00:00:00Z'),
);

sub read_text
{
	my ($path) = @_;
	open my $file, '<:encoding(UTF-8)', $path or die "$path: $!\n";
	local $/;
	return scalar <$file>;
}

sub write_text
{
	my ($path, $text) = @_;
	open my $file, '>:encoding(UTF-8)', $path or die "$path: $!\n";
	print $file $text;
	close $file or die "$path: $!\n";
}

# One psql for a whole script, as a reader would have one; stdout and stderr apart
sub psql
{
	my ($database, $script) = @_;
	local $ENV{PGDATABASE}      = $database;
	local $ENV{PGCLIENTENCODING} = 'UTF8';
	local $ENV{PGTZ}            = 'UTC';
	write_text("$dir/in", $script);
	system("psql -X -P pager=off -v SHOW_CONTEXT=never <$dir/in >$dir/out 2>$dir/err");
	return (read_text("$dir/out"), read_text("$dir/err"));
}

sub server
{
	my (undef, $errors) = psql('postgres', join ';', @_, '');
	diag($errors) if $errors =~ /ERROR|FATAL|error:/;
	return $errors !~ /ERROR|FATAL|error:/;
}

# psql's output as it stands in a text block
sub tidy
{
	my ($text) = @_;
	my @lines;
	for my $line (split /\n/, $text)
	{
		$line =~ s/\s+$//;
		while (length $line > $widest && $line !~ / \| |-\+-|^-+$/ && $line =~ /^(.{1,$widest})\s+(.*)$/)
		{
			push @lines, $1;
			$line = $2;
		}
		push @lines, $line;
	}
	my $tidy = join "\n", @lines;
	$tidy =~ s/^\n+|\n+$//g;
	return $tidy;
}

#
# A file as a list of parts: {lines} as they stand, and of blocks {kind, mode, state, body, line}
#
sub parts
{
	my ($text) = @_;
	my (@parts, $block);
	my $number = 0;
	for my $line (split /^/, $text)
	{
		$number++;
		if (!$block && $line =~ /^(?:```(\w+)|<!-- (sql) demo$)\s*(\w*)\s*(\w*)\s*$/)
		{
			$block = { kind => $1 // $2, mode => $2 ? 'demo' : $3, state => $4, body => '', line => $number, open => $line };
			$block->{end} = $2 ? "-->\n" : "```\n";
		}
		elsif ($block && $line eq $block->{end})
		{
			push @parts, $block;
			undef $block;
		}
		elsif ($block) { $block->{body} .= $line }
		elsif (@parts && !defined $parts[-1]{kind}) { $parts[-1]{lines} .= $line }
		else                                        { push @parts, { lines => $line } }
	}
	die "a block that begins in line $block->{line} has no end\n" if $block;
	return @parts;
}

sub whole
{
	return join '', map { defined $_->{kind} ? "$_->{open}$_->{body}$_->{end}" : $_->{lines} } @_;
}

# The text block with nothing but blank lines before it
sub shown_output
{
	my ($parts, $i) = @_;
	$i++ while $i < $#$parts && !defined $parts->[ $i + 1 ]{kind} && $parts->[ $i + 1 ]{lines} =~ /^\s*$/;
	return $i < $#$parts && ($parts->[ $i + 1 ]{kind} // '') eq 'text' ? $parts->[ $i + 1 ] : undef;
}

sub as_run
{
	my ($sql) = @_;
	$sql =~ s/\Q$_\E/$instead{$_}/g for keys %instead;
	return $sql;
}

# Runs blocks in one session; sets {printed} and {sqlstate}, which stays undefined for a block that was not reached
sub run_blocks
{
	my ($database, @blocks) = @_;
	my $script = '';
	for my $i (0 .. $#blocks)
	{
		my $block = $blocks[$i];
		if ($block->{kind} eq 'sh')
		{
			$script .= "\\set QUIET on\n\\o /dev/null\n" . join('', map { "\\i $_\n" } @{ $block->{files} })
			  . "\\o\n\\set QUIET off\n";
			next;
		}
		my $plain = $block->{mode} eq 'plain' ? 'unaligned' : 'aligned';
		my $only  = $block->{mode} eq 'plain' ? 'on'        : 'off';
		my $wide  = $block->{mode} eq 'expanded' ? 'on' : 'off';
		$script .= "\\set QUIET on\n\\pset format $plain\n\\pset tuples_only $only\n\\pset expanded $wide\n"
		  . "\\pset footer on\n\\set QUIET off\n\\set LAST_ERROR_SQLSTATE 00000\n"
		  . "\\echo \@\@begin $i\n\\warn \@\@begin $i\n"
		  . as_run($block->{body})
		  . "\n\\echo \@\@end $i :LAST_ERROR_SQLSTATE\n\\warn \@\@end $i\n";
	}
	my ($out, $err) = psql($database, $script);
	for my $i (0 .. $#blocks)
	{
		next if $blocks[$i]{kind} ne 'sql';
		my ($printed, $state) = $out =~ /^\@\@begin $i\n(.*?)^\@\@end $i (\w+)\n/ms or next;
		my ($complaint) = $err =~ /^\@\@begin $i\n(.*?)^\@\@end $i\n/ms;
		$blocks[$i]{printed} = tidy(($printed // '') . ($complaint // ''));
		$blocks[$i]{sqlstate} = $state;
	}
	return $err;
}

# The tables of functions, aggregates, types and relations, with the first sentence of their COMMENT
sub reference
{
	my ($database) = @_;
	my ($out) = psql($database, <<'SQL');
\set QUIET on
\pset format unaligned
\pset tuples_only on
\pset fieldsep '\t'
CREATE TEMP VIEW object AS
WITH called AS (
	SELECT p.proname, p.prokind, p.proretset, p.prorettype, p.pronargs, d.description,
		regexp_replace(pg_get_function_arguments(p.oid), '^(\w+) (\w+)', '\1') AS but_first,
		CASE WHEN p.prokind = 'a' THEN (regexp_match(pg_get_function_arguments(p.oid), '^\w+ (\w+)'))[1] END AS first_type,
		pg_get_function_arguments(p.oid) AS arguments
	FROM pg_proc p JOIN pg_description d ON d.objoid = p.oid AND d.classoid = 'pg_proc'::regclass
	WHERE p.pronamespace = 'activity_metrics'::regnamespace AND d.description !~ '^Internal')
SELECT CASE prokind WHEN 'a' THEN 2 ELSE 1 END AS part, proname::text AS name,
	format('%s(%s)', proname, CASE prokind
		WHEN 'a' THEN regexp_replace(but_first, '^\w+', '\& ' || string_agg(first_type, '/' ORDER BY first_type))
		ELSE min(arguments) END) AS signature, pronargs AS rank, min(description) AS description
FROM called GROUP BY prokind, proname, pronargs, but_first, CASE WHEN prokind <> 'a' THEN arguments END
UNION ALL
SELECT CASE c.relkind WHEN 'c' THEN 3 ELSE 4 END, c.relname, c.relname, 0, d.description
FROM pg_class c LEFT JOIN pg_description d ON d.objsubid = 0
	AND (d.objoid, d.classoid) IN ((c.oid, 'pg_class'::regclass), (c.reltype, 'pg_type'::regclass))
WHERE c.relnamespace = 'activity_metrics'::regnamespace AND c.relkind IN ('c', 'r', 'v')
	AND coalesce(d.description, '') !~ '^Internal';
SELECT part, signature, replace(description, E'\n', ' ') FROM object ORDER BY part, name, rank, signature;
SQL
	my @heads = (undef, 'Functions', 'Aggregates', 'Types', 'Tables and views');
	my ($made, $part) = ('', 0);
	for (split /\n/, $out)
	{
		my ($p, $signature, $description) = split /\t/;
		$made .= "\n### $heads[$p]\n\n| | |\n| --- | --- |\n" if $p != $part;
		$part = $p;
		my ($first) = ($description // '') =~ /^(.*?[.])(?:\s|$)/;
		$first //= $description // '';
		$signature =~ s/double precision/float8/g;
		$signature =~ s/timestamp with time zone/timestamptz/g;
		# optional arguments in brackets; what OUT arguments are is said in the description
		$signature =~ s/(?:, )?\bOUT \w+ [^,)]+(?=[,)])//g;
		$signature =~ s/\bINOUT //g;
		$signature =~ s/(, |(?<=\())(\w+ [^, ]+ DEFAULT .*)\)$/ [$1$2])/;
		$signature =~ s/ DEFAULT (?:[^,)]*?)(?=, \w+ |\]\)$)//g;
		$signature =~ s/activity_metrics\.//g;
		s/\|/\\|/g for $signature, $first;
		$made .= "| `$signature` | $first |\n";
	}
	return "$made\n";
}

sub check_file
{
	my ($path) = @_;
	my $text  = read_text($path);
	my @parts = parts($text);
	my (@run, @beside);

	for my $i (0 .. $#parts)
	{
		my $part = $parts[$i];
		next if !defined $part->{kind};
		if ($part->{kind} eq 'sql')
		{
			$part->{shown} = shown_output(\@parts, $i);
			push @{ $part->{mode} eq 'demo' ? \@beside : \@run }, $part;
		}
		elsif ($part->{kind} eq 'sh')
		{
			$part->{files} = [ map { /-f (\S+\.sql)/g } grep { /^psql / } split /\n/, $part->{body} ];
			push @run, $part if @{ $part->{files} };
		}
	}

	server("DROP DATABASE IF EXISTS am_readme", "CREATE DATABASE am_readme") or return fail("$path: no database");
	my $errors = run_blocks('am_readme', @run);
	my $made = $text =~ /<!-- reference -->/ ? reference('am_readme') : undef;
	if (@beside)
	{
		server("DROP DATABASE am_readme", "CREATE DATABASE am_readme");
		run_blocks('am_readme', { kind => 'sql', mode => '', body => "CREATE EXTENSION activity_metrics;\n" },
			{ kind => 'sh', files => [ 'demo/crm.sql', 'demo/metrics.sql' ] }, @beside);
	}
	server("DROP DATABASE am_readme");

	for my $block (grep { $_->{kind} eq 'sql' } @run, @beside)
	{
		my $where = "$path line $block->{line}";
		my $want  = $block->{mode} eq 'error' ? $block->{state} : '00000';
		is($block->{sqlstate} // "never reached: $errors", $want, "$where: " . ($want eq '00000' ? 'runs' : "fails with $want"))
		  or diag($block->{printed} // '');
		my $shown = $block->{shown} or next;
		my $got = ($block->{printed} // '') . "\n";
		if ($update) { $shown->{body} = $got if defined $block->{printed} }
		else         { is($got, $shown->{body}, "$where: prints what is shown") }
	}
	my $now = whole(@parts);
	if (defined $made)
	{
		my ($shown) = $now =~ /<!-- reference -->\n(.*?)<!-- end of reference -->/s;
		if ($update) { $now =~ s/(<!-- reference -->\n).*?(<!-- end of reference -->)/$1$made$2/s }
		else         { is($shown, $made, "$path: the reference is that of the COMMENTs") }
	}
	write_text($path, $now) if $update && $now ne $text;

	my @missing = grep { !-e dirname($path) . "/$_" } $now =~ /\]\((?!https?:|#)([^)#]+)/g;
	is("@missing", '', "$path: links lead to files");
}

my ($had_role) = psql('postgres', "\\pset tuples_only on\nSELECT 'yes' FROM pg_roles WHERE rolname = '$role';\n");
server("CREATE ROLE $role") if $had_role !~ /yes/;
check_file($_) for 'README.md', glob 'docs/*.md';
server("DROP ROLE $role") if $had_role !~ /yes/;

# One version everywhere
my ($version) = read_text('activity_metrics.control') =~ /^default_version = '(.*)'$/m;
my ($newest)  = read_text('CHANGELOG.md') =~ /^## (\S+)/m;
my $meta      = decode_json(do { open my $f, '<', 'META.json' or die "META.json: $!"; local $/; <$f> });
is($newest, $version, 'CHANGELOG.md begins with the version of the control file');
is($meta->{version}, $version, 'META.json has it');
is($meta->{provides}{activity_metrics}{version}, $version, 'META.json provides it');
is($meta->{provides}{activity_metrics}{file}, "sql/activity_metrics--$version.sql", 'META.json names its script');
ok(-e $meta->{provides}{activity_metrics}{docfile}, 'META.json names a document that is there');

done_testing();
