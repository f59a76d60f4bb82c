/*
 * See table_scan.h.
 *
 * The heap is read through its own scan, so that pages, visibility, shared
 * and parallel scans are the server's affair.  What it has found visible on a
 * page is then taken in one go, without a slot, and of each row only the
 * columns that are wanted.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "events/table_scan.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/tupmacs.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace_d.h"
#include "catalog/pg_type_d.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/plannodes.h"
#include "parser/parsetree.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/rel.h"
#include "utils/rls.h"

bool
am_is_text_type(Oid type)
{
	return type == TEXTOID || type == VARCHAROID;
}

bool
am_is_key_type(Oid type)
{
	return am_is_text_type(type) || type == INT8OID || type == INT4OID || type == INT2OID || type == UUIDOID;
}

bool
am_is_time_type(Oid type, bool is_utc)
{
	return type == TIMESTAMPTZOID || (type == TIMESTAMPOID && is_utc);
}

bool
am_table_column(Relation relation, const char *name, AmTableColumn *column)
{
	TupleDesc	columns = RelationGetDescr(relation);

	for (int i = 0; i < columns->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(columns, i);

		if (attribute->attisdropped || strcmp(NameStr(attribute->attname), name) != 0)
			continue;
		/* 18 has generated columns that are not stored */
		if (attribute->attgenerated != '\0' && attribute->attgenerated != ATTRIBUTE_GENERATED_STORED)
			return false;
		column->number = attribute->attnum;
		column->type = getBaseType(attribute->atttypid);
		return true;
	}
	return false;
}

static AclResult
schema_usage(Relation relation)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(NamespaceRelationId, RelationGetNamespace(relation), GetUserId(), ACL_USAGE);
#else
	return pg_namespace_aclcheck(RelationGetNamespace(relation), GetUserId(), ACL_USAGE);
#endif
}

bool
am_table_may_read(Relation relation, const AmTableColumn *columns, int n_columns)
{
	Oid			table = RelationGetRelid(relation);

	if (schema_usage(relation) != ACLCHECK_OK)
		return false;
	if (pg_class_aclcheck(table, GetUserId(), ACL_SELECT) == ACLCHECK_OK)
		return true;
	for (int i = 0; i < n_columns; i++)
		if (pg_attribute_aclcheck(table, columns[i].number, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
			return false;
	return true;
}

void
am_table_refuse(Relation relation)
{
	AclResult	usage = schema_usage(relation);

	if (usage != ACLCHECK_OK)
		aclcheck_error(usage, OBJECT_SCHEMA, get_namespace_name(RelationGetNamespace(relation)));
	aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, RelationGetRelationName(relation));
}

/* Does the plan read the rows of this table and leave none out? */
static bool
is_plain_plan(PlannedStmt *statement, Oid table)
{
	Plan	   *plan = statement->planTree;
	Scan	   *scan;

	if (statement->commandType != CMD_SELECT || statement->subplans != NIL)
		return false;
	while (IsA(plan, Gather))
		plan = outerPlan(plan);
	if (plan->qual != NIL)
		return false;
	if (IsA(plan, IndexScan) ? ((IndexScan *) plan)->indexqual != NIL :
		IsA(plan, IndexOnlyScan) ? ((IndexOnlyScan *) plan)->indexqual != NIL :
		!IsA(plan, SeqScan))
		return false;
	scan = (Scan *) plan;
	return rt_fetch(scan->scanrelid, statement->rtable)->relid == table;
}

/*
 * Other extensions keep the rows of what looks like a plain table elsewhere,
 * compressed or on other servers, and say so through the planner: ask it.
 */
static bool
has_plain_plan(Relation relation, const AmTableColumn *columns, int n_columns)
{
	StringInfoData query;
	SPIPlanPtr	prepared;
	CachedPlan *cached;
	bool		plain = false;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	initStringInfo(&query);
	for (int i = 0; i < n_columns; i++)
		appendStringInfo(&query, "%s %s", i == 0 ? "SELECT" : ",",
						 quote_identifier(NameStr(TupleDescAttr(RelationGetDescr(relation), columns[i].number - 1)->attname)));
	appendStringInfo(&query, " FROM %s",
					 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
												RelationGetRelationName(relation)));
	prepared = SPI_prepare(query.data, 0, NULL);
	if (!prepared)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	cached = SPI_plan_get_cached_plan(prepared);
	if (cached)
	{
		plain = list_length(cached->stmt_list) == 1 &&
			is_plain_plan(linitial_node(PlannedStmt, cached->stmt_list), RelationGetRelid(relation));
		ReleaseCachedPlan(cached, NULL);
	}
	SPI_finish();
	return plain;
}

