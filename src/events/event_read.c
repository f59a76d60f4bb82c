/*
 * Reading the event log: entity by entity, in order of time.
 *
 * A partition is grouped in memory: number the entities, count, and scatter
 * the stamps to their entity's place; then each entity's few stamps are
 * sorted.  A partition that does not fit in its share of the budget is
 * sorted by the server's tuplesort instead, which spills.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "events/event_log.h"

#include "catalog/pg_type_d.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/tuplesort.h"
#include "utils/typcache.h"

#include "common/memory.h"
#include "events/event_file.h"

/* an entity of a partition, while it is grouped */
typedef struct Group
{
	uint64		key;
	Size		place;			/* first a count, then where its next stamp goes */
	const AmWideRecord *record; /* of wide entities: one with its bytes */
} Group;

typedef struct GroupTable
{
	Group	   *groups;
	Size		n_groups;
	Size		max_groups;
	uint32	   *slots;			/* group number + 1, 0 = empty */
	Size		n_slots;		/* a power of two */
} GroupTable;

/* The most that grouping takes for a record: its stamp, its group's number, and a group of its own */
#define GROUPING_BYTES	(sizeof(uint64) + sizeof(uint32) + 2 * sizeof(Group) + 4 * sizeof(uint32))

static void
grow_table(GroupTable *table)
{
	table->n_slots *= 2;
	pfree(table->slots);
	table->slots = am_palloc_array(uint32, table->n_slots);
	memset(table->slots, 0, table->n_slots * sizeof(uint32));
	for (Size g = 0; g < table->n_groups; g++)
	{
		Size		slot = (table->groups[g].key >> 32) & (table->n_slots - 1);

		while (table->slots[slot])
			slot = (slot + 1) & (table->n_slots - 1);
		table->slots[slot] = (uint32) (g + 1);
	}
}

/* The number of a record's entity.  The low bits of the key chose the partition: use the high ones. */
static inline uint32
group_of(GroupTable *table, const AmRecord *record, bool wide)
{
	Size		slot = (record->key >> 32) & (table->n_slots - 1);
	Group	   *group;

	while (table->slots[slot])
	{
		group = &table->groups[table->slots[slot] - 1];
		if (group->key == record->key)
		{
			const AmWideRecord *w = (const AmWideRecord *) record;

			if (!wide || (group->record->length == w->length &&
						  memcmp(group->record->bytes, w->bytes, w->length) == 0))
				return table->slots[slot] - 1;
		}
		slot = (slot + 1) & (table->n_slots - 1);
	}

	if (table->n_groups == table->max_groups)
	{
		table->max_groups *= 2;
		table->groups = repalloc_huge(table->groups, mul_size(table->max_groups, sizeof(Group)));
	}
	group = &table->groups[table->n_groups++];
	group->key = record->key;
	group->place = 0;
	group->record = wide ? (const AmWideRecord *) record : NULL;
	table->slots[slot] = (uint32) table->n_groups;
	if (table->n_groups * 2 > table->n_slots)
		grow_table(table);
	return (uint32) (table->n_groups - 1);
}

