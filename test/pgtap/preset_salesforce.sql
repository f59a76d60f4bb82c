-- Preset salesforce: one small CRM in the spellings of three loaders and with each shape of stage history; the canonical events it must give.
BEGIN;
SELECT no_plan();
\ir preset_tools.psql
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;
DELETE FROM activity_metrics.metric;

-- Fivetran: snake case, types
CREATE SCHEMA sf_fivetran;
SET LOCAL search_path = sf_fivetran, public;
CREATE TABLE opportunity (id text, account_id text, owner_id text, created_by_id text, name text, type text, amount double precision, stage_name text, is_closed boolean, is_won boolean, close_date timestamp,
	created_date timestamptz, is_deleted boolean, probability double precision, forecast_category text);
INSERT INTO opportunity VALUES
	('006A', '001A', '005A', '005S', 'won', NULL, 1000, 'Closed Won', true, true, '2024-03-01', '2024-01-02 09:00Z', false, 100, 'Closed'),
	('006B', '001A', '005B', '005B', 'lost', NULL, 500, 'Closed Lost', true, false, '2024-02-10', '2024-01-03 09:00Z', false, 0, 'Omitted'),
	('006C', '001B', '005B', '005B', 'open, though its close date is past', NULL, 700, 'Prospecting', false, false, '2024-02-11', '2024-01-04 09:00Z', false, 10, 'Pipeline'),
	('006D', '001B', '005B', '005B', 'deleted', NULL, 9000, 'Closed Won', true, true, '2024-02-12', '2024-01-04 09:00Z', true, 100, 'Closed'),
	('006E', '001B', '005A', '005A', 'won before its close date', NULL, 30, 'Closed Won', true, true, '2999-12-31', '2024-01-05 09:00Z', false, 100, 'Closed'),
	('006F', '001B', '005A', '005A', 'imported with the year 1024', NULL, 30, 'Prospecting', false, false, '2024-12-31', '1024-01-05 09:00Z', false, 10, 'Pipeline');
CREATE TABLE task (id text, owner_id text, created_by_id text, what_id text, who_id text, account_id text, task_subtype text, type text, status text, is_closed boolean, activity_date timestamp,
	completed_date_time timestamptz, created_date timestamptz, last_modified_date timestamptz, call_duration_in_seconds integer, is_deleted boolean, is_recurrence boolean);
INSERT INTO task VALUES
	('00T01', '005A', '005A', '006A', '003A', '001A', 'Call', NULL, 'Completed', true, '2024-01-20', '2024-01-05 10:00Z', '2024-01-04 08:00Z', '2024-01-05 10:00Z', 300, false, false),
	('00T02', '005A', '005A', '006A', NULL, '001A', 'Email', NULL, 'Completed', true, '2024-01-08', NULL, '2024-01-08 12:00Z', '2024-01-09 08:00Z', NULL, false, false),
	('00T03', '005A', '005A', '006A', NULL, '001A', 'Call', NULL, 'Not Started', false, '2024-01-10', NULL, '2024-01-05 12:00Z', '2024-01-05 12:00Z', NULL, false, false),
	('00T04', '005A', '005A', '006B', NULL, '001A', 'Task', 'Other', 'Completed', true, '2030-01-01', NULL, '2024-01-05 12:00Z', '2024-01-11 12:00Z', NULL, false, false),
	('00T05', '005A', '005A', '006A', NULL, '001A', 'Call', NULL, 'Completed', true, '2024-01-05', '2024-01-05 10:00Z', '2024-01-05 12:00Z', NULL, NULL, true, false),
	('00T06', '005A', '005A', '006A', NULL, '001A', 'Call', NULL, 'Completed', true, '2024-01-05', '2024-01-05 10:00Z', '2024-01-05 12:00Z', NULL, NULL, false, true),
	('00T07', '005B', '005B', NULL, '00QA', NULL, 'Call', NULL, 'Completed', true, '2023-12-20', '2023-12-20 10:00Z', '2023-12-20 12:00Z', NULL, NULL, false, false),
	('00T08', '005B', '005B', NULL, '00QB', NULL, 'Call', NULL, 'Completed', true, '2023-12-21', '2023-12-21 10:00Z', '2023-12-20 12:00Z', NULL, NULL, false, false),
	('00T09', '005B', '005B', NULL, '003B', '001B', 'LinkedIn', NULL, 'Completed', true, '2024-01-06', '2024-01-06 10:00Z', '2024-01-06 12:00Z', NULL, NULL, false, false),
	('00T10', '005B', '005B', '001B', '003B', '001B', 'ListEmail', NULL, 'Completed', true, '2024-01-06', '2024-01-06 11:00Z', '2024-01-06 12:00Z', NULL, NULL, false, false),
	('00T11', '005B', '005I', 'a0xZ', '003B', '001B', 'Task', 'Product Demo', 'Completed', true, '2024-01-06', '2024-01-06 12:00Z', '2024-01-06 12:00Z', NULL, NULL, false, false),
	('00T12', '005B', '005B', NULL, NULL, NULL, 'Task', NULL, 'Completed', true, '2024-01-06', '2024-01-06 13:00Z', '2024-01-06 12:00Z', NULL, NULL, false, false),
	('00T13', '005B', '005B', '500A', NULL, NULL, 'Task', 'phone call', 'Completed', true, '2024-01-06', '2024-01-06 14:00Z', '2024-01-06 12:00Z', NULL, NULL, false, false),
	('00T14', '005B', '005B', '006A', NULL, NULL, 'Call', NULL, 'Completed', true, '1970-01-19', '1970-01-19 14:00Z', '2024-01-06 12:00Z', NULL, NULL, false, false),
	('00T15', '005B', '005B', '006A', NULL, NULL, 'Call', NULL, 'Completed', true, NULL, NULL, NULL, NULL, NULL, false, false),
	('00T16', '005B', '005B', NULL, '00QA', NULL, 'Call', NULL, 'Not Started', false, '2024-06-01', NULL, '2024-01-06 12:00Z', NULL, NULL, false, false);
