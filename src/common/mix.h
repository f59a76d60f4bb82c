/*
 * A hash of one word.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_MIX_H
#define AM_MIX_H

#include "common/compat.h"

/* A bijection of 64-bit words that spreads them (Appleby's finaliser of MurmurHash3) */
static inline uint64
am_mix64(uint64 word)
{
	word ^= word >> 33;
	word *= UINT64CONST(0xff51afd7ed558ccd);
	word ^= word >> 33;
	word *= UINT64CONST(0xc4ceb9fe1a85ec53);
	word ^= word >> 33;
	return word;
}

#endif							/* AM_MIX_H */
