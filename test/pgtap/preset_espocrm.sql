-- Preset of EspoCRM and SuiteCRM: both layouts, with the rows that mislead.
BEGIN;
SELECT no_plan();
\ir preset_tools.psql
SET timezone = 'UTC';
SET client_min_messages = warning;

CREATE SCHEMA espo;
CREATE TABLE espo.opportunity (id varchar(17) PRIMARY KEY, name text, deleted boolean DEFAULT false, stage text, last_stage text, amount float8, amount_currency varchar(3), probability integer, close_date date, created_at timestamp, modified_at timestamp, created_by_id varchar(17), assigned_user_id varchar(17), account_id varchar(17));
INSERT INTO espo.opportunity VALUES
	('o1', 'won by note', false, 'Closed Won', NULL, 900, 'EUR', 100, '2024-06-30', '2024-01-01 08:00', '2024-03-01 00:00', 'u1', 'u1', 'a1'),
	('o2', 'lost, no note', false, 'Closed Lost', 'Proposal', 100, 'EUR', 0, '2024-02-10', '2024-01-02 08:00', '2024-03-01 00:00', 'u2', 'u2', 'a1'),
	('o3', 'deleted', true, 'Prospecting', NULL, 100, 'EUR', 10, '2024-02-10', '2024-01-02 08:00', '2024-03-01 00:00', 'u2', 'u2', 'a1');
CREATE TABLE espo.note (id varchar(17), type text, parent_type text, parent_id varchar(17), data text, created_at timestamp, created_by_id varchar(17), deleted boolean);
INSERT INTO espo.note VALUES
	('n1', 'Update', 'Opportunity', 'o1', '{"fields":["stage"],"attributes":{"was":{"stage":"Prospecting"},"became":{"stage":"Proposal"}}}', '2024-01-10 09:00', 'u1', false),
	('n2', 'Status', 'Opportunity', 'o1', '{"field":"stage","value":"Closed Won","style":"success"}', '2024-01-20 09:00', 'u1', false),
	('n3', 'Update', 'Opportunity', 'o1', '{"fields":["amount"],"attributes":{"was":{"amount":1},"became":{"amount":900}}}', '2024-01-21 09:00', 'u1', false),
	('n4', 'Post', 'Opportunity', 'o1', NULL, '2024-01-21 09:00', 'u1', false),
	('n5', 'Update', 'Opportunity', 'o2', '{broken', '2024-01-21 09:00', 'u1', false);
CREATE TABLE espo.call (id varchar(17), status text, date_start timestamp, date_end timestamp, direction text, parent_type text, parent_id varchar(17), account_id varchar(17), assigned_user_id varchar(17), created_at timestamp, deleted boolean);
INSERT INTO espo.call VALUES
	('c1', 'Held', '2024-01-05 10:00', '2024-01-05 10:15', 'Outbound', 'Opportunity', 'o1', 'a1', 'u1', '2024-01-05 11:00', false),
	('c2', 'Planned', '2124-01-05 10:00', '2124-01-05 10:15', 'Outbound', 'Opportunity', 'o1', 'a1', 'u1', '2024-01-05 11:00', false),
	('c3', 'Not Held', '2024-01-06 10:00', '2024-01-06 10:15', 'Inbound', 'Lead', 'l1', NULL, 'u2', '2024-01-05 11:00', false),
	('c4', 'Held', '2024-01-06 10:00', '2024-01-06 10:15', 'Inbound', 'Opportunity', 'o1', NULL, 'u2', '2024-01-05 11:00', true),
	('c5', 'Held', '2024-01-07 10:00', '2024-01-07 10:30', 'Inbound', NULL, NULL, 'a1', 'u2', '2024-01-07 11:00', false),
	('c6', 'Held', '2024-01-07 10:00', '2024-01-07 10:30', 'Inbound', 'Lead', 'l2', NULL, 'u2', '2024-01-07 11:00', false);
CREATE TABLE espo.email (id varchar(17), status text, date_sent timestamp, sent_by_id varchar(17), is_auto_reply boolean, parent_type text, parent_id varchar(17), account_id varchar(17), created_at timestamp, deleted boolean);
INSERT INTO espo.email VALUES
	('e1', 'Sent', '2024-01-08 10:00', 'u1', false, 'Opportunity', 'o1', NULL, '2024-01-08 10:00', false),
	('e2', 'Archived', '2024-01-08 12:00', NULL, false, 'Opportunity', 'o1', NULL, '2024-01-08 12:00', false),
	('e3', 'Draft', NULL, 'u1', false, 'Opportunity', 'o1', NULL, '2024-01-08 12:00', false),
	('e4', 'Archived', '2024-01-08 13:00', NULL, true, 'Opportunity', 'o1', NULL, '2024-01-08 13:00', false);
