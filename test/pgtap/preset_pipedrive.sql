-- Preset of Pipedrive: Fivetran's tables with versions of deals, plural ones with the flow of deals and objects for keys; the rows that mislead.
BEGIN;
SELECT no_plan();
\ir preset_tools.psql
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;

CREATE SCHEMA pd;
SET LOCAL search_path = pd, public;
CREATE TABLE stage (id bigint PRIMARY KEY, name text, pipeline_id bigint, order_nr bigint, deal_probability bigint, is_deleted boolean);
-- one name in two pipelines, one that is a kind of event
INSERT INTO stage VALUES (1, 'Qualified', 1, 1, 20, false), (2, 'demo', 1, 2, 50, false), (3, 'Offer', 1, 3, 80, false), (4, 'Qualified', 2, 1, 100, false), (5, 'Old', 2, 2, 100, true);
CREATE TABLE deal (id bigint PRIMARY KEY, title text, status text, value double precision, currency text, stage_id bigint, pipeline_id bigint, person_id bigint, org_id bigint, creator_user_id bigint, owner_id bigint, add_time timestamptz, update_time timestamptz, stage_change_time timestamptz,
	won_time timestamptz, lost_time timestamptz, close_time timestamptz, expected_close_date date, lost_reason text, probability bigint, is_deleted boolean);
INSERT INTO deal VALUES
	(1, 'won', 'won', 1000, 'EUR', 3, 1, NULL, 90, 7, 8, '2024-01-01 09:00Z', '2024-06-01Z', '2024-01-20 09:00Z', '2024-02-01 10:00Z', NULL, '2024-02-01 10:00Z', '2024-01-31', NULL, NULL, false),
	(2, 'lost, time unknown', 'lost', 500, 'EUR', 2, 1, NULL, NULL, 7, 7, '2024-01-02 09:00Z', '2024-03-01 10:00Z', '2024-01-15 09:00Z', NULL, NULL, NULL, NULL, 'too dear', NULL, false),
	(3, 'open', 'open', 10, 'EUR', 4, 2, NULL, NULL, 7, 7, '2024-01-03 09:00Z', '2024-01-03 09:00Z', NULL, NULL, NULL, NULL, '2024-12-31', NULL, 40, false),
	(4, 'deleted', 'deleted', 99, 'USD', 1, 1, NULL, NULL, 7, 7, '2024-01-03 09:00Z', '2024-01-04 09:00Z', NULL, NULL, NULL, NULL, NULL, NULL, NULL, false),
	(5, 'gone', 'won', 99, 'USD', 1, 1, NULL, NULL, 7, 7, '2024-01-03 09:00Z', '2024-01-04 09:00Z', NULL, '2024-01-04Z', NULL, NULL, NULL, NULL, NULL, true);
CREATE TABLE deal_history (id bigint, _fivetran_start timestamptz, _fivetran_end timestamptz, _fivetran_active boolean, stage_id bigint, add_time timestamptz, stage_change_time timestamptz, owner_id bigint, value double precision);
INSERT INTO deal_history VALUES
	(1, '2024-01-01 09:30Z', '2024-01-05Z', false, 1, '2024-01-01 09:00Z', NULL, 7, 100), (1, '2024-01-05Z', '2024-01-10Z', false, 1, '2024-01-01 09:00Z', NULL, 7, 1000),
	(1, '2024-01-10 12:00Z', '2024-01-20Z', false, 2, '2024-01-01 09:00Z', '2024-01-10 09:00Z', 7, 1000), (1, '2024-01-20 12:00Z', '9999-12-31Z', true, 3, '2024-01-01 09:00Z', '2024-01-20 09:00Z', 8, 1000),
	(3, '2024-01-03 09:30Z', '9999-12-31Z', true, 4, '2024-01-03 09:00Z', NULL, 7, 10);
