-- Presets installed by plain roles, over sources of all kinds and names, and installed again: who may, what stays, what is refused and leaves nothing behind.
BEGIN;
SELECT no_plan();
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = error;
DELETE FROM activity_metrics.metric;

-- SQLSTATE, message and hint of a statement; OK if there is no error
CREATE FUNCTION pg_temp.outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text;
	message text;
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'OK';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', state, message, nullif(hint, ''));
END;
$$;

-- a Salesforce of a year: calls come before meetings and wins, in six teams of one
CREATE SCHEMA year;
CREATE TABLE year.opportunity (id text PRIMARY KEY, owner_id text, stage_name text, amount numeric, is_won boolean, is_closed boolean, close_date date, created_date timestamptz, is_deleted boolean);
CREATE TABLE year.task (id text, owner_id text, what_id text, who_id text, task_subtype text, is_closed boolean, activity_date date, completed_date_time timestamptz, created_date timestamptz, is_deleted boolean);
CREATE TABLE year.event (id text, owner_id text, what_id text, who_id text, start_date_time timestamptz, duration_in_minutes integer, created_date timestamptz, is_child boolean, is_deleted boolean);
INSERT INTO year.opportunity SELECT '006' || i, '005' || i % 6, CASE WHEN i % 3 = 0 THEN 'Closed Won' WHEN i % 3 = 1 THEN 'Closed Lost' ELSE 'Open' END, 100 * (i % 7), i % 3 = 0, i % 3 < 2, date '2024-01-08' + i + 20, timestamptz '2024-01-08 09:00Z' + i * interval '1 day', i % 50 = 0
	FROM generate_series(1, 364) AS i;
INSERT INTO year.task SELECT '00T' || i, '005' || i % 6, '006' || 1 + i / 6, NULL, CASE WHEN i % 2 = 0 THEN 'Call' ELSE 'Email' END, i % 9 > 0, date '2024-01-10' + i / 6, CASE WHEN i % 9 > 0 THEN timestamptz '2024-01-09 10:00Z' + i * interval '4 hours' END, timestamptz '2024-01-08 10:00Z' + i * interval '4 hours', false
	FROM generate_series(1, 2000) AS i;
INSERT INTO year.event SELECT '00U' || i, '005' || i % 6, '006' || i, NULL, timestamptz '2024-01-12 10:00Z' + i * interval '1 day', 30, timestamptz '2024-01-10 10:00Z' + i * interval '1 day', i % 11 = 0, false FROM generate_series(1, 364, 2) AS i;

-- a plain role: SELECT on the source, CREATE on its own schema or on the database, and the extension's dictionary
CREATE ROLE install_loader;
CREATE ROLE install_plain;
CREATE ROLE install_other;
SELECT format('ALTER SCHEMA year OWNER TO install_loader') \gexec
SELECT format('ALTER TABLE year.%I OWNER TO install_loader', relname) FROM pg_class WHERE relnamespace = 'year'::regnamespace AND relkind = 'r' \gexec
GRANT USAGE ON SCHEMA activity_metrics TO install_plain, install_other;
GRANT SELECT, INSERT, UPDATE ON activity_metrics.metric TO install_plain;
GRANT SELECT, INSERT ON activity_metrics.metric_history TO install_plain;
GRANT SELECT ON ALL TABLES IN SCHEMA activity_metrics TO install_plain;
GRANT USAGE ON SCHEMA year TO install_plain, install_other;
GRANT SELECT ON ALL TABLES IN SCHEMA year TO install_plain;
SET LOCAL ROLE install_plain;
SELECT is(pg_temp.outcome($$SELECT * FROM activity_metrics.install_preset('salesforce', 'year', 'plain_crm')$$),
	'42501 | schema "plain_crm" does not exist, and may not be created | Name a schema of your own as target_schema, or have CREATE SCHEMA plain_crm AUTHORIZATION install_plain; run by the owner of the database.', 'without CREATE on the database: what to ask for');
