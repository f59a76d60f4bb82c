-- A Salesforce of :tasks tasks, as Fivetran lands it: typed columns, one opportunity for ten tasks.
SELECT setseed(0.5);
CREATE SCHEMA salesforce;
CREATE TABLE salesforce.opportunity AS
	SELECT '006' || lpad(i::text, 15, '0') AS id, '001' || lpad((i % 1000)::text, 15, '0') AS account_id, '005' || lpad((i % 50)::text, 15, '0') AS owner_id,
		round((random() * 1e5)::numeric, 2)::double precision AS amount, s.stage AS stage_name, s.stage LIKE 'Closed%' AS is_closed, s.stage = 'Closed Won' AS is_won,
		created_date, (created_date + random() * interval '200 days')::date AS close_date, created_date + random() * interval '200 days' AS last_stage_change_date, false AS is_deleted
	FROM generate_series(1, :tasks / 10) AS i,
		LATERAL (SELECT timestamptz '2023-01-01 00:00+00' + random() * i / i * interval '700 days' AS created_date, (ARRAY['Prospecting', 'Proposal', 'Closed Won', 'Closed Lost'])[1 + i % 4] AS stage) AS s;
CREATE TABLE salesforce.opportunity_history AS
	SELECT '008' || lpad((o.n * 3 + k)::text, 15, '0') AS id, o.id AS opportunity_id, (ARRAY['Prospecting', 'Prospecting', 'Proposal'])[k + 1] AS stage_name,
		o.created_date + k * interval '20 days' AS created_date, o.owner_id AS created_by_id, false AS is_deleted
	FROM (SELECT *, row_number() OVER () AS n FROM salesforce.opportunity) AS o, generate_series(0, 2) AS k;
CREATE TABLE salesforce.task AS
	SELECT '00T' || lpad(i::text, 15, '0') AS id, o.owner_id, CASE WHEN i % 10 < 8 THEN o.id WHEN i % 10 < 9 THEN o.account_id END AS what_id,
		CASE WHEN i % 10 = 9 THEN '00Q' || lpad((i / 10)::text, 15, '0') ELSE '003' || lpad((i % 5000)::text, 15, '0') END AS who_id, o.account_id,
		(ARRAY['Call', 'Email', 'Task', 'Call', 'Email'])[1 + i % 5] AS task_subtype, CASE WHEN i % 5 = 2 THEN 'Other' END AS type, i % 20 <> 0 AS is_closed,
		CASE WHEN i % 20 <> 0 THEN o.created_date + random() * interval '120 days' END AS completed_date_time,
		(o.created_date + random() * interval '120 days')::date AS activity_date, o.created_date AS created_date, o.owner_id AS created_by_id, false AS is_deleted, false AS is_recurrence
	FROM generate_series(1, :tasks) AS i JOIN salesforce.opportunity AS o ON o.id = '006' || lpad((1 + i % (:tasks / 10))::text, 15, '0');
CREATE TABLE salesforce.event AS
	SELECT '00U' || lpad(i::text, 15, '0') AS id, o.owner_id, o.id AS what_id, NULL::text AS who_id, o.account_id, 'Meeting'::text AS type, o.created_date + random() * interval '120 days' AS start_date_time,
		30 AS duration_in_minutes, o.created_date AS created_date, i % 10 = 0 AS is_child, false AS is_deleted
	FROM generate_series(1, :tasks / 10) AS i JOIN salesforce.opportunity AS o ON o.id = '006' || lpad((1 + (i * 7) % (:tasks / 10))::text, 15, '0');
CREATE TABLE salesforce.lead AS
	SELECT '00Q' || lpad(i::text, 15, '0') AS id, '005' || lpad((i % 50)::text, 15, '0') AS owner_id, i % 3 = 0 AS is_converted, CASE WHEN i % 3 = 0 THEN '006' || lpad((1 + i % (:tasks / 10))::text, 15, '0') END AS converted_opportunity_id,
		timestamptz '2023-01-01 00:00+00' + random() * interval '600 days' AS created_date, false AS is_deleted
	FROM generate_series(0, :tasks / 10) AS i;
VACUUM ANALYZE;
SELECT * FROM activity_metrics.install_preset('salesforce', 'salesforce', 'crm');
CREATE TABLE bench_flat AS TABLE crm.events;
VACUUM ANALYZE bench_flat;
