--
-- A made-up CRM of 25 sales reps over 104 weeks, with known truth: which activity leads which
-- outcome, which only counts motion, and which was gamed once it became a target.
-- README.md beside this file says what was planted and with which numbers.
--
--	psql -f crm.sql               seed 1
--	psql -v seed=7 -f crm.sql     another team that follows the same rules
--
-- It replaces the schema crm, if that is the demo's.  The same seed gives the same rows on any server and any day: every
-- draw is a hash of (seed, stream, row), never random(), whose order depends on the plan.
--
\if :{?seed}
\else
	\set seed 1
\endif

BEGIN;

SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';
SET LOCAL jit = off;
SET LOCAL work_mem = '64MB';

-- a schema of that name that this file did not make is somebody's CRM
DO $$
BEGIN
	IF to_regnamespace('crm') IS NOT NULL
		AND coalesce(obj_description(to_regnamespace('crm'), 'pg_namespace'), '') NOT LIKE 'Demo of activity_metrics%' THEN
		RAISE EXCEPTION 'schema crm exists and is not the demo' USING HINT = 'Load the demo into a database of its own.';
	END IF;
END;
$$;
DROP SCHEMA IF EXISTS crm CASCADE;
CREATE SCHEMA crm;
COMMENT ON SCHEMA crm IS 'Demo of activity_metrics: a made-up CRM, Monday 2024-01-01 to Sunday 2025-12-28 (UTC)';

-- ---------------------------------------------------------------------------------------------
-- Chance and time.  These helpers are dropped at the end.
-- ---------------------------------------------------------------------------------------------

-- Uniform on (0, 1).  Each use has a stream of its own; i tells the rows of one stream apart.
-- 52 bits, so that adding a half is exact and neither end is reached.
CREATE FUNCTION crm.u(stream integer, i bigint) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ((hashint8extended(i, (:seed)::bigint * 1000 + stream) & 4503599627370495)::double precision + 0.5) / 4503599627370496;

-- Standard normal (Box and Muller); takes the stream and the one 500 above it.
CREATE FUNCTION crm.z(stream integer, i bigint) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN sqrt(-2 * ln(crm.u(stream, i))) * cos(2 * pi() * crm.u(stream + 500, i));

-- A count of about Poisson spread around its mean m, good for means of ten and more.
CREATE FUNCTION crm.n(m double precision, stream integer, i bigint) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN greatest(0, round(m + sqrt(m) * crm.z(stream, i)))::integer;

-- Week 0 starts on Monday 2024-01-01; day 0 is Monday.
CREATE FUNCTION crm.moment(week integer, day integer, hour double precision) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN timestamptz '2024-01-01 00:00+00' + make_interval(secs => (week * 7 + day) * 86400 + floor(hour * 3600));

CREATE FUNCTION crm.week_of(at timestamptz) RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
RETURN floor(extract(epoch FROM at - timestamptz '2024-01-01 00:00+00') / 604800)::integer;

-- ---------------------------------------------------------------------------------------------
-- The team and the calendar
-- ---------------------------------------------------------------------------------------------

-- size: how good the territory and the rep are.  It scales logins and wins alike, which is all
-- that ties the two.  Employed from from_week up to, not including, to_week;
-- nothing is in the CRM from until on.
-- game: from week 70 on the rep fills up to the target of 40 calls.
CREATE TEMP TABLE rep ON COMMIT DROP AS
SELECT user_id::integer, name,
       (ARRAY['North', 'South', 'West'])[1 + (user_id - 1) / 9] AS team,
       CASE user_id WHEN 5 THEN 26 WHEN 11 THEN 44 ELSE 0 END AS from_week,
       CASE user_id WHEN 17 THEN 80 ELSE 999 END AS to_week,
       crm.moment(CASE user_id WHEN 17 THEN 80 ELSE 104 END, 0, 0) AS until,
       user_id % 3 = 0 AS game,
       0.4 + 1.2 * crm.u(1, user_id) AS size,
       24 + 8 * crm.u(2, user_id) AS usual_calls,
       16 + 4 * crm.u(3, user_id) AS usual_emails
FROM unnest(ARRAY['Ada Brandt', 'Ben Castillo', 'Carla Dietz', 'David Ekberg', 'Elena Fontana',
                  'Femi Garba', 'Grace Hwang', 'Hugo Ibarra', 'Ines Jensen', 'Jonas Kowal',
                  'Kavya Lal', 'Liam Moreau', 'Mira Novak', 'Nils Okafor', 'Olga Petrov',
                  'Pablo Quiroga', 'Rosa Rinaldi', 'Samir Shah', 'Tara Tanaka', 'Umar Usman',
                  'Vera Vogel', 'Wes Walker', 'Ximena Yanez', 'Yara Zeman', 'Zoe Abbott'])
     WITH ORDINALITY AS t(name, user_id);

