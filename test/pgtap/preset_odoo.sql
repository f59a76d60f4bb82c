-- Preset of Odoo: three layouts of its tables, with the rows that mislead.
BEGIN;
SELECT no_plan();
\ir preset_tools.psql
SET timezone = 'UTC';
SET client_min_messages = warning;

-- The same story in 13 (field by name, texts), 15 (field by key, texts), 17 and 18 (field_id, names by language, archived activities).
CREATE FUNCTION pg_temp.make_odoo(version integer) RETURNS void LANGUAGE plpgsql SET search_path = public AS $$
DECLARE
	s text := 'odoo' || version;
BEGIN
	EXECUTE format('CREATE SCHEMA %I', s);
	EXECUTE format('SET LOCAL search_path = %I, pg_temp', s);
	CREATE TABLE res_users (id integer PRIMARY KEY, partner_id integer, login text);
	INSERT INTO res_users VALUES (2, 102, 'ann'), (3, 103, 'bob'), (9, 103, 'bob again');
	CREATE TABLE res_currency (id integer, name text);
	INSERT INTO res_currency VALUES (1, 'EUR'), (2, 'USD');
	CREATE TABLE res_company (id integer, currency_id integer);
	INSERT INTO res_company VALUES (1, 1);
	CREATE TABLE ir_model_fields (id integer, model text, name text);
	INSERT INTO ir_model_fields VALUES (500, 'crm.lead', 'stage_id'), (501, 'crm.lead', 'user_id'), (502, 'project.task', 'stage_id');
	CREATE TABLE crm_lead (id integer PRIMARY KEY, name text, type text, active boolean, probability float8, stage_id integer, team_id integer, user_id integer, partner_id integer,
		company_id integer, create_uid integer, create_date timestamp, write_date timestamp, date_closed timestamp, date_conversion timestamp, date_deadline date, date_last_stage_update timestamp,
		expected_revenue numeric, lost_reason_id integer);
	INSERT INTO crm_lead (id, name, type, active, probability, stage_id, team_id, user_id, company_id, create_uid, create_date, write_date, date_closed, date_conversion, expected_revenue, lost_reason_id) VALUES
		(1, 'won', 'opportunity', true, 100, 4, 1, 2, 1, 2, '2024-01-01 08:00', '2024-02-01 10:00', '2024-02-01 10:00', '2024-01-02 09:00', 5000, NULL),
		(2, 'lost, so archived', 'opportunity', false, 0, 2, 1, 3, 1, 3, '2024-01-03 08:00', '2024-03-01 00:00', '2024-03-01 00:00', NULL, 700, 6),
		(3, 'archived, not lost', 'opportunity', false, 20, 1, 1, 3, 1, 3, '2024-01-04 08:00', '2024-03-02 00:00', NULL, NULL, 300, NULL),
		(4, 'a lead', 'lead', true, 10, 1, 1, NULL, 1, 2, '2024-01-05 08:00', '2024-01-05 08:00', NULL, NULL, NULL, NULL),
		(5, 'lost, closed date unknown', 'opportunity', false, 0, 1, NULL, 2, 1, 2, '2024-01-06 08:00', '2024-03-05 12:00', NULL, NULL, NULL, NULL);
	CREATE TABLE mail_message (id integer PRIMARY KEY, model text, res_id integer, date timestamp, author_id integer, message_type text, is_internal boolean, mail_activity_type_id integer, create_date timestamp);
	INSERT INTO mail_message VALUES
		(10, 'crm.lead', 1, '2024-01-03 10:00', 102, 'notification', false, 1, '2024-01-03 10:05'),   -- a call, done
		(11, 'crm.lead', 1, '2024-01-04 11:00', NULL, 'email', false, NULL, '2024-01-04 11:00'),      -- mail in
		(12, 'crm.lead', 1, '2024-01-04 12:00', 103, 'comment', false, NULL, '2024-01-04 12:00'),     -- an answer; two users of one partner
		(13, 'crm.lead', 1, '2024-01-04 13:00', 102, 'comment', true, NULL, '2024-01-04 13:00'),      -- a note
		(14, 'crm.lead', 1, '2024-01-05 00:00', 102, 'notification', false, NULL, '2024-01-05 00:00'), -- the system; carries a move
		(15, 'res.partner', 1, '2024-01-05 01:00', 102, 'comment', false, NULL, '2024-01-05 01:00'),  -- of a partner
		(16, 'crm.lead', 1, '2024-01-10 15:30', 102, 'notification', false, 2, '2024-01-10 15:30'),   -- a meeting, in the calendar as well
		(17, 'crm.lead', 2, '2024-01-20 09:00', 103, 'notification', false, 2, '2024-01-20 09:00'),   -- a meeting that is not
		(18, 'crm.lead', 1, '2024-02-01 10:00', 102, 'tracking', false, NULL, '2024-02-01 10:00'),    -- the move to won
		(19, 'crm.lead', 2, '1970-01-01 00:00', 103, 'comment', false, NULL, '2024-01-20 09:00'),     -- no such time
		(20, 'crm.lead', 2, '2024-01-21 09:00', 103, 'notification', false, 4, '2024-01-21 09:00'),   -- by name: a demo
		(21, 'crm.lead', 1, '2024-01-22 09:00', 102, 'notification', false, NULL, '2024-01-22 09:00'); -- another field changed
	CREATE TABLE mail_activity (id integer PRIMARY KEY, res_model text, res_id integer, activity_type_id integer, user_id integer, create_uid integer, create_date timestamp, date_deadline date, automated boolean, calendar_event_id integer);
	INSERT INTO mail_activity VALUES
		(30, 'crm.lead', 1, 1, 2, 2, '2024-02-02 08:00', '2024-02-10', false, NULL),
		(31, 'crm.lead', 2, 3, 3, 1, '2024-02-02 08:00', '2024-02-11', true, NULL),
		(32, 'crm.lead', 1, 2, 2, 2, '2024-02-02 08:00', '2024-02-12', false, 41),
		(33, 'project.task', 1, 1, 2, 2, '2024-02-02 08:00', '2024-02-13', false, NULL);
	CREATE TABLE calendar_event (id integer PRIMARY KEY, start timestamp, stop timestamp, duration float8, user_id integer, opportunity_id integer, active boolean, create_date timestamp);
	INSERT INTO calendar_event VALUES
		(40, '2024-01-10 15:00', '2024-01-10 16:00', 1, 2, 1, true, '2024-01-08 00:00'),
		(41, '2124-02-12 15:00', '2124-02-12 15:30', 0.5, 2, 1, true, '2024-02-02 08:00'),
		(42, '2024-01-11 15:00', '2024-01-11 15:30', 0.5, 2, 1, false, '2024-01-09 00:00'),
		(43, '2024-01-11 15:00', '2024-01-11 15:30', 0.5, 2, NULL, true, '2024-01-09 00:00');
	CREATE TABLE mail_tracking_value (id integer PRIMARY KEY, mail_message_id integer, old_value_integer integer, new_value_integer integer, old_value_char text, new_value_char text);
	INSERT INTO mail_tracking_value VALUES (50, 14, 1, 2, 'New', 'Qualified'), (51, 18, 2, 4, 'Qualified', 'Won'), (52, 21, 2, 3, 'Ann', 'Bob');
	IF version < 17 THEN
		CREATE TABLE crm_stage (id integer PRIMARY KEY, name text, sequence integer, is_won boolean, team_id integer);
		INSERT INTO crm_stage VALUES (1, 'New', 1, false, NULL), (2, 'Qualified', 2, false, NULL), (4, 'Won', 70, true, NULL);
		CREATE TABLE mail_activity_type (id integer PRIMARY KEY, name text, category text);
		INSERT INTO mail_activity_type VALUES (1, 'Anruf', 'phonecall'), (2, 'Meeting', 'meeting'), (3, 'Email', 'default'), (4, 'Product demo', 'default');
	ELSE
		CREATE TABLE crm_stage (id integer PRIMARY KEY, name jsonb, sequence integer, is_won boolean, team_id integer);
		INSERT INTO crm_stage VALUES (1, '{"en_US": "New", "de_DE": "Neu"}', 1, false, NULL), (2, '{"en_US": "Qualified"}', 2, false, NULL), (4, '{"en_US": "Won", "de_DE": "Gewonnen"}', 70, true, NULL);
		CREATE TABLE mail_activity_type (id integer PRIMARY KEY, name jsonb, category text);
		INSERT INTO mail_activity_type VALUES (1, '{"en_US": "Anruf"}', 'phonecall'), (2, '{"en_US": "Meeting"}', 'meeting'), (3, '{"en_US": "Email"}', 'default'), (4, '{"en_US": "Product demo"}', 'default');
		-- from 17 on what is done is archived as well as told by a message
		ALTER TABLE mail_activity ADD active boolean DEFAULT true, ADD date_done date;
		INSERT INTO mail_activity (id, res_model, res_id, activity_type_id, user_id, create_date, date_deadline, automated, active, date_done) VALUES (34, 'crm.lead', 1, 1, 2, '2024-01-02', '2024-01-03', false, false, '2024-01-03');
	END IF;
	IF version < 14 THEN
		ALTER TABLE crm_lead RENAME expected_revenue TO planned_revenue;
		ALTER TABLE crm_lead RENAME lost_reason_id TO lost_reason;
		ALTER TABLE mail_tracking_value ADD field text;
		UPDATE mail_tracking_value SET field = CASE WHEN id < 52 THEN 'stage_id' ELSE 'user_id' END;
	ELSIF version < 17 THEN
		ALTER TABLE mail_tracking_value ADD field integer;
		UPDATE mail_tracking_value SET field = CASE WHEN id < 52 THEN 500 ELSE 501 END;
	ELSE
		ALTER TABLE mail_tracking_value ADD field_id integer;
		UPDATE mail_tracking_value SET field_id = CASE WHEN id < 52 THEN 500 ELSE 501 END;
	END IF;
	IF version >= 18 THEN
		ALTER TABLE crm_lead ADD won_status text;
		UPDATE crm_lead SET won_status = CASE WHEN id = 1 THEN 'won' WHEN NOT active AND probability = 0 THEN 'lost' ELSE 'pending' END;
	END IF;