bool
am_table_is_plain(Relation relation, const AmTableColumn *columns, int n_columns)
{
	return relation->rd_rel->relkind == RELKIND_RELATION &&
		relation->rd_rel->relam == HEAP_TABLE_AM_OID &&
		!has_subclass(RelationGetRelid(relation)) &&
		check_enable_rls(RelationGetRelid(relation), InvalidOid, true) != RLS_ENABLED &&
	/* whoever watches over the rights of queries has to see this one */
		!ExecutorCheckPerms_hook &&
		has_plain_plan(relation, columns, n_columns);
}

/* How a row's attribute is laid out */
typedef struct Layout
{
	int16		length;			/* -1 = varlena, -2 = terminated string */
	int16		wanted;			/* index of the value, or -1 */
	int32		place;			/* from the start of the data if no attribute before is NULL or of variable length; else -1 */
	bool		by_value;
	char		align;
} Layout;

typedef struct Reader
{
	TupleDesc	columns;
	Layout	   *layout;
	int			first;			/* attribute wanted, from 0 */
	int			last;
	MemoryContext scratch;		/* for values that are not in the row; NULL = they are left as they are */
	bool		scratch_used;
	Datum	   *values;
	bool	   *nulls;
} Reader;

/* Columns of am_table_scan: one attribute may be several of them */
typedef struct ColumnReader
{
	Reader		reader;
	AmRowVisitor visit;
	void	   *arg;
	int			n_columns;
	int			same_as[AM_SCAN_MAX_COLUMNS];	/* an earlier column that is the same attribute, or -1 */
	bool		has_same;
	Datum		values[AM_SCAN_MAX_COLUMNS];
	bool		nulls[AM_SCAN_MAX_COLUMNS];
} ColumnReader;

/* wanted: for each attribute the index of its value, or -1 */
static void
lay_out(Reader *reader, Relation relation, const int16 *wanted)
{
	int			place = 0;

	reader->columns = RelationGetDescr(relation);
	reader->first = reader->columns->natts;
	reader->last = -1;
	for (int i = 0; i < reader->columns->natts; i++)
		if (wanted[i] >= 0)
		{
			reader->first = Min(reader->first, i);
			reader->last = i;
		}
	reader->layout = palloc(sizeof(Layout) * (reader->last + 1));
	for (int i = 0; i <= reader->last; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(reader->columns, i);
		Layout	   *layout = &reader->layout[i];

		layout->length = attribute->attlen;
		layout->by_value = attribute->attbyval;
		layout->align = attribute->attalign;
		layout->wanted = wanted[i];
		if (attribute->attlen <= 0)
			place = -1;
		if (place >= 0)
			place = (int) att_align_nominal(place, attribute->attalign);
		layout->place = place;
		if (place >= 0)
			place += attribute->attlen;
	}
}

Datum
am_whole_value(Datum value, MemoryContext context)
{
	MemoryContext caller = MemoryContextSwitchTo(context);

	value = PointerGetDatum(PG_DETOAST_DATUM_PACKED(value));
	MemoryContextSwitchTo(caller);
	return value;
}

static inline void
take_value(Reader *reader, const Layout *layout, Datum value)
{
	if (layout->length == -1 && reader->scratch && am_is_elsewhere(value))
	{
		value = am_whole_value(value, reader->scratch);
		reader->scratch_used = true;
	}
	reader->values[layout->wanted] = value;
	reader->nulls[layout->wanted] = false;
}

/* The row is older than some columns: their value is in the catalogue */
static void
take_missing(Reader *reader, int stored)
{
	for (int i = stored; i <= reader->last; i++)
	{
		const Layout *layout = &reader->layout[i];
		Datum		value;
		bool		isnull;

		if (layout->wanted < 0)
			continue;
		value = getmissingattr(reader->columns, i + 1, &isnull);
		reader->nulls[layout->wanted] = true;
		if (!isnull)
			take_value(reader, layout, value);
	}
}

static inline void
read_row(Reader *reader, HeapTupleHeader row)
{
	const char *data = (const char *) row + row->t_hoff;
	bool		has_nulls = (row->t_infomask & HEAP_HASNULL) != 0;
	int			stored = HeapTupleHeaderGetNatts(row);
	int			end = Min(stored, reader->last + 1);
	bool		fixed = true;	/* places are as laid out */
	uint32		at = 0;
	int			i = !has_nulls && reader->first < end && reader->layout[reader->first].place >= 0 ? reader->first : 0;

	for (; i < end; i++)
	{
		const Layout *layout = &reader->layout[i];

		if (has_nulls && att_isnull(i, row->t_bits))
		{
			if (layout->wanted >= 0)
				reader->nulls[layout->wanted] = true;
			fixed = false;
			continue;
		}
		if (fixed && layout->place >= 0)
			at = layout->place;
		else
			at = att_align_pointer(at, layout->align, layout->length, data + at);
		if (layout->wanted >= 0)
			take_value(reader, layout, fetch_att(data + at, layout->by_value, layout->length));
		if (layout->length > 0)
			at += layout->length;
		else
		{
			fixed = false;
			at = att_addlength_pointer(at, layout->length, data + at);
		}
	}
	if (unlikely(stored <= reader->last))
		take_missing(reader, stored);
}

