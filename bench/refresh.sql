-- Events of 200 reps in 520 weeks, refreshed once; :rows of them. 1,000 more, of the last 4 weeks, as late as people log.
CREATE TABLE bench_event AS
	SELECT i AS event_id, i % 50021 AS entity, 'rep ' || hashint8(i) % 100 AS actor, (ARRAY['call', 'mail', 'meeting', 'won'])[1 + (hashint8(i * 7) & 3)] AS kind,
		(i % 1000)::double precision AS value, timestamptz '2014-01-06Z' + i * (interval '3640 days' / :rows) AS at, timestamptz '2014-01-06Z' + i * (interval '3640 days' / :rows) AS recorded_at
	FROM generate_series(1, :rows::bigint) AS i;
ALTER TABLE bench_event ALTER recorded_at SET DEFAULT now();
CREATE INDEX ON bench_event (at);
CREATE INDEX ON bench_event (recorded_at);
VACUUM ANALYZE bench_event;
SELECT activity_metrics.define_metric('bench_calls', 'bench_event', 'call'), activity_metrics.define_metric('bench_wins', 'bench_event', 'won', kind => 'outcome'),
	activity_metrics.define_metric('bench_accounts', 'bench_event', agg => 'count_distinct', value => 'entity'),
	activity_metrics.define_metric('bench_rate', numerator => 'bench_wins', denominator => 'bench_calls'),
	activity_metrics.define_metric('bench_conversion', base_metric => 'bench_calls', conversion_metric => 'bench_wins', window_days => 30, entity => 'entity');
CREATE PROCEDURE bench_more() LANGUAGE sql AS $$
	INSERT INTO bench_event (event_id, entity, actor, kind, value, at)
	SELECT i, i % 50021, 'rep ' || i % 100, (ARRAY['call', 'mail', 'meeting', 'won'])[1 + i % 4], i, timestamptz '2014-01-06Z' + interval '3640 days' - (i % 28) * interval '1 day' FROM generate_series(1, 1000) AS i
$$;
