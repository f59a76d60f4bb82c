--
-- The dictionary: what a metric is, written down once; targets, notes, verdicts and values beside it.
--

CREATE TABLE activity_metrics.metric (
	metric text PRIMARY KEY CHECK (metric ~ '^[a-z][a-z0-9_]{0,62}$'),
	label text NOT NULL,
	description text,
	synonyms text,
	tags text,
	question text,
	goal text,
	hypothesis text,
	next_step text,
	kind text NOT NULL CHECK (kind IN ('surface', 'outcome')),
	timing text CHECK (timing IN ('leading', 'lagging')),
	is_north_star boolean NOT NULL DEFAULT false,
	scope text NOT NULL DEFAULT 'company',
	direction text NOT NULL DEFAULT 'up' CHECK (direction IN ('up', 'down', 'band')),
	paired_with text REFERENCES activity_metrics.metric ON UPDATE CASCADE,
	outcome_metric text REFERENCES activity_metrics.metric ON UPDATE CASCADE,
	type text NOT NULL DEFAULT 'simple' CHECK (type IN ('simple', 'ratio', 'derived', 'cumulative', 'conversion')),
	agg text CHECK (agg IN ('count', 'count_distinct', 'sum', 'avg', 'min', 'max', 'median', 'p90', 'p95', 'p99', 'expr')),
	expr text,
	filter_sql text,
	source_relation text,
	event_kinds text,
	value_column text,
	entity_column text,
	time_column text,
	kind_column text,
	actor_column text,
	status_column text,
	recorded_column text,
	numerator text REFERENCES activity_metrics.metric ON UPDATE CASCADE,
	denominator text REFERENCES activity_metrics.metric ON UPDATE CASCADE,
	base_metric text REFERENCES activity_metrics.metric ON UPDATE CASCADE,
	conversion_metric text REFERENCES activity_metrics.metric ON UPDATE CASCADE,
	window_days double precision CHECK (window_days > 0 AND window_days <= 36600),
	additive boolean NOT NULL DEFAULT true,
	unit text,
	currency text,
	format text,
	decimals integer CHECK (decimals BETWEEN 0 AND 15),
	grain text NOT NULL DEFAULT 'week' CHECK (grain IN ('hour', 'day', 'week', 'month', 'quarter', 'year')),
	cadence text,
	tz text NOT NULL,
	week_start text NOT NULL DEFAULT 'monday' CHECK (week_start = 'monday'),
	owner text,
	audience text,
	reviewed_by text,
	warn_low double precision,
	warn_high double precision,
	crit_low double precision,
	crit_high double precision,
	baseline double precision,
	gaming_test text,
	gaming_result text NOT NULL DEFAULT 'untested' CHECK (gaming_result IN ('pass', 'fail', 'untested')),
	gaming_value double precision,
	gaming_low double precision,
	gaming_at timestamptz,
	gaming_seal text,
	max_staleness_hours double precision CHECK (max_staleness_hours > 0),
	min_rows integer CHECK (min_rows >= 0),
	known_issues text,
	status text NOT NULL DEFAULT 'active' CHECK (status IN ('draft', 'active', 'deprecated')),
	valid_from date,
	valid_to date CHECK (valid_to >= valid_from),
	review_on date,
	template text,
	definition_version integer NOT NULL DEFAULT 1,
	changed_by text NOT NULL DEFAULT CURRENT_USER,
	changed_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	CONSTRAINT metric_formula CHECK (CASE type
		WHEN 'simple' THEN agg IS NOT NULL AND source_relation IS NOT NULL AND time_column IS NOT NULL AND actor_column IS NOT NULL
			AND (agg IN ('count', 'expr') OR value_column IS NOT NULL) AND (agg <> 'expr' OR expr IS NOT NULL)
		WHEN 'ratio' THEN numerator IS NOT NULL AND denominator IS NOT NULL
		WHEN 'derived' THEN expr IS NOT NULL
		WHEN 'cumulative' THEN base_metric IS NOT NULL AND window_days IS NOT NULL
		ELSE base_metric IS NOT NULL AND conversion_metric IS NOT NULL AND window_days IS NOT NULL END),
	CONSTRAINT metric_not_itself CHECK (metric <> coalesce(paired_with, '') AND metric <> coalesce(outcome_metric, '') AND metric <> coalesce(numerator, '')
		AND metric <> coalesce(denominator, '') AND metric <> coalesce(base_metric, '') AND metric <> coalesce(conversion_metric, '')),
	CONSTRAINT metric_thresholds CHECK (crit_low <= warn_low AND warn_low <= warn_high AND warn_high <= crit_high)
);
ALTER TABLE activity_metrics.metric OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('activity_metrics.metric', '');