CREATE TABLE event (id text, owner_id text, created_by_id text, what_id text, who_id text, account_id text, type text, event_subtype text, start_date_time timestamptz, activity_date_time timestamptz, end_date_time timestamptz,
	duration_in_minutes integer, created_date timestamptz, is_child boolean, is_deleted boolean, is_recurrence boolean, is_group_event boolean);
INSERT INTO event VALUES
	('00U01', '005A', '005A', '006A', '003A', '001A', 'Meeting', 'Event', '2024-01-12 10:00Z', '2024-01-12 10:00Z', '2024-01-12 11:00Z', 60, '2024-01-10 10:00Z', false, false, false, true),
	('00U02', '005B', '005A', '006A', '003A', '001A', 'Meeting', 'Event', '2024-01-12 10:00Z', '2024-01-12 10:00Z', '2024-01-12 11:00Z', 60, '2024-01-10 10:00Z', true, false, false, true),
	('00U03', '005A', '005A', '006C', NULL, '001B', 'Meeting', 'Event', '2999-01-12 10:00Z', '2999-01-12 10:00Z', NULL, 60, '2024-01-10 10:00Z', false, false, false, false),
	('00U04', '005A', '005A', NULL, '00QA', NULL, 'Demo', 'Event', '2024-01-01 10:00Z', '2024-01-01 10:00Z', NULL, 30, '2023-12-10 10:00Z', false, false, false, false),
	('00U05', '005A', '005A', '006A', NULL, '001B', 'Meeting', 'Event', '2024-01-12 10:00Z', '2024-01-12 10:00Z', NULL, 60, '2024-01-10 10:00Z', false, true, false, false);
CREATE TABLE lead (id text, owner_id text, status text, is_converted boolean, converted_date timestamp, converted_opportunity_id text, converted_contact_id text, converted_account_id text, master_record_id text, created_date timestamptz, is_deleted boolean);
INSERT INTO lead VALUES
	('00QA', '005B', 'Converted', true, '2024-01-02', '006A', '003A', '001A', NULL, '2023-12-15 10:00Z', false),
	('00QB', '005B', 'Open', false, NULL, NULL, NULL, NULL, NULL, '2023-12-16 10:00Z', false),
	('00QC', '005B', 'Open', false, NULL, NULL, NULL, NULL, '00QB', '2023-12-17 10:00Z', true);
CREATE TABLE account (id text, parent_id text, owner_id text, created_date timestamptz, is_deleted boolean, master_record_id text);
INSERT INTO account VALUES ('001A', NULL, '005A', '2023-01-01Z', false, NULL), ('001B', '001A', '005B', '2023-01-01Z', false, NULL);
CREATE TABLE contact (id text, account_id text, owner_id text, created_date timestamptz, is_deleted boolean, master_record_id text);
INSERT INTO contact VALUES ('003A', '001A', '005A', '2023-01-01Z', false, NULL);
CREATE TABLE opportunity_stage (id text, api_name text, master_label text, sort_order integer, is_closed boolean, is_won boolean, default_probability double precision);
INSERT INTO opportunity_stage VALUES ('01J1', 'Prospecting', 'Prospecting', 1, false, false, 10), ('01J2', 'Proposal', 'Proposal', 2, false, false, 50), ('01J3', 'Closed Won', 'Closed Won', 3, true, true, 100), ('01J4', 'Closed Lost', 'Closed Lost', 4, true, false, 0);
CREATE TABLE opportunity_history (id text, opportunity_id text, stage_name text, amount double precision, created_date timestamptz, created_by_id text, is_deleted boolean);
INSERT INTO opportunity_history VALUES
	('0081', '006A', 'Prospecting', 500, '2024-01-02 09:00Z', '005S', false),
	('0082', '006A', 'Prospecting', 1000, '2024-01-03 09:00Z', '005A', false),
	('0083', '006A', 'Proposal', 1000, '2024-01-15 09:00Z', '005A', false),
	('0084', '006A', 'Prospecting', 1000, '2024-02-01 09:00Z', '005A', false),
	('0085', '006A', 'Closed Won', 1000, '2024-03-01 09:00Z', '005A', false),
	('0086', '006B', 'Prospecting', 1000, '2024-01-03 09:00Z', '005B', false),
	('0087', '006B', 'Closed Lost', 1000, '2024-02-10 09:00Z', '005B', false);

