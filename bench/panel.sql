-- The panels of the benchmark. Events in order of time, reps and kinds by hash; :rows events of 200 reps in 520 weeks.
CREATE UNLOGGED TABLE bench_rep AS
SELECT 1000 + abs(hashint8extended(g, 1) % 200) AS unit,
	timestamptz '2015-01-05 00:00+00' + g * (interval '3640 days' / :rows) AS at,
	(ARRAY['call', 'email', 'meeting', 'proposal', 'won', 'login'])[1 + abs(hashint8extended(g, 2) % 6)] AS kind
FROM generate_series(0, :rows - 1) AS g;
CREATE UNLOGGED TABLE bench_rep_text AS SELECT 'rep ' || unit AS unit, at, kind FROM bench_rep;
CREATE UNLOGGED TABLE bench_panel AS
SELECT unit, period::bigint, abs(hashint8extended(unit * 1000 + period, 1) % 20)::double precision AS x, abs(hashint8extended(unit * 1000 + period, 2) % 9)::double precision AS y
FROM generate_series(1, 200::bigint) AS unit, generate_series(1, 520) AS period;
SELECT format('CREATE UNLOGGED TABLE bench_columns AS SELECT unit, period, y, %s FROM bench_panel',
	string_agg(format('abs(hashint8extended(unit * 1000 + period, %s) %% 20)::double precision AS c%1$s', i), ', '))
FROM generate_series(1, 30) AS i \gexec
VACUUM ANALYZE bench_rep;
VACUUM ANALYZE bench_rep_text;
VACUUM ANALYZE bench_panel;
VACUUM ANALYZE bench_columns;
SELECT activity_metrics.define_metric('calls', 'bench_rep', 'call', actor => 'unit'),
	activity_metrics.define_metric('wins', 'bench_rep', 'won', kind => 'outcome', actor => 'unit'),
	activity_metrics.define_metric('text_calls', 'bench_rep_text', 'call', actor => 'unit'),
	activity_metrics.define_metric('text_wins', 'bench_rep_text', 'won', kind => 'outcome', actor => 'unit');
-- 30 metrics: kinds in 30 combinations
SELECT activity_metrics.define_metric('m' || i, 'bench_rep', (SELECT string_agg(k, ' | ') FROM unnest(ARRAY['call', 'email', 'meeting', 'proposal', 'login']) WITH ORDINALITY AS t(k, bit) WHERE i & (1 << bit::int - 1) > 0), actor => 'unit')
FROM generate_series(1, 30) AS i;