COMMENT ON TABLE activity_metrics.metric IS
'The dictionary: one row per metric. Write it with define_metric() and instantiate_template(); dumped with the database.';
COMMENT ON COLUMN activity_metrics.metric.metric IS 'Name: lower case letters, digits and underscores.';
COMMENT ON COLUMN activity_metrics.metric.label IS 'What reports and sentences call it.';
COMMENT ON COLUMN activity_metrics.metric.description IS 'What it counts, for people.';
COMMENT ON COLUMN activity_metrics.metric.synonyms IS 'Other names that people use for it, with commas between.';
COMMENT ON COLUMN activity_metrics.metric.tags IS 'Words to find it by, with commas between.';
COMMENT ON COLUMN activity_metrics.metric.question IS 'The question that it answers.';
COMMENT ON COLUMN activity_metrics.metric.goal IS 'What it is meant to move, and how it will not be used.';
COMMENT ON COLUMN activity_metrics.metric.hypothesis IS 'If it drops, try this.';
COMMENT ON COLUMN activity_metrics.metric.next_step IS 'What to do when its status is red.';
COMMENT ON COLUMN activity_metrics.metric.kind IS 'surface: activity, what people do; outcome: what it is for.';
COMMENT ON COLUMN activity_metrics.metric.timing IS 'leading: moves before the outcome; lagging: tells afterwards; NULL: not known.';
COMMENT ON COLUMN activity_metrics.metric.is_north_star IS 'The one number that leads the scorecard; one active per scope.';
COMMENT ON COLUMN activity_metrics.metric.scope IS 'Whose North Star and scorecard: company, a team, a product.';
COMMENT ON COLUMN activity_metrics.metric.direction IS 'Which way is better: up, down, or within a band of the warning bounds.';
COMMENT ON COLUMN activity_metrics.metric.paired_with IS 'The quality or guardrail metric that must not fall while this one rises.';
COMMENT ON COLUMN activity_metrics.metric.outcome_metric IS 'The outcome that this metric is for.';
COMMENT ON COLUMN activity_metrics.metric.type IS 'simple: an aggregate of events; ratio: numerator by denominator; derived: arithmetic of other metrics; cumulative: base_metric over the last window_days; conversion: share of base_metric''s events that conversion_metric''s follow within window_days.';
COMMENT ON COLUMN activity_metrics.metric.agg IS 'simple: what is done with the events: count, count_distinct, sum, avg, min, max, median, p90, p95 or p99 of value_column, or expr.';
COMMENT ON COLUMN activity_metrics.metric.expr IS 'agg expr: an SQL aggregate expression over source_relation; derived: arithmetic over names of metrics. Runs with the rights of whoever asks.';
COMMENT ON COLUMN activity_metrics.metric.filter_sql IS 'simple: an SQL condition on the rows of source_relation. Runs with the rights of whoever asks.';
COMMENT ON COLUMN activity_metrics.metric.source_relation IS 'The events: a table or view, with its schema.';
COMMENT ON COLUMN activity_metrics.metric.event_kinds IS 'Kinds of event that count, as in a funnel step: call | ''cold call''; NULL: all.';
COMMENT ON COLUMN activity_metrics.metric.value_column IS 'Column that is summed, averaged or counted distinct.';
COMMENT ON COLUMN activity_metrics.metric.entity_column IS 'Column that tells which deal, account or lead an event belongs to.';
COMMENT ON COLUMN activity_metrics.metric.time_column IS 'Column that tells when an event happened.';
COMMENT ON COLUMN activity_metrics.metric.kind_column IS 'Column that tells the kind of an event.';
COMMENT ON COLUMN activity_metrics.metric.actor_column IS 'Column that tells who did it: the unit of a panel.';
COMMENT ON COLUMN activity_metrics.metric.status_column IS 'Column that tells planned, cancelled and no_show from done; NULL: column status, if there is one.';
COMMENT ON COLUMN activity_metrics.metric.recorded_column IS 'Column that tells when a row was written; NULL: column recorded_at, if there is one. refresh() goes by it.';
COMMENT ON COLUMN activity_metrics.metric.numerator IS 'ratio: the metric above the line.';
COMMENT ON COLUMN activity_metrics.metric.denominator IS 'ratio: the metric below the line; the value is NULL where it is zero.';
COMMENT ON COLUMN activity_metrics.metric.base_metric IS 'conversion: the metric of the first event; cumulative: the metric that is added up.';
COMMENT ON COLUMN activity_metrics.metric.conversion_metric IS 'conversion: the metric of the event that follows.';
COMMENT ON COLUMN activity_metrics.metric.window_days IS 'conversion: how long after the first event, in days of 24 hours; cumulative: how long before the end of a period, in days by the clock of tz.';
COMMENT ON COLUMN activity_metrics.metric.additive IS 'Do the values of units and periods add up to the whole? Not for ratios, averages and distinct counts.';
COMMENT ON COLUMN activity_metrics.metric.unit IS 'Unit of the value: count, ratio, EUR, days, score.';
COMMENT ON COLUMN activity_metrics.metric.currency IS 'ISO 4217 code where the value is money.';
COMMENT ON COLUMN activity_metrics.metric.format IS 'How dashboards print it, in the notation of to_char().';
COMMENT ON COLUMN activity_metrics.metric.decimals IS 'Digits after the point.';
COMMENT ON COLUMN activity_metrics.metric.grain IS 'The period that it is looked at.';
COMMENT ON COLUMN activity_metrics.metric.cadence IS 'How often it is reviewed, and where: weekly pipeline meeting.';
COMMENT ON COLUMN activity_metrics.metric.tz IS 'Time zone in which days, weeks and months begin.';
COMMENT ON COLUMN activity_metrics.metric.week_start IS 'First day of a week; weeks are those of ISO 8601.';
COMMENT ON COLUMN activity_metrics.metric.owner IS 'The one person who answers for it.';
COMMENT ON COLUMN activity_metrics.metric.audience IS 'Who looks at it; more than seven active metrics for one audience are too many.';
COMMENT ON COLUMN activity_metrics.metric.reviewed_by IS 'Who has checked the definition.';
COMMENT ON COLUMN activity_metrics.metric.warn_low IS 'Below it the status is amber.';
COMMENT ON COLUMN activity_metrics.metric.warn_high IS 'Above it the status is amber.';
COMMENT ON COLUMN activity_metrics.metric.crit_low IS 'Below it the status is red.';
COMMENT ON COLUMN activity_metrics.metric.crit_high IS 'Above it the status is red.';
COMMENT ON COLUMN activity_metrics.metric.baseline IS 'The usual value per period when the metric was taken up.';
COMMENT ON COLUMN activity_metrics.metric.gaming_test IS 'How somebody could raise it while delivering nothing.';
COMMENT ON COLUMN activity_metrics.metric.gaming_result IS 'pass: more of it leaves fewer periods without outcome; written by target_check().';
COMMENT ON COLUMN activity_metrics.metric.gaming_value IS 'The value that was tested.';
COMMENT ON COLUMN activity_metrics.metric.gaming_low IS 'Lower bound of the proof of work at that value, 95 %.';
COMMENT ON COLUMN activity_metrics.metric.gaming_at IS 'When it was tested.';
COMMENT ON COLUMN activity_metrics.metric.gaming_seal IS 'Ties gaming_result to the test that gave it.';
COMMENT ON COLUMN activity_metrics.metric.max_staleness_hours IS 'Its newest event may be this old.';
COMMENT ON COLUMN activity_metrics.metric.min_rows IS 'Fewer events in a period than this make its status grey.';
COMMENT ON COLUMN activity_metrics.metric.known_issues IS 'What is wrong with it, for people.';
COMMENT ON COLUMN activity_metrics.metric.status IS 'draft, active or deprecated; scorecards show what is active.';
COMMENT ON COLUMN activity_metrics.metric.valid_from IS 'First day for which it means anything.';
COMMENT ON COLUMN activity_metrics.metric.valid_to IS 'Last day, NULL: still valid.';
COMMENT ON COLUMN activity_metrics.metric.review_on IS 'The definition is to be looked at again on this day.';
COMMENT ON COLUMN activity_metrics.metric.template IS 'The template that it was made from.';
COMMENT ON COLUMN activity_metrics.metric.definition_version IS 'Counts changes of the definition; metric_history has the old ones.';
COMMENT ON COLUMN activity_metrics.metric.changed_by IS 'Who wrote this row last.';
COMMENT ON COLUMN activity_metrics.metric.changed_at IS 'When.';