CREATE TABLE expected (event_id text, entity_type text, entity text, kind text, at timestamptz, actor text, status text, value double precision, origin text);
INSERT INTO expected VALUES
	('sf:task:00T01', 'opportunity', '006A', 'call', '2024-01-05 10:00Z', '005A', 'done', 300, NULL),
	('sf:task:00T02', 'opportunity', '006A', 'email', '2024-01-08 00:00Z', '005A', 'done', NULL, NULL),
	('sf:task:00T03', 'opportunity', '006A', 'call', '2024-01-10 00:00Z', '005A', 'planned', NULL, NULL),
	('sf:task:00T04', 'opportunity', '006B', 'task', '2024-01-11 12:00Z', '005A', 'done', NULL, NULL),
	('sf:task:00T07', 'opportunity', '006A', 'call', '2023-12-20 10:00Z', '005B', 'done', NULL, NULL),
	('sf:task:00T08', 'lead', '00QB', 'call', '2023-12-21 10:00Z', '005B', 'done', NULL, NULL),
	('sf:task:00T09', 'contact', '003B', 'message', '2024-01-06 10:00Z', '005B', 'done', NULL, NULL),
	('sf:task:00T10', 'account', '001B', 'email', '2024-01-06 11:00Z', '005B', 'done', NULL, 'auto'),
	('sf:task:00T11', 'contact', '003B', 'demo', '2024-01-06 12:00Z', '005B', 'done', NULL, 'integration'),
	('sf:task:00T12', NULL, NULL, 'task', '2024-01-06 13:00Z', '005B', 'done', NULL, NULL),
	('sf:task:00T13', 'ticket', '500A', 'call', '2024-01-06 14:00Z', '005B', 'done', NULL, NULL),
	('sf:task:00T16', 'opportunity', '006A', 'call', '2024-06-01 00:00Z', '005B', 'planned', NULL, NULL),
	('sf:event:00U01', 'opportunity', '006A', 'meeting', '2024-01-12 10:00Z', '005A', 'done', 3600, NULL),
	('sf:event:00U03', 'opportunity', '006C', 'meeting', '2999-01-12 10:00Z', '005A', 'planned', 3600, NULL),
	('sf:event:00U04', 'opportunity', '006A', 'demo', '2024-01-01 10:00Z', '005A', 'done', 1800, NULL),
	('sf:lead:00QA', 'opportunity', '006A', 'lead', '2023-12-15 10:00Z', '005B', 'done', NULL, NULL),
	('sf:lead:00QB', 'lead', '00QB', 'lead', '2023-12-16 10:00Z', '005B', 'done', NULL, NULL),
	('sf:created:006A', 'opportunity', '006A', 'created', '2024-01-02 09:00Z', '005S', 'done', NULL, NULL),
	('sf:created:006B', 'opportunity', '006B', 'created', '2024-01-03 09:00Z', '005B', 'done', NULL, NULL),
	('sf:created:006C', 'opportunity', '006C', 'created', '2024-01-04 09:00Z', '005B', 'done', NULL, NULL),
	('sf:created:006E', 'opportunity', '006E', 'created', '2024-01-05 09:00Z', '005A', 'done', NULL, NULL),
	('sf:closed:006A', 'opportunity', '006A', 'won', '2024-03-01 23:59:59Z', '005A', 'done', 1000, NULL),
	('sf:closed:006B', 'opportunity', '006B', 'lost', '2024-02-10 23:59:59Z', '005B', 'done', NULL, NULL),
	('sf:closed:006E', 'opportunity', '006E', 'won', now(), '005A', 'done', 30, NULL);
CREATE VIEW activities AS TABLE expected;
CREATE TABLE stage_moves (kind text, entity text, at timestamptz);
INSERT INTO stage_moves VALUES ('Prospecting', '006A', '2024-01-02 09:00Z'), ('Proposal', '006A', '2024-01-15 09:00Z'), ('Prospecting', '006A', '2024-02-01 09:00Z'),
	('Closed Won', '006A', '2024-03-01 09:00Z'), ('Prospecting', '006B', '2024-01-03 09:00Z'), ('Closed Lost', '006B', '2024-02-10 09:00Z');

CREATE FUNCTION public.sf_found(target text) RETURNS SETOF sf_fivetran.expected LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT event_id, entity_type, entity, kind, at, actor, status, value, origin FROM %I.events WHERE stage IS NULL', target);
END;
$$;
CREATE FUNCTION public.sf_moves(target text) RETURNS SETOF sf_fivetran.stage_moves LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT kind, entity, at FROM %I.events WHERE stage IS NOT NULL', target);
END;
$$;

SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('salesforce', 'sf_fivetran', 'sf_crm', options => 'integration_users = 005I|005J')$$, 'installed over Fivetran''s tables');
SELECT bag_eq($$SELECT * FROM public.sf_found('sf_crm')$$, 'TABLE sf_fivetran.expected', 'events of Fivetran''s tables');
SELECT bag_eq($$SELECT * FROM public.sf_moves('sf_crm')$$, 'TABLE sf_fivetran.stage_moves', 'stages by OpportunityHistory: repeats are one, a way back is seen');
SELECT bag_eq($$SELECT rule, source, id FROM sf_crm.events_left_out WHERE id IS NOT NULL$$, $$VALUES
	('deleted', 'task', '00T05'), ('series of tasks, not a task', 'task', '00T06'), ('before 2000', 'task', '00T14'), ('no time', 'task', '00T15'),
	('copy for an attendee', 'event', '00U02'), ('deleted', 'event', '00U05'), ('deleted', 'opportunity', '006D'), ('before 2000', 'opportunity', '006F'), ('deleted', 'lead', '00QC')$$, 'what is left out, and why');
SELECT is((SELECT example FROM sf_crm.events_left_out WHERE id = '00T14'), '1970-01-19 14:00:00+00', 'with the value');
SELECT bag_eq($$SELECT entity_id, parent_id, status, amount, is_deleted, expected_close FROM sf_crm.entities WHERE entity_type = 'opportunity'$$, $$VALUES
	('006A', '001A', 'won', 1000::float8, false, date '2024-03-01'), ('006B', '001A', 'lost', 500, false, '2024-02-10'), ('006C', '001B', 'open', 700, false, '2024-02-11'),
	('006D', '001B', 'won', 9000, true, '2024-02-12'), ('006E', '001B', 'won', 30, false, '2999-12-31'), ('006F', '001B', 'open', 30, false, '2024-12-31')$$, 'entities: closed, lost and deleted ones too');
SELECT is((SELECT string_agg(entity_type || ' ' || n, ', ' ORDER BY entity_type) FROM (SELECT entity_type, count(*) AS n FROM sf_crm.entities GROUP BY 1) AS s), 'account 2, contact 1, lead 3, opportunity 6', 'all entities');
SELECT results_eq($$SELECT stage_key, ordinal, class, probability FROM sf_crm.stages ORDER BY ordinal$$, $$VALUES ('Prospecting', 1, 'open', 0.1::float8), ('Proposal', 2, 'open', 0.5), ('Closed Won', 3, 'won', 1), ('Closed Lost', 4, 'lost', 0)$$, 'stages; probability is not in per cent');
SELECT is((SELECT array_agg(relname || ' ' || reloptions::text || ' ' || (relowner = current_user::regrole) ORDER BY relname) FROM pg_class WHERE relnamespace = 'sf_crm'::regnamespace),
	ARRAY['entities {security_invoker=true} true', 'events {security_invoker=true} true', 'events_left_out {security_invoker=true} true', 'stages {security_invoker=true} true'], 'plain views of the caller, run as the reader');
