--
-- Krayin CRM: leads are deals; what changed is told by activities that the system writes, under names of the user's language.
--

INSERT INTO activity_metrics.preset_registry (preset, place, system, sources, options, funnel) VALUES
	('krayin', 6, 'Krayin CRM', 'Krayin CRM 1 and 2 on PostgreSQL, or copied by a loader: leads, lead_pipeline_stages, activities, lead_activities, person_activities, emails, attributes, persons, organizations',
	 'stage_attribute (what the attribute of the stage is or was called, names separated by |, besides its name now)',
	 'created -> (call | email_out) -> meeting -> won within 180 days');

CREATE FUNCTION activity_metrics.preset_krayin(options jsonb) RETURNS TABLE (part text, key text, title text, body text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $preset$
	SELECT p.part, p.key, p.title, activity_metrics.preset_filled(p.body, jsonb_build_object(
		-- an object, or a string that holds one: the text of either is read twice; OFFSET 0, so that it is so once a row
		'change', $$activity_metrics.text_to_json(activity_metrics.text_to_json({sa.additional:text!}) #>> '{}')$$,
		-- the name of the attribute is of the user's language; stages that are named as the label says are of any
		'is stage', $$(h.attribute IN ('lead_pipeline_stage_id', 'Stage')
		[[OR h.attribute = ANY (string_to_array({=stage_attribute}, '|'))]]
		[[OR h.attribute IN (SELECT {at.name:text} FROM {at} WHERE {at.code:text} = 'lead_pipeline_stage_id')]]
		OR {st.name:text} = h.label)$$,
		'a history', $$(
	SELECT {sl.lead_id:text!} AS lead, {sa.id:text!} AS id, {sa.created_at:time!} AS at, {sa.user_id:text} AS actor,
		c.change ->> 'attribute' AS attribute, c.change -> 'old' ->> 'value' AS old, c.change -> 'new' ->> 'value' AS new, c.change -> 'new' ->> 'label' AS label
	FROM {sa}
	JOIN {sl} ON {sl.activity_id:same sa.id}
	CROSS JOIN LATERAL (SELECT <change> AS change OFFSET 0) AS c
	WHERE {sa.type:text!} = 'system') AS h
JOIN {st} ON {st.id:text!} = h.new AND <is stage>$$))
	FROM (VALUES
	('table', 'o', 'leads | lead', 'required; id id; with lead_pipeline_stage_id'),
	('table', 'st', 'lead_pipeline_stages | lead_pipeline_stage', 'id id; with id; with name'),
	('table', 'a', 'activities | activity', 'id id; with id; with is_done'),
	('table', 'la', 'lead_activities', 'with activity_id; with lead_id'),
	('table', 'pa', 'person_activities', 'with activity_id; with person_id'),
	-- the same tables, read as a history
	('table', 'sa', 'activities | activity', 'with id; with additional'),
	('table', 'sl', 'lead_activities', 'with activity_id; with lead_id'),
	('table', 'em', 'emails', 'id id; with folders'),
	('table', 'at', 'attributes', 'id id; with code'),
	('table', 'p', 'persons | person', 'id id; with id'),
	('table', 'og', 'organizations | organization', 'id id'),

	('left_out', 'a', 'written by the system', $${a.type:text} = 'system'
example: {a.title:text}$$),
	('left_out', 'a', 'a file', '{a.type:text} = ''file'''),
	('left_out', 'a', 'before 2000', $$CASE WHEN {a.type:text} = 'note' THEN {a.created_at:time} WHEN {a.is_done:bool} THEN least({a.schedule_from:time}, {a.updated_at|created_at:time}) ELSE coalesce({a.schedule_from:time}, {a.created_at:time}) END < timestamptz '2000-01-01 00:00+00'
example: CASE WHEN {a.type:text} = 'note' THEN {a.created_at:time} WHEN {a.is_done:bool} THEN least({a.schedule_from:time}, {a.updated_at|created_at:time}) ELSE coalesce({a.schedule_from:time}, {a.created_at:time}) END$$),
	('left_out', 'em', 'not on a lead or person', '{em.lead_id:text} IS NULL AND {em.person_id:text} IS NULL'),
	('left_out', 'em', 'not sent', '{em.folders:text} ~ ''draft|outbox'''),
	('left_out', 'em', 'before 2000', $${em.created_at:time} < timestamptz '2000-01-01 00:00+00'
example: {em.created_at:time}$$),
	('left_out', 'o', 'before 2000', $${o.created_at:time} < timestamptz '2000-01-01 00:00+00'
example: {o.created_at:time}$$),

	('events', NULL, 'activities: of each lead that they are linked to, or else the person; what was done is at the time it was scheduled for, if that is not after it was done', $$
entity_type: CASE WHEN {la.lead_id:text} IS NOT NULL THEN 'opportunity'::text WHEN {pa.person_id:text} IS NOT NULL THEN 'contact' END
entity: coalesce({la.lead_id:text}, {pa.person_id:text})
kind: CASE
		WHEN {a.type:text!} = 'call' THEN 'call'::text
		WHEN {a.type:text!} IN ('meeting', 'lunch') THEN 'meeting'
		WHEN {a.type:text!} = 'email' THEN 'email'
		WHEN {a.type:text!} = 'note' THEN 'note' ELSE 'task' END
at: CASE
		WHEN {a.type:text!} = 'note' THEN {a.created_at:time!}
		WHEN {a.is_done:bool!} THEN least({a.schedule_from:time}, {a.updated_at|created_at:time})
		ELSE coalesce({a.schedule_from:time}, {a.created_at:time!}) END
actor: {a.user_id:text}
event_id: 'krayin:activity:' || {a.id:text!}
recorded_at: {a.created_at:time!}
status: CASE WHEN {a.is_done:bool!} OR {a.type:text!} = 'note' THEN 'done'::text ELSE 'planned' END
value: extract(epoch FROM {a.schedule_to:time} - {a.schedule_from:time})::double precision
origin: 'manual'::text
attrs: jsonb_strip_nulls(jsonb_build_object('type', {a.type:text!}))
source: 'activities'::text
FROM {a}
[[LEFT JOIN {la} ON {la.activity_id:same a.id}]]
[[LEFT JOIN {pa} ON {pa.activity_id:same a.id}[[ AND {la.lead_id} IS NULL]]]]
WHERE {a:kept}
$$),
	('events', NULL, 'emails', $$
entity_type: CASE WHEN {em.lead_id:text} IS NOT NULL THEN 'opportunity'::text ELSE 'contact' END
entity: coalesce({em.lead_id:text}, {em.person_id:text})
kind: CASE WHEN {em.folders:text!} ~ 'sent' THEN 'email_out' ELSE 'email_in'::text END
at: {em.created_at:time!}
actor: {em.user_id:text}
event_id: 'krayin:email:' || {em.id:text!}
recorded_at: {em.created_at:time!}
status: 'done'::text
source: 'emails'::text
FROM {em}
WHERE {em:kept}
$$),
	('events', NULL, 'leads created: an opportunity from the beginning', $$
entity_type: 'opportunity'::text
entity: {o.id:text!}
kind: 'created'::text
at: {o.created_at:time!}
actor: {o.user_id:text}
event_id: 'krayin:created:' || {o.id:text!}
recorded_at: {o.created_at:time!}
status: 'done'::text
source: 'leads'::text
FROM {o}
WHERE {o:kept}
$$),
	('events', NULL, 'leads won: in a stage of code won', $$
entity_type: 'opportunity'::text
entity: {o.id:text!}
kind: 'won'::text
at: least(coalesce({o.closed_at:time}, {o.updated_at:time}), now())
actor: {o.user_id:text}
event_id: 'krayin:closed:' || {o.id:text!}
status: 'done'::text
value: {o.lead_value:number}
source: 'leads'::text
FROM {o}
JOIN {st} ON {st.id:same o.lead_pipeline_stage_id}
WHERE {o:kept}
	AND {st.code:text!} = 'won'
$$),
	('events', NULL, 'leads lost: in a stage of code lost', $$
entity_type: 'opportunity'::text
entity: {o.id:text!}
kind: 'lost'::text
at: least(coalesce({o.closed_at:time}, {o.updated_at:time}), now())
actor: {o.user_id:text}
event_id: 'krayin:closed:' || {o.id:text!}
status: 'done'::text
attrs: jsonb_strip_nulls(jsonb_build_object('reason', {o.lost_reason:text}))
source: 'leads'::text
FROM {o}
JOIN {st} ON {st.id:same o.lead_pipeline_stage_id}
WHERE {o:kept}
	AND {st.code:text!} = 'lost'
$$),
	('events', NULL, 'moves between stages: activities that the system writes', $$
entity_type: 'opportunity'::text
entity: h.lead
kind: coalesce({st.name:text}, h.label)
at: h.at
actor: h.actor
event_id: 'krayin:stage:' || h.id
recorded_at: h.at
status: 'done'::text
stage: h.new
attrs: jsonb_strip_nulls(jsonb_build_object('stage_from', h.old, 'stage_to', h.new, 'pipeline', {st.lead_pipeline_id:text}))
source: 'activities'::text
FROM <a history>
$$),
	('events', NULL, 'the first stage: the old one of the first move, or the stage now, since creation; none if the first move is from nothing', $$
entity_type: 'opportunity'::text
entity: {o.id:text!}
kind: {st.name:text!}
at: {o.created_at:time!}
actor: {o.user_id:text}
event_id: 'krayin:first stage:' || {o.id:text!}
recorded_at: {o.created_at:time!}
status: 'done'::text
stage: {st.id:text!}
attrs: jsonb_strip_nulls(jsonb_build_object('stage_to', {st.id:text!}, 'pipeline', {st.lead_pipeline_id:text}))
source: 'leads'::text
FROM {o}
[[LEFT JOIN (
	SELECT DISTINCT ON (h.lead) h.lead, h.old
	FROM <a history>
	ORDER BY h.lead, h.at, length(h.id), h.id) AS f ON f.lead = {o.id:text!}
JOIN {st} ON {st.id:text!} = CASE WHEN f.lead IS NULL THEN {o.lead_pipeline_stage_id:text!} ELSE f.old END]else[JOIN {st} ON {st.id:same o.lead_pipeline_stage_id}]]
WHERE {o:kept}
$$),

	('entities', NULL, 'leads', $$
entity_type: 'opportunity'::text
entity_id: {o.id:text!}
parent_id: [[CASE WHEN {o.person_id} IS NOT NULL THEN {p.organization_id:text} END]else[NULL::text]]
owner: {o.user_id:text}
pipeline: {o.lead_pipeline_id:text}
stage: {o.lead_pipeline_stage_id:text!}
status: CASE [[{st.code:text}]else[NULL]] WHEN 'won' THEN 'won' WHEN 'lost' THEN 'lost' ELSE 'open'::text END
created_at: {o.created_at:time}
closed_at: {o.closed_at:time}
expected_close: {o.expected_close_date:date}
amount: {o.lead_value:number}
is_deleted: false
attrs: jsonb_strip_nulls(jsonb_build_object('name', {o.title:text}, 'reason', {o.lost_reason:text}, 'person', {o.person_id:text}))
FROM {o}
[[LEFT JOIN {st} ON {st.id:same o.lead_pipeline_stage_id}]]
[[LEFT JOIN {p} ON {p.id} = {o.person_id}[[ AND {p.organization_id} IS NOT NULL]]]]
$$),
	('entities', NULL, 'persons', $$
entity_type: 'contact'::text
entity_id: {p.id:text!}
parent_id: {p.organization_id:text}
owner: {p.user_id:text}
created_at: {p.created_at:time}
is_deleted: false
FROM {p}
$$),
	('entities', NULL, 'organizations', $$
entity_type: 'account'::text
entity_id: {og.id:text!}
owner: {og.user_id:text}
created_at: {og.created_at:time}
is_deleted: false
FROM {og}
$$),
	('stages', NULL, 'stages of all pipelines', $$
pipeline: {st.lead_pipeline_id:text}
stage_key: {st.id:text!}
label: {st.name:text!}
ordinal: {st.sort_order:number}::integer
class: CASE {st.code:text} WHEN 'won' THEN 'won' WHEN 'lost' THEN 'lost' ELSE 'open'::text END
probability: {st.probability:number} / 100
FROM {st}
$$)) AS p(part, key, title, body)
$preset$;
COMMENT ON FUNCTION activity_metrics.preset_krayin(jsonb) IS
'Internal: the parts of the preset of Krayin CRM; see the head of 80_presets.sql.';
