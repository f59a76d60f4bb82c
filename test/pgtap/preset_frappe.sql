-- Preset of Frappe CRM: its tables, with the rows that mislead.
BEGIN;
SELECT no_plan();
\ir preset_tools.psql
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;

-- types as the framework makes them on PostgreSQL: Check smallint, Float, Currency and Duration decimal, Datetime timestamp
CREATE SCHEMA frappe;
SET LOCAL search_path = frappe, public;
CREATE TABLE "tabCRM Deal Status" (name varchar(140) PRIMARY KEY, deal_status varchar(140), type varchar(140), position bigint, probability decimal(21,9));
INSERT INTO "tabCRM Deal Status" VALUES ('Qualification', 'Qualification', 'Open', 1, 10), ('Demo/Making', 'Demo/Making', 'Ongoing', 2, 25), ('Unterschrieben', 'Unterschrieben', 'Won', 3, 100), ('Lost', 'Lost', 'Lost', 4, 0);
CREATE TABLE "tabCRM Deal" (name varchar(140) PRIMARY KEY, creation timestamp(6), modified timestamp(6), modified_by varchar(140), owner varchar(140), docstatus smallint, organization varchar(140), status varchar(140), deal_owner varchar(140),
	lost_reason varchar(140), probability decimal(21,9), expected_deal_value decimal(21,9), deal_value decimal(21,9), expected_closure_date date, closed_date date, lead varchar(140), currency varchar(140), exchange_rate decimal(21,9));
INSERT INTO "tabCRM Deal" VALUES
	-- won by the log, in rupees
	('CRM-DEAL-1', '2024-01-02 09:00', '2024-06-01 12:00', 'a@x', 'a@x', 0, 'Acme', 'Unterschrieben', 'b@x', NULL, 100, 90000, 83000, '2024-03-01', '2024-02-01', 'CRM-LEAD-1', 'INR', 0.012),
	-- lost; it was won before: the date of closing is of that
	('CRM-DEAL-2', '2024-01-03 09:00', '2024-03-01 12:00', 'a@x', 'a@x', 0, 'Acme', 'Lost', 'a@x', 'Price', 0, NULL, 500, NULL, '2024-01-20', NULL, 'USD', 1),
	-- won without a log (it is newer than the deal), in dollars
	('CRM-DEAL-3', '2024-01-04 09:00', '2024-04-01 12:00', 'a@x', 'a@x', 0, NULL, 'Unterschrieben', 'a@x', NULL, 100, NULL, 1000, NULL, '2024-02-15', NULL, 'USD', 1),
	('CRM-DEAL-4', '2024-01-05 09:00', '2024-01-05 12:00', 'a@x', 'a@x', 0, NULL, 'Qualification', 'a@x', NULL, 10, NULL, 10, '2024-12-01', NULL, NULL, 'USD', 0);
CREATE TABLE "tabCRM Lead" (name varchar(140) PRIMARY KEY, creation timestamp(6), owner varchar(140), lead_owner varchar(140), status varchar(140), converted smallint);
INSERT INTO "tabCRM Lead" VALUES ('CRM-LEAD-1', '2024-01-01 10:00', 'a@x', 'b@x', 'Qualified', 1), ('CRM-LEAD-2', '2024-01-01 11:00', 'a@x', NULL, 'New', 0);
-- a row is a stay: the row of the status now has no end; older rows have no types
CREATE TABLE "tabCRM Status Change Log" (name varchar(140) PRIMARY KEY, creation timestamp(6), owner varchar(140), parent varchar(140), parentfield varchar(140), parenttype varchar(140), idx bigint,
	"from" varchar(140), "to" varchar(140), from_date timestamp(6), to_date timestamp(6), duration decimal(21,9), log_owner varchar(140), from_type varchar(140), to_type varchar(140));