END;
$$;
SELECT count(pg_temp.make_odoo(v)) FROM unnest(ARRAY[13, 15, 17, 18]) AS v \g /dev/null
SELECT lives_ok(format('SELECT * FROM activity_metrics.install_preset(''odoo'', ''odoo%s'', ''crm%s'', replace => true)', v, v), format('Odoo %s', v)) FROM unnest(ARRAY[13, 15, 17, 18]) AS v;

CREATE TEMP TABLE wanted (event_id text, entity_type text, entity text, kind text, at timestamptz, actor text, status text, value float8, origin text);
INSERT INTO wanted VALUES
	('odoo:message:10', 'opportunity', '1', 'call', '2024-01-03 10:00', '2', 'done', NULL, 'manual'),
	('odoo:message:11', 'opportunity', '1', 'email_in', '2024-01-04 11:00', NULL, 'done', NULL, 'integration'),
	('odoo:message:12', 'opportunity', '1', 'email_out', '2024-01-04 12:00', '3', 'done', NULL, 'manual'),
	('odoo:message:13', 'opportunity', '1', 'note', '2024-01-04 13:00', '2', 'done', NULL, 'manual'),
	('odoo:message:17', 'opportunity', '2', 'meeting', '2024-01-20 09:00', '3', 'done', NULL, 'manual'),
	('odoo:message:20', 'opportunity', '2', 'demo', '2024-01-21 09:00', '3', 'done', NULL, 'manual'),
	('odoo:activity:30', 'opportunity', '1', 'call', '2024-02-10 00:00', '2', 'planned', NULL, 'manual'),
	('odoo:activity:31', 'opportunity', '2', 'email_out', '2024-02-11 00:00', '3', 'planned', NULL, 'auto'),
	('odoo:meeting:40', 'opportunity', '1', 'meeting', '2024-01-10 15:00', '2', 'done', 3600, NULL),
	('odoo:meeting:41', 'opportunity', '1', 'meeting', '2124-02-12 15:00', '2', 'planned', 1800, NULL),
	('odoo:meeting:42', 'opportunity', '1', 'meeting', '2024-01-11 15:00', '2', 'cancelled', 1800, NULL),
	('odoo:lead:1', 'opportunity', '1', 'lead', '2024-01-01 08:00', '2', 'done', NULL, NULL),
	('odoo:lead:4', 'lead', '4', 'lead', '2024-01-05 08:00', '2', 'done', NULL, NULL),
	('odoo:created:1', 'opportunity', '1', 'created', '2024-01-02 09:00', '2', 'done', NULL, NULL),
	('odoo:created:2', 'opportunity', '2', 'created', '2024-01-03 08:00', '3', 'done', NULL, NULL),
	('odoo:created:5', 'opportunity', '5', 'created', '2024-01-06 08:00', '2', 'done', NULL, NULL),
	('odoo:first stage:1', 'opportunity', '1', 'New', '2024-01-01 08:00', '2', 'done', NULL, NULL),
	('odoo:first stage:2', 'opportunity', '2', 'Qualified', '2024-01-03 08:00', '3', 'done', NULL, NULL),
	('odoo:first stage:4', 'lead', '4', 'New', '2024-01-05 08:00', '2', 'done', NULL, NULL),
	('odoo:first stage:5', 'opportunity', '5', 'New', '2024-01-06 08:00', '2', 'done', NULL, NULL),
	('odoo:stage:50', 'opportunity', '1', 'Qualified', '2024-01-05 00:00', '2', 'done', NULL, NULL),
	('odoo:stage:51', 'opportunity', '1', 'Won', '2024-02-01 10:00', '2', 'done', NULL, NULL),
	('odoo:closed:1', 'opportunity', '1', 'won', '2024-02-01 10:00', '2', 'done', 5000, NULL),
	('odoo:closed:2', 'opportunity', '2', 'lost', '2024-03-01 00:00', '3', 'done', NULL, NULL),
	('odoo:closed:5', 'opportunity', '5', 'lost', '2024-03-05 12:00', '2', 'done', NULL, NULL);
