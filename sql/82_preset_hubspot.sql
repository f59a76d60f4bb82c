--
-- HubSpot, as Fivetran writes its tables: engagements of the old layout (start_time) and of the new (property_hs_...).
--

INSERT INTO activity_metrics.preset_registry (preset, place, system, sources, options, funnel) VALUES
	('hubspot', 2, 'HubSpot', 'Fivetran: engagement_call, _email, _meeting, _note, _task, _communication in the old and the new layout, engagement_deal, deal, deal_stage or deal_property_history, deal_pipeline_stage, merged_deal, company, contact',
	 NULL,
	 'created -> (call | email_out) -> meeting -> won within 180 days');

CREATE FUNCTION activity_metrics.preset_hubspot_activity(t text, name text, kind text, at text, status text, value text, attrs text)
RETURNS TABLE (part text, key text, title text, body text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $preset$
	-- what is the same for all kinds of engagement
	SELECT 'events'::text, NULL::text, p.title, replace(replace(replace(replace(replace(replace(replace(p.body,
		'<t>', t), '<name>', name), '<kind>', kind), '<at>', at), '<status>', status), '<value>', value), '<attrs>', attrs)
	FROM (VALUES
		(format('%s: one row for each deal that it is linked to; deals merged into another are that one', name), $$
entity_type: CASE WHEN {ed.deal_id:text} IS NOT NULL THEN 'opportunity'::text END
entity: [[coalesce(r.deal_id, {ed.deal_id:text}) /* {m.merged_deal_id} {m.deal_id} */]else[{ed.deal_id:text}]]
kind: <kind>
at: <at>
actor: [[{<t>.property_hubspot_owner_id|owner_id:text}]else[{g.owner_id:text}]]
event_id: 'hs:' || {<t>.engagement_id|id:text!}
recorded_at: [[{<t>.property_hs_createdate|created_at:time}]else[{g.created_at:time}]]
status: <status>
value: <value>
origin: CASE
		WHEN {<t>.property_hs_engagement_source|property_hs_object_source|source:text} IN ('CRM_UI', 'MOBILE_IOS', 'MOBILE_ANDROID') THEN 'manual'::text
		WHEN {<t>.property_hs_engagement_source|property_hs_object_source|source:text} IN ('WORKFLOWS', 'SEQUENCE', 'SEQUENCES', 'AUTOMATION', 'AUTOMATION_PLATFORM') THEN 'auto'
		WHEN {<t>.property_hs_engagement_source|property_hs_object_source|source:text} IS NOT NULL THEN 'integration' END
attrs: jsonb_strip_nulls(jsonb_build_object(<attrs>))
source: '<name>'::text
FROM {<t>}
[[LEFT JOIN {g} ON {g.id:same <t>.engagement_id|id}]]
[[LEFT JOIN {ed} ON {ed.engagement_id:same <t>.engagement_id|id} [[AND {ed._fivetran_deleted|is_deleted:bool} IS NOT TRUE]]]]
[[LEFT JOIN (
	-- a deal may be merged into one that is merged into a third
	WITH RECURSIVE chain AS (
		SELECT {m.merged_deal_id:text} AS merged, {m.deal_id:text} AS deal_id, 1 AS steps FROM {m}
		UNION ALL
		SELECT c.merged, {m.deal_id:text}, c.steps + 1 FROM chain AS c JOIN {m} ON {m.merged_deal_id:text} = c.deal_id WHERE c.steps < 20)
	SELECT DISTINCT ON (c.merged) c.merged, c.deal_id FROM chain AS c ORDER BY c.merged, c.steps DESC, c.deal_id) AS r ON r.merged = {ed.deal_id:text}]]
WHERE {<t>:kept}
$$)) AS p(title, body)
$preset$;
COMMENT ON FUNCTION activity_metrics.preset_hubspot_activity(text, text, text, text, text, text, text) IS
'Internal: the part of preset hubspot for one kind of engagement.';

CREATE FUNCTION activity_metrics.preset_hubspot(options jsonb) RETURNS TABLE (part text, key text, title text, body text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $preset$
	VALUES
	('table', 'd', 'deal', 'required; id deal_id|id'),
	('table', 'ec', 'engagement_call', 'id engagement_id'),
	('table', 'em', 'engagement_meeting', 'id engagement_id'),
	('table', 'ee', 'engagement_email', 'id engagement_id'),
	('table', 'en', 'engagement_note', 'id engagement_id'),
	('table', 'et', 'engagement_task', 'id engagement_id'),
	('table', 'eo', 'engagement_communication', 'id engagement_id'),
	-- the old layout has times and owners here
	('table', 'g', 'engagement', 'id id; with id; with timestamp'),
	('table', 'ed', 'engagement_deal', 'id engagement_id; with engagement_id'),
	('table', 'm', 'merged_deal', 'id merged_deal_id; with merged_deal_id'),
	('table', 'ds', 'deal_stage', 'id deal_id'),
	('table', 'ph', 'deal_property_history', 'id deal_id; with name; with value; unless ds'),
	('table', 'st', 'deal_pipeline_stage', 'id stage_id; with stage_id'),
	('table', 'p', 'deal_pipeline', 'id pipeline_id'),
	('table', 'co', 'company', 'id id'),
	('table', 'ct', 'contact', 'id id'),

	('left_out', 'd', 'deleted', '{d.is_deleted|_fivetran_deleted:bool}'),
	('left_out', 'd', 'merged into another', '{d.deal_id|id:text} IN (SELECT {m.merged_deal_id:text} FROM {m})'),
	('left_out', 'd', 'before 2000', $$coalesce({d.property_createdate|created_at:time}, {d.property_closedate:time}) < timestamptz '2000-01-01 00:00+00'
example: {d.property_createdate|created_at:time}$$),
	('left_out', 'ds', 'merged into another', '{ds.deal_id:text} IN (SELECT {m.merged_deal_id:text} FROM {m})'),
	('left_out', 'ph', 'merged into another', '{ph.deal_id:text} IN (SELECT {m.merged_deal_id:text} FROM {m})'),
	('left_out', 'ec', 'deleted', '{ec._fivetran_deleted|is_deleted:bool}'),
	('left_out', 'em', 'deleted', '{em._fivetran_deleted|is_deleted:bool}'),
	('left_out', 'ee', 'deleted', '{ee._fivetran_deleted|is_deleted:bool}'),
	('left_out', 'en', 'deleted', '{en._fivetran_deleted|is_deleted:bool}'),
	('left_out', 'et', 'deleted', '{et._fivetran_deleted|is_deleted:bool}'),
	('left_out', 'eo', 'deleted', '{eo._fivetran_deleted|is_deleted:bool}'),
	('left_out', 'ed', 'link deleted', '{ed._fivetran_deleted|is_deleted:bool}'),
	('left_out', 'ec', 'no time', '{ec.property_hs_timestamp|timestamp:time} IS NULL'),
	('left_out', 'em', 'no time', '{em.property_hs_meeting_start_time|start_time|property_hs_timestamp:time} IS NULL'),
	('left_out', 'ee', 'no time', '{ee.property_hs_timestamp|timestamp:time} IS NULL'),
	('left_out', 'en', 'no time', '{en.property_hs_timestamp|timestamp:time} IS NULL'),
	('left_out', 'et', 'no time', $$CASE WHEN [[{et.property_hs_task_status|status:text} = 'COMPLETED']else[false]] THEN {et.property_hs_task_completion_date|completion_date|property_hs_timestamp|timestamp:time} ELSE {et.property_hs_timestamp|timestamp|property_hs_createdate:time} END IS NULL$$),
	('left_out', 'eo', 'no time', '{eo.property_hs_timestamp|timestamp:time} IS NULL'),
	('left_out', 'ec', 'before 2000', $${ec.property_hs_timestamp|timestamp:time} < timestamptz '2000-01-01 00:00+00'
example: {ec.property_hs_timestamp|timestamp:time}$$),
	('left_out', 'em', 'January 1970: seconds read as milliseconds', $${em.property_hs_meeting_start_time|start_time|property_hs_timestamp:time} < timestamptz '1970-03-01 00:00+00'
example: {em.property_hs_meeting_start_time|start_time|property_hs_timestamp:time}$$),
	('left_out', 'em', 'before 2000', $${em.property_hs_meeting_start_time|start_time|property_hs_timestamp:time} < timestamptz '2000-01-01 00:00+00'
example: {em.property_hs_meeting_start_time|start_time|property_hs_timestamp:time}$$),
	('left_out', 'ee', 'before 2000', $${ee.property_hs_timestamp|timestamp:time} < timestamptz '2000-01-01 00:00+00'
example: {ee.property_hs_timestamp|timestamp:time}$$),
	('left_out', 'en', 'before 2000', $${en.property_hs_timestamp|timestamp:time} < timestamptz '2000-01-01 00:00+00'
example: {en.property_hs_timestamp|timestamp:time}$$),
	('left_out', 'et', 'before 2000', $$CASE WHEN [[{et.property_hs_task_status|status:text} = 'COMPLETED']else[false]] THEN {et.property_hs_task_completion_date|completion_date|property_hs_timestamp|timestamp:time} ELSE {et.property_hs_timestamp|timestamp|property_hs_createdate:time} END < timestamptz '2000-01-01 00:00+00'
example: CASE WHEN [[{et.property_hs_task_status|status:text} = 'COMPLETED']else[false]] THEN {et.property_hs_task_completion_date|completion_date|property_hs_timestamp|timestamp:time} ELSE {et.property_hs_timestamp|timestamp|property_hs_createdate:time} END$$),
	('left_out', 'eo', 'before 2000', $${eo.property_hs_timestamp|timestamp:time} < timestamptz '2000-01-01 00:00+00'
example: {eo.property_hs_timestamp|timestamp:time}$$)
	UNION ALL
	SELECT a.* FROM (VALUES
		(1, 'ec', 'engagement_call', '''call''::text', '[[{ec.property_hs_timestamp|timestamp:time}]else[{g.timestamp:time}]]',
		 $$CASE
		WHEN {ec.property_hs_call_status|status:text} IN ('CANCELED', 'CALLING_CRM_USER', 'QUEUED', 'SCHEDULED') THEN 'cancelled'
		WHEN [[{ec.property_hs_timestamp|timestamp:time}]else[{g.timestamp:time}]] > now() THEN 'planned' ELSE 'done'::text END$$,
		 '{ec.property_hs_call_duration|duration_milliseconds:number} / 1000',
		 $$'direction', {ec.property_hs_call_direction:text}, 'outcome', {ec.property_hs_call_disposition|disposition:text}, 'status', {ec.property_hs_call_status|status:text}$$),
		(2, 'em', 'engagement_meeting', '''meeting''::text', '[[{em.property_hs_meeting_start_time|start_time|property_hs_timestamp:time}]else[{g.timestamp:time}]]',
		 $$CASE
		WHEN upper({em.property_hs_meeting_outcome|meeting_outcome:text}) IN ('NO_SHOW', 'NO SHOW') THEN 'no_show'
		WHEN upper({em.property_hs_meeting_outcome|meeting_outcome:text}) IN ('CANCELED', 'CANCELLED', 'RESCHEDULED') THEN 'cancelled'
		WHEN [[{em.property_hs_meeting_start_time|start_time|property_hs_timestamp:time}]else[{g.timestamp:time}]] > now() THEN 'planned' ELSE 'done'::text END$$,
		 'extract(epoch FROM {em.property_hs_meeting_end_time|end_time:time} - {em.property_hs_meeting_start_time|start_time:time})::double precision',
		 $$'outcome', {em.property_hs_meeting_outcome|meeting_outcome:text}$$),
		(3, 'ee', 'engagement_email', $$CASE WHEN {ee.property_hs_email_direction|type:text} = 'INCOMING_EMAIL' THEN 'email_in' ELSE 'email_out'::text END$$, '[[{ee.property_hs_timestamp|timestamp:time}]else[{g.timestamp:time}]]',
		 $$CASE WHEN {ee.property_hs_email_status|status:text} IN ('FAILED', 'BOUNCED', 'CANCELED') THEN 'cancelled' WHEN {ee.property_hs_email_status|status:text} IN ('SCHEDULED', 'SENDING', 'DRAFT') THEN 'planned' ELSE 'done'::text END$$,
		 'NULL::double precision',
		 $$'direction', {ee.property_hs_email_direction:text}$$),
		(4, 'en', 'engagement_note', '''note''::text', '[[{en.property_hs_timestamp|timestamp:time}]else[{g.timestamp:time}]]', '''done''::text', 'NULL::double precision', ''),
		(5, 'et', 'engagement_task', $$CASE WHEN upper({et.property_hs_task_type|task_type:text}) = 'CALL' THEN 'call' WHEN upper({et.property_hs_task_type|task_type:text}) = 'EMAIL' THEN 'email_out' ELSE 'task'::text END$$,
		 $$CASE WHEN {et.property_hs_task_status|status:text} = 'COMPLETED' THEN [[{et.property_hs_task_completion_date|completion_date|property_hs_timestamp|timestamp:time}]else[{g.timestamp:time}]] ELSE [[{et.property_hs_timestamp|timestamp|property_hs_createdate:time}]else[{g.timestamp:time}]] END$$,
		 $$CASE WHEN {et.property_hs_task_status|status:text} = 'COMPLETED' THEN 'done'::text WHEN {et.property_hs_task_status|status:text} = 'DEFERRED' THEN 'cancelled' ELSE 'planned' END$$,
		 'NULL::double precision', $$'type', {et.property_hs_task_type|task_type:text}$$),
		(6, 'eo', 'engagement_communication', '''message''::text', '[[{eo.property_hs_timestamp|timestamp:time}]else[{g.timestamp:time}]]', '''done''::text', 'NULL::double precision',
		 $$'channel', {eo.property_hs_communication_channel_type:text}$$)) AS k(place, t, name, kind, at, status, value, attrs),
		LATERAL activity_metrics.preset_hubspot_activity(k.t, k.name, k.kind, k.at, k.status, k.value, k.attrs) AS a
	UNION ALL
	VALUES
	('events', NULL, 'deals created', $$
entity_type: 'opportunity'::text
entity: {d.deal_id|id:text!}
kind: 'created'::text
at: {d.property_createdate|created_at:time!}
actor: {d.owner_id|property_hubspot_owner_id:text}
event_id: 'hs:created:' || {d.deal_id|id:text!}
recorded_at: {d.property_createdate|created_at:time!}
status: 'done'::text
source: 'deal'::text
FROM {d}
WHERE {d:kept}
$$),
	('events', NULL, 'deals won: in a stage that the dictionary says is won', $$
entity_type: 'opportunity'::text
entity: {d.deal_id|id:text!}
kind: 'won'::text
at: least({d.property_closedate:time!}, now())
actor: {d.owner_id|property_hubspot_owner_id:text}
event_id: 'hs:closed:' || {d.deal_id|id:text!}
status: 'done'::text
value: [[{d.property_amount_in_home_currency:number}]else[{d:money property_amount property_deal_currency_code}]]
currency: [[NULL::text /* the home currency: {d.property_amount_in_home_currency} */]else[{d.property_deal_currency_code:text}]]
attrs: jsonb_strip_nulls(jsonb_build_object('stage_to', {d.deal_pipeline_stage_id|property_dealstage:text}, 'pipeline', {d.deal_pipeline_id|property_pipeline:text}))
source: 'deal'::text
FROM {d}
[[LEFT JOIN {st} ON {st.stage_id:same d.deal_pipeline_stage_id|property_dealstage}]]
WHERE {d:kept}
	AND [[{d.property_hs_is_closed_won:bool}]else[{st.closed_won:bool}]]
$$),
	('events', NULL, 'deals lost', $$
entity_type: 'opportunity'::text
entity: {d.deal_id|id:text!}
kind: 'lost'::text
at: least({d.property_closedate:time!}, now())
actor: {d.owner_id|property_hubspot_owner_id:text}
event_id: 'hs:closed:' || {d.deal_id|id:text!}
status: 'done'::text
attrs: jsonb_strip_nulls(jsonb_build_object('stage_to', {d.deal_pipeline_stage_id|property_dealstage:text}, 'pipeline', {d.deal_pipeline_id|property_pipeline:text}))
source: 'deal'::text
FROM {d}
[[LEFT JOIN {st} ON {st.stage_id:same d.deal_pipeline_stage_id|property_dealstage}]]
WHERE {d:kept}
	AND [[{d.property_hs_is_closed:bool} AND NOT {d.property_hs_is_closed_won:bool}]else[[[{st.is_closed:bool}]else[({st.probability:number} = 0)]] AND NOT {st.closed_won:bool}]]
$$),
	('events', NULL, 'stages by deal_stage: the label of the stage; without one in the dictionary its key; equal neighbours are one', $$
entity_type: 'opportunity'::text
entity: h.entity COLLATE "default"
kind: coalesce({st.label:text}, h.stage)
at: h.at
event_id: 'hs:stage:' || h.entity COLLATE "default" || ':' || h.stage || ':' || coalesce(h.since, '')
recorded_at: h.recorded_at
status: 'done'::text
stage: h.stage
attrs: jsonb_strip_nulls(jsonb_build_object('stage_from', h.stage_before, 'stage_to', h.stage, 'pipeline', {st.pipeline_id:text}))
source: 'deal_stage'::text
FROM (
	SELECT {ds.deal_id:text!} COLLATE "C" AS entity, {ds.value:text!} AS stage, {ds.date_entered|_fivetran_start:time} AS at, {ds._fivetran_start:time} AS recorded_at, {ds._fivetran_start|date_entered:text} AS since,
		lag({ds.value:text!}) OVER (PARTITION BY {ds.deal_id:text!} COLLATE "C" ORDER BY {ds.date_entered|_fivetran_start:time}, {ds._fivetran_start:time}) AS stage_before
	FROM {ds}
	WHERE {ds:kept}) AS h
[[LEFT JOIN {st} ON {st.stage_id:text} = h.stage]]
WHERE h.stage IS DISTINCT FROM h.stage_before
$$),
	('events', NULL, 'stages by deal_property_history, likewise', $$
entity_type: 'opportunity'::text
entity: h.entity COLLATE "default"
kind: coalesce({st.label:text}, h.stage)
at: h.at
event_id: 'hs:stage:' || h.entity COLLATE "default" || ':' || h.stage || ':' || h.since
recorded_at: h.at
status: 'done'::text
stage: h.stage
attrs: jsonb_strip_nulls(jsonb_build_object('stage_from', h.stage_before, 'stage_to', h.stage, 'pipeline', {st.pipeline_id:text}))
source: 'deal_property_history'::text
FROM (
	SELECT {ph.deal_id:text!} COLLATE "C" AS entity, {ph.value:text!} AS stage, {ph.timestamp:time!} AS at, {ph.timestamp:text!} AS since,
		lag({ph.value:text!}) OVER (PARTITION BY {ph.deal_id:text!} COLLATE "C" ORDER BY {ph.timestamp:time!}) AS stage_before
	FROM {ph}
	WHERE {ph:kept}
		AND {ph.name:text} = 'dealstage') AS h
[[LEFT JOIN {st} ON {st.stage_id:text} = h.stage]]
WHERE h.stage IS DISTINCT FROM h.stage_before
$$),

	('entities', NULL, 'deals', $$
entity_type: 'opportunity'::text
entity_id: {d.deal_id|id:text!}
owner: {d.owner_id|property_hubspot_owner_id:text}
pipeline: {d.deal_pipeline_id|property_pipeline:text}
stage: {d.deal_pipeline_stage_id|property_dealstage:text}
status: CASE WHEN [[{d.property_hs_is_closed_won:bool}]else[{st.closed_won:bool}]] THEN 'won' WHEN [[{d.property_hs_is_closed:bool}]else[[[{st.is_closed:bool}]else[({st.probability:number} = 0)]]]] THEN 'lost' ELSE 'open' END
created_at: {d.property_createdate|created_at:time}
closed_at: CASE WHEN [[{d.property_hs_is_closed:bool}]else[[[{st.is_closed:bool}]else[({st.probability:number} = 0)]]]] THEN {d.property_closedate:time} END
expected_close: {d.property_closedate:date}
amount: {d.property_amount:number}
currency: {d.property_deal_currency_code:text}
is_deleted: coalesce({d.is_deleted|_fivetran_deleted:bool}, false)
merged_into: [[(SELECT max({m.deal_id:text}) FROM {m} WHERE {m.merged_deal_id:same d.deal_id|id})]else[NULL::text]]
attrs: jsonb_strip_nulls(jsonb_build_object('name', {d.property_dealname:text}))
FROM {d}
[[LEFT JOIN {st} ON {st.stage_id:same d.deal_pipeline_stage_id|property_dealstage}]]
$$),
	('entities', NULL, 'companies', $$
entity_type: 'account'::text
entity_id: {co.id:text!}
owner: {co.property_hubspot_owner_id:text}
created_at: {co.property_createdate:time}
is_deleted: coalesce({co.is_deleted|_fivetran_deleted:bool}, false)
FROM {co}
$$),
	('entities', NULL, 'contacts', $$
entity_type: 'contact'::text
entity_id: {ct.id:text!}
parent_id: {ct.property_associatedcompanyid:text}
owner: {ct.property_hubspot_owner_id:text}
created_at: {ct.property_createdate:time}
is_deleted: coalesce({ct.is_deleted|_fivetran_deleted:bool}, false)
FROM {ct}
$$),
	('stages', NULL, 'stages of all pipelines', $$
pipeline: {st.pipeline_id:text}
stage_key: {st.stage_id:text!}
label: {st.label:text}
ordinal: {st.display_order:number}::integer
class: CASE WHEN {st.closed_won:bool} THEN 'won' WHEN [[{st.is_closed:bool}]else[({st.probability:number} = 0)]] THEN 'lost' ELSE 'open' END
probability: {st.probability:number}
FROM {st}
[[WHERE {st._fivetran_deleted:bool} IS NOT TRUE]]
$$)
$preset$;
COMMENT ON FUNCTION activity_metrics.preset_hubspot(jsonb) IS
'Internal: the parts of the preset of HubSpot; see the head of 80_presets.sql.';