CREATE TABLE activity (id bigint PRIMARY KEY, type text, subject text, done boolean, due_date date, due_time text, duration text, marked_as_done_time timestamptz, deal_id bigint, lead_id text, person_id bigint, org_id bigint, owner_id bigint, creator_user_id bigint, add_time timestamptz, update_time timestamptz, is_deleted boolean);
INSERT INTO activity VALUES
	(10, 'call', 'done days after it was due', true, '2024-01-04', '10:00', '00:15', '2024-01-06 12:00Z', 1, NULL, 21, 90, 7, 7, '2024-01-03Z', NULL, false),
	(11, 'meeting', 'ticked off later', true, '2024-01-08', '14:30', '01:30', '2024-01-12 08:00Z', 1, NULL, NULL, NULL, 7, 7, '2024-01-03Z', NULL, false),
	(12, 'lunch', 'before it was due', true, '2024-02-08', '12:00', '100:00', '2024-01-09 08:00Z', 2, NULL, NULL, NULL, 7, 7, '2024-01-03Z', NULL, false),
	(13, 'call', 'planned', false, '2024-01-20', '09:00', '', NULL, 1, NULL, NULL, NULL, 7, 7, '2024-01-03Z', NULL, false),
	(14, 'task', 'planned, a day', false, '2024-01-21', '', NULL, NULL, 1, NULL, NULL, NULL, 7, 7, '2024-01-03Z', NULL, false),
	(15, 'email', 'no time of completion', true, '2024-01-10', NULL, 'soon', NULL, NULL, 'a-lead', NULL, NULL, 7, 7, '2024-01-03Z', NULL, false),
	(16, 'demo_online', 'a type of one''s own', true, '2024-01-11', '10:00', '00:45', '2024-01-11 11:00Z', 2, NULL, NULL, NULL, 8, 7, '2024-01-03Z', NULL, false),
	(17, 'whatsapp', 'of a person', true, NULL, NULL, NULL, '2024-01-11 12:00Z', NULL, NULL, 21, 90, 8, 7, '2024-01-03Z', NULL, false),
	(18, 'call', 'deleted', true, '2024-01-11', NULL, NULL, '2024-01-11 12:00Z', 1, NULL, NULL, NULL, 8, 7, '2024-01-03Z', NULL, true),
	(19, 'call', 'before the world', true, '1970-01-01', NULL, NULL, NULL, 1, NULL, NULL, NULL, 8, 7, '2024-01-03Z', NULL, false),
	(20, 'deadline', 'no date', false, NULL, '99:99', '00:99', NULL, NULL, NULL, NULL, 90, 8, 7, '2024-01-03Z', NULL, false);
CREATE TABLE call_logs (id text PRIMARY KEY, activity_id bigint, deal_id bigint, person_id bigint, org_id bigint, user_id bigint, outcome text, start_time timestamptz, end_time timestamptz);
INSERT INTO call_logs VALUES ('x1', 10, 1, 21, NULL, 7, 'connected', '2024-01-06 11:45Z', '2024-01-06 12:00Z'), ('x2', NULL, 2, NULL, NULL, 7, 'connected', '2024-01-07 11:00Z', '2024-01-07 11:10Z'), ('x3', NULL, NULL, 21, NULL, 7, 'no_answer', '2024-01-07 12:00Z', '2024-01-07 12:00Z');
CREATE TABLE note (id bigint PRIMARY KEY, content text, deal_id bigint, lead_id text, person_id bigint, org_id bigint, user_id bigint, add_time timestamptz, is_deleted boolean);
INSERT INTO note VALUES (31, 'note', 1, NULL, 21, 90, 7, '2024-01-13 10:00Z', false), (32, 'deleted', 1, NULL, NULL, NULL, 7, '2024-01-13 11:00Z', true);
CREATE TABLE lead (id text PRIMARY KEY, title text, owner_id bigint, creator_id bigint, add_time timestamptz);
INSERT INTO lead VALUES ('a-lead', 'lead', 7, 7, '2023-12-01 10:00Z');
CREATE TABLE mail_message (id bigint PRIMARY KEY, deal_id bigint, user_id bigint, message_time timestamptz, add_time timestamptz, sent_flag boolean, draft_flag boolean, sent_from_pipedrive_flag boolean, _fivetran_deleted boolean);
INSERT INTO mail_message VALUES (41, 1, 7, '2024-01-14 10:00Z', '2024-01-14 10:05Z', true, false, true, false), (42, 1, 7, '2024-01-14 11:00Z', '2024-01-14 11:05Z', false, false, false, false), (43, 1, 7, '2024-01-14 12:00Z', NULL, false, true, false, false), (44, 1, 7, '2024-01-14 13:00Z', NULL, true, false, false, true);
CREATE TABLE organization (id bigint PRIMARY KEY, name text, owner_id bigint, add_time timestamptz, is_deleted boolean);
INSERT INTO organization VALUES (90, 'Acme', 7, '2023-01-01Z', false);
CREATE TABLE person (id bigint PRIMARY KEY, name text, org_id bigint, owner_id bigint, add_time timestamptz, is_deleted boolean);
INSERT INTO person VALUES (21, 'Eve', 90, 7, '2023-01-01Z', true);

SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('pipedrive', 'pd', 'pcrm', options => 'days = America/New_York')$$, 'installed');
CREATE TEMP TABLE wanted (event_id text, entity_type text, entity text, kind text, at timestamptz, actor text, status text, value float8, origin text);
INSERT INTO wanted VALUES
	('pipedrive:activity:10', 'opportunity', '1', 'call', '2024-01-06 12:00', '7', 'done', 900, NULL), ('pipedrive:activity:11', 'opportunity', '1', 'meeting', '2024-01-08 14:30', '7', 'done', 5400, NULL), ('pipedrive:activity:12', 'opportunity', '2', 'meeting', '2024-01-09 08:00', '7', 'done', 360000, NULL),
	('pipedrive:activity:13', 'opportunity', '1', 'call', '2024-01-20 09:00', '7', 'planned', NULL, NULL), ('pipedrive:activity:14', 'opportunity', '1', 'task', '2024-01-21 05:00', '7', 'planned', NULL, NULL), ('pipedrive:activity:15', 'lead', 'a-lead', 'email_out', '2024-01-10 05:00', '7', 'done', NULL, NULL),
	('pipedrive:activity:16', 'opportunity', '2', 'demo', '2024-01-11 10:00', '8', 'done', 2700, NULL), ('pipedrive:activity:17', 'contact', '21', 'message', '2024-01-11 12:00', '8', 'done', NULL, NULL), ('pipedrive:activity:20', 'account', '90', 'task', '2024-01-03 00:00', '8', 'planned', NULL, NULL),
	('pipedrive:call:x2', 'opportunity', '2', 'call', '2024-01-07 11:00', '7', 'done', 600, 'integration'), ('pipedrive:call:x3', 'contact', '21', 'call', '2024-01-07 12:00', '7', 'no_show', 0, 'integration'),
	('pipedrive:note:31', 'opportunity', '1', 'note', '2024-01-13 10:00', '7', 'done', NULL, 'manual'), ('pipedrive:mail:41', 'opportunity', '1', 'email_out', '2024-01-14 10:00', '7', 'done', NULL, 'manual'), ('pipedrive:mail:42', 'opportunity', '1', 'email_in', '2024-01-14 11:00', '7', 'done', NULL, 'integration'),
	('pipedrive:lead:a-lead', 'lead', 'a-lead', 'lead', '2023-12-01 10:00', '7', 'done', NULL, NULL),
	('pipedrive:created:1', 'opportunity', '1', 'created', '2024-01-01 09:00', '7', 'done', NULL, NULL), ('pipedrive:created:2', 'opportunity', '2', 'created', '2024-01-02 09:00', '7', 'done', NULL, NULL), ('pipedrive:created:3', 'opportunity', '3', 'created', '2024-01-03 09:00', '7', 'done', NULL, NULL),
	('pipedrive:closed:1', 'opportunity', '1', 'won', '2024-02-01 10:00', '8', 'done', 1000, NULL), ('pipedrive:closed:2', 'opportunity', '2', 'lost', '2024-01-15 09:00', '7', 'done', NULL, NULL);
SELECT bag_eq($$SELECT event_id, entity_type, entity, kind, at, actor, status, value, origin FROM pcrm.events WHERE stage IS NULL$$, 'TABLE wanted', 'events');
SELECT bag_eq($$SELECT event_id, kind, stage, at, actor, attrs ->> 'pipeline' AS pipeline FROM pcrm.events WHERE stage IS NOT NULL$$, $$VALUES ('pipedrive:stage:1:1', 'Qualified', '1', timestamptz '2024-01-01 09:00Z', '7', '1'), ('pipedrive:stage:1:3', 'stage demo', '2', '2024-01-10 09:00Z', '7', '1'), ('pipedrive:stage:1:4', 'Offer', '3', '2024-01-20 09:00Z', '8', '1'),
	('pipedrive:stage:3:1', 'Qualified', '4', '2024-01-03 09:00Z', '7', '2')$$, 'stages by versions: equal neighbours are one');
SELECT bag_eq($$SELECT rule, source, id FROM pcrm.events_left_out WHERE id IS NOT NULL$$, $$VALUES ('deleted', 'deal', '5'), ('of status deleted', 'deal', '4'), ('deleted', 'activity', '18'), ('before 2000', 'activity', '19'), ('deleted', 'note', '32'), ('a draft', 'mail_message', '43'), ('deleted', 'mail_message', '44'),
	('an activity as well', 'call_logs', 'x1'), ('deleted', 'stage', '5')$$, 'what is left out');