SELECT set_eq(format('SELECT event_id, entity_type, entity, kind, at, actor, status, value, origin FROM crm%s.events', v), 'SELECT * FROM wanted', format('events of Odoo %s', v)) FROM unnest(ARRAY[13, 15, 17, 18]) AS v;
SELECT set_eq(format('SELECT entity_id, status, is_deleted, amount, currency FROM crm%s.entities', v),
	$$VALUES ('1', 'won', false, 5000::float8, 'EUR'), ('2', 'lost', false, 700, 'EUR'), ('3', 'open', true, 300, 'EUR'), ('4', 'open', false, NULL, 'EUR'), ('5', 'lost', false, NULL, 'EUR')$$,
	format('entities of Odoo %s: lost deals are there', v)) FROM unnest(ARRAY[13, 15, 17, 18]) AS v;
SELECT set_eq(format('SELECT stage_key, label, ordinal, class FROM crm%s.stages', v), $$VALUES ('1', 'New', 1, 'open'), ('2', 'Qualified', 2, 'open'), ('4', 'Won', 70, 'won')$$, format('stages of Odoo %s', v)) FROM unnest(ARRAY[13, 15, 17, 18]) AS v;

-- every row of mail_message is in events or left out by a rule, and only once
SELECT results_eq(format('SELECT id FROM crm%s.events_left_out WHERE source = ''mail_message'' ORDER BY id', v), $$VALUES ('14'), ('15'), ('16'), ('18'), ('19'), ('21')$$, format('messages left out of Odoo %s', v)) FROM unnest(ARRAY[13, 15, 17, 18]) AS v;
SELECT set_eq('SELECT rule, id FROM crm17.events_left_out WHERE id IS NOT NULL AND source IN (''mail_message'', ''mail_activity'', ''calendar_event'', ''crm_lead'')',
	$$VALUES ('written by the system', '14'), ('not on a lead or opportunity', '15'), ('in the calendar as well', '16'), ('written by the system', '18'), ('before 2000', '19'), ('written by the system', '21'),
	('in the calendar as well', '32'), ('not on a lead or opportunity', '33'), ('done: counted by its message', '34'), ('not on a lead or opportunity', '43'), ('archived, not lost', '3')$$, 'every rule');

