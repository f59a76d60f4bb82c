-- Presets: texts as values, names, options, what is refused, what is replaced, the preset for any other system, check_events().
BEGIN;
SELECT no_plan();
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;
DELETE FROM activity_metrics.metric;

-- texts as times: what a cast takes in the form of ISO 8601, and nothing else; never an error
CREATE FUNCTION pg_temp.cast_time(value text, tz text) RETURNS timestamptz LANGUAGE plpgsql AS $$
BEGIN
	IF value !~ '^\d{4}-\d\d-\d\d([T ]\d{1,2}:\d\d(:\d\d(\.\d+)?)? ?(Z|UTC|[+-]\d\d(:?\d\d)?)?)?$' OR value ~ '[T ]24:|:60' THEN
		RETURN NULL;
	ELSIF value ~ ':.*(Z|UTC|[+-]\d\d(:?\d\d)?)$' THEN
		RETURN value::timestamptz;
	END IF;
	RETURN value::timestamp AT TIME ZONE tz;
EXCEPTION WHEN OTHERS THEN
	RETURN NULL;
END;
$$;
CREATE TEMP TABLE texts AS
	SELECT value FROM (VALUES ('2024-02-29'), ('2023-02-29'), ('1900-02-29'), ('2000-02-29'), ('2024-02-30'), ('2024-04-31'), ('2024-13-01'), ('2024-00-10'), ('2024-01-00'), ('2024-1-1'), ('2020-12-30 3:15:52'), ('2024-01-01T10:00:00Z'),
		('2024-01-01 10:00:00.123456+02'), ('2024-01-01 10:00:00,5'), ('2024-01-01T10:00:00+05:30'), ('2024-01-01T10:00:00-0800'), (' 2024-01-01 10:00 '), ('2024-01-01 25:00'), ('2024-01-01 10:60'), ('2024-01-01 10:00:60'), ('2024-01-01 24:00'),
		('01/02/2024'), ('2024-01-01 10:00 UTC'), ('2024-01-01 10:00 Europe/Berlin'), ('now'), ('today'), ('infinity'), ('epoch'), (''), (' '), ('NULL'), ('0000-00-00 00:00:00'), ('0001-01-01'), ('1024-01-01'), ('20240101'), ('2024-01-01 10'), ('2024-W05'),
		('2024-01-01 10:00:00 AM'), ('1704067200'), (E'2024-01-01\n'), ('２０２４-01-01'), ('2024-01-01T10:00:00+15:00'), (NULL)) AS v(value)
	UNION ALL
	SELECT format('%s-%s-%s%s', lpad(((random() * 9999)::integer)::text, 4, '0'), lpad((random() * 14)::integer::text, 2, '0'), lpad((random() * 33)::integer::text, 2, '0'),
		CASE WHEN random() < 0.7 THEN format('%s%s:%s:%s%s', CASE WHEN random() < 0.5 THEN ' ' ELSE 'T' END, (random() * 25)::integer, lpad((random() * 61)::integer::text, 2, '0'), lpad((random() * 61)::integer::text, 2, '0'),
			(ARRAY['', '', 'Z', '+01', '-03:30', '.25', '.999999Z'])[1 + (random() * 6)::integer]) ELSE '' END)
	FROM (SELECT setseed(0.25)) AS s, generate_series(1, 4000);
SELECT is_empty($$SELECT value, activity_metrics.text_to_time(value, 'Europe/Berlin'), pg_temp.cast_time(value, 'Europe/Berlin') FROM texts
	WHERE activity_metrics.text_to_time(value, 'Europe/Berlin') IS DISTINCT FROM pg_temp.cast_time(value, 'Europe/Berlin')$$, 'text_to_time is the cast, without errors');
SELECT cmp_ok((SELECT count(*) FROM texts WHERE activity_metrics.text_to_time(value) IS NOT NULL), '>', 1000::bigint, 'most can be read');
SELECT is(activity_metrics.text_to_time('9999-12-31 23:59:59'), '9999-12-31 23:59:59Z', 'the sentinel is a time');
SELECT results_eq($$SELECT activity_metrics.text_to_number(v) FROM (VALUES ('12'), ('-3.5'), ('+.5'), ('5.'), ('1e6'), (' 7 '), ('1,000'), ('NaN'), ('Infinity'), ('1e400'), (''), ('.'), ('0x1F'), ('12 EUR'), (repeat('9', 101)), (NULL)) AS t(v)$$,
	$$VALUES (12::float8), (-3.5), (0.5), (5), (1e6), (7), (NULL), (NULL), (NULL), (NULL), (NULL), (NULL), (NULL), (NULL), (NULL), (NULL)$$, 'text_to_number');
SELECT results_eq($$SELECT activity_metrics.text_to_bool(v) FROM (VALUES ('TRUE'), ('t'), ('Yes'), ('1'), (' on '), ('FALSE'), ('n'), ('0'), ('2'), ('truely'), (''), (NULL)) AS t(v)$$,
	$$VALUES (true), (true), (true), (true), (true), (false), (false), (false), (NULL::boolean), (NULL), (NULL), (NULL)$$, 'text_to_bool');