INSERT INTO "tabCRM Status Change Log" VALUES
	('g1', '2024-01-02 09:00', 'a@x', 'CRM-DEAL-1', 'status_change_log', 'CRM Deal', 1, 'Qualification', 'Demo/Making', '2024-01-02 09:00', '2024-01-10 10:00', 1, 'b@x', 'Open', 'Ongoing'),
	('g2', '2024-01-10 10:00', 'b@x', 'CRM-DEAL-1', 'status_change_log', 'CRM Deal', 2, 'Demo/Making', 'Unterschrieben', '2024-01-10 10:00', '2024-02-01 11:00', 1, 'b@x', 'Ongoing', 'Won'),
	('g3', '2024-02-01 11:00', 'b@x', 'CRM-DEAL-1', 'status_change_log', 'CRM Deal', 3, 'Unterschrieben', '', '2024-02-01 11:00', NULL, NULL, 'b@x', 'Won', ''),
	('g4', '2024-01-20 10:00', 'a@x', 'CRM-DEAL-2', 'status_change_log', 'CRM Deal', 1, 'Qualification', 'Unterschrieben', '2024-01-03 09:00', '2024-01-20 10:00', 1, 'a@x', NULL, NULL),
	('g5', '2024-02-20 10:00', 'a@x', 'CRM-DEAL-2', 'status_change_log', 'CRM Deal', 2, 'Unterschrieben', 'Lost', '2024-01-20 10:00', '2024-02-20 10:00', 1, 'c@x', NULL, NULL),
	('g6', '2024-02-20 10:00', 'a@x', 'CRM-DEAL-2', 'status_change_log', 'CRM Deal', 3, 'Lost', NULL, '2024-02-20 10:00', NULL, NULL, 'c@x', NULL, NULL),
	('g7', '2024-01-01 12:00', 'a@x', 'CRM-LEAD-2', 'status_change_log', 'CRM Lead', 1, 'New', 'Contacted', '2024-01-01 12:00', '2024-01-01 13:00', NULL, 'a@x', NULL, NULL);
CREATE TABLE "tabCRM Call Log" (name varchar(140) PRIMARY KEY, creation timestamp(6), owner varchar(140), id varchar(140), telephony_medium varchar(140), "from" varchar(140), "to" varchar(140), status varchar(140), type varchar(140), duration decimal(21,9),
	start_time timestamp(6), end_time timestamp(6), caller varchar(140), receiver varchar(140), reference_doctype varchar(140), reference_docname varchar(140));
INSERT INTO "tabCRM Call Log" VALUES
	('c1', '2024-01-06 10:05', 'a@x', 'c1', 'Manual', '1', '2', 'Completed', 'Outgoing', 300, '2024-01-06 10:00', '2024-01-06 10:05', 'b@x', NULL, 'CRM Deal', 'CRM-DEAL-1'),
	('c2', '2024-01-06 11:05', 'Administrator', 'c2', 'Twilio', '2', '1', 'Completed', 'Incoming', NULL, '2024-01-06 11:00', '2024-01-06 11:02', NULL, 'a@x', 'CRM Lead', 'CRM-LEAD-1'),  -- of a lead that became deal 1, linked to deal 1 and 3
	('c3', '2024-01-06 12:05', 'a@x', 'c3', 'Exotel', '1', '2', 'No Answer', 'Outgoing', NULL, '2024-01-06 12:00', NULL, 'a@x', NULL, 'CRM Lead', 'CRM-LEAD-2'),
	('c4', '2024-01-06 13:05', 'a@x', 'c4', '', '1', '2', 'Canceled', 'Outgoing', NULL, NULL, NULL, 'a@x', NULL, 'CRM Deal', 'CRM-DEAL-1'),       -- no start: its creation
	('c5', '2024-01-06 14:05', 'a@x', 'c5', 'Twilio', '1', '2', 'Queued', 'Outgoing', NULL, '2124-01-06 14:00', NULL, 'a@x', NULL, 'CRM Deal', 'CRM-DEAL-1'),
	('c6', '2024-01-06 15:05', 'a@x', 'c6', 'Manual', '1', '2', 'Completed', 'Outgoing', 60, '1970-01-19 15:00', NULL, 'a@x', NULL, 'CRM Deal', 'CRM-DEAL-1'),
	('c7', '2024-01-06 16:05', 'a@x', 'c7', 'Manual', '1', '2', 'Completed', 'Outgoing', 60, '2024-01-06 16:00', NULL, 'a@x', NULL, NULL, NULL),          -- of nobody
	('c8', '2024-01-06 17:05', 'a@x', 'c8', 'Manual', '1', '2', 'Completed', 'Outgoing', 60, '2024-01-06 17:00', NULL, 'a@x', NULL, NULL, NULL);          -- linked only
