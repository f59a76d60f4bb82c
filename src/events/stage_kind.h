/*
 * Labels of stages as kinds of events.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_STAGE_KIND_H
#define AM_STAGE_KIND_H

#include "common/compat.h"

#include "fmgr.h"

/* A kind that means something else than a stage, such as won or call: stage_kind() never gives it */
extern bool am_is_reserved_kind(const char *kind, int length);

extern PGDLLEXPORT Datum am_stage_kind(PG_FUNCTION_ARGS);

#endif							/* AM_STAGE_KIND_H */
