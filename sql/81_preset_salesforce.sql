--
-- Salesforce, as Fivetran (what_id), Airbyte ("WhatId"), Heroku Connect and Stitch (whatid) write its tables.
--

INSERT INTO activity_metrics.preset_registry (preset, place, system, sources, options, funnel) VALUES
	('salesforce', 1, 'Salesforce', 'Fivetran, Airbyte, Heroku Connect, Stitch: task, event, opportunity, stage history in three shapes, lead, account, contact',
	 'integration_users (ids of users that are programs, separated by |: origin integration)',
	 'created -> (call | email) -> meeting -> won within 180 days');

CREATE FUNCTION activity_metrics.preset_salesforce_activity(part_title text, alias text, of_leads boolean, at text, status text, condition text)
RETURNS TABLE (part text, key text, title text, body text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $preset$
	-- the first three characters of a key tell the object: 006 opportunity, 001 account, 500 case, 003 contact, 00Q lead
	SELECT 'events', NULL, part_title, replace(replace(concat(CASE WHEN of_leads THEN $$
entity_type: [[CASE WHEN {l.converted_opportunity_id:text} IS NOT NULL THEN 'opportunity'::text ELSE 'lead' END]else['lead'::text]]
entity: coalesce([[{l.converted_opportunity_id:text}, ]]{?.who_id:text!})$$ ELSE $$
entity_type: CASE
		WHEN {?.what_id:text} LIKE '006%' THEN 'opportunity'::text
		WHEN {?.what_id:text} LIKE '001%' THEN 'account'
		WHEN {?.what_id:text} LIKE '500%' THEN 'ticket'
		WHEN {?.who_id:text} LIKE '003%' THEN 'contact'
		WHEN {?.who_id:text} LIKE '00Q%' THEN 'lead'
		WHEN {?.account_id:text} <> '' THEN 'account' END
entity: CASE
		WHEN {?.what_id:text} LIKE '006%' OR {?.what_id:text} LIKE '001%' OR {?.what_id:text} LIKE '500%' THEN {?.what_id:text}
		WHEN {?.who_id:text} LIKE '003%' OR {?.who_id:text} LIKE '00Q%' THEN {?.who_id:text}
		ELSE nullif({?.account_id:text}, '') END$$ END, CASE alias WHEN 't' THEN $$
kind: CASE
		WHEN {t.task_subtype:text} = 'Call' THEN 'call'::text
		WHEN {t.task_subtype:text} = 'Email' THEN 'email'
		WHEN {t.task_subtype:text} = 'ListEmail' THEN 'email'
		WHEN {t.task_subtype:text} = 'LinkedIn' THEN 'message'
		WHEN {t.type:text} IS NULL OR {t.type:text} = 'Other' THEN 'task'
		WHEN {t.type:text} LIKE '%Call%' OR {t.type:text} LIKE '%call%' THEN 'call'
		WHEN {t.type:text} LIKE '%Email%' OR {t.type:text} LIKE '%email%' THEN 'email'
		WHEN {t.type:text} LIKE '%Demo%' OR {t.type:text} LIKE '%demo%' THEN 'demo'
		WHEN {t.type:text} LIKE '%Meeting%' OR {t.type:text} LIKE '%meeting%' THEN 'meeting'
		ELSE 'task' END
at: $$ || at || $$
status: $$ || status || $$
value: {t.call_duration_in_seconds:number}
origin: CASE [[WHEN {t.created_by_id:text} = ANY (string_to_array({=integration_users}, '|')) THEN 'integration' ]]WHEN {t.task_subtype:text} IN ('ListEmail', 'Cadence') THEN 'auto'::text END$$ ELSE $$
kind: CASE
		WHEN {e.type:text} LIKE '%Call%' OR {e.type:text} LIKE '%call%' THEN 'call'::text
		WHEN {e.type:text} LIKE '%Demo%' OR {e.type:text} LIKE '%demo%' THEN 'demo'
		ELSE 'meeting' END
at: [[{e.start_date_time:time}]else[{e.activity_date_time:time}]]
status: CASE [[WHEN {e.no_show_c:bool} THEN 'no_show' ]]WHEN [[{e.start_date_time:time}]else[{e.activity_date_time:time}]] > now() THEN 'planned' ELSE 'done'::text END
value: {e.duration_in_minutes:number} * 60
origin: [[CASE WHEN {e.created_by_id:text} = ANY (string_to_array({=integration_users}, '|')) THEN 'integration'::text END]else[NULL::text]]$$ END, $$
actor: {?.owner_id:text}
event_id: 'sf:<table>:' || {?.id:text!}
recorded_at: {?.created_date:time}
attrs: jsonb_strip_nulls(jsonb_build_object('type', {?.type:text}, 'what_id', {?.what_id:text}, 'who_id', {?.who_id:text}, 'account_id', {?.account_id:text}))
source: '<table>'::text
FROM {?}$$, CASE WHEN of_leads THEN $$
LEFT JOIN {l} ON {l.id:same ?.who_id}[[ AND {l.converted_opportunity_id:text} <> '']]
WHERE {?.who_id:text!} LIKE '00Q%' [[AND ({?.what_id:text} <> '') IS NOT TRUE]]
	AND {?:kept}$$ || coalesce(E'\n\tAND ' || condition, '') ELSE $$
WHERE $$ || coalesce(condition || E'\n\tAND ', '') || $${?:kept}
	[[AND ([[({?.what_id:text} <> '') IS NOT TRUE AND ]]{?.who_id:text} LIKE '00Q%') IS NOT TRUE /* those of leads, by {l.id}, are a part of their own */]]$$ END), '?', alias), '<table>', CASE alias WHEN 't' THEN 'task' ELSE 'event' END)
$preset$;
COMMENT ON FUNCTION activity_metrics.preset_salesforce_activity(text, text, boolean, text, text, text) IS
'Internal: a part of preset salesforce over task or event; of_leads: those that are linked to a lead only, and belong to the opportunity that it became.';

CREATE FUNCTION activity_metrics.preset_salesforce(options jsonb) RETURNS TABLE (part text, key text, title text, body text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $preset$
	SELECT p.part, p.key, p.title, replace(p.body, '<time of a task>', $$CASE [[WHEN {t.completed_date_time:time} IS NOT NULL [[AND {t.is_closed:bool} IS NOT FALSE]] THEN {t.completed_date_time:time} ]]
		WHEN [[{t.is_closed:bool}]else[[[{t.status:text} = 'Completed']else[false]]]] THEN coalesce([[least({t.activity_date:time}[[, {t.last_modified_date:time}]]), ]][[{t.created_date:time}, ]]NULL::timestamptz)
		ELSE coalesce([[{t.activity_date:time}, ]][[{t.created_date:time}, ]]NULL::timestamptz) END$$)
	FROM (VALUES
	('table', 'o', 'opportunity', 'required; id id; with stage_name'),
	('table', 't', 'task', 'id id'),
	('table', 'e', 'event', 'id id; with owner_id'),
	-- three shapes of history; the first that is there is taken
	('table', 'oh', 'opportunity_history', 'id id; with opportunity_id; with stage_name'),
	('table', 'fh', 'opportunity_field_history', 'id id; with opportunity_id; with new_value; unless oh'),
	('table', 'hm', 'opportunity_history | opportunity', 'id id; with _fivetran_start; with stage_name; unless oh|fh'),
	('table', 'oc', 'opportunity', 'id id; with last_stage_change_date; unless oh|fh|hm'),
	('table', 'l', 'lead', 'id id; with id; with is_converted'),
	('table', 'a', 'account', 'id id; without account_id'),
	('table', 'c', 'contact', 'id id'),
	('table', 'st', 'opportunity_stage', 'id id; with is_won'),
	('table', 'od', 'opportunity', 'id id; unless st'),
	('table', 'ct', 'currency_type', 'id id; with conversion_rate'),

	('left_out', 't', 'deleted', '{t.is_deleted:bool}'),
	('left_out', 't', 'series of tasks, not a task', '{t.is_recurrence:bool}'),
	-- each part over task sees to its own time
	('left_out', 't', 'no time', '<time of a task> IS NULL
kept: true'),
	('left_out', 't', 'before 2000', $$<time of a task> < timestamptz '2000-01-01 00:00+00'
kept: true
example: <time of a task>$$),
	('left_out', 'e', 'deleted', '{e.is_deleted:bool}'),
	('left_out', 'e', 'copy for an attendee', '{e.is_child:bool}'),
	('left_out', 'e', 'series of meetings, not a meeting', '{e.is_recurrence:bool}'),
	('left_out', 'e', 'no time', '[[{e.start_date_time:time}]else[{e.activity_date_time:time}]] IS NULL
kept: true'),
	('left_out', 'e', 'before 2000', $$[[{e.start_date_time:time}]else[{e.activity_date_time:time}]] < timestamptz '2000-01-01 00:00+00'
kept: ([[{e.start_date_time:time}]else[{e.activity_date_time:time}]] < timestamptz '2000-01-01 00:00+00') IS FALSE
example: [[{e.start_date_time:time}]else[{e.activity_date_time:time}]]$$),
	('left_out', 'o', 'deleted', '{o.is_deleted:bool}'),
	('left_out', 'o', 'earlier version of a row', 'NOT {o._fivetran_active:bool}'),
	('left_out', 'o', 'before 2000', $$coalesce({o.created_date:time}, {o.close_date:time}) < timestamptz '2000-01-01 00:00+00'
example: coalesce({o.created_date:time}, {o.close_date:time})$$),
	('left_out', 'oh', 'deleted', '{oh.is_deleted:bool}'),
	('left_out', 'fh', 'deleted', '{fh.is_deleted:bool}'),
	('left_out', 'hm', 'deleted', '{hm.is_deleted:bool}'),
	('left_out', 'l', 'deleted', '{l.is_deleted:bool}'),
	('left_out', 'l', 'merged into another', $$'' <> {l.master_record_id:text}$$),
	('left_out', 'l', 'before 2000', $${l.created_date:time} < timestamptz '2000-01-01 00:00+00'
example: {l.created_date:time}$$)
	UNION ALL
	-- those of leads in parts of their own: most rows need no join
	SELECT a.* FROM (VALUES
		(1, 'tasks with a time of completion: done then, whatever date they were due', 't', false,
		 '{t.completed_date_time:time!}', $$'done'::text$$, $${t.completed_date_time:time!} >= timestamptz '2000-01-01 00:00+00' [[AND {t.is_closed:bool} IS NOT FALSE]]$$),
		(2, 'other tasks: closed ones are done by the due date, but not later than the last change; the rest is planned', 't', false,
		 '<time of a task>', $$CASE WHEN [[{t.is_closed:bool}]else[{t.status:text} = 'Completed']] THEN 'done'::text ELSE 'planned' END$$,
		 $$[[({t.completed_date_time:time} IS NOT NULL [[AND {t.is_closed:bool} IS NOT FALSE]]) IS NOT TRUE
	AND ]]<time of a task> >= timestamptz '2000-01-01 00:00+00'$$),
		(3, 'tasks of leads, likewise: what became of the lead counts', 't', true, '<time of a task>',
		 $$CASE WHEN [[{t.is_closed:bool}]else[{t.status:text} = 'Completed']] [[OR ({t.completed_date_time:time} IS NOT NULL [[AND {t.is_closed:bool} IS NOT FALSE]])]] THEN 'done'::text ELSE 'planned' END$$,
		 $$<time of a task> >= timestamptz '2000-01-01 00:00+00'$$),
		(4, 'meetings: planned as long as they are in the future', 'e', false, NULL, NULL, NULL),
		(5, 'meetings of leads, likewise: what became of the lead counts', 'e', true, NULL, NULL, NULL)) AS k(place, title, alias, of_leads, at, status, condition),
		LATERAL activity_metrics.preset_salesforce_activity(k.title, k.alias, k.of_leads, k.at, k.status, k.condition) AS a
	UNION ALL
	VALUES
	('events', NULL, 'leads: what became an opportunity is counted as that opportunity', $$
entity_type: CASE WHEN {l.converted_opportunity_id:text} <> '' THEN 'opportunity' ELSE 'lead'::text END
entity: coalesce(nullif({l.converted_opportunity_id:text}, ''), {l.id:text!})
kind: 'lead'::text
at: {l.created_date:time!}
actor: {l.owner_id:text}
event_id: 'sf:lead:' || {l.id:text!}
recorded_at: {l.created_date:time!}
status: 'done'::text
source: 'lead'::text
FROM {l}
WHERE {l:kept}
$$),
	('events', NULL, 'opportunities created', $$
entity_type: 'opportunity'::text
entity: {o.id:text!}
kind: 'created'::text
at: {o.created_date:time!}
actor: {o.created_by_id|owner_id:text}
event_id: 'sf:created:' || {o.id:text!}
recorded_at: {o.created_date:time!}
status: 'done'::text
source: 'opportunity'::text
FROM {o}
WHERE {o:kept}
$$),
	('events', NULL, 'opportunities won: when the stage changed last, else at the end of the close date, never in the future', $$
entity_type: 'opportunity'::text
entity: {o.id:text!}
kind: 'won'::text
at: least(coalesce([[{o.last_stage_change_date:time}, ]]{o.close_date:day_end!}), now())
actor: {o.owner_id:text}
event_id: 'sf:closed:' || {o.id:text!}
status: 'done'::text
value: [[{o.amount:number} / (SELECT nullif({ct.conversion_rate:number}, 0) FROM {ct} WHERE {ct.iso_code} = {o.currency_iso_code} LIMIT 1)]else[{o:money amount currency_iso_code}]]
currency: {o.currency_iso_code:text}
attrs: jsonb_strip_nulls(jsonb_build_object('stage_to', {o.stage_name:text}))
source: 'opportunity'::text
FROM {o}
WHERE {o:kept}
	AND {o.is_won:bool!}
$$),
	('events', NULL, 'opportunities lost', $$
entity_type: 'opportunity'::text
entity: {o.id:text!}
kind: 'lost'::text
at: least(coalesce([[{o.last_stage_change_date:time}, ]]{o.close_date:day_end!}), now())
actor: {o.owner_id:text}
event_id: 'sf:closed:' || {o.id:text!}
status: 'done'::text
attrs: jsonb_strip_nulls(jsonb_build_object('stage_to', {o.stage_name:text}))
source: 'opportunity'::text
FROM {o}
WHERE {o:kept}
	AND {o.is_closed:bool!} AND NOT {o.is_won:bool!}
$$),
	('events', NULL, 'stages by OpportunityHistory: it has a row for every change of the opportunity, so that a stage repeats; equal neighbours are one', $$
entity_type: 'opportunity'::text
entity: h.entity COLLATE "default"
kind: h.stage
at: h.at
actor: h.actor
event_id: h.event_id
recorded_at: h.at
status: 'done'::text
stage: h.stage
attrs: jsonb_strip_nulls(jsonb_build_object('stage_from', h.stage_before, 'stage_to', h.stage))
source: 'opportunity_history'::text
FROM (
	SELECT {oh.opportunity_id:text} COLLATE "C" AS entity, {oh.stage_name:text} AS stage, {oh.created_date:time!} AS at, {oh.created_by_id:text} AS actor,
		'sf:stage:' || {oh.id:text} AS event_id,
		lag({oh.stage_name:text}) OVER (PARTITION BY {oh.opportunity_id:text} COLLATE "C" ORDER BY {oh.created_date:time!}, {oh.id:text} COLLATE "C") AS stage_before
	FROM {oh}
	WHERE {oh:kept}) AS h
WHERE h.stage IS DISTINCT FROM h.stage_before
$$),
	('events', NULL, 'stages by OpportunityFieldHistory', $$
entity_type: 'opportunity'::text
entity: {fh.opportunity_id:text}
kind: {fh.new_value:text}
at: {fh.created_date:time!}
actor: {fh.created_by_id:text}
event_id: 'sf:stage:' || {fh.id:text}
recorded_at: {fh.created_date:time!}
status: 'done'::text
stage: {fh.new_value:text}
attrs: jsonb_strip_nulls(jsonb_build_object('stage_from', {fh.old_value:text}, 'stage_to', {fh.new_value:text}))
source: 'opportunity_field_history'::text
FROM {fh}
WHERE {fh:kept}
	AND {fh.field:text} = 'StageName'
$$),
	('events', NULL, 'the first stage: field history has no row for it; since creation, the old value of the first change, or the stage now', $$
entity_type: 'opportunity'::text
entity: {o.id:text!}
kind: coalesce(h.stage, {o.stage_name:text!})
at: {o.created_date:time!}
actor: {o.created_by_id|owner_id:text}
event_id: 'sf:stage:' || {o.id:text!}
recorded_at: {o.created_date:time!}
status: 'done'::text
stage: coalesce(h.stage, {o.stage_name:text!})
attrs: jsonb_strip_nulls(jsonb_build_object('stage_to', coalesce(h.stage, {o.stage_name:text!})))
source: 'opportunity'::text
FROM {o}
LEFT JOIN (
	SELECT DISTINCT ON ({fh.opportunity_id}) {fh.opportunity_id} AS id, {fh.old_value:text} AS stage
	FROM {fh}
	WHERE {fh.field:text} = 'StageName'
	ORDER BY {fh.opportunity_id}, {fh.created_date:time!}) AS h ON h.id = {o.id!}
WHERE {o:kept}
$$),
	('events', NULL, 'stages by versions of the row: the first one counts since creation, equal neighbours are one', $$
entity_type: 'opportunity'::text
entity: h.entity COLLATE "default"
kind: h.stage
at: CASE WHEN h.version = 1 THEN least(h.created_at, h.at) ELSE h.at END
actor: h.actor
event_id: 'sf:stage:' || h.entity COLLATE "default" || ':' || h.version
recorded_at: h.at
status: 'done'::text
stage: h.stage
attrs: jsonb_strip_nulls(jsonb_build_object('stage_from', h.stage_before, 'stage_to', h.stage))
source: 'opportunity_history'::text
FROM (
	SELECT {hm.id:text!} COLLATE "C" AS entity, {hm.stage_name:text} AS stage, {hm._fivetran_start:time!} AS at, {hm.created_date:time} AS created_at, {hm.owner_id:text} AS actor,
		row_number() OVER w AS version, lag({hm.stage_name:text}) OVER w AS stage_before
	FROM {hm}
	WHERE {hm:kept}
	WINDOW w AS (PARTITION BY {hm.id:text!} COLLATE "C" ORDER BY {hm._fivetran_start:time!})) AS h
WHERE h.stage IS DISTINCT FROM h.stage_before
$$),
	('events', NULL, 'no history at all: the stage now', $$
entity_type: 'opportunity'::text
entity: {oc.id:text!}
kind: {oc.stage_name:text!}
at: {oc.last_stage_change_date:time!}
actor: {oc.owner_id:text}
event_id: 'sf:stage:' || {oc.id:text!}
status: 'done'::text
stage: {oc.stage_name:text!}
source: 'opportunity'::text
FROM {oc}
WHERE [[{oc.is_deleted:bool} IS NOT TRUE]else[true]]
	AND {oc.last_stage_change_date:time!} IS NOT NULL
$$),

	('entities', NULL, 'opportunities', $$
entity_type: 'opportunity'::text
entity_id: {o.id:text!}
parent_id: {o.account_id:text}
owner: {o.owner_id:text}
stage: {o.stage_name:text}
status: CASE WHEN {o.is_won:bool} THEN 'won' WHEN {o.is_closed:bool} THEN 'lost' ELSE 'open' END
created_at: {o.created_date:time}
closed_at: CASE WHEN {o.is_closed:bool} THEN least(coalesce([[{o.last_stage_change_date:time}, ]]{o.close_date:day_end}), now()) END
expected_close: {o.close_date:date}
amount: {o.amount:number}
currency: {o.currency_iso_code:text}
is_deleted: coalesce({o.is_deleted:bool}, false)
attrs: jsonb_strip_nulls(jsonb_build_object('name', {o.name:text}, 'type', {o.type:text}, 'probability', {o.probability:number} / 100, 'forecast', {o.forecast_category:text}))
FROM {o}
[[WHERE {o._fivetran_active:bool} IS NOT FALSE]]
$$),
	('entities', NULL, 'leads', $$
entity_type: 'lead'::text
entity_id: {l.id:text!}
parent_id: {l.converted_account_id:text}
owner: {l.owner_id:text}
stage: {l.status:text}
status: CASE WHEN {l.is_converted:bool} THEN 'won' ELSE 'open' END
created_at: {l.created_date:time}
closed_at: {l.converted_date:time}
is_deleted: coalesce({l.is_deleted:bool}, false)
merged_into: {l.master_record_id:text}
attrs: jsonb_strip_nulls(jsonb_build_object('opportunity', {l.converted_opportunity_id:text}, 'contact', {l.converted_contact_id:text}))
FROM {l}
$$),
	('entities', NULL, 'accounts', $$
entity_type: 'account'::text
entity_id: {a.id:text!}
parent_id: {a.parent_id:text}
owner: {a.owner_id:text}
created_at: {a.created_date:time}
is_deleted: coalesce({a.is_deleted:bool}, false)
merged_into: {a.master_record_id:text}
FROM {a}
[[WHERE {a._fivetran_active:bool} IS NOT FALSE]]
$$),
	('entities', NULL, 'contacts', $$
entity_type: 'contact'::text
entity_id: {c.id:text!}
parent_id: {c.account_id:text}
owner: {c.owner_id:text}
created_at: {c.created_date:time}
is_deleted: coalesce({c.is_deleted:bool}, false)
merged_into: {c.master_record_id:text}
FROM {c}
[[WHERE {c._fivetran_active:bool} IS NOT FALSE]]
$$),

	('stages', NULL, 'the dictionary of stages', $$
stage_key: {st.api_name|master_label:text}
label: {st.master_label|api_name:text}
ordinal: {st.sort_order:number}::integer
class: CASE WHEN {st.is_won:bool} THEN 'won' WHEN {st.is_closed:bool} THEN 'lost' ELSE 'open' END
probability: {st.default_probability:number} / 100
FROM {st}
$$),
	('stages', NULL, 'without one: stages that opportunities are in', $$
stage_key: s.stage
label: s.stage
ordinal: (row_number() OVER (ORDER BY s.probability, s.stage))::integer
class: CASE WHEN s.is_won THEN 'won' WHEN s.is_closed THEN 'lost' ELSE 'open' END
probability: s.probability / 100
FROM (
	SELECT {od.stage_name:text} AS stage, bool_or({od.is_won:bool}) AS is_won, bool_or({od.is_closed:bool}) AS is_closed, avg({od.probability:number}) AS probability
	FROM {od}
	GROUP BY {od.stage_name:text}) AS s
$$)) AS p(part, key, title, body)
$preset$;
COMMENT ON FUNCTION activity_metrics.preset_salesforce(jsonb) IS
'Internal: the parts of the preset of Salesforce; see the head of 80_presets.sql.';
