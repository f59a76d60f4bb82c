--
-- Presets: views with canonical columns over the tables of a CRM that is already there.
--
-- How a preset is written (82_preset_hubspot.sql and its neighbours are examples):
--
-- 1. A row in activity_metrics.preset_registry.
-- 2. A function activity_metrics.preset_NAME(options jsonb) RETURNS TABLE (part text, key text, title text, body text),
--    IMMUTABLE (STABLE if it looks at the source; options then have source_schema), with a comment that begins with 'Internal: '. Its rows, in this order:
--
--    part       key      title                          body
--    table      alias    spellings of its name, a | b   'required; id COLUMN; with COLUMN; without COLUMN; unless A|B'
--                                                       (all optional). id: the key of its rows, for reports. with, without:
--                                                       columns that tell this table from another of the same name. unless:
--                                                       not taken if the table of one of those aliases was found
--    left_out   alias    the rule, two or three words   a condition: rows of the table for which it is true are not in
--                                                       events; they are listed in events_left_out under this rule. A
--                                                       line 'kept: condition' says in fewer steps what rows events
--                                                       keeps (true: another rule of the table sees to it); without it,
--                                                       those for which the rule is not true. A
--                                                       last line 'example: expression' shows a value beside. A rule whose
--                                                       columns do not all exist falls away (reported)
--    events,    NULL     what the rows are, a comment   COLUMN: expression, one or more lines each, then FROM ...
--    entities,                                          (up to a colon: its name). One SELECT of the view;
--    stages                                             columns not named are NULL of the right type. Every expression must
--                                                       have exactly the type of the column (preset_columns()): else the
--                                                       planner does not push conditions down
--
-- 3. In all bodies these are replaced:
--
--    {t}               the table found for alias t, with its alias: source.task AS t
--    {t.what_id}       its column, found by name without regard to case and _ ; NULL::text if there is none (reported)
--    {t.a|b:time}      the first that exists, coalesce() of them if several do; as time, date, day_end (the last second of a
--                      day), number, bool, text or json, whatever type the column has. A text that is no time, number or
--                      bool becomes NULL and is listed in events_left_out without further ado
--    {t.a!}            the part is dropped (reported) if there is no such column; an error if the table is required
--    {t:kept}          true for the rows that no left_out rule of t names; goes into WHERE
--    {t.a:same u.b}    t.a = u.b, as texts if their types differ; for joins
--    {t:money a c}     column a in one currency, c being the column of the currency (options currency and rates)
--    {=name}           an option as a quoted text; NULL if it was not given
--    {=zone} {=days}   the zone of times without one; the zone of days
--    [[ A ]]           A, or nothing if a table, a column or an option in A does not exist
--    [[ A ]else[ B ]]  A, or else B
--
--    A CASE tests what is most frequent first, and keys by LIKE '006%': ^@ and LIKE ANY are several times as slow. Texts by
--    which a window is sorted are COLLATE "C", and COLLATE "default" again outside of it, so that the view stays of one collation.
--
--    Array literals of one word, '{word}', would be taken for a table: write ARRAY['word'].
--    A part whose tables (outside of [[ ]]) do not all exist is left out and reported.
--
-- 4. Kinds: call, email (direction unknown), email_out, email_in, meeting, demo, message, note, task, proposal, lead,
--    created, won, lost, reopened as literals 'call'::text, and labels of stages (a part that has column stage: its kind goes
--    through stage_kind()). Metrics of a fixed list are defined for kinds that stand in the view as literals. event_id: 'system:table:' || id, the same for every row of one real event.
--    status: done, planned, cancelled, no_show. origin: manual, auto, integration or NULL.
--

CREATE TABLE activity_metrics.preset_registry (
	preset text PRIMARY KEY,
	place integer NOT NULL,
	system text NOT NULL,
	sources text NOT NULL,
	options text,
	zone text NOT NULL DEFAULT 'UTC',
	funnel text NOT NULL
);
ALTER TABLE activity_metrics.preset_registry OWNER TO @extowner@;
GRANT SELECT ON activity_metrics.preset_registry TO PUBLIC;
COMMENT ON TABLE activity_metrics.preset_registry IS 'Presets that this version has; read it through preset().';
COMMENT ON COLUMN activity_metrics.preset_registry.preset IS 'Its name, as install_preset() takes it.';
COMMENT ON COLUMN activity_metrics.preset_registry.place IS 'Order in lists.';
COMMENT ON COLUMN activity_metrics.preset_registry.system IS 'The CRM.';
COMMENT ON COLUMN activity_metrics.preset_registry.sources IS 'Layouts of tables that are recognised.';
COMMENT ON COLUMN activity_metrics.preset_registry.options IS 'Options beside those that all presets take: name (what it means), separated by semicolons; NULL: none.';
COMMENT ON COLUMN activity_metrics.preset_registry.zone IS 'Zone of times without a zone, unless argument tz says otherwise.';
COMMENT ON COLUMN activity_metrics.preset_registry.funnel IS 'A funnel to begin with.';

CREATE FUNCTION activity_metrics.stage_kind(label text) RETURNS text
AS 'MODULE_PATHNAME', 'am_stage_kind' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.stage_kind(text) IS
'The label of a stage as a kind of event: the label, with stage in front of it where it is a word that means something else, such as won or call.';

--
-- Names: of presets, options, schemas, tables, columns.
--

