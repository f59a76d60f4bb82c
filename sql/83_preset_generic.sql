--
-- Any other system: one table of activities, its columns named by options or guessed from their names and types.
--

INSERT INTO activity_metrics.preset_registry (preset, place, system, sources, options, funnel) VALUES
	('generic', 100, 'any other', 'one table or view of events',
	 'events (the table; needed); entity; kind; at; actor; event_id; recorded_at; status; value; quality; origin; currency (columns, see suggest_mapping()); kind_is (the kind of all rows, where no column tells it); map (''Closed Won: won, Telephone: call'', kinds by other names)',
	 'call -> meeting -> won');

CREATE FUNCTION activity_metrics.suggest_mapping(relation regclass)
RETURNS TABLE (
	event_column text,
	needed boolean,
	suggestion text,
	type text,
	others text)
LANGUAGE plpgsql STABLE ROWS 11 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	wanted record;
	taken text[] := '{}';
	found_names text[];
	found_types text[];
BEGIN
	IF relation IS NULL THEN
		RAISE EXCEPTION 'no relation is given' USING ERRCODE = '22004',
			HINT = 'Give the name of a table or view, such as ''crm.activity''.';
	END IF;
	IF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = relation AND c.relkind IN ('r', 'v', 'm', 'f', 'p')) THEN
		RAISE EXCEPTION '"%" is not a table or view', relation USING ERRCODE = '42809',
			HINT = 'Give the name of a table or view, such as ''crm.activity''.';
	END IF;
	-- N number, D time, S text or enum, I what identifies: number, text or uuid; names best first
	FOR wanted IN SELECT * FROM (VALUES
		('entity', true, 'I', 'entity entityid opportunityid opportunity dealid deal oppid leadid caseid ticketid accountid companyid customerid contactid personid parentid resid recordid objectid'),
		('kind', true, 'S', 'kind eventkind eventtype activitytype type event action activity actiontype category eventname stage stagename'),
		('at', true, 'D', 'at happenedat occurredat completedat completeddatetime doneat eventtime eventat eventdate timestamp ts datetime startedat startdatetime starttime startat startdate activitydate date time createdat createddate created createdon engagedate closedate'),
		('event_id', false, 'I', 'eventid activityid taskid callid messageid id uuid key'),
		('actor', false, 'I', 'actor actorid userid repid rep ownerid owner salesagent agentid agent assigneeid assignee assignedto assigneduserid employeeid staffid createdby createdbyid author authorid user'),
		('recorded_at', false, 'D', 'recordedat loggedat createdat createddate insertedat created createdon writedate updatedat'),
		('status', false, 'S', 'status state activitystatus eventstatus'),
		('value', false, 'N', 'value amount revenue closevalue dealvalue total price durationseconds seconds duration'),
		('quality', false, 'N', 'quality qualityscore score'),
		('origin', false, 'S', 'origin source createdvia channel'),
		('currency', false, 'S', 'currency currencycode currencyisocode amountcurrency')) AS w(name, needed, category, names)
	LOOP
		SELECT array_agg(c.name ORDER BY c.place, c.attnum), array_agg(c.type ORDER BY c.place, c.attnum) INTO found_names, found_types
		FROM (
			SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnum,
				-- a text or number can be a time, but a time is a better one
				n.place + CASE WHEN wanted.category = 'D' AND t.typcategory <> 'D' THEN 100 ELSE 0 END AS place
			FROM pg_attribute a
			JOIN unnest(string_to_array(wanted.names, ' ')) WITH ORDINALITY AS n(name, place) ON n.name = activity_metrics.folded_name(a.attname::text)
			JOIN pg_type t ON t.oid = activity_metrics.column_type(relation, a.attname::text)
			WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND a.attname::text <> ALL (taken)
			AND CASE wanted.category WHEN 'N' THEN t.typcategory IN ('N', 'S') WHEN 'S' THEN t.typcategory IN ('S', 'E')
				WHEN 'D' THEN t.typname IN ('timestamptz', 'timestamp', 'date', 'text', 'varchar', 'int8', 'float8', 'numeric') ELSE t.typcategory IN ('N', 'S', 'U') END) AS c;
		event_column := wanted.name;
		needed := wanted.needed;
		suggestion := found_names[1];
		type := found_types[1];
		others := nullif(array_to_string(found_names[2:], ', '), '');
		taken := taken || coalesce(found_names[1:1], '{}');
		RETURN NEXT;
	END LOOP;
