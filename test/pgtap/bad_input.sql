-- What is refused, with which SQLSTATE and hint; what no rows give; what cannot be called.
BEGIN;
SELECT no_plan();
CREATE SCHEMA bad_input;
SET LOCAL search_path = bad_input, public;

CREATE FUNCTION fault(query text, OUT state text, OUT message text, OUT hint text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE query;
	state := '00000';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
END;
$$;
-- am. stands for the schema
CREATE FUNCTION refused(query text, state text, message text DEFAULT '', hint text DEFAULT '') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	f record;
BEGIN
	query := replace(query, 'am.', 'activity_metrics.');
	f := bad_input.fault(query);
	RETURN ok(f.state = state AND f.message ~ message AND f.hint ~ hint, format('%s: %s', state, left(query, 200)))
		|| CASE WHEN f.state = state AND f.message ~ message AND f.hint ~ hint THEN '' ELSE E'\n' || diag(format('%s %s, hint: %s', f.state, f.message, f.hint)) END;
END;
$$;

CREATE TABLE event (entity bigint, at timestamptz, actor text, kind text, value double precision, status text, event_id uuid, quality double precision, "Größe" text, "it's" integer);
INSERT INTO event SELECT i % 40, '2024-01-01Z'::timestamptz + i * interval '5 hours', 'rep ' || i % 4, CASE WHEN i % 5 = 0 THEN 'won' ELSE 'call' END, i, NULL, NULL, 0.5, 'x', 1 FROM generate_series(1, 1000) AS i;
CREATE TABLE weeks AS SELECT 'rep ' || u AS unit, p AS period, (u * p) % 7 AS calls, (u + p) % 3 AS wins, '2024-01-01Z'::timestamptz + p * interval '7 days' AS week_start, 'text' AS words
	FROM generate_series(1, 4) AS u, generate_series(1, 30) AS p;
CREATE TABLE empty_event (LIKE event);
CREATE TABLE empty_weeks (LIKE weeks);
CREATE TABLE no_columns ();
SELECT activity_metrics.define_metric('calls', 'event', 'call', target => 5, target_from => '2024-03-04Z');
SELECT activity_metrics.define_metric('wins', 'event', 'won', kind => 'outcome');
SELECT activity_metrics.define_metric('berlin', 'event', tz => 'Europe/Berlin');
SELECT activity_metrics.define_metric('none', 'empty_event', target => 5, target_from => '2024-03-04Z');
SELECT activity_metrics.define_metric('none_won', 'empty_event', 'won');

-- columns: the nearest name in the hint, as it is to be written
SELECT refused(query, '42703', format('has no column "%s"', wanted), format('Did you mean "%s"\? Write %s => %L', nearest, argument, nearest)) FROM (VALUES
	($$SELECT * FROM am.funnel_report('event', 'call -> won', entity => 'entities')$$, 'entities', 'entity', 'entity'),
	($$SELECT * FROM am.funnel_report('event', 'call -> won', at => 'att')$$, 'att', 'at', 'at'),
	($$SELECT * FROM am.funnel_report('event', 'call -> won', kind => 'kinds')$$, 'kinds', 'kind', 'kind'),
	($$SELECT * FROM am.funnel_report('event', 'call -> won', by => 'aktor')$$, 'aktor', 'actor', 'by'),
	($$SELECT * FROM am.funnel_report('event', 'call -> won', status => 'statu')$$, 'statu', 'status', 'status'),
	($$SELECT * FROM am.funnel_report('event', 'call -> won', by => 'Grösse')$$, 'Grösse', 'Größe', 'by'),
	($$SELECT * FROM am.funnel_report('event', 'call -> won', entity => 'its')$$, 'its', 'it''s', 'entity'),
	($$SELECT * FROM am.attempt_report('event', 'call', 'won', entity => 'entities')$$, 'entities', 'entity', 'entity'),
	($$SELECT * FROM am.attempt_report('weeks', 'calls', 'win')$$, 'win', 'wins', 'success'),
	($$SELECT * FROM am.lead_lag_report('cals', 'wins', relation => 'weeks')$$, 'cals', 'calls', 'x'),
	($$SELECT * FROM am.lead_lag_report('calls', 'winz', relation => 'weeks')$$, 'winz', 'wins', 'y'),
	($$SELECT * FROM am.lead_lag_report('calls', 'wins', relation => 'weeks', unit => 'Units')$$, 'Units', 'unit', 'unit'),
	($$SELECT * FROM am.lead_lag_report('calls', 'wins', relation => 'weeks', period => 'perod')$$, 'perod', 'period', 'period'),
	($$SELECT * FROM am.vanity_report('winn', relation => 'weeks')$$, 'winn', 'wins', 'outcome'),
	($$SELECT * FROM am.vanity_report('wins', relation => 'weeks', metrics => ARRAY['calls', 'call'])$$, 'call', 'calls', 'metrics'),
	($$SELECT am.define_metric('m', 'event', actor => 'actors')$$, 'actors', 'actor', 'actor'),
	($$SELECT am.define_metric('m', 'event', 'call', kind_column => 'kin')$$, 'kin', 'kind', 'kind_column'),
	($$SELECT am.define_metric('m', 'event', agg => 'sum', value => 'values')$$, 'values', 'value', 'value'),
	($$SELECT am.define_metric('m', 'event', agg => 'count_distinct', value => 'eventid')$$, 'eventid', 'event_id', 'value'),
	($$SELECT am.define_metric('m', 'event', status => 'statuss')$$, 'statuss', 'status', 'status')) AS v(query, wanted, nearest, argument);
SELECT refused(query, '42703', '', hint) FROM (VALUES
	($$SELECT am.define_metric('m', 'event', at => 'when_at')$$, 'Did you mean'),
	($$SELECT * FROM am.lead_lag_report('ctid', 'wins', relation => 'weeks')$$, 'Did you mean'),
	($$SELECT * FROM am.lead_lag_report('', 'wins', relation => 'weeks')$$, 'Did you mean'),
	($$SELECT * FROM am.lead_lag_report('x', 'y', relation => 'no_columns')$$, '^Name a column'),
	($$SELECT * FROM am.lead_lag_report('x', 'y', relation => 4294967295::oid::regclass)$$, '^Name a column'),
	($$SELECT * FROM am.lead_lag_report(repeat('x', 10000), 'wins', relation => 'weeks')$$, '^Name a column')) AS v(query, hint);

-- types
SELECT refused(query, '42804', '', 'view') FROM (VALUES
	($$SELECT * FROM am.funnel_report('event', 'call -> won', at => 'kind')$$), ($$SELECT * FROM am.attempt_report('event', 'call', 'won', at => 'kind')$$), ($$SELECT * FROM am.attempt_report('weeks', 'words', 'wins')$$),
	($$SELECT * FROM am.attempt_report('weeks', 'calls', 'week_start')$$), ($$SELECT * FROM am.lead_lag_report('words', 'wins', relation => 'weeks')$$), ($$SELECT * FROM am.lead_lag_report('calls', 'unit', relation => 'weeks')$$),
	($$SELECT * FROM am.lead_lag_report('calls', 'wins', relation => 'weeks', period => 'unit')$$), ($$SELECT * FROM am.vanity_report('words', relation => 'weeks')$$),
	($$SELECT * FROM am.vanity_report('wins', relation => 'weeks', metrics => ARRAY['week_start'])$$), ($$SELECT am.define_metric('m', 'event', at => 'value')$$), ($$SELECT am.define_metric('m', 'event', agg => 'sum', value => 'kind')$$)) AS v(query);

-- metrics
SELECT refused(query, '42704', format('metric "%s" is not in the dictionary', wanted), hint) FROM (VALUES
	($$SELECT * FROM am.metric_panel('cals', 'wins')$$, 'cals', 'Did you mean "calls"'), ($$SELECT * FROM am.metric_panel('calls', 'WINS')$$, 'WINS', 'Did you mean "wins"'),
	($$SELECT * FROM am.lead_lag_report('call', 'wins')$$, 'call', 'Did you mean "calls"'), ($$SELECT * FROM am.lead_lag_report('calls', 'win')$$, 'win', 'Did you mean "wins"'),
	($$SELECT * FROM am.vanity_report('winz')$$, 'winz', 'Did you mean "wins"'), ($$SELECT * FROM am.vanity_report('wins', metrics => ARRAY['calls', 'berlim'])$$, 'berlim', 'Did you mean "berlin"'),
	($$SELECT * FROM am.gaming_report('cals', 'wins')$$, 'cals', 'Did you mean "calls"'), ($$SELECT * FROM am.gaming_report('calls', 'winns')$$, 'winns', 'Did you mean "wins"'),
	($$SELECT * FROM am.metric_panel('', 'wins')$$, '', 'Did you mean'), ($$SELECT * FROM am.metric_panel(NULL, 'wins')$$, '<NULL>', ''),
	($$SELECT * FROM am.gaming_report('calls', NULL)$$, '<NULL>', ''), ($$SELECT * FROM am.lead_lag_report(NULL, NULL)$$, '<NULL>', ''), ($$SELECT * FROM am.vanity_report('wins', metrics => ARRAY[NULL]::text[])$$, '<NULL>', '')) AS v(query, wanted, hint);
SELECT refused($$SELECT * FROM am.metric_panel('calls', 'berlin')$$, '22023', 'different time zones', 'again');

-- grains and zones
SELECT refused(query, '22023', 'unknown grain "fortnight"', 'hour, day, week, month, quarter and year') FROM (VALUES
	($$SELECT am.period_no(now(), 'fortnight')$$), ($$SELECT am.period_start(1, 'fortnight')$$), ($$SELECT * FROM am.metric_panel('calls', 'wins', 'fortnight')$$), ($$SELECT * FROM am.metric_panel('none', 'none', 'fortnight')$$),
	($$SELECT * FROM am.lead_lag_report('calls', 'wins', 'fortnight')$$), ($$SELECT * FROM am.vanity_report('wins', 'fortnight')$$), ($$SELECT * FROM am.gaming_report('calls', 'wins', 'fortnight')$$),
	($$SELECT * FROM am.lead_lag_report('calls', 'wins', 'fortnight', relation => 'weeks', period => 'week_start')$$)) AS v(query);
SELECT refused(query, '22004', 'grain is null') FROM (VALUES
	($$SELECT * FROM am.metric_panel('calls', 'wins', NULL)$$), ($$SELECT * FROM am.lead_lag_report('calls', 'wins', NULL)$$), ($$SELECT * FROM am.vanity_report('wins', NULL)$$), ($$SELECT * FROM am.gaming_report('calls', 'wins', NULL)$$),
	($$SELECT * FROM am.lead_lag_report('calls', 'wins', NULL, relation => 'weeks')$$), ($$SELECT * FROM am.vanity_report('wins', NULL, relation => 'weeks')$$)) AS v(query);
SELECT refused($$SELECT am.period_no(now(), $$ || quote_literal(g) || ')', '22023', 'unknown grain', 'quarter') FROM unnest(ARRAY['', 'Week', 'week ', 'weeks', repeat('w', 100000), 'weekü']) AS g;
SELECT refused($$SELECT am.period_no(now(), 'week', $$ || quote_literal(z) || ')', '22023', 'not recognized', 'pg_timezone_names') FROM unnest(ARRAY['Mars/Olympus', 'Europe/Berlin ', 'Europe/Berlin''', '../../etc/passwd', '/etc/passwd', repeat('U', 100000)]) AS z;
SELECT refused(query, '22023', 'time zone "Mars" not recognized') FROM (VALUES
	($$SELECT * FROM am.lead_lag_report('calls', 'wins', relation => 'weeks', period => 'week_start', tz => 'Mars')$$), ($$SELECT * FROM am.vanity_report('wins', relation => 'weeks', period => 'week_start', tz => 'Mars')$$),
	($$SELECT am.define_metric('m', 'event', tz => 'Mars')$$)) AS v(query);
SELECT refused($$SELECT am.define_metric('m', 'event', tz => NULL)$$, '22004', 'tz is null');
SELECT refused(query, '22008') FROM (VALUES
	($$SELECT am.period_no('infinity')$$), ($$SELECT am.period_no('-infinity', 'hour')$$), ($$SELECT am.period_start(9223372036854775807)$$), ($$SELECT am.period_start((-9223372036854775808)::bigint, 'hour')$$),
	($$SELECT am.period_start(2147483647, 'year')$$), ($$SELECT am.period_start(-4294967296, 'month')$$), ($$SELECT am.period_start(-80186, 'month')$$), ($$SELECT * FROM am.metric_panel('calls', 'wins', since => 'infinity')$$)) AS v(query);
SELECT refused($$INSERT INTO event (at, actor, kind) VALUES ('$$ || t || $$', 'x', 'call'); SELECT * FROM am.metric_panel('calls', 'wins')$$, '22008', 'infinite time', 'isfinite') FROM unnest(ARRAY['infinity', '-infinity']) AS t;
SELECT is((fault($$SELECT activity_metrics.period_start(p) FROM generate_series(-9223372036854775808, -9223372036854775000) AS p$$)).state, '22008', 'no overflow at the ends');

-- the dictionary
SELECT refused($$SELECT am.define_metric($$ || quote_nullable(n) || $$, 'event')$$, '22023', 'metric name', 'lower case') FROM unnest(ARRAY[NULL, '', 'Calls', 'my calls', '1st', 'calls;', 'anrufü', '_x', repeat('a', 64), E'a\n', 'a''--']) AS n;
SELECT refused($$SELECT am.define_metric('m', 'event', agg => $$ || quote_nullable(a) || ')', '22023', 'unknown aggregate') FROM unnest(ARRAY[NULL, '', 'mean', 'COUNT', 'p50']) AS a;
SELECT refused($$SELECT am.define_metric('m', 'event', agg => 'summ')$$, '22023', 'unknown aggregate "summ"', 'Did you mean "sum"');
SELECT refused($$SELECT am.define_metric('m', 'event', kind => $$ || quote_nullable(k) || ')', '22023', 'unknown kind', 'surface') FROM unnest(ARRAY[NULL, '', 'call', 'Outcome']) AS k;
SELECT refused($$SELECT am.define_metric('m', 'event', target => $$ || t, '22023', 'target', 'Give both') FROM unnest(ARRAY['5)', 'NULL, target_from => now())', '0, target_from => now())', '-1, target_from => now())', '''NaN'', target_from => now())',
	'''Infinity'', target_from => now())', '5, target_from => ''infinity'')', '5, target_from => ''-infinity'')']) AS t;
SELECT refused($$SELECT am.define_metric('m', 'event', $$ || quote_literal(k) || ')', '22023') FROM unnest(ARRAY['', ' ', 'call |', '| call', 'call call', '''call', 'call)', '(call', 'call -> won', 'call) -> (won', 'call?', '!call', 'call within 5 days', 'call [5 days]',
	'call) [5 days] -> (won', 'call, strict order', ')', 'call || won']) AS k;
SELECT refused(query, '22004', 'null|no relation') FROM (VALUES
	($$SELECT am.define_metric('m', NULL)$$), ($$SELECT am.define_metric('m', 'event', at => NULL)$$), ($$SELECT am.define_metric('m', 'event', actor => NULL)$$), ($$SELECT am.define_metric('m', 'event', 'call', kind_column => NULL)$$)) AS v(query);
SELECT is((SELECT count(*) FROM activity_metrics.metric WHERE metric = 'm'), 0::bigint, 'none of them was written');
SELECT refused(query, '23514') FROM (VALUES
	($$UPDATE am.metric SET kind = 'x'$$), ($$UPDATE am.metric SET agg = 'avg'$$), ($$UPDATE am.metric SET agg = 'sum'$$), ($$UPDATE am.metric SET metric = 'A b'$$)) AS v(query);
-- values that are written past define_metric are checked when they are read
SELECT refused($$UPDATE am.metric SET $$ || change || $$ WHERE metric = 'calls'; SELECT * FROM am.metric_panel('calls', 'wins')$$, state) FROM (VALUES
	('time_column = ''kind''', '42804'), ('actor_column = ''x'' || chr(34)', '42703'), ('event_kinds = ''call |''', '22023'), ('tz = ''Mars''', '22023'), ('source_relation = ''nowhere''', '42P01'), ('source_relation = ''bad_input.nowhere''', '42P01'),
	('agg = ''sum'', value_column = ''kind''', '42804'), ('status_column = ''nope''', '42703')) AS v(change, state);

-- reports
SELECT refused(query, '22004') FROM (VALUES ($$SELECT * FROM am.funnel_report(NULL, 'call -> won')$$), ($$SELECT * FROM am.attempt_report(NULL, 'call', 'won')$$), ($$SELECT * FROM am.funnel_report('event', 'call -> won', entity => NULL)$$),
	($$SELECT * FROM am.lead_lag_report('calls', 'wins', relation => 'weeks', unit => NULL)$$), ($$SELECT * FROM am.lead_lag_report('calls', 'wins', relation => 'weeks', period => NULL)$$), ($$SELECT * FROM am.lead_lag_report(NULL, 'wins', relation => 'weeks')$$),
	($$SELECT * FROM am.vanity_report(NULL, relation => 'weeks')$$), ($$SELECT * FROM am.vanity_report('wins', relation => 'weeks', metrics => ARRAY[NULL]::text[])$$)) AS v(query);
SELECT refused(query, '55000') FROM (VALUES ($$SELECT * FROM am.gaming_report('wins', 'calls')$$), ($$SELECT * FROM am.vanity_report('wins', metrics => '{}')$$), ($$CREATE TABLE one (unit text, period integer, wins integer); SELECT * FROM am.vanity_report('wins', relation => 'one')$$)) AS v(query);
SELECT refused(query, '42P01') FROM (VALUES ($$SELECT * FROM am.funnel_report('nowhere', 'call -> won')$$), ($$SELECT am.define_metric('m', 'nowhere')$$), ($$SELECT * FROM am.lead_lag_report('x', 'y', relation => 'bad_input.nowhere')$$)) AS v(query);
SELECT refused($$SELECT * FROM am.funnel_report('event', $$ || quote_literal(s) || ')', '22023') FROM unnest(ARRAY['', 'call ->', '-> call', 'call -> won within', 'call -> won within 3 months', 'call -> won within -1 days', '''call', 'call; DROP TABLE event']) AS s;
SELECT refused($$SELECT * FROM am.attempt_report('event', $$ || k || ')', '22023') FROM unnest(ARRAY['''call'', ''won |''', '''call)'', ''won''', '''call ->'', ''won''']) AS k;

SELECT refused(format($$SELECT am.funnel_%s(now(), 'call', $$, f) || quote_literal(s) || ')', '22023') FROM unnest(ARRAY['level', 'times']) AS f, unnest(ARRAY['', 'call ->', 'call -> !won -> won', 'call? -> won', 'call -> won [0 days]', 'call -> won, any order, strict order']) AS s;
SELECT refused(format($$SELECT am.%s$$, f), '22023', 'invalid funnel specification', '.') FROM unnest(ARRAY['funnel_explain(''call ->'')', 'funnel_steps('''')', 'funnel_within(''call within 3'')', 'funnel_kinds(''('')', 'funnel_has_option(''call,'', ''totals'')']) AS f;
SELECT refused($$SELECT am.funnel_has_option('call', 'total')$$, '22023', '"total" is no option of a funnel');

-- lead_lag()
SELECT refused(format($$SELECT am.lead_lag(1, p, %s, %s, 2) FROM generate_series(1, 30) AS p$$, x, y), '22003', CASE WHEN y = '1' THEN 'x' ELSE 'y' END || ' is (NaN|Infinity|-Infinity)', 'NULL where') FROM unnest(ARRAY['''NaN''', '''Infinity''', '''-Infinity''']) AS v, LATERAL (VALUES (v, '1'), ('1', v)) AS w(x, y);
SELECT refused($$SELECT am.lead_lag(1, 1, 1e308, 1, 2) FROM generate_series(1, 30)$$, '22003', 'overflow');
SELECT refused(format($$SELECT am.lead_lag(1, p, p, p, %s) FROM generate_series(1, 30) AS p$$, m), '22023', 'max_lag is', '0 to 1000') FROM unnest(ARRAY[-1, 1001, 2147483647, -2147483648]) AS m;
SELECT refused($$SELECT am.lead_lag(1, p, p, p, nullif(p, 7)) FROM generate_series(1, 30) AS p$$, '22023', 'max_lag changes', 'same value');
SELECT refused($$SELECT am.lead_lag(1, p, p, p, CASE WHEN p > 7 THEN 3 END) FROM generate_series(1, 30) AS p$$, '22023', 'max_lag changes', 'same value');
SELECT refused($$SELECT am.lead_lag(1, p, p, p, 3, CASE WHEN p > 7 THEN '' END) FROM generate_series(1, 30) AS p$$, '22023', 'options changes', 'same value');
SELECT refused($$SELECT am.lead_lag(1, p, p, p, 3, CASE WHEN p > 7 THEN 'no filling' ELSE 'no filling,' END) FROM generate_series(1, 30) AS p$$, '22023', 'options changes', 'same value');
SELECT refused(format($$SELECT am.lead_lag(1, p, p, p, 3, %L) FROM generate_series(1, 30) AS p$$, o), '22023', 'option', hint) FROM (VALUES ('ranked', 'rank, difference, difference auto, no differencing, season N, no prewhitening, keep period means, no filling'), ('no filing', 'no filling'), (',', ''), ('no filling, , no filling', ''), ('No Filling', ''), ('''', ''),
	('no filling; no filling', ''), ('%s%n%s', ''), ('lag prior 2..6', ''), (repeat('x', 100000), '')) AS v(o, hint);
SELECT refused($$SELECT am.lead_lag(1, p, 1, 1, 2) FROM unnest($$ || quote_literal(p) || $$::bigint[]) AS p$$, '54000') FROM unnest(ARRAY['{0,67108865}', '{-9223372036854775808,9223372036854775807}', '{0,9223372036854775807}', '{1704067200,1735689600}', '{0,20000000}']) AS p;
SELECT refused($$SELECT am.lead_lag(u, p, 1, 1, 2) FROM generate_series(1, 100) AS u, unnest(ARRAY[0, 1000000]) AS p$$, '54000');
SELECT refused($$SELECT * FROM am.lead_lag_report('calls', 'wins', max_lag => -1)$$, '22023', 'max_lag');
SELECT refused($$SELECT * FROM am.lead_lag_report('calls', 'wins', max_lag => 1001, relation => 'weeks')$$, '22023', 'max_lag');
SELECT refused($$SELECT * FROM am.lead_lag_report('calls', 'wins', options => 'x', relation => 'weeks')$$, '22023', 'unknown option "x"');
SELECT refused($$SELECT * FROM am.lead_lag_report('calls', 'wins', options => 'x', relation => 'empty_weeks')$$, '22023', 'unknown option "x"');

-- vanity() and gaming()
SELECT refused(format($$SELECT am.vanity(1, p, %s, %s, %s) FROM generate_series(1, 30) AS p$$, x, y, q), state, message, hint) FROM (VALUES
	('-1', '1', 'NULL', '22023', 'metric is -1', 'at least 0'), ('1', '-0.5', 'NULL', '22023', 'outcome is -0.5', 'at least 0'), ('1', '1', '-0.1', '22023', 'quality', ''), ('1', '1', '1.5', '22023', 'quality is 1.5', '0 to 1'), ('1', '1', '1e308', '22023', 'quality', '0 to 1'),
	('''NaN''', '1', 'NULL', '22003', 'metric is NaN', ''), ('1', '''Infinity''', 'NULL', '22003', 'outcome is Infinity', ''), ('''-Infinity''', '1', 'NULL', '22003', 'metric is -Infinity', ''), ('1', '1', '''NaN''', '22003', 'quality is NaN', ''), ('1', '1', '''Infinity''', '22003', 'quality is Infinity', '')
	) AS v(x, y, q, state, message, hint);
SELECT refused(format($$SELECT am.%s(1, p, -1, 1, 5, 5) FROM generate_series(1, 30) AS p$$, f), '22023', 'metric is -1') FROM unnest(ARRAY['gaming', 'gaming_units']) AS f;
SELECT refused($$SELECT am.vanity(1, 1, 1e308, 1) FROM generate_series(1, 30)$$, '22003', 'overflow');
SELECT refused(format($$SELECT am.vanity(1, p, p, p, NULL, %L) FROM generate_series(1, 30) AS p$$, o), '22023', 'option|lag prior|target', hint) FROM (VALUES ('lag prior', 'lag prior 2..6'), ('lag prior 0..3', ''), ('lag prior 5..2', ''), ('lag prior 1..1001', ''), ('lag prior -1..3', ''),
	('lag prior 1..99999999999999999999', ''), ('lag prior 2...6', ''), ('lag prior 2..6 weeks', ''), ('target 40', 'target 40 from'), ('target 0 from 5', ''), ('target -4 from 5', ''), ('target NaN from 5', ''), ('target inf from 5', ''), ('target 1e999 from 5', ''), ('target 5 from', ''),
	('target 5 from 5.5', ''), ('target 5 from 99999999999999999999', ''), ('metric calls', 'metric ''calls'''), ('metric ''calls', 'options|^$'), ('metric ''calls'' x', ''), ('metric ''a''b''', ''), ('unit rep', ''), ('no filling', '')) AS v(o, hint);
SELECT refused(format($$SELECT am.%s(1, p, p, p, %s, %s) FROM generate_series(1, 30) AS p$$, f, a, b), state, message) FROM unnest(ARRAY['gaming', 'gaming_units']) AS f, (VALUES
	('NULL', '5', '22004', 'target_from'), ('5', '0', '22023', 'target_value'), ('5', '-3', '22023', 'target_value'), ('5', '''Infinity''', '22023', 'target_value'), ('5', '''NaN''', '22023', 'target_value'), ('p', '5', '22023', 'target_from changes'), ('5', 'p', '22023', 'target_value changes'),
	('nullif(p, 9)', '5', '22023', 'target_from changes'), ('5', 'nullif(p, 9) * 0 + 5', '22023', 'target_value changes'), ('5', '5, 0.5, ''lag prior 2..6''', '22023', 'unknown option'), ('5', '5, 0.5, ''target 4 from 4''', '22023', 'unknown option')) AS v(a, b, state, message);
SELECT refused($$SELECT am.$$ || f || $$ FROM unnest(ARRAY[0, 67108865]) AS p$$, '54000') FROM unnest(ARRAY['vanity(1, p, 1, 1)', 'gaming(1, p, 1, 1, 1, 1)', 'gaming_units(1, p, 1, 1, 1, 1)']) AS f;
SELECT refused($$SELECT * FROM am.vanity_report('wins', relation => 'w'); $$, '22023', 'calls|metric|outcome') FROM (SELECT fault($$CREATE TABLE w AS SELECT unit, period, -calls AS calls, wins FROM bad_input.weeks$$)) AS t;

-- no window functions
SELECT refused($$SELECT am.$$ || f || $$ OVER () FROM generate_series(1, 3) AS p$$, '0A000', 'window') FROM unnest(ARRAY['lead_lag(1, p, p, p, 1)', 'vanity(1, p, p, p)', 'gaming(1, p, p, p, 1, 1)', 'gaming_units(1, p, p, p, 1, 1)',
	'funnel(1::bigint, now(), ''call'', ''call -> won'')', 'funnel(''a''::text, now(), ''call'', ''call -> won'', now())', 'funnel_level(now(), ''call'', ''call -> won'')', 'funnel_times(now(), ''call'', ''call -> won'')',
	'funnel_attempts(now(), ''call'', ''call -> won'', now(), NULL, NULL)', 'funnel_of_attempts(NULL, ''call'', now())']) AS f;

-- internal functions cannot be called from SQL, with NULL or otherwise: no value of type internal can be made
SELECT isnt_empty($$SELECT 1 FROM pg_proc WHERE pronamespace = 'activity_metrics'::regnamespace AND 'internal'::regtype = ANY (proargtypes)$$, 'there are internal functions');
SELECT ok((SELECT bool_or(f.state IN ('42883', '0A000')) FROM (SELECT (fault(format('SELECT %s(%s)', p.oid::regproc, array_to_string(array_fill(v, ARRAY[p.pronargs::integer]), ', ')))).state) AS f), format('%s not with %s', p.oid::regprocedure, v))
	FROM pg_proc AS p, unnest(ARRAY['NULL', '''\x00''', '''x''']) AS v WHERE pronamespace = 'activity_metrics'::regnamespace AND prokind = 'f' AND 'internal'::regtype = ANY (proargtypes);
SELECT ok((fault(format('SELECT %s(%s)', p.oid::regproc, (SELECT string_agg(CASE WHEN t = 'internal'::regtype THEN '''\x0102''::internal' ELSE 'NULL::' || format_type(t, NULL) END, ', ' ORDER BY i) FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a(t, i))))).state
	IN ('42846', '0A000', '22P02', '42883'), format('%s not with a cast', p.oid::regprocedure))
	FROM pg_proc AS p WHERE pronamespace = 'activity_metrics'::regnamespace AND prokind = 'f' AND 'internal'::regtype = ANY (proargtypes);
SELECT is_empty($$SELECT oid::regprocedure FROM pg_proc WHERE prorettype = 'internal'::regtype AND pronamespace = 'activity_metrics'::regnamespace AND NOT 'internal'::regtype = ANY (proargtypes)$$, 'no function makes an internal value of others');
SELECT is_empty($$SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'activity_metrics'::regnamespace AND prorettype = 'internal'::regtype AND 'bytea'::regtype = ANY (proargtypes) AND NOT proisstrict$$, 'deserialisation is strict');

-- no rows
SELECT is_empty($$SELECT * FROM activity_metrics.metric_panel('none', 'none_won')$$, 'metric_panel of no events: no rows');
SELECT results_eq($$SELECT lag, n, units, r, verdict FROM activity_metrics.lead_lag_report('none', 'none_won', max_lag => 1)$$, $$VALUES (-1, 0::bigint, 0, NULL::float8, NULL), (0, 0, 0, NULL, 'insufficient_evidence'), (1, 0, 0, NULL, NULL)$$, 'lead_lag_report of no events');
SELECT results_eq($$SELECT n, verdict FROM activity_metrics.lead_lag_report('calls', 'wins', relation => 'empty_weeks') WHERE verdict IS NOT NULL$$, $$VALUES (0::bigint, 'insufficient_evidence')$$, 'lead_lag_report of an empty relation');
SELECT results_eq($$SELECT metric, n, score, verdict, sentence IS NOT NULL FROM activity_metrics.vanity_report('none_won', metrics => ARRAY['none'])$$, $$VALUES ('none', 0::bigint, 0.5::float8, 'insufficient_evidence', true)$$, 'vanity_report of no events');
SELECT results_eq($$SELECT metric, n, verdict FROM activity_metrics.vanity_report('wins', relation => 'empty_weeks')$$, $$VALUES ('calls', 0::bigint, 'insufficient_evidence')$$, 'vanity_report of an empty relation') WHERE true;
SELECT results_eq($$SELECT unit, p_gamed, share_at_target, sentence IS NOT NULL FROM activity_metrics.gaming_report('none', 'none_won')$$, $$VALUES (NULL::text, NULL::float8, NULL::float8, true)$$, 'gaming_report of no events');
SELECT results_eq($$SELECT step, reached FROM activity_metrics.funnel_report('empty_event', 'call -> won')$$, $$VALUES ('call', 0::bigint), ('won', 0)$$, 'funnel_report of no events');
SELECT is_empty($$SELECT * FROM activity_metrics.funnel_report('empty_event', 'call -> won', by => 'actor')$$, 'and by segment: none');
SELECT is_empty($$SELECT * FROM activity_metrics.funnel_trend('empty_event', 'call -> won')$$, 'funnel_trend of no events: no period');
SELECT is_empty($$SELECT * FROM activity_metrics.funnel_entities('empty_event', 'call -> won')$$, 'funnel_entities of no events: none');
SELECT results_eq($$SELECT reached_a, reached_b, difference FROM activity_metrics.funnel_compare('empty_event', 'call -> won', since_a => '2024-01-01', until_a => '2024-02-01', since_b => '2024-02-01', until_b => '2024-03-01')$$, $$VALUES (0::bigint, 0::bigint, NULL::float8), (0, 0, NULL)$$, 'funnel_compare of no events');
SELECT ok(activity_metrics.funnel_level(at, kind, 'call') IS NULL AND activity_metrics.funnel_times(at, kind, 'call') IS NULL, 'funnel_level and funnel_times of no rows: NULL') FROM empty_event;
SELECT lives_ok($$SELECT * FROM activity_metrics.attempt_report('empty_event', 'call', 'won')$$, 'attempt_report of no events');
SELECT lives_ok($$SELECT * FROM activity_metrics.attempt_report('empty_weeks', 'calls', 'wins')$$, 'attempt_report of an empty table');
SELECT ok(activity_metrics.lead_lag(1, p, 1, 1, 1) IS NULL AND activity_metrics.lead_lag(1, p, 1, 1, 5000, 'rubbish') IS NULL AND activity_metrics.vanity(1, p, -1, 1) IS NULL AND activity_metrics.gaming(1, p, 1, 1, NULL, -1) IS NULL
	AND activity_metrics.gaming_units(1, p, 1, 1, 1, 1) IS NULL, 'aggregates of no rows: NULL') FROM generate_series(1, 0) AS p;
-- rows that are all left out
SELECT results_eq($$SELECT (r).lag, (r).n, (r).units, (r).r FROM (SELECT unnest(activity_metrics.lead_lag(NULL::bigint, NULL, NULL, NULL, 1)) AS r) AS s$$, $$VALUES (-1, 0::bigint, 0, NULL::float8), (0, 0, 0, NULL), (1, 0, 0, NULL)$$, 'lead_lag of rows of NULLs');
SELECT ok((v).n = 0 AND (v).score = 0.5 AND (v).verdict = 'insufficient_evidence', 'vanity of rows of NULLs') FROM (SELECT activity_metrics.vanity(NULL::uuid, NULL, NULL, NULL, NULL, NULL) AS v) AS s;
SELECT ok((g).n_before = 0 AND (g).n_after = 0 AND (g).p_gamed IS NULL AND (g).sentence IS NOT NULL, 'gaming of rows of NULLs') FROM (SELECT activity_metrics.gaming(NULL::text, NULL, NULL, NULL, 1, NULL) AS g) AS s;
SELECT is(cardinality(activity_metrics.gaming_units(NULL::text, NULL, NULL, NULL, 1, NULL)), 0, 'gaming_units of rows of NULLs: no unit');
-- one unit, one period
SELECT ok(bool_and((r).r IS NULL AND (r).n <= 1), 'one unit and period: no lag is defined') FROM (SELECT unnest(activity_metrics.lead_lag(1, 1, 5, 5, 3)) AS r) AS s;
SELECT lives_ok(format('SELECT activity_metrics.%s', q), q) FROM unnest(ARRAY['lead_lag(1, 1, 5, 5, NULL)', 'lead_lag(1, 9223372036854775807, 5, 5, 1000)', 'vanity(1, 1, 0, 0)', 'vanity(1, -9223372036854775808, 1e308, 1e308, 1, ''target 1e308 from 9223372036854775807'')',
	'gaming(1, 1, 1, 1, 1, 1)', 'gaming_units(1, 9223372036854775807, 1, 1, -9223372036854775808, 1e308)', 'gaming(1, 1, 0, 0, 9223372036854775807, 1e-308)']) AS q;
SELECT is((g).n_before, 30::bigint, 'a target that never comes has no rows after it') FROM (SELECT activity_metrics.gaming(1, p, 1, 1, 9223372036854775807, 5) AS g FROM generate_series(1, 30) AS p) AS s;
SELECT ok((g).n_before = 10 AND (g).n_after = 20, 'very large numbers of periods are told apart') FROM (SELECT activity_metrics.gaming(1, 9007199254740992 + p, 1, 1, 9007199254740992 + 11, 5) AS g FROM generate_series(1, 30) AS p) AS s;
SELECT refused($$SELECT am.gaming(1, p, 1, 1, 9007199254740992 + p % 2, 5) FROM generate_series(1, 30) AS p$$, '22023', 'target_from changes');

-- texts of all kinds pass through, characters stay whole
CREATE FUNCTION whole(what text, c text, k integer) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce((bad_input.fault(format('SELECT convert_from(convert_to((%s).sentence, ''UTF8''), ''UTF8'') FROM weeks', replace(what, '$o', quote_literal(format('metric ''%1$s'', outcome ''%1$s'', unit ''%1$s'', grain ''%1$s''', repeat(c, k))))))).message, 'whole')
$$;
SELECT is(string_agg(format('%s times %s: %s', k, c, whole), '; ' ORDER BY c, k) FILTER (WHERE whole <> 'whole'), NULL, 'long names stay whole characters: ' || what)
	FROM unnest(ARRAY['activity_metrics.vanity(unit, period, calls, wins, NULL, $o)', 'activity_metrics.vanity(''a'', period, calls, wins, NULL, $o)', 'activity_metrics.vanity(unit, period, 0, wins, NULL, $o)', 'activity_metrics.vanity(unit, period, period, wins, NULL, $o)',
		'activity_metrics.vanity(unit, period, wins, wins, NULL, $o)', 'activity_metrics.gaming(unit, period, calls, wins, 15, 3, NULL, $o)', 'activity_metrics.gaming(unit, period, calls, wins, 99, 3, NULL, $o)']) AS what,
	unnest(ARRAY['ä', '€', '😀']) AS c, generate_series(37, 757, 80) AS k, whole(what, c, k) GROUP BY what ORDER BY what;

-- small tools
SELECT refused(query, '22023') FROM (VALUES ($$SELECT am.wilson(5, 3)$$), ($$SELECT am.wilson(-1, 3)$$), ($$SELECT am.wilson('NaN', 3)$$), ($$SELECT am.wilson(1, 'NaN')$$)) AS v(query);
SELECT ok(low IS NULL AND high IS NULL, 'wilson of nothing') FROM activity_metrics.wilson(0, 0);
SELECT is(activity_metrics.nearest_name(w, n), b, format('nearest to %s in %s', w, n)) FROM (VALUES ('a', '{}'::text[], NULL), ('a', '{NULL}', NULL), ('', '{abc,a}', 'a'), (repeat('x', 201), '{a}', NULL), ('a', ARRAY[repeat('x', 5000), 'b'], 'b'), ('ABC', '{abd,abc}', 'abc'), ('x', '{{y,x},{a,b}}', 'x')) AS v(w, n, b);
SELECT ok(activity_metrics.bar(NULL) IS NULL AND activity_metrics.bar(1, 0) IS NULL AND activity_metrics.bar(1, 1, 0) IS NULL AND activity_metrics.bar(1, -1) IS NULL, 'bar of nothing');
SELECT is(length(activity_metrics.bar(v, 1, 20, a)), 20, format('a bar of %s', v)) FROM unnest(ARRAY[-1, 0, 0.5, 1, 2, 1e308, 'Infinity', 'NaN']::double precision[]) AS v, unnest(ARRAY[false, true]) AS a;

SELECT * FROM finish();
ROLLBACK;
