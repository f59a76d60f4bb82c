--
-- EspoCRM, and SuiteCRM as loaders copy it: one shape with other names.
--

INSERT INTO activity_metrics.preset_registry (preset, place, system, sources, options, funnel) VALUES
	('espocrm', 4, 'EspoCRM, SuiteCRM', 'EspoCRM: opportunity, call, meeting, email, task, note, lead, account, contact. SuiteCRM: opportunities, calls, meetings, emails, tasks, opportunities_audit, leads, accounts, contacts',
	 'won (names of stages, separated by |, Closed Won unless said otherwise); lost (likewise, Closed Lost unless said otherwise)',
	 'created -> (call | email_out) -> meeting -> won within 180 days');

CREATE FUNCTION activity_metrics.preset_espocrm_activity(t text, name text, kind text, at text, status text, value text, condition text)
RETURNS TABLE (part text, key text, title text, body text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $preset$
	-- parents are named in the singular by one and in the plural by the other; what a lead became is its entity
	SELECT 'events'::text, NULL::text, format('%ss, of the record that they hang on, or else the account', name), replace(replace(replace(replace(replace(replace(replace($$
entity_type: CASE
		WHEN {<t>.parent_type:text} IN ('Opportunity', 'Opportunities') THEN 'opportunity'::text
		WHEN {<t>.parent_type:text} IN ('Lead', 'Leads') THEN CASE WHEN [[{l.created_opportunity_id|opportunity_id:text} <> '']else[false]] THEN 'opportunity' ELSE 'lead' END
		WHEN {<t>.parent_type:text} IN ('Case', 'Cases') THEN 'ticket'
		WHEN {<t>.parent_type:text} IN ('Contact', 'Contacts') THEN 'contact'
		WHEN coalesce({<t>.parent_id:text}, {<t>.account_id:text}) <> '' THEN 'account' END
entity: [[CASE WHEN {l.created_opportunity_id|opportunity_id:text} <> '' AND {<t>.parent_type:text} IN ('Lead', 'Leads') THEN {l.created_opportunity_id|opportunity_id:text}
		ELSE coalesce(nullif({<t>.parent_id:text}, ''), {<t>.account_id:text}) END]else[coalesce(nullif({<t>.parent_id:text}, ''), {<t>.account_id:text})]]
kind: <kind>
at: <at>
actor: {<t>.assigned_user_id|sent_by_id|created_by_id|created_by:text}
event_id: 'espo:<name>:' || {<t>.id:text!}
recorded_at: {<t>.created_at|date_entered:time}
status: <status>
value: <value>
attrs: jsonb_strip_nulls(jsonb_build_object('direction', {<t>.direction:text}, 'parent_type', {<t>.parent_type:text}))
source: '<name>'::text
FROM {<t>}
[[LEFT JOIN {l} ON {l.id} = {<t>.parent_id}]]
WHERE {<t>:kept}<condition>
$$, '<condition>', condition), '<kind>', kind), '<at>', at), '<status>', status), '<value>', value), '<name>', name), '<t>', t)
$preset$;
COMMENT ON FUNCTION activity_metrics.preset_espocrm_activity(text, text, text, text, text, text, text) IS
'Internal: the part of preset espocrm for one kind of activity.';

CREATE FUNCTION activity_metrics.preset_espocrm(options jsonb) RETURNS TABLE (part text, key text, title text, body text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $preset$
	SELECT p.part, p.key, p.title, replace(replace(replace(replace(replace(p.body,
		'<closed at>', $$coalesce([[(SELECT max({n.created_at:time}) FROM {n} WHERE {n.parent_id} = {o.id} AND {n.parent_type:text} = 'Opportunity' AND <new stage> = {o.stage|sales_stage:text}), ]][[(SELECT max({au.date_created:time}) FROM {au} WHERE {au.parent_id} = {o.id} AND {au.field_name:text} = 'sales_stage' AND {au.after_value_string:text} = {o.stage|sales_stage:text}), ]]least({o.close_date|date_closed:day_end}, {o.modified_at|date_modified:time}, now()))$$),
		'<won>', $$string_to_array([[{=won}]else['Closed Won']], '|')$$),
		'<lost>', $$string_to_array([[{=lost}]else['Closed Lost']], '|')$$),
		-- a note has the new stage as became, older ones as a value
		'<new stage>', $$coalesce({n.data:json} -> 'attributes' -> 'became' ->> 'stage', CASE {n.data:json} ->> 'field' WHEN 'stage' THEN {n.data:json} ->> 'value' END)$$),
		'<old stage>', $$({n.data:json} -> 'attributes' -> 'was' ->> 'stage')$$)
	FROM (VALUES
	('table', 'o', 'opportunity | opportunities', 'required; id id'),
	('table', 'c', 'call | calls', 'id id; with date_start; with parent_id'),
	('table', 'me', 'meeting | meetings', 'id id; with date_start; with parent_id'),
	('table', 'em', 'email | emails', 'id id; with parent_type; with parent_id'),
	('table', 't', 'task | tasks', 'id id; with parent_type; with parent_id'),
	('table', 'n', 'note', 'id id; with data'),
	('table', 'au', 'opportunities_audit', 'id id; with field_name'),
	('table', 'os', 'opportunity | opportunities', 'id id; unless n|au'),
	('table', 'l', 'lead | leads', 'id id; with id; with created_opportunity_id|opportunity_id'),
	('table', 'a', 'account | accounts', 'id id'),
	('table', 'ct', 'contact | contacts', 'id id'),

	('left_out', 'o', 'deleted', '{o.deleted:bool}'),
	('left_out', 'c', 'deleted', '{c.deleted:bool}'),
	('left_out', 'me', 'deleted', '{me.deleted:bool}'),
	('left_out', 'em', 'deleted', '{em.deleted:bool}'),
	('left_out', 't', 'deleted', '{t.deleted:bool}'),
	('left_out', 'n', 'deleted', '{n.deleted:bool}'),
	('left_out', 'l', 'deleted', '{l.deleted:bool}'),
	('left_out', 'o', 'before 2000', $${o.created_at|date_entered:time} < timestamptz '2000-01-01 00:00+00'
example: {o.created_at|date_entered:time}$$),
	('left_out', 'l', 'before 2000', $${l.created_at|date_entered:time} < timestamptz '2000-01-01 00:00+00'
example: {l.created_at|date_entered:time}$$),
	('left_out', 'em', 'not sent', '({em.status:text} IN (''Draft'', ''draft'', ''Sending'', ''Failed'', ''send_error'') OR [[{em.type:text} = ''draft'']else[false]])'),
	('left_out', 'em', 'automatic reply', '{em.is_auto_reply:bool}'),
	('left_out', 'c', 'before 2000', $${c.date_start:time} < timestamptz '2000-01-01 00:00+00'
example: {c.date_start:time}$$),
	('left_out', 'me', 'before 2000', $${me.date_start:time} < timestamptz '2000-01-01 00:00+00'
example: {me.date_start:time}$$),
	('left_out', 'c', 'not on a record', $$coalesce(nullif({c.parent_id:text}, '')[[, nullif({c.account_id:text}, '')]]) IS NULL$$),
	('left_out', 'me', 'not on a record', $$coalesce(nullif({me.parent_id:text}, '')[[, nullif({me.account_id:text}, '')]]) IS NULL$$),
	('left_out', 'em', 'not on a record', $$coalesce(nullif({em.parent_id:text}, '')[[, nullif({em.account_id:text}, '')]]) IS NULL$$),
	('left_out', 't', 'not on a record', $$coalesce(nullif({t.parent_id:text}, '')[[, nullif({t.account_id:text}, '')]]) IS NULL$$),
	('left_out', 'em', 'before 2000', $${em.date_sent|date_sent_received:time} < timestamptz '2000-01-01 00:00+00'
example: {em.date_sent|date_sent_received:time}$$),
	('left_out', 't', 'before 2000', $$CASE WHEN {t.status:text} = 'Completed' THEN coalesce({t.date_completed|date_modified|modified_at:time}, {t.date_end|date_due:time}) ELSE coalesce({t.date_end|date_due:time}, {t.created_at|date_entered:time}) END < timestamptz '2000-01-01 00:00+00'
example: CASE WHEN {t.status:text} = 'Completed' THEN coalesce({t.date_completed|date_modified|modified_at:time}, {t.date_end|date_due:time}) ELSE coalesce({t.date_end|date_due:time}, {t.created_at|date_entered:time}) END$$),

	('events', NULL, 'leads; what became an opportunity is counted as that opportunity', $$
entity_type: CASE WHEN {l.created_opportunity_id|opportunity_id:text} <> '' THEN 'opportunity' ELSE 'lead'::text END
entity: coalesce(nullif({l.created_opportunity_id|opportunity_id:text}, ''), {l.id:text!})
kind: 'lead'::text
at: {l.created_at|date_entered:time!}
actor: {l.assigned_user_id|created_by_id|created_by:text}
event_id: 'espo:lead:' || {l.id:text!}
recorded_at: {l.created_at|date_entered:time!}
status: 'done'::text
source: 'lead'::text
FROM {l}
WHERE {l:kept}
$$),
	('events', NULL, 'opportunities created', $$
entity_type: 'opportunity'::text
entity: {o.id:text!}
kind: 'created'::text
at: {o.created_at|date_entered:time!}
actor: {o.created_by_id|created_by:text}
event_id: 'espo:created:' || {o.id:text!}
recorded_at: {o.created_at|date_entered:time!}
status: 'done'::text
source: 'opportunity'::text
FROM {o}
WHERE {o:kept}
$$),
	('events', NULL, 'opportunities won: at the last move to that stage, else by the close date or the last change', $$
entity_type: 'opportunity'::text
entity: {o.id:text!}
kind: 'won'::text
at: <closed at>
actor: {o.assigned_user_id:text}
event_id: 'espo:closed:' || {o.id:text!}
status: 'done'::text
value: {o:money amount amount_currency|currency_id}
currency: {o.amount_currency|currency_id:text}
source: 'opportunity'::text
FROM {o}
WHERE {o:kept}
	AND {o.stage|sales_stage:text!} = ANY (<won>)
$$),
	('events', NULL, 'opportunities lost', $$
entity_type: 'opportunity'::text
entity: {o.id:text!}
kind: 'lost'::text
at: <closed at>
actor: {o.assigned_user_id:text}
event_id: 'espo:closed:' || {o.id:text!}
status: 'done'::text
attrs: jsonb_strip_nulls(jsonb_build_object('stage', {o.last_stage:text}))
source: 'opportunity'::text
FROM {o}
WHERE {o:kept}
	AND {o.stage|sales_stage:text!} = ANY (<lost>)
$$),
	('events', NULL, 'moves between stages, as notes', $$
entity_type: 'opportunity'::text
entity: {n.parent_id:text!}
kind: <new stage>
at: {n.created_at:time!}
actor: {n.created_by_id:text}
event_id: 'espo:stage:' || {n.id:text!}
recorded_at: {n.created_at:time!}
status: 'done'::text
stage: <new stage>
attrs: jsonb_strip_nulls(jsonb_build_object('stage_from', <old stage>, 'stage_to', <new stage>))
source: 'note'::text
FROM {n}
WHERE {n:kept}
	AND {n.parent_type:text} = 'Opportunity'
	AND {n.type:text} IN ('Update', 'Status')
	AND <new stage> IS NOT NULL
$$),
	('events', NULL, 'moves between stages, as audit rows', $$
entity_type: 'opportunity'::text
entity: {au.parent_id:text!}
kind: {au.after_value_string:text!}
at: {au.date_created:time!}
actor: {au.created_by:text}
event_id: 'espo:stage:' || {au.id:text!}
recorded_at: {au.date_created:time!}
status: 'done'::text
stage: {au.after_value_string:text!}
attrs: jsonb_strip_nulls(jsonb_build_object('stage_from', {au.before_value_string:text}, 'stage_to', {au.after_value_string:text!}))
source: 'opportunities_audit'::text
FROM {au}
WHERE {au.field_name:text} = 'sales_stage'
$$),
	('events', NULL, 'the first stage: the old one of the first note of a move, or the stage now, since creation', $$
entity_type: 'opportunity'::text
entity: {o.id:text!}
kind: coalesce(h.stage, {o.stage|sales_stage:text!})
at: {o.created_at|date_entered:time!}
actor: {o.created_by_id|created_by:text}
event_id: 'espo:first stage:' || {o.id:text!}
recorded_at: {o.created_at|date_entered:time!}
status: 'done'::text
stage: coalesce(h.stage, {o.stage|sales_stage:text!})
source: 'opportunity'::text
FROM {o}
LEFT JOIN (
	SELECT DISTINCT ON ({n.parent_id}) {n.parent_id} AS id, <old stage> AS stage
	FROM {n}
	WHERE {n.parent_type:text} = 'Opportunity' AND {n.type:text} IN ('Update', 'Status') AND <new stage> IS NOT NULL
	ORDER BY {n.parent_id}, {n.created_at:time}, {n.id}) AS h ON h.id = {o.id}
WHERE {o:kept}
$$),
	('events', NULL, 'the first stage: the old one of the first audit row, or the stage now, since creation', $$
entity_type: 'opportunity'::text
entity: {o.id:text!}
kind: coalesce(h.stage, {o.stage|sales_stage:text!})
at: {o.created_at|date_entered:time!}
actor: {o.created_by_id|created_by:text}
event_id: 'espo:first stage:' || {o.id:text!}
recorded_at: {o.created_at|date_entered:time!}
status: 'done'::text
stage: coalesce(h.stage, {o.stage|sales_stage:text!})
source: 'opportunity'::text
FROM {o}
LEFT JOIN (
	SELECT DISTINCT ON ({au.parent_id}) {au.parent_id} AS id, {au.before_value_string:text} AS stage
	FROM {au}
	WHERE {au.field_name:text} = 'sales_stage'
	ORDER BY {au.parent_id}, {au.date_created:time}, {au.id}) AS h ON h.id = {o.id}
WHERE {o:kept}
$$),
	('events', NULL, 'no history at all: the stage now, since creation', $$
entity_type: 'opportunity'::text
entity: {os.id:text!}
kind: {os.stage|sales_stage:text!}
at: {os.created_at|date_entered:time!}
actor: {os.created_by_id|created_by:text}
event_id: 'espo:first stage:' || {os.id:text!}
recorded_at: {os.created_at|date_entered:time!}
status: 'done'::text
stage: {os.stage|sales_stage:text!}
source: 'opportunity'::text
FROM {os}
WHERE {os.deleted:bool} IS NOT TRUE
$$),
	('entities', NULL, 'opportunities', $$
entity_type: 'opportunity'::text
entity_id: {o.id:text!}
parent_id: {o.account_id:text}
owner: {o.assigned_user_id:text}
stage: {o.stage|sales_stage:text}
status: CASE WHEN {o.stage|sales_stage:text} = ANY (<won>) THEN 'won' WHEN {o.stage|sales_stage:text} = ANY (<lost>) THEN 'lost' ELSE 'open'::text END
created_at: {o.created_at|date_entered:time}
closed_at: CASE WHEN {o.stage|sales_stage:text} = ANY (<won> || <lost>) THEN <closed at> END
expected_close: {o.close_date|date_closed:date}
amount: {o.amount:number}
currency: {o.amount_currency|currency_id:text}
is_deleted: coalesce({o.deleted:bool}, false)
attrs: jsonb_strip_nulls(jsonb_build_object('name', {o.name:text}, 'probability', {o.probability:number} / 100, 'last_stage', {o.last_stage:text}))
FROM {o}
$$),
	('entities', NULL, 'leads', $$
entity_type: 'lead'::text
entity_id: {l.id:text!}
owner: {l.assigned_user_id:text}
stage: {l.status:text}
status: CASE WHEN {l.created_opportunity_id|opportunity_id:text} <> '' THEN 'won' ELSE 'open'::text END
created_at: {l.created_at|date_entered:time}
is_deleted: coalesce({l.deleted:bool}, false)
attrs: jsonb_strip_nulls(jsonb_build_object('opportunity', {l.created_opportunity_id|opportunity_id:text}))
FROM {l}
$$),
	('entities', NULL, 'accounts', $$
entity_type: 'account'::text
entity_id: {a.id:text!}
owner: {a.assigned_user_id:text}
created_at: {a.created_at|date_entered:time}
is_deleted: coalesce({a.deleted:bool}, false)
FROM {a}
$$),
	('stages', NULL, 'stages that opportunities are in; the dictionary is not in the database', $$
stage_key: s.stage
label: s.stage
ordinal: (row_number() OVER (ORDER BY s.probability, s.stage))::integer
class: CASE WHEN s.stage = ANY (<won>) THEN 'won' WHEN s.stage = ANY (<lost>) THEN 'lost' ELSE 'open'::text END
probability: s.probability / 100
FROM (
	SELECT {o.stage|sales_stage:text} AS stage, avg({o.probability:number}) AS probability
	FROM {o}
	GROUP BY {o.stage|sales_stage:text}) AS s
$$)) AS p(part, key, title, body)
	UNION ALL
	SELECT a.* FROM (VALUES
		(1, 'c', 'call', '''call''::text', '{c.date_start:time!}', $$CASE {c.status:text} WHEN 'Held' THEN 'done'::text WHEN 'Planned' THEN 'planned' ELSE 'cancelled' END$$,
		 '[[extract(epoch FROM {c.date_end:time} - {c.date_start:time})::double precision]else[{c.duration_hours:number} * 3600 + coalesce({c.duration_minutes:number}, 0) * 60]]', ''),
		(2, 'me', 'meeting', '''meeting''::text', '{me.date_start:time!}', $$CASE {me.status:text} WHEN 'Held' THEN 'done'::text WHEN 'Planned' THEN 'planned' ELSE 'cancelled' END$$,
		 '[[extract(epoch FROM {me.date_end:time} - {me.date_start:time})::double precision]else[{me.duration_hours:number} * 3600 + coalesce({me.duration_minutes:number}, 0) * 60]]', ''),
		(3, 'em', 'email', $$CASE WHEN [[{em.sent_by_id:text} <> '']else[{em.type:text} = 'out']] THEN 'email_out'::text ELSE 'email_in' END$$,
		 '{em.date_sent|date_sent_received:time!}', '''done''::text', 'NULL::double precision', ''),
		(4, 't', 'task', '''task''::text', $$CASE WHEN {t.status:text} = 'Completed' THEN coalesce({t.date_completed|date_modified|modified_at:time}, {t.date_end|date_due:time}) ELSE coalesce({t.date_end|date_due:time}, {t.created_at|date_entered:time}) END$$,
		 $$CASE {t.status:text} WHEN 'Completed' THEN 'done'::text WHEN 'Canceled' THEN 'cancelled' WHEN 'Deferred' THEN 'cancelled' ELSE 'planned' END$$, 'NULL::double precision', '')) AS k(place, t, name, kind, at, status, value, condition),
	LATERAL activity_metrics.preset_espocrm_activity(k.t, k.name, k.kind, k.at, k.status, k.value, k.condition) AS a
$preset$;
COMMENT ON FUNCTION activity_metrics.preset_espocrm(jsonb) IS
'Internal: the parts of the preset of EspoCRM and SuiteCRM; see the head of 80_presets.sql.';
