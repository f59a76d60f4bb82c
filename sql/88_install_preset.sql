--
-- Presets as users call them: what is there, what it would do, and do it.
--

CREATE FUNCTION activity_metrics.preset_metric_name(metric text, target_schema text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	front text := btrim(left(regexp_replace(lower(target_schema), '[^a-z0-9]+', '_', 'g'), 40), '_');
	result text := metric;
	n integer := 1;
BEGIN
	IF front !~ '^[a-z]' THEN
		front := rtrim('crm_' || front, '_');
	END IF;
	-- another relation's metric keeps its name, as long as that relation exists
	WHILE EXISTS (SELECT FROM activity_metrics.metric m WHERE m.metric = result
		AND (m.source_relation IS NULL OR (m.source_relation <> format('%I.events', target_schema)
			AND EXISTS (SELECT FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace WHERE format('%I.%I', s.nspname, c.relname) = m.source_relation))))
	LOOP
		-- schemas that differ in other signs only are numbered
		result := concat_ws('_', front, nullif(n, 1), metric);
		n := n + 1;
	END LOOP;
	RETURN result;
END;
$$;
COMMENT ON FUNCTION activity_metrics.preset_metric_name(text, text) IS
'Internal: the name of a metric of a preset: with the target schema in front, and a number if need be, where a metric of that name is over another relation.';

CREATE FUNCTION activity_metrics.preset_metrics(events text, target_schema text, zone text)
RETURNS TABLE (metric text, name text, statement text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT d.metric, n.name,
		format('SELECT activity_metrics.define_metric(%L, %L, %L, agg => %L%s%s%s, label => %L, description => %L%s%s);',
			n.name, format('%I.events', target_schema), d.kinds, d.agg,
			CASE WHEN d.value IS NULL THEN '' ELSE format(', value => %L', d.value) END,
			CASE d.kind WHEN 'outcome' THEN ', kind => ''outcome''' ELSE '' END,
			CASE d.metric WHEN 'losses' THEN ', direction => ''down''' ELSE '' END, d.label,
			format(CASE d.agg WHEN 'sum' THEN 'Value of events of kind %s that were done, added up.' ELSE 'Events of kind %s that were done, each counted once.' END, replace(d.kinds, ' | ', ' or ')),
			CASE zone WHEN 'UTC' THEN '' ELSE format(', tz => %L', zone) END,
			CASE WHEN d.kind = 'surface' AND has_wins THEN format(', outcome_metric => %L', n.wins)
				-- the one that leads the scorecard, and that assess() holds the others against, unless there is one
				WHEN d.metric = 'wins' AND NOT EXISTS (SELECT FROM activity_metrics.metric m WHERE m.is_north_star AND m.status = 'active' AND m.scope = 'company')
					THEN ', north_star => true' ELSE '' END)
	FROM (VALUES
		(1, 'calls', 'call', 'count_distinct', 'event_id', 'surface', 'calls'),
		(2, 'emails', 'email | email_out', 'count_distinct', 'event_id', 'surface', 'emails'),
		(3, 'replies', 'email_in', 'count_distinct', 'event_id', 'surface', 'emails received'),
		(4, 'meetings', 'meeting', 'count_distinct', 'event_id', 'surface', 'meetings'),
		(5, 'demos', 'demo', 'count_distinct', 'event_id', 'surface', 'demos'),
		(6, 'messages', 'message', 'count_distinct', 'event_id', 'surface', 'messages'),
		(7, 'notes', 'note', 'count_distinct', 'event_id', 'surface', 'notes'),
		(8, 'tasks', 'task', 'count_distinct', 'event_id', 'surface', 'tasks'),
		(9, 'proposals', 'proposal', 'count_distinct', 'event_id', 'surface', 'proposals'),
		(10, 'leads', 'lead', 'count_distinct', 'event_id', 'surface', 'leads'),
		(10, 'opportunities', 'created', 'count_distinct', 'event_id', 'surface', 'opportunities'),
		(11, 'wins', 'won', 'count_distinct', 'event_id', 'outcome', 'wins'),
		(12, 'losses', 'lost', 'count_distinct', 'event_id', 'outcome', 'losses'),
		(13, 'revenue', 'won', 'sum', 'value', 'outcome', 'revenue')) AS d(place, metric, kinds, agg, value, kind, label),
	LATERAL (SELECT strpos(events, quote_literal('won')) > 0) AS w(has_wins),
	LATERAL (SELECT activity_metrics.preset_metric_name(d.metric, target_schema), activity_metrics.preset_metric_name('wins', target_schema)) AS n(name, wins)
	WHERE EXISTS (SELECT FROM unnest(string_to_array(d.kinds, ' | ')) AS k WHERE strpos(events, quote_literal(k)) > 0)
	AND (d.metric <> 'revenue' OR events !~ 'amounts are in [^\n]*: give option currency')
	-- one that is there stays as its owner left it: targets, owner, label
	AND NOT EXISTS (SELECT FROM activity_metrics.metric m WHERE m.metric = n.name AND m.source_relation = format('%I.events', target_schema))
	-- what others are for goes first
	ORDER BY d.metric <> 'wins', d.place
$$;
COMMENT ON FUNCTION activity_metrics.preset_metrics(text, text, text) IS
'Internal: statements that define the metrics of a preset, for kinds that its view of events has: those written in it as ''call'' and so on. name differs from metric where a metric of that name is over another relation; metrics over this view that are there already are not among them.';

CREATE FUNCTION activity_metrics.preset_statements(name text, source_schema text, target_schema text, tz text, options text)
RETURNS TABLE (what text, subject text, statement text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	preset activity_metrics.preset_registry := activity_metrics.find_preset(name);
	argument text;
	made record;
	events text;
	days text;
	meaning text;
BEGIN
	FOREACH argument IN ARRAY ARRAY['source_schema', 'target_schema'] LOOP
		IF (CASE argument WHEN 'source_schema' THEN source_schema ELSE target_schema END) IS NULL THEN
			RAISE EXCEPTION 'argument % is null', argument USING ERRCODE = '22004',
				HINT = CASE argument WHEN 'source_schema' THEN 'Name the schema that holds the tables of the CRM.' ELSE 'Name a schema of your own for the views; it is created if it does not exist.' END;
		END IF;
	END LOOP;
	IF target_schema = '' OR octet_length(target_schema) >= 64 THEN
		RAISE EXCEPTION 'target_schema "%" is %', target_schema, CASE target_schema WHEN '' THEN 'empty' ELSE 'longer than 63 bytes' END USING ERRCODE = '42602',
			HINT = 'Name a schema of your own for the views; it is created if it does not exist.';
	ELSIF target_schema IN ('activity_metrics', 'information_schema', 'pg_catalog') THEN
		RAISE EXCEPTION 'views of yours do not go into schema "%"', target_schema USING ERRCODE = '22023',
			HINT = 'Name a schema of your own for the views; it is created if it does not exist.';
	ELSIF source_schema = target_schema THEN
		RAISE EXCEPTION 'source and target are the same schema "%"', source_schema USING ERRCODE = '22023',
			HINT = 'Give the views a schema of their own: the loader of the CRM owns the other.';
	END IF;
	FOR made IN SELECT * FROM activity_metrics.preset_views(preset, source_schema, tz, options) LOOP
		what := 'view';
		subject := made.view;
		statement := format(E'CREATE OR REPLACE VIEW %I.%I WITH (security_invoker = true) AS\n%s;', target_schema, made.view, made.body);
		RETURN NEXT;
		what := 'comment';
		meaning := CASE made.view
			WHEN 'events' THEN format('Preset %s of activity_metrics over schema %s: one row per event and entity that it touches. Times without a zone are of %s, days of %s. SELECT * FROM activity_metrics.check_events(%L) tells what was left out.',
				preset.preset, source_schema, made.settings ->> 'zone', made.settings ->> 'days', format('%I.events', target_schema))
			WHEN 'entities' THEN 'Deals, accounts, contacts and leads as they are now.'
			WHEN 'stages' THEN 'The stages of each pipeline, in order.'
			ELSE 'What is not in events, and why: rows left out by a rule, values that could not be read, columns and tables that were not found.' END;
		statement := format('COMMENT ON VIEW %I.%I IS %L;', target_schema, made.view, meaning)
			|| (SELECT string_agg(format(E'\nCOMMENT ON COLUMN %I.%I.%I IS %L;', target_schema, made.view, c.column_name, c.meaning), '') FROM activity_metrics.preset_columns(made.view) AS c);
		RETURN NEXT;
		IF made.view = 'events' THEN
			events := made.body;
			days := made.settings ->> 'days';
		END IF;
	END LOOP;
	-- one who may not write the dictionary gets the views all the same
	IF NOT has_table_privilege('activity_metrics.metric', 'SELECT') OR NOT has_table_privilege('activity_metrics.metric', 'INSERT') OR NOT has_table_privilege('activity_metrics.metric_history', 'INSERT') THEN
		what := 'remark';
		subject := 'no metrics';
		statement := format('GRANT SELECT, INSERT, UPDATE ON activity_metrics.metric TO %1$I; GRANT SELECT, INSERT ON activity_metrics.metric_history TO %1$I;', current_user);
		RETURN NEXT;
	ELSE
		RETURN QUERY SELECT 'metric', m.name || CASE WHEN m.name = m.metric THEN '' ELSE format(' (%s is of another relation)', m.metric) END, m.statement
			FROM activity_metrics.preset_metrics(events, target_schema, days) AS m;
	END IF;
	RETURN QUERY SELECT 'remark', (r ->> 'rule'), (r ->> 'source') FROM jsonb_array_elements(made.remarks) AS r;
END;
$$;
COMMENT ON FUNCTION activity_metrics.preset_statements(text, text, text, text, text) IS
'Internal: what installing a preset does: views, their comments, metrics; and remarks on what was not found.';

CREATE FUNCTION activity_metrics.preset(name text DEFAULT NULL)
RETURNS TABLE (preset text, system text, sources text, options text, zone text, funnel text, install text)
LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY SELECT r.preset, r.system, r.sources,
			concat_ws('; ', r.options, 'prefix (in front of all names of tables)', 'days (zone of days and weeks)', 'currency (the only one whose amounts count)',
				'rates (table with columns currency and rate)', 'a table''s name (the table or view to take for it)'),
			r.zone, r.funnel,
			format('SELECT * FROM activity_metrics.install_preset(%L, ''SOURCE_SCHEMA'', ''TARGET_SCHEMA'');', r.preset)
		FROM activity_metrics.preset_registry r
		WHERE name IS NULL OR r.preset = (activity_metrics.find_preset(name)).preset
		ORDER BY r.place;
END;
$$;
COMMENT ON FUNCTION activity_metrics.preset(text) IS
'Presets: which CRMs can be pointed at without writing a view. One row per preset, or the one named: its system, the layouts of tables that it recognises, its options, the zone of times without one, a funnel to begin with, and the call that installs it.
Errors: no such preset (42704, the nearest one in the hint).';

CREATE FUNCTION activity_metrics.preset_sql(name text, source_schema text, target_schema text, tz text DEFAULT NULL, options text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE COST 10000 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	result text;
BEGIN
	SELECT string_agg(CASE s.what WHEN 'remark' THEN format('-- %s: %s', s.subject, translate(s.statement, E'\r\n', '  '))
			ELSE s.statement END, CASE WHEN s.what = 'view' THEN E'\n\n' ELSE E'\n' END ORDER BY s.place)
		INTO result
		FROM activity_metrics.preset_statements(name, source_schema, target_schema, tz, options) WITH ORDINALITY AS s(what, subject, statement, place);
	RETURN format(E'-- Preset %s of activity_metrics: views over schema %s. Edit as you like; nothing else depends on them.\nCREATE SCHEMA IF NOT EXISTS %I;\n\n%s\n',
		(activity_metrics.find_preset(name)).preset, translate(source_schema, E'\r\n', '  '), target_schema, result);
END;
$$;
COMMENT ON FUNCTION activity_metrics.preset_sql(text, text, text, text, text) IS
'The SQL that install_preset() with the same arguments runs, to be read, edited and run by oneself. Arguments and errors: see there. Nothing is created; amounts are looked at, to see whether they are in one currency.';

CREATE FUNCTION activity_metrics.install_preset(name text, source_schema text, target_schema text, tz text DEFAULT NULL, options text DEFAULT NULL, replace boolean DEFAULT false)
RETURNS TABLE (what text, subject text)
LANGUAGE plpgsql VOLATILE ROWS 20 COST 100000 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
	made record;
	existing oid;
	relation_kind "char";
	-- what a view that is dropped had: grants, and its owner
	kept text[];
	statement text;
	dependent text;
	minimum text := current_setting('client_min_messages');
BEGIN
	IF replace IS NULL THEN
		RAISE EXCEPTION 'argument replace is null' USING ERRCODE = '22004', HINT = 'Leave it out for its default, false.';
	END IF;
	FOR made IN SELECT * FROM activity_metrics.preset_statements(name, source_schema, target_schema, tz, options) LOOP
		IF made.what = 'view' THEN
			IF NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = target_schema) THEN
				IF NOT has_database_privilege(current_database(), 'CREATE') THEN
					RAISE EXCEPTION 'schema "%" does not exist, and may not be created', target_schema USING ERRCODE = '42501',
						HINT = format('Name a schema of your own as target_schema, or have CREATE SCHEMA %I AUTHORIZATION %I; run by the owner of the database.', target_schema, current_user);
				END IF;
				EXECUTE format('CREATE SCHEMA %I', target_schema);
			END IF;
			IF NOT has_schema_privilege(target_schema, 'CREATE') THEN
				RAISE EXCEPTION 'permission denied for schema %', target_schema USING ERRCODE = '42501',
					HINT = format('Name a schema of your own as target_schema, or have its owner GRANT CREATE, USAGE ON SCHEMA %I TO %I;', target_schema, current_user);
			END IF;
			kept := NULL;
			SELECT c.oid, c.relkind INTO existing, relation_kind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
				WHERE n.nspname = target_schema AND c.relname = made.subject;
			IF existing IS NOT NULL THEN
				IF relation_kind <> 'v' THEN
					RAISE EXCEPTION 'relation "%.%" exists and is not a view', target_schema, made.subject USING ERRCODE = '42809',
						HINT = 'Name another target_schema: views named events, entities, stages and events_left_out are created in it.';
				ELSIF NOT replace THEN
					RAISE EXCEPTION 'view "%.%" exists already', target_schema, made.subject USING ERRCODE = '42P07',
						HINT = 'Add replace => true to overwrite it, with all changes that were made to it, or name another target_schema.';
				END IF;
				-- a view of the same columns is replaced in place, and keeps its owner and grants
				IF (SELECT array_agg(format('%s %s %s', a.attname, format_type(a.atttypid, NULL), nullif(a.attcollation, 'pg_catalog."default"'::regcollation)) ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = existing AND a.attnum > 0 AND NOT a.attisdropped)
					IS DISTINCT FROM (SELECT array_agg(format('%s %s %s', c.column_name, format_type(c.type::regtype, NULL), CASE WHEN c.type = 'text' THEN '' ELSE '0' END)) FROM activity_metrics.preset_columns(made.subject) AS c)
				THEN
					SELECT array_agg(format('GRANT %s ON %I.%I TO %s%s', g.privilege_type, target_schema, made.subject, CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END,
							CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)) FILTER (WHERE g.grantee <> c.relowner)
						|| array_agg(DISTINCT format('ALTER VIEW %I.%I OWNER TO %s', target_schema, made.subject, c.relowner::regrole)) FILTER (WHERE c.relowner <> current_user::regrole) INTO kept
						FROM pg_class c LEFT JOIN LATERAL aclexplode(c.relacl) AS g ON true WHERE c.oid = existing;
					BEGIN
						EXECUTE format('DROP VIEW %I.%I', target_schema, made.subject);
					EXCEPTION WHEN dependent_objects_still_exist THEN
						GET STACKED DIAGNOSTICS dependent = PG_EXCEPTION_DETAIL;
						RAISE EXCEPTION 'view "%.%" has other columns than the preset, and other objects depend on it', target_schema, made.subject USING ERRCODE = '2BP01',
							DETAIL = dependent, HINT = 'Drop these first, or name another target_schema.';
					END;
				END IF;
			END IF;
			EXECUTE made.statement;
			FOREACH statement IN ARRAY coalesce(kept, '{}') LOOP
				EXECUTE statement;
			END LOOP;
			what := 'view';
			subject := format('%I.%I', target_schema, made.subject);
			RETURN NEXT;
		ELSIF made.what = 'comment' THEN
			EXECUTE made.statement;
		ELSIF made.what = 'metric' THEN
			-- a kind that does not occur yet is no fault here
			PERFORM set_config('client_min_messages', 'error', true);
			EXECUTE made.statement;
			PERFORM set_config('client_min_messages', minimum, true);
			IF made.subject LIKE '% (%' THEN
				RAISE NOTICE 'metric % over %.events: %', split_part(made.subject, ' (', 1), target_schema, rtrim(split_part(made.subject, ' (', 2), ')');
			END IF;
			what := 'metric';
			subject := split_part(made.subject, ' (', 1);
			RETURN NEXT;
			IF made.statement ~ ', north_star => true' THEN
				what := 'North Star';
				RETURN NEXT;
			END IF;
		ELSE
			what := made.subject;
			subject := made.statement;
			RETURN NEXT;
		END IF;
	END LOOP;
	what := 'next';
	subject := format('SELECT * FROM activity_metrics.check_events(%L);', format('%I.events', target_schema));
	RETURN NEXT;
	subject := format('SELECT * FROM activity_metrics.funnel_report(%L, %L);', format('%I.events', target_schema), (activity_metrics.find_preset(name)).funnel);
	RETURN NEXT;
END;
$$;
COMMENT ON FUNCTION activity_metrics.install_preset(text, text, text, text, text, boolean) IS
'Creates views events, entities, stages and events_left_out in target_schema over the tables of a CRM in source_schema, and defines metrics over events: calls, emails, meetings, wins, revenue and so on, as far as the system has them. What people do has wins as its outcome_metric; wins becomes the North Star of scope company, if there is none, so that assess() and scorecard() run as they are. Nothing is copied; views are plain, owned by the caller, run with the rights of the one who reads them. One row per view, metric, North Star and remark on what was not found, then what to run next.
name: see preset(); target_schema: created if it does not exist; tz: zone of times without a zone (NULL: as the system writes them, see preset()); options: ''name = value, ...'', see preset(); replace: overwrite views of those names. A metric over the view that is there already stays as it is; one that another relation has keeps its name: the new one gets target_schema in front, with a NOTICE; one who may not write the dictionary gets no metrics, and a remark. Amounts in several currencies are not added up: without option currency or rates they are NULL and there is no metric revenue.
Errors: no such preset (42704), schema (3F000), required table (42P01), column (42703) or option (22023), a view exists (42P07), no rights (42501).';