-- 18 says itself what is lost, whatever the probability
INSERT INTO odoo18.crm_lead (id, type, active, probability, stage_id, user_id, create_date, write_date, won_status) VALUES (6, 'opportunity', false, 12, 1, 2, '2024-01-07', '2024-03-06', 'lost'), (7, 'opportunity', false, 12, 1, 2, '2024-01-07', '2024-03-06', 'pending');
SELECT set_eq($$SELECT entity_id, status, is_deleted FROM crm18.entities WHERE entity_id IN ('6', '7')$$, $$VALUES ('6', 'lost', false), ('7', 'open', true)$$, 'won_status: entities');
SELECT set_eq($$SELECT entity, kind FROM crm18.events WHERE entity IN ('6', '7') AND stage IS NULL$$, $$VALUES ('6', 'created'), ('6', 'lost')$$, 'won_status: events');
-- calls of the module crm_phonecall; a meeting that names its deal by model and key
CREATE TABLE odoo18.crm_phonecall (id integer, opportunity_id integer, date timestamp, user_id integer, state text, duration float8, direction text, create_date timestamp);
INSERT INTO odoo18.crm_phonecall VALUES (60, 1, '2024-01-09 10:00', 2, 'done', 5, 'out', '2024-01-09 11:00'), (61, 1, '2024-01-10 10:00', 2, 'cancel', 0, 'out', NULL), (62, 1, '2024-01-11 10:00', 2, 'open', 0, 'in', NULL), (63, NULL, '2024-01-11 10:00', 2, 'done', 5, 'in', NULL), (64, 1, '1970-01-01', 2, 'done', 5, 'in', NULL);
ALTER TABLE odoo18.calendar_event ADD res_model text, ADD res_id integer;
INSERT INTO odoo18.calendar_event (id, start, duration, user_id, active, res_model, res_id) VALUES (70, '2024-01-15 10:00', 1, 2, true, 'crm.lead', 2), (71, '2024-01-15 10:00', 1, 2, true, 'res.partner', 2);
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('odoo', 'odoo18', 'crm18', replace => true)$$, 'with crm_phonecall');
SELECT set_eq($$SELECT event_id, entity, kind, at, actor, status, value FROM crm18.events WHERE source = 'crm_phonecall' OR event_id ~ 'meeting:7'$$, $$VALUES ('odoo:call:60', '1', 'call', timestamptz '2024-01-09 10:00Z', '2', 'done', 300::float8), ('odoo:call:61', '1', 'call', '2024-01-10 10:00Z', '2', 'cancelled', 0),
	('odoo:call:62', '1', 'call', '2024-01-11 10:00Z', '2', 'planned', 0), ('odoo:meeting:70', '2', 'meeting', '2024-01-15 10:00Z', '2', 'done', 3600)$$, 'its calls');
