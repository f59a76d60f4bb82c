-- Preset of Twenty: the schema of a workspace, with the rows that mislead.
BEGIN;
SELECT no_plan();
\ir preset_tools.psql
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;

CREATE SCHEMA workspace_1;
SET LOCAL search_path = workspace_1, public;
-- keys are uuids: 1 is 00000000-...-01
CREATE FUNCTION pg_temp.key(n integer) RETURNS uuid LANGUAGE sql AS $$ SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid $$;
CREATE FUNCTION pg_temp.short(key text) RETURNS text LANGUAGE sql AS $$ SELECT regexp_replace(key, '00000000-0000-4000-8000-0*', '') $$;
CREATE TYPE opportunity_stage_enum AS ENUM ('NEW', 'SCREENING', 'MEETING', 'PROPOSAL', 'CUSTOMER', 'GONE');
CREATE TYPE task_status_enum AS ENUM ('TODO', 'IN_PROGRESS', 'DONE');
CREATE TYPE direction_enum AS ENUM ('INCOMING', 'OUTGOING');
CREATE TYPE source_enum AS ENUM ('EMAIL', 'CALENDAR', 'WORKFLOW', 'API', 'IMPORT', 'MANUAL', 'SYSTEM');
CREATE TABLE opportunity (id uuid PRIMARY KEY, name text, "amountAmountMicros" numeric, "amountCurrencyCode" text, "closeDate" timestamptz, stage opportunity_stage_enum, probability text, "companyId" uuid, "pointOfContactId" uuid,
	"createdBySource" source_enum, "createdByWorkspaceMemberId" uuid, "ownerId" uuid, "createdAt" timestamptz, "updatedAt" timestamptz, "deletedAt" timestamptz);
INSERT INTO opportunity VALUES
	(pg_temp.key(1), 'won', 1500500000, 'EUR', '2024-01-31Z', 'CUSTOMER', '0', pg_temp.key(90), pg_temp.key(21), 'MANUAL', pg_temp.key(71), pg_temp.key(72), '2024-01-01 09:00Z', '2024-03-01 09:00Z', NULL),
	(pg_temp.key(2), 'gone', 20000000, 'EUR', '2024-02-15Z', 'GONE', '0', NULL, pg_temp.key(21), 'API', pg_temp.key(71), NULL, '2024-01-02 09:00Z', '2024-02-20 09:00Z', NULL),
	(pg_temp.key(3), 'deleted', 90000000, 'USD', '2024-02-15Z', 'CUSTOMER', '0', NULL, pg_temp.key(21), 'MANUAL', pg_temp.key(71), NULL, '2024-01-03 09:00Z', '2024-02-20 09:00Z', '2024-02-20Z'),
	(pg_temp.key(4), 'open, never moved', NULL, NULL, NULL, 'SCREENING', '0', NULL, pg_temp.key(22), 'WORKFLOW', NULL, NULL, '2024-01-04 09:00Z', '2024-01-04 09:00Z', NULL);