SELECT ok(obj_description('sf_crm.events'::regclass) ~ 'Preset salesforce .* schema sf_fivetran' AND bool_and(col_description('sf_crm.events'::regclass, attnum) <> ''), 'with comments') FROM pg_attribute WHERE attrelid = 'sf_crm.events'::regclass AND attnum > 0;

-- the reports run without further arguments
SELECT results_eq($$SELECT step, reached FROM activity_metrics.funnel_report('sf_crm.events', 'created -> call -> meeting -> won')$$, $$VALUES ('created', 4::bigint), ('call', 1), ('meeting', 1), ('won', 1)$$, 'funnel_report');
SELECT results_eq($$SELECT step, reached FROM activity_metrics.funnel_report('sf_crm.events', 'Prospecting -> Proposal -> ''Closed Won''')$$, $$VALUES ('Prospecting', 2::bigint), ('Proposal', 1), ('Closed Won', 1)$$, 'a funnel of stages');
SELECT lives_ok(format('SELECT * FROM activity_metrics.funnel_report(''sf_crm.events'', %L)', funnel), 'the funnel that preset() suggests') FROM activity_metrics.preset('salesforce');
SELECT is((SELECT array_agg(metric ORDER BY metric) FROM activity_metrics.metric WHERE source_relation = 'sf_crm.events'),
	ARRAY['calls', 'demos', 'emails', 'leads', 'losses', 'meetings', 'messages', 'opportunities', 'revenue', 'tasks', 'wins'], 'metrics');
SELECT is((SELECT sum(x) FROM activity_metrics.metric_panel('calls', 'wins') AS p), 4::float8, 'calls done, of all entities');
SELECT is((SELECT sum(x) FROM activity_metrics.metric_panel('revenue', 'wins') AS p), 1030::float8, 'revenue');
SELECT cmp_ok((SELECT count(*) FROM activity_metrics.leading_indicators('wins')), '>', 3::bigint, 'leading_indicators');
SELECT cmp_ok((SELECT count(*) FROM activity_metrics.vanity_report('wins')), '>', 3::bigint, 'vanity_report');
SELECT results_eq($$SELECT rule, subject, rows FROM activity_metrics.check_events('sf_crm.events') WHERE rule IN ('not done', 'before 2000', 'in the future', 'copy for an attendee', 'deleted') ORDER BY rule, subject$$,
	$$VALUES ('before 2000', 'opportunity', 1::bigint), ('before 2000', 'task', 1), ('copy for an attendee', 'event', 1), ('deleted', 'event', 1), ('deleted', 'lead', 1), ('deleted', 'opportunity', 1), ('deleted', 'task', 1), ('not done', 'status', 3)$$, 'check_events: nothing left in events to warn of, and what was left out');

-- Airbyte "WhatId" and Stitch whatid, all of it text: the same events
DO $$
DECLARE
	t record;
BEGIN
	CREATE SCHEMA "sf Airbyte";
	CREATE SCHEMA sf_stitch;
	FOR t IN SELECT c.oid, relname FROM pg_class c WHERE relnamespace = 'sf_fivetran'::regnamespace AND relkind = 'r' AND relname NOT IN ('expected', 'stage_moves') LOOP
		EXECUTE format('CREATE TABLE "sf Airbyte".%I AS SELECT %s FROM sf_fivetran.%I', replace(initcap(replace(t.relname, '_', ' ')), ' ', ''),
			(SELECT string_agg(format('%I AS %I', attname, replace(initcap(replace(attname::text, '_', ' ')), ' ', '')), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = t.oid AND attnum > 0), t.relname);
		-- booleans and times as texts, as a loader without types writes them
		EXECUTE format('CREATE TABLE sf_stitch.%I AS SELECT %s FROM sf_fivetran.%I', replace(t.relname, '_', ''),
			(SELECT string_agg(format(CASE atttypid WHEN 'timestamptz'::regtype THEN 'replace(to_char(%1$I AT TIME ZONE ''UTC'', ''YYYY-MM-DD HH24:MI:SS.MS''), '' '', ''T'') || ''Z'' AS %2$I'
					WHEN 'boolean'::regtype THEN 'upper(%1$I::text) AS %2$I' ELSE '%1$I::text AS %2$I' END, attname, replace(attname::text, '_', '')), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = t.oid AND attnum > 0), t.relname);
	END LOOP;
	UPDATE sf_stitch.task SET completeddatetime = '31/12/2024' WHERE id = '00T15';
	UPDATE sf_stitch.task SET isclosed = 'perhaps' WHERE id = '00T03';
	UPDATE sf_stitch.opportunity SET amount = '1,000' WHERE id = '006E';
END;
$$;
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('Salesforce', 'sf Airbyte', 'sf crm 2', options => 'integration_users = 005I')$$, 'installed over Airbyte''s tables');
SELECT bag_eq($$SELECT * FROM public.sf_found('sf crm 2')$$, 'TABLE sf_fivetran.expected', 'events of Airbyte''s tables');
SELECT bag_eq($$SELECT * FROM public.sf_moves('sf crm 2')$$, 'TABLE sf_fivetran.stage_moves', 'stages of Airbyte''s tables');
SELECT is((SELECT count(*) FROM activity_metrics.metric WHERE source_relation = '"sf crm 2".events' AND metric LIKE 'sf\_crm\_2\_%'), 11::bigint, 'metrics of the same names get the schema in front');
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('salesforce', 'sf_stitch', 'sf_crm_3', options => 'integration_users = 005I')$$, 'installed over Stitch''s tables of texts');
SELECT bag_eq($$SELECT * FROM public.sf_found('sf_crm_3')$$, $$SELECT event_id, entity_type, entity, kind, at, actor, status, CASE WHEN event_id <> 'sf:closed:006E' THEN value END, origin FROM sf_fivetran.expected$$, 'events of texts');
SELECT bag_eq($$SELECT rule, source, id, example FROM sf_crm_3.events_left_out WHERE rule LIKE 'not a %'$$, $$VALUES
	('not a time: NULL', 'task.completeddatetime', '00T15', '31/12/2024'), ('not a boolean: NULL', 'task.isclosed', '00T03', 'perhaps'), ('not a number: NULL', 'opportunity.amount', '006E', '1,000')$$, 'texts that cannot be read are NULL, and told');