RESET ROLE;
CREATE SCHEMA plain_crm;
GRANT USAGE, CREATE ON SCHEMA plain_crm TO install_plain;
SET LOCAL ROLE install_plain;
SELECT is((SELECT count(*) FILTER (WHERE what = 'view') || ' ' || count(*) FILTER (WHERE what = 'metric' AND subject IN ('calls', 'emails', 'meetings', 'wins', 'losses', 'revenue', 'opportunities')) FROM activity_metrics.install_preset('salesforce', 'year', 'plain_crm')), '4 7', 'with CREATE on a schema of others it installs');
SELECT is((SELECT array_agg(reached) FROM activity_metrics.funnel_report('plain_crm.events', 'created -> (call | email) -> meeting -> won')), '{357,328,152,51}'::bigint[], 'funnel_report over its year');
SELECT cmp_ok((SELECT count(*) FROM activity_metrics.leading_indicators('wins') WHERE n > 100), '>=', 3::bigint, 'leading_indicators');
SELECT set_has($$SELECT metric FROM activity_metrics.vanity_report('wins') WHERE score IS NOT NULL$$, $$VALUES ('calls'), ('emails'), ('meetings')$$, 'vanity_report');
SELECT set_has($$SELECT metric FROM activity_metrics.scorecard$$, $$VALUES ('wins'), ('calls'), ('revenue')$$, 'scorecard');
SELECT is((SELECT rows FROM activity_metrics.check_events('plain_crm.events') WHERE rule = 'copy for an attendee'), 17::bigint, 'check_events');
RESET ROLE;
SELECT format('GRANT CREATE ON DATABASE %I TO install_plain', current_database()) \gexec
SET LOCAL ROLE install_plain;
SELECT is(pg_temp.outcome($$SELECT * FROM activity_metrics.install_preset('salesforce', 'year', 'made_crm')$$), 'OK', 'with CREATE on the database');
RESET ROLE;
SELECT is((SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'made_crm'), 'install_plain', 'the schema is its own');

-- who reads the views needs the tables
GRANT USAGE ON SCHEMA plain_crm TO install_other;
GRANT SELECT ON plain_crm.events, plain_crm.entities, plain_crm.events_left_out TO install_other;
SET LOCAL ROLE install_other;
SELECT matches(pg_temp.outcome('SELECT * FROM plain_crm.' || v), '^42501 \| permission denied for table (opportunity|task|event)$', v || ': no rows without rights below') FROM unnest(ARRAY['events', 'entities', 'events_left_out']) AS v;
SELECT matches(pg_temp.outcome($$SELECT * FROM activity_metrics.funnel_report('plain_crm.events', 'created -> won')$$), '^42501 ', 'nor through a report');
SELECT matches(pg_temp.outcome($$SELECT * FROM activity_metrics.check_events('plain_crm.events')$$), '^42501 ', 'nor through check_events');
RESET ROLE;
GRANT SELECT ON ALL TABLES IN SCHEMA year TO install_other;
ALTER TABLE year.opportunity ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON year.opportunity TO install_other USING (owner_id = '0051');
CREATE POLICY everything ON year.opportunity TO install_plain USING (true);
SET LOCAL ROLE install_other;
SELECT is((SELECT string_agg(DISTINCT owner, ',') FROM plain_crm.entities), '0051', 'policies of the tables hold for who reads');
RESET ROLE;
ALTER TABLE year.opportunity DISABLE ROW LEVEL SECURITY;

-- installed again: what stays
SELECT format('GRANT SELECT ON plain_crm.stages TO %s', r) FROM unnest(ARRAY['install_other WITH GRANT OPTION', 'PUBLIC']) AS r \gexec
SET LOCAL ROLE install_plain;
CREATE VIEW plain_crm.mine AS SELECT entity, amount FROM plain_crm.events JOIN plain_crm.entities ON entity = entity_id;
CREATE MATERIALIZED VIEW plain_crm.kept AS SELECT kind, count(*) FROM plain_crm.events GROUP BY 1;
RESET ROLE;
CREATE TEMP TABLE before AS SELECT relname, relowner, relacl, reloptions, obj_description(oid) AS comment, oid FROM pg_class WHERE relnamespace = 'plain_crm'::regnamespace;
SELECT is(pg_temp.outcome($$SELECT * FROM activity_metrics.install_preset('salesforce', 'year', 'plain_crm', replace => true)$$), 'OK', 'again, by a superuser');
SELECT set_eq($$SELECT relname, relowner, relacl::text, reloptions, obj_description(oid), oid FROM pg_class WHERE relnamespace = 'plain_crm'::regnamespace$$, $$SELECT relname, relowner, relacl::text, reloptions, comment, oid FROM before$$, 'owner, grants, comments and views over them stay');
SET LOCAL ROLE install_other;
SELECT is(pg_temp.outcome($$SELECT * FROM activity_metrics.install_preset('salesforce', 'year', 'plain_crm', replace => true)$$), '42501 | permission denied for schema plain_crm | Name a schema of your own as target_schema, or have its owner GRANT CREATE, USAGE ON SCHEMA plain_crm TO install_other;', 'somebody else does not');
RESET ROLE;
GRANT CREATE ON SCHEMA plain_crm TO install_other;
SET LOCAL ROLE install_other;
SELECT is(pg_temp.outcome($$SELECT * FROM activity_metrics.install_preset('salesforce', 'year', 'plain_crm', replace => true)$$), '42501 | must be owner of view events', 'nor with CREATE');
RESET ROLE;

