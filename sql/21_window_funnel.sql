--
-- window_funnel: the funnel call of column stores, an aggregate under GROUP BY entity.
--

CREATE FUNCTION activity_metrics.window_funnel_serial(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'am_window_funnel_serial' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.window_funnel_serial(internal) IS 'Internal: serialises the state of window_funnel() for a parallel plan.';

CREATE FUNCTION activity_metrics.window_funnel_deserial(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'am_state_deserial' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.window_funnel_deserial(bytea, internal) IS 'Internal: reads what window_funnel_serial wrote.';

CREATE FUNCTION activity_metrics.window_funnel_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'am_window_funnel_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.window_funnel_combine(internal, internal) IS 'Internal: joins two states of window_funnel().';

CREATE FUNCTION activity_metrics.window_funnel_final(internal) RETURNS integer
AS 'MODULE_PATHNAME', 'am_window_funnel_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.window_funnel_final(internal) IS 'Internal: the result of window_funnel().';

CREATE FUNCTION activity_metrics.window_funnel_trans(internal, interval, timestamptz, boolean[]) RETURNS internal
AS 'MODULE_PATHNAME', 'am_window_funnel_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.window_funnel_trans(internal, interval, timestamptz, boolean[]) IS 'Internal: adds a row to the state of window_funnel().';

CREATE FUNCTION activity_metrics.window_funnel_trans(internal, interval, text, timestamptz, boolean[]) RETURNS internal
AS 'MODULE_PATHNAME', 'am_window_funnel_mode_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.window_funnel_trans(internal, interval, text, timestamptz, boolean[]) IS 'Internal: adds a row to the state of window_funnel().';

CREATE AGGREGATE activity_metrics.window_funnel(within interval, at timestamptz, VARIADIC steps boolean[]) (
	SFUNC = activity_metrics.window_funnel_trans, STYPE = internal, SSPACE = 160,
	FINALFUNC = activity_metrics.window_funnel_final,
	COMBINEFUNC = activity_metrics.window_funnel_combine,
	SERIALFUNC = activity_metrics.window_funnel_serial, DESERIALFUNC = activity_metrics.window_funnel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.window_funnel(interval, timestamptz, boolean[]) IS
'How many steps of a funnel an entity did in a row within a window, under GROUP BY entity: window_funnel(''30 days'', at, kind = ''call'', kind = ''meeting'', kind = ''won'') is 0 to 3.
within: the longest time from the first step to the last, that time included; days have 24 hours, months are refused. at: when the row happened. steps: 1 to 64 conditions, in order; NULL is false. One row may do several steps, rows of one time are taken in favour of the funnel, other rows may lie between.
Rows with at NULL are left out; no rows give NULL; rows, but none with the first step, give 0. Same as mode ''default'' of the call with a mode.
Errors: no steps, a window that is not positive or has months, a window or number of steps that changes within a group (22023), more than 64 steps (54000), within NULL (22004), an infinite time (22008).';

CREATE AGGREGATE activity_metrics.window_funnel(within interval, mode text, at timestamptz, VARIADIC steps boolean[]) (
	SFUNC = activity_metrics.window_funnel_trans, STYPE = internal, SSPACE = 160,
	FINALFUNC = activity_metrics.window_funnel_final,
	COMBINEFUNC = activity_metrics.window_funnel_combine,
	SERIALFUNC = activity_metrics.window_funnel_serial, DESERIALFUNC = activity_metrics.window_funnel_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE activity_metrics.window_funnel(interval, text, timestamptz, boolean[]) IS
'How many steps of a funnel an entity did in a row within a window, with a mode: window_funnel(''30 days'', ''strict_order'', at, kind = ''call'', kind = ''meeting'', kind = ''won'').
mode: one or more of these, separated by commas, in any case. default: as without a mode. strict_deduplication: a step from the second on that has been reached already ends the scan. strict_order: a row that fits no step, or a step whose predecessor has not been reached, ends the scan once the first step is reached; allow_reentry, only with it: a step too early is skipped instead. strict_increase: each step later than the one before. strict_once: one row does one step at most.
within, at, steps, and what NULL means: as without a mode.
Errors: those of the call without a mode; an unknown mode, allow_reentry alone, a mode that changes within a group (22023), mode NULL (22004).';