-- Six weeks past the end are drawn too and cut off later: at the end of the data some deals must
-- be on their way.
CREATE TEMP TABLE week ON COMMIT DROP AS
SELECT week,
       CASE WHEN week IN (0, 51, 52, 103, 104) THEN 0.4                  -- Christmas and New Year
            WHEN week IN (13, 68) THEN 0.75                              -- Easter
            WHEN week BETWEEN 31 AND 33 OR week BETWEEN 83 AND 85 THEN 0.75 -- August
            ELSE 1.0 END::double precision AS presence,
       -- the end of a quarter: more wins, and more mail
       1 + 0.75 * cos(2 * pi() * (week - 11) / 13) AS season
FROM generate_series(0, 109) AS week;

-- How much each rep does in each week.  Moods last two or three weeks (moving averages), because
-- real series are persistent and a method has to cope with that.
CREATE TEMP TABLE rep_week ON COMMIT DROP AS
SELECT user_id, week, i AS week_key, calls,
       -- the fill: up to the target and no further, except when everyone is away
       CASE WHEN game AND week BETWEEN 70 AND 103 AND presence > 0.5
            THEN greatest(0, 40 - calls + floor(2 * crm.u(16, i))::integer) ELSE 0 END AS filler,
       crm.n(usual_emails * presence * season * exp(0.6 * mail_mood - 0.18), 13, i) AS emails,
       crm.n(24 * size * presence * exp(0.6 * login_mood - 0.18), 15, i) AS logins
FROM (SELECT *, crm.n(usual_calls * presence * exp(0.30 * call_mood - 0.045), 11, i) AS calls
      FROM (SELECT r.*, w.*, i,
                   0.8 * crm.z(10, i) + 0.6 * crm.z(10, i - 1) AS call_mood,
                   (crm.z(12, i) + crm.z(12, i - 1) + crm.z(12, i - 2)) / sqrt(3) AS mail_mood,
                   (crm.z(14, i) + crm.z(14, i - 1) + crm.z(14, i - 2)) / sqrt(3) AS login_mood
            FROM rep AS r
            JOIN week AS w ON w.week >= r.from_week AND w.week < r.to_week
            CROSS JOIN LATERAL (SELECT r.user_id * 128 + w.week AS i) AS key) AS mood) AS called;

-- ---------------------------------------------------------------------------------------------
-- Calls, and what each of them leads to
-- ---------------------------------------------------------------------------------------------

-- The role of a call decides everything that follows:
--   decision  books a meeting with a decision maker for next week, on a deal that has met us
--   first     books the first meeting of a deal for next week
--   cold      the call around which a deal is worked that will never meet us
--   other     one more call on some deal
--   filler    made for the number: short, late on Thursday or Friday, books nothing
-- Good reps book more (the square root of size; the other root is in the chance to win).
CREATE TEMP TABLE call ON COMMIT DROP AS
SELECT i, user_id, week, at,
       CASE WHEN filler THEN 'filler'
            WHEN roll < 0.06 * sqrt(size) THEN 'decision'
            WHEN roll < 0.155 * sqrt(size) THEN 'first'
            WHEN roll < 0.155 * sqrt(size) + 0.045 THEN 'cold'
            ELSE 'other' END AS role
FROM (SELECT i, rw.user_id, rw.week, r.size, n > rw.calls AS filler, crm.u(22, i) AS roll,
             CASE WHEN n > rw.calls
                  THEN crm.moment(rw.week, 3 + floor(2 * crm.u(20, i))::integer, 15 + 3 * crm.u(21, i))
                  ELSE crm.moment(rw.week, floor(5 * crm.u(20, i))::integer, 8 + 10 * crm.u(21, i)) END AS at
      FROM rep_week AS rw
      JOIN rep AS r USING (user_id)
      CROSS JOIN LATERAL generate_series(1, rw.calls + rw.filler) AS n
      CROSS JOIN LATERAL (SELECT rw.week_key * 1024::bigint + n AS i) AS key) AS drawn;

-- Every deal has one call at its heart, its anchor: deal number d of a rep is the d-th anchor.
CREATE TEMP TABLE anchor ON COMMIT DROP AS
SELECT i, user_id, at, role, row_number() OVER (PARTITION BY user_id ORDER BY at, i) AS d
FROM call
WHERE role IN ('first', 'cold');

