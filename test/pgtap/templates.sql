-- Every template of a metric, against a formula in plain SQL over the same events.
BEGIN;
SELECT no_plan();
CREATE SCHEMA template_test;
SET LOCAL search_path = template_test, public;
SET LOCAL client_min_messages = warning;
SET LOCAL jit = off;

SELECT setseed(0.31) IS NULL AS seeded \gset
-- every kind that a template wants, in random order, some at equal times, some not done
CREATE TABLE event AS
	SELECT i AS id, 'e' || floor(random() * 12) AS entity, k.kind, '2024-01-01Z'::timestamptz + floor(random() * 9000) * interval '1 minute' * 20 AS at,
		CASE WHEN random() < 0.9 THEN 'rep ' || floor(random() * 3) END AS actor, floor(random() * 11) AS value, CASE WHEN random() < 0.1 THEN 'No Show' END AS status
	FROM generate_series(1, 6000) AS i, LATERAL (SELECT kinds[1 + floor(random() * cardinality(kinds) + i * 0)::int] AS kind FROM (
		SELECT array_agg(DISTINCT k) AS kinds FROM activity_metrics.metric_template, regexp_split_to_table(event_kinds, ' \| ') AS k WHERE k <> '') AS all_kinds) AS k;
CREATE INDEX ON event (entity);
SELECT cmp_ok(count(DISTINCT kind)::int, '>=', 40, 'events of all kinds') FROM event;

CREATE TABLE defined AS SELECT t.template, activity_metrics.instantiate_template(t.template, 'event') AS metric FROM activity_metrics.metric_template AS t;
SELECT is(count(*), count(*) FILTER (WHERE metric = template), 'a metric has the name of its template') FROM defined;
SELECT cmp_ok(count(*)::int, '>=', 45, 'there are at least 45 templates') FROM defined;
SELECT is_empty($$SELECT metric FROM activity_metrics.metric WHERE gaming_test IS NULL OR hypothesis IS NULL OR description IS NULL OR unit IS NULL OR template <> metric$$, 'all of them say how they are gamed, and what to try');

-- events that count, with what the plain formulas need
CREATE TABLE done AS SELECT * FROM event WHERE status IS NULL;
-- seconds from the nearest start to an end, where no other end lies between
CREATE FUNCTION elapsed(e done, starts text[], ends text[]) RETURNS double precision LANGUAGE sql STABLE AS $$
	SELECT extract(epoch FROM e.at - s.at) FROM template_test.done AS s
	WHERE e.kind = ANY (ends) AND s.entity = e.entity AND s.kind = ANY (starts) AND s.at <= e.at
	AND NOT EXISTS (SELECT FROM template_test.done AS o WHERE o.entity = e.entity AND o.kind = ANY (ends) AND o.at < e.at AND o.at > s.at)
	ORDER BY s.at DESC LIMIT 1
$$;
-- events that follow this one, of those that have no nearer one of its kind before them
CREATE FUNCTION followed(e done, base text, conversion text, days integer) RETURNS double precision LANGUAGE sql STABLE AS $$
	SELECT count(*) FROM template_test.done AS c
	WHERE e.kind = base AND c.entity = e.entity AND c.kind = conversion AND c.at - e.at <= make_interval(days => days)
	AND (CASE WHEN base = conversion THEN c.at > e.at ELSE c.at >= e.at END)
	-- of several at the same time the last counts
	AND NOT EXISTS (SELECT FROM template_test.done AS o WHERE o.entity = e.entity AND o.kind = base AND (o.at, o.id) > (e.at, e.id)
		AND (CASE WHEN base = conversion THEN c.at > o.at ELSE c.at >= o.at END))
$$;
CREATE FUNCTION distinct_users(day date, days integer) RETURNS double precision LANGUAGE sql STABLE AS $$
	SELECT count(DISTINCT entity) FROM template_test.done WHERE kind = 'login' AND (at AT TIME ZONE 'UTC')::date BETWEEN day - days + 1 AND day
$$;