SELECT results_eq($$SELECT activity_metrics.epoch_to_time(v) FROM (VALUES (1704067200::float8), (1704067200000), (1704067200000000), (0), (-86400), (1e18), ('NaN'), (NULL)) AS t(v)$$,
	$$VALUES (timestamptz '2024-01-01Z'), ('2024-01-01Z'), ('2024-01-01Z'), ('1970-01-01Z'), ('1969-12-31Z'), (NULL), (NULL), (NULL)$$, 'epoch_to_time: seconds, milliseconds, microseconds');
SELECT results_eq($$SELECT activity_metrics.text_to_json(v) FROM (VALUES ('{"a": 1}'), ('[1]'), ('"text"'), ('{"a": '), ('text'), (''), (NULL)) AS t(v)$$, $$VALUES ('{"a": 1}'::jsonb), ('[1]'), ('"text"'), (NULL), (NULL), (NULL), (NULL)$$, 'text_to_json');
SELECT results_eq($$SELECT activity_metrics.stage_kind(v) FROM (VALUES ('Won'), ('won'), ('call'), ('Proposal'), (NULL)) AS t(v)$$, $$VALUES ('Won'), ('stage won'), ('stage call'), ('Proposal'), (NULL)$$, 'stage_kind');
-- in a plan they are expressions, not calls
CREATE TEMP TABLE inlined (v text);
CREATE FUNCTION pg_temp.plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	result text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS off, VERBOSE) ' || query LOOP
		result := result || line || E'\n';
	END LOOP;
	RETURN result;
END;
$$;
SELECT doesnt_match(pg_temp.plan($$SELECT activity_metrics.text_to_time(v), activity_metrics.text_to_number(v), activity_metrics.text_to_bool(v) FROM inlined WHERE activity_metrics.text_to_time(v, 'UTC') > now()$$), 'activity_metrics\.text', 'the planner sees through them');

