-- The events of the benchmark: kinds and entities by hash, times ascending. :rows events of :rows / 10 entities.
CREATE UNLOGGED TABLE bench_event AS
SELECT abs(hashint8extended(g, 1) % (:rows / 10)) AS entity,
	timestamptz '2025-01-01 00:00+00' + g * interval '2.5 seconds' AS at,
	(ARRAY['call', 'email', 'meeting', 'proposal', 'won', 'login'])[1 + abs(hashint8extended(g, 2) % 6)] AS kind
FROM generate_series(1, :rows) AS g;
CREATE INDEX ON bench_event (entity, at, kind);
CREATE UNLOGGED TABLE bench_text AS SELECT 'deal-' || entity AS entity, at, kind FROM bench_event;
CREATE UNLOGGED TABLE bench_uuid AS SELECT md5(entity::text)::uuid AS entity, at, kind FROM bench_event;
-- twice as many of the same kind
CREATE UNLOGGED TABLE bench_double AS
SELECT entity, at, kind FROM bench_event
UNION ALL SELECT entity + :rows / 10, at + :rows * interval '2.5 seconds', kind FROM bench_event;
-- rows as CRMs have them: a kilobyte of notes and texts that may be missing before the columns that count
CREATE UNLOGGED TABLE bench_wide AS
SELECT CASE WHEN g % 3 = 0 THEN 'subject ' || g END AS subject, CASE WHEN g % 5 > 0 THEN repeat('a note on this call. ', 50) END AS notes,
	abs(hashint8extended(g, 1) % (:rows / 100)) AS entity,
	timestamptz '2025-01-01 00:00+00' + g * interval '25 seconds' AS at,
	(ARRAY['call', 'email', 'meeting', 'proposal', 'won', 'login'])[1 + abs(hashint8extended(g, 2) % 6)] AS kind
FROM generate_series(1, :rows / 10) AS g;
VACUUM ANALYZE bench_event;
VACUUM ANALYZE bench_text;
VACUUM ANALYZE bench_uuid;
VACUUM ANALYZE bench_double;
VACUUM ANALYZE bench_wide;
