\set SHOW_CONTEXT never
-- What users read when something is wrong: message, detail and hint.
CREATE TABLE error_event(entity bigint, at timestamptz, kind text, note text);
INSERT INTO error_event VALUES (1, '2025-01-01 00:00+00', 'call', 'x'), (1, '2025-01-02 00:00+00', 'meeting', 'x');

-- funnel specifications
SELECT * FROM activity_metrics.funnel_report('error_event', 'call -> ');
SELECT * FROM activity_metrics.funnel_report('error_event', 'call meeting');
SELECT * FROM activity_metrics.funnel_report('error_event', 'call -> meeting within 3 months');
SELECT * FROM activity_metrics.funnel_report('error_event', 'call -> meeting within');
SELECT * FROM activity_metrics.funnel_report('error_event', 'call -> meeting, strictly');
SELECT * FROM activity_metrics.funnel_report('error_event', 'call -> meeting [2 days], any order');
SELECT * FROM activity_metrics.funnel_report('error_event', 'call? -> meeting');
SELECT * FROM activity_metrics.funnel_report('error_event', NULL);

-- columns and relations
SELECT * FROM activity_metrics.funnel_report('error_event', 'call -> meeting', entity => 'deal');
SELECT * FROM activity_metrics.funnel_report('error_event', 'call -> meeting', at => 'note');
SELECT * FROM activity_metrics.funnel_report('error_event', 'call -> meeting', by => 'noet');
SELECT * FROM activity_metrics.funnel_report('no_such_event', 'call -> meeting');
SELECT * FROM activity_metrics.attempt_report('error_event', 'call', '');

-- the dictionary
SELECT activity_metrics.define_metric('Calls', 'error_event', 'call');
SELECT activity_metrics.define_metric('calls', 'error_event', 'call', agg => 'average', actor => 'entity');
SELECT activity_metrics.define_metric('calls', 'error_event', 'call', kind => 'call', actor => 'entity');
SELECT activity_metrics.define_metric('calls', 'error_event', 'call', target => 40, actor => 'entity');
SELECT activity_metrics.define_metric('calls', 'error_event', 'call');
SELECT * FROM activity_metrics.vanity_report('wins');
SELECT activity_metrics.define_metric('calls', 'error_event', 'call', actor => 'entity');
SELECT * FROM activity_metrics.metric_panel('cals', 'calls');
SELECT * FROM activity_metrics.metric_panel('calls', 'calls', 'fortnight');
SELECT * FROM activity_metrics.gaming_report('calls', 'calls');

-- values
SELECT activity_metrics.funnel(1, 'infinity', 'call', 'call -> won');
SELECT activity_metrics.lead_lag('rep', 1, 'NaN', 1, 4);
SELECT activity_metrics.lead_lag('rep', 1, 1, 1, -1);
SELECT activity_metrics.lead_lag('rep', 1, 1, 1, 4, 'no whitening');
SELECT activity_metrics.vanity('rep', 1, -1, 1);
SELECT activity_metrics.vanity('rep', 1, 1, 1, 80);
SELECT activity_metrics.vanity('rep', p, 1, 1) FROM unnest(ARRAY[1, 1735689600]) AS p;
SELECT activity_metrics.gaming('rep', 1, 1, 1, NULL, 40);
SELECT activity_metrics.period_no('2025-01-01', 'week', 'Mars/Olympus');
SELECT activity_metrics.funnel(e, '2025-01-01', 'call', spec) FROM (VALUES (1, 'call -> won'), (1, 'call -> lost')) AS v(e, spec);

-- window_funnel
SELECT activity_metrics.window_funnel('3 months', now(), true);
SELECT activity_metrics.window_funnel('-1 day', now(), true);
SELECT activity_metrics.window_funnel('1 day', 'strict', now(), true);
SELECT activity_metrics.window_funnel('1 day', 'strict order, strict_onec', now(), true);
SELECT activity_metrics.window_funnel('1 day', 'allow_reentry', now(), true);
SELECT activity_metrics.window_funnel('1 day', now(), VARIADIC array_fill(true, ARRAY[65]));
SELECT activity_metrics.window_funnel(w, now(), true) FROM unnest(ARRAY[interval '1 day', '36 hours']) AS w;
SELECT activity_metrics.window_funnel('1 day', 'infinity', true);
SELECT activity_metrics.window_funnel(NULL, now(), true);

DROP TABLE error_event;
DELETE FROM activity_metrics.metric;