CREATE TABLE espo.lead (id varchar(17), status text, created_opportunity_id varchar(17), assigned_user_id varchar(17), created_at timestamp, deleted boolean);
INSERT INTO espo.lead VALUES ('l1', 'New', NULL, 'u2', '2024-01-01 00:00', false), ('l2', 'Converted', 'o2', 'u2', '2023-12-01 00:00', false);
CREATE TABLE espo.account (id varchar(17), assigned_user_id varchar(17), created_at timestamp, deleted boolean);
INSERT INTO espo.account VALUES ('a1', 'u1', '2023-01-01', false);

SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('espo_crm', 'espo', 'crm_espo')$$, 'EspoCRM, named with another spelling');
SELECT set_eq('SELECT event_id, entity_type, entity, kind, at, actor, status, value FROM crm_espo.events', $$VALUES
	('espo:call:c1', 'opportunity', 'o1', 'call', '2024-01-05 10:00Z'::timestamptz, 'u1', 'done', 900::float8),
	('espo:call:c2', 'opportunity', 'o1', 'call', '2124-01-05 10:00Z', 'u1', 'planned', 900),
	('espo:call:c3', 'lead', 'l1', 'call', '2024-01-06 10:00Z', 'u2', 'cancelled', 900),
	('espo:call:c5', 'account', 'a1', 'call', '2024-01-07 10:00Z', 'u2', 'done', 1800),
	('espo:call:c6', 'opportunity', 'o2', 'call', '2024-01-07 10:00Z', 'u2', 'done', 1800),
	('espo:email:e1', 'opportunity', 'o1', 'email_out', '2024-01-08 10:00Z', 'u1', 'done', NULL),
	('espo:email:e2', 'opportunity', 'o1', 'email_in', '2024-01-08 12:00Z', NULL, 'done', NULL),
	('espo:lead:l1', 'lead', 'l1', 'lead', '2024-01-01 00:00Z', 'u2', 'done', NULL),
	('espo:lead:l2', 'opportunity', 'o2', 'lead', '2023-12-01 00:00Z', 'u2', 'done', NULL),
	('espo:created:o1', 'opportunity', 'o1', 'created', '2024-01-01 08:00Z', 'u1', 'done', NULL),
	('espo:created:o2', 'opportunity', 'o2', 'created', '2024-01-02 08:00Z', 'u2', 'done', NULL),
	('espo:closed:o1', 'opportunity', 'o1', 'won', '2024-01-20 09:00Z', 'u1', 'done', 900),
	('espo:closed:o2', 'opportunity', 'o2', 'lost', '2024-02-10 23:59:59Z', 'u2', 'done', NULL),
	('espo:stage:n1', 'opportunity', 'o1', 'Proposal', '2024-01-10 09:00Z', 'u1', 'done', NULL),
	('espo:stage:n2', 'opportunity', 'o1', 'Closed Won', '2024-01-20 09:00Z', 'u1', 'done', NULL),
	('espo:first stage:o1', 'opportunity', 'o1', 'Prospecting', '2024-01-01 08:00Z', 'u1', 'done', NULL),
	('espo:first stage:o2', 'opportunity', 'o2', 'Closed Lost', '2024-01-02 08:00Z', 'u2', 'done', NULL)$$, 'events of EspoCRM');
SELECT set_eq($$SELECT rule, id FROM crm_espo.events_left_out WHERE id IS NOT NULL$$,
	$$VALUES ('deleted', 'o3'), ('deleted', 'c4'), ('not sent', 'e3'), ('automatic reply', 'e4'), ('not a json: NULL', 'n5')$$, 'what is left out');
SELECT set_eq($$SELECT entity_id, status, is_deleted FROM crm_espo.entities WHERE entity_type = 'opportunity'$$, $$VALUES ('o1'::text, 'won', false), ('o2', 'lost', false), ('o3', 'open', true)$$, 'entities');
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('espocrm', 'espo', 'crm_espo', options => 'won = ''Closed Won|Proposal'', lost = Dropped', replace => true)$$, 'stages of one''s own');
INSERT INTO espo.opportunity VALUES ('o4', 'other money', false, 'Closed Won', NULL, 50, 'USD', 100, '2024-06-30', '2024-01-01 08:00', '2024-03-01 00:00', 'u1', 'u1', 'a1');
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('espocrm', 'espo', 'crm_espo', replace => true)$$, 'installed again');
SELECT is((SELECT sum(value) FROM crm_espo.events WHERE kind = 'won'), NULL, 'two currencies do not add up');
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('espocrm', 'espo', 'crm_espo', options => 'currency = EUR', replace => true)$$, 'one of them');
SELECT is((SELECT sum(value) FROM crm_espo.events WHERE kind = 'won'), 900::float8, 'the other is not counted');