CREATE TABLE formula (template text, formula text);
INSERT INTO formula SELECT t, format('count(*) FILTER (WHERE kind = %L)', k) FROM (VALUES
	('calls', 'call'), ('emails', 'email'), ('conversations', 'conversation'), ('meetings_held', 'meeting'), ('demos', 'demo'), ('proposals', 'proposal'), ('leads', 'lead'), ('mqls', 'mql'),
	('opportunities_created', 'opportunity'), ('wins', 'won'), ('losses', 'lost'), ('logins', 'login'), ('sign_ups', 'signup'), ('activations', 'activated'), ('onboarding_completions', 'onboarding_completed'),
	('sessions', 'session'), ('page_views', 'page_view'), ('clicks', 'click'), ('renewals', 'renewal'), ('churned', 'churn'), ('tickets_opened', 'ticket_opened'), ('tickets_resolved', 'ticket_resolved'),
	('requests', 'request'), ('errors', 'error')) AS v(t, k);
INSERT INTO formula SELECT t, format('coalesce(sum(value) FILTER (WHERE kind = %L), 0)', k) FROM (VALUES
	('pipeline_created', 'opportunity'), ('revenue_won', 'won'), ('time_in_app', 'session'), ('acquisition_spend', 'spend'), ('costs', 'cost'), ('cash_in', 'receipt'), ('cash_out', 'payment'),
	('hours_billable', 'billable'), ('hours_available', 'available'), ('goods_sold', 'goods_sold')) AS v(t, k);
INSERT INTO formula SELECT t, format('count(DISTINCT entity) FILTER (WHERE kind = %L)', k) FROM (VALUES
	('active_users', 'login'), ('dau', 'login'), ('feature_users', 'feature_used'), ('new_customers', 'won')) AS v(t, k);
INSERT INTO formula SELECT t, format('percentile_cont(%s) WITHIN GROUP (ORDER BY value) FILTER (WHERE kind = ''request'')', p) FROM (VALUES ('latency_p50', 0.5), ('latency_p95', 0.95), ('latency_p99', 0.99)) AS v(t, p);
INSERT INTO formula SELECT t, format('percentile_cont(0.5) WITHIN GROUP (ORDER BY elapsed(e, %L, %L) / %s) ', s, f, u) FROM (VALUES
	('response_time', '{inbound}', '{reply}', 3600), ('speed_to_lead', '{lead}', '{call,email,meeting}', 60), ('sales_cycle_days', '{opportunity}', '{won}', 86400), ('time_to_resolution', '{ticket_opened}', '{ticket_resolved}', 3600)) AS v(t, s, f, u);
INSERT INTO formula SELECT t, format('sum(followed(e, %1$L, %2$L, %3$s)) / nullif(count(*) FILTER (WHERE kind = %1$L), 0)', b, c, d) FROM (VALUES
	('stage_conversion', 'meeting', 'opportunity', 90), ('activation_rate', 'signup', 'activated', 14), ('onboarding_completion', 'signup', 'onboarding_completed', 30), ('return_rate', 'login', 'login', 7)) AS v(t, b, c, d);