CREATE TABLE "timelineActivity" (id uuid PRIMARY KEY, "happensAt" timestamptz, name text, properties jsonb, "workspaceMemberId" uuid, "targetOpportunityId" uuid, "targetTaskId" uuid, "createdAt" timestamptz, "deletedAt" timestamptz);
INSERT INTO "timelineActivity" VALUES
	(pg_temp.key(30), '2024-01-01 09:00Z', 'opportunity.created', '{"after": {"stage": "NEW"}}', pg_temp.key(71), pg_temp.key(1), NULL, '2024-01-01 09:00Z', NULL),
	(pg_temp.key(31), '2024-01-05 09:00Z', 'opportunity.updated', '{"diff": {"stage": {"before": "NEW", "after": "MEETING"}}}', pg_temp.key(71), pg_temp.key(1), NULL, '2024-01-05 09:00Z', NULL),
	(pg_temp.key(32), '2024-01-20 09:00Z', 'opportunity.updated', '{"diff": {"name": {"before": "x", "after": "y"}, "stage": {"before": "MEETING", "after": "CUSTOMER"}}}', pg_temp.key(72), pg_temp.key(1), NULL, '2024-01-20 09:00Z', NULL),
	(pg_temp.key(33), '2024-01-21 09:00Z', 'opportunity.updated', '{"diff": {"name": {"before": "x", "after": "y"}}}', pg_temp.key(72), pg_temp.key(1), NULL, '2024-01-21 09:00Z', NULL),
	(pg_temp.key(34), '2024-01-22 09:00Z', 'task.updated', '{"diff": {"status": {"before": "TODO", "after": "DONE"}}}', pg_temp.key(72), NULL, pg_temp.key(41), '2024-01-22 09:00Z', NULL),
	(pg_temp.key(35), '2024-01-23 09:00Z', 'opportunity.updated', '{"diff": {"stage": {"before": "NEW", "after": "PROPOSAL"}}}', pg_temp.key(72), pg_temp.key(4), NULL, '2024-01-23 09:00Z', '2024-01-24Z'),
	(pg_temp.key(36), '2024-01-23 09:00Z', 'linked-task.updated', NULL, pg_temp.key(72), pg_temp.key(4), NULL, '2024-01-23 09:00Z', NULL);
CREATE TABLE task (id uuid PRIMARY KEY, title text, "dueAt" timestamptz, status task_status_enum, "assigneeId" uuid, "createdBySource" source_enum, "createdByWorkspaceMemberId" uuid, "createdAt" timestamptz, "updatedAt" timestamptz, "deletedAt" timestamptz);
INSERT INTO task VALUES
	(pg_temp.key(41), 'done; of an opportunity and a person', '2024-02-10Z', 'DONE', pg_temp.key(72), 'MANUAL', pg_temp.key(71), '2024-01-06 09:00Z', '2024-02-01 09:00Z', NULL),
	(pg_temp.key(42), 'planned', '2024-02-11Z', 'TODO', NULL, 'WORKFLOW', pg_temp.key(71), '2024-01-06 09:00Z', '2024-02-01 09:00Z', NULL),
	(pg_temp.key(43), 'deleted', '2024-02-11Z', 'DONE', NULL, 'MANUAL', pg_temp.key(71), '2024-01-06 09:00Z', '2024-02-01 09:00Z', '2024-02-01Z'),
	(pg_temp.key(44), 'done, of nothing', NULL, 'DONE', pg_temp.key(71), 'MANUAL', pg_temp.key(71), '2024-01-06 09:00Z', '2024-01-07 09:00Z', NULL);
CREATE TABLE "taskTarget" (id uuid PRIMARY KEY, "taskId" uuid, "opportunityId" uuid, "personId" uuid, "companyId" uuid, "deletedAt" timestamptz);
INSERT INTO "taskTarget" VALUES (pg_temp.key(141), pg_temp.key(41), pg_temp.key(1), NULL, NULL, NULL), (pg_temp.key(142), pg_temp.key(41), NULL, pg_temp.key(21), NULL, NULL), (pg_temp.key(143), pg_temp.key(42), NULL, NULL, pg_temp.key(90), NULL), (pg_temp.key(144), pg_temp.key(42), pg_temp.key(1), NULL, NULL, '2024-01-07Z');
CREATE TABLE note (id uuid PRIMARY KEY, title text, "createdBySource" source_enum, "createdByWorkspaceMemberId" uuid, "createdAt" timestamptz, "deletedAt" timestamptz);
INSERT INTO note VALUES (pg_temp.key(51), 'note', 'IMPORT', pg_temp.key(71), '2024-01-08 09:00Z', NULL);
-- a newer layout of targets
CREATE TABLE "noteTarget" (id uuid PRIMARY KEY, "noteId" uuid, "targetOpportunityId" uuid, "targetPersonId" uuid, "targetCompanyId" uuid, "deletedAt" timestamptz);
INSERT INTO "noteTarget" VALUES (pg_temp.key(151), pg_temp.key(51), pg_temp.key(1), NULL, NULL, NULL);
CREATE TABLE "calendarEvent" (id uuid PRIMARY KEY, title text, "isCanceled" boolean, "isFullDay" boolean, "startsAt" timestamptz, "endsAt" timestamptz, "externalCreatedAt" timestamptz, "createdAt" timestamptz, "deletedAt" timestamptz);
INSERT INTO "calendarEvent" VALUES
	(pg_temp.key(61), 'with the contact of 1 and 2', false, false, '2024-01-10 10:00Z', '2024-01-10 10:30Z', '2024-01-09Z', '2024-01-11Z', NULL),
	(pg_temp.key(62), 'cancelled', true, false, '2024-01-11 10:00Z', '2024-01-11 10:30Z', NULL, '2024-01-09Z', NULL),
	(pg_temp.key(63), 'in the future', false, false, '2124-01-11 10:00Z', '2124-01-11 10:30Z', NULL, '2024-01-09Z', NULL),
	(pg_temp.key(64), 'members only', false, false, '2024-01-12 10:00Z', '2024-01-12 10:30Z', NULL, '2024-01-09Z', NULL),
	(pg_temp.key(65), 'with a person of no opportunity', false, true, '2024-01-13 00:00Z', '2024-01-14 00:00Z', NULL, '2024-01-09Z', NULL),
	(pg_temp.key(66), 'sentinel', false, false, '1970-01-01 00:00Z', NULL, NULL, '2024-01-09Z', NULL);
