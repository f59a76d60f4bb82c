-- The events of the benchmark: kinds and entities by hash, times ascending.
CREATE UNLOGGED TABLE bench_event AS
SELECT entity, 'deal-' || entity AS entity_text, at, kind
FROM (SELECT abs(hashint8extended(g, 1) % (:rows / 10)) AS entity,
		timestamptz '2025-01-01 00:00+00' + g * interval '2.5 seconds' AS at,
		(ARRAY['call', 'email', 'meeting', 'proposal', 'won', 'login'])[1 + abs(hashint8extended(g, 2) % 6)] AS kind
	FROM generate_series(1, :rows) AS g) AS e;
VACUUM ANALYZE bench_event;