-- names
SELECT is(activity_metrics.folded_name('What_Id'), activity_metrics.folded_name('whatid'), 'case and _ are nothing');
SELECT results_eq($$SELECT preset FROM activity_metrics.preset() WHERE preset IN ('salesforce', 'hubspot', 'generic')$$, $$VALUES ('salesforce'), ('hubspot'), ('generic')$$, 'the list, in order');
SELECT is((SELECT count(*) FROM activity_metrics.preset('HubSpot')), 1::bigint, 'one of it, in any case');
SELECT ok(bool_and(activity_metrics.funnel_steps(funnel) IS NOT NULL AND install ~ preset), 'funnels that can be read') FROM activity_metrics.preset();
SELECT is(activity_metrics.preset_options(' a = 1, B=two words ; c = ''it''''s, quoted'' '), '{"a": "1", "b": "two words", "c": "it''s, quoted"}', 'options');
SELECT is(activity_metrics.preset_options(NULL), '{}', 'no options');

-- what is refused
CREATE FUNCTION pg_temp.refused(query text, state text, message text, hint text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	m text;
	h text;
	s text;
BEGIN
	BEGIN
		EXECUTE query;
		s := '00000';
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS s = RETURNED_SQLSTATE, m = MESSAGE_TEXT, h = PG_EXCEPTION_HINT;
	END;
	RETURN is(format('%s %s | %s', s, m, CASE WHEN h ~ hint THEN hint ELSE h END), format('%s %s | %s', state, message, hint), left(query, 150));
END;
$$;
CREATE SCHEMA "Src";
CREATE SCHEMA own;
CREATE TABLE "Src".opportunity (id text, stage_name text, is_won boolean, is_closed boolean, close_date date, created_date timestamptz, owner_id text);
CREATE SCHEMA half;
CREATE TABLE half.opportunities (id text);
CREATE TABLE half.opportunity (id text, stage_name text, is_won boolean);
CREATE SCHEMA nothing;
CREATE SCHEMA odd;
CREATE TABLE odd.opportunity (id text, stage_name text, is_won boolean, is_closed boolean, close_date interval, created_date timestamptz);
SELECT pg_temp.refused($$SELECT activity_metrics.preset('salesfroce')$$, '42704', 'preset "salesfroce" does not exist', 'Did you mean "salesforce"');
SELECT pg_temp.refused($$SELECT activity_metrics.preset_sql('salesfroce', 'Src', 'own')$$, '42704', 'preset "salesfroce" does not exist', 'Did you mean "salesforce"');
SELECT pg_temp.refused($$SELECT activity_metrics.preset_sql(NULL, 'Src', 'own')$$, '22004', 'no preset is named', 'preset\(\) lists them');
SELECT pg_temp.refused($$SELECT activity_metrics.preset_sql('salesforce', 'src', 'own')$$, '3F000', 'schema "src" does not exist', 'Did you mean "Src"');
SELECT pg_temp.refused($$SELECT activity_metrics.preset_sql('salesforce', NULL, 'own')$$, '22004', 'argument source_schema is null', 'Name the schema');
SELECT pg_temp.refused($$SELECT activity_metrics.preset_sql('salesforce', 'Src', NULL)$$, '22004', 'argument target_schema is null', 'Name a schema of your own');
SELECT pg_temp.refused($$SELECT activity_metrics.preset_sql('salesforce', 'Src', 'Src')$$, '22023', 'source and target are the same schema "Src"', 'a schema of their own');
SELECT pg_temp.refused($$SELECT activity_metrics.preset_sql('hubspot', 'Src', 'own')$$, '42P01', 'schema "Src" has no table "deal"', 'opportunity');
CREATE SCHEMA other_shape;
CREATE TABLE other_shape.opportunity (id text, name text);
SELECT pg_temp.refused($$SELECT activity_metrics.preset_sql('salesforce', 'other_shape', 'own')$$, '42703', 'table other_shape.opportunity has no column "stage_name"', 'name the view by an option');
SELECT pg_temp.refused($$SELECT activity_metrics.preset_sql('salesforce', 'nothing', 'own')$$, '42P01', 'schema "nothing" has no table "opportunity"', 'There are no tables');
SELECT pg_temp.refused($$SELECT activity_metrics.preset_sql('salesforce', 'half', 'own')$$, '42703', 'table half.opportunity has no column "created_date"', 'nearest column');
SELECT pg_temp.refused($$SELECT activity_metrics.preset_sql('salesforce', 'odd', 'own')$$, '42804', 'column "close_date" of "odd.opportunity" is of type interval, which is not taken as time', 'a view that casts it');
SELECT pg_temp.refused($$SELECT activity_metrics.preset_sql('salesforce', 'Src', 'own', options => 'taks = x')$$, '22023', 'preset "salesforce" has no option "taks"', 'Did you mean "task"');
SELECT pg_temp.refused($$SELECT activity_metrics.preset_sql('salesforce', 'Src', 'own', options => 'task = tsak')$$, '42P01', 'relation "tsak" does not exist', 'Did you mean');
SELECT pg_temp.refused($$SELECT activity_metrics.preset_sql('salesforce', 'Src', 'own', options => 'task')$$, '22023', 'options cannot be read at "task"', 'name = value');
SELECT pg_temp.refused($$SELECT activity_metrics.preset_sql('salesforce', 'Src', 'own', options => 'rates = own.none')$$, '42P01', 'relation "own.none" does not exist', 'columns currency and rate');
SELECT pg_temp.refused($$SELECT activity_metrics.preset_sql('salesforce', 'Src', 'own', tz => 'Nowhere/Here')$$, '22023', 'time zone "Nowhere/Here" not recognized', '');
SELECT pg_temp.refused($$SELECT activity_metrics.install_preset('salesforce', 'Src', 'own', replace => NULL)$$, '22004', 'argument replace is null', 'Leave it out');
CREATE TABLE own.events (x integer);
SELECT pg_temp.refused($$SELECT activity_metrics.install_preset('salesforce', 'Src', 'own')$$, '42809', 'relation "own.events" exists and is not a view', 'another target_schema');
SELECT pg_temp.refused($$SELECT activity_metrics.install_preset('salesforce', 'Src', 'own', replace => true)$$, '42809', 'relation "own.events" exists and is not a view', 'another target_schema');
DROP TABLE own.events;
CREATE VIEW own.events AS SELECT 1 AS x;
SELECT pg_temp.refused($$SELECT activity_metrics.install_preset('salesforce', 'Src', 'own')$$, '42P07', 'view "own.events" exists already', 'replace => true');
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('salesforce', 'Src', 'own', replace => true)$$, 'a view of other columns is replaced');
SELECT pg_temp.refused($$SELECT activity_metrics.install_preset('salesforce', 'Src', 'own')$$, '42P07', 'view "own.events" exists already', 'replace => true');
CREATE VIEW own.mine AS SELECT kind FROM own.events;
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('salesforce', 'Src', 'own', replace => true)$$, 'again: views over it stay');
SELECT is((SELECT count(*) FROM own.mine), 0::bigint, 'of an empty CRM');
SELECT lives_ok($$SELECT * FROM activity_metrics.funnel_report('own.events', 'created -> won')$$, 'an empty CRM has a funnel');
SELECT is((SELECT count(*) FROM activity_metrics.metric WHERE source_relation = 'own.events' AND metric IN ('wins', 'revenue', 'opportunities')), 3::bigint, 'and metrics, before the first event');
-- what is printed is what is run
CREATE FUNCTION pg_temp.definitions() RETURNS text LANGUAGE sql AS $$SELECT string_agg(relname || pg_get_viewdef(oid) || obj_description(oid), E'\n' ORDER BY relname) FROM pg_class WHERE relnamespace = 'own'::regnamespace AND relname <> 'mine'$$;
CREATE TEMP TABLE installed AS SELECT pg_temp.definitions() AS d;
DROP SCHEMA own CASCADE;
SET LOCAL client_min_messages = error;
DO $$ BEGIN EXECUTE activity_metrics.preset_sql('salesforce', 'Src', 'own'); END; $$;
SELECT is(pg_temp.definitions(), d, 'preset_sql prints what install_preset runs') FROM installed;
SELECT is((SELECT count(*) FROM regexp_matches(activity_metrics.preset_sql('salesforce', 'Src', 'own'), '(^|\n)-- ', 'g')) > 8, true, 'with comments');

-- every column has the type that all parts have: else the planner would not look inside
CREATE FUNCTION pg_temp.types(view text) RETURNS SETOF text LANGUAGE sql AS $$SELECT attname || ' ' || format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = view::regclass AND attnum > 0 ORDER BY attnum$$;
SELECT results_eq(format('SELECT * FROM pg_temp.types(%L)', 'own.' || v), format($$SELECT column_name || ' ' || format_type(type::regtype, NULL) FROM activity_metrics.preset_columns(%L)$$, v), 'columns of ' || v)
	FROM unnest('{events,entities,stages,events_left_out}'::text[]) AS v;

-- a metric of a relation that is gone gives its name away, another does not
CREATE TABLE half.event (entity integer, kind text, at timestamptz, actor text);
SELECT is(activity_metrics.define_metric('wins', 'half.event', 'won'), 'wins', 'a metric of another relation') FROM (SELECT set_config('client_min_messages', 'error', true)) AS s;
SELECT results_eq($$SELECT subject FROM activity_metrics.install_preset('salesforce', 'Src', 'own', replace => true) WHERE what = 'metric' AND subject LIKE '%wins'$$, $$VALUES ('own_wins')$$, 'keeps its name');
DROP TABLE half.event;
SELECT results_eq($$SELECT subject FROM activity_metrics.install_preset('salesforce', 'Src', 'own', replace => true) WHERE what = 'metric' AND subject LIKE '%wins'$$, $$VALUES ('wins')$$, 'until the relation is gone');

UPDATE activity_metrics.metric SET owner = 'Ann' WHERE metric = 'wins';
SELECT is_empty($$SELECT subject FROM activity_metrics.install_preset('salesforce', 'Src', 'own', replace => true) WHERE what = 'metric'$$, 'metrics that are there');
-- an installation reads no events: whether a kind occurs is looked at only where a warning can be seen
CREATE VIEW unreadable AS SELECT now() AS at, 'e'::text AS entity, 'call'::text AS kind, 'a'::text AS actor, 'i'::text AS event_id, 'done'::text AS status FROM generate_series(0, 0) AS i WHERE 1 / i > 0;
SELECT lives_ok($$SELECT activity_metrics.define_metric('unread', 'unreadable', 'lunch')$$, 'no warnings wanted, no scan');
SET LOCAL client_min_messages = warning;
SELECT throws_ok($$SELECT activity_metrics.define_metric('unread', 'unreadable', 'lunch')$$, '22012', NULL, 'else the relation is read');
SET LOCAL client_min_messages = error;
SELECT is((SELECT owner FROM activity_metrics.metric WHERE metric = 'wins'), 'Ann', 'stay as they are');

-- rights: the caller's
CREATE ROLE preset_reader;
CREATE ROLE preset_other;
GRANT USAGE ON SCHEMA activity_metrics TO preset_reader, preset_other;
GRANT USAGE ON SCHEMA "Src" TO preset_reader;
SET LOCAL ROLE preset_reader;
SELECT pg_temp.refused($$SELECT activity_metrics.preset_sql('salesforce', 'Src', 'reader_crm')$$, '42501', 'permission denied for table "Src".opportunity', 'GRANT SELECT ON "Src".opportunity TO preset_reader');
SELECT pg_temp.refused($$SELECT activity_metrics.preset_sql('salesforce', 'half', 'reader_crm')$$, '42501', 'permission denied for schema half', 'GRANT USAGE ON SCHEMA half TO preset_reader');
RESET ROLE;
GRANT SELECT ON "Src".opportunity TO preset_reader;
CREATE SCHEMA reader_crm AUTHORIZATION preset_reader;
SET LOCAL ROLE preset_reader;
SELECT pg_temp.refused($$SELECT activity_metrics.install_preset('salesforce', 'Src', 'own')$$, '42501', 'permission denied for schema own', 'GRANT CREATE, USAGE ON SCHEMA own TO preset_reader');
SELECT ok(activity_metrics.preset_sql('salesforce', 'Src', 'reader_crm') ~ 'CREATE OR REPLACE VIEW reader_crm.events', 'printing needs no more than reading');
RESET ROLE;
SET LOCAL ROLE preset_reader;
SELECT results_eq($$SELECT subject FROM activity_metrics.install_preset('salesforce', 'Src', 'reader_crm') WHERE what = 'no metrics'$$, $$VALUES ('GRANT SELECT, INSERT, UPDATE ON activity_metrics.metric TO preset_reader; GRANT SELECT, INSERT ON activity_metrics.metric_history TO preset_reader;')$$, 'one who may not write the dictionary gets the views');
RESET ROLE;
GRANT SELECT, INSERT, UPDATE ON activity_metrics.metric TO preset_reader; GRANT SELECT, INSERT ON activity_metrics.metric_history TO preset_reader;
SET LOCAL ROLE preset_reader;
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('salesforce', 'Src', 'reader_crm', replace => true)$$, 'a plain role installs over tables that it may read');
RESET ROLE;
SELECT is((SELECT relowner::regrole::text FROM pg_class WHERE oid = 'reader_crm.events'::regclass), 'preset_reader', 'and owns the views');
GRANT USAGE ON SCHEMA reader_crm TO preset_other;
GRANT SELECT ON ALL TABLES IN SCHEMA reader_crm TO preset_other;
SET LOCAL ROLE preset_other;
SELECT pg_temp.refused('SELECT count(*) FROM reader_crm.events', '42501', 'permission denied for table opportunity', '');
RESET ROLE;

-- any other system
CREATE SCHEMA shop;
CREATE TABLE shop.visit (id bigint, deal_id integer, typ text, visit_type varchar(20), done_at timestamp, created_at timestamptz, rep text, status text, price numeric(10, 2), currency text, note text);
INSERT INTO shop.visit VALUES (1, 7, NULL, 'call', '2024-01-05 10:00', '2024-01-05 12:00Z', 'Ann', 'done', NULL, 'EUR', NULL), (2, 7, NULL, 'Closed Won', '2024-01-08 10:00', '2024-01-08 12:00Z', 'Ann', 'done', 100, 'EUR', NULL),
	(3, 8, NULL, 'call', '2024-01-06 10:00', '2024-01-06 12:00Z', 'Bob', 'planned', NULL, 'EUR', NULL), (4, 8, NULL, 'call', NULL, NULL, 'Bob', 'done', NULL, 'EUR', NULL), (5, 8, NULL, 'call', '1024-01-01', NULL, 'Bob', 'done', NULL, 'EUR', NULL), (6, 8, NULL, 'call', 'infinity', NULL, 'Bob', 'done', NULL, 'EUR', NULL);
SELECT results_eq($$SELECT event_column, needed, suggestion, type, others FROM activity_metrics.suggest_mapping('shop.visit')$$, $$VALUES
	('entity', true, 'deal_id', 'integer', NULL), ('kind', true, NULL, NULL, NULL), ('at', true, 'done_at', 'timestamp without time zone', 'created_at'), ('event_id', false, 'id', 'bigint', NULL), ('actor', false, 'rep', 'text', NULL),
	('recorded_at', false, 'created_at', 'timestamp with time zone', NULL), ('status', false, 'status', 'text', NULL), ('value', false, 'price', 'numeric(10,2)', NULL), ('quality', false, NULL, NULL, NULL), ('origin', false, NULL, NULL, NULL), ('currency', false, 'currency', 'text', NULL)$$, 'suggest_mapping');
SELECT pg_temp.refused('SELECT activity_metrics.suggest_mapping(NULL)', '22004', 'no relation is given', '');
SELECT pg_temp.refused($$SELECT activity_metrics.preset_sql('generic', 'shop', 'shop_crm')$$, '22023', 'preset "generic" needs option events', 'suggest_mapping');
SELECT pg_temp.refused($$SELECT activity_metrics.preset_sql('generic', 'shop', 'shop_crm', options => 'events = visits')$$, '42P01', 'relation "visits" does not exist', 'Did you mean "visit"');
SELECT pg_temp.refused($$SELECT activity_metrics.preset_sql('generic', 'shop', 'shop_crm', options => 'events = the visits')$$, '42P01', 'relation "the visits" does not exist', 'Did you mean "visit"');
SELECT ok(activity_metrics.preset_sql('generic', 'half', 'shop_crm', options => 'events = shop.visit, kind = visit_type') ~ 'FROM shop.visit AS t', 'a table of another schema');
SELECT ok(activity_metrics.preset_sql('generic', 'shop', 'shop_crm', options => 'events = "visit", kind = visit_type') ~ 'FROM shop.visit AS t', 'a quoted name');
SELECT pg_temp.refused($$SELECT activity_metrics.preset_sql('generic', 'shop', 'shop_crm', options => 'events = visit')$$, '42703', 'which column of "shop.visit" is kind, cannot be told', 'kind = COLUMN');
SELECT pg_temp.refused($$SELECT activity_metrics.preset_sql('generic', 'shop', 'shop_crm', options => 'events = visit, kind = visit_typ')$$, '42703', 'relation "shop.visit" has no column "visit_typ"', 'Did you mean "visit_type"');
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('generic', 'shop', 'shop_crm', 'Europe/Berlin', 'events = visit, kind = visit_type, map = ''Closed Won: won''')$$, 'generic');
SELECT bag_eq($$SELECT entity, kind, at, actor, event_id, recorded_at, status, value FROM shop_crm.events$$, $$VALUES ('7', 'call', timestamptz '2024-01-05 09:00Z', 'Ann', '1', timestamptz '2024-01-05 12:00Z', 'done', NULL::float8),
	('7', 'won', '2024-01-08 09:00Z', 'Ann', '2', '2024-01-08 12:00Z', 'done', 100), ('8', 'call', '2024-01-06 09:00Z', 'Bob', '3', '2024-01-06 12:00Z', 'planned', NULL)$$, 'its events: times of the site''s zone, kinds by other names');
