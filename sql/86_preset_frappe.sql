--
-- Frappe CRM: tables of two words, as in "tabCRM Deal"; times of the site's zone; a log of statuses for deals.
--

INSERT INTO activity_metrics.preset_registry (preset, place, system, sources, options, funnel) VALUES
	('frappe', 5, 'Frappe CRM', 'Frappe CRM on PostgreSQL, or copied by a loader: tabCRM Deal, tabCRM Deal Status, tabCRM Status Change Log, tabCRM Call Log, tabCRM Task, tabFCRM Note, tabCRM Lead, tabCommunication, tabEvent, tabEvent Participants, tabDynamic Link',
	 'log_zone (zone of the clock of the server, from which tabCRM Status Change Log has its times, where it is not the zone of the site)',
	 'created -> (call | email_out) -> meeting -> won within 180 days');

CREATE FUNCTION activity_metrics.preset_filled(template text, fillings jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	name text;
BEGIN
	-- in the order of their names; what is filled in may name later ones
	FOR name IN SELECT k FROM jsonb_object_keys(fillings) AS k ORDER BY k COLLATE "C" LOOP
		template := replace(template, '<' || name || '>', fillings ->> name);
	END LOOP;
	RETURN template;
END;
$$;
COMMENT ON FUNCTION activity_metrics.preset_filled(text, jsonb) IS
'Internal: a template with <name> replaced by its filling, for each name of an object, in the order of the names.';

CREATE FUNCTION activity_metrics.preset_frappe_activity(t text, fillings jsonb) RETURNS TABLE (part text, key text, title text, body text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $preset$
	-- a part for the record that a row names, and one for those that it is linked to besides
	SELECT 'events'::text, NULL::text, activity_metrics.preset_filled(p.title, fillings), activity_metrics.preset_filled(p.head || $$
kind: <kind>
at: <at>
actor: <actor>
event_id: 'frappe:<name>:' || {<t>.name:text!}
recorded_at: {<t>.creation:time}
status: <status>
value: <value>
origin: <origin>
attrs: jsonb_strip_nulls(jsonb_build_object(<attrs>))
source: '<table>'::text
FROM {<t>}
LEFT JOIN <deal of lead> AS x ON x.lead = <docname> AND <doctype> = 'CRM Lead'$$ || p.tail,
		fillings || jsonb_build_object('t', t,
			'docname', '{<t>.reference_docname|reference_name:text}', 'doctype', '{<t>.reference_doctype:text}',
			'deal of lead', $$(SELECT {d.lead:text} AS lead, min({d.name:text!}) AS deal FROM {d} WHERE {d.lead:text} <> '' GROUP BY 1)$$))
	FROM (VALUES
		('<table>: what became of a lead is its deal', $$
entity_type: CASE
		WHEN <doctype> = 'CRM Deal' OR x.deal IS NOT NULL THEN 'opportunity'::text
		WHEN <doctype> = 'CRM Lead' THEN 'lead'
		WHEN <doctype> = 'Contact' THEN 'contact'
		WHEN <doctype> = 'CRM Organization' THEN 'account' END
entity: CASE WHEN <doctype> IN ('CRM Deal', 'CRM Lead', 'Contact', 'CRM Organization') THEN coalesce(x.deal, <docname>) END$$, $$
WHERE {<t>:kept}<condition>$$),
		('<table>, linked to more than one record: a row for each', $$
entity_type: k.entity_type
entity: k.entity$$, $$
JOIN (
	SELECT DISTINCT <link parent> AS parent,
		CASE WHEN <link doctype> = 'CRM Lead' AND x.deal IS NULL THEN 'lead' ELSE 'opportunity'::text END AS entity_type,
		coalesce(x.deal, <link name>) AS entity
	FROM <link table>
	LEFT JOIN <deal of lead> AS x ON x.lead = <link name> AND <link doctype> = 'CRM Lead'
	WHERE <link condition>
		AND <link doctype> IN ('CRM Deal', 'CRM Lead')) AS k ON k.parent = {<t>.name:text!}
WHERE {<t>:kept}
	AND k.entity IS DISTINCT FROM CASE WHEN <doctype> IN ('CRM Deal', 'CRM Lead') THEN coalesce(x.deal, <docname>) END$$)) AS p(title, head, tail)
	WHERE p.head !~ 'k\.' OR fillings ? 'link table'
$preset$;
COMMENT ON FUNCTION activity_metrics.preset_frappe_activity(text, jsonb) IS
'Internal: the parts of preset frappe for one kind of activity.';

CREATE FUNCTION activity_metrics.preset_frappe(options jsonb) RETURNS TABLE (part text, key text, title text, body text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $preset$
	SELECT p.part, p.key, p.title, activity_metrics.preset_filled(p.body, jsonb_build_object(
		'came to it', $$[[LEFT JOIN (
	SELECT {cl.parent:text} AS id, {cl.to:text} AS status, max(<moved at>) AS at
	FROM {cl}
	GROUP BY 1, 2) AS g ON g.id = {d.name:text!} AND g.status = {d.status:text!}]]$$,
		-- closed_date is written when a deal is won, and stays when it is lost later
		'a lost at', 'coalesce([[g.at /* {cl} */, ]]{d.modified:time})',
		'a won at', 'coalesce([[g.at /* {cl} */, ]]least({d.closed_date:day_end}, {d.modified:time}), {d.modified:time})',
		-- the log has the clock of the server, all else the zone of the site
		'moved at', '[[({cl.to_date:time} AT TIME ZONE {=zone} AT TIME ZONE {=log_zone})]else[{cl.to_date:time}]]',
		-- the rate is into the currency of the CRM
		'money', '[[{d.deal_value:number} * coalesce(nullif({d.exchange_rate:number}, 0), 1)]else[{d:money deal_value currency}]]'))
	FROM (VALUES
	('table', 'd', 'tabCRM Deal', 'required; id name; with status'),
	('table', 'ds', 'tabCRM Deal Status', 'id name; with name; with type'),
	('table', 'cl', 'tabCRM Status Change Log', 'id name; with name; with parent; with from; with from_date; with to; with to_date'),
	('table', 'c', 'tabCRM Call Log', 'id name'),
	('table', 'dl', 'tabDynamic Link', 'id name; with parent; with parenttype; with link_doctype; with link_name'),
	('table', 't', 'tabCRM Task', 'id name'),
	('table', 'n', 'tabFCRM Note', 'id name'),
	('table', 'co', 'tabCommunication', 'id name; with communication_medium'),
	('table', 'ev', 'tabEvent', 'id name; with starts_on'),
	('table', 'ep', 'tabEvent Participants', 'id name; with parent; with reference_doctype; with reference_docname'),
	('table', 'l', 'tabCRM Lead', 'id name'),
	('table', 'og', 'tabCRM Organization', 'id name'),

	('left_out', 'cl', 'of a lead', '{cl.parenttype:text} IS DISTINCT FROM ''CRM Deal'''),
	('left_out', 'd', 'before 2000', $${d.creation:time} < timestamptz '2000-01-01 00:00+00'
example: {d.creation:time}$$),
	('left_out', 'l', 'before 2000', $${l.creation:time} < timestamptz '2000-01-01 00:00+00'
example: {l.creation:time}$$),
	('left_out', 'n', 'before 2000', $${n.creation:time} < timestamptz '2000-01-01 00:00+00'
example: {n.creation:time}$$),
	('left_out', 't', 'before 2000', $$CASE WHEN {t.status:text} = 'Done' THEN {t.modified:time} ELSE coalesce({t.due_date:time}, {t.creation:time}) END < timestamptz '2000-01-01 00:00+00'
example: CASE WHEN {t.status:text} = 'Done' THEN {t.modified:time} ELSE coalesce({t.due_date:time}, {t.creation:time}) END$$),
	('left_out', 'c', 'before 2000', $$coalesce({c.start_time:time}, {c.creation:time}) < timestamptz '2000-01-01 00:00+00'
example: {c.start_time:time}$$),
	('left_out', 'co', 'not on a record of the CRM', '({co.reference_doctype:text} IN (''CRM Deal'', ''CRM Lead'', ''Contact'', ''CRM Organization'')) IS NOT TRUE'),
	('left_out', 'co', 'written by the system', $${co.communication_type:text} <> 'Communication'
example: {co.communication_type:text}$$),
	('left_out', 'co', 'before 2000', $${co.communication_date:time} < timestamptz '2000-01-01 00:00+00'
example: {co.communication_date:time}$$),
	('left_out', 'ev', 'not on a deal or lead', $$
	[[({ev.reference_doctype:text} IN ('CRM Deal', 'CRM Lead')) IS NOT TRUE]else[true]]
	[[AND NOT EXISTS (SELECT FROM {ep} WHERE {ep.parent:text} = {ev.name:text} AND {ep.reference_doctype:text} IN ('CRM Deal', 'CRM Lead'))]]$$),
	('left_out', 'ev', 'before 2000', $${ev.starts_on:time} < timestamptz '2000-01-01 00:00+00'
example: {ev.starts_on:time}$$),

	('events', NULL, 'leads: what became a deal is counted as that deal', $$
entity_type: CASE WHEN x.deal IS NOT NULL THEN 'opportunity' ELSE 'lead'::text END
entity: coalesce(x.deal, {l.name:text!})
kind: 'lead'::text
at: {l.creation:time!}
actor: {l.lead_owner|owner:text}
event_id: 'frappe:lead:' || {l.name:text!}
recorded_at: {l.creation:time!}
status: 'done'::text
source: 'tabCRM Lead'::text
FROM {l}
LEFT JOIN (SELECT {d.lead:text} AS lead, min({d.name:text!}) AS deal FROM {d} WHERE {d.lead:text} <> '' GROUP BY 1) AS x ON x.lead = {l.name:text!}
WHERE {l:kept}
$$),
	('events', NULL, 'deals created', $$
entity_type: 'opportunity'::text
entity: {d.name:text!}
kind: 'created'::text
at: {d.creation:time!}
actor: {d.owner:text}
event_id: 'frappe:created:' || {d.name:text!}
recorded_at: {d.creation:time!}
status: 'done'::text
source: 'tabCRM Deal'::text
FROM {d}
WHERE {d:kept}
$$),
	('events', NULL, 'deals won: when the log says that they came to this status, else on the date of closing', $$
entity_type: 'opportunity'::text
entity: {d.name:text!}
kind: 'won'::text
at: <a won at>
actor: {d.deal_owner|owner:text}
event_id: 'frappe:closed:' || {d.name:text!}
status: 'done'::text
value: <money>
currency: [[NULL::text /* the currency of the CRM: {d.exchange_rate} */]else[{d.currency:text}]]
source: 'tabCRM Deal'::text
FROM {d}
JOIN {ds} ON {ds.name:text!} = {d.status:text!}
<came to it>
WHERE {d:kept}
	AND {ds.type:text!} = 'Won'
$$),
	('events', NULL, 'deals lost', $$
entity_type: 'opportunity'::text
entity: {d.name:text!}
kind: 'lost'::text
at: <a lost at>
actor: {d.deal_owner|owner:text}
event_id: 'frappe:closed:' || {d.name:text!}
status: 'done'::text
attrs: jsonb_strip_nulls(jsonb_build_object('reason', {d.lost_reason:text}))
source: 'tabCRM Deal'::text
FROM {d}
JOIN {ds} ON {ds.name:text!} = {d.status:text!}
<came to it>
WHERE {d:kept}
	AND {ds.type:text!} = 'Lost'
$$),
	('events', NULL, 'moves between statuses: a row of the log is a stay, its end the move to the next; the last stay has no end', $$
entity_type: 'opportunity'::text
entity: {cl.parent:text!}
kind: {cl.to:text!}
at: <moved at>
actor: {cl.log_owner|owner:text}
event_id: 'frappe:stage:' || {cl.name:text!}
recorded_at: <moved at>
status: 'done'::text
stage: {cl.to:text!}
attrs: jsonb_strip_nulls(jsonb_build_object('stage_from', {cl.from:text}, 'stage_to', {cl.to:text!}))
source: 'tabCRM Status Change Log'::text
FROM {cl}
WHERE {cl:kept}
	AND {cl.to:text!} <> ''
$$),
	('events', NULL, 'the first status: that of the first stay, or the status now, since creation', $$
entity_type: 'opportunity'::text
entity: {d.name:text!}
kind: [[coalesce(h.status, {d.status:text!}) /* {cl} */]else[{d.status:text!}]]
at: {d.creation:time!}
actor: {d.owner:text}
event_id: 'frappe:first stage:' || {d.name:text!}
recorded_at: {d.creation:time!}
status: 'done'::text
stage: [[coalesce(h.status, {d.status:text!}) /* {cl} */]else[{d.status:text!}]]
source: 'tabCRM Deal'::text
FROM {d}
[[LEFT JOIN (
	SELECT DISTINCT ON ({cl.parent}) {cl.parent} AS id, {cl.from:text} AS status
	FROM {cl}
	WHERE {cl:kept}
	ORDER BY {cl.parent}, {cl.from_date:time}, {cl.name}) AS h ON h.id = {d.name}]]
WHERE {d:kept}
$$),

	('entities', NULL, 'deals', $$
entity_type: 'opportunity'::text
entity_id: {d.name:text!}
parent_id: {d.organization:text}
owner: {d.deal_owner:text}
stage: {d.status:text!}
status: CASE [[{ds.type:text}]else[NULL]] WHEN 'Won' THEN 'won' WHEN 'Lost' THEN 'lost' ELSE 'open'::text END
created_at: {d.creation:time}
closed_at: [[CASE {ds.type:text} WHEN 'Won' THEN <a won at> WHEN 'Lost' THEN <a lost at> END]else[NULL::timestamptz]]
expected_close: {d.expected_closure_date:date}
amount: {d.deal_value:number}
currency: {d.currency:text}
is_deleted: false
attrs: jsonb_strip_nulls(jsonb_build_object('probability', {d.probability:number} / 100, 'reason', {d.lost_reason:text}, 'lead', {d.lead:text}, 'exchange_rate', {d.exchange_rate:number}))
FROM {d}
[[LEFT JOIN {ds} ON {ds.name:text!} = {d.status:text!}]]
<came to it>
$$),
	('entities', NULL, 'leads', $$
entity_type: 'lead'::text
entity_id: {l.name:text!}
owner: {l.lead_owner:text}
stage: {l.status:text}
status: CASE WHEN {l.converted:bool} THEN 'won' ELSE 'open'::text END
created_at: {l.creation:time}
is_deleted: false
FROM {l}
$$),
	('entities', NULL, 'organizations', $$
entity_type: 'account'::text
entity_id: {og.name:text!}
owner: {og.owner:text}
created_at: {og.creation:time}
amount: {og.annual_revenue:number}
currency: {og.currency:text}
is_deleted: false
FROM {og}
$$),
	('stages', NULL, 'statuses of deals', $$
stage_key: {ds.name:text!}
label: {ds.name:text!}
ordinal: {ds.position:number}::integer
class: CASE {ds.type:text!} WHEN 'Won' THEN 'won' WHEN 'Lost' THEN 'lost' ELSE 'open'::text END
probability: {ds.probability:number} / 100
FROM {ds}
$$)) AS p(part, key, title, body)
	UNION ALL
	SELECT a.* FROM (VALUES
		(1, 'c', jsonb_build_object('name', 'call', 'table', 'tabCRM Call Log', 'kind', '''call''::text',
			'at', 'coalesce({c.start_time:time}, {c.creation:time})',
			'actor', $$coalesce(CASE {c.type:text} WHEN 'Incoming' THEN {c.receiver:text} ELSE {c.caller:text} END, {c.owner:text})$$,
			-- nobody answered: no_show
			'status', $$CASE
		WHEN {c.status:text} IN ('No Answer', 'Busy') THEN 'no_show'
		WHEN {c.status:text} IN ('Failed', 'Canceled') THEN 'cancelled'
		WHEN {c.status:text} IN ('Initiated', 'Ringing', 'In Progress', 'Queued') THEN 'planned' ELSE 'done'::text END$$,
			'value', 'coalesce({c.duration:number}, extract(epoch FROM {c.end_time:time} - {c.start_time:time})::double precision)',
			'origin', $$CASE WHEN {c.telephony_medium:text} = 'Manual' THEN 'manual' WHEN {c.telephony_medium:text} <> '' THEN 'integration'::text END$$,
			'attrs', $$'direction', {c.type:text}, 'outcome', {c.status:text}, 'medium', nullif({c.telephony_medium:text}, '')$$,
			'link table', '{dl}', 'link parent', '{dl.parent:text!}', 'link doctype', '{dl.link_doctype:text!}', 'link name', '{dl.link_name:text!}',
			'link condition', $${dl.parenttype:text} = 'CRM Call Log'$$, 'condition', $$
	AND (<docname> <> '' [[OR NOT EXISTS (SELECT FROM {dl} WHERE {dl.parent:text} = {c.name:text} AND {dl.parenttype:text} = 'CRM Call Log' AND {dl.link_doctype:text} IN ('CRM Deal', 'CRM Lead'))]else[OR true]])$$)),
		(2, 't', jsonb_build_object('name', 'task', 'table', 'tabCRM Task', 'kind', '''task''::text',
			-- there is no time of completion
			'at', $$CASE WHEN {t.status:text} = 'Done' THEN {t.modified:time} ELSE coalesce({t.due_date:time}, {t.creation:time}) END$$,
			'actor', '{t.assigned_to|owner:text}',
			'status', $$CASE {t.status:text} WHEN 'Done' THEN 'done'::text WHEN 'Canceled' THEN 'cancelled' ELSE 'planned' END$$,
			'value', 'NULL::double precision', 'origin', 'NULL::text', 'attrs', '''priority'', {t.priority:text}', 'condition', '')),
		(3, 'n', jsonb_build_object('name', 'note', 'table', 'tabFCRM Note', 'kind', '''note''::text', 'at', '{n.creation:time!}', 'actor', '{n.owner:text}', 'status', '''done''::text',
			'value', 'NULL::double precision', 'origin', '''manual''::text', 'attrs', '', 'condition', '')),
		(4, 'co', jsonb_build_object('name', 'communication', 'table', 'tabCommunication', 'kind', $$CASE
		WHEN {co.communication_medium:text} = 'Phone' THEN 'call'::text
		WHEN {co.communication_medium:text} IN ('Visit', 'Meeting', 'Event') THEN 'meeting'
		WHEN {co.communication_medium:text} IN ('Chat', 'SMS') THEN 'message'
		WHEN {co.communication_medium:text} IS DISTINCT FROM 'Email' THEN 'note'
		WHEN {co.sent_or_received:text} = 'Received' THEN 'email_in' ELSE 'email_out' END$$,
			'at', 'coalesce({co.communication_date:time}, {co.creation:time})',
			'actor', $$CASE WHEN {co.sent_or_received:text} IS DISTINCT FROM 'Received' THEN {co.user|owner:text} END$$,
			'status', $$CASE WHEN {co.delivery_status:text} IN ('Bounced', 'Rejected', 'Error', 'Expired') THEN 'cancelled' ELSE 'done'::text END$$,
			'value', 'NULL::double precision', 'origin', $$CASE WHEN {co.sent_or_received:text} = 'Received' THEN 'integration'::text END$$,
			'attrs', $$'direction', {co.sent_or_received:text}, 'outcome', nullif({co.delivery_status:text}, ''), 'medium', nullif({co.communication_medium:text}, '')$$, 'condition', '')),
		(5, 'ev', jsonb_build_object('name', 'event', 'table', 'tabEvent', 'kind', $$CASE {ev.event_category:text} WHEN 'Call' THEN 'call'::text WHEN 'Sent/Received Email' THEN 'email' ELSE 'meeting' END$$,
			'at', '{ev.starts_on:time!}', 'actor', '{ev.owner:text}',
			'status', $$CASE WHEN {ev.status:text} = 'Cancelled' THEN 'cancelled' WHEN {ev.status:text} IN ('Closed', 'Completed') THEN 'done'::text WHEN {ev.starts_on:time!} > now() THEN 'planned' ELSE 'done' END$$,
			'value', 'extract(epoch FROM {ev.ends_on:time} - {ev.starts_on:time!})::double precision',
			'origin', $$CASE WHEN {ev.pulled_from_google_calendar:bool} THEN 'integration'::text END$$, 'attrs', '''category'', {ev.event_category:text}',
			'link table', '{ep}', 'link parent', '{ep.parent:text!}', 'link doctype', '{ep.reference_doctype:text!}', 'link name', '{ep.reference_docname:text!}',
			'link condition', 'true', 'condition', $$
	AND <doctype> IN ('CRM Deal', 'CRM Lead')$$))) AS k(place, t, fillings),
		LATERAL activity_metrics.preset_frappe_activity(k.t, k.fillings) AS a
$preset$;
COMMENT ON FUNCTION activity_metrics.preset_frappe(jsonb) IS
'Internal: the parts of the preset of Frappe CRM; see the head of 80_presets.sql.';