CREATE TABLE "tabDynamic Link" (name varchar(140) PRIMARY KEY, parent varchar(140), parenttype varchar(140), link_doctype varchar(140), link_name varchar(140));
INSERT INTO "tabDynamic Link" VALUES ('k1', 'c2', 'CRM Call Log', 'CRM Lead', 'CRM-LEAD-1'), ('k2', 'c2', 'CRM Call Log', 'CRM Deal', 'CRM-DEAL-1'), ('k3', 'c2', 'CRM Call Log', 'CRM Deal', 'CRM-DEAL-3'), ('k4', 'c2', 'CRM Call Log', 'CRM Deal', 'CRM-DEAL-3'),
	('k5', 'c2', 'CRM Call Log', 'FCRM Note', 'n1'), ('k6', 'c2', 'Contact', 'CRM Deal', 'CRM-DEAL-4'), ('k7', 'c8', 'CRM Call Log', 'CRM Deal', 'CRM-DEAL-4');
CREATE TABLE "tabCRM Task" (name bigint PRIMARY KEY, creation timestamp(6), modified timestamp(6), owner varchar(140), title varchar(140), priority varchar(140), start_date date, reference_doctype varchar(140), reference_docname varchar(140), assigned_to varchar(140), status varchar(140), due_date timestamp(6));
INSERT INTO "tabCRM Task" VALUES
	(1, '2024-01-07 10:00', '2024-01-08 10:00', 'a@x', 'done before it is due', 'Low', NULL, 'CRM Deal', 'CRM-DEAL-1', 'b@x', 'Done', '2024-02-01 10:00'),
	(2, '2024-01-07 10:00', '2024-01-08 10:00', 'a@x', 'planned', 'Low', NULL, 'CRM Deal', 'CRM-DEAL-1', NULL, 'Todo', '2024-02-02 10:00'),
	(3, '2024-01-07 10:00', '2024-01-08 10:00', 'a@x', 'never', 'Low', NULL, 'CRM Lead', 'CRM-LEAD-2', 'b@x', 'Canceled', NULL);
CREATE TABLE "tabFCRM Note" (name varchar(140) PRIMARY KEY, creation timestamp(6), owner varchar(140), title varchar(140), reference_doctype varchar(140), reference_docname varchar(140));
INSERT INTO "tabFCRM Note" VALUES ('n1', '2024-01-09 10:00', 'a@x', 'note', 'CRM Deal', 'CRM-DEAL-1');
CREATE TABLE "tabCommunication" (name varchar(140) PRIMARY KEY, creation timestamp(6), owner varchar(140), communication_type varchar(140), communication_medium varchar(140), sent_or_received varchar(140), communication_date timestamp(6), delivery_status varchar(140), "user" varchar(140), reference_doctype varchar(140), reference_name varchar(140));
INSERT INTO "tabCommunication" VALUES
	('m1', '2024-01-11 10:00', 'a@x', 'Communication', 'Email', 'Sent', '2024-01-11 10:00', 'Sent', 'b@x', 'CRM Deal', 'CRM-DEAL-1'),
	('m2', '2024-01-11 11:30', 'Administrator', 'Communication', 'Email', 'Received', '2024-01-11 11:00', NULL, 'Administrator', 'CRM Lead', 'CRM-LEAD-1'),
	('m3', '2024-01-11 12:00', 'a@x', 'Communication', 'Email', 'Sent', '2024-01-11 12:00', 'Bounced', 'a@x', 'CRM Deal', 'CRM-DEAL-1'),
	('m4', '2024-01-11 13:00', 'a@x', 'Comment', 'Email', 'Sent', '2024-01-11 13:00', NULL, 'a@x', 'CRM Deal', 'CRM-DEAL-1'),
	('m5', '2024-01-11 14:00', 'a@x', 'Communication', 'Email', 'Sent', '2024-01-11 14:00', NULL, 'a@x', 'Sales Invoice', 'X'),
	('m6', '2024-01-11 15:00', 'a@x', 'Communication', 'Phone', 'Sent', '2024-01-11 15:00', NULL, 'a@x', 'CRM Deal', 'CRM-DEAL-1'),
	('m7', '2024-01-11 16:00', 'a@x', 'Communication', 'SMS', 'Sent', '2024-01-11 16:00', NULL, 'a@x', 'Contact', 'Ann'),
	('m8', '2024-01-11 17:00', 'a@x', 'Automated Message', 'Email', 'Sent', '2024-01-11 17:00', NULL, 'a@x', 'CRM Deal', 'CRM-DEAL-1');