static pg_attribute_always_inline void
read_grouped(AmEventLog *log, AmPartition *partition, bool wide, AmEntityVisitor visit, void *arg)
{
	GroupTable	table;
	AmBlock    *blocks = partition->blocks;
	AmBlock    *from_file = NULL;
	AmBlock    *block_from_file;
	AmFilePlace file_place = AM_FILE_START;
	uint32	   *numbers = am_palloc_array(uint32, partition->records);
	uint64	   *stamps = am_palloc_array(uint64, partition->records);
	AmStamps	entity = {0};
	Size		i = 0;
	Size		place = 0;

	table.n_groups = 0;
	table.max_groups = 256;
	table.groups = am_palloc_array(Group, table.max_groups);
	table.n_slots = 512;
	table.slots = am_palloc_array(uint32, table.n_slots);
	memset(table.slots, 0, table.n_slots * sizeof(uint32));

	while ((block_from_file = am_partition_next_on_file(log, partition, &file_place)) != NULL)
	{
		block_from_file->next = from_file;
		from_file = block_from_file;
	}

	for (int pass = 0; pass < 2; pass++)
		for (AmBlock *block = pass == 0 ? blocks : from_file; block; block = block->next)
		{
			CHECK_FOR_INTERRUPTS();
			for (const char *at = block->data; at < block->data + block->used;)
			{
				const AmRecord *record = (const AmRecord *) at;
				uint32		g = group_of(&table, record, wide);

				numbers[i++] = g;
				table.groups[g].place++;
				at += wide ? AM_WIDE_SIZE(((const AmWideRecord *) record)->length) : sizeof(AmRecord);
			}
		}
	Assert(i == (Size) partition->records);

	for (Size g = 0; g < table.n_groups; g++)
	{
		Size		count = table.groups[g].place;

		table.groups[g].place = place;
		place += count;
	}

	i = 0;
	for (int pass = 0; pass < 2; pass++)
		for (AmBlock *block = pass == 0 ? blocks : from_file; block; block = block->next)
			for (const char *at = block->data; at < block->data + block->used;)
			{
				const AmRecord *record = (const AmRecord *) at;

				stamps[table.groups[numbers[i++]].place++] = record->stamp;
				at += wide ? AM_WIDE_SIZE(((const AmWideRecord *) record)->length) : sizeof(AmRecord);
			}

	/* each place is now the end of its group */
	place = 0;
	for (Size g = 0; g < table.n_groups; g++)
	{
		Size		end = table.groups[g].place;

		entity.n = end - place;
		entity.values = stamps + place;
		am_sort_stamps(stamps + place, entity.n);
		visit(arg, &entity);
		place = end;
	}

	pfree(table.slots);
	pfree(table.groups);
	pfree(stamps);
	pfree(numbers);
	while (from_file)
	{
		AmBlock    *block = from_file;

		from_file = block->next;
		pfree(block);
	}
}

typedef struct SortInput
{
	AmEventLog *log;
	Tuplesortstate *sort;
	TupleTableSlot *slot;
	StringInfoData bytes;		/* an entity as bytea */
} SortInput;

static void
put_record(void *arg, const AmRecord *record)
{
	SortInput  *input = arg;
	TupleTableSlot *slot = input->slot;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, false, slot->tts_tupleDescriptor->natts * sizeof(bool));
	slot->tts_values[0] = am_word_datum(record->key);
	slot->tts_values[1] = am_word_datum(record->stamp);
	if (input->log->type == AM_ENTITY_BYTES)
	{
		const AmWideRecord *wide = (const AmWideRecord *) record;

		resetStringInfo(&input->bytes);
		enlargeStringInfo(&input->bytes, VARHDRSZ + wide->length);
		SET_VARSIZE(input->bytes.data, VARHDRSZ + wide->length);
		memcpy(VARDATA(input->bytes.data), wide->bytes, wide->length);
		slot->tts_values[2] = PointerGetDatum(input->bytes.data);
	}
	ExecStoreVirtualTuple(slot);
	tuplesort_puttupleslot(input->sort, slot);
}