CREATE TABLE "calendarEventParticipant" (id uuid PRIMARY KEY, "calendarEventId" uuid, handle text, "isOrganizer" boolean, "responseStatus" text, "personId" uuid, "workspaceMemberId" uuid, "deletedAt" timestamptz);
INSERT INTO "calendarEventParticipant" VALUES
	(pg_temp.key(161), pg_temp.key(61), 'a', false, 'ACCEPTED', NULL, pg_temp.key(71), NULL), (pg_temp.key(162), pg_temp.key(61), 'b', true, 'ACCEPTED', NULL, pg_temp.key(72), NULL), (pg_temp.key(163), pg_temp.key(61), 'eve', false, 'ACCEPTED', pg_temp.key(21), NULL, NULL), (pg_temp.key(164), pg_temp.key(61), 'eve, twice', false, 'ACCEPTED', pg_temp.key(21), NULL, NULL),
	(pg_temp.key(165), pg_temp.key(62), 'carl', true, 'ACCEPTED', pg_temp.key(22), NULL, NULL), (pg_temp.key(166), pg_temp.key(63), 'carl', true, 'ACCEPTED', pg_temp.key(22), NULL, NULL), (pg_temp.key(167), pg_temp.key(64), 'a', true, 'ACCEPTED', NULL, pg_temp.key(71), NULL),
	(pg_temp.key(168), pg_temp.key(65), 'zoe', true, 'ACCEPTED', pg_temp.key(23), NULL, NULL), (pg_temp.key(169), pg_temp.key(66), 'carl', true, 'ACCEPTED', pg_temp.key(22), NULL, NULL);
CREATE TABLE message (id uuid PRIMARY KEY, subject text, "receivedAt" timestamptz, "messageThreadId" uuid, "createdAt" timestamptz, "deletedAt" timestamptz);
INSERT INTO message VALUES
	(pg_temp.key(81), 'out, in the mailboxes of two members', '2024-01-14 10:00Z', pg_temp.key(180), '2024-01-14 10:01Z', NULL), (pg_temp.key(82), 'in', '2024-01-15 10:00Z', pg_temp.key(180), '2024-01-15 10:01Z', NULL),
	(pg_temp.key(83), 'members only', '2024-01-16 10:00Z', pg_temp.key(181), '2024-01-15 10:01Z', NULL), (pg_temp.key(84), 'deleted', '2024-01-16 10:00Z', pg_temp.key(180), '2024-01-15 10:01Z', '2024-01-17Z');