CREATE TABLE "tabEvent" (name varchar(140) PRIMARY KEY, creation timestamp(6), owner varchar(140), subject text, event_category varchar(140), event_type varchar(140), starts_on timestamp(6), ends_on timestamp(6), status varchar(140), all_day smallint, repeat_this_event smallint, pulled_from_google_calendar smallint);
INSERT INTO "tabEvent" VALUES
	('EV1', '2024-01-12 09:00', 'a@x', 'two deals', 'Meeting', 'Private', '2024-01-15 10:00', '2024-01-15 11:00', 'Open', 0, 0, 1),
	('EV2', '2024-01-12 09:00', 'a@x', 'cancelled', 'Meeting', 'Private', '2024-01-16 10:00', NULL, 'Cancelled', 0, 0, 0),
	('EV3', '2024-01-12 09:00', 'a@x', 'in the future', 'Call', 'Private', '2124-01-16 10:00', NULL, 'Open', 0, 0, 0),
	('EV4', '2024-01-12 09:00', 'a@x', 'the dentist', 'Event', 'Private', '2024-01-17 10:00', NULL, 'Open', 0, 0, 1);
CREATE TABLE "tabEvent Participants" (name varchar(140) PRIMARY KEY, parent varchar(140), parenttype varchar(140), reference_doctype varchar(140), reference_docname varchar(140));
INSERT INTO "tabEvent Participants" VALUES ('p1', 'EV1', 'Event', 'CRM Deal', 'CRM-DEAL-1'), ('p2', 'EV1', 'Event', 'CRM Deal', 'CRM-DEAL-3'), ('p3', 'EV1', 'Event', 'CRM Lead', 'CRM-LEAD-1'), ('p4', 'EV1', 'Event', 'Contact', 'Ann'),
	('p5', 'EV2', 'Event', 'CRM Deal', 'CRM-DEAL-1'), ('p6', 'EV3', 'Event', 'CRM Lead', 'CRM-LEAD-2'), ('p7', 'EV4', 'Event', 'Contact', 'Dr Who');
CREATE TABLE "tabCRM Organization" (name varchar(140) PRIMARY KEY, creation timestamp(6), owner varchar(140), annual_revenue decimal(21,9), currency varchar(140));
INSERT INTO "tabCRM Organization" VALUES ('Acme', '2023-12-01', 'a@x', 1000000, 'USD');

