-- Preset of Krayin CRM: its tables, with the rows that mislead.
BEGIN;
SELECT no_plan();
\ir preset_tools.psql
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;

CREATE SCHEMA krayin;
SET LOCAL search_path = krayin, public;
CREATE TABLE lead_pipeline_stages (id integer PRIMARY KEY, code varchar(255), name varchar(255), probability integer, sort_order integer, lead_pipeline_id integer);
-- the same name in two pipelines; one is named like a kind of event
INSERT INTO lead_pipeline_stages VALUES (1, 'new', 'Neu', 100, 1, 1), (2, 'follow-up', 'Nachfassen', 50, 2, 1), (3, 'won', 'Gewonnen', 100, 3, 1), (4, 'lost', 'Verloren', 0, 4, 1), (5, 'new', 'Neu', 10, 1, 2), (6, 'demo', 'demo', 20, 2, 2);
CREATE TABLE leads (id integer PRIMARY KEY, title varchar(255), lead_value numeric(12,4), status boolean, lost_reason text, closed_at timestamp(0), user_id integer, person_id integer, lead_pipeline_id integer, lead_pipeline_stage_id integer, created_at timestamp(0), updated_at timestamp(0), expected_close_date date);
INSERT INTO leads VALUES
	(1, 'won', 1200.5, NULL, NULL, '2024-02-01 10:00', 7, 21, 1, 3, '2024-01-01 09:00', '2024-03-01 09:00', '2024-01-31'),
	(2, 'lost', 300, NULL, 'too dear', NULL, 8, NULL, 1, 4, '2024-01-02 09:00', '2024-02-10 09:00', NULL),
	(3, 'open, never moved', NULL, NULL, NULL, NULL, 8, NULL, 2, 5, '2024-01-03 09:00', '2024-01-03 09:00', '2024-12-31'),
	(4, 'open, with a row for its first stage', 50, NULL, NULL, NULL, 8, NULL, 2, 6, '2024-01-04 09:00', '2024-01-05 09:00', NULL);