CREATE UNIQUE INDEX metric_north_star ON activity_metrics.metric (scope) WHERE is_north_star AND status = 'active';
COMMENT ON INDEX activity_metrics.metric_north_star IS 'One active North Star per scope.';

CREATE TABLE activity_metrics.metric_history (
	metric text NOT NULL REFERENCES activity_metrics.metric ON UPDATE CASCADE ON DELETE CASCADE,
	definition_version integer NOT NULL,
	valid_from timestamptz NOT NULL,
	changed_by text NOT NULL,
	definition text NOT NULL,
	change text,
	PRIMARY KEY (metric, definition_version)
);
ALTER TABLE activity_metrics.metric_history OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('activity_metrics.metric_history', '');

COMMENT ON TABLE activity_metrics.metric_history IS
'Definitions of metrics, one row per version; a trigger writes it.';
COMMENT ON COLUMN activity_metrics.metric_history.metric IS 'The metric.';
COMMENT ON COLUMN activity_metrics.metric_history.definition_version IS 'The version.';
COMMENT ON COLUMN activity_metrics.metric_history.valid_from IS 'Since when it was the definition.';
COMMENT ON COLUMN activity_metrics.metric_history.changed_by IS 'Who wrote it.';
COMMENT ON COLUMN activity_metrics.metric_history.definition IS 'The columns that make up the definition, as JSON.';
COMMENT ON COLUMN activity_metrics.metric_history.change IS 'What is different from the version before, for people.';