-- the other shapes of history, and none
ALTER TABLE opportunity_history RENAME TO opportunity_history_native;
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('salesforce', 'sf_fivetran', 'sf_crm', replace => true)$$, 'installed again, no history');
SELECT is_empty($$SELECT * FROM public.sf_moves('sf_crm')$$, 'no history: no stages');
SELECT ok(bool_or(rule = 'not found: left out' AND source = 'events: no history at all (no opportunity)') OR bool_or(source ~ 'OpportunityHistory'), 'and that is told') FROM sf_crm.events_left_out;
ALTER TABLE opportunity ADD COLUMN last_stage_change_date timestamptz;
UPDATE opportunity SET last_stage_change_date = '2024-03-01 09:00Z' WHERE id = '006A';
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('salesforce', 'sf_fivetran', 'sf_crm', replace => true)$$, 'last_stage_change_date');
SELECT bag_eq($$SELECT * FROM public.sf_moves('sf_crm')$$, $$VALUES ('Closed Won', '006A', timestamptz '2024-03-01 09:00Z')$$, 'no history: the stage now');
SELECT is((SELECT at FROM sf_crm.events WHERE kind = 'won' AND entity = '006A'), '2024-03-01 09:00Z', 'won when the stage changed last');
DROP SCHEMA sf_crm CASCADE;
ALTER TABLE opportunity DROP COLUMN last_stage_change_date;

CREATE TABLE opportunity_field_history (id text, opportunity_id text, field text, old_value text, new_value text, created_date timestamptz, created_by_id text, is_deleted boolean);
INSERT INTO opportunity_field_history VALUES
	('0171', '006A', 'Amount', '500', '1000', '2024-01-03 09:00Z', '005A', false),
	('0173', '006A', 'StageName', 'Prospecting', 'Proposal', '2024-01-15 09:00Z', '005A', false),
	('0174', '006A', 'StageName', 'Proposal', 'Prospecting', '2024-02-01 09:00Z', '005A', false),
	('0175', '006A', 'StageName', 'Prospecting', 'Closed Won', '2024-03-01 09:00Z', '005A', false),
	('0177', '006B', 'StageName', 'Prospecting', 'Closed Lost', '2024-02-10 09:00Z', '005B', false);
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('salesforce', 'sf_fivetran', 'sf_crm', replace => true)$$, 'field history');
SELECT bag_eq($$SELECT * FROM public.sf_moves('sf_crm')$$, $$TABLE sf_fivetran.stage_moves UNION ALL VALUES ('Prospecting', '006C', timestamptz '2024-01-04 09:00Z'), ('Closed Won', '006E', '2024-01-05 09:00Z')$$, 'stages by OpportunityFieldHistory, the first one since creation');
DROP SCHEMA sf_crm CASCADE;
DROP TABLE opportunity_field_history;

CREATE TABLE opportunity_history AS SELECT o.*, v.start AS _fivetran_start, v.stop AS _fivetran_end, v.stop > '9000-01-01' AS _fivetran_active
	FROM opportunity AS o JOIN (VALUES ('006A', 'Prospecting', timestamptz '2024-01-10 00:00Z', timestamptz '2024-01-12Z'), ('006A', 'Prospecting', '2024-01-12Z', '2024-01-15 09:00Z'), ('006A', 'Proposal', '2024-01-15 09:00Z', '2024-02-01 09:00Z'),
		('006A', 'Prospecting', '2024-02-01 09:00Z', '2024-03-01 09:00Z'), ('006A', 'Closed Won', '2024-03-01 09:00Z', '9999-12-31 23:59:59Z'),
		('006B', 'Prospecting', '2024-01-10 00:00Z', '2024-02-10 09:00Z'), ('006B', 'Closed Lost', '2024-02-10 09:00Z', '9999-12-31 23:59:59Z')) AS v(id, stage, start, stop) ON v.id = o.id;
UPDATE opportunity_history SET stage_name = v.stage FROM (VALUES ('006A', 'Prospecting', timestamptz '2024-01-10 00:00Z'), ('006A', 'Prospecting', '2024-01-12Z'), ('006A', 'Proposal', '2024-01-15 09:00Z'), ('006A', 'Prospecting', '2024-02-01 09:00Z'),
	('006B', 'Prospecting', '2024-01-10 00:00Z')) AS v(id, stage, start) WHERE v.id = opportunity_history.id AND v.start = _fivetran_start;
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('salesforce', 'sf_fivetran', 'sf_crm', replace => true)$$, 'history mode');
SELECT bag_eq($$SELECT * FROM public.sf_moves('sf_crm')$$, 'TABLE sf_fivetran.stage_moves', 'stages by versions of the row, the first one since creation, whenever loading began');
-- the table of opportunities itself in history mode
ALTER TABLE opportunity RENAME TO opportunity_plain;
ALTER TABLE opportunity_history RENAME TO opportunity;
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('salesforce', 'sf_fivetran', 'sf_crm', replace => true)$$, 'one table in history mode');
SELECT bag_eq($$SELECT * FROM public.sf_moves('sf_crm')$$, 'TABLE sf_fivetran.stage_moves', 'its stages');
SELECT is((SELECT count(*) FROM sf_crm.events WHERE kind = 'created'), 2::bigint, 'an opportunity is created once');
SELECT is((SELECT count(*) FROM sf_crm.entities WHERE entity_type = 'opportunity'), 2::bigint, 'and is one entity');