-- a view whose columns were changed is made anew: with its owner and grants, or not at all
DROP VIEW plain_crm.stages;
SET LOCAL ROLE install_plain;
CREATE VIEW plain_crm.stages AS SELECT 'x'::text AS my_stage;
CREATE VIEW plain_crm.over_stages AS TABLE plain_crm.stages;
GRANT SELECT ON plain_crm.stages TO PUBLIC;
GRANT SELECT, TRIGGER ON plain_crm.stages TO install_other WITH GRANT OPTION;
RESET ROLE;
CREATE TEMP TABLE definitions AS SELECT relname, pg_get_viewdef(oid) AS definition FROM pg_class WHERE relnamespace = 'plain_crm'::regnamespace;
SELECT is(pg_temp.outcome($$SELECT * FROM activity_metrics.install_preset('salesforce', 'year', 'plain_crm', tz => 'Asia/Tokyo', replace => true)$$), '2BP01 | view "plain_crm.stages" has other columns than the preset, and other objects depend on it | Drop these first, or name another target_schema.', 'views of the user''s over it are not dropped');
SELECT set_eq($$SELECT relname, pg_get_viewdef(oid) FROM pg_class WHERE relnamespace = 'plain_crm'::regnamespace$$, 'TABLE definitions', 'and nothing is half done');
DROP VIEW plain_crm.over_stages;
SELECT is(pg_temp.outcome($$SELECT * FROM activity_metrics.install_preset('salesforce', 'year', 'plain_crm', replace => true)$$), 'OK', 'without them it is');
SELECT is((SELECT relowner::regrole::text FROM pg_class WHERE oid = 'plain_crm.stages'::regclass), 'install_plain', 'its owner is the one it had');
SELECT set_eq($$SELECT grantee::regrole::text, privilege_type, is_grantable FROM pg_class, aclexplode(relacl) WHERE oid = 'plain_crm.stages'::regclass AND grantee <> relowner$$, $$VALUES ('-', 'SELECT', false), ('install_other', 'SELECT', true), ('install_other', 'TRIGGER', true)$$, 'so are the grants');
SELECT set_eq('SELECT stage_key FROM plain_crm.stages', ARRAY['Closed Won', 'Closed Lost', 'Open'], 'the columns are the preset''s');

-- what is in the way
CREATE SCHEMA in_the_way;
CREATE MATERIALIZED VIEW in_the_way.events_left_out AS SELECT 1 AS a;
SELECT is(pg_temp.outcome(format('SELECT * FROM activity_metrics.install_preset(''salesforce'', ''year'', ''in_the_way'', replace => %L)', r)), '42809 | relation "in_the_way.events_left_out" exists and is not a view | Name another target_schema: views named events, entities, stages and events_left_out are created in it.', 'not a view, replace ' || r) FROM unnest(ARRAY[false, true]) AS r;
SELECT is((SELECT array_agg(relname::text) FROM pg_class WHERE relnamespace = 'in_the_way'::regnamespace), ARRAY['events_left_out'], 'the last of four: none is there');
SELECT is_empty($$SELECT metric FROM activity_metrics.metric WHERE source_relation = 'in_the_way.events'$$, 'nor are metrics');