CREATE TABLE activity_metrics.target (
	metric text NOT NULL REFERENCES activity_metrics.metric ON UPDATE CASCADE ON DELETE CASCADE,
	unit text NOT NULL DEFAULT '(each)',
	starts_at timestamptz NOT NULL DEFAULT pg_catalog.now() CHECK (pg_catalog.isfinite(starts_at)),
	value double precision NOT NULL CHECK (value > '-Infinity'::pg_catalog.float8 AND value < 'Infinity'::pg_catalog.float8),
	grain text NOT NULL DEFAULT 'week' CHECK (grain IN ('hour', 'day', 'week', 'month', 'quarter', 'year')),
	due date CHECK (pg_catalog.isfinite(due)),
	owner text,
	baseline double precision,
	reachable_low double precision,
	reachable_high double precision,
	ended_at timestamptz CHECK (ended_at >= starts_at),
	decision text NOT NULL CHECK (decision IN ('accepted', 'forced')),
	reason text,
	evidence text,
	set_by text NOT NULL DEFAULT CURRENT_USER,
	set_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	seal text,
	PRIMARY KEY (metric, unit, starts_at)
);
ALTER TABLE activity_metrics.target OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('activity_metrics.target', '');

COMMENT ON TABLE activity_metrics.target IS
'Targets, with who set them and what the guard saw. Write them with set_target(); a target that the guard refuses cannot be inserted either.';
COMMENT ON COLUMN activity_metrics.target.metric IS 'The metric.';
COMMENT ON COLUMN activity_metrics.target.unit IS '(each): every rep has it; (all): the sum of all; otherwise the rep.';
COMMENT ON COLUMN activity_metrics.target.starts_at IS 'Since when it holds; the gaming test looks from there.';
COMMENT ON COLUMN activity_metrics.target.value IS 'The number to reach, per period of grain.';
COMMENT ON COLUMN activity_metrics.target.grain IS 'The period that it is for.';
COMMENT ON COLUMN activity_metrics.target.due IS 'The day by which it is to be reached.';
COMMENT ON COLUMN activity_metrics.target.owner IS 'The one person who answers for it.';
COMMENT ON COLUMN activity_metrics.target.baseline IS 'Mean of the last complete periods when it was set.';
COMMENT ON COLUMN activity_metrics.target.reachable_low IS '10 % of the periods seen were at or below this when it was set.';
COMMENT ON COLUMN activity_metrics.target.reachable_high IS '90 % of the periods seen were at or below this.';
COMMENT ON COLUMN activity_metrics.target.ended_at IS 'When it was withdrawn or replaced; NULL: in force.';
COMMENT ON COLUMN activity_metrics.target.decision IS 'accepted by the guard, or forced against it.';
COMMENT ON COLUMN activity_metrics.target.reason IS 'forced: why.';
COMMENT ON COLUMN activity_metrics.target.evidence IS 'What the guard saw when it decided.';
COMMENT ON COLUMN activity_metrics.target.set_by IS 'Who set it.';
COMMENT ON COLUMN activity_metrics.target.set_at IS 'When.';
COMMENT ON COLUMN activity_metrics.target.seal IS 'Ties the row to the decision of the guard; a restored row carries it.';

