--
-- Funnels by entity: aggregates for GROUP BY entity, whose results can be joined to deals and accounts.
--

CREATE TYPE activity_metrics.funnel_attempt AS (
	level integer,
	stop text,
	excluded_by text,
	ended timestamptz,
	times timestamptz[],
	first_reached timestamptz[],
	passed_over boolean
);
COMMENT ON TYPE activity_metrics.funnel_attempt IS
'Internal, of funnel_attempts: the furthest step of an attempt (from 1), why it stopped (converted, still open, timed out, excluded, broken), by which kind it was excluded, when it ended, the time of each step of the chain shown (NULL: not taken), when each step was first reached by any chain, and whether a later step came without the next one.';

CREATE FUNCTION activity_metrics.funnel_entity_serial(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'am_funnel_entity_serial' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_entity_serial(internal) IS 'Internal: serialises the state of funnel_level() and its like for a parallel plan.';

CREATE FUNCTION activity_metrics.funnel_entity_deserial(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'am_state_deserial' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_entity_deserial(bytea, internal) IS 'Internal: reads what funnel_entity_serial wrote.';

CREATE FUNCTION activity_metrics.funnel_entity_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'am_funnel_entity_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_entity_combine(internal, internal) IS 'Internal: joins two states of funnel_level() and its like.';

CREATE FUNCTION activity_metrics.funnel_entity_trans(internal, timestamptz, text, text) RETURNS internal
AS 'MODULE_PATHNAME', 'am_funnel_entity_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_entity_trans(internal, timestamptz, text, text) IS 'Internal: adds an event to the state of funnel_level() and its like.';

CREATE FUNCTION activity_metrics.funnel_entity_trans(internal, timestamptz, text, text, timestamptz, timestamptz, timestamptz) RETURNS internal
AS 'MODULE_PATHNAME', 'am_funnel_entity_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_entity_trans(internal, timestamptz, text, text, timestamptz, timestamptz, timestamptz) IS 'Internal: adds an event to the state of funnel_attempts().';

CREATE FUNCTION activity_metrics.funnel_level_final(internal) RETURNS integer
AS 'MODULE_PATHNAME', 'am_funnel_level_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_level_final(internal) IS 'Internal: the result of funnel_level().';

CREATE FUNCTION activity_metrics.funnel_times_final(internal) RETURNS timestamptz[]
AS 'MODULE_PATHNAME', 'am_funnel_times_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_times_final(internal) IS 'Internal: the result of funnel_times().';

CREATE FUNCTION activity_metrics.funnel_attempts_final(internal) RETURNS activity_metrics.funnel_attempt[]
AS 'MODULE_PATHNAME', 'am_funnel_attempts_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.funnel_attempts_final(internal) IS 'Internal: the result of funnel_attempts().';

CREATE AGGREGATE activity_metrics.funnel_level(at timestamptz, kind text, spec text) (
	SFUNC = activity_metrics.funnel_entity_trans, STYPE = internal, SSPACE = 128,
	FINALFUNC = activity_metrics.funnel_level_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.funnel_entity_combine,
	SERIALFUNC = activity_metrics.funnel_entity_serial, DESERIALFUNC = activity_metrics.funnel_entity_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.funnel_level(timestamptz, text, text) IS
'The furthest step (from 1) of a funnel that an entity''s events reached, 0 if it never entered; for GROUP BY entity: funnel_level(at, kind, spec). Rows with a NULL time or kind are left out; no rows give NULL. Errors: a faulty or changing spec (22023), an infinite time (22008).';

CREATE AGGREGATE activity_metrics.funnel_times(at timestamptz, kind text, spec text) (
	SFUNC = activity_metrics.funnel_entity_trans, STYPE = internal, SSPACE = 128,
	FINALFUNC = activity_metrics.funnel_times_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.funnel_entity_combine,
	SERIALFUNC = activity_metrics.funnel_entity_serial, DESERIALFUNC = activity_metrics.funnel_entity_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.funnel_times(timestamptz, text, text) IS
'When an entity''s best attempt at a funnel took each step, NULL for a step that it did not take; for GROUP BY entity: funnel_times(at, kind, spec). Of the attempts the one that got furthest, then earliest there, then started latest, then was earliest between. Rows with a NULL time or kind are left out; no rows give NULL. Errors: a faulty or changing spec (22023), an infinite time (22008).';

CREATE AGGREGATE activity_metrics.funnel_attempts(at timestamptz, kind text, spec text, as_of timestamptz, entry_since timestamptz, entry_until timestamptz) (
	SFUNC = activity_metrics.funnel_entity_trans, STYPE = internal, SSPACE = 128,
	FINALFUNC = activity_metrics.funnel_attempts_final, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = activity_metrics.funnel_entity_combine,
	SERIALFUNC = activity_metrics.funnel_entity_serial, DESERIALFUNC = activity_metrics.funnel_entity_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.funnel_attempts(timestamptz, text, text, timestamptz, timestamptz, timestamptz) IS
'Internal, for funnel_report and funnel_entities: all that is known of an entity''s best attempt, with the option totals of all its attempts, judged as of as_of; attempts start in [entry_since, entry_until) (NULL: no bound).';

CREATE FUNCTION activity_metrics.funnel_of_attempts_trans(internal, activity_metrics.funnel_attempt[], text, timestamptz) RETURNS internal
AS 'MODULE_PATHNAME', 'am_funnel_of_attempts_trans' LANGUAGE C IMMUTABLE;
COMMENT ON FUNCTION activity_metrics.funnel_of_attempts_trans(internal, activity_metrics.funnel_attempt[], text, timestamptz) IS 'Internal: adds an entity to the state of funnel_of_attempts().';

CREATE FUNCTION activity_metrics.funnel_of_attempts_final(internal) RETURNS activity_metrics.funnel_step[]
AS 'MODULE_PATHNAME', 'am_funnel_of_attempts_final' LANGUAGE C IMMUTABLE;
COMMENT ON FUNCTION activity_metrics.funnel_of_attempts_final(internal) IS 'Internal: the result of funnel_of_attempts().';

CREATE AGGREGATE activity_metrics.funnel_of_attempts(attempts activity_metrics.funnel_attempt[], spec text, as_of timestamptz) (
	SFUNC = activity_metrics.funnel_of_attempts_trans, STYPE = internal, SSPACE = 65536,
	FINALFUNC = activity_metrics.funnel_of_attempts_final, FINALFUNC_MODIFY = READ_WRITE
);
COMMENT ON AGGREGATE activity_metrics.funnel_of_attempts(activity_metrics.funnel_attempt[], text, timestamptz) IS
'Internal, for funnel_report: the funnel of entities given by what funnel_attempts said of each.';