-- targets that are none
SELECT is(pg_temp.outcome(format('SELECT activity_metrics.%s(''salesforce'', ''year'', %L)', f, t)), m || ' | Name a schema of your own for the views; it is created if it does not exist.', f || ': ' || m)
	FROM unnest(ARRAY['preset_sql', 'install_preset']) AS f, (VALUES ('', '42602 | target_schema "" is empty'), (repeat('t', 64), '42602 | target_schema "' || repeat('t', 64) || '" is longer than 63 bytes'), (repeat('ü', 32), '42602 | target_schema "' || repeat('ü', 32) || '" is longer than 63 bytes'),
		('activity_metrics', '22023 | views of yours do not go into schema "activity_metrics"'), ('information_schema', '22023 | views of yours do not go into schema "information_schema"'), ('pg_catalog', '22023 | views of yours do not go into schema "pg_catalog"')) AS v(t, m);
SELECT is(pg_temp.outcome($$SELECT activity_metrics.install_preset('salesforce', 'year', 'pg_mine')$$), '42939 | unacceptable schema name "pg_mine"', 'a name of the system''s');

-- options that name no table
CREATE SEQUENCE year.contact;
CREATE TABLE year.rate (currency text, rate numeric);
SELECT is(pg_temp.outcome(format('SELECT activity_metrics.preset_sql(''salesforce'', ''year'', ''t'', options => %L)', o)), m, o) FROM (VALUES
	('task = opportunity_pkey', '42P01 | relation "opportunity_pkey" does not exist | Did you mean "opportunity"? Name a table of schema year, or one with its schema.'),
	('contact = contact', '42P01 | relation "contact" does not exist | Did you mean "task"? Name a table of schema year, or one with its schema.'),
	('task = "task', '42P01 | relation ""task" does not exist | Did you mean "task"? Name a table of schema year, or one with its schema.'),
	('task = a.b.c.d', '42P01 | relation "a.b.c.d" does not exist | Did you mean "event"? Name a table of schema year, or one with its schema.'),
	('rates = x.', '42P01 | relation "x." does not exist | Option rates names a table, with its schema, that has columns currency and rate: what one unit is worth in your own currency.'),
	('rates = task', '42703 | relation "year.task" has no column "currency" | Option rates names a table with columns currency and rate: what one unit is worth in your own currency. A view can give columns these names.'),
	('rates = year.rate', 'OK'), ('rates = rate', 'OK'), ('tasks = task', '22023 | preset "salesforce" has no option "tasks" | Did you mean "task"?'), ('days = Nowhere', '22023 | time zone "Nowhere" not recognized')) AS v(o, m);

-- sources that are views, partitioned tables and foreign tables are the same CRM
CREATE SCHEMA views;
CREATE VIEW views.opportunity AS TABLE year.opportunity;
CREATE MATERIALIZED VIEW views.task AS TABLE year.task;
CREATE VIEW views.event AS TABLE year.event;
CREATE SCHEMA parts;
CREATE TABLE parts.opportunity (LIKE year.opportunity) PARTITION BY HASH (id);
CREATE TABLE parts.opportunity_0 PARTITION OF parts.opportunity FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts.opportunity_1 PARTITION OF parts.opportunity FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE parts.task (LIKE year.task) PARTITION BY RANGE (created_date);
CREATE TABLE parts.task_old PARTITION OF parts.task FOR VALUES FROM (MINVALUE) TO ('2024-07-01Z');
CREATE TABLE parts.task_new PARTITION OF parts.task DEFAULT;
CREATE TABLE parts.event () INHERITS (year.event);
INSERT INTO parts.opportunity TABLE year.opportunity;
INSERT INTO parts.task TABLE year.task;
INSERT INTO parts.event SELECT * FROM ONLY year.event;
DELETE FROM ONLY year.event;
SELECT is(pg_temp.outcome(format('SELECT * FROM activity_metrics.install_preset(''salesforce'', %L, %L)', s, s || '_crm')), 'OK', 'over ' || s) FROM unnest(ARRAY['views', 'parts']) AS s;
SELECT bag_eq(format('TABLE %I.%I', s || '_crm', v), format('TABLE plain_crm.%I', v), format('%s of %s', v, s)) FROM unnest(ARRAY['views', 'parts']) AS s, unnest(ARRAY['events', 'entities', 'stages']) AS v;
SELECT is((SELECT array_agg(reached) FROM activity_metrics.funnel_report((s || '_crm.events')::regclass, 'created -> (call | email) -> meeting -> won')), '{357,328,152,51}'::bigint[], 'the funnel of ' || s) FROM unnest(ARRAY['views', 'parts']) AS s;
SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'file_fdw') AS has_file_fdw \gset
\if :has_file_fdw
CREATE EXTENSION file_fdw;
CREATE SCHEMA elsewhere;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE elsewhere.opportunity (id text, owner_id text, stage_name text, amount numeric, is_won boolean, is_closed boolean, close_date date, created_date timestamptz) SERVER elsewhere
	OPTIONS (program $$printf '006A,005A,Closed Won,10,t,t,2024-03-01,2024-01-01 09:00Z\n006B,005A,Open,10,f,f,2024-03-01,2024-01-02 09:00Z\n'$$, format 'csv');
