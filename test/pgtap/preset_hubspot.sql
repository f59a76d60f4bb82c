-- Preset hubspot: the new layout of engagements and the old; the canonical events they must give.
BEGIN;
SELECT no_plan();
\ir preset_tools.psql
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;
DELETE FROM activity_metrics.metric;

-- new: all properties in the table of the kind, property_hs_...
CREATE SCHEMA hs_new;
SET LOCAL search_path = hs_new, public;
CREATE TABLE deal (deal_id bigint, is_deleted boolean, deal_pipeline_id text, deal_pipeline_stage_id text, owner_id bigint, portal_id bigint, property_dealname text, property_amount double precision, property_closedate timestamptz, property_createdate timestamptz);
INSERT INTO deal VALUES
	(1, false, 'default', 'closedwon', 11, 1, 'won', 1000, '2024-03-01 15:00Z', '2024-01-02 09:00Z'),
	(2, false, 'default', 'closedlost', 12, 1, 'lost', 500, '2024-02-10 15:00Z', '2024-01-03 09:00Z'),
	(3, false, 'second', '9001', 12, 1, 'open', 700, '2024-02-11', '2024-01-04 09:00Z'),
	(4, true, 'default', 'closedwon', 12, 1, 'deleted', 9000, '2024-02-12', '2024-01-04 09:00Z'),
	(5, false, 'default', 'closedwon', 12, 1, 'merged into 1', 400, '2024-02-12', '2024-01-04 09:00Z'),
	(6, false, 'second', '9002', 12, 1, 'won in another pipeline, closes in the year 2999', 50, '2999-02-12', '2024-01-05 09:00Z');
CREATE TABLE merged_deal (deal_id bigint, merged_deal_id bigint);
INSERT INTO merged_deal VALUES (1, 5);
CREATE TABLE deal_pipeline_stage (stage_id text, pipeline_id text, label text, display_order integer, probability double precision, is_closed boolean, closed_won boolean, active boolean, _fivetran_deleted boolean);
INSERT INTO deal_pipeline_stage VALUES ('qualified', 'default', 'Qualified', 0, 0.2, false, false, true, false), ('closedwon', 'default', 'Closed Won', 1, 1, true, true, true, false), ('closedlost', 'default', 'Closed Lost', 2, 0, true, false, true, false),
	('9001', 'second', 'Qualified', 0, 0.5, false, false, true, false), ('9002', 'second', 'Signed', 1, 1, true, true, true, false), ('9003', 'second', 'Old', 2, 1, false, false, false, true);
CREATE TABLE deal_stage (deal_id bigint, value text, date_entered timestamptz, source text, _fivetran_start timestamptz, _fivetran_end timestamptz, _fivetran_active boolean);
INSERT INTO deal_stage VALUES (1, 'qualified', '2024-01-02 09:00Z', 'CRM_UI', '2024-01-02 09:01Z', '2024-03-01 15:00Z', false), (1, 'closedwon', '2024-03-01 15:00Z', 'CRM_UI', '2024-03-01 15:01Z', '2050-01-01Z', true),
	(3, '9001', '2024-01-04 09:00Z', 'CRM_UI', '2024-01-04 09:01Z', '2050-01-01Z', true), (3, 'gone', '2024-01-03 09:00Z', 'CRM_UI', '2024-01-03 09:01Z', '2050-01-01Z', true), (5, 'qualified', '2024-01-04 09:00Z', 'CRM_UI', '2024-01-04 09:00Z', '2050-01-01Z', true),
	-- written again without a change, and entered again after another
	(1, 'qualified', '2024-01-10 09:00Z', 'API', '2024-01-10 09:01Z', '2024-01-11Z', false), (2, 'qualified', '2024-01-05 09:00Z', 'CRM_UI', '2024-01-05 09:01Z', '2024-01-06Z', false), (2, 'closedlost', '2024-01-06 09:00Z', 'CRM_UI', '2024-01-06 09:01Z', '2024-01-07Z', false), (2, 'qualified', '2024-01-07 09:00Z', 'CRM_UI', '2024-01-07 09:01Z', '2050-01-01Z', true);
