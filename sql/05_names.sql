--
-- Names that users give: relations, columns, kinds. Checked here, with the nearest one in the hint.
--
-- The report functions are in two parts. A builder, with a search_path of its own, checks the names and
-- writes one statement in which every name and operator is qualified. The report runs it under the caller's
-- rights and search_path, so that the user's own views and functions behave as the user knows them.
--

CREATE FUNCTION activity_metrics.nearest_name(wanted text, names text[]) RETURNS text
AS 'MODULE_PATHNAME', 'am_nearest_name' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.nearest_name(text, text[]) IS
'The name most like the one wanted, without regard to case: one that contains it or is contained in it, else by edit distance; NULL if there is none.';

CREATE FUNCTION activity_metrics.column_type(relation regclass, column_name text) RETURNS regtype
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	-- a domain may be over another domain
	WITH RECURSIVE type AS (
		SELECT t.oid, t.typtype, t.typbasetype
		FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) a.atttypid
		WHERE a.attrelid OPERATOR(pg_catalog.=) relation::pg_catalog.oid
		AND a.attname OPERATOR(pg_catalog.=) column_name::pg_catalog.name
		AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped
		UNION ALL
		SELECT t.oid, t.typtype, t.typbasetype
		FROM type JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) type.typbasetype
		WHERE type.typtype OPERATOR(pg_catalog.=) 'd'::"char")
	SELECT type.oid::pg_catalog.regtype FROM type WHERE type.typtype OPERATOR(pg_catalog.<>) 'd'::"char";
END;
COMMENT ON FUNCTION activity_metrics.column_type(regclass, text) IS
'Internal: the type of a column of a relation (of a domain its base type); NULL if there is no such column.';

CREATE FUNCTION activity_metrics.qualified_name(relation regclass) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
	FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
	WHERE c.oid OPERATOR(pg_catalog.=) relation::pg_catalog.oid;
END;
COMMENT ON FUNCTION activity_metrics.qualified_name(regclass) IS
'Internal: the name of a relation with its schema, quoted, whatever the search_path.';