-- One booked meeting in eight is cancelled or missed.
CREATE TEMP TABLE booked ON COMMIT DROP AS
SELECT i, user_id, at AS called_at, role,
       crm.moment(week + 1, floor(5 * crm.u(30, i))::integer, 8 + floor(36 * crm.u(31, i)) / 4) AS at,
       CASE WHEN crm.u(32, i) < 0.07 THEN 'cancelled'
            WHEN crm.u(32, i) < 0.12 THEN 'no_show'
            ELSE 'held' END AS status
FROM call
WHERE role IN ('first', 'decision');

-- Which deal does a decision call belong to?  Deals that met us wait in a queue, in order of their
-- first meeting.  The k-th decision call of a rep takes number f of the queue, where f grows
-- strictly (one decision meeting a deal) and stays about four behind the newest (two weeks or so):
--   f(k) = max over j <= k of (newest(j) - 4 + k - j)
-- A call that finds nobody left in the queue books nothing; that is rare after the first weeks.
CREATE TEMP TABLE decision ON COMMIT DROP AS
WITH met AS (
	SELECT b.user_id, b.at, a.d, row_number() OVER (PARTITION BY b.user_id ORDER BY b.at, b.i) AS m
	FROM booked AS b
	JOIN anchor AS a USING (i)
	WHERE b.role = 'first' AND b.status = 'held'
), queue AS (
	SELECT b.i, b.user_id, b.called_at, count(met.m) AS newest,
	       row_number() OVER (PARTITION BY b.user_id ORDER BY b.called_at, b.i) AS k
	FROM booked AS b
	LEFT JOIN met ON met.user_id = b.user_id AND met.at < b.called_at - interval '1 day'
	WHERE b.role = 'decision'
	GROUP BY b.i, b.user_id, b.called_at
), taken AS (
	SELECT i, user_id, newest,
	       k + max(greatest(newest - 4, 1) - k) OVER (PARTITION BY user_id ORDER BY k) AS f
	FROM queue
)
SELECT taken.i, taken.user_id, met.d
FROM taken
JOIN met ON met.user_id = taken.user_id AND met.m = taken.f
WHERE taken.f <= taken.newest;

-- The way to the win: a deal whose decision meeting was held is won in the fourth week after it,
-- on that weekday or up to two days off, with a chance that grows with size and with the season
-- of the week of the win.  There was a proposal a week or two after the meeting; most of the
-- deals that do not win get one too.
CREATE TEMP TABLE progress ON COMMIT DROP AS
SELECT user_id, d, decided_at,
       CASE WHEN wins OR crm.u(41, i) < 0.85
            THEN crm.moment(week + 1 + floor(2 * crm.u(42, i))::integer, floor(5 * crm.u(43, i))::integer,
                            8 + 10 * crm.u(44, i)) END AS proposed_at,
       CASE WHEN wins
            THEN crm.moment(week + 4, greatest(0, least(4, day + floor(5 * crm.u(45, i))::integer - 2)),
                            8 + 10 * crm.u(46, i)) END AS won_at
FROM (SELECT c.i, c.user_id, c.d, c.decided_at, c.week, extract(isodow FROM c.decided_at)::integer - 1 AS day,
             crm.u(40, c.i) < 0.45 * sqrt(r.size) * w.season AS wins
      FROM (SELECT b.i, b.user_id, dec.d, b.at AS decided_at, crm.week_of(b.at) AS week
            FROM decision AS dec
            JOIN booked AS b USING (i)
            WHERE b.status = 'held') AS c
      JOIN rep AS r USING (user_id)
      JOIN (SELECT week - 4 AS week, season FROM week) AS w USING (week)) AS coin;

-- ---------------------------------------------------------------------------------------------
-- Calls and emails find their deals
-- ---------------------------------------------------------------------------------------------

