/*
 * Services that the pure algorithms need from whatever runs them: scratch
 * memory that cannot fail and a place to be interrupted.  Inside the server
 * they are palloc and CHECK_FOR_INTERRUPTS; in a plain test program they are
 * malloc and nothing.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_HOST_H
#define AM_HOST_H

#include <stddef.h>

/* Both hooks of memory are always set.  am_host_alloc never returns NULL. */
extern void *(*am_host_alloc) (size_t size);
extern void (*am_host_free) (void *chunk);

/* NULL outside the server.  May not return: hold nothing that needs releasing. */
extern void (*am_host_interrupts) (void);

#define AM_CHECK_INTERRUPTS() \
	do { \
		if (am_host_interrupts) \
			am_host_interrupts(); \
	} while (0)

#endif							/* AM_HOST_H */