CREATE TABLE engagement (id bigint, type text, portal_id bigint);
CREATE TABLE engagement_deal (deal_id bigint, engagement_id bigint, engagement_type text, type_id integer, category text);
INSERT INTO engagement_deal VALUES (1, 101, 'CALL', 206, 'HUBSPOT_DEFINED'), (2, 101, 'CALL', 206, 'HUBSPOT_DEFINED'), (3, 101, 'CALL', 206, 'HUBSPOT_DEFINED'),
	(5, 102, 'EMAIL', 210, 'HUBSPOT_DEFINED'), (1, 103, 'MEETING', 212, 'HUBSPOT_DEFINED'), (1, 106, 'MEETING', 212, 'HUBSPOT_DEFINED'), (1, 109, 'TASK', 216, 'HUBSPOT_DEFINED'), (1, 110, 'TASK', 216, 'HUBSPOT_DEFINED');
CREATE TABLE engagement_call (engagement_id bigint, type text, _fivetran_deleted boolean, property_hs_timestamp timestamptz, property_hs_createdate timestamptz, property_hubspot_owner_id bigint, property_hs_call_duration bigint,
	property_hs_call_direction text, property_hs_call_disposition text, property_hs_call_status text, property_hs_engagement_source text);
INSERT INTO engagement_call VALUES (101, 'CALL', false, '2024-01-05 10:00Z', '2024-01-05 10:10Z', 11, 300000, 'OUTBOUND', 'f240bbac-87c9-4f6e-bf70-924b57d47db7', 'COMPLETED', 'CRM_UI'),
	(111, 'CALL', true, '2024-01-05 10:00Z', '2024-01-05 10:10Z', 11, 300000, 'OUTBOUND', NULL, 'COMPLETED', 'CRM_UI'), (112, 'CALL', false, '1970-01-19 10:00Z', '2022-01-05 10:10Z', 11, NULL, NULL, NULL, NULL, NULL),
	(113, 'CALL', false, NULL, '2022-01-05 10:10Z', 11, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE engagement_email (engagement_id bigint, type text, _fivetran_deleted boolean, property_hs_timestamp timestamptz, property_hs_createdate timestamptz, property_hubspot_owner_id bigint, property_hs_email_direction text, property_hs_email_status text, property_hs_engagement_source text);
INSERT INTO engagement_email VALUES (102, 'EMAIL', false, '2024-01-06 10:00Z', '2024-01-06 10:00Z', 11, 'EMAIL', 'SENT', 'SALES'), (104, 'EMAIL', false, '2024-01-07 10:00Z', '2024-01-07 10:00Z', 11, 'INCOMING_EMAIL', NULL, 'WORKFLOWS'),
	(105, 'EMAIL', false, '2024-01-07 11:00Z', '2024-01-07 10:00Z', 11, 'EMAIL', 'BOUNCED', 'CRM_UI');
CREATE TABLE engagement_meeting (engagement_id bigint, type text, _fivetran_deleted boolean, property_hs_timestamp timestamptz, property_hs_createdate timestamptz, property_hubspot_owner_id bigint, property_hs_meeting_start_time timestamptz, property_hs_meeting_end_time timestamptz, property_hs_meeting_outcome text);
INSERT INTO engagement_meeting VALUES (103, 'MEETING', false, '2024-01-10 10:00Z', '2024-01-08 10:00Z', 11, '2024-01-10 10:00Z', '2024-01-10 10:30Z', 'COMPLETED'), (106, 'MEETING', false, '2024-01-11 10:00Z', '2024-01-08 10:00Z', 11, '2024-01-11 10:00Z', '2024-01-11 10:30Z', 'NO_SHOW'),
	(107, 'MEETING', false, '2999-01-11 10:00Z', '2024-01-08 10:00Z', 11, '2999-01-11 10:00Z', '2999-01-11 10:30Z', 'SCHEDULED');
CREATE TABLE engagement_note (engagement_id bigint, type text, _fivetran_deleted boolean, property_hs_timestamp timestamptz, property_hs_createdate timestamptz, property_hubspot_owner_id bigint);
INSERT INTO engagement_note VALUES (108, 'NOTE', false, '2024-01-12 10:00Z', '2024-01-12 10:00Z', 12);
CREATE TABLE engagement_task (engagement_id bigint, type text, _fivetran_deleted boolean, property_hs_timestamp timestamptz, property_hs_createdate timestamptz, property_hubspot_owner_id bigint, property_hs_task_type text, property_hs_task_status text, property_hs_task_completion_date timestamptz);
INSERT INTO engagement_task VALUES (109, 'TASK', false, '2024-01-20 10:00Z', '2024-01-12 10:00Z', 12, 'CALL', 'COMPLETED', '2024-01-13 10:00Z'), (110, 'TASK', false, '2024-01-20 10:00Z', '2024-01-12 10:00Z', 12, 'TODO', 'NOT_STARTED', NULL);
CREATE TABLE engagement_communication (engagement_id bigint, type text, _fivetran_deleted boolean, property_hs_timestamp timestamptz, property_hs_createdate timestamptz, property_hubspot_owner_id bigint, property_hs_communication_channel_type text);
INSERT INTO engagement_communication VALUES (114, 'COMMUNICATION', false, '2024-01-14 10:00Z', '2024-01-14 10:00Z', 12, 'WHATS_APP');

CREATE TABLE expected (event_id text, entity text, kind text, at timestamptz, actor text, status text, value double precision, origin text);
INSERT INTO expected VALUES
	('hs:101', '1', 'call', '2024-01-05 10:00Z', '11', 'done', 300, 'manual'), ('hs:101', '2', 'call', '2024-01-05 10:00Z', '11', 'done', 300, 'manual'), ('hs:101', '3', 'call', '2024-01-05 10:00Z', '11', 'done', 300, 'manual'),
	('hs:102', '1', 'email_out', '2024-01-06 10:00Z', '11', 'done', NULL, 'integration'), ('hs:104', NULL, 'email_in', '2024-01-07 10:00Z', '11', 'done', NULL, 'auto'), ('hs:105', NULL, 'email_out', '2024-01-07 11:00Z', '11', 'cancelled', NULL, 'manual'),
	('hs:103', '1', 'meeting', '2024-01-10 10:00Z', '11', 'done', 1800, NULL), ('hs:106', '1', 'meeting', '2024-01-11 10:00Z', '11', 'no_show', 1800, NULL), ('hs:107', NULL, 'meeting', '2999-01-11 10:00Z', '11', 'planned', 1800, NULL),
	('hs:108', NULL, 'note', '2024-01-12 10:00Z', '12', 'done', NULL, NULL), ('hs:109', '1', 'call', '2024-01-13 10:00Z', '12', 'done', NULL, NULL), ('hs:110', '1', 'task', '2024-01-20 10:00Z', '12', 'planned', NULL, NULL),
	('hs:114', NULL, 'message', '2024-01-14 10:00Z', '12', 'done', NULL, NULL),
	('hs:created:1', '1', 'created', '2024-01-02 09:00Z', '11', 'done', NULL, NULL), ('hs:created:2', '2', 'created', '2024-01-03 09:00Z', '12', 'done', NULL, NULL), ('hs:created:3', '3', 'created', '2024-01-04 09:00Z', '12', 'done', NULL, NULL),
	('hs:created:6', '6', 'created', '2024-01-05 09:00Z', '12', 'done', NULL, NULL), ('hs:closed:1', '1', 'won', '2024-03-01 15:00Z', '11', 'done', 1000, NULL), ('hs:closed:2', '2', 'lost', '2024-02-10 15:00Z', '12', 'done', NULL, NULL),
	('hs:closed:6', '6', 'won', now(), '12', 'done', 50, NULL);
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('hubspot', 'hs_new', 'hs_crm')$$, 'installed');
SELECT bag_eq($$SELECT event_id, entity, kind, at, actor, status, value, origin FROM hs_crm.events WHERE stage IS NULL$$, 'TABLE expected', 'events of the new layout');
SELECT bag_eq($$SELECT entity, kind, stage, at, attrs ->> 'pipeline' FROM hs_crm.events WHERE stage IS NOT NULL$$, $$VALUES ('1', 'Qualified', 'qualified', timestamptz '2024-01-02 09:00Z', 'default'), ('1', 'Closed Won', 'closedwon', '2024-03-01 15:00Z', 'default'),
	('2', 'Qualified', 'qualified', '2024-01-05 09:00Z', 'default'), ('2', 'Closed Lost', 'closedlost', '2024-01-06 09:00Z', 'default'), ('2', 'Qualified', 'qualified', '2024-01-07 09:00Z', 'default'),
	('3', 'Qualified', '9001', '2024-01-04 09:00Z', 'second'), ('3', 'gone', 'gone', '2024-01-03 09:00Z', NULL)$$, 'stages by their labels, keys and pipelines tell two of one label apart; one that the dictionary lacks by its key; repeats are one, a way back is seen');