SELECT bag_eq($$SELECT rule, id FROM shop_crm.events_left_out WHERE id IS NOT NULL$$, $$VALUES ('no time', '4'), ('before 2000', '5'), ('infinite', '6')$$, 'what is left out');
SELECT bag_eq($$SELECT entity_id, status, closed_at FROM shop_crm.entities$$, $$VALUES ('7', 'won', timestamptz '2024-01-08 09:00Z'), ('8', 'open', NULL)$$, 'entities as events have them');
SELECT ok(EXISTS (SELECT FROM activity_metrics.metric WHERE source_relation = 'shop_crm.events' AND metric = 'shop_crm_wins'), 'metrics of the kinds that it has');
SELECT results_eq($$SELECT step, reached FROM activity_metrics.funnel_report('shop_crm.events', 'call -> won')$$, $$VALUES ('call', 1::bigint), ('won', 1)$$, 'its funnel');
CREATE TABLE shop.logins (account text, ts bigint);
INSERT INTO shop.logins VALUES ('a', 1704067200), ('a', 1704067200000), ('b', 1704153600);
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('generic', 'shop', 'shop_crm', options => 'events = logins, kind_is = login, entity = account', replace => true)$$, 'a table of one kind, without a key');
SELECT bag_eq($$SELECT entity, kind, at, event_id FROM shop_crm.events$$, $$VALUES ('a', 'login', timestamptz '2024-01-01Z', 'a:login:1704067200'), ('a', 'login', '2024-01-01Z', 'a:login:1704067200000'), ('b', 'login', '2024-01-02Z', 'b:login:1704153600')$$, 'seconds and milliseconds');