END;
$$;
COMMENT ON FUNCTION activity_metrics.suggest_mapping(regclass) IS
'Which column of a table could be which column of events, by their names and types: one row per column of events, needed or not, the suggestion (NULL: none) with its type, and others that would do. install_preset(''generic'', ...) takes these unless its options say otherwise. Errors: NULL (22004), neither a table nor a view (42809).';

CREATE FUNCTION activity_metrics.preset_generic(options jsonb) RETURNS TABLE (part text, key text, title text, body text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	relation regclass;
	suggested record;
	columns jsonb := '{}';
	needed text;
	kind text;
	kind_column text;
	mapping text[];
	kinds text[];
	known text[] := '{call,email,email_out,email_in,meeting,demo,message,note,task,proposal,lead,created,won,lost}';
BEGIN
	IF options ->> 'events' IS NULL THEN
		RAISE EXCEPTION 'preset "generic" needs option events' USING ERRCODE = '22023',
			HINT = format('options => ''events = TABLE'' names the table of schema %s that holds the activities; activity_metrics.suggest_mapping(''TABLE'') shows which columns would be taken.', options ->> 'source_schema');
	END IF;
	relation := activity_metrics.preset_named_table(options ->> 'source_schema', options ->> 'events');
	IF relation IS NULL THEN
		-- the search for tables says so, with the nearest
		RETURN QUERY VALUES ('table', 't', 'events', 'required');
		RETURN;
	END IF;
	FOR suggested IN SELECT * FROM activity_metrics.suggest_mapping(relation) LOOP
		IF suggested.event_column = 'kind' AND options ? 'kind_is' THEN
			CONTINUE;
		END IF;
		IF options ? suggested.event_column AND (suggested.event_column <> 'currency' OR activity_metrics.column_type(relation, options ->> 'currency') IS NOT NULL) THEN
			PERFORM activity_metrics.check_column(relation, options ->> suggested.event_column, suggested.event_column);
			columns := columns || jsonb_build_object(suggested.event_column, options ->> suggested.event_column);
		ELSIF suggested.suggestion IS NOT NULL AND NOT EXISTS (
			SELECT FROM jsonb_each_text(options) AS o WHERE o.value = suggested.suggestion AND o.key IN ('entity', 'kind', 'at', 'actor', 'event_id', 'recorded_at', 'status', 'value', 'quality', 'origin'))
		THEN
			columns := columns || jsonb_build_object(suggested.event_column, suggested.suggestion);
		ELSIF suggested.needed THEN
			needed := suggested.event_column;
			RAISE EXCEPTION 'which column of "%" is %, cannot be told', relation, needed USING ERRCODE = '42703',
				DETAIL = (SELECT format('Columns are %s.', string_agg(a.attname::text, ', ' ORDER BY a.attnum)) FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped),
				HINT = format('Say it: options => ''events = %s, %s = COLUMN''%s.', options ->> 'events', needed, CASE needed WHEN 'kind' THEN '; where all rows are of one kind, kind_is = call' ELSE '' END);
		END IF;
	END LOOP;
	IF options ? 'currency' AND NOT columns ? 'currency' THEN
		RAISE EXCEPTION 'option currency is "%", but no column of "%" has the currency', options ->> 'currency', relation USING ERRCODE = '42703',
			DETAIL = (SELECT format('Columns are %s.', string_agg(a.attname::text, ', ' ORDER BY a.attnum)) FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped),
			HINT = 'Name that column: currency = COLUMN. If all amounts are in one currency, leave the option out.';
	END IF;
	-- in templates by number: a name may have any sign in it
	kind_column := columns ->> 'kind';
	SELECT jsonb_object_agg(e.key, '#' || a.attnum) INTO columns FROM jsonb_each_text(columns) AS e JOIN pg_attribute a ON a.attrelid = relation AND a.attname = e.value;
	RETURN QUERY VALUES ('table', 't', 'events', 'required; id ' || coalesce(columns ->> 'event_id', 'id'));
	kind := CASE WHEN options ? 'kind_is' THEN '{=kind_is}::text' ELSE format('{t.%s:text}', columns ->> 'kind') END;
	IF options ? 'map' THEN
		kind := format('CASE %s', kind);
		FOR mapping IN SELECT regexp_match(m, '^\s*(\S.*?)\s*:\s*([^:\s](?:[^:]*[^:\s])?)\s*$') FROM regexp_split_to_table(options ->> 'map', ',') AS m LOOP
			IF mapping IS NULL THEN
				RAISE EXCEPTION 'option map "%" cannot be read', options ->> 'map' USING ERRCODE = '22023',
					HINT = 'Write map = ''Closed Won: won, Telephone: call''.';
			END IF;
			kind := kind || activity_metrics.preset_plain(format(E'\n\t\tWHEN %L THEN %L', mapping[1], mapping[2]));
			kinds := kinds || mapping[2];
		END LOOP;
		kind := format(E'%s\n\t\tELSE %s END', kind, CASE WHEN options ? 'kind_is' THEN '{=kind_is}::text' ELSE format('{t.%s:text}', columns ->> 'kind') END);
	ELSIF NOT options ? 'kind_is' THEN
		-- metrics are defined for kinds that are there
		EXECUTE format('SELECT array_agg(DISTINCT %1$I::text) FROM %2$s WHERE %1$I::text = ANY ($1)', kind_column, activity_metrics.qualified_name(relation)) INTO kinds USING known;
	END IF;
	SELECT array_agg(k ORDER BY k) INTO kinds FROM (SELECT DISTINCT k FROM unnest(kinds) AS k WHERE k = ANY (known)) AS u;
	RETURN QUERY VALUES
		('left_out', 't', 'no time', format('{t.%s:time} IS NULL', columns ->> 'at')),
		('left_out', 't', 'before 2000', format(E'{t.%1$s:time} < timestamptz ''2000-01-01 00:00+00''\nexample: {t.%1$s:time}', columns ->> 'at')),
		('left_out', 't', 'infinite', format(E'NOT isfinite({t.%1$s:time})\nexample: {t.%1$s:time}', columns ->> 'at'));
	RETURN QUERY SELECT 'events', NULL, format('all rows%s', ', kinds such as ' || (SELECT string_agg(quote_literal(k), ', ') FROM unnest(kinds) AS k)),
		concat_ws(E'\n',
			format('entity: {t.%s:text}', columns ->> 'entity'),
			'kind: ' || kind,
			format('at: {t.%s:time}', columns ->> 'at'),
			CASE WHEN columns ? 'actor' THEN format('actor: {t.%s:text}', columns ->> 'actor') END,
			-- without a key, an event is what happened to an entity at a time
			CASE WHEN columns ? 'event_id' THEN format('event_id: {t.%s:text}', columns ->> 'event_id')
				ELSE format('event_id: {t.%s:text} || '':'' || %s || '':'' || {t.%s:text}', columns ->> 'entity', kind, columns ->> 'at') END,
			CASE WHEN columns ? 'recorded_at' THEN format('recorded_at: {t.%s:time}', columns ->> 'recorded_at') END,
			CASE WHEN columns ? 'status' THEN format('status: {t.%s:text}', columns ->> 'status') END,
			CASE WHEN columns ? 'value' THEN CASE WHEN columns ? 'currency' THEN format('value: {t:money %s %s}', columns ->> 'value', columns ->> 'currency') ELSE format('value: {t.%s:number}', columns ->> 'value') END END,
			CASE WHEN columns ? 'quality' THEN format('quality: {t.%s:number}', columns ->> 'quality') END,
			CASE WHEN columns ? 'origin' THEN format('origin: {t.%s:text}', columns ->> 'origin') END,
			CASE WHEN columns ? 'currency' THEN format('currency: {t.%s:text}', columns ->> 'currency') END,
			'source: {=events}::text',
			'FROM {t}', 'WHERE {t:kept}');
	RETURN QUERY SELECT 'entities', NULL, 'what events know of each entity', format(
		E'entity_id: s.entity\nstatus: CASE WHEN s.won_at IS NOT NULL THEN ''won'' WHEN s.lost_at IS NOT NULL THEN ''lost'' ELSE ''open'' END\ncreated_at: s.first_at\nclosed_at: coalesce(s.won_at, s.lost_at)\nis_deleted: false\n'
		'FROM (\n\tSELECT {t.%1$s:text} AS entity, min({t.%2$s:time}) AS first_at,\n\t\tmin({t.%2$s:time}) FILTER (WHERE %3$s = ''won'') AS won_at,\n\t\tmin({t.%2$s:time}) FILTER (WHERE %3$s = ''lost'') AS lost_at\n'
		'\tFROM {t}\n\tWHERE {t:kept}\n\tGROUP BY 1) AS s', columns ->> 'entity', columns ->> 'at', kind);
END;
$$;
COMMENT ON FUNCTION activity_metrics.preset_generic(jsonb) IS
'Internal: the parts of the preset for any other system; see the head of 80_presets.sql. Errors: no option events, a map that cannot be read (22023), a needed column or one of the currency that cannot be told (42703).';
