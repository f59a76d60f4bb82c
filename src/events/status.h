/*
 * The status of an event: was it done?
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_STATUS_H
#define AM_STATUS_H

#include "common/compat.h"

extern bool am_status_is_done(const char *status, int length);

#endif							/* AM_STATUS_H */