-- other calls go to a deal around its anchor: nine ahead (before the meeting) to eight behind;
-- fillers and emails to one that has been worked already.  Four emails in ten have no deal.
CREATE TEMP TABLE touch ON COMMIT DROP AS
WITH email AS (
	SELECT i, rw.user_id, rw.week, 'email' AS role,
	       crm.moment(rw.week, floor(5 * crm.u(60, i))::integer, 8 + 10 * crm.u(61, i)) AS at
	FROM rep_week AS rw
	CROSS JOIN LATERAL generate_series(1, rw.emails) AS n
	CROSS JOIN LATERAL (SELECT rw.week_key * 1024::bigint + n AS i) AS key
), placed AS (
	-- d of an anchor is its own; newest of any other row is the last anchor before it
	SELECT i, user_id, week, at, role,
	       count(*) FILTER (WHERE role IN ('first', 'cold')) OVER (PARTITION BY user_id ORDER BY at, i, role) AS newest
	FROM (SELECT i, user_id, week, role, at FROM call
	      UNION ALL
	      SELECT i, user_id, week, role, at FROM email) AS both_kinds
), aimed AS (
	SELECT p.i, p.user_id, p.week, p.at, p.role,
	       CASE p.role
	            WHEN 'decision' THEN dec.d
	            WHEN 'first' THEN newest
	            WHEN 'cold' THEN newest
	            WHEN 'other' THEN newest + 9 - floor(18 * crm.u(50, p.i))::integer
	            WHEN 'filler' THEN newest - floor(9 * crm.u(50, p.i))::integer
	            WHEN 'email' THEN CASE WHEN crm.u(51, p.i) < 0.6 THEN newest - floor(9 * crm.u(52, p.i))::integer END
	       END AS d
	FROM placed AS p
	LEFT JOIN decision AS dec ON dec.i = p.i AND p.role = 'decision'
)
-- no such deal (the first and last weeks of a rep), or won by then: an activity without a deal
SELECT t.i, t.user_id, t.week, t.at, t.role, a.d
FROM aimed AS t
LEFT JOIN progress AS p ON p.user_id = t.user_id AND p.d = t.d AND p.won_at <= t.at
LEFT JOIN anchor AS a ON a.user_id = t.user_id AND a.d = t.d AND p.d IS NULL;

-- ---------------------------------------------------------------------------------------------
-- Deals
-- ---------------------------------------------------------------------------------------------

-- A deal is opened up to three days before the first touch and, if not won, lost two to seven
-- weeks after the last; one in 25 is just left open, and so are those of a rep who left.
CREATE TEMP TABLE deal ON COMMIT DROP AS
WITH life AS (
	SELECT user_id, d, min(at) AS first_at, max(at) AS last_at
	FROM (SELECT user_id, d, at FROM touch WHERE d IS NOT NULL
	      UNION ALL
	      SELECT a.user_id, a.d, b.at FROM booked AS b JOIN anchor AS a USING (i)
	      UNION ALL
	      SELECT dec.user_id, dec.d, b.at FROM booked AS b JOIN decision AS dec USING (i)
	      UNION ALL
	      SELECT user_id, d, proposed_at FROM progress WHERE proposed_at IS NOT NULL) AS activity
	GROUP BY user_id, d
), opened AS (
	SELECT a.i, user_id, d, r.until, p.decided_at, p.proposed_at, p.won_at, life.last_at,
	       date_trunc('second', first_at - crm.u(70, a.i) * least(interval '3 days', first_at - crm.moment(0, 0, 0))) AS created_at
	FROM life
	JOIN rep AS r USING (user_id)
	JOIN anchor AS a USING (user_id, d)
	LEFT JOIN progress AS p USING (user_id, d)
	WHERE first_at < r.until
)
SELECT row_number() OVER (ORDER BY o.created_at, o.user_id, o.d) AS opportunity_id,
       o.i, o.user_id, o.d, o.until, o.created_at,
       met.at AS met_at, o.decided_at, o.proposed_at, o.won_at,
       CASE WHEN o.won_at IS NULL AND crm.u(71, o.i) > 0.04
            THEN crm.moment(crm.week_of(o.last_at) + 2 + floor(6 * crm.u(72, o.i))::integer,
                            floor(5 * crm.u(73, o.i))::integer, 8 + 10 * crm.u(74, o.i)) END AS lost_at
FROM opened AS o
LEFT JOIN booked AS met ON met.i = o.i AND met.role = 'first' AND met.status = 'held';

ANALYZE deal;
ANALYZE touch;

-- ---------------------------------------------------------------------------------------------
-- The tables of the CRM.  From here on everything after the last day is cut off.
-- ---------------------------------------------------------------------------------------------

CREATE TABLE crm.users (
	user_id integer PRIMARY KEY,
	name text NOT NULL,
	team text NOT NULL,
	hired_on date NOT NULL,
	is_active boolean NOT NULL
);
COMMENT ON TABLE crm.users IS 'Sales reps. Two were hired and one left during the two years';

INSERT INTO crm.users
SELECT user_id, name, team,
       CASE WHEN from_week > 0 THEN crm.moment(from_week, 0, 0)::date
            ELSE date '2023-12-01' - floor(1500 * crm.u(4, user_id))::integer END,
       to_week > 104
FROM rep;