CREATE TABLE "messageParticipant" (id uuid PRIMARY KEY, "messageId" uuid, role text, handle text, "personId" uuid, "workspaceMemberId" uuid, "deletedAt" timestamptz);
INSERT INTO "messageParticipant" VALUES (pg_temp.key(181), pg_temp.key(81), 'from', 'a', NULL, pg_temp.key(71), NULL), (pg_temp.key(182), pg_temp.key(81), 'to', 'carl', pg_temp.key(22), NULL, NULL), (pg_temp.key(183), pg_temp.key(81), 'cc', 'b', NULL, pg_temp.key(72), NULL),
	(pg_temp.key(184), pg_temp.key(82), 'FROM', 'carl', pg_temp.key(22), NULL, NULL), (pg_temp.key(185), pg_temp.key(82), 'TO', 'a', NULL, pg_temp.key(71), NULL), (pg_temp.key(186), pg_temp.key(83), 'from', 'a', NULL, pg_temp.key(71), NULL);
CREATE TABLE "messageChannelMessageAssociation" (id uuid PRIMARY KEY, "messageId" uuid, direction direction_enum, "messageChannelId" uuid, "deletedAt" timestamptz);
INSERT INTO "messageChannelMessageAssociation" VALUES (pg_temp.key(191), pg_temp.key(81), 'OUTGOING', pg_temp.key(1), NULL), (pg_temp.key(192), pg_temp.key(81), 'INCOMING', pg_temp.key(2), NULL), (pg_temp.key(193), pg_temp.key(82), 'INCOMING', pg_temp.key(1), NULL), (pg_temp.key(194), pg_temp.key(83), 'OUTGOING', pg_temp.key(1), NULL);
CREATE TABLE company (id uuid PRIMARY KEY, name text, "accountOwnerId" uuid, "createdAt" timestamptz, "deletedAt" timestamptz);
INSERT INTO company VALUES (pg_temp.key(90), 'Acme', pg_temp.key(71), '2023-01-01Z', NULL);
CREATE TABLE person (id uuid PRIMARY KEY, "companyId" uuid, "createdAt" timestamptz, "deletedAt" timestamptz);
INSERT INTO person VALUES (pg_temp.key(21), pg_temp.key(90), '2023-01-01Z', NULL);

SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('twenty', 'workspace_1', 'tcrm', options => 'lost = GONE')$$, 'installed');
CREATE TEMP TABLE wanted (event_id text, entity_type text, entity text, kind text, at timestamptz, actor text, status text, value float8, origin text);
INSERT INTO wanted VALUES
	('twenty:task:41', 'opportunity', '1', 'task', '2024-01-22 09:00', '72', 'done', NULL, 'manual'), ('twenty:task:41', 'contact', '21', 'task', '2024-01-22 09:00', '72', 'done', NULL, 'manual'),
	('twenty:task:42', 'account', '90', 'task', '2024-02-11 00:00', '71', 'planned', NULL, 'auto'), ('twenty:task:44', NULL, NULL, 'task', '2024-01-07 09:00', '71', 'done', NULL, 'manual'),
	('twenty:note:51', 'opportunity', '1', 'note', '2024-01-08 09:00', '71', 'done', NULL, 'integration'),
	('twenty:meeting:61', 'opportunity', '1', 'meeting', '2024-01-10 10:00', '72', 'done', 1800, 'integration'), ('twenty:meeting:61', 'opportunity', '2', 'meeting', '2024-01-10 10:00', '72', 'done', 1800, 'integration'),
	('twenty:meeting:62', 'opportunity', '4', 'meeting', '2024-01-11 10:00', NULL, 'cancelled', 1800, 'integration'), ('twenty:meeting:63', 'opportunity', '4', 'meeting', '2124-01-11 10:00', NULL, 'planned', 1800, 'integration'),
	('twenty:meeting:65', NULL, NULL, 'meeting', '2024-01-13 00:00', NULL, 'done', 86400, 'integration'),
	('twenty:message:81', 'opportunity', '4', 'email_out', '2024-01-14 10:00', '71', 'done', NULL, 'integration'), ('twenty:message:82', 'opportunity', '4', 'email_in', '2024-01-15 10:00', NULL, 'done', NULL, 'integration'),
	('twenty:created:1', 'opportunity', '1', 'created', '2024-01-01 09:00', '71', 'done', NULL, 'manual'), ('twenty:created:2', 'opportunity', '2', 'created', '2024-01-02 09:00', '71', 'done', NULL, 'integration'), ('twenty:created:4', 'opportunity', '4', 'created', '2024-01-04 09:00', NULL, 'done', NULL, 'auto'),
	('twenty:closed:1', 'opportunity', '1', 'won', '2024-01-20 09:00', '72', 'done', 1500.5, NULL), ('twenty:closed:2', 'opportunity', '2', 'lost', '2024-02-15 00:00', '71', 'done', NULL, NULL),
	('twenty:first stage:1', 'opportunity', '1', 'NEW', '2024-01-01 09:00', '71', 'done', NULL, NULL), ('twenty:stage:31', 'opportunity', '1', 'MEETING', '2024-01-05 09:00', '71', 'done', NULL, NULL), ('twenty:stage:32', 'opportunity', '1', 'CUSTOMER', '2024-01-20 09:00', '72', 'done', NULL, NULL),
	('twenty:first stage:2', 'opportunity', '2', 'GONE', '2024-01-02 09:00', '71', 'done', NULL, NULL), ('twenty:first stage:4', 'opportunity', '4', 'SCREENING', '2024-01-04 09:00', NULL, 'done', NULL, NULL);