SELECT bag_eq($$SELECT entity_type, entity_id, parent_id, status, amount, is_deleted, closed_at FROM pcrm.entities$$, $$VALUES ('opportunity', '1', '90', 'won', 1000::float8, false, timestamptz '2024-02-01 10:00Z'), ('opportunity', '2', NULL, 'lost', 500, false, '2024-01-15 09:00Z'), ('opportunity', '3', NULL, 'open', 10, false, NULL),
	('opportunity', '4', NULL, 'open', 99, true, NULL), ('opportunity', '5', NULL, 'won', 99, true, '2024-01-04Z'), ('lead', 'a-lead', NULL, NULL, NULL, false, NULL), ('account', '90', NULL, NULL, NULL, false, NULL), ('contact', '21', '90', NULL, NULL, true, NULL)$$, 'entities');
SELECT bag_eq($$SELECT pipeline, stage_key, label, ordinal, class, probability FROM pcrm.stages$$, $$VALUES ('1', '1', 'Qualified', 1, 'open', 0.2::float8), ('1', '2', 'demo', 2, 'open', 0.5), ('1', '3', 'Offer', 3, 'open', 0.8), ('2', '4', 'Qualified', 1, 'open', 1)$$, 'stages');

-- from end to end
SELECT results_eq($$SELECT reached FROM activity_metrics.funnel_report('pcrm.events', 'created -> call -> meeting -> won within 180 days')$$, $$VALUES (3::bigint), (2), (2), (1)$$, 'a funnel: the deal in the other currency is deleted, so that it does not matter');
SELECT is((SELECT sum(value) FROM pcrm.events WHERE kind = 'won'), 1000::float8, 'amounts');
SELECT is((SELECT source_relation FROM activity_metrics.metric WHERE metric = 'revenue'), 'pcrm.events', 'metrics');
SELECT lives_ok($$SELECT * FROM activity_metrics.leading_indicators('wins')$$, 'leading_indicators');
SELECT lives_ok($$SELECT * FROM activity_metrics.vanity_report('wins')$$, 'vanity_report');
SELECT lives_ok($$SELECT * FROM activity_metrics.check_events('pcrm.events')$$, 'check_events');
UPDATE deal SET status = 'won', currency = 'USD' WHERE id = 2;
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('pipedrive', 'pd', 'pcrm', replace => true, options => 'days = America/New_York')$$, 'two currencies');
SELECT results_eq($$SELECT count(*), sum(value) FROM pcrm.events WHERE kind = 'won'$$, $$VALUES (2::bigint, NULL::float8)$$, 'are not added up');
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('pipedrive', 'pd', 'pcrm', replace => true, options => 'currency = USD, days = America/New_York')$$, 'one of them');
SELECT is((SELECT sum(value) FROM pcrm.events WHERE kind = 'won'), 500::float8, 'is');

-- plural names, texts, objects for users, persons and organizations; the flow of deals
CREATE SCHEMA singer;
CREATE TABLE singer.deals (id bigint, title text, status text, value numeric, currency text, stage_id bigint, pipeline_id bigint, user_id jsonb, creator_user_id jsonb, org_id jsonb, add_time text, update_time text, stage_change_time text, won_time text, lost_time text, close_time text, active boolean, deleted boolean);
INSERT INTO singer.deals VALUES
	(1, 'won: not active, yet not deleted', 'won', 1000, 'EUR', 3, 1, '{"id": 8, "name": "Bob", "value": 8}', '{"id": 7, "name": "Ann", "value": 7}', '{"name": "Acme", "owner_id": 7, "value": 90}', '2024-01-01 09:00:00', NULL, NULL, '2024-02-01 10:00:00', NULL, NULL, false, false),
	(2, 'never moved', 'open', 500, 'EUR', 2, 1, '{"id": 7}', '{"id": 7}', NULL, '0000-00-00 00:00:00', NULL, NULL, NULL, NULL, NULL, true, false),
	(3, 'from nothing', 'open', 500, 'EUR', 2, 1, '{"id": 7}', '{"id": 7}', NULL, '2024-01-02 09:00:00', NULL, NULL, NULL, NULL, NULL, true, false),
	(4, 'deleted', 'open', 500, 'EUR', 2, 1, '{"id": 7}', '{"id": 7}', NULL, '2024-01-02 09:00:00', NULL, NULL, NULL, NULL, NULL, false, true);