CREATE TABLE crm.accounts (
	account_id integer PRIMARY KEY,
	name text NOT NULL,
	industry text NOT NULL,
	owner_id integer NOT NULL
);
COMMENT ON TABLE crm.accounts IS 'Customers and prospects, 120 per rep';

INSERT INTO crm.accounts
SELECT account_id,
       (ARRAY['Amber', 'Birch', 'Cobalt', 'Delta', 'Ember', 'Falcon', 'Granite', 'Harbor', 'Ivory', 'Juniper',
              'Kestrel', 'Lunar', 'Maple', 'Nimbus', 'Orchid', 'Pioneer', 'Quartz', 'River', 'Summit', 'Tidal'])[1 + n % 20]
       || ' ' ||
       (ARRAY['Analytics', 'Brewing', 'Clinics', 'Devices', 'Energy', 'Foods', 'Glass', 'Hotels', 'Insurance', 'Jewellers',
              'Kitchens', 'Logistics', 'Motors', 'Networks', 'Optics'])[1 + n / 20 % 15]
       || ' ' ||
       (ARRAY['AG', 'BV', 'Co', 'GmbH', 'Group', 'Inc', 'Ltd', 'Oy', 'SA', 'SpA'])[1 + n / 300],
       (ARRAY['Manufacturing', 'Health', 'Retail', 'Services', 'Public'])[1 + floor(5 * crm.u(80, account_id))::integer],
       1 + n / 120
FROM (SELECT n, n + 1 AS account_id FROM generate_series(0, 2999) AS n) AS numbered;

CREATE TABLE crm.opportunities (
	opportunity_id bigint PRIMARY KEY,
	account_id integer NOT NULL,
	owner_id integer NOT NULL,
	name text NOT NULL,
	amount numeric(12,2) NOT NULL,
	stage text NOT NULL,
	is_closed boolean NOT NULL,
	is_won boolean NOT NULL,
	lost_reason text,
	created_at timestamptz NOT NULL,
	close_date date NOT NULL,
	closed_at timestamptz
);
COMMENT ON TABLE crm.opportunities IS 'Deals. A deal is called, met, met with a decision maker, gets a proposal, and is won, lost or still open';
COMMENT ON COLUMN crm.opportunities.close_date IS 'Expected while open, actual once closed';

INSERT INTO crm.opportunities
SELECT opportunity_id, a.account_id, user_id, a.name || ' / deal ' || opportunity_id,
       -- lognormal, median 12,000
       round((12000 * exp(0.8 * crm.z(82, i)))::numeric, -2),
       CASE WHEN closed_at = won_at THEN 'closed won'
            WHEN closed_at = lost_at THEN 'closed lost'
            WHEN proposed_at < until THEN 'proposal'
            WHEN decided_at < until THEN 'decision'
            WHEN met_at < until THEN 'qualified'
            ELSE 'prospecting' END,
       closed_at IS NOT NULL,
       closed_at IS NOT NULL AND won_at IS NOT NULL,
       CASE WHEN closed_at = lost_at
            THEN (ARRAY['no response', 'no budget', 'price', 'competitor', 'timing'])
                 [1 + floor(CASE WHEN met_at IS NULL THEN 2.5 ELSE 5 END * crm.u(83, i))::integer] END,
       created_at,
       coalesce(closed_at::date, created_at::date + 90),
       closed_at
FROM (SELECT *, (user_id - 1) * 120 + 1 + floor(120 * crm.u(81, i))::integer AS account_id,
             CASE WHEN coalesce(won_at, lost_at) < until THEN coalesce(won_at, lost_at) END AS closed_at
      FROM deal) AS dealt
JOIN crm.accounts AS a USING (account_id)
ORDER BY opportunity_id;

CREATE TABLE crm.calls (
	call_id bigint PRIMARY KEY,
	user_id integer NOT NULL,
	opportunity_id bigint,
	started_at timestamptz NOT NULL,
	logged_at timestamptz NOT NULL,
	duration_seconds integer,
	disposition text,
	status text NOT NULL CHECK (status IN ('done', 'planned')),
	source text NOT NULL CHECK (source IN ('dialer', 'manual'))
);
COMMENT ON TABLE crm.calls IS 'Phone calls. One in fifty was logged twice: another call_id, same rep and deal, start within five minutes';
COMMENT ON COLUMN crm.calls.logged_at IS 'When it was entered; for one call in twelve 1 to 6 days after it happened';
COMMENT ON COLUMN crm.calls.opportunity_id IS 'NULL: no deal';