-- the site is in Kolkata, 5:30 before UTC
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('frappe', 'frappe', 'fcrm', tz => 'Asia/Kolkata')$$, 'installed');
CREATE TEMP TABLE wanted (event_id text, entity_type text, entity text, kind text, at timestamp, actor text, status text, value float8, origin text);
INSERT INTO wanted VALUES
	('frappe:call:c1', 'opportunity', 'CRM-DEAL-1', 'call', '2024-01-06 10:00', 'b@x', 'done', 300, 'manual'),
	('frappe:call:c2', 'opportunity', 'CRM-DEAL-1', 'call', '2024-01-06 11:00', 'a@x', 'done', 120, 'integration'),
	('frappe:call:c2', 'opportunity', 'CRM-DEAL-3', 'call', '2024-01-06 11:00', 'a@x', 'done', 120, 'integration'),
	('frappe:call:c3', 'lead', 'CRM-LEAD-2', 'call', '2024-01-06 12:00', 'a@x', 'no_show', NULL, 'integration'),
	('frappe:call:c4', 'opportunity', 'CRM-DEAL-1', 'call', '2024-01-06 13:05', 'a@x', 'cancelled', NULL, NULL),
	('frappe:call:c5', 'opportunity', 'CRM-DEAL-1', 'call', '2124-01-06 14:00', 'a@x', 'planned', NULL, 'integration'),
	('frappe:call:c7', NULL, NULL, 'call', '2024-01-06 16:00', 'a@x', 'done', 60, 'manual'),
	('frappe:call:c8', 'opportunity', 'CRM-DEAL-4', 'call', '2024-01-06 17:00', 'a@x', 'done', 60, 'manual'),
	('frappe:task:1', 'opportunity', 'CRM-DEAL-1', 'task', '2024-01-08 10:00', 'b@x', 'done', NULL, NULL),
	('frappe:task:2', 'opportunity', 'CRM-DEAL-1', 'task', '2024-02-02 10:00', 'a@x', 'planned', NULL, NULL),
	('frappe:task:3', 'lead', 'CRM-LEAD-2', 'task', '2024-01-07 10:00', 'b@x', 'cancelled', NULL, NULL),
	('frappe:note:n1', 'opportunity', 'CRM-DEAL-1', 'note', '2024-01-09 10:00', 'a@x', 'done', NULL, 'manual'),
	('frappe:communication:m1', 'opportunity', 'CRM-DEAL-1', 'email_out', '2024-01-11 10:00', 'b@x', 'done', NULL, NULL),
	('frappe:communication:m2', 'opportunity', 'CRM-DEAL-1', 'email_in', '2024-01-11 11:00', NULL, 'done', NULL, 'integration'),
	('frappe:communication:m3', 'opportunity', 'CRM-DEAL-1', 'email_out', '2024-01-11 12:00', 'a@x', 'cancelled', NULL, NULL),
	('frappe:communication:m6', 'opportunity', 'CRM-DEAL-1', 'call', '2024-01-11 15:00', 'a@x', 'done', NULL, NULL),
	('frappe:communication:m7', 'contact', 'Ann', 'message', '2024-01-11 16:00', 'a@x', 'done', NULL, NULL),
	('frappe:event:EV1', 'opportunity', 'CRM-DEAL-1', 'meeting', '2024-01-15 10:00', 'a@x', 'done', 3600, 'integration'),
	('frappe:event:EV1', 'opportunity', 'CRM-DEAL-3', 'meeting', '2024-01-15 10:00', 'a@x', 'done', 3600, 'integration'),
	('frappe:event:EV2', 'opportunity', 'CRM-DEAL-1', 'meeting', '2024-01-16 10:00', 'a@x', 'cancelled', NULL, NULL),
	('frappe:event:EV3', 'lead', 'CRM-LEAD-2', 'call', '2124-01-16 10:00', 'a@x', 'planned', NULL, NULL),
	('frappe:lead:CRM-LEAD-1', 'opportunity', 'CRM-DEAL-1', 'lead', '2024-01-01 10:00', 'b@x', 'done', NULL, NULL),
	('frappe:lead:CRM-LEAD-2', 'lead', 'CRM-LEAD-2', 'lead', '2024-01-01 11:00', 'a@x', 'done', NULL, NULL),
	('frappe:created:CRM-DEAL-1', 'opportunity', 'CRM-DEAL-1', 'created', '2024-01-02 09:00', 'a@x', 'done', NULL, NULL),
	('frappe:created:CRM-DEAL-2', 'opportunity', 'CRM-DEAL-2', 'created', '2024-01-03 09:00', 'a@x', 'done', NULL, NULL),
	('frappe:created:CRM-DEAL-3', 'opportunity', 'CRM-DEAL-3', 'created', '2024-01-04 09:00', 'a@x', 'done', NULL, NULL),
	('frappe:created:CRM-DEAL-4', 'opportunity', 'CRM-DEAL-4', 'created', '2024-01-05 09:00', 'a@x', 'done', NULL, NULL),
	('frappe:closed:CRM-DEAL-1', 'opportunity', 'CRM-DEAL-1', 'won', '2024-02-01 11:00', 'b@x', 'done', 996, NULL),
	('frappe:closed:CRM-DEAL-2', 'opportunity', 'CRM-DEAL-2', 'lost', '2024-02-20 10:00', 'a@x', 'done', NULL, NULL),
	('frappe:closed:CRM-DEAL-3', 'opportunity', 'CRM-DEAL-3', 'won', '2024-02-15 23:59:59', 'a@x', 'done', 1000, NULL),
	('frappe:first stage:CRM-DEAL-1', 'opportunity', 'CRM-DEAL-1', 'Qualification', '2024-01-02 09:00', 'a@x', 'done', NULL, NULL),
	('frappe:first stage:CRM-DEAL-2', 'opportunity', 'CRM-DEAL-2', 'Qualification', '2024-01-03 09:00', 'a@x', 'done', NULL, NULL),
	('frappe:first stage:CRM-DEAL-3', 'opportunity', 'CRM-DEAL-3', 'Unterschrieben', '2024-01-04 09:00', 'a@x', 'done', NULL, NULL),
	('frappe:first stage:CRM-DEAL-4', 'opportunity', 'CRM-DEAL-4', 'Qualification', '2024-01-05 09:00', 'a@x', 'done', NULL, NULL),
	('frappe:stage:g1', 'opportunity', 'CRM-DEAL-1', 'Demo/Making', '2024-01-10 10:00', 'b@x', 'done', NULL, NULL),
	('frappe:stage:g2', 'opportunity', 'CRM-DEAL-1', 'Unterschrieben', '2024-02-01 11:00', 'b@x', 'done', NULL, NULL),
	('frappe:stage:g4', 'opportunity', 'CRM-DEAL-2', 'Unterschrieben', '2024-01-20 10:00', 'a@x', 'done', NULL, NULL),
	('frappe:stage:g5', 'opportunity', 'CRM-DEAL-2', 'Lost', '2024-02-20 10:00', 'c@x', 'done', NULL, NULL);
