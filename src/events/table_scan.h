/*
 * Reading columns of a plain table below the executor.
 *
 * The rows are those that SELECT would give under the same snapshot, and the
 * rights are the caller's: where a row could be hidden, or come from somewhere
 * else than the table's own pages, am_table_is_plain says no, and the caller
 * asks in SQL.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_TABLE_SCAN_H
#define AM_TABLE_SCAN_H

#include "common/compat.h"

#include "access/relscan.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

#define AM_SCAN_MAX_COLUMNS 8

typedef struct AmTableColumn
{
	AttrNumber	number;
	Oid			type;			/* of a domain its base type */
} AmTableColumn;

/* False where the table has no such column, or none that is stored */
extern bool am_table_column(Relation relation, const char *name, AmTableColumn *column);

/* What the readers of events take as text, as a key, and as a time: one without zone is the same number for UTC */
extern bool am_is_text_type(Oid type);
extern bool am_is_key_type(Oid type);
extern bool am_is_time_type(Oid type, bool is_utc);

/* The rights to the columns, as a SELECT needs them; an error names what may not be read */
extern bool am_table_may_read(Relation relation, const AmTableColumn *columns, int n_columns);
extern void am_table_refuse(Relation relation);

/* Whether SELECT of the columns is nothing but a scan of the table */
extern bool am_table_is_plain(Relation relation, const AmTableColumn *columns, int n_columns);

/* A value of variable length that is not in the row, or compressed; and the same whole, in a memory context */
static inline bool
am_is_elsewhere(Datum value)
{
	return VARATT_IS_EXTERNAL(DatumGetPointer(value)) || VARATT_IS_COMPRESSED(DatumGetPointer(value));
}

extern Datum am_whole_value(Datum value, MemoryContext context);

/*
 * Visits all rows.  Values of variable length have any header but are in
 * memory whole; they live until the visitor returns.
 */
typedef void (*AmRowVisitor) (void *arg, const Datum *values, const bool *nulls);

/* parallel: NULL, or a scan that other processes share */
extern void am_table_scan(Relation relation, Snapshot snapshot, ParallelTableScanDesc parallel,
						  const AmTableColumn *columns, int n_columns, AmRowVisitor visit, void *arg);

/*
 * The same for those who have an array with a place for every attribute of the
 * table: those wanted are put there, as they are stored, before each visit.
 * Of the row itself the place (t_self) is not told.
 */
typedef void (*AmAttributeVisitor) (void *arg, HeapTuple row);

extern void am_table_scan_attributes(Relation relation, Snapshot snapshot, ParallelTableScanDesc parallel,
									 const bool *wanted, Datum *values, bool *nulls, AmAttributeVisitor visit, void *arg);

#endif							/* AM_TABLE_SCAN_H */