-- tables with something in front of their names; history from another schema
CREATE SCHEMA sf_staged;
CREATE VIEW sf_staged.stg_sf__task AS TABLE task;
CREATE VIEW sf_staged.stg_sf__opportunity AS TABLE opportunity_plain;
CREATE SCHEMA sf_history;
CREATE TABLE sf_history."Versions" AS TABLE opportunity;
SELECT throws_ok($$SELECT activity_metrics.preset_sql('salesforce', 'sf_staged', 'sf_crm_4')$$, '42P01', 'schema "sf_staged" has no table "opportunity"', 'names with a prefix are not guessed');
SELECT throws_ok($$SELECT activity_metrics.preset_sql('salesforce', 'sf_staged', 'sf_crm_4', options => 'prefix = stg_sf__, opportunity_history = sf_history.none')$$, '42P01', 'relation "sf_history.none" does not exist', 'a table that is not there');
SELECT throws_ok($$SELECT activity_metrics.preset_sql('salesforce', 'sf_staged', 'sf_crm_4', options => 'prefix = stg_sf__, opportunity_history = sf_fivetran.account')$$, '42703', 'relation "sf_fivetran.account" is not taken for opportunity_history', 'a table of another shape');
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('salesforce', 'sf_staged', 'sf_crm_4', options => 'prefix = stg_sf__, opportunity_history = sf_history."Versions"')$$, 'prefix, and a table by name');
SELECT bag_eq($$SELECT * FROM public.sf_moves('sf_crm_4')$$, 'TABLE sf_fivetran.stage_moves', 'its history');
SELECT is((SELECT count(*) FROM sf_crm_4.events WHERE source = 'task'), 12::bigint, 'its tasks');
-- times without a zone are of tz
DROP SCHEMA sf_crm_4 CASCADE;
ALTER TABLE sf_history."Versions" ALTER COLUMN _fivetran_start TYPE timestamp USING _fivetran_start AT TIME ZONE 'UTC';
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('salesforce', 'sf_staged', 'sf_crm_4', 'America/New_York', 'prefix = stg_sf__, opportunity_history = sf_history."Versions"', replace => true)$$, 'a zone');
SELECT is((SELECT at FROM sf_crm_4.events WHERE kind = 'Proposal'), '2024-01-15 14:00Z', 'times without a zone are of it');
SELECT is((SELECT at FROM sf_crm_4.events WHERE event_id = 'sf:task:00T01'), '2024-01-05 10:00Z', 'times with one are not');

-- currencies
DROP SCHEMA sf_crm CASCADE;
DROP TABLE opportunity;
ALTER TABLE opportunity_plain RENAME TO opportunity;
ALTER TABLE opportunity ADD COLUMN currency_iso_code text DEFAULT 'EUR';
UPDATE opportunity SET currency_iso_code = 'USD' WHERE is_deleted;
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('salesforce', 'sf_fivetran', 'sf_crm', replace => true)$$, 'one currency, but for what is left out');
SELECT is((SELECT sum(value) FROM sf_crm.events WHERE kind = 'won'), 1030::float8, 'adds up');
UPDATE opportunity SET currency_iso_code = 'USD' WHERE id = '006E';
SELECT is((SELECT sum(value) FROM sf_crm.events WHERE kind = 'won'), 1000::float8, 'a second currency later on does not');
SELECT results_eq($$SELECT id, example FROM sf_crm.events_left_out WHERE rule = 'amount without a rate: NULL'$$, $$VALUES ('006E', 'USD')$$, 'and is told');
DELETE FROM activity_metrics.metric;
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('salesforce', 'sf_fivetran', 'sf_crm', replace => true)$$, 'two currencies');
SELECT is((SELECT sum(value) FROM sf_crm.events WHERE kind = 'won'), NULL, 'are not added up');
SELECT is_empty($$SELECT FROM activity_metrics.metric WHERE metric = 'revenue'$$, 'and make no metric');
CREATE TABLE rate (currency text, rate numeric);
INSERT INTO rate VALUES ('EUR', 1), ('USD', 0.5);
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('salesforce', 'sf_fivetran', 'sf_crm', replace => true, options => 'rates = sf_fivetran.rate')$$, 'rates');
SELECT is((SELECT sum(value) FROM sf_crm.events WHERE kind = 'won'), 1015::float8, 'add up by rates');
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('salesforce', 'sf_fivetran', 'sf_crm', replace => true, options => 'currency = USD')$$, 'one of two');
SELECT is((SELECT sum(value) FROM sf_crm.events WHERE kind = 'won'), 30::float8, 'only that');
CREATE TABLE currency_type (id text, iso_code text, conversion_rate double precision);
INSERT INTO currency_type VALUES ('1', 'EUR', 1), ('2', 'USD', 2);
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('salesforce', 'sf_fivetran', 'sf_crm', replace => true)$$, 'CurrencyType');
SELECT is((SELECT sum(value) FROM sf_crm.events WHERE kind = 'won'), 1015::float8, 'Salesforce''s own rates');

-- zones: dates are days of a zone, times without one too
DELETE FROM activity_metrics.metric;
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('salesforce', 'sf_fivetran', 'sf_crm', options => 'days = Europe/Berlin', replace => true)$$, 'days of Berlin');
SELECT is((SELECT at FROM sf_crm.events WHERE kind = 'won' AND entity = '006A'), '2024-03-01 22:59:59Z', 'a day ends there');
SELECT is((SELECT tz FROM activity_metrics.metric WHERE metric = 'calls'), 'Europe/Berlin', 'and weeks begin there');