CREATE TABLE shop."Odd Table" ("deal id" integer, "Art" text, "Zeit (lokal)" timestamp, "Größe" text);
INSERT INTO shop."Odd Table" VALUES (1, 'call', '2024-01-01 10:00', '5'), (1, 'call', '2024-01-02 10:00', 'five');
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('generic', 'shop', 'Odd Crm', options => 'events = Odd Table, entity = deal id, kind = Art, at = Zeit (lokal), value = Größe')$$, 'names of all sorts');
SELECT bag_eq($$SELECT entity, kind, at, value FROM "Odd Crm".events$$, $$VALUES ('1', 'call', timestamptz '2024-01-01 10:00Z', 5::float8), ('1', 'call', '2024-01-02 10:00Z', NULL)$$, 'are quoted');
SELECT results_eq($$SELECT rule, source, example FROM "Odd Crm".events_left_out WHERE id = ''$$, $$VALUES ('not a number: NULL', 'Odd Table.Größe', 'five')$$, 'a row without a key is told too');
SELECT pg_temp.refused($$SELECT activity_metrics.preset_sql('generic', 'shop', 'x', options => 'events = Odd Table, entity = deal id, kind = Art, at = Zeit (lokal), map = nothing')$$, '22023', 'option map "nothing" cannot be read', 'Write map');