SELECT bag_eq($$SELECT pg_temp.short(event_id) AS event_id, entity_type, pg_temp.short(entity) AS entity, kind, at, pg_temp.short(actor) AS actor, status, value, origin FROM tcrm.events$$, 'TABLE wanted', 'events');
SELECT bag_eq($$SELECT rule, source, pg_temp.short(id) AS id FROM tcrm.events_left_out WHERE id IS NOT NULL$$, $$VALUES ('deleted', 'opportunity', '3'), ('deleted', 'timelineActivity', '35'), ('deleted', 'task', '43'), ('deleted', 'taskTarget', '144'), ('nobody from outside', 'calendarEvent', '64'),
	('before 2000', 'calendarEvent', '66'), ('nobody from outside', 'message', '83'), ('deleted', 'message', '84')$$, 'what is left out');
SELECT bag_eq($$SELECT entity_type, pg_temp.short(entity_id) AS entity_id, pg_temp.short(parent_id) AS parent_id, status, amount, is_deleted, closed_at FROM tcrm.entities$$, $$VALUES ('opportunity', '1', '90', 'won', 1500.5::float8, false, timestamptz '2024-01-20 09:00Z'), ('opportunity', '2', NULL, 'lost', 20, false, '2024-02-15Z'), ('opportunity', '3', NULL, 'won', 90, true, '2024-02-15Z'),
	('opportunity', '4', NULL, 'open', NULL, false, NULL), ('account', '90', NULL, NULL, NULL, false, NULL), ('contact', '21', '90', NULL, NULL, false, NULL)$$, 'entities');
SELECT results_eq($$SELECT stage_key, ordinal, class FROM tcrm.stages ORDER BY ordinal$$, $$VALUES ('SCREENING', 1, 'open'), ('CUSTOMER', 2, 'won'), ('GONE', 3, 'lost')$$, 'stages in the order of the type');

