/*
 * Default services for programs outside the server; see am_host.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/am_host.h"

static void *
plain_alloc(size_t size)
{
	void	   *chunk = malloc(size ? size : 1);

	if (!chunk)
	{
		fputs("out of memory\n", stderr);
		abort();
	}
	return chunk;
}

void	   *(*am_host_alloc) (size_t size) = plain_alloc;
void		(*am_host_free) (void *chunk) = free;
void		(*am_host_interrupts) (void) = NULL;