CREATE TABLE attributes (id integer PRIMARY KEY, code varchar(255), name varchar(255), type varchar(255), entity_type varchar(255));
INSERT INTO attributes VALUES (1, 'lead_pipeline_stage_id', 'Phase', 'lookup', 'leads'), (2, 'user_id', 'Vertriebsleiter', 'lookup', 'leads'), (3, 'lead_value', 'Wert', 'price', 'leads');
CREATE TABLE activities (id integer PRIMARY KEY, title varchar(255), type varchar(255), comment text, additional json, schedule_from timestamp(0), schedule_to timestamp(0), is_done boolean, user_id integer, location varchar(255), created_at timestamp(0), updated_at timestamp(0));
INSERT INTO activities (id, title, type, additional, schedule_from, schedule_to, is_done, user_id, created_at, updated_at) VALUES
	(10, 'a call of two leads', 'call', NULL, '2024-01-05 10:00', '2024-01-05 10:15', true, 7, '2024-01-04 08:00', '2024-01-05 11:00'),
	(11, 'planned', 'meeting', NULL, '2024-01-20 10:00', '2024-01-20 11:00', false, 7, '2024-01-05 08:00', '2024-01-05 08:00'),
	(12, 'lunch, earlier than planned', 'lunch', NULL, '2024-02-20 12:00', '2024-02-20 13:00', true, 7, '2024-01-05 08:00', '2024-01-12 14:00'),
	(13, 'a note, never done', 'note', NULL, NULL, NULL, false, 8, '2024-01-06 08:00', '2024-01-09 08:00'),
	(14, 'a file', 'file', NULL, NULL, NULL, true, 8, '2024-01-06 09:00', '2024-01-06 09:00'),
	(15, 'of a person, no lead', 'call', NULL, '2024-01-07 10:00', NULL, true, 8, '2024-01-07 08:00', '2024-01-07 11:00'),
	(16, 'of a person and a lead', 'call', NULL, '2024-01-08 10:00', NULL, true, 8, '2024-01-08 08:00', '2024-01-08 11:00'),
	(17, 'seconds read as milliseconds', 'call', NULL, '1970-01-19 10:00', NULL, true, 8, '2024-01-08 08:00', '2024-01-08 11:00'),
	(18, 'of nobody', 'task', NULL, NULL, NULL, true, 8, '2024-01-08 08:00', '2024-01-08 12:00'),
	-- what the system writes: an object
	(30, 'Created', 'system', NULL, NULL, NULL, true, 7, '2024-01-01 09:00', '2024-01-01 09:00'),
	(31, 'Phase updated', 'system', '{"attribute":"Phase","new":{"value":2,"label":"Nachfassen"},"old":{"value":1,"label":"Neu"}}', NULL, NULL, true, 7, '2024-01-10 09:00', '2024-01-10 09:00'),
	-- a string that holds an object
	(32, 'Phase updated', 'system', to_json('{"attribute":"Phase","new":{"value":"3","label":"Gewonnen"},"old":{"value":"2","label":"Nachfassen"}}'::text), NULL, NULL, true, 7, '2024-02-01 10:00', '2024-02-01 10:00'),
	-- other attributes, with values that are keys of stages
	(33, 'Vertriebsleiter updated', 'system', '{"attribute":"Vertriebsleiter","new":{"value":2,"label":"Bob"},"old":{"value":1,"label":"Ann"}}', NULL, NULL, true, 7, '2024-01-11 09:00', '2024-01-11 09:00'),
	(34, 'Wert updated', 'system', '{"attribute":"Wert","new":{"value":3,"label":3},"old":{"value":1,"label":1}}', NULL, NULL, true, 7, '2024-01-11 09:00', '2024-01-11 09:00'),
	-- written by a user of another language: the label is the name of the stage
	(35, 'Estagio', 'system', '{"attribute":"Estágio","new":{"value":4,"label":"Verloren"},"old":{"value":1,"label":"Neu"}}', NULL, NULL, true, NULL, '2024-02-09 09:00', '2024-02-09 09:00'),
	-- version 2 writes the first stage, from nothing
	(36, 'Phase', 'system', '{"attribute":"Phase","new":{"value":5,"label":"Neu"},"old":{"value":null,"label":null}}', NULL, NULL, true, 8, '2024-01-04 09:00', '2024-01-04 09:00'),
	(37, 'Phase', 'system', '{"attribute":"Phase","new":{"value":6,"label":"demo"},"old":{"value":5,"label":"Neu"}}', NULL, NULL, true, 8, '2024-01-05 09:00', '2024-01-05 09:00'),
	-- the attribute was called otherwise, and the stage, too: only an option can tell
	(38, 'Stand', 'system', '{"attribute":"Stand","new":{"value":2,"label":"Rueckruf"},"old":{"value":1,"label":"Neu"}}', NULL, NULL, true, 8, '2024-01-20 09:00', '2024-01-20 09:00'),
	(39, 'broken', 'system', '"{broken"', NULL, NULL, true, 8, '2024-01-20 09:00', '2024-01-20 09:00'),
	-- a stage that is no more
	(40, 'Phase', 'system', '{"attribute":"Phase","new":{"value":99,"label":"weg"},"old":{"value":1,"label":"Neu"}}', NULL, NULL, true, 8, '2024-01-21 09:00', '2024-01-21 09:00');
CREATE TABLE lead_activities (activity_id integer, lead_id integer);
INSERT INTO lead_activities VALUES (10, 1), (10, 2), (11, 1), (12, 1), (13, 2), (14, 2), (16, 1), (17, 1), (30, 1), (31, 1), (32, 1), (33, 1), (34, 1), (35, 2), (36, 4), (37, 4), (38, 2), (39, 2), (40, 2);
CREATE TABLE person_activities (activity_id integer, person_id integer);
INSERT INTO person_activities VALUES (15, 21), (16, 21);
CREATE TABLE emails (id integer PRIMARY KEY, subject varchar(255), source varchar(255), user_type varchar(255), folders json, user_id integer, person_id integer, lead_id integer, created_at timestamp(0));
INSERT INTO emails VALUES (50, 'out', 'web', 'admin', '["sent"]', 7, NULL, 1, '2024-01-13 10:00'), (51, 'in', 'email', 'person', '["inbox"]', NULL, 21, 1, '2024-01-13 11:00'), (52, 'draft', 'web', 'admin', '["draft"]', 7, NULL, 1, '2024-01-13 12:00'),
	(53, 'of nobody', 'email', 'person', '["inbox"]', NULL, NULL, NULL, '2024-01-13 13:00'), (54, 'of a person', 'email', 'person', '["inbox"]', NULL, 21, NULL, '2024-01-13 14:00');
