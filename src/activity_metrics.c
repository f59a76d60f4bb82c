/*
 * The module: magic, start, settings.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "common/compat.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "common/am_host.h"
#include "events/event_file.h"
#include "events/event_log.h"

PG_MODULE_MAGIC_EXT(.name = "activity_metrics");

void		_PG_init(void);

static void *
server_alloc(size_t size)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, size);
}

static void
server_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}

void
_PG_init(void)
{
	am_host_alloc = server_alloc;
	am_host_free = pfree;
	am_host_interrupts = server_interrupts;

	DefineCustomBoolVariable("activity_metrics.state_to_file",
							 "Sends every partial state of a parallel plan by temporary file.",
							 "Large states always go that way; this is for tests.",
							 &am_event_state_to_file,
							 false,
							 PGC_USERSET,
							 GUC_NOT_IN_SAMPLE | GUC_NO_SHOW_ALL,
							 NULL, NULL, NULL);
	MarkGUCPrefixReserved("activity_metrics");
	am_event_file_init();
}

PG_FUNCTION_INFO_V1(am_library_version);

Datum
am_library_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(AM_VERSION));
}
