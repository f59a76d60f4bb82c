-- The demo's dictionary: what a user of the extension would write down about this CRM.

SELECT activity_metrics.define_metric('calls', 'crm.activity', 'call',
	target => 40, target_from => '2025-05-05 00:00+00');
SELECT activity_metrics.define_metric('emails', 'crm.activity', 'email');
SELECT activity_metrics.define_metric('logins', 'crm.activity', 'login');
SELECT activity_metrics.define_metric('decision_meetings', 'crm.activity', 'decision_meeting',
	label => 'meetings with a decision maker');
SELECT activity_metrics.define_metric('meetings', 'crm.activity', 'meeting | decision_meeting', kind => 'outcome');
SELECT activity_metrics.define_metric('wins', 'crm.activity', 'won', kind => 'outcome');
SELECT activity_metrics.define_metric('revenue', 'crm.activity', 'won', agg => 'sum', kind => 'outcome', unit => 'EUR');