-- the target of an event and of a thread; two currencies
CREATE TABLE "calendarEventTarget" (id uuid PRIMARY KEY, "calendarEventId" uuid, "isAutomaticallyAssigned" boolean, "isManuallyAssigned" boolean, "targetPersonId" uuid, "targetCompanyId" uuid, "targetOpportunityId" uuid, "deletedAt" timestamptz);
INSERT INTO "calendarEventTarget" VALUES (pg_temp.key(201), pg_temp.key(61), true, false, NULL, NULL, pg_temp.key(1), NULL), (pg_temp.key(202), pg_temp.key(64), false, true, NULL, NULL, pg_temp.key(4), NULL), (pg_temp.key(203), pg_temp.key(65), false, true, NULL, NULL, pg_temp.key(4), '2024-01-15Z');
CREATE TABLE "messageThreadTarget" (id uuid PRIMARY KEY, "messageThreadId" uuid, "targetPersonId" uuid, "targetCompanyId" uuid, "targetOpportunityId" uuid, "deletedAt" timestamptz);
INSERT INTO "messageThreadTarget" VALUES (pg_temp.key(211), pg_temp.key(180), NULL, NULL, pg_temp.key(1), NULL);
UPDATE opportunity SET "amountCurrencyCode" = 'USD', stage = 'CUSTOMER' WHERE id = pg_temp.key(2);
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('twenty', 'workspace_1', 'tcrm', replace => true)$$, 'with targets');
SELECT bag_eq($$SELECT pg_temp.short(event_id) AS event_id, pg_temp.short(entity) AS entity FROM tcrm.events WHERE kind IN ('meeting', 'email_out', 'email_in')$$, $$VALUES ('twenty:meeting:61', '1'), ('twenty:meeting:61', '2'), ('twenty:meeting:62', '4'), ('twenty:meeting:63', '4'), ('twenty:meeting:64', '4'), ('twenty:meeting:65', NULL),
	('twenty:message:81', '1'), ('twenty:message:81', '4'), ('twenty:message:82', '1'), ('twenty:message:82', '4')$$, 'each opportunity once');
SELECT results_eq($$SELECT count(*), sum(value) FROM tcrm.events WHERE kind = 'won'$$, $$VALUES (2::bigint, NULL::float8)$$, 'two currencies are not added up');
SELECT bag_eq($$SELECT pg_temp.short(id) AS id, example FROM tcrm.events_left_out WHERE rule = 'amount without a rate: NULL'$$, $$VALUES ('1', 'EUR'), ('2', 'USD')$$, 'which is told');
CREATE TABLE rate (currency text, rate numeric);
INSERT INTO rate VALUES ('EUR', 1), ('USD', 0.5);
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('twenty', 'workspace_1', 'tcrm', options => 'lost = GONE, rates = workspace_1.rate', replace => true)$$, 'with rates');
SELECT is((SELECT sum(value) FROM tcrm.events WHERE kind = 'won'), 1510.5::float8, 'they are, at these rates');
-- an opportunity without an amount has an empty code
UPDATE opportunity SET "amountCurrencyCode" = '' WHERE id = pg_temp.key(4);
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('twenty', 'workspace_1', 'tcrm', options => 'lost = GONE, currency = EUR', replace => true)$$, 'with one currency');
SELECT is((SELECT sum(value) FROM tcrm.events WHERE kind = 'won'), 1500.5::float8, 'the others do not count');

-- from end to end
SELECT results_eq($$SELECT reached FROM activity_metrics.funnel_report('tcrm.events', 'created -> meeting -> won within 180 days')$$, $$VALUES (3::bigint), (3), (2)$$, 'a funnel');
SELECT is((SELECT source_relation FROM activity_metrics.metric WHERE metric = 'revenue'), 'tcrm.events', 'metrics');
SELECT lives_ok($$SELECT * FROM activity_metrics.leading_indicators('wins')$$, 'leading_indicators');
SELECT lives_ok($$SELECT * FROM activity_metrics.vanity_report('wins')$$, 'vanity_report');
SELECT lives_ok($$SELECT * FROM activity_metrics.check_events('tcrm.events')$$, 'check_events');

-- opportunities alone, in snake case
CREATE SCHEMA twenty_small;
CREATE TABLE twenty_small.opportunity AS SELECT id, stage::text, "createdAt" AS created_at, "updatedAt" AS updated_at, "amountAmountMicros" AS amount_amount_micros FROM opportunity;
CREATE TABLE twenty_small.calendar_event AS SELECT id, "startsAt" AS starts_at FROM "calendarEvent";
CREATE TABLE twenty_small.message AS SELECT id, "receivedAt" AS received_at FROM message;
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('twenty', 'twenty_small', 'tcrm_small')$$, 'tables that are missing are told, not an error');
SELECT set_eq($$SELECT DISTINCT kind FROM tcrm_small.events$$, ARRAY['created', 'won', 'CUSTOMER', 'SCREENING', 'meeting', 'email'], 'what is left: mail without a direction');
SELECT cmp_ok((SELECT count(*) FROM tcrm_small.events_left_out WHERE rule = 'not found: left out'), '>=', 4::bigint, 'with what was not found');
SELECT throws_like($$SELECT * FROM activity_metrics.install_preset('twenty', 'tcrm_small', 'tcrm_x')$$, '%has no table "opportunity"%', 'no Twenty at all');