SELECT bag_eq($$SELECT event_id, entity_type, entity, kind, at AT TIME ZONE 'Asia/Kolkata', actor, status, value, origin FROM fcrm.events$$, 'TABLE wanted', 'events, in the time of the site');
SELECT is((SELECT at FROM fcrm.events WHERE event_id = 'frappe:call:c1'), '2024-01-06 04:30Z'::timestamptz, 'which is not UTC');
SELECT bag_eq($$SELECT rule, source, id FROM fcrm.events_left_out WHERE id IS NOT NULL$$, $$VALUES ('of a lead', 'tabCRM Status Change Log', 'g7'), ('before 2000', 'tabCRM Call Log', 'c6'), ('written by the system', 'tabCommunication', 'm4'),
	('not on a record of the CRM', 'tabCommunication', 'm5'), ('written by the system', 'tabCommunication', 'm8'), ('not on a deal or lead', 'tabEvent', 'EV4')$$, 'what is left out');
SELECT bag_eq($$SELECT entity_type, entity_id, status, stage, amount::numeric, closed_at AT TIME ZONE 'Asia/Kolkata' FROM fcrm.entities$$, $$VALUES
	('opportunity', 'CRM-DEAL-1', 'won', 'Unterschrieben', 83000.0, timestamp '2024-02-01 11:00'), ('opportunity', 'CRM-DEAL-2', 'lost', 'Lost', 500, '2024-02-20 10:00'), ('opportunity', 'CRM-DEAL-3', 'won', 'Unterschrieben', 1000, '2024-02-15 23:59:59'),
	('opportunity', 'CRM-DEAL-4', 'open', 'Qualification', 10, NULL), ('lead', 'CRM-LEAD-1', 'won', 'Qualified', NULL, NULL), ('lead', 'CRM-LEAD-2', 'open', 'New', NULL, NULL), ('account', 'Acme', NULL, NULL, 1000000, NULL)$$, 'entities: lost deals are there');
