--
-- Metrics that others use too, ready to be filled with one's own events.
--

CREATE FUNCTION activity_metrics.template_rows() RETURNS TABLE (
	template text, label text, unit text, kind text, timing text, direction text, type text, agg text, event_kinds text, from_kinds text, value_of text,
	numerator text, denominator text, base_metric text, conversion_metric text, expr text, window_days double precision, grain text,
	description text, gaming_test text, hypothesis text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 75 SET search_path = pg_catalog, pg_temp AS $$
	VALUES
	('calls', 'Calls', 'count', 'surface', 'leading', 'up', 'simple', 'count', 'call', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Calls made.', 'Dial and hang up: calls rise, conversations do not.', 'Fewer hours on the phone, or a list that has run dry.'),
	('emails', 'E-mails', 'count', 'surface', 'leading', 'up', 'simple', 'count', 'email', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'E-mails sent.', 'Send the same text to everybody: e-mails rise, replies do not.', 'A campaign has ended, or people write elsewhere.'),
	('conversations', 'Conversations', 'count', 'surface', 'leading', 'up', 'simple', 'count', 'conversation', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Calls or chats in which somebody answered.', 'Log a voice mail as a conversation.', 'Look at calls: fewer of them, or worse numbers to call.'),
	('meetings_held', 'Meetings held', 'count', 'surface', 'leading', 'up', 'simple', 'count', 'meeting', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Meetings that took place; planned, cancelled and missed ones do not count.', 'Split one meeting into three, or meet people who cannot buy.', 'Look at conversations two weeks before.'),
	('demos', 'Demos', 'count', 'surface', 'leading', 'up', 'simple', 'count', 'demo', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Product demonstrations given.', 'Show the product to anybody who will watch.', 'Look at meetings held, and who may give demos.'),
	('proposals', 'Proposals', 'count', 'surface', 'leading', 'up', 'simple', 'count', 'proposal', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Proposals sent.', 'Send a proposal nobody has asked for.', 'Look at demos and at the time that a proposal takes.'),
	('active_days', 'Active days', 'days', 'surface', 'leading', 'up', 'simple', 'expr', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'pg_catalog.count(DISTINCT pg_catalog.timezone({tz}, {at})::pg_catalog.date)', NULL, 'week',
		'Days with at least one event.', 'One event a day is enough.', 'Leave, illness, or work that is not logged.'),
	('response_time', 'Response time', 'hours', 'surface', 'leading', 'down', 'elapsed', 'median', 'reply', 'inbound', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Median hours from a message that came in to the first reply.', 'Answer at once with nothing.', 'More messages, or fewer people to answer them.'),
	('speed_to_lead', 'Speed to lead', 'minutes', 'surface', 'leading', 'down', 'elapsed', 'median', 'call | email | meeting', 'lead', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Median minutes from a new lead to the first touch.', 'An automatic e-mail is a touch.', 'Leads come in outside working hours, or nobody owns them.'),
	('leads', 'Leads', 'count', 'surface', 'leading', 'up', 'simple', 'count', 'lead', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Leads that came in.', 'Buy a list.', 'A source has dried up: count by segment.'),
	('mqls', 'Marketing qualified leads', 'count', 'surface', 'leading', 'up', 'simple', 'count', 'mql', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Leads that marketing calls qualified.', 'Lower the bar for qualified.', 'Look at leads, and at the bar.'),
	('opportunities_created', 'Opportunities created', 'count', 'surface', 'leading', 'up', 'simple', 'count', 'opportunity', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Opportunities opened.', 'Open one for every contact.', 'Look at meetings held before.'),
	('pipeline_created', 'Pipeline created', 'currency', 'surface', 'leading', 'up', 'simple', 'sum', 'opportunity', NULL, 'value', NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Value of the opportunities opened.', 'Put large amounts on opportunities that will not close.', 'Fewer opportunities, or smaller ones: look at both.'),
	('wins', 'Deals won', 'count', 'outcome', 'lagging', 'up', 'simple', 'count', 'won', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Deals won.', 'Split a deal, or give it away.', 'Look at the pipeline created one sales cycle before.'),
	('losses', 'Deals lost', 'count', 'outcome', 'lagging', 'down', 'simple', 'count', 'lost', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Deals lost.', 'Never close a deal that is dead.', 'Ask why: price, product, or no decision.'),
	('deals_closed', 'Deals closed', 'count', 'outcome', 'lagging', 'up', 'simple', 'count', 'won | lost', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Deals that were decided, won or lost.', 'Close what should stay open.', 'Deals are waiting: look at their age.'),
	('win_rate', 'Win rate', 'ratio', 'outcome', 'lagging', 'up', 'ratio', NULL, NULL, NULL, NULL, 'wins', 'deals_closed', NULL, NULL, NULL, NULL, 'week',
		'Deals won of those decided in the period.', 'Never close what is lost: the rate rises, the money does not.', 'Worse leads, or a competitor: compare segments.'),
	('revenue_won', 'Revenue won', 'currency', 'outcome', 'lagging', 'up', 'simple', 'sum', 'won', NULL, 'value', NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Value of the deals won.', 'Pull deals forward by discounts.', 'Fewer wins or smaller ones: look at both.'),
	('average_deal_size', 'Average deal size', 'currency', 'outcome', 'lagging', 'up', 'simple', 'avg', 'won', NULL, 'value', NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Mean value of a deal won.', 'Lose the small deals.', 'Discounts, or smaller customers.'),
	('sales_cycle_days', 'Sales cycle', 'days', 'outcome', 'lagging', 'down', 'elapsed', 'median', 'won', 'opportunity', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Median days from an opportunity to its win.', 'Open the opportunity on the day of the win.', 'A step takes longer: look at stage times in a funnel.'),
	('pipeline_velocity', 'Pipeline velocity', 'currency', 'outcome', 'leading', 'up', 'derived', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'opportunities_created * win_rate * average_deal_size / sales_cycle_days', NULL, 'month',
		'Money that the pipeline brings per day: opportunities x win rate x deal size / cycle.', 'Each of its four parts can be bent.', 'See which of the four parts moved.'),
	('stage_conversion', 'Stage conversion', 'ratio', 'outcome', 'leading', 'up', 'conversion', NULL, NULL, NULL, NULL, NULL, NULL, 'meetings_held', 'opportunities_created', NULL, 90, 'week',
		'Meetings that an opportunity follows within 90 days.', 'Hold fewer, surer meetings.', 'Look at who is met.'),
	('logins', 'Log-ins', 'count', 'surface', 'leading', 'up', 'simple', 'count', 'login', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Log-ins.', 'Log people out.', 'Look at active users: fewer people or fewer visits.'),
	('active_users', 'Active users', 'count', 'outcome', 'leading', 'up', 'simple', 'count_distinct', 'login', NULL, 'entity', NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Entities that logged in during the period.', 'Count a push message that was opened by mistake.', 'Fewer new ones or fewer who return: look at sign-ups and return rate.'),
	('dau', 'Daily active users', 'count', 'outcome', 'leading', 'up', 'simple', 'count_distinct', 'login', NULL, 'entity', NULL, NULL, NULL, NULL, NULL, NULL, 'day',
		'Entities that logged in on the day.', 'Daily streaks without use.', 'Compare the same day of last week.'),
	('wau', 'Weekly active users', 'count', 'outcome', 'leading', 'up', 'cumulative', NULL, NULL, NULL, NULL, NULL, NULL, 'dau', NULL, NULL, 7, 'day',
		'Entities that logged in during the last 7 days.', 'As daily active users.', 'Look at sign-ups and at the return rate.'),
	('mau', 'Monthly active users', 'count', 'outcome', 'leading', 'up', 'cumulative', NULL, NULL, NULL, NULL, NULL, NULL, 'dau', NULL, NULL, 28, 'day',
		'Entities that logged in during the last 28 days.', 'One log-in a month is enough.', 'Look at sign-ups and at the return rate.'),
	('stickiness', 'Stickiness', 'ratio', 'outcome', 'leading', 'up', 'ratio', NULL, NULL, NULL, NULL, 'dau', 'mau', NULL, NULL, NULL, NULL, 'day',
		'Daily active users of the monthly ones.', 'Lose those who come seldom.', 'People come less often: which feature do they leave?'),
	('sign_ups', 'Sign-ups', 'count', 'surface', 'leading', 'up', 'simple', 'count', 'signup', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'New accounts.', 'Give something away for an account.', 'Look at page views and their source.'),
	('activations', 'Activations', 'count', 'surface', 'leading', 'up', 'simple', 'count', 'activated', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Accounts that reached their first success.', 'Call less a success.', 'Look at sign-ups two weeks before.'),
	('activation_rate', 'Activation rate', 'ratio', 'outcome', 'leading', 'up', 'conversion', NULL, NULL, NULL, NULL, NULL, NULL, 'sign_ups', 'activations', NULL, 14, 'week',
		'Sign-ups with their first success within 14 days.', 'Call less a success.', 'A step of the start is broken: run a funnel.'),
	('onboarding_completions', 'Onboardings completed', 'count', 'surface', 'leading', 'up', 'simple', 'count', 'onboarding_completed', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Accounts that went through all of onboarding.', 'Leave out steps.', 'Look at sign-ups a month before.'),
	('onboarding_completion', 'Onboarding completion', 'ratio', 'outcome', 'leading', 'up', 'conversion', NULL, NULL, NULL, NULL, NULL, NULL, 'sign_ups', 'onboarding_completions', NULL, 30, 'week',
		'Sign-ups that complete onboarding within 30 days.', 'Let people skip.', 'Find the step at which people leave: run a funnel.'),
	('feature_users', 'Users of the feature', 'count', 'surface', 'leading', 'up', 'simple', 'count_distinct', 'feature_used', NULL, 'entity', NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Entities that used the feature.', 'Open the feature by itself.', 'Has it moved, or does it fail?'),
	('feature_adoption', 'Feature adoption', 'ratio', 'outcome', 'leading', 'up', 'ratio', NULL, NULL, NULL, NULL, 'feature_users', 'active_users', NULL, NULL, NULL, NULL, 'week',
		'Active users who used the feature in the period.', 'Open the feature by itself.', 'Ask those who stopped.'),
	('return_rate', 'Return rate', 'ratio', 'outcome', 'leading', 'up', 'conversion', NULL, NULL, NULL, NULL, NULL, NULL, 'logins', 'logins', NULL, 7, 'week',
		'Log-ins that another one of the same entity follows within 7 days.', 'Log people out.', 'Look at what the last visit failed at.'),
	('sessions', 'Sessions', 'count', 'surface', 'leading', 'up', 'simple', 'count', 'session', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Sessions begun.', 'A shorter time-out makes more sessions.', 'Look at active users.'),
	('page_views', 'Page views', 'count', 'surface', 'leading', 'up', 'simple', 'count', 'page_view', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Pages shown.', 'Split pages.', 'Look at sources of traffic.'),
	('clicks', 'Clicks', 'count', 'surface', 'leading', 'up', 'simple', 'count', 'click', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Clicks.', 'Hide the button and make people search.', 'Look at page views.'),
	('time_in_app', 'Time in the app', 'seconds', 'surface', 'leading', 'up', 'simple', 'sum', 'session', NULL, 'value', NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Sum of the lengths of sessions; value is seconds.', 'Make everything slower.', 'Is the work done faster, or not at all? Look at what gets done.'),
	('renewals', 'Renewals', 'count', 'outcome', 'lagging', 'up', 'simple', 'count', 'renewal', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Contracts renewed.', 'Renew at any price.', 'Look at use three months before.'),
	('churned', 'Customers lost', 'count', 'outcome', 'lagging', 'down', 'simple', 'count', 'churn', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Contracts that were not renewed.', 'Call it a pause.', 'Look at use and open tickets before.'),
	('renewals_due', 'Renewals due', 'count', 'outcome', 'lagging', 'up', 'simple', 'count', 'renewal | churn', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Contracts on whose renewal was decided.', 'Longer contracts come due less often.', 'Follows from the contracts that were made.'),
	('retention', 'Retention', 'ratio', 'outcome', 'lagging', 'up', 'ratio', NULL, NULL, NULL, NULL, 'renewals', 'renewals_due', NULL, NULL, NULL, NULL, 'month',
		'Contracts renewed of those due in the period.', 'Renew at any price.', 'Look at use three months before.'),
	('churn_rate', 'Churn rate', 'ratio', 'outcome', 'lagging', 'down', 'ratio', NULL, NULL, NULL, NULL, 'churned', 'renewals_due', NULL, NULL, NULL, NULL, 'month',
		'Contracts lost of those due in the period.', 'Call it a pause.', 'Look at use three months before.'),
	('nps', 'Net promoter score', 'score', 'outcome', 'leading', 'up', 'simple', 'expr', 'nps_response', NULL, 'value', NULL, NULL, NULL, NULL, '100 OPERATOR(pg_catalog.*) pg_catalog.avg(CASE WHEN {value} OPERATOR(pg_catalog.>=) 9 THEN 1.0 WHEN {value} OPERATOR(pg_catalog.<=) 6 THEN -1 WHEN {value} IS NOT NULL THEN 0 END)', NULL, 'month',
		'Per cent that answer 9 or 10 less per cent that answer 0 to 6.', 'Ask only those who are happy.', 'Read the answers from 0 to 6.'),
	('csat', 'Customer satisfaction', 'ratio', 'outcome', 'leading', 'up', 'simple', 'expr', 'csat_response', NULL, 'value', NULL, NULL, NULL, NULL, 'pg_catalog.avg(CASE WHEN {value} OPERATOR(pg_catalog.>=) 4 THEN 1.0 WHEN {value} IS NOT NULL THEN 0 END)', NULL, 'month',
		'Share of answers 4 or 5 on a scale of 5.', 'Ask only after good news.', 'Look at time to resolution.'),
	('tickets_opened', 'Tickets opened', 'count', 'surface', 'leading', 'down', 'simple', 'count', 'ticket_opened', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Tickets opened.', 'Hide the form.', 'What has been released?'),
	('tickets_resolved', 'Tickets resolved', 'count', 'surface', 'leading', 'up', 'simple', 'count', 'ticket_resolved', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Tickets resolved.', 'Close and let people open another.', 'Look at tickets opened and at who is away.'),
	('time_to_resolution', 'Time to resolution', 'hours', 'outcome', 'lagging', 'down', 'elapsed', 'median', 'ticket_resolved', 'ticket_opened', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Median hours from a ticket to its resolution.', 'Close and let people open another.', 'A few hard ones, or all of them? Look at p90.'),
	('mttr', 'Mean time to recovery', 'hours', 'outcome', 'lagging', 'down', 'elapsed', 'avg', 'recovered', 'incident', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'month',
		'Mean hours from an incident to recovery.', 'Call it recovered when the alarm is off.', 'Is it noticed late, or mended late?'),
	('acquisition_spend', 'Spend on acquisition', 'currency', 'surface', 'leading', 'down', 'simple', 'sum', 'spend', NULL, 'value', NULL, NULL, NULL, NULL, NULL, NULL, 'month',
		'Money spent on sales and marketing.', 'Book it elsewhere.', 'See what was cut.'),
	('new_customers', 'New customers', 'count', 'outcome', 'lagging', 'up', 'simple', 'count_distinct', 'won', NULL, 'entity', NULL, NULL, NULL, NULL, NULL, NULL, 'month',
		'Entities with a deal won.', 'Split a customer.', 'Look at win rate and opportunities.'),
	('cac', 'Customer acquisition cost', 'currency', 'outcome', 'lagging', 'down', 'ratio', NULL, NULL, NULL, NULL, 'acquisition_spend', 'new_customers', NULL, NULL, NULL, NULL, 'month',
		'Spend on acquisition per new customer of the period.', 'Book spend elsewhere, or count old customers as new.', 'Spend comes before customers: look at quarters.'),
	('costs', 'Costs', 'currency', 'outcome', 'lagging', 'down', 'simple', 'sum', 'cost', NULL, 'value', NULL, NULL, NULL, NULL, NULL, NULL, 'month',
		'Direct costs of what was sold.', 'Book them elsewhere.', 'Price or amount? Look at suppliers.'),
	('gross_margin', 'Gross margin', 'ratio', 'outcome', 'lagging', 'up', 'derived', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '(revenue_won - costs) / revenue_won', NULL, 'month',
		'Revenue less direct costs, of revenue.', 'Book costs elsewhere.', 'Discounts, or costs: look at both.'),
	('ltv', 'Lifetime value', 'currency', 'outcome', 'lagging', 'up', 'derived', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'average_deal_size * gross_margin / churn_rate', NULL, 'quarter',
		'Deal size x gross margin / churn rate: what a customer brings until it leaves; a period is that of the contract.', 'A churn rate from few customers.', 'See which of the three parts moved.'),
	('cash_balance', 'Cash', 'currency', 'outcome', 'lagging', 'up', 'simple', 'expr', 'balance', NULL, 'value', NULL, NULL, NULL, NULL, '(pg_catalog.array_agg({value} ORDER BY {at} DESC))[1]', NULL, 'month',
		'Last balance of the period.', 'Pay late.', 'Look at receipts and payments.'),
	('cash_in', 'Receipts', 'currency', 'outcome', 'lagging', 'up', 'simple', 'sum', 'receipt', NULL, 'value', NULL, NULL, NULL, NULL, NULL, NULL, 'month',
		'Money received.', 'Ask for money in advance.', 'Are invoices late?'),
	('cash_out', 'Payments', 'currency', 'outcome', 'lagging', 'down', 'simple', 'sum', 'payment', NULL, 'value', NULL, NULL, NULL, NULL, NULL, NULL, 'month',
		'Money paid.', 'Pay late.', 'Look at the largest payments.'),
	('cash_runway', 'Cash runway', 'months', 'outcome', 'leading', 'up', 'derived', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'cash_balance / (cash_out - cash_in)', NULL, 'month',
		'Months that the cash lasts at the net payments of the month; below 0: cash grows.', 'Pay late at the end of the month.', 'Look at payments that come once a year.'),
	('requests', 'Requests', 'count', 'surface', 'leading', 'up', 'simple', 'count', 'request', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Requests served.', 'Poll.', 'Look at active users.'),
	('errors', 'Errors', 'count', 'outcome', 'leading', 'down', 'simple', 'count', 'error', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Requests that failed.', 'Catch and hide them.', 'What has been released?'),
	('error_rate', 'Error rate', 'ratio', 'outcome', 'leading', 'down', 'ratio', NULL, NULL, NULL, NULL, 'errors', 'requests', NULL, NULL, NULL, NULL, 'week',
		'Errors per request.', 'Health checks are requests that do not fail.', 'What has been released?'),
	('latency_p50', 'Median latency', 'milliseconds', 'outcome', 'leading', 'down', 'simple', 'median', 'request', NULL, 'value', NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Median of value of requests.', 'Health checks are fast requests.', 'Look at load and at what has been released.'),
	('latency_p95', 'Latency, 95th percentile', 'milliseconds', 'outcome', 'leading', 'down', 'simple', 'p95', 'request', NULL, 'value', NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'95 % of requests are as fast.', 'Health checks are fast requests.', 'Look at load and at what has been released.'),
	('latency_p99', 'Latency, 99th percentile', 'milliseconds', 'outcome', 'leading', 'down', 'simple', 'p99', 'request', NULL, 'value', NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'99 % of requests are as fast.', 'Time out early.', 'Look at the slowest requests.'),
	('hours_billable', 'Billable hours', 'hours', 'surface', 'leading', 'up', 'simple', 'sum', 'billable', NULL, 'value', NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Hours for customers; value is hours.', 'Book long.', 'Look at projects that ended.'),
	('hours_available', 'Available hours', 'hours', 'surface', 'leading', 'up', 'simple', 'sum', 'available', NULL, 'value', NULL, NULL, NULL, NULL, NULL, NULL, 'week',
		'Hours that people could work; value is hours.', 'Book leave.', 'Leave and illness.'),
	('utilisation', 'Utilisation', 'ratio', 'surface', 'leading', 'band', 'ratio', NULL, NULL, NULL, NULL, 'hours_billable', 'hours_available', NULL, NULL, NULL, NULL, 'week',
		'Billable hours of the available ones.', 'Book long, or leave training out of the available hours.', 'Look at projects that ended.'),
	('goods_sold', 'Cost of goods sold', 'currency', 'outcome', 'lagging', 'up', 'simple', 'sum', 'goods_sold', NULL, 'value', NULL, NULL, NULL, NULL, NULL, NULL, 'month',
		'Cost of what left the stock.', 'Value at other prices.', 'Look at orders.'),
	('stock', 'Stock', 'currency', 'outcome', 'lagging', 'down', 'simple', 'avg', 'stock', NULL, 'value', NULL, NULL, NULL, NULL, NULL, NULL, 'month',
		'Mean of the values of stock that were recorded.', 'Count on the day after the delivery left.', 'Look at orders to suppliers.'),
	('inventory_turnover', 'Inventory turnover', 'ratio', 'outcome', 'lagging', 'up', 'ratio', NULL, NULL, NULL, NULL, 'goods_sold', 'stock', NULL, NULL, NULL, NULL, 'month',
		'Cost of goods sold by mean stock: times per period that the stock turns over.', 'Run the stock empty.', 'Slow goods: look at the age of the stock.')
$$;
COMMENT ON FUNCTION activity_metrics.template_rows() IS
'Internal: the templates, as view metric_template lists them. Type elapsed: the time since the event of from_kinds before; in expr {at}, {value} and {tz} stand for the columns and the zone.';

CREATE FUNCTION activity_metrics.template_parts(template text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (SELECT CASE WHEN t.type = 'derived' THEN activity_metrics.formula_names(t.expr, t.template)
			ELSE array_remove(ARRAY[t.numerator, t.denominator, t.base_metric, CASE WHEN t.conversion_metric <> t.base_metric THEN t.conversion_metric END], NULL) END
		FROM activity_metrics.template_rows() AS t WHERE t.template = template_parts.template);
END;
$$;
COMMENT ON FUNCTION activity_metrics.template_parts(text) IS
'Internal: the templates that a template is computed from.';

CREATE VIEW activity_metrics.metric_template WITH (security_invoker = true) AS
SELECT t.template, t.label, t.description,
	CASE t.type
		WHEN 'ratio' THEN t.numerator || ' / ' || t.denominator
		WHEN 'derived' THEN t.expr
		WHEN 'cumulative' THEN pg_catalog.format('%s over the last %s days', t.base_metric, t.window_days)
		WHEN 'conversion' THEN pg_catalog.format('share of %s that %s follow within %s days', t.base_metric, CASE WHEN t.conversion_metric = t.base_metric THEN 'others' ELSE t.conversion_metric END, t.window_days)
		WHEN 'elapsed' THEN pg_catalog.format('%s time from %s to the first %s after it', CASE t.agg WHEN 'avg' THEN 'mean' ELSE t.agg END, t.from_kinds, t.event_kinds)
		ELSE CASE t.agg
			WHEN 'count' THEN 'number of events' WHEN 'count_distinct' THEN 'number of different ' || t.value_of WHEN 'expr' THEN pg_catalog.regexp_replace(pg_catalog.regexp_replace(t.expr, 'OPERATOR\(pg_catalog\.(.{1,2})\)', '\1', 'g'), 'pg_catalog\.|[{}]', '', 'g')
			WHEN 'sum' THEN 'sum of ' || t.value_of WHEN 'avg' THEN 'mean of ' || t.value_of ELSE t.agg || ' of ' || t.value_of END
			|| coalesce(', kind ' || t.event_kinds, '') END AS formula,
	t.unit, t.kind, t.timing, t.direction, CASE t.type WHEN 'elapsed' THEN 'simple' ELSE t.type END AS type, t.grain,
	pg_catalog.concat_ws(' | ', t.from_kinds, t.event_kinds) AS event_kinds,
	CASE WHEN t.type = 'elapsed' OR t.type = 'conversion' THEN 'entity, kind, at' WHEN t.type <> 'simple' THEN NULL
		ELSE pg_catalog.concat_ws(', ', t.value_of, CASE WHEN t.event_kinds IS NOT NULL THEN 'kind' END, 'at') END AS columns_needed,
	pg_catalog.array_to_string(activity_metrics.template_parts(t.template), ', ') AS templates_needed,
	t.gaming_test, t.hypothesis
FROM activity_metrics.template_rows() AS t;
ALTER VIEW activity_metrics.metric_template OWNER TO @extowner@;
COMMENT ON VIEW activity_metrics.metric_template IS
'Templates of metrics; instantiate_template() makes a metric from one.';
COMMENT ON COLUMN activity_metrics.metric_template.template IS 'Its name, and the name of the metric unless another is given.';
COMMENT ON COLUMN activity_metrics.metric_template.label IS 'What reports call it.';
COMMENT ON COLUMN activity_metrics.metric_template.description IS 'What it counts, for people.';
COMMENT ON COLUMN activity_metrics.metric_template.formula IS 'How it is computed.';
COMMENT ON COLUMN activity_metrics.metric_template.unit IS 'Unit of the value.';
COMMENT ON COLUMN activity_metrics.metric_template.kind IS 'surface or outcome.';
COMMENT ON COLUMN activity_metrics.metric_template.timing IS 'leading or lagging, as it usually is; leading_indicators() tells how it is here.';
COMMENT ON COLUMN activity_metrics.metric_template.direction IS 'Which way is better: up, down, or within a band.';
COMMENT ON COLUMN activity_metrics.metric_template.type IS 'Type of the metric: simple, ratio, derived, cumulative, conversion.';
COMMENT ON COLUMN activity_metrics.metric_template.grain IS 'The period that it is looked at.';
COMMENT ON COLUMN activity_metrics.metric_template.event_kinds IS 'Kinds of event that it wants; where yours are named otherwise, give event_kinds.';
COMMENT ON COLUMN activity_metrics.metric_template.columns_needed IS 'Columns of the events that it reads; NULL: those of the templates that it needs.';
COMMENT ON COLUMN activity_metrics.metric_template.templates_needed IS 'Templates that are made along with it where the dictionary has no metric of that name.';
COMMENT ON COLUMN activity_metrics.metric_template.gaming_test IS 'How somebody could raise it while delivering nothing.';
COMMENT ON COLUMN activity_metrics.metric_template.hypothesis IS 'If it drops, look here.';

CREATE FUNCTION activity_metrics.elapsed_expr(events regclass, agg text, event_kinds text, from_kinds text, unit text, entity text, at text, kind_column text, status text, tz text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	at_value text := activity_metrics.time_column(events, at, 'at', tz);
	entity_value text := activity_metrics.text_column(events, entity, 'entity');
	kind_value text := activity_metrics.text_column(events, kind_column, 'kind_column');
	elapsed text;
BEGIN
	-- from the nearest start before, if no other end lies between
	elapsed := format(
		'(SELECT CASE WHEN pg_catalog.max(prior_at) FILTER (WHERE starts) OPERATOR(pg_catalog.>=) coalesce(pg_catalog.max(prior_at) FILTER (WHERE NOT starts), ''-infinity'')'
		' THEN extract(epoch FROM %1$s OPERATOR(pg_catalog.-) pg_catalog.max(prior_at) FILTER (WHERE starts)) OPERATOR(pg_catalog./) %2$s END'
		' FROM (SELECT %3$s AS prior_entity, %1$s AS prior_at, %4$s OPERATOR(pg_catalog.=) ANY (%5$L::pg_catalog.text[]) AS starts FROM %6$s WHERE %4$s OPERATOR(pg_catalog.=) ANY (%7$L::pg_catalog.text[]) AND %8$s) AS prior'
		' WHERE prior_entity OPERATOR(pg_catalog.=) %3$s AND (prior_at OPERATOR(pg_catalog.<) %1$s OR starts AND prior_at OPERATOR(pg_catalog.=) %1$s))::pg_catalog.float8',
		at_value, CASE unit WHEN 'days' THEN 86400 WHEN 'hours' THEN 3600 WHEN 'minutes' THEN 60 ELSE 1 END, entity_value, kind_value,
		activity_metrics.step_kinds(from_kinds, 'from_kinds'), activity_metrics.qualified_name(events),
		activity_metrics.step_kinds(from_kinds, 'from_kinds') || activity_metrics.step_kinds(event_kinds, 'event_kinds'), activity_metrics.done_condition(events, status));
	RETURN CASE agg WHEN 'avg' THEN format('pg_catalog.avg(%s)', elapsed) ELSE format('pg_catalog.percentile_cont(0.5) WITHIN GROUP (ORDER BY %s)', elapsed) END;
END;
$$;
COMMENT ON FUNCTION activity_metrics.elapsed_expr(regclass, text, text, text, text, text, text, text, text, text) IS
'Internal: the expr of a metric that is the time from an event to the first one of other kinds after it, entity by entity.';

CREATE FUNCTION activity_metrics.instantiate_template(
	name text,
	events regclass,
	metric text DEFAULT NULL,
	event_kinds text DEFAULT NULL,
	tz text DEFAULT 'UTC',
	owner text DEFAULT NULL,
	label text DEFAULT NULL,
	entity text DEFAULT 'entity',
	at text DEFAULT 'at',
	kind_column text DEFAULT 'kind',
	actor text DEFAULT 'actor',
	value text DEFAULT 'value',
	status text DEFAULT NULL,
	from_kinds text DEFAULT NULL,
	grain text DEFAULT NULL,
	window_days double precision DEFAULT NULL,
	currency text DEFAULT NULL,
	recorded_column text DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	t record;
	part text;
	wanted_kinds text;
	metric_name text;
	expression text;
BEGIN
	SELECT r.* INTO t FROM activity_metrics.template_rows() AS r WHERE r.template = name;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no template "%"', name USING ERRCODE = '22023',
			HINT = format('Did you mean "%s"? SELECT template, description FROM activity_metrics.metric_template lists them.',
				activity_metrics.nearest_name(name, ARRAY(SELECT r.template FROM activity_metrics.template_rows() AS r)));
	END IF;
	IF events IS NULL THEN
		RAISE EXCEPTION 'no relation is given' USING ERRCODE = '22004', HINT = 'Give the name of a table or view of events, such as ''crm.activity''.';
	END IF;
	IF (event_kinds IS NOT NULL AND (t.event_kinds IS NULL OR t.type NOT IN ('simple', 'elapsed'))) OR (from_kinds IS NOT NULL AND t.type <> 'elapsed')
		OR (window_days IS NOT NULL AND t.window_days IS NULL) THEN
		RAISE EXCEPTION 'template "%" takes no %', name, CASE WHEN event_kinds IS NOT NULL AND (t.event_kinds IS NULL OR t.type NOT IN ('simple', 'elapsed')) THEN 'event_kinds' WHEN from_kinds IS NOT NULL AND t.type <> 'elapsed' THEN 'from_kinds' ELSE 'window_days' END
			USING ERRCODE = '22023', HINT = CASE WHEN cardinality(activity_metrics.template_parts(name)) > 0
				THEN format('Make its parts first, with kinds of your own: %s.', array_to_string(activity_metrics.template_parts(name), ', ')) ELSE 'Leave it out.' END;
	END IF;
	metric_name := coalesce(instantiate_template.metric, t.template);
	wanted_kinds := coalesce(instantiate_template.event_kinds, t.event_kinds);
	-- events of a product have no rep: then each entity is a unit
	IF actor = 'actor' AND activity_metrics.column_type(events, 'actor') IS NULL THEN
		actor := entity;
	END IF;
	FOREACH part IN ARRAY activity_metrics.template_parts(name) LOOP
		IF EXISTS (SELECT FROM activity_metrics.metric m WHERE m.metric = part) THEN
			RAISE NOTICE 'metric "%" uses metric "%", which the dictionary has', metric_name, part;
		ELSE
			RAISE NOTICE 'metric "%" needs metric "%", which is made from its template', metric_name, part;
			PERFORM activity_metrics.instantiate_template(part, events, tz => tz, owner => owner, entity => entity, at => at, kind_column => kind_column,
				actor => actor, value => value, status => status, grain => grain, currency => currency, recorded_column => recorded_column);
		END IF;
	END LOOP;
	expression := CASE
		WHEN t.type = 'elapsed' THEN activity_metrics.elapsed_expr(events, t.agg, wanted_kinds, coalesce(instantiate_template.from_kinds, t.from_kinds), t.unit, entity, at, kind_column, status, tz)
		WHEN t.agg = 'expr' THEN replace(replace(replace(t.expr, '{value}', CASE WHEN t.value_of IS NULL THEN '' ELSE activity_metrics.number_column(events, value, 'value') END),
			'{at}', activity_metrics.time_column(events, at, 'at', tz)), '{tz}', quote_literal(tz))
		ELSE t.expr END;
	IF t.type = 'simple' OR t.type = 'elapsed' THEN
		PERFORM activity_metrics.define_metric(metric_name, events, wanted_kinds, CASE t.type WHEN 'elapsed' THEN 'expr' ELSE t.agg END, t.kind,
			coalesce(instantiate_template.label, t.label), t.description,
			value => CASE WHEN t.agg = 'expr' OR t.type = 'elapsed' THEN NULL WHEN t.value_of = 'entity' THEN entity WHEN t.value_of = 'value' THEN instantiate_template.value END,
			at => at, kind_column => kind_column, actor => actor, status => status, tz => tz, unit => CASE t.unit WHEN 'currency' THEN coalesce(currency, t.unit) ELSE t.unit END, owner => owner,
			type => 'simple', expr => expression, entity => CASE WHEN activity_metrics.column_type(events, entity) IS NOT NULL THEN entity END,
			direction => t.direction, timing => t.timing, hypothesis => t.hypothesis, grain => coalesce(instantiate_template.grain, t.grain), currency => CASE t.unit WHEN 'currency' THEN currency END,
			gaming_test => t.gaming_test, recorded_column => recorded_column, template => t.template);
	ELSE
		PERFORM activity_metrics.define_metric(metric_name, NULL, agg => NULL, kind => t.kind, label => coalesce(instantiate_template.label, t.label), description => t.description,
			unit => CASE t.unit WHEN 'currency' THEN coalesce(currency, t.unit) ELSE t.unit END, owner => owner, tz => tz, type => t.type, expr => expression,
			entity => CASE t.type WHEN 'conversion' THEN entity END, numerator => t.numerator, denominator => t.denominator,
			base_metric => t.base_metric, conversion_metric => t.conversion_metric, window_days => coalesce(instantiate_template.window_days, t.window_days),
			direction => t.direction, timing => t.timing, hypothesis => t.hypothesis, grain => coalesce(instantiate_template.grain, t.grain), currency => CASE t.unit WHEN 'currency' THEN currency END,
			gaming_test => t.gaming_test, template => t.template);
	END IF;
	RETURN metric_name;
END;
$$;
COMMENT ON FUNCTION activity_metrics.instantiate_template(text, regclass, text, text, text, text, text, text, text, text, text, text, text, text, text, double precision, text, text) IS
'Makes a metric from a template of metric_template over a table or view of events, and returns its name. Metrics that it is computed from are made too, as a NOTICE says, unless the dictionary has them.
metric: its name (NULL: the template''s); event_kinds, from_kinds: your kinds of event, where they are named otherwise (from_kinds: of the event that a time is counted from); tz, owner, label, grain, window_days, currency: as of define_metric(), NULL: the template''s; entity, at, kind_column, actor, value, status, recorded_column: columns, if named otherwise. Without a column actor, units are the entities.
Times (sales_cycle_days, response_time ...) look up the events of each entity: an index on the entity column helps.
Errors: no such template, an argument that the template does not take (22023), and those of define_metric().';
