-- The demo's dictionary: what a user of the extension would write down about this CRM.

-- Outcomes first: wins are what it is all for, revenue is what must not fall while they rise.
SELECT activity_metrics.define_metric('wins', 'crm.activity', 'won', kind => 'outcome', timing => 'lagging', north_star => true,
	owner => 'Head of Sales', description => 'Deals that were won, by the day of the win.',
	question => 'Do we win more deals than before?', goal => 'More deals won by the same team.',
	hypothesis => 'If wins fall, too few meetings with a decision maker were held four weeks ago.',
	next_step => 'diagnosis() tells whether effort or quality is missing, and at which step.',
	gaming_test => 'Split a deal in two, or mark it won before the contract is signed.');
SELECT activity_metrics.define_metric('revenue', 'crm.activity', 'won', agg => 'sum', kind => 'outcome', unit => 'EUR',
	timing => 'lagging', owner => 'Head of Sales', description => 'Amounts of the deals that were won.',
	question => 'Are the deals that we win worth it?', goal => 'Wins of the usual size, or larger.',
	hypothesis => 'If revenue falls while wins do not, deals are discounted or small ones are picked.',
	gaming_test => 'Book amounts that are never invoiced.');
SELECT activity_metrics.define_metric('meetings', 'crm.activity', 'meeting | decision_meeting', kind => 'outcome',
	timing => 'leading', outcome_metric => 'wins', owner => 'Head of Sales',
	description => 'Meetings that were held, with a decision maker or without.',
	question => 'Do calls get us to a table with the customer?', goal => 'Meetings that lead to a decision maker.',
	hypothesis => 'If meetings fall while calls do not, calls go to the wrong people, or are made for the number.',
	gaming_test => 'Log a corridor talk as a meeting.');

-- Activity, each with the outcome it is for and what must not fall while it rises
SELECT activity_metrics.define_metric('calls', 'crm.activity', 'call',
	target => 40, target_from => '2025-05-05 00:00+00',
	timing => 'leading', outcome_metric => 'wins', paired_with => 'meetings', owner => 'Inside sales lead',
	description => 'Calls made by a rep, whatever their length.',
	question => 'Do we talk to enough deals?', goal => 'Meetings in the week after.',
	hypothesis => 'If calls fall, ask about lists and leave before asking for more of them.',
	gaming_test => 'Call for a few seconds late on Friday until the number is reached.');
SELECT activity_metrics.define_metric('decision_meetings', 'crm.activity', 'decision_meeting',
	label => 'meetings with a decision maker',
	timing => 'leading', outcome_metric => 'wins', paired_with => 'revenue', owner => 'Head of Sales',
	description => 'Meetings held with somebody who can sign.',
	question => 'Do we reach the people who decide?', goal => 'Wins four weeks later.',
	hypothesis => 'If they fall, look at meetings without a decision maker: who asks for the next one?',
	gaming_test => 'Tick the box "decision maker" for everybody.');
SELECT activity_metrics.define_metric('emails', 'crm.activity', 'email',
	outcome_metric => 'wins', paired_with => 'meetings', owner => 'Inside sales lead',
	description => 'Emails sent by a rep.',
	question => 'Do emails move deals?', goal => 'Answers, and meetings.',
	hypothesis => 'If emails fall and nothing else does, nothing has to be done.',
	gaming_test => 'Send one text to a whole list.');
SELECT activity_metrics.define_metric('logins', 'crm.activity', 'login',
	outcome_metric => 'wins', paired_with => 'meetings', owner => 'CRM administrator',
	description => 'Log-ins to the CRM.',
	question => 'Is the CRM used?', goal => 'Notes that are up to date.',
	hypothesis => 'If log-ins fall for all reps at once, look at the single sign-on.',
	gaming_test => 'Log in and out.');

-- Values by week for dashboards, and verdicts, which the scorecard and the guard read.  They are dated
-- where the demo is looked at from: Monday 2025-12-22, before everybody leaves for Christmas.
CALL activity_metrics.refresh(verbose => false);
DELETE FROM activity_metrics.metric_assessment WHERE assessed_at = '2025-12-22 00:00+00';
SELECT metric, verdict, timing FROM activity_metrics.assess(until => '2025-12-22 00:00+00');
UPDATE activity_metrics.metric_assessment SET assessed_at = '2025-12-22 00:00+00'
WHERE assessed_at = (SELECT max(assessed_at) FROM activity_metrics.metric_assessment);