-- check_events over any relation
CREATE TABLE shop.plain (deal integer, typ text, "when" text, who text, state text);
INSERT INTO shop.plain VALUES (1, 'call', '2024-01-01', 'Ann', 'Held'), (1, 'won', '2024-02-30', 'Ann', 'done'), (2, 'call', '1024-01-01 10:00', 'Ann', 'Planned'), (2, 'won', '2999-01-01', 'Bob', 'done'), (NULL, 'a', '', NULL, NULL), (3, 'a', '9999-12-31', NULL, NULL),
	(3, 'b', '1970-01-19', 'Bob', NULL), (3, 'b', '31.12.2024', 'Bob', 'no-show');
SELECT results_eq($$SELECT rule, subject, rows, example FROM activity_metrics.check_events('shop.plain', 'deal', 'when', 'typ', 'who', 'state') WHERE rule <> 'column' AND rule <> 'rows'$$, $$VALUES
	('not done', 'status', 2::bigint, NULL), ('no time', 'when', 1, NULL), ('not a time', 'when', 2, '2024-02-30'), ('January 1970', 'when', 1, '1970-01-19 00:00:00+00'), ('before 2000', 'when', 2, '1024-01-01 10:00:00+00'),
	('in the future', 'when', 2, '9999-12-31 00:00:00+00'), ('unknown status', 'status', 1, 'Held')$$, 'exotic rows are named');
SELECT is((SELECT note FROM activity_metrics.check_events('shop.plain', 'deal', 'when', 'typ', 'who', 'state') WHERE rule = 'rows'), '3 entities, 2 actors, from 1024-01-01 10:00:00+00 to 9999-12-31 00:00:00+00', 'the range');
SELECT results_eq($$SELECT subject, rows FROM activity_metrics.check_events('shop.plain', 'deal', 'when', 'typ', 'who', 'state') WHERE rule = 'column' AND rows IS NOT NULL$$, $$VALUES ('deal', 7::bigint), ('typ', 8), ('when', 5), ('state', 5), ('who', 6)$$, 'columns that are there');
CREATE TABLE shop.empty (entity bigint, kind text, at timestamptz, value numeric, currency text, recorded_at timestamptz, event_id text, origin text);
SELECT is((SELECT rows FROM activity_metrics.check_events('shop.empty') WHERE rule = 'rows'), 0::bigint, 'no rows');
INSERT INTO shop.empty VALUES (1, 'won', '2024-01-01Z', 5, 'EUR', '2024-03-01Z', 'x', 'auto'), (2, 'won', '2024-01-01Z', 5, 'USD', '2024-01-01Z', 'x', 'manual'), (2, 'won', '-infinity', 5, 'USD', '2024-01-01Z', 'y', 'manual');
SELECT results_eq($$SELECT rule, rows, example FROM activity_metrics.check_events('shop.empty') WHERE rule <> 'column' AND rule <> 'rows'$$, $$VALUES ('one event, many entities', 1::bigint, NULL), ('infinite', 1, '-infinity'), ('logged late', 1, '60 days'), ('several currencies', 3, 'EUR, USD'), ('automatic', 1, NULL)$$, 'late, automatic, several currencies');
SELECT pg_temp.refused($$SELECT * FROM activity_metrics.check_events('shop.plain')$$, '42703', 'relation "shop.plain" has no column "at"', 'at => ');
SELECT pg_temp.refused($$SELECT * FROM activity_metrics.check_events('shop.plain', 'deal', 'when', 'typ', 'whom')$$, '42703', 'relation "shop.plain" has no column "whom"', 'who');
SELECT pg_temp.refused($$SELECT * FROM activity_metrics.check_events('shop.empty', tz => 'Nowhere')$$, '22023', 'time zone "Nowhere" not recognized', '');