static void
read_sorted(AmEventLog *log, AmPartition *partition, AmEntityVisitor visit, void *arg)
{
	bool		wide = log->type == AM_ENTITY_BYTES;
	int			n_columns = wide ? 3 : 2;
	TupleDesc	columns = CreateTemplateTupleDesc(n_columns);
	AttrNumber	keys[3] = {1, 3, 2};
	Oid			operators[3];
	Oid			collations[3] = {InvalidOid, InvalidOid, InvalidOid};
	bool		nulls_first[3] = {false, false, false};
	Oid			less = lookup_type_cache(INT8OID, TYPECACHE_LT_OPR)->lt_opr;
	SortInput	input;
	TupleTableSlot *slot;
	AmStampSpool spool;
	AmStamps	entity;
	bool		first = true;
	uint64		key = 0;
	bytea	   *bytes = NULL;

	TupleDescInitEntry(columns, 1, "key", INT8OID, -1, 0);
	TupleDescInitEntry(columns, 2, "stamp", INT8OID, -1, 0);
	operators[0] = operators[2] = less;
	if (wide)
	{
		TupleDescInitEntry(columns, 3, "entity", BYTEAOID, -1, 0);
		operators[1] = lookup_type_cache(BYTEAOID, TYPECACHE_LT_OPR)->lt_opr;
	}
	else
	{
		keys[1] = 2;
		operators[1] = less;
	}

	input.log = log;
	input.sort = tuplesort_begin_heap(columns, n_columns, keys, operators, collations, nulls_first,
									  (int) Min(log->budget / 4 / 1024, MAX_KILOBYTES), NULL, TUPLESORT_NONE);
	input.slot = MakeSingleTupleTableSlot(columns, &TTSOpsVirtual);
	initStringInfo(&input.bytes);
	am_event_log_each_record(log, partition, put_record, &input);
	am_partition_free_blocks(log, partition);
	tuplesort_performsort(input.sort);
	am_stamp_spool_init(&spool, log->budget / 8);

	slot = MakeSingleTupleTableSlot(columns, &TTSOpsMinimalTuple);
	while (tuplesort_gettupleslot(input.sort, true, false, slot, NULL))
	{
		uint64		this_key;
		bool		same;

		CHECK_FOR_INTERRUPTS();
		slot_getallattrs(slot);
		this_key = am_datum_word(slot->tts_values[0]);
		same = !first && this_key == key;
		if (same && wide)
		{
			bytea	   *other = DatumGetByteaPP(slot->tts_values[2]);

			same = VARSIZE_ANY_EXHDR(other) == VARSIZE_ANY_EXHDR(bytes) &&
				memcmp(VARDATA_ANY(other), VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(other)) == 0;
		}
		if (!same)
		{
			if (!first)
			{
				entity = am_stamp_spool_read(&spool);
				visit(arg, &entity);
				am_stamp_spool_clear(&spool);
			}
			first = false;
			key = this_key;
			if (wide)
			{
				if (bytes)
					pfree(bytes);
				bytes = DatumGetByteaPCopy(slot->tts_values[2]);
			}
		}
		am_stamp_spool_add(&spool, am_datum_word(slot->tts_values[1]));
	}
	if (!first)
	{
		entity = am_stamp_spool_read(&spool);
		visit(arg, &entity);
	}
	am_stamp_spool_end(&spool);

	/* one partition of many: leave nothing */
	ExecDropSingleTupleTableSlot(slot);
	ExecDropSingleTupleTableSlot(input.slot);
	tuplesort_end(input.sort);
	FreeTupleDesc(columns);
	pfree(input.bytes.data);
	if (bytes)
		pfree(bytes);
}

void
am_partition_read(AmEventLog *log, AmPartition *partition, AmEntityVisitor visit, void *arg)
{
	Size		needed;

	if (partition->records == 0)
		return;
	needed = add_size(mul_size(partition->records, GROUPING_BYTES), partition->bytes_on_file);
	if (needed > log->budget / 4 || partition->records >= PG_UINT32_MAX)
		read_sorted(log, partition, visit, arg);
	else if (log->type == AM_ENTITY_INT64)
		read_grouped(log, partition, false, visit, arg);
	else
		read_grouped(log, partition, true, visit, arg);
	am_partition_free_blocks(log, partition);
	partition->records = 0;
}

void
am_event_log_read(AmEventLog *log, AmEntityVisitor visit, void *arg)
{
	for (int i = 0; i < log->n_partitions; i++)
	{
		am_partition_close_block(&log->partitions[i]);
		am_partition_read(log, &log->partitions[i], visit, arg);
	}
	am_event_log_close(log);
}
