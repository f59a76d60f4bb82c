-- Targets and their guard, gaming tests, assess(), annotations, North Star.
BEGIN;
SELECT no_plan();
DELETE FROM activity_metrics.metric;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;
CREATE SCHEMA target_test;
SET LOCAL search_path = target_test, public;

CREATE FUNCTION fault(query text, OUT state text, OUT message text, OUT detail text, OUT hint text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE query;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END;
$$;
CREATE FUNCTION refused(query text, wanted text, said text, hinted text DEFAULT '') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	f record;
BEGIN
	SELECT * INTO f FROM fault(query);
	RETURN NEXT ok(f.state IS NOT DISTINCT FROM wanted AND f.message ~ said AND f.hint ~ hinted, format('%s refused: %s', wanted, left(query, 90)));
	IF f.state IS DISTINCT FROM wanted OR f.message !~ said OR f.hint !~ hinted THEN
		RETURN NEXT diag(format('%s: %s | %s | %s', f.state, f.message, f.detail, f.hint));
	END IF;
END;
$$;

-- 12 reps, 80 weeks: wins follow demos by 2 weeks, calls and logins are noise
SELECT setseed(0.625) IS NULL AS seeded \gset
CREATE TABLE event (actor text, kind text, at timestamptz, entity text);
INSERT INTO event
	WITH week AS (SELECT u, w, floor(random() * 4)::integer AS demos, 20 + floor(random() * 20)::integer AS calls FROM generate_series(1, 12) AS u, generate_series(0, 79) AS w)
	SELECT 'rep ' || u, kind, '2025-01-06 09:00Z'::timestamptz + make_interval(weeks => w, mins => i), 'e'
	FROM (SELECT u, w, 'demo' AS kind, demos AS n FROM week UNION ALL SELECT u, w, 'call', calls FROM week
		UNION ALL SELECT u, w, 'won', coalesce(lag(demos, 2) OVER (PARTITION BY u ORDER BY w), 0) + (random() < 0.2)::integer FROM week) AS k, generate_series(1, n) AS i;
SELECT count(activity_metrics.define_metric(m, 'event', k, kind => o)) AS defined
	FROM (VALUES ('calls', 'call', 'surface'), ('demos', 'demo', 'surface'), ('wins', 'won', 'outcome')) AS v(m, k, o) \gset

-- a surface metric without anything
SELECT refused($$SELECT * FROM activity_metrics.set_target('calls', 40, '2027-01-31', 'A. Boss')$$, '55000',
	'^a target of 40 on metric "calls" is refused: nobody has assessed whether it leads an outcome, its gaming test has not been made, no guardrail metric is paired with it$',
	'^Aim at wins, .*a verdict of leading_indicator from assess\(\); a pass of test_target\(''calls'', 40\); a pairing, paired_with = ''wins''\. .*force => true');
SELECT refused($$INSERT INTO activity_metrics.target (metric, value, due, owner, baseline, reachable_low, reachable_high, decision) VALUES ('calls', 40, '2027-01-31', 'b', 30, 20, 40, 'accepted')$$,
	'55000', 'refused: nobody has assessed');
SELECT refused($$INSERT INTO activity_metrics.target (metric, value, decision, seal) VALUES ('calls', 40, 'accepted', md5('x'))$$, '55000', 'refused');
SELECT is_empty('SELECT * FROM activity_metrics.target', 'nothing was written');

-- assess
CREATE TABLE run AS SELECT * FROM activity_metrics.assess();
SELECT set_eq('SELECT metric, verdict, timing, changed FROM run', $$VALUES ('calls', 'vanity', 'no_evidence', false), ('demos', 'leading_indicator', 'leading', false)$$, 'assess: the only outcome');
SELECT set_eq($$SELECT metric, outcome, verdict, score, lag_from, lag_to, elasticity, n, sentence FROM activity_metrics.metric_assessment$$,
	$$SELECT metric, 'wins', verdict, score, lag_from, lag_to, elasticity, n, sentence FROM activity_metrics.vanity_report('wins')$$, 'as vanity_report() has it');
SELECT set_eq($$SELECT metric, timing, timing_lag, r, q FROM activity_metrics.metric_assessment$$,
	$$SELECT metric, verdict, lag, r, q FROM activity_metrics.leading_indicators('wins')$$, 'and leading_indicators()');
UPDATE activity_metrics.metric_assessment SET verdict = 'diagnostic' WHERE metric = 'calls';
SELECT results_eq($$SELECT metric, previous, verdict, changed FROM activity_metrics.assess('wins')$$,
	$$VALUES ('calls', 'diagnostic', 'vanity', true), ('demos', 'leading_indicator', 'leading_indicator', false)$$, 'what changed comes first');
SELECT activity_metrics.define_metric('broken', 'event', 'demo');
UPDATE activity_metrics.metric SET actor_column = 'nobody' WHERE metric = 'broken';
SELECT set_eq($$SELECT metric, verdict FROM activity_metrics.assess()$$, $$VALUES ('calls', 'vanity'), ('demos', 'leading_indicator'), ('broken', NULL)$$, 'a broken metric does not stop the others');
SELECT matches(sentence, '^Not assessed: column "nobody" of metric "broken"', 'and says why') FROM activity_metrics.assess() WHERE metric = 'broken';
DELETE FROM activity_metrics.metric WHERE metric = 'broken';
SELECT refused($$SELECT * FROM activity_metrics.assess('winz')$$, '42704', 'winz', 'Did you mean "wins"');
SELECT refused($$SELECT * FROM activity_metrics.assess(grain => 'fortnight')$$, '22023', 'fortnight');
SELECT refused($$SELECT * FROM activity_metrics.assess(since => '2026-01-01', until => '2025-01-01')$$, '22023', 'since');

-- verdict first
SELECT refused($$SELECT * FROM activity_metrics.set_target('calls', 40)$$, '55000', 'its verdict is vanity, its gaming test');
SELECT matches((fault($$SELECT * FROM activity_metrics.set_target('calls', 40)$$)).detail, '^assess\(\) of .* against wins: vanity, score .*test_target\(\) has no result on it\.$', 'with the evidence');
SELECT refused($$SELECT * FROM activity_metrics.set_target('demos', 3)$$, '55000', 'refused: its gaming test has not been made, no guardrail', 'makes a target on demos defensible: a pass of test_target\(''demos'', 3\); a pairing');

-- the gaming test
SELECT refused($$UPDATE activity_metrics.metric SET gaming_result = 'pass' WHERE metric = 'calls'$$, '55000', 'not written by hand', 'test_target\(''calls''');
SELECT refused($$UPDATE activity_metrics.metric SET gaming_result = 'pass', gaming_seal = md5('pass') WHERE metric = 'calls'$$, '55000', 'not written by hand');
SELECT results_eq($$SELECT verdict, recorded, proof_low > 0 FROM activity_metrics.test_target('demos', 3, 'wins')$$, $$VALUES ('pass', 'pass', true)$$, 'demos pass');
SELECT results_eq($$SELECT verdict, proof, proof_low, proof_high, n, sentence FROM activity_metrics.test_target('calls', 35, 'wins')$$,
	$$SELECT verdict, proof, proof_low, proof_high, n, sentence FROM activity_metrics.target_check('calls', 35, 'wins')$$, 'as of target_check()');
SELECT is((SELECT activity_metrics.record_gaming_test('calls', 35, 'fail', -0.1)), 'fail', 'calls do not');
SELECT set_eq($$SELECT metric, gaming_result, gaming_value FROM activity_metrics.metric$$, $$VALUES ('calls', 'fail', 35::float8), ('demos', 'pass', 3), ('wins', 'untested', NULL)$$, 'what is recorded');
SELECT refused($$UPDATE activity_metrics.metric SET gaming_result = 'pass' WHERE metric = 'calls'$$, '55000', 'not written by hand');
SELECT refused($$UPDATE activity_metrics.metric AS c SET (gaming_result, gaming_value, gaming_low, gaming_at, gaming_seal)
	= (SELECT d.gaming_result, d.gaming_value, d.gaming_low, d.gaming_at, d.gaming_seal FROM activity_metrics.metric d WHERE d.metric = 'demos') WHERE c.metric = 'calls'$$, '55000', 'not written by hand');
SELECT refused($$SELECT * FROM activity_metrics.set_target('calls', 35)$$, '55000', 'it has failed its gaming test');
SELECT is((SELECT activity_metrics.record_gaming_test('demos', 1000, 'insufficient', NULL)), 'pass', 'too little to decide by undoes nothing');
SELECT refused($$SELECT * FROM activity_metrics.set_target('demos', 6)$$, '55000', 'its gaming test was made at 3, not near 6');

-- the pairing
SELECT refused($$SELECT * FROM activity_metrics.set_target('demos', 3)$$, '55000', 'refused: no guardrail metric is paired with it$');
UPDATE activity_metrics.metric SET paired_with = 'wins', owner = 'A. Boss' WHERE metric = 'demos';
SELECT refused($$SELECT * FROM activity_metrics.set_target('demos', 3)$$, '22023', 'not complete: due is missing');
CREATE TABLE was_set AS SELECT * FROM activity_metrics.set_target('demos', 3, '2027-03-31', starts_at => '2026-06-01Z');
SELECT results_eq('SELECT metric, value, due, owner, unit, grain, starts_at, reason, decision, set_by FROM was_set',
	$$VALUES ('demos', 3::float8, '2027-03-31'::date, 'A. Boss', '(each)', 'week', '2026-06-01Z'::timestamptz, NULL::text, 'accepted', current_user::text COLLATE "default")$$, 'a leading, tested and paired metric may have a target');
SELECT results_eq('SELECT metric, value, due, owner, unit, grain, starts_at, baseline, reachable_low, reachable_high, decision, evidence FROM was_set',
	'SELECT metric, value, due, owner, unit, grain, starts_at, baseline, reachable_low, reachable_high, decision, evidence FROM activity_metrics.target', 'which is recorded');
SELECT results_eq('SELECT baseline, reachable_low, reachable_high FROM was_set', $$
	WITH cell AS (SELECT v.period, v.value FROM activity_metrics.metric_values('demos', NULL, '2026-06-01Z', 'week', 'unit') AS v WHERE is_complete)
	SELECT avg(value) FILTER (WHERE period > (SELECT max(period) FROM cell) - 8), percentile_disc(0.1) WITHIN GROUP (ORDER BY value), percentile_disc(0.9) WITHIN GROUP (ORDER BY value) FROM cell$$,
	'baseline and range are of the periods before it');

-- outcomes
SELECT refused($$SELECT * FROM activity_metrics.set_target('wins', 4)$$, '22023', 'not complete: owner, due are missing$');
SELECT refused($$INSERT INTO activity_metrics.target (metric, value, decision) VALUES ('wins', 4, 'accepted')$$, '22023', 'owner, due, baseline, reachable_low and reachable_high are missing');
SELECT refused($$SELECT * FROM activity_metrics.set_target('wins', 4, '2020-01-01', 'A. Boss')$$, '22023', 'due on 2020-01-01, before it starts');
SELECT is((SELECT decision FROM activity_metrics.set_target('wins', 40, '2027-03-31', 'A. Boss', unit => '(all)')), 'accepted', 'an outcome may have one');
SELECT is((SELECT decision FROM activity_metrics.set_target('wins', 4, '2027-03-31', 'A. Boss', unit => 'rep 3')), 'accepted', 'so may a rep');
SELECT is((SELECT t.baseline FROM activity_metrics.target t WHERE unit = 'rep 3'), (SELECT avg(value) FROM (SELECT value FROM activity_metrics.metric_values('wins', by => 'unit') WHERE unit = 'rep 3' AND is_complete
	ORDER BY period DESC LIMIT 8) AS s), 'measured on their own weeks');
SELECT matches((SELECT evidence FROM activity_metrics.set_target('wins', 4000, '2027-03-31', 'A. Boss')), '4000 is outside of what 80 % of the periods reached', 'what was never reached is said');
INSERT INTO activity_metrics.metric_assessment (metric, outcome, grain, verdict, assessed_at) VALUES ('wins', 'demos', 'week', 'vanity', now() + interval '1 day');
SELECT refused($$SELECT * FROM activity_metrics.set_target('wins', 5, '2027-03-31', 'A. Boss')$$, '55000', 'refused: its verdict is vanity$');
DELETE FROM activity_metrics.metric_assessment WHERE metric = 'wins';

-- a surface metric by another name
SELECT activity_metrics.define_metric('dials', 'event', 'call', kind => 'outcome', unit => 'count') \gset
SELECT refused($$SELECT * FROM activity_metrics.set_target('dials', 40, '2027-03-31', 'A. Boss')$$, '55000', 'refused: it counts the same as calls, a surface metric$', 'Aim at ');
DELETE FROM activity_metrics.metric WHERE metric = 'dials';
SAVEPOINT relabelled;
UPDATE activity_metrics.metric_assessment SET assessed_at = assessed_at - interval '1 day', verdict = 'diagnostic' WHERE metric = 'calls';
UPDATE activity_metrics.metric SET kind = 'outcome' WHERE metric = 'calls';
SELECT is((SELECT change FROM activity_metrics.metric_history WHERE metric = 'calls' ORDER BY definition_version DESC LIMIT 1), 'kind: surface -> outcome', 'the history has the kind');
SELECT refused($$SELECT * FROM activity_metrics.set_target('calls', 40, '2027-03-31', 'A. Boss')$$, '55000', 'refused: it was assessed as a surface metric, and .* called it an outcome on ');
DELETE FROM activity_metrics.metric_assessment WHERE metric = 'calls';
SELECT is((SELECT decision FROM activity_metrics.set_target('calls', 40, '2027-03-31', 'A. Boss')), 'accepted', 'a kind that is corrected before anybody looked');
ROLLBACK TO SAVEPOINT relabelled;

-- force
SELECT refused($$SELECT * FROM activity_metrics.set_target('calls', 40, force => true)$$, '22023', 'needs a reason');
SELECT refused($$SELECT * FROM activity_metrics.set_target('calls', 40, force => true, reason => '  ')$$, '22023', 'needs a reason');
SELECT results_eq($$SELECT decision, reason, set_by, evidence LIKE 'Against the guard: its verdict is vanity, it has failed its gaming test, no guardrail metric is paired with it. assess() of %'
	FROM activity_metrics.set_target('calls', 40, force => true, reason => 'the board wants it', starts_at => '2026-01-05Z')$$,
	$$VALUES ('forced', 'the board wants it', current_user::text COLLATE "default", true)$$, 'force records who, why and against what');
-- the watch
SELECT isnt((SELECT p_gamed FROM activity_metrics.vanity_report('wins', metrics => '{calls}')), NULL, 'vanity_report() tests it from its date on');
SELECT results_eq($$SELECT sentence FROM activity_metrics.gaming_report('calls', 'wins') WHERE unit IS NULL$$,
	$$SELECT (activity_metrics.gaming(unit, period, x, y, activity_metrics.period_no('2026-01-05Z'), 40, quality, 'metric ''calls'', outcome ''wins'', unit ''rep'', grain ''week''')).sentence
		FROM activity_metrics.metric_panel('calls', 'wins') WHERE is_complete$$, 'so does gaming_report()');
SELECT refused($$SELECT * FROM activity_metrics.gaming_report('product_demos', 'wins', 'day')$$, '42704', 'product_demos');
-- what is counted in another way from a date on is not taken for gaming
SELECT is(activity_metrics.definition_change_option('calls', 'week', 'UTC'), '', 'no change of definition');
SELECT activity_metrics.annotate('calls', '2026-01-14Z', 'texts count too', 'definition changed') IS NOT NULL AS noted1, activity_metrics.annotate('demos', '2026-02-14Z', 'other', 'definition changed') IS NOT NULL AS noted2, activity_metrics.annotate('calls', '2026-03-14Z', 'an event') IS NOT NULL AS noted3 \gset
SELECT is(activity_metrics.definition_change_option('calls', 'week', 'UTC'), ', definition changed ' || activity_metrics.period_no('2026-01-14Z'), 'its date goes to the aggregates');
SELECT results_eq($$SELECT p_gamed, sentence FROM activity_metrics.gaming_report('calls', 'wins') WHERE unit IS NULL$$,
	$$SELECT (g).p_gamed, (g).sentence FROM (SELECT activity_metrics.gaming(unit, period, x, y, activity_metrics.period_no('2026-01-05Z'), 40, quality, format('definition changed %s, metric ''calls'', outcome ''wins'', unit ''rep'', grain ''week''', activity_metrics.period_no('2026-01-14Z'))) AS g
		FROM activity_metrics.metric_panel('calls', 'wins') WHERE is_complete) AS s$$, 'of gaming_report()');
SELECT is((SELECT p_gamed FROM activity_metrics.vanity_report('wins', metrics => '{calls}')), (SELECT p_gamed FROM activity_metrics.gaming_report('calls', 'wins') WHERE unit IS NULL), 'and of vanity_report()');
DELETE FROM activity_metrics.annotation;

-- one in force; the one before ends
SELECT is((SELECT count(*) FROM activity_metrics.set_target('calls', 45, force => true, reason => 'more', starts_at => '2026-05-04Z')), 1::bigint, 'a new target');
SELECT results_eq($$SELECT value, starts_at, ended_at FROM activity_metrics.target WHERE metric = 'calls' ORDER BY starts_at$$,
	$$VALUES (40::float8, '2026-01-05Z'::timestamptz, '2026-05-04Z'::timestamptz), (45, '2026-05-04Z', NULL)$$, 'ends the one before');
SELECT is((SELECT array_agg((activity_metrics.target_in_force('calls', at)).value ORDER BY at) FROM unnest(ARRAY['2026-01-04Z', '2026-01-05Z', '2026-05-03Z', '2026-05-04Z', '2026-10-01Z']::timestamptz[]) AS at),
	ARRAY[NULL, 40, 40, 45, 45]::float8[], 'in force from its start to before its end');
SELECT refused($$SELECT * FROM activity_metrics.set_target('calls', 50, force => true, reason => 'more', starts_at => '2026-05-04Z')$$, '22023', 'has a target of 45 since');
SELECT refused($$SELECT * FROM activity_metrics.set_target('calls', 50, force => true, reason => 'more', starts_at => '2025-05-04Z')$$, '22023', 'has a target of 45 since');
SELECT refused($$INSERT INTO activity_metrics.target (metric, value, decision, reason, starts_at) VALUES ('calls', 50, 'forced', 'x', now())$$, '23505', 'target_in_force');

-- history is not changed
SELECT refused('UPDATE activity_metrics.target SET ' || change || $$ WHERE metric = 'calls' AND ended_at IS NULL$$, '55000', 'not changed once it is set', 'set_target') FROM unnest(ARRAY['value = 30', 'decision = ''accepted''',
	'set_by = ''x''', 'reason = ''y''', 'starts_at = now()', 'metric = ''demos''', 'evidence = NULL', 'value = value + 1, ended_at = now()']) AS change;
SELECT refused($$UPDATE activity_metrics.target SET ended_at = NULL WHERE metric = 'calls' AND value = 40$$, '55000', 'not changed once it is set');
SELECT lives_ok($$UPDATE activity_metrics.target SET ended_at = '2026-10-01Z' WHERE metric = 'calls' AND value = 45$$, 'a target is ended');
SELECT refused($$SELECT * FROM activity_metrics.set_target('calls', 50, force => true, reason => 'more', starts_at => '2026-08-01Z')$$, '22023', 'until .*which is after');
SELECT ok(t.seal = activity_metrics.target_seal(t), 'and sealed: ' || metric || unit) FROM activity_metrics.target t;

-- restored rows pass, whoever restores them and whatever the dictionary says now
CREATE TABLE backup AS TABLE activity_metrics.target;
DELETE FROM activity_metrics.target;
SET LOCAL timezone = 'Asia/Kolkata';
SET LOCAL datestyle = 'German';
SET LOCAL extra_float_digits = -10;
SELECT lives_ok('INSERT INTO activity_metrics.target SELECT * FROM backup', 'recorded targets are restored');
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO';
SET LOCAL extra_float_digits = 1;
SELECT set_eq('TABLE activity_metrics.target', 'TABLE backup', 'as they were');
DELETE FROM activity_metrics.target;
SELECT refused('INSERT INTO activity_metrics.target SELECT b.metric, unit, starts_at, value + 1, grain, due, b.owner, b.baseline, reachable_low, reachable_high, ended_at, ''accepted'', reason, evidence, set_by, set_at, seal FROM backup b WHERE metric = ''calls'' AND value = 40',
	'55000', 'a target of 41 on metric "calls" is refused');
INSERT INTO activity_metrics.target SELECT * FROM backup;

-- renaming, another formula
UPDATE activity_metrics.metric SET metric = 'product_demos' WHERE metric = 'demos';
SELECT results_eq($$SELECT m.gaming_result, m.gaming_seal = activity_metrics.gaming_seal(m), t.value, t.seal = activity_metrics.target_seal(t) FROM activity_metrics.metric m JOIN activity_metrics.target t USING (metric) WHERE metric = 'product_demos'$$,
	$$VALUES ('pass', true, 3::float8, true)$$, 'a renamed metric keeps its test and its targets');
UPDATE activity_metrics.metric SET label = 'demos held', owner = 'B. Boss' WHERE metric = 'product_demos';
SELECT is(gaming_result, 'pass', 'another label changes nothing') FROM activity_metrics.metric WHERE metric = 'product_demos';
UPDATE activity_metrics.metric SET event_kinds = 'call' WHERE metric = 'product_demos';
SELECT is((gaming_result, gaming_value, gaming_low, gaming_at, gaming_seal)::text, '(untested,,,,)', 'another formula was not tested') FROM activity_metrics.metric WHERE metric = 'product_demos';

-- define_metric
SELECT activity_metrics.define_metric('emails', 'event', 'demo', target => 20, target_from => '2026-01-05Z');
SELECT results_eq($$SELECT value, unit, starts_at, grain, decision, reason FROM activity_metrics.target WHERE metric = 'emails'$$,
	$$VALUES (20::float8, '(each)', '2026-01-05Z'::timestamptz, 'week', 'forced', 'in force when the metric was defined')$$, 'define_metric() records a target that was there');
SELECT activity_metrics.define_metric('emails', 'event', 'demo', target => 20, target_from => '2026-01-05Z'), activity_metrics.define_metric('emails', 'event', 'demo');
SELECT is(count(*), 1::bigint, 'once; defining again leaves it') FROM activity_metrics.target WHERE metric = 'emails' AND ended_at IS NULL;

-- bad input
SELECT refused('SELECT * FROM activity_metrics.set_target(' || arguments || ')', state, said) FROM (VALUES
	($$'wims', 4$$, '42704', 'wims'), ($$NULL, 4$$, '42704', ''), ($$'wins', NULL$$, '22004', 'value is null'), ($$'wins', 'NaN'$$, '22023', 'not finite'), ($$'wins', 'Infinity'$$, '22023', 'not finite'),
	($$'wins', 4, 'infinity'$$, '22023', 'not finite'), ($$'wins', 4, starts_at => 'infinity'$$, '22023', 'not finite'), ($$'wins', 4, unit => NULL$$, '22004', 'unit is null'), ($$'wins', 4, grain => 'fortnight'$$, '22023', 'fortnight'),
	($$'wins', 4, '2027-01-01', 'x', unit => 'nobody'$$, '22023', 'baseline')) AS v(arguments, state, said);
SELECT refused($$SELECT activity_metrics.record_gaming_test('wins', 4, 'splendid', 0.1)$$, '22023', 'splendid');
SELECT refused($$SELECT * FROM activity_metrics.test_target('calls', NULL)$$, '22004', 'value is null');
SELECT refused($$INSERT INTO activity_metrics.target (metric, value, decision) VALUES ('nothing', 4, 'forced')$$, '42704', 'nothing');
SELECT refused($$INSERT INTO activity_metrics.target (metric, decision) VALUES ('wins', 'forced')$$, '22004', 'a metric and a value');

-- annotations
SELECT results_eq($$SELECT metric, at, note, kind, unit FROM activity_metrics.annotate('calls', '2026-03-02Z', ' new phones ')$$, $$VALUES ('calls', '2026-03-02Z'::timestamptz, 'new phones', 'event', NULL::text)$$, 'annotate');
SELECT is((SELECT count(*) FROM activity_metrics.annotation), 1::bigint, 'which is recorded');
SELECT lives_ok($$SELECT activity_metrics.annotate(NULL, now(), 'Christmas', 'holiday', 'rep 1')$$, 'of all metrics');
SELECT refused('SELECT activity_metrics.annotate(' || arguments || ')', state, said, hint) FROM (VALUES
	($$'cals', now(), 'x'$$, '42704', 'cals', 'calls'), ($$'calls', NULL, 'x'$$, '22004', 'at is null', ''), ($$'calls', now(), NULL$$, '22004', 'note is null', ''), ($$'calls', now(), '  '$$, '22004', 'note', ''),
	($$'calls', 'infinity', 'x'$$, '22023', 'not finite', ''), ($$'calls', now(), 'x', 'holyday'$$, '22023', 'holyday', 'Did you mean "holiday"'), ($$'calls', now(), 'x', NULL$$, '22023', 'unknown kind', '')) AS v(arguments, state, said, hint);

-- one North Star
SAVEPOINT star;
UPDATE activity_metrics.metric SET is_north_star = false, outcome_metric = NULL;
SELECT activity_metrics.define_metric('other', 'event', 'won', filter => 'entity IS NOT NULL', kind => 'outcome') \gset
SELECT refused($$SELECT * FROM activity_metrics.target_check('calls', 30)$$, '22023', 'not known what metric "calls" should bring');
SELECT is(activity_metrics.set_north_star('wins'), 'wins', 'the North Star');
SELECT is((SELECT outcome FROM activity_metrics.target_check('calls', 30)), 'wins', 'is what metrics should bring');
ROLLBACK TO SAVEPOINT star;
SELECT is(activity_metrics.set_north_star('wins'), 'wins', 'the North Star');
SELECT activity_metrics.define_metric('deals', 'event', 'won', kind => 'outcome');
SELECT refused($$UPDATE activity_metrics.metric SET is_north_star = true WHERE metric = 'deals'$$, '23505', '^scope "company" has a North Star already: wins$', 'set_north_star\(''deals''\)');
SELECT is(activity_metrics.leading_outcome(), 'wins', 'leads');
SELECT is(activity_metrics.set_north_star('deals'), 'deals', 'is exchanged');
SELECT is((SELECT string_agg(metric, ',') FROM activity_metrics.metric WHERE is_north_star), 'deals', 'for another');
SELECT is(activity_metrics.leading_outcome(), 'deals', 'which leads');
SELECT lives_ok($$UPDATE activity_metrics.metric SET metric = 'won_deals' WHERE metric = 'deals'$$, 'it may be renamed');
SELECT refused($$UPDATE activity_metrics.metric SET is_north_star = true, scope = 'east' WHERE metric = 'calls'$$, '55000', 'is a surface metric, and no North Star');
SELECT lives_ok($$UPDATE activity_metrics.metric SET scope = 'north', is_north_star = true WHERE metric = 'wins'$$, 'another scope has its own');
SELECT is(activity_metrics.leading_outcome(), 'won_deals', 'the company''s goes first');
SELECT refused($$SELECT activity_metrics.set_north_star('calls')$$, '55000', 'surface');
SELECT refused($$SELECT activity_metrics.set_north_star('wims')$$, '42704', 'wims');
UPDATE activity_metrics.metric SET is_north_star = false;
SELECT refused($$SELECT activity_metrics.leading_outcome()$$, '55000', 'not known which outcome', 'set_north_star');

SELECT * FROM finish();
ROLLBACK;