SELECT set_eq($$SELECT rule, id FROM crm18.events_left_out WHERE source = 'crm_phonecall' OR id IN ('70', '71')$$, $$VALUES ('not on an opportunity', '63'), ('before 2000', '64'), ('not on a lead or opportunity', '71')$$, 'and what is left out');

-- options
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('odoo', 'odoo17', 'crm_de', options => 'lang = de_DE')$$, 'in German');
SELECT set_eq('SELECT label FROM crm_de.stages', ARRAY['Neu', 'Qualified', 'Gewonnen'], 'names in another language, in English where there is none');
INSERT INTO odoo17.res_company VALUES (2, 2);
SELECT is((SELECT sum(value) FROM crm17.events WHERE kind = 'won'), NULL, 'companies with two currencies: amounts do not add up');
DELETE FROM odoo17.res_company WHERE id = 2;

-- from end to end
SELECT is((SELECT reached FROM activity_metrics.funnel_report('crm17.events', 'created -> won within 180 days') WHERE step = 'won'), 1::bigint, 'a funnel');
SELECT set_eq($$SELECT metric FROM activity_metrics.metric WHERE source_relation = 'crm13.events'$$, ARRAY['calls', 'emails', 'replies', 'meetings', 'demos', 'notes', 'tasks', 'leads', 'opportunities', 'wins', 'losses', 'revenue'], 'metrics');
SELECT lives_ok($$SELECT * FROM activity_metrics.leading_indicators('wins')$$, 'leading_indicators');
SELECT lives_ok($$SELECT * FROM activity_metrics.vanity_report('wins')$$, 'vanity_report');

