--
-- Data quality: what a join, and so a report built on one, loses without a word.
--

CREATE FUNCTION activity_metrics.unmatched_values_sql(relation regclass, column_name text, reference regclass, reference_column text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	other text := coalesce(reference_column, column_name);
	v text := activity_metrics.check_column(relation, column_name, 'column_name');
	r text := activity_metrics.check_column(reference, other, 'reference_column');
	numbers regtype[] := ARRAY['smallint', 'integer', 'bigint', 'numeric']::regtype[];
	comparable text;
BEGIN
	-- values of one type are equal as that type has it, others if their texts are
	SELECT CASE WHEN n.type = ANY (numbers) AND o.type = ANY (numbers) THEN '::pg_catalog.numeric'
		WHEN n.type = o.type AND a.attcollation = b.attcollation THEN ''
		ELSE '::pg_catalog.text COLLATE pg_catalog."C"' END
	INTO comparable
	FROM activity_metrics.column_type(relation, column_name) AS n(type), activity_metrics.column_type(reference, other) AS o(type),
		pg_attribute a, pg_attribute b
	WHERE a.attrelid = relation AND a.attname = column_name::name AND b.attrelid = reference AND b.attname = other::name;
	-- GROUP BY takes the equality of the type, whatever the search_path
	RETURN format(
		'WITH known AS MATERIALIZED (
			SELECT DISTINCT %3$s%5$s AS v FROM %4$s WHERE %3$s IS NOT NULL),
		lost AS (
			SELECT v::pg_catalog.text AS value, pg_catalog.count(*) AS n,
				pg_catalog.row_number() OVER (ORDER BY v IS NULL, pg_catalog.count(*) DESC, v::pg_catalog.text COLLATE pg_catalog."C") AS place
			FROM (SELECT %1$s%5$s AS v, false AS present FROM %2$s UNION ALL SELECT v, true FROM known) AS both_sides
			GROUP BY v HAVING NOT pg_catalog.bool_or(present))
		SELECT lost.value, lost.n,
			CASE WHEN lost.value IS NOT NULL AND lost.place OPERATOR(pg_catalog.*) (SELECT pg_catalog.count(*) FROM known) OPERATOR(pg_catalog.<=) 2000000
				THEN activity_metrics.nearest_name(lost.value,
					(SELECT pg_catalog.array_agg(v::pg_catalog.text ORDER BY v::pg_catalog.text COLLATE pg_catalog."C") FROM known)) END
		FROM lost ORDER BY lost.place',
		v, activity_metrics.qualified_name(relation), r, activity_metrics.qualified_name(reference), comparable);
END;
$$;
COMMENT ON FUNCTION activity_metrics.unmatched_values_sql(regclass, text, regclass, text) IS
'Internal: the statement that unmatched_values runs.';

CREATE FUNCTION activity_metrics.unmatched_values(
	relation regclass,
	column_name text,
	reference regclass,
	reference_column text DEFAULT NULL)
RETURNS TABLE (
	value text,
	rows bigint,
	nearest text)
LANGUAGE plpgsql STABLE ROWS 20 COST 10000 AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY EXECUTE activity_metrics.unmatched_values_sql(relation, column_name, reference, reference_column);
END;
$$;
COMMENT ON FUNCTION activity_metrics.unmatched_values(regclass, text, regclass, text) IS
'What does a join lose? The values of a column that the column of another relation does not have, with their number of rows, most frequent first; no row: nothing is lost.
relation, column_name: where values are used; reference, reference_column: where they should all be (default: a column of the same name).
value: NULL, last, for rows that have none and which a join loses as well; nearest: the value of the reference that is most like it, by edit distance without regard to case, whether that is close or not; NULL if the reference is empty or so large that looking for all would take long.
Integers and numerics are compared as numbers, values of one type as that type has it, others by their text. Errors: no such column (42703), NULL for a relation or column (22004).';
