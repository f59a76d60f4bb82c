\pset format unaligned
\pset tuples_only
-- What users call: names, arguments and defaults are part of the interface and do not change by accident.
SELECT format('%s(%s) -> %s', p.proname, pg_get_function_arguments(p.oid),
	CASE p.prokind WHEN 'p' THEN 'procedure' ELSE pg_get_function_result(p.oid) END) 
FROM pg_depend d JOIN pg_proc p ON p.oid = d.objid
WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'activity_metrics')
AND obj_description(p.oid, 'pg_proc') NOT LIKE 'Internal%'
ORDER BY p.proname COLLATE "C", pg_get_function_identity_arguments(p.oid) COLLATE "C";

SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS "not null"
FROM pg_depend d JOIN pg_class c ON c.oid = d.objid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'e' AND c.relkind IN ('r', 'v')
AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'activity_metrics')
ORDER BY c.relname COLLATE "C", a.attnum;