SELECT bag_eq($$SELECT stage_key, label, ordinal, class, probability FROM fcrm.stages$$, $$VALUES ('Qualification', 'Qualification', 1, 'open', 0.1::float8), ('Demo/Making', 'Demo/Making', 2, 'open', 0.25), ('Unterschrieben', 'Unterschrieben', 3, 'won', 1), ('Lost', 'Lost', 4, 'lost', 0)$$, 'stages: won is a type, whatever its name');

-- the clock of the server is another than the site's
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('frappe', 'frappe', 'fcrm_utc', tz => 'Asia/Kolkata', options => 'log_zone = UTC')$$, 'with a zone of the log');
SELECT results_eq($$SELECT event_id, at FROM fcrm_utc.events WHERE entity = 'CRM-DEAL-2' AND (stage IS NOT NULL OR kind IN ('created', 'lost')) ORDER BY at, event_id$$, $$VALUES ('frappe:created:CRM-DEAL-2', timestamptz '2024-01-03 03:30Z'), ('frappe:first stage:CRM-DEAL-2', '2024-01-03 03:30Z'),
	('frappe:stage:g4', '2024-01-20 10:00Z'), ('frappe:closed:CRM-DEAL-2', '2024-02-20 10:00Z'), ('frappe:stage:g5', '2024-02-20 10:00Z')$$, 'the log alone is in it');
SELECT is((SELECT zone FROM activity_metrics.preset('frappe')), 'UTC', 'without tz: UTC, which preset() says');

-- from end to end
SELECT results_eq($$SELECT reached FROM activity_metrics.funnel_report('fcrm.events', 'created -> call -> meeting -> won within 180 days')$$, $$VALUES (4::bigint), (3), (2), (2)$$, 'a funnel: one call and one meeting of two deals each');
SELECT is((SELECT source_relation FROM activity_metrics.metric WHERE metric = 'wins'), 'fcrm.events', 'metrics');
SELECT lives_ok($$SELECT * FROM activity_metrics.leading_indicators('wins')$$, 'leading_indicators');
SELECT lives_ok($$SELECT * FROM activity_metrics.vanity_report('wins')$$, 'vanity_report');
SELECT lives_ok($$SELECT * FROM activity_metrics.check_events('fcrm.events')$$, 'check_events');

-- deals and statuses alone, and no rate
CREATE SCHEMA frappe_small;
CREATE TABLE frappe_small."tabCRM Deal" AS SELECT name, creation, modified, owner, status, deal_value, currency FROM "tabCRM Deal";
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('frappe', 'frappe_small', 'fcrm_small')$$, 'tables that are missing are told, not an error');
SELECT bag_eq($$SELECT kind, count(*) FROM fcrm_small.events GROUP BY 1$$, $$VALUES ('created', 4::bigint), ('Qualification', 1), ('Unterschrieben', 2), ('Lost', 1)$$, 'what is left: a status without a type is neither won nor lost');
SELECT cmp_ok((SELECT count(*) FROM fcrm_small.events_left_out WHERE rule = 'not found: left out'), '>=', 8::bigint, 'with what was not found');
CREATE TABLE frappe_small.tab_crm_deal_status AS TABLE "tabCRM Deal Status";
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('frappe', 'frappe_small', 'fcrm_small', replace => true)$$, 'a loader that writes _ for a blank');
SELECT results_eq($$SELECT count(*), sum(value) FROM fcrm_small.events WHERE kind = 'won'$$, $$VALUES (2::bigint, NULL::float8)$$, 'two currencies without a rate are not added up');
SELECT throws_like($$SELECT * FROM activity_metrics.install_preset('frappe', 'fcrm_small', 'fcrm_x')$$, '%has no table "tabCRM Deal"%', 'no Frappe CRM at all');