CREATE SCHEMA suite;
CREATE TABLE suite.opportunities (id char(36), name text, deleted smallint, sales_stage text, amount float8, currency_id char(36), probability float8, date_closed date, date_entered timestamp, date_modified timestamp, created_by char(36), assigned_user_id char(36));
INSERT INTO suite.opportunities VALUES
	('o1', 'won', 0, 'Closed Won', 900, '-99', 100, '2024-06-30', '2024-01-01 08:00', '2024-03-01 00:00', 'u1', 'u1'),
	('o2', 'open', 0, 'Proposal', 100, '-99', 40, '2024-12-10', '2024-01-02 08:00', '2024-03-01 00:00', 'u2', 'u2'),
	('o3', 'deleted', 1, 'Proposal', 100, '-99', 40, '2024-12-10', '2024-01-02 08:00', '2024-03-01 00:00', 'u2', 'u2');
CREATE TABLE suite.opportunities_audit (id char(36), parent_id char(36), field_name text, before_value_string text, after_value_string text, date_created timestamp, created_by char(36));
INSERT INTO suite.opportunities_audit VALUES
	('x1', 'o1', 'sales_stage', 'Prospecting', 'Proposal', '2024-01-10 09:00', 'u1'), ('x2', 'o1', 'sales_stage', 'Proposal', 'Closed Won', '2024-01-20 09:00', 'u1'), ('x3', 'o1', 'amount', '1', '900', '2024-01-20 09:00', 'u1');
CREATE TABLE suite.calls (id char(36), status text, date_start text, duration_hours integer, duration_minutes integer, direction text, parent_type text, parent_id char(36), assigned_user_id char(36), date_entered timestamp, deleted smallint);
INSERT INTO suite.calls VALUES ('c1', 'Held', '2024-01-05 10:00:00', 0, 15, 'Outbound', 'Opportunities', 'o1', 'u1', '2024-01-05 11:00', 0), ('c2', 'Held', 'tomorrow?', 1, NULL, 'Outbound', 'Opportunities', 'o1', 'u1', '2024-01-05 11:00', 0);
CREATE TABLE suite.emails (id char(36), type text, status text, date_sent_received timestamp, parent_type text, parent_id char(36), assigned_user_id char(36), date_entered timestamp, deleted smallint);
INSERT INTO suite.emails VALUES ('e1', 'out', 'sent', '2024-01-08 10:00', 'Opportunities', 'o1', 'u1', '2024-01-08 10:00', 0), ('e2', 'inbound', 'read', '2024-01-08 12:00', 'Opportunities', 'o1', 'u1', '2024-01-08 10:00', 0), ('e3', 'draft', 'draft', '2024-01-08 12:00', 'Opportunities', 'o1', 'u1', '2024-01-08 10:00', 0);
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('espocrm', 'suite', 'crm_suite')$$, 'SuiteCRM');
SELECT set_eq('SELECT event_id, entity, kind, at, actor, status, value FROM crm_suite.events', $$VALUES
	('espo:call:c1', 'o1', 'call', '2024-01-05 10:00Z'::timestamptz, 'u1', 'done', 900::float8),
	('espo:call:c2', 'o1', 'call', NULL, 'u1', 'done', 3600),
	('espo:email:e1', 'o1', 'email_out', '2024-01-08 10:00Z', 'u1', 'done', NULL),
	('espo:email:e2', 'o1', 'email_in', '2024-01-08 12:00Z', 'u1', 'done', NULL),
	('espo:created:o1', 'o1', 'created', '2024-01-01 08:00Z', 'u1', 'done', NULL),
	('espo:created:o2', 'o2', 'created', '2024-01-02 08:00Z', 'u2', 'done', NULL),
	('espo:closed:o1', 'o1', 'won', '2024-01-20 09:00Z', 'u1', 'done', 900),
	('espo:stage:x1', 'o1', 'Proposal', '2024-01-10 09:00Z', 'u1', 'done', NULL),
	('espo:stage:x2', 'o1', 'Closed Won', '2024-01-20 09:00Z', 'u1', 'done', NULL),
	('espo:first stage:o1', 'o1', 'Prospecting', '2024-01-01 08:00Z', 'u1', 'done', NULL),
	('espo:first stage:o2', 'o2', 'Proposal', '2024-01-02 08:00Z', 'u2', 'done', NULL)$$, 'events of SuiteCRM');
