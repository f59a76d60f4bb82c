/*
 * Names by their first bytes: most that are compared differ in them.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_NAME_WORD_H
#define AM_NAME_WORD_H

#include "common/compat.h"

/* The first eight bytes of a name; a shorter name has words of its own for its length */
static inline uint64
am_name_word(const char *name, int length)
{
	uint64		word;
	uint32		head;
	uint32		tail;

	if (length >= 8)
	{
		memcpy(&word, name, 8);
		return word;
	}
	if (length >= 4)
	{
		memcpy(&head, name, 4);
		memcpy(&tail, name + length - 4, 4);
		return head | (uint64) tail << 32;
	}
	if (length == 0)
		return 0;
	return (uint64) (unsigned char) name[0] | (uint64) (unsigned char) name[length >> 1] << 8 |
		(uint64) (unsigned char) name[length - 1] << 16;
}

#endif							/* AM_NAME_WORD_H */