-- no table but the first is needed, and none is taken without its key
SELECT bag_eq($$SELECT * FROM pg_temp.without_each('frappe', 'frappe', 'days = Asia/Kolkata')$$, $$VALUES ('tabCRM Deal.name', 'table frappe."tabCRM Deal" has no column "name"'), ('tabCRM Deal.creation', 'table frappe."tabCRM Deal" has no column "creation"')$$, 'any key may be missing but that of the deals');

-- since, until and the entity reach the tables
SELECT cmp_ok((SELECT count(*) FROM pg_temp.plan_of($$SELECT * FROM fcrm.events WHERE at >= '2024-01-10Z' AND at < '2024-02-01Z'$$) AS line WHERE line ~ '(Filter|Cond).*2024-01-10'), '>=', 12::bigint, 'bounds on time reach every branch');
SELECT is((SELECT count(*) FROM pg_temp.plan_of($$SELECT * FROM fcrm.events WHERE at >= '2024-01-10Z'$$) AS line WHERE line ~ 'Subquery Scan on (?!x|k|h|g)'), 0::bigint, 'no branch is computed whole');
SELECT cmp_ok((SELECT count(*) FROM pg_temp.plan_of($$SELECT * FROM fcrm.events WHERE entity = 'CRM-DEAL-1'$$) AS line WHERE line ~ '(Filter|Cond).*= ''CRM-DEAL-1''::text'), '>=', 12::bigint, 'an entity, too');
-- any column may be missing; any row is in events once, or left out once; the reports run on the preset alone
RESET ROLE;
SET LOCAL search_path = public;
SELECT is_empty($$SELECT pg_temp.without_each_column('frappe', 'frappe')$$, 'a column that is missing is told, or refused by a message of our own');
DELETE FROM activity_metrics.metric;
SELECT ok(count(*) = 1, 'wins is the North Star') FROM activity_metrics.install_preset('frappe', 'frappe', 'fcrm', replace => true) WHERE what = 'North Star' AND subject = 'wins';
SELECT is_empty($$SELECT pg_temp.silent_reports('frappe', 'fcrm')$$, 'from end to end');
SELECT pg_temp.scatter('frappe."tabCRM Call Log"', 'name', 150), pg_temp.scatter('frappe."tabCRM Task"', 'name', 150), pg_temp.scatter('frappe."tabFCRM Note"', 'name', 150), pg_temp.scatter('frappe."tabCommunication"', 'name', 150), pg_temp.scatter('frappe."tabEvent"', 'name', 150) \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.not_once('fcrm', 'frappe."tabCRM Call Log"', 'name', 'tabCRM Call Log')$$, 'every row of frappe.tabCRM Call Log once');
SELECT is_empty($$SELECT * FROM pg_temp.not_once('fcrm', 'frappe."tabCRM Task"', 'name', 'tabCRM Task')$$, 'every row of frappe.tabCRM Task once');
SELECT is_empty($$SELECT * FROM pg_temp.not_once('fcrm', 'frappe."tabFCRM Note"', 'name', 'tabFCRM Note')$$, 'every row of frappe.tabFCRM Note once');
SELECT is_empty($$SELECT * FROM pg_temp.not_once('fcrm', 'frappe."tabCommunication"', 'name', 'tabCommunication')$$, 'every row of frappe.tabCommunication once');
SELECT is_empty($$SELECT * FROM pg_temp.not_once('fcrm', 'frappe."tabEvent"', 'name', 'tabEvent')$$, 'every row of frappe.tabEvent once');
-- deals and leads as well
SELECT pg_temp.scatter('frappe."tabCRM Deal"', 'name', 100), pg_temp.scatter('frappe."tabCRM Lead"', 'name', 100) \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.not_begun('fcrm', 'frappe."tabCRM Deal"', 'name', 'created')$$, 'frappe."tabCRM Deal": each begins once, or is left out once');
SELECT is_empty($$SELECT * FROM pg_temp.not_begun('fcrm', 'frappe."tabCRM Lead"', 'name', 'lead')$$, 'frappe."tabCRM Lead": each begins once, or is left out once');
SELECT is_empty($$SELECT pg_temp.too_old('fcrm')$$, 'fcrm: nothing from before 2000');

SELECT * FROM finish();
ROLLBACK;