-- conditions reach the tables
CREATE FUNCTION pg_temp.plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	result text := '';
BEGIN
	SET LOCAL max_parallel_workers_per_gather = 0;
	FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP
		result := result || line || E'\n';
	END LOOP;
	RETURN result;
END;
$$;
CREATE INDEX ON task (completed_date_time);
CREATE INDEX ON event (start_date_time);
SET LOCAL enable_seqscan = off;
CREATE TEMP TABLE plan AS SELECT pg_temp.plan($$SELECT * FROM sf_crm.events WHERE at >= '2024-01-05Z' AND at < '2024-02-01Z'$$) AS since, pg_temp.plan($$SELECT * FROM sf_crm.events WHERE entity = '006A' AND kind = 'created'$$) AS entity;
SELECT matches(since, 'Index Cond: [^\n]*\(completed_date_time >= ''2024-01-05[^\n]*AND \(completed_date_time < ''2024-02-01', 'since and until are conditions of the index of tasks') FROM plan;
SELECT matches(since, 'Index Cond: \(\(start_date_time >= ''2024-01-05', 'and of meetings') FROM plan;
SELECT matches(entity, 'on opportunity o\s+(Disabled: true\s+)?(Index Cond|Filter): [^\n]*\(id = ''006A''', 'entity is one of opportunities') FROM plan;
SELECT doesnt_match(entity, 'WindowAgg|DISTINCT|Unique', 'no other work') FROM plan;
ALTER TABLE opportunity_history_native RENAME TO opportunity_history;
CREATE INDEX ON opportunity_history (opportunity_id);
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('salesforce', 'sf_fivetran', 'sf_crm', replace => true)$$, 'with history again');
SELECT matches(pg_temp.plan($$SELECT * FROM sf_crm.events WHERE entity = '006A' AND source = 'opportunity_history'$$), 'WindowAgg.*Index Cond: \(opportunity_id = ''006A''', 'entity goes through the window over history, though it sorts by bytes');
SELECT is((SELECT count(*) FROM pg_attribute WHERE attrelid = 'sf_crm.events'::regclass AND attcollation NOT IN (0, 'pg_catalog."default"'::regcollation)), 0::bigint, 'which is not seen in the columns of the view');
SET LOCAL enable_seqscan = on;

-- what rows are kept, is said apart from what rows are left out: together they are all
SELECT results_eq($$SELECT t.id, count(DISTINCT e.event_id) + count(DISTINCT x.id) FROM task AS t LEFT JOIN sf_crm.events AS e ON e.event_id = 'sf:task:' || t.id
	LEFT JOIN sf_crm.events_left_out AS x ON x.source = 'task' AND x.id = t.id GROUP BY t.id ORDER BY t.id$$, $$SELECT id, 1::bigint FROM task ORDER BY id$$, 'each task is an event or left out');
SELECT results_eq($$SELECT t.id, count(DISTINCT e.event_id) + count(DISTINCT x.id) FROM event AS t LEFT JOIN sf_crm.events AS e ON e.event_id = 'sf:event:' || t.id
	LEFT JOIN sf_crm.events_left_out AS x ON x.source = 'event' AND x.id = t.id GROUP BY t.id ORDER BY t.id$$, $$SELECT id, 1::bigint FROM event ORDER BY id$$, 'each meeting too');

-- seeds of dbt_salesforce, where they are
\set seeds `test -d "${SHARED:-../shared}/data/fivetran_salesforce_seeds" && echo "${SHARED:-../shared}/data/fivetran_salesforce_seeds"`
SELECT :'seeds' <> '' AS has_seeds \gset
\if :has_seeds
CREATE SCHEMA sf_seeds;
\set load `cd "${SHARED:-../shared}/data/fivetran_salesforce_seeds" && for f in sf_task sf_event sf_opportunity sf_opportunity_history sf_lead sf_account sf_contact; do printf 'CREATE TABLE sf_seeds.%s (%s);\n' "${f#sf_}" "$(head -1 ${f}_data.csv | tr -d '\r' | sed 's/,/ text, /g') text"; done`
:load
\cd :seeds
\copy sf_seeds.task FROM 'sf_task_data.csv' CSV HEADER
\copy sf_seeds.event FROM 'sf_event_data.csv' CSV HEADER
\copy sf_seeds.opportunity FROM 'sf_opportunity_data.csv' CSV HEADER
\copy sf_seeds.opportunity_history FROM 'sf_opportunity_history_data.csv' CSV HEADER
\copy sf_seeds.lead FROM 'sf_lead_data.csv' CSV HEADER
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('salesforce', 'sf_seeds', 'sf_seeds_crm')$$, 'the seeds of Fivetran''s package');
SELECT results_eq($$SELECT kind, status, count(*) FROM sf_seeds_crm.events GROUP BY 1, 2 ORDER BY 1$$, $$VALUES ('call', 'done', 6::bigint), ('lead', 'done', 1), ('meeting', 'done', 4), ('task', 'done', 10)$$, 'events of the seeds');
SELECT results_eq($$SELECT rule, source, count(*) FROM sf_seeds_crm.events_left_out WHERE id IS NOT NULL GROUP BY 1, 2 ORDER BY 2$$, $$VALUES ('deleted', 'opportunity', 10::bigint), ('deleted', 'opportunity_history', 10)$$, 'all opportunities of the seeds are deleted ones');
\else
SELECT skip('the seeds of Fivetran''s package are not here');
\endif