SELECT results_eq($$SELECT attrs ->> 'stage_from' FROM hs_crm.events WHERE stage IS NOT NULL AND entity = '2' ORDER BY at$$, $$VALUES (NULL), ('qualified'), ('closedlost')$$, 'and where they came from');
SELECT bag_eq($$SELECT rule, source, id FROM hs_crm.events_left_out WHERE id IS NOT NULL$$, $$VALUES ('deleted', 'deal', '4'), ('merged into another', 'deal', '5'), ('merged into another', 'deal_stage', '5'),
	('deleted', 'engagement_call', '111'), ('before 2000', 'engagement_call', '112'), ('no time', 'engagement_call', '113')$$, 'what is left out');
SELECT bag_eq($$SELECT entity_id, status, merged_into, is_deleted FROM hs_crm.entities$$, $$VALUES ('1', 'won', NULL, false), ('2', 'lost', NULL, false), ('3', 'open', NULL, false), ('4', 'won', NULL, true), ('5', 'won', '1', false), ('6', 'won', NULL, false)$$, 'entities');
SELECT bag_eq($$SELECT pipeline, stage_key, label, ordinal, class FROM hs_crm.stages$$, $$VALUES ('default', 'qualified', 'Qualified', 0, 'open'), ('default', 'closedwon', 'Closed Won', 1, 'won'), ('default', 'closedlost', 'Closed Lost', 2, 'lost'),
	('second', '9001', 'Qualified', 0, 'open'), ('second', '9002', 'Signed', 1, 'won')$$, 'stages of two pipelines');