CREATE FOREIGN TABLE elsewhere.task (id text, owner_id text, what_id text, task_subtype text, is_closed boolean, completed_date_time timestamptz) SERVER elsewhere OPTIONS (program $$printf '00T1,005A,006A,Call,t,2024-01-05 09:00Z\n'$$, format 'csv');
SELECT is(pg_temp.outcome($$SELECT * FROM activity_metrics.install_preset('salesforce', 'elsewhere', 'foreign_crm')$$), 'OK', 'over foreign tables');
SELECT is((SELECT array_agg(reached) FROM activity_metrics.funnel_report('foreign_crm.events', 'created -> call -> won')), '{2,1,1}'::bigint[], 'their funnel');
SELECT is((SELECT rows FROM activity_metrics.check_events('foreign_crm.events') WHERE rule = 'rows'), 4::bigint, 'their rows');
\else
SELECT skip('file_fdw is not here');
\endif

-- columns of many collations, domains, and types that are texts by another name
CREATE SCHEMA odd;
CREATE DOMAIN odd.key AS text;
CREATE DOMAIN odd.word AS varchar(40) COLLATE "POSIX";
CREATE TABLE odd.opportunity (id text COLLATE "C", owner_id text COLLATE "POSIX", stage_name odd.word, amount odd.key, is_won odd.key, is_closed boolean, close_date date, created_date odd.key);
INSERT INTO odd.opportunity VALUES ('006A', '005A', 'Closed Won', '10', 'yes', true, '2024-03-01', '2024-01-01 09:00'), ('006B', '005A', 'Open', 'ten', '0', false, '2024-03-01', 'a while ago');
CREATE TABLE odd.task (id text, owner_id text COLLATE "C", what_id text COLLATE "POSIX", who_id char(18) COLLATE "C", task_subtype name, completed_date_time odd.key);
INSERT INTO odd.task VALUES ('00T1', '005A', '006A', NULL, 'Call', '2024-01-05 09:00Z'), ('00T2', '005A', NULL, '00QA', 'Call', '2024-01-02 09:00Z');
CREATE TABLE odd.lead (id text COLLATE "POSIX", is_converted boolean, converted_opportunity_id text COLLATE "C", created_date timestamptz);
INSERT INTO odd.lead VALUES ('00QA', true, '006A', '2023-12-31Z');
CREATE TABLE odd.opportunity_field_history (id text COLLATE "POSIX", opportunity_id text COLLATE "POSIX", field text, old_value text COLLATE "C", new_value text COLLATE "POSIX", created_date timestamptz);
INSERT INTO odd.opportunity_field_history VALUES ('1', '006A', 'StageName', 'Open', 'Closed Won', '2024-02-01Z');
SELECT is(pg_temp.outcome($$SELECT * FROM activity_metrics.install_preset('salesforce', 'odd', 'odd_crm')$$), 'OK', 'over columns of several collations');
SELECT set_eq('SELECT event_id, entity, kind FROM odd_crm.events', $$VALUES ('sf:task:00T1', '006A', 'call'), ('sf:task:00T2', '006A', 'call'), ('sf:lead:00QA', '006A', 'lead'), ('sf:created:006A', '006A', 'created'), ('sf:created:006B', '006B', 'created'), ('sf:closed:006A', '006A', 'won'), ('sf:stage:1', '006A', 'Closed Won'), ('sf:stage:006A', '006A', 'Open'), ('sf:stage:006B', '006B', 'Open')$$, 'which can be compared');
SELECT set_eq($$SELECT rule, id, example FROM odd_crm.events_left_out WHERE id IS NOT NULL$$, $$VALUES ('not a time: NULL', '006B', 'a while ago'), ('not a number: NULL', '006B', 'ten')$$, 'values that cannot be read');
SELECT is_empty($$SELECT attrelid::regclass, attname FROM pg_attribute a WHERE attrelid IN ('odd_crm.events'::regclass, 'odd_crm.entities'::regclass, 'odd_crm.stages'::regclass, 'odd_crm.events_left_out'::regclass) AND attnum > 0 AND attcollation NOT IN (0, 'pg_catalog."default"'::regcollation)$$, 'the views have none of their own');
SELECT is((SELECT array_agg(reached) FROM activity_metrics.funnel_report('odd_crm.events', 'lead -> call -> won')), '{1,1,1}'::bigint[], 'a funnel');
-- what stands in a row is no statement: currencies are named in a comment of the view
CREATE SCHEMA hostile;
CREATE TABLE hostile.opportunity AS SELECT id, owner_id, stage_name, amount, is_won, is_closed, close_date, created_date, CASE WHEN row_number() OVER () % 2 = 0 THEN '*/ + (1 / 0) /*' ELSE E'--\nEUR' END AS currency_iso_code FROM year.opportunity;
SELECT is(pg_temp.outcome($$SELECT * FROM activity_metrics.install_preset('salesforce', 'hostile', 'hostile_crm')$$), 'OK', 'currencies that look like the end of a comment');
SELECT is((SELECT count(value) || ' of ' || count(*) FROM hostile_crm.events WHERE kind = 'won'), '0 of 121', 'are currencies, two of them');
CREATE TABLE hostile.visit (entity integer, kind text, at timestamptz);
INSERT INTO hostile.visit SELECT i, 'stage ' || i, '2024-01-01Z' FROM generate_series(1, 400) AS i UNION ALL VALUES (1, 'won', timestamptz '2024-01-02Z'), (1, 'x{t}''[[y]]', '2024-01-03Z');
SELECT set_eq($$SELECT subject FROM activity_metrics.install_preset('generic', 'hostile', 'hostile-visits', options => 'events = visit') WHERE what = 'metric'$$, ARRAY['hostile_visits_wins', 'hostile_visits_revenue'], 'a kind among hundreds has its metric');
SELECT set_eq($$SELECT subject FROM activity_metrics.install_preset('generic', 'hostile', 'hostile+visits', options => 'events = visit') WHERE what = 'metric'$$, ARRAY['hostile_visits_2_wins', 'hostile_visits_2_revenue'], 'a schema of almost the same name has its own');
SELECT is((SELECT source_relation FROM activity_metrics.metric WHERE metric = 'hostile_visits_wins'), '"hostile-visits".events', 'and does not take that of the other');
SELECT is(pg_temp.outcome($$SELECT * FROM activity_metrics.install_preset('generic', 'hostile', 'hostile+visits', options => 'events = visit, map = ''x{t}''''[[y]]: call, stage 7: {a} [[b]]''', replace => true)$$), 'OK', 'a map of such words');
SELECT set_eq($$SELECT kind FROM "hostile+visits".events WHERE entity IN ('1', '7')$$, ARRAY['stage 1', 'won', 'call', '{a} [[b]]'], 'as they are');
SELECT is(pg_temp.outcome($$SELECT * FROM activity_metrics.install_preset('generic', 'hostile', 'hostile+visits', options => 'events = visit, kind_is = {t} [[x]], map = ''y: call''', replace => true)$$), 'OK', 'one kind, and a map');
SELECT set_eq('SELECT DISTINCT kind FROM "hostile+visits".events', ARRAY['{t} [[x]]'], 'is that kind');