-- what the CRM above does not have: merged leads that are not deleted, no-shows, meetings without a time or in 1970, leads of 1024, dates of completion without a word whether it is closed
CREATE SCHEMA sf_more;
CREATE TABLE sf_more.opportunity (id text, stagename text, iswon boolean, isclosed boolean, closedate date, createddate timestamptz, lastmodifieddate timestamptz, probability integer);
INSERT INTO sf_more.opportunity VALUES ('006A', 'Open', false, false, '2050-01-01', '2024-01-02 09:00Z', NULL, 50);
CREATE TABLE sf_more.lead (id text, isconverted boolean, convertedopportunityid text, masterrecordid text, createddate timestamptz, isdeleted boolean);
INSERT INTO sf_more.lead VALUES ('00QA', false, '', '', '2024-01-01Z', false), ('00QB', false, '', '00QA', '2024-01-01Z', false), ('00QC', false, NULL, NULL, '1024-01-01Z', false);
CREATE TABLE sf_more.event (id text, ownerid text, whatid text, whoid text, startdatetime timestamptz, activitydatetime timestamptz, durationinminutes integer, no_show__c boolean, ischild boolean, isrecurrence boolean, createdbyid text);
INSERT INTO sf_more.event VALUES ('00U1', '005A', '006A', NULL, '2024-01-05 10:00Z', NULL, 30, true, false, false, '005I'), ('00U2', '005A', '006A', NULL, NULL, '2024-01-06 10:00Z', 30, false, false, false, '005I'), ('00U3', '005A', '006A', NULL, NULL, NULL, 30, false, false, false, '005A'),
	('00U4', '005A', '006A', NULL, '1970-01-19 10:00Z', NULL, 30, false, false, false, '005A'), ('00U5', '005A', '006A', NULL, '2024-01-07 10:00Z', NULL, 30, false, false, true, '005A'), ('00U6', '005A', '006A', '00QA', '2024-01-08 10:00Z', NULL, 30, false, NULL, NULL, '005A');
CREATE TABLE sf_more.task (id text, ownerid text, whatid text, whoid text, tasksubtype text, type text, status text, activitydate date, completeddatetime timestamptz, createddate timestamptz, lastmodifieddate timestamptz);
INSERT INTO sf_more.task VALUES ('00T1', '005A', '006A', NULL, 'Task', 'Email Campaign', 'Completed', '2024-02-01', NULL, '2024-01-05Z', '2024-01-06 10:00Z'), ('00T2', '005A', '006A', NULL, 'Cadence', 'Meeting Prep', 'Open', NULL, NULL, '2024-01-05Z', NULL), ('00T3', '005A', '006A', NULL, 'Call', NULL, 'Open', '2050-01-01', NULL, '2024-01-05Z', NULL);
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('salesforce', 'sf_more', 'sf_more_crm', options => 'integration_users = 005I, event = event')$$, 'in small letters, with other rows');
SELECT bag_eq($$SELECT event_id, entity, kind, at, status, origin FROM sf_more_crm.events WHERE source IN ('task', 'event', 'lead')$$, $$VALUES ('sf:lead:00QA', '00QA', 'lead', timestamptz '2024-01-01Z', 'done', NULL),
	('sf:event:00U1', '006A', 'meeting', '2024-01-05 10:00Z', 'no_show', 'integration'), ('sf:event:00U6', '006A', 'meeting', '2024-01-08 10:00Z', 'done', NULL),
	('sf:task:00T1', '006A', 'email', '2024-01-06 10:00Z', 'done', NULL), ('sf:task:00T2', '006A', 'meeting', '2024-01-05Z', 'planned', 'auto'), ('sf:task:00T3', '006A', 'call', '2050-01-01Z', 'planned', NULL)$$, 'a lead that is linked to a deal as well is of the deal; a sentinel of a due date is planned');
SELECT bag_eq($$SELECT rule, id FROM sf_more_crm.events_left_out WHERE id IS NOT NULL$$, $$VALUES ('merged into another', '00QB'), ('before 2000', '00QC'), ('no time', '00U2'), ('no time', '00U3'), ('before 2000', '00U4'), ('series of meetings, not a meeting', '00U5')$$, 'what is left out of them');
SELECT results_eq($$SELECT stage_key, probability FROM sf_more_crm.stages$$, $$VALUES ('Open', 0.5::float8)$$, 'without a dictionary: stages that deals are in, probability not in per cent');

-- any column may be missing; any row is in events once, or left out once; the reports run on the preset alone
RESET ROLE;
SET LOCAL search_path = public;
SELECT is_empty($$SELECT pg_temp.without_each_column('salesforce', 'sf_fivetran')$$, 'a column that is missing is told, or refused by a message of our own');
DELETE FROM activity_metrics.metric;
SELECT ok(count(*) = 1, 'wins is the North Star') FROM activity_metrics.install_preset('salesforce', 'sf_fivetran', 'sf_crm', replace => true) WHERE what = 'North Star' AND subject = 'wins';
SELECT is_empty($$SELECT pg_temp.silent_reports('salesforce', 'sf_crm')$$, 'from end to end');
SELECT pg_temp.scatter('sf_fivetran.task', 'id', 150), pg_temp.scatter('sf_fivetran.event', 'id', 150) \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.not_once('sf_crm', 'sf_fivetran.task', 'id', 'task')$$, 'every row of sf_fivetran.task once');
SELECT is_empty($$SELECT * FROM pg_temp.not_once('sf_crm', 'sf_fivetran.event', 'id', 'event')$$, 'every row of sf_fivetran.event once');
-- deals and leads as well
SELECT pg_temp.scatter('sf_fivetran.opportunity', 'id', 100), pg_temp.scatter('sf_fivetran.lead', 'id', 100) \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.not_begun('sf_crm', 'sf_fivetran.opportunity', 'id', 'created')$$, 'sf_fivetran.opportunity: each begins once, or is left out once');
SELECT is_empty($$SELECT * FROM pg_temp.not_begun('sf_crm', 'sf_fivetran.lead', 'id', 'lead')$$, 'sf_fivetran.lead: each begins once, or is left out once');
SELECT is_empty($$SELECT pg_temp.too_old('sf_crm')$$, 'sf_crm: nothing from before 2000');

SELECT * FROM finish();
ROLLBACK;
