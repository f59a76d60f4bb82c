/*
 * A funnel specification in words, as it was understood.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_FUNNEL_EXPLAIN_H
#define AM_FUNNEL_EXPLAIN_H

#include "funnel/funnel_spec.h"

/* Lines, the last without its newline; terminated.  Allocates with am_host_alloc. */
extern char *am_funnel_explain(const AmFunnelSpec *spec);

#endif							/* AM_FUNNEL_EXPLAIN_H */