-- a smaller Odoo: no calendar, no tracking, no activities, no users
CREATE SCHEMA small;
CREATE TABLE small.crm_lead AS SELECT id, type, active, probability, stage_id, user_id, create_date, date_closed, expected_revenue FROM odoo17.crm_lead;
CREATE TABLE small.crm_stage AS SELECT * FROM odoo17.crm_stage;
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('odoo', 'small', 'crm_small')$$, 'tables that are missing are said, not an error');
SELECT set_eq('SELECT DISTINCT kind FROM crm_small.events', ARRAY['created', 'lead', 'won', 'lost', 'New', 'Qualified', 'Won'], 'what is left');
SELECT cmp_ok((SELECT count(*) FROM crm_small.events_left_out WHERE rule = 'not found: left out'), '>=', 4::bigint, 'with what was not found');
SELECT throws_like($$SELECT * FROM activity_metrics.install_preset('odoo', 'crm_small', 'crm_x')$$, '%has no table "crm_lead"%', 'no Odoo at all');

-- since, until and the entity reach the tables
SELECT cmp_ok((SELECT count(*) FROM pg_temp.plan_of($$SELECT * FROM crm17.events WHERE at >= '2024-01-10Z' AND at < '2024-02-01Z'$$) AS line WHERE line ~ '(Filter|Cond).*2024-01-10'), '>=', 8::bigint, 'bounds on time reach every branch');
SELECT is((SELECT count(*) FROM pg_temp.plan_of($$SELECT * FROM crm17.events WHERE at >= '2024-01-10Z'$$) AS line WHERE line ~ 'Subquery Scan on [^h]'), 0::bigint, 'no branch is computed whole');
SELECT cmp_ok((SELECT count(*) FROM pg_temp.plan_of($$SELECT * FROM crm17.events WHERE entity = '1'$$) AS line WHERE line ~ '(Filter|Cond).*= ''1''::text'), '>=', 8::bigint, 'an entity, too');
-- any column may be missing; any row is in events once, or left out once; the reports run on the preset alone
RESET ROLE;
SET LOCAL search_path = public;
SELECT is_empty($$SELECT pg_temp.without_each_column('odoo', 'odoo17')$$, 'a column that is missing is told, or refused by a message of our own');
SELECT is_empty($$SELECT pg_temp.without_each_column('odoo', 'odoo13')$$, 'in 13, too');
DELETE FROM activity_metrics.metric;
SELECT ok(count(*) = 1, 'wins is the North Star') FROM activity_metrics.install_preset('odoo', 'odoo17', 'crm17', replace => true) WHERE what = 'North Star' AND subject = 'wins';
SELECT is_empty($$SELECT pg_temp.silent_reports('odoo', 'crm17')$$, 'from end to end');
SELECT pg_temp.scatter('odoo17.mail_message', 'id', 150), pg_temp.scatter('odoo17.mail_activity', 'id', 150), pg_temp.scatter('odoo17.calendar_event', 'id', 150) \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.not_once('crm17', 'odoo17.mail_message', 'id', 'mail_message')$$, 'every row of odoo17.mail_message once');
SELECT is_empty($$SELECT * FROM pg_temp.not_once('crm17', 'odoo17.mail_activity', 'id', 'mail_activity')$$, 'every row of odoo17.mail_activity once');
SELECT is_empty($$SELECT * FROM pg_temp.not_once('crm17', 'odoo17.calendar_event', 'id', 'calendar_event')$$, 'every row of odoo17.calendar_event once');
-- deals and leads as well
SELECT pg_temp.scatter('odoo17.crm_lead', 'id', 100) \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.not_begun('crm17', 'odoo17.crm_lead', 'id', 'created', 'lead')$$, 'odoo17.crm_lead: each begins once, or is left out once');
SELECT is_empty($$SELECT pg_temp.too_old('crm17')$$, 'crm17: nothing from before 2000');

SELECT * FROM finish();
ROLLBACK;