SELECT is((SELECT example FROM crm_suite.events_left_out WHERE rule = 'not a time: NULL'), 'tomorrow?', 'a text that is no time is shown');
SELECT is((SELECT reached FROM activity_metrics.funnel_report('crm_suite.events', 'created -> won within 180 days') WHERE step = 'won'), 1::bigint, 'a funnel');
SELECT lives_ok($$SELECT * FROM activity_metrics.leading_indicators('wins')$$, 'leading_indicators');
SELECT lives_ok($$SELECT * FROM activity_metrics.vanity_report('wins')$$, 'vanity_report');
-- meetings and tasks of both; what hangs on a contact or a case; what names no record
CREATE TABLE espo.meeting (id varchar(17), status text, date_start timestamp, date_end timestamp, is_all_day boolean, parent_type text, parent_id varchar(17), account_id varchar(17), assigned_user_id varchar(17), created_at timestamp, deleted boolean);
INSERT INTO espo.meeting VALUES ('m1', 'Held', '2024-01-09 10:00', '2024-01-09 11:00', false, 'Opportunity', 'o1', 'a1', 'u1', '2024-01-08', false), ('m2', 'Planned', '2124-01-09 10:00', NULL, false, 'Case', 'k1', 'a1', 'u1', '2024-01-08', false), ('m3', 'Not Held', '2024-01-09 10:00', NULL, false, 'Contact', 'p1', NULL, 'u1', '2024-01-08', false),
	('m4', 'Held', '2024-01-09 10:00', NULL, false, NULL, NULL, NULL, 'u1', '2024-01-08', false), ('m5', 'Held', '1970-01-19 10:00', NULL, false, 'Opportunity', 'o1', NULL, 'u1', '2024-01-08', false), ('m6', 'Held', '2024-01-09 10:00', NULL, false, 'Opportunity', 'o1', NULL, 'u1', '2024-01-08', true);
CREATE TABLE espo.task (id varchar(17), status text, date_end timestamp, date_completed timestamp, parent_type text, parent_id varchar(17), account_id varchar(17), assigned_user_id varchar(17), created_at timestamp, modified_at timestamp, deleted boolean);
INSERT INTO espo.task VALUES ('t1', 'Completed', '2024-02-09', '2024-01-11 10:00', 'Opportunity', 'o1', NULL, 'u1', '2024-01-08', NULL, false), ('t2', 'Started', '2024-02-10 10:00', NULL, 'Opportunity', 'o1', NULL, 'u1', '2024-01-08', NULL, false), ('t3', 'Canceled', NULL, NULL, 'Account', 'a1', NULL, 'u1', '2024-01-08', NULL, false), ('t4', 'Deferred', NULL, NULL, 'Opportunity', 'o1', NULL, 'u1', '2024-01-09', NULL, false);
CREATE TABLE suite.tasks (id char(36), status text, date_due timestamp, parent_type text, parent_id char(36), assigned_user_id char(36), date_entered timestamp, date_modified timestamp, deleted smallint);
INSERT INTO suite.tasks VALUES ('t1', 'Completed', '2024-02-09', 'Opportunities', 'o1', 'u1', '2024-01-08', '2024-01-10 10:00', 0);
CREATE TABLE suite.meetings (id char(36), status text, date_start timestamp, duration_hours integer, duration_minutes integer, parent_type text, parent_id char(36), assigned_user_id char(36), date_entered timestamp, deleted smallint);
INSERT INTO suite.meetings VALUES ('m1', 'Held', '2024-01-07 10:00', 1, 30, 'Opportunities', 'o1', 'u1', '2024-01-07', 0);
SELECT lives_ok(format('SELECT * FROM activity_metrics.install_preset(''espocrm'', %L, %L, replace => true)', s, 'crm_' || s), s || ' with meetings and tasks') FROM unnest(ARRAY['espo', 'suite']) AS s;
SELECT set_eq($$SELECT event_id, entity_type, entity, kind, at, status, value FROM crm_espo.events WHERE source IN ('meeting', 'task')$$, $$VALUES ('espo:meeting:m1', 'opportunity', 'o1', 'meeting', timestamptz '2024-01-09 10:00Z', 'done', 3600::float8), ('espo:meeting:m2', 'ticket', 'k1', 'meeting', '2124-01-09 10:00Z', 'planned', NULL),
	('espo:meeting:m3', 'contact', 'p1', 'meeting', '2024-01-09 10:00Z', 'cancelled', NULL), ('espo:task:t1', 'opportunity', 'o1', 'task', '2024-01-11 10:00Z', 'done', NULL), ('espo:task:t2', 'opportunity', 'o1', 'task', '2024-02-10 10:00Z', 'planned', NULL),
	('espo:task:t3', 'account', 'a1', 'task', '2024-01-08 00:00Z', 'cancelled', NULL), ('espo:task:t4', 'opportunity', 'o1', 'task', '2024-01-09 00:00Z', 'cancelled', NULL)$$, 'meetings and tasks of EspoCRM');