-- one call on three deals is one call
SELECT is((SELECT sum(x) FROM activity_metrics.metric_panel('calls', 'wins') AS p), 2::float8, 'one call on three deals is one call');
SELECT is((SELECT sum(y) FROM activity_metrics.metric_panel('calls', 'wins') AS p), 2::float8, 'wins');
SELECT results_eq($$SELECT step, reached FROM activity_metrics.funnel_report('hs_crm.events', 'created -> call -> meeting -> won')$$, $$VALUES ('created', 4::bigint), ('call', 3), ('meeting', 1), ('won', 1)$$, 'but it is a step of each');
SELECT lives_ok(format('SELECT * FROM activity_metrics.funnel_report(''hs_crm.events'', %L)', funnel), 'the funnel that preset() suggests') FROM activity_metrics.preset('hubspot');
SELECT is((SELECT rows FROM activity_metrics.check_events('hs_crm.events') WHERE rule = 'one event, many entities'), 2::bigint, 'check_events counts its other rows');
SELECT cmp_ok((SELECT count(*) FROM activity_metrics.vanity_report('wins')), '>', 3::bigint, 'vanity_report');

-- a stage that is labelled like a kind is no such event
UPDATE deal_pipeline_stage SET label = 'won' WHERE stage_id = 'closedwon';
SELECT is((SELECT sum(y) FROM activity_metrics.metric_panel('calls', 'wins') AS p), 2::float8, 'a stage labelled won is no win');
SELECT is((SELECT kind FROM hs_crm.events WHERE stage = 'closedwon'), 'stage won', 'but a stage');
UPDATE deal_pipeline_stage SET label = 'Closed Won' WHERE stage_id = 'closedwon';
-- a link that was deleted
ALTER TABLE engagement_deal ADD COLUMN _fivetran_deleted boolean;
UPDATE engagement_deal SET _fivetran_deleted = deal_id = 3;
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('hubspot', 'hs_new', 'hs_crm', replace => true)$$, 'links with a mark of deletion');
SELECT bag_eq($$SELECT entity FROM hs_crm.events WHERE event_id = 'hs:101'$$, $$VALUES ('1'), ('2')$$, 'a deleted link is none');
SELECT is((SELECT count(*) FROM hs_crm.events_left_out WHERE rule = 'link deleted'), 1::bigint, 'and told');