CREATE FUNCTION activity_metrics.check_column(relation regclass, column_name text, argument text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	nearest text;
	columns text;
BEGIN
	IF relation IS NULL THEN
		RAISE EXCEPTION 'no relation is given' USING ERRCODE = '22004',
			HINT = 'Give the name of a table or view, such as ''crm.activity''.';
	END IF;
	IF column_name IS NULL THEN
		RAISE EXCEPTION 'argument % is null', argument USING ERRCODE = '22004',
			HINT = format('Give the name of a column of %s.', relation);
	END IF;
	IF activity_metrics.column_type(relation, column_name) IS NOT NULL THEN
		RETURN quote_ident(column_name);
	END IF;
	SELECT activity_metrics.nearest_name(column_name, array_agg(a.attname::text ORDER BY a.attnum)),
		string_agg(a.attname::text, ', ' ORDER BY a.attnum) INTO nearest, columns
	FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped;
	RAISE EXCEPTION 'relation "%" has no column "%"', relation, column_name
		USING ERRCODE = '42703',
		DETAIL = format('The column is named by argument %s. ', argument)
			|| CASE WHEN columns IS NULL THEN 'There are no columns.' ELSE format('Columns are %s.', CASE WHEN length(columns) > 300 THEN left(columns, 300) || ' ...' ELSE columns END) END,
		HINT = CASE WHEN nearest IS NULL THEN format('Name a column of it: %s => ''...''.', argument)
			ELSE format('Did you mean "%s"? Write %s => %s.', nearest, argument, quote_literal(nearest)) END;
END;
$$;
COMMENT ON FUNCTION activity_metrics.check_column(regclass, text, text) IS
'Internal: a column''s name, quoted. Errors: no such column (42703, the nearest one in the hint), NULL (22004).';

CREATE FUNCTION activity_metrics.key_column(relation regclass, column_name text, argument text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	quoted text := activity_metrics.check_column(relation, column_name, argument);
BEGIN
	RETURN quoted || CASE activity_metrics.column_type(relation, column_name)
		WHEN 'uuid'::regtype THEN ''
		WHEN 'bigint'::regtype THEN ''
		WHEN 'integer'::regtype THEN '::pg_catalog.int8'
		WHEN 'smallint'::regtype THEN '::pg_catalog.int8'
		ELSE '::pg_catalog.text' END;
END;
$$;
COMMENT ON FUNCTION activity_metrics.key_column(regclass, text, text) IS
'Internal: the expression of a column that identifies something, as bigint, uuid or text.';

CREATE FUNCTION activity_metrics.text_column(relation regclass, column_name text, argument text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN activity_metrics.check_column(relation, column_name, argument) || '::pg_catalog.text';
END;
$$;
COMMENT ON FUNCTION activity_metrics.text_column(regclass, text, text) IS
'Internal: the expression of a column as text.';

CREATE FUNCTION activity_metrics.time_column(relation regclass, column_name text, argument text, tz text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	quoted text := activity_metrics.check_column(relation, column_name, argument);
	type regtype := activity_metrics.column_type(relation, column_name);
BEGIN
	IF type = 'timestamptz'::regtype THEN
		RETURN quoted;
	END IF;
	IF type = 'timestamp'::regtype OR type = 'date'::regtype THEN
		RETURN format('pg_catalog.timezone(%L::pg_catalog.text, %s::pg_catalog.timestamp)', tz, quoted);
	END IF;
	RAISE EXCEPTION 'column "%" of "%" is of type %, not a time', column_name, relation, type
		USING ERRCODE = '42804',
		DETAIL = format('The column is named by argument %s.', argument),
		HINT = format('Name another column with %s => ''...'', or cast it to timestamptz in a view.', argument);
END;
$$;
COMMENT ON FUNCTION activity_metrics.time_column(regclass, text, text, text) IS
'Internal: the expression of a column as timestamptz; times without a zone are of the zone tz. Errors: not a time (42804).';

CREATE FUNCTION activity_metrics.number_column(relation regclass, column_name text, argument text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	quoted text := activity_metrics.check_column(relation, column_name, argument);
	type regtype := activity_metrics.column_type(relation, column_name);
BEGIN
	IF type IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'real'::regtype,
				'double precision'::regtype, 'numeric'::regtype) THEN
		RETURN quoted || '::pg_catalog.float8';
	END IF;
	RAISE EXCEPTION 'column "%" of "%" is of type %, not a number', column_name, relation, type
		USING ERRCODE = '42804',
		DETAIL = format('The column is named by argument %s.', argument),
		HINT = format('Name another column with %s => ''...'', or cast it in a view.', argument);
END;
$$;
COMMENT ON FUNCTION activity_metrics.number_column(regclass, text, text) IS
'Internal: the expression of a column as double precision. Errors: not a number (42804).';

CREATE FUNCTION activity_metrics.quality_column(relation regclass) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF activity_metrics.column_type(relation, 'quality') IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype,
			'real'::regtype, 'double precision'::regtype, 'numeric'::regtype) THEN
		RETURN activity_metrics.number_column(relation, 'quality', 'quality');
	END IF;
	-- nobody named this column: one that is not a number means something else
	RETURN 'NULL::pg_catalog.float8';
END;
$$;
COMMENT ON FUNCTION activity_metrics.quality_column(regclass) IS
'Internal: the expression of column quality as double precision, NULL where there is none or it is not a number.';

CREATE FUNCTION activity_metrics.done_condition(relation regclass, status text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF status IS NULL AND activity_metrics.column_type(relation, 'status') IS NULL THEN
		RETURN 'true';
	END IF;
	-- No Show, no-show and no_show are one word; nearly all are done
	RETURN format('(%1$s IS NULL OR %1$s OPERATOR(pg_catalog.=) ''done'' OR pg_catalog.translate(pg_catalog.lower(pg_catalog.btrim(%1$s)), '' -'', ''__'') OPERATOR(pg_catalog.<>) ALL (ARRAY[''planned'', ''cancelled'', ''canceled'', ''no_show'']::pg_catalog.text[]))',
				  activity_metrics.text_column(relation, coalesce(status, 'status'), 'status'));
END;
$$;
COMMENT ON FUNCTION activity_metrics.done_condition(regclass, text) IS
'Internal: the condition that an event was done: its status (column status where none is named) is not planned, cancelled (canceled) or no_show, whatever the case, with a blank, - or _; every other word counts as done.';

CREATE FUNCTION activity_metrics.check_range(since timestamptz, until timestamptz) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF since > until THEN
		RAISE EXCEPTION 'since % is after until %', since, until USING ERRCODE = '22023',
			HINT = 'The range is [since, until): until is the first moment that is not in it.';
	END IF;
END;
$$;
COMMENT ON FUNCTION activity_metrics.check_range(timestamptz, timestamptz) IS
'Internal: refuses a range of time that ends before it begins (22023).';