CREATE TABLE organizations (id integer PRIMARY KEY, name varchar(255), created_at timestamp(0), user_id integer);
INSERT INTO organizations VALUES (90, 'Acme', '2023-01-01', 7);
CREATE TABLE persons (id integer PRIMARY KEY, name varchar(255), organization_id integer, created_at timestamp(0), user_id integer);
INSERT INTO persons VALUES (21, 'Eve', 90, '2023-01-02', 7);

SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('krayin', 'krayin', 'kcrm')$$, 'installed');
CREATE TEMP TABLE wanted (event_id text, entity_type text, entity text, kind text, at timestamptz, actor text, status text, value float8);
INSERT INTO wanted VALUES
	('krayin:activity:10', 'opportunity', '1', 'call', '2024-01-05 10:00', '7', 'done', 900), ('krayin:activity:10', 'opportunity', '2', 'call', '2024-01-05 10:00', '7', 'done', 900),
	('krayin:activity:11', 'opportunity', '1', 'meeting', '2024-01-20 10:00', '7', 'planned', 3600), ('krayin:activity:12', 'opportunity', '1', 'meeting', '2024-01-12 14:00', '7', 'done', 3600),
	('krayin:activity:13', 'opportunity', '2', 'note', '2024-01-06 08:00', '8', 'done', NULL), ('krayin:activity:15', 'contact', '21', 'call', '2024-01-07 10:00', '8', 'done', NULL),
	('krayin:activity:16', 'opportunity', '1', 'call', '2024-01-08 10:00', '8', 'done', NULL), ('krayin:activity:18', NULL, NULL, 'task', '2024-01-08 12:00', '8', 'done', NULL),
	('krayin:email:50', 'opportunity', '1', 'email_out', '2024-01-13 10:00', '7', 'done', NULL), ('krayin:email:51', 'opportunity', '1', 'email_in', '2024-01-13 11:00', NULL, 'done', NULL), ('krayin:email:54', 'contact', '21', 'email_in', '2024-01-13 14:00', NULL, 'done', NULL),
	('krayin:created:1', 'opportunity', '1', 'created', '2024-01-01 09:00', '7', 'done', NULL), ('krayin:created:2', 'opportunity', '2', 'created', '2024-01-02 09:00', '8', 'done', NULL),
	('krayin:created:3', 'opportunity', '3', 'created', '2024-01-03 09:00', '8', 'done', NULL), ('krayin:created:4', 'opportunity', '4', 'created', '2024-01-04 09:00', '8', 'done', NULL),
	('krayin:closed:1', 'opportunity', '1', 'won', '2024-02-01 10:00', '7', 'done', 1200.5), ('krayin:closed:2', 'opportunity', '2', 'lost', '2024-02-10 09:00', '8', 'done', NULL);
SELECT bag_eq($$SELECT event_id, entity_type, entity, kind, at, actor, status, value FROM kcrm.events WHERE stage IS NULL$$, 'TABLE wanted', 'events: what the system writes is none');
SELECT bag_eq($$SELECT event_id, entity, kind, stage, at, actor, attrs ->> 'stage_from' AS stage_from, attrs ->> 'pipeline' AS pipeline FROM kcrm.events WHERE stage IS NOT NULL$$, $$VALUES
	('krayin:first stage:1', '1', 'Neu', '1', timestamptz '2024-01-01 09:00Z', '7', NULL, '1'), ('krayin:stage:31', '1', 'Nachfassen', '2', '2024-01-10 09:00Z', '7', '1', '1'), ('krayin:stage:32', '1', 'Gewonnen', '3', '2024-02-01 10:00Z', '7', '2', '1'),
	('krayin:first stage:2', '2', 'Neu', '1', '2024-01-02 09:00Z', '8', NULL, '1'), ('krayin:stage:35', '2', 'Verloren', '4', '2024-02-09 09:00Z', NULL, '1', '1'),
	('krayin:first stage:3', '3', 'Neu', '5', '2024-01-03 09:00Z', '8', NULL, '2'),
	('krayin:stage:36', '4', 'Neu', '5', '2024-01-04 09:00Z', '8', NULL, '2'), ('krayin:stage:37', '4', 'stage demo', '6', '2024-01-05 09:00Z', '8', '5', '2')$$, 'stages by key, whatever the language; a first stage for each, once');