SELECT pg_temp.refused($$SELECT * FROM activity_metrics.check_events(NULL)$$, '22004', 'no relation is given', 'name of a table or view');
SELECT pg_temp.refused(format('SELECT * FROM activity_metrics.check_events(''shop.empty'', %s => NULL)', a), '22004', format('argument %s is null', a), CASE a WHEN 'actor' THEN 'Leave it out' WHEN 'tz' THEN 'Leave it out' ELSE 'Give the name of a column' END) FROM unnest(ARRAY['entity', 'at', 'kind', 'actor', 'tz']) AS a;
SELECT lives_ok($$SELECT * FROM activity_metrics.check_events('shop.empty', status => NULL)$$, 'status may be NULL, which is its default');

-- odd tables, and what is none
CREATE TABLE shop.nothing ();
CREATE TABLE shop.twice ("Deal_Id" integer, deal_id integer, "dealid" text, "TYPE" text, type text, "At" timestamp, at date, gone integer, price money);
ALTER TABLE shop.twice DROP gone;
CREATE SEQUENCE shop.numbers;
CREATE INDEX visit_id ON shop.visit (id);
SELECT is((SELECT count(suggestion) || ' of ' || count(*) FROM activity_metrics.suggest_mapping('shop.nothing')), '0 of 11', 'a table without columns');
SELECT set_eq($$SELECT event_column, suggestion, others FROM activity_metrics.suggest_mapping('shop.twice') WHERE suggestion IS NOT NULL$$, $$VALUES ('entity', 'Deal_Id', 'deal_id, dealid'), ('kind', 'TYPE', 'type'), ('at', 'At', 'at'), ('value', 'price', NULL)$$, 'columns that differ in case and _ only');
SELECT pg_temp.refused(format('SELECT activity_metrics.suggest_mapping(%L)', r), '42809', format('"%s" is not a table or view', r), 'name of a table or view') FROM unnest(ARRAY['shop.numbers', 'shop.visit_id', '99999999']) AS r;
-- each argument wrong in turn
CREATE TABLE shop.act (id integer, deal integer, kind text, at timestamptz, who text, n numeric, j jsonb, b bytea, a text[], cur text);
SELECT pg_temp.refused(format('SELECT activity_metrics.preset_sql(''generic'', ''shop'', ''shop_crm'', options => %L)', 'events = act, entity = deal, ' || c || ' = nope'), '42703', 'relation "shop.act" has no column "nope"', 'Did you mean')
	FROM unnest(ARRAY['kind', 'at', 'actor', 'event_id', 'recorded_at', 'status', 'value', 'quality', 'origin']) AS c;
SELECT pg_temp.refused($$SELECT activity_metrics.preset_sql('generic', 'shop', 'shop_crm', options => 'events = act, entity = nope')$$, '42703', 'relation "shop.act" has no column "nope"', 'Did you mean');
SELECT pg_temp.refused($$SELECT activity_metrics.preset_sql('generic', 'shop', 'shop_crm', options => 'events = act, entity = deal, currency = EUR')$$, '42703', 'option currency is "EUR", but no column of "shop.act" has the currency', 'currency = COLUMN');
SELECT pg_temp.refused(format('SELECT activity_metrics.preset_sql(''generic'', ''shop'', ''shop_crm'', options => %L)', 'events = act, entity = deal, ' || o), '42804', m, 'Make a view that casts it')
	FROM (VALUES ('at = j', 'column "j" of "shop.act" is of type jsonb, which is not taken as time'), ('at = b', 'column "b" of "shop.act" is of type bytea, which is not taken as time'), ('recorded_at = a', 'column "a" of "shop.act" is of type text[], which is not taken as time'),
		('value = j', 'column "j" of "shop.act" is of type jsonb, which is not taken as number'), ('quality = a', 'column "a" of "shop.act" is of type text[], which is not taken as number')) AS v(o, m);