INSERT INTO crm.calls
WITH kept AS (
	-- from the week after the end, three calls in ten are in the book already, as planned
	SELECT t.*, deal.opportunity_id, t.week = 104 AS planned,
	       role IN ('other', 'cold') AND crm.u(23, t.i) < 0.35 AS unanswered
	FROM touch AS t
	LEFT JOIN deal USING (user_id, d)
	WHERE role <> 'email' AND (t.week < 104 OR t.week = 104 AND crm.u(29, t.i) < 0.3)
), spoken AS (
	SELECT *, CASE WHEN planned THEN NULL
	               WHEN role = 'filler' THEN 5 + floor(20 * crm.u(24, i))
	               WHEN unanswered THEN 3 + floor(25 * crm.u(24, i))
	               WHEN role IN ('first', 'decision') THEN 180 + floor(900 * crm.u(24, i))
	               ELSE 40 + floor(-240 * ln(crm.u(24, i))) END::integer AS seconds,
	       CASE WHEN role = 'filler' OR crm.u(25, i) < 0.4 THEN 'manual' ELSE 'dialer' END AS source
	FROM kept
	CROSS JOIN LATERAL generate_series(1, CASE WHEN role <> 'filler' AND NOT planned AND crm.u(26, i) < 0.02
	                                           THEN 2 ELSE 1 END) AS copy
), logged AS (
	SELECT *, CASE WHEN copy = 2 THEN at + make_interval(secs => 20 + floor(280 * crm.u(27, i))) ELSE at END AS started_at,
	       CASE WHEN planned THEN crm.moment(103, floor(5 * crm.u(28, i))::integer, 18)
	            WHEN source = 'manual' AND crm.u(28, i) < 0.2 AND at < crm.moment(103, 0, 0)
	            THEN at + make_interval(secs => 86400 + floor(432000 * crm.u(29, i)))
	            ELSE at + make_interval(secs => 310 + coalesce(seconds, 0) + 60 * copy) END AS logged_at
	FROM spoken
)
SELECT row_number() OVER (ORDER BY started_at, user_id, i, copy), user_id, opportunity_id, started_at, logged_at, seconds,
       CASE WHEN planned THEN NULL
            WHEN unanswered OR role = 'filler' THEN CASE WHEN crm.u(33, i) < 0.6 THEN 'no answer' ELSE 'voicemail' END
            WHEN role IN ('first', 'decision') AND d IS NOT NULL THEN 'meeting booked'
            ELSE 'connected' END,
       CASE WHEN planned THEN 'planned' ELSE 'done' END, source
FROM logged
ORDER BY 1;

CREATE TABLE crm.meetings (
	meeting_id bigint PRIMARY KEY,
	owner_id integer NOT NULL,
	opportunity_id bigint,
	starts_at timestamptz NOT NULL,
	logged_at timestamptz NOT NULL,
	duration_minutes integer NOT NULL,
	with_decision_maker boolean NOT NULL,
	status text NOT NULL CHECK (status IN ('held', 'planned', 'cancelled', 'no_show'))
);
COMMENT ON TABLE crm.meetings IS 'Meetings with prospects: held, still planned, cancelled or missed';
COMMENT ON COLUMN crm.meetings.logged_at IS 'Held: when the report was written, for one in ten 2 to 9 days late. Others: when it was booked';

INSERT INTO crm.meetings
SELECT row_number() OVER (ORDER BY b.at, b.user_id, b.i), b.user_id, deal.opportunity_id, b.at,
       CASE WHEN b.at >= deal.until OR b.status <> 'held' THEN b.called_at + interval '15 minutes'
            WHEN crm.u(34, b.i) < 0.1 AND b.at < crm.moment(102, 0, 0)
            THEN b.at + make_interval(secs => 172800 + floor(604800 * crm.u(35, b.i)))
            ELSE b.at + interval '90 minutes' END,
       30 + 15 * floor(3 * crm.u(36, b.i))::integer,
       b.role = 'decision',
       CASE WHEN b.at >= crm.moment(104, 0, 0) THEN 'planned'
            WHEN b.at >= deal.until THEN 'cancelled' -- the rep had left
            ELSE b.status END
FROM booked AS b
JOIN (SELECT i, user_id, d FROM anchor UNION ALL SELECT i, user_id, d FROM decision) AS of_deal USING (i)
JOIN deal ON deal.user_id = of_deal.user_id AND deal.d = of_deal.d
WHERE b.called_at < crm.moment(104, 0, 0)
ORDER BY 1;