-- names of all sorts: reserved words, capitals, blanks, quotes, dots, 63 bytes
DO $$
DECLARE
	source text;
BEGIN
	FOREACH source IN ARRAY ARRAY['select', 'Capital', 'two words', 'q"u''ote', 'd.o.t', 'percent %s %I', repeat('l', 63), repeat('ü', 31), 'back\slash', '$x$', '{t}', '[[x]]'] LOOP
		EXECUTE format('CREATE SCHEMA %I', source);
		EXECUTE format('CREATE TABLE %1$I.%1$I (%2$I text, %3$I text, %4$I timestamp, %5$I text, %6$I text, %7$I numeric, %8$I text)', source, 'order', 'Kind "of" it', 'at.time', repeat('a', 63), 'o''rigin', 'value {t} [[x]] %s', 'end');
		EXECUTE format('INSERT INTO %1$I.%1$I VALUES (''1'', ''call'', ''2024-01-01 10:00'', ''Ann'', ''auto'', 5, ''k1''), (''1'', ''won'', ''2024-01-02 10:00'', ''Ann'', NULL, 7, ''k2'')', source);
	END LOOP;
END;
$$;
CREATE TEMP TABLE odd_names AS SELECT n.nspname::text AS source, left(n.nspname, 27) || ' crm' AS target FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = n.nspname WHERE c.relkind = 'r' AND n.nspname <> 'year';
SELECT is(pg_temp.outcome(format('SELECT * FROM activity_metrics.install_preset(''generic'', %L, %L, options => %L)', source, target,
		format('events = ''%s'', entity = order, kind = Kind "of" it, at = at.time, actor = %s, origin = ''o''''rigin'', value = value {t} [[x]] %%s, event_id = end', replace(source, '''', ''''''), repeat('a', 63)))), 'OK', 'generic over ' || source) FROM odd_names ORDER BY source;
SELECT bag_eq(format('SELECT entity, kind, at, actor, event_id, value, origin, source FROM %I.events', target), format($$VALUES ('1', 'call', timestamptz '2024-01-01 10:00Z', 'Ann', 'k1', 5::float8, 'auto', %1$L), ('1', 'won', '2024-01-02 10:00Z', 'Ann', 'k2', 7, NULL, %1$L)$$, source), 'events of ' || source) FROM odd_names ORDER BY source;
SELECT is((SELECT array_agg(reached) FROM activity_metrics.funnel_report(format('%I.events', target)::regclass, 'call -> won')), '{1,1}'::bigint[], 'a funnel of ' || source) FROM odd_names ORDER BY source;
SELECT is((SELECT count(*) FROM activity_metrics.metric WHERE source_relation = format('%I.events', target)), 3::bigint, 'metrics of ' || source) FROM odd_names ORDER BY source;
SELECT is((SELECT count(*) FROM odd_names), 12::bigint, 'twelve of them');
-- a schema whose name would end a comment of the views
CREATE SCHEMA "x*/y{t}[[z]]";
CREATE TABLE "x*/y{t}[[z]]"."tabCRM Deal" (name text, creation timestamp, modified timestamp, status text, closed_date date);
CREATE TABLE "x*/y{t}[[z]]"."tabCRM Deal Status" (name text, type text);
CREATE TABLE "x*/y{t}[[z]]"."tabCRM Status Change Log" (name text, parent text, parenttype text, "from" text, "to" text, from_date timestamp, to_date timestamp);
CREATE TABLE "x*/y{t}[[z]]".opportunity (id uuid, stage text, "createdAt" timestamptz, "updatedAt" timestamptz, "closeDate" timestamptz, "deletedAt" timestamptz);
CREATE TABLE "x*/y{t}[[z]]"."timelineActivity" (id uuid, properties jsonb, "targetOpportunityId" uuid, "happensAt" timestamptz, "deletedAt" timestamptz);
SELECT is(pg_temp.outcome(format('SELECT * FROM activity_metrics.install_preset(%L, ''x*/y{t}[[z]]'', %L)', p, 'empty_' || p)), 'OK', p || ' over a schema with */ in its name') FROM unnest(ARRAY['frappe', 'twenty']) AS p;
-- without a row in it, the reports run
SELECT is((SELECT array_agg(reached) FROM activity_metrics.funnel_report((t || '.events')::regclass, 'created -> won')), '{0,0}'::bigint[], t || ': a funnel of nothing') FROM unnest(ARRAY['empty_frappe', 'empty_twenty']) AS t;
SELECT is((SELECT rows FROM activity_metrics.check_events((t || '.events')::regclass) WHERE rule = 'rows'), 0::bigint, t || ': no rows') FROM unnest(ARRAY['empty_frappe', 'empty_twenty']) AS t;
SELECT is(pg_temp.outcome(r), 'OK', r) FROM unnest(ARRAY['SELECT * FROM activity_metrics.leading_indicators(''empty_frappe_wins'')', 'SELECT * FROM activity_metrics.vanity_report(''empty_frappe_wins'')', 'SELECT * FROM activity_metrics.scorecard']) AS r;

SELECT * FROM finish();
ROLLBACK;
