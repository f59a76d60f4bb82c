/*
 * A funnel over a source of events by several processes.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_FUNNEL_PARALLEL_H
#define AM_FUNNEL_PARALLEL_H

#include "common/compat.h"

#include "access/htup.h"
#include "fmgr.h"
#include "storage/dsm.h"
#include "storage/shm_toc.h"

#include "funnel/funnel_source.h"

/* With workers, where they are allowed, worth it and to be had; else false */
extern bool am_funnel_parallel(const AmFunnelQuestion *question, text *spec_text, AmFunnelSource *source,
							   TupleDesc columns, HeapTuple *steps, int *n_steps);

/* What a worker does */
extern PGDLLEXPORT void am_funnel_worker(dsm_segment *segment, shm_toc *toc);

#endif							/* AM_FUNNEL_PARALLEL_H */