INSERT INTO formula VALUES
	('deals_closed', 'count(*) FILTER (WHERE kind IN (''won'', ''lost''))'), ('renewals_due', 'count(*) FILTER (WHERE kind IN (''renewal'', ''churn''))'),
	('active_days', 'count(DISTINCT (at AT TIME ZONE ''UTC'')::date)'),
	('win_rate', 'count(*) FILTER (WHERE kind = ''won'')::float8 / nullif(count(*) FILTER (WHERE kind IN (''won'', ''lost'')), 0)'),
	('retention', 'count(*) FILTER (WHERE kind = ''renewal'')::float8 / nullif(count(*) FILTER (WHERE kind IN (''renewal'', ''churn'')), 0)'),
	('churn_rate', 'count(*) FILTER (WHERE kind = ''churn'')::float8 / nullif(count(*) FILTER (WHERE kind IN (''renewal'', ''churn'')), 0)'),
	('error_rate', 'count(*) FILTER (WHERE kind = ''error'')::float8 / nullif(count(*) FILTER (WHERE kind = ''request''), 0)'),
	('average_deal_size', 'avg(value) FILTER (WHERE kind = ''won'')'), ('stock', 'avg(value) FILTER (WHERE kind = ''stock'')'),
	('mttr', 'avg(elapsed(e, ''{incident}'', ''{recovered}'')) / 3600'),
	('nps', '100.0 * sum(CASE WHEN value > 8 THEN 1 WHEN value < 7 THEN -1 ELSE 0 END) FILTER (WHERE kind = ''nps_response'') / nullif(count(*) FILTER (WHERE kind = ''nps_response''), 0)'),
	('csat', 'avg((value > 3)::int) FILTER (WHERE kind = ''csat_response'')'),
	('feature_adoption', 'count(DISTINCT entity) FILTER (WHERE kind = ''feature_used'')::float8 / nullif(count(DISTINCT entity) FILTER (WHERE kind = ''login''), 0)'),
	('cac', 'sum(value) FILTER (WHERE kind = ''spend'') / nullif(count(DISTINCT entity) FILTER (WHERE kind = ''won''), 0)'),
	('utilisation', 'sum(value) FILTER (WHERE kind = ''billable'') / nullif(sum(value) FILTER (WHERE kind = ''available''), 0)'),
	('inventory_turnover', 'sum(value) FILTER (WHERE kind = ''goods_sold'') / nullif(avg(value) FILTER (WHERE kind = ''stock''), 0)'),
	('gross_margin', '1 - sum(value) FILTER (WHERE kind = ''cost'') / nullif(sum(value) FILTER (WHERE kind = ''won''), 0)'),
	('ltv', 'avg(value) FILTER (WHERE kind = ''won'') * (1 - sum(value) FILTER (WHERE kind = ''cost'') / nullif(sum(value) FILTER (WHERE kind = ''won''), 0)) / (count(*) FILTER (WHERE kind = ''churn'')::float8 / nullif(count(*) FILTER (WHERE kind IN (''renewal'', ''churn'')), 0))'),
	('cash_balance', 'NULL'),
	('cash_runway', 'NULL'),
	('pipeline_velocity', 'count(*) FILTER (WHERE kind = ''opportunity'') * (count(*) FILTER (WHERE kind = ''won'')::float8 / nullif(count(*) FILTER (WHERE kind IN (''won'', ''lost'')), 0)) * avg(value) FILTER (WHERE kind = ''won'')
		/ nullif(percentile_cont(0.5) WITHIN GROUP (ORDER BY elapsed(e, ''{opportunity}'', ''{won}'') / 86400), 0)'),
	('wau', 'distinct_users(min((at AT TIME ZONE ''UTC'')::date), 7)'), ('mau', 'distinct_users(min((at AT TIME ZONE ''UTC'')::date), 28)'),
	('stickiness', 'count(DISTINCT entity) FILTER (WHERE kind = ''login'') / nullif(distinct_users(min((at AT TIME ZONE ''UTC'')::date), 28), 0)');
-- the last balance of a month, of one that is alone at its time
DELETE FROM event b USING event o WHERE b.kind = 'balance' AND o.kind = 'balance' AND b.at = o.at AND b.id > o.id;
DELETE FROM done WHERE id NOT IN (SELECT id FROM event);
UPDATE formula SET formula = '(SELECT value FROM done AS b WHERE b.kind = ''balance'' AND b.at = max(e.at) FILTER (WHERE e.kind = ''balance''))' WHERE template = 'cash_balance';
UPDATE formula SET formula = (SELECT formula FROM formula WHERE template = 'cash_balance') || ' / nullif(sum(value) FILTER (WHERE kind = ''payment'') - sum(value) FILTER (WHERE kind = ''receipt''), 0)' WHERE template = 'cash_runway';
SELECT bag_eq($$SELECT template FROM formula$$, $$SELECT template FROM activity_metrics.metric_template$$, 'a formula for every template');

CREATE FUNCTION plain(formula text, grain text) RETURNS TABLE (period_start date, value double precision) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT date_trunc(%L, e.at AT TIME ZONE ''UTC'')::date, (%s)::float8 FROM template_test.done AS e GROUP BY 1', grain, formula);
END;
$$;
CREATE TABLE compared AS
	SELECT f.template, c.*
	FROM formula AS f JOIN activity_metrics.metric_template AS t USING (template), LATERAL (
		SELECT coalesce(v.period_start, p.period_start) AS period_start, v.value, p.value AS plain, p.period_start IS NOT NULL AS has_events
		FROM activity_metrics.metric_values(f.template) AS v FULL JOIN plain(f.formula, t.grain) AS p ON p.period_start = v.period_start) AS c;
SELECT is_empty(format($$SELECT * FROM compared WHERE template = %L AND has_events AND (value IS NULL <> (plain IS NULL) OR abs(value - plain) > 1e-9 * (1 + abs(plain)))$$, template), 'as the plain formula: ' || template)
	FROM formula ORDER BY template;
SELECT is_empty($$SELECT template FROM compared GROUP BY template HAVING count(value) FILTER (WHERE value <> 0) < 2$$, 'and with values that are not zero');

-- other names, other kinds
CREATE VIEW renamed AS SELECT entity AS deal, upper(kind) AS what, at AT TIME ZONE 'UTC' AS happened, value AS amount, status AS state FROM event;
SELECT is(activity_metrics.instantiate_template('revenue_won', 'renamed', 'money', 'WON', entity => 'deal', kind_column => 'what', at => 'happened', value => 'amount', status => 'state', currency => 'EUR', owner => 'Ada', label => 'Money'), 'money', 'a name of its own');
SELECT results_eq($$SELECT period, value FROM activity_metrics.metric_values('money')$$, $$SELECT period, value FROM activity_metrics.metric_values('revenue_won')$$, 'renamed columns and kinds');
SELECT results_eq($$SELECT unit, currency, owner, label, template, actor_column FROM activity_metrics.metric WHERE metric = 'money'$$, $$VALUES ('EUR', 'EUR', 'Ada', 'Money', 'revenue_won', 'deal')$$, 'what was said; entities are units where there is no actor');
SELECT is(activity_metrics.instantiate_template('sales_cycle_days', 'renamed', 'cycle', 'WON', from_kinds => 'OPPORTUNITY', entity => 'deal', kind_column => 'what', at => 'happened', status => 'state'), 'cycle', 'a time of renamed kinds');
SELECT results_eq($$SELECT period, value FROM activity_metrics.metric_values('cycle') WHERE value IS NOT NULL$$, $$SELECT period, value FROM activity_metrics.metric_values('sales_cycle_days') WHERE value IS NOT NULL$$, 'as without renaming');
SELECT is(activity_metrics.instantiate_template('activation_rate', 'event', 'activation_rate_30', window_days => 30, grain => 'month'), 'activation_rate_30', 'another window');
SELECT results_eq($$SELECT window_days, grain FROM activity_metrics.metric WHERE metric = 'activation_rate_30'$$, $$VALUES (30::float8, 'month')$$, 'is in the dictionary');

-- bad input
SELECT throws_ok($$SELECT activity_metrics.instantiate_template('win_rat', 'event')$$, '22023', 'there is no template "win_rat"', 'no such template');
SELECT throws_ok($$SELECT activity_metrics.instantiate_template(NULL, 'event')$$, '22023', NULL, 'no name');
SELECT throws_ok($$SELECT activity_metrics.instantiate_template('win_rate', NULL)$$, '22004', 'no relation is given', 'no relation');
SELECT throws_ok($$SELECT activity_metrics.instantiate_template('win_rate', 'event', event_kinds => 'won')$$, '22023', 'template "win_rate" takes no event_kinds', 'kinds for a ratio');
SELECT throws_ok($$SELECT activity_metrics.instantiate_template('calls', 'event', from_kinds => 'won')$$, '22023', 'template "calls" takes no from_kinds', 'a start for a count');
SELECT throws_ok($$SELECT activity_metrics.instantiate_template('calls', 'event', window_days => 3)$$, '22023', 'template "calls" takes no window_days', 'a window for a count');
SELECT throws_ok($$SELECT activity_metrics.instantiate_template('revenue_won', 'renamed', entity => 'deal', kind_column => 'what', at => 'happened')$$, '42703', NULL, 'no column value');
SELECT throws_ok($$SELECT activity_metrics.instantiate_template('calls', 'event', 'Bad Name')$$, '22023', 'metric name "Bad Name" is not valid', 'a name that is none');
SELECT throws_ok($$SELECT activity_metrics.instantiate_template('calls', 'event', tz => 'Mars')$$, '22023', NULL, 'no such zone');
DELETE FROM activity_metrics.metric;
SELECT lives_ok($$SELECT activity_metrics.instantiate_template('pipeline_velocity', 'event')$$, 'a template makes what it needs');
SELECT set_eq($$SELECT metric FROM activity_metrics.metric$$, ARRAY['pipeline_velocity', 'opportunities_created', 'win_rate', 'wins', 'deals_closed', 'average_deal_size', 'sales_cycle_days'], 'and no more');

SELECT * FROM finish();
ROLLBACK;