-- old: time and owner in engagement, times as texts
CREATE SCHEMA hs_old;
CREATE TABLE hs_old.engagement AS
	SELECT engagement_id AS id, type, property_hs_timestamp AS "timestamp", property_hs_createdate AS created_at, property_hubspot_owner_id AS owner_id
	FROM (SELECT engagement_id, type, property_hs_timestamp, property_hs_createdate, property_hubspot_owner_id FROM engagement_call UNION ALL SELECT engagement_id, type, property_hs_timestamp, property_hs_createdate, property_hubspot_owner_id FROM engagement_email
		UNION ALL SELECT engagement_id, type, property_hs_timestamp, property_hs_createdate, property_hubspot_owner_id FROM engagement_meeting UNION ALL SELECT engagement_id, type, property_hs_timestamp, property_hs_createdate, property_hubspot_owner_id FROM engagement_note) AS e;
CREATE TABLE hs_old.engagement_call AS SELECT engagement_id, property_hs_call_duration AS duration_milliseconds, property_hs_call_status AS status, property_hs_call_disposition AS disposition FROM engagement_call WHERE engagement_id = 101;
CREATE TABLE hs_old.engagement_email AS SELECT engagement_id FROM engagement_email WHERE engagement_id = 102;
CREATE TABLE hs_old.engagement_meeting AS SELECT engagement_id, property_hs_meeting_start_time::text AS start_time, property_hs_meeting_end_time::text AS end_time, 'CRM_UI' AS source, CASE WHEN engagement_id = 106 THEN 'No Show' ELSE property_hs_meeting_outcome END AS meeting_outcome FROM engagement_meeting;
INSERT INTO hs_old.engagement_meeting VALUES (120, '1970-01-19 04:21:34', NULL, 'CRM_UI', NULL), (121, 'yesterday', NULL, 'CRM_UI', NULL);
CREATE TABLE hs_old.engagement_deal AS SELECT deal_id, engagement_id::text FROM engagement_deal;
CREATE TABLE hs_old.deal AS TABLE deal;
CREATE TABLE hs_old.merged_deal AS TABLE merged_deal;
CREATE TABLE hs_old.deal_property_history AS SELECT deal_id, 'dealstage' AS name, value, date_entered AS "timestamp", source FROM deal_stage;
INSERT INTO hs_old.deal_property_history VALUES (1, 'amount', '1000', '2024-01-02Z', 'CRM_UI');
CREATE TABLE hs_old.deal_pipeline_stage AS SELECT stage_id, pipeline_id, label, display_order, probability, closed_won FROM deal_pipeline_stage;
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('hubspot', 'hs_old', 'hs_crm_2')$$, 'installed over the old layout');
SELECT bag_eq($$SELECT event_id, entity, kind, at, actor, status, value FROM hs_crm_2.events WHERE stage IS NULL AND at IS NOT NULL$$,
	$$SELECT event_id, entity, kind, at, actor, status, value FROM expected WHERE event_id ~ 'created|closed' OR event_id IN ('hs:101', 'hs:102', 'hs:103', 'hs:106', 'hs:107')$$, 'events of the old layout');
SELECT bag_eq($$SELECT entity, kind, stage, at FROM hs_crm_2.events WHERE stage IS NOT NULL$$, $$SELECT entity, kind, stage, at FROM hs_crm.events WHERE stage IS NOT NULL$$, 'stages by deal_property_history');
SELECT bag_eq($$SELECT rule, source, id, example FROM hs_crm_2.events_left_out WHERE source LIKE 'engagement_meeting%' AND id IS NOT NULL$$, $$VALUES
	('January 1970: seconds read as milliseconds', 'engagement_meeting', '120', '1970-01-19 04:21:34+00'), ('no time', 'engagement_meeting', '121', NULL), ('not a time: NULL', 'engagement_meeting.start_time', '121', 'yesterday')$$, 'epoch mix-up and no time at all');
SELECT is((SELECT count(*) FROM hs_crm_2.events_left_out WHERE rule = 'not found: left out'), 5::bigint, 'tables that are not there are told');

-- both layouts at once: one fills the gaps of the other
ALTER TABLE engagement_meeting ADD COLUMN start_time timestamptz;
UPDATE engagement_meeting SET start_time = property_hs_meeting_start_time;
UPDATE engagement_meeting SET property_hs_meeting_start_time = NULL WHERE engagement_id = 103;
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('hubspot', 'hs_new', 'hs_crm', replace => true)$$, 'both layouts at once');
SELECT bag_eq($$SELECT event_id, entity, at FROM hs_crm.events WHERE kind = 'meeting'$$, $$SELECT event_id, entity, at FROM expected WHERE kind = 'meeting'$$, 'each meeting once, with its time');