CREATE TABLE singer.dealflow (id bigint, item_id bigint, user_id bigint, field_key text, old_value text, new_value text, log_time text, change_source text);
INSERT INTO singer.dealflow VALUES (101, 1, 7, 'stage_id', '1', '2', '2024-01-10 09:00:00', 'app'), (102, 1, 8, 'stage_id', '2', '3', '2024-01-20 09:00:00', 'app'), (103, 1, 8, 'value', '1', '1000', '2024-01-20 09:00:00', 'app'), (104, 3, 7, 'stage_id', NULL, '2', '2024-01-02 09:00:00', 'api'), (105, 1, 8, 'stage_id', '3', '77', '2024-01-30 09:00:00', 'app');
CREATE TABLE singer.stages AS TABLE stage;
CREATE TABLE singer.activities (id bigint, type text, done integer, due_date text, due_time time, duration time, marked_as_done_time text, deal_id bigint, person_id bigint, org_id bigint, user_id bigint, add_time text, active_flag boolean);
INSERT INTO singer.activities VALUES (10, 'call', 1, '2024-01-04', '10:00', '00:15', '2024-01-06 12:00:00', 1, NULL, NULL, 7, '2024-01-03 00:00:00', true), (11, 'call', 1, '2024-01-04', '10:00', '00:15', '2024-01-06 12:00:00', 1, NULL, NULL, 7, '2024-01-03 00:00:00', false),
	(12, 'meeting', 1, '2024-01-08', '14:30', NULL, '', 1, NULL, NULL, 7, '2024-01-03 00:00:00', true), (13, 'meeting', 0, 'some day', NULL, NULL, NULL, 1, NULL, NULL, 7, '2024-01-03 00:00:00', true);
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('pipedrive', 'singer', 'psinger', options => 'days = America/New_York')$$, 'plural names');
SELECT bag_eq($$SELECT event_id, kind, at, actor, status, value FROM psinger.events$$, $$VALUES ('pipedrive:activity:10', 'call', timestamptz '2024-01-06 12:00Z', '7', 'done', 900::float8), ('pipedrive:activity:12', 'meeting', '2024-01-08 14:30Z', '7', 'done', NULL), ('pipedrive:activity:13', 'meeting', '2024-01-03 00:00Z', '7', 'planned', NULL),
	('pipedrive:created:1', 'created', '2024-01-01 09:00Z', '7', 'done', NULL), ('pipedrive:created:2', 'created', NULL, '7', 'done', NULL), ('pipedrive:created:3', 'created', '2024-01-02 09:00Z', '7', 'done', NULL), ('pipedrive:closed:1', 'won', '2024-02-01 10:00Z', '8', 'done', 1000),
	('pipedrive:first stage:1', 'Qualified', '2024-01-01 09:00Z', '7', 'done', NULL), ('pipedrive:stage:1:101', 'stage demo', '2024-01-10 09:00Z', '7', 'done', NULL), ('pipedrive:stage:1:102', 'Offer', '2024-01-20 09:00Z', '8', 'done', NULL), ('pipedrive:stage:1:105', '77', '2024-01-30 09:00Z', '8', 'done', NULL),
	('pipedrive:first stage:2', 'stage demo', NULL, '7', 'done', NULL), ('pipedrive:stage:3:104', 'stage demo', '2024-01-02 09:00Z', '7', 'done', NULL)$$, 'events: a first stage for each deal, once; users by their keys');
SELECT bag_eq($$SELECT rule, source, id, example FROM psinger.events_left_out WHERE id IS NOT NULL$$, $$VALUES ('deleted', 'deals', '4', NULL::text), ('not active: deleted', 'activities', '11', NULL), ('deleted', 'stages', '5', NULL), ('not a time: NULL', 'deals.add_time', '2', '0000-00-00 00:00:00'), ('not a time: NULL', 'activities.due_date', '13', 'some day'), ('not a date: NULL', 'activities.due_date', '13', 'some day')$$, 'what is left out');
SELECT is((SELECT parent_id FROM psinger.entities WHERE entity_id = '1'), '90', 'the organization by its key');

