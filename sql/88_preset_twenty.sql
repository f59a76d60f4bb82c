--
-- Twenty: one schema per workspace, names in camelCase, amounts in millionths, changes told by timelineActivity.
--

INSERT INTO activity_metrics.preset_registry (preset, place, system, sources, options, funnel) VALUES
	('twenty', 7, 'Twenty', 'the schema of a workspace: opportunity, timelineActivity, task, taskTarget, note, noteTarget, calendarEvent, calendarEventParticipant, calendarEventTarget, message, messageParticipant, messageThreadTarget, messageChannelMessageAssociation, company, person',
	 'won (values of stages, separated by |, CUSTOMER unless said otherwise); lost (likewise, LOST unless said otherwise)',
	 'created -> meeting -> won within 180 days');

CREATE FUNCTION activity_metrics.preset_twenty(options jsonb) RETURNS TABLE (part text, key text, title text, body text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $preset$
	SELECT p.part, p.key, p.title, activity_metrics.preset_filled(p.body, jsonb_build_object(
		'origin n', replace(origin.by_source, '?', 'n'),
		'origin o', replace(origin.by_source, '?', 'o'),
		'origin t', replace(origin.by_source, '?', 't'),
		'closed at', 'coalesce([[g.at /* {ta} */, ]]least({o.closeDate:time}, {o.updatedAt:time}, now()))',
		'came to it', $$[[LEFT JOIN (
	SELECT <opportunity> AS id, <new stage> AS stage, max({ta.happensAt|createdAt:time}) AS at
	FROM {ta}
	WHERE {ta:kept} AND <new stage> IS NOT NULL
	GROUP BY 1, 2) AS g ON g.id = {o.id} AND g.stage = {o.stage:text!}]]$$,
		'is won', $${o.stage:text!} = ANY (string_to_array([[{=won}]else['CUSTOMER']], '|'))$$,
		'is lost', $${o.stage:text!} = ANY (string_to_array([[{=lost}]else['LOST']], '|'))$$,
		'new stage', $$({ta.properties:json} -> 'diff' -> 'stage' ->> 'after')$$,
		'old stage', $$({ta.properties:json} -> 'diff' -> 'stage' ->> 'before')$$,
		'opportunity', '{ta.targetOpportunityId|opportunityId!}',
		-- opportunities that are said to be the target, else those whose contact took part
		'targets of event', $$LEFT JOIN (
	SELECT {ce.id!} AS id, NULL::text AS entity FROM {ce} WHERE false
	[[UNION SELECT {ct.calendarEventId}, {ct.targetOpportunityId:text} FROM {ct} WHERE {ct:kept} AND {ct.targetOpportunityId} IS NOT NULL]]
	[[UNION SELECT {cp.calendarEventId}, {o.id:text} FROM {cp} JOIN {o} ON {o.pointOfContactId} = {cp.personId} WHERE {cp:kept} AND {o:kept}]]) AS r ON r.id = {ce.id!}$$,
		'targets of message', $$LEFT JOIN (
	SELECT {m.id!} AS id, NULL::text AS entity FROM {m} WHERE false
	[[UNION SELECT {m.id}, {mt.targetOpportunityId:text} FROM {mt} JOIN {m} ON {m.messageThreadId} = {mt.messageThreadId} WHERE {mt:kept} AND {mt.targetOpportunityId} IS NOT NULL]]
	[[UNION SELECT {mp.messageId}, {o.id:text} FROM {mp} JOIN {o} ON {o.pointOfContactId} = {mp.personId} WHERE {mp:kept} AND {o:kept}]]) AS r ON r.id = {m.id!}$$))
	FROM (VALUES
	('table', 'o', 'opportunity', 'required; id id; with stage'),
	('table', 'ta', 'timelineActivity', 'id id; with id; with properties; with targetOpportunityId|opportunityId'),
	('table', 't', 'task', 'id id; with dueAt'),
	('table', 'tt', 'taskTarget', 'id id; with taskId'),
	('table', 'n', 'note', 'id id; with createdAt'),
	('table', 'nt', 'noteTarget', 'id id; with noteId'),
	('table', 'ce', 'calendarEvent', 'id id; with startsAt'),
	('table', 'cp', 'calendarEventParticipant', 'id id; with personId'),
	('table', 'ct', 'calendarEventTarget', 'id id; with targetOpportunityId'),
	('table', 'm', 'message', 'id id; with receivedAt'),
	('table', 'mp', 'messageParticipant', 'id id; with personId'),
	('table', 'mt', 'messageThreadTarget', 'id id; with targetOpportunityId'),
	('table', 'ma', 'messageChannelMessageAssociation', 'id id; with direction'),
	('table', 'co', 'company', 'id id; with createdAt'),
	('table', 'p', 'person', 'id id; with createdAt'),

	('left_out', 'o', 'deleted', '{o.deletedAt} IS NOT NULL'),
	('left_out', 'ta', 'deleted', '{ta.deletedAt} IS NOT NULL'),
	('left_out', 't', 'deleted', '{t.deletedAt} IS NOT NULL'),
	('left_out', 'tt', 'deleted', '{tt.deletedAt} IS NOT NULL'),
	('left_out', 'n', 'deleted', '{n.deletedAt} IS NOT NULL'),
	('left_out', 'nt', 'deleted', '{nt.deletedAt} IS NOT NULL'),
	('left_out', 'ce', 'deleted', '{ce.deletedAt} IS NOT NULL'),
	('left_out', 'cp', 'deleted', '{cp.deletedAt} IS NOT NULL'),
	('left_out', 'ct', 'deleted', '{ct.deletedAt} IS NOT NULL'),
	('left_out', 'm', 'deleted', '{m.deletedAt} IS NOT NULL'),
	('left_out', 'mp', 'deleted', '{mp.deletedAt} IS NOT NULL'),
	('left_out', 'mt', 'deleted', '{mt.deletedAt} IS NOT NULL'),
	('left_out', 'o', 'before 2000', $${o.createdAt:time} < timestamptz '2000-01-01 00:00+00'
example: {o.createdAt:time}$$),
	('left_out', 'n', 'before 2000', $${n.createdAt:time} < timestamptz '2000-01-01 00:00+00'
example: {n.createdAt:time}$$),
	('left_out', 't', 'before 2000', $$CASE WHEN {t.status:text} = 'DONE' THEN {t.updatedAt:time} ELSE coalesce({t.dueAt:time}, {t.createdAt:time}) END < timestamptz '2000-01-01 00:00+00'
example: CASE WHEN {t.status:text} = 'DONE' THEN {t.updatedAt:time} ELSE coalesce({t.dueAt:time}, {t.createdAt:time}) END$$),
	-- the calendars and mailboxes of members are copied whole
	('left_out', 'ce', 'nobody from outside', $$NOT EXISTS (SELECT FROM {cp} WHERE {cp.calendarEventId} = {ce.id} AND {cp.personId} IS NOT NULL)
	[[AND NOT EXISTS (SELECT FROM {ct} WHERE {ct.calendarEventId} = {ce.id})]]$$),
	('left_out', 'm', 'nobody from outside', $$NOT EXISTS (SELECT FROM {mp} WHERE {mp.messageId} = {m.id} AND {mp.personId} IS NOT NULL)
	[[AND NOT EXISTS (SELECT FROM {mt} WHERE {mt.messageThreadId} = {m.messageThreadId})]]$$),
	('left_out', 'ce', 'before 2000', $${ce.startsAt:time} < timestamptz '2000-01-01 00:00+00'
example: {ce.startsAt:time}$$),
	('left_out', 'm', 'before 2000', $${m.receivedAt:time} < timestamptz '2000-01-01 00:00+00'
example: {m.receivedAt:time}$$),

	('events', NULL, 'tasks: a row for each target; done when the timeline says so, else at the last change', $$
entity_type: CASE WHEN {tt.opportunityId|targetOpportunityId:text} IS NOT NULL THEN 'opportunity'::text WHEN {tt.personId|targetPersonId:text} IS NOT NULL THEN 'contact' WHEN {tt.companyId|targetCompanyId:text} IS NOT NULL THEN 'account' END
entity: coalesce({tt.opportunityId|targetOpportunityId:text}, {tt.personId|targetPersonId:text}, {tt.companyId|targetCompanyId:text})
kind: 'task'::text
at: CASE WHEN {t.status:text} = 'DONE' THEN coalesce([[h.at /* {ta.targetTaskId|taskId} */, ]]{t.updatedAt:time!}) ELSE coalesce({t.dueAt:time!}, {t.createdAt:time!}) END
actor: {t.assigneeId|createdByWorkspaceMemberId:text}
event_id: 'twenty:task:' || {t.id:text!}
recorded_at: {t.createdAt:time!}
status: CASE WHEN {t.status:text} = 'DONE' THEN 'done'::text ELSE 'planned' END
origin: <origin t>
source: 'task'::text
FROM {t}
[[LEFT JOIN {tt} ON {tt.taskId} = {t.id} AND {tt:kept}]]
[[LEFT JOIN (
	SELECT {ta.targetTaskId|taskId} AS id, max({ta.happensAt|createdAt:time}) AS at
	FROM {ta}
	WHERE {ta:kept} AND {ta.properties:json} -> 'diff' -> 'status' ->> 'after' = 'DONE'
	GROUP BY 1) AS h ON h.id = {t.id}]]
WHERE {t:kept}
$$),
	('events', NULL, 'notes: a row for each target', $$
entity_type: CASE WHEN {nt.opportunityId|targetOpportunityId:text} IS NOT NULL THEN 'opportunity'::text WHEN {nt.personId|targetPersonId:text} IS NOT NULL THEN 'contact' WHEN {nt.companyId|targetCompanyId:text} IS NOT NULL THEN 'account' END
entity: coalesce({nt.opportunityId|targetOpportunityId:text}, {nt.personId|targetPersonId:text}, {nt.companyId|targetCompanyId:text})
kind: 'note'::text
at: {n.createdAt:time!}
actor: {n.createdByWorkspaceMemberId:text}
event_id: 'twenty:note:' || {n.id:text!}
recorded_at: {n.createdAt:time!}
status: 'done'::text
origin: <origin n>
source: 'note'::text
FROM {n}
[[LEFT JOIN {nt} ON {nt.noteId} = {n.id} AND {nt:kept}]]
WHERE {n:kept}
$$),
	('events', NULL, 'meetings of the calendars of members: of each opportunity that is their target, or whose contact took part', $$
entity_type: CASE WHEN r.entity IS NOT NULL THEN 'opportunity'::text END
entity: r.entity
kind: 'meeting'::text
at: {ce.startsAt:time!}
actor: [[(SELECT {cp.workspaceMemberId:text} FROM {cp} WHERE {cp.calendarEventId} = {ce.id} AND {cp.workspaceMemberId} IS NOT NULL AND {cp:kept} ORDER BY {cp.isOrganizer:bool} DESC NULLS LAST, {cp.id} LIMIT 1)]else[NULL::text]]
event_id: 'twenty:meeting:' || {ce.id:text!}
recorded_at: {ce.externalCreatedAt|createdAt:time}
status: CASE WHEN {ce.isCanceled:bool} THEN 'cancelled' WHEN {ce.startsAt:time!} > now() THEN 'planned' ELSE 'done'::text END
value: extract(epoch FROM {ce.endsAt:time} - {ce.startsAt:time!})::double precision
origin: 'integration'::text
attrs: jsonb_strip_nulls(jsonb_build_object('full_day', {ce.isFullDay:bool}))
source: 'calendarEvent'::text
FROM {ce}
<targets of event>
WHERE {ce:kept}
$$),
	('events', NULL, 'mail of the mailboxes of members: of each opportunity that is the target of its thread, or whose contact wrote or received it; in the mailboxes of two members it is one', $$
entity_type: CASE WHEN r.entity IS NOT NULL THEN 'opportunity'::text END
entity: r.entity
kind: [[CASE WHEN EXISTS (SELECT FROM {ma} WHERE {ma.messageId} = {m.id} AND {ma.direction:text} = 'OUTGOING') THEN 'email_out'::text ELSE 'email_in' END]else['email'::text]]
at: {m.receivedAt:time!}
actor: [[(SELECT {mp.workspaceMemberId:text} FROM {mp} WHERE {mp.messageId} = {m.id} AND upper({mp.role:text}) = 'FROM' AND {mp:kept} LIMIT 1)]else[NULL::text]]
event_id: 'twenty:message:' || {m.id:text!}
recorded_at: {m.createdAt:time}
status: 'done'::text
origin: 'integration'::text
source: 'message'::text
FROM {m}
<targets of message>
WHERE {m:kept}
$$),
	('events', NULL, 'opportunities created', $$
entity_type: 'opportunity'::text
entity: {o.id:text!}
kind: 'created'::text
at: {o.createdAt:time!}
actor: {o.createdByWorkspaceMemberId:text}
event_id: 'twenty:created:' || {o.id:text!}
recorded_at: {o.createdAt:time!}
status: 'done'::text
origin: <origin o>
source: 'opportunity'::text
FROM {o}
WHERE {o:kept}
$$),
	('events', NULL, 'opportunities won: at the last move to that stage, else on the close date or at the last change', $$
entity_type: 'opportunity'::text
entity: {o.id:text!}
kind: 'won'::text
at: <closed at>
actor: {o.ownerId|createdByWorkspaceMemberId:text}
event_id: 'twenty:closed:' || {o.id:text!}
status: 'done'::text
value: {o:money amountAmountMicros amountCurrencyCode} / 1e6
currency: {o.amountCurrencyCode:text}
source: 'opportunity'::text
FROM {o}
<came to it>
WHERE {o:kept}
	AND <is won>
$$),
	('events', NULL, 'opportunities lost', $$
entity_type: 'opportunity'::text
entity: {o.id:text!}
kind: 'lost'::text
at: <closed at>
actor: {o.ownerId|createdByWorkspaceMemberId:text}
event_id: 'twenty:closed:' || {o.id:text!}
status: 'done'::text
source: 'opportunity'::text
FROM {o}
<came to it>
WHERE {o:kept}
	AND <is lost>
$$),
	('events', NULL, 'moves between stages: differences that the timeline tells', $$
entity_type: 'opportunity'::text
entity: {ta.targetOpportunityId|opportunityId:text!}
kind: <new stage>
at: {ta.happensAt|createdAt:time!}
actor: {ta.workspaceMemberId:text}
event_id: 'twenty:stage:' || {ta.id:text!}
recorded_at: {ta.createdAt|happensAt:time}
status: 'done'::text
stage: <new stage>
attrs: jsonb_strip_nulls(jsonb_build_object('stage_from', <old stage>, 'stage_to', <new stage>))
source: 'timelineActivity'::text
FROM {ta}
WHERE {ta:kept}
	AND <opportunity> IS NOT NULL
	AND <new stage> IS NOT NULL
$$),
	('events', NULL, 'the first stage: the old one of the first move, or the stage now, since creation', $$
entity_type: 'opportunity'::text
entity: {o.id:text!}
kind: [[coalesce(h.stage, {o.stage:text!}) /* {ta} */]else[{o.stage:text!}]]
at: {o.createdAt:time!}
actor: {o.createdByWorkspaceMemberId:text}
event_id: 'twenty:first stage:' || {o.id:text!}
recorded_at: {o.createdAt:time!}
status: 'done'::text
stage: [[coalesce(h.stage, {o.stage:text!}) /* {ta} */]else[{o.stage:text!}]]
source: 'opportunity'::text
FROM {o}
[[LEFT JOIN (
	SELECT DISTINCT ON (<opportunity>) <opportunity> AS id, <old stage> AS stage
	FROM {ta}
	WHERE {ta:kept} AND <opportunity> IS NOT NULL AND <new stage> IS NOT NULL
	ORDER BY <opportunity>, {ta.happensAt|createdAt:time!}, {ta.id}) AS h ON h.id = {o.id}]]
WHERE {o:kept}
$$),

	('entities', NULL, 'opportunities', $$
entity_type: 'opportunity'::text
entity_id: {o.id:text!}
parent_id: {o.companyId:text}
owner: {o.ownerId:text}
stage: {o.stage:text!}
status: CASE WHEN <is won> THEN 'won' WHEN <is lost> THEN 'lost' ELSE 'open'::text END
created_at: {o.createdAt:time}
closed_at: CASE WHEN <is won> OR <is lost> THEN <closed at> END
expected_close: {o.closeDate:date}
amount: {o.amountAmountMicros:number} / 1e6
currency: {o.amountCurrencyCode:text}
is_deleted: {o.deletedAt} IS NOT NULL
attrs: jsonb_strip_nulls(jsonb_build_object('name', {o.name:text}, 'probability', {o.probability:text}, 'contact', {o.pointOfContactId:text}))
FROM {o}
<came to it>
$$),
	('entities', NULL, 'companies', $$
entity_type: 'account'::text
entity_id: {co.id:text!}
owner: {co.accountOwnerId:text}
created_at: {co.createdAt:time}
is_deleted: {co.deletedAt} IS NOT NULL
FROM {co}
$$),
	('entities', NULL, 'people', $$
entity_type: 'contact'::text
entity_id: {p.id:text!}
parent_id: {p.companyId:text}
created_at: {p.createdAt:time}
is_deleted: {p.deletedAt} IS NOT NULL
FROM {p}
$$),
	('stages', NULL, 'stages that opportunities are in, in the order of the type; labels are in another schema', $$
stage_key: s.stage::text
label: s.stage::text
ordinal: (row_number() OVER (ORDER BY s.stage))::integer
class: CASE WHEN s.stage::text = ANY (string_to_array([[{=won}]else['CUSTOMER']], '|')) THEN 'won' WHEN s.stage::text = ANY (string_to_array([[{=lost}]else['LOST']], '|')) THEN 'lost' ELSE 'open'::text END
FROM (SELECT DISTINCT {o.stage!} AS stage FROM {o}) AS s
$$)) AS p(part, key, title, body),
	(SELECT $$CASE
		WHEN {?.createdBySource:text} = 'MANUAL' THEN 'manual'::text
		WHEN {?.createdBySource:text} IN ('EMAIL', 'CALENDAR', 'SYSTEM', 'WORKFLOW', 'AGENT') THEN 'auto'
		WHEN {?.createdBySource:text} IS NOT NULL THEN 'integration' END$$) AS origin(by_source)
$preset$;
COMMENT ON FUNCTION activity_metrics.preset_twenty(jsonb) IS
'Internal: the parts of the preset of Twenty; see the head of 80_presets.sql.';
