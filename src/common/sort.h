/*
 * Sorting of 64-bit words.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_SORT_H
#define AM_SORT_H

#include <stddef.h>
#include <stdint.h>

/* Ascending, unsigned; scratch has room for n words. O(n) for each byte that differs. */
extern void am_radix_sort(uint64_t *words, uint64_t *scratch, size_t n);

#endif							/* AM_SORT_H */