CREATE TABLE activity_metrics.annotation (
	annotation_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	metric text REFERENCES activity_metrics.metric ON UPDATE CASCADE ON DELETE CASCADE,
	unit text,
	at timestamptz NOT NULL CHECK (pg_catalog.isfinite(at)),
	kind text NOT NULL DEFAULT 'event' CHECK (kind IN ('event', 'definition changed', 'holiday', 'outage')),
	note text NOT NULL,
	created_by text NOT NULL DEFAULT CURRENT_USER,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);
ALTER TABLE activity_metrics.annotation OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('activity_metrics.annotation', '');
SELECT pg_catalog.pg_extension_config_dump('activity_metrics.annotation_annotation_id_seq', '');

COMMENT ON SEQUENCE activity_metrics.annotation_annotation_id_seq IS 'Numbers of annotations.';
COMMENT ON TABLE activity_metrics.annotation IS
'What happened when: scorecards show it beside the period that it explains. Write it with annotate().';
COMMENT ON COLUMN activity_metrics.annotation.annotation_id IS 'Number of the annotation.';
COMMENT ON COLUMN activity_metrics.annotation.metric IS 'The metric that it explains; NULL: all of them.';
COMMENT ON COLUMN activity_metrics.annotation.unit IS 'The rep that it is about; NULL: all.';
COMMENT ON COLUMN activity_metrics.annotation.at IS 'When it happened.';
COMMENT ON COLUMN activity_metrics.annotation.kind IS 'event, definition changed (the gaming test allows for a jump there), holiday or outage.';
COMMENT ON COLUMN activity_metrics.annotation.note IS 'What happened.';
COMMENT ON COLUMN activity_metrics.annotation.created_by IS 'Who wrote it.';
COMMENT ON COLUMN activity_metrics.annotation.created_at IS 'When.';