typedef void (*HeapRowVisitor) (void *arg, HeapTuple row);

/* Visits the rows of the heap that the snapshot sees */
static pg_attribute_always_inline void
scan_heap(Relation relation, Snapshot snapshot, ParallelTableScanDesc parallel, HeapRowVisitor visit, void *arg)
{
	TableScanDesc scan = parallel ? table_beginscan_parallel(relation, parallel) :
		table_beginscan(relation, snapshot, 0, NULL);
	HeapScanDesc heap = (HeapScanDesc) scan;
	HeapTuple	tuple;

	while ((tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (scan->rs_flags & SO_ALLOW_PAGEMODE)
		{
			/* this row is the first of those visible on its page; take them all, and the scan to the next page */
			Page		page = BufferGetPage(heap->rs_cbuf);
			int			n = (int) heap->rs_ntuples;
			HeapTupleData row = *tuple;

			for (int i = (int) heap->rs_cindex; i < n; i++)
			{
				ItemId		item = PageGetItemId(page, heap->rs_vistuples[i]);

				row.t_data = (HeapTupleHeader) PageGetItem(page, item);
				row.t_len = ItemIdGetLength(item);
				visit(arg, &row);
			}
			for (int i = (int) heap->rs_cindex + 1; i < n; i++)
				pgstat_count_heap_getnext(relation);
			heap->rs_cindex = n - 1;
		}
		else
			visit(arg, tuple);
	}
	table_endscan(scan);
}

static pg_attribute_always_inline void
visit_columns(void *arg, HeapTuple row)
{
	ColumnReader *columns = arg;
	Reader	   *reader = &columns->reader;

	read_row(reader, row->t_data);
	if (unlikely(columns->has_same))
		for (int c = 0; c < columns->n_columns; c++)
			if (columns->same_as[c] >= 0)
			{
				columns->values[c] = columns->values[columns->same_as[c]];
				columns->nulls[c] = columns->nulls[columns->same_as[c]];
			}
	columns->visit(columns->arg, columns->values, columns->nulls);
	if (unlikely(reader->scratch_used))
	{
		MemoryContextReset(reader->scratch);
		reader->scratch_used = false;
	}
}

void
am_table_scan(Relation relation, Snapshot snapshot, ParallelTableScanDesc parallel,
			  const AmTableColumn *columns, int n_columns, AmRowVisitor visit, void *arg)
{
	int			n_attributes = RelationGetDescr(relation)->natts;
	int16	   *wanted = palloc(n_attributes * sizeof(int16));
	ColumnReader rows;

	for (int i = 0; i < n_attributes; i++)
		wanted[i] = -1;
	rows.n_columns = n_columns;
	rows.has_same = false;
	for (int c = 0; c < n_columns; c++)
	{
		int16	   *place = &wanted[columns[c].number - 1];

		rows.same_as[c] = *place;
		if (*place < 0)
			*place = (int16) c;
		else
			rows.has_same = true;
	}
	rows.visit = visit;
	rows.arg = arg;
	rows.reader.values = rows.values;
	rows.reader.nulls = rows.nulls;
	rows.reader.scratch = AllocSetContextCreate(CurrentMemoryContext, "values of a table scan", ALLOCSET_DEFAULT_SIZES);
	rows.reader.scratch_used = false;
	lay_out(&rows.reader, relation, wanted);
	scan_heap(relation, snapshot, parallel, visit_columns, &rows);
	MemoryContextDelete(rows.reader.scratch);
	pfree(rows.reader.layout);
	pfree(wanted);
}

typedef struct AttributeReader
{
	Reader		reader;
	AmAttributeVisitor visit;
	void	   *arg;
} AttributeReader;

static pg_attribute_always_inline void
visit_attributes(void *arg, HeapTuple row)
{
	AttributeReader *attributes = arg;

	read_row(&attributes->reader, row->t_data);
	attributes->visit(attributes->arg, row);
}

void
am_table_scan_attributes(Relation relation, Snapshot snapshot, ParallelTableScanDesc parallel,
						 const bool *wanted, Datum *values, bool *nulls, AmAttributeVisitor visit, void *arg)
{
	int			n_attributes = RelationGetDescr(relation)->natts;
	int16	   *places = palloc(n_attributes * sizeof(int16));
	AttributeReader rows;

	for (int i = 0; i < n_attributes; i++)
		places[i] = wanted[i] ? (int16) i : -1;
	rows.visit = visit;
	rows.arg = arg;
	rows.reader.values = values;
	rows.reader.nulls = nulls;
	rows.reader.scratch = NULL;
	rows.reader.scratch_used = false;
	lay_out(&rows.reader, relation, places);
	scan_heap(relation, snapshot, parallel, visit_attributes, &rows);
	pfree(rows.reader.layout);
	pfree(places);
}