CREATE TABLE crm.tasks (
	task_id bigint PRIMARY KEY,
	owner_id integer NOT NULL,
	opportunity_id bigint,
	type text NOT NULL CHECK (type IN ('email', 'to-do')),
	subject text NOT NULL,
	status text NOT NULL CHECK (status IN ('completed', 'open')),
	created_at timestamptz NOT NULL,
	completed_at timestamptz,
	due_date date
);
COMMENT ON TABLE crm.tasks IS 'Emails and to-dos. One email in a hundred was logged twice: another task_id, same rep and deal, within three minutes';
COMMENT ON COLUMN crm.tasks.created_at IS 'When it was logged';
COMMENT ON COLUMN crm.tasks.completed_at IS 'When it happened; NULL while open (planned)';

INSERT INTO crm.tasks
WITH kept AS (
	SELECT t.i, t.user_id, t.at, deal.opportunity_id, copy, t.week = 104 AS planned,
	       CASE WHEN crm.u(62, t.i) < 0.04 THEN 'to-do' ELSE 'email' END AS type
	FROM touch AS t
	LEFT JOIN deal ON deal.user_id = t.user_id AND deal.d = t.d
	CROSS JOIN LATERAL generate_series(1, CASE WHEN t.week < 104 AND crm.u(63, t.i) < 0.01 THEN 2 ELSE 1 END) AS copy
	WHERE role = 'email' AND (t.week < 104 OR t.week = 104 AND crm.u(64, t.i) < 0.2)
), timed AS (
	SELECT *, CASE WHEN copy = 2 THEN at + make_interval(secs => 5 + floor(170 * crm.u(65, i))) ELSE at END AS done_at,
	       -- a to-do in five is never ticked off
	       planned OR type = 'to-do' AND crm.u(66, i) < 0.2 AS open
	FROM kept
)
SELECT row_number() OVER (ORDER BY done_at, user_id, i, copy), user_id, opportunity_id, type,
       CASE type WHEN 'email' THEN (ARRAY['Introduction', 'Follow-up', 'Material you asked for', 'Next steps', 'Checking in'])
                                   [1 + floor(5 * crm.u(67, i))::integer]
                 ELSE (ARRAY['Prepare proposal', 'Update notes', 'Send contract draft'])[1 + floor(3 * crm.u(67, i))::integer] END,
       CASE WHEN open THEN 'open' ELSE 'completed' END,
       CASE WHEN planned THEN crm.moment(103, floor(5 * crm.u(68, i))::integer, 18)
            WHEN type = 'to-do' THEN greatest(crm.moment(0, 0, 7), at - make_interval(secs => floor(172800 * crm.u(68, i))))
            ELSE done_at + interval '1 minute' END,
       CASE WHEN NOT open THEN done_at END,
       CASE WHEN planned OR type = 'to-do' THEN at::date END
FROM timed
ORDER BY 1;

CREATE TABLE crm.stage_history (
	stage_history_id bigint PRIMARY KEY,
	opportunity_id bigint NOT NULL,
	from_stage text,
	to_stage text NOT NULL,
	changed_at timestamptz NOT NULL,
	changed_by integer NOT NULL
);
COMMENT ON TABLE crm.stage_history IS 'Every change of stage of a deal; from_stage is NULL in the first row';

INSERT INTO crm.stage_history
SELECT row_number() OVER (ORDER BY at, opportunity_id, stage), opportunity_id,
       lag(stage) OVER (PARTITION BY opportunity_id ORDER BY at), stage, at, user_id
FROM deal
CROSS JOIN LATERAL (VALUES ('prospecting', created_at),
                           ('qualified', met_at + interval '1 hour'),
                           ('decision', decided_at + interval '1 hour'),
                           ('proposal', proposed_at),
                           ('closed won', won_at),
                           ('closed lost', lost_at)) AS reached(stage, at)
WHERE at < until
ORDER BY 1;

CREATE TABLE crm.logins (
	login_id bigint PRIMARY KEY,
	user_id integer NOT NULL,
	at timestamptz NOT NULL
);
COMMENT ON TABLE crm.logins IS 'Each time a rep opened the CRM';

INSERT INTO crm.logins
SELECT row_number() OVER (ORDER BY at, i), user_id, at
FROM (SELECT i, rw.user_id, crm.moment(rw.week, floor(5 * crm.u(90, i))::integer, 7 + 12 * crm.u(91, i)) AS at
      FROM rep_week AS rw
      CROSS JOIN LATERAL generate_series(1, rw.logins) AS n
      CROSS JOIN LATERAL (SELECT rw.week_key * 1024::bigint + n AS i) AS key
      WHERE rw.week < 104) AS drawn
ORDER BY 1;