CREATE TABLE activity_metrics.metric_assessment (
	metric text NOT NULL REFERENCES activity_metrics.metric ON UPDATE CASCADE ON DELETE CASCADE,
	outcome text NOT NULL REFERENCES activity_metrics.metric ON UPDATE CASCADE ON DELETE CASCADE,
	assessed_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	grain text NOT NULL,
	verdict text NOT NULL,
	score double precision,
	confidence double precision,
	p_gamed double precision,
	lag_from integer,
	lag_to integer,
	elasticity double precision,
	low double precision,
	high double precision,
	timing text,
	timing_lag integer,
	r double precision,
	q double precision,
	n bigint,
	sentence text,
	next_step text,
	assessed_by text NOT NULL DEFAULT CURRENT_USER,
	PRIMARY KEY (metric, outcome, assessed_at)
);
ALTER TABLE activity_metrics.metric_assessment OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('activity_metrics.metric_assessment', '');

COMMENT ON TABLE activity_metrics.metric_assessment IS
'Verdicts on metrics, as of assess(); the scorecard and the guard read the newest.';
COMMENT ON COLUMN activity_metrics.metric_assessment.metric IS 'The metric that was assessed.';
COMMENT ON COLUMN activity_metrics.metric_assessment.outcome IS 'Against which outcome.';
COMMENT ON COLUMN activity_metrics.metric_assessment.assessed_at IS 'When.';
COMMENT ON COLUMN activity_metrics.metric_assessment.grain IS 'The period.';
COMMENT ON COLUMN activity_metrics.metric_assessment.verdict IS 'Verdict of vanity_report().';
COMMENT ON COLUMN activity_metrics.metric_assessment.score IS 'Score of vanity_report(): 0 progress, 1 vanity.';
COMMENT ON COLUMN activity_metrics.metric_assessment.confidence IS 'The probability that decided.';
COMMENT ON COLUMN activity_metrics.metric_assessment.p_gamed IS 'Probability that it is gamed; NULL without a target.';
COMMENT ON COLUMN activity_metrics.metric_assessment.lag_from IS 'First lag of the best window, in periods.';
COMMENT ON COLUMN activity_metrics.metric_assessment.lag_to IS 'Last lag of the best window.';
COMMENT ON COLUMN activity_metrics.metric_assessment.elasticity IS 'Per cent more outcome for 1 % more metric.';
COMMENT ON COLUMN activity_metrics.metric_assessment.low IS 'Lower end of its 95 % interval.';
COMMENT ON COLUMN activity_metrics.metric_assessment.high IS 'Upper end.';
COMMENT ON COLUMN activity_metrics.metric_assessment.timing IS 'Verdict of leading_indicators(): leading, coincident, lagging, no_evidence, insufficient_evidence.';
COMMENT ON COLUMN activity_metrics.metric_assessment.timing_lag IS 'Lag of that verdict, in periods.';
COMMENT ON COLUMN activity_metrics.metric_assessment.r IS 'Correlation at that lag.';
COMMENT ON COLUMN activity_metrics.metric_assessment.q IS 'Its p-value, corrected for the number of metrics.';
COMMENT ON COLUMN activity_metrics.metric_assessment.n IS 'Rows that the score rests on.';
COMMENT ON COLUMN activity_metrics.metric_assessment.sentence IS 'In words.';
COMMENT ON COLUMN activity_metrics.metric_assessment.next_step IS 'What to do about it.';
COMMENT ON COLUMN activity_metrics.metric_assessment.assessed_by IS 'Who asked; the numbers are those that this role may see.';

CREATE TABLE activity_metrics.metric_value (
	metric text NOT NULL REFERENCES activity_metrics.metric ON UPDATE CASCADE ON DELETE CASCADE,
	grain text NOT NULL,
	period bigint NOT NULL,
	period_start date NOT NULL,
	unit text NOT NULL DEFAULT '(all)',
	value double precision,
	n bigint NOT NULL,
	is_complete boolean NOT NULL,
	refreshed_at timestamptz NOT NULL,
	PRIMARY KEY (metric, grain, period, unit)
);
ALTER TABLE activity_metrics.metric_value OWNER TO @extowner@;

