/*
 * What differs between PostgreSQL 15 and 18.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_COMPAT_H
#define AM_COMPAT_H

#include "postgres.h"

/* defines PG_MODULE_MAGIC_EXT from 18 on */
#include "fmgr.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#ifndef PG_MODULE_MAGIC_EXT
#define PG_MODULE_MAGIC_EXT(...) PG_MODULE_MAGIC
#endif

/* goes before the declaration; 18 has it and drops pg_attribute_noreturn() */
#ifndef pg_noreturn
#define pg_noreturn pg_attribute_noreturn()
#endif

#endif							/* AM_COMPAT_H */