SELECT pg_temp.refused(format('SELECT activity_metrics.preset_sql(''generic'', ''shop'', ''shop_crm'', options => %L)', 'events = act, entity = deal, map = ' || m), '22023', format('option map "%s" cannot be read', m), 'Write map') FROM unnest(ARRAY['x', ':', 'call:', ': call']) AS m;
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('generic', 'shop', 'shop_money', options => 'events = twice')$$, 'money is a number');
-- every row once, whatever is in it
CREATE FUNCTION pg_temp.any_of(VARIADIC texts text[]) RETURNS text LANGUAGE sql VOLATILE AS $$SELECT texts[1 + floor(random() * cardinality(texts))::integer]$$;
CREATE TABLE shop.mess AS SELECT 'k' || i AS event_id, pg_temp.any_of('1', '2', '', NULL) AS deal, pg_temp.any_of('call', 'won', '', 'Closed Won', NULL) AS kind, pg_temp.any_of('2024-01-01', '2024-01-02 10:00', '1970-01-19', '1024-01-01', '9999-12-31', 'soon', '', ' ', NULL, '1704067200') AS at,
	pg_temp.any_of('5', 'five', '', NULL, '1e3') AS price, pg_temp.any_of('EUR', 'USD', '', NULL) AS currency, pg_temp.any_of('done', 'planned', 'x', NULL) AS status FROM (SELECT setseed(0.3)) AS s, generate_series(1, 400) AS i;
SELECT lives_ok($$SELECT * FROM activity_metrics.install_preset('generic', 'shop', 'shop_mess', options => 'events = mess, entity = deal, currency = EUR')$$, 'a mess');
SELECT is_empty($$SELECT m.event_id FROM shop.mess AS m WHERE (SELECT count(*) FROM shop_mess.events AS e WHERE e.event_id = m.event_id) + (SELECT count(*) FROM shop_mess.events_left_out AS l WHERE l.id = m.event_id AND l.rule !~ ': NULL$') <> 1$$, 'every row is an event or left out, once');
SELECT set_eq($$SELECT DISTINCT rule FROM shop_mess.events_left_out WHERE id IS NOT NULL$$, ARRAY['no time', 'before 2000', 'not a time: NULL', 'not a number: NULL', 'amount without a rate: NULL'], 'by these rules');
SELECT is((SELECT count(*) FROM shop_mess.events_left_out WHERE rule = 'not a time: NULL'), (SELECT count(*) FROM shop.mess WHERE at IN ('soon', '1704067200')), 'texts that are no time by example');
SELECT set_eq($$SELECT rule, example FROM activity_metrics.check_events('shop_mess.events') WHERE rule IN ('not a time: NULL', 'not a number: NULL', 'unknown status')$$, $$VALUES ('not a time: NULL', '1704067200'), ('not a number: NULL', 'five'), ('unknown status', 'x')$$, 'which check_events shows');

-- two systems in one database, each with its own people: metrics of the others are passed over, unless they are asked for
DELETE FROM activity_metrics.metric;
CREATE SCHEMA two;
CREATE TABLE two.first AS SELECT i AS id, i % 20 AS deal_id, (ARRAY['call', 'meeting', 'won'])[1 + i % 3] AS kind, timestamptz '2024-01-01Z' + i * interval '1 day' AS at, (ARRAY['Ann', 'Bob'])[1 + i % 2] AS rep FROM generate_series(1, 300) AS i;
CREATE TABLE two.second AS SELECT id, deal_id, kind, at, upper(rep) || '@x' AS rep FROM two.first;
SELECT lives_ok(format('SELECT * FROM activity_metrics.install_preset(''generic'', ''two'', %L, options => %L)', v || '_crm', 'events = ' || v), v) FROM unnest(ARRAY['first', 'second']) AS v;
SELECT results_eq($$SELECT metric FROM activity_metrics.metric WHERE is_north_star$$, $$VALUES ('wins')$$, 'one North Star, the first');
SELECT set_eq($$SELECT metric, outcome_metric FROM activity_metrics.metric WHERE kind = 'surface'$$, $$VALUES ('calls', 'wins'), ('meetings', 'wins'), ('second_crm_calls', 'second_crm_wins'), ('second_crm_meetings', 'second_crm_wins')$$, 'what people do is for the wins of their own system');
SELECT set_eq(format('SELECT metric FROM activity_metrics.%s(''wins'')', r), ARRAY['calls', 'meetings'], r || ' has those of the same people') FROM unnest(ARRAY['leading_indicators', 'vanity_report']) AS r;
SELECT pg_temp.refused(format('SELECT * FROM activity_metrics.%s(''wins'', metrics => ARRAY[''second_crm_calls''])', r), '22023', 'metrics "second_crm_calls" and "wins" have no unit in common', 'same names') FROM unnest(ARRAY['leading_indicators', 'vanity_report']) AS r;
DELETE FROM activity_metrics.metric WHERE metric = ANY ('{calls,meetings}');
SELECT pg_temp.refused(format('SELECT * FROM activity_metrics.%s(''wins'')', r), '22023', 'metrics "second_crm_calls" and "wins" have no unit in common', 'same names') FROM unnest(ARRAY['leading_indicators', 'vanity_report']) AS r;

-- a view of ten joins costs enough to be compiled, which takes a hundred times as long as reading a small CRM
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.pronamespace = 'activity_metrics'::regnamespace AND l.lanname = 'plpgsql' AND p.procost >= 10000
	AND NOT coalesce('jit=off' = ANY (p.proconfig), false)$$, 'reports are not compiled');

SELECT * FROM finish();
ROLLBACK;