COMMENT ON TABLE activity_metrics.metric_value IS
'Values of metrics, kept by refresh(): one row per metric, period and unit. They carry no rights of the rows that they were computed from.';
COMMENT ON COLUMN activity_metrics.metric_value.metric IS 'The metric.';
COMMENT ON COLUMN activity_metrics.metric_value.grain IS 'hour, day, week, month, quarter or year.';
COMMENT ON COLUMN activity_metrics.metric_value.period IS 'Number of the period, as of period_no().';
COMMENT ON COLUMN activity_metrics.metric_value.period_start IS 'First day of the period, in the time zone of the metric.';
COMMENT ON COLUMN activity_metrics.metric_value.unit IS 'The rep; (all): the whole.';
COMMENT ON COLUMN activity_metrics.metric_value.value IS 'The value; NULL: not defined, such as a ratio by zero.';
COMMENT ON COLUMN activity_metrics.metric_value.n IS 'Events that it rests on; of a ratio, those below the line.';
COMMENT ON COLUMN activity_metrics.metric_value.is_complete IS 'Was the period over when this was written?';
COMMENT ON COLUMN activity_metrics.metric_value.refreshed_at IS 'When this was written.';

CREATE TABLE activity_metrics.refresh_log (
	run_id bigint NOT NULL,
	metric text NOT NULL REFERENCES activity_metrics.metric ON UPDATE CASCADE ON DELETE CASCADE,
	grain text NOT NULL,
	mode text NOT NULL CHECK (mode IN ('full', 'recorded', 'look-back')),
	from_period date,
	to_period date,
	done integer NOT NULL,
	total integer NOT NULL,
	started_at timestamptz NOT NULL,
	finished_at timestamptz,
	rows_written bigint,
	horizon timestamptz,
	definition_version integer,
	definition_hash text,
	error text,
	PRIMARY KEY (run_id, metric, grain)
);
ALTER TABLE activity_metrics.refresh_log OWNER TO @extowner@;

COMMENT ON TABLE activity_metrics.refresh_log IS
'What refresh() has done and is doing.';
COMMENT ON COLUMN activity_metrics.refresh_log.run_id IS 'Number of the run: one CALL of refresh().';
COMMENT ON COLUMN activity_metrics.refresh_log.metric IS 'The metric.';
COMMENT ON COLUMN activity_metrics.refresh_log.grain IS 'The period.';
COMMENT ON COLUMN activity_metrics.refresh_log.mode IS 'full: everything was computed anew; recorded: periods with rows recorded since the last refresh; look-back: the last periods.';
COMMENT ON COLUMN activity_metrics.refresh_log.from_period IS 'First day of the first period that was computed.';
COMMENT ON COLUMN activity_metrics.refresh_log.to_period IS 'First day of the last one.';
COMMENT ON COLUMN activity_metrics.refresh_log.done IS 'Metrics of the run that are done, with this one.';
COMMENT ON COLUMN activity_metrics.refresh_log.total IS 'Metrics of the run.';
COMMENT ON COLUMN activity_metrics.refresh_log.started_at IS 'When work on the metric began.';
COMMENT ON COLUMN activity_metrics.refresh_log.finished_at IS 'When it ended; NULL: still at work, or ended with the server.';
COMMENT ON COLUMN activity_metrics.refresh_log.rows_written IS 'Rows of metric_value inserted, changed or deleted.';
COMMENT ON COLUMN activity_metrics.refresh_log.horizon IS 'What was recorded before this time, and will be committed, had been seen; the next refresh starts here.';
COMMENT ON COLUMN activity_metrics.refresh_log.definition_version IS 'Version of the definition.';
COMMENT ON COLUMN activity_metrics.refresh_log.definition_hash IS 'Hash of the statement that computed the values; where it is another one now, the next refresh is full.';
COMMENT ON COLUMN activity_metrics.refresh_log.error IS 'What went wrong; NULL: nothing.';