SELECT set_eq($$SELECT rule, id FROM crm_espo.events_left_out WHERE source = 'meeting' AND id IS NOT NULL$$, $$VALUES ('not on a record', 'm4'), ('before 2000', 'm5'), ('deleted', 'm6')$$, 'and what is left out');
SELECT set_eq($$SELECT event_id, kind, at, status, value FROM crm_suite.events WHERE source IN ('meeting', 'task')$$, $$VALUES ('espo:meeting:m1', 'meeting', timestamptz '2024-01-07 10:00Z', 'done', 5400::float8), ('espo:task:t1', 'task', '2024-01-10 10:00Z', 'done', NULL)$$, 'of SuiteCRM');

-- any column may be missing; any row is in events once, or left out once; the reports run on the preset alone
RESET ROLE;
SET LOCAL search_path = public;
SELECT is_empty($$SELECT pg_temp.without_each_column('espocrm', 'espo')$$, 'a column that is missing is told, or refused by a message of our own');
DELETE FROM activity_metrics.metric;
SELECT ok(count(*) = 1, 'wins is the North Star') FROM activity_metrics.install_preset('espocrm', 'espo', 'crm_espo', replace => true) WHERE what = 'North Star' AND subject = 'wins';
SELECT is_empty($$SELECT pg_temp.silent_reports('espocrm', 'crm_espo')$$, 'from end to end');
SELECT pg_temp.scatter('espo.call', 'id', 150), pg_temp.scatter('espo.email', 'id', 150), pg_temp.scatter('suite.calls', 'id', 150), pg_temp.scatter('suite.emails', 'id', 150) \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.not_once('crm_espo', 'espo.call', 'id', 'call')$$, 'every row of espo.call once');
SELECT is_empty($$SELECT * FROM pg_temp.not_once('crm_espo', 'espo.email', 'id', 'email')$$, 'every row of espo.email once');
SELECT is_empty($$SELECT * FROM pg_temp.not_once('crm_suite', 'suite.calls', 'id', 'call')$$, 'every row of suite.calls once');
SELECT is_empty($$SELECT * FROM pg_temp.not_once('crm_suite', 'suite.emails', 'id', 'email')$$, 'every row of suite.emails once');
SELECT pg_temp.scatter('espo.meeting', 'id', 150), pg_temp.scatter('espo.task', 'id', 150) \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.not_once('crm_espo', 'espo.meeting', 'id', 'meeting')$$, 'every row of espo.meeting once');
SELECT is_empty($$SELECT * FROM pg_temp.not_once('crm_espo', 'espo.task', 'id', 'task')$$, 'every row of espo.task once');
-- deals and leads as well
SELECT pg_temp.scatter('espo.opportunity', 'id', 100), pg_temp.scatter('espo.lead', 'id', 100), pg_temp.scatter('suite.opportunities', 'id', 100) \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.not_begun('crm_espo', 'espo.opportunity', 'id', 'created')$$, 'espo.opportunity: each begins once, or is left out once');
SELECT is_empty($$SELECT * FROM pg_temp.not_begun('crm_espo', 'espo.lead', 'id', 'lead')$$, 'espo.lead: each begins once, or is left out once');
SELECT is_empty($$SELECT * FROM pg_temp.not_begun('crm_suite', 'suite.opportunities', 'id', 'created')$$, 'suite.opportunities: each begins once, or is left out once');
SELECT is_empty($$SELECT pg_temp.too_old('crm_espo')$$, 'crm_espo: nothing from before 2000');
SELECT is_empty($$SELECT pg_temp.too_old('crm_suite')$$, 'crm_suite: nothing from before 2000');

SELECT * FROM finish();
ROLLBACK;