-- deals alone
CREATE SCHEMA pd_small;
CREATE TABLE pd_small.deals AS SELECT id, status, stage_id, add_time, stage_change_time FROM deal;
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('pipedrive', 'pd_small', 'pcrm_small', options => 'days = America/New_York')$$, 'tables that are missing are told, not an error');
SELECT bag_eq($$SELECT kind, at FROM pcrm_small.events WHERE entity = '1'$$, $$VALUES ('created', timestamptz '2024-01-01 09:00Z'), ('won', '2024-01-20 09:00Z'), ('3', '2024-01-20 09:00Z')$$, 'what is left: the stage now, since the last change');
SELECT bag_eq($$SELECT source FROM pcrm_small.events_left_out WHERE rule = 'not found: left out' AND source ~ 'stage'$$, $$VALUES ('stages: stages of all pipelines (no stage with id and pipeline_id)')$$, 'a history that another table stands in for is not missed');
SELECT throws_like($$SELECT * FROM activity_metrics.install_preset('pipedrive', 'pcrm_small', 'pcrm_x')$$, '%has no table "deal"%', 'no Pipedrive at all');

-- no table but the first is needed, and none is taken without its key
SELECT bag_eq($$SELECT * FROM pg_temp.without_each('pipedrive', 'singer', 'days = America/New_York')$$, $$VALUES ('deals.id', 'table singer.deals has no column "id"')$$, 'any key may be missing but that of the deals');

-- since, until and the entity reach the tables
SELECT cmp_ok((SELECT count(*) FROM pg_temp.plan_of($$SELECT * FROM psinger.events WHERE at >= '2024-01-10Z' AND at < '2024-02-01Z'$$) AS line WHERE line ~ '(Filter|Cond).*2024-01-10'), '>=', 6::bigint, 'bounds on time reach every branch');
SELECT is((SELECT count(*) FROM pg_temp.plan_of($$SELECT * FROM pcrm.events WHERE at >= '2024-01-10Z'$$) AS line WHERE line ~ 'Subquery Scan on (?!h)'), 0::bigint, 'no branch is computed whole, but for the history');
SELECT cmp_ok((SELECT count(*) FROM pg_temp.plan_of($$SELECT * FROM pcrm.events WHERE entity = '1'$$) AS line WHERE line ~ '(Filter|Cond).*= ''1''::text'), '>=', 9::bigint, 'an entity reaches it, too');
-- any column may be missing; any row is in events once, or left out once; the reports run on the preset alone
RESET ROLE;
SET LOCAL search_path = public;
SELECT is_empty($$SELECT pg_temp.without_each_column('pipedrive', 'pd')$$, 'a column that is missing is told, or refused by a message of our own');
DELETE FROM activity_metrics.metric;
SELECT ok(count(*) = 1, 'wins is the North Star') FROM activity_metrics.install_preset('pipedrive', 'pd', 'pcrm', replace => true) WHERE what = 'North Star' AND subject = 'wins';
SELECT is_empty($$SELECT pg_temp.silent_reports('pipedrive', 'pcrm')$$, 'from end to end');
SELECT pg_temp.scatter('pd.activity', 'id', 150), pg_temp.scatter('pd.call_logs', 'id', 150), pg_temp.scatter('pd.note', 'id', 150), pg_temp.scatter('pd.mail_message', 'id', 150) \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.not_once('pcrm', 'pd.activity', 'id', 'activity')$$, 'every row of pd.activity once');
SELECT is_empty($$SELECT * FROM pg_temp.not_once('pcrm', 'pd.call_logs', 'id', 'call_logs')$$, 'every row of pd.call_logs once');
SELECT is_empty($$SELECT * FROM pg_temp.not_once('pcrm', 'pd.note', 'id', 'note')$$, 'every row of pd.note once');
SELECT is_empty($$SELECT * FROM pg_temp.not_once('pcrm', 'pd.mail_message', 'id', 'mail_message')$$, 'every row of pd.mail_message once');
-- deals and leads as well
SELECT pg_temp.scatter('pd.deal', 'id', 100), pg_temp.scatter('pd.lead', 'id', 100) \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.not_begun('pcrm', 'pd.deal', 'id', 'created')$$, 'pd.deal: each begins once, or is left out once');
SELECT is_empty($$SELECT * FROM pg_temp.not_begun('pcrm', 'pd.lead', 'id', 'lead')$$, 'pd.lead: each begins once, or is left out once');
SELECT is_empty($$SELECT pg_temp.too_old('pcrm')$$, 'pcrm: nothing from before 2000');

SELECT * FROM finish();
ROLLBACK;