CREATE FUNCTION activity_metrics.folded_name(name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT pg_catalog.translate(pg_catalog.lower(name), '_ ', '');
END;
COMMENT ON FUNCTION activity_metrics.folded_name(text) IS
'Internal: a name in small letters without _ and blanks: what_id, WhatId and whatid are one.';

CREATE FUNCTION activity_metrics.preset_columns(view text) RETURNS TABLE (column_name text, type text, meaning text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT c.name, c.type, c.meaning
	FROM (VALUES
		('events', 1, 'entity_type', 'text', 'What the entity is: opportunity, account, contact, lead or ticket.'),
		('events', 2, 'entity', 'text', 'Key of the deal, account, contact or lead that the event belongs to.'),
		('events', 3, 'kind', 'text', 'call, email, email_out, email_in, meeting, demo, message, note, task, created, won, lost, or the label of the stage that was entered.'),
		('events', 4, 'at', 'timestamptz', 'When it happened.'),
		('events', 5, 'actor', 'text', 'Key of the user who did it.'),
		('events', 6, 'event_id', 'text', 'Identity of the event: one that touches many entities has many rows and one event_id.'),
		('events', 7, 'recorded_at', 'timestamptz', 'When it was logged.'),
		('events', 8, 'status', 'text', 'done, planned, cancelled or no_show.'),
		('events', 9, 'value', 'double precision', 'Seconds for activities, money for won.'),
		('events', 10, 'quality', 'double precision', '0 to 1: how substantive; NULL where the system does not tell.'),
		('events', 11, 'origin', 'text', 'manual, auto or integration; NULL: not known.'),
		('events', 12, 'currency', 'text', 'Currency of value, where it is money.'),
		('events', 13, 'stage', 'text', 'Key of the stage that was entered; NULL: not a move between stages.'),
		('events', 14, 'attrs', 'jsonb', 'The rest: direction, outcome, stage_from, stage_to, pipeline.'),
		('events', 15, 'source', 'text', 'The table that the row is from.'),
		('entities', 1, 'entity_type', 'text', 'opportunity, account, contact or lead.'),
		('entities', 2, 'entity_id', 'text', 'Its key, as events.entity has it.'),
		('entities', 3, 'parent_id', 'text', 'Key of its account.'),
		('entities', 4, 'owner', 'text', 'Key of the user who owns it now.'),
		('entities', 5, 'pipeline', 'text', 'Its pipeline.'),
		('entities', 6, 'stage', 'text', 'Key of its stage now.'),
		('entities', 7, 'status', 'text', 'open, won or lost.'),
		('entities', 8, 'created_at', 'timestamptz', 'When it was created.'),
		('entities', 9, 'closed_at', 'timestamptz', 'When it was won or lost; NULL: open.'),
		('entities', 10, 'expected_close', 'date', 'When it is or was expected to close.'),
		('entities', 11, 'amount', 'double precision', 'Its worth, in currency.'),
		('entities', 12, 'currency', 'text', 'Currency of amount.'),
		('entities', 13, 'is_deleted', 'boolean', 'Deleted in the CRM; such rows are here, but not in events.'),
		('entities', 14, 'merged_into', 'text', 'Key of the entity that it was merged into.'),
		('entities', 15, 'attrs', 'jsonb', 'The rest.'),
		('stages', 1, 'pipeline', 'text', 'Key of the pipeline.'),
		('stages', 2, 'stage_key', 'text', 'Key of the stage, as events.stage has it.'),
		('stages', 3, 'label', 'text', 'What users see: the kind of events.'),
		('stages', 4, 'ordinal', 'integer', 'Place in the pipeline.'),
		('stages', 5, 'class', 'text', 'open, won or lost.'),
		('stages', 6, 'probability', 'double precision', 'Chance of winning that the CRM assumes, 0 to 1.'),
		('events_left_out', 1, 'rule', 'text', 'Why: the rule in a few words.'),
		('events_left_out', 2, 'source', 'text', 'Table, or table and column.'),
		('events_left_out', 3, 'id', 'text', 'Key of the row, empty if it has none; NULL: a remark on the whole table.'),
		('events_left_out', 4, 'example', 'text', 'The value, where a value is the reason.')) AS c(view, place, name, type, meaning)
	WHERE c.view OPERATOR(pg_catalog.=) preset_columns.view
	ORDER BY c.place;
END;
COMMENT ON FUNCTION activity_metrics.preset_columns(text) IS
'Internal: the columns of a view that presets make (events, entities, stages, events_left_out), in order, with their types.';

CREATE FUNCTION activity_metrics.find_preset(name text) RETURNS activity_metrics.preset_registry
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found_row activity_metrics.preset_registry;
	names text[];
BEGIN
	IF name IS NULL THEN
		RAISE EXCEPTION 'no preset is named' USING ERRCODE = '22004',
			HINT = 'SELECT preset, system FROM activity_metrics.preset() lists them.';
	END IF;
	SELECT r.* INTO found_row FROM activity_metrics.preset_registry r
		WHERE activity_metrics.folded_name(r.preset) = activity_metrics.folded_name(name);
	IF NOT FOUND THEN
		SELECT array_agg(r.preset ORDER BY r.place) INTO names FROM activity_metrics.preset_registry r;
		RAISE EXCEPTION 'preset "%" does not exist', name USING ERRCODE = '42704',
			DETAIL = format('Presets are %s.', array_to_string(names, ', ')),
			HINT = format('Did you mean "%s"? For any other system there is the preset "generic".', activity_metrics.nearest_name(name, names));
	END IF;
	RETURN found_row;
END;
$$;
COMMENT ON FUNCTION activity_metrics.find_preset(text) IS
'Internal: a preset by name. Errors: no such preset (42704, the nearest one in the hint), NULL (22004).';

CREATE FUNCTION activity_metrics.preset_options(options text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	rest text := btrim(coalesce(options, ''), E' \t\n\r;,');
	piece text[];
	result jsonb := '{}';
BEGIN
	WHILE rest <> '' LOOP
		piece := regexp_match(rest, '^([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(''((?:[^'']|'''')*)''|[^,;'']*?)\s*(?:[,;]\s*|$)(.*)$');
		IF piece IS NULL OR piece[2] = '' THEN
			RAISE EXCEPTION 'options cannot be read at "%"', left(rest, 40) USING ERRCODE = '22023',
				HINT = 'Write name = value, name = value; a value with a comma in single quotes, doubled within the literal.';
		END IF;
		result := result || jsonb_build_object(lower(piece[1]), coalesce(replace(piece[3], '''''', ''''), rtrim(piece[2])));
		rest := piece[4];
	END LOOP;
	RETURN result;
END;
$$;
COMMENT ON FUNCTION activity_metrics.preset_options(text) IS
'Internal: options of a preset, ''name = value, name = value'', as an object. Errors: not of this form (22023).';

CREATE FUNCTION activity_metrics.preset_column(relation regclass, spellings text) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	-- each spelling once, in their order; what is spelled exactly so goes first
	SELECT coalesce(array_agg(found.name ORDER BY found.place), '{}')
	FROM (
		SELECT DISTINCT ON (s.place) s.place, a.attname::text AS name
		FROM unnest(string_to_array(spellings, '|')) WITH ORDINALITY AS s(spelling, place)
		JOIN pg_attribute a ON CASE WHEN s.spelling ~ '^#\d+$' THEN a.attnum = substr(s.spelling, 2)::integer ELSE activity_metrics.folded_name(a.attname::text) = activity_metrics.folded_name(s.spelling) END
		WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
		ORDER BY s.place, a.attname::text = btrim(s.spelling) DESC, a.attnum) AS found
$$;
COMMENT ON FUNCTION activity_metrics.preset_column(regclass, text) IS
'Internal: the columns of a relation that have one of the spellings a | b, without regard to case and _, or one of the numbers #1 | #2, in that order.';

CREATE FUNCTION activity_metrics.preset_named_table(source_schema text, name text) RETURNS regclass
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	result regclass;
BEGIN
	result := coalesce(to_regclass(format('%I.%I', source_schema, name)),
		CASE WHEN name ~ '^".*"$' AND name !~ '"\."' THEN to_regclass(format('%I.%s', source_schema, name))
			WHEN name ~ '\.' THEN to_regclass(name) END);
	-- an index or a sequence holds no rows of a CRM
	RETURN (SELECT c.oid FROM pg_class c WHERE c.oid = result AND c.relkind IN ('r', 'v', 'm', 'f', 'p'));
EXCEPTION WHEN invalid_name OR syntax_error THEN
	RETURN NULL;
END;
$$;
COMMENT ON FUNCTION activity_metrics.preset_named_table(text, text) IS
'Internal: the table or view that an option names: of the source schema, quoted or not, or with its own schema; NULL if there is none, or if it is no name.';

CREATE FUNCTION activity_metrics.preset_table_fits(relation regclass, body text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT NOT EXISTS (
		SELECT FROM regexp_matches(body, '\m(with|without)\s+([A-Za-z0-9_|]+)', 'g') AS m
		WHERE (activity_metrics.preset_column(relation, m[2]) = '{}') = (m[1] = 'with'))
$$;
COMMENT ON FUNCTION activity_metrics.preset_table_fits(regclass, text) IS
'Internal: does a relation have the columns that a part table of a preset asks for by with, and none that it asks for by without?';

CREATE FUNCTION activity_metrics.preset_tables(parts jsonb, source_schema text, options jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	schema_oid oid;
	result jsonb := '{}';
	part record;
	spelling text;
	chosen text;
	relation regclass;
	clause text;
	word text[];
	names text[];
	nearest text;
	prefix text := coalesce(options ->> 'prefix', '');
BEGIN
	SELECT n.oid INTO schema_oid FROM pg_namespace n WHERE n.nspname = source_schema;
	IF schema_oid IS NULL THEN
		SELECT activity_metrics.nearest_name(source_schema, array_agg(n.nspname::text ORDER BY n.nspname)) INTO nearest
			FROM pg_namespace n WHERE n.nspname !~ '^pg_';
		RAISE EXCEPTION 'schema "%" does not exist', source_schema USING ERRCODE = '3F000',
			HINT = format('Did you mean "%s"? Argument source_schema is the schema that holds the tables of the CRM.', nearest);
	END IF;
	IF NOT has_schema_privilege(schema_oid, 'USAGE') THEN
		RAISE EXCEPTION 'permission denied for schema %', source_schema USING ERRCODE = '42501',
			HINT = format('Its owner may GRANT USAGE ON SCHEMA %I TO %I;', source_schema, current_user);
	END IF;
	SELECT array_agg(c.relname::text ORDER BY c.relname) INTO names
		FROM pg_class c WHERE c.relnamespace = schema_oid AND c.relkind IN ('r', 'v', 'm', 'f', 'p');
	FOR part IN SELECT p ->> 'key' AS key, p ->> 'title' AS title, coalesce(p ->> 'body', '') AS body FROM jsonb_array_elements(parts) AS p WHERE p ->> 'part' = 'table' LOOP
		relation := NULL;
		chosen := options ->> activity_metrics.folded_name(btrim(split_part(part.title, '|', 1)));
		IF chosen IS NOT NULL THEN
			-- named by the user: in the source schema, or with its own schema
			relation := activity_metrics.preset_named_table(source_schema, chosen);
			IF relation IS NULL THEN
				RAISE EXCEPTION 'relation "%" does not exist', chosen USING ERRCODE = '42P01',
					DETAIL = format('It is named by option %s.', btrim(split_part(part.title, '|', 1))),
					HINT = format('Did you mean "%s"? Name a table of schema %s, or one with its schema.', activity_metrics.nearest_name(chosen, names), source_schema);
			END IF;
			-- it may be what another alias of this name looks for
			IF NOT activity_metrics.preset_table_fits(relation, part.body) THEN
				IF NOT EXISTS (SELECT FROM jsonb_array_elements(parts) AS p WHERE p ->> 'part' = 'table' AND btrim(split_part(p ->> 'title', '|', 1)) = btrim(split_part(part.title, '|', 1))
					AND activity_metrics.preset_table_fits(relation, coalesce(p ->> 'body', '')))
				THEN
					RAISE EXCEPTION 'relation "%" is not taken for %', chosen, btrim(split_part(part.title, '|', 1)) USING ERRCODE = '42703',
						DETAIL = format('It should be %s.', (SELECT string_agg(concat_ws(' and ', VARIADIC ARRAY(SELECT m[1] || ' ' || m[2] FROM regexp_matches(p ->> 'body', '\m(with|without)\s+([A-Za-z0-9_|]+)', 'g') AS m)), ', or ')
							FROM jsonb_array_elements(parts) AS p WHERE p ->> 'part' = 'table' AND btrim(split_part(p ->> 'title', '|', 1)) = btrim(split_part(part.title, '|', 1)))),
						HINT = 'Name another relation, or make a view that has these columns.';
				END IF;
				relation := NULL;
			END IF;
		ELSE
			FOREACH spelling IN ARRAY string_to_array(part.title, '|') LOOP
				CONTINUE WHEN relation IS NOT NULL;
				FOR relation IN
					SELECT c.oid::regclass FROM pg_class c
					WHERE c.relnamespace = schema_oid AND c.relkind IN ('r', 'v', 'm', 'f', 'p')
					AND activity_metrics.folded_name(c.relname::text) = activity_metrics.folded_name(prefix || spelling)
					ORDER BY c.relname = btrim(spelling) DESC, c.relname
				LOOP
					EXIT WHEN activity_metrics.preset_table_fits(relation, part.body);
					relation := NULL;
				END LOOP;
			END LOOP;
		END IF;
		word := regexp_match(part.body, '\munless\s+([A-Za-z0-9_|]+)');
		IF word IS NOT NULL AND result ?| string_to_array(word[1], '|') THEN
			CONTINUE;
		END IF;
		IF relation IS NULL THEN
			IF part.body ~ '\mrequired\M' THEN
				SELECT c.oid::regclass INTO relation FROM unnest(string_to_array(part.title, '|')) WITH ORDINALITY AS s(spelling, place)
					JOIN pg_class c ON activity_metrics.folded_name(c.relname::text) = activity_metrics.folded_name(prefix || s.spelling)
					WHERE c.relnamespace = schema_oid AND c.relkind IN ('r', 'v', 'm', 'f', 'p') ORDER BY s.place LIMIT 1;
				IF relation IS NOT NULL THEN
					-- the table is there, but is not the one that is meant
					SELECT min(replace(m[1], '|', '" or "')) INTO clause FROM regexp_matches(part.body, '\mwith\s+([A-Za-z0-9_|]+)', 'g') AS m
						WHERE activity_metrics.preset_column(relation, m[1]) = '{}';
					RAISE EXCEPTION 'table % has no column "%"', activity_metrics.qualified_name(relation), clause USING ERRCODE = '42703',
						DETAIL = 'Columns are looked for without regard to case and _.',
						HINT = format('A view over the table can give it the name that is sought; name the view by an option: options => ''%s = VIEW''.', btrim(split_part(part.title, '|', 1)));
				END IF;
				nearest := activity_metrics.nearest_name(btrim(split_part(part.title, '|', 1)), names);
				RAISE EXCEPTION 'schema "%" has no table "%"', source_schema, btrim(split_part(part.title, '|', 1)) USING ERRCODE = '42P01',
					DETAIL = format('It was looked for as %s, without regard to case and _%s.', replace(part.title, ' |', ','),
						CASE WHEN prefix = '' THEN '' ELSE format(', after the prefix %s', prefix) END),
					HINT = CASE WHEN nearest IS NULL THEN 'There are no tables in that schema.'
						ELSE format('The nearest table is "%1$s". If it is the one, add options => ''%2$s = %1$s''; if all names have something in front, options => ''prefix = ...''.',
							nearest, btrim(split_part(part.title, '|', 1))) END;
			END IF;
			CONTINUE;
		END IF;
		IF NOT has_any_column_privilege(relation, 'SELECT') THEN
			RAISE EXCEPTION 'permission denied for table %', relation USING ERRCODE = '42501',
				DETAIL = 'The views run with the rights of the one who reads them.',
				HINT = format('Its owner may GRANT SELECT ON %s TO %I;', activity_metrics.qualified_name(relation), current_user);
		END IF;
		word := regexp_match(part.body, '\mid\s+([A-Za-z0-9_|#]+)');
		result := result || jsonb_build_object(part.key, jsonb_build_object('oid', relation::oid::bigint,
			'name', activity_metrics.qualified_name(relation),
			'table', (SELECT c.relname FROM pg_class c WHERE c.oid = relation),
			'required', part.body ~ '\mrequired\M', 'id', word[1]));
	END LOOP;
	RETURN result;
END;
$$;
COMMENT ON FUNCTION activity_metrics.preset_tables(jsonb, text, jsonb) IS
'Internal: the tables of a preset that a schema has, by their aliases. Errors: no such schema (3F000), a required table or one named by an option does not exist (42P01), no rights (42501).';

--
-- Templates
--

CREATE FUNCTION activity_metrics.preset_expression(alias text, relation regclass, column_name text, want text, zone text, days text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	-- texts of two collations can neither be compared nor be one column of a view
	c text := alias || '.' || quote_ident(column_name) || CASE WHEN EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = relation AND a.attname = column_name
		AND a.attcollation NOT IN (0, 'pg_catalog."default"'::regcollation)) THEN ' COLLATE "default"' ELSE '' END;
	type regtype := activity_metrics.column_type(relation, column_name);
	category text := (SELECT t.typcategory FROM pg_type t WHERE t.oid = type);
	texts boolean := category IN ('S', 'E');
	t text := CASE WHEN c ~ ' COLLATE "default"$' THEN format('(%s)%s', c, CASE WHEN type = 'text'::regtype THEN '' ELSE '::text' END) WHEN type = 'text'::regtype THEN c ELSE c || '::text' END;
	result text;
BEGIN
	CASE want
		WHEN 'text' THEN
			result := CASE WHEN category = 'U' AND type IN ('jsonb'::regtype, 'json'::regtype) THEN format('(%s #>> ''{}'')', c) ELSE t END;
		WHEN 'time' THEN
			result := CASE WHEN type = 'timestamptz'::regtype THEN c
				WHEN type = 'timestamp'::regtype THEN format('(%s AT TIME ZONE %L)', c, zone)
				WHEN type = 'date'::regtype THEN format('(%s::timestamp AT TIME ZONE %L)', c, days)
				WHEN category = 'N' THEN format('activity_metrics.epoch_to_time(%s%s)', c, CASE WHEN type = 'double precision'::regtype THEN '' ELSE '::double precision' END)
				WHEN texts THEN format('activity_metrics.text_to_time(%s, %L)', t, zone) END;
		WHEN 'date' THEN
			result := CASE WHEN type = 'date'::regtype THEN c
				WHEN type = 'timestamp'::regtype THEN c || '::date'
				WHEN type = 'timestamptz'::regtype THEN format('(%s AT TIME ZONE %L)::date', c, days)
				WHEN texts THEN format('(activity_metrics.text_to_time(%s, ''UTC'') AT TIME ZONE ''UTC'')::date', t) END;
		WHEN 'day_end' THEN
			result := activity_metrics.preset_expression(alias, relation, column_name, 'date', zone, days);
			result := CASE WHEN result IS NOT NULL THEN format('((%s + 1)::timestamp AT TIME ZONE %L - interval ''1 second'')', result, days) END;
		WHEN 'number' THEN
			result := CASE WHEN type = 'double precision'::regtype THEN c
				WHEN type = 'money'::regtype THEN c || '::numeric::double precision'
				WHEN category = 'N' THEN c || '::double precision'
				WHEN texts THEN format('activity_metrics.text_to_number(%s)', t) END;
		WHEN 'bool' THEN
			result := CASE WHEN category = 'B' THEN c
				WHEN category = 'N' THEN format('(%s <> 0)', c)
				WHEN texts THEN format('activity_metrics.text_to_bool(%s)', t) END;
		WHEN 'json' THEN
			result := CASE WHEN type = 'jsonb'::regtype THEN c
				WHEN type = 'json'::regtype THEN c || '::jsonb'
				WHEN texts THEN format('activity_metrics.text_to_json(%s)', t) END;
		ELSE
			result := CASE WHEN c ~ ' COLLATE "default"$' THEN format('(%s)', c) ELSE c END;
	END CASE;
	IF result IS NULL AND column_name IS NOT NULL THEN
		RAISE EXCEPTION 'column "%" of "%" is of type %, which is not taken as %', column_name, relation, type, want USING ERRCODE = '42804',
			HINT = 'Make a view that casts it, and name the view by an option: options => ''TABLE = VIEW''.';
	END IF;
	RETURN result;
END;
$$;
COMMENT ON FUNCTION activity_metrics.preset_expression(text, regclass, text, text, text, text) IS
'Internal: a column as time, date, day_end, number, bool, text or json, whatever type it has; as it is if want is NULL or empty. zone: of times without one; days: of days. Errors: a type that cannot be taken so (42804).';

CREATE FUNCTION activity_metrics.preset_join(tables jsonb, alias text, spellings text, other text, other_spellings text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	relation regclass := (tables -> alias ->> 'oid')::oid;
	other_relation regclass := (tables -> other ->> 'oid')::oid;
	a text := (activity_metrics.preset_column(relation, spellings))[1];
	b text := (activity_metrics.preset_column(other_relation, other_spellings))[1];
	want text := CASE WHEN activity_metrics.column_type(relation, a) = activity_metrics.column_type(other_relation, b) THEN '' ELSE 'text' END;
BEGIN
	RETURN coalesce(activity_metrics.preset_expression(alias, relation, a, want, 'UTC', 'UTC') || ' = '
		|| activity_metrics.preset_expression(other, other_relation, b, want, 'UTC', 'UTC'), 'false');
END;
$$;
COMMENT ON FUNCTION activity_metrics.preset_join(jsonb, text, text, text, text) IS
'Internal: the condition that a column of one table of a preset is equal to one of another, as texts if their types differ; false if there is no such column.';

CREATE FUNCTION activity_metrics.preset_kept(left_out jsonb, alias text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(string_agg(format('%s /* not: %s */', coalesce(l ->> 'kept', format('(%s) IS NOT TRUE', l ->> 'body')), l ->> 'title'), E'\n\tAND ' ORDER BY place), 'true')
	FROM jsonb_array_elements(left_out) WITH ORDINALITY AS e(l, place) WHERE l ->> 'key' = alias
$$;
COMMENT ON FUNCTION activity_metrics.preset_kept(jsonb, text) IS
'Internal: the condition that no rule of left_out holds for a row of the table with this alias.';

CREATE FUNCTION activity_metrics.preset_money(alias text, amount text, currency text, relation regclass, options jsonb, kept text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	a text := (activity_metrics.preset_column(relation, amount))[1];
	c text := (activity_metrics.preset_column(relation, currency))[1];
	expression text;
	currencies text[];
	only_one text := options ->> 'currency';
BEGIN
	IF a IS NULL THEN
		RETURN 'NULL::double precision';
	END IF;
	expression := activity_metrics.preset_expression(alias, relation, a, 'number', 'UTC', 'UTC');
	IF c IS NULL THEN
		RETURN expression;
	END IF;
	c := format('nullif(%s, '''')', activity_metrics.preset_expression(alias, relation, c, 'text', 'UTC', 'UTC'));
	IF options ? 'rates' THEN
		RETURN format('%s * (SELECT r.rate::double precision FROM %s AS r WHERE r.currency = %s)', expression, activity_metrics.qualified_name((options ->> 'rates')::regclass), c);
	END IF;
	IF only_one IS NULL THEN
		EXECUTE format('SELECT array_agg(c ORDER BY n DESC, c) FROM (SELECT %s AS c, count(*) AS n FROM %s AS %s WHERE (%s) AND %s IS NOT NULL GROUP BY 1) AS s WHERE c IS NOT NULL',
			c, activity_metrics.qualified_name(relation), alias, kept, expression) INTO currencies;
		IF currencies IS NULL THEN
			RETURN expression;
		ELSIF cardinality(currencies) > 1 THEN
			-- they are data: nothing in them may end the comment
			RETURN format('NULL::double precision /* amounts are in %s: give option currency or rates */', regexp_replace(left(array_to_string(currencies[1:5], ', '), 100), '[^[:alnum:], .-]', '?', 'g'));
		END IF;
		only_one := currencies[1];
	END IF;
	RETURN format('CASE WHEN coalesce(%1$s, %2$L) = %2$L THEN %3$s END', c, only_one, expression);
END;
$$;
COMMENT ON FUNCTION activity_metrics.preset_money(text, text, text, regclass, jsonb, text) IS
'Internal: an amount in one currency: by the rates or the currency that the options name, or the only currency of the rows for which kept is true; NULL where there are several and no rates.';

CREATE FUNCTION activity_metrics.preset_plain(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT translate(value, '{[', E'\x01\x02')
$$;
COMMENT ON FUNCTION activity_metrics.preset_plain(text) IS
'Internal: a text that goes into a template of a preset as it is, though it may have { or [ in it; preset_render() writes these back.';

CREATE FUNCTION activity_metrics.preset_render(template text, tables jsonb, left_out jsonb, options jsonb, INOUT notes jsonb, OUT rendered text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	zone text := options ->> 'zone';
	days text := options ->> 'days';
	block text[];
	token text[];
	first_half text;
	alias text;
	found_table jsonb;
	relation regclass;
	columns text[];
	replacement text;
	whole text;
BEGIN
	rendered := template;
	-- blocks first: what is in them may be missing
	LOOP
		block := regexp_match(rendered, '\[\[(?!\[)((?:(?!\[\[|\]\]).)*)\]\]');
		EXIT WHEN block IS NULL;
		first_half := split_part(block[1], ']else[', 1);
		IF EXISTS (
			SELECT FROM regexp_matches(first_half, '\{(=?[a-z][a-z0-9_]*)(?:\.([^{}:!]+))?(?::[^{}]*)?!?\}', 'g') AS m
			WHERE CASE WHEN left(m[1], 1) = '=' THEN NOT options ? substr(m[1], 2)
				ELSE NOT tables ? m[1] OR (m[2] IS NOT NULL AND activity_metrics.preset_column((tables -> m[1] ->> 'oid')::oid, m[2]) = '{}') END)
		THEN
			replacement := substr(block[1], length(first_half) + length(']else[') + 1);
		ELSE
			replacement := first_half;
		END IF;
		rendered := overlay(rendered PLACING replacement FROM strpos(rendered, '[[' || block[1] || ']]') FOR length(block[1]) + 4);
	END LOOP;
	-- a comment that only says what a block needs
	rendered := regexp_replace(rendered, ' ?/\* \{[^{}]*\} \*/', '', 'g');
	LOOP
		-- alias, columns, type, !
		token := regexp_match(rendered, '(\{(=?[a-z][a-z0-9_]*)(?:\.([^{}:!]+))?(?::([a-z_]+)((?: [^{}: ]+)*))?(!?)\})');
		EXIT WHEN token IS NULL OR rendered IS NULL;
		whole := token[1];
		alias := token[2];
		IF left(alias, 1) = '=' THEN
			replacement := coalesce(quote_literal(options ->> substr(alias, 2)), 'NULL');
		ELSE
			found_table := tables -> alias;
			IF found_table IS NULL AND token[3] IS NULL THEN
				notes := notes || jsonb_build_object('what', 'table', 'key', alias);
				rendered := NULL;
				RETURN;
			END IF;
			relation := (found_table ->> 'oid')::oid;
			IF token[4] = 'kept' THEN
				replacement := activity_metrics.preset_kept(left_out, alias);
			ELSIF token[4] = 'money' THEN
				replacement := activity_metrics.preset_money(alias, split_part(token[5], ' ', 2), split_part(token[5], ' ', 3), relation, options, activity_metrics.preset_kept(left_out, alias));
				notes := notes || jsonb_build_object('what', 'money', 'key', alias, 'amount', split_part(token[5], ' ', 2), 'currency', split_part(token[5], ' ', 3));
				-- an amount that is no number is told like any other value
				SELECT notes || coalesce(jsonb_agg(jsonb_build_object('what', 'cast', 'key', alias, 'column', c, 'as', 'number')), '[]') INTO notes
					FROM (SELECT (activity_metrics.preset_column(relation, split_part(token[5], ' ', 2)))[1] AS c) AS u
					WHERE activity_metrics.preset_expression(alias, relation, c, 'number', zone, days) ~ 'activity_metrics\.text_to';
			ELSIF token[4] = 'same' THEN
				replacement := activity_metrics.preset_join(tables, alias, token[3], split_part(btrim(token[5]), '.', 1), split_part(btrim(token[5]), '.', 2));
			ELSIF token[3] IS NULL THEN
				replacement := (found_table ->> 'name') || ' AS ' || alias;
			ELSE
				columns := CASE WHEN relation IS NULL THEN '{}' ELSE activity_metrics.preset_column(relation, token[3]) END;
				IF columns = '{}' THEN
					IF relation IS NOT NULL AND token[6] = '!' AND (found_table ->> 'required')::boolean THEN
						RAISE EXCEPTION 'table % has no column "%"', found_table ->> 'name', replace(token[3], '|', '" or "') USING ERRCODE = '42703',
							DETAIL = 'Columns are looked for without regard to case and _.',
							HINT = format('The nearest column is "%s". A view over the table can give it the name that is sought; name the view by an option.',
								(SELECT activity_metrics.nearest_name(split_part(token[3], '|', 1), array_agg(a.attname::text ORDER BY a.attnum))
								 FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped));
					END IF;
					IF relation IS NOT NULL OR token[6] = '!' THEN
						notes := notes || jsonb_build_object('what', CASE WHEN relation IS NULL THEN 'table' ELSE 'column' END, 'key', alias, 'column', token[3]);
					END IF;
					IF token[6] = '!' THEN
						rendered := NULL;
						RETURN;
					END IF;
					replacement := 'NULL::' || CASE token[4] WHEN 'time' THEN 'timestamptz' WHEN 'day_end' THEN 'timestamptz' WHEN 'date' THEN 'date'
						WHEN 'number' THEN 'double precision' WHEN 'bool' THEN 'boolean' WHEN 'json' THEN 'jsonb' ELSE 'text' END;
				ELSE
					SELECT string_agg(activity_metrics.preset_expression(alias, relation, c, token[4], zone, days), ', ' ORDER BY place) INTO replacement
						FROM unnest(columns) WITH ORDINALITY AS u(c, place);
					IF cardinality(columns) > 1 THEN
						replacement := 'coalesce(' || replacement || ')';
					END IF;
					SELECT notes || coalesce(jsonb_agg(jsonb_build_object('what', 'cast', 'key', alias, 'column', c, 'as', token[4])), '[]') INTO notes
						FROM unnest(columns) AS u(c)
						WHERE activity_metrics.preset_expression(alias, relation, c, token[4], zone, days) ~ 'activity_metrics\.(text_to|epoch_to)';
				END IF;
			END IF;
		END IF;
		rendered := replace(rendered, whole, activity_metrics.preset_plain(replacement));
	END LOOP;
	rendered := translate(rendered, E'\x01\x02', '{[');
END;
$$;
COMMENT ON FUNCTION activity_metrics.preset_render(text, jsonb, jsonb, jsonb, jsonb) IS
'Internal: a template of a preset with the names of the tables found; NULL if a table or column that it cannot do without is missing. notes gathers tables and columns that are missing and columns that are cast.';

CREATE FUNCTION activity_metrics.preset_select(view text, title text, body text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	line text;
	named text[];
	current_column text;
	expressions jsonb := '{}';
	tail text := '';
	in_tail boolean := false;
	columns text;
BEGIN
	FOREACH line IN ARRAY string_to_array(body, E'\n') LOOP
		named := regexp_match(line, '^\s*([a-z_]+):\s+(.*)$');
		IF in_tail OR line ~ '^\s*FROM\s' THEN
			in_tail := true;
			CONTINUE WHEN line ~ '^\s*$';
			tail := tail || E'\n' || rtrim(line);
		ELSIF named IS NOT NULL AND EXISTS (SELECT FROM activity_metrics.preset_columns(view) AS c WHERE c.column_name = named[1]) THEN
			current_column := named[1];
			expressions := expressions || jsonb_build_object(current_column, named[2]);
		ELSIF current_column IS NOT NULL AND line !~ '^\s*$' THEN
			expressions := expressions || jsonb_build_object(current_column, (expressions ->> current_column) || E'\n' || rtrim(line));
		END IF;
	END LOOP;
	IF view = 'events' AND expressions ? 'stage' THEN
		expressions := expressions || jsonb_build_object('kind', format('activity_metrics.stage_kind(%s)', expressions ->> 'kind'));
	END IF;
	SELECT string_agg(E'\t' || coalesce(expressions ->> c.column_name, 'NULL::' || c.type) || ' AS ' || c.column_name, E',\n') INTO columns
		FROM activity_metrics.preset_columns(view) AS c;
	RETURN format(E'-- %s\nSELECT\n%s%s', title, columns, tail);
END;
$$;
COMMENT ON FUNCTION activity_metrics.preset_select(text, text, text) IS
'Internal: one SELECT of a view of a preset from lines COLUMN: expression, then FROM ...; columns not named are NULL.';

--
-- From the parts of a preset to statements
--

CREATE FUNCTION activity_metrics.preset_settings(preset activity_metrics.preset_registry, parts jsonb, source_schema text, tz text, options text) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	result jsonb := activity_metrics.preset_options(options);
	known text[];
	wrong text;
	zone text := coalesce(tz, preset.zone);
BEGIN
	known := array(SELECT min(btrim(split_part(p ->> 'title', '|', 1))) FROM jsonb_array_elements(parts) WITH ORDINALITY AS e(p, place)
			WHERE p ->> 'part' = 'table' GROUP BY btrim(split_part(p ->> 'title', '|', 1)) ORDER BY min(place))
		|| array(SELECT m[1] FROM regexp_matches(coalesce(preset.options, ''), '(?:^|;)\s*([a-z_]+)', 'g') AS m)
		|| ARRAY['prefix', 'days', 'currency', 'rates'];
	SELECT k INTO wrong FROM jsonb_object_keys(result) AS k
		WHERE activity_metrics.folded_name(k) <> ALL (SELECT activity_metrics.folded_name(u) FROM unnest(known) AS u) LIMIT 1;
	IF wrong IS NOT NULL THEN
		RAISE EXCEPTION 'preset "%" has no option "%"', preset.preset, wrong USING ERRCODE = '22023',
			DETAIL = format('Options are %s; those that are names of tables say where to find them.', array_to_string(known, ', ')),
			HINT = format('Did you mean "%s"?', activity_metrics.nearest_name(wrong, known));
	END IF;
	-- an unknown zone is said here, not where a time first needs it
	PERFORM timezone(zone, timestamp '2000-01-01'), timezone(result ->> 'days', timestamp '2000-01-01');
	IF result ? 'rates' THEN
		IF activity_metrics.preset_named_table(source_schema, result ->> 'rates') IS NULL THEN
			RAISE EXCEPTION 'relation "%" does not exist', result ->> 'rates' USING ERRCODE = '42P01',
				DETAIL = 'It is named by option rates.',
				HINT = 'Option rates names a table, with its schema, that has columns currency and rate: what one unit is worth in your own currency.';
		END IF;
		result := result || jsonb_build_object('rates', activity_metrics.qualified_name(activity_metrics.preset_named_table(source_schema, result ->> 'rates')));
		FOREACH wrong IN ARRAY ARRAY['currency', 'rate'] LOOP
			IF activity_metrics.column_type((result ->> 'rates')::regclass, wrong) IS NULL THEN
				RAISE EXCEPTION 'relation "%" has no column "%"', (result ->> 'rates')::regclass, wrong USING ERRCODE = '42703',
					HINT = 'Option rates names a table with columns currency and rate: what one unit is worth in your own currency. A view can give columns these names.';
			END IF;
		END LOOP;
		PERFORM activity_metrics.number_column((result ->> 'rates')::regclass, 'rate', 'rates');
	END IF;
	-- options that name tables are found under any spelling
	SELECT result || coalesce(jsonb_object_agg(activity_metrics.folded_name(e.key), e.value), '{}') INTO result FROM jsonb_each_text(result) AS e;
	RETURN result || jsonb_build_object('zone', zone, 'days', coalesce(result ->> 'days', zone));
END;
$$;
COMMENT ON FUNCTION activity_metrics.preset_settings(activity_metrics.preset_registry, jsonb, text, text, text) IS
'Internal: the options of a preset as an object, with zone (of times without one) and days (zone of days). Errors: no such option, unknown zone (22023), rates that do not exist (42P01).';

CREATE FUNCTION activity_metrics.preset_views(preset activity_metrics.preset_registry, source_schema text, tz text, options text)
RETURNS TABLE (view text, body text, settings jsonb, remarks jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	parts jsonb;
	tables jsonb;
	left_out jsonb := '[]';
	notes jsonb := '[]';
	part record;
	rule record;
	example text;
	kept text;
	rendered text;
	v text;
	selects text[];
	id text;
	c text;
	alias text;
	relation regclass;
BEGIN
	settings := activity_metrics.preset_options(options) || jsonb_build_object('source_schema', source_schema);
	EXECUTE format('SELECT jsonb_agg(to_jsonb(p)) FROM activity_metrics.%I($1) AS p', 'preset_' || preset.preset) INTO parts USING settings;
	settings := activity_metrics.preset_settings(preset, parts, source_schema, tz, options);
	tables := activity_metrics.preset_tables(parts, source_schema, settings);

	-- rules that cannot be applied, because a column is not there, fall away
	FOR part IN SELECT p ->> 'key' AS key, p ->> 'title' AS title, p ->> 'body' AS body FROM jsonb_array_elements(parts) AS p WHERE p ->> 'part' = 'left_out' LOOP
		CONTINUE WHEN NOT tables ? part.key;
		SELECT r.rendered, r.notes INTO rendered, notes FROM activity_metrics.preset_render('[[' || split_part(split_part(part.body, E'\nexample:', 1), E'\nkept:', 1) || ']]', tables, '[]', settings, notes) AS r;
		IF btrim(rendered, E' \t\n') = '' THEN
			notes := notes || jsonb_build_object('what', 'rule', 'key', part.key, 'column', part.title);
			CONTINUE;
		END IF;
		SELECT r.rendered, r.notes INTO example, notes FROM activity_metrics.preset_render(split_part(part.body, E'\nexample:', 2), tables, '[]', settings, notes) AS r;
		SELECT r.rendered, r.notes INTO kept, notes FROM activity_metrics.preset_render(split_part(split_part(part.body, E'\nexample:', 1), E'\nkept:', 2), tables, '[]', settings, notes) AS r;
		left_out := left_out || jsonb_build_object('key', part.key, 'title', part.title, 'body', btrim(rendered, E' \t\n'),
			'example', nullif(btrim(example, E' \t\n'), ''), 'kept', nullif(btrim(kept, E' \t\n'), ''));
	END LOOP;

	FOREACH v IN ARRAY ARRAY['events', 'entities', 'stages'] LOOP
		selects := '{}';
		FOR part IN SELECT p ->> 'title' AS title, p ->> 'body' AS body FROM jsonb_array_elements(parts) AS p WHERE p ->> 'part' = v LOOP
			SELECT r.rendered, r.notes INTO rendered, notes FROM activity_metrics.preset_render(part.body, tables, left_out, settings, notes) AS r;
			IF rendered IS NULL THEN
				-- the last note tells which table or column it lacks
				notes := notes || jsonb_build_object('what', 'part', 'key', v, 'column', split_part(part.title, ':', 1), 'table', notes -> -1 ->> 'key',
					'lacks', CASE notes -> -1 ->> 'what' WHEN 'column' THEN notes -> -1 ->> 'column' ELSE (SELECT btrim(split_part(p ->> 'title', '|', 1)) || coalesce(' with ' || (SELECT string_agg(m[1], ' and ') FROM regexp_matches(p ->> 'body', '\mwith\s+([A-Za-z0-9_|]+)', 'g') AS m), '')
							FROM jsonb_array_elements(parts) AS p WHERE p ->> 'part' = 'table' AND p ->> 'key' = notes -> -1 ->> 'key') END);
			ELSE
				selects := selects || activity_metrics.preset_select(v, part.title, rendered);
			END IF;
		END LOOP;
		view := v;
		body := coalesce(nullif(array_to_string(selects, E'\nUNION ALL\n'), ''),
			activity_metrics.preset_select(v, 'nothing found for this view', 'FROM (VALUES (true)) AS nothing' || E'\nWHERE false'));
		RETURN NEXT;
	END LOOP;

	-- what is left out: rows by rule, first rule that holds; values that could not be read; money without a rate; what was not found
	selects := '{}';
	FOR alias IN SELECT k FROM jsonb_object_keys(tables) AS k ORDER BY tables -> k ->> 'table', k LOOP
		relation := (tables -> alias ->> 'oid')::oid;
		id := coalesce((SELECT activity_metrics.preset_expression(alias, relation, u.name, 'text', 'UTC', 'UTC')
			FROM unnest(activity_metrics.preset_column(relation, tables -> alias ->> 'id')) AS u(name) LIMIT 1), '''''::text');
		SELECT string_agg(format(E'\n\t\tWHEN %s THEN %L', l ->> 'body', l ->> 'title'), '' ORDER BY place) AS rules,
			string_agg(format(E'\n\t\tWHEN %s THEN (%s)::text', l ->> 'body', coalesce(l ->> 'example', 'NULL')), '' ORDER BY place) AS examples,
			string_agg(format('(%s)', l ->> 'body'), E'\n\tOR ' ORDER BY place) AS condition
			INTO rule
			FROM jsonb_array_elements(left_out) WITH ORDINALITY AS e(l, place) WHERE l ->> 'key' = alias;
		IF rule.rules IS NOT NULL THEN
			selects := selects || activity_metrics.preset_select('events_left_out', format('rows of %s that events leaves out, by the first rule that holds', tables -> alias ->> 'table'),
				format(E'rule: CASE%s END\nsource: %L::text\nid: %s\nexample: CASE%s END\nFROM %s AS %s\nWHERE %s',
					rule.rules, tables -> alias ->> 'table', id, rule.examples, tables -> alias ->> 'name', alias, rule.condition));
		END IF;
		FOR rule IN
			SELECT DISTINCT n ->> 'column' AS name, n ->> 'as' AS want FROM jsonb_array_elements(notes) AS n
			WHERE n ->> 'what' = 'cast' AND n ->> 'key' = alias ORDER BY 1, 2
		LOOP
			c := activity_metrics.preset_expression(alias, relation, rule.name, 'text', 'UTC', 'UTC');
			selects := selects || activity_metrics.preset_select('events_left_out', format('values of %s.%s that cannot be read', tables -> alias ->> 'table', rule.name),
				format(E'rule: %L::text\nsource: %L::text\nid: %s\nexample: %s\nFROM %s AS %s\nWHERE %s ~ ''\\S'' AND %s IS NULL',
					format('not a %s: NULL', CASE rule.want WHEN 'day_end' THEN 'date' WHEN 'bool' THEN 'boolean' ELSE rule.want END),
					(tables -> alias ->> 'table') || '.' || rule.name, id, c, tables -> alias ->> 'name', alias, c,
					activity_metrics.preset_expression(alias, relation, rule.name, rule.want, settings ->> 'zone', settings ->> 'days')));
		END LOOP;
		FOR rule IN
			SELECT DISTINCT n ->> 'amount' AS amount, n ->> 'currency' AS currency FROM jsonb_array_elements(notes) AS n
			WHERE n ->> 'what' = 'money' AND n ->> 'key' = alias
		LOOP
			c := activity_metrics.preset_money(alias, rule.amount, rule.currency, relation, settings, activity_metrics.preset_kept(left_out, alias));
			CONTINUE WHEN cardinality(activity_metrics.preset_column(relation, rule.amount)) = 0 OR cardinality(activity_metrics.preset_column(relation, rule.currency)) = 0;
			selects := selects || activity_metrics.preset_select('events_left_out', 'amounts that are not in the one currency, and have no rate',
				format(E'rule: ''amount without a rate: NULL''::text\nsource: %L::text\nid: %s\nexample: %s\nFROM %s AS %s\nWHERE %s\n\tAND %s IS NOT NULL AND (%s) IS NULL',
					tables -> alias ->> 'table', id,
					activity_metrics.preset_expression(alias, relation, (activity_metrics.preset_column(relation, rule.currency))[1], 'text', 'UTC', 'UTC'),
					tables -> alias ->> 'name', alias, activity_metrics.preset_kept(left_out, alias),
					activity_metrics.preset_expression(alias, relation, (activity_metrics.preset_column(relation, rule.amount))[1], 'number', 'UTC', 'UTC'), c));
		END LOOP;
	END LOOP;
	-- a table is not missed if another that stands in for it was found
	SELECT coalesce(jsonb_agg(n), '[]') INTO notes FROM jsonb_array_elements(notes) AS n
		WHERE n ->> 'what' <> 'part' OR NOT EXISTS (
			SELECT FROM jsonb_array_elements(parts) AS p, LATERAL (SELECT string_to_array(substring(p ->> 'body' FROM '\munless\s+([A-Za-z0-9_|]+)'), '|')) AS u(others)
			WHERE p ->> 'part' = 'table' AND ((p ->> 'key' = n ->> 'table' AND tables ?| u.others) OR (tables ? (p ->> 'key') AND n ->> 'table' = ANY (u.others))));
	SELECT jsonb_agg(DISTINCT jsonb_build_object('rule', CASE n ->> 'what' WHEN 'column' THEN 'no such column: NULL' WHEN 'part' THEN 'not found: left out' WHEN 'rule' THEN 'rule not applied: no such column' END,
			'source', CASE n ->> 'what' WHEN 'part' THEN concat(n ->> 'key', ': ', n ->> 'column', ' (no ' || replace(n ->> 'lacks', '|', ' or ') || ')')
				ELSE (tables -> (n ->> 'key') ->> 'table') || CASE n ->> 'what' WHEN 'column' THEN '.' ELSE ': ' END || replace(n ->> 'column', '|', ' or ') END))
		INTO remarks FROM jsonb_array_elements(notes) AS n WHERE n ->> 'what' IN ('column', 'part', 'rule');
	IF remarks IS NOT NULL THEN
		selects := selects || activity_metrics.preset_select('events_left_out', 'what the source does not have',
			format(E'rule: r.rule\nsource: r.source\nFROM (VALUES\n\t%s) AS r(rule, source)',
				(SELECT string_agg(format('(%L, %L)', r ->> 'rule', r ->> 'source'), E',\n\t' ORDER BY r ->> 'rule', r ->> 'source') FROM jsonb_array_elements(remarks) AS r)));
	END IF;
	view := 'events_left_out';
	body := coalesce(nullif(array_to_string(selects, E'\nUNION ALL\n'), ''),
		activity_metrics.preset_select(view, 'nothing', 'FROM (VALUES (true)) AS nothing' || E'\nWHERE false'));
	RETURN NEXT;
END;
$$;
COMMENT ON FUNCTION activity_metrics.preset_views(activity_metrics.preset_registry, text, text, text) IS
'Internal: the SELECTs of the views of a preset over a schema (events, entities, stages, events_left_out), its options and, in the last row, remarks on what was not found.';