-- money in two currencies; the home currency where HubSpot has it
ALTER TABLE deal ADD COLUMN property_deal_currency_code text DEFAULT 'EUR';
UPDATE deal SET property_deal_currency_code = 'USD' WHERE deal_id = 6;
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('hubspot', 'hs_new', 'hs_crm', replace => true)$$, 'two currencies');
SELECT is((SELECT sum(value) FROM hs_crm.events WHERE kind = 'won'), NULL, 'do not add up');
ALTER TABLE deal ADD COLUMN property_amount_in_home_currency double precision;
UPDATE deal SET property_amount_in_home_currency = property_amount * CASE property_deal_currency_code WHEN 'USD' THEN 0.5 ELSE 1 END;
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('hubspot', 'hs_new', 'hs_crm', replace => true)$$, 'home currency');
SELECT is((SELECT sum(value) FROM hs_crm.events WHERE kind = 'won'), 1025::float8, 'adds up');

-- conditions reach the tables
CREATE INDEX ON engagement_call (property_hs_timestamp);
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
SET LOCAL enable_seqscan = off;
SELECT matches(pg_temp.plan($$SELECT * FROM hs_crm.events WHERE at >= '2024-01-05Z' AND at < '2024-02-01Z'$$), 'Index Cond: [^\n]*\(property_hs_timestamp >= ''2024-01-05[^\n]*AND \(property_hs_timestamp < ''2024-02-01', 'since and until are conditions of the index of calls');
SET LOCAL enable_seqscan = on;

-- seeds of dbt_hubspot, where they are
\set seeds `test -d "${SHARED:-../shared}/data/fivetran_hubspot_seeds" && echo "${SHARED:-../shared}/data/fivetran_hubspot_seeds"`
SELECT :'seeds' <> '' AS has_seeds \gset
\if :has_seeds
CREATE SCHEMA hs_seeds;
\set load `cd "${SHARED:-../shared}/data/fivetran_hubspot_seeds" && for f in deal deal_stage deal_pipeline_stage engagement engagement_call engagement_email engagement_meeting engagement_note engagement_task engagement_deal merged_deal; do printf 'CREATE TABLE hs_seeds.%s ("%s" text);\n' "$f" "$(head -1 ${f}_data.csv | tr -d '\r' | sed 's/,/" text, "/g')"; done`
:load
\cd :seeds
\copy hs_seeds.deal FROM 'deal_data.csv' CSV HEADER
\copy hs_seeds.deal_stage FROM 'deal_stage_data.csv' CSV HEADER
\copy hs_seeds.deal_pipeline_stage FROM 'deal_pipeline_stage_data.csv' CSV HEADER
\copy hs_seeds.engagement FROM 'engagement_data.csv' CSV HEADER
\copy hs_seeds.engagement_call FROM 'engagement_call_data.csv' CSV HEADER
\copy hs_seeds.engagement_email FROM 'engagement_email_data.csv' CSV HEADER
\copy hs_seeds.engagement_meeting FROM 'engagement_meeting_data.csv' CSV HEADER
\copy hs_seeds.engagement_note FROM 'engagement_note_data.csv' CSV HEADER
\copy hs_seeds.engagement_task FROM 'engagement_task_data.csv' CSV HEADER
\copy hs_seeds.engagement_deal FROM 'engagement_deal_data.csv' CSV HEADER
\copy hs_seeds.merged_deal FROM 'merged_deal_data.csv' CSV HEADER
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('hubspot', 'hs_seeds', 'hs_seeds_crm')$$, 'the seeds of Fivetran''s package');
SELECT results_eq($$SELECT kind, status, count(*) FROM hs_seeds_crm.events WHERE stage IS NULL GROUP BY 1, 2 ORDER BY 1$$, $$VALUES ('call', 'done', 1::bigint), ('created', 'done', 44), ('email_out', 'done', 1), ('meeting', 'done', 93), ('note', 'done', 1), ('task', 'planned', 2)$$, 'events of the seeds');
SELECT results_eq($$SELECT rule, source, count(*) FROM hs_seeds_crm.events_left_out WHERE id IS NOT NULL GROUP BY 1, 2 ORDER BY 2$$, $$VALUES ('January 1970: seconds read as milliseconds', 'engagement_meeting', 7::bigint)$$, 'the epoch mix-up of the seeds');
SELECT is((SELECT rows FROM activity_metrics.check_events('hs_seeds_crm.events') WHERE rule = 'logged late'), 3::bigint, 'events of 2014 that were logged in 2022');
\else
SELECT skip('the seeds of Fivetran''s package are not here');
\endif

