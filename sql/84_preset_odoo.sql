--
-- Odoo, from 12 on: activities that are done are messages, planned ones are rows of mail_activity, lost deals are archived.
--

INSERT INTO activity_metrics.preset_registry (preset, place, system, sources, options, funnel) VALUES
	('odoo', 3, 'Odoo CRM', 'Odoo 12 to 19: crm_lead, crm_stage, mail_message, mail_activity, mail_tracking_value, calendar_event, res_users; crm_phonecall where it is installed',
	 'lang (language of names that are translated, en_US unless said otherwise)',
	 'created -> (call | email_out) -> meeting -> won within 180 days');

CREATE FUNCTION activity_metrics.preset_odoo_name(name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $preset$
	-- a name is a text, and an object by language from 16 on
	SELECT replace($$CASE jsonb_typeof(to_jsonb(<name>))
		WHEN 'object' THEN coalesce(to_jsonb(<name>) ->> [[{=lang}]else['en_US']], to_jsonb(<name>) ->> 'en_US')
		ELSE to_jsonb(<name>) #>> '{}' END$$, '<name>', name)
$preset$;
COMMENT ON FUNCTION activity_metrics.preset_odoo_name(text) IS
'Internal: a name of Odoo in the language of option lang, whether it is stored as a text or as an object by language.';

CREATE FUNCTION activity_metrics.preset_odoo_kind(alias text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $preset$
	-- the category tells; where it is that of all others, the name does
	SELECT replace(replace($$CASE
		WHEN {at.category:text} = 'phonecall' OR <name> ILIKE '%call%' THEN 'call'::text
		WHEN <name> ILIKE '%demo%' THEN 'demo'
		WHEN {at.category:text} = 'meeting' OR <name> ILIKE '%meeting%' THEN 'meeting'
		WHEN <name> ILIKE '%mail%' THEN 'email_out'
		ELSE 'task' END$$, '<name>', activity_metrics.preset_odoo_name('{at.name}')), '{at.', '{' || alias || '.')
$preset$;
COMMENT ON FUNCTION activity_metrics.preset_odoo_kind(text) IS
'Internal: the kind of an activity of Odoo by its type, a row of mail_activity_type.';

CREATE FUNCTION activity_metrics.preset_odoo(options jsonb) RETURNS TABLE (part text, key text, title text, body text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $preset$
	SELECT p.part, p.key, p.title, replace(replace(replace(replace(p.body,
		'<kind>', activity_metrics.preset_odoo_kind('at')),
		'<stage now>', activity_metrics.preset_odoo_name('{st.name}')),
		'<actor>', '[[CASE WHEN {m.author_id} IS NOT NULL THEN {u.id:text} END]else[{m.author_id:text}]]'),
		'<users>', '[[LEFT JOIN (SELECT {u.partner_id} AS partner_id, min({u.id}) AS id FROM {u} GROUP BY 1) AS u ON u.partner_id = {m.author_id}]]')
	FROM (VALUES
	('table', 'o', 'crm_lead', 'required; id id; with stage_id'),
	('table', 'm', 'mail_message', 'id id; with id; with res_id'),
	('table', 'a', 'mail_activity', 'id id; with res_id'),
	('table', 'at', 'mail_activity_type', 'id id; with id'),
	('table', 'ce', 'calendar_event', 'id id; with start'),
	('table', 'pc', 'crm_phonecall', 'id id; with opportunity_id'),
	('table', 'tv', 'mail_tracking_value', 'id id; with new_value_integer'),
	('table', 'f', 'ir_model_fields', 'id id'),
	('table', 'u', 'res_users', 'id id; with partner_id'),
	('table', 'st', 'crm_stage', 'id id; with id; with is_won'),
	('table', 'co', 'res_company', 'id id; with currency_id'),
	('table', 'cu', 'res_currency', 'id id; with name'),

	-- lost deals are archived too, with a probability of zero
	('left_out', 'o', 'archived, not lost', '{o.active:bool} IS FALSE AND [[{o.won_status:text} IS DISTINCT FROM ''lost'' AND ]]{o.probability:number} IS DISTINCT FROM 0'),
	('left_out', 'o', 'before 2000', $$least({o.create_date:time}[[, {o.date_conversion:time}]]) < timestamptz '2000-01-01 00:00+00'
example: least({o.create_date:time}[[, {o.date_conversion:time}]])$$),
	('left_out', 'm', 'not on a lead or opportunity', '{m.model:text} IS DISTINCT FROM ''crm.lead'''),
	('left_out', 'm', 'written by the system', $$
	[[{m.mail_activity_type_id} IS NULL AND ]]{m.message_type:text} IN ('notification', 'auto_comment', 'user_notification', 'out_of_office', 'tracking')
example: {m.message_type:text}$$),
	('left_out', 'm', 'neither mail, comment nor activity', $$
	[[{m.mail_activity_type_id} IS NULL AND ]]({m.message_type:text} IN ('email', 'comment', 'email_outgoing')) IS NOT TRUE
example: {m.message_type:text}$$),
	('left_out', 'm', 'in the calendar as well', $$
	EXISTS (SELECT FROM {ce} JOIN {at} ON {at.id} = {m.mail_activity_type_id} AND {at.category:text} = 'meeting'
		WHERE {ce.opportunity_id} = {m.res_id} AND {ce.start:time} BETWEEN {m.date:time} - interval '7 days' AND {m.date:time} + interval '7 days')$$),
	('left_out', 'm', 'before 2000', $${m.date:time} < timestamptz '2000-01-01 00:00+00'
example: {m.date:time}$$),
	('left_out', 'a', 'not on a lead or opportunity', '{a.res_model:text} IS DISTINCT FROM ''crm.lead'''),
	('left_out', 'a', 'done: counted by its message', '{a.active:bool} IS FALSE'),
	('left_out', 'a', 'in the calendar as well', '{a.calendar_event_id:text} IN (SELECT {ce.id:text} FROM {ce})'),
	('left_out', 'a', 'before 2000', $${a.date_deadline:time} < timestamptz '2000-01-01 00:00+00'
example: {a.date_deadline:time}$$),
	('left_out', 'ce', 'not on a lead or opportunity', $$
	{ce.opportunity_id:text} IS NULL [[AND ({ce.res_model:text} = 'crm.lead' AND {ce.res_id:text} IS NOT NULL) IS NOT TRUE]]$$),
	('left_out', 'ce', 'before 2000', $${ce.start:time} < timestamptz '2000-01-01 00:00+00'
example: {ce.start:time}$$),
	('left_out', 'pc', 'not on an opportunity', '{pc.opportunity_id:text} IS NULL'),
	('left_out', 'pc', 'before 2000', $${pc.date:time} < timestamptz '2000-01-01 00:00+00'
example: {pc.date:time}$$),

	('events', NULL, 'activities done: messages that the system writes when one is marked done', $$
entity_type: CASE {o.type:text} WHEN 'lead' THEN 'lead'::text ELSE 'opportunity' END
entity: {m.res_id:text!}
kind: [[<kind>]else['task'::text]]
at: {m.date:time!}
actor: <actor>
event_id: 'odoo:message:' || {m.id:text!}
recorded_at: {m.create_date|date:time}
status: 'done'::text
origin: 'manual'::text
attrs: jsonb_strip_nulls(jsonb_build_object('type', {m.mail_activity_type_id:text!}))
source: 'mail_message'::text
FROM {m}
[[LEFT JOIN {at} ON {at.id} = {m.mail_activity_type_id}]]
LEFT JOIN {o} ON {o.id} = {m.res_id}
<users>
WHERE {m:kept}
	AND {m.mail_activity_type_id!} IS NOT NULL
$$),
	('events', NULL, 'mail and notes: what came in is email, what users write is a comment, or a note if it is internal', $$
entity_type: CASE {o.type:text} WHEN 'lead' THEN 'lead'::text ELSE 'opportunity' END
entity: {m.res_id:text!}
kind: CASE
		WHEN {m.message_type:text} = 'email' THEN 'email_in'::text
		WHEN {m.is_internal:bool} THEN 'note'
		ELSE 'email_out' END
at: {m.date:time!}
actor: <actor>
event_id: 'odoo:message:' || {m.id:text!}
recorded_at: {m.create_date|date:time}
status: 'done'::text
origin: CASE {m.message_type:text} WHEN 'email' THEN 'integration' ELSE 'manual'::text END
attrs: jsonb_strip_nulls(jsonb_build_object('message_type', {m.message_type:text}))
source: 'mail_message'::text
FROM {m}
LEFT JOIN {o} ON {o.id} = {m.res_id}
<users>
WHERE {m:kept}
	AND {m.message_type:text} IN ('email', 'comment', 'email_outgoing')
	[[AND {m.mail_activity_type_id} IS NULL]]
$$),
	('events', NULL, 'activities planned, at the start of the day that they are due', $$
entity_type: CASE {o.type:text} WHEN 'lead' THEN 'lead'::text ELSE 'opportunity' END
entity: {a.res_id:text!}
kind: [[CASE WHEN {a.activity_type_id} IS NULL THEN 'task'::text ELSE <kind> END]else['task'::text]]
at: {a.date_deadline:time!}
actor: {a.user_id:text}
event_id: 'odoo:activity:' || {a.id:text!}
recorded_at: {a.create_date:time}
status: 'planned'::text
origin: CASE WHEN {a.automated:bool} THEN 'auto' ELSE 'manual'::text END
attrs: jsonb_strip_nulls(jsonb_build_object('type', {a.activity_type_id:text}))
source: 'mail_activity'::text
FROM {a}
[[LEFT JOIN {at} ON {at.id} = {a.activity_type_id}]]
LEFT JOIN {o} ON {o.id} = {a.res_id}
WHERE {a:kept}
$$),
	('events', NULL, 'meetings of the calendar', $$
entity_type: CASE {o.type:text} WHEN 'lead' THEN 'lead'::text ELSE 'opportunity' END
entity: coalesce({ce.opportunity_id:text}, {ce.res_id:text})
kind: 'meeting'::text
at: {ce.start:time!}
actor: {ce.user_id:text}
event_id: 'odoo:meeting:' || {ce.id:text!}
recorded_at: {ce.create_date:time}
status: CASE WHEN {ce.active:bool} IS FALSE THEN 'cancelled' WHEN {ce.start:time!} > now() THEN 'planned' ELSE 'done'::text END
value: {ce.duration:number} * 3600
source: 'calendar_event'::text
FROM {ce}
LEFT JOIN {o} ON {o.id:text} = coalesce({ce.opportunity_id:text}, {ce.res_id:text})
WHERE {ce:kept}
$$),
	('events', NULL, 'calls of the module crm_phonecall', $$
entity_type: 'opportunity'::text
entity: {pc.opportunity_id:text!}
kind: 'call'::text
at: {pc.date:time!}
actor: {pc.user_id:text}
event_id: 'odoo:call:' || {pc.id:text!}
recorded_at: {pc.create_date:time}
status: CASE {pc.state:text} WHEN 'cancel' THEN 'cancelled' WHEN 'done' THEN 'done'::text ELSE 'planned' END
value: {pc.duration:number} * 60
attrs: jsonb_strip_nulls(jsonb_build_object('direction', {pc.direction:text}))
source: 'crm_phonecall'::text
FROM {pc}
WHERE {pc:kept}
$$),
	('events', NULL, 'leads; one that became an opportunity keeps its key', $$
entity_type: CASE {o.type:text} WHEN 'lead' THEN 'lead'::text ELSE 'opportunity' END
entity: {o.id:text!}
kind: 'lead'::text
at: {o.create_date:time!}
actor: {o.create_uid:text}
event_id: 'odoo:lead:' || {o.id:text!}
recorded_at: {o.create_date:time!}
status: 'done'::text
source: 'crm_lead'::text
FROM {o}
WHERE {o:kept}
	AND ({o.type:text} = 'lead' [[OR {o.date_conversion:time} IS NOT NULL]])
$$),
	('events', NULL, 'opportunities, since they were created or converted from a lead', $$
entity_type: 'opportunity'::text
entity: {o.id:text!}
kind: 'created'::text
at: coalesce({o.date_conversion:time}, {o.create_date:time!})
actor: {o.create_uid:text}
event_id: 'odoo:created:' || {o.id:text!}
recorded_at: coalesce({o.date_conversion:time}, {o.create_date:time!})
status: 'done'::text
source: 'crm_lead'::text
FROM {o}
WHERE {o:kept}
	AND {o.type:text} IS DISTINCT FROM 'lead'
$$),
	('events', NULL, 'moves between stages; the field is named by its key, and up to 13 by its name', $$
entity_type: CASE {o.type:text} WHEN 'lead' THEN 'lead'::text ELSE 'opportunity' END
entity: {m.res_id:text!}
kind: coalesce(<stage now>, {tv.new_value_char:text})
at: {m.date:time!}
actor: <actor>
event_id: 'odoo:stage:' || {tv.id:text!}
recorded_at: {m.create_date|date:time}
status: 'done'::text
stage: {tv.new_value_integer:text!}
attrs: jsonb_strip_nulls(jsonb_build_object('stage_from', {tv.old_value_integer:text}, 'stage_to', {tv.new_value_integer:text!}))
source: 'mail_tracking_value'::text
FROM {tv}
JOIN {m} ON {m.id} = {tv.mail_message_id!}
LEFT JOIN {o} ON {o.id} = {m.res_id}
LEFT JOIN {st} ON {st.id} = {tv.new_value_integer}
<users>
WHERE {m.model:text} = 'crm.lead'
	AND ({tv.field_id|field:text} = 'stage_id'
		[[OR {tv.field_id|field:text} IN (SELECT {f.id:text} FROM {f} WHERE {f.model:text} = 'crm.lead' AND {f.name:text} = 'stage_id')]])
$$),
	('events', NULL, 'the first stage, which no message tells: the old value of the first move, or the stage now, since creation', $$
entity_type: CASE {o.type:text} WHEN 'lead' THEN 'lead'::text ELSE 'opportunity' END
entity: {o.id:text!}
kind: <stage now>
at: {o.create_date:time!}
actor: {o.create_uid:text}
event_id: 'odoo:first stage:' || {o.id:text!}
recorded_at: {o.create_date:time!}
status: 'done'::text
stage: {st.id:text}
attrs: jsonb_build_object('stage_to', {st.id:text})
source: 'crm_lead'::text
FROM {o}
[[LEFT JOIN (
	SELECT DISTINCT ON ({m.res_id}) {m.res_id} AS id, {tv.old_value_integer} AS stage
	FROM {tv} JOIN {m} ON {m.id} = {tv.mail_message_id}
	WHERE {m.model:text} = 'crm.lead'
		AND ({tv.field_id|field:text} = 'stage_id'
			[[OR {tv.field_id|field:text} IN (SELECT {f.id:text} FROM {f} WHERE {f.model:text} = 'crm.lead' AND {f.name:text} = 'stage_id')]])
	ORDER BY {m.res_id}, {m.date:time}, {tv.id}) AS h ON h.id = {o.id}
JOIN {st} ON {st.id} = coalesce(h.stage, {o.stage_id})]else[JOIN {st} ON {st.id} = {o.stage_id}]]
WHERE {o:kept}
$$),
	('events', NULL, 'opportunities won', $$
entity_type: 'opportunity'::text
entity: {o.id:text!}
kind: 'won'::text
at: coalesce({o.date_closed:time}, {o.date_last_stage_update:time}, {o.write_date:time})
actor: {o.user_id:text}
event_id: 'odoo:closed:' || {o.id:text!}
status: 'done'::text
value: [[CASE WHEN (SELECT count(DISTINCT {co.currency_id}) FROM {co}) <= 1 THEN {o.expected_revenue|planned_revenue:number} END]else[{o.expected_revenue|planned_revenue:number}]]
currency: [[(SELECT {cu.name:text} FROM {cu} JOIN {co} ON {co.currency_id} = {cu.id} WHERE {co.id} = {o.company_id})]else[NULL::text]]
source: 'crm_lead'::text
FROM {o}
JOIN {st} ON {st.id} = {o.stage_id!}
WHERE {o:kept}
	AND {o.type:text} IS DISTINCT FROM 'lead'
	AND {st.is_won:bool!}
	AND {o.active:bool} IS NOT FALSE
$$),
	('events', NULL, 'opportunities lost: archived, with a probability of zero', $$
entity_type: 'opportunity'::text
entity: {o.id:text!}
kind: 'lost'::text
at: coalesce({o.date_closed:time}, {o.write_date:time})
actor: {o.user_id:text}
event_id: 'odoo:closed:' || {o.id:text!}
status: 'done'::text
attrs: jsonb_strip_nulls(jsonb_build_object('reason', {o.lost_reason_id|lost_reason:text}, 'stage', {o.stage_id:text}))
source: 'crm_lead'::text
FROM {o}
WHERE {o:kept}
	AND {o.type:text} IS DISTINCT FROM 'lead'
	AND {o.active:bool!} IS FALSE
$$),

	('entities', NULL, 'leads and opportunities, lost ones too', $$
entity_type: CASE {o.type:text} WHEN 'lead' THEN 'lead'::text ELSE 'opportunity' END
entity_id: {o.id:text!}
parent_id: {o.partner_id:text}
owner: {o.user_id:text}
pipeline: {o.team_id:text}
stage: {o.stage_id:text}
status: CASE WHEN {o.active:bool} IS FALSE AND ([[{o.won_status:text} = 'lost' OR ]]{o.probability:number} = 0) THEN 'lost' [[WHEN {st.is_won:bool} THEN 'won' ]]ELSE 'open'::text END
created_at: {o.create_date:time}
closed_at: {o.date_closed:time}
expected_close: {o.date_deadline:date}
amount: {o.expected_revenue|planned_revenue:number}
currency: [[(SELECT {cu.name:text} FROM {cu} JOIN {co} ON {co.currency_id} = {cu.id} WHERE {co.id} = {o.company_id})]else[NULL::text]]
is_deleted: {o.active:bool} IS FALSE AND [[{o.won_status:text} IS DISTINCT FROM 'lost' AND ]]{o.probability:number} IS DISTINCT FROM 0
attrs: jsonb_strip_nulls(jsonb_build_object('name', {o.name:text}, 'probability', {o.probability:number} / 100, 'reason', {o.lost_reason_id|lost_reason:text}))
FROM {o}
[[LEFT JOIN {st} ON {st.id} = {o.stage_id}]]
$$),
	('stages', NULL, 'stages; an archived deal is lost in whatever stage it is', $$
pipeline: {st.team_id:text}
stage_key: {st.id:text!}
label: <stage now>
ordinal: {st.sequence:number}::integer
class: CASE WHEN {st.is_won:bool} THEN 'won' ELSE 'open'::text END
FROM {st}
$$)) AS p(part, key, title, body)
$preset$;
COMMENT ON FUNCTION activity_metrics.preset_odoo(jsonb) IS
'Internal: the parts of the preset of Odoo; see the head of 80_presets.sql.';