-- no table but the first is needed, and none is taken without its key
SELECT bag_eq($$SELECT * FROM pg_temp.without_each('twenty', 'workspace_1', NULL)$$, $$VALUES ('opportunity.id', 'table workspace_1.opportunity has no column "id"')$$, 'any key may be missing but that of the deals');

-- since, until and the entity reach the tables
SELECT cmp_ok((SELECT count(*) FROM pg_temp.plan_of($$SELECT * FROM tcrm.events WHERE at >= '2024-01-10Z' AND at < '2024-02-01Z'$$) AS line WHERE line ~ '(Filter|Cond).*2024-01-10'), '>=', 9::bigint, 'bounds on time reach every branch');
SELECT is((SELECT count(*) FROM pg_temp.plan_of($$SELECT * FROM tcrm.events WHERE at >= '2024-01-10Z'$$) AS line WHERE line ~ 'Subquery Scan on (?!h|g|r)'), 0::bigint, 'no branch is computed whole');
SELECT cmp_ok((SELECT count(*) FROM pg_temp.plan_of($$SELECT * FROM tcrm.events WHERE entity = '00000000-0000-4000-8000-000000000001'$$) AS line WHERE line ~ '(Filter|Cond).*= ''00000000-0000-4000-8000-000000000001'''), '>=', 9::bigint, 'an entity, too');
-- any column may be missing; any row is in events once, or left out once; the reports run on the preset alone
RESET ROLE;
SET LOCAL search_path = public;
SELECT is_empty($$SELECT pg_temp.without_each_column('twenty', 'workspace_1')$$, 'a column that is missing is told, or refused by a message of our own');
DELETE FROM activity_metrics.metric;
SELECT ok(count(*) = 1, 'wins is the North Star') FROM activity_metrics.install_preset('twenty', 'workspace_1', 'tcrm', replace => true) WHERE what = 'North Star' AND subject = 'wins';
SELECT is_empty($$SELECT pg_temp.silent_reports('twenty', 'tcrm')$$, 'from end to end');
SELECT pg_temp.scatter('workspace_1."task"', 'id', 150), pg_temp.scatter('workspace_1."note"', 'id', 150), pg_temp.scatter('workspace_1."calendarEvent"', 'id', 150), pg_temp.scatter('workspace_1."message"', 'id', 150) \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.not_once('tcrm', 'workspace_1."task"', 'id', 'task')$$, 'every row of workspace_1.task once');
SELECT is_empty($$SELECT * FROM pg_temp.not_once('tcrm', 'workspace_1."note"', 'id', 'note')$$, 'every row of workspace_1.note once');
SELECT is_empty($$SELECT * FROM pg_temp.not_once('tcrm', 'workspace_1."calendarEvent"', 'id', 'calendarEvent')$$, 'every row of workspace_1.calendarEvent once');
SELECT is_empty($$SELECT * FROM pg_temp.not_once('tcrm', 'workspace_1."message"', 'id', 'message')$$, 'every row of workspace_1.message once');
-- deals and leads as well
SELECT pg_temp.scatter('workspace_1.opportunity', 'id', 100) \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.not_begun('tcrm', 'workspace_1.opportunity', 'id', 'created')$$, 'workspace_1.opportunity: each begins once, or is left out once');
SELECT is_empty($$SELECT pg_temp.too_old('tcrm')$$, 'tcrm: nothing from before 2000');

SELECT * FROM finish();
ROLLBACK;