SELECT bag_eq($$SELECT rule, source, count(*) FROM kcrm.events_left_out WHERE id IS NOT NULL GROUP BY 1, 2$$, $$VALUES ('written by the system', 'activities', 11::bigint), ('a file', 'activities', 1), ('before 2000', 'activities', 1), ('not on a lead or person', 'emails', 1), ('not sent', 'emails', 1)$$, 'what is left out');
SELECT is((SELECT count(DISTINCT event_id) FROM kcrm.events WHERE event_id LIKE 'krayin:activity:%') + (SELECT count(*) FROM kcrm.events_left_out WHERE source = 'activities' AND id <> ''), (SELECT count(*) FROM activities), 'every activity is in the one or the other');
SELECT bag_eq($$SELECT entity_type, entity_id, parent_id, pipeline, stage, status, amount FROM kcrm.entities$$, $$VALUES ('opportunity', '1', '90', '1', '3', 'won', 1200.5::float8), ('opportunity', '2', NULL, '1', '4', 'lost', 300), ('opportunity', '3', NULL, '2', '5', 'open', NULL), ('opportunity', '4', NULL, '2', '6', 'open', 50),
	('contact', '21', '90', NULL, NULL, NULL, NULL), ('account', '90', NULL, NULL, NULL, NULL, NULL)$$, 'entities');
SELECT bag_eq($$SELECT pipeline, stage_key, label, ordinal, class FROM kcrm.stages$$, $$VALUES ('1', '1', 'Neu', 1, 'open'), ('1', '2', 'Nachfassen', 2, 'open'), ('1', '3', 'Gewonnen', 3, 'won'), ('1', '4', 'Verloren', 4, 'lost'), ('2', '5', 'Neu', 1, 'open'), ('2', '6', 'demo', 2, 'open')$$, 'stages');
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('krayin', 'krayin', 'kcrm', tz => 'Europe/Berlin', options => 'stage_attribute = Stand|Etape', replace => true)$$, 'with what the attribute was called, in another zone');
SELECT results_eq($$SELECT kind, at FROM kcrm.events WHERE event_id = 'krayin:stage:38'$$, $$VALUES ('Nachfassen', timestamptz '2024-01-20 08:00Z')$$, 'the move is there');

-- copied by a loader: JSON as texts, booleans as numbers, one of them unknown
CREATE SCHEMA loaded;
CREATE TABLE loaded.leads AS SELECT id::text, title, lead_value::text, lost_reason, closed_at::text, user_id, lead_pipeline_stage_id::text, created_at::text, updated_at::text FROM leads;
CREATE TABLE loaded.lead_pipeline_stages AS SELECT id, code, name FROM lead_pipeline_stages;
CREATE TABLE loaded.activities AS SELECT id::text, type, CASE WHEN id = 31 THEN to_json(additional::text)::text ELSE additional::text END AS additional, schedule_from::text, is_done::integer, user_id, created_at::text FROM activities;
CREATE TABLE loaded.lead_activities AS SELECT activity_id, lead_id::text FROM lead_activities;
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('krayin', 'loaded', 'kload')$$, 'texts');
SELECT bag_eq($$SELECT entity, kind, stage, at FROM kload.events WHERE stage IS NOT NULL AND entity <> '2'$$, $$VALUES ('1', 'Neu', '1', timestamptz '2024-01-01 09:00Z'), ('1', 'Nachfassen', '2', '2024-01-10 09:00Z'), ('1', 'Gewonnen', '3', '2024-02-01 10:00Z'), ('3', 'Neu', '5', '2024-01-03 09:00Z'), ('4', 'Neu', '5', '2024-01-04 09:00Z'), ('4', 'stage demo', '6', '2024-01-05 09:00Z')$$, 'stages from texts, in strings or not');
SELECT is((SELECT sum(value) FROM kload.events WHERE kind = 'won'), 1200.5::float8, 'amounts from texts');