-- what the CRM above does not have: deferred tasks, mail that is not sent yet, calls that did not take place, deals and tasks of 1970, and a label for two keys
CREATE SCHEMA hs_more;
CREATE TABLE hs_more.deal (deal_id bigint, deal_pipeline_stage_id text, property_createdate timestamptz, property_closedate timestamptz, property_hs_is_closed text, property_hs_is_closed_won text);
INSERT INTO hs_more.deal VALUES (1, 's1', '2024-01-01Z', '2024-02-01Z', 'TRUE', 'TRUE'), (2, 's2', '2024-01-01Z', '2024-02-01Z', 'true', '0'), (3, 's2', '1970-01-19Z', NULL, 'false', 'false');
CREATE TABLE hs_more.engagement_task (engagement_id bigint, property_hs_timestamp timestamptz, property_hs_task_status text, property_hs_task_completion_date timestamptz, property_hs_task_type text);
INSERT INTO hs_more.engagement_task VALUES (1, '2024-01-05Z', 'DEFERRED', NULL, 'EMAIL'), (2, '1970-01-19Z', 'NOT_STARTED', '2024-01-05Z', NULL), (3, '1970-01-19Z', 'COMPLETED', '2024-01-05Z', NULL), (4, NULL, 'NOT_STARTED', '2024-01-05Z', NULL);
CREATE TABLE hs_more.engagement_email (engagement_id bigint, property_hs_timestamp timestamptz, property_hs_email_status text, property_hs_email_direction text, property_hs_object_source text);
INSERT INTO hs_more.engagement_email VALUES (5, '2024-01-05Z', 'SCHEDULED', 'EMAIL', 'SEQUENCES'), (6, '2024-01-06Z', 'SENT', 'FORWARDED_EMAIL', 'MOBILE_IOS');
CREATE TABLE hs_more.engagement_call (engagement_id bigint, property_hs_timestamp bigint, property_hs_call_status text);
INSERT INTO hs_more.engagement_call VALUES (7, 1704448800000, 'CANCELED'), (8, 1704448800, 'COMPLETED'), (9, 4102444800000, NULL);
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('hubspot', 'hs_more', 'hs_more_crm')$$, 'other rows');
SELECT bag_eq($$SELECT event_id, kind, at, status, origin FROM hs_more_crm.events WHERE source LIKE 'engagement%'$$, $$VALUES ('hs:1', 'email_out', timestamptz '2024-01-05Z', 'cancelled', NULL), ('hs:3', 'task', '2024-01-05Z', 'done', NULL), ('hs:5', 'email_out', '2024-01-05Z', 'planned', 'auto'), ('hs:6', 'email_out', '2024-01-06Z', 'done', 'manual'),
	('hs:7', 'call', '2024-01-05 10:00Z', 'cancelled', NULL), ('hs:8', 'call', '2024-01-05 10:00Z', 'done', NULL), ('hs:9', 'call', '2100-01-01Z', 'planned', NULL)$$, 'by their status; seconds and milliseconds since 1970');
SELECT bag_eq($$SELECT rule, source, id FROM hs_more_crm.events_left_out WHERE id IS NOT NULL$$, $$VALUES ('before 2000', 'deal', '3'), ('before 2000', 'engagement_task', '2'), ('no time', 'engagement_task', '4')$$, 'what is left out of them');
SELECT bag_eq($$SELECT entity, kind FROM hs_more_crm.events WHERE kind IN ('won', 'lost')$$, $$VALUES ('1', 'won'), ('2', 'lost')$$, 'won and lost without a dictionary, by texts');

