--
-- Pipedrive, as Fivetran, Airbyte, Stitch (Singer) and dlt write its tables: deals won and lost by status, not by stage.
--

INSERT INTO activity_metrics.preset_registry (preset, place, system, sources, options, funnel) VALUES
	('pipedrive', 8, 'Pipedrive', 'Fivetran, Airbyte, Stitch, dlt: deal, activity, stage history in two shapes (deal flow, deal_history), stage, note, lead, mail_message, call_logs, organization, person; singular or plural',
	 NULL,
	 'created -> (call | email_out) -> meeting -> won within 180 days');

CREATE FUNCTION activity_metrics.preset_pipedrive(options jsonb) RETURNS TABLE (part text, key text, title text, body text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $preset$
	-- <key t.columns>: a key, which some loaders leave in the object that the API gives
	SELECT p.part, p.key, p.title, regexp_replace(activity_metrics.preset_filled(p.body, jsonb_build_object(
		'at', $$CASE
		WHEN {a.done:bool!} IS NOT TRUE THEN coalesce(<due>, {a.add_time:time})
		WHEN <kind> IN ('meeting', 'demo') THEN least(<due>, {a.marked_as_done_time:time})
		ELSE coalesce({a.marked_as_done_time:time}, <due>) END$$,
		-- hours and minutes are of UTC; a day without them is of the zone of days
		'due', $$coalesce(({a.due_date:date} + <due time>) AT TIME ZONE 'UTC', {a.due_date:time})$$,
		'due time', $$CASE WHEN {a.due_time:text} ~ '^\s*\d?\d:[0-5]\d' THEN make_interval(hours => split_part({a.due_time:text}, ':', 1)::integer, mins => left(split_part({a.due_time:text}, ':', 2), 2)::integer) END$$,
		'duration', $$CASE WHEN {a.duration:text} ~ '^\s*\d?\d?\d:[0-5]\d' THEN (split_part({a.duration:text}, ':', 1)::integer * 3600 + left(split_part({a.duration:text}, ':', 2), 2)::integer * 60)::double precision END$$,
		'kind', $$CASE
		WHEN {a.type:text!} ILIKE '%call%' THEN 'call'::text
		WHEN {a.type:text!} ILIKE '%demo%' THEN 'demo'
		WHEN {a.type:text!} ILIKE '%meeting%' OR {a.type:text!} ILIKE '%lunch%' THEN 'meeting'
		WHEN {a.type:text!} ILIKE '%mail%' THEN 'email_out'
		WHEN {a.type:text!} ILIKE '%whatsapp%' OR {a.type:text!} ILIKE '%sms%' OR {a.type:text!} ILIKE '%linkedin%' THEN 'message' ELSE 'task' END$$,
		'closed', $$coalesce({d.close_time:time}, {d.stage_change_time:time}, {d.update_time:time})$$)),
		'<key ([a-z]+)\.([a-z_|]+)>', $$coalesce(substring({\1.\2:text} FROM '"value": ?(\d+)'), substring({\1.\2:text} FROM '"id": ?(\d+)'), {\1.\2:text})$$, 'g')
	FROM (VALUES
	('table', 'd', 'deal | deals', 'required; id id; with stage_id; with status'),
	('table', 'a', 'activity | activities', 'id id; with due_date'),
	('table', 'st', 'stage | stages', 'id id; with id; with pipeline_id'),
	('table', 'df', 'deal_flow | dealflow | deals_flow_deal_change | deal_change | deal_changelog', 'id id; with field_key'),
	('table', 'dh', 'deal_history', 'id id; with stage_id; with _fivetran_start; unless df'),
	('table', 'dn', 'deal | deals', 'id id; with stage_id; unless df|dh'),
	('table', 'n', 'note | notes', 'id id; with content'),
	('table', 'l', 'lead | leads', 'id id; with add_time'),
	('table', 'mm', 'mail_message | mail_messages', 'id id; with message_time'),
	('table', 'cl', 'call_logs | call_log', 'id id; with start_time'),
	('table', 'og', 'organization | organizations', 'id id'),
	('table', 'pe', 'person | persons', 'id id'),

	('left_out', 'd', 'deleted', '{d.is_deleted|_fivetran_deleted|deleted:bool}'),
	('left_out', 'd', 'of status deleted', '{d.status:text} = ''deleted'''),
	('left_out', 'a', 'deleted', '{a.is_deleted|_fivetran_deleted|deleted:bool}'),
	('left_out', 'a', 'not active: deleted', '{a.active_flag:bool} IS FALSE'),
	('left_out', 'a', 'before 2000', $$<at> < timestamptz '2000-01-01 00:00+00'
example: <at>$$),
	('left_out', 'n', 'deleted', '{n.is_deleted|_fivetran_deleted|deleted:bool}'),
	('left_out', 'n', 'not active: deleted', '{n.active_flag:bool} IS FALSE'),
	('left_out', 'l', 'deleted', '{l.is_deleted|_fivetran_deleted|deleted:bool}'),
	('left_out', 'd', 'before 2000', $${d.add_time:time} < timestamptz '2000-01-01 00:00+00'
example: {d.add_time:time}$$),
	('left_out', 'l', 'before 2000', $${l.add_time:time} < timestamptz '2000-01-01 00:00+00'
example: {l.add_time:time}$$),
	('left_out', 'n', 'before 2000', $${n.add_time:time} < timestamptz '2000-01-01 00:00+00'
example: {n.add_time:time}$$),
	('left_out', 'mm', 'deleted', '{mm.deleted_flag|_fivetran_deleted:bool}'),
	('left_out', 'mm', 'a draft', '{mm.draft_flag:bool}'),
	('left_out', 'mm', 'not on a deal', '({mm.deal_id:text} <> '''') IS NOT TRUE'),
	('left_out', 'cl', 'an activity as well', '{cl.activity_id:text} IN (SELECT {a.id:text} FROM {a})'),
	('left_out', 'cl', 'before 2000', $${cl.start_time:time} < timestamptz '2000-01-01 00:00+00'
example: {cl.start_time:time}$$),
	('left_out', 'mm', 'before 2000', $${mm.message_time:time} < timestamptz '2000-01-01 00:00+00'
example: {mm.message_time:time}$$),
	('left_out', 'st', 'deleted', '{st.is_deleted|_fivetran_deleted|deleted:bool}'),

	('events', NULL, 'activities: those done when they were marked as done, meetings at their time if that was before; planned ones when they are due', $$
entity_type: CASE
		WHEN <key a.deal_id> <> '' THEN 'opportunity'::text
		WHEN {a.lead_id:text} <> '' THEN 'lead'
		WHEN <key a.person_id> <> '' THEN 'contact'
		WHEN <key a.org_id> <> '' THEN 'account' END
entity: coalesce(nullif(<key a.deal_id>, ''), nullif({a.lead_id:text}, ''), nullif(<key a.person_id>, ''), <key a.org_id>)
kind: <kind>
at: <at>
actor: <key a.owner_id|user_id|assigned_to_user_id>
event_id: 'pipedrive:activity:' || {a.id:text!}
recorded_at: {a.add_time:time}
status: CASE WHEN {a.done:bool!} THEN 'done'::text ELSE 'planned' END
value: <duration>
attrs: jsonb_strip_nulls(jsonb_build_object('type', {a.type:text!}, 'due', {a.due_date:text}))
source: 'activity'::text
FROM {a}
WHERE {a:kept}
$$),
	('events', NULL, 'calls of the log that are no activity', $$
entity_type: CASE WHEN {cl.deal_id:text} <> '' THEN 'opportunity'::text WHEN {cl.lead_id:text} <> '' THEN 'lead' WHEN {cl.person_id:text} <> '' THEN 'contact' WHEN {cl.org_id:text} <> '' THEN 'account' END
entity: coalesce({cl.deal_id|lead_id:text}, {cl.person_id:text}, {cl.org_id:text})
kind: 'call'::text
at: {cl.start_time:time!}
actor: {cl.user_id:text}
event_id: 'pipedrive:call:' || {cl.id:text!}
recorded_at: {cl.end_time|start_time:time}
status: CASE WHEN {cl.outcome:text} IN ('no_answer', 'busy', 'left_voicemail') THEN 'no_show' WHEN {cl.outcome:text} IN ('wrong_number') THEN 'cancelled' ELSE 'done'::text END
value: extract(epoch FROM {cl.end_time:time} - {cl.start_time:time!})::double precision
origin: 'integration'::text
attrs: jsonb_strip_nulls(jsonb_build_object('outcome', {cl.outcome:text}))
source: 'call_logs'::text
FROM {cl}
WHERE {cl:kept}
$$),
	('events', NULL, 'mail of deals', $$
entity_type: 'opportunity'::text
entity: {mm.deal_id:text!}
kind: CASE WHEN {mm.sent_flag:bool!} THEN 'email_out'::text ELSE 'email_in' END
at: {mm.message_time:time!}
actor: {mm.user_id:text}
event_id: 'pipedrive:mail:' || {mm.id:text!}
recorded_at: {mm.add_time:time}
status: 'done'::text
origin: CASE WHEN {mm.sent_from_pipedrive_flag:bool} THEN 'manual' ELSE 'integration'::text END
source: 'mail_message'::text
FROM {mm}
WHERE {mm:kept}
$$),
	('events', NULL, 'notes', $$
entity_type: CASE WHEN <key n.deal_id> <> '' THEN 'opportunity'::text WHEN {n.lead_id:text} <> '' THEN 'lead' WHEN <key n.person_id> <> '' THEN 'contact' WHEN <key n.org_id> <> '' THEN 'account' END
entity: coalesce(nullif(<key n.deal_id>, ''), nullif({n.lead_id:text}, ''), nullif(<key n.person_id>, ''), <key n.org_id>)
kind: 'note'::text
at: {n.add_time:time!}
actor: <key n.user_id>
event_id: 'pipedrive:note:' || {n.id:text!}
recorded_at: {n.add_time:time!}
status: 'done'::text
origin: 'manual'::text
source: 'note'::text
FROM {n}
WHERE {n:kept}
$$),
	('events', NULL, 'leads', $$
entity_type: 'lead'::text
entity: {l.id:text!}
kind: 'lead'::text
at: {l.add_time:time!}
actor: <key l.owner_id|creator_id>
event_id: 'pipedrive:lead:' || {l.id:text!}
recorded_at: {l.add_time:time!}
status: 'done'::text
source: 'lead'::text
FROM {l}
WHERE {l:kept}
$$),
	('events', NULL, 'deals created', $$
entity_type: 'opportunity'::text
entity: {d.id:text!}
kind: 'created'::text
at: {d.add_time:time!}
actor: <key d.creator_user_id>
event_id: 'pipedrive:created:' || {d.id:text!}
recorded_at: {d.add_time:time!}
status: 'done'::text
source: 'deal'::text
FROM {d}
WHERE {d:kept}
$$),
	('events', NULL, 'deals won, in whatever stage', $$
entity_type: 'opportunity'::text
entity: {d.id:text!}
kind: 'won'::text
at: coalesce({d.won_time:time}, <closed>)
actor: <key d.owner_id|user_id>
event_id: 'pipedrive:closed:' || {d.id:text!}
status: 'done'::text
value: {d:money value currency}
currency: {d.currency:text}
source: 'deal'::text
FROM {d}
WHERE {d:kept}
	AND {d.status:text!} = 'won'
$$),
	('events', NULL, 'deals lost, in whatever stage', $$
entity_type: 'opportunity'::text
entity: {d.id:text!}
kind: 'lost'::text
at: coalesce({d.lost_time:time}, <closed>)
actor: <key d.owner_id|user_id>
event_id: 'pipedrive:closed:' || {d.id:text!}
status: 'done'::text
attrs: jsonb_strip_nulls(jsonb_build_object('reason', {d.lost_reason:text}, 'stage', {d.stage_id:text}))
source: 'deal'::text
FROM {d}
WHERE {d:kept}
	AND {d.status:text!} = 'lost'
$$),
	('events', NULL, 'stages by the flow of deals: changes of the field stage_id', $$
entity_type: 'opportunity'::text
entity: {df.item_id|deal_id:text!}
kind: [[coalesce({st.name:text}, {df.new_value:text!})]else[{df.new_value:text!}]]
at: {df.log_time|time:time!}
actor: {df.user_id|actor_user_id:text}
event_id: 'pipedrive:stage:' || {df.item_id|deal_id:text!} || ':' || {df.id|log_time|time:text!}
recorded_at: {df.log_time|time:time!}
status: 'done'::text
stage: {df.new_value:text!}
attrs: jsonb_strip_nulls(jsonb_build_object('stage_from', {df.old_value:text}, 'stage_to', {df.new_value:text!}, 'pipeline', {st.pipeline_id:text}))
source: 'deal_flow'::text
FROM {df}
[[LEFT JOIN {st} ON {st.id:text} = {df.new_value:text}]]
WHERE {df.field_key:text!} = 'stage_id'
$$),
	('events', NULL, 'the first stage: the old value of the first change, or the stage now, since creation; none if the first change is from nothing', $$
entity_type: 'opportunity'::text
entity: {d.id:text!}
kind: [[coalesce({st.name:text}, f.stage, {d.stage_id:text!})]else[coalesce(f.stage, {d.stage_id:text!})]]
at: {d.add_time:time!}
actor: <key d.creator_user_id>
event_id: 'pipedrive:first stage:' || {d.id:text!}
recorded_at: {d.add_time:time!}
status: 'done'::text
stage: coalesce(f.stage, {d.stage_id:text!})
attrs: jsonb_strip_nulls(jsonb_build_object('stage_to', coalesce(f.stage, {d.stage_id:text!}), 'pipeline', {st.pipeline_id:text}))
source: 'deal'::text
FROM {d}
LEFT JOIN (
	SELECT DISTINCT ON ({df.item_id|deal_id:text!}) {df.item_id|deal_id:text!} AS id, {df.old_value:text} AS stage
	FROM {df}
	WHERE {df.field_key:text!} = 'stage_id'
	ORDER BY {df.item_id|deal_id:text!}, {df.log_time|time:time!}) AS f ON f.id = {d.id:text!}
[[LEFT JOIN {st} ON {st.id:text} = coalesce(f.stage, {d.stage_id:text})]]
WHERE {d:kept}
	AND (f.id IS NULL OR f.stage <> '')
$$),
	('events', NULL, 'stages by versions of the deal: the first one counts since creation, equal neighbours are one', $$
entity_type: 'opportunity'::text
entity: h.entity
kind: [[coalesce({st.name:text}, h.stage)]else[h.stage]]
at: CASE WHEN h.version = 1 THEN least(h.created_at, h.at) ELSE h.at END
actor: h.actor
event_id: 'pipedrive:stage:' || h.entity || ':' || h.version
recorded_at: h.at
status: 'done'::text
stage: h.stage
attrs: jsonb_strip_nulls(jsonb_build_object('stage_from', h.stage_before, 'stage_to', h.stage, 'pipeline', {st.pipeline_id:text}))
source: 'deal_history'::text
FROM (
	SELECT {dh.id:text!} AS entity, {dh.stage_id:text!} AS stage, coalesce({dh.stage_change_time:time}, {dh._fivetran_start:time!}) AS at, {dh.add_time:time} AS created_at, <key dh.owner_id|user_id> AS actor,
		row_number() OVER w AS version, lag({dh.stage_id:text!}) OVER w AS stage_before
	FROM {dh}
	WINDOW w AS (PARTITION BY {dh.id:text!} ORDER BY {dh._fivetran_start:time!})) AS h
[[LEFT JOIN {st} ON {st.id:text} = h.stage]]
WHERE h.stage IS DISTINCT FROM h.stage_before
$$),
	('events', NULL, 'no history at all: the stage now, since the last change', $$
entity_type: 'opportunity'::text
entity: {dn.id:text!}
kind: [[coalesce({st.name:text}, {dn.stage_id:text!})]else[{dn.stage_id:text!}]]
at: coalesce({dn.stage_change_time:time}, {dn.add_time:time})
actor: <key dn.owner_id|user_id>
event_id: 'pipedrive:stage:' || {dn.id:text!}
recorded_at: coalesce({dn.stage_change_time:time}, {dn.add_time:time})
status: 'done'::text
stage: {dn.stage_id:text!}
attrs: jsonb_strip_nulls(jsonb_build_object('stage_to', {dn.stage_id:text!}, 'pipeline', {dn.pipeline_id:text}))
source: 'deal'::text
FROM {dn}
[[LEFT JOIN {st} ON {st.id:text} = {dn.stage_id:text}]]
WHERE {dn.is_deleted|_fivetran_deleted|deleted:bool} IS NOT TRUE
	AND {dn.status:text} IS DISTINCT FROM 'deleted'
$$),

	('entities', NULL, 'deals', $$
entity_type: 'opportunity'::text
entity_id: {d.id:text!}
parent_id: <key d.org_id>
owner: <key d.owner_id|user_id>
pipeline: {d.pipeline_id:text}
stage: {d.stage_id:text}
status: CASE {d.status:text!} WHEN 'won' THEN 'won' WHEN 'lost' THEN 'lost' ELSE 'open'::text END
created_at: {d.add_time:time}
closed_at: CASE {d.status:text!} WHEN 'won' THEN coalesce({d.won_time:time}, <closed>) WHEN 'lost' THEN coalesce({d.lost_time:time}, <closed>) END
expected_close: {d.expected_close_date:date}
amount: {d.value:number}
currency: {d.currency:text}
is_deleted: coalesce({d.is_deleted|_fivetran_deleted|deleted:bool}, false) OR {d.status:text!} = 'deleted'
attrs: jsonb_strip_nulls(jsonb_build_object('name', {d.title:text}, 'probability', {d.probability:number} / 100, 'reason', {d.lost_reason:text}))
FROM {d}
$$),
	('entities', NULL, 'leads', $$
entity_type: 'lead'::text
entity_id: {l.id:text!}
owner: <key l.owner_id>
created_at: {l.add_time:time}
is_deleted: coalesce({l.is_deleted|_fivetran_deleted|deleted:bool}, false)
FROM {l}
$$),
	('entities', NULL, 'organizations', $$
entity_type: 'account'::text
entity_id: {og.id:text!}
owner: <key og.owner_id>
created_at: {og.add_time:time}
is_deleted: coalesce({og.is_deleted|_fivetran_deleted|deleted:bool}, false)
FROM {og}
$$),
	('entities', NULL, 'persons', $$
entity_type: 'contact'::text
entity_id: {pe.id:text!}
parent_id: <key pe.org_id>
owner: <key pe.owner_id>
created_at: {pe.add_time:time}
is_deleted: coalesce({pe.is_deleted|_fivetran_deleted|deleted:bool}, false)
FROM {pe}
$$),
	('stages', NULL, 'stages of all pipelines: none is won or lost, deals are', $$
pipeline: {st.pipeline_id:text}
stage_key: {st.id:text!}
label: {st.name:text!}
ordinal: {st.order_nr:number}::integer
class: 'open'::text
probability: {st.deal_probability:number} / 100
FROM {st}
WHERE {st:kept}
$$)) AS p(part, key, title, body)
$preset$;
COMMENT ON FUNCTION activity_metrics.preset_pipedrive(jsonb) IS
'Internal: the parts of the preset of Pipedrive; see the head of 80_presets.sql.';