-- from end to end
SELECT results_eq($$SELECT reached FROM activity_metrics.funnel_report('kcrm.events', 'created -> call -> meeting -> won within 180 days')$$, $$VALUES (4::bigint), (2), (1), (1)$$, 'a funnel: the meeting that is planned does not count');
SELECT is((SELECT source_relation FROM activity_metrics.metric WHERE metric = 'wins'), 'kcrm.events', 'metrics');
SELECT lives_ok($$SELECT * FROM activity_metrics.leading_indicators('wins')$$, 'leading_indicators');
SELECT lives_ok($$SELECT * FROM activity_metrics.vanity_report('wins')$$, 'vanity_report');
SELECT lives_ok($$SELECT * FROM activity_metrics.check_events('kcrm.events')$$, 'check_events');

-- leads alone
CREATE SCHEMA krayin_small;
CREATE TABLE krayin_small.leads AS TABLE leads;
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('krayin', 'krayin_small', 'kcrm_small')$$, 'tables that are missing are told, not an error');
SELECT set_eq($$SELECT DISTINCT kind FROM kcrm_small.events$$, ARRAY['created'], 'what is left');
SELECT cmp_ok((SELECT count(*) FROM kcrm_small.events_left_out WHERE rule = 'not found: left out'), '>=', 6::bigint, 'with what was not found');
SELECT throws_like($$SELECT * FROM activity_metrics.install_preset('krayin', 'kcrm_small', 'kcrm_x')$$, '%has no table "leads"%', 'no Krayin at all');

-- no table but the first is needed, and none is taken without its key
SELECT bag_eq($$SELECT * FROM pg_temp.without_each('krayin', 'krayin', NULL)$$, $$VALUES ('leads.id', 'table krayin.leads has no column "id"')$$, 'any key may be missing but that of the deals');

-- since, until and the entity reach the tables
SELECT is((SELECT count(*) FROM pg_temp.plan_of($$SELECT * FROM kcrm.events WHERE at >= '2024-01-10Z' AND at < '2024-02-01Z'$$) AS line WHERE line ~ '(Filter|Cond).*2024-01-10'), 7::bigint, 'bounds on time reach every branch');
SELECT is((SELECT count(*) FROM pg_temp.plan_of($$SELECT * FROM kcrm.events WHERE at >= '2024-01-10Z'$$) AS line WHERE line ~ 'Subquery Scan on (?!f|c)'), 0::bigint, 'no branch is computed whole');
SELECT cmp_ok((SELECT count(*) FROM pg_temp.plan_of($$SELECT * FROM kcrm.events WHERE entity = '1'$$) AS line WHERE line ~ '(Filter|Cond).*= ''1''::text'), '>=', 7::bigint, 'an entity, too');
-- any column may be missing; any row is in events once, or left out once; the reports run on the preset alone
RESET ROLE;
SET LOCAL search_path = public;
SELECT is_empty($$SELECT pg_temp.without_each_column('krayin', 'krayin')$$, 'a column that is missing is told, or refused by a message of our own');
DELETE FROM activity_metrics.metric;
SELECT ok(count(*) = 1, 'wins is the North Star') FROM activity_metrics.install_preset('krayin', 'krayin', 'kcrm', replace => true) WHERE what = 'North Star' AND subject = 'wins';
SELECT is_empty($$SELECT pg_temp.silent_reports('krayin', 'kcrm')$$, 'from end to end');
SELECT pg_temp.scatter('krayin.activities', 'id', 150), pg_temp.scatter('krayin.emails', 'id', 150) \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.not_once('kcrm', 'krayin.activities', 'id', 'activities')$$, 'every row of krayin.activities once');
SELECT is_empty($$SELECT * FROM pg_temp.not_once('kcrm', 'krayin.emails', 'id', 'emails')$$, 'every row of krayin.emails once');
-- deals and leads as well
SELECT pg_temp.scatter('krayin.leads', 'id', 100) \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.not_begun('kcrm', 'krayin.leads', 'id', 'created')$$, 'krayin.leads: each begins once, or is left out once');
SELECT is_empty($$SELECT pg_temp.too_old('kcrm')$$, 'kcrm: nothing from before 2000');

SELECT * FROM finish();
ROLLBACK;