-- any column may be missing; any row is in events once, or left out once; the reports run on the preset alone
RESET ROLE;
SET LOCAL search_path = public;
SELECT is_empty($$SELECT pg_temp.without_each_column('hubspot', 'hs_new')$$, 'a column that is missing is told, or refused by a message of our own');
SELECT is_empty($$SELECT pg_temp.without_each_column('hubspot', 'hs_old')$$, 'in the old layout, too');
DELETE FROM activity_metrics.metric;
SELECT ok(count(*) = 1, 'wins is the North Star') FROM activity_metrics.install_preset('hubspot', 'hs_new', 'hs_crm', replace => true) WHERE what = 'North Star' AND subject = 'wins';
SELECT is_empty($$SELECT pg_temp.silent_reports('hubspot', 'hs_crm')$$, 'from end to end');
SELECT pg_temp.scatter('hs_new.engagement_call', 'engagement_id', 150), pg_temp.scatter('hs_new.engagement_email', 'engagement_id', 150), pg_temp.scatter('hs_new.engagement_meeting', 'engagement_id', 150), pg_temp.scatter('hs_new.engagement_task', 'engagement_id', 150), pg_temp.scatter('hs_new.engagement_note', 'engagement_id', 150), pg_temp.scatter('hs_new.engagement_communication', 'engagement_id', 150) \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.not_once('hs_crm', 'hs_new.engagement_call', 'engagement_id', 'engagement_call')$$, 'every row of hs_new.engagement_call once');
SELECT is_empty($$SELECT * FROM pg_temp.not_once('hs_crm', 'hs_new.engagement_email', 'engagement_id', 'engagement_email')$$, 'every row of hs_new.engagement_email once');
SELECT is_empty($$SELECT * FROM pg_temp.not_once('hs_crm', 'hs_new.engagement_meeting', 'engagement_id', 'engagement_meeting')$$, 'every row of hs_new.engagement_meeting once');
SELECT is_empty($$SELECT * FROM pg_temp.not_once('hs_crm', 'hs_new.engagement_task', 'engagement_id', 'engagement_task')$$, 'every row of hs_new.engagement_task once');
SELECT is_empty($$SELECT * FROM pg_temp.not_once('hs_crm', 'hs_new.engagement_note', 'engagement_id', 'engagement_note')$$, 'every row of hs_new.engagement_note once');
SELECT is_empty($$SELECT * FROM pg_temp.not_once('hs_crm', 'hs_new.engagement_communication', 'engagement_id', 'engagement_communication')$$, 'every row of hs_new.engagement_communication once');
-- deals and leads as well
SELECT pg_temp.scatter('hs_new.deal', 'deal_id', 100) \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.not_begun('hs_crm', 'hs_new.deal', 'deal_id', 'created')$$, 'hs_new.deal: each begins once, or is left out once');
SELECT is_empty($$SELECT pg_temp.too_old('hs_crm')$$, 'hs_crm: nothing from before 2000');

-- merged into one that is merged into a third; into two; in a circle
CREATE SCHEMA hs_chain;
CREATE TABLE hs_chain.deal (deal_id bigint, deal_pipeline_stage_id text, property_createdate timestamptz, property_closedate timestamptz);
INSERT INTO hs_chain.deal SELECT i, 's', '2024-01-01Z' FROM generate_series(1, 8) AS i;
CREATE TABLE hs_chain.merged_deal (deal_id bigint, merged_deal_id bigint);
INSERT INTO hs_chain.merged_deal VALUES (2, 1), (3, 2), (4, 3), (5, 6), (4, 6), (7, 8), (8, 7);
CREATE TABLE hs_chain.engagement_call (engagement_id bigint, property_hs_timestamp timestamptz);
INSERT INTO hs_chain.engagement_call SELECT i, '2024-02-01Z'::timestamptz + i * interval '1 day' FROM generate_series(1, 8) AS i;
CREATE TABLE hs_chain.engagement_deal (engagement_id bigint, deal_id bigint);
INSERT INTO hs_chain.engagement_deal SELECT i, i FROM generate_series(1, 8) AS i;
SELECT count(*) AS installed FROM activity_metrics.install_preset('hubspot', 'hs_chain', 'hs_chain_crm') \gset
SELECT results_eq($$SELECT event_id, entity FROM hs_chain_crm.events WHERE kind = 'call' AND event_id < 'hs:7' ORDER BY 1$$,
	$$VALUES ('hs:1', '4'), ('hs:2', '4'), ('hs:3', '4'), ('hs:4', '4'), ('hs:5', '5'), ('hs:6', '4')$$, 'merged again and again: the last one, once');
SELECT is((SELECT count(*) FROM hs_chain_crm.events WHERE kind = 'call' AND event_id >= 'hs:7'), 2::bigint, 'a circle comes to an end');

SELECT * FROM finish();
ROLLBACK;