-- ---------------------------------------------------------------------------------------------
-- The mapping: the canonical events of activity_metrics
-- ---------------------------------------------------------------------------------------------

CREATE VIEW crm.activity AS
SELECT a.entity, a.kind, a.at, u.name AS actor, a.event_id, a.recorded_at, a.status, a.value, a.quality, a.origin
FROM (SELECT user_id, NULL::bigint AS entity, 'login' AS kind, at, 'login:' || login_id AS event_id, at AS recorded_at,
             'done' AS status, NULL::double precision AS value, NULL::double precision AS quality, 'auto' AS origin
      FROM crm.logins
      UNION ALL
      SELECT owner_id, opportunity_id, 'email', coalesce(completed_at, due_date::timestamp AT TIME ZONE 'UTC'),
             'task:' || task_id, created_at, CASE status WHEN 'completed' THEN 'done' ELSE 'planned' END,
             NULL, NULL, 'integration'
      FROM crm.tasks
      WHERE type = 'email'
      UNION ALL
      -- five minutes of talk count as fully substantive
      SELECT user_id, opportunity_id, 'call', started_at, 'call:' || call_id, logged_at, status,
             duration_seconds, least(1.0, duration_seconds / 300.0), CASE source WHEN 'dialer' THEN 'integration' ELSE 'manual' END
      FROM crm.calls
      UNION ALL
      SELECT owner_id, opportunity_id, CASE WHEN with_decision_maker THEN 'decision_meeting' ELSE 'meeting' END, starts_at,
             'meeting:' || meeting_id, logged_at, CASE status WHEN 'held' THEN 'done' ELSE status END,
             NULL, NULL, 'manual'
      FROM crm.meetings
      UNION ALL
      SELECT owner_id, opportunity_id, 'opportunity', created_at, 'opportunity:' || opportunity_id, created_at, 'done',
             NULL, NULL, 'manual'
      FROM crm.opportunities
      UNION ALL
      SELECT h.changed_by, h.opportunity_id,
             CASE h.to_stage WHEN 'closed won' THEN 'won' WHEN 'closed lost' THEN 'lost' ELSE 'proposal' END, h.changed_at,
             'stage:' || h.stage_history_id, h.changed_at, 'done',
             CASE WHEN h.to_stage = 'closed won' THEN o.amount END, NULL, 'manual'
      FROM crm.stage_history AS h
      JOIN crm.opportunities AS o USING (opportunity_id)
      WHERE h.to_stage IN ('proposal', 'closed won', 'closed lost')) AS a
JOIN crm.users AS u USING (user_id);
COMMENT ON VIEW crm.activity IS 'All activities and outcomes in the canonical columns of activity_metrics: one row per event';
COMMENT ON COLUMN crm.activity.entity IS 'opportunity_id; NULL: no deal';
COMMENT ON COLUMN crm.activity.kind IS 'login, email, call, meeting, decision_meeting, opportunity (opened), proposal, won, lost';
COMMENT ON COLUMN crm.activity.value IS 'won: amount; call: seconds';
COMMENT ON COLUMN crm.activity.quality IS 'Calls: talk time over five minutes, at most 1; NULL: unknown';

ALTER TABLE crm.accounts ADD FOREIGN KEY (owner_id) REFERENCES crm.users;
ALTER TABLE crm.opportunities ADD FOREIGN KEY (owner_id) REFERENCES crm.users, ADD FOREIGN KEY (account_id) REFERENCES crm.accounts;
ALTER TABLE crm.calls ADD FOREIGN KEY (user_id) REFERENCES crm.users, ADD FOREIGN KEY (opportunity_id) REFERENCES crm.opportunities;
ALTER TABLE crm.meetings ADD FOREIGN KEY (owner_id) REFERENCES crm.users, ADD FOREIGN KEY (opportunity_id) REFERENCES crm.opportunities;
ALTER TABLE crm.tasks ADD FOREIGN KEY (owner_id) REFERENCES crm.users, ADD FOREIGN KEY (opportunity_id) REFERENCES crm.opportunities;
ALTER TABLE crm.stage_history ADD FOREIGN KEY (changed_by) REFERENCES crm.users, ADD FOREIGN KEY (opportunity_id) REFERENCES crm.opportunities;
ALTER TABLE crm.logins ADD FOREIGN KEY (user_id) REFERENCES crm.users;

DROP FUNCTION crm.u, crm.z, crm.n, crm.moment, crm.week_of;

COMMIT;

ANALYZE crm.users, crm.accounts, crm.opportunities, crm.calls, crm.meetings, crm.tasks, crm.stage_history, crm.logins;
